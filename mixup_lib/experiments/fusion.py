"""Mixup joined with autoencoders and GANs, on digits and on points in the plane.

Written before the runs. Everything is paired by seed, which varies data, initial weights and
draws; a claim is refuted if the whole interval lies below the smallest effect that matters,
supported if above, else inconclusive.

*digits-fusion* (claim C29), 100 labelled digits, as many steps for every method: test error in
points, mixup of pixels minus mixing in an autoencoder's codes, and minus a GAN's mixtures;
smallest effect half a point. Autoencoder and GAN see the same 100 digits.

*digits-vae* (claim C6, VAE), 200 digits: the test ELBO in nats, mixup minus plain training, at the
alpha with the highest mean validation ELBO; smallest effect one nat.

*toy-gan-ring* and *toy-gan-roll* (claim C6, GAN): coverage of fresh real points by as many
generated ones, the mean over the last five tenths of the training, mixup in the discriminator
minus plain; smallest effect 0.02. Alpha 0.2 as in the paper; networks and number of steps are
smaller than there.

Nothing was tuned on the recorded seeds. Test data are read once, at the end of a run.
"""

import time
from functools import partial
from pathlib import Path

import torch
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from mixup_lib.coverage import coverage, modes_covered, near_modes
from mixup_lib.datasets import Splits, digits
from mixup_lib.datasets.plane import RING_DEVIATION, ring_centres, ring_of_gaussians, swiss_roll
from mixup_lib.draw import draw_mixup
from mixup_lib.evaluation import evaluate
from mixup_lib.experiments.runner import Experiment, described, rounded
from mixup_lib.gan import fit_gan
from mixup_lib.generate import elbo, fit_autoencoder, mix_codes, sample
from mixup_lib.models import MLP, VAE, Autoencoder, Discriminator, Generator
from mixup_lib.seeds import generator_for, initialised
from mixup_lib.train import cosine, fit

SHAPE, UNIFORM = (1, 8, 8), partial(draw_mixup, alpha=1.0)
DIGITS = {
    "data": {"name": "digits", "train": 100, "validation": 297, "test": 1200},
    "model": {"name": "MLP", "hidden": 128},
    "optimizer": {"name": "Adam", "lr": 1e-3},
    "schedule": "cosine",
    "steps": 400,
    "batch_size": 50,
    "autoencoder": {"latent": 8, "hidden": 128, "epochs": 200},
    "gan": {"latent": 16, "hidden": 128, "steps": 1500, "average": 0.99, "generated": 400},
    "device": "cpu",
}
FUSION = {
    "plain": {},
    "pixels": {"mixing": UNIFORM},
    "codes": {"mixing": UNIFORM, "forward": "mix_codes"},
    "gan": {"generated": "pure labels"},
    "gan-mixtures": {"generated": "mixed labels", "mixtures": UNIFORM},
}
OF_VAE = {
    "data": {"name": "digits", "train": 200, "validation": 297, "test": 1200},
    "model": {"name": "VAE", "latent": 8, "hidden": 128},
    "optimizer": {"name": "Adam", "lr": 2e-3},
    "epochs": 200,
    "batch_size": 64,
    "elbo_samples": 16,
}
VAES = {"plain": {}} | {
    f"mixup-{alpha:g}": {"mixing": partial(draw_mixup, alpha=alpha)} for alpha in (0.1, 0.4, 1.0)
}
OF_GAN = {
    "data": {"train": 20000, "test": 2500, "generated": 2500},
    "model": {"latent": 2, "hidden": 128, "layers": 3},
    "steps": 1000,
    "batch_size": 128,
    "discriminator_steps": 1,
    "optimizer": {"name": "Adam", "lr": 1e-3, "betas": [0.5, 0.999]},
    "measured_at": [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000],
}
GANS = {"plain": {}, "mixup": {"mixing": partial(draw_mixup, alpha=0.2)}}
TOYS = {"ring": ring_of_gaussians, "roll": swiss_roll}


