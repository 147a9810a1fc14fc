"""Pauses: runs that end without their program's knowledge, and go on with an answer, once, here or elsewhere."""

from __future__ import annotations

import pickle
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import (
    Answer,
    AsyncSandbox,
    AuditLog,
    Call,
    Deny,
    HostFunction,
    JSError,
    Limits,
    Outcome,
    Pause,
    PausedCall,
    Request,
    Response,
    Sandbox,
    Snapshot,
    replay,
)
from sandbox.errors import (
    ConversionError,
    CpuLimitExceeded,
    FuelLimitExceeded,
    Paused,
    SandboxBusy,
    SandboxClosed,
    SnapshotCorrupt,
    Stalled,
    UsageError,
    WallLimitExceeded,
)

KEY = b"a key of the embedder's own"


async def ask(*arguments: object) -> Any:
    raise Pause("somebody has to answer", count=len(arguments))


ASK: dict[str, Callable[..., Any]] = {"ask": ask}


def _same(snapshot: Snapshot) -> Snapshot:
    return snapshot


def _written(snapshot: Snapshot) -> Snapshot:
    return Snapshot.from_bytes(snapshot.to_bytes())


def _signed(snapshot: Snapshot) -> Snapshot:
    return Snapshot.from_bytes(snapshot.to_bytes(key=KEY), key=KEY)


def _pickled(snapshot: Snapshot) -> Snapshot:
    copy: Snapshot = pickle.loads(pickle.dumps(snapshot))
    return copy


@pytest.fixture(params=[_same, _written, _signed, _pickled], ids=["kept", "bytes", "signed", "pickle"])
def carry(request: pytest.FixtureRequest) -> Callable[[Snapshot], Snapshot]:
    """The ways in which a snapshot gets to where the run goes on."""
    way: Callable[[Snapshot], Snapshot] = request.param
    return way


def paused(code: str, **options: Any) -> Outcome:
    """The outcome of a program that is paused; its sandbox is gone."""
    with Sandbox(**{"functions": ASK, **options}) as box:
        outcome = box.execute(code)
    assert outcome.paused, outcome
    return outcome


def resumed(
    before: Outcome, *answer: Any, carry: Callable[[Snapshot], Snapshot] = _written, functions: Any = ASK, **how: Any
) -> Outcome:
    """What comes of a paused program in a sandbox of its own."""
    assert before.snapshot is not None
    with Sandbox.restore(carry(before.snapshot), functions=functions) as life:
        return life.resume(*answer, **how)


# --- what is told, and how it goes on ---


def test_what_is_told_of_a_pause(carry: Callable[[Snapshot], Snapshot]) -> None:
    outcome = paused("const answer = await ask('A-17', {amount: 3}, () => 1); `answer: ${answer}`")

    (call,) = outcome.paused
    assert (outcome.ok, outcome.value, outcome.error) == (False, None, None)
    assert (call.name, call.reason) == ("ask", "somebody has to answer")
    assert call.arguments[:2] == ("A-17", {"amount": 3})
    assert call.arguments[2].startswith("<function")
    assert len(bytes.fromhex(call.token)) == 16
    assert outcome.snapshot is not None
    snapshot = carry(outcome.snapshot)
    assert snapshot.paused == outcome.paused
    assert snapshot.pending == ("ask",)
    assert snapshot.runs == (call.run,)


@pytest.mark.parametrize(
    ("how", "value"),
    [
        ({"value": {"id": [1, None]}}, "value {'id':[1,null]}"),
        ({}, "value undefined"),
        ({"value": None}, "value null"),
        ({"error": PermissionError("not today")}, "NotAllowedError: not today"),
        ({"error": ValueError("too much")}, "RangeError: too much"),
    ],
    ids=["object", "nothing", "null", "denied", "failed"],
)
def test_answers(how: dict[str, Any], value: str, carry: Callable[[Snapshot], Snapshot]) -> None:
    outcome = paused(
        "let text; "
        "try { text = 'value ' + JSON.stringify(await ask(1)) } catch (e) { text = `${e.name}: ${e.message}` }; "
        "text.replaceAll('\"', \"'\")"
    )
    assert resumed(outcome, carry=carry, **how).unwrap() == value


