"""Outcomes: how a run came to its value, on each face."""

from __future__ import annotations

import json
import pickle
from typing import Any

import anyio
import pytest

from sandbox import (
    Answer,
    AsyncSandbox,
    Call,
    CallEvent,
    ConsoleEvent,
    Deny,
    JSError,
    JSMap,
    Limits,
    Outcome,
    Pause,
    Sandbox,
    undefined,
)
from sandbox._trace import MOST_EVENTS
from sandbox.errors import (
    CallLimitExceeded,
    ConversionError,
    CpuLimitExceeded,
    FuelLimitExceeded,
    SandboxClosed,
    WallLimitExceeded,
)
from sandbox.trace import Unavailable
from tests.faces import FACES


async def pay(amount: int) -> dict[str, int]:
    await anyio.lowlevel.checkpoint()
    return {"id": amount}


def refuse(*_arguments: object) -> None:
    raise ValueError("not today")


FUNCTIONS: dict[str, Any] = {"pay": pay, "add": lambda a, b: a + b, "refuse": refuse}


def outcome(face: str, code: str, options: dict[str, Any] | None = None, **arguments: Any) -> Outcome:
    """What becomes of a program, in a sandbox of its own."""
    options = {"functions": FUNCTIONS, **(options or {})}
    if face == "blocking":
        with Sandbox(**options) as box:
            return box.execute(code, **arguments)

    async def main() -> Outcome:
        async with AsyncSandbox(**options) as box:
            return await box.execute(code, **arguments)

    return anyio.run(main, backend=face)


PROGRAM = """let total = 0;
for (let i = 0; i < 3; i++) {
  total += add(i, 1);
  console.log("total", total);
}
const paid = await pay(7);
try { refuse("x") } catch (error) { console.warn(error.message) }
return { total, paid };
let never = 1;"""


@pytest.mark.parametrize("face", FACES)
def test_what_a_program_did(face: str) -> None:
    found = outcome(face, PROGRAM, filename="a.js")
    assert (found.ok, found.value, found.error) == (True, {"total": 6, "paid": {"id": 7}}, None)
    told: list[Any] = []
    for event in found.events:
        assert event.file == "a.js"
        match event:
            case ConsoleEvent():
                told.append((event.line, event.level, event.text))
            case CallEvent():
                told.append((event.line, event.name, event.arguments, event.outcome, event.value))
    assert told == [
        (3, "add", (0, 1), "value", 1),
        (4, "log", "total 1"),
        (3, "add", (1, 1), "value", 2),
        (4, "log", "total 3"),
        (3, "add", (2, 1), "value", 3),
        (4, "log", "total 6"),
        (6, "pay", (7,), "value", {"id": 7}),
        (7, "refuse", ("x",), "error", undefined),
        (7, "warn", "not today"),
    ]
    assert isinstance(found.calls[-1].error, ValueError)
    assert all(call.duration_seconds > 0 for call in found.calls)
    seconds = [event.seconds for event in found.events]
    assert seconds == sorted(seconds)
    assert seconds[0] >= 0
    assert dict(found.variables) == {"total": 6, "paid": {"id": 7}}  # the last one has no value yet


@pytest.mark.parametrize("face", FACES)
def test_runs_at_the_same_time_have_their_own_events(face: str) -> None:
    if face == "blocking":
        return

    async def main() -> None:
        found: dict[int, Outcome] = {}

        async def one(number: int) -> None:
            code = (
                f"for (let i = 0; i < 3; i++) {{ await pay({number}); console.log({number}) }} let v{number} = {number}"
            )
            found[number] = await box.execute(code, trace={"console", "calls", "lines", "variables"})

        async with AsyncSandbox(functions=FUNCTIONS) as box, anyio.create_task_group() as tasks:
            for number in range(4):
                tasks.start_soon(one, number)
        for number, each in found.items():
            assert [event.text for event in each.console] == [str(number)] * 3
            assert [event.arguments for event in each.calls] == [(number,)] * 3
            assert dict(each.variables) == {f"v{number}": number}
            assert dict(each.lines) == {1: 1}

    anyio.run(main, backend=face)


