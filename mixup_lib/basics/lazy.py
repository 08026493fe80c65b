"""Names of a package that are imported when somebody asks for them (PEP 562)."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

__all__ = ["lazy"]


def lazy(
    package: str, places: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package, so that it costs what is used of it.

    Args:
        package: its ``__name__``.
        places: for each module, named in full, the names that the package offers from it.
    """
    where = {name: module for module, names in places.items() for name in names}

    def getattribute(name: str) -> object:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(where[name]), name)

    def directory() -> list[str]:
        module = vars(import_module(package))
        return sorted({*module, *where})

    return getattribute, directory
