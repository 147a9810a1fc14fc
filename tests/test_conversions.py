"""Every row of the conversion tables, on every way across the boundary, on both faces."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Coroutine
from itertools import chain
from typing import Any, Protocol

import anyio
import pytest

from sandbox import AsyncSandbox, JSError, JSFunction, Sandbox
from sandbox.errors import ConversionError
from tests.conversions import IN, OUT, PAGE, In, Out, Refused, python_value, written_page
from tests.shapes import shape

PRELUDE = """
    "use strict";
    globalThis.test = (value, check) => ({holds: Function("value", `return (${check})`)(value), back: value});
    globalThis.testThis = function (check) { return test(this, check) };
    globalThis.make = code => (0, eval)(`(${code})`);
    globalThis.makeLater = async code => { await null; return {value: make(code)} };
"""


class Box(Protocol):
    """What both faces have, awaited."""

    given: Any
    taken: Any

    async def eval(self, code: str) -> Any: ...
    async def call(self, name: str, *args: object, this: object = None) -> Any: ...
    async def get(self, name: str) -> Any: ...
    async def set(self, name: str, value: object) -> None: ...


class Functions:
    """Host functions through which a value comes and goes."""

    given: Any = None
    taken: Any = None

    def take(self, value: object) -> None:
        self.taken = value

    async def take_later(self, value: object) -> None:
        await anyio.lowlevel.checkpoint()
        self.taken = value

    def give(self) -> object:
        return self.given

    async def give_later(self) -> object:
        await anyio.lowlevel.checkpoint()
        return {"value": self.given}  # a promise of a promise would be one promise

    def fail(self) -> None:
        raise JSError("failed", properties={"value": self.given})

    def table(self) -> dict[str, Callable[..., Any]]:
        return {name: getattr(self, name) for name in ("take", "take_later", "give", "give_later", "fail")}


class Blocking(Functions):
    """The blocking face; its coroutines never wait."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def eval(self, code: str) -> Any:
        return self.sandbox.eval(code)

    async def call(self, name: str, *args: object, this: object = None) -> Any:
        return self.sandbox.eval(name)(*args, this=this)

    async def get(self, name: str) -> Any:
        return self.sandbox.globals[name]

    async def set(self, name: str, value: object) -> None:
        self.sandbox.globals[name] = value


class Asynchronous(Functions):
    """The asynchronous face."""

    def __init__(self, sandbox: AsyncSandbox) -> None:
        self.sandbox = sandbox

    async def eval(self, code: str) -> Any:
        return await self.sandbox.eval(code)

    async def call(self, name: str, *args: object, this: object = None) -> Any:
        function = await self.sandbox.eval(name)
        return await function(*args, this=this)

    async def get(self, name: str) -> Any:
        return await self.sandbox.globals.get(name)

    async def set(self, name: str, value: object) -> None:
        await self.sandbox.globals.set(name, value)


def on_blocking(test: Callable[[Box], Coroutine[None, None, None]]) -> None:
    box = Blocking.__new__(Blocking)
    with Sandbox(functions=box.table()) as box.sandbox:
        box.sandbox.eval(PRELUDE)
        with pytest.raises(StopIteration):
            test(box).send(None)


def on_asynchronous(test: Callable[[Box], Coroutine[None, None, None]]) -> None:
    async def main() -> None:
        box = Asynchronous.__new__(Asynchronous)
        async with AsyncSandbox(functions=box.table()) as box.sandbox:
            await box.sandbox.eval(PRELUDE)
            await test(box)

    anyio.run(main, backend="trio")


on_each_face = pytest.mark.parametrize("on_face", [on_blocking, on_asynchronous])


# --- from the guest ---------------------------------------------------------------------------------------------------


async def evaluated(box: Box, code: str) -> Any:
    return await box.eval(f"({code})")


async def returned(box: Box, code: str) -> Any:
    return await box.call("make", code)


async def returned_later(box: Box, code: str) -> Any:
    return (await box.call("makeLater", code))["value"]


async def taken(box: Box, code: str) -> Any:
    await box.eval(f"take({code})")
    return box.taken


async def taken_later(box: Box, code: str) -> Any:
    await box.eval(f"await take_later({code})")
    return box.taken


async def read_global(box: Box, code: str) -> Any:
    await box.eval(f"globalThis.made = {code}; 0")
    return await box.get("made")


async def thrown(box: Box, code: str) -> Any:
    try:
        await box.eval(f"throw Object.assign(new Error('thrown'), {{value: {code}}})")
    except JSError as error:
        if error.message == "thrown":
            return error.properties.get("value", Refused)
        raise


# A way, and the path at which the value stands there.
WAYS_OUT: dict[Callable[[Box, str], Awaitable[Any]], str] = {
    evaluated: "$",
    returned: "$",
    returned_later: "$.value",
    taken: "$[0]",
    taken_later: "$[0]",
    read_global: "$",
    thrown: "$.value",
}


