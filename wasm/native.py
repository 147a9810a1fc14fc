"""The guest's C as a program of this machine, for tests and measurements only.

The guest keeps addresses in 32 bits, so the program is a 32-bit one, made by gcc. It consists of the same files as the
module, but for those that stand in for a C library, and of `wasm/harness/`, which is its host's side.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from wasm import encodings
from wasm.build import ROOT, Inputs
from wasm.cache import digest, write_atomically
from wasm.compile import Toolchain, Unit
from wasm.errors import BuildError
from wasm.sources import unpack
from wasm.table import Table

HARNESS: Final = ROOT / "wasm" / "harness"
# What checks or counts takes malloc and memcpy of the C library, and what C++ makes of them; these would take their
# place.
LEFT_OUT: Final = ("cxx.cpp", "heap.c", "memory.c")
# Functions of the guest that the C library has as well.
RENAMED: Final = ("access", "close")
# Replaced by wasm/harness/: what bounds memory and stack.
WRAPPED: Final = ("malloc", "calloc", "realloc", "free", "JS_SetMaxStackSize")

COMMON: Final = ("-m32", "-g1", "-fno-omit-frame-pointer", "-D_GNU_SOURCE")
# The engine's assertions are on. It is to take this machine for the one it is built for otherwise.
C_FLAGS: Final = (
    *("-std=c11", "-funsigned-char", "-fwrapv", "-D__wasi__", "-Wno-attributes", "-Wno-unused-parameter"),
    *(f"-D{name}=guest_{name}" for name in RENAMED),
)
CPP_FLAGS: Final = ("-std=c++20", "-fno-exceptions", "-fno-rtti")
LINK_FLAGS: Final = tuple(f"-Wl,--wrap={name}" for name in WRAPPED)

_EXPORT: Final = re.compile(r"^EXPORT\((\w+)\) int32_t (\w+)\(", re.MULTILINE)


def toolchain(flags: tuple[str, ...], cpp_flags: tuple[str, ...] = (), link_flags: tuple[str, ...] = ()) -> Toolchain:
    """This machine's gcc.

    Args:
        flags: For all of it, beside those that every such program needs.
        cpp_flags: For C++, beside these.
        link_flags: For the linker, beside these.

    Raises:
        BuildError: It is missing, or cannot make 32-bit programs with these flags; the text says what to install.
    """
    gcc, gxx = shutil.which("gcc"), shutil.which("g++")
    advice = "install gcc and g++ with their 32-bit libraries (Debian: gcc-multilib g++-multilib)"
    if gcc is None or gxx is None:
        raise BuildError(f"the guest as a program of this machine needs gcc; {advice}")
    linked = (*COMMON, *flags, *link_flags)
    with tempfile.TemporaryDirectory(prefix="sandbox-build-") as scratch:
        source = Path(scratch, "try.cpp")
        source.write_text("#include <string>\nint main() { return 0; }\n", encoding="utf-8")
        command = [gxx, *linked, str(source), "-o", str(Path(scratch, "try"))]
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 our own arguments
        if result.returncode:
            raise BuildError(f"gcc makes no 32-bit programs of this kind; {advice}:\n{result.stderr.strip()}")
    version = subprocess.run([gcc, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    common = (*COMMON, *flags)
    return Toolchain(
        version.splitlines()[0],
        (gcc,),
        (gxx,),
        (gxx,),
        (*common, *C_FLAGS),
        (*common, *CPP_FLAGS, *cpp_flags),
        (*linked, *LINK_FLAGS),
    )


def units(inputs: Inputs, cache: Path) -> tuple[list[Unit], list[Path]]:
    """What the program is compiled of, and the directories of what that includes.

    Raises:
        BuildError: The sources cannot be had, or wasm/src differs from wasm/abi.toml.
    """
    directories = unpack(inputs.upstream, cache)
    included = [*directories.values(), encodings.header(cache), _exports(Table.load(inputs.table), inputs.guest, cache)]
    found = [unit for unit in inputs.units(directories) if not (unit.ours and unit.path.name in LEFT_OUT)]
    found += [Unit(path, f"wasm/harness/{path.name}", ours=True) for path in sorted(HARNESS.glob("*.c"))]
    return found, included


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
