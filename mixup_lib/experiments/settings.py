"""From a configuration to what runs: the words of ``config`` are keys of the tables here.

A configuration is JSON, so that a record can hold it. What it says of the training is read here
and nowhere else, and a word that no table knows is an error: a record can't say what did not run.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from mixup_lib import models
from mixup_lib.models.multimodal import TwoSenses
from mixup_lib.training.augment import chain, crop, flip
from mixup_lib.training.fitting import constant, cosine

__all__ = ["divided_twice", "fit_settings", "make_model", "optimizer_of", "without_name"]


def divided_twice(progress: float) -> float:
    """Schedule: 1, from half of the training on 0.1, from three quarters on 0.01."""
    return 1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01


SCHEDULES = {
    "constant": constant,
    "cosine": cosine,
    "divided by 10 at half and at three quarters of the epochs": divided_twice,
}
AUGMENTS = {
    "none": None,
    "none but a method's own": None,
    "none: a mirrored clip shows another motion": None,
    "flip": flip,
    "crop by up to 4 pixels, flip": chain(crop, flip),
}
METRICS = {"validation NLL": partial(F.cross_entropy, reduction="none")}
OPTIMIZERS = {name: getattr(torch.optim, name) for name in ("SGD", "Adam", "AdamW")}
MODELS = {
    kind.__name__: kind
    for kind in (
        models.BiLSTM,
        models.MLP,
        models.PreActResNet,
        models.PretrainedNet,
        models.ResNet,
        models.ResNet9,
        models.SentenceCNN,
        models.SentenceEncoder,
        models.Seq2Seq,
        models.SmallCNN,
        models.TinyViT,
        models.VideoCNN,
        TwoSenses,
    )
}


def fit_settings(config: dict, **own) -> dict:
    """The arguments of :func:`~mixup_lib.training.fitting.fit` that a configuration stands for.

    Args:
        config: with ``epochs``, ``batch_size``, ``device`` and ``optimizer`` (its ``name`` and
            arguments); what it lacks of ``schedule``, ``augment``, ``precision``, ``keep``,
            ``keep_by`` (fit's ``metric``) and ``validate_every`` is fit's default. Other entries
            are not about the training.
        own: a method's settings, which go before: ``optimizer`` as arguments to change, the rest
            as :func:`~mixup_lib.training.fitting.fit` takes it.

    Raises:
        ValueError: if a word is in no table; the message lists those that are.
        KeyError: if ``config`` lacks an entry that it must have.
    """
    settings = {
        "optimizer": optimizer_of(config, **own.pop("optimizer", {})),
        "schedule": _look_up("schedule", config.get("schedule", "constant"), SCHEDULES),
        "augment": _look_up("augment", config.get("augment", "none"), AUGMENTS),
    }
    settings |= {name: config[name] for name in ("epochs", "batch_size", "device")}
    settings |= {
        name: config[name] for name in ("precision", "keep", "validate_every") if name in config
    }
    if "keep_by" in config:
        settings["metric"] = _look_up("keep_by", config["keep_by"], METRICS)
    return settings | own


def optimizer_of(config: dict, **own) -> Callable[..., torch.optim.Optimizer]:
    """The optimizer of ``config["optimizer"]``, to be called with parameters.

    Args:
        config: its entry ``optimizer`` holds ``name`` and keyword arguments.
        own: keyword arguments that go before those.

    Raises:
        ValueError: if there is no optimizer of that name; the message lists those there are.
    """
    kind = _look_up("optimizer", config["optimizer"]["name"], OPTIMIZERS)
    return partial(kind, **without_name(config["optimizer"]) | own)


def make_model(config: dict, **own) -> nn.Module:
    """The network of ``config["model"]``, its weights drawn from torch's default generator.

    Args:
        config: its entry ``model`` holds ``name`` and keyword arguments.
        own: keyword arguments that go before those, such as ``classes`` of the data.

    Raises:
        ValueError: if there is no network of that name; the message lists those there are.
    """
    kind = _look_up("model", config["model"]["name"], MODELS)
    return kind(**without_name(config["model"]) | own)


def without_name(options: dict) -> dict:
    """All entries but ``name``."""
    return {name: value for name, value in options.items() if name != "name"}


def _look_up(what: str, word: str, table: dict):
    if word not in table:
        raise ValueError(f"{what} must be one of {', '.join(map(repr, table))}, got {word!r}")
    return table[word]
