"""From sentences to padded batches of token ids: clean, split, number, pad.

The tokeniser is the maintained ``tokenizers`` package (extra ``text``). Id 0 is padding, id 1 any
word that the training part lacks.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.optional import require

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from mixup_lib.datasets.splits import Splits

__all__ = [
    "PAD",
    "UNKNOWN",
    "clean",
    "encode",
    "encode_splits",
    "encode_with",
    "lengths",
    "word_tokenizer",
]

PAD, UNKNOWN = 0, 1
"""Ids of the padding and of every word that is not in the vocabulary."""

# A word may hold an apostrophe ("don't"); every other sign is a token of its own.
TOKEN = r"\w+(?:'\w+)*|[^\w\s]"


def clean(text: str) -> str:
    """The text without what is not language: markup, addresses, doubled spaces; in lower case.

    Entities are resolved (``&amp;``), tags (``<br />``) and web addresses go, letters take their
    normal form (NFKC), curly apostrophes become straight.
    """
    text = re.sub(r"<[^<>]*>", " ", html.unescape(text))
    text = re.sub(r"https?://\S+|www\.\S+", " ", text)
    text = unicodedata.normalize("NFKC", text).replace("\u2019", "'").replace("\u2018", "'")
    return " ".join(text.lower().split())


def word_tokenizer(
    texts: Iterable[str], min_count: int = 1, max_words: int | None = None
) -> Tokenizer:
    """A tokeniser whose vocabulary are the words of ``texts``: the training part, nothing else.

    Args:
        texts: Sentences; they are cleaned (:func:`clean`) here.
        min_count: How often a word must occur to get an id of its own, 1 or more.
        max_words: Most ids, padding and unknown included, 2 or more; None sets no bound. Frequent
            words come first, words of equal count in alphabetical order.

    Returns:
        A ``tokenizers.Tokenizer``; ``encode(text).ids`` and ``.tokens`` are lists.

    Raises:
        ValueError: A bound out of range, or no word at all.
        ImportError: ``tokenizers`` is missing.
    """
    integer_at_least("min_count", min_count, 1)
    if max_words is not None:
        integer_at_least("max_words", max_words, 2)
    tk = require("tokenizers", "text")
    tokenizer = tk.Tokenizer(tk.models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = tk.pre_tokenizers.Split(tk.Regex(TOKEN), "removed", invert=True)
    trainer = tk.trainers.WordLevelTrainer(
        special_tokens=["<pad>", "<unk>"],
        min_frequency=min_count,
        vocab_size=max_words or 2**31,
        show_progress=False,
    )
    tokenizer.train_from_iterator([clean(text) for text in texts], trainer)
    if tokenizer.get_vocab_size() == 2:
        raise ValueError(
            f"texts hold no word that occurs min_count={min_count} times or more; valid are "
            "sentences with words, or a smaller min_count"
        )
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str], length: int | None = None) -> Tensor:
    """Token ids, padded at the end.

    Args:
        tokenizer: From :func:`word_tokenizer`.
        texts: n sentences; they are cleaned here.
        length: Tokens per sentence: longer ones lose their end, shorter ones are padded. None
            takes that of the longest, so nothing is lost.

    Returns:
        int64 ``(n, T)``; :data:`PAD` fills what is left of a row, and is found nowhere else.

    Raises:
        ValueError: ``texts`` is empty, a text has no token, or ``length`` is below 1.
    """
    if isinstance(texts, str) or not len(texts):
        raise ValueError(f"texts={texts!r}; valid is a sequence of one sentence or more")
    if length is not None:
        integer_at_least("length", length, 1)
    rows = [found.ids for found in tokenizer.encode_batch([clean(text) for text in texts])]
    for i, row in enumerate(rows):
        if not row:
            raise ValueError(
                f"texts[{i}]={texts[i]!r} has no token left after cleaning; valid: remove it, or "
                "put a word in its place"
            )
    width = length or max(map(len, rows))
    ids = torch.full((len(rows), width), PAD)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row[:width])
    return ids


def lengths(ids: Tensor) -> Tensor:
    """Number of real tokens per row: int64 ``(n,)`` for ids ``(n, T)``."""
    return (ids != PAD).sum(1)


def encode_splits(
    splits: Splits,
    min_count: int = 1,
    max_words: int | None = None,
    length: int | None = None,
) -> tuple[Splits, Tokenizer]:
    """The three parts as token ids, and the tokeniser, which knows the training part alone.

    Args:
        splits: Parts that hold ``texts`` and labels ``y`` (:class:`mixup_lib.datasets.Texts`).
        min_count: As in :func:`word_tokenizer`.
        max_words: As in :func:`word_tokenizer`.
        length: As in :func:`encode`; None takes the longest sentence of each part.

    Returns:
        Splits with ``TensorDataset(ids, y)``, int64 ``(n, T)`` and ``(n,)``; the tokeniser.

    Raises:
        ValueError: As the two functions named.
    """
    tokenizer = word_tokenizer(splits.train.texts, min_count, max_words)
    parts = {
        name: TensorDataset(encode(tokenizer, part.texts, length), part.y)
        for name in ("train", "validation", "test")
        if len(part := getattr(splits, name))
    }
    return replace(splits, **parts), tokenizer


def encode_with(tokenizer: Tokenizer, splits: Splits, length: int = 128) -> Splits:
    """The three parts as ids of a pretrained tokeniser, its own marks of begin and end included.

    Args:
        tokenizer: A ``tokenizers.Tokenizer`` whose padding has id 0; it is set to ``length``.
        splits: Parts that hold ``texts`` and labels ``y`` (:class:`mixup_lib.datasets.Texts`).
        length: Most tokens of a sentence, 3 or more; longer ones lose their end.

    Returns:
        Splits with ``TensorDataset(ids, y)``, int64 ``(n, T)`` and ``(n,)``, each part as wide as
        its longest sentence.

    Raises:
        ValueError: ``length`` is below 3.
    """
    tokenizer.enable_truncation(integer_at_least("length", length, 3))
    tokenizer.enable_padding(pad_id=PAD, pad_token=tokenizer.id_to_token(PAD))
    parts = {}
    for name in ("train", "validation", "test"):
        if len(part := getattr(splits, name)):
            rows = tokenizer.encode_batch(part.texts)
            parts[name] = TensorDataset(torch.tensor([row.ids for row in rows]), part.y)
    return replace(splits, **parts)
