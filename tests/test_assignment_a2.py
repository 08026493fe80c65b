"""Assignment A2, the bug clinic: its pool of cases, its marks, its variants.

Questions are graded in this process, by the tests that stand in the master.
"""

import inspect
import random
import re
from pathlib import Path

import pytest
import torch
import yaml

from assignments.answers.a2 import WRONG
from assignments.variants import a2
from tools import course

MASTER = course.read(a2.MASTER)
POINTS = {f"q{2 * i + 1}": 3.0 for i in range(a2.SLOTS)} | {
    f"q{2 * i + 2}": 2.0 for i in range(a2.SLOTS)
}
BINDING = [
    (name, flip)
    for name in a2.CASES
    for flip in ((False, True) if hasattr(a2.judge.case(name), "FLIP") else (False,))
]
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
    monkeypatch.setattr(judge, "ENOUGH", 4)


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
        else:
            exec(source, env)
    return marks


def untouched(source):
    """What a student finds in place of a solution."""
    return re.sub(r"# BEGIN SOLUTION.*# END SOLUTION", "...", source, flags=re.DOTALL)


def solutions(cells):
    return {name: cells[f"{name}-solution"] for name in POINTS}


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


def test_key_gets_full_marks(judge):
    assert graded() == POINTS


def test_untouched_copy_gets_nothing(judge):
    cells = {cell.id: cell.source for cell in MASTER.cells}
    empty = {name: untouched(source) for name, source in solutions(cells).items()}
    assert sum(graded(empty).values()) == 0


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answers_get_their_marks(judge, name):
    answers = WRONG[name]["answers"]
    got = sum(POINTS.values()) - sum(POINTS[question] for question in answers)
    got += sum(graded(answers, questions=answers).values())
    assert got == WRONG[name]["marks"]


def test_specimen_is_no_fix(judge):
    cells = {cell.id: cell.source for cell in MASTER.cells}
    copied = {
        f"q{2 * i}": cells[f"case-{i}-specimen"].replace(f"specimen_{i}", f"fixed_{i}")
        for i in range(1, a2.SLOTS + 1)
    }
    assert sum(graded(copied, questions=copied).values()) == 0


@pytest.mark.parametrize("secret", ["one", "two"])
def test_variant(judge, quick, secret):
    """Its own key gets full marks. The published one gets none by position; moved to the cases
    that it answers, it still doesn't get all, since a convention is another one."""
    slots = a2.draw_slots(random.Random(secret))
    cells = a2.draw(random.Random(secret))
    assert graded(cells=cells) == POINTS
    published = solutions(a2.cells(a2.PUBLISHED))
    assert sum(graded(published, cells).values()) < sum(POINTS.values()) / 2
    moved = solutions(cells)
    for i, slot in enumerate(slots, 1):
        for j, other in enumerate(a2.PUBLISHED, 1):
            if slot.name == other.name:
                for old, new in ((2 * j - 1, 2 * i - 1), (2 * j, 2 * i)):
                    source = published[f"q{old}"].replace(f"test_case_{j}", f"test_case_{i}")
                    moved[f"q{new}"] = source.replace(f"fixed_{j}", f"fixed_{i}")
    assert sum(graded(moved, cells).values()) < sum(POINTS.values())


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
    assert judge.outcome(lambda mix: mix(), judge.isolated(inside, 0)).startswith("breaks: Type")


def test_slow_tests_are_stopped(judge, monkeypatch):
    monkeypatch.setattr(judge, "SECONDS", 0.05)
    monkeypatch.setattr(judge, "RUNS", 3)

    def slow(mix):
        while judge.time.process_time() < start + 0.2:
            pass

    start = judge.time.process_time()
    with pytest.raises(AssertionError, match="more than"):
        judge.Verdict(slow, "pairing", "inverse", "complement")
    assert judge.time.process_time() < start + 1
