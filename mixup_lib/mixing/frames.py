"""Frame mixing: some frames of a clip, anywhere in it, are the partner's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mixup_lib.basics.check import integer_at_least
from mixup_lib.mixing.box import axis_of
from mixup_lib.mixing.draw import draw_mixup
from mixup_lib.mixing.mix import Mix

__all__ = ["Frames", "draw_frames"]


@dataclass(frozen=True, eq=False)
class Frames:
    """The frames that are pasted: what a :class:`~mixup_lib.Box` is for a connected region.

    Attributes:
        chosen: ``(T, B)`` bool, True where a frame is the partner's.
        axis: The time axis of the tensor, not its batch axis.
    """

    chosen: Tensor
    axis: int = 2

    @property
    def dims(self) -> tuple[int]:
        """The time axis, as a box has it."""
        return (self.axis,)

    @property
    def size(self) -> tuple[int]:
        """The number of frames, as a box has it."""
        return (len(self.chosen),)

    def at(self, dims: tuple[int, ...]) -> Frames:
        """The same frames along the one axis of ``dims``, for another tensor."""
        if len(dims) != 1:
            raise ValueError(f"dims={dims}; valid is one axis, the time axis")
        return replace(self, axis=dims[0])

    @property
    def share(self) -> Tensor:
        """``(B,)`` float32: the measured share of the frames that are pasted."""
        return self.chosen.float().mean(0)

    def to(self, device: torch.device | str) -> Frames:
        """The same frames on ``device``; the copy does not wait for it."""
        return replace(self, chosen=self.chosen.to(device, non_blocking=True))

    def mask(self, x: Tensor, dim: int = 0) -> Tensor:
        """True in the pasted frames; bool, broadcastable to ``x``, whose batch axis is ``dim``.

        Raises:
            ValueError: ``x`` has no such time axis, or another number of frames.
        """
        batch, time = axis_of(x, dim), axis_of(x, self.axis)
        if batch == time or x.shape[time] != len(self.chosen):
            raise ValueError(
                f"frames were drawn for length {len(self.chosen)} along axis {self.axis}, which "
                f"does not fit x of shape {tuple(x.shape)} with its batch along dim={dim}; draw "
                "them with frames=x.shape[axis]"
            )
        shape = [1] * x.ndim
        shape[time], shape[batch] = self.chosen.shape
        chosen = self.chosen.to(x.device, non_blocking=True)
        return (chosen if time < batch else chosen.T).reshape(shape)


def draw_frames(
    batch_size: int,
    frames: int,
    alpha: float = 1.0,
    axis: int = 2,
    per_sample: bool = False,
    partners: Tensor | None = None,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Mix:
    """Draws a frame mix: a random subset of the frames is replaced by the partner's.

    The subset has ``(1 - lam) * frames`` frames, rounded, ``lam ~ Beta(alpha, alpha)``; every
    subset of that size is equally likely. The weights are computed from the frames as they are.

    Args:
        batch_size: B, 1 or more.
        frames: Number of frames T of a clip, 1 or more.
        alpha: Beta's parameter, finite and above 0.
        axis: The time axis: 2 for ``(B, C, T, H, W)``.
        per_sample: A subset for each example, instead of one for the batch.
        partners: ``(B,)`` long, values in [0, B): partners chosen by you.
        generator: A CPU generator, or None for torch's default one.
        device: Where the mix is put; the CPU if None.

    Returns:
        A :class:`~mixup_lib.Mix` with k = 2, whose ``box`` is :class:`Frames`.

    Raises:
        ValueError: ``batch_size``, ``frames``, ``alpha`` or ``partners`` outside the ranges above.
        RuntimeError: A ``generator`` inside a DataLoader worker.
    """
    integer_at_least("frames", frames, 1)
    mix = draw_mixup(batch_size, alpha, per_sample, partners, generator)
    count = ((1 - mix.lam) * frames).round()
    columns = batch_size if per_sample else 1
    order = torch.rand(
        frames, columns, generator=generator, dtype=torch.float32, device="cpu"
    ).argsort(0)
    region = Frames((order.argsort(0) < count).expand(frames, batch_size), axis)
    weights = torch.stack([1 - region.share, region.share])
    mix = Mix.drawn(mix.index, weights, region)
    return mix if device is None else mix.to(device)
