"""`sandbox serve`: a real process, asked over loopback."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from tests.cli.command import program, run
from tests.cli.serving import serving

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals work differently there")

APP = """
let n = 0;
export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/throw") throw new TypeError("as asked");
    if (pathname === "/spin") { n = 1000; for (;;); }
    console.log("asked", ++n);
    return new Response(`${request.method} ${pathname} ${n}`);
  },
};
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    file = program(tmp_path, APP)
    with serving(file) as served:
        assert served.errors[0] == f"Serving {file} at {served.url}\n"
        assert served.ask("/a") == (200, "GET /a 1")
        assert served.ask("/throw") == (500, "Internal Server Error")
        assert served.ask("/b") == (200, "GET /b 2")
        status, out, err = served.end(number)
    assert (status, out) == (0, "asked 1\nasked 2\n")
    assert "Uncaught TypeError: as asked" in err
    assert "> 6 |     if (pathname ===" in err


def test_standard_input_may_be_typescript(tmp_path: Path) -> None:
    code = "const greeting: string = 'hi'; export default { fetch: (request: Request) => new Response(greeting) };"
    file = tmp_path / "stdin"
    file.write_text(code, "utf-8")
    with file.open() as stdin, serving("-", "--language", "ts", stdin=stdin) as served:
        assert served.errors[0].startswith("Serving <stdin> at ")
        assert served.ask("/") == (200, "hi")
        assert served.end(signal.SIGTERM)[0] == 0


def test_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(program(tmp_path, APP), "--json", "--cpu", "200ms") as served:
        assert served.ask("/a") == (200, "GET /a 1")
        assert served.ask("/throw")[0] == 500
        assert served.ask("/spin")[0] == 500
        status, out, err = served.end(signal.SIGTERM)
    assert (status, err) == (0, "")
    asked, thrown, spun = map(json.loads, out.splitlines())
    assert (asked["event"], asked["text"], asked["level"]) == ("console", "asked 1", "log")
    assert (thrown["event"], thrown["error"]["message"], thrown["error"]["frames"][0]["line"]) == (
        "error",
        "as asked",
        6,
    )
    assert (spun["error"]["type"], spun["error"]["limit"]) == ("CpuLimitExceeded", 0.2)
    status, out, err = run(capsys, "serve", program(tmp_path, "1"), "--port", "0", "--json")
    assert (status, json.loads(out)["error"]["type"], err) == (1, "NotServing", "")


@pytest.mark.parametrize(("flag", "then"), [("keep", "GET / 1001"), ("rollback", "GET / 1")])
def test_limits_hold_for_each_request(tmp_path: Path, flag: str, then: str) -> None:
    with serving(program(tmp_path, APP), "--cpu", "200ms", "--on-limit", flag) as served:
        assert served.ask("/spin") == (500, "Internal Server Error")
        assert served.ask("/") == (200, then)
        status, _, err = served.end(signal.SIGINT)
    assert status == 0
    assert "CpuLimitExceeded: The CPU time limit of 0.2 s was reached" in err


@pytest.mark.parametrize(
    ("code", "flags", "status", "text"),
    [
        ("1", [], 1, "NotServing: the program answers no requests"),
        ("serve(", [], 1, "SyntaxError"),
        ("for (;;);", ["--cpu", "100ms"], 3, "CpuLimitExceeded"),
        (APP, ["--on-limit", "never"], 2, "on_limit must be"),
        (APP, ["--allow-net", "a b"], 2, "--allow-net"),
        (APP, ["--host", "256.0.0.1"], 2, "256.0.0.1"),
        (APP, ["--port", "65536"], 2, "--port"),
    ],
)
def test_what_does_not_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, flags: list[str], status: int, text: str
) -> None:
    got, out, err = run(
        capsys, "serve", program(tmp_path, code), *([] if "--port" in flags else ["--port", "0"]), *flags
    )
    assert (got, out) == (status, "")
    assert text in err


def test_a_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = program(tmp_path, APP)
    with serving(file) as served:
        port = served.url.rstrip("/").rpartition(":")[2]
        status, _, err = run(capsys, "serve", file, "--port", port)
        assert (status, "in use" in err) == (2, True)
        served.end(signal.SIGINT)


def test_without_a_server(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.cli.commands.serve.has_server", lambda: False)
    status, _, err = run(capsys, "serve", program(tmp_path, APP))
    assert (status, "quickjs-sandbox[serve]" in err) == (2, True)
