"""What is compiled when, by a stand-in for the compiler that writes down how it was called."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from wasm.build import Inputs
from wasm.compile import Compiler, Toolchain, Unit
from wasm.errors import BuildError

STAND_IN = """
import json, pathlib, sys
arguments = sys.argv[1:]
with open("{log}", "a", encoding="utf-8") as log:
    log.write(json.dumps(arguments) + "\\n")
made = pathlib.Path(arguments[arguments.index("-o") + 1])
made.write_text(" ".join(pathlib.Path(name).stem for name in arguments if name.endswith((".c", ".cpp"))))
"""


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compiler:
    """One that keeps its calls in `log`, and compiles one file after the other."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    program = tmp_path / "stand_in.py"
    program.write_text(STAND_IN.replace("{log}", (tmp_path / "log").as_posix()), encoding="utf-8")
    call = (sys.executable, str(program))
    tools = Toolchain("1", (*call, "c"), (*call, "c++"), (*call, "link"), ("-C",), ("-CPP",), ("-L",))
    return Compiler(tools, tmp_path, [], tmp_path / "cache")


def calls(tmp_path: Path) -> list[list[str]]:
    return [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]


def units(tmp_path: Path, **sources: str) -> list[Unit]:
    paths = {tmp_path / name.replace("_", "."): text for name, text in sources.items()}
    for path, text in paths.items():
        path.write_text(text, encoding="utf-8")
    return [Unit(path, path.name, ours=True) for path in paths]


def test_what_takes_longest_is_compiled_first(tmp_path: Path, compiler: Compiler) -> None:
    (tmp_path / "large.h").write_text("int large;\n" * 100, encoding="utf-8")
    wanted = units(tmp_path, small_c="int a;", middle_cpp="int b;\n" * 20, large_c='#include "large.h"')

    made = compiler.objects(wanted, lambda line: None)

    assert [path.read_text("utf-8") for path in made] == ["small", "middle", "large"]
    assert [(call[0], Path(call[-3]).name) for call in calls(tmp_path)] == [
        ("c", "large.c"),
        ("c++", "middle.cpp"),
        ("c", "small.c"),
    ]


def test_the_library_is_made_once_and_with_the_flags_of_the_guest(tmp_path: Path, compiler: Compiler) -> None:
    lines: list[str] = []
    compiler.make_library(lines.append)
    compiler.make_library(lines.append)
    compiler.link(compiler.objects(units(tmp_path, a_c="int a;"), lambda line: None), lines.append)

    assert lines == ["compile the C library", "link"]
    library, _, linked = calls(tmp_path)
    assert library[:2] == linked[:2] == ["link", "-L"]


def test_another_profile_is_another_object_and_has_another_name(tmp_path: Path, compiler: Compiler) -> None:
    """The compiler keeps what it made by the names of the files that it was given."""
    profile = tmp_path / "profile.txt"
    profiled = Compiler(replace(compiler._toolchain, profile=profile), tmp_path, [], tmp_path / "cache")
    made = []
    for text in ("f:1:1\n", "g:1:1\n", "f:1:1\n"):
        profile.write_text(text, encoding="utf-8")
        made += profiled.objects(units(tmp_path, a_c="int a;"), lambda line: None)

    named = [flag for call in calls(tmp_path) for flag in call if flag.startswith("-fprofile-sample-use=")]
    assert made[0] == made[2] != made[1]
    assert len(named) == len(set(named)) == 2


def test_a_unit_that_does_not_compile_is_named(tmp_path: Path, compiler: Compiler) -> None:
    wanted = units(tmp_path, a_c="int a;")
    (tmp_path / "stand_in.py").write_text("raise SystemExit('a.c:1: no')", encoding="utf-8")

    with pytest.raises(BuildError, match=r"cannot compile a\.c:\na\.c:1: no"):
        compiler.objects(wanted, lambda line: None)


def test_the_guest_has_what_it_needs_of_the_library_of_c_plus_plus() -> None:
    """The compiler's own is compiled whole, which would take longer than all of the guest."""
    inputs = Inputs()
    directories = {source.package: Path(source.package) for source in inputs.upstream.sources}

    names = {unit.path.name for unit in inputs.units(directories)}

    assert {name for name in names if name.endswith(".cpp")} == {"ada.cpp", "cxx.cpp"}
