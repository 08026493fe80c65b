"""Finds submissions in a folder, and reads each: a notebook, or a sentence that says what is wrong.

File and folder names are read as Canvas and Moodle write them, or plainly: one folder per student,
or one file per student, named after them. What a student handed in is one submission, in however
many files. Only regular files are read, and of each only so much as a notebook may hold.
"""

from __future__ import annotations

import csv
import json
import os
import re
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path

import nbformat

from tools.assignments import AssignmentError

# Canvas: lastnamefirstname_[LATE_]USERID_ATTACHMENTID_name.ipynb; where students are anonymous,
# [LATE_]anon_WORD_ATTACHMENTID_name.ipynb
CANVAS = re.compile(r"(?P<student>[^/]+?)_(?P<late>LATE_)?(?P<id>\d+)_\d+_(?P<file>.+)", re.DOTALL)
ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<student>anon_(?P<id>[A-Za-z0-9]+))_\d+_(?P<file>.+)", re.DOTALL
)
# Moodle: "First Last_UNIQUEID_assignsubmission_file_", a folder or the start of a file's name; of
# a group, "Group_GROUPID_..." or "Default group_..."; where students are anonymous,
# "Participant_UNIQUEID_...". Before Moodle 4.1 a folder's name ends in "_".
MOODLE = re.compile(
    r"(?P<student>.+?)(?:_(?P<id>\d+))?_assignsubmission_[a-z]+_?(?P<file>.*)", re.DOTALL
)
SETUP = re.compile(r'^ASSIGNMENT = "(?P<name>\w+)"\s*# edition (?P<edition>\w+)', re.MULTILINE)
TOO_LARGE = 20 * 2**20  # bytes
MOST = 1000  # files of one student that are looked at
PASSED_OVER = {"__MACOSX", "Thumbs.db", "desktop.ini"}


@dataclass
class Submission:
    """What one student handed in: the notebook that counts, and what else came with it."""

    student: str
    number: str  # the learning platform's own, or empty
    platform: str  # "canvas", "moodle" or empty
    path: Path
    problem: str = ""  # a sentence, if it cannot be graded
    notes: list[str] = field(default_factory=list)
    assignment: str = ""
    notebook: str = ""  # as text, format 4
    warning: str = ""  # a sentence that stands before any mark
    late: bool = False
    group: str = ""  # whose common work it is; then there is one of these for each member


def clean(text: str) -> str:
    """Text that any file can hold: no lone surrogates, no control characters but line ends."""
    text = str(text).encode("utf-8", "replace").decode()
    return "".join(one for one in text if one >= " " or one in "\n\t")


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
    handed_in: dict[tuple, list] = {}
    for entry in sorted(folder.iterdir()):
        if passed_over(entry.name):
            continue
        if kind(entry) == "folder":
            files = under(entry)
            one = named(entry.name, files[0] if files else entry)
            if not files:
                one.problem = "the folder is empty: nothing was handed in"
        else:
            files, one = [entry], named(entry.name, entry)
        place = (one.platform, one.student, one.number) if one.platform else (one.student,)
        known, more = handed_in.setdefault(place, (one, []))
        known.late |= one.late
        more += files
    if not handed_in:
        raise AssignmentError(f"SUBMISSIONS is {str(folder)!r}, which holds nothing to grade")
    return [found for one, files in handed_in.values() for found in chosen(one, files)]


def groups(path: Path) -> dict[str, list[tuple[str, str]]]:
    """The members of each group, name and number, by what :func:`plain` makes of the group's name,
    from a table with the columns Group and Student, and Number where the platform has one.

    Raises:
        AssignmentError: No such table, or somebody who is in two groups.
    """
    try:
        lines = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AssignmentError(f"the table of groups {path} cannot be read ({error})") from error
    found, known = {}, {}
    for line in lines:
        group, student, number = (
            clean(line.get(name) or "").strip() for name in ("Group", "Student", "Number")
        )
        if not group or not student:
            raise AssignmentError(
                f"the table of groups {path} has a line {line}; valid are the columns Group and "
                "Student, both filled in, and Number"
            )
        if known.setdefault((student, number), group) != group:
            raise AssignmentError(
                f"{path} has {student} in two groups, {known[student, number]} and {group}"
            )
        found.setdefault(plain(group), []).append((student, number))
    return found


def spread(found: list[Submission], groups: dict) -> list[Submission]:
    """One submission for each member, where a group handed it in."""
    return [
        replace(one, student=student, number=number, group=one.student, notes=list(one.notes))
        if plain(one.student) in groups
        else one
        for one in found
        for student, number in groups.get(plain(one.student), [("", "")])
    ]


