"""Marks an assignment's master in this process: quick, and without a sandbox.

The builder's own proof runs the real thing; this is for tests that try many answers.
"""

import contextlib
import inspect
import io
import re
import sys
from collections import defaultdict

import yaml

from tools import course
from tools.assignments import prove

sys.path.append(str(course.ROOT / "assignments"))  # hidden tests import from support/

SHOWS = {"show", "picture", "pay-off"}
CONFIG = re.compile(r'""" # BEGIN TEST CONFIG\n(.*?)""" # END TEST CONFIG\n', re.DOTALL)


def cells(file: str, drawn: dict[str, str] | None = None) -> dict[str, str]:
    """The sources of a master's code cells by id, with a variant's cells in their places."""
    notebook = course.read(course.ROOT / "assignments" / file)
    return {
        cell.id: (drawn or {}).get(cell.id, cell.source)
        for cell in notebook.cells
        if cell.cell_type == "code"
    }


def answered(sources: dict[str, str], answers: dict[str, str]) -> dict[str, str]:
    """The cells with other answers, by question."""
    return sources | {f"{question}-solution": source for question, source in answers.items()}


def untouched(sources: dict[str, str]) -> dict[str, str]:
    """What a student starts from."""
    from otter.assign.solutions import replace_solutions

    return {
        name: "\n".join(replace_solutions(source.splitlines(), "python"))
        if name.endswith("-solution")
        else source
        for name, source in sources.items()
    }


def published(master: dict, variant: dict, questions) -> list[dict[str, str]]:
    """The master's answers to a variant, by question: as they are, and with their arguments in the
    variant's order."""
    old, stubs = (
        {question: cells[f"{question}-solution"] for question in questions}
        for cells in (master, variant)
    )
    return [old, prove.reordered(old, stubs)]


def mark(
    sources: dict[str, str], only: tuple[str, ...] = (), printed: io.StringIO | None = None
) -> dict[str, tuple[float, str]]:
    """Runs the code cells in order; gives each test's points, with what it said if it failed.

    Args:
        sources: Code cells by id.
        only: Questions whose tests run; all if empty.
        printed: Takes what the cells print. Without it, those that only show something are left
            out: figures take most of the time.
    """
    import matplotlib

    matplotlib.use("Agg")
    space, found = {"__name__": "__main__"}, {}
    for name, source in sources.items():
        config = CONFIG.match(source)
        if name in SHOWS and printed is None:
            continue
        with contextlib.redirect_stdout(printed or io.StringIO()):
            if config:
                if not only or name.split("-")[0] in only:
                    found[name] = outcome(source[config.end() :], config, space)
                continue
            with contextlib.suppress(Exception):  # a notebook goes on after a cell that fails
                exec(compile(source, f"<{name}>", "exec"), space)
    return found


def outcome(source: str, config: re.Match, space: dict) -> tuple[float, str]:
    """A test's points, 0 if it fails, and what it said."""
    own = {}
    exec(compile(source.rsplit("\n\n\n", 1)[0], "<test>", "exec"), own)  # without its call
    test = next(value for name, value in own.items() if name.startswith("test_"))
    parameters = inspect.signature(test).parameters
    try:
        test(**{name: space if name == "env" else space.get(name) for name in parameters})
    except Exception as error:
        return 0.0, f"{type(error).__name__}: {error}"
    return float(yaml.safe_load(config[1])["points"]), ""


def totals(marks: dict[str, tuple[float, str]]) -> dict[str, float]:
    """The points by question."""
    found = defaultdict(float)
    for name, (points, _) in marks.items():
        found[name.split("-")[0]] += points
    return dict(found)
