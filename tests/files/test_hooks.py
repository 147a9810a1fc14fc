"""Hooks on files: what they see of operations and failures, and what a program is told of denials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox import Answer, Call, Deny, DirectoryFiles, FileStore, MemoryFiles, Sandbox, undefined
from sandbox.errors import CapabilityDenied

READ = "(await import('node:fs/promises')).readFile('/a', 'utf8')"
WRITE = "(await import('node:fs/promises')).writeFile('/a', 'new')"
NODE_TOLD = ".then(() => 'done', error => `${error.name}: ${error.message}`)"


@pytest.fixture(params=["prompt", "slow"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    """Stores that are asked in the turn, and on worker threads."""
    (tmp_path / "a").write_bytes(b"old")
    return MemoryFiles({"a": b"old"}) if request.param == "prompt" else DirectoryFiles(tmp_path, write=True)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (READ, ("files.read", ["/a", 0, 4 << 20, None], "value", b"old", None)),
        (WRITE, ("files.write", ["/a", b"new", "write"], "value", None, None)),
        (READ.replace("/a", "/b"), ("files.read", ["/b", 0, 4 << 20, None], "error", undefined, FileNotFoundError)),
    ],
    ids=["read", "write", "nothing there"],
)
def test_what_calls_tell(store: FileStore, code: str, expected: tuple[Any, ...]) -> None:
    seen: list[Any] = []

    def note(call: Call) -> None:
        seen.append((call.name, call.arguments, call.outcome, call.value, call.error and type(call.error)))

    with Sandbox(files=store, on_result={"files.*": note}) as box:
        box.eval(code + NODE_TOLD)
    assert seen == [expected]


def test_a_sandbox_without_files() -> None:
    calls: list[Call] = []
    with Sandbox(on_result=calls.append) as box:
        assert box.eval("getDirectory('/').catch(error => error.name)") == "NotAllowedError"
    assert [(call.name, call.outcome, type(call.error)) for call in calls] == [
        ("files.open", "denied", CapabilityDenied)
    ]


@pytest.mark.parametrize("when", ["on_call", "on_result"])
def test_denials(store: FileStore, when: str) -> None:
    hooks: dict[str, Any] = {when: {"files.read": lambda _call: Deny("not that one")}}
    with Sandbox(files=store, **hooks) as box:
        assert box.eval(READ + NODE_TOLD) == "NotAllowedError: files.read: not that one"


@pytest.mark.parametrize("name", ["files.write", "files.createWritable", "files.createWritable.close"])
def test_a_file_whose_writing_is_denied_stays(store: FileStore, name: str) -> None:
    write = (
        WRITE
        if name == "files.write"
        else "(await (await (await getDirectory('/')).getFileHandle('a')).createWritable({keepExistingData: true})"
        ".then(async s => { await s.write('new'); await s.close() }))"
    )
    code = f"(async () => {write})()"
    with Sandbox(files=store, on_call={name: lambda _call: Deny("no")}) as box:
        assert box.eval(f"await {code}.catch(error => error.message)") == f"{name}: no"
        assert box.eval(READ) == "old"


def test_answers(store: FileStore) -> None:
    with Sandbox(files=store, on_call={"files.read": lambda _call: Answer(b"another")}) as box:
        assert box.eval(READ) == "another"
