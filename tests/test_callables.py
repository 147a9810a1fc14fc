"""Python callables of every kind as functions of the guest, their keyword arguments, and a guest that waits for one."""

from __future__ import annotations

import contextvars
import functools
import gc
import inspect
import os
import signal
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import pytest

from sandbox import AsyncSandbox, HostFunction, JSError, Limits, Sandbox
from sandbox._abi import Mode
from sandbox._callables import operation_of
from sandbox._signatures import is_asynchronous
from sandbox.errors import SandboxBusy, SandboxClosed, WallLimitExceeded


def plain(a: int, b: int = 1) -> int:
    return a + b


async def later(a: int, b: int = 1) -> int:
    await anyio.lowlevel.checkpoint()
    return a + b


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


class Plain:
    def __init__(self, start: int = 0) -> None:
        self.start = start

    def method(self, a: int) -> int:
        return self.start + a

    async def later(self, a: int) -> int:
        return self.start + a

    @classmethod
    def of_class(cls, a: int) -> int:
        return a

    @staticmethod
    async def static(a: int) -> int:
        return a

    partial = functools.partialmethod(method, 5)
    later_partial = functools.partialmethod(later, 5)

    def __call__(self, a: int) -> int:
        return self.start + a


class Later:
    async def __call__(self, a: int) -> int:
        return a


class Stream:
    """A class whose objects are asynchronous iterators; the class itself is not."""

    def __init__(self, *_: int) -> None:
        self.rows: list[int] = []

    def __len__(self) -> int:
        return 0

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> int:
        raise StopAsyncIteration


class MakesUpAttributes:
    """As a proxy of something remote: every attribute that is asked for exists."""

    def __getattr__(self, name: str) -> MakesUpAttributes:
        if name == "__anext__":  # that would be an iterator
            raise AttributeError
        return MakesUpAttributes()

    def __call__(self, *_: Any) -> int:
        return 7


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


SYNC: list[tuple[Callable[..., Any], str, int]] = [
    (plain, "plain", 1),
    (lambda a: a, "", 1),
    (Plain(1).method, "method", 1),
    (Plain.of_class, "of_class", 1),
    (Plain(1), "Plain", 1),
    (Plain(1).partial, "method", 0),
    (functools.partial(plain, 1), "plain", 0),
    (functools.partial(functools.partial(plain), 1), "plain", 0),
    (Plain, "Plain", 0),
    (Later, "Later", 0),
    (Stream, "Stream", 0),
    (abs, "abs", 1),
    (dict, "dict", 0),
    (len, "len", 1),
    ([].append, "append", 1),
    (str.upper, "upper", 1),
    (staticmethod(plain), "plain", 1),
    (wrapped(plain), "plain", 1),
    (functools.lru_cache(plain), "plain", 1),
    (generator, "generator", 0),
    (async_generator, "async_generator", 0),
    (MakesUpAttributes(), "MakesUpAttributes", 0),
    (HostFunction(plain), "plain", 1),
    (HostFunction(plain, name="sum"), "sum", 1),
    (HostFunction(later, wait=True), "later", 1),
    (functools.partial(HostFunction(later, wait=True), 1), "later", 0),
    (HostFunction(HostFunction(later, wait=True), name="outer"), "outer", 1),
]
ASYNC: list[tuple[Callable[..., Any], str, int]] = [
    (later, "later", 1),
    (Plain(1).later, "later", 1),
    (Plain.static, "static", 1),
    (Plain(1).later_partial, "later", 0),
    (Later(), "Later", 1),
    (Later().__call__, "__call__", 1),
    (functools.partial(later, 1), "later", 0),
    (functools.partial(functools.partial(Plain(1).later), 1), "later", 0),
    (staticmethod(later), "later", 1),
    (wrapped(later), "later", 1),
    (wrapped(wrapped(later)), "later", 1),
    (functools.partial(wrapped(later), 1), "later", 0),
    (wrapped(Later().__call__), "__call__", 1),
    (HostFunction(later), "later", 1),
    (HostFunction(functools.partial(later, 1), name="sum"), "sum", 0),
]


