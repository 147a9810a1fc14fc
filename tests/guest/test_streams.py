"""Streams: what web-platform-tests do not show. Whatever comes in comes out, limits hold, and values cross."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import AsyncSandbox, Limits, Sandbox
from sandbox.errors import CpuLimitExceeded, JSError, MemoryLimitExceeded
from tests import strategies  # noqa: F401 its profile: the same examples every time

# `run(plan)`: data goes through streams as the plan says; what comes out, as bytes or as text.
RUN = """
(() => {
  const concatenate = (list) => {
    const bytes = new Uint8Array(list.reduce((sum, { byteLength }) => sum + byteLength, 0));
    let at = 0;
    for (const chunk of list) { bytes.set(chunk, at); at += chunk.byteLength; }
    return bytes;
  };
  const tick = (late) => late ? new Promise((resolve) => setTimeout(resolve, 1)) : undefined;
  const source = ({ chunks, highWaterMark, late, isByte, autoAllocate }) => {
    let i = 0;
    const give = (c) => {
      if (i < chunks.length) c.enqueue(chunks[i++].slice());
      else { c.close(); c.byobRequest?.respond(0); }
    };
    const fill = (c) => {
      const request = c.byobRequest;
      if (request === null || i === chunks.length) { give(c); return; }
      const chunk = chunks[i];
      const count = Math.min(chunk.byteLength, request.view.byteLength);
      request.view.set(chunk.subarray(0, count));
      if (count === chunk.byteLength) i++;
      else chunks[i] = chunk.subarray(count);
      request.respond(count);
    };
    const take = isByte && autoAllocate ? fill : give;
    const pull = late ? async (c) => { await tick(late); take(c); } : take;
    if (!isByte) return new ReadableStream({ pull }, { highWaterMark });
    return new ReadableStream({ type: "bytes", pull, autoAllocateChunkSize: autoAllocate || undefined },
                              { highWaterMark });
  };
  const stage = ({ marks, late, copies }) => new TransformStream({
    async transform(chunk, c) {
      await tick(late);
      for (let i = 0; i < copies; i++) {
        const size = Math.ceil(chunk.length / copies);
        c.enqueue(chunk.slice(i * size, (i + 1) * size));
      }
    },
  }, { highWaterMark: marks[0] }, { highWaterMark: marks[1] });
  const collect = async (stream, way, total) => {
    const list = [];
    let left = total;
    if (way.kind === "loop") {
      for await (const chunk of stream) list.push(chunk);
    } else if (way.kind === "pipe") {
      await stream.pipeTo(new WritableStream({ async write(chunk) { await tick(way.late); list.push(chunk); } },
                                             { highWaterMark: way.mark }));
    } else if (way.kind === "byob") {
      const reader = stream.getReader({ mode: "byob" });
      for (;;) {
        // A reader that wants more than there is fails, where the source has said that it is at its end.
        const min = Math.max(1, Math.min(way.min, way.size, left));
        const { value, done } = await reader.read(new Uint8Array(way.size), { min });
        if (value !== undefined) { list.push(value); left -= value.byteLength; }
        if (done) break;
      }
    } else {
      const reader = stream.getReader();
      for (let step; !(step = await reader.read()).done;) list.push(step.value);
    }
    return list;
  };
  return async (plan) => {
    let stream = source({ ...plan, chunks: plan.chunks.slice() });
    for (const each of plan.stages) stream = stream.pipeThrough(stage(each));
    if (plan.moved) stream = structuredClone(stream, { transfer: [stream] });
    const streams = plan.tee ? stream.tee() : [stream];
    const ways = [plan.way, plan.otherWay];
    const total = concatenate(plan.chunks).byteLength;
    const lists = await Promise.all(streams.map((each, i) => collect(each, ways[i], total)));
    return lists.map(concatenate);
  };
})()
"""

marks = st.integers(0, 3)
stages = st.fixed_dictionaries(
    {
        "marks": st.tuples(st.integers(1, 3), marks).map(list),
        "late": st.booleans(),
        "copies": st.integers(1, 3),
    }
)
chunks = st.lists(st.binary(min_size=1, max_size=40), max_size=8)
general_ways = st.one_of(
    st.just({"kind": "loop"}),
    st.just({"kind": "reader"}),
    st.fixed_dictionaries({"kind": st.just("pipe"), "late": st.booleans(), "mark": st.integers(1, 3)}),
)
byob_ways = st.fixed_dictionaries({"kind": st.just("byob"), "size": st.integers(1, 30), "min": st.integers(1, 30)})
plans = st.fixed_dictionaries(
    {
        "chunks": chunks,
        "highWaterMark": marks,
        "late": st.booleans(),
        "isByte": st.booleans(),
        "autoAllocate": st.integers(0, 16),
        "stages": st.lists(stages, max_size=3),
        "moved": st.booleans(),
        "tee": st.booleans(),
        "way": general_ways,
        "otherWay": general_ways,
    }
)
byte_plans = st.fixed_dictionaries(
    {
        "chunks": chunks,
        "highWaterMark": marks,
        "late": st.booleans(),
        "isByte": st.just(True),
        "autoAllocate": st.integers(0, 16),
        "stages": st.just([]),
        "moved": st.just(False),
        "tee": st.booleans(),
        "way": st.one_of(byob_ways, general_ways),
        "otherWay": st.one_of(byob_ways, general_ways),
    }
)


@pytest.fixture(scope="module")
def run() -> Iterator[Callable[[object], Any]]:
    with Sandbox(clock="virtual", limits=Limits(cpu_seconds=None, wall_seconds=None)) as box:
        yield box.eval(RUN)


@settings(max_examples=100)
@given(plans)
def test_whatever_comes_in_comes_out(run: Callable[[object], Any], plan: dict[str, Any]) -> None:
    data = b"".join(plan["chunks"])

    assert run(plan) == [data] * (2 if plan["tee"] else 1)


@settings(max_examples=100)
@given(byte_plans)
def test_readers_that_bring_buffers_get_every_byte(run: Callable[[object], Any], plan: dict[str, Any]) -> None:
    data = b"".join(plan["chunks"])

    assert run(plan) == [data] * (2 if plan["tee"] else 1)


@pytest.fixture(scope="module")
def recode() -> Iterator[Callable[..., Any]]:
    """A text, cut at some places, is encoded; the bytes, cut at others, are decoded."""
    with Sandbox() as box:
        yield box.eval("""
            async (parts, size) => {
              const from = (list) => ReadableStream.from(list);
              const bytes = [];
              for await (const chunk of from(parts).pipeThrough(new TextEncoderStream())) bytes.push(...chunk);
              const cut = [];
              for (let i = 0; i < bytes.length; i += size) cut.push(new Uint8Array(bytes.slice(i, i + size)));
              let text = "";
              for await (const chunk of from(cut).pipeThrough(new TextDecoderStream())) text += chunk;
              return [new Uint8Array(bytes), text];
            }""")


def _cut(text: str, places: list[int]) -> list[str]:
    """The text in parts, cut between any two code units, as JavaScript counts."""
    units = text.encode("utf-16-le", "surrogatepass")
    ends = sorted({2 * (place % (len(units) // 2 + 1)) for place in places} | {0, len(units)})
    return [units[a:b].decode("utf-16-le", "surrogatepass") for a, b in pairwise(ends)]


@settings(max_examples=100)
@given(st.text(), st.lists(st.integers(0, 100), max_size=6), st.integers(1, 5))
def test_text_survives_every_cut(recode: Callable[..., Any], text: str, places: list[int], size: int) -> None:
    encoded, decoded = recode(_cut(text, places), size)

    assert encoded == text.encode()
    assert decoded == text.removeprefix("\ufeff")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (
            "new ReadableStream()",
            "ReadableStream {\n  locked: false,\n  state: 'readable',\n  supportsBYOB: false\n}",
        ),
        (
            "(() => { const s = new ReadableStream({ type: 'bytes' }); s.getReader(); return s })()",
            "ReadableStream { locked: true, state: 'readable', supportsBYOB: true }",
        ),
        ("new WritableStream({ start(c) { c.error(1) } })", "WritableStream { locked: false, state: 'erroring' }"),
        ("new CountQueuingStrategy({ highWaterMark: 2 })", "CountQueuingStrategy { highWaterMark: 2 }"),
        ("new ReadableStream().getReader()", "ReadableStreamDefaultReader {}"),
    ],
)
def test_console_shows_the_state(logged: Callable[[str], list[str]], code: str, text: str) -> None:
    assert logged(f"console.log({code})") == [text]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("new ReadableStream(null)", "TypeError TypeError: Failed to construct 'ReadableStream': The provided value"),
        ("new ReadableStream({ type: 'x' })", "TypeError TypeError: Failed to construct 'ReadableStream': 'type'"),
        ("new ReadableStreamDefaultController()", "TypeError TypeError: Illegal constructor"),
        ("ReadableStream.prototype.getReader.call({})", "TypeError TypeError: Illegal invocation"),
        ("const s = new ReadableStream(); s.getReader(); s.getReader()", "TypeError TypeError: Failed to execute"),
        ("new CountQueuingStrategy()", "TypeError TypeError: Failed to construct 'CountQueuingStrategy': 1 argument"),
        ("structuredClone(new ReadableStream())", "DOMException DataCloneError: Failed to execute 'structuredClone'"),
        (
            "const s = new ReadableStream(); s.getReader(); structuredClone(s, { transfer: [s] })",
            "DOMException DataCloneError: A ReadableStream that is locked could not be transferred.",
        ),
    ],
)
def test_misuse_is_refused(refused: Callable[[str], str], code: str, message: str) -> None:
    assert refused(code).startswith(message)


@pytest.mark.parametrize(
    "code",
    [
        "new ReadableStream({ start(c) { for (;;) c.enqueue('x'.repeat(1000).split('')) } })",
        "const w = new WritableStream({ write: () => new Promise(() => {}) }).getWriter();"
        " for (;;) w.write([]).catch(() => {})",
        "const r = new ReadableStream().getReader(); for (;;) r.read()",
        "const [a, b] = new ReadableStream({ pull(c) { c.enqueue(new Array(1000).fill([])) } }).tee();"
        " a.pipeTo(new WritableStream())",
        "const s = new ReadableStream({ type: 'bytes' , start(c) { for (;;) c.enqueue(new Uint8Array(1000)) } })",
    ],
)
def test_queues_count_as_memory(code: str) -> None:
    limits = Limits(memory_bytes=16 << 20, cpu_seconds=20)
    with Sandbox(limits=limits) as box:
        with pytest.raises(MemoryLimitExceeded):
            box.eval(f"{{ {code} }}; await new Promise(resolve => setTimeout(resolve, 60_000))")
        assert box.eval("(async () => { for await (const x of ReadableStream.from([1])) return x })()") == 1


@pytest.mark.parametrize(
    "code",
    [
        "await new ReadableStream({ pull(c) { c.enqueue(1) } }).pipeTo(new WritableStream())",
        "await new ReadableStream({ pull(c) { c.enqueue(1) } })"
        ".pipeThrough(new TransformStream()).pipeTo(new WritableStream())",
        "for await (const x of ReadableStream.from((function* () { for (;;) yield 1 })())) ;",
        "await new ReadableStream({ type: 'bytes', pull(c) { c.enqueue(new Uint8Array(1)) } })"
        ".pipeTo(new WritableStream())",
    ],
)
def test_an_endless_stream_ends_at_the_limit(code: str) -> None:
    with Sandbox(limits=Limits(cpu_seconds=0.1)) as box:
        with pytest.raises(CpuLimitExceeded):
            box.eval(code)
        assert box.eval("(async () => { for await (const x of ReadableStream.from([1])) return x })()") == 1


def test_a_long_queue_is_let_go_without_recursion(box: Sandbox) -> None:
    code = """
        const held = new ReadableStream({ start(c) { for (let i = 0; i < 2e5; i++) c.enqueue({ i }); c.close() } });
        let sum = 0;
        for await (const { i } of held) { sum += i; if (i === 1e5) break }
        sum"""

    assert box.eval(code) == 5000050000


@pytest.mark.anyio
async def test_a_stream_is_an_async_iterator_for_the_host() -> None:
    async with AsyncSandbox() as box:
        stream = await box.eval("new ReadableStream({ start(c) { c.enqueue(1); c.enqueue('two'); c.close() } })")
        assert [chunk async for chunk in stream] == [1, "two"]


@pytest.mark.anyio
async def test_an_async_generator_of_the_host_is_a_source() -> None:
    async def rows() -> Any:
        yield 1
        yield {"two": 2}

    async with AsyncSandbox(functions={"rows": rows}) as box:
        code = "const all = []; for await (const x of ReadableStream.from(rows())) all.push(x); all"
        assert await box.eval(code) == [1, {"two": 2}]


def test_an_unhandled_failure_is_reported_once(box: Sandbox) -> None:
    with pytest.raises(JSError, match="lost"):
        box.eval("new ReadableStream({ pull() { throw new Error('lost') } }).pipeTo(new WritableStream()); 0")
        box.run_until_idle()
    # A promise that nobody has asked for is nobody's business.
    box.eval("const r = new ReadableStream({ pull() { throw new Error('quiet') } }).getReader(); r.closed; 0")
    box.run_until_idle()
