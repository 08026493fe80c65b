"""Mixup and CutMix as transforms: torchvision v2's protocol, soft labels always."""

import pickle

import pytest
import torch
from torch.utils.data import DataLoader, default_collate
from torchvision import tv_tensors
from torchvision.transforms import v2

from mixup_lib import CutMix, Mixup, draw_cutmix, draw_mixup

BOTH = pytest.mark.parametrize("transform", [Mixup, CutMix])


def batch(size=6):
    """Images that hold their index, labelled by it."""
    return torch.arange(size).float().view(-1, 1, 1, 1).expand(size, 3, 8, 9).contiguous(), (
        torch.arange(size)
    )


@BOTH
def test_images_and_labels_are_mixed_alike(transform):
    torch.manual_seed(1)
    x, y = batch()
    mixed, targets = transform(alpha=5.0, num_classes=6)(x, y)
    # The mean of the pixels is the mean label, whatever was mixed with whatever.
    means = (targets * torch.arange(6)).sum(1)
    torch.testing.assert_close(mixed.mean((1, 2, 3)), means)
    assert (means != y).any()
    assert torch.equal(x, batch()[0]) and torch.equal(y, torch.arange(6))


@pytest.mark.parametrize("draw", [draw_mixup, lambda b, **kw: draw_cutmix(b, (8, 9), **kw)])
def test_same_numbers_as_the_draw(draw):
    x, y = batch()
    transform = Mixup if draw is draw_mixup else CutMix
    for per_sample in (False, True):
        generator = torch.Generator().manual_seed(5)
        ours = transform(0.7, 6, per_sample=per_sample, generator=generator)(x, y)
        again = torch.Generator().manual_seed(5)
        mix = draw(6, alpha=0.7, per_sample=per_sample, generator=again)
        torch.testing.assert_close(ours, (mix.inputs(x), mix.targets(y, 6)))


@BOTH
def test_p_is_per_batch_and_labels_stay_soft(transform):
    torch.manual_seed(0)
    x, y = batch()
    mixed, targets = transform(num_classes=6, p=0.0)(x, y)
    assert torch.equal(mixed, x) and torch.equal(targets, torch.eye(6))
    assert targets.dtype == torch.float32
    half = transform(alpha=5.0, num_classes=6, p=0.5)
    kept = [torch.equal(half(x, y)[1], torch.eye(6)) for _ in range(200)]
    assert sum(kept) / 200 == pytest.approx(0.5, abs=0.12)


@BOTH
def test_floating_targets_need_no_classes(transform):
    x, _ = batch()
    y = torch.rand(6, 2)
    assert transform(p=0.0)(x, y)[1].equal(y)
    assert transform()(x, y)[1].shape == (6, 2)
    with pytest.raises(ValueError, match="num_classes=None"):
        transform()(*batch())


@BOTH
def test_works_in_random_choice(transform):
    torch.manual_seed(0)
    choice = v2.RandomChoice([transform(num_classes=6), v2.MixUp(num_classes=6)])
    for _ in range(10):
        mixed, targets = choice(*batch())
        assert mixed.shape == (6, 3, 8, 9) and targets.shape == (6, 6)
    x = tv_tensors.Image(batch()[0])
    torch.testing.assert_close(
        transform(num_classes=6)(x, batch()[1])[0].mean(), torch.tensor(2.5), atol=2.5, rtol=0
    )


@BOTH
def test_works_as_collate_with_odd_batches(transform):
    mix = transform(num_classes=6)
    data = [(torch.rand(3, 8, 9), i % 6) for i in range(11)]
    loader = DataLoader(data, batch_size=5, collate_fn=lambda rows: mix(*default_collate(rows)))
    assert [len(x) for x, _ in loader] == [5, 5, 1]


@BOTH
def test_arguments_are_checked_early(transform):
    for alpha in (0, -1, float("nan")):
        with pytest.raises(ValueError, match=f"alpha={alpha}.*no_mix"):
            transform(alpha=alpha)
    for p in (-0.1, 1.1):
        with pytest.raises(ValueError, match=f"p={p}.*0 to 1"):
            transform(p=p)
    with pytest.raises(TypeError, match="uint8.*x.float"):
        transform(num_classes=6)(batch()[0].byte(), batch()[1])


@BOTH
def test_making_one_draws_nothing(transform):
    state = torch.get_rng_state()
    transform(alpha=0.3)
    assert torch.equal(torch.get_rng_state(), state)


@BOTH
def test_pickles_and_prints(transform):
    again = pickle.loads(pickle.dumps(transform(alpha=0.4, num_classes=6, p=0.5)))
    assert "alpha=0.4, num_classes=6, p=0.5" in repr(again)
    assert again(*batch())[0].shape == (6, 3, 8, 9)
