"""Hooks and call limits: what they see of the guest's calls, and what they can decide, on every face."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from sandbox import (
    Answer,
    Call,
    CallLimits,
    Deny,
    HostFunction,
    JSError,
    JSMap,
    Limits,
    MemoryFiles,
    Response,
    Sandbox,
    undefined,
)
from sandbox.errors import CapabilityDenied, WallLimitExceeded
from sandbox.websocket.memory import MemoryConnection, memory_server
from tests.called import FUNCTIONS, Thing
from tests.faces import evaluate


async def echo(end: MemoryConnection) -> None:
    async for message in end:
        await end.send(message)


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
