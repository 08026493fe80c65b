"""CIFAR-10 with 2,000 labels: mixup beside its rivals, where the network fits its training data.

Written before the runs. Every method trains the network of ``cifar10-when`` on crops and flips of
the same 2,000 pictures, long enough that plain training errs on less than 5 % of them. So mixup has
something to give, and so have its rivals: label smoothing, weight decay, dropout, Cutout, CutMix,
and torchvision's own TrivialAugment. Measure: test error, plain minus method, in percentage points,
paired by seed, which varies the draw of the data, the initial weights, their order and every draw;
beside it NLL and ECE before and after temperature scaling, the error on corrupted pictures and
under attack, and the error on the network's own training data, not augmented and not mixed.

Expected, and what would contradict it:

1. Mixup lowers the test error: the whole interval of the gain lies above 0. Contradicted if it lies
   below.
2. CutMix and TrivialAugment lower it more than mixup does. Contradicted for one of them if the
   interval of mixup's error minus its error lies below 0.
3. Label smoothing, dropout and weight decay lower it less. Contradicted for one of them if the
   interval of its gain minus mixup's lies above 0.
4. On top of TrivialAugment, mixup gains less than it does alone: with more augmentation the network
   fits less. Contradicted if it gains more, interval above 0.
5. Of all methods, label smoothing and mixup lower the NLL of plain training before scaling; after
   scaling mixup's advantage is smaller than before.

The smallest gain that matters is 3 % of the plain network's error, as in ``cifar10-when``.

Settings are chosen in ``cifar10-rivals-choice``: each method has four tries on the draw of seed
1000, which is not recorded here, plain training included: four rates for plain training, four
strengths for each other method at a rate of 0.1. The lowest validation error is taken, of equals
the lowest NLL; the test data are not read. (Three tries were planned. The strongest was the best of
plain training, mixup, smoothing and weight decay alike, so each method got a stronger one. Of plain
training and mixup it was the best once more, and there the search ended: these two may reach a
lower error than is shown here. Of dropout the weakest was the best, which is nearly none.)
TrivialAugment has nothing to be chosen, and a combination takes what its parts have chosen alone.
Test data are read once, at the end of a run.

Five seeds were planned. After them the interval of mixup's gain just touched 0, and seeds 5 to 9 of
plain training and mixup were added. Whoever looks before deciding to go on finds effects too often,
so the five further seeds are also shown by themselves, where nothing was looked at before. The same
holds of TrivialAugment, alone and with mixup: after five seeds their difference just left 0, and
seeds 5 to 9 of both were added.

Last, mixup alone at alphas from 0.05 to 16, five seeds each, to show the whole curve and not to
choose from it. Written before those runs: an alpha of 0.05 gains less than one of 1, since it
hardly mixes, and one of 16 gains less than one of 1, since the network then fits less. Contradicted
for one of them if the whole interval of its error minus that of alpha 1 lies below 0.
"""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset
from torchvision.transforms import v2

from mixup_lib.basics.seeds import generator_for
from mixup_lib.evidence.outcomes import packed
from mixup_lib.experiments import cifar10, cifar10_when
from mixup_lib.experiments.runner import Experiment, described, of_parts, of_training, rounded
from mixup_lib.measures.attacks import fgsm, pgd
from mixup_lib.measures.calibration import fit_temperature, reliability
from mixup_lib.measures.corruptions import CORRUPTIONS, corrupt
from mixup_lib.mixing.draw import draw_cutmix, draw_dirichlet, draw_mixup
from mixup_lib.mixing.hidden import manifold
from mixup_lib.mixing.mix import Mix
from mixup_lib.training.augment import chain, crop, flip, per_image
from mixup_lib.training.evaluation import classified, evaluate, predict

CONFIG = cifar10_when.CONFIG | {
    "data": cifar10_when.CONFIG["data"] | {"train": 2000},
    "epochs": 160,
    "validate_every": 40,
    "choices": "see cifar10-rivals-choice",
    "judged": {
        "attacks": "of the methods in ATTACKED, L-infinity on the first 2,000 test images; pgd: 10 "
        "steps, one random start",
        "epsilon": "1/255 and 4/255 of the range of a pixel",
        "corruptions": "severity 3, on the first 2,000 test images",
        "scaled": "temperature fitted on the validation part",
    },
}


