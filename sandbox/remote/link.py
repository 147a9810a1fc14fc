"""A connection for threads: requests from any of them, one that reads and writes, and an end that everybody hears.

Clients and workers use it; the daemon between them has tasks of its own (`sandbox/remote/peers.py`). Whoever waits for
something reads the connection itself, so that what it waits for need not be handed over by another thread, which would
take as long as all the rest. The thread of the link reads while nobody waits, or somebody who must not read: on the
main thread a signal handler could raise in the middle of it.
"""

from __future__ import annotations

import logging
import math
import os
import select
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from sandbox import _forks, _interrupts
from sandbox.remote import events as wire
from sandbox.remote.answers import Mailbox, again, answer_of
from sandbox.remote.bodies import Bodies
from sandbox.remote.connection import Connection
from sandbox.remote.errors import ConnectionLost
from sandbox.remote.events import Answered, Asked, Ended, Failed, Greeted, Refused
from sandbox.remote.protocol import MAX_OUTGOING_BYTES, Code, error_of

if TYPE_CHECKING:
    from sandbox.errors import SandboxError

_READ_BYTES: Final = 1 << 18
_PING_SECONDS: Final = 5.0
_SILENCE_SECONDS: Final = 20.0
_LOOK_MS: Final = 5000  # how often one that reads looks whether the connection was closed here
_NO_ANSWER: Final = "nothing was heard of the other side for too long"

log: logging.Logger = logging.getLogger("sandbox.remote")


