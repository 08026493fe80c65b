"""Checks the prose: spelling, and result numbers that nobody computed.

    python -m tools.prose

Markdown means the book's pages and the Markdown cells of notebooks.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import course

ALLOWED = course.ROOT / "tests" / "numbers-allowed.txt"
WORDS = course.ROOT / "tests" / "words.txt"
# Not prose, in Chinese, or somebody else's.
SKIPPED = "*.svg,*.png,*.pyc,*.json,*/book/glossary.md,*/_static/reveal/*"

# A fence that opens with a directive's name, such as ```{note}, holds prose, except for these.
CODE = re.compile(r"\{(code|code-block|code-cell|math|raw|bibliography|literalinclude|eval-rst)\}")
FENCE = re.compile(r"\s*(`{3,}|~{3,}|:{3,})(.*)")
OPTION = re.compile(r"\s*:(width|height|figwidth|scale|class|name|label|columns|gutter):")
NOT_PROSE = [
    # What `make sync` writes between two marks was measured, not typed.
    re.compile(r"<!-- (\w+): `make sync`[^>]*-->\n.*?<!-- /\1 -->", re.DOTALL),
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"\$\$.*?\$\$", re.DOTALL),
    re.compile(r"(`+)(?!`)(?:[^\n]|\n(?!\n))+?(?<!`)\1(?!`)"),
    re.compile(r"(?<!\\)\$(?!\s)[^$\n]*(?:\n[^$\n]+)?(?<!\s)\$(?!\d)"),
    re.compile(r"\]\([^)\s]*(?:\s\"[^\"]*\")?\)"),  # the target of a link, not its text
    re.compile(r"<https?://[^>]*>|https?://\S+"),
]
CITED = re.compile(r"\{cite[\w:]*\}")
NUMBER = re.compile(r"\d*\.\d+|\d+\s*(?:%|％|per\s?cent\b|percent\b)|±|\\pm")


def markdown() -> dict[str, str]:
    """All Markdown of the book, by file, and for notebooks by file and cell."""
    found = {
        f"book/{path.name}": path.read_text()
        for path in sorted((course.ROOT / "book").glob("*.md"))
    }
    for path in course.notebooks():
        for cell in course.read(path).cells:
            if cell.cell_type == "markdown":
                found[f"notebooks/{path.name}#{cell.id}"] = cell.source
    return found


def blank(match: re.Match) -> str:
    """As many lines as were there, empty: line numbers stay true."""
    return "\n" * match[0].count("\n")


def without_code(text: str) -> str:
    """The text with empty lines for fenced code and for options that only set a layout."""
    kept, open_fences = [], []  # of (marker, whether it holds code)
    for line in text.splitlines():
        fence = FENCE.fullmatch(line)
        marker, info = (fence[1], fence[2].strip()) if fence else ("", "")
        inside_code = bool(open_fences) and open_fences[-1][1]
        closes = bool(fence and open_fences and not info and marker.startswith(open_fences[-1][0]))
        if closes:
            open_fences.pop()
        elif fence and not inside_code and (info or marker[0] != ":"):
            is_code = bool(CODE.match(info)) if info.startswith("{") else marker[0] != ":"
            open_fences.append((marker, is_code))
            inside_code = is_code
        kept.append("" if inside_code or closes or OPTION.match(line) else info if fence else line)
    return "\n".join(kept)


def typed_numbers(text: str, allowed: list[str] = ()) -> list[tuple[int, str]]:
    """Decimals, percentages and ± that stand in prose, as (line number, line)."""
    cited = {number for number, line in enumerate(text.splitlines()) if CITED.search(line)}
    lines = text.splitlines()
    text = without_code(text)
    for pattern in NOT_PROSE:
        text = pattern.sub(blank, text)
    for phrase in allowed:
        text = text.replace(phrase, "")
    return [
        (number + 1, lines[number].strip())
        for number, line in enumerate(text.splitlines())
        if NUMBER.search(line) and number not in cited
    ]


def allowed_phrases() -> list[str]:
    """The reviewed phrases of the allow-list, longest first."""
    lines = ALLOWED.read_text().splitlines()
    return sorted((line for line in lines if line and not line.startswith("#")), key=len)[::-1]


def numbers() -> list[str]:
    """One line for each number typed in prose. The ledger is not typed: a tool writes it."""
    allowed = allowed_phrases()
    return [
        f"{name}:{line}: {text}"
        for name, source in markdown().items()
        if name not in ("book/claims.md", "book/concordance.md")
        for line, text in typed_numbers(source, allowed)
    ]


def unused_phrases() -> list[str]:
    """Phrases of the allow-list that no page needs any more."""
    everything = "\n".join(markdown().values())
    return [phrase for phrase in allowed_phrases() if phrase not in everything]


def spelling() -> str:
    """What codespell has to say about prose, code and file names; empty if nothing."""
    with tempfile.TemporaryDirectory() as folder:
        for path in course.notebooks():  # source only: pictures in outputs are not words
            text = "\n\n".join(cell.source for cell in course.read(path).cells)
            (Path(folder) / path.name).write_text(text)
        places = ["README.md", "CONTRIBUTING.md", "book", "mixup_lib", "tests", "tools"]
        command = [
            sys.executable,
            "-m",
            "codespell_lib",
            "--check-filenames",
            "--ignore-words",
            WORDS,
            "--skip",
            SKIPPED,
            *(course.ROOT / place for place in places),
            folder,
        ]
        said = subprocess.run(command, check=False, capture_output=True, text=True)
    return (said.stdout + said.stderr).replace(folder, "notebooks").replace(f"{course.ROOT}/", "")


if __name__ == "__main__":
    said = [spelling(), *(f"a number typed in prose: {line}" for line in numbers())]
    sys.exit("\n".join(line for line in said if line) or 0)
