"""Bad input to a mix: the message names the argument, its value, and what would be valid."""

import pytest
import torch
from torchvision import tv_tensors

from mixup_lib import Mix, draw_cutmix, draw_mixup

MIX = draw_mixup(4)
BOXED = draw_cutmix(4, (5, 6))
CUT = draw_cutmix(4, (7,), dims=(-1,))
COORDINATES = tv_tensors.BoundingBoxes(torch.zeros(4, 4), format="XYXY", canvas_size=(5, 6))
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
    "weights below 0": (
        lambda: Mix(ARANGE, torch.tensor([[1.5], [-0.5]]).expand(2, 4)),
        ValueError,
        ["weights holds values from -0.5 to 1.5", "0 to 1"],
    ),
    "weights that are no numbers": (
        lambda: Mix(ARANGE, WEIGHTS * torch.nan),
        ValueError,
        ["weights holds values from nan", "finite"],
    ),
    "weights that do not sum to 1": (
        lambda: Mix(ARANGE, WEIGHTS * 0.9),
        ValueError,
        ["column that sums to 0.9", "valid is 1"],
    ),
    "half precision rounded the weights": (
        lambda: Mix(ARANGE[:1].expand(3, 4), torch.full((3, 4), 1 / 3).bfloat16().float()),
        ValueError,
        ["column that sums to 1.00"],
    ),
    "a partner that is not there": (
        lambda: Mix(torch.stack([ARANGE[0], ARANGE[0] + 1]), WEIGHTS),
        ValueError,
        ["index holds values from 0 to 4", "0 to 3"],
    ),
    "no tensor": (
        lambda: MIX.inputs(X.numpy()),
        TypeError,
        ["x is a ndarray", "as_tensor"],
    ),
    "a list of targets": (
        lambda: MIX.targets([{"boxes": X}]),
        TypeError,
        ["y is a list", "one tensor"],
    ),
    "coordinates": (
        lambda: BOXED.targets(COORDINATES),
        TypeError,
        ["y holds coordinates (BoundingBoxes)", "neither weighted nor pasted"],
    ),
    "fractions as class ids": (
        lambda: MIX.targets(torch.rand(4), 3),
        ValueError,
        ["num_classes=3", "fractions", "num_classes=None for regression"],
    ),
    "ignored labels": (
        lambda: MIX.targets(torch.tensor([0, 1, -100, 1]), 2),
        ValueError,
        ["class ids from -100 to 1", "mixed_loss takes them"],
    ),
    "labels of other positions": (
        lambda: BOXED.targets(torch.zeros(4, 5, dtype=torch.long), 3),
        ValueError,
        ["y has shape (4, 5)", "other positions", "dims=(-2, -1)", "(5, 6)", "dims=()"],
    ),
    "a mask of another size": (
        lambda: BOXED.targets(torch.zeros(4, 10, 12, dtype=torch.long), 3),
        ValueError,
        ["y has shape (4, 10, 12)", "other positions", "length (5, 6)"],
    ),
    "scores or positions": (
        lambda: CUT.targets(torch.zeros(4, 7)),
        ValueError,
        ["y has shape (4, 7)", "positions or of whole examples", "dims=()"],
    ),
    "axes of another number": (
        lambda: BOXED.targets(torch.zeros(4, 5, 6), dims=(1,)),
        ValueError,
        ["dims=(1,)", "2 axes"],
    ),
    "nothing to paste": (
        lambda: MIX.paste(X),
        ValueError,
        ["the mix has no box", "draw_cutmix"],
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
