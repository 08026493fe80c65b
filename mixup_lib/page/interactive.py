"""Interactive figures in plain HTML and JavaScript: they need no network and no kernel.

Each works in the book, in JupyterLab and on Colab. The HTML is the same on every run, so that
stored outputs do not change; the templates lie in ``_widgets/``.
"""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template

import torch
from PIL import Image
from torch import Tensor

from mixup_lib.audio import loudness, to_peak
from mixup_lib.audio.waves import to_int16

__all__ = ["Widget", "beta_explorer", "mixup_slider", "sound_slider"]

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
        "slider",
        label_a=escape(label_a),
        label_b=escape(label_b),
        lam=f"{lam:.2f}",
        image_a=_data_uri(a),
        image_b=_data_uri(b),
        height=a.shape[1],
        width=a.shape[2],
    )
    return Widget(html, f"Interactive: a slider for λ mixes {label_a} with {label_b}.")


def beta_explorer() -> Widget:
    """The density of Beta(α, α) with a slider for α, and a button that draws from it.

    α runs from 0.05 to 16 on a logarithmic scale. The draws come from a seeded generator: the
    same clicks give the same draws.

    Returns:
        A :class:`Widget`, interactive in a notebook and in the book.
    """
    return Widget(_fill("beta"), "Interactive: the density of Beta(α, α), with draws from it.")


def sound_slider(
    a: Tensor, b: Tensor, sample_rate: int, label_a: str, label_b: str, lam: float = 0.5
) -> Widget:
    """Two sounds with a slider for λ that mixes them and their labels; the mixture can be played.

    A box to tick changes the weights of the waves from λ and 1 - λ to those by loudness, of
    :func:`~mixup_lib.audio.mix_by_loudness`; the label keeps λ. One factor for both sounds leaves
    room enough for every mixture: nothing is clipped.

    Args:
        a: Floating ``(samples,)``, at most 20,000 samples, not silent.
        b: The second sound, of the same length.
        sample_rate: In Hz, 3,000 or more; browsers play no slower ones.
        label_a: What the first sound is, and its class in the soft label.
        label_b: The same of the second.
        lam: Where the slider starts: the weight of ``a``, in [0, 1].

    Returns:
        A :class:`Widget`, interactive in a notebook and in the book.

    Raises:
        ValueError: The lengths differ or are too long, a sound is silent, empty or has NaN,
            ``sample_rate`` is too low, or ``lam`` lies outside [0, 1].
    """
    if a.shape != b.shape or a.ndim != 1 or len(a) > MOST_BYTES // 2:
        raise ValueError(
            f"a and b have shapes {tuple(a.shape)} and {tuple(b.shape)}; both must be (samples,), "
            f"the same, and at most {MOST_BYTES // 2} long"
        )
    if sample_rate < 3000:
        raise ValueError(f"sample_rate is {sample_rate}; browsers play 3000 Hz or more")
    if not 0 <= lam <= 1:
        raise ValueError(f"lam is {lam}; it must lie in [0, 1]")
    # A mixture by loudness exceeds the stronger sound by the root of 2 at most.
    sounds = to_peak(torch.stack([a, b]), 0.64)
    levels = loudness(sounds, sample_rate).tolist()
    if min(levels) == -math.inf:
        raise ValueError("a or b is silent: there is nothing to mix")
    wave_a, wave_b = (
        base64.b64encode(to_int16(wave).numpy().astype("<i2").tobytes()).decode()
        for wave in sounds.detach().cpu()
    )
    html = _fill(
        "sound",
        label_a=escape(label_a),
        label_b=escape(label_b),
        lam=f"{lam:.2f}",
        wave_a=wave_a,
        wave_b=wave_b,
        rate=sample_rate,
        gap=f"{levels[0] - levels[1]:.3f}",
    )
    return Widget(html, f"Interactive: a slider for λ mixes {label_a} with {label_b}, to hear.")


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
