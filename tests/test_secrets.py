"""What a guest can learn: nothing of the host it was not given, and nothing of the sandboxes before it."""

from __future__ import annotations

import asyncio
import os
import re
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sandbox import ConsoleEntry, Limits, Sandbox, _store, expose
from sandbox.errors import SandboxError
from sandbox.modules import NodeModules, SourceTree
from tests.test_store import ABLE, content

SENTINEL = "sentinel-7f3a9c51"
PROGRAM = (Path(__file__).parent / "secrets.js").read_text("utf-8")
HOST_PID = 918_273_645


class Thing:
    """An object of the host that says where it lives, as Python's do."""


class Vault:
    """An object of which the guest gets one member."""

    path = f"/{SENTINEL}/vault"

    @expose
    def fail(self) -> None:
        raise PermissionError(13, "Permission denied", self.path)

    def __repr__(self) -> str:
        return f"<Vault {self.path}>"


def os_error() -> None:
    open(f"/{SENTINEL}/missing")  # noqa: PTH123, SIM115 - it is not there


def import_error() -> None:
    from sandbox import not_there  # noqa: F401 - it is not


def syntax_error() -> None:
    compile("a b", f"/{SENTINEL}/code.py", "exec")


def key_error() -> None:
    things: dict[Thing, int] = {}
    things[Thing()]


def value_error() -> None:
    raise ValueError(f"no such thing: {Thing()!r} in {object()!r}")


def chained() -> None:
    try:
        os_error()
    except OSError as error:
        raise RuntimeError("closed") from error


def noted() -> None:
    error = RuntimeError("noted")
    error.add_note(SENTINEL)
    raise error


def grouped() -> None:
    raise ExceptionGroup("several", [OSError(2, "No such file", f"/{SENTINEL}/a"), KeyError(Thing())])


def recursive() -> None:
    recursive()


def a_task() -> None:
    async def work() -> None: ...

    coroutine = work()
    try:
        raise RuntimeError(f"Task got bad yield: {coroutine!r}")
    finally:
        coroutine.close()


async def later() -> None:
    os_error()


async def cancelled() -> None:
    raise asyncio.CancelledError(SENTINEL)


def not_convertible() -> object:
    return {"inner": [Thing()]}


