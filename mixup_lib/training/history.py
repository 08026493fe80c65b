"""What a training run leaves behind, epoch by epoch."""

from dataclasses import dataclass, field

__all__ = ["History"]


@dataclass
class History:
    """One row per epoch.

    Attributes:
        rows: dictionaries with ``epoch`` (from 1), ``train_loss`` (mean loss on the batches as
            trained, mixed and augmented), ``mixed_accuracy`` (λ-weighted, on the same batches; not
            a training accuracy; nan unless labels are class ids), ``lr`` (of the last step),
            ``seconds`` (training only), and ``validation_accuracy``, ``validation_nll`` and
            ``validation_ece`` where the epoch was validated.
        settings: what made them, as JSON: every argument of
            :func:`~mixup_lib.training.fitting.fit` that the result depends on, functions by their
            name, and the numbers of examples. Empty if no training made them.
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    settings: dict = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> list[float]:
        """The column ``name`` of the epochs that have it.

        Raises:
            KeyError: if no epoch has it; the message lists the columns.
        """
        column = [row[name] for row in self.rows if name in row]
        if not column:
            names = sorted({key for row in self.rows for key in row})
            raise KeyError(f"no column {name!r}; the columns are {names}")
        return column

    @property
    def last(self) -> dict[str, float]:
        """The row of the last epoch."""
        return self.rows[-1]

    def __repr__(self) -> str:
        if not self.rows:
            return "History(epochs=0)"
        shown = {key: value for key, value in self.last.items() if key not in ("epoch", "seconds")}
        return (
            f"History(epochs={len(self)}, "
            + ", ".join(f"{key}={value:.4g}" for key, value in shown.items())
            + ")"
        )
