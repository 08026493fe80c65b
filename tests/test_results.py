"""Records: whole or absent, traceable, and silent about machine and user."""

import getpass
import json
import os
import platform
from pathlib import Path

import pytest

from mixup_lib.evidence import results
from mixup_lib.evidence.choice import best_tries


def record(seed=0, **more):
    return {"experiment": "toy", "method": "mixup", "seed": seed, "curve": [1, 2.5, 3]} | more


def test_saved_is_loaded_in_order(tmp_path):
    for method, seed in (("plain", 1), ("mixup", 10), ("plain", 0), ("mixup", 2)):
        results.save(record(seed, method=method), tmp_path)
    found = [(r["method"], r["seed"]) for r in results.load("toy", tmp_path)]
    assert found == [("mixup", 2), ("mixup", 10), ("plain", 0), ("plain", 1)]
    assert results.exists("toy", "plain", 1, tmp_path)
    assert not results.exists("toy", "plain", 2, tmp_path)
    text = (tmp_path / "toy" / "mixup-seed2.json").read_text()
    assert '"curve": [1, 2.5, 3]' in text
    assert json.loads(text) == record(2)


def test_text_that_looks_like_a_list_is_kept(tmp_path):
    odd = record(note="[\n a,  b\n ] λ", nested=[[1, 2], ["x  y"]], empty=[])
    file = results.save(odd, tmp_path)
    assert json.loads(file.read_text(encoding="utf-8")) == odd


@pytest.mark.parametrize("links", [True, False])
def test_a_record_is_never_overwritten(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", fail)
    file = results.save(record(), tmp_path)
    assert results.save(record(), tmp_path) == file  # the very same
    before = file.read_text()
    with pytest.raises(FileExistsError, match=r"mixup-seed0\.json is recorded .* remove the file"):
        results.save(record(curve=[]), tmp_path)
    assert file.read_text() == before
    assert list(file.parent.iterdir()) == [file]


def fail(*args):
    raise OSError("disk full")


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", fail)
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        results.save(record(), tmp_path)
    assert not list((tmp_path / "toy").iterdir())


def test_numbers_that_json_lacks_are_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        results.save(record(curve=[float("nan")]), tmp_path)
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("../up", "plain", 0), "experiment must consist of .* got '../up'"),
        (("toy", "Mix Up", 0), "method must consist of .* got 'Mix Up'"),
        (("toy", "plain", -1), "seed must be at least 0, got -1"),
    ],
)
def test_names_are_file_names(names, words):
    with pytest.raises(ValueError, match=words):
        results.path(*names)


def test_nothing_recorded_says_what_is(tmp_path):
    results.save(record(), tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no record of .* 'other'; recorded are \['toy'\]"):
        results.load("other", tmp_path)


def test_provenance_names_versions_and_hardware_but_no_host_user_or_path():
    found = results.provenance()
    assert {"date", "commit", "python", "torch", "torchvision", "numpy", "cpu"} <= set(found)
    assert found["threads"] >= 1
    assert len(found["source_sha256"]) == 64
    text = json.dumps(found)
    secrets = {platform.node(), str(Path.home()), os.getcwd()}
    if getpass.getuser() not in platform.platform():
        secrets.add(f"/{getpass.getuser()}")
    assert not [secret for secret in secrets if len(secret) > 3 and secret in text]


def test_folder_is_the_repositorys():
    assert results.folder().name == "results"
    assert (results.folder().parent / "pyproject.toml").exists()


def test_the_try_that_counts_is_chosen_on_validation_data():
    def record(method, seed, nll, error, test):
        metrics = {"validation": {"nll": nll, "error": error}, "test": test}
        return {"method": method, "seed": seed, "metrics": metrics}

    runs = [
        record("plain-0.1", 0, 0.5, 0.2, 1),
        record("a-b-0.2", 0, 0.4, 0.1, 2),
        record("a-b-0.4", 0, 0.3, 0.1, 9),
        record("plain-0.2", 0, 0.4, 0.2, 3),
        # Without its sister at this seed, it has no say.
        record("plain-0.2", 1, 9.0, 0.9, 4),
    ]

    def counts(*metrics):
        found = best_tries(runs, *metrics)
        return [(r["method"], r["try"], r["seed"], r["metrics"]["test"]) for r in found]

    plain = [("plain", "plain-0.2", 0, 3), ("plain", "plain-0.2", 1, 4)]
    assert counts() == [*plain, ("a-b", "a-b-0.4", 0, 9)]
    assert counts("error", "nll") == counts()
    assert counts("error") == [("plain", "plain-0.1", 0, 1), ("a-b", "a-b-0.2", 0, 2)]
    with pytest.raises(KeyError, match="ece"):
        best_tries(runs, "ece")
    with pytest.raises(ValueError, match="share no seed"):
        best_tries([runs[0], runs[4]])
