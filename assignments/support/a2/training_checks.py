"""What the case "training and evaluation" asks of a layer."""

import torch
from torch import nn
from torch.nn.functional import one_hot

from .judge import same


def tries(layer, classes=16):
    """Targets of six calls; asserts that inputs, labels and the caller's tensors agree."""
    y = torch.arange(classes)
    x = one_hot(y, classes).float()[:, :, None].expand(-1, -1, 3).contiguous()
    x_before, y_before, found = x.clone(), y.clone(), []
    for _ in range(6):
        mixed, targets = layer(x, y)
        assert torch.equal(x, x_before) and torch.equal(y, y_before), "The batch was changed."
        same(mixed, targets[:, :, None].expand(-1, -1, 3), "mixed, beside its targets,")
        found.append(targets)
    return found


def off(layer):
    """Asserts that nothing is mixed."""
    for targets in tries(layer):
        same(targets, torch.eye(16), "targets in evaluation")


def on(layer):
    """Asserts that something is mixed."""
    assert any(not torch.equal(t, torch.eye(16)) for t in tries(layer)), "Nothing is mixed."


def promise(make, flip):
    """Switched off and on, by the layer itself and by a model around it."""
    layer = make(1.0, 16)
    model = nn.Sequential(nn.Identity(), layer)
    on(layer)
    off(layer.eval())
    on(layer.train())
    model.eval()
    off(layer)


def edges(make, flip):
    """Twice, by train(False), with gradients and without, a batch of one."""
    model = nn.Sequential(nn.Identity(), make(0.5, 16))
    for _ in range(2):
        model.train(False)
        off(model[1])
        with torch.no_grad():
            off(model[1])
            model.train()
            on(model[1])
        on(model[1])
    x = torch.randn(1, 2)
    mixed, targets = make(1.0, 3)(x, torch.tensor([2]))
    same(mixed, x, "mixed (B = 1)")
    same(targets, torch.tensor([[0.0, 0.0, 1.0]]), "targets (B = 1)")
