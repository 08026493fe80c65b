"""CIFAR-10 with 2,000 labels: mixup, its relatives and classical augmentation, judged many ways.

Each run trains once and is then measured on clean, corrupted, attacked and foreign images, before
and after temperature scaling. One experiment serves chapters 8 to 11.

Chosen before the run, for plain training, on validation data of a seed that is not among the
recorded ones: the learning rate, which all methods share; and, for the methods named after weight
decay, learning rate and decay together. Every other setting is a common default and was not
tuned. No method sees another augmentation than its own, so that its own effect shows.
"""

from functools import partial
from pathlib import Path

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset
from torchvision.transforms import v2

from mixup_lib.basics.seeds import generator_for
from mixup_lib.datasets import photographs
from mixup_lib.experiments import cifar10
from mixup_lib.experiments.runner import Experiment, described, of_training, rounded
from mixup_lib.measures.attacks import fgsm, pgd
from mixup_lib.measures.calibration import fit_temperature, reliability
from mixup_lib.measures.corruptions import CORRUPTIONS, corrupt
from mixup_lib.mixing.draw import draw_cutmix, draw_dirichlet, draw_mixup
from mixup_lib.mixing.hidden import manifold
from mixup_lib.training.augment import chain, crop, flip, per_image, rotate, scale
from mixup_lib.training.evaluation import classified, evaluate, predict

CONFIG = {
    "data": {
        "name": "cifar10",
        "train": 2000,
        "validation": 2000,
        "test": 10000,
        "split": "class-stratified draw by the seed from the 50,000 training images",
        "standardised": "per channel, with mean and deviation of the training part",
    },
    "model": {"name": "ResNet", "depth": 8, "width": 16, "stem_stride": 2},
    "optimizer": {
        "name": "SGD",
        "lr": 0.2,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 5e-4,
    },
    "schedule": "cosine",
    "epochs": 30,
    "batch_size": 64,
    "augment": "none but a method's own",
    "device": "cpu",
    "precision": "32-true",
    "validate_every": 3,
    "choices": {
        "method": "plain",
        "measure": "validation accuracy after 40 epochs, seed 1000",
        "lr, weight_decay, validation accuracy": [
            [0.05, 5e-4, 0.4040],
            [0.1, 5e-4, 0.4370],
            [0.2, 5e-4, 0.4405],
            [0.1, 2e-3, 0.4305],
            [0.2, 2e-3, 0.4430],
            [0.1, 5e-3, 0.4325],
            [0.2, 5e-3, 0.4550],
            [0.1, 1e-2, 0.4945],
            [0.2, 1e-2, 0.4385],
            [0.1, 2e-2, 0.4405],
            [0.1, 4e-2, 0.2295],
        ],
        "others": "the best rate at a weight decay of 5e-4 is everybody's, the best pair of all "
        "belongs to the methods named after weight decay; nothing else was tuned",
    },
    "judged": {
        "attacks": "of the methods in ATTACKED, L-infinity on the first 250 test images; pgd: 10 "
        "steps, one random start",
        "epsilon": "1/255 and 4/255 of the range of a pixel",
        "corruptions": "severity 3, on the first 2,000 test images",
        "foreign": "2,000 patches of two photographs; 2,000 images of uniform noise; AUROC of the "
        "largest probability, against the test images",
        "scaled": "temperature fitted on the validation part",
    },
}

classical = chain(crop, flip, rotate, scale)
cutout = per_image(v2.RandomErasing(1.0, scale=(0.25, 0.25), ratio=(1, 1)))

METHODS = {
    "plain": {},
    "mixup-1": {"mixing": partial(draw_mixup, alpha=1.0)},
    "crop": {"augment": crop},
    "flip": {"augment": flip},
    "rotation": {"augment": rotate},
    "scaling": {"augment": scale},
    "classical": {"augment": classical},
    "classical-mixup": {"augment": classical, "mixing": partial(draw_mixup, alpha=1.0)},
    "label-smoothing": {
        "loss": partial(F.cross_entropy, reduction="none", label_smoothing=0.1),
    },
    "mixup-0.05": {"mixing": partial(draw_mixup, alpha=0.05)},
    "mixup-0.2": {"mixing": partial(draw_mixup, alpha=0.2)},
    "mixup-4": {"mixing": partial(draw_mixup, alpha=4.0)},
    "mixup-16": {"mixing": partial(draw_mixup, alpha=16.0)},
    "cutmix": {"mixing": partial(draw_cutmix, size=(32, 32), alpha=1.0)},
    "cutout": {"augment": cutout},
    "dropout": {"model": {"dropout": 0.3}},
    "weight-decay": {"optimizer": {"lr": 0.1, "weight_decay": 1e-2}},
    "weight-decay-mixup": {
        "optimizer": {"lr": 0.1, "weight_decay": 1e-2},
        "mixing": partial(draw_mixup, alpha=1.0),
    },
    "manifold": {
        "mixing": partial(draw_mixup, alpha=1.0),
        "forward": partial(manifold, places=("input", "blocks.0", "blocks.1")),
    },
    "dirichlet": {"mixing": partial(draw_dirichlet, k=3, alpha=1.0)},
}

ATTACKED = ("plain", "mixup-1", "label-smoothing", "weight-decay", "cutmix")


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
    test = classified(logits, y)
    temperature = fit_temperature(*predict(model, standardise.of(splits.validation)))
    scaled = classified(logits / temperature, y)
    of_pixels = nn.Sequential(standardise, model)
    x = splits.test.tensors[0]
    generator = generator_for(seed, "judged")
    parts = {
        "test": test,
        "validation": evaluate(model, standardise.of(splits.validation)),
        "train": evaluate(model, standardise.of(splits.train)),
        "scaled": {
            **{name: scaled[name] for name in ("error", "nll", "ece")},
            "temperature": temperature,
        },
        "foreign": foreign(of_pixels, logits, generator),
        "corrupted": corrupted(of_pixels, x[:2000], y[:2000], generator),
    }
    if attack:
        parts |= attacked(of_pixels, x[:250], y[:250], generator)
    return {
        "metrics": {name: rounded(part) for name, part in parts.items()},
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


def foreign(of_pixels: nn.Module, logits: Tensor, generator: torch.Generator) -> dict[str, float]:
    """Mean confidence on images of no class, and how well confidence tells them apart."""
    known = logits.softmax(1).amax(1)
    measured = {"confidence-test": known.mean().item()}
    sides = photographs(size=320)
    corners = torch.randint(320 - 32, (2000, 2), generator=generator).tolist()
    patches = torch.stack(
        [sides[i % 2, :, r : r + 32, c : c + 32] for i, (r, c) in enumerate(corners)]
    )
    for name, images in (
        ("photographs", patches),
        ("noise", torch.rand(2000, 3, 32, 32, generator=generator)),
    ):
        found, _ = predict(of_pixels, TensorDataset(images, torch.zeros(len(images))))
        confidence = found.softmax(1).amax(1)
        is_known = [1] * len(known) + [0] * len(confidence)
        measured[f"confidence-{name}"] = confidence.mean().item()
        measured[f"auroc-{name}"] = roc_auc_score(is_known, torch.cat([known, confidence]))
    return measured


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
    name="cifar10-methods",
    title="CIFAR-10 with 2,000 labels: mixup, its relatives, classical augmentation, many measures",
    config=CONFIG,
    methods=described(METHODS),
    seeds=(0, 1, 2, 3, 4),
    measure=measure,
)
