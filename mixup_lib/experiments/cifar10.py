"""What the experiments on CIFAR-10 share: standardised data and the training of a small ResNet."""

from functools import partial
from pathlib import Path

from torch import Tensor, nn
from torch.utils.data import TensorDataset

from mixup_lib import datasets
from mixup_lib.basics.seeds import initialised
from mixup_lib.datasets import Splits
from mixup_lib.experiments.runner import of_parts_and_examples, of_training
from mixup_lib.experiments.settings import fit_settings, make_model
from mixup_lib.training.fitting import fit
from mixup_lib.training.history import History


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
    return datasets.cifar10(seed=seed, train=sizes["train"], validation=sizes["validation"])


def train(
    config: dict,
    splits: Splits,
    seed: int,
    checkpoint: Path | None,
    *,
    model: dict | None = None,
    **own,
) -> tuple[nn.Module, Standardise, History]:
    """Trains by ``config``, with a method's own arguments of ``model`` and of fit.

    Returns:
        The model (of standardised images), what standardises, and the history.
    """
    standardise = Standardise(splits.train.tensors[0])
    make = partial(make_model, config, classes=len(splits.classes), **(model or {}))
    net = initialised(make, seed)
    history = fit(
        net,
        standardise.of(splits.train),
        validation=standardise.of(splits.validation),
        seed=seed,
        checkpoint=checkpoint,
        **fit_settings(config, **own),
    )
    return net, standardise, history


def measure(config: dict, splits: Splits, seed: int, checkpoint: Path | None, **own) -> dict:
    """Trains once, with a method's ``own`` settings, and reads each part of the data once.

    Returns:
        The measured part of a record.
    """
    model, standardise, history = train(config, splits, seed, checkpoint, **own)
    parts = {name: standardise.of(part) for name, part in splits.parts().items()}
    return (
        of_parts_and_examples(model, parts)
        | {"data_checksum": splits.checksum}
        | of_training(model, history)
    )
