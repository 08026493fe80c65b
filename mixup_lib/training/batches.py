"""Batches by index: tensors are sliced where they lie, other datasets go through a loader."""

from collections.abc import Callable, Iterable, Sequence, Sized
from typing import cast

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from mixup_lib.basics.seeds import generator_for

__all__ = [
    "batches_of",
    "check_data",
    "has_convolution",
    "index_batches",
    "length_of",
    "rank_share",
]


def check_data(name: str, data: object) -> None:
    """Raises TypeError unless ``data`` is a map-style dataset, ValueError if it is no pairs."""
    if isinstance(data, DataLoader):
        raise TypeError(
            f"{name} is a DataLoader, but batches are made here, in an order that the seed "
            f"decides. Valid: its dataset, {name}=loader.dataset, with batch_size and workers"
        )
    if isinstance(data, IterableDataset) or not (
        hasattr(data, "__getitem__") and hasattr(data, "__len__")
    ):
        raise TypeError(
            f"{name} is a {type(data).__name__}, which has no length or no order. Valid: a "
            "map-style dataset of pairs (x, y), such as TensorDataset(x, y); of an iterable one "
            "that fits into memory, list(dataset)"
        )
    if isinstance(data, Tensor):
        raise TypeError(
            f"{name} is a tensor {tuple(data.shape)}, without targets; valid is TensorDataset(x, y)"
        )
    if isinstance(data, TensorDataset) and len(data.tensors) != 2:
        raise ValueError(
            f"{name}: a TensorDataset must hold (x, y), got {len(data.tensors)} tensors. Valid: "
            "TensorDataset(x, y); what else the model needs can be part of x"
        )


def length_of(data: Dataset) -> int:
    """The number of examples of data that passed :func:`check_data`; a Dataset promises none."""
    return len(cast(Sized, data))


def _pair(batch: object) -> tuple[Tensor, Tensor]:
    """The two parts of a loaded batch."""
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        kind = type(batch).__name__
        parts = f" of {len(batch)} parts" if isinstance(batch, tuple | list | dict) else ""
        raise TypeError(
            f"the dataset gives examples that make a {kind}{parts}; valid are pairs (x, y). Wrap "
            "it in a dataset whose __getitem__ returns the input and the target"
        )
    for name, part in zip("xy", batch, strict=True):
        if not isinstance(part, Tensor):
            raise TypeError(
                f"the dataset gives {name} that make a {type(part).__name__}; valid is a tensor. "
                "Transform images to tensors; several inputs can be one tensor, or be looked up "
                "by the model"
            )
    return batch[0], batch[1]


def has_convolution(model: nn.Module) -> bool:
    """True if the model gains from channels_last images."""
    return any(isinstance(module, nn.Conv2d) for module in model.modules())


def index_batches(order: Tensor, batch_size: int, smallest: int) -> list[Tensor]:
    """``order`` (n,) cut into batches; a last one below ``smallest`` joins the one before."""
    batches = list(order.split(batch_size))
    if len(batches) > 1 and len(batches[-1]) < min(smallest, batch_size):
        last = batches.pop()
        batches[-1] = torch.cat([batches[-1], last])
    return batches


def rank_share(batch: Tensor, rank: int, world: int) -> Tensor:
    """The part of a batch that process ``rank`` of ``world`` works on; no example is repeated."""
    return batch if world == 1 else batch.tensor_split(world)[rank]


def batches_of(
    data: Dataset, device: torch.device, channels_last: bool, workers: int
) -> Callable[[Sequence[Tensor], tuple | None], Iterable[tuple[Tensor, Tensor]]]:
    """A function from index batches to an iterator over pairs ``(x, y)`` on ``device``.

    Its second argument, for a loader and its workers, is what :func:`generator_for` takes.
    """

    def place(x: Tensor) -> Tensor:
        x = x.to(device, non_blocking=True)
        images = channels_last and x.ndim == 4
        return x.contiguous(memory_format=torch.channels_last) if images else x

    if isinstance(data, TensorDataset):
        x, y = place(data.tensors[0]), data.tensors[1].to(device)

        def slices(batches, purpose):
            for batch in batches:
                index = batch.to(device, non_blocking=True)
                yield x[index], y.index_select(0, index)

        return slices

    def loaded(batches, purpose):
        loader = DataLoader(
            data,
            batch_sampler=[batch.tolist() for batch in batches],
            num_workers=workers,
            generator=None if purpose is None else generator_for(*purpose),
            pin_memory=device.type == "cuda",
        )
        for x, y in map(_pair, loader):
            yield place(x), y.to(device, non_blocking=True)

    return loaded
