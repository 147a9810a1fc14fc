"""Objects of the host in the guest: the members that an allow-list names, and nothing else.

A class says itself what the guest may use, with `expose` as a decorator; of an object whose class one does not own,
`expose` lists it. The guest gets an object whose methods are functions, and whose other members are read when it reads
them.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar, overload

from sandbox._records import record
from sandbox.functions import HostFunction

__all__ = ["Exposure", "expose"]

T = TypeVar("T")
_MARK: Final = "_sandbox_exposed"
_UNDERSCORE: Final = "a name that begins with an underscore cannot be exposed: {!r}"
_ABSENT: Final = object()
_KINDS: Final[Mapping[type, str]] = {
    int: "an integer",
    float: "a number",
    str: "a string",
    bool: "a boolean",
    list: "an array",
    dict: "an object",
}

Validator = type | Callable[[Any], Any]
"""What looks at a value before it is set: a class, or a function that returns what is set."""


@record(frozen=True, slots=True)
class Member:
    """How the guest reaches one member.

    Attributes:
        name: Its name.
        get: Gives its value for an object: the function, if it is a method.
        set: Sets it; None: the guest cannot.
        is_method: Whether it is a function of the guest's object, else an accessor.
    """

    name: str
    get: Callable[[Any], Any]
    set: Callable[[Any, Any], None] | None = None
    is_method: bool = False


class Exposure:
    """An object together with what the guest may use of it. Only `expose` makes one."""

    members: tuple[Member, ...]
    target: object

    __slots__ = ("members", "target")

    def __init__(self, target: object, members: tuple[Member, ...]) -> None:
        """Join the two."""
        self.target = target
        self.members = members

    def __repr__(self) -> str:
        return f"<Exposure of {', '.join(member.name for member in self.members)}>"


@overload
def expose(target: T, /) -> T: ...
@overload
def expose(target: object, /, *names: str, writable: Iterable[str] | Mapping[str, Validator] = ()) -> Exposure: ...
def expose(target: Any, /, *names: str, writable: Iterable[str] | Mapping[str, Validator] = ()) -> Any:
    """Let the guest use members of an object, and no others.

    As a decorator in a class, on a function, a property, a `staticmethod` or a `classmethod`: instances of the class
    then cross as objects with the marked members. A property whose setter is marked as well can be assigned. What a
    subclass defines anew is not exposed unless it is marked again.

        class Account:
            @expose
            def deposit(self, cents): ...

    With names: an exposure of this one object, to be handed to the guest in its place.

        globals={"clock": expose(clock, "start", "zone.name", writable=("speed",))}

    Methods become functions of the guest, asynchronous ones with promises. Other members are accessors that read the
    attribute each time; values that are objects with exposed members cross the same way. All of them run on the thread
    that runs the guest, and what they raise is thrown where the guest uses them. Where the guest gives the object back,
    Python gets the object itself.

    Args:
        target: What to mark, or the object.
        *names: Attributes the guest may read or call; a dot leads to an attribute of an attribute.
        writable: Attributes the guest may also assign. A mapping says what: a class, of which the value must be an
            instance, or a function that is given the value and returns what is to be set, or raises. It is set, or
            the assignment throws, before the program's next statement.

    Returns:
        The decorated member, unchanged; with names, the exposure.

    Raises:
        AttributeError: The object has no such attribute, or the property cannot be set.
        ValueError: A name begins with an underscore, is no identifier, or is listed in two ways; or a method is to be
            writable.
        TypeError: What is decorated is no member of a class, or names are no strings.
    """
    if not names and not writable:
        return _mark(target)
    return Exposure(target, _members_named(target, _names_in(names), _validators(writable)))


def is_exposed(value: object) -> bool:
    """Whether the class of an object exposes any members."""
    return bool(_names_of(type(value)))


class Anchor:
    """What the guest holds of an object: while it does, the object comes back as itself.

    Attributes:
        target: The object.
    """

    target: object

    __slots__ = ("target",)

    def __init__(self, target: object) -> None:
        """Stand for an object."""
        self.target = target

    def __call__(self) -> None:
        """The guest's programs cannot reach it."""