def test_a_program_is_paused_again_and_again(carry: Callable[[Snapshot], Snapshot]) -> None:
    outcome = paused("const all = []; for (let i = 0; i < 4; i++) all.push(await ask(i)); all.join()")
    tokens = set()
    for step in range(4):
        (call,) = outcome.paused
        assert call.arguments == (step,)
        tokens.add(call.token)
        outcome = resumed(outcome, f"a{step}", carry=carry)
    assert outcome.unwrap() == "a0,a1,a2,a3"
    assert len(tokens) == 4


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)], ids=str)
def test_several_calls_are_answered_one_by_one(order: tuple[int, ...], carry: Callable[[Snapshot], Snapshot]) -> None:
    outcome = paused("(await Promise.all([1, 2, 3].map(ask))).join()")
    calls = outcome.paused
    assert [call.arguments[0] for call in calls] == [1, 2, 3]
    with pytest.raises(UsageError, match="3 calls are paused"):
        resumed(outcome, 1, carry=carry)
    for count, index in enumerate(order, 1):
        outcome = resumed(outcome, f"to {index + 1}", call=calls[index].token, carry=carry)
        assert {call.token for call in outcome.paused} == {calls[each].token for each in order[count:]}
    assert outcome.unwrap() == "to 1,to 2,to 3"


def test_eval_call_and_module_raise_it() -> None:
    with Sandbox(functions=ASK) as box:
        box.eval("const twice = async n => 2 * await ask(n)")
        for begin in (
            lambda: box.eval("await twice(1)"),
            lambda: box.call("twice", 1),
            lambda: box.eval("twice")(1),
            lambda: box.module("export default await twice(1)"),
        ):
            with pytest.raises(Paused, match=r"^the run is paused: ask: somebody has to answer$") as caught:
                begin()
            (call,) = caught.value.calls
            assert box.unfinished == (call.run,) == (caught.value.run,)
            assert box.eval("1 + 1") == 2  # the sandbox can be used meanwhile
            outcome = box.resume(21)
            assert outcome.unwrap() in (42, {"default": 42})
            assert len(box.unfinished) == 0


def test_what_the_sandbox_goes_on_with_is_its_own(carry: Callable[[Snapshot], Snapshot]) -> None:
    """Globals, console, options: a restored sandbox is one as any other, and can be used when the run is over."""
    outcome = paused("let n = 1; n += await ask(); console.log('n is', n); n")
    entries: list[str] = []
    assert outcome.snapshot is not None
    with Sandbox.restore(
        carry(outcome.snapshot), functions=ASK, console=lambda entry: entries.append(entry.text)
    ) as life:
        assert life.resume(5).unwrap() == 6
        assert life.eval("n * 2") == 12
    assert entries == ["n is 6"]


def test_calls_can_be_answered_by_hand() -> None:
    outcome = paused("await ask(1) + 1")
    assert outcome.snapshot is not None
    with Sandbox.restore(outcome.snapshot, functions=ASK) as life:
        (call,) = life.pending
        assert call.pause == outcome.paused[0]
        call.settle(41)
        assert life.finish(life.unfinished[0]) == 42


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_asynchronous_face(backend: str) -> None:
    async def main() -> None:
        async with AsyncSandbox(functions=ASK) as box:
            outcome = await box.execute("await ask(1) + await ask(2)")
            assert outcome.paused[0].arguments == (1,)
            outcome = await box.resume(1)
            with pytest.raises(Paused):
                outcome.unwrap()
        assert outcome.snapshot is not None
        async with AsyncSandbox.restore(outcome.snapshot, functions=ASK) as life:
            outcome = await life.resume(41)
            assert outcome.unwrap() == 42
            failed = await life.execute("throw new TypeError('x')")
            assert isinstance(failed.error, JSError)

    anyio.run(main, backend=backend)


def test_tasks_of_one_sandbox_are_paused_each_for_itself() -> None:
    release = threading.Event()

    async def slow() -> str:
        await anyio.to_thread.run_sync(release.wait)
        return "slow"

    async def main() -> None:
        outcomes: dict[str, Outcome] = {}
        async with AsyncSandbox(functions={**ASK, "slow": slow}) as box, anyio.create_task_group() as tasks:

            async def run(name: str, code: str) -> None:
                outcomes[name] = await box.execute(code)

            tasks.start_soon(run, "slow", "await slow()")
            await run("asks", "await ask(1)")
            assert outcomes["asks"].paused
            assert "slow" not in outcomes
            release.set()
        assert outcomes["slow"].unwrap() == "slow"

    anyio.run(main)


