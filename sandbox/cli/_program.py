"""Running one program, and what came of it."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sandbox import JSError, Limits, Sandbox, SandboxError, Usage, undefined
from sandbox._origins import Program as Text
from sandbox._records import field, record
from sandbox.cli._flags import UsageError
from sandbox.errors import ConversionError, WallLimitExceeded

if TYPE_CHECKING:
    from sandbox._languages import Language
    from sandbox.capabilities import ConsoleEntry
    from sandbox.modules.mapping import Modules
    from sandbox.typescript import TypeScript
    from sandbox.values import JSFunction

# For the little this module runs in the guest itself: the program's fuel may be just enough for the program.
_FUEL: Final = 1_000_000_000


@record(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run, and how.

    Attributes:
        code: The source text.
        filename: What stacks call it.
        limits: Budgets of each of its two parts: the evaluation, and what its timers do afterwards. Wall time is
            counted over both.
        seed: For repeatable randomness; None: real randomness.
        virtual_clock: Whether timers take no real time.
        clock_resolution_seconds: Steps of the clocks it can read; None or infinity: as fine as they are.
        language: What it is written in; None: what its filename says.
        typescript: How other languages become JavaScript.
        source_map: Reads the source map that it names; None: it names none.
        is_module: Whether it is an ECMAScript module.
        modules: What it may import.
        record: A file to record it in; None: it is not recorded.
        grants: Options of the sandbox that let it reach something outside.
        to_the_end: Whether to go on until no timer is left, and to leave the value of the last expression alone.
    """

    code: str
    filename: str
    limits: Limits
    seed: int | None = None
    virtual_clock: bool = False
    clock_resolution_seconds: float | None = None
    language: Language | None = None
    typescript: TypeScript | None = None
    source_map: Callable[[], bytes | None] | None = None
    is_module: bool = False
    modules: Sequence[Modules] = ()
    record: Path | None = None
    grants: Mapping[str, Any] = field(default_factory=dict)
    to_the_end: bool = False


@record(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a program.

    Attributes:
        value: Of its last expression; `undefined` when it failed.
        value_text: The value as the guest's own console shows it; None: there is nothing to show.
        error: What ended it; None: it succeeded.
        error_text: For something thrown that is no Error: how the guest's own console shows it.
        usage: What it used.
    """

    value: Any = undefined
    value_text: str | None = None
    error: SandboxError | KeyboardInterrupt | None = None
    error_text: str | None = None
    usage: Usage


def execute(
    program: Program, on_entry: Callable[[ConsoleEntry], object], start: Callable[[], Any], *, show: bool
) -> Outcome:
    """Run a program to its outcome; the guest's faults and Ctrl-C are outcomes too.

    Args:
        program: What to run.
        on_entry: Gets the console's entries as they come.
        start: Gives a context manager to make the sandbox in.
        show: Whether `value_text` and `error_text` are wanted.

    Raises:
        ArtifactError: There is no guest to run it.
        UsageError: Its clock cannot be as it asks, or its record cannot be made.
    """
    sink = _Sink(on_entry)
    resolution = program.clock_resolution_seconds
    with start():
        try:
            box = Sandbox(
                limits=program.limits,
                console=sink,
                clock="virtual" if program.virtual_clock else "real",
                clock_resolution_seconds=None if resolution == math.inf else resolution,
                seed=program.seed,
                modules=program.modules or None,
                record=program.record,
                typescript=program.typescript,
                **program.grants,
            )
        except OSError as error:
            raise UsageError(f"--record: {error.strerror}") from None
        except ValueError as error:
            raise UsageError(f"--clock-resolution: {str(error).removeprefix('clock_resolution_seconds ')}") from None
    with box:
        text_of: _Texts | None = None
        try:
            text_of = _Texts(box, sink) if show else None
            value = _run(box, program)
        except (SandboxError, KeyboardInterrupt) as error:
            if isinstance(error, JSError) and program.source_map is not None and program.filename in error.sources:
                mapped = Text(program.code, source_map=program.source_map)
                error.know({**error.sources, program.filename: mapped})
            thrown = error.value if isinstance(error, JSError) else error
            text = None if thrown is error or text_of is None else text_of(thrown)
            return Outcome(error=error, error_text=text, usage=box.usage)
        usage = box.usage
        text = text_of(value) if text_of and value is not undefined and not program.to_the_end else None
        return Outcome(value=value, value_text=text, usage=usage)


def _run(box: Sandbox, program: Program) -> Any:  # noqa: ANN401 - any value
    if not program.to_the_end:
        return box.eval(program.code, filename=program.filename, language=program.language)
    started = time.monotonic()
    value: Any = undefined
    with contextlib.suppress(ConversionError):  # a file need not end with something that can leave the sandbox
        evaluate = box.module if program.is_module else box.eval
        value = evaluate(program.code, filename=program.filename, language=program.language)
    limit = program.limits.wall_seconds
    try:
        box.run_until_idle(timeout=None if limit is None else max(limit - (time.monotonic() - started), 0.001))
    except WallLimitExceeded:
        raise WallLimitExceeded(limit or 0.0, time.monotonic() - started) from None
    return value


class _Sink:
    """Passes entries on, except for the one that is asked for."""

    def __init__(self, on_entry: Callable[[ConsoleEntry], object]) -> None:
        self._on_entry: Final = on_entry
        self.wanted: list[str] | None = None

    def __call__(self, entry: ConsoleEntry) -> None:
        if self.wanted is None or self.wanted:
            self._on_entry(entry)
        else:
            self.wanted.append(entry.text)


class _Texts:
    """Texts of values, by the console the guest had before any code of the program ran in it."""

    def __init__(self, box: Sandbox, sink: _Sink) -> None:
        self._box: Final = box
        self._sink: Final = sink
        self._fuel: Final = _FUEL if box.limits.metering == "fuel" else None
        self._log: Final[JSFunction] = box.eval("console.log", fuel=self._fuel)

    def __call__(self, value: object) -> str:
        if isinstance(value, str):
            return value  # of any length; the console would cut it
        self._sink.wanted = []
        try:
            self._box.call(self._log, value, fuel=self._fuel)
            return self._sink.wanted[0]
        except (SandboxError, IndexError):  # what is left of the guest's memory does not hold it twice, for example
            return f"[{type(value).__name__}]"
        finally:
            self._sink.wanted = None
