"""Sentences: a corpus written for this course, and three public sets in their usual layouts."""

import os
from collections.abc import Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from mixup_lib.datasets.download import Archive, move, provide, unpack_tar, verify_tar
from mixup_lib.datasets.files import data_root, read_known, remedy
from mixup_lib.datasets.splits import Splits, part_sizes, sha256, stratified_split

# The original hosts, and PaddlePaddle's copy of IMDB. The checksums of IMDB and TREC are
# torchtext's.
IMDB = Archive(
    "IMDB",
    "aclImdb_v1.tar.gz",
    "7c2ac02c03563afcf9b574c7e56c153a",
    (
        "https://bj.bcebos.com/dataset/imdb%2FaclImdb_v1.tar.gz",
        "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    ),
)
IMDB_EACH = 12_500  # reviews of one part and label
IMDB_STARS = {"neg": [["1"], ["2"], ["3"], ["4"]], "pos": [["7"], ["8"], ["9"], ["10"]]}
ROTTEN_TOMATOES_SHA256 = "e5f73aabe82b350f978dcee884035b218febf7b9d4733bb862ea87a31a9e977b"
TREC_FILES = {  # name here: (name at its source, MD5)
    "TREC.train": ("train_5500.label", "073462e3fcefaae31e00edb1f18d2d02"),
    "TREC.test": ("TREC_10.label", "323a3554401d86e650717e2d2f942589"),
}
TREC_HOSTS = ("https://cogcomp.seas.upenn.edu/Data/QA/QC/", "https://cogcomp.org/Data/QA/QC/")
QUICK = "mixup_lib.datasets.sentences()"  # what works without a file
TREC_CLASSES = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")


class Texts(Dataset):
    """Sentences ``texts``, as they were written, and their class ids ``y``, int64 ``(n,)``."""

    def __init__(self, texts: Sequence[str], y: Tensor):
        if len(texts) != len(y):
            raise ValueError(f"texts has {len(texts)} sentences, y has {len(y)} labels")
        self.texts, self.y = list(texts), y

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, i: int) -> tuple[str, int]:
        return self.texts[i], int(self.y[i])

    def pick(self, index: Tensor) -> "Texts":
        """The sentences at positions ``index``, int64 ``(m,)``."""
        return Texts([self.texts[i] for i in index.tolist()], self.y[index])