def augmented(splits: Splits, method: str, seed: int) -> TensorDataset:
    """The labelled digits and a GAN's, with pure or mixed labels; labels are ``(N, 10)``."""
    settings = {name: DIGITS["gan"][name] for name in ("latent", "hidden")}
    generator = initialised(partial(Generator, SHAPE, 10, **settings), seed)
    discriminator = initialised(partial(Discriminator, SHAPE, 10, settings["hidden"]), seed)
    fit_gan(
        generator, discriminator, splits.train, steps=DIGITS["gan"]["steps"],
        average=DIGITS["gan"]["average"], mixtures=FUSION[method].get("mixtures"), seed=seed,
    )  # fmt: skip
    (x, y), count = splits.train.tensors, DIGITS["gan"]["generated"]
    labels = wanted = F.one_hot(y, 10).float()
    wanted = wanted.repeat(count // len(y), 1)
    if method == "gan-mixtures":
        mix = draw_mixup(count, per_sample=True, generator=generator_for(seed, "wanted"))
        wanted = mix.inputs(wanted)
    made = sample(generator, count, wanted, seed=seed)
    return TensorDataset(torch.cat([x, made]), torch.cat([labels, wanted]))


def measure_fusion(method: str, seed: int, checkpoint: Path | None) -> dict:
    """Trains once and reads the test data once; returns the measured part of a record."""
    start, sizes = time.perf_counter(), DIGITS["data"]
    splits = digits(seed, sizes["train"], sizes["validation"], sizes["test"])
    train, forward = splits.train, None
    if method == "codes":
        settings = dict(DIGITS["autoencoder"])
        epochs = settings.pop("epochs")
        autoencoder = initialised(partial(Autoencoder, SHAPE, **settings), seed)
        fit_autoencoder(autoencoder, train, epochs=epochs, seed=seed)
        forward = partial(mix_codes, autoencoder=autoencoder)
    elif method.startswith("gan"):
        train = augmented(splits, method, seed)
    made = time.perf_counter() - start
    model = initialised(partial(MLP, 64, DIGITS["model"]["hidden"], 10), seed)
    fit(
        model, train, epochs=DIGITS["steps"] * DIGITS["batch_size"] // len(train),
        batch_size=DIGITS["batch_size"], mixing=FUSION[method].get("mixing"), forward=forward,
        schedule=cosine, seed=seed, device=DIGITS["device"],
    )  # fmt: skip
    parts = {"test": splits.test, "validation": splits.validation, "train": splits.train}
    seconds = {"generative": round(made, 1), "all": round(time.perf_counter() - start, 1)}
    return {
        "metrics": {name: rounded(evaluate(model, part)) for name, part in parts.items()},
        "seconds": seconds,
        "data_checksum": splits.checksum,
    }


def measure_vae(method: str, seed: int, checkpoint: Path | None) -> dict:
    """The ELBO of a VAE on all three parts, and the deviation it learned."""
    start, sizes, settings = time.perf_counter(), OF_VAE["data"], OF_VAE["model"]
    splits = digits(seed, sizes["train"], sizes["validation"], sizes["test"])
    make = partial(VAE, SHAPE, latent=settings["latent"], hidden=settings["hidden"])
    model = initialised(make, seed)
    fit_autoencoder(
        model, splits.train, epochs=OF_VAE["epochs"], batch_size=OF_VAE["batch_size"],
        lr=OF_VAE["optimizer"]["lr"], seed=seed, **VAES[method],
    )  # fmt: skip
    parts = {"test": splits.test, "validation": splits.validation, "train": splits.train}
    bounds = {
        name: elbo(model, part.tensors[0], samples=OF_VAE["elbo_samples"], seed=seed).mean().item()
        for name, part in parts.items()
    }
    scale = model.log_scale.exp().item()
    return {
        "metrics": {k: rounded({"elbo": value, "scale": scale}) for k, value in bounds.items()},
        "seconds": {"all": round(time.perf_counter() - start, 1)},
        "data_checksum": splits.checksum,
    }


def measure_gan(toy: str, method: str, seed: int, checkpoint: Path | None) -> dict:
    """Coverage along the training and at its end."""
    start, sizes, settings = time.perf_counter(), OF_GAN["data"], OF_GAN["model"]
    train = TensorDataset(*TOYS[toy](sizes["train"], 2 * seed))
    real = TOYS[toy](sizes["test"], 2 * seed + 1)[0]
    generator = initialised(partial(Generator, (2,), **settings, bounded=False), seed)
    settings = {name: settings[name] for name in ("hidden", "layers")}
    discriminator = initialised(partial(Discriminator, (2,), **settings), seed)
    measured = []

    def watch(step: int) -> None:
        if step in OF_GAN["measured_at"]:
            made = sample(generator, sizes["generated"], seed=seed)
            measured.append(coverage(real, made))
            if toy == "ring":
                radius = 3 * RING_DEVIATION
                modes.append(modes_covered(made, ring_centres(), radius))
                near.append((near_modes(made, ring_centres(), radius) >= 0).float().mean().item())

    modes, near = [], []
    fit_gan(
        generator, discriminator, train, steps=OF_GAN["steps"], batch_size=OF_GAN["batch_size"],
        discriminator_steps=OF_GAN["discriminator_steps"], lr=OF_GAN["optimizer"]["lr"],
        betas=tuple(OF_GAN["optimizer"]["betas"]), seed=seed, watch=watch, **GANS[method],
    )  # fmt: skip
    late = {"coverage": sum(measured[-5:]) / 5}
    curves = {"coverage": rounded(measured)}
    if toy == "ring":
        late |= {"modes": sum(modes[-5:]) / 5, "near": sum(near[-5:]) / 5}
        curves |= {"modes": modes, "near": rounded(near)}
    return {
        "metrics": {"test": rounded(late)},
        "history": curves,
        "seconds": {"all": round(time.perf_counter() - start, 1)},
        "samples": rounded(sample(generator, 300, seed=seed).flatten().tolist(), 3),
    }


def _experiment(name: str, title: str, config: dict, methods: dict, measure) -> Experiment:
    return Experiment(name, title, config, described(methods), tuple(range(5)), measure)


EXPERIMENTS = (
    _experiment("digits-fusion", "100 digits: pixels or codes mixed, a GAN's digits and mixtures",
                DIGITS, FUSION, measure_fusion),
    _experiment("digits-vae", "a VAE on 200 digits: plain and mixup", OF_VAE, VAES, measure_vae),
    *(_experiment(f"toy-gan-{toy}", f"a GAN on the {toy}: plain and mixup",
                  OF_GAN | {"toy": toy}, GANS, partial(measure_gan, toy)) for toy in TOYS),
)
