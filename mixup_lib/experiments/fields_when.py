"""Does the rule of ``cifar10-when`` hold elsewhere? Digits, spoken digits and tables.

Written before the runs. The rule: mixup helps a network that fits its training data and costs one
that does not. In each field the same small network is trained briefly and for long, plainly, with
mixup and with label smoothing, its strongest simple rival. Measure: the gain, plain test error
minus the method's, in percentage points, paired by seed (ten seeds), which varies split, initial
weights and draws. Beside it stands the plain network's error on its own training data.

Expected of mixup at an alpha of 1, as for the pictures: in a cell whose plain network has a mean
training error below 5 % the mean gain is above 0; above 20 % it is below 0; between the two nothing
is expected. A cell on the other side, with an interval that leaves 0 out, contradicts the rule for
that field. Expected of label smoothing at 0.1: where mixup helps, it helps as well, and the two
differ by less than a point.

Nothing was tuned. The networks are those of the experiments ``few-digits``, ``heard-schedules`` and
``uci``, the smoothing is the usual one. Test data are read once.
"""

from functools import partial
from pathlib import Path

from torch.nn import functional as F
from torch.utils.data import TensorDataset

from mixup_lib import datasets
from mixup_lib.basics.seeds import initialised
from mixup_lib.datasets import Splits
from mixup_lib.experiments import heard, uci
from mixup_lib.experiments.runner import Experiment, described, of_parts, of_training
from mixup_lib.experiments.settings import fit_settings, make_model
from mixup_lib.mixing.draw import draw_mixup
from mixup_lib.training.fitting import fit

CONFIG = {
    "data": {
        "digits": {"train": 500, "validation": 297, "test": 1000},
        "spoken digits": heard.ALONE["data"],
        "features": heard.ALONE["features"],
        "tables": uci.PAPER["data"] | {"names": ["abalone", "arrhythmia", "phishing"]},
    },
    "model": {"name": "MLP", "hidden": [128, 128]},
    "optimizer": {"name": "Adam", "lr": 1e-3},
    "batch_size": 32,
    "device": "cpu",
    "precision": "32-true",
    "keep": "last",
    "choices": "none: nothing was tuned",
}

FIELDS = ("digits", "spoken", "abalone", "arrhythmia", "phishing")
LENGTHS = {"brief": 5, "long": 300}
SETTINGS = {
    "plain": {},
    "mixup": {"mixing": partial(draw_mixup, alpha=1.0)},
    "smoothing": {"loss": partial(F.cross_entropy, reduction="none", label_smoothing=0.1)},
}
METHODS = {
    f"{field}-{length}-{name}": {"field": field, "epochs": epochs} | settings
    for field in FIELDS
    for length, epochs in LENGTHS.items()
    for name, settings in SETTINGS.items()
}


def load(config: dict, field: str, seed: int) -> Splits:
    """The seed's draw of a field, each example one vector."""
    data = config["data"]
    if field == "digits":
        splits = datasets.digits(seed=seed, **data["digits"])
        parts = {name: getattr(splits, name).tensors for name in data["digits"]}
        flat = {name: TensorDataset(x.flatten(1), y) for name, (x, y) in parts.items()}
        return Splits("digits", **flat, classes=splits.classes, checksum=splits.checksum)
    if field == "spoken":
        asked = {"data": data["spoken digits"], "features": data["features"]}
        parts, checksum = heard.sounds(asked, seed)
        return Splits("spoken", **parts, classes=tuple("0123456789"), checksum=checksum)
    return datasets.standardised(uci.load(field, seed))


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; a run is too short for a checkpoint."""
    own = dict(METHODS[method])
    splits = load(config, own.pop("field"), seed)
    sizes = {"in_features": splits.train.tensors[0].shape[1], "classes": len(splits.classes)}
    model = initialised(partial(make_model, config, **sizes), seed)
    epochs = own.pop("epochs")
    settings = fit_settings(config | {"epochs": epochs}, **own)
    history = fit(model, splits.train, seed=seed, progress=False, **settings)
    return {
        "metrics": of_parts(model, splits.parts()),
        "data_checksum": splits.checksum,
    } | of_training(model, history)


EXPERIMENT = Experiment(
    name="fields-when",
    title="When does mixup help? Digits, spoken digits, tables; briefly and for long",
    config=CONFIG,
    methods=described(METHODS),
    seeds=tuple(range(10)),
    measure=measure,
)
