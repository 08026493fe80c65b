"""Mixing clips: shares, labels, frames, the moving digits, the network, the experiment."""

from functools import partial

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch.utils.data import TensorDataset

from mixup_lib import Mix, datasets, draw_cutmix, draw_mixup, evaluate, fit
from mixup_lib.basics.seeds import generator_for, initialised
from mixup_lib.datasets.video import FRAMES, MOTIONS, SIDE
from mixup_lib.experiments import EXPERIMENTS, moving_digits
from mixup_lib.mixing.frames import Frames, draw_frames
from mixup_lib.models import SmallCNN, VideoCNN
from mixup_lib.training.fitting import cosine

CUTS = {"time": (2,), "space": (3, 4), "cube": (2, 3, 4)}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small tensors: one thread is as fast, and does not wait for others on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@st.composite
def draws(draw):
    """A batch of clips of ones and zeros or noise, and a mix of any of the five kinds."""
    sizes = st.integers(1, 6)
    batch, shape = draw(sizes), (draw(st.integers(1, 2)), *(draw(sizes) for _ in range(3)))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    options = {
        "alpha": draw(st.sampled_from([0.2, 1.0, 4.0])),
        "per_sample": draw(st.booleans()),
        "generator": generator,
    }
    kind = draw(st.sampled_from(["clip", "frame", *CUTS]))
    if kind == "clip":
        mix = draw_mixup(batch, **options)
    elif kind == "frame":
        mix = draw_frames(batch, shape[1], **options)
    else:
        mix = draw_cutmix(batch, (batch, *shape), dims=CUTS[kind], **options)
    return mix, torch.rand(batch, *shape, generator=generator)


@given(draws())
def test_the_label_is_the_measured_share(drawn):
    mix, x = drawn
    owner = torch.eye(len(mix))  # example b holds a one in channel b: mixtures show the shares
    marked = owner.view(len(mix), -1, 1, 1, 1).expand(-1, -1, *x.shape[2:])
    shown = mix.inputs(marked.contiguous()).mean((2, 3, 4))
    torch.testing.assert_close(mix.targets(torch.arange(len(mix)), len(mix)), shown)


@given(draws())
def test_mixing_commutes_with_batching(drawn):
    mix, x = drawn
    mixed = mix.inputs(x)
    for b in range(len(mix)):
        region = mix.box
        if isinstance(region, Frames):
            region = Frames(region.chosen[:, [b, b]], region.axis)
        elif region is not None:
            start, stop = region.start[:, [b, b]], region.stop[:, [b, b]]
            region = type(region)(region.dims, region.size, start, stop)
        pair = Mix(torch.tensor([[0, 1], [1, 0]]), mix.weights[:, [b, b]], region)
        alone = pair.inputs(x[torch.stack([torch.tensor(b), mix.index[1, b]])])[0]
        torch.testing.assert_close(mixed[b], alone)


# Frame mixing


def test_frames_are_the_partner_s_or_the_example_s():
    x = torch.rand(40, 1, 9, 4, 4)
    partners = torch.arange(40).roll(1)
    mix = draw_frames(40, 9, per_sample=True, partners=partners, generator=generator_for(0))
    before, mixed = x.clone(), mix.inputs(x)
    mine, theirs = ((mixed == whole).all(dim=(1, 3, 4)) for whole in (x, x[partners]))
    assert torch.equal(theirs, mix.box.chosen.T) and torch.equal(mine, ~theirs)
    assert torch.equal(x, before) and torch.equal(mix.lam, 1 - mix.box.share)
    assert len(set(map(tuple, mix.box.chosen.T.tolist()))) > 20  # other subsets, other sizes
    together = draw_frames(40, 9, generator=generator_for(0)).box.chosen
    assert (together == together[:, :1]).all()


def test_every_frame_is_as_likely_and_half_of_all_is_pasted_on_average():
    chosen = draw_frames(20_000, 6, per_sample=True, generator=generator_for(1)).box.chosen.float()
    assert (chosen.mean(1) - 0.5).abs().max() < 0.02
    assert torch.bincount(chosen.sum(0).long()).min() > 1000  # 0 to 6 frames, all occur
    nearly_one = draw_frames(2000, 6, 0.05, per_sample=True, generator=generator_for(1))
    assert (nearly_one.box.share * (1 - nearly_one.box.share)).mean() < 0.05


def test_frames_move_with_the_time_axis_and_the_batch():
    mix = draw_frames(5, 7, axis=0, per_sample=True, generator=generator_for(2))
    x = torch.rand(7, 5, 3)  # (length, batch, features)
    moved = Mix(mix.index, mix.weights, Frames(mix.box.chosen, 1)).inputs(x.transpose(0, 1))
    torch.testing.assert_close(mix.inputs(x, dim=1), moved.transpose(0, 1))
    assert mix.to("cpu").box.axis == 0 and mix.to("meta").box.chosen.is_meta
    assert torch.equal(mix.inputs(x, dim=1, out=torch.empty_like(x)), mix.inputs(x, dim=1))


