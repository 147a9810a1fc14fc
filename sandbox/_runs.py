"""Runs: what the embedder asked for, from its first turn until its outcome, and what it may still use."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sandbox._origins import chars_of
from sandbox._pausing import misplaced
from sandbox.errors import CpuLimitExceeded, FuelLimitExceeded, LimitExceeded, Paused, WallLimitExceeded
from sandbox.pause import pause_in
from sandbox.stop import stop_in

if TYPE_CHECKING:
    from sandbox._observer import Meter, Observer
    from sandbox._watched import Watched
    from sandbox.limits import Limits

# Where fuel is the meter, but not limited, a tank stands behind the limits of time, and ends what never polls. Bytecode
# burns 0.6 to 1.6e10 units a second. Copying memory burns up to 8.5e10, so polls fill the tank again, as often as four
# times: for code that polls it is never empty before the time is up.
_FUEL_PER_SECOND: Final = 22_000_000_000
_SPARE_TANKS: Final = 4
_UNLIMITED_FUEL: Final = 1 << 62
_SLACK_SECONDS: Final = 0.1

_FRAMES: Final = 100  # of Python code in a turn; there are some 30, and a host function has its own
_MAX_SOURCES: Final = 64
_MAX_SOURCE_CHARS: Final = 8 << 20


class Run:
    """One request of the embedder and its budgets, which count from now.

    Attributes:
        id: Its number in the guest.
        deadline: When it must have ended, on `time.monotonic()`; infinity: never.
        output_bytes: Console text it has written.
        idle: Whether it only waits until nothing is pending any more.
        entered: Whether it has had its first turn: until then other runs may still wait for it.
        ended: Whether its caller has gone.
        done: Whether `value` or `error` is its outcome.
        has_run: Whether the guest was told of it.
        forced: Whether it ended before its program did: by a limit, an interruption or a failure of the host.
        undone: Whether the sandbox was set back to before it.
        concluded: Whether what a limit does to the sandbox was done.
        was_stopped: Whether its host has ended it by `Stop`.
        is_answer: Whether a value can be its outcome at all; else the guest has broken the ABI. None: any can.
        thread: Which one began it.
        observer: What is done about the calls of its turns; None: nothing.
        meters: See `Metered`.
        trace: What is written down of it; None: nothing.
        requests: Host calls it asked for that have no answer yet, by number, with what cancels each.
        answers: Completed requests of its own that the guest has not been told of.
        wake: Ends its wait; any thread. The face sets it before the first step.
    """

    concluded: bool
    cpu_limit: float | None
    cpu_used: float
    deadline: float
    done: bool
    ended: bool
    entered: bool
    forced: bool
    fuel_limit: int | None
    fuel_used: int
    has_run: bool
    id: int
    idle: bool
    observer: Observer | None
    output_bytes: int
    started: float
    thread: int
    undone: bool
    wall_limit: float
    was_stopped: bool

    __slots__ = (
        "answers",
        "concluded",
        "cpu_limit",
        "cpu_used",
        "deadline",
        "done",
        "ended",
        "entered",
        "error",
        "forced",
        "fuel_limit",
        "fuel_used",
        "has_run",
        "id",
        "idle",
        "is_answer",
        "meters",
        "observer",
        "output_bytes",
        "requests",
        "started",
        "thread",
        "trace",
        "undone",
        "value",
        "wake",
        "wall_limit",
        "was_stopped",
    )

    def __init__(
        self,
        number: int,
        limits: Limits,
        timeout: float | None,
        fuel: int | None,
        observer: Observer | None = None,
    ) -> None:
        self.id = number
        self.cpu_limit = limits.cpu_seconds
        self.cpu_used = 0.0
        self.fuel_limit = limits.fuel if fuel is None else fuel
        self.fuel_used = 0
        wall = math.inf if limits.wall_seconds is None else limits.wall_seconds
        self.wall_limit = wall if timeout is None or timeout > wall else timeout
        self.thread = threading.get_ident()
        self.started = time.monotonic()
        self.deadline = self.started + self.wall_limit
        self.output_bytes = 0
        self.idle = False
        self.entered = False
        self.has_run = False
        self.ended = False
        self.done = False
        self.forced = False
        self.undone = False
        self.concluded = False
        self.was_stopped = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.is_answer: Callable[[object], bool] | None = None
        self.observer = observer
        self.meters: dict[str, Meter] = {}
        self.trace: Watched | None = None
        self.requests: dict[int, None] = {}
        self.answers: deque[tuple[Any, Any]] = deque()
        self.wake: Callable[[], object] = _nobody

    # --- outcome ---

    def finish(self, value: object) -> None:
        """Set the value; an error that came first stands."""
        if not self.done:
            self.done, self.value = True, value

    def fail(self, error: BaseException) -> None:
        """Set the error; it replaces a value, since what went wrong after it would be lost otherwise."""
        if self.error is None:
            self.done, self.value, self.error = True, None, error
            self.forced = isinstance(error, LimitExceeded)
            self.was_stopped = stop_in(error) is not None

    def force(self, error: BaseException) -> None:
        """Set the error that ended the program from outside; it replaces what the program said while it was unwound."""
        if not self.forced:
            pause = error if isinstance(error, Paused) else pause_in(error)
            self.done, self.value, self.forced = True, None, True
            self.error = (stop_in(error) or error) if pause is None else misplaced(pause)
            self.was_stopped = stop_in(self.error) is not None

    def outcome(self) -> Any:  # noqa: ANN401 - any value
        """Return the value or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value

    def hand_over(self) -> None:
        """Let go of the outcome, which whoever asked for it has.

        Host calls may go on for long after their run, and an error holds all that its traceback has met.
        """
        self.value = self.error = None

    # --- budgets ---

    def refusal(self, now: float) -> LimitExceeded | None:
        """Why it may not have another turn; None when it may."""
        if now >= self.deadline:
            return WallLimitExceeded(self.wall_limit, now - self.started)
        if self.cpu_limit is not None and self.cpu_used >= self.cpu_limit:
            return CpuLimitExceeded(self.cpu_limit, self.cpu_used)
        if self.fuel_limit is not None and self.fuel_used >= self.fuel_limit:
            return FuelLimitExceeded(self.fuel_limit, self.fuel_used)
        return None

    def budget(self, now: float) -> tuple[float | None, int, int]:
        """For a turn that begins now: guest time in seconds, None: no limit; fuel; spare fuel (`Instance.arm`)."""
        seconds = self.deadline - now
        if self.cpu_limit is not None and (left := self.cpu_limit - self.cpu_used) < seconds:
            seconds = left
        if seconds < 0.0:  # a busy machine may take any time since it was seen whether it may have the turn
            seconds = 0.0
        if self.fuel_limit is not None:
            return (None if seconds == math.inf else seconds), self.fuel_limit - self.fuel_used, 0
        if seconds == math.inf:
            return None, _UNLIMITED_FUEL, 0
        fuel = int((seconds + _SLACK_SECONDS) * _FUEL_PER_SECOND)
        return seconds, fuel, _SPARE_TANKS * fuel

    def seconds_left(self, turn_seconds: float) -> float:
        """How long it may go on.

        Args:
            turn_seconds: Guest time of the turn in progress, not yet charged.
        """
        left = self.deadline - time.monotonic()
        if self.cpu_limit is not None:
            left = min(left, self.cpu_limit - self.cpu_used - turn_seconds)
        return max(left, 0.0)

    def charge(self, told_seconds: float, elapsed_seconds: float, fuel: int) -> float:
        """Count what a turn has used; returns the guest time of it.

        Args:
            told_seconds: Guest time as the guest tells it, which is believed as far as its fuel allows.
            elapsed_seconds: How long the turn took.
            fuel: What it burnt.
        """
        burnt_seconds = fuel / _FUEL_PER_SECOND
        seconds = told_seconds if told_seconds > burnt_seconds else burnt_seconds
        seconds = seconds if seconds < elapsed_seconds else elapsed_seconds
        self.cpu_used += seconds
        self.fuel_used += fuel
        return seconds

    def time_error(self, turn_seconds: float) -> LimitExceeded:
        """Which limit ended a turn whose time was up.

        Args:
            turn_seconds: Guest time of that turn, not yet charged.
        """
        now = time.monotonic()
        cpu = self.cpu_used + turn_seconds
        if self.cpu_limit is not None and (now < self.deadline or self.deadline == math.inf):
            return CpuLimitExceeded(self.cpu_limit, cpu)
        return WallLimitExceeded(self.wall_limit, now - self.started)

    def budget_error(self, turn_seconds: float) -> LimitExceeded:
        """Which limit it is that ended a turn by its hard stop; arguments as for `time_error`."""
        if self.fuel_limit is not None:
            return FuelLimitExceeded(self.fuel_limit, self.fuel_limit)
        return self.time_error(turn_seconds)


