"""CIFAR-10 with wrong labels: mixup beside rivals that were tuned as hard as it was.

Written before the runs. Network, data and length are those of ``cifar10-noisy-labels``, in which
plain training learns nearly every wrong label by heart and neither dropout nor alpha was tuned.
Here every method has three tries: three rates for plain training, three alphas for mixup, three
shares for dropout, and three for *trimming*, which leaves the largest losses of each batch out (an
iterated form is Shen and Sanghavi, "Learning with Bad Training Data via Iterative Trimmed Loss
Minimization", ICML 2019). All training is stopped in time: the epoch with the highest validation
accuracy is kept, the earliest of equals, so early stopping is in every row and plain training is
early stopping alone. Measure: test error at that epoch, in percentage points, paired by seed, which
varies the draw of the data and of the wrong labels, the initial weights and every draw.

Expected, and what would contradict it:

1. Mixup lowers the error of early stopping at both shares: the whole interval of the gain lies
   above 0. Contradicted for a share if it lies below.
2. Dropout that was tuned lowers it about as much: the interval of dropout's error minus mixup's
   holds 0. Contradicted for a share if it does not.
3. The best alpha is larger at the larger share, as in the paper. Contradicted if it is smaller.
4. Mixup with dropout does better than either alone: contradicted for a share if one of them is
   better beyond doubt.

The smallest gain that matters is 3 % of the plain network's error, as in ``cifar10-noisy-labels``.

Settings are chosen in ``cifar10-noisy-rivals-choice``, for each share by itself: of the three tries
the one with the highest validation accuracy, of 5,000 validation images with right labels, on the
draw of seed 1000, which is not recorded here. Mixup with dropout takes what the two have chosen
alone. Test data are read once, at the end of a run.
"""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from mixup_lib.experiments import cifar10, cifar10_noisy_labels
from mixup_lib.experiments.cifar10_noisy_labels import mislabelled
from mixup_lib.experiments.runner import Experiment, described, of_parts, of_training
from mixup_lib.mixing.draw import draw_mixup

SHARES = (0.2, 0.5)
CONFIG = cifar10_noisy_labels.CONFIG | {
    "keep": "best",
    "choices": "see cifar10-noisy-rivals-choice",
}


def trimmed(logits: Tensor, y: Tensor, share: float) -> Tensor:
    """Cross-entropy of each example, but 0 for the ``share`` of the batch with the largest.

    Args:
        logits: ``(B, C)``.
        y: class ids ``(B,)``.
        share: in [0, 1).

    Returns:
        ``(B,)``; what is left is divided by 1 - share, so that the mean is that of what is left.
    """
    losses = F.cross_entropy(logits, y, reduction="none")
    left = losses.argsort()[: len(losses) - round(share * len(losses))]
    kept = torch.zeros_like(losses).index_fill(0, left, 1.0)
    return losses * kept / kept.mean()


# How a method is made from its strength, and the strengths to choose from.
STRENGTHS = {
    "plain": (lambda lr: {"optimizer": {"lr": lr}}, (0.05, 0.1, 0.2)),
    "mixup": (lambda alpha: {"mixing": partial(draw_mixup, alpha=alpha)}, (1.0, 8.0, 32.0)),
    "dropout": (lambda share: {"model": {"dropout": share}}, (0.3, 0.5, 0.7)),
    "trimmed": (lambda share: {"loss": partial(trimmed, share=share)}, (0.2, 0.4, 0.6)),
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
    return {
        "metrics": of_parts(model, parts),
        "best_epoch": 1 + validated.index(max(validated)),
        "data_checksum": splits.checksum,
    } | of_training(model, history)


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
