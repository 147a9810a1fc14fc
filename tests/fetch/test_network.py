"""The network adapter: which addresses it connects to, what it makes of servers that misbehave, what it keeps."""

from __future__ import annotations

import gc
import gzip
import json
import socket
import ssl
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest

from sandbox import Fetch, Limits, Sandbox
from tests.fetch.servers import Scripted, scripted, until

Run = Callable[..., Any]
# Without the time: what is compressed stands in the names of tests.
gzipped = partial(gzip.compress, mtime=0)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CODE = "fetch(base).then(async r => [r.status, await r.text()], e => [e.message, e.cause.code])"


def local(*patterns: str, **options: Any) -> Fetch:
    """A grant of servers on this machine."""
    return Fetch(patterns or ["127.0.0.1:*"], **{"private": ["127.0.0.0/8"], **options})


def once(run: Run, server: Scripted, code: str = CODE, **options: Any) -> Any:
    return run(code, fetch=local(**options), globals={"base": f"http://127.0.0.1:{server.port}/"})


# --- addresses ---


class Names:
    """Stands for the name service: what each name resolves to, one answer after the other."""

    def __init__(self, answers: dict[str, list[list[str]]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def getaddrinfo(self, host: str, port: int, **_options: Any) -> list[Any]:
        if host not in self.answers:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        self.asked.append(host)
        all_answers = self.answers[host]
        answer = all_answers.pop(0) if len(all_answers) > 1 else all_answers[0]
        if not answer:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    found = Names({})
    monkeypatch.setattr("sandbox.fetch.network.anyio.getaddrinfo", found.getaddrinfo)
    return found


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.2", "0.0.0.0", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]",
     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "169.254.169.254", "[fd00:ec2::254]",
     "10.0.0.1", "localhost"],
)  # fmt: skip
def test_private_addresses_are_refused(host: str) -> None:
    with scripted(OK) as server, Sandbox(fetch=Fetch(["*:*"])) as box:
        text = box.eval(f"fetch('http://{host}:{server.port}/').catch(e => e.cause.code)")

        assert (text, server.connections) == ("address", 0)


def test_a_name_that_resolves_to_a_private_address(run: Run, names: Names) -> None:
    """It looks like a name that there is not: the guest does not learn which names the host's network has."""
    names.answers = {"internal.test": [["10.0.0.1"]], "missing.test": [[]], "mixed.test": [["127.0.0.1", "::1"]]}
    code = "['internal', 'missing', 'mixed'].map(n => fetch(`http://${n}.test/`).catch(e => [e.message, e.cause.code]))"
    answers = run(f"await Promise.all({code})", fetch=Fetch(["*"]))
    text = "fetch failed: the host name has no address that may be connected to"

    assert answers == [[text, "address"]] * 3


def test_a_name_is_looked_up_once(run: Run, names: Names) -> None:
    """What was checked is what is connected to, whatever the name's server says the next time."""
    with scripted(OK) as server:
        names.answers = {"rebind.test": [["127.0.0.1"], ["169.254.169.254"]]}
        base = f"http://rebind.test:{server.port}/"
        answer = run("(await fetch(base)).status", fetch=local("rebind.test:*"), globals={"base": base})

        assert (answer, names.asked) == (200, ["rebind.test"])
        assert b"Host: rebind.test" in server.heads[0]


def test_only_the_addresses_that_may_be_are_tried(run: Run, names: Names) -> None:
    with scripted(OK) as server:
        names.answers = {"mixed.test": [["10.0.0.1", "127.0.0.1"]]}
        base = f"http://mixed.test:{server.port}/"
        assert run("(await fetch(base)).status", fetch=local("mixed.test:*"), globals={"base": base}) == 200


def test_every_hop_is_checked(run: Run, names: Names) -> None:
    names.answers = {"internal.test": [["10.0.0.1"]]}
    targets = [
        "http://169.254.169.254/latest",
        "http://0.0.0.0/",
        "http://internal.test/",
        "http://[::1]/",
        "//2852039166/",
    ]
    for target in targets:
        redirect = f"HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n".encode()
        with scripted(redirect) as server:
            answer = once(run, server)
            assert answer == ["fetch failed: the grant does not allow where the redirect leads", "denied"]
            base = f"http://127.0.0.1:{server.port}/"
            answer = run(CODE, fetch=Fetch(["*:*"], private=["127.0.0.0/8"]), globals={"base": base})
            assert answer[1] == "address"


def test_credentials_stay_where_they_belong(run: Run) -> None:
    with scripted(OK) as other:
        away = f"HTTP/1.1 307 Away\r\nlocation: http://127.0.0.1:{other.port}/\r\ncontent-length: 0\r\n\r\n".encode()
        with scripted(away) as server:
            base = f"http://127.0.0.1:{server.port}/"
            init = "{headers: {Authorization: 'guest', 'X-A': '1'}}"
            code = f"fetch(base, {init}).then(r => [r.status, r.url, [...r.headers]])"
            told = run(code, fetch=local(headers={base: {"X-Key": "secret"}}), globals={"base": base})

            assert (b"Authorization: guest" in server.heads[0], b"X-Key: secret" in server.heads[0]) == (True, True)
            assert b"uthorization" not in other.heads[0]
            assert b"ecret" not in other.heads[0]
            assert b"X-A: 1" in other.heads[0]
            assert "secret" not in str(told)


