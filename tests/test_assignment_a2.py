"""Assignment A2, the bug clinic: its pool of cases, its marks, its variants.

Questions are graded in this process, by the tests that stand in the master.
"""

import inspect
import random
import re
import time
from pathlib import Path

import pytest
import torch
import yaml

from assignments.answers.a2 import RIGHT, WRONG
from assignments.variants import a2
from tools import course

MASTER = course.read(a2.MASTER)
POINTS = {"q0": 1.0, "q2": 1.0}
for _i in range(a2.SLOTS):
    POINTS.setdefault(f"q{2 * _i + 1}", 3.0 * (_i < a2.REQUIRED))
    POINTS.setdefault(f"q{2 * _i + 2}", 2.0 * (_i < a2.REQUIRED))
BINDING = [
    (name, flip)
    for name in a2.CASES
    for flip in ((False, True) if hasattr(a2.judge.case(name), "FLIP") else (False,))
]
SHOWN = {"look-code", "example-tests", "what-your-tests-see-code"}  # for students' eyes alone
TELLS = re.compile(r"test_case_|key_|HIDDEN_ONLY")


@pytest.fixture
def judge(monkeypatch):
    """The grader's module under the name that hidden tests import it by."""
    monkeypatch.syspath_prepend(str(Path(a2.MASTER).parent))
    from support.a2 import judge

    judge._seen.clear()
    return judge


@pytest.fixture
def quick(judge, monkeypatch):
    """Five runs instead of twenty: enough where no marks for steadiness are at stake."""
    monkeypatch.setattr(judge, "RUNS", 5)


def graded(answers=(), cells=(), questions=None):
    """Marks by question, of the key with some answers replaced, in a variant or the master."""
    answers, cells, env, marks, question = dict(answers), dict(cells), {}, {}, None
    for cell in MASTER.cells:
        source = cells.get(cell.id, cell.source)
        if cell.cell_type == "raw" and source.startswith("# BEGIN QUESTION"):
            question = yaml.safe_load(source)["name"]
        if cell.cell_type != "code":
            continue
        if "BEGIN TEST CONFIG" in source:
            if questions is None or question in questions:
                try:
                    exec(source, env)
                    points = yaml.safe_load(source.split('"""')[1])["points"]
                except Exception:
                    points = 0
                marks[question] = marks.get(question, 0) + points
        elif cell.id == f"{question}-solution":
            exec(answers.get(question, source), env)
        elif cell.id not in SHOWN:
            exec(source, env)
    return marks


def untouched(source):
    """What a student finds in place of a solution."""
    return re.sub(r"# BEGIN SOLUTION.*# END SOLUTION", "...", source, flags=re.DOTALL)


def solutions(cells):
    return {name: cells[f"{name}-solution"] for name in POINTS if name != "q0"}


def test_the_master_holds_the_published_draw():
    ids = {cell.id: cell.source for cell in MASTER.cells}
    for cell_id, source in a2.cells(a2.PUBLISHED).items():
        assert ids[cell_id] == source, f"{cell_id}: run python -m assignments.variants.a2"


def test_the_autograder_gets_the_whole_pool():
    settings = yaml.safe_load(MASTER.cells[0].source)
    pool = sorted((Path(a2.MASTER).parent / "support/a2").glob("*.py"))
    assert settings["autograder_files"] == [f"support/a2/{path.name}" for path in pool]
    assert "files" not in settings


@pytest.mark.parametrize("name, flip", BINDING)
def test_pool(name, flip):
    """Each property test passes on all correct implementations, and a bug fails at least one;
    one that may be a specimen fails both, so that it earns nothing as a fix."""
    module = a2.judge.case(name)
    for label, function in (module.CORRECT | module.BUGS).items():
        function, passed = a2.judge.load(function, flip), []
        for part in (module.promise, module.edges):
            outcomes = set()
            for seed in range(3):
                torch.manual_seed(seed)
                outcomes.add(a2.judge.outcome(lambda f, part=part: part(f, flip), function))
            assert len(outcomes) == 1, f"{label}: {part.__name__} is not steady"
            passed += [outcomes == {"passes"}]
            assert outcomes <= {"passes", "fails"}, (label, outcomes)
        if label in module.CORRECT:
            assert all(passed), label
        elif label in getattr(module, "HIDDEN_ONLY", ()):
            assert not all(passed), label
        else:
            assert not any(passed), label


