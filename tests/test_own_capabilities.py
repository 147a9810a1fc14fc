"""Capabilities of users: what the guest gets, what they are asked, how long they live; and the one of the documents."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import anyio
import anyio.lowlevel
import pytest

from sandbox import AsyncSandbox, Call, CallLimits, Capability, JSError, Limits, Sandbox, Service, undefined
from sandbox.errors import CallLimitExceeded, LimitExceeded, UsageError
from tests.child import in_child
from tests.faces import evaluate
from tests.test_docs import ROOT, blocks


class Shelf(Capability):
    """One with an operation of every kind."""

    stem = "shelf"

    def __init__(self) -> None:
        self.closed = 0
        self.texts: list[str] = []
        self.asked: list[str] = []

    def handlers(self) -> Mapping[str, Callable[..., Any]]:
        self.asked.append("handlers")
        return {"add": self._add, "later": self._later, "all": self._all, "stream": self._stream, "fail": self._fail}

    def _add(self, text: str, *, twice: bool = False) -> int:
        self.texts += [text] * (2 if twice else 1)
        return len(self.texts)

    async def _later(self, text: str) -> str:
        await anyio.lowlevel.checkpoint()
        return text

    def _all(self) -> Iterator[str]:
        yield from self.texts

    async def _stream(self) -> AsyncIterator[str]:
        for text in self.texts:
            yield text

    def _fail(self) -> None:
        raise PermissionError("not for you")

    def checkpoint(self) -> Callable[[], object]:
        texts = self.texts.copy()

        def restore() -> None:
            self.texts[:] = texts

        return restore

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("Object.keys(shelf)", ["add", "later", "all", "stream", "fail"]),
        ("[shelf.add('a'), shelf.add('b', {twice: true}), [...shelf.all()]]", [1, 3, ["a", "b", "b"]]),
        ("await shelf.later('x')", "x"),
        ("shelf.add('a'); const got = []; for await (const t of shelf.stream()) got.push(t); got", ["a"]),
        ("try { shelf.fail() } catch (e) { `${e.name}: ${e.message}` }", "NotAllowedError: not for you"),
        ("[shelf.add.name, shelf.add.length]", ["add", 1]),
    ],
)
def test_operations_are_functions_of_a_global(face: str, code: str, value: Any) -> None:
    shelf = Shelf()
    assert evaluate(face, code, capabilities=[shelf]) == value
    assert (shelf.asked, shelf.closed) == (["handlers"], 1)


def test_nobody_has_it_who_was_not_given_it() -> None:
    with Sandbox(capabilities=[Shelf()]), Sandbox() as other:
        assert other.eval("typeof shelf") == "undefined"


def test_what_hooks_and_limits_call_them(face: str) -> None:
    seen: list[str] = []
    evaluate(
        face,
        "shelf.add('a'); [...shelf.all()]; await shelf.later('a')",
        capabilities=[Shelf()],
        on_call=lambda call: seen.append(call.name),
    )
    assert seen == ["shelf.add", "shelf.all", "shelf.all.next", "shelf.all.next", "shelf.later"]
    with pytest.raises(CallLimitExceeded) as caught:
        evaluate(face, "for (;;) shelf.add('a')", capabilities=[Shelf()], call_limits={"shelf.*": CallLimits(calls=2)})
    assert caught.value.op == "shelf.add"


class Shown(Shelf):
    titles: ClassVar[Mapping[str, str]] = {"add": "put on the shelf"}
    quiet = frozenset({"later"})

    def show(self, operation: str, arguments: list[Any]) -> list[Any]:
        return [operation, "hidden"]

    def show_answer(self, operation: str, answer: Any) -> Any:
        return LookupError("as it says") if answer == 2 else f"answered {answer}"


def test_what_hooks_see_of_them() -> None:
    before: list[tuple[str, list[Any]]] = []
    after: list[tuple[Any, Any, str]] = []

    def on_result(call: Call) -> None:
        after.append((call.outcome, call.value, str(call.error)))

    with Sandbox(
        capabilities=[Shown()], on_call=lambda call: before.append((call.name, call.arguments)), on_result=on_result
    ) as box:
        assert box.eval("[shelf.add('a'), shelf.add('b'), await shelf.later('x')]") == [1, 2, "x"]
    assert before == [("put on the shelf", ["add", "hidden"])] * 2
    assert after == [("value", "answered 1", "None"), ("error", undefined, "as it says")]


# --- the guest's side -------------------------------------------------------------------------------------------------


class Faced(Shelf):
    source = """
    (host) => {
      const { freeze } = Object;
      return freeze({ put: (text) => host.add(`<${text}>`), where: () => new Error("here").stack });
    } // and no more"""


def test_the_source_makes_the_global(face: str) -> None:
    assert evaluate(face, "[shelf.put('a'), typeof shelf.add, Object.isFrozen(shelf)]", capabilities=[Faced()]) == [
        1,
        "undefined",
        True,
    ]


