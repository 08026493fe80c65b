"""Names of settings in records and checkpoints: the same in every process, wherever files lie.

What belongs to the library goes by ``mixup_lib.<name>``, without the module that holds it, so that
code can move and old records stay readable. What belongs to torch or to anybody else goes by its
full path.
"""

import hashlib
import re
from functools import partial

import torch

__all__ = ["canonical", "describe", "digest"]

# Names that changed, by the module and name of old: kept for ever, since records hold them.
RENAMED = {f"schedules.{name}": f"alpha_{name}" for name in ("constant", "cosine", "linear")}

# Modules are written in lower case and classes are not, so the path of the modules ends at the
# last component, at a class, or at a function that something was defined in.
_PATH = re.compile(r"\bmixup_lib\.((?:[a-z0-9_]+\.(?!<))*)([A-Za-z_]\w*)")


def canonical(text: str) -> str:
    """The text with every path into the library shortened to the name that records use today.

    ``mixup_lib.draw.draw_mixup(alpha=1.0)`` becomes ``mixup_lib.draw_mixup(alpha=1.0)``; what is
    short already stays. Two descriptions mean the same if their canonical forms are equal.
    """

    def short(match: re.Match) -> str:
        modules, name = match.groups()
        *_, module = ["", *modules.split(".")[:-1]]
        return f"mixup_lib.{RENAMED.get(f'{module}.{name}', name)}"

    return _PATH.sub(short, text)


def describe(value) -> str:
    """A text that is the same in every process for the same setting; functions go by their name.

    Args:
        value: anything that a setting can be: a function, a ``partial``, an object, a tensor (by
            its shape and content), a list, a number.
    """
    if isinstance(value, partial):
        arguments = [describe(item) for item in value.args]
        arguments += [f"{key}={describe(item)}" for key, item in sorted(value.keywords.items())]
        return f"{describe(value.func)}({', '.join(arguments)})"
    if hasattr(value, "__qualname__"):
        return canonical(f"{value.__module__}.{value.__qualname__}")
    if isinstance(value, list | tuple):
        return f"({', '.join(describe(item) for item in value)})"
    if isinstance(value, torch.Tensor):
        return f"tensor {tuple(value.shape)} {digest(value)}"
    if type(value).__repr__ is object.__repr__:
        # The default repr holds an address; the class and its attributes do not.
        held = getattr(value, "__dict__", {})  # none where a class names its slots
        attributes = [f"{key}={describe(item)}" for key, item in sorted(held.items())]
        return f"{describe(type(value))}({', '.join(attributes)})"
    return repr(value)


def digest(*tensors: torch.Tensor) -> str:
    """Sixteen hexadecimal digits that tell the tensors' types and contents apart."""
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(str(tensor.dtype).encode())
        found.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy())
    return found.hexdigest()[:16]
