"""The tables: rows, engines, workloads and targets agree with each other."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from benchmarks import catalog, rows, targets, workloads


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("spawn", ["spawn"]),
        ("host_call", ["host_call"]),
        ("host_call_", ["host_call_record"]),
        ("host_calls_", ["host_calls_1", "host_calls_2"]),
        ("calls", ["eval", "host_call", "host_call_record", "guest_call_record"]),
        ("evals", ["evals_1", "evals_2"]),
        ("ints_out, spawn", ["spawn", "ints_out"]),
        ("compute_json,compute_maps", ["compute_json", "compute_maps"]),
    ],
)
def test_select_rows(patterns: str, expected: list[str]) -> None:
    assert [row.id for row in rows.select(patterns)] == expected


def test_no_pattern_selects_every_row() -> None:
    assert rows.select(None) == rows.ROWS


def test_unknown_row_is_named() -> None:
    with pytest.raises(ValueError, match="'spwan'"):
        rows.select("spawn,spwan")


def test_rows_are_distinct_and_grouped() -> None:
    assert len(rows.BY_ID) == len(rows.ROWS) + 1
    assert {row.group for row in rows.BY_ID.values()} == set(rows.GROUPS) == set(rows.GROUP_TITLES)


def test_every_program_has_source_checksum_and_row() -> None:
    sources = {path.stem for path in workloads.PROGRAMS_DIRECTORY.glob("*.js")}
    assert sources == set(workloads.CHECKSUMS) == set(rows.PROGRAMS)
    assert all("function run()" in workloads.program(name) for name in rows.PROGRAMS)


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
@pytest.mark.parametrize("name", rows.PROGRAMS)
def test_node_computes_the_same_checksum(name: str) -> None:
    command = ["node", "--eval", f"{workloads.program(name)}; console.log(run(), run())"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=50)
    assert done.stdout.split() == [str(workloads.CHECKSUMS[name])] * 2


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("records", 1000),
        ("many_records", 10_000),
        ("ints", 100_000),
        ("bytes", 1_000_000),
        ("large_bytes", 10_000_000),
        ("string", 100_000),
        ("large_string", 10_000_000),
        ("nested", 4),
    ],
)
def test_values_have_the_promised_size(name: str, length: int) -> None:
    value = workloads.value(name).python
    assert isinstance(value, (list, bytes, str, dict))
    assert len(value) == length


def test_unknown_value_is_refused() -> None:
    with pytest.raises(ValueError, match="'rope'"):
        workloads.value("rope")


@pytest.mark.parametrize(
    ("engines", "peers", "expected"),
    [
        (None, None, list(catalog.BY_NAME)),
        (None, "all", list(catalog.BY_NAME)),
        (None, "none", ["sandbox"]),
        (None, "jsrun", ["sandbox", "jsrun"]),
        ("jsrun, quickjs-ng", None, ["quickjs-ng", "jsrun"]),
    ],
)
def test_select_engines(engines: str | None, peers: str | None, expected: list[str]) -> None:
    assert [engine.name for engine in catalog.select(engines, peers)] == expected


@pytest.mark.parametrize(
    ("engines", "peers", "message"), [("v9", None, "v9"), (None, "", "''"), ("jsrun", "none", "not both")]
)
def test_select_engines_refuses(engines: str | None, peers: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        catalog.select(engines, peers)


def test_peers_are_pinned_and_lacks_name_rows() -> None:
    for engine in catalog.ENGINES:
        assert all("==" in requirement for requirement in engine.requirements)
        assert set(engine.lacks) <= set(rows.BY_ID)
    assert [engine.name for engine in catalog.ENGINES if not engine.requirements] == [catalog.OURS]


def test_targets_name_rows_and_peers() -> None:
    for target in targets.TARGETS:
        assert target.row in rows.BY_ID
        assert target.peer is None or target.peer in catalog.BY_NAME
        assert not target.row_below or (target.row_below in rows.BY_ID and target.peer is None)
