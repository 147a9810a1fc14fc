"""Timers, on the virtual clock: their order, times, arguments, and what a failing one does to the others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox import JSError, Sandbox

# What each script begins with: `at` notes what happened, and when.
_PRELUDE = "const seen = []; const at = (what) => { seen.push(what + '@' + performance.now()) };"


@pytest.fixture
def seen(box: Sandbox) -> Callable[[str, float], str]:
    """Run a script and then the timers of some milliseconds; what it wrote, in one line."""

    def run(code: str, milliseconds: float) -> str:
        box.eval(_PRELUDE + code)
        box.tick(milliseconds)
        return " ".join(box.eval("seen"))

    return run


@pytest.mark.parametrize(
    ("code", "milliseconds", "expected"),
    [
        ("setTimeout(at, 5, 'a')", 5, "a@5"),
        ("setTimeout(at, 5, 'a')", 4, ""),
        ("setTimeout(at, 0, 'a'); at('now')", 0, "now@0 a@0"),
        ("setTimeout(at, 0, 'a')", 0, "a@0"),
        ("setTimeout((...args) => at(args.join('-')), 1, 1, 2, 3)", 1, "1-2-3@1"),
        ("setTimeout((...args) => at(args.length), 1)", 1, "0@1"),
        # By due time, then by age.
        ("for (const ms of [30, 10, 20, 10]) setTimeout(at, ms, ms)", 30, "10@10 10@10 20@20 30@30"),
        ("setTimeout(at, 1, 'a'); setTimeout(at, 0, 'b'); setTimeout(at, 1, 'c')", 9, "b@0 a@1 c@1"),
        ("setTimeout(at, 2 ** 31 - 1, 'late'); setTimeout(at, 1, 'soon')", 2**31, f"soon@1 late@{2**31 - 1}"),
        # Nested.
        ("setTimeout(() => { at('a'); setTimeout(at, 3, 'b') }, 2)", 9, "a@2 b@5"),
        ("setTimeout(() => { at('a'); setTimeout(at, 0, 'b') }, 2); setTimeout(at, 2, 'c')", 9, "a@2 c@2 b@2"),
        # Cleared: before, by another of the same time, by itself, from afar, twice, wrongly.
        ("clearTimeout(setTimeout(at, 1, 'a')); setTimeout(at, 1, 'b')", 9, "b@1"),
        ("setTimeout(() => clearTimeout(b), 1); const b = setTimeout(at, 1, 'b'); setTimeout(at, 1, 'c')", 9, "c@1"),
        ("const a = setTimeout(() => { at('a'); clearTimeout(a) }, 1); setTimeout(at, 2, 'b')", 9, "a@1 b@2"),
        ("const a = setInterval(() => { at('a'); clearInterval(a) }, 1)", 9, "a@1"),
        ("const a = setInterval(at, 2, 'a'); setTimeout(() => clearTimeout(a), 5)", 9, "a@2 a@4"),
        ("const a = setTimeout(at, 1, 'a'); clearInterval(a); clearInterval(a)", 9, ""),
        ("clearTimeout(); clearTimeout(-1); clearTimeout(99); clearTimeout('x'); setTimeout(at, 1, 'a')", 9, "a@1"),
        # Intervals.
        ("setInterval(at, 3, 'a')", 10, "a@3 a@6 a@9"),
        ("setInterval(at, 2, 'a'); setInterval(at, 3, 'b')", 6, "a@2 b@3 a@4 a@6 b@6"),
        ("setInterval(at, 0, 'a')", 3, "a@1 a@2 a@3"),
        ("setInterval(at, 2, 'a', 'b'); setTimeout(at, 4, 'c')", 4, "a@2 a@4 c@4"),
        # Microtasks run between two timers.
        ("setTimeout(() => { at('a'); queueMicrotask(() => at('m')) }, 1); setTimeout(at, 1, 'b')", 1, "a@1 m@1 b@1"),
        ("setTimeout(() => Promise.resolve().then(() => at('m')), 1); setTimeout(at, 1, 'b')", 1, "m@1 b@1"),
        (
            "(async () => { await new Promise(go => setTimeout(go, 4)); at('a') })(); setTimeout(at, 4, 'b')",
            4,
            "a@4 b@4",
        ),
        ("queueMicrotask(() => at('m')); at('now'); setTimeout(at, 0, 'a')", 0, "now@0 m@0 a@0"),
    ],
)
def test_order_and_times(seen: Callable[[str, float], str], code: str, milliseconds: float, expected: str) -> None:
    assert seen(code, milliseconds) == expected


def test_ids_are_positive_and_count_up(box: Sandbox) -> None:
    assert box.eval("[setTimeout(() => {}), setInterval(() => {}), setTimeout(() => {})]") == [1, 2, 3]


def test_the_callback_gets_the_global_object(box: Sandbox) -> None:
    code = "new Promise(done => setTimeout(function () { 'use strict'; done(this === globalThis) }))"

    assert box.eval(code) is True


@pytest.mark.parametrize("callback", ["'code()'", "undefined", "{}", "null"])
@pytest.mark.parametrize("name", ["setTimeout", "setInterval"])
def test_a_callback_is_a_function(refused: Callable[[str], str], name: str, callback: str) -> None:
    assert refused(f"{name}({callback}, 1)") == (
        f"TypeError TypeError: Failed to execute '{name}' on 'Window': The callback provided is not a function."
    )


def test_ten_thousand_timers_run_in_order(box: Sandbox) -> None:
    code = """
    const dues = [], due = [];
    for (let i = 0, random = 1; i < 10_000; i++) {
      random = (random * 48271) % 2147483647;
      const ms = random % 1000;
      const id = setTimeout(() => dues.push(ms + id / 1e6), ms);
      if (random % 7 === 0) clearTimeout(id);
      else due.push(ms + id / 1e6);
    }
    """
    box.eval(code)
    box.tick(1000)

    assert box.eval("due.length > 8000 && due.length < 9000")
    assert box.eval("dues.join() === due.sort((a, b) => a - b).join()")


def test_many_intervals_and_their_end(box: Sandbox) -> None:
    code = """
    const counts = Array(100).fill(0);
    const ids = counts.map((_, i) => setInterval(() => { if (++counts[i] === i) clearInterval(ids[i]) }, 1 + i % 3));
    """
    box.eval(code)
    box.tick(300)

    assert box.eval("counts.every((count, i) => count === (i === 0 ? 300 : i))")


def test_an_error_in_a_callback_leaves_the_others(box: Sandbox) -> None:
    box.eval("const seen = []; for (const i of [1, 2, 3]) setTimeout(() => { seen.push(i); if (i === 2) throw i }, i)")

    with pytest.raises(JSError):
        box.run_until_idle()
    box.run_until_idle()
    assert box.eval("seen") == [1, 2, 3]


def test_an_interval_survives_its_error(box: Sandbox) -> None:
    box.eval("let n = 0; setInterval(() => { if (++n === 2) throw new Error('two') }, 1)")

    with pytest.raises(JSError, match="two"):
        box.tick(5)
    box.tick(5)
    assert box.eval("n") >= 6


def test_timers_of_one_eval_run_in_the_next(box: Sandbox) -> None:
    box.eval("globalThis.ran = 0; setTimeout(() => { ran++ }, 50)")

    assert box.eval("new Promise(go => setTimeout(() => go(ran), 60))") == 1