@pytest.mark.parametrize(("function", "name", "parameters"), SYNC + ASYNC)
def test_what_a_callable_is_to_the_guest(function: Callable[..., Any], name: str, parameters: int) -> None:
    operation = operation_of(function)
    expected = Mode.QUEUE if (function, name, parameters) in ASYNC else Mode.CALL
    assert (operation.mode, operation.function_name, operation.parameters) == (expected, name, parameters)
    with Sandbox(functions={"f": function}) as box:
        assert box.eval("[f.name, f.length, typeof f]") == [name, parameters, "function"]


@pytest.mark.parametrize("function", [function for function, _, parameters in ASYNC if parameters == 1])
def test_what_is_asynchronous_answers_with_a_promise(function: Callable[..., Any]) -> None:
    with Sandbox(functions={"f": function}) as box:
        assert box.eval("const p = f(3); [p instanceof Promise, typeof await p]") == [True, "number"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="marks came with 3.12")
def test_a_function_that_is_marked_as_a_coroutine_function() -> None:
    mark: Callable[[Any], Any] = getattr(inspect, "markcoroutinefunction")  # noqa: B009 - unknown to older versions
    assert is_asynchronous(mark(lambda: later(1)))
    assert is_asynchronous(functools.partial(mark(lambda a: later(a)), 1))


def test_a_plain_function_is_called_as_it_is() -> None:
    tool = Plain(1)
    for function in (plain, tool, abs, Plain, later):
        assert operation_of(function).handler is function
        assert operation_of(HostFunction(function)).handler is function


def test_the_same_callable_is_the_same_function() -> None:
    tool = Plain(1)
    with Sandbox(globals={"a": [tool.method, tool.method], "b": tool.method, "c": HostFunction(tool.method)}) as box:
        assert box._driver._operations.bound() == 2
        box.globals["d"] = HostFunction(tool.method)
        assert box._driver._operations.bound() == 2
        box.eval("a = b = c = d = undefined")
        box.eval("1")
        assert box._driver._operations.bound() == 0


def test_a_function_that_was_freed_is_not_taken_for_another() -> None:
    with Sandbox(functions={"take": lambda *_: None}) as box:
        for expected in range(50):
            box.globals["f"] = HostFunction(lambda n=expected: n)
            assert box.eval("f()") == expected


@pytest.mark.parametrize("options", [{"function": 1}, {"function": abs, "name": 1}, {"function": abs, "wait": 1}])
def test_options_of_the_wrong_type(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=f"{list(options)[-1]} must be"):
        HostFunction(**options)


def test_options_change_nothing_in_python() -> None:
    assert HostFunction(plain)(1, b=2) == 3
    assert HostFunction(plain) == HostFunction(plain)
    assert hash(HostFunction(plain)) == hash(HostFunction(plain))


def test_names_of_globals_that_the_decorator_makes() -> None:
    with Sandbox() as box:
        box.function(HostFunction(plain, name="sum"))
        box.function(HostFunction(plain))
        assert box.eval("sum(1) + plain(2)") == 5
        for nameless in (HostFunction(lambda: 1), MakesUpAttributes(), functools.partial(plain)):
            with pytest.raises(ValueError, match="name="):
                box.function(nameless)


# --- keyword arguments ------------------------------------------------------------------------------------------------


def search(query: str, *, limit: int = 10, _secret: int = 0) -> list[Any]:
    return [query, limit, _secret]


def anything(*args: Any, **options: Any) -> list[Any]:
    return [list(args), options]


def needs(a: Any, b: Any = 2, *, key: Any) -> list[Any]:
    return [a, b, key]


async def search_later(query: str, *, limit: int = 10) -> list[Any]:
    return [query, limit]


class Searcher:
    def __init__(self, **options: Any) -> None:
        self.options = options

    def search(self, query: str, *, limit: int = 10) -> list[Any]:
        return [query, limit]


def tenant_rows(table: str, tenant: str = "", limit: int = 5) -> list[Any]:
    return [table, tenant, limit]


