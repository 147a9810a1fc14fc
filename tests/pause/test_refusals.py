"""What cannot wait for an answer, and cannot be paused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import (
    AsyncSandbox,
    HostFunction,
    JSError,
    Pause,
    Request,
    Response,
    Sandbox,
)
from sandbox.errors import (
    ConversionError,
    Paused,
    UsageError,
)
from tests.pause.runs import ASK, ask, paused


def _stop() -> None:
    raise Pause("here")


async def _stop_later(*_arguments: object) -> None:
    raise Pause("here")


async def _answer(text: str) -> str:
    return text


async def _steps() -> AsyncIterator[int]:
    yield 1
    raise Pause("here")


async def _unspeakable() -> None:
    raise Pause("here", about=object())


async def _load(_specifier: str, _importer: object) -> str:
    raise Pause("here")


async def _fetched(_request: Request) -> Response:
    raise Pause("here")


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("f()", {"functions": {"f": _stop}}),
        ("f()", {"functions": {"f": HostFunction(_stop_later, wait=True)}}),
        ("f()", {"functions": {"f": len}, "on_call": lambda _call: _stop()}),
        ("f('')", {"functions": {"f": len}, "on_call": _stop_later}),
        ("console.log(1)", {"console": lambda _entry: _stop()}),
        ("for await (const each of rows) each", {"globals": {"rows": _steps()}}),
        ("await import('x')", {"modules": _load}),
        ("await fetch('https://a.example')", {"fetch": _fetched}),
        ("await fetch('https://a.example')", {"fetch": lambda _request: Response(), "on_call": _stop_later}),
        ("await f('')", {"functions": {"f": _answer}, "on_result": _stop_later}),
        ("await f()", {"functions": {"f": _unspeakable}}),
    ],
    ids=[
        "plain function",
        "waited for",
        "hook of a plain function",
        "asynchronous hook of one",
        "console",
        "iterator",
        "loader",
        "fetch",
        "hook of fetch",
        "hook of a result",
        "details",
    ],
)
def test_what_cannot_be_paused_ends_the_run(code: str, options: dict[str, Any]) -> None:
    """The program can do nothing about it, and the embedder is told what to do."""
    with Sandbox(**options) as box:
        program = f"globalThis.seen = []; try {{ {code} }} catch (e) {{ seen.push('' + e) }} finally {{ seen.push(1) }}"
        with pytest.raises(UsageError) as caught:
            box.eval(program)
        assert isinstance(caught.value.__cause__, Pause)
        if isinstance(caught.value, ConversionError):
            assert "object" in str(caught.value)
        else:
            assert "`async def`" in str(caught.value)
        assert box.eval("1") == 1
        assert box.unfinished == ()


def test_a_group_that_is_one_pause_is_that() -> None:
    async def ask_in_a_group() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)

    outcome = paused("await f()", functions={"f": ask_in_a_group})
    assert outcome.paused[0].reason == "somebody has to answer"


async def _call_back(function: Any) -> Any:
    return await function()


def test_a_pause_that_a_function_lets_through_is_not_the_programs() -> None:
    """What a function of the host calls of the same program is a run of its own."""

    async def main() -> None:
        async with AsyncSandbox(functions={**ASK, "callBack": _call_back}) as box:
            code = "globalThis.seen = []; try { await callBack(() => ask(1)) } catch (e) { seen.push(e) }; 'went on'"
            with pytest.raises(UsageError, match="let it through") as caught:
                await box.eval(code)
            assert isinstance(caught.value.__cause__, Paused)
            assert await box.eval("seen.map(String)") == ["AbortError: the run that waited for this was ended"]
            assert [call.arguments for call in box.pending] == [(1,)]

    anyio.run(main)


def test_a_pause_of_another_sandbox_is_let_through_as_little() -> None:
    with Sandbox(functions=ASK) as inner, Sandbox(functions={"other": lambda: inner.eval("await ask(1)")}) as box:
        with pytest.raises(UsageError, match="let it through"):
            box.eval("try { other() } catch (e) { 'caught' }")
        assert inner.resume(5).unwrap() == 5


def test_an_exception_that_is_returned_is_a_value() -> None:
    async def give() -> object:
        return Pause("not raised")

    with Sandbox(functions={"f": give}) as box:
        assert isinstance(box.execute("await f()").error, JSError | ConversionError | type(None))
        assert box.pending == ()
