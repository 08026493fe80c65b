"""The map of when mixup helps: from records to cells, and what the rule expects of them."""

import json

import pytest

from mixup_lib.evidence import results, when
from mixup_lib.experiments import EXPERIMENTS


def record(root, experiment, method, seed, test, train=0.0, n=(100, 400)):
    metrics = {
        "test": {"error": test, "n": n[0]},
        "train": {"error": train, "n": n[1]},
    }
    folder = root / experiment
    folder.mkdir(parents=True, exist_ok=True)
    run = {"method": method, "seed": seed, "metrics": metrics}
    (folder / f"{method}-seed{seed}.json").write_text(json.dumps(run))


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "folder", lambda: tmp_path)
    return tmp_path


def test_a_cell_pairs_seeds_and_takes_the_plain_networks_training_error(root):
    for seed, (plain, mixed) in enumerate([(0.30, 0.28), (0.32, 0.28), (0.31, 0.30)]):
        record(root, "cifar10-when", "plain-240-epochs", seed, plain, train=0.01 * seed)
        record(root, "cifar10-when", "mixup-240-epochs", seed, mixed, train=0.5)
    record(root, "cifar10-when", "plain-240-epochs", 7, 0.9)
    (cell,) = when.cells("length")
    assert cell.name == "240 epochs" and cell.interval is None
    assert cell.gains == pytest.approx((2, 4, 1)) and cell.gain == pytest.approx(7 / 3)
    assert cell.training == pytest.approx(1) and cell.error == pytest.approx(31)


def test_an_interval_from_five_seeds_accounts_for_what_runs_share(root):
    for seed in range(5):
        for length, n in (("brief", (100, 400)), ("long", (400, 100))):
            record(root, "fields-when", f"digits-{length}-plain", seed, 0.3 + 0.01 * seed, n=n)
            record(root, "fields-when", f"digits-{length}-mixup", seed, 0.3, n=n)
    overlapping, apart = when.cells("fields")
    assert overlapping.gain == apart.gain == pytest.approx(2)
    ratio = (overlapping.interval.high - 2) / (apart.interval.high - 2)
    assert ratio == pytest.approx((1 + 5 * 100 / 400) ** 0.5)


def test_a_network_of_its_own_is_a_cell(root):
    for seed in range(5):
        record(root, "cifar10-attention", "plain", seed, 0.7 + 0.01 * seed)
        record(root, "cifar10-attention", "mixup", seed, 0.6)
        record(root, "cifar10-attention", "crop-flip", seed, 0.5)
        record(root, "cifar10-attention", "crop-flip-mixup", seed, 0.55)
    cell, cropped = when.cells("networks")
    assert cropped.name == "transformer, crops" and cropped.gain == pytest.approx(-5)
    assert cell.name == "transformer, no crops" and cell.gain == pytest.approx(12)
    assert cell.interval.low < 12 < cell.interval.high and "test examples" in cell.interval.over


def test_expectations_and_cells_against_them():
    assert [when.expected(t) for t in (0, 4.9, 5, 20, 20.1)] == [
        "helps",
        "helps",
        "open",
        "open",
        "costs",
    ]
    for training, gain, against in [
        (1, -0.1, True),
        (1, 0.1, False),
        (30, 0.1, True),
        (30, -2, False),
        (10, -9, False),
    ]:
        assert when.Cell("", "", training, 30, (gain,), None).against is against
    with pytest.raises(ValueError, match=r"training must lie in \[0, 100\] percent, got -1"):
        when.expected(-1)
    with pytest.raises(ValueError, match="group must be one of .*'length'.*, got 'depth'"):
        when.cells("depth")


@pytest.mark.parametrize("group", when.GROUPS)
def test_every_cell_names_runs_of_an_experiment(group):
    for _, _, experiment, plain, other in when.GROUPS[group]():
        assert {plain, other.format("mixup")} <= EXPERIMENTS[experiment].methods.keys()
