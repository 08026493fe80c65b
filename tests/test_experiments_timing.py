"""How long runs take, by what was recorded."""

import pytest

from mixup_lib.evidence import results
from mixup_lib.experiments import Experiment
from mixup_lib.experiments.timing import duration, estimate

TOY = Experiment("toy", "a toy", {}, {"plain": {}, "mixup": {}}, (0, 1), measure=None)


def recorded(folder, seconds, method="plain", seed=0, cpu="old"):
    provenance = {"date": "", "cpu": cpu, "gpu": None}
    run = {"experiment": "toy", "method": method, "seed": seed, "config": {"device": "cpu"}}
    results.save(run | {"provenance": provenance} | seconds, folder)


def test_estimates_are_what_was_recorded(tmp_path):
    assert estimate(TOY, TOY.runs(), [tmp_path]) == (None, "no run of it is recorded")
    recorded(tmp_path, {"seconds": {"training": 5, "run": 10}})
    recorded(tmp_path, {"seconds": {"training": 20}}, seed=1, cpu="new")
    assert estimate(TOY, [("plain", 1)], [tmp_path]) == (15, "as 2 recorded on new, old")
    assert estimate(TOY, [("mixup", 1)], [tmp_path])[0] == 15  # of no record: the median of all
    recorded(tmp_path, {"parts": {"a": {"seconds": {"training": 30}}}}, method="mixup")
    assert estimate(TOY, [("plain", 1), ("mixup", 1)], [tmp_path])[0] == 15 + 30
    told = estimate(TOY, TOY.runs(), [tmp_path], device="cuda:0")
    assert told == (None, "no run of it is recorded on cuda:0")


@pytest.mark.parametrize(
    "seconds, text",
    [(None, "not known"), (0.2, "1 s"), (99, "99 s"), (120, "2 min"), (6000, "1 h 40 min")],
)
def test_durations_in_words(seconds, text):
    assert duration(seconds) == text
