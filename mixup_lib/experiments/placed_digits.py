"""Digits lost by crops: small digits somewhere on a large canvas.

torchvision's ``RandomResizedCrop`` takes a window of 8 % to 100 % of the picture. When the object
is small, the window can miss it, and the label stays.

Written down before the run, all paired by seed:

- claim C13, its consequence: with torchvision's default crops the test error lies a point or more
  above that of the same crops drawn again until they keep the whole digit.
- beside it: plain training, gentle crops (half of the picture or more), mixup and CutMix.

Nothing was tuned for a method: common defaults throughout, and one number of steps for all. The
number of examples and of epochs was set after one pilot on validation data of seed 1000, before
any recorded run.
"""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import TensorDataset
from torchvision.transforms import v2

from mixup_lib import datasets
from mixup_lib.basics.seeds import generator_for, initialised
from mixup_lib.datasets import Splits
from mixup_lib.experiments.runner import Experiment, described, of_parts, of_training
from mixup_lib.experiments.settings import fit_settings, make_model, without_name
from mixup_lib.mixing.draw import draw_cutmix, draw_mixup
from mixup_lib.training.augment import per_image
from mixup_lib.training.fitting import fit

SIDE = 24
CONFIG = {
    "data": {"name": "digits", "train": 500, "validation": 297, "test": 1000},
    "canvas": f"{SIDE} pixels each way, black; each 8 by 8 digit at a uniform place of its own",
    "model": {"name": "SmallCNN", "channels": 1, "classes": 10, "width": 8},
    "optimizer": {"name": "Adam", "lr": 0.01},
    "schedule": "cosine",
    "epochs": 24,
    "batch_size": 50,
    "device": "cpu",
    "choices": "nothing was tuned",
}


def placed(x: Tensor, generator: torch.Generator | None = None, side: int = SIDE) -> Tensor:
    """Puts each image somewhere on a black canvas, all places being equally likely.

    Args:
        x: ``(B, C, H, W)``.
        generator: a CPU generator, or None for torch's default one.
        side: height and width of the canvas, at least H and W.

    Returns:
        ``(B, C, side, side)``, of x's dtype.

    Raises:
        ValueError: if the canvas is smaller than the images.
    """
    size, _, height, width = x.shape
    if side < max(height, width):
        raise ValueError(f"side={side}; valid is {max(height, width)} or more, as the images are")
    canvas = x.new_zeros(*x.shape[:2], side, side)
    tops = torch.randint(side - height + 1, (size,), generator=generator).tolist()
    lefts = torch.randint(side - width + 1, (size,), generator=generator).tolist()
    for i, (top, left) in enumerate(zip(tops, lefts, strict=True)):
        canvas[i, :, top : top + height, left : left + width] = x[i]
    return canvas


def kept_by(image: Tensor, window: dict[str, int]) -> float:
    """The share of an image's ink inside a window.

    Args:
        image: ``(C, H, W)`` with something in it, 0 where there is none.
        window: ``top``, ``left``, ``height`` and ``width`` in pixels, as torchvision draws them.

    Returns:
        A number in [0, 1].
    """
    inside = image[
        :,
        window["top"] : window["top"] + window["height"],
        window["left"] : window["left"] + window["width"],
    ]
    return (inside.sum() / image.sum()).item()


class KeepingCrop:
    """A ``RandomResizedCrop`` that draws again until the window keeps all of the ink.

    It needs to know where the object is, so it is no method for use, only the control that tells
    what losing objects costs.

    Args:
        crop: the transform; its window is drawn up to ``tries`` times, then the image stays whole.
        tries: at least 1.
    """

    def __init__(self, crop: v2.RandomResizedCrop, tries: int = 100):
        self.crop, self.tries = crop, tries

    def __call__(self, image: Tensor) -> Tensor:
        for _ in range(self.tries):
            window = self.crop.make_params([image])
            if kept_by(image, window) > 1 - 1e-6:
                return self.crop.transform(image, window)
        return image


default = v2.RandomResizedCrop(SIDE)
METHODS = {
    "plain": {},
    "crops": {"augment": per_image(default)},
    "crops-that-keep": {"augment": per_image(KeepingCrop(default))},
    "gentle-crops": {"augment": per_image(v2.RandomResizedCrop(SIDE, scale=(0.5, 1.0)))},
    "mixup": {"mixing": partial(draw_mixup, alpha=1.0)},
    "cutmix": {"mixing": partial(draw_cutmix, size=(SIDE, SIDE), alpha=1.0)},
}


def load(seed: int, config: dict = CONFIG) -> Splits:
    """The seed's draw of digits, each on a canvas of its own."""
    sizes = without_name(config["data"])
    splits = datasets.digits(seed=seed, **sizes)
    parts = {name: getattr(splits, name).tensors for name in sizes}
    placing = {name: generator_for(seed, "placed", name) for name in parts}
    return Splits(
        "placed-digits",
        **{name: TensorDataset(placed(x, placing[name]), y) for name, (x, y) in parts.items()},
        classes=splits.classes,
        checksum=splits.checksum,
    )


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; a run is too short for a checkpoint."""
    splits = load(seed, config)
    model = initialised(partial(make_model, config), seed)
    history = fit(
        model,
        splits.train,
        seed=seed,
        progress=False,
        **fit_settings(config, **METHODS[method]),
    )
    return {
        "metrics": of_parts(model, splits.parts()),
        "data_checksum": splits.checksum,
    } | of_training(model, history)


EXPERIMENT = Experiment(
    name="placed-digits",
    title="Small digits on a large canvas: crops that lose them, and mixtures",
    config=CONFIG,
    methods=described(METHODS),
    seeds=(0, 1, 2, 3, 4),
    measure=measure,
)
