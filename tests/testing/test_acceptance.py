"""What people who come from other test runners expect, scene by scene."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from sandbox.testing import Report, run_suites
from sandbox.testing.formats import to_json, to_junit
from tests.testing.conftest import outcome

if TYPE_CHECKING:
    from sandbox.testing import TestEvent
    from tests.testing.conftest import Run


def run_files(folder: Path, files: dict[str, str], **options: Any) -> Report:
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return run_suites([folder / name for name in files], root=folder, **options)


def messages(run: Run, code: str, **options: Any) -> list[str]:
    """What the errors of a file's tests say."""
    return [error.message for test in run(code, **options).tests for error in test.errors]


def test_hooks_of_two_suites_within_one_another(run: Run) -> None:
    suite = run("""
        const order = [], note = (word) => () => { order.push(word) };
        describe("outer", () => {
          beforeAll(note("all")); beforeEach(note("outer")); afterEach(note("/outer"));
          describe("inner", () => {
            beforeEach(note("inner")); afterEach(note("/inner"));
            test("fails", () => { order.push("test"); throw new Error("no") });
            test("passes", note("test"));
          });
          afterAll(() => { console.log(order.join(" ")) });
        });
        describe("later hooks", () => {
          test("has them", () => { expect(late).toBe(1) });
          let late = 0;
          beforeEach(() => { late++ });
        });
    """)
    each = "outer inner test /inner /outer"
    assert suite.console == [f"all {each} {each}"]
    assert suite.count("failed") == 1


def test_what_is_counted(tmp_path: Path) -> None:
    code = """
        test('a', () => {}); test.todo('b'); test.skip('c', () => {});
        describe.skip('s', () => { test('d', () => {}) });
    """
    report = run_files(tmp_path, {"a.test.js": code})
    data = json.loads(to_json(report))
    found = {key: data[key] for key in ("passed", "failed", "skipped", "todo", "total", "success", "exitCode")}
    assert found == {"passed": 1, "failed": 0, "skipped": 2, "todo": 1, "total": 4, "success": True, "exitCode": 0}


def test_only_in_one_suite_leaves_out_all_else(run: Run) -> None:
    code = """
        test("before", () => {});
        describe("a", () => { test("x", () => {}); test.only("y", () => {}) });
        describe("b", () => { describe("c", () => { test("z", () => {}) }) });
    """
    assert outcome(run(code)) == {"a > y": "passed"}


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("test('a', () => { expect.assertions(2); expect(1).toBe(1) })", ["2", "1"]),
        ("test('a', async () => { await new Promise(() => {}) }, 50)", ["Exceeded timeout of 50 ms"]),
        ("test('a', () => { for (;;); }, 50)", ["Exceeded timeout of 50 ms"]),
        ("test.failing('a', () => {})", ["was to fail, and passed"]),
        ("test('a', () => { const f = fn(); f(1); expect(f).toHaveBeenCalledTimes(3) })", ["calls: 3", "calls: 1"]),
        ("test('a', () => { throw { odd: true } })", ["odd"]),
        ("test('a', () => { throw undefined })", ["undefined"]),
        ("test('a', () => Promise.reject(new Error('line one\\nline two')))", ["line one\nline two"]),
    ],
)  # fmt: skip
def test_a_failure_says_why(run: Run, code: str, says: list[str]) -> None:
    (message,) = messages(run, code)
    assert [text for text in says if text not in message] == []


def test_what_nobody_catches_is_of_the_test_that_has_thrown_it(run: Run) -> None:
    """Beside other tests as well, which are none the worse for it."""
    suite = run(
        """
        const wait = (ms) => new Promise((done) => setTimeout(done, ms));
        test.concurrent("waits", async () => { await wait(60) });
        const lose = () => { Promise.reject(new TypeError("lost")) };
        test.concurrent("loses one", async () => { await wait(10); lose(); await wait(20) });
        test.concurrent("fails by itself", async () => { await wait(30); throw new Error("own") });
        test("alone", async () => { setTimeout(() => { throw new RangeError("late") }, 5); await wait(10) });
        test("the next one", () => {});
        """,
        clock="virtual",
    )
    errors = {test.name: [error.title for error in test.errors] for test in suite.tests}
    assert errors == {
        "waits": [],
        "loses one": ["TypeError: lost"],
        "fails by itself": ["Error: own"],
        "alone": ["RangeError: late"],
        "the next one": [],
    }
    assert suite.errors == []


def test_what_nobody_catches_and_no_test_throws_again_is_the_files(run: Run) -> None:
    suite = run(
        """
        setTimeout(() => { throw new RangeError("of the file") }, 10);
        test.concurrent("waits", () => new Promise((done) => setTimeout(done, 60)));
        """,
        clock="virtual",
    )
    assert outcome(suite) == {"waits": "passed"}
    assert [error.title for error in suite.errors] == ["RangeError: of the file"]


def test_counts_of_assertions_begin_anew_with_each_test(run: Run) -> None:
    suite = run("""
        test("two", () => { expect.assertions(2); expect(1).toBe(1); expect(2).toBe(2) });
        test("one", () => { expect.assertions(1); expect(1).toBe(1) });
        test("none", () => {});
        test("again", () => { expect.assertions(1); expect(1).toBe(1) }, { retry: 1 });
    """)
    assert suite.count("passed") == 4


