"""Programs that use everything a guest can do, for whoever compares two runs of one."""

from __future__ import annotations

from typing import Any, Final

import anyio.lowlevel

from sandbox import HostFunction, JSFunction, JSMap, MemoryFiles, expose

MODULES: Final = {
    "a": "import {b} from './b'; export const a = b + 1; export default () => import('./late')",
    "b": "export let b = 41; export {a as again} from './a'",
    "late": "export const when = Date.now(), random = Math.random()",
    "common": "",
}

PROGRAMS: Final = {
    "arithmetic": "[0.1 + 0.2, 2 ** 53, 10n ** 30n, Math.sin(1), Math.expm1(1e-9), -0, 0 / 0, 7 % -3]",
    "bits of NaN": "[0 / 0, NaN, -NaN, Math.sqrt(-1), Infinity - Infinity, parseFloat('x')]"
    ".map(x => [...new Uint8Array(new Float64Array([x]).buffer), ...new Uint8Array(new Float32Array([x]).buffer)])",
    "random": "[Math.random(), Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(20))]",
    "time": "[Date.now(), performance.now(), performance.timeOrigin, new Date().toString(), new Date(0).getTimezoneOffset()]",
    "dates": "[new Date('2024-03-31T02:30').toISOString(), new Date(2024, 9, 27, 2, 30).getTime(), Date.parse('1 Jan 70 UTC')]",
    "timers": """
        const log = [];
        setTimeout(() => log.push('c', performance.now()), 30);
        setTimeout(() => log.push('a', performance.now()), 10);
        const every = setInterval(() => { log.push('i', performance.now()); if (log.length > 12) clearInterval(every) }, 7);
        queueMicrotask(() => log.push('m'));
        await new Promise(done => setTimeout(done, 100));
        log""",
    "promises": """
        const order = [];
        await Promise.all([1, 2, 3].map(async n => { order.push(n); await null; order.push(-n); await null; order.push(n * n) }));
        [order, await Promise.allSettled([Promise.reject(new Error('x')), 1]), await Promise.race([later(1), later(2)])]""",
    "streams": """
        const {readable, writable} = new TransformStream({transform(chunk, controller) { controller.enqueue(chunk.toUpperCase()) }});
        const writer = writable.getWriter();
        writer.write('a'); writer.write('b'); writer.close();
        const chunks = [];
        for await (const chunk of readable) chunks.push(chunk);
        const packed = new Response(new Blob(['text '.repeat(500)]).stream().pipeThrough(new CompressionStream('gzip')));
        [chunks, (await packed.arrayBuffer()).byteLength, await new Response(ReadableStream.from(['x', 'y']).pipeThrough(new TextEncoderStream())).text()]""",
    "Intl": """
        [new Intl.NumberFormat('de', {style: 'currency', currency: 'EUR'}).format(1234.5), (1e6).toLocaleString('hi'),
         new Intl.DateTimeFormat('en', {dateStyle: 'full', timeStyle: 'long', timeZone: 'Asia/Tokyo'}).format(),
         ['z', 'ä', 'a'].sort(new Intl.Collator('sv').compare), new Intl.PluralRules('ar').select(3)]""",
    "maps": """
        const map = new Map(), object = {};
        for (let i = 0; i < 50; i++) { const key = 'k' + (i * 7919 % 101); map.set(key, i); object[key] = i; if (i % 3 == 0) map.delete('k' + i) }
        [[...map.keys()].join(), Object.keys(object).join(), [...new Set([{}, [], () => 1].map(String))], new WeakMap() + '']""",
    "JSON": 'JSON.stringify(JSON.parse(\'{"b": [1, {"a": null}], "a": 1e21, "2": 0, "1": 0}\'), null, 1)',
    "regexps": r"['aBc-12', 'x\u{1F600}y'].map(s => s.replace(/(?<l>\p{L})|(\d)/gu, (m, l, d, at) => `<${m}${at}>`)).concat([/^(a+)+$/.test('a'.repeat(18) + '!')])",
    "sorting": "Array.from({length: 500}, (_, i) => i * 7919 % 503).sort((a, b) => b % 10 - a % 10).slice(0, 40)",
    "modules": "const m = await import('a'); [m.a, Object.keys(m), {...await m.default()}]",
    "host functions": "[add(1, 2), add('a', 'b'), mapped(new Map([[1, {}], ['x', [2]]])), back(n => add(n, 1)), typeof add]",
    "async host functions": "[await later(1), await Promise.all([later('a'), later('b'), later('c')]), wait(5), await later(later(1))]",
    "iterators": "const seen = []; for (const n of counting(4)) seen.push(n); for await (const n of counting(3)) seen.push(n); seen",
    "objects of the host": "shop.stock = 5; [shop.stock, shop.price('tea'), Object.keys(shop)]",
    "exceptions": """
        const caught = [];
        for (const f of [() => fail('v'), () => fail('t'), () => null.x, () => { throw {a: 1} }, () => decodeURI('%'), () => eval('('), () => add(Symbol())])
            try { f() } catch (e) { caught.push(e.name ?? typeof e, e.message, String(e.stack)) }
        caught""",
    "recursion": "const deep = n => n ? deep(n - 1) + 1 : 0; let depth = 0; const dive = () => { depth++; dive() }; try { dive() } catch (e) { } [deep(500), depth]",
    "garbage": """
        const gone = [], registry = new FinalizationRegistry(name => gone.push(name));
        const refs = [];
        for (let i = 0; i < 200; i++) { const o = {i, big: new Array(500).fill(i)}; o.self = o; registry.register(o, i); if (i % 50 == 0) refs.push(new WeakRef(o)) }
        for (let i = 0; i < 20; i++) { new Array(20000).fill({}); await new Promise(done => setTimeout(done, 1)) }
        [gone.length, gone.slice(0, 30), refs.map(ref => ref.deref()?.i)]""",
    "messages": """
        const {port1, port2} = new MessageChannel(), got = [];
        port2.onmessage = event => got.push(event.data);
        port1.postMessage({a: new Date(5), b: new Uint8Array([1])}); port1.postMessage(structuredClone(new Map([[1, 2]])));
        await new Promise(done => setTimeout(done, 5));
        port1.close();
        got""",
    "events": """
        const target = new EventTarget(), seen = [], controller = new AbortController();
        target.addEventListener('x', event => seen.push(event.type, event.timeStamp), {once: true, signal: controller.signal});
        target.dispatchEvent(new Event('x')); target.dispatchEvent(new Event('x'));
        const signal = AbortSignal.timeout(20);
        await new Promise(done => signal.onabort = done);
        [seen, signal.reason.name, performance.now()]""",
    "digests": "[...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('abc')))]",
    "URLs": "[new URL('//ü.example:80/%zz/../x?q=ä#f', 'http://a/b').href, new URLSearchParams([['b', '2'], ['a', '1']]).toString(), new URLPattern({pathname: '/:id(\\\\d+)'}).exec('http://a/12').pathname.groups]",
    "console": "console.log(new Map([[{a: 1}, new Set([1])]]), Symbol('s'), () => 1); console.table([{x: 1}]); console.time('t'); console.timeEnd('t'); console.trace('here'); 1",
    "text": "[new TextDecoder('shift_jis').decode(new Uint8Array([0x82, 0xa0])), 'İ'.toLowerCase(), 'ﬀ'.normalize('NFKD'), [...'e\\u0301👨‍👩‍👧'].length, 'a'.localeCompare('B')]",
    "generators": "function* g() { try { yield* [1, 2]; return 3 } finally { yield 4 } } const it = g(); [it.next(), it.return(9), it.next(), [...g()]]",
    "uncaught": "Promise.reject(new Error('nobody')); setTimeout(() => { throw new TypeError('task') }, 1); await new Promise(done => setTimeout(done, 5)); 1",
    "thrown": "throw new RangeError('out', {cause: {code: 7}})",
    "no program": "let let = 1",
    "files": """
        const fs = await import('node:fs/promises');
        await fs.mkdir('/made/deep', {recursive: true});
        await fs.writeFile('/made/a.txt', 'one\\n'); await fs.appendFile('/made/a.txt', await fs.readFile('/data/old.txt'));
        const directory = await navigator.storage.getDirectory();
        const handle = await directory.getFileHandle('b.bin', {create: true}), writable = await handle.createWritable();
        await writable.write(new Uint8Array(5000).fill(7)); await writable.seek(1); await writable.write('x'); await writable.close();
        const names = [], failed = await fs.readFile('/none').catch(error => [error.code, error.message]);
        for await (const name of directory.keys()) names.push(name);
        [await fs.readFile('/made/a.txt', 'utf8'), names.sort(), (await (await handle.getFile()).bytes()).slice(0, 3), failed, await fs.readdir('/made')]""",
    "a restored sandbox": """
        await new Promise(done => setTimeout(done, 60));
        log.push(kept(1, 2), kept === add, count++, new Point(4).twice, texts.length, Math.random(), crypto.randomUUID(), await later('here'));
        log""",
    "typed arrays": "[new Float32Array([1.1, NaN, -0]), new BigInt64Array([1n, -1n]), new DataView(new ArrayBuffer(2)), Uint8Array.from({length: 300}, (_, i) => i * i)]",
}

