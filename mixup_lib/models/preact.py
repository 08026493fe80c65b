"""The network of the mixup paper's experiments on CIFAR: a ResNet of pre-activated blocks."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from mixup_lib.basics.check import integer_at_least

__all__ = ["PreActResNet"]


class PreActResNet(nn.Module):
    """Residual network with pre-activation for small images (He et al., 2016b).

    Normalisation and ReLU come before each convolution, so that the shortcuts are left as they
    are. Each stage has twice the channels of the one before; all but the first halve the
    resolution. The defaults are the PreAct ResNet-18 of Zhang et al., "mixup", 2018, with 11.2
    million parameters.

    Args:
        blocks: number of blocks in each stage, at least one stage and one block.
        width: channels of the first stage, at least 1.
        classes: number of outputs, at least 1.
        channels: channels of the input image, at least 1.

    Raises:
        ValueError: if ``blocks`` is empty or a size is below 1.

    Source: He, Zhang, Ren and Sun, "Identity Mappings in Deep Residual Networks", ECCV 2016, with
    the last normalisation and ReLU after the blocks. A 1x1 convolution carries the activated input
    past a block that changes its shape.
    """

    def __init__(
        self,
        blocks: Sequence[int] = (2, 2, 2, 2),
        width: int = 64,
        classes: int = 10,
        channels: int = 3,
    ):
        super().__init__()
        blocks = [integer_at_least("blocks", count, 1) for count in blocks]
        if not blocks:
            raise ValueError("blocks must hold at least one stage, got none")
        integer_at_least("width", width, 1)
        integer_at_least("classes", classes, 1)
        integer_at_least("channels", channels, 1)
        self.stem = _conv(channels, width)
        stages, before = [], width
        for stage, count in enumerate(blocks):
            after = width * 2**stage
            for block in range(count):
                stages.append(_Block(before, after, 2 if stage and not block else 1))
                before = after
        self.blocks = nn.Sequential(*stages)
        self.norm = nn.BatchNorm2d(before)
        self.classifier = nn.Linear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(B, classes)`` of images ``x``: floating, ``(B, channels, H, W)``."""
        features = F.relu(self.norm(self.blocks(self.stem(x))))
        return self.classifier(features.mean(dim=(2, 3)))


class _Block(nn.Module):
    """Two 3x3 convolutions, each after normalisation and ReLU, beside a shortcut."""

    def __init__(self, before: int, after: int, stride: int):
        super().__init__()
        self.stride = stride
        self.norm1, self.conv1 = nn.BatchNorm2d(before), _conv(before, after, stride)
        self.norm2, self.conv2 = nn.BatchNorm2d(after), _conv(after, after)
        same = before == after and stride == 1
        self.shortcut = None if same else _conv(before, after, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        active = F.relu(self.norm1(x))
        if self.shortcut is not None:
            # Pixels are left out first: see the note in `mixup_lib.models.ResNet`'s block.
            x = self.shortcut(active[..., :: self.stride, :: self.stride])
        return x + self.conv2(F.relu(self.norm2(self.conv1(active))))


def _conv(before: int, after: int, stride: int = 1, kernel: int = 3) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False)
