"""Confidence intervals of a mean, only where there are runs enough for one."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import stats

__all__ = ["FEWEST", "Interval"]

#: Fewer runs than this get no interval: their points are shown instead.
FEWEST = 5


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval.

    Attributes:
        mean: the mean of the values.
        low: lower end, at most ``mean``.
        high: upper end, at least ``mean``.
        n: how many values or pairs it comes from, at least five.

    Raises:
        ValueError: if ``n`` is below five or the three numbers are not in order.
    """

    mean: float
    low: float
    high: float
    n: int

    def __post_init__(self):
        if self.n < FEWEST:
            raise ValueError(
                f"n must be at least {FEWEST} for an interval, got {self.n}: show the points"
            )
        if not self.low <= self.mean <= self.high:
            raise ValueError(f"low <= mean <= high must hold, got {self}")

    @classmethod
    def of(cls, values: Iterable[float], level: float = 0.95) -> "Interval":
        """Student's t interval for the mean of ``values``.

        Args:
            values: at least five finite numbers, such as one difference per seed.
            level: coverage in (0, 1).

        Raises:
            ValueError: if there are fewer than five values, one is not finite, or ``level`` lies
                outside (0, 1).
        """
        values = np.asarray(list(values), dtype=float)
        if len(values) < FEWEST:
            raise ValueError(
                f"values must hold at least {FEWEST} numbers for an interval, got {len(values)}: "
                "show the points instead"
            )
        if not np.isfinite(values).all():
            raise ValueError(f"values must be finite, got {values.tolist()}")
        if not 0 < level < 1:
            raise ValueError(f"level must lie in (0, 1), got {level}")
        n, mean = len(values), float(values.mean())
        half = stats.t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / math.sqrt(n)
        return cls(mean, mean - float(half), mean + float(half), n)

    def __mul__(self, factor: float) -> "Interval":
        """In another unit, such as ``100 * interval`` for percentage points."""
        low, high = sorted((self.low * factor, self.high * factor))
        return Interval(self.mean * factor, low, high, self.n)

    __rmul__ = __mul__

    def __format__(self, spec: str) -> str:
        spec = spec or ".3g"
        return f"{self.mean:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def __str__(self) -> str:
        return f"{format(self)}, n = {self.n}"
