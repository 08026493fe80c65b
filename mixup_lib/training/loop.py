"""The loop behind :func:`mixup_lib.training.fitting.fit`, as every process runs it."""

import math
import time
from collections.abc import Iterator
from io import BytesIO
from itertools import groupby, islice

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, TensorDataset

from mixup_lib.basics.progress import progress_bar
from mixup_lib.basics.seeds import generator_for, seeded
from mixup_lib.mixing.losses import mixed_loss
from mixup_lib.mixing.mix import Mix
from mixup_lib.training.batches import batches_of, has_convolution, index_batches, rank_share
from mixup_lib.training.checkpoint import Checkpoint
from mixup_lib.training.draws import asked_for, draws_of
from mixup_lib.training.evaluation import Validation, check_outputs
from mixup_lib.training.history import History

__all__ = ["place", "run"]

# What is the same for many steps is done for some of them in a row, of so many steps and numbers
# at most: one at a time, between other work, it would cost a small network several times as much.
STEPS, NUMBERS = 32, 2**20


def place(model: nn.Module, device: torch.device) -> bool:
    """Moves the model; returns whether it has 2-D convolutions, and so became channels_last."""
    model.to(device)
    if channels_last := has_convolution(model):
        model.to(memory_format=torch.channels_last)
    return channels_last


def run(runtime, model, train, validation, plan, how, path) -> tuple[History, bytes | None]:
    """The run; its second result carries the weights home if other processes trained them."""
    channels_last = place(model, runtime.device)
    optimizer = plan["optimizer"](model.parameters())
    for group in optimizer.param_groups:
        group.setdefault("initial_lr", group["lr"])
    saved = Checkpoint(path if runtime.rank == 0 else None, plan, model, optimizer, train)
    # Other nodes may not see the file, and all must agree on where the run stands.
    history = saved.restore(runtime.first(saved.read()))
    saved.prepare()
    if validation is not None and len(history) < plan["epochs"]:
        loss, metric = plan["loss"], plan.get("metric")
        validation = Validation(runtime, model, validation, how["workers"], loss, metric)
    draw = draws_of(plan["mixing"])
    predict, optimizer = runtime.setup(model, plan["forward"], optimizer)
    read = batches_of(train, runtime.device, channels_last, how["workers"])
    ahead = _ahead(train, plan)
    epochs = plan["epochs"]
    progress = how["progress"] if runtime.rank == 0 else False
    with progress_bar(total=epochs, initial=len(history), progress=progress, desc="fit") as bar:
        for epoch in range(len(history), epochs):
            start = time.perf_counter()
            model.train()
            row = _epoch(runtime, predict, optimizer, read, draw, len(train), plan, history, ahead)
            runtime.share_buffers(model)
            row["seconds"] = time.perf_counter() - start
            due = (epoch + 1) % how["validate_every"] == 0 or epoch + 1 == epochs
            if validation is not None and due:
                measured = validation.measure()
                row |= {f"validation_{name}": value for name, value in measured.items()}
                if plan["keep"] == "best":
                    best_by = validation.best_by
                    saved.keep_best(history, measured[best_by], best_by, validation.higher)
            history.rows.append(row)
            saved.save(history)
            bar.update()
            bar.set_postfix(loss=f"{row['train_loss']:.3f}")
    if saved.best is not None:
        model.load_state_dict(saved.best)
    model.train()
    if not runtime.spawns:
        return history, None
    torch.save(model.state_dict(), weights := BytesIO())
    return history, weights.getvalue()


