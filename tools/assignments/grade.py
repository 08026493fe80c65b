"""Grades a folder of submissions into tables, feedback for each student and a page for the teacher.

A submission can stop neither the next one nor the grader: whatever happens is told in its row.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import queue
import re
import threading
from pathlib import Path

from tqdm import tqdm

from tools import course
from tools.assignments import (
    OUT,
    AssignmentError,
    build,
    leaks,
    prove,
    report,
    runner,
    sandbox,
    submissions,
    warden,
)

WARNING = """\
Submissions are other people's code. Here they run with limits on time, memory, output, disk and
processes, in temporary folders, but with your rights: they can read your files and use the network.
For submissions that you do not trust, use the container of tools/assignments/Dockerfile, or an
account made for this and thrown away afterwards.
"""
# What an honest answer hardly ever needs, and a forger or a spy does.
SUSPICIOUS = {
    "looks for what the tests import": r"\bsupport\s*[./]|\bjudge\b|\bkey_(?:fix|test)\b",
    "touches the grading program": r"\botter\b(?!-grader)(?!\.Notebook)|\bChecker\b"
    r"|init_grading_mode",
    "walks through the memory of its process": r"gc\.get_(?:objects|referrers)"
    r"|sys\._getframe|\bctypes\b|inspect\.(?:stack|currentframe)",
    "reads where no data lie": r"/proc/|os\.environ|\.\./tests|_build/|instructor",
    "writes to open files by their numbers": r"os\.(?:write|fdopen|dup2?)\(|_exit\(",
}
BY_HAND = ["Student", "Number", "Assignment", "Question", "Maximum", "Points"]


def folder(
    given: Path,
    out: Path,
    assignment: str = "",
    built: Path = OUT,
    worksheet: Path | None = None,
    workers: int | None = None,
    groups: Path | None = None,
) -> list[dict]:
    """Grades everything in a folder; what was graded and has not changed is taken as it is.

    Args:
        given: The submissions.
        out: Where the tables, ``feedback/``, ``code/`` and ``results/`` go.
        assignment: Short name, if all are for one; else each notebook says what it is.
        built: The folder of built assignments.
        worksheet: Moodle's own grading worksheet, as downloaded; a copy is filled in.
        workers: How many submissions run side by side; as many as there are cores if None.
        groups: A table that says who is in which group: each member gets a row.

    Returns:
        The rows, one for each student and assignment.

    Raises:
        AssignmentError: Nothing to grade, or nothing to grade it with; or a worksheet that the
            grades do not fit.
    """
    manifests = built.glob("*/autograder/manifest.json")
    names = [path.parents[1].name.split("_")[0] for path in manifests]
    autograders = {name: build.load(name, built) for name in sorted(names)}
    if assignment or not autograders:
        build.load(assignment or "a1", built)  # says what is missing
    sheet = report.Worksheet(worksheet) if worksheet else None
    found = submissions.find(given)
    if groups:
        found = submissions.spread(found, submissions.groups(groups))
    print(WARNING)
    for sub in ("results", "feedback", "code"):
        (out / sub).mkdir(parents=True, exist_ok=True)
    hand = by_hand(out / "by-hand.csv")
    taken: set[str] = set()
    names = [file_name(one, taken) for one in found]
    rows: dict[int, dict] = {}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

    def work(i: int) -> dict:
        return graded(found[i], assignment, autograders, out / "results")

    for i, row in tqdm(
        side_by_side(work, len(found), min(workers or cores, len(found))),
        total=len(found),
        unit="submission",
        disable=None,
    ):
        rows[i] = finished(row, names[i], hand, autograders, out)
        done = [rows[j] for j in sorted(rows)]
        report.tables(done, out)  # after each, so that an interruption loses nothing
    done = [rows[i] for i in sorted(rows)]
    compared(done)
    report.tables(done, out)
    write_by_hand(done, hand, out / "by-hand.csv")
    report.zips(done, out)
    if sheet:
        course.write(out / "moodle-worksheet.csv", sheet.filled(done))
    print(
        report.summary(done), f"Everything is in {out}; open {out / 'class.html'} first.", sep="\n"
    )
    return done


def side_by_side(function, count: int, workers: int):
    """Yields (i, function(i)) for each i below count, as they are finished."""
    if workers <= 1:
        yield from ((i, function(i)) for i in range(count))
        return
    waiting, results = queue.SimpleQueue(), queue.SimpleQueue()
    for i in range(count):
        waiting.put(i)

    def serve():
        try:
            while True:
                i = waiting.get_nowait()
                results.put((i, function(i), None))
        except queue.Empty:
            pass
        except BaseException as error:  # told to whoever waits
            results.put((None, None, error))
        finally:
            sandbox.close()

    # Daemons: an interrupted grader does not wait for them, and their wardens end with it.
    for _ in range(workers):
        threading.Thread(target=serve, daemon=True).start()
    for _ in range(count):
        i, result, error = results.get()
        if error is not None:
            raise error
        yield i, result


def graded(one: submissions.Submission, assignment: str, autograders: dict, results: Path) -> dict:
    """One submission's row. Whatever happens is told in it, and the next one follows."""
    row = {
        "student": one.student,
        "number": one.number,
        "platform": one.platform,
        "group": one.group,
        "file": submissions.clean(one.path.name),
        "original": one.path.name,
        "assignment": assignment,
        "late": one.late,
        "notes": [],
        "problem": "",
        "fault": "",
        "warning": "",
        "score": None,
        "possible": 0.0,
        "questions": {},
        "written": {},
        "errors": [],
        "signs": [],
        "identity": "",
        "code": "",
        "title": "",
        "by_hand": {},
    }
    try:
        submissions.read(one, assignment, autograders)
        row |= {"assignment": one.assignment, "warning": one.warning, "notes": list(one.notes)}
        if autograder := autograders.get(one.assignment):
            row |= {
                "title": autograder["title"],
                "possible": prove.full(autograder),
                "by_hand": {
                    name: float(facts["points"] or 0)
                    for name, facts in autograder["questions"].items()
                    if facts["manual"]
                },
            }
        if one.problem:
            return row | {"problem": one.problem, "fault": "submission"}
        return row | marked(one, autograder, row, results)
    except AssignmentError:
        raise
    except Exception as error:  # no fault of the student's: the teacher must look
        said = " ".join(submissions.clean(error).split())[:300]
        return row | {
            "problem": f"the grader failed ({type(error).__name__}: {said}): grade it again",
            "fault": "grader",
            "score": None,
        }


