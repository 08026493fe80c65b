"""The runner: order, skipping, resuming, and the records in the repository."""

import importlib
import json
import math
import os
from dataclasses import replace
from pathlib import Path

import pytest

from mixup_lib import History
from mixup_lib.basics.naming import canonical
from mixup_lib.evidence import results
from mixup_lib.experiments import EXPERIMENTS, Experiment, cifar10_5000, run, run_one
from mixup_lib.experiments.runner import alone, of_training
from mixup_lib.models import MLP
from tests.committed import BLOBS, COMMITTED

LOG = "MIXUP_TEST_LOG"


def measure(config, method, seed, checkpoint):
    """Stands in for training."""
    Path(os.environ[LOG]).open("a").write(f"{method}{seed} ")
    if method == os.environ.get("MIXUP_TEST_BREAK"):
        raise KeyboardInterrupt
    return {"metrics": {"test": {"accuracy": 0.5}}}


TOY = Experiment("toy", "a toy", {"epochs": 1}, {"plain": {}, "mixup": {"k": 2}}, (0, 1), measure)


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setenv(LOG, str(tmp_path / "log"))
    monkeypatch.setattr(results, "_state", lambda: COMMITTED)
    return tmp_path / "log"


def test_runs_seed_by_seed_resumes_and_skips(tmp_path, log, monkeypatch):
    root, told = tmp_path / "results", []
    monkeypatch.setenv("MIXUP_TEST_BREAK", "mixup")
    with pytest.raises(KeyboardInterrupt):
        run(TOY, root=root, tell=told.append)
    monkeypatch.delenv("MIXUP_TEST_BREAK")
    run(TOY, root=root, tell=told.append)
    assert log.read_text().split() == ["plain0", "mixup0", "mixup0", "plain1", "mixup1"]
    assert told[1] == "toy plain seed 0: recorded after 0.0 minutes" or told[0].endswith("4 to do")
    assert "toy: 1 runs recorded, 3 to do" in told
    told.clear()
    run(TOY, root=root, tell=told.append)
    assert told == ["toy: 4 runs recorded, 0 to do"]
    assert run_one(TOY, "plain", 0, root) is None
    assert len(log.read_text().split()) == 5
    record = results.load("toy", root)[0]
    assert record["config"] == {"epochs": 1, "method": {"k": 2}, "device": "cpu"}
    assert {"provenance", "metrics", "seed", "method", "experiment"} <= set(record)
    assert record["seconds"]["run"] >= 0


def test_what_a_run_imports_late_must_be_as_committed(tmp_path, log, monkeypatch):
    late, file = "mixup_lib.measures.cost", "measures/cost.py"
    importlib.import_module(late)
    names, digest = results._noted()
    monkeypatch.setattr(results, "_noted", lambda: (names - {late}, digest))
    for blobs in (BLOBS | {file: "0" * 40}, {k: v for k, v in BLOBS.items() if k != file}):
        monkeypatch.setattr(results, "_state", lambda blobs=blobs: COMMITTED._replace(blobs=blobs))
        with pytest.raises(results.UntraceableError, match=f"imported files that .*: {file}. Put"):
            run_one(TOY, "plain", 0, tmp_path)
        assert not list(tmp_path.rglob("*.json"))
    monkeypatch.setattr(results, "_state", lambda: COMMITTED)
    assert run_one(TOY, "plain", 0, tmp_path).exists()


def test_git_s_hashes_are_those_of_the_committed_files():
    if (state := results._state()) is None:
        pytest.skip("no repository")
    known = {path: blob for path, blob in BLOBS.items() if f"mixup_lib/{path}" not in state.changed}
    assert len(known) > 50 and known.items() <= state.blobs.items()


def test_bad_arguments(tmp_path):
    with pytest.raises(ValueError, match="no run .*'cutmix', 0.* methods are .*'plain', 'mixup'"):
        run_one(TOY, "cutmix", 0, tmp_path)
    with pytest.raises(ValueError, match="workers must be .* got 0"):
        run(TOY, workers=0)
    with pytest.raises(ValueError, match="device must be a device of this machine.* got 'none'"):
        run(TOY, root=tmp_path, device="none")
    with pytest.raises(ValueError, match="device must be 'cpu' for toy, got 'meta'"):
        run(replace(TOY, cpu_only=True), root=tmp_path, device="meta")


def test_a_folder_that_takes_no_files_is_named_before_any_work(tmp_path, log):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"results can't be written to .*file/toy: Not a directory"):
        run(TOY, root=tmp_path / "file", tell=lambda line: None)
    assert not log.exists()


def test_the_device_is_recorded_and_the_settings_are_as_before(tmp_path, log):
    def measure(config, *_):
        seen = config["device"]
        config["epochs"] += 1  # its own copy: neither the experiment's nor the record's
        return {"seen": seen}

    toy = replace(TOY, config={"device": "cpu", "epochs": 1}, measure=measure)
    run(toy, root=tmp_path, runs=[("plain", 0)], device="meta", tell=lambda line: None)
    (record,) = results.load("toy", tmp_path)
    assert record["seen"] == record["config"]["device"] == record["provenance"]["device"] == "meta"
    assert toy.config == {"device": "cpu", "epochs": 1} and record["config"]["epochs"] == 1


