"""Random numbers that repeat, or that nobody can repeat."""

import random

import numpy as np
import torch

TITLE = "Random numbers that repeat"
RAW = True  # the case is about seeds: the test must be able to set them


def text(flip: bool) -> str:
    return """\
A loader, a library and a training script share one stream of random numbers. A function
that seeds it, or keeps a stream of its own, breaks the others' numbers or its own.

**Interface:** `mix(x, alpha) -> mixed, partner, lam`

- `x`: float32 `(B, ...)`; `alpha`: float above 0; `mixed`: like `x`;
- `partner`: int64 `(B,)`; `lam`: float32, `()` or `(B,)`, the weight of the example itself.

**Promises:**

1. Every call draws anew, the partners and the weights. In a batch of 16, at `alpha = 1`,
   two calls hardly ever agree in the weights or in the partners.
2. All randomness comes from torch's default generator. So after `torch.manual_seed(s)` the
   same calls give the same results, and another seed gives others.
3. The function never seeds that generator. Numbers drawn after a call still depend on the
   seed set before it, and differ from call to call.

You may seed the default generator in this test as you like."""


def default(x, alpha):
    """One weight for the batch, all from the default generator."""
    lam = torch.distributions.Beta(alpha, alpha).sample()
    partner = torch.randperm(len(x))
    return torch.lerp(x[partner], x, lam), partner, lam


def each(x, alpha):
    """One weight for each example."""
    partner = torch.randint(len(x), (len(x),))
    lam = torch.distributions.Beta(alpha, alpha).sample((len(x),))
    weight = lam.view(-1, *[1] * (x.ndim - 1))
    return weight * x + (1 - weight) * x[partner], partner, lam


def own_generator(x, alpha):
    """A generator of its own, seeded afresh from the default one."""
    generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
    partner = torch.randperm(len(x), generator=generator)
    lam = torch.distributions.Beta(alpha, alpha).sample()
    return lam * x + (1 - lam) * x[partner], partner, lam


def folded(x, alpha):
    """A folded weight."""
    partner = torch.randperm(len(x))
    lam = torch.distributions.Beta(alpha, alpha).sample()
    lam = torch.maximum(lam, 1 - lam)
    return lam * x + (1 - lam) * x[partner], partner, lam


def seeds_globally(x, alpha):
    """Every call seeds the default generator."""
    torch.manual_seed(0)
    lam = torch.distributions.Beta(alpha, alpha).sample()
    partner = torch.randperm(len(x))
    return lam * x + (1 - lam) * x[partner], partner, lam


def same_partners(x, alpha):
    """The partners come from a generator with a fixed seed."""
    lam = torch.distributions.Beta(alpha, alpha).sample()
    generator = torch.Generator().manual_seed(7)
    partner = torch.randperm(len(x), generator=generator)
    return lam * x + (1 - lam) * x[partner], partner, lam


def drawn_once(x, alpha, lam=float(torch.rand(()))):  # noqa: B008
    """The weight is drawn when the function is defined."""
    partner = torch.randperm(len(x))
    lam = torch.tensor(lam)
    return lam * x + (1 - lam) * x[partner], partner, lam


def by_initial_seed(x, alpha):
    """Every call starts again from the initial seed."""
    generator = torch.Generator().manual_seed(torch.initial_seed() % 2**31)
    lam = torch.rand((), generator=generator)
    partner = torch.randperm(len(x), generator=generator)
    return lam * x + (1 - lam) * x[partner], partner, lam


def by_numpy(x, alpha):
    """The weight comes from NumPy's generator."""
    lam = torch.tensor(np.random.beta(alpha, alpha)).float()
    partner = torch.randperm(len(x))
    return lam * x + (1 - lam) * x[partner], partner, lam


def by_python(x, alpha):
    """The partners come from Python's generator."""
    lam = torch.distributions.Beta(alpha, alpha).sample()
    partner = torch.tensor(random.sample(range(len(x)), len(x)))
    return lam * x + (1 - lam) * x[partner], partner, lam


def seeds_afterwards(x, alpha):
    """Every call ends with a seed, for whoever draws next."""
    lam = torch.distributions.Beta(alpha, alpha).sample()
    partner = torch.randperm(len(x))
    torch.manual_seed(int(1000 * alpha))
    return lam * x + (1 - lam) * x[partner], partner, lam


CORRECT = {f.__name__: f for f in (default, each, own_generator, folded)}
BUGS = {
    f.__name__: f
    for f in (
        seeds_globally,
        same_partners,
        drawn_once,
        by_initial_seed,
        by_numpy,
        by_python,
        seeds_afterwards,
    )
}
key_fix = default


def key_warm_up(specimen):
    """Three calls, the first two after the same seed. Say before you run the cell which of the
    three rows should be equal."""
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        mixed, partner, lam = specimen(torch.zeros(4, 1), 1.0)
        print(seed, partner, lam)


def key_test(mix):
    x = torch.randn(16, 3)

    def calls(seed):
        torch.manual_seed(seed)
        results = [mix(x, 1.0) for _ in range(3)]
        return results, torch.rand(4)

    results, after = calls(1)
    for i in (1, 2):
        assert not torch.equal(results[0][1], results[i][1])
        assert not torch.equal(results[0][2], results[i][2])
    again, after_again = calls(1)
    for one, two in zip(results, again):
        for a, b in zip(one, two):
            assert torch.equal(a, b)
    assert torch.equal(after, after_again)
    other, after_other = calls(2)
    assert not torch.equal(results[0][2], other[0][2])
    assert not torch.equal(after, after_other)


def obeys(mix, shape, alpha):
    """Asserts the promises for inputs of one shape, and that the results belong together."""
    x, runs = torch.randn(shape), []
    for seed in (11, 11, 12):
        torch.manual_seed(seed)
        runs.append([mix(x, alpha) for _ in range(5)])
        runs[-1].append((torch.rand(5),))
    for mixed, partner, lam in runs[0][:5]:
        weight = lam.reshape(-1, *[1] * (x.ndim - 1))
        gap = (mixed - (weight * x + (1 - weight) * x[partner])).abs().max()
        assert gap < 1e-5, "mixed does not follow from x, partner and lam."
    for part, name in ((1, "partners"), (2, "weights")):
        drawn = [[tuple(r[part].reshape(-1).tolist()) for r in run[:5]] for run in runs]
        assert len(set(drawn[0])) > 1, f"Five calls have the same {name}."
        assert drawn[0] == drawn[1], f"The same seed gives other {name}."
        assert drawn[0] != drawn[2], f"Another seed gives the same {name}."
    assert torch.equal(runs[0][5][0], runs[1][5][0]), (
        "Numbers drawn after a call do not follow the seed."
    )
    assert not torch.equal(runs[0][5][0], runs[2][5][0]), (
        "Numbers drawn after a call no longer depend on the seed."
    )


def promise(mix, flip):
    """Flat inputs, alpha 1. A coincidence of all partners or weights has a chance below 1e-12."""
    obeys(mix, (16, 3), 1.0)


def edges(mix, flip):
    """Pictures, other values of alpha, the caller's tensor."""
    for alpha in (0.5, 4.0):
        obeys(mix, (24, 2, 3, 4), alpha)
    x = torch.randn(5, 2)
    before = x.clone()
    mix(x, 1.0)
    assert torch.equal(x, before), "x was changed."
