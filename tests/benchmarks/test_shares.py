"""What our own time is spent on: the parts are of one whole, and nothing stays clocked."""

from __future__ import annotations

import pytest
from rich.console import Console

from benchmarks import __main__ as command
from benchmarks import shares, table
from benchmarks.rows import BY_ID
from sandbox._codec import Codec


@pytest.mark.parametrize("row", ["eval", "host_call_record", "guest_call_record", "nested_out", "bytes_in"])
def test_parts_are_of_one_whole(monkeypatch: pytest.MonkeyPatch, row: str) -> None:
    monkeypatch.setattr(shares, "SAMPLE_SECONDS", 0.001)
    encode = Codec.encode

    share = shares.measure_shares(BY_ID[row])
    assert 0 < share.guest < 1
    assert 0 < share.codec < 1
    assert share.guest + share.codec + share.copies + share.rest == pytest.approx(1, abs=0.05)
    assert Codec.encode is encode


def test_what_is_inside_another_part_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 1.0, 4.0, 10.0])
    monkeypatch.setattr(shares, "perf_counter", lambda: next(now))
    clock = shares.Clock()
    inner = clock.around("codec", lambda: None)

    clock.around("guest", inner)()
    assert clock.seconds == {"codec": 3.0, "guest": 7.0}


def test_the_table_shows_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    table.print_shares([shares.Share("bytes_out", 0.001, 0.5, 0.25, 0.15)], Console(width=120))
    assert command.main(["--shares", "--rows", "spawn"]) == 0

    shown = capsys.readouterr().out
    for text in ("1 MB of bytes out", "1.00 ms", "50%", "25%", "15%", "10%"):
        assert text in shown
