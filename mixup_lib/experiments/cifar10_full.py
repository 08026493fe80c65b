"""CIFAR-10 with all its labels, short: plain training, mixup, CutMix and manifold mixup.

What two CPU cores can do of section 3.2 of Zhang et al., "mixup", ICLR 2018: 45,000 training
images (5,000 are kept for validation), a ResNet-20 whose first convolution halves the resolution,
and a schedule of few epochs that ends at a learning rate of 0. The expectation was written before
the run: so short a training fits its data badly, so every form of mixing loses accuracy against
plain training. It is refuted if the interval, or each of the three points, of "mixing minus plain"
lies above zero. The learning rate is the paper's; nothing was tuned.
"""

from functools import partial
from pathlib import Path

from mixup_lib.experiments import cifar10
from mixup_lib.experiments.runner import Experiment, described
from mixup_lib.mixing.draw import draw_cutmix, draw_mixup
from mixup_lib.mixing.hidden import manifold

CONFIG = {
    "data": {
        "name": "cifar10",
        "train": 45000,
        "validation": 5000,
        "test": 10000,
        "split": "class-stratified draw by the seed from the 50,000 training images",
        "standardised": "per channel, with mean and deviation of the training part",
    },
    "model": {"name": "ResNet", "depth": 20, "width": 16, "stem_stride": 2},
    "optimizer": {
        "name": "SGD",
        "lr": 0.1,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 5e-4,
    },
    "schedule": "cosine",
    "epochs": 6,
    "batch_size": 128,
    "augment": "crop by up to 4 pixels, flip",
    "device": "cpu",
    "validate_every": 1,
}

# Verma et al., ICML 2019, take an alpha of 2 for manifold mixup; here each stage's end is a place.
_places = ("input", "blocks.2", "blocks.5")
METHODS = {
    "plain": {},
    "mixup": {"mixing": partial(draw_mixup, alpha=1.0)},
    "cutmix": {"mixing": partial(draw_cutmix, size=(32, 32), alpha=1.0)},
    "manifold": {
        "mixing": partial(draw_mixup, alpha=2.0),
        "forward": partial(manifold, places=_places),
    },
}


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    splits = cifar10.load(config, seed)
    return cifar10.measure(config, splits, seed, checkpoint, **METHODS[method])


EXPERIMENT = Experiment(
    name="cifar10-full",
    title="CIFAR-10 with 45,000 labels, ResNet-20, six epochs: plain, mixup, CutMix, manifold",
    config=CONFIG,
    methods=described(METHODS),
    seeds=(0, 1, 2),
    measure=measure,
)
