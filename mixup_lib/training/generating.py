"""Autoencoders: training them, with mixup if wanted; samples of them and of generators.

A class-conditional model makes new examples of a class that is asked for. From few examples:

    model = initialised(partial(VAE, (1, 8, 8), classes=10), seed)
    fit_autoencoder(model, data.train, epochs=200, seed=seed)
    y = torch.arange(10).repeat_interleave(30)
    x = sample(model, len(y), y, seed=seed)                       # (300, 1, 8, 8) in [0, 1]

    generator = initialised(partial(Generator, (1, 8, 8), classes=10), seed)
    discriminator = initialised(partial(Discriminator, (1, 8, 8), classes=10), seed)
    fit_gan(generator, discriminator, data.train, steps=2000, seed=seed)
    x = sample(generator, len(y), y, seed=seed)

``TensorDataset(x, y)`` is then a training set like any other. Both take a few seconds on one core
for 8x8 digits. All that is random follows from ``seed``; global generators are left as they were.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.seeds import generator_for, seeded
from mixup_lib.mixing.mix import Mix
from mixup_lib.models.generative import VAE, Autoencoder, Generator
from mixup_lib.training.fitting import fit
from mixup_lib.training.history import History

__all__ = ["elbo", "fit_autoencoder", "mix_codes", "sample"]


def fit_autoencoder(
    model: Autoencoder | VAE,
    train: TensorDataset,
    *,
    epochs: int = 200,
    mixing: Callable | None = None,
    batch_size: int = 64,
    lr: float = 2e-3,
    seed: int = 0,
    **options,
) -> History:
    """Trains an autoencoder, plain or variational, in place.

    Args:
        model: :class:`Autoencoder` or :class:`VAE`, with classes or without.
        train: ``TensorDataset(x, y)``, x float ``(N, *model.shape)``, y class ids ``(N,)``, which
            only a model with classes reads.
        epochs: Passes over the data, at least 1.
        mixing: As in :func:`fit`; mixes the examples that are encoded and rebuilt, and with the
            same draw their classes. None mixes nothing.
        batch_size: Examples per step.
        lr: Adam's learning rate.
        seed: An integer of at least 0.
        **options: More of :func:`fit`'s: ``schedule``, ``checkpoint``, ``device``, ``progress``.

    Returns:
        A :class:`History`; ``train_loss`` is the squared error of a picture, or for a VAE its
        negative ELBO in nats. The model ends in evaluation mode.

    Raises:
        ValueError: An example has another shape than the model, a class id is out of range, or as
            in :func:`fit`.
    """
    x, y = examples_of(train, model)
    condition = model.condition(y if model.classes else None)
    # Picture and label as one vector, so that one draw mixes both.
    joint = x.flatten(1) if condition is None else torch.cat([x.flatten(1), condition], 1)
    history = fit(
        model,
        TensorDataset(joint, y),
        epochs=epochs,
        mixing=mixing,
        forward=_own_loss,
        loss=_as_given,
        optimizer=partial(torch.optim.Adam, lr=lr),
        batch_size=batch_size,
        seed=seed,
        **options,
    )
    model.eval()
    return history


def _own_loss(model: Autoencoder | VAE, joint: Tensor, mix: Mix) -> Tensor:
    return model(*_apart(model, mix.inputs(joint)))


def _apart(model: Autoencoder | VAE, joint: Tensor) -> tuple[Tensor, Tensor | None]:
    x = joint[:, : model.features].reshape(-1, *model.shape)
    return x, joint[:, model.features :] if model.classes else None


def _as_given(losses: Tensor, y: Tensor) -> Tensor:
    """The model computes its loss itself; whatever the partner's label, it stays the same."""
    return losses


def sample(model: VAE | Generator, count: int, y: Tensor | None = None, *, seed: int = 0) -> Tensor:
    """New examples from a trained model.

    Args:
        model: A :class:`VAE` or :class:`Generator`.
        count: How many, at least 1.
        y: What to make: class ids ``(count,)``, or soft labels ``(count, classes)``, such as
            mixtures of classes. None for a model without classes.
        seed: An integer of at least 0; the same seed gives the same noise.

    Returns:
        float32 ``(count, *shape)`` on the CPU, without gradient. A VAE gives the decoder's mean,
        with no pixel noise added.

    Raises:
        ValueError: ``count`` is below 1, y has another length, or does not fit the model.
    """
    integer_at_least("count", count, 1)
    if y is not None and len(y) != count:
        raise ValueError(f"y has length {len(y)}; valid is count={count}")
    z = torch.randn(count, model.latent, generator=generator_for(seed, "sample"))
    with torch.inference_mode():
        x = model.decode(z, y)
    return x.clone()


def elbo(
    model: VAE, x: Tensor, y: Tensor | None = None, *, samples: int = 16, seed: int = 0
) -> Tensor:
    """The evidence lower bound of examples: at most their log-density.

    Args:
        model: A :class:`VAE`.
        x: ``(B, *shape)``.
        y: None, class ids or soft labels.
        samples: Codes drawn for each example, at least 1, over which the bound is averaged.
        seed: An integer of at least 0.

    Returns:
        ``(B,)`` float32, in nats; higher is better.
    """
    integer_at_least("samples", samples, 1)
    with torch.inference_mode(), seeded("cpu", seed, "elbo"):
        return -torch.stack([model(x, y) for _ in range(samples)]).mean(0)


def mix_codes(model: nn.Module, x: Tensor, mix: Mix, autoencoder: Autoencoder) -> Tensor:
    """Forward pass for :func:`fit`: mixes codes, and shows the model what they decode to.

    Use it as ``forward=partial(mix_codes, autoencoder=trained)``. The autoencoder is not trained.

    Source: Beckham et al., "On Adversarial Mixup Resynthesis", NeurIPS 2019, without adversary.
    """
    with torch.no_grad():
        decoded = autoencoder.decode(mix.inputs(autoencoder.encode(x)))
    return model(decoded)


def examples_of(train: TensorDataset, model: nn.Module) -> tuple[Tensor, Tensor]:
    """``(x, y)`` of a training set, checked against the model's shape."""
    x, y = train.tensors
    if tuple(x.shape[1:]) != model.shape:
        raise ValueError(f"train holds examples {tuple(x.shape[1:])}; valid is {model.shape}")
    return x, y
