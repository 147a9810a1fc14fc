"""Many files of tests, on several threads, each in a sandbox of its own."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Unpack

from sandbox._records import field, record, replace
from sandbox._sandbox import Sandbox
from sandbox.errors import SandboxError, UsageError
from sandbox.modules import NodeModules, SourceTree
from sandbox.testing.coverage import Coverage
from sandbox.testing.measuring import SKIPPED_FOLDERS, CoverageMode, measured, start_telling, unloaded
from sandbox.testing.patterns import PATTERNS
from sandbox.testing.points import Points
from sandbox.testing.results import Report, SuiteResult, TestError
from sandbox.testing.running import expose, take_steps
from sandbox.testing.snapshots import Mode, Snapshots, snapshot_path
from sandbox.testing.suite import Settings, SuiteRun, TestEvent

if TYPE_CHECKING:
    from sandbox._option_types import SandboxOptions
    from sandbox.capabilities import ConsoleEntry
    from sandbox.snapshot import Snapshot

_MAX_CONSOLE_CHARS: Final = 1 << 20
_OWN: Final = ("testing", "record", "console", "on_limit")


def find_files(paths: Iterable[str | Path]) -> list[Path]:
    """The files of tests at some paths, in order: files as they are named, and all in folders that are called as such.

    Raises:
        UsageError: There is nothing at a path.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            inside = {file for pattern in PATTERNS for file in path.rglob(pattern) if file.is_file()}
            found |= dict.fromkeys(
                file
                for file in sorted(inside)
                if not any(
                    part in SKIPPED_FOLDERS or part.startswith(".") for part in file.relative_to(path).parts[:-1]
                )
            )
        elif path.is_file():
            found[path] = None
        else:
            raise UsageError(f"{path}: no such file or folder")
    return list(found)


def shard_of(files: Sequence[Path], shard: str | None) -> list[Path]:
    """The part of some files that is meant by a text such as `2/4`.

    Raises:
        UsageError: It is no such text.
    """
    if shard is None:
        return list(files)
    match = re.fullmatch(r"([0-9]{1,5})/([0-9]{1,5})", shard)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"a shard is a number and how many there are, such as 1/4, not {shard!r}")
    return list(files[int(match[1]) - 1 :: int(match[2])])


@record(slots=True, eq=False)
class Session:
    """How many files are run.

    Attributes:
        root: The folder whose sources the tests may import; files of tests are below it.
        settings: How tests are run.
        snapshots: What becomes of snapshots.
        workers: How many files are run at one time.
        on_event: Told of all that happens, by one thread at a time.
        options: Those of the sandboxes; modules come from `root`, unless they are among them.
        globals: Whether tests find the test environment as globals, too.
        coverage: Which files' coverage is measured; None: none.
    """

    root: Path
    settings: Settings = field(default_factory=Settings)
    snapshots: Mode = "new"
    workers: int = 1
    on_event: Callable[[TestEvent], object] = lambda event: None
    options: Mapping[str, Any] = field(default_factory=dict)
    globals: bool = True
    coverage: CoverageMode | None = None
    _start: Snapshot | None = None
    _failed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.root = self.root.resolve()
        for name in _OWN:
            if self.options.get(name) is not None:
                raise UsageError(f"the option {name!r} is set by the run of the tests")
        packages = self.root / "node_modules"
        found = [SourceTree(self.root), *([NodeModules(packages)] if packages.is_dir() else [])]
        self.options = {"modules": found, **self.options}

    def run(self, files: Sequence[Path]) -> Report:
        """Run files, and wait for all.

        Raises:
            UsageError: A file is not below the root.
            KeyboardInterrupt: Files that run are given up when their piece has ended.
        """
        began = time.perf_counter()
        named = [(file, self.guest_name(file)) for file in files]
        self._failed = 0
        self._stopped.clear()
        if named:
            self.prepare()
        with ThreadPoolExecutor(max(1, min(self.workers, len(named) or 1)), thread_name_prefix="sandbox test") as pool:
            waiting = [pool.submit(self.run_file, file, name) for file, name in named]
            try:
                suites = [each.result() for each in waiting]
            except BaseException:
                self._stopped.set()
                pool.shutdown(cancel_futures=True)
                raise
        report = Report(suites, (time.perf_counter() - began) * 1000, self.settings.seed)
        if self.coverage is not None:
            report.coverage = self.joined_coverage(suites)
        return report

    def joined_coverage(self, suites: Iterable[SuiteResult]) -> Coverage:
        """What the tests of all files together have executed."""
        suites = list(suites)
        found = Coverage.joined(suite.coverage for suite in suites if suite.coverage is not None)
        found = found.without({suite.file for suite in suites})
        if self.coverage == "all":
            known = {*found.files, *(suite.file for suite in suites)}
            found |= unloaded(self.root, known, self.sandbox)
        return found

    def coverage_of(self, run: SuiteRun) -> Coverage | None:
        """What the tests of a file have executed, when they have ended; None: it is not measured."""
        points = run.snapshots.executed
        return None if points is None else measured(points, run.sources(), self.root, (run.file,))

    def guest_name(self, file: Path) -> str:
        """What the guest calls a file.

        Raises:
            UsageError: It is not below the root.
        """
        try:
            return "/" + file.resolve().relative_to(self.root).as_posix()
        except ValueError:
            raise UsageError(f"{file} is not below {self.root}, where tests find their modules") from None

    def prepare(self) -> None:
        """Make what all sandboxes begin with."""
        if self._start is None:
            with Sandbox(testing=True, **self.options) as box:
                if self.globals:
                    expose(box)
                if self.coverage is not None:
                    start_telling(box)
                self._start = box.snapshot()

    def sandbox(self, snapshots: Snapshots, console: Callable[[ConsoleEntry], object] | None = None) -> Sandbox:
        """A sandbox for one file."""
        self.prepare()
        assert self._start is not None
        return Sandbox.restore(
            self._start, **{**self.options, "testing": snapshots, "console": console, "on_limit": "rollback"}
        )

    def suite(self, file: Path, name: str) -> SuiteRun:
        """The run of a file, which is not begun."""
        snapshots = Snapshots(snapshot_path(file), file, name, self.snapshots)
        if self.coverage is not None:
            snapshots.executed = Points()
        settings = self.settings
        return SuiteRun(name, settings, snapshots, self._tell, may_go_on=self._may_go_on)

    def run_file(self, file: Path, name: str) -> SuiteResult:
        """Run one file; any thread."""
        run = self.suite(file, name)
        if not self._may_go_on():
            run.result.errors += [] if self.settings.bail else [TestError("Error", "not run")]
            return run.result
        room = _MAX_CONSOLE_CHARS

        def note(entry: ConsoleEntry) -> None:
            nonlocal room
            if room > 0 and entry.text:
                run.result.console.append(entry.text[:room])
                room -= len(entry.text)

        try:
            with self.sandbox(run.snapshots, note) as box:
                take_steps(box, run, importing(name))
                run.result.coverage = self.coverage_of(run)
        except SandboxError as error:
            run.result.errors.append(TestError.of_exception(error, {}))
        return run.result

    def _may_go_on(self) -> bool:
        return not self._stopped.is_set() and not (self.settings.bail and self._failed >= self.settings.bail)

    def _tell(self, event: TestEvent) -> None:
        with self._lock:
            if event.result is not None and event.result.status == "failed":
                self._failed += 1
            self.on_event(event)


