"""Grading a folder: what submissions may look like, tables, reports, resuming."""

import csv
import html
import json
import os
import re
import sys
import time
import zipfile

import nbformat
import platforms
import pytest
import trial_assignment

from tools.assignments import (
    AssignmentError,
    __main__,
    build,
    grade,
    prove,
    report,
    runner,
    sandbox,
    submissions,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs Linux or macOS")
NAME = "a0_trial"
EDITIONS = {name: {"edition": "another", "kind": "variant-1"} for name in ("a0", "a1")}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return trial_assignment.built(tmp_path_factory.mktemp("trial"))


@pytest.fixture(scope="module")
def autograder(out):
    return build.load("a0", out)


@pytest.fixture(scope="module")
def key(out):
    return (out / NAME / "instructor" / f"{NAME}_key.ipynb").read_text()


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
    read = submissions.read(submissions.find(tmp_path)[0], "", EDITIONS)
    assert sentence in read.problem


def test_another_assignment_is_told(tmp_path, key):
    (tmp_path / "x.ipynb").write_text(key)
    read = submissions.read(submissions.find(tmp_path)[0], "a1", EDITIONS)
    assert "it was written for assignment a0, not for a1" in read.problem


def test_what_can_be_graded_is_graded_with_a_note(tmp_path, key, autograder):
    (tmp_path / "x.ipynb").write_text(changed(key, metadata={}))
    (tmp_path / "y.ipynb").write_text(changed(without_setup(key), metadata={}))
    one, other = (
        submissions.read(found, "a0", {"a0": autograder}) for found in submissions.find(tmp_path)
    )
    assert one.problem == other.problem == "" and one.assignment == other.assignment == "a0"
    assert "saved without outputs" in one.notes[0] and "lost its metadata" in one.notes[1]
    assert "as the teacher says" in other.notes[1]
    other = submissions.read(submissions.find(tmp_path)[0], "", EDITIONS)
    assert "(variant-1, another)" in other.warning and "Was the right file" in other.warning


def test_old_notebooks_are_read(tmp_path, key):
    notebook = nbformat.reads(key, as_version=4)
    nbformat.write(nbformat.convert(notebook, 3), tmp_path / "x.ipynb")
    assert submissions.parsed(tmp_path / "x.ipynb").cells[0].source.startswith("# A0. Trial")


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        [],
        "text",
        3,
        {"assignment": None},
        {"assignment": "a0"},
        {"assignment": {"name": 7}},
        {"otter": [1]},
        {"kernelspec": None},
    ],
)
def test_odd_metadata_is_harmless(tmp_path, key, autograder, metadata):
    content = json.loads(key)
    content["cells"][2]["metadata"] = metadata
    (tmp_path / "x.ipynb").write_text(json.dumps(content | {"metadata": metadata}))
    read = submissions.read(submissions.find(tmp_path)[0], "", {"a0": autograder})
    assert read.problem == "" and read.assignment == "a0"


def test_odd_text_is_cleaned(tmp_path, key, autograder):
    """Lone surrogates and control characters, which no file and no table holds."""
    content = json.loads(key)
    content["cells"][0]["source"] += "\ud800 \x00 \x1b"
    (tmp_path / "x.ipynb").write_text(json.dumps(content))
    read = submissions.read(submissions.find(tmp_path)[0], "", {"a0": autograder})
    assert read.problem == "" and read.notebook.encode()
    assert prove.marks(sandbox.run(read.notebook, autograder)) == 3


def test_only_regular_files_are_read_and_not_too_much_of_them(tmp_path, key):
    (tmp_path / "good.ipynb").write_text(key)
    os.mkfifo(tmp_path / "pipe.ipynb")
    for name, target in (("link", "good.ipynb"), ("zero", "/dev/zero"), ("lost", "nowhere")):
        (tmp_path / f"{name}.ipynb").symlink_to(target)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "up").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "folder" / "pipe.ipynb")
    with open(tmp_path / "large.ipynb", "wb") as file:
        file.truncate(2**40)  # a hole: it takes no space
    began = time.monotonic()
    found = {
        one.student: submissions.read(one, "", EDITIONS).problem
        for one in submissions.find(tmp_path)
    }
    assert time.monotonic() - began < 5
    assert found.pop("good") == ""
    assert "valid is up to 20" in found.pop("large")
    assert all("no regular file" in problem for problem in found.values()), found
    assert set(found) == {"pipe", "link", "zero", "lost", "folder"}


