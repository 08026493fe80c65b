"""The callback for Lightning's trainer: what it mixes, what it leaves, and that it comes again."""

import importlib
import sys
import threading
import warnings
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import mixup_lib.training
from mixup_lib import draw_mixup, fit
from mixup_lib.basics.seeds import generator_for, initialised

lightning = pytest.importorskip("lightning.pytorch")
from mixup_lib.training.lightning import MixupCallback  # noqa: E402

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
        "accelerator": "cpu",
        "devices": 1,
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": False,
        "num_sanity_val_steps": 0,
    } | options
    return package.Trainer(max_epochs=2, callbacks=callbacks, **settings)


def train(callbacks, loader=None, model=None, ckpt_path=None, package=lightning, **options):
    """Two epochs of three batches, with validation after each."""
    model = model or Recorder()
    loader = loader or DataLoader(data(), batch_size=8)
    validation = DataLoader(data(1), batch_size=8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice about workers
        trainer(callbacks, package, **options).fit(model, loader, validation, ckpt_path=ckpt_path)
    return model


def expected(epoch, batch_idx, size, seed=0):
    return draw_mixup(size, generator=generator_for(seed, epoch, "draws", 0, batch_idx))


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
        twin,
        data(),
        epochs=2,
        batch_size=8,
        device="cpu",
        mixing=lambda size, generator: expected(*next(steps), size),
        optimizer=partial(torch.optim.SGD, lr=0.1),
    )
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


@pytest.mark.parametrize("missing", [False, True])
def test_pytorch_lightning_is_used_where_it_is_in_use_or_alone(monkeypatch, missing):
    package = pytest.importorskip("pytorch_lightning")
    monkeypatch.setattr(mixup_lib.training, "lightning", mixup_lib.training.lightning)
    monkeypatch.delitem(sys.modules, "mixup_lib.training.lightning")
    monkeypatch.delitem(sys.modules, "lightning")
    if missing:
        monkeypatch.setitem(sys.modules, "lightning", None)
    module = importlib.import_module("mixup_lib.training.lightning")
    assert issubclass(module.MixupCallback, package.Callback)
    model = type("Recorder", (Steps, package.LightningModule), {})()
    train([module.MixupCallback(num_classes=C)], model=model, package=package)
    assert torch.equal(model.trained[0][2], expected(0, 0, 8).inputs(data()[:8][0]))


def test_without_either_package_the_error_names_the_extra(monkeypatch):
    monkeypatch.setattr(mixup_lib.training, "lightning", mixup_lib.training.lightning)
    monkeypatch.delitem(sys.modules, "mixup_lib.training.lightning")
    for name in ("lightning", "pytorch_lightning"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'pip install "mixup-lib\[lightning\]" brings it'):
        importlib.import_module("mixup_lib.training.lightning")


class Regression(lightning.LightningModule):
    """Remembers the dtypes that it meets."""

    def __init__(self):
        super().__init__()
        self.net, self.met = initialised(lambda: nn.Linear(4, 1), 0), set()

    def training_step(self, batch, batch_idx):
        x, y = batch
        self.met.add((x.dtype, y.dtype))
        return F.mse_loss(self.net(x), y)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.parametrize(
    ("precision", "dtype"), [("64-true", torch.float64), ("bf16-true", torch.bfloat16)]
)
def test_other_precisions_mix_the_same_draws_and_train(precision, dtype):
    """They set torch's default dtype while they train."""
    usual, callback = Remember(num_classes=C), Remember(num_classes=C)
    train([usual])
    model = train([callback], precision=precision)
    for mine, other in zip(callback.mixes, usual.mixes, strict=True):
        assert mine.weights.dtype == torch.float32 and torch.equal(mine.weights, other.weights)
        assert torch.equal(mine.index, other.index)
    assert {p.dtype for p in model.parameters()} == {dtype}
    assert {x.dtype for *_, x, _ in model.trained} == {dtype}
    assert all(torch.isfinite(p).all() for p in model.parameters())
    regression = Regression()
    x = torch.rand(N, 4)
    loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), 8)
    train([MixupCallback()], model=regression, loader=loader, precision=precision)
    # Targets never lose digits to half precision, and losses take them beside it.
    assert regression.met == {(dtype, max(dtype, torch.float32, key=lambda it: it.itemsize))}


class Holding:
    """A mixing that holds what has no state to compare."""

    def __init__(self):
        self.lock = threading.Lock()

    def __call__(self, batch_size, generator):
        return draw_mixup(batch_size, generator=generator)


def test_a_mixing_without_identity_is_refused_where_checkpoints_are_written(tmp_path):
    saving = lightning.callbacks.ModelCheckpoint(tmp_path)
    with pytest.raises(ValueError, match="mixing=.*Holding can't be told from another"):
        train([MixupCallback(Holding(), C), saving], enable_checkpointing=True)
    train([MixupCallback(Holding(), C)])  # nothing is saved, so nothing needs a name
