"""Blob, File, FileReader and URLs of blobs (File API)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox import Blob, File, Limits, Sandbox
from sandbox.errors import JSError, LimitExceeded


@pytest.mark.parametrize(
    ("parts", "data"),
    [
        ("", b""),
        ("[]", b""),
        ("['a', 'é', '\\ud800']", "aé\ufffd".encode()),
        ("[new Uint16Array([0x6261]), new Uint8Array([1, 2, 3]).buffer]", b"ab\1\2\3"),
        ("[new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1)]", b"\2"),
        ("[new Blob(['ab']), 'c', new File(['d'], 'n'), new Blob()]", b"abcd"),
        ("[1, null, undefined, {toString() { return 'x' }}]", b"1nullundefinedx"),
        ("new Set(['a', 'b'])", b"ab"),
        ("['a\\r\\nb\\rc\\n'], {endings: 'native'}", b"a\nb\nc\n"),
        ("['a\\r\\nb\\rc\\n'], {endings: 'transparent'}", b"a\r\nb\rc\n"),
        ("['a\\r', new Blob(['\\r\\n']), '\\r'], {endings: 'native'}", b"a\n\r\n\n"),
    ],
)
def test_what_a_blob_is_made_of(box: Sandbox, parts: str, data: bytes) -> None:
    assert box.eval(f"new Blob({parts})") == Blob(data)
    assert box.eval(f"new Blob({parts}).size") == len(data)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("Text/HTML", "text/html"),
        ("text/plain; Charset=X", "text/plain;charset=X"),
        (" a/b\t", "a/b"),
        ("multipart/form-data; boundary=--X", "multipart/form-data;boundary=--X"),
        # What is no MIME type.
        ("A", "a"),
        ("text / plain", "text / plain"),
        ("é", ""),
        ("a\tb", ""),
    ],
)
def test_types_are_normalized(box: Sandbox, given: str, kind: str) -> None:
    box.globals["given"] = given

    assert box.eval("[new Blob([], {type: given}).type, new Blob().slice(0, 0, given).type]") == [kind, kind]


@pytest.mark.parametrize(
    ("call", "data"),
    [
        ("slice()", b"abcdefgh"),
        ("slice(3)", b"defgh"),
        ("slice(1, 3)", b"bc"),
        ("slice(-3)", b"fgh"),
        ("slice(-100, -6)", b"ab"),
        ("slice(6, 2)", b""),
        ("slice(8)", b""),
        ("slice(NaN, Infinity)", b"abcdefgh"),
        ("slice(1.5, 2.5)", b""),
        ("slice(2, 7).slice(1, -1)", b"def"),
        ("slice(3, 4)", b"d"),
    ],
)
def test_slices(box: Sandbox, call: str, data: bytes) -> None:
    box.eval("blob = new Blob(['abc', new Blob(['d', new Uint8Array([101])]), 'fgh'], {type: 'x'})")

    assert box.eval(f"blob.{call}") == Blob(data)


def test_slices_share_their_bytes() -> None:
    with Sandbox(limits=Limits(memory_bytes=32 << 20)) as box:
        box.eval("blob = new Blob([new Uint8Array(8 << 20)]); 0")

        assert (
            box.eval("Array.from({length: 100}, (_, i) => blob.slice(i)).reduce((sum, {size}) => sum + size, 0)") > 1e8
        )
        assert box.eval("new Blob(Array(100).fill(blob)).size") == 100 * (8 << 20)
        with pytest.raises((JSError, LimitExceeded)):
            box.eval("new Blob(Array(100).fill(blob)).text()")
        assert box.eval("blob.size") == 8 << 20


def test_a_blob_does_not_change(box: Sandbox) -> None:
    code = """
        const source = new Uint8Array([1, 2, 3]);
        const blob = new Blob([source]);
        source.fill(0);
        const read = new Uint8Array(await blob.arrayBuffer());
        const again = await blob.bytes();
        read.fill(9);
        again.fill(9);
        [blob, await blob.text()]
    """

    assert box.eval(code) == [Blob(b"\1\2\3"), "\1\2\3"]


def test_files(box: Sandbox) -> None:
    assert box.eval("new File(['a'], 'dir/é\\ud800', {type: 'T', lastModified: 5})") == File(
        b"a", "t", "dir/é\ufffd", 5
    )
    assert box.eval("new File([], 'n').lastModified === Date.now()")
    assert box.eval("const f = new File([], ''); [f instanceof Blob, f.slice() instanceof File, String(f)]") == [
        True,
        False,
        "[object File]",
    ]


def test_blobs_from_the_host(box: Sandbox) -> None:
    box.globals["given"] = [Blob(b"ab", "Text/X"), File(b"", name="n", last_modified_ms=-5)]

    assert box.eval("[given[0].type, await given[0].text(), given[1].name, given[1].lastModified]") == [
        "text/x",
        "ab",
        "n",
        -5,
    ]
    assert box.eval("given[1] instanceof File && !(given[0] instanceof File)")


@pytest.mark.parametrize("parts", [("text",), (b"", None), (b"", "", None), (b"", "", "", 0.5)])
def test_parts_of_files_are_checked(parts: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        (File if len(parts) > 2 else Blob)(*parts)


def test_a_blob_is_its_bytes() -> None:
    assert bytes(Blob(b"ab")) == b"ab"
    assert len(Blob(b"ab")) == 2
    assert Blob()


def test_cloning(box: Sandbox) -> None:
    code = """
        class Mine extends Blob {}
        const file = Object.assign(new File(['abc'], 'n', {lastModified: 5}), {own: 1});
        const copy = structuredClone({file, again: file, mine: new Mine(['x'], {type: 'y'})});
        const {file: made, again, mine} = copy;
        [made, made === again, made !== file, made.own, mine, mine.constructor === Blob]
    """

    result = box.eval(code)

    assert result[0] == File(b"abc", "", "n", 5)
    assert result[1:3] == [True, True]
    assert not result[3]
    assert result[4:] == [Blob(b"x", "y"), True]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("new Blob('text')", "TypeError TypeError: Failed to construct 'Blob': The provided value cannot be converted"),
        ("new Blob(null)", "TypeError TypeError: Failed to construct 'Blob': The provided value cannot be converted"),
        ("new Blob([], 1)", "TypeError TypeError: Failed to construct 'Blob': The provided value is not an object."),
        (
            "new Blob([], {endings: 'x'})",
            "TypeError TypeError: Failed to construct 'Blob': 'endings': The provided value",
        ),
        ("new Blob([Symbol()])", "TypeError TypeError: Failed to construct 'Blob': Cannot convert a Symbol"),
        ("new File([])", "TypeError TypeError: Failed to construct 'File': 2 arguments required, but only 1 present."),
        ("Blob.prototype.size", "TypeError TypeError: Illegal invocation"),
        ("File.prototype.name", "TypeError TypeError: Illegal invocation"),
        ("new FileList()", "TypeError TypeError: Illegal constructor"),
        ("FileList.prototype.length", "TypeError TypeError: Illegal invocation"),
        ("Blob()", "TypeError TypeError: class constructors must be invoked with 'new'"),
    ],
)
def test_refusals(refused: Callable[[str], str], code: str, message: str) -> None:
    assert refused(code).startswith(message)


def test_a_changed_constructor_of_file_gets_nothing(box: Sandbox) -> None:
    code = """
        let got;
        Object.setPrototypeOf(File, function (secret) { got = secret; return {} });
        new File(['a'], 'n');
        const blob = new Blob(got);
        [blob, blob.size, await blob.text()]
    """

    with pytest.raises(JSError):
        box.eval(code)
    assert box.eval("new Blob(['a'])") == Blob(b"a")


# --- FileReader -------------------------------------------------------------------------------------------------------

READ = """
    globalThis.read = (how, blob, ...rest) => new Promise((resolve) => {
        const reader = new FileReader();
        const events = [];
        for (const type of ['loadstart', 'progress', 'load', 'error', 'abort', 'loadend']) {
            reader[`on${type}`] = (event) => {
                events.push(`${type} ${reader.readyState} ${event.loaded}/${event.total}`);
                if (type === 'loadend') resolve([reader.result, events]);
            };
        }
        reader[how](blob, ...rest);
    });
