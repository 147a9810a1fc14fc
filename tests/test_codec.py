"""The converter: golden buffers, round trips, shared references, errors and functions.

What the encoder writes the decoder can read, so most round trips need no guest.
"""

from __future__ import annotations

import array
import dataclasses
import enum
import gc
import math
import re
from collections import OrderedDict, UserDict, deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given

from sandbox import Sandbox
from sandbox._abi import Tag
from sandbox._codec import Codec
from sandbox.errors import ConversionError, JSError
from sandbox.limits import Limits
from sandbox.values import BigInt, Blob, File, JSFunction, JSMap, JSSet, RegExp, undefined
from tests.fake_owner import Owner, codec, ext, generally_decoded, generally_encoded, packed, round_trip
from tests.shapes import shape
from tests.strategies import graphs, values

GOLDEN: list[tuple[object, str]] = [
    (None, "00 c0"),
    (True, "00 c3"),
    (0, "00 00"),
    (-1, "00 ff"),
    (2**53 - 1, "00 cf 001fffffffffffff"),
    (2**64, "00 c7 09 02 000000000000000001"),
    (-(2**63) - 1, "00 c7 09 02 ffffffffffffff7fff"),
    (1.5, "00 cb 3ff8000000000000"),
    (-0.0, "00 cb 8000000000000000"),
    (math.inf, "00 cb 7ff0000000000000"),
    ("é", "00 a2 c3a9"),
    ("\ud800", "00 a3 eda080"),
    (b"\x01\x02", "00 c4 02 0102"),
    (undefined, "00 c7 00 01"),
    (BigInt(0), "00 c7 01 02 00"),
    (BigInt(-1), "00 c7 01 02 ff"),
    (BigInt(128), "00 c7 02 02 8000"),
    (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "00 c7 09 04 cb 408f400000000000"),
    (RegExp("a", "g"), "00 c7 05 05 92 a161 a167"),
    (JSMap([(1, "a")]), "00 c9 00000004 06 92 01 a161"),
    ({7}, "00 c9 00000002 07 91 07"),
    (array.array("H", [1, 258]), "00 c7 05 0a 04 0100 0201"),
    ([1, [2]], "00 92 01 91 02"),
    ({"a": {}}, "00 81 a161 80"),
    ((), "00 90"),
]


def golden_bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


@pytest.mark.parametrize(("value", "message"), GOLDEN, ids=[repr(value) for value, _ in GOLDEN])
def test_golden_messages(value: object, message: str) -> None:
    encoded = codec().encode(value)

    # A packer may choose shorter heads than the general way does.
    assert generally_decoded(encoded) == generally_decoded(golden_bytes(message))
    assert generally_encoded(value) == golden_bytes(message)


def test_golden_references() -> None:
    shared: list[object] = []
    cycle: list[object] = [b"", shared, {"a": shared}]
    cycle.append(cycle)

    assert codec().encode(cycle) == golden_bytes("01 94 c400 90 81a161 c70103 02 c70103 00")


def test_golden_error() -> None:
    error = JSError("m", name="N", stack="s", js_class="TypeError", properties={"code": 1})

    assert (
        codec().encode(error)
        == golden_bytes("00 c9 00000019 08 96") + b"\xa9TypeError\xa1N\xa1m\xa1s\xc0\x81\xa4code\x01"
    )


def test_golden_functions() -> None:
    owner = Owner()
    converter = Codec(owner, Limits())

    assert converter.encode(JSFunction(owner, 5, "g")) == golden_bytes("00 d4 1b 05")
    assert converter.encode(len) == golden_bytes("00 c7 08 0c 94 cd012c 01 a166 02")
    assert owner.bound == [len]
    owner.released.clear()


def test_several_values_in_one_message() -> None:
    shared = [1]

    assert codec().encode_many(3, "a", [True]) == golden_bytes("00 03 a161 91 c3")
    assert codec().encode_many(3, undefined, []) == golden_bytes("00 03 c70001 90")
    assert codec().encode_many(shared, shared) == golden_bytes("01 91 01 c70103 00")
    assert codec().encode_many() == b"\0"


@pytest.mark.parametrize(
    "texts",
    [("<eval 1>", "1 + 1"), ("",) * 15, ("",) * 16, ("x" * 5000, "y"), ("x" * 3000, "y" * 3000), ("\ud800", "é")],
)
def test_texts_alone_are_encoded_as_with_anything_else(texts: tuple[str, ...]) -> None:
    assert codec().encode_many(*texts) + b"\x07" == codec().encode_many(*texts, 7)


def same(left: object, right: object) -> bool:
    return shape(left) == shape(right)


