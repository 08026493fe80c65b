"""Mixing itself: a mix is drawn once and applied to whatever belongs together. Needs torch only."""

from mixup_lib.mixing.box import Box
from mixup_lib.mixing.draw import draw_cutmix, draw_dirichlet, draw_mixup, no_mix
from mixup_lib.mixing.frames import Frames, draw_frames
from mixup_lib.mixing.hidden import INPUT, manifold
from mixup_lib.mixing.losses import mixed_loss
from mixup_lib.mixing.mix import Mix
from mixup_lib.mixing.partners import (
    by_kernel,
    draw_chosen,
    farthest,
    nearest,
    other_class,
    same_class,
)
from mixup_lib.mixing.schedules import (
    alpha_constant,
    alpha_cosine,
    alpha_linear,
    draw_scheduled,
    large_then_small,
    off_late,
)
from mixup_lib.mixing.transforms import CutMix, Mixup

__all__ = [
    "INPUT",
    "Box",
    "CutMix",
    "Frames",
    "Mix",
    "Mixup",
    "alpha_constant",
    "alpha_cosine",
    "alpha_linear",
    "by_kernel",
    "draw_chosen",
    "draw_cutmix",
    "draw_dirichlet",
    "draw_frames",
    "draw_mixup",
    "draw_scheduled",
    "farthest",
    "large_then_small",
    "manifold",
    "mixed_loss",
    "nearest",
    "no_mix",
    "off_late",
    "other_class",
    "same_class",
]
