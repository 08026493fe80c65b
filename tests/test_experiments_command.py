"""``python -m mixup_lib.experiments``, with toy experiments in place of the real ones.

As a script, this file is that command with the toys: what the tests kill, and start twice.
"""

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from torch.utils.data import TensorDataset

from mixup_lib import draw_mixup, fit
from mixup_lib.basics.seeds import initialised
from mixup_lib.datasets import digits
from mixup_lib.evidence import results
from mixup_lib.experiments import EXPERIMENTS, Experiment, __main__
from mixup_lib.experiments.runner import of_training
from mixup_lib.models import MLP
from mixup_lib.training.evaluation import evaluate
from tests.committed import COMMITTED
from tools import course

LOG, SLEEP = "MIXUP_TEST_LOG", "MIXUP_TEST_SLEEP"
METHODS = {"plain": {}, "mixup": {"mixing": partial(draw_mixup, alpha=1.0)}}
EPOCHS, STEPS = 6, 4


def slow_noise(x, generator):
    """An augmentation that notes each step and takes its time."""
    with open(os.environ[LOG], "a") as log:
        log.write(".")
    time.sleep(float(os.environ.get(SLEEP, "0")))
    return x + 0.1 * torch.randn(x.shape, generator=generator)


slow_noise.__module__ = "toy"  # a checkpoint names it, and is read here and in the script


def measure(config, method, seed, checkpoint):
    with open(os.environ[LOG] + "-runs", "a") as log:
        log.write(f"{method}{seed} ")
    with open(os.environ[LOG] + "-processes", "a") as log:
        log.write(f"{os.getpid()} ")
    splits = digits(seed=seed)
    x, y = (tensor[: 50 * STEPS] for tensor in splits.train.tensors)
    model = initialised(partial(MLP, 64, 16, 10), seed)
    history = fit(
        model,
        TensorDataset(x.flatten(1), y),
        epochs=EPOCHS,
        batch_size=50,
        augment=slow_noise,
        seed=seed,
        checkpoint=checkpoint,
        device="cpu",
        **METHODS[method],
    )
    x, y = splits.test.tensors
    test = evaluate(model, TensorDataset(x.flatten(1), y))
    return {"metrics": {"test": test}} | of_training(model, history)


if __name__ == "__main__" or multiprocessing.parent_process():  # the command, or a worker of it
    results._state = lambda: COMMITTED

TOY = Experiment("toy", "a toy", {"device": "cpu"}, dict.fromkeys(METHODS, {}), (0, 1), measure)


@pytest.fixture
def main(tmp_path, monkeypatch):
    """The command in this process, recording in a folder of its own."""
    monkeypatch.setenv(LOG, str(tmp_path / "log"))
    monkeypatch.setitem(EXPERIMENTS, "toy", TOY)
    monkeypatch.setattr(results, "_state", lambda: COMMITTED)
    return lambda *words: __main__.main([*words, "--results", str(tmp_path / "results")])


