"""The vision transformer: what it computes, and errors that say what is valid."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from mixup_lib import fit
from mixup_lib.basics.seeds import initialised
from mixup_lib.models import ResNet, TinyViT, parameter_count


def small(**options):
    return TinyViT(**{"side": 8, "patch": 2, "width": 12, "heads": 3, "channels": 1} | options)


def patches(x, side):
    """``(B, C, H, W)`` as ``(B, patches, C * side * side)``, row by row."""
    cut = x.unfold(2, side, side).unfold(3, side, side)
    return cut.permute(0, 2, 3, 1, 4, 5).flatten(1, 2).flatten(2)


@pytest.mark.parametrize("options", [{}, {"patch": 4, "classes": 3}, {"depth": 1, "dropout": 0.5}])
def test_logits_and_gradients(options):
    model = small(**options)
    logits = model(torch.randn(5, 1, 8, 8))
    assert logits.shape == (5, options.get("classes", 10))
    logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_it_is_as_large_as_the_network_that_it_is_set_beside():
    beside = parameter_count(ResNet(depth=8, width=16))
    assert abs(parameter_count(TinyViT()) / beside - 1) < 0.15


def test_tokens_are_patches_and_attention_is_torchs():
    model = initialised(lambda: small(depth=1), 0)
    block = model.blocks[0]
    reference = nn.MultiheadAttention(12, 3, batch_first=True)
    with torch.no_grad():
        for parameter in model.parameters():  # biases start at 0, which would hide a fault
            parameter.add_(0.1 * torch.randn_like(parameter))
        reference.in_proj_weight.copy_(block.attend.weight)
        reference.in_proj_bias.copy_(block.attend.bias)
        reference.out_proj.load_state_dict(block.join.state_dict())
    x = torch.randn(4, 1, 8, 8)
    tokens = patches(x, 2) @ model.tokens.weight.flatten(1).T + model.tokens.bias + model.position
    normed = block.first(tokens)
    tokens = tokens + reference(normed, normed, normed)[0]
    tokens = tokens + block.mlp(block.second(tokens))
    expected = model.classifier(model.norm(tokens).mean(1))
    assert torch.allclose(model(x), expected, atol=1e-5)


def test_without_positions_the_order_of_the_patches_is_lost():
    model = initialised(small, 0)
    x = torch.randn(3, 1, 8, 8)
    turned = x.roll((2, 4), (2, 3))  # whole patches change places
    assert not torch.allclose(model(x), model(turned), atol=1e-4)
    nn.init.zeros_(model.position)
    assert torch.allclose(model(x), model(turned), atol=1e-5)


def test_an_example_does_not_see_the_others():
    model, x = initialised(small, 0).eval(), torch.randn(6, 1, 8, 8)
    assert torch.allclose(model(x)[2:3], model(x[2:3]), atol=1e-6)


def test_the_seed_fixes_the_weights_and_training_lowers_the_loss():
    first, again = initialised(small, 1), initialised(small, 1)
    assert all(map(torch.equal, first.parameters(), again.parameters()))
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(40, 1, 8, 8, generator=generator), torch.arange(40) % 2
    x[:, :, :4] += 2 * y.view(-1, 1, 1, 1)
    fast = partial(torch.optim.Adam, lr=1e-2)
    history = fit(first, TensorDataset(x, y), epochs=10, batch_size=20, optimizer=fast)
    assert history["train_loss"][-1] < 0.5 * history["train_loss"][0]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TinyViT(patch=5), "side=32 is no multiple of patch=5"),
        (lambda: TinyViT(width=50, heads=4), "width=50 is no multiple of heads=4"),
        (lambda: TinyViT(depth=0), "depth must be an integer of at least 1, got 0"),
        (lambda: TinyViT(patch=0), "patch must be an integer of at least 1, got 0"),
        (lambda: TinyViT(dropout=1.0), r"dropout must lie in \[0, 1\), got 1.0"),
        (lambda: small()(torch.zeros(2, 1, 16, 16)), r"valid is \(B, \*\(1, 8, 8\)\)"),
    ],
)
def test_errors_say_what_is_valid(make, words):
    with pytest.raises(ValueError, match=words):
        make()
