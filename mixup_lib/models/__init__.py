"""The networks of the course, by what they read.

Every constructor draws its initial weights from torch's default generator, so that
``torch.manual_seed(seed)`` before the call fixes them. The models return logits; none of them
ends in a softmax.
"""

from torch import nn

from mixup_lib.models.attention import TinyViT
from mixup_lib.models.audio import SpectrogramNet
from mixup_lib.models.encoder import SentenceEncoder
from mixup_lib.models.generative import VAE, Autoencoder, Discriminator, Generator, gaussian_kl
from mixup_lib.models.multimodal import TwoSenses, companions, mix_apart
from mixup_lib.models.preact import PreActResNet
from mixup_lib.models.pretrained import PretrainedNet
from mixup_lib.models.seq2seq import Seq2Seq, mixed_sequences
from mixup_lib.models.text import PLACES, BiLSTM, SentenceCNN, mix_at
from mixup_lib.models.video import VideoCNN
from mixup_lib.models.vision import MLP, ResNet, ResNet9, SmallCNN

__all__ = [
    "PLACES",
    "VAE",
    "Autoencoder",
    "BiLSTM",
    "Discriminator",
    "Generator",
    "MLP",
    "PreActResNet",
    "PretrainedNet",
    "ResNet",
    "ResNet9",
    "SentenceCNN",
    "SentenceEncoder",
    "Seq2Seq",
    "SmallCNN",
    "SpectrogramNet",
    "TinyViT",
    "TwoSenses",
    "VideoCNN",
    "companions",
    "gaussian_kl",
    "mix_apart",
    "mix_at",
    "mixed_sequences",
    "parameter_count",
]


def parameter_count(model: nn.Module) -> int:
    """Number of trainable parameters of ``model``."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
