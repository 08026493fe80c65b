"""Runs experiments: in paired order, side by side, resuming, skipping what is recorded."""

import math
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn, set_num_threads

from mixup_lib import results
from mixup_lib._check import integer_at_least
from mixup_lib.checkpoint import describe
from mixup_lib.history import History
from mixup_lib.models import parameter_count

__all__ = ["Experiment", "run", "run_one"]


@dataclass(frozen=True)
class Experiment:
    """What is run for each method and seed.

    Attributes:
        name: folder of its results.
        title: one line for the list of experiments.
        config: everything that the runs share, as JSON; it is copied into each record.
        methods: name of each method and its own settings, as JSON.
        seeds: the paired seeds: each varies data split, initial weights and draws.
        measure: ``(method, seed, checkpoint) -> dict``, the part of a record that it measured.
    """

    name: str
    title: str
    config: dict
    methods: dict[str, dict]
    seeds: tuple[int, ...]
    measure: Callable[[str, int, Path], dict]

    def runs(self) -> list[tuple[str, int]]:
        """All runs, seed by seed, so that complete pairs come first."""
        return [(method, seed) for seed in self.seeds for method in self.methods]


def rounded(values, digits: int = 6):
    """Floats to a readable number of digits, in a list or a dictionary."""
    if isinstance(values, dict):
        return {name: round(value, digits) for name, value in values.items()}
    return [round(value, digits) for value in values]


def described(methods: dict[str, dict]) -> dict[str, dict]:
    """The settings of each method as text, the same in every process."""
    return {
        method: {name: describe(value) for name, value in settings.items()}
        for method, settings in methods.items()
    }


def of_training(model: nn.Module, history: History) -> dict:
    """The part of a record that every training has: its curves, seconds and parameters."""
    curves = {}
    for name in ("validation_accuracy", "validation_nll", "train_loss", "mixed_accuracy"):
        column = [row[name] for row in history.rows if name in row]
        if column and all(map(math.isfinite, column)):  # JSON has no nan
            curves[name] = rounded(column)
    validated = [row["epoch"] for row in history.rows if "validation_nll" in row]
    return {
        "history": {"validated_epochs": validated} | curves,
        "seconds": {"training": round(sum(history["seconds"]), 1)},
        "parameters": parameter_count(model),
    }


def run_one(
    experiment: Experiment,
    method: str,
    seed: int,
    root: Path | None = None,
    checkpoints: Path | None = None,
) -> Path | None:
    """Runs one method with one seed and records it; None if it is recorded already.

    Args:
        experiment: what to run.
        method: one of its methods.
        seed: one of its seeds.
        root: folder of the results; None takes the repository's.
        checkpoints: folder of the checkpoints; None takes ``data/checkpoints`` beside the results.

    Raises:
        ValueError: if the experiment has no such method or seed.
    """
    if (method, seed) not in experiment.runs():
        raise ValueError(
            f"{experiment.name} has no run {(method, seed)}: methods are "
            f"{list(experiment.methods)}, seeds {list(experiment.seeds)}"
        )
    if results.exists(experiment.name, method, seed, root):
        return None
    if checkpoints is None:
        checkpoints = Path(root or results.folder()).parent / "data" / "checkpoints"
    checkpoint = checkpoints / experiment.name / f"{method}-seed{seed}.pt"
    record = {
        "experiment": experiment.name,
        "method": method,
        "seed": seed,
        "config": experiment.config | {"method": experiment.methods[method]},
        "provenance": results.provenance(),
    }
    file = results.save(record | experiment.measure(method, seed, checkpoint), root)
    checkpoint.unlink(missing_ok=True)
    return file


def run(
    experiment: Experiment,
    workers: int = 1,
    threads: int | None = None,
    root: Path | None = None,
    checkpoints: Path | None = None,
    tell: Callable[[str], None] = print,
) -> None:
    """Runs whatever is not recorded yet.

    Args:
        experiment: what to run.
        workers: processes side by side, each of which takes the next run when it has finished one.
        threads: threads of each worker; None leaves torch's own choice with one worker and takes
            one thread with more.
        root: folder of the results.
        checkpoints: folder of the checkpoints.
        tell: called with a line when a run ends.

    Raises:
        ValueError: if ``workers`` or ``threads`` is below 1.
    """
    integer_at_least("workers", workers, 1)
    if threads is None and workers > 1:
        threads = 1
    if threads is not None:
        integer_at_least("threads", threads, 1)
    todo = [
        (experiment, method, seed, root, checkpoints)
        for method, seed in experiment.runs()
        if not results.exists(experiment.name, method, seed, root)
    ]
    done = len(experiment.runs()) - len(todo)
    tell(f"{experiment.name}: {done} runs recorded, {len(todo)} to do")
    if not todo:
        return
    if workers == 1:
        _prepare(threads)
        for line in map(_job, todo):
            tell(line)
        return
    # Spawned workers import the code once and keep it, whatever is edited meanwhile.
    with multiprocessing.get_context("spawn").Pool(workers, _prepare, (threads,)) as pool:
        for line in pool.imap_unordered(_job, todo, chunksize=1):
            tell(line)
        pool.close()
        pool.join()


def _prepare(threads: int | None) -> None:
    if threads is not None:
        set_num_threads(threads)
    results.provenance()  # remembers the code as it is when the worker starts


def _job(arguments: tuple) -> str:
    experiment, method, seed, *_ = arguments
    start = time.perf_counter()
    file = run_one(*arguments)
    minutes = (time.perf_counter() - start) / 60
    ended = "was recorded already" if file is None else f"recorded after {minutes:.1f} minutes"
    return f"{experiment.name} {method} seed {seed}: {ended}"