class OnPixels:
    """An augmentation of pixels in [0, 1], for images that are standardised.

    The mean and deviation are those of all of CIFAR-10's training images, near those of each draw;
    they go back and forth by the same numbers, so that what is not changed stays as it was.
    """

    mean = torch.tensor([0.4914, 0.4822, 0.4465]).view(3, 1, 1)
    deviation = torch.tensor([0.2470, 0.2435, 0.2616]).view(3, 1, 1)

    def __init__(self, transform: nn.Module):
        self.transform = transform

    def __call__(self, x: Tensor) -> Tensor:
        pixels = (x * self.deviation + self.mean).clamp(0, 1)
        return (self.transform(pixels) - self.mean) / self.deviation


trivial = chain(crop, flip, per_image(OnPixels(v2.TrivialAugmentWide())))


def cutout(share: float):
    """Crops, flips, and a square of this share of the area set to the mean."""
    erase = v2.RandomErasing(1.0, scale=(share, share), ratio=(1, 1))
    return chain(crop, flip, per_image(erase))


def smoothing(share: float):
    """Cross-entropy with smoothed labels."""
    return partial(F.cross_entropy, reduction="none", label_smoothing=share)


def draw_switching(batch_size: int, generator: torch.Generator | None = None) -> Mix:
    """Mixup at 0.8 or CutMix at 1, each for half of the batches, as timm's recipes do."""
    if torch.rand((), generator=generator) < 0.5:
        return draw_mixup(batch_size, alpha=0.8, generator=generator)
    return draw_cutmix(batch_size, size=(32, 32), alpha=1.0, generator=generator)


# How a method is made from its strength, and the strengths to choose from.
STRENGTHS = {
    "plain": (lambda lr: {"optimizer": {"lr": lr}}, (0.05, 0.1, 0.2, 0.4)),
    "mixup": (lambda a: {"mixing": partial(draw_mixup, alpha=a)}, (0.2, 0.5, 1.0, 2.0)),
    "smoothing": (lambda share: {"loss": smoothing(share)}, (0.05, 0.1, 0.2, 0.4)),
    "decay": (lambda w: {"optimizer": {"weight_decay": w}}, (1e-3, 2e-3, 4e-3, 8e-3)),
    "dropout": (lambda share: {"model": {"dropout": share}}, (0.1, 0.2, 0.3, 0.5)),
    "cutmix": (
        lambda a: {"mixing": partial(draw_cutmix, size=(32, 32), alpha=a)},
        (0.2, 0.5, 1.0, 2.0),
    ),
    "cutout": (lambda share: {"augment": cutout(share)}, (0.0625, 0.125, 0.25, 0.5)),
}
TRIES = {
    f"{name}-{strength:g}": make(strength)
    for name, (make, strengths) in STRENGTHS.items()
    for strength in strengths
}


