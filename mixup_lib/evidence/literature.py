"""What others published, from one file, each entry with its source; our recorded runs beside it.

It lies in ``results/published.json`` of the repository; an installed wheel carries a copy. An entry
holds figures, or says in our own words what its source found. The name of an entry never changes:
the ledger and the pages refer to it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

import numpy as np

from mixup_lib.evidence import results
from mixup_lib.evidence.interval import FEWEST, Interval
from mixup_lib.evidence.paired import Comparison
from mixup_lib.page.tables import Table

__all__ = [
    "Reproduction",
    "beside",
    "finding",
    "names",
    "published",
    "reproduce",
    "source",
    "sources",
]


def names() -> list[str]:
    """The names of all entries, in the order of the file."""
    return list(_entries())


def published(name: str) -> dict:
    """The entry called ``name``.

    Returns:
        ``reference`` is a key of the book's references, ``where`` the place in it, and ``checked``
        says whether it was read there or who cites it. An entry in words has ``says``, a sentence.
        One of figures has ``values``, numbers by method as their source names it; ``what``,
        ``measure``, ``unit`` and ``note`` say what was measured, ``pairs`` which values belong
        side by side, baseline first, and ``alpha`` the parameter of each mixing method, or why it
        is not known. ``baseline_tuned``, which begins with "yes", "no" or "not known", tells
        whether the plain training was tuned as its rival was.

    Raises:
        ValueError: if there is no such entry; the message names those that there are.
    """
    entries = _entries()
    if name not in entries:
        raise ValueError(f"name={name!r} is not published; valid are {', '.join(entries)}")
    return entries[name]


def _entries() -> dict[str, dict]:
    return json.loads((results.folder() / "published.json").read_text(encoding="utf-8"))


def finding(name: str) -> str:
    """What a source found, in one sentence of plain text.

    Of figures, each pair: both numbers, with as many decimals as the source, and the difference.

    Raises:
        ValueError: as in :func:`published`.
    """
    entry = published(name)
    if "says" in entry:
        return entry["says"]
    return f"{entry['what']}: {entry['measure']}, in {entry['unit']}: {_contrasts(entry)}."


def _contrasts(entry: dict) -> str:
    """Each baseline once, with what is set beside it."""
    values = entry["values"]
    digits = max(len(str(values[one]).partition(".")[2]) for pair in entry["pairs"] for one in pair)
    found = {}
    for baseline, method in entry["pairs"]:
        change = f"{values[method] - values[baseline]:+.{digits}f}"
        found.setdefault(baseline, []).append(f"{method} {values[method]:.{digits}f} ({change})")
    return "; ".join(
        f"{name} {values[name]:.{digits}f} → {', '.join(beside)}" for name, beside in found.items()
    )


@dataclass(frozen=True)
class Reproduction:
    """A published difference beside our own; a difference is method minus baseline.

    Attributes:
        name: what is compared.
        theirs: published numbers of baseline and method; None if there are none.
        ours: recorded numbers of baseline and method, ``(n,)`` each, in the same unit and paired
            by seed; n is 0 where nothing is recorded.
        alike: False where the method mixes at another strength than the source's.
        splits: how many examples each run trained and tested on, where the runs' splits overlap.
    """

    name: str
    theirs: tuple[float, float] | None
    ours: tuple[np.ndarray, np.ndarray]
    alike: bool = True
    splits: tuple[int, int] | None = None

    @property
    def published_difference(self) -> float | None:
        """What the source found."""
        return None if self.theirs is None else self.theirs[1] - self.theirs[0]

    @property
    def differences(self) -> np.ndarray:
        """What we found, ``(n,)``, one for each seed."""
        return self.ours[1] - self.ours[0]

    @property
    def interval(self) -> Interval | None:
        """Mean and 95 % interval of :attr:`differences`; None with fewer than five seeds."""
        if len(self.differences) < FEWEST:
            return None
        if self.splits is None:
            return Interval.of(self.differences)
        return Interval.resampled(self.differences, *self.splits)

    @property
    def share(self) -> Interval | None:
        """Ours as a share of the published difference: 1 is all of it, below 0 the opposite.

        None without an interval or a published difference other than 0. How exact the published
        difference is counts for nothing here: most sources do not say.
        """
        if self.interval is None or not self.published_difference:
            return None
        return self.interval * (1 / self.published_difference)

    @property
    def outcome(self) -> str:
        """Where our interval lies, seen from the published difference.

        "same direction" or "opposite direction" if it lies on one side of 0; if it holds 0, then
        "undecided" if it reaches the published difference, else "smaller, if any".
        """
        if not len(self.differences):
            return "not recorded"
        if self.interval is None:
            return "points only"
        if self.theirs is None:
            return "nothing published"
        if self.share is None:
            holds = self.interval.low <= 0 <= self.interval.high
            return "no difference, either" if holds else "a difference, unlike theirs"
        if self.share.low > 0:
            return "same direction"
        if self.share.high < 0:
            return "opposite direction"
        return "undecided" if self.share.high >= 1 else "smaller, if any"


def reproduce(
    name: str,
    experiment: str | None,
    methods: tuple[str, str],
    *,
    theirs: tuple[float, float] | None = None,
    part: str = "test",
    metric: str = "error",
    scale: float = 100,
    alike: bool = True,
    splits: tuple[int, int] | None = None,
) -> Reproduction:
    """Recorded runs of a baseline and a method, beside published numbers of the two.

    Args:
        name: what is compared.
        experiment: name of the recorded runs; None if there are only published numbers.
        methods: baseline and method, as the records name them.
        theirs: published numbers of the two; None if there are none.
        part: the part of the data, as the records name it.
        metric: which of its numbers.
        scale: factor from our unit to the published one; 100 makes percent.
        alike: False where the method mixes at another strength than the source's.
        splits: sizes of the training and test parts, where the runs' splits overlap.

    Returns:
        A :class:`Reproduction` over all seeds that both have, none if there are none.

    Raises:
        ValueError: if the records lack ``part``.
        KeyError: if they lack ``metric``.
    """
    try:
        records = results.load(experiment) if experiment else []
    except FileNotFoundError:
        records = []
    records = [record for record in records if record["method"] in methods]
    seeds = [{r["seed"] for r in records if r["method"] == method} for method in methods]
    if not seeds[0] & seeds[1]:
        return Reproduction(name, theirs, (np.empty(0), np.empty(0)), alike, splits)
    found = Comparison.from_records(records, part, methods)
    ours = tuple(scale * found.values(method, metric) for method in methods)
    return Reproduction(name, theirs, ours, alike, splits)


def beside(rows: Sequence[Reproduction], digits: int = 1) -> Table:
    """Published numbers beside ours: one row each, differences with interval or point by point."""
    header = ["", "published", "difference", "ours", "difference", "seeds", "outcome"]
    return Table(header, [_row(row, digits) for row in rows])


def _row(row: Reproduction, digits: int) -> list[str]:
    theirs, gap = "–", "–"
    if row.theirs is not None:
        decimals = max(len(str(number).partition(".")[2]) for number in row.theirs)
        theirs = " → ".join(f"{number:.{decimals}f}" for number in row.theirs)
        gap = f"{row.published_difference:+.{decimals}f}"
    ours, own = "–", "–"
    if count := len(row.differences):
        ours = " → ".join(f"{values.mean():.{digits}f}" for values in row.ours)
        points = ", ".join(f"{value:+.{digits}f}" for value in row.differences)
        own = format(row.interval, f"+.{digits}f") if row.interval else points
    return [row.name, theirs, gap, ours, own, str(count), row.outcome]


def source(name: str) -> str:
    """Where a published figure stands, its alpha, how it was checked, how its baseline was tuned.

    Raises:
        ValueError: as in :func:`published`.
    """
    entry = published(name)
    alpha = entry["alpha"]
    if isinstance(alpha, dict):
        alpha = ", ".join(f"{method} {value}" for method, value in alpha.items())
    lines = (
        f"published in {entry['reference']}, {entry['where']}: {entry['measure']}",
        f"alpha: {alpha}",
        f"checked: {entry['checked']}",
        f"baseline tuned: {entry['baseline_tuned']}",
    )
    # As wide as the book's column of text.
    return "\n".join(fill(line, 76, subsequent_indent="    ") for line in lines)


def sources(*names: str) -> Table:
    """The same of several, side by side.

    Raises:
        ValueError: as in :func:`published`.
    """
    entries = [published(name) for name in names]
    rows = [
        [
            f"{e['what']}; {e['measure']}",
            f"{e['reference']}: {e['where']}",
            f"{e['checked']}; baseline tuned: {e['baseline_tuned']}",
        ]
        for e in entries
    ]
    return Table(["published", "where", "remarks"], rows)
