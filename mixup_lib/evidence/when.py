"""When does mixup help? Recorded gains beside how well the plain network fits its training data.

The rule was written down before its runs, in ``mixup_lib.experiments.cifar10_when`` and
``mixup_lib.experiments.fields_when``; the numbers here are theirs. Two other networks come from
``mixup_lib.experiments.cifar10_attention``, and one of them with all classical transforms from
``mixup_lib.experiments.cifar10_transforms``; both were written down for other questions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mixup_lib.evidence import results
from mixup_lib.evidence.interval import FEWEST, Interval
from mixup_lib.evidence.paired import Comparison

__all__ = ["FITS", "GROUPS", "UNFIT", "Cell", "cells", "expected"]

#: Training errors of the plain network, in percent: below the first the rule expects a gain, above
#: the second a loss, and between the two nothing.
FITS, UNFIT = 5.0, 20.0

# Fields whose runs all read the same test examples.
_ONE_TEST_SET = "CIFAR-10", "questions"

_FIELDS = {
    "digits": "digits",
    "spoken": "spoken digits",
    "abalone": "Abalone",
    "arrhythmia": "Arrhythmia",
    "phishing": "Phishing",
}


# A cell: field, name, experiment, method of plain training, method with a place for mixup's name.
def _lengths():
    return [("CIFAR-10", f"{n} epochs", "cifar10-when", *_of(f"{n}-epochs")) for n in (15, 60, 240)]


def _labels():
    return [
        ("CIFAR-10", f"{n:,} labels", "cifar10-when-labels", *_of(f"{n}-labels"))
        for n in (1000, 16_000)
    ]


def _widths():
    return [("CIFAR-10", f"width {n}", "cifar10-when-width", *_of(f"width-{n}")) for n in (8, 32)]


def _of(change):
    return f"plain-{change}", f"{{}}-{change}"


def _networks():
    transformer, resnet = "cifar10-attention", "cifar10-convolution"
    cropped = "crop-flip", "crop-flip-{}"
    return [
        ("CIFAR-10", "transformer, no crops", transformer, "plain", "{}"),
        ("CIFAR-10", "transformer, crops", transformer, *cropped),
        ("CIFAR-10", "transformer, crops, longer", "cifar10-attention-long", *cropped),
        ("CIFAR-10", "ResNet, no crops", resnet, "plain", "{}"),
        ("CIFAR-10", "ResNet, crops", resnet, *cropped),
        ("CIFAR-10", "ResNet, four transforms", "cifar10-transforms", "classical", "classical-{}"),
    ]


def _fields():
    return [
        (field, length, "fields-when", f"{name}-{length}-plain", f"{name}-{length}-{{}}")
        for name, field in _FIELDS.items()
        for length in ("brief", "long")
    ]


def _elsewhere():
    return [
        ("CIFAR-10", "5,000 labels", "cifar10-5000", "plain", "mixup"),
        ("CIFAR-10", "rate chosen", "cifar10-rivals", "plain", "mixup-1"),
        ("CIFAR-10", "pretrained", "cifar10-pretrained", "plain-0.0010", "mixup-1"),
        ("digits", "a hundred", "few-digits", "plain", "mixup"),
        ("digits", "placed", "placed-digits", "plain", "mixup"),
        ("digits", "moving", "moving-digits", "plain", "clip"),
        ("digits", "seen and heard", "seen-and-heard", "plain", "together"),
        ("spoken digits", "all speakers", "heard-schedules", "plain", "mixup-1"),
        ("spoken digits", "new speakers", "fsdd", "plain", "waveform"),
        ("questions", "MiniLM", "trec-500-minilm", "plain-0.00010", "sentence-0.4"),
    ]


#: Groups of cells, by what changes within them. "elsewhere" holds experiments that were not made
#: for the rule, with inputs or vectors mixed at alpha 1 (MiniLM: the one that was chosen).
GROUPS = {
    "length": _lengths,
    "labels": _labels,
    "width": _widths,
    "networks": _networks,
    "fields": _fields,
    "elsewhere": _elsewhere,
}


@dataclass(frozen=True)
class Cell:
    """One network, length of training and set of data: a method beside plain training.

    Attributes:
        field: the data.
        name: what tells this cell from others of the field.
        training: the plain network's error on its own training data, neither mixed nor augmented,
            in percent, the mean over seeds.
        error: its test error, in percent.
        gains: test error, plain minus method, in percentage points, one for each seed.
        interval: of the mean gain, None for fewer than five seeds. Where one test set serves all
            seeds it accounts for that set's drawing; where test parts are smaller than training
            parts and overlap, for the overlap.
    """

    field: str
    name: str
    training: float
    error: float
    gains: tuple[float, ...]
    interval: Interval | None

    @property
    def gain(self) -> float:
        """The mean gain, in percentage points."""
        return float(np.mean(self.gains))

    @property
    def against(self) -> bool:
        """Whether the mean gain lies on the other side of 0 than the rule expects."""
        wanted = expected(self.training)
        return wanted == "helps" and self.gain < 0 or wanted == "costs" and self.gain > 0


def expected(training: float) -> str:
    """What the rule expects for a plain network with this training error.

    Args:
        training: in percent, in [0, 100].

    Returns:
        "helps", "costs", or "open" where the rule expects nothing.

    Raises:
        ValueError: if ``training`` lies outside [0, 100].
    """
    if not 0 <= training <= 100:
        raise ValueError(f"training must lie in [0, 100] percent, got {training}")
    return "helps" if training < FITS else "costs" if training > UNFIT else "open"


def cells(group: str, method: str = "mixup") -> list[Cell]:
    """The recorded cells of a group; one without a seed that both methods have is left out.

    Args:
        group: one of :data:`GROUPS`.
        method: "mixup", or "smoothing" for the fields.

    Raises:
        ValueError: if there is no such group.
    """
    if group not in GROUPS:
        raise ValueError(f"group must be one of {list(GROUPS)}, got {group!r}")
    found = []
    for field, name, experiment, plainly, otherwise in GROUPS[group]():
        try:
            records = results.load(experiment)
        except FileNotFoundError:
            continue
        plain, other = (
            {record["seed"]: record for record in records if record["method"] == name_of_method}
            for name_of_method in (plainly, otherwise.format(method))
        )
        if seeds := sorted(plain.keys() & other.keys()):
            found.append(_cell(field, name, [plain[s] for s in seeds], [other[s] for s in seeds]))
    return found


def _cell(field: str, name: str, plain: Sequence[dict], other: Sequence[dict]) -> Cell:
    def errors(records, part):
        return 100 * np.array([record["metrics"][part]["error"] for record in records])

    gains = errors(plain, "test") - errors(other, "test")
    interval = None
    if len(gains) >= FEWEST:
        test, train = plain[0]["metrics"]["test"]["n"], plain[0]["metrics"]["train"]["n"]
        if field in _ONE_TEST_SET:
            pair = Comparison.from_records([*plain, *other])
            interval = 100 * pair.shared(*pair.runs, "error")
        elif test < train:
            interval = Interval.resampled(gains, train, test)
        else:
            interval = Interval.of(gains)
    return Cell(
        field,
        name,
        float(errors(plain, "train").mean()),
        float(errors(plain, "test").mean()),
        tuple(map(float, gains)),
        interval,
    )
