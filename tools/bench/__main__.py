"""Measures what the library costs, and prints it as tables.

    python -m tools.bench [--mixing] [--training] [--make] [--quick] [--record [FILE]]

Without a choice: mixing and training. `--record` writes results/bench.json too; what was not
measured now stays there as it was, each part with the hardware and versions of its own. What is
replaced stays as well, under `before`, so that the page can show what a change brought.
"""

import argparse
import json
from pathlib import Path

import torch

from mixup_lib.evidence import results
from tools import course
from tools.bench import commands, mixing, tables, training

FILE = results.folder() / "bench.json"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    it = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__.splitlines()[0])
    it.add_argument("--mixing", action="store_true", help="mixing a batch, beside other libraries")
    it.add_argument("--training", action="store_true", help="fit beside a plain loop")
    it.add_argument(
        "--make",
        action="store_true",
        help="make book and make test, twice each, on a fresh clone: half an hour",
    )
    it.add_argument("--quick", action="store_true", help="tiny sizes: does it run?")
    it.add_argument("--rounds", type=int, help="how often each thing is measured (default: 41)")
    it.add_argument(
        "--record",
        type=Path,
        nargs="?",
        const=FILE,
        metavar="FILE",
        help="write JSON too (default: results/bench.json)",
    )
    return it


def mixing_part(options, devices: list[str]) -> dict:
    """Rows on mixing; their key is `rows`, beside `rounds` and `provenance`, in the file itself."""
    shapes, rounds = (mixing.QUICK, 3) if options.quick else (mixing.SHAPES, options.rounds or 41)
    rows = [row for device in devices for row in mixing.measure(shapes, device, rounds)]
    print(tables.mixing(rows), "\n")
    return {"rounds": rounds, "rows": rows, "provenance": results.provenance()}


def training_part(options, devices: list[str]) -> dict:
    """Rows on training."""
    rounds = options.rounds or (3 if options.quick else training.ROUNDS)
    most = 2 if options.quick else None
    rows = [row for device in devices for row in training.measure(device, rounds, most)]
    print(tables.training(rows), "\n")
    with training.one_thread():
        provenance = results.provenance()
        return {"training": {"rounds": rounds, "rows": rows, "provenance": provenance}}


def make_part() -> dict:
    """Rows on the two commands."""
    rows = commands.measure()
    print(tables.commands(rows), "\n")
    return {"make": {"rows": rows, "provenance": results.provenance()}}


def main(arguments: list[str] | None = None) -> None:
    """Measures what the command line asks for."""
    it = parser()
    options = it.parse_args(arguments)
    if options.rounds is not None and options.rounds < 2:
        it.error(f"--rounds must be at least 2, got {options.rounds}")
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    usual = not (options.mixing or options.training or options.make)

    def record(part: dict) -> None:
        if options.record:  # at once: what comes later may be interrupted
            there = options.record.exists()
            known = json.loads(options.record.read_text(encoding="utf-8")) if there else {}
            before = known.get("before", {}) | {key: known[key] for key in part if key in known}
            text = json.dumps(known | part | {"before": before}, indent=1)
            course.write(options.record, text + "\n")

    if options.mixing or usual:
        record(mixing_part(options, devices))
    if options.training or usual:
        record(training_part(options, devices))
    if options.make:
        record(make_part())


if __name__ == "__main__":
    main()
