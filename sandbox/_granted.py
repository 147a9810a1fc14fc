"""The capabilities of one sandbox. Many are made when the guest, or another life, first asks something of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from sandbox import _abi
from sandbox._abi import Mode
from sandbox.capabilities.base import Capability, Operation, WorkingCapability

_MODES: Final = {"call": Mode.CALL, "send": Mode.CALL, "queue": Mode.QUEUE}
_STEMS: Final = {op: stem for (stem, _), (op, _) in _abi.OPS.items()}


class Granted:
    """What can be asked for beside functions. In a turn, or while none runs, if nothing else is said."""

    def __init__(
        self, capabilities: Iterable[Capability], late: Iterable[str], make_late: Callable[[str], Capability] | None
    ) -> None:
        """Begin with some.

        Args:
            capabilities: At most one for each stem of the ABI table, with those of `late`.
            late: Stems of others.
            make_late: Makes one of these; None: there are none.
        """
        self._made = tuple(capabilities)
        self._late = frozenset(late)
        self._make_late = make_late
        self._lock = threading.Lock()

    def of(self, stem: str) -> Capability | None:
        """The one of a name; None: there is none, or all were closed. Any thread."""
        self._complete(stem)
        return next((each for each in self._made if each.stem == stem), None)

    def _all(self) -> tuple[Capability, ...]:
        self._complete(*sorted(self._late))
        return self._made

    def _complete(self, *stems: str) -> None:
        for stem in stems:
            with self._lock:
                if stem in self._late and self._make_late is not None:
                    self._made += (self._make_late(stem),)
                    self._late -= {stem}

    def operations_beside(self, op: int) -> dict[int, Operation]:
        """The operations of the capability that has one of this number; none: there is no such number."""
        found: dict[int, Operation] = {}
        capability = self.of(_STEMS.get(op, ""))
        if capability is None:
            return found
        withheld = capability.withheld() if isinstance(capability, WorkingCapability) else {}
        for name, handler in capability.handlers().items():
            number, mode = _abi.OPS[capability.stem, name]
            found[number] = Operation(
                title_of(capability, name),
                _MODES[mode],
                handler,
                references=1,
                waits=mode == "call",
                is_sent=mode == "send",
                is_quiet=name in capability.quiet,
                show=show_of(capability, name),
                show_answer=show_answer_of(capability, name),
                withhold=withheld.get(name),
            )
        _take_services(capability, found)
        return found

    def after_fork(self, table: Mapping[int, Operation]) -> None:
        """Whatever thread held the lock, it is not in the child, and neither are the tasks of services."""
        self._lock = threading.Lock()
        for capability in self._made:
            _take_services(capability, table)

    def save(self, secrets: dict[str, Any]) -> dict[str, Any]:
        """What each notes for another life, by name; see `Capability.save`."""
        return {each.stem: each.save(secrets) for each in sorted(self._all(), key=lambda each: each.stem)}

    def load(self, saved: Mapping[str, Any], secrets: Mapping[str, Any]) -> None:
        """Take up what `save` noted.

        Raises:
            ValueError: A capability has noted no such thing.
        """
        for capability in self._all():
            capability.load(saved.get(capability.stem), secrets.get(capability.stem))

    def lost(self, op: int) -> Any:  # noqa: ANN401 - any value
        """The answer to a request of another life, to a capability or to what was none."""
        for (stem, name), (number, _) in _abi.OPS.items():
            if number == op and (capability := self.of(stem)) is not None:
                return capability.lost(name)
        return ConnectionAbortedError("what was pending when a snapshot was taken is lost")

    def checkpoint(self) -> list[Callable[[], object]]:
        """What sets the state of each back."""
        return [capability.checkpoint() for capability in self._all()]

    def close(self) -> None:
        """Close them; idempotent.

        Raises:
            BaseException: What the first one raised that failed; all were closed.
        """
        self._late, self._make_late = frozenset(), None
        failure: BaseException | None = None
        made, self._made = self._made, ()
        for capability in made:
            try:
                capability.close()
            except BaseException as error:  # noqa: BLE001 - raised below, when the others are closed
                failure = failure or error
        if failure is not None:
            raise failure


def _take_services(capability: Capability, table: Mapping[int, Operation]) -> None:
    for name, service in capability.services().items():
        fixed = _abi.OPS.get((capability.stem, name))
        operation = table.get(fixed[0]) if fixed else None
        if operation is not None:
            operation.service = service


def title_of(capability: Capability, operation: str) -> str:
    """What users call an operation."""
    return capability.titles.get(operation) or f"{capability.stem}.{operation}"


def show_of(capability: Capability, operation: str) -> Callable[[list[Any]], list[Any]] | None:
    """What describes its arguments to hooks and logs; None: they are what the guest gave."""
    return None if type(capability).show is Capability.show else partial(capability.show, operation)


def show_answer_of(capability: Capability, operation: str) -> Callable[[Any], Any] | None:
    """Likewise its answer."""
    is_shown = type(capability).show_answer is not Capability.show_answer
    return partial(capability.show_answer, operation) if is_shown else None
