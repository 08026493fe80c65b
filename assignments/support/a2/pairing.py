"""Who is mixed with whom: inputs and labels get other partners or other weights."""

import torch

from .judge import same

TITLE = "Who is mixed with whom"


def text(flip: bool) -> str:
    return """\
The labels must say what is in the inputs. Here they don't.

**Interface:** `mix(x, y, alpha) -> mixed, targets`

- `x`: float32 `(B, ...)`, with one or more further axes;
- `y`: float32 `(B, classes)`, one-hot;
- `alpha`: float above 0, the parameter of the Beta distribution;
- `mixed`, `targets`: like `x` and `y` in shape and dtype.

**Promises:** each example is mixed with one partner of the batch, and each row of
`targets` has the partner and the weights of the same row of `mixed`. Free choices: one
weight for the batch or one for each example, any partners (an example may meet itself),
weights folded to the upper half or not. But something is mixed: with 16 different
examples and `alpha = 1`, hardly ever are all of them left alone."""


def one_weight(x, y, alpha):
    """One weight for the batch."""
    lam = torch.distributions.Beta(alpha, alpha).sample()
    index = torch.randperm(len(x))
    return torch.lerp(x[index], x, lam), torch.lerp(y[index], y, lam)


def many_weights(x, y, alpha):
    """One weight for each example."""
    lam = torch.distributions.Beta(alpha, alpha).sample((len(x),))
    index = torch.randint(len(x), (len(x),))

    def apply(values):
        weight = lam.view(-1, *[1] * (values.ndim - 1))
        return weight * values + (1 - weight) * values[index]

    return apply(x), apply(y)


def folded(x, y, alpha):
    """A weight folded to the upper half, for inputs and labels alike."""
    lam = torch.distributions.Beta(alpha, alpha).sample()
    lam = torch.maximum(lam, 1 - lam)
    index = torch.randperm(len(x))
    return lam * x + (1 - lam) * x[index], lam * y + (1 - lam) * y[index]


def matrix(x, y, alpha):
    """One matrix of weights, applied to inputs and labels."""
    lam = torch.distributions.Beta(alpha, alpha).sample((len(x), 1))
    here = torch.eye(len(x))
    weights = lam * here + (1 - lam) * here.roll(1, 0)
    return (weights @ x.flatten(1)).view_as(x), weights @ y


def two_permutations(x, y, alpha):
    """Inputs and labels are shuffled separately."""
    lam = torch.distributions.Beta(alpha, alpha).sample()
    mixed = lam * x + (1 - lam) * x[torch.randperm(len(x))]
    targets = lam * y + (1 - lam) * y[torch.randperm(len(y))]
    return mixed, targets


def two_weights(x, y, alpha):
    """Inputs and labels get weights of two draws."""
    beta = torch.distributions.Beta(alpha, alpha)
    index = torch.randperm(len(x))
    lam = beta.sample()
    mixed = lam * x + (1 - lam) * x[index]
    lam = beta.sample()
    return mixed, lam * y + (1 - lam) * y[index]


def complement(x, y, alpha):
    """The labels get the weights the wrong way round."""
    lam = torch.distributions.Beta(alpha, alpha).sample()
    index = torch.randperm(len(x))
    return lam * x + (1 - lam) * x[index], (1 - lam) * y + lam * y[index]


def folded_labels(x, y, alpha):
    """The weight is folded for the labels only."""
    lam = torch.distributions.Beta(alpha, alpha).sample()
    index = torch.randperm(len(x))
    mixed = lam * x + (1 - lam) * x[index]
    lam = torch.maximum(lam, 1 - lam)
    return mixed, lam * y + (1 - lam) * y[index]


def mean_weight(x, y, alpha):
    """Inputs have a weight each, the labels only the mean of these."""
    lam = torch.distributions.Beta(alpha, alpha).sample((len(x),))
    index = torch.randperm(len(x))
    weight = lam.view(-1, *[1] * (x.ndim - 1))
    mixed = weight * x + (1 - weight) * x[index]
    return mixed, lam.mean() * y + (1 - lam.mean()) * y[index]


def inverse(x, y, alpha):
    """The labels are shuffled by the inverse permutation."""
    lam = torch.distributions.Beta(alpha, alpha).sample()
    index = torch.randperm(len(x))
    mixed = lam * x + (1 - lam) * x[index]
    return mixed, lam * y + (1 - lam) * y[index.argsort()]


def labels_left(x, y, alpha):
    """The labels are left as they were."""
    lam = torch.distributions.Beta(alpha, alpha).sample()
    index = torch.randperm(len(x))
    return lam * x + (1 - lam) * x[index], y.clone()


CORRECT = {f.__name__: f for f in (one_weight, many_weights, folded, matrix)}
BUGS = {
    f.__name__: f
    for f in (
        two_permutations,
        two_weights,
        complement,
        folded_labels,
        mean_weight,
        inverse,
        labels_left,
    )
}
key_fix = one_weight


def key_warm_up(specimen):
    """The examples are 1, 10 and 100, so a row of `mixed` tells who is in it. Run the cell, and
    say of each row whether `targets` tells the same."""
    x = torch.tensor([[1.0], [10.0], [100.0]])
    mixed, targets = specimen(x, torch.eye(3), 1.0)
    print(mixed, targets, sep="\n")


def key_test(mix):
    y = torch.eye(32)  # every example has a class of its own, and is its label
    for _ in range(15):
        mixed, targets = mix(y, y, 1.0)
        assert torch.allclose(mixed, targets, atol=1e-5)


def promise(mix, flip):
    """The labels serve as inputs: whatever is drawn, the two results must be equal."""
    y, moved = torch.eye(16), 0
    for _ in range(20):
        mixed, targets = mix(y.clone(), y.clone(), 1.0)
        same(mixed, targets, "mixed, for inputs that are their own labels,")
        same(targets.sum(1), torch.ones(16), "the sum of each row of targets")
        assert int((targets > 1e-6).sum(1).max()) <= 2, "More than two labels in one row."
        moved += int(not torch.equal(targets, y))
    assert moved, "Nothing is mixed."


def edges(mix, flip):
    """Pictures, a batch of one, small and large alpha, the caller's tensors."""
    for alpha in (0.1, 1.0, 8.0):
        y = torch.eye(6)
        x = y[:, :, None, None].expand(6, 6, 3, 5).contiguous()
        before = x.clone()
        for _ in range(10):
            mixed, targets = mix(x, y, alpha)
            same(mixed, targets[:, :, None, None].expand(6, 6, 3, 5), "mixed")
        assert torch.equal(x, before) and torch.equal(y, torch.eye(6)), "The inputs were changed."
    x, y = torch.randn(1, 4), torch.eye(1)
    mixed, targets = mix(x, y, 0.5)
    same(mixed, x, "mixed (B = 1)")
    same(targets, y, "targets (B = 1)")
