"""What the handles of a blocking sandbox ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox._face import at_value
from sandbox.errors import ConversionError

if TYPE_CHECKING:
    from sandbox._blocking import BlockingRunner
    from sandbox._face import Face
    from sandbox.values import Generation, JSHandle, Question


class HandleCalls:
    """Asks for handles; see `HandleOwner`."""

    def __init__(self, sandbox: Face, perform: Callable[..., Any], runner: BlockingRunner) -> None:
        """Make it.

        Args:
            sandbox: Whose handles they are.
            perform: Runs a command there, and gives its value.
            runner: That of the sandbox.
        """
        self._sandbox = sandbox
        self._perform = perform
        self._runner = runner

    def call(
        self, held: JSHandle, args: tuple[object, ...], this: object, timeout: float | None, fuel: int | None
    ) -> Any:  # noqa: ANN401 - any value
        sandbox = self._sandbox
        sandbox._check_call(timeout, fuel)
        return self._perform(sandbox._driver.call(held, this, args), timeout, fuel)

    def construct(self, held: JSHandle, args: tuple[object, ...], timeout: float | None, fuel: int | None) -> Any:  # noqa: ANN401 - any value
        self._sandbox._check_call(timeout, fuel)
        return self._perform(self._sandbox._driver.construct(held, args), timeout, fuel)

    def ask(self, held: JSHandle, question: Question, value: object, timeout: float | None) -> Any:  # noqa: ANN401 - any value
        self._sandbox._check_call(timeout)
        try:
            return self._perform(self._sandbox._driver.ask(held, question, value), timeout)
        except ConversionError as error:
            raise at_value(error) from None

    async def ask_later(self, held: JSHandle, question: Question, value: object) -> Any:  # noqa: ANN401 - any value
        return await self._runner.in_thread(lambda: self.ask(held, question, value, None))

    def release(self, handle: int, generation: Generation) -> None:
        self._sandbox._operations.release(handle, generation)
