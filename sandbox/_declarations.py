"""TypeScript declarations of Python functions, for whoever writes the programs: a person, an editor or a model."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import json
import re
import types
import typing
from collections import abc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal, Union, get_args, get_origin

from sandbox._signatures import is_asynchronous
from sandbox._typed import interface_fields, is_typed_dict, scalar_type
from sandbox.functions import HostFunction

_P = inspect.Parameter
_MAX_DEPTH: Final = 32
_SECTION: Final = re.compile(r"(Args|Arguments|Parameters|Returns|Raises|Yields|Examples?|Note|Notes):\s*$")
_ARGUMENT: Final = re.compile(r"\*{0,2}(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")
_NAME: Final = re.compile(r"[A-Za-z_$][\w$]*$", re.ASCII)
_RESERVED: Final = frozenset(
    [
        "break",
        "case",
        "catch",
        "class",
        "const",
        "continue",
        "debugger",
        "default",
        "delete",
        "do",
        "else",
        "enum",
        "export",
        "extends",
        "false",
        "finally",
        "for",
        "function",
        "if",
        "import",
        "in",
        "instanceof",
        "new",
        "null",
        "return",
        "super",
        "switch",
        "this",
        "throw",
        "true",
        "try",
        "typeof",
        "var",
        "void",
        "while",
        "with",
        "yield",
        "let",
        "static",
        "await",
    ]
)


def declarations(functions: Mapping[str, Any] | Iterable[Callable[..., Any]]) -> str:
    """Write TypeScript declarations of what a sandbox is given as `functions`.

    Signatures are read from annotations, comments from docstrings in Google's style. A coroutine function gives a
    Promise, a default makes a parameter optional, `*args` is a rest parameter, and keyword-only parameters are the
    members of an object that comes last, as the sandbox takes them. Dataclasses, TypedDicts, NamedTuples and Enums
    become declarations of their own; `Literal`, `Optional`, unions, lists, dicts, tuples and callables are written out.
    What has no annotation, or one that says nothing to a program, is `unknown`.

    Args:
        functions: Callables by the names of their globals, or callables with names of their own. A mapping may hold
            mappings: those are namespaces.

    Returns:
        The declarations, one after the other: first the types, then the functions in the order given.

    Raises:
        TypeError: Something can neither be called nor is a mapping.
        ValueError: A name is no identifier of JavaScript.
    """
    named = functions if isinstance(functions, Mapping) else {_own_name(each): each for each in functions}
    writer = _Writer()
    told = _members(writer, named, "", 0)
    return "\n\n".join([*writer.types.values(), *told]) + "\n" if told else ""


def _own_name(function: object) -> str:
    while isinstance(function, HostFunction) and function.name is None:
        function = function.function
    name = function.name if isinstance(function, HostFunction) else getattr(function, "__name__", None)
    if not isinstance(name, str):
        raise TypeError(f"a {type(function).__name__} has no name of its own: give a mapping of names")
    return name


def _members(writer: _Writer, named: Mapping[str, Any], indent: str, depth: int) -> list[str]:
    told: list[str] = []
    for name, value in named.items():
        if not _NAME.match(str(name)) or name in _RESERVED:
            raise ValueError(f"{name!r} is no name that JavaScript can declare")
        keyword = "" if indent else "declare "
        if isinstance(value, Mapping):
            if depth >= _MAX_DEPTH:
                raise ValueError("namespaces are nested too deeply")
            inner = "\n\n".join(_members(writer, value, indent + "  ", depth + 1))
            told.append(f"{indent}{keyword}namespace {name} {{\n{inner}\n{indent}}}")
        elif callable(value):
            told.append(_function(writer, name, value, indent, keyword))
        else:
            raise TypeError(f"{name} must be a callable or a mapping of callables, not {type(value).__name__}")
    return told


def _function(writer: _Writer, name: str, function: Any, indent: str, keyword: str) -> str:  # noqa: ANN401 - a callable
    waits = False
    while isinstance(function, HostFunction):
        waits, function = waits or function.wait, function.function
    parameters, gives = _signature(function)
    hints = _hints(function)
    doc = _Doc.of(function)
    shown = _parameters(writer, parameters, hints, function)
    result = writer.type_of(hints.get("return", gives), is_result=True)
    if is_asynchronous(function) and not waits:
        result = f"Promise<{result}>"
    comment = _comment(doc, [each.split(":", 1)[0].strip(".?") for each in shown], parameters, indent)
    return f"{comment}{indent}{keyword}function {name}({', '.join(shown)}): {result};"


def _signature(function: Any) -> tuple[list[inspect.Parameter], Any]:  # noqa: ANN401 - a callable
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some builtins do not tell
        return [_P("args", _P.VAR_POSITIONAL)], _P.empty
    return list(signature.parameters.values()), signature.return_annotation


def _hints(function: Any) -> dict[str, Any]:  # noqa: ANN401 - a callable
    """Annotations that are resolved; what cannot be is left as it is written."""
    while isinstance(function, partial):
        function = function.func
    target = inspect.unwrap(function)
    if not inspect.isroutine(target) and not isinstance(target, type):
        target = type(target).__call__
    try:
        return typing.get_type_hints(target, include_extras=True)
    except Exception:  # noqa: BLE001 - whatever code stands in an annotation
        return {
            key: value for key, value in getattr(target, "__annotations__", {}).items() if not isinstance(value, str)
        }


def _parameters(
    writer: _Writer, parameters: list[inspect.Parameter], hints: Mapping[str, Any], function: object
) -> list[str]:
    fixed = set(function.keywords) if isinstance(function, partial) else set()
    shown: list[str] = []
    options: list[tuple[str, str, bool]] = []
    rest = ""
    must_follow = 0
    positional = [each for each in parameters if each.kind in (_P.POSITIONAL_ONLY, _P.POSITIONAL_OR_KEYWORD)]
    for index, each in enumerate(positional):
        if each.default is _P.empty:
            must_follow = index + 1
    for index, each in enumerate(positional):
        if each.name in fixed:
            continue
        kind = writer.type_of(hints.get(each.name, each.annotation))
        is_optional = each.default is not _P.empty and index >= must_follow
        shown.append(f"{_safe(each.name)}{'?' if is_optional else ''}: {kind}")
    for each in parameters:
        kind = writer.type_of(hints.get(each.name, each.annotation))
        if each.kind is _P.VAR_POSITIONAL:
            rest = f"...{_safe(each.name)}: {_array(kind)}"
        elif each.kind is _P.KEYWORD_ONLY and each.name not in fixed and not each.name.startswith("_"):
            options.append((each.name, kind, each.default is not _P.empty))
        elif each.kind is _P.VAR_KEYWORD:
            options.append(("[name: string]", kind, False))
    if options:
        members = "; ".join(f"{name}{'?' if may else ''}: {kind}" for name, kind, may in options)
        may_be_left_out = all(may or name.startswith("[") for name, _, may in options)
        if rest:  # TypeScript has no parameter after the rest
            return [*shown, f"...{rest[3:].split(':')[0]}: unknown[] /* the last may be {{ {members} }} */"]
        shown.append(f"options{'?' if may_be_left_out else ''}: {{ {members} }}")
    return [*shown, rest] if rest else shown


def _safe(name: str) -> str:
    return f"{name}_" if name in _RESERVED else name


def _array(kind: str) -> str:
    return f"({kind})[]" if re.search(r"[|&]|=>", kind) else f"{kind}[]"


# --- types ------------------------------------------------------------------------------------------------------------


@dataclass
class _Writer:
    """Writes types, and keeps those that need a declaration, by name.

    Attributes:
        types: Declarations, in the order in which they were met.
    """

    types: dict[str, str] = field(default_factory=dict)
    _names: dict[Any, str] = field(default_factory=dict)
    _depth: int = 0

    def type_of(self, hint: Any, *, is_result: bool = False) -> str:  # noqa: ANN401 - an annotation
        """A type as TypeScript writes it."""
        if hint is _P.empty or isinstance(hint, str | typing.ForwardRef | typing.TypeVar) or self._depth > _MAX_DEPTH:
            return "unknown"
        self._depth += 1
        try:
            if hint is None or hint is type(None):
                return "void" if is_result else "null"
            return self._written(hint)
        finally:
            self._depth -= 1

    def _written(self, hint: Any) -> str:  # noqa: ANN401 - an annotation
        origin, arguments = get_origin(hint), get_args(hint)
        if isinstance(hint, typing.NewType):
            return self.type_of(hint.__supertype__)
        if type(hint).__name__ == "TypeAliasType":  # of Python 3.12 and later
            return self.type_of(hint.__value__)
        if origin in (typing.Annotated, typing.Required, typing.NotRequired, typing.Final, typing.ClassVar):
            return self.type_of(arguments[0])
        if origin is Literal:
            return " | ".join(dict.fromkeys(_literal(each) for each in arguments))
        if origin in (Union, types.UnionType):
            return " | ".join(dict.fromkeys(self._member(each) for each in arguments))
        if origin is not None:
            return self._generic(origin, arguments)
        if (scalar := scalar_type(hint)) is not None:
            return scalar
        if isinstance(hint, type):
            return self._named(hint)
        return "unknown"

    def _member(self, hint: Any) -> str:  # noqa: ANN401 - an annotation
        kind = self.type_of(hint)
        return f"({kind})" if "=>" in kind else kind

    def _generic(self, origin: Any, arguments: tuple[Any, ...]) -> str:  # noqa: ANN401 - a class
        if origin is tuple:
            if len(arguments) == 2 and arguments[1] is ...:
                return _array(self.type_of(arguments[0]))
            return f"[{', '.join(map(self.type_of, arguments))}]"
        if origin is type:
            return "unknown"
        if issubclass(origin, Callable):  # type: ignore[arg-type]  # an abstract class
            taken = arguments[0] if arguments else ...
            given = self.type_of(arguments[-1], is_result=True) if arguments else "unknown"
            if not isinstance(taken, list):
                return f"(...args: unknown[]) => {given}"
            return f"({', '.join(f'arg{i}: {self.type_of(each)}' for i, each in enumerate(taken))}) => {given}"
        kinds = [self.type_of(each) for each in arguments] or ["unknown"]
        match _shape_of(origin):
            case "array":
                return _array(kinds[0])
            case "set":
                return f"Set<{kinds[0]}>"
            case "record":
                return f"Record<string, {kinds[-1]}>"
            case "promise":
                return f"Promise<{kinds[-1]}>"
            case "async":
                return f"AsyncIterable<{kinds[0]}>"
            case "iterable":
                return f"Iterable<{kinds[0]}>"
        return self._named(origin)

    def _named(self, kind: type) -> str:
        """A class that has a declaration of its own."""
        if kind in self._names:
            return self._names[kind]
        if issubclass(kind, enum.Enum):
            return self._declare(kind, lambda name: f"type {name} = {' | '.join(_literal(each) for each in kind)};")
        if is_typed_dict(kind) or dataclasses.is_dataclass(kind) or _is_named_tuple(kind):
            return self._declare(kind, lambda name: self._interface(name, kind))
        shape = _shape_of(kind)
        bare = {"array": "unknown[]", "set": "Set<unknown>", "record": "Record<string, unknown>"}
        return bare.get(shape, "unknown")

    def _declare(self, kind: type, write: Callable[[str], str]) -> str:
        name = base = kind.__name__ if _NAME.match(kind.__name__) else "Type"
        number = 1
        while name in self.types:
            number += 1
            name = f"{base}{number}"
        self._names[kind] = name  # before it is written: it may name itself
        self.types[name] = ""
        self.types[name] = _comment(_Doc.of(kind), [], [], "") + write(name)
        return name

    def _interface(self, name: str, kind: type) -> str:
        members = [
            f"  {key if _NAME.match(key) else repr(key)}{'?' if is_optional else ''}: {self.type_of(hint)};"
            for key, hint, is_optional in interface_fields(kind)
        ]
        return "\n".join([f"interface {name} {{", *members, "}"])


def _is_named_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def _shape_of(origin: type) -> str:
    for shape, classes in (
        ("array", (list, tuple, abc.MutableSequence)),
        ("set", (set, frozenset, abc.Set)),
        ("record", (dict, abc.Mapping)),
        ("async", (abc.AsyncIterable,)),
        ("promise", (abc.Awaitable,)),
    ):
        if issubclass(origin, classes):
            return shape
    if issubclass(origin, abc.Sequence):
        return "array"
    return "iterable" if issubclass(origin, abc.Iterable) else ""


def _literal(value: object) -> str:
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None or isinstance(value, bool | int | float | str):
        return json.dumps(value)
    return "unknown"


# --- comments ---------------------------------------------------------------------------------------------------------


@dataclass
class _Doc:
    """A docstring, read as Google's style has it.

    Attributes:
        text: What stands before the sections.
        arguments: What it says of each.
        returns: What it says of the result.
    """

    text: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    returns: str = ""

    @classmethod
    def of(cls, thing: Any) -> _Doc:  # noqa: ANN401 - a callable or a class
        while isinstance(thing, partial):
            thing = thing.func
        if isinstance(thing, type):  # its own, neither that of a base nor one that was made up
            own = thing.__dict__.get("__doc__")
            text = "" if own is None or own.startswith(f"{thing.__name__}(") else inspect.cleandoc(own)
        else:
            text = inspect.getdoc(thing) or ""
        doc, section, name = cls(), "", ""
        kept: list[str] = []
        for line in text.splitlines():
            header = _SECTION.match(line)
            if header:
                section, name = header[1], ""
            elif not section:
                kept.append(line)
            elif section in ("Args", "Arguments", "Parameters"):
                found = _ARGUMENT.match(line.strip())
                is_new = found is not None and len(line) - len(line.lstrip()) <= 4
                if is_new and found is not None:
                    name = found[1]
                    doc.arguments[name] = found[2]
                elif name and line.strip():
                    doc.arguments[name] += " " + line.strip()
            elif section == "Returns" and line.strip():
                doc.returns = f"{doc.returns} {line.strip()}".strip()
        doc.text = "\n".join(kept).strip()
        return doc


def _comment(doc: _Doc, shown: list[str], parameters: list[inspect.Parameter], indent: str) -> str:
    lines = doc.text.splitlines()
    tags: list[str] = []
    for each in parameters:
        said = doc.arguments.get(each.name)
        if said:
            name = _safe(each.name)
            tags.append(f"@param {name if name in shown else f'options.{name}'} {said}")
    if doc.returns:
        tags.append(f"@returns {doc.returns}")
    if lines and tags:
        lines.append("")
    lines += tags
    if not lines:
        return ""
    clean = [line.replace("*/", "*\\/") for line in lines]
    if len(clean) == 1:
        return f"{indent}/** {clean[0]} */\n"
    return "\n".join([f"{indent}/**", *(f"{indent} * {line}".rstrip() for line in clean), f"{indent} */\n"])
