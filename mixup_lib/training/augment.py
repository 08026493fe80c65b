"""Augmentation on batches: pure functions of a batch and a generator.

An augmentation preserves the label and is applied before the batch is mixed. Which ones do is a
matter of the data: a mirrored cat is a cat, a mirrored digit is no digit.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from mixup_lib.basics.check import integer_at_least

__all__ = ["chain", "crop", "flip", "per_image", "rotate", "scale"]

Augment = Callable[[Tensor, torch.Generator | None], Tensor]


def flip(x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Mirrors each image left to right with probability one half.

    Args:
        x: ``(B, C, H, W)``, any dtype; it is not changed.
        generator: CPU generator; None uses torch's default one.

    Returns:
        A new tensor like ``x``; one that was channels_last stays so.

    Raises:
        ValueError: if ``x`` is not 4-dimensional.
    """
    _check_images(x)
    mirrored = torch.rand(len(x), generator=generator) < 0.5
    return torch.where(_column(mirrored, x.device), x.flip(-1), x)


def crop(x: Tensor, generator: torch.Generator | None = None, padding: int | None = None) -> Tensor:
    """Shifts each image by up to ``padding`` pixels each way and fills with zeros.

    The usual "pad, then crop at random" of CIFAR (He et al., 2016). Zero is the mean colour
    when the images are standardised first.

    Args:
        x: ``(B, C, H, W)``, any dtype; it is not changed.
        generator: CPU generator; None uses torch's default one.
        padding: largest shift in pixels, at least 0; None takes an eighth of the image's height
            (4 pixels of 32).

    Returns:
        A new tensor like ``x``; one that was channels_last stays so.

    Raises:
        ValueError: if ``x`` is not 4-dimensional or ``padding`` is negative.
    """
    _check_images(x)
    size, height, width = len(x), x.shape[2], x.shape[3]
    padding = height // 8 if padding is None else integer_at_least("padding", padding, 0)
    shifts = torch.randint(2 * padding + 1, (2, size, 1), generator=generator).to(x.device)
    rows = torch.arange(height, device=x.device) + shifts[0]
    columns = torch.arange(width, device=x.device) + shifts[1]
    padded = F.pad(x, (padding,) * 4)
    example = torch.arange(size, device=x.device)[:, None, None]
    # Advanced indices around the channels' slice put the channels last, in memory too.
    cropped = padded[example, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    channels_last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    return cropped if channels_last else cropped.contiguous()


def rotate(x: Tensor, generator: torch.Generator | None = None, degrees: float = 15.0) -> Tensor:
    """Turns each image around its centre by an angle drawn uniformly; corners are filled with 0.

    Args:
        x: ``(B, C, H, W)`` floating; it is not changed.
        generator: CPU generator; None uses torch's default one.
        degrees: largest angle, either way, in [0, 180].

    Returns:
        A new tensor like ``x``, read bilinearly, as torchvision's ``RandomRotation`` does.

    Raises:
        ValueError: if ``x`` is not 4-dimensional or ``degrees`` lies outside [0, 180].
    """
    _check_images(x)
    if not 0 <= degrees <= 180:
        raise ValueError(f"degrees must lie in [0, 180], got {degrees}")
    angle = torch.deg2rad(_uniform(x, -degrees, degrees, generator))
    return _affine(x, angle.cos(), angle.sin())


def scale(
    x: Tensor,
    generator: torch.Generator | None = None,
    low: float = 0.8,
    high: float = 1.2,
) -> Tensor:
    """Shrinks or enlarges each image around its centre by a factor drawn uniformly.

    Args:
        x: ``(B, C, H, W)`` floating; it is not changed.
        generator: CPU generator; None uses torch's default one.
        low: smallest factor, above 0. What a shrunk image leaves free is filled with 0.
        high: largest factor, at least ``low``. What an enlarged image pushes out is lost.

    Returns:
        A new tensor like ``x``, read bilinearly, as torchvision's ``RandomAffine`` does.

    Raises:
        ValueError: if ``x`` is not 4-dimensional or the factors are not ``0 < low <= high``.
    """
    _check_images(x)
    if not 0 < low <= high:
        raise ValueError(f"low and high must be 0 < low <= high, got {low} and {high}")
    factor = _uniform(x, low, high, generator)
    return _affine(x, 1 / factor, torch.zeros_like(factor))


def per_image(transform: Callable[[Tensor], Tensor]) -> Augment:
    """A transform of torchvision (v2), applied to each image of a batch with a draw of its own.

    A v2 transform draws once for the whole batch that it is given, from torch's default generator.
    Here it is given one image at a time, and the default generator is seeded from ``generator``
    and left as it was.

    Args:
        transform: ``(C, H, W) -> (C, H, W)``, such as ``v2.RandomRotation(15)``.

    Raises:
        TypeError: if ``transform`` is not callable.
    """
    if not callable(transform):
        raise TypeError(f"transform must be callable, got {transform!r}")
    return _PerImage(transform)


class _PerImage:
    """A class and no closure, as :class:`_Chain`."""

    def __init__(self, transform: Callable[[Tensor], Tensor]):
        self.transform = transform

    def __call__(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        _check_images(x)
        seed = int(torch.randint(2**62, (), generator=generator))
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            changed = torch.stack([self.transform(image) for image in x])
        channels_last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
        layout = torch.channels_last if channels_last else torch.contiguous_format
        return changed.contiguous(memory_format=layout)


def chain(*augments: Augment) -> Augment:
    """One augmentation that applies several in order: ``chain(crop, flip)``.

    Raises:
        TypeError: if an argument is not callable.
    """
    for augment in augments:
        if not callable(augment):
            raise TypeError(f"chain needs callables (x, generator) -> x, got {augment!r}")
    return _Chain(augments)


class _Chain:
    """A class and no closure, so that it can be pickled and compared in a checkpoint."""

    def __init__(self, augments: Sequence[Augment]):
        self.augments = tuple(augments)

    def __call__(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        for augment in self.augments:
            x = augment(x, generator)
        return x


def _uniform(x: Tensor, low: float, high: float, generator) -> Tensor:
    return low + (high - low) * torch.rand(len(x), generator=generator)


def _affine(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Each image read at coordinates turned and stretched around its centre, zeros outside."""
    height, width = x.shape[2:]
    zero = torch.zeros_like(cosine)
    # Coordinates run from -1 to 1 along both sides, whatever their lengths.
    rows = [cosine, -sine * (height / width), zero, sine * (width / height), cosine, zero]
    matrix = torch.stack(rows, 1).view(-1, 2, 3).to(x.device, x.dtype)
    grid = F.affine_grid(matrix, list(x.shape), align_corners=False)
    moved = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    channels_last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return moved.contiguous(memory_format=layout)


def _check_images(x: Tensor) -> None:
    if x.ndim != 4:
        raise ValueError(f"x must be images (B, C, H, W), got shape {tuple(x.shape)}")


def _column(values: Tensor, device: torch.device) -> Tensor:
    """``values`` (B,) as (B, 1, 1, 1) on ``device``, to broadcast over images."""
    return values.to(device, non_blocking=True)[:, None, None, None]
