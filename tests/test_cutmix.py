"""CutMix: the box lies inside, is pasted as it is, and the label follows its measured share."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from scipy import stats

from mixup_lib import draw_cutmix


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def indexed(mix, shape, dim=0):
    """The mixture of a batch whose every entry is the index of its example."""
    axes = [1] * len(shape)
    axes[dim] = -1
    x = torch.arange(len(mix)).double().view(axes).expand(shape).contiguous()
    before = x.clone()
    mixed = mix.inputs(x, dim)
    assert torch.equal(x, before)
    return mixed


CUTS = [  # shape, dims, of an image, a waveform, a clip in time, in time and space, text
    ((4, 3, 7, 12), None),
    ((4, 2, 3, 40), (-2, -1)),
    ((4, 2, 33), (-1,)),
    ((4, 2, 9, 5, 6), (2,)),
    ((4, 2, 9, 5, 6), (2, 3, 4)),
    ((4, 3, 5, 7), (3, 1)),
    ((4, 11, 3), (1,)),
]


@given(st.sampled_from(CUTS), st.booleans(), st.integers(0, 999))
def test_label_weight_is_the_share_of_entries_pasted(cut, per_sample, seed):
    shape, dims = cut
    mix = draw_cutmix(4, shape, 1.0, dims, per_sample, generator=seeded(seed))
    mixed = indexed(mix, shape)
    own = (mixed == torch.arange(4).view(-1, *[1] * (len(shape) - 1))).flatten(1).double().mean(1)
    own = torch.where(mix.index[1] == torch.arange(4), mix.lam.double(), own)  # own partner
    torch.testing.assert_close(own, mix.lam.double(), atol=1e-6, rtol=0)
    targets = mix.targets(torch.arange(4), 4)
    for b in range(4):
        counts = (mixed[b].flatten().unsqueeze(1) == torch.arange(4)).double().mean(0)
        torch.testing.assert_close(targets[b].double(), counts, atol=1e-6, rtol=0)
    assert per_sample or len(mix.lam.unique()) == 1


def test_the_pasted_entries_are_the_box():
    size = (5, 40)  # a box with height and width swapped would stick out or be cut
    mix = draw_cutmix(64, size, per_sample=True, partners=torch.arange(64).roll(1))
    mixed = indexed(mix, (64, *size))
    for b in range(64):
        (top, left), (bottom, right) = mix.box.start[:, b].tolist(), mix.box.stop[:, b].tolist()
        assert 0 <= top <= bottom <= 5 and 0 <= left <= right <= 40
        inside = torch.zeros(size, dtype=torch.bool)
        inside[top:bottom, left:right] = True
        assert torch.equal(mixed[b] == (b - 1) % 64, inside)
    heights, widths = (mix.box.stop - mix.box.start).double()
    assert heights.max() <= 5 < widths.max()


def test_sides_keep_the_aspect_and_centres_are_uniform():
    mix = draw_cutmix(4000, (50, 400), 0.3, per_sample=True, generator=seeded())
    heights, widths = mix.box.stop - mix.box.start
    clipped = (mix.box.start == 0) | (mix.box.stop == torch.tensor([[50], [400]]))
    whole = ~clipped.any(0)
    assert whole.sum() > 100  # and boxes of all sizes
    assert ((widths / 8 - heights)[whole].abs() <= 2).all()
    thin = heights <= 2
    assert thin.sum() > 50
    middle = ((mix.box.start + mix.box.stop)[1] / 2 / 400)[thin & (widths > 0)]
    assert stats.kstest(middle.numpy(), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("alpha", [0.3, 1.0, 5.0])
@pytest.mark.parametrize("dims", [(-1,), (-2, -1), (-3, -2, -1)])
def test_a_box_that_fits_has_one_minus_lambda_of_the_volume(monkeypatch, alpha, dims):
    def centred(n, shape, generator=None, device=None):
        return torch.full(shape, n // 2)

    monkeypatch.setattr(torch, "randint", centred)
    size = (4000, 6000, 8000)[: len(dims)]
    mix = draw_cutmix(2000, size, alpha, dims, per_sample=True, generator=seeded())
    inner = mix.lam[(mix.lam > 0.01) & (mix.lam < 0.99)].double().numpy()
    law = stats.beta(alpha, alpha)
    low, high = law.cdf(0.01), law.cdf(0.99)
    assert stats.kstest(inner, lambda v: (law.cdf(v) - low) / (high - low)).pvalue > 1e-3


def test_any_batch_dimension():
    shape = (7, 4, 9)  # length, batch, features
    mix = draw_cutmix(4, shape, dims=(0,), partners=torch.tensor([1, 2, 3, 0]))
    mixed = indexed(mix, shape, dim=1)
    share = (mixed == torch.tensor([1.0, 2, 3, 0]).view(1, 4, 1)).double().mean((0, 2))
    torch.testing.assert_close(share, mix.box.share.double(), atol=1e-6, rtol=0)


def test_size_is_the_shape_or_its_lengths_along_dims():
    x = torch.zeros(4, 3, 8, 9)
    for a, b, dims in ((x.shape, (8, 9), None), (x.shape, (3,), (1,)), (x.shape, (9, 3), (3, -3))):
        first = draw_cutmix(4, a, dims=dims, generator=seeded())
        again = draw_cutmix(4, b, dims=dims, generator=seeded())
        assert first.box.size == again.box.size == tuple(b)
        assert first.lam.equal(again.lam) and first.box.start.equal(again.box.start)
    assert (first.box.share == 1 - first.lam).all() and first.box.dims == (3, -3)


def test_buffer_and_half_precision():
    mix = draw_cutmix(4, (8, 9), generator=seeded(2))
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        x = torch.randn(4, 3, 8, 9, dtype=dtype)
        out = torch.full_like(x, torch.nan)
        assert mix.inputs(x, out=out) is out
        assert torch.equal(out, mix.inputs(x)) and mix.weights.dtype == torch.float32
    x[1] = torch.nan  # what is not pasted leaves no trace
    clean = draw_cutmix(4, (8, 9), partners=torch.tensor([0, 1, 2, 3])).inputs(x)
    assert clean.isnan().flatten(1).any(1).tolist() == [False, True, False, False]


BAD = [
    ({"size": (4, 4), "dims": ()}, r"dims=\(\).*one axis or more"),
    ({"size": (4, 3, 8, 8), "dims": (4,)}, r"dims=\(4,\).*size=\(4, 3, 8, 8\)"),
    ({"size": (4, 3, 8), "dims": (2, -1)}, r"dims=\(2, -1\).*size=\(4, 3, 8\) twice"),
    ({"size": (4, 4), "dims": (-1, -1)}, r"dims=\(-1, -1\).*twice"),
    ({"size": (4, 3, 0, 8)}, r"size=\(0, 8\).*1 or more"),
    ({"size": (5,)}, r"dims=\(-2, -1\).*size=\(5,\)"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_sizes_and_dims(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_cutmix(4, **arguments)


@pytest.mark.parametrize("shape", [(4, 3, 5, 5), (4, 3, 9, 5), (4, 3, 6, 4), (4, 3, 6, 6)])
def test_a_box_of_another_size_raises(shape):
    mix = draw_cutmix(4, (6, 5))
    with pytest.raises(ValueError, match=r"box was drawn for length \d .*size=x.shape"):
        mix.inputs(torch.zeros(shape))


def test_two_names_of_one_axis_raise():
    mix = draw_cutmix(4, (6, 6), dims=(-1, 3))
    with pytest.raises(ValueError, match=r"box.dims=\(-1, 3\).*\(4, 3, 6, 6\), twice"):
        mix.inputs(torch.zeros(4, 3, 6, 6))