def test_a_program_that_explains_itself_is_told_step_by_step() -> None:
    code = """// Add up.
let total = 0;
for (let i = 0; i < 10; i++) {
  // One more.
  console.log("at", i);
  if (i === 2) {
    // That is too many.
    throw new Error("enough");
  }
}"""
    found = outcome("blocking", code, filename="p.js", trace={"console", "comments", "lines", "variables"})
    step = (4, "One more.")
    assert [(event.line, getattr(event, "text", None)) for event in found.events] == [
        (1, "Add up."),
        *(each for i in range(3) for each in (step, (5, f"at {i}"))),
        (7, "That is too many."),
    ]
    assert list(found.lines.items()) == [(2, 1), (3, 1), (5, 3), (6, 3), (8, 1)]
    assert isinstance(found.error, JSError)
    assert [line for line in found.error.render().splitlines() if line.startswith(">")] == [
        "> " + ' 8 |     throw new Error("enough");'
    ]
    assert dict(found.variables) == {"total": 0}


def test_the_way_to_a_call_that_fails_is_told() -> None:
    code = """function inner(x) {
  return refuse(x);
}
function outer() {
  let got = 1;
  got += inner(5);
  return got;
}
outer();"""
    found = outcome("blocking", code, filename="p.js", trace={"calls", "lines"})
    assert [(call.name, call.arguments, call.outcome, call.line) for call in found.calls] == [
        ("refuse", (5,), "error", 2)
    ]
    assert list(found.lines) == [9, 5, 6, 2]
    assert isinstance(found.error, JSError)
    assert [(each.function, each.line, each.column) for each in found.error.frames if each.file == "p.js"] == [
        ("inner", 2, 10),
        ("outer", 6, 10),
        (None, 9, 1),
    ]
    assert isinstance(found.error.__cause__, ValueError)


def test_an_event_has_what_the_program_gave_and_what_it_got() -> None:
    def more(call: Call) -> None:
        call.arguments[0]["n"] *= 10

    def signed(call: Call) -> Answer:
        return Answer([call.value, "signed"])

    options = {"functions": {"send": lambda parcel: parcel["n"]}, "on_call": more, "on_result": signed}
    found = outcome("blocking", "send({n: 4})", options)
    assert found.value == [40, "signed"]
    (call,) = found.calls
    assert (call.arguments, call.value, call.outcome) == (({"n": 4},), [40, "signed"], "replaced")


def test_a_run_may_have_limits_of_calls_of_its_own() -> None:
    async def never() -> None:
        await anyio.sleep_forever()

    code = "try { await never() } catch (error) { return `${error.name}: ${error.message}` }"
    with Sandbox(functions={"never": never, "one": lambda: 1}) as box:
        assert box.execute(code, call_timeout=0.02).value == "TimeoutError: never took longer than 0.02 s"
        assert isinstance(box.execute("try { one(); one() } catch {} 2", max_host_calls=1).error, CallLimitExceeded)
        assert isinstance(box.execute("try { one() } catch {} 2", max_host_calls=0).error, CallLimitExceeded)
        assert box.execute("one() + one()").value == 2  # and the next run has others


# --- the value --------------------------------------------------------------------------------------------------------

RETURNS: dict[str, tuple[str, Any]] = {
    "nothing": ("return", undefined),
    "a value": ("return 5", 5),
    "none is reached": ("if (false) return 1; 9", 9),
    "a completion value": ("let a = 4; a + 1", 5),
    "a promise": ("return Promise.resolve(3)", 3),
    "after await": ("const a = await 3; return a + 1; 0", 4),
    "a thenable, as eval has it": ("const p = await pay(1); return {then(f) { f(p.id) }}", 1),
    "through finally": ("try { return 1 } finally { globalThis.x = 1 }", 1),
    "over finally": ("try { return 1 } finally { return 2 }", 2),
    "out of a loop": ("for (const x of [1, 2, 3]) if (x == 2) return await x * 10", 20),
    "out of an iterator": (
        "const it = {[Symbol.iterator]() { return {next: () => ({value: 1}), return() { return {} }}}};"
        "for (const x of it) return x",
        1,
    ),
    "out of a switch": ("switch (2) { case 2: { return 'two' } }", "two"),
    "setters of Object.prototype": (
        "Object.defineProperty(Object.prototype, 'value', {set() { throw 1 }}); await 0; return 6",
        6,
    ),
}


