"""Every session on the errata page runs as printed: each fault shows, each fix works."""

import doctest
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "book" / "errata.md"
BLOCKS = re.findall(r"^### (.+?)$|^```pycon\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def sessions():
    heading = ""
    for title, code in BLOCKS:
        heading = title or heading
        if code:
            yield pytest.param(code, id=heading)


@pytest.mark.parametrize("code", list(sessions()))
def test_session(code):
    session = doctest.DocTestParser().get_doctest(code, {}, "errata", str(PAGE), 0)
    report = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    failed, tried = runner.run(session, out=report.append)
    assert tried and not failed, "".join(report)


def test_every_listing_is_named():
    text = PAGE.read_text("utf-8")
    assert {f"L{n}" for n in range(1, 15)} <= set(re.findall(r"\bL\d+\b", text))
