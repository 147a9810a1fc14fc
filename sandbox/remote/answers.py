"""What requests come to, and where that arrives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sandbox.errors import SandboxError
from sandbox.remote.events import Answered, Refused, Stream
from sandbox.remote.protocol import error_of

Answer = Answered | Refused | SandboxError
"""What a request came to; an error: the connection has ended."""


class Mailbox(Protocol):
    """Where answers arrive: a `SimpleQueue`, or what has its methods."""

    @property
    def get(self) -> Callable[..., Any]:
        """Takes what came first; waits for it, `timeout` seconds at most."""

    @property
    def put(self) -> Callable[[Any], None]:
        """Adds something."""

    @property
    def empty(self) -> Callable[[], bool]:
        """Whether there is nothing."""


def answer_of(answer: Answer) -> tuple[dict[str, Any], bytes | None]:
    """What a request came to: its result and body.

    Raises:
        SandboxError: It was refused, or the connection has ended.
    """
    if isinstance(answer, Answered):
        assert not isinstance(answer.body, Stream)
        return answer.result, answer.body
    if isinstance(answer, Refused):
        raise error_of(answer.code, answer.text)
    raise answer


def again(error: SandboxError) -> SandboxError:
    """The same error for somebody else to raise."""
    code = getattr(error, "code", "")
    return type(error)(str(error), code)  # type: ignore[call-arg] # all of them are RemoteErrors
