"""Build the modules: sources, compile, link, freeze; then put the artefacts where the package looks for them.

There are two: the guest, and the one that makes JavaScript of TypeScript and JSX, which is not frozen.

`python -m wasm.build` needs nothing but pip and the pinned compiler package. Everything is cached by the hash of its
inputs, so a second build with nothing changed reads a few files and needs no network.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from wasm import encodings, entities
from wasm.cache import cache_directory, digest, sha256, staged_directory, write_atomically
from wasm.compile import Compiler, Unit, webassembly
from wasm.errors import BuildError
from wasm.freeze import check_boundary, freeze
from wasm.module import CUSTOM, Module
from wasm.sources import Upstream, load, unpack
from wasm.table import AbiError, Table

ROOT: Final = Path(__file__).resolve().parent.parent
OUTPUT: Final = ROOT / "sandbox" / "_artifacts"
MODULE: Final = "guest.wasm"
TYPESCRIPT: Final = "typescript.wasm"
MANIFEST: Final = "manifest.json"
LICENCES: Final = "licences"
TYPES: Final = "types"


@dataclass(frozen=True)
class Inputs:
    """Where the parts of a build are; tests point these elsewhere."""

    table: Path = ROOT / "wasm" / "abi.toml"
    guest: Path = ROOT / "wasm" / "src"
    bindings: Path = ROOT / "bindings"
    typescript: Path = ROOT / "wasm" / "typescript"
    profile: Path = ROOT / "wasm" / "profile.txt"
    upstream: Upstream = field(default_factory=load)
    typescript_upstream: Upstream = field(default_factory=lambda: load(module="typescript"))

    def key(self) -> str:
        """Hash of everything that determines the artefacts."""
        files = [
            self.table,
            encodings.TABLE,
            self.profile,
            *sorted(self.guest.glob("*.[ch]")),
            *sorted(self.guest.glob("*.cpp")),
        ]
        files += sorted((ROOT / "wasm").glob("*.py")) + sorted(self.typescript.rglob("*.[ch]"))
        parts = [f"{path.name}\n{path.read_text(encoding='utf-8')}" for path in files]
        parts += [f"{name}\n{source}" for name, source in self.binding_sources().items()]
        return digest(repr(self.upstream), repr(self.typescript_upstream), *parts)

    def units(self, directories: dict[str, Path]) -> list[Unit]:
        """Everything that is compiled; `directories` are the unpacked sources.

        Raises:
            BuildError: There is none of our own.
        """
        ours = sorted([*self.guest.glob("*.c"), *self.guest.glob("*.cpp")])
        units = [Unit(path, f"wasm/src/{path.name}", ours=True) for path in ours]
        if not units:
            raise BuildError("wasm/src holds no C file")
        return units + _their_units(self.upstream, directories)

    def typescript_units(self, directories: dict[str, Path]) -> list[Unit]:
        """The same for the module that makes JavaScript of TypeScript; it shares the guest's memory allocator."""
        units = [Unit(path, f"wasm/typescript/{path.name}", ours=True) for path in sorted(self.typescript.glob("*.c"))]
        units.append(Unit(self.guest / "heap.c", "wasm/src/heap.c", ours=True))
        return units + _their_units(self.typescript_upstream, directories)

    def binding_sources(self) -> dict[str, str]:
        """File name, with the folder below `bindings/` if there is one -> JavaScript source."""
        return {
            path.relative_to(self.bindings).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(self.bindings.rglob("*.js"))
        }

    def declarations(self) -> dict[Path, bytes]:
        """TypeScript declarations of what programs find, for editors: place in the output -> text."""
        found = sorted((self.bindings / "types").glob("*.d.ts"))
        return {Path(TYPES, path.name): path.read_bytes() for path in found}


def _their_units(upstream: Upstream, directories: dict[str, Path]) -> list[Unit]:
    return [
        Unit(directories[source.package] / name, f"{source.package} {name}", ours=False)
        for source in upstream.sources
        for name in source.compile
    ]


