"""Log-mel spectrograms, and SpecAugment on them."""

import torch
from torch import Tensor, nn

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.optional import require

__all__ = ["LogMel", "spec_augment"]


class LogMel(nn.Module):
    """Log-mel spectrograms as pictures: one channel, low frequencies first, values in [0, 1].

    1 is the strongest value of the example, 0 lies ``range_db`` below it or deeper. So neither the
    loudness of a wave nor silence after it changes the rest of its picture, and the result for one
    example does not depend on the others of its batch.

    Args:
        sample_rate: Of the waves, in Hz, 100 or more.
        mels: Frequency bands, 1 or more.
        window: Samples of the Hann window, 2 or more; the FFT has twice as many.
        hop: Samples from one frame to the next, 1 or more.
        lowest: Lower end of the lowest band, in Hz; the highest ends at half the sample rate.
        range_db: What is kept below the strongest value, in dB, above 0.

    Raises:
        ValueError: An argument is out of range.
        ImportError: torchaudio is missing.
    """

    def __init__(
        self,
        sample_rate: int = 8000,
        mels: int = 40,
        window: int = 256,
        hop: int = 128,
        lowest: float = 60.0,
        range_db: float = 60.0,
    ):
        super().__init__()
        integer_at_least("sample_rate", sample_rate, 100)
        integer_at_least("mels", mels, 1)
        integer_at_least("window", window, 2)
        integer_at_least("hop", hop, 1)
        if not 0 <= lowest < sample_rate / 2:
            raise ValueError(f"lowest={lowest}; valid is 0 to below {sample_rate / 2}")
        if not range_db > 0:
            raise ValueError(f"range_db={range_db}; valid is above 0")
        transforms = require("torchaudio.transforms", "audio")
        self.range_db = range_db
        self.mel = transforms.MelSpectrogram(
            sample_rate,
            n_fft=2 * window,
            win_length=window,
            hop_length=hop,
            n_mels=mels,
            f_min=lowest,
            pad_mode="constant",
        )

    def forward(self, waves: Tensor) -> Tensor:
        """``(B, 1, mels, 1 + samples // hop)`` in [0, 1] of waves ``(B, samples)``.

        Raises:
            ValueError: ``waves`` has another number of dimensions.
        """
        if waves.ndim != 2:
            raise ValueError(f"waves has shape {tuple(waves.shape)}; valid is (B, samples)")
        power = self.mel(waves)
        strongest = power.amax((1, 2), keepdim=True)
        # A silent wave stays at 0: its ratios are 0 / tiny.
        ratio = power / strongest.clamp_min(torch.finfo(power.dtype).tiny)
        level = 10 * ratio.clamp_min(10 ** (-self.range_db / 10)).log10()
        return (1 + level / self.range_db).clamp(0, 1).unsqueeze(1)


def spec_augment(
    x: Tensor,
    generator: torch.Generator | None = None,
    mels: int = 8,
    frames: int = 12,
    masks: int = 1,
) -> Tensor:
    """SpecAugment: blanks a band of frequencies and a stretch of time, each at random.

    Nothing is mixed, the label stays. Time warping, the paper's third part, brought its authors
    little and is left out.

    Args:
        x: ``(B, channels, mels, frames)``; it is not changed.
        generator: CPU generator; None uses torch's default one.
        mels: The widest band; its width is uniform in 0 to ``mels``, its place uniform.
        frames: The longest stretch, drawn likewise.
        masks: How many of each, 0 or more.

    Returns:
        A new tensor like ``x``, 0 where it is blanked.

    Raises:
        ValueError: ``x`` is not 4-dimensional, or a mask is negative or longer than its axis.

    Source: Park et al., "SpecAugment: A Simple Data Augmentation Method for Automatic Speech
    Recognition", Interspeech 2019, section 2.
    """
    if x.ndim != 4:
        raise ValueError(f"x has shape {tuple(x.shape)}; valid is (B, channels, mels, frames)")
    integer_at_least("masks", masks, 0)
    blank = torch.zeros(len(x), 1, *x.shape[2:], dtype=torch.bool)
    for name, widest, axis in (("mels", mels, 2), ("frames", frames, 3)):
        length = x.shape[axis]
        if integer_at_least(name, widest, 0) > length:
            raise ValueError(f"{name}={widest}; valid is 0 to {length}, the length of that axis")
        at = torch.arange(length)
        for _ in range(masks):
            width, place = torch.rand(2, len(x), 1, generator=generator)
            width = (width * (widest + 1)).floor()
            start = (place * (length - width + 1)).floor()
            inside = (at >= start) & (at < start + width)
            shape = [len(x), 1, 1, 1]
            shape[axis] = length
            blank = blank | inside.view(shape)
    return x.masked_fill(blank.to(x.device), 0)
