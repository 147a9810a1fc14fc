"""Fakes for tests of embedders: host functions that note their calls, and a network that answers from a table."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sandbox._records import field, record
from sandbox.functions import HostFunction
from sandbox.http import Request, Response

_MAX_CALLS: Final = 100_000


@record(frozen=True, slots=True)
class RecordedCall:
    """A call of a host function.

    Attributes:
        name: Of the function.
        arguments: What the guest gave.
        keywords: Likewise, by keyword.
    """

    name: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)


class CallLog:
    """Notes what guests call. Any thread.

        log = CallLog()
        with Sandbox(functions={"search": log.function("search", returns=["a", "b"])}) as box:
            box.eval("search('fox')")
        assert log.arguments("search") == [("fox",)]

    Attributes:
        calls: All calls, in order; of the first 100,000.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.calls: list[RecordedCall] = []
        self._lock = threading.Lock()

    def function(
        self,
        name: str,
        *,
        returns: Any = None,  # noqa: ANN401 - any value
        raises: Exception | None = None,
        does: Callable[..., Any] | None = None,
    ) -> HostFunction:
        """A host function that notes its calls.

        Args:
            name: What the log calls it.
            returns: What it answers.
            raises: What it raises in place of an answer.
            does: Called for the answer, in place of both; it may be an `async def`.
        """

        def called(*arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - any value
            self._note(RecordedCall(name, arguments, keywords))
            if raises is not None:
                raise raises
            return returns if does is None else does(*arguments, **keywords)

        if does is not None and _is_async(does):

            async def called_async(*arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - any value
                return await called(*arguments, **keywords)

            return HostFunction(called_async, name=name)
        return HostFunction(called, name=name)

    def of(self, name: str) -> list[RecordedCall]:
        """The calls of one function."""
        return [call for call in self.calls if call.name == name]

    def arguments(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of each call of one function."""
        return [call.arguments for call in self.of(name)]

    def clear(self) -> None:
        """Forget them."""
        self.calls = []

    def _note(self, call: RecordedCall) -> None:
        with self._lock:
            if len(self.calls) < _MAX_CALLS:
                self.calls.append(call)


def _is_async(function: Callable[..., Any]) -> bool:
    import inspect

    return inspect.iscoroutinefunction(function)


Answer = Response | bytes | str | Callable[[Request], Response]


class FakeFetch:
    """A network that answers from a table: the value for the option `fetch`. Any thread.

        network = FakeFetch({"https://api.example.com/users": '[{"name": "Ada"}]'})
        with Sandbox(fetch=network) as box:
            box.eval("(await fetch('https://api.example.com/users')).json()")
        assert network.requests[0].method == "GET"

    What is in no table fails in the guest as if there were no such host, and is noted as well.

    Attributes:
        requests: All that was asked, in order; of the first 100,000.
    """

    def __init__(self, answers: Mapping[str, Answer | Sequence[Answer]] | None = None) -> None:
        """With answers.

        Args:
            answers: By URL, or by method and URL (`"POST https://..."`). A text or bytes is a body with the
                status 200; a sequence gives one answer after the other, and then its last one again.
        """
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._answers: dict[str, list[Answer]] = {}
        for key, answer in (answers or {}).items():
            self.respond(key, *(answer if isinstance(answer, list | tuple) else (answer,)))

    def respond(self, key: str, *answers: Answer) -> None:
        """Say what is answered to a URL, or to a method and a URL, from now on.

        Raises:
            ValueError: There is no answer.
        """
        if not answers:
            raise ValueError("there must be an answer")
        with self._lock:
            self._answers[key] = list(answers)

    def __call__(self, request: Request) -> Response:
        """Answer a request.

        Raises:
            ConnectionError: There is no answer to it.
        """
        with self._lock:
            if len(self.requests) < _MAX_CALLS:
                self.requests.append(request)
            answers = self._answers.get(f"{request.method} {request.url}") or self._answers.get(request.url)
            if not answers:
                raise ConnectionError(f"no answer was given for {request.method} {request.url}")
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Response):
            return answer
        if isinstance(answer, bytes | str):
            return Response(body=answer)
        return answer(request)
