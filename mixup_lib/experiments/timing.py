"""How long runs take, by what was recorded."""

import statistics
from collections.abc import Iterable
from pathlib import Path

from mixup_lib.evidence import results

__all__ = ["duration", "estimate"]


def estimate(
    experiment, runs: Iterable[tuple[str, int]], roots: Iterable[Path], device: str = "cpu"
) -> tuple[float | None, str]:
    """Seconds of these runs, one after the other, and where the number comes from.

    A run is expected to take the median of its method's records, or of all where its method has
    none, on whatever machine they were made: here it may take longer or shorter. Records of another
    kind of device say nothing.

    Args:
        experiment: an :class:`~mixup_lib.experiments.Experiment`.
        runs: pairs of method and seed.
        roots: folders of results.
        device: where the runs will be.
    """
    by_method: dict[str, list[float]] = {}
    machines = set()
    for record in _records(experiment.name, roots):
        seconds = _seconds(record)
        if seconds is not None and _kind(record["config"].get("device", "cpu")) == _kind(device):
            by_method.setdefault(record["method"], []).append(seconds)
            machines.add(record["provenance"]["gpu" if _kind(device) == "cuda" else "cpu"])
    if not by_method:
        where = "" if _kind(device) == "cpu" else f" on {device}"
        return None, f"no run of it is recorded{where}"
    middle = {method: statistics.median(found) for method, found in by_method.items()}
    every = [seconds for found in by_method.values() for seconds in found]
    total = sum(middle.get(method, statistics.median(every)) for method, _ in runs)
    return total, f"as {len(every)} recorded on {', '.join(sorted(map(str, machines)))}"


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
