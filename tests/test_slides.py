"""Slides: what is taken from a page, and how the browser shows it."""

import re

import pytest
from bs4 import BeautifulSoup

from tools import course, slides

CHAPTERS = [path.stem for path in course.notebooks()]
FIGURE = """<div class="cell"><div class="cell_input"><pre>plot()</pre></div>
<div class="cell_output"><img src="../_images/a.png" alt="Two lines &amp; a point"></div></div>"""
PAGE = """<article><section id="t"><h1>3. Topic<a class="headerlink" href="#t">#</a></h1>
<p>You will be able to:</p><ul><li>see</li></ul>{body}
<section id="exercises"><h2>Exercises</h2><p>Solve.</p></section></section></article>"""
MEASURES = """
[...document.querySelectorAll(".reveal .slides > section")].map((slide) => {
  const size = (part) => parseFloat(getComputedStyle(part).fontSize);
  const shown = [...slide.querySelectorAll("p, li, td, th, pre")].filter(
    (part) => !part.closest(".notes") && part.innerText.trim());
  return {
    name: slide.innerText.slice(0, 60), tall: slide.scrollHeight, wide: slide.scrollWidth,
    height: slide.clientHeight, smallest: Math.min(...shown.map(size)),
    images: [...slide.querySelectorAll("img")].map((image) => image.clientHeight),
    code: [...slide.querySelectorAll("pre")].map((code) => code.scrollWidth - code.clientWidth),
  };
})"""


def made(tmp_path, body):
    """The slides of a page with this section in it."""
    page = tmp_path / "notebooks" / "03_topic.html"
    page.parent.mkdir(exist_ok=True)
    page.write_text(PAGE.format(body=f'<section id="s"><h2>Section</h2>{body}</section>'))
    soup = BeautifulSoup(slides.make(page), "html.parser")
    return soup.select(".slides > section")


def test_a_deck_has_a_title_goals_and_the_way_back(tmp_path):
    title, goals, *_, end = made(tmp_path, "<p>Words.</p>")
    assert title.h2.get_text() == "3. Topic" and goals.li.get_text() == "see"
    assert title.a["href"] == "../notebooks/03_topic.html"
    assert end.li.a["href"] == "../notebooks/03_topic.html#exercises"


def test_a_figure_takes_its_text_and_the_paragraph_below(tmp_path):
    slide = made(tmp_path, f"<p>Before.</p>{FIGURE}<p>It rises. {'So far. ' * 60}</p>")[2]
    assert (slide.img["src"], slide.img["alt"]) == ("../_images/a.png", "Two lines & a point")
    caption = slide.select_one(".caption").get_text()
    assert caption.startswith("It rises. So far.") and len(caption) < 300
    assert "Before." in slide.aside.get_text() and "It rises." in slide.aside.get_text()
    assert slide.h2.a["href"] == "../notebooks/03_topic.html#s"


def test_pictures_that_are_no_files_stay_in_the_page(tmp_path):
    body = FIGURE.replace("../_images/a.png", "data:image/png;base64,AAAA")
    assert not any(slide.img for slide in made(tmp_path, body))


def test_what_is_copied_brings_no_anchors_scripts_or_slides_within_slides(tmp_path):
    slide = made(
        tmp_path,
        """<div class="proof definition admonition" id="def-a">
      <p class="admonition-title">Definition 1</p><section id="x"><p>Take <a href="#eq">it</a> from
      <a href="02_math.html#y">there</a> or <a href="https://a.example/">away</a>.</p>
      <script>alert(1)</script></section></div>""",
    )[2]
    assert [link["href"] for link in slide.select(".said a")] == [
        "../notebooks/03_topic.html#eq",
        "../notebooks/02_math.html#y",
        "https://a.example/",
    ]
    assert slide.select_one(".name").get_text() == "Definition 1"
    assert not slide.select("[id], script, section")


def test_a_proof_is_no_slide_and_a_formula_has_its_lead(tmp_path):
    found = made(
        tmp_path,
        """<p>We divide:</p><div class="math">a</div><div class="math">b</div>
      <div class="proof admonition"><p>Proof. Clear.</p></div>""",
    )
    equations = [slide for slide in found if "equation" in slide["class"]]
    assert len(equations) == 1 and len(equations[0].select(".math")) == 2
    assert equations[0].p.get_text() == "We divide:"
    assert "Clear" not in str(found)


def claim(caption, measured, value="v"):
    rows = ["Claim", *(f"Found {number}" for number in range(measured)), "Bar", "Evidence"]
    cells = "".join(f"<tr><th>{row}</th><td style='x'>{value}</td></tr>" for row in rows)
    rule = "<tr><th>Rule</th><td><details><summary>measure</summary>m</details></td></tr>"
    return (
        f'<div class="cell"><div class="cell_output"><table class="mixup-claim"><caption>'
        f"{caption}</caption>{cells}{rule}</table></div></div>"
    )


