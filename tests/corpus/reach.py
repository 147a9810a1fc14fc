"""Rows 33 to 35, 37, 38 and 40: what a guest may reach: networks, files, modules, clocks, and other tenants."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from tests.corpus.case import Case, Row, cases

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from benchmarks.engines.base import BoundedSession
    from benchmarks.hostile.stage import Stage

ROWS = [
    Row(
        33,
        "addresses of the host and of private networks",
        beside="tests/network/test_addresses.py, tests/fetch/test_network.py",
    ),
    Row(34, "files of the host", beside="tests/files/test_directory.py, tests/capabilities/test_files.py"),
    Row(
        35,
        "imports of files, of built-in modules, and without end",
        beside="tests/test_modules.py, tests/modules/test_confined.py",
    ),
    Row(37, "damaged and forged snapshots", beside="tests/test_snapshot_format.py, tests/fuzz/test_snapshots.py"),
    Row(38, "predictable random numbers", beside="tests/guest/test_random.py"),
    Row(40, "what another tenant left, and ways to the realm of the host", beside="tests/test_store.py"),
]

# That `fetch` and `WebSocket` are there says nothing: without a network the one answers data: and blob: URLs
# (tests/guest/test_fetch.py), and the other fails (tests/guest/test_websocket.py).
_GATES = {
    33: "XMLHttpRequest EventSource WebTransport Deno.connect Deno.listen Deno.resolveDns process.binding",
    34: "require process.binding Deno.readTextFileSync Deno.readFileSync Deno.open std.open std.loadFile os.open "
    "os.exec load read readline __filename Bun.file",
}


def _reachable(row: int) -> str:
    """A program that names those gates which it has."""
    found = (
        "(path => { let v = globalThis; for (const key of path.split('.')) { if (v == null) return false; v = v[key] } "
        "return typeof v == 'function' || typeof v == 'string' })"
    )
    return f"{_GATES[row].split()!r}.filter({found}).join()"


def _refused(specifier: str) -> str:
    return f"import({specifier!r}).then(() => 'loaded', () => 'refused')"


def _unanswered(address: str) -> str:
    return (
        f"typeof fetch == 'undefined' ? Promise.resolve('not offered') "
        f": fetch({address!r}).then(() => 'answered', () => 'refused')"
    )


_ADDRESSES = [
    "http://127.0.0.2/",
    "http://[::1]/",
    "http://[::ffff:7f00:1]/",
    "http://0/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://169.254.169.254/",
    "http://localhost./",
    "https://user@127.0.0.1/",
    "//127.0.0.1/",
]
_FILES = [
    "file:///etc/passwd",
    "/etc/passwd",
    "../../etc/passwd",
    "..%2f..%2fetc/passwd",
    "/proc/self/mem",
    "/dev/stdin",
]
_MODULES = [
    "node:fs",
    "fs",
    "node:child_process",
    "std",
    "os",
    "qjs:std",
    "qjs:os",
    "ext:core/mod.js",
    "data:text/javascript,1",
    "blob:x",
    "../..",
    "npm:left-pad",
    "jsr:@std/fs",
]


def _endless(specifier: str) -> str:
    number = int(specifier.rpartition("/")[2].removesuffix(".js").removeprefix("m"))
    return f"import './m{number + 1}.js'; export const n = {number}"


def _long(specifier: str) -> str | None:
    number = int(specifier.rpartition("/")[2].removesuffix(".js").removeprefix("m"))
    return f"export * from './m{number + 1}.js'" if number < 100_000 else "export const n = 1"


def _cyclic(specifier: str) -> str:
    other = "b" if specifier.rpartition("/")[2] == "a.js" else "a"
    return f"import * as other from './{other}.js'; await new Promise(() => {{}}); export const x = other"


_large_sources: list[str] = []


def _make_large(stage: Stage) -> dict[str, Callable[..., Any]]:
    """The source is the embedder's, so it is there before anything is measured."""
    if not _large_sources:
        _large_sources.append("/*" + "x" * 100_000_000 + "*/")
    return {}


def _large(specifier: str) -> str:
    return _large_sources[0]


def _telling(specifier: str) -> str:
    raise RuntimeError("no such module")


