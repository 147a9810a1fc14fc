"""A guest that belongs to an attacker is recorded: whatever it does, the host goes on, and there is a record of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sandbox
from sandbox import Limits, Sandbox, _callback, _image, _store
from sandbox._image import Image
from sandbox._replay import replaying
from sandbox.errors import RecordError, ReplayDiverged, SandboxError
from tests.owned.evil import FREE, MEMORY_BYTES, Script, write_artifact
from tests.owned.test_fuzz import scripts

EXAMPLES = int(os.environ.get("SANDBOX_FUZZ_EXAMPLES", "20"))
LIMITS = Limits(memory_bytes=8 << 20, cpu_seconds=1, wall_seconds=2, fuel=20_000_000)


@pytest.fixture(scope="module")
def told_image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The attacker's module, whose time the host tells."""
    directory = tmp_path_factory.mktemp("evil")
    write_artifact(directory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANDBOX_CACHE", str(directory / "cache"))
        return Image(_callback.host_call_address, str(directory), clock=_callback.clock_address)


@pytest.fixture(autouse=True)
def told(owned: None, told_image: Image, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let recorded sandboxes, and replays, be made from that module as well."""
    shelf = _store._Shelf()
    with monkeypatch.context() as patch:
        patch.setitem(_image._loaded, "fuel, told", told_image)
        patch.setitem(_store._shelves, "fuel, told", shelf)
        patch.setattr(replaying, "image_digest", lambda: told_image.sha256)
        yield
    while shelf.stores:
        shelf.stores.pop().delete()


def recorded(path: Path, *programs: object) -> Exception | None:
    """Run scripts one after the other, and replay what was recorded; returns what is wrong with the record."""
    with Sandbox(limits=LIMITS, functions={"f": lambda *values: len(values)}, on_limit="rollback") as box:
        recording = box.record(path)
        for program in programs:
            with suppress(SandboxError):  # which is what an attacker gets
                box.eval(str(program))
    try:
        sandbox.replay(path).run()
    except ReplayDiverged:
        raise
    except RecordError as error:
        return recording.error or error
    return None


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(programs=st.lists(scripts(), min_size=1, max_size=4))
def test_random_steps(programs: list[Script], tmp_path: Path) -> None:
    """They are done again exactly."""
    assert recorded(tmp_path / "x.record", *programs) is None


@pytest.mark.parametrize("address", [FREE, MEMORY_BYTES - 8, MEMORY_BYTES - 7, MEMORY_BYTES, 0x7FFF_FFFF, 0xFFFF_FFFF])
@pytest.mark.parametrize("clock", [0, 1, 2, 0xFFFF_FFFF])
def test_the_time_is_told_inside_its_memory_only(clock: int, address: int, tmp_path: Path) -> None:
    script = Script().clock(clock, address).finish()
    assert recorded(tmp_path / "x.record", script, script) is None


def test_reading_the_clock_without_end(tmp_path: Path) -> None:
    script = Script()
    with script.times(100_000):
        script.clock(0, FREE)
    assert recorded(tmp_path / "x.record", script.finish()) is None
    assert (tmp_path / "x.record").stat().st_size < 1 << 20
