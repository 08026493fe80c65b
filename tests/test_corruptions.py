"""Corruptions: in range, stronger with severity, and the same from the same generator."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixup_lib import datasets
from mixup_lib.measures.corruptions import CORRUPTIONS, corrupt

PICTURES = datasets.textures(train=1, validation=0, test=40).test.tensors[0]
EVERY = pytest.mark.parametrize("name", CORRUPTIONS)


def drawn(x, name, severity, seed=0):
    return corrupt(x, name, severity, torch.Generator().manual_seed(seed))


@EVERY
def test_severity_is_monotone(name):
    moved = [(drawn(PICTURES, name, s) - PICTURES).square().mean() for s in range(1, 6)]
    assert all(weaker < stronger for weaker, stronger in zip(moved, moved[1:], strict=False))
    assert moved[0] > 0


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(list(CORRUPTIONS)),
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_shape_dtype_and_range_are_kept_and_the_input_is_left_alone(name, severity, b, c, h, w):
    torch.manual_seed(0)
    x = torch.rand(b, c, h, w)
    before = x.clone()
    out = corrupt(x, name, severity)
    assert out.shape == x.shape and out.dtype == x.dtype
    assert out.min() >= 0 and out.max() <= 1
    assert torch.equal(x, before) and out.data_ptr() != x.data_ptr()


@EVERY
def test_the_generator_alone_draws(name):
    assert torch.equal(drawn(PICTURES, name, 3), drawn(PICTURES, name, 3))
    draws = name in ("noise", "impulse")
    assert torch.equal(drawn(PICTURES, name, 3), drawn(PICTURES, name, 3, seed=1)) != draws
    torch.manual_seed(5)
    before = torch.get_rng_state()
    drawn(PICTURES, name, 3)
    assert torch.equal(torch.get_rng_state(), before)


@EVERY
def test_an_image_does_not_depend_on_its_neighbours_unless_noise_is_drawn(name):
    if name not in ("noise", "impulse"):
        alone = torch.cat([corrupt(picture[None], name, 4) for picture in PICTURES])
        assert torch.allclose(corrupt(PICTURES, name, 4), alone, atol=1e-6)


def test_what_each_one_does():
    flat, g = torch.full((1, 3, 400, 400), 0.5), torch.Generator().manual_seed(0)
    assert drawn(flat, "noise", 2).std().item() == pytest.approx(0.08, rel=0.02)
    spoilt = corrupt(flat, "impulse", 5, g)
    assert (spoilt != 0.5).float().mean().item() == pytest.approx(0.1, rel=0.05)
    assert set(spoilt.unique().tolist()) == {0.0, 0.5, 1.0}
    assert torch.equal(spoilt[:, 0], spoilt[:, 1])  # the whole pixel
    for name in ("blur", "pixelate", "contrast"):  # nothing to lose
        assert torch.allclose(corrupt(flat, name, 5), flat, atol=1e-6)
    assert torch.allclose(corrupt(flat, "brightness", 3), flat + 0.3)
    half = corrupt(torch.tensor([0.2, 0.8]).view(1, 1, 1, 2), "contrast", 5)
    assert torch.allclose(half.flatten(), torch.tensor([0.44, 0.56]))
    point = torch.zeros(1, 1, 21, 21)
    point[0, 0, 10, 10] = 1
    spread = corrupt(point, "blur", 2)[0, 0]
    assert spread.sum().item() == pytest.approx(1, abs=1e-4)  # no light is lost
    offset = torch.arange(21.0) - 10
    assert (spread.sum(0) * offset**2).sum().item() == pytest.approx(0.8**2, rel=0.05)
    assert len(corrupt(torch.rand(1, 1, 20, 20), "pixelate", 5).unique()) == 25


@pytest.mark.parametrize("severity", [0, 6, 2.0, True, "3"])
def test_bad_severity(severity):
    with pytest.raises(ValueError, match="severity=.*; valid is an integer from 1 to 5"):
        corrupt(PICTURES, "noise", severity)


def test_bad_name_and_images():
    with pytest.raises(ValueError, match="name='fog'; valid are 'noise', 'impulse', 'blur'"):
        corrupt(PICTURES, "fog", 1)
    with pytest.raises(TypeError, match="x has dtype torch.uint8"):
        corrupt((255 * PICTURES).byte(), "noise", 1)
    with pytest.raises(ValueError, match=r"x has shape \(3, 32, 32\); valid is \(B, C, H, W\)"):
        corrupt(PICTURES[0], "noise", 1)
    for bad in (PICTURES - 1, PICTURES * 3, PICTURES * float("nan")):
        with pytest.raises(ValueError, match="x holds values from .*; valid are 0 to 1"):
            corrupt(bad, "noise", 1)
