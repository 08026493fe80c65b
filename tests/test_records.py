"""Every file under results/: known, whole, finite, traceable, and as its experiment says."""

import json
import math
import re
from copy import deepcopy

import pytest

from mixup_lib.basics.naming import canonical
from mixup_lib.evidence import origin, results
from mixup_lib.experiments import EXPERIMENTS

# What is no run: the benchmark and the notebooks' times are checked by their tools' own tests,
# published figures by test_published.py.
OTHER_FILES = {"bench.json", "code.json", "notebook-times.json", "published.json"}

# Records from before the library was committed, how many of each experiment. They name no commit;
# source_sha256 tells which code made them. No other record may lack its commit.
WITHOUT_COMMIT = {
    "airfoil": 60,
    "cifar10-5000": 20,
    "fsdd": 30,
    "heard-schedules": 55,
    "imdb-bilstm": 6,
    "moving-digits": 30,
    "numbers-to-words": 30,
    "rotten-tomatoes-cnn": 20,
    "trec-cnn": 40,
    "uci": 37,
    "uci-long": 10,
}

KEYS = {
    "experiment": str,
    "method": str,
    "seed": int,
    "config": dict,
    "provenance": dict,
    "metrics": dict,
}
PROVENANCE = {
    "date": r"20\d\d-\d\d-\d\d",
    "commit": r"[0-9a-f]{40}",
    "source_sha256": r"[0-9a-f]{64}",
    "mixup_lib": r"\d+\.\d+.*",
    "python": r"3\.\d+\.\d+.*",
    "torch": r"\d+\.\d+.*",
    "torchvision": r"\d+\.\d+.*",
    "numpy": r"\d+\.\d+.*",
    "system": r"\w+",
    "cpu": r".+",
    "cpu_capability": r".+",
}
SHARES = ("accuracy", "error", "ece", "exact_match", "token_accuracy")
FOLDERS = sorted(path for path in results.folder().iterdir() if path.is_dir())


def files(experiment):
    return sorted((results.folder() / experiment).glob("*.json"))


def loaded(experiment):
    return [json.loads(file.read_text("utf-8")) for file in files(experiment)]