# --- servers that misbehave ---


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "closed or protocol"),
        (b"nonsense\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", "protocol"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 200_000, "protocol"),
    ],
)
def test_answers_that_are_none(run: Run, answer: bytes, code: str) -> None:
    with scripted(answer, close=True) as server:
        assert once(run, server)[1] in code


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", "protocol"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc", "protocol"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc", "protocol"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc", "encoding"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 9\r\n\r\n" + gzipped(b"x")[:9],
            "encoding",
        ),
    ],
)
def test_bodies_that_are_cut_or_malformed(run: Run, answer: bytes, code: str) -> None:
    with scripted(answer, close=True) as server:
        read = "const r = await fetch(base); [r.status, await r.text().catch(e => e.cause.code)]"
        assert once(run, server, read) == [200, code]


def test_nobody_listens(run: Run) -> None:
    with scripted(OK) as server:
        port = server.port
    answer = run(CODE, fetch=local(), globals={"base": f"http://127.0.0.1:{port}/"})
    assert answer == ["fetch failed: the connection could not be made", "connect"]


def test_a_server_that_says_nothing(run: Run) -> None:
    with scripted(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab") as server:
        read = "const r = await fetch(base); [r.status, await r.text().catch(e => e.cause.code)]"
        assert once(run, server, read, timeout=0.2) == [200, "timeout"]


# --- decompression ---


def encoded(coding: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("coding", "body", "text"),
    [
        ("gzip", gzipped(b"hello"), "hello"),
        ("x-gzip", gzipped(b"hello"), "hello"),
        ("GZip", gzipped(b"hel") + gzipped(b"lo"), "hello"),
        ("gzip", gzipped(b"hello") + b"rest", "hello"),
        ("deflate", zlib.compress(b"hello"), "hello"),
        ("deflate", raw_deflate(b"hello"), "hello"),
        ("deflate, gzip", gzipped(zlib.compress(b"hello")), "hello"),
        ("identity", b"hello", "hello"),
        ("unknown", b"hello", "hello"),
        ("gzip", b"", ""),
    ],
)
def test_codings(run: Run, coding: str, body: bytes, text: str) -> None:
    with scripted(encoded(coding, body)) as server:
        code = "const r = await fetch(base); [await r.text(), r.headers.get('content-encoding')]"
        assert once(run, server, code) == [text, coding]


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip"])
def test_a_bomb(coding: str) -> None:
    """A hundred megabytes in a hundred kilobytes: what is given to the program, and held for it, stays small."""
    body = gzipped(bytes(100 << 20))
    for _ in range(coding.count(",")):
        body = gzipped(body)
    with scripted(encoded(coding, body)) as server:
        base = {"base": f"http://127.0.0.1:{server.port}/"}
        read = "let n = 0; for await (const c of (await fetch(base)).body) n += c.length"
        read = f"try {{ {read} }} catch (e) {{ [n, e.cause.code] }}".replace("let n = 0;", "var n = 0;")
        with Sandbox(fetch=local(max_response_bytes=1 << 20), globals=base) as box:
            count, code = box.eval(read)
        assert (code, count <= 1 << 20) == ("too-large", True)


def test_too_many_codings(run: Run) -> None:
    with scripted(encoded(", ".join(["gzip"] * 5), b"x")) as server:
        assert once(run, server, "const r = await fetch(base); await r.text().catch(e => e.cause.code)") == "encoding"


def test_a_part_is_not_encoded(run: Run) -> None:
    with scripted(OK) as server:
        once(run, server, "await fetch(base, {headers: {Range: 'bytes=0-1'}}); await fetch(base); 0")
        assert b"Accept-Encoding: identity" in server.heads[0]
        assert b"Accept-Encoding: gzip, deflate" in server.heads[1]


# --- connections ---


def test_connections_are_used_again(run: Run) -> None:
    with scripted(OK) as server:
        once(run, server, "for (let i = 0; i < 20; i++) await (await fetch(base)).text()")
        assert (len(server.heads), server.connections) == (20, 1)


def test_connections_are_used_again_after_a_redirect(run: Run) -> None:
    redirect = b"HTTP/1.1 302 Found\r\nlocation: /there\r\ncontent-length: 4\r\n\r\ngone"
    with scripted(lambda head: OK if b"/there" in head else redirect) as server:
        assert once(run, server, "(await fetch(base)).redirected") is True
        assert (len(server.heads), server.connections) == (2, 1)


def test_there_are_no_more_connections_than_granted(run: Run) -> None:
    with scripted(OK) as server:
        code = "(await Promise.all(Array.from({length: 30}, () => fetch(base).then(r => r.text())))).length"
        assert once(run, server, code, connections=3) == 30
        assert server.connections <= 3


def test_connections_end_with_the_sandbox(run: Run) -> None:
    with scripted(OK) as server:
        once(run, server)
        assert until(lambda: server.ended == 1)


def test_a_sandbox_that_nobody_closes() -> None:
    with scripted(OK) as server:
        box = Sandbox(fetch=local(), globals={"base": f"http://127.0.0.1:{server.port}/"})
        box.eval(CODE)
        del box
        gc.collect()
        assert until(lambda: server.ended == 1)


ENDLESS = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n"


@pytest.mark.parametrize(
    "program",
    [
        "const r = await fetch(base); await r.body.cancel(); 0",
        "{ const c = new AbortController(); globalThis.r = await fetch(base, {signal: c.signal}); c.abort() } 0",
        "{ await fetch(base) } for (let i = 0; i < 4e5; i++) { const o = {}; o.self = o } 0",
        "globalThis.r = await fetch(base); 0",  # not read within the timeout
    ],
)
def test_a_body_that_nobody_reads_holds_no_connection(program: str) -> None:
    with scripted(ENDLESS, endless=bytes(10_000)) as server:
        grant = local(timeout=0.5, max_response_bytes=None)
        with Sandbox(fetch=grant, globals={"base": f"http://127.0.0.1:{server.port}/"}) as box:
            box.eval(program)
            box.eval("1")
            assert until(lambda: server.ended == 1)
            if "globalThis.r = await fetch(base); 0" in program:
                assert box.eval("r.text().catch(e => e.cause.code)") == "timeout"


def test_aborts_reach_the_server_at_once(run: Run) -> None:
    with scripted(b"") as server:
        code = "fetch(base, {signal: AbortSignal.timeout(50)}).catch(e => e.name)"
        assert once(run, server, code) == "TimeoutError"
        assert until(lambda: server.ended == 1)


def test_a_run_that_is_ended_ends_its_requests() -> None:
    with scripted(b"") as server:
        limits = Limits(wall_seconds=0.3)
        with Sandbox(fetch=local(), globals={"base": f"http://127.0.0.1:{server.port}/"}, limits=limits) as box:
            with pytest.raises(TimeoutError):
                box.eval("await fetch(base); 0")
            assert until(lambda: server.ended == 1)
            assert box.eval("1 + 1") == 2


# --- TLS and HTTP/2 ---


def test_who_is_not_trusted(run: Run, secure_server: int) -> None:
    answer = run(
        CODE, fetch=local(f"localhost:{secure_server}"), globals={"base": f"https://localhost:{secure_server}/"}
    )
    assert answer == ["fetch failed: the secure connection could not be made", "tls"]


def test_whose_name_is_another(run: Run, secure_server: int, trusting: ssl.SSLContext) -> None:
    """The certificate is for localhost: the name is checked, not the address that was connected to."""
    grant = local("127.0.0.1:*", ssl_context=trusting)
    assert run(CODE, fetch=grant, globals={"base": f"https://127.0.0.1:{secure_server}/"})[1] == "tls"


def test_http2_is_one_connection(run: Run, secure_server: int, trusting: ssl.SSLContext) -> None:
    grant = local(f"https://localhost:{secure_server}", ssl_context=trusting, connections=1)
    code = """
        const all = await Promise.all(Array.from({length: 40}, (_, i) => fetch(base + i).then(r => r.json())));
        all.map(seen => seen.target)
    """
    targets = run(code, fetch=grant, globals={"base": f"https://localhost:{secure_server}/"})
    assert targets == [f"/{i}" for i in range(40)]


# --- what the guest cannot learn ---


def test_failures_tell_nothing_of_the_host(run: Run, names: Names) -> None:
    names.answers = {"internal.test": [["10.11.12.13"]]}
    code = """
        const seen = [];
        for (const url of ["http://internal.test/", "http://127.0.0.1:1/", "http://localhost:1/"]) {
          await fetch(url).catch(e => seen.push(e.message, e.stack, JSON.stringify(e.cause), e.cause.message));
        }
        seen.join()
    """
    text = run(code, fetch=Fetch(["*", "*:1"], private=["127.0.0.0/8"]))
    assert "10.11" not in text
    assert ".py" not in text
    assert "Errno" not in text


def test_the_environment_names_no_proxy(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    with scripted(OK) as server:
        assert once(run, server) == [200, "ok"]


def test_both_loops_in_one_process(plain_server: int) -> None:
    """Sandboxes share nothing: not even what is made for TLS belongs to a loop."""
    from sandbox import AsyncSandbox

    base = f"http://127.0.0.1:{plain_server}"

    async def main() -> Any:
        async with AsyncSandbox(fetch=local(), globals={"base": base}) as box:
            return json.loads(await box.eval("await (await fetch(base + '/x')).text()"))["target"]

    with Sandbox(fetch=local(), globals={"base": base}) as box:
        assert box.eval("(await fetch(base)).status") == 201
        assert [anyio.run(main, backend=backend) for backend in ("trio", "asyncio")] == ["/x", "/x"]
        assert box.eval("(await fetch(base)).status") == 201
