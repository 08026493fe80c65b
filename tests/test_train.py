"""The training loop: what it computes, what it draws, what it refuses."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from mixup_lib import (
    CutMix,
    Mixup,
    draw_cutmix,
    draw_dirichlet,
    draw_mixup,
    mixed_accuracy,
    no_mix,
)
from mixup_lib.basics.seeds import generator_for, initialised
from mixup_lib.models import MLP, SmallCNN
from mixup_lib.training import loop
from mixup_lib.training.augment import chain, crop, flip
from mixup_lib.training.fitting import cosine, fit
from mixup_lib.training.loop import _hits

sgd = partial(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True)


def blobs(n=90, classes=3, features=5, seed=0):
    g = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % classes
    x = torch.randn(n, features, generator=g) + 3 * F.one_hot(y, features).float()
    return TensorDataset(x, y)


def pictures(n=50, seed=0):
    g = torch.Generator().manual_seed(seed)
    return TensorDataset(torch.rand(n, 1, 8, 8, generator=g), torch.arange(n) % 4)


def mlp(seed=0, dropout=0.0):
    return initialised(partial(MLP, 5, 16, 3, dropout), seed)


def same_state(a, b):
    a, b = a.state_dict(), b.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_it_learns_and_evaluates():
    model = mlp()
    history = fit(
        model, blobs(300), validation=blobs(300, seed=1), epochs=10, batch_size=64, optimizer=sgd
    )
    assert history["validation_accuracy"][-1] > 0.9
    assert history["validation_nll"][-1] < history["validation_nll"][0]
    assert history["train_loss"][-1] < history["train_loss"][0]
    assert [row["epoch"] for row in history.rows] == list(range(1, 11))
    assert "epochs=10" in repr(history)
    with pytest.raises(KeyError, match="no column 'accuracy'; the columns are"):
        history["accuracy"]


def test_one_step_is_the_textbook_step():
    data, model, twin = blobs(12), mlp(), mlp()
    fit(model, data, epochs=1, batch_size=12, optimizer=partial(torch.optim.SGD, lr=0.5))
    x, y = data.tensors
    loss = F.cross_entropy(twin(x), y)
    loss.backward()
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(p, q - 0.5 * q.grad)


def test_the_mix_reaches_inputs_and_loss():
    """With all of the weight on the partner, the run equals one on the rolled examples."""
    data, seen = blobs(8), []

    class Spy(nn.Linear):
        def forward(self, x):
            seen.append(x)
            return super().forward(x)

    def partner_only(batch_size, generator):
        mix = draw_mixup(batch_size, partners=torch.arange(batch_size).roll(1))
        mix.weights[0], mix.weights[1] = 0.0, 1.0
        return mix

    model = initialised(lambda: Spy(5, 3), 0)
    logits_of = initialised(lambda: nn.Linear(5, 3), 0)
    history = fit(model, data, epochs=1, batch_size=8, mixing=partner_only)
    order = torch.randperm(8, generator=generator_for(0, 0, "order")).roll(1)
    x, y = data.tensors[0][order], data.tensors[1][order]
    assert torch.equal(seen[0], x)
    assert history["train_loss"][0] == pytest.approx(F.cross_entropy(logits_of(x), y).item())
    share = (logits_of(x).argmax(1) == y).float().mean().item()
    assert history["mixed_accuracy"][0] == pytest.approx(share)


def test_every_batch_and_epoch_draws_anew_and_seeds_repeat():
    def lams(seed):
        drawn = []

        def mixing(batch_size, generator):
            drawn.append((mix := draw_mixup(batch_size, generator=generator)).lam[0].item())
            return mix

        fit(mlp(), blobs(60), epochs=3, batch_size=20, mixing=mixing, seed=seed)
        return drawn

    first = lams(0)
    assert len(set(first)) == 9
    assert first == lams(0)
    assert not set(first) & set(lams(1))


def test_mixes_that_are_drawn_ahead_are_the_same_mixes(monkeypatch):
    def weights_when_drawn(steps, named="", **options):
        monkeypatch.setattr(loop, "STEPS", steps)
        model, seen = mlp(dropout=0.3), []

        def mixing(batch_size, generator):
            seen.append([*model.parameters()][-1].sum().item())
            return draw_mixup(batch_size, generator=generator)

        asks = {"": mixing, "x": lambda size, x, generator: mixing(size, generator)}[named]
        history = fit(model, blobs(60), epochs=2, batch_size=10, mixing=asks, seed=1, **options)
        return seen, model, (history["train_loss"], history["mixed_accuracy"], history["lr"])

    one, model, rows = weights_when_drawn(1)
    assert len(set(one)) == 12
    ahead, same, same_rows = weights_when_drawn(4)
    assert same_state(model, same) and rows == same_rows
    assert ahead == [one[i] for i in (0, 0, 0, 0, 4, 4, 6, 6, 6, 6, 10, 10)]
    for options in ({"named": "x"}, {"augment": jitter}):  # what sees the batch comes in its turn
        assert len(set(weights_when_drawn(4, **options)[0])) == 12


def test_methods_see_the_same_batches():
    """Drawing a mix must not change the order of the data: comparisons are paired."""

    def batches(mixing):
        seen = []

        def look(x, generator):
            seen.append(x)
            return x

        fit(mlp(), blobs(40), epochs=2, batch_size=16, augment=look, mixing=mixing)
        return torch.cat(seen)

    assert torch.equal(batches(None), batches(draw_mixup))
    assert torch.equal(batches(None), batches(partial(draw_dirichlet, k=3)))


def test_the_default_generator_is_left_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    fit(mlp(dropout=0.5), Subset(blobs(20), range(20)), epochs=1, mixing=draw_mixup)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loader_gives_what_the_tensors_give(workers):
    data = pictures()
    runs = []
    for train, count in ((data, 0), (Subset(data, range(len(data))), workers)):
        model = initialised(partial(SmallCNN, 1, 4), 0)
        fit(
            model,
            train,
            epochs=2,
            batch_size=16,
            augment=chain(crop, flip),
            workers=count,
            mixing=partial(draw_cutmix, size=(8, 8)),
            optimizer=sgd,
            schedule=cosine,
        )
        runs.append(model)
    assert same_state(*runs)


def test_all_examples_are_seen_and_a_single_one_joins_the_batch_before():
    sizes = []

    def look(x, generator):
        sizes.append(len(x))
        return x

    model = nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 3))
    fit(model, blobs(21), epochs=1, batch_size=10, augment=look, mixing=draw_mixup)
    assert sizes == [10, 11]
    sizes.clear()
    fit(model, blobs(22), epochs=1, batch_size=10, augment=look)
    assert sizes == [10, 10, 2]
    sizes.clear()
    fit(mlp(), blobs(3), epochs=1, batch_size=1, augment=look)
    assert sizes == [1, 1, 1]


def test_images_reach_the_network_channels_last():
    layouts = []

    class Look(SmallCNN):
        def forward(self, x):
            layouts.append(x.is_contiguous(memory_format=torch.channels_last))
            return super().forward(x)

    data = TensorDataset(torch.rand(20, 3, 8, 8), torch.arange(20) % 4)
    augment = chain(crop, flip)
    for mixing in (None, draw_mixup, partial(draw_cutmix, size=(8, 8))):
        model = Look(3, 4)
        fit(model, data, validation=data, epochs=1, augment=augment, mixing=mixing)
    assert len(layouts) == 9  # a step, a validation, and the trial of the validation before both
    assert all(layouts)
    assert model.features[0][0].weight.is_contiguous(memory_format=torch.channels_last)


def test_schedule_multiplies_the_learning_rate_step_by_step():
    asked = []

    def schedule(progress):
        asked.append(progress)
        return 1 - progress

    history = fit(mlp(), blobs(40), epochs=2, batch_size=20, optimizer=sgd, schedule=schedule)
    assert asked == [0, 0.25, 0.5, 0.75]
    assert history["lr"] == pytest.approx([0.075, 0.025])
    assert (cosine(0), cosine(0.5), cosine(1)) == pytest.approx((1, 0.5, 0))


def test_regression_trains_and_has_no_accuracy():
    x = torch.randn(64, 5, generator=torch.Generator().manual_seed(0))
    data = TensorDataset(x, x[:, :1] * 2)
    model = initialised(lambda: nn.Linear(5, 1), 0)
    squared = lambda logits, y: (logits - y).square().mean(1)  # noqa: E731
    settings = {"loss": squared, "optimizer": sgd, "schedule": cosine, "mixing": draw_mixup}
    history = fit(model, data, epochs=60, batch_size=16, **settings)
    # The two-target loss keeps the variance of the targets, but its minimum is the same.
    torch.testing.assert_close(model(x), 2 * x[:, :1], atol=0.05, rtol=0)
    assert history["mixed_accuracy"][0] != history["mixed_accuracy"][0]


def test_validation_comes_when_due_and_at_the_end():
    history = fit(mlp(), blobs(), validation=blobs(), epochs=5, validate_every=2)
    assert [row["epoch"] for row in history.rows if "validation_nll" in row] == [2, 4, 5]


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"epochs": 0}, ValueError, "epochs must be an integer of at least 1, got 0"),
        ({"batch_size": 0}, ValueError, "batch_size must be an integer of at least 1, got 0"),
        ({"seed": -1}, ValueError, "seed must be an integer of at least 0, got -1"),
        ({"validate_every": 0}, ValueError, "validate_every .* got 0"),
        ({"processes": 0}, ValueError, "processes .* got 0"),
        ({"precision": "half"}, ValueError, "precision must be None or one of .* got 'half'"),
        ({"device": "abacus"}, ValueError, "device must be a device .* got 'abacus'"),
        ({"mixing": 0.4}, TypeError, "mixing must be callable or None, got 0.4"),
        ({"mixing": lambda n, generator: n}, TypeError, "mixing must return a Mix, got int"),
        ({"train": blobs(0)}, ValueError, "train must hold at least 1 examples, got 0"),
        ({"train": TensorDataset(torch.rand(4, 5))}, ValueError, r"must hold \(x, y\), got 1"),
    ],
)
def test_bad_arguments(options, kind, words):
    arguments = {"train": blobs(), "epochs": 1} | options
    with pytest.raises(kind, match=words):
        fit(mlp(), **arguments)


# What is wrong is said before the first step ----------------------------------------------------


def counted(steps):
    def mixing(batch_size, generator):
        steps.append(batch_size)
        return draw_mixup(batch_size, generator=generator)

    return mixing


class Triples(Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, i):
        return torch.rand(5), i % 3, "name"


class Stream(IterableDataset):
    def __iter__(self):
        return iter(zip(*blobs(6).tensors))


class Output(dict):
    """What models of a well-known library return."""

    @property
    def logits(self):
        return self["logits"]


class Returns(nn.Linear):
    def __init__(self, kind):
        super().__init__(5, 3)
        self.kind = kind

    def forward(self, x):
        return self.kind(super().forward(x))


VALUES = TensorDataset(torch.randn(20, 5), torch.randn(20, 1))
EARLY = {
    "no examples": ({"validation": blobs(0)}, ValueError, "validation must hold at least one"),
    "a loader": ({"train": DataLoader(blobs())}, TypeError, "train=loader.dataset"),
    "a loader to validate": (
        {"validation": DataLoader(blobs())},
        TypeError,
        "validation=loader.dataset",
    ),
    "a stream": ({"train": Stream()}, TypeError, "train is a Stream, .*list\\(dataset\\)"),
    "a tensor": ({"train": torch.rand(6, 5)}, TypeError, "without targets"),
    "three tensors": (
        {"validation": TensorDataset(*3 * [torch.rand(4, 5)])},
        ValueError,
        r"must hold \(x, y\), got 3",
    ),
    "triples": ({"train": Triples()}, TypeError, r"a list of 3 parts; valid are pairs \(x, y\)"),
    "triples to validate": ({"validation": Triples()}, TypeError, "a list of 3 parts"),
    "classes out of range": (
        {"validation": TensorDataset(torch.rand(4, 5), torch.arange(4) + 9)},
        ValueError,
        "class ids from 9 to 12, and the model has 3 outputs; valid are 0 to 2",
    ),
    "numbers as class ids": (
        {"train": TensorDataset(torch.rand(4, 5), torch.rand(4))},
        ValueError,
        r"train has one torch.float32 .*y.long\(\); or a loss for numbers",
    ),
    "a loss that averages": (
        {"validation": VALUES, "loss": lambda out, y: (out - y).square().mean()},
        ValueError,
        r"loss_fn returned shape \(\)",
    ),
    "a metric that averages": (
        {"validation": blobs(), "metric": lambda out, y: out.mean()},
        ValueError,
        r"loss_fn returned shape \(\)",
    ),
    "a metric of nothing": ({"metric": torch.sub}, ValueError, "validation is None"),
    "a metric's name": ({"metric": "mae", "validation": blobs()}, TypeError, "metric must be call"),
    "the transform": ({"mixing": Mixup(0.3)}, TypeError, r"partial\(draw_mixup, alpha=0.3\)"),
    "the other one": ({"mixing": CutMix()}, TypeError, r"partial\(draw_cutmix, alpha=1.0, size"),
    "a tuple": ({"model": Returns(lambda out: (out, None))}, TypeError, "returned a tuple; valid"),
    "an output": (
        {"model": Returns(lambda out: Output(logits=out)), "validation": blobs()},
        TypeError,
        "returned a Output; valid is one tensor .* returns out.logits",
    ),
    "half a worker": ({"workers": 0.5}, ValueError, "workers must be an integer"),
}


@pytest.mark.parametrize("case", EARLY)
def test_what_is_wrong_is_said_before_the_first_step(case, tmp_path):
    options, kind, words = EARLY[case]
    steps, path = [], tmp_path / "run.pt"
    arguments = {"model": mlp(), "train": blobs(), "mixing": counted(steps)} | options
    with pytest.raises(kind, match=words):
        fit(**arguments, epochs=2, checkpoint=path, progress=False)
    assert len(steps) <= ("model" in options)  # what a model returns is known after one
    assert not path.exists()


@pytest.mark.parametrize("where", ["a folder", "below a file"])
def test_a_checkpoint_that_cannot_be_written_is_named_first(where, tmp_path):
    steps = []
    (tmp_path / "file").touch()
    path = tmp_path if where == "a folder" else tmp_path / "file" / "run.pt"
    with pytest.raises(ValueError, match="checkpoint=.* can't be written"):
        fit(mlp(), blobs(), epochs=1, mixing=counted(steps), checkpoint=path)
    assert not steps and [it.name for it in tmp_path.iterdir()] == ["file"]


def squared_error(outputs, y):
    return (outputs - y).square().mean(1)


def absolute_error(outputs, y):
    return (outputs - y).abs().mean(1)


@pytest.mark.parametrize("metric", [None, absolute_error])
def test_regression_is_validated_by_loss_and_metric_and_keeps_its_best(metric):
    x = torch.randn(70, 5, generator=torch.Generator().manual_seed(0))
    data = TensorDataset(x, x[:, :1] * 2)
    model = initialised(lambda: nn.Linear(5, 1), 0)
    history = fit(
        model,
        data,
        validation=data,
        epochs=6,
        batch_size=16,
        loss=squared_error,
        metric=metric,
        optimizer=partial(torch.optim.SGD, lr=0.5),
        mixing=draw_mixup,
        keep="best",
        schedule=lambda progress: 1 if progress < 0.6 else 5,
    )
    name = "validation_loss" if metric is None else "validation_metric"
    column = history[name]
    assert column[-1] != min(column)  # the rate became too high
    with torch.no_grad():
        error = (metric or squared_error)(model(x), data.tensors[1]).mean().item()
    assert error == pytest.approx(min(column))
    assert "validation_accuracy" not in history.last and "validation_loss" in history.last


def test_a_metric_stands_beside_the_accuracy_and_chooses():
    """Of a classifier too: here it prefers the worst one."""

    def confidence(logits, y):
        return logits.softmax(1).amax(1)

    model = mlp()
    history = fit(
        model, blobs(), validation=blobs(), epochs=5, optimizer=sgd, metric=confidence, keep="best"
    )
    column = history["validation_metric"]
    assert {"validation_accuracy", "validation_nll", "validation_ece"} < history.last.keys()
    x, y = blobs().tensors
    with torch.no_grad():
        assert confidence(model(x), y).mean().item() == pytest.approx(min(column))
    assert min(column) != column[-1]


def test_a_finished_run_needs_no_trial(tmp_path):
    for validation in (blobs(), blobs(0)):
        fit(mlp(), blobs(), validation=validation, epochs=1, checkpoint=tmp_path / "run.pt")


def test_numbers_of_numpy_are_numbers():
    plain = fit(mlp(), blobs(), epochs=2, batch_size=16, seed=3, validate_every=2)
    two, three, size = np.int64(2), np.int32(3), np.uint8(16)
    history = fit(mlp(), blobs(), epochs=two, batch_size=size, seed=three, validate_every=two)
    assert history["train_loss"] == plain["train_loss"]


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_any_default_dtype_trains(dtype):
    torch.set_default_dtype(dtype)
    try:
        x = torch.randn(40, 5)
        regression = TensorDataset(x, x[:, :1] * 2)
        classes = TensorDataset(x, (x[:, 0] > 0).long())
        for data, loss, out in ((regression, squared_error, 1), (classes, None, 2)):
            model = initialised(lambda out=out: nn.Linear(5, out), 0)
            history = fit(
                model,
                data,
                validation=data,
                epochs=6,
                batch_size=16,
                mixing=draw_mixup,
                loss=loss,
                optimizer=partial(torch.optim.SGD, lr=0.1),
                augment=jitter,
            )
            assert {p.dtype for p in model.parameters()} == {dtype}
            assert history["train_loss"][-1] < history["train_loss"][0]
    finally:
        torch.set_default_dtype(torch.float32)


def jitter(x, generator):
    return x + 0.01 * torch.randn(x.shape, generator=generator)


@pytest.mark.parametrize("size", [5, 32, 33, 100, 128])
def test_hits_of_many_steps_are_those_of_each(size):
    generator = torch.Generator().manual_seed(0)
    steps, wanted = [], []
    for step in range(7):
        mix = no_mix(size) if step in (2, 3) else draw_mixup(size - (step == 6), per_sample=True)
        y = torch.randint(3, (len(mix),), generator=generator)
        logits = torch.randn(len(mix), 3, generator=generator)
        steps.append((logits, y, mix))
        wanted.append(mixed_accuracy(logits, y, mix))
    assert torch.stack(_hits(steps)).tolist() == pytest.approx(wanted, abs=1e-6)
