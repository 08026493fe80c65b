"""Adversarial examples: small changes of an input, chosen to raise the loss.

Both attacks are *white-box* (they read the model's gradient) and stay in an L-infinity ball: no
value of an input moves by more than ``epsilon``. One step alone is weak. A gain against it that
vanishes against several steps is a masked gradient and no robustness: use both, side by side.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.modes import evaluating

__all__ = ["fgsm", "pgd"]


def fgsm(
    model: nn.Module, x: Tensor, y: Tensor, epsilon: float, low: float = 0.0, high: float = 1.0
) -> Tensor:
    """One step of length ``epsilon`` along the sign of the loss's gradient.

    The model is used in evaluation mode and then put back into the modes that it was in. No
    gradient is left on its parameters.

    Args:
        model: Returns logits ``(B, C)`` for inputs in [low, high]: standardisation belongs inside.
        x: ``(B, ...)`` floating, in [low, high], on the model's device. Split large sets: all of
            ``x`` goes through the model at once.
        y: ``(B,)`` class ids in [0, C).
        epsilon: How far a value may move, 0 or more, in the unit of ``x``.
        low: Smallest valid value of an input.
        high: Largest valid value of an input.

    Returns:
        The adversarial inputs, of x's shape and dtype, detached: within ``epsilon`` of ``x`` and
        within [low, high].

    Raises:
        TypeError: ``x`` is not floating.
        ValueError: ``epsilon`` negative or not finite, ``low`` not below ``high``, ``x`` outside
            [low, high], or ``x`` and ``y`` of different lengths.

    Source: Goodfellow, Shlens, Szegedy, "Explaining and Harnessing Adversarial Examples", ICLR
    2015, section 4.
    """
    x = _checked(x, y, epsilon, low, high)
    with evaluating(model):
        return _step(model, x, x, y, epsilon, epsilon, low, high)


def pgd(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    epsilon: float,
    steps: int = 10,
    step_size: float | None = None,
    restarts: int = 1,
    generator: torch.Generator | None = None,
    low: float = 0.0,
    high: float = 1.0,
    random_start: bool = True,
) -> Tensor:
    """Projected gradient descent: many small steps, each followed by a return into the ball.

    Each restart begins at a point drawn uniformly from the ball. For every example the restart
    that fooled the model is kept, of several (or none) the one with the highest loss. With one
    step of size ``epsilon`` and no random start this is :func:`fgsm`.

    Args:
        model: As in :func:`fgsm`.
        x: As in :func:`fgsm`.
        y: As in :func:`fgsm`.
        epsilon: How far a value may move, 0 or more, in the unit of ``x``.
        steps: Steps of each restart, 1 or more.
        step_size: Length of one step, above 0; ``2.5 * epsilon / steps`` if None, so that a path
            can reach the ball's edge from any start and turn there.
        restarts: Starts, 1 or more.
        generator: A CPU generator for the starts, or None for torch's default one.
        low: Smallest valid value of an input.
        high: Largest valid value of an input.
        random_start: False begins at ``x`` itself, once.

    Returns:
        As in :func:`fgsm`.

    Raises:
        TypeError: ``x`` is not floating.
        ValueError: As in :func:`fgsm`; ``steps`` or ``restarts`` below 1, ``step_size`` not above
            0, or several restarts without random starts, which would all be the same.

    Source: Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards Deep Learning Models Resistant to
    Adversarial Attacks", ICLR 2018, section 2.1.
    """
    x = _checked(x, y, epsilon, low, high)
    integer_at_least("steps", steps, 1)
    integer_at_least("restarts", restarts, 1)
    if step_size is not None and not (math.isfinite(step_size) and step_size > 0):
        raise ValueError(f"step_size={step_size}; valid is None or a finite number above 0")
    if restarts > 1 and not random_start:
        raise ValueError(
            f"restarts={restarts} with random_start=False would repeat one path; "
            "valid is restarts=1, or random_start=True"
        )
    step_size = 2.5 * epsilon / steps if step_size is None else step_size
    with evaluating(model):
        for restart in range(restarts):
            found = x
            if random_start:
                drawn = torch.rand(x.shape, generator=generator, dtype=x.dtype).to(x.device)
                found = _project(x + epsilon * (2 * drawn - 1), x, epsilon, low, high)
            for _ in range(steps):
                found = _step(model, found, x, y, step_size, epsilon, low, high)
            if restarts == 1:
                return found
            fooled, losses = _judge(model, found, y)
            if restart == 0:
                best, best_fooled, best_losses = found, fooled, losses
                continue
            better = (fooled & ~best_fooled) | ((fooled == best_fooled) & (losses > best_losses))
            best = torch.where(better.view(-1, *[1] * (x.ndim - 1)), found, best)
            best_losses = torch.where(better, losses, best_losses)
            best_fooled = fooled | best_fooled
    return best


def _step(model, found, x, y, size, epsilon, low, high) -> Tensor:
    """One step up the loss's slope from ``found``, and back into the ball around ``x``."""
    with torch.enable_grad():
        found = found.detach().requires_grad_()
        # Summed, not averaged: an example's gradient must not depend on the batch around it.
        loss = F.cross_entropy(model(found).float(), y, reduction="sum")
        (slope,) = torch.autograd.grad(loss, found)
    return _project(found.detach() + size * slope.sign(), x, epsilon, low, high)


def _project(found: Tensor, x: Tensor, epsilon: float, low: float, high: float) -> Tensor:
    return torch.minimum(torch.maximum(found, x - epsilon), x + epsilon).clamp_(low, high)


@torch.no_grad()
def _judge(model: nn.Module, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Who is fooled, bool ``(B,)``, and the losses, float32 ``(B,)``."""
    logits = model(x).float()
    return logits.argmax(1) != y, F.cross_entropy(logits, y, reduction="none")


def _checked(x: Tensor, y: Tensor, epsilon: float, low: float, high: float) -> Tensor:
    if not x.is_floating_point():
        raise TypeError(f"x has dtype {x.dtype}; valid is a floating dtype")
    if not (math.isfinite(epsilon) and epsilon >= 0):
        raise ValueError(f"epsilon={epsilon}; valid is a finite number of at least 0")
    if not low < high:
        raise ValueError(f"low={low} and high={high}; valid is low < high")
    if y.shape != x.shape[:1]:
        raise ValueError(
            f"y has shape {tuple(y.shape)}; valid is {tuple(x.shape[:1])}, one class id for each x"
        )
    if x.numel():
        smallest, largest = (value.item() for value in x.detach().aminmax())
        if not (low <= smallest and largest <= high):
            raise ValueError(
                f"x holds values from {smallest:g} to {largest:g}; valid are low={low} to "
                f"high={high}. Put standardisation into the model, or pass the range of x"
            )
    return x.detach()