@on_each_face
@pytest.mark.parametrize("way", WAYS_OUT, ids=lambda way: way.__name__)
def test_values_of_the_guest(way: Callable[[Box, str], Awaitable[Any]], on_face: Callable[..., None]) -> None:
    async def test(box: Box) -> None:
        wrong = [fault for row in chain(*OUT.values()) if (fault := await check(box, row))]
        assert not wrong, "\n".join(map(repr, wrong))

    async def check(box: Box, row: Out) -> object:
        try:
            value = await way(box, row.javascript)
        except (ConversionError, JSError) as error:
            return check_refusal(error, row.javascript, row.python, WAYS_OUT[way])
        if way is thrown and (value is Refused or isinstance(value, ConversionError)):  # the error itself arrives
            return None if isinstance(row.python, Refused) else (row.javascript, "is lost")
        if isinstance(row.python, Refused):
            return row.javascript, value
        return check_value(value, row.python, row.javascript)

    on_face(test)


# --- from Python ------------------------------------------------------------------------------------------------------


async def as_argument(box: Box, value: object, check: str) -> Any:
    return await box.call("test", value, check)


async def as_this(box: Box, value: object, check: str) -> Any:
    return await box.call("testThis", check, this=value)


async def as_global(box: Box, value: object, check: str) -> Any:
    await box.set("given", value)
    return await box.eval(f"test(given, {json.dumps(check)})")


async def as_result(box: Box, value: object, check: str) -> Any:
    box.given = value
    return await box.eval(f"test(give(), {json.dumps(check)})")


async def as_result_later(box: Box, value: object, check: str) -> Any:
    box.given = value
    return await box.eval(f"test((await give_later()).value, {json.dumps(check)})")


async def as_property(box: Box, value: object, check: str) -> Any:
    box.given = value
    return await box.eval(
        "try { fail() } catch (error) { "
        f"if (!('value' in error)) throw error; test(error.value, {json.dumps(check)}) }}"
    )


WAYS_IN: dict[Callable[[Box, object, str], Awaitable[Any]], str] = {
    as_argument: "$[0]",
    as_this: "$",
    as_global: "$",
    as_result: "$",
    as_result_later: "$.value",
    as_property: "$.value",
}


@on_each_face
@pytest.mark.parametrize("way", WAYS_IN, ids=lambda way: way.__name__)
def test_values_of_the_host(way: Callable[[Box, object, str], Awaitable[Any]], on_face: Callable[..., None]) -> None:
    async def test(box: Box) -> None:
        wrong = [fault for row in chain(*IN.values()) if (fault := await check(box, row))]
        assert not wrong, "\n".join(map(repr, wrong))

    async def check(box: Box, row: In) -> object:
        refused = isinstance(row.javascript, Refused)
        try:
            answer = await way(box, python_value(row.python), "true" if refused else str(row.javascript))
        except (ConversionError, JSError) as error:
            return check_refusal(error, row.python, row.javascript, WAYS_IN[way])
        if refused:
            return row.python, answer
        if answer["holds"] is not True:
            return row.python, "is not", row.javascript
        return check_value(answer["back"], row.back or row.python, row.python)

    on_face(test)


# --- what both share --------------------------------------------------------------------------------------------------


def check_value(value: object, expected: str, source: str) -> object:
    wanted = python_value(expected)
    return None if shape(value, handles=False) == shape(wanted, handles=False) else (source, value)


def check_refusal(error: Exception, source: str, expected: object, prefix: str) -> object:
    """The refusal itself, or, where guest code stood in between, an Error that it is the cause of."""
    if not isinstance(expected, Refused):
        return source, error
    if not expected.path:
        return None if isinstance(error, JSError) and error.message == expected.reason else (source, error)
    refusal = error if isinstance(error, ConversionError) else error.__cause__
    if not isinstance(refusal, ConversionError):
        return source, error
    wanted = (prefix + expected.path[1:], expected.reason)
    return None if (refusal.path, refusal.reason) == wanted else (source, refusal.path, refusal.reason)


def test_the_page_shows_the_tables() -> None:
    page = PAGE.read_text("utf-8")

    assert written_page(page) == page, "run python -m tests.conversions"
    assert len(re.findall(r"<!-- table: (out|in) -->", page)) == 2


@on_each_face
def test_exceptions_that_are_returned_are_values(on_face: Callable[..., None]) -> None:
    async def later() -> Exception:
        return ValueError("later")

    async def test(box: Box) -> None:
        await box.set("now", lambda: ValueError("now"))
        await box.set("later", later)
        assert await box.eval("[now().message, (await later()).message]") == ["now", "later"]

    on_face(test)


def test_functions_of_the_host_come_back_as_functions_of_the_guest() -> None:
    with Sandbox(globals={"upper": str.upper}) as box:
        upper = box.globals["upper"]
        assert isinstance(upper, JSFunction)
        assert upper("a") == "A"
