"""The commands; see ``make assignments`` and ``make grade``."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tools.assignments import GRADES, MASTERS, OUT, AssignmentError, masters


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.assignments", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("build", help="build and prove the assignments")
    make.add_argument("names", nargs="*", help="such as a1; all if none is named")
    make.add_argument(
        "--variant",
        default="",
        metavar="SECRET",
        help="redraw bugs, constants and data from this private word",
    )
    make.add_argument("--no-proof", action="store_true", help="only build")
    make.add_argument("--out", type=Path, default=OUT)
    mark = commands.add_parser("grade", help="grade a folder of submissions")
    mark.add_argument("folder", type=Path)
    mark.add_argument("--assignment", default="", help="such as a1, if all are for one")
    mark.add_argument("--out", type=Path, help=f"default: {GRADES.name}/ in _build")
    mark.add_argument("--built", type=Path, default=OUT, help="folder of the built assignments")
    asked = parser.parse_args(arguments)
    try:
        if asked.command == "build":
            make_all(asked.names, asked.variant, asked.out, not asked.no_proof)
        else:
            from tools.assignments import grade

            grade.folder(
                asked.folder,
                asked.out or GRADES / asked.folder.resolve().name,
                asked.assignment,
                asked.built,
            )
    except AssignmentError as error:
        sys.exit(f"{error}")


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
    asked = [(name, path, secret, out, proof) for name, path in found.items()]
    failed = 0
    for report, failures in side_by_side(make_one, asked):
        print(report, flush=True)
        failed += failures
    if failed:
        raise AssignmentError(f"{failed} checks fail; the copies must not be handed out")


if __name__ == "__main__":
    main()
