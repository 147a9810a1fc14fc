"""performance, on both clocks."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from sandbox import Sandbox

READ = "[performance.now(), performance.now(), performance.timeOrigin, Date.now()]"


def test_the_virtual_clock_stands_still_while_the_program_runs(box: Sandbox) -> None:
    first, second, origin, _ = box.eval(READ)

    assert first == second == 0
    assert box.eval("await new Promise(go => setTimeout(go, 1234)); performance.now()") == 1234
    assert box.eval("performance.timeOrigin") == origin


def test_the_virtual_clock_advances_by_ticks(box: Sandbox) -> None:
    box.tick(1.5)
    box.tick(0)

    assert box.eval("performance.now()") == 1.5


def test_the_real_clock_goes_on() -> None:
    before = time.time() * 1000
    with Sandbox() as box:
        first, second, origin, now = box.eval(READ)
        waited = box.eval(
            "const from = performance.now(); await new Promise(go => setTimeout(go, 5)); performance.now() - from"
        )
    after = time.time() * 1000

    assert 0 <= first <= second
    assert waited >= 4.9
    # A clock that the operating system sets meanwhile is allowed a second.
    assert before - 1000 <= origin <= now + 1 <= after + 1000
    assert abs(origin + second - now) < 1000


def test_json(box: Sandbox) -> None:
    assert box.eval("Object.keys(performance.toJSON())") == ["timeOrigin"]
    assert box.eval("performance.toJSON().timeOrigin === performance.timeOrigin")
    assert box.eval("JSON.parse(JSON.stringify({ performance })).performance.timeOrigin === performance.timeOrigin")


# --- marks and measures ---


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("performance.mark('a').startTime", 5),
        ("performance.mark('a', { startTime: 3, detail: { b: [1] } }).detail.b", [1]),
        ("performance.mark('a').detail", None),
        ("[performance.mark(5)].map(({ name, entryType, duration }) => [name, entryType, duration])[0].join()",
         "5,mark,0"),
        ("JSON.stringify(performance.mark('a'))", '{"name":"a","entryType":"mark","startTime":5,"duration":0}'),
        ("performance.mark('a', { startTime: 2 }); performance.measure('m', 'a').duration", 3),
        ("performance.measure('m').duration", 5),
        ("performance.measure('m', { start: 1, end: 4 }).duration", 3),
        ("performance.measure('m', { start: 1, duration: 4 }).duration", 4),
        ("performance.measure('m', { end: 4, duration: 1 }).startTime", 3),
        ("performance.measure('m', { detail: 1, start: 1 }).detail", 1),
        ("performance.mark('a', { startTime: 2 }); performance.mark('b', { startTime: 9 });"
         "performance.measure('m', 'a', 'b').duration", 7),
        ("performance.mark('a', { startTime: 2 }); performance.mark('a', { startTime: 1 });"
         "performance.measure('m', 'a').startTime", 1),
        ("new PerformanceMark('a', { startTime: 1 }).startTime + performance.getEntries().length", 1),
        ("performance.mark('b'); performance.mark('a', { startTime: 1 });"
         "performance.measure('m', { start: 2, end: 3 });"
         "performance.getEntries().map((entry) => entry.name).join('')", "amb"),
        ("performance.mark('a'); performance.measure('a'); performance.getEntriesByType('measure').length", 1),
        ("performance.mark('a'); performance.measure('a'); performance.getEntriesByName('a').length", 2),
        ("performance.mark('a'); performance.measure('a'); performance.getEntriesByName('a', 'mark').length", 1),
        ("performance.mark('a'); performance.mark('b'); performance.clearMarks('a'); performance.getEntries()[0].name",
         "b"),
        ("performance.mark('a'); performance.measure('m'); performance.clearMarks(); performance.getEntries()[0].name",
         "m"),
        ("performance.measure('m'); performance.clearMeasures(); performance.getEntries().length", 0),
        ("performance instanceof EventTarget", True),
    ],
)  # fmt: skip
def test_marks_and_measures(box: Sandbox, code: str, value: object) -> None:
    box.tick(5)

    assert box.eval(code) == value


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("performance.mark()", "TypeError TypeError: Failed to execute 'mark' on 'Performance': 1 argument"),
        ("performance.mark('a', { startTime: -1 })", "TypeError TypeError: "),
        ("performance.mark('a', { startTime: NaN })", "TypeError TypeError: "),
        ("performance.mark('a', { detail: () => {} })", "DOMException DataCloneError: "),
        ("performance.measure('m', 'none')", "DOMException SyntaxError: Failed to execute 'measure' on 'Performance'"),
        ("performance.measure('m', { start: 1, end: 2, duration: 1 })", "TypeError TypeError: "),
        ("performance.measure('m', { duration: 1 })", "TypeError TypeError: "),
        ("performance.measure('m', { start: 1 }, 'b')", "TypeError TypeError: "),
        ("performance.measure('m', { start: -1 })", "TypeError TypeError: "),
        ("new PerformanceEntry", "TypeError TypeError: Illegal constructor"),
        ("new PerformanceMeasure", "TypeError TypeError: Illegal constructor"),
        ("new PerformanceObserver()", "TypeError TypeError: "),
        ("new PerformanceObserver(() => {}).observe()", "TypeError TypeError: "),
        ("new PerformanceObserver(() => {}).observe({ entryTypes: ['mark'], type: 'mark' })", "TypeError TypeError: "),
        ("const o = new PerformanceObserver(() => {}); o.observe({ type: 'mark' });"
         "o.observe({ entryTypes: ['mark'] })",
         "DOMException InvalidModificationError: "),
    ],
)  # fmt: skip
def test_what_is_refused(refused: Callable[[str], str], code: str, failure: str) -> None:
    assert refused(code).startswith(failure)


def test_the_newest_entries_are_remembered(box: Sandbox) -> None:
    box.eval("for (let i = 0; i < 50_000; i++) performance.mark(`${i}`); 0")
    count, last = box.eval("[performance.getEntries().length, performance.getEntriesByName('49999').length]")

    assert 10_000 <= count <= 20_000
    assert last == 1


def test_observers_are_told_in_a_task(box: Sandbox) -> None:
    box.eval("""
    var heard = [];
    performance.mark("before");
    const tell = (name) => function (list, observer, { droppedEntriesCount }) {
      const names = list.getEntries().map((entry) => entry.name).join("");
      heard.push(name + names + (this === observer) + droppedEntriesCount);
    };
    new PerformanceObserver(tell("marks ")).observe({ type: "mark", buffered: true });
    const all = new PerformanceObserver(tell("all "));
    all.observe({ entryTypes: ["mark", "measure", "no such"] });
    const none = new PerformanceObserver(tell("none "));
    none.observe({ entryTypes: ["mark"] });
    performance.mark("a");
    performance.measure("b");
    heard.push("sync " + none.takeRecords().length);
    none.disconnect();
    0
    """)
    box.eval("performance.measure('c')")

    assert box.globals["heard"] == ["sync 1", "marks beforeatrue0", "all abtrue0", "all ctrueundefined"]


def test_an_exception_in_an_observer_is_reported(box: Sandbox) -> None:
    box.eval("var heard = []; onerror = (message) => { heard.push(message); return true }")
    box.eval("new PerformanceObserver(() => { throw 5 }).observe({ type: 'mark' }); performance.mark('a'); 0")

    assert box.globals["heard"] == ["Uncaught 5"]


def test_how_entries_are_shown(logged: Callable[[str], list[str]]) -> None:
    assert logged("console.log(performance.mark('a'))") == [
        "PerformanceMark {\n  name: 'a',\n  entryType: 'mark',\n  startTime: 0,\n  duration: 0,\n  detail: null\n}"
    ]
