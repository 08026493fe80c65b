"""Estimates of how long a run takes on this machine."""

from functools import partial

import pytest
import torch

from mixup_lib.evidence import results
from mixup_lib.experiments import Experiment
from mixup_lib.experiments import pace as pacing

TOY = Experiment("toy", "a toy", {}, {"plain": {}, "mixup": {}}, (0, 1), measure=None)


def recorded(folder, seconds, method="plain", seed=0, device="cpu", **provenance):
    results.save(
        {
            "experiment": "toy",
            "method": method,
            "seed": seed,
            "config": {"device": device},
            "provenance": {"date": "", "cpu": "another"} | provenance,
        }
        | seconds,
        folder,
    )


def test_estimates_scale_what_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(pacing, "pace", lambda *_: 30.0)
    monkeypatch.setattr(
        pacing,
        "_bench",
        lambda: {
            "pace": {
                "milliseconds": 15.0,
                "provenance": {"cpu": "old", "cpu_capability": "x", "cores": 2},
            }
        },
    )
    estimate = partial(pacing.estimate, TOY, roots=[tmp_path])
    assert estimate(TOY.runs()).seconds is None
    recorded(tmp_path, {"seconds": {"training": 5, "run": 10}}, pace=20.0)
    assert estimate([("plain", 1)]).seconds == 15  # a machine half as fast again
    recorded(
        tmp_path,
        {"parts": {"a": {"seconds": {"training": 30}}}},
        method="mixup",
        cpu="old",
        cpu_capability="x",
        cores=2,
    )
    found = estimate([("plain", 1), ("mixup", 1)])
    assert found.seconds == 15 + 60 and found.scaled
    assert "from 2 recorded runs; a short training takes 1.75 times as long here" in found.how
    assert estimate(TOY.runs(), device="cuda:0").how == "no run of it is recorded on cuda:0"
    recorded(tmp_path, {"seconds": {"training": 100}}, seed=1)
    found = estimate([("plain", 1)])
    assert found.seconds == (15 + 100) / 2 and not found.scaled and "is not known" in found.how


def test_the_pace_is_a_time_and_leaves_the_threads(monkeypatch):
    monkeypatch.setattr(pacing, "SECONDS", 0.05)
    before = torch.get_num_threads()
    assert 0.1 < pacing.pace.__wrapped__("cpu", before + 1) < 10_000
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    "seconds, text",
    [
        (None, "not known"),
        (0.2, "1 s"),
        (99, "99 s"),
        (120, "2 min"),
        (6000, "1 h 40 min"),
    ],
)
def test_durations_in_words(seconds, text):
    assert pacing.duration(seconds) == text
