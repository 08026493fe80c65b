"""Published figures, from one file, each with its source: what ours are set beside.

They lie in ``results/published.json`` of the repository; an installed wheel carries a copy.
"""

import json

from mixup_lib.results import folder

__all__ = ["published"]


def published(name: str) -> dict:
    """The figures called ``name``.

    Returns:
        ``values``, numbers by method as their source names it; ``what``, ``measure``, ``unit`` and
        ``note`` say what was measured; ``reference`` is a key of the book's references, ``where``
        the place in it.

    Raises:
        ValueError: if there is no such entry; the message names those that there are.
    """
    entries = json.loads((folder() / "published.json").read_text(encoding="utf-8"))
    if name not in entries:
        raise ValueError(f"name={name!r} is not published; valid are {', '.join(entries)}")
    return entries[name]
