"""Clips: what is read, written, reconciled and refused; files whole or not at all; the player."""

import os
import re

import numpy as np
import pytest
import torch

from mixup_lib import Mix, datasets, draw_cutmix, draw_mixup
from mixup_lib.page.media import video_player
from mixup_lib.video import (
    Clip,
    as_batch,
    as_clip,
    beside,
    encode,
    files,
    read_clip,
    reconcile,
    write_clip,
)

pytest.importorskip("av")
SAMPLES = datasets.data_root() / "video_samples"
REAL = sorted(path for path in SAMPLES.glob("*.*") if path.suffix in (".mp4", ".avi"))


def smooth(frames=6, height=32, width=48, fps=10.0, phase=0.0):
    """A clip without sharp edges, which the codec changes little; each frame differs."""
    t, y, x = np.ogrid[:frames, :height, :width]
    waves = [np.sin(x / 9 + t + phase), np.cos(y / 7 - t), np.sin((x + y) / 11 + phase)]
    stacked = np.stack(np.broadcast_arrays(*waves), axis=3)
    return Clip((127 + 100 * stacked).astype(np.uint8), fps)


# Files


@pytest.mark.parametrize("fps", [4, 10, 12.5, 25.0, 30000 / 1001, 60])
def test_a_file_keeps_rate_size_length_and_dtype(tmp_path, fps):
    clip = smooth(fps=fps)
    again = read_clip(write_clip(clip, tmp_path / "clip.mp4"))
    assert again.fps == pytest.approx(fps, rel=1e-9) and again.frames.dtype == np.uint8
    assert again.frames.shape == clip.frames.shape
    assert np.abs(again.frames.astype(int) - clip.frames).mean() < 6
    # The frames are in their order, none twice: each is nearest to its own original.
    distance = np.abs(again.frames[:, None].astype(int) - clip.frames[None]).mean((2, 3, 4))
    assert (distance.argmin(1) == np.arange(len(clip))).all()


def test_the_bytes_are_the_same_on_every_run_and_quality_counts():
    clip = smooth()
    assert encode(clip) == encode(clip)
    assert len(encode(clip, quality=10)) > len(encode(clip, quality=40))
    backwards = Clip(clip.frames[::-1, :, ::-1], clip.fps)  # memory of another order
    assert encode(backwards) == encode(Clip(backwards.frames.copy(), clip.fps))


def test_reading_the_beginning_only(tmp_path):
    path = write_clip(smooth(9), tmp_path / "clip.mp4")
    whole, part = read_clip(path), read_clip(path, most=4)
    assert len(part) == 4 and part.fps == whole.fps
    assert np.array_equal(part.frames, whole.frames[:4])
    with pytest.raises(ValueError, match="most must be an integer of at least 1, got 0"):
        read_clip(path, most=0)


def test_what_is_no_video_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.mp4'.*no such file"):
        read_clip(tmp_path / "nothing.mp4")
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_clip(tmp_path)
    text, half, empty = (tmp_path / f"{name}.mp4" for name in ("text", "half", "empty"))
    text.write_text("no film")
    half.write_bytes(encode(smooth())[:600])
    empty.write_bytes(b"")
    for path in (text, half, empty):
        with pytest.raises(ValueError, match=rf"{path.name}' can't be read as a video"):
            read_clip(path)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    path = write_clip(smooth(), tmp_path / "clip.mp4")

    def missing(name):
        raise ImportError(f"no {name}")

    monkeypatch.setattr("mixup_lib.basics.optional.import_module", missing)
    for act in (lambda: read_clip(path), lambda: encode(smooth())):
        with pytest.raises(ImportError, match=r"mixup-lib\[video\]"):
            act()


