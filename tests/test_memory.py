"""Memory: running out of it in any manner is one typed error, and what was freed can be used again for anything."""

from __future__ import annotations

import pytest

from sandbox._abi import Reason
from sandbox._events import Failed, State
from sandbox.errors import JSError, MemoryLimitExceeded
from tests.bare_guest import Bare, outcome, stops

MEMORY_BYTES = 16 << 20

# Each fills memory from inside a function, so that everything can be collected afterwards.
SHAPES = {
    "ArrayBuffers": "for (;;) a.push(new ArrayBuffer(1e5))",
    "one ArrayBuffer": "a.push(new ArrayBuffer(1 << 30))",
    "typed arrays": "for (;;) a.push(new Float64Array(1e4))",
    "resizable buffers": "for (;;) a.push(new ArrayBuffer(8, {maxByteLength: 1e6}))",
    "strings": "for (let i = 0; ; i++) a.push('abc'.repeat(1000) + i)",
    "wide strings": "for (let i = 0; ; i++) a.push('\\u4e00'.repeat(1000) + i)",
    "arrays": "for (;;) a.push([1, 2, 3])",
    "one array": "for (;;) a.push(0)",
    "a filled array": "a.push(new Array(1e7).fill(0))",
    "objects": "for (;;) a.push({a: 1})",
    "properties": "const o = {}; for (let i = 0; ; i++) o['key' + i] = i",
    "closures": "for (let i = 0; ; i++) a.push(() => i)",
    "bound functions": "let f = () => 1; for (;;) f = f.bind()",
    "classes": "for (;;) a.push(class { m() {} })",
    "a Map": "const m = new Map(); for (let i = 0; ; i++) m.set(i, {})",
    "a Set": "const s = new Set(); for (let i = 0; ; i++) s.add('x' + i)",
    "a WeakMap": "const m = new WeakMap(); for (;;) { const o = {}; a.push(o); m.set(o, {}) }",
    "WeakRefs": "for (;;) a.push(new WeakRef({}))",
    "symbols": "for (let i = 0; ; i++) a.push(Symbol('s' + i))",
    "registered symbols": "for (let i = 0; ; i++) a.push(Symbol.for('s' + i))",
    "regexps": "for (let i = 0; ; i++) a.push(new RegExp('a(b)' + i))",
    "errors": "for (;;) a.push(new Error('x'))",
    "dates": "for (;;) a.push(new Date())",
    "bigints": "let b = 3n; for (;;) { b *= b; a.push(b) }",
    "generators": "for (;;) { const g = (function* () { yield 1 })(); g.next(); a.push(g) }",
    "promises": "for (;;) a.push(new Promise(() => {}))",
    "async functions": "for (;;) a.push((async () => { await new Promise(() => {}) })())",
    "microtasks": "for (;;) queueMicrotask(() => {})",
    "proxies": "for (;;) a.push(new Proxy({}, {}))",
    "JSON.parse": "a.push(JSON.parse('[' + '[1,2,3],'.repeat(3e5) + '1]'))",
    "JSON.stringify": "const o = []; for (let i = 0; i < 3e5; i++) o.push('x'.repeat(20)); a.push(JSON.stringify(o))",
    "split": "a.push('x'.repeat(2e6).split(''))",
    "source text": "a.push(new Function('return [' + '1,'.repeat(2e6) + ']'))",
    "text": "for (;;) a.push(new TextEncoder().encode('\\u4e00'.repeat(1e5)))",
    "URLs": "for (let i = 0; ; i++) a.push(new URL('http://host/' + i))",
    "a long URL": "a.push(new URL('http://host/' + '\\u4e00'.repeat(3e6)))",
    "clones": "const x = new Array(1e5).fill(1); for (;;) a.push(structuredClone(x))",
}


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
def test_running_out_is_a_typed_error_and_the_guest_goes_on(body: str) -> None:
    code = f"(() => {{ const a = []; {body}; return a.length }})()"
    with Bare(memory_bytes=MEMORY_BYTES) as bare:
        before = bare.heap_bytes()
        error = bare.error(code)

        assert bare.guest.state is State.READY
        if isinstance(error, JSError):  # what no memory of this size could hold is refused by the engine's own bounds
            assert error.name in {"RangeError", "InternalError"}, error
            assert body == SHAPES["bigints"], error
        else:
            assert isinstance(error, MemoryLimitExceeded), error
            assert error.limit == MEMORY_BYTES
        assert bare.guest.instance.memory_bytes() <= MEMORY_BYTES
        # The table of names never shrinks; everything else is gone.
        assert bare.heap_bytes() < before + (2 << 20)
        assert bare.value("new ArrayBuffer(3 << 20).byteLength") == 3 << 20


