"""Two senses at once: what is seen and what is heard of the same thing.

An example is one vector, what is seen first and what is heard after it. So one mix, applied to the
vector, mixes both senses alike, and the label fits both.
"""

import torch
from torch import Tensor, nn

from mixup_lib.basics.check import integer_at_least
from mixup_lib.mixing.draw import draw_mixup
from mixup_lib.mixing.mix import Mix

__all__ = ["TwoSenses", "companions", "mix_apart"]


def companions(y: Tensor, among: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """For each label an example of the same class from another set, drawn with replacement.

    Args:
        y: Class ids ``(N,)``.
        among: Class ids ``(M,)`` of the other set.
        generator: A CPU generator, or None for torch's default one.

    Returns:
        int64 ``(N,)``, positions in ``among``; ``among[companions(y, among)]`` equals ``y``.

    Raises:
        ValueError: A class of ``y`` does not occur in ``among``.
    """
    found = torch.empty(len(y), dtype=torch.long)
    for label in y.unique().tolist():
        rows, places = (y == label).nonzero()[:, 0], (among == label).nonzero()[:, 0]
        if not len(places):
            raise ValueError(f"class {label} of y does not occur in among: it has no companion")
        found[rows] = places[torch.randint(len(places), (len(rows),), generator=generator)]
    return found


class TwoSenses(nn.Module):
    """One branch for each sense, joined before the last layer.

    Args:
        seen: Length of what is seen, at least 1; it comes first in the vector.
        heard: Length of what is heard, at least 1.
        classes: Number of outputs, at least 1.
        hidden: Width of each branch, at least 1.

    Raises:
        ValueError: A size below 1.
    """

    def __init__(self, seen: int, heard: int, classes: int, hidden: int = 64):
        super().__init__()
        for name, size in {"seen": seen, "heard": heard, "hidden": hidden}.items():
            integer_at_least(name, size, 1)
        self.seen = seen
        self.eye = nn.Sequential(nn.Linear(seen, hidden), nn.ReLU(), nn.Linear(hidden, hidden))
        self.ear = nn.Sequential(nn.Linear(heard, hidden), nn.ReLU(), nn.Linear(hidden, hidden))
        self.classifier = nn.Linear(2 * hidden, integer_at_least("classes", classes, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(B, classes)`` of examples ``(B, seen + heard)``."""
        both = torch.cat([self.eye(x[:, : self.seen]), self.ear(x[:, self.seen :])], 1)
        return self.classifier(both.relu())


def mix_apart(model: TwoSenses, x: Tensor, mix: Mix, alpha: float = 1.0) -> Tensor:
    """Forward pass for :func:`fit` that mixes what is heard by a draw of its own: a mistake.

    What is seen is mixed by ``mix``, and so are the labels; they say nothing about the sounds'
    partners. The second draw comes from torch's default generator, which ``fit`` seeds.
    """
    other = draw_mixup(len(x), alpha)
    heard = other.inputs(x[:, model.seen :])
    return model(torch.cat([mix.inputs(x[:, : model.seen]), heard], 1))
