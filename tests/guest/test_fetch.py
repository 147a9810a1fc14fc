"""fetch without a network: data: and blob: URLs (Fetch, sections 4.2 and 6)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

import pytest

from sandbox import Limits, Request, Response, Sandbox
from sandbox.errors import CpuLimitExceeded, JSError


@pytest.mark.parametrize(
    ("url", "kind", "data"),
    [
        ("data:,", "text/plain;charset=US-ASCII", b""),
        ("data:,a%20b%zz#c", "text/plain;charset=US-ASCII", b"a b%zz"),
        ("DATA:Text/HTML,<a>?b", "text/html", b"<a>?b"),
        ("data:;charset=x,a", "text/plain;charset=x", b"a"),
        ("data: text/css ;b=c ,a", "text/css;b=c", b"a"),
        ("data:text,a", "text/plain;charset=US-ASCII", b"a"),
        ("data:x/y,%ff%00é", "x/y", b"\xff\0\xc3\xa9"),
        ("data:;base64,YWI", "text/plain;charset=US-ASCII", b"ab"),
        ("data:x/y;base64,Y%20W%0AI=", "x/y", b"ab"),
        ("data:x/y; BASE64,YWJj", "x/y", b"abc"),
        ("data:x/y;base64;a=b,YWJj", "x/y;a=b", b"YWJj"),
        ("data:x/y;base64 ,YWJj", "x/y", b"abc"),
        ("data:base64,YWJj", "text/plain;charset=US-ASCII", b"YWJj"),
        ("data:x/y,a,b", "x/y", b"a,b"),
    ],
)
def test_urls_that_hold_their_contents(box: Sandbox, url: str, kind: str, data: bytes) -> None:
    box.globals["url"] = url
    code = "const r = await fetch(url); [r.status, r.ok, r.type, r.headers.get('content-type'), await r.bytes()]"

    assert box.eval(code) == [200, True, "basic", kind, data]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'data:x/y'", "fetch failed: the data: URL is malformed"),
        ("'data:;base64,Y'", "fetch failed: the data: URL is malformed"),
        ("'data:;base64,YQ=a'", "fetch failed: the data: URL is malformed"),
        ("'data:,', {integrity: 'sha256-x'}", "fetch failed: the body is not what integrity says"),
        (
            "'data:,', {integrity: 'sha256-x', method: 'HEAD'}",
            "fetch failed: there is no body whose integrity could be checked",
        ),
        ("'blob:null/x'", "fetch failed: the blob: URL names no blob"),
        ("'about:config'", "fetch failed: there is no such page"),
        ("'about:blank'", "fetch failed: there is no such page"),
        ("'https://example.com'", "fetch failed: this sandbox was given no network"),
        ("'file:///etc/passwd'", "fetch failed: unknown scheme"),
        ("'x.txt'", "Failed to construct 'Request': Failed to parse URL from x.txt"),
        ("", "Failed to execute 'fetch' on 'Window': 1 argument required, but only 0 present."),
        ("'data:,', {method: 'TRACE'}", "Failed to construct 'Request': 'TRACE' HTTP method is unsupported."),
    ],
)
def test_what_is_not_fetched(box: Sandbox, arguments: str, message: str) -> None:
    assert box.eval(f"fetch({arguments}).then(() => 'fetched', String)") == f"TypeError: {message}"


def test_a_signal_that_is_aborted(box: Sandbox) -> None:
    with pytest.raises(JSError) as caught:
        box.eval("fetch('data:,', {signal: AbortSignal.abort()})")

    assert caught.value.name == "AbortError"


def test_heads_have_no_body(box: Sandbox) -> None:
    assert box.eval("const r = await fetch('data:,abc', {method: 'HEAD'}); [r.body, await r.text()]") == [None, ""]


def test_the_body_of_a_request_is_used(box: Sandbox) -> None:
    code = """
        const request = new Request('https://example.com', {method: 'POST', body: 'x'});
        await fetch(request).catch(() => {});
        request.bodyUsed
    """

    assert box.eval(code)


def test_relative_urls_need_a_location(box: Sandbox) -> None:
    code = "[new Request('x').url, Response.redirect('?y', 307).headers.get('location')]"
    with pytest.raises(JSError, match="Failed to parse URL from x"):
        box.eval(code)

    box.globals["location"] = {"href": "https://example.com/a/b?c"}

    assert box.eval(code) == ["https://example.com/a/x", "https://example.com/a/b?y"]
    box.eval("location = new URL('https://example.org')")
    assert box.eval("new Request('x').url") == "https://example.org/x"
    box.eval("location = {get href() { throw new Error('asked') }}; 0")
    assert box.eval("new Request('https://example.com/x').url") == "https://example.com/x"


@pytest.mark.parametrize(
    ("range_", "answer"),
    [
        ("bytes=1-2", [206, "el", "2", "bytes 1-2/5", "text/x"]),
        ("bytes=3-", [206, "lo", "2", "bytes 3-4/5", "text/x"]),
        ("bytes=-2", [206, "lo", "2", "bytes 3-4/5", "text/x"]),
        ("bytes=-9", [206, "hello", "5", "bytes 0-4/5", "text/x"]),
        ("bytes \t=\t0 - 99", [206, "hello", "5", "bytes 0-4/5", "text/x"]),
        ("bytes=5-", "TypeError: fetch failed: the blob has no such range"),
        ("bytes=2-1", "TypeError: fetch failed: the blob has no such range"),
        ("bytes=-", "TypeError: fetch failed: the blob has no such range"),
        ("bytes=0-1,3-4", "TypeError: fetch failed: the blob has no such range"),
        ("lines=0-1", "TypeError: fetch failed: the blob has no such range"),
        (None, [200, "hello", "5", None, "text/x"]),
    ],
)
def test_parts_of_blobs(box: Sandbox, range_: str | None, answer: object) -> None:
    box.globals["range"] = range_
    code = """
        const url = URL.createObjectURL(new Blob(["hel", "lo"], {type: "text/x"}));
        const read = async r => [r.status, await r.text(),
          ...["content-length", "content-range", "content-type"].map(name => r.headers.get(name))];
        fetch(url, range === null ? {} : {headers: {range}}).then(read, String)
    """
    assert box.eval(code) == answer


_BROKEN = """
    const seen = [];
    for (const prototype of [Array.prototype, Promise.prototype, String.prototype, Uint8Array.prototype.__proto__,
                             ArrayBuffer.prototype, Map.prototype, WeakRef.prototype, FinalizationRegistry.prototype,
                             ReadableStream.prototype, Response.prototype, Headers.prototype, AbortSignal.prototype]) {
      for (const key of Reflect.ownKeys(prototype)) {
        if (key === "constructor") continue;
        const {get, value, configurable} = Object.getOwnPropertyDescriptor(prototype, key);
        if (!configurable || (typeof value !== "function" && !get)) continue;
        if (prototype === Response.prototype && (key === "status" || key === "text")) continue;
        if (prototype === Promise.prototype && key === "then") continue;
        if (prototype === Array.prototype && key === Symbol.iterator) continue;
        const note = () => { seen[seen.length] = String(key); throw new Error("reached " + String(key)) };
        Object.defineProperty(prototype, key, get ? {get: note} : {value: note});
      }
    }
    const planted = ["0", "1", "code", "cause", "source", "stream", "failure", "size", "pull", "value", "get"];
    for (const key of planted) {
      const note = {__proto__: null, get() { seen[seen.length] = key }, set() {}, configurable: true};
      Object.defineProperty(Object.prototype, key, note);
    }
    for (const name of ["Promise", "TypeError", "Error", "Uint8Array", "WeakRef", "FinalizationRegistry", "Response",
                        "Headers", "Request", "ReadableStream", "AbortSignal"]) globalThis[name] = undefined;
