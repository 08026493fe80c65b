"""Confidence intervals of a mean, only where there are runs enough for one.

Student's interval takes runs as independent. Three others account for what runs share: overlapping
splits, one test set with or without the outcome of each of its examples.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

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
        over: what it accounts for, in words.
        df: degrees of freedom of its t quantile; None where they are ``n - 1``.

    Raises:
        ValueError: if ``n`` is below five or the three numbers are not in order.
    """

    mean: float
    low: float
    high: float
    n: int
    over: str = field(default="seeds", compare=False, repr=False)
    df: float | None = field(default=None, compare=False, repr=False)

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
        values = _checked(values, level)
        return cls._around(values, values.var(ddof=1) / len(values), 0.0, level, "seeds")

    @classmethod
    def resampled(
        cls, values: Iterable[float], train: int, test: int, level: float = 0.95
    ) -> "Interval":
        """For splits drawn again and again from the same examples, which therefore overlap.

        The variance of the mean is ``(1 / n + test / train)`` times that of the values, in place of
        ``1 / n`` times (Nadeau and Bengio, 2003, "corrected resampled t-test"). Meant for test
        parts that are smaller than training parts.

        Args:
            values: at least five finite numbers, one for each split.
            train: how many examples each split trains on, at least 1.
            test: how many it tests on, at least 1.
            level: coverage in (0, 1).

        Raises:
            ValueError: as in :meth:`of`, or if ``train`` or ``test`` is below 1.
        """
        values = _checked(values, level)
        for name, count in (("train", train), ("test", test)):
            if count < 1:
                raise ValueError(f"{name} must be at least 1, got {count}")
        variance = values.var(ddof=1) * (1 / len(values) + test / train)
        return cls._around(values, variance, 0.0, level, "seeds, overlapping splits")

    @classmethod
    def shared_test(
        cls,
        values: Iterable[float],
        rates: tuple[float, float],
        test: int,
        scale: float = 1.0,
        level: float = 0.95,
    ) -> "Interval":
        """For differences of two error rates that all come from one test set of known size.

        Seeds alone would tell how the two compare on these very examples. To their variance comes
        that of drawing the examples, as if the two methods made their errors independently:
        ``(a (1 - a) + b (1 - b)) / test`` for rates ``a`` and ``b``. Two networks trained on the
        same data err on the same examples more often than that, so the interval is too wide
        rather than too narrow. Where each example's outcome is known, take :meth:`of_outcomes`.

        Args:
            values: at least five finite differences, one for each seed.
            rates: the mean error rates of the two methods, in [0, 1].
            test: how many examples the test set has, at least 1.
            scale: the unit of ``values`` in rates, 100 for percentage points.
            level: coverage in (0, 1).

        Raises:
            ValueError: as in :meth:`of`, or if a rate or ``test`` is out of its range.
        """
        values = _checked(values, level)
        if not all(0 <= rate <= 1 for rate in rates):
            raise ValueError(f"rates must lie in [0, 1], got {rates}")
        if test < 1:
            raise ValueError(f"test must be at least 1, got {test}")
        drawing = scale**2 * sum(rate * (1 - rate) for rate in rates) / test
        over = "seeds, test examples (as if the methods erred independently)"
        return cls._around(values, values.var(ddof=1) / len(values), drawing, level, over)

    @classmethod
    def of_outcomes(
        cls, first: np.ndarray, second: np.ndarray, scale: float = 1.0, level: float = 0.95
    ) -> "Interval":
        """The mean of ``first - second`` over seeds and over the examples of a shared test set.

        Both are samples: the variance over seeds of a seed's mean difference, by the number of
        seeds, and the variance over examples of an example's mean difference, by the number of
        examples, add. (The second is what a bootstrap over examples converges to.)

        Args:
            first, second: ``(S, N)``, a number such as 0 or 1 for each of ``S`` seeds, at least
                five, and each of ``N`` examples, at least 2.
            scale: what the result is multiplied by, 100 for percentage points.
            level: coverage in (0, 1).

        Raises:
            ValueError: as in :meth:`of`, or if the shapes differ.
        """
        first, second = (np.asarray(part, dtype=float) for part in (first, second))
        if first.shape != second.shape or first.ndim != 2 or first.shape[1] < 2:
            raise ValueError(
                f"first and second must be (S, N) alike, got {first.shape} and {second.shape}"
            )
        gaps = scale * (first - second)
        values = _checked(gaps.mean(1), level)
        examples = gaps.mean(0)
        variances = values.var(ddof=1) / len(values), examples.var(ddof=1) / len(examples)
        return cls._around(values, *variances, level, "seeds, test examples")

    @classmethod
    def _around(
        cls, values: np.ndarray, seeds: float, examples: float, level: float, over: str
    ) -> "Interval":
        """From the two variances of the mean; that of many examples is as good as known."""
        n, mean, df = len(values), float(values.mean()), len(values) - 1.0
        if seeds > 0:
            df *= (1 + examples / seeds) ** 2  # Satterthwaite
        half = float(stats.t.ppf((1 + level) / 2, df) * math.sqrt(seeds + examples))
        return cls(mean, mean - half, mean + half, n, over, df)

    def __mul__(self, factor: float) -> "Interval":
        """In another unit, such as ``100 * interval`` for percentage points."""
        low, high = sorted((self.low * factor, self.high * factor))
        return Interval(self.mean * factor, low, high, self.n, self.over, self.df)

    __rmul__ = __mul__

    def __format__(self, spec: str) -> str:
        spec = spec or ".3g"
        return f"{self.mean:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def __str__(self) -> str:
        return f"{format(self)}, n = {self.n}"


def _checked(values: Iterable[float], level: float) -> np.ndarray:
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
    return values
