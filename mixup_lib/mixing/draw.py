"""Where the randomness is: every draw of a mix happens here.

Draws are made on the CPU and moved without waiting for the device, so the same seed gives the
same mix on every device. ``generator=None`` uses torch's default generator, which a DataLoader
seeds anew for every worker and epoch. A generator of your own would be copied into each worker
and repeat itself there, so it raises.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from mixup_lib.basics.check import integer_at_least
from mixup_lib.mixing.box import Box
from mixup_lib.mixing.mix import Mix

__all__ = ["draw_cutmix", "draw_dirichlet", "draw_mixup", "no_mix"]


def draw_mixup(
    batch_size: int,
    alpha: float = 1.0,
    per_sample: bool = False,
    partners: Tensor | None = None,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Mix:
    """Draws a mixup of pairs: ``lam ~ Beta(alpha, alpha)``, partners by a uniform permutation.

    Args:
        batch_size: B, 1 or more. A permutation may leave an example its own partner.
        alpha: Beta's parameter, finite and above 0. Small: mixtures close to one example. 1:
            uniform. Large: close to half and half.
        per_sample: One ``lam`` for each example, instead of one for the batch.
        partners: ``(B,)`` long, values in [0, B): partners chosen by you.
        generator: A CPU generator, or None for torch's default one.
        device: Where the mix is put; the CPU if None.

    Returns:
        A :class:`~mixup_lib.Mix` with k = 2.

    Raises:
        ValueError: ``batch_size``, ``alpha`` or ``partners`` outside the ranges above.
        RuntimeError: A ``generator`` inside a DataLoader worker.

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018, equation (2).
    """
    batch_size = check_draw(batch_size, alpha, generator)
    weights = _dirichlet(2, batch_size, alpha, per_sample, generator)
    index = _pairs(batch_size, partners, generator)
    return _on(Mix.drawn(index, weights), device)


def draw_dirichlet(
    batch_size: int,
    k: int = 3,
    alpha: float = 1.0,
    per_sample: bool = False,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Mix:
    """Draws a mixup of k examples: weights from the symmetric Dirichlet(alpha, ..., alpha).

    Partners come from k - 1 independent permutations, so any batch size works with any k.
    With k = 2 this is :func:`draw_mixup`.

    Args:
        batch_size: B, 1 or more.
        k: Examples per mixture, 1 or more.
        alpha: The Dirichlet's parameter, finite and above 0.
        per_sample: Weights for each example, instead of one set for the batch.
        generator: A CPU generator, or None for torch's default one.
        device: Where the mix is put; the CPU if None.

    Raises:
        ValueError: ``batch_size``, ``k`` or ``alpha`` outside the ranges above.
        RuntimeError: A ``generator`` inside a DataLoader worker.

    Source: Zhang et al. 2018, section 3: convex combinations of three or more examples with
    weights from a Dirichlet distribution, which the authors report to bring no further gain.
    """
    batch_size = check_draw(batch_size, alpha, generator)
    k = integer_at_least("k", k, 1)
    weights = _dirichlet(k, batch_size, alpha, per_sample, generator)
    rows = [torch.randperm(batch_size, generator=generator, device="cpu") for _ in range(k - 1)]
    index = torch.stack([torch.arange(batch_size, device="cpu"), *rows])
    return _on(Mix.drawn(index, weights), device)


def draw_cutmix(
    batch_size: int,
    size: Sequence[int],
    alpha: float = 1.0,
    dims: Sequence[int] | None = None,
    per_sample: bool = False,
    partners: Tensor | None = None,
    generator: torch.Generator | None = None,
    device: torch.device | str | None = None,
) -> Mix:
    """Draws a CutMix: a box of the partner is pasted, and labels follow the pasted share.

    The box has ``1 - lam`` of the volume, ``lam ~ Beta(alpha, alpha)``, and a uniform centre. What
    sticks out at an edge is cut off, so the weights are computed from the box as it is.

    Args:
        batch_size: B, 1 or more.
        size: The tensor's shape, or only its lengths along ``dims``: ``x.shape`` and
            ``x.shape[-2:]`` mean the same.
        alpha: Beta's parameter, finite and above 0.
        dims: The axes to cut; the last two if None. ``(-1,)`` cuts a waveform in time, ``(2,)`` a
            clip ``(B, C, T, H, W)`` in time, ``(2, 3, 4)`` in time and space.
        per_sample: A box for each example, instead of one for the batch.
        partners: ``(B,)`` long, values in [0, B): partners chosen by you.
        generator: A CPU generator, or None for torch's default one.
        device: Where the mix is put; the CPU if None.

    Returns:
        A :class:`~mixup_lib.Mix` with k = 2 and a box. ``lam`` is the share left uncovered.

    Raises:
        ValueError: ``batch_size``, ``alpha``, ``size``, ``dims`` or ``partners`` outside the ranges
            above.
        RuntimeError: A ``generator`` inside a DataLoader worker.

    Source: Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with
    Localizable Features", ICCV 2019, equations (1) and (2).
    """
    batch_size = check_draw(batch_size, alpha, generator)
    dims = (-2, -1) if dims is None else tuple(dims)
    lengths = _lengths(size, dims)
    lam = _dirichlet(2, batch_size, alpha, per_sample, generator)[0].double()
    draws = batch_size if per_sample else 1
    centre = torch.stack(
        [
            torch.randint(n, (draws,), generator=generator, device="cpu").expand(batch_size)
            for n in lengths
        ]
    )
    sides = torch.tensor(lengths, device="cpu").unsqueeze(1)
    half = (0.5 * (1 - lam) ** (1 / len(dims)) * sides).long()
    start = (centre - half).clamp_min(0)
    stop = torch.minimum(centre + half, sides)
    box = Box(dims, lengths, start, stop)
    weights = torch.stack([1 - box.share, box.share])
    return _on(Mix.drawn(_pairs(batch_size, partners, generator), weights, box), device)


def no_mix(batch_size: int, device: torch.device | str | None = None) -> Mix:
    """The mix that mixes nothing (k = 1), so that a schedule that ends needs no branch.

    Raises:
        ValueError: ``batch_size`` below 1.
    """
    batch_size = check_draw(batch_size, 1.0, None)
    index = torch.arange(batch_size, device="cpu").unsqueeze(0)
    weights = torch.ones(1, batch_size, dtype=torch.float32, device="cpu")
    return _on(Mix.drawn(index, weights), device)


def check_draw(batch_size: int, alpha: float, generator: torch.Generator | None) -> int:
    """What every draw checks; draws nothing, and returns ``batch_size`` as an int."""
    batch_size = integer_at_least("batch_size", batch_size, 1)
    if not (math.isfinite(alpha) and alpha > 0):
        raise ValueError(
            f"alpha={alpha}; valid is a finite number above 0. "
            "To mix nothing, use no_mix(batch_size)"
        )
    if generator is not None:
        if get_worker_info() is not None:
            raise RuntimeError(
                "generator was given inside a DataLoader worker, where every worker and epoch "
                "would repeat its numbers. Valid: generator=None, which the loader seeds for each"
            )
        if generator.device.type != "cpu":
            raise ValueError(
                f"generator lives on {generator.device}; valid is a CPU generator: draws are made "
                "there, so that a seed gives the same mix on every device"
            )
    return batch_size


def _dirichlet(
    k: int, batch_size: int, alpha: float, per_sample: bool, generator: torch.Generator | None
) -> Tensor:
    """``(k, B)`` float32 weights. Beta(a, a) is the case k = 2."""
    shape = (k, batch_size if per_sample else 1)
    # A Dirichlet draw is k gamma draws, normalised. For small alpha those underflow, so we use
    # Gamma(a) = Gamma(a + 1) U^(1/a) (Marsaglia and Tsang 2000) in logarithms. The sampler is the
    # one behind torch.distributions, which takes no generator.
    double: dict[str, Any] = {"dtype": torch.double, "device": "cpu"}
    logs = torch._standard_gamma(torch.full(shape, alpha + 1, **double), generator).log_()
    uniform = torch.rand(shape, generator=generator, **double)  # in [0, 1): U = 1 - it
    weights = logs.add_(uniform.neg_().log1p_(), alpha=1 / alpha).softmax(0)
    return torch.empty(k, batch_size, dtype=torch.float32, device="cpu").copy_(weights)


def _pairs(batch_size: int, partners: Tensor | None, generator: torch.Generator | None) -> Tensor:
    if partners is None:
        partners = torch.randperm(batch_size, generator=generator, device="cpu")
    elif partners.shape != (batch_size,) or partners.dtype != torch.long:
        raise ValueError(
            f"partners has shape {tuple(partners.shape)} and dtype {partners.dtype}; "
            f"valid is ({batch_size},), long"
        )
    elif partners.min() < 0 or partners.max() >= batch_size:
        raise ValueError(
            f"partners holds values from {partners.min()} to {partners.max()}; "
            f"valid are 0 to {batch_size - 1}"
        )
    return torch.stack([torch.arange(batch_size, device=partners.device), partners])


def _lengths(size: Sequence[int], dims: tuple[int, ...]) -> tuple[int, ...]:
    size = tuple(size)
    if not dims:
        raise ValueError("dims=() names no axis; valid is one axis or more")
    if len(set(dims)) < len(dims):
        raise ValueError(f"dims={dims} names an axis twice; valid are different axes")
    if len(size) != len(dims):
        n = len(size)
        if any(not -n <= d < n for d in dims):
            raise ValueError(
                f"dims={dims} does not fit size={size}; valid: axes of the tensor's shape, or a "
                "size of as many lengths as dims"
            )
        if len({d % n for d in dims}) < len(dims):
            raise ValueError(f"dims={dims} names an axis of size={size} twice")
        size = tuple(size[d] for d in dims)
    if min(size) < 1:
        raise ValueError(f"size={size} along dims={dims}; valid are lengths of 1 or more")
    return size


def _on(mix: Mix, device: torch.device | str | None) -> Mix:
    return mix if device is None else mix.to(device)
