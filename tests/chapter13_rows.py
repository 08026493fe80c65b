"""What each row of chapter 13's tables compares, told a second time."""

import json

from mixup_lib.evidence import results

PUBLISHED = json.loads((results.folder() / "published.json").read_text("utf-8"))
TREC = "mixuptext-trec-cnn-random"


def row(experiment, baseline, method, *, part="test", metric="error", scale=100, theirs=None):
    return experiment, baseline, method, part, metric, scale, theirs


def pair(name, baseline, method):
    values = PUBLISHED[name]["values"]
    return values[baseline], values[method]


def benchmark(method):
    return tuple(round(100 - value, 2) for value in pair("openmixup-cifar10", "none", method))


ROWS = {
    "TREC, hidden": row(
        "trec-cnn", "plain", "hidden", metric="accuracy", theirs=pair(TREC, "none", "hidden")
    ),
    "TREC, embedding": row(
        "trec-cnn", "plain", "embedding", metric="accuracy", theirs=pair(TREC, "none", "embed")
    ),
    "TREC, sentence": row(
        "trec-cnn", "plain", "sentence", metric="accuracy", theirs=pair(TREC, "none", "sent")
    ),
    "IMDB, embedding": row(
        "imdb-bilstm",
        "plain",
        "embedding",
        metric="accuracy",
        theirs=pair("mixuptext-imdb-lstm-glove", "none", "embed"),
    ),
    "Airfoil, mixup": row(
        "airfoil",
        "plain",
        "mixup",
        metric="rmse",
        scale=1,
        theirs=pair("cmixup-airfoil", "ERM", "mixup"),
    ),
    "Airfoil, manifold": row("airfoil", "plain", "manifold", metric="rmse", scale=1),
    "Airfoil, C-Mixup": row(
        "airfoil",
        "plain",
        "cmixup",
        metric="rmse",
        scale=1,
        theirs=pair("cmixup-airfoil", "ERM", "C-Mixup"),
    ),
    "Speech Commands, VGG-11": row(None, "", "", theirs=(4.6, 3.4)),
}
for _place in ("embedding", "hidden", "sentence"):
    ROWS[f"Rotten Tomatoes, {_place}"] = row(
        "rotten-tomatoes-cnn", "plain", _place, metric="accuracy"
    )
for _method in ("waveform", "log-mel", "loudness", "specaugment"):
    ROWS[f"digits, {_method}"] = row("fsdd", "plain", _method)
for _name in ("Abalone", "Arrhythmia", "HTRU2", "Iris", "Phishing"):
    ROWS[_name] = row("uci", "plain", "mixup", part=_name.lower())
for _share in (20, 50, 80):
    _source, _part = f"mixup-noise-{_share}", _share / 100
    for _epoch in ("best", "last"):
        ROWS[f"{_share} %, {_epoch} epoch"] = row(
            "cifar10-noisy-labels",
            f"plain-{_part}",
            f"mixup-8-{_part}",
            part=_epoch,
            theirs=pair(_source, f"ERM, {_epoch}", f"mixup, {_epoch}"),
        )
    ROWS[f"{_share} %, against dropout"] = row(
        "cifar10-noisy-labels",
        f"dropout-{_part}",
        f"mixup-8-{_part}",
        part="last",
        theirs=pair(_source, "dropout, last", "mixup, last"),
    )
for _size, _experiment, _mixup in (
    ("2,000", "cifar10-rivals", "mixup-1"),
    ("5,000", "cifar10-5000", "mixup"),
    ("45,000", "cifar10-fast", "mixup"),
    ("the paper's", "cifar10-paper", "mixup"),
):
    for _name, _key, _method in (
        ("mixup", "mixup", _mixup),
        ("CutMix", "cutmix", "cutmix"),
        ("manifold", "manifold", "manifold"),
    ):
        ROWS[f"{_size}: {_name}"] = row(
            _experiment,
            "plain",
            _method,
            theirs=benchmark(_key),
            part="median" if _experiment == "cifar10-paper" else "test",
        )

# Their runs are still coming in: the stored table may show fewer seeds than there are.
GROWING = ("cifar10-fast", "cifar10-paper")
OTHERS = {
    "CIFAR-10, 5,000": row("cifar10-5000", "plain", "mixup"),
    "CIFAR-10, 2,000": row("cifar10-rivals", "plain", "mixup-1"),
    "CIFAR-10, transformer": row("cifar10-attention", "plain", "mixup"),
    "digits, few": row("few-digits", "plain", "mixup"),
    "digits, placed": row("placed-digits", "plain", "mixup"),
    "digits, moving": row("moving-digits", "plain", "clip"),
    "digits, spoken": row("fsdd", "plain", "waveform"),
    "digits, heard": row("heard-schedules", "plain", "mixup-1"),
    "digits, seen and heard": row("seen-and-heard", "plain", "together"),
    "TREC": row("trec-cnn", "plain", "embedding"),
    "Rotten Tomatoes": row("rotten-tomatoes-cnn", "plain", "embedding"),
} | {name: ROWS[name] for name in ("Abalone", "Arrhythmia", "HTRU2", "Iris", "Phishing")}

# Test by training examples of a run, where the runs' splits overlap (Nadeau and Bengio, 2003).
OVERLAP = {
    "abalone": 835 / 2000,
    "arrhythmia": 90 / 317,
    "htru2": 3579 / 2000,
    "iris": 30 / 105,
    "phishing": 270 / 948,
    "fsdd": 500 / 2000,
}