@pytest.mark.parametrize(
    "name, student, number, platform",
    [
        ("doejane_LATE_123_4567_a1_draw_once.ipynb", "doejane", "123", "canvas"),
        ("doejane_123_4567_hw-1.ipynb", "doejane", "123", "canvas"),
        ("LATE_anon_r0xsR_4567_a1.ipynb", "anon_r0xsR", "r0xsR", "canvas"),
        ("Jane Doe_98_assignsubmission_file_a1.ipynb", "Jane Doe", "98", "moodle"),
        ("Participant_98_assignsubmission_file_a1.ipynb", "Participant", "98", "moodle"),
        ("Group A_7_assignsubmission_file_a1.ipynb", "Group A", "7", "moodle"),
        ("Default group_assignsubmission_file_a1.ipynb", "Default group", "", "moodle"),
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
        "John Doe_99_assignsubmission_file/b.ipynb",
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
        ("John Doe", "b.ipynb", ""),
        ("ann", "a.ipynb", ""),
        ("bob", "notes.txt", ""),
        ("carol", "carol", "the folder is empty: nothing was handed in"),
    ]


def test_several_files_of_one_student_are_one_submission(tmp_path, key):
    """As Moodle's flat download and Canvas have them; one for each assignment."""
    other = key.replace('"a0"', '"a9"')
    for name, text in {
        "Jane Doe_98_assignsubmission_file_a0.ipynb": key,
        "Jane Doe_98_assignsubmission_file_picture.png": "",
        "Jane Doe_98_assignsubmission_onlinetext_onlinetext.html": "",
        "Jane Doe_99_assignsubmission_file_a0.ipynb": key,
        "roe_7_70_a0.ipynb": key,
        "roe_LATE_7_71_a0-1.ipynb": key,
        "poe_8_80_a0.ipynb": key,
        "poe_8_81_b.ipynb": key + " ",
        "zoe_9_90_a0.ipynb": key,
        "zoe_9_91_a9.ipynb": other,
    }.items():
        (tmp_path / name).write_text(text)
    found = {(one.student, one.number, one.path.name): one for one in submissions.find(tmp_path)}
    assert list(found) == [
        ("Jane Doe", "98", "Jane Doe_98_assignsubmission_file_a0.ipynb"),
        ("Jane Doe", "99", "Jane Doe_99_assignsubmission_file_a0.ipynb"),
        ("poe", "8", "poe_8_80_a0.ipynb"),
        ("roe", "7", "roe_7_70_a0.ipynb"),
        ("zoe", "9", "zoe_9_90_a0.ipynb"),
        ("zoe", "9", "zoe_9_91_a9.ipynb"),
    ]
    jane, _, poe, roe, *_ = found.values()
    assert "Of 3 files this one was graded" in jane.notes[0] and not jane.problem
    assert "there are 2 notebooks" in poe.problem
    assert roe.late and not roe.problem and "are the same" in roe.notes[0]


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
        (folder / "twin" / f"{name}.ipynb").write_text(key + " " * (name == "two"))
    return grade.folder(folder, grades, built=out, workers=1), folder, grades


def test_grading_continues_past_broken_ones(graded):
    rows, _, _ = graded
    assert [(row["student"], row["score"], row["fault"]) for row in rows] == [
        ("=good", 3, ""),
        ("Half Way", 1, ""),
        ("broken", 0, "submission"),
        ("empty", None, "submission"),
        ("renamed", 0, ""),
        ("twin", None, "submission"),
    ]
    assert "there are 2 notebooks of this student, one.ipynb and two.ipynb" in rows[-1]["problem"]
    assert "q1: there is no `double` in the notebook. Was it renamed?" in rows[4]["notes"]


def test_what_could_not_be_graded_has_an_empty_grade(graded):
    lines = {line["Student"]: line for line in csv.DictReader((graded[2] / "grades.csv").open())}
    assert list(lines["broken"]) == report.COLUMNS and "'=good" in lines
    waits, bare = "marks by hand are missing", "not graded: student"
    assert {name: (line["Tests"], line["Status"]) for name, line in lines.items()} == {
        "'=good": ("3", waits),
        "Half Way": ("1", waits),
        "broken": ("0", waits),
        "empty": ("", bare),
        "renamed": ("0", waits),
        "twin": ("", bare),
    }
    assert {line["Total"] for line in lines.values()} == {""}
    assert lines["broken"]["Maximum"] == "5"
    assert "it ended itself (exit code 1)" in lines["broken"]["Look at"]


def test_marks_by_hand_come_into_the_total(graded, out):
    _, folder, grades = graded
    lines = list(csv.DictReader((grades / "by-hand.csv").open()))
    assert {line["Points"] for line in lines} == {""} and lines[0]["Question"] == "q2"
    text = (grades / "by-hand.csv").read_text()
    filled = text.replace("Half Way,5,a0,q2,2,", 'Half Way,5,a0,q2,2,"1,5"')
    try:
        (grades / "by-hand.csv").write_text("\ufeff" + filled, encoding="utf-8")
        rows = grade.folder(folder, grades, built=out, workers=1)
        assert {row["student"]: row["total"] for row in rows if row["total"] is not None} == {
            "Half Way": 2.5
        }
        assert "Half Way,5,a0,q2,2,1.5" in (grades / "by-hand.csv").read_text()
        (grades / "by-hand.csv").write_text(filled.replace("1,5", "9"))
        with pytest.raises(AssignmentError, match="Half Way '9' points for q2; valid is a number"):
            grade.folder(folder, grades, built=out, workers=1)
    finally:
        (grades / "by-hand.csv").write_text(text)
        grade.folder(folder, grades, built=out, workers=1)  # for the tests that follow


def test_canvas_takes_its_table(graded):
    """A gradebook: the header's first columns, the points possible, one line per student."""
    canvas = list(csv.reader((graded[2] / "canvas.csv").open()))
    assert canvas[0] == [*report.CANVAS, "A0. Trial"]
    assert canvas[1] == ["Points Possible", "", "", "", "", "5"]
    assert ["broken", "7", "", "", "", ""] in canvas
    assert ["twin", "", "", "twin", "", ""] in canvas


def test_moodles_own_worksheet_is_filled_in(out, key, tmp_path):
    folder, grades = tmp_path / "given", tmp_path / "grades"
    folder.mkdir()
    half = prove.replaced(key, {"q1": "def double(x):\n    return abs(x) * 2"})
    (folder / "Half Way_5_assignsubmission_file_a.ipynb").write_text(half)
    (folder / "Participant_6_assignsubmission_file_a.ipynb").write_text(key)
    (folder / "jane.ipynb").write_text(key)
    (folder / "Lost File_8_assignsubmission_file_a.ipynb").write_text("")
    (folder / "Team One_3_assignsubmission_file_a.ipynb").write_text(key)
    (tmp_path / "groups.csv").write_text(
        "Group,Student,Number\nTeam One,Ada Able,10\nteam one,Ben Bold,\n"
    )
    dates = '"Friday, 27 November 2026, 5:00 PM","-"'
    sheet = platforms.MOODLE + "".join(
        f'Participant {number},{name},{name.split()[0].lower()}@x.org,"Submitted for grading - ",'
        f'"{grade}","5.00",Yes,{dates},"old"\n'
        for number, name, grade in (
            (5, "Half Way", ""),
            (6, "Zoë Ann", ""),
            (7, "Jane Doe", ""),
            (8, "Lost File", ""),
            (9, "Not There", "4.00"),
            (10, "Ada Able", ""),
            (11, "Ben Bold", ""),
        )
    )
    (tmp_path / "sheet.csv").write_text("\ufeff" + sheet, encoding="utf-8")
    (grades).mkdir()
    (grades / "by-hand.csv").write_text(
        "Student,Number,Assignment,Question,Maximum,Points\nHalf Way,5,a0,q2,2,0\n"
        "Participant,6,a0,q2,2,2\njane,,a0,q2,2,1\nAda Able,10,a0,q2,2,2\nBen Bold,,a0,q2,2,1\n"
    )
    rows = grade.folder(
        folder, grades, "a0", out, tmp_path / "sheet.csv", 1, tmp_path / "groups.csv"
    )
    assert {row["student"] for row in rows if row["group"] == "Team One"} == {
        "Ada Able",
        "Ben Bold",
    }
    canvas = [line[0] for line in csv.reader((grades / "canvas.csv").open())]
    assert "Ada Able" in canvas and "Ben Bold" in canvas and "Team One" not in canvas
    filled = (grades / "moodle-worksheet.csv").read_text()
    taken = platforms.moodle_takes(filled, {str(number) for number in range(5, 12)}, 5)
    assert taken == {"5": 1, "6": 5, "7": 4, "9": 4, "10": 5, "11": 4}
    old, new = (list(csv.reader(text.splitlines())) for text in (sheet, filled))
    changed = {
        (i, old[0][j])
        for i, lines in enumerate(zip(old, new))
        for j, (a, b) in enumerate(zip(*lines))
        if a != b
    }
    assert {name for _, name in changed} == {"Grade", "Feedback comments"}
    assert 5 not in {i for i, _ in changed} and len(new) == len(old)
    comments = {
        line["Identifier"]: line["Feedback comments"]
        for line in csv.DictReader(filled.splitlines())
    }
    assert comments["Participant 5"].startswith("q1 1/3; q2 0/2")
    assert "the file is empty" in comments["Participant 8"]

    for bad, sentence in (
        (sheet.replace("5.00", "100.00"), "Moodle's maximum grade is 100.00"),
        (sheet.replace("Participant 6,", "Participant 66,"), "does not have: Participant"),
        (sheet.replace("Last modified (grade)", "Zuletzt"), "has no column 'Last modified"),
    ):
        (tmp_path / "sheet.csv").write_text(bad)
        with pytest.raises(AssignmentError, match=re.escape(sentence)):
            grade.folder(folder, grades, "a0", out, tmp_path / "sheet.csv", 1)


def test_a_group_has_one_page_in_canvas_and_each_member_one_of_their_own(
    out, key, tmp_path, monkeypatch
):
    """Canvas names the file of a group after it, without blanks, and gives what is uploaded under
    that name to every member (its content_zipper.rb and generate_comments_from_files)."""
    folder, grades = tmp_path / "given", tmp_path / "grades"
    folder.mkdir(), grades.mkdir()
    (folder / "teamone_21_340_a0.ipynb").write_text(key)
    (folder / "lee_23_350_a0.ipynb").write_text(key)
    (tmp_path / "groups.csv").write_text(
        "Group,Student,Number\nTeam One,Ada Able,21\nTeam One,Ben Bold,22\n"
    )
    found = {"reason": "", "fault": "", "questions": {}, "errors": [], "names": [], "signs": []}
    monkeypatch.setattr(sandbox, "run", lambda *given: found | {"identity": ""})
    for points, told in ((("2", "1"), False), (("2", "2"), True)):
        (grades / "by-hand.csv").write_text(
            "Student,Number,Assignment,Question,Maximum,Points\n"
            f"Ada Able,21,a0,q2,2,{points[0]}\nBen Bold,22,a0,q2,2,{points[1]}\n"
        )
        grade.folder(folder, grades, "a0", out, workers=1, groups=tmp_path / "groups.csv")
        lines = {line[0]: line for line in csv.reader((grades / "canvas.csv").open())}
        assert [lines[name][1] for name in ("Ada Able", "Ben Bold", "lee")] == ["21", "22", "23"]
        pages = {path.name: path.read_text() for path in (grades / "feedback").iterdir()}
        assert set(pages) == {"Ada-Able.html", "Ben-Bold.html", "lee_23_350_a0.html"}
        assert f"{points[1]} points by hand" in pages["Ben-Bold.html"]
        with zipfile.ZipFile(grades / "feedback-canvas.zip") as archive:
            assert set(archive.namelist()) == {"teamone_21_340_a0.html", "lee_23_350_a0.html"}
            page = html.unescape(archive.read("teamone_21_340_a0.html").decode())
        assert ("2 points by hand" in page) == told
        assert ("each member's own" in page) != told


def test_feedback_helps_and_hides(graded):
    texts = {
        path.name: html.unescape(path.read_text())
        for path in (graded[2] / "feedback").glob("*.html")
    }
    half = texts["Half-Way_5_assignfeedback_file_feedback.html"]
    assert "1 of 3 points" in half and "A negative number is not doubled." in half
    assert "-14" not in half and "test_negative" not in half
    assert "Type your answer here" in half
    assert "Two is not doubled." in texts["renamed.html"] and "it's not 4" not in half
    assert "Nothing could be graded: the file is empty" in texts["empty.html"]
    assert "What was finished before counts." in texts["broken_7_8_a.html"]
    assert len(texts) == 6
    names = {
        platform: zipfile.ZipFile(graded[2] / f"feedback-{platform}.zip").namelist()
        for platform in ("moodle", "canvas")
    }
    # Moodle: name_number_plugintype_plugin_file. Canvas: the downloaded file's own name.
    (moodle,), (canvas,) = names.values()
    assert moodle.split("_", 4)[1:4] == ["5", "assignfeedback", "file"]
    assert canvas == "broken_7_8_a.html"


@pytest.mark.parametrize(
    "message, told",
    [
        ("Error at line 3\n  f(x)\nIndexError: 5 is too large", "It ended in a IndexError, not"),
        ("Error at line 3\n  assert f(x) == 7\nAssertionError: it is 8", ""),
        ("Told: Told to the student: It is slow.\nmore", "It is slow."),
    ],
)
def test_of_a_hidden_check_the_kind_of_error_is_told(message, told):
    assert runner.told(message).startswith(told) and bool(runner.told(message)) == bool(told)


def test_practice_that_was_left_out_is_one_line(graded):
    case = {"hidden": False, "points": 0, "passed": False, "message": "No.", "told": ""}
    question = {"score": 0, "possible": 0, "cases": [case | {"detail": "x"}] * 3}
    row = graded[0][0] | {"questions": {"q9": question}}
    assert "Nothing passes yet." in report.text(row)
    assert "failed" not in report.text(row) and "q9" not in report.teachers_text([row])
    question["cases"][0] = case | {"detail": "", "passed": True}
    assert "failed: No." in report.text(row)


def test_the_teachers_page_tells_what_failed(graded):
    page = html.unescape((graded[2] / "class.html").read_text())
    assert "Half Way" in page and "assert double(-7) == -14" in page
    assert "writes to open files by their numbers" in page  # os._exit
    lines = list(csv.reader((graded[2] / "class.csv").open()))
    assert lines[0] == ["Student", "Number", "a0 q1", "a0 q2", "Total"]
    assert lines[2] == ["Half Way", "5", "1", "", ""]
    assert [line[0] for line in lines[-4:]] == ["Mean", "Median", "Lowest", "Highest"]
    assert lines[-4][2] == "1.33" and lines[-1][2] == "3"


def test_answers_run_no_scripts_in_feedback(out, key, tmp_path):
    content = json.loads(key)
    cell = next(cell for cell in content["cells"] if cell["id"] == "q2-answer")
    cell["source"] = "<script>alert(1)</script> because of addition"
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "x.ipynb").write_text(json.dumps(content))
    grade.folder(tmp_path / "given", tmp_path / "grades", built=out, workers=1)
    page = (tmp_path / "grades/feedback/x.html").read_text()
    assert "<script" not in page and "because of addition" in page


