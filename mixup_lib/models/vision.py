"""Networks for images: a multilayer perceptron, a small CNN, ResNets for small images."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from mixup_lib.basics.check import integer_at_least

__all__ = ["MLP", "ResNet", "ResNet9", "SmallCNN"]


class MLP(nn.Module):
    """Multilayer perceptron with ReLU and optional dropout.

    Args:
        in_features: length of one flattened example, at least 1.
        hidden: width of each hidden layer; one number means one hidden layer, an empty
            sequence means a linear model.
        classes: number of outputs, at least 1.
        dropout: probability in [0, 1) with which a hidden unit is dropped in training.

    Raises:
        ValueError: if a size is below 1 or ``dropout`` lies outside [0, 1).
    """

    def __init__(
        self,
        in_features: int,
        hidden: int | Sequence[int] = 64,
        classes: int = 10,
        dropout: float = 0.0,
    ):
        super().__init__()
        widths = [hidden] if isinstance(hidden, int) else list(hidden)
        sizes = [integer_at_least("in_features", in_features, 1)]
        sizes += [integer_at_least("hidden", width, 1) for width in widths]
        integer_at_least("classes", classes, 1)
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got {dropout}")
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in zip(sizes, sizes[1:], strict=False):
            layers += [nn.Linear(before, after), nn.ReLU()]
            if dropout:
                layers.append(nn.Dropout(dropout))
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], classes))

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(B, classes)`` of ``x``: floating, ``(B, ...)``, ``in_features`` in all."""
        return self.layers(x)


class SmallCNN(nn.Module):
    """Three 3x3 convolutions with batch normalisation, then a linear layer.

    Works for any image side from 4 pixels up; made for 8x8 and 32x32. The last two
    convolutions halve the resolution, and the average over what is left feeds the classifier.

    Args:
        channels: channels of the input image, at least 1.
        classes: number of outputs, at least 1.
        width: channels of the first convolution; the next two have twice as many.
        dropout: probability in [0, 1) of dropping a feature before the last layer.

    Raises:
        ValueError: if a size is below 1 or ``dropout`` lies outside [0, 1).
    """

    def __init__(self, channels: int, classes: int, width: int = 16, dropout: float = 0.0):
        super().__init__()
        integer_at_least("channels", channels, 1)
        integer_at_least("classes", classes, 1)
        integer_at_least("width", width, 1)
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got {dropout}")
        self.features = nn.Sequential(
            _conv_bn(channels, width, 1),
            nn.ReLU(),
            _conv_bn(width, 2 * width, 2),
            nn.ReLU(),
            _conv_bn(2 * width, 2 * width, 2),
            nn.ReLU(),
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(2 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(B, classes)`` of images ``x``: floating, ``(B, channels, H, W)``."""
        return self.classifier(self.dropout(self.features(x).mean(dim=(2, 3))))


class ResNet(nn.Module):
    """Residual network for small images (He et al., 2016, section 4.2).

    Three stages of basic blocks with ``width``, ``2 * width`` and ``4 * width`` channels; the
    second and third halve the resolution. Two departures from the paper: a shortcut that
    changes the shape is a 1x1 convolution (the paper's option B), and ``stem_stride=2`` lets
    the first convolution halve the resolution, which costs a quarter of the arithmetic.

    Args:
        depth: number of weighted layers, ``6 n + 2``: 8, 14, 20, ...
        width: channels of the first stage, at least 1.
        classes: number of outputs, at least 1.
        channels: channels of the input image, at least 1.
        stem_stride: 1 or 2.
        dropout: probability in [0, 1) of dropping a value between a block's two convolutions
            (Zagoruyko and Komodakis, 2016, section 2.4).

    Raises:
        ValueError: if ``depth`` is not ``6 n + 2``, a size is below 1, ``stem_stride`` is
            neither 1 nor 2, or ``dropout`` lies outside [0, 1).
    """

    def __init__(
        self,
        depth: int = 20,
        width: int = 16,
        classes: int = 10,
        channels: int = 3,
        stem_stride: int = 1,
        dropout: float = 0.0,
    ):
        super().__init__()
        integer_at_least("depth", depth, 8)
        if (depth - 2) % 6:
            raise ValueError(f"depth must be 6 n + 2, such as 8, 14 or 20, got {depth}")
        integer_at_least("width", width, 1)
        integer_at_least("classes", classes, 1)
        integer_at_least("channels", channels, 1)
        if stem_stride not in (1, 2):
            raise ValueError(f"stem_stride must be 1 or 2, got {stem_stride!r}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got {dropout}")
        blocks_per_stage = (depth - 2) // 6
        self.stem = _conv_bn(channels, width, stem_stride)
        blocks, before = [], width
        for stage in range(3):
            after = width * 2**stage
            for block in range(blocks_per_stage):
                blocks.append(_Block(before, after, 2 if stage and not block else 1, dropout))
                before = after
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(before, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(B, classes)`` of images ``x``: floating, ``(B, channels, H, W)``."""
        features = self.blocks(F.relu(self.stem(x)))
        return self.classifier(features.mean(dim=(2, 3)))


class ResNet9(nn.Module):
    """Wide and shallow residual network for small images, made to train fast on a GPU.

    Three stages of ``2 * width``, ``4 * width`` and ``8 * width`` channels begin with a convolution
    whose resolution max pooling halves; the first and the last go on with a basic block. All
    convolutions are 3x3; what they find anywhere in the picture feeds the classifier. A width of
    36 makes 2.1 million parameters.

    Args:
        width: channels of the first convolution, at least 1.
        classes: number of outputs, at least 1.
        channels: channels of the input image, at least 1.

    Raises:
        ValueError: if a size is below 1.

    Source: the nine-layer network of Page, "How to Train Your ResNet", 2018.
    """

    def __init__(self, width: int = 36, classes: int = 10, channels: int = 3):
        super().__init__()
        integer_at_least("width", width, 1)
        integer_at_least("classes", classes, 1)
        integer_at_least("channels", channels, 1)
        layers: list[nn.Module] = [_conv_bn(channels, width, 1), nn.ReLU()]
        for stage in (1, 2, 3):
            after = width * 2**stage
            layers += [_conv_bn(after // 2, after, 1), nn.ReLU(), nn.MaxPool2d(2)]
            if stage != 2:
                layers.append(_Block(after, after, 1, 0.0))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(8 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(B, classes)`` of images ``x``: floating, ``(B, channels, H, W)``, sides of 8
        pixels or more."""
        return self.classifier(self.features(x).amax(dim=(2, 3)))


class _Block(nn.Module):
    """Basic block: two 3x3 convolutions around a shortcut."""

    def __init__(self, before: int, after: int, stride: int, dropout: float):
        super().__init__()
        self.first = _conv_bn(before, after, stride)
        self.dropout = nn.Dropout(dropout)
        self.second = _conv_bn(after, after, 1)
        same = before == after and stride == 1
        self.stride = stride
        self.shortcut = nn.Identity() if same else _conv_bn(before, after, 1, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        # A strided 1x1 convolution of few channels writes past its buffer on x86 processors
        # (oneDNN issue 6035). Leaving out pixels first gives the same numbers, bit for bit.
        shortcut = self.shortcut(x[..., :: self.stride, :: self.stride])
        return F.relu(self.second(self.dropout(F.relu(self.first(x)))) + shortcut)


def _conv_bn(before: int, after: int, stride: int, kernel: int = 3) -> nn.Sequential:
    # Batch normalisation has a bias of its own, so the convolution needs none.
    conv = nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after))
