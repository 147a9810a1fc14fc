"""What a daemon keeps of its clients: who has which sandboxes and namespaces. No input or output, no clock."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import fields
from typing import Final

from sandbox._records import record
from sandbox.remote.protocol import Code, Refusal

_MOST_LOST: Final = 100_000


@record(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a daemon allows.

    Attributes:
        sandboxes: At one time, of all clients.
        sandboxes_each: Of one owner.
        memory_bytes: Linear memory of one sandbox.
        namespaces: Kept while they are not in use; the one that was not used for the longest time goes first.
        namespace_bytes: Of all of them together.
        connections: At one time.
        body_bytes: Of one message's body.
    """

    sandboxes: int = 1000
    sandboxes_each: int = 1000
    memory_bytes: int = 256 << 20
    namespaces: int = 1000
    namespace_bytes: int = 256 << 20
    connections: int = 1000
    body_bytes: int = 64 << 20

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{each.name} must be an int, not {type(value).__name__}")
            if value < 1:
                raise ValueError(f"{each.name} must be positive, not {value}")


class Spaces:
    """Namespaces by owner and name: a snapshot each, which nobody here looks into, and who uses it.

    Attributes:
        kept_bytes: What they hold together.
    """

    def __init__(self, bounds: Bounds, on_evicted: Callable[[], object] = lambda: None) -> None:
        """Begin with none.

        Args:
            bounds: How much may be kept.
            on_evicted: Called when one was let go for want of room.
        """
        self._bounds = bounds
        self._on_evicted = on_evicted
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()  # the one used last is the last
        self._in_use: dict[tuple[str, str], object] = {}
        self._lost: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.kept_bytes: int = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def in_use(self) -> int:
        """How many are in use."""
        return len(self._in_use)

    def take(self, owner: str, name: str, user: object, *, restore: bool) -> bytes | None:
        """Begin to use one; its snapshot, None if it is new.

        Raises:
            Refusal: Somebody uses it, or its last use was lost and nobody asks for what was before.
        """
        key = owner, name
        if key in self._in_use:
            raise Refusal(Code.NAMESPACE_IN_USE, f"somebody else uses the namespace {name[:100]!r}")
        if key in self._lost and not restore:
            raise Refusal(
                Code.NAMESPACE_LOST,
                f"the last use of the namespace {name[:100]!r} ended without being kept; take it with restore=True "
                "to go on with what it was before",
            )
        self._lost.pop(key, None)
        self._in_use[key] = user
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, owner: str, name: str, user: object, snapshot: bytes) -> None:
        """Keep what one in use has become, and end its use.

        Raises:
            Refusal: It is not in this use, or there is no room for it.
        """
        key = owner, name
        self._check_use(key, user)
        if len(snapshot) > self._bounds.namespace_bytes:
            raise Refusal(Code.LIMIT, f"namespaces have {self._bounds.namespace_bytes:,} bytes together")
        del self._in_use[key]
        self._forget(key)
        self._kept[key] = snapshot
        self.kept_bytes += len(snapshot)
        self._make_room()

    def leave(self, owner: str, name: str, user: object, *, is_lost: bool = False) -> None:
        """End a use that leaves nothing; the namespace is what it was before.

        Args:
            owner: Whose it is.
            name: Of the namespace.
            user: Whose use it is.
            is_lost: Whether nobody has chosen that: whoever takes it next is told.

        Raises:
            Refusal: It is not in this use.
        """
        key = owner, name
        self._check_use(key, user)
        del self._in_use[key]
        if is_lost:
            self._lost[key] = None
            while len(self._lost) > _MOST_LOST:
                self._lost.popitem(last=False)

    def drop(self, owner: str, name: str) -> bool:
        """Forget one; whether there was one.

        Raises:
            Refusal: Somebody uses it.
        """
        key = owner, name
        if key in self._in_use:
            raise Refusal(Code.NAMESPACE_IN_USE, f"somebody uses the namespace {name[:100]!r}")
        self._lost.pop(key, None)
        was_here = key in self._kept
        self._forget(key)
        return was_here

    def names(self, owner: str) -> list[str]:
        """Those of an owner that are kept."""
        return [name for whose, name in self._kept if whose == owner]

    def _check_use(self, key: tuple[str, str], user: object) -> None:
        if self._in_use.get(key) is not user:
            raise Refusal(Code.NO_NAMESPACE)

    def _forget(self, key: tuple[str, str]) -> None:
        if (before := self._kept.pop(key, None)) is not None:
            self.kept_bytes -= len(before)

    def _make_room(self) -> None:
        for key in list(self._kept):
            if len(self._kept) <= self._bounds.namespaces and self.kept_bytes <= self._bounds.namespace_bytes:
                break
            if key not in self._in_use:
                self._forget(key)
                self._on_evicted()


class Census:
    """How many sandboxes there are, and whose."""

    def __init__(self, bounds: Bounds) -> None:
        """Begin with none."""
        self._bounds = bounds
        self._of: Counter[str] = Counter()

    def enter(self, owner: str) -> None:
        """Count one more.

        Raises:
            Refusal: There may be no more.
        """
        if self._of[owner] >= self._bounds.sandboxes_each:
            raise Refusal(Code.FULL, f"an owner has {self._bounds.sandboxes_each:,} sandboxes at most")
        if self._of.total() >= self._bounds.sandboxes:
            raise Refusal(Code.FULL, f"the daemon runs {self._bounds.sandboxes:,} sandboxes at most")
        self._of[owner] += 1

    def leave(self, owner: str) -> None:
        """Count one less."""
        self._of[owner] -= 1
        if not self._of[owner]:
            del self._of[owner]

    def __len__(self) -> int:
        return self._of.total()

    @property
    def owners(self) -> int:
        """How many have some."""
        return len(self._of)
