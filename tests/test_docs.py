"""The documents are true: their code runs and prints what they say, the names and paths they use exist."""

from __future__ import annotations

import contextlib
import doctest
import importlib.util
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

import sandbox
from sandbox import AsyncGlobals, AsyncSandbox, ConsoleEntry, JSError, JSFunction, Limits, Sandbox, Usage, errors
from sandbox._failures import EXCEPTIONS
from sandbox.cli._exit import Exit

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
GUIDES = "\n".join(
    page.read_text("utf-8") for page in PAGES if page.name == "README.md" or page.parent == ROOT / "docs"
)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_CHECKER = doctest.OutputChecker()
_PROGRAMS = {"js", "jsx", "ts", "tsx"}
_KNOWN_LANGUAGES = {"python", "text", "console", "toml", *_PROGRAMS}
# Pages whose program shows pages in a browser.
NEED_CHROMIUM = {"browser.md"}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    line: int
    follows: str  # the language of the block right before it, if only blank lines lie between


def blocks(page: Path) -> Iterator[Block]:
    text, end, before = page.read_text("utf-8"), 0, ""
    for match in _FENCE.finditer(text):
        follows = before if not text[end : match.start()].strip() else ""
        yield Block(match[1], match[2], text.count("\n", 0, match.start()) + 2, follows)
        end, before = match.end(), match[1]


def same(wanted: str, got: str) -> bool:
    """Whether an output is the one that is shown; `...` stands for anything, and spaces that end a line for nothing.

    By how much a time limit was passed is shown only when it can be seen, which differs from run to run.
    """
    wanted, got = (re.sub(r" \([\d.]+ s used\)", "", text) for text in (wanted, got))
    wanted, got = ("".join(f"{line.rstrip()}\n" for line in text.splitlines()) for text in (wanted, got))
    return _CHECKER.check_output(wanted, got, doctest.ELLIPSIS)


