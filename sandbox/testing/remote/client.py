"""Suites that are run by servers of xJet's protocol, such as one in Node: sent over TCP, and what they answer.

A runner that is lost, that says nothing any more, or that sends what is no packet, has failed: its suite is never
counted as passed.
"""

from __future__ import annotations

import json
import secrets
import socket
import string
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Final, Literal

from sandbox import _stack
from sandbox._records import record
from sandbox.testing.remote.packets import ID_BYTES, Frames, Kind, Packet, PacketError, Type, decode_packet, frame
from sandbox.testing.results import Report, SuiteResult, TestError, TestResult

_CHUNK_BYTES: Final = 1 << 16
_MAX_PACKETS: Final = 100_000
_ALPHABET: Final = string.digits + string.ascii_lowercase
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
    """

    name: str
    host: str = "127.0.0.1"
    port: int = 3000
    connect_seconds: float = 5.0
    suite_seconds: float = 60.0

    def run(self, code: str, path: str = "suite.js", *, timeout_ms: int = 5000) -> SuiteResult:
        """Run a suite and wait for its end.

        Args:
            code: A bundle with xJet's framework, which runs itself.
            path: What results call it.
            timeout_ms: For each of its tests.
        """
        began = time.monotonic()
        suite, runner = new_id(), new_id()
        result = SuiteResult(path, runner=self.name)
        settings = {
            "bail": False, "path": path, "filter": [], "timeout": timeout_ms, "suiteId": suite, "runnerId": runner,
            "randomize": False,
        }  # fmt: skip
        head = f"globalThis.__XJET = {json.dumps({'runtime': settings})};\n"
        try:
            with socket.create_connection((self.host, self.port), self.connect_seconds) as link:
                link.sendall(runner.encode() + frame((head + code + suite).encode("utf-8", "surrogatepass")))
                self._listen(link, suite, result, began + self.suite_seconds)
        except TimeoutError:
            result.errors.append(TestError("RunnerError", f"{self.name} has said nothing within its time"))
        except (OSError, PacketError) as error:
            text = getattr(error, "strerror", None) or str(error)
            result.errors.append(TestError("RunnerError", f"{self.name} was lost: {text}"))
        if not result.errors and not result.tests:
            result.errors.append(TestError("Error", f"{path} must contain at least one test"))
        result.duration_ms = (time.monotonic() - began) * 1000
        return result

    def _listen(self, link: socket.socket, suite: str, result: SuiteResult, end: float) -> None:
        frames, count = Frames(), 0
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            link.settimeout(left)
            data = link.recv(_CHUNK_BYTES)
            if not data:
                raise PacketError("the connection ended before the suite did")
            for payload in frames.feed(data):
                count += 1
                if count > _MAX_PACKETS:
                    raise PacketError("there are too many packets")
                packet = decode_packet(payload)
                if packet.suite == suite and _take(packet, result):
                    return


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
    if not runners:
        raise ValueError("there are no runners")
    began = time.monotonic()
    waiting: dict[TcpRunner, SimpleQueue[int]] = {}
    shared: SimpleQueue[int] = SimpleQueue()
    for runner in runners:
        waiting[runner] = shared if distribute == "balance" else SimpleQueue()
    for queue in {id(queue): queue for queue in waiting.values()}.values():
        for number in range(len(suites)):
            queue.put(number)
    found: list[tuple[int, int, SuiteResult]] = []

    def work(place: int, runner: TcpRunner) -> None:
        while not waiting[runner].empty():
            try:
                number = waiting[runner].get_nowait()
            except Exception:  # noqa: BLE001 - another has taken the last one
                return
            path, code = suites[number]
            found.append((number, place, runner.run(code, path)))

    with ThreadPoolExecutor(len(runners), thread_name_prefix="sandbox runners") as pool:
        for each in [pool.submit(work, place, runner) for place, runner in enumerate(runners)]:
            each.result()
    found.sort(key=lambda each: each[:2])
    return Report([result for _, _, result in found], (time.monotonic() - began) * 1000)
