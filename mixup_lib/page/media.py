"""Media in a page: what can be heard and seen, inside the HTML, without a network."""

from __future__ import annotations

import base64
import io
import wave as wav
from collections.abc import Mapping
from html import escape

import torch
from PIL import Image
from torch import Tensor

from mixup_lib.audio.check import check_wave
from mixup_lib.audio.waves import to_int16
from mixup_lib.basics.check import integer_at_least
from mixup_lib.page.interactive import Widget
from mixup_lib.video import Clip, encode

__all__ = ["audio_players", "video_player"]

MOST_SOUND_BYTES = 60_000
MOST_CLIP_BYTES = 300_000


def audio_players(
    sounds: Mapping[str, Tensor], sample_rate: int, peak: float | None = 0.9
) -> Widget:
    """Short sounds, each with controls, which play in the page.

    The sounds lie inside the HTML as 16-bit WAV files: they need no network. One factor brings
    the strongest sample of all of them to ``peak``, so they stay as loud to each other as they are,
    and nothing is clipped.

    Args:
        sounds: What each is called, as text, and its wave: floating ``(samples,)``, at most 60 kB
            as a file, that is 30,000 samples.
        sample_rate: In Hz, 3,000 or more; browsers play no slower ones.
        peak: In (0, 1], or None to leave the waves as they are.

    Returns:
        A :class:`~mixup_lib.page.interactive.Widget`, the same HTML on every run.

    Raises:
        ValueError: There is no sound, one is too long, empty, has NaN or two channels, would be
            clipped with ``peak=None``, or all are silent without it.
    """
    if not sounds:
        raise ValueError("sounds is empty; it needs at least one sound")
    integer_at_least("sample_rate", sample_rate, 3000)
    if peak is not None and not 0 < peak <= 1:
        raise ValueError(f"peak={peak}; valid is above 0 and at most 1, or None")
    for name, wave in sounds.items():
        if 2 * len(check_wave(wave, f"sounds[{name!r}]", ndim=1)) + 44 > MOST_SOUND_BYTES:
            raise ValueError(
                f"sounds[{name!r}] has {len(wave)} samples; valid are at most "
                f"{MOST_SOUND_BYTES // 2 - 22}: cut it, or resample it"
            )
    highest = max(wave.abs().max().item() for wave in sounds.values())
    if peak is not None and highest == 0:
        raise ValueError("all sounds are silent: no factor gives them a peak")
    factor = 1 if peak is None else peak / highest
    figures = "".join(
        '<figure style="margin:0;flex:1 1 12rem;min-width:0">'
        f'<audio controls preload="metadata" style="width:100%" aria-label="{escape(name)}" '
        f'src="data:audio/wav;base64,{_base64(_wav_file(factor * wave, sample_rate))}"></audio>'
        f'<figcaption style="color:inherit">{escape(name)}</figcaption></figure>'
        for name, wave in sounds.items()
    )
    return Widget(
        '<div class="mixup-widget" style="display:flex;flex-wrap:wrap;gap:.6rem;max-width:44rem">'
        f"{figures}</div>",
        f"Players: {', '.join(sounds)}",
    )


def video_player(clip: Clip, description: str, width: int | None = None) -> Widget:
    """A short clip with controls and a poster, which plays in the page.

    The clip lies inside the HTML as an mp4 file (H.264), its first frame as a PNG poster: it needs
    no network. It repeats until it is stopped, and starts when the reader asks for it.

    Args:
        clip: Height and width even; together with its poster at most 300 kB once encoded.
        description: What there is to see: the text alternative, shown below the clip as well.
        width: Width in the page, in CSS pixels, at least 1; None takes the clip's own.

    Returns:
        A :class:`~mixup_lib.page.interactive.Widget`, the same HTML on every run.

    Raises:
        ValueError: An empty description, a size that can't be encoded, or more than 300 kB.
        ImportError: ``imageio[pyav]`` is missing.
    """
    if not description.strip():
        raise ValueError("description is empty; say what there is to see in the clip")
    width = integer_at_least("width", clip.size[1] if width is None else width, 1)
    poster = io.BytesIO()
    Image.fromarray(clip.frames[0]).save(poster, "png", optimize=True)
    film, poster = (_base64(data) for data in (encode(clip), poster.getvalue()))
    if len(film) + len(poster) > MOST_CLIP_BYTES:
        raise ValueError(
            f"clip takes {len(film) + len(poster)} bytes with its poster; valid are at most "
            f"{MOST_CLIP_BYTES}: fewer frames, or smaller ones"
        )
    text = escape(description)
    return Widget(
        '<figure class="mixup-widget" style="margin:0">'
        '<video controls loop muted playsinline preload="auto" '
        f'style="width:{width}px;max-width:100%" aria-label="{text}" '
        f'poster="data:image/png;base64,{poster}" src="data:video/mp4;base64,{film}">'
        f'{text}</video><figcaption style="color:inherit">{text}</figcaption></figure>',
        f"Clip: {description}",
    )


def _wav_file(wave: Tensor, sample_rate: int) -> bytes:
    samples = to_int16(wave.detach().cpu().to(torch.float32)).numpy().astype("<i2")
    with wav.open(buffer := io.BytesIO(), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
