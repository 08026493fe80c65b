"""The adaptive draw: a pure function of the history, so that a resumed run is bit-equal."""

import inspect
import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from mixup_lib import History, draw_mixup, fit, mixed_loss
from mixup_lib.adaptive import adaptive_alpha, draw_adaptive, target_entropy
from mixup_lib.models import MLP
from mixup_lib.seeds import initialised
from mixup_lib.train import cross_entropy

G = torch.Generator().manual_seed(0)
DATA = TensorDataset(torch.rand(40, 4, generator=G), torch.arange(40) % 4)


def history(*gaps, alpha=0.4):
    """A history whose validation loss exceeds the training loss by the given gaps."""
    return History([{"epoch": i + 1, "train_loss": 1.0, "validation_nll": 1.0 + gap}
                    for i, gap in enumerate(gaps)])


def test_target_entropy_is_the_mean_entropy_of_drawn_targets():
    for alpha in (0.1, 1.0, 5.0):
        lam = draw_mixup(200_000, alpha, per_sample=True, generator=G).lam.double()
        entropy = -(torch.xlogy(lam, lam) + torch.xlogy(1 - lam, 1 - lam)).mean().item()
        assert target_entropy(alpha, 10) == pytest.approx(0.9 * entropy, abs=0.003)
    assert target_entropy(1.0, 2) == pytest.approx(0.25)  # the integral of the entropy is 1/2
    assert target_entropy(0.0, 5) == 0 and target_entropy(3.0, 1) == 0
    assert target_entropy(1e6, 100) == pytest.approx(0.99 * math.log(2), abs=1e-5)


def test_target_entropy_is_the_least_mixed_loss():
    """A model that knows the mixed label reaches it, and no less."""
    y = torch.arange(2000) % 4
    mix = draw_mixup(2000, 1.0, per_sample=True, generator=G)
    logits = mix.targets(y, num_classes=4).clamp_min(1e-12).log()
    least = mixed_loss(cross_entropy, logits, y, mix).item()
    assert least == pytest.approx(target_entropy(1.0, 4), abs=0.02)


def test_alpha_grows_while_over_fitting_and_shrinks_while_under_fitting():
    rule = partial(adaptive_alpha, classes=10, start=0.4, factor=2.0)
    assert rule(History()) == 0.4
    assert rule(history(1.0)) == 0.8
    assert rule(history(1.0, 1.0)) == pytest.approx(1.6)
    assert rule(history(-2.0)) == 0.2
    assert rule(history(1.0, -2.0)) == pytest.approx(0.4)
    # Without the entropy taken off, this small negative gap would shrink alpha.
    assert rule(history(-0.9 * target_entropy(0.4, 10))) == 0.8


@given(st.lists(st.floats(-3, 3), max_size=30))
def test_alpha_keeps_its_bounds_and_depends_on_the_history_alone(gaps):
    first = adaptive_alpha(history(*gaps), classes=10, low=0.1, high=2.0)
    adaptive_alpha(history(*gaps[::-1]), classes=10)
    assert adaptive_alpha(history(*gaps), classes=10, low=0.1, high=2.0) == first
    assert 0.1 <= first <= 2.0


def test_epochs_not_validated_change_nothing():
    rows = history(1.0).rows + [{"epoch": 2, "train_loss": 9.0}]
    assert adaptive_alpha(History(rows), classes=10) == adaptive_alpha(history(1.0), classes=10)


@pytest.mark.parametrize(
    "settings, words",
    [({"factor": 1.0}, "factor=1.0"), ({"factor": math.nan}, "factor=nan"),
     ({"low": 0.0}, "low=0.0"), ({"start": 9.0}, "start=9.0"), ({"high": math.inf}, "high=inf"),
     ({"classes": 0}, "classes must be")],
)
def test_settings_outside_their_range_raise(settings, words):
    with pytest.raises(ValueError, match=words):
        adaptive_alpha(history(1.0), **({"classes": 10} | settings))


def test_losses_that_are_not_finite_raise():
    with pytest.raises(ValueError, match="not finite in epoch 2"):
        adaptive_alpha(history(1.0, math.nan), classes=10)
    for bad in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"alpha={bad}; valid"):
            target_entropy(bad, 10)


def test_the_draw_is_mixup_at_the_adaptive_alpha():
    past = history(1.0, 1.0, -3.0)
    one = draw_adaptive(8, past, classes=10, generator=torch.Generator().manual_seed(3))
    alpha = adaptive_alpha(past, classes=10)
    two = draw_mixup(8, alpha, generator=torch.Generator().manual_seed(3))
    assert torch.equal(one.index, two.index) and torch.equal(one.weights, two.weights)
    # Both have the same settings, in the same order, with the same defaults.
    rule, draw = (inspect.signature(f).parameters for f in (adaptive_alpha, draw_adaptive))
    assert all(draw[name] == it for name, it in rule.items() if name != "history")


class Stop(Exception):
    pass


def run(path=None, stop=None):
    """A run of four epochs of three steps, broken off at step ``stop``."""
    model, alphas, steps = initialised(partial(MLP, 4, 8, 4), 0), [], []

    def forward(model, x, mix):
        steps.append(len(x))
        if len(steps) == stop:
            raise Stop
        alphas.append(mix.lam[0].item())
        return model(mix.inputs(x))

    forward.__qualname__ = "forward"  # the checkpoint knows functions by name
    done = fit(model, DATA, validation=DATA, epochs=4, batch_size=16, checkpoint=path,
               mixing=partial(draw_adaptive, classes=4), forward=forward)
    return model, done, alphas


@pytest.mark.parametrize("stop", [5, 11])
def test_a_resumed_run_is_bit_equal(tmp_path, stop):
    whole, history, alphas = run()
    with pytest.raises(Stop):
        run(tmp_path / "run.pt", stop)
    again, resumed, rest = run(tmp_path / "run.pt")
    assert rest == alphas[len(alphas) - len(rest):] and len(rest) < len(alphas)
    for a, b in zip(whole.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert [r["train_loss"] for r in history.rows] == [r["train_loss"] for r in resumed.rows]
    # The run must have adapted, or this test would prove nothing.
    seen = {adaptive_alpha(History(history.rows[:n]), classes=4) for n in range(5)}
    assert len(seen) > 2
