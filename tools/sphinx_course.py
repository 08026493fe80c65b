"""The course's Sphinx extension: quizzes, downloads, cards, assignments, slides, small sources,
labels of folds, and what a phone's screen needs.

Notebooks stay as they are. Their text gets two more cells on its way to Sphinx: one with what the
article is and the downloads after the title, one with the questions of `book/quizzes` at the end.
When the site is written, its copies of the notebooks lose their outputs, slides are made from its
pages, and assignments that were built before (`make assignments`) are copied beside them.
"""

import html
import json
import os
import re
import shutil
import zipfile
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from tools import course, pages, quiz, slides

STUDENT_COPIES = course.ROOT / os.environ.get("STUDENT_COPIES", "_build/assignments")
# All words that a reader sees and no source file holds.
WORDS = {
    "heading": "Check yourself",
    "intro": "Nothing is stored, and nothing is sent.",
    "several": "Several answers are right.",
    "check": "Check",
    "all": "All answers, explained",
    "right": "Right:",
    "wrong": "Wrong:",
    "said-right": "That is right.",
    "said-wrong": "Not yet.",
    "said-missing": "Right so far, but some are missing.",
    "said-none": "Choose an answer first.",
    "fold-show": "Show {what}",
    "fold-hide": "Hide {what}",
    "fold-hide-input": "the code",
    "fold-hide-output": "the output",
    "fold-hide-cell": "the solution in code",
    "article": 'Where this chapter says "the article", it means '
    '<a href="../book/preface.html#the-article">one Chinese introduction to mixup</a>, '
    "which the course follows and tests. In a hurry? "
    '<a href="../book/should-i.html">Should I use mixup?</a>',
}
# A picture of more pixels across does not shrink below this share of them: on a phone it scrolls.
WIDE, LEAST = 700, 0.7
# Pages whose tables of four columns become one block a row on a phone.
STACKED = ("book/claims", "book/concordance")
# A printed table with a cell of more characters keeps its columns wide enough to read.
WORDY = 80


class Tag(nodes.General, nodes.Inline, nodes.TextElement):
    """An HTML element: `tag` is its name, `attributes_` its attributes. Other formats skip it."""


def tag(element: str, /, *children: nodes.Node, **attributes: str | bool) -> Tag:
    """An element with these children; True is an attribute without a value, `_` is a hyphen."""
    attributes = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    return Tag("", "", *children, tag=element, attributes_=attributes)


def open_tag(writer, node: Tag) -> None:
    said = "".join(
        f" {key}" if value is True else f' {key}="{html.escape(value)}"'
        for key, value in node["attributes_"].items()
        if value is not False
    )
    writer.body.append(f"<{node['tag']}{said}>")


def close_tag(writer, node: Tag) -> None:
    writer.body.append("" if node["tag"] == "input" else f"</{node['tag']}>\n")


def skip(writer, node: Tag) -> None:
    """Formats without a browser show the text inside."""


class Quiz(SphinxDirective):
    """The questions that belong to the page. Without a script they and all answers are readable."""

    def run(self) -> list[nodes.Node]:
        file = quiz.path(Path(self.env.docname).name)
        self.env.note_dependency(str(file))
        try:
            questions = quiz.read(file)
        except ValueError as error:
            raise self.error(str(error)) from error
        intro = nodes.paragraph("", WORDS["intro"])
        return [intro, *(self.question(number, asked) for number, asked in enumerate(questions, 1))]

    def markdown(self, text: str) -> list[nodes.Node]:
        holder = nodes.Element()
        self.state.nested_parse(StringList(text.splitlines(), self.env.docname), 0, holder)
        return holder.children

    def inline(self, text: str) -> list[nodes.Node]:
        blocks = self.markdown(text)
        if len(blocks) != 1 or not isinstance(blocks[0], nodes.paragraph):
            raise self.error(f"not one paragraph of Markdown: {text!r}")
        return blocks[0].children

    def question(self, number: int, asked: quiz.Question) -> Tag:
        first, *rest = self.markdown(asked.text)
        name = f"quiz-{asked.id}"
        start = nodes.Text(f"{number}. ")
        several = [nodes.Text(" "), nodes.emphasis("", WORDS["several"])] if asked.several else []
        kind = "checkbox" if asked.several else "radio"
        choices = [
            tag(
                "label",
                tag("input", type=kind, name=name, data_right=answer.right),
                tag("span", *self.inline(answer.text)),
            )
            for answer in asked.answer
        ]
        reasons = [
            tag(
                "li",
                nodes.strong("", WORDS["right" if answer.right else "wrong"]),
                nodes.Text(" "),
                tag("span", *self.inline(answer.text)),
                tag("span", *self.inline(answer.why), class_="quiz-why"),
                class_="quiz-right" if answer.right else "quiz-wrong",
            )
            for answer in asked.answer
        ]
        said = {
            f"data_{key.replace('-', '_')}": text
            for key, text in WORDS.items()
            if key.startswith("said-")
        }
        return tag(
            "div",
            tag("fieldset", tag("legend", start, *first.children, *several), *rest, *choices),
            tag("button", nodes.Text(WORDS["check"]), type="button", hidden=True),
            tag("div", role="status", class_="quiz-said"),
            tag("details", tag("summary", nodes.Text(WORDS["all"])), tag("ul", *reasons)),
            class_="quiz-question",
            id=name,
            **said,
        )


