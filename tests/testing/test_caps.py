"""What a file of tests can make the host hold has an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sandbox import Limits
from sandbox.capabilities.testing import TestingCapability
from sandbox.testing import Settings, Snapshots, SuiteRun, suite
from sandbox.testing.plan import _MAX_NODES
from sandbox.testing.session import _MAX_CONSOLE_CHARS
from sandbox.testing.snapshots import _ASKED_CHARS, MAX_ASKED_CHARS

if TYPE_CHECKING:
    import pytest

    from tests.testing.conftest import Run


# Class and attribute -> what bounds it.
CONTAINERS: Final = {
    "Snapshots._edits": "_MAX_SNAPSHOTS",
    "Snapshots._seen": "MAX_ASKED_CHARS",
    "Snapshots._used": "MAX_ASKED_CHARS",
    "Snapshots.counts": "words of the host",
    "SuiteResult.console": "_MAX_CONSOLE_CHARS",
    "SuiteResult.errors": "one of the file, one of each hook of a suite, and MAX_ERROR_CHARS",
    "SuiteResult.tests": "_MAX_NODES",
    "SuiteResult.snapshots": "words of the host",
    "SuiteRun._ended": "the tests of the plan",
    "SuiteRun._modes": "the tests of the plan",
    "SuiteRun.results_by_id": "the tests of the plan",
}


def test_every_container_is_in_the_table() -> None:
    snapshots = Snapshots()
    run = SuiteRun("a.js", Settings(), snapshots)
    found: set[str] = set()
    for owner in (TestingCapability(snapshots), snapshots, run, run.result):
        kind: Any = type(owner)
        names = {
            *getattr(owner, "__dict__", ()),
            *(name for base in kind.__mro__ for name in getattr(base, "__slots__", ())),
        }
        values = {name: getattr(owner, name, None) for name in names}
        found |= {f"{kind.__name__}.{name}" for name, value in values.items() if isinstance(value, list | dict | set)}
    assert found == CONTAINERS.keys()


def test_a_guest_that_says_of_others_that_they_have_ended(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def all_of_them(snapshots: Snapshots, test: int, errors: list[Any], milliseconds: float) -> None:
        for number in (*range(20), test):
            snapshots.on_ended(number, errors, milliseconds)

    monkeypatch.setattr(Snapshots, "ended", all_of_them)
    found = run("test.concurrent('a', async () => {}); test.concurrent('b', async () => {}); test('c', () => {})")
    assert [(test.name, test.status) for test in found.tests] == [("a", "passed"), ("b", "passed"), ("c", "passed")]


def test_snapshots_under_ever_new_names() -> None:
    snapshots = Snapshots()
    text = "x" * 10_000
    told = [snapshots.match(1, f"{number}", text, None, None)[0] for number in range(10_000)]
    kept = told.index(False)
    assert kept <= MAX_ASKED_CHARS // (len(text) + _ASKED_CHARS) + 1
    assert len(snapshots._used) == len(snapshots._seen) == kept
    assert "too many" in snapshots.match(1, "", "", None, None)[2]


def test_inline_snapshots_at_ever_new_places() -> None:
    snapshots = Snapshots(guest_file="/a.js", source=__file__)  # type: ignore[arg-type] # never read
    for number in range(20_000):
        snapshots.match(1, "", "1", None, f"    at x (/a.js:{number + 1}:1)")
    assert len(snapshots._edits) == 10_000


def test_texts_of_errors(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "MAX_ERROR_CHARS", 100_000)
    found = run("for (let i = 0; i < 50; i++) test(`${i}`, () => { throw new Error('x'.repeat(30_000)) })")
    assert found.count("failed") == 50
    assert sum(error.chars for test in found.tests for error in test.errors) < 100_000 + 50 * 1_000


def test_the_console(run: Run) -> None:
    found = run(
        "test('a', () => { for (let i = 0; i < 40; i++) console.log('x'.repeat(100_000)) })",
        limits=Limits(output_bytes=64 << 20),
    )
    assert sum(map(len, found.console)) <= _MAX_CONSOLE_CHARS


def test_tests_without_end(run: Run) -> None:
    found = run("for (;;) test('a', () => {})", limits=Limits(memory_bytes=256 << 20, cpu_seconds=20))
    assert f"at most {_MAX_NODES - 1}" in found.errors[0].message
