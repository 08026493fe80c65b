"""Training: one loop for every chapter.

The loop draws a mix per batch, has it applied to the inputs, or wherever ``forward`` says, and
weighs the losses with it.
"""

import math
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from mixup_lib._batches import batches_of, has_convolution, index_batches, rank_share
from mixup_lib._check import integer_at_least
from mixup_lib._mixing import draws_of
from mixup_lib._progress import progress_bar
from mixup_lib.checkpoint import Checkpoint
from mixup_lib.evaluation import evaluate
from mixup_lib.history import History
from mixup_lib.losses import mixed_loss
from mixup_lib.mix import Mix
from mixup_lib.runtime import make_runtime
from mixup_lib.seeds import generator_for, seeded

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
    forward: Callable[[nn.Module, Tensor, Mix], Tensor] | None = None,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    optimizer: Callable[..., torch.optim.Optimizer] | None = None,
    schedule: Callable[[float], float] | None = None,
    batch_size: int = 128,
    augment: Callable | None = None,
    seed: int = 0,
    checkpoint=None,
    device: str | torch.device | None = None,
    precision: str | None = None,
    processes: int = 1,
    workers: int = 0,
    validate_every: int = 1,
    keep: str = "last",
    progress: bool | None = None,
) -> History:
    """Trains ``model`` in place.

    Everything random (order, augmentation, mixes, dropout) follows from ``seed`` and the number
    of the epoch. The global generators are left as they were. So a run that was interrupted and
    is resumed from its checkpoint ends bit-equal to one that was not, on the same machine and
    number of threads.

    Args:
        model: returns logits ``(B, classes)`` or whatever ``loss`` takes. It ends on ``device``,
            in training mode. Models with 2-D convolutions are made channels_last.
        train: a ``TensorDataset(x, y)`` (held on the device, no loader), or any other map-style
            dataset of pairs (read by a ``DataLoader``). The last, shorter batch is kept; if only
            one example is left over, it joins the batch before, for batch normalisation's sake.
        epochs: passes over the data, at least 1.
        validation: evaluated after every ``validate_every`` epochs and after the last one.
        mixing: called as ``mixing(batch_size, generator=...)`` and returns a ``Mix``, such as
            ``functools.partial(draw_mixup, alpha=1.0)``; None mixes nothing. Of ``x`` and ``y``
            (the batch), ``progress`` (in [0, 1), as for ``schedule``) and ``history`` (the epochs
            so far) it is passed those that its signature names without a default.
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
            exists.
        device: None takes the first CUDA device where there is one, else the CPU.
        precision: None for float32, else "bf16-mixed" or "16-mixed" (whose loss scale is not kept
            in the checkpoint: it resumes, but not bit-equal).
        processes: how many share each batch, on as many devices (CPU processes share one). More
            than one needs arguments that can be pickled and a script with a main guard.
        workers: loader processes for a dataset that is not a ``TensorDataset``.
        validate_every: epochs from one validation to the next.
        keep: ``"last"`` leaves the model as the last epoch left it, ``"best"`` as the epoch with
            the highest validation accuracy did, the earliest of equals.
        progress: True or False for a progress bar, None to show one only where somebody watches.

    Returns:
        A :class:`History` with one row per epoch. ``mixed_accuracy`` in it is λ-weighted and
        measured on mixed, augmented batches while the model changes: it is no training accuracy.

    Raises:
        ValueError: if an argument is out of range, or the checkpoint is of another run.
        TypeError: if what should be callable is not, or ``mixing`` returns no ``Mix``.
        ImportError: if Lightning Fabric is needed and missing.
    """
    integer_at_least("epochs", epochs, 1)
    integer_at_least("batch_size", batch_size, processes)
    integer_at_least("seed", seed, 0)
    integer_at_least("validate_every", validate_every, 1)
    if len(train) < processes:
        raise ValueError(f"train must hold at least {processes} examples, got {len(train)}")
    if keep not in ("last", "best") or (keep == "best" and validation is None):
        raise ValueError(f'keep must be "last", or "best" with validation data, got {keep!r}')
    parts = {"mixing": mixing, "forward": forward, "loss": loss, "optimizer": optimizer}
    for name, part in (parts | {"schedule": schedule, "augment": augment}).items():
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
    how = {"workers": workers, "validate_every": validate_every, "progress": progress}
    runtime = make_runtime(device, precision, processes)
    history, weights = runtime.launch(_train, model, train, validation, plan, how, checkpoint)
    if weights is not None:
        model.load_state_dict(torch.load(BytesIO(weights), weights_only=True, map_location="cpu"))
    return history