def marked(one: submissions.Submission, autograder: dict, row: dict, results: Path) -> dict:
    """What grading adds to a row. A result that could not be obtained is not stored."""
    stored = results / f"{key(one, autograder)}.json"
    result = known(stored)
    if result is None:
        result = sandbox.run(one.notebook, autograder)
        if result["fault"] != "grader":
            course.write(stored, json.dumps(result))
    secret = leaks.hidden_lines(autograder)
    return {
        "problem": result["reason"],
        "fault": result["fault"],
        "score": None if result["fault"] == "grader" else prove.marks(result),
        "questions": {
            name: shown(question, secret) for name, question in result["questions"].items()
        },
        "errors": [leaks.masked(error, secret) for error in result["errors"]],
        "signs": result["signs"] + suspicious(one.notebook, autograder),
        "identity": submissions.clean(result["identity"]),
        "written": {
            name: answer(one.notebook, facts)
            for name, facts in autograder["questions"].items()
            if facts["manual"]
        },
        "code": code(one.notebook, autograder),
        "notes": row["notes"] + missing(result, autograder),
    }


def known(stored: Path) -> dict | None:
    """A result of an earlier run, if it was written to its end."""
    try:
        result = json.loads(stored.read_text())
        return result if {"questions", "reason", "fault", "signs"} <= set(result) else None
    except (OSError, ValueError, TypeError):
        return None


