"""Bad input to a mix: the message names the argument, its value, and what would be valid."""

import pytest
import torch

from mixup_lib import Mix, draw_cutmix, draw_mixup

MIX = draw_mixup(4)
BOXED = draw_cutmix(4, (5, 6))
X = torch.zeros(4, 3)
NEEDS_GRADIENT = torch.zeros(4, 3, requires_grad=True)
ARANGE = torch.arange(4).expand(2, 4)
WEIGHTS = torch.full((2, 4), 0.5)

CASES = {
    "integer pixels": (
        lambda: MIX.inputs(torch.zeros(4, 3, dtype=torch.uint8)),
        TypeError,
        ["x has dtype torch.uint8", "x.float() / 255"],
    ),
    "token ids": (
        lambda: MIX.inputs(torch.zeros(4, 3, dtype=torch.long)),
        TypeError,
        ["x has dtype torch.int64", "embeddings"],
    ),
    "batch length of x": (
        lambda: MIX.inputs(torch.zeros(5, 4)),
        ValueError,
        ["x has shape (5, 4)", "length 5 along dim=0", "batch of 4"],
    ),
    "batch length of y": (
        lambda: MIX.targets(torch.zeros(3)),
        ValueError,
        ["y has shape (3,)", "length 3", "batch of 4"],
    ),
    "batch length of mask": (
        lambda: MIX.any_valid(torch.zeros(4, 3, dtype=torch.bool), dim=1),
        ValueError,
        ["mask has shape (4, 3)", "length 3 along dim=1", "batch of 4"],
    ),
    "dim": (lambda: MIX.inputs(X, dim=2), ValueError, ["dim=2", "(4, 3)", "-2 to 1"]),
    "mask of numbers": (
        lambda: MIX.any_valid(X),
        TypeError,
        ["mask has dtype torch.float32", "bool", "True"],
    ),
    "out of another shape": (
        lambda: MIX.inputs(X, out=torch.zeros(4, 4)),
        ValueError,
        ["out", "(4, 4)", "(4, 3)"],
    ),
    "out of another dtype": (
        lambda: MIX.inputs(X, out=X.double()),
        ValueError,
        ["out", "float64", "float32"],
    ),
    "out on another device": (
        lambda: MIX.inputs(X, out=X.to("meta")),
        ValueError,
        ["out", "meta", "cpu"],
    ),
    "out overlaps": (lambda: MIX.inputs(X, out=X), ValueError, ["out overlaps x", "its own"]),
    "out needs gradients": (
        lambda: MIX.inputs(X, out=NEEDS_GRADIENT),
        ValueError,
        ["out needs grad", "out=None"],
    ),
    "x needs gradients": (
        lambda: MIX.inputs(NEEDS_GRADIENT, out=X),
        ValueError,
        ["x needs grad", "no_grad"],
    ),
    "ids without num_classes": (
        lambda: MIX.targets(torch.arange(4)),
        ValueError,
        ["num_classes=None", "int64", "ids"],
    ),
    "id too large": (
        lambda: MIX.targets(torch.arange(4), 3),
        ValueError,
        ["y holds class ids from 0 to 3", "num_classes=3", "0 to 2"],
    ),
    "id below zero": (
        lambda: MIX.targets(torch.arange(4) - 1, 4),
        ValueError,
        ["from -1 to 2", "0 to 3"],
    ),
    "num_classes below 1": (
        lambda: MIX.targets(torch.arange(4), 0),
        ValueError,
        ["num_classes=0", "1 or more"],
    ),
    "num_classes of soft labels": (
        lambda: MIX.targets(X, 5),
        ValueError,
        ["num_classes=5", "(4, 3)", "valid is 3"],
    ),
    "box larger than x": (
        lambda: BOXED.inputs(torch.zeros(4, 1, 4, 6)),
        ValueError,
        ["box was drawn for length 5 along axis -2", "length 4", "size=x.shape"],
    ),
    "box on the batch axis": (
        lambda: BOXED.inputs(torch.zeros(4, 6)),
        ValueError,
        ["box.dims=(-2, -1)", "(4, 6)"],
    ),
    "weights of another shape": (
        lambda: Mix(ARANGE, WEIGHTS[:1]),
        ValueError,
        ["weights", "(1, 4)", "(2, 4), float32"],
    ),
    "weights of another dtype": (
        lambda: Mix(ARANGE, WEIGHTS.half()),
        ValueError,
        ["weights", "float16", "float32"],
    ),
    "index of another dtype": (
        lambda: Mix(ARANGE.int(), WEIGHTS),
        ValueError,
        ["index", "int32", "long"],
    ),
    "index of another shape": (
        lambda: Mix(ARANGE[0], WEIGHTS),
        ValueError,
        ["index", "(4,)", "(k, B)"],
    ),
    "index without the example itself": (
        lambda: Mix(ARANGE.flip(1), WEIGHTS),
        ValueError,
        ["index[0]=[3, 2, 1, 0]", "arange(4)"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_names_argument_value_and_range(case):
    call, error, parts = CASES[case]
    with pytest.raises(error) as caught:
        call()
    for part in parts:
        assert part in str(caught.value)


def test_buffers_are_fine_without_gradients():
    with torch.no_grad():
        assert MIX.inputs(NEEDS_GRADIENT, out=torch.empty(4, 3)).shape == (4, 3)
