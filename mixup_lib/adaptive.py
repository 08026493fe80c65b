"""Alpha from feedback: mix more while the model over-fits, and less while it under-fits.

The rule looks at one gap, after each validated epoch: the loss on validation data minus the loss
on training data. While the gap is positive, alpha grows by a fixed factor; while it is negative,
alpha shrinks by the same factor. It is the controller of Karras et al., which sets the strength of
a GAN's augmentation by the sign of an over-fitting measure, with mixup's alpha in the place of
their probability.

The loss on mixtures can't be compared with the loss on examples as they are: soft targets have an
entropy, below which no model gets. :func:`target_entropy` takes it off.

Source: Karras et al., "Training Generative Adversarial Networks with Limited Data", NeurIPS 2020,
section 3; the entropy is derived here.
"""

import math

import torch

from mixup_lib._check import integer_at_least
from mixup_lib.draw import draw_mixup
from mixup_lib.history import History
from mixup_lib.mix import Mix

__all__ = ["adaptive_alpha", "draw_adaptive", "target_entropy"]


def target_entropy(alpha: float, classes: int) -> float:
    """Mean entropy of a mixed label, the least mean loss on mixtures.

    With ``lam ~ Beta(alpha, alpha)`` the binary entropy has the mean ``ψ(2 alpha + 1) - ψ(alpha +
    1)``, ψ being the digamma function. A partner of the same class, one in ``classes`` when they
    are balanced, leaves the label hard.

    Args:
        alpha: 0 or more; 0 means no mixing.
        classes: Number of classes, at least 1.

    Returns:
        In nats, 0 or more, at most ln 2.

    Raises:
        ValueError: An argument out of range.
    """
    _finite("alpha", alpha, 0)
    integer_at_least("classes", classes, 1)
    top, bottom = torch.special.digamma(torch.tensor([2 * alpha + 1, alpha + 1]).double()).tolist()
    return (1 - 1 / classes) * (top - bottom)


def adaptive_alpha(
    history: History,
    classes: int,
    start: float = 0.4,
    factor: float = 1.25,
    low: float = 0.05,
    high: float = 8.0,
) -> float:
    """Alpha for the next epoch, recomputed from the whole history; a pure function of it.

    After each validated epoch, alpha is multiplied by ``factor`` if ``validation_nll`` exceeds
    ``train_loss`` less the targets' entropy, and divided by it otherwise, within the bounds.

    Args:
        history: Of a run of :func:`~mixup_lib.fit` that mixed at this very alpha, with
            cross-entropy, no class weights and validation data; epochs not validated change
            nothing.
        classes: Number of classes, at least 1.
        start: Alpha until an epoch is validated, from ``low`` to ``high``.
        factor: Above 1.
        low: Above 0.
        high: At least ``low``.

    Returns:
        A number from ``low`` to ``high``.

    Raises:
        ValueError: An argument out of range, or a loss in the history that is not finite.
    """
    if not (math.isfinite(factor) and factor > 1):
        raise ValueError(f"factor={factor}; valid is a finite number above 1")
    if not 0 < low <= start <= high < math.inf:
        raise ValueError(
            f"low={low}, start={start}, high={high}; valid is 0 < low <= start <= high, finite"
        )
    alpha = float(start)
    for row in history.rows:
        if "validation_nll" not in row:
            continue
        gap = row["validation_nll"] - (row["train_loss"] - target_entropy(alpha, classes))
        if not math.isfinite(gap):
            raise ValueError(f"history has losses that are not finite in epoch {row['epoch']}")
        alpha = min(max(alpha * (factor if gap > 0 else 1 / factor), low), high)
    return alpha


def draw_adaptive(
    batch_size: int,
    history: History,
    classes: int,
    start: float = 0.4,
    factor: float = 1.25,
    low: float = 0.05,
    high: float = 8.0,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Mix:
    """Draws a mixup at :func:`adaptive_alpha` of the history, which :func:`~mixup_lib.fit` passes.

    Use it as ``mixing=partial(draw_adaptive, classes=10)``, with ``validation`` given to ``fit``.

    Args:
        batch_size: B, 1 or more.
        history: The epochs so far.
        classes, start, factor, low, high: As in :func:`adaptive_alpha`.
        generator, device: As in :func:`~mixup_lib.draw_mixup`.

    Raises:
        ValueError: An argument out of range.
    """
    alpha = adaptive_alpha(history, classes, start, factor, low, high)
    return draw_mixup(batch_size, alpha, generator=generator, device=device)


def _finite(name: str, value: float, least: float) -> None:
    if not (math.isfinite(value) and value >= least):
        raise ValueError(f"{name}={value}; valid is a finite number of {least} or more")
