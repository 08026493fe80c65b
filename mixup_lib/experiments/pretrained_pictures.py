"""CIFAR-10 with 500 labels and a pretrained network: does mixup help where fine-tuning starts?

Written before the runs. EfficientNet-Lite0, pretrained on ImageNet, is fine-tuned as a whole on 500
of CIFAR-10's pictures, enlarged, mirrored at random: plainly, with mixup of the pixels, and with
label smoothing, mixup's rival that costs nothing. A seed varies the draw of the data, the new last
layer, the order and the draws; it pairs the methods. Measures: test error and test NLL, plain minus
method, and the plain network's error on its own training data, not augmented and not mixed.

Expected, and what would contradict it:

1. The network fits 500 pictures (training error below 5 %), so by the rule of ``cifar10-when``
   mixup has something to give: it lowers the test error. Contradicted if the whole interval of the
   gain lies below 0.
2. It also lowers the test NLL. Contradicted in the same way.
3. Label smoothing gains as much: mixup minus label smoothing has an interval that holds 0, in error
   and in NLL. Contradicted for a measure if it does not.
4. A small alpha suffices: the alpha that validation chooses is not the largest. Contradicted if it
   is.

The smallest gain that matters is 3 % of the plain network's error, as in ``cifar10-when``.

Length, batch and decay are usual ones and the same for all. Every method has three tries, plain
training included: three rates for plain training, three strengths for each other method at the
middle rate. Each try is a run of its own, for every seed; what counts of a method is the try with
the lowest mean validation NLL over the seeds, whatever the test data say. The weights are those
after the last epoch. A pilot of plain training on the validation data of seed 1000 only looked
whether the network fits: its training error was 0. Test data are read once, at the end of a run.
"""

from functools import partial
from pathlib import Path

from torch.nn import functional as F

from mixup_lib.basics.seeds import initialised
from mixup_lib.experiments import cifar10
from mixup_lib.experiments.runner import Experiment, described, of_parts, of_training
from mixup_lib.experiments.settings import fit_settings, make_model
from mixup_lib.mixing.draw import draw_mixup
from mixup_lib.training.fitting import fit

CONFIG = {
    "data": {
        "name": "cifar10",
        "train": 500,
        "validation": 1000,
        "test": 10000,
        "split": "class-stratified draw by the seed from the 50,000 training images",
    },
    "model": {
        "name": "PretrainedNet",
        "architecture": "tf_efficientnet_lite0",
        "side": 64,
        "weights": "efficientnet-lite0",
    },
    "optimizer": {"name": "AdamW", "lr": 1e-3, "weight_decay": 0.01},
    "schedule": "cosine",
    "epochs": 12,
    "batch_size": 32,
    "augment": "flip",
    "device": "cpu",
    "precision": "32-true",
    "validate_every": 12,
    "choices": "by validation NLL among the recorded tries, three a method",
}

METHODS = (
    {f"plain-{lr:.4f}": {"optimizer": {"lr": lr}} for lr in (1e-3, 5e-4, 2e-3)}
    | {f"mixup-{a:g}": {"mixing": partial(draw_mixup, alpha=a)} for a in (0.4, 1.0, 0.1)}
    | {
        f"smoothing-{share:g}": {
            "loss": partial(F.cross_entropy, reduction="none", label_smoothing=share)
        }
        for share in (0.1, 0.2, 0.05)
    }
)


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    splits = cifar10.load(config, seed)
    model = initialised(partial(make_model, config, classes=len(splits.classes)), seed)
    history = fit(
        model,
        splits.train,
        validation=splits.validation,
        seed=seed,
        checkpoint=checkpoint,
        **fit_settings(config, **METHODS[method]),
    )
    return {
        "metrics": of_parts(model, splits.parts()),
        "data_checksum": splits.checksum,
    } | of_training(model, history)


EXPERIMENT = Experiment(
    name="cifar10-pretrained",
    title="CIFAR-10, 500 labels, pretrained EfficientNet-Lite0: mixup and label smoothing",
    config=CONFIG,
    methods=described(METHODS),
    seeds=tuple(range(5)),
    measure=measure,
)
