"""Fixtures that several test files share."""

import functools
import http.server
import os
import shutil
import threading

import hypothesis
import pytest

from tools import book

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# The same examples in every run, on machines of any speed.
hypothesis.settings.register_profile("course", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("course")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Folder of the book's HTML, built afresh and strictly from stored outputs."""
    return book.build(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="session")
def chromium():
    """Path of a Chromium. Without one the test is skipped, but where MIXUP_BROWSER=required."""
    found = filter(None, map(shutil.which, (os.environ.get("MIXUP_CHROMIUM", ""), *BROWSERS)))
    path = next(found, None)
    if path is None and os.environ.get("MIXUP_BROWSER") == "required":
        pytest.fail("no Chromium found, and MIXUP_BROWSER=required; .ci/run installs one")
    return path or pytest.skip("no Chromium found; set MIXUP_CHROMIUM to its path")


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
def context(chromium):
    """One window for a file's tests, in which no name but this machine's own resolves.

    Not for all tests: while it is open, no other test can start an event loop.
    """
    from playwright.sync_api import sync_playwright

    blocked = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    # Media wait for a click elsewhere; a test may start them itself, and nobody listens.
    sound = ["--autoplay-policy=no-user-gesture-required", "--mute-audio"]
    options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", blocked, *sound]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        context = browser.new_context()
        context.set_default_timeout(120_000)  # a busy machine is slow, not wrong
        yield context
        browser.close()


@pytest.fixture
def tab(context, address):
    """A page that records what goes wrong in `tab.troubles`; `tab.open(name)` goes somewhere."""
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.troubles = []

    def requested(request):
        if not request.url.startswith((address, "data:", "blob:")):
            page.troubles.append(f"asks for {request.url}")

    def answered(response):
        if response.status >= 400:
            page.troubles.append(f"{response.status} for {response.url}")

    page.on("request", requested)
    page.on("response", answered)
    page.on("requestfailed", lambda request: page.troubles.append(f"failed: {request.url}"))
    page.on("console", lambda m: m.type == "error" and page.troubles.append(m.text))
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.open = lambda name: page.goto(address + name, wait_until="load")
    yield page
    page.close()
