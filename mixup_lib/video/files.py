"""Video files: read whole, written whole or not at all.

PyAV does the work, which ``imageio[pyav]`` brings. imageio itself reads and writes clips, too, but
rounds frame rates that vary, and does not let the encoder's threads be set.
"""

from __future__ import annotations

import io
import os
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np

from mixup_lib.basics.check import integer_at_least
from mixup_lib.basics.optional import require
from mixup_lib.video.clip import Clip

__all__ = ["encode", "read_clip", "write_clip"]


def read_clip(path: str | os.PathLike, most: int | None = None) -> Clip:
    """Reads a video file: its pictures, not its sound.

    Args:
        path: An mp4, avi or any other file that FFmpeg reads.
        most: Read at most this many frames, from the beginning; None reads all. A second of
            1920x1080 at 30 frames is 187 MB in memory.

    Returns:
        A :class:`Clip` with the file's size and frame rate. Where frames come at irregular times,
        it is the average rate, so that the clip lasts as long as the file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file can't be read as a video, or ``most`` is below 1.
        ImportError: ``imageio[pyav]`` is missing.
    """
    av = require("av", "video")
    path = Path(path)
    if most is not None:
        integer_at_least("most", most, 1)
    if not path.is_file():
        raise FileNotFoundError(f"path={str(path)!r}: there is no such file")
    try:
        with av.open(path) as file:
            stream = file.streams.video[0]
            pictures = islice(file.decode(stream), most)
            frames = np.stack([picture.to_ndarray(format="rgb24") for picture in pictures])
            fps = float(stream.average_rate)
    except Exception as error:
        raise ValueError(f"path={str(path)!r} can't be read as a video: {error}") from error
    return Clip(frames, fps)


def encode(clip: Clip, quality: int = 23) -> bytes:
    """An H.264 mp4 file (yuv420p, which every browser plays) in memory.

    Colours are converted in whole numbers, and one thread encodes, so that the bytes are the same
    on every run.

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
        stream = file.add_stream("libx264", rate=rate, options={"crf": str(quality)})
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
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(data)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
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
