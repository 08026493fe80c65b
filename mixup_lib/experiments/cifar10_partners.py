"""CIFAR-10 with 2,000 labels that are fitted: partners that are chosen, beside random ones.

Written before the runs. The article proposes to choose partners by how the data are distributed
(claim C24). On toys near partners mend what mixtures of far ones do, and far ones do harm. Here
mixup with random partners does lower the error: the network, pictures, crops and flips, length and
seeds are those of ``cifar10-rivals``, and so is the alpha of 2. An example's partner is the nearest
other picture of its batch of 64, or the farthest, by the distance of the augmented and standardised
pixels. Measure: test error, random partners (``mixup`` of ``cifar10-rivals``) minus chosen ones, in
percentage points, paired by seed.

Expected, and what would contradict it:

1. Near partners are no better than random ones: the interval holds 0, or lies below. They are a
   brake on mixing, and the network's training error lies below that of random partners.
   Contradicted if the whole interval of the gain lies above 0.
2. Far partners are no better either. Contradicted if the whole interval lies above 0.

The smallest gain that matters is 3 % of the error with random partners, as in ``cifar10-when``.
Nothing was tuned for the chosen partners; the alpha is the best of four for random ones. Test data
are read once, at the end of a run.
"""

from functools import partial
from pathlib import Path

from mixup_lib.experiments import cifar10, cifar10_rivals
from mixup_lib.experiments.runner import Experiment, described
from mixup_lib.mixing.partners import draw_chosen, farthest, nearest

CONFIG = {name: entry for name, entry in cifar10_rivals.CONFIG.items() if name != "judged"} | {
    "choices": "alpha is that of random partners in cifar10-rivals",
}
METHODS = {
    choose.__name__: {
        "mixing": partial(draw_chosen, choose=choose, alpha=cifar10_rivals.CHOSEN["mixup"])
    }
    for choose in (nearest, farthest)
}


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    splits = cifar10.load(config, seed)
    return cifar10.measure(config, splits, seed, checkpoint, **METHODS[method])


EXPERIMENT = Experiment(
    name="cifar10-partners",
    title="CIFAR-10 with 2,000 labels that are fitted: nearest and farthest partners",
    config=CONFIG,
    methods=described(METHODS),
    seeds=(0, 1, 2, 3, 4),
    measure=measure,
)