"""


def test_the_events_of_a_reader(box: Sandbox) -> None:
    box.eval(READ)

    assert box.eval("read('readAsText', new Blob(['abc']))") == [
        "abc",
        ["loadstart 1 0/3", "progress 1 3/3", "load 2 3/3", "loadend 2 3/3"],
    ]
    assert box.eval("read('readAsText', new Blob())") == ["", ["loadstart 1 0/0", "load 2 0/0", "loadend 2 0/0"]]


@pytest.mark.parametrize(
    ("how", "blob", "result"),
    [
        ("readAsText", "new Blob(['é'])", "é"),
        ("readAsText", "new Blob(['\ufeffa'])", "a"),
        ("readAsBinaryString", "new Blob(['é'])", "Ã©"),
        ("readAsDataURL", "new Blob(['a'], {type: 'x/y'})", "data:x/y;base64,YQ=="),
        ("readAsDataURL", "new Blob()", "data:application/octet-stream;base64,"),
        ("readAsArrayBuffer", "new Blob(['a'])", b"a"),
    ],
)
def test_ways_to_read(box: Sandbox, how: str, blob: str, result: object) -> None:
    box.eval(READ)

    assert box.eval(f"read('{how}', {blob})")[0] == result


def test_a_reader_that_is_aborted(box: Sandbox) -> None:
    code = """
        const reader = new FileReader();
        const events = [];
        const listen = (type) => reader.addEventListener(type, () => events.push(type));
        ['loadstart', 'load', 'abort', 'loadend'].forEach(listen);
        reader.readAsText(new Blob(['abc']));
        let busy;
        try { reader.readAsText(new Blob()) } catch (error) { busy = error.name }
        reader.abort();
        reader.abort();
        await new Promise((resolve) => setTimeout(resolve, 5));
        [busy, reader.result, reader.readyState, FileReader.DONE, events]
    """

    assert box.eval(code) == ["InvalidStateError", None, 2, 2, ["abort", "loadend"]]


# --- URLs of blobs ----------------------------------------------------------------------------------------------------


def test_urls_of_blobs(box: Sandbox, refused: Callable[[str], str]) -> None:
    url = box.eval("url = URL.createObjectURL(new Blob(['abc'], {type: 'x/y'}))")

    assert url.startswith("blob:null/")
    assert box.eval(
        "const r = await fetch(url + '#f'); [r.status, r.url === url, r.headers.get('content-type'), r.type]"
    ) == [
        200,
        True,
        "x/y",
        "basic",
    ]
    assert box.eval("await (await fetch(url)).text()") == "abc"
    with pytest.raises(JSError, match="names no blob"):
        box.eval("fetch(url, {method: 'POST'})")
    box.eval("const before = new Request(url); URL.revokeObjectURL(url)")
    assert box.eval("await (await fetch(before)).text()") == "abc"
    with pytest.raises(JSError, match="names no blob"):
        box.eval("fetch(url)")
    assert refused("URL.createObjectURL({})").startswith("TypeError TypeError: Failed to execute 'createObjectURL'")


def test_their_origin_is_the_programs(box: Sandbox) -> None:
    box.globals["location"] = {"href": "https://example.com:8443/a/b"}

    assert box.eval("URL.createObjectURL(new Blob())").startswith("blob:https://example.com:8443/")


def test_how_they_are_shown(logged: Callable[[str], list[str]]) -> None:
    assert logged("console.log(new Blob(['abc'], {type: 'x'}), new File(['a'], 'n', {lastModified: 5}))") == [
        "Blob { size: 3, type: 'x' } File { size: 1, type: '', name: 'n', lastModified: 5 }"
    ]
