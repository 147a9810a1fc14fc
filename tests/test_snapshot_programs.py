"""Snapshots, restored and forked sandboxes: programs go on, with their clocks and random numbers."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox import JSError, Sandbox, Snapshot, undefined
from tests.later_lives import KEY, SEED, later

# --- the program's half ---

# What was before, and what comes of what follows.
PROGRAMS: dict[str, tuple[str, str, object]] = {
    "variables": (
        "let n = 1; const o = {a: [1, 2]}; var v = 'x'; class C { m() { return n } }",
        "[n, o.a[1], v, new C().m()]",
        [1, 2, "x", 1],
    ),
    "closures": (
        "globalThis.next = (() => { let n = 0; return () => ++n })(); next()",
        "[next(), next()]",
        [2, 3],
    ),
    "collections": (
        "globalThis.m = new Map([[{k: 1}, 'v']]); globalThis.s = new Set(['a']); 0",
        "[[...m][0][0].k, s.has('a')]",
        [1, True],
    ),
    "a generator in the midst": (
        "globalThis.g = (function* () { const x = yield 1; yield x * 2 })(); g.next(); 0",
        "g.next(21).value",
        42,
    ),
    "symbols": (
        "globalThis.k = Symbol('k'); globalThis.o = {[k]: 3, [Symbol.for('r')]: 4}; 0",
        "[o[k], o[Symbol.for('r')]]",
        [3, 4],
    ),
    "proxies": (
        "globalThis.p = new Proxy({}, {get: (t, k) => k + '!'}); 0",
        "p.hi",
        "hi!",
    ),
    "weak references": (
        "globalThis.o = {x: 5}; globalThis.w = new WeakRef(o); globalThis.m = new WeakMap([[o, 6]]); 0",
        "[w.deref().x, m.get(o)]",
        [5, 6],
    ),
    "typed arrays": (
        "globalThis.b = new ArrayBuffer(8, {maxByteLength: 32}); globalThis.f = new Float64Array(b); f[0] = 1.5; 0",
        "b.resize(16); [f[0], f.length]",
        [1.5, 2],
    ),
    "pending promises": (
        "globalThis.p = new Promise(r => { globalThis.go = r }).then(x => x + 1); 0",
        "go(1); await p",
        2,
    ),
    "a stream half read": (
        "globalThis.r = new ReadableStream({start(c) { c.enqueue(1); c.enqueue(2); c.close() "
        "}}).getReader(); await r.read(); 0",
        "const {value} = await r.read(); [value, (await r.read()).done]",
        [2, True],
    ),
    "a transform": (
        "globalThis.t = new CompressionStream('gzip'); globalThis.w = t.writable.getWriter(); w.write(new "
        "Uint8Array(9)); 0",
        "w.close(); (await new Response(t.readable.pipeThrough(new DecompressionStream('gzip'))).bytes()).length",
        9,
    ),
    "timers": (
        "globalThis.log = []; setTimeout(() => log.push('b'), 30); setTimeout(() => log.push('a'), 10); 0",
        "await new Promise(r => setTimeout(r, 40)); log",
        ["a", "b"],
    ),
    "broken globals": (
        "Array.prototype.push = Promise.prototype.then = null; globalThis.Map = 0; delete globalThis.Set; 0",
        "typeof Set + typeof Map",
        "undefinednumber",
    ),
    "listeners": (
        "globalThis.t = new EventTarget(); t.addEventListener('x', e => { globalThis.seen = e.type }); 0",
        "t.dispatchEvent(new Event('x')); seen",
        "x",
    ),
    "aborts": (
        "globalThis.c = new AbortController(); globalThis.s = AbortSignal.any([c.signal]); 0",
        "c.abort('why'); s.reason",
        "why",
    ),
    "messages": (
        "const {port1, port2} = new MessageChannel(); port1.onmessage = e => { globalThis.got = e.data }; "
        "port2.postMessage([1]); 0",
        "await new Promise(r => setTimeout(r)); got",
        [1],
    ),
    "regular expressions": (
        "globalThis.r = /a+/g; r.exec('aa b a'); 0",
        "[r.lastIndex, r.exec('aa b a')[0]]",
        [2, "a"],
    ),
    "Intl": (
        "globalThis.f = new Intl.NumberFormat('de-DE'); f.format(1); 0",
        "f.format(1234.5)",
        "1.234,5",
    ),
    "the empty program": (
        "0",
        "1 + 1",
        2,
    ),
}


@pytest.mark.parametrize("before, after, value", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("clock", ["virtual", "real"])
def test_a_program_goes_on(
    carry: Callable[[Snapshot], Snapshot], clock: Any, before: str, after: str, value: object
) -> None:
    with Sandbox(clock=clock) as box:
        box.eval(before)
        with later(carry, box) as next_life:
            assert next_life.eval(after) == value
        assert carry(later_snapshot := _fresh(before, clock)).memory_bytes == later_snapshot.memory_bytes


def _fresh(before: str, clock: Any) -> Snapshot:
    with Sandbox(clock=clock) as box:
        box.eval(before)
        return box.snapshot()


@pytest.mark.parametrize("before, after, value", PROGRAMS.values(), ids=PROGRAMS)
def test_a_twin_goes_on_as_well(before: str, after: str, value: object) -> None:
    with Sandbox(clock="virtual") as box:
        box.eval(before)
        with box.fork() as twin, twin.fork() as second:
            assert second.eval(after) == value
            assert twin.eval(after) == value
        assert box.eval(after) == value


def test_modules_are_there_and_more_can_be_imported() -> None:
    first = {"a": "export let n = 1; export const inc = () => ++n", "c": "export default 'c'"}
    with Sandbox(modules=first) as box:
        box.eval("const {inc} = await import('a'); inc()")
        snapshot = box.snapshot()
    with Sandbox.restore(snapshot, modules={"a": "throw 0", "b": "export {n} from 'a'"}) as box:
        assert box.eval("(await import('b')).n") == 2
        with pytest.raises(JSError):
            box.eval("await import('c')")


def test_in_another_process(tmp_path: Path) -> None:
    with Sandbox(functions={"add": lambda a, b: a + b}) as box:
        box.eval("globalThis.total = 40")
        box.snapshot().write(tmp_path / "box", key=KEY)
    program = (
        "import sys; from sandbox import Sandbox, Snapshot\n"
        f"box = Sandbox.restore(Snapshot.read(sys.argv[1], key={KEY!r}), functions={{'add': lambda a, b: a + b + 1}})\n"
        "print(box.eval('add(total, 1)'))"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "box"], capture_output=True, text=True, check=True)
    assert done.stdout == "42\n"
    assert [path.name for path in tmp_path.iterdir()] == ["box"]


def test_a_snapshot_can_be_pickled() -> None:
    with Sandbox() as box:
        box.eval("globalThis.n = 3")
        with Sandbox.restore(pickle.loads(pickle.dumps(box.snapshot()))) as other:
            assert other.eval("n") == 3


def test_a_fresh_sandbox_is_small() -> None:
    with Sandbox() as box:
        assert len(box.snapshot().to_bytes()) < 16_000
        box.eval("1 + 1")
        assert len(box.snapshot().to_bytes()) < 32_000


def test_many_from_one() -> None:
    with Sandbox() as box:
        box.eval("globalThis.n = 0; globalThis.a = Array.from({length: 1000}, (_, i) => ({i}))")
        snapshot = box.snapshot()
    lives = [Sandbox.restore(snapshot) for _ in range(5)]
    for number, life in enumerate(lives):
        assert life.eval(f"n += {number}; a[7].i = n; n") == number
    for number, life in enumerate(lives):
        assert life.eval("[n, a[7].i, a.length]") == [number, number, 1000]
        life.close()
    for _ in range(20):
        with Sandbox.restore(snapshot) as life:
            assert life.eval("[n, a[7].i, globalThis.secret]") == [0, 7, undefined]
            life.eval("globalThis.secret = 'mine'; a.length = 0")


def test_a_life_after_a_life_after_a_life() -> None:
    box = Sandbox(functions={"f": lambda: 1})
    box.eval("globalThis.n = 0")
    for generation in range(1, 6):
        snapshot = box.snapshot()
        box.close()
        for _ in range(3):  # from the second on they are mapped, and are copied whole all the same
            box.close()
            box = Sandbox.restore(snapshot, functions={"f": lambda: 1})
        assert box.eval("globalThis.big = new Array(5000).fill(n); n += f(); n") == generation
        with box.fork() as twin:
            assert twin.eval("[n, big.length]") == [generation, 5000]
    box.close()


# --- time and chance ---


def test_the_clock_goes_on_from_where_it_stood() -> None:
    with Sandbox() as box:
        box.eval("const t0 = performance.now(), o0 = performance.timeOrigin; 0")
        box.eval("setTimeout(() => globalThis.fired = performance.now(), 60); 0")
        snapshot = box.snapshot()
        time.sleep(0.15)
        with Sandbox.restore(snapshot) as life:
            passed, origin = life.eval("[performance.now() - t0, performance.timeOrigin - o0]")
            assert 0 <= passed < 100
            assert origin > 100
            assert abs(life.eval("Date.now() - performance.timeOrigin - performance.now()")) < 5
            assert life.eval("globalThis.fired") is undefined
            life.run_until_idle()
            assert 55 < life.eval("fired - t0") < 140


def test_a_virtual_clock_goes_on_where_it_stood() -> None:
    with Sandbox(clock="virtual") as box:
        box.eval("globalThis.log = []; setInterval(() => log.push(performance.now()), 100)")
        box.tick(250)
        with Sandbox.restore(box.snapshot()) as life, box.fork() as twin:
            for each in (life, twin, box):
                each.tick(100)
                assert each.eval("[Date.now(), log]") == [946_684_800_350, [100, 200, 300]]


def test_random_numbers_are_new_ones() -> None:
    draw = "[Math.random(), crypto.randomUUID()].join()"
    with Sandbox() as box:
        snapshot = box.snapshot()
        lives = [Sandbox.restore(snapshot), Sandbox.restore(snapshot), box.fork(), box.fork(), box]
        drawn = {life.eval(draw) for life in lives}
        assert len(drawn) == 5
        for life in lives:
            life.close()


def test_random_numbers_of_a_seed_go_on(carry: Callable[[Snapshot], Snapshot]) -> None:
    draw = "[Math.random(), crypto.randomUUID()].join()"
    with Sandbox(seed=SEED) as box:
        box.eval(draw)
        snapshot = carry(box.snapshot())
        expected = box.eval(draw)
    with Sandbox.restore(snapshot) as life:
        again = life.snapshot()
        assert life.eval(draw) == expected
    with Sandbox.restore(again) as life:
        assert life.eval(draw) == expected
    with Sandbox.restore(snapshot, seed=8) as one, Sandbox.restore(snapshot, seed=8) as other:
        assert expected != one.eval(draw) == other.eval(draw)


def test_time_zone_and_locale_go_along(carry: Callable[[Snapshot], Snapshot]) -> None:
    with Sandbox(time_zone="Asia/Tokyo", locale="de-DE") as box:
        snapshot = carry(box.snapshot())
    code = "[new Date(0).getHours(), Intl.DateTimeFormat().resolvedOptions().timeZone, (0.5).toLocaleString()]"
    with Sandbox.restore(snapshot) as life:
        assert life.eval(code) == [9, "Asia/Tokyo", "0,5"]
    with Sandbox.restore(snapshot, locale="en-US") as life:
        assert life.eval(code) == [9, "Asia/Tokyo", "0.5"]
    with pytest.raises(ValueError, match="stays in its time zone, 'Asia/Tokyo'"):
        Sandbox.restore(snapshot, time_zone="UTC")


def test_the_resolution_of_the_clock_goes_along() -> None:
    with Sandbox(clock_resolution_seconds=0.1) as box, Sandbox.restore(box.snapshot()) as life, box.fork() as twin:
        for each in (life, twin):
            assert each.eval("Date.now() % 100") == 0
