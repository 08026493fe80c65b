"""Finds submissions in a folder, and reads each: a notebook, or a sentence that says what is wrong.

File and folder names are read as Canvas and Moodle write them, or plainly: one folder per student,
or one file per student, named after them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from tools.assignments import AssignmentError

# Canvas: lastnamefirstname_[LATE_]USERID_SUBMISSIONID_name.ipynb
CANVAS = re.compile(r"(?P<student>[^_/]+)_(?:LATE_)?(?P<id>\d+)_\d+_(?P<file>.+)")
# Moodle: "First Last_PARTICIPANT_assignsubmission_file_", a folder or the start of a file's name
MOODLE = re.compile(r"(?P<student>.+?)_(?P<id>\d+)_assignsubmission_file_?(?P<file>.*)")
SETUP = re.compile(r'^ASSIGNMENT = "(?P<name>\w+)"\s*# edition (?P<edition>\w+)', re.MULTILINE)
TOO_LARGE = 20 * 2**20  # bytes
PASSED_OVER = {"__MACOSX", "Thumbs.db", "desktop.ini"}


@dataclass
class Submission:
    """One file of one student."""

    student: str
    number: str  # the learning platform's own, or empty
    platform: str  # "canvas", "moodle" or empty
    path: Path
    problem: str = ""  # a sentence, if it cannot be graded
    notes: tuple[str, ...] = ()
    assignment: str = ""
    notebook: str = ""  # as text, format 4


def find(folder: Path) -> list[Submission]:
    """All submissions of a folder, by student.

    Raises:
        AssignmentError: No such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise AssignmentError(
            f"SUBMISSIONS is {str(folder)!r}, which is no folder; valid is a "
            "folder of notebooks or of one folder per student"
        )
    found = []
    for entry in sorted(folder.iterdir()):
        if passed_over(entry):
            continue
        if entry.is_dir():
            files = sorted(
                path
                for path in entry.rglob("*")
                if path.is_file()
                and not any(map(passed_over, [path, *path.relative_to(entry).parents]))
            )
            notebooks = [path for path in files if path.suffix == ".ipynb"]
            found += [named(entry.name, path) for path in notebooks or files[:1]]
            if not files:
                found.append(named(entry.name, entry, "the folder is empty: nothing was handed in"))
        else:
            found.append(named(entry.name, entry))
    if not found:
        raise AssignmentError(f"SUBMISSIONS is {str(folder)!r}, which holds nothing to grade")
    return found


def passed_over(path: Path) -> bool:
    """Files that systems and Jupyter leave beside a submission."""
    return path.name in PASSED_OVER or path.name.startswith(".") and path.name != "."


def named(name: str, path: Path, problem: str = "") -> Submission:
    """The submission at a path; who handed it in stands in ``name``, a file's or a folder's."""
    for platform, pattern in (("moodle", MOODLE), ("canvas", CANVAS)):
        if match := pattern.fullmatch(name):
            return Submission(match["student"].strip(), match["id"], platform, path, problem)
    plain = Path(name).stem if path.is_file() and path.name == name else name
    return Submission(re.sub(r"[ _-]a\d+_\w+$", "", plain) or plain, "", "", path, problem)


def read(submission: Submission, assignment: str, editions: dict[str, str]) -> Submission:
    """Reads the file and finds out what it is.

    Args:
        submission: From :func:`find`.
        assignment: What it must be, or empty: what it says itself.
        editions: The edition of each assignment that was built.

    Returns:
        The same object with ``notebook`` and ``assignment``, or with ``problem``.
    """
    if submission.problem:
        return submission
    try:
        content = parsed(submission.path)
        claimed, edition, notes = identity(content, submission.path, assignment)
        if assignment and claimed != assignment:
            raise ValueError(
                f"it was written for assignment {claimed}, not for {assignment}: hand "
                "in the notebook of this assignment"
            )
        if claimed not in editions:
            raise ValueError(
                f"it was written for assignment {claimed}, of which there is no "
                "autograder here: teachers build it with `make assignments`"
            )
        if edition and edition != editions[claimed]:
            notes.append(
                f"It is edition {edition} of {claimed}, and is graded with edition "
                f"{editions[claimed]}."
            )
        submission.notebook, submission.assignment = nbformat.writes(content), claimed
        submission.notes = tuple(notes)
    except ValueError as error:
        submission.problem = str(error)
        submission.assignment = assignment
    return submission


