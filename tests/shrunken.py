"""Every experiment's own ``measure``, shrunken, on small stand-ins for its data.

One part of the data is changed, and what follows tells which part was used for what: a number that
was chosen or measured on test data changes with them. The settings that ``fit`` reports are
compared with what the configuration says, by tables that are written down here once more.
"""

import ast
import json
import math
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from mixup_lib import datasets
from mixup_lib.datasets import Splits, Texts, stratified_split
from mixup_lib.experiments import (
    EXPERIMENTS,
    heard,
)
from mixup_lib.training import fitting

# What shrinks each configuration. Rates and sizes differ from those of the real ones, so that
# code that reads those instead is found.
SMALL = {"epochs": 3, "batch_size": 8, "device": "cpu"}
SIZES = {"train": 30, "validation": 20, "test": 20}
RESNET = {"name": "ResNet", "depth": 8, "width": 4, "stem_stride": 2}
CHANGES = {
    "airfoil": {"data": SIZES},
    "cifar10-fast": {"model": {"name": "ResNet9", "width": 2}},
    "cifar10-paper": {
        "data": SIZES | {"validation": 0},
        "model": {"name": "PreActResNet", "width": 4, "blocks": [1, 1]},
        "last_epochs": 2,
    },
    "cifar10-pretrained": {
        "model": {
            "name": "PretrainedNet",
            "architecture": "test_efficientnet",
            "side": 32,
            "weights": None,
        },
    },
    "cifar10-attention": {
        "model": {"name": "TinyViT", "patch": 8, "width": 8, "depth": 1, "heads": 2}
    },
    "cifar10-attention-long": {
        "model": {"name": "TinyViT", "patch": 8, "width": 8, "depth": 1, "heads": 2}
    },
    "few-digits": {"data": SIZES, "steps": 140, "vae": {"epochs": 2}, "gan": {"steps": 4}},
    "fields-when": {
        "data": {
            "digits": SIZES,
            "spoken digits": SIZES | {"train": 40},
            "features": {"name": "LogMel", "mels": 20, "window": 512, "hop": 400},
        },
        "model": {"name": "MLP", "hidden": [6]},
    },
    "fsdd": {"data": {"samples": 3300, "policy": "pad"}},
    "fsdd-alpha": {"data": {"samples": 3300, "policy": "pad"}},
    "heard-schedules": {"model": {"name": "MLP", "hidden": 8}, "data": SIZES | {"train": 40}},
    "imdb-bilstm": {
        "data": {"name": "imdb", "sizes": {"validation": 20}, "encoding": {"max_words": 9}},
        "model": {"name": "BiLSTM", "dim": 6, "hidden": 4, "dropout": 0.2},
    },
    "moving-digits": {
        "data": {"train": 24, "validation": 16, "test": 16},
        "model": {"name": "VideoCNN", "channels": 1, "width": 4, "frames": 3},
    },
    "numbers-to-words": {
        "data": SIZES | {"digits": [2, 4]},
        "model": {"name": "Seq2Seq", "width": 8, "embedding": 6},
        "epochs": 20,
        "optimizer": {"name": "Adam", "lr": 0.04},
    },
    "placed-digits": {"data": SIZES},
    "rotten-tomatoes-cnn": {
        "data": {
            "name": "rotten_tomatoes",
            "sizes": {"validation": 20, "test": 20},
            "encoding": {"min_count": 2},
        },
    },
    "seen-and-heard": {"model": {"name": "TwoSenses", "hidden": 8}, "data": SIZES | {"train": 40}},
    "trec-cnn": {
        "data": {"name": "trec", "sizes": {"validation": 20}, "encoding": {"min_count": 1}},
    },
    "trec-linear": {"data": {"name": "trec", "sizes": {"validation": 20}, "encoding": {}}},
    "rotten-tomatoes-linear": {
        "data": {
            "name": "rotten_tomatoes",
            "sizes": {"validation": 20, "test": 20},
            "encoding": {},
        },
    },
    "trec-500-minilm": {"data": {"name": "trec", "sizes": {"train": 30, "validation": 20}}},
    "trec-minilm": {"data": {"name": "trec", "sizes": {"validation": 20}}},
    "rotten-tomatoes-500-minilm": {
        "data": {"name": "rotten_tomatoes", "sizes": {"train": 30, "validation": 20, "test": 20}},
    },
    "rotten-tomatoes-minilm": {
        "data": {"name": "rotten_tomatoes", "sizes": {"validation": 20, "test": 20}},
    },
    "uci": {"data": {"names": ["iris", "phishing"]}, "model": {"name": "MLP", "hidden": [6]}},
    "uci-long": {"data": {"names": ["iris"]}, "model": {"name": "MLP", "hidden": [6]}},
}
ENCODER = {"name": "SentenceEncoder", "layers": 2, "dim": 8, "heads": 2, "dropout": 0.1}
CNN = {"name": "SentenceCNN", "dim": 6, "filters": 4, "widths": [2, 3], "dropout": 0.2}


