"""What came of tests: each, a file of them, and all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from sandbox import _origins, _stack
from sandbox._records import field, record
from sandbox.errors import GuestProtocolError, JSError, LimitExceeded, SandboxError
from sandbox.testing.diff import render_diff

if TYPE_CHECKING:
    from sandbox._stack import Frame
    from sandbox.testing.coverage import Coverage

Status = Literal["passed", "failed", "skipped", "todo"]

_MAX_ERRORS: Final = 50
_MAX_TEXT_CHARS: Final = 1 << 18
_MAX_CAUSES: Final = 8
_RECORD: Final = 7


@record(frozen=True, slots=True)
class Cause:
    """What an error says it came of.

    Attributes:
        name: Of the error; empty where it is none.
        message: What it says.
        frames: Its stack, the innermost call first.
    """

    name: str
    message: str
    frames: tuple[Frame, ...]

    @property
    def title(self) -> str:
        """Name and message."""
        return f"{self.name}: {self.message}" if self.name and self.message else self.name or self.message


@record(frozen=True, slots=True)
class TestError:
    """One reason for which a test failed.

    Attributes:
        name: Of the error; empty where something else was thrown.
        message: What it says.
        frames: Its stack, the innermost call first.
        matcher: The matcher that did not hold; None: it was none.
        expected: What was expected, as text; None: there is nothing to compare.
        received: Likewise what was received.
        causes: The error's `cause`, the cause of that, and so on.
        sources: Programs by file name, for the code frame.
    """

    __test__ = False

    name: str
    message: str
    frames: tuple[Frame, ...] = ()
    matcher: str | None = None
    expected: str | None = None
    received: str | None = None
    causes: tuple[Cause, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def title(self) -> str:
        """Name and message."""
        return Cause(self.name, self.message, ()).title

    @property
    def place(self) -> Frame | None:
        """The innermost call that is known to be of a program."""
        return next((frame for frame in self.frames if frame.file in self.sources and frame.line is not None), None)

    def render(self, *, color: bool = False, columns: int | None = None) -> str:
        """The error for a terminal: what it says, what differs, the code around it, its stack and causes.

        Control characters are made visible, so that no text of a test can steer a terminal.

        Args:
            color: Use ANSI colors.
            columns: How wide the terminal is, which lines of code are cut to; None: to 100 characters.
        """
        difference = ""
        if self.expected is not None and self.received is not None and self.expected != self.received:
            difference = render_diff(self.expected, self.received, color=color)
        # The title is that of an assertion without its class, which says nothing more.
        title = self.message if self.matcher is not None and self.message else self.title
        shown = _stack.render(title, self.frames, self.sources, None, color=color, columns=columns)
        if difference:
            head = _stack.render(title, (), {}, None, color=color)
            shown = f"{head}\n\n{difference}\n{shown[len(head) :]}"
        parts = [shown]
        parts += [
            "Caused by: " + _stack.render(each.title, each.frames, self.sources, None, color=color, columns=columns)
            for each in self.causes
        ]
        return "\n".join(parts)

    @property
    def chars(self) -> int:
        """How much text it holds, without its sources."""
        texts = (self.name, self.message, self.expected or "", self.received or "")
        return sum(map(len, texts)) + sum(len(each.title) for each in self.causes) + 100 * len(self.frames)

    def brief(self) -> TestError:
        """The same in few words, where there is no room for more."""
        return TestError(self.name[:100], self.message[:200], self.frames[:1], self.matcher, sources=self.sources)

    @classmethod
    def of_exception(cls, error: BaseException, sources: Mapping[str, str]) -> Self:
        """What ended a run of the guest, as a reason."""
        if isinstance(error, JSError):
            return cls(error.name, error.message or str(error), error.frames, sources={**sources, **error.sources})
        name = type(error).__name__ if isinstance(error, SandboxError) else "Error"
        return cls(name, str(error), sources=sources)


@record(frozen=True, slots=True)
class TestResult:
    """What came of one test.

    Attributes:
        path: Names of the suites around it and its own, the outermost first.
        status: What came of it; one that was excluded has no result.
        duration_ms: How long it took, hooks of each test included.
        errors: Why it failed.
        attempts: How often it was run.
        file: The file that it stands in.
        line: Where it is declared; None: unknown.
    """

    __test__ = False

    path: tuple[str, ...]
    status: Status
    duration_ms: float = 0.0
    errors: tuple[TestError, ...] = ()
    attempts: int = 1
    file: str = ""
    line: int | None = None

    @property
    def full_name(self) -> str:
        """The path as one text."""
        return " > ".join(self.path)

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path[-1]


@record(slots=True)
class SuiteResult:
    """What came of a file.

    Attributes:
        file: Its name, as the guest knows it.
        tests: Its tests, in the order in which they ended.
        errors: What failed outside of them: the file itself, or hooks after all tests of a suite.
        duration_ms: How long all of it took.
        snapshots: How many snapshots `written`, `updated`, `matched`, `failed`, `obsolete`.
        console: What the tests wrote to the console, a text each.
        runner: Who ran it; empty: this process.
        modules: Names of the programs that it consists of, itself among them.
        coverage: What of these was executed; None: it was not measured.
    """

    file: str
    tests: list[TestResult] = field(default_factory=list)
    errors: list[TestError] = field(default_factory=list)
    duration_ms: float = 0.0
    snapshots: Counter[str] = field(default_factory=Counter)
    console: list[str] = field(default_factory=list)
    runner: str = ""
    modules: frozenset[str] = frozenset()
    coverage: Coverage | None = field(default=None, repr=False)

    @property
    def is_ok(self) -> bool:
        """Whether nothing failed."""
        return not self.errors and all(test.status != "failed" for test in self.tests)

    def count(self, status: Status) -> int:
        """How many tests came to that."""
        return sum(test.status == status for test in self.tests)


@record(slots=True)
class Report:
    """What came of all files.

    Attributes:
        suites: Of each file, in the order in which they were given.
        duration_ms: How long all of it took.
        seed: Of the order; None: that of the files.
        coverage: What was executed of the programs that are tested; None: it was not measured.
    """

    suites: list[SuiteResult] = field(default_factory=list)
    duration_ms: float = 0.0
    seed: int | None = None
    coverage: Coverage | None = field(default=None, repr=False)

    def count(self, status: Status) -> int:
        """How many tests came to that."""
        return sum(suite.count(status) for suite in self.suites)

    @property
    def total(self) -> int:
        """How many tests there are."""
        return sum(len(suite.tests) for suite in self.suites)

    @property
    def is_ok(self) -> bool:
        """Whether there is something, and nothing failed."""
        return all(suite.is_ok for suite in self.suites)

    @property
    def exit_code(self) -> int:
        """0: nothing failed; 1: a test did; 2: a file could not be run, or hooks outside of tests failed."""
        if any(suite.errors for suite in self.suites):
            return 2
        return 0 if self.is_ok else 1


def read_errors(answer: object, sources: Mapping[str, str]) -> list[TestError]:
    """Read the records of errors that a guest gives.

    Raises:
        GuestProtocolError: They are none.
    """
    if type(answer) is not list:
        raise GuestProtocolError("the errors of a test are no list")
    return [_error(record, sources) for record in answer[:_MAX_ERRORS]]


def _error(record: object, sources: Mapping[str, str]) -> TestError:
    if type(record) is not list or len(record) != _RECORD or type(record[-1]) is not list:
        raise GuestProtocolError("the error of a test has other parts")
    name, message, stack, matcher, expected, received, causes = record
    _check_texts(name, message, stack)
    for each in (matcher, expected, received):
        if each is not None:
            _check_texts(each)
    frames, sources = _origins.trace(_stack.parse(stack), sources)
    found = _causes(causes, sources)
    return TestError(name, message, frames, matcher, expected, received, tuple(found), sources=sources)


def _causes(causes: Sequence[Any], sources: Mapping[str, str]) -> list[Cause]:
    found = []
    for cause in causes[:_MAX_CAUSES]:
        if type(cause) is not list or len(cause) != 3:
            raise GuestProtocolError("the cause of an error has other parts")
        _check_texts(*cause)
        found.append(Cause(cause[0], cause[1], _origins.trace(_stack.parse(cause[2]), sources).frames))
    return found


def _check_texts(*texts: object) -> None:
    if any(type(text) is not str or len(text) > _MAX_TEXT_CHARS for text in texts):
        raise GuestProtocolError("the error of a test has other parts")


def is_limit(error: BaseException) -> bool:
    """Whether a run was stopped, and did not end by itself."""
    return isinstance(error, LimitExceeded)
