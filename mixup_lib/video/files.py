"""Video files: read whole, written whole or not at all.

PyAV does the work, which ``imageio[pyav]`` brings. imageio itself reads and writes clips, too, but
rounds frame rates that vary, and does not let the encoder's threads be set.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.optional import require
from mixup_lib.basics.writing import atomic_write
from mixup_lib.video.clip import Clip

__all__ = ["encode", "read_clip", "write_clip"]

LATE = 0.1  # seconds by which a whole file may end before it says


def read_clip(path: str | os.PathLike, most: int | None = None, fps: float | None = None) -> Clip:
    """Reads a video file: its pictures as a player shows them, not its sound.

    Pictures are turned and mirrored as the file says: phones film on their side and note it.
    A clip's frames follow each other evenly, those of a file need not, and the file's frame times
    decide. Where each comes within a quarter of a frame of its place at the average rate, all are
    kept as they are. Elsewhere a frame is held until the next one comes, at the rate of the file's
    usual gap, so that everything happens when it happens in the file. Pixels that are not square
    stay as they are stored.

    Args:
        path: An mp4, avi or any other file that FFmpeg reads.
        most: Read at most this many frames, from the beginning; None reads all. A second of
            1920x1080 at 30 frames is 187 MB in memory.
        fps: Frames per second of the clip, above 0: at each moment the frame that is shown then.
            None takes the file's own rate. A file without frame times, such as a bare H.264
            stream, needs it: its frames follow each other at this rate.

    Returns:
        A :class:`Clip` that lasts as long as the file's pictures, or the beginning of it.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file can't be read as a video, is damaged or ends too early, is turned by
            anything but quarters, or its frame times are missing or go backwards; ``most`` or
            ``fps`` is out of range. The message names the file.
        ImportError: ``imageio[pyav]`` is missing.
    """
    av = require("av", "video")
    path = Path(path)
    if most is not None:
        integer_at_least("most", most, 1)
    if fps is not None and not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"fps={fps}; valid is a finite number above 0")
    if not path.is_file():
        raise FileNotFoundError(f"path={str(path)!r}: there is no such file")
    try:
        with av.open(path) as file:
            frames, times, last, nominal = _decoded(file, most)
        shown, rate = timetable(times, last, nominal, fps)
        return Clip(np.stack([frames[i] for i in shown[:most]]), rate)
    except Exception as error:
        raise ValueError(f"path={str(path)!r} can't be read as a video: {error}") from error


def _decoded(file, most: int | None) -> tuple[list, list, float, float | None]:
    """The first stream of moving pictures: all of it, or its first ``most`` frames.

    Returns:
        Frames uint8 ``(H, W, 3)``; for each the second at which it is shown, or None; how long the
        last one is shown, 0 if nothing says so; the rate that the file claims, or None.
    """
    # A song's cover is a stream of one picture.
    streams = [s for s in file.streams.video if not s.disposition & s.disposition.attached_pic]
    if not streams:
        raise ValueError("it has no moving pictures")
    stream, frames, times, last, ends = streams[0], [], [], 0.0, {}
    for packet in file.demux():
        if packet.pts is not None:
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            ends[packet.stream.index] = max(end, ends.get(packet.stream.index, end))
        if packet.stream.index != stream.index:
            continue
        for picture in packet.decode():
            if picture.is_corrupt:
                raise ValueError(f"it is damaged or ends too early, at frame {len(frames)}")
            frames.append(_upright(picture))
            times.append(picture.time)
            last = float((picture.duration or 0) * (picture.time_base or 0))
        if most is not None and len(frames) >= most:
            break
    else:
        _check_whole(file, stream, ends, len(frames))
    if file.format.name == "avi" and None not in times:
        times.sort()  # frames come in the order in which they are shown, AVI's times of them do not
    nominal = float(stream.average_rate) if stream.average_rate else None
    return frames[:most], times[:most], last, nominal


def _check_whole(file, stream, ends: dict[int, float], frames: int) -> None:
    """Raises ValueError where a file says that it lasts longer than what came out of it."""
    if not frames:
        raise ValueError("it holds no picture that can be decoded")
    if stream.duration is not None:
        says = float(stream.duration * stream.time_base)
        has = ends.get(stream.index, says) - float((stream.start_time or 0) * stream.time_base)
    elif file.duration is not None and "matroska" in file.format.name:
        says, has = file.duration / 1e6, max(ends.values())  # Matroska knows the whole file's only
    else:
        return  # other formats' durations are estimates
    if says - has > max(LATE, 2 * has / frames):
        raise ValueError(f"it ends after {has:.2f} of {says:.2f} seconds: the rest is missing")


def timetable(
    times: Sequence[float | None], last: float, nominal: float | None, fps: float | None = None
) -> tuple[np.ndarray, float]:
    """Which of a file's frames is shown at each moment of a clip, and the clip's rate.

    Args:
        times: For each frame the second at which it is shown, or None.
        last: Seconds for which the last one is shown; 0 where that is not known.
        nominal: The rate that the file claims, or None.
        fps: The clip's rate; None takes the file's.

    Returns:
        Numbers of frames, int64 ``(T,)``, in ascending order; frames per second.

    Raises:
        ValueError: Times are missing and ``fps`` is None, or a time is not later than the one
            before.
    """
    order = np.arange(len(times))
    if None in times or len(times) == 1:
        rate = fps or (nominal if None not in times else None)
        if rate is None:
            raise ValueError(
                "it does not say when its frames are shown. Valid: fps=25, or the "
                "rate that you know"
            )
        return order, rate
    times = np.asarray(times) - times[0]
    gaps = np.diff(times)
    if (gaps <= 0).any():
        k = int((gaps <= 0).argmax())
        raise ValueError(
            f"frame {k + 1} is shown at {times[k + 1]:g} s, but frame {k} before it "
            f"at {times[k]:g} s"
        )
    average = len(gaps) / times[-1]
    if fps is None:
        # The rate that the file claims is exact where times are rounded, to milliseconds in mkv.
        for rate, slack in ((nominal, 0.2), (average, 0.5)):
            if rate and np.ptp(times * rate - order) <= slack:
                return order, rate
        fps = float(1 / np.median(gaps))
    moments = np.arange(max(1, round((times[-1] + (last or 1 / average)) * fps)))
    return np.searchsorted(np.round(times * fps), moments, side="right") - 1, fps


def _upright(picture) -> np.ndarray:
    """A frame's pixels, uint8 ``(H, W, 3)``, turned and mirrored as its display matrix says."""
    pixels = picture.to_ndarray(format="rgb24")
    matrix = [data for data in picture.side_data if data.type.name == "DISPLAYMATRIX"]
    if not matrix:
        return pixels
    # The pixel in column x and row y is shown in column ax + cy and row bx + dy.
    matrix = np.frombuffer(bytes(matrix[0]), np.int32)[[0, 1, 3, 4]] / 65536
    a, b, c, d = turn = matrix.round()
    if abs(matrix - turn).max() > 1e-3 or not abs(a) == abs(d) == 1 - abs(b) == 1 - abs(c):
        raise ValueError(
            f"its pictures are turned by {picture.rotation} degrees or sheared: valid "
            "are quarters of a turn and mirror images"
        )
    columns, rows = (a, d) if a else (c, b)
    if not a:
        pixels = pixels.transpose(1, 0, 2)
    return pixels[:: -1 if rows < 0 else 1, :: -1 if columns < 0 else 1]


