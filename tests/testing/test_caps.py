"""What a file of tests can make the host hold has an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import Limits
from sandbox.testing import Snapshots, suite
from sandbox.testing.plan import _MAX_NODES
from sandbox.testing.session import _MAX_CONSOLE_CHARS
from sandbox.testing.snapshots import _ASKED_CHARS, MAX_ASKED_CHARS

if TYPE_CHECKING:
    import pytest

    from tests.testing.conftest import Run


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