@pytest.mark.parametrize(
    ("measured", "value", "rows"),
    [(1, "v", [4]), (5, "v", [4, 4]), (7, "v", [5, 5]), (1, "two lines " * 9, [2, 2])],
)
def test_a_claim_shows_its_card_without_the_folded_rule(tmp_path, measured, value, rows):
    found = made(tmp_path, claim("C1: harms", measured, value))
    shown = [slide for slide in found if "claim" in slide["class"]]
    assert {slide.select_one(".verdict").get_text() for slide in shown} == {"C1: harms"}
    assert [len(slide.select("tr")) for slide in shown] == rows
    assert not any("measure" in slide.get_text() for slide in shown)


def test_a_long_list_is_cut_into_equal_parts(tmp_path):
    items = "".join(f"<li>{number} {'word ' * 40}</li>" for number in range(6))
    parts = made(tmp_path, f"<ul>{items}</ul>")[2:-1]
    assert [len(slide.select("li")) for slide in parts] == [3, 3]
    assert [slide.li.get_text()[0] for slide in parts] == ["0", "3"]


def test_a_page_without_a_heading_is_refused(tmp_path):
    (tmp_path / "page.html").write_text("<article><p>Nothing</p></article>")
    with pytest.raises(ValueError, match="page.html has no heading"):
        slides.make(tmp_path / "page.html")


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapters_definitions_claims_and_figures_are_on_its_slides(site, name):
    page = BeautifulSoup((site / "notebooks" / f"{name}.html").read_text("utf-8"), "html.parser")
    text = (site / "slides" / f"{name}.html").read_text("utf-8")
    deck = BeautifulSoup(text, "html.parser")
    assert not re.search(r"(src|href)=.data:", text)
    verdicts = {table.caption.get_text() for table in page.select("article table.mixup-claim")}
    assert verdicts <= {shown.get_text() for shown in deck.select(".verdict")}
    titles = [title.get_text() for title in page.select("article .proof > .admonition-title")]
    assert titles == [
        shown.get_text()
        for shown in deck.select(".said > .name")
        if shown.select_one(".caption-number") and "Exercise" not in shown.get_text()
    ]
    shown = {image["src"] for image in deck.select("img")}
    exercises = page.select_one("section#exercises")
    solutions = {image["src"] for image in exercises.select("img")} if exercises else set()
    figures = {
        image["src"]
        for image in page.select("article .cell_output img")
        if image["src"].startswith("../_images/")
    }
    assert figures - solutions <= shown | hidden(page)
    assert deck.select(".slides > section h2 a[href$='#summary']")


def hidden(page):
    """Pictures in folded cells: solutions, which slides do not give away."""
    return {image["src"] for image in page.select(".tag_hide-cell img")}


@pytest.mark.parametrize("name", CHAPTERS)
def test_slides_fit_and_are_legible(tab, name):
    tab.set_viewport_size({"width": 1280, "height": 720})
    tab.open(f"slides/{name}.html")
    tab.wait_for_selector("html[data-ready]", state="attached")
    assert tab.locator("mjx-merror, [data-mjx-error]").count() == 0
    measured = tab.evaluate(MEASURES)
    assert len(measured) > 10
    for slide in measured:
        assert slide["height"] == 720 and slide["tall"] <= 720 and slide["wide"] <= 1280, slide
        assert slide["smallest"] >= 18, slide
        assert all(height > 200 for height in slide["images"]), slide
        assert all(more <= 1 for more in slide["code"]), slide
    assert not tab.troubles, tab.troubles


def test_slides_are_moved_by_keyboard_and_lead_back(tab):
    tab.open("slides/01_principle.html")
    tab.wait_for_selector("html[data-ready]", state="attached")
    for key, place in (("ArrowRight", 1), ("Space", 2), ("ArrowLeft", 1), ("End", None)):
        tab.keyboard.press(key)
        last = tab.evaluate("Reveal.getTotalSlides()") - 1
        assert tab.evaluate("Reveal.getIndices().h") == (last if place is None else place)
    tab.locator("a.back").click()
    tab.wait_for_selector("article h1")
    assert tab.url.endswith("/notebooks/01_principle.html")


def test_slides_stay_light_and_print_one_to_a_page(tab):
    tab.emulate_media(color_scheme="dark")
    tab.open("slides/02_math.html?print-pdf")
    tab.wait_for_selector("html[data-ready]", state="attached")
    count = tab.locator(".reveal .slides section").count()
    tab.wait_for_function(
        "count => document.querySelectorAll('.pdf-page').length === count", arg=count
    )
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not tab.troubles, tab.troubles
