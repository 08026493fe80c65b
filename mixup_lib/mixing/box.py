"""The pasted region of a CutMix, and how vectors are laid along an axis."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace

import torch
from torch import Tensor

__all__ = ["Box"]


@dataclass(frozen=True, eq=False)
class Box:
    """The region that CutMix pastes, one per example.

    Attributes:
        dims: The ``d`` axes of the tensor that are cut, as given, for example ``(-2, -1)``.
        size: The tensor's lengths along ``dims``.
        start: ``(d, B)`` long, first index inside the region, per axis and example.
        stop: ``(d, B)`` long, first index after it; ``0 <= start <= stop <= size``.
    """

    dims: tuple[int, ...]
    size: tuple[int, ...]
    start: Tensor
    stop: Tensor

    @property
    def share(self) -> Tensor:
        """``(B,)`` float32: the measured share of the tensor that the region covers."""
        volume = (self.stop - self.start).prod(0)
        return volume.float() / math.prod(self.size)

    def to(self, device: torch.device | str) -> Box:
        """The same box on ``device``; copies do not wait for it."""
        start = self.start.to(device, non_blocking=True)
        return replace(self, start=start, stop=self.stop.to(device, non_blocking=True))

    def at(self, dims: tuple[int, ...]) -> Box:
        """The same region along other axes, for a tensor that has them elsewhere."""
        if len(dims) != len(self.dims):
            raise ValueError(f"dims={dims}; valid are {len(self.dims)} axes, one for each cut one")
        return replace(self, dims=dims)

    def mask(self, x: Tensor, dim: int = 0) -> Tensor:
        """True inside the region; bool, broadcastable to ``x``, whose batch axis is ``dim``.

        Raises:
            ValueError: ``dims`` do not fit ``x`` or name an axis twice, or ``x`` has other lengths
                along them.
        """
        batch = axis_of(x, dim)
        if len({axis % x.ndim for axis in self.dims}) < len(self.dims):
            raise ValueError(
                f"box.dims={self.dims} names an axis of x, of shape {tuple(x.shape)}, twice; valid "
                "are different axes"
            )
        mask = None
        for i, axis in enumerate(self.dims):
            if not -x.ndim <= axis < x.ndim or axis % x.ndim == batch:
                raise ValueError(
                    f"box.dims={self.dims} does not fit x of shape {tuple(x.shape)} with its batch "
                    f"along dim={dim}: valid are the other axes, from {-x.ndim} to {x.ndim - 1}"
                )
            length = x.shape[axis]
            if length != self.size[i]:
                raise ValueError(
                    f"box was drawn for length {self.size[i]} along axis {axis}, but x of shape "
                    f"{tuple(x.shape)} has length {length}; draw it with size=x.shape"
                )
            at = along(torch.arange(length, device=x.device), x.ndim, axis)
            start = along(self.start[i].to(x.device, non_blocking=True), x.ndim, batch)
            stop = along(self.stop[i].to(x.device, non_blocking=True), x.ndim, batch)
            inside = (at >= start) & (at < stop)
            mask = inside if mask is None else mask & inside
        return mask  # type: ignore[return-value]  # no None: a box cuts one axis or more


def axis_of(x: Tensor, dim: int, name: str = "x") -> int:
    if not -x.ndim <= dim < x.ndim:
        raise ValueError(
            f"dim={dim} does not fit {name} of shape {tuple(x.shape)}: "
            f"valid are {-x.ndim} to {x.ndim - 1}"
        )
    return dim % x.ndim


def along(vector: Tensor, ndim: int, axis: int) -> Tensor:
    """A vector laid along one axis of an ndim-dimensional tensor."""
    if ndim == 1:
        return vector
    shape = [1] * ndim
    shape[axis] = -1
    return vector.view(shape)


def refuse_coordinates(name: str, x: object) -> None:
    """Raises TypeError for what is no tensor, and for tensors of coordinates.

    A pasted region does not move coordinates, and their weighted mean is another place.
    """
    if not isinstance(x, Tensor):
        hint = "torch.as_tensor(...) of it" if hasattr(x, "__array__") else "a batch as one tensor"
        raise TypeError(f"{name} is a {type(x).__name__}; valid is a tensor: {hint}")
    torchvision = sys.modules.get("torchvision.tv_tensors")
    kinds = (getattr(torchvision, kind, None) for kind in ("BoundingBoxes", "KeyPoints"))
    if isinstance(x, tuple(filter(None, kinds))):
        raise TypeError(
            f"{name} holds coordinates ({type(x).__name__}), which can be neither weighted nor "
            "pasted. Valid: concatenate the objects of both examples yourself, or targets such as "
            "class ids and masks"
        )
