"""Flame graphs: stacks are folded and placed rightly, and the command draws what it sampled."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from benchmarks.__main__ import main
from benchmarks.flames import command, guest, host
from benchmarks.flames.chart import Box, boxes
from benchmarks.rows import BY_ID

PERF = """\
 7f01 wasm[0]::function[7]
 7f02 wasm[0]::function[9]
 7f03 wasm[0]::function[9]
 7f04 _PyEval_EvalFrameDefault

 7f05 malloc

 7f02 wasm[0]::function[9]
"""


def test_stacks_of_the_guest() -> None:
    stacks = guest.fold(PERF.splitlines(), {7: "js_add_slow"})
    assert stacks == {("function 9", "js_add_slow"): 1, ("function 9",): 1}


def test_boxes_stand_on_their_callers() -> None:
    stacks = Counter({("a", "b"): 2, ("a", "c"): 1, ("d",): 1, ("a", "b", "e"): 0})
    assert boxes(stacks) == [
        Box("a", 0, 0.0, 0.75),
        Box("b", 1, 0.0, 0.5),
        Box("c", 1, 0.5, 0.25),
        Box("d", 0, 0.75, 0.25),
    ]


def test_what_cannot_be_seen_is_left_out() -> None:
    assert [box.name for box in boxes(Counter({("large",): 9999, ("small",): 1}))] == ["large"]


def test_names_are_those_of_the_guest() -> None:
    names = guest.function_names()
    assert {"JS_GetPropertyInternal", "lre_exec", "js_free_rt"} <= set(names.values())


def test_stacks_of_the_host() -> None:
    lines = [
        "<module> (b/host.py:9);_time (b/measure.py:3);drive.<locals>.<lambda> (_driver.py:7);Instance.call (i.py:1) 5",
        "<module> (b/host.py:9);prepare (b/measure.py:3) 4",
        "<module> (b/host.py:9);_time (b/measure.py:3) 1",
    ]
    assert host.fold(lines) == {("drive.<lambda>", "Instance.call"): 5}


@pytest.mark.skipif(sys.platform != "linux", reason="py-spy is among the dependencies for Linux")
def test_a_row_is_sampled() -> None:
    try:
        stacks = host.host_stacks(BY_ID["eval"], 0.5)
    except host.NoProfilerError as error:
        pytest.skip(str(error))
    assert any("Instance.call" in stack for stack in stacks)


@pytest.mark.parametrize("row", command.HOST_ROWS)
def test_rows_are_there(row: str) -> None:
    assert row in BY_ID


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def none(*_: object) -> None:
        raise host.NoProfilerError("perf is not installed")

    monkeypatch.setattr(command, "guest_stacks", none)
    monkeypatch.setattr(command, "host_stacks", lambda row, seconds: Counter({(row.id, "Instance.call"): 3}))
    chart = tmp_path / "new" / "flames.svg"
    assert main(["flames", "--chart", str(chart)]) == 1
    drawn = chart.read_text("utf-8")
    assert all(title.partition(",")[0] in drawn for title in command.HOST_ROWS.values())
    assert drawn.count("Instance.call 100%") == len(command.HOST_ROWS)
    assert "left out: perf is not installed" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--chart", "x.gif"], ["--seconds", "0", "--chart", "x.svg"]])
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["flames", *arguments])
    assert caught.value.code == 2
