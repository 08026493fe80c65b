"""Reads master notebooks: their questions, and what a secret redraws in them."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import importlib
import random
import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import yaml

from tools import course
from tools.assignments import MASTERS, REQUIREMENTS, AssignmentError, sandbox

CONFIG = re.compile(r"#\s*ASSIGNMENT CONFIG", re.IGNORECASE)
BOUNDARY = re.compile(r"#\s*(BEGIN|END) (QUESTION|SOLUTION|PROMPT|TESTS)", re.IGNORECASE)
# As otter has it: the word in a first line that is a comment, or the setting in a test's own.
HIDDEN = re.compile(r"\s*#[^\n]*\bhidden\b|(?s:.*BEGIN TEST CONFIG.*?\nhidden:\s*true)", re.I)


@dataclass
class Question:
    """One question of a master, by the cells of its blocks."""

    name: str
    manual: bool
    points: float | list | dict | None
    solutions: list = field(default_factory=list)
    prompts: list = field(default_factory=list)
    hidden: list = field(default_factory=list)
    public: list = field(default_factory=list)

    def names(self) -> list[str]:
        """What its tests call: names that its solution defines at the top level."""
        tests = "\n".join(cell.source for cell in self.hidden + self.public)
        defined = [
            name
            for cell in self.solutions
            if cell.cell_type == "code"
            for name in defined_names(cell.source)
        ]
        return [name for name in defined if re.search(rf"\b{name}\b", tests)]


def defined_names(source: str) -> list[str]:
    """Functions and classes that a cell defines at its top level, in order."""
    return [
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]


def find(names: list[str] = ()) -> dict[str, Path]:
    """The masters by short name, ``{"a1": path}``: all, or those asked for.

    Raises:
        AssignmentError: A name has no master.
    """
    found = {path.name.split("_")[0]: path for path in sorted(MASTERS.glob("a[0-9]*_*.ipynb"))}
    unknown = [name for name in names if name not in found]
    if unknown:
        raise AssignmentError(f"no assignment {unknown[0]!r}; there are: {', '.join(found)}")
    return {name: path for name, path in found.items() if not names or name in names}


def drawn(name: str, secret: str) -> dict[str, str]:
    """The cells that a secret redraws: new sources by cell id."""
    seed = hashlib.sha256(f"{name}:{secret}".encode()).digest()
    module = importlib.import_module(f"assignments.variants.{name}")
    return module.draw(random.Random(int.from_bytes(seed, "big")))


def edition(secret: str) -> str:
    """What the edition of a secret is called: "public" without one, else a word that tells two
    secrets apart and gives neither away."""
    if not secret:
        return "public"
    return "variant-" + hashlib.sha256(f"edition:{secret}".encode()).hexdigest()[:6]


def read(path: Path, secret: str = "") -> nbformat.NotebookNode:
    """A master, with the variant's cells in place and settings that hold for every assignment.

    Raises:
        AssignmentError: No configuration cell, a broken one, or a variant of unknown cells.
    """
    name = path.name.split("_")[0]
    notebook = course.read(path)
    cells = {cell.id: cell for cell in notebook.cells}
    for cell_id, source in (drawn(name, secret) if secret else {}).items():
        if cell_id not in cells:
            raise AssignmentError(
                f"assignments/variants/{name}.py redraws cell {cell_id!r}, "
                f"which {path.name} does not have"
            )
        cells[cell_id].source = source
    configs = [
        cell for cell in notebook.cells if cell.cell_type == "raw" and CONFIG.match(cell.source)
    ]
    if len(configs) != 1:
        raise AssignmentError(
            f"{path.name} has {len(configs)} raw cells that begin with "
            "'# ASSIGNMENT CONFIG'; valid is 1"
        )
    written = yaml.safe_load(configs[0].source) or {}
    notebook.metadata["grading"] = grading(path, written.pop("grading", None) or {})
    configs[0].source = "# ASSIGNMENT CONFIG\n" + yaml.safe_dump(settings(name, written))
    return notebook


def grading(path: Path, written: dict) -> dict:
    """What a master says of its own grading: ``blocked`` (modules that a submission may not
    import), ``limits`` (fields of :class:`sandbox.Limits`), ``identity`` (a variable that says
    whose work it is).

    Raises:
        AssignmentError: Another entry, or a limit that there isn't.
    """
    found = {"blocked": [], "limits": {}, "identity": ""} | written
    fields = {field.name for field in dataclasses.fields(sandbox.Limits)}
    odd_ones = (set(found) - {"blocked", "limits", "identity"}) | (set(found["limits"]) - fields)
    for odd in sorted(odd_ones):
        raise AssignmentError(
            f"{path.name} says {odd!r} of its grading; valid are blocked, "
            f"identity, and limits on {', '.join(sorted(fields))}"
        )
    return found


def settings(name: str, written: dict) -> dict:
    """otter's settings: the master's own, but one student file, which sets itself up."""
    return {"requirements": REQUIREMENTS, **written} | {
        "name": name,
        "init_cell": False,
        "check_all_cell": False,
        "export_cell": False,
        "solutions_pdf": False,
        "template_pdf": False,
        "runs_on": "default",
        "tests": {**written.get("tests", {}), "files": True, "url_prefix": None},
        "generate": {**(written.get("generate") or {}), "pdf": False, "show_hidden": False},
    }


def config(notebook: nbformat.NotebookNode) -> dict:
    """The settings of a master that :func:`read` returned."""
    return next(
        yaml.safe_load(cell.source)
        for cell in notebook.cells
        if cell.cell_type == "raw" and CONFIG.match(cell.source)
    )


def title(notebook: nbformat.NotebookNode) -> str:
    """A master's first heading."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (match := re.search(r"(?m)^# (.+)$", cell.source)):
            return match[1].strip()
    raise AssignmentError("a master needs a Markdown cell with a heading '# ...'")


def questions(notebook: nbformat.NotebookNode) -> dict[str, Question]:
    """The questions of a master, by name, in order."""
    found, current, block = {}, None, ""
    for cell in notebook.cells:
        match = BOUNDARY.match(cell.source) if cell.cell_type == "raw" else None
        if match:
            begins, kind = match[1].upper() == "BEGIN", match[2].upper()
            if kind == "QUESTION":
                current = None
                if begins:
                    made = yaml.safe_load(cell.source) or {}
                    current = Question(made["name"], made.get("manual", False), made.get("points"))
                    found[current.name] = current
            else:
                block = kind if begins else ""
        elif current and block == "SOLUTION":
            current.solutions.append(cell)
        elif current and block == "PROMPT":
            current.prompts.append(cell)
        elif current and block == "TESTS":
            (current.hidden if HIDDEN.match(cell.source) else current.public).append(cell)
    return found
