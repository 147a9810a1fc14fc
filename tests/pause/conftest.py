"""How paused runs get to where they go on."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.later_lives import same, signed, written

if TYPE_CHECKING:
    from sandbox import Snapshot


def _pickled(snapshot: Snapshot) -> Snapshot:
    copy: Snapshot = pickle.loads(pickle.dumps(snapshot))
    return copy


@pytest.fixture(params=[same, written, signed, _pickled], ids=["kept", "bytes", "signed", "pickle"])
def carry(request: pytest.FixtureRequest) -> Callable[[Snapshot], Snapshot]:
    """The ways in which a snapshot gets to where the run goes on."""
    way: Callable[[Snapshot], Snapshot] = request.param
    return way
