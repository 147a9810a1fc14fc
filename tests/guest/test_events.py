"""Events: how listeners are called, in which order, and what an event tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sandbox import JSError

if TYPE_CHECKING:
    from sandbox import Sandbox

# `heard` collects what listeners say; `on` makes a listener that says its name.
SETUP = """
const heard = [];
const target = new EventTarget();
const on = (name, more) => (event) => { heard.push(name); more?.(event); };
"""


@pytest.fixture
def heard(box: Sandbox) -> Callable[[str], object]:
    """Run code; what its listeners have said."""
    return lambda code: box.eval(f"(() => {{ {SETUP}; {code}; return heard; }})()")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        # The order is that of adding, those that capture first.
        (
            """target.addEventListener("x", on("a"));
               target.addEventListener("x", on("b"), true);
               target.addEventListener("y", on("y"));
               target.addEventListener("x", on("c"));
               target.dispatchEvent(new Event("x"))""",
            ["b", "a", "c"],
        ),
        # The same function is one listener, unless it captures as well.
        (
            """const f = on("f");
               target.addEventListener("x", f);
               target.addEventListener("x", f, { once: true });
               target.addEventListener("x", f, { capture: true });
               target.dispatchEvent(new Event("x"))""",
            ["f", "f"],
        ),
        (
            """const f = on("f");
               target.addEventListener("x", f, { once: true });
               target.dispatchEvent(new Event("x"));
               target.dispatchEvent(new Event("x"))""",
            ["f"],
        ),
        # A listener that calls the same event again is removed before it runs.
        (
            """target.addEventListener("x", on("f", () => target.dispatchEvent(new Event("x"))), { once: true });
               target.dispatchEvent(new Event("x"))""",
            ["f"],
        ),
        # Removal takes effect at once, what is added waits for the next event.
        (
            """const late = on("late");
               target.addEventListener("x", on("a", () => {
                 target.removeEventListener("x", gone);
                 target.addEventListener("x", late);
               }));
               const gone = on("gone");
               target.addEventListener("x", gone);
               target.dispatchEvent(new Event("x"));
               heard.push("again");
               target.dispatchEvent(new Event("x"))""",
            ["a", "again", "a", "late"],
        ),
        (
            """target.addEventListener("x", on("a", (event) => event.stopPropagation()), true);
               target.addEventListener("x", on("b"), true);
               target.addEventListener("x", on("c"));
               target.dispatchEvent(new Event("x"))""",
            ["a", "b"],
        ),
        (
            """target.addEventListener("x", on("a", (event) => event.stopImmediatePropagation()));
               target.addEventListener("x", on("b"));
               const event = new Event("x");
               target.dispatchEvent(event);
               heard.push(event.cancelBubble);
               target.dispatchEvent(event)""",
            ["a", False, "a"],
        ),
        # An object's method is looked up each time.
        (
            """const object = { handleEvent() { heard.push(this === object); } };
               target.addEventListener("x", object);
               target.dispatchEvent(new Event("x"));
               object.handleEvent = on("other");
               target.dispatchEvent(new Event("x"))""",
            [True, "other"],
        ),
        (
            """const event = new Event("x", { cancelable: true });
               target.addEventListener("x", (given) => heard.push(
                 given === event, given.target === target, given.srcElement === target, given.currentTarget === target,
                 given.eventPhase, given.composedPath().length, given.composedPath()[0] === target, given.isTrusted,
               ));
               target.dispatchEvent(event);
               heard.push(event.target === target, event.currentTarget, event.eventPhase);
               heard.push(event.composedPath().length)""",
            [True, True, True, True, 2, 1, True, False, True, None, 0, 0],
        ),
        (
            """for (const options of [{}, { cancelable: true }]) {
                 target.addEventListener("x", (event) => event.preventDefault(), { once: true });
                 heard.push(target.dispatchEvent(new Event("x", options)));
                 target.addEventListener("x", (event) => event.preventDefault(), { once: true, passive: true });
                 heard.push(target.dispatchEvent(new Event("x", options)));
               }""",
            [True, True, False, True],
        ),
        # The same event again, and made anew.
        (
            """const event = new CustomEvent("x", { detail: 1, cancelable: true });
               target.addEventListener("x", (given) => { given.returnValue = false; given.initEvent("no"); });
               target.dispatchEvent(event);
               heard.push(event.type, event.defaultPrevented);
               event.initCustomEvent("y", true, false, 2);
               heard.push(event.type, event.defaultPrevented, event.bubbles, event.cancelable, event.detail)""",
            ["x", True, "y", False, True, False, 2],
        ),
        (
            """target.addEventListener("x", on("f", (event) => {
                 try { target.dispatchEvent(event) } catch (error) { heard.push(error.name) }
               }));
               target.dispatchEvent(new Event("x"))""",
            ["f", "InvalidStateError"],
        ),
        # With a signal.
        (
            """const controller = new AbortController();
               target.addEventListener("x", on("f"), { signal: controller.signal });
               target.dispatchEvent(new Event("x"));
               controller.abort();
               target.dispatchEvent(new Event("x"));
               target.addEventListener("x", on("f"), { signal: controller.signal });
               target.dispatchEvent(new Event("x"))""",
            ["f"],
        ),
        # Null is no listener, but options are read.
        (
            """target.addEventListener("x", null, { get capture() { heard.push("read"); } });
               target.removeEventListener("x", undefined);
               target.dispatchEvent(new Event("x"))""",
            ["read"],
        ),
        (
            """const types = [];
               const read = (name) => ({ get: () => { heard.push(name); }, enumerable: true });
               target.addEventListener("x", on("f"), Object.defineProperties({}, {
                 signal: read("signal"), once: read("once"), passive: read("passive"), capture: read("capture"),
               }))""",
            ["capture", "once", "passive", "signal"],
        ),
        # The global object, with and without its name.
        (
            """addEventListener("x", on("bare", (event) => heard.push(event.target === globalThis)), { once: true });
               globalThis.dispatchEvent(new Event("x"));
               heard.push(globalThis instanceof EventTarget);
               heard.push(addEventListener === EventTarget.prototype.addEventListener)""",
            ["bare", True, True, True],
        ),
        # Classes of the program's own.
        (
            """class Chat extends EventTarget {
                 say(detail) { this.dispatchEvent(new CustomEvent("say", { detail })); }
               }
               const chat = new Chat();
               chat.addEventListener("say", ({ detail }) => heard.push(detail));
               chat.say("hello")""",
            ["hello"],
        ),
        (
            """class Mine extends Event { constructor() { super("mine"); this.more = 1; } }
               target.addEventListener("mine", (event) => heard.push(event instanceof Mine, event.more));
               target.dispatchEvent(new Mine())""",
            [True, 1],
        ),
    ],
)
def test_dispatch(heard: Callable[[str], object], code: str, expected: list[object]) -> None:
    assert heard(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        # An `on…` attribute is one listener, in the place where it was first set.
        (
            """signal.onabort = on("first");
               signal.addEventListener("abort", on("second"));
               signal.onabort = on("changed");
               controller.abort()""",
            ["changed", "second"],
        ),
        (
            """signal.onabort = on("first");
               signal.addEventListener("abort", on("second"));
               signal.onabort = null;
               signal.onabort = on("changed");
               controller.abort()""",
            ["second", "changed"],
        ),
        (
            """const f = on("f");
               signal.onabort = f;
               heard.push(signal.onabort === f);
               signal.addEventListener("abort", f);
               signal.removeEventListener("abort", f);
               controller.abort()""",
            [True, "f"],
        ),
        (
            """signal.onabort = 5;
               heard.push(signal.onabort);
               const object = { handleEvent: on("no") };
               signal.onabort = object;
               heard.push(signal.onabort === object);
               controller.abort()""",
            [None, True],
        ),
        (
            """signal.onabort = function (event) { heard.push(this === signal, event.type, event.isTrusted); };
               controller.abort()""",
            [True, "abort", True],
        ),
        (
            """signal.onabort = () => false;
               heard.push(signal.dispatchEvent(new Event("abort", { cancelable: true })));
               signal.onabort = () => 0;
               heard.push(signal.dispatchEvent(new Event("abort", { cancelable: true })))""",
            [False, True],
        ),
    ],
)
def test_event_handlers(heard: Callable[[str], object], code: str, expected: list[object]) -> None:
    assert heard("const controller = new AbortController(); const { signal } = controller; " + code) == expected


def test_an_exception_in_a_listener_is_reported_and_stops_nobody(box: Sandbox) -> None:
    code = """
    var heard = [];
    const target = new EventTarget();
    target.addEventListener("x", () => { throw new Error("mine") });
    target.addEventListener("x", {});
    target.addEventListener("x", () => heard.push("next"));
    heard.push(target.dispatchEvent(new Event("x")));
    """
    with pytest.raises(JSError, match="mine"):
        box.eval(code)

    assert box.globals["heard"] == ["next", True]


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("new Event('x').type", "x"),
        ("new Event(null).type", "null"),
        ("[new Event('x', { bubbles: 1, composed: 'yes' })].map(e => [e.bubbles, e.cancelable, e.composed])[0].join()",
         "true,false,true"),
        ("new Event('x', null).bubbles", False),
        ("new Event('x').returnValue", True),
        ("[Event.NONE, Event.CAPTURING_PHASE, Event.AT_TARGET, Event.BUBBLING_PHASE].join()", "0,1,2,3"),
        ("new Event('x').BUBBLING_PHASE", 3),
        ("Object.keys(new Event('x')).join()", "isTrusted"),
        ("new Event('x').timeStamp", 0),
        ("new CustomEvent('x').detail", None),
        ("new CustomEvent('x', { detail: 5 }).detail", 5),
        ("Object.prototype.toString.call(new CustomEvent('x'))", "[object CustomEvent]"),
        ("Object.getPrototypeOf(CustomEvent) === Event", True),
        ("Object.values((({ message, filename, lineno, colno }) => ({ message, filename, lineno, colno }))"
         "(new ErrorEvent('x'))).join()", ",,0,0"),
        ("new ErrorEvent('x', { message: 'm', filename: '\\ud800', lineno: 2 ** 32 + 5, colno: 7.9, error: 4 }).lineno",
         5),
        ("new ErrorEvent('x', { filename: '\\ud800' }).filename", "\ufffd"),
        ("typeof new ErrorEvent('x').error", "undefined"),
        ("new PromiseRejectionEvent('x', { promise: Promise.resolve(), reason: 5 }).reason", 5),
    ],
)  # fmt: skip
def test_what_events_hold(box: Sandbox, code: str, value: object) -> None:
    assert box.eval(code) == value


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("Event('x')", "TypeError TypeError: "),
        ("new Event()", "TypeError TypeError: Failed to construct 'Event': 1 argument required"),
        ("new CustomEvent()", "TypeError TypeError: Failed to construct 'CustomEvent': 1 argument required"),
        ("new Event('x', 5)", "TypeError TypeError: Failed to construct 'Event': "),
        ("new Event(Symbol())", "TypeError TypeError: Failed to construct 'Event': "),
        ("new PromiseRejectionEvent('x')", "TypeError TypeError: Failed to construct 'PromiseRejectionEvent': 2"),
        ("new PromiseRejectionEvent('x', {})", "TypeError TypeError: Failed to construct 'PromiseRejectionEvent': "),
        ("new EventTarget().dispatchEvent({})", "TypeError TypeError: Failed to execute 'dispatchEvent' on"),
        ("new EventTarget().addEventListener('x')", "TypeError TypeError: Failed to execute 'addEventListener' on"),
        ("new EventTarget().addEventListener('x', 5)", "TypeError TypeError: Failed to execute 'addEventListener'"),
        ("new EventTarget().addEventListener('x', null, { signal: null })", "TypeError TypeError: Failed to execute"),
        ("EventTarget.prototype.addEventListener.call({}, 'x', null)", "TypeError TypeError: Illegal invocation"),
        ("Object.getOwnPropertyDescriptor(Event.prototype, 'type').get.call({})", "TypeError TypeError: Illegal"),
        ("(() => { 'use strict'; new Event('x').isTrusted = true })()", "TypeError TypeError: "),
        ("Object.defineProperty(new Event('x'), 'isTrusted', { value: true })", "TypeError TypeError: "),
        ("(() => { 'use strict'; Event.NONE = 5 })()", "TypeError TypeError: "),
    ],
)
def test_what_is_refused(refused: Callable[[str], str], code: str, failure: str) -> None:
    assert refused(code).startswith(failure)


def test_how_events_are_shown(logged: Callable[[str], list[str]]) -> None:
    assert logged("console.log(new CustomEvent('x'), new EventTarget())") == [
        "CustomEvent {\n"
        "  type: 'x',\n"
        "  defaultPrevented: false,\n"
        "  cancelable: false,\n"
        "  timeStamp: 0\n"
        "} EventTarget {}"
    ]