@pytest.mark.parametrize(
    ("function", "call", "expected"),
    [
        (search, "f('x')", ["x", 10, 0]),
        (search, "f('x', {limit: 5})", ["x", 5, 0]),
        (search, "f({limit: 5})", [{"limit": 5}, 10, 0]),
        (search, "f({a: 1}, {limit: 5})", [{"a": 1}, 5, 0]),
        (search, "f('x', {})", ["x", 10, 0]),
        (search, "f({query: 'y'}, {})", [{"query": "y"}, 10, 0]),
        (anything, "f(1, {a: 2})", [[1], {"a": 2}]),
        (anything, "f({a: 2})", [[], {"a": 2}]),
        (anything, "f({a: 2}, 1)", [[{"a": 2}, 1], {}]),
        (anything, "f(new Map([['a', 1]]).size, [])", [[1, []], {}]),
        (anything, "f({'not an identifier': 1, '': 2})", [[], {"not an identifier": 1, "": 2}]),
        (needs, "f(1, {key: 3})", [1, 2, 3]),
        (needs, "f(1, 5, {key: 3})", [1, 5, 3]),
        (needs, "f(1, {key: 3, b: 4})", [1, 4, 3]),
        (search_later, "await f('x', {limit: 5})", ["x", 5]),
        (Searcher().search, "f('x', {limit: 5})", ["x", 5]),
        (functools.partial(search, "y"), "f({limit: 5})", ["y", 5, 0]),
        (wrapped(search), "f('x', {limit: 5})", ["x", 5, 0]),
        (HostFunction(search), "f('x', {limit: 5})", ["x", 5, 0]),
        (HostFunction(search_later, wait=True), "f('x', {limit: 5})", ["x", 5]),
        (functools.partial(tenant_rows, tenant="a"), "f('t', {limit: 1})", ["t", "a", 1]),
        (sorted, "f([1, 3, 2], {reverse: true})", [3, 2, 1]),
        (lambda row=None, /: row, "f({a: 1})", {"a": 1}),
        (lambda *rows: list(rows), "f({a: 1})", [{"a": 1}]),
    ],
)
def test_keyword_arguments(function: Callable[..., Any], call: str, expected: Any) -> None:
    with Sandbox(functions={"f": function}) as box:
        assert box.eval(call) == expected


def test_a_map_is_no_object_with_options() -> None:
    with Sandbox(functions={"f": lambda *args, **options: [len(args), len(options)]}) as box:
        assert box.eval("f(new Map([['a', 1]]))") == [1, 0]


@pytest.mark.parametrize(
    ("function", "call", "message"),
    [
        (search, "f('x', {other: 5})", "unexpected keyword argument 'other'"),
        (search, "f('x', {query: 'y'})", "multiple values for argument 'query'"),
        (search, "f('x', {'\\ud800': 1})", "unexpected keyword argument"),
        (search, "f('x', {_secret: 1})", "search() got an unexpected keyword argument '_secret'"),
        (search, "f('x', {__class__: 1})", "unexpected keyword argument '__class__'"),
        (search, "f('x', 1)", "positional argument"),
        (search, "f()", "missing 1 required positional argument: 'query'"),
        (needs, "f(1)", "missing 1 required keyword-only argument: 'key'"),
        (Searcher().search, "f('x', {self: 1})", "multiple values for argument 'self'"),
        (functools.partial(tenant_rows, tenant="a"), "f('t', {tenant: 'b'})", "unexpected keyword argument 'tenant'"),
        (functools.partial(anything, tenant="a"), "f({tenant: 'b'})", "unexpected keyword argument 'tenant'"),
        (wrapped(functools.partial(anything, key="a")), "f({key: 'b'})", "unexpected keyword argument 'key'"),
        (HostFunction(functools.partial(anything, key="a")), "f({key: 'b'})", "unexpected keyword argument 'key'"),
        (search_later, "await f('x', {other: 5})", "unexpected keyword argument 'other'"),
        (plain, "f()", "missing 1 required positional argument: 'a'"),
        (plain, "f(1, 2, 3)", "takes from 1 to 2 positional arguments but 3 were given"),
        (plain, "f(1, {b: 2})", "unsupported operand"),
    ],
)
def test_wrong_arguments_are_a_type_error_of_the_guest(function: Callable[..., Any], call: str, message: str) -> None:
    with Sandbox(functions={"f": function}) as box:
        name, text = box.eval(f"try {{ {call} }} catch (e) {{ [e.constructor.name, e.message] }}")
        assert name == "TypeError"
        assert message in text
        assert box.eval("1") == 1