class Link:
    """One connection. Any thread may use it, finalizers and signal handlers those methods that say so.

    Attributes:
        facts: What the other side said of itself.
        lost: Why the connection has ended; None: it has not.
    """

    def __init__(
        self,
        sock: socket.socket,
        greeting: dict[str, Any] | Connection,
        *,
        on_asked: Callable[[Asked], None],
        on_cancelled: Callable[[int], None] = lambda _number: None,
        on_noticed: Callable[[str, dict[str, Any]], None] = lambda _name, _facts: None,
        on_lost: Callable[[SandboxError], None] = lambda _error: None,
    ) -> None:
        """Take over a socket that is connected; `start` begins.

        Args:
            sock: The socket, or one of TLS after its handshake.
            greeting: Facts to greet the other side with; or the state of a connection that it has greeted, and that is
                open for it.
            on_asked: Gets requests of the other side, whole; on the thread of the link, as all of these.
            on_cancelled: Gets the numbers of requests that are no longer wanted.
            on_noticed: Gets notices.
            on_lost: Called once when the connection has ended.
        """
        self.facts: dict[str, Any] = {}
        self.lost: SandboxError | None = None
        self._on_asked, self._on_cancelled = on_asked, on_cancelled
        self._on_noticed, self._on_lost = on_noticed, on_lost
        self._socket = sock
        sock.setblocking(False)
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._is_tls = isinstance(sock, ssl.SSLSocket)
        self._lock = threading.Lock()
        self._connection = Connection("client") if isinstance(greeting, dict) else greeting
        self._bodies = Bodies(self._connection)
        self._outgoing = bytearray()
        self._mailboxes: dict[int, Mailbox | None] = {}
        self._posted: deque[Callable[[], None]] = deque()
        self._bell, self._ringer = os.pipe()
        os.set_blocking(self._bell, False)
        os.set_blocking(self._ringer, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._watched = 0  # what the thread of the link watches the socket for
        self._reading = threading.Lock()  # held by who reads
        self._is_read_elsewhere = False
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._nudged, self._nudger = socket.socketpair()
        self._nudged.setblocking(False)
        self._nudger.setblocking(False)
        self._poll.register(self._nudged, select.POLLIN)
        self._ended: SandboxError | None = None
        self._is_over = False
        self._is_rung = False
        self._closing = False
        self._greeted: SimpleQueue[Any] = SimpleQueue()
        self._heard = time.monotonic()
        if isinstance(greeting, dict):
            self._connection.hello(greeting)
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._run, name="sandbox-link", daemon=True)
        _forks.watch(self)

    def start(self) -> None:
        """Greet the other side, and serve it from now on: whoever gets what it asks must know this link by then."""
        self._thread.start()

    def wait_until_open(self, seconds: float) -> dict[str, Any]:
        """Wait for the answer of the greeting; returns what it says.

        Raises:
            SandboxError: There was none in time, or the connection was refused.
        """
        from queue import Empty

        try:
            answer = self._greeted.get(timeout=seconds)
        except Empty:
            self.close()
            raise ConnectionLost("the daemon did not answer in time", Code.TIMEOUT.name) from None
        if isinstance(answer, BaseException):
            raise answer
        return self.facts

    def nudge(self) -> None:
        """Have who reads look whether what it waits for is so; from any thread."""
        if self._is_read_elsewhere:
            with suppress(OSError):  # it is full, or closed
                self._nudger.send(b"\0")

    @property
    def peer_body_bytes(self) -> int:
        """The longest body that the other side takes."""
        return self._connection.peer_body_bytes

    @property
    def is_ending(self) -> bool:
        """Whether the connection has ended, or is about to by this side's hand."""
        return self._closing or self._ended is not None or self.lost is not None

    # --- what its owner does ---

    def send(
        self, method: str, parameters: dict[str, Any], body: bytes | None = None, to: Mailbox | None = None
    ) -> int:
        """Ask for something; returns the number of the request.

        Args:
            method: What for.
            parameters: With which.
            body: Bytes that go along.
            to: Gets the `Answer`; None: nobody wants it.

        Raises:
            SandboxError: The connection has ended.
            ValueError: As `Connection.request`.
        """
        with self._lock:
            self._do_posted()
            if self.lost is not None:
                raise again(self.lost)
            if self._closing:  # and its thread has not come to it
                raise _closed()
            number = self._connection.request(method, parameters, body)
            self._mailboxes[number] = to
            self._flush()
        return number

    def request(
        self, method: str, parameters: dict[str, Any], body: bytes | None = None
    ) -> tuple[dict[str, Any], bytes | None]:
        """Ask for something and wait for the answer.

        Raises:
            SandboxError: It was refused, or the connection has ended.
        """
        mailbox: Mailbox = SimpleQueue()
        self.send(method, parameters, body, mailbox)
        return answer_of(self.wait(mailbox))

    def wait(self, mailbox: Mailbox, until: float = math.inf) -> Any:  # noqa: ANN401 - what was put there
        """What is in a mailbox of this link next. Until there is something, this thread reads, if no other one does.

        Args:
            mailbox: The mailbox.
            until: The monotonic time when nobody waits any more.

        Raises:
            queue.Empty: There was nothing until then, give or take some seconds.
        """
        if mailbox.empty():
            self.read_until(lambda: not mailbox.empty() or time.monotonic() >= until)
        return mailbox.get(timeout=None if until == math.inf else max(until - time.monotonic(), 0.0))

    def read_until(self, is_so: Callable[[], object]) -> None:
        """Read the connection on this thread until something is so, or it has ended; returns at once if it may not."""
        if self._is_tls or _interrupts.may_be_raised_here() or not self._reading.acquire(blocking=False):
            return
        try:
            with self._lock:
                if self._is_over:
                    return
                self._is_read_elsewhere = True
                self._watch()
            while not is_so() and self._ended is None and not self._closing:
                ready = self._poll.poll(_LOOK_MS)
                if len(ready) > 1 or (ready and ready[0][0] != self._socket.fileno()):
                    with suppress(BlockingIOError):
                        self._nudged.recv(4096)
                elif ready:
                    self._ended = self._read()
            if self._ended is not None:
                self._ring()
        except Exception as failure:  # noqa: BLE001 - all who wait for an answer must hear of it
            self._ended = _failed(failure)
            self._ring()
        finally:
            with self._lock:
                self._is_read_elsewhere = False
                self._watch()
            self._reading.release()

    def answer(self, number: int, result: dict[str, Any], body: bytes | None = None) -> None:
        """Answer a request of the other side's. Nothing happens when the connection has ended."""
        with self._lock:
            if self.lost is None:
                self._connection.answer(number, result, body)
                self._flush()

    def refuse(self, number: int, code: Code, text: str = "", detail: dict[str, Any] | None = None) -> None:
        """Likewise with an error."""
        with self._lock:
            if self.lost is None:
                self._connection.refuse(number, code, text, detail)
                self._flush()

    def post(self, job: Callable[[], None]) -> None:
        """Do something under the lock, at once or soon, and before what is sent next.

        From finalizers and signal handlers as well, which may interrupt a thread that holds the lock.
        """
        self._posted.append(job)
        if self._lock.acquire(blocking=False):
            try:
                self._do_posted()
                self._flush()
            finally:
                self._lock.release()
        if self._posted:
            self._ring()

    def _do_posted(self) -> None:
        while self._posted:
            self._posted.popleft()()

    def cancel(self, number: int) -> None:
        """Say that an answer is no longer wanted. From finalizers and signal handlers as well."""
        self.post(lambda: self._connection.cancel(number))

    def tell(self, method: str, parameters: dict[str, Any]) -> None:
        """Ask for something whose answer nobody wants. From finalizers and signal handlers as well."""
        self.post(lambda: self._tell(method, parameters))

    def close(self) -> None:
        """End the connection; idempotent, and nothing is waited for."""
        self._closing = True
        self._ring()

    def join(self, seconds: float) -> None:
        """Wait until its thread is gone."""
        if threading.current_thread() is not self._thread:
            self._thread.join(seconds)

    def after_fork(self) -> None:
        """See `_forks.Runner`: the connection is the parent's."""
        self._lock, self._reading = threading.Lock(), threading.Lock()
        self._is_over = True
        self._selector.close()
        for descriptor in (self._bell, self._ringer, *(each.detach() for each in self._sockets())):
            with suppress(OSError):
                os.close(descriptor)
        self._bell = self._ringer = -1
        self._lose(ConnectionLost("the process was forked; connect anew in the child", Code.GONE.name))

    # --- its thread ---

    def _run(self) -> None:
        error: SandboxError = _closed()
        try:
            with self._lock:
                self._flush()
            while (ended := self._step()) is None:
                pass
            error = ended
        except Exception as failure:  # noqa: BLE001 - likewise
            error = _failed(failure)
        finally:
            if self._process == os.getpid():
                self._end(_closed() if self._closing else error)

    def _step(self) -> SandboxError | None:
        """Wait for something to do and do it; returns why the connection has ended."""
        self._is_rung = False
        if self._ended is not None:
            return self._ended
        with self._lock:
            if self._posted:
                self._do_posted()
                self._flush()
            self._watch()
        if self._closing:
            with self._lock:
                self._connection.close(Code.GONE)
                self._flush()
            return _closed()
        pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()
        happened = {key.fd: mask for key, mask in self._selector.select(0 if pending else _PING_SECONDS)}
        of_socket = happened.get(self._socket.fileno(), 0)
        if self._bell in happened:
            with suppress(BlockingIOError):
                os.read(self._bell, 4096)
        if of_socket & selectors.EVENT_WRITE:
            with self._lock:
                self._flush(from_thread=True)
        if (of_socket & selectors.EVENT_READ or pending) and self._reading.acquire(blocking=False):
            try:
                return self._read()
            finally:
                self._reading.release()
        return None if happened else self._look_for_silence()

    def _watch(self) -> None:
        """Watch the socket for what is to be done here. Under the lock."""
        wanted = 0 if self._is_read_elsewhere else selectors.EVENT_READ
        if self._outgoing:
            wanted |= selectors.EVENT_WRITE
        if wanted == self._watched or self._is_over:
            return
        if not self._watched:
            self._selector.register(self._socket, wanted)
        elif wanted:
            self._selector.modify(self._socket, wanted)
        else:
            self._selector.unregister(self._socket)
        self._watched = wanted

    def _look_for_silence(self) -> SandboxError | None:
        silent = time.monotonic() - self._heard
        if silent > _SILENCE_SECONDS:
            return ConnectionLost(_NO_ANSWER, Code.TIMEOUT.name)
        if silent >= _PING_SECONDS * 0.9 and self._connection.state == "open":
            with self._lock:
                self._connection.ping(b"")
                self._flush()
        return None

    def _read(self) -> SandboxError | None:
        try:
            data = self._socket.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError as error:
            return ConnectionLost(f"the connection has ended: {error.strerror or error}", Code.GONE.name)
        if not data:
            return ConnectionLost("the other side has ended the connection", Code.GONE.name)
        self._heard = time.monotonic()
        with self._lock:
            events = [whole for event in self._connection.receive(data) for whole in self._bodies.take(event)]
            self._flush()
        for event in events:
            if (ended := self._hear(event)) is not None:
                return ended
        return None

    def _hear(self, event: wire.Event) -> SandboxError | None:
        if isinstance(event, Answered | Refused):
            mailbox = self._mailboxes.pop(event.number, None)
            if mailbox is not None:
                mailbox.put(event)
        elif isinstance(event, Asked):
            self._on_asked(event)
        elif isinstance(event, wire.Cancelled):
            self._on_cancelled(event.number)
        elif isinstance(event, wire.Noticed):
            self._on_noticed(event.name, event.facts)
        elif isinstance(event, Greeted):
            self.facts = event.facts
            self._greeted.put(event)
        elif isinstance(event, Ended):
            return error_of(event.code, event.text)
        elif isinstance(event, Failed):
            return event.error
        return None

    def _flush(self, *, from_thread: bool = False) -> None:
        """Send what can be sent at once; the thread of the link sends the rest. Under the lock."""
        had = len(self._outgoing)
        if self._connection.outgoing_bytes:
            self._outgoing += self._connection.take()
        if not self._outgoing:
            return
        if len(self._outgoing) > MAX_OUTGOING_BYTES:
            self._ended = self._ended or error_of(Code.TOO_SLOW, "")
            self._outgoing.clear()
            self._ring()
            return
        if self._is_tls and threading.current_thread() is not self._thread:
            self._ring()  # a socket of TLS is one thread's
            return
        if had and not from_thread:
            return
        try:
            sent = self._socket.send(self._outgoing)
            del self._outgoing[:sent]
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            self._outgoing.clear()  # the thread of the link hears of it when it reads
        if self._outgoing and threading.current_thread() is not self._thread:
            self._ring()

    def _tell(self, method: str, parameters: dict[str, Any]) -> None:
        if self.lost is None:
            with suppress(ValueError):
                self._mailboxes[self._connection.request(method, parameters)] = None

    def _ring(self) -> None:
        if not self._is_rung:
            self._is_rung = True
            with suppress(OSError):
                os.write(self._ringer, b"\0")

    def _end(self, error: SandboxError) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # whoever reads wakes up
        with self._reading, self._lock:
            self._is_over = True
            self._selector.close()
            for each in self._sockets():
                with suppress(OSError):
                    each.close()
        self._lose(error)
        for descriptor in (self._bell, self._ringer):
            os.close(descriptor)
        self._bell = self._ringer = -1

    def _sockets(self) -> tuple[socket.socket, ...]:
        return self._socket, self._nudged, self._nudger

    def _lose(self, error: SandboxError) -> None:
        with self._lock:
            if self.lost is not None:
                return
            self.lost = error
            mailboxes, self._mailboxes = self._mailboxes, {}
        self._greeted.put(again(error))
        self._on_lost(error)
        for mailbox in mailboxes.values():
            if mailbox is not None:
                mailbox.put(again(error))


def _failed(failure: Exception) -> ConnectionLost:
    log.error("a connection failed", exc_info=failure)
    return ConnectionLost(f"the connection failed: {type(failure).__name__}", Code.GONE.name)


def _closed() -> ConnectionLost:
    return ConnectionLost("the connection was closed", Code.GONE.name)