class Sources:
    """The latest program texts by file name, so that errors can show the code they point into. Any thread."""

    def __init__(self) -> None:
        """Begin with none."""
        self._texts: dict[str, tuple[str, int]] = {}  # with how much each takes, its name included
        self._chars = 0
        self._lock = threading.Lock()

    def add(self, name: str, code: str) -> None:
        """Remember a text; the oldest are forgotten when there are many, or much of it."""
        chars = len(name) + (len(code) if type(code) is str else chars_of(code))
        with self._lock:
            texts = self._texts
            if name in texts:  # it becomes the latest
                self._chars -= texts.pop(name)[1]
            texts[name] = code, chars
            self._chars += chars
            while len(texts) > _MAX_SOURCES or self._chars > _MAX_SOURCE_CHARS:
                self._chars -= texts.pop(next(iter(texts)))[1]

    def after_fork(self) -> None:
        """Whatever thread held the lock, it is not in the child."""
        self._lock = threading.Lock()

    def copy(self) -> dict[str, str]:
        """All texts, by name."""
        with self._lock:
            return {name: code for name, (code, _) in self._texts.items()}

    def checkpoint(self) -> Callable[[], object]:
        """Note which texts there are; returns what brings just these back."""
        with self._lock:
            texts, chars = self._texts.copy(), self._chars

        def restore() -> None:
            with self._lock:
                self._texts, self._chars = texts, chars

        return restore


def check_recursion() -> None:
    """See whether Python has the frames that a run needs.

    Raises:
        RecursionError: What ran out of frames in the middle of a turn would leave its books half written.
    """
    try:
        sys._getframe(sys.getrecursionlimit() - _FRAMES)
    except ValueError:
        return
    raise RecursionError(f"a sandbox needs {_FRAMES} frames of Python's recursion limit, and fewer are left")


def _nobody() -> None:
    """Nobody waits for this run yet."""
