"""What an experiment is, and how one run of it becomes a record."""

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from torch import nn
from torch.utils.data import Dataset

from mixup_lib.basics.naming import describe
from mixup_lib.basics.writing import unfinished
from mixup_lib.evidence import results
from mixup_lib.evidence.outcomes import packed
from mixup_lib.models import parameter_count
from mixup_lib.training.evaluation import classified, evaluate, predict
from mixup_lib.training.history import History
from mixup_lib.training.runtime import default_device

__all__ = ["Experiment", "run_one"]


@dataclass(frozen=True)
class Experiment:
    """What is run for each method and seed.

    Attributes:
        name: folder of its results.
        title: one line for the list of experiments.
        config: everything that the runs share, as JSON; it is copied into each record, with the
            device of the run.
        methods: name of each method and its own settings, as JSON.
        seeds: the paired seeds: each varies data split, initial weights and draws.
        measure: ``(config, method, seed, checkpoint) -> dict``, the part of a record that it
            measured. It takes every setting from the ``config`` it is given, a copy of its own.
        cpu_only: True if ``measure`` trains on the CPU, whatever ``config`` says.
    """

    name: str
    title: str
    config: dict
    methods: dict[str, dict]
    seeds: tuple[int, ...]
    measure: Callable[[dict, str, int, Path], dict]
    cpu_only: bool = False

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


def of_parts(model: nn.Module, parts: Mapping[str, Dataset]) -> dict[str, dict[str, float]]:
    """The ``metrics`` of a record: each part of the data, by name, as ``evaluate`` measures it."""
    return {name: rounded(evaluate(model, part)) for name, part in parts.items()}


def of_parts_and_examples(model: nn.Module, parts: Mapping[str, Dataset]) -> dict:
    """The same as a part of a record, and which test examples are named wrongly.

    For experiments whose runs all read the same test examples in the same order: with these bits an
    interval can count the drawing of the examples, see ``Interval.of_outcomes``.
    """
    found = {name: predict(model, part) for name, part in parts.items()}
    return {
        "metrics": {name: rounded(classified(*of)) for name, of in found.items()},
        "outcomes": {
            name: packed((logits.argmax(1) != y).numpy())
            for name, (logits, y) in found.items()
            if name == "test"
        },
    }


def of_training(model: nn.Module, history: History) -> dict:
    """The part of a record that every training has: what ran, its curves, seconds, parameters."""
    curves = {}
    for name in ("validation_accuracy", "validation_nll", "train_loss", "mixed_accuracy"):
        column = [row[name] for row in history.rows if name in row]
        if column and all(map(math.isfinite, column)):  # JSON has no nan
            curves[name] = rounded(column)
    validated = [row["epoch"] for row in history.rows if "validation_nll" in row]
    return {
        "fit": history.settings,
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
    device: str | None = None,
) -> Path | None:
    """Runs one method with one seed and records it; None if it is recorded already.

    Args:
        experiment: what to run.
        method: one of its methods.
        seed: one of its seeds.
        root: folder of the results; None takes the repository's.
        checkpoints: folder of the checkpoints; None takes ``data/checkpoints`` beside the
            repository's results, and ``.checkpoints`` inside another folder of results.
        device: such as "cuda"; None takes the experiment's own. The record says which it was.

    Raises:
        ValueError: if the experiment has no such method or seed, or can't run on ``device``.
        BlockingIOError: if another process is at this very run.
        FileExistsError: if another process recorded it meanwhile.
        UntraceableError: if the record could not name the commit of its code: nothing is run; or
            the run imported code that this commit does not have: nothing is recorded.
    """
    if (method, seed) not in experiment.runs():
        raise ValueError(
            f"{experiment.name} has no run {(method, seed)}: methods are "
            f"{list(experiment.methods)}, seeds {list(experiment.seeds)}"
        )
    device = device_of(experiment, device)
    target = results.path(experiment.name, method, seed, root)
    if target.exists():
        return None
    results.check_traceable(root)
    if checkpoints is None:
        usual = root is None or Path(root).resolve() == results.folder()
        own = results.folder().parent / "data" / "checkpoints"
        checkpoints = own if usual else Path(root) / ".checkpoints"
    # A run never goes on with what another device began.
    other = "" if device == experiment.config.get("device", "cpu") else f"-{device}"
    checkpoint = checkpoints / experiment.name / f"{method}-seed{seed}{other}.pt".replace(":", "")
    with alone(target.with_name(f".{target.stem}.lock")):
        if target.exists():
            return None
        for left in unfinished(checkpoint) + unfinished(target):
            left.unlink(missing_ok=True)  # of a process that was killed
        provenance = results.provenance() | {"device": device}
        resumed, start = checkpoint.exists(), time.perf_counter()
        config = experiment.config | {"device": device}
        record = {
            "experiment": experiment.name,
            "method": method,
            "seed": seed,
            "config": config | {"method": experiment.methods[method]},
            "provenance": provenance,
        } | experiment.measure(deepcopy(config), method, seed, checkpoint)
        results.check_late_imports()
        if not resumed:
            seconds = {"run": round(time.perf_counter() - start, 1)}
            record["seconds"] = record.get("seconds", {}) | seconds
        file = results.save(record, root)
        checkpoint.unlink(missing_ok=True)
    return file


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Holds the lock ``file`` while the block runs, and removes it after a block that succeeded.

    Raises:
        BlockingIOError: if another process holds it.
        OSError: if the file can't be made.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise BlockingIOError(f"{file} is held by another process") from error
    try:
        yield
        if os.name == "posix":  # elsewhere an open file can't be removed
            file.unlink(missing_ok=True)
    finally:
        lock.release()


def device_of(experiment: Experiment, device: str | None) -> str:
    """The device of its runs, checked.

    Raises:
        ValueError: if this machine has no such device, or the experiment runs on the CPU only.
    """
    device = str(default_device(device or experiment.config.get("device", "cpu")))
    if experiment.cpu_only and device != "cpu":
        raise ValueError(f"device must be 'cpu' for {experiment.name}, got {device!r}")
    return device
