"""What a case of the corpus is. Nothing here, nor in the tables, imports an engine: every engine is put to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from benchmarks.hostile.stage import Stage

NOT_OFFERED = "not offered"  # what a program is worth that finds that the engine has no such thing

_SHORT_SECONDS, _LONG_SECONDS = 0.2, 2.0

STACK_ERRORS = ("RangeError", "InternalError", "SyntaxError")
"""Names of errors that a runaway recursion may be caught as."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the corpus: an idea of an attack, to which its cases belong.

    Attributes:
        number: Its place in the table.
        title: What is attempted.
        waits: What of it cannot be tried as long as no sandbox has what is attacked; empty when nothing.
        beside: The tests of this project that try more of it than any engine can be put to; empty when none.
    """

    number: int
    title: str
    waits: str = ""
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One attack, and how it must end.

    Attributes:
        row: Number of its row.
        name: Unique within the row.
        code: The program; for "take" and "settle" an expression.
        ends: The kinds of outcome that are right, of `benchmarks.hostile.kinds`.
        how: How the session runs it.
        values: The values that are right where "value" is; empty: any.
        driver: What the host does, in place of running `code`. It returns a value or lets an error of the engine out.
        functions: Makes the host functions the guest gets.
        loader: Serves modules.
        seconds: The time limit; 0: a short one where a limit on time is a right end, and a long one elsewhere.
        waits: Whether that is the caller's time rather than the guest's.
        memory_bytes: The memory limit.
        fuel: Whether nothing but fuel can end it: it may take twice its time, and leave its sandbox dead.
        timed: Whether the time limit bounds all that happens; not so for drivers that evaluate many times.
        wipes: Whether nothing of the guest's own state need be there afterwards.
        closes: Whether the driver closes the sandbox.
        ours: Whether it is a promise of this project's only, that its peers do not give.
    """

    row: int
    name: str
    code: str = ""
    ends: frozenset[str] = frozenset()
    how: Literal["eval", "take", "settle", "module"] = "eval"
    values: tuple[object, ...] = ()
    driver: Callable[[Stage], object] | None = None
    functions: Callable[[Stage], Mapping[str, Callable[..., Any]]] | None = None
    loader: Callable[[str], str | None] | None = None
    seconds: float = 0
    waits: bool = False
    memory_bytes: int = 32 << 20
    fuel: bool = False
    timed: bool = True
    wipes: bool = False
    closes: bool = False
    ours: bool = False

    @property
    def limit_seconds(self) -> float:
        """The time limit, whatever `seconds` leaves open."""
        return self.seconds or (_SHORT_SECONDS if self.ends & {"cpu", "wall", "time", "fuel"} else _LONG_SECONDS)

    @property
    def id(self) -> str:
        """What command lines and reports call it."""
        return f"{self.row}-{self.name.replace(' ', '-')}"


def cases(row: int, ends: str, programs: Mapping[str, str], **options: Any) -> list[Case]:
    """Cases of one row that differ in their programs only.

    Args:
        row: Its number.
        ends: Kinds of outcome, separated by blanks.
        programs: Name to program.
        **options: Other fields, the same for all.
    """
    return [Case(row, name, code, frozenset(ends.split()), **options) for name, code in programs.items()]


def caught(code: str) -> str:
    """An expression that runs statements and is the name of the error they throw, which the program has caught."""
    return f"(() => {{ try {{ {code} }} catch (error) {{ return error.name }} return 'no error' }})()"
