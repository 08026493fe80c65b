"""Several processes: the same data in the same order, other mixes, equal metrics, resumption.

The processes are real (CPU, gloo). `two_processes.py` says what they do; here it is compared.
"""

import ast
import io
import os
import re
import socket
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import torch
from two_processes import Mixing, mixed, network, scheduled, train, unmixed

from mixup_lib.training.runtime import group_size, launched, make_runtime, rank
from tools import course

SCRIPT = Path(__file__).with_name("two_processes.py")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]

pytest.importorskip("lightning_fabric")


def start(command, folder, **variables):
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"} | variables,
    )


def finish(process) -> str:
    try:
        told, _ = process.communicate(timeout=600)
    except subprocess.TimeoutExpired:
        process.terminate()  # torchrun ends its processes then
        raise
    assert process.returncode == 0, told[-4000:]
    return told


def findings(folder: Path) -> list[dict]:
    return [torch.load(folder / f"rank{r}.pt", weights_only=False) for r in (0, 1)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("launched")


@pytest.fixture(scope="module")
def ranks(folder):
    """What two processes under torchrun found."""
    command = [*TORCHRUN, "--standalone", "--nproc_per_node=2", SCRIPT, folder]
    finish(start(command, folder))
    return findings(folder)


def equal(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def numbers(rows) -> torch.Tensor:
    return torch.tensor([[v for k, v in row.items() if k != "seconds"] for row in rows])


def test_without_mixes_two_take_the_steps_of_one(ranks):
    one = unmixed()
    for found in ranks:
        torch.testing.assert_close(found["unmixed"]["weights"], one["weights"])
        torch.testing.assert_close(numbers(found["unmixed"]["rows"]), numbers(one["rows"]))


def test_a_schedule_asks_two_as_it_asks_one(ranks):
    one = scheduled()
    for found in ranks:
        torch.testing.assert_close(found["scheduled"], one)


def test_shares_put_together_are_the_batches_of_one_process(ranks):
    together = [torch.cat(shares) for shares in zip(*(r["whole"]["seen"] for r in ranks))]
    one = mixed()["seen"]
    assert [len(batch) for batch in together] == [11, 11, 11, 12] * 3
    assert all(torch.equal(a, b) for a, b in zip(together, one, strict=True))


def test_each_rank_draws_its_own_mixes_and_repeats_them(ranks):
    for what in ("lams", "noise"):
        first, second = (set(r["whole"][what]) for r in ranks)
        assert len(first) == len(second) == 12 and not first & second
    for found in ranks:
        assert found["whole"]["lams"] == found["again"]["lams"]
        assert found["whole"]["rows"] == found["again"]["rows"]
        assert equal(found["whole"]["weights"], found["again"]["weights"])


@pytest.mark.parametrize("n", [1, 7, 45])
def test_evaluation_in_shares_equals_that_of_one_process(ranks, n):
    """Also where shares are uneven, and where one has no example at all."""
    for found in ranks:
        together, alone = found[f"validated{n}"]["together"], found[f"validated{n}"]["alone"]
        assert alone["n"] == n
        for name in ("accuracy", "nll", "ece"):
            assert together[f"validation_{name}"] == pytest.approx(alone[name], abs=1e-6)


def test_all_ranks_return_the_model_that_rank_0_saves(ranks, folder):
    saved = torch.load(folder / "whole0.pt", weights_only=True)
    for found in ranks:
        assert equal(found["again"]["weights"], saved["model"])
        assert found["again"]["training"]
    assert (
        ranks[0]["again"]["rows"]
        == ranks[1]["again"]["rows"]
        == [{k: v for k, v in row.items() if k != "seconds"} for row in saved["rows"]]
    )


def test_an_interrupted_run_resumes_bit_equal_from_rank_0_s_file(ranks, folder):
    for found in ranks:
        assert found["stopped"]["interrupted"] and "rows" not in found["stopped"]
        assert len(found["resumed"]["lams"]) == 8  # the second and third epoch
        assert found["resumed"]["rows"] == found["whole"]["rows"]
        assert equal(found["resumed"]["weights"], found["whole"]["weights"])
    assert sorted(path.name for path in folder.glob("file*")) == ["file0.pt"]
    assert not list(folder.glob("*.tmp")) and not (folder / "whole1.pt").exists()


def test_started_by_fit_it_resumes_what_torchrun_started(ranks, folder, tmp_path):
    (tmp_path / "file0.pt").write_bytes((folder / "interrupted.pt").read_bytes())
    finish(start([sys.executable, SCRIPT, tmp_path, "spawn"], tmp_path))
    found = torch.load(tmp_path / "rank0.pt", weights_only=False)
    assert found["resumed"]["rows"] == ranks[0]["whole"]["rows"]
    assert equal(found["resumed"]["weights"], ranks[0]["whole"]["weights"])
    assert found["resumed"]["training"]


def test_two_nodes_do_what_one_does(ranks, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    nodes = [
        start(
            [
                *TORCHRUN,
                "--nnodes=2",
                "--nproc_per_node=1",
                f"--node_rank={node}",
                "--master_addr=127.0.0.1",
                f"--master_port={port}",
                SCRIPT,
                tmp_path,
                "short",
            ],
            tmp_path,
        )
        for node in (0, 1)
    ]
    for node in nodes:
        finish(node)
    for found, other in zip(findings(tmp_path), ranks, strict=True):
        assert found["whole"]["rows"] == other["whole"]["rows"]
        assert equal(found["whole"]["weights"], other["whole"]["weights"])


def test_another_number_of_processes_is_refused(ranks, folder):
    assert (
        "processes must be 2, as many as the launcher started, or None, got 3"
        in (ranks[0]["refused"])
    )
    with pytest.raises(ValueError, match="processes was '2' and is '1'"):
        train(network(), checkpoint=folder / "whole0.pt", mixing=Mixing())


def test_the_page_s_script_runs_on_two_processes(tmp_path):
    page = (course.ROOT / "book" / "scale.md").read_text()
    script = tmp_path / "scale.py"
    script.write_text(
        next(code for code in re.findall(r"(?s)```python\n(.*?)```", page) if "__main__" in code)
    )
    options = ["--epochs", "2", "--batch_size", "100", "--checkpoint", "run.pt"]
    told = finish(
        start(
            [*TORCHRUN, "--standalone", "--nproc_per_node=2", script, *options],
            tmp_path,
            CUDA_VISIBLE_DEVICES="",
        )
    )
    assert told.count("History(epochs=2, train_loss=") == 1, told
    measured = ast.literal_eval(re.search(r"\{'accuracy'.*?\}", told)[0])
    assert measured["n"] == 500 and measured["accuracy"] > 0.2  # chance is 0.1
    rows = torch.load(tmp_path / "run.pt", weights_only=True)["rows"]
    assert len(rows) == 2 and rows[-1]["validation_nll"] > 0


TORCHRUN_SETS = {"RANK": "9", "WORLD_SIZE": "16", "LOCAL_WORLD_SIZE": "8", "LOCAL_RANK": "1"}
SRUN_SETS = {"SLURM_PROCID": "9", "SLURM_STEP_NUM_TASKS": "16", "SLURM_STEP_NUM_NODES": "2"}


@pytest.mark.parametrize("variables", [TORCHRUN_SETS, SRUN_SETS])
def test_a_launcher_s_group_is_recognised(variables, monkeypatch):
    assert (launched(), rank(), group_size(None), group_size(3)) == (None, 0, 1, 3)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert launched()[:3] == (9, 16, 8)
    assert (rank(), group_size(None), group_size(16)) == (9, 16, 16)
    with pytest.raises(ValueError, match="processes must be 16, .* or None, got 8"):
        group_size(8)
    monkeypatch.delenv(list(variables)[2])
    with pytest.raises(ValueError, match=f"16 is set, but {list(variables)[2]} is not: .*torchrun"):
        launched()
    # One task is no group: a batch script of SLURM, or a container that sets the variables anyway.
    monkeypatch.setenv(list(variables)[1], "1")
    assert (launched(), rank()) == (None, 0)


def test_nodes_with_too_few_devices_or_unlike_ones_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="device must be None, 'cpu' or 'cuda' for processes=2"):
        make_runtime("cpu:0", processes=2)
    monkeypatch.setattr("mixup_lib.training.runtime.default_device", lambda _: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match="2 processes on a node .* this process sees 1"):
        make_runtime(processes=2)
    for name, value in (TORCHRUN_SETS | {"WORLD_SIZE": "12"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    with pytest.raises(ValueError, match="equally many processes: 12 in all, but 8 on this one"):
        make_runtime()


def test_a_notebook_is_told_to_be_a_script(monkeypatch):
    monkeypatch.setattr("lightning_fabric.connector._IS_INTERACTIVE", True)
    with pytest.raises(RuntimeError, match="processes=2 starts new .* put the code into a script"):
        train(network(), processes=2)


def test_another_process_names_a_function_alike():
    code = (
        "from functools import partial\n"
        "from mixup_lib.training.identity import identify\n"
        "from mixup_lib import draw_mixup\n"
        "NAMES = {'b', 'a', 'c'}\n"
        "class C:\n    def __init__(self): self.kept = NAMES, lambda x: x in {'p', 'q', 'r'}\n"
        "f = lambda b, generator: draw_mixup(b, len(NAMES)) or C\n"
        "print(identify('mixing', f), identify('mixing', partial(f, C())))"
    )
    there = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONHASHSEED": "1", "PYTHONPATH": ":".join(filter(None, sys.path))},
    ).stdout
    with redirect_stdout(io.StringIO()) as here:
        exec(code, {"__name__": "__main__"})
    assert os.environ.get("PYTHONHASHSEED") != "1"
    assert here.getvalue() == there and there.count("[") == 2
