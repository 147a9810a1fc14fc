"""How long what a guest begins lasts, which thread does it, and what becomes of it when a run ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, CallbackFiles, DirectoryFiles, FileStat, JSError, Limits, MemoryFiles, Sandbox
from sandbox.errors import LimitExceeded
from tests.child import in_child

OPEN = """
globalThis.s = await (await (await getDirectory("/")).getFileHandle("a", {create: true})).createWritable();
await s.write("begun"); 0
"""


def capability_of(box: Any) -> Any:
    return box._driver._operations.granted.of("files")


def writables(box: Any, capability: Any = None) -> int:
    capability = capability or capability_of(box)
    return 0 if capability._begun is None else len(capability._begun.writables._open)


def test_what_is_dropped_is_forgotten() -> None:
    files = MemoryFiles()
    with Sandbox(files=files) as box:
        box.eval(OPEN)
        assert writables(box) == 1
        box.eval("delete globalThis.s; for (let i = 0; i < 2e5; i++) { const o = {}; o.o = o; } 0")
        box.run_until_idle()
        assert writables(box) == 0
    assert files.files() == {"a": b""}


def test_closing_a_sandbox_commits_nothing() -> None:
    files = MemoryFiles()
    with Sandbox(files=files) as box:
        box.eval(OPEN)
        capability = capability_of(box)
        assert writables(box) == 1

    assert writables(box, capability) == 0
    assert files.files() == {"a": b""}


def test_a_rollback_gives_up_what_the_guest_does_not_know_of() -> None:
    files = MemoryFiles()
    with Sandbox(files=files, on_limit="rollback", limits=Limits(cpu_seconds=0.2)) as box:
        box.eval(OPEN)
        box.eval("await s.write(' and kept'); 0")
        with pytest.raises(LimitExceeded):
            box.eval(OPEN.replace("globalThis.s", "globalThis.t").replace("await s", "await t") + "; for (;;) ;")
        assert writables(box) == 1
        box.eval("await s.close()")
        assert files.files() == {"a": b"begun and kept"}
        box.eval(OPEN)
        with pytest.raises(LimitExceeded):
            box.eval("await s.write('undone'); for (;;) ;")
        with pytest.raises(JSError, match="InvalidStateError"):
            box.eval("await s.close()")
    assert files.files() == {"a": b"begun and kept"}


def test_a_file_is_read_only_when_it_is_wanted() -> None:
    asked: list[tuple[int, int]] = []

    def read(_path: str, start: int, size: int) -> bytes:
        asked.append((start, size))
        return bytes(min(size, max(0, (64 << 20) - start)))

    files = CallbackFiles(stat=lambda _path: FileStat(False, 64 << 20, 5.0), read=read)
    with Sandbox(files=files) as box:
        box.eval("globalThis.file = await (await (await getDirectory('/')).getFileHandle('a.bin')).getFile(); 0")
        assert asked == []
        box.eval(
            "const reader = file.slice(1 << 25).stream().getReader(); await reader.read(); await reader.cancel(); 0"
        )
        assert asked == [(1 << 25, 1 << 20)]
        assert box.eval("[file.size, file.lastModified]") == [64 << 20, 5]


def test_what_has_no_function_is_not_permitted() -> None:
    with Sandbox(files=CallbackFiles(stat=lambda _path: FileStat(False))) as box, pytest.raises(JSError) as caught:
        box.eval("await (await getDirectory('/')).removeEntry('a')")

    assert caught.value.name == "NotAllowedError"


def test_what_a_function_raises_is_the_cause() -> None:
    def fail(_path: str) -> FileStat:
        raise LookupError("the database is gone")

    with Sandbox(files=CallbackFiles(stat=fail)) as box:
        for code in (
            "await (await getDirectory('/')).getFileHandle('a')",
            "await (await import('fs')).promises.stat('/a')",
        ):
            with pytest.raises(JSError) as caught:
                box.eval(code)
            assert isinstance(caught.value.__cause__, LookupError)


def test_the_guest_goes_on_while_a_store_works() -> None:
    release = threading.Event()

    def read(_path: str, _start: int, _size: int) -> bytes:
        assert release.wait(10)
        return b"late"

    files = CallbackFiles(stat=lambda _path: FileStat(False, 4), read=read)
    with Sandbox(files=files, functions={"release": release.set}) as box:
        code = "const fs = await import('fs/promises'); const read = fs.readFile('/a', 'utf8'); await null; release(); await read"
        assert box.eval(code) == "late"


def test_a_limit_ends_the_wait_for_a_store() -> None:
    release = threading.Event()
    files = CallbackFiles(stat=lambda _path: (release.wait(30) and FileStat(False)) or FileStat(False))
    begun = time.monotonic()
    with Sandbox(files=files, limits=Limits(wall_seconds=0.2)) as box:
        with pytest.raises(LimitExceeded):
            box.eval("await (await import('fs/promises')).stat('/a')")
        assert time.monotonic() - begun < 10
        release.set()
        assert box.eval("1") == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_no_store_is_asked_on_an_event_loop(tmp_path: Path, backend: str) -> None:
    threads: set[int] = set()

    def noting(store: Any) -> Any:
        def noted(method: Any) -> Any:
            def call(*arguments: Any, **options: Any) -> Any:
                threads.add(threading.get_ident())
                return method(*arguments, **options)

            return call

        for name in ("stat", "list", "read", "write", "remove", "make_directory", "rename"):
            setattr(store, name, noted(getattr(store, name)))
        return store

    async def main() -> None:
        loop = threading.get_ident()
        stores = {"/d": noting(DirectoryFiles(tmp_path, write=True)), "/m": noting(MemoryFiles())}
        async with AsyncSandbox(files=stores) as box:
            await box.eval("""
            const fs = await import('fs/promises');
            for (const at of ['/d', '/m']) {
              await fs.mkdir(at + '/x/y', {recursive: true}); await fs.writeFile(at + '/x/a', new Uint8Array(3 << 20));
              await fs.copyFile(at + '/x/a', at + '/x/b'); await fs.rename(at + '/x/b', at + '/c');
              await fs.readFile(at + '/c'); await fs.readdir(at); await fs.rm(at + '/x', {recursive: true});
            } 0
            """)
        assert threads
        assert loop not in threads

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelled_while_it_is_committed(tmp_path: Path, backend: str) -> None:
    """The file is the old one or the new one, and nothing lies beside it."""
    (tmp_path / "a").write_bytes(b"old")
    content = 24 << 20

    async def main() -> None:
        async with AsyncSandbox(files=DirectoryFiles(tmp_path, write=True)) as box:
            with anyio.move_on_after(0.05):
                await box.eval(f"await (await import('fs/promises')).writeFile('/a', new Uint8Array({content}))")

    for _ in range(5):
        anyio.run(main, backend=backend)
        ends = time.monotonic() + 5
        while len(list(tmp_path.iterdir())) > 1 and time.monotonic() < ends:
            time.sleep(0.01)  # a thread is left that ends what it does
        assert [each.name for each in tmp_path.iterdir()] == ["a"]
        assert (tmp_path / "a").stat().st_size in (3, content)


def test_two_sandboxes_share_a_store() -> None:
    files = MemoryFiles()
    with Sandbox(files=files) as first, Sandbox(files={"/shared": files}) as second:
        first.eval("await (await import('fs/promises')).writeFile('/a', 'x')")
        assert second.eval("await (await import('fs/promises')).readFile('/shared/a', 'utf8')") == "x"


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: MemoryFiles({"a": b"123"}, quota_bytes=2), ValueError, "contents cannot have 'a'"),
        (lambda: MemoryFiles({"../a": b""}), ValueError, "contents cannot have '../a'"),
        (lambda: MemoryFiles({"a": b"", "a/b": b""}), ValueError, "contents cannot have 'a/b'"),
    ],
)
def test_contents_that_cannot_be(make: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_quotas_of_memory() -> None:
    files = MemoryFiles(quota_bytes=10, max_entries=3)
    with Sandbox(files=files) as box:
        box.eval(
            "globalThis.fs = await import('fs/promises'); globalThis.code = p => p.then(() => 'ok', e => e.code); 0"
        )
        for code, expected in [
            ("fs.writeFile('/a', '123456')", "ok"),
            ("fs.writeFile('/b', '12345')", "ENOSPC"),
            ("fs.writeFile('/a', '1234567890')", "ok"),
            ("fs.writeFile('/a', '12345678901')", "ENOSPC"),
            ("fs.mkdir('/d')", "ok"),
            ("fs.mkdir('/e')", "ok"),
            ("fs.mkdir('/f')", "ENOSPC"),
            ("fs.rm('/a')", "ok"),
            ("fs.writeFile('/f', '1234567890')", "ok"),
        ]:
            assert box.eval(f"await code({code})") == expected, code
        quota = "await (await (await getDirectory('/')).getFileHandle('f')).createWritable().then(s => s.write('x'.repeat(11)))"
        with pytest.raises(JSError, match="QuotaExceededError"):
            box.eval(quota)
    assert files.used_bytes == 10


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("navigator.storage.getDirectory()", "SecurityError"),
        ("getDirectory('/')", "NotAllowedError"),
        ("import('node:fs')", "TypeError"),
        ("import('node:fs/promises')", "TypeError"),
    ],
)
def test_without_a_grant(code: str, name: str) -> None:
    with Sandbox() as box, pytest.raises(JSError) as caught:
        box.eval(code)
    assert caught.value.name == name


def test_storage_is_the_programs_own(tmp_path: Path) -> None:
    with Sandbox(files={"/": DirectoryFiles(tmp_path), "/m": MemoryFiles()}) as box, pytest.raises(JSError) as caught:
        box.eval("navigator.storage.getDirectory()")
    assert caught.value.name == "SecurityError"


def test_what_was_never_begun_is_dropped_in_silence() -> None:
    code = """
        const fs = await import("node:fs/promises");
        for (let i = 0; i < 50; i++) {
          fs.appendFile("/a", "x").catch(() => 0);
          fs.rm("/b", {recursive: true}).catch(() => 0);
        }
        throw 1;
    """
    program = f"""
        import gc
        from sandbox import JSError, Limits, MemoryFiles, Sandbox

        with Sandbox(files=MemoryFiles(), limits=Limits(concurrent_calls=1)) as box:
            try:
                box.eval({code!r})
            except JSError as error:
                print(error.value)
        gc.collect()
    """
    assert in_child(program) == "1"
