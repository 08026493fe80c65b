"""Small tables that read well in a terminal and in a notebook."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Table", "unbroken"]

_KEPT = re.compile(r"\[[^\[\]]*\]|\S+ [→=] \S+|[×±] \S+")
_MINUS = re.compile(r"(?<![\w.−-])-(?=\.?\d)")


def unbroken(text: str) -> str:
    """The same text with what a page should not tear over two lines held together.

    No-break spaces stand inside an interval, around an arrow or an equals sign and after a sign,
    and a minus sign before a number in the place of a hyphen.
    """
    kept = _KEPT.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), text)
    return _MINUS.sub("−", kept)


@dataclass(frozen=True)
class Table:
    """Text cells under a header.

    Attributes:
        header: one name per column.
        rows: as many cells per row as the header has.

    Raises:
        ValueError: if a row has another length.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __post_init__(self):
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(f"each row must have {len(self.header)} cells, got {list(row)}")

    def __str__(self) -> str:
        lines = [list(map(str, line)) for line in (self.header, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        lines.insert(1, ["-" * width for width in widths])
        padded = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            for line in lines
        ]
        return "\n".join(line.rstrip() for line in padded)

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        return "\n".join(f"| {' | '.join(_markdown(cell) for cell in line)} |" for line in lines)

    def _repr_html_(self) -> str:
        def row(cells: Sequence[str], tag: str) -> str:
            texts = (escape(unbroken(str(cell))) for cell in cells)
            return "<tr>" + "".join(f"<{tag}>{text}</{tag}>" for text in texts) + "</tr>"

        body = "".join(row(cells, "td") for cells in self.rows)
        return f"<table><thead>{row(self.header, 'th')}</thead><tbody>{body}</tbody></table>"


def _markdown(cell: str) -> str:
    return str(cell).replace("|", "\\|")
