"""Evaluation of a classifier: no mix comes in, and none can be drawn here."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from mixup_lib.basics.check import integer_at_least
from mixup_lib.measures import metrics
from mixup_lib.training.batches import batches_of, has_convolution, rank_share
from mixup_lib.training.runtime import default_device

__all__ = ["evaluate", "predict"]

BINS = 15  # of the calibration error


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
    integer_at_least("batch_size", batch_size, 1)
    if len(data) == 0:
        raise ValueError("data must hold at least one example, got 0")
    return _predict(model, data, torch.arange(len(data)), batch_size, device, workers)


def _predict(model, data, index: Tensor, batch_size, device, workers) -> tuple[Tensor, Tensor]:
    """:func:`predict` for the examples ``index``, at least one."""
    where = next(model.parameters(), torch.empty(0)).device
    device = where if device is None else default_device(device)
    model.to(device)
    read = batches_of(data, device, has_convolution(model), workers)
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode():
            batches = index.split(batch_size)
            pairs = [(model(x).float().cpu(), y.cpu()) for x, y in read(batches, None)]
    finally:
        for module, training in modes.items():
            module.training = training
    logits, y = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    return logits, y


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
    _check_class_ids(y)
    share = metrics.accuracy(logits, y)
    return {
        "accuracy": share,
        "error": 1 - share,
        "nll": metrics.nll(logits, y),
        "ece": metrics.ece(logits, y, BINS),
        "n": len(y),
    }


def evaluate_shared(runtime, model: nn.Module, data: Dataset, workers: int) -> dict[str, float]:
    """:func:`evaluate` by all processes of ``runtime`` together; each learns the result.

    The examples are split without padding, so shares may be uneven or empty and each example
    counts once. Each of the metrics is made of sums over examples, and sums can be added up over
    processes.
    """
    if runtime.world == 1:
        return evaluate(model, data, device=runtime.device, workers=workers)
    if len(data) == 0:
        raise ValueError("data must hold at least one example, got 0")
    share = rank_share(torch.arange(len(data)), runtime.rank, runtime.world)
    sums = torch.zeros(2 + BINS, dtype=torch.float64)
    if len(share):
        logits, y = _predict(model, data, share, 512, runtime.device, workers)
        _check_class_ids(y)
        confidence, hit, place = metrics.confidence_bins(logits, y, BINS)
        sums[0] = hit.sum()
        sums[1] = F.cross_entropy(logits.double(), y, reduction="sum")
        sums[2:].index_add_(0, place, hit - confidence)
    hits, nll, *gaps = runtime.sum(sums).div(len(data)).tolist()
    ece = sum(abs(gap) for gap in gaps)
    return {"accuracy": hits, "error": 1 - hits, "nll": nll, "ece": ece, "n": len(data)}


def _check_class_ids(y: Tensor) -> None:
    if y.ndim != 1 or y.is_floating_point():
        raise ValueError(
            f"data must have class ids (n,) of an integer dtype, got {tuple(y.shape)} {y.dtype}"
        )
