"""The table refuses to contradict itself, and the generator's check notices stale files."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasm import generate
from wasm.table import PATH, AbiError, Table

TEXT = PATH.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("cancel = { id = 4", "cancel = { id = 3", r"abi.toml: \[op\]: cancel and uncaught are both 3"),
        ("[op.console]\nwrite  = { id = 16", "[op.console]\nwrite  = { id = 256", "id 256 is not below first_dynamic"),
        (
            'write  = { id = 16, mode = "send"',
            'write  = { id = 16, mode = "shout"',
            "mode 'shout' is none of call, queue, send",
        ),
        ("bigint         = { id = 2", "bigint         = { id = 1", r"\[tag\]: bigint and undefined are both 1"),
        ("bigint         = { id = 2", "bigint         = { id = 64", "id 64 is not within 1..63"),
        (
            'interrupt          = { type = "u32"',
            'interrupt          = { type = "u16"',
            "interrupt: unknown type or way",
        ),
        ("int16 = 3", "int16 = 2", r"\[element\]: int16 and uint8 are both 2"),
        ("[exports.boot]", "[exports.Boot]", "'Boot' is not a lower-case identifier"),
        ("version = 1", "", "'version' is missing"),
        ("version = 1", "version =", "abi.toml: Invalid value"),
    ],
)
def test_contradiction_is_named(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert TEXT.count(old) == 1
    path = tmp_path / "abi.toml"
    path.write_text(TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(AbiError, match=complaint):
        Table.load(path)


def test_every_gap_of_the_control_block_is_explicit(tmp_path: Path) -> None:
    entry = 'interrupt          = { type = "u32"'
    path = tmp_path / "abi.toml"
    path.write_text(TEXT.replace(entry, f'odd = {{ type = "u32", way = "in", doc = "-" }}\n{entry}'), encoding="utf-8")
    table = Table.load(path)
    sizes = {"u32": 4, "u64": 8, "f64": 8}
    position = 0
    for field in table.control:
        assert field.offset == position
        assert field.offset % sizes[field.type] == 0
        position += sizes[field.type]
    assert position == table.control_bytes
    assert "_pad12" in [field.name for field in table.control]


def test_check_names_the_stale_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    for folder in ("wasm/src", "sandbox", "bindings"):
        (tmp_path / folder).mkdir(parents=True)
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    capsys.readouterr()
    (tmp_path / "bindings" / "abi.js").write_text("// other\n", encoding="utf-8")
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().err == "bindings/abi.js is stale: run `python -m wasm.generate`\n"