def _ahead(train: Dataset, plan: dict) -> int:
    """How many batches are made, and their mixes drawn, before their steps are taken.

    Only one where something sees the batch, since that may look at the model as it then is; and
    of a dataset that may take random numbers from where the model takes its own.
    """
    seen = plan["augment"] is not None or {"x", "y"} & {*asked_for(plan["mixing"])}
    if seen or not isinstance(train, TensorDataset):
        return 1
    numbers = train.tensors[0][0].numel() * plan["batch_size"]
    return max(1, min(STEPS, NUMBERS // max(1, numbers)))


def _in_rows(items: Iterator, count: int) -> Iterator:
    """The items, of which ``count`` at a time are made in a row."""
    while made := list(islice(items, count)):
        yield from made


def _mixed_batches(runtime, read, draw, shares, loader, generator, plan, history):
    """Each batch of the epoch, with its mix and the progress of the run when its step is taken."""
    epoch, augment = len(history), plan["augment"]
    for step, (x, y) in enumerate(read(shares, loader)):
        progress = (epoch + step / len(shares)) / plan["epochs"]
        if augment:
            x = augment(x, generator)
        mix = draw(x, generator, y=y, progress=progress, history=history)
        yield x, y, mix.to(runtime.device), progress


def _epoch(
    runtime, predict, optimizer, read, draw, examples, plan, history, ahead
) -> dict[str, float]:
    """One pass over the data; returns the next row of the history."""
    seed, world, epoch = plan["seed"], runtime.world, len(history)
    order = torch.randperm(examples, generator=generator_for(seed, epoch, "order"), device="cpu")
    batches = index_batches(order, plan["batch_size"], smallest=2 * world)
    generator = generator_for(seed, epoch, "draws", runtime.rank)
    # Loader workers of another rank must not repeat rank 0's random transforms.
    loader = seed, epoch, "loader", *([runtime.rank] if runtime.rank else [])
    schedule, loss_fn = plan["schedule"], plan["loss"]
    losses, hits, held = [], [], []  # left on the device, so that no step waits for them
    with seeded(runtime.device, seed, epoch, "model", runtime.rank):
        shares = [rank_share(batch, runtime.rank, world) for batch in batches]
        made = _mixed_batches(runtime, read, draw, shares, loader, generator, plan, history)
        for step, (x, y, mix, progress) in enumerate(_in_rows(made, ahead)):
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * schedule(progress)
            optimizer.zero_grad(set_to_none=True)
            logits = check_outputs(predict(x, mix))
            if logits.dtype.itemsize < 4:
                logits = logits.float()
            loss = mixed_loss(loss_fn, logits, y, mix)
            losses.append(loss.detach())
            if logits.ndim == 2 and y.ndim == 1 and not y.is_floating_point():
                held.append((logits.detach(), y, mix))
                if len(held) >= min(STEPS, NUMBERS // logits.numel()):
                    hits += _hits(held)
                    held = []
            if world > 1:
                # Processes average their gradients: this makes that the mean over the batch.
                loss = loss * (len(x) * world / len(batches[step]))
            runtime.backward(loss)
            optimizer.step()
    sizes = torch.tensor([len(share) for share in shares], device="cpu")
    hits += _hits(held)
    share = _total(hits, sizes) if hits else math.nan
    totals = torch.tensor([_total(losses, sizes), share], dtype=torch.float64, device="cpu")
    train_loss, share = (runtime.sum(totals) / examples).tolist()
    return {
        "epoch": epoch + 1,
        "train_loss": train_loss,
        "mixed_accuracy": share,
        "lr": optimizer.param_groups[0]["lr"],
    }


def _hits(steps: list[tuple[Tensor, Tensor, Mix]]) -> list[Tensor]:
    """The λ-weighted accuracy of each step, from its logits, class ids and mix.

    It is ``mixed_accuracy`` without its checks, for steps of the same shape together: one by one,
    it would cost a small network as much as its forward pass.
    """
    found: list[Tensor] = []
    for _, alike in groupby(steps, key=lambda step: step[2].index.shape):
        logits, classes, mixes = zip(*alike)
        named, y = torch.stack(logits).argmax(2), torch.stack(classes)
        index = torch.stack([mix.index for mix in mixes])
        weights = torch.stack([mix.weights for mix in mixes])
        labels = y.gather(1, index.flatten(1)).view(index.shape)
        hit = (labels == named.unsqueeze(1)) * weights
        absent = ((labels < 0) * weights).sum(1).mean(1)  # labels that a loss ignores
        found += (hit.sum(1).mean(1) / (1 - absent)).unbind()
    return found


def _total(means: list[Tensor], sizes: Tensor) -> float:
    """The sum over examples, from the means of batches, added up in float64."""
    total = 0.0
    for part in (torch.stack(means).cpu() * sizes).tolist():
        total += part
    return total
