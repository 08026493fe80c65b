"""The built book: what it weighs, what it links to, what it documents, what it shows."""

import importlib
import pkgutil
import re
import zlib
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
import yaml

import mixup_lib
from tools import course, ledger

MEGABYTE = 1_000_000
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
    assert sum(sizes.values()) < 25 * MEGABYTE
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
            shown.add(id(getattr(importlib.import_module(module), name)))
    missing = [
        f"{module}.{name}"
        for module, name in public_names()
        if id(getattr(importlib.import_module(module), name)) not in shown
    ]
    assert not missing, missing


def test_the_ledger_lists_every_claim():
    known = ledger.claims()
    assert list(known) == [f"C{n}" for n in range(1, 31)]
    page = ledger.PAGE.read_text("utf-8")
    assert all(re.search(rf"(?m)^\| {name} \|", page) for name in known)


def test_every_claim_has_a_verdict():
    judged = {record["id"] for record in ledger.records()}
    assert not (open_claims := set(ledger.claims()) - judged), sorted(open_claims)


def test_contradictions_name_claims():
    known = ledger.claims()
    pairs = {(name, claim["against"]) for name, claim in known.items() if "against" in claim}
    assert pairs == {("C3", "C21"), ("C16", "C18")}


def test_the_ledger_is_what_the_notebooks_say():
    assert ledger.PAGE.read_text("utf-8") == ledger.page(), "run `make sync`"


def test_chapters_are_in_the_table_of_contents():
    toc = yaml.safe_load((course.ROOT / "_toc.yml").read_text("utf-8"))
    files = {chapter["file"] for part in toc["parts"] for chapter in part["chapters"]}
    assert {f"notebooks/{path.stem}" for path in course.notebooks()} <= files


def test_the_book_has_its_own_maths(site):
    assert (site / "_static" / "mathjax" / "tex-chtml.js").exists()
