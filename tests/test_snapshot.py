"""Snapshots, restored and forked sandboxes: what goes along, what is new, and what is refused."""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from sandbox import (
    AsyncSandbox,
    HostFunction,
    JSError,
    JSFunction,
    Limits,
    PendingCall,
    Request,
    Response,
    Sandbox,
    Snapshot,
    expose,
    undefined,
)
from sandbox._image import ARTIFACTS
from sandbox.errors import (
    ConversionError,
    LimitExceeded,
    MemoryLimitExceeded,
    RunInterrupted,
    SandboxBusy,
    SandboxClosed,
    SandboxPoisoned,
    SnapshotError,
    SnapshotUntrusted,
    Stalled,
    UsageError,
)

KEY = b"a key of the embedder's own"
SEED = 7
RESTORE: Any = Sandbox.restore


def _same(snapshot: Snapshot) -> Snapshot:
    return snapshot


def _written(snapshot: Snapshot) -> Snapshot:
    return Snapshot.from_bytes(snapshot.to_bytes())


def _signed(snapshot: Snapshot) -> Snapshot:
    return Snapshot.from_bytes(snapshot.to_bytes(key=KEY), key=KEY)


@pytest.fixture(params=[_same, _written, _signed], ids=["kept", "bytes", "signed"])
def carry(request: pytest.FixtureRequest) -> Callable[[Snapshot], Snapshot]:
    """The ways in which a snapshot gets to where it is restored."""
    way: Callable[[Snapshot], Snapshot] = request.param
    return way


def later(carry: Callable[[Snapshot], Snapshot], box: Sandbox, **options: Any) -> Sandbox:
    """The sandbox's next life."""
    snapshot = carry(box.snapshot())
    box.close()
    return Sandbox.restore(snapshot, **options)


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


# --- functions ---


def _numbers() -> Iterator[int]:
    yield from range(5)


class Store:
    def __init__(self, name: str) -> None:
        self.name = name

    @expose
    def get(self, key: str) -> str:
        return f"{self.name}.{key}"

    @expose
    async def find(self, key: str) -> str:
        return f"{self.name}?{key}"


def test_functions_are_bound_again_by_name(carry: Callable[[Snapshot], Snapshot]) -> None:
    async def wait(n: int) -> int:
        return n + 100

    box = Sandbox(
        functions={"f": lambda n: n, "g": wait, "h": HostFunction(wait, wait=True)},
        globals={"db": Store("old"), "nested": {"a": [lambda: "a", lambda: "b"]}, "plain": 1},
    )
    box.eval("globalThis.kept = f; const bound = db.get; plain = 2; 0")
    new = {"f": lambda n: -n, "g": wait, "h": HostFunction(wait, wait=True)}
    globals_ = {"db": Store("new"), "nested": {"a": [lambda: "A", lambda: "B"]}, "plain": 3, "more": 4}
    with later(carry, box, functions=new, globals=globals_) as life:
        assert life.eval("[kept(1), f(2), kept === f, f.name, f.length]") == [-1, -2, True, "", 1]
        assert life.eval("[await g(1), h(2)]") == [101, 102]
        assert life.eval("[db.get('k'), bound.call(db, 'k'), await db.find('k')]") == ["new.k", "new.k", "new?k"]
        assert life.eval("nested.a.map(f => f())") == ["A", "B"]
        assert life.eval("[plain, more]") == [2, 4]
        assert life.eval("db") is globals_["db"]


def test_functions_may_become_asynchronous_and_back() -> None:
    async def slow() -> int:
        return 1

    with Sandbox(functions={"a": slow, "b": lambda: 2}) as box:
        snapshot = box.snapshot()
    with Sandbox.restore(snapshot, functions={"a": lambda: 3, "b": slow}) as life:
        assert life.eval("const p = [a(), b()]; [p.map(x => x instanceof Promise), await p[0], await p[1]]") == [
            [True, True],
            3,
            1,
        ]


def test_functions_that_are_missing_are_named(carry: Callable[[Snapshot], Snapshot]) -> None:
    with Sandbox(functions={"b": len, "a": max, "gone": min}, globals={"db": Store("x")}) as box:
        box.eval("delete globalThis.gone; 0")
        snapshot = carry(box.snapshot())
    assert snapshot.functions == ("a", "b", "db", "db.find", "db.get")
    with pytest.raises(SnapshotError, match=r"were not given: a, b, db, db\.find, db\.get;") as caught:
        Sandbox.restore(snapshot)
    assert caught.value.missing == snapshot.functions
    assert pickle.loads(pickle.dumps(caught.value)).missing == snapshot.functions