def start(folder: Path, *words: str, sleep: float) -> subprocess.Popen:
    environment = os.environ | {LOG: str(folder / "log"), SLEEP: str(sleep)}
    command = [sys.executable, "-m", "tests.test_experiments_command", *words]
    return subprocess.Popen(
        [*command, "--results", str(folder / "results")],
        cwd=course.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def measured(folder: Path) -> list[dict]:
    """The toy's records without what differs between two runs: seconds and provenance."""
    records = results.load("toy", folder / "results")
    return [{k: v for k, v in r.items() if k not in ("seconds", "provenance")} for r in records]


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_ends_at_the_same_numbers(tmp_path, main, number):
    interrupted = tmp_path / "interrupted"
    interrupted.mkdir()
    log = interrupted / "log"
    process = start(interrupted, "toy", "--seeds", "0", "--methods", "mixup", sleep=0.05)
    deadline = time.monotonic() + 120
    while not (log.exists() and len(log.read_text()) > 3 * STEPS):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (143 if number == signal.SIGTERM else -number)
    assert "Traceback" not in said
    (checkpoint,) = interrupted.rglob("mixup-seed0.pt")
    assert not list(interrupted.rglob("*.json"))

    log.unlink()
    os.environ[LOG] = str(log)  # the fixture restores it
    words = ["toy", "--seeds", "0", "--methods", "mixup"]
    assert __main__.main([*words, "--results", str(interrupted / "results")]) == 0
    assert 0 < len(log.read_text()) <= (EPOCHS - 3) * STEPS  # three epochs were not done again
    assert not checkpoint.exists()
    assert main(*words) == 0
    assert measured(interrupted) == measured(tmp_path)
    resumed, whole = (
        results.load("toy", folder / "results")[0] for folder in (interrupted, tmp_path)
    )
    assert "run" in whole["seconds"] and "run" not in resumed["seconds"]  # it saw only its end


def test_two_commands_side_by_side_share_the_runs(tmp_path, main):
    both = [start(tmp_path, "toy", sleep=0.02) for _ in range(2)]
    for process in both:
        said = process.communicate(timeout=120)
        assert process.returncode in (0, 1) and "rror" not in said[1], said
    assert main("toy") == 0
    runs = (tmp_path / "log-runs").read_text().split()
    assert sorted(runs) == ["mixup0", "mixup1", "plain0", "plain1"]
    assert len(measured(tmp_path)) == 4


def test_workers_share_the_runs(tmp_path, main):
    assert main("toy", "--workers", "2") == 0
    runs, processes = (
        (tmp_path / f"log-{what}").read_text().split() for what in ("runs", "processes")
    )
    assert sorted(runs) == ["mixup0", "mixup1", "plain0", "plain1"]
    assert str(os.getpid()) not in processes
    records = results.load("toy", tmp_path / "results")
    assert len(records) == 4
    assert {record["provenance"]["threads"] for record in records} == {1}


def test_a_closed_pipe_ends_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "mixup_lib.experiments", "trec-cnn", "--dry-run"]
    done = subprocess.run(
        command,
        check=False,
        cwd=course.ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_an_interrupt_says_that_nothing_is_lost(monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(__main__, "main", interrupted)
    assert __main__.script() == 130
    signal.signal(signal.SIGTERM, before)
    assert "the same command goes on from here" in capsys.readouterr().err


def test_the_list_says_what_is_recorded_and_how_long_it_takes(main, capsys):
    assert main() == 0
    told = capsys.readouterr().out
    assert re.search(r"(?m)^cifar10-5000 +0 of +20 +\d+ h \d\d min +CIFAR-10 with 5,000", told)
    assert re.search(r"(?m)^toy +0 of +4 +not known +a toy", told)
    assert __main__.main([]) == 0
    assert re.search(r"(?m)^trec-cnn +40 of +40 +\d+ (h|min)", capsys.readouterr().out)


def test_a_part_is_run_and_what_is_there_is_skipped(main, tmp_path, capsys):
    assert main("toy", "--methods", "plain", "--seeds", "0") == 0
    told = capsys.readouterr().out
    assert "toy: 1 of 1 runs to do, time: not known (no run of it" in told
    assert main("toy", "--dry-run") == 0
    told = capsys.readouterr().out
    assert "toy: 3 of 4 runs to do, time: about" in told
    assert "toy plain seed 0: recorded\n" in told and "toy mixup seed 1: to do\n" in told
    assert len(measured(tmp_path)) == 1
    assert main("toy", "--seeds", "0-1") == 0
    assert len((tmp_path / "log-runs").read_text().split()) == len(measured(tmp_path)) == 4
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    assert main("toy") == 0
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}


@pytest.mark.parametrize(
    "words, message",
    [
        (["no-such"], "no experiment 'no-such'; there are cifar10-5000, "),
        (["toy", "--methods", "cutmix"], "toy has no method cutmix; there are plain, mixup"),
        (["toy", "--seeds", "0-9"], "toy has no seed 2; there are 0, 1"),
        (["toy", "--seeds", "a"], "--seeds: must be numbers such as 0-2,4, got 'a'"),
        (["toy", "--seeds", "3-1"], "--seeds: must count upwards, got '3-1'"),
        (["toy", "--methods", ","], "--methods: must be names with commas between them, got ','"),
        (["toy", "--workers", "0"], "--workers: must be an integer of at least 1, got '0'"),
        (["toy", "--threads", "x"], "--threads: must be an integer of at least 1, got 'x'"),
        (["toy", "--device", "none"], "device must be a device of this machine"),
        (["airfoil", "--device", "meta"], "device must be 'cpu' for airfoil, got 'meta'"),
    ],
)
def test_a_wrong_command_line(main, capsys, words, message):
    with pytest.raises(SystemExit) as end:
        main(*words)
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_without_a_repository_a_folder_must_be_named(main, monkeypatch, capsys):
    monkeypatch.setattr(results, "in_repository", lambda: False)
    with pytest.raises(SystemExit):
        __main__.main(["toy"])
    assert "name a folder with --results FOLDER" in capsys.readouterr().err


def test_missing_data_and_a_folder_of_no_use_are_said(main, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MIXUP_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MIXUP_MIRRORS", (tmp_path / "nowhere").as_uri())
    assert main("trec-cnn", "--methods", "plain", "--seeds", "0") == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ") and "TREC" in said and "MIXUP_DATA" in said
    (tmp_path / "file").touch()
    assert __main__.main(["toy", "--results", str(tmp_path / "file")]) == 1
    said = capsys.readouterr().err
    assert said == f"error: results can't be written to {tmp_path}/file/toy: Not a directory\n"


def test_help_explains_every_option(capsys):
    with pytest.raises(SystemExit):
        __main__.main(["--help"])
    told = capsys.readouterr().out
    for action in __main__.parser()._actions:
        assert action.help and all(name in told for name in action.option_strings)
    assert "MIXUP_DATA" in told and "exit status" in told


def test_records_are_json_that_other_programs_read(main, tmp_path):
    main("toy", "--methods", "plain", "--seeds", "0")
    (file,) = tmp_path.rglob("*.json")
    record = json.loads(file.read_text(), parse_constant=pytest.fail)
    assert record["provenance"]["device"] == "cpu"


if __name__ == "__main__":
    EXPERIMENTS["toy"] = TOY
    sys.exit(__main__.script())
