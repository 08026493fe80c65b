"""Batches by index: tensors are sliced where they lie, other datasets go through a loader."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

__all__ = ["batches_of", "has_convolution", "index_batches", "rank_share"]


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
) -> Callable[[Sequence[Tensor], torch.Generator | None], Iterable[tuple[Tensor, Tensor]]]:
    """A function from index batches to an iterator over pairs ``(x, y)`` on ``device``."""

    def place(x: Tensor) -> Tensor:
        x = x.to(device, non_blocking=True)
        images = channels_last and x.ndim == 4
        return x.contiguous(memory_format=torch.channels_last) if images else x

    if isinstance(data, TensorDataset):
        if len(data.tensors) != 2:
            raise ValueError(f"a TensorDataset must hold (x, y), got {len(data.tensors)} tensors")
        x, y = place(data.tensors[0]), data.tensors[1].to(device)

        def slices(batches, generator):
            for batch in batches:
                index = batch.to(device, non_blocking=True)
                yield x[index], y[index]

        return slices

    def loaded(batches, generator):
        loader = DataLoader(
            data,
            batch_sampler=[batch.tolist() for batch in batches],
            num_workers=workers,
            generator=generator,
            pin_memory=device.type == "cuda",
        )
        for x, y in loader:
            yield place(x), y.to(device, non_blocking=True)

    return loaded