def test_what_was_not_put_there_by_name_stays_behind(carry: Callable[[Snapshot], Snapshot]) -> None:
    async def rows() -> AsyncIterator[int]:
        yield 1

    box = Sandbox(functions={"make": lambda: len, "numbers": _numbers, "rows": rows})
    box.eval("globalThis.made = make(); globalThis.it = numbers(); it.next(); globalThis.s = rows(); 0")
    with later(carry, box, functions={"make": lambda: len, "numbers": _numbers, "rows": rows}) as life:
        for code in ("made('abc')", "it.next()", "await s.next()"):
            with pytest.raises(JSError, match="stayed behind when the sandbox was restored"):
                life.eval(code)
        assert life.eval("[make()('abc'), [...numbers()].length]") == [3, 5]


def test_a_twin_calls_the_same_functions() -> None:
    calls: list[int] = []
    with Sandbox(functions={"f": calls.append, "make": lambda: calls.append, "numbers": _numbers}) as box:

        @box.function
        def g() -> int:
            return 5

        box.eval("globalThis.made = make(); globalThis.it = numbers(); it.next(); 0")
        with box.fork() as twin:
            twin.eval("f(1); made(2)")
            assert twin.eval("g()") == 5
            with pytest.raises(JSError, match="stayed behind"):
                twin.eval("it.next()")
            assert box.eval("it.next().value") == 1
    assert calls == [1, 2]


def test_a_function_that_was_not_told_the_guest_yet_goes_along() -> None:
    with Sandbox() as box:
        box.function(lambda: 1, name="late")
        snapshot = box.snapshot()
        assert snapshot.functions == ("late",)
        with box.fork() as twin:
            assert twin.eval("late()") == 1


def test_handles_of_the_old_life_are_of_no_use() -> None:
    with Sandbox() as box:
        function = box.eval("globalThis.f = () => 1; f")
        with box.fork() as twin, pytest.raises(ConversionError, match="of another sandbox"):
            twin.call(function)
        with Sandbox.restore(box.snapshot()) as life:
            with pytest.raises(ConversionError, match="of another sandbox"):
                life.call(function)
            assert life.eval("f()") == 1
            assert life._driver.guest.instance.control.live_handles == 0
        assert function() == 1


# --- pending calls ---


async def never(*_arguments: object) -> None:
    await anyio.sleep_forever()


def _waiting(code: str, functions: dict[str, Any], **options: Any) -> tuple[Snapshot, Sandbox]:
    """A snapshot that is taken while a run waits."""
    box = Sandbox(functions=functions, **options)

    def run() -> None:
        with pytest.raises(RunInterrupted):
            box.eval(code)

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 20
    while not box.pending and time.monotonic() < deadline:
        time.sleep(0.001)
    snapshot = box.snapshot()
    box.interrupt()
    thread.join()
    box.close()
    return snapshot, box


def test_pending_calls_are_made_again(carry: Callable[[Snapshot], Snapshot]) -> None:
    calls: list[Any] = []

    async def ask(question: str, options: dict[str, Any]) -> str:
        calls.append((question, options))
        return question.upper()

    async def block(question: str, options: dict[str, Any]) -> None:
        await anyio.sleep_forever()

    snapshot, _ = _waiting("const a = await ask('q', {n: [1n]}); a + '!'", {"ask": block})
    snapshot = carry(snapshot)
    assert (snapshot.pending, snapshot.runs, snapshot.functions) == (("ask",), (2,), ("ask",))
    with Sandbox.restore(snapshot, functions={"ask": ask}) as life:
        (call,) = life.pending
        assert (call.name, call.arguments) == ("ask", ("q", {"n": [1]}))
        assert life.unfinished == (2,)
        assert calls == []
        assert life.finish(2) == "Q!"
        assert calls == [("q", {"n": [1]})]
        assert not life.pending
        assert not life.unfinished
        with pytest.raises(UsageError, match="no unfinished run 2"):
            life.finish(2)