@pytest.mark.parametrize("change", ["ids", "merged", "split"])
def test_written_answers_survive_without_ids(student, autograder, change):
    content = json.loads(student)
    at = next(i for i, cell in enumerate(content["cells"]) if cell["id"] == "q2-answer")
    content["cells"][at]["source"] = "It is repeated."
    if change == "merged":  # typed into the question's own cell
        content["cells"][at - 1]["source"] += "\n\nIt is repeated."
        del content["cells"][at]
    if change == "split":
        content["cells"].insert(at, {"cell_type": "markdown", "metadata": {}, "source": "I say:"})
    for i, cell in enumerate(content["cells"]):
        cell["id"] = f"cell-{i}"
    found = grade.answer(json.dumps(content), autograder["questions"]["q2"])
    assert found.strip() == ("I say:\n\n" if change == "split" else "") + "It is repeated."


def test_hidden_tests_do_not_come_back_in_feedback(out, student, tmp_path):
    """A check's frame holds the whole test file; what it tells is left out of a student's page."""
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "spy.ipynb").write_text(
        prove.replaced(
            student,
            {
                "q1": (
                    "def double(x):\n    import sys\n    frame = sys._getframe()\n"
                    "    while frame:\n"
                    "        file = frame.f_locals.get('self')\n"
                    "        if hasattr(file, 'source'):\n"
                    "            raise ValueError(file.source)\n        frame = frame.f_back\n"
                    "    raise ValueError('no')"
                )
            },
        )
    )
    rows = grade.folder(tmp_path / "given", tmp_path / "grades", built=out, workers=1)
    page = html.unescape((tmp_path / "grades/feedback/spy.html").read_text())
    assert "double(-7)" not in page and "text of a check that you do not see" in page
    assert any("walks through the memory" in sign for sign in rows[0]["signs"])


