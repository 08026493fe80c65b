"""The reference page from the source: what is found, under which name, and what is refused."""

import sys

import griffe
import pytest

from tools import course, reference

SOURCE = '''
"""A room."""
from dataclasses import dataclass
from pack.other import hidden
__all__ = ["A", "B", "Pair", "Made", "hidden", "make"]
#: Two letters.
A, B = 1, 2
@dataclass
class Made:
    """A value.

    Attributes:
        size: In pixels.
    """
    size: int

    def grow(self, by: int = 1, *, twice: "Pair | None" = None) -> "Made":
        """Larger.

        Args:
            by: How much.
            twice: A pair.

        Returns:
            Another.
        """

    def _hidden(self): ...

Pair = tuple[int, Made]

def make() -> Made:
    """Makes one."""
'''


@pytest.fixture
def pack(tmp_path, monkeypatch):
    """A package `pack` in the library's place."""
    folder = tmp_path / "pack"
    (folder / "other").mkdir(parents=True)
    (folder / "__init__.py").write_text(
        'from x import lazy\n__getattr__ = lazy(__name__, {"pack.room": ("make",)})\n'
    )
    (folder / "room.py").write_text(SOURCE)
    (folder / "other" / "__init__.py").write_text("from pack.other.hidden import hidden\n")
    (folder / "other" / "hidden.py").write_text('def hidden(a, /, *b, **c):\n    """Found."""\n')
    monkeypatch.setattr(reference, "PACKAGE", "pack")
    monkeypatch.setattr(course, "ROOT", tmp_path)
    reference.library.cache_clear(), reference.analyzer.cache_clear()
    yield
    reference.library.cache_clear(), reference.analyzer.cache_clear()


class Config:
    """napoleon's settings, as they are without any."""

    def __getattr__(self, name):
        from sphinx.ext.napoleon import Config

        return Config._config_values[name][0]


def test_a_module_shows_what_users_see(pack):
    found = dict(reference.public(reference.at("pack.room")))
    assert list(found) == ["A", "B", "Made", "make", "hidden"]  # Pair has no description
    assert reference.described(found["B"]) == "Two letters."
    assert [name for name, _ in reference.public(found["Made"])] == ["grow"]


def test_a_function_hides_its_module_and_a_postponed_name_is_found(pack):
    assert reference.member_of(reference.at("pack.other"), "hidden").is_function
    assert reference.member_of(reference.at("pack"), "make").path == "pack.room.make"
    assert reference.defined_in(None, "pack", "make") == "pack.room"


def test_signatures_and_types_come_from_annotations(pack):
    made = reference.at("pack.room.Made")
    lines = reference.entry(made, "pack.Made", Config(), [made["grow"]])
    assert lines[:3] == [
        ".. py:class:: Made(size)",
        "   :module: pack",
        "   :canonical: pack.room.Made",
    ]
    text = "\n".join(lines)
    assert ".. py:method:: grow(by=1, *, twice=None)" in text
    assert ":type by: int" in text and ":rtype: ~pack.room.Made" in text
    assert ":type twice: tuple[int, ~pack.room.Made] | None" in text
    hidden = reference.at("pack.other.hidden.hidden")
    assert reference.arguments(hidden.parameters) == "(a, /, *b, **c)"


def test_nothing_is_imported(pack):
    reference.at("pack.room")
    assert "pack" not in sys.modules and isinstance(reference.library(), griffe.Module)