@pytest.mark.parametrize(("code", "value"), RETURNS.values(), ids=RETURNS)
def test_return_at_the_top(code: str, value: Any) -> None:
    found = outcome("blocking", code)
    assert found.error is None
    assert found.value == value


NO_RETURN: dict[str, tuple[str, dict[str, Any]]] = {
    "in eval": ("eval('return 1')", {}),
    "in a static block": ("class A { static { return 1 } }", {}),
    "in an arrow's expression": ("const f = () => return 1", {}),
}


@pytest.mark.parametrize(("code", "arguments"), NO_RETURN.values(), ids=NO_RETURN)
def test_return_elsewhere_is_a_syntax_error(code: str, arguments: dict[str, Any]) -> None:
    error = outcome("blocking", code, **arguments).error
    assert isinstance(error, JSError)
    assert error.name == "SyntaxError"


def test_nothing_is_not_null() -> None:
    shown = {code: outcome("blocking", code) for code in ("let a = 1", "return", "", "return null", "null")}
    assert [each.value for each in shown.values()] == [undefined, undefined, undefined, None, None]
    assert [each.preview(style="js").startswith("{ok: true, value: undefined") for each in shown.values()] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_return_is_for_execute_alone() -> None:
    with Sandbox() as box, pytest.raises(JSError, match="return not in a function"):
        box.eval("return 1")


def test_declarations_persist() -> None:
    with Sandbox() as box:
        box.execute("const n = 2; return n")
        assert box.execute("n * 21").value == 42
        assert box.eval("n") == 2


# --- errors -----------------------------------------------------------------------------------------------------------


def test_an_error_has_its_place_and_a_code_frame() -> None:
    found = outcome("blocking", "let a = 1;\na = 2;\nfunction f() { 'é😀'; null.x }\n  f();\na = 3", filename="p.js")
    error = found.to_dict()["error"]
    assert (error["class"], error["name"], error["line"], error["column"]) == ("JSError", "TypeError", 3, 27)
    assert "> 3 | function f()" in error["frame"]
    assert error["frame"].splitlines()[5].index("^") - error["frame"].splitlines()[4].index("f") == 27  # 😀 is two wide
    assert found.variables["a"] == 2
    assert error["file"] == "p.js"


@pytest.mark.parametrize(("code", "text"), [("throw undefined", "undefined"), ("throw 'why'", "why")])
def test_what_is_thrown_that_is_no_error_has_no_code(code: str, text: str) -> None:
    told = json.loads(outcome("blocking", code).preview())
    assert told == {"ok": False, "error": {"class": "JSError", "name": "Error", "message": text}}


def test_a_program_that_cannot_be_parsed_does_nothing() -> None:
    found = outcome("blocking", "add(1, 2);\nconst a = 1;\nconst a = 2")
    assert isinstance(found.error, JSError)
    assert (found.error.name, found.error.place and found.error.place.line) == ("SyntaxError", 3)
    assert (found.events, dict(found.variables)) == ((), {})


LIMITED: dict[str, tuple[dict[str, Any], str, type[Exception], dict[str, Any]]] = {
    "wall": (
        {"timeout": 0.2},
        "let w = 1; await new Promise(() => setTimeout(() => {}, 1e6))",
        WallLimitExceeded,
        {"w": 1},
    ),
    "cpu": ({"limits": Limits(cpu_seconds=0.2)}, "let w = 1; while (true) {}", CpuLimitExceeded, {"w": 1}),
    "fuel": ({"limits": Limits(fuel=5_000_000)}, "let w = 1; while (true) {}", FuelLimitExceeded, {}),
    "calls": ({"max_host_calls": 2}, "let w = 1; for (;;) w = add(w, 1)", CallLimitExceeded, {"w": 3}),
    "conversion": ({}, "let w = 1; Symbol()", ConversionError, {"w": 1}),
}


