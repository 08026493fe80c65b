"""A network for clips."""

from torch import Tensor, nn

from mixup_lib.basics.check import integer_at_least

__all__ = ["VideoCNN"]


class VideoCNN(nn.Module):
    """Small (2+1)D network: three stages, each looks in space and then in time.

    A 3x3 convolution sees each frame alone and halves its sides; a convolution over three frames
    then joins what stands at the same place. Both are followed by batch normalisation and ReLU.
    The number of frames stays as it is. After three stages a unit has seen seven frames; the
    average over time and space feeds the classifier.

    Args:
        channels: channels of a frame, at least 1.
        classes: number of outputs, at least 1.
        width: channels of the first stage, at least 1; the next two have twice as many.
        frames: frames that a temporal convolution spans, odd. 1 makes a network that can't see
            motion: it looks at each frame alone and averages.

    Raises:
        ValueError: if a size is below 1, or ``frames`` is even.

    Source: Tran et al., "A Closer Look at Spatiotemporal Convolutions for Action Recognition",
    CVPR 2018.
    """

    def __init__(self, channels: int, classes: int, width: int = 16, frames: int = 3):
        super().__init__()
        integer_at_least("channels", channels, 1)
        integer_at_least("classes", classes, 1)
        integer_at_least("width", width, 1)
        if integer_at_least("frames", frames, 1) % 2 == 0:
            raise ValueError(f"frames must be odd, got {frames}")
        self.features = nn.Sequential(
            *_stage(channels, width, frames),
            *_stage(width, 2 * width, frames),
            *_stage(2 * width, 2 * width, frames),
        )
        self.classifier = nn.Linear(2 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(B, classes)`` of clips ``x``: floating, ``(B, channels, T, H, W)``."""
        return self.classifier(self.features(x).mean(dim=(2, 3, 4)))


def _stage(before: int, after: int, frames: int) -> list[nn.Module]:
    def convolution(before, kernel, stride):
        padding = tuple(length // 2 for length in kernel)
        # Batch normalisation has a bias of its own, so the convolution needs none.
        return nn.Conv3d(before, after, kernel, stride, padding, bias=False)

    return [
        convolution(before, (1, 3, 3), (1, 2, 2)),
        nn.BatchNorm3d(after),
        nn.ReLU(),
        convolution(after, (frames, 1, 1), 1),
        nn.BatchNorm3d(after),
        nn.ReLU(),
    ]
