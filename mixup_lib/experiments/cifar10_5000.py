"""CIFAR-10 with 5,000 labels: plain training, mixup, CutMix and label smoothing.

Chosen before the run: the learning rate, on validation data, for plain training only; all methods
share it. Alpha and the smoothing were not tuned. Test data are read once, at the end of a run.
"""

from functools import partial
from pathlib import Path

from torch.nn import functional as F

from mixup_lib.experiments import cifar10
from mixup_lib.experiments.runner import Experiment, described
from mixup_lib.mixing.draw import draw_cutmix, draw_mixup

CONFIG = {
    "data": {
        "name": "cifar10",
        "train": 5000,
        "validation": 5000,
        "test": 10000,
        "split": "class-stratified draw by the seed from the 50,000 training images",
        "standardised": "per channel, with mean and deviation of the training part",
    },
    "model": {"name": "ResNet", "depth": 8, "width": 24, "stem_stride": 2},
    "optimizer": {
        "name": "SGD",
        "lr": 0.1,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 5e-4,
    },
    "schedule": "cosine",
    "epochs": 60,
    "batch_size": 64,
    "augment": "crop by up to 4 pixels, flip",
    "device": "cpu",
    "precision": "32-true",
    "validate_every": 5,
    "learning_rate_choice": {
        "method": "plain",
        "measure": "validation accuracy, one seed that is not among the recorded ones",
        "seed": 1000,
        "epochs": 15,
        "lr": [0.05, 0.1, 0.2],
        "validation_accuracy": [0.6036, 0.6280, 0.6202],
        "others": "all methods share the learning rate; alpha and smoothing were not tuned",
    },
}

METHODS = {
    "plain": {},
    "mixup": {"mixing": partial(draw_mixup, alpha=1.0)},
    "cutmix": {"mixing": partial(draw_cutmix, size=(32, 32), alpha=1.0)},
    "label-smoothing": {
        "loss": partial(F.cross_entropy, reduction="none", label_smoothing=0.1),
    },
}


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    splits = cifar10.load(config, seed)
    return cifar10.measure(config, splits, seed, checkpoint, **METHODS[method])


EXPERIMENT = Experiment(
    name="cifar10-5000",
    title="CIFAR-10 with 5,000 labels: plain, mixup, CutMix, label smoothing",
    config=CONFIG,
    methods=described(METHODS),
    seeds=(0, 1, 2, 3, 4),
    measure=measure,
)