def importing(name: str) -> str:
    """A module that imports a file."""
    literal = "".join(char if char.isalnum() or char in "/._-" else f"\\u{{{ord(char):x}}}" for char in name)
    return f'import "{literal}"'


def run_suites(
    paths: Sequence[str | Path],
    *,
    root: str | Path | None = None,
    workers: int = 1,
    shard: str | None = None,
    snapshots: Mode = "new",
    timeout: float | None = None,
    filter: str | None = None,
    shuffle: int | None = None,
    retries: int = 0,
    bail: int = 0,
    on_event: Callable[[TestEvent], object] | None = None,
    coverage: CoverageMode | None = None,
    **options: Unpack[SandboxOptions],
) -> Report:
    """Run the tests of JavaScript files, each file in a sandbox of its own.

    Args:
        paths: Files, and folders with files that are called `*.test.js`, `*.spec.js` and the like.
        root: The folder whose sources the tests may import; None: the working directory.
        workers: How many files are run at one time.
        shard: Which part of the files is run, such as `"1/4"`; None: all.
        snapshots: `"new"`: those that are missing are written. `"check"`: none is. `"update"`: all are.
        timeout: Seconds for each test and each hook that has none of its own; None: 5.
        filter: A regular expression that is looked for in the full names of tests; None: all are run.
        shuffle: A seed: files and tests are run in another order, the same for the same seed; None: as they stand.
        retries: How often a test that fails is run again.
        bail: After so many failures no more tests are run; 0: all are.
        on_event: Called with each `TestEvent` as it happens.
        coverage: Measure which statements are executed: `"loaded"`, of the sources that tests load, or `"all"`, of
            those below the root that none does as well. The report's `coverage` says it.
        **options: Those of `Sandbox`, which all sandboxes have.

    Raises:
        UsageError: An argument makes no sense, or there is no such file.
    """
    settings = Settings(seed=shuffle, retries=retries, bail=bail, pattern=pattern_of(filter))
    if timeout is not None:
        settings = replace(settings, timeout_ms=timeout * 1000)
    files = shard_of(shuffled(find_files(paths), shuffle), shard)
    session = Session(
        Path.cwd() if root is None else Path(root), settings, snapshots, workers, options=options, coverage=coverage
    )
    if on_event is not None:
        session.on_event = on_event
    return session.run(files)


def pattern_of(text: str | None) -> re.Pattern[str] | None:
    """A regular expression.

    Raises:
        UsageError: It is none.
    """
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise UsageError(f"the filter {text!r} is no regular expression: {error}") from None


def shuffled(files: list[Path], seed: int | None) -> list[Path]:
    """Files in another order, the same for the same seed."""
    import random

    if seed is not None:
        random.Random(seed).shuffle(files)  # noqa: S311 - an order, no secret
    return files
