"""Snapshots that were changed at random, and programs that go through lives at random.

`SANDBOX_SNAPSHOTS=5000` makes both long.
"""

from __future__ import annotations

import os
import random
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox import JSError, Limits, Pause, Sandbox, Snapshot, _snapshot_format
from sandbox._memory_copy import MemoryCopy
from sandbox.errors import SandboxError, SnapshotError

EXAMPLES: Final = int(os.environ.get("SANDBOX_SNAPSHOTS", "40"))
_LIMITS: Final = Limits(cpu_seconds=0.2, wall_seconds=1.0, memory_bytes=16 << 20)


async def ask(*_arguments: object) -> int:
    return 1


async def approve(*_arguments: object) -> None:
    raise Pause("who knows", most=[1, {"a": 2}])


_FUNCTIONS: Final[dict[str, Any]] = {"ask": ask, "approve": approve, "now": lambda: 5}


def _taken() -> Snapshot:
    with Sandbox(functions=_FUNCTIONS, seed=1, limits=_LIMITS, clock="virtual") as box:
        box.eval("globalThis.n = 1; const g = (function* () { yield n })(); 0")
        paused = box.execute("setTimeout(() => n++, 5); (await Promise.all([approve(n), approve([() => n])])).length")
        assert len(paused.paused) == 2
        box.eval("ask([1, {a: 2n}], () => 1); 0")
        return box.snapshot()


SNAPSHOT: Final = _taken()
DATA: Final = SNAPSHOT.to_bytes()
PACKED: Final = _snapshot_format.read(DATA, None)


def _live(snapshot: Snapshot) -> None:
    """Restore it and use it in every way. It works, or is refused, or what the program does is contained."""
    try:
        life = Sandbox.restore(snapshot, functions=_FUNCTIONS, limits=_LIMITS)
    except SandboxError:
        return
    try:
        for use in (
            lambda: life.eval("now() + n"),
            lambda: [call.arguments for call in life.pending],
            lambda: life.eval("const a = []; for (let i = 0; i < 100; i++) a.push({i}); JSON.stringify(a).length"),
            lambda: life.call("g.next"),
            lambda: life.run_until_idle(timeout=0.2),
            lambda: life.snapshot().to_bytes(),
            lambda: life.fork().close(),
            lambda: [life.resume(call.arguments[0], call=call.token) for call in snapshot.paused],
            lambda: life.resume(proceed=True),
            lambda: life.resume(error=ValueError("no")),
            lambda: [life.finish(run, timeout=0.1) for run in life.unfinished],
        ):
            with suppress(SandboxError):
                use()
    finally:
        life.close()


