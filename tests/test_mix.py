"""A mix applied: inputs, targets and masks, for every dtype, layout, batch dimension and buffer.

The label is the example's own index throughout, so every pairing is visible: mixing the identity
matrix shows the matrix W of ``x' = W x`` itself.
"""

from functools import partial

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch.autograd import gradcheck

from mixup_lib import Mix, draw_cutmix, draw_dirichlet, draw_mixup, no_mix
from mixup_lib.mixing import (
    by_kernel,
    draw_chosen,
    draw_frames,
    draw_scheduled,
    nearest,
    off_late,
    other_class,
    same_class,
)
from mixup_lib.mixing import memory as _memory

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
EPS = {dtype: torch.finfo(dtype).eps for dtype in FLOATS}


@pytest.fixture(params=["short rows", "long rows", "huge pages"])
def memory(request, monkeypatch):
    """Small tensors through every way of gathering and allocating."""
    if request.param != "short rows":
        monkeypatch.setattr(_memory, "_GRAIN", 1)
    if request.param == "huge pages":
        monkeypatch.setattr(_memory, "_LARGE", 0)


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("dtype", FLOATS)
def test_every_way_of_gathering_gives_the_same(dtype):
    for shape in ((5,), (5, 3), (5, 0), (5, 3, 40)):
        x, mix = torch.randn(shape).to(dtype), draw_dirichlet(5, 3)
        wanted = matrix(mix) @ x.double().view(5, -1) if x.numel() else x.double().view(5, 0)
        for out in (None, torch.empty_like(x), torch.empty(*shape, 2).to(dtype)[..., 0]):
            mixed = mix.inputs(x, out=out).double().reshape(5, -1) if x.numel() else wanted
            torch.testing.assert_close(mixed, wanted, atol=max(16 * EPS[dtype], 2e-6), rtol=0)


@st.composite
def mixes(draw):
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    alpha = draw(st.sampled_from([0.05, 0.4, 1.0, 8.0]))
    batch, k = draw(st.integers(1, 7)), draw(st.integers(1, 5))
    return draw_dirichlet(batch, k, alpha, draw(st.booleans()), generator=generator)


def matrix(mix):
    """W in float64: row b holds the weights of the examples mixed into example b."""
    w = torch.zeros(len(mix), len(mix), dtype=torch.double)
    for index, weights in zip(mix.index, mix.weights):
        w[torch.arange(len(mix)), index] += weights.double()
    return w


def pair(batch=4, lam=0.25):
    """Everyone with the next one, ``lam`` of themselves."""
    index = torch.stack([torch.arange(batch), torch.arange(batch).roll(-1)])
    return Mix(index, torch.tensor([[lam], [1 - lam]]).repeat(1, batch))


@given(mixes())
def test_inputs_and_labels_meet_the_same_partners(mix):
    eye = torch.eye(len(mix))
    labels = torch.arange(len(mix))
    torch.testing.assert_close(mix.inputs(eye).double(), matrix(mix), atol=1e-6, rtol=0)
    torch.testing.assert_close(mix.targets(labels, len(mix)).double(), matrix(mix))
    torch.testing.assert_close(mix.targets(eye), mix.targets(labels, len(mix)))
    assert (mix.index[0] == labels).all() and torch.equal(mix.lam, mix.weights[0])
    torch.testing.assert_close(mix.weights.sum(0), torch.ones(len(mix)))


@given(mixes(), st.sampled_from(FLOATS), st.integers(-3, 2), st.booleans(), st.booleans())
def test_inputs_is_w_times_x_along_any_dim(mix, dtype, dim, strided, buffered):
    shape = [3, 4, 5]
    shape[dim] = len(mix) * (2 if strided else 1)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    if strided:  # every other example of a larger tensor
        x = x.movedim(dim, 0)[::2].movedim(0, dim)
    before, version = x.clone(), x._version
    out = torch.full(x.shape, torch.nan, dtype=dtype) if buffered else None
    mixed = mix.inputs(x, dim, out)
    wanted = torch.tensordot(matrix(mix), x.double().movedim(dim, 0), 1).movedim(0, dim)
    torch.testing.assert_close(mixed.double(), wanted, atol=max(16 * EPS[dtype], 2e-6), rtol=0)
    assert mixed.dtype == dtype and mixed.shape == x.shape
    assert out is None or mixed is out
    assert torch.equal(x, before) and x._version == version


