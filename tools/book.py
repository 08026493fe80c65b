"""Builds the strict book from stored outputs, then removes what no page loads.

python -m tools.book [FOLDER]
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools import course

LIMIT_MB = 25  # of the whole site, with slides and downloads
# MathJax as pages load it: this one component, its fonts, and the TeX packages it may ask for.
MATHJAX_KEPT = ("tex-chtml.js", "input/tex", "output/chtml/fonts")
# For people who debug the theme; and the theme's own words in other languages.
UNUSED = ("_static/**/*.map", "_static/locales")


def trim(site: Path) -> None:
    """Removes what no page can ask for: most of MathJax, source maps, translations."""
    for pattern in UNUSED:
        for path in site.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    mathjax = site / "_static" / "mathjax"
    if not (mathjax / MATHJAX_KEPT[0]).exists():
        raise FileNotFoundError(f"{mathjax} holds no {MATHJAX_KEPT[0]}; is the extension on?")
    for path in sorted(mathjax.rglob("*"), reverse=True):
        name = path.relative_to(mathjax).as_posix()
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif not any(name == kept or name.startswith(kept + "/") for kept in MATHJAX_KEPT):
            path.unlink()


def megabytes(site: Path) -> float:
    """Size of all files of the site."""
    return sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) / 1e6


def build(folder: Path) -> Path:
    """Builds afresh into `folder/_build/html`, warnings being errors, and returns that path.

    Raises:
        subprocess.CalledProcessError: the strict build failed; its messages were printed.
    """
    site = Path(folder).resolve() / "_build" / "html"
    shutil.rmtree(site, ignore_errors=True)
    command = [
        sys.executable,
        "-c",
        "from jupyter_book.cli.main import main; main()",
        "build",
        str(course.ROOT),
        "--path-output",
        str(folder),
        "--all",
        "-W",
        "-n",
        "--keep-going",
    ]
    environment = os.environ | {"PYTHONPATH": str(course.ROOT)}
    subprocess.run(command, check=True, cwd=course.ROOT, env=environment)
    trim(site)
    return site


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else course.ROOT
    try:
        site = build(folder)
    except subprocess.CalledProcessError as error:
        return error.returncode
    pages = len([page for page in site.rglob("*.html") if not re.match(r"_", page.name)])
    print(
        f"\nThe book: {site / 'index.html'} ({pages} pages, {megabytes(site):.1f} MB)\n"
        "To read it: make serve, then open http://localhost:8000"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
