"""Evaluation of a classifier: no mix comes in, and none can be drawn here."""

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from mixup_lib import metrics
from mixup_lib._batches import batches_of, has_convolution
from mixup_lib._check import integer_at_least
from mixup_lib.runtime import default_device

__all__ = ["evaluate", "predict"]


def predict(
    model: nn.Module,
    data: Dataset,
    *,
    batch_size: int = 512,
    device: str | torch.device | None = None,
) -> tuple[Tensor, Tensor]:
    """What a model says of examples as they are: nothing is mixed or augmented here.

    The model is put into evaluation mode and afterwards back into the mode it was in.

    Args:
        model: returns one row for each example; it is moved to ``device``.
        data: ``TensorDataset(x, y)`` or another map-style dataset of pairs.
        batch_size: examples per forward pass, at least 1; the result does not depend on it.
        device: None takes the device of the model.

    Returns:
        The outputs, ``(n, ...)`` float32, such as logits ``(n, classes)``, and the targets
        ``(n, ...)``, both on the CPU.

    Raises:
        ValueError: if ``data`` is empty or ``batch_size`` is below 1.
    """
    integer_at_least("batch_size", batch_size, 1)
    if len(data) == 0:
        raise ValueError("data must hold at least one example, got 0")
    where = next(model.parameters(), torch.empty(0)).device
    device = where if device is None else default_device(device)
    model.to(device)
    read = batches_of(data, device, has_convolution(model), workers=0)
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode():
            batches = torch.arange(len(data)).split(batch_size)
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
) -> dict[str, float]:
    """Measures a classifier on examples as they are: nothing is mixed or augmented here.

    The model's outputs come from :func:`predict`.

    Args:
        model: returns logits ``(B, classes)``; it is moved to ``device``.
        data: ``TensorDataset(x, y)`` or another map-style dataset of pairs with class ids.
        batch_size: examples per forward pass, at least 1; the result does not depend on it.
        device: None takes the device of the model.

    Returns:
        ``accuracy``, ``error`` = 1 - accuracy, ``nll`` in nats, ``ece`` (15 bins), ``n``.

    Raises:
        ValueError: if ``data`` is empty, its labels are no class ids, or ``batch_size`` is
            below 1.
    """
    logits, y = predict(model, data, batch_size=batch_size, device=device)
    if y.ndim != 1 or y.is_floating_point():
        raise ValueError(
            f"data must have class ids (n,) of an integer dtype, got {tuple(y.shape)} {y.dtype}"
        )
    share = metrics.accuracy(logits, y)
    return {
        "accuracy": share,
        "error": 1 - share,
        "nll": metrics.nll(logits, y),
        "ece": metrics.ece(logits, y),
        "n": len(y),
    }
