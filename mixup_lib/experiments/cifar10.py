"""What the experiments on CIFAR-10 share: standardised data and the training of a small ResNet."""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from mixup_lib.datasets import Splits, cifar10
from mixup_lib.history import History
from mixup_lib.models import ResNet
from mixup_lib.seeds import initialised
from mixup_lib.train import cosine, fit


class Standardise(nn.Module):
    """Pixels in [0, 1] to mean 0 and deviation 1 per channel.

    In front of a trained model it makes one that takes pixels: what an attack or a corruption
    changes.
    """

    def __init__(self, images: Tensor):
        super().__init__()
        self.register_buffer("mean", images.mean((0, 2, 3), keepdim=True))
        self.register_buffer("deviation", images.std((0, 2, 3), keepdim=True))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` pixels to the same shape, standardised."""
        return (x - self.mean) / self.deviation

    def of(self, data: TensorDataset) -> TensorDataset:
        """The same examples, standardised."""
        x, y = data.tensors
        return TensorDataset(self(x), y)


def load(config: dict, seed: int) -> Splits:
    """The seed's draw of CIFAR-10 with the sizes of ``config["data"]``."""
    sizes = config["data"]
    return cifar10(seed=seed, train=sizes["train"], validation=sizes["validation"])


def train(
    config: dict,
    splits: Splits,
    seed: int,
    checkpoint: Path | None,
    *,
    make_model=ResNet,
    model: dict | None = None,
    optimizer: dict | None = None,
    **settings,
) -> tuple[nn.Module, Standardise, History]:
    """Trains by ``config``, with a method's own ``settings`` of fit, model and optimizer.

    Returns:
        The model (of standardised images), what standardises, and the history.
    """
    standardise = Standardise(splits.train.tensors[0])
    options = _but_name(config["model"]) | (model or {})
    net = initialised(partial(make_model, classes=len(splits.classes), **options), seed)
    options = _but_name(config["optimizer"]) | (optimizer or {})
    history = fit(
        net,
        standardise.of(splits.train),
        validation=standardise.of(splits.validation),
        epochs=config["epochs"],
        batch_size=config["batch_size"],
        optimizer=partial(getattr(torch.optim, config["optimizer"]["name"]), **options),
        schedule=cosine,
        seed=seed,
        checkpoint=checkpoint,
        device=config["device"],
        validate_every=config["validate_every"],
        **settings,
    )
    return net, standardise, history


def _but_name(options: dict) -> dict:
    return {name: value for name, value in options.items() if name != "name"}
