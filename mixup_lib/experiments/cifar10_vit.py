"""CIFAR-10 with 2,000 labels once more, with a small vision transformer.

Same data, seeds, epochs and methods as :mod:`mixup_lib.experiments.cifar10_methods`; the network
has attention instead of convolutions and about as many parameters. So what a method brings to one
can be set beside what it brings to the other.

Written down before the run (claim C19): a gain is the test error, plain minus method, paired by
seed. The transformer gains less from mixup than from classical augmentation if the two gains
differ by a point or more. That is a matter of attention if the ResNet's two gains differ less, by
a point or more.

Chosen before the run, on validation data of a seed that is not among the recorded ones: the
learning rate, for plain training alone, which all methods share. Nothing else was tuned.
"""

from pathlib import Path

from mixup_lib.experiments import cifar10, cifar10_methods
from mixup_lib.experiments.runner import Experiment, described

SHARED = (
    "data",
    "schedule",
    "epochs",
    "batch_size",
    "augment",
    "device",
    "precision",
    "validate_every",
)

CONFIG = {name: cifar10_methods.CONFIG[name] for name in SHARED} | {
    "model": {"name": "TinyViT", "patch": 8, "width": 48, "depth": 4, "heads": 4},
    "optimizer": {"name": "AdamW", "lr": 5e-4, "weight_decay": 0.05},
    "choices": {
        "method": "plain",
        "measure": "validation accuracy after 30 epochs, seed 1000",
        "lr, validation accuracy": [[5e-4, 0.344], [1e-3, 0.337], [2e-3, 0.335]],
        "others": "all methods share the learning rate; nothing else was tuned",
    },
}

METHODS = {name: cifar10_methods.METHODS[name] for name in ("plain", "mixup-1", "classical")}


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    splits = cifar10.load(config, seed)
    return cifar10.measure(config, splits, seed, checkpoint, **METHODS[method])


EXPERIMENT = Experiment(
    name="cifar10-vit",
    title="CIFAR-10 with 2,000 labels, small vision transformer: mixup and classical augmentation",
    config=CONFIG,
    methods=described(METHODS),
    seeds=(0, 1, 2, 3, 4),
    measure=measure,
)
