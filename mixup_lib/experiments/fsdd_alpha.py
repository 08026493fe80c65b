"""FSDD, one speaker held out at a time: how much to mix, how often, and with SpecAugment.

Written before the runs. ``fsdd`` mixed at an alpha of 1 in every batch, tuned nothing, and decided
nothing. Recipes for sound mix less: at a small alpha, or in a part of the batches, and with
SpecAugment. Here each of these has its strength chosen, plain training included. Network, features,
folds and length are those of ``fsdd``, where plain training knows its 2,000 recordings by heart.
Log-mel spectrograms are mixed; where both are used, masks are laid over the mixture. Measures: test
error and test NLL, plain minus method, paired by fold, and each network's error on its own training
recordings, neither mixed nor masked.

Expected, and what would contradict it:

1. Mixing alone, at the alpha that is chosen, changes the error by less than six speakers can show:
   the interval of the gain holds 0. Contradicted if it lies on one side.
2. A small alpha costs less NLL than ``fsdd``'s: at 0.1 the mean NLL is lower than at 1.
   Contradicted if the whole interval of the difference says otherwise.
3. SpecAugment lowers the error. Contradicted if the whole interval of the gain lies below 0.
4. Mixing adds nothing to SpecAugment: the interval of SpecAugment's error minus that of both holds
   0. Contradicted if it lies on one side.
5. Mixing a part of the batches lies between mixing none and all, in mean NLL, at an alpha of 1.

The smallest gain that matters is 3 % of the plain network's error. Folds share training speakers,
so intervals are widened as Nadeau and Bengio propose.

Every method has four tries: four rates for plain training; four alphas for mixing alone, and with
SpecAugment at the masks of ``fsdd``; four sizes of masks; four shares of batches at an alpha of 1.
Each try is a run of its own, for every fold; what counts of a method is the try with the lowest
mean validation error over the folds, of equals the lowest NLL, whatever the test data say. Test
data are read once, at the end of a run.
"""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from mixup_lib.audio import spec_augment
from mixup_lib.experiments import fsdd
from mixup_lib.experiments.runner import Experiment, described
from mixup_lib.mixing.draw import draw_mixup, no_mix
from mixup_lib.mixing.mix import Mix
from mixup_lib.models import SpectrogramNet

CONFIG = {key: entry for key, entry in fsdd.CONFIG.items() if key not in ("claim", "epochs_choice")}
CONFIG |= {
    "choices": "per method the try with the lowest mean validation error over the folds",
    "epochs_choice": "those of fsdd, where plain training fits its recordings",
}


def draw_sometimes(
    batch_size: int, share: float, alpha: float = 1.0, generator: torch.Generator | None = None
) -> Mix:
    """Mixup for this share of the batches, in [0, 1], nothing for the others."""
    if torch.rand((), generator=generator) < share:
        return draw_mixup(batch_size, alpha=alpha, generator=generator)
    return no_mix(batch_size)


def mixed_and_masked(model: SpectrogramNet, x: Tensor, mix: Mix, mels: int, frames: int) -> Tensor:
    """Mixes the log-mel spectrograms, then blanks parts of the mixtures."""
    pictures = mix.inputs(model.log_mel(x))
    return model.network(spec_augment(pictures, mels=mels, frames=frames))


ALPHAS = (0.1, 0.2, 0.4, 1.0)
METHODS = (
    {f"plain-{lr:g}": {"optimizer": {"lr": lr}} for lr in (0.003, 0.001, 0.002, 0.006)}
    | {
        f"mixing-{alpha:g}": {
            "mixing": partial(draw_mixup, alpha=alpha),
            "forward": fsdd.on_log_mel,
        }
        for alpha in ALPHAS
    }
    | {
        f"specaugment-{mels}": {
            "forward": partial(fsdd.masked, mels=mels, frames=round(1.25 * mels))
        }
        for mels in (4, 8, 12, 16)
    }
    | {
        f"both-{alpha:g}": {
            "mixing": partial(draw_mixup, alpha=alpha),
            "forward": partial(mixed_and_masked, mels=8, frames=10),
        }
        for alpha in ALPHAS
    }
    | {
        f"sometimes-{share:g}": {
            "mixing": partial(draw_sometimes, share=share),
            "forward": fsdd.on_log_mel,
        }
        for share in (0.2, 0.4, 0.6, 0.8)
    }
)


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    return fsdd.measure(config, method, seed, checkpoint, METHODS)


EXPERIMENT = Experiment(
    name="fsdd-alpha",
    title="FSDD by held-out speaker: alpha, share of mixed batches, with SpecAugment",
    config=CONFIG,
    methods=described(METHODS),
    seeds=(0, 1, 2, 3, 4, 5),
    measure=measure,
)