# --- hooks ---


def _pause_large(call: Call) -> None:
    if call.arguments[0] > 100:
        raise Pause("too large", limit=100)


async def _pause_large_later(call: Call) -> None:
    await anyio.lowlevel.checkpoint()
    _pause_large(call)


@pytest.mark.parametrize("hook", [_pause_large, _pause_large_later], ids=["plain", "async"])
def test_a_hook_pauses_and_the_function_is_called_when_it_may_proceed(hook: Callable[[Call], Any]) -> None:
    paid: list[int] = []

    async def pay(amount: int) -> str:
        paid.append(amount)
        return f"paid {amount}"

    functions = {"pay": pay}
    with Sandbox(functions=functions, on_call=hook) as box:
        outcome = box.execute("[await pay(5), await pay(500)].join()")
    assert (paid, outcome.paused[0].details) == ([5], {"limit": 100})
    assert outcome.snapshot is not None
    with Sandbox.restore(_written(outcome.snapshot), functions=functions, on_call=hook) as life:
        assert life.resume(proceed=True).unwrap() == "paid 5,paid 500"
    assert paid == [5, 500]


def test_to_proceed_in_the_same_sandbox() -> None:
    calls: list[int] = []

    async def pay(amount: int) -> int:
        calls.append(amount)
        if len(calls) == 1:
            raise Pause("first time")
        return amount

    with Sandbox(functions={"pay": pay}) as box:
        assert box.execute("await pay(7)").paused
        assert box.resume(proceed=True).unwrap() == 7
        assert box.execute("await pay(8)").unwrap() == 8
        with pytest.raises(UsageError, match="no call is paused"):
            box.resume()
    assert calls == [7, 7, 8]


def test_a_hook_that_decides_is_asked_in_every_life() -> None:
    """Only the call that may proceed is not asked about."""

    def hook(call: Call) -> Answer | Deny | None:
        if call.arguments == ["ask me"]:
            raise Pause
        return Deny("never")

    async def function(text: str) -> str:
        return text

    options: dict[str, Any] = {"functions": {"f": function}, "on_call": hook}
    with Sandbox(**options) as box:
        outcome = box.execute("const a = await f('ask me'); a + await f('other').catch(e => `: ${e.message}`)")
    assert outcome.snapshot is not None
    with Sandbox.restore(outcome.snapshot, **options) as life:
        assert life.resume(proceed=True).unwrap() == "ask me: f: never"


def test_the_audit_log_tells_of_pauses() -> None:
    entries: list[Any] = []
    log = AuditLog(entries.append)
    with Sandbox(functions=ASK, audit=log) as box:
        assert box.execute("await ask(1)").paused
        assert [(entry.event, entry.outcome) for entry in entries] == [("call", None), ("result", "paused")]
        assert box.resume(proceed=True).paused
    assert [entry.outcome for entry in entries if entry.event == "result"] == ["paused", "paused"]


# --- where it is refused ---


def _stop() -> None:
    raise Pause("here")


async def _stop_later(*_arguments: object) -> None:
    raise Pause("here")


async def _answer(text: str) -> str:
    return text


async def _steps() -> AsyncIterator[int]:
    yield 1
    raise Pause("here")


async def _unspeakable() -> None:
    raise Pause("here", about=object())


async def _load(_specifier: str, _importer: object) -> str:
    raise Pause("here")


