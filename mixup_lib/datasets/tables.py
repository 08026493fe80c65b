"""Tables of numbers: sets of the UCI archive, and scikit-learn's diabetes."""

import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from sklearn.datasets import load_diabetes, load_iris
from torch import Tensor
from torch.utils.data import TensorDataset

from mixup_lib.datasets.download import Archive, fetch
from mixup_lib.datasets.files import data_root
from mixup_lib.datasets.splits import Splits, part_sizes, sha256, stratified_split

HOST = "https://archive.ics.uci.edu/static/public/"
ADVICE = (
    "Remove it and call again with download=True, or point MIXUP_DATA (or the argument root) "
    "at the folder that holds the data. Quick mode needs no files: "
    'mixup_lib.datasets.uci("iris")'
)
SEX = ("F", "I", "M")


@dataclass(frozen=True)
class Source:
    """Where a table comes from, and what it must look like: the archive publishes no checksum."""

    title: str
    path: str  # of the archive, below the host
    member: str  # of the archive
    file: str  # in our folder; as it is, or as one of the copies with a header that go round
    shape: tuple[int, int]  # rows, and columns with the target, which is the last one
    classes: int | None  # None: the target is a number


SOURCES = {
    "abalone": Source("Abalone", "1/abalone.zip", "abalone.data", "abalone.csv", (4177, 9), 28),
    "airfoil": Source(
        "Airfoil Self-Noise",
        "291/airfoil+self+noise.zip",
        "airfoil_self_noise.dat",
        "airfoil_self_noise.dat",
        (1503, 6),
        None,
    ),
    "arrhythmia": Source(
        "Arrhythmia", "5/arrhythmia.zip", "arrhythmia.data", "arrhythmia.arff", (452, 280), 13
    ),
    "htru2": Source("HTRU2", "372/htru2.zip", "HTRU_2.csv", "HTRU_2.csv", (17898, 9), 2),
    "phishing": Source(
        "Website Phishing",
        "379/website+phishing.zip",
        "PhishingData.arff",
        "PhishingData.arff",
        (1353, 10),
        3,
    ),
}
UCI = tuple(sorted((*SOURCES, "iris")))
"""The names that `uci` takes."""


def uci(
    name: str,
    seed: int = 0,
    train: int | None = None,
    validation: int | None = None,
    test: int | None = None,
    root: str | os.PathLike | None = None,
    download: bool = True,
    mirrors: str | Sequence[str] | None = None,
) -> Splits:
    """A table of the UCI archive: five of the mixup paper's six, and airfoil noise.

    There are no official parts: all three are drawn by the seed, class by class. The sixth of the
    paper's sets, Arcene, is left out: ten thousand columns for two hundred labelled examples.

    Args:
        name: One of `UCI`: ``"abalone"`` (28 classes, its sex as three columns), ``"airfoil"``
            (regression, decibels), ``"arrhythmia"`` (13 classes, missing values are nan),
            ``"htru2"``, ``"iris"`` (comes with scikit-learn), ``"phishing"`` (3 classes).
        seed: Draws the three parts.
        train: Number of training examples; None takes all that the other parts leave.
        validation: Number of validation examples, 0 or more; None takes a tenth.
        test: Number of test examples, 0 or more; None takes a fifth. The test part depends on
            `seed` and `test` only.
        root: Folder that holds ``uci/``; see `data_root`.
        download: Fetch the archive (at most 2 MB) if the table is not there.
        mirrors: Addresses that replace the built-in one, as does ``$MIXUP_MIRRORS``.

    Returns:
        Inputs float32 ``(n, columns)`` in their own units, see `standardised`; labels int64
        ``(n,)``, or targets float32 ``(n,)`` for airfoil, which has no classes.

    Raises:
        ValueError: If the name is unknown, or a size out of range.
        FileNotFoundError: If the table is not there and may not be fetched.
        OSError: If it has other rows, columns or classes than it should.
        DownloadError: If no mirror delivered the archive.

    Source:
        UCI Machine Learning Repository; Zhang et al., *mixup*, ICLR 2018, section 3.6.
    """
    if name not in UCI:
        raise ValueError(f"name={name!r}; valid are {', '.join(UCI)}")
    if name == "iris":
        x, y = map(torch.from_numpy, load_iris(return_X_y=True))
    else:
        source = SOURCES[name]
        path = data_root(root) / "uci" / source.file
        if not path.exists() and download:
            _unpack(source, path, mirrors)
        x, y = _table(path, source)
    classes = ()
    if name != "airfoil":
        values, y = y.unique(return_inverse=True)
        classes = tuple(str(int(value)) for value in values)
        if name in SOURCES and len(classes) != SOURCES[name].classes:
            raise OSError(
                f"{path} has the classes {', '.join(classes)} instead of "
                f"{SOURCES[name].classes} of them. {ADVICE}"
            )
    return _split(name, x, y, classes, seed, train=train, validation=validation, test=test)