def test_grading_resumes(graded, out, student, monkeypatch, capsys):
    """What is graded is taken as it is; a changed notebook or autograder is graded again, and so
    is what could not be graded, or what a crash left half-written."""
    rows, folder, grades = graded
    runs, real = [], sandbox.run
    monkeypatch.setattr(sandbox, "run", lambda *given: runs.append(given) or real(*given))
    again = grade.folder(folder, grades, built=out, workers=1)
    assert [row["score"] for row in again] == [row["score"] for row in rows] and runs == []
    assert "with your rights" in capsys.readouterr().out
    stored = sorted((grades / "results").glob("*.json"))
    stored[0].write_text(stored[0].read_text()[:20])
    (folder / "empty.ipynb").write_text(student)
    grade.folder(folder, grades, built=out, workers=1)
    assert len(runs) == 2
    busy = {
        "reason": "the machine was too busy",
        "fault": "grader",
        "questions": {},
        "errors": [],
        "names": [],
        "identity": "",
        "signs": [],
    }
    monkeypatch.setattr(
        build,
        "load",
        lambda *given, load=build.load: load(*given) | {"tests": {"q1": "name = 'q1'"}},
    )
    monkeypatch.setattr(sandbox, "run", lambda *given: runs.append(given) or dict(busy))
    for count in (7, 12):
        rows = grade.folder(folder, grades, built=out, workers=1)
        assert len(runs) == count
    assert {(row["score"], row["fault"]) for row in rows} == {
        (None, "grader"),
        (None, "submission"),
    }
    assert "This is not your fault" in (grades / "feedback/renamed.html").read_text()