def key(one: submissions.Submission, autograder: dict) -> str:
    """What a result depends on: the notebook, the tests, and the code that grades."""
    code = "".join(
        Path(module.__file__).read_text() for module in (sandbox, warden, runner, submissions)
    )
    parts = [
        one.notebook,
        autograder["edition"],
        code,
        json.dumps([autograder[name] for name in ("blocked", "limits", "tests")]),
        *sorted(f"{path} {text!r}" for path, text in autograder["support"].items()),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def shown(question: dict, secret: set[str]) -> dict:
    """A question's result; what a student may read of it holds no hidden test's text."""
    cases = [
        case
        | {
            "message": submissions.clean(case["message"] or ""),
            "told": leaks.masked(submissions.clean(case["told"]), secret),
            "detail": submissions.clean(case["detail"])
            if case["hidden"]
            else leaks.masked(submissions.clean(case["detail"]), secret),
        }
        for case in question["cases"]
    ]
    return question | {"cases": cases}


def missing(result: dict, autograder: dict) -> list[str]:
    """Functions that tests look for and the notebook does not define."""
    if result["reason"]:
        return []
    return [
        f"{question}: there is no `{name}` in the notebook. Was it renamed?"
        for question, facts in autograder["questions"].items()
        for name in facts["names"]
        if name not in result["names"]
    ]


def own_cells(notebook: str, autograder: dict) -> list[dict]:
    """The code cells that are not those of the student copy, nor a changed setup cell."""
    given, found = set(autograder["given"]), []
    for cell in json.loads(notebook)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and not submissions.SETUP.search(source):
            found += [cell] * (build.fingerprint(source) not in given)
    return found


def code(notebook: str, autograder: dict) -> str:
    """The student's own code, for a comparison with that of others."""
    return "\n\n\n".join("".join(cell["source"]) for cell in own_cells(notebook, autograder)) + "\n"


def suspicious(notebook: str, autograder: dict) -> list[str]:
    """What in the student's own code a teacher should look at. Not a proof of anything."""
    return [
        f"its code {what}: `{match[0]}`"
        for what, pattern in SUSPICIOUS.items()
        if (match := re.search(pattern, code(notebook, autograder)))
    ]


def answer(notebook: str, facts: dict) -> str:
    """The text of a written answer: by its cell's id, or else by the place where it was asked for,
    since tools drop ids."""
    cells = json.loads(notebook)["cells"]
    for cell in cells:
        if cell.get("id") == f"{facts['name']}-answer":
            return "".join(cell["source"])
    headings = set(facts["headings"])
    for i, cell in enumerate(cells):
        source = "".join(cell["source"])
        if not source.startswith(facts["asked"].splitlines()[0]):
            continue
        parts = [source.replace(facts["asked"], "").strip()] if facts["asked"] in source else []
        for after in cells[i + 1 :]:
            text = "".join(after["source"])
            if after["cell_type"] != "markdown" or text.split("\n")[0] in headings:
                break
            parts.append(text)
        return "\n\n".join(part for part in parts if part)
    return "(Not found where it was asked for: look into the notebook.)"


def file_name(one: submissions.Submission, taken: set[str]) -> str:
    """A name for a student's files: letters, digits, not too long, and no other student's."""
    base = re.sub(r"[^\w-]+", "-", one.student).strip("-") or "nameless"
    if len(base.encode()) > 100:
        base = (
            base.encode()[:80].decode(errors="ignore")
            + "-"
            + hashlib.sha256(one.student.encode()).hexdigest()[:8]
        )
    name, number = base, 2
    while name.lower() in taken:
        name, number = f"{base}-{number}", number + 1
    taken.add(name.lower())
    return name


def finished(row: dict, name: str, hand: dict, autograders: dict, out: Path) -> dict:
    """The row with points by hand, and its files written; what fails is told in the row."""
    points = {
        question: hand.get((row["student"], row["number"], row["assignment"], question))
        for question in row["by_hand"]
    }
    row |= {"hand": points, "name": name, "feedback": f"feedback/{report.feedback_name(row, name)}"}
    complete = row["score"] is not None and None not in points.values()
    row["total"] = row["score"] + sum(points.values()) if complete else None
    try:
        course.write(out / row["feedback"], report.page(report.text(row), row["title"]))
        if row["code"].strip():
            course.write(out / "code" / f"{name}-{row['assignment']}.py", row["code"])
    except (OSError, ValueError) as error:
        row["notes"].append(f"Its files could not be written ({type(error).__name__}: {error}).")
    return row


def compared(rows: list[dict]) -> None:
    """Signs that show only beside the others: whose data a study used."""
    for row in rows:
        identity = row["identity"].strip().lower()
        if not identity:
            continue
        others = [
            other["student"]
            for other in rows
            if other is not row
            and not (row["group"] and other["group"] == row["group"])
            and other["assignment"] == row["assignment"]
            and other["identity"].strip().lower() == identity
        ]
        if others:
            row["signs"].append(f"it names itself {row['identity']!r}, as do: {', '.join(others)}")
        people = [other for other in rows if row["group"] and other["group"] == row["group"]]
        words = [
            word
            for one in people or [row]
            for word in re.findall(r"\w+", f"{one['student']} {one['number']}".lower())
        ]
        if not any(word in identity for word in words if len(word) > 1):
            row["signs"].append(
                f"it names itself {row['identity']!r}, which is neither the "
                "student's name nor the number"
            )


def by_hand(path: Path) -> dict[tuple, float | None]:
    """The points that a teacher has filled in, by student, number, assignment and question.

    Raises:
        AssignmentError: Points that are no number of the right size.
    """
    found = {}
    try:
        lines = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except OSError:
        return {}
    for line in lines:
        given = (line.get("Points") or "").strip().replace(",", ".")
        place = tuple(report.unsafe(line.get(name) or "") for name in BY_HAND[:4])
        try:
            points = float(given) if given else None
        except ValueError:
            points = -1.0
        if points is not None and not 0 <= points <= float(line["Maximum"]):
            raise AssignmentError(
                f"{path} gives {place[0]} {given!r} points for {place[3]}; valid "
                f"is a number from 0 to {line['Maximum']}, or nothing"
            )
        found[place] = points
    return found


def write_by_hand(rows: list[dict], hand: dict, path: Path) -> None:
    """The table that a teacher fills in; what was filled in stays, also of students who are not
    among these rows."""
    lines = {
        (row["student"], row["number"], row["assignment"], question): possible
        for row in rows
        for question, possible in row["by_hand"].items()
    }
    if not lines and not hand:
        return
    old = {
        place: points for place, points in hand.items() if place not in lines and points is not None
    }
    course.write(
        path,
        report.written(
            [BY_HAND]
            + [
                [*place, report.number(possible), report.number(hand.get(place))]
                for place, possible in lines.items()
            ]
            + [
                [*place, report.number(points), report.number(points)]
                for place, points in old.items()
            ]
        ),
    )