def plain(name: str) -> str:
    """A name as Canvas writes it at the start of a file's: small letters and digits, no blanks."""
    return re.sub(r"\W+", "", name.lower())


def passed_over(name: str) -> bool:
    """Files that systems and Jupyter leave beside a submission."""
    return name in PASSED_OVER or name.startswith(".")


def kind(path: Path) -> str:
    """What lies at a path; a link is a link, wherever it leads."""
    try:
        mode = path.lstat().st_mode
    except (OSError, ValueError):
        return "unreadable"
    for test, name in ((stat.S_ISREG, "file"), (stat.S_ISDIR, "folder"), (stat.S_ISLNK, "link")):
        if test(mode):
            return name
    return "device"


def under(folder: Path) -> list[Path]:
    """What lies under a folder and is no folder, links not followed."""
    found = []
    for base, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        folders[:] = sorted(name for name in folders if not passed_over(name))
        found += [Path(base, name) for name in sorted(files) + links if not passed_over(name)]
        if len(found) > MOST:
            break
    return found[:MOST]


def named(name: str, path: Path) -> Submission:
    """A submission at a path; who handed it in stands in ``name``, a file's or a folder's."""
    for platform, pattern in (("moodle", MOODLE), ("canvas", ANONYMOUS), ("canvas", CANVAS)):
        if match := pattern.fullmatch(name):
            return Submission(
                clean(match["student"]).strip(),
                match["id"] or "",
                platform,
                path,
                late=bool(match.groupdict().get("late")),
            )
    plain = Path(name).stem if path.name == name else name
    return Submission(clean(re.sub(r"[ _-]a\d+_\w+$", "", plain) or plain), "", "", path)


def chosen(one: Submission, files: list[Path]) -> list[Submission]:
    """The submission, with the notebook that counts if it is clear which one that is; one for
    each assignment if there are several."""
    notebooks = [path for path in files if path.name.lower().endswith(".ipynb")]
    if not notebooks:
        one.path = (files or [one.path])[0]
        return [one]
    groups: dict[str, list[Path]] = {}
    for path in notebooks:
        groups.setdefault(claim(path) if len(notebooks) > 1 else "", []).append(path)
    strangers = groups.pop("", []) if len(groups) > 1 else []
    found = []
    for group in groups.values():
        each = replace(one, path=group[0], notes=list(one.notes))
        names = " and ".join(clean(path.name) for path in group[:5])
        if len({content(path) for path in group}) > 1:
            each.problem = f"there are {len(group)} notebooks of this student, {names}: hand in one"
        elif len(group) > 1:
            each.notes.append(f"{names} are the same; one of them was graded.")
        if strangers or len(files) > len(notebooks):
            each.notes.append(f"Of {len(files)} files this one was graded: {names}.")
        found.append(each)
    return found


def claim(path: Path) -> str:
    """Which assignment a file says it is, or nothing."""
    try:
        return identity(parsed(path), path, "")[0]
    except ValueError:
        return ""


def content(path: Path) -> bytes | str:
    """A file's bytes, or what is wrong with it."""
    try:
        return contents(path)
    except ValueError as error:
        return f"{path}: {error}"


def contents(path: Path) -> bytes:
    """The bytes of a regular file that is not too large.

    Raises:
        ValueError: What it is instead, as a sentence.
    """
    if (what := kind(path)) != "file":
        article = "an" if what == "unreadable" else "a"
        raise ValueError(
            f"{clean(path.name)} is {article} {what}, no regular file: hand in the .ipynb file"
        )
    try:  # it may have been replaced since: neither follow a link nor wait for a pipe
        descriptor = os.open(
            path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        )
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ValueError(f"{clean(path.name)} is no regular file")
            size = os.fstat(descriptor).st_size
            data = file.read(TOO_LARGE + 1)
    except OSError as error:
        raise ValueError(f"{clean(path.name)} cannot be read ({error.strerror})") from error
    if len(data) > TOO_LARGE:
        raise ValueError(
            f"the file has {max(size, len(data)) / 2**20:.0f} MiB; valid is up to 20: "
            "clear the outputs and save it again"
        )
    return data


