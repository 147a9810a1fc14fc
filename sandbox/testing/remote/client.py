"""Suites that are run by servers of xJet's protocol, such as one in Node: sent over TCP, and what they answer.

A runner that is lost, that says nothing any more, or that sends what is no packet, has failed: its suite is never
counted as passed.
"""

from __future__ import annotations

import json
import re
import secrets
import socket
import ssl
import string
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Literal

import anyio

from sandbox import _stack
from sandbox._records import field, record
from sandbox.testing.remote.packets import ID_BYTES, Frames, Kind, Packet, PacketError, Type, decode_packet, frame
from sandbox.testing.results import Report, SuiteResult, TestError, TestResult

_CHUNK_BYTES: Final = 1 << 16
_MAX_PACKETS: Final = 100_000
_ALPHABET: Final = string.digits + string.ascii_lowercase
# What xJet's command writes before a bundle: the settings of its own run, with ids that are not ours.
_SETTINGS: Final = re.compile(r"\s*globalThis\.__XJET\s*=\s*\{.*\};?[ \t]*\n")
_LEVELS: Final = {1: "error", 2: "warn", 3: "info", 4: "debug"}


def new_id() -> str:
    """An id of 14 characters, as the protocol needs them."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(ID_BYTES))


@record(frozen=True, slots=True)
class TcpRunner:
    """A server that runs suites.

    Attributes:
        name: What results call it.
        host: Where it is.
        port: Where it listens.
        connect_seconds: How long it may take to answer.
        suite_seconds: How long a suite may take in all; one that has not ended then has failed.
        token: What the server wants to hear first; xJet's own servers want none.
        tls: How to check the server's certificate; None: the connection is not encrypted.
    """

    name: str
    host: str = "127.0.0.1"
    port: int = 3000
    connect_seconds: float = 5.0
    suite_seconds: float = 60.0
    token: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    def run(self, code: str, path: str = "suite.js", *, timeout_ms: int = 5000) -> SuiteResult:
        """Run a suite and wait for its end.

        Args:
            code: A bundle with xJet's framework, which runs itself; settings that xJet's command wrote before it are
                left out.
            path: What results call it.
            timeout_ms: For each of its tests.
        """
        begun = _Begun(self, code, path, timeout_ms)
        try:
            with self._connect() as link:
                link.settimeout(self.suite_seconds)
                link.sendall(begun.opening)
                while not begun.is_over:
                    link.settimeout(begun.left_seconds())
                    begun.hear(link.recv(_CHUNK_BYTES))
        except (OSError, PacketError) as error:
            begun.fail(error)
        return begun.end()

    async def run_async(self, code: str, path: str = "suite.js", *, timeout_ms: int = 5000) -> SuiteResult:
        """As `run`, for a task of asyncio or trio, which may be cancelled: the connection is closed then."""
        begun = _Begun(self, code, path, timeout_ms)
        try:
            with anyio.fail_after(self.connect_seconds):
                link = await (
                    anyio.connect_tcp(self.host, self.port)
                    if self.tls is None
                    else anyio.connect_tcp(self.host, self.port, ssl_context=self.tls, tls_standard_compatible=False)
                )
            async with link:
                with anyio.fail_after(begun.left_seconds()):
                    await link.send(begun.opening)
                    while not begun.is_over:
                        try:
                            data = await link.receive(_CHUNK_BYTES)
                        except anyio.EndOfStream:
                            data = b""
                        begun.hear(data)
        except (OSError, PacketError, anyio.BrokenResourceError) as error:
            begun.fail(error)
        return begun.end()

    def _connect(self) -> socket.socket:
        link = socket.create_connection((self.host, self.port), self.connect_seconds)
        if self.tls is None:
            return link
        try:
            return self.tls.wrap_socket(link, server_hostname=self.host)
        except BaseException:
            link.close()
            raise


class _Begun:
    """A suite that is being run somewhere: what is sent, and what came of it. No input or output."""

    def __init__(self, runner: TcpRunner, code: str, path: str, timeout_ms: int) -> None:
        self.result = SuiteResult(path, runner=runner.name)
        self.is_over = False
        self._runner, self._began = runner, time.monotonic()
        self._frames, self._count, self._suite = Frames(), 0, new_id()
        runner_id = new_id()
        settings = {
            "bail": False, "path": path, "filter": [], "timeout": timeout_ms, "suiteId": self._suite,
            "runnerId": runner_id, "randomize": False,
        }  # fmt: skip
        text = f"globalThis.__XJET = {json.dumps({'runtime': settings})};\n{_without_settings(code)}{self._suite}"
        token = b"" if runner.token is None else frame(runner.token.encode())
        self.opening = runner_id.encode() + token + frame(text.encode("utf-8", "surrogatepass"))

    def left_seconds(self) -> float:
        """How long it may still take.

        Raises:
            TimeoutError: No longer.
        """
        left = self._began + self._runner.suite_seconds - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def hear(self, data: bytes) -> None:
        """Take what came.

        Raises:
            PacketError: It is no packet, or there is none any more.
        """
        if not data:
            raise PacketError("the connection ended before the suite did")
        for payload in self._frames.feed(data):
            self._count += 1
            if self._count > _MAX_PACKETS:
                raise PacketError("there are too many packets")
            packet = decode_packet(payload)
            is_mine = packet.suite == self._suite or (packet.kind is Kind.ERROR and not packet.suite)
            if is_mine and _take(packet, self.result):
                self.is_over = True
                return

    def fail(self, error: Exception) -> None:
        """Note why it has no end."""
        name = self._runner.name
        if isinstance(error, TimeoutError):
            text = f"{name} has said nothing within its time"
        else:
            text = f"{name} was lost: {getattr(error, 'strerror', None) or error or 'the connection broke'}"
        self.result.errors.append(TestError("RunnerError", text))

    def end(self) -> SuiteResult:
        """What came of it."""
        result = self.result
        if not result.errors and not result.tests:
            result.errors.append(TestError("Error", f"{result.file} must contain at least one test"))
        result.duration_ms = (time.monotonic() - self._began) * 1000
        return result


def _without_settings(code: str) -> str:
    settings = _SETTINGS.match(code)
    return code if settings is None else code[settings.end() :]


def _take(packet: Packet, result: SuiteResult) -> bool:
    """Note what a packet says; whether it is the last one."""
    if packet.kind is Kind.ERROR:
        result.errors += _errors(f"[{packet.text}]") or [TestError("Error", "the suite has failed")]
        return True
    path = (*filter(None, packet.ancestry.split(",")), packet.description)
    if packet.kind is Kind.LOG:
        result.console.append(f"{_LEVELS.get(packet.level, 'log')}: {packet.text}")
    elif packet.kind is Kind.EVENT:
        errors = _errors(packet.text)
        if packet.type is Type.TEST:
            status: Literal["passed", "failed"] = "failed" if errors else "passed"
            result.tests.append(TestResult(path, status, float(packet.duration), tuple(errors), 1, result.file))
        elif packet.type is Type.DESCRIBE:
            result.errors += errors
    elif packet.type is Type.TEST and (packet.is_todo or packet.is_skipped):
        result.tests.append(TestResult(path, "todo" if packet.is_todo else "skipped", file=result.file))
    return packet.kind is Kind.STATUS and packet.type is Type.END_SUITE


def _errors(text: str) -> list[TestError]:
    """The errors that a packet has; what is none says so, and counts as one."""
    if not text:
        return []
    try:
        found = json.loads(text)
    except ValueError:
        found = [{"message": text}]
    return [_error(each) for each in (found if isinstance(found, list) else [found])]


def _error(data: Any) -> TestError:  # noqa: ANN401 - what a server has sent
    if not isinstance(data, dict):
        return TestError("Error", str(data))
    name, message, stack = (data.get(key) for key in ("name", "message", "stack"))
    frames = _stack.parse(stack) if isinstance(stack, str) else ()
    return TestError(name if isinstance(name, str) else "Error", str(message), frames)


def run_remote(
    suites: Sequence[tuple[str, str]],
    runners: Sequence[TcpRunner],
    *,
    distribute: Literal["balance", "matrix"] = "balance",
) -> Report:
    """Run suites by servers.

    Args:
        suites: Path and code of each.
        runners: The servers, each of which runs one suite at a time.
        distribute: `"balance"`: each suite is run once, by whichever server is free. `"matrix"`: each by every one.

    Raises:
        ValueError: There are no runners.
    """
    began, found = time.monotonic(), _Found()
    waiting = _waiting(suites, runners, distribute)

    def work(place: int, runner: TcpRunner) -> None:
        for number in waiting[place]:
            path, code = suites[number]
            found.append((number, place, runner.run(code, path)))

    with ThreadPoolExecutor(len(runners), thread_name_prefix="sandbox runners") as pool:
        for each in [pool.submit(work, place, runner) for place, runner in enumerate(runners)]:
            each.result()
    return _report(found, began)


async def run_remote_async(
    suites: Sequence[tuple[str, str]],
    runners: Sequence[TcpRunner],
    *,
    distribute: Literal["balance", "matrix"] = "balance",
) -> Report:
    """As `run_remote`, for a task of asyncio or trio, which may be cancelled: all connections are closed then.

    Args:
        suites: See there.
        runners: See there.
        distribute: See there.

    Raises:
        ValueError: There are no runners.
    """
    began, found = time.monotonic(), _Found()
    waiting = _waiting(suites, runners, distribute)

    async def work(place: int, runner: TcpRunner) -> None:
        for number in waiting[place]:
            path, code = suites[number]
            found.append((number, place, await runner.run_async(code, path)))

    async with anyio.create_task_group() as tasks:
        for place, runner in enumerate(runners):
            tasks.start_soon(work, place, runner)
    return _report(found, began)


_Found = list[tuple[int, int, SuiteResult]]


def _waiting(suites: Sequence[object], runners: Sequence[TcpRunner], distribute: str) -> list[Iterator[int]]:
    """For each runner the numbers of what it runs next; runners that balance take from the same."""
    if not runners:
        raise ValueError("there are no runners")
    if distribute == "matrix":
        return [iter(range(len(suites))) for _ in runners]
    shared = iter(range(len(suites)))  # which takes a step at a time, whichever thread asks
    return [shared] * len(runners)


def _report(found: _Found, began: float) -> Report:
    found.sort(key=lambda each: each[:2])
    return Report([result for _, _, result in found], (time.monotonic() - began) * 1000)
