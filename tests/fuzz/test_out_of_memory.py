"""Memory that runs out at any allocation of a program: the guest says so and goes on, whatever it was doing."""

from __future__ import annotations

import pytest

from sandbox._events import Crashed, State
from sandbox.errors import MemoryLimitExceeded, SandboxError
from sandbox.exposure import expose
from tests.bare_guest import Bare, outcome

PROGRAMS = {
    "properties": "(() => { const o = {}; for (let i = 0; i < 300; i++) o['key' + i] = i; return Object.keys(o) })()",
    "classes": "(() => { class A { #x = 1; get x() { return this.#x } } class B extends A {} return new B().x })()",
    "prototypes": "Array.from({length: 200}, (_, i) => Object.setPrototypeOf({a: i}, {i})).map(o => o.i).length",
    "closures": "(() => { const f = []; for (let i = 0; i < 50; i++) f.push(() => i); return f.map(g => g()) })()",
    "arrays": "[3, 1, 2].concat(Array.from({length: 200}, (_, i) => i)).sort().map(String).join()",
    "text": "('a-b-c'.repeat(200).split('-').reverse().join('\\u4e00') + '!').replace(/c/g, x => x + x).length",
    "json": "JSON.stringify(JSON.parse(JSON.stringify(Array.from({length: 100}, (_, i) => ({i, s: 'x' + i}))))).length",
    "records": """JSON.stringify(JSON.parse('[' + '{"a":"\\u4e00\\\\n","b":[1,2.5],"c":{}},{"a":1,"d":[]},'.repeat(40)
        + '1]'), null, 2).length""",
    "copies": "Array.from({length: 60}, (_, i) => { const o = {a: {i}, b: [i]}, {a, ...rest} = {...o, c: 1};"
    " return Object.fromEntries(Object.entries({...o, ...rest})) }).length",
    "loops": "(() => { let n = 0; for (const [a, ...b] of Array.from({length: 60}, (_, i) => [i, ...[i]]))"
    " n += a + [...b, ...b].length; return n })()",
    "collections": "[...new Map(Array.from({length: 200}, (_, i) => [i, new Set([i])]))].length",
    "errors": "(() => { try { null.x } catch (e) { return e.stack + new AggregateError([e], 'm').message } })()",
    "generators": "(() => { function* g() { for (let i = 0; i < 50; i++) yield {i} } return [...g()].length })()",
    "async": "(async () => { const r = []; for (let i = 0; i < 20; i++) r.push(await i); return r })()",
    "await": "await Promise.all([1, 2, 3].map(async x => { await null; return {x} }))",
    "rejections": "for (let i = 0; i < 20; i++) Promise.reject(new Error('x' + i)); 1",
    "proxies": "(() => { const p = new Proxy({}, {get: (t, k) => [k]}); return [p.a, p.b, {...p}] })()",
    "powers": "[1, 2, 3].map(x => (3n ** 4000n).toString().length)",
    "late functions": "[Array.fromAsync, Iterator.zip, Iterator.zipKeyed].map(x => x.name)",
    "bigints": "(2n ** 900n).toString().length",
    "regexps": "[...'aXbXc'.repeat(50).matchAll(/(?<l>[a-c])(?=X)/g)].map(m => m.groups.l).length",
    "functions": "[() => 1, class {}, async () => 2, function* () {}]",
    "values": "[new Date(0), /a/g, new Uint8Array(50), 5n, new Map([[1, {}]]), new Error('e'), undefined, [, 1]]",
    "shared": "(() => { const a = []; for (let i = 0; i < 60; i++) a.push({a}, a); return [a, a[0], a] })()",
    "promises": "[Promise.resolve({}), (async () => [1])(), Promise.all([1, 2].map(async x => x))]",
    "iterators": "[(function* () { yield {} })(), [1].values(), new Map([[1, 2]]).keys(), (async function* () {})()]",
    "host iterators": "[1, 2, 3].map(() => { const it = steps(); return [it.next(), ...it] })",
    "host functions": "[1, 2, 3].map(() => functions()).length",
    "host objects": "[1, 2, 3].map(() => { const o = object(); return [o.real, o.conjugate] }).length",
    "host calls": "[1, 2, 3].map(x => f(x, {x}, [x]))",
    "requests": "[1, 2, 3].map(x => setTimeout(() => x, 10)); 1",
    "console": "console.log('x', {a: [1, new Map([[1, 2]])]}, new Error('e')); 1",
    "web": "new URL('/?q=\\u4e00', 'http://host').href + new TextDecoder().decode(new TextEncoder().encode('\\u4e00'))",
    "encodings": "new TextDecoder('big5').decode(new Uint8Array([0xa7, 0xda, 65])) + new TextDecoder().decode("
    "new Uint8Array([0xc3, 0xa9, 0xff]), {stream: true})",
    "clone": "structuredClone({a: [1, new Date(0), new Map([[1, new Set([2])]])]}).a.length",
    "events": "(() => { const t = new EventTarget(); for (let i = 0; i < 20; i++) t.addEventListener('x', () => i);"
    "return t.dispatchEvent(new CustomEvent('x', {detail: [1]})) })()",
    "signals": "(() => { const c = new AbortController();"
    "const s = Array.from({length: 9}, () => AbortSignal.any([c.signal, AbortSignal.timeout(9)]));"
    "s[0].onabort = () => {}; c.abort(); return s.every(x => x.aborted) })()",
    "uncaught": "onerror = () => true; for (let i = 0; i < 20; i++) queueMicrotask(() => { throw i });"
    "reportError(new Error('x')); 1",
    "rejections that are told": "onunhandledrejection = e => { if (e.reason % 2) e.preventDefault() };"
    "for (let i = 0; i < 20; i++) setTimeout(p => p.catch(() => {}), 0, Promise.reject(i)); 1",
    "messages": "(() => { const {port1, port2} = new MessageChannel(); port1.onmessage = e => e.ports[0];"
    "for (let i = 0; i < 9; i++) port2.postMessage({i}, [new MessageChannel().port1, new ArrayBuffer(9)]) })()",
    "marks": "new PerformanceObserver(l => l.getEntries()).observe({type: 'mark'});"
    "for (let i = 0; i < 20; i++) performance.mark('m' + i, {detail: [i]}); 1",
    "eval": "eval('(() => { let x = 1; { let y = 2; x += y } return x })()') + new Function('a', 'return a')(1)",
}

