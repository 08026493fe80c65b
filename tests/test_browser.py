"""The built book in a real browser, with every other address blocked."""

import pytest
import torch
from test_audio_page import RATE, players, slider, sounds

from mixup_lib import Mix, audio
from tools import course

CHAPTERS = [f"notebooks/{path.stem}.html" for path in course.notebooks()]
PAGES = [f"book/{path.stem}.html" for path in sorted((course.ROOT / "book").glob("*.md"))]
# What sticks out of a phone's screen without a scroll bar of its own.
TOO_WIDE = """[...document.querySelectorAll("article *")].filter(
  e => e.getBoundingClientRect().right > 391).map(e => e.outerHTML.slice(0, 120)).slice(0, 9)"""
# Lines of code of at most 80 characters that are cut, on this page at this width. A character's
# width is that of a long line of the block's own font.
CUT_CODE = """() => {
  document.querySelectorAll("article details").forEach(folded => folded.open = true);
  const cut = [], pen = document.createElement("canvas").getContext("2d");
  for (const block of document.querySelectorAll("article div.highlight pre")) {
    if (!block.clientWidth || block.closest(".cell_output")) continue;
    const style = getComputedStyle(block);
    pen.font = `${style.fontSize} ${style.fontFamily}`;
    const one = pen.measureText("m".repeat(80)).width / 80;
    const room = block.clientWidth - parseFloat(style.paddingLeft);
    for (const line of block.innerText.split("\\n"))
      if (line.length <= 80 && line.trimEnd().length * one > room)
        cut.push(`${Math.round(line.length * one - room)} px of: ${line}`);
  }
  return cut;
}"""
# On a phone: formulas in a sentence that are cut and can't be scrolled; cells of a claim's card, or
# of a table with a block for each row, of less than half the screen; wide pictures that shrank.
CRAMPED = """() => {
  document.querySelectorAll("article details").forEach(folded => folded.open = true);
  document.querySelectorAll(".toggle-hidden").forEach(e => e.classList.remove("toggle-hidden"));
  const wide = e => e.getBoundingClientRect().width;
  const all = (what, wrong) => [...document.querySelectorAll("article " + what)].filter(
    e => e.clientWidth && wrong(e)).map(e => `${what}: ${(e.alt || e.textContent).slice(0, 60)}`);
  return [
    ...all("span.math", e => e.scrollWidth > e.clientWidth + 2 &&
      getComputedStyle(e).overflowX !== "auto"),
    ...all("table.mixup-claim :is(th, td)", e => wide(e) < innerWidth / 2),
    ...all("table.stacked td:nth-child(3)", e => wide(e) < innerWidth / 2),
    ...all("figure img", e => e.naturalWidth > 700 && wide(e) < .65 * e.naturalWidth),
  ];
}"""
# The largest distance of the canvas from lam * a + (1 - lam) * b, over all bytes.
FURTHEST = """(root, lam) => {
  const bytes = source => {
    const sheet = document.createElement("canvas"), pen = sheet.getContext("2d");
    [sheet.width, sheet.height] = [source.naturalWidth || source.width,
                                   source.naturalHeight || source.height];
    pen.drawImage(source, 0, 0);
    return pen.getImageData(0, 0, sheet.width, sheet.height).data;
  };
  const [a, b] = [...root.querySelectorAll("img")].map(bytes);
  const shown = bytes(root.querySelector("canvas"));
  let furthest = shown.length === a.length ? 0 : Infinity;
  shown.forEach((byte, i) => {
    furthest = Math.max(furthest, Math.abs(byte - (lam * a[i] + (1 - lam) * b[i])));
  });
  return furthest;
}"""
# Plays a sound or a clip for a moment, and says what came of it.
PLAYED = """async media => {
  media.muted = true;
  await media.play();
  const end = Date.now() + 60000;
  while (media.currentTime === 0 && Date.now() < end) await new Promise(r => setTimeout(r, 20));
  media.pause();
  return {at: media.currentTime, seconds: media.duration, width: media.videoWidth,
          controls: media.controls, name: media.ariaLabel, poster: media.poster};
}"""
PLAYED_TO_THE_END = """async sound => {
  await sound.play();
  await new Promise(done => sound.addEventListener("ended", done));
  return [sound.duration, sound.error];
}"""
HAS_MATHS = ("book/preface.html", *CHAPTERS)


