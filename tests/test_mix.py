"""A mix applied: inputs, targets and masks, for every dtype, layout, batch dimension and buffer.

The label is the example's own index throughout, so every pairing is visible: mixing the identity
matrix shows the matrix W of ``x' = W x`` itself.
"""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch.autograd import gradcheck

from mixup_lib import Mix, draw_cutmix, draw_dirichlet, draw_mixup, no_mix
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
