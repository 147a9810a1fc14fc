"""serve in the guest: what it takes, what it refuses, and what programs can reach of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox import JSError, Request, Sandbox
from sandbox._dispatch import enter
from sandbox.errors import NotServing

_URL = "http://a.test/"


def _ask(box: Sandbox, path: str = "") -> str:
    return box.dispatch(Request("POST", _URL + path, body=b"body")).content().decode()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("serve()", "TypeError TypeError: Failed to execute 'serve': 1 argument required, but only 0 present."),
        ("serve(1)", "TypeError TypeError: Failed to execute 'serve': parameter 1 is not an object."),
        ("serve({})", "TypeError TypeError: Failed to execute 'serve': 'fetch' is not a function."),
        (
            "serve({fetch() {}, websocket: 1})",
            "TypeError TypeError: Failed to execute 'serve': 'websocket' is not an object.",
        ),
        (
            "serve({fetch() {}, websocket: {open: 1}})",
            "TypeError TypeError: Failed to execute 'serve': 'websocket.open' is not a function.",
        ),
        ("serve({get fetch() { throw new RangeError('mine') }})", "RangeError RangeError: mine"),
    ],
)
def test_refusals(box: Sandbox, refused: Callable[[str], str], code: str, expected: str) -> None:
    assert refused(code) == expected
    with pytest.raises(NotServing):
        _ask(box)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("server.upgrade()", "TypeError"),
        ("server.upgrade({})", "TypeError"),
        ("server.upgrade(request, 1)", "TypeError"),
        ("server.upgrade(request, {headers: {'a b': 'c'}})", "TypeError"),
        ("server.upgrade(new Request(request))", "false"),
        ("server.upgrade(request, {data: 1})", "false"),
        ("Object.isFrozen(server)", "true"),
        ("request.headers.set('a', 'b')", "TypeError"),
        ("request.signal === request.signal && !request.signal.aborted", "true"),
        ("new Request(request).signal.aborted", "false"),
        ("request.method + request.bodyUsed + request.mode", "POSTfalsecors"),
        ("[...request.headers.keys()].length", "0"),
    ],
)
def test_what_a_handler_gets(box: Sandbox, code: str, expected: str) -> None:
    box.eval(f"""
        serve({{fetch(request, server) {{
          try {{ return new Response(String({code})) }} catch (error) {{ return new Response(error.name) }}
        }}}});
    """)
    assert _ask(box) == expected


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("export default {fetch: () => new Response('plain')}", "plain"),
        ("export default class { static fetch() { return new Response('class') } }", "class"),
        ("export default {name: 'this', fetch() { return new Response(this.name) }}", "this"),
        ("await null; export default {fetch: () => new Response('later')}", "later"),
        (
            "serve({fetch: () => new Response('called')}); export default {fetch: () => new Response('export')}",
            "called",
        ),
        ("export default {fetch: async (r) => new Response(await r.text())}", "body"),
    ],
)
def test_exports(box: Sandbox, module: str, expected: str) -> None:
    box.module(module)
    assert _ask(box) == expected


@pytest.mark.parametrize(
    "module",
    [
        "export const fetch = () => new Response()",
        "export default 1",
        "export default null",
        "export default {fetch: 1}",
        "export default () => new Response()",
        "export default {get fetch() { throw new Error() }}",
    ],
)
def test_exports_that_serve_nothing(box: Sandbox, module: str) -> None:
    with pytest.raises((JSError, NotServing)):
        box.module(module)
        _ask(box)
    assert box.eval("1") == 1


def test_the_last_export_counts() -> None:
    with Sandbox(modules={"other": "export default {fetch: () => new Response('imported')}"}) as box:
        box.module("import other from 'other'; export default {fetch: () => new Response('main')}")
        assert _ask(box) == "main", "what another module imports serves nothing"
        box.import_module("other")
        assert _ask(box) == "imported"


def test_a_thenable_is_waited_for(box: Sandbox) -> None:
    box.eval("serve({fetch: () => ({then(done) { done(new Response('thenable')) }})})")
    assert _ask(box) == "thenable"


def test_a_subclass_is_a_response(box: Sandbox) -> None:
    box.eval("serve({fetch: () => new class extends Response {}('sub')})")
    assert _ask(box) == "sub"


def test_a_request_that_is_proxied_is_aborted_with_it() -> None:
    """What a handler makes of its request has its signal."""
    with Sandbox() as box:
        box.eval("""
            serve({async fetch(request) {
              const copy = new Request(request);
              copy.signal.addEventListener("abort", () => { globalThis.aborted = true; });
              return new Response(new ReadableStream({pull(c) { c.enqueue(new Uint8Array(1)) }}));
            }});
        """)
        response = box.dispatch(Request("GET", _URL))
        next(response.body)  # type: ignore[call-overload] # an iterator
        response.body.close()  # type: ignore[union-attr] # of chunks
        assert box.eval("aborted")


def test_no_name_but_serve(box: Sandbox) -> None:
    assert box.eval("typeof serve + serve.length + serve.name") == "function1serve"
    assert box.eval("typeof Server + typeof ServerWebSocket") == "undefinedundefined"


_POISON = """
const {EvalError} = globalThis;
const poisoned = function () { throw new EvalError("reached"); };
const {getOwnPropertyNames, getOwnPropertySymbols, getOwnPropertyDescriptor, defineProperty, getPrototypeOf} = Object;
const accessor = {__proto__: null, get: poisoned, set: poisoned, configurable: true};
const targets = [Array.prototype, Map.prototype, WeakMap.prototype, Function.prototype, String.prototype, Promise,
  RegExp.prototype, ArrayBuffer.prototype, Uint8Array.prototype, getPrototypeOf(Uint8Array.prototype), Error.prototype,
  getPrototypeOf([].values()), Reflect, JSON, ReadableStream.prototype, WritableStream.prototype, Headers.prototype,
  Request.prototype, Response.prototype, AbortSignal.prototype, EventTarget.prototype, DOMException.prototype];