@pytest.mark.parametrize("moment", ["encoding", "writing", "renaming"])
def test_a_failing_write_leaves_nothing_behind(tmp_path, monkeypatch, moment):
    def fail(*_, **__):
        raise OSError("disk full")

    path = tmp_path / "clip.mp4"
    write_clip(smooth(), path)
    before = path.read_bytes()
    if moment == "encoding":
        monkeypatch.setattr(files, "encode", fail)
    elif moment == "renaming":
        monkeypatch.setattr(os, "replace", fail)
    else:
        real = files.Path.write_bytes
        monkeypatch.setattr(files.Path, "write_bytes", lambda p, d: fail(real(p, d[:99])))
    for target in (path, tmp_path / "new.mp4"):
        with pytest.raises(OSError, match="disk full"):
            write_clip(smooth(phase=1), target)
    assert os.listdir(tmp_path) == ["clip.mp4"] and path.read_bytes() == before


def test_what_can_t_be_written_is_refused(tmp_path):
    path = tmp_path / "clip.mp4"
    with pytest.raises(ValueError, match=r"31x48.*must be even.*clip\.frames\[:, :30, :48\]"):
        write_clip(smooth(height=31), path)
    with pytest.raises(TypeError, match="clip is a ndarray; valid is a Clip"):
        write_clip(smooth().frames, path)
    with pytest.raises(ValueError, match=r"clip\.wav.*ends in \.mp4"):
        write_clip(smooth(), tmp_path / "clip.wav")
    with pytest.raises(FileNotFoundError, match="folder .* is missing"):
        write_clip(smooth(), tmp_path / "no" / "clip.mp4")
    with pytest.raises(ValueError, match="quality must be at most 51, got 52"):
        write_clip(smooth(), path, quality=52)
    assert not os.listdir(tmp_path)


def test_a_clip_checks_itself():
    frames = smooth().frames
    for wrong in (frames / 255, frames.astype(int), torch.zeros(2, 4, 4, 3, dtype=torch.uint8)):
        with pytest.raises(TypeError, match=r"frames has dtype .*uint8"):
            Clip(wrong, 10)
    for wrong in (frames[:0], frames[0], frames[..., :1], frames[:, :0]):
        with pytest.raises(ValueError, match=re.escape(f"frames has shape {wrong.shape}")):
            Clip(wrong, 10)
    for fps in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=rf"fps={fps}; valid is a finite number above 0"):
            Clip(frames, fps)


def test_nothing_is_reconciled_silently():
    a = smooth(8)
    with pytest.raises(ValueError, match=r"a has 10 frames per second and b has 25.*fps=25"):
        reconcile(a, smooth(8, fps=25))
    with pytest.raises(ValueError, match=r"a has 8 frames and b has 5\. Valid: length in"):
        reconcile(a, smooth(5))
    with pytest.raises(ValueError, match=r"a has size \(32, 48\) and b has \(16, 48\)"):
        reconcile(a, smooth(8, height=16))
    for wrong in ({"length": "stretch"}, {"fps": 0}, {"size": (0, 4)}, {"size": 4.0}):
        with pytest.raises((ValueError, TypeError)):
            reconcile(a, smooth(8, height=16), **wrong)
    same, other = reconcile(a, smooth(8))
    assert same is a and len(other) == 8


@pytest.mark.parametrize(
    ("length", "numbers"),
    [
        ("crop", [0, 1, 2]),
        ("loop", [0, 1, 2, 0, 1, 2, 0]),
        ("hold", [0, 1, 2, 2, 2, 2, 2]),
    ],
)
def test_lengths(length, numbers):
    short, long = smooth(3), smooth(7, phase=1)
    forward, backward = (reconcile(*pair, length=length) for pair in ((short, long), (long, short)))
    for a, b in (forward, backward[::-1]):
        assert np.array_equal(a.frames, short.frames[numbers])
        assert np.array_equal(b.frames, long.frames[: len(numbers)])


