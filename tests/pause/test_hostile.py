"""A program neither sees its pause, nor passes for one, nor gets around it."""

from __future__ import annotations

import pytest

from sandbox import (
    Limits,
    Sandbox,
)
from sandbox.errors import (
    CpuLimitExceeded,
    Paused,
)
from tests.pause.runs import ASK

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
