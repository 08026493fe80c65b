"""Splits and quick data: shapes, ranges, seeds, difficulty, and what a wrong argument is told."""

import time

import pytest
import torch
from torch import nn

from mixup_lib import datasets
from mixup_lib.datasets.shapes import SHAPES
from mixup_lib.datasets.splits import stratified_split

PARTS = ("train", "validation", "test")
QUICK = {"digits": datasets.digits, "textures": datasets.textures}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small tensors: one thread is as fast, and does not wait for others on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def in_memory(splits, shape):
    """Check what the docstrings promise of a data set that fits in memory."""
    for part in PARTS:
        x, y = getattr(splits, part).tensors
        assert x.dtype == torch.float32 and y.dtype == torch.int64
        assert x.shape == (len(y), *shape) and x.is_contiguous()
        assert x.min() >= 0 and x.max() <= 1
        assert y.unique().tolist() == list(range(len(splits.classes)))
        assert (x.amax(dim=(1, 2, 3)) > x.amin(dim=(1, 2, 3))).all(), "an image is blank"
    assert len(splits.checksum) == 64


def rows(part):
    """The images of a part as a set of byte strings."""
    return {x.numpy().tobytes() for x, _ in part}


# Splits


def test_stratified_split_is_disjoint_even_and_reproducible():
    labels = torch.tensor([0] * 50 + [1] * 30 + [2] * 20)[torch.randperm(100)]
    sizes = [20, 10, 50]
    sets = stratified_split(labels, sizes, seed=3)
    assert [len(index) for index in sets] == sizes
    assert len(torch.cat(sets).unique()) == sum(sizes)
    for index, counts in zip(sets, [(10, 6, 4), (5, 3, 2), (25, 15, 10)], strict=True):
        assert torch.bincount(labels[index]).tolist() == list(counts)
        assert (index.diff() > 0).all()
    again, other = stratified_split(labels, sizes, 3), stratified_split(labels, sizes, 4)
    for index, same, different in zip(sets, again, other, strict=True):
        assert torch.equal(index, same) and not torch.equal(index, different)


@pytest.mark.parametrize("sizes", [[7, 5, 4], [0, 1, 16], [17], [1, 1, 1], [0]])
def test_stratified_split_of_uneven_classes(sizes):
    labels = torch.tensor([0, 2, 2, 2, 2, 2, 2, 2, 5, 5, 5, 5, 0, 0, 6, 6, 6])  # 1, 3, 4: absent
    sets = stratified_split(labels, sizes)
    assert [len(index) for index in sets] == sizes
    assert len(torch.cat(sets).unique()) == sum(sizes)
    share = torch.bincount(labels) * sizes[0] / len(labels)
    assert (torch.bincount(labels[sets[0]], minlength=7) - share).abs().max() < 1


def test_first_set_does_not_depend_on_the_others():
    labels = torch.arange(100) % 7
    few, many = stratified_split(labels, [30, 5], 0), stratified_split(labels, [30, 60], 0)
    assert torch.equal(few[0], many[0])


@pytest.mark.parametrize("sizes", [[3, -1], [60, 41], [101]])
def test_stratified_split_rejects_sizes(sizes):
    with pytest.raises(ValueError, match=r"sizes must be .* at most 100.*got \["):
        stratified_split(torch.arange(100) % 7, sizes)


# Quick data


@pytest.mark.parametrize("name", QUICK)
def test_quick_data_are_what_they_say(name):
    splits = QUICK[name](seed=1)
    in_memory(splits, {"digits": (1, 8, 8), "textures": (3, 32, 32)}[name])
    assert splits.name == name and repr(splits).startswith(f"Splits('{name}', train=")
    parts = [rows(getattr(splits, part)) for part in PARTS]
    assert sum(map(len, parts)) == len(set.union(*parts)), "two parts share an image"


@pytest.mark.parametrize("name", QUICK)
def test_seed_decides_the_parts(name):
    one, same, other = (QUICK[name](seed=seed) for seed in (1, 1, 2))
    for part in PARTS:
        assert rows(getattr(one, part)) == rows(getattr(same, part))
        assert rows(getattr(one, part)) != rows(getattr(other, part))


