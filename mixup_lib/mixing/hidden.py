"""Manifold mixup: the same mix, applied to inputs or to hidden states."""

from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from mixup_lib.mixing.mix import Mix

__all__ = ["INPUT", "manifold"]

INPUT = "input"


def manifold(model: nn.Module, x: Tensor, mix: Mix, places: Sequence[str]) -> Tensor:
    """Forward pass that mixes at one place, drawn anew for each step.

    For ``fit`` bind the places: ``forward=functools.partial(manifold, places=("input", "stem"))``.
    The place comes from torch's default generator, which ``fit`` seeds for each epoch. A model
    that was compiled runs uncompiled here, since its compiled code takes no part in the mixing.

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
        TypeError: The part at the place returns no tensor.
        RuntimeError: The forward pass does not come to the place, so that nothing would be mixed,
            or comes there more than once, so that it would be mixed twice.

    Source: Verma et al., "Manifold Mixup: Better Representations by Interpolating Hidden
    States", ICML 2019, section 2.
    """
    if not places or isinstance(places, str):
        raise ValueError(f"places={places!r}; valid is a sequence of one name or more")
    # torch.compile(model) is a module around the model, and puts this before all names.
    modules = {
        name.removeprefix("_orig_mod."): module
        for name, module in model.named_modules()
        if name not in ("", "_orig_mod")
    }
    if unknown := [name for name in places if name not in (INPUT, *modules)]:
        known = [INPUT, *modules]
        raise ValueError(f"places={tuple(places)!r}: {unknown} are no parts; valid are {known}")
    place = places[int(torch.randint(len(places), (), device="cpu"))]
    if place == INPUT:
        return model(mix.inputs(x))
    visits = 0

    def mix_output(module: nn.Module, given: tuple, out: Tensor) -> Tensor:
        nonlocal visits
        visits += 1
        if not isinstance(out, Tensor):
            raise TypeError(
                f"places: {place!r} returns a {type(out).__name__}; valid is a part that returns "
                "a tensor (B, ...)"
            )
        return mix.inputs(out)

    hook = modules[place].register_forward_hook(mix_output)
    try:
        with _uncompiled(model):
            out = model(x)
    finally:
        hook.remove()
    if visits != 1:
        raise RuntimeError(
            f"places: the forward pass came to {place!r} {visits} times, so that it was "
            f"{'not mixed' if visits == 0 else 'mixed as often'}; valid is a part that every "
            "forward pass calls once, through its module"
        )
    return out


def _uncompiled(model: nn.Module):
    """Compiled code was made without the hook, and does not look for a new one."""
    compiled = any(
        hasattr(module, "_orig_mod") or module._compiled_call_impl is not None
        for module in model.modules()
    )
    return torch.compiler.set_stance("force_eager") if compiled else nullcontext()
