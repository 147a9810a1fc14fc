"""A few seconds of the storm; `python -m tests.remote.storm --seconds 600` is all of it."""

from __future__ import annotations

from tests.remote.storm import storm


def test_a_short_storm() -> None:
    report = storm(seconds=8, processes=2, spaces=4, workers=2, seed=3)
    assert report["uses kept"] > 0
    assert (report["wrong answers"], report["lost in silence"], report["failed otherwise"]) == (0, 0, {})
    assert report["daemon's status"] == 0