def test_pending_calls_wait_for_the_embedder(carry: Callable[[Snapshot], Snapshot]) -> None:
    snapshot, _ = _waiting("let r; try { r = await never() } catch (e) { r = e.name + e.message } r", {"never": never})
    answers: list[tuple[Callable[[PendingCall], None], object]] = [
        (lambda call: call.settle([1]), [1]),
        (lambda call: call.settle(), None),
        (lambda call: call.reject(ValueError("no")), "RangeErrorno"),
    ]
    for answer, value in answers:
        with Sandbox.restore(carry(snapshot), functions={"never": never}, pending="hold") as life:
            assert life.eval("1 + 1") == 2
            (call,) = life.pending
            answer(call)
            assert life.pending == ()
            with pytest.raises(UsageError, match="pending no more"):
                call.settle(2)
            assert life.eval("0") == 0
            assert life.finish(2) == value


def test_pending_calls_of_a_live_sandbox_can_be_answered() -> None:
    with Sandbox(functions={"never": never}) as box:
        box.eval("globalThis.p = never(1, () => 2); 0")
        (call,) = box.pending
        function = call.arguments[1]
        assert isinstance(function, JSFunction)
        assert function() == 2
        call.settle("now")
        assert box.eval("await p") == "now"


def test_functions_in_pending_calls_are_functions_of_the_new_life(carry: Callable[[Snapshot], Snapshot]) -> None:
    async def twice(function: JSFunction) -> Any:
        return await asyncio.to_thread(function)

    snapshot, _ = _waiting("globalThis.n = 20; await twice(() => ++n)", {"twice": _forever})
    with Sandbox.restore(carry(snapshot), functions={"twice": twice}) as life:
        (call,) = life.pending
        assert call.arguments[0]() == 21
        del call
        assert life.finish(2) == 22


async def _forever(function: JSFunction) -> None:
    await anyio.sleep_forever()


def test_answers_that_were_not_told_go_along(carry: Callable[[Snapshot], Snapshot]) -> None:
    ready = threading.Event()

    async def quick() -> dict[str, int]:
        ready.set()
        return {"a": 1}

    async def fails() -> None:
        raise ValueError("so")

    async def odd() -> Any:
        return len

    with Sandbox(functions={"quick": quick, "fails": fails, "odd": odd}) as box:
        box.eval("globalThis.p = Promise.allSettled([quick(), fails(), odd()]); 0")
        assert ready.wait(10)
        deadline = time.monotonic() + 10
        while len(box._driver._requests.unheard()) < 3 and time.monotonic() < deadline:
            time.sleep(0.001)
        snapshot = carry(box.snapshot())
    with Sandbox.restore(snapshot, functions={"quick": never, "fails": never, "odd": never}) as life:
        first, second, third = life.eval("await p")
        assert first == {"status": "fulfilled", "value": {"a": 1}}
        assert (second["reason"].name, second["reason"].message) == ("RangeError", "so")
        assert "cannot go along in a snapshot" in third["reason"].message


def test_awaitables_of_the_host_are_lost(carry: Callable[[Snapshot], Snapshot]) -> None:
    with Sandbox(functions={"give": lambda: {"p": never()}}) as box:
        box.eval("globalThis.p = give().p; 0")
        snapshot = carry(box.snapshot())
    with Sandbox.restore(snapshot, functions={"give": lambda: 0}) as life, pytest.raises(JSError, match="is lost"):
        life.eval("await p")


def test_fetches_are_lost(carry: Callable[[Snapshot], Snapshot]) -> None:
    async def answer(request: Request) -> Response:
        if "slow" in request.url:
            await anyio.sleep_forever()

        async def body() -> AsyncIterator[bytes]:
            yield b"x" * 1000
            await anyio.sleep_forever()

        return Response(body=body())

    with Sandbox(fetch=answer) as box:
        box.eval(
            "globalThis.p = fetch('http://a.test/slow'); const r = (await fetch('http://a.test/')).body.getReader(); 0"
        )
        box.eval("await r.read(); 0")
        snapshot = carry(box.snapshot())
    with Sandbox.restore(snapshot, fetch=lambda request: Response(body="new")) as life:
        error = life.eval("p.catch(e => [e instanceof TypeError, e.message, e.cause.code])")
        assert error == [
            True,
            "fetch failed: the sandbox was restored from a snapshot, without its connections",
            "dropped",
        ]
        assert life.eval("(await fetch('http://a.test/')).text()") == "new"
        assert life.eval("r.read().catch(e => e.name)") == "TypeError"


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


# --- keys ---