PASTS: Final = {
    "a restored sandbox": """
        const log = [], kept = add, texts = Array.from({length: 3000}, (_, i) => 'text ' + i);
        let count = 1;
        class Point { #x; constructor(x) { this.#x = x } get twice() { return 2 * this.#x } }
        setTimeout(async () => log.push('timer', performance.now() >= 20, await later('asked for')), 20);
        Promise.resolve('reaction').then(async value => { await new Promise(done => setTimeout(done, 30)); log.push(value) });
        0"""
}
"""What was run before a snapshot was taken, with which the program begins."""


def add(left: Any, right: Any) -> Any:
    return left + right


def fail(which: str) -> None:
    raise {"v": ValueError("no such value"), "t": TypeError("no such type")}[which]


def mapped(value: Any) -> Any:
    return JSMap([(key, [item]) for key, item in value.items()])


def back(function: JSFunction) -> Any:
    return [function(number) for number in range(3)]


def counting(most: int) -> Any:
    return iter(range(most))


async def later(value: Any) -> Any:
    await anyio.lowlevel.checkpoint()
    return value


class Shop:
    """Exposed to the guest."""

    def __init__(self) -> None:
        self.stock = 3

    def price(self, item: str) -> float:
        return len(item) * 1.5


def functions() -> dict[str, Any]:
    """Host functions of every kind."""
    return {
        "add": add,
        "fail": fail,
        "mapped": mapped,
        "back": back,
        "later": later,
        "counting": counting,
        "wait": HostFunction(later, wait=True),
    }


def files() -> MemoryFiles:
    """A store of files."""
    return MemoryFiles({"data/old.txt": "two"}, clock=lambda: 1_000_000_000.0)


def host_globals() -> dict[str, Any]:
    """Values of the host, in the guest."""
    return {"shop": expose(Shop(), "price", writable=("stock",))}
