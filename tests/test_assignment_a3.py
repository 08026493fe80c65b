"""A3: which check catches which mistake, and what a variant asks otherwise."""

import random
import re

import assigned
import pytest
import yaml

from assignments.answers.a3 import RIGHT, WRONG
from assignments.variants import a3

FILE = "a3_honest_study.ipynb"
# A table in place of the study, and the study that gives it, for answers that depend on neither.
TABLE = """
results = [
    {"seed": seed, "method": method, "setting": 0.1, "validation": 9.0, "test": 20.0 + seed % 2}
    for seed in plan["seeds"] for method in ("plain", "mixup", plan["baseline"])
]


def study(seed):
    return {row["method"]: row for row in results if row["seed"] == seed}
"""
# What the stated marks are made of.
LOST = {
    "three-seeds": {"q1-test-seeds", "q6-test-words", "q6-test-follows"},
    "one-generator": {"q2-test-batches"},
    "uniform-weights": {"q2-test-beta"},
    "two-permutations": {"q2-test-targets"},
    "no-seed": {
        "q2-test-repeats",
        "q2-test-first-weights",
        "q2-test-baselines",
        "q6-test-again",
        "q6-test-follows",
    },
    "invented": {"q6-test-again", "q6-test-follows"},
    "chosen-on-test-data": {"q3-test-best", "q3-test-ties", "q3-test-test-once"},
    "training-mode": {"q3-test-measure", "q3-test-best", "q3-test-ties"},
    "largest-of-tied-settings": {"q3-test-ties"},
    "normal-interval": {"q5-test-interval"},
    "null-means-refuted": {"q5-test-verdict"},
    "plan-changed-afterwards": {"q6-test-follows"},
    "hopeful": {"q6-test-follows"},
}
# More mistakes, each as a change of the key: question, old, new, what must fail.
MUTANTS = [
    ("q1", '"smallest_effect": 2.0', '"smallest_effect": 20.0', "q1-test-numbers"),
    ("q1", '"baseline": "label smoothing"', '"baseline": "mixup"', "q1-test-numbers"),
    ("q1", '"mixup": [0.2, 1.0]', '"mixup": [1.0]', "q1-test-numbers"),
    ("q1", '"refuted_if": "the', '"rejected_if": "the', "q1-test-complete"),
    ("q1", "register(plan)", "", "q1-test-seeds"),
    ("q1", "[0, 1, 2, 3, 4]", "[0, 1, 2, 3, 3]", "q1-test-seeds"),
    ("q2", "data.train()", "data.validation()", "q2-test-learns"),
    ("q2", "            loss.backward()\n", "", "q2-test-learns"),
    ("q2", 'if method == "label smoothing" else 0.0', "", "q2-test-baselines"),
    ("q2", 'if method == "mixup":', "if True:", "q2-test-baselines"),
    ("q2", "range(EPOCHS)", 'range(EPOCHS // (1 + (method == "plain")))', "q2-test-batches"),
    (
        "q2",
        "order = torch.randperm(len(x), generator=shuffle)",
        "order = torch.arange(len(x))",
        "q2-test-batches",
    ),
    ("q2", "rng.beta(setting, setting)", "rng.beta(1 / setting, 1 / setting)", "q2-test-beta"),
    ("q2", "(1 - lam) * inputs[partner]", "lam * inputs[partner]", "q2-test-targets"),
    ("q3", "100 * (1 - accuracy)", "1 - accuracy", "q3-test-measure"),
    ("q3", '"test": test}', '"test": best}', "q3-test-best"),
    ("q3", "best = min(found.values())", "best = max(found.values())", "q3-test-best"),
    ("q4", "Data(NAME, seed)", "Data(NAME, 0)", "q4-test-paired"),
    ("q4", "Data(NAME, seed)", "Data(NAME, seed + len(m))", "q4-test-paired"),
    ("q4", "m, c, seed)", "m, c, seed + len(m))", "q4-test-paired"),
    ("q4", '"mixup": plan["mixup"]', '"mixup": [1.0]', "q4-test-methods"),
    (
        "q5",
        'test[s, "plain"] - test[s, method]',
        'test[s, method] - test[s, "plain"]',
        "q5-test-effects",
    ),
    ("q5", "sorted({row", "list({row", "q5-test-effects"),
    ("q5", "if n < 5:", "if n < 4:", "q5-test-fewest"),
    ("q5", "n - 1) *", "n - 2) *", "q5-test-interval"),
    ("q5", "ddof=1", "ddof=0", "q5-test-interval"),
    ("q5", "t_factor(0.95", "t_factor(0.90", "q5-test-interval"),
    ("q5", "mean - half, mean + half", "mean + half, mean - half", "q5-test-interval"),
    ("q5", "if low >= smallest", "if low > smallest", "q5-test-verdict"),
    ("q5", "if high < smallest", "if high <= smallest", "q5-test-verdict"),
    ("q5", "if low >= smallest_effect", "if low > 0", "q5-test-verdict"),
    ("q5", '"refuted" if', '"supported" if', "q5-test-worked"),
    ("q6", 'in ("mixup", plan["baseline"])', 'in ("mixup",)', "q6-test-words"),
]
# These run the study again, in place of which the table stands here.
AGAIN = {"q6-test-again", "q6-test-follows"}
REAL = {"no-seed", "invented"}  # the answers for which that makes a difference


