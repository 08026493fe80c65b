"""Which run is this? Texts that differ where another run would compute something else.

A function's name does not tell what it does: a lambda has none, the constants and captured values
of a function change while its name stays, and so does its code. So a checkpoint writes the name
and, for code that is not installed, digests of what is behind it. Installed code (this library,
torch, the standard library) goes by its name: a run may be resumed with a newer version.
"""

import dis
import hashlib
import sys
import types
from collections.abc import Iterator
from enum import Enum
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from mixup_lib.basics.naming import describe, digest

__all__ = ["architecture", "identify"]

_PLAIN = (
    bool
    | int
    | float
    | complex
    | str
    | bytes
    | type(None)
    | type(...)
    | slice
    | range
    | torch.dtype
    | torch.device
    | torch.Size
    | torch.layout
    | torch.memory_format
)


class _Unknown(Exception):
    """Something whose state can't be told; the message says what it is."""


def identify(name: str, value, model: nn.Module | None = None) -> str:
    """A text for one setting of a run, the same in every process and another for another setting.

    Args:
        name: of the setting, for the message.
        value: a function, a ``partial``, an object that can be called, or plain data.
        model: the model that is trained, in whose place captured values may refer to it.

    Raises:
        ValueError: if something that ``value`` captures or holds has no state to compare.
    """
    walk = _Walk(model)
    value = getattr(value, "_torchdynamo_orig_callable", value)  # what was compiled
    try:
        if _is_own_function(value):
            facts = {key: _short(state) for key, state in walk.facts(value)}
            return f"{_label(value)} [{', '.join(f'{key} {fact}' for key, fact in facts.items())}]"
        state = walk.state(value)
    except _Unknown as unknown:
        raise ValueError(
            f"checkpoint: {name}={_label(value)} can't be told from another one, since {unknown} "
            "has no state to compare. Valid: functions of numbers, tensors and functions; or an "
            "object whose class has a __repr__ that says all its settings; or no checkpoint"
        ) from unknown
    return f"{_label(value)} [{_short(state)}]" if walk.hidden else _label(value)


def architecture(model: nn.Module) -> str:
    """A digest of what the shapes of weights do not tell: classes, their code, and settings such
    as the rate of a dropout. What has no state to compare is left out."""
    return _short(_Walk(None).module(model))


def _short(state: str) -> str:
    return hashlib.sha256(_as_main(state).encode()).hexdigest()[:12]


def _as_main(text: str) -> str:
    """In a process that this one starts, the script goes by another name."""
    return text.replace("__mp_main__", "__main__")


def _label(value) -> str:
    """What a reader of the message recognises."""
    if isinstance(value, partial):
        arguments = [_label(item) for item in value.args]
        arguments += [f"{key}={_label(item)}" for key, item in sorted(value.keywords.items())]
        return f"{_label(value.func)}({', '.join(arguments)})"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_label, value))})"
    named = hasattr(value, "__qualname__") or isinstance(value, torch.Tensor)
    if named or (_has_own_repr(value) and "0x" not in repr(value)):
        return _as_main(describe(value))
    return _as_main(describe(type(value)))


def _has_own_repr(value) -> bool:
    return type(value).__repr__ is not object.__repr__


def _is_installed(module: str | None) -> bool:
    module = module or "builtins"
    top = module.partition(".")[0]
    if top in ("__main__", "__mp_main__"):
        return False
    if top == "mixup_lib" or top in sys.stdlib_module_names:
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and bool({"site-packages", "dist-packages"} & set(Path(file).parts))


def _is_own_function(value) -> bool:
    """Whether a function's name is not enough: code of one's own, or made inside a function."""
    return isinstance(value, types.FunctionType) and (
        "<" in value.__qualname__ or not _is_installed(value.__module__)
    )