# Bytes that are left for the program when it begins; for the last ones it finds what it needs.
STEPS = (*range(0, 6_000, 97), *range(6_000, 120_000, 1_500))
GENEROUS = 60 << 20
# Small blocks of every size, so that few are left in the pages that the engine has already.
FILLING = """
    (globalThis.filling ??= []).push(
        Array.from({length: 60}, (_, i) => Array.from({length: 20}, (_, j) => 'x'.repeat(i * 8) + j)),
        Array.from({length: 60}, (_, i) => ({i})),
    );
    0
"""


@pytest.mark.parametrize("code", PROGRAMS.values(), ids=PROGRAMS)
def test_an_allocation_that_fails_anywhere(code: str) -> None:
    endings = set()
    with Bare() as bare:
        control = bare.guest.instance.control
        limit = GENEROUS

        def squeeze() -> None:
            control.heap_limit_bytes = limit

        bare.define("f", lambda *values: list(values))
        bare.define("steps", lambda: iter([1, [2], {"a": 3}]))
        bare.define("functions", lambda: [lambda: 1, {"a": lambda: 2}])
        bare.define("object", lambda: expose(1j, "real", "conjugate"))
        bare.define("squeeze", squeeze)
        for step in STEPS:
            bare.value(FILLING)
            limit = bare.guest.instance.control.heap_bytes + step
            events = bare.eval(f"squeeze(); {code}")
            control.heap_limit_bytes = GENEROUS
            bare.guest.abandon(bare.runs)
            for event in events:
                assert not isinstance(event, Crashed), (step, event)
            try:
                endings.add(type(outcome(events, bare.runs)).__name__)
            except AssertionError:
                endings.add("pending")
            except MemoryLimitExceeded:
                endings.add("full")
            except SandboxError as error:
                endings.add(repr(error))
            assert bare.guest.state is State.READY
            # What is told of empty ones is how something went that has no value to tell it by.
            assert bare.value("[new Map(), new ArrayBuffer(0)]") == [{}, b""]
        assert bare.value("1 + 1") == 2

    assert "full" in endings
    assert len(endings) > 1, endings
    assert not [ending for ending in endings if "(" in ending], endings


# Texts whose bytecode takes a multiple of their own size: beginning, what is repeated, end.
TEXTS = {
    "arrows": ("", "x=>x,", "1"),
    "templates": ("", "a``,", "1"),
    "classes": ("(", "class{},", "0)"),
    "accessors": ("({", "get a(){},", "})"),
    "functions": ("", "function f(){}", ""),
    "calls": ("", "f();", ""),
    "jumps": ("", "if(a);", ""),
    "scopes": ("", "try{let b}catch{}", ""),
    "patterns": ("[", "[a],", "]=b"),
    "labels": ("", "x:for(;;)break x;", ""),
}
TEXT_BYTES = 20_000


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_memory_that_runs_out_in_the_compiler(text: tuple[str, str, str]) -> None:
    beginning, unit, end = text
    endings = set()
    with Bare() as bare:
        control = bare.guest.instance.control
        limit = 0

        def squeeze() -> None:
            control.heap_limit_bytes = limit

        bare.define("squeeze", squeeze)
        bare.define("text", beginning + unit * (TEXT_BYTES // len(unit)) + end)
        # From what a text needs to be begun with, to what the last of them needs.
        for room in range(9 * TEXT_BYTES + (64 << 10), 150 * TEXT_BYTES, 3 * TEXT_BYTES + 1_000):
            limit = bare.heap_bytes() + room
            events = bare.eval("squeeze(); try { new Function(text); 'made' } catch (error) { String(error) }")
            control.heap_limit_bytes = GENEROUS
            for event in events:
                assert not isinstance(event, Crashed), (room, event)
            endings.add(outcome(events, bare.runs))
            assert bare.value("new Function('return 1 + 1')()") == 2
    assert endings <= {"made", "InternalError: out of memory", "null"}, endings
    assert len(endings) > 1, endings
