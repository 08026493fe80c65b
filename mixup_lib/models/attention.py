"""A small vision transformer: attention where the other networks for images have convolutions."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixup_lib.basics.check import integer_at_least

__all__ = ["TinyViT"]


class TinyViT(nn.Module):
    """Vision transformer for small images (Dosovitskiy et al., 2021, section 3.1).

    The image is cut into square patches. Each becomes a token by a linear map, and learned
    position vectors say where it was. Blocks of attention and a small perceptron follow, with the
    normalisation first. One departure from the paper: the mean over all tokens is classified, not
    a token of its own, which suits few examples.

    With the defaults it has about as many parameters as ``ResNet(depth=8, width=16)``.

    Args:
        classes: number of outputs, at least 1.
        channels: channels of the input image, at least 1.
        side: height and width of the image in pixels, a multiple of ``patch``.
        patch: side of a patch in pixels, at least 1.
        width: length of a token, a multiple of ``heads``.
        depth: number of blocks, at least 1.
        heads: attention heads of a block, at least 1.
        dropout: probability in [0, 1) with which an output of attention or perceptron is dropped
            in training.

    Raises:
        ValueError: if a size is below 1, ``side`` is no multiple of ``patch``, ``width`` none of
            ``heads``, or ``dropout`` lies outside [0, 1).
    """

    def __init__(
        self,
        classes: int = 10,
        channels: int = 3,
        side: int = 32,
        patch: int = 8,
        width: int = 48,
        depth: int = 4,
        heads: int = 4,
        dropout: float = 0.0,
    ):
        super().__init__()
        sizes = {"classes": classes, "channels": channels, "side": side, "patch": patch}
        for name, size in (sizes | {"width": width, "depth": depth, "heads": heads}).items():
            integer_at_least(name, size, 1)
        if side % patch:
            raise ValueError(f"side={side} is no multiple of patch={patch}")
        if width % heads:
            raise ValueError(f"width={width} is no multiple of heads={heads}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got {dropout}")
        self.image = (channels, side, side)
        self.tokens = nn.Conv2d(channels, width, patch, stride=patch)
        self.position = nn.Parameter(torch.empty((side // patch) ** 2, width))
        self.blocks = nn.Sequential(*(_Block(width, heads, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, classes)
        nn.init.trunc_normal_(self.position, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(B, classes)`` of images ``x``: floating, ``(B, channels, side, side)``.

        Raises:
            ValueError: if the images have another shape: the positions are learned for one side.
        """
        if x.shape[1:] != self.image:
            raise ValueError(f"x has shape {tuple(x.shape)}; valid is (B, *{self.image})")
        tokens = self.tokens(x).flatten(2).transpose(1, 2) + self.position
        return self.classifier(self.norm(self.blocks(tokens)).mean(1))


class _Block(nn.Module):
    """Attention, then a perceptron, each normalised first and added to what came in."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        split = self.attend(self.first(x)).view(batch, length, 3, self.heads, -1)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value)
        x = x + self.dropout(self.join(seen.transpose(1, 2).reshape(batch, length, width)))
        return x + self.dropout(self.mlp(self.second(x)))
