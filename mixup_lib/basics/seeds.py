"""Random numbers that depend on a seed and on what they are for, and on nothing else."""

from collections.abc import Callable
from contextlib import contextmanager
from zlib import crc32

import numpy as np
import torch
from torch import nn

__all__ = ["generator_for", "initialised", "seeded"]


def _number(seed: int, *purpose: int | str) -> int:
    words = [crc32(word.encode()) if isinstance(word, str) else word for word in purpose]
    # Seeds next to each other give streams that are independent (numpy's SeedSequence).
    return int(np.random.SeedSequence([seed, *words]).generate_state(1, np.uint64)[0])


def generator_for(seed: int, *purpose: int | str) -> torch.Generator:
    """A CPU generator for one purpose, such as ``generator_for(0, epoch, "order")``.

    Args:
        seed: an integer of at least 0.
        *purpose: integers of at least 0 and words; other purposes give independent numbers.
    """
    return torch.Generator().manual_seed(_number(seed, *purpose))


@contextmanager
def seeded(device: torch.device | str, seed: int, *purpose: int | str):
    """Seeds torch's default generators within the block and restores them after it."""
    device, number = torch.device(device), _number(seed, *purpose)
    on_cuda = device.type == "cuda"
    with torch.random.fork_rng([device] if on_cuda else []):
        # torch.manual_seed would note a traceback for every device that is not in use, each time.
        torch.default_generator.manual_seed(number)
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(number)
        yield


def initialised(make_model: Callable[[], nn.Module], seed: int) -> nn.Module:
    """``make_model()`` with initial weights drawn from ``seed``; global generators stay as is."""
    with seeded("cpu", seed, "weights"):
        return make_model()
