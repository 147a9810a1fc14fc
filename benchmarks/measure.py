"""Inside a worker: turn a row into an operation, check its answer once, and time it."""

from __future__ import annotations

import gc
import itertools
import math
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from benchmarks import crowds, workloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.engines.base import (
        Adapter,
        HostFunctions,
        Session,
        SnapshotAdapter,
        TemplateAdapter,
        TypeScriptAdapter,
    )
    from benchmarks.rows import Row

SAMPLE_SECONDS = 0.02
_LONG_SECONDS = 1.0  # operations that take longer are not repeated to see whether they always do
_MAX_LOOPS = 10_000_000


class WrongAnswerError(Exception):
    """An engine returned something else than the row's answer; its time would mean nothing."""


@dataclass(slots=True)
class Prepared:
    """An operation that is ready to be timed.

    Attributes:
        operation: Does the work once.
        verify: Does the work once and raises `WrongAnswerError` unless its result is right.
        per_operation: How many of the row's units of work one operation does.
        close: Ends what the operation works on.
        loops: How many operations make one sample; set by `calibrate`.
    """

    operation: Callable[[], object]
    verify: Callable[[], None]
    per_operation: int
    close: Callable[[], None]
    loops: int = 1


def prepare(adapter: Adapter, row: Row) -> Prepared:
    """Set up one row on one engine: sandbox, program and data; nothing of this is timed.

    Raises:
        Exception: Whatever the engine raises when it cannot do this.
    """
    match row.kind:
        case "spawn":
            return _prepare_spawn(adapter)
        case "spawn_template":
            return _prepare_template(cast("TemplateAdapter", adapter))
        case "spawn_snapshot" | "copy" | "fork" | "snapshot" | "restore":
            return _prepare_snapshot(cast("SnapshotAdapter", adapter), row)
        case "typescript":
            return _prepare_typescript(adapter)
        case "eval":
            session = adapter.open_session({})
            return _expect(session, "1+1", 2)
        case "compute":
            session = adapter.open_session({})
            session.eval(workloads.program(row.subject) + "\n0;")
            return _expect(session, "run()", workloads.CHECKSUMS[row.subject])
        case "host_call":
            return _prepare_host_call(adapter, row.subject)
        case "guest_call":
            return _prepare_guest_call(adapter)
        case "out":
            return _prepare_out(adapter, row.subject)
        case "in":
            return _prepare_in(adapter, row.subject)
        case "threads":
            return _prepare_threads(adapter, row)
        case "fan_out":
            return _prepare_fan_out(adapter, row)
    raise ValueError(f"row {row.id!r} is not measured in a worker")


def _check(row_result: object, expected: object) -> None:
    if row_result != expected:
        raise WrongAnswerError(f"expected {_shorten(expected)}, got {_shorten(row_result)}")


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _expect(session: Session, code: str, expected: object, per_operation: int = 1) -> Prepared:
    """An operation that evaluates `code`, whose value is `expected`."""
    evaluate = session.eval

    def operation() -> object:
        return evaluate(code)

    return Prepared(operation, lambda: _check(operation(), expected), per_operation, session.close)


def _prepare_spawn(adapter: Adapter) -> Prepared:
    open_session = adapter.open_session
    no_functions: HostFunctions = {}

    def operation() -> object:
        session = open_session(no_functions)
        result = session.eval("1+1")
        session.close()
        return result

    return Prepared(operation, lambda: _check(operation(), 2), 1, lambda: None)


def _prepare_template(adapter: TemplateAdapter) -> Prepared:
    open_session = adapter.template(workloads.library())

    def evaluate(code: str) -> object:
        session = open_session()
        result = session.eval(code)
        session.close()
        return result

    def verify() -> None:
        _check(evaluate("1+1"), 2)
        _check(evaluate(workloads.LIBRARY_CHECK), workloads.LIBRARY_ANSWER)

    return Prepared(lambda: evaluate("1+1"), verify, 1, lambda: None)


def _prepare_typescript(adapter: Adapter) -> Prepared:
    source = workloads.typescript()
    transform = cast("TypeScriptAdapter", adapter).transform

    def verify() -> None:
        session = adapter.open_session({})
        session.eval(transform(source).replace("export ", "") + "\n0;")
        _check(session.eval(workloads.TYPESCRIPT_CHECK), workloads.TYPESCRIPT_ANSWER)
        session.close()

    return Prepared(lambda: transform(source), verify, 1, lambda: None)


