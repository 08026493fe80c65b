"""What each process does for tests/test_processes.py, and what one process does to compare.

    torchrun --standalone --nproc_per_node=2 two_processes.py FOLDER [short]
    python two_processes.py FOLDER spawn

Each rank leaves its findings in FOLDER/rankN.pt. All of it is in one script, since starting
processes costs seconds and training these models costs none.
"""

import sys
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import TensorDataset

from mixup_lib import Mix, draw_mixup, evaluate
from mixup_lib.basics.seeds import initialised
from mixup_lib.mixing.schedules import alpha_cosine
from mixup_lib.training.fitting import cosine, fit
from mixup_lib.training.runtime import rank

EXAMPLES = 45  # batches of 11: uneven shares, and a single last example that joins a batch


def data(n: int = EXAMPLES) -> TensorDataset:
    """The first feature is the example's number."""
    x = torch.randn(n, 5, generator=torch.Generator().manual_seed(0))
    x[:, 0] = torch.arange(n) / EXAMPLES
    return TensorDataset(x, torch.arange(n) % 3)


def network() -> nn.Module:
    """Its batch statistics differ from share to share, so the buffers tell processes apart."""
    return initialised(lambda: nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 3)), 0)


def train(model, **changes):
    settings = {
        "epochs": 3,
        "batch_size": 11,
        "validation": data(),
        "schedule": cosine,
        "device": "cpu",
        "optimizer": partial(torch.optim.SGD, lr=0.1, momentum=0.9),
        "progress": False,
    }
    return fit(model, data(), **(settings | changes))


def weights(model) -> dict:
    return {name: value.clone() for name, value in model.state_dict().items()}


class Mixing:
    """Draws and augments, notes what it meets, and fails at the batch ``stop``, if any."""

    def __init__(self, stop: int | None = None):
        self.stop, self.seen, self.lams, self.noise = stop, [], [], []

    def __repr__(self) -> str:
        return "Mixing"

    def __call__(self, batch_size, x, y, generator):
        if len(self.seen) == self.stop:
            raise InterruptedError
        self.seen.append((x[:, 0] * EXAMPLES).round().long())
        mix = draw_mixup(batch_size, generator=generator)
        self.lams.append(mix.lam[0].item())
        self.noise.append(torch.rand(()).item())  # as dropout would draw it
        assert len(x) == len(y) == batch_size > mix.index.max()  # all of this process's share
        return mix


def mixed(checkpoint=None, stop=None, **changes) -> dict:
    """A run with mixes; with ``stop`` it breaks off, and its file is what it leaves."""
    model, mixing = network(), Mixing(stop)
    found = {}
    try:
        found["rows"] = train(model, mixing=mixing, checkpoint=checkpoint, **changes).rows
    except InterruptedError:
        found["interrupted"] = True
    for row in found.get("rows", []):
        del row["seconds"]
    found |= {"weights": weights(model), "training": model.training}
    return found | {"seen": mixing.seen, "lams": mixing.lams, "noise": mixing.noise}


def unmixed(**changes) -> dict:
    model = initialised(partial(nn.Linear, 5, 3), 0)
    rows = train(model, **changes).rows
    return {"rows": rows, "weights": weights(model)}


def weighed(batch_size, progress, generator) -> Mix:
    """Shows the alpha of the step in the weights, where the seeds of two processes can't."""
    share = torch.full((batch_size,), alpha_cosine(progress, 0.9, 0.1))
    itself = torch.arange(batch_size)
    return Mix(torch.stack([itself, itself]), torch.stack([share, 1 - share]))


def scaled(model, x, mix):
    return model(x) * mix.lam.unsqueeze(1)


def scheduled() -> dict:
    """Weights after a run whose every step depends on the progress of the whole run."""
    model = initialised(partial(nn.Linear, 5, 3), 0)
    train(model, mixing=weighed, forward=scaled)
    return weights(model)


def validated(n: int) -> dict:
    """What fit measured on ``n`` examples, and what one process measures with the same model."""
    model = network()
    rows = train(model, validation=data(n), mixing=draw_mixup, keep="best").rows
    best = max(row["validation_accuracy"] for row in rows)
    kept = next(row for row in rows if row["validation_accuracy"] == best)
    return {"together": kept, "alone": evaluate(model, data(n))}


def refusal(**arguments) -> str:
    try:
        train(network(), **arguments)
    except ValueError as error:
        return str(error)
    return "accepted"


def main(folder: Path, how: str) -> None:
    # Each rank names a file of its own, as nodes without a shared disk would have it.
    file = folder / f"file{rank()}.pt"
    if how == "spawn":
        found = {"resumed": mixed(folder / "file0.pt", processes=2)}
    elif how == "short":
        found = {"whole": mixed()}
    else:
        found = {
            "unmixed": unmixed(),
            "scheduled": scheduled(),
            "whole": mixed(),
            "again": mixed(folder / f"whole{rank()}.pt", processes=2),
            "stopped": mixed(file, stop=6),  # four batches an epoch: in the second one
            "refused": refusal(processes=3),
            **{f"validated{n}": validated(n) for n in (1, 7, EXAMPLES)},
        }
        if rank() == 0:
            (folder / "interrupted.pt").write_bytes(file.read_bytes())
        found["resumed"] = mixed(file)
    torch.save(found, folder / f"rank{rank()}.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "all")
