"""Spans of OpenTelemetry and records of `logging`, for runs, host calls and console entries."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from sandbox import AsyncSandbox, JSError, Sandbox
from sandbox.integrations.logging import audit_log, console_logger


@pytest.fixture
def spans() -> Any:
    pytest.importorskip("opentelemetry.sdk")
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    return InMemorySpanExporter()


@pytest.fixture
def traces(spans: Any) -> Any:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    from sandbox.integrations.opentelemetry import Traces

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return Traces(provider, label="tenant")


def fail(text: str) -> None:
    raise ValueError(text)


def test_a_run_and_its_calls(traces: Any, spans: Any) -> None:
    box = Sandbox(functions={"add": lambda a, b: a + b, "fail": fail}, audit=traces.audit)
    with box, traces.run(box, "sum") as span:
        span.set_attribute("mine", 1)
        box.eval("add(1, 2); try { fail('secret text') } catch {}")
    add, failed, run = spans.get_finished_spans()
    assert (add.name, failed.name, run.name) == ("sandbox call add", "sandbox call fail", "sandbox sum")
    assert add.parent.span_id == failed.parent.span_id == run.context.span_id
    assert add.attributes == {
        "sandbox.label": "tenant",
        "sandbox.op": "add",
        "sandbox.bytes_in": 16,
        "sandbox.outcome": "value",
        "sandbox.bytes_out": 8,
    }
    assert failed.attributes["error.type"] == "ValueError"
    assert not failed.status.is_ok
    assert run.attributes["sandbox.host_calls"] == 2
    assert run.attributes["sandbox.fuel"] > 0
    assert run.attributes["mine"] == 1
    assert run.start_time <= add.start_time <= add.end_time <= run.end_time
    assert "secret" not in "".join(span.to_json() for span in spans.get_finished_spans())


def test_a_run_that_fails(traces: Any, spans: Any) -> None:
    with Sandbox() as box, pytest.raises(JSError), traces.run(box):
        box.eval("throw new RangeError('the guest says ' + 'x'.repeat(10000))")
    [run] = spans.get_finished_spans()
    assert run.attributes["error.type"] == "RangeError"
    assert not run.status.is_ok
    assert len(run.to_json()) < 2000


def test_asynchronous_calls(traces: Any, spans: Any) -> None:
    async def later(n: int) -> int:
        await asyncio.sleep(0)
        return n

    async def main() -> None:
        async with AsyncSandbox(functions={"later": later}, audit=traces.audit) as box:
            with traces.run(box):
                assert await box.eval("Promise.all([later(1), later(2)])") == [1, 2]

    asyncio.run(main())
    *calls, run = spans.get_finished_spans()
    assert {call.parent.span_id for call in calls} == {run.context.span_id}
    assert [call.attributes["sandbox.outcome"] for call in calls] == ["value", "value"]


def test_console_entries_are_records(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("tests.programs")
    with (
        caplog.at_level(logging.DEBUG, "tests.programs"),
        Sandbox(console=console_logger(log, extra={"tenant": 7})) as box,
    ):
        box.eval(
            "console.log('a', {b: 1}); console.warn('w'); console.error('e'); console.debug('d');"
            "console.info('%s\\nforged', '\\x1b[31m')"
        )
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "a { b: 1 }"),
        ("WARNING", "w"),
        ("ERROR", "e"),
        ("DEBUG", "d"),
        ("INFO", "\\x1b[31m\\x0aforged"),
    ]
    assert {record.tenant for record in caplog.records} == {7}  # type: ignore[attr-defined] # given by `extra`


def test_levels_that_are_off_cost_nothing() -> None:
    log = logging.getLogger("tests.silent")
    log.setLevel(logging.CRITICAL)
    with Sandbox(console=console_logger(log)) as box:
        box.eval("console.error('x')")


def test_calls_are_records(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("tests.calls")
    audit = audit_log(log, label="t1", secrets=["hunter2"])
    with (
        caplog.at_level(logging.INFO, "tests.calls"),
        Sandbox(functions={"f": lambda x: x, "fail": fail}, audit=audit) as box,
    ):
        box.eval("f('hunter2\\n'); try { fail('x') } catch {}")
    texts = [record.getMessage() for record in caplog.records]
    assert texts[0].startswith("[t1] call 1: f(")
    assert "hunter2" not in "".join(texts)
    assert texts[1].startswith("[t1] call 1: f -> value in ")
    assert texts[3].startswith("[t1] call 2: fail -> error (ValueError) in ")
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO", "INFO", "WARNING"]


def test_calls_that_never_end_are_bounded(traces: Any, spans: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.integrations.opentelemetry._MOST_OPEN", 10)

    async def never() -> None:
        await asyncio.Event().wait()

    with Sandbox(functions={"never": never}, audit=traces.audit) as box:
        box.eval("for (let i = 0; i < 25; i++) never(); 0")
        assert len(traces._open) <= 10
    assert len(spans.get_finished_spans()) == 25
    assert not traces._open
