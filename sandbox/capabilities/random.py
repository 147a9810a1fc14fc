"""Random bytes for `crypto`: from the operating system, or from a seed."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sandbox.capabilities.base import Capability, Handler

if TYPE_CHECKING:
    import random

# What Python tells of a Mersenne twister: its words, and which comes next.
_STATE: Final = struct.Struct("<625I")
_STATE_VERSION: Final = 3
_MAX_BYTES: Final = 65_536  # the quota of crypto.getRandomValues (Web Cryptography API, section 10.1.1)


class Random(Capability):
    """A source of random bytes.

    With a seed every sandbox draws the same bytes, which is what reproducible runs want and keys must never be made of.
    """

    stem: ClassVar[str] = "random"
    titles: ClassVar[Mapping[str, str]] = {"fill": "crypto.getRandomValues"}
    quiet: ClassVar[frozenset[str]] = frozenset({"fill"})

    def __init__(self, seed: int | None = None) -> None:
        """Make a source.

        Args:
            seed: Any int; None: the operating system's generator.
        """
        self._seeded = None if seed is None else _twister(seed)
        self._draw: Callable[[int], bytes] = os.urandom if self._seeded is None else self._seeded.randbytes

    def handlers(self) -> Mapping[str, Handler]:
        """See `Capability`."""
        return {"fill": self._fill}

    def checkpoint(self) -> Callable[[], object]:
        """See `Capability`: after a rollback the same bytes are drawn again."""
        if self._seeded is None:
            return super().checkpoint()
        return partial(self._seeded.setstate, self._seeded.getstate())

    def save(self, secrets: dict[str, Any]) -> Any:  # noqa: ANN401 - plain data
        """See `Capability`: where a seed was given, what is drawn next."""
        return None if self._seeded is None else _STATE.pack(*self._seeded.getstate()[1])

    def load(self, saved: Any, secret: Any) -> None:  # noqa: ANN401 - plain data
        """See `Capability`: a seed that is given now counts more."""
        if saved is None:
            return
        if type(saved) is not bytes or len(saved) != _STATE.size:
            raise ValueError("no state")
        if self._seeded is None:
            self._seeded = _twister(0)
            self._seeded.setstate((_STATE_VERSION, _STATE.unpack(saved), None))
            self._draw = self._seeded.randbytes

    def _fill(self, count: object) -> bytes:
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= _MAX_BYTES:
            raise ValueError(f"the byte count must be between 0 and {_MAX_BYTES}")
        return self._draw(count)


def _twister(seed: int) -> random.Random:
    """A Mersenne twister: reproducible, and meant to be predictable."""
    from random import Random  # takes long to import

    return Random(seed)  # noqa: S311 - the same
