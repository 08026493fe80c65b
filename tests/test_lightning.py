"""The callback for Lightning's trainer: what it mixes, what it leaves, and that it comes again."""

import importlib
import sys
import warnings
from functools import partial
from itertools import product

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import mixup_lib
from mixup_lib import draw_cutmix, draw_mixup, fit
from mixup_lib.schedules import draw_scheduled
from mixup_lib.seeds import generator_for, initialised

lightning = pytest.importorskip("lightning.pytorch")
from mixup_lib.lightning import MixupCallback  # noqa: E402

N, C = 20, 3


def data(seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(N, 4, generator=generator)
    return TensorDataset(x, torch.arange(N) % C)


class Steps:
    """A model that remembers its batches; cross-entropy takes class ids and soft labels alike."""

    def __init__(self):
        super().__init__()
        self.net = initialised(lambda: nn.Linear(4, C), 0)
        self.trained, self.validated = [], []

    def training_step(self, batch, batch_idx):
        x, y = batch.values() if isinstance(batch, dict) else batch
        self.trained.append((self.current_epoch, batch_idx, x.clone(), y.clone()))
        return F.cross_entropy(self.net(x), y)

    def validation_step(self, batch, batch_idx):
        self.validated.append([part.clone() for part in batch])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Recorder(Steps, lightning.LightningModule):
    pass


class Remember(MixupCallback):
    """Keeps every mix."""

    def on_train_batch_start(self, *arguments):
        super().on_train_batch_start(*arguments)
        self.mixes = [*getattr(self, "mixes", []), self.mix]


def trainer(callbacks, package, **options):
    settings = {
        "accelerator": "cpu", "devices": 1, "logger": False, "enable_progress_bar": False,
        "enable_model_summary": False, "enable_checkpointing": False, "num_sanity_val_steps": 0,
    } | options  # fmt: skip
    return package.Trainer(max_epochs=2, callbacks=callbacks, **settings)


def train(callbacks, loader=None, model=None, ckpt_path=None, package=lightning, **options):
    """Two epochs of three batches, with validation after each."""
    model = model or Recorder()
    loader = loader or DataLoader(data(), batch_size=8)
    validation = DataLoader(data(1), batch_size=8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice about workers
        trainer(callbacks, package, **options).fit(
            model, loader, validation, ckpt_path=ckpt_path
        )
    return model


def expected(epoch, batch_idx, size, seed=0, rank=0, draw=draw_mixup):
    return draw(size, generator=generator_for(seed, epoch, "draws", rank, batch_idx))


def test_each_batch_is_mixed_as_seed_epoch_and_number_say():
    model = train([MixupCallback(num_classes=C, seed=5)])
    assert [row[:2] for row in model.trained] == [(e, i) for e in (0, 1) for i in range(3)]
    lam = []
    for epoch, i, x, y in model.trained:
        plain_x, plain_y = data()[8 * i : 8 * i + 8]
        mix = expected(epoch, i, len(x), seed=5)
        assert torch.equal(x, mix.inputs(plain_x))
        assert torch.equal(y, mix.targets(plain_y, C))
        lam.append(mix.lam[0].item())
    assert len(set(lam)) == len(lam)


def test_validation_and_the_data_stay_as_they_are():
    dataset = data()
    before = [tensor.clone() for tensor in dataset.tensors]
    model = train([MixupCallback(num_classes=C)], loader=DataLoader(dataset, batch_size=N))
    assert not torch.equal(model.trained[0][2], before[0])
    assert all(torch.equal(*pair) for pair in zip(dataset.tensors, before))
    assert len(model.validated) == 6
    for i, (x, y) in enumerate(model.validated):
        plain_x, plain_y = data(1)[8 * (i % 3) : 8 * (i % 3) + 8]
        assert torch.equal(x, plain_x) and torch.equal(y, plain_y)


def test_trains_as_fit_does():
    # The same order and the same mixes, so the same weights.
    orders = {
        epoch: torch.randperm(N, generator=generator_for(0, epoch, "order")).split(8)
        for epoch in (0, 1)
    }

    class Order:
        epoch = -1

        def __iter__(self):
            Order.epoch += 1
            return iter([batch.tolist() for batch in orders[Order.epoch]])

        def __len__(self):
            return 3

    model = train([MixupCallback(num_classes=C)], loader=DataLoader(data(), batch_sampler=Order()))
    steps = iter([(epoch, i) for epoch in (0, 1) for i in range(3)])
    twin = initialised(lambda: nn.Linear(4, C), 0)
    fit(
        twin, data(), epochs=2, batch_size=8, device="cpu",
        mixing=lambda size, generator: expected(*next(steps), size),
        optimizer=partial(torch.optim.SGD, lr=0.1),
    )  # fmt: skip
    torch.testing.assert_close(model.net.weight, twin.weight, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(model.net.bias, twin.bias, atol=1e-6, rtol=1e-5)


@pytest.fixture
def interrupted(tmp_path):
    """A whole run of six steps, and a function that resumes it after one of them."""
    saving = lightning.callbacks.ModelCheckpoint(
        tmp_path, every_n_train_steps=1, save_top_k=-1, filename="{step}"
    )
    callback = Remember(num_classes=C, seed=2)
    whole = train([callback, saving], enable_checkpointing=True)

    def resume(step, callback):
        return train([callback], ckpt_path=tmp_path / f"step={step}.ckpt")

    return whole, callback.mixes, resume


def test_a_resumed_run_is_the_one_that_was_not_interrupted(interrupted):
    whole, _, resume = interrupted
    resumed = resume(3, Remember(num_classes=C, seed=2))
    assert [row[:2] for row in resumed.trained] == [(1, 0), (1, 1), (1, 2)]
    for (_, _, x, y), (_, _, whole_x, whole_y) in zip(resumed.trained, whole.trained[3:]):
        assert torch.equal(x, whole_x) and torch.equal(y, whole_y)
    assert torch.equal(resumed.net.weight, whole.net.weight)


def test_draws_go_on_within_an_epoch(interrupted):
    # Lightning starts the loader anew here, so the data differ; the draws do not.
    _, mixes, resume = interrupted
    resume(4, callback := Remember(num_classes=C, seed=2))
    assert len(callback.mixes) == 2
    assert torch.equal(callback.mixes[0].index, mixes[4].index)
    for mix, before in zip(callback.mixes, mixes[4:]):
        assert mix.lam[0] == before.lam[0]


def test_a_run_that_was_mixed_otherwise_is_refused(interrupted):
    resume = interrupted[-1]
    with pytest.raises(ValueError, match="seed=2, and here it is seed=3"):
        resume(4, Remember(num_classes=C, seed=3))
    with pytest.raises(ValueError, match="mixing='.*draw_mixup', and here .*alpha=0.2"):
        resume(4, Remember(partial(draw_mixup, alpha=0.2), C, seed=2))


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
    mix = expected(0, 0, 6, draw=draw)
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


@pytest.mark.parametrize("missing", [False, True])
def test_pytorch_lightning_is_used_where_it_is_in_use_or_alone(monkeypatch, missing):
    package = pytest.importorskip("pytorch_lightning")
    monkeypatch.setattr(mixup_lib, "lightning", mixup_lib.lightning)
    monkeypatch.delitem(sys.modules, "mixup_lib.lightning")
    monkeypatch.delitem(sys.modules, "lightning")
    if missing:
        monkeypatch.setitem(sys.modules, "lightning", None)
    module = importlib.import_module("mixup_lib.lightning")
    assert issubclass(module.MixupCallback, package.Callback)
    model = type("Recorder", (Steps, package.LightningModule), {})()
    train([module.MixupCallback(num_classes=C)], model=model, package=package)
    assert torch.equal(model.trained[0][2], expected(0, 0, 8).inputs(data()[:8][0]))


def test_without_either_package_the_error_names_the_extra(monkeypatch):
    monkeypatch.setattr(mixup_lib, "lightning", mixup_lib.lightning)
    monkeypatch.delitem(sys.modules, "mixup_lib.lightning")
    for name in ("lightning", "pytorch_lightning"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'pip install "mixup-lib\[lightning\]" brings it'):
        importlib.import_module("mixup_lib.lightning")
