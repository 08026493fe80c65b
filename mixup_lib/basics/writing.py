"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["atomic_write", "unfinished"]


@contextmanager
def atomic_write(path: Path | str, replace: bool = True) -> Iterator[Path]:
    """A file to write in place of ``path``, which gets that name when the block has succeeded.

    Whoever reads ``path`` finds the old file or the new one, never half of one, and after an error
    nothing is left behind. A process that is killed leaves a file that :func:`unfinished` names.

    Args:
        path: of the file, in a folder that exists.
        replace: False refuses to take the place of a file, also of one that another process puts
            there at the same moment.

    Raises:
        FileExistsError: if there is a file and ``replace`` is False.
        OSError: if the folder can't be written to.
    """
    path = Path(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield draft
        if replace:
            os.replace(draft, path)
        else:
            _put(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def unfinished(path: Path) -> list[Path]:
    """Drafts of ``path``, of processes that are at it or were killed."""
    return list(path.parent.glob(f".{path.name}.*.tmp"))


def _put(file: Path, target: Path) -> None:
    """Gives a finished file its name; raises FileExistsError if something has that name."""
    try:
        os.link(file, target)  # unlike a check before a move, nobody can come between
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if target.exists():
            raise FileExistsError(target) from None
        os.replace(file, target)
