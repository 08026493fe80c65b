"""Small generative models: an autoencoder, its variational form, the two networks of a GAN.

All are multilayer perceptrons: made for 8x8 pictures and points in the plane, trained in seconds
on a CPU. With ``classes`` above 0 they take a condition as well: class ids, or a soft label, so a
mixed label is a condition like any other. :mod:`mixup_lib.training.generating` trains them and
draws samples.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixup_lib.basics.check import integer_at_least

__all__ = ["VAE", "Autoencoder", "Discriminator", "Generator", "gaussian_kl"]

# The decoder's deviation is learned, within these bounds: below a thousandth of the pixels' range
# the density would reward copying grey levels, not shapes.
SMALLEST_SCALE, LARGEST_SCALE = 1e-3, 1e1


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of N(mean, diag(exp(log_variance))) from N(0, I).

    Args:
        mean: ``(B, D)``, floating.
        log_variance: ``(B, D)``, natural logarithm.

    Returns:
        ``(B,)``, in nats, 0 or more.

    Source: Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix B.
    """
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)


class _Conditional(nn.Module):
    """What all four share: the shape of an example, and a condition appended to a vector."""

    def __init__(self, shape: Sequence[int], classes: int):
        super().__init__()
        self.shape = tuple(integer_at_least("shape", side, 1) for side in shape)
        if not self.shape:
            raise ValueError("shape is (); valid is one length or more, such as (1, 8, 8)")
        self.features = math.prod(self.shape)
        self.classes = integer_at_least("classes", classes, 0)

    def condition(self, y: Tensor | None) -> Tensor | None:
        """``(B, classes)`` float32 of class ids ``(B,)`` or soft labels; None without classes.

        Raises:
            ValueError: There is a condition and the model takes none, or the reverse; ids lie
                outside [0, classes); soft labels have another width.
        """
        if self.classes == 0 or y is None:
            if (self.classes == 0) != (y is None):
                wanted = f"(B,) ids or (B, {self.classes})" if self.classes else "None"
                raise ValueError(f"y={y if y is None else tuple(y.shape)}; valid is {wanted}")
            return None
        if y.is_floating_point():
            if y.ndim != 2 or y.shape[1] != self.classes:
                raise ValueError(f"y has shape {tuple(y.shape)}; valid is (B, {self.classes})")
            return y.float()
        if y.ndim != 1 or y.numel() and not 0 <= int(y.min()) <= int(y.max()) < self.classes:
            raise ValueError(
                f"y must hold class ids (B,) from 0 to {self.classes - 1}, got shape "
                f"{tuple(y.shape)} with values from {y.min()} to {y.max()}"
            )
        return F.one_hot(y.long(), self.classes).float()

    def joined(self, x: Tensor, y: Tensor | None) -> Tensor:
        """``x`` flattened to ``(B, F)``, with the condition after it."""
        y, x = self.condition(y), x.flatten(1)
        return x if y is None else torch.cat([x, y], 1)


class Autoencoder(_Conditional):
    """Squeezes an example into ``latent`` numbers and rebuilds it.

    Args:
        shape: Of one example, such as ``(1, 8, 8)``; values in [0, 1].
        latent: Length of the code, at least 1.
        hidden: Width of the hidden layer on each side, at least 1.

    Raises:
        ValueError: A size below 1.
    """

    def __init__(self, shape: Sequence[int], latent: int = 8, hidden: int = 128):
        super().__init__(shape, 0)
        self.latent = integer_at_least("latent", latent, 1)
        self.encoder = _mlp(self.features, hidden, latent, layers=1)
        self.decoder = _mlp(latent, hidden, self.features, layers=1)

    def encode(self, x: Tensor) -> Tensor:
        """Codes ``(B, latent)`` of examples ``(B, *shape)``."""
        return self.encoder(x.flatten(1))

    def decode(self, z: Tensor) -> Tensor:
        """Examples ``(B, *shape)`` in [0, 1] of codes ``(B, latent)``."""
        return self.decoder(z).sigmoid().view(-1, *self.shape)

    def forward(self, x: Tensor, y: None = None) -> Tensor:
        """The squared error of each rebuilt example, summed over its values, ``(B,)``."""
        return (self.decode(self.encode(x)) - x).flatten(1).square().sum(1)


