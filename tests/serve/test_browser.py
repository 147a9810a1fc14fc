"""A page in a real browser talks to a served sandbox: over HTTP/1.1 to `sandbox serve`, over HTTP/2 under hypercorn.

Skipped where no Chromium is installed. `SANDBOX_SCREENSHOTS=DIRECTORY` keeps what the page looked like.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from sandbox import AsyncSandbox
from tests.cli.serving import serving
from tests.serve import browser
from tests.servers import running

_PROGRAM = Path(__file__).with_name("page.js")
_CHROMIUM = browser.find()
pytestmark = [
    pytest.mark.skipif(_CHROMIUM is None, reason="no Chromium is installed"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals work differently there"),
]


@pytest.fixture(scope="module", params=["http1", "http2"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Page]:
    """The page, shown by a browser of its own."""
    assert _CHROMIUM is not None
    profile = tmp_path_factory.mktemp("profile")
    if request.param == "http1":
        with serving(str(_PROGRAM)) as served:
            with browser.opened(_CHROMIUM, profile, served.url) as shown:
                yield shown
            status, out, errors = served.end(signal.SIGINT)
        assert (status, out, errors) == (0, "", f"Serving {_PROGRAM} at {served.url}\n")
        return
    certificate = tmp_path_factory.mktemp("certificate") / "server.pem"
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    failures: list[BaseException] = []
    app = AsyncSandbox().asgi(_PROGRAM.read_text("utf-8"), filename="page.js", on_error=failures.append)
    with (
        running("hypercorn-trio", app, certificate) as port,
        browser.opened(_CHROMIUM, profile, f"https://localhost:{port}/") as shown,
    ):
        yield shown
    assert failures == []


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("'text'", "hello, ?a=/ü"),
        ("'upload', 10", True),
        ("'upload', 3000000", True),
        ("'form'", {"name": "Ada", "file": ["täble.csv", "text/csv", 8, "a,b\n1,2\n"]}),
        (
            "'cookies'",
            {
                "seen": {"cookie": "session=secret; theme=dark", "asked": "yes"},
                "readable": "theme=dark",
                "answered": "yes",
            },
        ),
        ("'abort'", "AbortError"),
        ("'abortBefore'", "TimeoutError"),
        ("'picture'", [[0, 0, 128, 255], [252, 0, 128, 255], [0, 252, 128, 255], [80, 160, 128, 255]]),
    ],
    ids=lambda value: value.split("'")[1] if isinstance(value, str) and "'" in value else "",
)
def test_what_a_page_asks(page: browser.Page, asked: str, answer: Any) -> None:
    assert page.evaluate(f"ask({asked})") == answer
    assert page.errors == []


@pytest.mark.parametrize("closes", ["program", "page"])
def test_a_socket(page: browser.Page, closes: str) -> None:
    if closes == "program" and page.evaluate("location.protocol") == "https:":
        pytest.skip("hypercorn ends the stream with its close frame, and Chromium may not answer in time")
    assert page.evaluate(f"ask('socket', '{closes}')") == {
        "said": ["grüß dich", [1, 2, 255], 200000],
        "protocol": "chat",
        "code": 4000,
        "reason": "as asked",
        "wasClean": True,
    }
    assert page.errors == []


def test_a_response_that_streams(page: browser.Page) -> None:
    answer = page.evaluate("ask('stream')")
    assert answer["all"] == "tick 1 tick 2 tick 3 tick 4 tick 5 "
    assert answer["several"]
    assert answer["first"] < 5  # the page has read while the program went on


def test_statuses(page: browser.Page) -> None:
    status, reason, text = page.evaluate("ask('missing')")
    assert (status, text) == (404, "there is no such page")
    assert reason in ("Not Found", "")  # HTTP/2 has none


def test_a_body_that_streams(page: browser.Page) -> None:
    if page.evaluate("location.protocol") == "http:":
        pytest.skip("browsers stream bodies over HTTP/2 only")
    assert page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
    assert page.evaluate("ask('uploadStream')") == "part 4;part 3;part 2;part 1;part 0;"


def test_what_it_looks_like(page: browser.Page) -> None:
    picture = page.screenshot()
    assert picture.startswith(b"\x89PNG")
    assert page.evaluate("[document.title, document.querySelector('h1').offsetHeight > 0]") == ["A sandbox", True]
    if directory := os.environ.get("SANDBOX_SCREENSHOTS"):
        name = page.evaluate("location.protocol").rstrip(":")
        (Path(directory) / f"{name}.png").write_bytes(picture)