def numbers(value):
    """All numbers in nested lists and dictionaries; a bool is none."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def trained(record):
    """The parts of a record that tell of a training: the record itself, or one for each table."""
    return list(record["parts"].values()) if "parts" in record else [record]


def check(record, experiment):
    """Asserts all that a record must hold, one sentence each."""
    for key, kind in KEYS.items():
        assert type(record.get(key)) is kind, key
    assert record["experiment"] == experiment.name
    assert (record["method"], record["seed"]) in experiment.runs()
    config = experiment.config | {"method": experiment.methods[record["method"]]}
    if "device" in config:  # chosen for each run; the oldest records have the experiment's own
        config["device"] = record["provenance"].get("device", config["device"])
    assert canonical(json.dumps(record["config"], sort_keys=True)) == canonical(
        json.dumps(config, sort_keys=True)
    ), "config is not the experiment's"
    assert all(map(math.isfinite, numbers(record))), "a number is not finite"
    check_provenance(record["provenance"])
    assert "test" in record["metrics"] or len(record["metrics"]) > 1, "no part was measured"
    for part, measured in record["metrics"].items():
        assert measured and set(map(type, measured.values())) <= {int, float}, part
        assert all(0 <= measured[name] <= 1 for name in SHARES if name in measured), part
        if {"accuracy", "error"} <= set(measured):
            assert math.isclose(measured["accuracy"] + measured["error"], 1, abs_tol=2e-6), part
        assert measured.get("n", 1) >= 1 and isinstance(measured.get("n", 1), int), part
    for part in trained(record):
        assert part["parameters"] > 0 and isinstance(part["parameters"], int)
        assert part["seconds"]["training"] >= 0
        assert re.fullmatch(r"[0-9a-f]{64}", part["data_checksum"])


def check_provenance(provenance):
    for key, pattern in PROVENANCE.items():
        value = provenance[key]
        if key == "commit" and value is None:
            continue
        assert isinstance(value, str) and re.fullmatch(pattern, value), f"{key}: {value!r}"
    assert provenance["threads"] >= 1 and provenance["cores"] >= 1
    assert provenance["gpu"] is None or provenance["gpu"].strip()
    assert not re.search(r"/home/|/root/|/Users/|[A-Z]:\\\\", json.dumps(provenance))


def test_results_hold_experiments_and_nothing_else():
    base = results.folder()
    assert {folder.name for folder in FOLDERS} <= set(EXPERIMENTS), "an unlisted experiment"
    others = {path.name for path in base.iterdir() if not path.is_dir()}
    assert others == OTHER_FILES
    for folder in FOLDERS:
        named = {results.path(folder.name, *run).name for run in EXPERIMENTS[folder.name].runs()}
        # A hidden file is that of a run that goes on just now.
        there = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
        assert there, f"{folder.name} is empty"
        assert there <= named, f"stray files: {there - named}"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_record_is_whole(folder):
    for file, record in zip(files(folder.name), loaded(folder.name), strict=True):
        assert file == results.path(folder.name, record["method"], record["seed"])
        try:
            check(record, EXPERIMENTS[folder.name])
        except (AssertionError, KeyError) as error:
            raise AssertionError(f"{folder.name}/{file.name}: {error}") from error


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_methods_of_a_seed_share_their_data(folder):
    found = {}
    for record in loaded(folder.name):
        sums = tuple(part["data_checksum"] for part in trained(record))
        # Where methods differ in their data by design, those of one field or size are compared.
        own = record["config"]["method"]
        data = (record["seed"], own.get("field"), own.get("labels"))
        found.setdefault(data, set()).add(sums)
    assert all(len(sums) == 1 for sums in found.values())


def test_only_the_oldest_records_name_no_commit():
    counts = {}
    for folder in FOLDERS:
        nameless = sum(r["provenance"]["commit"] is None for r in loaded(folder.name))
        if nameless:
            counts[folder.name] = nameless
    assert counts == WITHOUT_COMMIT, "record a run from a commit: git commit, then run it"


# Records that no commit explains; there may be fewer.
UNKNOWN = {
    "airfoil": 60,
    "cifar10-5000": 20,
    "fsdd": 30,
    "imdb-bilstm": 6,
    "moving-digits": 30,
    "numbers-to-words": 30,
    "rotten-tomatoes-cnn": 20,
    "trec-cnn": 8,
}


def test_the_code_of_every_other_record_is_in_the_history():
    found = origin.records()
    try:
        with origin.Repository(results.folder().parent) as history:
            known = origin.search(history, found, thorough=False)
    except RuntimeError as error:
        pytest.skip(str(error))
    told = origin.origins(found, known)
    assert told == origin.origins(found, origin.remembered().of(found)), (
        "results/code.json is not up to date: python -m mixup_lib.experiments --verify"
    )
    counts = origin.unknown()
    assert counts.keys() <= UNKNOWN.keys()
    assert all(counts[name] <= UNKNOWN[name] for name in counts), counts


def test_records_of_one_code_from_two_commits_keep_their_own():
    first = deepcopy(loaded("cifar10-when")[0])
    second = deepcopy(first)
    second["provenance"]["commit"] = "f" * 40
    digest = first["provenance"]["source_sha256"]
    for either in (first, second):
        told = origin.origins([first, second], {digest: either["provenance"]["commit"]})
        assert [one.commit for one in told] == [first["provenance"]["commit"], "f" * 40]


def test_code_that_is_in_no_commit_is_told(tmp_path):
    record = deepcopy(loaded("cifar10-when")[0])
    with pytest.raises(RuntimeError, match="no git history in"), origin.Repository(tmp_path):
        pass
    try:
        history = origin.Repository(results.folder().parent)
    except RuntimeError as error:
        pytest.skip(str(error))
    nameless, changed, elsewhere = deepcopy(record), deepcopy(record), deepcopy(record)
    nameless["provenance"]["commit"] = None
    changed["provenance"]["source_sha256"] = "0" * 64
    elsewhere["provenance"] |= {"commit": "1" * 40, "source_sha256": "2" * 64}
    found = [record, nameless, changed, elsewhere]
    with history:
        history.touching = [record["provenance"]["commit"]]
        known = origin.search(history, found)
    named = record["provenance"]["commit"]
    assert [one.commit for one in origin.origins(found, known)] == [named, named, None, None]
    assert "other sources" in origin.origins(found, known)[2].why


DAMAGE = {
    "another seed": lambda r: r.update(seed=10_000),
    "a boolean seed": lambda r: r.update(seed=True),
    "another setting": lambda r: r["config"].update(epochs=r["config"]["epochs"] + 1),
    "no provenance": lambda r: r.pop("provenance"),
    "a short commit": lambda r: r["provenance"].update(commit="42e3df5"),
    "no version": lambda r: r["provenance"].update(torch=""),
    "a path": lambda r: r["provenance"].update(cpu="AMD in /home/" + "someone"),
    "an error that is no share": lambda r: r["metrics"]["test"].update(error=47.2),
    "a sum that is not one": lambda r: r["metrics"]["test"].update(error=0.5, accuracy=0.6),
    "nothing measured": lambda r: r.update(metrics={}),
    "text for a number": lambda r: r["metrics"]["test"].update(error="0.3"),
    "an infinite number": lambda r: r["history"]["train_loss"].append(math.inf),
    "no time": lambda r: r.pop("seconds"),
    "no parameters": lambda r: r.update(parameters=0),
    "no checksum": lambda r: r.update(data_checksum="?"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_record_is_found(damage):
    record = loaded("cifar10-5000")[0]
    experiment = EXPERIMENTS["cifar10-5000"]
    check(record, experiment)
    broken = deepcopy(record)
    damage(broken)
    with pytest.raises((AssertionError, KeyError)):
        check(broken, experiment)
