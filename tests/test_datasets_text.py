"""Text data: the course's own corpus, and the loaders of the public sets."""

import re
from importlib.resources import files

import pytest
import torch

from mixup_lib.datasets import data_root, imdb, rotten_tomatoes, sentences, text, trec

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
def questions(tmp_path):
    folder = tmp_path / "trec"
    folder.mkdir()
    lines = [f"{label}:x What is caf\xe9 {i} ?" for i in range(4) for label in text.TREC_CLASSES]
    (folder / "TREC.train").write_text("\n".join(lines), encoding="latin-1")
    (folder / "TREC.test").write_text("HUM:ind Who ?\nNUM:date When ?", encoding="latin-1")
    return tmp_path


def test_trec_reads_its_layout(questions):
    splits = trec(root=questions, validation=6)
    assert len(splits.train) == 18 and len(splits.validation) == 6
    assert splits.test.texts == ["Who ?", "When ?"] and splits.test.y.tolist() == [3, 5]
    assert "caf\xe9" in splits.train.texts[0]
    with open(questions / "trec" / "TREC.test", "a") as file:
        file.write("\nFOOD:soup Which ?")
    with pytest.raises(OSError, match="has the label 'FOOD'; valid are ABBR, DESC"):
        trec(root=questions)


def test_trec_is_fetched_whole_or_not_at_all(tmp_path, questions, monkeypatch):
    asked = []

    def fetch(archive, folder, mirrors):
        asked.append((archive.name, archive.md5, mirrors))
        folder.mkdir(exist_ok=True, parents=True)
        source = "TREC.train" if archive.name.startswith("train") else "TREC.test"
        target = folder / archive.name
        target.write_bytes((questions / "trec" / source).read_bytes())
        return target

    monkeypatch.setattr(text, "fetch", fetch)
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
