"""Checks that every function on sounds makes."""

import torch
from torch import Tensor


def check_wave(wave: Tensor, name: str = "wave", ndim: int | None = None) -> Tensor:
    """The wave, if it is floating, not empty and finite.

    Raises:
        TypeError: if it is no floating tensor.
        ValueError: if it has another number of dimensions, no samples, or NaN or infinities.
    """
    if not isinstance(wave, Tensor) or not wave.is_floating_point():
        kind = getattr(wave, "dtype", type(wave).__name__)
        raise TypeError(
            f"{name} is {kind}; valid is a floating tensor with full scale 1, such as "
            "int16 samples / 32768"
        )
    if ndim is not None and wave.ndim != ndim:
        axes = {1: "(samples,)", 2: "(B, samples)"}[ndim]
        raise ValueError(
            f"{name} has shape {tuple(wave.shape)}; valid is {axes}, one channel: average the "
            "channels of a stereo sound first"
        )
    if wave.ndim == 0 or wave.shape[-1] == 0:
        raise ValueError(f"{name} has shape {tuple(wave.shape)}; it needs at least one sample")
    if not torch.isfinite(wave).all():
        bad = int((~torch.isfinite(wave)).sum())
        raise ValueError(f"{name} holds {bad} NaN or infinite samples; valid are finite numbers")
    return wave
