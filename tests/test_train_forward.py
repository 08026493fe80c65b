"""Where the mix goes in a training run, and which epoch's weights stay."""

from functools import partial

import pytest
import torch
from test_train import blobs, mlp, same_state, sgd
from torch import nn

from mixup_lib import History, draw_mixup
from mixup_lib.basics.seeds import generator_for, initialised
from mixup_lib.training.checkpoint import Checkpoint
from mixup_lib.training.fitting import fit


class MixedInside(nn.Module):
    """Mixes its hidden layer."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(5, 16), nn.Linear(16, 3)

    def forward(self, x, mix=None):
        hidden = self.first(x).relu()
        return self.last(hidden if mix is None else mix.inputs(hidden))


def mix_inside(model, x, mix):
    return model(x, mix)


def test_forward_says_where_the_mix_goes():
    data, seen = blobs(8), []

    def forward(model, x, mix):
        seen.append((x, mix))
        return model(x, mix)

    model, twin = initialised(MixedInside, 0), initialised(MixedInside, 0)
    history = fit(model, data, epochs=1, batch_size=8, mixing=draw_mixup, forward=forward)
    ((x, mix),) = seen
    y = data.tensors[1][torch.randperm(8, generator=generator_for(0, 0, "order"))]
    expected = -(mix.targets(y, 3) * twin(x, mix).log_softmax(1)).sum(1).mean()
    assert history["train_loss"][0] == pytest.approx(expected.item())
    with pytest.raises(TypeError, match="forward must be callable"):
        fit(model, data, epochs=1, forward="hidden")


@pytest.mark.parametrize("precision", [None, "bf16-mixed"])
def test_a_mix_reaches_the_model_in_every_precision(precision):
    model = initialised(MixedInside, 0)
    history = fit(
        model,
        blobs(),
        epochs=3,
        mixing=draw_mixup,
        forward=mix_inside,
        precision=precision,
        optimizer=sgd,
    )
    assert history["train_loss"][-1] < history["train_loss"][0]


def test_keep_best_puts_back_the_best_epoch(tmp_path):
    """Also after an interruption, and the training itself is the same as without."""
    train, validation = blobs(60), blobs(40, seed=1)
    diverging = partial(torch.optim.SGD, lr=3.0, momentum=0.9)
    run = partial(fit, train=train, validation=validation, batch_size=10, optimizer=diverging)
    last, best = mlp(), mlp()
    history = run(last, epochs=8)
    assert run(best, epochs=8, keep="best")["train_loss"] == history["train_loss"]
    scores = history["validation_accuracy"]
    epoch = scores.index(max(scores)) + 1
    assert epoch < 8, "the best epoch is the last one: the test shows nothing"
    again = mlp()
    run(again, epochs=epoch)
    assert same_state(best, again) and not same_state(best, last)

    class Stop(Exception):
        pass

    def stop_late(progress):
        if progress > 0.9:
            raise Stop
        return 1.0

    # A schedule belongs to the settings of a run, so the interrupted one is told by its name.
    stop_late.__qualname__, stop_late.__module__ = "constant", "mixup_lib.training.fitting"
    file = tmp_path / "run.pt"
    with pytest.raises(Stop):
        run(mlp(), epochs=8, keep="best", checkpoint=file, schedule=stop_late)
    resumed = mlp()
    run(resumed, epochs=8, keep="best", checkpoint=file)
    assert same_state(resumed, best)
    for keep, data in (("first", validation), ("best", None)):
        with pytest.raises(ValueError, match='keep must be "last", or "best" with validation'):
            fit(mlp(), train, epochs=1, validation=data, keep=keep)


def test_the_earliest_of_equal_epochs_is_kept():
    model = mlp()
    saved = Checkpoint(None, {}, model, None, blobs())
    saved.keep_best(History(), 0.5)
    first = model.layers[1].weight.detach().clone()
    with torch.no_grad():
        model.layers[1].weight += 1
    for accuracy in (0.4, 0.5):
        saved.keep_best(History([{"validation_accuracy": 0.5}]), accuracy)
        assert torch.equal(saved.best["layers.1.weight"], first)
    saved.keep_best(History([{"validation_accuracy": 0.5}]), 0.6)
    assert torch.equal(saved.best["layers.1.weight"], first + 1)
