"""The reference page from the library's source: nothing is imported, so neither is torch.

The directives ``automodule``, ``autoclass``, ``autofunction`` and ``autodata`` do what those of
``sphinx.ext.autodoc`` do, as far as book/api.md needs it: griffe reads the source, Sphinx's own
parser the comments that start with ``#:``, napoleon the docstrings. Types come from annotations,
under the names that they were imported by, so that links to the library's own classes are checked.
"""

import ast
import contextlib
import functools
import re
from collections.abc import Iterator

import griffe
from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.errors import ExtensionError
from sphinx.ext.napoleon import GoogleDocstring
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles

from tools import course

PACKAGE = "mixup_lib"
LONGEST_VALUE = 100  # of a constant, in characters
PARAMETER = re.compile(r":param (?:\\?\*)*(\w+):")
ATTRIBUTE = re.compile(r"\.\. attribute:: (\w+)$")


@functools.cache
def library() -> griffe.Module:
    """The parsed package.

    Raises:
        ExtensionError: the source cannot be read.
    """
    try:
        found = griffe.load(PACKAGE, search_paths=[course.ROOT], allow_inspection=False)
    except griffe.GriffeError as error:
        raise ExtensionError(f"{PACKAGE} cannot be read: {error}") from error
    for file in (course.ROOT / PACKAGE).rglob("__init__.py"):
        package = ".".join(file.parent.relative_to(course.ROOT).parts)
        for module, names in postponed(file.read_text("utf-8")).items():
            for name in names:
                room = found if package == PACKAGE else found[package.removeprefix(f"{PACKAGE}.")]
                room.set_member(name, griffe.Alias(name, f"{module}.{name}"))
    return found


def postponed(source: str) -> dict[str, tuple[str, ...]]:
    """The names that a package imports when somebody asks for them: what it gives to ``lazy``."""
    found = {}
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "lazy":
            found |= ast.literal_eval(call.args[1])
    return found


@functools.cache
def analyzer(module: str) -> ModuleAnalyzer:
    """Sphinx's view of a module's source: comments of constants, and where each name stands."""
    found = ModuleAnalyzer.for_file(str(at(module).filepath), module)
    found.analyze()
    return found


def at(name: str) -> griffe.Object:
    """What stands in the library under a full name, imports followed.

    Raises:
        KeyError: nothing does.
    """
    found = library()[name.removeprefix(f"{PACKAGE}.")] if name != PACKAGE else library()
    return found.final_target if found.is_alias else found


def member_of(item: griffe.Object, name: str) -> griffe.Object:
    """A member as users see it: a function hides the module of its name that it comes from.

    Raises:
        KeyError: there is none.
    """
    if name not in item.all_members and item.is_module and name in map(str, item.exports or ()):
        # One of `A, B = 1, 2`, which griffe leaves out.
        line = analyzer(item.path).tagorder.get(name)
        item.set_member(name, griffe.Attribute(name, lineno=line))
    found = item.all_members[name]
    found = found.final_target if found.is_alias else found
    return found[name] if found.is_module and name in found.members else found


def described(item: griffe.Object) -> str:
    """Its docstring, a base class's for the same method, or the comment that begins with ``#:``."""
    for owner in (item.parent, *item.parent.mro()) if item.parent.is_class else ():
        if (same := owner.members.get(item.name)) and same.docstring:
            return same.docstring.value
    if item.docstring:
        return item.docstring.value
    owner = item.parent.name if item.parent.is_class else ""
    lines = analyzer(item.module.path).attr_docs.get((owner, item.name), [])
    return "\n".join(lines).strip()


def typed(annotation) -> str:
    """A type as text: what the library defines under its full name, shown by its last part."""
    if annotation is None or isinstance(annotation, str):
        return annotation or ""
    said = ""
    for part in annotation.iterate(flat=True):
        path = part.canonical_path if isinstance(part, griffe.ExprName) else ""
        if not path.startswith(f"{PACKAGE}."):
            said += str(part)
        elif (found := at(path)).is_attribute:  # a name for a longer type
            said += typed(found.value)
        else:
            said += f"~{path}"
    return said


def arguments(parameters: griffe.Parameters) -> str:
    """A signature without types, which stand with the description."""
    parts, keyword_only, before, kinds = [], False, None, griffe.ParameterKind
    for parameter in parameters:
        if parameter.name in ("self", "cls") and not parts:
            continue
        if parts and before is kinds.positional_only is not parameter.kind:
            parts.append("/")
        before = parameter.kind
        if parameter.kind is kinds.keyword_only and not keyword_only:
            parts.append("*")
        keyword_only |= parameter.kind in (kinds.keyword_only, kinds.var_positional)
        star = {kinds.var_positional: "*", kinds.var_keyword: "**"}.get(parameter.kind, "")
        default = "" if star or parameter.default is None else f"={parameter.default}"
        parts.append(f"{star}{parameter.name}{default}")
    return f"({', '.join(parts)})"


def text(item: griffe.Object, config) -> list[str]:
    """The description as reStructuredText, with the types of what it describes."""
    kind = "class" if item.is_class else "function" if item.is_function else "attribute"
    lines, types = [], {}
    if item.is_class or item.is_function:
        types = {parameter.name: typed(parameter.annotation) for parameter in item.parameters}
    for line in GoogleDocstring(described(item), config, what=kind).lines():
        if (found := PARAMETER.match(line)) and types.get(found[1]):
            lines.append(f":type {found[1]}: {types[found[1]]}")
        lines.append(line)
        if (found := ATTRIBUTE.match(line)) and (member := item.members.get(found[1])):
            lines += [f"   :type: {typed(member.annotation)}"] * bool(member.annotation)
    returns = next((n for n, line in enumerate(lines) if line.startswith(":returns:")), None)
    if returns is not None and item.is_function and item.returns:
        lines.insert(returns, f":rtype: {typed(item.returns)}")
    return [*lines, ""]


