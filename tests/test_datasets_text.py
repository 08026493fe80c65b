"""Text data: the course's own corpus, and the loaders of the public sets."""

import re
import tarfile
from importlib.resources import files

import pytest
import torch

from mixup_lib.datasets import data_root, download, imdb, rotten_tomatoes, sentences, text, trec
from mixup_lib.datasets.download import md5

ROWS = [
    line.split("\t")
    for line in files("mixup_lib.datasets")
    .joinpath("sentences.tsv")
    .read_text(encoding="utf-8")
    .splitlines()
]


def test_the_corpus_is_what_its_documentation_says():
    assert len(ROWS) == 840 and len({row[2] for row in ROWS}) == 840
    writers = {writer for writer, *_ in ROWS}
    assert len(writers) == 6
    for writer in writers:
        assert sorted(label for name, label, _ in ROWS if name == writer) == (
            ["neg"] * 70 + ["pos"] * 70
        )
    words = [len(row[2].split()) for row in ROWS]
    assert min(words) >= 4 and max(words) <= 30
    negation = re.compile(r"\b(not|no|never|hardly|nothing|without|nor|none)\b|n't", re.I)
    assert sum(bool(negation.search(row[2])) for row in ROWS) > 250


def test_the_corpus_is_in_no_order():
    """Neighbours share neither writer nor label more often than chance has it."""
    pairs = list(zip(ROWS, ROWS[1:]))
    assert sum(a[0] == b[0] for a, b in pairs) / len(pairs) < 0.25
    assert 0.4 < sum(a[1] == b[1] for a, b in pairs) / len(pairs) < 0.6


def test_sentences_come_in_three_disjoint_stratified_parts():
    splits = sentences(seed=1)
    parts = [set(part.texts) for part in (splits.train, splits.validation, splits.test)]
    assert list(map(len, parts)) == [480, 120, 240] and len(set.union(*parts)) == 840
    assert splits.test.y.float().mean() == 0.5 and splits.classes == ("negative", "positive")
    labels = {sentence: int(label == "pos") for _, label, sentence in ROWS}
    assert all(labels[sentence] == y for sentence, y in splits.train)
    again, fewer, other = sentences(seed=1), sentences(seed=1, train=50), sentences(seed=2)
    assert again.train.texts == splits.train.texts
    assert fewer.test.texts == splits.test.texts and len(fewer.train) == 50
    assert other.test.texts != splits.test.texts
    assert splits.checksum == other.checksum and len(splits.checksum) == 64
    with pytest.raises(ValueError, match="test must be an integer from 0 to 839"):
        sentences(test=840)


@pytest.fixture
def questions(tmp_path, monkeypatch):
    folder = tmp_path / "trec"
    folder.mkdir()
    lines = [f"{label}:x What is caf\xe9 {i} ?" for i in range(4) for label in text.TREC_CLASSES]
    contents = {"TREC.train": "\n".join(lines), "TREC.test": "HUM:ind Who ?\nNUM:date When ?"}
    for name, content in contents.items():
        known(folder / name, content, monkeypatch)
    return tmp_path


def known(path, content, monkeypatch):
    """Write a file of questions, and have the loader know its checksum."""
    path.write_text(content, encoding="latin-1")
    source = text.TREC_FILES[path.name][0]
    monkeypatch.setitem(text.TREC_FILES, path.name, (source, md5(path)))


def test_trec_reads_its_layout(questions, monkeypatch):
    splits = trec(root=questions, validation=6)
    assert len(splits.train) == 18 and len(splits.validation) == 6
    assert splits.test.texts == ["Who ?", "When ?"] and splits.test.y.tolist() == [3, 5]
    assert "caf\xe9" in splits.train.texts[0]
    known(questions / "trec" / "TREC.test", "HUM:ind Who ?\nFOOD:soup Which ?", monkeypatch)
    with pytest.raises(OSError, match="has the label 'FOOD'; valid are ABBR, DESC"):
        trec(root=questions)


@pytest.mark.parametrize("name", ["TREC.train", "TREC.test"])
def test_half_a_file_of_questions_is_refused(name, questions):
    path = questions / "trec" / name
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 2]))
    with pytest.raises(OSError, match=rf"{name} is damaged: MD5 .*download=True"):
        trec(root=questions, validation=6)