async def _fetched(_request: Request) -> Response:
    raise Pause("here")


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("f()", {"functions": {"f": _stop}}),
        ("f()", {"functions": {"f": HostFunction(_stop_later, wait=True)}}),
        ("f()", {"functions": {"f": len}, "on_call": lambda _call: _stop()}),
        ("f('')", {"functions": {"f": len}, "on_call": _stop_later}),
        ("console.log(1)", {"console": lambda _entry: _stop()}),
        ("for await (const each of rows) each", {"globals": {"rows": _steps()}}),
        ("await import('x')", {"modules": _load}),
        ("await fetch('https://a.example')", {"fetch": _fetched}),
        ("await fetch('https://a.example')", {"fetch": lambda _request: Response(), "on_call": _stop_later}),
        ("await f('')", {"functions": {"f": _answer}, "on_result": _stop_later}),
        ("await f()", {"functions": {"f": _unspeakable}}),
    ],
    ids=[
        "plain function",
        "waited for",
        "hook of a plain function",
        "asynchronous hook of one",
        "console",
        "iterator",
        "loader",
        "fetch",
        "hook of fetch",
        "hook of a result",
        "details",
    ],
)
def test_what_cannot_be_paused_ends_the_run(code: str, options: dict[str, Any]) -> None:
    """The program can do nothing about it, and the embedder is told what to do."""
    with Sandbox(**options) as box:
        program = f"globalThis.seen = []; try {{ {code} }} catch (e) {{ seen.push('' + e) }} finally {{ seen.push(1) }}"
        with pytest.raises(UsageError) as caught:
            box.eval(program)
        assert isinstance(caught.value.__cause__, Pause)
        if isinstance(caught.value, ConversionError):
            assert "object" in str(caught.value)
        else:
            assert "`async def`" in str(caught.value)
        assert box.eval("1") == 1
        assert box.unfinished == ()


def test_a_group_that_is_one_pause_is_that() -> None:
    async def ask_in_a_group() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)

    outcome = paused("await f()", functions={"f": ask_in_a_group})
    assert outcome.paused[0].reason == "somebody has to answer"


async def _call_back(function: Any) -> Any:
    return await function()


def test_a_pause_that_a_function_lets_through_is_not_the_programs() -> None:
    """What a function of the host calls of the same program is a run of its own."""

    async def main() -> None:
        async with AsyncSandbox(functions={**ASK, "callBack": _call_back}) as box:
            code = "globalThis.seen = []; try { await callBack(() => ask(1)) } catch (e) { seen.push(e) }; 'went on'"
            with pytest.raises(UsageError, match="let it through") as caught:
                await box.eval(code)
            assert isinstance(caught.value.__cause__, Paused)
            assert await box.eval("seen.map(String)") == ["AbortError: the run that waited for this was ended"]
            assert [call.arguments for call in box.pending] == [(1,)]

    anyio.run(main)


def test_a_pause_of_another_sandbox_is_let_through_as_little() -> None:
    with Sandbox(functions=ASK) as inner, Sandbox(functions={"other": lambda: inner.eval("await ask(1)")}) as box:
        with pytest.raises(UsageError, match="let it through"):
            box.eval("try { other() } catch (e) { 'caught' }")
        assert inner.resume(5).unwrap() == 5


def test_an_exception_that_is_returned_is_a_value() -> None:
    async def give() -> object:
        return Pause("not raised")

    with Sandbox(functions={"f": give}) as box:
        assert isinstance(box.execute("await f()").error, JSError | ConversionError | type(None))
        assert box.pending == ()


# --- hostile programs ---

_WATCHED = "globalThis.seen = []; const note = what => { seen.push(what) };"


@pytest.mark.parametrize(
    "code",
    [
        "try { await ask() } catch (e) { note('caught') } finally { note('finally') }",
        "await ask().then(() => note('then'), () => note('rejected')).finally(() => note('finally'))",
        "await Promise.race([ask(), new Promise(done => setTimeout(done, 3600_000))]); note('race')",
        "await Promise.any([ask(), Promise.reject(1)]); note('any')",
        "await Promise.allSettled([ask(), Promise.reject(1)]); note('settled')",
        "Promise.prototype.then = function () { note('then') }; await (async () => { await ask() })()",
        "globalThis.Promise = class { constructor() { note('made') } }; "
        "const f = async () => { await ask() }; await f()",
        "class P extends Promise {}; await P.resolve(ask()); note('after')",
        "function* g() { try { yield ask() } finally { note('finally') } } for (const p of g()) await p",
        "const c = new AbortController(); c.signal.onabort = () => note('abort'); await ask()",
        "addEventListener('unhandledrejection', () => note('unhandled')); "
        "addEventListener('error', () => note('error')); await ask()",
        "const w = new WeakRef(ask()); await new Promise(() => {})",
        "queueMicrotask(() => {}); await {then(done) { ask().then(done) }}; note('thenable')",
        "async function* g() { try { yield await ask() } finally { note('end') } } for await (const x of g()) note(x)",
        "await new Promise(done => { ask().then(done, done) }); note('after')",
        "await navigator.locks?.request('a', () => ask()) ?? await ask(); note('after')",
    ],
)
def test_the_program_sees_nothing_of_it(code: str) -> None:
    with Sandbox(functions=ASK) as box:
        outcome = box.execute(_WATCHED + code)
        assert outcome.paused, outcome
        assert box.eval("seen") == []


