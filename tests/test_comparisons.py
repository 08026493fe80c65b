"""The experiments of chapter 8: what is compared with what, and the digits on a canvas."""

import pytest
import torch
from torch.utils.data import TensorDataset
from torchvision.transforms import v2

from mixup_lib.datasets import digits
from mixup_lib.experiments import few_digits, placed_digits
from mixup_lib.experiments.placed_digits import KeepingCrop, kept_by, placed
from mixup_lib.models.generative import VAE

ONES = torch.ones(40, 1, 8, 8)


def test_a_placed_image_is_whole_and_moves():
    x = digits(train=40).train.tensors[0]
    canvas = placed(x, torch.Generator().manual_seed(0), side=24)
    assert canvas.shape == (40, 1, 24, 24)
    torch.testing.assert_close(canvas.sum((1, 2, 3)), x.sum((1, 2, 3)))
    corners = placed(ONES, torch.Generator().manual_seed(0))[:, 0].flatten(1).argmax(1)
    assert len(corners.unique()) > 20
    assert int((corners // 24).max()) <= 16 and int((corners % 24).max()) <= 16
    assert torch.equal(placed(x, side=8), x)


def test_a_canvas_must_hold_the_image():
    with pytest.raises(ValueError, match="side=7; valid is 8 or more"):
        placed(ONES, side=7)


def test_what_a_window_keeps():
    image = torch.zeros(1, 6, 6)
    image[0, 2:4, 2:4] = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    window = {"top": 0, "left": 0, "height": 6, "width": 6}
    assert kept_by(image, window) == 1
    assert kept_by(image, window | {"height": 3}) == pytest.approx(2 / 3)
    assert kept_by(image, window | {"left": 4, "width": 2}) == 0


def test_crops_that_keep_lose_no_ink():
    torch.manual_seed(0)
    # One full pixel in a corner: most windows miss it.
    image = torch.zeros(1, 24, 24)
    image[0, 0, 0] = 1
    crop = v2.RandomResizedCrop(24)
    lost = [float(crop(image).sum()) == 0 for _ in range(40)]
    assert sum(lost) > 20
    assert all(float(KeepingCrop(crop)(image).sum()) > 0 for _ in range(40))


def test_crops_that_keep_give_up_with_the_whole_image():
    image = torch.zeros(1, 24, 24)
    image[0, [0, 0, -1, -1], [0, -1, 0, -1]] = 1
    small = v2.RandomResizedCrop(24, scale=(0.1, 0.2))
    assert KeepingCrop(small, tries=3)(image) is image


def test_every_knob_was_chosen_on_validation_data():
    for method, (_, values) in few_digits.KNOBS.items():
        errors = few_digits.VALIDATION_ERROR[method]
        assert len(errors) == len(values) == 3
        assert min(errors) == errors[values.index(few_digits.CHOSEN[method])]
    assert few_digits.CONFIG["optimizer"]["lr"] == few_digits.CHOSEN["plain"]
    assert 1000 not in few_digits.EXPERIMENT.seeds


def test_a_mirrored_digit_is_no_digit():
    told = str(few_digits.EXPERIMENT.methods)
    assert "Flip" not in told and "flip" not in told


def test_combinations_are_their_parts():
    methods = few_digits.METHODS
    for name in ("classical", "vae", "gan"):
        assert methods[f"{name}-mixup"] == methods[name] | methods["mixup"]
    assert methods["plain-long"]["steps"] == 4 * few_digits.CONFIG["steps"]


def test_generators_see_the_same_few_examples_and_classes_stay_even():
    train = few_digits.load(0).train
    vae = VAE((1, 8, 8), classes=10)
    both = few_digits.enlarged(train, vae, 100, seed=0)
    assert isinstance(both, TensorDataset) and len(both) == 200
    for kept, given in zip(both.tensors, train.tensors, strict=True):
        assert torch.equal(kept[:100], given)
    assert both.tensors[1].bincount().tolist() == [20] * 10


def test_the_parts_of_a_split_stay_disjoint_on_the_canvas():
    splits = placed_digits.load(0)
    assert splits.train.tensors[0].shape == (500, 1, 24, 24)
    assert torch.equal(placed_digits.load(0).test.tensors[0], splits.test.tensors[0])
    assert not torch.equal(splits.train.tensors[0][:200], splits.test.tensors[0][:200])
