"""Exceptions that nobody caught and rejections that nobody handled: the program's listeners first, then the host."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox import JSError, Limits, Sandbox
from sandbox.errors import CpuLimitExceeded, UnhandledRejection

PREVENT = "var heard = []; addEventListener('error', (e) => { heard.push(e); e.preventDefault() });"
PREVENT_REJECTION = "var heard = []; onunhandledrejection = (e) => { heard.push(e.reason); e.preventDefault() };"

SOURCES = {
    "a listener": "dispatchEvent(new Event('x', addEventListener('x', () => { throw error })))",
    "a microtask": "queueMicrotask(() => { throw error })",
    "a timer": "setTimeout(() => { throw error })",
    "reportError": "reportError(error)",
}


@pytest.mark.parametrize("code", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("thrown", ["new RangeError('mine')", "'mine'", "{ a: 1 }", "undefined", "Symbol('mine')"])
def test_a_listener_can_deal_with_it(box: Sandbox, code: str, thrown: str) -> None:
    box.eval(f"{PREVENT} var error = {thrown}; {code}; 0")
    box.run_until_idle()

    assert box.eval("heard.length === 1 && heard[0].error === error && heard[0].isTrusted && heard[0].cancelable")


@pytest.mark.parametrize("code", SOURCES.values(), ids=SOURCES)
@pytest.mark.parametrize("listener", ["", "addEventListener('error', () => {});", "onerror = () => false;"])
def test_else_the_host_is_told(box: Sandbox, code: str, listener: str) -> None:
    def run() -> None:
        box.eval(f"{listener} var error = new RangeError('mine'); {code}; 0", filename="main.js")
        box.run_until_idle()

    with pytest.raises(JSError, match="mine") as caught:
        run()
    assert not isinstance(caught.value, UnhandledRejection)
    assert caught.value.name == "RangeError"


@pytest.mark.parametrize(
    ("code", "message", "place"),
    [
        ("\n  reportError(new TypeError('m'))", "Uncaught TypeError: m", ["main.js", 2, 15]),
        ("\n\n reportError('text')", "Uncaught text", ["main.js", 3, 2]),
        ("reportError(5n)", "Uncaught 5n", ["main.js", 1, 1]),
        ("reportError({ toString() { throw 1 } })", "Uncaught [an object]", ["main.js", 1, 1]),
        ("reportError(new DOMException('m', 'AbortError'))", "Uncaught AbortError: m", ["main.js", 1, 13]),
        ("setTimeout(() => { throw 5 })", "Uncaught 5", ["", 0, 0]),
        ("setTimeout(function named() { null.x })", "Uncaught TypeError: ", ["main.js", 1, 36]),
    ],
)
def test_what_the_event_says(box: Sandbox, code: str, message: str, place: list[object]) -> None:
    box.eval(PREVENT)
    box.eval(code + "; 0", filename="main.js")
    box.run_until_idle()

    assert box.eval("heard[0].message").startswith(message)
    assert box.eval("[heard[0].filename, heard[0].lineno, heard[0].colno]") == place


def test_the_handler_is_given_parts_and_says_with_true_that_it_was_dealt_with(box: Sandbox) -> None:
    box.eval("var heard; onerror = function (...parts) { heard = [this === globalThis, ...parts]; return true }")
    box.eval("reportError('text')", filename="main.js")

    assert box.globals["heard"] == [True, "Uncaught text", "main.js", 1, 1, "text"]
    with pytest.raises(JSError, match="other"):
        box.eval("onerror = (...parts) => { heard = parts.length }; reportError('other')")
    assert box.globals["heard"] == 5


def test_an_event_of_the_program_is_given_as_it_is(box: Sandbox) -> None:
    box.eval("var heard; onerror = (...parts) => { heard = parts.length }; dispatchEvent(new Event('error'))")

    assert box.globals["heard"] == 1


def test_an_exception_in_a_listener_of_exceptions_goes_to_the_host(box: Sandbox) -> None:
    with pytest.raises(JSError, match="second"):
        box.eval("onerror = () => { throw new Error('second') }; reportError(new Error('first')); 0")


def test_getters_of_what_was_thrown_are_not_run_for_the_event(box: Sandbox) -> None:
    box.eval(
        PREVENT + "var ran = 0; reportError({ get name() { ran++ }, get message() { ran++ }, get stack() { ran++ } })"
    )
    box.eval("reportError(Object.defineProperty(new Error('m'), 'name', { get() { ran++ } }))")

    assert box.globals["ran"] == 0


def test_listeners_run_under_the_limits() -> None:
    limits = Limits(cpu_seconds=0.2)
    for code in ("onerror = () => { for (;;); }; reportError(1)", "onunhandledrejection = () => { for (;;); }"):
        with Sandbox(limits=limits) as box:
            with pytest.raises(CpuLimitExceeded):
                box.eval(code + "; Promise.reject(1); 0")
            box.eval("onerror = onunhandledrejection = null")
            with pytest.raises(JSError, match="later"):
                box.eval("reportError(new Error('later')); 0")


# --- rejections ---


def test_a_rejection_can_be_dealt_with(box: Sandbox) -> None:
    box.eval(PREVENT_REJECTION + "Promise.reject(5); Promise.reject(6); 0")

    assert box.globals["heard"] == [5, 6]


@pytest.mark.parametrize("listener", ["", "onunhandledrejection = () => {};", "onrejectionhandled = () => {};"])
def test_else_the_host_is_told_of_the_rejection(box: Sandbox, listener: str) -> None:
    with pytest.raises(UnhandledRejection, match="mine"):
        box.eval(listener + "Promise.reject(new Error('mine')); 0")


def test_the_event_of_a_rejection(box: Sandbox) -> None:
    box.eval("""
    var heard, p;
    addEventListener("unhandledrejection", (e) => {
      heard = [e.promise === p, e.reason, e.cancelable, e.bubbles, e.isTrusted, e.target === globalThis];
      e.preventDefault();
    });
    p = Promise.reject(5); 0
    """)
    assert box.globals["heard"] == [True, 5, True, False, True, True]


def test_a_rejection_that_is_handled_in_time_is_no_event(box: Sandbox) -> None:
    box.eval(PREVENT_REJECTION + "const p = Promise.reject(5); queueMicrotask(() => p.catch(() => {})); 0")

    assert box.globals["heard"] == []


def test_a_rejection_that_the_listener_handles_is_dealt_with(box: Sandbox) -> None:
    box.eval("""
    var heard = 0;
    onunhandledrejection = (e) => { e.promise.catch(() => {}) };
    onrejectionhandled = () => { heard++ };
    Promise.reject(5); 0
    """)
    box.run_until_idle()

    assert box.globals["heard"] == 0


def test_late_handling_is_an_event_of_its_own(box: Sandbox) -> None:
    box.eval("""
    var heard = [];
    onunhandledrejection = (e) => { heard.push("unhandled"); e.preventDefault() };
    onrejectionhandled = (e) => { heard.push("handled", e.promise === p, e.reason, e.cancelable) };
    var p = Promise.reject(5); 0
    """)
    box.eval("p.catch(() => heard.push('caught')); heard.push('after'); 0")
    box.eval("p.catch(() => {}); 0")

    assert box.globals["heard"] == ["unhandled", "after", "caught", "handled", True, 5, False]


def test_late_handling_in_the_same_turn_keeps_it_from_the_host(box: Sandbox) -> None:
    box.eval("""
    var heard = [];
    onunhandledrejection = () => { heard.push("unhandled"); };
    onrejectionhandled = () => { heard.push("handled"); };
    const p = Promise.reject(5);
    setTimeout(() => setTimeout(() => { p.catch(() => {}) }));
    0
    """)
    assert box.globals["heard"] == ["unhandled", "handled"]


def test_the_event_is_a_task_after_those_that_wait(box: Sandbox) -> None:
    box.eval("""
    var heard = [];
    onunhandledrejection = (e) => {
      heard.push(e.reason);
      e.preventDefault();
      Promise.resolve().then(() => heard.push("m"));
    };
    setTimeout(() => { heard.push("timer"); Promise.reject("from the timer") });
    Promise.reject("from the script");
    0
    """)
    assert box.globals["heard"] == ["timer", "from the script", "m", "from the timer", "m"]


def test_an_answer_of_the_host_has_time_to_be_handled() -> None:
    async def fail(text: str) -> None:
        raise ValueError(text)

    with Sandbox(functions={"fail": fail}) as box:
        box.eval(PREVENT_REJECTION)
        found = box.eval("""
        const first = fail("first"), second = fail("second");
        const found = [];
        for (const each of [first, second]) { try { await each } catch (error) { found.push(error.message) } }
        found
        """)
        assert found == ["first", "second"]
        assert box.eval("heard.length") == 0
        box.eval("fail('third'); await fail('fourth').catch(() => {})")
        box.run_until_idle()
        assert box.eval("heard.map(String)") == ["RangeError: third"]


def test_very_many_rejections_cost_no_more_than_they_are(box: Sandbox) -> None:
    box.eval(
        "var heard = 0; onunhandledrejection = (e) => { heard++; e.preventDefault() };"
        "for (let i = 0; i < 20000; i++) Promise.reject(i); 0"
    )
    assert box.globals["heard"] == 20000


def test_nothing_is_left_of_a_turn_that_was_stopped() -> None:
    with Sandbox(limits=Limits(cpu_seconds=0.2)) as box:
        box.eval("var heard = 0; onunhandledrejection = (e) => { heard++; e.preventDefault() }")
        with pytest.raises(CpuLimitExceeded):
            box.eval("Promise.reject(1); for (;;);")
        box.eval("0")
        assert box.globals["heard"] == 0
        box.eval("Promise.reject(2); 0")
        assert box.globals["heard"] == 1


def test_what_the_program_has_replaced_is_not_reached(box: Sandbox) -> None:
    box.eval("""
    dispatchEvent = Event = ErrorEvent = PromiseRejectionEvent = EventTarget.prototype.dispatchEvent = undefined;
    WeakSet.prototype.add = WeakSet.prototype.delete = undefined;
    Object.defineProperty(Object.prototype, "cancelable", { get() { throw new Error("reached") } });
    var heard = 0;
    onerror = () => { heard++; return true };
    onunhandledrejection = (e) => { heard += 10; e.preventDefault() };
    onrejectionhandled = () => { heard += 100 };
    reportError(5);
    var p = Promise.reject(5); 0
    """)
    box.eval("p.catch(() => {}); 0")

    assert box.globals["heard"] == 111


@pytest.mark.parametrize("code", ["onerror = 5; onerror", "onerror", "onunhandledrejection = null"])
def test_handlers_are_null_without_a_function(box: Sandbox, code: str) -> None:
    assert box.eval(code) is None


def test_handlers_are_attributes_of_the_global_object(refused: Callable[[str], str]) -> None:
    code = "Object.getOwnPropertyDescriptor(globalThis, 'onerror').get.call({})"

    assert refused(code) == "TypeError TypeError: Illegal invocation"