class VAE(_Conditional):
    """Variational autoencoder with Gaussian codes and a Gaussian decoder of one learned deviation.

    The deviation of the pixels is learned with the rest, so that the density is proper and no
    weight between its two terms has to be tuned.

    Args:
        shape: Of one example, such as ``(1, 8, 8)``.
        classes: 0 for none; else encoder and decoder are given the class as well.
        latent: Length of the code, at least 1.
        hidden: Width of the hidden layer on each side, at least 1.
        bounded: True for values in [0, 1] (the decoder's mean ends in a sigmoid), False for any.

    Raises:
        ValueError: A size out of range.

    Source: Kingma and Welling 2014; the condition is Sohn, Lee and Yan, NeurIPS 2015; the learned
    deviation is Rybkin, Daniilidis and Levine, ICML 2021.
    """

    def __init__(
        self,
        shape: Sequence[int],
        classes: int = 0,
        latent: int = 8,
        hidden: int = 128,
        bounded: bool = True,
    ):
        super().__init__(shape, classes)
        self.latent, self.bounded = integer_at_least("latent", latent, 1), bounded
        self.encoder = _mlp(self.features + classes, hidden, 2 * latent, layers=1)
        self.decoder = _mlp(latent + classes, hidden, self.features, layers=1)
        self.log_scale = nn.Parameter(torch.tensor(-1.0))

    def encode(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the codes, ``(B, latent)`` each."""
        mean, log_variance = self.encoder(self.joined(x, y)).chunk(2, 1)
        return mean, log_variance.clamp(-12, 6)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Mean of the examples, ``(B, *shape)``, of codes ``(B, latent)``."""
        mean = self.decoder(self.joined(z, y)).view(-1, *self.shape)
        return mean.sigmoid() if self.bounded else mean

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The negative ELBO, one for each example.

        Args:
            x: ``(B, *shape)``.
            y: None, class ids ``(B,)`` or soft labels ``(B, classes)``.

        Returns:
            ``(B,)``, in nats, at one code drawn from torch's default generator.
        """
        mean, log_variance = self.encode(x, y)
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        scale = self.log_scale.exp().clamp(SMALLEST_SCALE, LARGEST_SCALE)
        error = (x - self.decode(z, y)).flatten(1) / scale
        density = -0.5 * (error**2 + math.log(2 * math.pi)) - scale.log()
        return gaussian_kl(mean, log_variance) - density.sum(1)


class Generator(_Conditional):
    """Turns noise, and a class if there is one, into an example.

    Args:
        shape: Of one example.
        classes: 0 for none.
        latent: Length of the noise, at least 1.
        hidden: Width of a hidden layer, at least 1.
        layers: Hidden layers, at least 1.
        bounded: True for values in [0, 1], False for any.

    Raises:
        ValueError: A size out of range.

    Source: Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014; the condition is Mirza
    and Osindero, 2014.
    """

    def __init__(
        self,
        shape: Sequence[int],
        classes: int = 0,
        latent: int = 16,
        hidden: int = 128,
        layers: int = 2,
        bounded: bool = True,
    ):
        super().__init__(shape, classes)
        self.latent, self.bounded = integer_at_least("latent", latent, 1), bounded
        self.layers = _mlp(latent + classes, hidden, self.features, layers)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Examples ``(B, *shape)`` of noise ``(B, latent)``."""
        x = self.layers(self.joined(z, y)).view(-1, *self.shape)
        return x.sigmoid() if self.bounded else x

    forward = decode


class Discriminator(_Conditional):
    """One logit for each example: how real it looks, given its class if there is one.

    Args:
        shape: Of one example.
        classes: 0 for none.
        hidden: Width of a hidden layer, at least 1.
        layers: Hidden layers, at least 1.

    Raises:
        ValueError: A size out of range.

    Source: Goodfellow et al. 2014; Mirza and Osindero 2014.
    """

    def __init__(self, shape: Sequence[int], classes: int = 0, hidden: int = 128, layers: int = 2):
        super().__init__(shape, classes)
        self.layers = _mlp(self.features + classes, hidden, 1, layers)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Logits ``(B,)``; above 0 means real."""
        return self.layers(self.joined(x, y)).squeeze(1)


def _mlp(before: int, hidden: int, after: int, layers: int) -> nn.Sequential:
    integer_at_least("hidden", hidden, 1)
    integer_at_least("layers", layers, 1)
    widths = [before] + [hidden] * layers
    parts = [
        part
        for a, b in zip(widths, widths[1:], strict=False)
        for part in (nn.Linear(a, b), nn.LeakyReLU(0.2))
    ]
    return nn.Sequential(*parts, nn.Linear(hidden, after))
