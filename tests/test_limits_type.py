"""Limits are checked when they are made, and say what is wrong in the words of their fields."""

from __future__ import annotations

import dataclasses
import math
import pickle

import pytest

from sandbox.limits import MAX_MEMORY_BYTES, MIN_MEMORY_BYTES, MIN_STACK_BYTES, Limits, Usage


def test_defaults_are_limits() -> None:
    limits = Limits()

    assert limits.memory_bytes == 64 << 20
    assert limits.cpu_seconds == 5.0
    assert limits.wall_seconds == 30.0
    assert limits.fuel is None
    assert limits.output_bytes == 8 << 20
    assert None not in (limits.max_nodes, limits.max_depth, limits.message_bytes, limits.pending_requests)
    assert None not in (limits.concurrent_calls, limits.handles)


def test_limits_are_frozen_values() -> None:
    limits = Limits(fuel=1)

    assert limits == Limits(fuel=1)
    assert hash(limits) == hash(Limits(fuel=1))
    assert pickle.loads(pickle.dumps(limits)) == limits
    with pytest.raises(dataclasses.FrozenInstanceError):
        limits.fuel = 2  # type: ignore[misc]


def test_positional_arguments_are_refused() -> None:
    with pytest.raises(TypeError):
        Limits(1 << 24)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("memory_bytes", MIN_MEMORY_BYTES),
        ("memory_bytes", MAX_MEMORY_BYTES),
        ("cpu_seconds", 0.001),
        ("cpu_seconds", 1),
        ("cpu_seconds", None),
        ("wall_seconds", 3600.0),
        ("wall_seconds", None),
        ("fuel", 1),
        ("fuel", (1 << 63) - 1),
        ("stack_bytes", MIN_STACK_BYTES),
        ("output_bytes", None),
        ("max_nodes", 1),
        ("max_depth", 500),
        ("message_bytes", 1 << 30),
    ],
)
def test_accepted(field: str, value: float | None) -> None:
    assert getattr(Limits(**{field: value}), field) == value  # type: ignore[arg-type]


def test_whole_seconds_become_floats() -> None:
    assert type(Limits(cpu_seconds=2).cpu_seconds) is float


COUNTS = [field.name for field in dataclasses.fields(Limits) if field.type in ("int", "int | None")]


@pytest.mark.parametrize("field", COUNTS)
@pytest.mark.parametrize("value", [0, -1, 1 << 64])
def test_counts_out_of_range(field: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be between "):
        Limits(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("field", COUNTS)
@pytest.mark.parametrize("value", [True, 1.5, "1", b"1", [1]])
def test_counts_of_the_wrong_type(field: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"^{field} must be an int"):
        Limits(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("field", sorted(set(COUNTS) - {"fuel", "stack_bytes", "output_bytes"}))
def test_limits_that_cannot_be_lifted(field: str) -> None:
    with pytest.raises(TypeError, match=f"^{field} must be an int, not NoneType"):
        Limits(**{field: None})  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["cpu_seconds", "wall_seconds"])
@pytest.mark.parametrize("value", [0, 0.0, -1, math.nan, math.inf, -math.inf, 1e12, 10**400])
def test_seconds_out_of_range(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be more than 0"):
        Limits(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["cpu_seconds", "wall_seconds"])
@pytest.mark.parametrize("value", [True, "1", b"", [1.0]])
def test_seconds_of_the_wrong_type(field: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"^{field} must be a number"):
        Limits(**{field: value})  # type: ignore[arg-type]


def test_usage_is_a_frozen_record_of_zeros() -> None:
    usage = Usage()

    fields = dataclasses.asdict(usage)
    assert (fields.pop("calls"), set(fields.values())) == ({}, {0})
    assert hash(usage) == hash(Usage())
    with pytest.raises(dataclasses.FrozenInstanceError):
        usage.fuel = 1  # type: ignore[misc]


def test_the_way_of_metering() -> None:
    assert Limits().metering == "fuel"
    assert Limits(metering="clock").metering == "clock"
    assert Limits(metering="fuel", fuel=5).fuel == 5


@pytest.mark.parametrize("value", ["", "Fuel", "epoch", "fuel\0"])
def test_ways_of_metering_that_do_not_exist(value: str) -> None:
    with pytest.raises(ValueError, match=r'^metering must be "fuel" or "clock", not'):
        Limits(metering=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [None, True, 1, b"fuel", ["fuel"]])
def test_a_way_of_metering_of_the_wrong_type(value: object) -> None:
    with pytest.raises(TypeError, match=r"^metering must be a str"):
        Limits(metering=value)  # type: ignore[arg-type]


def test_fuel_that_nothing_counts() -> None:
    with pytest.raises(ValueError, match=r'^fuel is not counted with metering="clock"$'):
        Limits(metering="clock", fuel=1_000_000)
