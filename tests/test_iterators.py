"""Iterators across the boundary: Python's in the guest, the guest's in Python, one step at a time."""

from __future__ import annotations

import contextvars
import gc
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import AsyncSandbox, JSAsyncIterator, JSError, JSFunction, JSIterator, Limits, Sandbox, undefined
from sandbox._commands import _is_step
from sandbox.errors import ConversionError, SandboxBusy, SandboxClosed


class Log(list[str]):
    """What happened, in order."""

    def count(self, end: int = 3) -> Generator[int, Any, str]:  # type: ignore[override] # not the method of lists
        try:
            for number in range(end):
                got = yield number
                if got is not None:
                    self.append(f"got {got}")
        except JSError as error:
            self.append(f"caught {error.message}")
            yield -1
        finally:
            self.append("closed")
        return "end"

    async def stream(self, end: int = 3) -> AsyncIterator[int]:
        try:
            for number in range(end):
                await anyio.lowlevel.checkpoint()
                self.append(f"made {number}")
                yield number
        except JSError as error:
            self.append(f"caught {error.message}")
            yield -1
        finally:
            await anyio.lowlevel.checkpoint()
            self.append("closed")

    async def failing(self) -> AsyncIterator[int]:
        yield 1
        yield 2
        raise LookupError("broken")


@pytest.fixture
def log() -> Log:
    return Log()


HOST_ITERATORS: list[tuple[str, Any, list[str]]] = [
    ("[...count()]", [0, 1, 2], ["closed"]),
    ("const it = count(); [it.next(), it[Symbol.iterator]() === it]", [{"value": 0, "done": False}, True], []),
    ("let r = []; for (const x of count()) { if (x == 1) break; r.push(x) } log('after'); r", [0], ["closed", "after"]),
    ("try { for (const x of count()) throw 'out' } catch (e) { log(e) }", None, ["closed", "out"]),
    ("const [a] = count(); a", 0, ["closed"]),
    ("count().map(x => x * 2).take(2).toArray()", [0, 2], ["closed"]),
    ("const it = count(1); it.next(); it.next()", {"value": "end", "done": True}, ["closed"]),
    ("const it = count(); it.next('a'); it.next('b').value", 1, ["got b"]),
    ("const it = count(); it.return(5)", {"value": 5, "done": True}, []),
    ("const it = count(); it.return(5); it.next()", {"value": undefined, "done": True}, []),
    ("const it = count(); it.next(); it.throw(new Error('stop')).value", -1, ["caught stop"]),
    ("try { list().throw(new RangeError('r')) } catch (e) { [e.name, e.message] }", ["RangeError", "r"], []),
    ("[...list()]", [1, 2], []),
    ("const it = list(); it.next(); it.return(); [...it]", [], []),
    ("try { bad().next() } catch (e) { [e instanceof RangeError, e.message] }", [True, "no"], []),
    ("const it = bad(); try { it.next() } catch {}; it.next().done", True, []),
    (
        "[typeof count().next, String(count()), 'constructor' in list()]",
        ["function", "[object Host Iterator]", True],
        [],
    ),
    ("Object.keys(count())", [], []),
    ("function* g() { return yield* count(2) } [...g()]", [0, 1], ["closed"]),
    ("new Set(count()).size", 3, ["closed"]),
    ("[...nested.deep[0]]", [7, 8], []),
]


@pytest.mark.parametrize(("code", "value", "happened"), HOST_ITERATORS, ids=[row[0] for row in HOST_ITERATORS])
def test_an_iterator_of_the_host(log: Log, code: str, value: Any, happened: list[str]) -> None:
    def bad() -> Iterator[int]:
        raise ValueError("no")
        yield 0

    functions: dict[str, Callable[..., Any]] = {
        "count": log.count,
        "log": log.append,
        "list": lambda: iter([1, 2]),
        "bad": bad,
    }
    with Sandbox(functions=functions, globals={"nested": {"deep": [iter([7, 8])]}}) as box:
        assert box.eval(code) == value
        assert log == happened