def first_with(site, text):
    """The first chapter whose page has this in its HTML."""
    for name in CHAPTERS:
        if text in (site / name).read_text("utf-8"):
            return name
    pytest.skip(f"no chapter has {text}")


def widget(tab, site, kind):
    """The first interactive figure of this kind, on its page."""
    tab.open(first_with(site, f'data-mixup="{kind}"'))
    return tab.locator(f"[data-mixup={kind}]").first


def set_range(slider, value):
    slider.evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", value
    )


@pytest.mark.parametrize("name", [*PAGES, *CHAPTERS, "search.html", "genindex.html"])
def test_a_page_loads_without_trouble_and_fits_screens(tab, name):
    tab.open(name)
    if name in HAS_MATHS:
        tab.wait_for_selector("mjx-container", state="attached")  # the first may be folded
        assert tab.locator("mjx-merror, [data-mjx-error]").count() == 0
    tab.wait_for_load_state("networkidle")
    assert tab.title().strip()
    assert not tab.troubles, tab.troubles
    for width in (1280, 1366):
        tab.set_viewport_size({"width": width, "height": 900})
        assert not (cut := tab.evaluate(CUT_CODE)), f"{width} px wide: {cut[:5]}"
    tab.set_viewport_size({"width": 390, "height": 844})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390, tab.evaluate(TOO_WIDE)
    assert not (cramped := tab.evaluate(CRAMPED)), cramped[:5]
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390, tab.evaluate(TOO_WIDE)


def test_code_that_is_cut_is_noticed(tab):
    tab.open("notebooks/04_image.html")
    assert not tab.evaluate(CUT_CODE)
    tab.add_style_tag(content="article div.highlight pre { font-size: 16px !important; }")
    assert tab.evaluate(CUT_CODE)


def test_what_is_cramped_is_noticed(tab):
    tab.open("notebooks/04_image.html")
    tab.set_viewport_size({"width": 390, "height": 844})
    assert not tab.evaluate(CRAMPED)
    for style in (
        "table.mixup-claim :is(th, td) { display: table-cell !important; }",
        ".wide-picture img { max-width: 100% !important; }",
    ):
        added = tab.add_style_tag(content=style)
        assert tab.evaluate(CRAMPED), style
        added.evaluate("style => style.remove()")


def test_search_finds_a_term(tab):
    tab.open("search.html?q=vicinal")
    tab.wait_for_selector("#search-results li a")
    assert "glossary" in tab.inner_html("#search-results")
    assert not tab.troubles, tab.troubles


