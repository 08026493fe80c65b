"""Interactive figures: the same bytes each time, nothing fetched, small, no ids to collide."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from mixup_lib import datasets
from mixup_lib.page import interactive


def slider(**changes):
    a, b = torch.rand(2, 3, 24, 32, generator=torch.Generator().manual_seed(0))
    return interactive.mixup_slider(
        **{"a": a, "b": b, "label_a": "cat", "label_b": "dog"} | changes
    )


@pytest.mark.parametrize("make", [slider, interactive.beta_explorer])
def test_plain_offline_and_repeatable(make):
    html = make().html
    assert html == make().html == make()._repr_html_()
    assert not re.search(r"https?:|//cdn|\bid=", html)
    assert html.count("<script>") == 1 and "(function () {" in html
    assert "data-fallback" in html and "aria-label" in html and 'type="range"' in html
    assert repr(make()).startswith("Interactive: ") and len(repr(make())) < 100


def test_the_pictures_are_inside_and_exact_where_small():
    a = torch.rand(3, 24, 32, generator=torch.Generator().manual_seed(0))
    uri = re.search(r'src="data:image/png;base64,([^"]+)', slider(a=a).html)[1]
    pixels = np.array(Image.open(io.BytesIO(base64.b64decode(uri))))
    assert np.array_equal(pixels, (a * 255).round().byte().permute(1, 2, 0).numpy())


def test_photographs_fit():
    html = interactive.mixup_slider(*datasets.photographs(size=224), "one", "two").html
    stored = [base64.b64decode(uri) for uri in re.findall(r"base64,([^\"]+)", html)]
    assert len(stored) == 2 and max(map(len, stored)) <= 40_000


def test_noise_of_any_size_does_not_fit():
    with pytest.raises(ValueError, match="exceeds 40000 bytes"):
        slider(a=torch.rand(3, 400, 400), b=torch.rand(3, 400, 400))


def test_labels_are_text():
    assert "<b>" not in slider(label_a='<b>"cat"').html


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"b": torch.rand(3, 24, 31)}, "shapes"),
        ({"a": torch.rand(24, 32), "b": torch.rand(24, 32)}, "shapes"),
        ({"lam": 1.5}, "lam is 1.5"),
    ],
)
def test_bad_input_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        slider(**changes)
