"""torchtext 0.6.0, archived: the article's pipeline works offline and gives our own batches."""

import re
import socket
import ssl

import pytest
import torch
from torchtext.data import (
    BucketIterator,
    Dataset,
    Example,
    Field,
    Iterator,
    LabelField,
    RawField,
)
from torchtext.datasets import IMDB
from torchtext.vocab import Vectors

from mixup_lib import Mix, datasets, draw_mixup
from mixup_lib.models import BiLSTM
from mixup_lib.text import tokens as text

REVIEWS = {
    "train": {
        "pos": ["Well worth it.<br />A joy, a joy!", "I wasn't bored once."],
        "neg": ["A waste.", "I was bored, bored, bored."],
    },
    "test": {"pos": ["A joy to watch."], "neg": ["Never worth it."]},
}


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a network connection was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    # Vectors replaces this for the whole process; the fixture puts it back.
    monkeypatch.setattr(ssl, "_create_default_https_context", ssl._create_default_https_context)


@pytest.fixture(scope="module")
def sentences():
    return datasets.sentences(seed=0)


@pytest.fixture
def imdb(tmp_path):
    """A folder laid out like the real data set, with a few made-up reviews."""
    for part, reviews in REVIEWS.items():
        for label, lines in reviews.items():
            folder = tmp_path / "imdb/aclImdb" / part / label
            folder.mkdir(parents=True)
            for k, line in enumerate(lines):
                (folder / f"{k}_0.txt").write_text(line, encoding="utf-8")
    return tmp_path


def split(line):
    return re.findall(text.TOKEN, text.clean(line))


def make_fields(**options):
    """Text and label fields whose ids are those of this library: padding 0, unknown 1."""
    return Field(tokenize=split, unk_token=None, **options), LabelField()


def make_dataset(part, words, labels):
    """The sentences, and for each its place in ``part``, so that every batch can be traced."""
    columns = [("text", words), ("label", labels), ("place", RawField())]
    rows = zip(part.texts, part.y.tolist(), range(len(part.y)))
    return Dataset([Example.fromlist(row, columns) for row in rows], columns)


@pytest.fixture(scope="module")
def both(sentences):
    """The same training part in torchtext's form, its fields, and this library's tokeniser."""
    words, labels = make_fields(include_lengths=True)
    part = make_dataset(sentences.train, words, labels)
    words.build_vocab(part, specials=["<unk>"])
    labels.build_vocab(part)
    return part, words, labels, text.word_tokenizer(sentences.train.texts)


def test_the_articles_pipeline(imdb, tmp_path):
    words, labels = Field(tokenize="basic_english", lower=True), LabelField()
    train, test = IMDB.splits(words, labels, root=str(imdb))
    assert (len(train), len(test)) == (4, 2)
    glove = tmp_path / "glove.txt"
    glove.write_text("bored -1.0 0.5 0.0\njoy 1.0 0.5 0.0\n")
    words.build_vocab(train, vectors=Vectors(str(glove), cache=str(tmp_path)))
    labels.build_vocab(train)

    assert labels.vocab.itos == ["neg", "pos"]
    assert "watch" not in words.vocab.stoi and "watch" in {w for e in test for w in e.text}
    vectors = words.vocab.vectors
    assert vectors.shape == (len(words.vocab), 3)
    assert vectors[words.vocab.stoi["joy"]].tolist() == [1.0, 0.5, 0.0]
    assert not vectors[words.vocab.stoi["waste"]].any()

    batches, _ = BucketIterator.splits((train, test), batch_size=4, sort_key=IMDB.sort_key)
    ((ids, y),) = batches
    longest = max(len(example.text) for example in train)
    assert ids.shape == (longest, 4) and y.shape == (4,) and sorted(y.tolist()) == [0, 0, 1, 1]


def test_a_label_field_has_no_place_for_unknown_labels():
    words_for_labels, labels = Field(sequential=False), LabelField()
    for field in (words_for_labels, labels):
        field.build_vocab([["pos", "neg"]])
    assert len(words_for_labels.vocab) == 3 and len(labels.vocab) == 2
    with pytest.raises(KeyError):
        labels.process(["mixed"])


def test_both_pipelines_have_one_vocabulary(both):
    _, words, _, tokenizer = both
    ids = tokenizer.get_vocab()
    assert words.vocab.itos == sorted(ids, key=ids.get)


def shuffled(part):
    return Iterator(part, 32, shuffle=True, sort=False)


def in_buckets(part):
    return BucketIterator(
        part, 32, sort_key=lambda e: len(e.text), sort_within_batch=True, shuffle=True
    )


@pytest.mark.parametrize("iterate", [shuffled, in_buckets])
def test_both_pipelines_give_the_same_batches(both, sentences, iterate):
    part, _, labels, tokenizer = both
    seen = []
    for batch in iterate(part):
        ids, lengths = batch.text
        ours = text.encode(tokenizer, [sentences.train.texts[i] for i in batch.place])
        assert torch.equal(ids.T, ours)
        assert torch.equal(lengths, text.lengths(ours))
        names = [labels.vocab.itos[label] for label in batch.label]
        assert names == sentences.train.y[batch.place].tolist()
        seen += batch.place
    assert sorted(seen) == list(range(len(part)))


