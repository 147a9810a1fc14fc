"""Build the guest's C as a program of this machine, under the sanitizers for addresses, undefined behaviour and leaks.

The guest keeps addresses in 32 bits, so the program is a 32-bit one. It consists of the same files as the module, but
for those that stand in for a C library, and of `wasm/harness/`, which is its host's side. It is for tests only.
`python -m wasm.sanitize` builds it; `tests/sanitized/` runs it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from wasm import encodings
from wasm.build import ROOT, Inputs
from wasm.cache import cache_directory, digest, write_atomically
from wasm.compile import Compiler, Toolchain, Unit
from wasm.errors import BuildError
from wasm.sources import unpack
from wasm.table import Table

HARNESS: Final = ROOT / "wasm" / "harness"
# The sanitizers check malloc and memcpy of the C library, and what C++ makes of them; these would take their place.
LEFT_OUT: Final = ("cxx.cpp", "heap.c", "memory.c")
# Functions of the guest that the C library has as well.
RENAMED: Final = ("access", "close")
# Replaced by wasm/harness/: what bounds memory and stack.
WRAPPED: Final = ("malloc", "calloc", "realloc", "free", "JS_SetMaxStackSize")

SANITIZERS: Final = ("-m32", "-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all")
COMMON: Final = (*SANITIZERS, "-O1", "-g1", "-fno-omit-frame-pointer", "-D_GNU_SOURCE")
# The engine's assertions are on. It is to take this machine for the one it is built for otherwise.
C_FLAGS: Final = (
    *(*COMMON, "-std=c11", "-funsigned-char", "-fwrapv", "-D__wasi__", "-Wno-attributes", "-Wno-unused-parameter"),
    *(f"-D{name}=guest_{name}" for name in RENAMED),
)
# The one check that is left out: without type information there is nothing to check virtual calls by.
CPP_FLAGS: Final = (*COMMON, "-std=c++20", "-fno-exceptions", "-fno-rtti", "-fno-sanitize=vptr")
LINK_FLAGS: Final = (*SANITIZERS, *(f"-Wl,--wrap={name}" for name in WRAPPED))

_EXPORT: Final = re.compile(r"^EXPORT\((\w+)\) int32_t (\w+)\(", re.MULTILINE)


def toolchain() -> Toolchain:
    """This machine's gcc.

    Raises:
        BuildError: It is missing, or cannot make 32-bit programs with sanitizers; the text says what to install.
    """
    gcc, gxx = shutil.which("gcc"), shutil.which("g++")
    advice = "install gcc and g++ with their 32-bit libraries (Debian: gcc-multilib g++-multilib)"
    if gcc is None or gxx is None:
        raise BuildError(f"the sanitized guest needs gcc; {advice}")
    with tempfile.TemporaryDirectory(prefix="sandbox-build-") as scratch:
        source = Path(scratch, "try.cpp")
        source.write_text("#include <string>\nint main() { return 0; }\n", encoding="utf-8")
        command = [gxx, *SANITIZERS, str(source), "-o", str(Path(scratch, "try"))]
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 our own arguments
        if result.returncode:
            raise BuildError(f"gcc makes no 32-bit programs with sanitizers; {advice}:\n{result.stderr.strip()}")
    version = subprocess.run([gcc, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    return Toolchain(version.splitlines()[0], (gcc,), (gxx,), (gxx,), C_FLAGS, CPP_FLAGS, LINK_FLAGS)


def build(cache: Path | None = None, progress: Callable[[str], None] = lambda line: None) -> Path:
    """Build the program, or take it from the cache.

    Args:
        cache: The build cache; by default that of the user.
        progress: Called with a line of text before each step that takes time.

    Returns:
        The program. It is started with the number of a socket and a directory for its reports.

    Raises:
        BuildError: The compiler is missing or refuses something; the text stands alone.
    """
    inputs, cache = Inputs(), cache or cache_directory()
    tools = toolchain()
    directories = unpack(inputs.upstream, cache)
    generated = _exports(Table.load(inputs.table), inputs.guest, cache)
    included = [*directories.values(), encodings.header(cache), generated]
    compiler = Compiler(tools, inputs.guest, included, cache)
    units = [unit for unit in inputs.units(directories) if not (unit.ours and unit.path.name in LEFT_OUT)]
    units += [Unit(path, f"wasm/harness/{path.name}", ours=True) for path in sorted(HARNESS.glob("*.c"))]
    program = compiler.link(compiler.objects(units, progress), progress)
    program.chmod(0o755)
    return program


def _exports(table: Table, guest: Path, cache: Path) -> Path:
    """A directory with `exports.h`: name, function and number of parameters of each export, in the table's order."""
    found: dict[str, str] = {}
    for path in sorted(guest.glob("*.c")):
        found |= dict(_EXPORT.findall(path.read_text(encoding="utf-8")))
    if found.keys() != table.exports.keys():
        raise BuildError(f"wasm/src and wasm/abi.toml differ in {sorted(found.keys() ^ table.exports.keys())}")
    functions = {name: f"guest_{function}" if function in RENAMED else function for name, function in found.items()}
    text = "".join(f"EXPORT_OF({name}, {functions[name]}, {len(params)})\n" for name, params in table.exports.items())
    directory = cache / "sources" / f"exports-{digest(text)[:32]}"
    write_atomically(directory / "exports.h", text.encode())
    return directory


def main() -> int:
    """The command; returns the exit status."""
    try:
        program = build(progress=lambda line: print(line, flush=True))
    except BuildError as error:
        print(f"build failed: {error}", file=sys.stderr)
        return 1
    print(program)
    return 0


if __name__ == "__main__":
    sys.exit(main())
