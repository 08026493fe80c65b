"""Writes all text that derives from other files: addresses, badges, install cells, tables.

    python -m tools.sync [--check]

The repository's address is edited in `_config.yml`, versions in `requirements.lock`, times come
from `results/notebook-times.json`, speed from `results/bench.json`; this brings every other place
into step.
"""

import re
import sys
import tomllib
from pathlib import Path

import nbformat
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import course, ledger, literature, passages, plan, speed
from tools.course import about, between, running_time

REPOSITORY = r"https://[\w.-]+/[\w.-]+/[\w-]+(?:\.\w+)*"
SITE = r"https://[\w./-]+?/?"


def patterns() -> list[tuple[str, str]]:
    """Each place of an address in a text file, as (regular expression, what stands there)."""
    here, site = course.address(), course.site()
    folder = here.split("/")[-1]
    slug = "/".join(here.split("/")[-2:])
    return [
        (rf"git clone {REPOSITORY}(?:\ncd [\w-]+)?", f"git clone {here}\ncd {folder}"),
        (rf"git\+{REPOSITORY}", f"git+{here}"),
        (r"(?<=colab\.research\.google\.com/github/)[\w.-]+/[\w.-]+(?=/)", slug),
        (rf"(?m)^\[repository\]: {REPOSITORY}$", f"[repository]: {here}"),
        (rf"(?m)^\[site\]: {SITE}$", f"[site]: {site}"),
        (rf'(?m)^repository-code: "{REPOSITORY}"$', f'repository-code: "{here}"'),
        (rf'(?m)^url: "{SITE}"$', f'url: "{site}"'),
        (rf'(?m)^Repository = "{REPOSITORY}"$', f'Repository = "{here}"'),
        (rf'(?m)^Documentation = "{SITE}"$', f'Documentation = "{site}"'),
    ]


def addressed(text: str) -> str:
    """The text with the current address in every known place."""
    for pattern, value in patterns():
        text = re.sub(pattern, lambda _, value=value: value, text)
    return text


def notebook(path: Path) -> str:
    """A chapter with its badge, time, install cell and addresses as they should be."""
    text = path.read_text()
    book = nbformat.reads(text, as_version=4)
    first = book.cells[0]
    badge, line = course.badge(path.name), running_time(path.stem)
    first.source = re.sub(r"(?m)^.*\[Open in Colab\].*$", lambda _: badge, first.source)
    if badge not in first.source:
        first.source = re.sub(r"\A(# .*)", lambda m: f"{m[1]}\n\n{badge}", first.source)
    first.source = re.sub(r"(?m)\*\*Running time:\*\*.*$", lambda _: line, first.source)
    install = next((cell for cell in book.cells if cell.id == course.INSTALL_ID), None)
    if install is None:
        install = nbformat.v4.new_code_cell(id=course.INSTALL_ID)
        book.cells.insert(1, install)
    install.source = course.install_cell(path.stem)
    install.metadata = nbformat.from_dict(course.INSTALL_METADATA)
    for cell in book.cells[1:]:
        if cell.cell_type == "markdown":
            cell.source = addressed(cell.source)
    if nbformat.reads(text, as_version=4) == book:
        return text  # only the content counts here; `make notebooks` sets the layout
    return nbformat.writes(book).rstrip("\n") + "\n"


def chapter_table() -> str:
    """README's table of chapters."""
    rows = ["| chapter | two CPU cores | GPU | memory | run |", "|---|---|---|---|---|"]
    for path in course.notebooks():
        entry = course.times().get(path.stem, {})
        cpu, gpu = entry.get("cpu"), entry.get("gpu")
        name = course.title(course.read(path)) or path.stem
        rows.append(
            f"| [{name}](notebooks/{path.name}) | {about(cpu['seconds']) if cpu else '–'} "
            f"| {about(gpu['seconds']) if gpu else '–'} "
            f"| {str(cpu['memory_gb']) + ' GB' if cpu else '–'} "
            f"| [Colab]({course.colab(path.name)}) |"
        )
    return "\n".join(rows)


def found() -> str:
    """The front page's list of what the course found, from the claims ledger."""
    return "\n".join(f"- {line}" for line in ledger.front())


def opening(path: Path) -> str:
    """What a chapter needs and teaches, as its first cell says, with links that fit a page."""
    first = course.read(path).cells[0].source
    kept = re.search(r"(?ms)^\*\*You need:\*\*.*?(?=^\*\*Article:\*\*)", first)
    text = re.sub(r"\]\((?=\d\d_)", "](../notebooks/", kept[0] if kept else "")
    return f"{text}{running_time(path.stem)}"


def locked(lock: str = "requirements.lock") -> dict[str, str]:
    """A lock file: {name: version}, without the packages of other platforms."""
    found = {}
    for line in (course.ROOT / lock).read_text().splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate():
                found[canonicalize_name(requirement.name)] = str(requirement.specifier)[2:]
    return found


def direct() -> list[str]:
    """Names of the packages that pyproject.toml asks for itself, groups and extras included."""
    project = tomllib.loads((course.ROOT / "pyproject.toml").read_text())
    lists = [
        project["project"]["dependencies"],
        *project["dependency-groups"].values(),
        *project["project"]["optional-dependencies"].values(),
    ]
    return sorted({canonicalize_name(Requirement(item).name) for part in lists for item in part})


def conda_packages() -> str:
    """The pip block of environment.yml: what is asked for itself; the lock constrains the rest."""
    versions = locked()
    return "\n".join(f"      - {name}=={versions[name]}" for name in direct())


def derived() -> dict[Path, str]:
    """Every file with derived text, and what it should contain."""
    root = course.ROOT
    files = {path: notebook(path) for path in course.notebooks()}
    files[ledger.PAGE] = ledger.page()
    files[passages.PAGE] = passages.page()
    files[speed.PAGE] = addressed(speed.page())
    readme = root / "README.md"
    files[readme] = between(addressed(readme.read_text()), "chapters", chapter_table())
    preface = root / "book" / "preface.md"
    text = between(addressed(preface.read_text()), "found", found())
    files[preface] = between(text, "turn", ledger.turn())
    scale = root / "book" / "scale.md"
    files[scale] = between(addressed(scale.read_text()), "imagenet", plan.block())
    references = root / "book" / "references.md"
    files[references] = between(addressed(references.read_text()), "literature", literature.block())
    advice = root / "book" / "should-i.md"
    text = between(addressed(advice.read_text()), "alphas", literature.alphas())
    files[advice] = between(text, "epochs", literature.epochs())
    conda = root / "environment.yml"
    block = r"(?m)(?<=constraint requirements\.lock\n)(?:      - .*\n)*"
    files[conda] = re.sub(block, conda_packages() + "\n", conda.read_text(), count=1)
    for path in [
        root / "CITATION.cff",
        root / "CONTRIBUTING.md",
        root / "pyproject.toml",
        *sorted((root / "book").glob("*.md")),
    ]:
        # The ledger is a page of the book, too, and is made above.
        files.setdefault(path, addressed(path.read_text()))
    guide = root / "book" / "teaching.md"
    for path in course.notebooks():
        name = f"opening {path.stem}"
        files[guide] = between(files[guide], name, opening(path))
    return files


def outdated() -> list[Path]:
    """The files that are out of step."""
    return [path for path, text in derived().items() if path.read_text() != text]


def apply() -> None:
    """Brings all files into step."""
    for path, text in derived().items():
        if path.read_text() != text:
            course.write(path, text)
            print(f"updated {path.relative_to(course.ROOT)}")


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit("\n".join(f"out of step: {path}; run `make sync`" for path in outdated()) or 0)
    apply()