def test_trec_is_fetched_whole_or_not_at_all(tmp_path, questions, monkeypatch):
    asked = []

    def fetch(archive, folder, mirrors):
        asked.append((archive.name, archive.md5, mirrors))
        source = "TREC.train" if archive.name.startswith("train") else "TREC.test"
        target = folder / archive.name
        target.write_bytes((questions / "trec" / source).read_bytes())
        return target

    monkeypatch.setattr(download, "fetch", fetch)
    trec(root=tmp_path / "new", validation=6, mirrors="https://one.example")
    assert [name for name, *_ in asked] == ["train_5500.label", "TREC_10.label"]
    assert sorted(p.name for p in (tmp_path / "new" / "trec").iterdir()) == [
        "TREC.test",
        "TREC.train",
    ]
    trec(root=tmp_path / "new", validation=6)
    assert len(asked) == 2


@pytest.mark.parametrize("load", [trec, rotten_tomatoes, imdb])
def test_missing_data_say_what_to_do(load, tmp_path):
    with pytest.raises(FileNotFoundError, match="MIXUP_DATA"):
        load(root=tmp_path, download=False)


def test_damaged_reviews_are_refused(tmp_path):
    folder = tmp_path / "rt-polarity"
    folder.mkdir()
    for label in ("neg", "pos"):
        (folder / f"rt-polarity.{label}").write_text("a film .\n")
    with pytest.raises(OSError, match="is damaged: its sentences have SHA-256"):
        rotten_tomatoes(root=tmp_path)


def test_an_archive_of_other_reviews_is_not_accepted(tmp_path):
    (tmp_path / "rt-polaritydata").mkdir()
    for label in ("neg", "pos"):
        (tmp_path / "rt-polaritydata" / f"rt-polarity.{label}").write_text("a film .\n")
    path = tmp_path / "reviews.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(tmp_path / "rt-polaritydata", "rt-polaritydata")
    assert "its sentences have SHA-256" in text.ROTTEN_TOMATOES.fault(path)
    path.write_text("<html>Please log in</html>")
    assert text.ROTTEN_TOMATOES.fault(path).endswith(", a web page")
    real = data_root() / "rt-polarity"
    if not real.exists():
        pytest.skip("Rotten Tomatoes is not on this machine")
    with tarfile.open(path, "w:gz") as tar:
        tar.add(real, "rt-polaritydata")
    assert text.ROTTEN_TOMATOES.fault(path) is None


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("7_9.txt", b"good", "its number of stars is not one of a neg review"),
        ("7_2.txt", b" ", "7_2.txt is empty"),
        ("7_2.txt", b"caf\xe9", "7_2.txt is damaged: 'utf-8' codec"),
    ],
)
def test_reviews_are_checked_one_by_one(name, content, error, tmp_path, monkeypatch):
    folder = tmp_path / "aclImdb" / "train" / "neg"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)
    with pytest.raises(OSError, match="holds 1 reviews instead of 12500"):
        imdb(root=tmp_path)
    monkeypatch.setattr(text, "IMDB_EACH", 1)
    with pytest.raises(OSError, match=error):
        imdb(root=tmp_path)


def test_both_encodings_of_the_reviews_read_the_same():
    original = "na\xefve \u2013 and fun . \na second one\n"
    assert (
        text._decoded(original.encode("cp1252"))
        == text._decoded(original.encode("utf-8"))
        == ["na\xefve \u2013 and fun .", "a second one"]
    )


@pytest.mark.parametrize(
    ("load", "folder", "sizes", "classes"),
    [
        (trec, "trec", (4907, 545, 500), 6),
        (rotten_tomatoes, "rt-polarity", (8530, 1066, 1066), 2),
        (imdb, "aclImdb", (20_000, 5000, 25_000), 2),
    ],
)
def test_the_real_sets(load, folder, sizes, classes):
    if not (data_root() / folder).exists():
        pytest.skip(f"{folder} is not on this machine")
    splits = load(seed=1)
    parts = (splits.train, splits.validation, splits.test)
    assert tuple(map(len, parts)) == sizes and len(splits.classes) == classes
    for part in parts:
        assert set(part.y.tolist()) == set(range(classes))
    if load is not trec:
        assert torch.bincount(splits.train.y).tolist() == [sizes[0] // 2] * 2
