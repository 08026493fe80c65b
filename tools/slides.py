"""Makes a chapter's slides from its built page, where references and formulas are resolved.

A slide is a definition or theorem, a displayed equation, a figure, a list, a small table of
results, a claim with its verdict, or the first sentences of a section that has none of these.
What the chapter says around it goes into the speaker's notes.
"""

import html
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from bs4 import BeautifulSoup, Tag

from tools.excerpts import cleaned, first_sentences, inside, pieces, table_lines, text_of

# What a slide of 1280 x 720 holds at a size that the last row can read, in characters.
CAPTION, TEXT, LIST = 220, 420, 880
CODE_LINES, CODE_WIDTH, CODE_SLIDES, TABLE_LINES, CLAIM_LINES, CLAIM_WIDTH = 14, 80, 2, 12, 7, 72
SKIPPED = {"exercises", "check-yourself"}

COURSE = "The mixup course"
KEYS = "Arrows move, O shows all slides, S opens the speaker's notes, ? lists all keys."

PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title: slides</title>
<link rel="icon" href="../_static/favicon.svg">
<link rel="stylesheet" href="../_static/reveal/reveal.css">
<link rel="stylesheet" href="../_static/pygments.css">
<link rel="stylesheet" href="../_static/slides.css">
<script>window.MathJax = {options: {enableMenu: false}};</script>
<script defer src="../_static/mathjax/tex-chtml.js"></script>
<script defer src="../_static/reveal/reveal.js"></script>
<script defer src="../_static/reveal/notes.js"></script>
<script defer src="../_static/slides.js"></script>
</head>
<body>
<div class="reveal"><div class="slides">
$slides
</div><a class="back" href="$page">← chapter</a></div>
</body>
</html>
""")


@dataclass
class Slide:
    """One slide: heading and where it stands in the page, what it shows, what the speaker reads."""

    heading: str
    link: str
    body: str
    kind: str
    above: str = ""
    notes: list[str] = field(default_factory=list)

    def html(self) -> str:
        above = f'<p class="above">{self.above}</p>' if self.above else ""
        notes = "".join(f"<p>{html.escape(text)}</p>" for text in self.notes)
        return (
            f'<section class="{self.kind}">{above}<h2><a href="{self.link}">{self.heading}</a>'
            f'</h2>\n{self.body}\n<aside class="notes">{notes}</aside></section>'
        )


def path(page: Path) -> Path:
    """Where the slides to a chapter's page go: slides/NN_topic.html."""
    folder = page.parents[1] / "slides"
    folder.mkdir(exist_ok=True)
    return folder / page.name