def test_frame_rates_and_sizes():
    a, b = smooth(5, fps=10), smooth(12, fps=25)
    a, b = reconcile(a, b, fps=20, length="crop", size=(16, 24))
    assert (len(a), a.fps, a.size) == (len(b), b.fps, b.size) == (10, 20, (16, 24))
    slow = smooth(5, fps=10)
    twice, _ = reconcile(slow, slow, fps=20)
    assert np.array_equal(twice.frames, slow.frames.repeat(2, axis=0))
    half, _ = reconcile(slow, slow, fps=5)
    assert np.array_equal(half.frames, slow.frames[[0, 2]]) and half.frames.dtype == np.uint8


def test_to_a_batch_and_back_loses_nothing():
    clips = [smooth(), smooth(phase=2)]
    x = as_batch(clips)
    assert x.dtype == torch.float32 and x.shape == (2, 3, 6, 32, 48)
    for clip, same in zip(clips, x, strict=True):
        assert np.array_equal(as_clip(same, clip.fps).frames, clip.frames)
    assert as_clip(torch.tensor(0.6 / 255).expand(1, 1, 1, 1), 1).frames.max() == 1  # rounded
    for wrong in (smooth(5), smooth(fps=12), smooth(height=34)):
        with pytest.raises(ValueError, match=r"clips\[1\] is Clip\(.*but clips\[0\] is Clip\("):
            as_batch([clips[0], wrong])
    with pytest.raises(ValueError, match="clips is empty"):
        as_batch([])
    for wrong in (x[0] + 0.5, x[0] - 1, x[0] * torch.nan, x):
        with pytest.raises(ValueError, match="x has (values|shape)"):
            as_clip(wrong, 10)
    with pytest.raises(TypeError, match="x has dtype"):
        as_clip((255 * x[0]).byte(), 10)


def test_player_is_small_described_and_the_same_on_every_run():
    clip = beside(smooth(), smooth(phase=1), gap=4, enlarge=2)
    assert clip.size == (64, 2 * 96 + 4) and (clip.frames[:, :, 96:100] == 255).all()
    rows = beside(*[smooth(phase=k) for k in range(3)], columns=2).frames
    assert rows.shape[1:3] == (66, 98) and (rows[:, 34:, 50:] == 255).all()
    assert np.array_equal(rows[:, 34:, :48], smooth(phase=2).frames)
    html = video_player(clip, 'two "waves" & more')._repr_html_()
    assert html == video_player(clip, 'two "waves" & more').html and len(html) < 300_000
    assert 'aria-label="two &quot;waves&quot; &amp; more"' in html and " controls " in html
    assert "data:image/png;base64," in html and "data:video/mp4" in html and "http" not in html
    with pytest.raises(ValueError, match="description is empty"):
        video_player(clip, " ")
    noise = np.random.default_rng(0).integers(0, 256, (20, 160, 160, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="clip takes .* at most 300000"):
        video_player(Clip(noise, 10), "noise")


# Real clips


@pytest.mark.skipif(len(REAL) < 5, reason="the five real clips are not there")
def test_real_clips_are_read_mixed_and_written(tmp_path):
    clips = [read_clip(path, most=6) for path in REAL]
    for first, second in zip(clips, clips[1:], strict=False):
        size = tuple(min(sides) // 4 * 2 for sides in zip(first.size, second.size, strict=True))
        a, b = reconcile(first, second, fps=25, length="loop", size=size)
        x = as_batch([a, b])
        for mix in (draw_mixup(2), draw_cutmix(2, x.shape, dims=(2, 3, 4))):
            mixed = as_clip(mix.inputs(x)[0], a.fps)
            again = read_clip(write_clip(mixed, tmp_path / "mixed.mp4"))
            assert (len(again), again.size, again.fps) == (len(a), size, 25)
            assert np.abs(again.frames.astype(int) - mixed.frames).mean() < 10
    even = Mix(torch.tensor([[0, 1], [1, 0]]), torch.full((2, 2), 0.5))
    assert torch.allclose(even.inputs(x)[0], x.mean(0), atol=1e-6)
