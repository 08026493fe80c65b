"""What a method costs its author: lines of code, counted by code."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from types import ModuleType

__all__ = ["code_lines"]


def code_lines(*objects: Callable | type | ModuleType) -> int:
    """Lines of Python that define ``objects``, without docstrings, comments and blank lines.

    The source is parsed and printed again, one statement to a line. So the count does not depend on
    how long lines are broken.

    Args:
        *objects: functions, methods, classes or modules written in Python, at least one. One that
            is named twice is counted once; what an object calls is not counted with it.

    Returns:
        The number of lines, 1 or more.

    Raises:
        ValueError: if no object is given.
        TypeError: if an object has no Python source, such as ``len`` or a ``functools.partial``.
    """
    if not objects:
        raise ValueError("objects is empty; code_lines needs at least one function or class")
    return sum(map(_lines, dict.fromkeys(objects)))


def _lines(thing) -> int:
    try:
        source = textwrap.dedent(inspect.getsource(thing))
    except (TypeError, OSError) as error:
        raise TypeError(
            f"objects holds {thing!r}, which has no Python source; valid are functions, methods, "
            "classes and modules written in Python"
        ) from error
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if ast.get_docstring(node, clean=False) is not None:
                del node.body[0]
            node.body = node.body or [ast.Pass()]
    return sum(bool(line.strip()) for line in ast.unparse(tree).splitlines())
