"""The repository as a whole: what derives is in step, nothing private, clean style and prose."""

import re
import shutil
import subprocess
import sys
import tomllib

import nbformat
import pytest

from tools import course, ledger, prose, sync

# Folders that are built, installed or private.
PRUNED = {"_build", "dist", "data", "__pycache__"}
TEXT = {
    ".cff",
    ".cfg",
    ".css",
    ".html",
    ".ipynb",
    ".js",
    ".json",
    ".lock",
    ".md",
    ".py",
    ".svg",
    ".toml",
    ".txt",
    ".yml",
    ".bib",
    ".sh",
    "",
}
# Personal folders: they name a machine. (An address such as https://host/home/x is none.)
MACHINE_PATH = re.compile(
    r"(?<![\w./:-])/(?:home|root|Users|tmp|mnt|work|private|var/folders)/\w|\b[A-Z]:\\\\?Users"
)


def text_files():
    """All text files of the repository, by path relative to it."""
    pending, found = [course.ROOT], []
    while pending:
        for path in sorted(pending.pop().iterdir()):
            if path.is_dir():
                private = path.name.startswith(".") and path.name not in {".ci", ".github"}
                top_level = path.parent == course.ROOT
                if not private and not (path.name in PRUNED and (top_level or "_" in path.name)):
                    pending.append(path)
            elif path.suffix in TEXT and not path.name.startswith(".git"):
                found.append(path)
    return {str(path.relative_to(course.ROOT)): path for path in found}


FILES = text_files()


def test_derived_text_is_in_step():
    names = [str(path.relative_to(course.ROOT)) for path in sync.outdated()]
    assert not names, f"run `make sync`; out of step: {', '.join(names)}"


def test_readme_lists_every_chapter():
    text = (course.ROOT / "README.md").read_text()
    for path in course.notebooks():
        assert f"[{course.title(course.read(path))}](notebooks/{path.name})" in text


def test_sync_writes_the_ledger(monkeypatch):
    monkeypatch.setattr(ledger, "page", lambda: "another ledger")
    assert sync.derived()[ledger.PAGE] == "another ledger"
    assert ledger.PAGE in sync.outdated()


def test_address_stands_only_where_sync_reaches_it():
    owner, name = course.address().split("/")[-2:]
    own = re.compile(rf"\b{owner}(?:/|\.github\.io/){name}\b")
    derived, stray = sync.derived(), []
    for file, path in FILES.items():
        if file in {"_config.yml"} or path.suffix == ".ipynb" and file.startswith("notebooks/"):
            continue  # the source itself; test_notebooks reads the cells
        text = path.read_text()
        if path in derived:
            for pattern, _ in sync.patterns():
                text = re.sub(pattern, "", text)
            text = re.sub(r"<!-- chapters.*?<!-- /chapters -->", "", text, flags=re.DOTALL)
        stray += [file] if own.search(text) else []
    assert not stray, f"these name the repository's address themselves: {stray}"


def test_another_address_reaches_every_place(monkeypatch):
    old = "/".join(course.address().split("/")[-2:])
    monkeypatch.setattr(course, "address", lambda: "https://github.com/someone/else-where")
    changed = {path.name for path, text in sync.derived().items() if path.read_text() != text}
    expected = {path.name for path in course.notebooks()}
    assert changed >= expected | {"README.md", "CITATION.cff", "pyproject.toml"}
    for path, text in sync.derived().items():
        assert old not in text, path


def test_no_path_of_a_machine():
    found = [
        f"{file}: {match[0]}"
        for file, path in FILES.items()
        if (match := MACHINE_PATH.search(path.read_text()))
    ]
    assert not found


@pytest.mark.parametrize(
    "text, is_private",
    [
        ("/home/" + "ann/x", True),
        ("File /root/" + "x", True),
        ("C:" + "\\Users\\ann", True),
        ("https://a.org/home/x", False),
        ("~/.cache/mixup-data", False),
        ("notebooks/home/", False),
    ],
)
def test_paths_of_machines_are_recognised(text, is_private):
    assert bool(MACHINE_PATH.search(text)) == is_private


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--no-cache"],
        ["ruff", "format", "--check", "--no-cache"],
    ],
    ids=" ".join,
)
def test_style(command):
    run = subprocess.run(
        [sys.executable, "-m", *command, course.ROOT], check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_spelling():
    assert not prose.spelling()


def test_spelling_sees_a_mistake(tmp_path, monkeypatch):
    (tmp_path / "book").mkdir()
    misspelt = "".join(["t", "e", "h"])  # in parts: this file is checked too
    (tmp_path / "book" / "page.md").write_text(f"A mistake in {misspelt} middle.")
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path)
    assert "page.md" in prose.spelling()