# No network, and no fit: which data are used for what is examined all the same.
LINEAR = {"trec-linear", "rotten-tomatoes-linear", "imdb-linear"}


def shrunken(name):
    """The configuration as :func:`run_one` passes it, but small."""
    config = deepcopy(EXPERIMENTS[name].config) | SMALL
    change = {"data": SIZES, "model": RESNET} if name.startswith("cifar10") else {}
    change |= {"model": CNN} if name in ("trec-cnn", "rotten-tomatoes-cnn") else {}
    config |= deepcopy(change | CHANGES.get(name, {}))
    if name.endswith("-minilm"):
        config["model"], config["data"]["length"] = dict(ENCODER), 8
        config["optimizer"]["lr"] = 0.02
    if name not in LINEAR:
        config["optimizer"]["lr"] *= 0.75
    if "validate_every" in config:
        config["validate_every"] = 2 if config["validate_every"] > 1 else 1
    return config


# What a run must report that it did, from what its configuration says.
SCHEDULES = {
    None: "mixup_lib.constant",
    "cosine": "mixup_lib.cosine",
    "divided by 10 at half and at three quarters of the epochs": "mixup_lib.divided_twice",
}
AUGMENTS = {
    None: None,
    "none": None,
    "none but a method's own": None,
    "none: a mirrored clip shows another motion": None,
    "crop by up to 4 pixels, flip": "mixup_lib._Chain(augments=(mixup_lib.crop, mixup_lib.flip))",
    "flip": "mixup_lib.flip",
}
OPTIMIZERS = {
    "SGD": "torch.optim.sgd.SGD",
    "Adam": "torch.optim.adam.Adam",
    "AdamW": "torch.optim.adamw.AdamW",
}
# What the program of an experiment adds to its configuration.
FUSED = {"optimizer": "{'fused': True}"}
ADDED = {
    "airfoil": FUSED,
    "imdb-bilstm": FUSED,
    "rotten-tomatoes-cnn": FUSED,
    "trec-cnn": FUSED,
    "uci": FUSED,
    "uci-long": FUSED,
    "cifar10-noisy-labels": {"keep": "'best'"},
    "numbers-to-words": {
        "loss": "mixup_lib.sequence_loss",
        "forward": "mixup_lib.mixed_sequences(place='embedding')",
    },
}


def expected(name, method, config):
    """What fit must report, but for the numbers of examples."""
    own = ADDED.get(name, {}) | EXPERIMENTS[name].methods[method]
    options = config["optimizer"] | ast.literal_eval(own.get("optimizer", "{}"))
    options |= ast.literal_eval(ADDED.get(name, {}).get("optimizer", "{}"))
    optimizer = OPTIMIZERS[options.pop("name")]
    arguments = ", ".join(f"{key}={options[key]!r}" for key in sorted(options))
    found = {
        "epochs": int(own.get("epochs", config["epochs"])),
        "batch_size": config["batch_size"],
        "optimizer": f"{optimizer}({arguments})",
        "schedule": SCHEDULES[config.get("schedule")],
        "augment": own.get("augment", AUGMENTS[config.get("augment")]),
        "precision": config.get("precision", "32-true"),
        "keep": ast.literal_eval(own.get("keep", repr(config.get("keep", "last")))),
        "validate_every": config.get("validate_every", 1),
        "device": "cpu",
        "mixing": own.get("mixing"),
        "forward": own.get("forward", "mixup_lib.mix_inputs"),
        "loss": own.get("loss", "torch.nn.functional.cross_entropy(reduction='none')"),
        "processes": 1,
        "model": f"mixup_lib.{config['model']['name']}",
    }
    if name.endswith("-minilm"):
        found["metric"] = "torch.nn.functional.cross_entropy(reduction='none')"
    if name in ("fsdd", "fsdd-alpha"):
        found["model"] = "mixup_lib.SpectrogramNet"
    if name == "few-digits":
        steps = int(own.get("steps", config["steps"]))
        examples = config["data"]["train"] + int(own.get("samples", 0))
        found["epochs"] = round(steps / math.ceil(examples / config["batch_size"]))
    if name == "airfoil":  # a loop of its own
        mixing = {"alpha": own.get("alpha"), "bandwidth": own.get("bandwidth")}
        mixing = {key: value and float(value) for key, value in mixing.items()}
        found |= {"mixing": mixing if mixing["alpha"] else None, "place": int(own.get("place", 0))}
        for other in (
            "schedule",
            "augment",
            "validate_every",
            "forward",
            "loss",
            "processes",
            "model",
        ):
            del found[other]
    return found


