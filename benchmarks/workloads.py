"""What crosses the boundary and what the guest computes, with the answers. Standard library only: workers read it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

PROGRAMS_DIRECTORY = Path(__file__).parent / "programs"

# What `run()` of each program returns, in Node as well: integers from operations every IEEE 754 engine rounds alike.
CHECKSUMS: dict[str, int] = {
    "calls": 401765,
    "loops": 985403979,
    "properties": 1143426,
    "arrays": 375286,
    "strings": 1103546,
    "json": 611567,
    "regexps": 263012,
    "floats": 64876348,
    "maps": 1620288,
    "richards": 10033044,
    "deltablue": 14958,
    "raytrace": 476430250,
    "navier_stokes": 703963617,
    "splay": 163985,
    "patterns": 818715,
    "crypto": 16916181,
    "api": 481521,
    "template": 352357,
    "markdown": 206891,
    "parser": 100968,
}

HOST_CALLS_PER_EVAL = 1000


def summed(call: str, count: int) -> str:
    """An expression: the sum of `call` for every `i` below `count`."""
    return f"(() => {{ let total = 0; for (let i = 0; i < {count}; i++) total += {call}; return total; }})()"


class Value(NamedTuple):
    """A value that is sent out of and into the guest.

    Attributes:
        python: The value as Python has it.
        outgoing: JavaScript expression that makes it.
        check: JavaScript expression, true when the global `incoming` is it.
    """

    python: object
    outgoing: str
    check: str


def _json_value(python: object) -> Value:
    text = json.dumps(json.dumps(python))
    return Value(python, f"JSON.parse({text})", f"JSON.stringify(incoming) === JSON.stringify(JSON.parse({text}))")


def _bytes_value(length: int) -> Value:
    fill = "for (let index = 0; index < bytes.length; index++) bytes[index] = index * 7; return bytes"
    total = "for (let index = 0; index < bytes.length; index++) total += bytes[index] * (index % 5); return total"
    python = bytes(index * 7 % 256 for index in range(length))
    return Value(
        python,
        f"(bytes => {{ {fill} }})(new Uint8Array({length}))",
        f"((bytes, total) => {{ {total} }})(new Uint8Array(incoming), 0)"
        f" === {sum(byte * (index % 5) for index, byte in enumerate(python))}",
    )


def _repeated_text(part: str, times: int) -> Value:
    """A text too long to be written out in a program."""
    outgoing = f"{json.dumps(part)}.repeat({times})"
    return Value(part * times, outgoing, f"incoming === {outgoing}")


def _record(index: int) -> dict[str, object]:
    return {"id": index, "name": f"item {index}", "price": index / 4 + 0.25, "active": index % 3 == 0}


def _tree(depth: int) -> dict[str, object]:
    branches = [_tree(depth - 1), _tree(depth - 1)] if depth else []
    return {"name": f"level {depth}", "weight": depth / 2 + 0.5, "tags": ["a", "b", None], "branches": branches}


def value(name: str) -> Value:
    """Make the value called `name`: records, ints, bytes, string, nested, many_records, large_bytes or large_string.

    Sizes: 1,000 records of 4 fields; 100,000 ints below 2**20; 1,000,000 bytes; 100,000 ASCII characters; a tree of
    63 dicts, 6 deep. Many are 10,000, and large is 10,000,000.
    """
    match name:
        case "records":
            return _json_value([_record(index) for index in range(1000)])
        case "many_records":
            return _json_value([_record(index) for index in range(10_000)])
        case "ints":
            return _json_value([index * 7919 % 1048576 for index in range(100_000)])
        case "bytes":
            return _bytes_value(1_000_000)
        case "large_bytes":
            return _bytes_value(10_000_000)
        case "string":
            return _json_value("".join(f"{index:09d} " for index in range(10_000)))
        case "large_string":
            return _repeated_text("".join(f"{index:09d} " for index in range(10_000)), 100)
        case "nested":
            return _json_value(_tree(5))
    raise ValueError(f"no value is called {name!r}")


def program(name: str) -> str:
    """Source of the program called `name`: a script that defines `run()`."""
    return (PROGRAMS_DIRECTORY / f"{name}.js").read_text(encoding="utf-8")


# The library of `spawn_template`; a file takes its place, such as a copy of lodash.js.
LIBRARY_VARIABLE = "SANDBOX_BENCH_LIBRARY"
LIBRARY_CHECK, LIBRARY_ANSWER = "loaded", 42
_LIBRARY_FUNCTIONS = 800


def library() -> str:
    """Source of a script of some hundred functions and tables, as a library of utilities has them; defines `loaded`."""
    path = os.environ.get(LIBRARY_VARIABLE)
    if path:
        source = Path(path).read_text(encoding="utf-8")
    else:
        functions = (
            f"library.f{index} = function f{index}(array, size) {{ const out = []; "
            f"for (let i = 0; i < array.length; i += size) out.push(array.slice(i, i + size + {index})); "
            f"return size > {index} ? out.map(part => part.length) : out; }}; "
            f"library.t{index} = [{index}, 'row {index}'];"
            for index in range(_LIBRARY_FUNCTIONS)
        )
        source = "globalThis.library = {};\n" + "\n".join(functions)
    return f"{source}\n;globalThis.loaded = {LIBRARY_ANSWER}; 0"


TYPESCRIPT_BYTES, TYPESCRIPT_CHECK, TYPESCRIPT_ANSWER = 1_000_000, "total0([{ price: 2 }, { price: 40 }])", 42
_TYPESCRIPT = """\
export interface Item%(n)d<T = unknown> extends Named { readonly price: number; tags?: string[]; extra: T | null }
enum Kind%(n)d { Food, Drink = "drink" }

/** What the items cost together. */
function total%(n)d(items: readonly Item%(n)d[], rate: number = 1): number {
  const prices: number[] = items.map(({ price }: Item%(n)d): number => price * rate);
  return prices.reduce<number>((sum, price) => sum + (price as number), 0);
}

abstract class Shop%(n)d implements Seller<Item%(n)d> {
  private readonly shelves = new Map<string, Item%(n)d[]>();
  constructor(public name: string, protected kind: Kind%(n)d = Kind%(n)d.Food) {}
  async find(name: string): Promise<Item%(n)d | undefined> {
    const [first] = this.shelves.get(name)!.filter((item) => item.tags?.includes(name) ?? false);
    return first satisfies Item%(n)d | undefined;
  }
}
"""


def typescript() -> str:
    """Source of a megabyte: interfaces, enums, functions and classes, of which `TYPESCRIPT_CHECK` calls one."""
    count = -(-TYPESCRIPT_BYTES // len(_TYPESCRIPT % {"n": 100}))
    return "".join(_TYPESCRIPT % {"n": number} for number in range(count))[:TYPESCRIPT_BYTES].rpartition("\nexport ")[0]


# What follows the command's name, and a line that it prints.
COMMANDS = {"help": (["--help"], "Usage: sandbox [OPTIONS]"), "eval": (["eval", "1"], "1")}


# What a sandbox holds of which a snapshot is taken: how many objects.
HEAPS = {"small": 3, "large": 150_000}


def heap(subject: str) -> str:
    """A program that fills `heap` with objects."""
    return f"globalThis.heap = []; for (let i = 0; i < {HEAPS[subject]}; i++) heap.push({{ i, s: 'row ' + i }}); 0"
