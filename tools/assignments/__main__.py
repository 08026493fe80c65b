"""The commands; see ``make assignments`` and ``make grade``."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tools.assignments import GRADES, MASTERS, OUT, VARIANTS, AssignmentError, masters


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.assignments", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("build", help="build and prove the assignments")
    make.add_argument("names", nargs="*", help="such as a1; all if none is named")
    add_variant(make, "redraw bugs, constants and data from this private word")
    make.add_argument("--no-proof", action="store_true", help="only build")
    make.add_argument(
        "--out", type=Path, help="default: a folder in _build, of its own for each variant"
    )
    mark = commands.add_parser("grade", help="grade a folder of submissions")
    mark.add_argument("folder", type=Path)
    mark.add_argument("--assignment", default="", help="such as a1, if all are for one")
    mark.add_argument("--out", type=Path, help=f"default: {GRADES.name}/ in _build")
    mark.add_argument(
        "--built",
        type=Path,
        help="folder of the built assignments; default: that of the variant, or the public edition",
    )
    add_variant(mark, "grade with the variant of this word")
    mark.add_argument(
        "--worksheet",
        type=Path,
        metavar="FILE",
        help="Moodle's own grading worksheet, as downloaded; a copy is filled in",
    )
    mark.add_argument(
        "--groups",
        type=Path,
        metavar="FILE",
        help="a table with the columns Group, Student and Number: each member gets a row",
    )
    mark.add_argument("--workers", type=int, help="submissions side by side; default: all cores")
    asked = parser.parse_args(arguments)
    try:
        secret = word(asked)
        if asked.command == "build":
            make_all(asked.names, secret, asked.out or place(secret), not asked.no_proof)
        else:
            from tools.assignments import grade

            grade.folder(
                asked.folder,
                asked.out or GRADES / asked.folder.resolve().name,
                asked.assignment,
                asked.built or place(secret),
                asked.worksheet,
                asked.workers,
                asked.groups,
            )
    except AssignmentError as error:
        sys.exit(f"{error}")


def add_variant(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--variant", metavar="SECRET", help=what)
    parser.add_argument(
        "--variant-from",
        metavar="NAME",
        help="the environment's variable that "
        "holds this word, so that no shell and no list of processes sees it",
    )


def word(asked: argparse.Namespace) -> str:
    """The variant's secret; empty for the public edition.

    Raises:
        AssignmentError: One is asked for, and it is blank.
    """
    given = os.environ.get(asked.variant_from) if asked.variant_from else asked.variant
    if given is not None and not given.strip():
        raise AssignmentError(
            f"the variant's secret is {given!r}; valid is a word or a sentence "
            "that you keep, and without one the public edition is built"
        )
    return given or ""


def place(secret: str) -> Path:
    """The folder of an edition."""
    return VARIANTS / masters.edition(secret) if secret else OUT


def side_by_side(function: Callable, asked: list[tuple]) -> Iterator:
    """Results of the calls, in order: one after the other if there is only one, or one core."""
    if min(len(asked), os.cpu_count()) == 1:
        yield from (function(*arguments) for arguments in asked)
        return
    # Fresh processes: each has a server of its own, whose leavings it may clear away.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(len(asked), os.cpu_count()), mp_context=spawn) as pool:
        yield from pool.map(function, *zip(*asked))


def make_all(names: list[str], secret: str, out: Path, proof: bool = True) -> None:
    """Builds and proves, side by side; the failures of all assignments are told together."""
    from tools.assignments.prove import make_one

    found = masters.find(names)
    if not found:
        raise AssignmentError(f"there are no masters aN_topic.ipynb in {MASTERS}")
    print(f"Edition: {masters.edition(secret)}, in {out}", flush=True)
    asked = [(name, path, secret, out, proof) for name, path in found.items()]
    failed = 0
    for report, failures in side_by_side(make_one, asked):
        print(report, flush=True)
        failed += failures
    if failed:
        raise AssignmentError(f"{failed} checks fail; the copies must not be handed out")


if __name__ == "__main__":
    from tools.assignments import warden

    warden.prctl(warden.PR_SET_DUMPABLE, 0)  # no submission reads this process's environment
    main()
