"""Facts about the repository that tools and tests share, each written once."""

import functools
import json
import re
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
TIMES = ROOT / "results" / "notebook-times.json"

# Stored outputs and nbval's must agree to the last printed digit. A sum's last digits depend on
# the number of threads, so it is fixed. One is fastest for the small models of quick mode, where
# threads wait for each other more than they compute.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MKL_DYNAMIC": "FALSE",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "TQDM_DISABLE": "1",
}
# Stored outputs are those of a CPU, also where there is a GPU. Kernels get this, the library's
# own tests do not.
NO_GPU = {"CUDA_VISIBLE_DEVICES": ""}

# Around a typeset solution in a notebook: JupyterLab, Colab and GitHub fold it. The book, which
# folds solutions itself, leaves both out.
FOLD = ("<details><summary>Solution</summary>\n\n", "\n\n</details>")


_parsed = functools.cache(yaml.safe_load)  # a small file that is asked a hundred times


def _repository() -> dict:
    """What `_config.yml` says of the repository."""
    return _parsed((ROOT / "_config.yml").read_text())["repository"]


def address() -> str:
    """The repository's address, as `_config.yml` (repository.url) has it."""
    return _repository()["url"].rstrip("/").removesuffix(".git")


def branch() -> str:
    """The branch that links point to."""
    return _repository()["branch"]


def site() -> str:
    """The address of the published book on GitHub Pages."""
    owner, name = address().split("/")[-2:]
    return f"https://{owner}.github.io/{name}/"


def colab(name: str) -> str:
    """The address that opens notebook `name` (with suffix) on Colab."""
    slug = "/".join(address().split("/")[-2:])
    return f"https://colab.research.google.com/github/{slug}/blob/{branch()}/notebooks/{name}"


# Assignments, and the pages that offer their student copies.
ASSIGNMENTS = {
    "a1_draw_once": ["notebooks/02_math"],
    "a2_bug_clinic": ["notebooks/04_image", "book/errata"],
    "a3_honest_study": ["notebooks/08_comparisons"],
    "a4_modality": ["notebooks/05_nlp", "notebooks/06_audio", "notebooks/07_video"],
}
PUBLISHED = "gh-pages"  # the branch with the built site; student copies lie there only


def colab_assignment(name: str) -> str:
    """The address that opens the published student copy of an assignment on Colab."""
    slug = "/".join(address().split("/")[-2:])
    return (
        f"https://colab.research.google.com/github/{slug}/blob/{PUBLISHED}"
        f"/assignments/{name}/{name}.ipynb"
    )


def badge(name: str) -> str:
    """The line of Markdown that opens notebook `name` on Colab; its picture is a local file."""
    return f"[![Open in Colab](../book/_static/colab.svg)]({colab(name)})"


# Extras of the library (pyproject.toml) that a chapter needs beside the core.
EXTRAS = {
    "05_nlp": "[text]",
    "06_audio": "[audio]",
    "07_video": "[video]",
    "14_frameworks": "[frameworks]",
    "16_practice": "[practice]",
    "17_fields": "[practice]",
    "A1_torchtext": "[text]",
}


def install_cell(chapter: str = "") -> str:
    """Source of a chapter's install cell: fetches the library only where it is missing."""
    return (
        "# @title Colab: fetch the course's library (does nothing where it is present)\n"
        "import os\n"
        "from importlib.util import find_spec\n"
        "\n"
        'if find_spec("mixup_lib") is None:\n'
        "    library = os.environ.get(\n"
        f'        "MIXUP_LIB_SOURCE", "git+{address()}"\n'
        "    )\n"
        f'    %pip install -q "mixup-lib{EXTRAS.get(chapter, "")} @ {{library}}"'
    )


INSTALL_ID = "install"
# Not in the book, folded in JupyterLab, a one-line form on Colab.
INSTALL_METADATA = {
    "cellView": "form",
    "jupyter": {"source_hidden": True},
    "tags": ["remove-cell"],
}


def notebooks(names: list[str] = ()) -> list[Path]:
    """All chapters in order, or those whose name starts with one of `names`.

    Raises:
        SystemExit: a name matches no notebook.
    """
    everything = sorted(NOTEBOOKS.glob("*.ipynb"))
    if not names:
        return everything
    chosen = []
    for name in names:
        found = [path for path in everything if path.name.startswith(Path(name).name)]
        if not found:
            raise SystemExit(
                f"no notebook named {name!r}; there are: "
                f"{', '.join(path.stem for path in everything)}"
            )
        chosen += found
    return sorted(set(chosen))


def times() -> dict:
    """The recorded times: {notebook: {"code": hash, "cpu": {...}, "gpu": {...}}}."""
    return json.loads(TIMES.read_text()) if TIMES.exists() else {}


def about(seconds: float) -> str:
    """A measured time, rounded up to five seconds: the next machine is not this one."""
    return f"{max(5, -(-int(seconds + 0.999) // 5) * 5)} s"


def running_time(name: str) -> str:
    """The line about time in a chapter's opening."""
    entry = times().get(name, {})
    if "cpu" not in entry:
        return "**Running time:** not measured yet"
    line = f"**Running time:** about {about(entry['cpu']['seconds'])} on two CPU cores"
    return line + (f", {about(entry['gpu']['seconds'])} with a GPU" if "gpu" in entry else "")


def title(notebook: nbformat.NotebookNode) -> str:
    """The notebook's first heading."""
    match = re.search(r"(?m)^# (.+)$", notebook.cells[0].source)
    return match[1].strip() if match else ""


def read(path: Path) -> nbformat.NotebookNode:
    """A notebook file as format 4 (format errors raise)."""
    return nbformat.read(path, as_version=4)


def between(text: str, name: str, content: str) -> str:
    """Replaces what stands between the comments `<!-- name -->` and `<!-- /name -->`."""
    pattern = rf"(<!-- {name}\b[^>]*-->\n).*?(<!-- /{name} -->)"
    return re.sub(pattern, lambda m: f"{m[1]}{content}\n{m[2]}", text, flags=re.DOTALL)


def write(path: Path, text: str) -> None:
    """Replaces a file at once: an interruption leaves the old one."""
    from mixup_lib.basics.writing import atomic_write  # not with this module: it loads torch

    with atomic_write(path) as draft:
        draft.write_text(text)
