"""Text: from sentences to padded batches of ids, and sequences of them.

``PAD`` is id 0 in both.
"""

from mixup_lib.text.sequences import BOS, EOS, PAD, sequence_loss, sequence_scores, word_dropout
from mixup_lib.text.tokens import UNKNOWN, clean, encode, encode_splits, lengths, word_tokenizer

__all__ = [
    "BOS",
    "EOS",
    "PAD",
    "UNKNOWN",
    "clean",
    "encode",
    "encode_splits",
    "lengths",
    "sequence_loss",
    "sequence_scores",
    "word_dropout",
    "word_tokenizer",
]