def parts(value: object) -> list[dict[str, Callable[..., Any]] | Anchor]:
    """Of an exposure, or an object whose class exposes members: values, getters, setters, each by name; its anchor."""
    if isinstance(value, Exposure):
        target, members = value.target, value.members
    else:
        kind, target = type(value), value
        members = tuple([_marked_member(name, _in_class(kind, name)) for name in _names_of(kind)])
    values: dict[str, Callable[..., Any]] = {}
    getters: dict[str, Callable[..., Any]] = {}
    setters: dict[str, Callable[..., Any]] = {}
    for member in members:
        name, accessor = member.name, _Accessor(member, target)
        if member.is_method:
            values[name] = accessor.get()
            continue
        getters[name] = HostFunction(accessor.get, name=f"get {name}")
        if member.set is not None:
            setters[name] = HostFunction(accessor.set, name=f"set {name}")
    return [values, getters, setters, Anchor(target)]


class _Accessor:
    """A member of one object; whatever the guest calls them with, its methods take the arguments of accessors only."""

    __slots__ = ("_member", "_target")

    def __init__(self, member: Member, target: object) -> None:
        self._member = member
        self._target = target

    def get(self) -> Any:  # noqa: ANN401 - any value
        return self._member.get(self._target)

    def set(self, value: object) -> None:
        assert self._member.set is not None
        self._member.set(self._target, value)


# --- members that are marked ------------------------------------------------------------------------------------------

# Names only: members would keep the class alive that they are found by.
_marked: weakref.WeakKeyDictionary[type, tuple[str, ...]] = weakref.WeakKeyDictionary()


def _functions_of(member: object) -> list[Any]:
    """The functions a member of a class is made of, for a property its getter first."""
    if isinstance(member, property):
        return [function for function in (member.fget, member.fset) if function is not None]
    if isinstance(member, staticmethod | classmethod):
        return [member.__func__]
    return [member.func] if isinstance(member, functools.cached_property) else [member]


def _mark(member: T) -> T:
    functions = _functions_of(member)
    if not functions or isinstance(member, type) or not hasattr(type(member), "__get__"):
        raise TypeError(
            f"expose decorates functions, methods and properties, not {type(member).__name__}; "
            "for an object, name what the guest may use"
        )
    for function in functions:
        if getattr(function, "__name__", "").startswith("_"):
            raise ValueError(_UNDERSCORE.format(function.__name__))
        try:
            setattr(function, _MARK, True)
        except AttributeError:
            raise TypeError(f"expose cannot decorate a {type(function).__name__}") from None
    return member


def _is_marked(function: object) -> bool:
    from inspect import getattr_static  # takes long to import

    return getattr_static(function, _MARK, False) is True


def _names_of(kind: type) -> tuple[str, ...]:
    names = _marked.get(kind)
    if names is None:
        names = _marked[kind] = _find_names(kind)
    return names


def _find_names(kind: type) -> tuple[str, ...]:
    names = {name: None for base in reversed(kind.__mro__) for name in vars(base) if not name.startswith("_")}
    return tuple([name for name in names if any(map(_is_marked, _functions_of(_in_class(kind, name))[:1]))])


def _in_class(kind: type, name: str) -> Any:  # noqa: ANN401 - any value
    return next(vars(base)[name] for base in kind.__mro__ if name in vars(base))


def _marked_member(name: str, attribute: Any) -> Member:  # noqa: ANN401 - a descriptor
    """A member by its descriptor: an attribute of the instance that hides it was not marked."""

    def get(target: object) -> Any:  # noqa: ANN401 - any value
        return attribute.__get__(target, type(target))

    if isinstance(attribute, property):
        can_set = attribute.fset is not None and _is_marked(attribute.fset)
        return Member(name, get, attribute.__set__ if can_set else None)
    return Member(name, get, is_method=not isinstance(attribute, functools.cached_property))


