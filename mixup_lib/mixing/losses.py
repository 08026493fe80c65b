"""The loss of a mixed batch."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from mixup_lib.mixing.mix import Mix

__all__ = ["mixed_loss"]


def mixed_loss(
    loss_fn: Callable[[Tensor, Tensor], Tensor], logits: Tensor, y: Tensor, mix: Mix
) -> Tensor:
    """The weighted mean of the losses against each example's own target.

    ``mean_b sum_j weights[j, b] * loss_fn(logits, y[index[j]])[b]``. For plain cross-entropy this
    equals the loss against the mixed targets; for squared error it has the same gradient. Under
    class weights it is the weighted sum of the *unnormalised* losses: a loss that divides by the
    class weights of the batch can't be mixed after its mean.

    Args:
        loss_fn: Unreduced: takes the predictions and unmixed targets and returns ``(B,)``, for
            example ``functools.partial(F.cross_entropy, reduction="none")``.
        logits: ``(B, ...)`` predictions for the mixed inputs.
        y: ``(B, ...)`` the targets as they were before mixing.
        mix: The mix that made the inputs.

    Returns:
        A scalar.

    Raises:
        ValueError: ``loss_fn`` does not return ``(B,)``, or ``logits`` or ``y`` has another batch
            length.

    Source: Zhang et al. 2018, section 2; the two-target form is the authors' own implementation.
    """
    mix._batch_axis("logits", logits, 0)
    mix._batch_axis("y", y, 0)
    index = mix.index.to(y.device, non_blocking=True)
    weights = mix.weights.to(logits.device, non_blocking=True)
    total = None
    for j in range(len(index)):
        losses = loss_fn(logits, y if j == 0 else y[index[j]])
        if losses.shape != (len(mix),):
            raise ValueError(
                f"loss_fn returned shape {tuple(losses.shape)}; valid is ({len(mix)},), one loss "
                'for each example: use reduction="none" and average over other dimensions'
            )
        # The weights of a single example are all 1.
        part = losses.mean() if len(index) == 1 else (weights[j] * losses).mean()
        total = part if total is None else total + part
    return total
