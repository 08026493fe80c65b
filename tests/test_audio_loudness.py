"""Mixing by loudness: the formula of its paper, shares that are heard, padding without effect."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixup_lib import Mix, audio, draw_cutmix, draw_dirichlet, draw_mixup, no_mix
from mixup_lib.audio.levels import a_weights

RATE = 8000


def sounds(count=4, samples=2000, seed=0):
    """Noise of different loudness, ``(count, samples)``."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, samples, generator=generator)
    return x * torch.logspace(-2, -1, count)[:, None]


def drawn(batch, seed=0, **options):
    generator = torch.Generator().manual_seed(seed)
    return draw_mixup(batch, per_sample=True, generator=generator, **options)


@pytest.mark.parametrize(
    "hertz, decibels", [(63.1, -26.2), (125.9, -16.1), (500, -3.2), (1000, 0.0), (4000, 1.0)]
)
def test_a_weighting_is_the_standards(hertz, decibels):
    """IEC 61672-1, table 3."""
    size = 2 * 44100
    gain = 10 * a_weights(size, 44100)[round(hertz * 2)].log10()
    assert gain.item() == pytest.approx(decibels, abs=0.15)


@pytest.mark.parametrize("weighting", ["A", None])
def test_loudness_is_the_level_of_a_tone(weighting):
    tone = torch.sin(2 * math.pi * 1000 * torch.arange(RATE) / RATE)
    level = audio.loudness(torch.stack([tone, tone / 10]), RATE, weighting=weighting)
    assert level.tolist() == pytest.approx([-3.01, -23.01], abs=0.05)  # a sine has half the power
    low = torch.sin(2 * math.pi * 100 * torch.arange(RATE) / RATE)
    heard = audio.loudness(low[None], RATE, weighting=weighting)
    assert heard.item() == pytest.approx(-3.01 - (19.1 if weighting else 0), abs=0.2)


@settings(max_examples=25)
@given(before=st.integers(1, 4000), after=st.integers(0, 4000), seed=st.integers(0, 99))
def test_padding_never_changes_the_loudness(before, after, seed):
    x = sounds(seed=seed)
    short = audio.loudness(x[:, :before], RATE)
    padded = torch.nn.functional.pad(x[:, :before], (0, after))
    assert torch.equal(audio.loudness(padded, RATE), short)
    rubbish = padded.clone()
    rubbish[:, min(before, 2000) :] = 100.0
    lengths = torch.full((4,), min(before, 2000))
    assert torch.equal(audio.loudness(rubbish, RATE, lengths), short)


@settings(max_examples=25)
@given(seed=st.integers(0, 999), weighting=st.sampled_from(["A", None]))
def test_weights_are_the_papers_formula(seed, weighting):
    """Tokozume et al. 2018, equations (2) and (3), with r the label's share of the first."""
    x, mix = sounds(seed=seed), drawn(4, seed)
    level = audio.loudness(x, RATE, weighting=weighting).double()
    mixed = audio.mix_by_loudness(mix, x, RATE, weighting=weighting)
    for b, partner in enumerate(mix.index[1]):
        r = mix.lam[b].double()
        p = 1 / (1 + 10 ** ((level[b] - level[partner]) / 20) * (1 - r) / r)
        expected = (p * x[b] + (1 - p) * x[partner]) / (p**2 + (1 - p) ** 2).sqrt()
        assert torch.allclose(mixed[b].double(), expected.double(), atol=1e-5)


@settings(max_examples=25)
@given(seed=st.integers(0, 999), k=st.sampled_from([2, 3]))
def test_the_labels_weight_is_the_share_that_is_heard(seed, k):
    """The amplitudes of the parts stand in the proportion of the label, k of them as well."""
    generator = torch.Generator().manual_seed(seed)
    x, mix = sounds(seed=seed), draw_dirichlet(4, k, 1.0, True, generator)
    heard = audio.loudness_mix(mix, x, RATE)
    assert isinstance(heard, Mix) and torch.equal(heard.index, mix.index)
    amplitude = 10 ** (audio.loudness(x, RATE) / 20)
    parts = heard.weights * amplitude[mix.index]
    assert torch.allclose(parts / parts.sum(0), mix.weights, atol=1e-4)


