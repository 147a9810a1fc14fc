"""Snapshots, restored and forked sandboxes: functions of the host, and calls of them that are pending."""

from __future__ import annotations

import asyncio
import gc
import pickle
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

from sandbox import HostFunction, JSError, JSFunction, Limits, PendingCall, Request, Response, Sandbox, Snapshot, expose
from sandbox.errors import ConversionError, LimitExceeded, SnapshotError, UsageError
from tests.later_lives import later, never, waiting

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


def test_names_may_be_half_of_a_character(carry: Callable[[Snapshot], Snapshot]) -> None:
    box = Sandbox(globals={"\ud800": lambda: 1, "o": {"\udc00": lambda: 2}})
    box.eval("globalThis.kept = [globalThis['\\ud800'], o['\\udc00']]; 0")
    with later(carry, box, globals={"\ud800": lambda: 3, "o": {"\udc00": lambda: 4}}) as life:
        assert life.eval("kept.map(f => f())") == [3, 4]


def test_a_handle_in_many_calls_is_held_once_for_each(carry: Callable[[Snapshot], Snapshot]) -> None:
    with Sandbox(functions={"ask": never}, limits=Limits(handles=100)) as box:
        box.eval("const f = () => 1; for (let i = 0; i < 20; i++) ask(f, f); 0")
        snapshot = carry(box.snapshot())
    with pytest.raises(LimitExceeded, match=r"limit of 30 handles was reached \(30 handles used\).*higher limits"):
        Sandbox.restore(snapshot, functions={"ask": never}, limits=Limits(handles=30))
    gc.collect()  # what was read for it lets go of nothing
    with Sandbox.restore(snapshot, functions={"ask": never}, limits=Limits(handles=40)) as life:
        assert life.eval("f()") == 1


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


def test_pending_calls_are_made_again(carry: Callable[[Snapshot], Snapshot]) -> None:
    calls: list[Any] = []

    async def ask(question: str, options: dict[str, Any]) -> str:
        calls.append((question, options))
        return question.upper()

    async def block(question: str, options: dict[str, Any]) -> None:
        await anyio.sleep_forever()

    snapshot, _ = waiting("const a = await ask('q', {n: [1n]}); a + '!'", {"ask": block})
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
    snapshot, _ = waiting("let r; try { r = await never() } catch (e) { r = e.name + e.message } r", {"never": never})
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

    snapshot, _ = waiting("globalThis.n = 20; await twice(() => ++n)", {"twice": _forever})
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
