"""Handles, storage and node:fs/promises as a program sees them: shapes, conversions, messages, a hostile world."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox import JSError, MemoryFiles, Sandbox


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(files=MemoryFiles({"a.txt": "abc", "d/b": ""}, clock=lambda: 1700000000.1234)) as box:
        box.eval("globalThis.fs = await import('node:fs/promises'); globalThis.root = await getDirectory(); 0")
        yield box


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", "text/plain"), ("a.HTML", "text/html"), ("a.tar.gz", "application/gzip"), ("a.mjs", "text/javascript"),
        ("a", ""), ("a.", ""), ("a.unknown", ""), (".json", "application/json"), ("a.constructor", ""), ("a.__proto__", ""),
    ],
)  # fmt: skip
def test_types_by_extension(box: Sandbox, name: str, expected: str) -> None:
    box.globals["name"] = name
    assert box.eval("await (await (await root.getFileHandle(name, {create: true})).getFile()).type") == expected


@pytest.mark.parametrize(
    ("path", "name"), [("/", ""), ("", ""), ("d", "d"), ("/d/", "d"), ("/x/../d/.", "d"), ("../../d", "d")]
)
def test_paths_of_directories(box: Sandbox, path: str, name: str) -> None:
    box.globals["path"] = path
    assert box.eval("(await getDirectory(path)).name") == name


def test_a_file_tells_when_it_was_written(box: Sandbox) -> None:
    code = "(await (await root.getFileHandle('a.txt')).getFile()).lastModified"
    assert box.eval(code) == 1700000000123
    assert box.eval("(await fs.stat('/a.txt')).mtime.getTime()") == 1700000000123


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("new FileSystemHandle()", "TypeError: Illegal constructor"),
        ("new FileSystemFileHandle()", "TypeError: Illegal constructor"),
        ("new FileSystemDirectoryHandle({}, '/')", "TypeError: Illegal constructor"),
        ("new FileSystemWritableFileStream()", "TypeError: Illegal constructor"),
        ("new StorageManager()", "TypeError: Illegal constructor"),
        ("FileSystemHandle.prototype.name", "TypeError: Illegal invocation"),
        ("await FileSystemFileHandle.prototype.getFile.call(root)", "TypeError: Illegal invocation"),
        ("await FileSystemDirectoryHandle.prototype.getFileHandle.call({}, 'a')", "TypeError: Illegal invocation"),
        ("FileSystemDirectoryHandle.prototype.keys.call(await root.getFileHandle('a.txt'))", "TypeError: Illegal invocation"),
        ("await root.keys().next.call({})", "TypeError: Illegal invocation"),
        ("await StorageManager.prototype.getDirectory.call({})", "TypeError: Illegal invocation"),
        ("await FileSystemWritableFileStream.prototype.write.call(new WritableStream(), 'a')", "TypeError: Illegal invocation"),
        ("await root.getFileHandle()", "1 argument required, but only 0 present"),
        ("await root.isSameEntry({})", "parameter 1 is not of type 'FileSystemHandle'"),
        ("await root.getFileHandle('a/b')", "Name is not allowed"),
        ("await (await getDirectory('/d')).getFileHandle('x')", "NotFoundError"),
        ("await getDirectory('/a.txt')", "TypeMismatchError"),
        ("await getDirectory('/no')", "NotFoundError"),
        ("await (await root.getFileHandle('a.txt')).createWritable().then(s => s.write({type: 'seek'}))", "SyntaxError"),
        ("await (await root.getFileHandle('a.txt')).createWritable().then(s => s.write({type: 'x'}))", "not a valid enum value"),
        ("await fs.readFile(1)", 'The "path" argument must be a string or a URL'),
        ("await fs.readFile('/a.txt', 'klingon')", "The encoding is not one of"),
        ("await fs.readFile(new URL('https://a/b'))", "The URL must be of scheme file"),
        ("await fs.writeFile('/x', 5)", 'The "data" argument must be'),
        ("await fs.writeFile('/x', '', {flag: 'r'})", "The flag is none of"),
        ("await fs.readFile('/no/x')", "ENOENT: no such file or directory, open '/no/x'"),
        ("await fs.rename('/no', '/x')", "ENOENT: no such file or directory, rename '/no' -> '/x'"),
    ],
)  # fmt: skip
def test_what_is_refused(box: Sandbox, code: str, error: str) -> None:
    with pytest.raises(JSError) as caught:
        box.eval(code)
    assert error in f"{caught.value.name}: {caught.value.message}"


def test_errors_as_node_has_them(box: Sandbox) -> None:
    told = box.eval(
        "await fs.copyFile('/no', '/x').catch(({code, errno, syscall, path, dest}) => ({code, errno, syscall, path, dest}))"
    )
    assert told == {"code": "ENOENT", "errno": -2, "syscall": "copyfile", "path": "/no", "dest": "/x"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Object.keys(await import('fs')).sort()", ["constants", "default", "promises"]),
        ("(await import('node:fs')).promises === (await import('fs/promises')).default", True),
        ("(await import('node:fs/promises')) === (await import('fs/promises'))", True),
        ("await fs.readFile(new URL('file:///a.txt'), 'latin1')", "abc"),
        ("await fs.readFile('a.txt', {encoding: 'utf8'})", "abc"),
        ("await fs.readFile('/d/../a.txt')", b"abc"),
        ("typeof (await fs.readdir('/', {withFileTypes: true}))[0].isFile", "function"),
        ("(await fs.readdir('/d', {withFileTypes: true})).map(e => [e.name, e.parentPath])", [["b", "/d"]]),
        ("Object.prototype.toString.call(root.keys())", "[object FileSystemDirectoryHandle AsyncIterator]"),
        ("(await structuredClone(root).getFileHandle('a.txt')).name", "a.txt"),
        ("(await root.getFileHandle('a.txt')) instanceof FileSystemHandle", True),
        ("[navigator.storage === navigator.storage, await (await navigator.storage.getDirectory()).isSameEntry(root)]", [True, True]),
        ("const k = root.keys(); (await Promise.all([k.next(), k.next(), k.next()])).map(s => s.done)", [False, False, True]),
        ("await (await root.getFileHandle('a.txt')).createWritable().then(s => [s instanceof WritableStream, s.locked])", [True, False]),
        ("const s = await (await root.getFileHandle('a.txt')).createWritable(); s.getWriter(); await s.write('x').catch(e => e.name)", "TypeError"),
    ],
)  # fmt: skip
def test_shapes(box: Sandbox, code: str, expected: Any) -> None:
    assert box.eval(code) == expected


def test_the_order_of_modules_is_the_embedders() -> None:
    """What the embedder calls `fs` is what a program gets; a specifier that nobody has stays unknown."""
    with Sandbox(files=MemoryFiles(), modules={"fs": "export default 'mine'"}) as box:
        assert box.eval("(await import('fs')).default") == "mine"
        assert box.eval("typeof (await import('node:fs')).promises.readFile") == "function"
        with pytest.raises(JSError, match="cannot find module 'node:net'"):
            box.eval("import('node:net')")
        assert box.eval("const m = await import('data.js').catch(error => error.name); m") == "TypeError"


@pytest.mark.parametrize("name", ["node:fs/promises", "fs/promises", "node:fs", "fs"])
@pytest.mark.parametrize("modules", [None, {"lib": ""}])
def test_without_a_grant(name: str, modules: Any) -> None:
    with Sandbox(modules=modules) as box, pytest.raises(JSError, match=f"'{name}': this sandbox was given no files"):
        box.module(f"import {{}} from '{name}'")


def test_require_of_it() -> None:
    modules = {"main.cjs": "const fs = require('node:fs'); module.exports = Object.keys(fs).join()"}
    from sandbox.modules import ModuleSource

    sources = {name: ModuleSource(code, kind="commonjs") for name, code in modules.items()}
    with Sandbox(files=MemoryFiles(), modules=sources) as box:
        assert box.eval("(await import('main.cjs')).default") == "promises,constants"


_BROKEN = """
    const seen = [];
    for (const prototype of [Array.prototype, Promise.prototype, String.prototype, Uint8Array.prototype.__proto__,
                             ArrayBuffer.prototype, Map.prototype, FinalizationRegistry.prototype, Blob.prototype,
                             ReadableStream.prototype, WritableStream.prototype, FileSystemHandle.prototype]) {
      for (const key of Reflect.ownKeys(prototype)) {
        if (key === "constructor") continue;
        const {get, value, configurable} = Object.getOwnPropertyDescriptor(prototype, key);
        if (!configurable || (typeof value !== "function" && !get)) continue;
        if (prototype === WritableStream.prototype && key === "close") continue;
        if (prototype === Blob.prototype && (key === "text" || key === "stream")) continue;
        if (prototype === ReadableStream.prototype && key === "getReader") continue;
        if (prototype === Promise.prototype && key === "then") continue;
        if (prototype === Array.prototype && key === Symbol.iterator) continue;
        const note = () => { seen[seen.length] = String(key); throw new Error("reached " + String(key)) };
        Object.defineProperty(prototype, key, get ? {get: note} : {value: note});
      }
    }
    const planted = ["0", "1", "2", "code", "path", "position", "data", "keepExistingData", "create", "recursive", "value",
                     "get", "source", "start", "isRemote", "pieces", "size", "errno", "syscall", "name", "parentPath"];
    for (const key of planted) {
      const note = {__proto__: null, get() { seen[seen.length] = key }, set() { seen[seen.length] = key }, configurable: true};
      Object.defineProperty(Object.prototype, key, note);
    }
    for (const name of ["Promise", "TypeError", "Error", "DOMException", "Uint8Array", "FinalizationRegistry", "Date", "File",
                        "WritableStream", "ReadableStream", "FileSystemFileHandle", "TextDecoder"]) globalThis[name] = undefined;