@pytest.mark.parametrize(("options", "code", "kind", "variables"), LIMITED.values(), ids=LIMITED)
def test_what_is_told_of_runs_that_reach_a_limit(
    options: dict[str, Any], code: str, kind: type[Exception], variables: dict[str, Any]
) -> None:
    given = {key: options.pop(key) for key in ("limits",) if key in (options := dict(options))}
    found = outcome(
        "blocking", "console.log('begin');" + code, given, trace={"console", "variables", "lines"}, **options
    )
    assert isinstance(found.error, kind)
    assert [event.text for event in found.console] == ["begin"]
    assert found.lines == {1: 1}
    assert dict(found.variables) == variables


def test_misuse_is_raised() -> None:
    with Sandbox() as box:
        pass
    with pytest.raises(SandboxClosed):
        box.execute("1")


MISUSE: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "trace": ({"trace": {"everything"}}, ValueError, "trace is a collection"),
    "trace is a str": ({"trace": "lines"}, ValueError, "trace is a collection"),
    "context": ({"context": [1]}, TypeError, "context must be a mapping"),
    "names": ({"context": {1: 1}}, TypeError, "names in a context are str"),
    "sync": ({"context": {}, "sync": "both"}, ValueError, "sync must be"),
    "calls": ({"max_host_calls": -1}, ValueError, "calls"),
    "call timeout": ({"call_timeout": 0}, ValueError, "timeout"),
}


@pytest.mark.parametrize(("arguments", "kind", "text"), MISUSE.values(), ids=MISUSE)
def test_wrong_arguments(arguments: dict[str, Any], kind: type[Exception], text: str) -> None:
    with Sandbox() as box, pytest.raises(kind, match=text):
        box.execute("1", **arguments)


# --- variables --------------------------------------------------------------------------------------------------------

VARIABLES: dict[str, tuple[str, dict[str, Any]]] = {
    "the last value": ("let a = 1; a = 3", {"a": 3}),
    "patterns": ("const {a, b: [c], ...d} = {a: 1, b: [2], e: 3}", {"a": 1, "c": 2, "d": {"e": 3}}),
    "var": ("var a = 1; { var b = 2 }", {"a": 1, "b": 2}),
    "not those of blocks": (
        "let a = 1; { let a = 2, b = 3 } for (let c of [1]) ; try { throw 1 } catch (d) {}",
        {"a": 1},
    ),
    "not parameters": ("const f = [1].map(v => v)[0]", {"f": 1}),
    "a text with an arrow": ("const s = 'x => y'", {"s": "x => y"}),
    "types": ("const m = new Map([[1, 2n]]), d = new Uint8Array(2)", {"m": JSMap([(1, 2)]), "d": b"\0\0"}),
    "nothing": ("1 + 1", {}),
}


@pytest.mark.parametrize(("code", "variables"), VARIABLES.values(), ids=VARIABLES)
def test_variables(code: str, variables: dict[str, Any]) -> None:
    assert dict(outcome("blocking", code).variables) == variables


def test_functions_and_what_has_no_form() -> None:
    code = "function f() { return 7 } class C {} const s = Symbol('x'), ok = 1; const p = new Promise(() => {}); 0"
    with Sandbox() as box:
        variables = box.execute(code).variables
        assert variables["f"]() == 7
        assert [variables.type(name) for name in variables] == [
            "function",
            "function",
            "unavailable",
            "number",
            "Promise",
        ]
        assert isinstance(variables["s"], Unavailable)
        assert variables.preview("s") == f"undefined /* {variables['s'].reason} */"
        assert variables.preview("ok") == "1"


def test_looking_at_variables_has_a_budget_of_its_own() -> None:
    with Sandbox() as box:
        found = box.execute("const ok = 1; const bomb = {get x() { while (true) {} }}; 'done'")
        assert (found.value, found.error) == ("done", None)
        assert isinstance(found.variables["bomb"], Unavailable)
        assert box.eval("ok") == 1  # and does the sandbox no harm


