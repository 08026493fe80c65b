"""One process at a time: a lock that the system opens again however its holder ended."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

__all__ = ["alone"]


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Holds the lock ``file`` while the block runs, and removes it after a block that succeeded.

    Raises:
        BlockingIOError: if another process holds it.
        OSError: if the file can't be made.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "a") as held:
        try:
            if fcntl:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                msvcrt.locking(held.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(f"{file} is held by another process") from error
        yield
        if os.name == "posix":  # elsewhere an open file can't be removed
            file.unlink(missing_ok=True)