# Stand-ins for the data.


def drawn(x, y, seed, validation, test, train=None):
    sizes = [test, validation, len(y) - test - validation if train is None else train]
    return stratified_split(y, sizes, seed)


def fake_cifar10(seed=0, train=30, validation=20):
    generator = torch.Generator().manual_seed(1)
    y = torch.arange(220) % 10
    x = torch.rand(220, 3, 32, 32, generator=generator) * 0.5 + y[:, None, None, None] / 20
    train = train if train < 100 else max(20, train // 250)  # where a method has its own size
    rows = stratified_split(y[:200], [validation, train], seed)
    parts = [TensorDataset(x[i], y[i]) for i in (*rows, torch.arange(200, 220))]
    return Splits("cifar10", parts[1], parts[0], parts[2], tuple("0123456789"), "0" * 64)


def fake_fsdd(fold=0, samples=3300, policy="pad"):
    generator = torch.Generator().manual_seed(2)
    speaker, y = torch.arange(120) % 6, torch.arange(120) // 12
    pitch = (200 + 90 * y + 10 * speaker)[:, None]
    time = torch.arange(samples) / 8000
    x = 0.3 * torch.sin(2 * math.pi * pitch * time)
    x = x + 0.05 * torch.randn(120, samples, generator=generator)
    test, validation = speaker == fold, speaker == (fold + 1) % 6
    parts = {"test": test, "validation": validation, "train": ~(test | validation)}
    parts = {name: TensorDataset(x[rows], y[rows]) for name, rows in parts.items()}
    return Splits("fsdd", **parts, classes=tuple("0123456789"), checksum="0" * 64)


def fake_texts(seed=0, validation=20, test=20, train=None):
    generator = torch.Generator().manual_seed(3)
    y = torch.arange(90) % 2
    words = torch.randint(12, (90, 6), generator=generator) + 6 * y[:, None]
    texts = [" ".join(f"word{k}" for k in row) for row in words.tolist()]
    train = train and min(train, 30)  # where a method has its own number of labels
    rows = drawn(words, y, seed, validation, test, train)
    parts = dict(zip(("test", "validation", "train"), rows, strict=True))
    parts = {name: Texts([texts[i] for i in rows], y[rows]) for name, rows in parts.items()}
    return Splits("texts", **parts, classes=("bad", "good"), checksum="0" * 64)


real_uci = datasets.uci


def fake_uci(name, seed=0, **sizes):
    if name != "airfoil":
        return real_uci("iris", seed=seed + 10 * len(name), **sizes)  # another draw for each
    x = torch.rand(90, 5, generator=torch.Generator().manual_seed(4))
    rows = torch.randperm(90, generator=torch.Generator().manual_seed(seed)).split(30)
    parts = [x[i][: sizes[part]] for i, part in zip(rows, SIZES, strict=True)]
    parts = [TensorDataset(part, 120 + 10 * part.sum(1)) for part in parts]
    return Splits("airfoil", *parts, (), "0" * 64)


LOADERS = {
    "cifar10": fake_cifar10,
    "fsdd": fake_fsdd,
    "imdb": fake_texts,
    "rotten_tomatoes": fake_texts,
    "trec": fake_texts,
    "uci": fake_uci,
    "digits": datasets.digits,
    "moving_digits": datasets.moving_digits,
    "numbers": datasets.numbers,
}


def changed(part):
    """The same inputs and labels, paired otherwise; inputs that are numbers change a little."""
    if isinstance(part, Texts):
        order = torch.randperm(len(part), generator=torch.Generator().manual_seed(5))
        return Texts(
            [f"{text} word1 new{i % 3}" for i, text in enumerate(part.texts)], part.y[order]
        )
    x, y = part.tensors
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(5))
    if y.ndim == 2:  # sequences: each loses its first word
        return TensorDataset(x, F.pad(y[:, 1:], (0, 1)))
    return TensorDataset(x * 0.9 + 0.04 if x.is_floating_point() else x, y[order])