def measure_choice(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the validation and training data, never the test data."""
    splits = cifar10.load(config, seed)
    model, standardise, history = cifar10.train(config, splits, seed, checkpoint, **TRIES[method])
    parts = splits.parts("validation", "train")
    return {
        "metrics": of_parts(model, {name: standardise.of(part) for name, part in parts.items()}),
        "data_checksum": splits.checksum,
    } | of_training(model, history)


CHOICE = Experiment(
    name="cifar10-rivals-choice",
    title="CIFAR-10 with 2,000 labels: strengths of mixup and its rivals, by validation",
    config={name: entry for name, entry in CONFIG.items() if name != "judged"}
    | {"choices": "made from these runs"},
    methods=described(TRIES),
    seeds=(1000,),
    measure=measure_choice,
)

# The strength of each method with the lowest validation error in ``cifar10-rivals-choice``.
CHOSEN = {
    "plain": 0.4,
    "mixup": 2.0,
    "smoothing": 0.2,
    "decay": 4e-3,
    "dropout": 0.1,
    "cutmix": 0.5,
    "cutout": 0.125,
}
_OWN = {name: STRENGTHS[name][0](strength) for name, strength in CHOSEN.items()}
METHODS = {
    "plain": _OWN["plain"],
    "mixup": _OWN["mixup"],
    "smoothing": _OWN["smoothing"],
    "decay": _OWN["decay"],
    "dropout": _OWN["dropout"],
    "cutmix": _OWN["cutmix"],
    "cutout": _OWN["cutout"],
    "mixup-decay": _OWN["mixup"] | _OWN["decay"],
    "trivial": {"augment": trivial},
    "trivial-mixup": {"augment": trivial} | _OWN["mixup"],
    "mixup-cutmix": {"mixing": draw_switching},
    "three": {"mixing": partial(draw_dirichlet, k=3, alpha=CHOSEN["mixup"])},
    "manifold": _OWN["mixup"]
    | {"forward": partial(manifold, places=("input", "blocks.0", "blocks.1"))},
    **{
        f"mixup-{alpha:g}": {"mixing": partial(draw_mixup, alpha=alpha)}
        for alpha in (0.05, 0.2, 1.0, 4.0, 16.0)
    },
}

ATTACKED = ("plain", "mixup", "smoothing", "decay", "mixup-decay")


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    splits = cifar10.load(config, seed)
    model, standardise, history = cifar10.train(config, splits, seed, checkpoint, **METHODS[method])
    record = judged(model, standardise, splits, seed, attack=method in ATTACKED)
    return record | of_training(model, history)


def judged(
    model: nn.Module, standardise: cifar10.Standardise, splits, seed: int, attack: bool = True
) -> dict:
    """Everything that is measured of a trained model; see ``CONFIG["judged"]``."""
    logits, y = predict(model, standardise.of(splits.test))
    temperature = fit_temperature(*predict(model, standardise.of(splits.validation)))
    scaled = classified(logits / temperature, y)
    of_pixels = nn.Sequential(standardise, model)
    generator = generator_for(seed, "judged")
    x, first = splits.test.tensors[0][:2000], y[:2000]
    parts = {
        "test": classified(logits, y),
        "validation": evaluate(model, standardise.of(splits.validation)),
        "train": evaluate(model, standardise.of(splits.train)),
        "scaled": {name: scaled[name] for name in ("error", "nll", "ece")}
        | {"temperature": temperature},
        "corrupted": corrupted(of_pixels, x, first, generator),
    }
    if attack:
        parts |= attacked(of_pixels, x, first, generator)
    return {
        "metrics": {name: rounded(part) for name, part in parts.items()},
        "outcomes": {"test": packed((logits.argmax(1) != y).numpy())},
        "reliability": {"test": bins(logits, y), "scaled": bins(logits / temperature, y)},
        "data_checksum": splits.checksum,
    }


def bins(logits: Tensor, y: Tensor) -> dict[str, list[float]]:
    """The reliability diagram's numbers; an empty bin has confidence and accuracy 0."""
    found = reliability(logits, y)
    columns = {"confidence": found.confidence, "accuracy": found.accuracy, "share": found.share}
    empty = [share == 0 for share in found.share]
    return {
        name: rounded([0.0 if none else value for value, none in zip(column, empty, strict=True)])
        for name, column in columns.items()
    }


def corrupted(
    of_pixels: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator
) -> dict[str, float]:
    """Error under each corruption, and the mean over them."""
    errors = {
        name: evaluate(of_pixels, TensorDataset(corrupt(x, name, 3, generator), y))["error"]
        for name in CORRUPTIONS
    }
    return (
        {"clean": evaluate(of_pixels, TensorDataset(x, y))["error"]}
        | errors
        | {"mean": sum(errors.values()) / len(errors)}
    )


def attacked(
    of_pixels: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator
) -> dict[str, dict[str, float]]:
    """Error under one step and under several, at each epsilon."""
    errors: dict[str, dict[str, float]] = {"fgsm": {}, "pgd": {}}
    for attack in errors.values():
        attack["clean"] = evaluate(of_pixels, TensorDataset(x, y))["error"]
    for step in (1, 4):
        one = fgsm(of_pixels, x, y, step / 255)
        several = pgd(of_pixels, x, y, step / 255, steps=10, generator=generator)
        for name, images in (("fgsm", one), ("pgd", several)):
            found = evaluate(of_pixels, TensorDataset(images, y))
            errors[name][f"error-{step}"] = found["error"]
    return errors


EXPERIMENT = Experiment(
    name="cifar10-rivals",
    title="CIFAR-10 with 2,000 labels that are fitted: mixup beside its rivals",
    config=CONFIG,
    methods=described(METHODS),
    seeds=tuple(range(10)),
    measure=measure,
)
