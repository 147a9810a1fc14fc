"""What may grow: the size of what goes in, and the number of sandboxes, calls, timers and handles."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchmarks import channel
from benchmarks.crowds import fan_out_of
from benchmarks.engines import portable
from sandbox import AsyncSandbox, Limits, Sandbox, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from benchmarks.rows import Unit

    Operation = Callable[[], object]

Group = Literal["input", "guest", "number", "sandboxes"]
GROUP_TITLES: dict[Group, str] = {
    "input": "What goes in and out",
    "guest": "Work within a guest",
    "number": "Calls, timers, handles, promises",
    "sandboxes": "Sandboxes and their memory",
}
_ROOMY = Limits(
    memory_bytes=512 << 20,
    cpu_seconds=60,
    wall_seconds=120,
    max_nodes=10_000_000,
    message_bytes=256 << 20,
    concurrent_calls=100_000,
    pending_requests=100_000,
    handles=1_000_000,
)


@dataclass(frozen=True, slots=True)
class Curve:
    """A cost that depends on a size.

    Attributes:
        id: What `--curves` calls it.
        title: What a reader sees; `n` is the size.
        first: The smallest size.
        prepare: Makes what is measured at a size, and lets go of it. Where `unit` is bytes, it gives its cost itself.
        expected: What the operation has to give at a size.
        unit: Of the cost.
    """

    id: str
    title: str
    group: Group
    first: int
    prepare: Callable[[int], AbstractContextManager[Operation]]
    expected: Callable[[int], object]
    unit: Unit = "seconds"


@contextmanager
def _evaluating(code: str, size: int, set_up: str = "0", **options: Any) -> Iterator[Operation]:  # noqa: ANN401 - options
    """`code` in a live sandbox; `{n}` in it is the size."""
    with Sandbox(limits=_ROOMY, **options) as box:
        box.eval(set_up.replace("{n}", str(size)))
        text = f"{{ {code.replace('{n}', str(size))} }}"  # a block, so that it can be evaluated again
        yield lambda: box.eval(text)


def _guest(id_: str, title: str, first: int, code: str, expected: Callable[[int], object], **more: Any) -> Curve:  # noqa: ANN401
    group: Group = more.pop("group", "guest")
    return Curve(id_, title, group, first, partial(_evaluating, code, **more), expected)


@contextmanager
def _source(size: int) -> Iterator[Operation]:
    line = "function f{}(a, b) {{ if (a < b) return [a, {{ b }}]; return 'text' + a; }}\n"
    text = "".join(line.format(number) for number in range(size)) + "'end'"
    with Sandbox(limits=_ROOMY) as box:
        yield lambda: box.eval(text)


def _import_all(sources: dict[str, str]) -> object:
    with Sandbox(limits=_ROOMY, modules=sources) as box:
        return box.import_module("all")["default"]


@contextmanager
def _names(size: int) -> Iterator[Operation]:
    """A function that is a bundle: constants, functions that refer to them, blocks with names of their own."""
    lines = "".join(
        f"const c{number} = {number}, f{number} = () => c{number * 7 % size}; {{ const own = c{number}; sum += own; }}\n"
        for number in range(size)
    )
    with Sandbox(limits=_ROOMY) as box:
        yield lambda: box.eval(f"(() => {{ let sum = 0; {lines} return sum; }})()")


@contextmanager
def _exports(size: int) -> Iterator[Operation]:
    names = ", ".join(f"v{number}" for number in range(size))
    sources = {
        "source": "".join(f"export const v{number} = {number};\n" for number in range(size)),
        "again": f"export {{ {names} }} from 'source';",
        "all": f"import {{ {names} }} from 'again'; export default [{names}].reduce((a, b) => a + b);",
    }
    yield partial(_import_all, sources)


@contextmanager
def _into(make: Callable[[int], object], check: str, size: int) -> Iterator[Operation]:
    value = make(size)
    with Sandbox(limits=_ROOMY) as box:

        def put() -> object:
            box.globals["incoming"] = value
            return box.eval(check)

        yield put


def _deep(size: int) -> object:
    value: object = 0
    for _ in range(size):
        value = [value]
    return value


@contextmanager
def _many_evals(size: int) -> Iterator[Operation]:
    with Sandbox(limits=_ROOMY) as box:
        yield lambda: sum(box.eval(f"{number} + 1") for number in range(size))


@contextmanager
def _modules(size: int) -> Iterator[Operation]:
    sources = {f"m{number}": f"export default {number};" for number in range(size)}
    sources["all"] = "".join(f"import v{number} from 'm{number}';\n" for number in range(size))
    sources["all"] += "export default " + " + ".join(["0", *(f"v{number}" for number in range(size))]) + ";"
    yield partial(_import_all, sources)


@contextmanager
def _pending_calls(size: int) -> Iterator[Operation]:
    """All of them wait at the same time: the last one to come lets all go."""

    async def everything() -> object:
        arrived, all_there = 0, asyncio.Event()

        async def host(number: int) -> int:
            nonlocal arrived
            arrived += 1
            if arrived == size:
                all_there.set()
            await all_there.wait()
            return number

        async with AsyncSandbox(limits=_ROOMY, functions={"host": host}) as box:
            code = f"(await Promise.all(Array.from({{ length: {size} }}, (_, i) => host(i)))).reduce((a, b) => a + b)"
            return await box.eval(code)

    yield lambda: asyncio.run(everything())


@contextmanager
def _handles(size: int) -> Iterator[Operation]:
    with Sandbox(limits=_ROOMY) as box:
        make = f"Array.from({{ length: {size} }}, (_, i) => () => i)"

        def hold_and_drop() -> object:
            functions = box.eval(make)
            live = box.usage.live_handles
            last = functions[-1]()
            del functions
            box.eval("0")
            return live, last, box.usage.live_handles

        yield hold_and_drop


@contextmanager
def _sandboxes(size: int) -> Iterator[Operation]:
    def live_together() -> object:
        boxes = [Sandbox() for _ in range(size)]
        total = sum(box.eval("1 + 1") for box in boxes)
        for box in boxes:
            box.close()
        return total

    yield live_together


@contextmanager
def _idle_memory(size: int) -> Iterator[Operation]:
    """In a process of its own: what others have given back would be used again."""
    arguments = ("portable", "memory", str(size))
    yield lambda: channel.run_fresh(Path(sys.executable), arguments, 120, {})["pss_bytes"] * size


@contextmanager
def _fan_out(size: int) -> Iterator[Operation]:
    codes = fan_out_of("timers", size)
    yield lambda: len(portable.fan_out(codes))


_HEAP = "globalThis.heap = Array.from({ length: {n} }, (_, i) => ({ i, text: 'row ' + i })); 0"


@contextmanager
def _of_heap(act: Callable[[Sandbox], Sandbox], size: int) -> Iterator[Operation]:
    with Sandbox(limits=_ROOMY) as box:
        box.eval(_HEAP.replace("{n}", str(size)))

        def copy() -> object:
            with act(box) as twin:
                return twin.eval("heap.length")

        yield copy


def _sum(size: int) -> int:
    return size * (size - 1) // 2


def _itself(size: int) -> int:
    return size


def _record(number: int) -> dict[str, object]:
    return {"id": number, "name": f"item {number}", "even": number % 2 == 0}


_TIMERS = "await Promise.all(Array.from({ length: {n} }, (_, i) => new Promise(done => setTimeout(done, DELAY))));  {n}"

CURVES: tuple[Curve, ...] = (
    Curve("source", "eval of n lines", "input", 500, _source, lambda size: "end"),
    Curve("text_in", "a text of n characters in", "input", 1 << 16, partial(_into, lambda n: "é" * n, "incoming.length"), _itself),
    _guest("text_out", "a text of n characters out", 1 << 16, "'é'.repeat({n})", lambda n: "é" * n, group="input"),
    Curve("bytes_in", "n bytes in", "input", 1 << 22, partial(_into, bytes, "incoming.byteLength"), _itself),
    _guest("bytes_out", "n bytes out", 1 << 22, "new Uint8Array({n})", bytes, group="input"),
    Curve("records_in", "n records in", "input", 2000, partial(_into, lambda n: [_record(i) for i in range(n)], "incoming.length"), _itself),
    _guest("records_out", "n records out", 2000, "records", lambda n: [_record(i) for i in range(n)], group="input",
        set_up="globalThis.records = Array.from({ length: {n} }, (_, i) => ({ id: i, name: `item ${i}`, even: i % 2 === 0 })); 0"),
    Curve("keys_in", "an object of n keys in", "input", 2000, partial(_into, lambda n: {f"k{i}": i for i in range(n)}, "Object.keys(incoming).length"), _itself),
    Curve("deep_in", "arrays n deep in", "input", 16, partial(_into, _deep, "(v => { let d = 0; while (Array.isArray(v)) { v = v[0]; d++; } return d; })(incoming)"), _itself),
    Curve("names", "a function of n names, blocks and functions", "input", 500, _names, _sum),
    Curve("exports", "n names exported, handed on and imported", "input", 500, _exports, _sum),
    Curve("modules", "n modules imported", "input", 50, _modules, _sum),
    _guest("json", "JSON of n records, there and back", 1000,
        "JSON.parse(JSON.stringify(Array.from({ length: {n} }, (_, i) => ({ i, name: 'n' + i })))).length", _itself),
    _guest("build_text", "a text built of n pieces", 10_000, "let t = ''; for (let i = 0; i < {n}; i++) t += 'ab'; t.length", lambda n: 2 * n),
    _guest("replace", "n matches replaced", 10_000, "'ab'.repeat({n}).replace(/b/g, 'cd').length", lambda n: 3 * n),
    _guest("queue", "a queue of n, filled and emptied", 5000,
        "const q = []; for (let i = 0; i < {n}; i++) q.push(i); let s = 0; while (q.length) s += q.shift(); s", _sum),
    _guest("sort", "n numbers sorted", 5000, "Array.from({ length: {n} }, (_, i) => i * 7919 % {n}).sort((a, b) => a - b).length", _itself),
    _guest("maps", "a Map of n objects", 5000, "const m = new Map(); for (let i = 0; i < {n}; i++) m.set({}, i); m.size", _itself),
    _guest("keys", "n properties of one object, set and deleted", 5000,
        "const o = {}; for (let i = 0; i < {n}; i++) o['k' + i] = i; for (let i = 0; i < {n}; i++) delete o['k' + i]; Object.keys(o).length", lambda n: 0),
    Curve("evals", "n evals in one sandbox", "number", 250, _many_evals, lambda size: _sum(size) + size),
    _guest("host_calls", "n host calls, one after the other", 1000, "let s = 0; for (let i = 0; i < {n}; i++) s += host(i); s", _sum,
        group="number", functions={"host": lambda number: number}),
    Curve("pending_calls", "n host calls that wait at the same time", "number", 250, _pending_calls, _sum),
    _guest("timers", "n timers due at the same time", 1000, _TIMERS.replace("DELAY", "1"), _itself, group="number"),
    _guest("timers_spread", "n timers due in an order of their own", 1000, _TIMERS.replace("DELAY", "i * 7919 % 50"), _itself, group="number"),
    _guest("timers_cleared", "n timers set, cleared from the last to the first", 1000,
        "const t = []; for (let i = 0; i < {n}; i++) t.push(setTimeout(() => {}, 1e6)); while (t.length) clearTimeout(t.pop()); 0", lambda n: 0, group="number"),
    Curve("handles", "n functions held by the host, then let go", "number", 1000, _handles, lambda size: (size, size - 1, 0)),
    _guest("promises", "a chain of n promises", 5000, "let s = 0; for (let i = 0; i < {n}; i++) s += await Promise.resolve(i); s", _sum, group="number"),
    Curve("sandboxes", "n sandboxes live, an eval each", "sandboxes", 50, _sandboxes, lambda size: 2 * size),
    Curve("idle_memory", "memory of n idle sandboxes", "sandboxes", 50, _idle_memory, _itself, "bytes"),
    Curve("fan_out", "n sandboxes awaiting calls and timers on one loop", "sandboxes", 30, _fan_out, _itself),
    Curve("snapshot", "a snapshot of n objects, as bytes and back", "sandboxes", 5000,
        partial(_of_heap, lambda box: Sandbox.restore(Snapshot.from_bytes(box.snapshot().to_bytes()), limits=_ROOMY)), _itself),
    Curve("fork", "a fork with n objects", "sandboxes", 5000, partial(_of_heap, lambda box: box.fork()), _itself),
)  # fmt: skip

BY_ID = {curve.id: curve for curve in CURVES}
