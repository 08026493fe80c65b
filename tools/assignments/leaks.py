"""Looks for solutions and hidden tests in what students get."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import nbformat

from tools.assignments import masters

MESSAGE = re.compile(r"^\s*(failure|success)_message:\s*")  # its text is secret, also alone
SHORT = 12  # a line of fewer characters, such as `return x`, gives nothing away


def squeeze(text: str) -> str:
    """The text without what formatting and quoting may change."""
    return re.sub(r"[\s\\'\"]+", "", text)


def strings(value) -> list[str]:
    """All strings in decoded JSON."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings(part)]
    if isinstance(value, list):
        if value and all(isinstance(part, str) for part in value):
            return ["".join(value)]  # nbformat's lists of lines
        return [text for part in value for text in strings(part)]
    return []


def hidden_lines(autograder: dict) -> set[str]:
    """Squeezed lines of an autograder's tests that no student has seen."""
    seen = squeeze("\n".join(autograder["public"].values()))
    texts = [
        *autograder["tests"].values(),
        *(autograder["support"][path].decode() for path in autograder["hidden_support"]),
    ]
    lines = {squeeze(line) for text in texts for line in text.splitlines()}
    return {line for line in lines if len(line) >= SHORT and line not in seen}


def masked(text: str, hidden: set[str]) -> str:
    """A text for students, without lines that hold one of a hidden test's."""
    squeezed = squeeze(text)
    if not any(line in squeezed for line in hidden):
        return text
    kept = [
        line for line in text.splitlines() if not any(secret in squeeze(line) for secret in hidden)
    ]
    kept = "\n".join(kept)
    if any(line in squeeze(kept) for line in hidden):  # spread over lines
        kept = ""
    return f"{kept}\n(Left out here: text of a check that you do not see.)".strip()


def secrets(master: nbformat.NotebookNode) -> dict[str, str]:
    """What no student may find: squeezed lines, each with where it comes from."""
    from otter.assign.solutions import replace_solutions

    asked = masters.questions(master)
    hidden = {cell.id for question in asked.values() for cell in question.hidden}
    shown = {cell.id for question in asked.values() for cell in question.public}
    solutions = {cell.id for question in asked.values() for cell in question.solutions}
    public, found = [], {}
    for cell in master.cells:
        lines = cell.source.splitlines()
        if cell.id in solutions and cell.cell_type == "code":
            public += replace_solutions(lines, "python")
        elif cell.id not in hidden | solutions:
            public += lines + (unparsed(cell.source) if cell.id in shown else [])
        if cell.id in hidden:
            lines = [MESSAGE.sub("", line) for line in lines]
            lines += unparsed(cell.source)
        if cell.id in hidden | solutions:
            found |= {squeeze(line): cell.id for line in lines}
    seen = "\n".join(map(squeeze, public))
    return {line: cell for line, cell in found.items() if len(line) >= SHORT and line not in seen}


def unparsed(source: str) -> list[str]:
    """Lines of a test as otter-grader writes them."""
    return ast.unparse(ast.parse(source)).splitlines()


def find(student: Path, master: nbformat.NotebookNode) -> list[str]:
    """Where a student's folder gives something away: one sentence each.

    Args:
        student: The folder that students get.
        master: As :func:`masters.read` returns it.
    """
    wanted, said = secrets(master), []
    for path in sorted(student.rglob("*")):
        if not path.is_file():
            continue
        text = path.read_text(errors="replace")
        if path.suffix == ".ipynb":
            text = "\n".join(strings(json.loads(text)))
        squeezed = squeeze(text)
        said += [
            f"{path.name} gives away a line of {cell}: {line[:60]}"
            for line, cell in wanted.items()
            if line in squeezed
        ]
    return said