def _still_works() -> None:
    """Nothing that happened is of any consequence for others."""
    with Sandbox.restore(Snapshot.from_bytes(DATA), functions=_FUNCTIONS) as life:
        assert life.eval("now() + n") == 6
        assert life.resume(1, call=SNAPSHOT.paused[0].token).paused
        assert life.resume(2).value == 2
    with Sandbox() as box:
        assert box.eval("1 + 1") == 2


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["a word", "many words", "pages", "pointers", "zeros", "ones"])
def test_memory_that_was_made_up(kind: str) -> None:
    """A crafted memory is a guest that owns its engine: everything that limits a guest holds."""
    memory = SNAPSHOT._memory
    image = SNAPSHOT._image
    assert memory is not None
    assert image is not None
    for seed in range(max(EXAMPLES // 6, 3)):
        dice = random.Random(f"{kind} {seed}")
        parts = [(start, bytearray(data)) for start, data in memory.parts]
        for _ in range(1 if kind == "a word" else dice.randrange(1, 400)):
            _, data = dice.choice(parts)
            at = dice.randrange(0, len(data), 4)
            if kind == "pages":
                data[at & -4096 : (at & -4096) + 4096] = dice.randbytes(4096)
            elif kind == "pointers":
                data[at : at + 4] = dice.randrange(0, memory.memory_bytes, 4).to_bytes(4, "little")
            else:
                word = {"zeros": bytes(4), "ones": b"\xff" * 4}.get(kind) or dice.randbytes(4)
                data[at : at + 4] = word
        crafted = MemoryCopy(memory.memory_bytes, [(start, bytes(data)) for start, data in parts])
        _live(Snapshot.from_bytes(Snapshot(image, crafted, SNAPSHOT._state, {}, {}).to_bytes()))
    _still_works()


_plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 40), 1 << 40)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in _places(each, (*path, key)))]


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _with(value[path[0]], path[1:], new)
    return copy


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(_places(PACKED.state)), _plain), min_size=1, max_size=3))
def test_states_that_were_made_up(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    state = PACKED.state
    for path, new in changes:
        try:
            state = _with(state, path, new)
        except (KeyError, IndexError, TypeError, AttributeError):
            continue
    data = _snapshot_format.write(replace(PACKED, state=state), None)
    try:
        snapshot = Snapshot.from_bytes(data)
    except SnapshotError:
        return
    _live(snapshot)
    _still_works()


@settings(max_examples=EXAMPLES * 5)
@given(st.integers(0, len(DATA) - 1), st.binary(min_size=1, max_size=20), st.booleans())
def test_bytes_that_were_changed(place: int, new: bytes, inserts: bool) -> None:
    changed = DATA[:place] + new + DATA[place if inserts else place + len(new) :]
    if changed != DATA:
        with pytest.raises(SnapshotError):
            Snapshot.from_bytes(changed)


@settings(max_examples=EXAMPLES * 5)
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for each in (data, DATA[:80] + data, DATA[: len(DATA) // 2] + data):
        with pytest.raises(SnapshotError):
            Snapshot.from_bytes(each)


# --- programs ---

# Each step is a program, whose value is compared; all of them can follow each other in any order, any number of times.
_BEFORE: Final = """
globalThis.log = []; globalThis.m = new Map(); globalThis.count = 0; globalThis.k = Symbol('k');
globalThis.note = x => { log.push(x); return log.length };
globalThis.counter = (() => { let n = 0; return () => ++n })();
globalThis.g = (function* () { let x = 0; for (;;) { x = (yield x + 1) ?? x + 1 } })();
globalThis.ag = (async function* () { for (let i = 0; ; i++) { await null; yield i } })();
globalThis.p = new Proxy({}, {get: (t, key) => typeof key + (t[key] ?? 0), set: (t, key, v) => (t[key] = v, true)});
globalThis.w = []; globalThis.open = []; globalThis.buffer = new ArrayBuffer(8, {maxByteLength: 1 << 16});
globalThis.words = new Uint16Array(buffer); globalThis.r = /(a)(b)?/g; globalThis.t = new EventTarget();
globalThis.s = new ReadableStream({pull(c) { c.enqueue(++count) }}, {highWaterMark: 2}).getReader();
globalThis.ts = new TransformStream({transform(x, c) { c.enqueue(x * 2) }}); globalThis.tw = ts.writable.getWriter();
globalThis.tr = ts.readable.getReader(); globalThis.o = {[k]: 1, get x() { return counter() }}; 0
"""
_STEPS: Final = (
    "counter()",
    "[...Array(3)].map(() => g.next().value)",
    "g.next(7).value",
    "(await ag.next()).value",
    "m.set({c: counter()}, new Set([m.size])); [...m].map(([a, b]) => [a.c, [...b][0]])",
    "p.x = counter(); [p.x, p.y, p[k]]",
    "{ const o = {n: counter()}; w.push([o, new WeakRef(o), new WeakMap([[o, 5]])]) } w.map(([o, r, m]) "
    "=> [r.deref().n, m.get(o)])",
    "open.push(new Promise(f => open.push(f)).then(x => note('p' + x))); open.length",
    "{ const f = open.findLast(x => typeof x == 'function'); if (f) { open = open.filter(x => x != f); "
    "f(counter()) } } await null; log.join()",
    "setTimeout(() => note('t' + performance.now()), counter() % 7); setTimeout(note, 3, 'late'); 0",
    "await new Promise(f => setTimeout(f, 4)); log.join()",
    "globalThis.i ??= setInterval(() => note('i'), 5); 0",
    "clearInterval(globalThis.i); globalThis.i = undefined; 0",
    "(await s.read()).value",
    "tw.write(counter()); (await tr.read()).value",
    "buffer.resize((buffer.byteLength * 3) % 65537 & ~1); words[0] = 65535 + counter(); "
    "[buffer.byteLength, words[0], words.length]",
    "`${r.exec('ab a ab')} ${r.lastIndex}`",
    "t.addEventListener('e', () => note('e'), {once: true}); t.dispatchEvent(new Event('e')); log.length",
    "o[k] += o.x; [o[k], Object.getOwnPropertySymbols(o).length]",
    "ask(counter()).then(x => note('a' + x)); 0",
    "await ask('awaited')",
    "now() + counter()",
    "Math.random() + crypto.randomUUID()",
    "[Date.now(), performance.now(), new Error('x').stack.split('\\n').length]",
    "class C { #a = counter(); static s = 1; get a() { return this.#a } } ; globalThis['C' + counter()] = C; new C().a",
    "Promise.reject(new Error('mine')).catch(e => note(e.message)); 0",
    "structuredClone({m, d: new Date(5), b: new Uint8Array([counter()])}).b[0]",
    "globalThis.mc ??= new MessageChannel(); mc.port1.onmessage = e => note(e.data); "
    "mc.port2.postMessage('m' + counter()); 0",
    "const text = new TextDecoder(); text.decode(new Uint8Array([226, 130]), {stream: true}) + "
    "text.decode(new Uint8Array([172]))",
    "throw new RangeError('thrown ' + counter())",
    "(await import('m' + counter() % 3)).n",
    "JSON.stringify([log.length, m.size, count])",
)


def _functions() -> dict[str, Any]:
    async def ask(question: object) -> str:
        return f"answer to {question}"

    return {"ask": ask, "now": lambda: 5}


def _modules(specifier: str, _importer: object) -> str:
    return f"export const n = {specifier!r} + counter()"


def _history(steps: list[int], lives: list[int]) -> list[Any]:
    """What the steps gave, with a new life before those that are said: none, from memory, from bytes, as a twin."""
    box = Sandbox(clock="virtual", seed=3, functions=_functions(), modules=_modules)
    box.eval(_BEFORE, filename="before.js")
    seen: list[Any] = []
    for number, step in enumerate(steps):
        kind = lives[number % len(lives)] if lives else 0
        if kind:
            before = box
            if kind == 3:
                box = before.fork()
            else:
                snapshot = before.snapshot()
                data = snapshot.to_bytes() if kind == 2 else b""
                box = Sandbox.restore(
                    Snapshot.from_bytes(data) if data else snapshot, functions=_functions(), modules=_modules
                )
            before.close()
        try:
            seen.append(box.eval(_STEPS[step], filename="step.js"))
        except JSError as error:
            seen.append(str(error))
    box.run_until_idle() if not any(_STEPS[step].startswith("globalThis.i ??=") for step in steps) else box.tick(50)
    seen.append(box.eval("log.join()"))
    box.close()
    return seen


@pytest.mark.timeout(900)
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.integers(0, len(_STEPS) - 1), min_size=1, max_size=14),
    st.lists(st.integers(0, 3), min_size=1, max_size=14),
)
def test_a_program_cannot_tell_how_many_lives_it_has(steps: list[int], lives: list[int]) -> None:
    assert _history(steps, lives) == _history(steps, [])
