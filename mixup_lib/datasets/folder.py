"""Any folder of pictures, one sub-folder per class, read lazily and as a viewer shows them."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import Subset
from torchvision.datasets import ImageFolder
from torchvision.datasets.folder import IMG_EXTENSIONS
from torchvision.transforms import v2

from mixup_lib.basics.check import integer_at_least
from mixup_lib.datasets.splits import Splits, part_sizes, sha256, stratified_split

PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev", "development"),
    "test": ("test", "tests", "testing"),
}
UNREAD = (
    ".arw",
    ".avif",
    ".cr2",
    ".dng",
    ".gif",
    ".heic",
    ".heif",
    ".jfif",
    ".jp2",
    ".nef",
    ".raw",
    ".svg",
)


def to_image(size: int) -> Callable:
    """Transform from a PIL image to float32 ``(3, size, size)`` in [0, 1].

    The shorter side is resized to `size`, then the centre is cut out: the proportions stay.
    """
    return v2.Compose(
        [
            v2.PILToTensor(),
            v2.Resize(size, antialias=True),
            v2.CenterCrop(size),
            v2.ToDtype(torch.float32, scale=True),
        ]
    )


def image_folder(
    path: str | os.PathLike,
    seed: int = 0,
    size: int = 224,
    train: int | None = None,
    validation: int | None = None,
    test: int | None = None,
    train_transform: Callable | None = None,
    transform: Callable | None = None,
) -> Splits:
    """Images in the layout of torchvision's ImageFolder, opened one at a time.

    Two layouts are known:

    - ``path/CLASS/IMAGE``: the three parts are drawn by seed, class by class.
    - ``path/train/CLASS/IMAGE``, alone or beside ``path/test/...``, ``path/val/...`` or both:
      these parts stay what they are called, and a part that is missing is drawn from ``train``.
      Other usual names do as well, in any case: ``training``, ``valid``, ``validation``, ``dev``,
      ``development``, ``testing``, and ``train_set`` or ``01-train``.

    Whatever begins with a dot and the folder ``__MACOSX`` are skipped. A picture is turned as its
    EXIF data say, 16-bit greys are scaled to 8 bits, and an alpha channel is dropped.

    Args:
        path: The folder.
        seed: Draws the parts.
        size: Side of the square images, in pixels, 1 or more.
        train: Number of training examples; None takes all that the other parts leave.
        validation: Number of validation examples, 0 or more; None takes a tenth.
        test: Number of test examples, 0 or more; None takes a fifth. Neither this number nor the
            one before can be given for a part with a folder of its own.
        train_transform: From a PIL image to a float32 tensor, for the training part; None is
            `transform`. This is the place for random crops.
        transform: The same for the other parts; None resizes and cuts out the centre.

    Returns:
        Lazily loaded parts of pairs: image float32 ``(3, size, size)`` in [0, 1], label int. The
        checksum covers the names and lengths of the files, not their content. Asking a part for
        a picture raises OSError with the file's name if it can't be read.

    Raises:
        FileNotFoundError: If `path` is no folder, or a class in it holds no image.
        ValueError: If a size is out of range, the parts on disk have other classes, a folder may
            be a part or a class, there are fewer than two classes, or pictures are of a kind that
            can't be read.
    """
    path = Path(path).expanduser()
    if not path.is_dir():
        raise FileNotFoundError(f"path must be a folder with one sub-folder per class; got {path}")
    integer_at_least("size", size, 1)
    apart = _parts_on_disk(path)
    transform = transform or to_image(size)
    pool = _Pictures(apart.pop("train", path), transform)
    learn = _Pictures(Path(pool.root), train_transform or transform)
    labels = torch.tensor(pool.targets)

    sizes = {"test": test, "validation": validation}
    if given := [part for part in apart if sizes[part] is not None]:
        raise ValueError(
            f"{given[0]} must be None, because that part has a folder of its own, "
            f"{apart[given[0]]}; got {sizes[given[0]]}"
        )
    shares = {"test": len(labels) // 5, "validation": len(labels) // 10}
    drawn = {
        part: shares[part] if wanted is None else wanted
        for part, wanted in sizes.items()
        if part not in apart
    }
    *held_out, kept = stratified_split(labels, part_sizes(len(labels), train=train, **drawn), seed)
    parts = {
        part: Subset(pool, index.tolist()) for part, index in zip(drawn, held_out, strict=True)
    }
    parts |= {part: _Pictures(folder, transform) for part, folder in apart.items()}
    for part, folder in apart.items():
        if parts[part].classes != pool.classes:
            raise ValueError(
                f"{folder} must have the classes of {pool.root}, {pool.classes}; "
                f"got {parts[part].classes}"
            )
    return Splits(
        path.resolve().name,
        train=Subset(learn, kept.tolist()),
        **parts,
        classes=tuple(pool.classes),
        checksum=_listing(path),
    )


class _Pictures(ImageFolder):
    """torchvision's ImageFolder, without hidden files, and with pictures read by `read_picture`."""

    def __init__(self, root: Path, transform: Callable):
        try:
            super().__init__(
                root,
                transform,
                loader=read_picture,
                is_valid_file=lambda path: _is_picture(Path(path), root),
            )
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{root}: {error}") from error

    def find_classes(self, directory: Path) -> tuple[list[str], dict[str, int]]:
        folders = _folders(directory)
        if len(folders) < 2:
            raise ValueError(
                f"{directory} has {len(folders)} folders, {[each.name for each in folders]}; valid "
                "are at least two, one per class. If they lie a level deeper, name that folder"
            )
        for folder in folders:
            for inner in folder.rglob("*/"):
                if _part(inner.name) and not _hidden(inner.relative_to(folder)):
                    raise ValueError(
                        f"{inner} lies in a class, but has a part's name; valid is "
                        "the other order, PART/CLASS/IMAGE"
                    )
        classes = [folder.name for folder in folders]
        return classes, {name: i for i, name in enumerate(classes)}


