"""The distribution of lambda: Beta(alpha, alpha), missed in several ways (listings L1 and L2)."""

import numpy as np
import torch

TITLE = "Where the weights come from"


def text(flip: bool) -> str:
    return """\
More than one published implementation draws from another distribution than it says, and
nothing looks wrong. The article's L1 does without a draw: its `alpha` is the weight
itself. L2 draws uniformly and has no `alpha`.

**Interface:** `draw(alpha, n) -> lam`

- `alpha`: float from 0.2 to 10;
- `n`: int, at least 1;
- `lam`: float32 `(n,)`, values from 0 to 1.

**Promise:** `lam` holds `n` independent draws from Beta(`alpha`, `alpha`). This has mean
`1/2` and variance `1 / (4 * (2 * alpha + 1))`. Any sampler of that distribution will do."""


def torch_beta(alpha, n):
    """torch's own sampler."""
    return torch.distributions.Beta(alpha, alpha).sample((n,))


def gammas(alpha, n):
    """The share of one of two Gamma variables."""
    a, b = torch.distributions.Gamma(torch.tensor(alpha).double(), 1.0).sample((2, n))
    return (a / (a + b)).float()


def with_numpy(alpha, n):
    """NumPy's sampler, seeded from torch."""
    rng = np.random.default_rng(int(torch.randint(2**31, ())))
    return torch.from_numpy(rng.beta(alpha, alpha, n)).float()


def dirichlet(alpha, n):
    """The first entry of a Dirichlet draw."""
    return torch.distributions.Dirichlet(torch.tensor([alpha, alpha])).sample((n,))[:, 0]


def reflected(alpha, n):
    """The larger share, given to either side by a coin."""
    lam = torch.distributions.Beta(alpha, alpha).sample((n,))
    lam = torch.maximum(lam, 1 - lam)
    return torch.where(torch.rand(n) < 0.5, lam, 1 - lam)


def rate(alpha, n):
    """alpha is passed as the rate of the Gamma variables, not as their shape."""
    a, b = torch.distributions.Gamma(1.0, alpha).sample((2, n))
    return a / (a + b)


def alpha_itself(alpha, n):
    """alpha is taken for the weight itself."""
    return torch.full((n,), min(float(alpha), 1.0))


def uniform(alpha, n):
    """The draws are uniform, whatever alpha is."""
    return torch.rand(n)


def folded(alpha, n):
    """All draws are folded to the upper half."""
    lam = torch.distributions.Beta(alpha, alpha).sample((n,))
    return torch.maximum(lam, 1 - lam)


def one_sided(alpha, n):
    """Only one of the two parameters is alpha."""
    return torch.distributions.Beta(alpha, 1.0).sample((n,))


def repeated(alpha, n):
    """One draw is repeated n times."""
    return torch.distributions.Beta(alpha, alpha).sample().expand(n).clone()


def shifted(alpha, n):
    """The parameter is alpha + 1."""
    return torch.distributions.Beta(alpha + 1, alpha + 1).sample((n,))


CORRECT = {f.__name__: f for f in (torch_beta, gammas, with_numpy, dirichlet, reflected)}
BUGS = {f.__name__: f for f in (rate, alpha_itself, uniform, folded, one_sided, repeated, shifted)}
key_fix = torch_beta


def key_warm_up(specimen):
    """Eight draws for each of two values of `alpha`. Say before you run the cell for which of
    them they should lie near 0 and 1."""
    for alpha in (0.2, 10.0):
        print(alpha, specimen(alpha, 8))


def key_test(draw):
    for alpha in (0.3, 4.0):
        lam = draw(alpha, 5000)
        variance = 1 / (4 * (2 * alpha + 1))
        # standard errors: of the mean below 0.006, of the variance 0.002
        assert abs(lam.mean() - 0.5) < 0.04
        assert abs(lam.var() - variance) < 0.015


N, GAP = 30_000, 0.02  # Dvoretzky, Kiefer, Wolfowitz: P(gap > 0.02) <= 2 exp(-2 n gap^2) < 1e-10
DISTRIBUTION = {  # closed forms of P(lambda <= t)
    0.5: lambda t: 2 / torch.pi * torch.asin(t.sqrt()),
    1.0: lambda t: t,
    2.0: lambda t: 3 * t**2 - 2 * t**3,
}


def promise(draw, flip):
    """The whole distribution, for three values of alpha."""
    for alpha, distribution in DISTRIBUTION.items():
        lam = draw(alpha, N)
        assert lam.shape == (N,) and lam.dtype == torch.float32, "lam is no float32 (n,)."
        t = lam.double().sort().values
        assert t[0] >= 0 and t[-1] <= 1, "A weight lies outside 0 and 1."
        rank = torch.arange(N + 1).double() / N
        expected = distribution(t)
        gap = torch.maximum((rank[1:] - expected).abs().max(), (rank[:-1] - expected).abs().max())
        assert gap <= GAP, f"The weights don't follow Beta({alpha}, {alpha}): distance {gap:.2f}."


def edges(draw, flip):
    """Extreme alpha, one draw alone, independence of neighbours."""
    assert draw(0.5, 1).shape == (1,), "A single draw has not the shape (1,)."
    for alpha in (0.2, 10.0):
        lam = draw(alpha, N).double() - 0.5
        # Hoeffding: the squares lie in [0, 1/4], the products in [-1/4, 1/4];
        # P(mean is off by more than t) <= 2 exp(-2 n (t / range)^2), below 1e-8 for each
        assert lam.isfinite().all(), f"alpha = {alpha} gives weights that are no numbers."
        spread = float((lam**2).mean() - 1 / (4 * (2 * alpha + 1)))
        assert abs(spread) < 0.0045, f"alpha = {alpha}: the spread is wrong."
        neighbours = float((lam[0::2] * lam[1::2]).mean())
        assert abs(neighbours) < 0.013, "Neighbouring draws depend on each other."
    first, second = draw(1.0, 50), draw(1.0, 50)
    assert not torch.equal(first, second), "Two calls give the same weights."
