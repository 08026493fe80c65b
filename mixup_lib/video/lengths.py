"""Two clips made to agree in frame rate, length and size."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn.functional import interpolate

from mixup_lib.video.clip import SAME_RATE, Clip

__all__ = ["LENGTHS", "reconcile"]

#: What can be done about lengths that differ.
LENGTHS = ("crop", "loop", "hold")


def reconcile(
    a: Clip,
    b: Clip,
    *,
    fps: float | None = None,
    length: str | None = None,
    size: tuple[int, int] | None = None,
) -> tuple[Clip, Clip]:
    """Two clips of the same frame rate, length and size, made so in the way that you name.

    Frame rate first, then length, then size. What is None must agree already.

    Args:
        a: A clip. The clips that are passed are not changed.
        b: Another clip.
        fps: Frames per second of both, above 0. The frame that is shown at each moment is taken;
            no frame is made up.
        length: In frames: "crop" cuts the longer one's tail off, "loop" repeats the shorter one
            from its beginning, "hold" repeats its last frame.
        size: (height, width) of both, each at least 1. Frames are resized by bilinear
            interpolation, and stretched where the proportions differ.

    Returns:
        The two clips.

    Raises:
        ValueError: Frame rates, lengths or sizes differ and nothing says what to do, or an
            argument is out of range.
    """
    if fps is not None:
        a, b = _resampled(a, fps), _resampled(b, fps)
    if not math.isclose(a.fps, b.fps, rel_tol=SAME_RATE):
        raise ValueError(
            f"a has {a.fps:g} frames per second and b has {b.fps:g}: the same frame numbers are "
            f"other moments. Valid: fps={max(a.fps, b.fps):g}, or another common rate"
        )
    if length not in (None, *LENGTHS):
        raise ValueError(f"length={length!r}; valid are None and {LENGTHS}")
    if length is None and len(a) != len(b):
        raise ValueError(f"a has {len(a)} frames and b has {len(b)}. Valid: length in {LENGTHS}")
    frames = min(len(a), len(b)) if length == "crop" else max(len(a), len(b))
    a, b = (_with_length(clip, frames, length) for clip in (a, b))
    if size is None and a.size != b.size:
        raise ValueError(f"a has size {a.size} and b has {b.size}. Valid: size=(height, width)")
    return (a, b) if size is None else (_resized(a, size), _resized(b, size))


def _resampled(clip: Clip, fps: float) -> Clip:
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"fps={fps}; valid is a finite number above 0")
    moments = np.arange(max(1, round(clip.seconds * fps))) / fps
    shown = (moments * clip.fps + 1e-6).astype(int).clip(max=len(clip) - 1)
    return Clip(clip.frames[shown], fps)


def _with_length(clip: Clip, frames: int, length: str | None) -> Clip:
    if frames == len(clip):
        return clip
    order = np.arange(frames)
    order = order % len(clip) if length == "loop" else order.clip(max=len(clip) - 1)
    return Clip(clip.frames[order], clip.fps)


def _resized(clip: Clip, size: tuple[int, int]) -> Clip:
    if len(size) != 2 or not all(isinstance(side, int) and side >= 1 for side in size):
        raise ValueError(f"size={size!r}; valid is (height, width), integers of at least 1")
    if clip.size == tuple(size):
        return clip
    frames = np.empty((len(clip), *size, 3), np.uint8)
    for new, old in zip(frames, clip.frames, strict=True):  # one by one: floats take room
        x = torch.from_numpy(old).permute(2, 0, 1).unsqueeze(0).float()
        x = interpolate(x, size=tuple(size), mode="bilinear", antialias=True)
        new[:] = x[0].round().clamp(0, 255).permute(1, 2, 0).numpy()
    return Clip(frames, clip.fps)
