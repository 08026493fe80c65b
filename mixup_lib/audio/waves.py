"""WAV files in and out, one sample rate, one length."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from mixup_lib.audio.check import check_wave
from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.optional import require
from mixup_lib.basics.writing import atomic_write

__all__ = ["batch_waves", "fit_length", "read_wav", "resample", "to_peak", "write_wav"]

POLICIES = ("pad", "loop", "crop")
SUBTYPES = ("PCM_16", "FLOAT")
UNKNOWN = 2**32 - 2**16  # lengths from here on stand for an unknown one, less a header


def read_wav(
    path: str | os.PathLike, sample_rate: int | None = None, channels: str = "mono"
) -> tuple[Tensor, int]:
    """Reads a WAV file.

    Args:
        path: The file.
        sample_rate: The rate that the file must have, in Hz; None takes any. A file is never
            resampled silently: see :func:`resample`.
        channels: ``"mono"`` takes only a file with one channel, ``"mean"`` averages the channels,
            ``"keep"`` returns all of them.

    Returns:
        The wave, float32 with full scale 1, ``(samples,)``, or ``(channels, samples)`` with
        ``channels="keep"``; and its sample rate in Hz.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no sound file, ends too early, has another rate or none, more than one
            channel, no samples, or NaN; or ``channels`` is unknown.
        ImportError: soundfile is missing.
    """
    if channels not in ("mono", "mean", "keep"):
        raise ValueError(f"channels={channels!r}; valid are 'mono', 'mean' and 'keep'")
    soundfile = require("soundfile", "audio")
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path={str(path)!r}: there is no such file")
    try:
        about = soundfile.info(path, verbose=True)
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except RuntimeError as error:  # LibsndfileError is one of them
        reason = f"path={str(path)!r} is no sound file that can be read: {error}"
        raise ValueError(reason) from error
    if len(samples) != about.frames or _is_cut_off(about.extra_info):
        raise ValueError(
            f"path={str(path)!r} ends too early: {len(samples)} samples are there, "
            "and the file says that there are more"
        )
    if rate < 1:
        raise ValueError(f"path={str(path)!r} has a sample rate of {rate} Hz; valid is 1 or more")
    wave = torch.from_numpy(samples).T.contiguous()
    if sample_rate is not None and rate != sample_rate:
        raise ValueError(
            f"path={str(path)!r} has {rate} Hz, asked for were sample_rate={sample_rate}: read it "
            "with sample_rate=None and resample it"
        )
    if len(wave) > 1 and channels == "mono":
        raise ValueError(
            f"path={str(path)!r} has {len(wave)} channels: valid with channels='mono' is one; "
            "'mean' averages them, 'keep' keeps them"
        )
    check_wave(wave, f"path={str(path)!r}")
    return (wave if channels == "keep" else wave.mean(0)), rate


def _is_cut_off(log: str) -> bool:
    """Whether libsndfile, which reads what is there, noted that a sound is longer than its file.

    A recorder that writes to a pipe knows no length and puts the largest number there: that is no
    lie.
    """
    lengths = re.findall(r"(?:data|SSND|riff|Riff size) *: (\d+) \(should be (\d+)\)", log)
    return bool(re.search("ended unexpectedly|lacks an end-of-stream|Junk after", log)) or any(
        int(found) < int(said) < UNKNOWN for said, found in lengths
    )


def write_wav(
    path: str | os.PathLike, wave: Tensor, sample_rate: int, subtype: str = "PCM_16"
) -> Path:
    """Writes a WAV file, whole or not at all.

    Args:
        path: The file; it is replaced if it is there.
        wave: Floating ``(samples,)`` or ``(channels, samples)``, full scale 1.
        sample_rate: In Hz, 1 or more.
        subtype: ``"PCM_16"``: 16-bit integers, rounded to steps of 1/32768, samples in [-1, 1].
            ``"FLOAT"``: 32-bit floats, any finite samples.

    Returns:
        The path.

    Raises:
        TypeError: ``wave`` is no floating tensor.
        ValueError: It is empty, has NaN, or would be clipped; another argument is out of range.
        ImportError: soundfile is missing.
    """
    if subtype not in SUBTYPES:
        raise ValueError(f"subtype={subtype!r}; valid are {SUBTYPES}")
    integer_at_least("sample_rate", sample_rate, 1)
    check_wave(wave)
    if wave.ndim > 2:
        raise ValueError(
            f"wave has shape {tuple(wave.shape)}; valid is (samples,) or (channels, "
            "samples): write the waves of a batch one by one"
        )
    soundfile = require("soundfile", "audio")
    samples = wave.detach().cpu().float()
    if subtype == "PCM_16":
        samples = to_int16(samples)
    path = Path(path)
    with atomic_write(path) as draft:
        soundfile.write(draft, samples.numpy().T, sample_rate, subtype=subtype, format="WAV")
    return path


def to_int16(wave: Tensor) -> Tensor:
    """Samples as 16-bit integers. Out of [-1, 1] they would be clipped, so that raises."""
    if (peak := wave.abs().max().item()) > 1:
        raise ValueError(
            f"wave has a peak of {peak:.3g} and would be clipped; valid is at most 1: to_peak "
            "scales it, subtype='FLOAT' keeps it"
        )
    return (wave * 32768).round().clamp(-32768, 32767).to(torch.int16)


def to_peak(wave: Tensor, peak: float = 0.9) -> Tensor:
    """The wave, scaled so that its largest sample has the magnitude ``peak``.

    One factor for the whole tensor: the channels of a sound keep their balance, the waves of a
    batch theirs.

    Args:
        wave: Floating ``(..., samples)``.
        peak: In (0, 1].

    Raises:
        ValueError: ``peak`` is out of range; ``wave`` is silent, empty or has NaN.
    """
    if not 0 < peak <= 1:
        raise ValueError(f"peak={peak}; valid is above 0 and at most 1")
    highest = check_wave(wave).abs().max()
    if highest == 0:
        raise ValueError("wave is silent: no factor gives it a peak")
    return wave * (peak / highest)


def resample(wave: Tensor, sample_rate: int, new_rate: int) -> Tensor:
    """The same sound at another sample rate, low-pass filtered where the rate goes down.

    Args:
        wave: Floating ``(..., samples)`` at ``sample_rate``.
        sample_rate: Its rate in Hz, 1 or more.
        new_rate: The rate wanted, in Hz, 1 or more.

    Returns:
        ``(..., ceil(samples * new_rate / sample_rate))``.

    Raises:
        ValueError: A rate is below 1; the wave is empty or has NaN.
        ImportError: torchaudio is missing.
    """
    integer_at_least("sample_rate", sample_rate, 1)
    integer_at_least("new_rate", new_rate, 1)
    check_wave(wave)
    if sample_rate == new_rate:
        return wave
    functional = require("torchaudio.functional", "audio")
    return functional.resample(wave, sample_rate, new_rate)


def fit_length(wave: Tensor, samples: int, policy: str = "pad") -> Tensor:
    """The wave at exactly ``samples`` samples. A longer one always loses its end.

    Args:
        wave: Floating ``(..., n)``.
        samples: The length wanted, 1 or more.
        policy: What happens to a shorter one. ``"pad"``: silence follows. ``"loop"``: it starts
            again. ``"crop"``: it is refused.

    Returns:
        ``(..., samples)``.

    Raises:
        ValueError: ``policy`` is unknown, the wave is too short for ``"crop"``, empty or has NaN.
    """
    integer_at_least("samples", samples, 1)
    if policy not in POLICIES:
        raise ValueError(f"policy={policy!r}; valid are {POLICIES}")
    missing = samples - check_wave(wave).shape[-1]
    if missing <= 0:
        return wave[..., :samples]
    if policy == "crop":
        raise ValueError(
            f"wave has {wave.shape[-1]} samples, fewer than samples={samples}: policy='crop' only "
            "shortens; 'pad' and 'loop' lengthen"
        )
    if policy == "pad":
        return torch.nn.functional.pad(wave, (0, missing))
    return wave[..., torch.arange(samples, device=wave.device) % wave.shape[-1]]


def batch_waves(
    waves: Sequence[Tensor], samples: int | None = None, policy: str = "pad"
) -> tuple[Tensor, Tensor]:
    """Waves of different lengths as one batch.

    Args:
        waves: Floating ``(n,)`` each, at one sample rate.
        samples: The common length; None takes the longest, or with ``"crop"`` the shortest.
        policy: As in :func:`fit_length`.

    Returns:
        The batch ``(B, samples)``, and long ``(B,)``: how many samples of each are sound. With
        ``"loop"`` all are.

    Raises:
        ValueError: There is no wave, or one has two channels, no samples or NaN.
    """
    if not waves:
        raise ValueError("waves is empty; it needs at least one wave")
    for i, wave in enumerate(waves):
        check_wave(wave, f"waves[{i}]", ndim=1)
    lengths = torch.tensor([len(wave) for wave in waves])
    if samples is None:
        samples = int(lengths.min() if policy == "crop" else lengths.max())
    x = torch.stack([fit_length(wave, samples, policy) for wave in waves])
    return x, torch.full_like(lengths, samples) if policy == "loop" else lengths.clamp(max=samples)
