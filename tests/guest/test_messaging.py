"""Message channels: order, transfer, closing; and channels by name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox import JSError, Sandbox

SETUP = """
const heard = [];
const { port1, port2 } = new MessageChannel();
const hear = (event) => { heard.push(event.data) };
"""


@pytest.fixture
def heard(box: Sandbox) -> Callable[[str], object]:
    """Run code, and the tasks it leaves; what was heard."""

    def run(code: str) -> object:
        box.eval(f"var heard = (() => {{ {SETUP}; {code}; return heard; }})(); 0")
        box.run_until_idle()
        return box.globals["heard"]

    return run


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        # Delivery is a task: after microtasks, in order.
        (
            """port1.onmessage = hear;
               port2.postMessage(1);
               port2.postMessage(2);
               Promise.resolve().then(() => heard.push("microtask"));
               heard.push("sync")""",
            ["sync", "microtask", 1, 2],
        ),
        # Nothing is delivered before the port is started; nothing is lost.
        ("port1.addEventListener('message', hear); port2.postMessage(1)", []),
        ("port1.addEventListener('message', hear); port2.postMessage(1); port1.start(); port1.start()", [1]),
        ("port2.postMessage(1); port1.onmessage = hear", [1]),
        # A message is a copy, made when it is posted.
        (
            """const value = { a: [1] };
               port1.onmessage = ({ data }) => heard.push(data.a.length, data === value);
               port2.postMessage(value);
               value.a.push(2)""",
            [1, False],
        ),
        (
            """port1.onmessage = (event) => heard.push(
                 event instanceof MessageEvent, event.isTrusted, event.target === port1, event.origin, event.source,
                 event.lastEventId, event.ports.length, Object.isFrozen(event.ports), event.bubbles, event.cancelable,
               );
               port2.postMessage()""".replace("postMessage()", "postMessage(undefined)"),
            [True, True, True, "", None, "", 0, True, False, False],
        ),
        # Between two messages microtasks run.
        (
            """port1.onmessage = (event) => { hear(event); queueMicrotask(() => heard.push("m")) };
               port2.postMessage(1);
               port2.postMessage(2)""",
            [1, "m", 2, "m"],
        ),
        # Buffers and ports are transferred, in either way.
        (
            """const bytes = new Uint8Array([1, 2, 3]);
               port1.onmessage = ({ data }) => heard.push(data[2], bytes.length);
               port2.postMessage(bytes, [bytes.buffer])""",
            [3, 0],
        ),
        (
            """const other = new MessageChannel();
               port1.onmessage = ({ data, ports }) => {
                 heard.push(data.port === ports[0], ports.length);
                 ports[0].postMessage("through");
               };
               other.port2.onmessage = hear;
               port2.postMessage({ port: other.port1 }, { transfer: [other.port1] });
               other.port1.postMessage("lost")""",
            [True, 1, "through"],
        ),
        # What waits at a port, and what comes while it is on its way, is delivered at its end.
        (
            """const other = new MessageChannel();
               other.port1.postMessage(1);
               port1.onmessage = ({ ports: [port] }) => {
                 other.port1.postMessage(3);
                 port.onmessage = hear;
                 other.port1.postMessage(4);
               };
               port2.postMessage(null, [other.port2]);
               other.port1.postMessage(2)""",
            [1, 2, 3, 4],
        ),
        # A started port that is transferred starts anew.
        (
            """const other = new MessageChannel();
               other.port2.onmessage = hear;
               other.port1.postMessage(1);
               const { port } = structuredClone({ port: other.port2 }, { transfer: [other.port2] });
               other.port1.postMessage(2);
               setTimeout(() => { heard.push("late"); port.onmessage = hear })""",
            ["late", 1, 2],
        ),
        # Closing.
        ("port1.onmessage = hear; port2.postMessage(1); port2.close(); port2.postMessage(2)", [1]),
        ("port1.onmessage = hear; port1.close(); port2.postMessage(1)", []),
        (
            """port1.onmessage = hear;
               port1.onclose = (event) => heard.push(event.type, event.target === port1);
               port2.onclose = () => heard.push("no");
               port2.postMessage(1);
               port2.close();
               port2.close()""",
            [1, "close", True],
        ),
        # The other end of the same channel as part of a message: it could never arrive.
        ("port1.onmessage = hear; port2.postMessage(1, [port1]); port2.postMessage(2)", []),
        # Exceptions of listeners are exceptions of tasks.
        (
            """onerror = (message) => { heard.push(message); return true };
               port1.onmessage = () => { throw 5 };
               port2.postMessage(1);
               port2.postMessage(2)""",
            ["Uncaught 5", "Uncaught 5"],
        ),
        # By name.
        (
            """const [a, b, c, d] = ["x", "x", "x", "y"].map((name) => new BroadcastChannel(name));
               a.onmessage = () => heard.push("a");
               b.onmessage = ({ data }) => { heard.push("b", data.n); data.n = 5 };
               c.addEventListener("message", ({ data }) => heard.push("c", data.n));
               d.onmessage = () => heard.push("d");
               a.postMessage({ n: 1 })""",
            ["b", 1, "c", 1],
        ),
        (
            """const [a, b] = ["x", "x"].map((name) => new BroadcastChannel(name));
               b.onmessage = hear;
               a.postMessage(1);
               b.close()""",
            [],
        ),
    ],
)
def test_messages(heard: Callable[[str], object], code: str, expected: list[object]) -> None:
    assert heard(code) == expected


def test_an_exception_in_a_listener_reaches_the_host(box: Sandbox) -> None:
    with pytest.raises(JSError, match="mine"):
        box.eval("""
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => { throw new Error("mine") };
        port2.postMessage(1);
        0
        """)


def test_messages_go_on_across_evaluations(box: Sandbox) -> None:
    box.eval(
        "var heard = [], channel = new MessageChannel(); channel.port1.onmessage = (e) => { heard.push(e.data) }; 0"
    )
    box.eval("channel.port2.postMessage(1)")
    box.eval("channel.port2.postMessage(2)")

    assert box.globals["heard"] == [1, 2]
    assert box.eval("new Promise((done) => { channel.port1.onmessage = done; channel.port2.postMessage(7) })"
                    ".then((e) => e.data)") == 7  # fmt: skip


def test_a_channel_with_a_listener_is_kept_and_others_are_not(box: Sandbox) -> None:
    box.eval("var heard = 0; (() => { new BroadcastChannel('x').onmessage = () => { heard++ } })()")

    def heap_after(rounds: int) -> int:
        box.eval(f"for (let i = 0; i < {rounds}; i++) new BroadcastChannel('x'); 0")
        return box.usage.heap_bytes

    before = heap_after(1000)
    assert heap_after(5000) < before + 50_000
    box.eval("new BroadcastChannel('x').postMessage(1)")
    assert box.globals["heard"] == 1


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("new MessagePort", "TypeError TypeError: Illegal constructor"),
        ("new MessageChannel().port1.postMessage()", "TypeError TypeError: Failed to execute 'postMessage' on 'Mess"),
        ("new MessageChannel().port1.postMessage(() => {})", "DOMException DataCloneError: Failed to execute 'postM"),
        ("const { port1 } = new MessageChannel(); port1.postMessage(1, [port1])", "DOMException DataCloneError: "),
        ("const { port1, port2 } = new MessageChannel(); port1.postMessage(port2)", "DOMException DataCloneError: "),
        ("const { port1 } = new MessageChannel(); structuredClone(1, { transfer: [port1, port1] })",
         "DOMException DataCloneError: "),
        ("const { port1 } = new MessageChannel(); port1.close(); structuredClone(port1, { transfer: [port1] })",
         "DOMException DataCloneError: "),
        ("new MessageChannel().port1.postMessage(1, [{}])", "DOMException DataCloneError: "),
        ("new MessageChannel().port1.postMessage(1, 5)", "TypeError TypeError: Failed to execute 'postMessage' on"),
        ("new MessageEvent('x', { source: {} })", "TypeError TypeError: Failed to construct 'MessageEvent': "),
        ("new MessageEvent('x', { ports: [1] })", "TypeError TypeError: Failed to construct 'MessageEvent': "),
        ("new MessageEvent('x').initMessageEvent()", "TypeError TypeError: Failed to execute 'initMessageEvent'"),
        ("new BroadcastChannel()", "TypeError TypeError: Failed to construct 'BroadcastChannel': 1 argument"),
        ("const c = new BroadcastChannel('x'); c.close(); c.postMessage(Symbol())", "DOMException InvalidStateError"),
        ("new BroadcastChannel('x').postMessage(Symbol())", "DOMException DataCloneError: "),
        ("MessagePort.prototype.start.call(new EventTarget)", "TypeError TypeError: Illegal invocation"),
    ],
)  # fmt: skip
def test_what_is_refused(refused: Callable[[str], str], code: str, failure: str) -> None:
    assert refused(code).startswith(failure)


def test_nothing_is_moved_when_cloning_fails(box: Sandbox) -> None:
    code = """
    const { port1, port2 } = new MessageChannel();
    const bytes = new Uint8Array(5);
    try { port1.postMessage(() => {}, [bytes.buffer]) } catch {}
    bytes.length
    """
    assert box.eval(code) == 5


def test_how_channels_are_shown(logged: Callable[[str], list[str]]) -> None:
    assert logged("console.log(new MessageChannel(), new BroadcastChannel('x'))") == [
        "MessageChannel { port1: MessagePort {}, port2: MessagePort {} } BroadcastChannel { name: 'x', active: true }"
    ]
