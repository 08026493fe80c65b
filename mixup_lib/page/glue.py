"""Store a value under a name in a notebook, so that a page can show it without typing it."""

from __future__ import annotations

from IPython.core.formatters import format_display_data
from IPython.display import display

__all__ = ["glue"]


def glue(name: str, value: object) -> None:
    """Displays ``value`` and stores it under ``name``, which pages of the book paste.

    The metadata is what the book's glue roles look for, so that a notebook needs no part of the
    book's toolchain to run. In the same notebook Markdown pastes it by ``{glue:text}`name:s```;
    another page names the notebook and always a format, as in
    ``{glue:text}`../notebooks/04_image.ipynb::name:s``` (``:.1f`` where the value is a number).

    Args:
        name: The key under which pages find the value, unique in the notebook.
        value: A string, number or figure. Round a number before: the page shows it as it is here.

    Raises:
        ValueError: ``name`` is empty.
    """
    if not name:
        raise ValueError(f"name is {name!r}; it must be a key that pages can paste")
    data, metadata = format_display_data(value)
    metadata["scrapbook"] = {"name": name, "mime_prefix": ""}
    display(data, raw=True, metadata=metadata)
