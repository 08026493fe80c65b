"""What `fit` costs beside a plain loop: the same model, data, order and optimizer.

The plain loop is what a reader would write: indices, forward pass, loss, backward pass, step, and
the sum of the losses for a report; mixup is the usual three lines. `fit` adds a schedule, draws
that a seed repeats on every device, checks of shapes, and accuracy on mixed batches. The two take
turns, one epoch each; the difference of neighbours is taken, then its median.
"""

import statistics
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from mixup_lib import draw_mixup, fit
from mixup_lib.basics.seeds import generator_for, initialised
from mixup_lib.datasets import digits, sentences, textures
from mixup_lib.models import MLP, ResNet, SentenceCNN, SmallCNN, TinyViT, mix_at
from mixup_lib.text.tokens import encode_splits
from mixup_lib.training.batches import has_convolution

BOUND_MICROSECONDS, BOUND_SHARE = 100, 0.02  # of a step; the larger of the two counts
ROUNDS = 41
OPTIMIZER = partial(torch.optim.SGD, lr=0.01, momentum=0.9)


@dataclass(frozen=True)
class Case:
    """A model of the chapters with the data that they train it on.

    Attributes:
        name: the model and its data.
        make: makes the model.
        data: makes the training part.
        batch_size: as in the chapter.
        forward: how `fit` mixes; None for inputs.
        by_hand: how the plain loop mixes, `(model, x, lam, partner) -> logits`.
    """

    name: str
    make: Callable[[], nn.Module]
    data: Callable[[], TensorDataset]
    batch_size: int
    forward: Callable | None = None
    by_hand: Callable | None = None


def mix_inputs(model: nn.Module, x: Tensor, lam: float, partner: Tensor) -> Tensor:
    return model(lam * x + (1 - lam) * x[partner])


def mix_words(model: nn.Module, ids: Tensor, lam: float, partner: Tensor) -> Tensor:
    """A text model's forward pass on mixed word vectors, written out."""
    valid = ids != 0
    ids, valid = ids[:, : int(valid.sum(1).max())], valid[:, : int(valid.sum(1).max())]
    x = model.embedding(ids)
    x, valid = lam * x + (1 - lam) * x[partner], valid | valid[partner]
    x, valid = model.read(x, valid)
    x = x.masked_fill(~valid.unsqueeze(2), -torch.inf).amax(1)
    return model.classifier(model.dropout(x))


def encoded() -> tuple[TensorDataset, int]:
    """The chapter's sentences as ids, and how many words there are."""
    splits, tokenizer = encode_splits(sentences())
    return splits.train, tokenizer.get_vocab_size()


def cases() -> list[Case]:
    """The chapters' models."""
    pictures = partial(lambda: textures(train=512, validation=1, test=1).train)
    return [
        Case("MLP, digits", partial(MLP, 64, (128, 128), 10), lambda: digits().train, 100),
        Case("SmallCNN, digits", partial(SmallCNN, 1, 10), lambda: digits().train, 100),
        Case("ResNet-8, 32x32 pixels", partial(ResNet, depth=8, width=16), pictures, 64),
        Case("TinyViT, 32x32 pixels", partial(TinyViT, 10), pictures, 64),
        Case(
            "SentenceCNN, sentences",
            lambda: SentenceCNN(encoded()[1], 2),
            lambda: encoded()[0],
            32,
            partial(mix_at, place="embedding"),
            mix_words,
        ),
    ]


def plain_epoch(model, optimizer, data, case: Case, mixed: bool) -> float:
    """One epoch of the plain loop; returns its mean loss."""
    x, y = data.tensors
    order = torch.randperm(len(x), generator=generator_for(0, 0, "order")).to(x.device)
    by_hand = case.by_hand or mix_inputs
    model.train()
    total = torch.zeros((), device=x.device)
    for rows in order.split(case.batch_size):
        a, b = x[rows], y[rows]
        optimizer.zero_grad(set_to_none=True)
        if mixed:
            lam, partner = np.random.beta(1.0, 1.0), torch.randperm(len(a), device=x.device)
            logits = by_hand(model, a, lam, partner)
            loss = lam * F.cross_entropy(logits, b)
            loss = loss + (1 - lam) * F.cross_entropy(logits, b[partner])
        else:
            loss = F.cross_entropy(model(a), b)
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(a)
    return (total / len(x)).item()


def compare(case: Case, mixed: bool, rounds: int, device: str = "cpu", most: int | None = None):
    """Microseconds of a step in both loops, and of the difference: `(plain, fit, difference)`.

    Each is a list with one entry for each round. `most` limits the batches of an epoch.
    """
    x, y = (tensor[: most and most * case.batch_size] for tensor in case.data().tensors)
    steps = -(-len(x) // case.batch_size)
    ours, theirs = (initialised(case.make, 0).to(device) for _ in range(2))
    if has_convolution(theirs):  # as fit does
        theirs.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x
    data = TensorDataset(x.to(device), y.to(device))
    mixing = partial(draw_mixup, alpha=1.0) if mixed else None

    def library():
        history = fit(
            ours,
            data,
            epochs=1,
            batch_size=case.batch_size,
            optimizer=OPTIMIZER,
            mixing=mixing,
            forward=case.forward,
            device=device,
            progress=False,
        )
        return history["seconds"][0]

    def plain():
        optimizer = OPTIMIZER(theirs.parameters())
        start = time.perf_counter()
        plain_epoch(theirs, optimizer, data, case, mixed)
        return time.perf_counter() - start

    times = {library: [], plain: []}
    for turn in range(rounds + 1):  # the first round only warms up
        for loop in (library, plain) if turn % 2 else (plain, library):
            times[loop].append(loop() / steps * 1e6)
    ours, theirs = times[library][1:], times[plain][1:]
    return theirs, ours, [a - b for a, b in zip(ours, theirs, strict=True)]


def measure(device: str = "cpu", rounds: int = ROUNDS, most: int | None = None) -> list[dict]:
    """One row for each model, without and with mixup, at one thread as in the notebooks."""
    rows = []
    with one_thread():
        for case in cases():
            for mixed in (False, True):
                print(f"{device}: {case.name}{', mixup' * mixed}", file=sys.stderr, flush=True)
                plain, library, more = compare(case, mixed, rounds, device, most)
                low, middle, high = statistics.quantiles(more, n=4)
                step = statistics.median(plain)
                bound = max(BOUND_MICROSECONDS, BOUND_SHARE * step)
                rows.append(
                    {
                        "device": device,
                        "model": case.name,
                        "batch_size": case.batch_size,
                        "mixup": mixed,
                        "plain_microseconds": round(step, 1),
                        "fit_microseconds": round(statistics.median(library), 1),
                        "overhead_microseconds": round(middle, 1),
                        "quartiles": [round(low, 1), round(high, 1)],
                        "bound_microseconds": round(bound, 1),
                        "within": middle <= bound,
                    }
                )
    return rows


@contextmanager
def one_thread():
    """torch on one thread, as the notebooks have it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
