"""Partners that are chosen instead of drawn by a permutation.

Each function returns ``(B,)`` long on the CPU, the place of each example's partner in the batch:
what ``draw_mixup(partners=...)`` takes. :func:`draw_chosen` does both, for ``fit``. An example that
has no partner, in a batch of one class or of one example, is its own, so it is not mixed.

What compares examples with each other works in blocks of rows. No table of pairs has more than
``TABLE`` entries, or one row where a row alone is longer. So up to 1,024 examples are compared at
once; of 100,000, ten at a time.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor

from mixup_lib.mixing.draw import check_draw, draw_mixup
from mixup_lib.mixing.mix import Mix

__all__ = ["TABLE", "by_kernel", "draw_chosen", "farthest", "nearest", "other_class", "same_class"]

#: The most entries that a table of pairs may have: 1,024 squared.
TABLE = 2**20


def same_class(y: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Another example of the same class, each as likely as any other of them.

    It is a permutation: everybody is the partner of one example. An example that is alone in its
    class stays its own partner.

    Args:
        y: ``(B,)`` class ids, whole numbers of any dtype.
        generator: A CPU generator, or None for torch's default one.

    Returns:
        ``(B,)`` long, on the CPU.

    Raises:
        ValueError: ``y`` is empty, not ``(B,)``, or holds fractions.
        RuntimeError: A ``generator`` inside a DataLoader worker.
    """
    y = _class_ids(y, generator)
    order = torch.randperm(len(y), generator=generator, device="cpu")
    order, start, size = _classes(y, order)
    # In random order, each takes the next of its class, and the last of a class its first.
    following = start + (torch.arange(len(y), device="cpu") + 1 - start) % size
    return torch.empty_like(order).scatter_(0, order, order[following])