# --- members that are named -------------------------------------------------------------------------------------------


def _validators(writable: object) -> dict[str, Validator | None]:
    """What may be assigned, with what looks at it first."""
    if not isinstance(writable, Mapping):
        return dict.fromkeys(_names_in(writable))  # type: ignore[arg-type]  # it is checked there
    for name, validator in writable.items():
        if not callable(validator):
            raise TypeError(f"what may be assigned to {name!r} is said by a class or a function, not {validator!r}")
    return dict(zip(_names_in(writable), writable.values(), strict=True))


def _validated(validator: Validator, name: str, value: object) -> Any:  # noqa: ANN401 - any value
    if not isinstance(validator, type):
        return validator(value)
    kinds: Any = (int, float) if validator is float else validator
    if not isinstance(value, kinds) or (isinstance(value, bool) and validator is not bool):
        raise TypeError(f"{name} must be {_KINDS.get(validator, validator.__name__)}")
    return validator(value) if validator is float else value


def _names_in(names: Iterable[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        raise TypeError("writable must be a collection of names, not one str")
    found = tuple(names)
    for name in found:
        if not isinstance(name, str):
            raise TypeError(f"names are str, not {type(name).__name__}")
        for part in name.split("."):
            _check_name(part)
    return found


def _check_name(name: str) -> None:
    if name.startswith("_"):
        raise ValueError(_UNDERSCORE.format(name))
    if not name.isidentifier():
        raise ValueError(f"not the name of an attribute: {name!r}")


def _members_named(
    target: object, names: Iterable[str], writable: Mapping[str, Validator | None]
) -> tuple[Member, ...]:
    """The members of an allow-list; each must exist now."""
    members: dict[str, Member] = {}
    inner: dict[str, tuple[list[str], dict[str, Validator | None]]] = {}
    for is_writable, listed in ((True, writable), (False, dict.fromkeys(names))):
        for path, validator in listed.items():
            name, dot, rest = path.partition(".")
            if dot and is_writable:
                inner.setdefault(name, ([], {}))[1][rest] = validator
            elif dot:
                inner.setdefault(name, ([], {}))[0].append(rest)
            elif name not in members:
                members[name] = _named_member(target, name, is_writable, validator)
    for name, (read, written) in inner.items():
        if name in members:
            raise ValueError(f"{name!r} is listed both as a whole and in parts")
        _members_named(getattr(target, name), read, written)
        members[name] = Member(name, functools.partial(_exposed_attribute, name, read, written))
    return tuple(members.values())


def _named_member(target: object, name: str, is_writable: bool, validator: Validator | None) -> Member:
    from inspect import getattr_static, isroutine  # takes long to import

    attribute = getattr_static(target, name, _ABSENT)
    if attribute is _ABSENT:
        getattr(target, name)  # raises, unless the attribute is made up when it is asked for
    is_method = isroutine(attribute) or isinstance(attribute, staticmethod | classmethod)
    if is_writable and is_method:
        raise ValueError(f"a method cannot be writable: {name!r}")
    if is_writable and isinstance(attribute, property) and attribute.fset is None:
        raise AttributeError(f"the property {name!r} has no setter")

    def get(target: object) -> Any:  # noqa: ANN401 - any value
        return getattr(target, name)

    def write(target: object, value: object) -> None:
        setattr(target, name, value if validator is None else _validated(validator, name, value))

    return Member(name, get, write if is_writable else None, is_method)


def _exposed_attribute(
    name: str, read: Iterable[str], written: Mapping[str, Validator | None], target: object
) -> Exposure | None:
    """The attribute there is now, with the part of the list that concerns it."""
    value = getattr(target, name)
    return None if value is None else Exposure(value, _members_named(value, read, written))
