"""Hooks and call limits: what they see of the guest's calls, and what they can decide, on every face."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from sandbox import (
    Answer,
    Blob,
    Call,
    CallLimits,
    Capability,
    Deny,
    HostFunction,
    JSError,
    JSMap,
    JSSet,
    Limits,
    MemoryFiles,
    Response,
    Sandbox,
    expose,
    undefined,
)
from sandbox.calls import payload_bytes
from sandbox.errors import CallLimitExceeded, CapabilityDenied, RunInterrupted, WallLimitExceeded
from sandbox.values import BigInt
from sandbox.websocket.memory import MemoryConnection, memory_server
from tests.faces import evaluate


async def later(value: Any = 1) -> Any:
    await anyio.lowlevel.checkpoint()
    return value


async def fail_later() -> None:
    await anyio.lowlevel.checkpoint()
    raise ValueError("no")


async def never(*_: object) -> None:
    await anyio.sleep_forever()


def fail() -> None:
    raise ValueError("no")


def rows() -> Iterator[int]:
    yield from (1, 2)


async def stream() -> AsyncIterator[int]:
    yield 1


async def echo(end: MemoryConnection) -> None:
    async for message in end:
        await end.send(message)


class Thing:
    @expose
    def touch(self) -> int:
        return 5


FUNCTIONS: dict[str, Any] = {
    "add": lambda a, b: a + b,
    "later": later,
    "waited": HostFunction(later, wait=True),
    "fail": fail,
    "failLater": fail_later,
    "never": never,
    "rows": rows,
    "stream": stream,
    "make": lambda: lambda: 1,
}


# Program -> what is called, in order.
NAMES: list[tuple[str, list[str]]] = [
    ("add(1, 2)", ["add"]),
    ("await later(1)", ["later"]),
    ("waited(1)", ["waited"]),
    ("tools.math.twice(1)", ["tools.math.twice"]),
    ("make()()", ["make", "(anonymous)"]),
    ("thing.touch()", ["touch"]),
    ("[...rows()]", ["rows", "rows.next", "rows.next", "rows.next"]),
    ("for await (const n of stream()) n", ["stream", "stream.next", "stream.next"]),
    ("await (await fetch('https://a.test/')).text()", ["fetch"]),
    ("await crypto.subtle.digest('SHA-256', new Uint8Array(1)); 0", ["crypto.subtle.digest"]),
    ("await crypto.subtle.generateKey('Ed25519', true, ['sign']); 0", ["crypto.subtle.generateKey"]),
    ("await import('a'); 0", ["import.resolve", "import"]),
    (
        "const s = new WebSocket('wss://a.test/');"
        "s.onopen = () => { s.send('x'); s.close() }; await new Promise(done => { s.onclose = done }); 0",
        ["WebSocket", "WebSocket.send", "WebSocket.close"],
    ),
    (
        "const fs = await import('node:fs/promises'); await fs.mkdir('/d'); await fs.writeFile('/d/a', 'x');"
        "await fs.readFile('/d/a'); await fs.readdir('/d'); await fs.rename('/d/a', '/d/b'); await fs.rm('/d/b'); 0",
        [
            "import.resolve",
            "import",
            *("files.mkdir", "files.write", "files.read", "files.list", "files.rename", "files.stat", "files.remove"),
        ],
    ),
    (
        "const s = await (await (await getDirectory('/')).getFileHandle('f', {create: true})).createWritable();"
        "await s.write('abc'); await s.truncate(1); await s.close(); 0",
        [
            "files.open",
            "files.open",
            "files.createWritable",
            *(f"files.createWritable.{name}" for name in ("write", "truncate", "close")),
        ],
    ),
    ("setTimeout(() => {}, 0); crypto.randomUUID(); console.log(1); (1).toLocaleString(); 0", []),
]


@pytest.mark.parametrize(("code", "names"), NAMES, ids=[code for code, _ in NAMES])
def test_calls_have_the_names_that_users_know(face: str, code: str, names: list[str]) -> None:
    seen: list[Call] = []
    evaluate(
        face,
        code,
        functions=FUNCTIONS,
        globals={"tools": {"math": {"twice": lambda n: 2 * n}}, "thing": Thing()},
        modules={"a": "export default 1"},
        fetch=lambda _: Response(body="x"),
        websocket=memory_server(echo),
        files=MemoryFiles(),
        on_call=seen.append,
    )
    assert [call.name for call in seen] == names
    assert [call.number for call in seen] == list(range(1, len(names) + 1))
    assert {call.outcome for call in seen} <= {"value"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("setTimeout", "await new Promise(done => setTimeout(done, 1)); 0"),
        ("crypto.getRandomValues", "crypto.getRandomValues(new Uint8Array(1)); 0"),
        ("console", "console.log(1)"),
        ("Intl.format", "(1).toLocaleString()"),
        ("files.granted", "await navigator.storage.getDirectory().catch(() => {})"),
    ],
)
def test_what_is_internal_is_seen_when_it_is_named(face: str, name: str, code: str) -> None:
    seen: list[str] = []
    named: list[str] = []
    evaluate(
        face,
        code,
        on_call={"*": lambda call: seen.append(call.name), name: lambda call: named.append(call.name)},
    )
    assert (set(named), seen) == ({name}, [])


def test_what_a_call_tells(face: str) -> None:
    before: list[tuple[Any, ...]] = []
    after: list[tuple[Any, ...]] = []
    began = time.time()

    def on_call(call: Call) -> None:
        before.append((call.name, list(call.arguments), call.bytes_in, call.outcome))
        assert began - 1 < call.time < time.time() + 1

    def on_result(call: Call) -> None:
        error = call.error and type(call.error)
        after.append((call.name, call.outcome, call.value, error, call.bytes_out))
        assert 0 <= call.host_seconds <= call.wall_seconds < 10

    code = """
        add("é", "ü");
        await later([1, 2]);
        try { fail() } catch {}
        await failLater().catch(() => {});
    """
    evaluate(face, code, functions=FUNCTIONS, on_call=on_call, on_result=on_result)
    assert before == [
        ("add", ["é", "ü"], 4, None),
        ("later", [[1, 2]], 16, None),
        ("fail", [], 0, None),
        ("failLater", [], 0, None),
    ]
    assert after == [
        ("add", "value", "éü", None, 4),
        ("later", "value", [1, 2], None, 16),
        ("fail", "error", undefined, ValueError, 0),
        ("failLater", "error", undefined, ValueError, 0),
    ]


def test_a_call_belongs_to_its_run() -> None:
    seen: list[tuple[int, int]] = []
    with Sandbox(functions=FUNCTIONS, on_call=lambda call: seen.append((call.run, call.number))) as box:
        for _ in range(2):
            box.eval("add(1, 2)")
            assert seen[-1][0] == box.usage.runs


def test_arguments_are_as_programs_give_them() -> None:
    seen: list[list[Any]] = []
    answers: list[Any] = []
    with Sandbox(
        fetch=lambda _: Response(201, {"A": "b"}, "x"),
        on_call=lambda call: seen.append(call.arguments),
        on_result=lambda call: answers.append(call.value),
    ) as box:
        box.eval("await fetch('https://a.test/?q', {method: 'POST', headers: {X: 'y'}, body: 'z'}); 0")
        box.eval("""
            const key = await crypto.subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', true, ['encrypt']);
            await crypto.subtle.exportKey('jwk', key); 0
        """)
    url, init = seen[0]
    assert (url, init["method"], init["headers"]["X"], init["body"]) == ("https://a.test/?q", "POST", "y", b"z")
    assert (answers[0]["status"], answers[0]["headers"]) == (201, {"A": "b"})
    assert seen[1][:2] == ["raw", "[key]"]
    assert [seen[2], answers[1:]] == [["jwk", "[key]"], ["[key]", "[key]"]]


# --- decisions --------------------------------------------------------------------------------------------------------


def plain(decision: Any) -> Callable[[Call], Any]:
    return lambda _call: decision


def asynchronous(decision: Any) -> Callable[[Call], Any]:
    async def hook(_call: Call) -> Any:
        await anyio.sleep(0.001)
        return decision

    return hook


@pytest.mark.parametrize("kind", [plain, asynchronous])
@pytest.mark.parametrize("when", ["on_call", "on_result"])
@pytest.mark.parametrize(
    ("decision", "outcome"),
    [
        (None, [3, 3, 3]),
        (Answer(7), [7, 7, 7]),
        (Answer(), [undefined] * 3),
        (Deny("not today"), [f"NotAllowedError: {name}: not today" for name in ("add", "sum", "held")]),
    ],
    ids=["nothing", "answer", "undefined", "deny"],
)
def test_decisions(
    face: str, kind: Callable[[Any], Callable[[Call], Any]], when: str, decision: Any, outcome: list[Any]
) -> None:
    made: list[object] = []

    def add(a: int, b: int) -> int:
        made.append((a, b))
        return a + b

    async def add_later(a: int, b: int) -> int:
        await anyio.lowlevel.checkpoint()
        return add(a, b)

    code = """
        const told = [];
        for (const f of [add, sum, held]) {
          try { told.push(await f(1, 2)) } catch (error) { told.push(`${error.name}: ${error.message}`) }
        }
        told
    """
    functions = {"add": add, "sum": add_later, "held": HostFunction(add_later, wait=True)}
    assert evaluate(face, code, functions=functions, **{when: kind(decision)}) == outcome
    assert len(made) == (0 if when == "on_call" and decision is not None else 3)


def test_an_error_can_be_replaced(face: str) -> None:
    options: dict[str, Any] = {"functions": FUNCTIONS, "on_result": plain(Answer("instead"))}
    assert evaluate(face, "[fail(), await failLater()]", **options) == ["instead", "instead"]


def test_an_answer_may_be_anything_that_can_cross(face: str) -> None:
    given = {"a": [1, JSMap([(1, 2)])], "b": datetime(2020, 1, 1, tzinfo=UTC), "f": lambda: 5}
    code = "const v = add(); [v.a[1].get(1), v.b.getTime(), v.f()]"
    value = evaluate(face, code, functions=FUNCTIONS, on_call={"add": plain(Answer(given))})
    assert value == [2, 1577836800000, 5]
    refused = "try { add() } catch (error) { error.name }"
    assert evaluate(face, refused, functions=FUNCTIONS, on_call=plain(Answer(object()))) == "TypeError"


def test_a_denial_that_nobody_catches(face: str) -> None:
    with pytest.raises(JSError, match="add: no") as caught:
        evaluate(face, "add(1, 2)", functions=FUNCTIONS, on_call=plain(Deny("no")))
    cause = caught.value.__cause__
    assert isinstance(cause, CapabilityDenied)
    assert (cause.op, cause.reason) == ("add", "no")


def test_hooks_may_change_arguments(face: str) -> None:
    def on_call(call: Call) -> None:
        call.arguments[0] *= 10

    assert evaluate(face, "[add(1, 2), await later(1)]", functions=FUNCTIONS, on_call=on_call) == [12, 10]


def test_hooks_by_name_are_asked_in_order_until_one_decides() -> None:
    asked: list[str] = []

    def ask(name: str, decision: Any, _call: Call) -> Any:
        asked.append(name)
        return decision

    hooks = {
        "a*": partial(ask, "a*", None),
        "later": partial(ask, "later", None),
        "*": partial(ask, "*", Answer(1)),
        "add": partial(ask, "add", Answer(2)),
    }
    with Sandbox(functions=FUNCTIONS, on_call=hooks) as box:
        assert (box.eval("add(3, 4)"), asked) == (1, ["a*", "*"])


@pytest.mark.parametrize(
    ("code", "options", "expected"),
    [
        ("fetch('https://a.test/').catch(e => [e.name, e.cause.message])", {}, ["TypeError", "fetch: no"]),
        ("crypto.subtle.digest('SHA-1', new Uint8Array()).catch(e => e.name)", {}, "NotAllowedError"),
        ("import('a').catch(e => e.name)", {"modules": {"a": "1"}}, "NotAllowedError"),
        ("console.log('x'); 1", {"on_call": {"console": plain(Deny())}}, 1),
        ("try { crypto.randomUUID() } catch (e) { e.name }", {"on_call": {"crypto.*Values": plain(Deny())}}, None),
    ],
)
def test_what_is_built_in_can_be_denied(code: str, options: dict[str, Any], expected: Any) -> None:
    entries: list[Any] = []
    options = {"on_call": plain(Deny("no")), "console": entries.append, **options}
    value = evaluate("blocking", code, **options)
    assert value == expected or expected is None
    assert entries == []


def test_a_hook_may_use_the_sandbox() -> None:
    def on_call(call: Call) -> Any:
        return Answer(box.eval("inner(2)")) if call.name == "outer" else None

    with Sandbox(functions={"outer": lambda: 0, "inner": lambda n: n + 1}, on_call=on_call) as box:
        assert box.eval("outer()") == 3


# --- delays -----------------------------------------------------------------------------------------------------------


def test_a_delayed_call_delays_no_other(face: str) -> None:
    order: list[str] = []
    opened: list[anyio.Event] = []

    async def hook(call: Call) -> None:
        if not opened:
            opened.append(anyio.Event())
        if call.arguments == ["slow"]:
            await opened[0].wait()
        else:
            opened[0].set()

    async def work(name: str) -> str:
        order.append(name)
        return name

    code = "const slow = work('slow'), quick = work('quick'); [await quick, await slow]"
    assert evaluate(face, code, functions={"work": work}, on_call=hook) == ["quick", "slow"]
    assert order == ["quick", "slow"]


def test_time_of_hooks_is_wall_time(face: str) -> None:
    calls: list[Call] = []

    async def hook(call: Call) -> None:
        calls.append(call)
        await anyio.sleep(0.05)

    evaluate(face, "add(1, 2); await later(1)", functions=FUNCTIONS, on_call=hook)
    assert [call.wall_seconds >= 0.045 for call in calls] == [True, True]
    assert [call.host_seconds < 0.04 for call in calls] == [True, True]


def test_a_hook_that_never_answers_ends_with_the_run(face: str) -> None:
    for code in ("add(1, 2)", "await later(1)"):
        calls: list[Call] = []

        async def hook(call: Call, calls: list[Call] = calls) -> None:
            calls.append(call)
            await anyio.sleep_forever()

        with pytest.raises(WallLimitExceeded):
            evaluate(face, code, functions=FUNCTIONS, on_call=hook, limits=Limits(wall_seconds=0.3))
        assert [call.outcome for call in calls] == ["cancelled"]


def test_timers_can_be_delayed_and_denied(face: str) -> None:
    code = (
        "const begun = performance.now(); await new Promise(done => setTimeout(done, 1000)); performance.now() - begun"
    )
    for hook in (plain(None), asynchronous(None)):
        assert evaluate(face, code, clock="virtual", on_call={"setTimeout": hook}) == 1000
    with pytest.raises(JSError, match="setTimeout: no"):
        evaluate(
            face,
            "setTimeout(() => {}, 1); await never()",
            functions=FUNCTIONS,
            on_call={"setTimeout": plain(Deny("no"))},
        )


# --- failures of hooks ------------------------------------------------------------------------------------------------

ESCAPES = [
    "try { add(1, 2) } catch (e) { leak(String(e)) } finally { leak('finally') } leak('after')",
    "try { await later(1) } catch (e) { leak(String(e)) } finally { leak('finally') } leak('after')",
    "try { waited(1) } catch (e) { leak(String(e)) } finally { leak('finally') } leak('after')",
    "later(1).then(leak, leak).finally(() => leak('finally')); await never()",
]


@pytest.mark.parametrize("code", ESCAPES)
@pytest.mark.parametrize("when", ["on_call", "on_result"])
@pytest.mark.parametrize("is_asynchronous", [False, True], ids=["plain", "async"])
def test_what_a_hook_raises_is_the_embedders(face: str, code: str, when: str, is_asynchronous: bool) -> None:
    leaked: list[str] = []

    def hook(_call: Call) -> None:
        raise LookupError("of the hook")

    async def hook_later(_call: Call) -> None:
        await anyio.lowlevel.checkpoint()
        raise LookupError("of the hook")

    hooks = dict.fromkeys(("add", "later", "waited"), hook_later if is_asynchronous else hook)
    with pytest.raises(LookupError, match="of the hook"):
        functions = {**FUNCTIONS, "leak": lambda value: leaked.append(str(value))}
        evaluate(face, code, functions=functions, **{when: hooks})
    # What waits for an asynchronous one is told that its run has ended, as ever.
    assert set(leaked) <= {"AbortError: the run that waited for this was ended", "finally", "after"}
    assert leaked == [] or "await" in code


def test_a_hook_that_decides_nothing_known(face: str) -> None:
    with pytest.raises(TypeError, match="a hook returns an Answer, a Deny or None, not bool"):
        evaluate(face, "try { add(1, 2) } catch {}", functions=FUNCTIONS, on_call=plain(True))


def test_the_sandbox_goes_on_after_a_hook_has_failed() -> None:
    hooks = iter([LookupError(), None])

    def hook(_call: Call) -> None:
        if (error := next(hooks)) is not None:
            raise error

    with Sandbox(functions=FUNCTIONS, on_call=hook) as box:
        with pytest.raises(LookupError):
            box.eval("add(1, 2)")
        assert box.eval("add(1, 2)") == 3


def test_a_failure_in_a_nested_use_ends_the_outer_run() -> None:
    def outer() -> str:
        try:
            box.eval("add(1, 2)")
        except Exception:  # noqa: BLE001 - any that it could be
            return "caught"
        return "nothing"

    def hook(_call: Call) -> None:
        raise LookupError("of the hook")

    with Sandbox(functions={**FUNCTIONS, "outer": outer}, on_call={"add": hook}) as box:
        with pytest.raises(LookupError, match="of the hook"):
            box.eval("try { outer() } catch {} 'leaked'")
        assert box.eval("1 + 1") == 2


def test_what_is_no_exception_passes(face: str) -> None:
    def hook(_call: Call) -> None:
        raise KeyboardInterrupt

    for code in ("add(1, 2)", "await later(1)"):
        with pytest.raises(KeyboardInterrupt):
            evaluate(face, code, functions=FUNCTIONS, on_call=hook)


# --- limits -----------------------------------------------------------------------------------------------------------

TRIED = "try { for (;;) await f('xxxxxxxxxx') } catch (e) { leak(String(e)) } finally { leak('finally') }"


@pytest.mark.parametrize("function", [lambda text: text, later], ids=["plain", "async"])
@pytest.mark.parametrize(
    ("limits", "unit", "made"),
    [
        ({"f": CallLimits(calls=3)}, "calls", 3),
        ({"*": CallLimits(calls=3)}, "calls", 3),
        ({"f": CallLimits(calls=0)}, "calls", 0),
        ({"f": CallLimits(bytes=50)}, "bytes", 3),
        ({"f": CallLimits(calls=3), "*": CallLimits(calls=2)}, "calls", 2),
        ({"other": CallLimits(calls=0), "f": CallLimits(calls=4)}, "calls", 4),
    ],
    ids=["calls", "pattern", "none", "bytes", "both", "another"],
)
def test_limits_of_calls(face: str, function: Any, limits: dict[str, CallLimits], unit: str, made: int) -> None:
    leaked: list[str] = []
    count = 0

    def on_call(call: Call) -> None:
        nonlocal count
        count += call.name == "f"

    with pytest.raises(CallLimitExceeded) as caught:
        evaluate(
            face,
            TRIED,
            functions={"f": function, "leak": leaked.append},
            call_limits=limits,
            on_call=on_call,
        )
    assert (caught.value.unit, caught.value.op) == (unit, "f")
    assert set(leaked) <= {"AbortError: the run that waited for this was ended", "finally"}
    assert caught.value.used is not None
    assert caught.value.used > caught.value.limit
    assert count == made


def test_an_answer_that_is_too_large_never_arrives(face: str) -> None:
    leaked: list[str] = []
    for code in ("f()", "await g()"):
        with pytest.raises(CallLimitExceeded, match="200 bytes"):
            evaluate(
                face,
                f"try {{ leak({code}) }} catch (e) {{ leak(String(e)) }}",
                functions={"f": lambda: "x" * 200, "g": partial(later, "x" * 200), "leak": leaked.append},
                call_limits={"[fg]": CallLimits(bytes=100)},
            )
    assert leaked in ([], ["AbortError: the run that waited for this was ended"])


def test_seconds_of_calls() -> None:
    def work() -> None:
        time.sleep(0.02)

    with (
        Sandbox(functions={"work": work}, call_limits={"work": CallLimits(seconds=0.05)}) as box,
        pytest.raises(CallLimitExceeded) as caught,
    ):
        box.eval("for (let i = 0; i < 10; i++) work()")
    assert (caught.value.unit, caught.value.limit) == ("seconds", 0.05)
    used = box.usage.calls["work"]
    assert used.calls <= 3
    assert used.host_seconds >= 0.05


def test_a_single_call_that_takes_too_long(face: str) -> None:
    code = "try { await never() } catch (e) { `${e.name}: ${e.message}` }"
    limits = {"never": CallLimits(timeout=0.02)}
    assert (
        evaluate(face, code, functions=FUNCTIONS, call_limits=limits) == "TimeoutError: never took longer than 0.02 s"
    )
    waited = {"never": HostFunction(never, wait=True)}
    assert evaluate(face, code, functions=waited, call_limits=limits) == "TimeoutError: never took longer than 0.02 s"


def test_limits_hold_for_each_run_anew() -> None:
    with Sandbox(functions=FUNCTIONS, call_limits={"add": CallLimits(calls=2)}) as box:
        for _ in range(3):
            assert box.eval("add(1, add(2, 3))") == 6
        with pytest.raises(CallLimitExceeded, match=r"the host call limit of 2 calls was reached \(3 calls used\)"):
            box.eval("add(1, add(2, add(3, 4)))")
        assert box.eval("add(1, 2)") == 3


def test_a_nested_use_has_the_limits_of_its_run() -> None:
    with Sandbox(
        functions={"nest": lambda: box.eval("nest()"), "add": FUNCTIONS["add"]},
        call_limits={"nest": CallLimits(calls=3)},
    ) as box:
        with pytest.raises(CallLimitExceeded):
            box.eval("nest()")
        assert box.eval("add(1, 2)") == 3


def test_a_limit_is_a_limit_for_on_limit() -> None:
    with Sandbox(functions=FUNCTIONS, call_limits={"add": CallLimits(calls=1)}, on_limit="rollback") as box:
        with pytest.raises(CallLimitExceeded) as caught:
            box.eval("globalThis.left = 1; add(1, add(1, 2))")
        assert caught.value.rolled_back
        assert box.eval("globalThis.left") is undefined


def test_usage_tells_of_calls() -> None:
    with Sandbox(functions=FUNCTIONS, call_limits={"*": CallLimits(calls=4)}) as box:
        assert box.usage.calls == {}
        with pytest.raises(CallLimitExceeded):
            box.eval("add('a', 'b'); await later('cc'); try { fail() } catch {} add(1, 2); add(1, 2)")
        calls = box.usage.calls
    assert {name: (used.calls, used.failed, used.bytes_in, used.bytes_out) for name, used in calls.items()} == {
        "add": (3, 1, 34, 10),
        "later": (1, 0, 2, 2),
        "fail": (1, 1, 0, 0),
    }
    with Sandbox(functions=FUNCTIONS) as box:
        box.eval("add(1, 2)")
        assert (box.usage.calls, box.usage.host_calls) == ({}, 1)


# --- the odd ones -----------------------------------------------------------------------------------------------------


def test_a_rollback_with_a_timer_whose_hook_waits() -> None:
    """What was pending before the run that is undone is answered after it."""
    opened = threading.Event()

    async def hook(_call: Call) -> None:
        await anyio.to_thread.run_sync(opened.wait)

    with Sandbox(
        functions={"open": opened.set, "pause": HostFunction(partial(anyio.sleep, 0.03), wait=True)},
        on_call={"setTimeout": hook},
        on_limit="rollback",
        limits=Limits(wall_seconds=0.5),
    ) as box:
        box.eval("globalThis.fired = 0; setTimeout(() => { fired++ }, 1); 0")
        with pytest.raises(WallLimitExceeded):
            box.eval("open(); pause(); await new Promise(() => setTimeout(() => {}, 1e6))")
        box.run_until_idle()
        assert box.eval("fired") == 1


def test_calls_that_wait_for_a_place_and_are_given_up() -> None:
    calls: list[Call] = []
    with Sandbox(functions=FUNCTIONS, on_call=calls.append, limits=Limits(concurrent_calls=1, wall_seconds=0.3)) as box:
        with pytest.raises(WallLimitExceeded):
            box.eval("await Promise.all([never(), never(), later(1)])")
        assert [call.outcome for call in calls] == ["cancelled"] * 3
        assert calls[1].host_seconds < 0.2


def test_hooks_that_were_begun_and_never_awaited_are_closed() -> None:
    calls: list[Call] = []

    async def hook(call: Call) -> None:
        raise AssertionError("nobody starts it")

    def watch(call: Call) -> Any:
        calls.append(call)
        return hook(call)

    with Sandbox(functions=FUNCTIONS, on_call=watch, limits=Limits(concurrent_calls=1, wall_seconds=0.3)) as box:
        with pytest.raises(AssertionError):
            box.eval("never()")
        box.interrupt()
    assert [call.outcome for call in calls] == ["cancelled"]


def test_what_goes_on_after_it_was_cancelled_changes_nothing() -> None:
    """A function that shields itself ends some time after its run, when its call has its end already."""
    calls: list[Call] = []
    answered: list[Call] = []
    over = threading.Event()

    async def stubborn() -> str:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.2)
        over.set()
        return "too late"

    options: dict[str, Any] = {"on_call": calls.append, "on_result": answered.append}
    with Sandbox(functions={"f": stubborn}, limits=Limits(wall_seconds=0.1), **options) as box:
        with pytest.raises(WallLimitExceeded):
            box.eval("f()")
        assert (calls[0].outcome, answered) == ("cancelled", [])
        assert over.wait(5)
        assert box.eval("1 + 1") == 2
    assert (calls[0].outcome, calls[0].value, answered) == ("cancelled", undefined, [])
    assert box.usage.calls["f"].calls == 1


def test_a_finalizer_may_use_the_sandbox_while_calls_are_counted() -> None:
    with Sandbox(functions=FUNCTIONS, call_limits={"*": CallLimits(calls=9)}) as box:
        observer = box._driver._observer
        assert observer is not None
        with observer._lock:  # where one may run, on this thread
            assert box.eval("add(1, 2)") == 3


def test_an_interrupt_ends_a_hook_that_a_plain_call_waits_for() -> None:
    async def hook(_call: Call) -> None:
        threading.Timer(0.02, box.interrupt).start()
        await anyio.sleep_forever()

    with Sandbox(functions=FUNCTIONS, on_call=hook) as box, pytest.raises(RunInterrupted):
        box.eval("add(1, 2)")


def test_arguments_that_cannot_cross_are_refused_before_hooks() -> None:
    calls: list[Call] = []
    with Sandbox(functions=FUNCTIONS, on_call=calls.append, call_limits={"*": CallLimits(calls=2)}) as box:
        code = "try {{ await {}(new Date(NaN)) }} catch (e) {{ e.name }}"
        assert box.eval(code.format("later")) == "TypeError"
        assert box.eval(code.format("add")) == "TypeError"
        assert calls == []
        assert (box.usage.calls["add"].failed, box.usage.calls["later"].failed) == (1, 1)


def test_more_pending_calls_than_may_be_are_counted_and_refused() -> None:
    calls: list[Call] = []
    with Sandbox(functions=FUNCTIONS, on_call=calls.append, limits=Limits(pending_requests=2)) as box:
        code = "for (let i = 0; i < 5; i++) never().catch(() => {}); 0"
        box.eval(code)
        assert (len(calls), box.usage.calls["never"].failed) == (2, 3)


class Odd(Capability):
    stem = "odd"

    def handlers(self) -> Any:
        return {"f": lambda *_: 1}

    def show(self, operation: str, arguments: list[Any]) -> list[Any]:
        return [arguments[5]]


def test_a_description_that_fails_leaves_the_arguments() -> None:
    seen: list[Any] = []
    with Sandbox(capabilities=[Odd()], on_call=lambda call: seen.append(call.arguments)) as box:
        assert box.eval("odd.f(1, 2)") == 1
    assert seen == [[1, 2]]


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (None, 0),
        (True, 0),
        (1, 8),
        (1.5, 8),
        (BigInt(1 << 200), 26),
        ("abc", 3),
        ("é\ud800", 5),
        (b"abc", 3),
        (memoryview(bytes(16)).cast("d"), 16),
        ([1, "a", [b"xy"]], 11),
        ({"key": "value"}, 8),
        (JSMap([("k", "v"), (b"x", 1)]), 11),
        (JSSet(["a", "b"]), 2),
        (Blob(b"abc"), 3),
        (JSError("message", properties={"a": 1}), 16),
        (datetime(2020, 1, 1, tzinfo=UTC), 8),
        (lambda: 1, 0),
    ],
)
def test_bytes_of_a_value(value: object, size: int) -> None:
    assert payload_bytes(value) == size


def test_a_cycle_has_a_size() -> None:
    cycle: list[object] = ["x"]
    cycle.append(cycle)
    assert payload_bytes([cycle, cycle]) == 1


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"on_call": 1}, "on_call must be a callable"),
        ({"on_call": {"a": 1}}, "on_call must be a callable"),
        ({"on_result": {1: print}}, "names in on_result must be str"),
        ({"call_limits": [CallLimits()]}, "call_limits must be a mapping"),
        ({"call_limits": {"a": 1}}, "call_limits maps names"),
        ({"call_limits": {1: CallLimits()}}, "call_limits maps names"),
        ({"audit": 1}, "audit must be an AuditLog"),
        ({"audit": [print]}, "audit must be an AuditLog"),
    ],
)
def test_options_of_the_wrong_type(options: dict[str, Any], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        Sandbox(**options)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"calls": -1}, ValueError),
        ({"calls": 1.5}, TypeError),
        ({"calls": True}, TypeError),
        ({"bytes": 1 << 63}, ValueError),
        ({"seconds": 0}, ValueError),
        ({"timeout": float("nan")}, ValueError),
        ({"timeout": "1"}, TypeError),
    ],
)
def test_limits_are_checked(fields: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind, match=next(iter(fields))):
        CallLimits(**fields)
