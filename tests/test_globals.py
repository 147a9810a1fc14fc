"""The live view of globalThis, on both faces."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import AsyncSandbox, JSError, Limits, Sandbox, undefined
from sandbox.errors import ConversionError, CpuLimitExceeded, SandboxClosed, UsageError


@pytest.mark.parametrize(
    "value", [1, -0.5, "text", None, True, [1, [2]], {"a": {"b": []}}, b"bytes", 2**70, {"nested": [None, undefined]}]
)
def test_what_is_set_is_there_for_both_sides(value: Any) -> None:
    with Sandbox(globals={"first": value}) as box:
        box.globals["second"] = value
        assert box.globals["first"] == box.globals["second"] == value
        assert box.eval("first") == box.eval("globalThis.second") == value


_THENABLE = "function (done) { done(7) }"


def test_keys_are_no_thenable() -> None:
    with Sandbox(globals={"a": 1}) as box:
        for prototype in ("Object", "Array"):
            box.eval(f"{prototype}.prototype.then = {_THENABLE}; 0")
        assert list(box.globals) == ["a"]


def test_it_is_a_mapping() -> None:
    with Sandbox(globals={"a": 1}) as box:
        view = box.globals
        box.eval("var b = 2; globalThis.c = 3; let d = 4")
        assert dict(view) == {"a": 1, "b": 2, "c": 3}
        assert list(view) == ["a", "b", "c"]
        assert len(view) == 3
        assert "a" in view
        assert "d" not in view, "a lexical declaration is no property of globalThis"
        assert "missing" not in view
        assert view.__contains__(1) is False
        assert view.get("missing") is None
        assert view.get("missing", 5) == 5
        del view["a"]
        assert "a" not in view
        assert view.pop("c") == 3
        view.update(e=5)
        assert box.eval("e") == 5
        assert view.setdefault("e", 6) == 5


def test_built_ins_are_there_but_not_listed() -> None:
    with Sandbox() as box:
        assert "Array" in box.globals
        assert callable(box.globals["parseInt"])
        assert list(box.globals) == []


def test_a_global_may_be_undefined() -> None:
    with Sandbox() as box:
        box.globals["u"] = undefined
        assert box.globals["u"] is undefined
        assert "u" in box.globals


@pytest.mark.parametrize(
    ("use", "error"),
    [
        (lambda view: view["missing"], KeyError),
        (lambda view: view.__delitem__("missing"), KeyError),
        (lambda view: view.__delitem__("undefined"), UsageError),
        (lambda view: view.__setitem__("undefined", 1), JSError),
        (lambda view: view.__setitem__("x", object()), ConversionError),
        (lambda view: view.__setitem__(1, 1), TypeError),
        (lambda view: view[1], TypeError),
        (lambda view: view.__delitem__(1), KeyError),
    ],
)
def test_misuse(use: Any, error: type[Exception]) -> None:
    with Sandbox() as box:
        with pytest.raises(error):
            use(box.globals)
        assert box.eval("1") == 1


def test_accessors_run_under_the_limits() -> None:
    with Sandbox(limits=Limits(cpu_seconds=0.05)) as box:
        box.eval(
            "const loop = () => { while (true); };"
            "Object.defineProperty(globalThis, 'g', {get: loop, set: loop, configurable: true});"
            "Object.defineProperty(globalThis, 't', {get() { throw new Error('getter') }})"
        )
        with pytest.raises(CpuLimitExceeded):
            box.globals["g"]
        with pytest.raises(CpuLimitExceeded):
            box.globals["g"] = 1
        with pytest.raises(JSError, match="getter"):
            box.globals["t"]
        del box.globals["g"]
        assert "g" not in box.globals


def test_a_promise_is_waited_for() -> None:
    with Sandbox() as box:
        box.eval("var p = (async () => { await null; return 5 })()")
        assert box.globals["p"] == 5


def test_first_values_are_set_in_order_and_fail_in_the_constructor() -> None:
    with Sandbox(globals={"x": 1, "y": 2}, functions={"z": abs}) as box:
        assert list(box.globals) == ["x", "y", "z"]
    with pytest.raises(JSError):
        Sandbox(globals={"undefined": 1})


def test_a_closed_sandbox() -> None:
    box = Sandbox()
    view = box.globals
    box.close()
    for use in (lambda: view["x"], lambda: list(view), lambda: len(view), lambda: "x" in view):
        with pytest.raises(SandboxClosed):
            use()


@pytest.mark.anyio
async def test_the_asynchronous_view() -> None:
    async with AsyncSandbox(globals={"a": 1}) as box:
        view = box.globals
        await view.set("b", [2])
        assert await view.get("a") == 1
        assert await view.get("b") == await box.eval("b") == [2]
        assert await view.get("missing") is undefined
        assert await view.has("a")
        assert not await view.has("missing")
        assert await view.keys() == ["a", "b"]
        assert await view.delete("a")
        assert await view.keys() == ["b"]
        with pytest.raises(ConversionError):
            await view.set("c", object())


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [("db", object(), "$.db"), ("a", {"x": [1j]}, "$.a.x[0]"), ("odd name", 1j, "$['odd name']")],
)
def test_a_global_that_cannot_cross_is_named(name: str, value: object, path: str) -> None:
    with pytest.raises(ConversionError) as caught:
        Sandbox(globals={"fine": 1, name: value})
    assert caught.value.path == path
