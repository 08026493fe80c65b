"""Mixup and CutMix as transforms: torchvision v2's protocol, soft labels always."""

import pickle

import pytest
import torch
from PIL import Image
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


# What torchvision v2's transforms take --------------------------------------------------------


def forms(x, y):
    """The same batch in every form, and how the pair is found in it."""
    return {
        "two arguments": ((x, y), lambda out: out),
        "packed tuple": (((x, y),), lambda out: out),
        "packed list": (([x, y],), lambda out: out),
        "dict": (({"image": x, "label": y},), lambda out: (out["image"], out["label"])),
        "dict, labels first": (({"Labels": y, "x": x},), lambda out: (out["x"], out["Labels"])),
        "nested": (
            ((x, {"id": ["a"] * len(x), "labels": y}),),
            lambda out: (out[0], out[1]["labels"]),
        ),
        "with more": ((x, y, "name"), lambda out: out[:2]),
        "image": ((tv_tensors.Image(x), y), lambda out: out),
        "video": ((tv_tensors.Video(x.unsqueeze(1)), y), lambda out: (out[0].squeeze(1), out[1])),
    }


@BOTH
@pytest.mark.parametrize("form", forms(*batch()))
def test_every_form_of_a_sample_gives_the_same_and_keeps_its_form(transform, form):
    x, y = batch()
    torch.manual_seed(3)
    wanted = transform(0.7, 6)(x, y)
    sample, find = forms(x, y)[form]
    torch.manual_seed(3)
    out = transform(0.7, 6)(*sample)
    torch.testing.assert_close(tuple(torch.as_tensor(part) for part in find(out)), wanted)
    single = sample[0] if len(sample) == 1 else sample
    assert type(out) is type(single) and len(out) == len(single)
    if form in ("image", "video"):
        assert type(out[0]) is type(sample[0])
    if form == "nested":
        assert out[1]["id"] == ["a"] * 6
    assert torch.equal(x, batch()[0]) and torch.equal(y, batch()[1])


@BOTH
def test_a_getter_finds_labels_anywhere(transform):
    x, y = batch()
    sample = {"pixels": x, "meta": {"target": y}}
    out = transform(num_classes=6, labels_getter=lambda s: s["meta"]["target"])(sample)
    assert out["meta"]["target"].shape == (6, 6) and out["pixels"].shape == x.shape
    means = (out["meta"]["target"] * torch.arange(6)).sum(1)
    torch.testing.assert_close(out["pixels"].mean((1, 2, 3)), means)


def test_masks_are_pasted_with_the_image():
    x, y = batch()
    mask = tv_tensors.Mask(x[:, 0].long())
    torch.manual_seed(1)
    image, mixed, targets = CutMix(num_classes=6)(
        {"image": tv_tensors.Image(x), "mask": mask, "label": y}
    ).values()
    assert type(mixed) is tv_tensors.Mask and torch.equal(mixed, image[:, 0].long())
    assert (mixed != mask).any() and targets.shape == (6, 6)
    with pytest.raises(TypeError, match="Mask.*CutMix"):
        Mixup(num_classes=6)({"image": tv_tensors.Image(x), "mask": mask, "label": y})


def test_cutmix_cuts_the_axes_it_is_told():
    waves, y = torch.arange(4.0).view(4, 1, 1).expand(4, 1, 50).contiguous(), torch.arange(4)
    torch.manual_seed(0)
    mixed, targets = CutMix(num_classes=4, dims=(-1,))(waves, y)
    torch.testing.assert_close(mixed.mean((1, 2)), (targets * y).sum(1))
    clips = torch.arange(4.0).view(4, 1, 1, 1, 1).expand(4, 1, 6, 5, 5)
    mixed, _ = CutMix(num_classes=4, dims=(2,))(clips, y)
    assert torch.equal(mixed[..., 0, 0], mixed[..., 4, 4])  # whole frames


BOXES = tv_tensors.BoundingBoxes(torch.zeros(6, 4), format="XYXY", canvas_size=(8, 9))
SAMPLES = {
    "single sample": ((torch.rand(3, 8, 9), 1), "single example.*collate_fn"),
    "single label": ((torch.rand(3, 8, 9), torch.tensor(1)), "single example"),
    "PIL image": ((Image.new("RGB", (4, 4)), torch.arange(1)), "PIL image.*collate"),
    "numpy labels": ((batch()[0], batch()[1].numpy()), "ndarray.*as_tensor"),
    "numpy inputs": ((batch()[0].numpy(), batch()[1]), "no inputs.*ndarray"),
    "boxes": (({"x": batch()[0], "boxes": BOXES, "labels": batch()[1]},), "coordinates.*Boxes"),
    "no labels": ((batch()[0],), r"one tensor \(6, 3, 8, 9\), without labels"),
    "no name": (({"x": batch()[0], "y": batch()[1]},), r"\['x', 'y'\].*labels_getter"),
    "an array alone": ((batch()[0].numpy(),), "ndarray.*as_tensor"),
}


@BOTH
@pytest.mark.parametrize("sample", SAMPLES)
def test_what_cannot_be_mixed_is_named(transform, sample):
    given, words = SAMPLES[sample]
    with pytest.raises(TypeError, match=words):
        transform(num_classes=6)(*given)


@BOTH
def test_getters_are_checked(transform):
    with pytest.raises(TypeError, match="labels_getter='y'"):
        transform(labels_getter="y")
    with pytest.raises(TypeError, match="not in the sample"):
        transform(num_classes=6, labels_getter=lambda s: s[1].clone())(*batch())
