"""Where training runs: one device by plain torch, anything more by Lightning Fabric.

Both runtimes offer the same few steps, so that the training loop in :func:`mixup_lib.train.fit` is
written once. Fabric is imported only when a precision or several processes are asked for.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from mixup_lib._check import integer_at_least

__all__ = ["FabricRuntime", "Local", "default_device", "make_runtime"]

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")


def default_device(device: str | torch.device | None = None) -> torch.device:
    """``device``, or the first CUDA device where there is one, else the CPU.

    Raises:
        ValueError: if torch does not know ``device`` or it is not on this machine.
    """
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(device)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"device must be a device of this machine, such as 'cpu' or 'cuda', got {device!r}: "
            f"{str(error).splitlines()[0]}"
        ) from error
    return device


def make_runtime(device=None, precision: str | None = None, processes: int = 1):
    """The runtime for these settings: :class:`Local` unless Fabric is needed.

    Args:
        device: as in :func:`default_device`.
        precision: None or "32-true" for float32, "bf16-mixed" or "16-mixed".
        processes: number of processes, each with a device of its own (CPU processes share one).

    Raises:
        ValueError: if ``processes`` is below 1, or ``device`` or ``precision`` is unknown.
        ImportError: if Fabric is needed and not installed.
    """
    integer_at_least("processes", processes, 1)
    if precision not in (None, *PRECISIONS):
        raise ValueError(f"precision must be None or one of {PRECISIONS}, got {precision!r}")
    device = default_device(device)
    if precision in (None, "32-true") and processes == 1:
        return Local(device)
    return FabricRuntime(device, precision or "32-true", processes)


class Local:
    """One process, one device, float32."""

    rank, world = 0, 1

    def __init__(self, device: torch.device):
        self.device = device

    def launch(self, function: Callable, *args):
        return function(self, *args)

    def setup(self, model: nn.Module, optimizer: Optimizer):
        return model, optimizer

    def backward(self, loss: Tensor) -> None:
        loss.backward()

    def sum(self, values: Tensor) -> Tensor:
        return values


class FabricRuntime:
    """Several processes, another precision, or both, through ``lightning-fabric``."""

    def __init__(self, device: torch.device, precision: str, processes: int):
        try:
            from lightning_fabric import Fabric
        except ImportError:
            try:
                from lightning.fabric import Fabric
            except ImportError as error:
                raise ImportError(
                    f"precision={precision!r} and processes={processes} need Lightning Fabric: "
                    "pip install 'mixup-lib[fabric]'"
                ) from error
        one = [device.index] if device.index is not None and processes == 1 else processes
        # Spawned processes start clean: a forked one can hang in a thread pool of its parent.
        self.fabric = Fabric(
            accelerator=device.type,
            devices=one,
            precision=precision,
            strategy="ddp_spawn" if processes > 1 else "auto",
        )
        self.world = processes

    @property
    def device(self) -> torch.device:
        return self.fabric.device

    @property
    def rank(self) -> int:
        return self.fabric.global_rank

    def launch(self, function: Callable, *args):
        if self.world == 1:
            return function(self, *args)
        return self.fabric.launch(_call, self, function, *args)

    def setup(self, model: nn.Module, optimizer: Optimizer):
        return self.fabric.setup(model, optimizer)

    def backward(self, loss: Tensor) -> None:
        self.fabric.backward(loss)

    def sum(self, values: Tensor) -> Tensor:
        return self.fabric.all_reduce(values, reduce_op="sum")


def _call(fabric, runtime: FabricRuntime, function: Callable, *args):
    runtime.fabric = fabric
    return function(runtime, *args)
