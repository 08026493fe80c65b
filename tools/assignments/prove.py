"""Proves a built assignment: key, untouched copy, wrong answers, leaks, limits, variant."""

from __future__ import annotations

import ast
import importlib
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tools import course
from tools.assignments import OUT, AssignmentError, build, leaks, masters, sandbox

# What a careless or malicious answer does, and what the report must then say.
HOSTILE = {
    "loops": ("while True:\n    pass", "stopped after 2 seconds of computing"),
    "raises": ("raise ValueError('nothing here')", "raised ValueError: nothing here"),
    "eats memory": (
        "kept = []\nwhile True:\n    kept.append(b'x' * 4 * 10**8)",
        "MemoryError" if sys.platform == "linux" else "MiB of memory|MemoryError",
    ),
    "prints without end": ("while True:\n    print('x' * 10_000)", "printed more than"),
    "deletes files": (
        "import os\nfor name in os.listdir():\n    os.remove(name)",
        "deleted or changed files",
    ),
}
TIGHT = sandbox.Limits(cpu=60, memory=1500, output=2)
PUBLISHED_EARNS = 0.4  # of a variant's marks: the published key must stay below
SHORT = sandbox.Limits(cpu=30, cell=2)  # for the one that loops


def marks(result: dict) -> float:
    """The points of a graded submission. What was finished counts, also if it was stopped."""
    return sum(question["score"] for question in result["questions"].values())


def full(autograder: dict) -> float:
    """The points that tests can give."""
    return sum(autograder["possible"].values())


def replaced(notebook: str, answers: dict[str, str]) -> str:
    """A notebook with other answers, by question: the cell ``qN-solution`` gets the source."""
    content = json.loads(notebook)
    cells = {cell["id"]: cell for cell in content["cells"]}
    for question, source in answers.items():
        if f"{question}-solution" not in cells:
            raise AssignmentError(
                f"an answer is given to {question!r}, and there is no cell '{question}-solution'"
            )
        cells[f"{question}-solution"]["source"] = source
    return json.dumps(content)


def answers(notebook: str, questions: dict) -> dict[str, str]:
    """The code of the solution cells of a notebook, by question."""
    cells = {
        cell["id"]: "".join(cell["source"])
        for cell in json.loads(notebook)["cells"]
        if cell["cell_type"] == "code"
    }
    return {name: cells[f"{name}-solution"] for name in questions if f"{name}-solution" in cells}


def by_title(published: dict[str, str], key: str, student: str) -> dict[str, str]:
    """Answers moved to the questions that stand under the same title ("Case 2. Class numbers"),
    with the numbers in their names changed."""

    def titles(notebook):
        found, title = {}, ""
        for cell in json.loads(notebook)["cells"]:
            source = "".join(cell["source"])
            if match := re.match(r"## (?:Case )?(\d+)\. (.+)", source):
                title = match
            if title and cell["id"].endswith("-solution"):
                place = title[2].replace(" (for practice)", "").strip()
                same = sum(1 for _, known, _ in found.values() if known == place)
                found[cell["id"].removesuffix("-solution")] = (title[1], place, same)
        return found

    old = {
        (place, same): (question, number) for question, (number, place, same) in titles(key).items()
    }
    moved = {}
    for question, (number, place, same) in titles(student).items():
        if (place, same) in old and old[place, same][0] in published:
            source, was = published[old[place, same][0]], old[place, same][1]
            moved[question] = re.sub(rf"_{was}\b", f"_{number}", source)
    return moved


def reordered(answers: dict[str, str], stubs: dict[str, str]) -> dict[str, str]:
    """Answers whose functions take their arguments in the order that the stubs of an assignment
    have, and are called so: what somebody does who pastes the bodies of a published key."""

    def functions(source):
        return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]

    wanted = {
        node.name: [one.arg for one in node.args.args]
        for source in stubs.values()
        for node in functions(source)
    }
    trees, orders = {name: ast.parse(source) for name, source in answers.items()}, {}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name in wanted:
                given = [one.arg for one in node.args.args]
                if sorted(given) == sorted(wanted[node.name]):
                    order = orders[node.name] = [given.index(one) for one in wanted[node.name]]
                    node.args.args = [node.args.args[i] for i in order]
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                order = orders.get(node.func.id, [])
                if len(node.args) == len(order):
                    node.args = [node.args[i] for i in order]
    return {name: ast.unparse(tree) for name, tree in trees.items()}


def tell(result: dict) -> str:
    """What went wrong, in short."""
    failed = [
        f"{name}: {case['message'] or ''} {case['detail'][-300:]}"
        for name, question in result["questions"].items()
        for case in question["cases"]
        if not case["passed"]
    ]
    return "; ".join([result["reason"], *result["signs"], *result["errors"], *failed]).strip("; ")