def indented(lines: list[str]) -> list[str]:
    return [f"   {line}" if line else "" for line in lines]


def entry(item: griffe.Object, name: str, config, members=(), value=True) -> list[str]:
    """One object under the full name ``name``: directive, description, members."""
    module, _, short = name.rpartition(".")
    options, kind, signature = [f":module: {module}"], "data", ""
    if item.is_class:
        bases = {str(base) for base in item.bases}
        kind = (
            "exception"
            if any(base.endswith(("Error", "Exception")) for base in bases)
            else ("class")
        )
        signature = arguments(item.parameters) if len(item.parameters) else ""
        options += [f":canonical: {item.path}"] * (item.path != name)
    elif item.is_function:
        kind, signature = "function", arguments(item.parameters)
    elif item.annotation:
        options.append(f":type: {typed(item.annotation)}")
    if kind == "data" and value and item.value and len(said := str(item.value)) <= LONGEST_VALUE:
        options.append(f":value: {said}")
    body = text(item, config)
    for member in members:
        body += method(member, config)
    return [f".. py:{kind}:: {short}{signature}", *indented(options), "", *indented(body)]


def method(item: griffe.Object, config) -> list[str]:
    """A method, property or attribute within its class."""
    options = [f":{label}:" for label in ("classmethod", "staticmethod") if label in item.labels]
    if item.is_function:
        head = f".. py:method:: {item.name}{arguments(item.parameters)}"
    else:
        head = f".. py:{'property' if 'property' in item.labels else 'attribute'}:: {item.name}"
        options += [f":type: {typed(item.annotation)}"] * bool(item.annotation)
    return [head, *indented(options), "", *indented(text(item, config))]


def public(item: griffe.Object) -> Iterator[tuple[str, griffe.Object]]:
    """The described members that users see: a module's ``__all__``, a class's own, by line.

    Constants of another module are left out, as are attributes that a class's docstring lists.
    """
    names = (
        item.exports
        if item.is_module and item.exports is not None
        else [name for name in item.members if not name.startswith("_")]
    )
    found = []
    for name in map(str, names):
        with contextlib.suppress(KeyError):  # of a constant without a description
            member = member_of(item, name)
            elsewhere = member.parent is not item
            listed = member.is_attribute and (elsewhere or item.is_class and not member.docstring)
            if not member.is_module and not listed and described(member):
                found.append((elsewhere, member.lineno or 0, name, member))
    yield from ((name, member) for *_, name, member in sorted(found, key=lambda row: row[:2]))


def names(argument: str | None) -> list[str]:
    return [name.strip() for name in (argument or "").split(",") if name.strip()]


class Auto(SphinxDirective):
    """Documents what its argument names."""

    required_arguments = 1
    has_content = True
    option_spec = {"members": names, "exclude-members": names, "no-value": directives.flag}

    def members(self, item: griffe.Object) -> list[tuple[str, griffe.Object]]:
        if "members" not in self.options:
            return []
        if asked := self.options["members"]:
            return [(name, member_of(item, name)) for name in asked]
        without = self.options.get("exclude-members", ())
        return [(name, member) for name, member in public(item) if name not in without]

    def lines(self) -> list[str]:
        name = self.arguments[0]
        if not f"{name}.".startswith(f"{PACKAGE}."):
            name = f"{self.env.ref_context.get('py:module', PACKAGE)}.{name}"
        try:
            if self.name == "automodule":
                item = at(name)
            else:
                owner, _, short = name.rpartition(".")
                item = member_of(at(owner), short)
        except KeyError as error:
            raise self.error(f"there is no {name}") from error
        self.env.note_dependency(str(item.filepath))
        try:
            members, config = self.members(item), self.config
        except KeyError as error:
            raise self.error(f"{name} has no member {error}") from error
        if not item.is_module:
            inner = [member for _, member in members]
            body = entry(item, name, config, inner, "no-value" not in self.options)
            return [*body, *indented([*self.content, ""])]
        lines = [f".. py:module:: {name}", "", *text(item, config), *self.content, ""]
        for short, member in members:
            inner = [m for _, m in public(member)] if member.is_class else []
            lines += entry(member, f"{name}.{short}", config, inner)
        return lines

    def run(self) -> list[nodes.Node]:
        holder = nodes.section()
        holder.document = self.state.document
        source = StringList(self.lines(), f"reference of {self.arguments[0]}")
        nested_parse_with_titles(self.state, source, holder)
        return holder.children


def source_of(app, module: str) -> tuple[str, dict]:
    """What ``sphinx.ext.viewcode`` would import a module for: its text, and where names stand."""
    try:
        found = analyzer(module)
    except KeyError:
        return "", {}
    return found.code, found.tags


def defined_in(app, module: str | None, name: str) -> str | None:
    """The module that really defines a name; None for a name of no module."""
    try:
        return module and member_of(at(module), name.split(".")[0]).module.path
    except KeyError:
        return module


def setup(app) -> dict:
    app.setup_extension("sphinx.ext.napoleon")
    app.setup_extension("sphinx.ext.viewcode")
    for kind in ("module", "class", "function", "data"):
        app.add_directive(f"auto{kind}", Auto, override=True)
    app.connect("viewcode-find-source", source_of)
    app.connect("viewcode-follow-imported", defined_in)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