def encode(clip: Clip, quality: int = 23) -> bytes:
    """An H.264 mp4 file (yuv420p, which every browser plays) in memory.

    Colours are converted in whole numbers, and one thread of plain C encodes, so that the bytes are
    the same on every run.

    Args:
        clip: Height and width must be even: a colour stands for two by two pixels.
        quality: x264's constant rate factor, 0 (lossless) to 51 (worst).

    Raises:
        TypeError: ``clip`` is no :class:`Clip`.
        ValueError: An odd height or width, or ``quality`` out of range.
        ImportError: ``imageio[pyav]`` is missing.
    """
    if not isinstance(clip, Clip):
        raise TypeError(f"clip is a {type(clip).__name__}; valid is a Clip, which has a frame rate")
    if any(side % 2 for side in clip.size):
        height, width = clip.size
        raise ValueError(
            f"clip has frames of {height}x{width} pixels; height and width must be even for "
            f"H.264. Valid: cut a line off, clip.frames[:, :{height - height % 2}, "
            f":{width - width % 2}], or reconcile(..., size=...)"
        )
    if integer_at_least("quality", quality, 0) > 51:
        raise ValueError(f"quality must be at most 51, got {quality}")
    av = require("av", "video")
    # Files hold the rate as a fraction, such as 30000/1001.
    memory, rate = io.BytesIO(), Fraction(clip.fps).limit_denominator(65535)
    with av.open(memory, "w", format="mp4") as file:
        # x264's assembly differs by processor, and with it one file in ten came out another.
        options = {"crf": str(quality), "x264-params": "asm=0"}
        stream = file.add_stream("libx264", rate=rate, options=options)
        stream.height, stream.width = clip.size
        stream.pix_fmt, stream.codec_context.thread_count = "yuv420p", 1
        for frame in clip.frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(_yuv(frame), format="yuv420p")))
        file.mux(stream.encode(None))
    return memory.getvalue()


def write_clip(clip: Clip, path: str | os.PathLike, quality: int = 23) -> Path:
    """Writes an mp4 file in one step: it appears whole, or not at all.

    Args:
        clip: As for :func:`encode`.
        path: Ends in ``.mp4``; its folder exists. A file that is there is replaced.
        quality: As for :func:`encode`.

    Returns:
        The path. The file has the clip's frame rate, size and number of frames; H.264 changes
        pixel values a little.

    Raises:
        FileNotFoundError: The folder does not exist.
        ValueError: Another suffix, and what :func:`encode` refuses.
    """
    path = Path(path)
    if path.suffix.lower() != ".mp4":
        raise ValueError(f"path={str(path)!r}; valid is a name that ends in .mp4")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path={str(path)!r}: the folder {str(path.parent)!r} is missing")
    data = encode(clip, quality)
    with atomic_write(path) as draft:
        draft.write_bytes(data)
    return path


def _yuv(frame: np.ndarray) -> np.ndarray:
    """Brightness of each pixel, then two colour differences of each block of two by two pixels.

    ITU-R BT.601 in whole numbers: FFmpeg's own conversion rounds as the processor pleases.
    """
    rgb = frame.astype(np.int32)
    height, width, _ = rgb.shape
    block = (rgb.reshape(height // 2, 2, width // 2, 2, 3).sum((1, 3)) + 2) // 4
    y = ((rgb @ [66, 129, 25] + 128) >> 8) + 16
    u, v = (((block @ row + 128) >> 8) + 128 for row in ([-38, -74, 112], [112, -94, -18]))
    planes = (y, *(plane.reshape(-1, width) for plane in (u, v)))
    return np.concatenate(planes).astype(np.uint8)