STREAMS: list[tuple[str, Any, list[str]]] = [
    ("let r = []; for await (const x of stream()) r.push(x); r", [0, 1, 2], ["made 0", "made 1", "made 2", "closed"]),
    (
        "let r = []; for await (const x of stream()) { r.push(x); if (x == 1) break } log('after'); r",
        [0, 1],
        ["made 0", "made 1", "closed", "after"],
    ),
    (
        "const s = stream(); (await Promise.all([s.next(), s.next(), s.next(), s.next()])).map(r => r.value)",
        [0, 1, 2, undefined],
        ["made 0", "made 1", "made 2", "closed"],
    ),
    ("const s = stream(); await s.next(); (await s.throw(new Error('stop'))).value", -1, ["made 0", "caught stop"]),
    ("await stream().return(4)", {"value": 4, "done": True}, []),
    ("const s = stream(); await s.return(); await s.next()", {"value": undefined, "done": True}, []),
    (
        "const r = []; try { for await (const x of failing()) r.push(x) } catch (e) { r.push(e.message) } r",
        [1, 2, "broken"],
        [],
    ),
    ("const s = stream(); [s[Symbol.asyncIterator]() === s, String(s)]", [True, "[object Host AsyncIterator]"], []),
    (
        "async function* g() { yield* stream(2) } let n = 0; for await (const x of g()) n += x; n",
        1,
        ["made 0", "made 1", "closed"],
    ),
    ("const s = stream(); await s.next(); log('a'); await s.next(); 1", 1, ["made 0", "a", "made 1"]),
]


@pytest.mark.parametrize(("code", "value", "happened"), STREAMS, ids=[row[0] for row in STREAMS])
def test_a_stream_of_the_host(log: Log, code: str, value: Any, happened: list[str]) -> None:
    functions: dict[str, Callable[..., Any]] = {"stream": log.stream, "failing": log.failing, "log": log.append}
    with Sandbox(functions=functions) as box:
        assert box.eval(code) == value
        assert log == happened


@pytest.mark.anyio
@pytest.mark.parametrize(("code", "value", "happened"), STREAMS, ids=[row[0] for row in STREAMS])
async def test_a_stream_of_the_host_on_the_async_face(log: Log, code: str, value: Any, happened: list[str]) -> None:
    functions: dict[str, Callable[..., Any]] = {"stream": log.stream, "failing": log.failing, "log": log.append}
    async with AsyncSandbox(functions=functions) as box:
        assert await box.eval(code) == value
        assert log == happened


@pytest.mark.anyio
async def test_a_stream_lives_in_one_task_and_ends_with_its_sandbox() -> None:
    events: list[str] = []
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=0)

    async def scoped() -> AsyncIterator[int]:
        try:
            variable.set(5)
            with anyio.fail_after(
                60
            ):  # asyncio and trio refuse to leave a scope in another task than it was entered in
                yield variable.get()
                yield variable.get()
        finally:
            await anyio.lowlevel.checkpoint()
            events.append("closed")

    async with AsyncSandbox(functions={"scoped": scoped}) as box:
        assert await box.eval("var s = scoped(); [(await s.next()).value, (await s.next()).value]") == [5, 5]
        assert (await box.eval("await s.next()"))["done"] is True
        assert events == ["closed"]
        assert (await box.eval("var s = scoped(); await s.next()"))["value"] == 5
        assert events == ["closed"]
    assert events == ["closed", "closed"]


def test_a_stream_ends_when_the_guest_drops_it() -> None:
    ended = threading.Event()

    async def stream() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            ended.set()

    with Sandbox(functions={"stream": stream}) as box:
        box.eval("await stream().next(); 0")
        box.eval("0")
        assert ended.wait(10)
        assert box._driver._operations.bound() == 1


def test_what_a_stream_raises_that_is_no_exception_reaches_python(log: Log) -> None:
    async def stream() -> AsyncIterator[int]:
        yield 1
        raise KeyboardInterrupt

    with Sandbox(functions={"stream": stream}) as box:
        with pytest.raises(KeyboardInterrupt):
            box.eval("for await (const x of stream()) ;")
        assert box.eval("1") == 1


GUEST_ITERATORS = [
    "(function* () { yield 1; yield 2 })()",
    "[1, 2].values()",
    "new Map([[1, 0], [2, 0]]).keys()",
    "new Set([1, 2]).values()",
    "[0, 1].values().map(x => x + 1)",
    "Iterator.from({i: 0, next() { return {value: ++this.i, done: this.i > 2} }})",
    "({i: 0, next() { return {value: ++this.i, done: this.i > 2} }, [Symbol.iterator]() { return this }})",
    "new (class extends Iterator { i = 0; next() { return {value: ++this.i, done: this.i > 2} } })()",
    "({i: 0, [Symbol.iterator]() { return this },"
    " next() { const i = ++this.i; return {get value() { return i }, get done() { return i > 2 }} }})",
]


