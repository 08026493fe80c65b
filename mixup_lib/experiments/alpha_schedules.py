"""CIFAR-10 with 1,000 labels: alpha that changes while the model learns, against a fixed alpha.

Written before the runs. Claim C27 (strong mixing early, weak mixing late) and claim C28 (alpha
adapted to the state of the model) are judged by the test error of the best fixed alpha minus that
of the method, in points, paired by seed, which varies split, initial weights and draws. The best
fixed alpha is the one of the grid, 0 included, with the lowest mean validation error. The smallest
effect that matters is half a point. A claim is refuted if the whole interval lies below it,
supported if it lies above, inconclusive otherwise.

All methods have the same epochs. The learning rate was chosen for plain training, on validation
data of a seed that is not recorded. Grid, schedules and the adaptive rule's settings were written
down once and not tuned. Test data are read once, at the end of a run.
"""

from functools import partial
from pathlib import Path

from mixup_lib.adaptive import adaptive_alpha, draw_adaptive
from mixup_lib.augment import flip
from mixup_lib.draw import draw_mixup
from mixup_lib.evaluation import evaluate
from mixup_lib.experiments import cifar10
from mixup_lib.experiments.runner import Experiment, described, of_training, rounded
from mixup_lib.schedules import cosine, draw_scheduled, large_then_small, linear, off_late

CONFIG = {
    "data": {
        "name": "cifar10",
        "train": 1000,
        "validation": 1000,
        "test": 10000,
        "split": "class-stratified draw by the seed from the 50,000 training images",
        "standardised": "per channel, with mean and deviation of the training part",
    },
    "model": {"name": "ResNet", "depth": 8, "width": 12, "stem_stride": 2},
    "optimizer": {
        "name": "SGD", "lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 5e-4,
    },
    "schedule": "cosine",
    "epochs": 30,
    "batch_size": 50,
    "augment": "flip",
    "device": "cpu",
    "precision": "32-true",
    "validate_every": 1,
}


def scheduled(schedule, **settings):
    """A mixing of fit at a schedule's alpha."""
    return partial(draw_scheduled, schedule=partial(schedule, **settings))


MIXINGS = {
    "plain": None,
    "mixup-0.2": partial(draw_mixup, alpha=0.2),
    "mixup-1": partial(draw_mixup, alpha=1.0),
    "mixup-4": partial(draw_mixup, alpha=4.0),
    "linear": scheduled(linear, start=2.0, end=0.0),
    "cosine": scheduled(cosine, start=2.0, end=0.0),
    "off-late": scheduled(off_late, alpha=1.0, share=0.2),
    "large-then-small": scheduled(large_then_small, large=2.0, small=0.2),
    "small-then-large": scheduled(large_then_small, large=0.2, small=2.0),
    "adaptive": partial(draw_adaptive, classes=10),
}
FIXED = ("plain", "mixup-0.2", "mixup-1", "mixup-4")


def measure(method: str, seed: int, checkpoint: Path | None) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    splits = cifar10.load(CONFIG, seed)
    model, standardise, history = cifar10.train(
        CONFIG, splits, seed, checkpoint, mixing=MIXINGS[method], augment=flip
    )
    parts = {"test": splits.test, "validation": splits.validation, "train": splits.train}
    measured = {
        "metrics": {
            name: rounded(evaluate(model, standardise.of(part))) for name, part in parts.items()
        },
        "data_checksum": splits.checksum,
    } | of_training(model, history)
    if method == "adaptive":
        epochs = range(len(history))
        alphas = [adaptive_alpha(type(history)(history.rows[:n]), classes=10) for n in epochs]
        measured["history"]["alpha"] = rounded(alphas)
    return measured


EXPERIMENT = Experiment(
    name="cifar10-schedules",
    title="CIFAR-10 with 1,000 labels: fixed, scheduled and adaptive alpha",
    config=CONFIG,
    methods=described({method: {"mixing": mixing} for method, mixing in MIXINGS.items()}),
    seeds=(0, 1, 2, 3, 4),
    measure=measure,
)
