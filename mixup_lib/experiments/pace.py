"""How long a run takes on this machine: what was recorded, times how much slower this one is.

A record holds its seconds and, in its provenance, the pace of the machine that made it: the
milliseconds of one step of a small training. The same training, a second of it, is measured here;
the ratio of the two scales the seconds. Records older than that hold no pace: they take the one
that ``results/bench.json`` has for the same processor.
"""

import json
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch.nn import functional as F

from mixup_lib.basics.seeds import generator_for, initialised
from mixup_lib.evidence import results
from mixup_lib.models import ResNet
from mixup_lib.training.runtime import default_device

__all__ = ["Estimate", "duration", "estimate", "pace"]

SECONDS = 0.7  # of steps that are timed


@cache
def pace(device: str = "cpu", threads: int | None = None) -> float:
    """Milliseconds of a training step of a small ResNet: the median over most of a second.

    Args:
        device: where it trains.
        threads: of torch, restored afterwards; None leaves them.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        generator = generator_for(0, "pace")
        x = torch.rand(64, 3, 32, 32, generator=generator).to(device)
        x = x.contiguous(memory_format=torch.channels_last)
        y = torch.randint(10, (64,), generator=generator).to(device)
        model = initialised(lambda: ResNet(depth=8, width=16, stem_stride=2), 0)
        model.to(device, memory_format=torch.channels_last)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        times, end = [], None
        while end is None or time.perf_counter() < end or len(times) < 8:
            start = time.perf_counter()
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if x.is_cuda:
                torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
            if end is None and len(times) == 3:  # these only warmed up
                times, end = [], time.perf_counter() + SECONDS
        return round(1e3 * statistics.median(times), 3)
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class Estimate:
    """What runs will take.

    Attributes:
        seconds: of all of them, one after the other; None if it is not known.
        how: where the number comes from, as part of a sentence.
        scaled: False if some records are of a machine whose pace is not known.
    """

    seconds: float | None
    how: str
    scaled: bool = True


def estimate(
    experiment,
    runs: Iterable[tuple[str, int]],
    roots: Iterable[Path],
    device: str = "cpu",
    threads: int | None = None,
) -> Estimate:
    """Seconds of these runs, from the records of the experiment in any of the folders.

    A run is expected to take the median of its method's records, or of all where its method has
    none. Records of another kind of device say nothing.

    Args:
        experiment: an :class:`~mixup_lib.experiments.Experiment`.
        runs: pairs of method and seed.
        roots: folders of results.
        device: where the runs will be.
        threads: of each run; None takes torch's own choice.
    """
    timed = [
        (record, seconds)
        for record in _records(experiment.name, roots)
        if (seconds := _seconds(record)) is not None
        and _kind(record["config"].get("device", "cpu")) == _kind(device)
    ]
    if not timed:
        where = "" if _kind(device) == "cpu" else f" on {device}"
        return Estimate(None, f"no run of it is recorded{where}")
    try:
        here = pace(str(default_device(device)), threads)
    except ValueError:
        return Estimate(None, f"this machine has no {device}")
    scaled: dict[str, list[float]] = {}
    ratios = []
    for record, seconds in timed:
        there = record["provenance"].get("pace") or _reference(record["provenance"])
        ratios.append(here / there if there else None)
        scaled.setdefault(record["method"], []).append(seconds * (ratios[-1] or 1))
    middle = {method: statistics.median(found) for method, found in scaled.items()}
    other = statistics.median(value for found in scaled.values() for value in found)
    total = sum(middle.get(method, other) for method, _ in runs)
    how = f"from {len(ratios)} recorded run{'s' * (len(ratios) > 1)}"
    known = [ratio for ratio in ratios if ratio]
    if len(known) < len(ratios):
        how = f"{how}, some of a machine whose pace is not known and taken as this one's"
        return Estimate(total, how, scaled=False)
    return Estimate(
        total,
        f"{how}; a short training takes {statistics.median(known):.2f} times "
        "as long here as it did there",
    )


def duration(seconds: float | None) -> str:
    """A time as a person says it; "not known" for None."""
    if seconds is None:
        return "not known"
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


def _records(name: str, roots: Iterable[Path]) -> list[dict]:
    found = {}
    for root in roots:
        try:
            for record in results.load(name, root):
                found[record["method"], record["seed"], record["provenance"]["date"]] = record
        except FileNotFoundError:
            continue
    return list(found.values())


def _seconds(record: dict) -> float | None:
    """The whole run where it is recorded, else its training, else its parts' trainings."""
    seconds = record.get("seconds", {})
    for name in ("run", "all", "training"):
        if name in seconds:
            return seconds[name]
    parts = [part["seconds"]["training"] for part in record.get("parts", {}).values()]
    return sum(parts) if parts else None


def _kind(device: str) -> str:
    return str(device).split(":")[0]


def _reference(provenance: dict) -> float | None:
    """The pace in ``results/bench.json`` if it was measured on such a processor."""
    measured = _bench().get("pace")
    same = ("cpu", "cpu_capability", "cores")
    if measured and all(measured["provenance"].get(n) == provenance.get(n) for n in same):
        return measured["milliseconds"]
    return None


@cache
def _bench() -> dict:
    file = results.folder() / "bench.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
