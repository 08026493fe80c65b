"""Where training runs: one device by plain torch, anything more by Lightning Fabric.

Both runtimes offer the same few steps, so that the training loop is written once. Fabric is
imported only when a precision or several processes are asked for. Several processes come about in
two ways: a launcher (torchrun, ``fabric run``, srun) has started them, on one node or many, and
they form a group here; or one process starts the others on its own node.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from mixup_lib.basics.check import integer_at_least
from mixup_lib.mixing.mix import Mix
from mixup_lib.training.fabric import make_fabric

__all__ = ["FabricRuntime", "Local", "default_device", "group_size", "make_runtime", "rank"]

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")


class Group(NamedTuple):
    """The processes that a launcher started."""

    rank: int  #: this one's number, from 0
    world: int  #: how many there are on all nodes
    local: int  #: how many there are on this node
    slurm: bool  #: whether srun started them itself


def launched() -> Group | None:
    """The group that a launcher started this process in; None if it started only this one.

    Raises:
        ValueError: if the environment speaks of several processes, but incompletely.
    """
    env = os.environ
    if "RANK" in env and "WORLD_SIZE" in env:
        names, slurm = ["RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "LOCAL_RANK"], False
    elif "SLURM_STEP_NUM_TASKS" in env:  # set in steps of srun, not in the batch script itself
        names, slurm = ["SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_NUM_NODES"], True
    else:
        return None
    world = int(env[names[1]])
    if world == 1:
        return None
    if missing := [name for name in names if name not in env]:
        raise ValueError(
            f"{names[1]}={world} is set, but {' and '.join(missing)} is not: start the script with "
            "torchrun, which sets them all"
        )
    local = world // int(env[names[2]]) if slurm else int(env[names[2]])
    return Group(int(env[names[0]]), world, local, slurm)


def rank() -> int:
    """This process's number in the group that a launcher started; 0 where none did.

    What should happen once, such as printing and saving, belongs under ``if rank() == 0``.
    """
    group = launched()
    return 0 if group is None else group.rank


def group_size(processes: int | None) -> int:
    """The number of processes that train together: ``processes``, or what the launcher started.

    Raises:
        ValueError: if ``processes`` is below 1, or not the number that the launcher started.
    """
    group = launched()
    if processes is None:
        return 1 if group is None else group.world
    integer_at_least("processes", processes, 1)
    if group is not None and processes != group.world:
        raise ValueError(
            f"processes must be {group.world}, as many as the launcher started, or None, got "
            f"{processes}"
        )
    return processes


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


def make_runtime(device=None, precision: str | None = None, processes: int | None = None):
    """The runtime for these settings: :class:`Local` unless Fabric is needed.

    Args:
        device: as in :func:`default_device`.
        precision: None or "32-true" for float32, "bf16-mixed" or "16-mixed".
        processes: as in :func:`group_size`, each with a device of its own (CPU processes share
            one).

    Raises:
        ValueError: if an argument is out of range, or a node has fewer devices than processes.
        ImportError: if Fabric is needed and not installed.
    """
    processes, group = group_size(processes), launched()
    if precision not in (None, *PRECISIONS):
        raise ValueError(f"precision must be None or one of {PRECISIONS}, got {precision!r}")
    device = default_device(device)
    if precision in (None, "32-true") and processes == 1:
        return Local(device)
    if processes > 1:
        _check_devices(device, processes, processes if group is None else group.local)
    return FabricRuntime(device, precision or "32-true", processes, group)


def _check_devices(device: torch.device, processes: int, local: int) -> None:
    if device.type not in ("cpu", "cuda") or device.index is not None:
        raise ValueError(
            f"device must be None, 'cpu' or 'cuda' for processes={processes}, got {str(device)!r}: "
            "each process takes the device of its number"
        )
    if device.type == "cuda" and local > torch.cuda.device_count():
        raise ValueError(
            f"{local} processes on a node need as many CUDA devices, and this process sees "
            f"{torch.cuda.device_count()}: start fewer, make all visible, or take device='cpu'"
        )
    if processes % local:
        raise ValueError(
            f"nodes must start equally many processes: {processes} in all, but {local} on this one"
        )


class Local:
    """One process, one device, float32."""

    rank, world, spawns = 0, 1, False

    def __init__(self, device: torch.device):
        self.device = device

    def launch(self, function: Callable, *args):
        return function(self, *args)

    def setup(self, model: nn.Module, forward: Callable, optimizer: Optimizer):
        """``predict(x, mix) -> logits`` for the loop, and the optimizer that goes with it."""
        return partial(forward, model), optimizer

    def backward(self, loss: Tensor) -> None:
        loss.backward()

    def sum(self, values: Tensor) -> Tensor:
        return values

    def first(self, value):
        return value

    def share_buffers(self, model: nn.Module) -> None:
        pass


class FabricRuntime:
    """Several processes, another precision, or both, through ``lightning-fabric``.

    Attributes:
        device: of this process.
        rank: of this process, from 0.
        world: number of processes on all nodes.
        spawns: whether :meth:`launch` starts them.
    """

    def __init__(self, device: torch.device, precision: str, processes: int, group=None):
        self.world = processes
        self.spawns = processes > 1 and group is None
        self.fabric = make_fabric(device, precision, processes, group)

    @property
    def device(self) -> torch.device:
        return self.fabric.device

    @property
    def rank(self) -> int:
        return self.fabric.global_rank

    def launch(self, function: Callable, *args):
        """``function(self, *args)`` in every process; returns what that of rank 0 returns, or in
        a launched group what this one returns."""
        if self.world == 1 or os.environ.get("LT_CLI_USED") == "1":
            return function(self, *args)  # `fabric run` formed the group with the Fabric object
        port = os.environ.get("MASTER_PORT")
        try:
            return self.fabric.launch(_call, self, function, *args)
        finally:
            if self.spawns and port is None:
                # Fabric leaves its choice behind, and the next run would insist on that port.
                os.environ.pop("MASTER_PORT", None)

    def setup(self, model: nn.Module, forward: Callable, optimizer: Optimizer):
        """As :meth:`Local.setup`."""
        wrapped, optimizer = self.fabric.setup(_Forward(model, forward), optimizer)
        # The mix comes in a function: Fabric would try to cast the fields of a frozen dataclass.
        return lambda x, mix: wrapped(x, lambda: mix), optimizer

    def backward(self, loss: Tensor) -> None:
        self.fabric.backward(loss)

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes, in each of them, on the CPU."""
        if self.world == 1:
            return values
        return self.fabric.all_reduce(values.to(self.device), reduce_op="sum").cpu()

    def first(self, value):
        """Rank 0's value, in each process."""
        return self.fabric.broadcast(value) if self.world > 1 else value

    def share_buffers(self, model: nn.Module) -> None:
        """Gives every process rank 0's buffers, such as the statistics of batch normalisation.

        The wrapper for several devices does the same before each step, so this changes no step.
        """
        if self.world > 1:
            for buffer in model.buffers():
                torch.distributed.broadcast(buffer, 0)


class _Forward(nn.Module):
    """``forward`` as a module, so that wrappers for several devices see the whole of it."""

    def __init__(self, model: nn.Module, forward: Callable):
        super().__init__()
        self.model, self.function = model, forward

    def forward(self, x: Tensor, mix: Callable[[], Mix]) -> Tensor:
        return self.function(self.model, x, mix())


def _call(fabric, runtime: FabricRuntime, function: Callable, *args):
    runtime.fabric = fabric
    return function(runtime, *args)
