"""How tests are run: which share a process, which start first, what `make check` leaves out."""

from types import SimpleNamespace

import pytest

from tools import course, test

FILES = [f"tests/{path.name}" for path in sorted((course.ROOT / "tests").glob("test_*.py"))]
NOTEBOOKS = [f"notebooks/{path.name}" for path in course.notebooks()]


def test_the_files_that_take_long_are_there_and_named_once():
    assert {f"tests/{name}" for name in test.LONG} <= set(FILES)
    assert len(set(test.LONG)) == len(test.LONG)


def test_who_looks_at_the_book_runs_in_one_process():
    assert {test.unit(f"tests/{name}::test_it[a::b]") for name in test.BOOK} == {test.BOOK[0]}
    assert test.unit("tests/test_mix.py::test_it") == "tests/test_mix.py"


def test_long_ones_come_first_then_notebooks_by_their_time(monkeypatch):
    monkeypatch.setattr(course, "times", lambda: {"01_b": {"cpu": {"seconds": 9.0}}})
    ids = [
        "tests/test_mix.py::a",
        "notebooks/01_b.ipynb::Cell 0",
        "notebooks/00_new.ipynb::Cell 0",
        f"tests/{test.LONG[1]}::a",
        f"tests/{test.LONG[0]}::a",
    ]
    assert sorted(ids, key=test.place) == [ids[4], ids[3], ids[2], ids[1], ids[0]]


def test_check_leaves_out_what_takes_long():
    left_out = {name for name in [*FILES, *NOTEBOOKS] if test.takes_long(f"{name}::a")}
    assert left_out == {*NOTEBOOKS, *(f"tests/{name}" for name in test.LONG)}


def test_a_file_that_needs_the_book_is_told_to_be_listed():
    def item(name):
        path = course.ROOT / "tests" / name
        return SimpleNamespace(path=path, nodeid=f"tests/{name}::a", fixturenames=["site"])

    items = [item("test_slides.py"), item("test_book.py")]
    test.arrange(items)
    assert [it.path.name for it in items] == ["test_book.py", "test_slides.py"]
    with pytest.raises(pytest.UsageError, match="test_mix.py::a needs the book.*tools/test.py"):
        test.arrange([item("test_mix.py")])