def test_what_another_process_is_at_is_left_to_it(tmp_path, log):
    told = []
    with alone(tmp_path / "toy" / ".mixup-seed0.lock"):
        with pytest.raises(BlockingIOError):
            run_one(TOY, "mixup", 0, tmp_path)
        assert run(TOY, root=tmp_path, tell=told.append) == 1
    assert "toy mixup seed 0: another process is at it" in told
    assert log.read_text().split() == ["plain0", "plain1", "mixup1"]
    assert run(TOY, root=tmp_path, tell=told.append) == 0
    assert len(results.load("toy", tmp_path)) == 4


def test_half_files_of_a_killed_process_are_removed(tmp_path, log):
    places = ("toy/.plain-seed0.json.99.tmp", "c/toy/.plain-seed0.pt.9.tmp")
    left = [tmp_path / place for place in places]
    for file in left:
        file.parent.mkdir(parents=True)
        file.touch()
    run_one(TOY, "plain", 0, tmp_path, tmp_path / "c")
    assert not [file for file in left if file.exists()]
    assert [file.name for file in (tmp_path / "toy").iterdir()] == ["plain-seed0.json"]


def test_progress_counts_runs(tmp_path, log, monkeypatch, capsys):
    monkeypatch.delenv("TQDM_DISABLE")
    run_one(TOY, "plain", 0, tmp_path)
    run(TOY, root=tmp_path, progress=True, tell=lambda line: None)
    shown = capsys.readouterr().err
    assert "1/4" in shown and "3/4" in shown and "toy" in shown


def test_cifar_methods_differ_in_one_setting_each():
    experiment = EXPERIMENTS["cifar10-5000"]
    assert list(experiment.methods) == ["plain", "mixup", "cutmix", "label-smoothing"]
    assert experiment.runs()[:5] == [(m, 0) for m in experiment.methods] + [("plain", 1)]
    assert all(len(settings) <= 1 for settings in cifar10_5000.METHODS.values())
    assert "draw_mixup(alpha=1.0)" in experiment.methods["mixup"]["mixing"]
    choice = experiment.config["learning_rate_choice"]
    best = max(zip(choice["validation_accuracy"], choice["lr"], strict=True))[1]
    assert experiment.config["optimizer"]["lr"] == best
    assert choice["seed"] not in experiment.seeds


def test_recorded_cifar_runs_are_whole():
    experiment = EXPERIMENTS["cifar10-5000"]
    try:
        records = results.load("cifar10-5000")
    except FileNotFoundError:
        pytest.skip("not recorded")
    assert {(r["method"], r["seed"]) for r in records} <= set(experiment.runs())
    shared = {"data_checksum", "parameters"}
    assert all(len({r[name] for r in records}) == 1 for name in shared)
    for record in records:
        settings = {"method": experiment.methods[record["method"]]}
        assert same(record["config"]) == same(experiment.config | settings)
        test, history = record["metrics"]["test"], record["history"]
        assert test["n"] == 10_000
        assert 0.5 < test["accuracy"] < record["metrics"]["train"]["accuracy"] <= 1
        assert len(history["train_loss"]) == experiment.config["epochs"]
        assert history["validation_accuracy"][-1] == record["metrics"]["validation"]["accuracy"]


def test_a_record_keeps_the_curves_that_json_can_hold():
    model = MLP(4, 3, 2)
    rows = [
        {"epoch": e, "train_loss": 1 / e, "mixed_accuracy": math.nan, "seconds": 0.25}
        for e in (1, 2)
    ]
    record = of_training(model, History(rows))
    assert record["history"] == {"validated_epochs": [], "train_loss": [1.0, 0.5]}
    assert record["fit"] == {}
    rows[1] |= {"validation_accuracy": 0.5, "validation_nll": 0.7}
    record = of_training(model, History(rows))
    assert record["history"]["validated_epochs"] == [2]
    assert record["history"]["validation_nll"] == [0.7]
    assert record["seconds"] == {"training": 0.5} and record["parameters"] == 4 * 3 + 3 + 3 * 2 + 2


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_recorded_runs_belong_to_the_experiment(name):
    """Methods, seeds and settings as they are written down now."""
    experiment = EXPERIMENTS[name]
    if not (results.folder() / name).exists():
        pytest.skip("not recorded yet")
    for record in results.load(name):
        assert (record["method"], record["seed"]) in experiment.runs()
        assert same(record["config"]["method"]) == same(experiment.methods[record["method"]])
        config = json.loads(json.dumps(experiment.config))
        config.pop("device", None)  # each run's own
        assert {key: record["config"].get(key) for key in config} == config


def same(settings):
    """As they are read today, whatever the files were called when they were recorded."""
    return json.loads(canonical(json.dumps(settings)))
