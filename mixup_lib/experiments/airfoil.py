"""Airfoil noise, regression: plain mixup, and C-Mixup with partners of similar target.

Written before the runs. Measure: root mean squared error on the test part, in decibels, paired by
seed, which varies split, initial weights and draws. Smallest effect that matters: 0.1 dB. Two
published findings of Yao et al. (NeurIPS 2022) are put to the test: plain mixup is worse than
training without (reproduced if the whole interval of mixup minus plain lies above the smallest
effect), and C-Mixup is better (plain minus cmixup). Each is refuted if the whole interval lies
below.

Settings are those of the authors' program: network, Adam, epochs, batch size, sizes of the parts,
inputs scaled to [0, 1], targets in decibels, alpha 2, bandwidth 1.75, mixing after the first layer
for C-Mixup, the weights of the epoch with the best validation error. Partners come from the whole
training part and are drawn anew for each epoch, as are the weights, one for each example (theirs:
one for each batch). "tuned" methods mix inputs; their alpha and bandwidth are the best of
``CONFIG["choices"]`` on validation data of two seeds that are not recorded. Test data are read
once.
"""

import copy
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from mixup_lib import datasets
from mixup_lib.basics.naming import describe
from mixup_lib.basics.seeds import generator_for, initialised
from mixup_lib.experiments.runner import Experiment, described, rounded
from mixup_lib.experiments.settings import optimizer_of
from mixup_lib.mixing.draw import draw_mixup
from mixup_lib.mixing.partners import by_kernel
from mixup_lib.models import parameter_count
from mixup_lib.training.history import History

AUTHORS = {"alpha": 2.0, "bandwidth": 1.75}
TUNED = {"mixup": {"alpha": 0.1}, "cmixup": {"alpha": 0.1, "bandwidth": 0.5}}

BEST = "best epoch by validation rmse"
CONFIG = {
    "data": {
        "name": "airfoil",
        "train": 1003,
        "validation": 300,
        "test": 200,
        "split": "drawn by the seed",
        "scaled": "inputs to [0, 1] by the training part; targets in decibels",
    },
    "model": {"name": "MLP", "hidden": [128, 128], "activation": "LeakyReLU(0.1)"},
    "optimizer": {"name": "Adam", "lr": 0.01},
    "epochs": 100,
    "batch_size": 16,
    "keep": BEST,
    "device": "cpu",
    "precision": "32-true",
    "choices": {
        "measure": "validation rmse of the best epoch, mean of seeds 1000 and 1001, inputs mixed",
        "alpha": [0.1, 0.5, 2.0],
        "bandwidth none": [2.749, 3.09, 3.423],
        "bandwidth 0.5": [2.747, 2.931, 3.316],
        "bandwidth 1.75": [2.817, 2.977, 3.455],
        "bandwidth 5": [2.766, 3.072, 3.46],
    },
}

# place: how many layers come before the mix; 0 mixes inputs, 2 the first hidden layer.
METHODS = {
    "plain": {},
    "mixup": {"alpha": AUTHORS["alpha"]},
    "cmixup": AUTHORS | {"place": 2},
    "manifold": {"alpha": AUTHORS["alpha"], "place": 2},
    "mixup-tuned": TUNED["mixup"],
    "cmixup-tuned": TUNED["cmixup"],
}


def load(config: dict, seed: int) -> datasets.Splits:
    """The seed's split, inputs scaled to [0, 1] over the training part."""
    sizes = {part: config["data"][part] for part in ("train", "validation", "test")}
    splits = datasets.uci("airfoil", seed=seed, **sizes)
    x = splits.train.tensors[0]
    low, high = x.amin(0), x.amax(0)

    def scaled(part: TensorDataset) -> TensorDataset:
        return TensorDataset((part.tensors[0] - low) / (high - low), part.tensors[1])

    return datasets.Splits(
        splits.name,
        scaled(splits.train),
        scaled(splits.validation),
        scaled(splits.test),
        (),
        splits.checksum,
    )


def make_model() -> nn.Sequential:
    """The network of C-Mixup's authors: five inputs, two hidden layers, one output."""
    return nn.Sequential(
        nn.Linear(5, 128),
        nn.LeakyReLU(0.1),
        nn.Linear(128, 128),
        nn.LeakyReLU(0.1),
        nn.Linear(128, 1),
    )


