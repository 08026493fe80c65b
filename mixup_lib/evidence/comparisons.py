"""Which recorded runs stand beside which published figures: the rows of chapter 13."""

from mixup_lib.evidence.literature import Reproduction, published, reproduce

__all__ = ["GROUPS", "compared"]

#: Names for :func:`compared`.
GROUPS = (
    "CIFAR-10 elsewhere",
    "CIFAR-10",
    "wrong labels",
    "against dropout",
    "tables",
    "questions",
    "reviews",
    "airfoil",
    "sound",
    "everything",
)


def compared(group: str) -> list[Reproduction]:
    """A group of comparisons, from the files under ``results/``.

    Published accuracies of CIFAR-10 are turned into errors, in percent. "CIFAR-10 elsewhere" has
    published figures only. "everything" sets plain training beside mixup with alpha 1 on each
    recorded classifier with right labels, with no published figure.

    Args:
        group: one of :data:`GROUPS`.

    Returns:
        One :class:`~mixup_lib.evidence.literature.Reproduction` for each row of the group's table.
        Rows without records are there, with no seed.

    Raises:
        ValueError: if there is no such group.
    """
    if group not in GROUPS:
        raise ValueError(f"group={group!r} is not known; valid are {', '.join(GROUPS)}")
    return _ROWS[group]()


def _pair(entry: str, baseline: str, method: str) -> tuple[float, float]:
    found = published(entry)
    pair = found["values"][baseline], found["values"][method]
    if entry.endswith("-cifar10") and "accuracy" in found["measure"]:
        return tuple(round(100 - value, 2) for value in pair)
    return pair


def _elsewhere() -> list[Reproduction]:
    own, weak, strong = "mixup-cifar10-repository", ", decay 1e-4", ", decay 5e-4"
    return [
        reproduce(name, None, ("", ""), theirs=theirs)
        for name, theirs in {
            "the paper": _pair("mixup-cifar10-preact18", "ERM", "mixup"),
            "first author, weak decay": _pair(own, "ERM" + weak, "mixup" + weak),
            "first author, stronger decay": _pair(own, "ERM" + strong, "mixup" + strong),
            "first author, best of each": _pair(own, "ERM" + strong, "mixup" + weak),
            "independent program": _pair("leehomyc-cifar10", "none", "mixup"),
            "benchmark": _pair("openmixup-cifar10", "none", "mixup"),
        }.items()
    ]


def _cifar10() -> list[Reproduction]:
    runs = {
        "2,000": (
            "cifar10-rivals",
            {"mixup": "mixup-1", "cutmix": "cutmix", "manifold": "manifold"},
        ),
        "5,000": ("cifar10-5000", {"mixup": "mixup", "cutmix": "cutmix"}),
        "45,000": ("cifar10-fast", {"mixup": "mixup"}),
        "the paper's": ("cifar10-paper", {"mixup": "mixup", "cutmix": "cutmix"}),
    }
    names = {"mixup": "mixup", "cutmix": "CutMix", "manifold": "manifold"}
    return [
        reproduce(
            f"{size}: {names[key]}",
            experiment,
            ("plain", method),
            theirs=_pair("openmixup-cifar10", "none", key),
            part="median" if experiment == "cifar10-paper" else "test",
            # The source mixes at an alpha of 1, manifold mixup at 2, CutMix at 0.2.
            alike=(key, experiment) == ("manifold", "cifar10-rivals") or key == "mixup",
        )
        for size, (experiment, methods) in runs.items()
        for key, method in methods.items()
    ]


def _noise(baseline: str, theirs: str, name: str, epochs: tuple[str, ...]) -> list[Reproduction]:
    return [
        reproduce(
            f"{share} %, {name or epoch + ' epoch'}",
            "cifar10-noisy-labels",
            (f"{baseline}-{share / 100}", f"mixup-8-{share / 100}"),
            part=epoch,
            theirs=_pair(f"mixup-noise-{share}", f"{theirs}, {epoch}", f"mixup, {epoch}"),
            alike=share == 20,  # the source mixes at alpha 32 for the larger shares
        )
        for share in (20, 50, 80)
        for epoch in epochs
    ]


