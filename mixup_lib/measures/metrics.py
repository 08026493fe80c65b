"""What is measured: accuracy, negative log-likelihood, calibration error."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from mixup_lib.mixing.mix import Mix

__all__ = ["accuracy", "ece", "mixed_accuracy", "nll"]


def accuracy(logits: Tensor, y: Tensor) -> float:
    """The share of examples whose largest logit is at the label, in [0, 1].

    Args:
        logits: ``(N, C)`` floating.
        y: ``(N,)`` class ids.

    Raises:
        ValueError: Shapes do not fit, or there is no example.
    """
    _check(logits, y)
    return (logits.argmax(1) == y).double().mean().item()


def nll(logits: Tensor, y: Tensor) -> float:
    """Mean negative log-likelihood of the labels, in nats, 0 or more; see :func:`accuracy`."""
    _check(logits, y)
    return F.cross_entropy(logits.double(), y).item()


def ece(logits: Tensor, y: Tensor, bins: int = 15) -> float:
    """Expected calibration error, in [0, 1]: mean gap between confidence and accuracy.

    Predictions are sorted by their largest probability into ``bins`` intervals of equal width,
    (0, 1/bins], ..., (1 - 1/bins, 1]; the gaps are weighted by the share of predictions in each.

    Args:
        logits: ``(N, C)`` floating.
        y: ``(N,)`` class ids.
        bins: Number of intervals, 1 or more.

    Raises:
        ValueError: Shapes do not fit, no example, or ``bins`` below 1.

    Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017,
    equation (3).
    """
    confidence, hit, place = confidence_bins(logits, y, bins)
    gap = hit - confidence
    sums = torch.zeros(bins, dtype=torch.double, device=gap.device).index_add_(0, place, gap)
    return (sums.abs().sum() / len(y)).item()


def confidence_bins(logits: Tensor, y: Tensor, bins: int) -> tuple[Tensor, Tensor, Tensor]:
    """Confidence, 1 where the prediction is right, and number of the bin, each ``(N,)``."""
    _check(logits, y)
    if bins < 1:
        raise ValueError(f"bins={bins}; valid is 1 or more")
    confidence, predicted = logits.double().softmax(1).max(1)
    place = (confidence * bins).ceil().long().clamp(1, bins) - 1
    return confidence, (predicted == y).double(), place


def mixed_accuracy(logits: Tensor, y: Tensor, mix: Mix) -> float:
    """λ-weighted accuracy on a mixed batch: the weight of the examples whose label is predicted.

    This is not training accuracy: a perfect classifier of single examples can't reach 1 on
    mixtures of two classes, since it can name only one of them.

    Args:
        logits: ``(B, C)`` predictions for the mixed inputs.
        y: ``(B,)`` class ids before mixing. One below 0, which a loss ignores, names no class: its
            weight does not count.
        mix: The mix that made the inputs.

    Raises:
        ValueError: Shapes do not fit, or the mix was drawn for another batch length.
    """
    _check(logits, y)
    mix._batch_axis("logits", logits, 0)
    labels, weights = y[mix.index.to(y.device)], mix.weights.to(y.device)
    hit, absent = (
        (weights * part).sum(0).double().mean().item()
        for part in (labels == logits.argmax(1), labels < 0)
    )
    return hit / (1 - absent) if absent < 1 else math.nan


def _check(logits: Tensor, y: Tensor) -> None:
    if logits.ndim != 2 or y.shape != logits.shape[:1] or not len(y):
        raise ValueError(
            f"logits has shape {tuple(logits.shape)} and y {tuple(y.shape)}; "
            "valid are (N, C) and (N,), N >= 1"
        )
