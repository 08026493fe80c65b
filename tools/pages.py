"""Text that pages get on their way to Sphinx, where they hold a mark for it.

``<!-- chapter-cards -->``, ``<!-- assignments -->`` and ``<!-- output NAME CELL -->`` become a card
for each chapter, a section for each assignment, and the stored HTML of a notebook's cell.
"""

import re
from collections.abc import Callable

from tools import course

MARK = re.compile(r"<!-- (chapter-cards|assignments|output (\S+) (\S+)) -->")
CARD = """\
:::{{grid-item-card}} {title}
:link: ../notebooks/{name}
:link-type: doc

{teaches}

*{time}*
:::
"""
MACHINE = " on two CPU cores"
TIMES = f"Each card has its notebook's running time{MACHINE}."
ASSIGNMENT = """\
({label})=
## {title}

**You need:** {needs}

**You will:** {does}

**Time:** {minutes}. **Belongs to:** {pages}.

**Take it:** {links}.
"""


def part(text: str, name: str) -> str:
    """What stands after ``**Name:**`` in an opening, to the end of its paragraph.

    Raises:
        ValueError: there is no such paragraph.
    """
    found = re.search(rf"(?ms)\*\*{name}:\*\*\s*(.*?)(?=\n\n|\Z)", text)
    if found is None:
        raise ValueError(f"no paragraph begins with **{name}:** in {text[:60]!r}")
    return found[1].strip()


def cards() -> str:
    """A card for each chapter: its title, the first thing it teaches, its time.

    What all times were taken on is said once, above the cards.
    """
    found = []
    for path in course.notebooks():
        book = course.read(path)
        first = part(book.cells[0].source, "You will be able to").splitlines()[0].strip("- ;.")
        first = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", first)  # a card is a link already
        found.append(
            CARD.format(
                title=course.title(book),
                name=path.stem,
                teaches=first[:1].upper() + first[1:],
                time=course.running_time(path.stem).split(":** ")[-1].replace(MACHINE, ""),
            )
        )
    return f"{TIMES}\n\n::::{{grid}} 1 2 2 3\n:gutter: 2\n\n" + "\n".join(found) + "::::\n"


def link_to(page: str) -> str:
    """A page as a Markdown link from another page of ``book``."""
    path = next(course.ROOT.glob(f"{page}.*"))
    if path.suffix == ".ipynb":
        return f"[{course.title(course.read(path))}](../{page}.ipynb)"
    return f"[{re.search(r'(?m)^# (.+)$', path.read_text('utf-8'))[1]}]({path.name})"


def assignment(name: str, links: list[str]) -> str:
    """The section of an assignment, from its master's opening; ``links`` to its student copy."""
    book = course.read(course.ROOT / "assignments" / f"{name}.ipynb")
    opening = next(cell.source for cell in book.cells if cell.cell_type == "markdown")
    missing = "not in this build: `make assignments`, then `make book`"
    return ASSIGNMENT.format(
        label=f"assignment-{name.partition('_')[0]}",
        title=re.search(r"(?m)^# (.+)$", opening)[1],
        needs=part(opening, "You need"),
        does=part(opening, "You will(?: do)?"),
        minutes=re.search(r"\d+ to \d+ minutes", opening)[0],
        pages=", ".join(map(link_to, course.ASSIGNMENTS[name])),
        links="; ".join(links) or missing,
    )


def output(name: str, cell: str) -> str:
    """The stored HTML of a notebook's cell.

    Raises:
        ValueError: the cell has none.
    """
    for one in course.read(course.NOTEBOOKS / f"{name}.ipynb").cells:
        for said in one.get("outputs", []) if one.id == cell else []:
            if html := said.get("data", {}).get("text/html"):
                return f"```{{raw}} html\n{html}\n```"
    raise ValueError(f"cell {cell!r} of {name} shows no HTML")


def filled(text: str, links: Callable[[str], list[str]]) -> str:
    """A page's text with what its marks stand for; ``links`` leads to an assignment's copies."""

    def content(mark: re.Match) -> str:
        if mark[1] == "chapter-cards":
            return cards()
        if mark[1] == "assignments":
            return "\n".join(assignment(name, links(name)) for name in course.ASSIGNMENTS)
        return output(mark[2], mark[3])

    return MARK.sub(content, text)