def test_unseen_words_have_one_id_in_both(both, sentences):
    _, words, _, tokenizer = both
    texts = list(sentences.test.texts)
    ours = text.encode(tokenizer, texts)
    assert torch.equal(words.process([split(line) for line in texts])[0].T, ours)
    assert (ours == text.UNKNOWN).any()


def test_a_mix_along_dimension_one_is_the_mix_of_our_batches(both):
    part = both[0]
    batch = next(iter(shuffled(part)))
    (ids, _), count = batch.text, len(batch.label)
    vectors = torch.nn.Embedding(len(part.fields["text"].vocab), 6, padding_idx=0)
    mix = draw_mixup(count, generator=torch.Generator().manual_seed(0))
    length_first, ours = mix.inputs(vectors(ids), dim=1), mix.inputs(vectors(ids.T))
    assert torch.equal(length_first.transpose(0, 1), ours)
    assert torch.equal(mix.any_valid(ids != 0, dim=1).T, mix.any_valid(ids.T != 0))
    model = BiLSTM(len(part.fields["text"].vocab), classes=2)
    assert model(ids.T, mix, "embedding").shape == (count, 2)


def with_index_as_content(length, count):
    """``(length, batch, 1)``: every word of sentence b is the number b."""
    return torch.arange(count).float().expand(length, count).unsqueeze(2)


def test_a_mistaken_dimension_raises():
    mix = draw_mixup(8)
    with pytest.raises(ValueError, match=r"length 5 along dim=0, but the mix was drawn for .* 8"):
        mix.inputs(with_index_as_content(5, 8), dim=0)
    with pytest.raises(ValueError, match="length 5 along dim=0"):
        mix.any_valid(torch.ones(5, 8, dtype=torch.bool))


@pytest.mark.parametrize("length", [5, 8, 13])
@pytest.mark.parametrize("dim", [0, 1])
def test_the_content_trick_catches_what_no_shape_can(length, dim):
    """With as many words as sentences a mistaken dimension runs; the contents still tell."""
    mix = draw_mixup(8, partners=torch.arange(8).roll(3), per_sample=True)
    x, y = with_index_as_content(length, 8), torch.arange(8.0)
    if dim == 0 and length != 8:
        with pytest.raises(ValueError):
            mix.inputs(x, dim)
        return
    agrees = torch.allclose(mix.inputs(x, dim)[:, :, 0], mix.targets(y).expand(length, 8))
    assert agrees == (dim == 1)


def test_unshuffled_reviews_leave_no_partner_of_another_class(imdb):
    """IMDB's examples come class by class: whole batches have one label, whoever is the partner."""
    words, labels = make_fields()
    train, _ = IMDB.splits(words, labels, root=str(imdb))
    words.build_vocab(train, specials=["<unk>"])
    labels.build_vocab(train)
    for batch in Iterator(train, 2, shuffle=False, sort=False):
        assert len(set(batch.label.tolist())) == 1


def other_label(a, b):
    return float(a.label != b.label)


def other_length(a, b):
    return abs(len(a.text) - len(b.text))


@pytest.mark.parametrize(
    ("key", "apart"),
    [(lambda e: e.label, other_label), (lambda e: len(e.text), other_length)],
    ids=["sorted by class", "sorted by length"],
)
def test_fixed_partners_on_a_sorted_batch_are_alike(both, key, apart):
    rows = sorted(both[0].examples[:128], key=key)
    drawn = draw_mixup(128, generator=torch.Generator().manual_seed(0)).index[1]
    rolled, random = (
        sum(apart(rows[i], rows[j]) for i, j in enumerate(partners.tolist())) / 128
        for partners in (torch.arange(128).roll(1), drawn)
    )
    assert rolled < random / 4


def test_a_flip_of_a_sorted_batch_is_the_same_pairing_in_every_epoch(both):
    part = both[0]
    pairs = []
    for _ in range(2):
        rows = sorted(Iterator(part, 64, shuffle=True).data(), key=lambda e: (len(e.text), e.place))
        pairs.append({frozenset((a.place, b.place)) for a, b in zip(rows, rows[::-1])})
    assert pairs[0] == pairs[1]
    drawn = [frozenset(zip(*draw_mixup(len(part)).index.tolist())) for _ in range(2)]
    assert drawn[0] != drawn[1]


def test_a_mix_is_refused_where_ids_are_meant():
    with pytest.raises(TypeError, match="look token ids up first"):
        mix = Mix(torch.tensor([[0, 1], [1, 0]]), torch.full((2, 2), 0.5))
        mix.inputs(torch.tensor([[5, 9], [9, 5]]))
