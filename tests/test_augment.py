"""Crop and flip: every result is a shifted or mirrored original, and nothing else changes."""

import pytest
import torch
from torchvision.transforms import v2

from mixup_lib.basics.naming import describe
from mixup_lib.training import augment
from mixup_lib.training.augment import chain, crop, flip, per_image, rotate, scale


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def images(n=64, channels=3, height=8, width=6):
    return torch.rand(n, channels, height, width, generator=generator())


def test_flip_mirrors_about_half_and_only_mirrors():
    x = images(400)
    y = flip(x, generator())
    same = (y == x).flatten(1).all(1)
    mirrored = (y == x.flip(-1)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 150 < mirrored.sum() < 250


def test_crop_shifts_each_image_within_the_padding_and_reaches_all_of_it():
    x = images(500)
    y = crop(x, generator(), padding=1)
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    windows = torch.stack(
        [padded[..., i : i + 8, j : j + 6] for i in range(3) for j in range(3)], dim=1
    )
    hits = (windows == y[:, None]).flatten(2).all(2)
    assert (hits.sum(1) == 1).all()
    assert (hits.sum(0) > 20).all()


def test_default_padding_is_an_eighth_and_zero_is_no_crop():
    x = images(8, height=32, width=32)
    assert torch.equal(crop(x, generator()), crop(x, generator(), padding=4))
    assert torch.equal(crop(x, generator(), padding=0), x)


@pytest.mark.parametrize("change", [flip, crop, chain(crop, flip), rotate, scale])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_layout_dtype_and_the_callers_tensor_are_kept(change, layout):
    x = images().to(memory_format=layout)
    before = x.clone()
    y = change(x, generator())
    assert torch.equal(x, before)
    assert y.shape == x.shape
    assert y.dtype == x.dtype
    assert y.is_contiguous(memory_format=layout)


def test_draws_follow_the_generator_and_differ_within_a_batch():
    x = images(1).expand(32, -1, -1, -1)
    augment = chain(crop, flip)
    first, again = augment(x, generator(1)), augment(x, generator(1))
    assert torch.equal(first, again)
    assert not torch.equal(first, augment(x, generator(2)))
    assert len(first.unique(dim=0)) > 3


def test_bad_input():
    with pytest.raises(ValueError, match=r"x must be images .* got shape \(8, 6\)"):
        flip(torch.zeros(8, 6))
    with pytest.raises(ValueError, match="padding must be an integer of at least 0, got -1"):
        crop(images(), padding=-1)
    with pytest.raises(TypeError, match="callables"):
        chain(flip, 3)


def test_per_image_draws_for_each_image_and_follows_the_generator():
    x = images(40, height=8, width=8)
    mirrored = per_image(v2.RandomHorizontalFlip(0.5))
    state = torch.random.get_rng_state()
    y, again, other = (mirrored(x, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(y, again) and not torch.equal(y, other)
    same = (y == x).flatten(1).all(1)
    assert (same ^ (y == x.flip(-1)).flatten(1).all(1)).all()
    assert 5 < same.sum() < 35


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_per_image_keeps_the_layout_and_the_callers_tensor(layout):
    x = images().to(memory_format=layout)
    before = x.clone()
    y = per_image(v2.RandomRotation(15))(x, generator())
    assert torch.equal(x, before) and y.shape == x.shape
    assert y.is_contiguous(memory_format=layout)


def test_per_image_is_described_by_its_transform_and_refuses_what_is_none():
    assert "degrees=[-15.0, 15.0]" in describe(per_image(v2.RandomRotation(15)))
    with pytest.raises(TypeError, match="transform must be callable, got 3"):
        per_image(3)
    with pytest.raises(ValueError, match="x must be images"):
        per_image(v2.RandomRotation(15))(torch.rand(3, 4))


def ramp(height=9, width=13):
    return torch.rand(6, 2, height, width, generator=generator())


@pytest.mark.parametrize("degrees", [-20.0, 7.0])
def test_rotation_is_torchvisions(degrees, monkeypatch):
    monkeypatch.setattr(augment, "_uniform", lambda x, *_: torch.full((len(x),), degrees))
    bilinear = v2.InterpolationMode.BILINEAR
    theirs = v2.functional.rotate(ramp(), degrees, interpolation=bilinear)
    assert torch.allclose(rotate(ramp(), degrees=30), theirs, atol=1e-5)


@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_scaling_is_torchvisions(factor, monkeypatch):
    monkeypatch.setattr(augment, "_uniform", lambda x, *_: torch.full((len(x),), factor))
    bilinear = v2.InterpolationMode.BILINEAR
    theirs = v2.functional.affine(ramp(), 0, [0, 0], factor, [0, 0], interpolation=bilinear)
    assert torch.allclose(scale(ramp()), theirs, atol=1e-5)


def test_each_image_has_its_own_angle_and_factor():
    x = ramp()[:1].expand(6, -1, -1, -1)
    for change in (rotate, scale):
        y = change(x, generator(1))
        assert torch.equal(y, change(x, generator(1)))
        assert len({tuple(image.flatten().tolist()) for image in y}) == 6


def test_no_angle_and_factor_one_change_nothing():
    assert torch.allclose(rotate(ramp(), degrees=0), ramp(), atol=1e-6)
    assert torch.allclose(scale(ramp(), low=1, high=1), ramp(), atol=1e-6)


def test_bad_angles_and_factors():
    with pytest.raises(ValueError, match=r"degrees must lie in \[0, 180\], got 200"):
        rotate(ramp(), degrees=200)
    for low, high in ((0, 1), (1.2, 0.8)):
        with pytest.raises(ValueError, match="low and high must be"):
            scale(ramp(), low=low, high=high)
