"""The command `doctor`: whether this installation is whole, where its cache is, and how quick it is."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from sandbox import _code_cache, _image
from sandbox._records import record
from sandbox.cli._amounts import show_amount
from sandbox.cli._commands import command_app, examples, with_flags
from sandbox.cli._exit import Exit
from sandbox.cli._extras import EXTRAS, installed
from sandbox.cli._flags import OutputFlags
from sandbox.cli._measuring import EVAL, HOST_CALL, SPAWN, Times, show_time
from sandbox.cli._tables import Table, working
from sandbox.cli._terminal import DIM, GREEN, RED, YELLOW, Terminal
from sandbox.errors import SandboxError
from sandbox.typescript import module

_EXAMPLES = examples(
    ("sandbox doctor", "check and measure"),
    ("sandbox doctor --prune", "remove machine code that nothing here uses"),
    ("sandbox doctor --json", "for programs"),
)
_MEASURED: Final = (SPAWN, EVAL, HOST_CALL)
_SECONDS: Final = 0.3
_METERINGS: Final[tuple[Literal["fuel", "clock"], ...]] = ("fuel", "clock")

Level = Literal["ok", "note", "warning", "failure"]
_MARKS: Final[dict[Level, tuple[str, str]]] = {
    "ok": ("ok", "green"),
    "note": ("-", "dim"),
    "warning": ("!!", "yellow"),
    "failure": ("XX", "red"),
}

app: typer.Typer = command_app()


@record(frozen=True, slots=True)
class Check:
    """What was found.

    Attributes:
        name: What was looked at.
        level: How good it is.
        found: What is there.
        advice: What to do about it; empty: nothing.
    """

    name: str
    level: Level
    found: str
    advice: str = ""


@app.command(epilog=_EXAMPLES)
@with_flags
def doctor(
    output: OutputFlags,
    prune: Annotated[
        bool,
        typer.Option("--prune", metavar="", help="Remove entries of the cache that this installation never reads."),
    ] = False,
) -> int:
    """Check this installation: versions, the guest, the cache of machine code, extras; and measure it.

    The exit status is 4 where something is broken, so that no program could run.
    """
    terminal = output.terminal()
    if prune:
        for entry in _stale():
            entry.unlink(missing_ok=True)
    checks = [*_versions(), _guest(), _typescript(), *_cache(), *_extras()]
    times: list[Times] = []
    if not any(check.level == "failure" for check in checks):
        try:
            times = _measure(terminal)
        except SandboxError as error:
            checks.append(Check("a program", "failure", f"{type(error).__name__}: {error}"))
    broken = any(check.level == "failure" for check in checks)
    if output.as_json:
        shown = {"checks": [asdict(check) for check in checks], "times": [asdict(row) for row in times]}
        terminal.write(json.dumps({"ok": not broken, **shown}))
    else:
        _show(terminal, checks, times)
    return Exit.FAILURE if broken else Exit.OK


def _versions() -> Iterator[Check]:
    yield Check("quickjs-sandbox", "ok", f"{version_of('quickjs-sandbox')} in {Path(_image.__file__).parent}")
    python = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform()}"
    yield Check(
        "Python",
        "ok" if sys.maxsize > 1 << 32 else "failure",
        python,
        "" if sys.maxsize > 1 << 32 else "64 bits are needed",
    )
    yield Check("wasmtime", "ok", version_of("wasmtime"))


def _guest() -> Check:
    try:
        digest = _image.image_digest()
    except SandboxError as error:
        return Check("guest", "failure", str(error))
    size = Path(_code_cache.ARTIFACTS, "guest.wasm").stat().st_size
    return Check("guest", "ok", f"{show_amount(size, 'bytes')}, sha256 {digest[:16]}...")


def _typescript_digest() -> str:
    return _code_cache.digest_in(_code_cache.manifest().get("typescript"))


def _typescript() -> Check:
    try:
        digest = _typescript_digest()
        size = Path(_code_cache.ARTIFACTS, module.NAME).stat().st_size
    except (SandboxError, OSError) as error:
        return Check("TypeScript", "failure", str(error))
    return Check("TypeScript", "ok", f"{show_amount(size, 'bytes')}, sha256 {digest[:16]}...")


def _used() -> dict[str, Path]:
    """The entries that this installation reads: those of the guest by the way of metering, that of TypeScript."""
    used: dict[str, Path] = {}
    with suppress(SandboxError):
        digest = _image.image_digest()
        used |= {metering: Path(_code_cache.cache_entry(digest, metering)) for metering in _METERINGS}
    with suppress(SandboxError):
        used["typescript"] = Path(_code_cache.cache_entry(_typescript_digest(), module.CACHE_KIND))
    return used


def _stale() -> list[Path]:
    used = set(_used().values())
    try:
        return sorted(entry for entry in Path(_code_cache.cache_directory()).glob("*.cwasm") if entry not in used)
    except OSError:
        return []


def _cache() -> Iterator[Check]:
    directory = Path(_code_cache.cache_directory())
    there = {metering: entry for metering, entry in _used().items() if entry.is_file()}
    if not directory.is_dir():
        yield Check("cache", "note", f"{directory} is made when a sandbox is first used")
        return
    refused = [entry for entry in there.values() if not _code_cache.is_private(str(entry))]
    if refused:
        advice = f"chmod go-w {directory} {refused[0]}, and let it be yours"
        yield Check("cache", "warning", f"{directory}: others may write it, so it is not read", advice)
    else:
        sizes = [f"{metering} {show_amount(entry.stat().st_size, 'bytes')}" for metering, entry in there.items()]
        yield Check("cache", "ok", f"{directory}: {', '.join(sizes) or 'nothing yet'}")
    stale = _stale()
    if stale:
        size = show_amount(sum(entry.stat().st_size for entry in stale), "bytes")
        yield Check("cache, stale", "note", f"{len(stale)} of other versions, {size}", "sandbox doctor --prune")


def _extras() -> Iterator[Check]:
    for extra, (purpose, _) in EXTRAS.items():
        here, found = installed(extra)
        advice = "" if here else f"{purpose}: pip install 'quickjs-sandbox[{extra}]'"
        yield Check(f"extra {extra}", "ok" if here else "note", found, advice)


def _measure(terminal: Terminal) -> list[Times]:
    with working(terminal, "Measuring", len(_MEASURED)) as advance:
        rows: list[Times] = []
        for measure in _MEASURED:
            rows.append(measure.take(_SECONDS))
            advance()
    return rows


def _show(terminal: Terminal, checks: list[Check], times: list[Times]) -> None:
    table = Table("", "", "found")
    for check in checks:
        mark, style = _MARKS[check.level]
        table.add(mark, check.name, check.found + (f"\n{check.advice}" if check.advice else ""), style=style)
    table.write(terminal)
    if times:
        measured = Table("measured", ">median", ">best", "what is done")
        for row, measure in zip(times, _MEASURED, strict=True):
            measured.add(row.name, show_time(row.median), show_time(row.best), measure.about)
        measured.write(terminal)
    if any(check.level == "failure" for check in checks):
        terminal.write("Something is broken: see XX.", style=RED)
    elif any(check.level == "warning" for check in checks):
        terminal.write("It works; see !! for what could be better.", style=YELLOW)
    else:
        terminal.write("Everything is in order.", style=GREEN)
        terminal.write("sandbox bench measures more.", style=DIM)
