"""A real server for tests: HTTP and WebSockets on a free port of loopback, on a thread of its own."""

from __future__ import annotations

import logging
import socket
import threading
from typing import Any, Final, Self

from sandbox.errors import UsageError
from sandbox.serve import INSTALL, has_server

_START_SECONDS: Final = 20.0
_MAX_BODY_BYTES: Final = 16 << 20


class IntegrationServer:
    """Serves an ASGI application while a block runs.

        with IntegrationServer() as server:
            fetch = Fetch([server.host], private=["127.0.0.0/8"])
            with Sandbox(fetch=fetch) as box:
                box.eval(f"(await fetch('{server.url}/echo', {{method: 'POST', body: 'x'}})).text()")

    Without an application it answers `/echo` with the body of the request, `/headers` with its headers as JSON,
    `/status/404` with that status, `/redirect?to=URL`, `/chunks/5` with as many chunks, and WebSockets with what they
    send.

    Attributes:
        port: Where it listens.
        url: Of its top, without a slash at the end.
        websocket_url: Likewise, for WebSockets.
        host: Name and port, as grants of the network name them.
    """

    def __init__(self, app: Any = None) -> None:  # noqa: ANN401 - ASGI has no types of its own
        """Say what is served; nothing listens yet.

        Args:
            app: An ASGI application; None: see above.

        Raises:
            UsageError: There is no server.
        """
        if not has_server():
            raise UsageError(f"an integration server needs a server: {INSTALL}")
        self._app = _answer if app is None else app
        self._started, self._stopping = threading.Event(), threading.Event()
        self._failure: BaseException | None = None
        self.port: int = 0

    @property
    def host(self) -> str:
        """See the class."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """See the class."""
        return f"http://{self.host}"

    @property
    def websocket_url(self) -> str:
        """See the class."""
        return f"ws://{self.host}"

    def __enter__(self) -> Self:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=(listener,), name="sandbox integration server")
        self._thread.daemon = True
        self._thread.start()
        if not self._started.wait(_START_SECONDS) or self._failure is not None:
            self._stopping.set()
            raise UsageError("the integration server did not start") from self._failure
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stopping.set()
        self._thread.join(_START_SECONDS)

    def _run(self, listener: socket.socket) -> None:
        import trio

        try:
            trio.run(self._serve, listener)
        except BaseException as error:  # noqa: BLE001 - told to who waits
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self, listener: socket.socket) -> None:
        import trio
        from hypercorn.config import Config
        from hypercorn.trio import serve

        log = logging.getLogger("sandbox.testing.server")
        log.addHandler(logging.NullHandler())
        log.propagate = False
        config = Config()
        config.bind = [f"fd://{listener.detach()}"]
        config.errorlog, config.accesslog = log, None
        config.graceful_timeout = config.shutdown_timeout = 1.0

        async def announced(task_status: Any = trio.TASK_STATUS_IGNORED) -> None:  # noqa: ANN401 - trio's
            await serve(self._app, config, shutdown_trigger=self._stopped, task_status=task_status)

        async with trio.open_nursery() as nursery:
            await nursery.start(announced)
            self._started.set()

    async def _stopped(self) -> None:
        import trio

        await trio.to_thread.run_sync(self._stopping.wait)


async def _answer(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - messages of ASGI
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    elif scope["type"] == "websocket":
        await _echo(receive, send)
    else:
        await _respond(scope, receive, send)


async def _echo(receive: Any, send: Any) -> None:  # noqa: ANN401 - messages of ASGI
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message.get("text"), "bytes": message.get("bytes")})


async def _respond(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - messages of ASGI
    import json
    from urllib.parse import parse_qs

    body, more = b"", True
    while more and len(body) <= _MAX_BODY_BYTES:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    first, _, rest = scope["path"].strip("/").partition("/")
    status, headers, chunks = 200, [(b"content-type", b"text/plain;charset=utf-8")], [body]
    if first == "headers":
        pairs = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        headers, chunks = [(b"content-type", b"application/json")], [json.dumps(pairs).encode()]
    elif first == "status" and rest.isdecimal() and 200 <= int(rest) <= 599:
        status, chunks = int(rest), [b""]
    elif first == "redirect":
        target = parse_qs(scope["query_string"].decode("latin-1")).get("to", ["/echo"])[0]
        status, headers, chunks = 302, [(b"location", target.encode("latin-1", "replace"))], [b""]
    elif first == "chunks" and rest.isdecimal() and int(rest) <= 1000:
        chunks = [f"chunk {number}\n".encode() for number in range(int(rest))] or [b""]
    elif first != "echo":
        status, chunks = 404, [b"not found"]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for number, chunk in enumerate(chunks, 1):
        await send({"type": "http.response.body", "body": chunk, "more_body": number < len(chunks)})
