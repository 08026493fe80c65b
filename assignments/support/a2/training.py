"""A layer that mixes in evaluation, or changes the batch that it was given."""

import torch
from torch import nn

from .training_checks import edges, promise  # noqa: F401 - the judge looks for them here

TITLE = "Training and evaluation"
RAW = True  # a class, not a function: it draws from torch's default generator


def text(flip: bool) -> str:
    return """\
Mixing belongs to training. A model that mixes its validation batches reports numbers that
mean nothing, and no error tells.

**Interface:** `layer = make(alpha, classes)`, then `layer(x, y) -> mixed, targets`

- `layer`: an `nn.Module`, often a part of a larger model;
- `x`: float32 `(B, ...)`; `y`: int64 `(B,)`;
- `mixed`: like `x`; `targets`: float32 `(B, classes)`.

**Promises:**

1. In training mode each example is mixed with a partner, `targets` with the same weights.
   (With 16 different examples and `alpha = 1`, hardly ever are all left alone.)
2. In evaluation mode the values of `x` come back, and one-hot labels. It is switched on and
   off as in any module: by `eval()`, `train()`, `train(False)`, by the model around it,
   as often as one likes, under `torch.no_grad()` or not.
3. In either mode the caller's `x` and `y` stay as they were. (To return `x` itself in
   evaluation mode is allowed.)"""


class Plain(nn.Module):
    """One weight for the batch; x itself in evaluation."""

    def __init__(self, alpha, classes):
        super().__init__()
        self.beta = torch.distributions.Beta(alpha, alpha)
        self.classes = classes

    def forward(self, x, y):
        y = nn.functional.one_hot(y, self.classes).float()
        if not self.training:
            return x, y
        lam, index = self.beta.sample(), torch.randperm(len(x))
        return torch.lerp(x[index], x, lam), torch.lerp(y[index], y, lam)


class PerExample(nn.Module):
    """One weight for each example; a copy of x in evaluation."""

    def __init__(self, alpha, classes):
        super().__init__()
        self.alpha, self.classes = alpha, classes

    def forward(self, x, y):
        y = nn.functional.one_hot(y, self.classes).float()
        if not self.training:
            return x.clone(), y
        lam = torch.distributions.Beta(self.alpha, self.alpha).sample((len(x),))
        index = torch.randint(len(x), (len(x),))
        w = lam.view(-1, *[1] * (x.ndim - 1))
        return w * x + (1 - w) * x[index], lam[:, None] * y + (1 - lam[:, None]) * y[index]


class WeightOne(nn.Module):
    """Evaluation is a mixture in which the example has the weight 1."""

    def __init__(self, alpha, classes):
        super().__init__()
        self.alpha, self.classes = alpha, classes

    def forward(self, x, y):
        lam = torch.distributions.Beta(self.alpha, self.alpha).sample()
        lam = lam if self.training else torch.ones(())
        y = nn.functional.one_hot(y, self.classes).float()
        return lam * x + (1 - lam) * x.flip(0), lam * y + (1 - lam) * y.flip(0)


class Always(nn.Module):
    """It mixes in evaluation, too."""

    def __init__(self, alpha, classes):
        super().__init__()
        self.beta = torch.distributions.Beta(alpha, alpha)
        self.classes = classes

    def forward(self, x, y):
        y = nn.functional.one_hot(y, self.classes).float()
        lam, index = self.beta.sample(), torch.randperm(len(x))
        return torch.lerp(x[index], x, lam), torch.lerp(y[index], y, lam)


class ByGradient(nn.Module):
    """It mixes whenever gradients are recorded."""

    def __init__(self, alpha, classes):
        super().__init__()
        self.beta = torch.distributions.Beta(alpha, alpha)
        self.classes = classes

    def forward(self, x, y):
        y = nn.functional.one_hot(y, self.classes).float()
        if not torch.is_grad_enabled():
            return x, y
        lam, index = self.beta.sample(), torch.randperm(len(x))
        return torch.lerp(x[index], x, lam), torch.lerp(y[index], y, lam)


class Remembered(nn.Module):
    """It remembers the mode in which it was made."""

    def __init__(self, alpha, classes):
        super().__init__()
        self.beta = torch.distributions.Beta(alpha, alpha)
        self.classes = classes
        self.active = self.training

    def forward(self, x, y):
        y = nn.functional.one_hot(y, self.classes).float()
        if not self.active:
            return x, y
        lam, index = self.beta.sample(), torch.randperm(len(x))
        return torch.lerp(x[index], x, lam), torch.lerp(y[index], y, lam)


class EvalOnly(nn.Module):
    """It hears its own eval(), but not that of the model around it."""

    def __init__(self, alpha, classes):
        super().__init__()
        self.beta = torch.distributions.Beta(alpha, alpha)
        self.classes = classes
        self.off = False

    def forward(self, x, y):
        y = nn.functional.one_hot(y, self.classes).float()
        if self.off:
            return x, y
        lam, index = self.beta.sample(), torch.randperm(len(x))
        return torch.lerp(x[index], x, lam), torch.lerp(y[index], y, lam)

    def eval(self):
        self.off = True
        return super().eval()

    def train(self, mode=True):
        self.off = self.off and not mode
        return super().train(mode)


class OneWay(nn.Module):
    """It stays off after the first evaluation."""

    def __init__(self, alpha, classes):
        super().__init__()
        self.beta = torch.distributions.Beta(alpha, alpha)
        self.classes = classes
        self.off = False

    def forward(self, x, y):
        y = nn.functional.one_hot(y, self.classes).float()
        if self.off:
            return x, y
        lam, index = self.beta.sample(), torch.randperm(len(x))
        return torch.lerp(x[index], x, lam), torch.lerp(y[index], y, lam)

    def train(self, mode=True):
        self.off = self.off or not mode
        return super().train(mode)


class InPlace(nn.Module):
    """It writes the mixture into the caller's batch."""

    def __init__(self, alpha, classes):
        super().__init__()
        self.beta = torch.distributions.Beta(alpha, alpha)
        self.classes = classes

    def forward(self, x, y):
        y = nn.functional.one_hot(y, self.classes).float()
        if not self.training:
            return x, y
        lam, index = self.beta.sample(), torch.randperm(len(x))
        other = x[index]
        x.mul_(lam).add_((1 - lam) * other)
        return x, torch.lerp(y[index], y, lam)


CORRECT = {f.__name__: f for f in (Plain, PerExample, WeightOne)}
BUGS = {f.__name__: f for f in (Always, ByGradient, Remembered, EvalOnly, OneWay, InPlace)}
key_fix = Plain


def key_warm_up(specimen):
    """The examples are 1, 10 and 100. Say before you run the cell what each of the two calls may
    return."""
    layer = specimen(1.0, 3)
    x, y = torch.tensor([[1.0], [10.0], [100.0]]), torch.tensor([0, 1, 2])
    print("training:", layer(x, y))
    print("evaluation:", layer.eval()(x, y))


def key_test(make):
    x, y = torch.eye(16), torch.arange(16)
    layer = make(1.0, 16)
    model = nn.ModuleList([layer])

    def mixes():
        results = [layer(x, y) for _ in range(3)]
        assert torch.equal(x, torch.eye(16))
        assert torch.equal(y, torch.arange(16))
        for mixed, targets in results:
            assert torch.allclose(mixed, targets)
        return any(not torch.equal(targets, x) for _, targets in results)

    assert mixes()
    for switch in (layer.eval, model.eval, lambda: layer.train(False)):
        switch()
        assert not mixes()
        model.train()
        assert mixes()
