"""Made-up syllables: sounds drawn by a seeded generator."""

import math
from itertools import product

import torch
from torch import Generator, Tensor
from torch.utils.data import TensorDataset

from mixup_lib.datasets.splits import Splits, draw_parts, sha256

SYLLABLE_RATE = 8000
SAMPLES = 4000
CLASSES = tuple(
    f"{colour} {lower}-{upper}"
    for colour, lower, upper in product(("dark", "bright"), *(("rise", "fall"),) * 2)
)
BLOCK = 500  # sounds drawn at a time, so that what lies in between stays small


def syllables(seed: int = 0, train: int = 320, validation: int = 160, test: int = 480) -> Splits:
    """Eight kinds of short sounds, like spoken syllables that are whistled.

    Each has two tones, as a vowel has two main resonances. The lower one rises or falls, and so
    does the upper one, which lies in a dark or a bright place: two times two times two classes.
    Speaker (the size of the throat scales both tones, the pitch is a flutter), tempo, beginning,
    strength of the movement, noise and loudness are drawn without regard to the class.
    The quietest sound has a thirtieth of the loudest one's amplitude.

    How hard it is, by the defaults: a linear model on the average spectrum hears the colour, not
    the movement, and gets about a quarter of the test sounds right; guessing gets an eighth. A
    linear model on the whole spectrogram gets two thirds, a small convolutional network three
    quarters, not all. The library's tests hold these bounds.

    Args:
        seed: Draws the sounds. Two seeds share no sound. The test part depends on `seed` and
            `test` only, the validation part also on `validation`.
        train: Number of training examples, 1 or more.
        validation: Number of validation examples, 0 or more.
        test: Number of test examples, 0 or more.

    Returns:
        Waves float32 ``(n, 4000)``, half a second at 8 kHz, in [-1, 1] in steps of 1/32768;
        labels int64 ``(n,)``; in each part the classes are as even as its size allows.

    Raises:
        ValueError: If a size is not an integer, or out of range.

    Source:
        Speech that is reduced to a few tones is still understood: Remez, Rubin, Pisoni and
        Carrell, "Speech perception without traditional speech cues", Science 212, 1981.
    """
    raw = draw_parts(_draw_part, seed, 100_000, train=train, validation=validation, test=test)
    return Splits(
        "syllables",
        **{part: TensorDataset(x.float() / 32768, y) for part, (x, y) in raw.items()},
        classes=CLASSES,
        checksum=sha256(*(t.numpy().tobytes() for pair in raw.values() for t in pair)),
    )


def _draw_part(size: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Waves int16 ``(size, 4000)`` and labels int64 ``(size,)``, in random order."""
    labels = (torch.arange(size) % len(CLASSES))[torch.randperm(size, generator=generator)]
    blocks = [_draw(block, generator) for block in labels.split(BLOCK)]
    return torch.cat(blocks) if size else torch.empty(0, SAMPLES, dtype=torch.int16), labels


def _draw(labels: Tensor, generator: Generator) -> Tensor:
    """One wave for each label, int16 ``(n, 4000)``."""

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(len(labels), 1, generator=generator)

    def octaves(low: float, high: float) -> Tensor:
        return 2 ** uniform(math.log2(low), math.log2(high))

    seconds = torch.arange(SAMPLES) / SYLLABLE_RATE
    length = uniform(0.2, 0.4)
    progress = ((seconds - uniform(0, 1) * (0.5 - length)) / length).clamp(0, 1)
    throat = octaves(0.85, 1.2)

    def tone(centre: Tensor, rises: Tensor) -> Tensor:
        direction = torch.where(rises, 1.0, -1.0).unsqueeze(1)
        # Speakers move their tones more or less, sooner or later.
        movement = direction * uniform(0.3, 0.9) * (progress ** octaves(0.6, 1.6) - 0.5)
        return _wave(throat * centre * 2 ** (movement + uniform(-0.15, 0.15)))

    bright, rises_low, rises_high = labels >= 4, labels % 4 < 2, labels % 2 < 1
    place = torch.where(bright, 2100.0, 1350.0).unsqueeze(1)
    wave = tone(torch.full_like(place, 480.0), rises_low) + uniform(0.3, 1) * tone(
        place, rises_high
    )
    flutter = 1 + 0.8 * _wave(octaves(90, 250) * 2 ** (uniform(-0.3, 0.3) * progress))
    wave = wave * flutter * (math.pi * progress).sin().clamp_min(0).sqrt()
    wave += uniform(0.02, 0.4) * torch.randn(wave.shape, generator=generator)
    wave *= octaves(0.03, 0.9) / wave.abs().amax(1, keepdim=True)
    return (wave * 32768).round().to(torch.int16)


def _wave(frequency: Tensor) -> Tensor:
    """A sine whose frequency, in Hz, changes with time: the phase is its sum."""
    return (2 * math.pi / SYLLABLE_RATE * frequency.double().cumsum(1)).sin().float()
