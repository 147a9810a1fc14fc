"""What the engine brings along, in the standards' shape; and what stacks give away of the bindings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox import ConsoleEntry, JSError, Limits, Sandbox, undefined
from sandbox.errors import MemoryLimitExceeded


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("", ""),
        ("a", "YQ=="),
        ("ab", "YWI="),
        ("abc", "YWJj"),
        ("abcd", "YWJjZA=="),
        ("\xff\xfe\x00", "//4A"),
        ("\xfb\xff", "+/8="),
    ],
)
def test_base64(box: Sandbox, text: str, encoded: str) -> None:
    assert box.call("btoa", text) == encoded
    assert box.call("atob", encoded) == text


@pytest.mark.parametrize(
    ("encoded", "text"),
    [("YQ", "a"), ("YWI", "ab"), (" Y W\tJ\nj\f\r", "abc"), ("YQ= =", "a"), ("YR==", "a"), ("    ", "")],
)
def test_lenient_base64(box: Sandbox, encoded: str, text: str) -> None:
    assert box.call("atob", encoded) == text


@pytest.mark.parametrize(
    "encoded", ["a", "abcde", "=", "a=", "ab=", "abc==", "ab==c", "a-b_", "ab\\0d", "\\u00e9abc", "abc\\v"]
)
def test_what_is_not_base64(refused: Callable[[str], str], encoded: str) -> None:
    assert refused(f"atob('{encoded}')").startswith("DOMException InvalidCharacterError: ")


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("btoa(null)", "bnVsbA=="),
        ("btoa(undefined)", "dW5kZWZpbmVk"),
        ("atob(null)", "\x9eée"),
        ("btoa([1, 2])", "MSwy"),
    ],
)
def test_base64_of_other_values(box: Sandbox, code: str, value: str) -> None:
    assert box.eval(code) == value


def test_btoa_takes_bytes_only(refused: Callable[[str], str]) -> None:
    assert refused("btoa('\\u0100')").startswith("DOMException InvalidCharacterError: ")


def test_microtasks_run_in_order_before_tasks(box: Sandbox) -> None:
    code = """
    const seen = [];
    setTimeout(() => seen.push("task"));
    queueMicrotask(() => { seen.push(1); queueMicrotask(() => seen.push(3)) });
    Promise.resolve().then(() => seen.push(2));
    await new Promise(go => setTimeout(go, 1));
    seen
    """
    assert box.eval(code) == [1, 2, 3, "task"]


@pytest.mark.parametrize("callback", ["undefined", "'code'", "{}"])
def test_a_microtask_is_a_function(refused: Callable[[str], str], callback: str) -> None:
    assert refused(f"queueMicrotask({callback})").startswith("TypeError TypeError: ")


def test_an_error_in_a_microtask_leaves_the_others(box: Sandbox) -> None:
    with pytest.raises(JSError, match="first"):
        box.eval("let ran = 0; queueMicrotask(() => { throw new Error('first') }); queueMicrotask(() => { ran++ }); 0")
    assert box.eval("ran") == 1


def test_a_reported_error_reaches_the_host_and_the_program_goes_on(box: Sandbox) -> None:
    with pytest.raises(JSError, match="told") as caught:
        box.eval("var after = 0; reportError(new RangeError('told')); after = 1", filename="main.js")
    assert caught.value.name == "RangeError"
    assert box.eval("after") == 1


@pytest.mark.parametrize("value", ["'text'", "null", "undefined", "Symbol('s')", "{ a: 1 }", "new Proxy({}, {})"])
def test_anything_can_be_reported(box: Sandbox, value: str) -> None:
    with pytest.raises(JSError):
        box.eval(f"reportError({value})")
    assert box.eval("1 + 1") == 2


def test_self_is_the_global_object(box: Sandbox) -> None:
    assert box.eval("self === globalThis && self.self === self && self.setTimeout === setTimeout")


# --- stacks ---


@pytest.mark.parametrize(
    "code",
    [
        "new URL('::')",
        "structuredClone(() => {})",
        "setTimeout()",
        "crypto.getRandomValues()",
        "console.count(Symbol())",
        "new URLSearchParams().append('a')",
        "new TextDecoder('x')",
    ],
)
def test_an_error_points_at_the_caller(box: Sandbox, code: str) -> None:
    stack = box.eval(f"let found; try {{\n {code} }} catch (error) {{ found = error.stack }} found", filename="main.js")

    assert stack.startswith("    at <eval> (main.js:2:")
    assert stack.count("\n") == 1


# The functions and files of the call sites that a program sees where the host and the bindings call it.
SITES = """
var sites = () => {
  const saved = Error.prepareStackTrace;
  let found = [];
  Error.prepareStackTrace = (_, sites) => {
    for (const site of sites) {
      for (const key of Object.getOwnPropertyNames(Object.getPrototypeOf(site))) {
        const value = typeof site[key] === "function" && key !== "constructor" ? site[key]() : null;
        if (typeof value === "object" ? value !== null : typeof value === "function") found.push(key);
        if (key === "getFileName" && value !== null && value !== "main.js") found.push(value);
      }
    }
    found.seen = sites.length;
  };
  new Error();
  Error.prepareStackTrace = saved;
  return found.seen > 0 ? found : ["no call site was seen"];
};
"""


@pytest.mark.parametrize(
    "code",
    [
        "sites()",
        "let found; [2, 1].sort(() => { found = sites(); return 0 }); found",
        "let found; new URLSearchParams('a=1').forEach(() => { found = sites() }); found",
        "let found; new URL({ toString() { found = sites(); return 'a:b' } }); found",
        "let found; structuredClone({ get a() { found = sites() } }); found",
        "let found; console.count({ toString() { found = sites(); return 'a' } }); found",
        "let found; console.table([], { *[Symbol.iterator]() { found = sites() } }); found",
        "let found; new TextDecoder('utf-8', { get fatal() { found = sites() } }); found",
        "new Promise(done => setTimeout(() => done(sites())))",
        "new Promise(done => queueMicrotask(() => done(sites())))",
        "let found; try { reportError({ get name() { found ??= sites() } }) } catch {} found ?? []",
    ],
)
def test_call_sites_give_no_function_away(box: Sandbox, code: str) -> None:
    box.eval(SITES, filename="main.js")
    if code.startswith("let found; try { reportError"):
        with pytest.raises(JSError):
            box.eval(code, filename="main.js")
        assert box.eval("found ?? []", filename="main.js") == []
    else:
        assert box.eval(code, filename="main.js") == []


def test_call_sites_below_a_host_call_give_no_function_away() -> None:
    found: list[object] = []

    def on_entry(_: ConsoleEntry) -> None:
        if not found:
            found.append(None)
            found.append(box.eval("sites()", filename="main.js"))

    with Sandbox(console=on_entry) as box:
        box.eval(SITES, filename="main.js")
        # The entry is delivered while the native function behind randomUUID waits for the host.
        box.eval("console.log('now'); crypto.randomUUID()", filename="main.js")
    assert found == [None, []]


def test_what_hides_functions_can_only_be_taken_away(box: Sandbox) -> None:
    code = """
    let prototype;
    Error.prepareStackTrace = (_, sites) => { prototype = Object.getPrototypeOf(sites[0]) };
    new Error();
    [prototype.getFunction.call({}), delete prototype.getFunction, "getFunction" in prototype]
    """
    assert box.eval(code) == [undefined, True, False]


@pytest.mark.parametrize("source", ["a-b", "a::b", "a\\]", "a/b", "(a)(b)", "x|y", "--", "[a--b]", "[a\\-b]"])
def test_the_rules_of_classes_hold_in_classes_only(box: Sandbox, source: str) -> None:
    assert box.eval("source => new RegExp(source, 'v').source")(source) == source.replace("/", "\\/")


@pytest.mark.parametrize("source", ["[(]", "[a::b]", "[a-]", "]", "{", "a**"])
def test_what_the_flag_v_refuses(refused: Callable[[str], str], source: str) -> None:
    assert refused(f"new RegExp('{source}', 'v')").startswith("SyntaxError SyntaxError: ")


def test_shared_memory_that_grows(box: Sandbox) -> None:
    box.eval("const shared = new SharedArrayBuffer(2, {maxByteLength: 70000}), view = new Uint8Array(shared)")
    assert box.eval("[shared.growable, shared.maxByteLength, view.length]") == [True, 70000, 2]
    box.eval("view[1] = 7; shared.grow(70000)")
    assert box.eval("[view.length, view[1], view[69999]]") == [70000, 7, 0]


@pytest.mark.parametrize("code", ["new SharedArrayBuffer(1e9)", "new SharedArrayBuffer(0, {maxByteLength: 1e9})"])
def test_shared_memory_counts(code: str) -> None:
    with Sandbox(limits=Limits(memory_bytes=16 << 20)) as box:
        with pytest.raises(MemoryLimitExceeded):
            box.eval(code)
        box.eval("for (let i = 0; i < 100; i++) new SharedArrayBuffer(1e6, {maxByteLength: 2e6})")
        assert box.eval("new SharedArrayBuffer(1e6).byteLength") == 1_000_000


@pytest.mark.parametrize(
    ("call", "value", "left"),
    [
        ("add(numbers, 1, 5)", 2, 7),
        ("sub(numbers, 1, 5)", 2, -3),
        ("or(numbers, 1, 5)", 2, 7),
        ("exchange(numbers, 1, 5)", 2, 5),
        ("compareExchange(numbers, 1, 2, 5)", 2, 5),
        ("compareExchange(numbers, 1, 3, 5)", 2, 2),
        ("store(numbers, 1, 5.5)", 5, 5),
        ("load(numbers, 1)", 2, 2),
        ("notify(numbers, 1)", 0, 2),
    ],
)
def test_atomics(box: Sandbox, call: str, value: int, left: int) -> None:
    box.eval("const numbers = new Int32Array(new SharedArrayBuffer(8)); numbers[1] = 2")
    assert box.eval(f"[Atomics.{call}, numbers[1]]") == [value, left]


@pytest.mark.parametrize(("index", "name"), [("0", "TypeError"), ("1e9", "RangeError"), ("-1", "RangeError")])
def test_nothing_waits_by_atomics(box: Sandbox, index: str, name: str) -> None:
    with pytest.raises(JSError) as caught:
        box.eval(f"Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), {index}, 0)")
    assert caught.value.name == name


@pytest.mark.parametrize("call", ["store(view, 0, 1)", "add(view, 0, 1)", "compareExchange(view, 0, 0, 1)"])
def test_atomics_change_nothing_immutable(box: Sandbox, call: str) -> None:
    box.eval("const view = new Uint8Array(new ArrayBuffer(2).transferToImmutable())")
    with pytest.raises(JSError, match="immutable"):
        box.eval(f"Atomics.{call}")
    assert box.eval("[Atomics.load(view, 0), view]") == [0, bytes(2)]


def test_arrays_that_shrink_under_atomics(box: Sandbox) -> None:
    box.eval("const buffer = new ArrayBuffer(64, {maxByteLength: 128}), words = new Int32Array(buffer)")
    for call in ("store(words, 15, evil)", "add(words, 15, evil)", "store(words, evil, 1)"):
        box.eval("buffer.resize(64); var evil = {valueOf() { buffer.resize(0); return 15 }}")
        with pytest.raises(JSError, match="out-of-bound"):
            box.eval(f"Atomics.{call}")
