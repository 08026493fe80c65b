"""Textured colour shapes, drawn by a seeded generator: colour images that may be flipped."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn.functional import interpolate

from mixup_lib.datasets.splits import Splits, as_dataset, draw_parts, sha256

# Each shape is a function of local coordinates: u to the right, v down. It is negative inside,
# positive outside, and changes by at most one for a step of one, so that dividing by the size of
# a pixel gives a soft edge. Every shape is its own mirror image in u.
SHAPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "disc": lambda u, v: torch.hypot(u, v) - 0.85,
    "ring": lambda u, v: (torch.hypot(u, v) - 0.7).abs() - 0.22,
    "square": lambda u, v: torch.maximum(u.abs(), v.abs()) - 0.75,
    "frame": lambda u, v: (torch.maximum(u.abs(), v.abs()) - 0.62).abs() - 0.2,
    "diamond": lambda u, v: (u.abs() + v.abs() - 1.05) / math.sqrt(2),
    "triangle": lambda u, v: torch.maximum(v - 0.65, (2 * u.abs() - v - 0.95) / math.sqrt(5)),
    "bowl": lambda u, v: torch.maximum(torch.hypot(u, v) - 0.95, -0.15 - v),
    "plus": lambda u, v: torch.maximum(
        torch.minimum(u.abs(), v.abs()) - 0.25, torch.maximum(u.abs(), v.abs()) - 0.9
    ),
    "saltire": lambda u, v: torch.maximum(
        torch.minimum((u + v).abs(), (u - v).abs()) / math.sqrt(2) - 0.24,
        torch.maximum(u.abs(), v.abs()) - 0.75,
    ),
    "hourglass": lambda u, v: torch.maximum(
        (u.abs() - v.abs() - 0.1) / math.sqrt(2), v.abs() - 0.8
    ),
}
SIDE = 32
BLOCK = 1000  # images drawn at a time, so that the pictures in between stay small


def textures(seed: int = 0, train: int = 2000, validation: int = 500, test: int = 1000) -> Splits:
    """Ten kinds of shapes, each with its own colours and texture, on a cluttered ground.

    The class is the shape alone. Colours, stripes, position, size, tilt, ground, smaller things
    that lie around, light and noise are drawn without regard to it. Every shape is its own mirror
    image, and everything else is as likely as its mirror image, so a horizontal flip keeps the
    label.

    How hard it is, by the defaults: a linear model on the pixels gets less than a fifth of the
    test images right, which is not far from guessing. A small convolutional network gets more
    than four fifths of them in five epochs, not all. The library's tests hold these bounds.

    Args:
        seed: Draws the images. Two seeds share no image. The test part depends on `seed` and
            `test` only, the validation part also on `validation`.
        train: Number of training examples, 1 or more.
        validation: Number of validation examples, 0 or more.
        test: Number of test examples, 0 or more.

    Returns:
        Images float32 ``(n, 3, 32, 32)`` in [0, 1] in steps of 1/255, labels int64 ``(n,)``; in
        each part the classes are as even as its size allows.

    Raises:
        ValueError: If a size is not an integer, or out of range.
    """
    raw = draw_parts(_draw_part, seed, 1_000_000, train=train, validation=validation, test=test)
    return Splits(
        "textures",
        **{part: as_dataset(*pair) for part, pair in raw.items()},
        classes=tuple(SHAPES),
        checksum=sha256(*(x.numpy().tobytes() for pair in raw.values() for x in pair)),
    )


def _draw_part(size: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Images uint8 ``(size, 3, 32, 32)`` and labels int64 ``(size,)``, in random order."""
    labels = (torch.arange(size) % len(SHAPES))[torch.randperm(size, generator=generator)]
    blocks = [_draw(block, generator) for block in labels.split(BLOCK)]
    return torch.cat(blocks), labels


def _draw(labels: Tensor, generator: Generator) -> Tensor:
    """One uint8 image for each label."""
    n = len(labels)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.empty(n, *(shape or (1, 1))).uniform_(low, high, generator=generator)

    axis = (torch.arange(SIDE) + 0.5) / SIDE * 2 - 1
    x, y = axis.view(1, 1, -1), axis.view(1, -1, 1)

    def stripes() -> Tensor:
        """Waves in any direction, from wide to narrow, strong or hardly visible."""
        angle, pitch = uniform(0, math.tau), uniform(4, 16)
        phase, strength = uniform(0, math.tau), uniform(0, 0.15)
        wave = torch.sin(pitch * (x * angle.cos() + y * angle.sin()) + phase)
        return (strength * wave).unsqueeze(1)

    def shape_masks(kinds: Tensor, low: float, high: float, margin: float) -> Tensor:
        """How much of each pixel a shape of each kind covers, ``(n, 1, 32, 32)``."""
        scale, tilt = uniform(low, high), uniform(-0.3, 0.3)
        dx, dy = x - uniform(-margin, margin), y - uniform(-margin, margin)
        u = (dx * tilt.cos() + dy * tilt.sin()) / scale
        v = (dy * tilt.cos() - dx * tilt.sin()) / scale
        distance = torch.empty(n, SIDE, SIDE)
        for kind, shape in enumerate(SHAPES.values()):
            rows = kinds == kind
            distance[rows] = shape(u[rows], v[rows])
        pixel = 2 / SIDE
        return (0.5 - distance * scale / pixel).clamp_(0, 1).unsqueeze(1)

    # The ground: patches of colour that run into one another, and stripes.
    patches = uniform(0.2, 0.8, 3, 4, 4)
    image = interpolate(patches, size=SIDE, mode="bilinear", align_corners=False) + stripes()
    # Small things that lie around, of any kind; the large shape may cover them.
    for _ in range(2):
        kinds = torch.randint(len(SHAPES), (n,), generator=generator)
        image.lerp_(uniform(0, 1, 3, 1, 1), shape_masks(kinds, 0.1, 0.22, 0.9))
    image.lerp_(uniform(0, 1, 3, 1, 1) + stripes(), shape_masks(labels, 0.5, 0.85, 0.15))
    # Light and noise.
    image = image * uniform(0.6, 1.1, 1, 1, 1)
    image += uniform(0.01, 0.06, 1, 1, 1) * torch.randn(image.shape, generator=generator)
    return image.clamp_(0, 1).mul_(255).round_().to(torch.uint8)