def test_dark_mode_toggles(tab):
    tab.open("book/preface.html")
    seen = set()
    for _ in range(3):
        tab.locator("button.theme-switch-button:visible").first.click()
        seen.add(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(seen) == 2, seen


def test_the_slider_mixes_the_pictures(tab, site):
    root = widget(tab, site, "slider")
    slider = root.locator("input")
    for lam in (1.0, 0.0, 0.25):
        set_range(slider, str(lam))
        assert root.evaluate(FURTHEST, lam) <= 0.5 + 1e-6
    assert root.locator("output").inner_text() == "0.25"
    slider.focus()
    tab.keyboard.press("ArrowRight")
    assert root.locator("[data-share]").all_inner_texts() == ["0.26", "0.74"]
    assert slider.get_attribute("aria-valuetext").startswith("0.26 ")
    assert not tab.troubles, tab.troubles


def test_the_explorer_draws_from_beta(tab, site):
    root = widget(tab, site, "beta")
    button, slider, said = (
        root.locator("button"),
        root.locator("input"),
        root.locator("[data-said]"),
    )
    curve = root.locator("[data-curve]")
    flat = curve.get_attribute("points")
    extreme = {}
    for exponent in ("-3", "0", "3"):
        set_range(slider, exponent)
        button.click()
        button.evaluate("button => { for (let k = 1; k < 20; k++) button.click(); }")
        count, total = [int(word) for word in said.inner_text().split() if word.isdigit()][:2]
        assert total == 2000
        extreme[exponent] = count / total
    assert curve.get_attribute("points") != flat
    # P(lam < 0.1 or lam > 0.9) under Beta(1/8, 1/8), Beta(1, 1) and Beta(8, 8)
    for exponent, share in {"-3": 0.774, "0": 0.2, "3": 0.0001}.items():
        assert abs(extreme[exponent] - share) < 0.04
    assert not tab.troubles, tab.troubles


@pytest.mark.parametrize(("kind", "most"), [("audio", 60_000), ("video", 300_000)])
def test_media_play_in_the_page(tab, site, kind, most):
    """Every one of them, from the page itself, and none is large."""
    tab.open(first_with(site, f"<{kind} "))
    media = tab.locator(kind)
    for i in range(media.count()):
        player = media.nth(i)
        assert (
            len(player.get_attribute("src")) * 3 / 4
            + len(player.get_attribute("poster") or "") * 3 / 4
            < most
        )
        played = player.evaluate(PLAYED)
        assert played["at"] > 0 and played["controls"] and len(played["name"].strip()) > 3, played
        assert 0 < played["seconds"] < 20, played
        if kind == "video":
            assert played["width"] > 0 and played["poster"].startswith("data:image/png"), played
    assert media.count() >= 3
    assert not tab.troubles, tab.troubles


def test_a_hidden_solution_opens(tab, site):
    tab.open(first_with(site, '<details class="admonition hide above-input">'))
    solution = tab.locator("details.hide.above-input").first
    assert not solution.locator("pre").first.is_visible()
    solution.locator("summary").click()
    assert solution.locator("pre").first.is_visible()
    assert not tab.troubles, tab.troubles


@pytest.fixture(scope="module")
def cell(context):
    """What cells of sounds show, without the book around it."""
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(error))
    page.set_content(slider().html + players().html)
    yield page
    assert not errors
    page.close()


def test_the_players_play(cell):
    for sound in cell.locator("audio").all():
        assert sound.evaluate(PLAYED_TO_THE_END) == [0.5, None]


def test_the_slider_mixes_by_either_weights_with_the_keyboard_alone(cell):
    root = cell.locator("[data-mixup=sound]")
    said, bars = root.locator("[data-said]"), root.locator("[data-share]")
    knob, tick = root.locator("input[type=range]"), root.locator("input[type=checkbox]")
    knob.focus()
    for _ in range(20):
        cell.keyboard.press("ArrowRight")
    assert [share.inner_text() for share in bars.all()] == ["0.70", "0.30"]
    assert said.inner_text() == "Weights of the waves: 0.70 one, 0.30 two."
    tick.focus()
    cell.keyboard.press("Space")
    pair = Mix(torch.tensor([[0, 1], [1, 0]]), torch.tensor([[0.7, 0.3], [0.3, 0.7]]))
    weights = audio.loudness_mix(pair, sounds(), RATE).weights[:, 0]
    one, two = (weights / weights.norm()).tolist()
    assert said.inner_text() == f"Weights of the waves: {one:.2f} one, {two:.2f} two."
    assert [share.inner_text() for share in bars.all()] == ["0.70", "0.30"]  # the label stays
    for button in root.locator("button").all():
        button.focus()
        cell.keyboard.press("Enter")
    assert root.get_attribute("data-played") == "3"
