"""Sandboxes whose guest belongs to an attacker; nothing else of them is made for the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox import _callback, _image, _sandbox, _store
from sandbox._image import Image
from tests.owned.evil import write_artifact


@pytest.fixture(scope="session")
def evil_image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The attacker's module, compiled."""
    directory = tmp_path_factory.mktemp("evil")
    write_artifact(directory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANDBOX_CACHE", str(directory / "cache"))
        return Image(_callback.host_call_address, str(directory))


@pytest.fixture(autouse=True)
def owned(evil_image: Image, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every sandbox of a test be made from that module."""
    _sandbox.standard_names()  # of the real guest, and remembered
    shelf = _store._Shelf()
    with monkeypatch.context() as patch:
        patch.setattr(_image, "_loaded", {"fuel": evil_image})
        patch.setattr(_store, "_shelves", {"fuel": shelf})
        yield
    while shelf.stores:
        shelf.stores.pop().delete()
