"""One file of tests: what is asked of its guest, piece by piece, and what comes of it. No input or output.

Each hook and each body is a run of the sandbox, so that the limits of a run are those of a piece. Where one reaches a
limit, a sandbox with `on_limit="rollback"` is what it was before that piece, and the next one goes on from there.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from sandbox._records import field, record
from sandbox.errors import SandboxError, WallLimitExceeded
from sandbox.testing.plan import ROOT, Hooks, Mode, Node, Plan, read_plan
from sandbox.testing.results import Status, SuiteResult, TestError, TestResult, is_limit, read_errors

if TYPE_CHECKING:
    from sandbox.testing.snapshots import Snapshots

# The guest ends what waits by itself; what does not look up is stopped so much later.
_GRACE_SECONDS: Final = 0.1
_LOAD_SECONDS: Final = 30.0
MAX_ERROR_CHARS: Final = 16 << 20
"""What the errors of a file hold of its texts; further ones are kept in few words, and one of each test."""

EventKind = Literal["file_start", "suite_start", "test_start", "test_end", "suite_end", "file_end"]


@record(frozen=True, slots=True)
class TestEvent:
    """Something that has happened in the run of a file.

    Attributes:
        kind: What it is.
        file: The file.
        path: Names of the suites around the test or suite and its own; empty: the file.
        result: What came of the test; None: no test has ended.
        suite: What came of the file; None: it has not ended.
    """

    __test__ = False

    kind: EventKind
    file: str
    path: tuple[str, ...] = ()
    result: TestResult | None = None
    suite: SuiteResult | None = None


@record(frozen=True, slots=True)
class Settings:
    """How tests are run.

    Attributes:
        timeout_ms: For each hook and each body, where it has none of its own.
        retries: How often a test is run again that fails, where it says nothing itself.
        pattern: Is looked for in the full names of tests; None: all are run.
        seed: Of another order; None: that of the files.
        bail: After so many failures no more tests are run; 0: all are.
        isolate: `"suite"`: the tests of a file share what they change, as elsewhere. `"test"`: each runs in a twin of
            the sandbox as it is after the hooks before all, and what it changes is gone with it.
    """

    timeout_ms: float = 5000.0
    retries: int = 0
    pattern: re.Pattern[str] | None = None
    seed: int | None = None
    bail: int = 0
    isolate: Literal["suite", "test"] = "suite"


@record(frozen=True, slots=True)
class Ask:
    """What is to be done with the sandbox next; the answer, or the exception, is sent back.

    Attributes:
        kind: `"evaluate"`: the file. `"enter"`: ask the bindings. `"fork"`: go on in a twin. `"join"`: close the twin.
            `"pause"`: nothing; the file is loaded.
        name: What the bindings are asked.
        arguments: With what.
        seconds: The wall time that it may take.
    """

    kind: Literal["evaluate", "enter", "fork", "join", "pause"]
    name: str = ""
    arguments: tuple[Any, ...] = ()
    seconds: float | None = None


_T = TypeVar("_T")
Steps = Generator[Ask, Any, _T]
"""What is asked of a sandbox, one after the other."""


@record(slots=True, eq=False)
class SuiteRun:
    """The run of one file.

    Attributes:
        file: Its name in the guest.
        settings: How it is run.
        snapshots: What values are compared with; the guest's listener.
        on_event: Told of all that happens.
        sources: Gives the programs by file name, for errors.
        may_go_on: Whether more tests may be begun.
        result: What came of the file.
        results_by_id: What came of the tests that have ended, by id.
        is_loaded: Whether the file was evaluated, so that there is a plan, or an error.
    """

    file: str
    settings: Settings
    snapshots: Snapshots
    on_event: Callable[[TestEvent], object] = lambda event: None
    sources: Callable[[], Mapping[str, str]] = dict
    may_go_on: Callable[[], bool] = lambda: True
    result: SuiteResult = field(init=False)
    results_by_id: dict[int, TestResult] = field(init=False, default_factory=dict)
    is_loaded: bool = field(init=False, default=False)
    _plan: Plan = field(init=False, default_factory=lambda: Plan([]))
    _modes: dict[int, Mode | Literal["excluded"]] = field(init=False, default_factory=dict)
    _ended: dict[int, tuple[list[TestError], float]] = field(init=False, default_factory=dict)
    _failed: int = field(init=False, default=0)
    _error_chars: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.result = SuiteResult(self.file)
        self.snapshots.on_ended = self._note_ended

    def load(self) -> Steps[None]:
        """Evaluate the file, and read what it declares."""
        self.on_event(TestEvent("file_start", self.file))
        try:
            yield Ask("evaluate", seconds=_LOAD_SECONDS)
            answer = yield Ask("enter", "testing.plan", (0,), _LOAD_SECONDS)
            self._plan = read_plan(answer)
        except SandboxError as error:
            self.result.errors.append(self._reason(error))
            return
        if not self._plan.tests:
            self.result.errors.append(TestError("Error", f"{self.file} must contain at least one test"))
        self._modes = self._plan.modes(self.settings.pattern)
        if self.settings.seed is not None:
            self._plan.shuffled(self.settings.seed)
        self.snapshots.name_of = lambda test: " > ".join(self._plan.path(self._plan.nodes[test]))

    @property
    def modes(self) -> Mapping[int, Mode | Literal["excluded"]]:
        """What becomes of each test, by id."""
        return self._modes

    def select(self, tests: Collection[int]) -> None:
        """Leave out all other tests; once the file is loaded."""
        for test in self._modes:
            if test not in tests:
                self._modes[test] = "excluded"

    @property
    def plan(self) -> Plan:
        """What the file declares, once it is loaded."""
        return self._plan

    def steps(self) -> Steps[None]:
        """All of it; `result` is complete when they are taken."""
        began = time.perf_counter()
        yield from self.load()
        self.is_loaded = True
        yield Ask("pause")
        if self._plan.nodes and not self.result.errors:
            yield from self._suite(self._plan.nodes[ROOT], [])
        self.end(began)

    def end(self, began: float) -> None:
        """Write down what is to be, and say that the file is done."""
        is_complete = not self._failed and "excluded" not in self._modes.values() and not self.result.errors
        self.snapshots.finish(self.result, is_complete=is_complete)
        self.result.duration_ms = (time.perf_counter() - began) * 1000
        self.result.modules = frozenset(self.sources())
        self.on_event(TestEvent("file_end", self.file, suite=self.result))

    # --- suites ---

    def _suite(self, suite: Node, inherited: Sequence[TestError]) -> Steps[None]:
        children = self._plan.children[suite.id]
        if suite.id != ROOT:
            self.on_event(TestEvent("suite_start", self.file, self._plan.path(suite)))
        errors = list(inherited)
        is_wanted = any(self._modes[test.id] == "run" for test in self._tests_in(suite))
        if is_wanted and not errors and suite.hooks & Hooks.BEFORE_ALL:
            errors = yield from self._piece("beforeAll", suite, self._hook_seconds())
        for is_together, group in itertools.groupby(children, self._runs_together):
            if is_together:
                yield from self._together(list(group), errors)
                continue
            for node in group:
                yield from self._suite(node, errors) if node.is_suite else self._test(node, errors)
        if is_wanted and suite.hooks & Hooks.AFTER_ALL:
            self.result.errors += yield from self._piece("afterAll", suite, self._hook_seconds())
        if suite.id != ROOT:
            self.on_event(TestEvent("suite_end", self.file, self._plan.path(suite)))

    def _tests_in(self, suite: Node) -> Iterator[Node]:
        for node in self._plan.children[suite.id]:
            if node.is_suite:
                yield from self._tests_in(node)
            else:
                yield node

    def _runs_together(self, node: Node) -> bool:
        is_meant = not node.is_suite and node.is_concurrent and self._modes[node.id] == "run"
        return is_meant and self.settings.isolate == "suite"

    # --- tests ---

    def _test(self, test: Node, inherited: Sequence[TestError]) -> Steps[None]:
        mode = self._modes[test.id]
        if mode == "excluded":
            return
        if mode != "run" or self._is_over():
            self._tell(test, "todo" if mode == "todo" else "skipped")
            return
        self.on_event(TestEvent("test_start", self.file, self._plan.path(test)))
        began, errors, attempts = time.perf_counter(), list(inherited), 0
        if not errors:
            for attempts in range(1, 2 + self._retries(test)):  # noqa: B007 - told afterwards
                errors = self._judged(test, (yield from self._attempt(test)))
                if not errors:
                    break
        self._tell_ran(test, errors, (time.perf_counter() - began) * 1000, attempts)

    def _attempt(self, test: Node) -> Steps[list[TestError]]:
        self.snapshots.begin(test.id)
        if self.settings.isolate == "test":
            try:
                yield Ask("fork")
            except SandboxError as error:
                return [self._reason(error)]
        hooks = Hooks(0)
        for suite in self._plan.around(test):
            hooks |= suite.hooks
        errors: list[TestError] = []
        if hooks & Hooks.BEFORE_EACH:
            errors = yield from self._piece("beforeEach", test, self._hook_seconds())
        if not errors:
            errors = yield from self._piece("body", test, self._body_seconds(test))
        if hooks & Hooks.AFTER_EACH:
            errors += yield from self._piece("afterEach", test, self._hook_seconds())
        if self.settings.isolate == "test":
            yield Ask("join")
        return errors

    def _together(self, tests: list[Node], inherited: Sequence[TestError]) -> Steps[None]:
        """Tests at the same time; what a limit, or what nobody caught, has cut off runs again one by one."""
        if inherited or self._is_over():
            for test in tests:
                yield from self._test(test, inherited)
            return
        waiting = {test.id: test for test in tests}
        for test in tests:
            self.snapshots.begin(test.id)
            self.on_event(TestEvent("test_start", self.file, self._plan.path(test)))
        seconds = max(map(self._body_seconds, tests)) + 2 * self._hook_seconds()
        ask = Ask("enter", "testing.together", ([*waiting], self.settings.timeout_ms), seconds)
        stray: TestError | None = None
        try:
            yield ask
        except SandboxError as error:
            stray = None if is_limit(error) else self._reason(error)
        ended, self._ended = self._ended, {}
        for number, (found, milliseconds) in ended.items():
            if number not in waiting:
                continue  # the guest names any test of the file
            test = waiting.pop(number)
            errors = self._judged(test, found)
            if errors and self._retries(test):
                waiting[number] = test
                continue
            self._tell_ran(test, errors, milliseconds, 1)
        failed = self._failed
        for test in waiting.values():
            yield from self._test(test, ())
        if stray is not None and self._failed == failed:
            self.result.errors.append(stray)  # of none of those that were cut off: it is the file's

    def _note_ended(self, test: int, errors: Sequence[Any], milliseconds: float) -> None:
        """See `SuiteListener`."""
        if test in self._modes:
            self._ended[test] = (self._kept(read_errors(errors, self.sources())), milliseconds)

    def _kept(self, errors: list[TestError]) -> list[TestError]:
        """As much of some errors as there is room for."""
        chars = sum(error.chars for error in errors)
        if self._error_chars + chars <= MAX_ERROR_CHARS:
            self._error_chars += chars
            return errors
        return [error.brief() for error in errors[:1]]

    def _piece(self, kind: str, node: Node, seconds: float) -> Steps[list[TestError]]:
        try:
            answer = yield Ask("enter", "testing.piece", (kind, node.id, self.settings.timeout_ms), seconds)
            if answer == []:
                return []
            return [self._placed(error, node) for error in self._kept(read_errors(answer, self.sources()))]
        except SandboxError as error:
            return [self._placed(self._stopped(error, kind, node), node)]

    def _judged(self, test: Node, errors: list[TestError]) -> list[TestError]:
        """What is wrong with a test: one that is to fail must."""
        if not test.fails:
            return errors
        if errors:
            return []
        return [self._placed(TestError("Error", "the test was to fail, and passed", sources=self.sources()), test)]

    # --- times and reasons ---

    def _retries(self, test: Node) -> int:
        return self.settings.retries if test.retries is None else test.retries

    def _body_seconds(self, test: Node) -> float:
        own = self.settings.timeout_ms if test.timeout_ms is None else test.timeout_ms
        return own / 1000 + _GRACE_SECONDS

    def _hook_seconds(self) -> float:
        return self.settings.timeout_ms / 1000 + _GRACE_SECONDS

    def _reason(self, error: SandboxError) -> TestError:
        return TestError.of_exception(error, self.sources())

    def _stopped(self, error: SandboxError, kind: str, node: Node) -> TestError:
        if isinstance(error, WallLimitExceeded):
            own = node.timeout_ms if kind == "body" and node.timeout_ms is not None else self.settings.timeout_ms
            what = "test" if kind == "body" else f"{kind} hook"
            text = f"Exceeded timeout of {own:g} ms for a {what}, which did not give way and was stopped"
            return TestError("TimeoutError", text, sources=self.sources())
        return self._reason(error)

    def _placed(self, error: TestError, node: Node) -> TestError:
        """An error without a stack is shown where its test is declared."""
        if error.frames or node.place is None:
            return error
        return TestError(error.name, error.message, (node.place,), sources=error.sources or self.sources())

    # --- what is told ---

    def _is_over(self) -> bool:
        return (self.settings.bail and self._failed >= self.settings.bail) or not self.may_go_on()

    def _tell_ran(self, test: Node, errors: list[TestError], milliseconds: float, attempts: int) -> None:
        self._failed += bool(errors)
        self._tell(test, "failed" if errors else "passed", errors, milliseconds, attempts)

    def _tell(
        self,
        test: Node,
        status: Status,
        errors: Sequence[TestError] = (),
        milliseconds: float = 0.0,
        attempts: int = 0,
    ) -> None:
        path, place = self._plan.path(test), test.place
        line = place.line if place is not None and place.file == self.file else None
        told = TestResult(path, status, milliseconds, tuple(errors), attempts, self.file, line)
        self.result.tests.append(told)
        self.results_by_id[test.id] = told
        self.on_event(TestEvent("test_end", self.file, path, told))
