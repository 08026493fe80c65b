"""Runs the tests on all cores, each file's in one process.

    python -m tools.test [--check] [OPTIONS OF PYTEST]

``--check`` leaves out what takes long: notebooks, the built book, assignments, each method of each
experiment, whatever starts processes. The rest, with style and spelling, is for whoever edits.
Everything computes on one thread, so that processes cost each other little; long units start
first, so that no core is idle for long at the end.
"""

import os
import sys
from pathlib import PurePath

import pytest
from xdist.scheduler import LoadScopeScheduling

from tools import course

# What takes long, the longest first. The tests of a unit's files run in one process, one after the
# other, and share what they build: the book, the assignments, started processes.
BOOK = ("test_book.py", "test_browser.py", "test_slides.py", "test_quiz.py")
UNITS = (
    ("test_assignments.py",),
    BOOK,
    ("test_grading.py", "test_grading_class.py", "test_sandbox.py"),
    ("test_assignment_a2.py",),
    ("test_assignment_a1.py",),
    ("test_assignment_a3.py",),
    ("test_assignment_a4.py",),
    ("test_processes.py",),
    ("test_types.py",),
    ("test_experiments_methods.py",),
    ("test_experiments_command.py",),
    ("test_bench.py",),
    ("test_workers.py",),
    ("test_execution.py",),
    ("test_environment.py",),
    ("test_imports.py",),
)
LONG = [file for unit in UNITS for file in unit]
MOST = 8  # processes; each holds torch and its peers in memory


def file_of(nodeid: str) -> PurePath:
    """The file of a test, from its id."""
    return PurePath(nodeid.partition("::")[0])


def unit(nodeid: str) -> str:
    """The unit of a test: its file, or the first of the files that share a process with it."""
    file = file_of(nodeid)
    return next((files[0] for files in UNITS if file.name in files), str(file))


def takes_long(nodeid: str) -> bool:
    """Whether ``make check`` leaves a test out."""
    file = file_of(nodeid)
    return file.suffix == ".ipynb" or file.name in LONG


def place(nodeid: str) -> tuple:
    """Where a test stands in the queue: long files as listed, notebooks by their time, the rest."""
    file = file_of(nodeid)
    if file.name in LONG:
        return 0, LONG.index(file.name)
    seconds = course.times().get(file.stem, {}).get("cpu", {}).get("seconds", 60)
    return (1, -seconds) if file.suffix == ".ipynb" else (2, 0)


def arrange(items: list) -> None:
    """Sorts collected tests: long ones first.

    Raises:
        pytest.UsageError: a test needs the book and stands outside of the unit that builds it.
    """
    for item in items:
        if "site" in getattr(item, "fixturenames", ()) and item.path.name not in BOOK:
            raise pytest.UsageError(f"{item.nodeid} needs the book: name its file in tools/test.py")
    places = {item.path: place(item.nodeid) for item in items}
    items.sort(key=lambda item: places[item.path])


class Units(LoadScopeScheduling):
    """Gives whole units to processes, in the order in which they were collected."""

    def __init__(self, config, log=None):
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


def main(arguments: list[str]) -> int:
    """Exit status of pytest."""
    processes = min(os.cpu_count() or 1, MOST)
    return pytest.main([*(["-n", str(processes)] if processes > 1 else []), *arguments])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