_SIGN = "crypto.subtle.sign('HMAC', k, new Uint8Array(3))"


def test_crypto_keys_go_along_with_a_key() -> None:
    with Sandbox() as box:
        box.eval("globalThis.k = await crypto.subtle.generateKey({name: 'HMAC', hash: 'SHA-256'}, false, ['sign']); 0")
        signature = box.eval(_SIGN)
        snapshot = box.snapshot()
        with box.fork() as twin, Sandbox.restore(snapshot) as life, Sandbox.restore(_signed(snapshot)) as other:
            assert twin.eval(_SIGN) == life.eval(_SIGN) == other.eval(_SIGN) == signature
        secret = box._driver._operations._capabilities[-1]._service.vault.secret  # type: ignore[attr-defined]
        assert secret not in snapshot.to_bytes(key=KEY)
        assert secret not in snapshot.to_bytes()
    for lost in (_written(snapshot), Snapshot.from_bytes(snapshot.to_bytes(key=KEY))):
        with Sandbox.restore(lost) as life:
            with pytest.raises(JSError, match="restored from a snapshot that has no keys") as caught:
                life.eval(_SIGN)
            assert caught.value.name == "OperationError"
            life.eval("k = await crypto.subtle.generateKey({name: 'HMAC', hash: 'SHA-256'}, false, ['sign']); 0")
            assert len(life.eval(_SIGN)) == 32
            with Sandbox.restore(_signed(life.snapshot())) as last:
                assert last.eval(_SIGN) == life.eval(_SIGN)


@pytest.mark.parametrize("key", [b"", b"short", "text" * 8, 5])
def test_keys_that_are_none(key: Any) -> None:
    with Sandbox() as box:
        snapshot = box.snapshot()
    for use in (lambda: snapshot.to_bytes(key=key), lambda: Snapshot.from_bytes(b"", key=key)):
        with pytest.raises((TypeError, ValueError), match="key must"):
            use()


def test_a_key_refuses_what_is_not_signed_with_it() -> None:
    with Sandbox() as box:
        plain, signed = box.snapshot().to_bytes(), box.snapshot().to_bytes(key=KEY)
    for data in (plain, signed[:-1] + bytes([signed[-1] ^ 1]), signed[:-32]):
        with pytest.raises(SnapshotUntrusted):
            Snapshot.from_bytes(data, key=KEY)
    with pytest.raises(SnapshotUntrusted, match="was not signed with this key"):
        Snapshot.from_bytes(signed, key=b"another key, as long")
    assert Snapshot.from_bytes(signed).runs == ()


# --- limits ---


def test_limits_are_those_of_the_new_life() -> None:
    with Sandbox(limits=Limits(memory_bytes=128 << 20)) as box:
        box.eval("globalThis.a = Array.from({length: 100000}, (_, i) => ({i})); 0")
        snapshot = box.snapshot()
    with pytest.raises(MemoryLimitExceeded, match=r"Restore it with a higher Limits\.memory_bytes"):
        Sandbox.restore(snapshot, limits=Limits(memory_bytes=8 << 20))
    with Sandbox.restore(snapshot, limits=Limits(memory_bytes=32 << 20)) as life:
        with pytest.raises(MemoryLimitExceeded):
            life.eval("for (;;) a.push(new Array(1000).fill(1))")
        assert life.usage.peak_memory_bytes <= 32 << 20
    with Sandbox.restore(snapshot, limits=Limits(cpu_seconds=0.1, max_nodes=500)) as life:
        with pytest.raises(LimitExceeded):
            life.eval("for (;;);")
        with pytest.raises(ConversionError, match="max_nodes"):
            life.eval("Array(1000).fill(1)")
    with Sandbox.restore(snapshot, limits=Limits(stack_bytes=32 << 10)) as life:
        depth = "var d = 0; (function f() { d++; f() })"
        shallow = life.eval(f"try {{ {depth}() }} catch {{}} d")
        with Sandbox.restore(snapshot) as deep:
            assert deep.eval(f"try {{ {depth}() }} catch {{}} d") > 4 * shallow


def test_memory_that_was_freed_can_be_used_again() -> None:
    limits = Limits(memory_bytes=32 << 20)
    fill = "globalThis.b = new Uint8Array(20 << 20).fill(1); b.length"
    with Sandbox(limits=limits) as box:
        box.eval(fill)
        box.eval("b = null")
        with Sandbox.restore(_written(box.snapshot()), limits=limits) as life:
            assert life.eval(fill) == 20 << 20


