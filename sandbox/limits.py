"""What a guest may use, and what it has used.

Limits are on by default. Every default is chosen so that ordinary programs never notice it and a hostile one cannot
hurt its host; each says its reason below.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, Literal, get_args

from sandbox._abi import CAP_DEPTH, CAP_MESSAGE_BYTES, CAP_NODES
from sandbox._records import field, record

Metering = Literal["fuel", "clock"]
"""What stops a guest that does not look at its limits; see `Limits`."""

PAGE_BYTES: Final = 1 << 16
MAX_MEMORY_BYTES: Final = (1 << 32) - PAGE_BYTES
MIN_MEMORY_BYTES: Final = 2 << 20
MIN_STACK_BYTES: Final = 32 << 10

OnLimit = Literal["keep", "poison", "rollback"]
"""What becomes of a sandbox after a limit."""


@record(frozen=True, slots=True, kw_only=True)
class Limits:
    """The budgets of one sandbox. Immutable; may be shared by any number of sandboxes and threads.

    `None` lifts a limit where a field says so. Sizes are in bytes, times in seconds; counts have no unit.

    Attributes:
        memory_bytes: Linear memory of the guest: its heap, stack, ArrayBuffers and image together. 64 MiB runs
            compilers and parsers written in JavaScript; at most 4 GiB less one page, all a 32-bit guest can address.
            The arguments of pending host calls may take as much again, in the host.
        cpu_seconds: Time the guest itself runs in one run, waits for the host excluded. 5 s is far above any
            interactive use, and short enough for a server to lose. None: no limit but `fuel` and `wall_seconds`.
        wall_seconds: Time one run takes in all, host functions, timers and awaited promises included. 30 s is what
            callers of a service usually wait. None: no limit.
        fuel: Instructions of the guest in one run, as wasmtime counts them: the same program uses the same fuel on
            every machine, so this is the limit for reproducible results. None: a backstop derived from `cpu_seconds`,
            generous enough never to fire before it. Only with metering by fuel.
        stack_bytes: The guest's stack. None: the size the image was built for, which holds 5,000 plain calls;
            a smaller number makes deep recursion fail earlier, always as an error the guest can catch.
        output_bytes: Console text kept or delivered for one run, and 256 bytes for each entry. 8 MiB is more than
            anyone reads, and less than a loop of `console.log` would fill memory with. None: no limit.
        max_nodes: Values in one message between guest and host: each element, key and member counts. A million bounds
            the Python objects that one result can make the host build, to roughly 100 MB.
        max_depth: Nesting of one message. 500 levels are as deep as both sides can follow without danger to their
            stacks.
        message_bytes: Size of one encoded message. 32 MiB is half of the default memory, in which the guest needs
            both the value and its encoding.
        pending_requests: Asynchronous host calls, timers included, that wait for an answer at one time. 10,000 keeps a
            loop of un-awaited calls from filling the host's queues. The next ones are refused; a guest that goes on
            past twice as many and a thousand is stopped.
        concurrent_calls: Asynchronous host calls that are worked on at one time, and async iterators of the host that
            are open. 1,000 tasks of an event loop cost some megabytes, where 10,000 cost more than most guests. Further
            calls wait, and begin in order as others end; further iterators are refused.
        handles: Guest functions, promises and iterators that the host holds at one time, and functions and iterators of
            the host that the guest holds. 100,000 of them cost the guest a few megabytes, and the host some more.
        metering: What stops code inside the engine that does not look at the time. `"fuel"`, the default, counts
            instructions: what a program uses is the same on every machine, and such code is stopped some time after its
            limit, as long again or longer. `"clock"` looks at the time: it is stopped some 50 ms after its limit,
            nothing is counted, and programs run a little faster.

    Raises:
        TypeError: A field has the wrong type; bool is not a number here.
        ValueError: A field is zero, negative, not finite, or beyond what the guest can address; `metering` is unknown,
            or there is a limit of fuel and nothing that counts it.
    """

    memory_bytes: int = 64 << 20
    cpu_seconds: float | None = 5.0
    wall_seconds: float | None = 30.0
    fuel: int | None = None
    stack_bytes: int | None = None
    output_bytes: int | None = 8 << 20
    max_nodes: int = 1_000_000
    max_depth: int = CAP_DEPTH
    message_bytes: int = 32 << 20
    pending_requests: int = 10_000
    concurrent_calls: int = 1_000
    handles: int = 100_000
    metering: Metering = "fuel"

    def __post_init__(self) -> None:
        for name in _FIELDS:
            value = getattr(self, name)
            if name == "metering":
                _check_metering(value, self.fuel)
            elif name in _BOUNDS:
                _check_count(name, value, *_BOUNDS[name], optional=name in _OPTIONAL)
            elif value is not None:
                object.__setattr__(self, name, _checked_seconds(name, value))


_FIELDS: Final = tuple(Limits.__annotations__)
# Field -> smallest and largest value.
_BOUNDS: Final[dict[str, tuple[int, int]]] = {
    "memory_bytes": (MIN_MEMORY_BYTES, MAX_MEMORY_BYTES),
    "fuel": (1, (1 << 63) - 1),
    "stack_bytes": (MIN_STACK_BYTES, MAX_MEMORY_BYTES),
    "output_bytes": (1, (1 << 63) - 1),
    "max_nodes": (1, CAP_NODES),
    "max_depth": (1, CAP_DEPTH),
    "message_bytes": (1, CAP_MESSAGE_BYTES),
    "pending_requests": (1, (1 << 31) - 1),
    "concurrent_calls": (1, (1 << 31) - 1),
    "handles": (1, (1 << 31) - 1),
}
_OPTIONAL: Final = frozenset({"fuel", "stack_bytes", "output_bytes"})
# Nanoseconds of ten years still fit the guest's clock.
_MAX_SECONDS: Final = 10 * 365 * 86_400.0


def _check_count(name: str, value: object, smallest: int, largest: int, *, optional: bool) -> None:
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        expected = "an int or None" if optional else "an int"
        raise TypeError(f"{name} must be {expected}, not {type(value).__name__}")
    if not smallest <= value <= largest:
        raise ValueError(f"{name} must be between {smallest:,} and {largest:,}, not {value:,}")


def _check_metering(metering: object, fuel: int | None) -> None:
    if not isinstance(metering, str):
        raise TypeError(f"metering must be a str, not {type(metering).__name__}")
    if metering not in get_args(Metering):
        raise ValueError(f'metering must be "fuel" or "clock", not {metering!r}')
    if metering == "clock" and fuel is not None:
        raise ValueError('fuel is not counted with metering="clock"')


def _checked_seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds or None, not {type(value).__name__}")
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not 0 < seconds <= _MAX_SECONDS:
        raise ValueError(f"{name} must be more than 0 and at most ten years of seconds, not {seconds}; None: no limit")
    return seconds


DEFAULT_LIMITS: Final = Limits()
"""What a sandbox has that is given none."""


@record(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """What one run may ask of the host, of one operation or of several together; see `call_limits` of `Sandbox`.

    Immutable, like `Limits`. None: no limit.

    Attributes:
        calls: How many calls; 0: none.
        bytes: Of arguments and answers together, as `Call` counts them.
        seconds: Time the host works on them, all together, counted when a call ends.
        timeout: Time the host may work on a single one, in seconds. One that takes longer is cancelled, and the program
            gets a TimeoutError. A plain function cannot be cancelled, so it is for what is asynchronous.

    Raises:
        TypeError: A field has the wrong type.
        ValueError: A field is negative, not finite, or too large; `timeout` is zero.
    """

    calls: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    timeout: float | None = None

    def __post_init__(self) -> None:
        for name in ("calls", "bytes"):
            _check_count(name, getattr(self, name), 0, (1 << 63) - 1, optional=True)
        for name in ("seconds", "timeout"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, _checked_seconds(name, value))


@record(frozen=True, slots=True, kw_only=True)
class CallUsage:
    """What the calls of one operation came to; see `Usage.calls`.

    Attributes:
        calls: How many the guest made, those included that were refused.
        failed: How many of them ended in an error, or were denied.
        bytes_in: Bytes of their arguments.
        bytes_out: Bytes of their answers.
        host_seconds: Time the host worked on them.
    """

    calls: int = 0
    failed: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    host_seconds: float = 0.0


@record(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a sandbox has used since it was made; a snapshot that does not change.

    Attributes:
        fuel: Fuel consumed, in wasmtime's units; 0 where the clock is the meter.
        cpu_seconds: Time the guest itself ran.
        wall_seconds: Time spent in runs, waits included.
        memory_bytes: Linear memory at this moment.
        peak_memory_bytes: The most linear memory there ever was; it never shrinks within one instance.
        heap_bytes: Memory the engine's heap holds at this moment.
        host_calls: Calls of host functions, synchronous and queued.
        turns: Times the guest was entered.
        runs: Evaluations and calls begun.
        live_handles: Guest functions the host holds at this moment.
        pending_requests: Host calls that wait for an answer at this moment.
        calls: The calls of each operation that something watches (`on_call`, `on_result`, `call_limits`, `audit`), by
            its name.
    """

    fuel: int = 0
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    memory_bytes: int = 0
    peak_memory_bytes: int = 0
    heap_bytes: int = 0
    host_calls: int = 0
    turns: int = 0
    runs: int = 0
    live_handles: int = 0
    pending_requests: int = 0
    calls: Mapping[str, CallUsage] = field(default_factory=dict, hash=False)


def limits_of_run(max_host_calls: int | None, call_timeout: float | None) -> CallLimits | None:
    """Limits of all calls of one run; None: it has none of its own.

    Raises:
        TypeError: As `CallLimits`.
        ValueError: Likewise.
    """
    if max_host_calls is None and call_timeout is None:
        return None
    return CallLimits(calls=max_host_calls, timeout=call_timeout)
