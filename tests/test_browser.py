"""The built book in a real browser, with every other address blocked."""

import functools
import http.server
import threading

import pytest

from tools import course

CHAPTERS = [f"notebooks/{path.stem}.html" for path in course.notebooks()]
PAGES = [f"book/{path.stem}.html" for path in sorted((course.ROOT / "book").glob("*.md"))]
HAS_MATHS = ("book/preface.html", *CHAPTERS)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def address(site):
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser(chromium):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        yield browser
        browser.close()


@pytest.fixture
def tab(browser, address):
    """A page that records what goes wrong in `tab.troubles`; `tab.open(name)` goes somewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.troubles = []

    def route(route):
        if route.request.url.startswith((address, "data:", "blob:")):
            return route.continue_()
        page.troubles.append(f"asks for {route.request.url}")
        return route.abort()

    def answered(response):
        if response.status >= 400:
            page.troubles.append(f"{response.status} for {response.url}")

    context.route("**/*", route)
    page.on("console", lambda m: m.type == "error" and page.troubles.append(m.text))
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("requestfailed", lambda request: page.troubles.append(f"failed: {request.url}"))
    page.on("response", answered)
    page.open = lambda name: page.goto(address + name, wait_until="load")
    yield page
    context.close()


def widget(tab, kind):
    """Opens the first chapter that has this interactive figure; None where no chapter has it."""
    for name in CHAPTERS:
        tab.open(name)
        found = tab.locator(f"[data-mixup={kind}]")
        if found.count():
            return found.first
    pytest.skip(f"no chapter has a {kind} yet")


def set_range(slider, value):
    slider.evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", value
    )


@pytest.mark.parametrize("name", [*PAGES, *CHAPTERS, "search.html", "genindex.html"])
def test_a_page_loads_without_trouble(tab, name):
    tab.open(name)
    if name in HAS_MATHS:
        tab.wait_for_selector("mjx-container", timeout=20_000)
        assert tab.locator("mjx-merror, [data-mjx-error]").count() == 0
    tab.wait_for_load_state("networkidle")
    assert tab.title().strip()
    assert not tab.troubles, tab.troubles


@pytest.mark.parametrize("name", [*PAGES, *CHAPTERS])
def test_nothing_overflows_a_phone(tab, name):
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.open(name)
    if name in HAS_MATHS:
        tab.wait_for_selector("mjx-container", timeout=20_000)
    widest = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right"
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390, tab.evaluate(
        widest + " > 391).map(e => e.outerHTML.slice(0, 90)).slice(0, 5)"
    )


def test_search_finds_a_term(tab):
    tab.open("search.html?q=vicinal")
    tab.wait_for_selector("#search-results li a", timeout=20_000)
    assert "glossary" in tab.inner_html("#search-results")
    assert not tab.troubles, tab.troubles


def test_dark_mode_toggles(tab):
    tab.open("book/preface.html")
    seen = set()
    for _ in range(3):
        tab.locator("button.theme-switch-button:visible").first.click()
        seen.add(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(seen) == 2, seen


def test_the_slider_mixes_the_pictures(tab):
    root = widget(tab, "slider")
    canvas, slider = root.locator("canvas"), root.locator("input")
    pixels = "c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)"
    stored = (
        "(i, c) => { const s = document.createElement('canvas'); s.width = i.naturalWidth;"
        " s.height = i.naturalHeight; const p = s.getContext('2d'); p.drawImage(i, 0, 0);"
        " return Array.from(p.getImageData(0, 0, s.width, s.height).data); }"
    )
    a, b = (root.locator("img").nth(k).evaluate(stored) for k in (0, 1))
    for lam in (1.0, 0.0, 0.25):
        set_range(slider, str(lam))
        shown = canvas.evaluate(pixels)
        wrong = max(abs(s - (lam * p + (1 - lam) * q)) for s, p, q in zip(shown, a, b, strict=True))
        assert wrong <= 0.5 + 1e-6
    assert root.locator("output").inner_text() == "0.25"
    slider.focus()
    tab.keyboard.press("ArrowRight")
    assert root.locator("[data-share]").all_inner_texts() == ["0.26", "0.74"]
    assert slider.get_attribute("aria-valuetext").startswith("0.26 ")
    assert not tab.troubles, tab.troubles


def test_the_explorer_draws_from_beta(tab):
    root = widget(tab, "beta")
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
        for _ in range(20):
            button.click()
        count, total = [int(word) for word in said.inner_text().split() if word.isdigit()][:2]
        assert total == 2000
        extreme[exponent] = count / total
    assert curve.get_attribute("points") != flat
    # P(lam < 0.1 or lam > 0.9) under Beta(1/8, 1/8), Beta(1, 1) and Beta(8, 8)
    for exponent, share in {"-3": 0.774, "0": 0.2, "3": 0.0001}.items():
        assert abs(extreme[exponent] - share) < 0.04
    assert not tab.troubles, tab.troubles


def test_a_hidden_solution_opens(tab):
    for name in CHAPTERS:
        tab.open(name)
        solution = tab.locator(
            ".solution.dropdown, .solution details, details.toggle-details"
        ).first
        if solution.count():
            button = solution.locator("summary, button.toggle-button").first
            hidden = solution.inner_text()
            button.click()
            tab.wait_for_timeout(500)
            assert len(solution.inner_text()) > len(hidden)
            return
    pytest.skip("no chapter has a hidden solution yet")