def test_what_mocks_remember(run: Run) -> None:
    suite = run("""
        test("the order of calls", () => {
          const first = fn(), second = fn();
          first("a"); second(); first("b");
          expect([first.mock.invocationCallOrder, second.mock.invocationCallOrder].flat())
            .toEqual([1, 3, 2].map((n) => n + first.mock.invocationCallOrder[0] - 1));
          expect(first.mock.lastCall).toEqual(["b"]);
        });
        test("whose calls", () => {
          const method = fn(function () { return this.n }), owner = { n: 5, method };
          expect(owner.method()).toBe(5);
          expect(method.mock.contexts).toEqual([owner]);
        });
        test("what is in arguments", () => {
          const f = fn();
          f({ id: 1, user: { name: "Ada", age: 36 } }, [1, 2, 3]);
          expect(f).toHaveBeenCalledWith(
            expect.objectContaining({ user: expect.objectContaining({ name: expect.stringMatching(/^A/) }) }),
            expect.arrayContaining([3]),
          );
          expect(f).not.toHaveBeenCalledWith(expect.objectContaining({ user: { name: "Ada" } }), expect.anything());
        });
        test("in turn", () => {
          const f = fn().mockReturnValue(0).mockReturnValueOnce(1).mockImplementationOnce(() => 2);
          expect([f(), f(), f(), f()]).toEqual([1, 2, 0, 0]);
          f.mockClear();
          expect([f(), f.mock.calls.length]).toEqual([0, 1]);
          f.mockReset();
          expect(f()).toBe(undefined);
        });
        test("for promises", async () => {
          const f = fn().mockResolvedValue(1).mockRejectedValueOnce(new TypeError("no"));
          await expect(f()).rejects.toThrow(TypeError);
          await expect(f()).resolves.toBe(1);
        });
    """)
    assert [error.render() for test in suite.tests for error in test.errors] == []


def test_a_file_leaves_nothing_for_the_next_one(tmp_path: Path) -> None:
    """One after the other on one thread: spies, fake time, globals, prototypes and modules."""
    changes = """
        import { state } from "./state.js";
        test("changes everything", () => {
          mock.useFakeTimers({ now: 0 }); spyOn(Math, "max").mockReturnValue(-1);
          globalThis.left = state.n = 1; Array.prototype.at = () => "mine"; expect.extend({ toBeMine: () => 1 });
          expect([Math.max(2, 3), Date.now()]).toEqual([-1, 0]);
        });
    """
    sees = """
        import { state } from "./state.js";
        test("sees nothing of it", () => {
          expect([Math.max(2, 3), [7].at(0), typeof left, state.n, typeof expect(1).toBeMine])
            .toEqual([3, 7, "undefined", 0, "undefined"]);
          expect(Date.now()).toBeGreaterThan(1e12);
        });
    """
    (tmp_path / "state.js").write_text("export const state = { n: 0 }")
    report = run_files(tmp_path, {"a.test.js": changes, "b.test.js": sees}, workers=1)
    assert [error.render() for suite in report.suites for test in suite.tests for error in test.errors] == []
    assert report.exit_code == 0


def test_files_run_beside_each_other(tmp_path: Path) -> None:
    """Four at a time: each waits until all four are there, which none would leave if there were fewer."""
    together = threading.Barrier(4, timeout=20)
    files = {f"{number}.test.js": "test('waits', () => { wait() })" for number in range(8)}
    report = run_files(tmp_path, files, workers=4, functions={"wait": lambda: together.wait() * 0})
    assert report.count("passed") == 8


def test_after_enough_failures_no_more_files_are_begun(tmp_path: Path) -> None:
    begun: list[str] = []

    def note(event: TestEvent) -> None:
        if event.kind == "file_start":
            begun.append(event.file)

    files = {
        "a.test.js": "test('passes', () => {}); test('fails', () => { throw 1 }); test('never', () => { throw 2 })",
        "b.test.js": "throw new Error('never evaluated')",
    }
    report = run_files(tmp_path, files, workers=1, bail=1, on_event=note)
    assert begun == ["/a.test.js"]
    assert outcome(report.suites[0]) == {"passes": "passed", "fails": "failed", "never": "skipped"}
    assert report.exit_code == 1


def test_a_failure_is_shown_where_it_was_written(tmp_path: Path) -> None:
    """In TypeScript, which becomes other text; without what could steer a terminal."""
    code = """enum Color { Red = 'red', Blue = 'blue' }

interface Car {
  color: Color;
}

test('has a colour', () => {
  const car: Car = { color: Color.Red };
  expect<Car>(car).toEqual({ color: '\\x1b[2J' as Color });
});
"""
    report = run_files(tmp_path, {"car.test.ts": code})
    (error,) = json.loads(to_json(report))["suites"][0]["tests"][0]["errors"]
    assert error["place"] == {"file": "/car.test.ts", "line": 9, "column": 20}
    assert ">  9 |   expect<Car>(car).toEqual(" in error["rendered"]
    failure = ElementTree.fromstring(to_junit(report)).find("testsuite/testcase/failure")
    assert failure is not None
    assert ">  9 |" in (failure.text or "")
    assert '"color": "red"' in (failure.text or "")
    assert "\x1b" not in (failure.text or "") + error["rendered"]
    assert report.exit_code == 1


def test_a_file_that_fails_does_not_stop_others(tmp_path: Path) -> None:
    files = {"a.test.js": "throw new Error('at the top')", "b.test.js": "test('b', () => {})", "c.test.js": "let x = 1"}
    report = run_files(tmp_path, files)
    assert [suite.is_ok for suite in report.suites] == [False, True, False]
    assert "must contain at least one test" in report.suites[2].errors[0].message
    assert report.exit_code == 2
