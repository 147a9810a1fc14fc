"""Read a file of TypeScript declarations, as far as `bindings/types/sandbox.d.ts` goes.

It knows top-level `interface`, `type`, `declare var` and `declare function`, and the members of interfaces and object
types. Types are kept as text. Anything else is refused, so that nothing is left out unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_PATH = Path(__file__).parent.parent / "bindings" / "types" / "sandbox.d.ts"
_SKIPPED = re.compile(r"/\*.*?\*/|//[^\n]*|(\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)", re.DOTALL)
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_NAME = r"[A-Za-z_$][\w$]*"
_MEMBER = re.compile(rf"(?P<readonly>readonly )?(?P<name>{_NAME}|\[[\w.]+\])(?P<optional>\?)? ?(?=[(<:])")


class DeclarationError(ValueError):
    """The file has something that this reader does not know."""


@dataclass(frozen=True)
class Member:
    """One member of an interface or object type.

    Attributes:
        name: Its key; `[Symbol.iterator]` for a symbol, `new` for a constructor, empty for a call.
        kind: What it is.
        type: For properties, as text.
        required: How many arguments a method needs at least, over all its overloads.
    """

    name: str
    kind: str  # "method", "readonly" or "property"
    type: str
    required: int


@dataclass
class Interface:
    """An interface or object type, with its members by name."""

    extends: list[str] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)


@dataclass
class Declarations:
    """What a file declares.

    Attributes:
        interfaces: By name.
        objects: Global variables of an object type, which is mostly that of a constructor.
        variables: Other global variables, with their types.
        functions: Global functions, with the number of arguments that they need.
    """

    interfaces: dict[str, Interface] = field(default_factory=dict)
    objects: dict[str, Interface] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    functions: dict[str, int] = field(default_factory=dict)

    def names(self) -> set[str]:
        """All globals."""
        return self.objects.keys() | self.variables.keys() | self.functions.keys()


def _split(text: str, separator: str) -> Iterator[str]:
    """Cut at a character outside of all brackets; what is in type arguments is inside as well."""
    depth, start, angles = 0, 0, 0
    for index, character in enumerate(text):
        if character in _PAIRS:
            depth += 1
        elif character in _PAIRS.values():
            depth -= 1
        elif character == "<":
            angles += 1
        elif character == ">" and text[index - 1] != "=":
            angles -= 1
        elif character == separator and depth == angles == 0:
            yield text[start:index].strip()
            start = index + 1
        if depth < 0 or angles < 0:
            raise DeclarationError(f"brackets do not match in {text[:80]!r}")
    if rest := text[start:].strip():
        yield rest


def _closing(text: str, start: int) -> int:
    """Where the bracket that opens at `start` is closed."""
    depth = 0
    for index in range(start, len(text)):
        depth += (text[index] in _PAIRS) - (text[index] in _PAIRS.values())
        if depth == 0:
            return index
    raise DeclarationError(f"a bracket is not closed: {text[start : start + 80]!r}")


def _required(signature: str) -> int:
    """How many arguments a signature asks for; it begins with its parameters or their type parameters."""
    at = signature.index("(")
    parameters = list(_split(signature[at + 1 : _closing(signature, at)], ","))
    return sum(
        not parameter.startswith("...")
        and not re.match(rf"{_NAME}\?", parameter)
        and not re.match(r"this\s*:", parameter)
        for parameter in parameters
    )


def _members(body: str) -> dict[str, Member]:
    members: dict[str, Member] = {}
    for text in _split(body, ";"):
        found = _MEMBER.match(text)
        if re.match(r"(new )?[(<]", text):
            name = "new" if text.startswith("new") else ""
            new = Member(name, "method", "", _required(text))
        elif found is None:
            raise DeclarationError(f"no member of a known form: {text[:80]!r}")
        elif text[found.end()] == ":":
            kind = "readonly" if found["readonly"] else "property"
            new = Member(found["name"], kind, text[found.end() + 1 :].strip(), 0)
        else:
            new = Member(found["name"], "method", "", _required(text[found.end() :]))
        if (old := members.get(new.name)) and not old.kind == new.kind == "method":
            raise DeclarationError(f"{new.name!r} is declared twice")
        required = min(new.required, old.required) if old else new.required
        members[new.name] = Member(new.name, new.kind, new.type, required)
    return members


def parse(source: str) -> Declarations:
    """Read declarations.

    Raises:
        DeclarationError: There is something this reader does not know, or the same thing twice.
    """
    # Comments go, and what is in quotes becomes harmless.
    text = _SKIPPED.sub(lambda found: re.sub(r"[^\w'\"`]", "_", found[1] or "") or " ", source)
    text = re.sub(r"\s+", " ", text).strip()
    result = Declarations()
    while text:
        head = re.match(rf"(interface|type|declare var|declare function) ({_NAME}) ?", text)
        if not head:
            raise DeclarationError(f"no declaration of a known form: {text[:80]!r}")
        kind, name = head.groups()
        if kind == "interface":
            start = text.index("{", head.end())
            end = _closing(text, start)
            bases = re.match(r"(?:<.*?>)? ?(?:extends (.*))?$", text[head.end() : start].strip())
            if bases is None or name in result.interfaces:
                raise DeclarationError(f"the interface {name} is declared twice, or in an unknown form")
            extends = [re.sub(r"<.*", "", base) for base in _split(bases[1] or "", ",")]
            result.interfaces[name] = Interface(extends, _members(text[start + 1 : end]))
            text = text[end + 1 :].strip()
            continue
        statement = next(_split(text, ";"))
        rest = statement[head.end() :].strip()
        text = text[text.index(statement) + len(statement) + 1 :].strip()
        if kind == "declare function":
            result.functions[name] = min(_required(rest), result.functions.get(name, 100))
        elif kind == "declare var":
            if name in result.names() or not rest.startswith(":"):
                raise DeclarationError(f"the variable {name} is declared twice, or without a type")
            type_ = rest[1:].strip()
            if type_.startswith("{") and _closing(type_, 0) == len(type_) - 1:
                result.objects[name] = Interface([], _members(type_[1:-1]))
            else:
                result.variables[name] = type_
    return result


def guest_declarations() -> Declarations:
    """What guests are told they have."""
    return parse(_PATH.read_text(encoding="utf-8"))