def test_interrupted_grading_keeps_its_table(out, key, tmp_path, monkeypatch):
    (tmp_path / "given").mkdir()
    for name in ("ann", "bob"):
        (tmp_path / "given" / f"{name}.ipynb").write_text(
            prove.replaced(key, {"q1": f"name = {name!r}"})
        )

    def stop_at_bob(notebook, *given):
        if "name = 'bob'" in notebook:
            raise KeyboardInterrupt
        return {
            "reason": "",
            "fault": "",
            "questions": {},
            "errors": [],
            "names": [],
            "identity": "",
            "signs": [],
        }

    monkeypatch.setattr(sandbox, "run", stop_at_bob)
    for workers in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            grade.folder(tmp_path / "given", tmp_path / "grades", built=out, workers=workers)
    assert [
        line["Student"] for line in csv.DictReader((tmp_path / "grades" / "grades.csv").open())
    ] == ["ann"]


@pytest.mark.parametrize("break_it", ["run", "read", "write"])
def test_a_failure_of_the_grader_stays_in_its_row(out, key, tmp_path, monkeypatch, break_it):
    """Around reading, grading and writing of each submission there is one catch."""
    (tmp_path / "given").mkdir()
    for name in ("ann", "bob"):
        (tmp_path / "given" / f"{name}.ipynb").write_text(
            prove.replaced(key, {"q1": f"name = {name!r}"})
        )
    place, name = {
        "run": (sandbox, "run"),
        "read": (submissions, "parsed"),
        "write": (grade, "code"),
    }[break_it]
    real = getattr(place, name)

    def broken(given, *more):
        if "ann" in str(given):
            raise RuntimeError("a fault of ours")
        return real(given, *more)

    monkeypatch.setattr(place, name, broken)
    rows = grade.folder(tmp_path / "given", tmp_path / "grades", built=out, workers=1)
    assert [(row["fault"], row["score"]) for row in rows] == [("grader", None), ("", 0.0)]
    assert "a fault of ours" in rows[0]["problem"]