def parsed(path: Path) -> nbformat.NotebookNode:
    """A notebook file of any version, as format 4.

    Raises:
        ValueError: What is wrong, as a sentence.
    """
    if path.suffix.lower() != ".ipynb":
        raise ValueError(
            f"{path.name} is not a notebook: its name ends in "
            f"{path.suffix or 'nothing'!r}; hand in the .ipynb file"
        )
    size = path.stat().st_size
    if size == 0:
        raise ValueError("the file is empty: save the notebook and hand it in again")
    if size > TOO_LARGE:
        raise ValueError(
            f"the file has {size / 2**20:.0f} MiB; valid is up to 20: clear the "
            "outputs and save it again"
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(text)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(
            f"the file is no notebook, or only a part of one ({error}): download it again as .ipynb"
        ) from error
    if not isinstance(content, dict) or not ("cells" in content or "worksheets" in content):
        raise ValueError("the file is JSON, but no notebook: it has no cells")
    content.setdefault("metadata", {})
    content.setdefault("nbformat", 4)
    content.setdefault("nbformat_minor", 4)
    try:
        notebook = nbformat.reads(json.dumps(content), as_version=4)
        for cell in notebook.cells:
            cell.source = cell.source if isinstance(cell.source, str) else "".join(cell.source)
            cell.metadata = cell.get("metadata", nbformat.from_dict({}))
    except Exception as error:  # nbformat raises whatever a broken file makes it stumble over
        raise ValueError(
            f"the notebook cannot be read ({type(error).__name__}: {error}): download "
            "it again as .ipynb"
        ) from error
    return notebook


def identity(notebook, path: Path, assignment: str) -> tuple[str, str, list[str]]:
    """Which assignment and edition a notebook says it is, and what is odd about it."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    if not cells:
        raise ValueError("the notebook has no code: hand in the one that you worked in")
    notes = []
    if not any(cell.get("outputs") for cell in cells):
        notes.append("It was saved without outputs; it was executed here, so no marks are lost.")
    metadata = notebook.metadata.get("assignment", {})
    setup = next((match for cell in cells if (match := SETUP.search(cell.source))), None)
    claimed = metadata.get("name") or notebook.metadata.get("otter", {}).get("assignment_name")
    if claimed:
        return claimed, metadata.get("edition", ""), notes
    if setup:
        notes.append("It has lost its metadata; its setup cell says which assignment it is.")
        return setup["name"], setup["edition"], notes
    if assignment:
        notes.append(
            f"It has lost its metadata and its setup cell; it is graded as {assignment}, "
            "as the teacher says."
        )
        return assignment, "", notes
    raise ValueError(
        f"{path.name} has lost the metadata and the setup cell that say which "
        "assignment it is: copy your answers into a fresh copy of the assignment; "
        "teachers can name it with ASSIGNMENT=a1"
    )


def doubles(submissions: list[Submission]) -> None:
    """Two notebooks of one student for one assignment: neither counts, and both are told so."""
    by_owner: dict[tuple, list[Submission]] = {}
    for one in submissions:
        if not one.problem:
            by_owner.setdefault((one.student, one.number, one.assignment), []).append(one)
    for group in by_owner.values():
        if len(group) > 1:
            names = " and ".join(one.path.name for one in group)
            for one in group:
                one.problem = (
                    f"there are {len(group)} notebooks of this student, {names}: hand in one"
                )
