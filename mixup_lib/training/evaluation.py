"""Evaluation of a model: no mix comes in, and none can be drawn here."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.modes import evaluating
from mixup_lib.measures import metrics
from mixup_lib.mixing.draw import no_mix
from mixup_lib.mixing.losses import mixed_loss
from mixup_lib.training.batches import (
    batches_of,
    check_data,
    has_convolution,
    length_of,
    rank_share,
)
from mixup_lib.training.runtime import default_device

__all__ = ["Validation", "check_outputs", "evaluate", "predict"]

BINS = 15  # of the calibration error
BATCH = 512  # examples per forward pass, where nobody says otherwise


def predict(
    model: nn.Module,
    data: Dataset,
    *,
    batch_size: int = 512,
    device: str | torch.device | None = None,
    workers: int = 0,
) -> tuple[Tensor, Tensor]:
    """What a model says of examples as they are: nothing is mixed or augmented here.

    The model is put into evaluation mode and afterwards back into the mode it was in.

    Args:
        model: returns one row for each example; it is moved to ``device``.
        data: ``TensorDataset(x, y)`` or another map-style dataset of pairs.
        batch_size: examples per forward pass, at least 1; the result does not depend on it.
        device: None takes the device of the model.
        workers: loader processes for a dataset that is not a ``TensorDataset``.

    Returns:
        The outputs, ``(n, ...)`` float32, such as logits ``(n, classes)``, and the targets
        ``(n, ...)``, both on the CPU.

    Raises:
        ValueError: if ``data`` is empty or ``batch_size`` is below 1.
    """
    batch_size = integer_at_least("batch_size", batch_size, 1)
    _check_examples("data", data)
    parts = _predicted(model, data, torch.arange(length_of(data)), batch_size, device, workers)
    pairs = [(outputs.cpu(), y.cpu()) for outputs, y in parts]
    outputs, y = (torch.cat(part) for part in zip(*pairs, strict=True))
    return outputs, y


def _predicted(
    model, data, index: Tensor, batch_size, device, workers
) -> Iterator[tuple[Tensor, Tensor]]:
    """Outputs, float32, and targets of the examples ``index``, batch by batch on the device."""
    where = next(model.parameters(), torch.empty(0, device="cpu")).device
    device = where if device is None else default_device(device)
    model.to(device)
    read = batches_of(data, device, has_convolution(model), workers)
    with evaluating(model), torch.inference_mode():
        for x, y in read(index.split(batch_size), None):
            yield check_outputs(model(x)).float(), y


def check_outputs(outputs: object) -> Tensor:
    """``outputs`` if they are one tensor; raises TypeError if a model returned anything else."""
    if isinstance(outputs, Tensor):
        return outputs
    kind = type(outputs).__name__
    hint = "out.logits" if hasattr(outputs, "logits") else "the tensor of its logits"
    raise TypeError(
        f"the model returned a {kind}; valid is one tensor (B, ...). Valid: a module around it "
        f"whose forward returns {hint}"
    )


def _check_examples(name: str, data: Dataset) -> None:
    check_data(name, data)
    if length_of(data) == 0:
        raise ValueError(f"{name} must hold at least one example, got 0")


def evaluate(
    model: nn.Module,
    data: Dataset,
    *,
    batch_size: int = 512,
    device: str | torch.device | None = None,
    workers: int = 0,
) -> dict[str, float]:
    """Measures a classifier on examples as they are: nothing is mixed or augmented here.

    The model's outputs come from :func:`predict`. One process measures all of ``data``; during
    training on several, :func:`~mixup_lib.training.fitting.fit` splits its validation data among
    them.

    Args:
        model: returns logits ``(B, classes)``; it is moved to ``device``.
        data: ``TensorDataset(x, y)`` or another map-style dataset of pairs with class ids.
        batch_size: examples per forward pass, at least 1; the result does not depend on it.
        device: None takes the device of the model.
        workers: loader processes for a dataset that is not a ``TensorDataset``.

    Returns:
        ``accuracy``, ``error`` = 1 - accuracy, ``nll`` in nats, ``ece`` (15 bins), ``n``.

    Raises:
        ValueError: if ``data`` is empty, its labels are no class ids, or ``batch_size`` is
            below 1.
    """
    logits, y = predict(model, data, batch_size=batch_size, device=device, workers=workers)
    return classified(logits, y)


def classified(logits: Tensor, y: Tensor) -> dict[str, float]:
    """What :func:`evaluate` returns, of outputs ``(n, classes)`` and class ids ``(n,)``."""
    _check_class_ids(y, logits.shape[-1])
    share = metrics.accuracy(logits, y)
    return {
        "accuracy": share,
        "error": 1 - share,
        "nll": metrics.nll(logits, y),
        "ece": metrics.ece(logits, y, BINS),
        "n": len(y),
    }


class Validation:
    """What is measured on validation data, by all processes of ``runtime`` together.

    Class ids ``(n,)`` and outputs ``(n, C)`` are measured by :func:`evaluate`; anything else, such
    as a regression, by the loss; and both by ``metric`` where there is one. All of it is tried on
    the first batch when this is made, so that what does not fit together is known before training.

    Args:
        runtime: with the processes that share the work.
        model, data, workers: as in :func:`evaluate`.
        loss: unreduced, ``(outputs, y) -> (B,)``.
        metric: the same, lower is better; or None.

    Attributes:
        best_by: the name of the measure that tells the best epoch.
        higher: whether it is the epoch with its highest value.

    Raises:
        ValueError: the data are empty, or loss or metric do not return one value per example.
        TypeError: the data or the outputs are not what :func:`evaluate` takes.
    """

    def __init__(self, runtime, model, data: Dataset, workers: int, loss, metric=None):
        _check_examples("validation", data)
        self.runtime, self.model, self.data, self.workers = runtime, model, data, workers
        self.classes: bool | None = None  # not known yet
        self.errors: dict[str, Callable] = {} if metric is None else {"metric": metric}
        first = torch.arange(min(length_of(data), BATCH), device="cpu")
        outputs, y, _ = self._read(first)
        ids = y.ndim == 1 and not y.is_floating_point()
        self.classes = ids and outputs.ndim == 2 and outputs.shape[1] > 1
        if self.classes:
            classified(outputs, y)
        else:
            self.errors = {"loss": loss} | self.errors
            self._read(first[:2])
        *_, self.best_by = ["accuracy", *self.errors]
        self.higher = not self.errors

    def measure(self) -> dict[str, float]:
        """``accuracy``, ``nll``, ``ece`` where there are classes, ``loss`` where there are none,
        ``metric`` where there is one.

        The examples are split without padding, so shares may be uneven or empty and each example
        counts once. Each measure is made of sums over examples, and sums can be added up over
        processes.
        """
        share = torch.arange(length_of(self.data), device="cpu")
        if self.runtime.world == 1:
            outputs, y, errors = self._read(share)
            measured = classified(outputs, y) if self.classes else {}
        else:
            share = rank_share(share, self.runtime.rank, self.runtime.world)
            outputs, y, errors = self._read(share)
            sums = torch.zeros(2 + BINS, dtype=torch.float64, device="cpu")
            if self.classes and len(share):
                confidence, hit, place = metrics.confidence_bins(outputs, y, BINS)
                sums[0] = hit.sum()
                sums[1] = F.cross_entropy(outputs.double(), y, reduction="sum")
                sums[2:].index_add_(0, place, hit - confidence)
            sums = self.runtime.sum(torch.cat([sums, errors]))
            hits, nll, *gaps = sums[: 2 + BINS].div(length_of(self.data)).tolist()
            ece = sum(abs(gap) for gap in gaps)
            measured = {"accuracy": hits, "nll": nll, "ece": ece} if self.classes else {}
            errors = sums[2 + BINS :]
        means = (errors / length_of(self.data)).tolist()
        measured = {name: measured[name] for name in ("accuracy", "nll", "ece") if measured}
        return measured | dict(zip(self.errors, means, strict=True))

    def _read(self, index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Outputs and targets on the CPU where they are needed, and the sums of all errors."""
        kept, sums = [], torch.zeros(len(self.errors), dtype=torch.float64, device="cpu")
        device, workers = self.runtime.device, self.workers
        if len(index):
            for outputs, y in _predicted(self.model, self.data, index, BATCH, device, workers):
                for i, error in enumerate(self.errors.values()):
                    mean = mixed_loss(error, outputs, y, no_mix(len(y), outputs.device))
                    sums[i] += len(y) * mean.double().cpu()
                if self.classes is not False:
                    kept.append((outputs.cpu(), y.cpu()))
        if not kept:
            return torch.empty(0, device="cpu"), torch.empty(0, device="cpu"), sums
        outputs, y = (torch.cat(part) for part in zip(*kept))
        return outputs, y, sums


def _check_class_ids(y: Tensor, classes: int) -> None:
    if y.ndim != 1 or y.is_floating_point():
        raise ValueError(
            f"data must have class ids (n,) of an integer dtype, got {tuple(y.shape)} {y.dtype}"
        )
    low, high = (extreme.item() for extreme in y.aminmax())
    if low < 0 or high >= classes:
        raise ValueError(
            f"data have class ids from {low} to {high}, and the model has {classes} outputs; valid "
            f"are 0 to {classes - 1}"
        )
