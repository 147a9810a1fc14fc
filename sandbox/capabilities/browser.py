"""A browser of the embedder's, as programs use it: actions, assertions, and what happens in its pages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sandbox.capabilities.base import Handler, NumberingCapability, checked_parts

if TYPE_CHECKING:
    from sandbox.browser.grant import Browser
    from sandbox.browser.session import Session

_MOST_NAME_CHARS: Final = 100


class BrowserCapability(NumberingCapability):
    """Serves the pages of a guest; it is part of the sandboxes alone that were granted a browser."""

    stem: ClassVar[str] = "browser"
    titles: ClassVar[Mapping[str, str]] = {"judge": "browser.expect"}
    quiet: ClassVar[frozenset[str]] = frozenset({"state", "listen", "next"})

    def __init__(self, grant: Browser) -> None:
        """Make it; the browser is asked with the first action."""
        super().__init__()
        self._grant = grant
        self._made: Session | None = None

    def handlers(self) -> Mapping[str, Handler]:
        """See `Capability`."""
        return {
            "act": self._act,
            "judge": self._judge,
            "state": self._state,
            "listen": self._listen,
            "next": self._next,
        }

    def show(self, operation: str, arguments: list[Any]) -> list[Any]:
        """See `Capability`: the action by its name first, as programs call it, then its arguments."""
        if operation == "act" and len(arguments) == 4:
            target, method, given, options = arguments
            return [f"{target[0] if isinstance(target, list) and target else '?'}.{method}", given, options]
        return arguments

    def lost(self, operation: str) -> Any:  # noqa: ANN401 - any value
        """See `Capability`: nobody tells of events of another life."""
        return [] if operation == "next" else super().lost(operation)

    def load(self, saved: Any, secret: Any) -> None:  # noqa: ANN401 - plain data
        """See `Capability`: that life may have had no browser."""
        if saved is not None:
            super().load(saved, secret)

    def checkpoint(self) -> Callable[[], object]:
        """See `Capability`: pages that were opened since are closed. What was done in them stays done."""
        last = self._numbers.last

        def undo() -> None:
            session = self._made
            if session is not None:

                async def undone() -> None:
                    session.undo(last)

                self._grant.home.soon(undone)

        return undo

    def close(self) -> None:
        """See `Capability`."""
        session, self._made = self._made, None
        if session is not None:
            self._grant.home.soon(session.close)

    def _session(self) -> Session:
        if self._made is None:
            from sandbox.browser.session import Session  # most sandboxes have no browser

            self._made = Session(self._grant, self._numbers)
        return self._made

    # --- operations ---

    async def _run(self, make: Callable[[], Any], is_loops_thread: bool) -> Any:  # noqa: ANN401 - plain data
        home = self._grant.home
        if is_loops_thread and not home.is_here():
            raise RuntimeError(
                "the event loop of the browser waits for this sandbox: use an AsyncSandbox there, or browser.launch()"
            )
        return await home.run(make)

    def _is_loops_thread(self) -> bool:
        """Whether the turn runs on the thread of the browser's loop, which can do nothing else meanwhile."""
        return threading.get_ident() == self._grant.home.thread_id

    def _act(self, *arguments: object) -> Any:  # noqa: ANN401 - plain data
        target, method, given, options = checked_parts(arguments, 4)
        if not isinstance(method, str) or len(method) > _MOST_NAME_CHARS or not isinstance(given, list):
            raise TypeError("an action has a name and a list of arguments")
        session = self._session()
        return self._run(lambda: session.act(target, method, given, options), self._is_loops_thread())

    def _judge(self, *arguments: object) -> Any:  # noqa: ANN401 - the same
        target, matcher, is_not, given, options = checked_parts(arguments, 5)
        if not isinstance(matcher, str) or not isinstance(is_not, bool) or not isinstance(given, list):
            raise TypeError("an assertion has a name and a list of arguments")
        session = self._session()
        return self._run(lambda: session.judge(target, matcher, is_not, given, options), self._is_loops_thread())

    def _state(self, *arguments: object) -> Any:  # noqa: ANN401 - the same
        number, what = checked_parts(arguments, 2)
        return self._session().state(number, what)

    def _listen(self, *arguments: object) -> None:
        (kinds,) = checked_parts(arguments, 1)
        from sandbox.browser.feed import KINDS

        if not isinstance(kinds, list) or not all(isinstance(kind, str) and kind in KINDS for kind in kinds):
            raise TypeError("what a program listens to is known by name")
        self._session().feed.wanted = frozenset(kinds)

    def _next(self, *arguments: object) -> Any:  # noqa: ANN401 - the same
        checked_parts(arguments, 0)
        feed = self._session().feed
        return self._run(feed.take, self._is_loops_thread())
