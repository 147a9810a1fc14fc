"""Turn the boundary table `wasm/abi.toml` into the three files that both sides of the boundary include.

    wasm/src/abi.h      C: enumerations, the control block, the import
    sandbox/_abi.py     Python: the same numbers as enumerations, the control block as a ctypes structure
    bindings/abi.js     JavaScript: op ids and element names, out of reach of guest code

`python -m wasm.generate` writes them; with `--check` it writes nothing and exits with 1 when one of them is stale.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wasm.table import PATH, PLAIN_ENUMS, AbiError, Table

ROOT = Path(__file__).resolve().parent.parent
NOTICE = "Generated from wasm/abi.toml by wasm/generate.py. DO NOT EDIT."
C_TYPES = {"u32": "uint32_t", "u64": "uint64_t", "f64": "double"}
CTYPES = {"u32": "c_uint32", "u64": "c_uint64", "f64": "c_double"}
PYTHON_TYPES = {"u32": "int", "u64": "int", "f64": "float"}
WASM_TO_C = {"i32": "int32_t", "i64": "int64_t", "f32": "float", "f64": "double"}


# --- C ---------------------------------------------------------------------------------------------------------------


def render_c(table: Table) -> str:
    """Text of `wasm/src/abi.h`."""
    out = [f"/* {NOTICE} */", "#ifndef ABI_H", "#define ABI_H", "", "#include <stddef.h>", "#include <stdint.h>", ""]

    def enum(name: str, prefix: str, members: dict[str, int], docs: dict[str, str] | None = None) -> None:
        out.append("typedef enum " + name + " {")
        for member, number in members.items():
            doc = f" /* {docs[member]} */" if docs else ""
            out.append(f"    {prefix}_{member.upper()} = {number},{doc}")
        out.extend(["} " + name + ";", ""])

    out.extend([f"#define ABI_VERSION {table.version}", ""])
    for key, name in PLAIN_ENUMS.items():
        enum(name, key.upper(), table.enums[key])
    out.append("/* Ops of the protocol and of the capabilities; embedders' own start at OP_FIRST_DYNAMIC. */")
    ops = {op.constant: op.id for op in table.ops} | {"FIRST_DYNAMIC": table.first_dynamic}
    docs = {op.constant: op.doc for op in table.ops} | {"FIRST_DYNAMIC": "ids from here on are given out at run time"}
    enum("Op", "OP", ops, docs)
    out.append("/* Extension types of the value encoding. */")
    enum("Tag", "TAG", _tag_ids(table), {name: tag["doc"] for name, tag in table.tags.items()})
    mask = sum(1 << tag["id"] for tag in table.tags.values() if tag.get("object"))
    out.append("/* Bit n is set when the extension with id n counts as an object for TAG_REFERENCE. */")
    out.extend([f"#define TAG_OBJECTS UINT64_C({mask:#x})", ""])
    enum("Element", "ELEMENT", table.elements)
    enum("Hook", "HOOK", table.hooks)
    out.extend([f"#define HOOK_COUNT {len(table.hooks)}", ""])
    out.append("/* Hard bounds, whatever the limits say. */")
    out.extend(f"#define CAP_{name.upper()} {number}" for name, number in table.caps.items())
    out.append("")
    out.extend(f"#define FRAME_{name.upper()} {number}" for name, number in table.frame.items())
    out.extend(
        ["", "/* Shared with the host: fields marked `in` are written by it, those marked `out` by the guest. */"]
    )
    out.append("typedef struct Control {")
    for field in table.control:
        comment = f" /* {field.way}: {field.doc} */" if field.doc else ""
        out.append(f"    {C_TYPES[field.type]} {field.name};{comment}")
    out.extend(["} Control;", ""])
    out.extend(f'_Static_assert(offsetof(Control, {f.name}) == {f.offset}, "{f.name}");' for f in table.control)
    out.append(f'_Static_assert(sizeof(Control) == {table.control_bytes}, "Control");')
    out.extend(
        ["", "/* Marks the definition of an export of the table, for example `EXPORT(start) int32_t start(void)`. */"]
    )
    out.extend(['#define EXPORT(name) __attribute__((export_name(#name), visibility("default")))', ""])
    for (module, name), (params, results) in table.imports.items():
        if module == "sandbox":
            types = ", ".join(WASM_TO_C[param] for param in params)
            out.append(f'__attribute__((import_module("{module}"), import_name("{name}")))')
            out.append(f"{WASM_TO_C[results[0]]} host_{name}({types});")
    out.extend(["", "#endif"])
    return "\n".join(out) + "\n"


def _tag_ids(table: Table) -> dict[str, int]:
    return {name: tag["id"] for name, tag in table.tags.items()}


# --- Python ----------------------------------------------------------------------------------------------------------


def render_python(table: Table) -> str:
    """Text of `sandbox/_abi.py`."""
    out = [f'"""The boundary between guest and host. {NOTICE}"""', "", "from __future__ import annotations", ""]
    out.extend(["import ctypes", "from enum import IntEnum", "from typing import Final", ""])
    out.extend(["from sandbox._records import NamedTuple", ""])
    out.extend([f"VERSION: Final = {table.version}", ""])

    def enum(
        name: str, doc: str, members: dict[str, int], docs: dict[str, str] | None = None, *, is_kind: bool = True
    ) -> None:
        base, hint = ("(IntEnum)", "") if is_kind else ("", ": Final")
        out.extend(["", f"class {name}{base}:", f'    """{doc}"""', ""])
        for member, number in members.items():
            if docs:
                out.extend(_comment(docs[member], "    "))
            out.append(f"    {member.upper()}{hint} = {number}")
        out.append("")

    enum("Status", "What an export or `sandbox.call` returns.", table.enums["status"])
    enum("Reason", "Why the guest was stopped.", table.enums["reason"])
    enum("Clock", "Which clock the guest reads.", table.enums["clock"])
    enum("Evaluation", "Bits of what `eval` is to do.", table.enums["evaluation"], is_kind=False)
    enum("Verb", "What `access` does with a property.", table.enums["verb"])
    enum("Mode", "How a host function answers.", table.enums["mode"])
    enum("Flag", "Bits of the first byte of a message.", table.enums["flag"], is_kind=False)
    ops = {op.constant: op.id for op in table.ops}
    enum(
        "Op",
        "Fixed ops: the protocol's own, then those of the capabilities.",
        ops,
        {o.constant: o.doc for o in table.ops},
        is_kind=False,  # numbers are quicker to import, and so many of them tell
    )
    enum("Tag", "Extension types of the value encoding.", _tag_ids(table), {n: t["doc"] for n, t in table.tags.items()})
    enum("Element", "Element type of a typed array.", table.elements)

    objects = [f"Tag.{name.upper()}" for name, tag in table.tags.items() if tag.get("object")]
    out.extend(["", "# Extensions that are numbered as objects, so that `Tag.REFERENCE` can name them."])
    out.extend(
        ["OBJECT_TAGS: Final = frozenset(", "    {", *[f"        {name}," for name in objects], "    }", ")", ""]
    )
    out.append("# Ids from here on are given out at run time, to embedders' functions and capabilities.")
    out.extend([f"FIRST_DYNAMIC_OP: Final = {table.first_dynamic}", ""])
    out.append("# (stem of the capability, name) -> (id, mode)")
    out.append("OPS: Final[dict[tuple[str, str], tuple[int, str]]] = {")
    out.extend(f'    ("{op.stem}", "{op.name}"): ({op.id}, "{op.mode}"),' for op in table.ops if op.stem)
    out.extend(["}", "", "# Export -> number of i32 parameters; every export returns one i32."])
    out.append("EXPORTS: Final[dict[str, int]] = {")
    out.extend(f'    "{name}": {len(params)},' for name, params in table.exports.items())
    out.extend(["}", "", "# (module, name) -> (parameter types, result types)"])
    out.append("IMPORTS: Final[dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]]] = {")
    for (module, name), (params, results) in table.imports.items():
        out.append(f'    ("{module}", "{name}"): ({_py_tuple(params)}, {_py_tuple(results)}),')
    out.extend(["}", "", "# Hard bounds, whatever the limits say."])
    out.extend(f"CAP_{name.upper()}: Final = {number}" for name, number in table.caps.items())
    out.append("")
    out.extend(f"FRAME_{name.upper()}: Final = {number}" for name, number in table.frame.items())
    out.extend(["", "", "class Control(ctypes.LittleEndianStructure):"])
    out.extend(['    """The control block in linear memory; `in` is written by the host, `out` by the guest."""', ""])
    for field in table.control:
        if field.doc:
            out.extend(_comment(f"{field.way}: {field.doc}", "    "))
            out.append(f"    {field.name}: {PYTHON_TYPES[field.type]}")
    out.extend(["", "    _fields_ = ("])
    out.extend(f'        ("{field.name}", ctypes.{CTYPES[field.type]}),' for field in table.control)
    out.extend(["    )", "", "", "class Failure(NamedTuple):"])
    out.extend(
        ['    """What the guest throws for a failure of the host."""', "", "    js_class: str", "    name: str | None"]
    )
    out.extend(["    text: str | None", "", "", "FAILURES: Final[dict[str, Failure]] = {"])
    for name, entry in table.failures.items():
        values = ", ".join(_py_text(entry.get(key)) for key in ("class", "name", "text"))
        out.append(f'    "{name}": Failure({values}),')
    out.append("}")
    return "\n".join(out) + "\n"


def _comment(text: str, indent: str) -> list[str]:
    """A comment of as many lines of 120 columns as the text needs."""
    lines = [f"{indent}#"]
    for word in text.split():
        if len(lines[-1]) + 1 + len(word) > 120:
            lines.append(f"{indent}#")
        lines[-1] += f" {word}"
    return lines


def _py_tuple(items: list[str]) -> str:
    return "(" + "".join(f'"{item}", ' for item in items).rstrip(" " if len(items) == 1 else ", ") + ")"


def _py_text(value: str | None) -> str:
    return "None" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


# --- JavaScript ------------------------------------------------------------------------------------------------------


def render_javascript(table: Table) -> str:
    """Text of `bindings/abi.js`; objects have no prototype, so nothing guest code does to Object.prototype shows."""
    out = [f"// {NOTICE}", "", "const freeze = Object.freeze;", "", "export const op = freeze({", "  __proto__: null,"]
    for stem in dict.fromkeys(op.stem for op in table.ops if op.stem):
        out.extend([f"  {_camel(stem)}: freeze({{", "    __proto__: null,"])
        for op in table.ops:
            if op.stem == stem:
                out.extend([f"    // {op.mode}: {op.doc}", f"    {_camel(op.name)}: {op.id},"])
        out.append("  }),")
    out.extend(["});"])
    for name, members in (("element", table.elements), ("hook", table.hooks), ("tag", _tag_ids(table))):
        out.extend(["", f"export const {name} = freeze({{", "  __proto__: null,"])
        out.extend(f"  {_camel(member)}: {number}," for member, number in members.items())
        out.extend(["});"])
    return "\n".join(out) + "\n"


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


# --- command ---------------------------------------------------------------------------------------------------------


def render(path: Path = PATH) -> dict[Path, str]:
    """Render all three files.

    Args:
        path: The table to read.

    Returns:
        Path in the checkout -> text it should hold.

    Raises:
        AbiError: The table contradicts itself.
    """
    table = Table.load(path)
    return {
        ROOT / "wasm" / "src" / "abi.h": render_c(table),
        ROOT / "sandbox" / "_abi.py": render_python(table),
        ROOT / "bindings" / "abi.js": render_javascript(table),
    }


def main(arguments: list[str] | None = None) -> int:
    """Write the files, or with `--check` say which are stale; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m wasm.generate", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a file is stale")
    options = parser.parse_args(arguments)
    try:
        files = render()
    except AbiError as error:
        print(error, file=sys.stderr)
        return 1
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        name = path.relative_to(ROOT).as_posix()
        if options.check:
            print(f"{name} is stale: run `python -m wasm.generate`", file=sys.stderr)
        else:
            path.write_text(files[path], encoding="utf-8")
            print(f"wrote {name}")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
