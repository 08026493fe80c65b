"""The networks: shapes, seeds, and errors that say what is valid."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from mixup_lib import fit
from mixup_lib.basics.seeds import initialised
from mixup_lib.models import MLP, ResNet, ResNet9, SmallCNN, parameter_count

MODELS = [
    (lambda: MLP(64, [32, 16], 10, dropout=0.1), (1, 8, 8), 10),
    (lambda: MLP(2, (), 3), (2,), 3),
    (lambda: SmallCNN(1, 10), (1, 8, 8), 10),
    (lambda: SmallCNN(3, 5, width=8), (3, 32, 32), 5),
    (lambda: ResNet(8, 8, classes=7), (3, 32, 32), 7),
    (lambda: ResNet(14, 4, channels=1, stem_stride=2), (1, 28, 28), 10),
    (lambda: ResNet9(4, classes=3), (3, 32, 32), 3),
]


@pytest.mark.parametrize(("make", "shape", "classes"), MODELS)
def test_logits_and_gradients(make, shape, classes):
    model = make()
    logits = model(torch.randn(4, *shape))
    assert logits.shape == (4, classes)
    logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize(("make", "shape", "classes"), MODELS)
def test_weights_follow_the_seed_and_leave_the_default_generator_alone(make, shape, classes):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = initialised(make, 1), initialised(make, 1), initialised(make, 2)
    assert torch.equal(before, torch.get_rng_state())
    pairs = zip(first.state_dict().values(), again.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(next(first.parameters()), next(other.parameters()))


def test_resnet_is_the_one_of_the_paper():
    # He et al. 2016, table 6: ResNet-20 has 0.27 million parameters.
    model = ResNet(20, 16)
    assert sum(isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3) for m in model.modules()) == 19
    assert round(parameter_count(model) / 1e6, 2) == 0.27


def test_resnet9_has_nine_layers_and_two_million_parameters():
    model = ResNet9()
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == 9 and all(m.kernel_size == (3, 3) for m in layers[:-1])
    assert round(parameter_count(model) / 1e6, 1) == 2.1
    assert model.features(torch.zeros(1, 3, 32, 32)).shape == (1, 288, 4, 4)


def test_resolution_halves_where_it_should():
    sides = []
    model = ResNet(8, 4, stem_stride=2)
    for block in model.blocks:
        block.register_forward_hook(lambda module, args, out: sides.append(out.shape[-1]))
    model(torch.zeros(2, 3, 32, 32))
    assert sides == [16, 8, 4]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MLP(0), "in_features must be an integer of at least 1, got 0"),
        (lambda: MLP(4, [8, -1]), "hidden must be an integer of at least 1, got -1"),
        (lambda: MLP(4, dropout=1.0), r"dropout must lie in \[0, 1\), got 1.0"),
        (lambda: SmallCNN(1, True), "classes must be an integer of at least 1, got True"),
        (lambda: ResNet(18), "depth must be 6 n .*got 18"),
        (lambda: ResNet(8, stem_stride=3), "stem_stride must be 1 or 2, got 3"),
    ],
)
def test_bad_sizes(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("width", [2, 4, 8])
def test_a_narrow_resnet_trains(width):
    """A strided 1x1 convolution of few channels would corrupt memory (oneDNN issue 6035)."""
    x, y = torch.rand(12, 3, 16, 16), torch.arange(12) % 3
    history = fit(ResNet(8, width, classes=3), TensorDataset(x, y), epochs=2, batch_size=4)
    assert all(map(math.isfinite, history["train_loss"]))


def test_the_shortcut_is_a_strided_convolution():
    block = ResNet(8, 8).blocks[1]
    convolution, x = block.shortcut[0], torch.rand(2, 8, 6, 7)
    strided = F.conv2d(x, convolution.weight, stride=2)
    assert torch.equal(convolution(x[..., ::2, ::2]), strided)
    assert block(x).shape == (2, 16, 3, 4)


@pytest.mark.parametrize("dropout", [-0.1, 1.0])
def test_dropout_of_a_resnet(dropout):
    with pytest.raises(ValueError, match=rf"dropout must lie in \[0, 1\), got {dropout}"):
        ResNet(dropout=dropout)
    model, x = ResNet(8, 8, dropout=0.9), torch.rand(2, 3, 16, 16)
    assert torch.equal(model.eval()(x), model(x))
    assert not torch.equal(model.train()(x), model(x))
