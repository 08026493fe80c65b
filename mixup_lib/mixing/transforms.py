"""Mixup and CutMix as modules, with the protocol of torchvision.transforms.v2.

Call one with a batch and get a mixed batch with soft labels. They take what torchvision's take:
``(x, y)`` as two arguments or packed, dicts, nested samples, and tv_tensors, which they keep. They
work in a ``RandomChoice``, on the GPU after loading, and in a DataLoader's collate function.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

from mixup_lib.mixing.box import refuse_coordinates
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
        labels_getter: Callable[[Any], Tensor] | str = "default",
    ) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"p={p}; valid is a probability, 0 to 1")
        if labels_getter != "default" and not callable(labels_getter):
            raise TypeError(
                f"labels_getter={labels_getter!r}; valid is 'default' or a function that takes the "
                "sample and returns its tensor of labels"
            )
        check_draw(1, alpha, None)  # a bad alpha raises here, not in the first epoch
        self.alpha = alpha
        self.num_classes = num_classes
        self.p = p
        self.per_sample = per_sample
        self.generator = generator
        self.labels_getter = labels_getter

    def draw(self, x: Tensor) -> Mix:
        """The mix for one batch."""
        raise NotImplementedError

    def forward(self, *sample: Any) -> Any:
        """Mixes one batch.

        Args:
            *sample: ``x, y``, or one sample: a pair, a dict, or a nest of them, as a DataLoader
                gives it. Its labels are class ids ``(B,)`` (then ``num_classes`` is needed) or
                other targets that :meth:`Mix.targets` takes. Its inputs are its images and videos
                (tv_tensors), or where it has none, its first tensor apart from the labels,
                ``(B, ...)`` floating. Its masks (tv_tensors) are pasted by CutMix and refused by
                Mixup; the rest stays as it is.

        Returns:
            The sample with mixed inputs, and float32 targets for the labels: soft also where
            nothing was mixed. tv_tensors stay what they are.

        Raises:
            TypeError: No labels or inputs are found, they are no tensors or no batch, or the
                sample holds coordinates (bounding boxes, key points).
        """
        sample = sample if len(sample) > 1 else sample[0]
        getter = self.labels_getter if callable(self.labels_getter) else _default_labels
        y = getter(sample)
        leaves, together = _taken_apart(sample)
        self._check_labels(y, leaves)
        kinds = [_kind(leaf) for leaf in leaves]
        inputs = [i for i, kind in enumerate(kinds) if kind == "image"] or [
            i for i, kind in enumerate(kinds) if kind == "tensor" and leaves[i] is not y
        ][:1]
        if not inputs:
            raise TypeError(
                f"sample has no inputs beside its labels: its parts are {kinds}; valid is a tensor "
                "(B, ...), torch.as_tensor(...) of an array"
            )
        x = leaves[inputs[0]]
        check_draw(len(x), self.alpha, self.generator)  # also where nothing will be mixed
        if self.p == 1 or self._uniform() < self.p:
            mix = self.draw(x)
        else:
            mix = no_mix(len(x))
        for i, leaf in enumerate(leaves):
            if leaf is y:
                leaves[i] = mix.targets(y, self.num_classes)
            elif i in inputs:
                leaves[i] = _like(leaf, mix.inputs(leaf))
            elif kinds[i] == "mask":
                leaves[i] = _like(leaf, self._mask(mix, leaf))
        return together(leaves)

    def _uniform(self) -> float:
        drawn = torch.rand((), generator=self.generator, dtype=torch.float32, device="cpu")
        return drawn.item()

    def _check_labels(self, y: Any, leaves: list) -> None:
        name = type(self).__name__
        if isinstance(y, int) or (isinstance(y, Tensor) and y.ndim == 0):
            raise TypeError(
                f"labels={y!r} is the label of a single example, and {name} mixes a batch. Valid: "
                "use it after the loader, or in its collate_fn: "
                "lambda rows: transform(*default_collate(rows))"
            )
        if not isinstance(y, Tensor):
            raise TypeError(
                f"labels is a {type(y).__name__}; valid is a tensor: torch.as_tensor(labels)"
            )
        if not any(leaf is y for leaf in leaves):
            raise TypeError(
                "labels_getter returned a tensor that is not in the sample, so that it can't be "
                "replaced; valid is the one that is there"
            )

    def _mask(self, mix: Mix, mask: Tensor) -> Tensor:
        raise TypeError(
            "sample holds a Mask, whose class ids have no weighted mean. Valid: CutMix, which "
            "pastes it; or one-hot masks as labels"
        )

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
        labels_getter: Takes the sample and returns the tensor of labels in it. ``"default"`` takes
            the second part of a pair; of a dict, there or as the sample, what is named "labels" or
            has "label" in its name.

    Raises:
        ValueError: ``alpha`` or ``p`` outside its range.
        TypeError: ``labels_getter`` is no function.
    """

    def draw(self, x: Tensor) -> Mix:
        return draw_mixup(len(x), self.alpha, self.per_sample, generator=self.generator)


