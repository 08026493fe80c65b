"""Alpha from feedback: mix more while the model over-fits, and less while it under-fits.

The rule looks at one gap, after each validated epoch: the accuracy on the training mixtures minus
the accuracy on validation data. While the gap is positive, alpha grows by a fixed factor; while it
is negative, alpha shrinks by the same factor. It is the controller of Karras et al., which sets
the strength of a GAN's augmentation by the sign of an over-fitting measure, with mixup's alpha in
the place of their probability.

The accuracy on mixtures can't reach 1: whichever of two classes a model names, the label's other
share is lost. So it is divided by the best that is possible, :func:`best_mixed_accuracy`.

Source: Karras et al., "Training Generative Adversarial Networks with Limited Data", NeurIPS 2020,
section 3; the measure and its ceiling are derived here.
"""

import math

import torch

from mixup_lib.basics.check import integer_at_least
from mixup_lib.mixing.draw import draw_mixup
from mixup_lib.mixing.mix import Mix
from mixup_lib.training.history import History

__all__ = ["adaptive_alpha", "best_mixed_accuracy", "draw_adaptive"]


def best_mixed_accuracy(alpha: float, classes: int) -> float:
    """The λ-weighted accuracy of a model that always names the class with the larger weight.

    With ``lam ~ Beta(alpha, alpha)`` the larger weight has the mean ``1/2 + 4 ** -alpha / (alpha
    B(alpha, alpha))``, B being the beta function. A partner of the same class, one in ``classes``
    when they are balanced, leaves the label whole.

    Args:
        alpha: Above 0, or 0 for no mixing.
        classes: Number of classes, at least 1.

    Returns:
        From 1/2, as alpha grows, to 1.

    Raises:
        ValueError: An argument out of range.
    """
    if not (math.isfinite(alpha) and alpha >= 0):
        raise ValueError(f"alpha={alpha}; valid is a finite number of 0 or more")
    integer_at_least("classes", classes, 1)
    if alpha == 0:
        return 1.0
    log_beta = 2 * math.lgamma(alpha) - math.lgamma(2 * alpha)
    larger = 0.5 + math.exp(-alpha * math.log(4) - math.log(alpha) - log_beta)
    return 1 / classes + (1 - 1 / classes) * larger


def adaptive_alpha(
    history: History,
    classes: int,
    start: float = 0.4,
    factor: float = 1.25,
    low: float = 0.05,
    high: float = 8.0,
) -> float:
    """Alpha for the next epoch, recomputed from the whole history; a pure function of it.

    After each validated epoch, alpha is multiplied by ``factor`` if ``mixed_accuracy``, over the
    best possible, exceeds ``validation_accuracy``, and divided by it otherwise, within the bounds.

    Args:
        history: Of a run of :func:`~mixup_lib.training.fitting.fit` that mixed at this alpha, with
            class ids for labels and with validation data; epochs not validated change nothing.
        classes: Number of classes, at least 1.
        start: Alpha until an epoch is validated, from ``low`` to ``high``.
        factor: Above 1.
        low: Above 0.
        high: At least ``low``.

    Returns:
        A number from ``low`` to ``high``.

    Raises:
        ValueError: An argument out of range, or an accuracy in the history is not finite.
    """
    if not (math.isfinite(factor) and factor > 1):
        raise ValueError(f"factor={factor}; valid is a finite number above 1")
    if not 0 < low <= start <= high < math.inf:
        raise ValueError(
            f"low={low}, start={start}, high={high}; valid is 0 < low <= start <= high, finite"
        )
    alpha = float(start)
    for row in history.rows:
        if "validation_accuracy" not in row:
            continue
        learned = row["mixed_accuracy"] / best_mixed_accuracy(alpha, classes)
        gap = learned - row["validation_accuracy"]
        if not math.isfinite(gap):
            raise ValueError(
                f"history has no finite accuracy in epoch {row['epoch']}; valid are class ids as "
                "labels, for which fit measures it"
            )
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
    """Draws a mixup at :func:`adaptive_alpha` of the history that ``fit`` passes.

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
