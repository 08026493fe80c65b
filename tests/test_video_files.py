"""People's own clips: turned by the phone, shown at odd times, cut short. None is read wrongly."""

from fractions import Fraction

import numpy as np
import pytest

from mixup_lib.datasets import data_root
from mixup_lib.video import Clip, read_clip, write_clip
from mixup_lib.video.files import timetable

av = pytest.importorskip("av")


def numbered(frames, height=32, width=48):
    """Frames that a codec keeps apart: each has its own grey, and a white top left corner."""
    pixels = np.zeros((frames, height, width, 3), np.uint8)
    pixels[:] = np.linspace(0, 200, frames).astype(np.uint8)[:, None, None, None]
    pixels[:, : height // 2, : width // 2] = 255
    return pixels


def write(
    path, moments, tick=Fraction(1, 1000), codec="libx264", turn=None, pictures=None, **options
):
    """A file whose frame k is shown at moments[k] ticks."""
    bare = {"bf": "0"} if codec == "libx264" else {}
    with av.open(path, "w", options=options) as file:
        stream = file.add_stream(codec, rate=10, options=bare)
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p"
        stream.codec_context.time_base = tick
        if turn is not None:
            stream.set_display_rotation(turn[0], hflip=turn[1])
        pictures = numbered(len(moments)) if pictures is None else pictures
        for moment, pixels in zip(moments, pictures, strict=True):
            picture = av.VideoFrame.from_ndarray(pixels)
            picture.pts, picture.time_base = moment, tick
            file.mux(stream.encode(picture))
        file.mux(stream.encode(None))
    return path


def shown(clip, frames):
    """Which of the numbered frames stands at each place of a clip."""
    grey = clip.frames[:, -4, -4].mean(1)
    return abs(grey[:, None] - np.linspace(0, 200, frames)).argmin(1).tolist()


@pytest.mark.parametrize("kind", ["mkv", "mp4"])
def test_frame_times_decide_how_long_a_frame_is_shown(kind, tmp_path):
    """Six frames over eleven seconds, in a file that claims ten a second."""
    clip = read_clip(write(tmp_path / f"slides.{kind}", [0, 100, 200, 5000, 5100, 11000]))
    assert clip.seconds == pytest.approx(11.1, abs=0.01) and clip.fps == pytest.approx(10)
    assert shown(clip, 6) == [0] + [1] + [2] * 48 + [3] + [4] * 59 + [5]
    part = read_clip(tmp_path / f"slides.{kind}", most=3)
    assert shown(part, 6) == [0, 1, 2] and part.fps == clip.fps
    slow = read_clip(tmp_path / f"slides.{kind}", fps=1)
    assert slow.fps == 1 and shown(slow, 6) == [2] * 5 + [4] * 6


def test_times_near_an_even_rate_keep_every_frame():
    order = np.arange(40)
    rounded = np.round(order * 1001 / 24000, 3)  # mkv counts milliseconds
    shown, rate = timetable(list(rounded), 0, 24000 / 1001)
    assert shown.tolist() == order.tolist() and rate == 24000 / 1001
    trembling = order / 30 + np.random.default_rng(0).uniform(-0.2, 0.2, 40) / 30
    shown, rate = timetable(list(trembling), 0, 25.0)  # a phone's claim, which is wrong
    assert shown.tolist() == order.tolist() and rate == pytest.approx(30, rel=0.02)
    shown, rate = timetable([0.0, 0.1, 0.4, 0.5], 0.2, None)
    assert shown.tolist() == [0, 1, 1, 1, 2, 3, 3] and rate == pytest.approx(10)


def test_times_that_can_t_be_are_refused():
    with pytest.raises(ValueError, match="frame 2 is shown at 0.1 s, but frame 1 before it at 0.2"):
        timetable([5.0, 5.2, 5.1], 0, 10.0)
    for times, nominal in (([None, None], 25.0), ([0.0], None)):
        with pytest.raises(ValueError, match="not say when .* Valid: fps=25"):
            timetable(times, 0, nominal)
        assert timetable(times, 0, nominal, fps=12)[1] == 12


def test_a_stream_without_frame_times_needs_a_rate(tmp_path):
    path = write(tmp_path / "bare.h264", [100 * k for k in range(8)])
    with pytest.raises(ValueError, match=r"bare\.h264.*not say when its frames .* Valid: fps="):
        read_clip(path)
    clip = read_clip(path, fps=10)
    assert clip.fps == 10 and shown(clip, 8) == list(range(8))
    with pytest.raises(ValueError, match="fps=0; valid is a finite number above 0"):
        read_clip(path, fps=0)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turn", [0, 90, 180, -90])
@pytest.mark.parametrize("kind", ["mp4", "mkv"])
def test_a_clip_stands_as_a_player_shows_it(turn, mirrored, kind, tmp_path):
    path = write(tmp_path / f"phone.{kind}", [0, 100, 200, 300], turn=(turn, mirrored))
    expected = np.rot90(numbered(4), turn // 90, axes=(1, 2))
    expected = expected[:, :, ::-1] if mirrored else expected
    clip = read_clip(path)
    assert clip.size == expected.shape[1:3]
    assert abs(clip.frames.astype(int) - expected).mean() < 6


def test_a_clip_turned_by_half_a_quarter_is_refused(tmp_path):
    path = write(tmp_path / "slanted.mp4", [0, 100], turn=(45, False))
    with pytest.raises(ValueError, match=r"slanted\.mp4.*turned by 45.* valid are quarters"):
        read_clip(path)


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("clip.mkv", "libx264", {}),
        ("clip.mp4", "libx264", {"movflags": "+faststart"}),
        ("clip.avi", "mpeg4", {}),
        ("clip.mkv", "mpeg4", {}),
    ],
)
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_file_that_ends_too_early_is_refused(name, codec, options, share, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (60, 32, 48, 3), dtype=np.uint8)
    path = write(tmp_path / name, range(60), Fraction(1, 10), codec, pictures=noise, **options)
    assert len(read_clip(path)) == 60
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match=rf"{name}' can't be read as a video"):
        read_clip(path)
    assert len(read_clip(path, most=5)) == 5


def test_sound_alone_is_no_video(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "song.wav", np.zeros(800), 8000)
    with pytest.raises(ValueError, match=r"song\.wav.*no moving pictures"):
        read_clip(tmp_path / "song.wav")


def test_what_the_library_wrote_reads_as_before(tmp_path):
    clip = Clip(numbered(6), 30000 / 1001)
    again = read_clip(write_clip(clip, tmp_path / "clip.mp4"))
    assert again.fps == clip.fps and shown(again, 6) == list(range(6))


@pytest.mark.parametrize(
    ("name", "frames", "fps"),
    [("demo.mp4", 280, 28), ("test.mp4", 300, 30), ("test.avi", 164, 25), ("part_0.mp4", 33, 30)],
)  # a frame is missing in the last one: its neighbour is held
def test_real_files(name, frames, fps):
    if not (path := data_root() / "video_samples" / name).exists():
        pytest.skip(f"{name} is not on this machine")
    clip = read_clip(path)
    assert len(clip) == frames and clip.fps == pytest.approx(fps)
