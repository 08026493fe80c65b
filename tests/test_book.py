"""The built book: what it weighs, what it links to, what it documents, what it shows."""

import importlib
import os
import pkgutil
import re
import zlib
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

import mixup_lib
from tools import book, course, ledger, sphinx_course
from tools import pages as course_pages

MEGABYTE = 1_000_000
BARS = "why-each-bar-is-where-it-is"  # custom.css names these three places
# A path, or what the toolchain puts where nobody wrote a description.
NO_DESCRIPTION = re.compile(
    r"\s*(\S*/\S*\.\w+|\S+\.(png|jpe?g|svg|gif)|image|figure|picture)?\s*", re.I
)


class Page(HTMLParser):
    """Addresses, anchors and pictures of one page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.images, self.loads = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag == "img":
            self.images.append(found)
        loaded = found.get("src") or (tag == "link" and found.get("href"))
        if loaded and found.get("rel") not in ("index", "search", "next", "prev", "canonical"):
            self.loads.append(loaded)


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path.read_text("utf-8")) for path in site.rglob("*.html")}


def documented(site):
    """The names in Sphinx's object inventory."""
    raw = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    lines = zlib.decompress(raw).decode().splitlines()
    return {line.split()[0] for line in lines if " py:" in line}


def test_the_site_is_small(site):
    sizes = {path: path.stat().st_size for path in site.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < book.LIMIT_MB * MEGABYTE
    for page, size in sizes.items():
        if page.suffix == ".html":
            shown = {page} | {
                (page.parent / image["src"]).resolve()
                for image in Page(page.read_text("utf-8")).images
                if not image["src"].startswith("data:")
            }
            assert sum(p.stat().st_size for p in shown) < 2 * MEGABYTE, (page, size)


def test_links_and_anchors_inside_the_site(pages, site):
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link == "#":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.exists() or (
                anchor and target in pages and anchor not in pages[target].anchors
            ):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert not broken, "\n".join(broken)


def test_pages_load_nothing_from_elsewhere(pages, site):
    away = {
        f"{path.relative_to(site)}: {address}"
        for path, page in pages.items()
        for address in page.loads
        if urlsplit(address).scheme in ("http", "https") or address.startswith("//")
    }
    assert not away, away


def test_every_picture_is_described(pages, site):
    bare = [
        f"{path.relative_to(site)}: {image.get('src', '')[:80]} {image.get('alt')!r}"
        for path, page in pages.items()
        for image in page.images
        if not described(image.get("alt"))
    ]
    assert not bare, "\n".join(bare)


def described(alt):
    return alt is not None and not NO_DESCRIPTION.fullmatch(alt)


@pytest.mark.parametrize(
    "alt", [None, "", " ", "../_images/ab12.png", "plot.png", "Image", "figure"]
)
def test_a_path_is_no_description(alt):
    assert not described(alt)


def test_two_discs_are_a_description():
    assert described("Two overlapping discs, one blue, one orange.")


def public_names():
    names = [("mixup_lib", name) for name in mixup_lib.__all__]
    for module in pkgutil.walk_packages(mixup_lib.__path__, "mixup_lib."):
        if not any(part.startswith("_") for part in module.name.split(".")):
            for name in getattr(importlib.import_module(module.name), "__all__", ()):
                names.append((module.name, name))
    return names


def test_every_public_name_is_on_the_reference_page(site):
    there = documented(site)
    shown = set()
    for full in there:
        module, _, name = full.rpartition(".")
        if module in (m for m, _ in public_names()):
            # A module of the page is there as an attribute only once somebody imported it.
            shown.add(id(getattr(importlib.import_module(module), name, None)))
    missing = [
        f"{module}.{name}"
        for module, name in public_names()
        if id(getattr(importlib.import_module(module), name)) not in shown
    ]
    assert not missing, missing


@pytest.mark.parametrize("path", course.notebooks(), ids=lambda path: path.stem)
def test_captions_are_on_the_page_beside_the_description(path, site):
    page = BeautifulSoup(
        (site / "notebooks" / f"{path.stem}.html").read_text("utf-8"), "html.parser"
    )
    shown = {
        figure.img["alt"]: figure.figcaption.get_text().replace("’", "'")  # typeset quotes
        for figure in page.select("figure:has(figcaption):has(img[alt])")
    }
    for cell in course.read(path).cells:
        metadata = cell.metadata.get("mystnb", {})
        if caption := metadata.get("figure", {}).get("caption"):
            assert caption in shown[metadata["image"]["alt"]], cell.id


def test_folds_say_what_they_hold(site):
    labels = set()
    for path in (site / "notebooks").glob("*.html"):
        page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
        labels |= {label.get_text() for label in page.select("details.hide > summary > p")}
    held = ("the code", "the solution in code")
    assert labels == {f"{verb} {what}" for verb in ("Show", "Hide") for what in held}


def test_the_chinese_page_says_its_language(site):
    page = BeautifulSoup((site / "book" / "zh.html").read_text("utf-8"), "html.parser")
    assert page.select_one('article [lang="zh-CN"] h1').get_text().startswith("中文导读")
    assert not page.select_one("article dl")  # the front matter is not shown


def test_cards_of_chapters_name_the_machine_once(site):
    page = BeautifulSoup((site / "book" / "preface.html").read_text("utf-8"), "html.parser")
    times = [card.get_text() for card in page.select(".sd-card-hover em")]
    assert len(times) == len(course.notebooks())
    assert page.select_one("#chapters").get_text().count("CPU") == 1


def test_tables_that_a_phone_stacks_are_marked(site):
    for name in sphinx_course.STACKED:
        page = BeautifulSoup((site / f"{name}.html").read_text("utf-8"), "html.parser")
        for table in page.select("article table"):
            four = len(table.select("thead th")) == 4
            assert ("stacked" in table["class"]) == four
            assert table.find_parent(id=["passage-map", "all-claims", BARS]) or not four
    assert page.select_one("td.nothing").get_text() == "–"


def test_a_table_with_long_texts_is_marked(site):
    page = (site / "notebooks" / "13_reproduction.html").read_text("utf-8")
    wordy = BeautifulSoup(page, "html.parser").select("table.wordy")
    assert 1 <= len(wordy) < page.count("<table")
    assert all("[" not in table.get_text() for table in wordy)  # no interval that could break


def test_some_figures_have_captions(site):
    text = (site / "notebooks" / "00_background.html").read_text("utf-8")
    assert text.count("<figcaption") == 2


def test_every_chapter_says_what_the_article_is(pages, site):
    for path in course.notebooks():
        page = pages[site / "notebooks" / f"{path.stem}.html"]
        assert "../book/preface.html#the-article" in page.links, path.name
    assert "the-article" in pages[site / "book" / "preface.html"].anchors


def test_the_front_page_leads_to_every_chapter_and_shows_the_slider(pages, site):
    front = site / "book" / "preface.html"
    for path in course.notebooks():
        assert f"../notebooks/{path.stem}.html" in pages[front].links
    text = front.read_text("utf-8")
    assert text.count('data-mixup="slider"') == 1 and not course_pages.MARK.search(text)


def test_the_page_of_assignments_lists_all_and_the_guide_leads_to_each(pages, site):
    page = (site / "book" / "assignments.html").read_text("utf-8")
    guide = pages[site / "book" / "teaching.html"].links
    for name in course.ASSIGNMENTS:
        label = f"assignment-{name.partition('_')[0]}"
        assert f"assignments.html#{label}" in guide
        assert label in pages[site / "book" / "assignments.html"].anchors
        built = sphinx_course.student_copy(name).exists()
        assert (f"../assignments/{name}/{name}.ipynb" in page) == built
    assert ("not in this build" in page) == (
        not all(sphinx_course.student_copy(name).exists() for name in course.ASSIGNMENTS)
    )


def test_the_ledger_is_what_the_notebooks_say():
    assert ledger.PAGE.read_text("utf-8") == ledger.page(), "run `make sync`"


def test_chapters_are_in_the_table_of_contents():
    toc = yaml.safe_load((course.ROOT / "_toc.yml").read_text("utf-8"))
    files = {chapter["file"] for part in toc["parts"] for chapter in part["chapters"]}
    assert {f"notebooks/{path.stem}" for path in course.notebooks()} <= files


def test_the_book_has_its_own_maths(site):
    assert (site / "_static" / "mathjax" / "tex-chtml.js").exists()


@pytest.mark.parametrize("path", course.notebooks(), ids=lambda path: path.stem)
def test_a_chapter_offers_its_notebook_without_outputs_and_its_slides(path, pages, site):
    page = site / "notebooks" / f"{path.stem}.html"
    assert f"../slides/{path.stem}.html" in pages[page].links
    assert f"../_sources/notebooks/{path.name}" in pages[page].links
    offered = course.read(site / "_sources" / "notebooks" / path.name)
    nbformat.validate(offered)
    code = [cell for cell in offered.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    chapter = course.read(path)
    assert [cell.source for cell in offered.cells] == [cell.source for cell in chapter.cells]


def test_every_assignment_belongs_to_pages_that_exist():
    masters = {path.stem for path in (course.ROOT / "assignments").glob("*.ipynb")}
    assert set(course.ASSIGNMENTS) == masters
    for page in sum(course.ASSIGNMENTS.values(), []):
        assert list(course.ROOT.glob(f"{page}.*")), page


@pytest.fixture
def student(tmp_path, monkeypatch):
    """The folder of a built student copy, which the site builder finds."""
    monkeypatch.setattr(sphinx_course, "STUDENT_COPIES", tmp_path)
    folder = tmp_path / "a1_draw_once" / "student"
    folder.mkdir(parents=True)
    (tmp_path / "a1_draw_once" / "instructor").mkdir()
    (tmp_path / "a1_draw_once" / "instructor" / "key.ipynb").write_text("secret")
    copy = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Draw <once>")])
    nbformat.write(copy, folder / "a1_draw_once.ipynb")
    return folder


def test_a_page_offers_an_assignment_that_was_built(student):
    assert "on Colab" not in sphinx_course.downloads("notebooks/01_principle")
    line = sphinx_course.downloads("notebooks/02_math")
    links = Page(line).links
    assert "../assignments/a1_draw_once/a1_draw_once.ipynb" in links
    assert course.colab_assignment("a1_draw_once") in links
    assert "/blob/gh-pages/assignments/" in course.colab_assignment("a1_draw_once")
    assert "Draw &lt;once&gt;" in line and ".zip" not in line
    (student / "data.csv").write_text("1,2")
    links = Page(sphinx_course.downloads("notebooks/02_math")).links
    assert "../assignments/a1_draw_once.zip" in links
    (student / "a1_draw_once.ipynb").unlink()
    assert "assignment" not in sphinx_course.downloads("notebooks/02_math")


def test_an_assignment_is_described_from_its_opening(student):
    assert sphinx_course.copies("a2_bug_clinic", "notebook") == []
    text = course_pages.assignment("a1_draw_once", sphinx_course.copies("a1_draw_once", "notebook"))
    assert text.startswith("(assignment-a1)=\n## A1. Draw once\n")
    assert "80 to 140 minutes" in text and "(../notebooks/02_math.ipynb)" in text
    assert course.colab_assignment("a1_draw_once") in text and "not in this build" not in text
    assert "not in this build: `make assignments`" in course_pages.assignment("a2_bug_clinic", [])


def test_a_mark_without_its_cell_or_paragraph_is_refused():
    with pytest.raises(ValueError, match="cell 'nowhere' of 01_principle shows no HTML"):
        course_pages.filled("<!-- output 01_principle nowhere -->", list)
    with pytest.raises(ValueError, match=r"no paragraph begins with \*\*You need"):
        course_pages.part("# Title", "You need")
    assert course_pages.filled("<!-- another -->", list) == "<!-- another -->"


def test_a_page_of_prose_offers_its_assignment_under_the_title(student):
    source = ["# Errata\n\nText"]
    sphinx_course.add_to_source(None, "book/errata", source)
    assert source == ["# Errata\n\nText"]
    student.parent.rename(student.parents[1] / "a2_bug_clinic")
    student = student.parents[1] / "a2_bug_clinic" / "student"
    (student / "a1_draw_once.ipynb").rename(student / "a2_bug_clinic.ipynb")
    sphinx_course.add_to_source(None, "book/errata", source)
    assert source == ["# Errata\n\n:::{page-files}\n:::\n\nText"]


def test_only_the_student_folder_reaches_the_site_and_always_as_the_same_bytes(student, tmp_path):
    (student / "data.csv").write_text("1,2")
    zips = []
    for target in (tmp_path / "one", tmp_path / "two"):
        sphinx_course.copy_assignment(student, target, "a1_draw_once")
        zips.append((target / "a1_draw_once.zip").read_bytes())
        names = {path.name for path in target.rglob("*") if path.is_file()}
        assert names == {"a1_draw_once.zip", "a1_draw_once.ipynb", "data.csv"}
        os.utime(student / "data.csv", (1, 1))
    assert zips[0] == zips[1]
    sphinx_course.copy_assignment(tmp_path / "nothing", tmp_path / "three", "a1_draw_once")
    assert not (tmp_path / "three").exists()