def sentences(
    seed: int = 0, train: int | None = None, validation: int = 120, test: int = 240
) -> Splits:
    """Opinions on everyday things, positive or negative, written for this course.

    840 sentences in the manner of six writers, half of them positive for each, with negation, irony
    and dirt to clean. First drafts were so subtle that counting words did no better than chance;
    they were revised until it did clearly better, so the difficulty is a choice.

    Args:
        seed: Draws the three parts, class by class.
        train: Number of training sentences; None takes all that the other parts leave.
        validation: Number of validation sentences, 0 or more.
        test: Number of test sentences, 0 or more. The test part depends on `seed` and `test` only.

    Returns:
        Parts of type `Texts`; classes are ``negative`` and ``positive``.

    Raises:
        ValueError: If a size is negative, not an integer, or more than what is left.
    """
    raw = files("mixup_lib.datasets").joinpath("sentences.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in raw.splitlines()]
    everything = Texts(
        [text for *_, text in rows], torch.tensor([int(label == "pos") for _, label, _ in rows])
    )
    sizes = part_sizes(len(rows), train=train, test=test, validation=validation)
    held_out, chosen, kept = stratified_split(everything.y, sizes, seed)
    return Splits(
        "sentences",
        train=everything.pick(kept),
        validation=everything.pick(chosen),
        test=everything.pick(held_out),
        classes=("negative", "positive"),
        checksum=sha256(raw.encode()),
    )


def trec(
    seed: int = 0,
    train: int | None = None,
    validation: int = 545,
    root: str | os.PathLike | None = None,
    download: bool = True,
    mirrors: str | Sequence[str] | None = None,
) -> Splits:
    """TREC: questions, by the kind of answer that they ask for (six classes).

    The 500 official test questions are the test part; the other two parts are drawn from the 5,452
    official training questions, class by class.

    Args:
        seed: Draws the training and the validation part.
        train: Number of training questions; None takes all that the validation part leaves.
        validation: Number of validation questions, 0 or more.
        root: Folder that holds ``trec/TREC.train`` and ``trec/TREC.test``; see `data_root`.
        download: Fetch the two files (0.4 MB) if they are not there.
        mirrors: Addresses that replace the built-in ones, as does ``$MIXUP_MIRRORS``.

    Returns:
        Parts of type `Texts`; the classes are the six coarse ones of the source.

    Raises:
        ValueError: If a size is negative, not an integer, or more than what is left.
        FileNotFoundError: If the data are not there and may not be fetched.
        OSError: If a file is damaged.
        DownloadError: If no mirror delivered a file.

    Source:
        Li and Roth, *Learning Question Classifiers*, COLING 2002.
    """
    folder, contents, parts = data_root(root) / "trec", [], []
    for name, (original, md5) in TREC_FILES.items():
        if download:
            archive = Archive("TREC", original, md5, tuple(host + original for host in TREC_HOSTS))
            provide(folder / name, archive, move, mirrors)
        contents.append(read_known(folder / name, md5, QUICK))
        lines = contents[-1].decode("latin-1").splitlines()
        rows = [line.split(maxsplit=1) for line in lines]
        y = [_class_id(label.split(":")[0], TREC_CLASSES, folder / name) for label, _ in rows]
        parts.append(Texts([text for _, text in rows], torch.tensor(y)))
    learned, test = parts
    sizes = part_sizes(len(learned), train=train, validation=validation)
    chosen, kept = stratified_split(learned.y, sizes, seed)
    return Splits(
        "trec",
        train=learned.pick(kept),
        validation=learned.pick(chosen),
        test=test,
        classes=TREC_CLASSES,
        checksum=sha256(*contents),
    )


def rotten_tomatoes(
    seed: int = 0,
    train: int | None = None,
    validation: int = 1066,
    test: int = 1066,
    root: str | os.PathLike | None = None,
    download: bool = True,
    mirrors: str | Sequence[str] | None = None,
) -> Splits:
    """Rotten Tomatoes: 10,662 sentences of film reviews, half of them positive.

    There is no official test part: all three are drawn by the seed, a tenth each for validation
    and test by default.

    Args:
        seed: Draws the three parts, class by class.
        train: Number of training sentences; None takes all that the other parts leave.
        validation: Number of validation sentences, 0 or more.
        test: Number of test sentences, 0 or more. The test part depends on `seed` and `test` only.
        root: Folder that holds ``rt-polarity/rt-polarity.{pos,neg}``; see `data_root`.
        download: Fetch the archive (0.5 MB) if that folder is not there.
        mirrors: Addresses that replace the built-in ones, as does ``$MIXUP_MIRRORS``.

    Returns:
        Parts of type `Texts`; classes are ``negative`` and ``positive``.

    Raises:
        ValueError: If a size is negative, not an integer, or more than what is left.
        FileNotFoundError: If the data are not there and may not be fetched.
        OSError: If a file is damaged.
        DownloadError: If no mirror delivered the archive.

    Source:
        Pang and Lee, *Seeing Stars*, ACL 2005.
    """
    folder = data_root(root) / "rt-polarity"
    if download:
        provide(
            folder, ROTTEN_TOMATOES, partial(unpack_tar, member=ROTTEN_TOMATOES_MEMBER), mirrors
        )
    texts, checksum = _reviews(folder)
    everything = Texts(
        texts["neg"] + texts["pos"], torch.arange(2).repeat_interleave(len(texts["neg"]))
    )
    sizes = part_sizes(len(everything), train=train, test=test, validation=validation)
    held_out, chosen, kept = stratified_split(everything.y, sizes, seed)
    return Splits(
        "rotten_tomatoes",
        train=everything.pick(kept),
        validation=everything.pick(chosen),
        test=everything.pick(held_out),
        classes=("negative", "positive"),
        checksum=checksum,
    )


def imdb(
    seed: int = 0,
    train: int | None = None,
    validation: int = 5000,
    test: int = 25_000,
    root: str | os.PathLike | None = None,
    download: bool = True,
    mirrors: str | Sequence[str] | None = None,
) -> Splits:
    """IMDB: film reviews of some hundred words, half of them positive.

    The 25,000 official test reviews, or ``test`` of them, are the test part; the other two parts
    are drawn from the 25,000 official training reviews, class by class.

    Args:
        seed: Draws the training and the validation part.
        train: Number of training reviews; None takes all that the validation part leaves.
        validation: Number of validation reviews, 0 or more.
        test: Number of test reviews, the same ones for every seed.
        root: Folder that holds ``aclImdb``; see `data_root`.
        download: Fetch the archive (84 MB) if that folder is not there.
        mirrors: Addresses that replace the built-in ones, as does ``$MIXUP_MIRRORS``.

    Returns:
        Parts of type `Texts`; classes are ``negative`` and ``positive``.

    Raises:
        ValueError: If a size is negative, not an integer, or more than what is left.
        FileNotFoundError: If the data are not there, or not whole, and may not be fetched.
        DownloadError: If no mirror delivered the archive.

    Source:
        Maas et al., *Learning Word Vectors for Sentiment Analysis*, ACL 2011.
    """
    folder = data_root(root) / "aclImdb"
    sizes = part_sizes(25_000, train=train, validation=validation)
    held_out = part_sizes(25_001, train=None, test=test)[0]
    if download:
        provide(folder, IMDB, partial(unpack_tar, member="aclImdb"), mirrors)
    parts, contents = [], []
    for part in ("train", "test"):
        texts = [text for label in IMDB_STARS for text in _opinions(folder / part / label)]
        contents += texts
        parts.append(Texts(texts, torch.arange(2).repeat_interleave(IMDB_EACH)))
    learned, tested = parts
    chosen, kept = stratified_split(learned.y, sizes, seed)
    if held_out < len(tested):
        tested = tested.pick(stratified_split(tested.y, [held_out], 0)[0])
    return Splits(
        "imdb",
        train=learned.pick(kept),
        validation=learned.pick(chosen),
        test=tested,
        classes=("negative", "positive"),
        checksum=sha256(*(text.encode() for text in contents)),
    )


def _reviews(folder: Path) -> tuple[dict[str, list[str]], str]:
    """The sentences of Rotten Tomatoes by label, and their SHA-256."""
    texts = {}
    for label in ("neg", "pos"):
        path = folder / f"rt-polarity.{label}"
        if not path.exists():
            raise FileNotFoundError(f"{path} is not there. {remedy(QUICK)}")
        texts[label] = _decoded(path.read_bytes())
    checksum = sha256(*("\n".join(texts[label]).encode() for label in texts))
    if checksum != ROTTEN_TOMATOES_SHA256:
        raise OSError(
            f"{folder} is damaged: its sentences have SHA-256 {checksum} instead of "
            f"{ROTTEN_TOMATOES_SHA256}. {remedy(QUICK)}"
        )
    return texts, checksum


ROTTEN_TOMATOES_MEMBER = "rt-polaritydata"
# No checksum of the archive is published: what is in it is checked.
ROTTEN_TOMATOES = Archive(
    "Rotten Tomatoes",
    "rt-polaritydata.tar.gz",
    None,
    ("https://www.cs.cornell.edu/people/pabo/movie-review-data/rt-polaritydata.tar.gz",),
    partial(verify_tar, member=ROTTEN_TOMATOES_MEMBER, check=_reviews),
)


def _opinions(folder: Path) -> list[str]:
    """The 12,500 reviews of one part and label, in the order of their files' names.

    Raises:
        FileNotFoundError: If some are missing.
        OSError: If one is empty or not UTF-8, or its name, NUMBER_STARS, belongs to another label.
    """
    paths = sorted(folder.glob("*.txt"))
    if len(paths) != IMDB_EACH:
        raise FileNotFoundError(
            f"{folder} holds {len(paths)} reviews instead of {IMDB_EACH}. {remedy(QUICK)}"
        )
    texts = []
    for path in paths:
        try:
            texts.append(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise OSError(f"{path} is damaged: {error}. {remedy(QUICK)}") from error
        if not texts[-1].strip() or path.stem.split("_")[1:] not in IMDB_STARS[folder.name]:
            raise OSError(
                f"{path} is empty, or its number of stars is not one of a {folder.name} review. "
                + remedy(QUICK)
            )
    return texts


def _decoded(content: bytes) -> list[str]:
    """Sentences of a file in UTF-8 (copies) or Windows-1252 (the original)."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("cp1252")
    return [line.strip() for line in text.split("\n") if line.strip()]


def _class_id(label: str, classes: tuple[str, ...], path: Path) -> int:
    if label not in classes:
        raise OSError(f"{path} has the label {label!r}; valid are {', '.join(classes)}")
    return classes.index(label)
