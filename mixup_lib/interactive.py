"""Interactive figures in plain HTML and JavaScript: they need no network and no kernel.

Each works in the book, in JupyterLab and on Colab. The HTML is the same on every run, so that
stored outputs do not change; the templates lie in ``_widgets/``.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template

import torch
from PIL import Image
from torch import Tensor

__all__ = ["Widget", "beta_explorer", "mixup_slider"]

MOST_BYTES = 40_000


@dataclass(frozen=True)
class Widget:
    """An interactive figure: HTML where it can be shown, a sentence where not."""

    html: str
    text: str

    def _repr_html_(self):
        return self.html

    def __repr__(self):
        return self.text


def mixup_slider(a: Tensor, b: Tensor, label_a: str, label_b: str, lam: float = 0.5) -> Widget:
    """Two pictures with a slider for λ that mixes them and their labels.

    The canvas shows ``lam * a + (1 - lam) * b``, computed from the pixels of the two pictures
    beside it. Each is stored inside the HTML, as PNG where that fits into 40 kB, else as JPEG.

    Args:
        a: (3, H, W) or (1, H, W), floating, in [0, 1].
        b: The second picture, of the same shape.
        label_a: What the first picture shows, and its class in the soft label.
        label_b: The same of the second.
        lam: Where the slider starts: the weight of ``a``, in [0, 1].

    Returns:
        A :class:`Widget`, interactive in a notebook and in the book.

    Raises:
        ValueError: The shapes differ or are no picture's, ``lam`` lies outside [0, 1], or a
            picture does not fit into 40 kB.
    """
    if a.shape != b.shape or a.ndim != 3 or a.shape[0] not in (1, 3):
        raise ValueError(
            f"a and b have shapes {tuple(a.shape)} and {tuple(b.shape)}; "
            "both must be (3, H, W) or (1, H, W), and the same"
        )
    if not 0 <= lam <= 1:
        raise ValueError(f"lam is {lam}; it must lie in [0, 1]")
    html = _fill(
        "slider", label_a=escape(label_a), label_b=escape(label_b), lam=f"{lam:.2f}",
        image_a=_data_uri(a), image_b=_data_uri(b), height=a.shape[1], width=a.shape[2],
    )  # fmt: skip
    return Widget(html, f"Interactive: a slider for λ mixes {label_a} with {label_b}.")


def beta_explorer() -> Widget:
    """The density of Beta(α, α) with a slider for α, and a button that draws from it.

    α runs from 0.05 to 16 on a logarithmic scale. The draws come from a seeded generator: the
    same clicks give the same draws.

    Returns:
        A :class:`Widget`, interactive in a notebook and in the book.
    """
    return Widget(_fill("beta"), "Interactive: the density of Beta(α, α), with draws from it.")


def _fill(name, **values):
    folder = files("mixup_lib") / "_widgets"
    script = (folder / f"{name}.js").read_text("utf-8")
    return Template((folder / f"{name}.html").read_text("utf-8")).substitute(values, script=script)


def _data_uri(image):
    pixels = (image.detach().cpu().clamp(0, 1) * 255).round().to(torch.uint8)
    picture = Image.fromarray(pixels.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy())
    attempts = [("png", {"optimize": True}), *(("jpeg", {"quality": q}) for q in (92, 85, 75, 60))]
    for kind, options in attempts:
        buffer = io.BytesIO()
        picture.save(buffer, kind, **options)
        if buffer.tell() <= MOST_BYTES:
            return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
    raise ValueError(
        f"a picture of {tuple(image.shape)} exceeds {MOST_BYTES} bytes; make it smaller"
    )
