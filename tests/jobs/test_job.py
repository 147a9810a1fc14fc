"""A job as a value: what it may say, what running it gives, and that both survive pickling."""

from __future__ import annotations

import copy
import copyreg
import pickle
import pickletools
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from hypothesis import given

from sandbox import Job, JobResult, JSError, JSMap, Limits, Sandbox, Usage, errors, undefined
from sandbox.capabilities import ConsoleEntry
from sandbox.errors import (
    ConversionError,
    CpuLimitExceeded,
    FuelLimitExceeded,
    JSSyntaxError,
    MemoryLimitExceeded,
    OutputLimitExceeded,
    SandboxError,
    Stalled,
    UnhandledRejection,
    UsageError,
)
from tests import strategies
from tests.jobs.programs import DOUBLE, calling, double, interrupt, refuse
from tests.shapes import shape


class Unmade(Exception):
    """It cannot be made again from its arguments."""

    def __init__(self, number: int, *, why: str) -> None:
        super().__init__(f"{number}: {why}")


def pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize(
    ("job", "value"),
    [
        (Job("6 * 7"), 42),
        (Job("await new Promise(done => setTimeout(done, 3600_000, 'later'))", options={"clock": "virtual"}), "later"),
        (Job(DOUBLE, function="double", args=[4]), 8),
        (Job("const app = {}; globalThis.app = {f: async n => n + 1}", function="app.f", args=(1,)), 2),
        (Job(module="export const a = 1; export default 2"), {"a": 1, "default": 2}),
        (Job(module="export default (a, b) => a + b", function="default", args=["a", "b"]), "ab"),
        (
            Job(module="export {x as y} from 'lib'", function="y", modules={"lib": "export const x = () => 'lib'"}),
            "lib",
        ),
        (Job("x + y()", options={"globals": {"x": 1}, "functions": {"y": int}}), 1),
        (Job("undefined"), undefined),
    ],
)
def test_what_a_job_gives(job: Job, value: object) -> None:
    for result in (job.run(), pickled(pickled(job).run())):
        assert (result.error, result.value) == (None, value)
        assert result.ok
        assert result.unwrap() == value
        assert (result.attempts, result.index, result.job) == (1, 0, None)


