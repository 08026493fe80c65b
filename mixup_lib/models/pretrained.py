"""Pretrained networks for pictures, by ``timm``: small pictures enlarged, a head of one's own."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.optional import require
from mixup_lib.datasets.pretrained import efficientnet_file

__all__ = ["PretrainedNet"]


class PretrainedNet(nn.Module):
    """A network of ``timm`` that takes pixels: enlarged, standardised as the network learned them.

    Its last layer is new, one output a class. Enlarging and standardising are linear, so a blend
    of small pictures is the same as a blend of large ones.

    Args:
        classes: Number of outputs, 1 or more.
        architecture: Name that ``timm.create_model`` knows.
        side: Height and width in pixels to which pictures are enlarged, 1 or more.
        weights: ``"efficientnet-lite0"`` reads ImageNet weights of ``tf_efficientnet_lite0`` from
            the folder of the data; ``"timm"`` lets timm fetch its own, of any architecture; None
            draws all weights from torch's default generator.

    Raises:
        ValueError: A size out of range, other weights, or weights of another architecture.
        FileNotFoundError, OSError: The weights are missing, or are others; see
            :func:`~mixup_lib.datasets.efficientnet_file`.
        ImportError: ``timm`` is missing.

    Source: Tan and Le, "EfficientNet", ICML 2019; its Lite variant has no squeeze-and-excitation.
    """

    def __init__(
        self,
        classes: int,
        architecture: str = "tf_efficientnet_lite0",
        side: int = 96,
        weights: str | None = None,
    ):
        super().__init__()
        integer_at_least("classes", classes, 1)
        self.side = integer_at_least("side", side, 1)
        if weights not in (None, "timm", "efficientnet-lite0"):
            raise ValueError(
                f"weights must be 'efficientnet-lite0', 'timm' or None, got {weights!r}"
            )
        timm = require("timm", "practice")
        self.network = timm.create_model(architecture, pretrained=weights == "timm")
        if weights == "efficientnet-lite0":
            _load(self.network, architecture)
        self.network.reset_classifier(classes)
        for name in ("mean", "std"):
            value = torch.tensor(self.network.pretrained_cfg[name]).view(1, 3, 1, 1)
            self.register_buffer(name, value)

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(B, classes)`` of pictures ``x``: ``(B, 3, H, W)``, floating, in [0, 1]."""
        x = F.interpolate(x, size=(self.side, self.side), mode="bilinear", align_corners=False)
        return self.network((x - self.mean) / self.std)


def _load(network: nn.Module, architecture: str) -> None:
    """Puts the weights of the file into a network of that architecture.

    The file names its tensors otherwise; they come in the same order.
    """
    if architecture != "tf_efficientnet_lite0":
        raise ValueError(
            f"weights='efficientnet-lite0' are those of 'tf_efficientnet_lite0', got "
            f"architecture={architecture!r}"
        )
    weights = torch.load(efficientnet_file(), weights_only=True)
    network.load_state_dict(dict(zip(network.state_dict(), weights.values(), strict=True)))
