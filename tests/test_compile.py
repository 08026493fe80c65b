"""torch.compile takes ``inputs`` and ``targets`` as one graph, once, whatever is drawn."""

import copy
from functools import partial

import pytest
import torch
from torch._dynamo.backends.debugging import aot_eager
from torch.utils.data import TensorDataset

from mixup_lib import draw_cutmix, draw_dirichlet, draw_mixup, fit, mixed_loss
from mixup_lib.mixing import memory as _memory

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


class Network(torch.nn.Module):
    """Takes any picture size: a convolution, and a mean over positions."""

    def __init__(self):
        super().__init__()
        self.convolution, self.head = torch.nn.Conv2d(3, 4, 3), torch.nn.Linear(4, 5)

    def forward(self, x):
        return self.head(self.convolution(x).relu().mean((2, 3)))


cross_entropy = partial(torch.nn.functional.cross_entropy, reduction="none")
SIZES = [(6, 8, 9), (5, 8, 9), (6, 12, 10)]


@pytest.mark.parametrize(
    ("draw", "backend"), [("mixup", "aot_eager"), ("dirichlet", "eager"), ("cutmix", "eager")]
)
def test_whole_training_steps_with_default_settings_at_any_size(draw, backend):
    """A last batch that is shorter, then pictures of another size: each step is the plain one."""
    torch._dynamo.reset()
    torch.manual_seed(0)
    model, twin = Network(), Network()
    twin.load_state_dict(model.state_dict())

    def losses(model, x, y, mix):
        logits = model(mix.inputs(x))
        soft = torch.nn.functional.cross_entropy(logits, mix.targets(y, 5))
        return soft, mixed_loss(cross_entropy, logits, y, mix)

    fast = torch.compile(losses, backend=backend)
    for b, h, w in SIZES:
        mix = {
            "mixup": lambda b=b: draw_mixup(b),
            "dirichlet": lambda b=b: draw_dirichlet(b, 3),
            "cutmix": lambda b=b, h=h, w=w: draw_cutmix(b, (h, w)),
        }[draw]()
        x, y = torch.randn(b, 3, h, w), torch.arange(b) % 5
        mine, plain = fast(model, x, y, mix), losses(twin, x, y, mix)
        torch.testing.assert_close(mine, plain)
        sum(mine).backward()
        sum(plain).backward()
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad)
    torch._dynamo.reset()


@pytest.mark.parametrize("shape", [(6, 8), (5, 8), (5, 20)])
def test_large_batches_compile_too(monkeypatch, shape):
    # No question about bytes may be asked of a size that is a symbol.
    monkeypatch.setattr(_memory, "_LARGE", 0)
    monkeypatch.setattr(_memory, "_GRAIN", 1)
    fast = torch.compile(lambda x, mix: mix.inputs(x), backend="eager", dynamic=True)
    x, mix = torch.rand(shape), draw_mixup(shape[0])
    torch.testing.assert_close(fast(x, mix), mix.inputs(x))


def test_a_draw_inside_what_is_compiled():
    torch._dynamo.reset()

    def step(x):
        return draw_mixup(len(x)).to(x.device).inputs(x)

    fast = torch.compile(step, backend="eager")
    for size in (6, 5, 7):
        x = torch.rand(size, 3)
        torch.manual_seed(size)
        wanted = step(x)
        torch.manual_seed(size)
        torch.testing.assert_close(fast(x), wanted)
    torch._dynamo.reset()


def test_fit_trains_a_compiled_model():
    torch._dynamo.reset()
    x, y = torch.rand(21, 3, 8, 9), torch.arange(21) % 5
    torch.manual_seed(0)
    model = Network()
    twin = copy.deepcopy(model)
    model.compile(backend="eager")
    for it in (model, twin):
        data = TensorDataset(x, y)
        fit(it, data, validation=data, epochs=2, batch_size=8, mixing=draw_mixup)
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(p, q)
    torch._dynamo.reset()