"""


def test_the_network_in_a_broken_world() -> None:
    """A response in one piece, one in many, a body that is sent in chunks, and a failure."""

    async def answer(request: Request) -> Response:
        size = len(await request.read())
        if request.url.endswith("/fail"):
            raise ValueError("no")
        return Response(body=[b"x" * 100_000] * 5 if request.url.endswith("/big") else f"got {size}")

    code = """
        const url = "https://a.test/";
        const chunk = new Uint8Array(9);
        const body = new ReadableStream({i: 0, pull(c) { this.i++ < 3 ? c.enqueue(chunk) : c.close() }});
        const requests = [new Request(url), new Request(url, {method: "POST", duplex: "half", body})];
    """
    use = """
        const first = await fetch(requests[0]);
        const texts = {__proto__: null, first: await first.text()};
        texts.second = await (await fetch(requests[1])).text();
        texts.size = (await (await fetch(url + "big")).text()).length;
        try { await fetch(url + "fail") } catch (error) { texts.error = error.message }
        for (const key of planted) delete Object.prototype[key];
        texts.seen = seen.length === 0 ? "nothing" : seen[0];
        texts.first + "; " + texts.second + "; " + texts.size + "; " + texts.error + "; " + texts.seen
    """
    with Sandbox(fetch=answer) as box:
        box.eval(code)
        box.eval(_BROKEN)
        assert box.eval(use) == "got 0; got 27; 500000; fetch failed; nothing"


def _named(algorithm: str, data: bytes = b"tea") -> str:
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


_256, _384, _512 = map(_named, ("sha256", "sha384", "sha512"))
_WRONG_256, _WRONG_512 = _named("sha256", b"coffee"), _named("sha512", b"coffee")


@pytest.mark.parametrize(
    ("metadata", "is_intact"),
    [
        (_256, True),
        (_384, True),
        (_512, True),
        (_WRONG_256, False),
        (f"\t{_256}\n", True),
        (f"{_256}?option", True),
        (_512.rstrip("="), True),
        (_512.replace("+", "-").replace("/", "_"), True),
        (f"{_WRONG_256} {_256}", True),
        (f"{_WRONG_256} {_512}", True),
        (f"{_256} {_WRONG_512}", False),
        (f"{_WRONG_512} {_256} {_384}", False),
        (_256.replace("sha", "SHA"), True),  # its grammar is ABNF, in which case does not matter
        (_WRONG_256.replace("sha", "SHA"), False),
        (f"{_WRONG_256} {_512.replace('sha', 'Sha')}", True),
        ("md5-rL0Y20zC+Fzt72VPzMSk2A==", True),  # of an algorithm that is not known
        ("nonsense", True),
        (" ", True),
        (f"md5-x {_WRONG_256}", False),
        ("sha256", False),
        ("sha256-", False),
        (f"sha256-{_512.partition('-')[2]}", False),
        (f"{_256}x", False),
    ],
)
@pytest.mark.parametrize(
    "url",
    ["data:text/plain,tea", "https://a.test/whole", "https://a.test/stream", "URL.createObjectURL(new Blob(['tea']))"],
)
def test_integrity(metadata: str, is_intact: bool, url: str) -> None:
    def answer(request: Request) -> Response:
        return Response(200, {}, b"tea" if request.url.endswith("whole") else iter([b"te", b"a"]))

    with Sandbox(fetch=answer, globals={"metadata": metadata}) as box:
        asked = url if url.startswith("URL.") else repr(url)
        code = (
            f"fetch({asked}, {{integrity: metadata}}).then(async r => [await r.clone().text(), await r.text()], String)"
        )
        intact = ["tea", "tea"]
        assert box.eval(code) == (
            intact if is_intact else "TypeError: fetch failed: the body is not what integrity says"
        )


def test_a_body_that_breaks_off_has_no_integrity() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"te"
        raise OSError

    with Sandbox(fetch=lambda _: Response(200, {}, chunks()), globals={"metadata": _256}) as box:
        answer = box.eval("fetch('https://a.test/', {integrity: metadata}).then(() => 'fetched', error => error.name)")
        assert answer == "TypeError"


def test_digests_count_as_time_of_the_guest() -> None:
    limits = Limits(cpu_seconds=0.2, wall_seconds=20)
    with Sandbox(limits=limits, globals={"metadata": _512}) as box:
        box.eval("const url = URL.createObjectURL(new Blob([new Uint8Array(4e6)]))")
        with pytest.raises(CpuLimitExceeded):
            box.eval("for (;;) await fetch(url, {integrity: metadata}).catch(() => 0)")
