"""What else goes on in a sandbox that is paused: other calls, timers, streams, limits, twins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import (
    Limits,
    Request,
    Response,
    Sandbox,
    Snapshot,
    replay,
)
from sandbox.errors import (
    CpuLimitExceeded,
    FuelLimitExceeded,
    Paused,
    Stalled,
    UsageError,
    WallLimitExceeded,
)
from tests.later_lives import written
from tests.pause.runs import ASK, ask, paused, resumed


def test_what_the_host_begins_is_waited_for_while_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop's thread begins calls as well, so another thread may look in the middle of it."""
    found: list[bool] = []
    with Sandbox(functions={"ask": ask}) as box:
        requests = box._driver._requests
        start = requests._waiter.start

        def watched(awaitable: Any, complete: Any) -> Any:
            found.append(requests.is_at_work(complete.args[1]))
            return start(awaitable, complete)

        monkeypatch.setattr(requests._waiter, "start", watched)
        out = box.execute("await Promise.all([ask(1), ask(2)])")
        assert len(out.paused) == len(found) == 2
    assert all(found)


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
    code = "for (let i = 0; i < 3; i++) { for (let n = 0; n < 40_000; n++); await ask(i) }; 'done'"
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
    with Sandbox.restore(written(snapshot), functions=ASK) as life:
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
