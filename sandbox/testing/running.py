"""Runs the tests of a file in a sandbox: takes what the run of the file asks, and gives it the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox._dispatch import enter, evaluate

if TYPE_CHECKING:
    from sandbox._commands import Command
    from sandbox._face import Face
    from sandbox._sandbox import Sandbox
    from sandbox.testing.suite import Ask, SuiteRun


def expose(box: Sandbox) -> None:
    """Make what `sandbox:test` exports globals of a sandbox that was granted the test environment."""
    box._perform(enter(box._driver, "testing.expose"))


def _command(box: Face, run: SuiteRun, code: str, ask: Ask) -> Command:
    if ask.kind == "evaluate":
        return evaluate(box._driver, code, run.file)
    return enter(box._driver, ask.name, *ask.arguments)


class Taking:
    """The run of a file in a sandbox, step by step; `run.result` says what came of it."""

    def __init__(self, box: Sandbox, run: SuiteRun, code: str) -> None:
        """Begin; nothing is run yet.

        Args:
            box: Was granted the test environment, with `run.snapshots` as its listener.
            run: What is run.
            code: What is evaluated first: the file, or what imports it.
        """
        run.sources = run.snapshots.sources = lambda: box._driver.source_texts()
        self._box = self._current = box
        self._run, self._code, self._steps = run, code, run.steps()
        self._answer: Any = None
        self._error: Exception | None = None

    def step(self) -> bool:
        """Take one step.

        Returns:
            Whether there may be more.

        Raises:
            BaseException: What a host function of the embedder raised that is no `Exception`.
        """
        answer, error = self._answer, self._error
        self._answer = self._error = None
        try:
            ask = self._steps.send(answer) if error is None else self._steps.throw(error)
        except StopIteration:
            return False
        try:
            if ask.kind == "fork":
                self._current = self._box.fork()
            elif ask.kind == "join":
                self._leave_twin()
            elif ask.kind != "pause":
                self._answer = self._current._perform(_command(self._current, self._run, self._code, ask), ask.seconds)
        except Exception as caught:  # noqa: BLE001 - the run says what it means
            self._error = caught
        return True

    def _leave_twin(self) -> None:
        twin, self._current = self._current, self._box
        if twin is not self._box:
            twin.close()

    def close(self) -> None:
        """Give up what is left."""
        self._steps.close()
        self._leave_twin()


def take_steps(box: Sandbox, run: SuiteRun, code: str) -> None:
    """Run a file of tests to its end; arguments and errors as those of `Taking`."""
    taking = Taking(box, run, code)
    try:
        while taking.step():
            pass
    finally:
        taking.close()
