"""What a WebSocket is to the rest of a sandbox: backpressure, limits, rollbacks, forks, the end, exceptions."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from websockets.asyncio.client import connect

from sandbox import JSError, Limits, Sandbox, WebSockets
from sandbox.errors import LimitExceeded, UsageError
from sandbox.websocket.memory import MemoryConnection, memory_pair, memory_server
from tests.child import in_child
from tests.fetch.servers import until
from tests.websocket.application import application
from tests.websocket.servers import server

Run = Callable[..., Any]
ENDED = """
    (url = "wss://a.test/", protocols = []) => new Promise(done => {
      const log = [], ws = new WebSocket(url, protocols);
      ws.onopen = () => log.push("open");
      ws.onerror = () => log.push("error");
      ws.onclose = e => done([...log, e.code, e.reason, e.wasClean]);
    })
"""


class Counting:
    """A connection that says messages as fast as they are taken, or takes none, and notes what happens to it."""

    subprotocol = None

    def __init__(self, message: str = "x" * 1000, *, reads: bool = True) -> None:
        self.close_code: int | None = None
        self.close_reason = ""
        self.given = self.taken = 0
        self.closed: list[tuple[Any, ...]] = []
        self._message = message
        self._reads = reads
        self._end = anyio.Event()

    async def recv(self) -> str:
        await anyio.lowlevel.checkpoint()
        if self._message and self.close_code is None:
            self.given += 1
            return self._message
        await self._end.wait()
        raise EOFError

    async def send(self, _message: object) -> None:
        self.taken += 1
        if not self._reads:
            await anyio.sleep_forever()

    async def close(self, *close: Any) -> None:
        self.closed.append(close)
        self.close_code = 1000
        self._end.set()


def answering(make: Callable[[], Counting], made: list[Counting]) -> Callable[..., Any]:
    async def answer(_url: str, _protocols: object) -> Counting:
        made.append(make())
        return made[-1]

    return answer


def test_a_guest_that_reads_nothing(run: Run) -> None:
    """What is read ahead has a bound, and one message on its way; what comes in a turn is one batch."""
    made: list[Counting] = []
    seen: list[int] = []
    code = """
        const ws = new WebSocket("ws://a.test/");
        await new Promise(done => { ws.onopen = done });
        await new Promise(done => { ws.onmessage = done });
        look();
        const until = performance.now() + 300;
        while (performance.now() < until);
        look();
    """
    run(
        code,
        websocket=WebSockets(["*"], max_queued_bytes=50_000, transport=answering(Counting, made)),
        functions={"look": lambda: seen.append(made[0].given)},
    )
    # One batch is being told, one waits, one message is on its way.
    assert seen[1] - seen[0] <= 2 * (50_000 // 1128 + 1)
    assert seen[1] <= 3 * (50_000 // 1128 + 2)


def test_a_server_that_reads_nothing(run: Run) -> None:
    """What the guest sends waits in the guest, whose memory has a limit."""
    made: list[Counting] = []
    code = """
        const ws = new WebSocket("ws://a.test/");
        await new Promise(done => { ws.onopen = done });
        const chunk = "x".repeat(100000);
        let amount = 0;
        for (let i = 0; i < 50; i++) ws.send(chunk);
        await new Promise(done => setTimeout(done, 50));
        amount = ws.bufferedAmount;
        ws.close();
        const end = await new Promise(done => { ws.onclose = e => done([e.code, e.wasClean]) });
        [amount, end]
    """
    grant = WebSockets(
        ["*"], max_queued_bytes=250_000, timeout=0.2, transport=answering(lambda: Counting("", reads=False), made)
    )
    assert run(code, websocket=grant) == [5_000_000, [1006, False]]
    assert made[0].taken == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda _url, _protocols: None, "Connection blocked"),
        ("async None", "Connection blocked"),
        ("raise", "Callback error"),
        ("async raise", "Callback error"),
        (lambda _url, _protocols: "no connection", "Callback error"),
        (lambda _url, _protocols: memory_pair(subprotocol="chat")[0], "Callback error"),
    ],
)
def test_functions_that_give_no_connection(run: Run, answer: Any, reason: str) -> None:
    def fail(_url: str, _protocols: list[str]) -> None:
        raise ValueError("a secret of the host")

    async def nothing(_url: str, _protocols: list[str]) -> None: ...

    async def fail_later(_url: str, _protocols: list[str]) -> None:
        raise ValueError("a secret of the host")

    named: dict[object, Any] = {"async None": nothing, "raise": fail, "async raise": fail_later}

    assert run(f"({ENDED})()", websocket=named.get(answer, answer)) == ["error", 1006, reason, False]


def test_a_function_that_never_answers(run: Run) -> None:
    async def never(_url: str, _protocols: list[str]) -> None:
        await anyio.sleep_forever()

    grant = WebSockets(["*"], timeout=0.1, transport=never)
    assert run(f"({ENDED})()", websocket=grant) == ["error", 1006, "Connection failed", False]


def test_what_a_function_is_asked(run: Run) -> None:
    asked: list[Any] = []

    def answer(*given: Any) -> None:
        asked.append(given)

    run(f"({ENDED})('https://A.test:443/x y?z', ['b', 'a'])", websocket=answer)
    assert asked == [("wss://a.test/x%20y?z", ["b", "a"])]


def test_connections_of_another_library_elsewhere() -> None:
    """A function may connect wherever it likes, and what `websockets` gives is a connection."""
    with server(application) as port:

        async def elsewhere(url: str, _protocols: list[str]) -> Any:
            assert url == "wss://somewhere.test/echo"
            return await connect(f"ws://127.0.0.1:{port}/echo", ping_interval=None)

        code = """
            const ws = new WebSocket("wss://somewhere.test/echo");
            ws.binaryType = "arraybuffer";
            await new Promise(done => { ws.onopen = done });
            ws.send("text");
            const text = await new Promise(done => { ws.onmessage = e => done(e.data) });
            ws.send(new Uint8Array([1]));
            const bytes = await new Promise(done => { ws.onmessage = e => done(e.data.byteLength) });
            ws.close(3000, "bye");
            const end = await new Promise(done => { ws.onclose = e => done([e.code, e.reason, e.wasClean]) });
            [text, bytes, end]
        """
        with Sandbox(websocket=elsewhere) as box:
            assert box.eval(code) == ["text", 1, [3000, "bye", True]]


def test_what_a_function_gives_is_left_again(run: Run) -> None:
    left: list[int | None] = []

    @asynccontextmanager
    async def answer(url: str, protocols: list[str]) -> Any:
        client, _ = memory_pair(url, protocols)
        try:
            yield client
        finally:
            left.append(client.close_code)

    run("const ws = new WebSocket('ws://a.test/'); await new Promise(done => { ws.onopen = done })", websocket=answer)
    assert until(lambda: left == [1001])


def test_the_end_of_a_sandbox_is_told_to_the_server(run: Run) -> None:
    """With the code 1001, however it ends."""
    codes: list[Any] = []

    async def serve(connection: Any) -> None:
        await connection.wait_closed()
        codes.append(connection.close_code)

    with server(serve) as port:
        grant = WebSockets(["*:*"], private=True)
        code = (
            f"const ws = new WebSocket('ws://127.0.0.1:{port}'); await new Promise(done => {{ ws.onopen = done }}); 1"
        )
        assert run(code, websocket=grant) == 1
        assert until(lambda: codes == [1001])


def test_an_open_socket_lives_until_it_is_closed() -> None:
    """Nothing in the program refers to it but its own listener, and runs come and go."""
    ends: list[MemoryConnection] = []

    async def serve(end: MemoryConnection) -> None:
        ends.append(end)
        async for message in end:
            await end.send(message)

    with Sandbox(websocket=memory_server(serve)) as box:
        box.eval("""
            globalThis.got = [];
            globalThis.say = undefined;
            await new Promise(done => {
              const ws = new WebSocket("ws://a.test/");
              globalThis.say = new WeakRef(ws);
              ws.onopen = done;
              ws.onmessage = e => got.push(e.data);
            })
        """)
        for number in range(3):
            box.eval(f"for (let i = 0; i < 1e5; i++) ({{}}); say.deref().send('{number}')")
            assert until(lambda: box.eval("await new Promise(done => setTimeout(done, 1)); got.length") > number)  # noqa: B023 - at once
        assert box.eval("got") == ["0", "1", "2"]


def test_messages_wait_for_the_next_run() -> None:
    """A sandbox that does nothing keeps what comes, within its bound."""

    async def serve(end: MemoryConnection) -> None:
        for number in range(5):
            await end.send(str(number))
        await end.close(4000, "done")

    with Sandbox(websocket=memory_server(serve)) as box:
        box.eval(
            "globalThis.got = []; const ws = new WebSocket('ws://a.test/'); ws.onmessage = e => got.push(e.data); 0"
        )
        box.eval("await new Promise(done => { ws.onclose = e => { got.push(e.code); done() } })")
        assert box.eval("got") == ["0", "1", "2", "3", "4", 4000]


def test_idle_is_when_all_are_closed() -> None:
    async def serve(end: MemoryConnection) -> None:
        await end.send("hello")

    with Sandbox(websocket=memory_server(serve)) as box:
        box.eval(
            """
            globalThis.got = [];
            const ws = new WebSocket("ws://a.test/");
            ws.onmessage = ws.onclose = e => got.push(e.type);
            0
        """
        )
        box.run_until_idle()
        assert box.eval("got") == ["message", "close"]


def test_a_limit_ends_the_sockets_that_the_run_has_asked_of() -> None:
    """As host calls of a run are that was ended by force; the sandbox goes on."""
    made: list[Counting] = []
    with Sandbox(websocket=answering(lambda: Counting(""), made), limits=Limits(wall_seconds=0.5)) as box:
        with pytest.raises(LimitExceeded):
            box.eval(f"globalThis.ended = ({ENDED})(); await ended")
        assert box.eval("await ended", timeout=10) == ["open", "error", 1006, "", False]
        assert until(lambda: made[0].closed == [(1001,)])


def test_a_rollback_ends_the_sockets_that_were_used_in_it() -> None:
    made: list[Counting] = []
    options = {"websocket": answering(lambda: Counting(""), made), "on_limit": "rollback"}
    with Sandbox(limits=Limits(cpu_seconds=0.3), **options) as box:  # type: ignore[arg-type] # of many types
        open_ = "await new Promise(done => { globalThis.ws = new WebSocket('ws://a.test/'); ws.onopen = done })"
        box.eval(f"{open_}; globalThis.kept = ws; {open_}; 0")
        with pytest.raises(LimitExceeded):
            box.eval(f"ws.send('x'); {open_}; for (;;);")
        assert until(lambda: [each.closed for each in made] == [[], [(1001,)], [(1001,)]])
        code = "ws.readyState === 3 ? 1006 : await new Promise(done => { ws.onclose = e => done(e.code) })"
        assert box.eval(code) == 1006
        assert box.eval("kept.readyState") == 1


def test_exceptions_that_are_none_of_the_guests() -> None:
    async def interrupt(_url: str, _protocols: list[str]) -> None:
        raise KeyboardInterrupt

    with Sandbox(websocket=interrupt) as box:
        with pytest.raises(KeyboardInterrupt):
            box.eval(f"await ({ENDED})()")
        assert box.eval("1 + 1") == 2


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.websocket.has_websockets", lambda: False)

    with pytest.raises(UsageError, match=r"quickjs-sandbox\[websocket\]"):
        Sandbox(websocket=WebSockets(["*"]))
    with Sandbox(websocket=lambda _url, _protocols: None) as box:
        assert box.eval(f"({ENDED})()") == ["error", 1006, "Connection blocked", False]


def test_a_handler_that_fails_closes_as_servers_do(run: Run) -> None:
    async def serve(end: MemoryConnection) -> None:
        raise ValueError(end.url)

    assert run(f"({ENDED})()", websocket=memory_server(serve)) == ["open", 1011, "", True]


def test_a_server_may_leave_its_loop_in_the_middle(run: Run) -> None:
    """What iterates must not be left to be collected, which trio warns of."""

    async def serve(end: MemoryConnection) -> None:
        async for message in end:
            await end.send(message)
            break
        async for message in end:
            await end.send(message)
            raise ValueError

    code = """
        const log = [], ws = new WebSocket("wss://a.test/");
        ws.onopen = () => { ws.send("a"); ws.send("b"); ws.send("c") };
        ws.onmessage = e => log.push(e.data);
        await new Promise(done => { ws.onclose = e => done([...log, e.code]) });
    """
    assert run(code, websocket=memory_server(serve)) == ["a", "b", 1011]
    gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_has_no_sockets_of_its_parent() -> None:
    in_child("""
        import logging, os, warnings
        from sandbox import Sandbox
        from sandbox.websocket.memory import memory_server

        async def echo(end):
            async for message in end:
                await end.send(message)

        warnings.simplefilter("ignore", DeprecationWarning)
        open_ = "await new Promise(done => { globalThis.ws = new WebSocket('ws://a.test/'); ws.onopen = done });"
        said = "await new Promise(done => { ws.onmessage = e => done(e.data); ws.onclose = e => done(e.code) })"
        say = "ws.send('x');" + said
        with Sandbox(websocket=memory_server(echo)) as box:
            assert box.eval(open_ + say) == "x"
            child = os.fork()
            if child == 0:
                logging.disable()  # of what takes long
                assert box.eval(say) == 1006
                assert box.eval(open_ + say) == "x"
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            assert box.eval(say) == "x"
    """)


def test_an_unknown_error_in_a_listener_is_the_programs() -> None:
    async def serve(end: MemoryConnection) -> None:
        await end.send("x")
        await end.recv()

    with Sandbox(websocket=memory_server(serve)) as box:
        with pytest.raises(JSError, match="mine"):
            box.eval(
                "const ws = new WebSocket('ws://a.test/'); ws.onmessage = () => { throw new Error('mine') };"
                "await new Promise(done => { ws.onclose = done })"
            )
        assert box.eval("ws.readyState") == 1