class Proof:
    """The checks of one assignment; each yields a sentence per failure."""

    def __init__(self, name: str, path: Path, secret: str = "", out: Path = OUT):
        self.name, self.path, self.secret = name, path, secret
        self.place = out / path.stem
        self.autograder = build.load(name, out)
        self.full = full(self.autograder)
        self.key = (self.place / "instructor" / f"{path.stem}_key.ipynb").read_text()
        self.student = (self.place / "student" / path.name).read_text()

    def solution(self) -> Iterator[str]:
        """The key gets full marks here and from otter's own command, which Gradescope runs."""
        result = sandbox.run(self.key, self.autograder)
        if marks(result) != self.full or result["errors"]:
            yield f"the key gets {marks(result):g} of {self.full:g}: {tell(result)}"
        with tempfile.TemporaryDirectory() as folder:
            zipped = self.place / "autograder" / f"{self.name}-gradescope.zip"
            key = self.place / "instructor" / f"{self.path.stem}_key.ipynb"
            command = [
                sys.executable,
                "-m",
                "otter",
                "run",
                key,
                "-a",
                zipped,
                "-o",
                folder,
                "--no-logo",
            ]
            run = subprocess.run(
                command,
                check=False,
                capture_output=True,
                text=True,
                env=os.environ | course.ENVIRONMENT,
            )
            results = Path(folder) / "results.json"
            if run.returncode or not results.exists():
                yield f"`otter run` failed: {(run.stdout + run.stderr)[-500:]}"
            else:
                tests = [
                    test for test in json.loads(results.read_text())["tests"] if "max_score" in test
                ]
                official = sum(test.get("score", 0) for test in tests)
                if not math.isclose(official, self.full):
                    yield f"`otter run` gives the key {official:g} of {self.full:g}: {tests}"

    def untouched(self) -> Iterator[str]:
        """The untouched student copy gets nothing, and each failed check says why."""
        result = sandbox.run(self.student, self.autograder)
        if marks(result) or result["reason"]:
            yield f"the untouched copy gets {marks(result):g} marks; valid is 0: {tell(result)}"
        silent = [
            name
            for name, question in result["questions"].items()
            for case in question["cases"]
            if not case["passed"] and not case["message"]
        ]
        if silent:
            yield f"tests without a failure_message, in {', '.join(sorted(set(silent)))}"

    def wrong(self) -> Iterator[str]:
        """Plausible wrong answers get the marks that the author states."""
        for name, answer in importlib.import_module(
            f"assignments.answers.{self.name}"
        ).WRONG.items():
            result = sandbox.run(replaced(self.key, answer["answers"]), self.autograder)
            if not math.isclose(marks(result), answer["marks"], abs_tol=1e-9):
                yield (
                    f"wrong answer {name!r} gets {marks(result):g} of {self.full:g}; stated is "
                    f"{answer['marks']:g}: {tell(result)}"
                )

    def right(self) -> Iterator[str]:
        """Right answers in other styles get full marks."""
        pool = getattr(importlib.import_module(f"assignments.answers.{self.name}"), "RIGHT", {})
        for name, answer in pool.items():
            result = sandbox.run(replaced(self.key, answer["answers"]), self.autograder)
            if not math.isclose(marks(result), self.full, abs_tol=1e-9):
                yield f"{name!r} gets {marks(result):g} of {self.full:g}: {tell(result)}"

    def leaks(self) -> Iterator[str]:
        """No student file holds a solution, a hidden test or the secret."""
        yield from leaks.find(self.place / "student", masters.read(self.path, self.secret))
        if self.secret:
            for path in sorted((self.place / "student").rglob("*")):
                if path.is_file() and self.secret in path.read_text(errors="replace"):
                    yield f"{path.name} holds the variant's secret"

    def limits(self) -> Iterator[str]:
        """Submissions that misbehave get nothing, and a reason."""
        first = next(iter(answers(self.student, self.autograder["questions"])))
        for name, (source, reason) in HOSTILE.items():
            limits = SHORT if name == "loops" else TIGHT
            result = sandbox.run(replaced(self.student, {first: source}), self.autograder, limits)
            if marks(result) or not re.search(reason, tell(result)):
                yield f"a submission that {name} gets {marks(result):g} marks: {tell(result)}"

    def variant(self) -> Iterator[str]:
        """Against a variant, the published key earns less than two fifths: as a notebook, as
        answers in the variant's copy, and as answers at the places of their titles, with their
        arguments in the variant's order; so do the published right answers in other styles."""
        if not self.secret:
            return
        with tempfile.TemporaryDirectory() as folder:
            public = build.build(self.name, self.path, out=Path(folder))
            key = (public / "instructor" / f"{self.path.stem}_key.ipynb").read_text()
        published = answers(key, self.autograder["questions"])
        stubs = answers(self.student, self.autograder["questions"])
        tried = {
            "public key": key,
            "public key's answers": replaced(self.student, published),
        }
        pool = importlib.import_module(f"assignments.answers.{self.name}").RIGHT
        for name, right in {"key": {"answers": {}}, **pool}.items():
            given = published | right["answers"]
            fitted = by_title(given, key, self.student) or given
            tried[f"public {name}'s answers by their titles"] = replaced(
                self.student, reordered(fitted, stubs)
            )
        for what, notebook in tried.items():
            got = marks(sandbox.run(notebook, self.autograder))
            if got >= PUBLISHED_EARNS * self.full:
                yield f"the {what} get {got:g} of {self.full:g} marks in the variant"

    def steps(self) -> Iterator[tuple[str, list[str]]]:
        """Runs all; yields each check's first sentence and its failures. The stated marks of
        wrong answers hold for the master as it stands, so a variant leaves them out."""
        checks = [self.solution, self.untouched, self.leaks, self.limits]
        for check in checks + ([self.variant] if self.secret else [self.wrong, self.right]):
            said = " ".join(check.__doc__.split())
            yield said.split(": ")[0].rstrip("."), list(check())


def make_one(name: str, path: Path, secret: str, out: Path, proof: bool) -> tuple[str, int]:
    """Builds and proves one; returns what to say of it, and how many checks fail."""
    began = time.monotonic()
    place = build.build(name, path, secret, out)
    lines, failures = [f"{name}: {place} ({masters.edition(secret)})"], 0
    for what, said in Proof(name, path, secret, out).steps() if proof else ():
        lines += [f"  {'FAILS' if said else 'ok   '} {what}", *(f"        {it}" for it in said)]
        failures += len(said)
    lines.append(f"  {time.monotonic() - began:.0f} s")
    return "\n".join(lines), failures
