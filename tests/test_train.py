"""The training loop: what it computes, what it draws, what it refuses."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import Subset, TensorDataset

from mixup_lib import draw_cutmix, draw_dirichlet, draw_mixup
from mixup_lib.basics.seeds import generator_for, initialised
from mixup_lib.models import MLP, SmallCNN
from mixup_lib.training.augment import chain, crop, flip
from mixup_lib.training.fitting import cosine, fit

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
