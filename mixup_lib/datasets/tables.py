"""Tables of numbers: sets of the UCI archive, and scikit-learn's diabetes."""

import math
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from mixup_lib.basics.writing import atomic_write
from mixup_lib.datasets.download import Archive, provide
from mixup_lib.datasets.files import data_root, remedy
from mixup_lib.datasets.splits import Splits, part_sizes, sha256, stratified_split

HOST = "https://archive.ics.uci.edu/static/public/"
QUICK = 'mixup_lib.datasets.uci("iris")'  # what works without a file
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
        from sklearn.datasets import load_iris  # not with this module: it takes a second

        x, y = map(torch.from_numpy, load_iris(return_X_y=True))
    else:
        source = SOURCES[name]
        path = data_root(root) / "uci" / source.file
        if download:
            provide(path, _archive(source), partial(_unpack, source=source), mirrors)
        if not path.exists():
            raise FileNotFoundError(f"{path} is not there. {remedy(QUICK)}")
        x, y = _table(path.read_bytes(), str(path), source)
    classes = ()
    if name != "airfoil":
        values, y = y.unique(return_inverse=True)
        classes = tuple(str(int(value)) for value in values)
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
    from sklearn.datasets import load_diabetes  # not with this module: it takes a second

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


def _archive(source: Source) -> Archive:
    """The archive of a table; what is in it is checked, since no checksum is published."""

    def verify(archive: Path) -> None:
        _table(_member(archive, source), f"{source.member} in {archive.name}", source)

    name = source.path.split("/")[1]
    return Archive(source.title, name, None, (HOST + source.path,), verify)


def _member(archive: Path, source: Source) -> bytes:
    with zipfile.ZipFile(archive) as packed:
        return packed.read(source.member)


def _unpack(archive: Path, path: Path, source: Source) -> None:
    """Put the archive's table at `path`, whole or not at all."""
    with atomic_write(path) as draft:
        draft.write_bytes(_member(archive, source))


def _table(content: bytes, where: str, source: Source) -> tuple[Tensor, Tensor]:
    """Inputs and target of a table, float64; missing values are nan.

    Raises:
        OSError: If it has other rows, columns or classes than it should, or a field that is no
            number; the message begins with `where`.
    """
    lines = content.decode("latin-1").splitlines()  # splits at a lone CR too, HTRU2's line end
    marks = [i for i, line in enumerate(lines) if line.strip().lower() == "@data"]
    lines = lines[marks[0] + 1 :] if marks else lines  # ARFF: what precedes describes the columns
    rows = [line.replace("\t", ",").split(",") for line in lines if line.strip()]
    if rows and not _is_number(rows[0][-1]):
        del rows[0]  # a header
    if len(rows) != source.shape[0] or {len(row) for row in rows} != {source.shape[1]}:
        raise OSError(
            f"{where} has {len(rows)} rows instead of {source.shape[0]} with "
            f"{source.shape[1]} columns each. {remedy(QUICK)}"
        )
    if source.title == "Abalone":
        rows = [_sex_as_columns(row, where) for row in rows]
    try:
        table = torch.tensor(
            [[_number(field) for field in row] for row in rows], dtype=torch.double
        )
    except ValueError as error:
        raise OSError(f"{where} is damaged: {error}. {remedy(QUICK)}") from error
    x, y = table[:, :-1], table[:, -1]
    classes = [f"{value:g}" for value in y.unique().tolist()]
    if source.classes is not None and len(classes) != source.classes:
        raise OSError(
            f"{where} has the classes {', '.join(classes)} instead of {source.classes} of them. "
            + remedy(QUICK)
        )
    return x, y


def _sex_as_columns(row: list[str], where: str) -> list[str]:
    """Abalone's first field, a letter, as three columns of 0 and 1."""
    letter = row[0].strip().strip("'\"").upper()
    if letter not in SEX:
        raise OSError(f"{where} has the sex {row[0]!r}; valid are {SEX}. {remedy(QUICK)}")
    return [*(str(int(letter == sex)) for sex in SEX), *row[1:]]


def _number(field: str) -> float:
    if field.strip() == "?":
        return math.nan
    if not math.isfinite(value := float(field)):
        raise ValueError(f"{field!r} is no finite number")
    return value


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
