"""Every method of every experiment runs with its own settings, as its configuration says."""

import json

import pytest
from shrunken import check_settings, learned, measured, steps

from mixup_lib.experiments import EXPERIMENTS

# Of experiments that run the same methods by the same program, each on data of its own, the first.
PROGRAMS = {}
for name, experiment in EXPERIMENTS.items():
    PROGRAMS.setdefault((experiment.measure, json.dumps(experiment.methods)), name)


@pytest.mark.parametrize("name", PROGRAMS.values())
def test_every_method_runs_with_its_own_settings(name, tmp_path):
    outcomes = {}
    for method in EXPERIMENTS[name].methods:
        if steps(name, method) > 20:
            continue  # the same program for longer
        record, seen = measured(name, method, folder=tmp_path)
        check_settings(name, method, record, seen)
        outcome = json.dumps([record["metrics"], learned(record)])
        assert outcome not in outcomes, f"{method} runs as {outcomes[outcome]} does"
        outcomes[outcome] = method
    assert outcomes
