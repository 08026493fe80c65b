"""The networks of the course, by what they read.

Every constructor draws its initial weights from torch's default generator, so that
``torch.manual_seed(seed)`` before the call fixes them. The models return logits; none of them
ends in a softmax.
"""

from torch import nn

from mixup_lib.models.vision import MLP, ResNet, SmallCNN

__all__ = ["MLP", "ResNet", "SmallCNN", "parameter_count"]


def parameter_count(model: nn.Module) -> int:
    """Number of trainable parameters of ``model``."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
