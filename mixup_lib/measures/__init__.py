"""What is measured of a trained model, of samples and of programs."""

from mixup_lib.basics.lazy import lazy
from mixup_lib.measures.metrics import accuracy, ece, mixed_accuracy, nll

# Calibration brings SciPy; the others are needed by a chapter or two.
__getattr__, __dir__ = lazy(
    __name__,
    {
        "mixup_lib.measures.attacks": ("fgsm", "pgd"),
        "mixup_lib.measures.calibration": (
            "TEMPERATURES",
            "Reliability",
            "fit_temperature",
            "reliability",
        ),
        "mixup_lib.measures.corruptions": ("CORRUPTIONS", "corrupt"),
        "mixup_lib.measures.cost": ("code_lines",),
        "mixup_lib.measures.covering": ("coverage", "modes_covered", "near_modes"),
    },
)

__all__ = [
    "CORRUPTIONS",
    "TEMPERATURES",
    "Reliability",
    "accuracy",
    "code_lines",
    "corrupt",
    "coverage",
    "ece",
    "fgsm",
    "fit_temperature",
    "mixed_accuracy",
    "modes_covered",
    "near_modes",
    "nll",
    "pgd",
    "reliability",
]