@contextmanager
def stand_ins(tamper=None):
    """Loaders that give small data, the part ``tamper`` changed; notes which data fit saw."""
    seen = {"calls": [], "trained": []}

    def tampered(splits):
        if not tamper or not len(getattr(splits, tamper)):
            return splits
        return replace(splits, **{tamper: changed(getattr(splits, tamper))})

    def loader(name, load):
        def loaded(*args, **options):
            seen["calls"].append((name, args, options))
            splits = load(*args, **options)
            # Without a word about the parts, all recordings are meant: see ``sounds``.
            return tampered(splits) if args or options else splits

        return loaded

    def sounds(config, seed, original=heard.sounds):
        parts, checksum = original(config, seed)
        return parts | {name: changed(parts[name]) for name in [tamper] if name}, checksum

    def run(runtime, model, train, validation, *rest, original=fitting.run):
        rows = frozenset(x.numpy().tobytes() for x in train.tensors[0])
        seen["trained"].append((rows, len(train), 0 if validation is None else len(validation)))
        return original(runtime, model, train, validation, *rest)

    with pytest.MonkeyPatch.context() as patch:
        for name, load in LOADERS.items():
            patch.setattr(datasets, name, loader(name, load))
        patch.setattr(heard, "sounds", sounds)
        patch.setattr(fitting, "run", run)
        yield seen


def measured(name, method, seed=0, tamper=None, folder=None):
    """The measured part of a record, and what the stand-ins saw."""
    config = shrunken(name)
    with stand_ins(tamper) as seen:
        before = deepcopy(EXPERIMENTS[name].config)
        record = EXPERIMENTS[name].measure(config, method, seed, folder / "run.pt")
        (folder / "run.pt").unlink(missing_ok=True)
    assert EXPERIMENTS[name].config == before, "measure changed what all runs share"
    json.dumps(record, allow_nan=False)
    return record, seen


# Which part each number was measured on.
TEST_TOO = {
    "best",
    "last",
    "median",
    "scaled",
    "foreign",
    "corrupted",
    "pgd",
    "fgsm",
    "iris",
    "phishing",
}
TRAIN_TOO = {"true-labels", "wrong-labels", "iris-train", "phishing-train"}
# What may change with the validation part, because it is chosen there: everything after the
# choice of an epoch; a temperature.
CHOSEN = {
    "airfoil": {"test", "train"},
    "trec-cnn": {"test"},
    "rotten-tomatoes-cnn": {"test"},
    "imdb-bilstm": {"test"},
    "trec-500-minilm": {"test", "train"},
    "rotten-tomatoes-500-minilm": {"test", "train"},
    "trec-minilm": {"test", "train"},
    "rotten-tomatoes-minilm": {"test", "train"},
    "uci-long": {"iris", "iris-train"},
    "cifar10-noisy-labels": {"best"},
    "cifar10-noisy-rivals": {"test", "train"},
    "cifar10-noisy-rivals-choice": {"train"},
    "cifar10-rivals": {"scaled"},
}
NO_VALIDATION = {"cifar10-paper"}
# They choose settings for another experiment and leave the test data alone.
CHOICES = {"cifar10-rivals-choice", "cifar10-noisy-rivals-choice"}


def part_of(measure):
    return "test" if measure in TEST_TOO else "train" if measure in TRAIN_TOO else measure


def metrics(record, *parts):
    return {key: value for key, value in record["metrics"].items() if part_of(key) in parts}


def trainings(record):
    return list(record["parts"].values()) if "parts" in record else [record]


def learned(record, *names):
    """Curves of all trainings: those named, or all."""
    return [
        {key: curve for key, curve in part.get("history", {}).items() if key in names or not names}
        for part in trainings(record)
    ]