def read(submission: Submission, assignment: str, autograders: dict[str, dict]) -> Submission:
    """Reads the file and finds out what it is.

    Args:
        submission: From :func:`find`.
        assignment: What it must be, or empty: what it says itself.
        autograders: The autograders that were built, with ``edition`` and ``kind``.

    Returns:
        The same object with ``notebook`` and ``assignment``, or with ``problem``.
    """
    if submission.problem:
        submission.assignment = assignment
        return submission
    try:
        notebook = parsed(submission.path)
        claimed, edition, kind, notes = identity(notebook, submission.path, assignment)
        if assignment and claimed != assignment:
            raise ValueError(
                f"it was written for assignment {claimed}, not for {assignment}: hand "
                "in the notebook of this assignment"
            )
        if claimed not in autograders:
            raise ValueError(
                f"it was written for assignment {claimed}, of which there is no "
                "autograder here: teachers build it with `make assignments`"
            )
        here = autograders[claimed]
        if edition and edition != here["edition"]:
            submission.warning = (
                f"This is the notebook of another edition ({told(kind, edition)}). It is graded "
                f"with the one that was built here ({told(here['kind'], here['edition'])}), whose "
                "questions may ask for something else. Was the right file handed in?"
            )
        submission.notebook, submission.assignment = clean(nbformat.writes(notebook)), claimed
        submission.notes += notes
    except ValueError as error:
        submission.problem = clean(error)
        submission.assignment = assignment
    return submission


def told(kind: str, edition: str) -> str:
    """What an edition is called."""
    return f"{kind or 'unknown kind'}, {edition}"


def parsed(path: Path) -> nbformat.NotebookNode:
    """A notebook file of any version, as format 4. Cells without an id get one by their place.

    Raises:
        ValueError: What is wrong, as a sentence.
    """
    if path.suffix.lower() != ".ipynb":
        raise ValueError(
            f"{clean(path.name)} is not a notebook: its name ends in "
            f"{clean(path.suffix) or 'nothing'!r}; hand in the .ipynb file"
        )
    data = contents(path)
    if not data:
        raise ValueError("the file is empty: save the notebook and hand it in again")
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"the file is no notebook, or only a part of one ({error}): download it again as .ipynb"
        ) from error
    if not isinstance(found, dict) or not ("cells" in found or "worksheets" in found):
        raise ValueError("the file is JSON, but no notebook: it has no cells")
    try:
        notebook = nbformat.reads(json.dumps(repaired(found)), as_version=4)
        for cell in notebook.cells:
            cell.source = cell.source if isinstance(cell.source, str) else "".join(cell.source)
            cell.metadata = cell.get("metadata", nbformat.from_dict({}))
    except Exception as error:  # nbformat raises whatever a broken file makes it stumble over
        said = " ".join(clean(error).split())[:300]
        raise ValueError(
            f"the notebook cannot be read ({type(error).__name__}: {said}): download "
            "it again as .ipynb"
        ) from error
    return notebook


def repaired(found: dict) -> dict:
    """A notebook's JSON with what tools leave out or write otherwise, where that is harmless."""
    if not isinstance(found.get("metadata"), dict):
        found["metadata"] = {}
    if not isinstance(found.setdefault("nbformat", 4), int):
        found["nbformat"] = 4
    if not isinstance(found.setdefault("nbformat_minor", 4), int):
        found["nbformat_minor"] = 4
    if found["nbformat"] == 4 and isinstance(found.get("cells"), list):
        found["nbformat_minor"] = max(5, found["nbformat_minor"])
        taken = set()
        for number, cell in enumerate(found["cells"], 1):
            if not isinstance(cell, dict):
                continue
            if not isinstance(cell.get("metadata"), dict):
                cell["metadata"] = {}
            name = cell.get("id")
            if (
                not (isinstance(name, str) and re.fullmatch(r"[\w-]{1,64}", name, re.ASCII))
                or name in taken
            ):
                cell["id"] = f"cell-{number}"
            taken.add(cell["id"])
    return found


def identity(notebook, path: Path, assignment: str) -> tuple[str, str, str, list[str]]:
    """Which assignment, edition and kind a notebook says it is, and what is odd about it."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    if not cells:
        raise ValueError("the notebook has no code: hand in the one that you worked in")
    notes = []
    if not any(cell.get("outputs") for cell in cells):
        notes.append("It was saved without outputs; it was executed here, so no marks are lost.")
    setup = next((match for cell in cells if (match := SETUP.search(cell.source))), None)
    told = notebook.metadata.get("assignment")
    told = told if isinstance(told, dict) else {}
    otter = notebook.metadata.get("otter")
    claimed = told.get("name") or (otter.get("assignment_name") if isinstance(otter, dict) else "")
    if isinstance(claimed, str) and claimed:
        return claimed, str(told.get("edition", "")), str(told.get("kind", "")), notes
    if setup:
        notes.append("It has lost its metadata; its setup cell says which assignment it is.")
        return setup["name"], setup["edition"], "", notes
    if assignment:
        notes.append(
            f"It has lost its metadata and its setup cell; it is graded as {assignment}, "
            "as the teacher says."
        )
        return assignment, "", "", notes
    raise ValueError(
        f"{clean(path.name)} has lost the metadata and the setup cell that say which "
        "assignment it is: copy your answers into a fresh copy of the assignment; "
        "teachers can name it with ASSIGNMENT=a1"
    )
