"""Class numbers: labels that come as numbers are mixed as numbers (listings L1, L2 and L6)."""

import torch
from torch.nn.functional import one_hot

from .judge import same

TITLE = "Class numbers"
FLIP = {"own, other = lam, 1 - lam": "own, other = 1 - lam, lam"}
WHOSE = {False: "the example itself", True: "the partner"}


def text(flip: bool) -> str:
    return f"""\
A class number is a name. The article's listings L1, L2 and L6 average such names. Other
code goes wrong in other ways.

**Interface:** `mix(y, partner, lam, classes) -> targets`

- `y`: int64 `(B,)`, class numbers from 0 to `classes - 1`;
- `partner`: int64 `(B,)`, the position of each example's partner in the batch
  (an example may be its own partner, two may share one);
- `lam`: float32 `(B,)`, from 0 to 1, for each example the weight of **{WHOSE[flip]}**;
- `classes`: int, 2 to 1,000;
- `targets`: float32 `(B, classes)`.

**Promises:** row `i` holds the weight of example `i` at its class, the weight of its
partner at the partner's class, and zeros elsewhere. Where both classes are the same,
their weights add up. The inputs stay as they were. No randomness is involved."""


def lerp(y, partner, lam, classes):
    """A weighted mean of one-hot rows."""
    own, other = lam, 1 - lam
    hot = torch.nn.functional.one_hot(y, classes).float()
    return own[:, None] * hot + other[:, None] * hot[partner]


def scatter(y, partner, lam, classes):
    """Weights added at the two classes."""
    own, other = lam, 1 - lam
    targets = torch.zeros(len(y), classes)
    targets.scatter_add_(1, y[:, None], own[:, None])
    return targets.scatter_add_(1, y[partner][:, None], other[:, None])


def matrix(y, partner, lam, classes):
    """A matrix of weights times the one-hot labels."""
    own, other = lam, 1 - lam
    here = torch.eye(len(y), dtype=torch.float64)
    weights = own[:, None] * here + other[:, None] * here[partner]
    return (weights @ here.new_zeros(len(y), classes).scatter_(1, y[:, None], 1)).float()


def loop(y, partner, lam, classes):
    """One example after the other."""
    own, other = lam, 1 - lam
    targets = torch.zeros(len(y), classes)
    for i in range(len(y)):
        targets[i, y[i]] += own[i]
        targets[i, y[partner[i]]] += other[i]
    return targets


def averaged(y, partner, lam, classes):
    """Class numbers are averaged and rounded."""
    own, other = lam, 1 - lam
    label = (own * y + other * y[partner]).round().long()
    return torch.nn.functional.one_hot(label, classes).float()


def overwritten(y, partner, lam, classes):
    """Two examples of the same class lose one of their weights."""
    own, other = lam, 1 - lam
    targets = torch.zeros(len(y), classes)
    targets.scatter_(1, y[:, None], own[:, None])
    return targets.scatter_(1, y[partner][:, None], other[:, None])


def exchanged(y, partner, lam, classes):
    """The two weights are exchanged."""
    own, other = lam, 1 - lam
    hot = torch.nn.functional.one_hot(y, classes).float()
    return other[:, None] * hot + own[:, None] * hot[partner]


def half_classes(y, partner, lam, classes):
    """Large class numbers change in half precision."""
    own, other = lam, 1 - lam
    y = y.bfloat16().long().clamp(max=classes - 1)
    hot = torch.nn.functional.one_hot(y, classes).float()
    return own[:, None] * hot + other[:, None] * hot[partner]


def half_weights(y, partner, lam, classes):
    """The weights are rounded to half precision."""
    lam = lam.bfloat16().float()
    own, other = lam, 1 - lam
    hot = torch.nn.functional.one_hot(y, classes).float()
    return own[:, None] * hot + other[:, None] * hot[partner]


def heavier(y, partner, lam, classes):
    """Only the heavier of the two labels is kept."""
    own, other = lam, 1 - lam
    label = torch.where(own >= other, y, y[partner])
    return torch.nn.functional.one_hot(label, classes).float()


def first_weight(y, partner, lam, classes):
    """All examples get the first one's weight."""
    own, other = lam, 1 - lam
    hot = torch.nn.functional.one_hot(y, classes).float()
    return own[0] * hot + other[0] * hot[partner]


CORRECT = {f.__name__: f for f in (lerp, scatter, matrix, loop)}
BUGS = {
    f.__name__: f
    for f in (averaged, overwritten, exchanged, half_classes, half_weights, heavier, first_weight)
}
HIDDEN_ONLY = {"overwritten", "half_classes"}  # they pass the property test `promise`
key_fix = lerp


def key_warm_up(specimen):
    """Two labels of five classes, 1 and 3, each the other's partner, with `lam` at three quarters.
    Say before you run the cell what the two rows should be."""
    y, partner = torch.tensor([1, 3]), torch.tensor([1, 0])
    print(specimen(y, partner, torch.tensor([0.75, 0.75]), 5))


def key_test(mix):
    B, classes = 16, 1000
    y = torch.randint(300, classes, (B,))
    y[:4] = 501  # a pair of one class; an odd number above 256
    partner = torch.arange(B).roll(1)
    lam = torch.rand(B)
    own, other = lam, 1 - lam
    expected = torch.zeros(B, classes)
    for i in range(B):
        expected[i, y[i]] += own[i]
        expected[i, y[partner[i]]] += other[i]
    torch.testing.assert_close(mix(y, partner, lam, classes), expected)


def expectation(y, partner, lam, classes, flip):
    own = 1 - lam if flip else lam
    hot = one_hot(y, classes).double()
    return (own[:, None] * hot + (1 - own[:, None]) * hot[partner]).float()


def promise(mix, flip):
    """Few classes, partners all different."""
    y, partner, lam = torch.arange(12) % 6, torch.arange(12).roll(1), torch.rand(12)
    same(mix(y, partner, lam, 7), expectation(y, partner, lam, 7, flip), "targets")


def edges(mix, flip):
    """Many classes, pairs of one class, own partners, weights of 0 and 1, a batch of one."""
    y = torch.cat([torch.randint(257, 1000, (40,)), torch.full((8,), 999)])
    partner, lam = torch.randint(0, 48, (48,)), torch.rand(48)
    partner[40:], partner[0], lam[1], lam[2] = 47, 0, 0.0, 1.0
    before = y.clone(), partner.clone(), lam.clone()
    same(mix(y, partner, lam, 1000), expectation(y, partner, lam, 1000, flip), "targets")
    for name, now, old in zip(("y", "partner", "lam"), (y, partner, lam), before):
        assert torch.equal(now, old), f"The caller's {name} was changed."
    one, zero = torch.tensor([1]), torch.tensor([0])
    same(mix(one, zero, torch.tensor([0.3]), 2), torch.tensor([[0.0, 1.0]]), "targets (B = 1)")
