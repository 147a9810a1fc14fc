"""Response, and bodies (Fetch, sections 5.3 and 5.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sandbox import Blob
from sandbox.errors import JSError

if TYPE_CHECKING:
    from sandbox import Sandbox


def test_defaults(box: Sandbox) -> None:
    code = "(r => [r.status, r.ok, r.statusText, r.type, r.url, r.redirected, r.body, r.bodyUsed, [...r.headers]])"

    assert box.eval(f"{code}(new Response())") == [200, True, "", "default", "", False, None, False, []]
    assert box.eval(f"{code}(new Response(null, {{status: 404, statusText: 'é'}})).slice(0, 3)") == [404, False, "é"]
    assert box.eval(f"{code}(Response.error()).slice(0, 4)") == [0, False, "", "error"]


@pytest.mark.parametrize(
    ("body", "kind", "data"),
    [
        ("'é\\ud800'", "text/plain;charset=UTF-8", "é\ufffd".encode()),
        ("''", "text/plain;charset=UTF-8", b""),
        ("5", "text/plain;charset=UTF-8", b"5"),
        ("{toString() { return 'x' }}", "text/plain;charset=UTF-8", b"x"),
        ("new URLSearchParams('a=é&b')", "application/x-www-form-urlencoded;charset=UTF-8", b"a=%C3%A9&b="),
        ("new Blob(['a', new Blob(['b'])], {type: 'x/y'})", "x/y", b"ab"),
        ("new Blob(['a'])", None, b"a"),
        ("new Uint16Array([0x6261])", None, b"ab"),
        ("new Uint8Array([1, 2, 3]).subarray(1)", None, b"\2\3"),
        ("new ArrayBuffer(2)", None, b"\0\0"),
    ],
)
def test_what_a_body_is_made_of(box: Sandbox, body: str, kind: str | None, data: bytes) -> None:
    assert box.eval(f"new Response({body}).headers.get('content-type')") == kind
    assert box.eval(f"new Response({body}).bytes()") == data
    assert box.eval(f"new Response({body}, {{headers: {{'Content-Type': 'a/b'}}}}).blob()") == Blob(data, "a/b")


@pytest.mark.parametrize(
    ("call", "result"),
    [
        ("text()", '{"é": 1}'),
        ("json()", {"é": 1}),
        ("bytes()", '{"é": 1}'.encode()),
        ("arrayBuffer()", '{"é": 1}'.encode()),
        ("blob()", Blob('{"é": 1}'.encode(), "text/plain;charset=UTF-8")),
    ],
)
def test_ways_to_read(box: Sandbox, call: str, result: object) -> None:
    box.eval("response = new Response('{\"é\": 1}'); 0")

    assert box.eval(f"[await response.clone().{call}, response.bodyUsed]") == [result, False]
    assert box.eval(f"[await response.{call}, response.bodyUsed]") == [result, True]
    with pytest.raises(JSError, match="Body is unusable: Body has already been read"):
        box.eval(f"response.{call}")
    with pytest.raises(JSError, match="Body has already been consumed"):
        box.eval("response.clone()")


@pytest.mark.parametrize(
    ("call", "result"),
    [("text()", ""), ("bytes()", b""), ("arrayBuffer()", b""), ("blob()", Blob())],
)
def test_no_body_reads_as_an_empty_one(box: Sandbox, call: str, result: object) -> None:
    assert box.eval(f"const r = new Response(); [await r.{call}, await r.{call}, r.bodyUsed]") == [
        result,
        result,
        False,
    ]


def test_a_mark_at_the_beginning_is_no_text(box: Sandbox) -> None:
    box.globals["bytes"] = b'\xef\xbb\xbf"\xff"'

    assert box.eval("[await new Response(bytes).text(), await new Response(bytes).json()]") == ['"\ufffd"', "\ufffd"]


def test_results_are_the_programs_own(box: Sandbox) -> None:
    code = """
        const blob = new Blob(['abc']);
        const response = new Response(blob);
        const clone = response.clone();
        (await response.bytes()).fill(0);
        new Uint8Array(await clone.arrayBuffer()).fill(0);
        await blob.text()
    """

    assert box.eval(code) == "abc"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "new Response('', {status: 199})",
            "RangeError RangeError: Failed to construct 'Response': The status provided",
        ),
        (
            "new Response('', {status: 600})",
            "RangeError RangeError: Failed to construct 'Response': The status provided",
        ),
        (
            "new Response('', {statusText: '\\n'})",
            "TypeError TypeError: Failed to construct 'Response': Invalid status",
        ),
        (
            "new Response('', {status: 204})",
            "TypeError TypeError: Failed to construct 'Response': Response with null body",
        ),
        (
            "new Response('', {status: 304})",
            "TypeError TypeError: Failed to construct 'Response': Response with null body",
        ),
        (
            "new Response('', 1)",
            "TypeError TypeError: Failed to construct 'Response': The provided value is not an object.",
        ),
        ("Response.redirect('https://a', 200)", "RangeError RangeError: Failed to execute 'redirect' on 'Response'"),
        ("Response.redirect('x')", "TypeError TypeError: Failed to execute 'redirect' on 'Response': Invalid URL"),
        ("Response.json()", "TypeError TypeError: Failed to execute 'json' on 'Response': 1 argument required"),
        (
            "Response.json(undefined)",
            "TypeError TypeError: Failed to execute 'json' on 'Response': The data is not JSON",
        ),
        ("Response.json(1n)", "TypeError TypeError: "),
        (
            "Response.json(1, {status: 204})",
            "TypeError TypeError: Failed to execute 'json' on 'Response': Response with",
        ),
        ("Response.prototype.ok", "TypeError TypeError: Illegal invocation"),
    ],
)
def test_refusals(refused: Callable[[str], str], code: str, message: str) -> None:
    assert refused(code).startswith(message)


def test_a_wrong_receiver_rejects(box: Sandbox) -> None:
    for code in (
        "Response.prototype.text.call({})",
        "Request.prototype.json.call(new Response())",
        "Blob.prototype.text()",
    ):
        assert box.eval(f"{code}.catch(String)") == "TypeError: Illegal invocation"


@pytest.mark.parametrize("status", [101, 103, 204, 205, 304])
def test_statuses_without_a_body(box: Sandbox, status: int) -> None:
    code = f"try {{ new Response(null, {{status: {status}}}).body }} catch (error) {{ error.name }}"

    assert box.eval(code) == ("RangeError" if status < 200 else None)


def test_made_by_name(box: Sandbox) -> None:
    assert box.eval("const r = Response.json({a: 1}, {status: 201}); [r.status, r.headers.get('content-type')]") == [
        201,
        "application/json",
    ]
    assert box.eval("r.json()") == {"a": 1}
    assert box.eval("const m = Response.redirect('https://a/b', 301); [m.status, m.headers.get('location')]") == [
        301,
        "https://a/b",
    ]


def test_failures_of_reading(box: Sandbox) -> None:
    assert box.eval("new Response('{').json().catch(error => error.name)") == "SyntaxError"
    assert box.eval("new Response('x').formData().catch(String)") == (
        "TypeError: Failed to execute 'formData' on 'Response': The Content-Type is neither multipart/form-data nor "
        "application/x-www-form-urlencoded."
    )


def test_how_it_is_shown(logged: Callable[[str], list[str]]) -> None:
    (text,) = logged("console.log(new Response(null, {status: 201, headers: {a: 'b'}}))")

    assert text.splitlines() == [
        "Response {",
        "  status: 201,",
        "  statusText: '',",
        "  headers: Headers { a: 'b' },",
        "  body: null,",
        "  bodyUsed: false,",
        "  ok: true,",
        "  redirected: false,",
        "  type: 'default',",
        "  url: ''",
        "}",
    ]


# --- bodies and streams -----------------------------------------------------------------------------------------------

STREAM = """
    globalThis.streamOf = (...chunks) => new ReadableStream({
        pull(controller) { chunks.length ? controller.enqueue(chunks.shift()) : controller.close() },
    });
    globalThis.chunk = (text) => new TextEncoder().encode(text);
