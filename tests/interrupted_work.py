"""What sandboxes are doing when they are interrupted: one kind of work a row, for each face."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import anyio.lowlevel

import sandbox
from sandbox import AsyncSandbox, Sandbox
from sandbox.errors import WallLimitExceeded

# What lasts for ever without a signal ends by itself soon after the latest one.
_ENDLESS_SECONDS: Final = 0.01


async def _later(n: int) -> int:
    await anyio.lowlevel.checkpoint()
    return n


async def _count(n: int) -> Any:
    for i in range(n):
        yield i


async def _load(specifier: str, _importer: object) -> str | None:
    await anyio.lowlevel.checkpoint()
    return f"export default {specifier!r}; export const n = 1" if specifier.startswith("late") else None


_ROWS: Final = [{"id": i, "name": f"row {i}", "tags": ["a", "b"], "at": 1.5 * i} for i in range(600)]
_BYTES: Final = bytes(1 << 20)
_numbers = iter(range(1 << 40))


def options(console: Callable[[Any], object] | None = None) -> dict[str, Any]:
    return {
        "functions": {"f": lambda n: n + 1, "call": lambda g: g(1), "later": _later, "count": _count, "steps": range},
        "modules": [{"a.js": "import b from 'b.js'; export default b + 1", "b.js": "export default 1"}, _load],
        "console": console,
    }


def _new_and_close(_box: Sandbox) -> None:
    with Sandbox(**options()) as other:
        assert other.eval("f(1)") == 2


def _iterate(box: Sandbox) -> None:
    assert list(box.eval("(function* () { for (let i = 0; i < 20; i++) yield i })()")) == list(range(20))


def _iterate_later(box: Sandbox) -> None:
    assert list(box.eval("(async function* () { for (let i = 0; i < 20; i++) yield i })()")) == list(range(20))


def _use_globals(box: Sandbox) -> None:
    box.globals["x"] = {"y": [1, 2, 3]}
    assert box.globals["x"]["y"][2] == 3


def _endless(code: str) -> Callable[[Sandbox], None]:
    def work(box: Sandbox) -> None:
        with suppress(WallLimitExceeded):
            box.eval(code, timeout=_ENDLESS_SECONDS)

    return work


def _nested(box: Sandbox) -> None:
    box.function(lambda n: box.eval(f"nest({n} - 1)") if n else 0, name="nest")
    assert box.eval("nest(10)") == 0


def _exposed(box: Sandbox) -> None:
    box.globals["it"] = sandbox.expose(_Thing(), "twice", "name", writable=("size",))
    assert box.eval("it.size = it.twice(it.name.length); it.size") == 10


class _Thing:
    name = "thing"
    size = 0

    def twice(self, n: int) -> int:
        return 2 * n


def _use_default(_box: Sandbox) -> None:
    assert sandbox.eval("1 + 1") == 2
    sandbox.close_default_sandbox()


def _idle(box: Sandbox) -> None:
    box.eval("setTimeout(() => f(1), 1)")
    box.run_until_idle()


BLOCKING: Final[dict[str, Callable[[Sandbox], object]]] = {
    "small run": lambda box: box.eval("f(1)"),
    "loop": _endless("for (;;);"),
    "host calls": _endless("for (let n = 0;;) n = f(n)"),
    "calls back": _endless("for (;;) call(n => f(n))"),
    "timer": _endless("await new Promise(done => setTimeout(done, 30))"),
    "timers": lambda box: box.eval("for (let i = 0; i < 5; i++) await new Promise(done => setTimeout(done))"),
    "async calls": _endless("for (let n = 0;;) n = await later(n)"),
    "many pending": lambda box: box.eval("(await Promise.all(Array.from({length: 50}, (_, i) => later(i)))).length"),
    "large value in": lambda box: box.call("Object", _ROWS),
    "large value out": lambda box: box.eval("Array.from({length: 600}, (_, i) => ({id: i, tags: ['a', {b: i}]}))"),
    "bytes": lambda box: box.call("(x => x)", _BYTES) if "(x => x)" in box.globals else box.eval("x => x")(_BYTES),
    "modules": lambda box: box.module(f"import a from 'a.js'; export default a + {next(_numbers)}"),
    "loaded modules": lambda box: box.import_module(f"late{next(_numbers)}"),
    "new sandbox": _new_and_close,
    "nested": _nested,
    "console": lambda box: box.eval("for (let i = 0; i < 50; i++) console.log(i, {i})"),
    "guest iterator": _iterate,
    "guest async iterator": _iterate_later,
    "host iterator": lambda box: box.eval("let n = 0; for (const i of steps(50)) n += i; n".replace("let ", "var ")),
    "host async iterator": lambda box: box.eval("var n = 0; for await (const i of count(20)) n += i; n"),
    "promise": lambda box: box.eval("[new Promise(done => setTimeout(done, 1, 5))]")[0].result(),
    "globals": _use_globals,
    "exposed object": _exposed,
    "default sandbox": _use_default,
    "idle": _idle,
}


async def _async_iterate(box: AsyncSandbox) -> None:
    async for _ in await box.eval("(async function* () { for (let i = 0; i < 5; i++) yield i })()"):
        pass


async def _async_endless(box: AsyncSandbox, code: str) -> None:
    with suppress(WallLimitExceeded):
        await box.eval(code, timeout=_ENDLESS_SECONDS)


async def _async_promise(box: AsyncSandbox) -> None:
    await (await box.eval("[new Promise(done => setTimeout(done, 1, 5))]"))[0]


ASYNC: Final[dict[str, Callable[[AsyncSandbox], Any]]] = {
    "small run": lambda box: box.eval("f(1)"),
    "loop": lambda box: _async_endless(box, "for (;;);"),
    "host calls": lambda box: _async_endless(box, "for (let n = 0;;) n = f(n)"),
    "timer": lambda box: _async_endless(box, "await new Promise(done => setTimeout(done, 30))"),
    "async calls": lambda box: _async_endless(box, "for (let n = 0;;) n = await later(n)"),
    "many pending": lambda box: box.eval("(await Promise.all(Array.from({length: 20}, (_, i) => later(i)))).length"),
    "large value in": lambda box: box.call("Object", _ROWS),
    "loaded modules": lambda box: box.import_module(f"late{next(_numbers)}"),
    "guest async iterator": _async_iterate,
    "host async iterator": lambda box: box.eval("var n = 0; for await (const i of count(5)) n += i; n"),
    "promise": _async_promise,
    "idle": lambda box: box.run_until_idle(),
}
