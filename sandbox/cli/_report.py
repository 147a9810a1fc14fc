"""What came of a program, for people and for programs."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sandbox import BigInt, JSError, JSFunction, JSMap, JSSet, RegExp, SandboxError, Undefined, _stack
from sandbox.cli._advice import advice
from sandbox.cli._amounts import show_amount
from sandbox.cli._exit import Exit
from sandbox.errors import (
    ConversionError,
    CpuLimitExceeded,
    FuelLimitExceeded,
    GuestError,
    LimitExceeded,
    MemoryLimitExceeded,
    OutputLimitExceeded,
    StackLimitExceeded,
    Stalled,
    UnhandledRejection,
    WallLimitExceeded,
)

if TYPE_CHECKING:
    from sandbox.capabilities import ConsoleEntry
    from sandbox.cli._program import Outcome, Program

_FLAGS: Final[dict[type[LimitExceeded], str]] = {
    MemoryLimitExceeded: "--memory",
    CpuLimitExceeded: "--cpu",
    WallLimitExceeded: "--wall",
    FuelLimitExceeded: "--fuel",
    StackLimitExceeded: "--stack",
    OutputLimitExceeded: "--output",
}


def exit_status(error: SandboxError | KeyboardInterrupt | None) -> Exit:
    """The exit status that says how a program ended."""
    match error:
        case None:
            return Exit.OK
        case KeyboardInterrupt():
            return Exit.INTERRUPTED
        case LimitExceeded():
            return Exit.LIMIT
        case GuestError() | ConversionError():
            return Exit.GUEST_ERROR
        case _:
            return Exit.FAILURE


def describe(program: Program, outcome: Outcome, *, color: bool, columns: int | None = None) -> str:
    """Say what ended a program: several lines that are safe to write to a terminal, with code as wide as that is."""
    match outcome.error:
        case KeyboardInterrupt():
            return "Interrupted"
        case JSError() as error:
            hint = advice(program, error)
            shown = _uncaught(error, outcome.error_text, color=color, columns=columns)
            return f"{shown}\n{hint}" if hint else shown
        case LimitExceeded() as error:
            title = limit_text(error)
        case ConversionError(path=path, reason=reason):
            place = "The value" if path == "$" else f"The value at {path}"
            title = f"ConversionError: {place} cannot leave the sandbox: it is {reason}."
        case Stalled(frames=frames, sources=sources):
            title = (
                "Stalled: The program waits for a promise that can never settle: no timer and no host call is pending."
            )
            return _stack.render(title, frames, sources, None, color=color, columns=columns)
        case error:
            title = f"{type(error).__name__}: {error}"
    return _stack.render(title, (), {}, None, color=color)


def _uncaught(error: JSError, thrown: str | None, *, color: bool, columns: int | None) -> str:
    prefix = "Uncaught (in promise) " if isinstance(error, UnhandledRejection) else "Uncaught "
    if thrown is not None:
        return prefix + _stack.render(thrown, (), {}, None, color=color)
    return prefix + error.render(color=color, columns=columns)


def limit_text(error: LimitExceeded) -> str:
    """Which limit was reached, and the flag that raises it."""
    limit = show_amount(error.limit, error.unit)
    used = limit if error.used is None or error.used < error.limit else show_amount(error.used, error.unit)
    text = f"The {error.resource} limit of {limit} was reached"
    if used != limit:
        text += f" ({used} used)"
    flag = _FLAGS.get(type(error))
    return f"{type(error).__name__}: {text}." + (f" {flag} raises it." if flag else "")


# --- for programs -----------------------------------------------------------------------------------------------------


def to_json(outcome: Outcome, entries: list[ConsoleEntry]) -> str:
    """The whole outcome as one line of JSON. It is ASCII, so it cannot steer a terminal either."""
    return json.dumps(
        {
            "ok": outcome.error is None,
            "value": json_value(outcome.value),
            "error": None if outcome.error is None else json_error(outcome.error),
            "console": [json_entry(entry) for entry in entries],
            "usage": asdict(outcome.usage),
        }
    )


def json_entry(entry: ConsoleEntry) -> dict[str, Any]:
    """What a program has written to its console, in JSON's terms."""
    return {
        "type": entry.type,
        "level": entry.level,
        "text": entry.text,
        "group_depth": entry.group_depth,
        "fields": json_value(entry.fields),
    }


