"""Chosen partners: they are what they promise, and no large table is built on the way."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch.utils.data import TensorDataset

from mixup_lib import fit
from mixup_lib.mixing import partners
from mixup_lib.mixing.partners import (
    by_kernel,
    draw_chosen,
    farthest,
    nearest,
    other_class,
    same_class,
)
from mixup_lib.models import MLP

LABELS = st.lists(st.integers(0, 5), min_size=1, max_size=40).map(torch.tensor)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def brute(x):
    """Distances of every pair in float64; the diagonal is nan."""
    flat = np.asarray(x, dtype=float).reshape(len(x), -1)
    table = np.sqrt(((flat[:, None] - flat[None]) ** 2).sum(-1))
    np.fill_diagonal(table, np.nan)
    return table


@given(LABELS, st.integers(0, 9))
def test_same_class_gives_another_of_the_class(y, seed):
    chosen = same_class(y, seeded(seed))
    assert chosen.dtype == torch.long and torch.equal(y[chosen], y)
    assert sorted(chosen.tolist()) == list(range(len(y)))  # a permutation
    alone = torch.bincount(y)[y] == 1
    assert torch.equal(chosen == torch.arange(len(y)), alone)


@given(LABELS, st.integers(0, 9))
def test_other_class_gives_another_class(y, seed):
    chosen = other_class(y, seeded(seed))
    assert chosen.dtype == torch.long and torch.equal(chosen, other_class(y.double(), seeded(seed)))
    if len(y.unique()) == 1:  # nobody has a partner
        assert torch.equal(chosen, torch.arange(len(y)))
    else:
        assert (y[chosen] != y).all()


@pytest.mark.parametrize("choose", [same_class, other_class])
def test_class_partners_are_uniform(choose):
    y, generator = torch.tensor([3, 1, 3, 1, 1, 3, 3, 0]), seeded()
    drawn = torch.stack([choose(y, generator) for _ in range(1500)])
    for i in range(7):
        valid = (y == y[i]) if choose is same_class else (y != y[i])
        valid[i] = False
        counts = torch.bincount(drawn[:, i], minlength=len(y))
        assert not counts[~valid].any()
        assert stats.chisquare(counts[valid]).pvalue > 1e-3


@given(st.integers(1, 12), st.integers(0, 9), st.booleans())
def test_nearest_and_farthest_agree_with_every_pair_compared(n, seed, coarse):
    x = torch.rand(n, 2, 3, generator=seeded(seed))
    x = (3 * x).round() if coarse else x  # coarse values have many ties: the first one is taken
    if n == 1:
        assert nearest(x).tolist() == farthest(x).tolist() == [0]
        return
    table = brute(x)
    assert nearest(x).tolist() == np.nanargmin(table, 1).tolist()
    assert farthest(x).tolist() == np.nanargmax(table, 1).tolist()


def test_equal_examples_are_each_others_nearest():
    x = torch.rand(30, 500, generator=seeded()) + 100  # a rounded distance would not be 0
    x[20] = x[3]
    assert nearest(x)[3] == 20 and nearest(x)[20] == 3
    assert (farthest(torch.ones(4, 2)) != torch.arange(4)).all()


@pytest.mark.parametrize("targets", [1, 2])
@pytest.mark.parametrize("bandwidth", [0.3, 2.0])
def test_kernel_partners_have_the_exact_probabilities(targets, bandwidth):
    y = torch.randn(6, targets, generator=seeded(1)).squeeze(1)
    distance = np.nan_to_num(brute(y))
    exact = np.exp(-(distance**2) / (2 * bandwidth**2))
    exact /= exact.sum(1, keepdims=True)
    generator = seeded(2)
    drawn = torch.stack([by_kernel(y, bandwidth, generator) for _ in range(2000)])
    for i in range(6):
        expected = 2000 * exact[i]
        common = expected > 5  # what a chi-square test can judge; the rest counts as one
        counts = np.bincount(drawn[:, i], minlength=6)
        rest = [counts[~common].sum(), expected[~common].sum()]
        observed, expected = counts[common], expected[common]
        if rest[1] > 5:
            observed, expected = np.append(observed, rest[0]), np.append(expected, rest[1])
        assert stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-3


def test_the_kernels_limits():
    y = torch.tensor([0.0, 1.0, 2.0, 50.0])
    for tiny in (1e-3, 1e-200):  # whose square is 0
        assert by_kernel(y, tiny, seeded()).tolist() == [0, 1, 2, 3]
    generator = seeded()
    drawn = torch.cat([by_kernel(y, 1e9, generator) for _ in range(1000)])
    assert stats.chisquare(torch.bincount(drawn, minlength=4)).pvalue > 1e-3
    drawn = torch.cat([by_kernel(torch.ones(4), 1.0, generator) for _ in range(1000)])
    assert stats.chisquare(torch.bincount(drawn, minlength=4)).pvalue > 1e-3  # nothing to prefer
    assert by_kernel(torch.tensor([2.0]), 1.0).tolist() == [0]
    assert by_kernel(torch.tensor([1, 2, 3]), 1.0).dtype == torch.long  # integers are numbers


@pytest.mark.parametrize("table", [1, 7, 64, 10**9])
def test_the_size_of_the_blocks_changes_nothing(monkeypatch, table):
    x = torch.rand(37, 5, generator=seeded(1))
    whole = by_kernel(x[:, 0], 0.2, seeded()), nearest(x), farthest(x)
    monkeypatch.setattr(partners, "TABLE", table)
    blocks = by_kernel(x[:, 0], 0.2, seeded()), nearest(x), farthest(x)
    assert all(map(torch.equal, whole, blocks))


@pytest.mark.parametrize(
    "choose", [nearest, farthest, lambda x: by_kernel(x[:, 0], 0.1)], ids=["near", "far", "kernel"]
)
def test_no_table_of_all_pairs_is_built(monkeypatch, choose):
    """The largest tensor that any operation returns, with 300 examples and a table of 1,500."""

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        largest = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            for tensor in result if isinstance(result, tuple | list) else [result]:
                if isinstance(tensor, torch.Tensor):
                    Watch.largest = max(Watch.largest, tensor.numel())
            return result

    monkeypatch.setattr(partners, "TABLE", 1500)
    x = torch.rand(300, 2, generator=seeded())
    with Watch():
        choose(x)
    assert 300 <= Watch.largest <= 1500
    assert partners.TABLE == 1500 and 300**2 > 1500


def test_a_generator_fixes_the_partners_and_they_vary_without():
    y = torch.arange(40) % 4
    for choose in (same_class, other_class, partial(by_kernel, bandwidth=1.0)):
        assert torch.equal(choose(y, generator=seeded(3)), choose(y, generator=seeded(3)))
        assert not torch.equal(choose(y, generator=seeded(3)), choose(y, generator=seeded(4)))
        torch.manual_seed(0)
        assert not torch.equal(choose(y), choose(y))


def test_draw_chosen_passes_what_is_named_and_mixes_with_it():
    x, y = torch.rand(8, 3, generator=seeded()), torch.tensor([0, 1] * 4)
    mix = draw_chosen(8, x, y, nearest, alpha=0.5, generator=seeded())
    assert torch.equal(mix.index[1], nearest(x)) and mix.index.shape == (2, 8)
    mix = draw_chosen(8, x, y, partial(by_kernel, bandwidth=0.1), generator=seeded())
    assert torch.equal(y[mix.index[1]], y)
    lam = draw_chosen(8, x, y, other_class, per_sample=True, generator=seeded()).lam
    assert len(lam.unique()) == 8
    assert torch.equal(lam, draw_chosen(8, x, y, other_class, 1.0, True, seeded()).lam)


@pytest.mark.parametrize("choose", [same_class, other_class, nearest, farthest])
def test_fit_trains_with_chosen_partners(choose):
    x, y = torch.rand(24, 4, generator=seeded()), torch.arange(24) % 3
    mixing = partial(draw_chosen, choose=choose)
    history = fit(MLP(4, 8, 3), TensorDataset(x, y), epochs=2, batch_size=12, mixing=mixing)
    assert len(history) == 2


@pytest.mark.parametrize(
    "choose", [same_class, other_class, nearest, partial(by_kernel, bandwidth=1.0)]
)
@pytest.mark.parametrize("n", [9, 10, 11])  # batches of 4: a last one of 5, of 2, of 3
def test_fit_trains_whatever_the_last_batch_holds(choose, n, tmp_path):
    """Every label differs, or none does: nobody has a partner of the same, or of another class."""
    x = torch.rand(n, 3, generator=seeded())
    mixing = partial(draw_chosen, choose=choose)
    for y in (torch.zeros(n, dtype=torch.long), torch.arange(n)):
        data = TensorDataset(x, y)
        assert len(fit(MLP(3, 4, n), data, epochs=2, batch_size=4, mixing=mixing)) == 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: by_kernel(torch.rand(4), 0.0), "bandwidth=0.0"),
        (lambda: by_kernel(torch.rand(4), -1.0), "bandwidth=-1.0"),
        (lambda: by_kernel(torch.rand(4), float("nan")), "bandwidth=nan"),
        (lambda: by_kernel(torch.rand(0), 1.0), "none empty"),
        (lambda: by_kernel(torch.rand(4, 0), 1.0), "none empty"),
        (lambda: by_kernel(torch.tensor([1.0, float("inf")]), 1.0), "not finite"),
        (lambda: same_class(torch.tensor([], dtype=torch.long)), "one or more"),
        (lambda: same_class(torch.rand(4)), "whole numbers"),
        (lambda: other_class(torch.eye(4)), "class ids"),
        (lambda: nearest(torch.rand(0, 3)), "B >= 1"),
        (lambda: farthest(torch.full((3, 2), float("nan"))), "not finite"),
    ],
)
def test_bad_values_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_bad_types_are_named():
    x, y = torch.rand(4, 2), torch.arange(4)
    with pytest.raises(TypeError, match="floating"):
        nearest(y)
    with pytest.raises(TypeError, match="choose='nearest'"):
        draw_chosen(4, x, y, "nearest")
    with pytest.raises(TypeError, match="valid are some of x, y and generator"):
        draw_chosen(4, x, y, lambda features: features)
