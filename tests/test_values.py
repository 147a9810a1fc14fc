"""The value types that users see: undefined, BigInt, RegExp, JSMap, JSSet, JSFunction."""

from __future__ import annotations

import copy
import gc
import pickle
import re
import weakref
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from sandbox.values import BigInt, JSFunction, JSHandle, JSMap, JSSet, RegExp, Undefined, undefined
from tests import fake_owner


class Owner(fake_owner.Owner):
    """A sandbox that writes down what its functions ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[int, tuple[object, ...], object]] = []

    def call(
        self, held: JSHandle, args: tuple[object, ...], this: object, timeout: float | None, fuel: int | None
    ) -> object:
        self.calls.append((held.handle, args, this))
        return "called"


def test_undefined_is_one_false_thing() -> None:
    assert not undefined
    assert repr(undefined) == "undefined"
    assert Undefined() is undefined
    assert pickle.loads(pickle.dumps(undefined)) is undefined
    assert copy.deepcopy([undefined])[0] is undefined
    assert undefined != None  # noqa: E711 - they differ as null and undefined do


@pytest.mark.parametrize("value", [0, -1, 1 << 64, -(1 << 200)])
def test_bigint_is_its_int(value: int) -> None:
    big = BigInt(value)

    assert big == value
    assert hash(big) == hash(value)
    assert str(big) == str(value)
    assert repr(big) == f"BigInt({value})"
    assert type(pickle.loads(pickle.dumps(big))) is BigInt


def test_huge_bigints_have_a_text() -> None:
    assert str(BigInt(1 << 100_000)).startswith("0x1000")
    assert repr(BigInt(-(1 << 100_000))).startswith("BigInt(-0x1000")


def test_regexp() -> None:
    assert RegExp("a+", "ig") == RegExp("a+", "gi")
    assert hash(RegExp("a+")) == hash(RegExp("a+", ""))
    assert str(RegExp("a+", "ig")) == "/a+/gi"
    assert pickle.loads(pickle.dumps(RegExp("a", "y"))) == RegExp("a", "y")


@pytest.mark.parametrize("flags", ["x", "gg", "uv", "G", "g "])
def test_regexp_flags_are_checked(flags: str) -> None:
    with pytest.raises(ValueError, match="not a set of regular expression flags"):
        RegExp("a", flags)


def test_regexp_parts_are_strings() -> None:
    with pytest.raises(TypeError):
        RegExp(b"a")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (re.compile("a"), RegExp("a")),
        (re.compile("a", re.I | re.M | re.S), RegExp("a", "ims")),
        (re.compile("a", re.A), RegExp("a")),
    ],
)
def test_python_patterns(pattern: re.Pattern[str], expected: RegExp) -> None:
    assert RegExp.from_pattern(pattern) == expected


@pytest.mark.parametrize(
    "pattern", [re.compile(b"a"), re.compile("a", re.X), re.compile(r"(?P<n>a)"), re.compile(r"\Z")]
)
def test_python_patterns_without_a_twin(pattern: re.Pattern[str]) -> None:
    with pytest.raises(ValueError, match="a pattern"):
        RegExp.from_pattern(pattern)


KEYS = [1, True, BigInt(1), "1", None, undefined, 0, False, BigInt(0), 1.5, b"1", (1,), float("nan"), [], {}, []]


def test_maps_keep_every_key_apart() -> None:
    mapping = JSMap((key, index) for index, key in enumerate(KEYS))

    assert len(mapping) == len(KEYS)
    assert [mapping[key] for key in KEYS] == list(range(len(KEYS)))
    assert all(left is right for left, right in zip(mapping, KEYS, strict=True))


def test_sets_keep_every_member_apart() -> None:
    members = JSSet(KEYS)

    assert len(members) == len(KEYS)
    assert all(left is right for left, right in zip(members, KEYS, strict=True))
    assert all(key in members for key in KEYS)


@pytest.mark.parametrize(
    ("first", "second"),
    [(1, 1.0), (0.0, -0.0), (float("nan"), float("nan")), ("a", "a"), (BigInt(2), BigInt(2)), ((1, 2), (1, 2))],
)
def test_one_key(first: object, second: object) -> None:
    assert JSMap([(first, "x")])[second] == "x"
    assert len(JSSet([first, second])) == 1


def test_maps_behave_like_dicts() -> None:
    key: list[int] = []
    mapping = JSMap({"a": 1})
    mapping[key] = 2
    mapping["a"] = 3

    assert list(mapping.items()) == [("a", 3), (key, 2)]
    assert mapping.get([], "none") == "none"
    assert mapping.pop(key) == 2
    assert mapping == {"a": 3}
    assert mapping != {"a": 4}
    assert mapping != {"b": 3}
    assert mapping != [("a", 3)]
    assert repr(mapping) == "JSMap([('a', 3)])"
    with pytest.raises(KeyError):
        mapping[key]
    with pytest.raises(KeyError):
        del mapping[key]
    with pytest.raises(TypeError):
        hash(mapping)


def test_sets_behave_like_sets() -> None:
    key: list[int] = []
    members = JSSet([1, 2, key])
    members.discard(key)
    members.discard("absent")

    assert members == {1, 2}
    assert members != {1}
    assert members != [1, 2]
    assert members | {3} == {1, 2, 3}
    assert type(members & {1}) is JSSet
    assert repr(members) == "JSSet([1, 2])"
    with pytest.raises(TypeError):
        hash(members)


def test_containers_of_themselves_have_a_repr() -> None:
    mapping = JSMap()
    mapping["self"] = mapping
    members = JSSet()
    members.add(members)

    assert repr(mapping) == "JSMap([('self', JSMap(...))])"
    assert repr(members) == "JSSet([JSSet(...)])"


def test_containers_survive_pickling() -> None:
    mapping = JSMap([([1], "list"), (1, "one"), (True, "true")])
    members = JSSet([[1], 1, True])

    assert list(pickle.loads(pickle.dumps(mapping)).items()) == list(mapping.items())
    assert list(pickle.loads(pickle.dumps(members))) == list(members)


def test_equal_objects_of_the_guest_stay_two_entries() -> None:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    twin = datetime(2024, 1, 1, tzinfo=UTC)
    mapping = JSMap()
    mapping.add_distinct(moment, 1)
    mapping.add_distinct(twin, 2)

    assert list(mapping.values()) == [1, 2]
    assert (mapping[moment], mapping[twin]) == (1, 2)


@pytest.mark.parametrize("key", [b"", b"x", b"long"])
def test_any_number_of_equal_buffers_of_the_guest_stay_apart(key: bytes) -> None:
    mapping, members = JSMap(), JSSet()
    for index in range(4):
        mapping.add_distinct(key, index)
        members.add_distinct(key)

    assert list(mapping.items()) == [(key, index) for index in range(4)]
    assert list(members) == [key] * 4
    assert mapping[key] in range(4)


@pytest.mark.parametrize("key", [1, "a", None, undefined, True, BigInt(1), float("nan")])
def test_equal_primitives_of_the_guest_are_an_error(key: object) -> None:
    mapping = JSMap([(key, 1)])

    with pytest.raises(ValueError, match="the same as another one"):
        mapping.add_distinct(key, 2)
    with pytest.raises(ValueError, match="the same as another one"):
        JSSet([key]).add_distinct(key)


def test_bigints_chosen_to_collide_do_not() -> None:
    """Multiples of 2^61 - 1 share one hash as ints; a Map of them must not take quadratic time."""
    mapping = JSMap()
    for index in range(100_000):
        mapping.add_distinct(BigInt(index * ((1 << 61) - 1)), index)

    assert len(mapping) == 100_000


def test_functions_call_their_sandbox() -> None:
    owner = Owner()
    function = JSFunction(owner, 7, "add")

    assert function(1, 2) == "called"
    assert function(3, this="this") == "called"
    assert owner.calls == [(7, (1, 2), undefined), (7, (3,), "this")]
    assert (function.name, function.handle, function.owner) == ("add", 7, owner)
    assert repr(function) == "<JSFunction add>"
    assert repr(JSFunction(owner, 8)) == "<JSFunction (anonymous)>"


def test_functions_are_released_once() -> None:
    owner = Owner()
    function = JSFunction(owner, 7)

    function.release()
    function.release()
    released = function.released
    del function
    gc.collect()

    assert released
    assert owner.released == [7]


def test_functions_are_released_when_collected() -> None:
    owner = Owner()
    function = JSFunction(owner, 7)

    assert not function.released
    del function
    gc.collect()

    assert owner.released == [7]


def test_functions_do_not_keep_a_sandbox_that_holds_them() -> None:
    class Holder(Owner):
        """A sandbox that keeps one of its own functions."""

        own: JSFunction

    collected: list[bool] = []
    owner = Holder()
    owner.own = JSFunction(owner, 1)
    weakref.finalize(owner, collected.append, True)
    del owner
    gc.collect()

    assert collected == [True]


@pytest.mark.parametrize("use", [pickle.dumps, copy.copy, copy.deepcopy])
def test_functions_cannot_be_copied(use: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="lives in its sandbox"):
        use(JSFunction(Owner(), 1))