class _Walk:
    """Writes down everything that a value consists of, each thing once."""

    def __init__(self, model: nn.Module | None):
        self.model = model
        self.hidden = False  # whether there is more than names and plain data
        self.seen: dict[int, tuple[int, object]] = {}

    def state(self, value) -> str:
        """A text of the whole value."""
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, _PLAIN):
            return f"{type(value).__name__} {value!r}"
        if value is self.model and value is not None:
            return "the model"
        if isinstance(value, types.ModuleType):
            return value.__name__
        if isinstance(value, torch.Tensor):
            return f"tensor {tuple(value.shape)} {digest(value)}"
        if id(value) in self.seen:
            return f"see {self.seen[id(value)][0]}"
        self.seen[id(value)] = (len(self.seen), value)  # kept, so that no other gets its number
        if isinstance(value, list | tuple):
            return f"{type(value).__name__} [{', '.join(map(self.state, value))}]"
        if isinstance(value, set | frozenset):
            return f"set {sorted(map(self.state, value))}"
        if isinstance(value, dict):
            return f"dict {[(self.state(k), self.state(v)) for k, v in value.items()]}"
        if isinstance(value, np.ndarray) and value.dtype != object:
            data = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
            return f"array {value.dtype} {value.shape} {data}"
        if isinstance(value, partial):
            keywords = sorted(value.keywords.items())
            return f"partial {self.state([value.func, *value.args, *keywords])}"
        if isinstance(value, Enum):
            return f"{self.state(type(value))}.{value.name}"
        return self._code(value)

    def _code(self, value) -> str:
        """What can be called, classes, and objects of any class."""
        if isinstance(value, type):
            return self._class(value)
        if isinstance(value, types.MethodType):
            return f"{self.state(value.__func__)} of {self.state(value.__self__)}"
        if isinstance(value, types.BuiltinFunctionType | types.MethodWrapperType):
            owner = value.__self__
            bound = "" if owner is None or isinstance(owner, types.ModuleType | type) else owner
            return f"{value.__module__}.{value.__qualname__} {bound and self.state(bound)}"
        if isinstance(value, types.FunctionType) and hasattr(value, "_torchdynamo_orig_callable"):
            return self.state(value._torchdynamo_orig_callable)
        if isinstance(value, types.FunctionType):
            name = f"{value.__module__}.{value.__qualname__}"
            if not _is_own_function(value):
                return name
            self.hidden = True
            return f"{name} {list(self.facts(value))}"
        if not isinstance(value, types.FunctionType) and hasattr(value, "__wrapped__"):
            return f"{type(value).__name__} {self.state(value.__wrapped__)}"  # functools.cache
        if isinstance(value, nn.Module):
            self.hidden = True
            weights = {name: digest(t) for name, t in value.state_dict().items()}
            return f"{self.module(value)} {weights}"
        return self._object(value)

    def facts(self, function: types.FunctionType) -> Iterator[tuple[str, str]]:
        """What a function does and depends on, by name: its code, defaults, captured values."""
        yield "code", _code_of(function.__code__)
        defaults = [
            *(function.__defaults__ or ()),
            *sorted((function.__kwdefaults__ or {}).items()),
        ]
        if defaults:
            yield "defaults", self._part("a default", defaults)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            try:
                yield name, self._part(name, cell.cell_contents)
            except ValueError:  # not filled yet, or no longer
                yield name, "empty"
        for name in sorted(set(_globals_of(function.__code__))):
            if name in function.__globals__:
                yield name, self._part(name, function.__globals__[name])

    def _part(self, name: str, value) -> str:
        try:
            return self.state(value)
        except _Unknown as unknown:
            raise _Unknown(f"{name}, where {unknown}" if str(unknown) else name) from unknown

    def _class(self, value: type) -> str:
        name = f"{value.__module__}.{value.__qualname__}"
        if _is_installed(value.__module__) and "<" not in value.__qualname__:
            return name
        self.hidden = True
        parts = [self.state(base) for base in value.__bases__]
        for key, part in sorted(vars(value).items()):
            part = getattr(part, "fget", None) or getattr(part, "__func__", part)
            if isinstance(part, types.FunctionType):
                parts.append(f"{key} {list(self.facts(part))}")
            elif isinstance(part, _PLAIN) and not key.startswith("__"):
                parts.append(f"{key} {part!r}")
        return f"{name} {parts}"

    def _object(self, value) -> str:
        kind = type(value)
        if _has_own_repr(value) and not _is_installed(kind.__module__):
            if "0x" not in repr(value):
                return f"{kind.__module__}.{kind.__qualname__} {value!r}"
        self.hidden = True
        try:
            made, arguments, *rest = value.__reduce_ex__(4)
            state, *items = [*rest, None, None, None][:3]
            items = [list(it) for it in items if it is not None]
        except Exception as error:  # whatever an object's own way of being copied may raise
            raise _Unknown(f"a {kind.__module__}.{kind.__qualname__}") from error
        return f"object {self.state([made, *arguments, state, *items])}"

    def module(self, module: nn.Module) -> str:
        """Classes and settings of a module and its parts, without weights."""
        found = []
        for name, part in module.named_modules():
            settings = {}
            for key, value in sorted(vars(part).items()):
                if key.startswith("_") or key == "training" or isinstance(value, torch.Tensor):
                    continue
                try:
                    settings[key] = self.state(value)
                except _Unknown:
                    continue
            try:
                kind = self.state(type(part))
            except _Unknown:
                kind = f"{type(part).__module__}.{type(part).__qualname__}"
            found.append(f"{name} {kind} {settings}")
        return "\n".join(found)


def _code_of(code: types.CodeType) -> str:
    """A text of what a function does; not where it stands, nor what it calls its variables."""
    constants = []
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            constants.append(_code_of(constant))
        elif isinstance(constant, frozenset):
            constants.append(repr(sorted(map(repr, constant))))
        else:
            constants.append(repr(constant))
    shape = code.co_argcount, code.co_kwonlyargcount, code.co_flags
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return f"{code.co_code.hex()} {constants} {code.co_names} {arguments} {shape}"


def _globals_of(code: types.CodeType) -> Iterator[str]:
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield step.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _globals_of(constant)
