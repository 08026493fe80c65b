"""The loss of a mixed batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from mixup_lib.mixing.box import along
from mixup_lib.mixing.mix import Mix

__all__ = ["mixed_loss"]

IGNORED = -100  # what torch's cross-entropy ignores unless told otherwise


def mixed_loss(
    loss_fn: Callable[[Tensor, Tensor], Tensor],
    logits: Tensor,
    y: Tensor,
    mix: Mix,
    dims: Sequence[int] | None = None,
) -> Tensor:
    """The weighted mean of the losses against each example's own target.

    ``mean_b sum_j weights[j, b] * loss_fn(logits, y[index[j]])[b]``. For plain cross-entropy this
    equals the loss against the mixed targets; for squared error it has the same gradient. Under
    class weights it is the weighted sum of the *unnormalised* losses: a loss that divides by the
    class weights of the batch can't be mixed after its mean.

    Targets of positions, such as the mask of a segmentation, are weighted too, but pasted under a
    box: there each position has the label that belongs to what was pasted.

    Class ids that the loss ignores (-100, or the ``ignore_index`` of ``loss_fn``) do not count in
    the mean, with the weight that they would have had. As in torch, a mean of none is nan.

    Args:
        loss_fn: Unreduced: takes the predictions and unmixed targets and returns ``(B,)``, or one
            loss for each entry of ``y``, for example
            ``functools.partial(F.cross_entropy, reduction="none")``.
        logits: ``(B, ...)`` predictions for the mixed inputs.
        y: ``(B, ...)`` the targets as they were before mixing.
        mix: The mix that made the inputs.
        dims: Under a box: the axes of ``y`` that it cuts, as in :meth:`Mix.targets`.

    Returns:
        A scalar.

    Raises:
        ValueError: ``loss_fn`` returns another shape, ``logits`` or ``y`` has another batch
            length, or the box does not fit ``y``.

    Source: Zhang et al. 2018, section 2; the two-target form is the authors' own implementation.
    """

    def add(total: Tensor | None, share: Tensor | None, values: Tensor) -> Tensor:
        if share is None:
            return values
        return share * values if total is None else torch.addcmul(total, share, values)

    mix._batch_axis("logits", logits, 0)
    mix._batch_axis("y", y, 0)
    index = mix.index.to(y.device, non_blocking=True)
    weights = mix.weights.to(logits.device, non_blocking=True)
    if axes := mix.cut_axes(y, dims):
        y, index = mix.paste(y, axes), index[:1]
    ignored = _ignored(loss_fn, y)
    single = index.shape[0] == 1  # then the weights are all 1
    total = missing = None
    for j, examples in enumerate(index.unbind()):
        losses = loss_fn(logits, y if j == 0 else y.index_select(0, examples))
        if losses.shape != y.shape and losses.shape != y.shape[:1]:
            raise ValueError(
                f"loss_fn returned shape {tuple(losses.shape)}; valid is ({len(mix)},), one loss "
                f'for each example, or that of y, {tuple(y.shape)}: use reduction="none"'
            )
        share = None if single else along(weights[j], losses.ndim, 0)
        total = add(total, share, losses)
        absent = ignored if j == 0 or ignored is None else ignored[examples]
        if absent is not None and losses.shape == y.shape:
            missing = add(missing, share, absent)
    assert total is not None  # a mix holds one row or more
    return total.mean() if missing is None else total.mean() / (1 - missing.mean())


def _ignored(loss_fn: Callable, y: Tensor) -> Tensor | None:
    """1 where the loss ignores a label, float32; None if there are no such labels."""
    if y.is_floating_point():
        return None
    bound = {}
    if isinstance(loss_fn, partial):
        bound, loss_fn = loss_fn.keywords, loss_fn.func
    label = bound.get("ignore_index", getattr(loss_fn, "ignore_index", IGNORED))
    if label < 0 and not y.dtype.is_signed:  # no such label, but 156 would equal -100
        return None
    # On an accelerator the question would wait for the device.
    if y.is_cpu and not torch.compiler.is_compiling():
        if not y.numel() or y.min().item() > label or not (y == label).any():
            return None
    return (y == label).float()
