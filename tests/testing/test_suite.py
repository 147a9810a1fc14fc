"""The run of a file: what is run, in which order, and what comes of what fails, waits or does not end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Limits
from tests.testing.conftest import outcome

if TYPE_CHECKING:
    from sandbox.testing import TestEvent
    from tests.testing.conftest import Run

LOG = "globalThis.log = []; const note = (text) => () => { log.push(text) };"


def _log(run: Run, code: str, **options: Any) -> list[str]:
    """What a file has noted when its last hook runs."""
    suite = run(f"{LOG}{code}\nafterAll(() => {{ console.log(log.join(' ')) }})", **options)
    return suite.console[-1].split(" ")


def test_hooks_go_from_the_outside_to_the_inside_and_back(run: Run) -> None:
    assert _log(
        run,
        """
        beforeAll(note("A")); beforeEach(note("B")); afterEach(note("b"));
        describe("x", () => {
          beforeAll(note("C")); beforeEach(note("D")); afterEach(note("d")); afterAll(note("c"));
          test("1", note("1")); test("2", note("2"));
        });
        test("3", note("3"));
        """,
    ) == ["A", "C", "B", "D", "1", "d", "b", "B", "D", "2", "d", "b", "c", "B", "3", "b"]


def test_hooks_run_after_what_fails(run: Run) -> None:
    suite = run("""
        let left = 0;
        afterEach(() => { left++ });
        test("fails", () => { throw new Error("x") });
        test("spins", () => { for (;;); }, 100);
        test("sees", () => { expect(left).toBe(2) });
    """)
    assert outcome(suite) == {"fails": "failed", "spins": "failed", "sees": "passed"}


def test_what_spins_is_stopped_and_leaves_nothing(run: Run) -> None:
    began = time.perf_counter()
    suite = run("""
        let state = "as before";
        test("spins", () => { state = "changed"; while (true); }, 200);
        test("next", () => { expect(state).toBe("as before") });
    """)
    assert outcome(suite) == {"spins": "failed", "next": "passed"}
    (error,) = suite.tests[0].errors
    assert error.name == "TimeoutError"
    assert error.message.startswith("Exceeded timeout of 200 ms")
    assert error.place is not None
    assert error.place.line == 3
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("for (;;);", "CpuLimitExceeded"),
        ("const a = []; for (;;) a.push('x'.repeat(1000).split(''))", "InternalError"),
        ("await new Promise(() => {})", "TimeoutError"),
        ("const f = () => f(); f()", "RangeError"),
        ("Promise.reject(new TypeError('lost')); await new Promise(r => setTimeout(r, 20))", "TypeError"),
        ("setTimeout(() => { throw new TypeError('late') }); await new Promise(r => setTimeout(r, 20))", "TypeError"),
    ],
    ids=["cpu", "memory", "never", "stack", "rejection", "uncaught"],
)
def test_a_limit_ends_one_test(run: Run, body: str, name: str) -> None:
    suite = run(
        f"test('bad', async () => {{ {body} }}); test('next', () => {{}})",
        limits=Limits(cpu_seconds=0.6, memory_bytes=8 << 20),
        timeout=0.5 if name == "TimeoutError" else 2.0,
    )
    assert outcome(suite) == {"bad": "failed", "next": "passed"}
    assert suite.tests[0].errors[0].name == name


def test_a_hook_that_fails_fails_its_tests_alone(run: Run) -> None:
    suite = run("""
        describe("x", () => { beforeAll(() => { throw new Error("no") }); test("1", () => {}); test("2", () => {}) });
        describe("y", () => { beforeEach(() => { throw new Error("nor") }); test("3", () => {}) });
        describe("z", () => { afterAll(() => { throw new Error("late") }); test("4", () => {}) });
        test("5", () => {});
    """)
    assert outcome(suite) == {"x > 1": "failed", "x > 2": "failed", "y > 3": "failed", "z > 4": "passed", "5": "passed"}
    assert [error.message for test in suite.tests for error in test.errors] == ["no", "no", "nor"]
    assert [error.message for error in suite.errors] == ["late"]


@pytest.mark.parametrize(
    ("code", "statuses"),
    [
        ("test('a', () => {}); test.only('b', () => {})", {"b": "passed"}),
        ("describe('x', () => { test.only('a', () => {}); test('b', () => {}) }); test('c', () => {})", {"x > a": "passed"}),
        (
            "describe.only('x', () => { describe('y', () => { test('a', () => {}) }) }); test('b', () => {})",
            {"x > y > a": "passed"},
        ),
        ("describe.only('x', () => { test.only('a', () => {}); test('b', () => {}) })", {"x > a": "passed"}),
        ("test.skip('a', () => { throw 1 }); test.todo('b'); test('c')", {"a": "skipped", "b": "todo", "c": "todo"}),
        ("describe.skip('x', () => { test('a', () => { throw 1 }) })", {"x > a": "skipped"}),
        ("describe.todo('x', () => { test('a', () => { throw 1 }) })", {"x > a": "todo"}),
        ("test.failing('a', () => { throw 1 }); test.failing('b', () => {})", {"a": "passed", "b": "failed"}),
        ("test.skipIf(true)('a', () => { throw 1 }); test.runIf(true)('b', () => {})", {"a": "skipped", "b": "passed"}),
        ("test('a', {skip: true}, () => {}); test('b', () => {}, {todo: true})", {"a": "skipped", "b": "todo"}),
        ("let n = 0; test('a', () => { if (++n < 3) throw 1 }, {retry: 2})", {"a": "passed"}),
        ("test('a', (done) => { setTimeout(done) }); test('b', (done) => done('no'))", {"a": "passed", "b": "failed"}),
        ("test('a', () => { expect.assertions(2); expect(1).toBe(1) })", {"a": "failed"}),
        ("test('a', () => { expect.hasAssertions() }); test('b', () => { expect.hasAssertions(); expect(1).toBe(1) })",
         {"a": "failed", "b": "passed"}),
        ("test('a', () => { expect.soft(1).toBe(2); expect.soft(1).toBe(3) })", {"a": "failed"}),
        ("test.concurrent('a', async () => {}); test.concurrent('b', async () => { throw 1 })", {"a": "passed", "b": "failed"}),
    ],
)  # fmt: skip
def test_what_is_run(run: Run, code: str, statuses: dict[str, str]) -> None:
    assert outcome(run(code)) == statuses


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("", "must contain at least one test"),
        ("throw new TypeError('at the top')", "at the top"),
        ("test.skip.only('a', () => {})", "cannot be both skip and only"),
        ("test(5n, () => {})", "the name must be"),
        ("test('a', 'b')", "test needs a function"),
        ("test.each([])('a', () => {})", "the table has no rows"),
        ("test.each`a | b\n${1}`('a', () => {})", "each row of the table needs 2 values"),
        ("describe('x', async () => {})", "cannot be asynchronous"),
        ("beforeEach(5)", "beforeEach needs a function"),
        ("import './missing.js'", "cannot find module './missing.js'"),
        ("test('a', () => {}); let = 1", "SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_run(run: Run, code: str, text: str) -> None:
    suite = run(code)
    assert not suite.is_ok
    assert text in suite.errors[0].title


def test_a_test_inside_a_test(run: Run) -> None:
    suite = run("test('a', () => { test('b', () => {}) })")
    assert suite.tests[0].errors[0].message == "test cannot be called in a test"


def test_titles_of_tables(run: Run) -> None:
    suite = run("""
        test.each`a | b | user
          ${1} | ${1} | ${{ name: "Ada" }}`("$a + $b for $user.name, $#, $none", () => {});
        test.each([[1, "x", { y: 1 }]])("%d %s %j %# %% %p", () => {});
        test.each([3, 4])("%i", (n) => { expect(n).toBeGreaterThan(2) });
        test.each([5, 6], [7, 8])("%i before %i", (a, b) => { expect(b - a).toBe(1) });
        describe.each([{ n: 1 }])("n is $n", ({ n }) => { test("t", () => { expect(n).toBe(1) }) });
    """)
    names = [test.full_name for test in suite.tests]
    assert names == [
        "1 + 1 for Ada, 0, $none",
        '1 x {"y":1} 0 % %p',
        "3",
        "4",
        "5 before 6",
        "7 before 8",
        "n is 1 > t",
    ]
    assert suite.is_ok


def test_tests_beside_others_wait_together(run: Run) -> None:
    waits = "await new Promise(r => setTimeout(r, 60_000))"
    suite = run(
        f"for (let i = 0; i < 20; i++) test.concurrent(`${{i}}`, async () => {{ {waits}; expect(i).toBeLessThan(19) }})",
        clock="virtual",
        timeout=100.0,
    )
    assert suite.count("passed") == 19
    assert suite.tests[-1].status == "failed"


def test_one_that_spins_beside_others_costs_only_itself(run: Run) -> None:
    suite = run(
        """
        test.concurrent("a", async () => {});
        test.concurrent("b", async () => { for (;;); }, 100);
        test.concurrent("c", async () => {});
        """,
        limits=Limits(cpu_seconds=0.3),
    )
    assert outcome(suite) == {"a": "passed", "b": "failed", "c": "passed"}


def test_each_test_in_a_twin(run: Run, tmp_path: Any) -> None:
    from sandbox.testing.session import Session
    from sandbox.testing.suite import Settings

    path = tmp_path / "b.test.js"
    path.write_text("""
        let n = 0;
        beforeAll(() => { n = 10 });
        test("a", () => { n++; expect(n).toBe(11) });
        test("b", () => { n++; expect(n).toBe(11) });
        test("spins", () => { for (;;); }, 100);
        test("c", () => { n++; expect(n).toBe(11) });
        afterAll(() => { expect(n).toBe(10) });
    """)
    report = Session(tmp_path, Settings(isolate="test")).run([path])
    assert outcome(report.suites[0]) == {"a": "passed", "b": "passed", "spins": "failed", "c": "passed"}
    assert report.suites[0].errors == []


def test_events_come_as_it_happens(run: Run) -> None:
    seen: list[tuple[str, str]] = []

    def note(event: TestEvent) -> None:
        seen.append((event.kind, " > ".join(event.path) + (f" {event.result.status}" if event.result else "")))

    run("describe('x', () => { test('a', () => {}); test.skip('b', () => {}) })", on_event=note)
    assert seen == [
        ("file_start", ""),
        ("suite_start", "x"),
        ("test_start", "x > a"),
        ("test_end", "x > a passed"),
        ("test_end", "x > b skipped"),
        ("suite_end", "x"),
        ("file_end", ""),
    ]


def test_an_order_by_seed(run: Run) -> None:
    code = "for (let i = 0; i < 20; i++) test(`${i}`, () => {})"
    orders = [[test.name for test in run(code, shuffle=seed).tests] for seed in (None, 1, 1, 2)]
    assert orders[0] == [str(number) for number in range(20)]
    assert orders[1] == orders[2] != orders[3]
    assert sorted(orders[1]) == sorted(orders[0])


def test_a_filter_and_the_end_after_failures(run: Run) -> None:
    code = "describe('x', () => { test('a', () => { throw 1 }); test('b', () => { throw 1 }) }); test('c', () => {})"
    assert outcome(run(code, filter="^x b$")) == {"x > b": "failed"}
    assert outcome(run(code, filter="x > a")) == {"x > a": "failed"}
    assert outcome(run(code, bail=1)) == {"x > a": "failed", "x > b": "skipped", "c": "skipped"}


def test_mocks_and_fake_timers(run: Run) -> None:
    suite = run("""
        import { test, expect, fn, spyOn, mock } from "vitest";
        test("calls", () => {
          const f = fn((a) => a + 1).mockReturnValueOnce(10).mockName("plus");
          expect([f(1), f(1)]).toEqual([10, 2]);
          expect(f).toHaveBeenCalledTimes(2); expect(f).toHaveBeenLastCalledWith(1);
          expect(f).toHaveNthReturnedWith(2, 2); expect(f.mock.calls).toEqual([[1], [1]]);
          expect(f.getMockName()).toBe("plus"); f.mockReset(); expect(f).not.toHaveBeenCalled(); expect(f(1)).toBe(2);
        });
        test("throws", () => {
          const f = fn().mockThrow(new Error("x"));
          expect(f).toThrow("x"); expect(f.mock.results[0].type).toBe("throw"); expect(f).not.toHaveReturned();
        });
        test("promises", async () => {
          const f = fn().mockResolvedValueOnce(1).mockRejectedValueOnce(new Error("no"));
          expect(await f()).toBe(1); await expect(f()).rejects.toThrow("no");
        });
        test("classes", () => {
          class Box { constructor(n) { this.n = n } }
          const F = fn(Box); const made = new F(3);
          expect(made).toBeInstanceOf(Box); expect(made.n).toBe(3); expect(F.mock.instances[0]).toBe(made);
        });
        test("spies", () => {
          const o = { n: 1, add(k) { return this.n + k }, get size() { return 5 } };
          const spy = spyOn(o, "add"); expect(o.add(2)).toBe(3); expect(spy).toHaveBeenCalledWith(2);
          spy.mockReturnValue(9); expect(o.add(2)).toBe(9);
          const size = spyOn(o, "size", "get").mockReturnValue(7); expect(o.size).toBe(7);
          mock.restoreAllMocks(); expect(o.add(2)).toBe(3); expect(o.size).toBe(5); expect(Object.keys(o)).toEqual(["n", "add", "size"]);
          expect(() => spyOn(o, "none")).toThrow("no property 'none'"); expect(() => spyOn(o, "n")).toThrow("not a function");
        });
        test("time", async () => {
          mock.useFakeTimers({ now: 1000 });
          const seen = []; setTimeout(() => seen.push("late"), 50);
          const interval = setInterval(() => { seen.push(Date.now()); if (seen.length === 3) clearInterval(interval) }, 10);
          mock.advanceTimersByTime(25); expect(seen).toEqual([1010, 1020]); expect(new Date().getTime()).toBe(1025);
          expect(performance.now()).toBe(25); mock.runAllTimers(); expect(seen).toEqual([1010, 1020, 1030, "late"]);
          expect(mock.getTimerCount()).toBe(0); mock.setSystemTime(new Date(5)); expect(Date.now()).toBe(5);
          expect(new Date(7) instanceof Date).toBe(true); expect(typeof Date()).toBe("string");
          let done = false; (async () => { await new Promise(r => setTimeout(r, 5)); await new Promise(r => setTimeout(r, 5)); done = true })();
          await mock.advanceTimersByTimeAsync(10); expect(done).toBe(true);
          setInterval(() => {}, 1); expect(() => mock.runAllTimers()).toThrow("start one another");
          mock.useRealTimers(); expect(Date.now()).toBeGreaterThan(1e12);
          expect(() => mock.advanceTimersByTime(1)).toThrow("not fake");
        });
    """)
    assert [error.render() for test in suite.tests for error in test.errors] == []
    assert suite.count("passed") == 6
