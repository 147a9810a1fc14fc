"""The reporter `spec`: files as they end, what failed with its code, and how it came out; with a bar for a person."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sandbox.cli._terminal import harmless

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from sandbox.cli._terminal import Terminal
    from sandbox.testing import Report, Status, SuiteResult, TestError, TestEvent, TestResult

_RED, _GREEN, _YELLOW, _CYAN = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_MARKS: Final = {
    "passed": (_GREEN, "✓"),
    "failed": (_RED, "✗"),
    "skipped": (_YELLOW, "-"),
    "todo": (_CYAN, "○"),
}
_SLOW_MS: Final = 300.0
_CONSOLE_LINES: Final = 50
_INDENT: Final = "   "


class Spec:
    """Writes for people."""

    def __init__(self, terminal: Terminal, *, color: bool, is_person: bool, shows_tests: bool) -> None:
        """Begin.

        Args:
            terminal: Where it writes.
            color: Whether with colors.
            is_person: Whether a bar shows how far it has come.
            shows_tests: Whether each test has a line, and not only those that failed.
        """
        self._terminal, self._color, self._is_person, self._shows_tests = terminal, color, is_person, shows_tests
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._failed = 0
        self._done = 0

    @contextlib.contextmanager
    def running(self, files: int) -> Iterator[None]:
        """Show a bar while files are run."""
        self._failed = self._done = 0
        if not self._is_person:
            yield
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("files"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[tests]}"),
            TimeElapsedColumn(),
        )
        console = Console(file=self._terminal.out, no_color=not self._color, highlight=False)
        with Progress(*columns, console=console, transient=True, expand=True) as bar:
            self._bar, self._task = bar, bar.add_task("files", total=files, tests="")
            try:
                yield
            finally:
                self._bar = None

    def event(self, event: TestEvent) -> None:
        """Count what happens."""
        if event.result is not None:
            self._done += 1
            self._failed += event.result.status == "failed"
        if self._bar is not None and self._task is not None:
            failed = f"  [red]{self._failed:,} failed[/]" if self._failed else ""
            self._bar.update(self._task, advance=event.kind == "file_end", tests=f"{self._done:,} tests{failed}")

    def suite(self, suite: SuiteResult) -> None:
        """A file has ended; one without a test that is wanted is left out."""
        if not suite.tests and suite.is_ok:
            return
        lines = [self._heading(suite)]
        shown: tuple[str, ...] = ()
        for test in suite.tests:
            if not self._shows_tests and test.status != "failed":
                continue
            for depth, name in enumerate(test.path[:-1]):
                if shown[: depth + 1] != test.path[: depth + 1]:
                    lines.append(f"{'  ' * (depth + 1)}{harmless(name)}")
            shown = test.path[:-1]
            lines.append(self._line(test))
        if suite.console and (self._shows_tests or not suite.is_ok):
            written = "\n".join(suite.console).split("\n")
            lines += [self._styled(_DIM, f"  | {harmless(line)}") for line in written[:_CONSOLE_LINES]]
            if len(written) > _CONSOLE_LINES:
                lines.append(self._styled(_DIM, f"  | ... {len(written) - _CONSOLE_LINES:,} more lines"))
        self._write("\n".join(lines))

    def end(self, report: Report) -> None:
        """All have ended: say why some failed, and how it came out."""
        failures = [(suite, test, error) for suite in report.suites for test in suite.tests for error in test.errors]
        broken = [(suite, error) for suite in report.suites for error in suite.errors]
        parts: list[str] = []
        number = 0
        for suite, test, error in failures:
            number += 1
            title = f"{number}) {harmless(suite.file)} > {harmless(test.full_name)}"
            parts.append(f"\n{self._styled(_BOLD + _RED, title)}\n{self._rendered(error)}")
        for suite, error in broken:
            number += 1
            title = f"{number}) {harmless(suite.file)}"
            parts.append(f"\n{self._styled(_BOLD + _RED, title)}\n{self._rendered(error)}")
        parts.append("\n" + self._summary(report))
        self._write("\n".join(parts))

    def _heading(self, suite: SuiteResult) -> str:
        style, mark = _MARKS["passed" if suite.is_ok else "failed"]
        counts = f"{len(suite.tests):,} test{'' if len(suite.tests) == 1 else 's'}"
        if failed := suite.count("failed"):
            counts += f", {failed:,} failed"
        runner = f" on {harmless(suite.runner)}" if suite.runner else ""
        note = self._styled(_DIM, f"({counts}){runner} {_time(suite.duration_ms)}")
        return f"{self._styled(style, mark)} {self._styled(_BOLD, harmless(suite.file))} {note}"

    def _line(self, test: TestResult) -> str:
        style, mark = _MARKS[test.status]
        note = ""
        if test.duration_ms >= _SLOW_MS:
            note = " " + self._styled(_YELLOW, _time(test.duration_ms))
        if test.attempts > 1:
            note += self._styled(_DIM, f" ({test.attempts} attempts)")
        name = harmless(test.name)
        name = self._styled(_DIM, name) if test.status in ("skipped", "todo") else name
        return f"{'  ' * len(test.path)}{self._styled(style, mark)} {name}{note}"

    def _summary(self, report: Report) -> str:
        files = [suite.is_ok for suite in report.suites if suite.tests or not suite.is_ok]
        rows = [("Files", [("failed", files.count(False)), ("passed", files.count(True))], len(files))]
        statuses: tuple[Status, ...] = ("failed", "passed", "skipped", "todo")
        rows.append(("Tests", [(status, report.count(status)) for status in statuses], report.total))
        lines = []
        for name, counts, total in rows:
            shown = [self._styled(_MARKS[status][0], f"{count:,} {status}") for status, count in counts if count]
            lines.append(f"{self._styled(_BOLD, f'{name:>9}')}  {', '.join(shown) or '0'} ({total:,})")
        totals = {
            kind: sum(suite.snapshots[kind] for suite in report.suites) for kind in ("written", "updated", "obsolete")
        }
        if any(totals.values()):
            text = ", ".join(f"{count:,} {kind}" for kind, count in totals.items() if count)
            lines.append(f"{self._styled(_BOLD, 'Snapshots')}  {text}")
        lines.append(f"{self._styled(_BOLD, '     Time')}  {_time(report.duration_ms)}")
        if report.seed is not None:
            lines.append(f"{self._styled(_BOLD, '     Seed')}  {report.seed}")
        return "\n".join(lines)

    def _rendered(self, error: TestError) -> str:
        columns = self._terminal.columns()
        return _indented(error.render(color=self._color, columns=None if columns is None else columns - len(_INDENT)))

    def _styled(self, style: str, text: str) -> str:
        return f"{style}{text}{_RESET}" if self._color else text

    def _write(self, text: str) -> None:
        if self._bar is None:
            self._terminal.write(text, trusted=True)
            return
        from rich.text import Text

        self._bar.console.print(Text.from_ansi(text), soft_wrap=True)


def _time(milliseconds: float) -> str:
    return f"{milliseconds:,.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:,.2f} s"


def _indented(text: str) -> str:
    return "\n".join(f"{_INDENT}{line}" if line else "" for line in text.split("\n"))