def _streams_differ(stage: Stage) -> object:
    """Random numbers of three sandboxes, and those of one that was opened after another had been closed."""
    numbers = []
    for _ in range(3):
        session = stage.open()
        numbers.append(session.eval("[1, 2, 3].map(Math.random).join()"))
        session.close()
    numbers.append(stage.session.eval("[1, 2, 3].map(Math.random).join()"))
    return len(set(numbers)) == len(numbers)


def _nothing_left(stage: Stage) -> object:
    """A tenant fills its memory and its globals with a mark, and goes; the next one looks for it."""
    for _ in range(3):
        session = stage.open()
        session.eval(
            "globalThis.left = 'hunter2'; Array.prototype.left = Object.prototype.left = 'hunter2'; "
            "globalThis.hoard = []; for (let i = 0; i < 8; i++) hoard.push(new Uint8Array(1e6).fill(0x5a)); 0"
        )
        session.close()
        found = stage.session.eval("[typeof left, typeof [].left, typeof ({}).left].join()")
        looks = (
            "(() => { for (let i = 0; i < 8; i++) if (new Uint8Array(1e6).includes(0x5a)) return 'bytes'; "
            "return 'nothing' })()"
        )
        if found != "undefined,undefined,undefined" or stage.session.eval(looks) != "nothing":
            return False
    return True


def _own_globals(stage: Stage) -> object:
    """What one live sandbox changes, another does not see."""
    neighbour = stage.open()
    neighbour.eval("globalThis.x = 1; Object.prototype.y = 2; Math.abs = () => 'stolen'; 0")
    seen = stage.session.eval("[typeof x, typeof ({}).y, Math.abs(-1)].join()")
    neighbour.close()
    return seen == "undefined,undefined,1"


def _is_contained(stage: Stage, data: bytes) -> bool:
    """Whether bytes are refused by an error of the engine's, or make a sandbox that does no harm."""
    lives: list[BoundedSession] = []
    refusal = stage.caught(lambda: lives.append(stage.restore(data)))
    if refusal != "value":
        return refusal != "foreign"
    kinds = [stage.caught(partial(lives[0].eval, code)) for code in ("kept + 1", "[1, 2].map(x => x + 1).join()")]
    return "foreign" not in kinds