@pytest.mark.parametrize(
    "code",
    [
        "throw {name: 'Pause', reason: 'r', details: {}, token: '00'}",
        "throw Object.assign(new Error('the run is paused: ask: x'), {name: 'Paused', calls: [], snapshot: {}})",
        "class Pause extends Error {}; throw new Pause('approve')",
        "Promise.reject({paused: [{token: '0'.repeat(32)}], snapshot: true})",
        "await fail()",
        "({ok: false, paused: [{token: '0'.repeat(32), name: 'ask'}], snapshot: {}})",
    ],
)
def test_a_program_cannot_pass_for_a_pause(code: str) -> None:
    async def fail() -> None:
        raise RuntimeError("the run is paused")

    with Sandbox(functions={**ASK, "fail": fail}) as box:
        outcome = box.execute(code)
        assert (outcome.paused, outcome.snapshot, box.unfinished, box.pending) == ((), None, (), ())


def test_a_program_that_does_not_wait_goes_on_and_the_call_stays_open() -> None:
    """The answer is the host's alone: whatever the program says of it, nothing was done."""
    with Sandbox(functions=ASK) as box:
        assert box.eval("globalThis.p = ask(1); await Promise.race([p, 'forged'])") == "forged"
        outcome = box.execute("await p")  # another run, with nothing else to wait for
        (call,) = outcome.paused
        assert (call.arguments, len(box.unfinished)) == ((1,), 1)
        assert box.resume("real").unwrap() == "real"


def test_what_a_program_left_behind_pauses_nobody_who_waits_for_something_else() -> None:
    with Sandbox(functions=ASK, clock="virtual") as box:
        assert box.eval("ask(1); 0") == 0
        assert box.eval("await new Promise(done => setTimeout(done, 1000, 'later'))") == "later"
        with pytest.raises(Paused) as caught:
            box.run_until_idle()
        assert (caught.value.run, box.unfinished) == (0, ())
        assert box.resume("x").unwrap() is None
        box.run_until_idle()


def test_a_program_that_spins_in_place_of_waiting_ends_at_its_limit() -> None:
    with Sandbox(functions=ASK, limits=Limits(cpu_seconds=0.1)) as box:
        outcome = box.execute("const p = ask(); await 0; for (;;);")
        assert isinstance(outcome.error, CpuLimitExceeded)
        assert box.pending == ()


# --- exactly once ---


def test_the_same_sandbox_takes_one_answer() -> None:
    with Sandbox(functions=ASK) as box:
        outcome = box.execute("await ask(1)")
        (call,) = box.pending
        assert box.resume(1).unwrap() == 1
        for again in (lambda: call.settle(2), lambda: call.reject(ValueError()), call.proceed, lambda: box.resume(2)):
            with pytest.raises(UsageError):
                again()
        with pytest.raises(UsageError, match="no such call"):
            box.resume(2, call=outcome.paused[0].token)


def test_a_sandbox_and_its_snapshot_share_the_answer() -> None:
    with Sandbox(functions=ASK) as box:
        outcome = box.execute("await ask(1)")
        assert outcome.snapshot is not None
        with Sandbox.restore(outcome.snapshot, functions=ASK) as life:
            assert life.resume(1).unwrap() == 1
        with Sandbox.restore(outcome.snapshot, functions=ASK) as life, pytest.raises(UsageError, match="answered"):
            life.resume(2)
        with pytest.raises(UsageError, match="answered"):
            box.resume(3)