@pytest.mark.parametrize("code", GUEST_ITERATORS)
def test_an_iterator_of_the_guest(code: str) -> None:
    with Sandbox() as box:
        iterator = box.eval(code)
        assert type(iterator) is JSIterator
        assert iter(iterator) is iterator
        assert list(iterator) == [1, 2]
        assert list(iterator) == []
        assert iterator.released


@pytest.mark.parametrize(
    "code",
    [
        "(async function* () { yield 1; yield 2 })()",
        "({async *[Symbol.asyncIterator]() { yield 1; yield 2 }})",
        "new (class { async *[Symbol.asyncIterator]() { yield 1; yield new Promise(r => setTimeout(r, 1, 2)) } })()",
        "({i: 0, [Symbol.asyncIterator]() { let i = 0; return {next: async () => ({value: ++i, done: i > 2})} }})",
    ],
)
def test_an_async_iterator_of_the_guest(code: str) -> None:
    with Sandbox() as box:
        iterator = box.eval(code)
        assert type(iterator) is JSAsyncIterator
        assert list(iterator) == [1, 2]

    async def collect() -> None:
        async with AsyncSandbox() as box:
            iterator = await box.eval(code)
            assert [item async for item in iterator] == [1, 2]
            with pytest.raises(StopAsyncIteration):
                await anext(iterator)

    anyio.run(collect)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("({a: 1, [Symbol.iterator]: 5, next() {}})", ["a", "next"]),
        ("new (class { x = 1; *[Symbol.iterator]() {} })()", ["x"]),
        ("({next() {}})", ["next"]),
    ],
)
def test_what_is_no_iterator(code: str, value: list[str]) -> None:
    with Sandbox() as box:
        assert list(box.eval(code)) == value


def test_send_throw_and_close() -> None:
    with Sandbox() as box:
        make = box.eval(
            "var seen = []; (function* () { try { seen.push(yield 1); yield 2 }"
            " catch (e) { seen.push(e.message); yield 3 } finally { seen.push('closed') } return 9 })"
        )
        iterator = make()
        assert next(iterator) == 1
        assert iterator.send("x") == 2
        with pytest.raises(StopIteration) as end:
            next(iterator)
        assert end.value.value == 9
        iterator = make()
        next(iterator)
        assert iterator.throw(ValueError("v")) == 3
        iterator.close()
        iterator.close()
        assert list(iterator) == []
        assert box.eval("seen") == ["x", "closed", "v", "closed"]
        assert box.usage.live_handles == 1


@pytest.mark.anyio
async def test_send_throw_and_close_on_the_async_face() -> None:
    async with AsyncSandbox() as box:
        make = await box.eval(
            "var seen = []; (async function* () { try { seen.push(yield 1); yield 2 }"
            " catch (e) { seen.push(e.message); yield 3 } finally { seen.push('closed') } })"
        )
        iterator = await make()
        assert await anext(iterator) == 1
        assert await iterator.asend("x") == 2
        await iterator.aclose()
        iterator = await make()
        assert await anext(iterator) == 1
        assert await iterator.athrow(ValueError("v")) == 3
        await iterator.aclose()
        await iterator.aclose()
        assert await box.eval("seen") == ["x", "closed", "v", "closed"]
        sync = await box.eval("[1, 2].values()")
        with pytest.raises(SandboxBusy, match="async for"):
            next(sync)
        assert [item async for item in await box.eval("[1, 2].values()")] == [1, 2]


def test_errors_come_after_the_values_before_them() -> None:
    with Sandbox() as box:
        iterator = box.eval("(async function* () { yield 1; yield 2; throw new RangeError('r') })()")
        assert [next(iterator), next(iterator)] == [1, 2]
        with pytest.raises(JSError, match="RangeError: r"):
            next(iterator)
        assert list(iterator) == []


