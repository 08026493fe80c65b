"""Checkpoints tell runs apart that have the same names: by code, constants and captured values."""

import functools
import operator
import random
import threading
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import Subset, TensorDataset

from mixup_lib import draw_mixup, fit
from mixup_lib.basics.naming import describe
from mixup_lib.training.identity import architecture, identify

DATA = TensorDataset(torch.randn(40, 5), torch.arange(40) % 3)
ALPHA = 0.2
TABLE = {"alpha": torch.tensor([0.2])}


def once(path, **options):
    torch.manual_seed(0)
    model = options.pop("model", None) or nn.Linear(5, 3)
    data = options.pop("data", DATA)
    return fit(model, data, epochs=1, checkpoint=path, progress=False, **options)


def closing_over(value):
    return lambda batch_size, generator: draw_mixup(batch_size, 1.0, bool(value))


def from_source(text, **names):
    """A function as a script makes it, with globals of its own."""
    space = {"__name__": "__main__", "draw_mixup": draw_mixup, "torch": torch, **names}
    exec(text, space)
    return space["f"]


def with_default(alpha):
    def f(batch_size, generator, alpha=alpha):
        return draw_mixup(batch_size, alpha, generator=generator)

    return f


class Held:
    def __init__(self, alpha, more=()):
        self.alpha, self.more = alpha, more

    def __call__(self, batch_size, generator):
        return draw_mixup(batch_size, self.alpha, generator=generator)


class Slots:
    __slots__ = ("alpha",)

    def __init__(self, alpha):
        self.alpha = alpha


class Named(Held):
    def __repr__(self):
        return f"Named({self.alpha})"


class Net(nn.Module):
    def __init__(self, function=F.relu, scale=1.0):
        super().__init__()
        self.linear, self.function, self.scale = nn.Linear(5, 3), function, scale
        self.lock = threading.Lock()  # nothing to compare, and no setting

    def forward(self, x):
        return self.function(self.linear(x)) * self.scale


def with_part(part):
    return nn.Sequential(nn.Linear(5, 3), part)


DRAW = "def f(b, generator): return draw_mixup(b, {}, generator=generator)"
GLOBAL = "def f(b, generator): return draw_mixup(b, ALPHA, generator=generator)"
CALLS = "def g(): return {}\ndef f(b, generator): return draw_mixup(b, g(), generator=generator)"
NESTED = "def f(b, generator): return [draw_mixup(b, {}) for _ in range(1)][0]"
METHOD = "class C:\n def __call__(self, b, generator): return draw_mixup(b, {})\nf = C()"
RATE = "f = lambda p: torch.optim.SGD(p, lr={})"

# Two settings that are not the same, and look it.
PAIRS = {
    "constants": (from_source(DRAW.format(0.2)), from_source(DRAW.format(8.0))),
    "globals": (from_source(GLOBAL, ALPHA=0.2), from_source(GLOBAL, ALPHA=8.0)),
    "code of what is called": (from_source(CALLS.format(1)), from_source(CALLS.format(2))),
    "code inside": (from_source(NESTED.format(1)), from_source(NESTED.format(2))),
    "a class's code": (from_source(METHOD.format(1)), from_source(METHOD.format(2))),
    "a lambda's rate": (from_source(RATE.format(0.01)), from_source(RATE.format(1.0))),
    "defaults": (with_default(0.2), with_default(8.0)),
    "captured numbers": (closing_over(1), closing_over(2)),
    "captured arrays": (closing_over(np.zeros(5000)), closing_over(np.eye(1, 5000, 2500)[0])),
    "captured tensors": (closing_over(torch.zeros(3)), closing_over(torch.ones(3))),
    "captured functions": (closing_over(closing_over(1)), closing_over(closing_over(2))),
    "captured modules": (closing_over(nn.Dropout(0.1)), closing_over(nn.Dropout(0.2))),
    "captured states": (closing_over(random.Random(1)), closing_over(random.Random(2))),
    "captured sets": (closing_over({"a", "b"}), closing_over({"a", "c"})),
    "slots": (closing_over(Slots(1)), closing_over(Slots(2))),
    "attributes": (Held(0.2), Held(8.0)),
    "deep attributes": (Held(1, [{"a": Held(2)}]), Held(1, [{"a": Held(3)}])),
    "methods of objects": (Held(0.2).__call__, Held(8.0).__call__),
    "arguments of a partial": (partial(closing_over(1), 1), partial(closing_over(2), 1)),
    "a cached function": (functools.cache(closing_over(1)), functools.cache(closing_over(2))),
    "what a getter gets": (operator.itemgetter(0), operator.itemgetter(1)),
    "compiled functions": (
        torch.compile(closing_over(1), backend="eager"),
        torch.compile(closing_over(2), backend="eager"),
    ),
    "a loss's settings": (
        nn.CrossEntropyLoss(reduction="none"),
        nn.CrossEntropyLoss(reduction="none", label_smoothing=0.1),
    ),
    "a loss's weights": (nn.Bilinear(2, 2, 1), nn.Bilinear(2, 2, 1)),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_settings_that_look_alike_are_told_apart(pair):
    one, other = (identify("mixing", value) for value in PAIRS[pair])
    assert one != other
    assert one == identify("mixing", PAIRS[pair][0]) and "0x" not in one


@pytest.mark.parametrize(
    "make",
    [
        lambda: from_source(GLOBAL, ALPHA=0.2),
        lambda: from_source("\n\n# moved down\n" + GLOBAL, ALPHA=0.2),
        lambda: closing_over({"b": np.ones(3), "a": {3, 1, 2}}),
        lambda: Held(0.2, [closing_over(1), "text", None]),
        lambda: with_default(0.2),
        lambda: torch.compile(closing_over(1), backend="eager"),
        lambda: from_source(METHOD.format(1)),
        lambda: nn.CrossEntropyLoss(reduction="none"),
    ],
)
def test_the_same_made_again_is_the_same(make):
    assert identify("mixing", make()) == identify("mixing", make())


def test_installed_code_goes_by_its_name():
    for value in (partial(draw_mixup, alpha=0.2), F.cross_entropy, torch.optim.SGD, None, 3, "a"):
        assert identify("loss", value) == describe(value)
    assert identify("mixing", partial(draw_mixup, alpha=np.float64(0.2))) == identify(
        "mixing", partial(draw_mixup, alpha=0.2)
    )
    assert identify("mixing", Named(0.2)) == "Named(0.2)"  # the name that its author gives it


@pytest.mark.parametrize("text", [CALLS.format(1), METHOD.format(1), "class f(nn.Module): pass"])
def test_a_script_is_the_same_in_the_processes_that_it_starts(text):
    here, there = (from_source(text, nn=nn, __name__=f"__{name}__") for name in ("main", "mp_main"))
    if "Module" in text:
        assert architecture(here()) == architecture(there())
    assert identify("mixing", here) == identify("mixing", there)
    assert "__main__" in identify("mixing", there) and "[" in identify("mixing", there)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (closing_over(threading.Lock()), "value, where a _thread.lock has no state"),
        (Held(threading.Lock()), "a _thread.lock has no state"),
        (closing_over(iter([1]).__next__ and (i for i in "ab")), "generator has no state"),
        (partial(draw_mixup, alpha=threading.Lock()), "lock has no state"),
    ],
)
def test_what_cannot_be_identified_is_refused_with_a_way_out(value, words, tmp_path):
    path = tmp_path / "run.pt"
    with pytest.raises(ValueError, match=f"checkpoint: mixing=.*{words}.*__repr__"):
        once(path, mixing=value)
    assert not path.exists()
    named = type("Mine", (), {"__call__": value, "__repr__": lambda self: "Mine(alpha=1)"})()
    assert identify("mixing", named) == "Mine(alpha=1)"