def test_running_out_inside_the_url_parser_is_the_same_error() -> None:
    """The parser cannot unwind, so the sandbox ends with it; what it ended of is known all the same."""
    code = "const url = new URL('http://a'); for (let n = 1; ; n = n * 1.3 + 1) url.hash = '\\u00e9'.repeat(n)"
    with Bare(memory_bytes=MEMORY_BYTES) as bare:
        error = bare.error(code)

        assert isinstance(error, MemoryLimitExceeded), error
        assert error.limit == MEMORY_BYTES
        assert bare.guest.state is State.POISONED


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
def test_running_out_can_be_caught(body: str) -> None:
    code = f"(() => {{ const a = []; try {{ {body} }} catch (error) {{ return 'caught' }} return 'not' }})()"
    with Bare(memory_bytes=MEMORY_BYTES) as bare:
        assert bare.value(code) == "caught"
        assert bare.value("1 + 1") == 2


@pytest.mark.parametrize("body", ["for (;;) a.push(new ArrayBuffer(1e5))", "for (;;) a.push({a: 1})"])
def test_running_out_again_and_again_ends_by_time_in_the_same_memory(body: str) -> None:
    with Bare(memory_bytes=MEMORY_BYTES) as bare:
        events = bare.eval(f"for (;;) {{ try {{ const a = []; {body} }} catch {{}} }}", cpu_seconds=0.3)

        assert [stop.reason for stop in stops(events)] == [Reason.CPU]
        assert bare.guest.instance.memory_bytes() <= MEMORY_BYTES
        assert bare.value("1 + 1") == 2


@pytest.mark.parametrize("body", ["for (;;) kept.push({a: 1})", "for (;;) kept.push((() => 1).bind())"])
def test_a_full_heap_can_be_emptied_by_the_next_program(body: str) -> None:
    with Bare(memory_bytes=MEMORY_BYTES) as bare:
        assert isinstance(bare.error(f"var kept = []; {body}"), MemoryLimitExceeded)
        assert bare.value("1 + 1") == 2
        assert bare.value("kept = null; 7") == 7
        assert bare.value("new ArrayBuffer(3 << 20).byteLength") == 3 << 20


def test_a_heap_that_is_full_to_the_brim_says_so_at_once() -> None:
    with Bare(memory_bytes=MEMORY_BYTES) as bare:
        for _ in range(2):
            assert isinstance(bare.error("var kept; for (;;) kept = {kept}"), MemoryLimitExceeded)
        for _ in range(3):
            assert isinstance(bare.error("1 + 1"), MemoryLimitExceeded)
        assert bare.guest.state is State.READY


@pytest.mark.parametrize("size", [100, 1000, 4000, 4096, 16_000, 16_384, 65_536, 100_000, 1 << 20])
def test_memory_is_for_the_program_and_not_for_its_bookkeeping(size: int) -> None:
    with Bare(memory_bytes=64 << 20) as bare:
        used = size * bare.value(
            f"(() => {{ let a = []; try {{ for (;;) a.push(new ArrayBuffer({size})) }} catch {{}} return a.length }})()"
        )

    # An ArrayBuffer has an object of some 150 bytes beside its contents.
    assert used * (size + 150) / size > 0.85 * (64 << 20)


@pytest.mark.parametrize(
    ("first", "second"),
    [(100, 6 << 20), (5000, 6 << 20), (16_000, 3 << 20), (1 << 20, 5000), (3 << 20, 16_000), (70_000, 90_000)],
)
def test_what_was_freed_serves_any_other_size(first: int, second: int) -> None:
    fill = "(() => {{ const a = []; try {{ for (;;) a.push(new ArrayBuffer({})) }} catch {{}} return a.length }})()"
    with Bare(memory_bytes=32 << 20) as fresh:
        expected = fresh.value(fill.format(second))
    with Bare(memory_bytes=32 << 20) as bare:
        bare.value(fill.format(first))
        bare.collect()

        assert bare.value(fill.format(second)) >= expected * 0.9