UNCHANGED: list[object] = [
    *(None, True, False, undefined, 0, -1, 127, 128, -32, -33, 2**53 - 1, -(2**53) + 1),
    *(0.5, -0.0, 1e300, 5e-324, math.inf, -math.inf, math.nan),
    *("", "a", "é", "字", "😀", "\ud83d", "a\udc00b", "\0", "x" * 70_000),
    *(b"", b"\0\xff", b"x" * 300),
    *(BigInt(0), BigInt(1), BigInt(-1), BigInt(2**63), BigInt(-(2**63)), BigInt(2**5000), BigInt(-(2**5000))),
    *([], [[]], [None, undefined, 1, "a"], {}, {"": 0, "__proto__": {"a": 1}, "\ud800": 1}),
    *(JSMap(), JSMap([(1, 1), (True, 2), ("1", 3), (BigInt(1), 4), (None, 5), (undefined, 6), (math.nan, 7)])),
    *(JSMap([([], {}), ({}, [])]), JSMap([("m", JSMap([("s", JSSet([JSSet()]))]))]), JSSet([1, True, "1", b"1"])),
    *(datetime(2024, 2, 29, 12, 30, 15, 123000, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)),
    datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
    *(RegExp("a+", "gi"), RegExp("", "")),
    *(Blob(), Blob(b"x" * 70_000, "text/plain"), File(b"a", "", "é.txt", 5)),
    *([blob, {"a": blob}, b"x"] for blob in (Blob(b"a"),)),
    [[i, {"id": i, "name": f"n{i}", "tags": ["a", "b"]}] for i in range(300)],
]


@pytest.mark.parametrize("value", UNCHANGED, ids=lambda value: repr(value)[:40])
def test_values_that_come_back_unchanged(value: object) -> None:
    converter = codec()

    assert same(converter.decode(converter.encode(value)), value)
    assert same(converter.decode(generally_encoded(value)), value)
    assert same(generally_decoded(converter.encode(value)), value)
    assert same(generally_decoded(generally_encoded(value)), value)
    assert same(converter.decode(converter.encode([value])), [value])


@dataclasses.dataclass
class Point:
    """A record of an embedder's."""

    x: int
    y: float


@dataclasses.dataclass(slots=True, frozen=True)
class Line:
    """A record of records."""

    start: Point
    end: Point


class Color(enum.Enum):
    """A plain enum."""

    RED = "red"
    PAIR = (1, 2)


class Level(enum.IntEnum):
    """An enum that is an int."""

    HIGH = 3


class Text(str):
    """A str of an embedder's."""

    __slots__ = ()


class Number(float):
    """A float of an embedder's."""

    __slots__ = ()


CONVERTED: list[tuple[object, object]] = [
    ((1, (2,)), [1, [2]]),
    (range(3), [0, 1, 2]),
    (deque([1, 2]), [1, 2]),
    (OrderedDict(a=1), {"a": 1}),
    (UserDict({"a": 1}), {"a": 1}),
    ({1: "a", -2: "b", 10**30: "c"}, {"1": "a", "-2": "b", str(10**30): "c"}),
    ({Text("k"): Text("v")}, {"k": "v"}),
    ({Level.HIGH: 1, Color.RED: 2}, {"3": 1, "red": 2}),
    (Point(1, 0.5), {"x": 1, "y": 0.5}),
    (Line(Point(1, 2), Point(3, 4)), {"start": {"x": 1, "y": 2}, "end": {"x": 3, "y": 4}}),
    ([Color.RED, Color.PAIR, Level.HIGH], ["red", [1, 2], 3]),
    (Number(1.5), 1.5),
    (2**53, 2**53),
    (2**64, BigInt(2**64)),
    ([2**64, 1], [BigInt(2**64), 1]),
    ({1, 2}, JSSet([1, 2])),
    (frozenset({1}), JSSet([1])),
    ({"a": 1}.keys(), JSSet(["a"])),
    (bytearray(b"ab"), b"ab"),
    (memoryview(b"abcd")[::2], b"ac"),
    (array.array("B", [1]), b"\x01"),
    (re.compile("a", re.I), RegExp("a", "i")),
    (datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), datetime(2024, 1, 1, tzinfo=UTC)),
    (datetime(2024, 1, 1, 0, 0, 0, 1999, tzinfo=UTC), datetime(2024, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)),
    (datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
]


@pytest.mark.parametrize(("value", "expected"), CONVERTED, ids=lambda value: repr(value).partition(" at 0x")[0][:40])
def test_values_that_change_their_type(value: object, expected: object) -> None:
    assert same(round_trip(value), expected)
    assert same(round_trip({"in": [value]}), {"in": [expected]})


