"""Contexts: what a program is given for one run, and what becomes of its changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import AsyncSandbox, Mutation, Sandbox, expose, frozen, undefined


def given() -> dict[str, Any]:
    return {
        "user": {"city": "Lima", "tags": ["a", "b"]},
        "count": 1,
        "when": datetime(2020, 1, 1, tzinfo=UTC),
        "data": b"abc",
        "pair": (1, 2),
        "tell": lambda text: text.upper(),
    }


CHANGES: dict[str, tuple[str, dict[tuple[str | int, ...], tuple[Any, Any]]]] = {
    "nothing": ("user.city; tell('x'); [...data]; when.getTime()", {}),
    "the same again": ("user.city = 'Lima'; count = 1", {}),
    "a member": ("user.city = 'Quebec'", {("user", "city"): ("Lima", "Quebec")}),
    "a new member": ("user.age = 3", {("user", "age"): (undefined, 3)}),
    "one less": ("delete user.city", {("user", "city"): ("Lima", undefined)}),
    "an item": ("user.tags.push('c')", {("user", "tags", 2): (undefined, "c")}),
    "items": ("user.tags.shift()", {("user", "tags", 0): ("a", "b"), ("user", "tags", 1): ("b", undefined)}),
    "a number": ("count += 4", {("count",): (1, 5)}),
    "a type": ("count = '1'", {("count",): (1, "1")}),
    "a boolean is no number": ("count = true", {("count",): (1, True)}),
    "a date": ("when = new Date(0)", {("when",): (datetime(2020, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC))}),
    "another shape": ("user = [1]", {("user",): ({"city": "Lima", "tags": ["a", "b"]}, [1])}),
    "before a throw": ("user.city = 'Q'; null.x", {("user", "city"): ("Lima", "Q")}),
    "in a function": ("(() => { user.city = 'Q' })()", {("user", "city"): ("Lima", "Q")}),
}


@pytest.mark.parametrize(("code", "changes"), CHANGES.values(), ids=CHANGES)
def test_differences(code: str, changes: dict[tuple[str | int, ...], tuple[Any, Any]]) -> None:
    context = given()
    with Sandbox() as box:
        found = box.execute(code, context=context, sync="diff")
    assert {each.path: (each.before, each.after) for each in found.mutations} == changes
    assert context["user"] == {"city": "Lima", "tags": ["a", "b"]}
    assert context["count"] == 1


def test_in_place_the_objects_stay_the_same() -> None:
    context = given()
    user, tags, tell = context["user"], context["user"]["tags"], context["tell"]
    with Sandbox() as box:
        found = box.execute(
            "user.tags.push({deep: [1]}); delete user.city; user.more = {x: 1}; count = 9",
            context=context,
            sync="inplace",
        )
    assert len(found.mutations) == 4
    assert context["user"] is user
    assert user["tags"] is tags
    assert user == {"tags": ["a", "b", {"deep": [1]}], "more": {"x": 1}}
    assert (context["count"], context["pair"], context["tell"]) == (9, (1, 2), tell)


def test_methods_stay_where_they_are() -> None:
    async def load(key: str) -> dict[str, str]:
        await anyio.lowlevel.checkpoint()
        return {"key": key}

    service: dict[str, Any] = {"load": load, "state": {"n": 1}, "math": {"add": lambda a, b: a + b}}
    context = {"service": service}
    with Sandbox() as box:
        code = "const row = await service.load('k'); service.state.n = service.math.add(2, 3); return row"
        found = box.execute(code, context=context, sync="inplace")
    assert (found.value, found.mutations) == ({"key": "k"}, (Mutation(("service", "state", "n"), 1, 5),))
    assert context["service"] is service
    assert (service["load"], service["state"]) == (load, {"n": 5})


@pytest.mark.parametrize("how", ["null.x", "(() => { throw 1 })()", "Symbol()", "await new Promise(() => {})"])
def test_what_was_done_before_a_failure_is_done_in_place(how: str) -> None:
    context: dict[str, Any] = {"list": [1, 2, 3], "number": 1, "nothing": None}
    with Sandbox() as box:
        found = box.execute(f"list.push(4); (() => {{ number = 102 }})(); {how}", context=context, sync="inplace")
    assert found.error is not None
    assert context == {"list": [1, 2, 3, 4], "number": 102, "nothing": None}


class _Thing:
    value = 1


@pytest.mark.parametrize("sync", ["diff", "inplace"])
def test_what_stays_with_the_host_is_no_difference(sync: Any) -> None:
    thing = _Thing()
    exposure = expose(thing, writable=("value",))
    context: dict[str, Any] = {"thing": exposure, "held": [exposure], "tell": print}
    with Sandbox() as box:
        found = box.execute("thing.value = 2; held[0].value += 1", context=context, sync=sync)
    assert (found.error, found.mutations, thing.value) == (None, (), 3)
    assert (context["thing"], context["held"]) == (exposure, [exposure])


def test_without_a_mode_nothing_is_compared() -> None:
    context = given()
    with Sandbox() as box:
        found = box.execute("user.city = 'Q'; count = 2; count", context=context)
    assert (found.value, found.mutations, context["user"]["city"], context["count"]) == (2, (), "Lima", 1)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_on_the_asynchronous_face(backend: str) -> None:
    async def main() -> None:
        async with AsyncSandbox() as box:
            found = await box.execute("user.n = await 2", context={"user": {"n": 1}}, sync="diff")
            assert found.mutations == (Mutation(("user", "n"), 1, 2),)

    anyio.run(main, backend=backend)


class _Account:
    def __init__(self) -> None:
        self.limit = self.floor = 0


def _at_most_two(value: int) -> int:
    if value > 2:
        raise ValueError("that is too much")
    return value


def test_an_assignment_is_made_before_the_next_statement() -> None:
    account = _Account()
    seen: list[tuple[int, int]] = []
    context = {
        "account": expose(account, writable={"limit": _at_most_two, "floor": _at_most_two}),
        "look": lambda: seen.append((account.limit, account.floor)),
    }
    code = "account.limit = 1; look(); account.floor = 2; look(); account.limit = 3; look(); account.floor = 1"
    with Sandbox() as box:
        found = box.execute(code, context=context)
    assert str(found.error) == "RangeError: that is too much"
    assert seen == [(1, 0), (1, 2)]
    assert (account.limit, account.floor) == (1, 2)


FROZEN = {
    "a member": "cfg.a.b = 2",
    "a new member": "cfg.more = 1",
    "deep": "cfg.list[0].x = 2",
    "an item": "cfg.list[0] = 1",
    "a push": "cfg.list.push(1)",
    "a deletion": "delete cfg.a",
    "a definition": "Object.defineProperty(cfg.a, 'c', {value: 1})",
    "a prototype": "Object.setPrototypeOf(cfg, {})",
}


@pytest.mark.parametrize("code", FROZEN.values(), ids=FROZEN)
def test_frozen_values_cannot_be_changed(code: str) -> None:
    value = {"a": {"b": 1}, "list": [{"x": 1}]}
    with Sandbox() as box:
        found = box.execute(f"globalThis.name = 'none'; try {{ {code} }} catch (e) {{ name = e.name }} [name, cfg]",
                            context={"cfg": frozen(value)}, sync="diff")  # fmt: skip
        assert found.value == ["TypeError", value]
        assert found.mutations == ()


def test_freezing_asks_nothing_of_the_program() -> None:
    with Sandbox() as box:
        box.eval("Object.freeze = Object.isFrozen = () => { throw 1 }; Array.prototype.forEach = null")
        cyclic: dict[str, Any] = {"a": [1]}
        cyclic["self"] = cyclic
        found = box.execute("cfg.self.self.a.push(2)", context={"cfg": frozen(cyclic)})
        assert found.error is not None
        assert "not extensible" in str(found.error)


def test_strict_code_is_a_choice() -> None:
    with Sandbox() as box:
        assert box.execute("undeclared1 = 1").ok
        assert not box.execute("undeclared2 = 1", strict=True).ok
        assert box.execute("undeclared3 = 1", context={"cfg": frozen({})}, strict=False).ok


def test_what_cannot_cross_is_named() -> None:
    with Sandbox() as box:
        error = box.execute("1", context={"a": {"b": object()}}).error
        assert error is not None
        assert "$.a.b" in str(error)


def test_names_may_be_declared_again() -> None:
    context = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}
    code = "const a = 10; let b = 20; var c = 30; d = 40; return a + b + c + d + e"
    with Sandbox() as box:
        found = box.execute(code, context=context, sync="diff")
    assert found.value == 105
    assert dict(found.variables) == {"a": 10, "b": 20, "c": 30}
    assert {each.path: each.after for each in found.mutations} == {("c",): 30, ("d",): 40}  # `var c` is the one given


def test_a_parameter_of_that_name_takes_nothing_away() -> None:
    with Sandbox() as box:
        code = "const r = [1].map(tell => tell); return tell(r[0])"
        assert box.execute(code, context={"tell": lambda x: x + 1}).value == 2
