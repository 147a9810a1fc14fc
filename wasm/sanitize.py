"""Build the guest's C as a program of this machine, under the sanitizers for addresses, undefined behaviour and leaks.

It is for tests only; see `wasm.native`. `python -m wasm.sanitize` builds it; `tests/sanitized/` runs it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from wasm import native
from wasm.build import Inputs
from wasm.cache import cache_directory
from wasm.compile import Compiler, Toolchain
from wasm.errors import BuildError

SANITIZERS: Final = ("-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all")
# The one check that is left out: without type information there is nothing to check virtual calls by.
CPP_FLAGS: Final = ("-fno-sanitize=vptr",)


def toolchain() -> Toolchain:
    """This machine's gcc.

    Raises:
        BuildError: It is missing, or cannot make 32-bit programs with sanitizers; the text says what to install.
    """
    return native.toolchain(("-O1", *SANITIZERS), CPP_FLAGS)


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
    units, included = native.units(inputs, cache)
    compiler = Compiler(toolchain(), inputs.guest, included, cache)
    program = compiler.link(compiler.objects(units, progress), progress)
    program.chmod(0o755)
    return program


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
