"""CIFAR-10: when does mixup help? Training length, number of labels and width, plain and mixup.

Written before the runs. The idea to be tested: mixup is a regulariser, so it helps a network that
fits its training data and costs one that does not. A *cell* is one network, length and number of
labels; in it, plain training and mixup at an alpha of 1 share seeds, and a seed varies the draw of
the data, the initial weights, their order and the augmentation. Measure: the gain, plain test error
minus mixup's, in percentage points, paired by seed. Beside it stands the plain network's error on
its own training data, not augmented and not mixed, at the end of training.

Expected, and what would contradict it:

1. *Length* (``cifar10-when``, eight seeds). The gain at 240 epochs minus the gain at 15, paired by
   seed, exceeds 2 points: the whole interval lies above 2. Contradicted if it lies below.
2. *Sign.* In every cell of the three experiments whose plain network has a mean training error
   below 5 %, the mean gain is above 0; in every cell above 20 %, it is below 0. Between the two
   nothing is expected. Each cell on the wrong side is a failure of the rule and is shown as one.
3. *Labels* (``cifar10-when-labels``, five seeds). At an equal number of steps, the gain falls as
   labels grow from 1,000 to 16,000, since the plain network fits fewer of them.
4. *Width* (``cifar10-when-width``, five seeds). At 60 epochs, the gain grows with the width.

The smallest gain that matters is 3 % of the plain network's error: published gains on CIFAR-10 are
10 to 23 % of it.

Nothing was tuned: rate, batch, decay and augmentation are those of the other experiments on
CIFAR-10, alpha is the paper's. A pilot on the validation data of seed 1000 only looked whether the
network can fit its data: after 120 epochs of plain training it errs on 3.8 % of them, and mixup
gained 1.6 points. Test data are read once, at the end of a run.

For the widths five seeds were planned. After them the interval at a width of 32 all but touched 0,
and seeds 5 to 9 were added at both. Whoever looks before deciding to go on finds effects too often,
so the further seeds are also to be shown by themselves.
"""

from functools import partial
from pathlib import Path

from mixup_lib.experiments import cifar10
from mixup_lib.experiments.runner import Experiment, described
from mixup_lib.mixing.draw import draw_mixup

CONFIG = {
    "data": {
        "name": "cifar10",
        "train": 4000,
        "validation": 2000,
        "test": 10000,
        "split": "class-stratified draw by the seed from the 50,000 training images",
        "standardised": "per channel, with mean and deviation of the training part",
    },
    "model": {"name": "ResNet", "depth": 8, "width": 16, "stem_stride": 2},
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
    "validate_every": 15,
    "choices": "none: nothing was tuned",
}

MIXINGS = {"plain": {}, "mixup": {"mixing": partial(draw_mixup, alpha=1.0)}}


def cells(**changes: dict) -> dict[str, dict]:
    """Both trainings for each change, named after the method and the change."""
    return {
        f"{method}-{name.replace('_', '-')}": change | mixing
        for name, change in changes.items()
        for method, mixing in MIXINGS.items()
    }


LENGTHS = cells(**{f"{epochs}_epochs": {"epochs": epochs} for epochs in (15, 60, 240)})
# 240,000 pictures are seen each time, as with 4,000 labels in 60 epochs.
LABELS = cells(
    **{
        f"{labels}_labels": {"labels": labels, "epochs": 240_000 // labels}
        for labels in (1000, 16_000)
    }
)
WIDTHS = cells(**{f"width_{width}": {"model": {"width": width}} for width in (8, 32)})
METHODS = LENGTHS | LABELS | WIDTHS


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    own = dict(METHODS[method])
    config["data"]["train"] = own.pop("labels", config["data"]["train"])
    splits = cifar10.load(config, seed)
    return cifar10.measure(config, splits, seed, checkpoint, **own)


def _experiment(name: str, title: str, methods: dict[str, dict], seeds: int) -> Experiment:
    return Experiment(
        name=name,
        title=title,
        config=CONFIG,
        methods=described(methods),
        seeds=tuple(range(seeds)),
        measure=measure,
    )


EXPERIMENTS = (
    _experiment(
        "cifar10-when",
        "When does mixup help? 15, 60 and 240 epochs, plain and mixup",
        LENGTHS,
        seeds=8,
    ),
    _experiment(
        "cifar10-when-labels", "When does mixup help? 1,000 and 16,000 labels", LABELS, seeds=5
    ),
    _experiment(
        "cifar10-when-width", "When does mixup help? Networks of width 8 and 32", WIDTHS, seeds=10
    ),
)