def test_the_kind_is_found_out_once() -> None:
    looked: list[int] = []

    class Counted:
        @property
        def __signature__(self) -> inspect.Signature:
            looked.append(1)
            return inspect.signature(search)

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return search(*args, **kwargs)

    with Sandbox(functions={"f": Counted()}) as box:
        for _ in range(3):
            assert box.eval("f('x', {limit: 5})") == ["x", 5, 0]
    assert len(looked) == 1


# --- functions the guest waits for ------------------------------------------------------------------------------------


class Probe:
    """An `async def` that hangs, and what became of it."""

    def __init__(self) -> None:
        self.started, self.cancelled = threading.Event(), threading.Event()

    async def hang(self) -> None:
        self.started.set()
        try:
            await anyio.sleep_forever()
        finally:
            self.cancelled.set()


class TestWaiting:
    @pytest.mark.parametrize(
        ("function", "call", "value"),
        [
            (HostFunction(later, wait=True), "f(3)", 4),
            (HostFunction(later, wait=True), "f(1) + f(2)", 5),
            (HostFunction(Later(), wait=True), "[3, 4].map(n => f(n)).join()", "3,4"),
            (HostFunction(plain, wait=True), "f(1)", 2),
            (HostFunction(lambda: later(1), wait=True), "f()", 2),
            (lambda: HostFunction(later, wait=True), "f()(1)", 2),
            (lambda: {"deep": [HostFunction(later, wait=True)]}, "f().deep[0](1)", 2),
            (HostFunction(later, wait=True), "await Promise.all([f(1), f(2)])", [2, 3]),
        ],
    )
    def test_the_guest_gets_the_value(self, function: Callable[..., Any], call: str, value: Any) -> None:
        with Sandbox(globals={"f": function}) as box:
            assert box.eval(call) == value

    def test_by_the_decorator(self) -> None:
        with Sandbox() as box:

            @box.function(wait=True)
            async def double(n: int) -> int:
                return n * 2

            box.function(later, name="add", wait=True)
            assert box.eval("double(2) + add(1)") == 6

    def test_its_exceptions_are_those_of_any_host_function(self) -> None:
        original = ValueError("mine")

        async def fail() -> None:
            raise original

        with Sandbox(functions={"f": HostFunction(fail, wait=True)}) as box:
            assert box.eval("try { f() } catch (e) { [e.name, e.message] }") == ["RangeError", "mine"]
            with pytest.raises(JSError, match="mine") as caught:
                box.eval("f()")
            assert caught.value.__cause__ is original

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
    def test_what_is_no_exception_reaches_python(self, kind: type[BaseException]) -> None:
        async def fail() -> None:
            raise kind

        with Sandbox(functions={"f": HostFunction(fail, wait=True)}) as box:
            with pytest.raises(kind):
                box.eval("try { f() } catch { } finally { globalThis.ran = 1 }")
            assert "ran" not in box.globals

    def test_a_value_that_cannot_cross(self) -> None:
        async def give() -> object:
            return object()

        with Sandbox(functions={"f": HostFunction(give, wait=True)}) as box:
            assert box.eval("try { f() } catch (e) { e.name }") == "TypeError"

    def test_the_wall_limit_ends_the_wait(self) -> None:
        probe = Probe()
        with Sandbox(functions={"f": HostFunction(probe.hang, wait=True)}) as box:
            with pytest.raises(WallLimitExceeded):
                box.eval("for (;;) try { f() } catch { }", timeout=0.05)
            assert probe.cancelled.wait(10)
            assert box.eval("1") == 1

    def test_cpu_time_stands_while_it_waits(self) -> None:
        async def rest() -> None:
            await anyio.sleep(0.06)

        with Sandbox(functions={"f": HostFunction(rest, wait=True)}, limits=Limits(cpu_seconds=0.05)) as box:
            assert box.eval("f(); 1") == 1
            assert box.usage.cpu_seconds < 0.05
            assert box.usage.wall_seconds > 0.05

    def test_ctrl_c_ends_the_wait(self) -> None:
        probe = Probe()

        async def hang() -> None:
            os.kill(os.getpid(), signal.SIGINT)
            await probe.hang()

        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with Sandbox(functions={"f": HostFunction(hang, wait=True)}) as box:
                with pytest.raises(KeyboardInterrupt):
                    box.eval("try { f() } catch { }; 1")
                assert box.eval("1") == 1
        finally:
            signal.signal(signal.SIGINT, before)

    def test_an_interrupt_from_elsewhere_ends_the_wait(self) -> None:
        probe = Probe()
        with Sandbox(functions={"f": HostFunction(probe.hang, wait=True)}) as box:

            def stop() -> None:
                probe.started.wait(10)
                box._driver.interrupt(SystemExit())

            thread = threading.Thread(target=stop)
            thread.start()
            with pytest.raises(SystemExit):
                box.eval("f()")
            thread.join()
            assert probe.cancelled.wait(10)
            assert box.eval("1") == 1

    def test_on_a_thread_with_little_stack(self) -> None:
        results: list[Any] = []
        begin = threading.Event()

        def work() -> None:
            begin.wait(10)
            results.append(box.eval("f(3)"))

        with Sandbox(functions={"f": HostFunction(later, wait=True)}) as box:
            before = threading.stack_size(512 << 10)
            thread = threading.Thread(target=work)
            try:
                thread.start()
            finally:
                threading.stack_size(before)  # before any other thread is made
                begin.set()
            thread.join()
        assert results == [4]

    @pytest.mark.parametrize("way", ["at once", "on a worker thread", "through a function", "through globals"])
    def test_it_cannot_use_the_sandbox_that_waits_for_it(self, way: str) -> None:
        async def use(callback: Callable[[], Any]) -> Any:
            if way == "at once":
                return box.eval("1")
            if way == "through a function":
                return callback()
            if way == "through globals":
                return box.globals["f"]
            return await anyio.to_thread.run_sync(box.eval, "1")

        with Sandbox(functions={"use": HostFunction(use, wait=True)}, limits=Limits(wall_seconds=None)) as box:
            with pytest.raises(JSError) as caught:
                box.eval("use(() => 1)")
            assert isinstance(caught.value.__cause__, SandboxBusy)
            assert box.eval("1") == 1

    def test_nor_close_it(self) -> None:
        async def close() -> None:
            box.close()

        with Sandbox(functions={"f": HostFunction(close, wait=True)}) as box:
            with pytest.raises(JSError) as caught:
                box.eval("f()")
            assert isinstance(caught.value.__cause__, SandboxBusy)

    def test_another_function_of_the_loop_does_not_wait_for_it(self) -> None:
        meeting = threading.Event()
        refused = threading.Event()

        async def other() -> None:
            await anyio.to_thread.run_sync(meeting.wait, 10)
            try:
                box.eval("1")
            except SandboxBusy:
                refused.set()

        async def hang() -> bool:
            meeting.set()
            return await anyio.to_thread.run_sync(refused.wait, 10)

        options: Any = {"other": other, "f": HostFunction(hang, wait=True)}
        with Sandbox(functions=options, limits=Limits(wall_seconds=None)) as box:
            box.eval("other(); 1")
            assert box.eval("f()") is True

    def test_what_it_leaves_behind_may_use_the_sandbox_later(self) -> None:
        released = threading.Event()
        threads: list[threading.Thread] = []
        answers: list[Any] = []

        def work() -> None:
            released.wait(10)
            answers.append(box.eval("1 + 1"))

        async def begin() -> None:
            thread = threading.Thread(target=contextvars.copy_context().run, args=(work,))
            thread.start()
            threads.append(thread)

        with Sandbox(functions={"f": HostFunction(begin, wait=True)}) as box:
            box.eval("f()")
            released.set()
            threads[0].join()
        assert answers == [2]

    def test_a_guest_on_the_loop_cannot_wait_for_the_loop(self) -> None:
        async def use() -> Any:
            with Sandbox(functions={"f": HostFunction(later, wait=True)}) as inner:
                return inner.eval("f(1)")

        with Sandbox(functions={"use": use}) as box:
            with pytest.raises(JSError) as caught:
                box.eval("await use()")
            assert isinstance(caught.value.__cause__, SandboxBusy)

    def test_a_callback_may_wait(self) -> None:
        with Sandbox(functions={"call": lambda f: f(), "f": HostFunction(later, wait=True)}) as box:
            assert box.eval("call(() => f(1)) + call(() => f(2))") == 5

    def test_nothing_is_kept(self) -> None:
        async def give(n: int) -> int:
            return n

        with Sandbox() as box:
            function = HostFunction(give, wait=True)
            box.globals["f"] = function
            gone = weakref.ref(give)
            del give, function
            assert box.eval("f(1)") == 1
            del box.globals["f"]
            box.eval("1")
            gc.collect()
            assert gone() is None


