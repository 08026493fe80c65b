"""Does a generator reach all of the data? Measures of coverage for samples."""

import math

import torch
from torch import Tensor

from mixup_lib.basics.check import integer_at_least

__all__ = ["coverage", "modes_covered", "near_modes"]


def near_modes(x: Tensor, centres: Tensor, radius: float) -> Tensor:
    """Which centre each sample belongs to, -1 where it lies farther than ``radius`` from all.

    Args:
        x: ``(N, D)`` floating, samples.
        centres: ``(M, D)`` floating.
        radius: Above 0, such as three deviations.

    Returns:
        int64 ``(N,)``.

    Raises:
        ValueError: Shapes that do not fit, no sample, or ``radius`` of 0 or less.
    """
    _points(x=x, centres=centres)
    if not 0 < radius < math.inf:
        raise ValueError(f"radius={radius}; valid is a finite number above 0")
    distance, nearest = torch.cdist(x, centres).min(1)
    return torch.where(distance <= radius, nearest, -1)


def modes_covered(x: Tensor, centres: Tensor, radius: float, share: float = 0.2) -> int:
    """How many modes have enough samples near them.

    A mode counts when at least ``share`` of the samples that it would get, were all modes equally
    frequent, lie within ``radius``: one stray sample covers nothing.

    Args:
        x, centres, radius: As in :func:`near_modes`.
        share: Above 0, at most 1.

    Returns:
        From 0 to M.

    Raises:
        ValueError: An argument out of range.

    Source: after Srivastava et al., "VEEGAN", NeurIPS 2017, where one sample is enough.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share={share}; valid is above 0, at most 1")
    mode = near_modes(x, centres, radius)
    counts = torch.bincount(mode[mode >= 0], minlength=len(centres))
    return int((counts >= share * len(x) / len(centres)).sum())


def coverage(real: Tensor, generated: Tensor, neighbours: int = 5) -> float:
    """Share of the real examples that have a generated one in their neighbourhood.

    A real example's neighbourhood is the ball that just holds its ``neighbours`` nearest real
    ones. No model of the data is needed.

    Args:
        real: ``(N, ...)`` floating.
        generated: ``(M, ...)`` floating, examples of the same shape; a useful M is near N.
        neighbours: At least 1, less than N.

    Returns:
        In [0, 1]; for samples of the true distribution near ``1 - 2 ** -neighbours`` if M = N.

    Raises:
        ValueError: Shapes that do not fit, or ``neighbours`` out of range.

    Source: Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models", ICML
    2020, section 3.
    """
    integer_at_least("neighbours", neighbours, 1)
    real, generated = real.flatten(1), generated.flatten(1)
    _points(real=real, generated=generated)
    if neighbours >= len(real):
        raise ValueError(f"neighbours={neighbours}; valid is below the {len(real)} real examples")
    # The nearest real example to each is itself.
    radius = torch.cdist(real, real).kthvalue(neighbours + 1, dim=1).values
    return float((torch.cdist(real, generated).min(1).values <= radius).float().mean())


def _points(**points: Tensor) -> None:
    shapes = {name: tuple(x.shape) for name, x in points.items()}
    if (
        any(x.ndim != 2 or not len(x) for x in points.values())
        or len({x.shape[1] for x in points.values()}) > 1
    ):
        raise ValueError(f"shapes are {shapes}; valid are (N, D) with one D, N at least 1")