def test_a_plain_mean_is_not_heard_as_the_label_says():
    """Half and half of a quiet sound and one that is ten times stronger: the label is 0.5."""
    x = sounds(2)
    mix = Mix(torch.tensor([[0, 1], [1, 0]]), torch.full((2, 2), 0.5))
    amplitude = 10 ** (audio.loudness(x, RATE) / 20)
    plain, heard = (
        weights * amplitude[mix.index]
        for weights in (mix.weights, audio.loudness_mix(mix, x, RATE).weights)
    )
    assert (plain / plain.sum(0))[0].tolist() == pytest.approx([0.09, 0.91], abs=0.03)
    assert (heard / heard.sum(0))[0].tolist() == pytest.approx([0.5, 0.5], abs=1e-4)


def test_sounds_of_one_loudness_keep_their_weights():
    x = audio.to_peak(sounds(1, 2000)).repeat(4, 1)
    x = torch.stack([row.roll(500 * i) for i, row in enumerate(x)])
    x = x / 10 ** (audio.loudness(x, RATE)[:, None] / 20)
    mix = drawn(4)
    assert torch.allclose(audio.loudness_mix(mix, x, RATE).weights, mix.weights, atol=1e-5)
    half = torch.full((2, 4), 0.5)
    mixed = audio.mix_by_loudness(Mix(mix.index, half), x, RATE)
    assert torch.allclose(mixed, Mix(mix.index, half).inputs(x) * 2**0.5, atol=1e-5)


def test_the_mixture_is_as_loud_as_its_parts():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(200, 2000, generator=generator)
    mix = drawn(200)
    powers = audio.mix_by_loudness(mix, x, RATE, weighting=None).square().mean(1)
    other = mix.index[1] != mix.index[0]
    assert (powers[other] - 1).abs().mean() < 0.1
    assert mix.inputs(x).square().mean(1)[other].mean() < 0.75  # a plain mean is quieter


def test_not_mixing_changes_nothing():
    x = sounds()
    assert torch.equal(audio.mix_by_loudness(no_mix(4), x, RATE), x)
    certain = Mix(torch.tensor([[0, 1], [1, 0]]), torch.tensor([[1.0, 1.0], [0.0, 0.0]]))
    assert torch.equal(audio.mix_by_loudness(certain, x[:2], RATE), x[:2])


@settings(max_examples=25)
@given(seed=st.integers(0, 99))
def test_it_commutes_with_batching(seed):
    x, mix = sounds(seed=seed), drawn(4, seed)
    mixed = audio.mix_by_loudness(mix, x, RATE)
    for b, partner in enumerate(mix.index[1].tolist()):
        weights = mix.weights[:, b]
        pair = Mix(torch.tensor([[0, 1], [1, 0]]), torch.stack([weights, weights.flip(0)], 1))
        alone = audio.mix_by_loudness(pair, x[[b, partner]], RATE)[0]
        assert torch.allclose(mixed[b], alone, atol=1e-6)


def test_nothing_is_drawn_and_nothing_is_changed():
    x, mix = sounds(), drawn(4)
    kept, state = x.clone(), torch.get_rng_state()
    assert torch.equal(audio.mix_by_loudness(mix, x, RATE), audio.mix_by_loudness(mix, x, RATE))
    assert torch.equal(x, kept) and torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    "change, options, message",
    [
        ({1: 0.0}, {}, r"waves \[1\] are silent"),
        ({2: math.nan}, {}, "NaN"),
        ({}, {"lengths": torch.tensor([1, 2, 3])}, "lengths has shape"),
        ({}, {"lengths": torch.tensor([1, 2, 3, 2001])}, "1 to 2001; valid are 1 to 2000"),
        ({}, {"lengths": torch.tensor([0, 2, 3, 4])}, "0 to 4"),
        ({}, {"weighting": "C"}, "weighting='C'; valid"),
        ({}, {"sample_rate": 50}, "sample_rate"),
    ],
)
def test_bad_input_is_named(change, options, message):
    x = sounds()
    for row, value in change.items():
        x[row] = value
    with pytest.raises(ValueError, match=message):
        audio.mix_by_loudness(drawn(4), x, **{"sample_rate": RATE} | options)


def test_other_shapes_and_boxes_are_refused():
    with pytest.raises(ValueError, match="stereo"):
        audio.loudness(sounds()[:, None].expand(4, 2, 2000), RATE)
    with pytest.raises(ValueError, match="at least one sample"):
        audio.loudness(torch.zeros(2, 0), RATE)
    with pytest.raises(TypeError, match="int16"):
        audio.loudness(torch.zeros(2, 9, dtype=torch.int16), RATE)
    with pytest.raises(ValueError, match="box"):
        audio.loudness_mix(draw_cutmix(4, (2000,), dims=(-1,)), sounds(), RATE)
    assert audio.loudness(torch.zeros(1, 9), RATE).item() == -math.inf
