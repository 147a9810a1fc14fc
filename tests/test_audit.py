"""The audit log: nothing is missed, nothing secret is told, and it stays small."""

from __future__ import annotations

import gc
import json
import stat
import sys
import threading
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from sandbox import (
    Answer,
    AsyncSandbox,
    AuditEntry,
    AuditLog,
    BigInt,
    Blob,
    Call,
    CallLimits,
    Deny,
    Fetch,
    HostFunction,
    JSError,
    JSMap,
    JSSet,
    Limits,
    Request,
    Response,
    Sandbox,
    undefined,
)
from sandbox.errors import ConversionError, LimitExceeded, RunInterrupted, SandboxClosed, SandboxError
from tests.called import later, never
from tests.child import in_child
from tests.faces import evaluate


def stop() -> None:
    raise KeyboardInterrupt


FUNCTIONS: dict[str, Any] = {"plain": lambda *_: 1, "later": later, "never": never, "stop": stop}
# One call that is over, one that is worked on, one that waits for a place, and one of the guest's own doing.
BEGUN = "plain('a'); globalThis.kept = [never(), never()]; kept.map(p => p.catch(() => {})); await later();"


def recorded(log: AuditLog) -> list[tuple[int, str, str]]:
    """Number, name and outcome of every call; each has one result."""
    entries = list(log)
    calls = [entry for entry in entries if entry.event == "call"]
    results = {entry.call: entry for entry in entries if entry.event == "result"}
    assert [entry.call for entry in calls] == list(range(1, len(calls) + 1))
    assert len(entries) == 2 * len(calls) == 2 * len(results)
    return [(entry.call, entry.name, results[entry.call].outcome or "") for entry in calls]


PENDING = [(1, "plain", "value"), (2, "never", "cancelled"), (3, "never", "cancelled"), (4, "later", "value")]

# How a run ends -> options, what comes last in the program, what is raised, further calls.
ENDS: dict[str, tuple[dict[str, Any], str, type[BaseException] | type[None], list[tuple[str, str]]]] = {
    "its value": ({}, "1", type(None), []),
    "an error": ({}, "throw new Error('x')", JSError, []),
    "cpu": ({"limits": Limits(cpu_seconds=0.05)}, "for (;;);", LimitExceeded, []),
    "wall": ({"limits": Limits(wall_seconds=0.3)}, "await never()", LimitExceeded, [("never", "cancelled")]),
    "fuel": ({"limits": Limits(fuel=20_000_000)}, "for (;;);", LimitExceeded, []),
    "rollback": (
        {"limits": Limits(wall_seconds=0.3), "on_limit": "rollback"},
        "await never()",
        LimitExceeded,
        [("never", "cancelled")],
    ),
    "poison": ({"limits": Limits(cpu_seconds=0.05), "on_limit": "poison"}, "for (;;);", LimitExceeded, []),
    "a call limit": ({"call_limits": {"plain": CallLimits(calls=1)}}, "plain()", LimitExceeded, [("plain", "refused")]),
    "a hook": ({"on_result": {"plain": None}}, "plain(2)", LookupError, [("plain", "cancelled")]),
    "what is no Exception": ({}, "stop()", KeyboardInterrupt, [("stop", "cancelled")]),
    "a denial": ({"on_call": {"stop": lambda _: Deny()}}, "stop()", JSError, [("stop", "denied")]),
    "an answer of a hook": ({"on_call": {"stop": lambda _: Answer(1)}}, "stop()", type(None), [("stop", "replaced")]),
    "arguments that cannot cross": ({}, "plain(new Date(NaN))", ConversionError, [("plain", "refused")]),
}


def failing(call: Call) -> None:
    if call.arguments == [2]:
        raise LookupError


@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_missed(face: str, end: str) -> None:
    options, code, kind, more = ENDS[end]
    log = AuditLog()
    options = {"functions": FUNCTIONS, "audit": log, **options}
    if end == "a hook":
        options["on_result"] = {"plain": failing}
    outcome: type = type(None)
    try:
        evaluate(face, BEGUN + code, **options)
    except BaseException as error:  # noqa: BLE001 - looked at below
        outcome = type(error)
    assert issubclass(outcome, kind)
    assert recorded(log) == PENDING + [(5 + i, name, outcome) for i, (name, outcome) in enumerate(more)]


