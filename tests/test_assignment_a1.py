"""A1: what wrong answers lose, question by question."""

import sys

import assigned
import pytest

from assignments.answers.a1 import WRONG
from tools.assignments import runner

FILE = "a1_draw_once.ipynb"
POINTS = {"q0": 1, "q1": 3, "q2": 7, "q3": 3, "q4": 9, "q5": 6, "q6": 5, "q7": 2, "q9": 4}


@pytest.fixture(scope="module")
def master():
    return assigned.cells(FILE)


@pytest.fixture
def blocked(monkeypatch):
    """The library can't be imported, as while grading."""
    for name in [name for name in sys.modules if name.split(".")[0] == "mixup_lib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [runner.Blocked(["mixup_lib"], "a1"), *sys.meta_path])


def test_the_key_gets_full_marks(master):
    assert assigned.totals(assigned.mark(master)) == POINTS


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answers_get_their_marks(master, name, blocked):
    """Question 9 trains by functions of its own, so it is marked only where its answer is wrong."""
    answers = WRONG[name]["answers"]
    rest = {question: points for question, points in POINTS.items() if question != "q9"}
    only = tuple(POINTS if "q9" in answers else rest)
    got = assigned.totals(assigned.mark(assigned.answered(master, answers), only=only))
    assert sum((POINTS | got).values()) == WRONG[name]["marks"]
