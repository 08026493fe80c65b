"""Packages that only some chapters need."""

from importlib import import_module
from types import ModuleType


def require(module: str, extra: str) -> ModuleType:
    """The module, imported.

    Raises:
        ImportError: if it is missing; the message says which extra of the library brings it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f'{module} could not be imported ({error}). pip install "mixup-lib[{extra}]" brings it'
        ) from error
