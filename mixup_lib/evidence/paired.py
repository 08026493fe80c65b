"""Comparisons that are paired by seed, with intervals where there are runs enough."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mixup_lib.basics.naming import describe
from mixup_lib.basics.progress import progress_bar
from mixup_lib.basics.writing import atomic_write
from mixup_lib.evidence.interval import FEWEST, Interval
from mixup_lib.evidence.outcomes import unpacked
from mixup_lib.page.tables import Table

__all__ = ["Comparison", "Interval", "compare"]

Method = Callable[[int], Mapping[str, float]]


@dataclass(frozen=True)
class Comparison:
    """Measurements of several methods on the same seeds.

    Attributes:
        runs: ``runs[method][i]`` holds the metrics of ``method`` with ``seeds[i]``; methods stand
            in the order given.
        seeds: the seeds that all methods share.
        wrong: for each method whose records say it of every example, which of them it names
            wrongly: booleans ``(seeds, examples)``.
    """

    runs: dict[str, list[dict[str, float]]]
    seeds: tuple[int, ...]
    wrong: dict[str, np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_records(
        cls, records: Sequence[Mapping], part: str = "test", methods: Sequence[str] | None = None
    ) -> "Comparison":
        """The recorded runs of one experiment, from :func:`mixup_lib.evidence.results.load`.

        Only seeds that every method has are kept, so that all differences are paired.

        Args:
            records: records with ``method``, ``seed`` and ``metrics``.
            part: which part of the data: "test", "validation" or "train" (unmixed).
            methods: which methods, in this order; None takes all, in the order of the records.

        Raises:
            ValueError: if no seed is shared, a method has no record, or a record lacks ``part``.
        """
        found: dict[str, dict[int, dict]] = {}
        bits: dict[tuple[str, int], str] = {}
        for record in records:
            if methods is not None and record["method"] not in methods:
                continue
            if part not in record["metrics"]:
                raise ValueError(f"part must be in {list(record['metrics'])}, got {part!r}")
            found.setdefault(record["method"], {})[record["seed"]] = record["metrics"][part]
            if part in record.get("outcomes", {}):
                bits[record["method"], record["seed"]] = record["outcomes"][part]
        if methods is not None:
            if missing := [method for method in methods if method not in found]:
                raise ValueError(f"methods must be among {list(found)}, got {missing}")
            found = {method: found[method] for method in methods}
        seeds = sorted(set.intersection(*map(set, found.values()))) if found else []
        if not seeds:
            raise ValueError(f"the methods {list(found)} share no seed")
        wrong = {
            method: np.stack([unpacked(bits[method, s], by_seed[s]["n"]) for s in seeds])
            for method, by_seed in found.items()
            if all((method, s) in bits for s in seeds)
        }
        runs = {m: [by_seed[s] for s in seeds] for m, by_seed in found.items()}
        return cls(runs, tuple(seeds), wrong)

    def values(self, method: str, metric: str) -> np.ndarray:
        """``(n,)`` float64, one per seed and in their order.

        Raises:
            KeyError: if there is no such method or metric; the message lists what there is.
        """
        if method not in self.runs:
            raise KeyError(f"no method {method!r}; there are {list(self.runs)}")
        if metric not in self.metrics:
            raise KeyError(f"no metric {metric!r}; there are {self.metrics}")
        return np.array([run[metric] for run in self.runs[method]], dtype=float)

    @property
    def metrics(self) -> list[str]:
        """The metrics that every run has, in the order of the first run."""
        runs = [run for method in self.runs.values() for run in method]
        return [name for name in runs[0] if all(name in run for run in runs)]

    def differences(self, a: str, b: str, metric: str) -> np.ndarray:
        """``a - b`` for each seed, ``(n,)``: what to show with fewer than five seeds."""
        return self.values(a, metric) - self.values(b, metric)

    def difference(self, a: str, b: str, metric: str, level: float = 0.95) -> Interval:
        """The mean of ``a - b``, paired by seed, with its t interval.

        Raises:
            KeyError: as in :meth:`values`.
            ValueError: with fewer than five seeds; use :meth:`differences`.
        """
        return Interval.of(self.differences(a, b, metric), level)

    def shared(self, a: str, b: str, metric: str, test: int | None = None) -> Interval:
        """The mean of ``a - b`` where all seeds read one test set, whose drawing counts as well.

        Args:
            a, b: two methods.
            metric: a rate, such as "error".
            test: how many examples it has; None reads it from the runs' own ``n``.

        Returns:
            What ``Interval.of_outcomes`` says where the records know each example's outcome, and
            the wider ``Interval.shared_test`` where they don't.

        Raises:
            KeyError, ValueError: as in :meth:`difference`, or if a rate is none.
        """
        if metric == "error" and {a, b} <= self.wrong.keys():
            return Interval.of_outcomes(self.wrong[a], self.wrong[b])
        if test is None:
            test = int(self.values(a, "n")[0])
        rates = self.values(a, metric).mean(), self.values(b, metric).mean()
        return Interval.shared_test(self.differences(a, b, metric), rates, test)

    def interval(self, method: str, metric: str, level: float = 0.95) -> Interval:
        """The mean of one method with its t interval. For a comparison use :meth:`difference`."""
        return Interval.of(self.values(method, metric), level)

    def table(
        self, metrics: Sequence[str] | None = None, baseline: str | None = None, digits: int = 3
    ) -> Table:
        """One row per method, in the order given.

        Args:
            metrics: columns; None takes all.
            baseline: a method: the other rows show their paired difference from it as well.
            digits: digits after the decimal point.

        Returns:
            A :class:`~mixup_lib.page.tables.Table`: mean and 95 % interval with five seeds or more,
            else the single values.
        """
        metrics = self.metrics if metrics is None else list(metrics)
        header, rows = ["method"], []
        for metric in metrics:
            header += [metric] + ([f"{metric} − {baseline}"] if baseline else [])
        for method in self.runs:
            row = [method]
            for metric in metrics:
                row.append(_cell(self.values(method, metric), digits))
                if baseline:
                    own = method == baseline
                    gap = self.differences(method, baseline, metric)
                    row.append("–" if own else _cell(gap, digits, "+"))
            rows.append(row)
        return Table(header, rows)


def compare(
    methods: Mapping[str, Method],
    seeds: Iterable[int],
    progress: bool | None = None,
    cache: str | os.PathLike | None = None,
) -> Comparison:
    """Measures every method with every seed, seed by seed.

    Args:
        methods: name and function ``seed -> {metric: number}``. The seed must vary all that is
            random: data split, initial weights, draws.
        seeds: different integers; the same for all methods, so that differences are paired.
        progress: as in :func:`~mixup_lib.training.fitting.fit`.
        cache: a JSON file of finished measurements, read at the start and written after each.
            It knows a method by its name and function; remove it when what they do has changed.

    Returns:
        A :class:`Comparison`.

    Raises:
        ValueError: if there is no method or seed, a seed appears twice, or methods disagree with
            the cache.
    """
    methods, seeds = dict(methods), tuple(seeds)
    if not methods:
        raise ValueError("methods must hold at least one method, got {}")
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must be different and at least one, got {seeds}")
    store = _Cache(cache, methods)
    jobs = [(method, seed) for seed in seeds for method in methods]
    measured = {}
    with progress_bar(jobs, progress=progress, desc="compare") as bar:
        for method, seed in bar:
            measured[method, seed] = store.get(method, seed)
    return Comparison({m: [measured[m, s] for s in seeds] for m in methods}, seeds)


class _Cache:
    """Measurements in a JSON file, or only in memory without one."""

    def __init__(self, path, methods: Mapping[str, Method]):
        self.path = None if path is None else Path(path)
        self.methods = methods
        self.known: dict[str, dict] = {}
        if self.path is not None and self.path.exists():
            self.known = json.loads(self.path.read_text(encoding="utf-8"))

    def get(self, method: str, seed: int) -> dict[str, float]:
        function = describe(self.methods[method])
        entry = self.known.setdefault(method, {"function": function, "runs": {}})
        if entry["function"] != function:
            raise ValueError(
                f"cache={str(self.path)!r} holds {method!r} as {entry['function']}, now it is "
                f"{function}: remove the file or name another"
            )
        if str(seed) not in entry["runs"]:
            metrics = self.methods[method](seed)
            entry["runs"][str(seed)] = {name: float(value) for name, value in metrics.items()}
            self._save()
        return entry["runs"][str(seed)]

    def _save(self) -> None:
        if self.path is None:
            return
        with atomic_write(self.path) as draft:
            draft.write_text(json.dumps(self.known, indent=1), encoding="utf-8")


def _cell(values: np.ndarray, digits: int, sign: str = "") -> str:
    spec = f"{sign}.{digits}f"
    if len(values) >= FEWEST and np.isfinite(values).all():
        return format(Interval.of(values), spec)
    return ", ".join(f"{value:{spec}}" for value in values)
