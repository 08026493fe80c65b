"""Makes student copy, autograder and instructor's key of an assignment out of its master."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import tempfile
from pathlib import Path

import nbformat

from tools import course
from tools.assignments import MASTERS, OUT, AssignmentError, masters

SETUP = '''# @title Setup: run this cell first
ASSIGNMENT = "{name}"  # edition {edition}


def set_up(checks):
    """Installs otter-grader where it is missing, and puts the checks beside the notebook."""
    import pathlib
    from importlib.util import find_spec

    if find_spec("otter") is None:
        get_ipython().run_line_magic("pip", "install -q 'otter-grader>=6.1'")
    import otter

    folder = pathlib.Path("checks-{name}")
    folder.mkdir(exist_ok=True)
    for question, lines in checks.items():
        text = "\\n".join(lines) + "\\n"
        (folder / f"{{question}}.py").write_text(text, encoding="utf-8")
    return otter.Notebook(tests_dir=str(folder))


grader = set_up(
    {checks}
)
print("Ready. grader.check(\\"q1\\") checks your answer to question q1.")'''
FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}}
COMMENT = re.compile(r"<!-- (?:BEGIN|END) QUESTION -->\s*")
CHECK = re.compile(r'grader\.check\("(\w+)"\)')


def build(name: str, path: Path, secret: str = "", out: Path = OUT) -> Path:
    """Builds one assignment and returns its folder, ``out/aN_topic``, which it replaces.

    Args:
        name: Such as "a1".
        path: The master.
        secret: Draws a private variant; without one the master is used as it stands.
        out: The folder of all assignments.
    """
    master = masters.read(path, secret)
    with tempfile.TemporaryDirectory(prefix="assignment-") as folder:
        work = Path(folder).resolve()
        nbformat.write(master, work / path.name)
        support = MASTERS / "support" / name
        if support.exists():
            shutil.copytree(
                support, work / "support" / name, ignore=shutil.ignore_patterns("__pycache__")
            )
            for module in (work / "support").rglob("*.py"):
                module.write_text(without_keys(module.read_text()))
        assign(work / path.name, work / "dist")
        made = work / "made"
        collect(work / "dist", made, master, path.name, masters.edition(secret))
        place = out / path.stem
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, place)
    return place


def without_keys(source: str) -> str:
    """A module without what its names call a key (``key_...``): that stays with the masters."""
    lines = source.splitlines(keepends=True)
    for node in reversed(ast.parse(source).body):
        names = [
            target.id for target in getattr(node, "targets", ()) if isinstance(target, ast.Name)
        ] + [getattr(node, "name", "")]
        if any(name.startswith("key_") for name in names):
            first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
            del lines[first - 1 : node.end_lineno]
    return "".join(lines)


def assign(master: Path, result: Path) -> None:
    """otter-grader's own step; what it says matters only if it fails."""
    from otter.assign import main

    try:
        main(str(master), str(result), no_pdfs=True, no_run_tests=True)
    except Exception as error:
        raise AssignmentError(f"otter-grader cannot read {master.name}: {error}") from error


