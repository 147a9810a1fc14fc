"""One suite for sandboxes wherever they are: here, in a daemon, of a pool, and of a pool whose guests are there."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, get_args

import anyio
import anyio.lowlevel
import pytest

from sandbox import (
    AsyncSandbox,
    CallLimits,
    Deny,
    JSError,
    JSFunction,
    JSMap,
    Limits,
    MemoryFiles,
    Pause,
    Pool,
    Response,
    Sandbox,
    Snapshot,
    undefined,
)
from sandbox.errors import (
    CallLimitExceeded,
    ConversionError,
    CpuLimitExceeded,
    FuelLimitExceeded,
    MemoryLimitExceeded,
    OutputLimitExceeded,
    Paused,
    RunInterrupted,
    SandboxClosed,
    SandboxPoisoned,
    Stalled,
    WallLimitExceeded,
)
from sandbox.limits import Metering
from sandbox.remote import instance
from sandbox.websocket.memory import memory_server
from tests.faces import FACES

if TYPE_CHECKING:
    from sandbox import Remote

PLACES = ("local", "remote", "pooled", "remote and pooled")


class Where:
    """A place and a face, for scenarios that are written once."""

    def __init__(self, place: str, face: str, remote: Remote) -> None:
        self.place, self.face = place, face
        self._remote = remote if "remote" in place else None

    def options(self, options: dict[str, Any]) -> dict[str, Any]:
        return options if self._remote is None else {**options, "remote": self._remote}

    @asynccontextmanager
    async def box(self, **options: Any) -> AsyncIterator[Any]:
        """A sandbox of that place and face."""
        options = self.options(options)
        if "pooled" in self.place:
            with Pool(size=1, **options) as pool:
                if self.face == "blocking":
                    with pool.take() as box:
                        yield box
                else:
                    async with pool.take() as box:
                        yield box
        elif self.face == "blocking":
            with Sandbox(**options) as box:
                yield box
        else:
            async with AsyncSandbox(**options) as box:
                yield box

    @asynccontextmanager
    async def restored(self, snapshot: Snapshot, **options: Any) -> AsyncIterator[Any]:
        if self.face == "blocking":
            with Sandbox.restore(snapshot, **self.options(options)) as box:
                yield box
        else:
            async with AsyncSandbox.restore(snapshot, **self.options(options)) as box:
                yield box

    def run(self, scenario: Callable[[Where], Coroutine[Any, Any, Any]]) -> Any:
        if self.face != "blocking":
            return anyio.run(scenario, self, backend=self.face)
        steps = scenario(self)
        try:
            steps.send(None)
        except StopIteration as end:
            return end.value
        raise AssertionError("a blocking face waited for a loop")


async def of(value: Any) -> Any:
    """What a method of either face gives."""
    return await value if inspect.isawaitable(value) else value


async def caught(kind: type[BaseException], value: Any) -> Any:
    try:
        await of(value())
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


# --- scenarios: each is a function of a place, which gives what it must be everywhere ---


async def values(where: Where) -> Any:
    async with where.box(globals={"given": {"a": [1, None, undefined, 2.5, 1 << 60]}}) as box:
        there = await of(box.eval("given.a"))
        back = await of(box.eval("[new Map([[{}, 1]]), new Set(['x']), new Uint8Array([1, 2]), -0, 12n, 'π\\ud800']"))
    assert isinstance(back[0], JSMap)
    return there, list(back[0].values()), back[1:]


async def long_messages(where: Where) -> Any:
    """Longer than a frame, and than a window, in both directions and in calls of the host."""
    async with where.box(functions={"echo": lambda data: data}) as box:
        data = bytes(range(256)) * 12_000
        back = await of(box.call("Uint8Array.from", data))
        there = await of(
            box.eval(
                "const big = new Uint8Array(2_000_000).fill(7); echo(big).length + echo('é'.repeat(300_000)).length"
            )
        )
        return back == data, there


async def functions(where: Where) -> Any:
    async def later(n: int) -> int:
        await anyio.lowlevel.checkpoint()
        return n + 1

    def numbers(n: int) -> Iterator[int]:
        yield from range(n)

    async def more(n: int) -> AsyncIterator[int]:
        for each in range(n):
            yield each

    given = {"add": lambda a, b: a + b, "later": later, "numbers": numbers, "more": more, "use": lambda f: f(20)}
    async with where.box(functions=given) as box:
        return await of(
            box.eval(
                "const all = []; for await (const n of more(3)) all.push(n);"
                "[add(1, 2), await later(4), [...numbers(3)], all, use(x => x + add(1, 1))]"
            )
        )


async def exceptions(where: Where) -> Any:
    thrown = LookupError("nothing there")

    def fail() -> None:
        raise thrown

    class Stop(BaseException):
        pass

    def stop() -> None:
        raise Stop

    async with where.box(functions={"fail": fail, "stop": stop}) as box:
        error = await caught(JSError, lambda: box.eval("fail()"))
        seen = await of(box.eval("try { fail() } catch (e) { [e instanceof Error, e.message] }"))
        await caught(Stop, lambda: box.eval("try { stop() } finally { globalThis.ran = 1 }"))
        odd = await caught(JSError, lambda: box.eval("throw {code: 7}"))
        syntax = await caught(JSError, lambda: box.eval("let 1"))
        return error.__cause__ is thrown, seen, odd.value, type(syntax).__name__, await of(box.eval("typeof ran"))


async def handles(where: Where) -> Any:
    async with where.box() as box:
        adder = await of(box.eval("(a) => (b) => a + b"))
        assert isinstance(adder, JSFunction)
        inner = await of(adder(1))
        promise = await of(box.eval("({p: new Promise(r => setTimeout(r, 1, 9))})"))
        waited = await promise["p"] if where.face != "blocking" else promise["p"].result()
        return await of(inner(2)), waited


async def console(where: Where) -> Any:
    entries: list[Any] = []
    async with where.box(console=entries.append) as box:
        await of(box.eval("console.log('a', {b: 1}); console.warn('c')"))
        return [(each.level, each.text) for each in entries]


async def modules(where: Where) -> Any:
    async def load(specifier: str, importer: Any) -> str | None:
        await anyio.lowlevel.checkpoint()
        return f"export default {specifier!r}" if specifier.startswith("gen:") else None

    async with where.box(
        modules=[{"a.js": "export const a = 1; export * from 'b.js'", "b.js": "export const b = 2"}, load]
    ) as box:
        space = await of(box.module("import * as all from 'a.js'; import g from 'gen:x'; export default [{...all}, g]"))
        return space["default"]


async def fetch(where: Where) -> Any:
    async def answer(request: Any) -> Response:
        return Response(201, body=b"x" * 300_000 + await request.read())

    async with where.box(fetch=answer) as box:
        return await of(
            box.eval(
                "const r = await fetch('https://a.test/', {method: 'POST', body: 'yz'});"
                "[r.status, (await r.text()).length]"
            )
        )


async def files(where: Where) -> Any:
    store = MemoryFiles({"in.txt": b"hello"})
    async with where.box(files={"/data": store}) as box:
        await of(
            box.module(
                "import fs from 'node:fs/promises';"
                "await fs.writeFile('/data/out.txt', (await fs.readFile('/data/in.txt', 'utf8')).toUpperCase())"
            )
        )
        return await of(box.module("import fs from 'node:fs/promises'; export default await fs.readdir('/data')"))


async def websocket(where: Where) -> Any:
    async def echo(connection: Any) -> None:
        async for message in connection:
            await connection.send(f"<{message}>")

    async with where.box(websocket=memory_server(echo)) as box:
        return await of(
            box.eval(
                "const s = new WebSocket('wss://a.test/'); await new Promise(r => s.onopen = r); s.send('hi');"
                "const m = await new Promise(r => s.onmessage = e => r(e.data)); s.close(); m"
            )
        )


async def served(where: Where) -> Any:
    from sandbox import Request

    async with where.box() as box:
        await of(box.eval("serve({fetch: async r => new Response((await r.text()) + '!', {status: 202})})"))
        if where.face == "blocking":
            response = box.dispatch(Request("POST", "https://a.test/", body=b"x"))
            return response.status, response.content()
        response = await box.dispatch(Request("POST", "https://a.test/", body=b"x"))
        return response.status, await response.read()


async def limits(where: Where) -> Any:
    found = []
    given: Any
    for code, kind, given in [
        ("while (true);", CpuLimitExceeded, {"cpu_seconds": 0.05}),
        ("while (true);", FuelLimitExceeded, {"fuel": 10_000_000}),
        ("const a = []; while (true) a.push(new Uint8Array(1 << 20))", MemoryLimitExceeded, {"memory_bytes": 16 << 20}),
        ("await new Promise(r => setTimeout(r, 60_000))", WallLimitExceeded, {"wall_seconds": 0.05}),
        ("while (true) console.log('x'.repeat(1000))", OutputLimitExceeded, {"output_bytes": 10_000}),
        ("await new Promise(() => {})", Stalled, {}),
    ]:
        async with where.box(limits=Limits(**given)) as box:
            error = await caught(kind, lambda box=box, code=code: box.eval(code))
            found.append((type(error).__name__, getattr(error, "limit", None)))
    return found


async def metering(where: Where) -> Any:
    told = []
    for each in get_args(Metering):
        async with where.box(limits=Limits(metering=each, cpu_seconds=0.05)) as box:
            await caught(CpuLimitExceeded, lambda box=box: box.eval("for (;;);"))
            told.append(await of(box.eval("1 + 1")))
    return told


async def fuel_is_the_same(where: Where) -> Any:
    """It is counted to the instruction, wherever."""
    async with where.box() as box:
        before = box.usage.fuel
        await of(box.eval("let n = 0; for (let i = 0; i < 10_000; i++) n += i", filename="f.js"))
        return box.usage.fuel - before


async def rollback(where: Where) -> Any:
    async with where.box(on_limit="rollback", limits=Limits(fuel=50_000_000)) as box:
        await of(box.eval("globalThis.n = 1"))
        error = await caught(FuelLimitExceeded, lambda: box.eval("n = 2; for (;;);"))
        return error.rolled_back, await of(box.eval("n"))


async def poison(where: Where) -> Any:
    async with where.box(on_limit="poison", limits=Limits(cpu_seconds=0.05)) as box:
        await caught(CpuLimitExceeded, lambda: box.eval("for (;;);"))
        await caught(SandboxPoisoned, lambda: box.eval("1"))
        return box.usage.runs


async def hooks(where: Where) -> Any:
    asked = []

    def look(call: Any) -> Any:
        asked.append(call.name)
        return Deny("no") if call.arguments == [2] else None

    async with where.box(
        functions={"f": lambda n: n}, on_call={"f": look}, call_limits={"f": CallLimits(calls=3)}
    ) as box:
        denied = await of(box.eval("try { f(1); f(2) } catch (e) { e.name }"))
        await caught(CallLimitExceeded, lambda: box.eval("for (;;) f(1)"))
        return denied, asked


async def pauses(where: Where) -> Any:
    async def approve(what: str) -> Any:
        raise Pause(f"approve {what}")

    async with where.box(functions={"approve": approve}) as box:
        error = await caught(Paused, lambda: box.eval("[await approve('it'), 1]"))
        here = await of(box.resume(True))
        snapshot = Snapshot.from_bytes(error.snapshot.to_bytes())
    async with where.restored(snapshot, functions={"approve": approve}) as box:
        there = await of(box.resume(False))
        return [call.reason for call in error.calls], here.value, there.value


async def other_lives(where: Where) -> Any:
    async with where.box(functions={"f": lambda: 1}) as box:
        await of(box.eval("globalThis.n = 40; globalThis.big = 'x'.repeat(500_000)"))
        twin = await of(box.fork())
        snapshot = await of(box.snapshot())
        if where.face == "blocking":
            with twin:
                first = [twin.eval("n += f()"), box.eval("n")]
        else:
            async with twin:
                first = [await twin.eval("n += f()"), await box.eval("n")]
    async with where.restored(snapshot, functions={"f": lambda: 2}) as box:
        return first, await of(box.eval("[n += f(), big.length]"))


async def nested(where: Where) -> Any:
    """A call of the host that calls the guest, which calls the host."""
    held: list[Any] = []

    def down(n: int) -> Any:
        return held[0](n - 1) if n else "bottom"

    async with where.box(functions={"down": down}) as box:
        held.append(await of(box.eval("(n) => down(n)")))
        return await of(box.eval("down(8)"))


async def interrupted(where: Where) -> Any:
    box: Any
    async with where.box(functions={"stop": lambda: box.interrupt()}) as box:
        await caught(RunInterrupted, lambda: box.eval("stop(); for (;;);"))
        return await of(box.eval("'lives'"))


async def unconvertible(where: Where) -> Any:
    async with where.box() as box:
        out = await caught(ConversionError, lambda: box.eval("({a: [Symbol('s')]})"))
        into = await caught(ConversionError, lambda: box.call("String", object()))
        return out.path, into.path


async def closed(where: Where) -> Any:
    async with where.box() as box:
        keep = await of(box.eval("() => 1"))
    await caught(SandboxClosed, lambda: box.eval("1"))
    await caught(SandboxClosed, keep)
    return box.closed


async def clocks_and_seeds(where: Where) -> Any:
    async with where.box(clock="virtual", seed=7, time_zone="Europe/Berlin") as box:
        await of(box.eval("globalThis.ran = 0; setTimeout(() => ran++, 1000)"))
        await of(box.tick(1000))
        return await of(box.eval("[ran, Math.random() < 1, new Date(0).getHours(), new Blob(['ab']).size]"))


SCENARIOS: dict[Any, Any] = {
    values: ([1, None, undefined, 2.5, 1 << 60], [1], [{"x"}, b"\1\2", -0.0, 12, "π\ud800"]),
    long_messages: (True, 2_300_000),
    functions: [3, 5, [0, 1, 2], [0, 1, 2], 22],
    exceptions: (True, [True, "nothing there"], {"code": 7}, "JSSyntaxError", "undefined"),
    handles: (3, 9),
    console: [("log", "a { b: 1 }"), ("warn", "c")],
    modules: [{"a": 1, "b": 2}, "gen:x"],
    fetch: [201, 300_002],
    files: {"default": ["in.txt", "out.txt"]},
    websocket: "<hi>",
    served: (202, b"x!"),
    limits: [
        ("CpuLimitExceeded", 0.05),
        ("FuelLimitExceeded", 10_000_000),
        ("MemoryLimitExceeded", 16 << 20),
        ("WallLimitExceeded", 0.05),
        ("OutputLimitExceeded", 10_000),
        ("Stalled", None),
    ],
    metering: [2, 2],
    rollback: (True, 1),
    poison: 2,
    hooks: ("NotAllowedError", ["f"] * 5),
    pauses: (["approve it"], [True, 1], [False, 1]),
    other_lives: ([41, 40], [42, 500_000]),
    nested: "bottom",
    interrupted: "lives",
    unconvertible: ("$.a[0]", "$[0]"),
    closed: True,
    clocks_and_seeds: [1, True, 1, 2],
}


# A pool hands out what the first two columns are; on one face each it is looked at again.
COLUMNS = [*((place, face) for place in PLACES[:2] for face in FACES), ("pooled", "trio"), (PLACES[3], "blocking")]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[each.__name__ for each in SCENARIOS])
@pytest.mark.parametrize(("place", "face"), COLUMNS, ids=[" on ".join(each) for each in COLUMNS])
def test_it_is_the_same_everywhere(
    place: str, face: str, scenario: Any, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    if face != "asyncio":
        monkeypatch.setattr(instance, "_USES", 1)  # over a line to the worker from the second call on
    assert Where(place, face, remote).run(scenario) == SCENARIOS[scenario]


def test_fuel_is_the_same_everywhere(remote: Remote) -> None:
    assert len({Where(place, "blocking", remote).run(fuel_is_the_same) for place in ("local", "remote")}) == 1
