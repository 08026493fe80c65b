"""A run that breaks off and is resumed ends bit-equal; another run's file is refused."""

from functools import partial

import pytest
import torch
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from mixup_lib import draw_mixup
from mixup_lib.basics.naming import describe
from mixup_lib.basics.seeds import initialised
from mixup_lib.models import MLP, SmallCNN
from mixup_lib.training.augment import chain, crop, flip
from mixup_lib.training.fitting import cosine, fit

G = torch.Generator().manual_seed(0)
DATA = TensorDataset(torch.rand(50, 1, 8, 8, generator=G), torch.arange(50) % 4)


class Interrupted(Exception):
    pass


class Breaking:
    """A mixing that raises at one call, as if the machine had gone down there."""

    def __init__(self, at=None):
        self.left = at

    def __repr__(self):
        return "Breaking"

    def __call__(self, batch_size, generator):
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Interrupted
        return draw_mixup(batch_size, generator=generator)


def run(path=None, mixing=None, **changes):
    model = initialised(lambda: SmallCNN(1, 4, width=4, dropout=0.3), 0)
    made = []

    def optimizer(parameters):
        made.append(torch.optim.AdamW(parameters, lr=0.01))
        return made[0]

    settings = {
        "epochs": 4,
        "batch_size": 16,
        "mixing": mixing or Breaking(),
        "schedule": cosine,
        "augment": chain(crop, flip),
        "optimizer": optimizer,
        "validation": DATA,
    }
    history = fit(model, DATA, checkpoint=path, **(settings | changes))
    return model, (made or [None])[0], history


def flat(state):
    """All tensors and numbers of a nested state."""
    if isinstance(state, dict):
        return [item for key in sorted(state, key=str) for item in flat(state[key])]
    if isinstance(state, list | tuple):
        return [item for part in state for item in flat(part)]
    return [state]


def equal(a, b):
    a, b = flat(a), flat(b)
    return len(a) == len(b) and all(
        torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y
        for x, y in zip(a, b, strict=True)
    )


def rows(history):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history.rows]


@pytest.mark.parametrize("at", [2, 4, 10, 15])
def test_resumed_is_bit_equal(tmp_path, at):
    whole, optimizer, history = run()
    path = tmp_path / "deep" / "run.pt"
    with pytest.raises(Interrupted):
        run(path, Breaking(at))
    assert path.exists() == (at >= 4)  # four batches an epoch
    torch.manual_seed(at)  # the state that the process happens to be in must not matter
    again, second, resumed = run(path)
    assert equal(whole.state_dict(), again.state_dict())
    assert equal(optimizer.state_dict(), second.state_dict())
    assert rows(history) == rows(resumed)
    assert [file.name for file in path.parent.iterdir()] == ["run.pt"]


def test_a_finished_run_is_read_and_not_repeated(tmp_path):
    first, _, history = run(tmp_path / "run.pt")
    again, _, read = run(tmp_path / "run.pt", Breaking(0))
    assert equal(first.state_dict(), again.state_dict())
    assert history.rows == read.rows


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epochs": 5}, "epochs was '4' and is '5'"),
        ({"seed": 1}, "seed was '0' and is '1'"),
        ({"batch_size": 8}, "batch_size was '16' and is '8'"),
        ({"mixing": partial(draw_mixup, alpha=0.2)}, r"mixing .*draw_mixup\(alpha=0.2\)"),
        ({"augment": crop}, "augment "),
        ({"loss": partial(F.cross_entropy, reduction="none", label_smoothing=0.1)}, "loss "),
        ({"schedule": None}, "schedule was 'mixup_lib.cosine'"),
    ],
)
def test_another_run_is_refused(tmp_path, change, words):
    path = tmp_path / "run.pt"
    run(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"run.pt.* other settings: .*{words}"):
        run(path, **change)
    assert path.read_bytes() == before


def test_other_data_and_another_model_are_refused(tmp_path):
    def once(data, width):
        fit(MLP(64, width, 4), data, epochs=1, checkpoint=tmp_path / "run.pt")

    once(DATA, 8)
    x, y = DATA.tensors
    with pytest.raises(ValueError, match="train was"):
        once(TensorDataset(x, y.roll(1)), 8)
    with pytest.raises(ValueError, match="model "):
        once(DATA, 9)


def test_a_broken_file_is_named(tmp_path):
    path = tmp_path / "run.pt"
    path.write_bytes(b"half a file")
    with pytest.raises(ValueError, match="run.pt' is no checkpoint of fit: remove it"):
        run(path)


def test_descriptions_hold_no_addresses_and_tell_settings_apart():
    assert describe(chain(crop, flip)) == describe(chain(crop, flip)) != describe(chain(flip, crop))
    assert "0x" not in describe(chain(crop, flip))
    a, b = torch.zeros(3), torch.ones(3)
    assert describe(partial(draw_mixup, partners=a)) != describe(partial(draw_mixup, partners=b))
