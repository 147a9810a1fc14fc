"""What every adapter does the same: the network over HTTP/1.1 and HTTP/2, and a function of the embedder."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sandbox import Fetch, Limits
from tests.fetch.app import answer

Run = Callable[..., Any]


@dataclass(frozen=True)
class Net:
    """An adapter, and where it finds the application.

    Attributes:
        base: The origin.
        options: What a grant for it needs.
        version: Of HTTP; empty: none is spoken.
    """

    base: str
    options: dict[str, Any]
    version: str

    def grant(self, **more: Any) -> Fetch:
        """A grant for this origin."""
        return Fetch([self.base], **{**self.options, **more})


@pytest.fixture(params=["function", "http1", "http2"])
def net(request: pytest.FixtureRequest) -> Net:
    if request.param == "function":
        return Net("http://app.test:8000", {"transport": answer}, "")
    if request.param == "http1":
        port = request.getfixturevalue("plain_server")
        return Net(f"http://127.0.0.1:{port}", {"private": True}, "1.1")
    port = request.getfixturevalue("secure_server")
    context = request.getfixturevalue("trusting")
    return Net(f"https://localhost:{port}", {"private": ["127.0.0.0/8"], "ssl_context": context}, "2")


@pytest.fixture
def fetched(run: Run, net: Net) -> Run:
    """Run code with `base` and this adapter."""

    def evaluate(code: str, **grant: Any) -> Any:
        return run(code, fetch=net.grant(**grant), globals={"base": net.base}, limits=Limits(wall_seconds=20))

    return evaluate


def test_a_response(fetched: Run, net: Net) -> None:
    code = """
        const r = await fetch(base + "/a%20b?c=%2F|#fragment");
        const headers = [r.headers.get("X-Two"), r.headers.get("content-type")];
        [r.status, r.ok, r.type, r.url, r.redirected, ...headers, await r.json()]
    """
    *told, seen = fetched(code)

    assert told == [201, True, "basic", f"{net.base}/a%20b?c=%2F|", False, "1, 2", "application/json"]
    assert (seen["method"], seen["target"], seen["size"]) == ("GET", "/a%20b?c=%2F|", 0)


def test_what_is_sent(fetched: Run) -> None:
    code = """
        const headers = {"X-A": "1", "Content-Type": "text/x", "User-Agent": "me", "Content-Length": "9", Host: "evil",
                         Connection: "close", "Transfer-Encoding": "chunked", Cookie: "a=b", "Proxy-X": "1"};
        await (await fetch(base, {method: "PUT", body: "hällo", headers})).json()
    """
    seen = fetched(code)
    headers = dict(seen["headers"])

    assert (seen["method"], seen["target"], seen["body"]) == ("PUT", "/", "h\xc3\xa4llo")
    assert (headers["x-a"], headers["content-type"], headers["user-agent"]) == ("1", "text/x", "me")
    assert (headers["accept"], headers["accept-language"]) == ("*/*", "*")
    assert headers.get("host", "") != "evil"
    assert {"cookie", "proxy-x", "connection"}.isdisjoint(headers)
    assert headers.get("content-length", "6") == "6"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "DELETE", "QUERY"])
def test_methods(fetched: Run, method: str) -> None:
    seen = fetched(f"const r = await fetch(base, {{method: '{method}'}}); [r.status, await r.text()]")

    assert seen[0] == 201
    assert seen[1] == "" if method == "HEAD" else json.loads(seen[1])["method"] == method


@pytest.mark.parametrize("status", [200, 204, 205, 304, 404, 500])
def test_statuses(fetched: Run, status: int) -> None:
    code = f"const r = await fetch(base + '/status/{status}'); [r.status, r.ok, r.body === null, await r.text()]"
    is_null = status in (204, 205, 304)

    assert fetched(code) == [status, 200 <= status < 300, is_null, "" if is_null else "body"]


def test_each_cookie_is_one_header(fetched: Run) -> None:
    cookies = fetched("(await fetch(base + '/cookies')).headers.getSetCookie()")

    assert cookies == ["a=1; Path=/", "b=1; Path=/", "c=1; Path=/"]


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ("new Uint8Array(300000)", 300_000),
        ("new Blob(['ab', new Uint8Array(10)])", 12),
        ("new URLSearchParams({a: '1'})", 3),
        ("new Uint8Array(5e6)", 5_000_000),
        ("new ReadableStream({start(c) { c.enqueue(new Uint8Array(3)); c.close() }})", 3),
        (
            "new ReadableStream({i: 0, pull(c) { this.i++ < 30 ? c.enqueue(new Uint8Array(1e5)) : c.close() }})",
            3_000_000,
        ),
        ("new ReadableStream({start(c) { c.enqueue(new Uint8Array(0)); c.close() }})", 0),
        ("(await fetch(base + '/big?size=400000')).body", 400_000),
    ],
)
def test_bodies(fetched: Run, body: str, size: int) -> None:
    assert fetched(f"(await (await fetch(base, {{method: 'POST', duplex: 'half', body: {body}}})).json()).size") == size


def test_a_body_that_fails(fetched: Run) -> None:
    code = """
        const body = new ReadableStream({pull(c) { c.error(new RangeError("mine")) }});
        fetch(base, {method: "POST", duplex: "half", body}).catch(e => [String(e), String(e.cause)])
    """
    assert fetched(code) == ["TypeError: fetch failed: the body of the request failed", "RangeError: mine"]


def test_chunks_that_are_no_bytes(fetched: Run) -> None:
    code = """
        const body = new ReadableStream({pull(c) { c.enqueue("text") }});
        fetch(base, {method: "POST", duplex: "half", body}).catch(e => [e.name, String(e.cause)])
    """
    assert fetched(code) == ["TypeError", "TypeError: Received non-Uint8Array chunk"]


@pytest.mark.parametrize("size", [0, 1, 65_536, 131_072, 131_073, 1_000_000])
def test_sizes_of_responses(fetched: Run, size: int) -> None:
    assert fetched(f"(await (await fetch(base + '/big?size={size}')).bytes()).length") == size


def test_readers_of_a_response(fetched: Run) -> None:
    code = """
        const r = await fetch(base + "/big?size=500000");
        const reader = r.body.getReader({mode: "byob"});
        let total = 0;
        for (;;) {
          const {done, value} = await reader.read(new Uint8Array(70001));
          if (done) break;
          total += value.length;
        }
        [total, r.bodyUsed, r.clone === undefined]
    """
    assert fetched(code) == [500_000, True, False]


def test_clones(fetched: Run) -> None:
    code = """
        const r = await fetch(base + "/big?size=300000");
        const copy = r.clone();
        (await Promise.all([r.bytes(), copy.bytes()])).map(bytes => bytes.length)
    """
    assert fetched(code) == [300_000, 300_000]


@pytest.mark.parametrize(
    ("status", "method", "sent", "kept"),
    [
        (301, "POST", "GET", 0),
        (302, "POST", "GET", 0),
        (303, "PUT", "GET", 0),
        (307, "POST", "POST", 4),
        (308, "PUT", "PUT", 4),
        (301, "PUT", "PUT", 4),
        (302, "DELETE", "DELETE", 4),
    ],
)
def test_redirects(fetched: Run, net: Net, status: int, method: str, sent: str, kept: int) -> None:
    code = f"""
        const init = {{method: "{method}", body: "body", headers: {{"Content-Language": "en", Authorization: "mine"}}}};
        const r = await fetch(base + "/redirect?status={status}&to=/there%3Fx", init);
        [r.status, r.redirected, r.url, await r.json()]
    """
    *told, seen = fetched(code)
    names = dict(seen["headers"])

    assert told == [201, True, f"{net.base}/there?x"]
    assert (seen["method"], seen["size"], "content-language" in names) == (sent, kept, bool(kept))
    assert names["authorization"] == "mine"


def test_a_head_stays_one(fetched: Run) -> None:
    code = "const r = await fetch(base + '/redirect?status=303&to=/x', {method: 'HEAD'}); [r.status, await r.text()]"
    assert fetched(code) == [201, ""]


def test_redirect_modes(fetched: Run, net: Net) -> None:
    code = """
        const r = await fetch(base + "/redirect?to=/x", {redirect: "manual"});
        const error = await fetch(base + "/redirect?to=/x", {redirect: "error"}).catch(e => [e.name, e.cause.code]);
        const without = await fetch(base + "/redirect");
        [r.type, r.status, r.statusText, [...r.headers], r.body, r.url, r.redirected, error, without.status]
    """
    url = f"{net.base}/redirect?to=/x"
    assert fetched(code) == ["opaqueredirect", 0, "", [], None, url, False, ["TypeError", "redirect"], 302]


@pytest.mark.parametrize(
    "to", ["data:,x", "file:///etc/passwd", "ftp://x/", "http://", "http://u:p@x/", "javascript:0"]
)
def test_where_no_redirect_leads(fetched: Run, to: str) -> None:
    code = f"fetch(base + '/redirect?to=' + encodeURIComponent({to!r})).catch(e => [e.name, e.cause.code])"
    assert fetched(code) == ["TypeError", "redirect"]


def test_too_many_redirects(fetched: Run) -> None:
    code = "const ask = n => '/redirect?to=' + encodeURIComponent(n ? ask(n - 1) : '/x');"
    code += "[await fetch(base + ask(1)).then(r => r.status), await fetch(base + ask(2)).catch(e => e.cause.code)]"
    assert fetched(code, redirects=2) == [201, "redirect"]


def test_a_stream_is_sent_once(fetched: Run) -> None:
    code = """
        const body = () => new ReadableStream({start(c) { c.enqueue(new Uint8Array(3)); c.close() }});
        const init = () => ({method: "POST", duplex: "half", body: body()});
        const ask = status => fetch(base + `/redirect?to=/x&status=${status}`, init());
        [await ask(303).then(r => r.status), await ask(307).catch(e => e.cause.code)]
    """
    assert fetched(code) == [201, "redirect"]


def test_an_abort_before_the_response(fetched: Run) -> None:
    code = """
        const controller = new AbortController();
        setTimeout(() => controller.abort(), 50);
        fetch(base + "/slow", {signal: controller.signal}).catch(e => [e.name, e instanceof DOMException])
    """
    assert fetched(code) == ["AbortError", True]


def test_an_abort_of_a_body_that_is_here(fetched: Run) -> None:
    code = """
        const {signal, abort} = ((c) => ({signal: c.signal, abort: () => c.abort()}))(new AbortController());
        const [read, unread, streamed] = await Promise.all([1, 2, 3].map(() => fetch(base, {signal})));
        const before = (await read.text()).length > 0;
        streamed.body;
        abort();
        [before, read.bodyUsed, await unread.text().catch(e => e.name), await streamed.text().catch(e => e.name)]
    """
    assert fetched(code) == [True, True, "AbortError", "AbortError"]


def test_an_abort_in_the_body(fetched: Run) -> None:
    code = """
        const controller = new AbortController();
        const r = await fetch(base + "/big?size=9000000", {signal: controller.signal});
        const reader = r.body.getReader();
        await reader.read();
        controller.abort(new RangeError("mine"));
        [await reader.read().catch(String), (await fetch(base)).status]
    """
    assert fetched(code) == ["RangeError: mine", 201]


def test_an_abort_of_a_body_that_is_sent(fetched: Run) -> None:
    code = """
        const controller = new AbortController();
        let cancelled;
        const body = new ReadableStream({
          i: 0,
          pull(c) { c.enqueue(new Uint8Array(10)); if (++this.i === 5) controller.abort() },
          cancel(reason) { cancelled = reason.name },
        });
        const { signal } = controller;
        const name = await fetch(base, {method: "POST", duplex: "half", body, signal}).catch(e => e.name);
        [name, cancelled]
    """
    assert fetched(code) == ["AbortError", "AbortError"]


def test_a_body_that_is_cancelled(fetched: Run) -> None:
    code = """
        const r = await fetch(base + "/big?size=9000000");
        await r.body.cancel();
        [r.bodyUsed, (await fetch(base)).status]
    """
    assert fetched(code) == [True, 201]


def test_a_body_that_breaks(fetched: Run) -> None:
    code = """
        const r = await fetch(base + "/broken");
        const reader = r.body.getReader();
        const first = new TextDecoder().decode((await reader.read()).value);
        [first, await reader.read().catch(e => e.name)]
    """
    assert fetched(code) == ["begun", "TypeError"]


def test_sizes_have_limits(fetched: Run) -> None:
    code = """
        const out = [];
        const code = e => e.cause.code;
        for (const size of [1000, 1001]) {
          out.push(await fetch(base + "/big?size=" + size).then(r => r.text()).then(t => t.length, code));
        }
        for (const size of [500, 501]) {
          out.push(await fetch(base, {method: "POST", body: "x".repeat(size)}).then(r => r.status, code));
        }
        const body = new ReadableStream({pull(c) { c.enqueue(new Uint8Array(100)) }});
        out.push(await fetch(base, {method: "POST", duplex: "half", body}).catch(code));
        out
    """
    expected = [1000, "too-large", 201, "too-large", "too-large"]
    assert fetched(code, max_response_bytes=1000, max_request_bytes=500) == expected


def test_methods_that_are_not_granted(fetched: Run) -> None:
    code = "[(await fetch(base)).status, await fetch(base, {method: 'POST'}).catch(e => [e.message, e.cause.code])]"
    denied = ["fetch failed: the grant does not allow the method POST", "denied"]
    assert fetched(code, methods=["GET"]) == [201, denied]


def test_secrets(fetched: Run, net: Net) -> None:
    code = """
        const given = await (await fetch(base, {headers: {authorization: "guest", "x-b": "2"}})).json();
        const r = await fetch(base + "/redirect?to=/y");
        [given.headers, (await r.json()).headers, r.url, JSON.stringify([...r.headers])]
    """
    given, followed, url, headers = fetched(
        code, headers={net.base: {"Authorization": "Bearer secret", "Host": "evil"}}
    )

    assert [pair for pair in given if pair[0] == "authorization"] == [["authorization", "Bearer secret"]]
    assert ["x-b", "2"] in given
    assert ["authorization", "Bearer secret"] in followed
    assert "evil" not in str(given)
    assert "secret" not in url + headers


def test_slow_answers(fetched: Run) -> None:
    assert fetched("fetch(base + '/slow').catch(e => [e.name, e.cause.code])", timeout=0.2) == ["TypeError", "timeout"]


def test_many_at_once(fetched: Run) -> None:
    code = """
        const all = Array.from({length: 60}, (_, i) => fetch(base + "/" + i).then(r => r.json()));
        (await Promise.all(all)).every((seen, i) => seen.target === "/" + i)
    """
    assert fetched(code)
