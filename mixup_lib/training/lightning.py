"""Mixup in Lightning's trainer, as a callback. Needs the extra ``lightning``.

Importing this module imports Lightning: the package ``lightning``, or ``pytorch_lightning`` where
that one is imported already or is the only one there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, MutableMapping, MutableSequence
from typing import Any

import torch

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.naming import describe
from mixup_lib.basics.optional import require
from mixup_lib.basics.seeds import generator_for
from mixup_lib.mixing.draw import draw_mixup
from mixup_lib.mixing.mix import Mix
from mixup_lib.training.draws import asked_for, draws_of
from mixup_lib.training.identity import identify

__all__ = ["MixupCallback"]

# A trainer works best with callbacks of its own package: the one in use comes first.
_packages = sorted(["lightning", "pytorch_lightning"], key=lambda name: name not in sys.modules)
Callback: Any
try:
    Callback = require(_packages[0], "lightning").Callback
except ImportError:
    Callback = require(_packages[1], "lightning").Callback


class MixupCallback(Callback):
    """Mixes every training batch, on the device, before ``training_step`` sees it.

    Validation, test and prediction batches stay as they are. The targets become soft labels, which
    ``cross_entropy`` takes as it takes class ids, so the model needs no change.

    Every draw follows from ``seed``, the epoch, the rank and the number of the batch, and from
    nothing else. Processes therefore draw different mixes, a second run draws the same ones, and
    so does a run that is resumed, within an epoch too (where it is the trainer that starts the
    loader anew, unless the loader keeps its place). Partners come from the batch of the process
    itself.

    Args:
        mixing: Called as ``mixing(batch_size, generator=...)`` and returns a
            :class:`~mixup_lib.Mix`: :func:`~mixup_lib.draw_mixup`, or ``functools.partial`` of it
            or of :func:`~mixup_lib.draw_cutmix`. Of ``x`` and ``y`` (the batch) and ``progress``
            (the share of the training that is done, in [0, 1)) it is passed those that its
            signature names without a default.
        num_classes: Number of classes; needed where the targets are class ids.
        inputs: Where the batch holds the inputs: an index for a list, a name for a dict. Floating,
            ``(B, ...)``.
        target: Where it holds the targets: class ids ``(B,)``, or floating targets ``(B, ...)``.
        seed: An integer of at least 0.

    Attributes:
        mix: The :class:`~mixup_lib.Mix` of the current batch, on the CPU; None before the first.
            Log ``callback.mix.lam``, or weigh a metric with it.

    Raises:
        ValueError: An argument is out of range; the trainer resumes a run that was mixed otherwise;
            ``progress`` is asked for and the trainer does not know how long it will train; the
            trainer writes checkpoints, and ``mixing`` can't be told from another function.
        TypeError: ``mixing`` can't be called or returns no ``Mix``; a batch is no list and no dict,
            so that nothing in it can be replaced; inputs that are not floating.
        LookupError: The batch has no ``inputs`` or ``target``.
    """

    def __init__(
        self,
        mixing: Callable[..., Mix] = draw_mixup,
        num_classes: int | None = None,
        inputs: int | str = 0,
        target: int | str = 1,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not callable(mixing):
            raise TypeError(f"mixing must be callable, such as draw_mixup, got {mixing!r}")
        if "history" in asked_for(mixing):
            raise ValueError(
                f"mixing={describe(mixing)} asks for the history of mixup_lib.fit, which a "
                "Lightning trainer does not keep. Valid: a mixing of x, y and progress"
            )
        if num_classes is not None:
            integer_at_least("num_classes", num_classes, 1)
        self.mixing = mixing
        self.num_classes = num_classes
        self.inputs, self.target = inputs, target
        self.seed = integer_at_least("seed", seed, 0)
        self.mix: Mix | None = None
        self._draw = draws_of(mixing)

    def on_fit_start(self, trainer, pl_module) -> None:
        """Refuses a ``mixing`` that can't be told from another one, before anything is trained."""
        if trainer.checkpoint_callbacks:
            self.state_dict()

    def on_train_batch_start(self, trainer, pl_module, batch: Any, batch_idx: int) -> None:
        """Replaces inputs and targets in the batch, which is a list or dict of the trainer's own.

        A callback can't hand another batch to the trainer, so the batch must be one whose parts
        can be replaced. Its tensors are never changed.
        """
        x, y = self._part(batch, "inputs"), self._part(batch, "target")
        epoch = trainer.current_epoch
        generator = generator_for(self.seed, epoch, "draws", trainer.global_rank, batch_idx)
        progress = None
        if "progress" in asked_for(self.mixing):
            progress = self._progress(trainer, batch_idx)
        self.mix = self._draw(x, generator, y=y, progress=progress)
        mixed, targets = self.mix.inputs(x), self.mix.targets(y, self.num_classes)
        if x.dtype == torch.float64:
            targets = targets.double()  # of a trainer with precision="64-true", whose losses are
        batch[self.inputs], batch[self.target] = mixed, targets

    def state_dict(self) -> dict[str, Any]:
        """What the draws depend on; goes into the trainer's checkpoints."""
        return {"seed": self.seed, "mixing": identify("mixing", self.mixing)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Checks that a resumed run mixes as it did. There is no random state to restore."""
        for name, now in self.state_dict().items():
            if state_dict[name] != now:
                raise ValueError(
                    f"the checkpoint is of a run with {name}={state_dict[name]!r}, and here it is "
                    f"{name}={now!r}. Valid: the same, or only the weights of that checkpoint"
                )

    def _part(self, batch: Any, argument: str) -> Any:
        key = getattr(self, argument)
        if not isinstance(batch, MutableSequence | MutableMapping):
            raise TypeError(
                f"the batch is a {type(batch).__name__}, whose parts can't be replaced. Valid is a "
                "list or a dict, as torch's default_collate makes them"
            )
        try:
            return batch[key]
        except (LookupError, TypeError) as error:
            kind = type(batch).__name__
            valid = list(batch) if isinstance(batch, MutableMapping) else list(range(len(batch)))
            raise LookupError(
                f"{argument}={key!r} is not in the batch, a {kind}; valid are {valid}"
            ) from error

    @staticmethod
    def _progress(trainer, batch_idx: int) -> float:
        epochs, batches = trainer.max_epochs or -1, trainer.num_training_batches
        if epochs < 1 or batches == float("inf"):
            raise ValueError(
                f"mixing asks for progress, but max_epochs={trainer.max_epochs} and an epoch has "
                f"{batches} batches. Valid: numbers of epochs and batches that are known beforehand"
            )
        return (trainer.current_epoch + batch_idx / batches) / epochs