def other_class(y: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """An example of another class, each as likely as any other of them, independently.

    It is no permutation: where one class is more than half of the batch, none would do. In a
    batch of a single class everybody stays their own partner.

    Args:
        y: ``(B,)`` class ids, whole numbers of any dtype.
        generator: A CPU generator, or None for torch's default one.

    Returns:
        ``(B,)`` long, on the CPU.

    Raises:
        ValueError: ``y`` is empty, not ``(B,)``, or holds fractions.
        RuntimeError: A ``generator`` inside a DataLoader worker.
    """
    y = _class_ids(y, generator)
    own = torch.arange(len(y), device="cpu")
    order, start, size = _classes(y, own)
    uniform = torch.rand(len(y), generator=generator, dtype=torch.double, device="cpu")
    if size[0] == len(y):
        return own
    place = (uniform * (len(y) - size)).long()
    place += size * (place >= start)  # steps over the own class
    return torch.empty_like(order).scatter_(0, order, order[place])


def nearest(x: Tensor) -> Tensor:
    """The nearest other example, by Euclidean distance; of equally near ones the first.

    A single example stays its own partner.

    Args:
        x: ``(B, ...)`` floating, on any device: pixels, or features.

    Returns:
        ``(B,)`` long, on the CPU.

    Raises:
        ValueError: No example, or values that are not finite.
        TypeError: ``x`` is not floating.
    """
    return _extreme(x, math.inf, torch.argmin)


def farthest(x: Tensor) -> Tensor:
    """The farthest example, by Euclidean distance; of equally far ones the first.

    Arguments, result and errors are those of :func:`nearest`.
    """
    return _extreme(x, -math.inf, torch.argmax)


def by_kernel(y: Tensor, bandwidth: float, generator: torch.Generator | None = None) -> Tensor:
    """C-Mixup's partners for regression: the closer the target, the likelier.

    Example j becomes the partner of i with a probability proportional to
    ``exp(-|y_i - y_j|^2 / (2 bandwidth^2))``. The example itself is among them, with the largest
    weight of all, as in the authors' program: one with a lonely target mostly stays as it is. (The
    authors choose among all training examples; with ``fit`` it is among those of the batch.) Among
    equal targets all are equally likely.

    Args:
        y: ``(B,)`` or ``(B, T)`` targets; integers are taken as numbers.
        bandwidth: Finite and above 0, in the units of ``y``. Large: all partners equally likely,
            ordinary mixup. Small: only those with nearly the same target.
        generator: A CPU generator, or None for torch's default one.

    Returns:
        ``(B,)`` long, on the CPU.

    Raises:
        ValueError: ``bandwidth`` out of range; ``y`` is empty, has another shape, or values that
            are not finite.
        RuntimeError: A ``generator`` inside a DataLoader worker.

    Source: Yao, Wang, Zhang, Zou, Finn, "C-Mixup: Improving Generalization in Regression",
    NeurIPS 2022, section 3.
    """
    if not (math.isfinite(bandwidth) and bandwidth > 0):
        raise ValueError(f"bandwidth={bandwidth}; valid is a finite number above 0")
    if y.ndim not in (1, 2) or 0 in y.shape:
        raise ValueError(f"y has shape {tuple(y.shape)}; valid is (B,) or (B, T), none empty")
    check_draw(len(y), 1.0, generator)
    y = y.detach().reshape(len(y), -1).cpu().double()
    if not y.isfinite().all():
        raise ValueError("y holds values that are not finite; valid are finite targets")
    # Drawn before the blocks, so that the blocks' size changes nothing.
    uniform = torch.rand(len(y), 1, generator=generator, dtype=torch.double, device="cpu")
    chosen = []
    for rows in _blocks(len(y)):
        # Divided before it is squared: a tiny bandwidth must not become 0.
        distance = _distances(y[rows] / bandwidth, y / bandwidth)
        summed = (-distance.square() / 2).exp().cumsum(1)
        # The first place where the sum exceeds the draw, so never one with weight 0.
        chosen.append(torch.searchsorted(summed, uniform[rows] * summed[:, -1:], right=True))
    return torch.cat(chosen).squeeze(1).clamp_(max=len(y) - 1)


def draw_chosen(
    batch_size: int,
    x: Tensor,
    y: Tensor,
    choose: Callable[..., Tensor],
    alpha: float = 1.0,
    per_sample: bool = False,
    generator: torch.Generator | None = None,
) -> Mix:
    """Draws a mixup of pairs whose partners ``choose`` finds: a ``mixing`` for ``fit``.

    ``functools.partial(draw_chosen, choose=nearest)`` is one, and so is
    ``functools.partial(draw_chosen, choose=functools.partial(by_kernel, bandwidth=1.0))``.

    Args:
        batch_size: B, 1 or more.
        x: ``(B, ...)``, the batch.
        y: ``(B,)`` class ids, or targets.
        choose: Returns ``(B,)`` long. It is passed, by name, those of ``x``, ``y`` and
            ``generator`` that its signature names; the functions of this module, or one of yours.
        alpha: Beta's parameter, finite and above 0.
        per_sample: One ``lam`` for each example, instead of one for the batch.
        generator: A CPU generator, or None for torch's default one.

    Returns:
        A :class:`~mixup_lib.Mix` with k = 2. Here ``lam`` and ``1 - lam`` differ in meaning:
        partners need not be a permutation.

    Raises:
        TypeError: ``choose`` is not callable, or names none of the three.
        ValueError: As ``choose`` and :func:`~mixup_lib.draw_mixup` do.
    """
    if not callable(choose):
        raise TypeError(f"choose={choose!r}; valid is a function such as nearest")
    offered = {"x": x, "y": y, "generator": generator}
    named = inspect.signature(choose).parameters
    passed = {name: value for name, value in offered.items() if name in named}
    if not passed:
        raise TypeError(
            f"choose has the parameters {list(named)}; valid are some of x, y and generator"
        )
    partners = choose(**passed)
    return draw_mixup(batch_size, alpha, per_sample, partners=partners, generator=generator)


def _class_ids(y: Tensor, generator: torch.Generator | None) -> Tensor:
    if y.ndim != 1 or len(y) == 0 or (y.is_floating_point() and not torch.equal(y, y.trunc())):
        raise ValueError(
            f"y has shape {tuple(y.shape)} and dtype {y.dtype}; valid are class ids (B,), whole "
            "numbers, one or more"
        )
    check_draw(len(y), 1.0, generator)
    return y.detach().cpu()


def _classes(y: Tensor, order: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """``order`` sorted by class, and for each place the start and the size of its class."""
    order = order[y[order].argsort(stable=True)]
    size = torch.unique_consecutive(y[order], return_counts=True)[1]
    start = size.cumsum(0) - size
    return order, start.repeat_interleave(size), size.repeat_interleave(size)


def _extreme(x: Tensor, own: float, best: Callable) -> Tensor:
    """For each example the ``best`` by distance, with ``own`` as the distance from itself."""
    if not x.is_floating_point():
        raise TypeError(f"x has dtype {x.dtype}; valid is a floating dtype")
    if x.ndim == 0 or len(x) == 0:
        raise ValueError(f"x has shape {tuple(x.shape)}; valid is (B, ...) with B >= 1")
    if not x.isfinite().all():
        raise ValueError("x holds values that are not finite; valid are finite values")
    # Half precision would make near distances equal, and the sum of squares overflow.
    flat = x.detach().reshape(len(x), -1).to(torch.promote_types(x.dtype, torch.float32))
    chosen = []
    for rows in _blocks(len(x)):
        distance = _distances(flat[rows], flat)
        distance[:, rows].fill_diagonal_(own)
        chosen.append(best(distance, 1))
    return torch.cat(chosen).cpu()


# The faster way over a matrix product rounds, so that equal examples would differ.
_distances = partial(torch.cdist, compute_mode="donot_use_mm_for_euclid_dist")


def _blocks(n: int) -> Iterator[slice]:
    rows = max(1, TABLE // n)
    return (slice(start, min(start + rows, n)) for start in range(0, n, rows))