def test_an_interrupt() -> None:
    log = AuditLog()
    with Sandbox(functions=FUNCTIONS, audit=log) as box:
        threading.Timer(0.1, box.interrupt).start()
        with pytest.raises(RunInterrupted):
            box.eval(BEGUN + "await never()")
        assert recorded(log) == [*PENDING, (5, "never", "cancelled")]


@pytest.mark.anyio
async def test_a_task_that_is_cancelled() -> None:
    log = AuditLog()
    async with AsyncSandbox(functions=FUNCTIONS, audit=log) as box:
        with anyio.move_on_after(0.1):
            await box.eval(BEGUN + "await never()")
        assert recorded(log) == [*PENDING, (5, "never", "cancelled")]
        assert await box.eval("plain()") == 1


@pytest.mark.anyio
async def test_a_run_of_another_task_when_the_block_ends() -> None:
    log = AuditLog()
    caught: list[BaseException] = []

    async def run(box: AsyncSandbox) -> None:
        try:
            await box.eval("await never()")
        except SandboxError as error:
            caught.append(error)

    async with anyio.create_task_group() as tasks, AsyncSandbox(functions=FUNCTIONS, audit=log) as box:
        tasks.start_soon(run, box)
        await anyio.sleep(0.05)
    assert [type(error) for error in caught] == [SandboxClosed]
    assert recorded(log) == [(1, "never", "cancelled")]


def test_what_was_pending_before_a_rollback_goes_on() -> None:
    log = AuditLog()
    opened = threading.Event()

    async def wait() -> str:
        await anyio.to_thread.run_sync(opened.wait)
        return "done"

    with Sandbox(
        functions={**FUNCTIONS, "wait": wait}, audit=log, on_limit="rollback", limits=Limits(wall_seconds=0.2)
    ) as box:
        box.eval("globalThis.first = wait(); 0")
        with pytest.raises(LimitExceeded):
            box.eval("never(); await never()")
        opened.set()
        assert box.eval("await first") == "done"
    assert recorded(log) == [(1, "wait", "value"), (2, "never", "cancelled"), (3, "never", "cancelled")]


def test_a_sandbox_that_nobody_closes() -> None:
    log = AuditLog()
    box = Sandbox(functions=FUNCTIONS, audit=log)
    box.eval("never(); 0")
    del box
    gc.collect()
    assert recorded(log) == [(1, "never", "cancelled")]


def test_a_call_is_recorded_before_anything_sees_it() -> None:
    seen: list[tuple[str, int]] = []
    log = AuditLog()

    def look(where: str) -> None:
        seen.append((where, len(list(log))))

    with Sandbox(functions={"f": lambda: look("f")}, audit=log, on_call=lambda _: look("hook")) as box:
        box.eval("f()")
    assert seen == [("hook", 1), ("f", 1)]


def test_calls_stand_in_the_order_they_are_made() -> None:
    async def wait(order: int) -> None:
        await anyio.sleep((3 - order) / 100)

    log = AuditLog()
    with Sandbox(functions={"wait": wait}, audit=log) as box:
        box.eval("await Promise.all([1, 2, 3].map(n => wait(n)))")
    assert [entry.arguments[0] for entry in log if entry.event == "call"] == [1, 2, 3]
    assert [entry.call for entry in log] == [1, 1, 2, 2, 3, 3]


# --- where it goes ----------------------------------------------------------------------------------------------------


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    for label in ("a", "b"):
        with AuditLog(path, label=label) as log, Sandbox(functions=FUNCTIONS, audit=log) as box:
            box.eval("plain('x', {password: 'y'})")
            if label == "b":
                with pytest.raises(KeyboardInterrupt):
                    box.eval("stop()")
    lines = [json.loads(line) for line in path.read_text("ascii").splitlines()]
    assert [(line["label"], line["event"], line["call"], line["name"]) for line in lines] == [
        ("a", "call", 1, "plain"),
        ("a", "result", 1, "plain"),
        ("b", "call", 1, "plain"),
        ("b", "result", 1, "plain"),
        ("b", "call", 2, "stop"),
        ("b", "result", 2, "stop"),
    ]
    assert lines[2]["arguments"] == ["x", {"password": "[redacted]"}]
    assert set(lines[0]) == {"event", "time", "label", "run", "call", "name", "arguments", "bytes_in"}
    assert (lines[5]["outcome"], lines[5]["error"]) == ("cancelled", "KeyboardInterrupt")
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_callable_gets_the_entries() -> None:
    got: list[AuditEntry] = []
    log = AuditLog(got.append, keep=0)
    with Sandbox(functions=FUNCTIONS, audit=log) as box:
        box.eval("plain(); await later('x')")
    assert [(entry.event, entry.name, entry.outcome) for entry in got] == [
        ("call", "plain", None),
        ("result", "plain", "value"),
        ("call", "later", None),
        ("result", "later", "value"),
    ]
    assert got[3].bytes_out == 1
    assert len(log) == 0


