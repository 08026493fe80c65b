"""CIFAR-10 with 2,000 labels that are fitted: each classical transform alone, and mixup.

Written before the runs. The article says that mixup generalises better than random rotation,
scaling, cropping or flipping (claim C12) and that it combines with them (C23). An earlier
comparison trained for 30 epochs, and all transforms together were not learned in that time: more
than a third of the training pictures were wrong, so nothing followed for C23. Here the network of
``cifar10-convolution`` trains for 120 epochs on the same pictures, with one transform at a time,
with all four, with all four and mixup, and with mixup alone. Measure: test error, method minus
method, in percentage points, paired by seed, which varies the draw of the data, the initial
weights, their order and every draw.

Expected, and what would contradict it:

1. Mixup in the place of the best single transform costs: the whole interval of that transform's
   error minus mixup's lies below 0. Contradicted if it lies above. Both are chosen on validation
   data with four tries each: four transforms, four values of alpha.
2. With all four transforms the network now fits its data well enough for the comparison to count:
   its mean training error is below half of its test error. Otherwise nothing follows for C23.
3. Mixup at the paper's alpha of 1 on top of all four costs or changes nothing that could be told:
   they leave more than 5 % of the training pictures wrong. Contradicted if the whole interval of
   the gain lies above 0.
4. Tuning alpha is worth less than mixup itself: the error at an alpha of 1 minus that at the chosen
   alpha is smaller than the gain of alpha 1 over plain training. Contradicted if the interval of
   the difference of these two lies above 0.
5. Mixup does not slow training: of 95 % of plain training's last validation accuracy, it needs no
   more epochs. Contradicted if the whole interval says a fifth more or worse.

Nothing but alpha and the transform was tuned: rate and decay are those of ``cifar10-when``. The
strengths of the transforms are the usual ones. Test data are read once, at the end of a run.
"""

from functools import partial
from pathlib import Path

from mixup_lib.experiments import cifar10, cifar10_when
from mixup_lib.experiments.runner import Experiment, described
from mixup_lib.mixing.draw import draw_mixup
from mixup_lib.training.augment import chain, crop, flip, rotate, scale

CONFIG = cifar10_when.CONFIG | {
    "data": cifar10_when.CONFIG["data"] | {"train": 2000},
    "epochs": 120,
    "validate_every": 5,
    "augment": "none but a method's own",
    "choices": "alpha and the single transform, on the validation data of these runs",
}

ALPHAS = (1.0, 0.2, 4.0, 16.0)
SINGLE = {"crop": crop, "flip": flip, "rotation": rotate, "scaling": scale}
_all = chain(*SINGLE.values())
METHODS = (
    {"plain": {}}
    | {f"mixup-{alpha:g}": {"mixing": partial(draw_mixup, alpha=alpha)} for alpha in ALPHAS}
    | {name: {"augment": transform} for name, transform in SINGLE.items()}
    | {
        "classical": {"augment": _all},
        "classical-mixup": {"augment": _all, "mixing": partial(draw_mixup, alpha=1.0)},
    }
)


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    splits = cifar10.load(config, seed)
    return cifar10.measure(config, splits, seed, checkpoint, **METHODS[method])


EXPERIMENT = Experiment(
    name="cifar10-transforms",
    title="CIFAR-10 with 2,000 labels that are fitted: each classical transform, mixup, all",
    config=CONFIG,
    methods=described(METHODS),
    seeds=(0, 1, 2, 3, 4),
    measure=measure,
)
