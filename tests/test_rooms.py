"""The library's rooms: what may import what, what costs nothing until asked for, plain names."""

import ast
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mixup_lib

ROOT = Path(mixup_lib.__file__).parent

# From low to high. A room may import those that stand before it.
ORDER = (
    "basics",
    "mixing",
    "audio",
    "video",
    "text",
    "datasets",
    "models",
    "measures",
    "training",
    "page",
    "evidence",
    "experiments",
)
FILES = sorted(ROOT.rglob("*.py"))


def modules(file, everywhere=True):
    """The modules that a file imports, without those that are imported for type checkers only."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    pending, found = list(tree.body), []
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "mixup_lib":
            found += [f"mixup_lib.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module)
        elif everywhere or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending += ast.iter_child_nodes(node)
    return found


def room(file):
    parts = file.relative_to(ROOT).parts
    return parts[0] if len(parts) > 1 else None


def test_every_folder_is_a_room():
    folders = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    assert folders == set(ORDER)
    assert {file.name for file in ROOT.glob("*.py")} == {"__init__.py"}


@pytest.mark.parametrize("name", ORDER)
def test_a_room_imports_nothing_from_above(name):
    allowed = ORDER[: ORDER.index(name) + 1]
    for file in FILES:
        if room(file) != name:
            continue
        for module in modules(file):
            other = [*module.split("."), ""][1] if module.startswith("mixup_lib.") else name
            known = other in allowed or other.startswith("__")
            assert known, f"{file.relative_to(ROOT)} imports {module}, which stands above {name}"


def test_mixing_needs_torch_alone():
    allowed = {*sys.stdlib_module_names, "torch", "mixup_lib"}
    for file in FILES:
        if room(file) == "mixing":
            others = {m.split(".")[0] for m in modules(file, everywhere=False)} - allowed
            assert not others, f"{file.relative_to(ROOT)} imports {others} when it is loaded"


def packages():
    return ["mixup_lib", *(f"mixup_lib.{name}" for name in ORDER)]


@pytest.mark.parametrize("name", packages())
def test_a_package_offers_what_it_lists_and_no_name_hides_a_module(name):
    package = import_module(name)
    offered = getattr(package, "__all__", [])
    assert all(hasattr(package, item) for item in offered)
    assert len({*offered}) == len(offered)
    here = Path(package.__file__).parent
    files = {path.stem for path in here.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not files & {*offered}, "a function or class has the name of its module"


def test_the_map_shows_every_room():
    text = (ROOT.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [name for name in ORDER if f"`{name}/`" not in text] == []
