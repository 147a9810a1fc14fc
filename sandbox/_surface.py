"""What an embedder gives to a guest: the first globals, those of capabilities among them, and their names in logs."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox._granted import title_of
from sandbox._operations import Entry
from sandbox._records import field, record
from sandbox.capabilities.base import Capability
from sandbox.errors import UsageError
from sandbox.functions import HostFunction

if TYPE_CHECKING:
    from sandbox._operations import Operations

# Levels of objects in a global whose functions have names; what is deeper has its own.
_MOST_NAMED: Final = 4
# Capabilities that serve a sandbox, or did.
_serving: Final[weakref.WeakValueDictionary[int, Capability]] = weakref.WeakValueDictionary()


@record(slots=True)
class Surface:
    """Globals in the order in which they are set.

    Attributes:
        values: By name.
        scripts: Run after some of them, by the same name.
        entries: What bindings are asked for before them, by the name that says that it was done.
    """

    values: dict[str, Any]
    scripts: dict[str, str] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)
    _entries: list[tuple[Callable[..., Any], Entry]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.values or self.entries)

    def name(self) -> None:
        """Say what the embedder's functions are called in hooks, limits and logs."""
        for name, value in self.values.items():
            self._name(name, value, 0)

    def _name(self, name: str, value: object, depth: int) -> None:
        if callable(value):
            self._entries.append((value, Entry(name, value)))
        elif isinstance(value, Mapping) and depth < _MOST_NAMED:
            for key, member in value.items():
                self._name(f"{name}.{key}", member, depth + 1)

    def add(self, capability: Capability) -> None:
        """Add the global of a capability."""
        functions = {name: HostFunction(handler, name=name) for name, handler in capability.handlers().items()}
        for name, function in functions.items():
            self._entries.append((function, Entry(title_of(capability, name), function, capability, name)))
        self.values[capability.stem] = functions
        if capability.source:
            # A line of the source is the same line of the script.
            script = f"void ({capability.stem} = ({capability.source}\n)({capability.stem}))"
            self.scripts[capability.stem] = script

    def enter(self, operations: Operations) -> None:
        """Tell the table of operations of all names."""
        for function, entry in self._entries:
            operations.enter(function, entry)

    def leave_out(self, names: Iterable[str]) -> None:
        """Some are there already."""
        for name in names:
            self.values.pop(name, None)
            self.scripts.pop(name, None)
            self.entries.pop(name, None)


def own_capabilities(given: object, built_in: Iterable[str]) -> tuple[Capability, ...]:
    """The capabilities of an option.

    Args:
        given: The option.
        built_in: The names of those of the package, which are taken.

    Raises:
        TypeError: They are none.
        ValueError: One has no name, or that of another.
        UsageError: One serves another sandbox.
    """
    if not isinstance(given, Iterable):
        raise TypeError(f"capabilities must be a collection of Capability objects, not {type(given).__name__}")
    taken = set(built_in)
    own: list[Capability] = []
    for each in given:
        capability = each if isinstance(each, Capability) or not callable(each) else each()
        if not isinstance(capability, Capability):
            raise TypeError(f"capabilities must be Capability objects, or make some, not {type(capability).__name__}")
        stem = getattr(capability, "stem", None)
        if not isinstance(stem, str) or not stem.isidentifier():
            raise ValueError(f"the stem of a capability must be an identifier, not {stem!r}")
        if stem in taken:
            raise ValueError(f"there is another capability of the name {stem!r}")
        if _serving.get(id(capability)) is capability:
            raise UsageError(f"the capability {stem!r} serves another sandbox; each needs one of its own")
        taken.add(stem)
        own.append(capability)
    _serving.update({id(capability): capability for capability in own})
    return tuple(own)