def wrong(**fields: Any) -> Callable[[], Job]:
    return lambda: Job(**fields)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (wrong(), ValueError, "code or a module"),
        (wrong(code="1", module="1"), ValueError, "not both"),
        (wrong(code=b"1"), TypeError, "code must be a str or None, not bytes"),
        (wrong(code="1", function=len), TypeError, "function must be a str"),
        (wrong(code="1", filename=1), TypeError, "filename must be"),
        (wrong(code="1", args=[1]), ValueError, "args need a function"),
        (wrong(code="1", function="f", args="text"), TypeError, "args must be a list or tuple, not str"),
        (wrong(code="1", function="f", args={1}), TypeError, "args must be a list or tuple, not set"),
        (wrong(code="1", limits=1), TypeError, "limits must be Limits"),
        (wrong(code="1", modules=1), TypeError, "modules"),
        (wrong(code="1", options=[]), TypeError, "options must be a mapping"),
        (wrong(code="1", options={"sed": 1}), TypeError, "options has 'sed'; a job takes .*seed"),
        (wrong(code="1", options={"console": print}), TypeError, "options has 'console'"),
        (wrong(code="1", options={"limits": Limits()}), TypeError, "a field of its own"),
        (wrong(code="1", options={1: 1}), TypeError, "options has 1"),
        (wrong(code="1", options={"seed": "1"}), TypeError, "seed must be an int"),
        (wrong(code="1", options={"clock": "none"}), ValueError, "clock"),
        (wrong(code="1", options={"time_zone": "Mars/Olympus"}), ValueError, "time_zone"),
        (wrong(code="1", options={"functions": {"f": 1}}), TypeError, "callable"),
        (wrong(code="1", options={"fetch": 1}), TypeError, "fetch"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_when_it_is_made(make: Callable[[], Job], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        make()


@pytest.mark.parametrize(
    ("make", "path", "reason"),
    [
        (lambda: [len], "$[0]", "a function of the host"),
        (lambda: [1, {"a": [iter([])]}], "$[1].a[0]", "an iterator of the host"),
        (lambda: [Sandbox().eval("() => 1")], "$[0]", "a JSFunction lives in its sandbox"),
        (lambda: [object()], "$[0]", "a value of type object"),
    ],
)
def test_arguments_that_cannot_travel(make: Callable[[], list[object]], path: str, reason: str) -> None:
    with pytest.raises(ConversionError, match=reason) as caught:
        Job("", function="f", args=make())
    assert caught.value.path == path


def test_arguments_obey_the_limits_of_the_job() -> None:
    with pytest.raises(ConversionError, match="max_nodes"):
        Job("", function="f", args=[[1, 2, 3]], limits=Limits(max_nodes=3))


def test_arguments_are_those_of_when_it_was_made() -> None:
    numbers = [1, 2]
    job = Job("function f(a) { return a }", function="f", args=[numbers])
    numbers.append(3)

    assert job.run().value == pickled(job).run().value == [1, 2]
    assert job.run().value is not job.run().value


def test_a_job_does_not_change() -> None:
    job = double(2)
    with pytest.raises(FrozenInstanceError):
        job.code = "1"  # type: ignore[misc] # what it shows
    assert replace(job, args=[3]).run().value == 6
    assert job == pickled(job) == copy.deepcopy(job)
    assert job != replace(job, args=[3])
    with pytest.raises(ValueError, match="args need"):
        replace(job, function=None)


@pytest.mark.parametrize(
    ("job", "kind", "text"),
    [
        (Job("null.x"), JSError, "TypeError: cannot read property 'x' of null"),
        (Job("1 +"), JSSyntaxError, "SyntaxError"),
        (Job("throw {code: 7}"), JSError, "code"),
        (Job("Promise.reject(new RangeError('r')); await new Promise(f => setTimeout(f))"), UnhandledRejection, "r"),
        (Job("new Promise(() => {})"), Stalled, "never settle"),
        (Job("", function="missing"), JSError, "missing"),
        (Job(module="export const x = 1", function="y"), JSError, "the module exports no function 'y'"),
        (Job(module="export const x = 1", function="x"), JSError, "the module exports no function 'x'"),
        (Job("import('nowhere')"), JSError, "nowhere"),
        (Job("for (;;) {}", limits=Limits(cpu_seconds=0.02)), CpuLimitExceeded, "CPU time"),
        (Job("for (;;) {}", limits=Limits(fuel=1_000_000)), FuelLimitExceeded, "fuel"),
        (Job("new Uint8Array(1 << 29)", limits=Limits(memory_bytes=16 << 20)), MemoryLimitExceeded, "memory"),
        (Job("console.log('x'.repeat(9999))", limits=Limits(output_bytes=999)), OutputLimitExceeded, "output"),
        (Job("() => 1"), ConversionError, r"a JSFunction lives in its sandbox .*\(at \$\)"),
        (Job("({a: [Promise.resolve(1)]})"), ConversionError, r"a JSPromise lives .*\(at \$\.a\[0\]\)"),
        (Job("[1].values()"), ConversionError, "a JSIterator lives"),
        (Job(module="export function f() {}"), ConversionError, r"\(at \$\.f\)"),
        (calling(refuse), JSError, "the card was refused"),
        (Job("1", limits=Limits(memory_bytes=2 << 20)), MemoryLimitExceeded, "memory"),
    ],
)
def test_what_fails_is_a_result(job: Job, kind: type[SandboxError], text: str) -> None:
    for result in (job.run(), pickled(pickled(job).run())):
        assert type(result.error) is kind
        assert result.error.__traceback__ is None
        assert (result.ok, result.value) == (False, None)
        with pytest.raises(kind, match=text):
            result.unwrap()


def test_a_result_says_all_that_a_sandbox_would() -> None:
    code = (
        "console.log('one'); console.warn({two: 2});\n"
        "function f() { throw new TypeError('no', {cause: new Map([[1, 2n]])}) }\nf()"
    )
    job = Job(code, filename="orders.js", options={"seed": 1})

    for result in (job.run(), pickled(job.run())):
        error = result.error
        assert isinstance(error, JSError)
        assert [(entry.level, entry.text) for entry in result.console] == [("log", "one"), ("warn", "{ two: 2 }")]
        assert isinstance(result.console[0], ConsoleEntry)
        assert result.usage.fuel > 10_000
        assert result.usage.runs == 1
        assert (error.frames[0].function, error.frames[0].file, error.frames[0].line) == ("f", "orders.js", 2)
        assert error.cause == JSMap([(1, 2)])
        assert "throw new TypeError" in error.render()
    assert pickled(job.run()).console == job.run().console
    assert pickled(job.run()).worker == job.run().worker != ""


def test_an_exception_of_the_host_is_behind_the_error() -> None:
    for result in (calling(refuse).run(), pickled(calling(refuse).run())):
        cause = getattr(result.error, "__cause__", None)
        assert (type(cause), getattr(cause, "args", ())) == (ValueError, ("the card was refused", 402))


def test_what_is_no_exception_is_raised() -> None:
    with pytest.raises(KeyboardInterrupt):
        calling(interrupt).run()


# --- pickles ----------------------------------------------------------------------------------------------------------


@given(strategies.values)
def test_any_value_survives(value: object) -> None:
    assert shape(pickled(JobResult(value)).value) == shape(value)


@given(strategies.graphs())
def test_any_graph_keeps_its_shape(value: Any) -> None:
    assert shape(pickled(JobResult(value)).value) == shape(value)


@given(strategies.values)
def test_any_argument_survives(value: object) -> None:
    job = Job("", function="f", args=[value])

    assert shape(list(pickled(job).args)) == shape([value])


@pytest.mark.parametrize("kind", [list, JSMap], ids=["list", "map"])
def test_values_as_deep_as_there_may_be(kind: type) -> None:
    first, grow = ("[]", "[v]") if kind is list else ("new Map()", "new Map([['v', v]])")
    result = pickled(Job(f"let v = {first}; for (let i = 1; i < 500; i++) v = {grow}; v").run())

    depth, value = 0, result.unwrap()
    while value:
        depth, value = depth + 1, next(iter(value.values() if kind is JSMap else value))
    assert depth == 499


def test_values_are_no_pickles() -> None:
    """All that a pickled result names is of this package, whatever the value, which is a row of bytes."""
    code = "({a: [new Map([[1, 2n]]), new Date(0), /x/g, new Float64Array(2), 'cos\\nsystem', new URL('a:b')]})"
    result = Job(code).run()
    operations = list(pickletools.genops(pickle.dumps(result)))

    texts = [str(argument) for operation, argument, _ in operations if operation.name == "SHORT_BINUNICODE"]
    assert result.ok
    assert {text for text in texts if "." in text} == {"sandbox.jobs.job", "sandbox.limits"}
    assert {text for text in texts if "." not in text} - {result.worker} == {"_result", "Usage"}
    assert "REDUCE" in {operation.name for operation, _, _ in operations}


ERRORS = [getattr(errors, name) for name in errors.__all__ if name != "Frame"]


@pytest.mark.parametrize("kind", ERRORS)
def test_any_error_survives(kind: type[SandboxError]) -> None:
    arguments: tuple[Any, ...] = ()
    if issubclass(kind, errors.LimitExceeded):
        arguments = (5, 6)
    elif issubclass(kind, errors.CapabilityError | ConversionError):
        arguments = ("where", "why")
    elif kind is errors.ReplayDiverged:
        arguments = (5, "this", "did that")
    error = kind(*arguments)
    error.rolled_back = True
    error.__cause__ = OSError(5, "a cause")
    result = JobResult(
        error=error, console=(ConsoleEntry("output"),), usage=Usage(fuel=1), worker="w", attempts=2, index=3
    )

    twin = pickled(result)

    assert type(twin.error) is kind
    assert (str(twin.error), twin.error.__dict__) == (str(error), error.__dict__)
    assert repr(twin.error.__cause__) == repr(OSError(5, "a cause"))
    assert replace(twin, error=None) == replace(result, error=None)


def test_exceptions_that_cannot_be_pickled_do_not_lose_the_result() -> None:
    error = UsageError("no")
    error.__cause__ = ValueError(lambda: None)

    assert pickled(JobResult(error=error)).error.__cause__ is None


@pytest.mark.parametrize("error", [ValueError("plain"), ValueError(lambda: 1), Unmade(1, why="own")])
def test_exceptions_of_the_host_are_errors_wherever_they_arrive(error: Exception) -> None:
    twin = pickled(JobResult(error=error))

    assert not twin.ok
    assert type(twin.error) in (ValueError, SandboxError)
    assert str(error) in str(twin.error)


def test_reducers_that_others_register_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `tblib` does when Dask is imported."""

    def reduce(error: BaseException) -> Any:
        pytest.fail(f"asked for {error!r}")

    for kind in (UsageError, JSError):
        monkeypatch.setitem(copyreg.dispatch_table, kind, reduce)
    error = UsageError("no")
    error.__cause__ = JSError("inner", properties={"cause": JSError("innermost")})

    twin = pickled(JobResult(error=error))

    assert (str(twin.error), twin.error.__cause__.cause.message) == ("no", "innermost")