@pytest.mark.parametrize("name, flip", BINDING)
def test_key_test_tells_the_whole_pool_apart(judge, quick, name, flip):
    module = judge.case(name)
    runs = judge.outcomes(
        judge.load(module.key_test, flip), name, module.CORRECT | module.BUGS, flip
    )
    for label, found in runs.items():
        wanted = "passes" if label in module.CORRECT else "fails"
        assert set(found) == {wanted}, (label, found)


@pytest.mark.parametrize("name", a2.CASES)
def test_pool_fits_the_page(name):
    module = a2.judge.case(name)
    assert len(module.CORRECT) >= 3 and len(module.BUGS) >= a2.HIDDEN + 2
    for function in (*module.BUGS.values(), module.key_test, module.key_fix):
        for flip in (False, True):
            source = a2.judge.source(function, flip, "specimen_1", doc=function is module.key_test)
            assert max(map(len, source.splitlines())) <= 80
            assert "noqa" not in source
    assert not TELLS.search(module.text(False))
    for function in (module.CORRECT | module.BUGS).values():
        assert inspect.getdoc(function).endswith("."), "its docstring tells the student what it is"


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answers_get_their_marks(judge, name):
    answers = WRONG[name]["answers"]
    got = sum(POINTS.values()) - sum(POINTS[question] for question in answers)
    got += sum(graded(answers, questions=answers).values())
    assert got == WRONG[name]["marks"]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_in_other_styles_get_full_marks(judge, name):
    answers = RIGHT[name]["answers"]
    assert graded(answers, questions=answers) == {q: POINTS[q] for q in answers}


def test_specimen_is_no_fix(judge):
    cells = {cell.id: cell.source for cell in MASTER.cells}
    copied = {
        f"q{2 * i}": cells[f"case-{i}-specimen"].replace(f"specimen_{i}", f"fixed_{i}")
        for i in range(1, a2.SLOTS + 1)
    }
    assert sum(graded(copied, questions=copied).values()) == 0


@pytest.mark.parametrize("secret", ["one", "two"])
def test_variant(judge, quick, secret):
    """Its own key gets full marks. The published one gets hardly any by position, and less than
    two fifths moved to the cases that it answers: they have another convention, or are new."""
    slots = a2.draw_slots(random.Random(secret))
    cells = a2.draw(random.Random(secret))
    assert graded(cells=cells) == POINTS
    published = solutions(a2.cells(a2.PUBLISHED))
    assert sum(graded(published, cells).values()) < 0.4 * sum(POINTS.values())
    moved = {name: untouched(source) for name, source in solutions(cells).items()}
    for i, slot in enumerate(slots, 1):
        for j, other in enumerate(a2.PUBLISHED, 1):
            if slot.name == other.name:
                for old, new in ((2 * j - 1, 2 * i - 1), (2 * j, 2 * i)):
                    source = published[f"q{old}"].replace(f"test_case_{j}", f"test_case_{i}")
                    moved[f"q{new}"] = source.replace(f"fixed_{j}", f"fixed_{i}")
    assert sum(graded(moved, cells).values()) < 0.4 * sum(POINTS.values())


def test_draws_differ():
    draws = [tuple(a2.draw_slots(random.Random(secret))) for secret in range(20)]
    assert len(set(draws)) == len(draws)
    assert a2.draw(random.Random(3)) == a2.draw(random.Random(3))


def test_a_fixed_seed_does_not_hide_luck(judge):
    """A test that seeds torch sees other draws of the implementation in every run."""

    def seeded(draw):
        torch.manual_seed(0)
        assert draw(1.0, 1) < 0.5

    runs = judge.outcomes(seeded, "weights", judge.case("weights").CORRECT)
    assert all(len(set(found)) == 2 for found in runs.values())
    before = torch.get_rng_state()
    judge.isolated(torch.rand, 1)(3)
    assert torch.equal(before, torch.get_rng_state())


