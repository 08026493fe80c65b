"""Sequence to sequence: the special ids, the loss, what is measured, and word dropout.

A batch of pairs is one tensor ``(B, 2, L)`` of ids, so that it travels through a loader and
:func:`~mixup_lib.training.fitting.fit` like any other: row 0 holds the source, row 1 what the
decoder reads (the target, one place later, with ``BOS`` in front). The targets are ``(B, L)`` and
end in ``EOS``. Everything is padded on the right with ``PAD``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.modes import evaluating

__all__ = ["BOS", "EOS", "PAD", "sequence_loss", "sequence_scores", "word_dropout"]

#: Padding, beginning and end of a sequence: the first three ids of every vocabulary.
PAD, BOS, EOS = 0, 1, 2


def sequence_loss(logits: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy of each sequence: the mean over the sequence's own positions.

    As the loss of a mixed batch (:func:`~mixup_lib.mixed_loss`) it is
    ``lam * loss(y_a) + (1 - lam) * loss(y_b)``, where each target is averaged over its own
    positions. So a long partner does not dilute a short sequence, and padding never counts.

    Args:
        logits: ``(B, L, V)``, floating.
        y: ``(B, L)`` long, target ids in [0, V), padded with ``PAD``.

    Returns:
        ``(B,)``, in nats per position.

    Raises:
        ValueError: if the shapes do not fit.
        TypeError: if ``y`` does not hold integer ids. (Mix the losses, not the targets.)
    """
    _check_ids("y", y)
    if logits.ndim != 3 or logits.shape[:2] != y.shape:
        raise ValueError(
            f"logits has shape {tuple(logits.shape)} and y {tuple(y.shape)}; valid is (B, L, V) "
            "and (B, L)"
        )
    losses = F.cross_entropy(logits.transpose(1, 2), y, ignore_index=PAD, reduction="none")
    return losses.sum(1) / (y != PAD).sum(1).clamp_min(1)


@torch.no_grad()
def sequence_scores(model: nn.Module, data: TensorDataset, batch_size: int = 512) -> dict:
    """How well ``model.generate`` writes the targets, greedily, from the sources alone.

    Args:
        model: has ``generate(source, longest)``, as
            :class:`~mixup_lib.models.Seq2Seq`. It ends in the mode in which it came.
        data: pairs ``(n, 2, L)`` and targets ``(n, L)``, as from
            :func:`~mixup_lib.datasets.numbers`.
        batch_size: sequences that are decoded side by side, at least 1.

    Returns:
        ``exact_match``, the share of sequences without any mistake; ``token_accuracy``, the share
        of target positions (the end mark is one) at which the right id stands, averaged over all
        positions; both in [0, 1]; and ``n``.

    Raises:
        ValueError: if ``data`` is empty or ``batch_size`` is below 1.
    """
    integer_at_least("batch_size", batch_size, 1)
    if len(data) == 0:
        raise ValueError("data must hold at least one pair, got 0")
    device = next(model.parameters()).device
    exact, right, places = 0, 0, 0
    with evaluating(model):
        for x, y in zip(*(tensor.split(batch_size) for tensor in data.tensors), strict=True):
            written = model.generate(x[:, 0].to(device), longest=y.shape[1]).cpu()
            real = y != PAD
            exact += (written == y).all(1).sum().item()
            right += ((written == y) & real).sum().item()
            places += real.sum().item()
    return {"exact_match": exact / len(data), "token_accuracy": right / places, "n": len(data)}


def word_dropout(x: Tensor, generator: torch.Generator | None = None, p: float = 0.1) -> Tensor:
    """Takes words away from what the decoder reads; the targets stay.

    The decoder must then look at the source for what it can no longer copy from the word before.
    The source is left alone: a digit less would be another number.

    Args:
        x: ``(B, 2, L)`` long, pairs; it is not changed.
        generator: CPU generator; None uses torch's default one.
        p: probability in [0, 1) with which a word becomes ``PAD``, whose embedding is zero.
            ``BOS`` stays.

    Raises:
        ValueError: if ``x`` has another shape or ``p`` lies outside [0, 1).
        TypeError: if ``x`` does not hold integer ids.

    Source: Bowman et al., "Generating Sentences from a Continuous Space", CoNLL 2016.
    """
    check_pairs(x)
    if not 0 <= p < 1:
        raise ValueError(f"p must lie in [0, 1), got {p}")
    gone = torch.rand(x[:, 1].shape, generator=generator).to(x.device) < p
    shortened = x.clone()
    shortened[:, 1] = x[:, 1].masked_fill(gone & (x[:, 1] != BOS), PAD)
    return shortened


def check_pairs(x: Tensor) -> None:
    """Raises unless ``x`` holds integer ids of shape ``(B, 2, L)``."""
    _check_ids("x", x)
    if x.ndim != 3 or x.shape[1] != 2:
        raise ValueError(
            f"x has shape {tuple(x.shape)}; valid is (B, 2, L): source ids, then what the decoder "
            "reads"
        )


def _check_ids(name: str, ids: Tensor) -> None:
    if ids.is_floating_point() or ids.dtype == torch.bool:
        raise TypeError(f"{name} has dtype {ids.dtype}; valid is an integer dtype, ids")
