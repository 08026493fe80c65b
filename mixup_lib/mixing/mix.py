"""The mix: partners and weights, drawn once, applied to anything.

Mixing a batch is multiplying it by a sparse matrix whose rows sum to one: ``x' = W x``,
``y' = W y``. A :class:`Mix` holds the non-zero entries of that matrix. It is drawn in one
place (:mod:`mixup_lib.mixing.draw`); everything in this module is deterministic given the draw.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mixup_lib.mixing.box import Box, along, axis_of
from mixup_lib.mixing.memory import check_out, gather, paste

__all__ = ["Mix"]


@dataclass(frozen=True, eq=False)
class Mix:
    """Which examples are mixed, and how much of each.

    Attributes:
        index: ``(k, B)`` long. Row 0 is ``arange(B)``, the example itself; the other rows are
            its partners.
        weights: ``(k, B)`` float32 in [0, 1]; every column sums to 1.
        box: None, or the pasted region of a CutMix draw: a :class:`Box`, or
            :class:`~mixup_lib.mixing.frames.Frames`.

    Raises:
        ValueError: The shapes or dtypes are not those above, or ``index[0]`` is not
            ``arange(B)``.

    Source: Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: Beyond Empirical Risk Minimization",
    ICLR 2018; the matrix form is Carratino et al., "On Mixup Regularization", JMLR 2022.
    """

    index: Tensor
    weights: Tensor
    box: Box | None = None

    def __post_init__(self) -> None:
        if torch.compiler.is_compiling():
            return
        if self.index.ndim != 2 or self.index.dtype != torch.long or 0 in self.index.shape:
            raise ValueError(
                f"index has shape {tuple(self.index.shape)} and dtype {self.index.dtype}; "
                "valid is (k, B), long, k >= 1, B >= 1"
            )
        if self.weights.shape != self.index.shape or self.weights.dtype != torch.float32:
            raise ValueError(
                f"weights has shape {tuple(self.weights.shape)} and dtype {self.weights.dtype}; "
                f"valid is {tuple(self.index.shape)}, float32"
            )
        # On an accelerator the check would wait for the device.
        if self.index.is_cpu and self.index[0].tolist() != list(range(len(self))):
            raise ValueError(
                f"index[0]={self.index[0].tolist()} is not arange({len(self)}): "
                "row 0 is the example itself"
            )

    def __len__(self) -> int:
        """The batch size B."""
        return self.index.shape[1]

    @property
    def lam(self) -> Tensor:
        """``(B,)`` float32: the weight of the example itself."""
        return self.weights[0]

    def to(self, device: torch.device | str) -> Mix:
        """The same mix on ``device``; copies do not wait for it."""
        index = self.index.to(device, non_blocking=True)
        weights = self.weights.to(device, non_blocking=True)
        if index is self.index and weights is self.weights and self.box is None:
            return self  # as a tensor does: a new mix would be checked again
        return Mix(index, weights, self.box and self.box.to(device))

    def inputs(self, x: Tensor, dim: int = 0, out: Tensor | None = None) -> Tensor:
        """Mixes a batch of pixels, samples, embeddings or hidden states.

        Args:
            x: Any floating tensor whose dimension ``dim`` is the batch, of length B.
            dim: The batch dimension: 0 for most, 1 for (length, batch, ...) and for LSTM states.
            out: A buffer of x's shape, dtype and device for the result; not for autograd.

        Returns:
            A tensor of x's shape, dtype, device and memory format. ``x`` itself is never changed;
            it is returned as it is when nothing is mixed (k = 1) and no ``out`` is given.

        Raises:
            TypeError: ``x`` is not floating (integer pixels, token ids).
            ValueError: Another batch length, a box of another size, an unfit ``out``.
        """
        if not x.is_floating_point():
            raise TypeError(
                f"x has dtype {x.dtype}: a weighted mean needs a floating dtype. Valid: scale "
                "pixels first, x.float() / 255; look token ids up first and mix the embeddings"
            )
        batch = self._batch_axis("x", x, dim)
        if out is not None and not torch.compiler.is_compiling():
            check_out(out, x)
        index = self.index.to(x.device, non_blocking=True)
        if len(index) == 1:
            return x if out is None else out.copy_(x)
        if self.box is not None:
            partner = gather(x, batch, index[1], out)
            return paste(self.box.mask(x, dim), partner, x, out)
        # Horner's scheme: each step is a lerp, so the result stays a convex combination even where
        # bfloat16 rounds the weights. Gathering into the result and mixing in place takes one
        # buffer and two passes; the weights are rounded to x's dtype only in the product.
        shares = _shares(self.weights.to(x.device, non_blocking=True)).to(x.dtype)
        mixed = gather(x, batch, index[-1], out)
        for j in range(len(index) - 2, -1, -1):
            nearer = x if j == 0 else gather(x, batch, index[j])
            mixed = mixed.lerp_(nearer, along(shares[j], x.ndim, batch))
        return mixed

    def targets(self, y: Tensor, num_classes: int | None = None) -> Tensor:
        """Mixes labels.

        Args:
            y: Class ids, integer ``(B,)`` or ``(B, T)``; or one-hot, multi-label or regression
                targets, floating or bool ``(B, ...)``.
            num_classes: Number of classes C; needed for class ids. For floating targets it may
                be given to check the last dimension.

        Returns:
            float32, whatever the dtype of ``y`` or of the inputs: ``(B, C)`` or ``(B, T, C)`` for
            class ids, else y's shape. Weights come from the measured share where there is a box.

        Raises:
            ValueError: Class ids without ``num_classes`` or outside ``[0, num_classes)``,
                another batch length, another last dimension.
        """
        self._batch_axis("y", y, 0)
        index = self.index.to(y.device, non_blocking=True)
        weights = self.weights.to(y.device, non_blocking=True)
        if y.is_floating_point() or y.dtype == torch.bool:
            if num_classes is not None and y.shape[-1] != num_classes:
                raise ValueError(
                    f"num_classes={num_classes}, but y has shape {tuple(y.shape)}: "
                    f"valid is {y.shape[-1]}, or None"
                )
            y = y.float()
            mixed = along(weights[0], y.ndim, 0) * y
            for j in range(1, len(index)):
                mixed = mixed + along(weights[j], y.ndim, 0) * y[index[j]]
            return mixed
        _check_class_ids(y, num_classes)
        # One scatter for all k: each of an example's ids receives its weight.
        ids = y[index].long().movedim(0, -1)
        shares = weights.T.view(len(self), *[1] * (y.ndim - 1), -1).expand(ids.shape)
        return torch.zeros(*y.shape, num_classes, device=y.device).scatter_add_(-1, ids, shares)

    def any_valid(self, mask: Tensor, dim: int = 0) -> Tensor:
        """Where the mixture holds a real token or frame: the OR over the examples mixed.

        Args:
            mask: bool, True = a real token or frame, False = padding; dimension ``dim`` is the
                batch.
            dim: The batch dimension.

        Returns:
            bool, of mask's shape.

        Raises:
            TypeError: ``mask`` is not bool. (A key padding mask of torch has True = padding:
                pass ``~mask`` and invert the result.)
            ValueError: Another batch length.
        """
        if mask.dtype != torch.bool:
            raise TypeError(
                f"mask has dtype {mask.dtype}; valid is bool, True where a token or frame is real"
            )
        batch = self._batch_axis("mask", mask, dim)
        valid = mask
        for partner in self.index[1:].to(mask.device, non_blocking=True):
            valid = valid | mask.index_select(batch, partner)
        return valid

    def _batch_axis(self, name: str, x: Tensor, dim: int) -> int:
        batch = axis_of(x, dim, name)
        if x.shape[batch] != len(self):
            raise ValueError(
                f"{name} has shape {tuple(x.shape)}: length {x.shape[batch]} along dim={dim}, but "
                f"the mix was drawn for a batch of {len(self)}. Valid: the dim whose length is "
                f"{len(self)} (1 for length-first text batches), or a mix drawn for this batch"
            )
        return batch


def _shares(weights: Tensor) -> Tensor:
    """Row j: the weight of example j among examples j, j + 1, ...; row 0 is the weight itself."""
    if len(weights) == 2:
        return weights[:1]
    tail = weights.flip(0).cumsum(0).flip(0)[1:-1]
    return torch.cat([weights[:1], weights[1:-1] / tail.clamp_min(torch.finfo(tail.dtype).tiny)])


def _check_class_ids(y: Tensor, num_classes: int | None) -> None:
    if num_classes is None:
        raise ValueError(
            f"num_classes=None, but y has dtype {y.dtype} and so holds class ids: an average of "
            "ids means nothing. Valid: the number of classes, or floating targets"
        )
    if num_classes < 1:
        raise ValueError(f"num_classes={num_classes}; valid is 1 or more")
    if not torch.compiler.is_compiling() and y.numel():
        low, high = (extreme.item() for extreme in y.aminmax())
        if low < 0 or high >= num_classes:
            raise ValueError(
                f"y holds class ids from {low} to {high}; valid with num_classes={num_classes} "
                f"are 0 to {num_classes - 1}"
            )