def test_names_of_any_length_and_encoding(out, student, tmp_path):
    """A surrogate stands for a byte that is no UTF-8; a name may be as long as a file's."""
    given = tmp_path / "given"
    given.mkdir()
    names = [
        "x" * 240 + ".ipynb",
        "é\udcff.ipynb",
        "a/b".replace("/", "\n") + ".ipynb",
        "学生.ipynb",
        "....ipynb",
        "-.ipynb",
        "'.ipynb",
    ]
    for name in names:
        (given / name).write_text(student)
    rows = grade.folder(given, tmp_path / "grades", built=out, workers=1)
    assert len(rows) == len(names) - 1  # "....ipynb" is hidden
    assert all(
        row["score"] == 0 and (tmp_path / "grades" / row["feedback"]).exists() for row in rows
    )
    assert len(list(csv.reader((tmp_path / "grades/grades.csv").open()))) == len(rows) + 1


def test_other_editions_are_told_before_any_mark(out, key, tmp_path, capsys):
    content = json.loads(key)
    content["metadata"]["assignment"] |= {"edition": "deadbeef", "kind": "variant-123456"}
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "x.ipynb").write_text(json.dumps(content))
    rows = grade.folder(tmp_path / "given", tmp_path / "grades", built=out, workers=1)
    page = (tmp_path / "grades/feedback/x.html").read_text()
    assert page.index("notebook of another edition (variant-123456") < page.index("of 3 points")
    assert "ANOTHER EDITION: 1" in capsys.readouterr().out and rows[0]["score"] == 3


def test_who_a_study_names_is_compared(out, key, tmp_path):
    rows = [
        {
            "student": name,
            "group": "",
            "number": "",
            "assignment": "a3",
            "identity": told,
            "signs": [],
        }
        for name, told in (("Ann Lee", "ann lee"), ("bob", "somebody"), ("carol", "Ann Lee"))
    ]
    grade.compared(rows)
    assert "as do: carol" in rows[0]["signs"][0] and len(rows[0]["signs"]) == 1
    assert "neither the student's name" in rows[1]["signs"][0]
    assert len(rows[2]["signs"]) == 2


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


@pytest.mark.parametrize(
    "table, sentence",
    [
        ("Team,Student\nA,Ann\n", "valid are the columns Group and Student"),
        ("Group,Student\nA,\n", "valid are the columns Group and Student"),
        ("Group,Student\nA,Ann\nB,Ann\n", "has Ann in two groups, A and B"),
    ],
)
def test_a_table_of_groups_is_checked(tmp_path, table, sentence):
    (tmp_path / "groups.csv").write_text(table)
    with pytest.raises(AssignmentError, match=sentence):
        submissions.groups(tmp_path / "groups.csv")
