"""A clip, and the way to a batch and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mixup_lib.basics.check import integer_at_least

__all__ = ["Clip", "as_batch", "as_clip", "beside"]

SAME_RATE = 1e-4  # relative; 30 and 30000/1001 frames per second differ by ten times as much


@dataclass(frozen=True, eq=False)
class Clip:
    """A video clip: its frames, and how fast they follow each other.

    Attributes:
        frames: uint8 ``(T, H, W, 3)``, red, green, blue from 0 to 255; T, H, W at least 1.
        fps: Frames per second, finite and above 0.

    Raises:
        TypeError: ``frames`` is no numpy array of uint8.
        ValueError: Another shape, no frame at all, or ``fps`` out of range.
    """

    frames: np.ndarray
    fps: float

    def __post_init__(self) -> None:
        frames = self.frames
        if not isinstance(frames, np.ndarray) or frames.dtype != np.uint8:
            dtype = getattr(frames, "dtype", type(frames).__name__)
            raise TypeError(
                f"frames has dtype {dtype}; valid is a numpy array of uint8. as_clip(x, fps) "
                "rounds a floating mixture"
            )
        if frames.ndim != 4 or frames.shape[3] != 3 or 0 in frames.shape:
            raise ValueError(
                f"frames has shape {frames.shape}; valid is (T, H, W, 3), T, H and W at least 1: "
                "a clip without frames can't be mixed or written"
            )
        if not (math.isfinite(self.fps) and self.fps > 0):
            raise ValueError(f"fps={self.fps}; valid is a finite number above 0")

    def __len__(self) -> int:
        """The number of frames T."""
        return len(self.frames)

    def __repr__(self) -> str:
        height, width = self.size
        return f"Clip({len(self)} frames of {height}x{width} at {self.fps:g} per second)"

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, in pixels."""
        return self.frames.shape[1:3]

    @property
    def seconds(self) -> float:
        """How long the clip lasts."""
        return len(self) / self.fps


def as_batch(clips: Sequence[Clip]) -> Tensor:
    """Clips as a batch that a :class:`~mixup_lib.Mix` takes.

    Returns:
        float32 ``(B, 3, T, H, W)`` in [0, 1].

    Raises:
        ValueError: There is no clip, or they differ in frame rate, length or size; the message
            names the first that does.
    """
    _check_alike(clips)
    frames = torch.stack([torch.from_numpy(clip.frames) for clip in clips])
    return frames.permute(0, 4, 1, 2, 3).float().div_(255)


def as_clip(x: Tensor, fps: float) -> Clip:
    """One mixture back as a clip: rounded to the nearest of 256 values, not cut off.

    Args:
        x: Floating ``(3, T, H, W)``, or ``(1, T, H, W)`` in grey, in [0, 1].
        fps: Frames per second.

    Raises:
        TypeError: ``x`` is not floating.
        ValueError: Another shape, or values outside [0, 1] or nan.
    """
    if not x.is_floating_point():
        raise TypeError(f"x has dtype {x.dtype}; valid is a floating dtype, in [0, 1]")
    if x.ndim != 4 or x.shape[0] not in (1, 3) or x.numel() == 0:
        raise ValueError(f"x has shape {tuple(x.shape)}; valid is (3, T, H, W) or (1, T, H, W)")
    low, high = (extreme.item() for extreme in x.aminmax())
    if not -1e-6 <= low <= high <= 1 + 1e-6:
        raise ValueError(f"x has values from {low:g} to {high:g}; valid is 0 to 1")
    pixels = x.detach().cpu().float().mul(255).round().clamp(0, 255).to(torch.uint8)
    return Clip(pixels.expand(3, -1, -1, -1).permute(1, 2, 3, 0).contiguous().numpy(), fps)


def beside(*clips: Clip, gap: int = 2, enlarge: int = 1, columns: int | None = None) -> Clip:
    """Clips beside and below each other in one, so that they play together.

    Args:
        *clips: One or more that agree in frame rate, length and size.
        gap: White pixels between two clips, 0 or more.
        enlarge: Each pixel becomes a square of this side, at least 1; the gap does not grow.
        columns: Clips in a row, at least 1; None puts all in one row. What is left of the last
            row is white.

    Raises:
        ValueError: The clips don't agree, or a number is out of range.
    """
    integer_at_least("gap", gap, 0)
    integer_at_least("enlarge", enlarge, 1)
    _check_alike(clips)
    columns = integer_at_least("columns", len(clips) if columns is None else columns, 1)
    first, rows = clips[0], -(-len(clips) // columns)
    high, wide = (enlarge * side for side in first.size)
    size = rows * (high + gap) - gap, columns * (wide + gap) - gap
    sheet = np.full((len(first), *size, 3), 255, np.uint8)
    for i, clip in enumerate(clips):
        top, left = i // columns * (high + gap), i % columns * (wide + gap)
        large = clip.frames.repeat(enlarge, axis=1).repeat(enlarge, axis=2)
        sheet[:, top : top + high, left : left + wide] = large
    return Clip(sheet, first.fps)


def _check_alike(clips: Sequence[Clip]) -> None:
    if not clips:
        raise ValueError("clips is empty; valid is one clip or more")
    for i, clip in enumerate(clips):
        first = clips[0]
        same_rate = math.isclose(clip.fps, first.fps, rel_tol=SAME_RATE)
        if not same_rate or clip.frames.shape != first.frames.shape:
            raise ValueError(
                f"clips[{i}] is {clip}, but clips[0] is {first}. Valid are clips of one frame "
                "rate, length and size: reconcile makes two agree"
            )