def test_no_result_is_typed_in_prose():
    assert not prose.numbers(), "let a cell print it, or see tests/numbers-allowed.txt"


def test_allowed_numbers_are_still_needed():
    assert not prose.unused_phrases()


@pytest.mark.parametrize(
    "text, lines",
    [
        ("an error of 4.2", [1]),
        ("by 5 %", [1]),
        ("5%", [1]),
        ("50 percent", [1]),
        ("3 ± 1", [1]),
        ("# A title\n\nfirst 0.5\n", [3]),
        ("```python\nx = 0.5\n```\nthen 0.6", [4]),
        ("```{note}\nhere 0.5\n```", [2]),
        (":::{exercise}\n$$\n0.5\n$$\n:::\nthen 0.6", [6]),
        (":::{code-block} python\n0.5\n:::", []),
        ("$0.5$, `0.5`, $$0.5$$, {math}`0.5`", []),
        ("it costs $5 and $6", []),
        ("reported 0.5 {cite:p}`zhang2018`", []),
        ("[here](https://a.org/1.5) and <https://a.org/2.5>", []),
        ("Python 3.11", []),
    ],
)
def test_typed_numbers_are_found(text, lines):
    assert [line for line, _ in prose.typed_numbers(text, ["Python 3.11"])] == lines


def test_pictures_in_markdown_are_described():
    poor = []
    for name, text in prose.markdown().items():
        for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]*)", text):
            if not target.endswith("colab.svg") and len(alt) < 15:
                poor.append(f"{name}: {target}")
        for block in re.findall(r"\{(?:figure|image)\}[^\n]*\n(?:.*\n)*?(?:`{3}|:{3})", text):
            if not re.search(r":alt:\s*\S.{14}", block):
                poor.append(f"{name}: {block.splitlines()[0]}")
    assert not poor


def test_make_help_lists_every_target():
    make = shutil.which("make") or pytest.skip("no make here")
    listed = subprocess.run(
        [make, "-s", "-C", course.ROOT, "help"], check=True, capture_output=True, text=True
    ).stdout
    targets = re.search(r"(?m)^\.PHONY: (.*)$", (course.ROOT / "Makefile").read_text())[1].split()
    assert [line.split()[1] for line in listed.splitlines()] == targets


@pytest.mark.parametrize("target", ["check", "lint"])
def test_make_checks_types_too(target):
    """Of `make test`, test_types.py does, beside the other tests."""
    make = shutil.which("make") or pytest.skip("no make here")
    steps = subprocess.run(
        [make, "-n", "-o", "env", "-C", course.ROOT, target],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "-m mypy\n" in steps


def test_sync_writes_badge_time_and_install_cell(tmp_path, monkeypatch):
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# Title\n\n**Running time:** ?", id="title")]
    )
    path = tmp_path / "99_new.ipynb"
    nbformat.write(book, path)
    monkeypatch.setattr(course, "TIMES", tmp_path / "times.json")
    course.TIMES.write_text('{"99_new": {"code": "0", "cpu": {"seconds": 21.2}}}')
    cells = nbformat.reads(sync.notebook(path), as_version=4).cells
    assert cells[0].source == (
        f"# Title\n\n{course.badge(path.name)}\n\n**Running time:** about 25 s on two CPU cores"
    )
    assert cells[1].source == course.install_cell() and cells[1].id == "install"


@pytest.mark.parametrize("chapter", course.EXTRAS)
def test_install_cells_ask_for_extras_that_exist(chapter):
    extra = course.EXTRAS[chapter].strip("[]")
    project = tomllib.loads((course.ROOT / "pyproject.toml").read_text())["project"]
    assert project["optional-dependencies"][extra]
    assert (course.NOTEBOOKS / f"{chapter}.ipynb").exists()
    assert f'"mixup-lib[{extra}] @ {{library}}"' in course.install_cell(chapter)