def test_of_many_threads_one_answers() -> None:
    outcome = paused("await ask(1)")
    assert outcome.snapshot is not None
    snapshot, barrier = outcome.snapshot, threading.Barrier(8)
    values: list[object] = []

    def answer(number: int) -> None:
        with Sandbox.restore(snapshot, functions=ASK) as life:
            barrier.wait()
            try:
                values.append(life.resume(number).unwrap())
            except UsageError:
                values.append(None)

    threads = [threading.Thread(target=answer, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(values) == 8
    assert len([value for value in values if value is not None]) == 1


def test_a_run_goes_on_in_one_place_at_a_time() -> None:
    begun, release = threading.Event(), threading.Event()

    async def slow() -> None:
        begun.set()
        await anyio.to_thread.run_sync(release.wait)

    with Sandbox(functions={**ASK, "slow": slow}) as box:
        outcome = box.execute("await Promise.all([ask(1).then(() => slow()), ask(2)])")
        first, second = outcome.paused
        values: list[Outcome] = []
        thread = threading.Thread(target=lambda: values.append(box.resume(1, call=first.token)))
        thread.start()
        begun.wait()
        with pytest.raises(SandboxBusy, match="goes on already"):
            box.resume(2, call=second.token)
        release.set()
        thread.join()
        assert [call.token for call in values[0].paused] == [second.token]
        assert box.resume(2, call=second.token).unwrap() == [None, 2]


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"value": 1, "error": ValueError()}, UsageError),
        ({"value": 1, "proceed": True}, UsageError),
        ({"error": "no"}, TypeError),
        ({"error": Pause("no")}, TypeError),
        ({"call": "0" * 32}, UsageError),
        ({"timeout": -1}, ValueError),
    ],
    ids=str,
)
def test_answers_that_are_none_change_nothing(how: dict[str, Any], error: type[Exception]) -> None:
    with Sandbox(functions=ASK) as box:
        box.execute("await ask(1)")
        with pytest.raises(error):
            box.resume(**how)
        assert box.resume(5).unwrap() == 5


def test_a_closed_sandbox_answers_nothing() -> None:
    with Sandbox(functions=ASK) as box:
        box.execute("await ask(1)")
    with pytest.raises(SandboxClosed):
        box.resume(1)


# --- what else goes on ---


def test_what_the_host_works_on_is_waited_for_and_done_once() -> None:
    done: list[int] = []

    async def work(number: int) -> int:
        await anyio.sleep(0.02)
        done.append(number)
        return number

    functions = {**ASK, "work": work}
    outcome = paused("(await Promise.all([work(1), ask(2), work(3)])).join()", functions=functions)
    assert sorted(done) == [1, 3]
    assert resumed(outcome, 2, functions=functions).unwrap() == "1,2,3"
    assert sorted(done) == [1, 3]


def test_a_fetch_is_waited_for() -> None:
    asked: list[str] = []

    async def answer(request: Request) -> Response:
        await anyio.sleep(0.02)
        asked.append(request.url)
        return Response(200, {}, "text")

    outcome = paused(
        "const [text, said] = await Promise.all([fetch('https://a.example/').then(r => r.text()), ask()]); text + said",
        fetch=answer,
    )
    assert resumed(outcome, "!").unwrap() == "text!"
    assert asked == ["https://a.example/"]


def test_timers_keep_what_was_left() -> None:
    outcome = paused(
        "const log = []; setTimeout(() => log.push('timer'), 1000); log.push(await ask());"
        "await new Promise(done => setTimeout(done, 1500)); log.join()",
        clock="virtual",
    )
    assert resumed(outcome, "answer").unwrap() == "answer,timer"


def test_streams_go_on() -> None:
    outcome = paused(
        """
        const transform = async (chunk, c) => c.enqueue(chunk.toUpperCase() + await ask(chunk));
        const upper = new TransformStream({transform});
        const source = new ReadableStream({start(c) { for (const x of 'ab') c.enqueue(x); c.close() }});
        const parts = [];
        for await (const part of source.pipeThrough(upper)) parts.push(part);
        parts.join()
        """
    )
    for answer in (1, 2):
        outcome = resumed(outcome, answer)
    assert outcome.unwrap() == "A1,B2"


def test_each_part_has_budgets_of_its_own() -> None:
    """A pause takes none of them, and gives back none to a program that is not answered."""
    code = "for (let i = 0; i < 3; i++) { for (let n = 0; n < 20_000; n++); await ask(i) }; 'done'"
    limits = Limits(fuel=20_000_000, wall_seconds=5)
    with Sandbox(functions=ASK, limits=limits) as box:
        outcome = box.execute(code)
        for _ in range(3):
            assert outcome.paused
            outcome = box.resume()
        assert outcome.unwrap() == "done"
        assert outcome.usage.fuel > 20_000_000
    with Sandbox(functions=ASK, limits=limits) as box:
        assert box.execute(code).paused
        assert isinstance(box.resume(fuel=1000).error, FuelLimitExceeded)


