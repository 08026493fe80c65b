"""A classifier of sounds: a log-mel spectrogram and a network for pictures."""

from torch import Tensor, nn

from mixup_lib.audio.spectrogram import LogMel

__all__ = ["SpectrogramNet"]


class SpectrogramNet(nn.Module):
    """Reads waves: makes their log-mel spectrograms and has a network for pictures read those.

    The two parts are attributes, so that a mix can be applied before the first, to the waves, or
    between them, to the spectrograms: ``model.network(mix.inputs(model.log_mel(x)))``.

    Args:
        network: A model of pictures ``(B, 1, mels, frames)``, such as ``SmallCNN(1, 10)``.
        log_mel: Waves ``(B, samples)`` to pictures; None takes ``LogMel()``, for 8 kHz.
    """

    def __init__(self, network: nn.Module, log_mel: nn.Module | None = None):
        super().__init__()
        self.log_mel = LogMel() if log_mel is None else log_mel
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(B, classes)`` of waves ``x``: floating, ``(B, samples)``."""
        return self.network(self.log_mel(x))
