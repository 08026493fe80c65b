"""Mixing by loudness: the share that is heard, not the share of the samples.

A loud sound drowns a quiet one, even where it has the smaller weight. Between-Class learning
therefore weighs the sounds so that their loudnesses stand in the proportion that the label says.

Source: Tokozume, Ushiku, Harada, "Learning from Between-class Examples for Deep Sound
Recognition", ICLR 2018, section 3.2.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from mixup_lib.audio.check import check_wave
from mixup_lib.basics.check import integer_at_least
from mixup_lib.mixing.mix import Mix

__all__ = ["loudness", "loudness_mix", "mix_by_loudness"]


def loudness(
    waves: Tensor, sample_rate: int, lengths: Tensor | None = None, weighting: str | None = "A"
) -> Tensor:
    """The level of each wave's loudest moment, in dB relative to full scale.

    The power within Hann windows of about a tenth of a second, half overlapping; the loudest
    counts. So silence before or after a sound does not make it quieter.

    Args:
        waves: Floating ``(B, samples)``.
        sample_rate: In Hz, 100 or more.
        lengths: ``(B,)`` long: how many samples of each wave are sound; what follows is not
            looked at. None: all.
        weighting: ``"A"`` weighs frequencies like the ear at a moderate level (IEC 61672), None
            weighs all the same.

    Returns:
        ``(B,)``, of the dtype of ``waves``; minus infinity for silence.

    Raises:
        ValueError: ``waves`` is no batch of mono waves, is empty, or has NaN; another argument is
            out of range.
    """
    integer_at_least("sample_rate", sample_rate, 100)
    if weighting not in ("A", None):
        raise ValueError(f"weighting={weighting!r}; valid are 'A' and None")
    waves = check_wave(_only_sound(waves, lengths), "waves", ndim=2)
    size = 2 ** round(math.log2(sample_rate / 10))
    # Room for every window that touches the sound: padding adds no other.
    frames = F.pad(waves, (size // 2, size)).unfold(1, size, size // 2)
    window = torch.hann_window(size, device=waves.device, dtype=waves.dtype)
    power = torch.fft.rfft(frames * window).abs() ** 2
    power[..., 1:-1] *= 2  # the negative frequencies
    if weighting == "A":
        power *= a_weights(size, sample_rate).to(power)
    mean_square = power.sum(-1) / (size * (window**2).sum())
    return 10 * mean_square.amax(1).log10()


def loudness_mix(
    mix: Mix,
    waves: Tensor,
    sample_rate: int,
    lengths: Tensor | None = None,
    weighting: str | None = "A",
) -> Mix:
    """The same partners, with the weights that give the sounds the loudnesses of the label.

    With levels :math:`G_1, G_2` in dB and the label's weight :math:`\\lambda` of the first, its
    weight is :math:`p = 1 / (1 + 10^{(G_1 - G_2) / 20} (1 - \\lambda) / \\lambda)`. Sounds of equal
    level keep their weights. The labels stay those of ``mix``.

    Args:
        mix: The mix of the labels, without a box.
        waves: Floating ``(B, samples)``.
        sample_rate, lengths, weighting: As in :func:`loudness`.

    Raises:
        ValueError: A wave is silent: no weight makes it heard. Or ``mix`` has a box.
    """
    if mix.box is not None:
        raise ValueError("mix has a box: a cut wave has a share in time, not in loudness")
    level = loudness(waves, sample_rate, lengths, weighting)
    if (silent := torch.isinf(level)).any():
        raise ValueError(
            f"waves {silent.nonzero().flatten().tolist()} are silent: no weight makes them heard. "
            "Leave them out, or mix with mix.inputs"
        )
    index = mix.index.to(waves.device)
    quieter = level.float() * (-math.log(10) / 20)
    return Mix(index, (mix.weights.to(waves.device).log() + quieter[index]).softmax(0))


def mix_by_loudness(
    mix: Mix,
    waves: Tensor,
    sample_rate: int,
    lengths: Tensor | None = None,
    weighting: str | None = "A",
) -> Tensor:
    """Mixes waves so that each is heard as the label says.

    The weights of :func:`loudness_mix`, and a division by the root of the sum of their squares:
    powers of unrelated sounds add, so the mixture is as loud as its parts and not quieter.

    Args:
        mix, waves, sample_rate, lengths, weighting: As in :func:`loudness_mix`.

    Returns:
        ``(B, samples)``; it may exceed full scale: see :func:`~mixup_lib.audio.to_peak`.

    Raises:
        ValueError: As :func:`loudness_mix`.

    Source: Tokozume et al. 2018, equations (2) and (3).
    """
    heard = loudness_mix(mix, waves, sample_rate, lengths, weighting)
    size = heard.weights.square().sum(0).sqrt()
    return heard.inputs(waves) / size[:, None].to(waves.dtype)


def a_weights(size: int, sample_rate: int) -> Tensor:
    """``(size // 2 + 1,)`` float64: factors on the power of each frequency of a real FFT."""
    f = torch.fft.rfftfreq(size, 1 / sample_rate, dtype=torch.float64) ** 2
    low, middle, high, top = (corner**2 for corner in (20.598997, 107.65265, 737.86223, 12194.217))
    gain = f**2 * top / ((f + low) * ((f + middle) * (f + high)).sqrt() * (f + top))
    return (gain * 10 ** (2.0 / 20)) ** 2  # 2.0 dB: unity at 1 kHz


def _only_sound(waves: Tensor, lengths: Tensor | None) -> Tensor:
    if lengths is None:
        return waves
    if lengths.shape != waves.shape[:1] or lengths.dtype != torch.long:
        raise ValueError(
            f"lengths has shape {tuple(lengths.shape)} and dtype {lengths.dtype}; valid is "
            f"({len(waves)},), long"
        )
    if lengths.min() < 1 or lengths.max() > waves.shape[1]:
        raise ValueError(
            f"lengths runs from {lengths.min()} to {lengths.max()}; valid are 1 to "
            f"{waves.shape[1]}, the number of samples"
        )
    after = torch.arange(waves.shape[1], device=waves.device) >= lengths.to(waves.device)[:, None]
    return waves.masked_fill(after, 0)
