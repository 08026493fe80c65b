"""Attacks: they stay in the ball, climb the loss, and leave the model as it was."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from mixup_lib.basics.seeds import initialised
from mixup_lib.measures.attacks import fgsm, pgd
from mixup_lib.models import SmallCNN


def linear(classes=4, seed=0):
    return initialised(lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, classes)), seed)


def images(n=6, classes=4, seed=0):
    torch.manual_seed(seed)
    return torch.rand(n, 3, 2, 2), torch.randint(classes, (n,))


def losses(model, x, y):
    with torch.no_grad():
        return F.cross_entropy(model(x), y, reduction="none")


def of_all(model, x, y, epsilon, seed=0):
    generator = torch.Generator().manual_seed(seed)
    yield fgsm(model, x, y, epsilon)
    yield pgd(model, x, y, epsilon, steps=3, generator=generator)
    yield pgd(model, x, y, epsilon, steps=2, step_size=10.0, restarts=3, generator=generator)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 2), st.integers(0, 1000))
def test_no_value_leaves_the_ball_or_the_range(epsilon, seed):
    (x, y), model = images(seed=seed), linear(seed=seed)
    for found in of_all(model, x, y, epsilon, seed):
        assert found.shape == x.shape and found.dtype == x.dtype and not found.requires_grad
        assert (found - x).abs().max() <= epsilon + 1e-6
        assert found.min() >= 0 and found.max() <= 1


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 0.5), st.integers(0, 1000), st.integers(2, 6))
def test_fgsm_never_lowers_the_loss_of_a_linear_model(epsilon, seed, classes):
    # Along the sign of its gradient a convex function rises from the start, and goes on rising.
    (x, y), model = images(classes=classes, seed=seed), linear(classes, seed)
    assert (losses(model, fgsm(model, x, y, epsilon), y) >= losses(model, x, y) - 1e-5).all()


def test_fgsm_by_hand():
    model = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
    x, y = torch.tensor([[0.5, 0.5]]), torch.tensor([0])
    # Class 0 reads the first value, class 1 the second: lower the one, raise the other.
    assert torch.allclose(fgsm(model, x, y, 0.1), torch.tensor([[0.4, 0.6]]))
    assert torch.allclose(fgsm(model, x, y, 0.1, low=0.45, high=0.55), torch.tensor([[0.45, 0.55]]))


@settings(max_examples=20, deadline=None)
@given(st.floats(0.001, 0.5), st.integers(0, 1000))
def test_one_step_without_a_random_start_is_fgsm(epsilon, seed):
    (x, y), model = images(seed=seed), linear(seed=seed)
    once = pgd(model, x, y, epsilon, steps=1, step_size=epsilon, random_start=False)
    assert torch.equal(once, fgsm(model, x, y, epsilon))


def test_several_steps_and_restarts_are_stronger_where_the_model_is_curved():
    x, y = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(1)), None
    model = initialised(lambda: SmallCNN(1, 10), 0).eval()
    y = model(x).argmax(1)
    generator = torch.Generator().manual_seed(0)
    one = losses(model, fgsm(model, x, y, 0.3), y).mean()
    many = losses(model, pgd(model, x, y, 0.3, 20, generator=generator), y).mean()
    assert many > one > losses(model, x, y).mean()


def test_a_restart_never_makes_the_attack_weaker():
    # With one generator the first restart is the attack without restarts.
    (x, y), model = images(n=40), linear()
    few, more = (
        pgd(model, x, y, 0.1, 1, 0.02, restarts, torch.Generator().manual_seed(3))
        for restarts in (1, 4)
    )
    fooled = [(model(found).argmax(1) != y) for found in (few, more)]
    assert (fooled[1] | ~fooled[0]).all()
    same = fooled[0] == fooled[1]
    assert (losses(model, more, y) >= losses(model, few, y))[same].all()
    assert losses(model, more, y).mean() > losses(model, few, y).mean()


def test_an_example_does_not_depend_on_the_batch_around_it():
    (x, y), model = images(n=8), linear()
    alone = torch.cat([fgsm(model, x[i : i + 1], y[i : i + 1], 0.1) for i in range(8)])
    assert torch.allclose(fgsm(model, x, y, 0.1), alone)


@pytest.mark.parametrize("attack", [fgsm, pgd])
def test_the_model_is_left_as_it_was(attack):
    torch.manual_seed(0)
    layers = [nn.Flatten(), nn.BatchNorm1d(12), nn.Dropout(0.5), nn.Linear(12, 4)]
    model, (x, y) = nn.Sequential(*layers), images()
    layers[1].eval()  # a frozen layer in a model that is being trained
    before = {name: value.clone() for name, value in model.state_dict().items()}
    x.requires_grad_()
    attack(model, x, y, 0.1)
    assert [layer.training for layer in layers] == [True, False, True, True] and model.training
    assert all(p.grad is None for p in model.parameters()) and x.grad is None
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    # In evaluation mode: dropout would make two calls differ.
    assert torch.equal(fgsm(model, x, y, 0.1), fgsm(model, x, y, 0.1))
    with torch.no_grad():  # the caller's switch is no hindrance
        assert not torch.equal(attack(model, x, y, 0.1), x)


def test_gradients_that_were_there_stay():
    (x, y), model = images(), linear()
    F.cross_entropy(model(x), y).backward()
    before = [p.grad.clone() for p in model.parameters()]
    fgsm(model, x, y, 0.1), pgd(model, x, y, 0.1)
    assert all(torch.equal(p.grad, old) for p, old in zip(model.parameters(), before, strict=True))


def test_the_mode_comes_back_after_an_error():
    model = nn.Sequential(nn.Linear(3, 2)).train()
    with pytest.raises(RuntimeError):
        fgsm(model, torch.rand(2, 4), torch.zeros(2, dtype=torch.long), 0.1)
    assert model.training


@pytest.mark.parametrize("attack", [fgsm, pgd])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": -0.1}, "epsilon=-0.1; valid is a finite number of at least 0"),
        ({"epsilon": float("nan")}, "epsilon=nan"),
        ({"low": 1.0}, "low=1.0 and high=1.0; valid is low < high"),
        ({"high": 0.5}, "x holds values from .* valid are low=0.0 to high=0.5"),
        ({"y": torch.zeros(5, dtype=torch.long)}, r"y has shape \(5,\); valid is \(6,\)"),
    ],
)
def test_bad_arguments(attack, change, message):
    x, y = images()
    with pytest.raises(ValueError, match=message):
        attack(linear(), **{"x": x, "y": y, "epsilon": 0.1} | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps must be an integer of at least 1, got 0"),
        ({"restarts": 0}, "restarts must be an integer of at least 1, got 0"),
        ({"step_size": 0.0}, "step_size=0.0; valid is None or a finite number above 0"),
        ({"restarts": 2, "random_start": False}, "would repeat one path"),
    ],
)
def test_bad_arguments_of_pgd(change, message):
    with pytest.raises(ValueError, match=message):
        pgd(linear(), *images(), 0.1, **change)


def test_integers_are_no_inputs():
    with pytest.raises(TypeError, match="x has dtype torch.int64; valid is a floating dtype"):
        fgsm(linear(), torch.zeros(2, 12, dtype=torch.long), torch.zeros(2).long(), 0.1)
