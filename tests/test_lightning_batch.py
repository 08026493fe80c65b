"""The callback for Lightning's trainer, batch by batch: what it draws, takes and refuses."""

from functools import partial
from itertools import product

import pytest
import torch

from mixup_lib import draw_cutmix
from mixup_lib.basics.seeds import generator_for
from mixup_lib.mixing.schedules import draw_scheduled

pytest.importorskip("lightning.pytorch")
from mixup_lib.training.lightning import MixupCallback  # noqa: E402

C = 3


class FakeTrainer:
    """What the callback reads of a trainer."""

    def __init__(self, epoch=0, rank=0, max_epochs=2, batches=3):
        self.current_epoch, self.global_rank = epoch, rank
        self.max_epochs, self.num_training_batches = max_epochs, batches


def lam_of(callback, batch_idx=0, **where):
    batch = [torch.rand(6, 4), torch.arange(6) % C]
    callback.on_train_batch_start(FakeTrainer(**where), None, batch, batch_idx)
    return callback.mix.lam[0].item()


def test_ranks_epochs_and_batches_differ_and_come_again():
    names = ("rank", "epoch", "batch_idx")
    places = [dict(zip(names, place)) for place in product((0, 1), repeat=3)]
    lam = [lam_of(MixupCallback(num_classes=C), **place) for place in places]
    assert len(set(lam)) == len(places)
    assert lam == [lam_of(MixupCallback(num_classes=C), **place) for place in places]


def test_a_dict_batch_and_a_box():
    draw = partial(draw_cutmix, size=(5, 6))
    callback = MixupCallback(draw, C, inputs="image", target="label")
    x, y = torch.rand(6, 1, 5, 6), torch.arange(6) % C
    batch = {"image": x, "label": y, "name": list("abcdef")}
    callback.on_train_batch_start(FakeTrainer(), None, batch, 0)
    mix = draw(6, generator=generator_for(0, 0, "draws", 0, 0))
    assert torch.equal(batch["image"], mix.inputs(x))
    assert torch.equal(batch["label"], mix.targets(y, C))
    assert batch["name"] == list("abcdef")


def test_soft_targets_need_no_number_of_classes():
    batch = [torch.rand(6, 4), torch.rand(6, 2)]
    y = batch[1].clone()
    callback = MixupCallback()
    callback.on_train_batch_start(FakeTrainer(), None, batch, 0)
    assert torch.equal(batch[1], callback.mix.targets(y))


def test_a_schedule_sees_the_progress():
    seen = []

    def schedule(progress):
        seen.append(progress)
        return 0.0

    callback = MixupCallback(partial(draw_scheduled, schedule=schedule), C)
    assert lam_of(callback, epoch=1, batch_idx=2, max_epochs=4, batches=5) == 1.0
    assert seen == [pytest.approx((1 + 2 / 5) / 4)]
    for unknown in ({"max_epochs": -1}, {"max_epochs": None}, {"batches": float("inf")}):
        with pytest.raises(ValueError, match="progress, but max_epochs="):
            lam_of(callback, **unknown)


@pytest.mark.parametrize(
    "batch, error, message",
    [
        ((torch.rand(4, 2), torch.zeros(4).long()), TypeError, "batch is a tuple.*list or a dict"),
        ([torch.rand(4, 2)], LookupError, r"target=1 is not in the batch, a list; valid are \[0\]"),
        ({"x": torch.rand(4, 2)}, LookupError, r"inputs=0 .* a dict; valid are \['x'\]"),
        ([torch.ones(4, 2).long(), torch.zeros(4).long()], TypeError, "floating dtype"),
        ([torch.rand(4, 2), torch.full((4,), 9)], ValueError, "9"),
    ],
)
def test_a_batch_that_cant_be_mixed(batch, error, message):
    callback = MixupCallback(num_classes=C)
    with pytest.raises(error, match=message):
        callback.on_train_batch_start(FakeTrainer(), None, batch, 0)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"mixing": 0.4}, TypeError, "mixing must be callable.*0.4"),
        ({"seed": -1}, ValueError, "seed must be an integer of at least 0, got -1"),
        ({"num_classes": 0}, ValueError, "num_classes must be .* at least 1, got 0"),
        ({"mixing": lambda size, history, generator: None}, ValueError, "asks for the history"),
    ],
)
def test_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        MixupCallback(**arguments)


def test_a_mixing_must_return_a_mix():
    with pytest.raises(TypeError, match="must return a Mix, got float"):
        lam_of(MixupCallback(lambda size, generator: 0.5, C))
