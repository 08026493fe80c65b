"""FSDD, one speaker held out at a time: plain, three ways of mixing, SpecAugment.

Claim C15 for sound, written down before the run. Measure: the paired difference of test accuracy
from plain training, in percentage points, over the six folds. Smallest effect that matters: 2
points. A method supports the claim with an interval wholly at or above 2 points and refutes it
with one wholly below. The folds share training speakers, so their intervals are approximate.

Chosen before the run: the number of epochs, on validation data, for plain training only; all
methods share it. The learning rate, alpha and the sizes of SpecAugment's masks were not tuned.
Test data are read once, at the end of a run.
"""

from functools import partial
from pathlib import Path

from torch import Tensor, nn

from mixup_lib import datasets
from mixup_lib.audio import LogMel, mix_by_loudness, spec_augment
from mixup_lib.basics.seeds import initialised
from mixup_lib.datasets.audio import FSDD_RATE
from mixup_lib.experiments import settings
from mixup_lib.experiments.runner import Experiment, described, of_parts, of_training
from mixup_lib.mixing.draw import draw_mixup
from mixup_lib.mixing.mix import Mix
from mixup_lib.models import SpectrogramNet
from mixup_lib.training.fitting import fit

CONFIG = {
    "claim": {
        "id": "C15",
        "measure": "test accuracy, method minus plain, paired by fold, in percentage points",
        "smallest_effect": 2.0,
        "refuted_if": "the 95 % interval lies wholly below the smallest effect",
    },
    "data": {
        "name": "fsdd",
        "split": "by speaker: the seed is the fold; speaker k is the test part, speaker k + 1 "
        "(modulo 6) the validation part, the other four are the training part",
        "train": 2000,
        "validation": 500,
        "test": 500,
        "samples": 8000,
        "policy": "pad",
    },
    "features": {
        "name": "LogMel",
        "sample_rate": FSDD_RATE,
        "mels": 40,
        "window": 256,
        "hop": 160,
        "lowest": 60.0,
        "range_db": 60.0,
    },
    "model": {"name": "ResNet", "depth": 8, "width": 16, "channels": 1, "stem_stride": 2},
    "optimizer": {"name": "AdamW", "lr": 3e-3, "weight_decay": 1e-2},
    "schedule": "cosine",
    "epochs": 16,
    "batch_size": 32,
    "device": "cpu",
    "precision": "32-true",
    "validate_every": 4,
    "epochs_choice": {
        "method": "plain",
        "measure": "validation accuracy after the last epoch, fold 0, a seed not recorded",
        "seed": 1000,
        "epochs": [8, 16, 24],
        "validation_accuracy": [0.82, 0.86, 0.854],
        "others": "all methods share the epochs; learning rate, alpha, masks were not tuned",
    },
}


def on_log_mel(model: SpectrogramNet, x: Tensor, mix: Mix) -> Tensor:
    """Mixes the log-mel spectrograms."""
    return model.network(mix.inputs(model.log_mel(x)))


def on_loudness(model: nn.Module, x: Tensor, mix: Mix, sample_rate: int) -> Tensor:
    """Mixes the waves so that each is heard as the label says."""
    return model(mix_by_loudness(mix, x, sample_rate))


def masked(model: SpectrogramNet, x: Tensor, mix: Mix, mels: int, frames: int) -> Tensor:
    """Blanks parts of the log-mel spectrograms; nothing is mixed."""
    return model.network(spec_augment(model.log_mel(x), mels=mels, frames=frames))


uniform = partial(draw_mixup, alpha=1.0)

METHODS = {
    "plain": {},
    "waveform": {"mixing": uniform},
    "log-mel": {"mixing": uniform, "forward": on_log_mel},
    "loudness": {"mixing": uniform, "forward": partial(on_loudness, sample_rate=FSDD_RATE)},
    "specaugment": {"forward": partial(masked, mels=8, frames=10)},
}


def make_model(classes: int, config: dict = CONFIG) -> SpectrogramNet:
    """The network of the experiment, with features made on the fly."""
    network = settings.make_model(config, classes=classes)
    return SpectrogramNet(network, LogMel(**settings.without_name(config["features"])))


def measure(
    config: dict, method: str, seed: int, checkpoint: Path, methods: dict[str, dict] = METHODS
) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    data = config["data"]
    splits = datasets.fsdd(fold=seed, samples=data["samples"], policy=data["policy"])
    model = initialised(partial(make_model, len(splits.classes), config), seed)
    history = fit(
        model,
        splits.train,
        validation=splits.validation,
        seed=seed,
        checkpoint=checkpoint,
        **settings.fit_settings(config, **methods[method]),
    )
    return {
        "metrics": of_parts(model, splits.parts()),
        "data_checksum": splits.checksum,
    } | of_training(model, history)


EXPERIMENT = Experiment(
    name="fsdd",
    title="FSDD by held-out speaker: plain, waveform, log-mel, loudness, SpecAugment",
    config=CONFIG,
    methods=described(METHODS),
    seeds=(0, 1, 2, 3, 4, 5),
    measure=measure,
)