@pytest.mark.parametrize("code", "bhHiIlLqQfd")
def test_typed_arrays(code: str) -> None:
    source = array.array(code, [1, 2, 3])

    view = round_trip(source)

    assert isinstance(view, memoryview)
    assert view.readonly
    assert (view.itemsize, view.tolist()) == (source.itemsize, source.tolist())
    assert same(round_trip(memoryview(source)[1:]).tolist(), source.tolist()[1:])


@pytest.mark.parametrize(
    ("payload", "code", "items"),
    [
        (b"\x00\xff", "B", [255]),
        (b"\x01\xff", "b", [-1]),
        (b"\x09\x00\x3c\x00\xc0", "f", [1.0, -2.0]),
        (b"\x0c\x01\x02", "B", [1, 2]),
        (b"\x0b", "d", []),
    ],
    ids=["clamped", "int8", "float16", "DataView", "empty"],
)
def test_typed_arrays_of_the_guest(payload: bytes, code: str, items: list[float]) -> None:
    view = codec().decode(b"\0" + ext(Tag.TYPED_ARRAY, payload))

    assert (view.format, view.tolist()) == (code, items)


def test_numpy_arrays_travel() -> None:
    numpy = pytest.importorskip("numpy")
    values = {"a": numpy.arange(3, dtype="int32"), "s": numpy.float32(0.5), "i": numpy.int64(7), "t": numpy.bool_(True)}

    result = round_trip(values)

    assert (result["a"].format, result["a"].tolist()) == ("i", [0, 1, 2])
    assert same([result["s"], result["i"], result["t"]], [0.5, 7, True])
    for refused in (numpy.zeros((2, 2)), numpy.datetime64("2024-01-01"), numpy.array([None]), numpy.zeros(2, ">f4")):
        with pytest.raises(ConversionError, match=r"\$\.a"):
            codec().encode({"a": refused})


# Identity.


def test_shared_containers_stay_shared() -> None:
    one: list[int] = [1]
    two = {"k": one}
    data = bytearray(b"x")

    result = round_trip([one, two, one, (two, JSMap([(one, two)])), {"s": JSSet([one])}, data, data])

    assert result[0] is result[2] is result[1]["k"] is next(iter(result[4]["s"]))
    assert result[1] is result[3][0]
    assert next(iter(result[3][1].items())) == (result[0], result[1])
    assert next(iter(result[3][1].items()))[0] is result[0]
    assert result[5] is result[6]


def test_equal_containers_stay_apart() -> None:
    result = round_trip([[], [], {}, {}, b"", b""])

    assert result[0] is not result[1]
    assert result[2] is not result[3]


def cyclic_values() -> Iterator[tuple[str, Any, Callable[[Any], Any]]]:
    items: list[Any] = []
    items.append(items)
    yield "list", items, lambda value: value[0]
    mapping: dict[str, Any] = {}
    mapping["self"] = mapping
    yield "dict", mapping, lambda value: value["self"]
    entries = JSMap()
    entries["self"] = entries
    yield "Map value", entries, lambda value: value["self"]
    keys = JSMap()
    keys[keys] = 1
    yield "Map key", keys, lambda value: next(iter(value))
    members = JSSet()
    members.add(members)
    yield "Set", members, lambda value: next(iter(value))
    inner: list[Any] = []
    inner.append((inner,))
    yield "tuple", inner, lambda value: value[0][0]
    error = JSError("e")
    error.properties["cause"] = error
    yield "Error", error, lambda value: value.cause


@pytest.mark.parametrize(
    ("value", "follow"), [row[1:] for row in cyclic_values()], ids=[row[0] for row in cyclic_values()]
)
def test_cycles(value: Any, follow: Callable[[Any], Any]) -> None:
    result = round_trip(value)

    assert follow(result) is result
    assert type(result) is type(value)


def test_exponential_sharing_is_linear() -> None:
    value: list[Any] = []
    for _ in range(100):
        value = [value, value]

    message = codec().encode(value)
    result = codec().decode(message)

    assert len(message) < 1000
    assert result[0] is result[1]


@given(graphs())
def test_any_graph_keeps_its_shape(value: Any) -> None:
    assert shape(round_trip(value)) == shape(value)


# Properties.


@given(values)
def test_any_value_comes_back(value: object) -> None:
    assert same(round_trip(value), value)


@given(values)
def test_both_ways_agree(value: object) -> None:
    quick, general = codec().encode(value), generally_encoded(value)

    assert same(generally_decoded(quick), codec().decode(general))


# Through a real guest.


