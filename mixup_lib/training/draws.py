"""How a training loop asks for a mix: it offers what a draw may depend on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache

from torch import Tensor

from mixup_lib.mixing.draw import no_mix
from mixup_lib.mixing.mix import Mix

OFFERED = ("x", "y", "progress", "history")


def asked_for(mixing: Callable | None) -> tuple[str, ...]:
    """Which of ``OFFERED`` the signature of ``mixing`` names without a default of its own."""
    if mixing is None:
        return ()
    try:
        parameters = inspect.signature(mixing).parameters
    except (TypeError, ValueError):  # some builtins have no signature
        return ()
    required = {name for name, it in parameters.items() if it.default is inspect.Parameter.empty}
    return tuple(name for name in OFFERED if name in required)


def draws_of(mixing: Callable | None) -> Callable[..., Mix]:
    """``draw(x, generator, **offered) -> Mix`` that passes ``mixing`` what it asks for.

    The draw raises a TypeError if ``mixing`` returns no ``Mix``; without ``mixing`` it mixes
    nothing.
    """
    wanted = asked_for(mixing)
    unmixed = cache(no_mix)  # the same for every batch of a size

    def draw(x: Tensor, generator, **offered) -> Mix:
        if mixing is None:
            return unmixed(x.shape[0])
        offered["x"] = x
        mix = mixing(x.shape[0], generator=generator, **{name: offered[name] for name in wanted})
        if not isinstance(mix, Mix):
            raise TypeError(f"mixing must return a Mix, got {type(mix).__name__}")
        return mix

    return draw
