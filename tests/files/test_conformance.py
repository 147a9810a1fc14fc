"""What every file store must do, as a program sees it, on both faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, File, FileStore, Sandbox
from tests.files.stores import STORES

PRELUDE = """
const fs = await import("node:fs/promises");
const root = await getDirectory("/");
const text = async (handle) => (await handle.getFile()).text();
const write = async (handle, ...chunks) => {
  const stream = await handle.createWritable();
  for (const chunk of chunks) await stream.write(chunk);
  await stream.close();
};
const names = async (directory) => (await Array.fromAsync(directory.keys())).sort();
const failure = async (promise) => promise.then(() => "nothing", (error) => error.code === undefined
  || error instanceof DOMException ? error.name : error.code);
"""

# What a program does, and what comes of it.
CASES: dict[str, tuple[str, Any]] = {
    "an empty top": ("await names(root)", []),
    "write and read": ("await fs.writeFile('/a', 'grüße'); await fs.readFile('/a', 'utf8')", "grüße"),
    "bytes": ("await fs.writeFile('/a', new Uint16Array([258])); await fs.readFile('/a')", b"\x02\x01"),
    "replace": ("await fs.writeFile('/a', 'long text'); await fs.writeFile('/a', 'b'); await fs.readFile('/a', 'utf8')", "b"),
    "append": ("await fs.appendFile('/a', 'x'); await fs.appendFile('/a', 'y'); await fs.readFile('/a', 'utf8')", "xy"),
    "create only": ("await fs.writeFile('/a', '', {flag: 'wx'}); await failure(fs.writeFile('/a', '', {flag: 'wx'}))", "EEXIST"),
    "read nothing": ("await failure(fs.readFile('/a'))", "ENOENT"),
    "read a directory": ("await fs.mkdir('/d'); await failure(fs.readFile('/d'))", "EISDIR"),
    "write a directory": ("await fs.mkdir('/d'); await failure(fs.writeFile('/d', ''))", "EISDIR"),
    "a file as a directory": ("await fs.writeFile('/a', ''); await failure(fs.readFile('/a/b'))", "ENOTDIR"),
    "list a file": ("await fs.writeFile('/a', ''); await failure(fs.readdir('/a'))", "ENOTDIR"),
    "list nothing": ("await failure(fs.readdir('/a'))", "ENOENT"),
    "write without a directory": ("await failure(fs.writeFile('/d/a', ''))", "ENOENT"),
    "directories": ("await fs.mkdir('/d'); await fs.mkdir('/d/e'); (await fs.readdir('/', {recursive: true})).sort()", ["d", "d/e"]),
    "a directory twice": ("await fs.mkdir('/d'); await failure(fs.mkdir('/d'))", "EEXIST"),
    "directories above": ("[await fs.mkdir('/d/e/f', {recursive: true}), await fs.mkdir('/d', {recursive: true}) === undefined]", ["/d", True]),
    "types of entries": (
        "await fs.mkdir('/d'); await fs.writeFile('/a', '');"
        "(await fs.readdir('/', {withFileTypes: true})).map(each => each.name + each.isDirectory() + each.isFile()).sort()",
        ["afalsetrue", "dtruefalse"],
    ),
    "stat": (
        "await fs.writeFile('/a', 'abc'); const s = await fs.stat('/a');"
        "[s.size, s.isFile(), s.isDirectory(), s.mtimeMs > 1e12, s.mtime.getTime() === Math.trunc(s.mtimeMs)]",
        [3, True, False, True, True],
    ),
    "access": ("await fs.mkdir('/d'); [await failure(fs.access('/d')), await failure(fs.access('/e'))]", ["nothing", "ENOENT"]),
    "unlink": ("await fs.writeFile('/a', ''); await fs.unlink('/a'); await failure(fs.unlink('/a'))", "ENOENT"),
    "unlink a directory": ("await fs.mkdir('/d'); await failure(fs.unlink('/d'))", "EISDIR"),
    "rmdir": ("await fs.mkdir('/d'); await fs.rmdir('/d'); await failure(fs.stat('/d'))", "ENOENT"),
    "rmdir of one that is not empty": ("await fs.mkdir('/d/e', {recursive: true}); await failure(fs.rmdir('/d'))", "ENOTEMPTY"),
    "rmdir of a file": ("await fs.writeFile('/a', ''); await failure(fs.rmdir('/a'))", "ENOTDIR"),
    "rm": ("await fs.mkdir('/d/e', {recursive: true}); await fs.writeFile('/d/e/a', ''); await fs.rm('/d', {recursive: true}); await fs.readdir('/')", []),
    "rm of nothing": ("[await failure(fs.rm('/a')), await failure(fs.rm('/a', {force: true}))]", ["ENOENT", "nothing"]),
    "rm of a directory": ("await fs.mkdir('/d'); await failure(fs.rm('/d'))", "EISDIR"),
    "rename": ("await fs.writeFile('/a', 'x'); await fs.rename('/a', '/b'); [await fs.readdir('/'), await fs.readFile('/b', 'utf8')]", [["b"], "x"]),
    "rename onto a file": ("await fs.writeFile('/a', 'x'); await fs.writeFile('/b', 'y'); await fs.rename('/a', '/b'); await fs.readFile('/b', 'utf8')", "x"),
    "rename nothing": ("await failure(fs.rename('/a', '/b'))", "ENOENT"),
    "rename onto a directory": ("await fs.writeFile('/a', ''); await fs.mkdir('/d'); await failure(fs.rename('/a', '/d'))", "EISDIR"),
    "copy": ("await fs.writeFile('/a', 'x'); await fs.copyFile('/a', '/b'); await fs.readFile('/b', 'utf8')", "x"),
    "copy onto": ("await fs.writeFile('/a', 'x'); await failure(fs.copyFile('/a', '/a', fs.constants.COPYFILE_EXCL))", "EEXIST"),
    "copy a directory": ("await fs.mkdir('/d'); await failure(fs.copyFile('/d', '/e'))", "EISDIR"),
    "odd names": (
        "const odd = ['*', '?[a]', '..a', '.b', 'ü ñ', '%2e', 'a\\\\b', '-rf', '~', ':'];"
        "for (const each of odd) await fs.writeFile('/' + each, each);"
        "[(await fs.readdir('/')).sort().join() === odd.sort().join(),"
        " (await Promise.all(odd.map(each => fs.readFile('/' + each, 'utf8')))).join() === odd.join()]",
        [True, True],
    ),
    "large": (
        "const part = new Uint8Array(1 << 20).fill(7); const a = await root.getFileHandle('a', {create: true});"
        "await write(a, part, part, part, part, part, part); const file = await a.getFile();"
        "let sum = 0; for await (const chunk of file.stream()) for (let i = 0; i < chunk.length; i += 4096) sum += chunk[i];"
        "const whole = await fs.readFile('/a'); [file.size, sum, whole.length, whole.at(-1)]",
        [6 << 20, 7 * 6 * 256, 6 << 20, 7],
    ),
    # --- handles ---
    "no such file": ("await failure(root.getFileHandle('a'))", "NotFoundError"),
    "a file that is a directory": ("await fs.mkdir('/d'); await failure(root.getFileHandle('d'))", "TypeMismatchError"),
    "a directory that is a file": ("await fs.writeFile('/a', ''); await failure(root.getDirectoryHandle('a', {create: true}))", "TypeMismatchError"),
    "names that are none": (
        "const odd = ['', '.', '..', 'a/b', 'a\\\\b', '../a', 'a\\0'];"
        "[...new Set(await Promise.all(odd.map(each => failure(root.getFileHandle(each, {create: true})))))]",
        ["TypeError"],
    ),
    "remove": ("await fs.mkdir('/d/e', {recursive: true}); [await failure(root.removeEntry('d')), await failure(root.removeEntry('d', {recursive: true})), await names(root)]", ["InvalidModificationError", "nothing", []]),
    "seek and write": (
        "const a = await root.getFileHandle('a', {create: true}); const s = await a.createWritable();"
        "await s.write('hello'); await s.seek(1); await s.write('a'); await s.close(); await text(a)",
        "hallo",
    ),
    "keep what there is": (
        "const a = await root.getFileHandle('a', {create: true}); await write(a, 'hello');"
        "const s = await a.createWritable({keepExistingData: true}); await s.write('J'); await s.close(); await text(a)",
        "Jello",
    ),
    "truncate": (
        "const a = await root.getFileHandle('a', {create: true}); const s = await a.createWritable();"
        "await s.write('hello'); await s.truncate(2); await s.write('y'); await s.truncate(5); await s.close(); await text(a)",
        "hey\0\0",
    ),
    "all three forms": (
        "const a = await root.getFileHandle('a', {create: true});"
        "await write(a, new Blob(['12345']), {type: 'seek', position: 7}, new Uint8Array([65]), {type: 'truncate', size: 9},"
        " {type: 'write', position: 1, data: 'xx'}); await text(a)",
        "1xx45\0\0A\0",
    ),
    "nothing before it is closed": (
        "const a = await root.getFileHandle('a', {create: true}); await write(a, 'old'); const s = await a.createWritable();"
        "await s.write('new'); const before = await text(a); await s.close(); [before, await text(a)]",
        ["old", "new"],
    ),
    "abort": (
        "const a = await root.getFileHandle('a', {create: true}); await write(a, 'old'); const s = await a.createWritable();"
        "await s.write('new'); await s.abort(new TypeError()); [await text(a), await failure(s.write('x'))]",
        ["old", "TypeError"],
    ),
    "write after close": ("const a = await root.getFileHandle('a', {create: true}); const s = await a.createWritable(); await s.close(); await failure(s.write('x'))", "TypeError"),
    "a file that is written stays": (
        "const d = await root.getDirectoryHandle('d', {create: true}); const a = await d.getFileHandle('a', {create: true});"
        "const s = await a.createWritable(); const refused = [await failure(d.removeEntry('a')), await failure(fs.rename('/d', '/e')),"
        " await failure(root.removeEntry('d', {recursive: true})), await failure(fs.unlink('/d/a'))];"
        "await s.close(); await d.removeEntry('a'); refused",
        ["NoModificationAllowedError", "EBUSY", "NoModificationAllowedError", "EBUSY"],
    ),
    "a file that has changed": (
        "const a = await root.getFileHandle('a', {create: true}); await write(a, 'old'); const file = await a.getFile();"
        "await write(a, 'other'); [await failure(file.text()), await failure(file.slice(1).arrayBuffer()), file.size]",
        ["NotReadableError", "NotReadableError", 3],
    ),
    "a file that is gone": ("const a = await root.getFileHandle('a', {create: true}); await write(a, 'x'); const file = await a.getFile(); await root.removeEntry('a'); await failure(file.text())", "NotFoundError"),
    "a file in a blob, a body, a form and a clone": (
        "await fs.writeFile('/a.txt', 'abc'); const f = await (await root.getFileHandle('a.txt')).getFile();"
        "const form = new FormData(); form.set('f', f); const sent = await new Response(form).formData();"
        "[f.type, f.name, await new Blob([f.slice(1), 'z']).text(), await new Response(f).text(), await sent.get('f').text(),"
        " await structuredClone(f).text(), await (await fetch(URL.createObjectURL(f))).text(),"
        " await new Promise(done => { const r = new FileReader(); r.onload = () => done(r.result); r.readAsText(f) })]",
        ["text/plain", "a.txt", "bcz", "abc", "abc", "abc", "abc", "abc"],
    ),
    "a file that Python gets": ("await fs.writeFile('/a.json', '{}'); await (await root.getFileHandle('a.json')).getFile()", ("a.json", "application/json", b"{}")),
    "same entry": (
        "await fs.writeFile('/a', ''); const d = await root.getDirectoryHandle('d', {create: true});"
        "const a = await root.getFileHandle('a'); const b = await root.getFileHandle('a');"
        "[await a.isSameEntry(b), await a.isSameEntry(d), await root.resolve(d), await d.resolve(a), (await root.resolve(root)).length]",
        [True, False, ["d"], None, 0],
    ),
    "move": (
        "const d = await root.getDirectoryHandle('d', {create: true}); const a = await root.getFileHandle('a', {create: true});"
        "await write(a, 'x'); await a.move(d, 'b'); [a.name, await text(a), await names(root), await names(d)]",
        ["b", "x", ["d"], ["b"]],
    ),
    "entries": (
        "await fs.writeFile('/a', ''); await fs.mkdir('/d'); const found = [];"
        "for await (const [name, handle] of root) found.push(name + ' ' + handle.kind + ' ' + handle.name); found.sort()",
        ["a file a", "d directory d"],
    ),
}  # fmt: skip


def _plain(value: Any) -> Any:
    """The value; a file by all that it is."""
    return (value.name, value.type, value.data) if isinstance(value, File) else value


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    return STORES[request.param](tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_on_the_blocking_face(store: FileStore, case: str) -> None:
    code, expected = CASES[case]
    with Sandbox(files=store) as box:
        box.eval(PRELUDE)
        assert _plain(box.eval(code)) == expected


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_on_the_asynchronous_face(kind: str, backend: str, tmp_path: Path) -> None:
    async def main() -> None:
        for number, (code, expected) in enumerate(CASES.values()):
            folder = tmp_path / str(number)
            folder.mkdir()
            async with AsyncSandbox(files=STORES[kind](folder)) as box:
                await box.eval(PRELUDE)
                assert _plain(await box.eval(code)) == expected, code

    anyio.run(main, backend=backend)
