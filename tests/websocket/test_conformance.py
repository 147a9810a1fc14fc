"""What every connector does the same: the network, with and without TLS, and connections in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox import Limits, WebSockets
from sandbox.websocket.memory import memory_server
from tests.websocket.application import SUBPROTOCOLS, application

Run = Callable[..., Any]

# Opens a socket and notes what happens; `ended` is the event `close`.
OPEN = """
    const log = [];
    function open(path, protocols = []) {
      const ws = new WebSocket(base + path, protocols);
      ws.binaryType = "arraybuffer";
      for (const type of ["open", "error", "close"]) ws.addEventListener(type, e => log.push(e.type));
      ws.opened = new Promise(done => ws.addEventListener("open", done));
      ws.next = () => new Promise(done => ws.addEventListener("message", e => done(e.data), {once: true}));
      ws.ended = new Promise(done => ws.addEventListener("close", e => done([e.code, e.reason, e.wasClean])));
      return ws;
    }
"""


@dataclass(frozen=True)
class Net:
    """A connector, and where it finds the application.

    Attributes:
        base: The origin.
        options: What a grant for it needs.
    """

    base: str
    options: dict[str, Any]

    def grant(self, **more: Any) -> WebSockets:
        """A grant for this origin."""
        return WebSockets([self.base], **{**self.options, **more})


@pytest.fixture(params=["memory", "ws", "wss"])
def net(request: pytest.FixtureRequest) -> Net:
    if request.param == "memory":
        return Net("ws://app.test:8000", {"transport": memory_server(application, subprotocols=SUBPROTOCOLS)})
    if request.param == "ws":
        return Net(f"ws://127.0.0.1:{request.getfixturevalue('plain_server')}", {"private": True})
    context = request.getfixturevalue("trusting")
    port = request.getfixturevalue("secure_server")
    return Net(f"wss://localhost:{port}", {"private": ["127.0.0.0/8"], "ssl_context": context})


@pytest.fixture
def talk(run: Run, net: Net) -> Run:
    """Run code with `base` and this connector."""

    def evaluate(code: str, **grant: Any) -> Any:
        return run(
            OPEN + code, websocket=net.grant(**grant), globals={"base": net.base}, limits=Limits(wall_seconds=20)
        )

    return evaluate


def test_a_conversation(talk: Run, net: Net) -> None:
    code = """
        const ws = open("/echo?q");
        const before = [ws.readyState, ws.url, ws.protocol, ws.extensions, ws.bufferedAmount];
        await ws.opened;
        ws.send("hällo");
        const text = await ws.next();
        ws.send(new Uint8Array([0x89, 0x50, 0x4e, 0x47]));
        const bytes = await ws.next();
        const open_ = ws.readyState;
        ws.close(3333, "thät's it");
        const closing = ws.readyState;
        const end = await ws.ended;
        [before, text, [...new Uint8Array(bytes)], open_, closing, end, ws.readyState, log]
    """
    before, *rest = talk(code)

    assert before == [0, f"{net.base}/echo?q", "", "", 0]
    assert rest == ["hällo", [0x89, 0x50, 0x4E, 0x47], 1, 2, [3333, "thät's it", True], 3, ["open", "close"]]


SENT = {
    "''": "str 0",
    "'\\u{1f600}'": "str 1",
    "'a\\ud800b'": "str 3",
    "'x'.repeat(70000)": "str 70000",
    "new Uint8Array(0)": "bytes 0",
    "new ArrayBuffer(70000)": "bytes 70000",
    "new Float64Array(3)": "bytes 24",
    "new Float64Array([1, 2, 3]).subarray(1)": "bytes 16",
    "new DataView(new ArrayBuffer(10), 3, 4)": "bytes 4",
    "new Blob(['ab', new Uint8Array(3)])": "bytes 5",
    "new Blob([])": "bytes 0",
    "null": "str 4",
    "123": "str 3",
    "'__BINARY__x'": "str 11",
}


def test_what_is_sent(talk: Run) -> None:
    code = f"""
        const ws = open("/kinds");
        await ws.opened;
        const seen = [];
        for (const data of [{", ".join(SENT)}]) {{ ws.send(data); seen.push(await ws.next()) }}
        seen
    """
    assert talk(code) == list(SENT.values())


def test_binary_messages_are_blobs(talk: Run) -> None:
    code = """
        const ws = new WebSocket(base);
        ws.binaryType = "nothing";
        ws.onopen = () => ws.send(new Uint8Array([1, 2]));
        const {data, origin, target} = await new Promise(done => { ws.onmessage = done });
        [ws.binaryType, data instanceof Blob, data.type, [...await data.bytes()], origin === base, target === ws]
    """
    assert talk(code) == ["blob", True, "", [1, 2], True, True]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [("[]", ""), ("'chat'", "chat"), ("['x', 'superchat']", "superchat"), ("new Set(['chat', 'superchat'])", "chat")],
)
def test_subprotocols(talk: Run, offered: str, chosen: str) -> None:
    assert talk(f"const ws = open('/', {offered}); await ws.opened; ws.protocol") == chosen


@pytest.mark.parametrize(
    ("said", "code", "reason"),
    [("1000", 1000, ""), ("1001 bye", 1001, "bye"), ("4999 " + "ä" * 61, 4999, "ä" * 61)],
)
def test_the_server_closes(talk: Run, said: str, code: int, reason: str) -> None:
    told = f"const ws = open('/close'); await ws.opened; ws.send('{said}'); [await ws.ended, log]"

    assert talk(told) == [[code, reason, True], ["open", "close"]]


@pytest.mark.parametrize(
    ("call", "end"),
    [
        ("", [1005, ""]),
        ("1000", [1000, ""]),
        ("undefined", [1005, ""]),
        ("undefined, 'x'", [1000, "x"]),
        ("3000, ''", [3000, ""]),
    ],
)
def test_the_guest_closes(talk: Run, call: str, end: list[Any]) -> None:
    code = f"const ws = open('/'); await ws.opened; ws.close({call}); ws.close(4000); [await ws.ended, log]"

    assert talk(code) == [[*end, True], ["open", "close"]]


def test_a_connection_that_is_lost(talk: Run) -> None:
    code = "const ws = open('/lose'); await ws.opened; ws.send('x'); [await ws.ended, log, ws.readyState]"

    assert talk(code) == [[1006, "", False], ["open", "error", "close"], 3]


def test_closed_while_connecting(talk: Run) -> None:
    code = "const ws = open('/'); ws.close(); const now = [ws.readyState, ...log]; [now, await ws.ended, log]"

    assert talk(code) == [[2], [1006, "", False], ["error", "close"]]


def test_what_was_sent_before_the_end_arrives(talk: Run) -> None:
    code = """
        const ws = open("/echo");
        await ws.opened;
        for (let i = 0; i < 300; i++) ws.send("m" + i);
        const got = [];
        ws.onmessage = e => { got.push(e.data); if (got.length === 300) ws.close() };
        const end = await ws.ended;
        [end, got.length, got[0], got[299], ws.bufferedAmount]
    """
    assert talk(code) == [[1005, "", True], 300, "m0", "m299", 0]


def test_messages_keep_their_order_and_none_is_lost(talk: Run) -> None:
    code = """
        const ws = open("/count");
        await ws.opened;
        ws.send("1000");
        let next = 0, inOrder = true;
        ws.onmessage = e => { inOrder &&= e.data === String(next++) };
        [await ws.ended, next, inOrder]
    """
    assert talk(code) == [[1000, "", True], 1000, True]


def test_the_amount_that_is_buffered(talk: Run) -> None:
    """It grows at once, whatever becomes of the message, and shrinks in later tasks."""
    code = """
        const ws = open("/sum");
        await ws.opened;
        const seen = [];
        const see = data => { ws.send(data); seen.push(ws.bufferedAmount) };
        see("ä"); see(new Uint8Array(100)); see(new Blob(["abc"]));
        while (ws.bufferedAmount) await new Promise(done => setTimeout(done, 5));
        ws.send("end");
        const sum = await ws.next();
        ws.close();
        ws.send("1234");
        seen.push(ws.bufferedAmount >= 4);
        await ws.ended;
        ws.send("56");
        [...seen, ws.bufferedAmount, sum]
    """
    assert talk(code) == [2, 102, 105, True, 6, "104"]


def test_much_is_sent_in_pieces(talk: Run) -> None:
    """More than the host wants to have at a time waits in the guest, and goes in order."""
    code = """
        const ws = open("/sum");
        await ws.opened;
        for (let i = 0; i < 200; i++) ws.send(new Uint8Array(10000));
        ws.send(new Uint8Array(300000));
        ws.send("end");
        [ws.bufferedAmount, await ws.next()]
    """
    assert talk(code, max_queued_bytes=50_000) == [2_300_003, "2300000"]


@pytest.mark.parametrize("path", ["/echo", "/big"])
def test_messages_that_are_too_large(talk: Run, path: str) -> None:
    """The guest's own, and those of a server."""
    code = f"const ws = open('{path}'); await ws.opened; ws.send('x'.repeat({1001 if path == '/echo' else 4}));"

    assert talk(code + "[await ws.ended, log]", max_message_bytes=1000) == [
        [1006, "", False],
        ["open", "error", "close"],
    ]
