"""Redraws a master by its phrases: one requirement in text, solution and tests at once."""

import re

import nbformat

from assignments import FOLDER


def redraw(file: str, *changes: dict[str, str]) -> dict[str, str]:
    """Every cell of a master in which a phrase stands, with the new phrases in their places.

    Args:
        file: The master's name, in ``assignments/``.
        changes: New phrases by old ones. A longer old phrase goes before a shorter one, and what
            was put in is not searched again, but by the changes that follow.

    Raises:
        ValueError: A phrase is not in the master.
    """
    master = nbformat.read(FOLDER / file, as_version=4)
    found = {cell.id: cell.source for cell in master.cells}
    new = dict(found)
    for phrases in changes:
        missing = [old for old in phrases if not any(old in source for source in new.values())]
        if missing:
            raise ValueError(f"{file} does not have the phrase {missing[0]!r}")
        longest = sorted(phrases, key=len, reverse=True)
        pattern = re.compile("|".join(map(re.escape, longest)))
        for name, source in new.items():
            new[name] = pattern.sub(lambda match, of=phrases: of[match[0]], source)
    return {name: source for name, source in new.items() if source != found[name]}
