"""The guest's console: typed entries for a sink of the embedder, bounded in size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Protocol

from sandbox._records import field, record
from sandbox.capabilities.base import Capability, Handler, Malformed
from sandbox.errors import OutputLimitExceeded

# What an entry costs beside its text where entries are kept: a flood of empty lines fills memory as well.
_ENTRY_BYTES: Final = 256
# Nobody reads what is indented further, and indentation costs the host memory.
_MAX_GROUP_DEPTH: Final = 100


@record(frozen=True, slots=True)
class ConsoleEntry:
    """One call of a console method (Console Standard, section 1).

    Attributes:
        type: `"output"` for log, info, warn, error and debug; else the method's name: `"dir"`, `"table"`, `"trace"`,
            `"count"`, `"countReset"`, `"time"`, `"timeLog"`, `"timeEnd"`, `"assert"`, `"group"`, `"groupEnd"` or
            `"clear"`.
        level: `"log"`, `"info"`, `"warn"`, `"error"` or `"debug"`.
        text: What it would print, formatted in the guest, without the indentation of groups.
        group_depth: How many groups it stands in.
        fields: What else the method says: `label`, `count`, `duration_ms`, `stack`, `collapsed`.
    """

    type: str
    level: str = "log"
    text: str = ""
    group_depth: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        indent = "  " * self.group_depth
        return "\n".join(indent + line for line in self.text.split("\n"))


class Notes(Protocol):
    """Where entries are written down."""

    def entry(self, type: str, level: str, text: str) -> None:
        """Take one."""


class OutputMeter(Protocol):
    """What counts the output of one run, and may write it down."""

    output_bytes: int

    @property
    def trace(self) -> Notes | None:
        """Where; None: nowhere."""


class Console(Capability):
    """Hands the guest's console entries to a callable, in program order, and stops a guest that writes too much.

    Attributes:
        meter: The run that what the guest writes is charged to; whoever runs the turns sets it.
    """

    stem: ClassVar[str] = "console"
    titles: ClassVar[Mapping[str, str]] = {"write": "console"}
    quiet: ClassVar[frozenset[str]] = frozenset({"write"})

    def __init__(self, on_entry: Callable[[ConsoleEntry], object] | None, output_bytes: int | None) -> None:
        """Make a console.

        Args:
            on_entry: Gets each entry, on the thread that runs the guest's turn; None: entries are dropped. What it
                raises ends the run and reaches the embedder.
            output_bytes: Text one run may write; None: no limit.
        """
        self._on_entry = on_entry
        self._output_bytes = output_bytes
        self.meter: OutputMeter | None = None

    def handlers(self) -> Mapping[str, Handler]:
        """See `Capability`."""
        return {"write": self._write}

    def _write(self, *arguments: object) -> None:
        entry = _entry(*arguments)
        if self.meter is not None and self._output_bytes is not None:
            self.meter.output_bytes += _size(entry)
            if self.meter.output_bytes > self._output_bytes:
                raise OutputLimitExceeded(self._output_bytes, self.meter.output_bytes)
        if self.meter is not None and (trace := self.meter.trace) is not None:
            trace.entry(entry.type, entry.level, str(entry))
        if self._on_entry is not None:
            self._on_entry(entry)


def _size(entry: ConsoleEntry) -> int:
    texts = [entry.text, *(value for value in entry.fields.values() if isinstance(value, str))]
    return _ENTRY_BYTES + sum(map(len, texts))


_TYPES: Final = frozenset({
    "output", "dir", "table", "trace", "count", "countReset", "time", "timeLog", "timeEnd", "assert", "group",
    "groupEnd", "clear",
})  # fmt: skip
_LEVELS: Final = frozenset({"log", "info", "warn", "error", "debug"})
_DEFAULT_LEVELS: Final = {"trace": "error", "assert": "error"}
# What an entry may say, and of which types; the binding sends nothing else.
_MAIN: Final[Mapping[str, tuple[type, ...]]] = {"type": (str,), "level": (str,), "text": (str,), "groupDepth": (int,)}
_FIELDS: Final[Mapping[str, tuple[type, ...]]] = {
    "label": (str,),
    "count": (int,),
    "duration_ms": (int, float),
    "stack": (str,),
    "collapsed": (bool,),
}
_PARTS: Final = {**_MAIN, **_FIELDS}


def _entry(*arguments: object) -> ConsoleEntry:
    raw = arguments[0] if len(arguments) == 1 else None
    if type(raw) is not dict:
        raise Malformed("no entry")
    for key, value in raw.items():
        if type(value) not in _PARTS.get(key, ()):
            raise Malformed("an entry with odd parts")
    kind = raw.get("type", "output")
    level = raw.get("level") or _DEFAULT_LEVELS.get(kind, "log")
    if kind not in _TYPES or level not in _LEVELS:
        raise Malformed("an entry of no known type")
    return ConsoleEntry(
        type=kind,
        level=level,
        text=raw.get("text", ""),
        group_depth=min(max(raw.get("groupDepth", 0), 0), _MAX_GROUP_DEPTH),
        fields={key: value for key, value in raw.items() if key in _FIELDS},
    )
