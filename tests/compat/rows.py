"""Rows about another package's interface: programs, and what comes of each. Only the standard library is needed.

A row is true of that package, as `python -m tests.real_packages` shows, and of ours, unless `OTHERWISE` says how that
differs.
"""

from __future__ import annotations

import ast
import asyncio
import re
import sys
from collections.abc import Mapping
from typing import Any

_OBJECT = re.compile(r"<(?:\w+\.)*(\w+?)(?:Impl)? object at 0x[0-9a-f]+>")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_LIBRARY = ("asyncio", "datetime", "json", "threading", "time")


def outcome(program: str, names: Mapping[str, Any]) -> str:
    """What a program comes to: the `repr` of its last expression, or the class of what it raises.

    Args:
        program: Statements of Python.
        names: What it can use.
    """
    space = {**names, **{name: __import__(name) for name in _LIBRARY}}
    *statements, last = ast.parse(program).body
    assert isinstance(last, ast.Expr)
    try:
        exec(compile(ast.Module(statements, []), "<row>", "exec"), space)
        value = eval(compile(ast.Expression(last.value), "<row>", "eval"), space)
    except Exception as error:  # noqa: BLE001 - that is the outcome
        return f"raises {type(error).__name__}"
    return shown(value)


def outcome_async(program: str, names: Mapping[str, Any]) -> str:
    """The same on an event loop."""

    async def run() -> str:
        space = {**names, **{name: __import__(name) for name in _LIBRARY}}
        tree = ast.parse(f"async def row():\n{_indented(program)}")
        function = tree.body[0]
        assert isinstance(function, ast.AsyncFunctionDef)
        last = function.body[-1]
        assert isinstance(last, ast.Expr)
        function.body[-1] = ast.copy_location(ast.Return(last.value), last)
        exec(compile(ast.fix_missing_locations(tree), "<row>", "exec"), space)
        try:
            return shown(await space["row"]())
        except Exception as error:  # noqa: BLE001 - that is the outcome
            return f"raises {type(error).__name__}"

    return asyncio.run(run())


def is_async(program: str) -> bool:
    """Whether a program needs an event loop."""
    try:
        compile(program, "<row>", "exec")
    except SyntaxError:  # an `await` outside of any function
        return True
    return False


def shown(value: object) -> str:
    """A `repr` without addresses."""
    return _ADDRESS.sub("", _OBJECT.sub(r"<\1>", repr(value)))


def _indented(program: str) -> str:
    return "".join(f"    {line}\n" for line in program.splitlines())


def main() -> None:
    """Print what the rows that standard input has come to, of the package that the arguments name."""
    import importlib
    import json

    names = vars(importlib.import_module(sys.argv[1]))
    for program in json.load(sys.stdin):
        come = (outcome_async if is_async(program) else outcome)(program, names)
        print(json.dumps([program, come]), flush=True)


if __name__ == "__main__":
    main()
