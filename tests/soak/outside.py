"""Rules for what a program may reach: requests, WebSockets and files, answered in memory by `tests.soak.fakes`."""

from __future__ import annotations

from typing import Final

from tests.soak.grammar import words

RULES: Final[dict[str, list[str]]] = {
    "outside": words("@fetching @socket @file @handle"),
    "address": [
        *words("'http://a/echo' 'http://a/stream' 'http://a/redirect' 'http://a/fail' 'http://a/odd' 'http://a/torn'"),
        *words("'http://a/later' 'http://a/big' 'http://b/denied' 'http://a/'+@text @string"),
    ],
    "fetching": [
        "fetch(@address).then(r => r.text())",
        "fetch(@address, {method: 'POST', body: @value, signal: @signal}).then(r => r.bytes())",
        "fetch(@address, {method: 'PUT', body: @stream, duplex: 'half'}).then(r => @function)",
        "fetch(@address, {headers: @value, redirect: @redirect, integrity: @string})",
        "fetch(new Request(@address, @object)).then(r => (v0 = r).clone().body)",
        "(async () => { for await (const x of (await fetch(@address)).body) { @statement if (n0++ > 50) break } })()",
        "(async () => { const s = (await fetch(@address)).body; await s.pipeTo(@sink) })()",
        "(c => (fetch(@address, {signal: c.signal}), setTimeout(() => c.abort(@value), @small)))(new AbortController())",
        "Promise.all([...Array(@small)].map(() => fetch(@address)))",
    ],
    "redirect": words("'follow' 'error' 'manual' @string"),
    "socket": [
        "(w => { w.onopen = () => { w.send(@value); w.send(@buffer); @statement }; v1 = w })(new WebSocket(@server))",
        "(w => { w.onmessage = @function; w.onclose = @function; w.onerror = @function; v1 = w })(new WebSocket(@server))",
        "new Promise(done => { const w = new WebSocket(@server); w.onmessage = done; w.onclose = done; v1 = w })",
        "new WebSocket(@server, [@string, 'chat']).close(@number, @string)",
        "v1.send?.(@value)",
        "v1.send?.(@body)",
        "v1.close?.(@digits, @string)",
        "(v1.binaryType = @string, v1.bufferedAmount)",
    ],
    "server": words(
        "'ws://a/echo' 'ws://a/flood' 'ws://a/lost' 'ws://a/fails' 'ws://a/closes' 'ws://b/denied' @string"
    ),
    "path": words("'/a' '/b/c' '/b' '/read/a' '/read/x' '/' '../a' @string"),
    "file": [
        "import('node:fs/promises').then(fs => fs.@file_act).then(@function)",
        "import('node:fs/promises').then(fs => Promise.all([fs.@file_act, fs.@file_act]))",
        "(async fs => { await fs.@file_act; @statement await fs.@file_act })(await import('node:fs/promises'))",
    ],
    "file_act": [
        "readFile(@path, @value)",
        "writeFile(@path, @value, @object)",
        "writeFile(@path, @buffer)",
        "appendFile(@path, @string)",
        "readdir(@path, {withFileTypes: @boolean, recursive: @boolean})",
        "mkdir(@path, {recursive: @boolean})",
        "rm(@path, {recursive: @boolean, force: @boolean})",
        "rename(@path, @path)",
        "copyFile(@path, @path)",
        "stat(@path)",
    ],
    "handle": [
        "(async d => { const w = await (await d.getFileHandle(@string, {create: true})).createWritable(); "
        "await w.write(@value); await w.seek(@small); @statement await w.@ending })(await @directory)",
        "(async d => { const f = await (await d.getFileHandle('a', {create: true})).getFile(); "
        "return [f.size, await f.slice(@small).text(), v0 = f] })(await @directory)",
        "(async d => { for await (const [x, y] of d.entries()) { @statement } })(await @directory)",
        "(await @directory).removeEntry(@string, {recursive: @boolean})",
        "(await @directory).getDirectoryHandle(@string, {create: @boolean})",
        "(await @directory).resolve(@value)",
    ],
    "ending": words("close() abort(@value) truncate(@small) getWriter()"),
    "directory": [
        "navigator.storage.getDirectory()",
        "navigator.storage.getDirectory().then(d => d.getDirectoryHandle('b'))",
    ],
}