@pytest.mark.parametrize("limits", [Limits(pending_requests=1), Limits(handles=1)], ids=["requests", "handles"])
def test_more_than_the_limits_allow(limits: Limits) -> None:
    with Sandbox(functions={"never": never, "other": len}) as box:
        box.eval("never(); never(); 0")
        snapshot = box.snapshot()
    with pytest.raises(LimitExceeded, match="Restore it with higher limits"):
        Sandbox.restore(snapshot, functions={"never": never, "other": len}, limits=limits)


@pytest.mark.parametrize("metering", ["fuel", "clock"])
def test_a_snapshot_fits_both_ways_of_metering(metering: Any) -> None:
    with Sandbox() as box:
        box.eval("globalThis.n = 1")
        snapshot = _written(box.snapshot())
    for _ in range(3):
        with Sandbox.restore(snapshot, limits=Limits(metering=metering)) as life:
            assert life.eval("++n") == 2


def test_a_rollback_goes_back_to_the_snapshot() -> None:
    calls: list[str] = []

    async def ask() -> str:
        calls.append("ask")
        return "answer"

    snapshot, _ = _waiting("globalThis.n = 1; await ask()", {"ask": never})
    for _ in range(3):
        calls.clear()
        with Sandbox.restore(
            snapshot, functions={"ask": ask}, on_limit="rollback", limits=Limits(cpu_seconds=0.2)
        ) as life:
            with pytest.raises(LimitExceeded) as caught:
                life.eval("n = 2; for (;;);")
            assert caught.value.rolled_back
            assert life.eval("n") == 1
            assert life.finish(2) == "answer"
            assert calls == ["ask"]


def test_snapshots_of_a_sandbox_that_can_be_rolled_back() -> None:
    with Sandbox(on_limit="rollback", limits=Limits(cpu_seconds=0.1)) as box:
        box.eval("globalThis.n = 1")
        with pytest.raises(LimitExceeded):
            box.eval("n = 2; for (;;);")
        with Sandbox.restore(box.snapshot()) as life, box.fork() as twin:
            assert life.eval("n") == twin.eval("n") == 1
            with pytest.raises(LimitExceeded):
                twin.eval("n = 3; for (;;);")
            assert twin.eval("n") == 1


# --- when ---


def test_not_in_the_middle_of_a_turn() -> None:
    refused: list[type[BaseException]] = []

    def inside() -> None:
        for use in (box.snapshot, box.fork):
            with pytest.raises(SandboxBusy) as caught:
                use()
            refused.append(caught.type)

    with Sandbox(functions={"inside": inside}) as box:
        box.eval("inside()")
        assert refused == [SandboxBusy, SandboxBusy]
        assert box.snapshot().functions == ("inside",)


def test_it_waits_for_the_turn_of_another_thread() -> None:
    began, go = threading.Event(), threading.Event()

    def hold() -> None:
        began.set()
        go.wait(10)

    with Sandbox(functions={"hold": hold}) as box:
        thread = threading.Thread(target=lambda: box.eval("globalThis.n = 1; hold(); n = 2"))
        thread.start()
        assert began.wait(10)
        timer = threading.Timer(0.05, go.set)
        timer.start()
        snapshot = box.snapshot()
        thread.join()
        timer.join()
    with Sandbox.restore(snapshot, functions={"hold": hold}) as life:
        assert life.eval("n") == 2


def test_not_of_a_sandbox_that_is_closed_or_poisoned() -> None:
    box = Sandbox(on_limit="poison", limits=Limits(cpu_seconds=0.05))
    with pytest.raises(LimitExceeded):
        box.eval("for (;;);")
    for use in (box.snapshot, box.fork):
        with pytest.raises(SandboxPoisoned):
            use()
    box.close()
    for use in (box.snapshot, box.fork, lambda: box.finish(1)):
        with pytest.raises(SandboxClosed):
            use()
    assert box.pending == ()


