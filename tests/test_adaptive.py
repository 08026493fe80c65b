"""The adaptive draw: a pure function of the history, so that a resumed run is bit-equal."""

import inspect
import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from mixup_lib import History, draw_mixup, fit, mixed_accuracy
from mixup_lib.basics.seeds import initialised
from mixup_lib.models import MLP
from mixup_lib.training.adaptive import adaptive_alpha, best_mixed_accuracy, draw_adaptive

G = torch.Generator().manual_seed(0)
DATA = TensorDataset(torch.rand(40, 4, generator=G), torch.arange(40) % 4)


def history(*gaps, alpha=None):
    """A history in which the share learned of the possible exceeds the validation accuracy by the
    given gaps. Only at the first epoch is alpha known, so ``alpha`` is given for one gap alone."""
    ceiling = 1.0 if alpha is None else best_mixed_accuracy(alpha, 10)
    return History(
        [
            {"epoch": i + 1, "mixed_accuracy": (0.5 + gap) * ceiling, "validation_accuracy": 0.5}
            for i, gap in enumerate(gaps)
        ]
    )


@pytest.mark.parametrize("alpha", [0.05, 0.4, 1.0, 5.0])
def test_best_mixed_accuracy_is_what_naming_the_larger_weight_earns(alpha):
    y = torch.randint(10, (100_000,), generator=G)
    mix = draw_mixup(len(y), alpha, per_sample=True, generator=G)
    best = mix.targets(y, num_classes=10).amax(1).mean().item()
    assert best_mixed_accuracy(alpha, 10) == pytest.approx(best, abs=0.004)
    logits = mix.targets(y, num_classes=10)
    assert best_mixed_accuracy(alpha, 10) == pytest.approx(
        mixed_accuracy(logits, y, mix), abs=0.004
    )


def test_best_mixed_accuracy_at_known_points():
    assert best_mixed_accuracy(1.0, 2) == pytest.approx(0.5 + 0.5 * 0.75)
    assert best_mixed_accuracy(0.0, 5) == 1 and best_mixed_accuracy(3.0, 1) == pytest.approx(1)
    assert best_mixed_accuracy(1e-6, 10) == pytest.approx(1, abs=1e-5)
    assert best_mixed_accuracy(1e6, 10) == pytest.approx(0.1 + 0.9 * 0.5, abs=1e-3)


def test_alpha_grows_while_over_fitting_and_shrinks_while_under_fitting():
    rule = partial(adaptive_alpha, classes=10, start=0.4, factor=2.0)
    assert rule(History()) == 0.4
    assert rule(history(0.3)) == 0.8
    assert rule(history(0.4, 0.4)) == pytest.approx(1.6)
    assert rule(history(-0.3)) == 0.2
    assert rule(history(0.3, -0.3)) == pytest.approx(0.4)
    # Just above and just below what could be earned at this alpha.
    assert rule(history(0.001, alpha=0.4)) == 0.8 and rule(history(-0.001, alpha=0.4)) == 0.2


@given(st.lists(st.floats(-0.5, 0.5), max_size=30))
def test_alpha_keeps_its_bounds_and_depends_on_the_history_alone(gaps):
    first = adaptive_alpha(history(*gaps), classes=10, low=0.1, high=2.0)
    adaptive_alpha(history(*gaps[::-1]), classes=10)
    assert adaptive_alpha(history(*gaps), classes=10, low=0.1, high=2.0) == first
    assert 0.1 <= first <= 2.0


def test_epochs_not_validated_change_nothing():
    rows = history(0.5).rows + [{"epoch": 2, "mixed_accuracy": 0.0}]
    assert adaptive_alpha(History(rows), classes=10) == adaptive_alpha(history(0.5), classes=10)


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"factor": 1.0}, "factor=1.0"),
        ({"factor": math.nan}, "factor=nan"),
        ({"low": 0.0}, "low=0.0"),
        ({"start": 9.0}, "start=9.0"),
        ({"high": math.inf}, "high=inf"),
        ({"classes": 0}, "classes must be"),
    ],
)
def test_settings_outside_their_range_raise(settings, words):
    with pytest.raises(ValueError, match=words):
        adaptive_alpha(history(0.5), **({"classes": 10} | settings))


def test_accuracies_that_are_not_finite_raise():
    with pytest.raises(ValueError, match="no finite accuracy in epoch 2.*class ids"):
        adaptive_alpha(history(0.5, math.nan), classes=10)
    for bad in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"alpha={bad}; valid"):
            best_mixed_accuracy(bad, 10)


def test_the_draw_is_mixup_at_the_adaptive_alpha():
    past = history(0.5, 0.5, -0.5)
    one = draw_adaptive(8, past, classes=10, generator=torch.Generator().manual_seed(3))
    alpha = adaptive_alpha(past, classes=10)
    two = draw_mixup(8, alpha, generator=torch.Generator().manual_seed(3))
    assert torch.equal(one.index, two.index) and torch.equal(one.weights, two.weights)
    # Both have the same settings, in the same order, with the same defaults.
    rule, draw = (inspect.signature(f).parameters for f in (adaptive_alpha, draw_adaptive))
    assert all(draw[name] == it for name, it in rule.items() if name != "history")


class Stop(Exception):
    pass


class Watched:
    """Mixes inputs, notes each weight, and breaks off at step ``stop``."""

    def __init__(self, stop):
        self.stop, self.alphas = stop, []

    def __repr__(self):
        return "Watched()"  # what it notes, and where it breaks off, are no settings of the run

    def __call__(self, model, x, mix):
        if len(self.alphas) + 1 == self.stop:
            raise Stop
        self.alphas.append(mix.lam[0].item())
        return model(mix.inputs(x))


def run(path=None, stop=None):
    """A run of four epochs of three steps, broken off at step ``stop``."""
    model, forward = initialised(partial(MLP, 4, 8, 4), 0), Watched(stop)
    done = fit(
        model,
        DATA,
        validation=DATA,
        epochs=4,
        batch_size=16,
        checkpoint=path,
        mixing=partial(draw_adaptive, classes=4),
        forward=forward,
    )
    return model, done, forward.alphas


@pytest.mark.parametrize("stop", [5, 11])
def test_a_resumed_run_is_bit_equal(tmp_path, stop):
    whole, history, alphas = run()
    with pytest.raises(Stop):
        run(tmp_path / "run.pt", stop)
    again, resumed, rest = run(tmp_path / "run.pt")
    assert rest == alphas[len(alphas) - len(rest) :] and len(rest) < len(alphas)
    for a, b in zip(whole.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert [r["train_loss"] for r in history.rows] == [r["train_loss"] for r in resumed.rows]
    # The run must have adapted, or this test would prove nothing.
    seen = {adaptive_alpha(History(history.rows[:n]), classes=4) for n in range(5)}
    assert len(seen) > 2
