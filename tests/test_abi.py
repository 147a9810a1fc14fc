"""The boundary: the generated files are current, and the built guest is exactly what the table says."""

from __future__ import annotations

import ctypes
import hashlib
import json
import re
from pathlib import Path

import pytest
import wasmtime

from sandbox import _abi
from wasm import generate, sources
from wasm.table import Table

ROOT = Path(__file__).resolve().parent.parent
ARTIFACTS = ROOT / "sandbox" / "_artifacts"


@pytest.fixture(scope="module")
def guest() -> wasmtime.Module:
    return wasmtime.Module(wasmtime.Engine(), (ARTIFACTS / "guest.wasm").read_bytes())


@pytest.mark.parametrize("path", sorted(generate.render()), ids=lambda path: path.name)
def test_generated_file_is_current(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generate.render()[path], "run `python -m wasm.generate`"


def test_control_block_has_the_offsets_of_the_table() -> None:
    table = Table.load()
    assert ctypes.sizeof(_abi.Control) == table.control_bytes
    offsets = {name: getattr(_abi.Control, name).offset for name, _ in _abi.Control._fields_}
    assert offsets == {field.name: field.offset for field in table.control}


def test_guest_imports_exactly_the_table(guest: wasmtime.Module) -> None:
    found = {}
    for entry in guest.imports:
        assert isinstance(entry.type, wasmtime.FuncType)
        found[entry.module, entry.name] = (tuple(map(str, entry.type.params)), tuple(map(str, entry.type.results)))
    assert found == _abi.IMPORTS


def test_guest_exports_exactly_the_table(guest: wasmtime.Module) -> None:
    functions = {}
    others = []
    for entry in guest.exports:
        if isinstance(entry.type, wasmtime.FuncType):
            functions[entry.name] = len(entry.type.params)
            assert {str(kind) for kind in [*entry.type.params, *entry.type.results]} == {"i32"}
            assert len(entry.type.results) == 1
        else:
            others.append(entry.name)
    assert functions == _abi.EXPORTS
    assert others == ["memory"]


def test_manifest_describes_the_guest_beside_it() -> None:
    manifest = json.loads((ARTIFACTS / "manifest.json").read_text(encoding="utf-8"))
    module = (ARTIFACTS / "guest.wasm").read_bytes()
    upstream = sources.load()
    assert manifest["abi_version"] == _abi.VERSION
    assert manifest["sha256"] == hashlib.sha256(module).hexdigest()
    assert manifest["bytes"] == len(module)
    assert [(entry["package"], entry["sha256"]) for entry in manifest["sources"]] == [
        (source.package, source.sha256) for source in upstream.sources
    ]
    assert len(manifest["patches"]) == len(upstream.patches)


def test_every_part_of_the_modules_comes_with_its_licence() -> None:
    expected: set[str] = set()
    for upstream in (sources.load(), sources.load(module="typescript")):
        expected |= {f"{source.package}.txt" for source in upstream.sources} | set(upstream.compiler_licences)
        expected |= {name for source in upstream.sources for name in source.part_licences}
    texts = {path.name: path.read_text(encoding="utf-8") for path in (ARTIFACTS / "licences").iterdir()}
    assert texts.keys() == expected
    assert [name for name, text in texts.items() if not re.search(r"copyright|\(c\)", text, re.I)] == []