def diabetes(
    seed: int = 0, train: int | None = None, validation: int | None = None, test: int | None = None
) -> Splits:
    """How far diabetes went on in a year, from ten measurements: regression on 442 patients.

    Args:
        seed: Draws the three parts.
        train: Number of training examples; None takes all that the other parts leave.
        validation: Number of validation examples, 0 or more; None takes a tenth.
        test: Number of test examples, 0 or more; None takes a fifth.

    Returns:
        Inputs float32 ``(n, 10)`` in their own units, targets float32 ``(n,)``, 25 to 346; no
        classes.

    Raises:
        ValueError: If a size is out of range.

    Source:
        Efron, Hastie, Johnstone, Tibshirani, *Least Angle Regression*, 2004; bundled with
        scikit-learn.
    """
    x, y = map(torch.from_numpy, load_diabetes(return_X_y=True, scaled=False))
    return _split("diabetes", x, y, (), seed, train=train, validation=validation, test=test)


def standardised(splits: Splits, targets: bool = False) -> Splits:
    """The same examples, every column with mean 0 and deviation 1 over the training part.

    Missing values become the mean, 0. A column that is constant in the training part tells
    nothing and becomes 0.

    Args:
        splits: Parts are ``TensorDataset`` of inputs ``(n, columns)``, as from `uci`.
        targets: Standardise numeric targets as well.

    Raises:
        ValueError: If the training part is empty; with `targets`, if they are class ids, or all
            the same in the training part.
    """
    x, y = splits.train.tensors
    if not len(x):
        raise ValueError(f"splits.train of {splits.name!r} is empty: it has no mean")
    mean = x.nanmean(0)
    deviation = (x - mean).square().nanmean(0).sqrt()
    usable = deviation > 1e-6 * mean.abs()  # of a constant column rounding may leave something
    centre, width = 0.0, 1.0
    if targets:
        if not y.is_floating_point():
            raise ValueError(f"targets=True, but {splits.name!r} has class ids; valid for numbers")
        centre, width = y.mean(), y.std(correction=0)
        if not width > 1e-6 * centre.abs():
            raise ValueError(
                f"the {len(y)} training targets of {splits.name!r} are all "
                f"{y[0].item()}: constant targets can't be standardised"
            )

    def turned(part: TensorDataset) -> TensorDataset:
        x, y = part.tensors
        x = ((x - mean) / deviation).where(usable, torch.zeros(())).nan_to_num(0.0)
        return TensorDataset(x, (y - centre) / width if targets else y)

    return replace(
        splits, **{part: turned(getattr(splits, part)) for part in ("train", "validation", "test")}
    )


def _unpack(source: Source, path: Path, mirrors: str | Sequence[str] | None) -> None:
    """Fetch the archive and put its table at `path`, whole or not at all."""
    name = source.path.split("/")[1]
    archive = Archive(source.title, name, None, (HOST + source.path,))
    packed = fetch(archive, path.parent, mirrors)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(packed) as content:
            unfinished.write_bytes(content.read(source.member))
        os.replace(unfinished, path)
    except (zipfile.BadZipFile, KeyError) as error:
        raise OSError(f"{packed} is no archive with {source.member}: {error}. {ADVICE}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _table(path: Path, source: Source) -> tuple[Tensor, Tensor]:
    """Inputs and target of a table, float64; missing values are nan."""
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there. " + ADVICE)
    lines = path.read_text("latin-1").splitlines()  # splits at a lone CR too, HTRU2's line end
    marks = [i for i, line in enumerate(lines) if line.strip().lower() == "@data"]
    lines = lines[marks[0] + 1 :] if marks else lines  # ARFF: what precedes describes the columns
    rows = [line.replace("\t", ",").split(",") for line in lines if line.strip()]
    if rows and not _is_number(rows[0][-1]):
        del rows[0]  # a header
    if len(rows) != source.shape[0] or {len(row) for row in rows} != {source.shape[1]}:
        raise OSError(
            f"{path} has {len(rows)} rows instead of {source.shape[0]} with "
            f"{source.shape[1]} columns each. {ADVICE}"
        )
    if source.title == "Abalone":
        rows = [[*(str(int(row[0] == sex)) for sex in SEX), *row[1:]] for row in rows]
    try:
        values = [[float("nan" if field == "?" else field) for field in row] for row in rows]
    except ValueError as error:
        raise OSError(f"{path} is damaged: {error}. {ADVICE}") from error
    table = torch.tensor(values, dtype=torch.double)
    return table[:, :-1], table[:, -1]


def _is_number(field: str) -> bool:
    return field.strip().lstrip("-").replace(".", "", 1).isdigit()


def _split(
    name: str,
    x: Tensor,
    y: Tensor,
    classes: tuple[str, ...],
    seed: int,
    *,
    train: int | None,
    validation: int | None,
    test: int | None,
) -> Splits:
    checksum = sha256(x.double().numpy().tobytes(), y.double().numpy().tobytes())
    sizes = part_sizes(
        len(y),
        train=train,
        test=len(y) // 5 if test is None else test,
        validation=len(y) // 10 if validation is None else validation,
    )
    groups = y if classes else torch.zeros(len(y), dtype=torch.long)
    x, y = x.float(), y if classes else y.float()
    held_out, chosen, kept = (
        TensorDataset(x[index], y[index]) for index in stratified_split(groups, sizes, seed)
    )
    return Splits(
        name, train=kept, validation=chosen, test=held_out, classes=classes, checksum=checksum
    )
