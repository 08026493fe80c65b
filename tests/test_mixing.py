"""What a training loop offers to a draw."""

from functools import partial

import pytest
import torch
from torch.utils.data import TensorDataset

from mixup_lib import draw_mixup, fit, no_mix
from mixup_lib.models import MLP
from mixup_lib.training.draws import asked_for
from mixup_lib.training.history import History

DATA = TensorDataset(torch.arange(40.0).view(20, 2), torch.arange(20) % 2)


def test_only_what_is_named_without_a_default_is_asked_for():
    def wants(batch_size, progress, y, generator=None):
        """Two of the four."""

    assert asked_for(wants) == ("y", "progress")
    assert asked_for(partial(wants, y=0)) == ("progress",)
    for mixing in (draw_mixup, partial(draw_mixup, alpha=2.0), None):
        assert asked_for(mixing) == ()


def test_progress_runs_from_zero_towards_one_in_equal_steps():
    seen = []

    def look(batch_size, progress, generator):
        seen.append(progress)
        return no_mix(batch_size)

    fit(MLP(2, 3, 2), DATA, epochs=2, batch_size=5, mixing=look)
    assert seen == pytest.approx([step / 8 for step in range(8)])


def test_the_batch_is_the_one_that_will_be_mixed():
    seen = {}

    def look(batch_size, x, y, generator):
        assert len(x) == len(y) == batch_size
        seen.update(zip(x[:, 0].tolist(), y.tolist(), strict=True))
        return no_mix(batch_size)

    fit(MLP(2, 3, 2), DATA, epochs=1, batch_size=8, mixing=look, augment=lambda x, g: x + 100)
    assert seen == {100.0 + 2 * i: i % 2 for i in range(20)}


def test_the_history_holds_the_epochs_before():
    seen = []

    def look(batch_size, history, generator):
        assert isinstance(history, History)
        seen.append([row["epoch"] for row in history.rows])
        return no_mix(batch_size)

    fit(MLP(2, 3, 2), DATA, epochs=3, batch_size=20, validation=DATA, mixing=look)
    assert seen == [[], [1], [1, 2]]


def test_a_draw_from_the_history_resumes_bit_equal(tmp_path):
    class Adaptive:
        """A mixing that goes down at one epoch; its name does not say so."""

        def __init__(self, stop):
            self.stop = stop

        def __repr__(self):
            return "Adaptive()"

        def __call__(self, batch_size, history, generator):
            if len(history) == self.stop:
                raise KeyboardInterrupt
            alpha = 1.0 if not len(history) else 0.1 + history["validation_nll"][-1]
            return draw_mixup(batch_size, alpha=alpha, generator=generator)

    def train(checkpoint, stop=None):
        torch.manual_seed(0)
        model = MLP(2, 3, 2)
        fit(
            model,
            DATA,
            epochs=4,
            batch_size=5,
            validation=DATA,
            mixing=Adaptive(stop),
            checkpoint=checkpoint,
        )
        return torch.cat([value.flatten() for value in model.state_dict().values()])

    whole = train(tmp_path / "whole.pt")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "broken.pt", stop=2)
    assert torch.equal(train(tmp_path / "broken.pt"), whole)


def test_a_mixing_that_returns_something_else_is_refused():
    with pytest.raises(TypeError, match="mixing must return a Mix, got int"):
        fit(MLP(2, 3, 2), DATA, epochs=1, mixing=lambda batch_size, progress, generator: 1)
