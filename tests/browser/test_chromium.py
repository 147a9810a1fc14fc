"""Programs in a real browser, against pages of a server on loopback. Skipped where no Chromium is installed."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Browser, JSError, MemoryFiles, Sandbox
from tests.serve import browser as installed

if TYPE_CHECKING:
    from sandbox.network.urls import WebURL

pytest.importorskip("playwright")
_CHROMIUM = installed.find()
pytestmark = pytest.mark.skipif(_CHROMIUM is None, reason="no Chromium is installed")

_SHOP = """<!doctype html><title>Shop</title><body>
<label>Name <input id=name value=Ada></label> <input type=checkbox id=box checked> <input type=file id=file>
<button disabled id=off>Off</button> <button id=greet class="big red" data-testid=greeter>Greet</button>
<p id=out></p> <p id=gone hidden>gone</p> <ul><li>tea<li>coffee<li>milk</ul>
<select><option value=a>A<option value=b>B</select> <a href=/file download=notes.txt>notes</a>
<iframe srcdoc="<b>inner</b>"></iframe>
<script>
greet.onclick = () => setTimeout(() => { out.textContent = 'Hello, ' + document.getElementById('name').value }, 50)
console.warn('open', 1)
</script>"""


@dataclass
class Server:
    """A server; `seen` has the hosts and paths that were asked for."""

    port: int
    seen: list[str] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.seen.append(f"{self.headers['Host'].partition(':')[0]}{self.path}")
            path, _, query = self.path.partition("?")
            self.send_response(302 if path == "/to" else 200)
            if path == "/to":
                self.send_header("Location", query)
            body = b"" if path == "/to" else _SHOP.encode() if path == "/" else b'{"n": 1}'
            self.send_header("Content-Type", "text/html" if path == "/" else "application/json")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        state = Server(httpd.server_port)
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield state
        httpd.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def grant(server: Server) -> Iterator[Browser]:
    from sandbox.browser import launch

    with launch([server.url()], private=True, executable_path=_CHROMIUM, context={"base_url": server.url()}) as browser:
        yield browser


@pytest.fixture(scope="module")
def driven(grant: Browser, server: Server) -> Iterator[Sandbox]:
    files, names = MemoryFiles({"in.txt": b"of files"}), {"other": server.url(host="localhost")}
    with Sandbox(browser=grant, files=files, globals=names) as made:
        made.eval("var { expect } = await import('sandbox:browser'); 0")
        yield made


@pytest.fixture
def box(driven: Sandbox, grant: Browser, server: Server) -> Sandbox:
    driven.eval("for (const each of context.pages()) if (each !== page) await each.close(); await page.goto('/')")
    server.seen.clear()
    grant.collected.clear()
    driven.eval("await page.goto('/')")
    return driven


@pytest.mark.parametrize(
    ("program", "value"),
    [
        ("[page.url().endsWith('/'), await page.title(), page.viewportSize().width]", [True, "Shop", 1280]),
        ("await page.click('#greet'); await page.waitForFunction(() => out.textContent); await page.textContent('#out')", "Hello, Ada"),
        ("await page.getByLabel('Name').fill('Bo'); await page.inputValue('#name')", "Bo"),
        ("await page.getByRole('listitem').filter({hasText: /^c/}).innerText()", "coffee"),
        ("(await page.locator('li').all()).length", 3),
        ("await page.selectOption('select', 'B')", ["b"]),
        ("await page.uncheck('#box'); await page.isChecked('#box')", False),
        ("await page.frameLocator('iframe').locator('b').textContent()", "inner"),
        ("await page.evaluate(({a}) => [a, document.title, null, {deep: [1.5, true]}], {a: 'x'})", ["x", "Shop", None, {"deep": [1.5, True]}]),
        ("await page.locator('li').evaluateAll((all, n) => all.length + n, 2)", 5),
        ("await page.setInputFiles('#file', '/in.txt'); await page.evaluate(() => file.files[0].text())", "of files"),
        ("await page.keyboard.press('Tab'); await page.mouse.move(5, 5); await page.locator('#name').evaluate(e => e.tagName)", "INPUT"),
        ("const [r] = await Promise.all([page.waitForResponse('**/api/*'), page.evaluate(() => fetch('/api/x'))]); [r.status(), r.ok(), await r.json(), r.request().method()]", [200, True, {"n": 1}, "GET"]),
        ("const [d] = await Promise.all([page.waitForEvent('download'), page.click('a')]); await d.saveAs('/notes'); [d.suggestedFilename(), (await (await import('node:fs/promises')).readFile('/notes', 'utf8'))]", ["notes.txt", '{"n": 1}']),
        ("page.once('dialog', dialog => dialog.accept(dialog.message() + '!')); await page.evaluate(() => prompt('yes'))", "yes!"),
        ("await page.evaluate(() => confirm('nobody listens'))", False),
        ("const [p] = await Promise.all([context.waitForEvent('page'), page.evaluate(() => { open('/api/popup') })]); await p.waitForLoadState(); [await p.locator('body').innerText(), context.pages().length]", ['{"n": 1}', 2]),
        ("await page.route('**/api/**', route => route.fulfill({json: {mocked: route.request().url().endsWith('/y')}})); await page.evaluate(async () => (await fetch('/api/y')).json())", {"mocked": True}),
        ("await page.route(/elsewhere/, route => route.fulfill({body: 'never sent', headers: {'access-control-allow-origin': '*'}})); await page.evaluate(async () => (await fetch('http://elsewhere.test/')).text())", "never sent"),
        ("await context.addCookies([{name: 'a', value: 'b', domain: '127.0.0.1', path: '/'}]); [await page.evaluate(() => document.cookie), (await context.cookies())[0].value]", ["a=b", "b"]),
        ("await page.screenshot({path: '/a.png', type: 'png', fullPage: true}) instanceof Uint8Array", True),
        ("await page.setContent('<h1>mine</h1>'); await page.waitForSelector('h1'); await page.innerText('h1')", "mine"),
        ("await Promise.all([page.waitForURL('**/api/*'), page.evaluate(() => { location = '/api/z' })]); page.url().slice(-6)", "/api/z"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_programs_do(box: Sandbox, program: str, value: Any) -> None:
    assert box.eval(f"{{ {program} }}", timeout=20) == value


@pytest.mark.parametrize(
    "assertion",
    [
        "expect(page.locator('#greet')).toBeVisible()",
        "expect(page.locator('#gone')).toBeHidden()",
        "expect(page.locator('#none')).not.toBeAttached()",
        "expect(page.locator('#off')).toBeDisabled()",
        "expect(page.locator('#greet')).toBeEnabled()",
        "expect(page.locator('#name')).toBeEditable()",
        "expect(page.locator('#box')).toBeChecked()",
        "expect(page.locator('#name')).not.toBeFocused()",
        "expect(page.locator('#out')).toBeEmpty()",
        "expect(page.locator('#greet')).toBeInViewport()",
        "expect(page.locator('li')).toHaveText(['tea', /^COFFEE$/i, 'milk'])",
        "expect(page.locator('ul')).toContainText('coffee')",
        "expect(page.locator('#name')).toHaveValue('Ada')",
        "expect(page.locator('li')).toHaveCount(3)",
        "expect(page.locator('#greet')).toHaveAttribute('data-testid', 'greeter')",
        "expect(page.locator('#off')).toHaveAttribute('disabled')",
        "expect(page.locator('#off')).not.toHaveAttribute('class')",
        "expect(page.locator('#greet')).toHaveClass('big red')",
        "expect(page.locator('#greet')).toContainClass('red')",
        "expect(page.locator('#gone')).toHaveCSS('display', 'none')",
        "expect(page.getByTestId('greeter')).toHaveId('greet')",
        "expect(page.locator('#box')).toHaveJSProperty('checked', true)",
        "expect(page.locator('#greet')).toHaveRole('button')",
        "expect(page.locator('#greet')).toHaveAccessibleName(/greet/i)",
        "expect(page).toHaveTitle('Shop')",
        "expect(page).toHaveTitle(/^Sh/)",
        "expect(page).not.toHaveTitle('Other')",
        "expect(page).toHaveURL(/127/)",
        "expect(page).not.toHaveURL(/other/)",
    ],
)  # fmt: skip
def test_assertions_that_hold_and_their_opposites(box: Sandbox, assertion: str) -> None:
    box.eval(f"await {assertion}")
    opposite = assertion.replace(").not.", ").") if ").not." in assertion else assertion.replace(").to", ").not.to", 1)
    opposite = f"{opposite[:-1]}{'' if opposite.endswith('()') else ', '}{{timeout: 100}})"
    with pytest.raises(JSError, match="failed") as told:
        box.eval(f"await {opposite}")
    assert told.value.name == "AssertionError"


def test_assertions_wait(box: Sandbox) -> None:
    box.eval("await page.click('#greet'); await expect(page.locator('#out')).toHaveText('Hello, Ada')")
    box.eval("""
        await page.setContent("<select multiple aria-description=several><option selected>a<option selected>b</select>");
        await expect(page.locator("select")).toHaveValues(["a", /B/i]);
        await expect(page.locator("select")).not.toHaveValues(["a"]);
        await expect(page.locator("select")).toHaveAccessibleDescription("several");
    """)
    with pytest.raises(JSError, match="toBeVisible needs a locator"):
        box.eval("await expect(5).toBeVisible()")


@pytest.mark.parametrize(
    "program",
    [
        "await page.goto(other)",
        "await page.goto('/to?' + other)",
        "await page.goto('/to?/to?' + other)",
        "await page.evaluate(url => fetch(url), other)",
        "await page.evaluate(url => fetch('/to?' + url), other)",
        "await page.evaluate(url => new Promise((done, fail) => { const i = new Image(); i.onerror = fail; i.onload = done; i.src = url }), other)",
        "await page.evaluate(url => new Promise((done, fail) => { const s = new WebSocket(url.replace('http', 'ws')); s.onclose = fail; s.onopen = done }), other)",
        "await page.setContent(`<iframe src='${other}'></iframe>`); throw new Error(await page.frameLocator('iframe').locator('body').innerText({timeout: 1000}))",
        "const p = await context.newPage(); await p.goto(other)",
        "await page.evaluate(url => { open(url) }, other); throw new Error(await page.waitForTimeout(200) ?? 'opened')",
        "await page.goto('data:text/html,<script>location = ' + JSON.stringify(other) + '</script>'); throw new Error(await page.waitForTimeout(200) ?? 'moved')",
        "await page.goto('view-source:file:///etc/passwd')",
    ],
    ids=lambda value: value[:40],
)  # fmt: skip
def test_what_is_not_allowed_is_not_sent(box: Sandbox, server: Server, program: str) -> None:
    with pytest.raises(JSError):
        box.eval(f"{{ {program} }}", timeout=20)
    assert [each for each in server.seen if each.startswith("localhost")] == []


@pytest.mark.parametrize(
    "program",
    [
        "new SharedWorker(blob(`fetch('${other}')`))",
        "new Worker(blob(`new WebSocket('${other}'.replace('http', 'ws'))`))",
        "const p = new RTCPeerConnection({iceServers: [{urls: `turn:${new URL(other).host}?transport=tcp`, username: 'a', credential: 'b'}]}); p.createDataChannel('c'); p.setLocalDescription(await p.createOffer())",
        "navigator.sendBeacon(other, 'x'); const l = document.createElement('link'); l.rel = 'preconnect'; l.href = other; document.head.append(l)",
    ],
    ids=["shared worker", "socket of a worker", "turn", "beacon"],
)  # fmt: skip
def test_what_no_page_asks_for_is_not_sent_either(
    box: Sandbox, grant: Browser, server: Server, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    for name in ("reaches", "refusal"):
        judge = getattr(grant, name)

        def noted(url: WebURL, judge: Any = judge) -> Any:
            asked.append(url.host)
            return judge(url)

        monkeypatch.setattr(grant, name, noted)
    blob = "const blob = (text) => URL.createObjectURL(new Blob([text]))"
    box.eval(f"await page.evaluate(async (other) => {{ {blob}; {program} }}, other)")
    while "localhost" not in asked:
        box.eval("await page.waitForTimeout(20)")
    box.eval("await page.waitForTimeout(50)")
    assert [each for each in server.seen if each.startswith("localhost")] == []


def test_what_no_page_asks_for_is_sent_where_it_may_be(box: Sandbox) -> None:
    code = (
        "onconnect = async ({ports: [port]}) => port.postMessage(await (await fetch('${location.origin}/api')).text())"
    )
    page = f"""new Promise(done => {{
        const worker = new SharedWorker(URL.createObjectURL(new Blob([`{code}`])));
        worker.port.onmessage = (event) => done(event.data);
    }})"""
    assert box.eval(f"await page.evaluate(() => {page})", timeout=20) == '{"n": 1}'


def test_pages_of_other_sandboxes(box: Sandbox, grant: Browser) -> None:
    box.eval("await page.evaluate(() => { localStorage.mine = 'secret' })")
    with Sandbox(browser=grant) as other:
        assert (
            other.eval("await page.goto('/'); await page.evaluate(() => localStorage.mine ?? 'nothing')") == "nothing"
        )
        assert other.eval("context.pages().length") == 1


def test_contexts_of_the_program(box: Sandbox) -> None:
    box.eval("await page.evaluate(() => { document.cookie = 'who=ada'; localStorage.n = 1 })")
    seen = "await p.goto('/'); await p.evaluate(() => [document.cookie, localStorage.n ?? null, navigator.language])"
    other = "var other = await browser.newContext({locale: 'de-DE'}); var p = await other.newPage()"
    assert box.eval(f"{other}; {seen}") == ["", None, "de-DE"]
    again = "var again = await browser.newContext({storageState: '/kept.json'}); p = await again.newPage()"
    box.eval("await context.storageState({path: '/kept.json'})")
    cookies, stored, _ = box.eval(f"{again}; {seen}")
    assert ("who=ada" in cookies, stored) == (True, "1")
    assert box.eval("await other.close(); await again.close(); [p.isClosed(), browser.contexts().length]") == [True, 1]


def test_what_was_seen(box: Sandbox, grant: Browser, server: Server) -> None:
    box.eval(
        "await page.evaluate(() => { setTimeout(() => { throw new RangeError('late') }) }); await page.waitForTimeout(100)"
    )
    (message,), (failure,), request = grant.collected.console, grant.collected.errors, grant.collected.requests[0]
    assert (message.level, message.text, message.url, message.line) == ("warning", "open 1", server.url(), 9)
    assert (failure.name, failure.message) == ("RangeError", "late")
    assert (request.url, request.status, request.resource_type, request.is_refused) == (
        server.url(),
        200,
        "document",
        False,
    )
    assert request.timings_ms["responseEnd"] > 0
