"""Progress bars that keep quiet where nobody watches."""

import os
import sys

from tqdm.std import tqdm

__all__ = ["progress_bar"]


def progress_bar(iterable=None, *, progress: bool | None, desc: str, **options) -> tqdm:
    """A tqdm bar; ``progress`` True or False decides, None asks whether somebody watches.

    Somebody watches a terminal or a notebook. ``TQDM_DISABLE=1`` always wins.
    """
    watched = sys.stderr.isatty() or "ipykernel" in sys.modules
    shown = watched if progress is None else progress
    shown = shown and os.environ.get("TQDM_DISABLE", "") in ("", "0")
    return tqdm(iterable, desc=desc, disable=not shown, leave=False, **options)
