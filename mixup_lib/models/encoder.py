"""A pretrained encoder of sentences: MiniLM by Hugging Face ``transformers``, or a small one.

Like the networks of :mod:`mixup_lib.models.text` it takes token ids and a mix, which goes to the
embeddings, to the states after a layer, or to the sentence's vector.
"""

from __future__ import annotations

from torch import Tensor, nn

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.optional import require
from mixup_lib.datasets.pretrained import minilm_file
from mixup_lib.mixing.mix import Mix
from mixup_lib.models.text import PLACES, valid_positions

__all__ = ["SentenceEncoder"]

MINILM_SHAPE = {"vocabulary": 30_522, "dim": 384, "layers": 6, "heads": 12}


class SentenceEncoder(nn.Module):
    """A BERT encoder, the mean over the real positions, and a linear classifier.

    Padding is id 0. Past the end of a shorter sentence a mixture gets zeros, at the embeddings and
    at the states after a layer; there, attention and the mean see every position at which one of
    the mixed sentences has a token.

    Args:
        vocabulary: Number of ids, padding included, 2 or more.
        classes: Number of outputs.
        dim: Length of a state, a multiple of ``heads``.
        layers: Layers of attention, 1 or more.
        heads: Of each layer.
        hidden: After how many layers the place "hidden" comes; None takes half of them, rounded
            up.
        dropout: Probability in [0, 1) of dropping states and attention.
        pretrained: ``"minilm"`` loads MiniLM's weights, 30,522 tokens, six layers of 12 heads and
            384 numbers, and this must be the shape asked for; None draws all weights from torch's
            default generator.

    Raises:
        ValueError: A size out of range, or another shape than that of the pretrained weights.
        FileNotFoundError, OSError: The weights are missing, or are others; see
            :func:`~mixup_lib.datasets.minilm_file`.
        ImportError: ``transformers`` is missing.

    Source: Devlin et al., NAACL 2019; Wang et al., "MiniLM", NeurIPS 2020; Reimers and Gurevych,
    EMNLP 2019, whose mean over positions it is.
    """

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        dim: int = 32,
        layers: int = 2,
        heads: int = 4,
        hidden: int | None = None,
        dropout: float = 0.1,
        pretrained: str | None = None,
    ):
        super().__init__()
        integer_at_least("vocabulary", vocabulary, 2)
        integer_at_least("classes", classes, 1)
        integer_at_least("layers", layers, 1)
        integer_at_least("heads", heads, 1)
        if integer_at_least("dim", dim, 1) % heads:
            raise ValueError(f"dim must be a multiple of heads={heads}, got {dim}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got {dropout}")
        self.hidden = -(-layers // 2) if hidden is None else integer_at_least("hidden", hidden, 0)
        if self.hidden > layers:
            raise ValueError(f"hidden must be at most layers={layers}, got {hidden}")
        transformers = require("transformers", "text")
        self.encoder = transformers.BertModel(
            transformers.BertConfig(
                vocab_size=vocabulary,
                hidden_size=dim,
                num_hidden_layers=layers,
                num_attention_heads=heads,
                intermediate_size=4 * dim,
                hidden_dropout_prob=dropout,
                attention_probs_dropout_prob=dropout,
            ),
            add_pooling_layer=False,
        )
        self.classifier = nn.Linear(dim, classes)
        if pretrained is not None:
            shape = {"vocabulary": vocabulary, "dim": dim, "layers": layers, "heads": heads}
            _load(self.encoder, pretrained, shape)

    def forward(self, ids: Tensor, mix: Mix | None = None, place: str = "embedding") -> Tensor:
        """Logits ``(B, classes)``.

        Args:
            ids: Token ids, integer ``(B, T)``, 0 at the end of shorter rows.
            mix: Drawn for B examples; None mixes nothing.
            place: One of :data:`~mixup_lib.models.PLACES`.

        Raises:
            TypeError: ``ids`` is floating.
            ValueError: ``ids`` is not ``(B, T)``, a row holds padding alone, or ``place`` is
                unknown.
        """
        if place not in PLACES:
            raise ValueError(f"place must be one of {PLACES}, got {place!r}")
        valid = valid_positions(ids)
        x = self.encoder.embeddings(ids[:, : valid.size(1)])
        if mix is not None and place == "embedding":
            x, valid = _mixed(x, valid, mix)
        for i, layer in enumerate(self.encoder.encoder.layer):
            if mix is not None and place == "hidden" and i == self.hidden:
                x, valid = _mixed(x, valid, mix)
            x = layer(x, valid[:, None, None, :])
            x = x[0] if isinstance(x, tuple) else x  # as older releases return it
        if mix is not None and place == "hidden" and self.hidden == len(self.encoder.encoder.layer):
            x, valid = _mixed(x, valid, mix)
        seen = valid.unsqueeze(2)
        x = (x * seen).sum(1) / seen.sum(1)
        if mix is not None and place == "sentence":
            x = mix.inputs(x)
        return self.classifier(x)


def _mixed(x: Tensor, valid: Tensor, mix: Mix) -> tuple[Tensor, Tensor]:
    """States ``(B, T, dim)`` mixed, zero past a sentence's end; and where a mixture has words."""
    return mix.inputs(x * valid.unsqueeze(2)), mix.any_valid(valid)


def _load(encoder: nn.Module, name: str, shape: dict) -> None:
    """Puts pretrained weights into an encoder of their shape."""
    if name != "minilm" or shape != MINILM_SHAPE:
        raise ValueError(f"pretrained={name!r} with {shape}; valid is 'minilm' with {MINILM_SHAPE}")
    weights = require("safetensors.torch", "text").load_file(minilm_file("model.safetensors"))
    # The file has what this model does without: a pooling layer, and positions as numbers.
    weights = {k: v for k, v in weights.items() if not k.startswith("pooler.")}
    weights.pop("embeddings.position_ids", None)
    encoder.load_state_dict(weights)
