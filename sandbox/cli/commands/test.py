"""The command `test`: JavaScript tests, each file in a sandbox of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sandbox._records import field, record
from sandbox.cli._amounts import parse_bytes, parse_seconds
from sandbox.cli._commands import command_app, examples, with_flags
from sandbox.cli._config import ConfigFlags
from sandbox.cli._coverage import CoverageFlags, show_coverage
from sandbox.cli._exit import Exit
from sandbox.cli._flags import ColorFlags, UsageError
from sandbox.cli._grants import GrantFlags
from sandbox.cli._terminal import Terminal, discard_output
from sandbox.errors import UsageError as SandboxUsageError
from sandbox.limits import Limits

if TYPE_CHECKING:
    from sandbox.testing import Coverage, Report, SuiteResult, TestEvent
    from sandbox.testing.session import Session

_REPORTERS: Final = ("spec", "json", "junit", "tap")
_WATCH_SECONDS: Final = 0.4
_RUN: Final = "Which tests, and how"
_REPORT: Final = "Report"


app: typer.Typer = command_app()


@app.command(
    epilog=examples(
        ("sandbox test", "all *.test.js and *.spec.js below this folder"),
        ("sandbox test src -t parser --watch", "some, again whenever a file changes"),
        ("sandbox test --coverage-all --coverage-dir out", "what the tests execute, as a table and as pages"),
        ("sandbox test --reporter junit --output report.xml", "for a CI server"),
    )
)
@with_flags
def test(
    *,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATHS]", help="Files, and folders with *.test.js, *.spec.js. [dim]Default: .[/dim]"),
    ] = None,
    root: Annotated[
        Path, typer.Option("--root", metavar="DIR", help="The folder whose sources tests may import.")
    ] = Path(),
    workers: Annotated[
        int | None,
        typer.Option("--workers", "-w", metavar="N", min=1, rich_help_panel=_RUN, help="Files that run at one time."),
    ] = None,
    filter: Annotated[
        str | None,
        typer.Option("--filter", "-t", metavar="REGEX", rich_help_panel=_RUN, help="Only tests with such full names."),
    ] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", metavar="I/N", rich_help_panel=_RUN, help="A part of the files.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", rich_help_panel=_RUN, help="Shuffle files and tests.")
    ] = None,
    bail: Annotated[
        int, typer.Option("--bail", metavar="N", min=0, rich_help_panel=_RUN, help="Stop after so many failures.")
    ] = 0,
    retries: Annotated[
        int, typer.Option("--retries", metavar="N", min=0, max=100, rich_help_panel=_RUN, help="For failing tests.")
    ] = 0,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", rich_help_panel=_RUN, help="For each test and hook.")
    ] = "5s",
    isolate: Annotated[
        str,
        typer.Option(
            "--isolate",
            metavar="suite|test",
            rich_help_panel=_RUN,
            help="What begins anew: each file, or each test, in a twin of its file's sandbox.",
        ),
    ] = "suite",
    watch: Annotated[
        bool, typer.Option("--watch", metavar="", rich_help_panel=_RUN, help="Run files again when sources change.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", "-u", metavar="", rich_help_panel=_RUN, help="Write all snapshots anew.")
    ] = False,
    ci: Annotated[
        bool, typer.Option("--ci", metavar="", rich_help_panel=_RUN, help="Write no snapshots, not even new ones.")
    ] = False,
    reporter: Annotated[
        str, typer.Option("--reporter", metavar="spec|json|junit|tap", rich_help_panel=_REPORT, help="What is printed.")
    ] = "spec",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", rich_help_panel=_REPORT, help="Where it goes, in place of here."
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", metavar="", rich_help_panel=_REPORT, help="A line for each test.")
    ] = False,
    memory: Annotated[str, typer.Option("--memory", metavar="SIZE", help="Memory of each sandbox.")] = "64MB",
    cpu: Annotated[str, typer.Option("--cpu", metavar="TIME", help="CPU time of each test and hook.")] = "5s",
    virtual_clock: Annotated[
        bool, typer.Option("--virtual-clock", metavar="", help="Timers take no time: the clock jumps to the next one.")
    ] = False,
    measuring: CoverageFlags,
    grants: GrantFlags,
    _config: ConfigFlags,
    color: ColorFlags,
) -> int:
    """Run JavaScript tests, each file in a sandbox of its own.

    Exit status: 0 all passed, 1 a test failed or too little was executed, 2 a file could not be run.
    """
    from sandbox.testing.session import Session, find_files, pattern_of, shard_of, shuffled
    from sandbox.testing.suite import Settings

    if reporter not in _REPORTERS:
        raise UsageError(f"--reporter: {reporter!r} is none of {', '.join(_REPORTERS)}")
    if isolate not in ("suite", "test"):
        raise UsageError(f"--isolate: {isolate!r} is neither suite nor test")
    if update and ci:
        raise UsageError("--update and --ci contradict each other")
    terminal = color.terminal()
    try:
        limits = Limits(memory_bytes=parse_bytes(memory), cpu_seconds=_finite(cpu), wall_seconds=None)
        settings = Settings(_finite(timeout) * 1000, retries, pattern_of(filter), seed, bail, isolate)  # type: ignore[arg-type] # checked above
        wanted = paths or [Path()]

        def find() -> list[Path]:
            return shard_of(shuffled(find_files(wanted), seed), shard)

        files = find()
        options: dict[str, Any] = grants.make()
        if virtual_clock:
            options["clock"] = "virtual"
        session = Session(
            root,
            settings,
            "update" if update else "check" if ci else "new",
            workers or os.cpu_count() or 1,
            options={**options, "limits": limits},
            coverage=measuring.mode,
        )
        measuring.least()
        if not files and shard is None:
            raise UsageError(f"there are no files of tests in {', '.join(map(str, wanted))}")
        show = _Show(terminal, reporter, output, measuring, is_verbose=verbose or len(files) == 1)
        report = show.run(session, files)
        if watch:
            _watch(session, show, find, report)
        if filter is not None and shard is None and not report.total and report.is_ok:
            raise UsageError(f"--filter: no test has a full name in which {filter!r} is found")
    except (ValueError, SandboxUsageError) as error:
        raise UsageError(str(error)) from None
    except BrokenPipeError:
        discard_output()
        return Exit.BROKEN_PIPE
    return report.exit_code or (Exit.GUEST_ERROR if show.shortfalls else Exit.OK)


def _finite(text: str) -> float:
    seconds = parse_seconds(text)
    if not 0 < seconds < 86_400:
        raise ValueError(f"{text!r} is no time for a test")
    return seconds


@record(slots=True)
class _Show:
    """Runs files and shows what comes of them."""

    terminal: Terminal
    reporter: str
    output: Path | None
    measuring: CoverageFlags
    is_verbose: bool
    shortfalls: list[str] = field(default_factory=list)

    def run(self, session: Session, files: Sequence[Path]) -> Report:
        from sandbox.cli._test_spec import Spec

        terminal = self.terminal
        # Where the report is for a program, people still see how far it has come.
        is_spec = self.reporter == "spec" and self.output is None
        spec = Spec(
            terminal,
            color=terminal.output_color,
            is_person=terminal.is_person and (is_spec or self.output is not None),
            shows_tests=self.is_verbose,
        )

        def tell(event: TestEvent) -> None:
            spec.event(event)
            if event.suite is not None and is_spec:
                spec.suite(event.suite)

        session.on_event = tell
        with spec.running(len(files)):
            report = session.run(files)
        if is_spec:
            spec.end(report)
        else:
            self._write(report)
        if report.coverage is not None:
            self._cover(report.coverage, session.root, is_spec=is_spec or self.output is not None)
        return report

    def _cover(self, coverage: Coverage, root: Path, *, is_spec: bool) -> None:
        if is_spec:
            show_coverage(coverage, self.terminal)
        self.measuring.write(coverage, root)
        self.shortfalls = self.measuring.shortfalls(coverage)
        for each in self.shortfalls:
            self.terminal.write(each, error=True)

    def _write(self, report: Report) -> None:
        from sandbox.testing import formats

        if self.reporter == "spec":
            from io import StringIO

            from sandbox.cli._test_spec import Spec

            stream = StringIO()
            spec = Spec(
                Terminal(stream, stream, color=False), color=False, is_person=False, shows_tests=self.is_verbose
            )
            for suite in report.suites:
                spec.suite(suite)
            spec.end(report)
            text = stream.getvalue().rstrip("\n")
        else:
            write = {"json": formats.to_json, "junit": formats.to_junit, "tap": formats.to_tap}[self.reporter]
            text = write(report)
        if self.output is None:
            self.terminal.write(text)
            return
        try:
            self.output.write_text(text + "\n", "utf-8", errors="backslashreplace")
        except OSError as error:
            raise UsageError(f"--output: {self.output}: {error.strerror or error}") from None


def _watch(session: Session, show: _Show, find: Callable[[], Sequence[Path]], report: Report) -> None:
    """Run files again of which a module has changed, and new ones, until Ctrl-C."""
    suites = {suite.file: suite for suite in report.suites}
    while True:
        before = _stamps(session, find, suites)
        show.terminal.write("Waiting for changes; Ctrl-C ends it.", error=True)
        while (now := _stamps(session, find, suites)) == before:
            time.sleep(_WATCH_SECONDS)
        changed = {name for name in {*before, *now} if before.get(name) != now.get(name)}
        named = {session.guest_name(file): file for file in find()}
        again = [file for name, file in named.items() if _must_run(name, suites.get(name), changed)]
        suites = {name: suite for name, suite in suites.items() if name in named}
        if again:
            suites |= {suite.file: suite for suite in show.run(session, again).suites}


def _must_run(name: str, suite: SuiteResult | None, changed: Collection[str]) -> bool:
    """Whether a file is concerned; one that could not be run may lack a module whose name is not known."""
    return suite is None or bool(suite.errors) or name in changed or not suite.modules.isdisjoint(changed)


def _stamps(
    session: Session, find: Callable[[], Sequence[Path]], suites: Mapping[str, SuiteResult]
) -> dict[str, tuple[int, int] | None]:
    """The state of all files that count, by name."""
    from sandbox.testing.measuring import source_names

    names = {name for suite in suites.values() for name in suite.modules}
    if any(suite.errors for suite in suites.values()):
        names.update(source_names(session.root))
    paths = {name: session.root / name.lstrip("/") for name in names}
    with suppress(SandboxUsageError):  # what was named is gone, and may come back
        paths |= {session.guest_name(file): file for file in find()}
    return {name: _stamp(path) for name, path in paths.items()}


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
