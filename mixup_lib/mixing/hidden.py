"""Manifold mixup: the same mix, applied to inputs or to hidden states."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mixup_lib.mixing.mix import Mix

__all__ = ["INPUT", "manifold"]

INPUT = "input"


def manifold(model: nn.Module, x: Tensor, mix: Mix, places: Sequence[str]) -> Tensor:
    """Forward pass that mixes at one place, drawn anew for each step.

    For ``fit`` bind the places: ``forward=functools.partial(manifold, places=("input", "stem"))``.
    The place comes from torch's default generator, which ``fit`` seeds for each epoch.

    Args:
        model: any module whose named parts return tensors with the batch first.
        x: ``(B, ...)`` floating, not mixed yet.
        mix: drawn for this batch. A box cuts the last two axes of whatever it meets, and fits
            only a place with the size that it was drawn for.
        places: where to mix: ``"input"``, or the name of a submodule whose output is mixed, as
            in ``model.named_modules()``. At least one.

    Returns:
        What the model returns, such as logits ``(B, classes)``.

    Raises:
        ValueError: ``places`` is empty or names no part of the model.

    Source: Verma et al., "Manifold Mixup: Better Representations by Interpolating Hidden
    States", ICML 2019, section 2.
    """
    if not places or isinstance(places, str):
        raise ValueError(f"places={places!r}; valid is a sequence of one name or more")
    modules = {name: module for name, module in model.named_modules() if name}
    if unknown := [name for name in places if name not in (INPUT, *modules)]:
        known = [INPUT, *modules]
        raise ValueError(f"places={tuple(places)!r}: {unknown} are no parts; valid are {known}")
    place = places[int(torch.randint(len(places), ()))]
    if place == INPUT:
        return model(mix.inputs(x))
    hook = modules[place].register_forward_hook(lambda module, given, out: mix.inputs(out))
    try:
        return model(x)
    finally:
        hook.remove()