"""


def test_files_in_a_broken_world(box: Sandbox) -> None:
    box.eval(
        "const seek = {__proto__: null, type: 'seek', position: 1}; const make = {__proto__: null, create: true, recursive: true}; 0"
    )
    box.eval(_BROKEN)
    use = """
        const told = {__proto__: null};
        const file = await root.getFileHandle("n.txt", make);
        const s = await file.createWritable({__proto__: null, keepExistingData: true});
        await s.write("hello"); await s.write(seek); await s.write("a"); await s.truncate(4); await s.close();
        const content = await file.getFile();
        told.text = await content.text();
        const reader = content.stream().getReader();
        told.chunk = (await reader.read()).value[0];
        const step = await root.entries().next();
        told.entry = step.value[0];
        await fs.mkdir("/p/q", make); await fs.writeFile("/p/q/r", "x"); await fs.appendFile("/p/q/r", "y");
        told.node = await fs.readFile("/p/q/r", "utf8");
        told.listed = (await fs.readdir("/p", make)).length;
        told.size = (await fs.stat("/p/q/r")).size;
        await fs.copyFile("/p/q/r", "/c"); await fs.rename("/c", "/e"); await fs.rm("/p", make);
        try { await fs.readFile("/no") } catch (error) { told.error = error.message }
        try { await root.getFileHandle("no") } catch (error) { told.dom = "caught" }
        for (const key of planted) delete Object.prototype[key];
        told.seen = seen.length === 0 ? "nothing" : seen[0];
        told
    """
    assert box.eval(use) == {
        "text": "hall", "chunk": 104, "entry": "a.txt", "node": "xy", "listed": 2, "size": 2,
        "error": "ENOENT: no such file or directory, open '/no'", "dom": "caught", "seen": "nothing",
    }  # fmt: skip