def test_memory_keeps_the_latest() -> None:
    log = AuditLog(keep=3)
    with Sandbox(functions=FUNCTIONS, audit=log) as box:
        box.eval("for (let i = 0; i < 10; i++) plain(i)")
    assert [entry.arguments for entry in log if entry.event == "call"] == [[7], [8], [9]]
    assert len(log) == 3


def test_one_log_of_several_sandboxes_and_several_logs_of_one() -> None:
    both, one = AuditLog(), AuditLog(ops=["later"])
    for _ in range(2):
        with Sandbox(functions=FUNCTIONS, audit=[both, one]) as box:
            box.eval("plain(); await later()")
    assert [entry.name for entry in both if entry.event == "call"] == ["plain", "later"] * 2
    assert [entry.name for entry in one if entry.event == "call"] == ["later"] * 2


@pytest.mark.parametrize("code", ["try { plain() } catch {}", "try { await later() } catch {}"])
@pytest.mark.parametrize("event", ["call", "result"])
def test_a_log_that_fails_ends_the_run(code: str, event: str) -> None:
    def sink(entry: AuditEntry) -> None:
        if entry.event == event:
            raise OSError("the disk is full")

    with Sandbox(functions=FUNCTIONS, audit=AuditLog(sink)) as box, pytest.raises(OSError, match="the disk is full"):
        box.eval(code)


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    with Sandbox(functions=FUNCTIONS, audit=AuditLog(tmp_path / "no" / "log")) as box, pytest.raises(FileNotFoundError):
        box.eval("plain()")


def test_a_log_that_fails_when_nobody_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)

    def sink(entry: AuditEntry) -> None:
        if entry.event == "result":
            raise OSError("the disk is full")

    with Sandbox(functions=FUNCTIONS, audit=AuditLog(sink)) as box:
        box.eval("never(); 0")
    assert [str(each.exc_value) for each in told] == ["the disk is full"]


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"keep": -1}, ValueError),
        ({"keep": 1.5}, TypeError),
        ({"ops": "fetch"}, TypeError),
        ({"secrets": "x"}, TypeError),
        ({"sink": 5}, TypeError),
    ],
)
def test_wrong_options(arguments: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        AuditLog(**arguments)


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork")
def test_a_forked_child_writes_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    in_child(
        f"""
        import os, threading
        from sandbox import AuditLog, Sandbox
        log = AuditLog({str(path)!r})
        box = Sandbox(functions={{"f": lambda n: n}}, audit=log)
        box.eval("f(1)")
        log._lock.acquire()  # as a thread may hold it that the child has not
        threading.Thread(target=lambda: None).start()
        pid = os.fork()
        if not pid:
            assert box.eval("f(2)") == 2
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        log._lock.release()
        box.close()
        """
    )
    assert [json.loads(line)["call"] for line in path.read_text().splitlines()] == [1, 1, 2, 2]


# --- what it tells ----------------------------------------------------------------------------------------------------


def arguments_of(*values: Any, **options: Any) -> list[Any]:
    log = AuditLog(**options)
    call = Call(number=1, run=1, name="f", arguments=list(values), time=0.0, bytes_in=0)
    log.begin(1, call)
    (entry,) = log
    json.dumps(entry.to_dict(), allow_nan=False)
    return entry.arguments


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (5, 5),
        (1 << 60, str(1 << 60)),
        (BigInt(7), 7),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ("text", "text"),
        ("x" * 1000, "x" * 200 + "…"),
        ("\ud800\x1b[0m", "\ud800\x1b[0m"),
        (b"secret bytes", "[12 bytes]"),
        (memoryview(bytes(8)), "[8 bytes]"),
        (Blob(b"abc"), "[Blob of 3 bytes]"),
        (undefined, "[undefined]"),
        ([1, (2, {3})], [1, [2, [3]]]),
        ({"a": {"b": 1}}, {"a": {"b": 1}}),
        (JSMap([(1, 2), ("token", 3)]), {"1": 2, "token": "[redacted]"}),
        (JSSet(["a"]), ["a"]),
        (len, "[builtin_function_or_method]"),
        ([[[[[[[1]]]]]]], [[[[["…"]]]]]),
    ],
)
def test_values_are_shown_as_json(value: Any, shown: Any) -> None:
    assert arguments_of(value) == [shown]


