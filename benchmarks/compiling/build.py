"""Build the prototype's guest: the shipped one, with `patches.toml` and `guest/`, and more exports."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from wasm import encodings
from wasm.build import ROOT, Inputs
from wasm.cache import cache_directory, digest, sha256, staged_directory
from wasm.compile import Compiler, webassembly
from wasm.freeze import freeze
from wasm.module import Export, Module
from wasm.sources import Patch, Upstream, load, unpack
from wasm.table import Table

HERE: Final = Path(__file__).parent
LINK: Final = ("-Wl,--export-table", "-Wl,--growable-table")
TABLE: Final = "__indirect_function_table"


def upstream() -> Upstream:
    """The sources, with the prototype's patches after all others."""
    shipped = load()
    more = tomllib.loads((HERE / "patches.toml").read_text(encoding="utf-8"))["patch"]
    return dataclasses.replace(shipped, patches=shipped.patches + tuple(Patch(**entry) for entry in more))


def build(progress: Callable[[str], None] = lambda line: None) -> Path:
    """Build it, or take it from the cache.

    Returns:
        The directory with `guest.wasm` and `manifest.json`.

    Raises:
        BuildError: See `wasm.build.build`.
    """
    cache = cache_directory()
    inputs = Inputs(upstream=upstream())
    own = [path.read_text(encoding="utf-8") for path in sorted(HERE.glob("guest/*"))]
    made = cache / "modules" / digest("compiling", inputs.key(), *own, *LINK, Path(__file__).read_text("utf-8"))[:32]
    if (made / "manifest.json").is_file():
        return made
    table = Table.load(inputs.table)
    directories = unpack(inputs.upstream, cache)
    with staged_directory(cache / "compiling" / made.name) as stage:
        for path in [*inputs.guest.iterdir(), *HERE.glob("guest/*.h")]:
            shutil.copy(path, stage / path.name)
        internals = stage / "internals.c"
        internals.write_text(internals.read_text("utf-8") + '\n#include "guest.h"\n#include "compiled.h"\n', "utf-8")
    sources = cache / "compiling" / made.name
    tools = webassembly(inputs.upstream, cache)
    tools = dataclasses.replace(tools, link_flags=(*tools.link_flags, *LINK))
    compiler = Compiler(tools, sources, [*directories.values(), encodings.header(cache)], cache)
    units = dataclasses.replace(inputs, guest=sources).units(directories)
    linked = Module.parse(compiler.link(compiler.objects(units, progress), progress).read_bytes())
    shutil.rmtree(sources)
    exports = linked.exports()
    # What the frozen module is checked against knows nothing of the prototype: its exports come back afterwards.
    more = [entry for entry in exports if entry.name.startswith("c_") or entry.name == TABLE]
    plain = linked.with_exports([entry for entry in exports if entry not in more])
    progress("freeze")
    frozen = Module.parse(freeze(plain.encode(), table, inputs.binding_sources()))
    globals_ = [Export("stack_pointer", "global", n) for n, entry in enumerate(frozen.globals()) if entry.mutable]
    named = [(number, payload) for number, payload in linked.sections if not number and payload[1:5] == b"name"]
    binary = Module((*frozen.with_exports([*frozen.exports(), *more, *globals_]).sections, *named)).encode()
    with staged_directory(made) as stage:
        (stage / "guest.wasm").write_bytes(binary)
        manifest = {"abi_version": table.version, "sha256": sha256(binary)}
        (stage / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return made


if __name__ == "__main__":
    print(build(lambda line: print(line, flush=True)), ROOT)