def _cut_off(stage: Stage) -> bool:
    data = stage.snapshot()
    return all(_is_contained(stage, data[: len(data) * part // 10]) for part in range(10))


def _changed_bytes(stage: Stage) -> bool:
    data = stage.snapshot()
    dice = random.Random(37)
    outcomes = []
    for _ in range(20):
        changed = bytearray(data)
        for _ in range(dice.randrange(1, 20)):
            changed[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        outcomes.append(_is_contained(stage, bytes(changed)))
    return all(outcomes)


def _made_up_memory(stage: Stage) -> bool:
    data = stage.snapshot()
    dice = random.Random(37)
    return all(_is_contained(stage, data[:size] + dice.randbytes(len(data) - size)) for size in (60, 200, 1000, 2000))


def _no_snapshots(stage: Stage) -> bool:
    stage.snapshot()
    return all(_is_contained(stage, data) for data in (b"", b"{}", b"\0" * 100_000, b"\x7fELF" * 100))


def _lower_limits(stage: Stage) -> bool:
    stage.session.eval("globalThis.a = []; for (let i = 0; i < 1e5; i++) a.push({i}); 0")
    life = stage.restore(stage.snapshot())
    before = life.eval("a.length") == 100_000
    grown = stage.caught(lambda: life.eval("for (;;) a.push(new Array(1000).fill(1))"))
    return before and grown in ("memory", "js", "limit", "cpu", "time", "wall")


def _clones_differ(stage: Stage) -> bool:
    data = stage.snapshot()
    draw = "[Math.random(), Math.random()].join()"
    drawn = {stage.restore(data).eval(draw), stage.restore(data).eval(draw), stage.session.eval(draw)}
    return len(drawn) == 3


CASES = [
    *cases(33, "value", {"ways out": _reachable(33)}, values=("",)),
    *cases(
        33,
        "value js",
        {f"import {address}": _refused(address) for address in _ADDRESSES},
        how="settle",
        values=("refused",),
    ),
    *cases(
        33,
        "value js",
        {f"fetch {address}": _unanswered(address) for address in _ADDRESSES},
        how="settle",
        values=("refused",),
    ),
    *cases(34, "value", {"ways out": _reachable(34)}, values=("",)),
    *cases(
        34,
        "value js",
        {f"import {path}": _refused(path) for path in _FILES},
        how="settle",
        values=("refused",),
    ),
    *cases(
        35,
        "value js",
        {f"import {name}": _refused(name) for name in _MODULES},
        how="settle",
        values=("refused",),
    ),
    # Time in the loader is not the guest's: what bounds both is the caller's.
    Case(
        35,
        "a chain without end",
        "import './m1.js'",
        frozenset({"wall", "cpu", "memory", "js"}),
        "module",
        loader=_endless,
        waits=True,
    ),
    Case(
        35,
        "a chain of 100,000",
        "import './m1.js'",
        frozenset({"wall", "cpu", "memory", "js", "value"}),
        "module",
        loader=_long,
        waits=True,
    ),
    Case(
        35,
        "a cycle that waits",
        "import './a.js'",
        frozenset({"stalled", "wall", "js"}),
        "module",
        loader=_cyclic,
        waits=True,
    ),
    Case(
        35,
        "100 MB of source",
        "import './large.js'",
        frozenset({"js", "memory", "cpu", "limit", "conversion"}),
        "module",
        loader=_large,
        functions=_make_large,
        seconds=1,
    ),
    Case(
        35,
        "a loader that tells",
        "import('./x.js').then(() => 'loaded', error => "
        "/Traceback|\\.py|reach|_telling|0x[0-9a-f]{6}/.test(`${error}${error.stack}`) ? 'told' : 'silent')",
        frozenset({"value"}),
        "settle",
        values=("silent",),
        loader=_telling,
    ),
    Case(37, "cut off", ends=frozenset({"value"}), values=(True,), driver=_cut_off, timed=False),
    Case(37, "changed bytes", ends=frozenset({"value"}), values=(True,), driver=_changed_bytes, timed=False),
    Case(37, "made-up memory", ends=frozenset({"value"}), values=(True,), driver=_made_up_memory, timed=False),
    Case(37, "another engine's bytes", ends=frozenset({"value"}), values=(True,), driver=_no_snapshots, timed=False),
    Case(37, "lower limits", ends=frozenset({"value"}), values=(True,), driver=_lower_limits, timed=False),
    Case(38, "clones", ends=frozenset({"value"}), values=(True,), driver=_clones_differ, timed=False),
    Case(38, "streams", ends=frozenset({"value"}), values=(True,), driver=_streams_differ, timed=False),
    Case(40, "what was left", ends=frozenset({"value"}), values=(True,), driver=_nothing_left, timed=False),
    Case(40, "neighbours", ends=frozenset({"value"}), values=(True,), driver=_own_globals, timed=False),
    *cases(
        40,
        "value",
        {
            "Function": "Function('return this')() === globalThis",
            "constructors": "[[], {}, () => 1, new Error('x'), Promise.resolve(), /x/, 1n].every(v => "
            "v.constructor.constructor('return this')() === globalThis)",
            "the host's names": "(() => { const text = Object.getOwnPropertyNames(globalThis).join() + "
            "new Error('x').stack + (() => { try { null.x } catch (error) { return error.stack } })(); "
            "return !/python|site-packages|\\/home\\/|\\/usr\\/|\\/root|\\/tmp|\\.py/i.test(text) })()",
        },
        values=(True,),
    ),
    Case(
        40,
        "a host function's realm",
        "(() => { const f = give.constructor('return this')(); return f === globalThis && "
        "!/python|0x[0-9a-f]{6}/i.test(Object.getOwnPropertyNames(give).join() + String(give)) })()",
        frozenset({"value"}),
        values=(True,),
        functions=lambda stage: {"give": lambda: 1},
    ),
    Case(
        40,
        "a host function's error",
        "(() => { try { fail() } catch (error) { const text = `${error}${error.stack}${JSON.stringify(error)}`; "
        "return !/Traceback|\\.py|site-packages|0x[0-9a-f]{6}/.test(text) } })()",
        frozenset({"value"}),
        values=(True,),
        functions=lambda stage: {"fail": _fail},
    ),
]


def _fail() -> None:
    raise LookupError("a text of the host's own")
