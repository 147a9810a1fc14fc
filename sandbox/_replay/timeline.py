"""What happened in a record, event by event, for people."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any, Final, Literal

from sandbox import _abi
from sandbox._abi import Op, Reason, Status, Verb
from sandbox._records import field, record
from sandbox._replay.entries import TURNS, Entry, Kind
from sandbox._replay.messages import Frame, cut, frames, host_functions, show, show_message, values

What = Literal[
    "start",
    "eval",
    "module",
    "call",
    "access",
    "settle",
    "forget",
    "release",
    "resume",
    "request",
    "reply",
    "send",
    "log",
    "result",
    "error",
    "uncaught",
    "cancel",
    "interrupt",
    "stopped",
    "turn",
    "crash",
    "rollback",
    "end",
]
"""Kinds of events."""

_NAMES: Final = {op: f"{stem}.{name}" for (stem, name), (op, _) in _abi.OPS.items()}
_CONSOLE: Final = _abi.OPS["console", "write"][0]
_FRAMES: Final[dict[int, What]] = {
    Op.FINISH: "result",
    Op.FAIL: "error",
    Op.UNCAUGHT: "uncaught",
    Op.CANCEL: "cancel",
}


@record(frozen=True, slots=True)
class ReplayEvent:
    """Something that the host did to the guest, or the guest to the host.

    Attributes:
        number: Its place in the record, from 0 on.
        what: Its kind. `eval`, `module`, `call`, `access` (globals and handles), `settle` (the answer to an
            asynchronous request), `forget` (a run that nobody waits for), `release` (handles) and `resume` (what a
            restored guest is told first: the handles that are held) begin a turn, and `turn` or `crash` ends it. In
            between the guest may make a `request`, to which a `reply` belongs when it is answered at once, `send`
            something, write to the `log`, `cancel` a request, end a run with a `result` or an `error`, leave something
            `uncaught`, or see an `interrupt`. `stopped` says that a turn was ended by force, `rollback` that the
            sandbox was set back.
        text: What it is about, on one line, cut where that is long.
        depth: Calls between guest and host it is inside of; 0: none.
        run: The run that it begins or ends; the request that it makes or answers; 0: there is no such number.
        fuel: What the turn that it ends has burnt.
        message: The message behind it, as it crossed.
    """

    number: int
    what: What
    text: str
    depth: int
    run: int = 0
    fuel: int = 0
    message: bytes = field(default=b"", repr=False)

    def __str__(self) -> str:
        return f"#{self.number} {self.what} {self.text}".rstrip()


class Timeline:
    """Tells what the entries of a record mean.

    Attributes:
        count: How many events there were.
        depth: Calls between guest and host that are in progress.
    """

    def __init__(self) -> None:
        """Begin before the first entry."""
        self.count = self.depth = 0
        self._message = b""
        self._functions: dict[int, str] = {}
        self._imports: list[int] = []
        self._entered = ""  # the export that the host has called last, outside of any other
        self._told_fuel = 0
        self._ended: list[tuple[What, str, dict[str, Any]]] = []

    def feed(self, entry: Entry) -> list[ReplayEvent]:
        """The events of the next entry."""
        depth = self.depth - 1 if entry.kind is Kind.RETURN else self.depth
        events = [
            ReplayEvent(self.count + index, what, cut(text), depth, **more)
            for index, (what, text, more) in enumerate(self._events(entry))
        ]
        self.count += len(events)
        self._follow(entry)
        return events

    def _follow(self, entry: Entry) -> None:
        match entry.kind:
            case Kind.WRITE:
                self._message = entry.values[0]
                self._functions.update(host_functions(self._message))
            case Kind.CALL:
                self._entered = self._entered if self.depth else entry.values[0]
                self.depth += 1
                if entry.values[0] == "access":
                    self._name_function()
            case Kind.IMPORT:
                self.depth += 1
                self._imports.append(entry.values[0])
            case Kind.RETURN | Kind.TRAP:
                self.depth = max(self.depth - 1, 0)
                # What the guest has left in its outbox is read next, and is a part of the turn.
                self._ended = []
                if entry.kind is Kind.RETURN and not self.depth and self._entered in TURNS:
                    self._ended = self._turn(*entry.values) if entry.values[4] else []
                    self._told_fuel = entry.values[2]
            case Kind.FUEL if not self.depth:
                self._told_fuel = 0
            case Kind.READ:
                self._ended = []
            case Kind.REPLY:
                self.depth = max(self.depth - 1, 0)
                if self._imports:
                    self._imports.pop()

    def _name_function(self) -> None:
        """A function that becomes a global is called as that."""
        match values(self._message):
            case [Verb.SET, 0, str(key), tuple()]:
                self._functions.update((op, key) for op, _ in host_functions(self._message))

    def _events(self, entry: Entry) -> list[tuple[What, str, dict[str, Any]]]:
        told = entry.values
        match entry.kind:
            case Kind.HEAD:
                return [("start", f"quickjs-sandbox {told[0].get('package')}", {})]
            case Kind.CALL if told[0] in TURNS:
                return [self._command(*told)]
            case Kind.IMPORT if told[0] != Op.POLL:
                return [("request", self._call(told[0], told[3]), {"message": told[3]})]
            case Kind.REPLY if self._imports and self._imports[-1] != Op.POLL:
                return [self._reply(told[0])]
            case Kind.READ:
                events = [event for frame in frames(told[1]) if (event := self._frame(frame)) is not None]
                if self.depth:
                    return events
                if len(self._ended) > 1:  # what the guest threw was only its being unwound
                    events = [event for event in events if event[0] != "error"]
                return events + self._ended
            case Kind.INTERRUPT:
                return [("interrupt", "", {})]
            case Kind.RETURN if self.depth == 1 and self._entered in TURNS and not told[4]:
                return self._turn(*told)
            case Kind.TRAP:
                return [("crash", told[0].lower().replace("_", " "), {})]
            case Kind.RESTORE:
                return [("rollback", "", {})]
            case Kind.END:
                return [("end", told[0], {})]
        return []

    def _turn(
        self, _status: int, _left: int, burnt: int, reason: int, _unread: int
    ) -> list[tuple[What, str, dict[str, Any]]]:
        fuel = max(burnt - self._told_fuel, 0)  # it is counted from when the tank was filled, over several turns
        ended: tuple[What, str, dict[str, Any]] = ("turn", f"{fuel:,} units of fuel", {"fuel": fuel})
        if not reason:
            return [ended]
        why = Reason(reason).name.lower() if reason in list(Reason) else str(reason)
        return [("stopped", why, {}), ended]

    def _command(self, name: str, arguments: list[int]) -> tuple[What, str, dict[str, Any]]:
        told, number = values(self._message), arguments[0]
        more = {"run": number, "message": self._message}
        match name, told:
            case "eval", [filename, code]:
                return "eval", f"{filename}: {code}", more
            case "module", [specifier, code, filename]:
                return "module", str(specifier) if code is None else f"{filename}: {code}", more
            case "call", [target, _, list() as given]:
                called = target if isinstance(target, str) else f"[function {target}]"
                return "call", f"{called}({', '.join(map(show, given))})", more
            case "access", [verb, handle, key, value]:
                return "access", _access(verb, handle, key, value), more
            case "settle", _:
                how = "" if arguments[1] == Status.OK else "throws "
                return "settle", f"request {number}: {how}{show_message(self._message)}", more
            case "abandon", _:
                return "forget", f"run {number}", {"run": number}
            case "resume", _:
                return "resume", f"{len(told)} handles", {"message": self._message}
            case "release", _:
                return "release", f"{len(told)} handles", {"message": self._message}
        return _COMMANDS.get(name, "call"), show_message(self._message), more

    def _reply(self, status: int) -> tuple[What, str, dict[str, Any]]:
        if status == Status.STOP:
            return "reply", "stops the guest", {}
        text = show_message(self._message)
        return "reply", text if status == Status.OK else f"throws {text}", {"message": self._message}

    def _frame(self, frame: Frame) -> tuple[What, str, dict[str, Any]] | None:
        what, more = _FRAMES.get(frame.op), {"run": frame.number, "message": frame.message}
        if what is not None:
            text = f"request {frame.number}" if what == "cancel" else show_message(frame.message)
            return what, f"run {frame.number}: {text}" if what in ("result", "error") else text, more
        if frame.op == Op.RELEASE:
            return None
        if frame.op == _CONSOLE:
            match values(frame.message):
                case [[{"text": str(text), **_rest}]]:
                    return "log", text, {"message": frame.message}
            return "log", show_message(frame.message), {"message": frame.message}
        text = self._call(frame.op, frame.message)
        return ("request", f"{text}, number {frame.number}", more) if frame.number else ("send", text, more)

    def _call(self, op: int, message: bytes) -> str:
        name = _NAMES.get(op) or self._functions.get(op) or f"[function {op} of the host]"
        match values(message):
            case [list() as arguments]:
                return f"{name}({', '.join(map(show, arguments))})"
        return f"{name}({show_message(message)})"

    # --- divergences ---

    def describe(self, entry: Entry | None) -> str:
        """What an entry says, or would say, in a few words."""
        if entry is None:
            return "its end"
        depth, self.depth = self.depth, max(self.depth, 1) if entry.kind is Kind.RETURN else self.depth
        events = self._events(entry)
        self.depth = depth
        if events:
            return "; ".join(f"{what} {cut(text)}".rstrip() for what, text, _ in events)
        return _ENTRIES.get(entry.kind, entry.kind.name)

    def compare(self, expected: Entry | None, actual: Entry) -> tuple[int, str, str]:
        """Where two entries differ: after how many events of the first, what the one has there, and the other."""
        ours = self._events(expected) if expected is not None and expected.kind is actual.kind is Kind.READ else []
        theirs = self._events(actual) if ours else []
        for index, (one, other) in enumerate(zip_longest(ours, theirs)):
            if one != other:
                return index, *(f"{each[0]} {cut(each[1])}".rstrip() if each else "nothing" for each in (one, other))  # type: ignore[return-value]
        return 0, self.describe(expected), self.describe(actual)


_COMMANDS: Final[dict[str, What]] = {"eval": "eval", "module": "module", "access": "access"}
_ENTRIES: Final = {
    Kind.IMPORT: "a look at the host's interrupts",
    Kind.RETURN: "the end of a call",
    Kind.CALL: "a call of the host",
    Kind.READ: "other bytes",
}
_VERBS: Final = {
    Verb.GET: "{0}",
    Verb.SET: "{0} = {1}",
    Verb.DELETE: "delete {0}",
    Verb.HAS: "has {0}",
    Verb.KEYS: "keys",
    Verb.STEP: "{0}({1})",
    Verb.WAIT: "await",
    Verb.CONSTRUCT: "new ({1})",
    Verb.OPEN: "open",
}


def _access(verb: object, handle: object, key: object, value: object) -> str:
    pattern = _VERBS.get(verb, "?") if isinstance(verb, int) else "?"  # type: ignore[call-overload]
    text = pattern.format(key, show(value))
    return f"{text} of [object {handle}]" if handle else text