class CutMix(_MixTransform):
    """CutMix of a batch.

    Args:
        alpha, num_classes, p, per_sample, generator, labels_getter: As in :class:`Mixup`.
        dims: The axes of the inputs that are cut, as in :func:`~mixup_lib.draw_cutmix`; the last
            two if None.
    """

    def __init__(
        self,
        alpha: float = 1.0,
        num_classes: int | None = None,
        p: float = 1.0,
        per_sample: bool = False,
        generator: torch.Generator | None = None,
        labels_getter: Callable[[Any], Tensor] | str = "default",
        dims: Sequence[int] | None = None,
    ) -> None:
        super().__init__(alpha, num_classes, p, per_sample, generator, labels_getter)
        self.dims = None if dims is None else tuple(dims)

    def draw(self, x: Tensor) -> Mix:
        return draw_cutmix(
            len(x), x.shape, self.alpha, self.dims, self.per_sample, generator=self.generator
        )

    def _mask(self, mix: Mix, mask: Tensor) -> Tensor:
        return mix.paste(mask)


def _taken_apart(sample: Any) -> tuple[list, Callable[[list], Any]]:
    """The tensors and other leaves of a sample, and what puts as many together in its shape."""
    if type(sample) is tuple and all(isinstance(part, Tensor) for part in sample):
        return list(sample), tuple  # x, y: no nest, which takes longer to walk than labels to mix
    leaves, structure = tree_flatten(sample)
    return leaves, partial(tree_unflatten, treespec=structure)


def _default_labels(sample: Any) -> Any:
    """The labels of a sample, found as torchvision's transforms find them."""
    part = sample
    if isinstance(part, tuple | list) and len(part) > 1:
        part = part[1]
    if isinstance(part, Mapping):
        names = [name for name in part if isinstance(name, str) and "label" in name.lower()]
        names.sort(key=lambda name: name.lower() != "labels")
        if not names:
            raise TypeError(
                f"sample has no labels: none of {list(part)} has 'label' in its name. Valid: name "
                "them so, or pass labels_getter"
            )
        return part[names[0]]
    if part is sample:
        refuse_coordinates("sample", sample)
        raise TypeError(
            f"sample is one tensor {tuple(sample.shape)}, without labels; valid is x, y, a pair or "
            "a dict"
        )
    return part


def _kind(leaf: Any) -> str:
    if type(leaf) is Tensor:
        return "tensor"
    if not isinstance(leaf, Tensor):
        if type(leaf).__module__.startswith("PIL."):
            raise TypeError(
                f"sample holds a PIL image ({type(leaf).__name__}); valid is a batch of tensors: "
                "transform images to tensors and collate them first"
            )
        return type(leaf).__name__
    refuse_coordinates("sample", leaf)
    kind = type(leaf).__name__
    if type(leaf).__module__.startswith("torchvision.tv_tensors"):
        return {"Image": "image", "Video": "image", "Mask": "mask"}.get(kind, kind)
    return "tensor"


def _like(leaf: Tensor, mixed: Tensor) -> Tensor:
    """``mixed`` as the tv_tensor that ``leaf`` is, or as it is."""
    if type(leaf) is Tensor or type(mixed) is type(leaf):
        return mixed
    tv_tensors = sys.modules.get("torchvision.tv_tensors")
    if tv_tensors is None or not isinstance(leaf, tv_tensors.TVTensor):
        return mixed
    return tv_tensors.wrap(mixed, like=leaf)