def rmse(model: nn.Module, data: TensorDataset) -> float:
    """Root mean squared error, in the unit of the targets."""
    x, y = data.tensors
    with torch.inference_mode():
        return (model(x).squeeze(1) - y).square().mean().sqrt().item()


def train(
    config: dict,
    splits: datasets.Splits,
    seed: int,
    alpha: float | None = None,
    bandwidth: float | None = None,
    place: int = 0,
) -> tuple[nn.Module, History]:
    """Trains with mixtures of any two training examples.

    ``fit`` looks for partners in the batch; here each epoch draws one mix of the whole part.

    Args:
        config: With epochs, batch size, optimizer and device.
        splits: What :func:`load` returns.
        seed: Initial weights and draws.
        alpha: Beta's parameter; None mixes nothing.
        bandwidth: Of C-Mixup's kernel, in the unit of the targets; None draws partners uniformly.
        place: Layers before the mix.

    Returns:
        The model of the best epoch, and the validation error of every epoch.

    Raises:
        ValueError: If ``config["keep"]`` or ``config["precision"]`` asks for anything else.
    """
    for name, done in (("keep", BEST), ("precision", "32-true")):
        if config[name] != done:
            raise ValueError(f"{name} must be {done!r} for airfoil, got {config[name]!r}")
    model = initialised(make_model, seed)
    make_optimizer = optimizer_of(config, fused=True)
    optimizer = make_optimizer(model.parameters())
    before, after = model[:place], model[place:]
    x, y = splits.train.tensors
    errors, history, best = [], History(), None
    for epoch in range(config["epochs"]):
        generator = generator_for(seed, epoch, "draws")
        order = torch.randperm(len(x), generator=generator)
        if alpha is not None:
            mix = _draw(y, alpha, bandwidth, generator)
            targets = mix.targets(y)
        for rows in order.split(config["batch_size"]):
            hidden, wanted = before(x[rows]), y[rows]
            if alpha is not None:
                lam = mix.lam[rows].unsqueeze(1)
                hidden = torch.lerp(before(x[mix.index[1, rows]]), hidden, lam)
                wanted = targets[rows]
            loss = (after(hidden).squeeze(1) - wanted).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        errors.append(rmse(model, splits.validation))
        history.rows.append({"epoch": epoch + 1, "validation_rmse": errors[-1]})
        if errors[-1] == min(errors):
            best = copy.deepcopy(model.state_dict())
    model.load_state_dict(best)
    history.settings = {
        "epochs": config["epochs"],
        "mixing": None if alpha is None else {"alpha": alpha, "bandwidth": bandwidth},
        "place": place,
        "optimizer": describe(make_optimizer),
        "batch_size": config["batch_size"],
        "seed": seed,
        "precision": "32-true",
        "keep": BEST,
        "device": str(x.device),
        "train": len(splits.train),
        "validation": len(splits.validation),
    }
    return model, history


def _draw(y: Tensor, alpha: float, bandwidth: float | None, generator: torch.Generator):
    partners = None if bandwidth is None else by_kernel(y, bandwidth, generator)
    return draw_mixup(len(y), alpha, per_sample=True, partners=partners, generator=generator)


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once."""
    splits = load(config, seed)
    start = time.perf_counter()
    model, history = train(config, splits, seed, **METHODS[method])
    seconds = time.perf_counter() - start
    parts = {"test": splits.test, "validation": splits.validation, "train": splits.train}
    errors = history["validation_rmse"]
    return {
        "fit": history.settings,
        "metrics": {part: rounded({"rmse": rmse(model, data)}) for part, data in parts.items()},
        "best_epoch": errors.index(min(errors)) + 1,
        "history": {"validation_rmse": rounded(errors, 3)},
        "seconds": {"training": round(seconds, 1)},
        "parameters": parameter_count(model),
        "data_checksum": splits.checksum,
    }


EXPERIMENT = Experiment(
    name="airfoil",
    title="Airfoil noise, regression: plain, mixup and C-Mixup at its authors' settings, and tuned",
    config=CONFIG,
    methods=described(METHODS),
    seeds=tuple(range(10)),
    measure=measure,
    cpu_only=True,
)
