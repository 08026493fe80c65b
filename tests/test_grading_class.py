"""A class of thirty, from good to hostile, graded to tables, twice with the same marks.

It is the trial assignment's class; ``python tests/a_class.py a2 --busy`` grades a real one.
"""

import csv
import html
import sys

import a_class
import platforms
import pytest
import trial_assignment

from tools.assignments import grade, sandbox

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs Linux or macOS")


@pytest.fixture(scope="module")
def grades(tmp_path_factory):
    base = tmp_path_factory.mktemp("class")
    built = trial_assignment.built(base)
    (base / "given").mkdir()
    kinds = a_class.class_of("a0", built, base / "given")
    tight = sandbox.Limits(cpu=30, cell=1, sleep=1, memory=1000, output=1, processes=20)
    with pytest.MonkeyPatch.context() as patch:
        real = sandbox.run
        patch.setattr(
            sandbox, "run", lambda notebook, autograder: real(notebook, autograder, tight)
        )
        both = [
            grade.folder(base / "given", base / str(i), built=built, workers=2 - i)
            for i in range(2)
        ]
    return kinds, both, base / "0"


def test_thirty_are_graded_twice_with_the_same_marks(grades):
    kinds, (once, again), _ = grades
    assert len(once) == len(kinds) >= 30
    assert a_class.marks(once) == a_class.marks(again)
    assert [row["fault"] for row in once] == [row["fault"] for row in again]
    assert not any(row["fault"] == "grader" for row in once)


def test_each_kind_gets_what_it_deserves(grades):
    kinds, (rows, _), _ = grades
    got = a_class.by_kind(kinds, a_class.marks(rows))
    assert set(got["good"]) == set(got["style"]) == {3.0}
    assert set(got["half"]) == {1.0} and set(got["strategic"]) == {1.0}
    assert max(got["careless"]) < 3 and set(got["hostile"]) == {0.0}
    assert set(got["broken"]) == {None}


def test_the_teacher_is_told_of_tampering(grades):
    signs = {row["student"]: " ".join(row["signs"]) for row in grades[1][0]}
    for what, (_, sign) in a_class.HOSTILE.items():
        assert sign in signs[f"hostile-{what}"], what
    assert not any(
        told
        for student, told in signs.items()
        if student.startswith(("good", "style", "half", "careless"))
    )
    page = html.unescape((grades[2] / "class.html").read_text())
    assert "hostile-patches-tests" in page.split("Which checks fail most")[0]


def test_tables_hold_the_whole_class(grades):
    kinds, _, out = grades
    for name in ("grades.csv", "canvas.csv", "class.csv", "by-hand.csv"):
        lines = list(csv.reader((out / name).open()))
        students = {line[0] for line in lines} & set(kinds)
        graded = (
            set(kinds)
            if name != "by-hand.csv"
            else {row["student"] for row in grades[1][0] if row["by_hand"]}
        )
        assert students == graded, name
    assert len(list((out / "feedback").glob("*.html"))) == len(kinds)


def test_platforms_take_the_class(grades, tmp_path):
    """Once the points by hand are in; the results are those of the run before. (Last, since it
    fills in what the others find empty.)"""
    kinds, (rows, _), out = grades
    lines = list(csv.DictReader((out / "by-hand.csv").open()))
    with (out / "by-hand.csv").open("w") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(line | {"Points": 2} for line in lines)
    numbers = {row["student"]: row["number"] for row in rows}
    (tmp_path / "sheet.csv").write_text(
        platforms.MOODLE
        + "".join(f"Participant {n},{who},,,,5.00,Yes,-,-,\n" for who, n in numbers.items())
    )
    given, built = out.parent / "given", out.parent / "built"
    rows = grade.folder(given, out, "a0", built, tmp_path / "sheet.csv", workers=1)
    wanted = {row["number"]: row["score"] + 2 for row in rows if row["score"] is not None}
    sheet, book = ((out / name).read_text() for name in ("moodle-worksheet.csv", "canvas.csv"))
    assert len(wanted) >= 20 and set(numbers) == set(kinds)
    assert platforms.moodle_takes(sheet, set(numbers.values()), 5) == wanted
    assert platforms.canvas_takes(book, set(numbers.values())) == wanted
