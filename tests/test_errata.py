"""Every session on the errata page runs as printed: each fault shows, each fix works."""

import re

import pytest
import sessions

TEXT = (sessions.BOOK / "errata.md").read_text("utf-8")


@pytest.mark.parametrize("code", sessions.sessions("errata"))
def test_session(code):
    sessions.run(code)


def test_a_session_that_is_wrong_fails():
    with pytest.raises(AssertionError, match="Expected:"):
        sessions.run(">>> 1 + 1\n3\n")
    with pytest.raises(AssertionError):
        sessions.run("no session at all\n")


def test_every_listing_is_named():
    assert {f"L{n}" for n in range(1, 15)} <= set(re.findall(r"\bL\d+\b", TEXT))