def examine(name, method, folder):
    """Asserts which data trained, chose and were judged, and that the seed draws the split."""
    go = partial(measured, name, method, folder=folder)
    record, seen = go()
    check_settings(name, method, record, seen)
    again, _ = go()
    assert metrics(record, *SIZES) == metrics(again, *SIZES), "the same run ends otherwise"
    assert learned(record) == learned(again)
    judged = {part_of(key) for key in record["metrics"]}
    assert ("test" in judged) == (name not in CHOICES), "test data read to choose, or never"

    other, _ = go(tamper="test")
    if name not in NO_VALIDATION:
        assert learned(other) == learned(record), "test data trained or chose"
    assert learned(other, "train_loss") == learned(record, "train_loss"), "test data trained"
    assert other.get("best_epoch") == record.get("best_epoch"), "test data chose the epoch"
    assert other.get("vocabulary") == record.get("vocabulary"), "test data made the vocabulary"
    for part in ("validation", "train"):
        assert metrics(other, part) == metrics(record, part), f"{part} was judged on test data"
    for key, value in metrics(record, "test").items():
        assert other["metrics"][key] != value, f"{key} was not judged on test data"

    if name not in NO_VALIDATION:
        other, _ = go(tamper="validation")
        assert learned(other, "train_loss") == learned(record, "train_loss")
        assert other.get("vocabulary") == record.get("vocabulary")
        for key, value in record["metrics"].items():
            if part_of(key) == "validation":
                assert other["metrics"][key] != value, f"{key} was not judged on validation data"
            elif key not in CHOSEN.get(name, ()):
                assert other["metrics"][key] == value, f"{key} depends on validation data"
        check_choice(record)
        check_choice(other)

    other, _ = go(tamper="train")
    for key, value in record["metrics"].items():
        assert other["metrics"][key] != value, f"{key} does not depend on the training data"
    for curves, others in zip(learned(record), learned(other), strict=True):
        for key, curve in curves.items():
            # Accuracies of a few examples may come out equal.
            if key in ("train_loss", "validation_nll", "validation_rmse"):
                assert others[key] != curve, f"{key} does not depend on the training data"

    other, others = go(seed=1)
    judging = "validation" if name in CHOICES else "test"
    assert metrics(other, judging) != metrics(record, judging)
    check_seed(name, seen, others)


def check_choice(record):
    """What is kept is the best epoch on the validation part."""
    for part in trainings(record):
        if "fit" not in part:
            continue
        if part["fit"]["keep"] == "best" and "best" not in record["metrics"]:
            # By accuracy, or by the metric that was given, which is the NLL.
            curve, nlls = (part["history"][f"validation_{it}"] for it in ("accuracy", "nll"))
            by_nll = "metric" in part["fit"]
            best = nlls.index(min(nlls)) if by_nll else curve.index(max(curve))
            if "validation" in record["metrics"]:
                assert record["metrics"]["validation"]["accuracy"] == curve[best]
                nll = part["history"]["validation_nll"][best]
                assert record["metrics"]["validation"]["nll"] == nll
            if "best_epoch" in record:
                assert record["best_epoch"] == 1 + best
    if "validation_rmse" in record.get("history", {}):
        curve = record["history"]["validation_rmse"]
        assert round(record["metrics"]["validation"]["rmse"], 3) == min(curve)
        assert record["best_epoch"] == 1 + curve.index(min(curve))


def check_seed(name, seen, others):
    """Another seed asks for other data and trains on them."""
    for (rows, *sizes), (other, *other_sizes) in zip(
        seen["trained"], others["trained"], strict=True
    ):
        assert sizes == other_sizes
        if name != "cifar10-paper":  # the official split
            assert rows != other, "the seed does not change the split"
    if name != "heard-schedules":  # it draws its parts itself, from all recordings
        assert seen["calls"] != others["calls"], "the seed does not reach the data"


def check_settings(name, method, record, seen, seed=0):
    if name in LINEAR:
        return
    config = shrunken(name)
    says = expected(name, method, config) | {"seed": seed}
    seen = seen["trained"] or [(None, SIZES["train"], SIZES["validation"])]
    seen = seen[-len(trainings(record)) :]  # before them, an autoencoder may have been trained
    for part, (_, train, validation) in zip(trainings(record), seen, strict=True):
        assert part["fit"] == says | {"train": train, "validation": validation}
        if name.startswith(("airfoil", "cifar10", "placed")) and "labels" not in name:
            # Two of ten classes are left out there.
            left = SIZES["train"] * 4 // 5 if name == "cifar10-foreign" else SIZES["train"]
            assert train == left


def steps(name, method):
    """How long a method trains, in epochs of its own."""
    return int(EXPERIMENTS[name].methods[method].get("epochs", 0))


def mixing(name):
    """The method that mixes: the shortest, of equals the first; one that doesn't where none can."""
    methods = EXPERIMENTS[name].methods
    if name in LINEAR:
        return "logistic"
    return min(
        (method for method, own in methods.items() if {"mixing", "alpha"} & set(own)),
        key=partial(steps, name),
    )
