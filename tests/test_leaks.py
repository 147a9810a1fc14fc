"""Nothing of a program is left in the guest once it has ended: each is run two hundred times."""

from __future__ import annotations

import gc
import itertools
from typing import Any

import pytest

from sandbox.values import JSFunction, undefined
from tests.bare_guest import Bare, outcome, requests

LEAKS = {
    "nothing": "0",
    "a syntax error": "(",
    "a syntax error with await": "await (",
    "top-level await": "await 1",
    "an exception": "throw new Error('x')",
    "a thrown object": "throw {a: 1}",
    "a result": "({a: [1, {b: 'c'}], d: new Map([[1, new Set([2])]])})",
    "shared objects": "(() => { const a = {}; return [a, a, [a]] })()",
    "a cycle": "(() => { const a = {}; a.a = a; return a })()",
    "a cyclic Map": "(() => { const m = new Map(); m.set(m, m); return m })()",
    "getters": "({get a() { return {} }, get b() { throw 1 }})",
    "a refused value": "({a: {b: [{}, Symbol()]}})",
    "an error": "new TypeError('x', {cause: new Error('y')})",
    "an AggregateError": "new AggregateError([new Error('x'), 1], 'm')",
    "a DOMException": "new DOMException('m', 'AbortError')",
    "a refused error": "throw Object.assign(new Error('m'), {s: Symbol()})",
    "an error with getters": "throw Object.defineProperty(new Error('m'), 'message', {get() { throw 1 }})",
    "a rope": "(() => { let s = ''; for (let i = 0; i < 300; i++) s += 'ab' + i; return s })()",
    "bytes": "[new Uint8Array(100), new ArrayBuffer(50), new Float64Array(3), new DataView(new ArrayBuffer(4))]",
    "dates and expressions": "[new Date(0), /a(b)/gi, 10n ** 30n]",
    "holes": "[, 1, , 2]",
    "a sparse array": "(() => { const a = []; a[9000] = 1; return a })()",
    "a proxy": "new Proxy({a: {}}, {})",
    "a proxied array": "new Proxy([{}, 1], {})",
    "a rejection": "Promise.reject(new Error('x')); 0",
    "a handled rejection": "Promise.reject(1).catch(() => {}); 0",
    "a promise": "new Promise(r => queueMicrotask(() => r({})))",
    "a promise that never settles": "new Promise(() => {})",
    "a stop": "for (;;);",
    "an overflow": "(function f() { f() })()",
    "a call": "f({a: 1}, [2], 'x')",
    "a call that fails": "fail(1)",
    "a call that is refused": "f({}, Symbol())",
    "a call that calls back": "back(() => ({a: 1}))",
    "an answer": "rich()",
    "a queued call": "ask({a: 1})",
    "a queued call that is refused": "ask({}, Symbol())",
    "a task that throws": "queueMicrotask(() => { throw {} }); 0",
    "a URL": "new URL('../x?y#z', 'http://h/a/b').href + URL.canParse('nothing')",
    "a bad URL": "new URL('http://[')",
    "text": "new TextDecoder().decode(new TextEncoder().encode('\\u4e00\\ud800'))",
    "bad text": "new TextDecoder('utf-8', {fatal: true}).decode(new Uint8Array([255]))",
    "text cut off": "new TextDecoder('shift_jis').decode(new Uint8Array([65, 0x82]), {stream: true})",
    "bad text of two bytes": "new TextDecoder('big5', {fatal: true}).decode(new Uint8Array([65, 255]))",
    "a compressor": "new CompressionStream('gzip'); 0",
    "a stream that is compressed": "const s = new CompressionStream('deflate'), w = s.writable.getWriter();"
    "w.write(new Uint8Array(1e5)); w.close(); s.readable.getReader().read()",
    "a stream that is not compressed": "const s = new DecompressionStream('gzip'), w = s.writable.getWriter();"
    "const f = () => 0; w.write(new Uint8Array(9)).catch(f); w.closed.catch(f); s.readable.getReader().read().catch(f)",
    "console": "console.log({a: [1, 2]}, new Map([[1, 2]])); 0",
    "timers": "clearTimeout(setTimeout(() => {}, 10)); 0",
}


@pytest.mark.parametrize("code", LEAKS.values(), ids=LEAKS)
def test_nothing_is_left_behind(code: str) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no")

    def ask(*_: object) -> None: ...

    with Bare() as bare:
        ids = itertools.count(5000)

        def back(function: JSFunction) -> Any:
            value = outcome(bare.guest.call(next(ids), function.handle, None, []))
            bare.guest.release([function.handle])
            return value

        def rich() -> object:
            shared: list[object] = [1]
            return [shared, shared, {"m": {1, 2}, "e": ValueError("x"), "b": b"bytes", "u": undefined, "n": 2**70}]

        bare.owner.queued.add(ask)
        functions: dict[str, Any] = {"f": lambda *_: None, "fail": fail, "ask": ask, "back": back, "rich": rich}
        for name, function in functions.items():
            bare.define(name, function)
        run = f"(() => {{ return {code} }})()" if code.startswith("new Promise(() =>") else code
        held = []
        for turn in range(200):
            events = bare.eval(run, cpu_seconds=0.002 if code.startswith("for") else 10)
            for request in requests(events):
                if request.id:
                    bare.arm()
                    bare.guest.settle(request.id, {"a": 1})
            bare.guest.abandon(bare.runs)
            bare.seen.clear()
            gc.collect() if turn % 100 == 0 else None
            if turn in (20, 199):
                held.append(bare.heap_bytes())
                assert bare.guest.instance.control.live_handles == 0
        control = bare.guest.instance.control

        assert control.pending_requests == 0
        # Tables of the engine and of ours may have doubled once.
        assert held[1] <= held[0] + 2048
