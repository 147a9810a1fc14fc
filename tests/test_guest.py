"""The guest without a driver: commands go in, events come out."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox._abi import Verb
from sandbox._events import Cancelled, Crashed, Failed, Finished, Released, Requested, State, Uncaught
from sandbox.errors import (
    ConversionError,
    JSError,
    JSSyntaxError,
    SandboxBusy,
    SandboxClosed,
    SandboxPoisoned,
    StackLimitExceeded,
    UnhandledRejection,
)
from sandbox.values import JSFunction, undefined
from tests.bare_guest import Bare, outcome, requests


@pytest.fixture
def bare() -> Iterator[Bare]:
    with Bare() as guest:
        yield guest


# --- runs ---


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("1 + 1", 2),
        ("", undefined),
        ("'a\\ud800'", "a\ud800"),
        ("Promise.resolve(5)", 5),
        ("await 5", 5),
        ("const x = await Promise.resolve([1]); x", [1]),
        ("(async () => { await null; return {a: 1} })()", {"a": 1}),
        ("let late = 1; queueMicrotask(() => late++); [late]", [1]),
        ("const seen = []; queueMicrotask(() => seen.push(1)); seen", [1]),
        ("#!/usr/bin/env node\n7", 7),
        ("({then(resolve) { resolve(1) }}).then.name", "then"),
    ],
)
def test_a_script_finishes(bare: Bare, code: str, value: object) -> None:
    assert bare.eval(code) == [Finished(1, value)]


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        ("throw new TypeError('bad')", JSError, "bad"),
        ("throw 5", JSError, "5"),
        ("throw undefined", JSError, "undefined"),
        ("throw Symbol('s')", JSError, "Symbol"),
        ("(", JSSyntaxError, ""),
        ("await (", JSSyntaxError, ""),
        ("Promise.reject(new Error('no'))", JSError, "no"),
        ("await Promise.reject(new Error('no'))", JSError, "no"),
        ("Symbol('s')", ConversionError, "symbol"),
        ("({a: [Symbol('s')]})", ConversionError, "symbol"),
        ("({get a() { throw new Error('mine') }})", JSError, "mine"),
        ("throw {get message() { throw 1 }}", JSError, ""),
        ("throw Object.assign(new Error('m'), {s: Symbol()})", JSError, "m"),
        ("throw new Proxy(new Error('m'), {get() { throw 1 }})", JSError, ""),
    ],
)
def test_a_script_fails(bare: Bare, code: str, kind: type[Exception], text: str) -> None:
    (event,) = bare.eval(code)

    assert isinstance(event, Failed)
    assert event.run == 1
    assert isinstance(event.error, kind)
    assert text in str(event.error)
    assert bare.value("1") == 1


def test_a_script_that_waits_finishes_later(bare: Bare) -> None:
    (request,) = requests(
        bare.eval("setTimeout(() => globalThis.done = true, 5); new Promise(r => setTimeout(r, 5, 'x'))")
    )
    bare.arm()
    bare.guest.set_virtual_now(5)

    assert Finished(1, "x") in bare.guest.settle(request.id, undefined)
    assert bare.value("done") is True


def test_runs_finish_in_the_order_they_began(bare: Bare) -> None:
    bare.eval("var resolve; var gate = new Promise(r => { resolve = r }); gate.then(() => 'a')")
    bare.eval("gate.then(() => 'b')")
    events = bare.eval("resolve(); gate.then(() => 'c')")

    assert events == [Finished(1, "a"), Finished(2, "b"), Finished(3, "c")]


def test_a_run_may_end_others_while_its_value_is_read(bare: Bare) -> None:
    """Getters of a result run guest code: it settles, begins and reports other runs."""

    def nested() -> str:
        return repr(bare.guest.eval(50, "3", "nested"))

    bare.define("nested", nested)
    bare.eval("var resolve; new Promise(r => { resolve = r })")
    bare.eval("var resolve2; new Promise(r => { resolve2 = r })")
    events = bare.eval("resolve2({get x() { resolve(1); return nested() }}); 7")

    assert Finished(3, 7) in events
    (value,) = (event.value["x"] for event in events if isinstance(event, Finished) and event.run == 2)
    assert repr(Finished(1, 1)) in value
    assert repr(Finished(50, 3)) in value
    assert bare.value("1 + 1") == 2


def test_an_abandoned_run_is_not_reported(bare: Bare) -> None:
    bare.eval("var resolve; new Promise(r => { resolve = r })")

    assert bare.guest.abandon(1) == []
    assert bare.guest.abandon(77) == []
    assert bare.eval("resolve(1); 2") == [Finished(2, 2)]


@pytest.mark.parametrize(
    ("code", "events"),
    [
        ("Promise.reject(new Error('x')); 1", [UnhandledRejection]),
        ("Promise.reject(5); 1", [UnhandledRejection]),
        ("queueMicrotask(() => { throw new Error('x') }); 1", [JSError]),
        ("reportError(new Error('x')); 1", [JSError]),
        ("Promise.reject(1).catch(() => {}); 1", []),
        ("const p = Promise.reject(1); queueMicrotask(() => p.catch(() => {})); 1", []),
        ("for (let i = 0; i < 3; i++) Promise.reject(i); 1", [UnhandledRejection] * 3),
        ("Promise.allSettled([Promise.reject(1), Promise.reject(2)]); 1", []),
    ],
)
def test_what_nobody_catches(bare: Bare, code: str, events: list[type]) -> None:
    seen = [type(event.error) for event in bare.eval(code) if isinstance(event, Uncaught)]

    assert seen == events


# --- requests ---


def test_requests_are_answered_and_cancelled(bare: Bare) -> None:
    def ask() -> None:
        raise AssertionError("a queued function is not called by the guest")

    bare.owner.queued.add(ask)
    bare.define("ask", ask)
    events = bare.eval("Promise.allSettled([ask(1), ask('two'), ask({x: [3]})])")

    assert [request.arguments for request in requests(events)] == [[1], ["two"], [{"x": [3]}]]
    assert bare.guest.instance.control.pending_requests == 3
    ids = [request.id for request in requests(events)]
    for answer, number in zip(([1], ValueError("late"), undefined), ids, strict=True):
        bare.arm()
        events = bare.guest.settle(number, answer)
    (result,) = events
    assert isinstance(result, Finished)
    assert [entry["status"] for entry in result.value] == ["fulfilled", "rejected", "fulfilled"]
    assert bare.guest.instance.control.pending_requests == 0
    bare.arm()
    assert bare.guest.settle(ids[0], 1) == []
    assert bare.guest.settle(4_000_000_000, 1) == []


@pytest.mark.parametrize("aborted", [False, True])
def test_the_rejection_of_an_aborted_call_is_told_at_once_and_any_other_when_no_run_could_still_handle_it(
    bare: Bare, aborted: bool
) -> None:
    async def ask() -> None: ...

    bare.owner.queued.add(ask)
    bare.define("ask", ask)
    (request,) = requests(bare.eval("ask(); new Promise(() => {})"))
    bare.arm()
    told = bare.guest.settle(request.id, ValueError("late"), aborted=aborted)
    bare.arm()
    told_later = bare.guest.abandon(1)

    assert [len(told), len(told_later)] == [aborted, not aborted]
    assert all(isinstance(event, Uncaught) for event in [*told, *told_later])


def test_a_cleared_timer_is_cancelled(bare: Bare) -> None:
    (request,) = requests(bare.eval("globalThis.timer = setTimeout(() => {}, 10)"))

    assert Cancelled(request.id) in bare.eval("clearTimeout(timer)")
    assert bare.guest.instance.control.pending_requests == 0


def test_arguments_that_cannot_cross_fail_the_call(bare: Bare) -> None:
    def ask() -> None: ...

    bare.owner.queued.add(ask)
    bare.define("ask", ask)
    bare.define("call", lambda *values: None)

    assert "symbol" in str(bare.error("call(Symbol())"))
    assert "symbol" in str(bare.error("await ask(Symbol())"))
    assert bare.guest.instance.control.pending_requests == 0


# --- functions of the host ---


def test_synchronous_calls(bare: Bare) -> None:
    def fail() -> None:
        raise ValueError("no")

    bare.define("add", lambda a, b: a + b)
    bare.define("fail", fail)

    assert bare.value("add(add(1, 2), 3)") == 6
    assert bare.value("try { fail() } catch (error) { error.name + error.message }") == "RangeErrorno"
    assert isinstance(bare.error("fail()").__cause__, ValueError)


def test_events_are_heard_before_a_call(bare: Bare) -> None:
    heard: list[list[str]] = []

    def f() -> None:
        heard.append([event.arguments[0]["text"] for event in bare.seen if isinstance(event, Requested)])  # type: ignore[index]

    bare.define("f", f)
    bare.eval("console.log('a'); f(); console.log('b'); f()")

    assert heard == [["a"], ["a", "b"]]


def test_a_function_object_that_is_collected_is_released(bare: Bare) -> None:
    bare.define("f", lambda: 1)

    assert Released(300) in bare.eval("f = null")


@pytest.mark.parametrize("depth", [1, 10, 16])
def test_calls_back_into_the_guest(bare: Bare, depth: int) -> None:
    def back(level: int) -> Any:
        return outcome(bare.guest.call(1000 + level, "down", None, [level - 1])) if level else 0

    bare.define("back", back)
    bare.eval("function down(level) { return back(level) + 1 }")

    assert bare.value(f"down({depth})") == depth + 1


def test_calls_back_too_deep_are_refused_and_leave_the_guest_good(bare: Bare) -> None:
    def back(level: int) -> Any:
        return outcome(bare.guest.call(1000 + level, "down", None, [level + 1]))

    bare.define("back", back)
    bare.eval("function down(level) { return back(level) + 1 }")

    assert "too deeply" in str(bare.error("down(0)"))
    assert bare.guest.instance.depth == 0
    assert bare.value("try { down(0) } catch { 'caught' }") == "caught"


def test_a_reply_does_not_fall_on_what_is_being_read(bare: Bare) -> None:
    """Guest code that runs while a message is read, on purpose in odd places, calls the host meanwhile."""
    bare.define("noise", lambda size: "noise " * size)
    bare.eval("Error.prepareStackTrace = () => { noise(60000); noise(5); return 'stack' }")
    bare.eval("globalThis.first = {get second() { noise(60000); noise(700); return {third: () => 42} }}")

    assert bare.value("await null; " + "1;" * 3000 + "'end'") == "end"
    bare.arm()
    assert outcome(bare.guest.call(77, "first.second.third", None, ["x" * 5000])) == 42
    bare.define("fail", _not_allowed)
    assert bare.value("try { fail() } catch (error) { error.name }") == "NotAllowedError"


def _not_allowed() -> None:
    raise PermissionError("not you")


# --- calls and properties ---


def test_calls_by_path_and_by_handle(bare: Bare) -> None:
    bare.eval("var math = {base: 1, add(x) { return this.base + x }}; let top = x => x * 2")
    function = bare.value("math.add.bind({base: 10})")

    bare.arm()
    assert bare.guest.call(50, "math.add", None, [2]) == [Finished(50, 3)]
    assert bare.guest.call(51, "top", None, [2]) == [Finished(51, 4)]
    assert bare.guest.call(52, function.handle, None, [2]) == [Finished(52, 12)]


@pytest.mark.parametrize("path", ["", "nothing", "math.nothing", "math.nothing.more", ".", "..", "math.", "1 +"])
def test_calls_of_nothing(bare: Bare, path: str) -> None:
    bare.eval("var math = {}")
    bare.arm()
    (event,) = bare.guest.call(50, path, None, [])

    assert isinstance(event, Failed)
    assert isinstance(event.error, JSError)


def test_properties(bare: Bare) -> None:
    bare.arm()

    def access(verb: Verb, key: str, value: object = None) -> Any:
        return outcome(bare.guest.access(9, verb, 0, key, value))

    assert access(Verb.SET, "x", {"a": 1}) is undefined
    assert access(Verb.GET, "x") == {"a": 1}
    assert access(Verb.HAS, "x") is True
    assert access(Verb.DELETE, "x") is True
    assert access(Verb.HAS, "x") is False
    assert access(Verb.GET, "x") is undefined
    assert "x" not in access(Verb.KEYS, "")


# --- handles ---


def test_handles_are_released(bare: Bare) -> None:
    functions = bare.value("Array.from({length: 100}, (_, i) => () => i)")

    assert all(isinstance(function, JSFunction) for function in functions)
    assert bare.guest.instance.control.live_handles == 100
    bare.drop(functions)
    assert bare.guest.instance.control.live_handles == 0
    bare.drop(functions)
    bare.arm()
    (event,) = bare.guest.call(50, functions[0].handle, None, [])
    assert isinstance(event, Failed)
    assert "released" in str(event.error)


def test_functions_that_are_collected_name_their_handles(bare: Bare) -> None:
    functions = bare.value("[() => 1, () => 2]")
    handles = {function.handle for function in functions}
    del functions
    gc.collect()

    assert set(bare.owner.released) == handles


@pytest.mark.parametrize(
    "code",
    [
        "[() => 1, Symbol()]",
        "f([() => 1, Symbol()])",
        "f(() => 1, {a: [() => 2, {get x() { throw 1 }}]})",
        "ask(() => 1, Symbol())",
        "throw Object.assign(new Error('x'), {f() {}, s: Symbol()})",
        "console.log(() => 1); Promise.reject(Object.assign(new Error(), {f() {}, s: Symbol()})); 0",
    ],
)
def test_a_message_that_was_not_sent_leaves_no_handles(bare: Bare, code: str) -> None:
    def ask() -> None: ...

    bare.owner.queued.add(ask)
    bare.define("f", lambda *values: None)
    bare.define("ask", ask)
    for _ in range(20):
        bare.eval(f"try {{ {code} }} catch {{}}" if not code.startswith(("[", "throw", "console")) else code)
        bare.eval("0")
    gc.collect()
    bare.arm()
    bare.guest.release(bare.owner.released)

    assert bare.guest.instance.control.live_handles == 0


# --- values that guest code changes while they are read ---


@pytest.mark.parametrize(
    ("code", "value"),
    [
        # Objects at the address of one that was freed meanwhile are objects of their own.
        (
            "let kept; const mk = i => ({get x() { const o = {i}; kept = o; return o }}); [0, 1, 2, 3].map(mk)",
            [{"x": {"i": i}} for i in range(4)],
        ),
        ("const a = [{get x() { a.length = 0; return 1 }}, 2, 3]; a", [{"x": 1}, undefined, undefined]),
        ("const a = [{get x() { a.push(9); return 1 }}, 2]; a", [{"x": 1}, 2]),
        ("const o = {a: {get x() { delete o.b; return 1 }}, b: 2}; o", {"a": {"x": 1}, "b": undefined}),
        ("const o = {a: {get x() { o.c = 3; return 1 }}, b: 2}; o", {"a": {"x": 1}, "b": 2}),
        ("const m = new Map(); m.set({get x() { m.clear(); return 1 }}, 2); [...[m]][0].size", 1),
        ("const o = {get a() { return o }}; o.a === o", True),
        ("const u = new Uint8Array([1, 2]); ({get x() { return u }, get y() { return u }}).x", b"\x01\x02"),
    ],
)
def test_changes_while_a_value_is_read(bare: Bare, code: str, value: object) -> None:
    assert bare.value(code) == value


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("const b = new ArrayBuffer(8, {maxByteLength: 16}); const v = new Uint8Array(b); b.resize(12); v", bytes(12)),
        ("const b = new ArrayBuffer(8, {maxByteLength: 16}); const v = new Uint8Array(b, 4); b.resize(6); v", bytes(2)),
        (
            "const v = new DataView(new ArrayBuffer(4), 1); Object.defineProperty(v, 'byteLength', {value: 999}); v",
            bytes(3),
        ),
        (
            "const v = new DataView(new ArrayBuffer(4)); Object.defineProperty(v, 'buffer', {get: () => []}); v",
            bytes(4),
        ),
    ],
)
def test_views_are_what_they_are(bare: Bare, code: str, value: bytes) -> None:
    assert bytes(bare.value(code)) == value


@pytest.mark.parametrize(
    "code",
    [
        "const b = new ArrayBuffer(8, {maxByteLength: 16}); const v = new Uint8Array(b, 4, 4); b.resize(2); v",
        "const b = new ArrayBuffer(8); const v = new Uint8Array(b); b.transfer(); v",
        "const b = new ArrayBuffer(8); const v = new DataView(b); b.transfer(); v",
        "const b = new ArrayBuffer(8); b.transfer(); b",
    ],
)
def test_views_of_nothing_cannot_cross(bare: Bare, code: str) -> None:
    assert isinstance(bare.error(code), ConversionError)
    assert bare.value("1") == 1


def test_sparse_arrays_are_heard_of_before_they_fill_memory(bare: Bare) -> None:
    # Each is a few bytes in the guest, and a list of half a million items here.
    async def ask(_: object) -> None: ...

    bare.owner.queued.add(ask)
    bare.define("ask", ask)
    heard: list[int] = []
    bare.guest._on_events = lambda events: heard.append(len(events))
    heard.append(len(bare.eval("for (let i = 0; i < 40; i++) ask(Array(500_000)); 1")))

    assert sum(heard) == 41
    assert max(heard) < 4


def test_of_very_many_rejections_the_first_ones_are_told(bare: Bare) -> None:
    # Each is a few bytes in the guest, and a list of a hundred thousand items here.
    events = bare.eval("for (let i = 0; i < 5000; i++) Promise.reject([i, Array(1e5)]); 1")
    told = [event.error for event in [*bare.seen, *events] if isinstance(event, Uncaught)]
    assert [error.value[0] for error in told if isinstance(error, JSError)] == list(range(16))
    (event,) = (event for event in bare.eval("Promise.reject(7); 1") if isinstance(event, Uncaught))
    assert isinstance(event.error, JSError)
    assert event.error.value == 7


@pytest.mark.parametrize("how", ["reportError", "Promise.reject"])
@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("{get a() { ran++ }, b: 1}", {"a": undefined, "b": 1}),
        ("{a: [{get a() { ran++ }}, 2]}", {"a": [{"a": undefined}, 2]}),
        ("Object.defineProperty([1, 2], 1, {get() { ran++ }})", [1, undefined]),
        ("Object.assign([1, , 3], {__proto__: {get 1() { ran++ }}})", [1, undefined, 3]),
        ("new Map([[1, {get a() { ran++ }}]])", {1: {"a": undefined}}),
    ],
)
def test_of_what_nobody_deals_with_no_getter_runs(bare: Bare, how: str, value: str, told: object) -> None:
    events = bare.eval(f"globalThis.ran = 0; {how}({value}); 1")
    (event,) = (event for event in [*bare.seen, *events] if isinstance(event, Uncaught))
    assert isinstance(event.error, JSError)
    assert event.error.value == told
    assert bare.value("ran") == 0


@pytest.mark.parametrize("value", ["proxy", "{a: proxy}", "Object.create(proxy)"])
def test_of_what_nobody_deals_with_no_trap_runs(bare: Bare, value: str) -> None:
    every_trap = "new Proxy({}, {get: () => () => { ran++ }})"
    events = bare.eval(f"globalThis.ran = 0; const proxy = new Proxy([], {every_trap}); reportError({value}); 1")
    (event,) = (event for event in [*bare.seen, *events] if isinstance(event, Uncaught))
    assert isinstance(event.error, JSError)
    assert bare.value("ran") == 0


# --- the end of a guest ---


def test_no_fuel_poisons(bare: Bare) -> None:
    (event,) = bare.eval("for (;;);", cpu_seconds=None, fuel=10_000_000)

    assert isinstance(event, Crashed)
    assert event.out_of_budget
    assert bare.guest.state is State.POISONED
    for command in _commands(bare):
        with pytest.raises(SandboxPoisoned):
            command()


def test_a_closed_guest_says_so(bare: Bare) -> None:
    bare.guest.close()
    bare.guest.close()

    assert bare.guest.state is State.CLOSED
    bare.guest.interrupt()
    for command in _commands(bare):
        with pytest.raises(SandboxClosed):
            command()


def test_a_running_guest_cannot_be_closed(bare: Bare) -> None:
    def close() -> None:
        with pytest.raises(SandboxBusy):
            bare.guest.close()

    bare.define("close", close)
    bare.eval("close()")

    assert bare.value("1 + 1") == 2


def _commands(bare: Bare) -> list[Callable[[], object]]:
    guest = bare.guest
    return [
        lambda: guest.eval(1, "1", "x"),
        lambda: guest.call(1, "f", None, []),
        lambda: guest.access(1, Verb.GET, 0, "x"),
        lambda: guest.settle(1, None),
        lambda: guest.release([1]),
        lambda: guest.abandon(1),
    ]


def test_a_crash_below_a_host_function_ends_the_turn_above(bare: Bare) -> None:
    def crash() -> str:
        bare.guest.instance.set_fuel(1000)
        return repr(bare.guest.eval(70, "for (;;);", "nested"))

    bare.define("crash", crash)
    events = bare.eval("crash(); globalThis.after = 1; 5")

    assert isinstance(events[-1], Crashed)
    assert bare.guest.state is State.POISONED


def test_a_native_stack_that_ends_is_a_limit(bare: Bare) -> None:
    assert isinstance(bare.guest._crash(_trap("STACK_OVERFLOW")).error, StackLimitExceeded)
    assert bare.guest._crash(_trap("OUT_OF_FUEL")).out_of_budget
    assert not bare.guest._crash(_trap("UNREACHABLE")).out_of_budget


def _trap(code: str) -> Any:
    from sandbox._instance import Trap

    return Trap(code, "a trap")


# --- the same again ---

PROGRAM = """
    const out = [Math.random(), Date.now(), performance.now()];
    const m = new Map(Array.from({length: 300}, (_, i) => ['k' + i, {i}]));
    for (const [k, v] of m) out.push(k.length + v.i);
    out.push(JSON.stringify([...m]).length, [3, 1, 2].sort().join(), 'aXb'.replace(/x/i, '-'), 2n ** 100n);
    out
"""


def _fuel_of_a_program() -> tuple[int, str]:
    with Bare() as bare:
        bare.value("0")
        value = bare.value(PROGRAM)
        return bare.guest.instance.fuel(), repr(value)


def test_the_same_program_takes_the_same_fuel() -> None:
    assert _fuel_of_a_program() == _fuel_of_a_program()


def test_the_same_program_takes_the_same_fuel_in_another_process() -> None:
    code = "from tests.test_guest import _fuel_of_a_program; print(*_fuel_of_a_program(), sep='\\n')"
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    assert finished.stdout.splitlines() == [str(part) for part in _fuel_of_a_program()]


def test_another_seed_is_another_program() -> None:
    values = []
    for seed in (1, 2, 1):
        with Bare(seed=seed) as bare:
            values.append(bare.value("[Math.random(), Math.random()]"))

    assert values[0] == values[2] != values[1]


@pytest.mark.parametrize("now", [0.0, 1e300, -1e300, float("inf"), float("nan")])
def test_any_virtual_time_can_be_told(bare: Bare, now: float) -> None:
    bare.guest.set_virtual_now(now)

    assert bare.value("[typeof Date.now(), typeof performance.now(), typeof new Date().getTime()]") == ["number"] * 3
