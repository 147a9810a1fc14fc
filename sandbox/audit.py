"""A record of what the guest asked of the host: bounded in memory, in a file, or handed on."""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from sandbox._brief import brief
from sandbox._records import field, record
from sandbox.values import Blob, JSMap, JSSet, undefined

if TYPE_CHECKING:
    from sandbox.calls import Call, Outcome

__all__ = ["AuditEntry", "AuditLog"]

_REDACTED: Final = "[redacted]"
# Parts of names whose values are nobody's business, compared without case and without "-" and "_".
_SECRET_NAMES: Final = (
    "authorization",
    "cookie",
    "credential",
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "privatekey",
)
# Of one entry: what it shows of its arguments, in items, in characters of one text and of all of them.
_MOST_ITEMS: Final = 100
_MOST_CHARS: Final = 200
_MOST_CHARS_IN_ALL: Final = 2000
_MOST_DEPTH: Final = 6
_APPEND: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)


@record(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One event of an audit log. A call has two: when it is made, and when it has ended.

    Attributes:
        event: `"call"`, before hooks and functions see it, or `"result"`.
        call: The number of the call; see `Call`.
        run: The run it belongs to.
        name: What was called.
        time: When it happened, in seconds since the epoch.
        arguments: What the guest gave: values of JSON, cut, with secrets taken out.
        bytes_in: Bytes of the arguments.
        outcome: How it has ended; None in a `"call"`.
        error: The class of the exception it ended with; empty when there is none.
        bytes_out: Bytes of the answer.
        host_seconds: Time the host worked for it.
        wall_seconds: Time until its answer.
        label: That of the log.
    """

    event: Literal["call", "result"]
    call: int
    run: int
    name: str
    time: float
    arguments: list[Any] = field(default_factory=list, hash=False)
    bytes_in: int = 0
    outcome: Outcome | None = None
    error: str = ""
    bytes_out: int = 0
    host_seconds: float = 0.0
    wall_seconds: float = 0.0
    label: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The entry as a line of the file has it: of a result only what its call did not say."""
        time = datetime.fromtimestamp(self.time, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"event": self.event, "time": time}
        if self.label:
            line["label"] = self.label
        line.update(run=self.run, call=self.call, name=self.name)
        if self.event == "call":
            return {**line, "arguments": self.arguments, "bytes_in": self.bytes_in}
        line["outcome"] = self.outcome
        if self.error:
            line["error"] = self.error
        seconds = {"host_seconds": round(self.host_seconds, 6), "wall_seconds": round(self.wall_seconds, 6)}
        return {**line, "bytes_out": self.bytes_out, **seconds}


class AuditLog:
    """Records every call that a guest makes, and how each has ended; see `audit` of `Sandbox`.

        with AuditLog("calls.jsonl") as log, Sandbox(audit=log, functions=tools) as box:
            box.eval(code)

    A call is recorded before hooks and functions see it, so it is there whatever becomes of the process. Every call has
    one result, however its run ends: by a limit, a rollback, an interruption or `close`. Calls stand in the order they
    are made, results in the order they are known. Arguments are cut; bytes are told by their number only; values are
    taken out whose names look like secrets (`password`, `apiKey`, `Authorization`, ...). Answers are not recorded.

    May serve several sandboxes and threads. An exception in `sink` or `redact`, or of the file, ends the run.

    Attributes:
        ops: The names or patterns of what it records.
    """

    ops: tuple[str, ...]

    def __init__(
        self,
        sink: str | os.PathLike[str] | Callable[[AuditEntry], object] | None = None,
        *,
        keep: int = 1000,
        ops: Iterable[str] = ("*",),
        secrets: Iterable[str] = (),
        redact: Callable[[str, list[Any]], list[Any]] | None = None,
        label: str = "",
    ) -> None:
        """Make a log.

        Args:
            sink: A file, to which a line of JSON is appended for each event, at once; only its owner can read a new
                one. Or what is called with each entry, in order, on the thread where it happens. None: memory alone.
            keep: How many calls are kept in memory, the latest ones.
            ops: Names, or patterns with `*` of names, of what is recorded; see `on_call` of `Sandbox`.
            secrets: Texts that are taken out wherever they appear.
            redact: Gets the name of what is called and the arguments as they would be recorded, and returns those to
                record.
            label: Stands in every entry, to tell the sandboxes of one file apart.

        Raises:
            TypeError: An argument has the wrong type.
            ValueError: `keep` is negative.
        """
        self._file: int | None = None
        self._lock = threading.RLock()
        if isinstance(keep, bool) or not isinstance(keep, int):
            raise TypeError(f"keep must be an int, not {type(keep).__name__}")
        if keep < 0:
            raise ValueError(f"keep must not be negative, not {keep}")
        if isinstance(ops, str) or isinstance(secrets, str):
            raise TypeError("ops and secrets are collections of str")
        self.ops = tuple(ops)
        self._keep = keep
        self._secrets = tuple(sorted(filter(None, secrets), key=len, reverse=True))
        self._redact = redact
        self._label = label
        self._path: str | None = None
        self._sink: Callable[[AuditEntry], object] | None = None
        if callable(sink):
            self._sink = sink
        elif sink is not None:
            self._path = os.fspath(sink)
        self._kept: OrderedDict[tuple[int, int], list[AuditEntry]] = OrderedDict()

    def __iter__(self) -> Iterator[AuditEntry]:
        """The entries in memory, call by call: each with its result after it, if there is one yet."""
        with self._lock:
            return iter([entry for entries in self._kept.values() for entry in entries])

    def __len__(self) -> int:
        """How many calls there are in memory."""
        return len(self._kept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; idempotent. What is recorded later opens it again."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                os.close(file)

    __del__ = close

    def begin(self, sandbox: int, call: Call) -> None:
        """Record that a call is made; for the sandbox.

        Args:
            sandbox: Tells the sandboxes of this log apart.
            call: The call.
        """
        arguments: list[Any] = _Shown(self._secrets).list(call.arguments)
        if self._redact is not None:
            arguments = self._redact(call.name, arguments)
        self._record(sandbox, self._entry("call", call, arguments))

    def end(self, sandbox: int, call: Call) -> None:
        """Record how a call has ended; for the sandbox.

        Args:
            sandbox: As for `begin`.
            call: The call.
        """
        self._record(sandbox, self._entry("result", call, []))

    def after_fork(self) -> None:
        """Go on in a forked child, where no other thread holds the lock; for the sandbox."""
        self._lock = threading.RLock()

    def _entry(self, event: Literal["call", "result"], call: Call, arguments: list[Any]) -> AuditEntry:
        return AuditEntry(
            event=event,
            call=call.number,
            run=call.run,
            name=call.name,
            time=call.time if event == "call" else call.time + call.wall_seconds,
            arguments=arguments,
            bytes_in=call.bytes_in,
            outcome=call.outcome,
            error="" if call.error is None else type(call.error).__name__,
            bytes_out=call.bytes_out,
            host_seconds=call.host_seconds,
            wall_seconds=call.wall_seconds,
            label=self._label,
        )

    def _record(self, sandbox: int, entry: AuditEntry) -> None:
        with self._lock:
            if entry.event == "call":
                self._kept[sandbox, entry.call] = [entry]
                while len(self._kept) > self._keep:
                    self._kept.popitem(last=False)
            elif (kept := self._kept.get((sandbox, entry.call))) is not None:
                kept.append(entry)
            if self._path is not None:
                self._write(json.dumps(entry.to_dict(), ensure_ascii=True, allow_nan=False).encode() + b"\n")
        if self._sink is not None:
            self._sink(entry)

    def _write(self, line: bytes) -> None:
        """Append a line, in one step, so that lines of several processes do not mix."""
        assert self._path is not None
        if self._file is None:
            self._file = os.open(self._path, _APPEND, 0o600)
        written = os.write(self._file, line)
        if written != len(line):
            raise OSError("the audit log could not be written whole")


class _Shown:
    """Values as JSON: cut, and without secrets."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = secrets
        self._items = _MOST_ITEMS
        self._chars = _MOST_CHARS_IN_ALL

    def list(self, values: Iterable[Any], depth: int = 0) -> list[Any]:
        shown: list[Any] = []
        for value in values:
            self._items -= 1
            if self._items < 0:
                shown.append("…")
                break
            shown.append(self.value(value, depth + 1))
        return shown

    def value(self, value: object, depth: int) -> Any:  # noqa: ANN401 - a value of JSON
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            is_plain = abs(value) < 1 << 53  # neither NaN nor infinity
            return value if is_plain else self._text(brief(value))
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bytes | bytearray):
            return f"[{len(value)} bytes]"
        if isinstance(value, memoryview):
            return f"[{value.nbytes} bytes]"
        if isinstance(value, Blob):
            return f"[{type(value).__name__} of {len(value)} bytes]"
        if value is undefined:
            return "[undefined]"
        if depth >= _MOST_DEPTH:
            return "…"
        if isinstance(value, Mapping | JSMap):
            return self._members(value, depth)
        if isinstance(value, list | tuple | set | frozenset | JSSet):
            return self.list(value, depth)
        return f"[{type(value).__name__}]"

    def _members(self, members: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for key, value in members.items():
            self._items -= 1
            if self._items < 0:
                shown["…"] = "…"
                break
            name = self._text(key if isinstance(key, str) else brief(key))
            shown[name] = _REDACTED if _is_secret(name) else self.value(value, depth + 1)
        return shown

    def _text(self, text: str) -> str:
        # A secret may begin before the cut and end after it, so it is looked for in more than is shown.
        text = text[: _MOST_CHARS + 1 + max(map(len, self._secrets), default=0)]
        for secret in self._secrets:
            text = text.replace(secret, _REDACTED)
        most = min(self._chars, _MOST_CHARS)
        self._chars -= min(len(text), most)
        return text if len(text) <= most else text[:most] + "…"


def _is_secret(name: str) -> bool:
    plain = name.lower().replace("-", "").replace("_", "")
    return any(secret in plain for secret in _SECRET_NAMES)
