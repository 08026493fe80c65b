"""Sound: files, sample rates, lengths, loudness, log-mel spectrograms.

A wave is a floating tensor ``(samples,)``, a batch of waves ``(B, samples)``, full scale is 1.
"""

from mixup_lib.audio.levels import loudness, loudness_mix, mix_by_loudness
from mixup_lib.audio.spectrogram import LogMel, spec_augment
from mixup_lib.audio.waves import (
    batch_waves,
    fit_length,
    read_wav,
    resample,
    to_peak,
    write_wav,
)

__all__ = [
    "LogMel",
    "batch_waves",
    "fit_length",
    "loudness",
    "loudness_mix",
    "mix_by_loudness",
    "read_wav",
    "resample",
    "spec_augment",
    "to_peak",
    "write_wav",
]
