"""A hundred labelled digits: mixup against transforms, its relatives, and generated examples.

The generators see the same hundred examples as everybody else. Every classifier takes the same
number of steps, but for the two methods "-long", which are there to show what seconds buy.

Written down before the run, all paired by seed:

- effect: test error, plain minus method; differences below one percentage point do not matter.
- cost: CPU seconds before the training (of a generator) and of the training itself, parameters
  beyond the classifier's. A method is dearer if it takes half as much again.
- claim C6: a classifier that has generated examples gains a point or more by mixup on top of them.
- claim C12: mixup's error lies a point or more below that of the best of rotation, scaling and
  crop, best on validation data. (A mirrored digit is no digit.)
- claim C14: with a VAE or a GAN the seconds are at least one and a half times those of mixup.
- claim C23: rotation, scaling and crop together gain a point or more by mixup on top of them.

Chosen before the run, on the validation part of a seed that is not among the recorded ones: for
each method one of three values of its one knob, the learning rate for plain training, which all
share. ``python -m mixup_lib.experiments.few_digits`` measures the choices again. How long the VAE
and the GAN are trained was decided by looking at samples, of the same seed.
"""

import time
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset
from torchvision.transforms import InterpolationMode, v2

from mixup_lib import datasets
from mixup_lib.basics.seeds import initialised
from mixup_lib.datasets import Splits
from mixup_lib.experiments.runner import Experiment, described, of_parts, rounded
from mixup_lib.experiments.settings import fit_settings, make_model, without_name
from mixup_lib.mixing.draw import draw_cutmix, draw_mixup
from mixup_lib.models import parameter_count
from mixup_lib.models.generative import VAE, Discriminator, Generator
from mixup_lib.training.augment import crop, per_image
from mixup_lib.training.evaluation import evaluate
from mixup_lib.training.fitting import fit
from mixup_lib.training.gan import fit_gan
from mixup_lib.training.generating import fit_autoencoder, sample
from mixup_lib.training.history import History

# One knob for each method: its name, three values from mild to strong, and the validation error of
# each, in percent, with seed 1000.
KNOBS = {
    "plain": ("lr", (0.003, 0.01, 0.03)),
    "rotation": ("degrees", (5, 10, 20)),
    "scaling": ("by", (0.1, 0.2, 0.3)),
    "crop": ("padding", (1, 2, 3)),
    "mixup": ("alpha", (0.2, 1.0, 4.0)),
    "cutmix": ("alpha", (0.2, 1.0, 4.0)),
    "label-smoothing": ("smoothing", (0.05, 0.1, 0.2)),
    "vae": ("samples", (100, 400, 1600)),
    "gan": ("samples", (100, 400, 1600)),
}
VALIDATION_ERROR: dict[str, tuple[float, ...]] = {
    "plain": (15.78, 15.93, 14.06),
    "rotation": (12.34, 12.34, 11.62),
    "scaling": (12.77, 11.91, 12.63),
    "crop": (11.05, 24.53, 44.19),
    "mixup": (12.05, 11.76, 12.91),
    "cutmix": (11.19, 11.91, 11.48),
    "label-smoothing": (13.77, 13.92, 12.77),
    "vae": (14.06, 14.35, 14.92),
    "gan": (13.34, 14.92, 11.91),
}
CHOSEN = {
    method: values[VALIDATION_ERROR[method].index(min(VALIDATION_ERROR[method]))]
    for method, (_, values) in KNOBS.items()
}

CONFIG = {
    "data": {"name": "digits", "train": 100, "validation": 697, "test": 1000},
    "model": {"name": "SmallCNN", "channels": 1, "classes": 10, "width": 8},
    "optimizer": {"name": "Adam", "lr": CHOSEN["plain"]},
    "schedule": "cosine",
    "steps": 200,
    "batch_size": 50,
    "vae": {"epochs": 400, "parameters": "of encoder and decoder"},
    "gan": {"steps": 2000, "parameters": "of generator and discriminator"},
    "long": "four times the steps",
    "seconds": "CPU time of one thread",
    "device": "cpu",
    "choices": {
        method: {"knob": knob, "values": list(values), "chosen": CHOSEN[method]}
        | {"validation_error": list(VALIDATION_ERROR.get(method, ()))}
        for method, (knob, values) in KNOBS.items()
    },
    "chosen_on": "validation error, seed 1000; of equals the first",
}

affine = partial(v2.RandomAffine, interpolation=InterpolationMode.BILINEAR)


def setting(method: str, value: float) -> dict:
    """What ``trained`` is given for a method, at a value of its knob."""
    match method:
        case "plain":
            return {"optimizer": {"lr": value}}
        case "rotation":
            return {"augment": per_image(affine(value))}
        case "scaling":
            return {"augment": per_image(affine(0, scale=(1 - value, 1 + value)))}
        case "crop":
            return {"augment": partial(crop, padding=value)}
        case "cutmix":
            return {"mixing": partial(draw_cutmix, size=(8, 8), alpha=value)}
        case "label-smoothing":
            smooth = {"reduction": "none", "label_smoothing": value}
            return {"loss": partial(F.cross_entropy, **smooth)}
        case "vae" | "gan":
            return {"source_name": method, "samples": value}
    return {"mixing": partial(draw_mixup, alpha=value)}