def test_a_limit_that_comes_first_is_the_outcome() -> None:
    async def never() -> None:
        await anyio.sleep_forever()

    with Sandbox(functions={**ASK, "never": never}) as box:
        outcome = box.execute("await Promise.all([never(), ask()])", timeout=0.05)
        assert isinstance(outcome.error, WallLimitExceeded)
        assert (box.pending, box.unfinished) == ((), ())


@pytest.mark.parametrize("on_limit", ["keep", "rollback"])
def test_after_a_limit(on_limit: Any) -> None:
    with Sandbox(functions=ASK, on_limit=on_limit, limits=Limits(cpu_seconds=0.2)) as box:
        box.eval("let n = 0")
        assert box.execute("n = 1; await ask(); n = 2; if (globalThis.spin) for (;;); n").paused
        box.eval("globalThis.spin = true; 0")
        assert isinstance(box.resume().error, CpuLimitExceeded)
        assert box.eval("n") == (2 if on_limit == "keep" else 1)


@pytest.mark.parametrize("on_limit", ["keep", "rollback", "poison"])
def test_an_answer_whose_part_ends_at_a_limit_was_given(on_limit: Any) -> None:
    """In this process, that is; of bytes there may be copies anywhere, and who has them may try again."""
    with Sandbox(functions=ASK, on_limit=on_limit, limits=Limits(cpu_seconds=0.2)) as box:
        outcome = box.execute("const answer = await ask(); if (answer === 'spin') for (;;); answer")
        assert outcome.snapshot is not None
        kept = outcome.snapshot.to_bytes()
        assert isinstance(box.resume("spin").error, CpuLimitExceeded)
    with Sandbox.restore(outcome.snapshot, functions=ASK) as life, pytest.raises(UsageError, match="answered"):
        life.resume("again")
    with Sandbox.restore(Snapshot.from_bytes(kept), functions=ASK) as life:
        assert life.resume("again").unwrap() == "again"


def test_forked_twins_wait_as_well() -> None:
    with Sandbox(functions=ASK) as box:
        box.execute("await ask(1)")
        with box.fork() as twin:
            assert twin.resume("twin").unwrap() == "twin"
        assert box.resume("first").unwrap() == "first"


def test_a_snapshot_that_is_taken_of_a_paused_sandbox() -> None:
    with Sandbox(functions=ASK) as box:
        box.execute("const x = await ask(1); x")
        box.eval("globalThis.more = 1; 0")
        snapshot = box.snapshot()
    assert [call.arguments for call in snapshot.paused] == [(1,)]
    with Sandbox.restore(_written(snapshot), functions=ASK) as life:
        assert life.resume(5).unwrap() == 5
        assert life.eval("more + x") == 6


@pytest.mark.parametrize("pending", ["call", "hold"])
def test_paused_calls_are_held_in_any_case(pending: Any) -> None:
    outcome = paused("await ask(1)")
    assert outcome.snapshot is not None
    with Sandbox.restore(outcome.snapshot, functions=ASK, pending=pending) as life:
        again = life.execute("1 + 1")
        assert (again.unwrap(), len(life.pending)) == (2, 1)
        assert life.resume(1).unwrap() == 1


def test_a_function_that_stays_behind_does_not_matter_to_its_answer() -> None:
    """The answer is the embedder's: a call of a function that came from another one can be answered anywhere."""

    def make() -> Callable[..., Any]:
        return ask

    outcome = paused("const f = make(); await f(3)", functions={"make": make})
    assert resumed(outcome, 4, functions={"make": make}).unwrap() == 4


def test_a_request_to_the_program_is_paused() -> None:
    with Sandbox(functions=ASK) as box:
        box.eval("serve({fetch: async request => new Response(await ask(request.url))})")
        with pytest.raises(Paused) as caught:
            box.dispatch(Request("GET", "https://a.example/1"))
        assert caught.value.calls[0].arguments == ("https://a.example/1",)
        assert box.eval("1") == 1


