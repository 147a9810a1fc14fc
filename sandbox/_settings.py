"""What an instance of the guest is told when it starts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Protocol

from sandbox._abi import CAP_STACK_BYTES
from sandbox._instance import MakeInstance
from sandbox._records import NamedTuple

if TYPE_CHECKING:
    from sandbox._abi import Clock, Control
    from sandbox.errors import ErrorDetail
    from sandbox.limits import Limits


_MAX_OUTBOX_BYTES: Final = 1 << 18

__all__ = ["MakeInstance", "Place", "Settings"]


class Place(Protocol):
    """Where instances are, if not in this process."""

    def instances(self) -> MakeInstance:
        """What makes them.

        Raises:
            SandboxError: It cannot be reached.
        """


class Settings(NamedTuple):
    """The settings of one instance; its budgets are `Limits`.

    Attributes:
        random_seed: Seed of `Math.random`; 0, for a guest that continues: it stays with the one it has.
        time_origin_ms: `performance.timeOrigin`.
        clock: Which clock the guest reads.
        poll_interval: Interrupt checks of the engine between two polls, each some ten microseconds of ordinary code;
            0: never.
        error_detail: What the guest sees of exceptions of the host.
        clock_resolution_ms: Steps of the real clock; 0: as fine as it is.
        has_locales: Whether there is data of locales; without, the guest has no Intl.
        zone: The transitions of the time zone, see `wasm/src/zones.c`; empty: it is UTC.
        make_instance: Makes the instance; None: an ordinary one.
    """

    random_seed: int
    time_origin_ms: float
    clock: Clock
    poll_interval: int
    error_detail: ErrorDetail = "message"
    clock_resolution_ms: int = 0
    has_locales: bool = False
    zone: bytes = b""
    make_instance: MakeInstance | None = None

    def write(self, control: Control, limits: Limits) -> None:
        """Tell a guest that is about to start, or to continue."""
        control.stack_limit_bytes = min(limits.stack_bytes or CAP_STACK_BYTES, CAP_STACK_BYTES)
        control.max_nodes = limits.max_nodes
        control.max_depth = limits.max_depth
        control.max_message_bytes = limits.message_bytes
        control.max_outbox_bytes = _MAX_OUTBOX_BYTES
        control.random_seed = self.random_seed
        control.time_origin_ms = self.time_origin_ms
        control.clock_mode = self.clock
        control.clock_resolution_ms = self.clock_resolution_ms
        control.poll_interval = self.poll_interval
        control.has_locales = self.has_locales


def seed64(seed: int | None) -> int:
    """A seed as the guest takes it: 64 bits, not 0; None: a random one."""
    if seed is None:
        return int.from_bytes(os.urandom(8), "little") | 1
    return seed * 0x9E3779B97F4A7C15 & (1 << 64) - 1 or 1
