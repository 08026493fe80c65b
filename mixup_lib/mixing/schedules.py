"""How strongly to mix, and when: alpha as a pure function of the progress of training.

A schedule maps ``progress`` in [0, 1] to ``alpha`` of 0 or more; 0 means no mixing. It keeps no
state. Every worker, process or resumed run that is at the same step therefore has the same alpha.
Fix a schedule's settings with :func:`functools.partial`:

    mixing = partial(draw_scheduled, schedule=partial(alpha_linear, start=1.0, end=0.0))
    fit(model, data.train, epochs=20, mixing=mixing)
"""

import math
from collections.abc import Callable

import torch

from mixup_lib.mixing.draw import draw_mixup, no_mix
from mixup_lib.mixing.mix import Mix

__all__ = [
    "alpha_constant",
    "alpha_cosine",
    "alpha_linear",
    "draw_scheduled",
    "large_then_small",
    "off_late",
]


def alpha_constant(progress: float, alpha: float = 1.0) -> float:
    """The same alpha throughout.

    Args:
        progress: Share of the training that is done, in [0, 1].
        alpha: 0 or more.

    Raises:
        ValueError: An argument is out of range, or not finite. So do all schedules here.
    """
    _check(progress, alpha=alpha)
    return float(alpha)


def alpha_linear(progress: float, start: float = 1.0, end: float = 0.0) -> float:
    """In a straight line from ``start`` to ``end``, both 0 or more."""
    _check(progress, start=start, end=end)
    return start + (end - start) * progress


def alpha_cosine(progress: float, start: float = 1.0, end: float = 0.0) -> float:
    """From ``start`` to ``end``, both 0 or more, along half a cosine: slow, fast, slow.

    Source: the shape is Loshchilov and Hutter, ICLR 2017, equation (5), for learning rates.
    """
    _check(progress, start=start, end=end)
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * progress))


def off_late(progress: float, alpha: float = 1.0, share: float = 0.2) -> float:
    """``alpha``, 0 or more, and no mixing in the last ``share``, in [0, 1], of the training.

    Source: Ge et al., "YOLOX", 2021, whose last epochs go without mixup; Yu, Wang and Wu, "Mixup
    Without Hesitation", ICIG 2021, who phase it out.
    """
    _check(progress, alpha=alpha)
    if not 0 <= share <= 1:
        raise ValueError(f"share={share}; valid is 0 to 1")
    return float(alpha) if progress < 1 - share else 0.0


def large_then_small(
    progress: float, large: float = 2.0, small: float = 0.2, switch: float = 0.5
) -> float:
    """``large`` until ``progress`` reaches ``switch``, in [0, 1], and ``small`` from then on."""
    _check(progress, large=large, small=small)
    if not 0 <= switch <= 1:
        raise ValueError(f"switch={switch}; valid is 0 to 1")
    return float(large if progress < switch else small)


def draw_scheduled(
    batch_size: int,
    progress: float,
    schedule: Callable[[float], float],
    per_sample: bool = False,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Mix:
    """Draws a mixup at the alpha that a schedule gives for this step.

    Args:
        batch_size: B, 1 or more.
        progress: Share of the training that is done, in [0, 1]; ``fit`` passes it.
        schedule: ``progress -> alpha``, 0 or more; at 0 nothing is mixed.
        per_sample, generator, device: As in :func:`~mixup_lib.draw_mixup`.

    Returns:
        A :class:`~mixup_lib.Mix`, with k = 2, or k = 1 where alpha is 0.

    Raises:
        ValueError: ``progress`` lies outside [0, 1], or the schedule gives a negative number, one
            that is not finite, or none.
    """
    _check(progress)
    alpha = schedule(progress)
    _check(progress, **{f"schedule({progress})": alpha})
    if alpha == 0:
        return no_mix(batch_size, device)
    return draw_mixup(batch_size, alpha, per_sample, generator=generator, device=device)


def _check(progress: float, **alphas: float) -> None:
    # A comparison with nan is false, so nan is refused too.
    if not 0 <= progress <= 1:
        raise ValueError(f"progress={progress}; valid is 0 to 1, the share that is done")
    for name, alpha in alphas.items():
        if not isinstance(alpha, int | float) or not 0 <= alpha < math.inf:
            raise ValueError(f"{name}={alpha}; valid is a finite number of 0 or more")
