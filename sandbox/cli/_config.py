"""`sandbox.toml`: what flags say, written down. Flags win.

A file in the current directory is used without being named, so it could be somebody else's: it may limit a program, and
grants nothing. Grants and modules of a file hold where `--config` names it.
"""

from __future__ import annotations

import difflib
import os
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final

import typer

from sandbox.cli._amounts import parse_bytes, parse_seconds
from sandbox.cli._flags import UsageError
from sandbox.cli._terminal import DIM, Terminal

FILE: Final = "sandbox.toml"
_REACHING: Final = ("grants", "modules")

Value = Any  # what TOML has: text, a number, a boolean, a list, a table


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    raise ValueError("a text is expected")


def _amount(parse: Callable[[str], float]) -> Callable[[Value], str]:
    def check(value: Value) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError("a number or a text such as '500ms' or '64MB' is expected")  # noqa: TRY004 - likewise
        parse(str(value))
        return str(value)

    return check


def _number(value: Value) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a whole number is expected")  # noqa: TRY004 - what a file says is a value
    return str(value)


def _flag(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("true or false is expected")


def _texts(value: Value) -> list[str]:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    raise ValueError("a list of texts is expected")


def _table(value: Value) -> list[str]:
    if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return [f"{name}={path}" for name, path in value.items()]
    raise ValueError('a table is expected: {name = "file"}')


# Table -> key -> the parameter that it is the default of, and what checks it.
SCHEMA: Final[dict[str, dict[str, tuple[str, Callable[[Value], Value]]]]] = {
    "limits": {
        "memory": ("memory", _amount(parse_bytes)),
        "cpu": ("cpu", _amount(parse_seconds)),
        "wall": ("wall", _amount(parse_seconds)),
        "fuel": ("fuel", _number),
        "metering": ("metering", _text),
        "stack": ("stack", _amount(parse_bytes)),
        "output": ("output", _amount(parse_bytes)),
    },
    "program": {
        "seed": ("seed", _number),
        "virtual-clock": ("virtual_clock", _flag),
        "clock-resolution": ("clock_resolution", _amount(parse_seconds)),
        "language": ("language", _text),
    },
    "typescript": {
        "jsx": ("jsx", _text),
        "jsx-factory": ("jsx_factory", _text),
        "jsx-fragment": ("jsx_fragment", _text),
        "jsx-import-source": ("jsx_import_source", _text),
    },
    "grants": {
        "net": ("allow_net", _texts),
        "private": ("allow_private", _texts),
        "read": ("allow_read", _texts),
        "write": ("allow_write", _texts),
    },
    "modules": {"directory": ("modules", _text), "files": ("module", _table)},
}


def _apply(context: typer.Context, named: str | None) -> str | None:
    """What typer calls before it reads the other flags: the file's values become their defaults."""
    if context.resilient_parsing:  # for completion
        return named
    path = Path(named or FILE)
    if named is None and not path.is_file():
        return named
    context.default_map = {**(context.default_map or {}), **read_config(path, is_named=named is not None)}
    return named


Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="FILE",
        is_eager=True,
        callback=_apply,
        help=f"Read flags from a file. [dim]Default: {FILE} here, which grants nothing[/dim]",
    ),
]


@dataclass(frozen=True, kw_only=True)
class ConfigFlags:
    """The flag that names a file with the values of others."""

    config: Config = None


def read_config(path: Path, *, is_named: bool) -> dict[str, Value]:
    """The values of a file, by the names of parameters.

    Args:
        path: The file.
        is_named: Whether the command line names it: then it may grant something.

    Raises:
        UsageError: It cannot be read, others may write it, or it says what nobody knows.
    """
    try:
        data = path.read_bytes()
        if not is_named and _is_of_others(path):
            raise UsageError(f"{path}: others may write it; --config {path} uses it all the same")
        tables = tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise UsageError(f"--config: {path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
    values: dict[str, Value] = {}
    for table, keys in tables.items():
        _check_known(path, table, SCHEMA, "table", "")
        if not isinstance(keys, dict):
            raise UsageError(f"{path}: [{table}] is a table")
        for key, value in keys.items():
            _check_known(path, key, SCHEMA[table], "key", f" in [{table}]")
            parameter, check = SCHEMA[table][key]
            try:
                values[parameter] = check(value)
            except ValueError as error:
                raise UsageError(f"{path}: [{table}] {key}: {error}") from None
    reaching = [table for table in _REACHING if tables.get(table)]
    if reaching and not is_named:
        for table in reaching:
            for parameter, _ in SCHEMA[table].values():
                values.pop(parameter, None)
        text = " and ".join(f"[{table}]" for table in reaching)
        Terminal(sys.stdout, sys.stderr).write(f"{path}: {text} hold with --config {path} only.", error=True, style=DIM)
    return _placed(values, path.parent)


def _check_known(path: Path, name: str, known: dict[str, Any], kind: str, where: str) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise UsageError(f"{path}: no such {kind}{where}: {name!r}; {hint}")


def _is_of_others(path: Path) -> bool:
    """Whether another user could have written the file, or put it there."""
    if not hasattr(os, "getuid"):
        return False
    states = [path.stat(), path.absolute().parent.stat()]
    return any(state.st_uid not in (os.getuid(), 0) for state in states) or bool(states[0].st_mode & 0o022)


def _placed(values: dict[str, Value], directory: Path) -> dict[str, Value]:
    """Paths in a file start from its directory."""
    if directory == Path():
        return values
    placed = dict(values)
    for parameter in ("allow_read", "allow_write"):
        if parameter in values:
            placed[parameter] = [_place(text, directory) for text in values[parameter]]
    if "modules" in values:
        placed["modules"] = str(directory / values["modules"])
    if "module" in values:
        pairs = [text.partition("=") for text in values["module"]]
        placed["module"] = [f"{name}={directory / path}" for name, _, path in pairs]
    return placed


def _place(text: str, directory: Path) -> str:
    path, separator, target = text.partition("=")
    if separator and path.startswith("/"):
        return f"{path}={directory / target}"
    parts = PurePosixPath("/", text).parts[1:]
    return text if ".." in parts else f"/{'/'.join(parts)}={directory / text}"
