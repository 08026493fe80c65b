"""CIFAR-10 with two classes left out: does confidence tell what was never taught?

Written before the runs. A network learns eight of the ten classes, from 2,000 pictures, and is then
shown test images of all ten. It can't name the two that were left out; it can be less sure of them.
Measure: the AUROC of the largest probability, test images of the eight classes against those of
the two, method minus plain training, paired by seed. The seed chooses the two classes, so that five
seeds leave each class out once; it also draws the data, the weights, their order and every draw.
Network, augmentation and length are those of ``cifar10-rivals``, where plain training fits its
data; its training error, neither augmented nor mixed, is recorded.

Expected, and what would contradict it:

1. Mixup tells known from foreign images better: it lowers the test error of such a network, and a
   network that errs less orders its confidences better. Contradicted if the whole interval lies
   below 0.
2. Label smoothing does so less than mixup does. Contradicted if the interval of mixup minus
   smoothing lies below 0.
3. On foreign images the mean confidence falls with both. This alone says nothing of telling apart.

The smallest difference that matters is 0.02 of AUROC, the bar that chapter 9 set for it.

Nothing was tuned: alpha is the paper's 1, smoothing the usual 0.1, the rate that of
``cifar10-when``. Test data are read once, at the end of a run.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from sklearn.metrics import roc_auc_score
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from mixup_lib.experiments import cifar10, cifar10_when
from mixup_lib.experiments.runner import Experiment, described, of_training, rounded
from mixup_lib.mixing.draw import draw_mixup
from mixup_lib.training.evaluation import classified, evaluate, predict

CONFIG = cifar10_when.CONFIG | {
    "data": cifar10_when.CONFIG["data"]
    | {
        "train": 2500,
        "left out": "classes 2s and 2s + 1 for seed s, from every part but the foreign images",
    },
    "epochs": 160,
    "validate_every": 40,
}

METHODS = {
    "plain": {},
    "mixup": {"mixing": partial(draw_mixup, alpha=1.0)},
    "smoothing": {"loss": partial(F.cross_entropy, reduction="none", label_smoothing=0.1)},
}


def parted(data: TensorDataset, left_out: torch.Tensor) -> tuple[TensorDataset, torch.Tensor]:
    """The examples of all other classes, numbered anew from 0, and the images of those left out."""
    x, y = data.tensors
    foreign = torch.isin(y, left_out)
    known = y[~foreign]
    below = (known[:, None] > left_out).sum(1)
    return TensorDataset(x[~foreign], known - below), x[foreign]


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    whole = cifar10.load(config, seed)
    left_out = torch.tensor([2 * seed, 2 * seed + 1])
    parts = {
        name: parted(getattr(whole, name), left_out) for name in ("train", "validation", "test")
    }
    names = tuple(name for i, name in enumerate(whole.classes) if i not in left_out.tolist())
    splits = replace(whole, classes=names, **{name: known for name, (known, _) in parts.items()})
    model, standardise, history = cifar10.train(config, splits, seed, checkpoint, **METHODS[method])

    logits, y = predict(model, standardise.of(splits.test))
    known = logits.softmax(1).amax(1)
    images = parts["test"][1]
    strange, _ = predict(model, standardise.of(TensorDataset(images, torch.zeros(len(images)))))
    foreign = strange.softmax(1).amax(1)
    truth = [1] * len(known) + [0] * len(foreign)
    measured = {
        "test": classified(logits, y),
        "validation": evaluate(model, standardise.of(splits.validation)),
        "train": evaluate(model, standardise.of(splits.train)),
        "foreign": {
            "auroc": roc_auc_score(truth, torch.cat([known, foreign])),
            "confidence-test": known.mean().item(),
            "confidence-foreign": foreign.mean().item(),
        },
    }
    return {
        "metrics": {name: rounded(part) for name, part in measured.items()},
        "left_out": [whole.classes[i] for i in left_out.tolist()],
        "data_checksum": splits.checksum,
    } | of_training(model, history)


EXPERIMENT = Experiment(
    name="cifar10-foreign",
    title="CIFAR-10 with two classes left out: confidence on what was never taught",
    config=CONFIG,
    methods=described(METHODS),
    seeds=(0, 1, 2, 3, 4),
    measure=measure,
)