def student_copy(name: str) -> Path:
    """The student notebook of an assignment; it is there once it was built."""
    return STUDENT_COPIES / name / "student" / f"{name}.ipynb"


def student_copies(page: str) -> dict[str, Path]:
    """The built student notebooks that belong to a page, by the assignment's name."""
    named = [name for name, pages in course.ASSIGNMENTS.items() if page in pages]
    return {name: student_copy(name) for name in named if student_copy(name).exists()}


def copies(name: str, text: str) -> list[str]:
    """HTML links to an assignment's notebook, its files and Colab; none if it was not built."""
    if not student_copy(name).exists():
        return []
    links = [f'<a href="../assignments/{name}/{name}.ipynb" download>{html.escape(text)}</a>']
    if len(inside(student_copy(name).parent)) > 1:
        links.append(f'<a href="../assignments/{name}.zip" download>with all its files</a>')
    # The published branch holds the public edition; a variant is elsewhere.
    told = course.read(student_copy(name)).metadata.get("assignment", {})
    if told.get("kind", "public") == "public":
        links.append(f'<a href="{course.colab_assignment(name)}">on Colab</a>')
    return links


def inside(student: Path) -> list[Path]:
    """All files of a student's folder, in order."""
    return sorted(path for path in student.rglob("*") if path.is_file())


def downloads(page: str) -> str:
    """The HTML of the line with the page's downloads; empty where there are none."""
    links = []
    if page.startswith("notebooks/"):
        name = Path(page).name
        links += [
            f'<a href="../_sources/{page}.ipynb" download>notebook</a> without outputs',
            f'<a href="../slides/{name}.html">slides</a>',
        ]
    for name, file in student_copies(page).items():
        first, *more = copies(name, course.title(course.read(file)) or name)
        links.append(f"assignment {first}" + (f" ({', '.join(more)})" if more else ""))
    line = f'<p class="page-files"><strong>To take along:</strong> {"; ".join(links)}.</p>'
    return line if links else ""


class Downloads(Directive):
    """The lines with what a chapter calls the article, and with the page's downloads."""

    def run(self) -> list[nodes.Node]:
        page = self.state.document.settings.env.docname
        article = f'<p class="page-article">{WORDS["article"]}</p>'
        lines = article * page.startswith("notebooks/") + downloads(page)
        return [nodes.raw("", lines, format="html")]


def unfolded(markdown: str) -> str:
    """A notebook's text without what folds its solutions: the book folds them itself."""
    for part in course.FOLD:
        markdown = markdown.replace(part, "")
    return markdown


def label_fold(metadata: dict) -> None:
    """Says on a folded cell what it holds."""
    for name in metadata.get("tags", ()):
        if what := WORDS.get(f"fold-{name}"):
            metadata["mystnb"] = metadata.get("mystnb", {}) | {
                f"code_prompt_{key}": WORDS[f"fold-{key}"].format(what=what)
                for key in ("show", "hide")
            }


