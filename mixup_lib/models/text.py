"""Networks for sentences: token ids in, logits out, and three places where a mix can go."""

import torch
from torch import Tensor, nn

from mixup_lib.basics.check import integer_at_least
from mixup_lib.mixing.mix import Mix

__all__ = ["PLACES", "BiLSTM", "SentenceCNN", "mix_at"]

PLACES = ("embedding", "hidden", "sentence")
"""Where a text model can mix: word vectors, states of each position, the sentence's vector."""


def mix_at(model: nn.Module, ids: Tensor, mix: Mix, place: str) -> Tensor:
    """Forward pass with the mix at one of :data:`PLACES`; for ``fit(forward=partial(mix_at, …))``.

    Raises:
        ValueError: ``place`` is none of them.
    """
    return model(ids, mix, place)


class _TextModel(nn.Module):
    """Embeds, reads, takes the maximum over the real positions, classifies.

    Padding is id 0: its vector is zero and stays zero. A mixture is real where any of its
    sentences is; past its end, a shorter sentence adds zeros.
    """

    def __init__(self, vocabulary: int, classes: int, dim: int, features: int, dropout: float):
        super().__init__()
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got {dropout}")
        integer_at_least("classes", classes, 1)
        integer_at_least("dim", dim, 1)
        self.embedding = nn.Embedding(
            integer_at_least("vocabulary", vocabulary, 2), dim, padding_idx=0
        )
        # Small vectors learn faster than torch's default of unit variance (Kim 2014, section 3.1).
        nn.init.uniform_(self.embedding.weight, -0.25, 0.25)
        with torch.no_grad():
            self.embedding.weight[0] = 0
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(features, classes)

    def forward(self, ids: Tensor, mix: Mix | None = None, place: str = "embedding") -> Tensor:
        """Logits ``(B, classes)``.

        Args:
            ids: Token ids, integer ``(B, T)``, 0 at the end of shorter rows.
            mix: Drawn for B examples; None mixes nothing.
            place: One of :data:`PLACES`.

        Raises:
            TypeError: ``ids`` is floating.
            ValueError: ``ids`` is not ``(B, T)``, a row holds padding alone, or ``place`` is
                unknown.
        """
        if place not in PLACES:
            raise ValueError(f"place must be one of {PLACES}, got {place!r}")
        valid = valid_positions(ids)
        x = self.embedding(ids[:, : valid.size(1)])
        if mix is not None and place == "embedding":
            x, valid = mix.inputs(x), mix.any_valid(valid)
        x, valid = self.read(x, valid)
        if mix is not None and place == "hidden":
            x, valid = mix.inputs(x), mix.any_valid(valid)
        x = x.masked_fill(~valid.unsqueeze(2), -torch.inf).amax(1)
        if mix is not None and place == "sentence":
            x = mix.inputs(x)
        return self.classifier(self.dropout(x))


class BiLSTM(_TextModel):
    """LSTM in both directions, then the maximum over positions.

    The backward direction begins at a sentence's own last word, whatever the padding. This is what
    packed sequences do; reversing each sentence gives the same numbers, several times faster on a
    CPU.

    Args:
        vocabulary: Number of ids, padding and unknown included.
        classes: Number of outputs.
        dim: Length of a word vector.
        hidden: State size of each direction.
        dropout: Probability in [0, 1) of dropping a feature of the sentence's vector.

    Raises:
        ValueError: A size below 1 (``vocabulary``: 2) or ``dropout`` outside [0, 1).

    Source: Hochreiter and Schmidhuber 1997; maximum over positions as in Conneau et al., EMNLP
    2017.
    """

    def __init__(
        self, vocabulary: int, classes: int, dim: int = 100, hidden: int = 64, dropout: float = 0.5
    ):
        integer_at_least("hidden", hidden, 1)
        super().__init__(vocabulary, classes, dim, 2 * hidden, dropout)
        self.rightward = nn.LSTM(dim, hidden, batch_first=True)
        self.leftward = nn.LSTM(dim, hidden, batch_first=True)

    def read(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """States ``(B, T, 2 * hidden)`` of word vectors ``(B, T, dim)``; zero past the end.

        A mixture is as long as its longest sentence.
        """
        position = torch.arange(x.size(1), device=x.device)
        last = valid.sum(1, keepdim=True) - 1
        mirror = torch.where(valid, last - position, position).unsqueeze(2)
        right = self.rightward(x)[0]
        left = self.leftward(x.gather(1, mirror.expand_as(x)))[0]
        states = torch.cat([right, left.gather(1, mirror.expand_as(left))], 2)
        return states * valid.unsqueeze(2), valid


class SentenceCNN(_TextModel):
    """Convolutions over three, four and five words, then the maximum over positions.

    Args:
        vocabulary: Number of ids, padding and unknown included.
        classes: Number of outputs.
        dim: Length of a word vector.
        filters: Filters of each width.
        widths: Words that a filter sees.
        dropout: Probability in [0, 1) of dropping a feature of the sentence's vector.

    Raises:
        ValueError: A size below 1 (``vocabulary``: 2) or ``dropout`` outside [0, 1).

    Source: Kim, "Convolutional Neural Networks for Sentence Classification", EMNLP 2014.
    """

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        dim: int = 100,
        filters: int = 100,
        widths: tuple[int, ...] = (3, 4, 5),
        dropout: float = 0.5,
    ):
        integer_at_least("filters", filters, 1)
        for width in widths:
            integer_at_least("widths", width, 1)
        super().__init__(vocabulary, classes, dim, filters * len(widths), dropout)
        self.convolutions = nn.ModuleList(nn.Conv1d(dim, filters, width) for width in widths)

    def read(self, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Feature maps ``(B, T, filters * len(widths))`` of word vectors ``(B, T, dim)``.

        One window for each word, so a sentence may be shorter than the widest filter.
        """
        x, maps = x.transpose(1, 2), []
        for convolution in self.convolutions:
            beside = convolution.kernel_size[0] - 1
            maps.append(convolution(nn.functional.pad(x, (beside // 2, beside - beside // 2))))
        return torch.cat(maps, 1).relu().transpose(1, 2), valid


def valid_positions(ids: Tensor) -> Tensor:
    """Where the words are, up to the last one of the batch: bool ``(B, longest)``."""
    if ids.is_floating_point():
        raise TypeError(
            f"ids has dtype {ids.dtype}; valid are integer token ids (B, T). To mix, pass ids and "
            "a mix: the model mixes their embeddings"
        )
    if ids.ndim != 2:
        raise ValueError(f"ids has shape {tuple(ids.shape)}; valid is (B, T)")
    valid = ids != 0
    lengths = valid.sum(1)
    if not lengths.all():
        row = int((lengths == 0).nonzero()[0])
        raise ValueError(f"ids[{row}] holds padding alone; valid is one token or more per row")
    return valid[:, : int(lengths.max())]