@given(mixes(), st.sampled_from(FLOATS))
def test_a_mixture_lies_between_its_examples(mix, dtype):
    # Three bfloat16 weights can sum to 1.003, which would make a white image whiter than white.
    assert (mix.inputs(torch.ones(len(mix), 2, dtype=dtype)) == 1).all()


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("buffered", [False, True])
@pytest.mark.parametrize("draw", [draw_mixup, draw_dirichlet, draw_cutmix])
@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize(
    "memory_format", [torch.contiguous_format, torch.channels_last, torch.channels_last_3d]
)
def test_memory_format_is_kept(memory_format, dim, draw, buffered):
    spatial = (4, 5, 6) if memory_format == torch.channels_last_3d else (4, 5)
    x = torch.randn(3, 3, *spatial).to(memory_format=memory_format)
    mix = draw_cutmix(3, x.shape) if draw is draw_cutmix else draw(3)
    out = torch.empty_like(x) if buffered else None
    mixed = mix.inputs(x, dim, out)
    assert mixed.stride() == x.stride()
    torch.testing.assert_close(mixed, mix.inputs(x.contiguous(), dim))


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("dim", [0, 1])
def test_gradients_flow(dim):
    torch.manual_seed(0)
    x = torch.randn(3, 3, 4, dtype=torch.double, requires_grad=True)
    for mix in (draw_dirichlet(3, 4, per_sample=True), draw_cutmix(3, (4,), dims=(-1,))):
        assert gradcheck(lambda x, mix=mix: mix.inputs(x, dim), x, check_forward_ad=True)
    y = torch.rand(3, 2, requires_grad=True)
    pair(3).targets(y).sum().backward()
    torch.testing.assert_close(y.grad, torch.ones(3, 2))


@pytest.mark.usefixtures("memory")
@pytest.mark.filterwarnings("ignore:There is a performance drop")
def test_function_transforms_go_through():
    x, mix = torch.randn(2, 4, 3), pair()
    torch.testing.assert_close(
        torch.func.vmap(mix.inputs)(x), torch.stack([mix.inputs(part) for part in x])
    )
    mixed, tangent = torch.func.jvp(mix.inputs, (x[0],), (x[1],))
    torch.testing.assert_close((mixed, tangent), (mix.inputs(x[0]), mix.inputs(x[1])))


def test_large_results_are_ordinary_tensors(monkeypatch):
    monkeypatch.setattr(_memory, "_LARGE", 0)
    mixed = pair().inputs(torch.eye(4))
    torch.testing.assert_close(torch.from_numpy(mixed.numpy()), pair().inputs(torch.eye(4)))
    assert torch.equal(mixed.clone().share_memory_(), mixed)
    assert torch.equal(mixed.share_memory_(), pair().inputs(torch.eye(4)))
    assert (mixed.mul_(0) == 0).all()


