"""The guest as an ASGI 3 application: lifespan, http and websocket, on any loop that anyio knows."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar
from urllib.parse import quote

import anyio

from sandbox.errors import JSError, NotServing, RunInterrupted, SandboxError, UsageError, WallLimitExceeded
from sandbox.http import Headers, Request, is_token
from sandbox.serve.websocket import Connection

if TYPE_CHECKING:
    from sandbox.serve.served import Head
    from sandbox.serve.websocket import Channel

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_HOST: Final = re.compile(r"[A-Za-z0-9.\-_~%]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
# What belongs to a connection is the server's to say (RFC 9110, section 7.6.1), and so is how long the body is.
_HOP_BY_HOP: Final = frozenset({
    b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
})  # fmt: skip
_NULL_BODY: Final = frozenset({204, 205, 304})
_UNQUOTED: Final = "/%:@!$&'()*+,;=~-._"
_TEXTS: Final = {
    400: "Bad Request",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}

log: Final = logging.getLogger("sandbox.serve")


class Exchange(Protocol):
    """A request that the guest answers."""

    async def is_over_at_once(self) -> bool:
        """Whether the guest's first turn, which is waited for, has ended it."""

    async def head(self) -> Head:
        """How the response begins; raises when there is none."""

    async def feed(self, chunks: AsyncGenerator[bytes]) -> None:
        """Give the chunks of the request's body."""

    def abort(self) -> None:
        """Nobody wants the response any more."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...


_E = TypeVar("_E", bound=Exchange)


class Server(Protocol[_E]):
    """What an application needs of a sandbox."""

    async def open(self, stack: AsyncExitStack) -> None:
        """Make it ready, until the stack ends."""

    def begin(
        self, request: Request, failed: Callable[[BaseException], object], *, is_stream: bool, may_upgrade: bool
    ) -> _E:
        """Have the guest begin to answer; `failed` gets what goes wrong after the answer."""

    def channel(self, exchange: _E) -> Channel:
        """The WebSocket that a request has become."""

    async def attend(self, failed: Callable[[BaseException], object]) -> None:
        """Do what is left to do between requests, until it is cancelled."""


class Application(Generic[_E]):
    """An ASGI 3 application. Every request is one run of the guest, every event of a WebSocket another.

    What goes wrong in the guest is answered with a status and no more, and logged by the logger `sandbox.serve`.
    """

    def __init__(self, server: Server[_E], on_error: Callable[[BaseException], object] | None = None) -> None:
        """Make one.

        Args:
            server: Who answers.
            on_error: Gets what went wrong, in place of the log.
        """
        self._server = server
        self._on_error = on_error or report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI says.

        Raises:
            UsageError: It is of a kind that ASGI 3 has not.
        """
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            raise UsageError(f"an ASGI scope of an unknown type: {scope['type']!r}")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        has_started = False
        try:
            async with AsyncExitStack() as stack:
                await self._server.open(stack)
                tasks = await stack.enter_async_context(anyio.create_task_group())
                tasks.start_soon(self._server.attend, self._on_error)
                await send({"type": "lifespan.startup.complete"})
                has_started = True
                await receive()
                tasks.cancel_scope.cancel()
        except Exception as error:  # noqa: BLE001 - told to the server, which ends
            self._on_error(error)
            await send(
                {"type": f"lifespan.{'shutdown' if has_started else 'startup'}.failed", "message": _brief(error)}
            )
        else:
            await send({"type": "lifespan.shutdown.complete"})

    # --- http ---

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        first: bytes = message.get("body", b"")
        is_stream: bool = message.get("more_body", False)
        request = request_of(scope, b"" if is_stream else first)
        if request is None:
            await _send_plain(send, 400)
            return
        try:
            exchange = self._server.begin(request, self._on_error, is_stream=is_stream, may_upgrade=False)
        except SandboxError as error:
            self._on_error(error)
            await _send_plain(send, status_of(error))
            return
        try:
            if not is_stream and await exchange.is_over_at_once():  # as most are: nobody has to listen meanwhile
                await self._answer(exchange, request.method, send, "http.response")
                return
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_listen, exchange, receive, first if is_stream else None)
                await self._answer(exchange, request.method, send, "http.response")
                tasks.cancel_scope.cancel()
        finally:
            exchange.abort()  # unless it is complete

    async def _answer(self, exchange: Exchange, method: str, send: Send, prefix: str) -> None:
        """Send what the guest answers, or that it does not."""
        try:
            head = await exchange.head()
        except ConnectionAbortedError:  # the client has gone
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told no more than a status
            self._on_error(error)
            await _send_plain(send, status_of(error), prefix)
            return
        try:
            await _send_response(head, exchange, method, send, prefix)
        except OSError:  # the client has gone; some servers say so
            return
        except Exception as error:  # noqa: BLE001 - the response has begun: the server breaks off what is not complete
            self._on_error(error)

    # --- websocket ---

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (await receive())["type"] != "websocket.connect":
            return
        may_respond = "websocket.http.response" in (scope.get("extensions") or {})
        request = request_of(scope, b"")
        exchange: _E | None = None
        try:
            if request is not None:
                exchange = self._server.begin(request, self._on_error, is_stream=False, may_upgrade=True)
        except SandboxError as error:
            self._on_error(error)
        if exchange is None:
            await _refuse(send, 503 if request else 400, may_respond=may_respond)
            return
        try:
            head = await exchange.head()
        except Exception as error:  # noqa: BLE001 - as above
            self._on_error(error)
            await _refuse(send, status_of(error), may_respond=may_respond)
            return
        except BaseException:
            exchange.abort()
            raise
        if head.status == 101:
            connection = Connection(self._server.channel(exchange), receive, send, self._on_error)
            await connection.serve(_accept(head, scope))
        elif may_respond:
            await _send_response(head, exchange, "GET", send, "websocket.http.response")
        else:
            exchange.abort()
            await send({"type": "websocket.close", "code": 1000})