def _train(runtime, model, train, validation, plan, how, path) -> tuple[History, bytes | None]:
    """The run; its second result carries the weights home if other processes trained them."""
    model.to(runtime.device)
    if channels_last := has_convolution(model):
        model.to(memory_format=torch.channels_last)
    optimizer = plan["optimizer"](model.parameters())
    for group in optimizer.param_groups:
        group.setdefault("initial_lr", group["lr"])
    saved = Checkpoint(path, plan, model, optimizer, train)
    history = saved.load(runtime.device)
    stepped, optimizer = runtime.setup(_Forward(model, plan["forward"]), optimizer)
    read = batches_of(train, runtime.device, channels_last, how["workers"])
    epochs = plan["epochs"]
    progress = how["progress"] if runtime.rank == 0 else False
    with progress_bar(total=epochs, initial=len(history), progress=progress, desc="fit") as bar:
        for epoch in range(len(history), epochs):
            start = time.perf_counter()
            row = _epoch(runtime, stepped, optimizer, read, len(train), plan, history)
            row["seconds"] = time.perf_counter() - start
            due = (epoch + 1) % how["validate_every"] == 0 or epoch + 1 == epochs
            if validation is not None and due:
                measured = evaluate(model, validation, device=runtime.device)
                row |= {f"validation_{name}": measured[name] for name in ("accuracy", "nll", "ece")}
                if plan["keep"] == "best":
                    saved.keep_best(history, measured["accuracy"])
            history.rows.append(row)
            if runtime.rank == 0:
                saved.save(history)
            bar.update()
            bar.set_postfix(loss=f"{row['train_loss']:.3f}")
    if saved.best is not None:
        model.load_state_dict(saved.best)
    model.train()
    if runtime.world == 1:
        return history, None
    torch.save(model.state_dict(), weights := BytesIO())
    return history, weights.getvalue()


class _Forward(nn.Module):
    """``forward`` as a module, so that wrappers for several devices see the whole of it."""

    def __init__(self, model: nn.Module, forward: Callable):
        super().__init__()
        self.model, self.function = model, forward

    def forward(self, x: Tensor, mix: Callable[[], Mix]) -> Tensor:
        # The mix comes in a function: Fabric would try to cast the fields of a frozen dataclass.
        return self.function(self.model, x, mix())


def _epoch(runtime, model, optimizer, read, examples, plan, history) -> dict[str, float]:
    """One pass over the data; returns the next row of the history."""
    seed, world, epoch = plan["seed"], runtime.world, len(history)
    order = torch.randperm(examples, generator=generator_for(seed, epoch, "order"))
    batches = index_batches(order, plan["batch_size"], smallest=2 * world)
    generator = generator_for(seed, epoch, "draws", runtime.rank)
    draw = draws_of(plan["mixing"])
    model.train()
    totals = torch.zeros(2, dtype=torch.float64, device=runtime.device)
    with seeded(runtime.device, seed, epoch, "model", runtime.rank):
        shares = [rank_share(batch, runtime.rank, world) for batch in batches]
        for step, (x, y) in enumerate(read(shares, generator_for(seed, epoch, "loader"))):
            progress = (epoch + step / len(batches)) / plan["epochs"]
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * plan["schedule"](progress)
            if plan["augment"]:
                x = plan["augment"](x, generator)
            mix = draw(x, generator, y=y, progress=progress, history=history).to(runtime.device)
            optimizer.zero_grad(set_to_none=True)
            logits = model(x, lambda mix=mix: mix)
            loss = mixed_loss(plan["loss"], logits.float(), y, mix)
            # Processes average their gradients: the factor makes that the mean over the batch.
            runtime.backward(loss * (len(x) * world / len(batches[step])))
            optimizer.step()
            totals += len(x) * _measures(loss.detach(), logits.detach(), y, mix)
    train_loss, share = (runtime.sum(totals) / examples).tolist()
    return {
        "epoch": epoch + 1,
        "train_loss": train_loss,
        "mixed_accuracy": share,
        "lr": optimizer.param_groups[0]["lr"],
    }


def _measures(loss: Tensor, logits: Tensor, y: Tensor, mix) -> Tensor:
    """Loss and λ-weighted accuracy, left on the device: no step waits for them."""
    hit = torch.full_like(loss, math.nan)
    if logits.ndim == 2 and y.ndim == 1 and not y.is_floating_point():
        hit = ((logits.argmax(1) == y[mix.index]) * mix.weights).sum(0).mean()
    return torch.stack([loss, hit])
