"""CIFAR-10 with 2,000 labels that are fitted: an alpha that moves, beside the best that stays.

Written before the runs. The article proposes a large alpha early and a small one late (claim C27),
and an alpha that adapts to the model (C28). ``heard-schedules`` could not tell: on its spoken
digits no fixed alpha beats plain training, so no schedule of it could. Here mixup does lower the
error: the network, pictures, crops and flips, length and seeds are those of ``cifar10-rivals``,
which has plain training and the fixed alphas, 0.05 to 16. Measure: test error, best fixed alpha
(chosen on validation data, the mean over the seeds, plain training among the candidates) minus the
moving one, in percentage points, paired by seed.

Methods: alpha 4 for the first half and 0.4 for the second, around the fixed 2 that
``cifar10-rivals-choice`` found best; the same backwards, as a control; alpha 2, and no mixing in
the last fifth; and the adaptive rule with the bounds that it has in the library. Nothing of this
was tuned, while the fixed alpha is the best of six and plain training; that is as C27 asks, and an
advantage of the fixed one.

Expected, and what would contradict it:

1. Large then small is no better than the best fixed alpha: the interval holds 0. Contradicted if
   the whole interval lies above 0.
2. Backwards is no better than forwards. Contradicted if the whole interval of the error forwards
   minus backwards lies above 0.
3. No mixing in the last fifth leaves the error as it is, and lowers the NLL: a network that has
   seen plain pictures at the end is no longer too cautious. Contradicted in error if the interval
   of the gain leaves 0 out, in NLL if it lies below 0.
4. The adaptive rule ends at its upper bound, since the training accuracy runs ahead of the
   validation accuracy, and is no better than the best fixed alpha. Contradicted if the whole
   interval lies above 0.

The smallest gain that matters is 3 % of the baseline's error, as in ``cifar10-when``. Test data are
read once, at the end of a run.
"""

from functools import partial
from pathlib import Path

from mixup_lib.experiments import cifar10, cifar10_rivals
from mixup_lib.experiments.runner import (
    Experiment,
    described,
    of_parts_and_examples,
    of_training,
    rounded,
)
from mixup_lib.mixing.schedules import draw_scheduled, large_then_small, off_late
from mixup_lib.training.adaptive import adaptive_alpha, draw_adaptive
from mixup_lib.training.history import History

# The adaptive rule takes a step after each validated epoch.
CONFIG = {name: entry for name, entry in cifar10_rivals.CONFIG.items() if name != "judged"} | {
    "validate_every": 5,
    "choices": "none of a schedule; the fixed alpha on the validation data of cifar10-rivals",
}


def scheduled(schedule, **settings) -> dict:
    """A mixing of fit at a schedule's alpha."""
    return {"mixing": partial(draw_scheduled, schedule=partial(schedule, **settings))}


METHODS = {
    "large-then-small": scheduled(large_then_small, large=4.0, small=0.4),
    "off-late": scheduled(off_late, alpha=2.0, share=0.2),
    "adaptive": {"mixing": partial(draw_adaptive, classes=10)},
    "small-then-large": scheduled(large_then_small, large=0.4, small=4.0),
}


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    splits = cifar10.load(config, seed)
    model, standardise, history = cifar10.train(config, splits, seed, checkpoint, **METHODS[method])
    parts = {name: standardise.of(part) for name, part in splits.parts().items()}
    record = (
        of_parts_and_examples(model, parts)
        | {"data_checksum": splits.checksum}
        | of_training(model, history)
    )
    if method == "adaptive":
        past = [History(history.rows[:epoch]) for epoch in range(len(history))]
        record["history"]["alpha"] = rounded([adaptive_alpha(it, classes=10) for it in past])
    return record


EXPERIMENT = Experiment(
    name="cifar10-schedules",
    title="CIFAR-10 with 2,000 labels that are fitted: alpha that moves, by schedule or feedback",
    config=CONFIG,
    methods=described(METHODS),
    seeds=(0, 1, 2, 3, 4),
    measure=measure,
)
