"""`JSMap` and `JSSet`: JavaScript's Map and Set as Python containers.

A Map tells `1`, `true` and `1n` apart, keeps objects as keys by identity, and remembers insertion order; a dict cannot
do all of this. Both classes key their entries by a *token* of the key:

* numbers by value (`1` and `1.0` are one number in JavaScript, every NaN is the same key), booleans, bigints, strings,
  bytes and None each among their own kind;
* any other hashable Python value by its own hash and equality;
* unhashable values (lists, dicts, other maps) by identity.
"""

from __future__ import annotations

from collections.abc import (
    Hashable,
    ItemsView,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    MutableSet,
    Set,
    ValuesView,
)
from reprlib import recursive_repr
from typing import Any, TypeVar

from sandbox._scalars import BigInt, undefined

T = TypeVar("T")

_NAN = ("number", "NaN")


def _by_identity(value: object) -> Hashable:
    return ("object", id(value))


def _token(value: object) -> Hashable:
    """What a key is looked up by; equal tokens mean the same key."""
    kind = type(value)
    if kind is str:
        return value
    if kind is int or kind is float:
        return ("number", value) if value == value else _NAN
    if kind is bool:
        return ("boolean", value)
    if isinstance(value, BigInt):
        # The hash of an int can be chosen by whoever chooses the int; that of its bytes cannot.
        return ("bigint", value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True))
    try:
        hash(value)
    except (TypeError, ValueError):  # a memoryview of numbers refuses with ValueError
        return _by_identity(value)
    return ("value", kind, value)


class JSMap(MutableMapping[Any, Any]):
    """A JavaScript Map: ordered entries whose keys may be anything, unhashable values included.

    It reads like a dict and goes back into the guest as a Map. `1`, `True` and `BigInt(1)` are three keys; unhashable
    keys are found by identity. Not thread-safe.

    Args:
        entries: A mapping, or pairs of key and value.
    """

    __slots__ = ("__weakref__", "_entries")

    def __init__(self, entries: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = ()) -> None:
        self._entries: dict[Hashable, tuple[Any, Any]] = {}
        for key, value in entries.items() if isinstance(entries, Mapping) else entries:
            self[key] = value

    def _find(self, key: object) -> Hashable | None:
        """Its own identity comes first: of two equal keys of the guest, each finds its own entry."""
        for token in (_by_identity(key), _token(key)):
            if token in self._entries:
                return token
        return None

    def __getitem__(self, key: object) -> Any:  # noqa: ANN401 - a Map holds anything
        token = self._find(key)
        if token is None:
            raise KeyError(key)
        return self._entries[token][1]

    def __setitem__(self, key: object, value: object) -> None:
        token = self._find(key)
        if token is None:
            token = _token(key)
        else:
            key = self._entries[token][0]
        self._entries[token] = (key, value)

    def __delitem__(self, key: object) -> None:
        token = self._find(key)
        if token is None:
            raise KeyError(key)
        del self._entries[token]

    def __contains__(self, key: object) -> bool:
        return self._find(key) is not None

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __eq__(self, other: object) -> bool:
        """Equal to any mapping with the same keys and equal values, in any order."""
        if not isinstance(other, Mapping):
            return NotImplemented
        if len(self) != len(other):
            return False
        if not isinstance(other, JSMap):
            other = JSMap(other)
        return all(key in other and other[key] == value for key, value in self._entries.values())

    __hash__ = None  # type: ignore[assignment] # mutable, like a dict

    @recursive_repr("JSMap(...)")
    def __repr__(self) -> str:
        return f"JSMap([{', '.join(map(repr, self._entries.values()))}])"

    def items(self) -> ItemsView[Any, Any]:
        """The entries, in insertion order, without hashing the keys."""
        return _Entries(self)

    def values(self) -> ValuesView[Any]:
        """The values, in insertion order, without hashing the keys."""
        return _Values(self)

    def add_distinct(self, key: object, value: object) -> None:
        """Add an entry of a Map being read from the guest, where no two keys are the same.

        Two Date or ArrayBuffer keys may be equal in Python though they are two objects in JavaScript; the later one is
        then kept by identity, so that no entry is lost.

        Raises:
            ValueError: The key is there already, like the text of a second String object.
        """
        token = _distinct_token(key, self._entries)
        self._entries[token] = (key, value)

    def __getstate__(self) -> list[tuple[Any, Any]]:
        return list(self._entries.values())

    def __setstate__(self, state: list[tuple[Any, Any]]) -> None:
        self._entries = {}
        for key, value in state:
            self.add_distinct(key, value)


