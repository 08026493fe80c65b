"""Mixup and CutMix as modules, with the protocol of torchvision.transforms.v2.

Call one with a batch and get a mixed batch with soft labels. They work in a ``RandomChoice``, on
the GPU after loading, and in a DataLoader's collate function.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mixup_lib.mixing.draw import check_draw, draw_cutmix, draw_mixup, no_mix
from mixup_lib.mixing.mix import Mix

__all__ = ["CutMix", "Mixup"]


class _MixTransform(nn.Module):
    def __init__(
        self,
        alpha: float = 1.0,
        num_classes: int | None = None,
        p: float = 1.0,
        per_sample: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"p={p}; valid is a probability, 0 to 1")
        check_draw(1, alpha, None)  # a bad alpha raises here, not in the first epoch
        self.alpha = alpha
        self.num_classes = num_classes
        self.p = p
        self.per_sample = per_sample
        self.generator = generator

    def draw(self, x: Tensor) -> Mix:
        """The mix for one batch."""
        raise NotImplementedError

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Mixes one batch.

        Args:
            x: ``(B, ...)`` floating inputs.
            y: Class ids ``(B,)`` (then ``num_classes`` is needed) or floating targets.

        Returns:
            The mixed inputs, and float32 targets: soft also where nothing was mixed.
        """
        check_draw(len(x), self.alpha, self.generator)  # also where nothing will be mixed
        if self.p == 1 or torch.rand((), generator=self.generator).item() < self.p:
            mix = self.draw(x)
        else:
            mix = no_mix(len(x))
        return mix.inputs(x), mix.targets(y, self.num_classes)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}, num_classes={self.num_classes}, p={self.p}"


class Mixup(_MixTransform):
    """Mixup of a batch.

    Args:
        alpha: Beta's parameter, finite and above 0.
        num_classes: Number of classes; needed where ``y`` holds class ids.
        p: Probability, per batch, that the batch is mixed.
        per_sample: One weight for each example, instead of one for the batch.
        generator: A CPU generator, or None for torch's default one (in loader workers: None).

    Raises:
        ValueError: ``alpha`` or ``p`` outside its range.
    """

    def draw(self, x: Tensor) -> Mix:
        return draw_mixup(len(x), self.alpha, self.per_sample, generator=self.generator)


class CutMix(_MixTransform):
    """CutMix of a batch, along the last two dimensions of ``x``; arguments as :class:`Mixup`."""

    def draw(self, x: Tensor) -> Mix:
        return draw_cutmix(
            len(x), x.shape, self.alpha, per_sample=self.per_sample, generator=self.generator
        )