@pytest.mark.parametrize(
    "name",
    ["password", "PASSWORD", "user_password", "apiKey", "api-key", "Authorization", "Set-Cookie", "accessToken",
     "client_secret", "private_key", "credentials"],
)  # fmt: skip
def test_what_is_called_a_secret_is_not_told(name: str) -> None:
    assert arguments_of({name: {"a": "hidden"}, "b": [{name: "hidden"}]}) == [
        {name: "[redacted]", "b": [{name: "[redacted]"}]}
    ]


def test_secrets_are_taken_out_wherever_they_appear() -> None:
    secret = "s3cr3t"
    values = (f"a{secret}b", {secret: [secret]}, "x" * 198 + secret, f"{secret}-longer")
    shown = json.dumps(arguments_of(*values, secrets=[secret, f"{secret}-longer", ""]))
    assert secret not in shown
    assert "s3c" not in shown
    assert shown.count("[redacted]") == 5 - 1


def test_redact_has_the_last_word() -> None:
    def redact(name: str, arguments: list[Any]) -> list[Any]:
        return [name, len(arguments)]

    assert arguments_of(1, 2, redact=redact) == ["f", 2]


def test_an_entry_is_bounded() -> None:
    texts = [f"{i}" + "x" * 100 for i in range(1000)]
    shown = arguments_of(texts, {text: text for text in texts})
    assert len(json.dumps(shown, ensure_ascii=False)) < 5000


def test_headers_that_the_host_adds_are_no_arguments(tmp_path: Path) -> None:
    seen: list[str | None] = []

    def transport(request: Request) -> Response:
        seen.append(request.headers.get("authorization"))
        return Response(body="ok")

    path = tmp_path / "log"
    calls: list[Call] = []
    grant = Fetch(["a.test"], headers={"a.test": {"Authorization": "Bearer of-the-host"}}, transport=transport)
    with AuditLog(path) as log, Sandbox(fetch=grant, audit=log, on_call=calls.append, on_result=calls.append) as box:
        box.eval("""
            await (await fetch('https://a.test/', {headers: {Cookie2: 'of-the-guest', 'X-Api-Key': 'its-key'}})).text();
            await fetch('https://b.test/').catch(() => {});
        """)
    text = path.read_text()
    assert seen == ["Bearer of-the-host"]
    assert "of-the-host" not in text + repr(calls)
    assert "its-key" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["name"], line["outcome"], line.get("error")) for line in lines if line["event"] == "result"] == [
        ("fetch", "value", None),
        ("fetch", "denied", "CapabilityDenied"),
    ]


def test_keys_are_not_told() -> None:
    log = AuditLog()
    with Sandbox(audit=log) as box:
        box.eval("""
            const raw = {kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQ', alg: 'HS256'};
            const key = await crypto.subtle.importKey('jwk', raw, {name: 'HMAC', hash: 'SHA-256'}, true, ['sign']);
            await crypto.subtle.sign('HMAC', key, new TextEncoder().encode('private text'));
            await crypto.subtle.importKey('raw', new Uint8Array(3), 'AES-GCM', true, ['encrypt']).catch(() => {});
            0
        """)
    shown = json.dumps([entry.to_dict() for entry in log])
    assert "c2VjcmV0" not in shown
    assert "private text" not in shown
    assert [entry.outcome for entry in log if entry.event == "result"] == ["value", "value", "error"]


def test_texts_of_exceptions_are_not_told() -> None:
    def fail() -> None:
        raise ValueError("the password is x")

    log = AuditLog()
    with Sandbox(functions={"fail": HostFunction(fail)}, audit=log) as box:
        box.eval("try { fail() } catch {}")
    (_, result) = log
    assert (result.error, "password" in json.dumps(result.to_dict())) == ("ValueError", False)
