"""Training: one loop for every chapter.

The loop draws a mix per batch, has it applied to the inputs, or wherever ``forward`` says, and
weighs the losses with it.
"""

import math
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset, TensorDataset

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.naming import describe
from mixup_lib.mixing.mix import Mix
from mixup_lib.mixing.transforms import CutMix, Mixup
from mixup_lib.training.batches import check_data, length_of
from mixup_lib.training.checkpoint import Checkpoint
from mixup_lib.training.evaluation import evaluate
from mixup_lib.training.history import History
from mixup_lib.training.loop import place, run
from mixup_lib.training.runtime import group_size, make_runtime

__all__ = ["constant", "cosine", "evaluate", "fit"]

cross_entropy = partial(F.cross_entropy, reduction="none")
adam = partial(torch.optim.Adam, lr=1e-3)


def constant(progress: float) -> float:
    """Schedule: the optimizer's own learning rate throughout."""
    return 1.0


def cosine(progress: float) -> float:
    """Schedule: half a cosine from 1 down to 0 (Loshchilov and Hutter, 2017, equation 5)."""
    return 0.5 * (1 + math.cos(math.pi * progress))


def mix_inputs(model: nn.Module, x: Tensor, mix: Mix) -> Tensor:
    """Forward pass on mixed inputs: what :func:`fit` does by default."""
    return model(mix.inputs(x))


