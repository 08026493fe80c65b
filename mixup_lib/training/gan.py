"""Training a GAN, with mixup between real and generated examples if wanted."""

import copy
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.seeds import generator_for
from mixup_lib.mixing.draw import no_mix
from mixup_lib.mixing.losses import mixed_loss
from mixup_lib.models.generative import Discriminator, Generator
from mixup_lib.training.generating import examples_of
from mixup_lib.training.history import History

__all__ = ["fit_gan"]


def fit_gan(
    generator: Generator,
    discriminator: Discriminator,
    train: TensorDataset,
    *,
    steps: int = 2000,
    mixing: Callable | None = None,
    mixtures: Callable | None = None,
    batch_size: int = 64,
    discriminator_steps: int = 1,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.5, 0.999),
    average: float = 0.0,
    seed: int = 0,
    watch: Callable[[int], None] | None = None,
) -> History:
    """Trains a generator against a discriminator, both in place.

    The discriminator learns by cross-entropy to tell real from generated; the generator learns to
    have its examples called real (the loss that does not saturate).

    Args:
        generator: Makes examples of the shape of ``train``.
        discriminator: Judges them; it has as many classes as the generator.
        train: ``TensorDataset(x, y)``, x float ``(N, *generator.shape)``, y class ids ``(N,)``,
            which only networks with classes read.
        steps: Steps of the generator, at least 1.
        mixing: Mixup for the discriminator, such as ``partial(draw_mixup, alpha=0.2)``: each real
            example is mixed with a generated one of the same class, and the target is the share
            that is real. None mixes nothing.
        mixtures: Mixes real examples, and with the same draw their classes, before the
            discriminator sees them: the generator learns to make mixtures. Needs classes.
        batch_size: Real examples per step, and as many generated ones.
        discriminator_steps: Steps of the discriminator for each one of the generator.
        lr: Adam's learning rate, for both networks.
        betas: Adam's decay rates.
        average: Decay in [0, 1) of a running mean of the generator's weights, which it is left
            with at the end; 0 keeps the last weights.
        seed: An integer of at least 0.
        watch: Called as ``watch(step)`` after each step of the generator, from 1 on.

    Returns:
        A :class:`History` with one row per step: ``discriminator_loss`` and ``generator_loss``.
        Both networks end in evaluation mode.

    Raises:
        ValueError: A size is out of range, shapes or numbers of classes differ, or ``mixtures``
            without classes.

    Source: Goodfellow et al., NeurIPS 2014; the mixed discriminator is Zhang et al., ICLR 2018,
    section 3.8, where the generator's step, too, sees mixtures; here it sees its own examples.
    """
    integer_at_least("steps", steps, 1)
    integer_at_least("batch_size", batch_size, 1)
    integer_at_least("discriminator_steps", discriminator_steps, 1)
    integer_at_least("seed", seed, 0)
    if not 0 <= average < 1:
        raise ValueError(f"average={average}; valid is 0 or more and below 1")
    if (generator.shape, generator.classes) != (discriminator.shape, discriminator.classes):
        raise ValueError(
            f"generator has shape {generator.shape} and {generator.classes} classes, discriminator "
            f"{discriminator.shape} and {discriminator.classes}; valid is the same of both"
        )
    if mixtures is not None and not generator.classes:
        raise ValueError("mixtures needs networks with classes, whose labels are mixed as well")
    x, y = examples_of(train, generator)
    labels = generator.condition(y if generator.classes else None)
    draws = generator_for(seed, "gan")
    optimizers = [
        torch.optim.Adam(network.parameters(), lr=lr, betas=betas, fused=True)
        for network in (generator, discriminator)
    ]
    real = torch.cat([torch.ones(batch_size), torch.zeros(batch_size)])
    other_half = torch.arange(2 * batch_size).roll(batch_size)
    nothing, nothing_of_both = no_mix(batch_size), no_mix(2 * batch_size)
    bce = partial(F.binary_cross_entropy_with_logits, reduction="none")

    def batch() -> tuple[Tensor, Tensor | None]:
        rows = torch.randint(len(x), (batch_size,), generator=draws)
        if labels is None:
            return x[rows], None
        mix = mixtures(batch_size, generator=draws) if mixtures else nothing
        return mix.inputs(x[rows]), mix.inputs(labels[rows])

    def generated(condition: Tensor | None) -> Tensor:
        return generator(torch.randn(batch_size, generator.latent, generator=draws), condition)

    def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    mean, history = copy.deepcopy(generator).requires_grad_(False), History()
    for step in range(1, steps + 1):
        for _ in range(discriminator_steps):
            examples, condition = batch()
            with torch.no_grad():
                both = torch.cat([examples, generated(condition)])
            twice = None if condition is None else condition.repeat(2, 1)
            mix = nothing_of_both
            if mixing is not None:
                mix = mixing(len(both), partners=other_half, generator=draws)
            logits = discriminator(mix.inputs(both), twice)
            told = descend(optimizers[1], mixed_loss(bce, logits, real, mix))
        condition = None if labels is None else batch()[1]
        fooled = F.softplus(-discriminator(generated(condition), condition)).mean()
        row = {"step": step, "discriminator_loss": told}
        history.rows.append(row | {"generator_loss": descend(optimizers[0], fooled)})
        if average:
            with torch.no_grad():
                for kept, value in zip(mean.parameters(), generator.parameters(), strict=True):
                    kept.lerp_(value, 1 - average)
        if watch is not None:
            watch(step)
    if average:
        generator.load_state_dict(mean.state_dict())
    generator.eval()
    discriminator.eval()
    return history