def test_hooks_see_what_a_look_at_variables_asks_for() -> None:
    seen: list[str] = []

    def deny(call: Call) -> Deny:
        seen.append(call.name)
        return Deny("no")

    code = "const sly = {get x() { return add(1, 2) }}; 0"
    with Sandbox(functions=FUNCTIONS, on_call=deny) as box:
        found = box.execute(code)
    assert seen == ["add"] * len(seen)
    assert seen
    assert isinstance(found.variables["sly"], Unavailable)


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_events_are_bounded() -> None:
    found = outcome(
        "blocking",
        f"for (let i = 0; i < {MOST_EVENTS + 50}; i++) console.log(i)",
        {"limits": Limits(output_bytes=None)},
    )
    assert len(found.events) == MOST_EVENTS
    assert found.events_dropped == 50
    assert found.to_dict()["events_dropped"] == 50


def test_large_values_of_calls_are_kept_as_short_texts() -> None:
    found = outcome("blocking", "add('x'.repeat(1e6), 'y'); 0")
    assert len(str(found.calls[0].arguments)) < 1000
    assert len(found.calls[0].value) < 1000


def test_what_hosts_change_later_is_not_changed_in_events() -> None:
    def clear(values: list[int]) -> list[int]:
        values.clear()
        return values

    found = outcome("blocking", "clear([1, 2]); 0", {"functions": {"clear": clear}})
    assert found.calls[0].arguments == ([1, 2],)


# --- shown ------------------------------------------------------------------------------------------------------------


def test_to_dict_is_json() -> None:
    code = PROGRAM + "\nconst late = new Map([[{}, undefined]]); const f = () => NaN"
    found = outcome("blocking", code, trace={"console", "calls", "variables", "lines", "comments"})
    told = json.loads(json.dumps(found.to_dict()))
    assert told["ok"] is True
    assert told["value"] == {"total": 6, "paid": {"id": 7}}
    assert [event["event"] for event in told["events"]].count("call") == 5
    assert told["variables"]["total"] == {"type": "number", "value": 6}
    assert told["lines"]["3"] == 3
    assert "snapshot" not in told
    assert json.loads(found.to_json()) == told


@pytest.mark.parametrize("max_bytes", [64, 100, 300, 1000, 100_000])
def test_previews_are_bounded_and_valid(max_bytes: int) -> None:
    for code in (PROGRAM, "null.x", "console.log('😀'.repeat(1000)); Array(1000).fill({a: 'b'})"):
        text = outcome("blocking", code).preview(max_bytes=max_bytes)
        assert len(text.encode()) <= max_bytes
        told = json.loads(text)
        assert max_bytes < 100_000 or {"ok"} <= set(told)


def test_a_paused_run_tells_its_events_and_goes_on() -> None:
    async def ask() -> None:
        raise Pause("may I?")

    with Sandbox(functions={"ask": ask}) as box:
        found = box.execute("console.log('first'); const a = await ask(); console.log('second'); return a + 1")
        assert (found.ok, [event.text for event in found.console]) == (False, ["first"])
        assert json.loads(found.preview())["paused"] == ["ask: may I?"]
        assert box.resume(41).value == 42


def test_an_outcome_of_plain_values_can_be_pickled() -> None:
    found = outcome("blocking", "console.log(1); const a = {b: [1]}; add(1, 2)")
    copy: Outcome = pickle.loads(pickle.dumps(found))
    assert (copy.value, copy.events, copy.variables) == (found.value, found.events, found.variables)


def test_within_a_host_function_it_tells_the_outcome_alone() -> None:
    found: list[Outcome] = []
    with Sandbox() as box:
        box.function(lambda: found.append(box.execute("let inner = 1; return inner + 1")), name="nest")
        outer = box.execute("nest(); 3")
    assert (found[0].value, outer.value, dict(outer.variables)) == (2, 3, {})