# Examples that a run trains and tests on: the twenty splits of a table overlap, and so do the
# training speakers of the folds of spoken digits.
_SPLITS = {
    "abalone": (2000, 835),
    "arrhythmia": (317, 90),
    "htru2": (2000, 3579),
    "iris": (105, 30),
    "phishing": (948, 270),
    "fsdd": (2000, 500),
}


def _tables() -> list[Reproduction]:
    return [
        reproduce(name, "uci", ("plain", "mixup"), part=(key := name.lower()), splits=_SPLITS[key])
        for name in ("Abalone", "Arrhythmia", "HTRU2", "Iris", "Phishing")
    ]


def _sentences(name: str, experiment: str, entry: str | None, places: dict) -> list[Reproduction]:
    return [
        reproduce(
            f"{name}, {place}",
            experiment,
            ("plain", place),
            metric="accuracy",
            theirs=entry and _pair(entry, "none", key),
        )
        for place, key in places.items()
    ]


_PLACES = {"embedding": "embed", "hidden": "hidden", "sentence": "sent"}


def _reviews() -> list[Reproduction]:
    return _sentences("Rotten Tomatoes", "rotten-tomatoes-cnn", None, _PLACES) + _sentences(
        "IMDB", "imdb-bilstm", "mixuptext-imdb-lstm-glove", {"embedding": "embed"}
    )


def _airfoil() -> list[Reproduction]:
    names = {"mixup": "mixup", "manifold": "manifold", "cmixup": "C-Mixup"}
    return [
        reproduce(
            f"Airfoil, {name}",
            "airfoil",
            ("plain", method),
            metric="rmse",
            scale=1,
            theirs=None if method == "manifold" else _pair("cmixup-airfoil", "ERM", name),
        )
        for method, name in names.items()
    ]


def _sound() -> list[Reproduction]:
    theirs = _pair("mixup-speech-commands", "ERM", "mixup")
    commands = reproduce("Speech Commands, VGG-11", None, ("", ""), theirs=theirs)
    return [commands] + [
        reproduce(f"digits, {method}", "fsdd", ("plain", method), splits=_SPLITS["fsdd"])
        for method in ("waveform", "log-mel", "loudness", "specaugment")
    ]


def _everything() -> list[Reproduction]:
    alike = {
        "CIFAR-10, 5,000": ("cifar10-5000", "mixup"),
        "CIFAR-10, 2,000": ("cifar10-rivals", "mixup-1"),
        "CIFAR-10, transformer": ("cifar10-attention", "mixup"),
        "digits, few": ("few-digits", "mixup"),
        "digits, placed": ("placed-digits", "mixup"),
        "digits, moving": ("moving-digits", "clip"),
        "digits, spoken": ("fsdd", "waveform"),
        "digits, heard": ("heard-schedules", "mixup-1"),
        "digits, seen and heard": ("seen-and-heard", "together"),
        "TREC": ("trec-cnn", "embedding"),
        "Rotten Tomatoes": ("rotten-tomatoes-cnn", "embedding"),
    }
    return _tables() + [
        reproduce(name, experiment, ("plain", method), splits=_SPLITS.get(experiment))
        for name, (experiment, method) in alike.items()
    ]


_ROWS = {
    "CIFAR-10 elsewhere": _elsewhere,
    "CIFAR-10": _cifar10,
    "wrong labels": lambda: _noise("plain", "ERM", "", ("best", "last")),
    "against dropout": lambda: _noise("dropout", "dropout", "against dropout", ("last",)),
    "tables": _tables,
    "questions": lambda: _sentences("TREC", "trec-cnn", "mixuptext-trec-cnn-random", _PLACES),
    "reviews": _reviews,
    "airfoil": _airfoil,
    "sound": _sound,
    "everything": _everything,
}
