"""PreAct ResNet-18, and the experiment at the paper's settings on a tiny stand-in."""

import json
from dataclasses import replace
from statistics import median

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from mixup_lib import datasets
from mixup_lib.datasets import Splits
from mixup_lib.evidence import results
from mixup_lib.experiments import EXPERIMENTS, cifar10_paper, run_one
from mixup_lib.experiments.settings import divided_twice
from mixup_lib.models import PreActResNet, parameter_count

PAPER = EXPERIMENTS["cifar10-paper"]


def test_it_has_eighteen_weighted_layers_and_eleven_million_parameters():
    model = PreActResNet()
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)]
    assert len(layers) + 1 == 18  # and the linear one; shortcuts are not counted
    # By hand: convolutions 3x3 and 1x1, two numbers per normalised channel, the linear layer.
    convolutions = 9 * (
        3 * 64 + 4 * 64**2 + sum(c * 2 * c + 3 * (2 * c) ** 2 for c in (64, 128, 256))
    )
    shortcuts = sum(c * 2 * c for c in (64, 128, 256))
    # Each stage's first block normalises the channels of the stage before it.
    norms = 2 * (4 * 64 + (64 + 3 * 128) + (128 + 3 * 256) + (256 + 3 * 512) + 512)
    assert parameter_count(model) == convolutions + shortcuts + norms + 512 * 10 + 10


def test_resolution_halves_three_times_and_shortcuts_are_left_as_they_are():
    model = PreActResNet(width=4, classes=7).eval()
    x = torch.rand(2, 3, 32, 32)
    assert model(x).shape == (2, 7)
    assert model.blocks(model.stem(x)).shape == (2, 32, 4, 4)
    block = model.blocks[0]
    nn.init.zeros_(block.conv2.weight)
    hidden = torch.randn(2, 4, 8, 8)
    assert torch.equal(block(hidden), hidden)  # negative values pass, too


def test_normalisation_comes_before_each_convolution():
    block = PreActResNet(width=4).blocks[0].train()
    seen = []
    block.conv1.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    block.conv2.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    block(5 + 3 * torch.randn(16, 4, 8, 8))
    for x in seen:  # ReLU of a standard normal: never negative, mean 1 / sqrt(2 pi)
        assert x.min() == 0
        assert x.mean((0, 2, 3)).tolist() == pytest.approx([0.4] * 4, abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"blocks": ()}, "blocks must hold at least one stage"),
        ({"blocks": (2, 0)}, "blocks must be an integer of at least 1, got 0"),
        ({"width": 0}, "width must be an integer of at least 1, got 0"),
        ({"classes": 0}, "classes must be an integer of at least 1, got 0"),
    ],
)
def test_sizes_that_make_no_network(arguments, words):
    with pytest.raises(ValueError, match=words):
        PreActResNet(**arguments)


def test_the_settings_are_the_papers():
    config = PAPER.config
    assert config["model"] == {"name": "PreActResNet", "blocks": [2, 2, 2, 2], "width": 64}
    assert config["optimizer"] == {"name": "SGD", "lr": 0.1, "momentum": 0.9, "weight_decay": 1e-4}
    assert (config["epochs"], config["batch_size"], config["last_epochs"]) == (200, 128, 10)
    rates = [divided_twice(epoch / 200) for epoch in (0, 99, 100, 149, 150, 199)]
    assert rates == [1, 1, 0.1, 0.1, 0.01, 0.01]
    assert "alpha=1.0" in PAPER.methods["mixup"]["mixing"]
    assert PAPER.methods["plain"] == {}
    assert len(PAPER.seeds) >= 5


@pytest.fixture
def tiny(monkeypatch):
    """A stand-in that a CPU trains in a second: few examples, a narrow network, three epochs."""
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(40, 3, 32, 32, generator=generator), torch.arange(40) % 10
    part = TensorDataset(x, y)
    empty = TensorDataset(x[:0], y[:0])
    splits = Splits("toy", part, empty, part, tuple("0123456789"), "0" * 64)
    monkeypatch.setattr(datasets, "cifar10", lambda **options: splits)
    small = {
        "model": cifar10_paper.CONFIG["model"] | {"width": 4, "blocks": [1, 1]},
        "epochs": 3,
        "last_epochs": 2,
        "device": "cpu",
        "batch_size": 16,
    }
    monkeypatch.setattr(results, "check_traceable", lambda root: None)
    return replace(PAPER, config=PAPER.config | small)


@pytest.mark.parametrize("method", list(cifar10_paper.METHODS))
def test_a_run_records_the_median_of_the_last_epochs_and_the_last(method, tiny, tmp_path):
    record = json.loads(run_one(tiny, method, 0, tmp_path, tmp_path / "unfinished").read_text())
    errors = record["history"]["test_error"]
    assert len(errors) == len(record["history"]["train_loss"]) == 3
    assert record["metrics"]["test"]["error"] == pytest.approx(errors[-1])
    assert record["metrics"]["median"]["error"] == pytest.approx(median(errors[-2:]))
    assert record["config"]["precision"] == "bf16-mixed"
    assert not list((tmp_path / "unfinished").rglob("*.pt"))


def test_a_recorded_run_is_whole():
    try:
        records = results.load("cifar10-paper")
    except FileNotFoundError:
        pytest.skip("not recorded: it needs a GPU")
    for record in records:
        errors = record["history"]["test_error"]
        assert len(errors) == 200
        assert record["metrics"]["median"]["error"] == pytest.approx(median(errors[-10:]))
        assert record["metrics"]["test"]["error"] == pytest.approx(errors[-1])
        assert record["provenance"]["gpu"]
