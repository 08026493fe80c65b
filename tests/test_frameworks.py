"""Chapter 14's programs run as they are printed, and mix."""

import os
import re
import sys
import warnings

import pytest
import torch

os.environ["KERAS_BACKEND"] = "torch"  # read when keras is first imported

from tools import course  # noqa: E402

TAB = re.compile(r"^:::\{tab-item\} (.+?)\n```python\n(.*?)^```\n:::$", re.M | re.S)
NOTEBOOK = course.read(course.NOTEBOOKS / "14_frameworks.ipynb")
PROGRAMS = dict(TAB.findall(next(c.source for c in NOTEBOOK.cells if c.id == "tabs")))


def test_all_six_are_there():
    names = ["PyTorch alone", "mixup_lib", "torchvision", "timm", "Keras", "Lightning"]
    assert list(PROGRAMS) == names


def run(code):
    """The program's names after it ran."""
    here = {"__name__": "program"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        exec(compile(code, "program", "exec"), here)
    return here


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_runs_and_learns(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # Lightning writes logs and checkpoints
    here = run(PROGRAMS[name])
    if name == "Lightning":
        assert here["trainer"].global_step == 8
    else:
        assert 0 < torch.as_tensor(here["loss"]).item() < 10
    assert all(torch.isfinite(parameter).all() for parameter in here["model"].parameters())


@pytest.mark.parametrize("name", ["torchvision", "timm"])
def test_last_batch_is_soft(name):
    y = run(PROGRAMS[name])["y"]
    torch.testing.assert_close(y.sum(1), torch.ones(64))
    assert (y.topk(2).values[:, 1] > 0.02).any()  # above what timm's label smoothing adds


def test_program_in_plain_torch_mixes():
    here = run(PROGRAMS["PyTorch alone"])
    assert 0 < here["lam"] < 1
    assert sorted(here["partner"].tolist()) == list(range(64))


def test_keras_program_mixes():
    x, y = next(iter(run(PROGRAMS["Keras"])["loader"]))
    assert x.shape == (64, 16, 16, 3)
    torch.testing.assert_close(y.sum(1), torch.ones(64))
    assert ((y > 0).sum(1) == 2).any()


def test_lightning_program_mixes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = run(PROGRAMS["Lightning"])
    callback = next(c for c in here["trainer"].callbacks if type(c) is here["MixupCallback"])
    assert len(callback.mix) == 64
    assert 0 < callback.mix.lam[0] < 1


def test_programs_need_nothing_but_their_imports():
    # So that a reader can take one without the rest of the course.
    for name in ("PyTorch alone", "torchvision", "timm", "Keras"):
        assert "mixup_lib" not in PROGRAMS[name]


def test_keras_runs_on_torch():
    run(PROGRAMS["Keras"])
    assert sys.modules["keras"].backend.backend() == "torch"
