"""tools.notebooks: the same bytes twice, and nothing lost when a notebook fails."""

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from tools import course, notebooks


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a notebook of these code cells into a folder of its own; returns its path."""
    monkeypatch.setattr(course, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(course, "TIMES", tmp_path / "results" / "times.json")

    def notebook(*sources, tags=()):
        cells = [
            nbformat.v4.new_code_cell(source, id=f"cell-{number}", metadata={"tags": [*tags]})
            for number, source in enumerate(sources)
        ]
        path = tmp_path / "01_sample.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        return path

    return notebook


def test_a_second_run_writes_the_same_bytes(write):
    path = write("for i in range(3):\n    print(i, flush=True)", "{'a', 'b', 'c'}")
    notebooks.run(path, "store")
    first, times = path.read_bytes(), course.TIMES.read_bytes()
    notebooks.run(path, "store")
    assert (path.read_bytes(), course.TIMES.read_bytes()) == (first, times)
    assert [cell.id for cell in course.read(path).cells] == ["cell-0", "cell-1"]
    assert len(course.read(path).cells[0].outputs) == 1  # one stream, however it was flushed


def test_another_output_is_noticed_but_in_tagged_cells(write):
    path = write("import time\ntime.time_ns()")
    notebooks.run(path, "store")
    with pytest.raises(ValueError, match="cell-0"):
        notebooks.run(path, "check")
    path = write("import time\ntime.time_ns()", tags=["nbval-ignore-output"])
    notebooks.run(path, "store")
    notebooks.run(path, "check")


def test_a_failure_leaves_the_file(write):
    path = write("1", "raise OSError('no')")
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="OSError"):
        notebooks.run(path, "store")
    assert path.read_bytes() == before and not course.TIMES.exists()


def test_an_edit_during_the_run_is_kept(write):
    path = write("import pathlib\npathlib.Path('01_sample.ipynb').write_text('edited')")
    with pytest.raises(ValueError, match="changed while it ran"):
        notebooks.run(path, "store")
    assert path.read_text() == "edited"
