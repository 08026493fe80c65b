"""mixup_lib: draw a mix once, apply it to anything.

The centre is :class:`Mix`, a small immutable value with partners and weights. The rest of the
library is what more than one chapter of the course needs.
"""

from mixup_lib.box import Box
from mixup_lib.compare import Comparison, compare
from mixup_lib.draw import draw_cutmix, draw_dirichlet, draw_mixup, no_mix
from mixup_lib.evaluation import predict
from mixup_lib.history import History
from mixup_lib.interval import Interval
from mixup_lib.losses import mixed_loss
from mixup_lib.metrics import accuracy, ece, mixed_accuracy, nll
from mixup_lib.mix import Mix
from mixup_lib.train import evaluate, fit
from mixup_lib.transforms import CutMix, Mixup

__version__ = "0.1.0"

__all__ = [
    "Box",
    "Comparison",
    "CutMix",
    "History",
    "Interval",
    "Mix",
    "Mixup",
    "accuracy",
    "compare",
    "draw_cutmix",
    "draw_dirichlet",
    "draw_mixup",
    "ece",
    "evaluate",
    "fit",
    "mixed_accuracy",
    "mixed_loss",
    "nll",
    "no_mix",
    "predict",
]
