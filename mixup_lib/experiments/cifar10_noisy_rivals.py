"""CIFAR-10 with wrong labels: mixup beside rivals that were tuned as hard as it was.

Written before the runs. Network, data and length are those of ``cifar10-noisy-labels``, in which
plain training learns nearly every wrong label by heart and neither dropout nor alpha was tuned.
Here every method has four tries: four rates for plain training, four alphas for mixup, four
shares for dropout, and four exponents for the generalised cross-entropy, a loss that was made for
wrong labels (Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks
with Noisy Labels", NeurIPS 2018). All training is stopped in time: the epoch with the highest
validation accuracy is kept, the earliest of equals, so early stopping is in every row and plain
training is early stopping alone. Measure: test error at that epoch, in percentage points, paired by
seed, which varies the draw of the data and of the wrong labels, the initial weights and every draw.

Expected, and what would contradict it:

1. Mixup lowers the error of early stopping at both shares: the whole interval of the gain lies
   above 0. Contradicted for a share if it lies below.
2. Dropout that was tuned lowers it about as much: the interval of dropout's error minus mixup's
   holds 0. Contradicted for a share if it does not.
3. The best alpha is larger at the larger share, as in the paper. Contradicted if it is smaller.
4. Mixup with dropout does better than either alone: contradicted for a share if one of them is
   better beyond doubt.

The smallest gain that matters is 3 % of the plain network's error, as in ``cifar10-noisy-labels``.

Settings are chosen in ``cifar10-noisy-rivals-choice``, for each share by itself: of the four tries
the one with the highest validation accuracy, of 5,000 validation images with right labels, on the
draw of seed 1000, which is not recorded here. Mixup with dropout takes what the two have chosen
alone. Three tries were planned; three methods were best at an end of theirs for one share, so each
got a fourth. Of mixup, and of plain training at the smaller share, that was the best once more, and
there the search ended. In the place of the generalised cross-entropy, leaving out the largest
losses of each batch was written down first. Before any of its runs a trial on the small digits
showed that it harms from the first step on, since the losses of an untrained network say nothing
about labels; it would have been a straw man.

Test data are read once, at the end of a run.
"""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from mixup_lib.experiments import cifar10, cifar10_noisy_labels
from mixup_lib.experiments.cifar10_noisy_labels import mislabelled
from mixup_lib.experiments.runner import Experiment, described, of_parts_and_examples, of_training
from mixup_lib.mixing.draw import draw_mixup

SHARES = (0.2, 0.5)
CONFIG = cifar10_noisy_labels.CONFIG | {
    "keep": "best",
    "choices": "see cifar10-noisy-rivals-choice",
}


def generalised(logits: Tensor, y: Tensor, q: float) -> Tensor:
    """Generalised cross-entropy of each example: between cross-entropy and the mean absolute error.

    With p the probability of the label, ``(1 - p**q) / q``: as q goes to 0 it becomes ``-log p``;
    at 1 it is ``1 - p``, which a label that looks wrong can pull at but little.

    Args:
        logits: ``(B, C)``.
        y: class ids ``(B,)``.
        q: in (0, 1].

    Returns:
        ``(B,)``.

    Source:
        Zhang and Sabuncu, NeurIPS 2018: their loss L_q.
    """
    return -torch.expm1(-q * F.cross_entropy(logits, y, reduction="none")) / q


# How a method is made from its strength, and the strengths to choose from.
STRENGTHS = {
    "plain": (lambda lr: {"optimizer": {"lr": lr}}, (0.05, 0.1, 0.2, 0.4)),
    "mixup": (lambda alpha: {"mixing": partial(draw_mixup, alpha=alpha)}, (1.0, 8.0, 32.0, 128.0)),
    "dropout": (lambda share: {"model": {"dropout": share}}, (0.3, 0.5, 0.6, 0.7)),
    "generalised": (lambda q: {"loss": partial(generalised, q=q)}, (0.3, 0.5, 0.7, 0.9)),
}
TRIES = {
    f"{name}-{strength:g}-{share}": {"share": share} | make(strength)
    for share in SHARES
    for name, (make, strengths) in STRENGTHS.items()
    for strength in strengths
}


def _measure(config: dict, own: dict, seed: int, checkpoint: Path, *judged: str) -> dict:
    own = dict(own)
    splits = mislabelled(cifar10.load(config, seed), own.pop("share"), seed)
    model, standardise, history = cifar10.train(config, splits, seed, checkpoint, **own)
    validated = history["validation_accuracy"]
    parts = {name: standardise.of(part) for name, part in splits.parts(*judged).items()}
    return (
        of_parts_and_examples(model, parts)
        | {
            "best_epoch": 1 + validated.index(max(validated)),
            "data_checksum": splits.checksum,
        }
        | of_training(model, history)
    )


def measure_choice(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the validation and training data, never the test data."""
    return _measure(config, TRIES[method], seed, checkpoint, "validation", "train")


CHOICE = Experiment(
    name="cifar10-noisy-rivals-choice",
    title="CIFAR-10 with wrong labels: strengths of mixup and its rivals, by validation",
    config=CONFIG
    | {
        "data": CONFIG["data"] | {"validation": 5000},
        "choices": "made from these runs",
    },
    methods=described(TRIES),
    seeds=(1000,),
    measure=measure_choice,
)

# The strength of each method with the highest validation accuracy in the choice, for each share.
CHOSEN = {
    ("plain", 0.2): 0.4,
    ("plain", 0.5): 0.2,
    ("mixup", 0.2): 128.0,
    ("mixup", 0.5): 128.0,
    ("dropout", 0.2): 0.5,
    ("dropout", 0.5): 0.5,
    ("generalised", 0.2): 0.7,
    ("generalised", 0.5): 0.7,
}


def _own(name: str, share: float) -> dict:
    return STRENGTHS[name][0](CHOSEN[name, share])


METHODS = {
    f"{name}-{share}": {"share": share}
    | {key: value for part in name.split("-") for key, value in _own(part, share).items()}
    for share in SHARES
    for name in (*STRENGTHS, "mixup-dropout")
}


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once, at the best epoch."""
    return _measure(config, METHODS[method], seed, checkpoint)


EXPERIMENT = Experiment(
    name="cifar10-noisy-rivals",
    title="CIFAR-10 with wrong labels: mixup beside rivals that were tuned as hard",
    config=CONFIG,
    methods=described(METHODS),
    seeds=tuple(range(10)),
    measure=measure,
)
