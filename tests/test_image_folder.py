"""Folders of people's own pictures: layouts, parts by any usual name, pictures of every kind."""

import pickle
import struct

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset
from torchvision.utils import save_image

from mixup_lib.datasets import folder, image_folder
from tests.test_datasets import PARTS


def make_folder(path, classes=("cat", "dog", "owl"), count=20):
    for label, name in enumerate(classes):
        (path / name).mkdir(parents=True)
        for i in range(count):
            value = (label * count + i) / 255
            save_image(torch.full((3, 12, 16), value), path / name / f"{i}.png")


def identities(part):
    """The grey level of each image, which is different in each file."""
    return [round(float(x[0, 0, 0]) * 255) for x, _ in part]


def test_one_piece(tmp_path):
    make_folder(tmp_path / "animals")
    splits = image_folder(tmp_path / "animals", seed=1, size=8)
    assert splits.name == "animals" and splits.classes == ("cat", "dog", "owl")
    assert [len(getattr(splits, part)) for part in PARTS] == [42, 6, 12]
    seen = [identities(getattr(splits, part)) for part in PARTS]
    assert sorted(sum(seen, [])) == list(range(60))
    assert [y for _, y in splits.test] == [0] * 4 + [1] * 4 + [2] * 4
    x, y = splits.train[0]
    assert x.shape == (3, 8, 8) and x.dtype == torch.float32 and isinstance(y, int)
    other = image_folder(tmp_path / "animals", seed=2, size=8, train=9)
    assert len(other.train) == 9 and identities(other.test) != seen[2]
    assert other.checksum == splits.checksum and not isinstance(splits.train, TensorDataset)


@pytest.mark.parametrize(
    ("apart", "sizes"),
    [
        ([], [42, 6, 12]),
        (["test"], [54, 6, 9]),
        (["val"], [48, 9, 12]),
        (["test", "val"], [60, 9, 9]),
    ],
)
def test_parts(apart, sizes, tmp_path):
    make_folder(tmp_path / "train")
    for name in apart:
        make_folder(tmp_path / name, count=3)
    splits = image_folder(tmp_path, size=8)
    assert splits.classes == ("cat", "dog", "owl")
    assert [len(getattr(splits, part)) for part in PARTS] == sizes
    if apart:
        with pytest.raises(ValueError, match="must be None, because that part has a folder"):
            image_folder(tmp_path, size=8, validation=5, test=5)


@pytest.mark.parametrize(
    "names",
    [
        ("train", "valid", "test"),
        ("Training", "Validation", "Testing"),
        ("TRAIN", "DEV", "TEST"),
        ("train_set", "val_set", "test_set"),
        ("01-train", "02-development", "03-test"),
        ("train2017", "val2017", "test2017"),
        ("train images", "valImages", "data.test"),
    ],
)
def test_parts_by_any_usual_name(names, tmp_path):
    for name, count in zip(names, (20, 3, 2), strict=True):
        make_folder(tmp_path / name, count=count)
    splits = image_folder(tmp_path, size=8)
    assert splits.classes == ("cat", "dog", "owl")
    assert [len(getattr(splits, part)) for part in PARTS] == [60, 9, 6]


@pytest.mark.parametrize("name", ["trains", "latest", "devil", "contest", "evaluate", "values"])
def test_classes_that_sound_alike_stay_classes(name, tmp_path):
    make_folder(tmp_path, classes=("apple", name))
    assert image_folder(tmp_path, size=8).classes == ("apple", name)


@pytest.mark.parametrize(
    ("folders", "reason"),
    [
        (("valid/cat", "valid/dog", "test/cat", "test/dog"), "valid is one for train"),
        (("train/a", "train/b", "val/a", "val/b", "dev/a", "dev/b"), "at most one each"),
        (
            ("train/a", "train/b", "unlabelled"),
            r"\['train'\] by their names are parts, \['unlabelled'",
        ),
        (
            ("bus", "car", "train"),
            r"\['train'\] by their names are parts, \['bus', 'car'\] are not",
        ),
        (("cat/train", "cat/test", "dog/train", "dog/test"), "lies in a class.*PART/CLASS/IMAGE"),
        (("animals/cat", "animals/dog"), r"has 1 folders, \['animals'\].*a level deeper"),
        (("train", "test"), "train has 0 folders"),
    ],
)
def test_layouts_that_could_be_misread_are_refused(folders, reason, tmp_path):
    for name in folders:
        (tmp_path / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name / "0.png")
    with pytest.raises(ValueError, match=reason):
        image_folder(tmp_path, size=8)