def test_what_frames_refuse():
    x = torch.rand(3, 1, 8, 4, 4)
    with pytest.raises(ValueError, match="frames must be an integer of at least 1, got 0"):
        draw_frames(3, 0)
    with pytest.raises(ValueError, match=r"drawn for length 4 along axis 2.*\(3, 1, 8, 4, 4\)"):
        draw_frames(3, 4).inputs(x)
    with pytest.raises(ValueError, match="drawn for length 3 along axis 0"):
        draw_frames(3, 3, axis=0).inputs(x)
    with pytest.raises(ValueError, match="alpha=0"):
        draw_frames(3, 8, alpha=0)


# Moving digits


@pytest.fixture(scope="module")
def data():
    return datasets.moving_digits(seed=0, test=800)


def test_clips_are_what_is_promised(data):
    seen = set()
    for part, size in (("train", 600), ("validation", 500), ("test", 800)):
        x, y = getattr(data, part).tensors
        assert x.shape == (size, 1, FRAMES, SIDE, SIDE) and x.dtype == torch.float32
        assert y.dtype == torch.int64 and y.bincount().max() - y.bincount().min() <= 1
        assert x.min() == 0 and x.max() == 1 and torch.equal(x, (255 * x).round() / 255)
        rows = {clip.numpy().tobytes() for clip in x}
        assert len(rows) == size and not rows & seen
        seen |= rows
    assert data.classes == MOTIONS and len(data.checksum) == 64


def test_the_seed_decides_and_the_test_part_stays(data):
    again, other = datasets.moving_digits(0, test=800), datasets.moving_digits(1, test=800)
    assert again.checksum == data.checksum != other.checksum
    fewer = datasets.moving_digits(0, train=5, validation=3, test=800)
    assert torch.equal(fewer.test.tensors[0], data.test.tensors[0])
    assert not torch.equal(fewer.test.tensors[0], other.test.tensors[0])
    with pytest.raises(ValueError, match="train must be an integer from 1"):
        datasets.moving_digits(train=0)


def test_the_motion_is_the_class(data):
    """Shifting each frame back along the motion makes the moving digit stand still."""
    x, y = data.train.tensors
    ways = {"right": (0, 1), "left": (0, -1), "down": (1, 0), "up": (-1, 0)}
    for name, (down, right) in ways.items():
        clips = x[y == MOTIONS.index(name), 0]

        def change(sign, clips=clips, down=down, right=right):
            frames = []
            for t in range(FRAMES):
                back = -sign * round(1.25 * t)  # pixels, at a middling speed
                frames.append(clips[:, t].roll((back * down, back * right), (1, 2)))
            return torch.stack(frames).diff(dim=0).abs().mean((0, 2, 3))

        assert (change(1) < change(-1)).float().mean() > 0.85


def test_one_frame_tells_nothing_and_a_clip_does(data):
    def middle(part):
        x, y = part.tensors
        return TensorDataset(x[:, :, 4], y)

    chance = 1 / len(MOTIONS)
    model = initialised(lambda: SmallCNN(1, 8), 0)
    fit(model, middle(data.train), epochs=10, batch_size=50)
    assert evaluate(model, middle(data.train))["accuracy"] > 2 * chance  # it did learn, by heart
    assert abs(evaluate(model, middle(data.test))["accuracy"] - chance) < 0.04  # 3 deviations
    # Nor do the brightness of each place, averaged over a class: no class has a place of its own.
    x, y = data.test.tensors
    by_class = torch.stack([x[y == k].mean((0, 1, 2)) for k in range(8)])
    assert by_class.std(0).max() < 0.05
    model = initialised(lambda: VideoCNN(1, 8, width=8), 0)
    adam = partial(torch.optim.Adam, lr=0.03)
    fit(model, data.train, epochs=15, batch_size=50, optimizer=adam, schedule=cosine)
    assert 3 * chance < evaluate(model, data.test)["accuracy"] < 0.95


# The network and the experiment


def test_network_takes_any_size_and_sees_order_only_with_frames():
    model = VideoCNN(3, 5, width=4).eval()
    assert model(torch.rand(2, 3, 6, 20, 12)).shape == (2, 5)
    blind, seeing = (VideoCNN(1, 5, width=4, frames=n).eval() for n in (1, 3))
    x = torch.rand(2, 1, 8, 16, 16)
    order = torch.tensor([3, 0, 7, 1, 6, 2, 5, 4])
    torch.testing.assert_close(blind(x), blind(x[:, :, order]))
    assert not torch.allclose(seeing(x), seeing(x[:, :, order]), atol=1e-5)
    with pytest.raises(ValueError, match="frames must be odd, got 2"):
        VideoCNN(1, 5, frames=2)
    with pytest.raises(ValueError, match="classes must be an integer of at least 1, got 0"):
        VideoCNN(1, 0)


@pytest.mark.parametrize("method", list(moving_digits.METHODS))
def test_experiment_runs_small(method, tmp_path):
    small = {"train": 24, "validation": 16, "test": 24}
    config = moving_digits.CONFIG | {"data": small, "epochs": 1}
    record = moving_digits.measure(config, method, 0, tmp_path / "run.pt")
    test = record["metrics"]["test"]
    kinds = test["error_straight"] / 2 + test["error_circle"] / 4 + test["error_turning"] / 4
    assert kinds == pytest.approx(test["error"]) and set(record["metrics"]) == {
        "train",
        "validation",
        "test",
    }
    assert EXPERIMENTS["moving-digits"].seeds == (0, 1, 2, 3, 4)