@pytest.mark.parametrize("name", QUICK)
def test_number_of_training_examples_leaves_the_other_parts_alone(name):
    few, many = (QUICK[name](train=size) for size in (100, 900))
    assert (len(few.train), len(many.train)) == (100, 900)
    for part in ("validation", "test"):
        assert rows(getattr(few, part)) == rows(getattr(many, part))
    assert torch.bincount(few.train.tensors[1]).sub(10).abs().max() <= 1


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"train": -5}, "train must be an integer from 1 to .*; got -5"),
        ({"train": 0}, "train must be an integer from 1 to .*; got 0"),
        ({"validation": -1}, "validation must be an integer from 0 to .*; got -1"),
        ({"validation": 2.5}, "validation must be an integer from 0 to .*; got 2.5"),
        ({"test": True}, "test must be an integer from 0 to .*; got True"),
        ({"test": 10**9}, "test must be an integer from 0 to .*; got 1000000000"),
    ],
)
def test_wrong_sizes_are_named(name, sizes, message):
    with pytest.raises(ValueError, match=message):
        QUICK[name](**sizes)


def test_sizes_leave_room_for_one_another():
    message = r"train must be an integer from 1 to 997, .*; got 998"
    with pytest.raises(ValueError, match=message):
        datasets.digits(train=998, validation=300, test=500)
    assert len(datasets.digits(train=997, validation=300, test=500).train) == 997
    assert len(datasets.digits(validation=0, test=0).train) == 1797


def test_textures_keep_their_class_when_flipped():
    # The drawing is symmetric: without tilt, place and ground, every shape is its mirror image.
    axis = (torch.arange(32) + 0.5) / 16 - 1
    u, v = axis.view(1, -1), axis.view(-1, 1)
    masks = [shape(u, v) for shape in SHAPES.values()]
    for mask in masks:
        assert torch.allclose(mask, mask.flip(-1), atol=1e-6)
        assert 0.1 < (mask < 0).float().mean() < 0.6
    # ... and no two shapes are alike.
    inside = torch.stack([mask < 0 for mask in masks]).flatten(1)
    different = (inside[:, None] != inside[None]).float().mean(-1) + torch.eye(len(masks))
    assert different.min() > 0.1


def test_textures_are_fast():
    datasets.textures(train=100)
    start = time.thread_time()  # work, not waiting: the machine may be busy
    datasets.textures(train=2000, validation=0, test=0)
    assert time.thread_time() - start < 2


def test_textures_are_as_hard_as_their_docstring_says():
    splits = datasets.textures()
    (x, y), (x_test, y_test) = splits.train.tensors, splits.test.tensors

    # Ridge regression on the pixels, a linear classifier in closed form.
    def design(x):
        return torch.cat([x.flatten(1), torch.ones(len(x), 1)], 1).double()

    a, targets = design(x), nn.functional.one_hot(y).double()
    weights = torch.linalg.solve(a.T @ a + 100 * torch.eye(a.shape[1]), a.T @ targets)
    linear = (design(x_test) @ weights).argmax(1).eq(y_test).double().mean()
    assert linear < 0.2

    def block(channels, width):
        return [
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]

    torch.manual_seed(0)
    model = nn.Sequential(
        *block(3, 16), *block(16, 32), *block(32, 64), nn.Flatten(), nn.Linear(64 * 16, 10)
    ).to(memory_format=torch.channels_last)
    epochs, steps = 5, len(x) // 50
    optimizer = torch.optim.AdamW(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=epochs * steps)
    for _ in range(epochs):
        for index in torch.randperm(len(x)).split(50):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[index]), y[index]).backward()
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        small_cnn = model.eval()(x_test).argmax(1).eq(y_test).double().mean()
    assert 0.8 < small_cnn < 0.98


def test_photographs():
    x = datasets.photographs((48, 64))
    assert x.shape == (2, 3, 48, 64) and x.dtype == torch.float32
    assert 0 <= x.min() < 0.05 and 0.95 < x.max() <= 1
    assert len(datasets.PHOTOGRAPHS) == 2
    # The centre of a square crop is the centre of the photograph.
    wide, square = datasets.photographs((427, 640)), datasets.photographs(427)
    assert torch.equal(square, wide[..., 106:533])
    for size in (0, (3,), (3, 2.5), "64"):
        with pytest.raises(ValueError, match="size must be an integer of 1 or more"):
            datasets.photographs(size)
