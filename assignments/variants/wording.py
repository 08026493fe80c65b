"""Redraws a master by its phrases: one requirement in text, solution and tests at once."""

import re

import nbformat

from assignments import FOLDER


def redraw(file: str, changes: dict[str, str]) -> dict[str, str]:
    """Every cell of a master in which a phrase stands, with the new phrases in their places.

    Args:
        file: The master's name, in ``assignments/``.
        changes: New phrases by old ones. A longer old phrase goes before a shorter one, and what
            was put in is not searched again.

    Raises:
        ValueError: A phrase is not in the master.
    """
    master = nbformat.read(FOLDER / file, as_version=4)
    found = {cell.id: cell.source for cell in master.cells}
    missing = [old for old in changes if not any(old in source for source in found.values())]
    if missing:
        raise ValueError(f"{file} does not have the phrase {missing[0]!r}")
    longest = sorted(changes, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest)))
    new = {name: pattern.sub(lambda match: changes[match[0]], source)
           for name, source in found.items()}
    return {name: source for name, source in new.items() if source != found[name]}
