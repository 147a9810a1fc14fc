"""FormData, and its two encodings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox import File, Sandbox
from sandbox.errors import JSError


def test_entries(box: Sandbox) -> None:
    code = """
        const form = new FormData();
        form.append('a', 1);
        form.append('b', 'x\\ud800');
        form.append('a', null);
        const before = [[...form], form.get('a'), form.getAll('a'), form.get('c'), form.getAll('c'), form.has('b')];
        form.set('a', '2');
        form.set('d', '3');
        form.delete('b');
        [before, [...form.entries()], [...form.keys()], [...form.values()]]
    """

    before, entries, keys, values = box.eval(code)

    assert before == [[["a", "1"], ["b", "x\ufffd"], ["a", "null"]], "1", ["1", "null"], None, [], True]
    assert entries == [["a", "2"], ["d", "3"]]
    assert keys == ["a", "d"]
    assert values == ["2", "3"]


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        ("new Blob(['x'], {type: 't'})", File(b"x", "t", "blob")),
        ("new Blob(['x']), 'é'", File(b"x", "", "é")),
        ("new File(['x'], 'n')", File(b"x", "", "n")),
        ("new File(['x'], 'n'), 'm'", File(b"x", "", "m")),
    ],
)
def test_files(box: Sandbox, arguments: str, file: File) -> None:
    found = box.eval(f"const form = new FormData(); form.append('f', {arguments}); form.get('f')")

    assert type(found) is File
    assert (found.data, found.type, found.name) == (file.data, file.type, file.name)


def test_a_file_that_keeps_its_name_is_itself(box: Sandbox) -> None:
    code = "const file = new File([], 'n'), form = new FormData(); form.set('f', file); form.get('f') === file"

    assert box.eval(code)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("new FormData({})", "Failed to construct 'FormData': parameter 1 is not of type 'HTMLFormElement'."),
        ("new FormData(null)", "Failed to construct 'FormData': parameter 1 is not of type 'HTMLFormElement'."),
        (
            "new FormData().append('a', 'b', 'c')",
            "Failed to execute 'append' on 'FormData': parameter 2 is not of type",
        ),
        ("new FormData().set('a', {}, undefined)", "Failed to execute 'set' on 'FormData': parameter 2 is not of type"),
        ("new FormData().append('a')", "Failed to execute 'append' on 'FormData': 2 arguments required"),
        ("FormData.prototype.get.call({}, 'a')", "Illegal invocation"),
    ],
)
def test_refusals(refused: Callable[[str], str], code: str, message: str) -> None:
    assert refused(code).startswith(f"TypeError TypeError: {message}")


def test_multipart_as_it_is_written(box: Sandbox) -> None:
    code = """
        const form = new FormData();
        form.append('a"\\n', 'x\\ny\\r\\nz\\r');
        form.append('f', new File(['\\r'], 'q"\\r\\n.txt', {type: 'text/x'}));
        form.append('g', new Blob());
        const response = new Response(form);
        [response.headers.get('content-type'), await response.text()]
    """
    kind, text = box.eval(code)

    boundary = kind.removeprefix("multipart/form-data; boundary=")
    assert len(boundary) == 37
    assert text == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="a%22%0D%0A"\r\n\r\nx\r\ny\r\nz\r\n\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="f"; filename="q%22%0D%0A.txt"\r\n'
        f"Content-Type: text/x\r\n\r\n\r\r\n"
        f'--{boundary}\r\nContent-Disposition: form-data; name="g"; filename="blob"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n\r\n--{boundary}--\r\n"
    )


def test_there_and_back(box: Sandbox) -> None:
    code = """
        const form = new FormData();
        form.append('é"\\r\\n', 'ü');
        form.append('', '');
        form.append('f', new File([new Uint8Array(70000).fill(45)], '--é"', {type: 'text/x;a="b"'}));
        const back = await new Response(form).formData();
        [[...back].slice(0, 2), back.get('f')]
    """
    texts, file = box.eval(code)

    assert texts == [['é"\r\n', "ü"], ["", ""]]
    assert (file.data, file.name, file.type) == (b"-" * 70000, '--é"', "text/x;a=b")


PART = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
DISPOSITION = "content-disposition"
END = "\r\n--b--"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{PART}x{END}", [["a", "x"]]),
        (f"{PART}x{END}\r\n", [["a", "x"]]),
        (f"{PART}x{END}\r\nepilogue", [["a", "x"]]),
        (f"preamble\r\n{PART}x{END}", [["a", "x"]]),
        (f"pre--b amble\r\n{PART}x{END}", [["a", "x"]]),
        (f"{PART}{END}", [["a", ""]]),
        (f"{PART}--b--", [["a", ""]]),
        (f"{PART}\r\n{END}", [["a", "\r\n"]]),
        (f"{PART}1\r\n--b \t\r\n{DISPOSITION}:form-data;name=c\r\n\r\n2{END}", [["a", "1"], ["c", "2"]]),
        (f'--b\r\nX: y\r\n{DISPOSITION}: Form-Data; x=1; NAME="a;b=c"\r\n\r\nx{END}', [["a;b=c", "x"]]),
        (f'--b\r\n{DISPOSITION}: form-data; name="a\\"\r\n\r\nx{END}', [["a\\", "x"]]),
        ("--b--", []),
        ("--b--\r\n", []),
        # What is no form data.
        ("", None),
        ("--b", None),
        ("--c--", None),
        (f"{PART}x", None),
        (f"{PART}x\r\n--b", None),
        (f"{PART}x\r\n--bc--", None),
        (f"{PART}x\r\n--b-Random junk", None),
        (f"--b\r\n\r\nx{END}", None),
        (f"--b\r\n{DISPOSITION}: form-data\r\n\r\nx{END}", None),
        (f'--b\r\n{DISPOSITION}: attachment; name="a"\r\n\r\nx{END}', None),
        (f'--b\r\n{DISPOSITION}: form-data; name="a\r\n\r\nx{END}', None),
        (f'--b\r\n{DISPOSITION}: form-data; name="a" b\r\n\r\nx{END}', None),
        (f"--b\r\nno header\r\n\r\nx{END}", None),
        (f"--b\n{DISPOSITION}: form-data; name=a\n\nx{END}", None),
    ],
)
@pytest.mark.parametrize("boundary", ["b", '"b"'])
def test_multipart_as_it_is_read(box: Sandbox, text: str, found: list[list[str]] | None, boundary: str) -> None:
    box.globals["text"] = text
    box.globals["type"] = f"multipart/form-data; boundary={boundary}"
    code = "[...await new Response(text, {headers: {'content-type': type}}).formData()]"

    if found is None:
        with pytest.raises(JSError, match="The body is not multipart/form-data of its boundary"):
            box.eval(code)
    else:
        assert box.eval(code) == found


def test_files_of_multipart(box: Sandbox) -> None:
    box.globals["bytes"] = (
        b'--b\r\nContent-Type: image/X\r\ncontent-disposition: form-data; name="f"; filename="\xc3\xa9%22"\r\n\r\n'
        b'\0\r\n\xff\r\n--b\r\nContent-Disposition: form-data; filename=""; name="g"\r\n\r\n\r\n--b--'
    )
    code = "[...await new Response(bytes, {headers: {'content-type': 'multipart/form-data;boundary=b'}}).formData()]"
    (first, one), (second, other) = box.eval(code)

    assert (first, one.data, one.name, one.type) == ("f", b"\0\r\n\xff", 'é"', "image/X")
    assert (second, other.data, other.name, other.type) == ("g", b"", "", "text/plain")


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        (b"", []),
        (b"a=1&b&&c=&=d&=", [["a", "1"], ["b", ""], ["c", ""], ["", "d"], ["", ""]]),
        (b"a+b=%2B%26%3d&%C3%A9=\xc3%A9", [["a b", "+&="], ["é", "é"]]),
        (b"a=%&b=%4&c=%zz&d=%FF", [["a", "%"], ["b", "%4"], ["c", "%zz"], ["d", "\ufffd"]]),
        (b"\xef\xbb\xbfa=b=c", [["\ufeffa", "b=c"]]),
        (b"&".join([b"x=y"] * 3000), [["x", "y"]] * 3000),
    ],
)
def test_urlencoded(box: Sandbox, text: bytes, pairs: list[list[str]]) -> None:
    box.globals["text"] = text
    kind = "application/x-www-form-urlencoded;charset=utf-8"

    assert box.eval(f"[...await new Response(text, {{headers: {{'content-type': '{kind}'}}}}).formData()]") == pairs


def test_how_it_is_shown(logged: Callable[[str], list[str]]) -> None:
    assert logged("const f = new FormData(); f.append('a', 'b'); f.append('a', 'c'); console.log(f)") == [
        "FormData { 'a' => 'b', 'a' => 'c' }"
    ]
