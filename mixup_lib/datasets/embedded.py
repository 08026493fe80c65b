"""Real data that comes with scikit-learn: nothing to download, the same on every machine.

scikit-learn is imported when it is asked for them, since that takes a second.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torch.utils.data import TensorDataset

from mixup_lib.datasets.splits import Splits, part_sizes, sha256, stratified_split

PHOTOGRAPHS = ("temple", "flower")
"""What the two images of `photographs` show, in their order."""


def digits(
    seed: int = 0, train: int | None = None, validation: int = 297, test: int = 500
) -> Splits:
    """Handwritten digits, 8x8 pixels, one channel, ten classes, 1,797 examples in all.

    Easy data: a linear model already gets most of them right. A mirrored digit is no digit, so
    no flips here.

    Args:
        seed: Draws the three parts, class by class.
        train: Number of training examples; None takes all that the other parts leave.
        validation: Number of validation examples, 0 or more.
        test: Number of test examples, 0 or more. The test part depends on `seed` and `test` only.

    Returns:
        Images float32 ``(n, 1, 8, 8)`` in [0, 1] (grey levels 0 to 16, divided by 16), labels
        int64 ``(n,)``.

    Raises:
        ValueError: If a size is negative, not an integer, or more than what is left.

    Source:
        Alpaydin and Kaynak, *Optical Recognition of Handwritten Digits*, UCI, 1998; the test
        part of that collection, as bundled with scikit-learn.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x = torch.from_numpy(bunch.images).float().div_(16).unsqueeze(1)
    y = torch.from_numpy(bunch.target).long()
    sizes = part_sizes(len(y), train=train, test=test, validation=validation)
    held_out, chosen, kept = stratified_split(y, sizes, seed)
    raw = (bunch.images.astype("uint8").tobytes(), bunch.target.astype("uint8").tobytes())
    return Splits(
        "digits",
        train=TensorDataset(x[kept], y[kept]),
        validation=TensorDataset(x[chosen], y[chosen]),
        test=TensorDataset(x[held_out], y[held_out]),
        classes=tuple("0123456789"),
        checksum=sha256(*raw),
    )


def photographs(size: int | tuple[int, int] = 224) -> Tensor:
    """Two photographs, a temple and a flower, to mix by hand.

    Each is cropped around its centre to the shape asked for, then resized.

    Args:
        size: Side of the square, or ``(height, width)``, in pixels, 1 or more.

    Returns:
        float32 ``(2, 3, height, width)`` in [0, 1]; `PHOTOGRAPHS` names the two.

    Raises:
        ValueError: If `size` is not one or two integers of 1 or more.

    Source:
        ``china.jpg`` and ``flower.jpg``, bundled with scikit-learn.
    """
    shape = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    if len(shape) != 2 or not all(isinstance(side, int) and side >= 1 for side in shape):
        raise ValueError(
            f"size must be an integer of 1 or more, or (height, width) of two such; got {size!r}"
        )
    from sklearn.datasets import load_sample_images

    x = torch.from_numpy(np.stack(load_sample_images().images)).permute(0, 3, 1, 2).float() / 255
    # The largest window of the wanted proportions, around the centre.
    scale = min(x.shape[2] / shape[0], x.shape[3] / shape[1])
    height, width = (max(1, round(side * scale)) for side in shape)
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    x = x[:, :, top : top + height, left : left + width]
    return interpolate(x, size=shape, mode="bilinear", antialias=True).clamp(0, 1).contiguous()
