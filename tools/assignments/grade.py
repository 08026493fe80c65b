"""Grades a folder of submissions into one table and a report per student; resumes."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from tqdm import tqdm

from tools import course
from tools.assignments import OUT, AssignmentError, build, prove, report, sandbox, submissions

WARNING = """\
Submissions are other people's code. Here they run with limits on time, memory, output, disk and
processes, in temporary folders, but with your rights: they can read your files and use the network.
For submissions that you do not trust, use the container of tools/assignments/Dockerfile, or an
account made for this and thrown away afterwards.
"""


def folder(given: Path, out: Path, assignment: str = "", built: Path = OUT) -> list[dict]:
    """Grades everything in a folder; what was graded and has not changed is taken as it is.

    Args:
        given: The submissions.
        out: Where ``grades.csv``, ``canvas.csv``, ``reports/`` and ``results/`` go.
        assignment: Short name, if all are for one; else each notebook says what it is.
        built: The folder of built assignments.

    Returns:
        The rows, one for each submission.

    Raises:
        AssignmentError: Nothing to grade, or nothing to grade it with.
    """
    manifests = built.glob("*/autograder/manifest.json")
    names = [path.parents[1].name.split("_")[0] for path in manifests]
    autograders = {name: build.load(name, built) for name in sorted(names)}
    if assignment or not autograders:
        build.load(assignment or "a1", built)  # says what is missing
    found = submissions.find(given)
    print(WARNING)
    editions = {name: one["edition"] for name, one in autograders.items()}
    for one in found:
        submissions.read(one, assignment, editions)
    submissions.doubles(found)
    for sub in ("results", "reports"):
        (out / sub).mkdir(parents=True, exist_ok=True)
    rows, taken = [], set()
    for one in tqdm(found, unit="submission", disable=None):
        row = graded(one, autograders.get(one.assignment), out / "results")
        row["report"] = f"reports/{file_name(one, taken)}.md"
        course.write(out / row["report"], report.text(row))
        rows.append(row)
        report.tables(rows, out)  # after each, so that an interruption loses nothing
    print(
        report.summary(rows),
        f"Table: {out / 'grades.csv'}",
        f"Canvas: {out / 'canvas.csv'}",
        f"Reports: {out / 'reports'}",
        sep="\n",
    )
    return rows


def graded(one: submissions.Submission, autograder: dict | None, results: Path) -> dict:
    """One submission's row. Whatever happens, it is told in the row and the next one follows."""
    row = {
        "student": one.student,
        "number": one.number,
        "platform": one.platform,
        "file": one.path.name,
        "assignment": one.assignment,
        "notes": list(one.notes),
        "problem": one.problem,
        "score": 0.0,
        "possible": 0.0,
        "by_hand": 0.0,
        "questions": {},
        "written": {},
        "errors": [],
        "title": autograder["title"] if autograder else "",
    }
    if autograder:
        row["possible"] = prove.full(autograder)
        manual = {name: q["points"] for name, q in autograder["questions"].items() if q["manual"]}
        row["by_hand"] = float(sum(points for points in manual.values() if points))
    if one.problem:
        return row
    stored = results / f"{key(one, autograder)}.json"
    if stored.exists():
        result = json.loads(stored.read_text())
    else:
        try:
            result = sandbox.run(one.notebook, autograder)
        except AssignmentError:
            raise
        except Exception as error:  # not the student's fault: the teacher must look
            row["problem"] = f"the grader failed ({type(error).__name__}: {error}): grade it again"
            return row
        course.write(stored, json.dumps(result))
    row |= {
        "problem": result["reason"],
        "score": prove.marks(result),
        "questions": result["questions"],
        "errors": result["errors"],
        "written": {name: answer(one.notebook, name) for name in manual},
    }
    row["notes"] += missing(result, autograder)
    return row


def key(one: submissions.Submission, autograder: dict) -> str:
    """What a result depends on: the notebook, the tests, and the code that grades."""
    code = "".join(
        Path(module.__file__).read_text() for module in (sandbox, sandbox.runner, submissions)
    )
    parts = [
        one.notebook,
        autograder["edition"],
        code,
        *autograder["blocked"],
        *sorted(autograder["tests"].values()),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


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


def answer(notebook: str, question: str) -> str:
    """The text of a written answer, if it is still where it was."""
    for cell in json.loads(notebook)["cells"]:
        if cell.get("id") == f"{question}-answer":
            return "".join(cell["source"])
    return "(Not found where it was asked for: look into the notebook.)"


def file_name(one: submissions.Submission, taken: set[str]) -> str:
    """A name for the report: letters, digits, and no other student's."""
    base = re.sub(r"[^\w-]+", "-", f"{one.student}-{one.assignment or 'unknown'}").strip("-")
    name, number = base, 2
    while name.lower() in taken:
        name, number = f"{base}-{number}", number + 1
    taken.add(name.lower())
    return name
