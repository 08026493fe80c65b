"""Every chapter as a file: what is stored, how it is cut, what a reader needs. nbval runs them."""

import re
import statistics

import nbformat
import pytest

from tools import course
from tools.notebooks import code_hash, normalise

PATHS = course.notebooks()
COMPARED_LESS = {"nbval-ignore-output", "nbval-skip", "raises-exception"}
READABLE_ID = re.compile(r"[a-z]\w*(?:-\w+)*")
RANDOM_ID = re.compile(r"(?=.*\d)[0-9a-f]{8}(?:-[0-9a-f-]+)?")
WARNING = re.compile(r"\b\w*Warning\b:|^\s*warnings\.warn|Traceback \(most recent", re.MULTILINE)


@pytest.fixture(params=PATHS, ids=lambda path: path.stem, scope="module")
def path(request):
    return request.param


@pytest.fixture(scope="module")
def notebook(path):
    return course.read(path)


@pytest.fixture(scope="module")
def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return set(cell.metadata.get("tags", []))


def text_of(output):
    """All text of an output: streams, plain text, HTML, Markdown."""
    if output.output_type == "stream":
        return output.text
    return "\n".join(
        str(value) for kind, value in output.get("data", {}).items() if kind.startswith("text/")
    )


def describes(alt):
    """Whether an alt text says something: a path or a bare name does not."""
    return (
        isinstance(alt, str)
        and len(alt) >= 15
        and " " in alt.strip()
        and not re.search(r"^\S*/\S*$|\.(?:png|svg|jpe?g|ipynb)\b", alt)
    )


def hidden(cell):
    """Whether a solution is folded in the book, in JupyterLab and on Colab."""
    meta = cell.metadata
    return (
        bool(tags(cell) & {"hide-input", "hide-cell"})
        and meta.get("cellView") == "form"
        and meta.get("jupyter", {}).get("source_hidden") is True
    )


def test_there_are_notebooks():
    assert PATHS


def test_file_is_as_make_notebooks_writes_it(path, notebook):
    assert path.read_text() == normalise(notebook), "run `make notebooks`"


def test_every_code_cell_was_run_in_order(code):
    counts = [cell.execution_count for cell in code]
    assert counts == list(range(1, len(code) + 1))


def test_no_error_or_warning_is_stored(code):
    for cell in code:
        for output in cell.outputs:
            assert output.output_type != "error", cell.id
            assert output.get("name") != "stderr", cell.id
            assert not WARNING.search(text_of(output)), cell.id


def test_few_cells_are_exempt_from_comparison(code):
    exempt = [cell.id for cell in code if tags(cell) & COMPARED_LESS]
    assert len(exempt) <= len(code) / 5, exempt
    assert not any("nbval-skip" in tags(cell) for cell in code)
    marked = [cell.id for cell in code if re.search(r"#\s*NBVAL|#\s*PYTEST", cell.source)]
    assert not marked, "use tags, not comments"


def test_cell_ids_are_readable_and_unique(notebook):
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    poor = [name for name in ids if not READABLE_ID.fullmatch(name) or RANDOM_ID.fullmatch(name)]
    assert not poor


def test_every_picture_is_described(code):
    for cell in code:
        pictures = [
            output
            for output in cell.outputs
            if any(kind.startswith("image/") for kind in output.get("data", {}))
        ]
        if pictures:
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt")
            assert describes(alt), f"{cell.id}: {alt!r}"
            assert len(pictures) == 1, f"{cell.id}: one alt text, {len(pictures)} pictures"
            caption = cell.metadata["mystnb"].get("figure", {}).get("caption")
            assert describes(caption) and caption != alt, f"{cell.id}: caption {caption!r}"
        for output in cell.outputs:
            for image in re.findall(r"<img\b[^>]*>", text_of(output)):
                alt = re.search(r"""alt=["']([^"']*)["']""", image)
                assert alt and describes(alt[1]), f"{cell.id}: {image[:80]}"


def test_opening(path, notebook):
    first, install = notebook.cells[:2]
    assert first.cell_type == "markdown" and first.source.startswith("# ")
    assert first.source.count(course.badge(path.name)) == 1
    assert install.id == course.INSTALL_ID
    assert install.source == course.install_cell(path.stem)
    assert install.metadata == course.INSTALL_METADATA
    assert install.outputs == []
    for part in ("**You need:**", "**You will be able to:**", "**Article:**", "**Running time:**"):
        assert part in first.source, f"the opening lacks {part}"


def lines_of_code(cell):
    lines = [line.strip() for line in cell.source.splitlines()]
    return sum(bool(line) and not line.startswith("#") for line in lines)


def test_cells_are_short(code):
    shown = [
        lines_of_code(cell) for cell in code if cell.id != course.INSTALL_ID and not hidden(cell)
    ]
    assert statistics.median(shown) <= 6
    assert statistics.quantiles(shown, n=10, method="inclusive")[-1] <= 20
    assert max(lines_of_code(cell) for cell in code) <= 40


def test_cells_are_few(code):
    assert len(code) <= 35


def test_exercises_have_hidden_solutions(notebook, code):
    markdown = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    exercises = re.findall(r"(?m)^:{3,}\{exercise(?:-start)?\}", markdown)
    assert len(exercises) >= 3
    folded = [
        cell
        for cell in code
        if cell.id != course.INSTALL_ID
        and (tags(cell) & {"hide-input", "hide-cell"} or "solution" in cell.id)
    ]
    assert len(folded) >= 3
    assert [cell.id for cell in folded if not hidden(cell)] == []


def test_typeset_solutions_are_folded_outside_the_book(notebook):
    """JupyterLab, Colab and GitHub know no directive, and would show the answer at once."""
    first, last = course.FOLD
    markdown = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    solutions = re.findall(r"(?ms)^:::\{solution\}.*?^:::$", markdown)
    assert len(solutions) == len(re.findall(r"(?m)^:{3,}\{solution\}", markdown))
    assert all(f"{first}{solution}{last}" in markdown for solution in solutions)


def test_recorded_time_belongs_to_this_code(path, notebook):
    entry = course.times().get(path.stem, {})
    assert entry.get("code") == code_hash(notebook), "run `make notebooks`"
    assert entry["cpu"]["seconds"] < 60
    assert entry["cpu"]["memory_gb"] < 2


@pytest.mark.parametrize(
    "alt, good",
    [
        ("Two photographs and the mixture of both", True),
        ("", False),
        (None, False),
        ("../_images/abc_12_0.png", False),
        ("the file plot.png of this page", False),
        ("figurefigurefigure", False),
    ],
)
def test_descriptions_are_told_from_paths(alt, good):
    assert bool(describes(alt)) == good


@pytest.mark.parametrize(
    "name, good",
    [
        ("mix-by-hand", True),
        ("install", True),
        ("3f2a9c1e", False),
        ("a1b2c3d4-e5f6", False),
        ("Mix By Hand", False),
        ("exercise-1-solution", True),
    ],
)
def test_readable_ids_are_told_from_random_ones(name, good):
    assert bool(READABLE_ID.fullmatch(name) and not RANDOM_ID.fullmatch(name)) == good


def test_a_hidden_solution_is_hidden_everywhere():
    cell = nbformat.v4.new_code_cell(
        "1",
        metadata={"tags": ["hide-input"], "cellView": "form", "jupyter": {"source_hidden": True}},
    )
    assert hidden(cell)
    del cell.metadata["cellView"]
    assert not hidden(cell)
