"""WebSocket and CloseEvent in the guest: what they check, their shape, and events without a connection."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import JSError, Sandbox


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("'ws://a.test'", "ws://a.test/"),
        ("'WSS://A.test:443/x y?q'", "wss://a.test/x%20y?q"),
        ("'http://a.test:80/'", "ws://a.test/"),
        ("'https://a.test:8443'", "wss://a.test:8443/"),
        ("new URL('https://a.test/x')", "wss://a.test/x"),
        ("'ws://a.test/\\ud800'", "ws://a.test/%EF%BF%BD"),
    ],
)
def test_urls(box: Sandbox, given: str, url: str) -> None:
    assert box.eval(f"new WebSocket({given}).url") == url


def test_relative_urls(box: Sandbox) -> None:
    box.eval("globalThis.location = 'https://a.test:8443/x/y'")

    assert box.eval("[new WebSocket('z').url, new WebSocket('/w').url]") == [
        "wss://a.test:8443/x/z",
        "wss://a.test:8443/w",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        "'relative'",
        "''",
        "'ftp://a.test/'",
        "'about:blank'",
        "'ws://a.test:99999/'",
        "'ws://a.test/#'",
        "'ws://a.test/#fragment'",
        "'ws://a.test/', ''",
        "'ws://a.test/', 'a b'",
        "'ws://a.test/', 'a,b'",
        "'ws://a.test/', 'ä'",
        "'ws://a.test/', ['a', 'b', 'a']",
        "'ws://a.test/', ['a', 'A']",
        "'ws://a.test/', ['__proto__', '__proto__']",
        "'ws://a.test/', ['a\\r\\n']",
    ],
)
def test_what_cannot_be_opened(box: Sandbox, arguments: str) -> None:
    with pytest.raises(JSError) as raised:
        box.eval(f"new WebSocket({arguments})")

    assert (raised.value.js_class, raised.value.name) == ("DOMException", "SyntaxError")


@pytest.mark.parametrize("arguments", ["", "Symbol()", "'ws://a.test/', Symbol()", "'ws://a.test/', [Symbol()]"])
def test_arguments_that_are_none(box: Sandbox, arguments: str) -> None:
    with pytest.raises(JSError) as raised:
        box.eval(f"new WebSocket({arguments})")

    assert raised.value.name == "TypeError"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        *[(str(code), "InvalidAccessError") for code in (0, 999, 1001, 1004, 1005, 1006, 1015, 2999, 5000, -1, 70000)],
        ("NaN", "InvalidAccessError"),
        ("'only a reason'", "InvalidAccessError"),
        ("null", "InvalidAccessError"),
        ("1000, 'x'.repeat(124)", "SyntaxError"),
        ("4999, 'ä'.repeat(62)", "SyntaxError"),
        ("999, 'x'.repeat(124)", "InvalidAccessError"),
        ("1000, Symbol()", "TypeError"),
    ],
)
def test_what_cannot_be_closed_with(box: Sandbox, arguments: str, error: str) -> None:
    code = f"try {{ ws.close({arguments}) }} catch (e) {{ [e.name, ws.readyState] }}"

    assert box.eval(f"const ws = new WebSocket('ws://a.test'); {code}") == [error, 0]


@pytest.mark.parametrize("arguments", ["1000", "3000", "4999", "999.6", "1000, 'ä'.repeat(61)", "undefined, 'x'"])
def test_what_can_be_closed_with(box: Sandbox, arguments: str) -> None:
    assert box.eval(f"const ws = new WebSocket('ws://a.test'); ws.close({arguments}); ws.close(); ws.readyState") == 2


def test_nothing_can_be_sent_yet(box: Sandbox) -> None:
    code = """
        const ws = new WebSocket("ws://a.test");
        const names = [];
        for (const given of [["x"], [new Blob()], [], [Symbol()]]) {
          try { ws.send(...given) } catch (e) { names.push(e.name) }
        }
        [names, ws.bufferedAmount]
    """
    assert box.eval(code) == [["InvalidStateError", "InvalidStateError", "TypeError", "TypeError"], 0]


def test_events_come_later(box: Sandbox) -> None:
    """After the constructor, and after all microtasks; what is sent to a socket that has ended is counted."""
    code = """
        const log = [];
        const ws = new WebSocket("ws://a.test");
        queueMicrotask(() => log.push("microtask"));
        ws.addEventListener("error", e => log.push(e.constructor.name, e.isTrusted, ws.readyState));
        await new Promise(done => { ws.onclose = e => { log.push(e.constructor.name, e.isTrusted, e.code); done() } });
        ws.send("ä"); ws.send(new Uint8Array(3)); ws.close();
        [...log, ws.readyState, ws.bufferedAmount]
    """
    assert box.eval(code) == ["microtask", "Event", True, 3, "CloseEvent", True, 1006, 3, 5]


def test_closed_at_once(box: Sandbox) -> None:
    code = """
        const log = [];
        const ws = new WebSocket("ws://a.test");
        ws.onerror = ws.onclose = e => log.push(e.type);
        ws.close();
        const during = [...log];
        await new Promise(done => setTimeout(done, 10));
        [during, log]
    """
    assert box.eval(code) == [[], ["error", "close"]]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[WebSocket.CONNECTING, WebSocket.OPEN, WebSocket.CLOSING, WebSocket.CLOSED]", [0, 1, 2, 3]),
        ("[ws.CONNECTING, ws.OPEN, ws.CLOSING, ws.CLOSED]", [0, 1, 2, 3]),
        ("WebSocket.length", 1),
        ("String(ws)", "[object WebSocket]"),
        ("ws instanceof EventTarget", True),
        ("[ws.onopen, ws.onmessage, ws.onerror, ws.onclose]", [None] * 4),
        ("ws.binaryType = 'arraybuffer'; ws.binaryType = 'nothing'; ws.binaryType", "arraybuffer"),
        ("ws.url = 'x'; ws.url", "ws://a.test/"),
        ("const {code, reason, wasClean} = new CloseEvent('x'); [code, reason, wasClean]", [0, "", False]),
        ("const e = new CloseEvent('x', {code: 65537, reason: 'r', wasClean: 1}); [e.code, e.reason]", [1, "r"]),
        ("class Mine extends WebSocket {}; new Mine('ws://a.test') instanceof Mine", True),
        ("Object.keys(WebSocket.prototype).filter(key => key !== key.toUpperCase()).length", 12),
    ],
)  # fmt: skip
def test_shape(box: Sandbox, expression: str, value: Any) -> None:
    assert box.eval(f"const ws = new WebSocket('ws://a.test'); {expression}") == value


@pytest.mark.parametrize("use", ["url", "readyState", "bufferedAmount", "binaryType", "extensions", "protocol"])
def test_what_is_no_socket(box: Sandbox, use: str) -> None:
    with pytest.raises(JSError, match="Illegal invocation"):
        box.eval(f"Object.getOwnPropertyDescriptor(WebSocket.prototype, '{use}').get.call({{}})")
    with pytest.raises(JSError, match="Illegal invocation"):
        box.eval("WebSocket.prototype.send.call(new EventTarget(), 'x')")
