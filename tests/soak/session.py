"""One life of a sandbox, lived: every request is made and what must hold is checked after each.

Both faces are driven by the same coroutines; on the blocking one they never wait.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final

import anyio

from sandbox import AsyncSandbox, JSAsyncIterator, JSFunction, JSIterator, JSPromise, Sandbox, Snapshot
from sandbox.errors import (
    ConversionError,
    CpuLimitExceeded,
    FuelLimitExceeded,
    GuestError,
    LimitExceeded,
    MemoryLimitExceeded,
    RunInterrupted,
    SandboxClosed,
    SandboxPoisoned,
    SnapshotError,
    StackLimitExceeded,
    UsageError,
    WallLimitExceeded,
)
from tests.soak.fakes import grants
from tests.soak.hosts import Cut, Host
from tests.soak.programs import PRELUDE
from tests.soak.values import handles_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.soak.canary import Canary
    from tests.soak.lives import Life, Step

# What a request may end with. Whatever else is raised is a finding: crashes and broken protocols above all.
_EXPECTED: Final = (GuestError, LimitExceeded, ConversionError, RunInterrupted, SandboxPoisoned, Cut)
_POISONING: Final = (FuelLimitExceeded, CpuLimitExceeded, WallLimitExceeded, MemoryLimitExceeded)
_NOTHING: Final = object()
_MOST_HANDLES: Final = 4
_MOST_STEPS: Final = 3
_MOST_LATEST: Final = 10


class InvariantBroken(AssertionError):
    """Something happened that must not, whatever a guest does."""


@dataclass(slots=True)
class Tally:
    """What happened in the lives of one thread.

    Attributes:
        outcomes: How requests ended, by name.
        programs: Steps taken.
        sandboxes: Sandboxes made.
        latest: How much later than their limit requests ended, the latest first: seconds, of which limit, and where.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    programs: int = 0
    sandboxes: int = 0
    latest: list[tuple[float, str, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count what another one has counted as well."""
        self.outcomes.update(other.outcomes)
        self.programs += other.programs
        self.sandboxes += other.sandboxes
        for entry in other.latest:
            self.late(*entry)

    def to_json(self) -> dict[str, Any]:
        """The counts as plain data."""
        return {
            "outcomes": dict(self.outcomes),
            "programs": self.programs,
            "sandboxes": self.sandboxes,
            "latest": self.latest,
        }

    def late(self, seconds: float, limit: str, where: str) -> None:
        """Note how late a request has ended, if it is one of the latest."""
        if len(self.latest) < _MOST_LATEST or seconds > self.latest[-1][0]:
            self.latest = sorted([*self.latest, (seconds, limit, where)], reverse=True)[:_MOST_LATEST]


def live(life: Life, canary: Canary, tally: Tally, slack_seconds: float, on_step: Callable[[int], object]) -> None:
    """Live a life. Blocks until it is over.

    Args:
        life: Its plan.
        canary: A sandbox of the same thread that must not notice.
        tally: Counts what happens.
        slack_seconds: How much later than its limit a request may end.
        on_step: Called with the number of each step before it is taken.

    Raises:
        InvariantBroken: Something happened that must not.
        BaseException: An error that is not the package's own: likewise.
    """
    session = _Session(life, canary, tally, slack_seconds, on_step)
    if life.face == "blocking":
        with suppress(StopIteration):
            session.run().send(None)
            raise AssertionError("the blocking face does not wait for an event loop")
    else:
        anyio.run(session.run, backend=life.face)


class _Session:
    """A life in progress."""

    def __init__(
        self, life: Life, canary: Canary, tally: Tally, slack_seconds: float, on_step: Callable[[int], object]
    ) -> None:
        self._life = life
        self._canary = canary
        self._tally = tally
        self._slack_seconds = slack_seconds
        self._on_step = on_step
        self._is_async = life.face != "blocking"
        self._host = Host(Random(life.host_seed))
        self._grants = grants()
        self._box: Any = None
        self._number = -1
        self._is_dead = False
        self._stack: AsyncExitStack

    async def run(self) -> None:
        """From the first breath to the last."""
        life, host = self._life, self._host
        make: Any = AsyncSandbox if self._is_async else Sandbox
        self._tally.sandboxes += 1
        async with AsyncExitStack() as self._stack:
            try:
                box = host.box = self._box = make(
                    limits=life.limits,
                    functions=host.functions(),
                    globals=host.globals(),
                    modules=host.load,
                    **self._grants,
                    console=self._console,
                    clock=life.clock,
                    on_limit=life.on_limit,
                    seed=life.seed,
                )
                if self._is_async:
                    await self._stack.enter_async_context(box)
            except (LimitExceeded, ConversionError) as error:
                self._tally.outcomes[f"not made: {type(error).__name__}"] += 1
                return
            del box
            await self._request(lambda: self._box.eval(PRELUDE))
            for number, step in enumerate(life.steps):
                self._number = number
                self._on_step(number)
                await self._take(step)
                await self._check_arithmetic()
                self._canary.check()
            if life.is_closed:
                await (self._box.aclose() if self._is_async else self._value(self._box.close()))
                self._check_closed()

    async def _value(self, answer: Any) -> Any:
        """What a method of the sandbox answers, on either face."""
        return await answer if self._is_async else answer

    def _console(self, _entry: object) -> None:
        self._tally.outcomes["console entry"] += 1

    # --- steps ---

    async def _take(self, step: Step) -> None:
        self._tally.programs += 1
        random = Random(step.seed)
        # What is entered inside a cancel scope cannot outlast it.
        if self._is_async and step.cancel_seconds is not None and step.kind != "twin":
            with anyio.move_on_after(step.cancel_seconds) as scope:
                await self._perform(step, random)
            if scope.cancelled_caught:
                self._tally.outcomes["cancelled"] += 1
                self._is_dead = self._is_dead or "poisoned" in repr(self._box)
        else:
            await self._perform(step, random)

    async def _perform(self, step: Step, random: Random) -> None:
        box, text = self._box, step.text
        options: dict[str, Any] = {}
        if random.random() < 0.1:
            options["timeout"] = random.choice([0.001, 0.02])
        if random.random() < 0.05 and self._life.limits.metering == "fuel":
            options["fuel"] = random.choice([1, 10_000, 50_000_000])
        match step.kind:
            case "eval":
                await self._consume(await self._request(lambda: box.eval(text, **options)), random)
            case "module":
                await self._consume(await self._request(lambda: box.module(text, **options)), random)
            case "import":
                await self._consume(await self._request(lambda: box.import_module(text, **options)), random)
            case "call":
                await self._call(text, options, random)
            case "idle":
                await self._request(lambda: box.run_until_idle())
            case "tick" if self._life.clock == "virtual":
                await self._request(lambda: box.tick(random.choice([0, 1, 1000])))
            case "set" | "get" | "delete":
                await self._touch(step.kind, text, random)
            case "twin":
                await self._go_on(random)

    async def _go_on(self, random: Random) -> None:
        """Go on as a twin, or as what a snapshot is restored to; the sandbox that was is closed sooner or later."""
        before, life, host = self._box, self._life, self._host
        if random.random() < 0.5:
            twin = await self._request(before.fork)
        else:
            snapshot = await self._request(before.snapshot)
            if snapshot is _NOTHING:
                return
            if random.random() < 0.5:
                snapshot = Snapshot.from_bytes(snapshot.to_bytes())
            try:
                twin = type(before).restore(
                    snapshot,
                    pending=random.choice(["call", "hold"]),
                    limits=life.limits,
                    functions=host.functions(),
                    globals=host.globals(),
                    modules=host.load,
                    **self._grants,
                    console=self._console,
                    on_limit=life.on_limit,
                )
            except (SnapshotError, ConversionError, LimitExceeded) as error:
                self._tally.outcomes[f"not restored: {type(error).__name__}"] += 1
                return
        if twin is _NOTHING:
            return
        if self._is_async:
            try:
                await self._stack.enter_async_context(twin)
            except (LimitExceeded, ConversionError) as error:
                self._tally.outcomes[f"not restored: {type(error).__name__}"] += 1
                return
        self._tally.outcomes["twin"] += 1
        host.box = self._box = twin
        self._is_dead = "poisoned" in repr(twin)
        if not self._is_async and random.random() < 0.5:  # one that was entered before is left after
            before.close()

    async def _call(self, text: str, options: dict[str, Any], random: Random) -> None:
        box = self._box
        arguments = [self._host.value(random.randrange(30)) for _ in range(random.randrange(3))]
        target: Any = text
        if "(" in text:
            target = await self._request(lambda: box.eval(f"({text})"))
        if isinstance(target, str | JSFunction):
            await self._consume(await self._request(lambda: box.call(target, *arguments, **options)), random)

    async def _touch(self, kind: str, name: str, random: Random) -> None:
        names = self._box.globals
        if kind == "set":
            value = self._host.value(random.randrange(30))
            await self._request(lambda: names.set(name, value) if self._is_async else names.update({name: value}))
        elif kind == "get":
            await self._consume(await self._request(lambda: names.get(name)), random)
            await self._request(lambda: names.keys() if self._is_async else len(names))
        else:
            await self._request(lambda: names.delete(name) if self._is_async else names.pop(name, None))

    # --- what came back ---

    async def _consume(self, value: Any, random: Random) -> None:
        """Use a result as an embedder may: call, await and iterate what lives in the guest, send the rest around."""
        if value is _NOTHING:
            return
        handles, is_small = handles_in(value)
        if is_small:
            self._canary.carry(value)
        for handle in handles[:_MOST_HANDLES]:
            match handle:
                case JSFunction():
                    use: Callable[..., Any] = handle.new if random.random() < 0.2 else handle
                    await self._request(partial(use, *[value] * random.randrange(3)))
                case JSPromise():
                    await self._request(partial(self._settled, handle))
                case JSIterator() | JSAsyncIterator():
                    await self._iterate(handle, random)
            if random.random() < 0.3:
                handle.release()
        if is_small and random.random() < 0.3:
            await self._request(lambda: self._box.call("echo", value))

    def _settled(self, promise: JSPromise) -> Any:
        return _awaited(promise) if self._is_async else promise.result(0.1)

    async def _iterate(self, steps: JSIterator | JSAsyncIterator, random: Random) -> None:
        for _ in range(random.randrange(_MOST_STEPS)):
            if random.random() < 0.2:
                use = partial(steps.athrow if self._is_async else steps.throw, ValueError("thrown in"))
            else:
                use = partial(steps.asend if self._is_async else steps.send, 1)
            if await self._request(use) is _NOTHING:
                return
        if random.random() < 0.5:
            await self._request(steps.aclose if self._is_async else steps.close)

    # --- requests, and what must hold ---

    async def _request(self, ask: Callable[[], Any]) -> Any:
        """Ask, and check how that ended. `_NOTHING` when it raised."""
        box, limits = self._box, self._life.limits
        cpu_before, began = box.usage.cpu_seconds, time.monotonic()
        try:
            value = await self._value(ask())
        except _EXPECTED as error:
            value = _NOTHING
            self._check_error(error)
        except (StopIteration, StopAsyncIteration):
            value = _NOTHING
            self._tally.outcomes["end of an iterator"] += 1
        except UsageError as error:
            value = _NOTHING
            if type(error) is not UsageError:
                raise
            self._tally.outcomes["UsageError"] += 1
        else:
            self._tally.outcomes["value"] += 1
        took, usage = time.monotonic() - began, box.usage
        self._check_time(usage.cpu_seconds - cpu_before, took)
        if usage.memory_bytes > limits.memory_bytes:
            raise InvariantBroken(f"{usage.memory_bytes:,} bytes of memory, beyond {limits.memory_bytes:,}")
        return value

    def _check_error(self, error: BaseException) -> None:
        self._tally.outcomes[type(error).__name__] += 1
        str(error)
        was_dead, self._is_dead = self._is_dead, "poisoned" in repr(self._box)
        if was_dead and not isinstance(error, SandboxPoisoned):
            raise InvariantBroken(f"a poisoned sandbox answered with {type(error).__name__}") from error
        if self._is_dead and not was_dead:
            if not isinstance(error, LimitExceeded if self._life.on_limit == "poison" else _POISONING):
                raise InvariantBroken(f"poisoned by {type(error).__name__}") from error
            self._tally.outcomes[f"poisoned by {type(error).__name__}"] += 1
        if isinstance(error, StackLimitExceeded):
            raise InvariantBroken("the stack ended in a trap") from error

    def _check_time(self, cpu_seconds: float, took_seconds: float) -> None:
        limits = self._life.limits
        for name, seconds, limit in (
            ("CPU", cpu_seconds, limits.cpu_seconds),
            ("wall", took_seconds, limits.wall_seconds),
        ):
            assert limit is not None
            if seconds > limit:
                self._tally.late(round(seconds - limit, 3), name, f"life {self._life.seed}, step {self._number}")
            if seconds > limit + self._slack_seconds:
                raise InvariantBroken(f"{seconds:.3f} s of {name} time, with a limit of {limit} s")

    async def _check_arithmetic(self) -> None:
        """Two, or a good reason."""
        answer = await self._request(lambda: self._box.eval("1 + 1"))
        if answer is not _NOTHING and not (type(answer) is int and answer == 2):
            raise InvariantBroken(f"1 + 1 is {answer!r}")
        self._tally.outcomes["answers afterwards" if answer is not _NOTHING else "no answer afterwards"] += 1

    def _check_closed(self) -> None:
        try:
            answer = self._box.eval("1")
            if self._is_async:
                answer.send(None)
        except SandboxClosed:
            return
        raise InvariantBroken("a closed sandbox answers")


async def _awaited(promise: JSPromise) -> Any:
    return await promise
