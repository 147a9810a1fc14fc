"""What tests of benchmarks share."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(autouse=True)
def _what_is_frozen_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring thaws all there is, the tests themselves too: each collection would take most of a second then."""
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(gc, "unfreeze", lambda: None)