def fit(
    model: nn.Module,
    train: Dataset,
    *,
    epochs: int,
    validation: Dataset | None = None,
    mixing: Callable | None = None,
    forward: Callable[[Any, Tensor, Mix], Tensor] | None = None,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    optimizer: Callable[..., torch.optim.Optimizer] | None = None,
    schedule: Callable[[float], float] | None = None,
    batch_size: int = 128,
    augment: Callable | None = None,
    seed: int = 0,
    checkpoint=None,
    device: str | torch.device | None = None,
    precision: str | None = None,
    processes: int | None = None,
    workers: int = 0,
    validate_every: int = 1,
    keep: str = "last",
    metric: Callable[[Tensor, Tensor], Tensor] | None = None,
    progress: bool | None = None,
) -> History:
    """Trains ``model`` in place.

    Everything random (order, augmentation, mixes, dropout) follows from ``seed`` and the number
    of the epoch. The global generators are left as they were. So a run that was interrupted and
    is resumed from its checkpoint ends bit-equal to one that was not, on the same machine and
    number of threads.

    Args:
        model: returns one tensor, logits ``(B, classes)`` or whatever ``loss`` takes. It ends on
            ``device``, in training mode. Models with 2-D convolutions are made channels_last.
        train: a ``TensorDataset(x, y)`` (held on the device, no loader), or any other map-style
            dataset of pairs (read by a ``DataLoader``). The last, shorter batch is kept; if only
            one example is left over, it joins the batch before, for batch normalisation's sake.
        epochs: passes over the data, at least 1.
        validation: evaluated after every ``validate_every`` epochs and after the last one, each
            example once, whatever the number of processes: class ids by accuracy, likelihood and
            calibration, other targets by the loss. Its first batch is tried before the training.
        mixing: called as ``mixing(batch_size, generator=...)`` and returns a ``Mix``, such as
            ``functools.partial(draw_mixup, alpha=1.0)``; None mixes nothing. Of ``x`` and ``y``
            (the batch), ``progress`` (in [0, 1), as for ``schedule``) and ``history`` (the epochs
            so far) it is passed those that its signature names without a default. Of several
            processes, each draws for its own share of the batch, and finds partners there. It may
            be called some steps ahead, unless it asks for ``x`` or ``y`` or there is an
            ``augment``: then it sees the model as it is.
        forward: ``(model, x, mix) -> logits``, applies the mix where it belongs: to embeddings,
            hidden states, spectrograms; the default is :func:`mix_inputs`.
        loss: unreduced, ``(logits, y) -> (B,)``; the default is cross-entropy.
        optimizer: called with the parameters; the default is Adam with a learning rate of 0.001,
            which small networks forgive most.
        schedule: ``progress -> multiplier`` of the learning rate, ``progress`` in [0, 1) at the
            beginning of each step; the default is :func:`constant`.
        batch_size: examples per step, over all processes, at least 1.
        augment: called as ``augment(x, generator)`` on each batch before it is mixed.
        seed: an integer of at least 0.
        checkpoint: path of a file, written after every epoch and read at the start where it
            exists, both by the process of rank 0 only.
        device: None takes the first CUDA device where there is one, else the CPU.
        precision: None for float32, else "bf16-mixed" or "16-mixed" (whose loss scale is not kept
            in the checkpoint: it resumes, but not bit-equal).
        processes: how many share each batch, each on a device of its own (CPU processes share
            one). None joins those that a launcher (torchrun, ``fabric run``, srun) has started, on
            one node or many, and trains in this process without one. A number without a launcher
            starts so many on this node, which needs arguments that can be pickled and a script
            with a main guard.
        workers: loader processes for a dataset that is not a ``TensorDataset``, per process.
        validate_every: epochs from one validation to the next.
        keep: ``"last"`` leaves the model as the last epoch left it, ``"best"`` as the epoch with
            the best validation did, the earliest of equals: the lowest ``metric`` where there is
            one, else the highest accuracy or, without classes, the lowest loss.
        metric: unreduced, ``(outputs, y) -> (B,)``, lower is better, such as an absolute error:
            its mean is a further column of the validation.
        progress: True or False for a progress bar, None to show one only where somebody watches.

    Returns:
        A :class:`History` with one row per epoch, and the settings of this call.
        ``mixed_accuracy`` in it is λ-weighted and measured on mixed, augmented batches while the
        model changes: it is no training accuracy.

    Raises:
        ValueError: if an argument is out of range, the checkpoint is of another run or can't be
            written, or validation data, loss and metric do not fit together.
        TypeError: if what should be callable is not, ``mixing`` returns no ``Mix``, the data are
            no map-style dataset of pairs, or the model returns no tensor.
        ImportError: if Lightning Fabric is needed and missing.
    """
    epochs = integer_at_least("epochs", epochs, 1)
    processes = group_size(processes)
    batch_size = integer_at_least("batch_size", batch_size, processes)
    seed = integer_at_least("seed", seed, 0)
    workers = integer_at_least("workers", workers, 0)
    validate_every = integer_at_least("validate_every", validate_every, 1)
    check_data("train", train)
    if length_of(train) < processes:
        raise ValueError(f"train must hold at least {processes} examples, got {length_of(train)}")
    if validation is not None:
        check_data("validation", validation)
    if keep not in ("last", "best") or (keep == "best" and validation is None):
        raise ValueError(f'keep must be "last", or "best" with validation data, got {keep!r}')
    if metric is not None and validation is None:
        raise ValueError(f"metric={metric!r} measures validation data, and validation is None")
    if isinstance(mixing, Mixup | CutMix):
        draw = "draw_mixup" if isinstance(mixing, Mixup) else "draw_cutmix"
        raise TypeError(
            f"mixing is the transform {mixing}, which mixes a batch itself. Valid is its draw, "
            f"functools.partial({draw}, alpha={mixing.alpha}"
            f"{', size=x.shape' if draw == 'draw_cutmix' else ''})"
        )
    if loss is None and isinstance(train, TensorDataset):
        y = train.tensors[1]
        if y.ndim == 1 and y.is_floating_point():
            raise ValueError(
                f"train has one {y.dtype} for each example as its target, which cross-entropy does "
                "not take. Valid: class ids, y.long(); or a loss for numbers, such as "
                "loss=lambda outputs, y: (outputs.squeeze(1) - y) ** 2"
            )
    parts = {"mixing": mixing, "forward": forward, "loss": loss, "optimizer": optimizer}
    parts |= {"schedule": schedule, "augment": augment, "metric": metric}
    for name, part in parts.items():
        if part is not None and not callable(part):
            raise TypeError(f"{name} must be callable or None, got {part!r}")
    plan = {
        "epochs": epochs,
        "mixing": mixing,
        "forward": forward or mix_inputs,
        "loss": loss or cross_entropy,
        "optimizer": optimizer or adam,
        "schedule": schedule or constant,
        "batch_size": batch_size,
        "augment": augment,
        "seed": seed,
        "precision": precision or "32-true",
        "processes": processes,
        "keep": keep,
    }
    if metric is not None:
        plan["metric"] = metric
    how = {"workers": workers, "validate_every": validate_every, "progress": progress}
    runtime = make_runtime(device, precision, processes)
    if runtime.spawns:
        # Shared device memory would be trained in place; and what another process raises comes
        # home as text only, so what is wrong with the file is said here.
        model.cpu()
        Checkpoint(checkpoint, plan, model, None, train).read()
    history, weights = runtime.launch(run, model, train, validation, plan, how, checkpoint)
    if weights is not None:
        model.load_state_dict(torch.load(BytesIO(weights), weights_only=True, map_location="cpu"))
        place(model, runtime.device)
        model.train()
    ran = plan | {
        "model": type(model),
        "device": str(runtime.device),
        "validate_every": validate_every,
        "train": length_of(train),
        "validation": 0 if validation is None else length_of(validation),
    }
    history.settings = {
        name: value if isinstance(value, int | str | None) else describe(value)
        for name, value in ran.items()
    }
    return history
