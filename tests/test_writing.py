"""Files that appear whole or not at all."""

import os

import pytest

from mixup_lib.basics.writing import atomic_write, unfinished


def test_a_file_is_replaced_when_the_block_has_succeeded(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_write(path) as draft:
        draft.write_text("new")
        assert path.read_text() == "old" and unfinished(path) == [draft]
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["a.txt"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("links", [True, False])
def test_nothing_is_replaced_where_that_was_not_asked(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: os.stat(tmp_path / "missing"))
    path = tmp_path / "a.txt"
    with atomic_write(path, replace=False) as draft:
        draft.write_text("first")
    with pytest.raises(FileExistsError), atomic_write(path, replace=False) as draft:
        draft.write_text("second")
    assert path.read_text() == "first" and os.listdir(tmp_path) == ["a.txt"]