class Chapter:
    """Walks through a page's sections and collects slides."""

    def __init__(self, name: str):
        self.page = f"../notebooks/{name}.html"
        self.slides: list[Slide] = []

    def lists(self, element: Tag, lead: Tag | None, add) -> None:
        """A list under the paragraph before it, on as many slides as it needs."""
        said = f"<p>{first_sentences(lead, self.page, TEXT)}</p>" if lead else ""
        items = element.find_all("li", recursive=False)
        for group in pieces(items, LIST - len(BeautifulSoup(said, "html.parser").get_text())):
            marks = "".join(f"<li>{inside(item, self.page)}</li>" for item in group)
            add("list", f"{said}<{element.name}>{marks}</{element.name}>")

    def cell(self, element: Tag, add) -> None:
        """Figures, claims and small tables among a cell's outputs."""
        output = element.find("div", class_="cell_output")
        if output is None or element.find_parent("details") or "tag_hide-cell" in element["class"]:
            return
        for image in output.find_all("img"):
            if not image["src"].startswith("data:"):
                alt = html.escape(image.get("alt", ""))
                add("figure", f'<img src="{image["src"]}" alt="{alt}">')
        for table in output.find_all("table"):
            rows = table.find_all("tr")
            if "mixup-claim" in table.get("class", ()):
                self.claim(table, rows, add)
            elif table_lines(rows) <= TABLE_LINES:
                # A slide can't scroll: here an interval may break, and the table fits.
                text = inside(table, self.page).replace("\N{NO-BREAK SPACE}", " ")
                add("results", f"<table>{text}</table>")

    def claim(self, table: Tag, rows: list[Tag], add) -> None:
        """A claim's card, without the rule that it folds; many lines take several slides."""
        caption = table.caption.get_text()
        for element in table.find_all(True):
            element.attrs.pop("style", None)
        rows = [row for row in rows if row.find("details") is None]
        lines = sum(-(-len(row.get_text()) // CLAIM_WIDTH) for row in rows)
        count = -(-lines // CLAIM_LINES)
        size = -(-len(rows) // count)
        for at in range(0, len(rows), size):
            add(
                "claim",
                f'<p class="verdict">{html.escape(caption)}</p>'
                f"<table>{''.join(map(str, rows[at : at + size]))}</table>",
            )

    def box(self, element: Tag, add) -> None:
        """A definition, a theorem, a warning: its title, and what it says."""
        title = element.find(class_="admonition-title")
        said = cleaned(element, self.page)
        said.find(class_="admonition-title").decompose()
        add(
            "box",
            f'<div class="said"><p class="name">{inside(title, self.page)}</p>'
            f"{said.decode_contents()}</div>",
        )

    def section(self, section: Tag, above: str = "") -> None:
        """Slides of a section, then of the sections in it."""
        heading = inside(section.find(["h2", "h3", "h4"]), self.page)
        first, notes, before = len(self.slides), [], None

        def add(kind: str, body: str) -> None:
            link = f"{self.page}#{section['id']}"
            self.slides.append(Slide(heading, link, body, kind, above, notes.copy()))
            notes.clear()

        for child in section.find_all(True, recursive=False):
            classes, made = child.get("class", ()), len(self.slides)
            lead = before if before is not None and before.name == "p" else None
            if child.name == "p" and not self.caption(child, before):
                notes.append(text_of(child))
            elif child.name in ("ul", "ol"):
                self.lists(child, lead, add)
            elif "cell" in classes:
                self.cell(child, add)
            elif "math" in classes and before is not None and "math" in before.get("class", ()):
                self.slides[-1].body += str(cleaned(child, self.page))
            elif "math" in classes:
                said = first_sentences(lead, self.page, TEXT) if lead else ""
                add("equation", f"<p>{said}</p>{cleaned(child, self.page)}")
            elif child.find(class_="admonition-title", recursive=False):  # a proof has none
                self.box(child, add)
            before = child
            child["data-slides"] = len(self.slides) - made
        if len(self.slides) == first:
            self.plain(section, add)
        if len(self.slides) > first:
            self.slides[-1].notes += notes
        for child in section.find_all("section", recursive=False):
            self.section(child, heading)

    def caption(self, paragraph: Tag, before: Tag | None) -> bool:
        """Whether this paragraph stands right after a figure and so became its caption."""
        last = self.slides[-1] if self.slides else None
        if not (before is not None and before.get("data-slides") and last.kind == "figure"):
            return False
        said = first_sentences(paragraph, self.page, CAPTION)
        last.body += f'<p class="caption">{said}</p>'
        last.notes.append(text_of(paragraph))
        return True

    def plain(self, section: Tag, add) -> None:
        """A section with none of the usual contents: its first words, and short code."""
        leads, groups, room = [section.find("p", recursive=False)], [""], CODE_LINES
        for cell in section.select(":scope > .cell"):
            for block in cell.select(":is(.cell_input, .output) .highlight"):
                rows = block.get_text().strip().splitlines()
                if len(rows) > CODE_LINES or max(map(len, rows), default=0) > CODE_WIDTH:
                    continue
                room -= len(rows) + 2
                if room < 0 and groups[-1]:
                    leads.append(cell.find_previous_sibling())
                    groups.append("")
                    room = CODE_LINES - len(rows)
                groups[-1] += str(cleaned(block, self.page))
        for lead, code in list(zip(leads, groups))[:CODE_SLIDES]:
            limit = CAPTION if code else TEXT
            is_text = lead is not None and lead.name == "p"
            said = f"<p>{first_sentences(lead, self.page, limit)}</p>" if is_text else ""
            if said or code:
                add("code" if code else "text", said + code)


def make(page: Path) -> str:
    """The HTML of the slides to a chapter's built page.

    Raises:
        ValueError: the page has no heading, so it is no chapter.
    """
    article = BeautifulSoup(page.read_text("utf-8"), "html.parser").select_one("article")
    if article is None or article.h1 is None:
        raise ValueError(f"{page} has no heading")
    chapter, main = Chapter(page.stem), article.h1.parent
    title = inside(article.h1, chapter.page)
    for section in main.find_all("section", recursive=False):
        if section["id"] not in SKIPPED:
            chapter.section(section)
    start = [Slide(title, chapter.page, f'<p>{COURSE}</p><p class="keys">{KEYS}</p>', "title")]
    if goals := main.find("ul", recursive=False):
        lead = goals.find_previous("p").get_text().strip(" :")
        start.append(Slide(lead, chapter.page, f"<ul>{inside(goals, chapter.page)}</ul>", "list"))
    more = "".join(
        f'<li><a href="{chapter.page}#{section["id"]}">{inside(section.h2, chapter.page)}</a></li>'
        for section in main.find_all("section", recursive=False)
        if section["id"] in SKIPPED
    )
    end = [Slide(title, chapter.page, f"<ul>{more}</ul>", "list end")]
    every = "\n".join(slide.html() for slide in start + chapter.slides + end)
    return PAGE.substitute(
        title=html.escape(article.h1.get_text().rstrip("#").strip()),
        slides=every,
        page=chapter.page,
    )