def collect(dist: Path, made: Path, master: nbformat.NotebookNode, file: str, kind: str) -> None:
    """Sorts otter's output into student, autograder and instructor; completes the notebooks."""
    name = masters.config(master)["name"]
    asked = masters.questions(master)
    public = {
        path.stem: path.read_text()
        for path in sorted((dist / "student/tests").glob("*.py"))
        if has_cases(path)
    }
    tests = {
        path.stem: path.read_text() for path in sorted((dist / "autograder/tests").glob("*.py"))
    }
    student = course.read(dist / "student" / file)
    key = course.read(dist / "autograder" / file)
    edition = hashlib.sha256(
        json.dumps([[cell.source for cell in student.cells], tests], sort_keys=True).encode()
    ).hexdigest()[:8]
    for notebook in (student, key):
        finish(notebook, name, edition, public, [q.name for q in asked.values() if q.manual])
        notebook.metadata["assignment"] |= {"kind": kind}

    for sub in (
        "student",
        "autograder/tests",
        "autograder/public",
        "autograder/files",
        "instructor",
    ):
        (made / sub).mkdir(parents=True)
    nbformat.write(student, made / "student" / file)
    nbformat.write(key, made / "instructor" / file.replace(".ipynb", "_key.ipynb"))
    (made / "instructor" / "rubric.md").write_text(rubric(masters.title(master), asked))
    for question, source in tests.items():
        (made / "autograder/tests" / f"{question}.py").write_text(source)
    for question, source in public.items():
        (made / "autograder/public" / f"{question}.py").write_text(source)
    shutil.copytree(made / "autograder/tests", made / "instructor/tests")
    for part, target in (("student", "student"), ("autograder", "autograder/files")):
        if (dist / part / "support").exists():
            shutil.copytree(dist / part / "support", made / target / "support")
    for_students, for_tests = (set(files(made / part)) for part in ("student", "autograder/files"))
    shutil.copy(
        next((dist / "autograder").glob("*.zip")), made / "autograder" / f"{name}-gradescope.zip"
    )
    manifest = {
        "assignment": name,
        "title": masters.title(master),
        "notebook": file,
        "edition": edition,
        "kind": kind,
        **master.metadata["grading"],
        "hidden_support": sorted(for_tests - for_students),
        "given": sorted(
            {fingerprint(cell.source) for cell in student.cells if cell.cell_type == "code"}
        ),
        "questions": {
            q.name: {
                "name": q.name,
                "manual": q.manual,
                "points": q.points,
                "names": q.names(),
                **(place(student, q) if q.manual else {}),
            }
            for q in asked.values()
        },
    }
    (made / "autograder" / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def fingerprint(source: str) -> str:
    """Tells whether a cell is still the one that was handed out, whatever its spaces."""
    return hashlib.sha256(re.sub(r"\s+", " ", source).strip().encode()).hexdigest()[:16]


def place(student, question: masters.Question) -> dict:
    """Where a written answer is asked for: the cell's text, and the first lines that end it."""
    cells = [cell for cell in student.cells if cell.cell_type == "markdown"]
    at = next(i for i, cell in enumerate(cells) if cell.get("id") == f"{question.name}-answer")
    return {
        "asked": cells[at - 1].source,
        "headings": [cell.source.split("\n")[0] for i, cell in enumerate(cells) if i != at],
    }


def files(folder: Path) -> dict[str, bytes]:
    """The files under a folder, by their paths in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def possible(path: Path) -> float:
    """The points that the tests of a file can give."""
    from otter.nbmeta_config import NBMetadataConfig
    from otter.test_files import create_test_file

    return float(create_test_file(str(path), NBMetadataConfig()).possible)


def has_cases(path: Path) -> bool:
    """Whether a student's test file tests anything; a question may have hidden tests only."""
    from otter.nbmeta_config import NBMetadataConfig
    from otter.test_files import create_test_file

    return bool(create_test_file(str(path), NBMetadataConfig()).test_cases)


def finish(notebook, name: str, edition: str, public: dict[str, str], manual: list[str]) -> None:
    """Puts the public checks into the notebook, gives new cells stable ids, drops outputs.

    The checks stand in the setup cell, so that one file is enough, also on Colab, where
    otter-grader reads none from a notebook's metadata.
    """
    cells, unanswered = [], list(manual)
    for cell in notebook.cells:
        emptied = COMMENT.sub("", cell.source).strip()
        if emptied != cell.source.strip():
            cell.source = emptied
            if not emptied:
                continue
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            if match := CHECK.fullmatch(cell.source.strip()):
                if match[1] not in public:
                    continue  # nothing that a student could check
                cell.id = f"{match[1]}-check"
        elif "Type your answer here" in cell.source and unanswered:
            cell.id = f"{unanswered.pop(0)}-answer"
        cell.metadata.pop("deletable", None)
        cell.metadata.pop("editable", None)
        cells.append(cell)
    checks = {question: source.rstrip().splitlines() for question, source in public.items()}
    setup = SETUP.format(name=name, edition=edition, checks=literal(checks))
    cells.insert(1, nbformat.v4.new_code_cell(setup, id="setup", metadata=dict(FOLDED)))
    notebook.cells = cells
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python", "pygments_lexer": "ipython3"},
            "otter": {"assignment_name": name},
            "assignment": {"name": name, "edition": edition},
        }
    )
    nbformat.validate(notebook)


def literal(checks: dict[str, list[str]]) -> str:
    """A Python expression of the checks, one line of theirs a line."""
    text = ["{"]
    for question, lines in checks.items():
        text += [
            f'        "{question}": [',
            *(f"            {line!r}," for line in lines),
            "        ],",
        ]
    return "\n".join([*text, "    }"])


def rubric(title: str, asked: dict[str, masters.Question]) -> str:
    """What is marked by hand, with its solution."""
    parts = [f"# {title}: marked by hand\n"]
    for question in asked.values():
        if question.manual:
            parts.append(f"## {question.name}: {question.points} points\n")
            parts += [cell.source + "\n" for cell in question.solutions]
    return "\n".join(parts if len(parts) > 1 else [*parts, "Nothing: all of it is graded.\n"])


def load(name: str, out: Path = OUT) -> dict:
    """A built autograder: its manifest, with ``tests`` and ``public`` (the sources of all tests of
    a question, and of those that students see), ``possible`` (points by question) and ``support``
    (bytes by path).

    Raises:
        AssignmentError: It was not built.
    """
    built = sorted(out.glob(f"{name}_*/autograder/manifest.json"))
    if len(built) != 1:
        raise AssignmentError(
            f"there is no autograder of {name!r} in {out}: run `make assignments` first"
        )
    folder = built[0].parent
    tests = sorted((folder / "tests").glob("*.py"), key=order)
    return json.loads((folder / "manifest.json").read_text()) | {
        "folder": folder,
        "tests": {path.stem: path.read_text() for path in tests},
        "public": {path.stem: path.read_text() for path in (folder / "public").glob("*.py")},
        "possible": {path.stem: possible(path) for path in tests},
        "support": files(folder / "files"),
    }


def order(path: Path) -> tuple[int, str]:
    """q2 before q10."""
    digits = re.sub(r"\D", "", path.stem)
    return int(digits or 0), path.stem