class _Entries(ItemsView[Any, Any]):
    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        mapping: Any = self._mapping  # type: ignore[attr-defined] # typeshed leaves the field of MappingView out
        return iter(mapping._entries.values())


class _Values(ValuesView[Any]):
    def __iter__(self) -> Iterator[Any]:
        mapping: Any = self._mapping  # type: ignore[attr-defined] # as above
        return (value for _, value in mapping._entries.values())


class JSSet(MutableSet[Any]):
    """A JavaScript Set: ordered members that may be anything, unhashable values included.

    It equals a Python set with the same members and goes back into the guest as a Set; a plain `set` goes in as a Set
    too. `1`, `True` and `BigInt(1)` are three members; unhashable members are found by identity. Not thread-safe.

    Args:
        members: The first members, in order.
    """

    __slots__ = ("__weakref__", "_members")

    def __init__(self, members: Iterable[Any] = ()) -> None:
        self._members: dict[Hashable, Any] = {}
        for member in members:
            self.add(member)

    @classmethod
    def _from_iterable(cls, it: Iterable[T]) -> JSSet:  # members are not restricted to one type
        return cls(it)

    def __contains__(self, member: object) -> bool:
        return _token(member) in self._members or _by_identity(member) in self._members

    def __iter__(self) -> Iterator[Any]:
        return iter(self._members.values())

    def __len__(self) -> int:
        return len(self._members)

    def add(self, value: object) -> None:
        """Add a member; nothing happens when it is there."""
        if value not in self:
            self._members[_token(value)] = value

    def discard(self, value: object) -> None:
        """Remove a member; nothing happens when it is not there."""
        for token in (_by_identity(value), _token(value)):
            if token in self._members:
                del self._members[token]
                return

    def __eq__(self, other: object) -> bool:
        """Equal to any set with the same members, in any order."""
        if not isinstance(other, Set):
            return NotImplemented
        members = other if isinstance(other, JSSet) else JSSet(other)
        return len(self) == len(members) and all(member in members for member in self)

    __hash__ = None  # type: ignore[assignment] # mutable, like a set

    @recursive_repr("JSSet(...)")
    def __repr__(self) -> str:
        return f"JSSet([{', '.join(map(repr, self))}])"

    def add_distinct(self, value: object) -> None:
        """Add a member of a Set being read from the guest; see `JSMap.add_distinct`.

        Raises:
            ValueError: The member is there already.
        """
        self._members[_distinct_token(value, self._members)] = value

    def __getstate__(self) -> list[Any]:
        return list(self._members.values())

    def __setstate__(self, state: list[Any]) -> None:
        self._members = {}
        for member in state:
            self.add_distinct(member)


def _distinct_token(value: object, taken: Mapping[Hashable, object]) -> Hashable:
    token = _token(value)
    if token in taken:
        if type(token) is not tuple or token[0] != "value" or value is None or value is undefined:
            raise ValueError("a key that is the same as another one in Python")
        token = _by_identity(value)
        if token in taken:
            if type(value) is not bytes:
                raise ValueError("a key that is the same as another one in Python")
            token = ("copy", len(taken))  # Python keeps one object for all bytes of length 0, and of each length 1
    return token
