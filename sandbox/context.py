"""Objects that a program is given for one run, and what becomes of the changes that it makes to them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from datetime import datetime
from typing import Any, Final, Literal

from sandbox.exposure import Exposure
from sandbox.trace import Mutation
from sandbox.values import JSMap, JSSet, undefined

__all__ = ["Frozen", "Sync", "frozen"]

Sync = Literal["none", "diff", "inplace"]
"""What becomes of changes: nothing; they are told, as `Outcome.mutations`; or they are told, and made to the embedder's
own dicts and lists as well, which stay the objects they are."""

MOST_MUTATIONS: Final = 10_000


class Frozen:
    """A value that the guest gets frozen, with all its objects and arrays. Only `frozen` makes one."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        """Wrap it."""
        self.value: object = value

    def __repr__(self) -> str:
        return f"frozen({self.value!r})"


def frozen(value: object) -> Frozen:
    """An entry of a `context` that the program cannot change, at whatever depth.

    A program that is given one is strict code, so that each attempt throws a TypeError.
    """
    return Frozen(value)


class Context:
    """What one run is given.

    Attributes:
        values: By name, as they cross.
        sync: See `Sync`.
        fixed: The names of frozen ones.
        before: What those that are compared were, by name.
        after: What the globals of these names were in the end, or are at a pause, as far as that is known.
    """

    def __init__(self, given: Any, sync: Sync) -> None:  # noqa: ANN401 - it is checked
        """Take entries.

        Raises:
            TypeError: It is no mapping of names.
            ValueError: There is no such mode.
        """
        if not isinstance(given, Mapping):
            raise TypeError(f"context must be a mapping of names to values, not {type(given).__name__}")
        if not {str}.issuperset(map(type, given)):
            raise TypeError("the names in a context are str")
        if sync not in ("none", "diff", "inplace"):
            raise ValueError(f'sync must be "none", "diff" or "inplace", not {sync!r}')
        self._given = given
        self.sync = sync
        self.fixed: frozenset[str] = frozenset(name for name, value in given.items() if isinstance(value, Frozen))
        self.values: dict[str, Any] = {
            name: value.value if isinstance(value, Frozen) else value for name, value in given.items()
        }
        watched = () if sync == "none" else (name for name in self.values if name not in self.fixed)
        self.before: dict[str, Any] = {name: copied(self.values[name]) for name in watched}
        self.after: dict[str, Any] = {}
        self._left_out: frozenset[tuple[str | int, ...]] = frozenset()

    @classmethod
    def restored(cls, sync: Sync, before: dict[str, Any], left_out: Iterable[tuple[str | int, ...]]) -> Context:
        """The context of a run of another life, as a snapshot has it; its objects stayed there.

        Args:
            sync: See `Sync`.
            before: See the class.
            left_out: Where in it something stood that is not compared, since it cannot be in a snapshot.
        """
        context = cls({}, sync)
        context.before, context._left_out = before, frozenset(left_out)
        return context

    def give(self, given: Any) -> None:  # noqa: ANN401 - it is checked
        """Take other objects for those that it began with, to make the changes to.

        Raises:
            TypeError: It is no mapping of names.
        """
        other = Context(given, "none")
        self._given, self.values = given, other.values

    @property
    def watched(self) -> tuple[str, ...]:
        """The names whose values are compared."""
        return tuple(self.before)

    def conclude(self, *, is_over: bool = True) -> tuple[Mutation, ...]:
        """Compare, and make the changes where that is asked for; if the run is over, which it is once."""
        found: list[Mutation] = []
        for name, after in self.after.items():
            for mutation in differences(self.before[name], after, (name,)):
                if len(found) < MOST_MUTATIONS and not self._is_left_out(mutation.path):
                    found.append(mutation)
        if self.sync == "inplace" and is_over:
            for name, after in self.after.items():
                if name in self.values:
                    self._apply(name, after)
        return tuple(found)

    def _is_left_out(self, path: tuple[str | int, ...]) -> bool:
        return bool(self._left_out) and any(path[:length] in self._left_out for length in range(1, len(path) + 1))

    def _apply(self, name: str, after: object) -> None:
        merged = merge(self.values[name], after)
        if merged is not self.values[name] and isinstance(self._given, MutableMapping):
            self._given[name] = merged


# --- comparing --------------------------------------------------------------------------------------------------------


def differences(before: object, after: object, path: tuple[str | int, ...]) -> Iterator[Mutation]:
    """Where two values differ, as deep as they are alike: what a program was given, and what has come back."""
    pending: list[tuple[Any, Any, tuple[str | int, ...]]] = [(before, after, path)]
    seen: set[tuple[int, int]] = set()
    while pending:
        before, after, path = pending.pop()
        if is_container(before) and is_container(after):
            if (id(before), id(after)) in seen:
                continue
            seen.add((id(before), id(after)))
        if isinstance(before, Mapping) and not isinstance(before, JSMap) and type(after) is dict:
            keys = {str(key): each for key, each in before.items()}
            pairs = [(key, keys.get(key, undefined), after.get(key, undefined)) for key in {**keys, **after}]
            pending += [(one, other, (*path, key)) for key, one, other in reversed(pairs)]
        elif isinstance(before, list | tuple) and type(after) is list:
            for index in reversed(range(max(len(before), len(after)))):
                one = before[index] if index < len(before) else undefined
                other = after[index] if index < len(after) else undefined
                pending.append((one, other, (*path, index)))
        elif not _is_same(before, after):
            yield Mutation(path, before, after)


def is_container(value: object) -> bool:
    """Whether a value has parts that are compared one by one."""
    return isinstance(value, Mapping | list | tuple)


def _is_same(before: Any, after: Any) -> bool:  # noqa: ANN401 - any value
    if before is after or (callable(before) and callable(after)):
        return True
    if isinstance(before, Exposure):  # which comes back as what it exposes, and is changed where it is
        return after is before.target
    if isinstance(before, bool) or isinstance(after, bool):
        return before is after
    if isinstance(before, int | float) and isinstance(after, int | float):
        return before == after or (math.isnan(before) and math.isnan(after))
    if isinstance(before, bytes | bytearray | memoryview) and isinstance(after, bytes | bytearray | memoryview):
        return bytes(before) == bytes(after)
    if isinstance(before, set | frozenset) and isinstance(after, set | JSSet):
        return set(before) == set(after)
    if isinstance(before, datetime) and isinstance(after, datetime):
        return abs(before.astimezone().timestamp() - after.timestamp()) < 0.001
    try:
        return bool(type(before) is type(after) and before == after)
    except Exception:  # noqa: BLE001 - whatever objects of the embedder do
        return False


# --- making changes ---------------------------------------------------------------------------------------------------


def merge(target: Any, after: Any) -> Any:  # noqa: ANN401 - any value
    """Make a value what has come back: containers stay the objects they are; gives what stands in its place."""
    if isinstance(target, MutableMapping) and not isinstance(target, JSMap) and type(after) is dict:
        names = {str(key): key for key in target}
        for key in [key for name, key in names.items() if name not in after]:
            del target[key]
        for name, value in after.items():
            key = names.get(name, name)
            target[key] = merge(target[key], value) if key in target else value
        return target
    if isinstance(target, list) and type(after) is list:
        kept = min(len(target), len(after))
        target[:] = [merge(target[index], after[index]) for index in range(kept)] + after[kept:]
        return target
    return target if _is_same(target, after) or _is_like(target, after) else after


def _is_like(target: object, after: object) -> bool:
    """Whether a container that cannot be changed says the same."""
    return is_container(target) and next(differences(target, after, ()), None) is None


def copied(value: Any, copies: dict[int, Any] | None = None) -> Any:  # noqa: ANN401 - any value
    """Containers are copied, once each; all else is as it is."""
    copies = {} if copies is None else copies
    if id(value) in copies:
        return copies[id(value)]
    made: Any
    if type(value) is list:
        copies[id(value)] = made = []
        made += [copied(each, copies) for each in value]
    elif type(value) is dict:
        copies[id(value)] = made = {}
        made.update((key, copied(each, copies)) for key, each in value.items())
    elif isinstance(value, bytearray):
        made = bytes(value)
    elif isinstance(value, JSMap):
        made = JSMap([(copied(key, copies), copied(each, copies)) for key, each in value.items()])
    elif isinstance(value, set | JSSet):
        made = type(value)([copied(each, copies) for each in value])
    else:
        made = value
    return made