def _prepare_snapshot(adapter: SnapshotAdapter, row: Row) -> Prepared:
    session = cast("Adapter", adapter).open_session({})
    session.eval(workloads.heap(row.subject))
    length = workloads.HEAPS[row.subject]
    if row.kind == "snapshot":

        def verify_bytes() -> None:
            twin = adapter.restore(adapter.snapshot(session), {})
            _check(twin.eval("heap.length"), length)
            twin.close()

        return Prepared(lambda: adapter.snapshot(session), verify_bytes, 1, session.close)
    data = adapter.snapshot(session) if row.kind == "restore" else b""
    kept = adapter.spawner(session) if row.kind == "spawn_snapshot" else None

    def open_session() -> Session:
        if row.kind == "fork":
            return adapter.fork(session)
        if row.kind == "restore":
            return adapter.restore(data, {})
        return (kept or adapter.spawner(session))()

    def operation() -> object:
        twin = open_session()
        result = twin.eval("1+1")
        twin.close()
        return result

    def verify() -> None:
        _check(operation(), 2)
        twin = open_session()
        _check(twin.eval("heap.length"), length)
        twin.close()

    return Prepared(operation, verify, 1, session.close)


def _next_number(number: int) -> int:
    return number + 1


def _next_record(record: dict[str, Any]) -> dict[str, Any]:
    return {"id": record["id"] + 1, "name": record["name"], "active": record["active"]}


# What the host does, and how the guest asks for it; `i` counts up from 0 and the answer is `i + 1`.
_HOST_CALLS: dict[str, tuple[Callable[..., Any], str]] = {
    "number": (_next_number, "host(i)"),
    "record": (_next_record, 'host({ id: i, name: "item", active: true }).id'),
}


def _prepare_host_call(adapter: Adapter, subject: str) -> Prepared:
    count = workloads.HOST_CALLS_PER_EVAL
    host, call = _HOST_CALLS[subject]
    session = adapter.open_session({"host": host})
    return _expect(session, workloads.summed(call, count), count * (count + 1) // 2, per_operation=count)


def _prepare_guest_call(adapter: Adapter) -> Prepared:
    session = adapter.open_session({})
    function = session.function("record => ({ id: record.id + 1, name: record.name, active: record.active })")
    record = {"id": 1, "name": "item", "active": True}

    def operation() -> object:
        return function(record)

    return Prepared(operation, lambda: _check(operation(), _next_record(record)), 1, session.close)


def _prepare_out(adapter: Adapter, subject: str) -> Prepared:
    value = workloads.value(subject)
    session = adapter.open_session({})
    session.eval(f"globalThis.outgoing = {value.outgoing}; 0;")
    kind = type(value.python)

    def operation() -> object:
        return session.take("outgoing", kind)

    return Prepared(operation, lambda: _check(operation(), value.python), 1, session.close)


def _prepare_in(adapter: Adapter, subject: str) -> Prepared:
    value = workloads.value(subject)
    session = adapter.open_session({})

    def operation() -> None:
        session.put("incoming", value.python)

    def verify() -> None:
        operation()
        if session.eval(value.check) is not True:
            raise WrongAnswerError(f"the guest received other {subject}")

    return Prepared(operation, verify, 1, session.close)


def _prepare_threads(adapter: Adapter, row: Row) -> Prepared:
    crew, expected, units = crowds.prepare_threads(adapter, row)

    def verify() -> None:
        try:
            _check(list(crew.work()), [expected] * row.crowd)
        except WrongAnswerError:
            crew.close()
            raise

    return Prepared(crew.work, verify, units * row.crowd, crew.close)


def _prepare_fan_out(adapter: Adapter, row: Row) -> Prepared:
    operation, expected = crowds.prepare_fan_out(adapter, row)
    return Prepared(operation, lambda: _check(operation(), expected), row.crowd, lambda: None)


def calibrate(prepared: Prepared, sample_seconds: float = SAMPLE_SECONDS) -> float:
    """Check the answer, then choose `loops` so that one sample lasts about `sample_seconds`.

    Returns:
        Seconds that one operation took, from the last trial.
    """
    prepared.verify()
    gc.collect()
    gc.freeze()
    loops = 1
    while True:
        prepared.loops = loops
        elapsed = _time(prepared)
        if loops == 1 and sample_seconds <= elapsed < _LONG_SECONDS:
            elapsed = _time(prepared)  # the second use may have made something for all that follow
        if elapsed >= sample_seconds or loops >= _MAX_LOOPS:
            return elapsed / loops
        growth = 1.2 * sample_seconds / elapsed if elapsed > 0 else 10
        loops = min(_MAX_LOOPS, math.ceil(loops * min(10, max(1.5, growth))))


def sample(prepared: Prepared) -> float:
    """Take one sample.

    Returns:
        Seconds for one of the row's units of work.
    """
    gc.collect()
    return _time(prepared) / prepared.loops / prepared.per_operation


def finish(prepared: Prepared) -> None:
    """End what the row worked on."""
    gc.unfreeze()
    prepared.close()


def _time(prepared: Prepared) -> float:
    operation = prepared.operation
    start = perf_counter()
    for _ in itertools.repeat(None, prepared.loops):
        operation()
    return perf_counter() - start
