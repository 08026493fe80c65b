"""Common corruptions of images, each in five severities.

They stand for what happens to pictures between training and use: noise, defocus, coarse pixels,
other light. A model is tested on them and never trained on them. This is our own simple form of
the idea; numbers are not comparable with those on CIFAR-10-C.

Source: Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations", ICLR 2019.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

__all__ = ["CORRUPTIONS", "corrupt"]

SEVERITIES = range(1, 6)


def noise(x: Tensor, severity: int, generator: Generator | None = None) -> Tensor:
    """Gaussian noise on every value, of deviation 0.04 to 0.2."""
    drawn = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
    return (x + 0.04 * severity * drawn).clamp_(0, 1)


def impulse(x: Tensor, severity: int, generator: Generator | None = None) -> Tensor:
    """Two to ten of a hundred pixels turn black or white, in all channels at once."""
    shape = (len(x), 1, *x.shape[2:])
    where, colour = torch.rand(2, *shape, generator=generator, dtype=x.dtype).to(x.device)
    return torch.where(where < 0.02 * severity, colour.round(), x)


def blur(x: Tensor, severity: int, generator: Generator | None = None) -> Tensor:
    """A Gaussian blur, of deviation 0.4 to 2 pixels."""
    deviation = 0.4 * severity
    reach = math.ceil(3 * deviation)
    offsets = torch.arange(-reach, reach + 1, dtype=x.dtype, device=x.device)
    kernel = torch.softmax(-(offsets**2) / (2 * deviation**2), 0)
    channels = x.shape[1]
    rows = kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    padded = F.pad(x, (reach, reach, reach, reach), mode="replicate")
    blurred = F.conv2d(padded, rows, groups=channels)
    return F.conv2d(blurred, rows.transpose(2, 3), groups=channels).clamp_(0, 1)


def pixelate(x: Tensor, severity: int, generator: Generator | None = None) -> Tensor:
    """Averages over coarser pixels: 0.85 of the image's side in pixels, down to 0.25."""
    kept = 1 - 0.15 * severity
    grid = [max(1, round(side * kept)) for side in x.shape[2:]]
    return F.interpolate(F.adaptive_avg_pool2d(x, grid), size=x.shape[2:], mode="nearest")


def contrast(x: Tensor, severity: int, generator: Generator | None = None) -> Tensor:
    """Every channel moves towards its own mean: 0.84 of the contrast is left, down to 0.2."""
    return x.lerp(x.mean((2, 3), keepdim=True), 0.16 * severity).clamp_(0, 1)


def brightness(x: Tensor, severity: int, generator: Generator | None = None) -> Tensor:
    """Everything gets brighter, by 0.1 to 0.5; what is white stays white."""
    return (x + 0.1 * severity).clamp_(0, 1)


#: Name and function ``(x, severity, generator) -> x`` of each corruption; only the first two draw.
CORRUPTIONS: dict[str, Callable[[Tensor, int, Generator | None], Tensor]] = {
    "noise": noise,
    "impulse": impulse,
    "blur": blur,
    "pixelate": pixelate,
    "contrast": contrast,
    "brightness": brightness,
}


def corrupt(x: Tensor, name: str, severity: int, generator: Generator | None = None) -> Tensor:
    """Corrupts images.

    Args:
        x: Floating ``(B, C, H, W)`` in [0, 1]; it is not changed.
        name: One of `CORRUPTIONS`.
        severity: From 1, hardly visible, to 5, severe; an integer.
        generator: A CPU generator for the noise, or None for torch's default one.

    Returns:
        A new tensor of x's shape, dtype and device, in [0, 1].

    Raises:
        TypeError: ``x`` is not floating.
        ValueError: Another shape, values outside [0, 1], an unknown name, or a severity that is no
            integer from 1 to 5.
    """
    if name not in CORRUPTIONS:
        raise ValueError(f"name={name!r}; valid are {', '.join(map(repr, CORRUPTIONS))}")
    if isinstance(severity, bool) or not isinstance(severity, int) or severity not in SEVERITIES:
        raise ValueError(f"severity={severity!r}; valid is an integer from 1 to 5")
    if not x.is_floating_point():
        raise TypeError(f"x has dtype {x.dtype}; valid is a floating dtype, x.float() / 255")
    if x.ndim != 4 or 0 in x.shape:
        raise ValueError(f"x has shape {tuple(x.shape)}; valid is (B, C, H, W), none of them 0")
    smallest, largest = (value.item() for value in x.detach().aminmax())
    if not (smallest >= 0 and largest <= 1):
        raise ValueError(
            f"x holds values from {smallest:g} to {largest:g}; valid are 0 to 1: "
            "corrupt before standardising"
        )
    return CORRUPTIONS[name](x, severity, generator)
