"""Moving digits: clips whose class is the motion, drawn by a seeded generator."""

import math

import torch
from torch import Generator, Tensor

from mixup_lib.datasets.embedded import digits
from mixup_lib.datasets.splits import Splits, as_dataset, check_size, sha256

MOTIONS = ("right", "left", "up", "down", "clockwise", "anticlockwise", "to and fro", "up and down")
FRAMES, SIDE, DIGIT = 8, 16, 8
BLOCK = 500  # clips drawn at a time, so that what is computed in between stays small


def moving_digits(
    seed: int = 0, train: int = 600, validation: int = 500, test: int = 1000
) -> Splits:
    """Short clips of a handwritten digit that moves, while another lies still.

    The class is the motion: right, left, up, down, on a circle clockwise or anticlockwise, to and
    fro, up and down. Which digits, where, how fast, how bright, how noisy: all that is drawn
    without regard to it. What leaves the picture at one edge comes in at the opposite one, and
    every clip starts anywhere. So a moving digit is equally likely at every place, in each frame
    and each class: the distribution of a *single frame* is the same for all classes, and says
    nothing about the motion.

    How hard it is, by the defaults: from one frame, a network can only guess (one in eight). A
    small network that sees whole clips gets clearly more than half of the test clips right, but
    far from all; with a thousand training clips nearly all, with three hundred less than half.

    Args:
        seed: Draws digits and clips. Two seeds share no clip. The test part depends on `seed` and
            `test` only, the validation part also on `validation`.
        train: Number of training clips, 1 or more.
        validation: Number of validation clips, 0 or more.
        test: Number of test clips, 0 or more.

    Returns:
        Clips float32 ``(n, 1, 8, 16, 16)``, that is channel, time, height, width, in [0, 1] in
        steps of 1/255; labels int64 ``(n,)``. In each part the classes are as even as its size
        allows. No image of a digit occurs in two parts.

    Raises:
        ValueError: If a size is not an integer, or out of range.

    Source:
        The digits of :func:`~mixup_lib.datasets.digits`; moving digits as in Srivastava,
        Mansimov and Salakhutdinov, "Unsupervised Learning of Video Representations using LSTMs",
        ICML 2015.
    """
    most = 1_000_000
    sizes = {
        "test": check_size("test", test, most, least=0),
        "validation": check_size("validation", validation, most, least=0),
        "train": check_size("train", train, most),
    }
    images = digits(seed=seed)
    generator = torch.Generator().manual_seed(seed)
    raw = {
        part: _draw_part(size, getattr(images, part).tensors[0][:, 0], generator)
        for part, size in sizes.items()
    }
    return Splits(
        "moving-digits",
        **{part: as_dataset(*pair) for part, pair in raw.items()},
        classes=MOTIONS,
        checksum=sha256(*(x.numpy().tobytes() for pair in raw.values() for x in pair)),
    )


def _draw_part(size: int, images: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Clips uint8 ``(size, 1, FRAMES, SIDE, SIDE)`` and labels int64 ``(size,)``, shuffled."""
    labels = (torch.arange(size) % len(MOTIONS))[torch.randperm(size, generator=generator)]
    return torch.cat([_draw(block, images, generator) for block in labels.split(BLOCK)]), labels


def _draw(labels: Tensor, images: Tensor, generator: Generator) -> Tensor:
    """One uint8 clip for each label."""
    n = len(labels)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.empty(n, *shape).uniform_(low, high, generator=generator)

    def some_digit(place: Tensor) -> Tensor:
        """A digit at `place`, ``(n, 2, FRAMES)``: row and column of its corner, in pixels."""
        which = torch.randint(len(images), (n,), generator=generator)
        # Bilinear interpolation, row by row and column by column, on a torus.
        pixel, ink = torch.arange(SIDE).float().view(-1, 1), torch.arange(DIGIT).float()
        away = pixel - ink - place[..., None, None]
        away = (away + SIDE / 2).remainder(SIDE) - SIDE / 2
        rows, columns = (1 - away.abs()).clamp_(min=0).unbind(1)
        frames = torch.einsum("ntyi,nij,ntxj->ntyx", rows, images[which], columns)
        return uniform(0.5, 1, 1, 1, 1) * frames

    way = _ways(uniform, generator)[labels, torch.arange(n)]
    moving = some_digit(uniform(0, SIDE, 2, 1) + way)
    lying = some_digit(uniform(0, SIDE, 2, 1).expand_as(way))
    clips = torch.maximum(moving, lying)
    clips += uniform(0.02, 0.1, 1, 1, 1) * torch.randn(clips.shape, generator=generator)
    return clips.clamp_(0, 1).mul_(255).round_().to(torch.uint8).unsqueeze(1)


def _ways(uniform, generator: Generator) -> Tensor:
    """The way that every motion would take: ``(len(MOTIONS), n, 2, FRAMES)``, down and right."""
    t = torch.arange(FRAMES).float()
    speed = uniform(0.7, 1.8, 1)  # pixels per frame, whatever the motion
    line, rest = speed * t, torch.zeros(len(speed), FRAMES)
    # There and back, turning somewhere in the middle.
    turn = uniform(2.5, 4.5, 1)
    sign = 1 - 2 * torch.randint(2, speed.shape, generator=generator)
    fold = sign * speed * (turn - (t - turn).abs())
    # An arc of half a circle at least and one circle at most. Rows grow downwards, so a growing
    # angle runs clockwise.
    rate = uniform(math.pi, math.tau, 1) / (FRAMES - 1)
    angle, radius = uniform(0, math.tau, 1) + rate * t, speed / rate
    down, right = radius * angle.sin(), radius * angle.cos()
    ways = [
        (rest, line),
        (rest, -line),
        (-line, rest),
        (line, rest),
        (down, right),
        (down, -right),
        (rest, fold),
        (fold, rest),
    ]
    return torch.stack([torch.stack(way, dim=1) for way in ways])