@pytest.fixture(scope="module")
def echo() -> Iterator[Callable[[object], Any]]:
    """A guest function that returns what it is given."""
    with Sandbox(limits=Limits(cpu_seconds=None, wall_seconds=None)) as box:
        yield box.eval("value => value")


@pytest.mark.parametrize("value", UNCHANGED, ids=lambda value: repr(value)[:40])
def test_the_guest_understands(value: object, echo: Callable[[object], Any]) -> None:
    assert shape(echo(value)) == shape(value, as_guest_orders=True)


def test_the_guest_numbers_objects_as_the_host_does(echo: Callable[[object], Any]) -> None:
    shared: list[object] = []
    kinds = [
        b"x",
        datetime(2024, 1, 1, tzinfo=UTC),
        RegExp("a"),
        JSMap([(1, 2)]),
        {1},
        array.array("d"),
        JSError("e"),
        (),
    ]

    for count in range(len(kinds) + 1):
        result = echo([*kinds[:count], shared, 2**64, undefined, shared, echo, len])
        assert result[count] is result[count + 3]


# Errors and functions.


def test_errors_come_back_as_they_were() -> None:
    cause = JSError("inner", name="Inner", js_class="RangeError")
    error = JSError(
        "m", name="N", stack="    at f (a.js:1:2)", js_class="TypeError", properties={"cause": cause, "n": 1}
    )

    for result in (round_trip(error), round_trip([error, error])[1]):
        assert (result.name, result.message, result.stack, result.js_class) == ("N", "m", error.stack, "TypeError")
        assert result.properties["n"] == 1
        assert result.cause.message == "inner"
        assert result.__cause__ is result.cause


def test_host_exceptions_are_kept_behind_their_errors() -> None:
    owner = Owner()
    converter = Codec(owner, Limits())
    original = FileNotFoundError(2, "No such file", "/home/secret")

    message = converter.encode({"e": original})
    result = converter.decode(message)["e"]
    again = converter.decode(converter.encode(result))

    assert b"secret" not in message
    assert (result.js_class, result.name, result.message) == ("DOMException", "NotFoundError", "No such file")
    assert result.__cause__ is original
    assert again.__cause__ is original


def test_host_texts_can_be_hidden() -> None:
    converter = Codec(Owner(), Limits(), error_detail="class")

    assert converter.decode(converter.encode(ValueError("secret"))).message == "the host function failed"


def test_exception_groups_are_aggregate_errors() -> None:
    result = round_trip(ExceptionGroup("several", [ValueError("a"), TypeError("b")]))

    assert result.js_class == "AggregateError"
    assert [error.js_class for error in result.properties["errors"]] == ["RangeError", "TypeError"]


def test_an_error_without_its_own_texts() -> None:
    message = b"\0" + ext(Tag.ERROR, packed(["ConversionError", None, None, None, None, {}]))

    result = codec().decode(message)

    assert (result.name, result.message, result.stack, result.js_class) == ("TypeError", "", "", "ConversionError")


def test_functions_of_the_guest() -> None:
    owner = Owner()
    converter = Codec(owner, Limits())

    function = converter.decode(b"\0" + b"\x91" + ext(Tag.FUNCTION, packed([9, "go"])))[0]

    assert (function.handle, function.name) == (9, "go")
    assert converter.encode({"f": function}) == b"\0\x81\xa1f\xd4\x1b\x09"
    with pytest.raises(ConversionError, match=r"^a JSFunction of another sandbox \(at \$\.f\[0\]\)$"):
        codec().encode({"f": [function]})


def test_functions_are_made_once_though_a_message_is_read_twice() -> None:
    owner = Owner()
    function = ext(Tag.FUNCTION, packed([9, "go"]))
    sparse = ext(Tag.SPARSE_ARRAY, b"\x01\x80")

    result = Codec(owner, Limits()).decode(b"\0\x92" + function + sparse)
    gc.collect()

    assert result[0].handle == 9
    assert owner.released == []


def test_functions_in_a_refused_message_are_released() -> None:
    owner = Owner()
    functions = [ext(Tag.FUNCTION, packed([handle, ""])) for handle in (1, 2)]

    with pytest.raises(ConversionError) as caught:
        Codec(owner, Limits()).decode(b"\0\x93" + functions[0] + ext(Tag.REQUEST, b"\x01") + functions[1])
    del caught
    gc.collect()

    assert sorted(owner.released) == [1, 2]


def test_a_callable_met_twice_is_one_function() -> None:
    owner = Owner()

    message = Codec(owner, Limits()).encode([len, {"again": len}])

    assert owner.bound == [len]
    assert message[0] == 1
