"""Clips: reading and writing video files, making clips agree, and the way to a batch and back.

A file is read with ``imageio[pyav]``, which needs nothing installed on the system. Clips that are
mixed must have the same frame rate, length and size: :func:`reconcile` makes them so, in the way
that you name, and never silently.
"""

from mixup_lib.video.clip import Clip, as_batch, as_clip, beside
from mixup_lib.video.files import encode, read_clip, write_clip
from mixup_lib.video.lengths import LENGTHS, reconcile

__all__ = [
    "LENGTHS",
    "Clip",
    "as_batch",
    "as_clip",
    "beside",
    "encode",
    "read_clip",
    "reconcile",
    "write_clip",
]