def request_of(scope: Scope, body: bytes) -> Request | None:
    """The request of an http or websocket scope; None: it is none that a program could be given."""
    method = scope.get("method", "GET")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    host = next((value for name, value in headers if name == "host"), None)
    if host is None:
        address, port = scope.get("server") or ("localhost", None)
        host = (f"[{address}]" if ":" in address else address) + (f":{port}" if port else "")
        headers.insert(0, ("host", host))
    scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "http"), scope.get("scheme", "http"))
    path = scope.get("raw_path") or quote(scope["path"], safe=_UNQUOTED).encode()
    target = path.partition(b"?")[0].decode("latin-1")
    query = scope.get("query_string", b"").decode("latin-1")
    if _HOST.fullmatch(host) is None or scheme not in ("http", "https") or not is_token(method):
        return None
    if not target.startswith("/"):  # of OPTIONS *, or a whole URL
        target = "/"
    try:
        return Request(method, f"{scheme}://{host}{target}{'?' + query if query else ''}", Headers(headers), body)
    except ValueError:
        return None


def status_of(error: BaseException) -> int:
    """What a client is told of a failure."""
    if isinstance(error, WallLimitExceeded):
        return 504
    if isinstance(error, NotServing):
        return 501
    return 503 if isinstance(error, UsageError | RunInterrupted) else 500


def report(error: BaseException) -> None:
    """Log what went wrong."""
    text = error.render() if isinstance(error, JSError) else f"{type(error).__name__}: {error}"
    log.error("%s", text, exc_info=None if isinstance(error, SandboxError) else error)


async def _listen(exchange: Exchange, receive: Receive, first: bytes | None) -> None:
    """Give the request's body to the guest, and tell it when the client goes away."""

    async def chunks() -> AsyncGenerator[bytes]:
        assert first is not None
        yield first
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                exchange.abort()
                raise ConnectionAbortedError("the client has gone away")
            yield message.get("body", b"")
            if not message.get("more_body", False):
                return

    if first is not None:
        await exchange.feed(chunks())
    while (await receive())["type"] != "http.disconnect":
        pass
    exchange.abort()


async def _send_response(head: Head, exchange: Exchange, method: str, send: Send, prefix: str) -> None:
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in head.headers
        if name.lower().encode("latin-1") not in _HOP_BY_HOP
    ]
    has_body = method != "HEAD" and head.status not in _NULL_BODY
    announced = _length(headers) if has_body and head.body is None else None
    if has_body:
        headers = [header for header in headers if header[0] != b"content-length"]
        if head.body is not None:
            headers.append((b"content-length", str(len(head.body)).encode()))
        elif announced is not None:
            headers.append((b"content-length", str(announced).encode()))
    await send({"type": f"{prefix}.start", "status": head.status, "headers": headers})
    if head.body is None and has_body:
        left = announced
        async for chunk in exchange:
            if left is not None:
                left -= len(chunk)
                if left < 0:
                    raise ValueError("the program gave a longer body than its content-length says")
            await send({"type": f"{prefix}.body", "body": chunk, "more_body": True})
        if left:
            raise ValueError("the program gave a shorter body than its content-length says")
    await send({"type": f"{prefix}.body", "body": (head.body or b"") if has_body else b"", "more_body": False})


def _length(headers: list[tuple[bytes, bytes]]) -> int | None:
    """What a stream's length is said to be, where that can be read."""
    said = [value for name, value in headers if name == b"content-length"]
    return int(said[0]) if len(said) == 1 and re.fullmatch(rb"[0-9]{1,18}", said[0]) else None


async def _send_plain(send: Send, status: int, prefix: str = "http.response") -> None:
    body = _TEXTS[status].encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": f"{prefix}.start", "status": status, "headers": headers})
    await send({"type": f"{prefix}.body", "body": body, "more_body": False})


async def _refuse(send: Send, status: int, *, may_respond: bool) -> None:
    if may_respond:
        await _send_plain(send, status, "websocket.http.response")
    else:
        await send({"type": "websocket.close", "code": 1011})


def _accept(head: Head, scope: Scope) -> Message:
    """The message that accepts a WebSocket."""
    chosen = next((value for name, value in head.headers if name.lower() == "sec-websocket-protocol"), None)
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1"))
        for name, value in head.headers
        if not name.lower().startswith("sec-websocket-") and name.lower().encode("latin-1") not in _HOP_BY_HOP
    ]
    protocol = chosen if chosen in (scope.get("subprotocols") or ()) else None
    return {"type": "websocket.accept", "subprotocol": protocol, "headers": headers}


def _brief(error: BaseException) -> str:
    return str(error).partition("\n")[0][:1000]
