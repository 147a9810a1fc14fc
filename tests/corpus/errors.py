"""Rows 26 to 28: what is thrown, what it claims to be, and what only the host may end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.case import Row, cases

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from benchmarks.hostile.stage import Stage

ROWS = [
    Row(26, "thrown values that are no errors, or errors that are traps", beside="tests/test_errors.py"),
    Row(27, "errors that claim to be a limit, or the host", beside="tests/test_errors.py"),
    Row(28, "a guest that catches what the host raises", beside="tests/test_interrupts.py"),
]


def _raising(stage: Stage) -> Mapping[str, Callable[..., Any]]:
    from benchmarks.hostile.stage import HostSignalError

    def stop() -> None:
        raise HostSignalError("from the host")

    return {"stop": stop}


CASES = [
    *cases(
        26,
        "js",
        {
            "a number": "throw 42",
            "null": "throw null",
            "undefined": "throw undefined",
            "a symbol": "throw Symbol('s')",
            "a function": "throw () => 1",
            "a promise": "throw Promise.resolve()",
            "a proxy": "throw new Proxy({}, {get() { throw 1 }})",
            "a proxy of an Error": "throw new Proxy(new Error('x'), {get() { throw 1 }, getPrototypeOf() { throw 1 }})",
            "a cycle": "const o = {}; o.self = o; throw o",
            "throwing members": "const e = new Error(); e.x = {get y() { throw 1 }}; throw e",
            "its own cause": "const e = new Error('x'); e.cause = e; throw e",
            "a chain of causes": "let e; for (let i = 0; i < 1e4; i++) e = new Error('x', {cause: e}); throw e",
        },
    ),
    *cases(
        26,
        "js cpu",
        {
            "a looping name": "const e = new Error('x'); Object.defineProperty(e, 'name', {get() { for (;;); "
            "}}); throw e",
            "a looping message": "throw Object.defineProperty(new Error(), 'message', {get() { for (;;); }})",
            "a looping stack": "throw Object.defineProperty(new Error('x'), 'stack', {get() { for (;;); }})",
            "a looping cause": "throw Object.defineProperty(new Error('x'), 'cause', {get() { for (;;); }})",
            "a looping toString": "throw {toString() { for (;;); }}",
        },
    ),
    *cases(
        26,
        "js memory conversion cpu",
        {
            "a huge message": "throw new Error('x'.repeat(1e8))",
            "a huge string": "throw 'x'.repeat(1e8)",
            "a huge array": "throw Array(1e6).fill(new Error('x'))",
        },
        memory_bytes=256 << 20,
        seconds=1,
    ),
    *cases(
        26,
        "js value",
        {"a rejection with nothing": "Promise.reject(); 0", "a rejection nobody handles": "Promise.reject(7); 1"},
    ),
    *cases(
        27,
        "js",
        {
            "interrupted": "const e = new Error('interrupted'); e.name = 'InternalError'; throw e",
            "out of memory": "const e = new Error('out of memory'); e.name = 'InternalError'; throw e",
            "the engine's own interrupted": "throw typeof InternalError == 'undefined' ? new Error('interrupted') "
            ": new InternalError('interrupted')",
            "the engine's own out of memory": "throw typeof InternalError == 'undefined' ? new Error('out of memory') "
            ": new InternalError('out of memory')",
            "a null": "throw null",
            "CpuLimitExceeded": "const e = new Error('x'); e.name = 'CpuLimitExceeded'; throw e",
            "TimeoutError": "const e = new Error('JavaScript was terminated by timeout'); e.name = "
            "'TimeoutError'; throw e",
            "MemoryLimitError": "const e = new Error('Heap limit exceeded'); e.name = 'MemoryLimitError'; throw e",
            "HostError": "const e = new Error('Host function failed'); e.name = 'HostError'; throw e",
            "timed out": "throw new Error('Evaluation timed out after 500ms')",
            "a class of that name": "class MemoryLimitExceeded extends Error {} throw new MemoryLimitExceeded('x')",
            "every property": "throw Object.assign(new Error('x'), {limit: 1, used: 2, unit: 'bytes', code: 1, "
            "brand: 1})",
            "a RangeError": "throw new RangeError('Maximum call stack size exceeded')",
        },
    ),
    *cases(
        28,
        "host",
        {
            "catch": "try { stop() } catch {} 'went on'",
            "finally": "for (;;) try { stop() } finally { continue }",
            "in a callback": "try { [1].map(() => stop()) } catch {} 'went on'",
            "in a getter": "({get x() { try { stop() } catch {} return 1 }}).x",
            "in a promise": "new Promise(() => stop()).catch(() => {}); 'went on'",
        },
        functions=_raising,
    ),
]
