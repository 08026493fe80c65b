"""Sessions of the Python prompt on a page of prose, as a reader would type them."""

import doctest
import re
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[1] / "book"
BLOCK = re.compile(r"^### (.+?)$|^## (.+?)$|^```pycon\n(.*?)^```", re.M | re.S)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def sessions(page):
    """Every session of ``book/<page>.md``, named by the heading that it stands under."""
    heading, found = "", []
    for small, large, code in BLOCK.findall((BOOK / f"{page}.md").read_text("utf-8")):
        heading = small or large or heading
        if code:
            found.append(pytest.param(code, id=heading))
    return found


def run(code):
    """Types a session and compares each answer."""
    session = doctest.DocTestParser().get_doctest(code, {}, "page", "page", 0)
    report = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    failed, tried = runner.run(session, out=report.append)
    assert tried and not failed, "".join(report)
