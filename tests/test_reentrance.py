"""Every use of a sandbox in every place where its guest has called the host: it works, or is refused."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import AsyncSandbox, Limits, Sandbox, expose
from sandbox.errors import JSError, RunInterrupted, SandboxBusy, SandboxError
from sandbox.functions import HostFunction

_LIMITS = Limits(wall_seconds=20)


class Place:
    """Calls `use` in the place that is asked for, and notes what came of it."""

    def __init__(self, use: Callable[[], Any]) -> None:
        self.use = use
        self.outcomes: list[Any] = []

    def failures(self) -> list[BaseException]:
        return [outcome for outcome in self.outcomes if isinstance(outcome, BaseException)]

    def here(self, *_: object) -> int:
        try:
            self.outcomes.append(self.use())
        except BaseException as error:
            self.outcomes.append(error)
            raise
        return 1

    async def here_later(self, *_: object) -> int:
        await anyio.lowlevel.checkpoint()
        try:
            outcome = self.use()
            self.outcomes.append(await outcome if isinstance(outcome, Awaitable) else outcome)
        except BaseException as error:
            self.outcomes.append(error)
            raise
        return 1

    def steps(self) -> Iterator[int]:
        yield self.here()

    async def steps_later(self) -> Any:
        yield await self.here_later()

    @property
    def got(self) -> int:
        return self.here()

    @got.setter
    def got(self, _value: object) -> None:
        self.here()

    def collect(self) -> None:
        class Finalized:
            def __del__(_self) -> None:
                try:
                    self.outcomes.append(self.use())
                except Exception as error:  # noqa: BLE001 - a finalizer must not raise
                    self.outcomes.append(error)

        Finalized()

    def load(self, specifier: str, _importer: object) -> str:
        if specifier == "x":
            self.here()
        return f"export default {specifier!r}"

    async def load_later(self, specifier: str, _importer: object) -> str:
        if specifier == "x":
            await self.here_later()
        return f"export default {specifier!r}"

    def options(self) -> dict[str, Any]:
        functions = {
            "here": self.here,
            "later": self.here_later,
            "hold": HostFunction(self.here_later, wait=True),
            "steps": self.steps,
            "stepsLater": self.steps_later,
            "collect": self.collect,
            "call": lambda function: function(),
        }
        return {
            "functions": functions,
            "globals": {"it": expose(self, writable=("got",)), "f": 1},
            "limits": _LIMITS,
            "clock": "virtual",
        }


PLACES: dict[str, tuple[str, dict[str, str]]] = {
    "a function": ("here()", {}),
    "an async function": ("await later()", {}),
    "a function that is waited for": ("hold()", {}),
    "a callback of a callback": ("call(() => call(() => here()))", {}),
    "a microtask": ("await null; here()", {}),
    "a timer": ("await new Promise(done => setTimeout(() => done(here()), 1))", {}),
    "a getter of the result": ("({get x() { return here() }})", {}),
    "an iterator": ("[...steps()]", {}),
    "an async iterator": ("for await (const n of stepsLater());", {}),
    "the console": ("console.log(1); 1", {"console": "here"}),
    "an exposed getter": ("it.got", {}),
    "an exposed setter": ("it.got = 1", {}),
    "a finalizer": ("collect()", {}),
    "a loader": ("await import('x')", {"modules": "load"}),
    "an async loader": ("await import('x')", {"modules": "load_later"}),
}

Use = Callable[[Any], Any]
USES: dict[str, Use] = {
    "eval": lambda box: box.eval("1 + 1"),
    "eval of a promise": lambda box: box.eval("new Promise(done => setTimeout(done, 1))", timeout=0.1),
    "eval that asks the host": lambda box: box.eval("typeof here"),
    "module": lambda box: box.module("export default 1"),
    "import_module": lambda box: box.import_module("nowhere"),
    "call": lambda box: box.call("Math.max", 1, 2),
    "globals": lambda box: box.globals["f"],
    "set globals": lambda box: box.globals.update(f=2),
    "names of globals": lambda box: sorted(box.globals),
    "run_until_idle": lambda box: box.run_until_idle(timeout=0.1),
    "tick": lambda box: box.tick(1),
    "function": lambda box: box.function(len, name="later_on") and None,
    "usage": lambda box: box.usage.turns,
    "interrupt": lambda box: box.interrupt(),
    "repr": repr,
    "close": lambda box: box.close(),
    "with": lambda box: box.__enter__() and None,
}


@pytest.mark.parametrize("name", USES)
@pytest.mark.parametrize("place", PLACES)
def test_a_use_in_a_place(place: str, name: str) -> None:
    code, options = PLACES[place]
    held = Place(lambda: USES[name](box))
    box = Sandbox(**held.options(), **{option: getattr(held, method) for option, method in options.items()})
    with box, Sandbox() as other:
        began = time.monotonic()
        try:
            box.eval(code)
        except SandboxError as error:
            assert name == "interrupt" or held.outcomes, error
        assert time.monotonic() - began < 10
        assert held.outcomes
        assert all(isinstance(failure, SandboxError) for failure in held.failures())
        if name == "close":
            assert {type(outcome) for outcome in held.outcomes} == {SandboxBusy}
        assert not box.closed
        assert box.eval("[1 + 1, call(() => 3)]") == [2, 3]
        assert not box._driver.runs
        assert other.eval("1") == 1


def _use_a_new_one() -> Any:
    with Sandbox(globals={"x": 1}) as box:
        return box.eval("x")


OF_ANOTHER: dict[str, Use] = {
    "eval": lambda other: other.eval("[await null, 1 + 1][1]"),
    "call": lambda other: other.call("f"),
    "async call": lambda other: other.eval("await later()"),
    "close": lambda other: other.close(),
    "a new one": lambda _: _use_a_new_one(),
}


@pytest.mark.parametrize("name", OF_ANOTHER)
@pytest.mark.parametrize("place", PLACES)
def test_another_sandbox_can_be_used_everywhere(place: str, name: str) -> None:
    async def later() -> int:
        await anyio.lowlevel.checkpoint()
        return 5

    code, options = PLACES[place]
    with Sandbox(functions={"f": lambda: 1, "later": later}) as other:
        held = Place(lambda: OF_ANOTHER[name](other))
        box = Sandbox(**held.options(), **{option: getattr(held, method) for option, method in options.items()})
        on_the_loop = "async" in place or "waited" in place
        with box:
            try:
                box.eval(code)
            except JSError as error:
                # The loop that would have to answer is the one that waits.
                assert on_the_loop, error
            assert held.outcomes
            assert {type(failure) for failure in held.failures()} <= ({SandboxBusy} if on_the_loop else set())
            assert box.eval("1") == 1
        if name != "close":
            assert other.eval("await later()") == 5


ASYNC_USES: dict[str, Use] = {
    **{name: use for name, use in USES.items() if "globals" not in name and name not in ("with", "close")},
    "get globals": lambda box: box.globals.get("f"),
    "set globals": lambda box: box.globals.set("f", 2),
    "aclose": lambda box: box.aclose(),
    "aenter": lambda box: box.__aenter__(),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", ASYNC_USES)
@pytest.mark.parametrize("place", PLACES)
async def test_an_async_use_in_a_place(place: str, name: str) -> None:
    """On a worker thread nothing can be awaited; a coroutine that is made there is run on the loop."""
    code, options = PLACES[place]
    is_later = "async" in place or "waited" in place

    def use() -> Any:
        outcome = ASYNC_USES[name](box)
        return outcome if is_later or not isinstance(outcome, Awaitable) else anyio.from_thread.run(_await, outcome)

    held = Place(use)
    async with AsyncSandbox(
        **held.options(), **{option: getattr(held, method) for option, method in options.items()}
    ) as box:
        with anyio.fail_after(10):
            try:
                await box.eval(code)
            except SandboxError as error:
                assert name == "interrupt" or held.outcomes, error
        assert held.outcomes
        assert all(isinstance(failure, SandboxError) for failure in held.failures())
        assert not box.closed
        assert await box.eval("[1 + 1, await 3]") == [2, 3]
        assert not box._driver.runs


async def _await(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def test_an_interrupt_in_a_place_ends_the_run_there() -> None:
    with Sandbox(functions={"stop": lambda: box.interrupt()}) as box, pytest.raises(RunInterrupted):
        box.eval("try { stop() } catch {} for (;;);")