def failure_to_json(error: Exception) -> str:
    """What kept the command from beginning, as one line of JSON with the fields of `to_json`."""
    kind = "UsageError" if not isinstance(error, SandboxError) else type(error).__name__
    message = getattr(error, "format_message", error.__str__)()
    shown: dict[str, Any] = {"type": kind, "name": kind, "message": message, "stack": "", "frames": []}
    return json.dumps({"ok": False, "value": None, "error": shown, "console": [], "usage": None})


def json_error(error: SandboxError | KeyboardInterrupt) -> dict[str, Any]:
    """What ended a program, in JSON's terms."""
    kind = type(error).__name__
    result: dict[str, Any] = {"type": kind, "name": kind, "message": str(error), "stack": "", "frames": []}
    if isinstance(error, JSError):
        result |= {"name": error.name, "message": error.message, "stack": error.stack}
        result["frames"] = [asdict(frame) for frame in error.frames]
        result["value"] = None if error.value is error else json_value(error.value)
    elif isinstance(error, LimitExceeded):
        result |= {"limit": error.limit, "used": error.used, "unit": error.unit}
    return result


# A value that shares its parts may unfold without end, and json.dumps follows only so many levels. There is room for
# every message that a guest can send by default, if nothing in it is shared.
_ROOM_CHARS: Final = 1 << 26
_VALUE_CHARS: Final = 32
_MOST_LEVELS: Final = 200
_CUT: Final = "…"


def json_value(value: object) -> Any:  # noqa: ANN401 - what json.dumps takes
    """A value in JSON's terms: what JSON lacks becomes the nearest thing it has.

    undefined, NaN and the infinities become null; a BigInt, a RegExp and a function a string; a Date its ISO text;
    bytes base64; a typed array a list of numbers; a Map a list of pairs; a Set a list; an Error its parts; a cycle
    `"[Circular]"`. What is nested very deeply, or comes after very many values, becomes `"…"`.
    """
    return _Json().value(value)


class _Json:
    def __init__(self) -> None:
        self._left = _ROOM_CHARS
        self._parents: list[int] = []

    def value(self, value: object) -> Any:  # noqa: ANN401 - what json.dumps takes
        if self._left < 0 and not isinstance(value, bool | int | float):
            return _CUT
        self._left -= _VALUE_CHARS + (len(value) if isinstance(value, str | bytes | memoryview) else 0)
        match value:
            case None | bool() | str():
                return value
            case BigInt():
                return str(value)
            case int():
                return value
            case float():
                return value if math.isfinite(value) else None
            case Undefined():
                return None
            case datetime():
                return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            case bytes():
                return base64.b64encode(value).decode("ascii")
            case memoryview():
                return value.tolist()
            case RegExp(source=source, flags=flags):
                return f"/{source}/{flags}"
            case JSFunction(name=name):
                return f"[Function: {name}]" if name else "[Function]"
            case JSError():
                return {"name": value.name, "message": value.message, "stack": value.stack}
        if id(value) in self._parents:
            return "[Circular]"
        if len(self._parents) >= _MOST_LEVELS:
            return _CUT
        self._parents.append(id(value))
        try:
            return self._container(value)
        finally:
            self._parents.pop()

    def _container(self, value: object) -> Any:  # noqa: ANN401 - what json.dumps takes
        match value:
            case JSMap():
                return [[self.value(key), self.value(item)] for key, item in value.items()]
            case JSSet() | list() | tuple() | set() | frozenset():
                return [self.value(item) for item in value]
            case Mapping():
                return {str(key): self.value(item) for key, item in value.items()}
            case _:
                return str(value)
