"""Mixing at a place drawn per step."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from mixup_lib import draw_mixup, fit, no_mix
from mixup_lib.mixing.hidden import manifold
from mixup_lib.models import ResNet


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))


def drawn(size=4):
    return draw_mixup(size, generator=torch.Generator().manual_seed(1))


def test_at_the_input_it_is_plain_mixup():
    model, x, mix = network(), torch.randn(4, 3), drawn()
    assert torch.equal(manifold(model, x, mix, ("input",)), model(mix.inputs(x)))


def test_at_a_part_that_parts_output_is_mixed_and_no_hook_stays():
    model, x, mix = network(), torch.randn(4, 3), drawn()
    by_hand = model[2](mix.inputs(model[1](model[0](x))))
    assert torch.equal(manifold(model, x, mix, ("1",)), by_hand)
    assert not torch.equal(by_hand, model(x))
    assert not model[1]._forward_hooks


def test_the_hook_goes_when_the_forward_pass_fails():
    model = network()
    with pytest.raises(RuntimeError):
        manifold(model, torch.randn(4, 7), drawn(), ("2",))
    assert not model[2]._forward_hooks


def test_all_places_are_visited_and_the_default_generator_decides():
    model, x, mix = network(), torch.randn(4, 3), drawn()
    places = ("input", "0", "1")
    single = [manifold(model, x, mix, (place,)) for place in places]

    def visits():
        torch.manual_seed(3)
        outs = [manifold(model, x, mix, places) for _ in range(60)]
        return [next(i for i, s in enumerate(single) if torch.equal(s, out)) for out in outs]

    first = visits()
    assert first == visits()
    assert min(first.count(i) for i in range(3)) > 8


def test_without_mixing_it_is_the_model():
    model, x = network(), torch.randn(4, 3)
    assert torch.equal(manifold(model, x, no_mix(4), ("input", "0")), model(x))


@pytest.mark.parametrize("places", [(), "input", ("input", "no-such"), ("",)])
def test_bad_places(places):
    with pytest.raises(ValueError, match="places="):
        manifold(network(), torch.randn(4, 3), drawn(), places)


def test_fit_trains_a_resnet_with_it_reproducibly():
    x, y = torch.rand(12, 3, 8, 8), torch.arange(12) % 3
    forward = partial(manifold, places=("input", "stem", "blocks.0"))

    def weights():
        torch.manual_seed(0)
        model = ResNet(8, 8, classes=3)
        fit(model, TensorDataset(x, y), epochs=2, batch_size=4, mixing=draw_mixup, forward=forward)
        return torch.cat([value.flatten().float() for value in model.state_dict().values()])

    assert torch.equal(weights(), weights())


class Twice(nn.Module):
    """Calls one part twice and another one never."""

    def __init__(self):
        super().__init__()
        self.shared, self.idle = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x):
        return self.shared(self.shared(x))


@pytest.mark.parametrize("how", ["method", "function", "a part", "after a change of its shape"])
def test_a_compiled_model_mixes_too(how):
    torch._dynamo.reset()
    model, x, mix = network(), torch.randn(4, 3), drawn()
    wanted, plain = manifold(model, x, mix, ("0",)), model(x)
    compiled = model
    if how == "method":
        model.compile(backend="eager")
    elif how == "a part":
        model[0].compile(backend="eager")
    else:
        compiled = torch.compile(model, backend="eager")
    compiled(x)  # what was compiled before knows no hook
    if how.startswith("after"):
        compiled(torch.randn(5, 3))
    torch.testing.assert_close(manifold(compiled, x, mix, ("0",)), wanted)
    torch.testing.assert_close(manifold(compiled, x, mix, ("input",)), model(mix.inputs(x)))
    torch.testing.assert_close(compiled(x), plain)
    assert not torch.allclose(wanted, plain)
    torch._dynamo.reset()


def test_a_place_that_is_not_met_once_is_refused():
    x, mix = torch.randn(4, 3), drawn()
    with pytest.raises(RuntimeError, match="'idle' 0 times, so that it was not mixed"):
        manifold(Twice(), x, mix, ("idle",))
    with pytest.raises(RuntimeError, match="'shared' 2 times, so that it was mixed as often"):
        manifold(Twice(), x, mix, ("shared",))
    recurrent = nn.Sequential(nn.GRU(3, 3))
    with pytest.raises(TypeError, match="'0' returns a tuple"):
        manifold(recurrent, torch.randn(4, 2, 3), mix, ("0",))
