"""A small encoder-decoder with attention, and the three places where a mix can act in it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mixup_lib.basics.check import integer_at_least
from mixup_lib.mixing.mix import Mix
from mixup_lib.text.sequences import BOS, EOS, PAD, check_pairs

__all__ = ["Seq2Seq", "mixed_sequences"]


class Seq2Seq(nn.Module):
    """A bidirectional GRU that reads, and a GRU with attention that writes.

    Both sides share one table of embeddings; that of ``PAD`` is zero and stays so. Attention is
    the dot product of Luong et al. (2015, section 3.1, "dot"), over real positions only.

    Args:
        vocabulary: number of ids, specials included; more than 3.
        width: length of the decoder's state, even, at least 2; each direction of the encoder has
            half of it.
        embedding: length of an embedding, at least 1.
        dropout: probability in [0, 1) of dropping a number in an embedding, and in what the
            output layer reads.

    Raises:
        ValueError: if an argument is out of range.

    Source: Bahdanau, Cho, Bengio, "Neural Machine Translation by Jointly Learning to Align and
    Translate", ICLR 2015; Luong, Pham, Manning, "Effective Approaches to Attention-based Neural
    Machine Translation", EMNLP 2015.
    """

    def __init__(self, vocabulary: int, width: int = 64, embedding: int = 32, dropout: float = 0.0):
        super().__init__()
        integer_at_least("vocabulary", vocabulary, EOS + 2)
        integer_at_least("embedding", embedding, 1)
        if integer_at_least("width", width, 2) % 2:
            raise ValueError(f"width must be even, got {width}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got {dropout}")
        self.embedding = nn.Embedding(vocabulary, embedding, padding_idx=PAD)
        self.encoder = nn.GRU(embedding, width // 2, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(width, width)
        self.decoder = nn.GRU(embedding, width, batch_first=True)
        self.combine = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, vocabulary)

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(B, L, V)`` of pairs ``x`` ``(B, 2, L)``: the decoder reads the true words.

        Raises:
            ValueError: as in :meth:`embed`, and if ``x`` has another shape.
            TypeError: as in :meth:`embed`.
        """
        check_pairs(x)
        embedded, valid = self.embed(x[:, 0])
        states, start = self.encode(embedded, valid)
        return self.decode(self.embed_words(x[:, 1]), states, valid, start)[0]

    def embed(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Looks the source up.

        Args:
            source: ``(B, S)`` integer ids in [0, V), padded on the right with ``PAD``.

        Returns:
            Embeddings ``(B, S', E)`` and a mask ``(B, S')``, True at real ids; columns that are
            padding in every row are left out, so S' <= S.

        Raises:
            ValueError: a source is empty, padding stands inside one, or an id is out of range.
            TypeError: the ids are not integers.
        """
        valid = source != PAD
        lengths = valid.sum(1)
        if source.ndim != 2 or len(source) == 0 or lengths.min() == 0:
            raise ValueError(
                f"source has shape {tuple(source.shape)} and lengths {lengths.tolist()[:8]}; valid "
                "is (B, S), with at least one real id in every row"
            )
        longest = int(lengths.max())
        if not torch.equal(valid.cumprod(1).sum(1), lengths):
            raise ValueError(f"source has PAD={PAD} inside a sequence; valid is PAD on the right")
        return self.embed_words(source[:, :longest], "source"), valid[:, :longest]

    def embed_words(self, ids: Tensor, name: str = "ids") -> Tensor:
        """Embeddings ``(B, L, E)`` of ids ``(B, L)``; ``name`` is used in error messages."""
        known = self.embedding.num_embeddings
        if ids.is_floating_point() or ids.dtype == torch.bool:
            raise TypeError(f"{name} has dtype {ids.dtype}; valid is an integer dtype, ids")
        if ids.is_cpu and ids.numel() and not 0 <= ids.min() <= ids.max() < known:
            low, high = ids.min().item(), ids.max().item()
            raise ValueError(f"{name} go from {low} to {high}; valid are 0 to {known - 1}")
        return self.dropout(self.embedding(ids))

    def encode(self, embedded: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Reads the source.

        Args:
            embedded: ``(B, S, E)`` floating, embeddings or mixtures of them.
            valid: ``(B, S)`` bool, True at real positions, which come first.

        Returns:
            States ``(B, S, width)``, zero at padding, and the decoder's first state
            ``(1, B, width)``: the batch is its *second* dimension, as everywhere in torch's GRU.

        Raises:
            TypeError: ids came instead of embeddings.
        """
        if not embedded.is_floating_point():
            raise TypeError(
                f"embedded has dtype {embedded.dtype}; valid are floating embeddings: look ids up "
                "first, embedded, valid = model.embed(ids)"
            )
        # Packed: neither direction ever reads padding.
        packed = pack_padded_sequence(
            embedded, valid.sum(1).cpu(), batch_first=True, enforce_sorted=False
        )
        states, last = self.encoder(packed)
        states, _ = pad_packed_sequence(states, batch_first=True, total_length=valid.shape[1])
        both = last.transpose(0, 1).flatten(1)
        return states, torch.tanh(self.bridge(both)).unsqueeze(0)

    def decode(
        self, embedded: Tensor, states: Tensor, valid: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Writes.

        Args:
            embedded: ``(B, T, E)`` floating, the words that were written before.
            states: ``(B, S, width)`` from :meth:`encode`.
            valid: ``(B, S)`` bool, where attention may look.
            state: ``(1, B, width)``, the decoder's state before the first of the T words.

        Returns:
            Logits ``(B, T, V)`` of the next word at each place, and the state after the last.
        """
        read, state = self.decoder(embedded, state)
        scores = (read @ states.transpose(1, 2)).masked_fill(~valid.unsqueeze(1), -torch.inf)
        seen = scores.softmax(-1) @ states
        combined = torch.tanh(self.combine(torch.cat([read, seen], -1)))
        return self.output(self.dropout(combined)), state

    @torch.no_grad()
    def generate(self, source: Tensor, longest: int) -> Tensor:
        """Decodes greedily: the likeliest word at each place, then the next, until ``EOS``.

        Args:
            source: ``(B, S)`` integer ids, padded on the right.
            longest: number of places to fill at most, at least 1.

        Returns:
            Ids ``(B, longest)`` long: words, ``EOS`` where the end was reached, then ``PAD``.

        Raises:
            ValueError: as in :meth:`embed`, and if ``longest`` is below 1.
            TypeError: as in :meth:`embed`.
        """
        integer_at_least("longest", longest, 1)
        embedded, valid = self.embed(source)
        states, state = self.encode(embedded, valid)
        word = torch.full_like(source[:, 0], BOS)
        ended = torch.zeros_like(word, dtype=torch.bool)
        written = torch.full((len(source), longest), PAD, device=source.device)
        for place in range(longest):
            before = self.embed_words(word.unsqueeze(1))
            logits, state = self.decode(before, states, valid, state)
            word = logits[:, 0].argmax(1).masked_fill(ended, PAD)
            written[:, place] = word
            ended |= word == EOS
            if ended.all():
                break
        return written


def mixed_sequences(model: Seq2Seq, x: Tensor, mix: Mix, place: str = "embedding") -> Tensor:
    """The forward pass on a mixed batch; ``fit(..., forward=mixed_sequences)`` trains with it.

    What the decoder reads is mixed with the *same* mix as the source: each word's embedding with
    that at the same place of the partner. The source's positions are real where one of the two
    is. The loss must then weigh the original targets by that mix:
    ``mixed_loss(sequence_loss, logits, y, mix)``.

    Args:
        model: a :class:`Seq2Seq`.
        x: ``(B, 2, L)`` integer ids, unmixed.
        mix: the mix of this batch.
        place: ``"embedding"`` mixes the source's embeddings; ``"hidden"`` lets the encoder read
            each source alone and mixes its states, and the decoder's first state.

    Returns:
        Logits ``(B, L, V)``.

    Raises:
        ValueError: ``place`` is another word, ``mix`` was drawn for another batch length, or
            ``x`` is not as the model expects it.
        TypeError: ``x`` does not hold integer ids.

    Source: Guo, Kim, Rush, "Sequence-Level Mixed Sample Data Augmentation", EMNLP 2020, for
    ``"embedding"``; Verma et al., "Manifold Mixup", ICML 2019, for ``"hidden"``.
    """
    check_pairs(x)
    if place not in ("embedding", "hidden"):
        raise ValueError(f'place must be "embedding" or "hidden", got {place!r}')
    embedded, valid = model.embed(x[:, 0])
    either = mix.any_valid(valid)
    if place == "embedding":
        states, start = model.encode(mix.inputs(embedded), either)
    else:
        states, start = model.encode(embedded, valid)
        states, start = mix.inputs(states), mix.inputs(start, dim=1)
    return model.decode(mix.inputs(model.embed_words(x[:, 1])), states, either, start)[0]