def test_errors_inside_and_outside(judge):
    def longer(mix):
        mix(torch.zeros(3, dtype=torch.long), torch.arange(3), torch.rand(2), 4)

    def misspelt(mix):
        mix(torch.zeros(3, dtype=torch.long).nowhere)

    inside = judge.load(judge.case("labels").lerp)
    assert judge.outcome(longer, inside) == "fails"
    assert judge.outcome(misspelt, inside).startswith("breaks: AttributeError")
    said = judge.outcome(lambda mix: mix(), judge.isolated(inside, 0))
    assert said.startswith("breaks: TypeError: implementation()")  # which one, is not told


def spending(seconds):
    """A right test of case "pairing" that takes so long."""

    def test(mix):
        stop = time.process_time() + seconds
        y = torch.eye(16)
        for _ in range(15):
            mixed, targets = mix(y, y, 1.0)
            assert torch.allclose(mixed, targets, atol=1e-5)
        while time.process_time() < stop:
            pass

    return test


def verdict(judge, test):
    return judge.Verdict(test, "pairing", "two_permutations", "two_weights complement inverse")


def test_slow_tests_are_judged_by_what_they_finish(judge, monkeypatch):
    monkeypatch.setattr(judge, "ALLOWED_MS", 2)
    found = verdict(judge, spending(0.008))
    rounds = {len(runs) for runs in found.runs.values()}
    assert len(rounds) == 1 and judge.FEWEST <= rounds.pop() < judge.RUNS
    found.accepts(), found.catches(), found.stable()
    began = time.process_time()
    with pytest.raises(judge.Told, match="too slow: only . of 20 runs fit into the time"):
        verdict(judge, spending(0.05))
    assert time.process_time() - began < 0.5 + judge.SPARE * judge.RUNS * 8 * 0.002


@pytest.mark.parametrize(
    "source, asked, told",
    [
        ("x = 1", "accepts", "There is no test function"),
        ("def test(mix):\n    undefined", "accepts", "is broken: .* one breaks: NameError"),
        ("def test(mix):\n    pass", "accepts", "lets the specimen itself through"),
        ("def test(mix):\n    assert False", "accepts", "fails for every implementation"),
        (
            "def test(mix):\n    y = torch.eye(32)\n    for _ in range(15):\n"
            "        m, t = mix(y, y, 1.0)\n"
            "        assert torch.allclose(m, t, atol=1e-5)\n"
            "        assert len(set(t.amax(1).tolist())) <= "
            "2",
            "accepts",
            "rejects a correct implementation: One weight for each example",
        ),
        (
            "def test(mix):\n    y = torch.eye(32)\n    m, t = mix(y, y, 1.0)\n"
            "    assert ((m > 0.001) == (t > 0.001)).all()",
            "catches",
            r"^Told to the student: Your test misses \d of 3 hidden bugs\.$",
        ),
        (
            "def test(mix):\n    y = torch.eye(32)\n    m, t = mix(y, y, 1.0)\n"
            "    assert torch.allclose(m, t, atol=1e-5) or torch.rand(1) < 0.05",
            "stable",
            "depends on luck",
        ),
    ],
    ids=["missing", "broken", "specimen", "always", "rejects", "misses", "luck"],
)
def test_a_student_is_told_which_case_applies(judge, source, asked, told):
    space = {"torch": torch}
    exec(source, space)
    with pytest.raises(judge.Told) as caught:
        getattr(verdict(judge, space.get("test", space.get("x"))), asked)()
    first, _, rest = str(caught.value).partition("\n")
    assert re.search(told, first), first
    for function in judge.case("pairing").BUGS.values():
        assert inspect.getdoc(function).rstrip(".") not in first


def test_the_stated_time_is_the_graders(judge):
    ids = {cell.id: cell.source for cell in MASTER.cells}
    assert f"`{judge.ALLOWED_MS}` milliseconds" in ids["rules"]
    assert f"`{int(judge.ENOUGH * judge.RUNS)}` of the `{judge.RUNS}` runs" in ids["rules"]
