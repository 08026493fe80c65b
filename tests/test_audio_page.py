"""Sounds in a page: the players' bytes, and the slider; test_browser.py plays them."""

import base64
import io
import math
import re
import wave

import numpy as np
import pytest
import torch

from mixup_lib.page import interactive, media

RATE = 8000


def sounds(samples=4000, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.tensor([[0.05], [0.01]]) * torch.randn(2, samples, generator=generator)


def slider(**changes):
    a, b = sounds()
    chosen = {"a": a, "b": b, "sample_rate": RATE, "label_a": "one", "label_b": "two"}
    return interactive.sound_slider(**chosen | changes)


def players(**changes):
    a, b = sounds()
    return media.audio_players(**{"sounds": {"one": a, "two": b}, "sample_rate": RATE} | changes)


def stored(html):
    """The samples of each player, in steps of 1/32768, and their rate."""
    for text in re.findall(r"data:audio/wav;base64,([^\"]+)", html):
        with wave.open(io.BytesIO(base64.b64decode(text))) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
            yield np.frombuffer(file.readframes(file.getnframes()), "<i2")


@pytest.mark.parametrize("make", [slider, players])
def test_plain_offline_and_repeatable(make):
    html = make().html
    assert html == make().html and len(html) < 80_000
    assert not re.search(r"https?:|\bid=", html) and "aria-label" in html
    assert len(repr(make())) < 100


def test_players_keep_the_balance_and_never_clip():
    a, b = sounds()
    first, second = stored(players().html)
    factor = 0.9 / a.abs().max()
    assert np.array_equal(first, (a * factor * 32768).round().short().numpy())
    assert np.array_equal(second, (b * factor * 32768).round().short().numpy())
    kept, _ = stored(players(peak=None).html)
    assert np.array_equal(kept, (a * 32768).round().short().numpy())
    with pytest.raises(ValueError, match="clipped"):
        players(sounds={"loud": 9 * a}, peak=None)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"sounds": {}}, "sounds is empty"),
        ({"sounds": {"s": torch.zeros(2, 9)}}, r"sounds\['s'\].*stereo"),
        ({"sounds": {"s": torch.zeros(40_000)}}, "at most 29978"),
        ({"sounds": {"s": torch.zeros(9)}}, "silent"),
        ({"sounds": {"s": torch.full((9,), math.nan)}}, "NaN"),
        ({"peak": 2}, "peak=2"),
        ({"sample_rate": 500}, "sample_rate"),
    ],
)
def test_bad_players_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        players(**changes)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"b": torch.zeros(9)}, "shapes"),
        ({"b": torch.zeros(4000)}, "silent"),
        ({"a": torch.zeros(30_000), "b": torch.zeros(30_000)}, "at most 20000"),
        ({"lam": -0.1}, "lam is -0.1"),
        ({"sample_rate": 100}, "browsers play 3000"),
    ],
)
def test_bad_sliders_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        slider(**changes)


def test_labels_are_text():
    assert "<b>" not in slider(label_a='<b>"one"').html
    assert "<b>" not in players(sounds={'<b>"one"': sounds()[0]}).html