def test_lines_of_the_source_are_its_own() -> None:
    with Sandbox(capabilities=[Faced()]) as box:
        assert "<shelf>:4:" in box.eval("shelf.where()")


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("(host) => {", JSError, "SyntaxError"),
        ("(host) => { throw new RangeError('no') }", JSError, "RangeError: no"),
        ("5", JSError, "TypeError"),
        ("(host) => { for (;;); }", LimitExceeded, "CPU time"),
    ],
)
def test_a_source_that_fails(face: str, text: str, kind: type[Exception], message: str) -> None:
    shelf = type("Failing", (Shelf,), {"source": text})()
    with pytest.raises(kind, match=message):
        evaluate(face, "1", capabilities=[shelf], limits=Limits(cpu_seconds=0.1))
    assert shelf.closed == 1


def test_the_source_runs_before_programs_and_after_globals() -> None:
    shelf = type("Reading", (Shelf,), {"source": "() => ({ given })"})()
    with Sandbox(globals={"given": 5}, capabilities=[shelf]) as box:
        assert box.eval("shelf.given") == 5


# --- its life ---------------------------------------------------------------------------------------------------------


def test_a_rollback_sets_it_back() -> None:
    shelf = Shelf()
    with Sandbox(capabilities=[shelf], on_limit="rollback", limits=Limits(cpu_seconds=0.05)) as box:
        box.eval("shelf.add('a')")
        with pytest.raises(LimitExceeded):
            box.eval("shelf.add('b'); for (;;);")
        assert (box.eval("shelf.add('c')"), shelf.texts) == (2, ["a", "c"])


class Connection(Service):
    """What an operation needs."""

    def __init__(self, log: list[str]) -> None:
        self._log = log
        self._over = anyio.Event()

    async def serve(self) -> None:
        self._log.append("serve")
        await self._over.wait()
        self._log.append("over")

    def stop(self) -> None:
        self._log.append("stop")
        self._over.set()


class Connected(Capability):
    stem = "line"

    def __init__(self) -> None:
        self.log: list[str] = []

    def handlers(self) -> Mapping[str, Callable[..., Any]]:
        return {"ask": self._ask, "idle": self._ask}

    async def _ask(self) -> str:
        await anyio.lowlevel.checkpoint()
        return f"{self.log}"

    def services(self) -> Mapping[str, Service]:
        return {"ask": Connection(self.log)}


@pytest.mark.anyio
async def test_a_service_lives_from_the_first_call_to_the_end() -> None:
    line = Connected()
    async with AsyncSandbox(capabilities=[line]) as box:
        await box.eval("await line.idle()")
        assert line.log == []
        assert await box.eval("await line.ask(); await line.ask()") == "['serve']"
    assert line.log[:2] == ["serve", "stop"]


@pytest.mark.anyio
async def test_a_service_ends_when_the_guest_holds_its_operation_no_more() -> None:
    line = Connected()
    async with AsyncSandbox(capabilities=[line]) as box:
        await box.eval("await line.ask(); delete globalThis.line; 0")
        for _ in range(100):
            await box.eval("let junk = []; for (let i = 0; i < 20000; i++) junk.push({i}); junk = null; 0")
            if "over" in line.log:
                break
            await anyio.sleep(0.001)
        assert line.log == ["serve", "stop", "over"]


def test_it_goes_with_its_sandbox() -> None:
    shelf = Shelf()
    reference = weakref.ref(shelf)
    box = Sandbox(capabilities=[shelf])
    box.close()
    del box, shelf
    gc.collect()
    assert reference() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_has_services_of_its_own() -> None:
    in_child(
        """
        import logging, os
        from sandbox import Sandbox
        logging.disable()  # of what takes long
        from tests.test_own_capabilities import Connected
        line = Connected()
        box = Sandbox(capabilities=[line])
        assert box.eval("await line.ask()") == "['serve']"
        pid = os.fork()
        if not pid:
            assert box.eval("await line.ask()") == "['serve', 'serve']", line.log
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        box.close()
        """
    )


def test_all_are_closed_although_one_fails() -> None:
    class Broken(Shelf):
        stem = "broken"

        def close(self) -> None:
            super().close()
            raise OSError("no")

    broken, shelf = Broken(), Shelf()
    box = Sandbox(capabilities=[broken, shelf])
    with pytest.raises(OSError, match="no"):
        box.close()
    assert (broken.closed, shelf.closed) == (1, 1)


# --- options ----------------------------------------------------------------------------------------------------------


def test_one_serves_one_sandbox() -> None:
    shelf = Shelf()
    with Sandbox(capabilities=[shelf]), pytest.raises(UsageError, match="serves another sandbox"):
        Sandbox(capabilities=[shelf])


def test_what_makes_one_makes_one_for_each() -> None:
    options: dict[str, Any] = {"capabilities": [Shelf]}
    with Sandbox(**options) as one, Sandbox(**options) as other:
        assert (one.eval("shelf.add('a'); shelf.add('a')"), other.eval("shelf.add('a')")) == (2, 1)


