"""The only place that imports Lightning Fabric, and does so when it is called."""

import torch

__all__ = ["make_fabric"]


def make_fabric(device: torch.device, precision: str, processes: int, group=None):
    """A Fabric for one process, for some that it starts, or for those of a launched ``group``.

    Raises:
        ImportError: if Fabric is not installed.
        RuntimeError: if it should start processes from within a notebook.
    """
    fabric, environments = _imported(precision, processes)
    devices: int | list[int] = processes
    nodes, strategy = 1, "auto"
    # The environment is always named: left to guess, Fabric takes a batch job of SLURM that calls
    # the script without srun for one process of many, and waits for the others.
    environment = environments.LightningEnvironment
    if processes == 1:
        devices = [device.index] if device.type == "cuda" and device.index is not None else 1
    elif group is None:
        # Spawned processes start clean: a forked one can hang in a thread pool of its parent.
        strategy = "ddp_spawn"
    else:
        devices, nodes, strategy = group.local, group.world // group.local, "ddp"
        torchrun, slurm = environments.TorchElasticEnvironment, environments.SLURMEnvironment
        environment = slurm if group.slurm else torchrun
    try:
        return fabric(
            accelerator=device.type,
            devices=devices,
            num_nodes=nodes,
            precision=precision,
            strategy=strategy,
            plugins=[environment()],
        )
    except RuntimeError as error:
        if "interactive environment" not in str(error):
            raise
        raise RuntimeError(
            f"processes={processes} starts new processes, which can't see what a notebook defines: "
            "put the code into a script with a main guard, and run that"
        ) from error


def _imported(precision: str, processes: int):
    """Fabric and its environments, under either of its packages' names."""
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.plugins import environments
    except ImportError:
        try:
            from lightning.fabric import Fabric  # type: ignore[assignment]  # same, another name
            from lightning.fabric.plugins import environments  # type: ignore[no-redef]  # same
        except ImportError as error:
            raise ImportError(
                f"precision={precision!r} and processes={processes} need Lightning Fabric: "
                "pip install 'mixup-lib[fabric]'"
            ) from error
    return Fabric, environments