def _classical() -> dict:
    shift, by = CHOSEN["crop"] / 8, CHOSEN["scaling"]
    turned = affine(CHOSEN["rotation"], translate=(shift, shift), scale=(1 - by, 1 + by))
    return {"augment": per_image(turned)}


METHODS = {method: setting(method, value) for method, value in CHOSEN.items()}
METHODS |= {"classical": _classical()}
METHODS |= {
    f"{name}-mixup": METHODS[name] | METHODS["mixup"] for name in ("classical", "vae", "gan")
}
METHODS |= {
    f"{name}-long": METHODS[name] | {"steps": 4 * CONFIG["steps"]} for name in ("plain", "mixup")
}


def load(seed: int, config: dict = CONFIG) -> Splits:
    """The seed's draw: ten labelled examples of each digit, and all others to measure on."""
    return datasets.digits(seed=seed, **without_name(config["data"]))


def source(
    config: dict, name: str, train: TensorDataset, seed: int
) -> tuple[nn.Module, float, int]:
    """A generative model of the hundred examples, its CPU seconds and parameters.

    Args:
        config: with how long it trains.
        name: "vae" or "gan".
        train: the examples.
        seed: of the initial weights and the draws.
    """
    start = time.process_time()
    if name == "vae":
        model = initialised(partial(VAE, (1, 8, 8), classes=10), seed)
        fit_autoencoder(model, train, epochs=config["vae"]["epochs"], seed=seed)
        return model, time.process_time() - start, parameter_count(model)
    model = initialised(partial(Generator, (1, 8, 8), classes=10), seed)
    judge = initialised(partial(Discriminator, (1, 8, 8), classes=10), seed)
    fit_gan(model, judge, train, steps=config["gan"]["steps"], seed=seed)
    spent = time.process_time() - start
    return model, spent, parameter_count(model) + parameter_count(judge)


def enlarged(train: TensorDataset, model: nn.Module, samples: int, seed: int) -> TensorDataset:
    """The real examples, and as many samples of each class as of the others."""
    y: Tensor = torch.arange(samples) % 10
    made = sample(model, samples, y, seed=seed)
    return TensorDataset(*map(torch.cat, zip(train.tensors, (made, y), strict=True)))


def trained(
    config: dict,
    train: TensorDataset,
    seed: int,
    *,
    source_name: str | None = None,
    samples: int = 0,
    steps: int | None = None,
    **own,
) -> tuple[nn.Module, History, dict, int]:
    """Trains a classifier; returns it, the history, CPU seconds, and parameters beyond its own."""
    before, extra = 0.0, 0
    if source_name is not None:
        made_by, before, extra = source(config, source_name, train, seed)
        start = time.process_time()
        train = enlarged(train, made_by, samples, seed)
        before += time.process_time() - start
    net = initialised(partial(make_model, config), seed)
    epochs = round((steps or config["steps"]) / -(-len(train) // config["batch_size"]))
    start = time.process_time()
    history = fit(
        net, train, seed=seed, progress=False, **fit_settings(config | {"epochs": epochs}, **own)
    )
    seconds = {"before": before, "training": time.process_time() - start}
    return net, history, seconds, extra


def measure(config: dict, method: str, seed: int, checkpoint: Path) -> dict:
    """Trains once and reads the test data once; a run is too short for a checkpoint."""
    splits = load(seed, config)
    net, history, seconds, extra = trained(config, splits.train, seed, **METHODS[method])
    return {
        "fit": history.settings,
        "metrics": of_parts(net, splits.parts()),
        "seconds": rounded(seconds, 2),
        "parameters": parameter_count(net),
        "extra_parameters": extra,
        "data_checksum": splits.checksum,
    }


def choose(seed: int = 1000) -> None:
    """Prints the validation error, in percent, of every value of every knob."""
    data = load(seed)
    for method, (_, values) in KNOBS.items():
        nets = [trained(CONFIG, data.train, seed, **setting(method, value))[0] for value in values]
        errors = [100 * evaluate(net, data.validation)["error"] for net in nets]
        print(f'    "{method}": ({", ".join(f"{error:.2f}" for error in errors)}),', flush=True)


EXPERIMENT = Experiment(
    name="few-digits",
    title="A hundred labelled digits: transforms, mixup and relatives, VAE and GAN samples",
    config=CONFIG,
    methods=described(METHODS),
    seeds=(0, 1, 2, 3, 4),
    measure=measure,
)

if __name__ == "__main__":
    torch.set_num_threads(1)
    choose()