def test_a_large_batch_takes_the_huge_pages():
    x = torch.rand(3, _memory._LARGE // 8)  # 1.5 times the limit
    mixed = pair(3).inputs(x)
    torch.testing.assert_close(mixed, torch.lerp(x.roll(-1, 0), x, 0.25))


def test_a_buffer_is_reused_without_a_trace_of_the_last_batch():
    buffer = torch.empty(4, 4)
    for _ in range(3):
        mix, x = draw_dirichlet(4), torch.randn(4, 4)
        assert mix.inputs(x, out=buffer) is buffer
        torch.testing.assert_close(buffer, mix.inputs(x))
    assert torch.equal(no_mix(4).inputs(x, out=buffer), x)


def test_slices_of_one_buffer_do_not_overlap():
    storage = torch.randn(8, 4)
    x, out = storage[:4], storage[4:]
    torch.testing.assert_close(pair().inputs(x, out=out), pair().inputs(x.clone()))
    for overlapping in (x, storage[3:7], x.T):
        with pytest.raises(ValueError, match="out overlaps x"):
            pair().inputs(x, out=overlapping)


def test_nothing_mixed_is_the_same_tensor():
    x, mix = torch.randn(3, 2), no_mix(3)
    assert mix.inputs(x) is x and len(mix) == 3 and mix.box is None
    assert torch.equal(mix.targets(torch.tensor([2, 0, 1]), 3), torch.eye(3)[[2, 0, 1]])
    mask = torch.rand(3, 5) > 0.5
    assert torch.equal(mix.any_valid(mask), mask)


@pytest.mark.parametrize("dtype", FLOATS)
def test_labels_are_float32_whatever_the_inputs(dtype):
    # 257 is no bfloat16: a label cast to the image's precision becomes class 256.
    y, mix = torch.tensor([257, 256, 1, 299]), pair()
    one_hot = torch.nn.functional.one_hot(y, 300)
    for targets in (mix.targets(y, 300), mix.targets(one_hot.to(dtype))):
        assert targets.dtype == torch.float32
        assert targets[0, 257] == 0.25 and targets[0, 256] == 0.75
        torch.testing.assert_close(targets.sum(1), torch.ones(4))
    y = torch.tensor([257.0, 1.0, 3.0, 5.0], dtype=torch.double)  # regression: not through half
    assert mix.targets(y)[0] == 0.25 * 257 + 0.75


@pytest.mark.parametrize("dtype", [torch.long, torch.int32, torch.uint8])
def test_class_ids_of_any_integer_type_and_sequences(dtype):
    y, mix = torch.tensor([[0, 1, 2], [2, 2, 2]], dtype=dtype), pair(2)
    wanted = mix.targets(torch.nn.functional.one_hot(y.long(), 3).float())
    torch.testing.assert_close(mix.targets(y, 3), wanted)
    assert torch.equal(mix.targets(y, 3)[0, 2], torch.tensor([0, 0, 1.0]))


def test_multi_label_and_bool_targets():
    y = torch.tensor([[True, True], [False, True]])
    assert torch.equal(pair(2).targets(y), torch.tensor([[0.25, 1], [0.75, 1]]))
    assert torch.equal(pair(2).targets(y.float(), num_classes=2), pair(2).targets(y))


@given(mixes(), st.integers(0, 1))
def test_a_position_is_valid_where_any_example_has_a_token(mix, dim):
    lengths = torch.arange(len(mix)) % 4  # example b holds b % 4 tokens
    mask = torch.arange(3) < lengths.unsqueeze(1)
    longest = lengths[mix.index].amax(0)
    valid = mix.any_valid(mask if dim == 0 else mask.T.contiguous(), dim)
    assert torch.equal(valid if dim == 0 else valid.T, torch.arange(3) < longest.unsqueeze(1))
    assert torch.equal(mask, torch.arange(3) < lengths.unsqueeze(1))


def test_a_mix_is_immutable_and_moves():
    mix = draw_cutmix(3, (4, 5))
    with pytest.raises(AttributeError):
        mix.weights = torch.ones(2, 3)
    moved = mix.to("meta")
    assert moved.index.is_meta and moved.box.stop.is_meta and moved.box.size == (4, 5)


@pytest.mark.parametrize("dtype", FLOATS)
def test_class_ids_are_recognised_in_any_dtype(dtype):
    y, mix = torch.tensor([3, 1, 0, 2]), pair()
    wanted = mix.targets(y, 4)  # as many classes as examples: ids would be averaged unnoticed
    assert torch.equal(mix.targets(y.to(dtype), 4), wanted)
    assert torch.equal(mix.targets(y.to(dtype), 9)[:, :4], wanted)
    # Without a number of classes they are what they look like: targets of a regression.
    torch.testing.assert_close(mix.targets(y.to(dtype)), mix.inputs(y.float()))


@pytest.mark.parametrize("dtype", [torch.long, torch.int32, torch.uint8, torch.bool])
def test_one_hot_labels_of_integers_are_recognised(dtype):
    y, mix = torch.tensor([3, 1, 0, 2]), pair()
    one_hot = torch.nn.functional.one_hot(y, 5)
    assert torch.equal(mix.targets(one_hot.to(dtype), 5), mix.targets(y, 5))
    tokens = torch.tensor([[0, 1, 2], [2, 2, 1], [0, 0, 2], [1, 1, 0]])  # ids: three tokens each
    assert mix.targets(tokens, 3).shape == (4, 3, 3)


# Targets that have positions ------------------------------------------------------------------

PASTES = {
    # Shape of the inputs, axes cut, positions of the labels, dims= where they can't be found.
    "image": ((5, 3, 6, 7), None, (6, 7), None),
    "square image": ((5, 3, 6, 6), (2, 3), (6, 6), None),
    "wave": ((5, 2, 9), (-1,), (9,), None),
    "clip in time": ((5, 2, 6, 3, 4), (2,), (6,), None),
    "clip in space and time": ((5, 2, 6, 3, 4), (2, 3, 4), (6, 3, 4), None),
    "sequence of vectors": ((5, 8, 3), (1,), (8,), None),
    "bands of a spectrogram": ((5, 1, 6, 7), (2,), (6, 7), (1,)),
}


@pytest.mark.parametrize("per_sample", [False, True])
@pytest.mark.parametrize("name", PASTES)
def test_targets_of_positions_are_pasted_as_the_inputs_are(name, per_sample):
    """Every pixel holds the number of its example, and so does its label."""
    shape, cut, positions, dims = PASTES[name]
    generator = torch.Generator().manual_seed(2)
    seen = set()
    for _ in range(10):
        mix = draw_cutmix(5, shape, dims=cut, per_sample=per_sample, generator=generator)
        owner = torch.arange(5).view(-1, *[1] * (len(shape) - 1)).expand(shape)
        x = mix.inputs(owner.float())
        # The labels lie where the inputs do: without channels, and some without further axes.
        first = x[:, 0] if name != "sequence of vectors" else x[..., 0]
        while first.ndim > 1 + len(positions):
            first = first[..., 0]
        y = torch.arange(5).view(-1, *[1] * len(positions)).expand(5, *positions)
        targets = mix.targets(y, 5, dims)
        assert targets.shape == (5, *positions, 5) and targets.dtype == torch.float32
        assert torch.equal(targets.argmax(-1), first.long())
        assert torch.equal(mix.paste(y, dims or mix.cut_axes(y)), first.long())
        assert torch.equal(targets, torch.nn.functional.one_hot(first.long(), 5).float())
        # One-hot scores, classes last, and masks of bits, give the same.
        assert torch.equal(mix.targets(torch.nn.functional.one_hot(y, 5), 5, dims), targets)
        seen.add((x[:, 0] != owner[:, 0]).any().item())
    assert True in seen


def test_soft_masks_with_channels_are_pasted():
    mix = draw_cutmix(3, (3, 2, 6, 7), per_sample=True)
    y = torch.rand(3, 4, 6, 7)
    assert torch.equal(mix.targets(y), mix.inputs(y))


def test_targets_of_whole_examples_keep_one_weight_under_a_box():
    mix = draw_cutmix(4, (4, 1, 7), dims=(-1,))
    scores = torch.rand(4, 7)  # as long as the wave
    wanted = mix.weights[0, :, None] * scores + mix.weights[1, :, None] * scores[mix.index[1]]
    assert torch.equal(mix.targets(scores, 7), wanted)
    assert torch.equal(mix.targets(scores, dims=()), wanted)
    assert torch.equal(mix.targets(scores, dims=(1,)), mix.paste(scores, (1,)))
    assert torch.equal(mix.targets(scores[:, :3]), wanted[:, :3])
    assert torch.equal(mix.targets(scores[:, 0]), wanted[:, 0])


def test_without_a_box_positions_are_weighted():
    y = torch.tensor([[0, 1], [1, 1], [2, 0], [0, 0]])
    assert torch.equal(pair().targets(y, 3)[0], torch.tensor([[0.25, 0.75, 0], [0, 1, 0]]))
    mix = no_mix(4)
    assert torch.equal(mix.targets(y, 3).argmax(-1), y) and mix.paste(y) is y


# Default dtype and device ---------------------------------------------------------------------


@pytest.fixture(params=[torch.float64, torch.bfloat16, torch.float16, "meta"])
def default(request):
    """Another default dtype, or another default device, on which there are no numbers at all."""
    if request.param == "meta":
        torch.set_default_device("meta")
    else:
        torch.set_default_dtype(request.param)
    yield
    torch.set_default_device(None)
    torch.set_default_dtype(torch.float32)


def test_draws_do_not_depend_on_the_defaults(default):
    def drawn():
        g = torch.Generator("cpu").manual_seed(4)
        y = torch.tensor([0, 1, 0, 1, 2], device="cpu")
        x = torch.arange(5.0, dtype=torch.float32, device="cpu")
        choose = partial(by_kernel, bandwidth=1.0)
        return [
            draw_mixup(5, 0.4, generator=g),
            draw_mixup(5, 0.4, per_sample=True, generator=g),
            draw_dirichlet(5, 3, generator=g),
            draw_cutmix(5, (8, 9), per_sample=True, generator=g),
            draw_frames(5, 7, per_sample=True, generator=g),
            draw_scheduled(5, 0.5, off_late, generator=g),
            *(draw_chosen(5, x, y, rule, generator=g) for rule in (same_class, other_class)),
            draw_chosen(5, x, y, nearest, generator=g),
            draw_chosen(5, x, x, choose, generator=g),
            no_mix(5),
        ]

    changed = drawn()
    x, y = torch.rand(5, 3), torch.arange(5) % 3
    for mix in changed[:3]:
        assert mix.inputs(x).dtype == x.dtype
        assert mix.targets(y, 3).dtype == torch.float32
    assert all(m.index.is_cpu and m.weights.is_cpu for m in changed)
    torch.set_default_device(None)
    torch.set_default_dtype(torch.float32)
    for mine, usual in zip(changed, drawn(), strict=True):
        assert mine.weights.dtype == torch.float32
        assert torch.equal(mine.index, usual.index) and torch.equal(mine.weights, usual.weights)
