"""Every container of the host that a guest can make grow has a cap: a table, and a program that tries each."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.lowlevel
import pytest

from sandbox import (
    AuditLog,
    CallLimits,
    HostFunction,
    JSError,
    Limits,
    MemoryFiles,
    Response,
    Sandbox,
    WebSockets,
    expose,
)
from sandbox._abi import FIRST_DYNAMIC_OP, OPS
from sandbox._observer import MOST_NAMES
from sandbox._operations import _MAX_KEPT_BYTES, _MAX_KEPT_EXCEPTIONS
from sandbox._requests import _MOST_REFUSED
from sandbox._runs import _MAX_SOURCE_CHARS, _MAX_SOURCES
from sandbox._trace import MOST_EVENTS
from sandbox._turns import _MAX_DROPPED
from sandbox._weights import host_bytes
from sandbox.capabilities import FilesCapability
from sandbox.capabilities.modules import _MAX_BEGUN, _MAX_NAME_CHARS
from sandbox.crypto.keys import MOST_OPEN as MOST_KEYS
from sandbox.crypto.keys import Vault
from sandbox.errors import ConversionError, LimitExceeded
from sandbox.fetch.exchanges import MOST_OPEN as MOST_RESPONSES
from sandbox.files.writables import MOST_OPEN as MOST_WRITABLES
from sandbox.values import JSMap, JSSet
from sandbox.websocket.memory import MemoryConnection, memory_server
from sandbox.websocket.socket import MESSAGE_BYTES
from tests.child import in_child

PENDING: Final = 50
CALLS: Final = 25
HANDLES: Final = 100
MEMORY: Final = 16 << 20
SOCKETS: Final = 8
ENTRIES: Final = 50
LIMITS: Final = Limits(
    pending_requests=PENDING, concurrent_calls=CALLS, handles=HANDLES, memory_bytes=MEMORY, output_bytes=1 << 20
)
_REQUESTS: Final = 2 * PENDING + _MOST_REFUSED + 1


@dataclass(frozen=True)
class Cap:
    """A container, the most it may hold, and a program that fills it.

    Attributes:
        most: Its length, or whatever `size` measures.
        because: The limit, or the reason, that bounds it.
        code: A program that makes it grow without end or far beyond; empty: nothing of a guest does.
        size: Measures it, when its length is not what counts.
    """

    most: int
    because: str
    code: str = ""
    size: Callable[[Any], int] = len


_NAMES: Final = "for (let i = 0; i < 3000; i++) { named(i)(); if (i % 41 == 0) look() }"
_FLOOD: Final = "for (let i = 0; i < 3000; i++) { never().catch(() => {}); if (i % 41 == 0) look() }"
_SERVED: Final = f"pending_requests, and {_MOST_REFUSED:,} refusals beyond twice as many"

_FILES: Final = "const k = [], root = await getDirectory(); const file = await root.getFileHandle('a', {create: true});"

# Class and attribute -> its cap.
CAPS: Final[dict[str, Cap]] = {
    "Requests._pending": Cap(_REQUESTS, _SERVED, _FLOOD),
    "Requests._completed": Cap(2 * _REQUESTS, _SERVED, _FLOOD),
    "Requests._unstarted": Cap(_REQUESTS, _SERVED, _FLOOD),
    "Requests._unasked": Cap(_REQUESTS, _SERVED),
    "Requests._working": Cap(CALLS, "concurrent_calls", "for (let i = 0; i < 40; i++) never().catch(() => {}); look()"),
    "_Loop._jobs": Cap(0, "what was started and cancelled since the loop came by"),
    "Requests._orphans": Cap(_REQUESTS, _SERVED, "for (let i = 0; i < 500; i++) later().then(look); 0"),
    "Requests._cancels": Cap(0, "what was started and is pending; they are called when the turn is over"),
    "Requests._services": Cap(
        CALLS, "concurrent_calls", "const k = []; for (;;) { k.push(s()); k.at(-1).next(); look() }"
    ),
    "Requests._unstarted_services": Cap(CALLS, "concurrent_calls", "for (;;) { s().next(); look() }"),
    "Alarms._live": Cap(_REQUESTS, _SERVED, "for (let i = 0; i < 1e4; i++) setTimeout(() => {}, 1e4 - i); look()"),
    "Alarms._heap": Cap(
        2 * _REQUESTS + 16,
        "that of the live ones",
        "for (let i = 0; i < 1e4; i++) setTimeout(() => {}, 1e4 - i); look()",
    ),
    "Operations._table": Cap(
        HANDLES + FIRST_DYNAMIC_OP, "handles", "const k = []; for (;;) { k.push(make()); look() }"
    ),
    "Operations._ops": Cap(HANDLES, "handles", "const k = []; for (;;) { k.push(thing()); look() }"),
    "Operations.dropped": Cap(
        _MAX_DROPPED + HANDLES, "handles", "for (let i = 0; i < 800; i++) { take(() => i); look() }"
    ),
    "Operations._entries": Cap(0, "what the embedder gives"),
    "Operations._exceptions": Cap(
        _MAX_KEPT_EXCEPTIONS + 1,
        "a number of its own",
        "for (let i = 0; i < 1000; i++) try { fail() } catch { if (i % 7 == 0) look() }",
    ),
    "Sources._texts": Cap(
        _MAX_SOURCES, "a number of its own", "for (let i = 0; i < 200; i++) { await import(`m${i}`); look() }"
    ),
    "Exchanges._open": Cap(
        MOST_RESPONSES,
        "a number of its own",
        "const k = []; for (let i = 0; i < 400; i++) { k.push(await fetch('http://a.test/')); i % 17 || look() }",
    ),
    "Exchange._ahead": Cap(
        2,
        "128 KiB",
        "const k = await fetch('http://a.test/'); await new Promise(done => setTimeout(done, 50)); look()",
    ),
    "Sockets._open": Cap(
        SOCKETS,
        "connections of the grant",
        "for (let i = 0; i < 30; i++) { await new Promise(r => { const w = new WebSocket('ws://a.test/');"
        "w.onopen = w.onclose = r }); look() }",
    ),
    "Socket._incoming": Cap(
        10_000 // MESSAGE_BYTES + 1,
        "max_queued_bytes of the grant",
        "const w = new WebSocket('ws://a.test/much'); await new Promise(r => { w.onmessage = r }); look();"
        "const end = performance.now() + 200; while (performance.now() < end); look()",
    ),
    "Socket._outgoing": Cap(
        10_000 // MESSAGE_BYTES + 1,
        "max_queued_bytes of the grant",
        "const w = new WebSocket('ws://a.test/'); await new Promise(r => { w.onopen = r });"
        "for (let i = 0; i < 1000; i++) { w.send(''); if (i % 50 === 0) look() }",
    ),
    "Socket._protocols": Cap(0, "what one request says, 4,096 characters"),
    "Writables._open": Cap(
        MOST_WRITABLES,
        "a number of its own",
        _FILES + "for (let i = 0; i < 100; i++) { k.push(await file.createWritable()); look() }",
    ),
    "_Directory.entries": Cap(
        ENTRIES,
        "max_entries",
        _FILES + "for (let i = 0; i < 300; i++) { await root.getFileHandle(`f${i}`, {create: true}); look() }",
    ),
    "Surface.values": Cap(0, "what the embedder gives"),
    "Surface.scripts": Cap(0, "what the embedder gives"),
    "Surface.entries": Cap(0, "what the bindings set themselves: a name for a browser"),
    "Surface._entries": Cap(0, "what the embedder gives"),
    "Options.call_limits": Cap(0, "what the embedder gives"),
    "Mounts._stores": Cap(0, "what the embedder gives"),
    "Serve.open": Cap(0, "what the embedder asks for"),
    "ServerSockets._open": Cap(0, "what the embedder asks for"),
    "ServerSocket._outbox": Cap(0, "16 MiB for all of them: tests/capabilities/test_serve.py"),
    "BlockingRunner.abandoned": Cap(0, "what the embedder asks for"),
    "BlockingRunner._open": Cap(0, "the requests that the embedder has begun"),
    "Modules._begun": Cap(
        _MAX_BEGUN + 1, "a number of its own", "for (let i = 0; i < 200; i++) { import(`late${i}`); look() }"
    ),
    "Vault._open": Cap(
        MOST_KEYS,
        "a number of its own",
        "for (let i = 0; i < 100; i++) { await crypto.subtle.generateKey('Ed25519', true, ['sign']); look() }",
    ),
    "Service._families": Cap(0, "the algorithms"),
    "Key.algorithm": Cap(0, "the parameters of its algorithm"),
    "Turns.abandoned": Cap(
        3000, "the guest's memory: each is a promise there", "for (let i = 0; i < 300; i++) { nest(); look() }"
    ),
    "Turns.woken": Cap(0, "the runs in progress"),
    "AfterLimit._woken": Cap(0, "the same"),
    "AfterLimit.overdue": Cap(0, "the same"),
    "Turns.runs": Cap(2, "what the embedder asks for", "look()"),
    "Driver.runs": Cap(2, "what the embedder asks for", "look()"),
    "Turns.first_values": Cap(0, "what the embedder asks for"),
    "Observer._on_call": Cap(0, "what the embedder gives"),
    "Observer._on_result": Cap(0, "what the embedder gives"),
    "Observer._call_limits": Cap(0, "what the embedder gives"),
    "Observer._watches": Cap(MOST_NAMES, "a number of its own", _NAMES),
    "Observer._totals": Cap(MOST_NAMES + 1, "a number of its own", _NAMES),
    "AuditLog._kept": Cap(ENTRIES, "what the embedder says", "for (let i = 0; i < 300; i++) { make(); look() }"),
    "Watched.names": Cap(0, "a number of its own: what the embedder's program declares"),
    "Watched._events": Cap(
        MOST_EVENTS, "a number of its own, and 4 MiB", "for (let i = 0; i < 300; i++) { make(); look() }"
    ),
    "Watched._open": Cap(_REQUESTS, "calls among the events that have no answer", _FLOOD),
    "Run.meters": Cap(1, "the call limits", "make(); look()"),
    "Store._exports": Cap(0, "the exports of the guest"),
    "Store.functions": Cap(0, "the exports of the guest"),
    "Codec._packers": Cap(0, "the depth of nested encodings on the stack"),
    "Pending.arguments": Cap(
        0, "memory_bytes for all pending calls; see test_pending_calls_take_less_than_is_promised"
    ),
    "Turns.resumption": Cap(0, "one for each life"),
    "Turns.unfinished": Cap(0, "the runs in progress when the snapshot was taken"),
    "Operations.names": Cap(0, "the embedder's own"),
    "Options.functions": Cap(0, "the embedder's own"),
    "Options.globals": Cap(0, "the embedder's own"),
    "Run.requests": Cap(_REQUESTS, _SERVED, _FLOOD),
    "Run.answers": Cap(
        _REQUESTS, _SERVED, "await Promise.allSettled(Array(200).fill().map(() => later().finally(look)))"
    ),
}


# Seen or not, as it happens: values of single calls that are watched, as long as these go on, and of events, which are
# 64 KiB at most, or a short text, and 4 MiB all together.
OF_SINGLE_CALLS: Final = {"Call.arguments", "Call.value", "Course._answer", "CallEvent.value"}


# What leads nowhere.
_LEAVES: Final = frozenset([type(None), bool, int, float, str, bytes, bytearray])


def _vault(host: Any) -> Any:
    service = host.box._driver._operations.granted.of("crypto")._service
    return Vault() if service is None else service.vault


# Sums: what counts is not how many but how much.
SUMS: Final[dict[str, Cap]] = {
    "arguments of pending calls": Cap(
        MEMORY,
        "memory_bytes",
        "const s = 'x'.repeat(1e6); for (let i = 0; i < 45; i++) { never(s + i).catch(() => {}); look() }",
        lambda host: host.box._driver._requests.held_bytes,
    ),
    "arguments of awaitables": Cap(
        MEMORY,
        "memory_bytes",
        "const s = 'x'.repeat(1e6); for (let i = 0; i < 45; i++) { try { promise(s + i) } catch {} look() }",
        lambda host: host.box._driver._requests.held_bytes,
    ),
    "small values in pending calls": Cap(
        MEMORY,
        "memory_bytes",
        "const s = Array(2e4).fill().map(() => []); for (let i = 0; i < 20; i++) { never(s).catch(look) } look()",
        lambda host: host.box._driver._requests.held_bytes,
    ),
    "what exceptions hold on to": Cap(
        _MAX_KEPT_BYTES + (3 << 20),
        "a number of its own, or the latest alone",
        "const s = 'x'.repeat(1e6); for (let i = 0; i < 30; i++) { try { fail(s, i) } catch {} look() }",
        lambda host: host.box._driver._operations._kept_bytes,
    ),
    "what exceptions of async functions hold on to": Cap(
        _MAX_KEPT_BYTES + (3 << 20),
        "a number of its own, or the latest alone",
        "const s = 'x'.repeat(1e6); for (let i = 0; i < 30; i++) { try { await failLater(s, i) } catch {} look() }",
        lambda host: host.box._driver._operations._kept_bytes,
    ),
    "texts and names of programs": Cap(
        _MAX_SOURCE_CHARS,
        "a number of its own",
        "for (let i = 0; i < 12; i++) { await import('big' + i); look() }",
        lambda host: sum(len(name) + len(text) for name, text in host.box._driver.turns.sources.copy().items()),
    ),
    "handles of the guest": Cap(
        HANDLES + 2, "handles", "for (;;) { keep(() => 1); look() }", lambda host: host.box._driver._operations.live()
    ),
    "keys that are open": Cap(
        MOST_KEYS * (1 << 14),
        "a number of its own, of keys that are not long",
        "for (const size of [1e5, 15e3]) for (let i = 0; i < 100; i++) {"
        "await crypto.subtle.importKey('raw', new Uint8Array(size), 'PBKDF2', false, ['deriveBits']); look() }",
        lambda host: sum(len(sealed) for sealed in _vault(host)._open),
    ),
    "what was read of responses": Cap(
        MOST_RESPONSES << 17,
        "a number of responses, and 128 KiB of each",
        "const k = []; for (let i = 0; i < 300; i++) { k.push(await fetch('http://a.test/')); look() }"
        "await new Promise(done => setTimeout(done, 50)); look()",
        lambda host: host.read_ahead(),
    ),
    "what is being written to files": Cap(
        MOST_WRITABLES << 20,
        "a number of files, and max_file_bytes of each",
        _FILES + "for (let i = 0; i < 100; i++) { k.push(await file.createWritable());"
        "await k[i].truncate(1 << 20); look() }",
        lambda host: host.staged(),
    ),
    "console text of a run": Cap(
        1 << 20,
        "output_bytes",
        "for (;;) { console.log('x'.repeat(1e4)); look() }",
        lambda host: host.shown,
    ),
}


class _Kinds(dict[type, tuple[str, ...] | None]):
    """The slots of classes of this package; None for other classes, and for what is a class itself."""

    def __missing__(self, kind: type) -> tuple[str, ...] | None:
        slots = [name for base in kind.__mro__ for name in getattr(base, "__slots__", ())]
        is_ours = kind.__module__.startswith("sandbox") and not issubclass(kind, type)
        self[kind] = tuple(slots) if is_ours else None
        return self[kind]


_kinds: Final = _Kinds()


def _containers(root: object) -> Iterator[tuple[str, Any]]:
    """The containers of the objects that make up a sandbox, by class and attribute."""
    left, seen = [root], {id(root)}
    while left:
        owner = left.pop()
        kind = type(owner)
        for name in {*getattr(owner, "__dict__", ()), *(_kinds[kind] or ())}:
            value = getattr(owner, name, None)
            inner: Iterable[Any] = (value,)
            if isinstance(value, list | dict | set | deque):
                yield f"{kind.__name__}.{name}", value
                inner = list(value.values() if isinstance(value, dict) else value)
            elif isinstance(value, tuple):
                inner = value
            for part in inner:
                if type(part) in _LEAVES:
                    continue
                part = getattr(part, "handler", part)
                part = getattr(part, "__self__", part)
                if _kinds[type(part)] is not None and id(part) not in seen:
                    seen.add(id(part))
                    left.append(part)


class Host:
    """A sandbox whose guest can ask for everything that makes the host keep something."""

    def __init__(self) -> None:
        self.look: Callable[[], None] = lambda: None
        self.kept: list[Any] = []
        self.box = Sandbox(
            limits=LIMITS,
            functions={
                "look": lambda *_: self.look(),
                "never": self.never,
                "later": self.later,
                "s": self.stream,
                "make": lambda: lambda: 1,
                "thing": lambda: expose(self, "later"),
                "take": lambda f: None,
                "keep": self.kept.append,
                "fail": self.fail,
                "failLater": self.fail_later,
                "promise": self.never,
                "nest": self.nest,
                "named": lambda name: HostFunction(self.nothing, name=f"f{name}"),
            },
            globals={"promise": lambda text: self.never(text)},
            modules=self.load,
            fetch=lambda _request: Response(body=self.much()),
            websocket=WebSockets(
                ["*"], connections=SOCKETS, max_queued_bytes=10_000, transport=memory_server(self.chatter)
            ),
            files=MemoryFiles(quota_bytes=1 << 20, max_entries=ENTRIES),
            console=self.show,
            call_limits={"make": CallLimits(calls=1 << 20)},
            audit=AuditLog(keep=ENTRIES, ops=["make", "f*"]),
        )
        self.shown = 0

    def read_ahead(self) -> int:
        fetches = self.box._driver._operations.get(OPS["fetch", "send"][0])
        assert fetches is not None
        begun = fetches.handler.__self__._begun  # type: ignore[attr-defined] # a method
        return 0 if begun is None else sum(exchange._ahead_bytes for exchange in begun._open.values())

    def staged(self) -> int:
        files = self.box._driver._operations.granted.of("files")
        assert isinstance(files, FilesCapability)
        return 0 if files._begun is None else sum(each.size for each in files._begun.writables._open.values())

    def show(self, entry: Any) -> None:
        self.shown += len(entry.text)

    def nothing(self) -> None:
        """What is called by many names."""

    async def never(self, *_: object) -> None:
        await anyio.sleep_forever()

    async def much(self) -> AsyncIterator[bytes]:
        yield b"begun"
        await anyio.sleep(0.01)
        for _ in range(10):
            yield bytes(131_000)

    async def chatter(self, end: MemoryConnection) -> None:
        while end.url.endswith("much"):
            await end.send("x")
        await anyio.sleep_forever()

    async def later(self, *_: object) -> int:
        await anyio.lowlevel.checkpoint()
        return 1

    async def stream(self) -> Any:
        yield 1

    def fail(self, *_: object) -> None:
        raise ValueError("no")

    async def fail_later(self, *_: object) -> None:
        await anyio.lowlevel.checkpoint()
        raise ValueError("no")

    def nest(self) -> None:
        try:
            self.box.eval("new Promise(() => {})")
        except Exception:  # noqa: BLE001 - a promise cannot settle now
            return

    def load(self, specifier: str, _importer: object) -> Any:
        if specifier.startswith("late"):
            return self.later()
        return "/*" + "x" * (1_000_000 if specifier.startswith("big") else 10) + "*/ export default 1"

    def flood(self, cap: Cap, measure: Callable[[], int]) -> int:
        """Run the program until it ends or is ended; the most that was measured meanwhile and afterwards."""
        found = 0

        def look() -> None:
            nonlocal found
            found = max(found, measure())

        self.look = look
        for _ in range(2):
            self.shown = 0
            with suppress(LimitExceeded, ConversionError, JSError):
                self.box.execute(f"{{ {cap.code} }}", timeout=20).unwrap()
            with suppress(LimitExceeded, ConversionError, JSError):
                self.box.run_until_idle(timeout=0.05)
            look()
        return found


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.kept.clear()
    host.box.close()
    gc.collect()


def test_every_container_is_in_the_table() -> None:
    host = Host()
    found: set[str] = set()
    host.look = lambda: found.update(name for name, _ in _containers(host.box._driver))
    host.box._serve.sockets.open(1)
    host.box.execute(
        "const r = await fetch('http://a.test/'); await getDirectory(); await import('a'); look(); setTimeout(look, 1);"
        "never(); await later();"
        "const held = [make(), s()]; await crypto.subtle.generateKey('Ed25519', true, ['sign']);"
        "const w = new WebSocket('ws://a.test/'); await new Promise(r => { w.onopen = r }); look()",
    ).unwrap()
    host.box.close()
    assert found - OF_SINGLE_CALLS == CAPS.keys()


@pytest.mark.parametrize("name", [name for name, cap in CAPS.items() if cap.code])
def test_the_number_of_things_is_capped(host: Host, name: str) -> None:
    cap = CAPS[name]

    def measure() -> int:
        return max((len(container) for found, container in _containers(host.box._driver) if found == name), default=0)

    assert 0 < host.flood(cap, measure) <= cap.most
    assert host.box.eval("1 + 1") == 2


@pytest.mark.parametrize("name", SUMS)
def test_what_they_hold_is_capped(host: Host, name: str) -> None:
    cap = SUMS[name]
    most = host.flood(cap, lambda: cap.size(host))
    assert cap.most / 4 < most <= cap.most
    host.kept.clear()
    assert host.box.eval("1 + 1") == 2


def test_nothing_is_kept_once_it_is_closed(host: Host) -> None:
    for cap in (CAPS["Requests._pending"], CAPS["Operations._exceptions"], SUMS["arguments of pending calls"]):
        host.flood(cap, lambda: 0)
    host.kept.clear()
    host.box.close()
    requests = host.box._driver._requests
    assert (len(requests), requests.held_bytes, len(requests._completed), requests.services()) == (0, 0, 0, 0)
    assert host.box._driver._operations._exceptions == {}


def test_names_of_modules_are_bounded(host: Host) -> None:
    code = "import('x'.repeat({})).then(() => 'loaded', e => e.name)"
    assert host.box.eval(code.format(_MAX_NAME_CHARS)) == "loaded"
    assert host.box.eval(code.format(_MAX_NAME_CHARS + 1)) == "RangeError"


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("x" * 10_000, 10_000, 10_200),
        ([[] for _ in range(1000)], 56_000, 100_000),
        ([["x" * 10_000] * 50] * 50, 10_000, 12_000),
        (b"x" * 10_000, 10_000, 10_200),
        (memoryview(bytes(80_000)).cast("d"), 80_000, 80_500),
        (JSMap([(i, "y" * 100) for i in range(100)]), 20_000, 60_000),
        (JSSet([f"{i}" * 50 for i in range(100)]), 20_000, 60_000),
        (JSError("m" * 10_000, properties={"a": "b" * 10_000}), 20_000, 22_000),
        ({"k" * 10_000: 1}, 10_000, 11_000),
    ],
)
def test_what_a_value_weighs(value: object, least: int, most: int) -> None:
    assert least <= host_bytes(value) <= most


def test_a_cycle_has_a_weight() -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    assert host_bytes(cycle) < 200


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_pending_calls_take_less_than_is_promised(face: str) -> None:
    """32 MB beside the guest's own memory, as many of them as there may be."""
    program = f"""
    import gc, logging, time
    from pathlib import Path
    import anyio
    from sandbox import AsyncSandbox, Limits, Sandbox

    def resident_bytes():
        (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) << 10

    logging.disable()  # of what takes long
    begun = 0

    async def never():
        global begun
        begun += 1
        await anyio.Event().wait()

    options = dict(functions={{"never": never}}, limits=Limits(memory_bytes=32 << 20))
    few, many = ("for (let i = 0; i < %d; i++) never(); 1" % count for count in (10, 9900))

    def grown(box, before, guest_before):
        guest_bytes = box.usage.memory_bytes - guest_before
        print(begun < 9910 and resident_bytes() - before - guest_bytes < 32 << 20, box.usage.pending_requests)

    async def on_a_loop():
        async with AsyncSandbox(**options) as box:
            await box.eval(few)
            gc.collect()
            before, guest_before = resident_bytes(), box.usage.memory_bytes
            await box.eval(many)
            while begun < 1000:
                await anyio.sleep(0.01)
            await anyio.sleep(0.1)
            grown(box, before, guest_before)

    if "{face}" == "blocking":
        with Sandbox(**options) as box:
            box.eval(few)
            gc.collect()
            before, guest_before = resident_bytes(), box.usage.memory_bytes
            box.eval(many)
            while begun < 1000:
                time.sleep(0.01)
            time.sleep(0.1)
            grown(box, before, guest_before)
    else:
        anyio.run(on_a_loop, backend="{face}")
    """
    # Without the loop's own book of where each task was made.
    assert in_child(program, dev=False) == "True 9910"


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_floods_of_everything() -> None:
    """`SANDBOX_FLOOD=100000` for a long one."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.floods", "--count", os.environ.get("SANDBOX_FLOOD", "3000")],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