def build(
    output: Path = OUTPUT,
    *,
    inputs: Inputs | None = None,
    cache: Path | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> str:
    """Build the guest, or take it from the cache, and put it into a directory.

    Args:
        output: Directory that gets `guest.wasm`, `typescript.wasm`, `manifest.json`, `licences/` and `types/`.
        inputs: What to build from; by default this checkout.
        cache: Build cache; by default that of the user, see `wasm.cache.cache_directory`.
        progress: Called with a line of text before each step that takes time; may be called from several threads.

    Returns:
        SHA-256 of `guest.wasm` in hex.

    Raises:
        BuildError: Anything that can go wrong, with a text that stands alone.
    """
    inputs = inputs or Inputs()
    cache = cache or cache_directory()
    made = cache / "modules" / inputs.key()[:32]
    if not _is_whole(made):
        _make(made, inputs, cache, progress)
    return _deliver(made, output, inputs.declarations())


def link(inputs: Inputs, cache: Path, progress: Callable[[str], None] = lambda line: None) -> Path:
    """Compile and link the guest, or take it from the cache: the module before it is frozen, with its functions' names.

    Raises:
        BuildError: See `build`.
    """
    upstream = inputs.upstream
    directories = unpack(upstream, cache)
    included = [*directories.values(), encodings.header(cache)]
    compiler = Compiler(webassembly(upstream, cache, inputs.profile), inputs.guest, included, cache)
    return compiler.link(compiler.objects(inputs.units(directories), progress), progress)


def link_typescript(inputs: Inputs, cache: Path, progress: Callable[[str], None] = lambda line: None) -> Path:
    """The same for the module that makes JavaScript of TypeScript.

    Raises:
        BuildError: See `build`.
    """
    upstream = inputs.typescript_upstream
    directories = unpack(upstream, cache)
    included = [directories[source.package] / name for source in upstream.sources for name in source.include]
    included.append(entities.header(cache))
    compiler = Compiler(webassembly(upstream, cache), inputs.typescript, included, cache)
    return compiler.link(compiler.objects(inputs.typescript_units(directories), progress), progress)


def _make(made: Path, inputs: Inputs, cache: Path, progress: Callable[[str], None]) -> None:
    try:
        table = Table.load(inputs.table)
    except AbiError as error:
        raise BuildError(str(error)) from error
    both = (inputs.upstream, inputs.typescript_upstream)
    progress("sources: " + ", ".join(source.title for upstream in both for source in upstream.sources))
    library = Compiler(webassembly(inputs.upstream, cache), inputs.guest, (), cache)
    with ThreadPoolExecutor() as pool:
        ready = pool.submit(library.make_library, progress)
        unpack(inputs.upstream, cache)  # before the others: compiling the engine takes longest
        second = pool.submit(link_typescript, inputs, cache, progress)
        linked = link(inputs, cache, progress)
        bindings = inputs.binding_sources()
        progress(f"freeze {len(bindings)} bindings")
        frozen = freeze(linked.read_bytes(), table, bindings)
        check_boundary(Module.parse(frozen), table, frozen=True)
        ready.result()
        typescript = Module.parse(second.result().read_bytes()).without({CUSTOM}).encode()
    with staged_directory(made) as stage:
        (stage / MODULE).write_bytes(frozen)
        (stage / LICENCES).mkdir()
        (stage / TYPESCRIPT).write_bytes(typescript)
        for upstream in both:
            for name, text in _licences(upstream, unpack(upstream, cache)).items():
                (stage / LICENCES / name).write_text(text, encoding="utf-8", newline="\n")
        facts = {"abi_version": table.version, **_manifest(frozen, inputs.upstream)}
        facts["typescript"] = _manifest(typescript, inputs.typescript_upstream)
        manifest = json.dumps(facts, indent=2) + "\n"
        (stage / MANIFEST).write_text(manifest, encoding="utf-8", newline="\n")


def _manifest(module: bytes, upstream: Upstream) -> dict[str, Any]:
    """What a module is and what it is made of; the host compares the hash before first use."""
    return {
        "sha256": sha256(module),
        "bytes": len(module),
        "compiler": f"{upstream.compiler} {upstream.compiler_version}",
        "sources": [
            {"package": s.package, "version": s.version, "sha256": s.sha256, "licence": s.licence}
            for s in upstream.sources
        ],
        "patches": [{"source": p.source, "file": p.file, "reason": p.reason, "gain": p.gain} for p in upstream.patches],
    }


def _licences(upstream: Upstream, directories: dict[str, Path]) -> dict[str, str]:
    """File name -> licence text, for every part that ends up in the module."""
    texts = {
        f"{source.package}.txt": (directories[source.package] / "LICENCE.txt").read_text(encoding="utf-8")
        for source in upstream.sources
    }
    for source in upstream.sources:
        for name, file in source.part_licences.items():
            texts[name] = (directories[source.package] / file).read_text(encoding="utf-8")
    for name, member in upstream.compiler_licences.items():
        path = Path(
            str(importlib.metadata.distribution(upstream.compiler).locate_file(f"{upstream.compiler}/{member}"))
        )
        if not path.is_file():
            raise BuildError(f"{upstream.compiler} has no licence file {member}")
        texts[name] = path.read_text(encoding="utf-8")
    return texts


def _is_whole(made: Path) -> bool:
    """Whether a cached build is complete and undamaged."""
    try:
        manifest = json.loads((made / MANIFEST).read_bytes())
        hashes = {MODULE: manifest["sha256"], TYPESCRIPT: manifest["typescript"]["sha256"]}
        if all(sha256((made / name).read_bytes()) == expected for name, expected in hashes.items()):
            return True
    except (OSError, ValueError, KeyError, TypeError):
        pass
    shutil.rmtree(made, ignore_errors=True)
    return False


def _deliver(made: Path, output: Path, declarations: dict[Path, bytes]) -> str:
    """Make `output` hold exactly the files of a build and these; files that are right already stay untouched."""
    built = {path.relative_to(made): path.read_bytes() for path in sorted(made.rglob("*")) if path.is_file()}
    wanted = built | declarations
    for path in sorted(output.rglob("*")) if output.is_dir() else ():
        if path.is_file() and path.relative_to(output) not in wanted:
            path.unlink()
    # The manifest comes last: whoever sees the new one sees the module it names.
    for name in sorted(wanted, key=lambda name: (name == Path(MANIFEST), name)):
        target = output / name
        if not target.is_file() or target.read_bytes() != wanted[name]:
            write_atomically(target, wanted[name])
    return sha256(wanted[Path(MODULE)])


def main(arguments: list[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m wasm.build", description="Build the guest module.")
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="DIR", help="where the artefacts go")
    parser.add_argument("--no-cache", action="store_true", help="build everything from nothing, keep nothing")
    options = parser.parse_args(arguments)

    def progress(line: str) -> None:
        print(f"{line}\n", end="", flush=True)  # one write: lines of several threads stay whole

    try:
        if options.no_cache:
            with tempfile.TemporaryDirectory(prefix="sandbox-cache-") as scratch:
                digest_hex = build(options.output, cache=Path(scratch), progress=progress)
        else:
            digest_hex = build(options.output, progress=progress)
    except BuildError as error:
        print(f"build failed: {error}", file=sys.stderr)
        return 1
    print(f"{MODULE} sha256 {digest_hex}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