def read_picture(path: str | os.PathLike) -> Image.Image:
    """An image file as a PIL image in RGB, as a viewer shows it.

    It is turned as its EXIF data say. 16-bit greys are scaled to 8 bits; of an animation the first
    picture is taken; an alpha channel is dropped.

    Raises:
        OSError: If it can't be read, or holds 32-bit integers or floats, whose range no file
            tells. The message names the file.
    """
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
            # Pillow reads 16 bits from PNG (before release 11) and PGM as 32-bit integers.
            deep = picture.mode.startswith("I;16") or (
                picture.mode == "I" and opened.format in ("PNG", "PPM")
            )
    except Exception as error:  # Pillow raises a dozen kinds, few of which name the file
        raise OSError(f"{path} can't be read as an image: {error}") from error
    if deep:
        grey = np.asarray(picture, dtype=np.float32) * (255 / 65535)
        picture = Image.fromarray(grey.round().astype(np.uint8))
    elif picture.mode in ("I", "F"):
        raise OSError(
            f"{path} holds {'32-bit integers' if picture.mode == 'I' else 'floats'}, "
            "whose range is not known; valid are 8 and 16 bits: scale and save it so"
        )
    return picture.convert("RGB")


def _is_picture(path: Path, root: Path) -> bool:
    """Whether a file in a class is one of its pictures.

    Raises:
        ValueError: If it is a picture of a kind that can't be read: left out, it would be missed.
    """
    if _hidden(path.relative_to(root)):
        return False
    if path.suffix.lower() in UNREAD:
        raise ValueError(
            f"{path} is a picture of a kind that can't be read; valid are "
            f"{', '.join(IMG_EXTENSIONS)}: convert it, or move it away"
        )
    return path.suffix.lower() in IMG_EXTENSIONS


def _hidden(path: Path) -> bool:
    """Whether a relative path leads through what systems leave behind."""
    return any(name.startswith(".") or name == "__MACOSX" for name in path.parts)


def _folders(path: Path) -> list[Path]:
    return sorted(each for each in path.iterdir() if each.is_dir() and not _hidden(Path(each.name)))


def _part(name: str) -> str | None:
    """The part that a folder's name stands for: "Valid", "01-train" and "test_set" are parts."""
    bare = re.sub(r"[\W\d_]+", "", name.lower())
    for part, spellings in PARTS.items():
        if re.fullmatch(rf"(data|images)?({'|'.join(spellings)})(set|data|images|split)?", bare):
            return part
    return None


def _parts_on_disk(path: Path) -> dict[str, Path]:
    """The parts that have folders of their own; none where each folder is a class.

    Raises:
        ValueError: If there are parts but no training part, two folders for one part, or folders
            beside them that are no part.
    """
    folders = _folders(path)
    named = [(part, folder) for folder in folders if (part := _part(folder.name))]
    if not named:
        return {}
    found = dict(named)
    names = [folder.name for folder in folders]
    if len(named) < len(folders):
        other = [folder.name for folder in folders if not _part(folder.name)]
        raise ValueError(
            f"{path} has the folders {names}: {[folder.name for _, folder in named]} by their names"
            f" are parts, {other} are not. Valid are parts alone, or classes alone: move or rename"
        )
    if len(found) < len(named) or "train" not in found:
        raise ValueError(
            f"{path} has the folders {names}; valid is one for train, and at most one "
            "each for validation and test"
        )
    return found


def _listing(path: Path) -> str:
    """SHA-256 of the relative names and lengths of all files: reading them all would be slow."""
    files = sorted(
        file for file in path.rglob("*") if file.is_file() and not _hidden(file.relative_to(path))
    )
    return sha256(
        *(f"{file.relative_to(path).as_posix()} {file.stat().st_size}\n".encode() for file in files)
    )
