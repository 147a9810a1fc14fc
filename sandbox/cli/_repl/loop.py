"""The loop: inputs are evaluated one after another, and nothing that a program does ends it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from sandbox import JSError, Sandbox, SandboxError
from sandbox._languages import language_of
from sandbox._records import record
from sandbox._session import Session
from sandbox.cli._exit import Exit
from sandbox.cli._program import Outcome, Program
from sandbox.cli._repl.coloring import colored
from sandbox.cli._report import describe, exit_status
from sandbox.cli._terminal import DIM, GREEN, YELLOW, Terminal, harmless
from sandbox.errors import WallLimitExceeded

if TYPE_CHECKING:
    from sandbox import Limits, Snapshot
    from sandbox._languages import Language

# After each input, for timers and answers that come at once; what takes longer goes on with the next input, or `.wait`.
_SETTLING_SECONDS: Final = 0.1


class Reader(Protocol):
    """Where inputs come from."""

    def read(self) -> str | None:
        """The next input, of one or more lines; None: there is none any more.

        Raises:
            KeyboardInterrupt: What was typed is not wanted.
        """

    def read_all(self) -> str:
        """Everything until the end of what is typed.

        Raises:
            KeyboardInterrupt: As `read`.
        """

    def agree(self, question: str) -> bool:
        """Ask a person; nobody there agrees."""


@record(frozen=True, slots=True, kw_only=True)
class Setting:
    """What sandboxes of the session are made with.

    Attributes:
        limits: Those of each input.
        options: What else.
        language: What inputs are written in; None: JavaScript, or what the name of a file says.
    """

    limits: Limits
    options: Mapping[str, Any]
    language: Language | None = None


class Repl:
    """A session of a person, or a pipe, with one sandbox at a time.

    Attributes:
        box: The sandbox; another one after `.load`, `.undo`, `.reset` and after a crash.
        setting: What sandboxes are made with.
        terminal: Where it writes.
        session: The session with `box`.
        status: That of the first input that failed.
    """

    def __init__(self, setting: Setting, terminal: Terminal) -> None:
        """Make the first sandbox.

        Raises:
            SandboxError: It cannot be made.
            ValueError: An option has no such value.
        """
        self.setting: Final = setting
        self.terminal: Final = terminal
        self.status = Exit.OK
        self._count = 0
        self._before: Snapshot | None = None
        with terminal.progress("Preparing the sandbox for its first use ..."):
            self.box = self._make()
        self.session = Session(self.box)

    def _make(self) -> Sandbox:
        return Sandbox(limits=self.setting.limits, console=self.terminal.entry, **self.setting.options)

    def run(self, reader: Reader) -> Exit:
        """Take inputs until there are none, or one is `.exit`."""
        from sandbox.cli._repl.dots import perform

        while True:
            try:
                text = reader.read()
            except KeyboardInterrupt:
                continue
            if text is None:
                break
            if text.lstrip().startswith(".") and not text.lstrip()[1:2].isdigit():
                if not perform(self, text.strip(), reader):
                    break
            elif text.strip():
                self.evaluate(text, reader)
        return self.status

    def close(self) -> None:
        """Let go of the sandbox."""
        self.box.close()

    def evaluate(self, code: str, reader: Reader, filename: str | None = None) -> None:
        """Evaluate an input and show what came of it; whatever fails is shown as well."""
        self._count += 1
        filename = filename or f"<repl {self._count}>"
        self._keep()
        try:
            text = self.session.evaluate(code, filename, language_of(filename) or self.setting.language)
            if text is not None:
                self._show(text)
            self._settle()
        except (SandboxError, KeyboardInterrupt) as error:
            self._tell(error, code, filename)
            if self.session.is_lost:
                self._offer(reader)

    def wait(self) -> None:
        """Run what is pending, timers and answers, until nothing is or the wall time is over."""
        try:
            self.box.run_until_idle()
        except (SandboxError, KeyboardInterrupt) as error:
            self._tell(error, "", "<repl>")

    def undo(self) -> bool:
        """Go back to how everything was before the last input; False: nothing is known of it."""
        before, self._before = self._before, None
        return before is not None and self.restore(before)

    def reset(self) -> None:
        """Begin with a new sandbox."""
        self._replace(self._make())

    def restore(self, snapshot: Snapshot) -> bool:
        """Go on from a snapshot; False: that cannot be, and why was said."""
        clocks = dict.fromkeys(("seed", "clock_resolution_seconds"))
        try:
            box = Sandbox.restore(
                snapshot,
                limits=self.setting.limits,
                console=self.terminal.entry,
                **{**self.setting.options, **clocks, "clock": None},
            )
        except (SandboxError, ValueError) as error:
            self.terminal.write(f"It cannot be restored: {error}", error=True, style=YELLOW)
            return False
        self._replace(box)
        return True

    def say(self, text: str) -> None:
        """Write a remark of the session's own."""
        self.terminal.write(text, style=DIM)

    def _replace(self, box: Sandbox) -> None:
        self.box.close()
        self.box, self.session = box, Session(box)

    def _keep(self) -> None:
        try:
            self._before = self.box.snapshot()
        except (SandboxError, MemoryError):
            self._before = None

    def _settle(self) -> None:
        with contextlib.suppress(WallLimitExceeded):  # what is left goes on with the next input
            self.box.run_until_idle(timeout=_SETTLING_SECONDS)

    def _show(self, text: str) -> None:
        if self.terminal.output_color:
            self.terminal.write(colored(harmless(text)), trusted=True)
        else:
            self.terminal.write(text)

    def _tell(self, error: SandboxError | KeyboardInterrupt, code: str, filename: str) -> None:
        text = None
        if isinstance(error, JSError) and error.value is not error:
            try:
                text = self.session.show(error.value)
            except SandboxError:
                text = repr(error.value)
        program = Program(code=code, filename=filename, limits=self.setting.limits)
        outcome = Outcome(error=error, error_text=text, usage=self.box.usage)
        columns = self.terminal.columns(error=True)
        lines = describe(program, outcome, color=self.terminal.error_color, columns=columns)
        self.terminal.write(lines, error=True, trusted=True)
        if self.status is Exit.OK:
            self.status = exit_status(error)

    def _offer(self, reader: Reader) -> None:
        """The sandbox cannot be used any more: go back to before the input, or begin anew."""
        self.terminal.write("This sandbox is lost.", error=True, style=YELLOW)
        if self._before is not None and reader.agree("Go back to how it was before this input?") and self.undo():
            self.terminal.write("It is as it was before this input.", style=GREEN)
            return
        self.reset()
        self.terminal.write("This is a new one: variables are gone.", style=YELLOW)