"""


def test_a_stream_is_a_body(box: Sandbox) -> None:
    box.eval(STREAM)
    code = """
        const response = new Response(streamOf(chunk('a'), chunk(''), chunk('é')));
        [response.headers.get('content-type'), response.bodyUsed, await response.text(), response.bodyUsed,
         response.body.locked]
    """

    assert box.eval(code) == [None, False, "aé", True, True]


@pytest.mark.parametrize("chunk", ["'text'", "new Uint16Array(1)", "new ArrayBuffer(1)", "{}", "null"])
def test_chunks_of_a_body_are_bytes(box: Sandbox, chunk: str) -> None:
    box.eval(STREAM)

    assert box.eval(f"new Response(streamOf({chunk})).text().catch((error) => error.name)") == "TypeError"


def test_an_error_of_the_stream_is_that_of_the_body(box: Sandbox) -> None:
    code = "new Response(new ReadableStream({pull() { throw new RangeError('mine') }})).json().catch(String)"

    assert box.eval(code) == "RangeError: mine"


@pytest.mark.parametrize(
    ("body", "sizes"),
    [
        ("'abc'", [3]),
        ("''", []),
        ("new Blob(['ab', new Blob(['c']), 'd'])", [2, 1, 1]),
        ("new Uint8Array(150000)", [65536, 65536, 18928]),
    ],
)
def test_bytes_as_a_stream(box: Sandbox, body: str, sizes: list[int]) -> None:
    code = f"""
        const response = new Response({body});
        const same = response.body === response.body;
        const sizes = [];
        for await (const chunk of response.body) sizes.push(chunk.length);
        [same, sizes, response.bodyUsed]
    """

    assert box.eval(code) == [True, sizes, True]


def test_a_reader_may_bring_its_buffer(box: Sandbox) -> None:
    code = """
        const reader = new Response('hello').body.getReader({mode: 'byob'});
        const reads = [];
        for (let i = 0; i < 3; i++) reads.push(await reader.read(new Uint8Array(3)));
        reads.map(({value, done}) => [value, done])
    """

    assert box.eval(code) == [[b"hel", False], [b"lo", False], [b"", True]]


def test_the_stream_of_a_read_body_is_locked(box: Sandbox) -> None:
    code = """
        const response = new Response('abc');
        const reading = response.text();
        let locked;
        try { response.body.getReader() } catch (error) { locked = error.name }
        [await reading, locked, response.bodyUsed]
    """

    assert box.eval(code) == ["abc", "TypeError", True]


@pytest.mark.parametrize(
    ("use", "used"),
    [
        ("response.body.getReader()", False),
        ("response.body.getReader().read()", True),
        ("response.body.cancel()", True),
        ("response.body.pipeTo(new WritableStream())", True),
    ],
)
@pytest.mark.parametrize("body", ["'abc'", "streamOf(chunk('abc'))"])
def test_a_body_in_use_cannot_be_read(box: Sandbox, use: str, used: bool, body: str) -> None:
    box.eval(STREAM)
    code = f"""
        const response = new Response({body});
        {use};
        const failed = await response.text().catch((error) => error.name);
        let clone;
        try {{ response.clone() }} catch (error) {{ clone = error.name }}
        let again;
        try {{ new Response(response.body) }} catch (error) {{ again = error.name }}
        [failed, clone, again, response.bodyUsed]
    """

    assert box.eval(code) == ["TypeError", "TypeError", "TypeError", used]


@pytest.mark.parametrize("body", ["'abc'", "streamOf(chunk('ab'), chunk('c'))", "new Blob(['abc'])"])
@pytest.mark.parametrize("touch", ["", "response.body;"])
def test_clones_of_bodies(box: Sandbox, body: str, touch: str) -> None:
    box.eval(STREAM)
    code = f"""
        const response = new Response({body});
        {touch}
        const one = response.clone(), two = one.clone();
        const first = (await two.body.getReader().read()).value;
        first.fill(0);
        [await response.text(), await one.text(), response.bodyUsed, first.length > 0]
    """

    assert box.eval(code) == ["abc", "abc", True, True]


def test_requests_with_streams(box: Sandbox, refused: Callable[[str], str]) -> None:
    box.eval(STREAM)
    code = """
        const one = new Request('https://a', {method: 'POST', body: streamOf(chunk('abc')), duplex: 'half'});
        const two = new Request(one);
        [one.bodyUsed, one.body.locked, await two.text(), two.headers.get('content-type')]
    """

    assert box.eval(code) == [True, True, "abc", None]
    assert "duplex option is required" in refused("new Request('https://a', {method: 'POST', body: streamOf()})")
    assert "keepalive with a stream" in refused(
        "new Request('https://a', {method: 'POST', body: streamOf(), duplex: 'half', keepalive: true})"
    )


def test_a_stream_that_is_not_sent_is_cancelled(box: Sandbox) -> None:
    code = """
        const cancelled = [];
        const body = new ReadableStream({cancel(reason) { cancelled.push(String(reason)) }});
        const init = {method: 'POST', body, duplex: 'half', signal: AbortSignal.abort('why')};
        await fetch('https://a', init).catch(() => 0);
        cancelled
    """

    assert box.eval(code) == ["why"]
