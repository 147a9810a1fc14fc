"""A server for xJet's runners: each suite that comes over TCP is run in a sandbox of its own."""

from __future__ import annotations

import contextlib
import hmac
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from sandbox import _portal
from sandbox._sandbox import Sandbox
from sandbox.errors import JSError, SandboxError, UsageError
from sandbox.functions import HostFunction
from sandbox.limits import Limits
from sandbox.testing.remote.links import Link
from sandbox.testing.remote.packets import (
    ID_BYTES,
    MAX_FRAME_BYTES,
    Frames,
    Kind,
    PacketError,
    Type,
    decode_packet,
    encode_error,
)

if TYPE_CHECKING:
    from sandbox.snapshot import Snapshot

_MAX_CLIENTS: Final = 64
# How long a client may take to say who it is.
_GREETING_SECONDS = 10.0
_LENGTH: Final = struct.Struct(">I")
_MIN_TOKEN: Final = 16
_MAX_TOKEN_BYTES: Final = 1024
# What a bundle calls itself, by which the client finds the places in its sources.
_SOURCE_URL: Final = re.compile(r"//# sourceURL=(\S{1,1000})\s*$")
_FILENAME: Final = "suite.js"
_LIMITS: Final = Limits(wall_seconds=60)

# What a suite finds beside the standard: Node's names, as far as xJet's framework uses them.
NODE: Final = """
{
  const text = (encoding) => ["utf8", "utf-8", undefined].includes(encoding);
  class Buffer extends Uint8Array {
    static isBuffer(value) { return value instanceof Buffer; }
    static alloc(size, fill = 0) { return new Buffer(size).fill(fill); }
    static allocUnsafe(size) { return new Buffer(size); }
    static byteLength(value) { return typeof value === "string" ? Buffer.from(value).length : value.byteLength; }
    static from(value, encoding) {
      if (typeof value !== "string") {
        return value instanceof ArrayBuffer ? new Buffer(value) : Buffer.#of(Uint8Array.from(value.data ?? value));
      }
      if (text(encoding)) return Buffer.#of(new TextEncoder().encode(value));
      if (encoding === "hex") return Buffer.#of(Uint8Array.fromHex(value));
      if (encoding === "base64") return Buffer.#of(Uint8Array.fromBase64(value));
      return Buffer.#of(Uint8Array.from(value, (char) => char.charCodeAt(0)));
    }
    static #of(bytes) { return new Buffer(bytes.buffer, bytes.byteOffset, bytes.byteLength); }
    static concat(list, length = list.reduce((sum, each) => sum + each.length, 0)) {
      const whole = Buffer.alloc(length);
      let at = 0;
      for (const each of list) {
        whole.set(each.subarray(0, Math.max(0, length - at)), at);
        at += each.length;
      }
      return whole;
    }
    toString(encoding, start = 0, end = this.length) {
      const part = new Uint8Array(this.buffer, this.byteOffset + start, end - start);
      if (text(encoding)) return new TextDecoder().decode(part);
      if (encoding === "hex") return part.toHex();
      if (encoding === "base64") return part.toBase64();
      return Array.from(part, (byte) => String.fromCharCode(byte)).join("");
    }
    write(value, offset = 0, length, encoding) {
      const bytes = Buffer.from(value, typeof length === "string" ? length : encoding);
      const fits = bytes.subarray(0, this.length - offset);
      this.set(fits, offset);
      return fits.length;
    }
    equals(other) { return this.length === other.length && this.every((byte, i) => byte === other[i]); }
    readUIntBE(offset, size) { let n = 0; for (let i = 0; i < size; i++) n = n * 256 + this[offset + i]; return n; }
    readUIntLE(offset, size) { let n = 0; while (size-- > 0) n = n * 256 + this[offset + size]; return n; }
    writeUIntBE(value, offset, size) {
      for (let i = size - 1; i >= 0; i--) { this[offset + i] = value % 256; value = Math.floor(value / 256); }
      return offset + size;
    }
    writeUIntLE(value, offset, size) {
      for (let i = 0; i < size; i++) { this[offset + i] = value % 256; value = Math.floor(value / 256); }
      return offset + size;
    }
  }
  const methods = {};
  const add = (name, kind, size, little) => {
    methods["read" + name] = function (offset = 0) {
      return new DataView(this.buffer, this.byteOffset)["get" + kind](offset, little);
    };
    methods["write" + name] = function (value, offset = 0) {
      new DataView(this.buffer, this.byteOffset)["set" + kind](offset, value, little);
      return offset + size;
    };
  };
  for (const sign of ["Int", "UInt"]) {
    const kind = sign === "Int" ? "Int" : "Uint";
    add(sign + "8", kind + "8", 1, false);
    for (const bits of [16, 32]) for (const end of ["LE", "BE"]) {
      add(sign + bits + end, kind + bits, bits / 8, end === "LE");
    }
  }
  for (const [name, method] of Object.entries(methods)) {
    Object.defineProperty(Buffer.prototype, name, { value: method, configurable: true, writable: true });
    const other = name.replace("UInt", "Uint");
    Object.defineProperty(Buffer.prototype, other, { value: method, configurable: true, writable: true });
  }
  globalThis.Buffer = Buffer;
  globalThis.module = { exports: {} };
  globalThis.exports = module.exports;
  globalThis.require = (name) => { throw new Error(`there is no module '${name}' in this runner`); };
}
"""


