"""Any folder of images, one sub-folder per class, read lazily."""

import os
from collections.abc import Callable
from pathlib import Path

import torch
from torch.utils.data import Subset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from mixup_lib.basics.check import integer_at_least
from mixup_lib.datasets.splits import Splits, part_sizes, sha256, stratified_split


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
    - ``path/train/CLASS/IMAGE`` beside ``path/test/...``, ``path/val/...`` or both: these parts
      stay what they are called, and a part that is missing is drawn from ``train``.

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
        checksum covers the names and lengths of the files, not their content.

    Raises:
        FileNotFoundError: If `path` is no folder, or a class in it holds no image.
        ValueError: If a size is out of range, or the parts on disk have other classes.
    """
    path = Path(path).expanduser()
    if not path.is_dir():
        raise FileNotFoundError(f"path must be a folder with one sub-folder per class; got {path}")
    integer_at_least("size", size, 1)
    apart = {
        part: path / name
        for part, name in (("test", "test"), ("validation", "val"))
        if (path / "train").is_dir() and (path / name).is_dir()
    }
    transform = transform or to_image(size)
    pool = ImageFolder(path / "train" if apart else path, transform)
    learn = ImageFolder(pool.root, train_transform or transform)
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
    parts |= {part: ImageFolder(folder, transform) for part, folder in apart.items()}
    for part, folder in apart.items():
        if parts[part].classes != pool.classes:
            raise ValueError(
                f"{folder} must have the classes of {pool.root}, {pool.classes}; "
                f"got {parts[part].classes}"
            )
    return Splits(
        path.name,
        train=Subset(learn, kept.tolist()),
        **parts,
        classes=tuple(pool.classes),
        checksum=_listing(path),
    )


def _listing(path: Path) -> str:
    """SHA-256 of the relative names and lengths of all files: reading them all would be slow."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return sha256(
        *(f"{file.relative_to(path).as_posix()} {file.stat().st_size}\n".encode() for file in files)
    )
