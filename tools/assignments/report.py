"""Tables that learning platforms import, and a report for each student."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tools import course

# Moodle: "Identifier", "Full name", "Grade", "Maximum Grade" and "Feedback comments" are its
# grading worksheet's own; its gradebook import lets the teacher choose columns by these names.
COLUMNS = [
    "Identifier",
    "Full name",
    "Assignment",
    "Grade",
    "Maximum Grade",
    "Feedback comments",
    "Marked by hand",
    "Status",
    "File",
    "Report",
]
# Canvas: the first five are its gradebook's; each further one is an assignment.
CANVAS = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]


def number(value: float) -> str:
    """Points, without a tail of zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def written(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [[safe(str(cell)) for cell in row] for row in rows]
    )
    return out.getvalue()


def tables(rows: list[dict], out: Path) -> None:
    """Writes ``grades.csv``, one line for each submission, and ``canvas.csv``, one per student."""
    lines = [COLUMNS]
    for row in rows:
        participant = "Participant " if row["platform"] == "moodle" else ""
        lines.append(
            [
                participant + (row["number"] or row["student"]),
                row["student"],
                row["assignment"],
                number(row["score"]),
                number(row["possible"]),
                feedback(row),
                number(row["by_hand"]),
                "not graded" if row["problem"] else "graded",
                row["file"],
                row["report"],
            ]
        )
    course.write(out / "grades.csv", written(lines))
    titles = {
        row["assignment"]: row["title"] or row["assignment"] for row in rows if row["assignment"]
    }
    points = {row["assignment"]: row["possible"] for row in rows}
    students: dict[tuple[str, str], dict[str, float]] = {}
    for row in rows:
        scores = students.setdefault((row["student"], row["number"]), {})
        if row["assignment"]:
            scores[row["assignment"]] = max(row["score"], scores.get(row["assignment"], 0.0))
    lines = [
        [*CANVAS, *titles.values()],
        ["Points Possible", "", "", "", "", *(number(points[name]) for name in titles)],
    ]
    for (student, platform_id), scores in students.items():
        lines.append(
            [
                student,
                platform_id,
                "",
                "" if platform_id else student,
                "",
                *(number(scores[name]) if name in scores else "" for name in titles),
            ]
        )
    course.write(out / "canvas.csv", written(lines))


def feedback(row: dict) -> str:
    """One line: the problem, or points per question."""
    if row["problem"]:
        return f"Not graded: {row['problem']}."
    points = [
        f"{name} {number(q['score'])}/{number(q['possible'])}"
        for name, q in sorted(row["questions"].items())
    ]
    return "; ".join([*points, *row["notes"]])


def text(row: dict) -> str:
    """A student's report, Markdown. Of hidden tests it tells the message, never the code."""
    lines = [
        f"# {row['title'] or 'Submission'}: {row['student']}",
        "",
        f"File: `{row['file']}`",
        "",
        f"**{number(row['score'])} of {number(row['possible'])} points** from tests.",
    ]
    if row["by_hand"]:
        lines += [f"{number(row['by_hand'])} more points are marked by hand."]
    if row["problem"]:
        lines += ["", f"**Nothing could be graded:** {row['problem']}."]
    for note in row["notes"]:
        lines += ["", note]
    if row["errors"]:
        lines += ["", "## Cells that failed", "", *(f"- `{error}`" for error in row["errors"])]
    for name, question in sorted(row["questions"].items()):
        lines += [
            "",
            f"## {name}: {number(question['score'])} of {number(question['possible'])}",
            "",
        ]
        for case in question["cases"]:
            kind = "hidden check" if case["hidden"] else "check"
            verdict = "passed" if case["passed"] else "failed"
            told = f": {case['message']}" if case["message"] else ""
            lines.append(f"- {kind}, {number(case['points'])} points, {verdict}{told}")
            if case["detail"]:
                lines += ["", *("      " + line for line in case["detail"].splitlines()), ""]
    for name, answer in row["written"].items():
        lines += ["", f"## {name}, marked by hand", "", answer]
    return "\n".join(lines) + "\n"


def summary(rows: list[dict]) -> str:
    """A line about the whole folder."""
    not_graded = [row for row in rows if row["problem"]]
    lines = (
        [f"{len(rows)} submissions, {len(rows) - len(not_graded)} graded, {len(not_graded)} not:"]
        if not_graded
        else [f"{len(rows)} submissions, all graded."]
    )
    return "\n".join(
        lines + [f"  {row['student']} ({row['file']}): {row['problem']}" for row in not_graded]
    )