class RunnerServer:
    """Serves xJet's command: its suites are run in sandboxes, and it gets the packets that they dispatch.

        with RunnerServer(port=3000) as server:
            server.wait()

    Whoever can connect can run programs, under the limits: listen on loopback, or with a token and TLS. xJet's own
    command knows neither. In `async with`, under asyncio and trio, the same server is waited for with `wait_async`.
    A suite that ends in no packet of its own, because it was stopped or does not parse, ends in one that says why.

    Attributes:
        port: Where it listens.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        workers: int = 2,
        limits: Limits | None = None,
        options: Mapping[str, Any] | None = None,
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Say what is served; nothing listens yet.

        Args:
            port: 0: any that is free.
            host: The address to listen at.
            workers: How many suites are run at one time.
            limits: Of each suite; None: the defaults, with a minute of wall time.
            options: More options of the sandboxes.
            token: What a client has to know, 16 characters or more: its first frame. None: anybody is let in.
            tls: The certificate of this server, and what it is served with; None: connections are not encrypted.

        Raises:
            UsageError: The options name what the server sets.
            ValueError: The token is too short, or too long.
        """
        if token is not None and not (len(token) >= _MIN_TOKEN and len(token.encode()) <= _MAX_TOKEN_BYTES):
            raise ValueError(f"a token has {_MIN_TOKEN} characters or more, and {_MAX_TOKEN_BYTES:,} bytes at most")
        self._token, self._tls = None if token is None else token.encode(), tls
        self.port: int = port
        self._host, self._workers = host, workers
        self._limits = _LIMITS if limits is None else limits
        self._options = {**(options or {})}
        if taken := {"limits", "functions", "record"} & self._options.keys():
            raise UsageError(f"the option {min(taken)!r} is set by the server")
        self._clients: set[Link] = set()
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        self._start: Snapshot | None = None

    def __enter__(self) -> Self:
        with Sandbox(functions={"dispatch": HostFunction(_nowhere, name="dispatch")}, **self._options) as box:
            box.eval(NODE, filename="sandbox:node.js")
            self._start = box.snapshot()
        self._listener = socket.create_server((self._host, self.port))
        self.port = self._listener.getsockname()[1]
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="sandbox runner")
        self._thread = threading.Thread(target=self._accept, name="sandbox runner server", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        await _portal.in_thread(self.__enter__)
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await _portal.in_thread(self.close)

    def wait(self) -> None:
        """Until it is closed by another thread, or by Ctrl-C."""
        self._is_closed.wait()

    async def wait_async(self) -> None:
        """Until it is closed, for a task of asyncio or trio, which may be cancelled."""
        await _portal.in_thread(self.wait)

    def close(self) -> None:
        """Listen no more, and leave all clients; suites that run are stopped."""
        self._is_closed.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.shut()
        self._thread.join()
        self._pool.shutdown(cancel_futures=True)

    def _accept(self) -> None:
        while not self._is_closed.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            client = Link(sock)
            with self._lock:
                is_welcome = len(self._clients) < _MAX_CLIENTS
                if is_welcome:
                    self._clients.add(client)
            if not is_welcome:
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client,), name="sandbox runner client", daemon=True).start()

    def _serve(self, link: Link) -> None:
        try:
            end = time.monotonic() + _GREETING_SECONDS
            if self._tls is not None:
                link.secure(self._tls, _GREETING_SECONDS)
            runner = link.receive_exactly(ID_BYTES, end).rstrip(b"\0").decode("utf-8", "replace")
            if self._token is not None:
                self._check_token(link, self._token, end)
            frames = Frames()
            while data := link.receive():
                for payload in frames.feed(data):
                    link.hold(len(payload))
                    future = self._pool.submit(self._run, link, payload, runner)
                    future.add_done_callback(partial(_let_go, link, len(payload)))
        except (OSError, PacketError, EOFError, RuntimeError):  # the last: the server is closed
            pass
        finally:
            with self._lock:
                self._clients.discard(link)
            link.shut()
            link.close()

    def _check_token(self, link: Link, token: bytes, end: float) -> None:
        """Read the first frame.

        Raises:
            PacketError: It is not the token.
            OSError: It did not come in time.
            EOFError: It did not come.
        """
        (size,) = _LENGTH.unpack(link.receive_exactly(_LENGTH.size, end))
        given = link.receive_exactly(size, end) if size <= _MAX_TOKEN_BYTES else b""
        if not hmac.compare_digest(given, token):
            link.send(encode_error("Unauthorized", "the token is not the server's", "", "", ""))
            raise PacketError("the token is not the server's")

    def _run(self, link: Link, payload: bytes, runner: str) -> None:
        """Run a suite; whatever becomes of it, the client hears of its end."""
        suite = payload[-ID_BYTES:].rstrip(b"\0").decode("utf-8", "replace")
        has_ended = False

        def fail(name: str, message: str, stack: str = "") -> None:
            link.send(encode_error(name, message, stack, suite[:ID_BYTES], runner[:ID_BYTES]))

        code = payload[:-ID_BYTES].decode("utf-8", "replace")

        def dispatch(data: object) -> None:
            if not isinstance(data, bytes | bytearray | memoryview):
                raise TypeError("dispatch takes a Buffer")
            nonlocal has_ended
            has_ended = has_ended or _is_end(bytes(data))
            link.send(bytes(data))

        try:
            assert self._start is not None
            functions = {"dispatch": HostFunction(dispatch, name="dispatch")}
            # What crosses at once is a packet, and no more than a frame.
            limits = replace(self._limits, message_bytes=min(self._limits.message_bytes, MAX_FRAME_BYTES))
            options = {**self._options, "functions": functions, "limits": limits}
            with Sandbox.restore(self._start, **options) as box, link.running(box) as is_wanted:
                if not is_wanted:
                    return
                box.eval(code, filename=_name_of(code))
                box.run_until_idle()
            if not has_ended:
                fail("Error", "the suite has come to nothing more, and has not said that it ended")
        except JSError as error:
            fail(error.name or "Error", error.message, error.stack)
        except SandboxError as error:
            fail(type(error).__name__, str(error))
        except Exception:  # noqa: BLE001 - what is wrong with this host is not for the client
            fail("Error", "the runner has failed")


def _let_go(link: Link, size: int, _future: object) -> None:
    link.let_go(size)


def _is_end(data: bytes) -> bool:
    """Whether a packet is the last one of its suite; what is no packet is not."""
    try:
        packet = decode_packet(data)
    except PacketError:
        return False
    return packet.kind is Kind.ERROR or (packet.kind is Kind.STATUS and packet.type is Type.END_SUITE)


def _name_of(code: str) -> str:
    found = _SOURCE_URL.search(code, max(0, len(code) - 2000))
    return found[1] if found else _FILENAME


def _nowhere(_data: object) -> None:
    """While the sandbox is made there is no client."""
