"""Streams in a world where guest code has replaced or polluted what it can reach: they work as before.

Every program is run twice in one sandbox, before and after a poison, and must give the same. The poisons note what of
them was reached, which must be nothing; only what the standards have a stream ask for is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox import Sandbox

# Each is the body of an async function of text. What they give to streams has no prototype, since Web IDL reads the
# members of such objects wherever they are. Their own functions give no promises, which would be asked for `then`.
PROGRAMS = {
    "compression": """
        let text = "", chunks = 0;
        const data = new Bytes(200000);
        const source = new ReadableStream({ __proto__: null, start(c) { c.enqueue(data); c.close(); } });
        const there = source.pipeThrough(new CompressionStream("gzip"), none);
        const sink = new WritableStream({ __proto__: null, write() { chunks++; } });
        await there.pipeThrough(new DecompressionStream("gzip"), none).pipeTo(sink, none);
        const junk = new ReadableStream({ __proto__: null, start(c) { c.enqueue(data); c.close(); } });
        try { await junk.pipeThrough(new DecompressionStream("deflate"), none).pipeTo(new WritableStream(), none); }
        catch (error) { text += error.message; }
        return text + chunks;
    """,
    "a pipe through transforms": """
        let n = 0, text = "";
        const source = new ReadableStream({ __proto__: null, pull(c) { if (n < 5) c.enqueue(n++); else c.close(); } });
        const double = new TransformStream({ __proto__: null, transform(x, c) { c.enqueue(2 * x); } });
        const last = new TransformStream({ __proto__: null, transform(x, c) { c.enqueue(x); },
                                           flush(c) { c.enqueue("end"); } });
        const sink = new WritableStream({ __proto__: null, write(x) { text += x + " "; },
                                          close() { text += "closed"; } });
        await source.pipeThrough(double, none).pipeThrough(last, none).pipeTo(sink, none);
        return text;
    """,
    "failures on both sides of a pipe": """
        let text = "";
        const failing = new ReadableStream({ __proto__: null, pull() { throw "failed"; } });
        const sink = new WritableStream({ __proto__: null, abort(r) { text += "aborted " + r + " "; } });
        try { await failing.pipeTo(sink, none); } catch (error) { text += error + " "; }
        const source = new ReadableStream({ __proto__: null, pull(c) { c.enqueue(1); },
                                            cancel(r) { text += "cancelled " + r + " "; } });
        const refusing = new WritableStream({ __proto__: null, write() { throw "refused"; } });
        try { await source.pipeTo(refusing, none); } catch (error) { text += error; }
        return text;
    """,
    "a pipe that is aborted": """
        let text = "";
        const controller = new AbortController();
        const source = new ReadableStream({ __proto__: null, cancel(r) { text += "cancelled " + r + " "; } });
        const sink = new WritableStream({ __proto__: null, start(c) { text += c.signal.aborted + " "; },
                                          abort(r) { text += "aborted " + r + " "; } });
        const piping = source.pipeTo(sink, { __proto__: null, signal: controller.signal });
        controller.abort("enough");
        try { await piping; } catch (error) { text += error; }
        return text;
    """,
    "a tee": """
        let text = "";
        const source = new ReadableStream({ __proto__: null, start(c) { c.enqueue("a"); c.enqueue("b"); c.close(); } });
        const branches = source.tee();
        const into = (name) => new WritableStream({ __proto__: null, write(x) { text += name + x; } });
        const first = branches[0].pipeTo(into("1"), none);
        await branches[1].pipeTo(into("2"), none);
        await first;
        return text;
    """,
    "a tee of bytes": """
        let text = "";
        const source = new ReadableStream({ __proto__: null, type: "bytes",
                                            start(c) { c.enqueue(bytes(1, 2)); c.enqueue(bytes(3)); c.close(); } });
        const branches = source.tee();
        const into = (name) => new WritableStream({ __proto__: null, write(x) { text += name + x[0]; } });
        const first = branches[0].pipeTo(into("f"), none);
        await branches[1].pipeTo(into("s"), none);
        await first;
        return text;
    """,
    "a reader that brings buffers": """
        let text = "";
        const source = new ReadableStream({ __proto__: null, type: "bytes", pull(c) {
          const request = c.byobRequest;
          request.view[0] = 7;
          request.view[1] = 8;
          request.respond(2);
        } });
        const reader = source.getReader({ __proto__: null, mode: "byob" });
        const result = await reader.read(bytes(0, 0, 0, 0), { __proto__: null, min: 3 });
        text += result.value[0] + "," + result.value[3] + "," + result.done;
        await reader.cancel("why");
        await reader.closed;
        reader.releaseLock();
        return text;
    """,
    "a loop": """
        let text = "";
        const start = (c) => { for (let i = 0; i < 4; i++) c.enqueue(i); };
        for await (const chunk of new ReadableStream({ __proto__: null, start })) {
          text += chunk;
          if (chunk === 2) break;
        }
        return text;
    """,
    "a queue with sizes": """
        let text = "";
        const source = new ReadableStream({ __proto__: null, start(c) {
          c.enqueue("abc");
          text += c.desiredSize + " ";
          c.close();
        } }, { __proto__: null, highWaterMark: 5, size(chunk) { return chunk.length; } });
        const sink = new WritableStream({ __proto__: null, write(x) { text += x; } },
                                        { __proto__: null, highWaterMark: 10, size(chunk) { return chunk.length; } });
        await source.pipeTo(sink, none);
        return text;
    """,
    "a writer": """
        let text = "";
        const sink = { __proto__: null, write(x) { text += x; }, abort(r) { text += "aborted " + r; } };
        const writer = new WritableStream(sink).getWriter();
        text += writer.desiredSize;
        const writing = writer.write("a");
        text += writer.desiredSize;
        await writer.ready;
        await writing;
        await writer.abort("now");
        try { await writer.closed; } catch (error) { text += " " + error; }
        return text;
    """,
    "an iterator as a source": """
        let text = "", n = 0;
        const iterator = { __proto__: null,
          next() { return { __proto__: null, done: n === 3, value: n++ }; },
          return() { text += "returned"; return { __proto__: null, done: true }; } };
        const iterable = { __proto__: null, [asyncIterator]() { return iterator; } };
        const sink = new WritableStream({ __proto__: null, write(x) { text += x; } });
        await ReadableStream.from(iterable).pipeTo(sink, none);
        return text;
    """,
    "text to bytes and back": """
        let text = "";
        const source = new ReadableStream({ __proto__: null, start(c) {
          c.enqueue("a\\ud83d");
          c.enqueue("\\ude00");
          c.close();
        } });
        const sink = new WritableStream({ __proto__: null, write(x) { text += x; } });
        const bytesOf = source.pipeThrough(new TextEncoderStream(), none);
        await bytesOf.pipeThrough(new TextDecoderStream("utf-8", none), none).pipeTo(sink, none);
        return text;
    """,
    "a stream that is transferred": """
        let text = "";
        const source = new ReadableStream({ __proto__: null, start(c) { c.enqueue("a"); c.enqueue("b"); c.close(); } });
        const moved = structuredClone(source, { __proto__: null, transfer: listOf(source) });
        await moved.pipeTo(new WritableStream({ __proto__: null, write(x) { text += x; } }), none);
        return text;
    """,
}

POISONS = {
    "Promise.prototype.then": "replace(Promise.prototype, ['then', 'catch', 'finally'])",
    "the promise's constructor": """
        for (const key of ["resolve", "reject", "all", "race", "withResolvers"]) replace(Promise, [key]);
        trap(Promise, Symbol.species)""",
    "members of Object.prototype": """
        for (const key of ["start", "pull", "cancel", "type", "autoAllocateChunkSize", "write", "close", "abort",
          "flush", "transform", "readableType", "writableType", "size", "highWaterMark", "mode", "min",
          "preventAbort", "preventCancel", "preventClose", "signal", "readable", "writable", "value", "done", "next",
          "return", "stream", "chunk", "error", "reason", "promise", "get", "set", "view", "buffer", "transfer"]) {
          trap(Object.prototype, key);
        }""",
    "Object.prototype.then": "trap(Object.prototype, 'then')",
    "arrays": """
        replace(Array.prototype, [Symbol.iterator, "push", "shift", "splice", "concat"]);
        trap(Array.prototype, 0); trap(Array.prototype, 1); trap(Object.prototype, 0); trap(Object.prototype, 1)""",
    "iterators": """
        const AsyncIterator = Object.getPrototypeOf(Object.getPrototypeOf((async function* () {}).prototype));
        replace(AsyncIterator, [Symbol.asyncIterator]);
        replace(Object.getPrototypeOf([].values()), ["next"])""",
    "buffers": """
        replace(ArrayBuffer.prototype, ["slice", "transfer", "transferToFixedLength", "resize"]);
        for (const key of ["byteLength", "detached", "resizable", "maxByteLength"]) trap(ArrayBuffer.prototype, key);
        trap(ArrayBuffer, Symbol.species);
        const TypedArray = Object.getPrototypeOf(Uint8Array);
        replace(TypedArray.prototype, ["set", "slice", "subarray", Symbol.iterator]);
        for (const key of ["buffer", "byteLength", "byteOffset", "length"]) trap(TypedArray.prototype, key);
        trap(TypedArray, Symbol.species)""",
    "functions": "replace(Function.prototype, ['call', 'apply', 'bind']); replace(Reflect, ['apply', 'construct'])",
    "the classes of streams": """
        for (const name of ["ReadableStream", "ReadableStreamDefaultReader", "ReadableStreamBYOBReader",
          "WritableStream", "WritableStreamDefaultWriter", "TransformStream", "AbortSignal", "TextDecoder",
          "TextEncoder"]) {
          const { prototype } = globalThis[name];
          const used = ["getReader", "getWriter", "pipeTo", "pipeThrough", "tee", "read", "write", "cancel", "abort",
            "ready", "closed", "releaseLock", "desiredSize", "aborted", "readable", "writable", "signal", asyncIterator,
          ];
          for (const key of Reflect.ownKeys(prototype)) {
            if (key === "constructor" || used.includes(key)) continue;
            const { value } = Object.getOwnPropertyDescriptor(prototype, key);
            if (typeof value === "function") replace(prototype, [key]);
            else if (typeof key === "string") trap(prototype, key);
          }
        }""",
    "globals": """
        const gone = ["Promise", "Uint8Array", "ArrayBuffer", "DataView", "Map", "Object", "Array", "Symbol", "Reflect",
          "TypeError", "RangeError", "DOMException", "TextDecoder", "TextEncoder", "Event", "AbortSignal",
          "MessageChannel", "queueMicrotask", "ReadableStreamDefaultReader", "ReadableStreamDefaultController",
          "WritableStreamDefaultWriter", "CountQueuingStrategy"];
        for (const name of gone) trap(globalThis, name)""",
}

# What the standards ask for: the result of a read is an ordinary object, and a promise is resolved with it.
ASKED_FOR = {
    ("a reader that brings buffers", "Object.prototype.then"): "; reached then",
    ("a loop", "Object.prototype.then"): "; reached then" * 4,
}

HARNESS = """
(() => {
  const reached = Object.setPrototypeOf([], null);
  const note = (what) => { reached[reached.length] = what; };
  const { defineProperty } = Object;
  const asyncIterator = Symbol.asyncIterator;
  const none = Object.create(null);
  const Bytes = Uint8Array;
  const text = String;
  const bytes = (...values) => {
    const view = new Bytes(values.length);
    for (let i = 0; i < values.length; i++) view[i] = values[i];
    return view;
  };
  const { iterator } = Symbol;
  // A list whose iterator is its own: the conversion of a sequence asks for one.
  const listOf = (value) => ({ __proto__: null, [iterator]() {
    let n = 0;
    return { __proto__: null, next: () => ({ __proto__: null, done: n++ > 0, value }) };
  } });
  const replace = (target, keys) => {
    for (const key of keys) {
      const value = function () { note(text(key)); throw "replaced"; };
      defineProperty(target, key, { __proto__: null, value, writable: true, configurable: true });
    }
  };
  const trap = (target, key) => {
    defineProperty(target, key, {
      __proto__: null,
      get() { note(text(key)); return undefined; },
      set() { note("set " + text(key)); },
      configurable: true,
    });
  };
  const program = async () => { %(program)s };
  const poison = () => { %(poison)s };
  return (async () => {
    const expected = await program();
    poison();
    reached.length = 0;
    let found;
    try { found = await program(); } catch (error) { found = "thrown: " + error; }
    let text = found === expected ? "the same" : found + " instead of " + expected;
    for (let i = 0; i < reached.length; i++) text += "; reached " + reached[i];
    return text;
  })();
})()
"""


@pytest.mark.parametrize("poison", POISONS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_streams_reach_nothing_of_the_program(box: Sandbox, program: str, poison: str) -> None:
    code = HARNESS % {"program": PROGRAMS[program], "poison": POISONS[poison]}

    assert box.eval(code) == "the same" + ASKED_FOR.get((program, poison), "")


@pytest.mark.parametrize(
    ("poison", "reached"),
    [
        ("Promise.prototype.then", "then"),
        ("arrays", "Symbol(Symbol.iterator)"),
        ("members of Object.prototype", "pull"),
    ],
)
def test_the_harness_notices_what_is_reached(box: Sandbox, poison: str, reached: str) -> None:
    careless = """
        if (reached.careful !== undefined) return "";
        try { new ReadableStream({ type: undefined, cancel() {} }); const [a] = ["x"]; return a; }
        finally { try { Promise.resolve(1).then(); } catch {} }
    """
    code = HARNESS % {"program": careless, "poison": POISONS[poison]}

    assert f"reached {reached}" in box.eval(code)
