"""mixup_lib: draw a mix once, apply it to anything.

The centre is :class:`Mix`, a small immutable value with partners and weights. The rest of the
library is what more than one chapter of the course needs, in rooms that build on each other:
``mixing``, ``measures``, ``training``, ``evidence``, ``experiments``; the fields ``datasets``,
``models``, ``audio``, ``video``, ``text``; and ``page``, which shows things.
"""

from mixup_lib.basics.lazy import lazy
from mixup_lib.basics.seeds import generator_for, initialised, seeded
from mixup_lib.measures.metrics import accuracy, ece, mixed_accuracy, nll
from mixup_lib.mixing.box import Box
from mixup_lib.mixing.draw import draw_cutmix, draw_dirichlet, draw_mixup, no_mix
from mixup_lib.mixing.losses import mixed_loss
from mixup_lib.mixing.mix import Mix
from mixup_lib.mixing.transforms import CutMix, Mixup
from mixup_lib.training.evaluation import evaluate, predict
from mixup_lib.training.fitting import fit
from mixup_lib.training.history import History

__version__ = "0.1.0"

# Comparing brings SciPy.
__getattr__, __dir__ = lazy(
    __name__,
    {
        "mixup_lib.evidence.interval": ("Interval",),
        "mixup_lib.evidence.paired": ("Comparison", "compare"),
    },
)

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
    "generator_for",
    "initialised",
    "mixed_accuracy",
    "mixed_loss",
    "nll",
    "no_mix",
    "predict",
    "seeded",
]