const fields = ["get", "set", "value", "0", "1", "size", "done", "target", "data", "headers", "message"];
const globals = ["Map", "Promise", "TypeError", "Uint8Array", "Error", "DOMException", "WeakMap", "Reflect"];
for (let k = 0; k < targets.length; k++) {
  const keys = getOwnPropertyNames(targets[k]);
  const symbols = getOwnPropertySymbols(targets[k]);
  for (let i = 0; i < symbols.length; i++) keys[keys.length] = symbols[i];
  for (let i = 0; i < keys.length; i++) {
    const {value, get, configurable} = getOwnPropertyDescriptor(targets[k], keys[i]);
    if (!configurable || keys[i] === "constructor") continue;
    if (typeof value === "function") targets[k][keys[i]] = poisoned;
    else if (get !== undefined && typeof keys[i] === "string") defineProperty(targets[k], keys[i], accessor);
  }
}
Promise.prototype.then = poisoned;
for (let i = 0; i < globals.length; i++) globalThis[globals[i]] = poisoned;
for (let i = 0; i < fields.length; i++) defineProperty(Object.prototype, fields[i], accessor);
0;
"""


def test_the_bindings_reach_nothing_of_a_hostile_program(box: Sandbox) -> None:
    box.eval("""
        const bytes = [new TextEncoder().encode("one"), new TextEncoder().encode("two")];
        const {Response, ReadableStream} = globalThis;
        globalThis.log = "";
        serve({
          fetch(request, server) {
            if (server.upgrade(request, {__proto__: null, data: 1})) return;
            let i = 0;
            return new Response(new ReadableStream({
              __proto__: null, pull(c) { if (i === 2) c.close(); else c.enqueue(bytes[i++]); },
            }));
          },
          websocket: {
            open(ws) { log += "open" + ws.send("x") + ws.readyState; },
            message(ws, m) { log += m; ws.close(4000, "r"); throw 5; },
            close(ws, code, reason) { log += code + reason; },
            error(ws, error) { log += error; },
          },
        });
    """)
    box.eval(_POISON)
    for body in (b"whole", [b"in", b"parts"]):
        response = box.dispatch(Request("POST", _URL, body=body))
        assert response.content() == b"onetwo"

    def tell(name: str, *arguments: object) -> object:
        return box._perform(enter(box._driver, name, *arguments))

    served = box._serve.begin(may_upgrade=True)
    tell("serve.fetch", served.number, "GET", _URL, ["a", "b"], None, True)
    assert served.head is not None and served.head.status == 101
    tell("serve.open", served.number)
    tell("serve.message", served.number, ["m", "n"])
    tell("serve.closed", served.number, 4000, "r", None)
    assert box.eval("log") == "open11m54000r"
