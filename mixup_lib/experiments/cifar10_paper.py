"""CIFAR-10 at the settings of the mixup paper: plain training, mixup, CutMix. Needs a GPU.

Section 3.2 of Zhang et al., "mixup", ICLR 2018: PreAct ResNet-18, all 50,000 training images, 200
epochs, the learning rate divided by ten at epochs 100 and 150, weight decay 1e-4, alpha 1. As in
the paper no validation part is kept back, and two numbers are recorded: the median of the test
errors after the last ten epochs, which the paper reports, and the test error after the last one.
Nothing is chosen by either.

Written before any run. Measure: the median, plain minus mixup, paired by seed, which varies
initial weights and draws. The published gain is 1.3 points (the first author's repository). It is
reproduced if the whole interval lies above half of that, refuted if the whole interval lies below.

What makes it fast and does not change what is computed: the data lie on the device and the model
is channels_last. What changes the last digits: bf16 autocast, with weights, gradients and batch
statistics in float32; the record says so under "precision".
"""

from functools import partial
from pathlib import Path
from statistics import median

from mixup_lib.basics.seeds import initialised
from mixup_lib.experiments.cifar10 import Standardise, load
from mixup_lib.experiments.runner import Experiment, described, of_training, rounded
from mixup_lib.experiments.settings import fit_settings, make_model
from mixup_lib.mixing.draw import draw_cutmix, draw_mixup
from mixup_lib.training.evaluation import evaluate
from mixup_lib.training.fitting import fit

CONFIG = {
    "data": {
        "name": "cifar10",
        "train": 50000,
        "validation": 0,
        "test": 10000,
        "split": "the official one; the test part is read after every epoch, nothing is chosen",
        "standardised": "per channel, with mean and deviation of the training part",
    },
    "model": {"name": "PreActResNet", "blocks": [2, 2, 2, 2], "width": 64},
    "optimizer": {"name": "SGD", "lr": 0.1, "momentum": 0.9, "weight_decay": 1e-4},
    "schedule": "divided by 10 at half and at three quarters of the epochs",
    "epochs": 200,
    "batch_size": 128,
    "augment": "crop by up to 4 pixels, flip",
    "device": "cuda",
    "precision": "bf16-mixed",
    "speed": "data held on the device, model channels_last",
    "last_epochs": 10,
    "choices": "none: the settings are the paper's",
}

METHODS = {
    "plain": {},
    "mixup": {"mixing": partial(draw_mixup, alpha=1.0)},
    "cutmix": {"mixing": partial(draw_cutmix, size=(32, 32), alpha=1.0)},
}


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once; returns the measured part of a record."""
    splits = load(config, seed)
    standardise = Standardise(splits.train.tensors[0])
    test = standardise.of(splits.test)
    model = initialised(partial(make_model, config, classes=len(splits.classes)), seed)
    history = fit(
        model,
        standardise.of(splits.train),
        validation=test,  # no part is kept back: see above
        seed=seed,
        checkpoint=checkpoint,
        **fit_settings(config, **METHODS[method]),
    )
    errors = rounded([1 - share for share in history["validation_accuracy"]])
    trained = of_training(model, history)
    curves = {"train_loss": trained["history"]["train_loss"], "test_error": errors}
    return (
        {
            "metrics": {
                "median": {"error": round(median(errors[-config["last_epochs"] :]), 6)},
                "test": rounded(evaluate(model, test)),
                "train": rounded(evaluate(model, standardise.of(splits.train))),
            },
            "data_checksum": splits.checksum,
        }
        | trained
        | {"history": curves}
    )


EXPERIMENT = Experiment(
    name="cifar10-paper",
    title="CIFAR-10 at the paper's settings, PreAct ResNet-18, 200 epochs; needs a GPU",
    config=CONFIG,
    methods=described(METHODS),
    seeds=(0, 1, 2, 3, 4),
    measure=measure,
)
