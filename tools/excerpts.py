"""Parts of a built page, cut and cleaned so that they can stand on a slide."""

import copy
import html
import re

from bs4 import BeautifulSoup, NavigableString, Tag

DROPPED = "script, style, details, button, .headerlink, aside.footnote"
TABLE_WIDTH = 84  # characters in a row of a table on a slide


def cleaned(element: Tag, page: str) -> Tag:
    """A copy that can stand elsewhere: no scripts or anchors, links lead back to the page."""
    element = copy.copy(element)
    for unwanted in element.select(DROPPED):
        unwanted.decompose()
    for inner in [element, *element.find_all(True)]:
        inner.attrs.pop("id", None)
        inner.name = "div" if inner.name == "section" else inner.name  # else a slide in a slide
        href = inner.get("href", "")
        if href.startswith("#"):
            inner["href"] = page + href
        elif href and not re.match(r"\.\./|\w+:", href):
            inner["href"] = "../notebooks/" + href
    return element


def inside(element: Tag, page: str) -> str:
    return cleaned(element, page).decode_contents().strip()


def first_sentences(element: Tag, page: str, limit: int) -> str:
    """The HTML of the sentences that fit, at least one; never cut inside a formula or a link."""
    element = cleaned(element, page)
    kept, length = "", 0
    for child in element.children:
        parts = [str(child)]
        if isinstance(child, NavigableString):
            parts = re.split(r"(?<=[.?!:]) (?=\S)", html.escape(str(child), quote=False))
        for number, part in enumerate(parts):
            ended = bool(re.search(r"[.?!]$", re.sub(r"<.*?>", "", kept).rstrip()))
            length += len(BeautifulSoup(part, "html.parser").get_text())
            if number and ended and length > limit:
                return kept
            kept += (" " if number else "") + part
    return kept


def text_of(element: Tag) -> str:
    """Plain text for the speaker: formulas as TeX, without their delimiters."""
    text = cleaned(element, "").get_text()
    return re.sub(r"\s+", " ", re.sub(r"\\[()\[\]]", "", text)).strip()


def table_lines(rows: list[Tag]) -> int:
    """How many lines a table takes, with columns of one width and long cells broken."""
    total = 0
    for row in rows:
        cells = [cell.get_text().strip() for cell in row.find_all(["th", "td"])]
        total += max((-(-len(text) * len(cells) // TABLE_WIDTH) for text in cells), default=1) or 1
    return total


def pieces(items: list[Tag], limit: int) -> list[list[Tag]]:
    """Cuts a list where a slide is full; two halves rather than a full slide and a rest."""
    sizes = [len(item.get_text()) + 60 for item in items]
    count = -(-sum(sizes) // limit)
    groups, seen = [[] for _ in range(count)], 0
    for item, size in zip(items, sizes):
        groups[min(count - 1, seen * count // sum(sizes))].append(item)
        seen += size
    return [group for group in groups if group]
