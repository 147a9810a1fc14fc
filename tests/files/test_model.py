"""Random steps on stores, beside a model that is a dict: whatever the order, they give the same."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sandbox.files.failures import code_of
from tests.files.stores import STORES

NAMES = st.sampled_from(["a", "b", "*", "ü"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
CONTENTS = st.binary(max_size=20)


class Model:
    """Paths to contents; None: a directory."""

    def __init__(self) -> None:
        self.entries: dict[str, bytes | None] = {"": None}

    def check(self, path: str) -> str | None:
        """Why nothing can be at a path; None: something can."""
        parts = path.split("/")[:-1]
        for length in range(1, len(parts) + 1):
            above = "/".join(parts[:length])
            if above not in self.entries:
                return "ENOENT"
            if self.entries[above] is not None:
                return "ENOTDIR"
        return None

    def below(self, path: str) -> list[str]:
        return [each for each in self.entries if each.startswith(f"{path}/")]

    def list(self, path: str) -> Any:
        if problem := self.check(path) or ("ENOENT" if path not in self.entries else None):
            return problem
        if self.entries[path] is not None:
            return "ENOTDIR"
        start = f"{path}/" if path else ""
        inner = [each[len(start) :] for each in self.entries if each.startswith(start) and each != path]
        return sorted((each, self.entries[start + each] is None) for each in inner if "/" not in each)

    def read(self, path: str) -> Any:
        if problem := self.check(path) or ("ENOENT" if path not in self.entries else None):
            return problem
        content = self.entries[path]
        return "EISDIR" if content is None else content

    def write(self, path: str, content: bytes, *, exclusive: bool) -> Any:
        if problem := self.check(path):
            return problem
        if path in self.entries and self.entries[path] is None:
            return "EISDIR"
        if path in self.entries and exclusive:
            return "EEXIST"
        self.entries[path] = content
        return None

    def make_directory(self, path: str) -> Any:
        if problem := self.check(path) or ("EEXIST" if path in self.entries else None):
            return problem
        self.entries[path] = None
        return None

    def remove(self, path: str) -> Any:
        if problem := self.check(path) or ("ENOENT" if path not in self.entries else None):
            return problem
        if self.below(path):
            return "ENOTEMPTY"
        del self.entries[path]
        return None

    def rename(self, source: str, target: str) -> set[Any]:
        """All that is wrong; which of it is told is up to the store."""
        problems = {self.check(source) or (None if source in self.entries else "ENOENT"), self.check(target)} - {None}
        if target in self.entries and self.entries[target] is None:
            problems.add("EISDIR")
        if not problems and source != target:
            self.entries[target] = self.entries.pop(source)
        return problems or {None}


def outcome(action: Callable[[], Any]) -> Any:
    try:
        return action()
    except OSError as error:
        return code_of(error)


class Steps(RuleBasedStateMachine):
    """One store and the model."""

    kind: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store: Any = STORES[self.kind](Path(self.folder.name))
        self.model = Model()

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(path=PATHS, content=CONTENTS, exclusive=st.booleans())
    def write(self, path: str, content: bytes, exclusive: bool) -> None:
        expected = self.model.write(path, content, exclusive=exclusive)
        assert outcome(lambda: self.store.write(path, BytesIO(content), exclusive=exclusive)) == expected

    @rule(path=PATHS)
    def make_directory(self, path: str) -> None:
        assert outcome(lambda: self.store.make_directory(path)) == self.model.make_directory(path)

    @rule(path=PATHS)
    def remove(self, path: str) -> None:
        assert outcome(lambda: self.store.remove(path)) == self.model.remove(path)

    @rule(source=PATHS, to=PATHS)
    def rename_file(self, source: str, to: str) -> None:
        if self.model.entries.get(source, b"") is not None:  # what becomes of directories differs
            assert outcome(lambda: self.store.rename(source, to)) in self.model.rename(source, to)

    @rule(path=PATHS, start=st.integers(0, 25), size=st.integers(0, 25))
    def read(self, path: str, start: int, size: int) -> None:
        expected = self.model.read(path)
        expected = expected[start : start + size] if isinstance(expected, bytes) else expected
        assert outcome(lambda: self.store.read(path, start, size)) == expected

    @rule(path=st.one_of(st.just(""), PATHS))
    def list(self, path: str) -> None:
        assert outcome(lambda: sorted(self.store.list(path))) == self.model.list(path)

    @invariant()
    def sizes(self) -> None:
        for path, content in self.model.entries.items():
            found = self.store.stat(path)
            assert (found.is_directory, found.size) == (content is None, len(content or b""))


@pytest.mark.parametrize("kind", ("memory", "directory", "fsspec"))
def test_random_steps(kind: str) -> None:
    machine: Any = type(f"StepsOf{kind.title()}", (Steps,), {"kind": kind})
    case = machine.TestCase
    case.settings = settings(
        max_examples=40,
        stateful_step_count=30,
        phases=[Phase.generate],  # to shrink what fails takes minutes, with a disk
        suppress_health_check=list(HealthCheck),
    )
    case("runTest").runTest()
