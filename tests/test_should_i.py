"""The page "Should I use mixup?": its sessions, its recipes, its sources."""

import os
import re

import numpy as np
import pytest
import sessions
import torch
from torch import nn
from torch.utils.data import TensorDataset

from mixup_lib import evaluate
from tools import literature

os.environ["KERAS_BACKEND"] = "torch"  # read when keras is first imported
TEXT = (sessions.BOOK / "should-i.md").read_text("utf-8")
SHORT, LIBRARIES = TEXT.split("## Which library", 1)
BLOCK = re.compile(r"^(\S[^\n]*)\n\n```python\n(.*?)^```$", re.M | re.S)
NAMES = ["PyTorch alone", "This course's library", "torchvision", "timm", "Lightning", "Keras"]


@pytest.mark.parametrize("code", sessions.sessions("should-i"))
def test_session(code):
    sessions.run(code)


def recipe(name):
    """A recipe's code: that under the paragraph which begins with its name."""
    return next(code for lead, code in BLOCK.findall(LIBRARIES) if lead.startswith(name))


def test_every_recipe_is_short_and_known():
    leads = [lead for lead, _ in BLOCK.findall(LIBRARIES)]
    assert [next(name for name in NAMES if lead.startswith(name)) for lead in leads] == NAMES
    for name in NAMES:
        lines = [line for line in recipe(name).splitlines() if line]
        assert sum(not re.match(r"(import|from) ", line) for line in lines) <= 5, name


def test_the_error_of_the_short_answer_is_the_librarys():
    (code,) = re.findall(r"^```python\n(.*?)^```$", SHORT, re.M | re.S)
    given = {}
    exec(code, given)
    model = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(12, 3))
    data = TensorDataset(torch.rand(700, 3, 2, 2), torch.arange(700) % 3)
    assert given["error"](model, data) == pytest.approx(evaluate(model, data)["error"])
    assert model.training and next(model.parameters()).requires_grad


@pytest.mark.parametrize("name", NAMES[:4])
def test_a_recipe_for_a_loop_trains(name):
    torch.manual_seed(0)
    np.random.seed(0)  # timm draws from it, and may draw a box without a pixel
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 5))
    x, y = torch.rand(8, 3, 8, 8), torch.arange(8) % 5
    before, given = x.clone(), {"model": model, "x": x, "y": y, "alpha": 1.0, "classes": 5}
    exec(recipe(name), given)
    given["loss"].backward()
    assert torch.isfinite(given["loss"]) and model[1].weight.grad.abs().sum() > 0
    plain = nn.functional.cross_entropy(model(before), y)
    assert not torch.isclose(given["loss"], plain), "nothing was mixed"
    # timm mixes the caller's batch in place, and the chapter on libraries says so.
    assert name == "timm" or torch.equal(x, before)


def test_the_recipe_for_lightning_makes_a_callback():
    given = {"alpha": 0.4, "classes": 5}
    exec(recipe("Lightning"), given)
    from mixup_lib.training.lightning import MixupCallback

    (callback,) = given["callbacks"]
    assert isinstance(callback, MixupCallback)


def test_the_recipe_for_keras_mixes_pictures_and_labels():
    pictures, labels = torch.rand(8, 8, 8, 3), nn.functional.one_hot(torch.arange(8) % 5, 5)
    given = {"alpha": 1.0, "pictures": pictures, "one_hot": labels.float()}
    exec(recipe("Keras"), given)
    mixed = torch.as_tensor(given["mixed"]["labels"]).cpu()
    assert torch.allclose(mixed.sum(1), torch.ones(8), atol=1e-5)
    assert ((mixed > 0.01) & (mixed < 0.99)).any()


def test_every_row_and_every_case_has_a_source():
    table = TEXT[TEXT.index("## By situation") : TEXT.index("## Which α")]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 14
    for row in rows:
        assert re.search(r"chapter \d+\]|\{cite:t\}|in this library|neither measured nor read", row)
    clinic = re.split(r"^### ", TEXT[TEXT.index("## Clinic") :], flags=re.M)[1:]
    assert len(clinic) == 10
    for case in clinic:
        assert "*Fix.*" in case, case[:40]
        assert re.search(r"github\.com/|\{cite\}|chapter|errata\.md", case), case[:40]


def test_tables_come_from_what_was_read():
    for name in [name for names in literature.ALPHAS.values() for name in names]:
        assert name in literature.alphas()
    assert "| CIFAR-10, ResNet-18, 400 epochs | +1.45 |" in literature.epochs()
