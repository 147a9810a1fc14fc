"""AbortController and AbortSignal: reasons, order, signals made of others, and that none is kept for nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox import Sandbox


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("const c = new AbortController(); c.signal === c.signal && !c.signal.aborted", True),
        ("const c = new AbortController(); c.abort(5); c.abort(6); [c.signal.aborted, c.signal.reason].join()",
         "true,5"),
        ("const c = new AbortController(); c.abort(); [c.signal.reason.name, c.signal.reason.code].join()",
         "AbortError,20"),
        ("const c = new AbortController(); c.abort(null); c.signal.reason", None),
        ("AbortSignal.abort(7).reason", 7),
        ("try { AbortSignal.abort('why').throwIfAborted() } catch (error) { error }", "why"),
        ("typeof new AbortController().signal.throwIfAborted()", "undefined"),
        ("AbortSignal.any([]).aborted", False),
        ("AbortSignal.any(new Set([AbortSignal.abort(1), AbortSignal.abort(2)])).reason", 1),
        ("const c = new AbortController(); const s = AbortSignal.any([c.signal, AbortSignal.any([c.signal])]);"
         "c.abort(8); s.reason", 8),
        ("Object.prototype.toString.call(AbortSignal.abort())", "[object AbortSignal]"),
        ("AbortSignal.abort() instanceof EventTarget", True),
    ],
)  # fmt: skip
def test_signals(box: Sandbox, code: str, value: object) -> None:
    assert box.eval(code) == value


def test_states_change_before_any_listener_runs(box: Sandbox) -> None:
    code = """
    const heard = [];
    const c = new AbortController();
    const signals = [c.signal, AbortSignal.any([c.signal]), AbortSignal.any([AbortSignal.any([c.signal])])];
    signals.forEach((signal, i) => signal.addEventListener("abort", () => {
      heard.push(i + signals.map((each) => +each.aborted).join(""));
    }));
    c.abort();
    heard.join(" ")
    """
    assert box.eval(code) == "0111 1111 2111"


def test_a_timeout_is_a_timer_of_the_sandbox(box: Sandbox) -> None:
    code = """
    new Promise((done) => {
      const signal = AbortSignal.any([AbortSignal.timeout(1500), new AbortController().signal]);
      signal.onabort = () => done([performance.now(), signal.reason.name, signal.reason.message]);
    })
    """
    assert box.eval(code) == [1500, "TimeoutError", "The operation was aborted due to timeout"]


@pytest.mark.parametrize(
    "code",
    [
        "var signal = AbortSignal.timeout(1000)",
        "var signal = AbortSignal.any([AbortSignal.timeout(1000), new AbortController().signal])",
        "var signal = AbortSignal.any([AbortSignal.any([AbortSignal.timeout(1000)])])",
        "var signal = AbortSignal.timeout(1000); signal.onabort = () => {}; signal.onabort = null",
        "var signal = AbortSignal.any([AbortSignal.timeout(1000)]); signal.onabort = () => {}; signal.onabort = null",
        "var signal = AbortSignal.timeout(1000); var target = new EventTarget, f = () => {};"
        "target.addEventListener('x', f, { signal }); target.removeEventListener('x', f)",
    ],
)
def test_nothing_waits_for_a_timeout_that_nobody_observes(box: Sandbox, code: str) -> None:
    box.eval(code)
    box.run_until_idle()
    assert box.eval("[performance.now(), signal.aborted]") == [0, False]
    box.tick(999)
    assert box.eval("signal.aborted") is False
    box.tick(1)

    assert box.eval("[signal.aborted, signal.reason.name]") == [True, "TimeoutError"]
    assert box.eval("AbortSignal.any([signal]).aborted") is True


def test_an_observed_timeout_is_an_event_of_a_task(box: Sandbox) -> None:
    code = """
    var heard = [];
    const signal = AbortSignal.timeout(5);
    const combined = AbortSignal.any([signal]);
    combined.onabort = () => heard.push("combined");
    setTimeout(() => { heard.push(signal.aborted, combined.aborted) }, 4);
    setTimeout(() => { heard.push(signal.aborted, combined.aborted) }, 6);
    0
    """
    box.eval(code)
    box.run_until_idle()

    assert box.globals["heard"] == [False, False, "combined", True, True]


def test_a_timeout_that_is_far_away(box: Sandbox) -> None:
    box.eval("var signal = AbortSignal.timeout(Number.MAX_SAFE_INTEGER)")
    assert box.eval("signal.onabort = () => {}; signal.aborted") is False
    box.tick(1000)
    assert box.eval("signal.onabort = null; signal.aborted") is False


def test_a_signal_with_a_listener_is_kept(box: Sandbox) -> None:
    box.eval("""
    var heard = [];
    var c = new AbortController();
    (() => {
      AbortSignal.any([c.signal]).onabort = () => heard.push("any");
      AbortSignal.timeout(5).onabort = () => heard.push("timeout");
      AbortSignal.any([AbortSignal.timeout(10)]).onabort = () => heard.push("any timeout");
    })();
    """)
    box.run_until_idle()
    box.eval("c.abort()")

    assert box.globals["heard"] == ["timeout", "any timeout", "any"]


@pytest.mark.parametrize(
    "use",
    [
        "AbortSignal.any([c.signal])",
        "AbortSignal.any([AbortSignal.any([c.signal]), other.signal])",
        "{ const s = AbortSignal.any([c.signal]); s.onabort = () => {}; s.onabort = null }",
        "{ const t = new EventTarget; const f = () => {}; t.addEventListener('x', f, { signal: c.signal });"
        "t.removeEventListener('x', f) }",
        "{ const t = new EventTarget; t.addEventListener('x', () => {}, { signal: c.signal, once: true });"
        "t.dispatchEvent(new Event('x')) }",
        "c.signal.removeEventListener('abort', f, c.signal.addEventListener('abort', f))",
    ],
)
def test_a_signal_that_lives_long_keeps_nothing(box: Sandbox, use: str) -> None:
    def heap_after(rounds: int) -> int:
        box.eval(f"for (let i = 0; i < {rounds}; i++) {use}; 0")
        return box.usage.heap_bytes

    box.eval("var c = new AbortController, other = new AbortController, f = () => {}")
    before = heap_after(2000)

    assert heap_after(8000) < before + 100_000


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("new AbortSignal", "TypeError TypeError: Illegal constructor"),
        ("AbortController()", "TypeError TypeError: "),
        ("AbortSignal.timeout()", "TypeError TypeError: Failed to execute 'timeout' on 'AbortSignal': 1 argument"),
        ("AbortSignal.timeout(-1)", "TypeError TypeError: Failed to execute 'timeout' on 'AbortSignal': "),
        ("AbortSignal.timeout(Infinity)", "TypeError TypeError: Failed to execute 'timeout' on 'AbortSignal': "),
        ("AbortSignal.any([1])", "TypeError TypeError: Failed to execute 'any' on 'AbortSignal': "),
        ("AbortSignal.any()", "TypeError TypeError: Failed to execute 'any' on 'AbortSignal': 1 argument"),
        ("AbortController.prototype.abort.call({})", "TypeError TypeError: Illegal invocation"),
        ("Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted').get.call(new EventTarget)", "TypeError"),
    ],
)
def test_what_is_refused(refused: Callable[[str], str], code: str, failure: str) -> None:
    assert refused(code).startswith(failure)


def test_how_signals_are_shown(logged: Callable[[str], list[str]]) -> None:
    code = "const c = new AbortController(); c.abort(); Object.defineProperty(c, 'signal', { get() { throw 1 } });"

    assert logged(code + "console.log(c)") == ["AbortController { signal: AbortSignal { aborted: true } }"]


def test_a_timeout_is_never_over_in_the_middle_of_a_task() -> None:
    code = """
    const signal = AbortSignal.timeout(0);
    const until = performance.now() + 3;
    while (performance.now() < until);
    const first = signal.aborted;
    await new Promise((done) => setTimeout(done));
    [first, signal.aborted]
    """
    with Sandbox() as box:
        assert box.eval(code) == [False, True]