def test_nothing_runs_ahead() -> None:
    with Sandbox() as box:
        iterator = box.eval("var made = 0; (function* () { for (;;) yield ++made })()")
        assert [next(iterator) for _ in range(3)] == [1, 2, 3]
        assert box.eval("made") == 3


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("(function* () { yield {a: [Symbol()]} })()", "$.a[0]"),
        ("(async function* () { yield [Symbol()] })()", "$[0]"),
        ("(function* () { yield Symbol() })()", "$"),
    ],
)
def test_a_step_that_cannot_cross_names_the_path_in_the_value(code: str, path: str) -> None:
    with Sandbox() as box:
        with pytest.raises(ConversionError) as caught:
            next(box.eval(code))
        assert caught.value.path == path


@pytest.mark.parametrize("step", ["1", "null", "undefined", "'text'"])
def test_a_step_that_is_no_object(step: str) -> None:
    with Sandbox() as box, pytest.raises(JSError, match="a step of an iterator must give an object"):
        next(box.eval(f"({{next: () => {step}, [Symbol.iterator]() {{ return this }}}})"))


def test_an_iterator_goes_back_as_itself() -> None:
    with Sandbox() as box:
        iterator = box.eval("var it = (function* () { yield 1; yield 2 })(); it")
        same = box.eval("x => x === it")
        assert same(iterator) is True
        assert next(iterator) == 1
        box.globals["again"] = iterator
        assert box.eval("again.next().value") == 2
        stream = box.eval("var st = {async *[Symbol.asyncIterator]() { yield 1 }}; st")
        assert box.call(box.eval("x => x === st"), stream) is True


def test_host_and_guest_pull_from_each_other() -> None:
    def doubled(source: Iterator[int]) -> Iterator[int]:
        for item in source:
            yield item * 2

    with Sandbox(functions={"doubled": doubled}) as box:
        assert box.eval("[...doubled((function* () { yield 1; yield 2 })())]") == [2, 4]


@pytest.mark.anyio
async def test_async_host_and_guest_pull_from_each_other() -> None:
    async def doubled(source: AsyncIterator[int]) -> AsyncIterator[int]:
        async for item in source:
            yield item * 2

    code = "let r = []; for await (const x of doubled((async function* () { yield 1; yield 2 })())) r.push(x); r"
    async with AsyncSandbox(functions={"doubled": doubled}) as box:
        assert await box.eval(code) == [2, 4]
    with Sandbox(functions={"doubled": doubled}) as blocking:
        assert await anyio.to_thread.run_sync(blocking.eval, code) == [2, 4]


def test_nothing_is_left_behind(log: Log) -> None:
    with Sandbox(functions={"count": log.count, "stream": log.stream}) as box:
        box.eval("for (let i = 0; i < 20; i++) { for (const x of count()) break; count().next(); count() }")
        box.eval("for (let i = 0; i < 20; i++) { for await (const x of stream()) break; await stream().next() }")
        for _ in range(20):
            next(box.eval("(function* () { yield 1 })()"))
            list(box.eval("(async function* () { yield 1 })()"))
        gc.collect()
        box.eval("0")
        assert box._driver._operations.bound() == 2
        assert box.usage.live_handles == 0


def test_an_iterator_of_a_closed_sandbox() -> None:
    with Sandbox() as box:
        iterator = box.eval("[1].values()")
    with pytest.raises(SandboxClosed):
        next(iterator)


def test_functions_in_a_stream_are_called(log: Log) -> None:
    calls: list[JSFunction] = []
    with Sandbox(functions={"keep": calls.append}) as box:
        steps = box.eval("(function* () { yield () => 1; yield () => 2 })()")
        assert [function() for function in steps] == [1, 2]


@pytest.mark.parametrize("answer", [None, [], [True], [1, 2], [True, 1, 2], {"done": True, "value": 1}])
def test_an_answer_that_is_no_step(answer: Any) -> None:
    assert not _is_step(answer)
    assert _is_step([False, answer])


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("const p = [s.next(bad), s.next()]; (await Promise.allSettled(p)).map(x => x.status[0])", ["r", "f"]),
        (
            "const p = [s.next(), s.next(bad), s.next()]; (await Promise.allSettled(p)).map(x => x.status[0])",
            ["f", "r", "f"],
        ),
        ("s.next(); for (let i = 0; i < 1e4; i++) s.next(bad).catch(() => 0); (await s.next()).value", 1),
    ],
)
def test_a_step_whose_value_cannot_cross_does_not_stop_the_stream(log: Log, code: str, value: Any) -> None:
    with Sandbox(functions={"stream": log.stream}) as box:
        box.eval("const s = stream(), bad = Symbol()")
        assert box.eval(code) == value
        assert box.eval("(await s.next()).done") is False