def test_what_systems_leave_behind_is_skipped(tmp_path):
    root = tmp_path / ".cache" / "animals"  # the root itself may be hidden
    make_folder(root)
    before = image_folder(root, size=8)
    for name in (".ipynb_checkpoints", "__MACOSX/cat", "cat/.thumbnails", "dog/__MACOSX", ".git"):
        (root / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(root / name / "copy.png")
    (root / "cat" / "._0.png").write_bytes(b"Mac OS X's notes")
    (root / "cat" / "Thumbs.db").write_bytes(b"")
    after = image_folder(root, size=8)
    assert after.classes == before.classes and len(after.train) == len(before.train)
    assert identities(after.test) == identities(before.test)
    (root / "cat" / "Thumbs.db").unlink()
    assert image_folder(root, size=8).checksum == before.checksum


def test_transforms(tmp_path):
    make_folder(tmp_path / "a")
    splits = image_folder(
        tmp_path / "a", train_transform=lambda _: "train", transform=lambda _: "other"
    )
    assert splits.train[0][0] == "train"
    assert splits.validation[0][0] == splits.test[0][0] == "other"


def test_loader_workers_can_take_it(tmp_path):
    make_folder(tmp_path)
    splits = image_folder(tmp_path, size=8)
    assert identities(pickle.loads(pickle.dumps(splits.test))) == identities(splits.test)


def test_rejects(tmp_path):
    with pytest.raises(FileNotFoundError, match="path must be a folder .* got .*nowhere"):
        image_folder(tmp_path / "nowhere")
    make_folder(tmp_path / "train")
    make_folder(tmp_path / "test", classes=("cat", "cow", "owl"))
    with pytest.raises(ValueError, match="must have the classes of .*'dog'.* got .*'cow'"):
        image_folder(tmp_path)
    with pytest.raises(ValueError, match="size must be an integer of at least 1, got 0"):
        image_folder(tmp_path / "train", size=0)
    with pytest.raises(ValueError, match="train must be an integer from 1 to 42, .*; got 43"):
        image_folder(tmp_path / "train", train=43)
    (tmp_path / "train" / "unicorn").mkdir()
    with pytest.raises(FileNotFoundError, match=r"train: Found no valid file.*unicorn"):
        image_folder(tmp_path / "train")


# Pictures

RAMP = np.linspace(0, 65535, 12 * 16).round().astype(np.uint16).reshape(12, 16)


@pytest.mark.parametrize("kind", ["png", "tif", "pgm"])
def test_sixteen_bits_are_scaled(kind, tmp_path):
    path = tmp_path / f"deep.{kind}"
    if kind == "pgm":
        path.write_bytes(b"P5 16 12 65535\n" + RAMP.astype(">u2").tobytes())
    else:
        Image.fromarray(RAMP).save(path)
    picture = folder.read_picture(path)
    assert picture.mode == "RGB"
    grey = np.asarray(picture)
    assert (grey == grey[..., :1]).all() and abs(grey[..., 0] - RAMP / 257).max() <= 0.5


def test_eight_bits_stay_what_they_are(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 4), dtype=np.uint8)
    for mode, stored in (("L", pixels[..., 0]), ("RGB", pixels[..., :3]), ("RGBA", pixels)):
        Image.fromarray(stored).save(tmp_path / "flat.png")
        read = np.asarray(folder.read_picture(tmp_path / "flat.png"))
        assert np.array_equal(read, np.asarray(Image.fromarray(stored).convert("RGB"))), mode


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_pictures_without_a_known_range_are_refused(dtype, tmp_path):
    path = tmp_path / "range.tif"
    Image.fromarray(RAMP.astype(dtype)).save(path)
    with pytest.raises(OSError, match=r"range\.tif holds (floats|32-bit integers).*8 and 16 bits"):
        folder.read_picture(path)


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (1, lambda x: x),
        (2, np.fliplr),
        (3, lambda x: np.rot90(x, 2)),
        (4, np.flipud),
        (6, lambda x: np.rot90(x, -1)),
        (8, lambda x: np.rot90(x, 1)),
        (5, lambda x: np.transpose(x, (1, 0, 2))),
        (7, lambda x: np.rot90(np.transpose(x, (1, 0, 2)), 2)),
    ],
)
@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_pictures_stand_as_a_viewer_shows_them(orientation, turn, kind, tmp_path):
    pixels = np.zeros((16, 24, 3), np.uint8)
    pixels[:8, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / f"phone.{kind}", exif=exif)
    read = np.asarray(folder.read_picture(tmp_path / f"phone.{kind}")).astype(int)
    assert read.shape == turn(pixels).shape and abs(read - turn(pixels)).mean() < 3


@pytest.mark.parametrize("content", [b"", b"no picture", b"half"])
def test_a_file_that_can_t_be_read_is_named(content, tmp_path):
    make_folder(tmp_path, classes=("cat", "dog"), count=5)
    victim = tmp_path / "cat" / "0.png"
    if content == b"half":
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(victim)
        content = victim.read_bytes()[:5000]
    victim.write_bytes(content)
    splits = image_folder(tmp_path, size=8)
    with pytest.raises(OSError, match=r"cat/0\.png can't be read as an image: "):
        list(splits.train), list(splits.validation), list(splits.test)


def test_an_absurdly_large_picture_is_named(tmp_path):
    path = tmp_path / "bomb.bmp"
    path.write_bytes(
        b"BM"
        + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 10**5, 10**5, 1, 24, 0, 0, 0, 0, 0, 0)
    )
    with pytest.raises(OSError, match=r"bomb\.bmp can't be read as an image: "):
        folder.read_picture(path)


@pytest.mark.parametrize("suffix", [".heic", ".HEIC", ".gif", ".avif"])
def test_pictures_that_would_be_missed_are_refused(suffix, tmp_path):
    make_folder(tmp_path, classes=("cat", "dog"), count=5)
    (tmp_path / "dog" / f"phone{suffix}").write_bytes(b"...")
    with pytest.raises(ValueError, match=rf"phone{suffix} is a picture of a kind that can't be"):
        image_folder(tmp_path)
