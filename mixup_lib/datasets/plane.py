"""Points in the plane whose distribution is known: where a GAN can be watched and measured."""

import math

import torch
from torch import Tensor

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.seeds import generator_for

__all__ = ["RING_DEVIATION", "RING_MODES", "ring_centres", "ring_of_gaussians", "swiss_roll"]

RING_MODES = 8
RING_DEVIATION = 0.05


def ring_centres() -> Tensor:
    """Centres of :func:`ring_of_gaussians`: float32 ``(8, 2)``, on the circle of radius 1."""
    angle = torch.arange(RING_MODES) * (2 * math.pi / RING_MODES)
    return torch.stack([angle.cos(), angle.sin()], 1)


def ring_of_gaussians(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Eight round Gaussians of deviation 0.05 on a ring of radius 1, equally often.

    Args:
        count: Number of points, at least 1.
        seed: Draws them.

    Returns:
        Points float32 ``(count, 2)``, and which Gaussian each comes from, int64 ``(count,)``.

    Source: Metz et al., "Unrolled Generative Adversarial Networks", ICLR 2017, with a radius of 2
    and a deviation of 0.02 there.
    """
    integer_at_least("count", count, 1)
    generator = generator_for(seed, "ring")
    mode = torch.randint(RING_MODES, (count,), generator=generator)
    noise = RING_DEVIATION * torch.randn(count, 2, generator=generator)
    return ring_centres()[mode] + noise, mode


def swiss_roll(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """A spiral of one and a half turns, of radius 1/3 to 1, with noise of deviation 0.03.

    Args:
        count: Number of points, at least 1.
        seed: Draws them.

    Returns:
        Points float32 ``(count, 2)``, and how far along the spiral each lies, float32 ``(count,)``
        in [0, 1], uniform in the angle.

    Source: after Tenenbaum, de Silva and Langford, Science 290, 2000, seen from above.
    """
    integer_at_least("count", count, 1)
    generator = generator_for(seed, "roll")
    along = torch.rand(count, generator=generator)
    angle = 1.5 * math.pi * (1 + 2 * along)
    curve = torch.stack([angle.cos(), angle.sin()], 1) * (angle / (4.5 * math.pi)).unsqueeze(1)
    return curve + 0.03 * torch.randn(count, 2, generator=generator), along