FAILING: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        os_error, import_error, syntax_error, key_error, value_error, chained, noted, grouped, recursive, a_task, later,
        not_convertible,
    )
}  # fmt: skip


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Secrets in all the places where a host has them; the folder, which has modules, is one of them."""
    root = tmp_path / SENTINEL
    modules = root / "modules"
    modules.mkdir(parents=True)
    (modules / "good.js").write_text("export const meta = import.meta; export const where = new Error('x').stack;")
    (modules / "bad.js").write_text("export const = 1;")
    (modules / "throws.js").write_text("throw new Error('thrown')")
    (modules / "bytes.js").write_bytes(b"\xff\xfe\x00")
    (modules / "common.cjs").write_text("module.exports = {__filename, __dirname, paths: module.paths, id: module.id}")
    (modules / "directory").mkdir()
    (modules / "out.js").symlink_to(tmp_path / "outside.js")
    (tmp_path / "outside.js").write_text(f"export default '{SENTINEL}'")
    package = root / "node_modules" / "package"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"name": "package", "main": "./index.js"}')
    (package / "index.js").write_text("module.exports = {__filename, __dirname, stack: new Error('x').stack}")
    (root / "node_modules" / "broken").mkdir()
    (root / "node_modules" / "broken" / "package.json").write_text("{ not json")
    for name in ("USER", "LOGNAME", "HOME", "PATH", "SECRET_TOKEN"):
        monkeypatch.setenv(name, f"/{SENTINEL}/{name}")
    monkeypatch.setattr(os, "getpid", lambda: HOST_PID)
    monkeypatch.chdir(root)
    yield root


def words_of_the_host(root: Path) -> list[str]:
    return [
        SENTINEL, str(root), str(Path(__file__).parent), str(Path(sys.prefix)), str(HOST_PID),
        "Traceback", "test_secrets", threading.current_thread().name, "site-packages",
    ]  # fmt: skip


def leaks(text: str, root: Path) -> list[str]:
    """What a text tells of the host, with what stands around it."""
    words = [word for word in words_of_the_host(root) if word in text]
    # Files of the host have names of Python's; addresses look alike everywhere.
    patterns = [r"[\w/.-]+\.py\b", r"0x[0-9a-f]{8,}", r"/(?:tmp|home|root|usr|var|opt)/[\w./-]*"]
    return words + [found[0] for pattern in patterns for found in re.finditer(pattern, text)]


def memory_of(box: Sandbox) -> bytes:
    instance = box._driver.guest.instance
    return bytes(instance.read(0, instance.memory_bytes()))


def explore(box: Sandbox) -> list[str]:
    """All text that a program of this sandbox gets to see."""
    texts = box.eval(PROGRAM)
    assert len(texts) > 900
    assert any("RangeError" in text for text in texts)
    return list(texts)


@pytest.mark.parametrize("detail", ["class", "message"])
def test_nothing_of_the_host_is_to_be_seen(planted: Path, detail: Any) -> None:
    entries: list[ConsoleEntry] = []
    vault = Vault()
    with Sandbox(
        functions=FAILING,
        globals={"vault": vault, "names": list(FAILING)},
        modules=[SourceTree(planted / "modules"), NodeModules(planted / "node_modules")],
        console=entries.append,
        error_detail=detail,
        limits=Limits(cpu_seconds=20, max_nodes=3_000_000),
    ) as box:
        texts = explore(box)
        memory = memory_of(box)
        addresses = [id(box), id(vault), id(os_error), id(FAILING), _base(box), _base(box) + len(memory)]

    assert leaks("\n".join(texts), planted) == []
    assert leaks("\n".join(entry.text for entry in entries), planted) == []
    for word in words_of_the_host(planted):
        assert word.encode() not in memory, word
        assert word.encode("utf-16-le") not in memory, word
    for address in addresses:
        assert struct.pack("<Q", address) not in memory


def _base(box: Sandbox) -> int:
    store = box._driver.guest.instance._store
    assert store is not None
    return store.base


def test_the_sentinel_would_be_found(planted: Path) -> None:
    """The search finds what the embedder gives away on purpose."""
    with Sandbox(
        functions={"os_error": os_error}, globals={"names": ["os_error"], "gift": SENTINEL}, error_detail="traceback"
    ) as box:
        texts = explore(box)
        assert any(SENTINEL in text for text in texts)
        assert any("Traceback" in text for text in texts)
        assert SENTINEL.encode() in memory_of(box)


def test_modules_on_disk_have_names_of_the_guest(planted: Path) -> None:
    with Sandbox(modules=[SourceTree(planted / "modules", prefix="@/"), NodeModules(planted / "node_modules")]) as box:
        good = box.module("import * as m from '@/good.js'; export default [m.meta.url, m.where, Object.keys(m.meta)]")
        common = box.module("import c from '@/common.cjs'; export default c")["default"]
        package = box.module("import c from 'package'; export default c")["default"]
    assert good["default"][0].endswith("/@/good.js")
    assert leaks(repr([good, common, package]), planted) == []


def test_filenames_are_those_the_embedder_gives() -> None:
    with Sandbox() as box:
        assert "<eval" in box.eval("new Error('x').stack")
        assert "main.js" in box.eval("new Error('x').stack", filename="main.js")


# --- what is left for the next tenant ---

RESIDUE = "residue-5b1e77d0"
FILL = (
    f"globalThis.kept = Array.from({{length: 2000}}, (_, i) => '{RESIDUE}' + i); globalThis.b = '{RESIDUE}'.repeat(99);"
)


def _soft(box: Sandbox) -> None:
    box.eval(FILL + "for (;;) kept.push('x'.repeat(1e5) + kept.length)")


def _grown(box: Sandbox) -> None:
    box.eval(FILL + f"globalThis.c = new Uint8Array(20 << 20); new TextEncoder().encodeInto('{RESIDUE}', c); 0")


def _fuel(box: Sandbox) -> None:
    box.eval(FILL + "for (;;);", fuel=50_000_000)


def _cpu(box: Sandbox) -> None:
    box.eval(FILL + "for (;;);")


def _crash(box: Sandbox) -> None:
    box.eval(FILL)
    box._driver.guest.instance.control.outbox = 0xFFFF_FFFF
    box._driver.guest.instance.control.outbox_bytes = 1 << 20
    box.eval("fail()")


def _interrupt(box: Sandbox) -> None:
    threading.Timer(0.05, box.interrupt).start()
    box.eval(FILL + "for (;;);")


def _pending(box: Sandbox) -> None:
    box.eval(FILL + f"for (let i = 0; i < 20; i++) {{ forever('{RESIDUE}'); setTimeout(() => '{RESIDUE}', 1e6) }} 0")


def _wait(box: Sandbox) -> None:
    box.eval(FILL + f"await forever('{RESIDUE}')", timeout=0.05)


def _failed(box: Sandbox) -> None:
    box.eval(FILL + f"fail('{RESIDUE}'.repeat(1000))")


def _kept(box: Sandbox) -> None:
    box.eval(FILL + f"(() => '{RESIDUE}')")
    box.eval("(function f(n) { return n ? f(n - 1) + kept[n] : '' })(1000)")


def _module(box: Sandbox) -> None:
    box.module(f"export const a = '{RESIDUE}'; {FILL} export const b = new URL('http://{RESIDUE}/')")


ENDS = {
    function.__name__.strip("_"): function
    for function in (_soft, _grown, _fuel, _cpu, _crash, _interrupt, _pending, _wait, _failed, _kept, _module)
}
# What is allocated must be nothing but zeros; `includes` is quick, and one letter of the residue is enough.
SEARCH = f"""
const found = [];
for (const size of [64, 1000, 4096, 65536, 1 << 20]) {{
  for (let turn = 0; turn < 8; turn++) {{
    const bytes = new Uint8Array(new ArrayBuffer(size));
    if (bytes.includes({ord(RESIDUE[0])})) found.push(size);
  }}
}}
[found.length, typeof kept, typeof b, typeof c, Object.keys(globalThis).length]
"""


@pytest.mark.skipif(not ABLE, reason="this kernel does not tell which pages were written")
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_the_next_tenant_finds_nothing_of_the_last_one(end: Callable[[Sandbox], None]) -> None:
    async def forever(_: str) -> None:
        await asyncio.Event().wait()

    def fail(_: str = "") -> None:
        raise ValueError(RESIDUE)

    with Sandbox() as box:
        before = box.eval(SEARCH)
    limits = Limits(memory_bytes=64 << 20, cpu_seconds=0.3)
    box = Sandbox(limits=limits, functions={"forever": forever, "fail": fail})
    with suppress(SandboxError):
        end(box)
    if box._driver.guest.instance.control.outbox != 0xFFFF_FFFF:
        assert RESIDUE.encode() in memory_of(box)
    box.close()

    for store in _store._shelves["fuel"].stores:
        assert RESIDUE.encode() not in content(store)
    boxes = [Sandbox() for _ in range(len(_store._shelves["fuel"].stores) + 1)]
    try:
        for other in boxes:
            assert RESIDUE.encode() not in memory_of(other)
            assert RESIDUE.encode("utf-16-le") not in memory_of(other)
            assert other.eval(SEARCH) == before
    finally:
        for other in boxes:
            other.close()


def test_nothing_but_memory_outlives_a_sandbox() -> None:
    """A store that is used again keeps the globals of the module: there is one that changes, the stack pointer.

    Every function gives it back as it was, and what does not return is freed.
    """
    from sandbox._code_cache import ARTIFACTS
    from wasm.module import Module

    module = Module.parse((Path(ARTIFACTS) / "guest.wasm").read_bytes())
    assert len([each for each in module.globals() if each.mutable]) == 1
    assert [export.name for export in module.exports() if export.kind == "global"] == []
