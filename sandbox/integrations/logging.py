"""What sandboxes say, as records of the standard library's `logging`.

import logging
from sandbox import Sandbox
from sandbox.integrations.logging import audit_log, console_logger

log = logging.getLogger("programs")
Sandbox(console=console_logger(log), audit=audit_log(log))
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from sandbox import AuditEntry, AuditLog

if TYPE_CHECKING:
    from sandbox import ConsoleEntry

__all__ = ["audit_log", "console_logger"]

_LEVELS: Final = {"debug": logging.DEBUG, "warn": logging.WARNING, "error": logging.ERROR}
# Programs must not steer what reads a log: line breaks and other control characters are shown as escapes.
_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != 9}


def console_logger(logger: logging.Logger, *, extra: dict[str, Any] | None = None) -> Callable[[ConsoleEntry], None]:
    """What the option `console` takes: each entry is a record of its level.

    Args:
        logger: Where to.
        extra: Attributes of each record, such as whose program it is. `console` is one already: the entry.
    """
    given = extra or {}

    def log(entry: ConsoleEntry) -> None:
        level = _LEVELS.get(entry.level, logging.INFO)
        if logger.isEnabledFor(level):
            logger.log(level, "%s", str(entry).translate(_CONTROLS), extra={**given, "console": entry})

    return log


def audit_log(
    logger: logging.Logger,
    *,
    level: int = logging.INFO,
    failure_level: int = logging.WARNING,
    label: str = "",
    secrets: Iterable[str] = (),
) -> AuditLog:
    """What the option `audit` takes: each call of the host is two records, when it is made and when it has ended.

    Args:
        logger: Where to.
        level: Of calls, and of answers.
        failure_level: Of calls that have ended without an answer: errors, denials and refusals.
        label: See `AuditLog`.
        secrets: Likewise.

    Returns:
        The log. Each record has the attribute `audit`: the entry.
    """

    def sink(entry: AuditEntry) -> None:
        is_failure = entry.event == "result" and entry.outcome not in ("value", "replaced")
        at = failure_level if is_failure else level
        if logger.isEnabledFor(at):
            logger.log(at, "%s", _line(entry).translate(_CONTROLS), extra={"audit": entry})

    return AuditLog(sink, label=label, secrets=secrets)


def _line(entry: AuditEntry) -> str:
    whose = f"[{entry.label}] " if entry.label else ""
    if entry.event == "call":
        return f"{whose}call {entry.call}: {entry.name}({', '.join(map(repr, entry.arguments))})"
    error = f" ({entry.error})" if entry.error else ""
    return f"{whose}call {entry.call}: {entry.name} -> {entry.outcome}{error} in {entry.wall_seconds * 1000:.1f} ms"
