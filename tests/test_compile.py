"""torch.compile takes ``inputs`` and ``targets`` as one graph, once, whatever is drawn."""

import pytest
import torch
from torch._dynamo.backends.debugging import aot_eager

from mixup_lib import draw_cutmix, draw_dirichlet, draw_mixup, mixed_loss

DRAWS = {
    "mixup": lambda g: draw_mixup(6, generator=g),
    "per sample": lambda g: draw_mixup(6, 0.3, per_sample=True, generator=g),
    "dirichlet": lambda g: draw_dirichlet(6, 4, per_sample=True, generator=g),
    "cutmix": lambda g: draw_cutmix(6, (8, 9), per_sample=True, generator=g),
    "time cut": lambda g: draw_cutmix(6, (9,), dims=(-1,), generator=g),
}


@pytest.fixture
def compiled():
    """Compiles as a whole, and counts how often."""
    torch._dynamo.reset()
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return aot_eager(graph, inputs)

    yield lambda f: torch.compile(f, backend=backend, fullgraph=True, dynamic=False), graphs
    torch._dynamo.reset()


def apply(mix, x, y, soft):
    return mix.inputs(x), mix.targets(y, 5), mix.targets(soft), mix.any_valid(soft > 0.5)


@pytest.mark.parametrize(
    ("name", "layout"),
    [(name, "contiguous") for name in DRAWS]
    + [(name, "channels_last") for name in ("mixup", "cutmix")],
)
def test_one_graph_for_all_draws(name, layout, compiled):
    compile_, graphs = compiled
    generator = torch.Generator().manual_seed(0)
    fast = compile_(apply)
    for step in range(4):
        x = torch.randn(6, 3, 8, 9, generator=generator)
        if layout == "channels_last":
            x = x.to(memory_format=torch.channels_last)
        y, soft = torch.arange(6).roll(step) % 5, torch.rand(6, 4, generator=generator)
        mix = DRAWS[name](generator)
        torch.testing.assert_close(fast(mix, x, y, soft), apply(mix, x, y, soft))
        assert fast(mix, x, y, soft)[0].stride() == x.stride()
    assert len(graphs) == 1


def test_buffers_and_half_precision(compiled):
    compile_, graphs = compiled
    fast = compile_(lambda mix, x, out: mix.inputs(x, out=out))
    x, out = torch.randn(6, 7).bfloat16(), torch.empty(6, 7).bfloat16()
    for _ in range(3):
        mix = draw_mixup(6)
        torch.testing.assert_close(fast(mix, x, out), mix.inputs(x))
        torch.testing.assert_close(out, mix.inputs(x))
    assert len(graphs) == 1


def test_a_training_step_with_gradients(compiled):
    compile_, graphs = compiled

    def step(mix, x, y):
        x = mix.inputs(x)
        return mixed_loss(lambda p, t: (p - t).square().mean(1), x, y, mix)

    fast = compile_(step)
    for _ in range(3):
        mix, x, y = draw_mixup(6), torch.randn(6, 3, requires_grad=True), torch.randn(6, 3)
        wanted = torch.autograd.grad(step(mix, x, y), x)
        torch.testing.assert_close(torch.autograd.grad(fast(mix, x, y), x), wanted)
    assert len(graphs) == 1
