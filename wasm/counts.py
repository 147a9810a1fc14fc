"""How often each line of the guest's C runs, for the compiler: the profile `wasm/profile.txt`.

`build` makes the guest as a program of this machine that counts its lines (gcc and gcov), `tests/training/` has it run
programs, and `profile` writes what clang reads with `-fprofile-sample-use`: for each function how often it began, and
for each of its lines, counted from the one that has the function's name, how often it ran. So a profile outlives
changes of other functions, and a change within a function costs that one what its profile gains.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wasm import native
from wasm.build import Inputs
from wasm.cache import cache_directory
from wasm.errors import BuildError

if TYPE_CHECKING:
    from wasm.compile import Unit

# For what the harness asks the sanitizers, which find nothing here; and gcov's functions, which it calls where they
# are there.
LINK_FLAGS: Final = ("-fsanitize=address", "-Wl,-u,__gcov_dump", "-Wl,-u,__gcov_reset")
FLAGS: Final = ("-O0", "--coverage", "-fprofile-update=single", "-w")
# Each program counts as much as the others do, however long it runs.
SHARE: Final = 10_000_000
# Of these the compiler is only told which lines run: were it told how often, it would put into them what they call
# often. That takes registers from every instruction of the interpreter's loop, and stack from all recursion through the
# others.
SMALL: Final = re.compile(
    "call_bytecode|js_call_c_function|js_function_apply|js_(async_function|generator)_\\w+|js_create_from_ctor"
    "|js_array_(every|reduce)|js_parse_\\w+|js_create_function|JS_Call\\w*"
)


@dataclass
class Function:
    """What ran of a function.

    Attributes:
        entries: How often it began.
        lines: Line, counted from that of its name -> how often it ran.
    """

    entries: int = 0
    lines: Counter[int] = field(default_factory=Counter)


Counts = dict[tuple[str, str], Function]
"""File and name of a function -> what ran of it."""


def build(directory: Path, progress: Callable[[str], None] = lambda line: None) -> Path:
    """Build the program.

    Args:
        directory: An empty one, for the program and for what it counts.
        progress: Called with a line of text before each step that takes time.

    Returns:
        The program. It is started as that of `wasm.sanitize` is.

    Raises:
        BuildError: The compiler is missing or refuses something; the text stands alone.
    """
    inputs = Inputs()
    tools = native.toolchain(FLAGS, (), LINK_FLAGS)
    units, included = native.units(inputs, cache_directory())
    paths = [f"-I{inputs.guest}", *(f"-isystem{path}" for path in included)]

    def compiled(unit: Unit) -> str:
        progress(f"compile {unit.label}")
        is_cpp = unit.path.suffix == ".cpp"
        command, flags = (tools.cxx, tools.cpp_flags) if is_cpp else (tools.cc, tools.c_flags)
        target = directory / f"{unit.path.parent.name}-{unit.path.name}.o"
        _run([*command, *flags, *paths, "-c", str(unit.path), "-o", str(target)], directory)
        return str(target)

    with ThreadPoolExecutor(cpu_count() or 1) as pool:
        objects = list(pool.map(compiled, units))
    program = directory / "guest"
    progress("link")
    _run([*tools.ld, *objects, *tools.link_flags, "-o", str(program)], directory)
    return program


def collect(directory: Path) -> Counts:
    """What ran since the last time, of the program that was built there; it is forgotten there."""
    counts: Counts = defaultdict(Function)
    for path in sorted(directory.glob("*.gcda")):
        for line in _run(["gcov", "--json-format", "--stdout", f"{path.stem}.o"], directory).splitlines():
            for file in json.loads(line)["files"]:
                _add(counts, file)
        path.unlink()
    return dict(counts)


def _add(counts: Counts, file: dict[str, object]) -> None:
    name: str = file["file"]  # type: ignore[assignment] # see gcov's manual for what is where
    if name.startswith("/usr/"):
        return
    starts = {}
    for each in file["functions"]:  # type: ignore[attr-defined]
        starts[each["name"]] = each["start_line"]
        counts[name, each["name"]].entries += each["execution_count"]
    for each in file["lines"]:  # type: ignore[attr-defined]
        function = each.get("function_name")
        if function in starts and each["line_number"] >= starts[function]:
            counts[name, function].lines[each["line_number"] - starts[function]] += each["count"]


def profile(programs: Iterable[Counts]) -> str:
    """The text of a profile of programs, each of which counts as much as the others.

    Functions of one name in several files are left out, since the compiler could not tell them apart; so are those that
    never ran, of which it then knows nothing. Lines that never ran, of functions that did, are named.
    """
    whole: dict[str, dict[str, Function]] = defaultdict(dict)
    for counts in programs:
        total = sum(each.lines.total() for each in counts.values()) or 1
        for (file, name), each in counts.items():
            merged = whole[name].setdefault(file, Function())
            merged.entries += _share(each.entries, total)
            for line, count in each.lines.items():
                merged.lines[line] += _share(count, total)
    found = {name: next(iter(files.values())) for name, files in whole.items() if len(files) == 1}
    found |= {name: _seldom(each) for name, each in found.items() if SMALL.fullmatch(name)}
    ran = {name: each for name, each in found.items() if each.lines.total()}
    return "".join(_text(name, each) for name, each in sorted(ran.items()))


def _share(count: int, total: int) -> int:
    return max(1, round(count * SHARE / total)) if count else 0


def _seldom(function: Function) -> Function:
    return Function(1, Counter({line: min(count, 1) for line, count in function.lines.items()}))


def _text(name: str, function: Function) -> str:
    lines = [f"{name}:{function.lines.total()}:{function.entries}"]
    return "\n".join(lines + [f" {line}: {count}" for line, count in sorted(function.lines.items())]) + "\n"


def parse(text: str) -> Mapping[str, Function]:
    """The functions of a profile.

    Raises:
        ValueError: It is none.
    """
    functions: dict[str, Function] = {}
    name = line = ""
    try:
        for line in text.splitlines():
            if line.startswith(" "):
                offset, count = line.split(":")
                functions[name].lines[int(offset)] = int(count)
            else:
                name, _, entries = line.rsplit(":", 2)
                functions[name] = Function(int(entries))
    except (ValueError, KeyError) as error:
        raise ValueError(f"this is no profile: {line!r}") from error
    return functions


def _run(command: list[str], directory: Path) -> str:
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)  # noqa: S603 our own arguments
    if result.returncode:
        raise BuildError(f"{Path(command[0]).name} failed:\n{result.stderr.strip()[-2000:]}")
    return result.stdout
