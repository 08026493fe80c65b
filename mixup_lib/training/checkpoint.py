"""Checkpoints that resume bit-equal and refuse another run's file."""

import math
import os
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import Dataset, Subset, TensorDataset

from mixup_lib.basics.naming import canonical, digest
from mixup_lib.basics.writing import atomic_write
from mixup_lib.training.batches import length_of
from mixup_lib.training.history import History
from mixup_lib.training.identity import architecture, identify

__all__ = ["Checkpoint"]

LATER = ("architecture",)  # settings that older files do not have, and that they may lack


class Checkpoint:
    """The file of one run: weights, optimizer and history after the last finished epoch.

    No random state is stored, since every epoch's randomness follows from the seed and its number.
    Of several processes, that of rank 0 reads and writes. Their number belongs to the settings,
    since the mixes depend on it; how they are spread over nodes does not.

    Args:
        path: the file, or None for no checkpoint.
        plan: the settings of the run; a file with other settings is refused.
        model: its names and shapes belong to the settings, and so do its classes and their
            settings, such as the rate of a dropout.
        optimizer: loaded and saved with the model.
        train: its size and, for tensors, its content belong to the settings.

    Raises:
        ValueError: if a function of the plan can't be told from another one.
    """

    def __init__(self, path, plan: dict, model: nn.Module, optimizer, train: Dataset):
        self.path = None if path is None else Path(path)
        self.model, self.optimizer = model, optimizer
        self.best: dict[str, torch.Tensor] | None = None
        if self.path is not None:
            self.plan = {name: identify(name, value, model) for name, value in plan.items()}
            self.plan["architecture"] = architecture(model)
            self.plan["model"] = str({n: tuple(t.shape) for n, t in model.state_dict().items()})
            self.plan["train"] = _fingerprint(train)

    def read(self) -> dict | None:
        """What the file holds, on the CPU; None without a file.

        Raises:
            ValueError: if the file belongs to a run with other settings, or is no checkpoint.
        """
        if self.path is None or not self.path.is_file():
            return None
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            # A run that began when the code lay elsewhere goes on.
            plan = {name: canonical(value) for name, value in state["plan"].items()}
        except Exception as error:
            raise ValueError(
                f"checkpoint={str(self.path)!r} is no checkpoint of fit: remove it or name another"
            ) from error
        plan = {name: self.plan[name] for name in LATER if name in self.plan} | plan
        different = [
            name for name in {**self.plan, **plan} if self.plan.get(name) != plan.get(name)
        ]
        if different:
            told = "; ".join(
                f"{name} was {plan.get(name)!r} and is {self.plan.get(name)!r}"
                if len(str(plan.get(name))) + len(str(self.plan.get(name))) < 400
                else f"{name} differs"
                for name in different
            )
            raise ValueError(
                f"checkpoint={str(self.path)!r} belongs to a run with other settings: {told}. "
                "Repeat that run's settings, or name another file"
            )
        return state

    def restore(self, state: dict | None) -> History:
        """Puts back model and optimizer as read; returns the history so far, empty for None."""
        if state is None:
            return History()
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.best = state["best"]
        return History(state["rows"])

    def prepare(self) -> None:
        """Makes the folder and tries to write there, so that no training is lost for it.

        Raises:
            ValueError: if no file can be written there.
        """
        if self.path is None:
            return
        trial = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.is_dir():
                raise IsADirectoryError("it is a folder")
            trial.touch()
            trial.unlink()
        except OSError as error:
            raise ValueError(
                f"checkpoint={str(self.path)!r} can't be written: {error}. Valid: a file in a "
                "folder that can be written to"
            ) from error

    def keep_best(
        self, history: History, value: float, name: str = "accuracy", higher: bool = True
    ) -> None:
        """Sets the model's weights aside if no epoch before had as good a ``validation_{name}``."""
        sign, name = 1 if higher else -1, f"validation_{name}"
        before = (sign * row[name] for row in history.rows if name in row)
        if sign * value > max(before, default=-math.inf):
            self.best = {name: value.clone() for name, value in self.model.state_dict().items()}

    def save(self, history: History) -> None:
        """Writes the file in one step: there is the old one or the new one, never half of one."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "plan": self.plan,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "rows": history.rows,
        }
        with atomic_write(self.path) as draft:
            torch.save(state, draft)


def _fingerprint(data: Dataset) -> str:
    if isinstance(data, Subset):
        indices = torch.as_tensor(data.indices, device="cpu")
        return f"{len(data)} examples, {digest(indices)} of {_fingerprint(data.dataset)}"
    content = digest(*data.tensors) if isinstance(data, TensorDataset) else type(data).__name__
    return f"{length_of(data)} examples, {content}"
