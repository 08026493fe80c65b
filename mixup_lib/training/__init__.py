"""Training: one loop for every chapter, with what it keeps, reads back and judges."""

from mixup_lib.basics.lazy import lazy
from mixup_lib.training.adaptive import adaptive_alpha, best_mixed_accuracy, draw_adaptive
from mixup_lib.training.augment import chain, crop, flip, per_image, rotate, scale
from mixup_lib.training.evaluation import evaluate, predict
from mixup_lib.training.fitting import constant, cosine, fit
from mixup_lib.training.history import History
from mixup_lib.training.runtime import default_device, rank

# These need networks, or Lightning.
__getattr__, __dir__ = lazy(
    __name__,
    {
        "mixup_lib.training.gan": ("fit_gan",),
        "mixup_lib.training.generating": ("elbo", "fit_autoencoder", "mix_codes", "sample"),
        "mixup_lib.training.lightning": ("MixupCallback",),
    },
)

__all__ = [
    "History",
    "MixupCallback",
    "adaptive_alpha",
    "best_mixed_accuracy",
    "chain",
    "constant",
    "cosine",
    "crop",
    "default_device",
    "draw_adaptive",
    "elbo",
    "evaluate",
    "fit",
    "fit_autoencoder",
    "fit_gan",
    "flip",
    "mix_codes",
    "per_image",
    "predict",
    "rank",
    "rotate",
    "sample",
    "scale",
]
