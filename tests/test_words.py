"""One spelling for the word that this course uses most: regularization, with z, and its kin."""

import re

import pytest

from tools import course

#: Written down before runs, and kept as it was written.
REGISTERED = "mixup_lib/experiments/*.py"
PLACES = (
    "*.md",
    "book/**/*.md",
    "book/**/*.toml",
    "mixup_lib/**/*.py",
    "notebooks/*.ipynb",
    "results/published.json",
    "tools/*.py",
)
FILES = sorted(
    path.relative_to(course.ROOT).as_posix()
    for place in PLACES
    for path in course.ROOT.glob(place)
    if not path.relative_to(course.ROOT).match(REGISTERED)
)
# A title in quotation marks keeps the spelling of its authors.
TITLE = re.compile(r"“[^”\n]{1,200}”")
WRONG = re.compile(r"\w*regularis\w*", re.I)


@pytest.mark.parametrize("name", FILES)
def test_one_spelling(name):
    found = WRONG.findall(TITLE.sub("", (course.ROOT / name).read_text(encoding="utf-8")))
    assert not found, found


def test_the_search_finds_what_it_should():
    assert WRONG.findall(TITLE.sub("", "“Regularisation”, a regulariser")) == ["regulariser"]
    assert len(FILES) > 100
