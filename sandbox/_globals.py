"""The properties of a blocking sandbox's globalThis, as a mapping, and which of them not every sandbox has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from sandbox._abi import Verb
from sandbox.errors import UsageError
from sandbox.values import undefined


class Globals(MutableMapping[str, Any]):
    """The properties of a sandbox's globalThis. Each use is one entry into the guest, under its limits.

    Iteration and length count what programs and embedders put there, not what every sandbox has.
    """

    def __init__(self, access: Callable[..., Any], standard: Callable[[], frozenset[str]]) -> None:
        """A view of one sandbox.

        Args:
            access: Does something with a property.
            standard: Gives the names that every sandbox has.
        """
        self._access = access
        self._standard = standard

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - any value
        value = self._access(Verb.GET, _checked(key))
        if value is undefined and key not in self:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:  # noqa: ANN401 - any value
        self._access(Verb.SET, _checked(key), value)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        if not self._access(Verb.DELETE, key):
            raise UsageError(f"the global {key!r} cannot be deleted")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and bool(self._access(Verb.HAS, key))

    def __iter__(self) -> Iterator[str]:
        return iter(own_names(self._access(Verb.KEYS, ""), self._standard()))

    def __len__(self) -> int:
        return len(own_names(self._access(Verb.KEYS, ""), self._standard()))

    def __repr__(self) -> str:
        return "<globals of a sandbox>"


def own_names(names: list[str], standard: frozenset[str]) -> list[str]:
    """Those names of globals that not every sandbox has."""
    return [name for name in names if name not in standard]


def _checked(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"the name of a global is a str, not {type(key).__name__}")
    return key