def test_a_changed_run_is_refused_and_says_what_changed(tmp_path):
    path = tmp_path / "run.pt"
    settings = {}
    for alpha in (0.2, 8.0):
        settings[alpha] = lambda b, generator, alpha=alpha: draw_mixup(b, alpha)
    first = once(path, mixing=settings[0.2])
    assert once(path, mixing=settings[0.2]).rows == first.rows
    with pytest.raises(ValueError, match="other settings: mixing was .*code.*defaults.*and is"):
        once(path, mixing=settings[8.0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (with_part(nn.Dropout(0.1)), with_part(nn.Dropout(0.5))),
        (with_part(nn.ReLU()), with_part(nn.Tanh())),
        (Net(F.relu), Net(F.gelu)),
        (Net(torch.relu), Net(torch.tanh)),
        (Net(scale=1.0), Net(scale=2.0)),
    ],
    ids=["dropout", "activation", "function", "C function", "attribute"],
)
def test_another_model_of_the_same_shapes_is_refused(one, other, tmp_path):
    assert architecture(one) != architecture(other)
    once(tmp_path / "run.pt", model=one)
    with pytest.raises(ValueError, match="other settings: architecture"):
        once(tmp_path / "run.pt", model=other)


def test_the_model_itself_may_be_captured_and_may_have_been_trained(tmp_path):
    def run():
        torch.manual_seed(torch.seed() % 1000)
        model = Net()
        return once(
            tmp_path / "run.pt", model=model, forward=lambda m, x, mix: model(mix.inputs(x))
        )

    assert run().rows == run().rows


def test_other_parts_of_the_same_data_are_other_data(tmp_path):
    once(tmp_path / "run.pt", data=Subset(DATA, range(20)))
    once(tmp_path / "run.pt", data=Subset(DATA, range(20)))
    with pytest.raises(ValueError, match="train was"):
        once(tmp_path / "run.pt", data=Subset(DATA, range(20, 40)))


def test_a_file_from_before_the_architecture_was_noted_goes_on(tmp_path):
    path = tmp_path / "run.pt"
    first = once(path)
    state = torch.load(path, weights_only=True)
    del state["plan"]["architecture"]
    torch.save(state, path)
    assert once(path).rows == first.rows


def test_without_a_checkpoint_nothing_needs_a_name():
    lock = threading.Lock()

    def mixing(batch_size, generator):
        with lock:
            return draw_mixup(batch_size, generator=generator)

    assert len(once(None, mixing=mixing)) == 1


def test_settings_are_described_where_there_is_nothing_to_describe():
    class Bare:
        __slots__ = ()

        def __call__(self, batch_size, generator):
            return draw_mixup(batch_size, generator=generator)

    history = once(None, mixing=Bare())
    assert history.settings["mixing"].endswith("Bare()")
