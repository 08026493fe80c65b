"""Tables that learning platforms import, feedback for each student, and a page for the teacher."""

from __future__ import annotations

import csv
import html
import io
import statistics
import zipfile
from pathlib import Path

from tools import course
from tools.assignments import AssignmentError

COLUMNS = [
    "Student",
    "Number",
    "Assignment",
    "Tests",
    "By hand",
    "Total",
    "Maximum",
    "Status",
    "Look at",
    "Late",
    "File",
    "Feedback",
]
# Canvas: the first five are its gradebook's; each further one is an assignment.
CANVAS = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 16px/1.5 sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em }}
code, pre {{ background: #f3f3f3; padding: 0 .2em }} pre {{ padding: .6em; overflow-x: auto }}
table {{ border-collapse: collapse }} td, th {{ border: 1px solid #999; padding: .2em .5em }}
</style></head>
<body>
{body}</body>
</html>
"""


def number(value: float | None) -> str:
    """Points, without a tail of zeros; nothing if there are none yet."""
    if value is None:
        return ""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def unsafe(text: str) -> str:
    """What :func:`safe` was given."""
    return text[1:] if text[:1] == "'" and safe(text[1:]) == text else text


def written(rows: list[list]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [[safe(str(cell)) for cell in row] for row in rows]
    )
    return out.getvalue()


def possible(row: dict) -> float:
    """The points that a row can get, by tests and by hand."""
    return row["possible"] + sum(row["by_hand"].values())


def status(row: dict) -> str:
    """In a word or two, whether there is a grade and whose turn it is."""
    if row["fault"] == "grader":
        return "not graded: grade again"
    if row["score"] is None:
        return "not graded: student"
    if row["total"] is None:
        return "marks by hand are missing"
    return "stopped" if row["problem"] else "graded"


def tables(rows: list[dict], out: Path) -> None:
    """Writes ``grades.csv``, ``class.csv`` (points by question), ``canvas.csv`` and the teacher's
    page, ``class.html``."""
    lines = [COLUMNS]
    for row in rows:
        hand = [points for points in row["hand"].values() if points is not None]
        lines.append(
            [
                row["student"],
                row["number"],
                row["assignment"],
                number(row["score"]),
                number(sum(hand)) if hand else "",
                number(row["total"]),
                number(possible(row)),
                status(row),
                "; ".join(filter(None, [row["warning"], row["problem"], *row["signs"]])),
                "late" if row["late"] else "",
                row["file"],
                row["feedback"],
            ]
        )
    course.write(out / "grades.csv", written(lines))
    course.write(out / "canvas.csv", written(canvas(rows)))
    course.write(out / "class.csv", written(by_question(rows)))
    course.write(out / "class.html", page(teachers_text(rows), "The class"))


def canvas(rows: list[dict]) -> list[list]:
    """Canvas' gradebook: one line per student, one column per assignment."""
    titles = {
        row["assignment"]: row["title"] or row["assignment"] for row in rows if row["assignment"]
    }
    points = {}
    for row in rows:
        points[row["assignment"]] = max(points.get(row["assignment"], 0.0), possible(row))
    students: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        found = students.setdefault((row["student"], row["number"]), {})
        if row["assignment"]:
            found[row["assignment"]] = number(row["total"])
    return [
        [*CANVAS, *titles.values()],
        ["Points Possible", "", "", "", "", *(number(points[name]) for name in titles)],
        *(
            [
                student,
                own,
                "",
                "" if own else student,
                "",
                *(found.get(name, "") for name in titles),
            ]
            for (student, own), found in students.items()
        ),
    ]


def by_question(rows: list[dict]) -> list[list]:
    """Points by student and question, and the class below: mean, median, and how many got all."""
    columns = [
        (assignment, name)
        for assignment in dict.fromkeys(row["assignment"] for row in rows)
        for name in dict.fromkeys(
            name
            for row in rows
            if row["assignment"] == assignment
            for name in sorted([*row["questions"], *row["by_hand"]], key=natural)
        )
    ]

    def points(row, assignment, name):
        if row["assignment"] != assignment:
            return None
        if name in row["by_hand"]:
            return row["hand"][name]
        return row["questions"].get(name, {}).get("score")

    lines = [["Student", "Number", *(f"{a} {n}".strip() for a, n in columns), "Total"]]
    values = [[points(row, *column) for column in columns] + [row["total"]] for row in rows]
    lines += [
        [row["student"], row["number"], *map(number, line)] for row, line in zip(rows, values)
    ]
    for name, function in (
        ("Mean", statistics.mean),
        ("Median", statistics.median),
        ("Lowest", min),
        ("Highest", max),
    ):
        known = [[value for value in column if value is not None] for column in zip(*values)]
        lines.append([name, "", *(number(function(column)) if column else "" for column in known)])
    return lines


def natural(name: str) -> tuple[int, str]:
    """q2 before q10."""
    digits = "".join(one for one in name if one.isdigit())
    return int(digits or 0), name


class Worksheet:
    """Moodle's grading worksheet, as a teacher downloads it; its importer takes it back filled in.

    Source: mod/assign/feedback/offline/importgradeslib.php of Moodle. It looks for the columns
    Identifier, Grade and Last modified (grade), and for each plugin's comments by their name;
    a grade above the assignment's maximum, or one of a row that was changed since, is skipped.
    """

    NEEDED = ("Identifier", "Grade", "Last modified (grade)")

    def __init__(self, path: Path):
        """Reads it.

        Raises:
            AssignmentError: It is none, or one in another language.
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
            self.lines = list(csv.reader(io.StringIO(text, newline="")))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise AssignmentError(
                f"the worksheet {path} cannot be read ({error}); valid is the "
                "file that Moodle offers as its grading worksheet"
            ) from error
        header = self.lines[0] if self.lines else []
        lacking = [name for name in self.NEEDED if name not in header]
        if lacking:
            raise AssignmentError(
                f"the worksheet {path} has no column {lacking[0]!r}, but {', '.join(header)}; "
                "valid is Moodle's own grading worksheet (Grading action, Download grading "
                "worksheet), downloaded while Moodle's language is English"
            )
        self.path, self.column = path, {name: i for i, name in enumerate(header)}

    def filled(self, rows: list[dict]) -> str:
        """The worksheet with grades and comments in the lines of these students, and everything
        else as it was. A student without a grade keeps an empty one.

        Raises:
            AssignmentError: Rows of several assignments, a student whom the worksheet does not
                have, or a maximum that isn't Moodle's.
        """
        if len({row["assignment"] for row in rows if row["assignment"]}) > 1:
            raise AssignmentError("a worksheet is for one assignment: name it with ASSIGNMENT=a1")
        own = {self.number(line): line for line in self.lines[1:] if line}
        unknown = []
        for row in rows:
            known = row["platform"] == "moodle" and row["number"]
            line = own.get(row["number"]) if known else self.named(row)
            if line is None:
                unknown.append(row["student"])
                continue
            self.fits(line, row)
            line[self.column["Grade"]] = number(row["total"])
            if "Feedback comments" in self.column:
                line[self.column["Feedback comments"]] = comment(row)
        if unknown:
            raise AssignmentError(
                f"{self.path} does not have: {', '.join(unknown)}. Everything "
                "is graded; give the worksheet of these students"
            )
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(self.lines)
        return out.getvalue()

    def number(self, line: list[str]) -> str:
        """What Moodle's importer takes: the number at the end of "Participant 123"."""
        digits = line[self.column["Identifier"]].split()
        return digits[-1] if digits else ""

    def named(self, row: dict) -> list[str] | None:
        """The line of a student whose file Moodle did not name, if there is exactly one."""
        wanted = row["student"].strip().lower()
        places = [
            self.column[name]
            for name in ("Full name", "Email address", "ID number")
            if name in self.column
        ]
        found = [
            line
            for line in self.lines[1:]
            if line
            and any(
                wanted in (line[i].strip().lower(), line[i].strip().lower().split("@")[0])
                for i in places
            )
        ]
        return found[0] if len(found) == 1 else None

    def fits(self, line: list[str], row: dict) -> None:
        maximum = next(
            (
                self.column[name]
                for name in ("Maximum Grade", "Maximum grade")
                if name in self.column
            ),
            None,
        )
        if maximum is None or row["total"] is None:
            return
        given = line[maximum].replace(",", ".")
        if float(given or 0) != possible(row):
            raise AssignmentError(
                f"Moodle's maximum grade is {line[maximum]}, and this assignment has "
                f"{number(possible(row))} points. Everything is graded; set the maximum grade in "
                "the assignment's settings, and download the worksheet again"
            )


def comment(row: dict) -> str:
    """One line: points per question, and what to say of the whole."""
    points = [
        f"{name} {number(question['score'])}/{number(question['possible'])}"
        for name, question in sorted(row["questions"].items(), key=lambda q: natural(q[0]))
    ]
    points += [
        f"{name} {number(row['hand'][name]) or '?'}/{number(value)}"
        for name, value in row["by_hand"].items()
    ]
    before = [row["warning"]] if row["warning"] else []
    if row["problem"]:
        before.append(explained(row))
    return "; ".join([*before, *points, *row["notes"]])


def explained(row: dict) -> str:
    """The problem of a row as a sentence, with whose turn it is."""
    if row["fault"] == "grader":
        return f"Not graded yet: {row['problem']}. This is not your fault; it is graded again."
    if row["score"] is None:
        return f"Nothing could be graded: {row['problem']}."
    return f"It was stopped: {row['problem']}. What was finished before counts."


def text(row: dict) -> str:
    """A student's feedback, Markdown. Of hidden tests it tells the message, never the code."""
    lines = [
        f"# {row['title'] or 'Submission'}: {row['group'] or row['student']}",
        "",
        f"File: `{row['file']}`",
    ]
    if row["warning"]:
        lines += ["", f"**{row['warning']}**"]
    if row["score"] is not None:
        lines += ["", f"**{number(row['score'])} of {number(row['possible'])} points** from tests."]
    if row["by_hand"]:
        given = [points for points in row["hand"].values() if points is not None]
        lines += [
            "",
            f"{number(sum(given)) if given else 'No'} points by hand so far, of "
            f"{number(sum(row['by_hand'].values()))}.",
        ]
    if row["problem"]:
        lines += ["", f"**{explained(row)}**"]
    for note in row["notes"]:
        lines += ["", note]
    if row["errors"]:
        lines += ["", "## Cells that failed", "", *(f"- `{error}`" for error in row["errors"])]
    for name, question in sorted(row["questions"].items(), key=lambda q: natural(q[0])):
        if left_out(question):
            lines += ["", f"## {name}, for practice", "", "Nothing passes yet."]
            continue
        lines += [
            "",
            f"## {name}: {number(question['score'])} of {number(question['possible'])}",
            "",
        ]
        for case in question["cases"]:
            lines += said(case, case["told"] if case["hidden"] else case["detail"])
    for name, answer in row["written"].items():
        lines += ["", f"## {name}, marked by hand", "", answer]
    return "\n".join(lines) + "\n"


def left_out(question: dict) -> bool:
    """Whether a question is for practice, and was not tried or to no avail."""
    return not question["possible"] and not any(case["passed"] for case in question["cases"])


def said(case: dict, more: str) -> list[str]:
    """A test's outcome as an item of a list, with what more there is to say."""
    what = "hidden check" if case["hidden"] else "check"
    verdict = "passed" if case["passed"] else "failed"
    told = f": {case['message']}" if case["message"] else ""
    lines = [f"- {what}, {number(case['points'])} points, {verdict}{told}"]
    if more:
        lines += ["", *("      " + line for line in more.splitlines()), ""]
    return lines


def teachers_text(rows: list[dict]) -> str:
    """The teacher's page: what to look at, the class by questions, and of each student what
    failed, with the hidden tests' own messages."""
    grades = [row["total"] for row in rows if row["total"] is not None]
    lines = [
        "# The class",
        "",
        "For teachers only: it tells what hidden checks look at.",
        "",
        *summary(rows).splitlines(),
    ]
    if grades:
        lines += [
            "",
            f"Totals: mean {number(statistics.mean(grades))}, median "
            f"{number(statistics.median(grades))}, from {number(min(grades))} to "
            f"{number(max(grades))}, {len(grades)} students.",
        ]
    look = [row for row in rows if row["signs"] or row["warning"]]
    if look:
        lines += ["", "## Look at these", "", "Signs, not proofs: ask the student.", ""]
        lines += [
            f"- {row['student']} (`{row['file']}`): {one}"
            for row in look
            for one in [*filter(None, [row["warning"]]), *row["signs"]]
        ]
    lines += ["", "## Which checks fail most", ""]
    counts: dict[str, list[int]] = {}
    for row in rows:
        for name, question in row["questions"].items():
            for case in question["cases"]:
                if case["points"]:
                    what = f"{row['assignment']} {name}: {case['message'] or 'passed'}"
                    count = counts.setdefault(what, [0])
                    count[0] += not case["passed"]
    lines += [
        f"- {count[0]} of {len(rows)}: {what}"
        for what, count in sorted(counts.items(), key=lambda item: -item[1][0])
        if count[0]
    ][:30]
    for row in rows:
        lines += [
            "",
            f"## {row['student']} ({row['assignment'] or 'unknown assignment'}): "
            f"{number(row['score']) or 'no grade'} of {number(row['possible'])}",
            "",
        ]
        lines += [f"- {explained(row)}"] if row["problem"] else []
        lines += [f"- `{error}`" for error in row["errors"]]
        for name, question in sorted(row["questions"].items(), key=lambda q: natural(q[0])):
            for case in question["cases"]:
                if not case["passed"] and not left_out(question):
                    first, *rest = said(case, case["detail"])
                    lines += [f"- {name}, {first[2:]}", *rest]
    return "\n".join(lines) + "\n"


def page(markdown: str, title: str) -> str:
    """Markdown as a page. HTML in it is text: a submission's answers run no scripts."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).render(markdown)
    return PAGE.format(title=html.escape(title or "Feedback"), body=body)


def feedback_name(row: dict, name: str) -> str:
    """A feedback file's name, one a student, as the platform wants it for upload: Moodle reads
    name, number and plugin; Canvas the name of the file that was handed in (see :func:`zips` for
    that of a group), and another ending is allowed."""
    if row["platform"] == "moodle" and row["number"]:
        plain = name.replace("_", " ")
        return f"{plain}_{row['number']}_assignfeedback_file_feedback.html"
    if row["platform"] == "canvas" and not row["group"]:
        return canvas_name(row)
    return f"{name}.html"


def canvas_name(row: dict) -> str:
    return f"{Path(row['file']).stem[:150]}.html"


def zips(rows: list[dict], out: Path) -> None:
    """One archive of feedback for each platform, to be uploaded as it is.

    Canvas finds a group by the name of its file, and gives the page to every member
    (``generate_comments_from_files`` in its ``app/models/assignment.rb``): one page a group.
    """
    for platform in {row["platform"] for row in rows if row["platform"]}:
        with zipfile.ZipFile(out / f"feedback-{platform}.zip", "w") as archive:
            for row in rows:
                path = out / row["feedback"]
                if row["platform"] != platform or not path.exists():
                    continue
                if platform != "canvas" or not row["group"]:
                    archive.write(path, path.name)
                elif canvas_name(row) not in archive.namelist():
                    archive.writestr(canvas_name(row), page(text(shared(row, rows)), row["title"]))


def shared(row: dict, rows: list[dict]) -> dict:
    """A member's row as the whole group may read it: without points by hand that differ."""
    if all(one["hand"] == row["hand"] for one in rows if one["original"] == row["original"]):
        return row
    note = "Points by hand are each member's own: look into your gradebook."
    return row | {"by_hand": {}, "hand": {}, "notes": [*row["notes"], note]}


def summary(rows: list[dict]) -> str:
    """A line about the whole folder, and one for each that has no grade or another edition."""
    bare = [row for row in rows if row["score"] is None]
    lines = [
        f"{len(rows)} submissions, {len(rows) - len(bare)} graded, {len(bare)} not:"
        if bare
        else f"{len(rows)} submissions, all graded."
    ]
    lines += [f"  {row['student']} ({row['file']}): {row['problem']}" for row in bare]
    other = [row for row in rows if row["warning"]]
    if other:
        lines += [
            f"ANOTHER EDITION: {len(other)} were written for another edition than the one "
            "they were graded with; look at them before you use their marks:"
        ]
        lines += [f"  {row['student']} ({row['file']})" for row in other]
    return "\n".join(lines)
