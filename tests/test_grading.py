"""Grading a folder: what submissions may look like, tables, reports, resuming."""

import csv
import json
import sys

import nbformat
import pytest
import trial_assignment

from tools.assignments import (
    AssignmentError,
    __main__,
    build,
    grade,
    prove,
    report,
    sandbox,
    submissions,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs Linux or macOS")
NAME = "a0_trial"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return trial_assignment.built(tmp_path_factory.mktemp("trial"))


@pytest.fixture(scope="module")
def autograder(out):
    return build.load("a0", out)


@pytest.fixture(scope="module")
def key(out):
    return (out / NAME / "autograder/key.ipynb").read_text()


@pytest.fixture(scope="module")
def student(out):
    return (out / NAME / "student" / f"{NAME}.ipynb").read_text()


def changed(text, **changes):
    content = json.loads(text)
    content.update(changes)
    return json.dumps(content)


def without_setup(text):
    content = json.loads(text)
    content["cells"] = [cell for cell in content["cells"] if cell["id"] != "setup"]
    return json.dumps(content)


@pytest.mark.parametrize(
    "name, make, sentence",
    [
        ("x.ipynb", lambda key: "", "the file is empty"),
        ("x.ipynb", lambda key: "<html></html>", "the file is no notebook, or only a part of one"),
        ("x.ipynb", lambda key: key[:-40], "the file is no notebook, or only a part of one"),
        ("x.ipynb", lambda key: "\xff\xfe\x00", "the file is no notebook"),
        ("x.ipynb", lambda key: '{"a": 1}', "the file is JSON, but no notebook"),
        ("x.ipynb", lambda key: '{"cells": 3}', "the notebook cannot be read"),
        ("x.ipynb", lambda key: changed(key, cells=[]), "the notebook has no code"),
        (
            "x.ipynb",
            lambda key: changed(without_setup(key), metadata={}),
            "has lost the metadata and",
        ),
        (
            "x.ipynb",
            lambda key: key.replace('"a0"', '"a9"'),
            "it was written for assignment a9, of which there is no autograder here",
        ),
        ("x.pdf", lambda key: "%PDF", "x.pdf is not a notebook: its name ends in '.pdf'"),
    ],
)
def test_bad_files_are_told_in_a_sentence(tmp_path, key, name, make, sentence):
    (tmp_path / name).write_text(make(key), encoding="latin-1")
    read = submissions.read(submissions.find(tmp_path)[0], "", {"a0": "e"})
    assert sentence in read.problem


def test_another_assignment_is_told(tmp_path, key):
    (tmp_path / "x.ipynb").write_text(key)
    read = submissions.read(submissions.find(tmp_path)[0], "a1", {"a0": "e", "a1": "f"})
    assert "it was written for assignment a0, not for a1" in read.problem


def test_what_can_be_graded_is_graded_with_a_note(tmp_path, key, autograder):
    (tmp_path / "x.ipynb").write_text(changed(key, metadata={}))
    (tmp_path / "y.ipynb").write_text(changed(without_setup(key), metadata={}))
    editions = {"a0": autograder["edition"]}
    one, other = (submissions.read(found, "a0", editions) for found in submissions.find(tmp_path))
    assert one.problem == other.problem == "" and one.assignment == other.assignment == "a0"
    assert "saved without outputs" in one.notes[0] and "lost its metadata" in one.notes[1]
    assert "as the teacher says" in other.notes[1]
    other = submissions.read(submissions.find(tmp_path)[0], "", {"a0": "another"})
    assert "is graded with edition another" in other.notes[-1]


def test_old_notebooks_are_read(tmp_path, key):
    notebook = nbformat.reads(key, as_version=4)
    nbformat.write(nbformat.convert(notebook, 3), tmp_path / "x.ipynb")
    assert submissions.parsed(tmp_path / "x.ipynb").cells[0].source.startswith("# A0. Trial")


@pytest.mark.parametrize(
    "name, student, number, platform",
    [
        ("doejane_LATE_123_4567_a1_draw_once.ipynb", "doejane", "123", "canvas"),
        ("doejane_123_4567_hw-1.ipynb", "doejane", "123", "canvas"),
        ("Jane Doe_98_assignsubmission_file_a1.ipynb", "Jane Doe", "98", "moodle"),
        ("jane_a1_draw_once.ipynb", "jane", "", ""),
        ("jane.ipynb", "jane", "", ""),
        ("a1_draw_once.ipynb", "a1_draw_once", "", ""),
    ],
)
def test_names_of_platforms_are_read(tmp_path, name, student, number, platform):
    (tmp_path / name).write_text("{}")
    found = submissions.find(tmp_path)[0]
    assert (found.student, found.number, found.platform) == (student, number, platform)


def test_folders_of_students_are_read(tmp_path):
    for name in (
        "Jane Doe_98_assignsubmission_file_/a.ipynb",
        "ann/.ipynb_checkpoints/b.ipynb",
        "ann/a.ipynb",
        "ann/notes.txt",
        "__MACOSX/x.ipynb",
        "bob/notes.txt",
        ".x/y.ipynb",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    (tmp_path / "carol").mkdir()
    found = [(one.student, one.path.name, one.problem) for one in submissions.find(tmp_path)]
    assert found == [
        ("Jane Doe", "a.ipynb", ""),
        ("ann", "a.ipynb", ""),
        ("bob", "notes.txt", ""),
        ("carol", "carol", "the folder is empty: nothing was handed in"),
    ]


@pytest.fixture(scope="module")
def graded(tmp_path_factory, out, key, student):
    """A teacher's folder: good, half, broken and odd ones; graded, with the folder of grades."""
    folder, grades = tmp_path_factory.mktemp("given"), tmp_path_factory.mktemp("grades")
    half = {"q1": "def double(x):\n    return abs(x) * 2"}
    renamed = {"q1": "def twice(x):\n    return x * 2"}
    (folder / "=good.ipynb").write_text(key)
    (folder / "Half Way_5_assignsubmission_file_a.ipynb").write_text(prove.replaced(key, half))
    broken = {"q1": "import os\nos._exit(1)"}
    (folder / "broken_7_8_a.ipynb").write_text(prove.replaced(key, broken))
    (folder / "empty.ipynb").write_text("")
    (folder / "renamed.ipynb").write_text(prove.replaced(key, renamed))
    for name in ("one", "two"):
        (folder / "twin").mkdir(exist_ok=True)
        (folder / "twin" / f"{name}.ipynb").write_text(key)
    return grade.folder(folder, grades, built=out), folder, grades


def test_grading_continues_past_broken_ones(graded):
    rows, _, _ = graded
    assert [(row["student"], row["score"], bool(row["problem"])) for row in rows] == [
        ("=good", 3, False),
        ("Half Way", 1, False),
        ("broken", 0, True),
        ("empty", 0, True),
        ("renamed", 0, False),
        ("twin", 0, True),
        ("twin", 0, True),
    ]
    assert "there are 2 notebooks of this student, one.ipynb and two.ipynb" in rows[-1]["problem"]
    assert "q1: there is no `double` in the notebook. Was it renamed?" in rows[4]["notes"]


def test_table_is_what_platforms_import(graded):
    lines = list(csv.DictReader((graded[2] / "grades.csv").open()))
    assert list(lines[0]) == report.COLUMNS
    assert [line["Identifier"] for line in lines[:3]] == ["'=good", "Participant 5", "7"]
    assert [line["Grade"] for line in lines[:4]] == ["3", "1", "0", "0"]
    assert {line["Maximum Grade"] for line in lines[:3]} == {"3"}
    assert {line["Marked by hand"] for line in lines[:3]} == {"2"}
    assert lines[2]["Feedback comments"].startswith("Not graded: it ended itself (exit code 1)")
    assert lines[1]["Feedback comments"].startswith("q1 1/3")
    canvas = list(csv.reader((graded[2] / "canvas.csv").open()))
    assert canvas[0] == [*report.CANVAS, "A0. Trial"]
    assert canvas[1] == ["Points Possible", "", "", "", "", "3"]
    assert ["broken", "7", "", "", "", "0"] in canvas
    assert ["twin", "", "", "twin", "", "0"] in canvas


def test_reports_help_and_hide(graded):
    texts = {path.stem: path.read_text() for path in (graded[2] / "reports").glob("*.md")}
    half = texts["Half-Way-a0"]
    assert "**1 of 3 points**" in half and "A negative number is not doubled." in half
    assert "-14" not in half and "test_negative" not in half
    assert "## q2, marked by hand\n\n_Type your answer here" in half
    assert "Two is not doubled." in texts["renamed-a0"] and "it's not 4" not in half
    assert "**Nothing could be graded:** the file is empty" in texts["empty-unknown"]
    assert len(texts) == 7


def test_grading_resumes(graded, out, student, monkeypatch, capsys):
    """What is graded is taken as it is; a changed notebook or autograder is graded again."""
    rows, folder, grades = graded
    runs, real = [], sandbox.run
    monkeypatch.setattr(sandbox, "run", lambda *given: runs.append(given) or real(*given))
    again = grade.folder(folder, grades, built=out)
    assert [row["score"] for row in again] == [row["score"] for row in rows] and runs == []
    assert "with your rights" in capsys.readouterr().out
    (folder / "empty.ipynb").write_text(student)
    grade.folder(folder, grades, built=out)
    assert len(runs) == 1
    monkeypatch.setattr(
        build,
        "load",
        lambda *given, load=build.load: load(*given) | {"tests": {"q1": "name = 'q1'"}},
    )
    monkeypatch.setattr(
        sandbox,
        "run",
        lambda *given: (
            runs.append(given) or {"reason": "", "questions": {}, "errors": [], "names": []}
        ),
    )
    grade.folder(folder, grades, built=out)
    assert len(runs) == 6


def test_interrupted_grading_keeps_its_table(out, key, tmp_path, monkeypatch):
    for name in ("ann", "bob"):
        (tmp_path / f"{name}.ipynb").write_text(prove.replaced(key, {"q1": f"name = {name!r}"}))

    def stop_at_bob(notebook, *given):
        if "name = 'bob'" in notebook:
            raise KeyboardInterrupt
        return {"reason": "", "questions": {}, "errors": [], "names": []}

    monkeypatch.setattr(sandbox, "run", stop_at_bob)
    with pytest.raises(KeyboardInterrupt):
        grade.folder(tmp_path, tmp_path / "grades", built=out)
    assert [
        line["Full name"] for line in csv.DictReader((tmp_path / "grades" / "grades.csv").open())
    ] == ["ann"]


@pytest.mark.parametrize(
    "given, built, sentence",
    [
        ("nowhere", "built", "which is no folder"),
        ("empty", "built", "which holds nothing to grade"),
        ("full", "unbuilt", "run `make assignments` first"),
    ],
)
def test_teachers_mistakes_are_told(tmp_path, out, key, given, built, sentence):
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x.ipynb").write_text(key)
    with pytest.raises(SystemExit, match=sentence):
        __main__.main(
            [
                "grade",
                str(tmp_path / given),
                "--out",
                str(tmp_path / "grades"),
                "--built",
                str(out if built == "built" else tmp_path),
            ]
        )
    with pytest.raises(AssignmentError, match="no autograder of 'a3'"):
        grade.folder(tmp_path / "full", tmp_path / "grades", "a3", out)
