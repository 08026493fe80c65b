"""The reported weight: what a function says it did is not what it did."""

import torch

from .judge import same

TITLE = "The weight that is reported"
FLIP = {
    "return mixed, partner, own": "return mixed, partner, 1 - own",
    "own, other = lam, 1 - lam": "own, other = 1 - lam, lam",
}
WHOSE = {False: "the example itself", True: "the partner"}


def text(flip: bool) -> str:
    return f"""\
Many implementations fold the weight to the upper half, so that an example never weighs
less than its partner. That is a legitimate choice. But a loss, a plot or a schedule relies
on the weight that is reported. Papers and the article's L1 and L6 also differ in whose
weight it is, so an interface must say.

**Interface:** `mix(x, alpha) -> mixed, partner, lam`

- `x`: float32 `(B, ...)`, with one or more further axes;
- `alpha`: float above 0;
- `mixed`: like `x` in shape and dtype;
- `partner`: int64 `(B,)`, positions in the batch;
- `lam`: float32, of shape `()` or `(B,)`, the weight of **{WHOSE[flip]}**.

**Promise:** the three results belong together: from `x`, `partner` and `lam` anybody can
compute `mixed`. One weight for the batch or one for each, folded or not, any partners:
all are allowed. With 16 different examples and `alpha = 1`, hardly ever are all of them
left alone."""


def one_weight(x, alpha):
    """One weight for the batch."""
    own = torch.distributions.Beta(alpha, alpha).sample()
    partner = torch.randperm(len(x))
    mixed = own * x + (1 - own) * x[partner]
    return mixed, partner, own


def many_weights(x, alpha):
    """One weight for each example."""
    own = torch.distributions.Beta(alpha, alpha).sample((len(x),))
    partner = torch.randint(len(x), (len(x),))
    mixed = x[partner] + own.view(-1, *[1] * (x.ndim - 1)) * (x - x[partner])
    return mixed, partner, own


def folded(x, alpha):
    """One weight, folded, and reported as folded."""
    own = torch.distributions.Beta(alpha, alpha).sample()
    own = torch.maximum(own, 1 - own)
    partner = torch.randperm(len(x))
    mixed = torch.lerp(x[partner], x, own)
    return mixed, partner, own


def flipped(x, alpha):
    """A folded weight for each example, partners from the reversed batch."""
    own = torch.distributions.Beta(alpha, alpha).sample((len(x),))
    own = torch.maximum(own, 1 - own)
    partner = torch.arange(len(x)).flip(0)
    weight = own.view(-1, *[1] * (x.ndim - 1))
    mixed = weight * x + (1 - weight) * x.flip(0)
    return mixed, partner, own


def silently_folded(x, alpha):
    """The weight is folded for the inputs and reported as drawn."""
    own = torch.distributions.Beta(alpha, alpha).sample()
    weight = torch.maximum(own, 1 - own)
    partner = torch.randperm(len(x))
    mixed = weight * x + (1 - weight) * x[partner]
    return mixed, partner, own


def only_reported(x, alpha):
    """The weight is folded after the inputs were mixed."""
    own = torch.distributions.Beta(alpha, alpha).sample()
    partner = torch.randperm(len(x))
    mixed = own * x + (1 - own) * x[partner]
    own = torch.maximum(own, 1 - own)
    return mixed, partner, own


def other_side(x, alpha):
    """The weight of the other example is reported."""
    own = torch.distributions.Beta(alpha, alpha).sample()
    partner = torch.randperm(len(x))
    mixed = (1 - own) * x + own * x[partner]
    return mixed, partner, own


def inverse(x, alpha):
    """The inverse of the permutation is reported."""
    own = torch.distributions.Beta(alpha, alpha).sample()
    partner = torch.randperm(len(x))
    mixed = own * x + (1 - own) * x[partner]
    partner = partner.argsort()
    return mixed, partner, own


def drawn_again(x, alpha):
    """The weight is drawn once more for the report."""
    own = torch.distributions.Beta(alpha, alpha).sample()
    partner = torch.randperm(len(x))
    mixed = own * x + (1 - own) * x[partner]
    own = torch.distributions.Beta(alpha, alpha).sample()
    return mixed, partner, own


def mean_reported(x, alpha):
    """Each example has its weight, their mean is reported."""
    own = torch.distributions.Beta(alpha, alpha).sample((len(x),))
    partner = torch.randperm(len(x))
    weight = own.view(-1, *[1] * (x.ndim - 1))
    mixed = weight * x + (1 - weight) * x[partner]
    own = own.mean()
    return mixed, partner, own


CORRECT = {f.__name__: f for f in (one_weight, many_weights, folded, flipped)}
BUGS = {
    f.__name__: f
    for f in (silently_folded, only_reported, other_side, inverse, drawn_again, mean_reported)
}
key_fix = folded


def key_warm_up(specimen):
    """The examples are 1, 10 and 100. Run the cell, and compute the first row of `mixed` yourself
    from what else was returned."""
    x = torch.tensor([[1.0], [10.0], [100.0]])
    mixed, partner, lam = specimen(x, 1.0)
    print(mixed, partner, lam, sep="\n")


def key_test(mix):
    x = torch.randn(16, 3)
    for _ in range(15):
        mixed, partner, lam = mix(x, 1.0)
        lam = lam.reshape(-1, 1)
        own, other = lam, 1 - lam
        expected = own * x + other * x[partner]
        assert torch.allclose(mixed, expected, atol=1e-5)


def belongs(mix, x, alpha, flip):
    """Asserts that the results of one call belong together; returns the mixture."""
    mixed, partner, lam = mix(x, alpha)
    assert partner.dtype == torch.int64 and partner.shape == (len(x),), "partner: int64 (B,)."
    assert lam.dtype == torch.float32 and lam.shape in ((), (len(x),)), "lam: float32, () or (B,)."
    assert 0 <= float(lam.min()) and float(lam.max()) <= 1, "lam lies outside 0 and 1."
    own = (1 - lam if flip else lam).reshape(-1, *[1] * (x.ndim - 1)).double()
    same(mixed, (own * x + (1 - own) * x[partner]).float(), "mixed, beside partner and lam,")
    return mixed


def promise(mix, flip):
    """Flat inputs, many calls: the results belong together, and something is mixed."""
    moved = 0
    for _ in range(20):
        x = torch.randn(16, 3)
        moved += int(not torch.equal(belongs(mix, x, 1.0, flip), x))
    assert moved, "Nothing is mixed."


def edges(mix, flip):
    """Pictures, a batch of one, small and large alpha, the caller's tensor."""
    for alpha in (0.1, 1.0, 8.0):
        for shape in ((1, 4), (5, 3, 4, 6), (7, 7)):
            x = torch.randn(shape)
            before = x.clone()
            for _ in range(10):
                belongs(mix, x, alpha, flip)
            assert torch.equal(x, before), "x was changed."
    weights = {float(mix(torch.randn(4, 2), 1.0)[2].reshape(-1)[0]) for _ in range(10)}
    assert len(weights) > 1, "Ten calls report the same weight."