def page_id(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


with_python = pytest.mark.parametrize(
    "page", [p for p in PAGES if any(b.language == "python" for b in blocks(p))], ids=page_id
)
with_console = pytest.mark.parametrize(
    "page", [p for p in PAGES if any(b.language == "console" for b in blocks(p))], ids=page_id
)
each_page = pytest.mark.parametrize("page", PAGES, ids=page_id)


@with_python
def test_python_blocks_print_what_follows_them(page: Path) -> None:
    """The blocks of a page are one program, in order."""
    if page.name in NEED_CHROMIUM and shutil.which("chromium") is None:
        pytest.skip("no Chromium is installed")
    names: dict[str, object] = {"__name__": "__main__"}
    printed = ""
    for block in blocks(page):
        if block.language == "python":
            assert not printed, f"the output before line {block.line} is not shown: {printed!r}"
            code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(code, names)
            printed = out.getvalue()
        elif block.language == "text" and block.follows == "python":
            assert same(block.text, printed), f"line {block.line}: printed was\n{printed}"
            printed = ""
    assert not printed, f"the last output is not shown: {printed!r}"


def commands(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, and what is shown below each."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


@pytest.mark.skipif(sys.platform == "win32", reason="the documents show a POSIX shell")
@with_console
def test_console_blocks_print_what_they_show(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.language in _PROGRAMS and block.text.startswith("// file: "):
            name, _, code = block.text.removeprefix("// file: ").partition("\n")
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(code, "utf-8")
        if block.language == "console":
            for command, shown in commands(block.text):
                check_command(command, shown, tmp_path)


def check_command(command: str, shown: str, directory: Path) -> None:
    """Run what is ours and quick; of the rest, check that it exists."""
    words = shlex.split(command)
    if words[0] == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        assert set(words[1:]) <= set(targets), command
    elif words[1:2] == ["-m"]:
        assert importlib.util.find_spec(words[2]), command
    elif words[0] in ("sandbox", "echo"):
        shell = f'sandbox() {{ "{sys.executable}" -m sandbox "$@"; }}\n{command}'
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        done = subprocess.run(
            ["/bin/sh", "-c", shell],
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert same(shown, done.stdout), f"{command} printed\n{done.stdout}"
    else:
        pytest.fail(f"nobody checks this command: {command}")


@each_page
def test_blocks_are_of_kinds_that_are_checked(page: Path) -> None:
    for block in blocks(page):
        assert block.language in _KNOWN_LANGUAGES, f"line {block.line}"
        assert block.language != "text" or block.follows == "python", f"line {block.line}: what prints this?"


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    targets = [target for target in _LINK.findall(page.read_text("utf-8")) if "://" not in target]

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_index_lists_every_guide() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")

    guides = [page.name for page in PAGES if page.parent == ROOT / "docs" and page.name != "README.md"]
    assert [guide for guide in guides if index.count(f"\n| [{guide}]({guide}) |") != 1] == []


_EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]


@pytest.mark.parametrize("extra", _EXTRAS)
def test_the_readme_tells_of_every_extra(extra: str) -> None:
    table = (ROOT / "README.md").read_text("utf-8").partition("| Extra |")[2].partition("\n\n")[0]

    assert f"`{extra}`" in table


# --- names ------------------------------------------------------------------------------------------------------------


def public_methods(kind: type) -> list[str]:
    ours = [base for base in kind.__mro__ if base.__module__.startswith("sandbox")]
    return [name for base in ours for name in vars(base) if not name.startswith("_")]


NAMES = sorted(
    {
        *sandbox.__all__,
        *errors.__all__,
        *(field.name for kind in (Limits, Usage, ConsoleEntry) for field in fields(kind)),
        *(name for kind in (Sandbox, AsyncSandbox, AsyncGlobals) for name in public_methods(kind)),
        "limit",
        "used",
        "unit",
        "advice",
        "frames",
        "render",
    }
)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_documented(name: str) -> None:
    assert re.search(rf"\b{re.escape(name)}\b", GUIDES)


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name != "Frame"])
def test_every_error_has_a_row(name: str) -> None:
    assert f"\n| `{name}` |" in (ROOT / "docs" / "errors.md").read_text("utf-8")


@pytest.mark.parametrize("field", fields(Limits), ids=lambda field: field.name)
def test_every_limit_has_a_row(field: object) -> None:
    assert f"\n| `{getattr(field, 'name')}` |" in (ROOT / "docs" / "limits.md").read_text("utf-8")  # noqa: B009


def test_every_mapped_exception_is_in_the_table() -> None:
    table = (ROOT / "docs" / "functions.md").read_text("utf-8")

    mapped = [kind.__name__ for kind, _ in EXCEPTIONS if kind is not BaseException]
    assert [name for name in mapped if f"`{name}`" not in table] == []


def test_the_command_is_documented() -> None:
    page = (ROOT / "docs" / "command.md").read_text("utf-8")
    help_text = subprocess.run(
        [sys.executable, "-m", "sandbox", "run", "--help"], capture_output=True, text=True, check=True
    ).stdout

    flags = set(re.findall(r"--[a-z][a-z-]+", help_text)) - {"--help"}
    assert len(flags) > 8
    assert [flag for flag in sorted(flags) if f"`{flag}" not in page] == []
    statuses = [status for status in Exit if status is not Exit.BROKEN_PIPE]
    assert [status for status in statuses if f"\n| {status.value} |" not in page] == []


def test_attributes_named_in_the_guides_exist() -> None:
    assert {"name", "message", "stack", "properties", "value", "cause"} <= {*vars(JSError("x")), *dir(JSError)}
    assert {"release", "new"} <= {*dir(JSFunction)}


def test_the_demo_plays() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    for shown in (
        "not paid: the card was refused",
        "--> orders.js:",
        "CpuLimitExceeded",
        "MemoryLimitExceeded",
        "refunds €23.25",
    ):
        assert shown in done.stdout
    assert done.stdout.count("still works") == 2


# --- paths and tests --------------------------------------------------------------------------------------------------


def paths_named_in(page: Path) -> list[str]:
    """What a page puts into code marks and looks like a path of this repository."""
    words = [word for code in _CODE.findall(_FENCE.sub("", page.read_text("utf-8"))) for word in code.split()]
    tops = tuple(f"{entry.name}/" for entry in ROOT.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    named = [word.partition("::")[0] for word in words if word.startswith(tops) and "<" not in word]
    return sorted(set(named))


@each_page
def test_paths_exist(page: Path) -> None:
    built = ("sandbox/_artifacts", "benchmarks/results", "dist/")
    named = [path for path in paths_named_in(page) if not path.startswith(built)]

    assert [path for path in named if not any(ROOT.glob(path.rstrip("/")))] == []


def test_the_architecture_names_every_module() -> None:
    named = set(paths_named_in(ROOT / "ARCHITECTURE.md"))
    modules = {f"sandbox/{path.name}" for path in (ROOT / "sandbox").glob("*.py") if not path.name.startswith("__")}
    sources = {f"wasm/src/{path.name}" for path in (ROOT / "wasm" / "src").glob("*.c*")}

    assert sorted((modules | sources) - named) == []


def test_the_threat_model_names_tests_that_exist() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(?:\w+::)?(\w+)`", text)

    assert len(named) >= 10
    for path, name in named:
        file = ROOT / path
        assert file.is_file(), path
        pattern = rf"^\s*(?:(?:async )?def|class) {name}\b"
        assert re.search(pattern, file.read_text("utf-8"), re.MULTILINE), f"{path}::{name}"