def test_a_pause_is_recorded_as_anything(tmp_path: Path) -> None:
    path = tmp_path / "a.record"
    with Sandbox(functions=ASK, record=path) as box:
        assert box.execute("await ask(1) + 1").paused
        assert box.resume(41).unwrap() == 42
    replayed = replay(path)
    assert replayed is not None
    outcome = paused("await ask(1) + 1")
    assert outcome.snapshot is not None
    with Sandbox.restore(outcome.snapshot, functions=ASK, record=tmp_path / "b.record") as life:
        assert life.resume(1).unwrap() == 2
    assert replay(tmp_path / "b.record") is not None


def test_nothing_is_left_for_the_host_to_do() -> None:
    with Sandbox(functions=ASK) as box:
        outcome = box.execute("await ask(1)")
        box.resume("x")
        with pytest.raises(Stalled):
            box.eval("await new Promise(() => {})")
        assert box.usage.pending_requests == 0
    assert outcome.usage.pending_requests == 1


# --- as values ---


@pytest.mark.parametrize(
    "value",
    [
        Pause("why", amount=3),
        Pause(),
        Paused([PausedCall("00", "ask", (1,), "why", {"a": 1}, 2)], None, 2),
        PausedCall("00", "ask", ([1],), "why", {"a": 1}, 2),
        Outcome(paused=(PausedCall("00", "ask"),)),
    ],
    ids=repr,
)
def test_they_can_be_pickled(value: Any) -> None:
    copy = pickle.loads(pickle.dumps(value))
    assert type(copy) is type(value)
    assert repr(copy) == repr(value)
    if isinstance(value, Pause):
        assert (copy.reason, copy.details) == (value.reason, value.details)
    if isinstance(value, Paused):
        assert (copy.calls, copy.run) == (value.calls, value.run)


def test_the_error_travels_with_its_snapshot() -> None:
    with Sandbox(functions=ASK) as box, pytest.raises(Paused) as caught:
        box.eval("await ask(1)")
    arrived = pickle.loads(pickle.dumps(caught.value))
    with Sandbox.restore(arrived.snapshot, functions=ASK) as life:
        assert life.resume(2).unwrap() == 2


def test_a_reason_is_text() -> None:
    with pytest.raises(TypeError, match="reason must be a str"):
        Pause(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"pauses": [[99, "00", 2, b"\xc0"]]},
        {"pauses": [[2, "00", 2, b""]]},
        {"pauses": [[2, 0, 2, b"\xc0"]]},
        {"pauses": [[2, "00", -1, b"\xc0"]]},
        {"pauses": [[2, "00", 2, b"\xc0"], [2, "01", 2, b"\xc0"]]},
        {"pauses": "none"},
        {"paused_run": -1},
        {"pauses": [[2, "00", 2, b"\xc0"]]},
        {"pauses": [[2, "00", 2, b"\x93\x01\x02\x03"]]},
        {"pauses": [[2, "00", 2, b"\xff\xff"]]},
    ],
    ids=str,
)
def test_crafted_pauses_are_refused(change: dict[str, Any]) -> None:
    import msgpack

    from sandbox import _snapshot_format

    outcome = paused("await ask(1)")
    assert outcome.snapshot is not None
    packed = _snapshot_format.read(outcome.snapshot.to_bytes(), None)
    (pause,) = packed.state["host"]["pauses"]
    change = {
        key: [[pause[0] if row[0] == 2 else row[0], *row[1:]] for row in value] if isinstance(value, list) else value
        for key, value in change.items()
    }
    packed.state["host"].update(change)
    assert msgpack.packb(packed.state)
    data = _snapshot_format.write(packed, None)
    with pytest.raises(SnapshotCorrupt):
        Sandbox.restore(Snapshot.from_bytes(data), functions=ASK).pending  # noqa: B018 - it reads them


def test_a_crafted_run_is_only_a_number() -> None:
    """Whatever run a snapshot says was paused, an answer that nobody waits for ends nothing."""
    from sandbox import _snapshot_format

    outcome = paused("await ask(1)")
    assert outcome.snapshot is not None
    packed = _snapshot_format.read(outcome.snapshot.to_bytes(), None)
    packed.state["host"]["pauses"][0][2] = 77
    packed.state["host"].update(paused_run=78, runs=[])
    with Sandbox.restore(Snapshot.from_bytes(_snapshot_format.write(packed, None)), functions=ASK) as life:
        assert life.resume(1).unwrap() is None
        assert life.eval("2") == 2
