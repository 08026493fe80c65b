"""The experiments on CIFAR-10: what was chosen, what a record holds."""

from functools import partial

import pytest
import torch
from torch.utils.data import TensorDataset

from mixup_lib import fit
from mixup_lib.datasets import Splits
from mixup_lib.evidence import results
from mixup_lib.experiments import (
    EXPERIMENTS,
    cifar10,
    cifar10_foreign,
    cifar10_noisy_labels,
    cifar10_noisy_rivals,
    cifar10_rivals,
    cifar10_transforms,
)
from mixup_lib.measures.calibration import Reliability
from mixup_lib.measures.corruptions import CORRUPTIONS
from mixup_lib.models import ResNet
from mixup_lib.training import augment

NOISY = EXPERIMENTS["cifar10-noisy-labels"]
RIVALS = EXPERIMENTS["cifar10-rivals"]


def toy(n=24):
    generator = torch.Generator().manual_seed(0)
    x, y = torch.rand(n, 3, 32, 32, generator=generator), torch.arange(n) % 10
    part = TensorDataset(x, y)
    return Splits("toy", part, part, part, tuple("0123456789"), "none")


def test_the_rate_against_wrong_labels_is_the_best_of_the_grid():
    grid = NOISY.config["choices"]["lr, weight_decay, validation accuracy"]
    own = NOISY.config["optimizer"]
    best = max((row for row in grid if row[1] == own["weight_decay"]), key=lambda row: row[2])
    assert own["lr"] == best[0]


def test_the_rivals_take_what_validation_data_chose():
    records = {r["method"]: r["metrics"] for r in results.load("cifar10-rivals-choice")}
    assert all("test" not in metrics for metrics in records.values())

    def score(name, strength):
        validation = records[f"{name}-{strength:g}"]["validation"]
        return validation["error"], validation["nll"]

    for name, chosen in cifar10_rivals.CHOSEN.items():
        strengths = cifar10_rivals.STRENGTHS[name][1]
        assert chosen == min(strengths, key=partial(score, name))


def test_the_rivals_against_wrong_labels_do_so_for_each_share():
    records = {r["method"]: r["metrics"] for r in results.load("cifar10-noisy-rivals-choice")}
    assert all("test" not in metrics for metrics in records.values())

    def score(name, share, strength):
        return records[f"{name}-{strength:g}-{share}"]["validation"]["accuracy"]

    for (name, share), chosen in cifar10_noisy_rivals.CHOSEN.items():
        strengths = cifar10_noisy_rivals.STRENGTHS[name][1]
        assert chosen == max(strengths, key=partial(score, name, share))


def test_methods_differ_from_plain_in_what_their_name_says():
    methods = cifar10_transforms.METHODS
    own = {name: set(settings) for name, settings in methods.items()}
    assert own["plain"] == set()
    for name in ("crop", "flip", "rotation", "scaling", "classical"):
        assert own[name] == {"augment"}
    assert methods["crop"]["augment"] is augment.crop
    assert methods["classical-mixup"]["augment"] is methods["classical"]["augment"]
    for name in ("mixup-0.2", "mixup-1", "mixup-4", "mixup-16"):
        alpha = float(name.partition("-")[2])
        assert methods[name]["mixing"].keywords == {"alpha": alpha}
        assert cifar10_rivals.METHODS[name]["mixing"].keywords == {"alpha": alpha}
        assert own[name] == {"mixing"}
    assert own["classical-mixup"] == {"augment", "mixing"}


def test_standardise_gives_mean_zero_and_deviation_one():
    images = torch.rand(50, 3, 4, 4) * 0.3 + 0.5
    x = cifar10.Standardise(images)(images)
    assert x.mean((0, 2, 3)).abs().max() < 1e-5
    assert torch.allclose(x.std((0, 2, 3)), torch.ones(3), atol=1e-5)


def test_a_judged_model_has_every_part():
    splits = toy()
    standardise = cifar10.Standardise(splits.train.tensors[0])
    model = ResNet(8, 8, stem_stride=2)
    fit(model, standardise.of(splits.train), epochs=1)
    judged = cifar10_rivals.judged(model, standardise, splits, seed=0)
    parts = judged["metrics"]
    assert set(parts["corrupted"]) == {"clean", "mean", *CORRUPTIONS}
    assert parts["pgd"]["error-4"] >= parts["fgsm"]["clean"]
    assert parts["test"]["error"] == parts["scaled"]["error"]
    assert parts["scaled"]["nll"] <= parts["test"]["nll"] + 1e-9  # fitted on the same data here
    for name in ("test", "scaled"):
        bins = judged["reliability"][name]
        found = Reliability(*(tuple(bins[key]) for key in ("confidence", "accuracy", "share")))
        assert found.ece == pytest.approx(parts[name]["ece"], abs=1e-4)


def test_a_run_with_wrong_labels_measures_best_and_last(tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "load", lambda config, seed: toy(40))
    small = {"epochs": 2, "model": cifar10_noisy_labels.CONFIG["model"] | {"width": 8}}
    config = NOISY.config | small
    record = cifar10_noisy_labels.measure(config, "mixup-8-0.5", 0, tmp_path / "run.pt")
    assert set(record["metrics"]) == {"best", "last", "true-labels", "wrong-labels"}
    assert record["metrics"]["wrong-labels"]["n"] == record["wrong"] <= 20
    assert record["metrics"]["true-labels"]["n"] == 40 - record["wrong"]
    curve = record["history"]["validation_accuracy"]
    assert record["metrics"]["best"]["accuracy"] == max(curve)
    assert curve[record["best_epoch"] - 1] == max(curve)
    assert record["metrics"]["last"]["accuracy"] == curve[-1]


@pytest.mark.parametrize("experiment", [RIVALS, NOISY], ids=lambda experiment: experiment.name)
def test_recorded_runs_are_whole(experiment):
    records = results.load(experiment.name)
    seeds = {record["seed"] for record in records}
    for seed in seeds:  # the same draw of the data for every method
        assert len({r["data_checksum"] for r in records if r["seed"] == seed}) == 1
    for record in records:
        assert len(record["history"]["train_loss"]) == experiment.config["epochs"]
        for part in record["metrics"].values():
            assert all(0 <= part[name] <= 1 for name in part if name.startswith("error"))
    if experiment is RIVALS:
        for record in records:
            for bins in record["reliability"].values():
                assert sum(bins["share"]) == pytest.approx(1, abs=1e-4)
            assert record["metrics"]["test"]["error"] == record["metrics"]["scaled"]["error"]


def test_classes_that_are_left_out_are_only_foreign():
    y = torch.tensor([0, 5, 9, 4, 1, 4])
    data = TensorDataset(torch.arange(6.0), y)
    known, foreign = cifar10_foreign.parted(data, torch.tensor([4, 5]))
    assert known.tensors[0].tolist() == [0, 2, 4]
    assert known.tensors[1].tolist() == [0, 7, 1]  # 9 is the last of eight
    assert foreign.tolist() == [1, 3, 5]


def test_the_generalised_cross_entropy_lies_between_its_two_ends():
    logits, y = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)), torch.arange(6) % 4
    p = logits.softmax(1)[torch.arange(6), y]
    ends = {1e-4: -p.log(), 1.0: 1 - p, 0.7: (1 - p**0.7) / 0.7}
    for q, expected in ends.items():
        found = cifar10_noisy_rivals.generalised(logits, y, q)
        assert torch.allclose(found, expected, atol=1e-3 if q < 0.1 else 1e-6)
