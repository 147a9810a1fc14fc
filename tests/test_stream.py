"""Streams: programs that yield at their top, a value at a time, on each face."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, JSError, Limits, Sandbox, Stop, undefined
from sandbox.errors import CpuLimitExceeded, UsageError
from sandbox.typescript import TypeScript
from tests.faces import FACES

PROGRAMS: dict[str, tuple[str, list[Any], Any]] = {
    "values": ("yield 1; yield 'two'; yield [3]", [1, "two", [3]], undefined),
    "none": ("5", [], 5),
    "a loop": ("for (let i = 0; i < 3; i++) yield i * i; return 'done'", [0, 1, 4], "done"),
    "promises": ("yield Promise.resolve(1); yield await Promise.resolve(2)", [1, 2], undefined),
    "all of another": ("yield* [1, 2]; yield* (async function* () { yield 3 })()", [1, 2, 3], undefined),
    "asynchronous": ("for await (const x of rows()) yield x", [0, 1], undefined),
    "with a completion value": ("yield 1; 7", [1], 7),
    "nothing": ("yield", [undefined], undefined),
    "declarations are those of the sandbox": ("const k = 1; function f() { return k + 1 } yield f()", [2], undefined),
}


async def rows() -> Any:
    for number in range(2):
        yield number


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(("code", "values", "value"), PROGRAMS.values(), ids=PROGRAMS)
def test_programs(face: str, code: str, values: list[Any], value: Any) -> None:
    if face == "blocking":
        with Sandbox(functions={"rows": rows}) as box:
            stream = box.stream(code)
            with pytest.raises(UsageError):
                stream.value  # noqa: B018 - asking is the point
            assert list(stream) == values
            assert (stream.value, stream.is_over) == (value, True)
            assert list(stream) == []
        return

    async def main() -> None:
        async with AsyncSandbox(functions={"rows": rows}) as box:
            stream = box.stream(code)
            assert [each async for each in stream] == values
            assert (stream.value, stream.is_over) == (value, True)

    anyio.run(main, backend=face)


def test_nothing_runs_ahead() -> None:
    asked: list[int] = []
    with Sandbox(functions={"ask": asked.append}) as box:
        stream = box.stream("for (let i = 0; ; i++) { ask(i); yield i }")
        assert asked == []
        assert [next(stream), next(stream)] == [0, 1]
        assert asked == [0, 1]
        stream.close()
        assert list(stream) == []
        assert asked == [0, 1]


def test_what_is_sent_is_what_yield_gives() -> None:
    with Sandbox() as box, box.stream("let got = []; while (got.length < 2) got.push(yield got.length); got") as stream:
        assert next(stream) == 0
        assert stream.send("a") == 1
        with pytest.raises(StopIteration):
            stream.send("b")
        assert stream.value == ["a", "b"]


@pytest.mark.parametrize("face", FACES)
def test_closing_runs_finally_blocks(face: str) -> None:
    code = "globalThis.closed = 0; try { yield 1; yield 2 } finally { closed = 1 }"
    if face == "blocking":
        with Sandbox() as box:
            with box.stream(code) as stream:
                assert next(stream) == 1
            assert box.eval("closed") == 1
        return

    async def main() -> None:
        async with AsyncSandbox() as box:
            async with box.stream(code) as stream:
                assert await anext(stream) == 1
            assert await box.eval("closed") == 1

    anyio.run(main, backend=face)


ELEMENT = "(type, props, ...children) => ({type, props: {...props}, children})"


def test_elements_are_handed_over_one_by_one() -> None:
    code = """
        yield <message prop1={{hey: 'there'}}><message:button my-bool/>Hey</message>;
        for (let n: number = 0; n < 3; n++) yield <Card n={n} title={await title(n)}/>;
        yield <Card title={refuse()}/>;
        yield 'never';
    """

    async def title(n: int) -> str:
        return f"card {n}"

    def refuse() -> None:
        raise ValueError("no card")

    functions: dict[str, Any] = {"title": title, "refuse": refuse}
    with Sandbox(functions=functions, typescript=TypeScript(jsx_factory="h")) as box:
        box.eval(f"const h = {ELEMENT}; const Card = 'Card'")
        stream = box.stream(code, language="tsx")
        assert next(stream) == {
            "type": "message",
            "props": {"prop1": {"hey": "there"}},
            "children": [{"type": "message:button", "props": {"my-bool": True}, "children": []}, "Hey"],
        }
        assert [next(stream)["props"] for _ in range(3)] == [{"n": n, "title": f"card {n}"} for n in range(3)]
        with pytest.raises(JSError, match="RangeError: no card"):
            next(stream)
        assert list(stream) == []


FAILURES: dict[str, tuple[str, list[Any], str]] = {
    "thrown": ("yield 1; null.x", [1], "TypeError: cannot read property 'x' of null"),
    "not parsed": ("yield 1; const a = 1, a = 2", [], "SyntaxError"),
    "a rejection": ("yield 1; yield Promise.reject(new RangeError('r'))", [1], "RangeError: r"),
    "yield in a function": ("function f() { yield 1 }", [], "SyntaxError"),
}


@pytest.mark.parametrize(("code", "values", "text"), FAILURES.values(), ids=FAILURES)
def test_failures_end_it(code: str, values: list[Any], text: str) -> None:
    found: list[Any] = []
    with Sandbox() as box:
        stream = box.stream(code)
        with pytest.raises(JSError, match=text):
            for each in stream:
                found.append(each)  # noqa: PERF402 - those before the failure count
        assert found == values
        assert stream.is_over
        assert box.eval("1") == 1


def test_each_step_has_limits() -> None:
    with Sandbox(limits=Limits(cpu_seconds=0.2)) as box:
        stream = box.stream("yield 1; while (true) {}")
        assert next(stream) == 1
        with pytest.raises(CpuLimitExceeded):
            next(stream)
        assert box.eval("1") == 1


def test_a_stop_ends_it() -> None:
    def stop() -> None:
        raise Stop("enough")

    with Sandbox(functions={"stop": stop}) as box:
        stream = box.stream("yield 1; try { stop() } catch { yield 2 }")
        assert next(stream) == 1
        with pytest.raises(Stop):
            next(stream)
        assert list(stream) == []


def test_yield_is_for_streams_alone() -> None:
    with Sandbox() as box:
        assert not box.execute("yield 1").ok
        assert box.eval("var yield_ = 1; yield_") == 1
