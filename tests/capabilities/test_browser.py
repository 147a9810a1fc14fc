"""Pages of a browser, as programs use them: the guest's side and the host's, without a browser."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, AuditLog, Browser, JSError, MemoryFiles, Sandbox
from sandbox.browser import PageFailure, PageMessage, PageRequest, session
from sandbox.errors import UsageError
from tests.browser.fakes import (
    Elsewhere,
    Emitter,
    FakeBrowser,
    FakeContext,
    FakePage,
    FakeRequest,
    FakeRoute,
    PlaywrightError,
    PlaywrightTimeout,
    elsewhere,
    settled,
)


@pytest.fixture
def there() -> Iterator[Elsewhere]:
    with elsewhere() as made:
        yield made


def test_nothing_is_there_without_a_grant() -> None:
    with Sandbox() as box:
        assert box.eval("[typeof page, typeof context]") == ["undefined", "undefined"]
        with pytest.raises(JSError, match="sandbox:browser"):
            box.eval("await import('sandbox:browser')")


class _Blocking:
    goto = print


_Blocking.__module__ = "playwright.sync_api._generated"


@pytest.mark.parametrize(
    ("target", "options", "kind", "told"),
    [
        (_Blocking(), {}, TypeError, "playwright.async_api"),
        ("page", {}, TypeError, "not str"),
        (FakePage(), {"context": {}}, TypeError, "a target that is a Browser"),
        (FakePage(), {"on_event": 1}, TypeError, "on_event must be callable"),
        (FakePage(), {"pages": -1}, ValueError, "pages must not be negative"),
        (FakePage(), {"timeout": 0}, ValueError, "timeout must be a positive number"),
        (FakePage(), {"allow": "https://a"}, TypeError, "allow must be a list"),
    ],
)
def test_what_is_no_grant(there: Elsewhere, target: object, options: Any, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        there.grant(target, **options)


def test_a_grant_needs_a_loop_and_the_option_a_grant() -> None:
    with pytest.raises(UsageError, match="where the event loop runs"):
        Browser(FakePage())
    with pytest.raises(TypeError, match="browser must be a Browser"):
        Sandbox(browser=FakePage())  # type: ignore[arg-type] # the point


@pytest.mark.parametrize(
    ("program", "done"),
    [
        ("page.getByRole('button', {name: 'Go', exact: true}).click()", "page.get_by_role('button', name='Go', exact=True).click()"),
        ("page.getByText(/Hi \\d/i).first().hover({force: true})", "page.get_by_text(re.compile('Hi \\\\d', re.IGNORECASE)).first.hover(force=True)"),
        ("page.locator('li', {has: page.getByLabel('x'), hasText: 'a'}).nth(2).count()", "page.locator('li', has_text='a', has=page.get_by_label('x')).nth(2).count()"),
        ("page.locator('a').filter({hasNotText: 'b'}).or(page.locator('c')).last().press('Enter', {delay: 5})", "page.locator('a').filter(has_not_text='b').or_(page.locator('c')).last.press('Enter', delay=5)"),
        ("page.locator('a').and(page.getByTestId('t')).fill('x')", "page.locator('a').and_(page.get_by_test_id('t')).fill('x')"),
        ("page.frameLocator('iframe').getByPlaceholder('q').clear()", "page.frame_locator('iframe').get_by_placeholder('q').clear()"),
        ("page.locator('iframe').contentFrame().locator('b').innerHTML()", "page.locator('iframe').content_frame.locator('b').inner_html()"),
        ("page.click('#a', {position: {x: 1, y: 2}, clickCount: 2, modifiers: ['Shift']})", "page.locator('#a').click(position={'x': 1, 'y': 2}, click_count=2, modifiers=['Shift'])"),
        ("page.selectOption('select', ['a', {value: 'b'}])", "page.locator('select').select_option(value=['a', 'b'])"),
        ("page.locator('a').evaluate((element, n) => n, 5)", "page.locator('a').evaluate('(element, n) => n', 5)"),
        ("page.setInputFiles('input', {name: 'a.txt', mimeType: 'text/plain', buffer: new Uint8Array([1])})", "page.locator('input').set_input_files([{'name': 'a.txt', 'mimeType': 'text/plain', 'buffer': b'\\x01'}])"),
        ("page.setInputFiles('input', new File(['ab'], 'b.txt', {type: 'text/plain'}))", "page.locator('input').set_input_files([{'name': 'b.txt', 'mimeType': 'text/plain', 'buffer': b'ab'}])"),
        ("page.setInputFiles('input', '/in.txt')", "page.locator('input').set_input_files([{'name': 'in.txt', 'mimeType': '', 'buffer': b'of files'}])"),
        ("page.goto('https://1.2.3.4/', {waitUntil: 'commit', referer: undefined})", "goto('https://1.2.3.4/', wait_until='commit')"),
        ("page.evaluate(o => o.a, {a: [1, null, 'x', new Date(0)]})", "page.evaluate('o => o.a', {'a': [1, None, 'x', datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)]})"),
        ("page.setViewportSize({width: 10, height: 20})", "page.set_viewport_size({'width': 10, 'height': 20})"),
        ("page.emulateMedia({colorScheme: 'dark'})", "page.emulate_media(color_scheme='dark')"),
        ("page.setExtraHTTPHeaders({a: 'b'})", "page.set_extra_http_headers({'a': 'b'})"),
        ("page.waitForLoadState()", "page.wait_for_load_state()"),
        ("page.addInitScript((n) => n, 1)", "page.add_init_script('((n) => n)(1)')"),
        ("page.waitForSelector('b', {state: 'hidden'})", "page.locator('b').first.wait_for(state='hidden')"),
        ("page.keyboard.press('Tab')", "input.press('Tab')"),
        ("page.mouse.move(1, 2, {steps: 3})", "input.move(1, 2, steps=3)"),
    ],
)  # fmt: skip
def test_actions_as_playwright_gets_them(there: Elsewhere, program: str, done: str) -> None:
    page = FakePage()
    with Sandbox(browser=there.grant(page), files=MemoryFiles({"in.txt": b"of files"})) as box:
        box.eval(f"await {program}")
    assert page.done == [done]


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("page.click('a', {tmeout: 1})", "TypeError: click: there is no option 'tmeout' here"),
        ("page.click('a', {button: 'other'})", "TypeError: click: button must be one of left, middle, right"),
        ("page.click('a', {timeout: '1'})", "TypeError: click: timeout must be a number"),
        ("page.click('a', {timeout: NaN})", "TypeError: click: timeout must be a number"),
        ("page.click('a', 5)", "TypeError: locator.click: options must be an object"),
        ("page.click(5)", "TypeError: locator must be a string"),
        ("page.getByText(/a(?<n>b)/).click()", "TypeError: getByText must be a regular expression in the syntax"),
        ("page.getByText(/a/u).click()", "TypeError: getByText must be a regular expression without the flag u"),
        ("page.getByRole('a', {has: 1}).click()", "TypeError: getByRole: there is no option 'has' here"),
        ("page.locator('a', {has: 'b'}).click()", "TypeError: locator: it must be a locator"),
        ("page.evaluate('x', new Map())", "TypeError: evaluate: an argument must be plain data"),
        ("page.evaluate('x', (() => { const a = []; a[0] = a; return a; })())", "TypeError: evaluate: an argument must have"),
        ("page.setViewportSize({width: 0, height: 1})", "TypeError: setViewportSize: an argument.width must be"),
        ("page.setViewportSize({width: 1})", "TypeError: setViewportSize: an argument must be an object of"),
        ("page.goto('file:///etc/passwd')", "TypeError: goto: the URL must be one of http or https"),
        ("page.goto(' \\tFI\\nLE:///etc/passwd')", "TypeError: goto: the URL must be one of http or https"),
        ("page.goto('chrome://settings')", "TypeError: goto: the URL must be one of http or https"),
        ("page.goto('javascript:1')", "TypeError: goto: the URL must be one of http or https"),
        ("page.on('nothing', () => 1)", "TypeError: there is no event nothing here"),
        ("page.waitForURL(async () => true)", "TypeError: page.waitForURL: the predicate must answer at once"),
        ("page.setInputFiles('a', '/none')", "Error: ENOENT"),
        ("context.addCookies([{name: 'a'}])", "TypeError: addCookies: an argument must be an object of name"),
        ("page.locator('a').locator(page.locator('b')).and(5).click()", "TypeError: locator.and: it must be a locator"),
        ("Reflect.construct(page.constructor, [{}, 1])", "TypeError: Illegal constructor"),
    ],
)  # fmt: skip
def test_what_is_refused(there: Elsewhere, program: str, told: str) -> None:
    page = FakePage()
    with Sandbox(browser=there.grant(page), files=MemoryFiles()) as box:
        text = box.eval(
            f"try {{ await {program}; 'nothing' }} catch (error) {{ `${{error.name}}: ${{error.message}}` }}"
        )
    assert text.startswith(told)
    assert page.done == []


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (PlaywrightTimeout("Page.title: Timeout 5ms exceeded.\nCall log:\n  - \x1b[2mwaiting\x1b[22m"), "TimeoutError: title: Timeout 5ms exceeded.\nCall log:\n  - waiting"),
        (PlaywrightError("Page.title: broken\n\nAria snapshot:\n- text"), "Error: title: broken"),
        (KeyError("/home/secret"), "Error: title: the browser failed"),
        (OSError(2, "gone", "/home/secret"), "Error: title: the browser failed"),
    ],
)  # fmt: skip
def test_what_a_program_is_told_of_failures(there: Elsewhere, raised: Exception, told: str) -> None:
    page = FakePage()
    page.answers["title"] = raised
    with Sandbox(browser=there.grant(page)) as box:
        assert box.eval("try { await page.title() } catch (error) { `${error.name}: ${error.message}` }") == told
        assert "secret" not in box.eval("try { await page.title() } catch (error) { error.stack }")


def test_an_action_that_takes_too_long(there: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_GRACE_SECONDS", 0.0)
    page = FakePage()
    page.answers["title"] = asyncio.Event().wait
    with Sandbox(browser=there.grant(page, timeout=0.05)) as box, pytest.raises(JSError, match="longer than") as told:
        box.eval("await page.title()")
    assert told.value.name == "TimeoutError"


@pytest.mark.parametrize(
    "value", ["x" * 1001, {"a": ["x" * 400] * 3}, [[]] * 500, b"x" * 2000], ids=["text", "parts", "many", "bytes"]
)
def test_a_result_that_is_too_large(there: Elsewhere, value: object) -> None:
    page = FakePage()
    page.answers["evaluate"] = value
    grant = there.grant(page, max_result_bytes=1000)
    with Sandbox(browser=grant) as box, pytest.raises(JSError, match="larger than the browser grants"):
        box.eval("await page.evaluate('x')")


def test_whose_pages_are_closed(there: Elsewhere) -> None:
    given = FakePage()
    with Sandbox(browser=there.grant(given)) as box:
        assert box.eval("const other = await context.newPage(); context.pages().length") == 2
        assert box.eval("[other.isClosed(), page.isClosed(), context.pages()[0] === page]") == [False, False, True]
    there.run(settled())
    assert [page.is_closed() for page in given.context.pages] == [False, True]
    assert (given.context.listeners, given.context.routes, given.context.is_over) == ([], [], False)

    browser = FakeBrowser()
    with Sandbox(browser=there.grant(browser, context={"locale": "de"})) as box:
        box.eval("await page.title()")
    there.run(settled())
    assert [context.is_over for context in browser.contexts] == [True]
    (options,) = browser.options
    assert options.pop("proxy")["server"].startswith("http://127.0.0.1:")
    assert options == {"service_workers": "block", "locale": "de"}

    with Sandbox(browser=there.grant(browser, context={"proxy": {"server": "http://mine"}})) as box:
        box.eval("await page.title()")
    there.run(settled())
    assert browser.options[1]["proxy"] == {"server": "http://mine"}


def test_contexts_of_the_program(there: Elsewhere) -> None:
    browser = FakeBrowser()
    grant = there.grant(browser, context={"base_url": "https://a.test", "storage_state": {"cookies": []}}, pages=3)
    with Sandbox(browser=grant, files=MemoryFiles({"state": b'{"cookies": [{"name": "a", "value": "b"}]}'})) as box:
        box.eval("""
            globalThis.other = await browser.newContext({
              extraHTTPHeaders: {a: "b"}, timezoneId: "Europe/Bern", viewport: {width: 30, height: 20}, isMobile: true,
            });
            globalThis.second = await other.newPage();
        """)
        first, made = browser.options
        assert first["storage_state"] == {"cookies": []}
        assert made == {
            **first,
            "storage_state": None,
            "extra_http_headers": {"a": "b"},
            "timezone_id": "Europe/Bern",
            "viewport": {"width": 30, "height": 20},
            "is_mobile": True,
        }
        assert box.eval("""[
            second.context() === other, page.context() === context, other.browser() === browser,
            other.pages()[0] === second, context.pages().length, browser.contexts().length,
        ]""") == [True, True, True, True, 1, 2]
        route = FakeRoute(browser.contexts[1].pages[0], "https://1.2.3.4/")
        there.run(browser.contexts[1].routes[0](route))
        assert route.answer[0] == "abort"
        assert box.eval("""
            const made = await Promise.allSettled(Array.from({length: 9}, () => browser.newContext({storageState: "/state"})));
            made.map(each => each.reason?.name ?? "made").join()
        """) == "made" + ",QuotaExceededError" * 8  # fmt: skip
        assert browser.options[2]["storage_state"] == {"cookies": [{"name": "a", "value": "b"}]}
        assert box.eval("await other.close(); await other.newPage().catch(error => error.name)") == "TargetClosedError"
        assert box.eval("await context.close().catch(error => error.message)").endswith("ends with the sandbox")
        assert [context.is_over for context in browser.contexts] == [False, True, False]
    there.run(settled())
    assert [context.is_over for context in browser.contexts] == [True, True, True]


def test_events_and_routes_of_one_context(there: Elsewhere) -> None:
    browser = FakeBrowser()
    with Sandbox(browser=there.grant(browser, ["https://1.2.3.4"])) as box:
        box.eval("""
            globalThis.told = [];
            globalThis.other = await browser.newContext();
            await other.newPage();
            context.on("request", (request) => told.push("first " + request.url()));
            other.on("request", (request) => told.push("other " + request.url()));
            await other.route("**", (route) => route.fulfill({body: "mine"}));
            0
        """)
        routes = []
        for number, context in enumerate(browser.contexts):
            routes.append(FakeRoute(context.pages[0], f"https://1.2.3.4/{number}"))
            there.call(context.emit, "request", routes[-1].request)
            asked = asyncio.run_coroutine_threadsafe(context.routes[0](routes[-1]), there.loop)
            while not asked.done():  # the program is told on another thread, and answers in a turn
                box.eval("await page.title()")
            asked.result()
        assert box.eval("told") == ["first https://1.2.3.4/0", "other https://1.2.3.4/1"]
    assert [route.answer[0] for route in routes] == ["fallback", "fulfill"]


@pytest.mark.parametrize("target", [FakePage, FakeContext])
def test_no_contexts_beside_the_embedders(there: Elsewhere, target: Any) -> None:
    with Sandbox(browser=there.grant(target())) as box, pytest.raises(JSError, match="grants no browser"):
        box.eval("await browser.newContext()")


def test_a_rollback_closes_contexts(there: Elsewhere) -> None:
    browser = FakeBrowser()
    with Sandbox(browser=there.grant(browser), on_limit="rollback") as box:
        box.eval("await page.title()")
        with pytest.raises(TimeoutError):
            box.eval("await browser.newContext(); for (;;);", timeout=0.3)
        there.run(settled())
        assert [context.is_over for context in browser.contexts] == [False, True]
        assert box.eval("browser.contexts().length") == 1


def test_how_many_pages_there_may_be(there: Elsewhere) -> None:
    context = FakeContext()
    with Sandbox(browser=there.grant(context, pages=2)) as box:
        box.eval("globalThis.second = await context.newPage()")
        with pytest.raises(JSError, match="at most 2 pages") as told:
            box.eval("await context.newPage()")
        assert told.value.name == "QuotaExceededError"
        there.run(context.new_page())  # as a page opens one
        there.run(settled())
        assert [page.is_closed() for page in context.pages] == [False, False, True]
        box.eval("await second.close(); globalThis.third = await context.newPage()")


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("https://1.2.3.4/x", "fallback"),
        ("https://1.2.3.4:443/x?y", "fallback"),
        ("wss://1.2.3.4/", "fallback"),
        ("data:text/html,x", "fallback"),
        ("http://1.2.3.4/", "abort"),
        ("https://b.test/", "abort"),
        ("https://1.2.3.4/private/x", "abort"),
        ("https://me:pw@1.2.3.4/", "abort"),
        ("http://127.0.0.1:8000/", "abort"),
        ("http://10.0.0.1/", "abort"),
        ("http://[::ffff:169.254.169.254]/", "abort"),
        ("file:///etc/passwd", "abort"),
        ("ftp://1.2.3.4/", "abort"),
        ("chrome://version", "abort"),
    ],
)
def test_what_pages_may_reach(there: Elsewhere, url: str, answer: str) -> None:
    page = FakePage()
    allowed = [
        "https://1.2.3.4",
        "http://127.0.0.1:*",
        "http://10.0.0.1",
        "http://*",
        "https://[::ffff:169.254.169.254]",
    ]
    grant = there.grant(page, allowed[:3], deny=["https://1.2.3.4/private/"])
    with Sandbox(browser=grant) as box:
        box.eval("await page.title()")
        route = FakeRoute(page, url)
        there.call(page.context.emit, "request", route.request)
        there.run(page.context.routes[0](route))
    assert route.answer[0] == answer
    assert [each.is_refused for each in grant.collected.requests] == [answer == "abort"]


def test_a_page_that_was_led_astray(there: Elsewhere) -> None:
    page = FakePage()
    with Sandbox(browser=there.grant(page, ["https://1.2.3.4"])) as box:
        box.eval("await page.title()")
        request = FakeRequest(page, "http://169.254.169.254/")
        request.redirected_from = FakeRequest(page, "https://1.2.3.4/")
        emptied = asyncio.Event()
        page.answers["goto"] = emptied.wait
        there.call(page.context.emit, "request", request)
        with pytest.raises(JSError, match="went where it may not"):
            box.eval("await page.content()")
        there.call(emptied.set)
        box.eval("await page.title()")
    assert page.done == ["page.title()", "goto('about:blank')", "page.title()"]


def test_redirects_in_chromium(there: Elsewhere) -> None:
    """Its protocol tells of each request; those of one chain have one number."""
    page = FakePage()
    sent: list[tuple[str, dict[str, Any]]] = []

    class Protocol(Emitter):
        async def send(self, method: str, options: dict[str, Any]) -> None:
            sent.append((method, options))

    protocol = Protocol()

    async def new_cdp_session(_page: object) -> Protocol:
        return protocol

    page.context.new_cdp_session = new_cdp_session  # type: ignore[attr-defined] # as Chromium's have it
    with Sandbox(browser=there.grant(page, ["https://1.2.3.4"])) as box:
        box.eval("await page.title()")
        requests = [
            ("1", "https://1.2.3.4/", {}),
            ("1", "https://1.2.3.4/2", {}),
            ("1", "http://10.0.0.1/", {}),
            ("2", "http://10.0.0.1/", {}),  # the route of the context says that it may not be sent
            ("3", "http://10.0.0.1/", {"redirectedRequestId": "x"}),
        ]
        for index, (number, url, more) in enumerate(requests):
            event = {"requestId": index, "networkId": number, "request": {"url": url}, **more}
            there.call(protocol.emit, "Fetch.requestPaused", event)
    assert sent[0] == ("Fetch.enable", {"patterns": [{"urlPattern": "*"}]})
    assert [options["requestId"] for method, options in sent if method == "Fetch.continueRequest"] == [0, 1, 3]
    assert [options["requestId"] for method, options in sent if method == "Fetch.failRequest"] == [2, 4]


@pytest.mark.parametrize(
    ("handler", "answer"),
    [
        ("route.fulfill({json: {a: 1}, status: 201})", ("fulfill", {"status": 201, "content_type": "application/json", "body": b'{"a":1}'})),
        ("route.fulfill({path: '/body', headers: {b: 'c'}})", ("fulfill", {"headers": {"b": "c"}, "body": b"of files"})),
        ("route.abort('timedout')", ("abort", "timedout")),
        ("route.continue({headers: {x: 'y'}})", ("fallback", {"headers": {"x": "y"}})),
        ("route.continue({url: 'https://b.test/'})", ("abort", "blockedbyclient")),
        ("route.abort('anything')", ("abort", "failed")),
        ("route.fulfill({status: 99})", ("abort", "failed")),
    ],
)  # fmt: skip
def test_routes_of_the_program(there: Elsewhere, handler: str, answer: tuple[str, Any]) -> None:
    page = FakePage()
    with Sandbox(browser=there.grant(page, ["https://1.2.3.4"]), files=MemoryFiles({"body": b"of files"})) as box:
        box.eval(f"""
            await page.title();
            globalThis.answered = new Promise(done => page.route("**/api/*", async (route, request) => {{
              try {{ await {handler}; done(request.url()) }} catch (error) {{ done(error.name) }}
            }}));
            0
        """)
        route = FakeRoute(page, "https://1.2.3.4/api/x")
        asked = asyncio.run_coroutine_threadsafe(page.context.routes[0](route), there.loop)
        box.eval("await answered")
        asked.result(10)
    assert route.answer == answer


def test_what_is_told_and_collected(there: Elsewhere) -> None:
    page = FakePage()
    seen: list[object] = []
    grant = there.grant(page, ["https://1.2.3.4"], on_event=seen.append, max_collected_bytes=2000)

    def happen() -> None:
        message = types.SimpleNamespace(
            page=page, type="log", text="hi", location={"url": "https://1.2.3.4/", "lineNumber": 0, "columnNumber": 4}
        )
        page.context.emit("console", message)
        error = types.SimpleNamespace(name="RangeError", message="late", stack="RangeError: late")
        page.context.emit("weberror", types.SimpleNamespace(page=page, error=error))
        request = FakeRequest(page, "https://1.2.3.4/x")
        page.context.emit("request", request)
        page.context.emit("requestfailed", request)

    with Sandbox(browser=grant) as box:
        box.eval("""
            await page.title();
            globalThis.told = [];
            page.on("console", message => told.push(message.type() + message.text() + message.location().lineNumber));
            page.on("pageerror", error => told.push(`${error}`));
            context.on("requestfailed", request => told.push(request.failure().errorText));
            globalThis.failed = context.waitForEvent("requestfailed");
            0
        """)
        there.call(happen)
        assert box.eval("await failed; told") == ["loghi1", "RangeError: late", "net::ERR_FAILED"]
        assert grant.collected.console == (PageMessage(1, "log", "hi", "https://1.2.3.4/", 1, 5),)
        assert grant.collected.errors == (PageFailure(1, "RangeError", "late", "RangeError: late"),)
        (request,) = grant.collected.requests
        assert isinstance(request, PageRequest)
        assert (request.failure, request.timings_ms) == ("net::ERR_FAILED", {"startTime": 1.0, "responseEnd": 2.0})
        for _ in range(10):
            there.call(happen)
        assert len(grant.collected.console) < 5
        assert grant.collected.dropped > 20
    assert len(seen) == 33
    grant.collected.clear()
    assert not grant.collected.console
    assert grant.collected.dropped == 0


def test_files_are_the_programs_own(there: Elsewhere) -> None:
    page, files = FakePage(), MemoryFiles()
    page.answers["screenshot"] = b"\x89PNG"
    with Sandbox(browser=there.grant(page), files=files) as box:
        assert box.eval("await page.screenshot({path: '/shot.png', fullPage: true})") == b"\x89PNG"
        assert box.eval("await (await import('node:fs/promises')).readFile('/shot.png')") == b"\x89PNG"
    with Sandbox(browser=there.grant(page)) as box, pytest.raises(JSError, match="shot"):
        box.eval("await page.screenshot({path: '/shot.png'})")
    assert page.done == ["page.screenshot(full_page=True)", "page.screenshot()"]


def test_a_rollback_closes_pages(there: Elsewhere) -> None:
    page = FakePage()
    with Sandbox(browser=there.grant(page), on_limit="rollback") as box:
        with pytest.raises(TimeoutError):
            box.eval("await context.newPage(); for (;;);", timeout=0.3)
        there.run(settled())
        assert [each.is_closed() for each in page.context.pages] == [False, True]
        assert box.eval("context.pages().length") == 1


def test_another_life(there: Elsewhere) -> None:
    page = FakePage()
    page.answers["title"] = "of another life"
    with Sandbox(browser=there.grant(FakePage())) as box:
        snapshot = box.eval("globalThis.second = await context.newPage(); 0") or box.snapshot()
    with Sandbox.restore(snapshot, browser=there.grant(page)) as box:
        assert box.eval("[second.isClosed(), await page.title()]") == [True, "of another life"]
        with pytest.raises(JSError, match="has been closed"):
            box.eval("await second.title()")
    with Sandbox() as box:
        plain = box.snapshot()
    with Sandbox.restore(plain, browser=there.grant(page)) as box:
        assert box.eval("await page.title()") == "of another life"


def test_hooks_and_logs_see_what_is_done(there: Elsewhere) -> None:
    log = AuditLog()
    with Sandbox(browser=there.grant(FakePage()), audit=log, on_call={"browser.act": lambda call: None}) as box:
        box.eval("await page.fill('#a', 'secret')")
    assert [(entry.name, entry.arguments[0]) for entry in log if entry.event == "call"] == [
        ("browser.act", "locator.fill")
    ]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_sandbox_of_another_loop(there: Elsewhere, backend: str) -> None:
    page = FakePage()
    page.answers["title"] = "there"
    grant = there.grant(page)

    async def main() -> object:
        async with AsyncSandbox(browser=grant) as box:
            with anyio.move_on_after(0.05):
                page.answers["content"] = asyncio.Event().wait
                await box.eval("await page.content()")
            return await box.eval("await page.title()")

    assert anyio.run(main, backend=backend) == "there"


def test_a_sandbox_of_the_browsers_loop() -> None:
    async def main() -> object:
        page = FakePage()
        page.answers["title"] = "here"
        grant = Browser(page)
        async with AsyncSandbox(browser=grant) as box:
            answer = await box.eval("await page.title()")
        with Sandbox(browser=grant) as box, pytest.raises(JSError, match="waits for this sandbox"):
            box.eval("await page.title()")
        await settled()
        return answer

    assert asyncio.run(main()) == "here"


def test_a_loop_that_has_ended() -> None:
    with elsewhere() as there:
        grant = there.grant(FakePage())
    with Sandbox(browser=grant) as box, pytest.raises(JSError, match="event loop of the browser has ended"):
        box.eval("await page.title()")