def table(variant):
    """The table, in the words of a variant."""
    plain, mixup = re.search(r'methods = \["(\w+)", "(\w+)"', variant["q6-test-follows"]).groups()
    setting = re.search(r'for key in \("(\w+)"', variant["q6-test-again"])[1]
    words = {"plain": plain, "mixup": mixup, "setting": setting}
    return re.sub(r'"(\w+)"', lambda match: f'"{words.get(match[1], match[1])}"', TABLE)


def failed(marks):
    return {name for name, (_, text) in marks.items() if text}


@pytest.fixture(scope="module")
def master():
    return assigned.cells(FILE)


def test_the_key_gets_full_marks_and_the_untouched_copy_none(master):
    marks = assigned.mark(master)
    assert not failed(marks), {name: text for name, (_, text) in marks.items() if text}
    assert assigned.totals(marks) == {"q0": 1, "q1": 2, "q2": 7, "q3": 5, "q4": 2, "q5": 5, "q6": 3}
    assert not any(points for points, _ in assigned.mark(assigned.untouched(master)).values())


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answers_fail_where_they_are_wrong(master, name):
    found = failed(
        assigned.mark(assigned.answered(master | {"results": TABLE}, WRONG[name]["answers"]))
    )
    assert found - AGAIN == LOST[name] - AGAIN if name in REAL else found == LOST[name]


def test_invented_results_earn_nothing_for_the_conclusion(master):
    """The study that is run again is the student's own, not the table's."""
    cells = assigned.answered(master | {"results": "results = []"}, WRONG["invented"]["answers"])
    marks = assigned.mark(cells)
    assert failed(marks) == LOST["invented"]
    assert assigned.totals(marks)["q6"] == 0


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_in_other_styles_get_full_marks(master, name):
    assert not failed(assigned.mark(assigned.answered(master, RIGHT[name]["answers"])))


@pytest.mark.parametrize("question, old, new, test", MUTANTS)
def test_a_change_of_the_key_is_caught(master, question, old, new, test):
    source = master[f"{question}-solution"]
    assert source.count(old) == 1
    answers = {question: source.replace(old, new)}
    cells = assigned.answered(master | {"results": TABLE}, answers)
    assert test in failed(assigned.mark(cells, only=(question,)))


def test_the_stated_marks_are_the_points_that_are_left(master):
    points = {
        name: yaml.safe_load(assigned.CONFIG.match(source)[1])["points"]
        for name, source in master.items()
        if "-test-" in name
    }
    assert sum(points.values()) == 25
    for name, answer in WRONG.items():
        assert answer["marks"] == 25 - sum(points[test] for test in LOST[name]), name


@pytest.mark.parametrize("seed", range(3))
def test_a_variant_has_its_own_key_and_rejects_the_published_one(master, seed):
    drawn = a3.draw(random.Random(seed))
    variant = assigned.cells(FILE, drawn)
    assert failed(assigned.mark(variant | {"results": table(variant)})) == set()
    questions = [f"q{i}" for i in range(1, 7)]
    for published in assigned.published(master, variant, questions):
        # Its own table would have other names than q6 asks for; the build's proof makes it.
        marks = assigned.mark(assigned.answered(variant | {"results": "results = []"}, published))
        assert sum(points for points, _ in marks.values()) < 0.4 * 25
        assert {"q1-test-seeds", "q5-test-interval", "q5-test-fewest"} <= failed(marks)


def test_a_variant_says_in_the_text_what_it_asks():
    drawn = a3.draw(random.Random(0))
    assert {"q1-task", "q5-task", "q1-solution", "q5-solution", "variant"} <= set(drawn)
    assert "`0.95`" not in drawn["q5-task"]


def test_a_study_repeats_and_its_parts_are_disjoint(master):
    space = {}
    for name in ("variant", "imports", "images", "parts", "data", "register"):
        exec(master[name], space)
    space["register"]({"plan": 1})
    one, other = space["Data"]("name", 0), space["Data"]("name", 1)
    assert (one.test()[0] == space["Data"]("name", 0).test()[0]).all()
    assert not (one.test()[0] == other.test()[0]).all()
    rows = [tuple(x.tolist()) for part in (one.train, one.validation, one.test) for x in part()[0]]
    assert len(set(rows)) == len(rows)
    names = [str(space["draw_images"](name)[2]) for name in "abcdef"]
    assert len(set(names)) == 6


def test_test_data_stay_closed_before_the_plan_and_the_plan_closed_after(master):
    space = {}
    for name in ("variant", "imports", "images", "parts", "data", "register"):
        exec(master[name], space)
    with pytest.raises(RuntimeError, match="register a plan"):
        space["Data"]("name", 0).test()
    space["register"]({"a": 1})
    space["register"]({"a": 2})  # still open
    space["Data"]("name", 0).test()
    with pytest.raises(RuntimeError, match="were read"):
        space["register"]({"a": 3})
