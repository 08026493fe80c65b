"""A variant of A1: other numbers by hand, other conventions for lam and alpha, another order of
arguments and results, another size of the counterexample. None of these stays as published, so
published functions fail in the variant.
"""

from __future__ import annotations

import itertools
import random

import nbformat

from assignments import FOLDER

# What stands in the master, and what stands there where lam belongs to the partner.
SWAPPED = {
    "`lam` is the weight $\\lambda$ of the example itself. Its partner has the weight "
    "$1 - \\lambda$.":
    "`lam` is the weight $\\lambda$ of the partner. The example itself has the weight "
    "$1 - \\lambda$.",
    "the result is exactly 1, the example itself": "the result is exactly 0, the example itself",
    "own, other = lam, 1 - lam": "own, other = 1 - lam, lam",
    "return 1.0": "return 0.0",
    "no_mixing = 1.0": "no_mixing = 0.0",
    "LAM * X[0] + (1 - LAM) * X[1]": "(1 - LAM) * X[0] + LAM * X[1]",
    "y_hand = LAM * F.one_hot(LABELS, CLASSES)[0] + (1 - LAM) * F":
    "y_hand = (1 - LAM) * F.one_hot(LABELS, CLASSES)[0] + LAM * F",
}
# What stands there where alpha is the sum of both parameters.
HALVED = {
    "$\\lambda \\sim \\mathrm{Beta}(\\alpha, \\alpha)$ as a Python `float`.":
    "$\\lambda \\sim \\mathrm{Beta}(\\alpha/2, \\alpha/2)$ as a Python `float`. Here $\\alpha$ is "
    "the **sum** of both parameters.",
    "with **shape** $\\alpha$ and": "with **shape** $\\alpha/2$ and",
    "One draw from Beta(alpha, alpha), as a float.":
    "One draw from Beta(alpha / 2, alpha / 2), as a float.",
    "rng.beta(alpha, alpha)": "rng.beta(alpha / 2, alpha / 2)",
    "stats.beta(alpha, alpha).cdf": "stats.beta(alpha / 2, alpha / 2).cdf",
    "The draws do not follow Beta(alpha, alpha).":
    "The draws do not follow Beta(alpha / 2, alpha / 2).",
    "For $k = 2$ the first weight is then a draw from $\\mathrm{Beta}(\\alpha, \\alpha)$ again.":
    "For $k = 2$ the first weight is then a draw from $\\mathrm{Beta}(\\alpha, \\alpha)$.",
}
LARGER = {
    "with `B` at least 2": "with `B` at least 4",
    "assert len(y) >= 2 and": "assert len(y) >= 4 and",
    "torch.tensor([[0.0, 2.0], [0.0, 2.0]])": "torch.tensor([[0.0, 2.0]] * 4)",
    "y, perm = torch.tensor([0, 0]), torch.tensor([1, 0])":
    "y, perm = torch.tensor([0, 0, 0, 0]), torch.tensor([1, 0, 3, 2])",
}
ARGUMENTS = {
    "draw_lam(alpha, rng)": "draw_lam(rng, alpha)",
    "draw_lam(0, np.random.default_rng(2))": "draw_lam(np.random.default_rng(2), 0)",
    "draw_lam(0.7, rng)": "draw_lam(rng, 0.7)",
    "draw_lam(0.9, rng)": "draw_lam(rng, 0.9)",
    "draw_lam(bad, np.random.default_rng(5))": "draw_lam(np.random.default_rng(5), bad)",
}
BATCH = ["x_mixed", "y_mixed", "lam", "perm"]
MANY = ["x_k", "y_k", "weights", "index"]


def draw(rng: random.Random) -> dict[str, str]:
    """New sources by cell id, for the cells that change."""
    # Neither the mixed batch nor lam stays at its place.
    order = rng.choice([order for order in itertools.permutations(range(4))
                        if order[0] != 0 and order[2] != 2])
    changes = SWAPPED | HALVED | LARGER | ARGUMENTS
    for names in (BATCH, MANY):
        changes[", ".join(names)] = ", ".join(names[place] for place in order)
    lam, classes = rng.choice([0.15, 0.2, 0.35, 0.4, 0.45]), rng.randint(4, 6)
    x = [[float(rng.randint(-4, 9)) for _ in range(2)] for _ in range(2)]
    labels = rng.sample(range(classes), 2)
    changes |= {
        "lam, x, y, classes = 0.3, [[1.0, 4.0], [3.0, 0.0]], [2, 0], 4":
        f"lam, x, y, classes = {lam}, {x}, {labels}, {classes}",
        "LAM = 0.3": f"LAM = {lam}",
        "torch.tensor([[1.0, 4.0], [3.0, 0.0]])": f"torch.tensor({x})",
        "LABELS = torch.tensor([2, 0])": f"LABELS = torch.tensor({labels})",
        "CLASSES = 4": f"CLASSES = {classes}",
    }
    return replaced(changes)


def replaced(changes: dict[str, str]) -> dict[str, str]:
    """The master's cells with the changes made: those that differ, by id.

    Raises:
        ValueError: A text to change no longer stands in the master.
    """
    master = nbformat.read(FOLDER / "a1_draw_once.ipynb", as_version=4)
    everything = "\n".join(cell.source for cell in master.cells)
    for old in changes:
        if old not in everything:
            raise ValueError(f"the master of a1 does not hold {old!r}; valid is a text that does")
    made = {}
    for cell in master.cells:
        source = cell.source
        for old, new in changes.items():
            source = source.replace(old, new)
        if source != cell.source:
            made[cell.id] = source
    return made
