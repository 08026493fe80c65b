"""The mix: partners and weights, drawn once, applied to anything.

Mixing a batch is multiplying it by a sparse matrix whose rows sum to one: ``x' = W x``,
``y' = W y``. A :class:`Mix` holds the non-zero entries of that matrix. It is drawn in one
place (:mod:`mixup_lib.mixing.draw`); everything in this module is deterministic given the draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mixup_lib.mixing.box import Box, along, axis_of, refuse_coordinates
from mixup_lib.mixing.memory import check_out, gather, paste

if TYPE_CHECKING:
    from mixup_lib.mixing.frames import Frames  # which imports this module

__all__ = ["Mix"]

TOLERANCE = 1e-4  # of the sum of an example's weights; float32 rounds at 1e-7


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
        ValueError: The shapes, dtypes or values are not those above, or ``index`` names an example
            that the batch does not have.

    Source: Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: Beyond Empirical Risk Minimization",
    ICLR 2018; the matrix form is Carratino et al., "On Mixup Regularization", JMLR 2022.
    """

    index: Tensor
    weights: Tensor
    box: Box | Frames | None = None

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
        if not self.index.is_meta:
            _check_values(self.index, self.weights)

    @classmethod
    def drawn(cls, index: Tensor, weights: Tensor, box: Box | Frames | None = None) -> Mix:
        """A mix that is valid by construction, as draws make it: nothing is checked.

        A check would cost as much as the draw, and on an accelerator it would wait for the device.
        """
        mix = object.__new__(cls)
        for name, value in (("index", index), ("weights", weights), ("box", box)):
            object.__setattr__(mix, name, value)
        return mix

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
            return self
        return Mix.drawn(index, weights, self.box and self.box.to(device))

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
            TypeError: ``x`` is not floating (integer pixels, token ids), no tensor, or holds
                coordinates (bounding boxes, key points).
            ValueError: Another batch length, a box of another size, an unfit ``out``.
        """
        batch = self._batch_axis("x", x, dim)
        if not x.is_floating_point():
            raise TypeError(
                f"x has dtype {x.dtype}: a weighted mean needs a floating dtype. Valid: scale "
                "pixels first, x.float() / 255; look token ids up first and mix the embeddings"
            )
        if out is not None and not torch.compiler.is_compiling():
            check_out(out, x)
        index = self.index.to(x.device, non_blocking=True)
        k = index.shape[0]
        if k == 1:
            return x if out is None else out.copy_(x)
        if self.box is not None:
            partner = gather(x, batch, index[1], out)
            return paste(self.box.mask(x, dim), partner, x, out)
        # Horner's scheme: each step is a lerp, so the result stays a convex combination even where
        # bfloat16 rounds the weights. Gathering into the result and mixing in place takes one
        # buffer and two passes; the weights are rounded to x's dtype only in the product.
        shares = _shares(self.weights.to(x.device, non_blocking=True))
        mixed = gather(x, batch, index[-1], out)
        for j in range(k - 2, -1, -1):
            nearer = x if j == 0 else gather(x, batch, index[j])
            mixed = mixed.lerp_(nearer, along(shares[j].to(x.dtype), x.ndim, batch))
        return mixed

    def targets(
        self, y: Tensor, num_classes: int | None = None, dims: Sequence[int] | None = None
    ) -> Tensor:
        """Mixes labels.

        A target of the whole example is weighted; under a box its weights are the measured
        shares. Targets of positions (the mask of a segmentation, labels of frames) are weighted
        without a box, and under a box they are pasted where the inputs are.

        Args:
            y: Class ids ``(B,)`` or ``(B, ...)``, integer, or ``(B,)`` floating with
                ``num_classes``; or one-hot, multi-label or regression targets ``(B, ...)``,
                floating, bool, or integer one-hot with ``num_classes``.
            num_classes: Number of classes C; needed for class ids. For one-hot, multi-label or
                soft labels it may be given to check the last dimension.
            dims: Under a box: the axes of ``y`` that it cuts. None finds them: those of the
                inputs, without the channels where ``y`` has none. ``()`` says that ``y`` holds
                targets of whole examples, whatever its shape.

        Returns:
            float32, whatever the dtype of ``y`` or of the inputs: ``(B, ..., C)`` for class ids,
            else y's shape.

        Raises:
            TypeError: ``y`` is no tensor, or holds coordinates (bounding boxes, key points).
            ValueError: Class ids without ``num_classes`` or outside ``[0, num_classes)``, another
                batch length, another last dimension; under a box, positions that are not those of
                the inputs.
        """
        self._batch_axis("y", y, 0)
        y = _ids_or_scores(y, num_classes)
        classes = None if y.is_floating_point() else num_classes  # which ids always come with
        if classes is not None:
            _check_class_ids(y, classes)
        if axes := self.cut_axes(y, dims, classes is None and num_classes is not None):
            y = self.paste(y, axes)
            return y if classes is None else _one_hot(y, classes)
        index = self.index.to(y.device, non_blocking=True)
        weights = self.weights.to(y.device, non_blocking=True)
        if classes is None:
            mixed = along(weights[0], y.ndim, 0) * y
            for j in range(1, len(index)):
                mixed = mixed + along(weights[j], y.ndim, 0) * y[index[j]]
            return mixed
        # One scatter for all k: each of an example's ids receives its weight.
        ids = y.take(index).T if y.ndim == 1 else y[index].movedim(0, -1)
        shares = weights.T
        if y.ndim > 1:
            shares = shares.view(len(y), *[1] * (y.ndim - 1), -1).expand(ids.shape)
        blank = torch.zeros(*y.shape, classes, dtype=torch.float32, device=y.device)
        return blank.scatter_add_(-1, ids, shares)

    def paste(self, y: Tensor, dims: Sequence[int] | None = None) -> Tensor:
        """Pastes what has the positions of the inputs, of any dtype, as a box pastes the inputs.

        For masks of class ids, labels of frames, masks of valid positions.

        Args:
            y: ``(B, ...)``, any dtype.
            dims: The axes of ``y`` that the box cuts; those of the inputs if None.

        Returns:
            A tensor of y's shape and dtype; ``y`` itself where nothing is mixed.

        Raises:
            TypeError: ``y`` is no tensor, or holds coordinates.
            ValueError: The mix has no box, or the box does not fit ``y``.
        """
        self._batch_axis("y", y, 0)
        if len(self.index) == 1:
            return y
        if self.box is None:
            raise ValueError(
                "the mix has no box, so that nothing can be pasted: it is weighted. Valid: a mix "
                "of draw_cutmix or draw_frames; or targets, which weighs one-hot labels"
            )
        box = self.box if dims is None else self.box.at(tuple(dims))
        partner = self.index[1].to(y.device, non_blocking=True)
        return torch.where(box.mask(y), y.index_select(0, partner), y)

    def cut_axes(
        self, y: Tensor, dims: Sequence[int] | None = None, classes_last: bool = False
    ) -> tuple[int, ...]:
        """The axes of the targets ``y`` that the box cuts; none for targets of whole examples.

        Args:
            y: Targets ``(B, ...)``: class ids if integer, else numbers.
            dims: As in :meth:`targets`.
            classes_last: Whether the last axis of ``y`` holds the scores of classes.

        Raises:
            ValueError: ``y`` has positions that are not those of the inputs.
        """
        if self.box is None or self.index.shape[0] == 1:
            return ()
        if dims is not None:
            return tuple(dims)
        cut, size, ndim = self.box.dims, tuple(self.box.size), y.ndim - classes_last
        if ndim == 1:
            return ()
        # As the inputs have them; and where y has no channels, one further to the front.
        found = (cut, tuple(d - 1 if d > 0 else d for d in cut))
        for axes in (tuple(d % ndim if -ndim < d < ndim else 0 for d in it) for it in found):
            if 0 not in axes and tuple(y.shape[axis] for axis in axes) == size:
                break
        else:
            axes = None
        if ndim == y.ndim == 2 and y.is_floating_point():
            if axes is None:
                return ()  # multi-label or regression targets of whole examples
        elif axes is not None:
            return axes
        kind = "may be targets of positions or of whole examples" if axes else "has other positions"
        raise ValueError(
            f"y has shape {tuple(y.shape)} and {kind}, and the mix has a box that cuts axes "
            f"dims={cut} of the inputs, of length {size}. Valid: dims= with the axes of y that it "
            "cuts; dims=() for targets of whole examples, which take one weight; draw_mixup"
        )

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
        if type(x) is not Tensor:
            refuse_coordinates(name, x)
        batch, size = axis_of(x, dim, name), self.index.shape[1]
        if x.shape[batch] != size:
            raise ValueError(
                f"{name} has shape {tuple(x.shape)}: length {x.shape[batch]} along dim={dim}, but "
                f"the mix was drawn for a batch of {size}. Valid: the dim whose length is "
                f"{size} (1 for length-first text batches), or a mix drawn for this batch"
            )
        return batch


def _shares(weights: Tensor) -> list[Tensor]:
    """Entry j, ``(B,)``: the weight of example j among j, j + 1, ...; so entry 0 is its weight."""
    if weights.shape[0] == 2:
        return [weights[0]]
    tail = weights.flip(0).cumsum(0).flip(0)[1:-1]
    return [weights[0], *(weights[1:-1] / tail.clamp_min(torch.finfo(tail.dtype).tiny))]


def _check_values(index: Tensor, weights: Tensor) -> None:
    size = index.shape[1]
    if index[0].tolist() != list(range(size)):
        raise ValueError(
            f"index[0]={index[0].tolist()} is not arange({size}): row 0 is the example itself"
        )
    low, high = (extreme.item() for extreme in index.aminmax())
    if low < 0 or high >= size:
        raise ValueError(f"index holds values from {low} to {high}; valid are 0 to {size - 1}")
    low, high = (extreme.item() for extreme in weights.aminmax())
    if not (low >= 0 and high <= 1):  # nan too
        raise ValueError(f"weights holds values from {low} to {high}; valid are 0 to 1, finite")
    sums = weights.double().sum(0)
    worst = sums[(sums - 1).abs().argmax()].item()
    if abs(worst - 1) > TOLERANCE:
        raise ValueError(f"weights has a column that sums to {worst:.6g}; valid is 1")


def _ids_or_scores(y: Tensor, num_classes: int | None) -> Tensor:
    """Class ids as long, everything else as float32: what ``y`` holds, whatever its dtype."""
    if num_classes is not None and num_classes < 1:
        raise ValueError(f"num_classes={num_classes}; valid is 1 or more")
    if num_classes is None or torch.compiler.is_compiling():
        ids = not (y.is_floating_point() or y.dtype == torch.bool)
        if ids and num_classes is None:
            raise ValueError(
                f"num_classes=None, but y has dtype {y.dtype} and so holds class ids: an average "
                "of ids means nothing. Valid: the number of classes, or floating targets"
            )
    elif y.is_floating_point() and y.ndim == 1:
        if not torch.equal(y, y.trunc()):  # nan too
            raise ValueError(
                f"num_classes={num_classes}, but y has dtype {y.dtype} and holds fractions, so no "
                "class ids. Valid: class ids; or num_classes=None for regression targets (B,)"
            )
        ids = True
    elif y.is_floating_point() or y.dtype == torch.bool:
        ids = False
    else:
        ids = y.ndim == 1 or y.shape[-1] != num_classes or not _is_one_hot(y)
    if ids:
        return y.long()
    if num_classes is not None and y.shape[-1] != num_classes:
        raise ValueError(
            f"num_classes={num_classes}, but y has shape {tuple(y.shape)}: "
            f"valid is {y.shape[-1]}, or None"
        )
    return y.float()


def _is_one_hot(y: Tensor) -> bool:
    return bool(((y == 0) | (y == 1)).all() and (y.sum(-1) == 1).all())


def _one_hot(ids: Tensor, num_classes: int) -> Tensor:
    blank = torch.zeros(*ids.shape, num_classes, dtype=torch.float32, device=ids.device)
    return blank.scatter_(-1, ids.unsqueeze(-1), 1.0)


def _check_class_ids(y: Tensor, num_classes: int) -> None:
    if not torch.compiler.is_compiling() and y.numel() and not y.is_meta:
        low, high = (extreme.item() for extreme in y.aminmax())
        if low < 0 or high >= num_classes:
            raise ValueError(
                f"y holds class ids from {low} to {high}; valid with num_classes={num_classes} "
                f"are 0 to {num_classes - 1}. Labels that a loss ignores have no soft form: "
                "mixed_loss takes them"
            )