@pytest.mark.anyio
class TestWaitingOnTheAsyncFace:
    async def test_it_runs_on_the_sandboxs_own_loop(self) -> None:
        event, started = anyio.Event(), threading.Event()
        threads: list[int] = []

        async def meet(n: int) -> int:
            threads.append(threading.get_ident())
            started.set()
            await event.wait()
            return n + 1

        async def arrive() -> None:
            await anyio.to_thread.run_sync(started.wait, 10)
            event.set()

        async with (
            AsyncSandbox(functions={"f": HostFunction(meet, wait=True)}) as box,
            anyio.create_task_group() as group,
        ):
            group.start_soon(arrive)
            assert await box.eval("f(1)") == 2
        assert threads == [threading.get_ident()]

    async def test_its_exceptions(self) -> None:
        async def fail() -> None:
            raise ValueError("mine")

        async with AsyncSandbox(functions={"f": HostFunction(fail, wait=True)}) as box:
            assert await box.eval("try { f() } catch (e) { e.message }") == "mine"

    async def test_the_wall_limit(self) -> None:
        probe = Probe()
        async with AsyncSandbox(functions={"f": HostFunction(probe.hang, wait=True)}) as box:
            with pytest.raises(WallLimitExceeded):
                await box.eval("f()", timeout=0.05)
            await anyio.to_thread.run_sync(probe.cancelled.wait, 10)
            assert probe.cancelled.is_set()
            assert await box.eval("1") == 1

    async def test_cancelling_the_task_ends_the_wait(self) -> None:
        probe = Probe()
        async with AsyncSandbox(functions={"f": HostFunction(probe.hang, wait=True)}) as box:
            async with anyio.create_task_group() as group:
                group.start_soon(box.eval, "for (;;) try { f() } catch { }")
                await anyio.to_thread.run_sync(probe.started.wait, 10)
                group.cancel_scope.cancel()
            await anyio.to_thread.run_sync(probe.cancelled.wait, 10)
            assert probe.cancelled.is_set()
            assert await box.eval("1") == 1

    async def test_closing_the_sandbox_ends_the_wait(self) -> None:
        probe = Probe()
        errors: list[BaseException] = []

        async def run(box: AsyncSandbox) -> None:
            try:
                await box.eval("f()")
            except SandboxClosed as error:
                errors.append(error)

        box = AsyncSandbox(functions={"f": HostFunction(probe.hang, wait=True)})
        async with anyio.create_task_group() as group, box:
            group.start_soon(run, box)
            await anyio.to_thread.run_sync(probe.started.wait, 10)
        assert probe.cancelled.is_set()
        assert len(errors) == 1

    async def test_cancelling_everything_around_it(self) -> None:
        probe = Probe()
        box = AsyncSandbox(functions={"f": HostFunction(probe.hang, wait=True)})
        with anyio.CancelScope() as scope:
            async with box, anyio.create_task_group() as group:
                group.start_soon(box.eval, "f()")
                await anyio.to_thread.run_sync(probe.started.wait, 10)
                scope.cancel()
        assert probe.cancelled.is_set()

    async def test_it_cannot_use_the_sandbox_that_waits_for_it(self) -> None:
        async def use(callback: Callable[[], Any]) -> Any:
            return await callback()

        async with AsyncSandbox(functions={"use": HostFunction(use, wait=True)}) as box:
            with pytest.raises(JSError) as caught:
                await box.eval("use(() => 1)")
            assert isinstance(caught.value.__cause__, SandboxBusy)
            assert await box.eval("1") == 1

    async def test_other_tasks_wait_their_turn(self) -> None:
        answers: list[Any] = []

        async def other(box: AsyncSandbox) -> None:
            answers.append(await box.eval("2"))

        async with (
            AsyncSandbox(functions={"f": HostFunction(later, wait=True)}) as box,
            anyio.create_task_group() as group,
        ):
            group.start_soon(other, box)
            answers.append(await box.eval("f(1)"))
        assert sorted(answers) == [2, 2]
