"""Wrong labels, put in on purpose."""

import torch
from torch import Generator, Tensor

from mixup_lib.basics.check import integer_at_least


def corrupt_labels(
    y: Tensor, share: float, classes: int, generator: Generator | None = None
) -> Tensor:
    """Gives a share of the examples a label drawn uniformly over all classes.

    The draw is blind: with probability 1 / classes it hits the true label. So at a share of 0.8
    and ten classes about 0.72 of the labels are wrong. Corrupt training labels alone: a model is
    judged against the truth.

    Args:
        y: Class ids, integer ``(N,)``, in [0, classes); not changed.
        share: Share of the examples that get a new label, in [0, 1]: exactly
            ``round(share * N)`` of them, chosen uniformly.
        classes: Number of classes, 1 or more.
        generator: A CPU generator, or None for torch's default one.

    Returns:
        New labels, of y's shape, dtype and device.

    Raises:
        TypeError: ``y`` holds no integers.
        ValueError: ``share`` outside [0, 1], ``classes`` below 1, another shape, or ids outside
            [0, classes).

    Source:
        Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018, section 3.4, after
        Zhang et al., "Understanding Deep Learning Requires Rethinking Generalization", ICLR 2017.
    """
    integer_at_least("classes", classes, 1)
    if not 0 <= share <= 1:
        raise ValueError(f"share={share}; valid is a number from 0 to 1")
    if y.is_floating_point() or y.is_complex() or y.dtype == torch.bool:
        raise TypeError(f"y has dtype {y.dtype}; valid are class ids of an integer dtype")
    if y.ndim != 1:
        raise ValueError(f"y has shape {tuple(y.shape)}; valid is (N,)")
    if len(y) and not (0 <= y.min() and y.max() < classes):
        raise ValueError(
            f"y holds class ids from {y.min()} to {y.max()}; valid with "
            f"classes={classes} are 0 to {classes - 1}"
        )
    chosen = torch.randperm(len(y), generator=generator)[: round(share * len(y))]
    noisy = y.clone()
    drawn = torch.randint(classes, (len(chosen),), generator=generator)
    noisy[chosen.to(y.device)] = drawn.to(y)
    return noisy