class Unopenable:
    """An async iterable that does not say what to iterate over."""

    def __init__(self, iterator: object) -> None:
        self._iterator = iterator

    def __aiter__(self) -> Any:
        if isinstance(self._iterator, Exception):
            raise self._iterator
        return self._iterator


@pytest.mark.parametrize("iterator", [LookupError("no"), 5, None], ids=repr)
def test_an_async_iterable_that_cannot_be_opened(iterator: object) -> None:
    with Sandbox(functions={"stream": lambda: Unopenable(iterator)}) as box:
        code = "const s = stream(); let e; try { await s.next() } catch (x) { e = x.name } [e, (await s.next()).done]"
        assert box.eval(code) == ["Error" if iterator is not None and iterator != 5 else "TypeError", True]
        assert box.usage.pending_requests == 0


@pytest.mark.parametrize("limits", [Limits(pending_requests=20), Limits(concurrent_calls=20)])
def test_open_streams_are_bounded(log: Log, limits: Limits) -> None:
    with Sandbox(functions={"stream": log.stream}, limits=limits) as box:
        code = "let n = 0; const k = []; try { for (;;) { k.push(stream()); await k[n].next(); n++ } } catch { } n"
        assert box.eval(code) == 20
        assert box.eval("k.length = 0; 1") == 1
        assert box.eval("n = (await stream().next()).value") == 0


@pytest.mark.parametrize("make", ["() => 1", "iter([1])", "stream()"])
def test_what_the_guest_holds_of_the_host_is_bounded(log: Log, make: str) -> None:
    makers: dict[str, Callable[[], Any]] = {
        "() => 1": lambda: lambda: 1,
        "iter([1])": lambda: iter([1]),
        "stream()": lambda: log.stream(),
    }
    with Sandbox(functions={"f": makers[make]}, limits=Limits(handles=50)) as box:
        code = "var k = []; let e; try { for (;;) k.push(f()) } catch (x) { e = x } [k.length, e.message]"
        held, message = box.eval(code)
        assert held == 49
        assert "beyond the handles limit of 50" in message
        box.eval("k = []")
        assert box.eval("typeof f()") in ("function", "object")


@pytest.mark.parametrize("poison", ["Array.prototype.then", "Object.prototype.then"])
def test_a_step_is_no_thenable(poison: str) -> None:
    with Sandbox() as box:
        steps = box.eval("(function* () { yield 1; yield 2 })()")
        later = box.eval("(async function* () { yield 1; yield 2 })()")
        assert (next(steps), next(later)) == (1, 1)
        box.eval(f"{poison} = function (resolve) {{ delete {poison}; resolve(5) }}; 0")
        with suppress(JSError):  # what an iterator of the guest gives may be a thenable, by the guest's own doing
            assert next(steps) == 2
        box.eval(f"{poison} = function (resolve) {{ delete {poison}; resolve(5) }}; 0")
        with suppress(JSError):
            assert next(later) == 2


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("({[Symbol.asyncIterator]() { return 5 }})", "must give an object"),
        ("({[Symbol.asyncIterator]() { return null }})", "must give an object"),
        ("({[Symbol.asyncIterator]() { return {} }})", "a method next"),
    ],
)
def test_an_iterable_that_gives_no_iterator(code: str, text: str) -> None:
    with Sandbox() as box, pytest.raises(JSError, match=text):
        next(box.eval(code))


@pytest.mark.anyio
async def test_an_opening_that_was_cancelled_is_made_again() -> None:
    async with AsyncSandbox() as box:
        iterable = await box.eval(
            "let n = 0; ({[Symbol.asyncIterator]() { while (!n++) for (;;); return [7, 8].values() }})"
        )
        with anyio.move_on_after(0.05):
            await anext(iterable)
        assert await anext(iterable) == 7


def test_a_step_that_was_asked_for_when_another_thread_took_the_last_one() -> None:
    class Owner:
        def ask(self, *_question: object) -> Any:
            iterator.release()
            iterator._is_done = True
            raise JSError("the value behind this handle was released")

        def release(self, handle: int, generation: object) -> None: ...

    owner: Any = Owner()
    iterator = JSIterator(owner, 1)
    with pytest.raises(StopIteration):
        next(iterator)
