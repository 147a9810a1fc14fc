"""The boundary table `wasm/abi.toml`, read and checked."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

PATH = Path(__file__).resolve().parent / "abi.toml"

# Enumerations without further structure: table name -> name of the C and Python type.
PLAIN_ENUMS = {
    "status": "Status",
    "reason": "Reason",
    "clock": "Clock",
    "evaluation": "Evaluation",
    "verb": "Verb",
    "mode": "Mode",
    "flag": "Flag",
}
FIELD_BYTES = {"u32": 4, "u64": 8, "f64": 8}
OP_MODES = ("call", "queue", "send")


class AbiError(Exception):
    """The table contradicts itself; the text names the entry."""


class Field(NamedTuple):
    """One field of the control block; padding has no doc."""

    name: str
    type: str
    offset: int
    way: str
    doc: str


class Op(NamedTuple):
    """One fixed op. `stem` is empty for the protocol's own."""

    stem: str
    name: str
    id: int
    mode: str
    doc: str

    @property
    def constant(self) -> str:
        """Upper-case name without prefix, as C and Python spell it."""
        return f"{self.stem}_{self.name}".lstrip("_").upper()


class Table:
    """The checked contents of `abi.toml`."""

    @classmethod
    def load(cls, path: Path = PATH) -> Table:
        """Read and check the table.

        Args:
            path: The TOML file.

        Raises:
            AbiError: It is not TOML, an entry is missing, or it contradicts itself; the text begins with the file name.
        """
        try:
            return cls(tomllib.loads(path.read_text(encoding="utf-8")))
        except KeyError as error:
            raise AbiError(f"{path.name}: {error} is missing") from error
        except (AbiError, tomllib.TOMLDecodeError) as error:
            raise AbiError(f"{path.name}: {error}") from error

    def __init__(self, raw: dict[str, Any]) -> None:
        """Check a parsed table.

        Args:
            raw: What `tomllib` made of the file.

        Raises:
            AbiError: A number is used twice, a name is not an identifier, or a type or mode is unknown.
        """
        self.version: int = raw["version"]
        self.exports: dict[str, list[str]] = {name: entry["params"] for name, entry in raw["exports"].items()}
        self.imports: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
        for path, entry in raw["imports"].items():
            module, _, name = path.partition(".")
            self.imports[module, name] = (entry["params"], entry["results"])
        self.enums: dict[str, dict[str, int]] = {name: raw[name] for name in PLAIN_ENUMS}
        self.elements: dict[str, int] = raw["element"]
        self.hooks: dict[str, int] = raw["hook"]
        self.frame: dict[str, int] = raw["frame"]
        self.caps: dict[str, int] = raw["cap"]
        self.tags: dict[str, dict[str, Any]] = raw["tag"]
        self.failures: dict[str, dict[str, str]] = raw["failure"]
        self.first_dynamic: int = raw["op"]["first_dynamic"]
        self.ops = _ops(raw["op"])
        self.control, self.control_bytes = _layout(raw["control"])
        self._check()

    def _check(self) -> None:
        numbered = {f"[{name}]": members for name, members in self.enums.items()}
        numbered |= {"[element]": self.elements, "[tag]": {name: tag["id"] for name, tag in self.tags.items()}}
        numbered["[hook]"] = self.hooks
        numbered["[op]"] = {op.constant.lower(): op.id for op in self.ops}
        for where, members in numbered.items():
            seen: dict[int, str] = {}
            for name, number in members.items():
                if number in seen:
                    raise AbiError(f"{where}: {name} and {seen[number]} are both {number}")
                seen[number] = name
        named = (
            *numbered.values(),
            dict.fromkeys(self.exports, 0),
            self.caps,
            self.frame,
            dict.fromkeys(self.failures, 0),
        )
        for group in named:
            for name in group:
                if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                    raise AbiError(f"{name!r} is not a lower-case identifier")
        for op in self.ops:
            if not 0 < op.id < self.first_dynamic:
                raise AbiError(f"[op.{op.stem}] {op.name}: id {op.id} is not below first_dynamic")
            if op.stem and op.mode not in OP_MODES:
                raise AbiError(f"[op.{op.stem}] {op.name}: mode {op.mode!r} is none of {', '.join(OP_MODES)}")
        for name, tag in self.tags.items():
            if not 0 < tag["id"] < 64:  # TAG_OBJECTS is a mask of 64 bits
                raise AbiError(f"[tag] {name}: id {tag['id']} is not within 1..63")


def _ops(raw: dict[str, Any]) -> list[Op]:
    ops = []
    for stem, members in raw.items():
        if isinstance(members, dict):
            for name, entry in members.items():
                stem_name = "" if stem == "protocol" else stem
                ops.append(Op(stem_name, name, entry["id"], entry.get("mode", ""), entry["doc"]))
    return ops


def _layout(raw: dict[str, Any]) -> tuple[list[Field], int]:
    """Give every field its natural offset; every gap becomes a field of its own, so that no compiler adds one."""
    fields: list[Field] = []
    offset = 0

    def pad_to(multiple: int) -> None:
        nonlocal offset
        while offset % multiple:
            fields.append(Field(f"_pad{offset}", "u32", offset, "", ""))
            offset += 4

    for name, entry in raw.items():
        if entry["type"] not in FIELD_BYTES or entry["way"] not in ("in", "out"):
            raise AbiError(f"[control] {name}: unknown type or way")
        size = FIELD_BYTES[entry["type"]]
        pad_to(size)
        fields.append(Field(name, entry["type"], offset, entry["way"], entry["doc"]))
        offset += size
    pad_to(8)
    return fields, offset