def add_to_source(app, page: str, source: list[str]) -> None:
    """Adds downloads after the title, questions at the end, and what a page holds a mark for.

    Solutions lose what folds them outside the book, and folded cells get a label.
    """
    files = ":::{page-files}\n:::"
    if page.startswith("notebooks/"):
        book = json.loads(source[0])
        for cell in book["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = unfolded("".join(cell["source"]))
            label_fold(cell["metadata"])
        extra = {1: files}
        if quiz.path(Path(page).name).exists():
            label = f"(quiz-{Path(page).name})="
            extra[len(book["cells"]) + 1] = f"{label}\n## {WORDS['heading']}\n\n:::{{quiz}}\n:::"
        for place, text in extra.items():
            book["cells"].insert(
                place,
                {"cell_type": "markdown", "id": f"course-{place}", "metadata": {}, "source": text},
            )
        source[0] = json.dumps(book)
        return
    if student_copies(page):
        heading, _, rest = source[0].partition("\n")
        source[0] = f"{heading}\n\n{files}\n{rest}"
    source[0] = pages.filled(source[0], lambda name: copies(name, "notebook"))


def pixels_across(file: Path) -> int:
    """The width of a PNG; 0 of anything else."""
    if file.suffix != ".png" or not file.is_file():
        return 0
    with file.open("rb") as opened:
        return int.from_bytes(opened.read(20)[16:], "big")


def fit_phones(app, doctree: nodes.document, page: str) -> None:
    """Marks what custom.css arranges on a phone: wide pictures, tables of words or four columns."""
    if app.builder.format != "html":
        return
    for image in [*doctree.findall(nodes.image)]:
        across = pixels_across(Path(app.srcdir, image["uri"]))
        if isinstance(image.parent, nodes.figure) and across > WIDE:
            style = f"--least: {round(LEAST * across)}px"
            image.parent.replace(image, tag("div", image, class_="wide-picture", style=style))
    for raw in doctree.findall(nodes.raw):
        printed = raw.astext()
        cells = re.findall(r"<td>([^<]*)", printed) if printed.startswith("<table>") else ()
        if max(map(len, cells), default=0) > WORDY:
            raw.children = [nodes.Text(printed.replace("<table>", '<table class="wordy">', 1))]
    for group in doctree.findall(nodes.tgroup) if page in STACKED else ():
        if group["cols"] == 4:
            group.parent["classes"].append("stacked")
            for entry in group.findall(nodes.entry):
                entry["classes"] += ["nothing"] * (entry.astext() == "–")


def say_language(app, page: str, template: str, context: dict, doctree) -> None:
    """A page whose front matter names a language is in it: for fonts and screen readers."""
    if language := (context.get("meta") or {}).get("lang"):
        context["body"] = f'<div lang="{html.escape(language)}">\n{context["body"]}</div>\n'


def thin(file: Path) -> None:
    """Takes the outputs out of a copy of a notebook, for a tenth of its size."""
    book = course.read(file)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    # Not course.write, here and below: it needs the library, which a reader of the book lacks.
    file.write_text(json.dumps(book, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def finish(app, exception: Exception | None) -> None:
    """Writes what Sphinx does not: slides, assignments, notebooks without outputs."""
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    (site / ".nojekyll").touch()  # else GitHub hides folders that start with an underscore
    for file in sorted((site / "_sources" / "notebooks").glob("*.ipynb")):
        thin(file)
    for page in sorted((site / "notebooks").glob("*.html")):
        slides.path(page).write_text(slides.make(page), encoding="utf-8")
    for name in course.ASSIGNMENTS:
        copy_assignment(STUDENT_COPIES / name / "student", site / "assignments", name)


def copy_assignment(student: Path, target: Path, name: str) -> None:
    """Puts a student's folder, and the same as a zip, beside the site; does nothing without one."""
    if (student / f"{name}.ipynb").exists():
        shutil.copytree(student, target / name, dirs_exist_ok=True)
        with zipfile.ZipFile(target / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for file in inside(student):
                # ZipInfo has a fixed date, so the same files give the same bytes.
                entry = zipfile.ZipInfo(f"{name}/{file.relative_to(student).as_posix()}")
                archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
        logging.getLogger(__name__).info("assignment %s is beside the site", name)


def setup(app) -> dict:
    app.add_node(Tag, html=(open_tag, close_tag), latex=(skip, skip), text=(skip, skip))
    app.add_directive("quiz", Quiz)
    app.add_directive("page-files", Downloads)
    app.add_js_file("quiz.js", loading_method="defer")
    app.add_css_file("quiz.css")
    app.connect("source-read", add_to_source)
    app.connect("doctree-resolved", fit_phones)
    app.connect("html-page-context", say_language)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
