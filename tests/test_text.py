"""From sentences to padded ids: what is cleaned, what is numbered, what is refused."""

import sys

import pytest
import torch
from torch.utils.data import TensorDataset

from mixup_lib import draw_mixup
from mixup_lib.datasets import Splits, Texts
from mixup_lib.text.tokens import (
    PAD,
    UNKNOWN,
    clean,
    encode,
    encode_splits,
    lengths,
    word_tokenizer,
)

TEXTS = ["The tea was good, good tea!", "Not good.", "It's bad tea"]


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("Fine<br /><br />thing", "fine thing"),
        ("salt &amp; pepper", "salt & pepper"),
        ("see https://example.org/a?b=1 and www.example.org now", "see and now"),
        ("  TWO\t  spaces\n", "two spaces"),
        ("don\u2019t \uff21\uff22", "don't ab"),
        ("a < b and c > d", "a d"),
    ],
)
def test_clean(dirty, expected):
    assert clean(dirty) == expected
    assert clean(clean(dirty)) == clean(dirty)


def test_the_vocabulary_is_sorted_and_holds_the_training_words_alone():
    tokenizer = word_tokenizer(TEXTS)
    words = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    assert words == [
        "<pad>",
        "<unk>",
        "good",
        "tea",
        "!",
        ",",
        ".",
        "bad",
        "it's",
        "not",
        "the",
        "was",
    ]
    assert tokenizer.encode("good bread").ids == [2, UNKNOWN]
    assert word_tokenizer(TEXTS, min_count=2).get_vocab_size() == 4
    assert word_tokenizer(TEXTS, max_words=5).get_vocab_size() == 5


def test_encode_pads_cuts_and_tells_real_from_padding():
    tokenizer = word_tokenizer(TEXTS)
    ids = encode(tokenizer, TEXTS)
    assert ids.dtype == torch.long and ids.shape == (3, 8)
    assert lengths(ids).tolist() == [8, 3, 3]
    assert tokenizer.decode(ids[2, :3].tolist()) == "it's bad tea"
    assert encode(tokenizer, TEXTS, length=4).shape == (3, 4)
    assert torch.equal(encode(tokenizer, TEXTS, length=20)[:, :8], ids)
    assert (encode(tokenizer, TEXTS, length=20)[:, 8:] == PAD).all()


def test_the_mask_of_a_mixture_is_that_of_its_longest_sentence():
    ids = encode(word_tokenizer(TEXTS), TEXTS)
    mix = draw_mixup(3, partners=torch.tensor([1, 2, 0]))
    assert mix.any_valid(ids != PAD).sum(1).tolist() == [8, 3, 8]


def test_encode_splits_numbers_words_by_the_training_part():
    parts = [
        Texts(texts, torch.tensor([0, 1]))
        for texts in (["good tea", "bad tea"], ["good coffee", "tea"], ["coffee", "bad bad bad"])
    ]
    splits, tokenizer = encode_splits(Splits("toy", *parts, classes=("n", "p")), length=3)
    assert isinstance(splits.train, TensorDataset) and splits.classes == ("n", "p")
    assert tokenizer.token_to_id("coffee") is None
    assert splits.validation.tensors[0].tolist() == [
        [tokenizer.token_to_id("good"), 1, 0],
        [tokenizer.token_to_id("tea"), 0, 0],
    ]
    assert splits.test.tensors[1].tolist() == [0, 1]
    empty = Texts([], torch.tensor([], dtype=torch.long))
    left, _ = encode_splits(Splits("toy", parts[0], empty, parts[2], classes=("n", "p")))
    assert len(left.validation) == 0


def test_bad_input_is_named():
    tokenizer = word_tokenizer(TEXTS)
    with pytest.raises(ValueError, match=r"texts\[1\]='<br />' has no token left"):
        encode(tokenizer, ["good", "<br />"])
    with pytest.raises(ValueError, match="valid is a sequence of one sentence or more"):
        encode(tokenizer, "good tea")
    with pytest.raises(ValueError, match="valid is a sequence of one sentence or more"):
        encode(tokenizer, [])
    with pytest.raises(ValueError, match="length"):
        encode(tokenizer, TEXTS, length=0)
    with pytest.raises(ValueError, match="no word that occurs min_count=9 times"):
        word_tokenizer(TEXTS, min_count=9)
    with pytest.raises(ValueError, match="min_count"):
        word_tokenizer(TEXTS, min_count=0)
    with pytest.raises(ValueError, match="max_words"):
        word_tokenizer(TEXTS, max_words=1)
    with pytest.raises(ValueError, match="texts has 2 sentences, y has 1 labels"):
        Texts(["a", "b"], torch.tensor([1]))


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ImportError, match=r'pip install "mixup-lib\[text\]" brings it'):
        word_tokenizer(TEXTS)
