"""Wrong labels: exactly as many as asked for, uniform over all classes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixup_lib.datasets import corrupt_labels


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 60), st.floats(0, 1), st.integers(1, 12), st.integers(0, 1000))
def test_exactly_the_share_is_drawn_anew(n, share, classes, seed):
    y = torch.arange(n) % classes
    before = y.clone()
    noisy = corrupt_labels(y, share, classes, torch.Generator().manual_seed(seed))
    assert noisy.shape == y.shape and noisy.dtype == y.dtype and torch.equal(y, before)
    assert ((0 <= noisy) & (noisy < classes)).all()
    assert (noisy != y).sum() <= round(share * n)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_the_count_is_exact(share):
    # Of a million classes nobody draws the true one again: every label drawn is a wrong one.
    y, generator = torch.zeros(1000).long(), torch.Generator().manual_seed(0)
    assert (corrupt_labels(y, share, 10**6, generator) != y).sum() == round(1000 * share)


def test_labels_are_uniform_over_all_classes_the_true_one_included():
    y = torch.full((100_000,), 3)
    noisy = corrupt_labels(y, 0.5, 5, torch.Generator().manual_seed(0))
    counts = torch.bincount(noisy, minlength=5) / len(y)
    expected = torch.tensor([0.1, 0.1, 0.1, 0.6, 0.1])
    assert torch.allclose(counts, expected, atol=0.005)


def test_examples_are_chosen_anywhere():
    noisy = corrupt_labels(torch.zeros(1000).long(), 0.5, 10**6, torch.Generator().manual_seed(0))
    first, second = (noisy != 0).view(2, 500).sum(1).tolist()
    assert 200 < first < 300 and first + second == 500


def test_the_generator_decides():
    y = torch.arange(100) % 10
    a, b, c = (
        corrupt_labels(y, 0.5, 10, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(a, b) and not torch.equal(a, c)
    torch.manual_seed(0)
    first = corrupt_labels(y, 0.5, 10)
    assert not torch.equal(first, corrupt_labels(y, 0.5, 10))


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), 20])
def test_a_share_outside_0_and_1(share):
    with pytest.raises(ValueError, match="share=.*; valid is a number from 0 to 1"):
        corrupt_labels(torch.zeros(4).long(), share, 10)


def test_bad_labels_and_classes():
    with pytest.raises(TypeError, match="y has dtype torch.float32"):
        corrupt_labels(torch.zeros(4), 0.5, 10)
    with pytest.raises(ValueError, match=r"y has shape \(4, 1\); valid is \(N,\)"):
        corrupt_labels(torch.zeros(4, 1).long(), 0.5, 10)
    with pytest.raises(ValueError, match="from 0 to 3; valid with classes=3 are 0 to 2"):
        corrupt_labels(torch.arange(4), 0.5, 3)
    with pytest.raises(ValueError, match="classes must be an integer of at least 1, got 0"):
        corrupt_labels(torch.zeros(4).long(), 0.5, 0)
