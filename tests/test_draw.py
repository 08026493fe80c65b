"""The draws: what λ, partners and boxes are distributed like, and what repeats when."""

import math
import warnings

import numpy as np
import pytest
import torch
from scipy import stats

from mixup_lib import draw_cutmix, draw_dirichlet, draw_mixup, no_mix

N = 4000
ALPHAS = [0.05, 0.2, 0.5, 1.0, 2.0, 8.0, 32.0]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def fit(lam, rest, alpha, beta=None):
    """The p-value of λ ~ Beta(α, β), given λ and 1 - λ, of which the smaller one is exact.

    (float32 has no numbers between 1 - 2**-24 and 1, but many near 0. For α = 0.05 a fifth of all
    λ lie there.)
    """
    beta = alpha if beta is None else beta
    lam, rest = np.asarray(lam, dtype=float), np.asarray(rest, dtype=float)
    law, mirrored = stats.beta(alpha, beta), stats.beta(beta, alpha)
    uniform = np.where(lam < 0.5, law.cdf(lam), 1 - mirrored.cdf(rest))
    return stats.kstest(uniform, "uniform").pvalue


@pytest.mark.parametrize("alpha", ALPHAS)
def test_lambda_is_beta(alpha):
    lam, rest = draw_mixup(N, alpha, per_sample=True, generator=seeded()).weights
    assert fit(lam, rest, alpha) > 1e-3
    generator = seeded(1)
    draws = [draw_mixup(3, alpha, generator=generator).weights for _ in range(N // 2)]
    assert all((weights == weights[:, :1]).all() for weights in draws)  # one λ a batch
    assert fit(*torch.stack([weights[:, 0] for weights in draws], 1), alpha) > 1e-3


@pytest.mark.parametrize("alpha", [alpha for alpha in ALPHAS if alpha != 1])
def test_the_test_catches_alpha_passed_as_a_rate(alpha):
    # Two gammas of shape 1 and rate α: the rate cancels, and λ is uniform whatever α is.
    gamma = torch.distributions.Gamma(1.0, alpha).sample((2, N // 2))
    lam, rest = gamma / gamma.sum(0)
    assert fit(lam, rest, alpha) < 1e-6
    assert fit(lam, rest, 1.0) > 1e-6


@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_test_catches_a_folded_lambda(alpha):
    lam, rest = draw_mixup(N // 2, alpha, per_sample=True, generator=seeded()).weights
    assert fit(torch.maximum(lam, rest), torch.minimum(lam, rest), alpha) < 1e-6


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
@pytest.mark.parametrize("k", [2, 3, 5])
def test_dirichlet_weights_have_beta_marginals(k, alpha):
    weights = draw_dirichlet(N, k, alpha, per_sample=True, generator=seeded()).weights.double()
    for row in weights:
        assert fit(row, 1 - row, alpha, (k - 1) * alpha) > 1e-3
    variance = (k - 1) / k**2 / (k * alpha + 1)
    assert torch.cov(weights)[0, 1] == pytest.approx(-variance / (k - 1), rel=0.15)


@pytest.mark.parametrize("alpha", [1e-3, 1e-6, 1e3, 1e6, 1e12])
@pytest.mark.parametrize("k", [2, 4])
def test_extreme_alphas_stay_finite(k, alpha):
    weights = draw_dirichlet(500, k, alpha, per_sample=True, generator=seeded()).weights
    assert ((weights >= 0) & (weights <= 1)).all()  # False for nan
    torch.testing.assert_close(weights.sum(0), torch.ones(500))
    if alpha < 1:
        assert (weights.amax(0) > 0.99).float().mean() > 0.9
        assert weights.argmax(0).bincount(minlength=k).min() > 500 / k / 2  # no favourite
    else:
        assert (weights - 1 / k).abs().max() < 0.1


def test_partners_are_uniform_permutations_and_independent():
    generator, counts = seeded(), np.zeros((6, 6))
    order = {
        p: i
        for i, p in enumerate([(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
    }
    for _ in range(1800):
        index = draw_dirichlet(3, 3, generator=generator).index.tolist()
        assert index[0] == [0, 1, 2]
        counts[order[tuple(index[1])], order[tuple(index[2])]] += 1
    assert stats.chisquare(counts.ravel()).pvalue > 1e-3  # all 36 pairs, fixed points included


@pytest.mark.parametrize("batch", [1, 2, 3, 5, 127])
@pytest.mark.parametrize("k", [1, 2, 3, 9])
def test_any_batch_size_for_any_k(batch, k):
    mix = draw_dirichlet(batch, k)
    assert mix.index.shape == mix.weights.shape == (k, batch)
    assert all(row.sort().values.equal(torch.arange(batch)) for row in mix.index)
    x = torch.rand(batch, 2)
    assert mix.inputs(x).shape == x.shape
    for single in (draw_mixup(1), draw_cutmix(1, (3, 4)), no_mix(1)):
        assert single.inputs(torch.ones(1, 1, 3, 4)).eq(1).all()


def test_given_partners_are_taken():
    partners = torch.tensor([2, 2, 0])
    for mix in (draw_mixup(3, partners=partners), draw_cutmix(3, (4, 4), partners=partners)):
        assert mix.index.tolist() == [[0, 1, 2], [2, 2, 0]]
        assert mix.lam.shape == (3,)
    partners[0] = 0
    assert mix.index[1, 0] == 2  # a copy: the mix does not change afterwards


def test_fixed_partners_on_sorted_batches_mix_a_class_with_itself():
    y = torch.arange(8) // 4
    for fixed in (torch.arange(8).roll(1), torch.arange(8).view(2, 4).flip(1).flatten()):
        assert (y[fixed] != y).float().mean() <= 0.25
    generator = seeded()
    crossed = [(y[draw_mixup(8, generator=generator).index[1]] != y) for _ in range(300)]
    assert torch.stack(crossed).float().mean() == pytest.approx(0.5, abs=0.05)


def test_folding_is_the_inverse_permutation_only_for_free_partners():
    mix, y = draw_mixup(6, generator=seeded(3)), torch.arange(6)
    inverse = mix.index[1].argsort()
    folded = torch.zeros(6, 6).scatter_add_(1, mix.index.T, mix.weights.flip(0).T)
    # Weight λ on the partner instead of on oneself: the same mixtures, in another order ...
    torch.testing.assert_close(
        folded[inverse],
        torch.zeros(6, 6).scatter_add_(1, torch.stack([inverse, y], 1), mix.weights.flip(0).T),
    )
    # ... but where partners are chosen (everyone with example 0), example 0 gets the weight.
    chosen = draw_mixup(6, 0.2, partners=torch.zeros(6, dtype=torch.long), generator=seeded(8))
    assert {round(lam, 4) for lam in chosen.lam.tolist()} != {0.5}
    own = torch.stack(
        [
            draw_mixup(6, 0.2, partners=torch.zeros(6, dtype=torch.long), generator=seeded(s)).lam[
                1
            ]
            for s in range(200)
        ]
    )
    assert (own < 0.5).float().mean() == pytest.approx(0.5, abs=0.1)  # not folded


def test_draws_repeat_with_the_generator_and_only_then():
    draws = [
        lambda g: draw_mixup(5, generator=g),
        lambda g: draw_mixup(5, per_sample=True, generator=g),
        lambda g: draw_dirichlet(5, 4, generator=g),
        lambda g: draw_cutmix(5, (9, 8), per_sample=True, generator=g),
    ]
    for draw in draws:
        state = torch.get_rng_state()
        first, again, other = draw(seeded(1)), draw(seeded(1)), draw(seeded(2))
        assert torch.equal(torch.get_rng_state(), state)  # the default generator is untouched
        assert first.weights.equal(again.weights) and first.index.equal(again.index)
        assert not first.weights.equal(other.weights)
        generator = seeded(1)
        steps = torch.stack([draw(generator).index for _ in range(20)])
        assert len(steps.unique(dim=0)) > 10
        torch.manual_seed(7)
        first = draw(None)
        torch.manual_seed(7)
        assert first.index.equal(draw(None).index)  # None is torch's default generator
    mixes = [draw_mixup(5) for _ in range(100)]
    assert len({mix.lam[0].item() for mix in mixes}) == 100


@pytest.mark.parametrize("alpha", [0, -1, math.inf, math.nan])
def test_bad_alpha_names_no_mix(alpha):
    for draw in (draw_mixup, draw_dirichlet, lambda b, alpha: draw_cutmix(b, (4, 4), alpha)):
        with pytest.raises(ValueError, match=rf"alpha={alpha}.*above 0.*no_mix"):
            draw(4, alpha=alpha)


@pytest.mark.parametrize("bad", [0, -2, 1.5, True])
def test_bad_counts(bad):
    for draw in (draw_mixup, draw_dirichlet, no_mix, lambda b: draw_cutmix(b, (4, 4))):
        with pytest.raises(ValueError, match=rf"batch_size.* at least 1, got {bad}"):
            draw(bad)
    with pytest.raises(ValueError, match=rf"k must be .* at least 1, got {bad}"):
        draw_dirichlet(4, k=bad)


def test_bad_partners_and_generators():
    for draw in (draw_mixup, lambda b, partners: draw_cutmix(b, (4, 4), partners=partners)):
        with pytest.raises(ValueError, match=r"partners has shape \(2,\).*\(3,\), long"):
            draw(3, partners=torch.tensor([0, 1]))
        with pytest.raises(ValueError, match="partners has .*int32.*long"):
            draw(3, partners=torch.tensor([0, 1, 2], dtype=torch.int32))
        with pytest.raises(ValueError, match="partners holds values from -1 to 3; valid are 0"):
            draw(3, partners=torch.tensor([0, 3, -1]))


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


@needs_gpu
def test_draws_do_not_wait_for_the_device():
    x = torch.rand(8, 3, 16, 16, device="cuda")
    one_hot, buffer = torch.eye(8, device="cuda"), torch.empty_like(x)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for draw in (
            lambda: draw_mixup(8, device="cuda"),
            lambda: draw_dirichlet(8, 4, per_sample=True, device="cuda"),
            lambda: draw_cutmix(8, x.shape, per_sample=True, device="cuda"),
            lambda: draw_mixup(8),
        ):
            mix = draw()
            mix.inputs(x), mix.inputs(x, out=buffer), mix.targets(one_hot)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@needs_gpu
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_a_seed_gives_the_same_mix_on_every_device(memory_format):
    x, y = torch.rand(8, 3, 16, 16).to(memory_format=memory_format), torch.arange(8)
    for draw in (draw_mixup, draw_dirichlet, lambda b, **kw: draw_cutmix(b, x.shape, **kw)):
        here, there = draw(8, generator=seeded()), draw(8, generator=seeded(), device="cuda")
        assert here.index.equal(there.index.cpu()) and here.weights.equal(there.weights.cpu())
        mixed = there.inputs(x.cuda())
        assert mixed.stride() == x.stride()
        torch.testing.assert_close(mixed.cpu(), here.inputs(x))
        torch.testing.assert_close(there.targets(y.cuda(), 8).cpu(), here.targets(y, 8))
    with pytest.raises(ValueError, match="generator lives on cuda.*CPU generator"):
        draw_mixup(8, generator=torch.Generator("cuda"))


def test_draws_warn_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw_mixup(4), draw_dirichlet(4), draw_cutmix(4, (4, 4)), no_mix(4)
