"""Spoken digits: seen and heard together; and alpha that changes while the model learns.

Written before the runs. Every measure is a test error in points, paired by seed, which varies
split, pairing, initial weights and draws. The smallest effect that matters is half a point. A
claim is refuted if the whole interval lies below it, supported if above, else inconclusive.

*seen-and-heard* (claim C26): plain training minus mixup with one draw for picture and sound. The
method "apart" draws for each sense separately and takes the picture's labels. Recordings and
pictures are real; a picture belongs to a sound by its class alone.

*heard-schedules* (claims C27, C28), sounds alone: the best fixed alpha minus the method. The best
fixed alpha is the one of the grid, 0 included, with the lowest mean validation error. All methods
have the same epochs.

The learning rate was chosen for plain training, on validation data of a seed that is not recorded.
Grid, schedules and the adaptive rule's settings were written down once and not tuned. Test data
are read once, at the end of a run. Ten seeds were planned; machine time allowed five of each
method before the results were read, and a sixth of seen-and-heard.
"""

import time
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from mixup_lib import datasets
from mixup_lib.audio import LogMel
from mixup_lib.basics.seeds import generator_for, initialised
from mixup_lib.datasets import stratified_split
from mixup_lib.experiments.runner import Experiment, described, of_parts, of_training, rounded
from mixup_lib.experiments.settings import fit_settings, make_model, without_name
from mixup_lib.mixing.draw import draw_mixup
from mixup_lib.mixing.schedules import (
    alpha_cosine,
    alpha_linear,
    draw_scheduled,
    large_then_small,
    off_late,
)
from mixup_lib.models.multimodal import companions, mix_apart
from mixup_lib.training.adaptive import adaptive_alpha, draw_adaptive
from mixup_lib.training.fitting import fit
from mixup_lib.training.history import History

SHARED = {
    "data": {
        "name": "fsdd",
        "split": "class-stratified draw by the seed from all 3,000 recordings of six speakers",
        "train": 300,
        "validation": 500,
        "test": 1500,
    },
    "features": {"name": "LogMel", "mels": 20, "window": 512, "hop": 400},
    "schedule": "cosine",
    "epochs": 60,
    "batch_size": 50,
    "device": "cpu",
    "precision": "32-true",
    "validate_every": 1,
}
TOGETHER = SHARED | {
    "model": {"name": "TwoSenses", "hidden": 64},
    "pictures": "digits of the same part, drawn by class with replacement, plus normal noise",
    "noise": 0.4,
    "optimizer": {"name": "Adam", "lr": 1e-3},
    "learning_rate_choice": {
        "method": "plain",
        "seed": 1000,
        "lr": [1e-3, 3e-3],
        "validation_error": [0.134, 0.154],
    },
}
ALONE = SHARED | {
    "model": {"name": "MLP", "hidden": 128},
    "optimizer": {"name": "Adam", "lr": 1e-2},
    "learning_rate_choice": {
        "method": "plain",
        "seed": 1000,
        "lr": [1e-3, 3e-3, 1e-2],
        "validation_error": [0.250, 0.154, 0.134],
    },
}

SENSES = {
    "plain": {},
    "together": {"mixing": partial(draw_mixup, alpha=1.0)},
    "apart": {
        "mixing": partial(draw_mixup, alpha=1.0),
        "forward": partial(mix_apart, alpha=1.0),
    },
}


def scheduled(schedule, **settings):
    """A mixing of fit at a schedule's alpha."""
    return {"mixing": partial(draw_scheduled, schedule=partial(schedule, **settings))}


FIXED = {
    "plain": {},
    "mixup-0.1": {"mixing": partial(draw_mixup, alpha=0.1)},
    "mixup-0.4": {"mixing": partial(draw_mixup, alpha=0.4)},
    "mixup-1": {"mixing": partial(draw_mixup, alpha=1.0)},
    "mixup-4": {"mixing": partial(draw_mixup, alpha=4.0)},
}
SCHEDULES = FIXED | {
    "linear": scheduled(alpha_linear, start=2.0, end=0.0),
    "cosine": scheduled(alpha_cosine, start=2.0, end=0.0),
    "off-late": scheduled(off_late, alpha=1.0, share=0.2),
    "large-then-small": scheduled(large_then_small, large=2.0, small=0.2),
    "small-then-large": scheduled(large_then_small, large=0.2, small=2.0),
    "adaptive": {"mixing": partial(draw_adaptive, classes=10)},
}


METHODS = SENSES | SCHEDULES


def recordings(features: dict) -> tuple[Tensor, Tensor, str]:
    """Log-mel spectrograms ``(3000, features)`` in [0, 1], labels, and the data's checksum."""
    splits = datasets.fsdd()
    parts = (splits.train, splits.validation, splits.test)
    x, y = (torch.cat(tensors) for tensors in zip(*(part.tensors for part in parts), strict=True))
    return LogMel(**without_name(features))(x).flatten(1), y, splits.checksum


def sounds(config: dict, seed: int) -> tuple[dict[str, TensorDataset], str]:
    """The seed's draw of the recordings, in three parts, and the checksum of all recordings."""
    x, y, checksum = recordings(config["features"])
    names = ("test", "validation", "train")
    chosen = stratified_split(y, [config["data"][name] for name in names], seed)
    drawn = zip(names, chosen, strict=True)
    return {name: TensorDataset(x[rows], y[rows]) for name, rows in drawn}, checksum


def seen_and_heard(config: dict, seed: int) -> tuple[dict[str, TensorDataset], str]:
    """The same, each recording behind a noisy picture of its digit: one vector."""
    pictures, parts = datasets.digits(seed=seed), {}
    generator = generator_for(seed, "pictures")
    heard_parts, checksum = sounds(config, seed)
    for name, part in heard_parts.items():
        (heard, y), (seen, among) = part.tensors, getattr(pictures, name).tensors
        seen = seen[companions(y, among, generator)].flatten(1)
        seen = seen + config["noise"] * torch.randn(seen.shape, generator=generator)
        parts[name] = TensorDataset(torch.cat([seen, heard], 1), y)
    return parts, checksum


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    start = time.perf_counter()
    together = config["model"]["name"] == "TwoSenses"
    parts, checksum = (seen_and_heard if together else sounds)(config, seed)
    width = parts["train"].tensors[0].shape[1]
    sizes = {"seen": 64, "heard": width - 64} if together else {"in_features": width}
    model = initialised(partial(make_model, config, classes=10, **sizes), seed)
    history = fit(
        model,
        parts["train"],
        validation=parts["validation"],
        seed=seed,
        **fit_settings(config, **METHODS[method]),
    )
    measured = {
        "metrics": of_parts(model, parts),
        "data_checksum": checksum,
    } | of_training(model, history)
    if method == "adaptive":
        past = [History(history.rows[:n]) for n in range(len(history))]
        measured["history"]["alpha"] = rounded([adaptive_alpha(it, classes=10) for it in past])
    measured["seconds"]["all"] = round(time.perf_counter() - start, 1)
    return measured


def _experiment(name: str, title: str, config: dict, methods: dict, seeds: int) -> Experiment:
    return Experiment(
        name=name,
        title=title,
        config=config,
        methods=described(methods),
        seeds=tuple(range(seeds)),
        measure=measure,
    )


EXPERIMENTS = (
    _experiment(
        "seen-and-heard",
        "digits seen and heard: one draw for both, or two",
        TOGETHER,
        SENSES,
        seeds=6,
    ),
    _experiment(
        "heard-schedules",
        "spoken digits: fixed, scheduled and adaptive alpha",
        ALONE,
        SCHEDULES,
        seeds=5,
    ),
)
