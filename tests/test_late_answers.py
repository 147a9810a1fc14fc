"""Host functions that do not end when they should: the limit is in time, and what comes late changes nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from sandbox import AsyncSandbox, Sandbox
from sandbox.errors import SandboxClosed, WallLimitExceeded
from sandbox.functions import HostFunction

Late = Callable[[], Awaitable[str]]


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def _catches_and_goes_on(release: threading.Event) -> Late:
    async def late() -> str:
        while not release.is_set():
            try:
                await anyio.to_thread.run_sync(release.wait, abandon_on_cancel=True)
            except BaseException as error:  # noqa: BLE001 - as bad as it gets
                del error
        return "late"

    return late


def _is_shielded(release: threading.Event) -> Late:
    async def late() -> str:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(release.wait)
        return "late"

    return late


def _waits_for_a_thread(release: threading.Event) -> Late:
    async def late() -> str:
        await anyio.to_thread.run_sync(release.wait)
        return "late"

    return late


def _blocks_the_loop(release: threading.Event) -> Late:
    async def late() -> str:
        release.wait(20)
        return "late"

    return late


def _raises_late(release: threading.Event) -> Late:
    async def late() -> str:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(release.wait)
        raise ValueError("late")

    return late


KINDS = [_is_shielded, _waits_for_a_thread, _blocks_the_loop, _raises_late]


async def _soon() -> int:
    await anyio.lowlevel.checkpoint()
    return 1


@pytest.mark.parametrize("waits", [False, True], ids=["promise", "wait"])
@pytest.mark.parametrize("kind", [*KINDS, _catches_and_goes_on])
def test_the_deadline_is_not_late(
    kind: Callable[[threading.Event], Late], waits: bool, release: threading.Event
) -> None:
    late = kind(release)
    seen: list[Any] = []
    functions = {"late": HostFunction(late, wait=True) if waits else late, "seen": seen.append, "soon": _soon}
    box = Sandbox(functions=functions)
    with pytest.raises(WallLimitExceeded):
        box.eval("seen(await late())", timeout=0.05)
    assert not release.is_set()
    assert box.eval("1 + 1") == 2
    box.close()
    release.set()
    with Sandbox(functions=functions) as other:
        assert other.eval("await soon()") == 1
    assert seen == []
    assert len(box._driver._requests._completed) == 0


def test_one_that_blocks_the_loop_holds_up_nobody_elses_deadline(release: threading.Event) -> None:
    begun = threading.Event()

    async def blocks() -> None:
        begun.set()
        release.wait(20)

    with Sandbox(functions={"blocks": blocks}) as box, Sandbox(functions={"soon": _soon}) as other:
        box.eval("blocks(); 1")
        assert begun.wait(10)
        for code in ("await soon()", "soon(); soon(); await new Promise(done => setTimeout(done, 1e6))"):
            with pytest.raises(WallLimitExceeded):
                other.eval(code, timeout=0.05)
            assert other.eval("1") == 1
        assert not release.is_set()
        release.set()
        assert other.eval("await soon()") == 1


def test_a_plain_function_past_the_limit() -> None:
    """It cannot be interrupted: the error comes when it returns, and nothing of its answer is used."""
    limit = threading.Event()

    def slow() -> str:
        limit.wait(0.1)
        return "late"

    seen: list[Any] = []
    with Sandbox(functions={"slow": slow, "seen": seen.append}) as box:
        with pytest.raises(WallLimitExceeded):
            box.eval("try { seen(slow()) } finally { seen(1) }", timeout=0.05)
        assert seen == []
        assert box.eval("1 + 1") == 2


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [_is_shielded, _waits_for_a_thread, _raises_late])
async def test_on_the_asynchronous_face(kind: Callable[[threading.Event], Late], release: threading.Event) -> None:
    """The block waits for its tasks at its end, as every task group does; its runs do not."""
    async with AsyncSandbox(functions={"late": kind(release), "soon": _soon}) as box:
        with pytest.raises(WallLimitExceeded):
            await box.eval("await late()", timeout=0.05)
        assert not release.is_set()
        assert await box.eval("1 + await soon()") == 2
        await box.aclose()
        with pytest.raises(SandboxClosed):
            await box.eval("1")
        release.set()


def test_a_stream_that_takes_long_to_end_is_not_asked_twice_at_once(release: threading.Event) -> None:
    """A loop that was ended by force asks the iterator to return while its step is still being cancelled."""

    async def stream() -> Any:
        try:
            yield 1
            await anyio.sleep_forever()
        except asyncio.CancelledError:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(release.wait, 20)
            raise

    with Sandbox(functions={"stream": stream, "soon": _soon}) as box:
        for _ in range(3):
            with pytest.raises(WallLimitExceeded):
                box.eval("for await (const n of stream());", timeout=0.05)
            assert box.eval("await soon()") == 1
        release.set()
        assert box.eval("await soon()") == 1
        box.run_until_idle()
