"""`python -m sandbox.compat.jsrun -c CODE` or `... FILE`, as `python -m jsrun` has them. `sandbox` does more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.compat.jsrun._errors import JavaScriptError
from sandbox.compat.jsrun._runtime import Runtime
from sandbox.compat.jsrun._values import undefined


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate code or a file and print its value, unless that is undefined.

    Args:
        arguments: What follows the program's name; None: those of the process.

    Returns:
        The exit status: 1 if the program failed or cannot be read.
    """
    parser = argparse.ArgumentParser(prog="python -m sandbox.compat.jsrun", description="Evaluate JavaScript.")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("-c", dest="code", metavar="CODE", help="what to evaluate")
    source.add_argument("file", nargs="?", metavar="FILE", help="a file to evaluate")
    given = parser.parse_args(arguments)
    try:
        code = given.code if given.file is None else Path(given.file).read_text(encoding="utf-8")
        with Runtime() as runtime:
            value = runtime.eval(code)
            if value is not undefined:
                print(value)
    except (JavaScriptError, RuntimeError, OSError, UnicodeDecodeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
