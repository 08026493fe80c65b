"""Schedules are pure functions of progress; draws follow them; workers and processes agree."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader, TensorDataset

from mixup_lib import draw_mixup, fit
from mixup_lib.basics.seeds import initialised
from mixup_lib.mixing.schedules import (
    alpha_constant,
    alpha_cosine,
    alpha_linear,
    draw_scheduled,
    large_then_small,
    off_late,
)
from mixup_lib.models import MLP

SCHEDULES = [alpha_constant, alpha_linear, alpha_cosine, off_late, large_then_small]
PROGRESS = st.floats(0, 1)
ALPHA = st.floats(0, 100)


@pytest.mark.parametrize("schedule", SCHEDULES)
@given(progress=PROGRESS, others=st.lists(PROGRESS, max_size=5))
def test_a_schedule_is_a_pure_function_of_progress(schedule, progress, others):
    """Whatever was asked before, the answer is the same, and a number of 0 or more."""
    first = schedule(progress)
    for other in others:
        schedule(other)
    assert schedule(progress) == first
    assert isinstance(first, float) and 0 <= first < math.inf


@given(start=ALPHA, end=ALPHA, progress=PROGRESS)
def test_linear_and_cosine_go_from_start_to_end(start, end, progress):
    low, high = sorted((start, end))
    for schedule in (alpha_linear, alpha_cosine):
        assert schedule(0.0, start, end) == pytest.approx(start)
        assert schedule(1.0, start, end) == pytest.approx(end)
        assert low - 1e-9 <= schedule(progress, start, end) <= high + 1e-9
        assert schedule(0.5, start, end) == pytest.approx((start + end) / 2)


def test_steps():
    assert [off_late(p, 1.5, 0.25) for p in (0, 0.5, 0.7499, 0.75, 1)] == [1.5, 1.5, 1.5, 0, 0]
    assert off_late(1.0, 2.0, share=0.0) == 0.0 and off_late(0.0, 2.0, share=1.0) == 0.0
    steps = [large_then_small(p, 4, 0.1, switch=0.5) for p in (0, 0.49, 0.5, 1)]
    assert steps == [4, 4, 0.1, 0.1]
    assert alpha_constant(0.3, 0.7) == 0.7


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("progress", [-0.001, 1.001, math.nan, math.inf])
def test_progress_outside_its_range_raises(schedule, progress):
    with pytest.raises(ValueError, match=r"progress=.*valid is 0 to 1"):
        schedule(progress)
    with pytest.raises(ValueError, match="progress="):
        draw_scheduled(4, progress, schedule)


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf])
@pytest.mark.parametrize(
    "schedule, name",
    [
        (alpha_constant, "alpha"),
        (alpha_linear, "start"),
        (alpha_linear, "end"),
        (alpha_cosine, "start"),
        (alpha_cosine, "end"),
        (off_late, "alpha"),
        (off_late, "share"),
        (large_then_small, "large"),
        (large_then_small, "small"),
        (large_then_small, "switch"),
    ],
)
def test_settings_outside_their_range_raise(schedule, name, bad):
    with pytest.raises(ValueError, match=f"^{name}={bad}; valid"):
        schedule(0.2, **{name: bad})


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, None, torch.tensor(1.0)])
def test_a_schedule_that_gives_no_alpha_raises(value):
    with pytest.raises(ValueError, match=r"schedule\(0.5\)="):
        draw_scheduled(4, 0.5, lambda progress: value)


def test_zero_mixes_nothing():
    mix = draw_scheduled(5, 1.0, partial(alpha_linear, start=1.0, end=0.0))
    assert mix.index.tolist() == [[0, 1, 2, 3, 4]] and mix.weights.tolist() == [[1.0] * 5]
    x = torch.rand(5, 2)
    assert torch.equal(mix.inputs(x), x)


@given(progress=PROGRESS, seed=st.integers(0, 99), per_sample=st.booleans())
def test_the_draw_is_mixup_at_the_schedules_alpha(progress, seed, per_sample):
    schedule = partial(alpha_cosine, start=4.0, end=0.5)

    def generator():
        return torch.Generator().manual_seed(seed)

    one = draw_scheduled(6, progress, schedule, per_sample, generator=generator())
    two = draw_mixup(6, schedule(progress), per_sample, generator=generator())
    assert torch.equal(one.index, two.index) and torch.equal(one.weights, two.weights)


def alphas_of(rows, progress):
    """A collate function: what the schedule gives in this worker."""
    return torch.tensor([[row.item(), alpha_cosine(progress, 2.0)] for (row,) in rows])


def test_two_workers_agree():
    """Progress travels to the worker with the call; the worker keeps no count of its own."""
    data = TensorDataset(torch.arange(8))
    collate = partial(alphas_of, progress=0.3)
    loaders = [DataLoader(data, 2, num_workers=n, collate_fn=collate) for n in (0, 2)]
    alone, shared = (torch.cat(list(loader)) for loader in loaders)
    assert torch.equal(alone, shared)


class Recording:
    """A schedule that notes what it was asked."""

    def __init__(self):
        self.asked = []

    def __repr__(self):
        return "Recording"

    def __call__(self, progress):
        self.asked.append(progress)
        return off_late(progress, share=0.5)


def test_fit_asks_at_every_step_and_stops_mixing_when_it_says_so():
    data = TensorDataset(torch.rand(12, 3), torch.arange(12) % 2)
    seen, recording = [], Recording()

    def forward(model, x, mix):
        seen.append(len(mix.index))
        return model(mix.inputs(x))

    model = initialised(partial(MLP, 3, 4, 2), 0)
    mixing = partial(draw_scheduled, schedule=recording)
    fit(model, data, epochs=2, batch_size=4, mixing=mixing, forward=forward)
    assert recording.asked == pytest.approx([0, 1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6])
    assert seen == [2, 2, 2, 1, 1, 1]