def test_new_buffers_are_zero_whatever_was_there() -> None:
    code = """
        const sizes = [1, 100, 1000, 4000, 5000, 70000, 300000, 1000000];
        let dirty = 0;
        for (let round = 0; round < 12; round++) {
            const kept = [];
            for (let i = 0; i < 40; i++) {
                const bytes = new Uint8Array(sizes[(i * 7 + round * 3) % sizes.length]);
                for (let at = 0; at < bytes.length; at += 97) if (bytes[at]) dirty++;
                if (bytes.at(-1)) dirty++;
                bytes.fill(255);
                if (i % 3) kept.push(bytes);
            }
        }
        dirty
    """
    with Bare(memory_bytes=64 << 20) as bare:
        assert bare.value(code) == 0


def test_small_programs_do_not_grow_memory() -> None:
    with Bare() as bare:
        size = bare.guest.instance.memory_bytes()
        bare.value("Array.from({length: 2000}, (_, i) => ({id: i, name: 'n' + i})).map(x => x.id)")

        assert bare.guest.instance.memory_bytes() == size


@pytest.mark.parametrize(
    ("code", "limits"),
    [
        ("'x'.repeat(1 << 20)", {"message_bytes": 1 << 20}),
        ("new Uint8Array(1 << 20)", {"message_bytes": 1 << 20}),
        ("new Array(1000).fill(0)", {"max_nodes": 1000}),
        ("new Proxy(new Array(1000).fill(0), {})", {"max_nodes": 1000}),
        ("({a: {b: {c: {}}}})", {"max_depth": 3}),
        ("new Map([[new Map([[new Map(), 1]]), 1]])", {"max_depth": 2}),
    ],
)
def test_a_value_beyond_the_limits_of_a_message(code: str, limits: dict[str, int]) -> None:
    with Bare(**limits) as bare:
        assert next(iter(limits)) in str(bare.error(code))
        assert bare.value("1") == 1


def test_a_result_that_does_not_fit_beside_its_message_is_a_memory_error() -> None:
    with Bare(memory_bytes=MEMORY_BYTES) as bare:
        assert isinstance(bare.error("'x'.repeat(7e6)"), MemoryLimitExceeded)
        assert bare.value("'x'.repeat(1e6).length") == 1_000_000


def test_an_answer_that_does_not_fit_fails_the_call_and_not_the_guest() -> None:
    with Bare(memory_bytes=MEMORY_BYTES) as bare:
        bare.define("f", lambda: "x" * (14 << 20))
        with pytest.raises(MemoryLimitExceeded):
            bare.eval("f()")

        bare.define("f", lambda: "x" * (7 << 20))
        assert isinstance(bare.error("f()"), MemoryLimitExceeded)
        assert bare.value("1 + 1") == 2


def test_forged_messages_say_nothing_about_memory() -> None:
    with Bare() as bare:
        for code in ("throw new InternalError('out of memory')", "throw null", "throw undefined"):
            error = bare.error(code)
            assert type(error) is JSError, code


def test_a_failure_long_ago_does_not_colour_a_later_one() -> None:
    with Bare(memory_bytes=MEMORY_BYTES) as bare:
        bare.value("try { new ArrayBuffer(1 << 29) } catch {} 0")

        assert type(bare.error("throw null")) is JSError
        assert type(bare.error("throw new InternalError('mine')")) is JSError


def test_memory_that_runs_out_in_a_job_fails_its_run() -> None:
    with Bare(memory_bytes=MEMORY_BYTES) as bare:
        events = bare.eval("(async () => { await 1; const a = []; for (;;) a.push({}) })()")
        (failed,) = (event for event in events if isinstance(event, Failed))

        assert isinstance(failed.error, MemoryLimitExceeded)
        assert bare.value("1 + 1") == 2


def test_rejections_by_the_ten_thousand_cost_what_they_weigh() -> None:
    """Noting and forgetting a rejection takes the same few steps however many there are."""
    code = "Promise.allSettled(Array.from({length: %d}, async () => { throw 1 })).then(all => all.length)"
    with Bare() as bare:
        seconds = []
        for count in (5_000, 40_000):
            assert outcome(bare.eval(code % count)) == count
            seconds.append(bare.guest.cpu_seconds())

    assert seconds[1] < seconds[0] * 8 * 4
