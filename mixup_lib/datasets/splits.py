"""Train, validation and test parts, and how they are drawn."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import Dataset, TensorDataset


@dataclass(frozen=True)
class Splits:
    """A data set in three disjoint parts.

    Parts that fit in memory are ``TensorDataset`` of inputs and labels, int64 ``(n,)``; images are
    float32 ``(n, channels, height, width)`` in [0, 1]. Parts read from image files give one
    ``(image, label)`` pair at a time, sentences are :class:`Texts`.

    Attributes:
        name: Short name of the data set.
        train: What a model learns from.
        validation: What choices (alpha, schedule, epoch) are made on.
        test: What is read once per configuration.
        classes: Class names; label ``i`` means ``classes[i]``.
        checksum: SHA-256 of the raw data as hexadecimal digits, to be recorded with a result.
    """

    name: str
    train: Dataset
    validation: Dataset
    test: Dataset
    classes: tuple[str, ...]
    checksum: str | None = None

    def parts(self, *names: str) -> dict[str, Dataset]:
        """Its parts by name: those named, or test, validation and train."""
        return {name: getattr(self, name) for name in names or ("test", "validation", "train")}

    def __repr__(self) -> str:
        # Sizes only: the default would print memory addresses, which differ in every run.
        parts = ", ".join(
            f"{part}={len(getattr(self, part))}" for part in ("train", "validation", "test")
        )
        return f"Splits({self.name!r}, {parts}, classes={len(self.classes)})"


def stratified_split(labels: Tensor, sizes: Iterable[int], seed: int = 0) -> list[Tensor]:
    """Draw disjoint sets of examples in which every class has its share.

    The sets are taken one after the other from one shuffled list per class. So the first set
    depends only on the seed and its own size: a test set that is drawn first stays the same
    whatever number of training examples is asked for.

    Args:
        labels: Class ids, integer ``(n,)``.
        sizes: Number of examples in each set; their sum is at most n.
        seed: The same seed draws the same sets.

    Returns:
        One int64 tensor of positions, in ascending order, for each size. A class has its
        proportional number of examples in each set, give or take one.

    Raises:
        ValueError: If a size is negative or their sum is more than n.
    """
    sizes = list(sizes)
    if any(size < 0 for size in sizes) or sum(sizes) > len(labels):
        raise ValueError(
            f"sizes must be non-negative with a sum of at most {len(labels)}, "
            f"the number of labels; got {sizes}"
        )
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(labels), generator=generator)
    # One shuffled list per class, laid end to end: sort by class, keep the shuffled order within.
    order = order[torch.sort(labels[order], stable=True).indices]
    pools = list(order.split(torch.bincount(labels).tolist()))
    sets = []
    for size in sizes:
        quotas = _shares(size, [len(pool) for pool in pools])
        taken = [pool[:quota] for pool, quota in zip(pools, quotas, strict=True)]
        pools = [pool[quota:] for pool, quota in zip(pools, quotas, strict=True)]
        sets.append(torch.cat(taken).sort().values)
    return sets


def _shares(size: int, available: list[int]) -> list[int]:
    """Divide `size` in proportion to `available`; the largest remainders are rounded up."""
    total = sum(available)
    if size == 0:
        return [0] * len(available)
    shares = [size * count // total for count in available]
    remainders = [size * count % total for count in available]
    largest = sorted(range(len(available)), key=lambda i: -remainders[i])
    for i in largest[: size - sum(shares)]:
        shares[i] += 1
    return shares


def check_size(argument: str, value: int, available: int, least: int = 1) -> int:
    """Return `value` if it is an integer from `least` to `available`, else raise ValueError."""
    is_integer = isinstance(value, int) and not isinstance(value, bool)
    if not is_integer or not least <= value <= available:
        raise ValueError(
            f"{argument} must be an integer from {least} to {available}, "
            f"the number of examples left for it; got {value!r}"
        )
    return value


def part_sizes(available: int, *, train: int | None, **held_out: int) -> list[int]:
    """Check the sizes asked for; the held-out parts first, the training part last.

    Args:
        available: Number of examples to share out.
        train: Size of the training part, or None for all that the held-out parts leave.
        **held_out: Size of each held-out part, by name, in the order in which it is drawn.

    Returns:
        The sizes of the held-out parts in the order given, then that of the training part.

    Raises:
        ValueError: If a size is not an integer, or out of range; the message gives the range.
    """
    sizes = []
    for part, size in held_out.items():
        # One example at least stays for training.
        sizes.append(check_size(part, size, available - sum(sizes) - 1, least=0))
    left = available - sum(sizes)
    return [*sizes, left if train is None else check_size("train", train, left)]


def draw_parts(
    draw: Callable[[int, torch.Generator], tuple[Tensor, Tensor]],
    seed: int,
    most: int,
    *,
    train: int,
    validation: int,
    test: int,
) -> dict[str, tuple[Tensor, Tensor]]:
    """Draw a generated set part by part, the test part first, so that it depends on itself only.

    Args:
        draw: Called with a size and the generator, returns inputs and labels.
        seed: Seeds the one generator of all parts.
        most: Largest size of a part.
        train: Size of the training part, 1 to `most`; the others may be 0.
        validation: Size of the validation part.
        test: Size of the test part.

    Raises:
        ValueError: If a size is not an integer, or out of range.
    """
    sizes = {
        "test": check_size("test", test, most, least=0),
        "validation": check_size("validation", validation, most, least=0),
        "train": check_size("train", train, most),
    }
    generator = torch.Generator().manual_seed(seed)
    return {part: draw(size, generator) for part, size in sizes.items()}


def as_dataset(images: Tensor, labels: Tensor, index: Tensor | None = None) -> TensorDataset:
    """Turn uint8 images into a TensorDataset of float32 in [0, 1], with int64 labels.

    Args:
        images: uint8 ``(n, channels, height, width)``, 0 to 255.
        labels: Integer ``(n,)``.
        index: Positions to keep; None keeps all. Only these are converted.
    """
    if index is not None:
        images, labels = images[index], labels[index]
    return TensorDataset(images.float().div_(255), labels.long())


def sha256(*chunks: bytes | memoryview) -> str:
    """SHA-256 of the chunks laid end to end, as hexadecimal digits."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()