@pytest.mark.parametrize(
    ("use", "error"),
    [
        (lambda s: RESTORE(b"bytes"), TypeError),
        (lambda s: RESTORE(s, pending="later"), ValueError),
        (lambda s: RESTORE(s, clock="sundial"), ValueError),
        (lambda s: RESTORE(s, seed="x"), TypeError),
        (lambda s: s.write("/nowhere/at/all"), OSError),
        (lambda s: Snapshot.read("/nowhere/at/all"), OSError),
    ],
)
def test_misuse(use: Callable[[Snapshot], object], error: type[Exception]) -> None:
    with Sandbox() as box:
        snapshot = box.snapshot()
    with pytest.raises(error):
        use(snapshot)


def test_it_is_not_to_be_seen() -> None:
    """Taking snapshots changes nothing of what a program or its embedder can see."""

    def life(*, looks: bool) -> list[Any]:
        with Sandbox(clock="virtual", seed=SEED) as box:
            seen: list[Any] = []
            for code in ("new Error().stack", "setTimeout(() => 0, 5); Math.random()", "performance.now()", "throw 1"):
                if looks:
                    box.snapshot()
                    box.fork().close()
                try:
                    seen.append(box.eval(code))
                except JSError as error:
                    seen.append(str(error))
            usage = box.usage
            return [*seen, usage.fuel, usage.runs, usage.turns, usage.heap_bytes, usage.pending_requests]

    assert life(looks=True) == life(looks=False)


def test_numbers_of_runs_go_on() -> None:
    with Sandbox() as box:
        box.eval("0")
        with Sandbox.restore(box.snapshot()) as life:
            assert life.usage.runs == 0
            assert "<eval 2>" in life.eval("new Error().stack")
            assert life.usage.runs == 1


def test_a_run_that_stalls_in_its_next_life() -> None:
    snapshot, _ = _waiting("await Promise.any([new Promise(() => {}), never()])", {"never": never})
    with Sandbox.restore(snapshot, functions={"never": never}, pending="hold") as life:
        life.pending[0].reject(ValueError())
        with pytest.raises((Stalled, JSError)):
            life.finish(2)


def test_nothing_is_left_of_a_snapshot() -> None:
    with Sandbox() as box:
        box.eval("globalThis.a = new Array(1e5).fill(1)")
        snapshot = box.snapshot()
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
    for _ in range(4):
        Sandbox.restore(snapshot).close()
    del snapshot
    gc.collect()
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) <= before


# --- the asynchronous face ---


@pytest.mark.anyio
async def test_on_the_asynchronous_face() -> None:
    async with AsyncSandbox(functions={"never": never, "add": lambda a, b: a + b}, clock="virtual") as box:
        await box.eval("globalThis.n = 1; setTimeout(() => n += 10, 1000)")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_eval_until_cancelled, box)
            while not box.pending:  # noqa: ASYNC110 - nothing tells
                await anyio.sleep(0.001)
            snapshot = _written(await box.snapshot())
            async with await box.fork(pending="hold") as twin:
                twin.pending[0].settle(5)
                assert await twin.finish(3) == 6
                await twin.tick(1000)
                assert await twin.eval("n") == 11
            tasks.cancel_scope.cancel()
    async with AsyncSandbox.restore(snapshot, functions={"never": _five, "add": lambda a, b: a * b}) as life:
        assert life.unfinished == (3,)
        assert await life.finish(3) == 5
        assert await life.eval("[n, add(3, 4)]") == [1, 12]
    with Sandbox.restore(snapshot, functions={"never": _five, "add": max}) as other:
        assert other.finish(3) == 5


async def _five() -> int:
    return 5


async def _eval_until_cancelled(box: AsyncSandbox) -> None:
    await box.eval("add(await never(), 1)")


@pytest.mark.anyio
async def test_an_asynchronous_life_without_a_block_refuses() -> None:
    async with AsyncSandbox() as box:
        twin = await box.fork()
        with pytest.raises(UsageError, match="async with"):
            await twin.eval("1")
        async with twin:
            assert await twin.eval("1") == 1
    with pytest.raises(SandboxClosed):
        await box.snapshot()


def test_what_a_snapshot_says_of_itself() -> None:
    with Sandbox(functions={"f": len}) as box:
        snapshot = box.snapshot()
        manifest = json.loads((ARTIFACTS / "manifest.json").read_text())
        for each in (snapshot, _written(snapshot)):
            assert each.image == manifest["sha256"]
            assert each.memory_bytes == box.usage.memory_bytes
            assert (each.functions, each.pending, each.runs) == (("f",), (), ())
            assert repr(each) == f"<Snapshot of {each.memory_bytes:,} bytes, image {each.image[:12]}>"
