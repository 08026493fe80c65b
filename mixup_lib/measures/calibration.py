"""Calibration: does a model that says 0.8 turn out right four times in five?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from scipy.optimize import brentq
from torch import Tensor

from mixup_lib.measures.metrics import confidence_bins, nll

__all__ = ["TEMPERATURES", "Reliability", "fit_temperature", "reliability"]

#: The least and the largest temperature that :func:`fit_temperature` returns.
TEMPERATURES = (0.01, 100.0)


def fit_temperature(logits: Tensor, y: Tensor) -> float:
    """The temperature T that makes ``logits / T`` most likely: one number, fitted afterwards.

    Fit it on validation data, never on the data on which calibration is then measured. Dividing
    by T > 0 keeps the order of the logits, so accuracy stays as it is. T > 1 makes a model less
    sure, T < 1 surer.

    The mean negative log-likelihood is convex in 1/T, so its slope has at most one zero, which
    bisection finds. Where there is none within ``TEMPERATURES``, the nearer end is returned:
    the lower one if all predictions are right (surer is always better), the upper one if the
    logits tell nothing about the labels.

    Args:
        logits: ``(N, C)`` floating, of a trained model.
        y: ``(N,)`` class ids.

    Returns:
        T, within ``TEMPERATURES``.

    Raises:
        ValueError: Shapes do not fit, there is no example, a logit is not finite, or the logits of
            every example are all the same, so that no temperature changes anything.

    Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017,
    section 4.2.
    """
    nll(logits, y)  # checks shapes
    z = logits.detach().double()
    if not torch.isfinite(z).all():
        raise ValueError("logits holds values that are not finite; valid are finite numbers")
    z = z - z.mean(1, keepdim=True)
    if not z.any():
        raise ValueError(
            f"logits of shape {tuple(logits.shape)} are constant within every example, so no "
            "temperature changes them; valid are logits that differ between classes"
        )
    own = z.gather(1, y.view(-1, 1)).squeeze(1)

    def slope(log_temperature: float) -> float:
        """Slope of the mean NLL in 1/T: mean logit under the model minus logit of the label."""
        share = (z * math.exp(-log_temperature)).softmax(1)
        return ((share * z).sum(1) - own).mean().item()

    low, high = (math.log(end) for end in TEMPERATURES)
    # The slope in 1/T rises with 1/T, so it falls as T grows.
    if slope(low) <= 0:
        return TEMPERATURES[0]
    if slope(high) >= 0:
        return TEMPERATURES[1]
    return math.exp(brentq(slope, low, high, xtol=1e-10))


@dataclass(frozen=True)
class Reliability:
    """Confidence and accuracy of predictions, bin by bin: the numbers of a reliability diagram.

    Attributes:
        confidence: Mean confidence in each bin, in [0, 1]; nan where the bin is empty.
        accuracy: Share of right predictions in each bin, in [0, 1]; nan where the bin is empty.
        share: Share of all predictions that fall into each bin; sums to 1.
    """

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    share: tuple[float, ...]

    @property
    def edges(self) -> tuple[float, ...]:
        """The ends of the bins, from 0 to 1: one more than there are bins."""
        bins = len(self.share)
        return tuple(k / bins for k in range(bins + 1))

    @property
    def ece(self) -> float:
        """Expected calibration error: the same number as :func:`mixup_lib.ece`."""
        return sum(s * abs(a - c) for c, a, s in self._filled())

    @property
    def overconfidence(self) -> float:
        """Mean confidence minus accuracy, in [-1, 1]: above 0 the model is too sure."""
        return sum(s * (c - a) for c, a, s in self._filled())

    def _filled(self) -> list[tuple[float, float, float]]:
        return [row for row in zip(self.confidence, self.accuracy, self.share) if row[2] > 0]


def reliability(logits: Tensor, y: Tensor, bins: int = 15) -> Reliability:
    """Sorts predictions by their confidence and compares it with the accuracy, bin by bin.

    The bins are those of :func:`mixup_lib.ece`: (0, 1/bins], ..., (1 - 1/bins, 1].

    Args:
        logits: ``(N, C)`` floating.
        y: ``(N,)`` class ids.
        bins: Number of intervals, 1 or more.

    Raises:
        ValueError: Shapes do not fit, no example, or ``bins`` below 1.

    Source: DeGroot and Fienberg, "The Comparison and Evaluation of Forecasters", 1983; for neural
    networks Niculescu-Mizil and Caruana, ICML 2005.
    """
    confidence, hit, place = confidence_bins(logits, y, bins)
    count, sure, right = torch.zeros(3, bins, dtype=torch.double, device=place.device)
    count.index_add_(0, place, torch.ones_like(hit))
    sure.index_add_(0, place, confidence)
    right.index_add_(0, place, hit)
    columns = (sure / count, right / count, count / len(y))
    return Reliability(*(tuple(column.tolist()) for column in columns))