def test_a_dataclass_can_be_one() -> None:
    @dataclass
    class Value(Capability):
        value: int
        stem = "value"

        def handlers(self) -> Mapping[str, Callable[..., Any]]:
            return {"get": lambda: self.value}

    with Sandbox(capabilities=[Value(7)]) as box:
        assert box.eval("value.get()") == 7


@pytest.mark.parametrize(
    ("given", "kind", "text"),
    [
        (5, TypeError, "must be a collection"),
        ([5], TypeError, "must be Capability objects"),
        ([lambda: 5], TypeError, "must be Capability objects"),
        ([Shelf(), Shelf()], ValueError, "another capability of the name 'shelf'"),
        ([type("Fetch", (Shelf,), {"stem": "fetch"})()], ValueError, "another capability of the name 'fetch'"),
        ([type("Odd", (Shelf,), {"stem": "a b"})()], ValueError, "must be an identifier"),
        ([type("Odd", (Shelf,), {"stem": 5})()], ValueError, "must be an identifier"),
    ],
)
def test_wrong_options(given: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        Sandbox(capabilities=given)


# --- the one of the documents -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """What the page defines; its own checks run as well."""
    names: dict[str, Any] = {"__name__": "__page__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for block in blocks(ROOT / "docs" / "capabilities.md"):
            if block.language == "python":
                exec(compile(block.text, "capabilities.md", "exec"), names)
    return names


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, page: dict[str, Any], tmp_path: Path) -> Iterator[Any]:
    """Each of its adapters."""
    if request.param == "memory":
        yield page["MemoryStore"]()
    else:
        store = page["SQLiteStore"](str(tmp_path / "kv.sqlite"))
        yield store
        store.close()


def test_its_adapters_conform(page: dict[str, Any], store: Any) -> None:
    page["conforms"](store)


# Program -> its value. Each begins with {"a": 1}, under a prefix, with 100 bytes, in a store that has more.
PROGRAMS: list[tuple[str, Any]] = [
    ("kv.get('a')", 1),
    ("kv.get('none')", undefined),
    ("kv.get('secret')", undefined),
    ("kv.keys()", ["a"]),
    ("await kv.set('b', {c: [null]}); [kv.get('b'), kv.keys()]", [{"c": [None]}, ["a", "b"]]),
    ("await kv.delete('a'); [kv.get('a'), kv.keys()]", [undefined, []]),
    ("await kv.set('a', 2); await kv.set('a', 3); kv.get('a')", 3),
    ("kv.set('b', undefined).catch(e => e.name)", "TypeError"),
    ("kv.set('b', 'x'.repeat(100)).catch(e => [e.name, e.constructor.name])", ["QuotaExceededError", "DOMException"]),
    ("(await Promise.allSettled([...'bcde'].map(k => kv.set(k, 'x'.repeat(30))))).filter(r => !r.reason).length",
     2),
    ("try { kv.get('') } catch (e) { e.name }", "TypeError"),
    ("try { kv.get('x'.repeat(1000)) } catch (e) { e.name }", "TypeError"),
    ("""const heard = new Promise(done => kv.addEventListener('change', e => done([e.key, e instanceof Event])));
        await kv.set('b', 1); await heard""", ["b", True]),
    ("JSON.parse = () => 'mine'; [kv.get('a'), kv.keys()]", ["mine", ["a"]]),
    ("typeof host", "undefined"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "value"), PROGRAMS, ids=[code[:40] for code, _ in PROGRAMS])
def test_programs_that_use_it(page: dict[str, Any], store: Any, face: str, code: str, value: Any) -> None:
    store.put("secret", "1")
    store.put("mine/a", "1")
    capability = page["KeyValue"](store, prefix="mine/", quota_bytes=100)
    assert evaluate(face, code, capabilities=[capability]) == value
    assert store.get("secret") == "1"


def test_one_that_can_only_be_read(page: dict[str, Any], store: Any, face: str) -> None:
    store.put("a", "1")
    code = "[kv.get('a'), await kv.set('a', 2).catch(e => e.name), kv.get('a')]"
    value = evaluate(face, code, capabilities=[page["KeyValue"](store, writable=False)])
    assert value == [1, "NotAllowedError", 1]


def test_its_writes_are_undone_with_their_run(page: dict[str, Any], store: Any) -> None:
    with Sandbox(capabilities=[page["KeyValue"](store)], on_limit="rollback", limits=Limits(cpu_seconds=0.1)) as box:
        box.eval("await kv.set('a', 1); await kv.set('b', 1)")
        with pytest.raises(LimitExceeded):
            box.eval("await kv.set('a', 2); await kv.delete('b'); await kv.set('c', 3); for (;;);")
        assert box.eval("[kv.get('a'), kv.get('b'), kv.keys()]") == [1, 1, ["a", "b"]]
