"""Compile and link the guest: for WebAssembly with the C compiler of the PyPI package `ziglang`.

Objects are cached by the hash of everything that determines them: the file, all it includes, the flags and the
compiler's version. Nothing of the machine (paths, times, order of directory listings) gets into them.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wasm.cache import digest, sha256, write_atomically
from wasm.errors import BuildError

if TYPE_CHECKING:
    from wasm.sources import Upstream

# Room for the C side's own frames. The engine's stack limit stays below it, so deep recursion is a RangeError in the
# guest; should a native recursion get past that limit, the stack lies below all data and running out of it traps.
SHADOW_STACK_BYTES: Final = 2 << 20

TARGET: Final = ("--target=wasm32-wasi", "-mexec-model=reactor")
SECTIONS: Final = ("-ffunction-sections", "-fdata-sections")  # so that the linker can leave out what nothing uses
# For `-mno-bulk-memory-opt` see wasm/src/memory.c.
OPTIMIZATION: Final = ("-O3", "-mno-bulk-memory-opt")
# Nothing reads what debuggers would: it costs a fifth of compiling. Only a profile is of lines.
WITHOUT_PROFILE: Final = ("-g0",)
WITH_PROFILE: Final = ("-g1", "-mllvm", "-sample-profile-use-profi")
COMMON: Final = (*TARGET, *OPTIMIZATION, "-D_GNU_SOURCE", "-DNDEBUG", "-fvisibility=hidden", *SECTIONS)
# The engine is written for unsigned `char` and wrapping arithmetic.
C_FLAGS: Final = (*COMMON, "-std=c11", "-funsigned-char", "-fwrapv")
CPP_FLAGS: Final = (*COMMON, "-std=c++20", "-fno-exceptions", "-fno-rtti")
OUR_FLAGS: Final = ("-Wall", "-Wextra", "-Wno-unused-parameter")
THEIR_FLAGS: Final = ("-w",)
LINK_FLAGS: Final = (*TARGET, "-O3", f"-Wl,-z,stack-size={SHADOW_STACK_BYTES}", "-Wl,--gc-sections")

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class Toolchain:
    """A compiler and how it is called.

    Attributes:
        version: Names the compiler exactly; objects of another version are not used.
        cc: The command that compiles C.
        cxx: The command that compiles C++.
        ld: The command that links.
        c_flags: For C.
        cpp_flags: For C++.
        link_flags: For the linker.
        environment: Variables it runs with, beside those of this process.
        profile: What the compiler is told of how often lines run, see `wasm.counts`; None: nothing.
    """

    version: str
    cc: tuple[str, ...]
    cxx: tuple[str, ...]
    ld: tuple[str, ...]
    c_flags: tuple[str, ...]
    cpp_flags: tuple[str, ...]
    link_flags: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    profile: Path | None = None


def webassembly(upstream: Upstream, cache: Path, profile: Path | None = None) -> Toolchain:
    """The pinned compiler, for WebAssembly.

    Args:
        upstream: Says which one.
        cache: The build cache.
        profile: See `Toolchain`.

    Raises:
        BuildError: It is not installed, or not in the pinned version.
    """
    try:
        installed = importlib.metadata.version(upstream.compiler)
    except importlib.metadata.PackageNotFoundError:
        installed = "not installed"
    if installed != upstream.compiler_version:
        raise BuildError(
            f"the compiler {upstream.compiler} is {installed}; install {upstream.compiler}=={upstream.compiler_version}"
        )
    zig = (sys.executable, "-m", "ziglang")
    lines = WITH_PROFILE if profile else WITHOUT_PROFILE
    return Toolchain(
        f"{upstream.compiler} {installed}",
        (*zig, "cc"),
        (*zig, "c++"),
        (*zig, "cc"),  # the C++ one would compile the whole C++ library; wasm/src/cxx.cpp has what is needed of it
        (*lines, *C_FLAGS),
        (*lines, *CPP_FLAGS),
        LINK_FLAGS,
        dict.fromkeys(("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"), str(cache / "compiler")),
        profile,
    )


@dataclass(frozen=True)
class Unit:
    """One file to compile; `label` is how messages call it."""

    path: Path
    label: str
    ours: bool


class Compiler:
    """A toolchain with one build's include path and cache."""

    def __init__(self, toolchain: Toolchain, ours: Path, theirs: Sequence[Path], cache: Path) -> None:
        """Take a toolchain for one build.

        Args:
            toolchain: The compiler.
            ours: Directory of the guest's own C.
            theirs: Directories of patched third-party sources; warnings in them are not shown.
            cache: The build cache.
        """
        self._toolchain = toolchain
        self._ours = ours
        self._theirs = list(theirs)
        self._cache = cache

    def objects(self, units: Sequence[Unit], progress: Callable[[str], None]) -> list[Path]:
        """Compile what the cache does not hold, in parallel.

        Args:
            units: What to compile.
            progress: Called with one line for each file that is compiled.

        Returns:
            Object files, in the order of `units`.

        Raises:
            BuildError: A file does not compile; the text holds the compiler's messages.
        """
        closures = {unit: self._closure(unit.path) for unit in units}
        longest_first = sorted(units, key=lambda unit: -sum(path.stat().st_size for path in closures[unit]))
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            made = {unit: pool.submit(self._object, unit, closures[unit], progress) for unit in longest_first}
            return [made[unit].result() for unit in units]

    def make_library(self, progress: Callable[[str], None]) -> None:
        """Have the compiler make its C library, which it does when it links for the first time.

        That takes as long as compiling the guest does, so it is worth doing meanwhile.

        Raises:
            BuildError: It cannot; the text holds its messages.
        """
        tools = self._toolchain
        linked = self._cache / "linked" / f"nothing-{digest(tools.version, *tools.link_flags)[:32]}"
        if not linked.is_file():
            progress("compile the C library")
            with tempfile.TemporaryDirectory(prefix="sandbox-build-") as scratch:
                source = Path(scratch, "nothing.c")
                source.touch()
                self._run(tools.ld, [*tools.link_flags, str(source)], "compile the C library", linked)

    def link(self, objects: Sequence[Path], progress: Callable[[str], None]) -> Path:
        """Link objects, or take what they make from the cache.

        Raises:
            BuildError: A symbol is missing or defined twice; the text holds the linker's messages.
        """
        tools = self._toolchain
        key = digest(tools.version, *tools.link_flags, *(sha256(path.read_bytes()) for path in objects))
        linked = self._cache / "linked" / key[:32]
        if not linked.is_file():
            progress("link")
            self._run(tools.ld, [*tools.link_flags, *(str(path) for path in objects)], "link the guest", linked)
        return linked

    def _object(self, unit: Unit, closure: list[Path], progress: Callable[[str], None]) -> Path:
        tools = self._toolchain
        plus = unit.path.suffix == ".cpp"
        flags = [*(tools.cpp_flags if plus else tools.c_flags), *(OUR_FLAGS if unit.ours else THEIR_FLAGS)]
        texts = [f"{path.name}\n{path.read_text(encoding='utf-8')}" for path in closure]
        profile = self._profile(tools.profile) if tools.profile else None
        if profile:
            texts.append(profile.name)
        target = self._cache / "objects" / f"{unit.path.stem}-{digest(tools.version, *flags, *texts)[:32]}.o"
        if not target.is_file():
            progress(f"compile {unit.label}")
            for number, directory in enumerate((self._ours, *self._theirs)):
                flags.append(f"-ffile-prefix-map={directory}=source{number}")
            if profile:
                flags.append(f"-fprofile-sample-use={profile}")
            flags += [f"-I{self._ours}", *(f"-isystem{directory}" for directory in self._theirs)]
            command = tools.cxx if plus else tools.cc
            warnings = self._run(command, [*flags, "-c", str(unit.path)], f"compile {unit.label}", target)
            if warnings and unit.ours:
                progress(warnings)
        return target

    def _profile(self, given: Path) -> Path:
        """A copy that is named by what is in it: the compiler has a cache of its own, which goes by the name."""
        data = given.read_bytes()
        copy = self._cache / "sources" / f"profile-{sha256(data)[:32]}.txt"
        if not copy.is_file():
            write_atomically(copy, data)
        return copy

    def _closure(self, path: Path) -> list[Path]:
        """The file and everything it includes by a quoted name, directly or not, each once."""
        found = [path]
        for file in found:
            for name in _INCLUDE.findall(file.read_text(encoding="utf-8")):
                for directory in (file.parent, self._ours, *self._theirs):
                    included = directory / name
                    if included.is_file():
                        if included not in found:
                            found.append(included)
                        break
        return found

    def _run(self, command: tuple[str, ...], arguments: list[str], purpose: str, target: Path) -> str:
        """Run the compiler and put what it makes into the cache; returns what it said."""
        with tempfile.TemporaryDirectory(prefix="sandbox-build-") as scratch:
            output = Path(scratch, "output")
            result = subprocess.run(  # noqa: S603 our own arguments
                [*command, *arguments, "-o", str(output)],
                cwd=scratch,
                env=os.environ | self._toolchain.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if result.returncode or not output.is_file():
                raise BuildError(f"cannot {purpose}:\n{result.stderr.strip() or 'the compiler gave no reason'}")
            write_atomically(target, output.read_bytes())
            return result.stderr.strip()
