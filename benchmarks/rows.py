"""The table of what is measured. Standard library only: workers read it too."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["spawn", "eval", "host_call", "guest_call", "out", "in", "compute", "first_eval", "memory", "derived",
    "snapshot", "restore", "spawn_snapshot", "spawn_template", "copy", "fork", "threads", "fan_out",
    "typescript", "command",
]  # fmt: skip
Unit = Literal["seconds", "bytes"]

GROUPS = ("life", "calls", "many", "values", "tools", "compute")
GROUP_TITLES = {
    "life": "Life of a sandbox",
    "calls": "Calls",
    "many": "Many at once",
    "values": "Values in and out",
    "tools": "TypeScript, and the command",
    "compute": "Compute",
}

# One feature of the language each.
KERNELS = ("calls", "loops", "properties", "arrays", "strings", "json", "regexps", "floats", "maps")
# The classics of the field and what services do, each written for this suite.
CLASSICS = ("richards", "deltablue", "raytrace", "navier_stokes", "splay", "patterns", "crypto",
    "api", "template", "markdown", "parser",
)  # fmt: skip
PROGRAMS = KERNELS + CLASSICS

_TITLES = {
    "navier_stokes": "navier-stokes",
    "patterns": "regexp: a long sequence",
    "crypto": "crypto: AES, SHA-256, RSA",
    "api": "a JSON API's answers",
    "template": "a template renderer",
    "markdown": "a Markdown renderer",
    "parser": "a parser and evaluator",
}


class Row(NamedTuple):
    """One line of the report.

    Attributes:
        id: Stable name, used by `--rows` and in the JSON file.
        title: What a reader sees.
        group: One of `GROUPS`.
        kind: How it is measured; see `measure.prepare` and `fresh`.
        subject: What it is measured on: a value of `workloads.VALUES`, a program, or a key of a fresh process's answer.
        unit: Unit of every figure in this row.
        crowd: How many threads work, or sandboxes live; 0 takes the run's own number.
    """

    id: str
    title: str
    group: str
    kind: Kind
    subject: str = ""
    unit: Unit = "seconds"
    crowd: int = 0


ROWS: tuple[Row, ...] = (
    Row("spawn", 'create, eval("1+1"), close', "life", "spawn"),
    Row("spawn_template", "the same, with a library that was loaded before", "life", "spawn_template"),
    Row("spawn_snapshot", "the same, from a snapshot kept in memory", "life", "spawn_snapshot", "small"),
    Row("spawn_snapshot_large", "the same, of 20 MB of objects", "life", "spawn_snapshot", "large"),
    Row("fork", 'fork, eval("1+1"), close', "life", "fork", "small"),
    Row("fork_large", "the same, of 20 MB of objects", "life", "fork", "large"),
    Row("copy_large", "snapshot and restore once in memory, 20 MB", "life", "copy", "large"),
    Row("snapshot", "a snapshot as bytes", "life", "snapshot", "small"),
    Row("snapshot_large", "the same, of 20 MB of objects", "life", "snapshot", "large"),
    Row("restore", 'bytes to a sandbox, eval("1+1"), close', "life", "restore", "small"),
    Row("restore_large", "the same, of 20 MB of objects", "life", "restore", "large"),
    Row("first_eval", "import and first eval, fresh process", "life", "first_eval", "seconds"),
    Row("first_import", "import of wasmtime alone, fresh process", "life", "first_eval", "wasmtime"),
    Row("first_eval_cold", "the same, nothing compiled before", "life", "first_eval", "cold"),
    Row("idle_rss", "resident memory of an idle sandbox", "life", "memory", "rss_bytes", "bytes"),
    Row("idle_pss", "the same, shared pages split (PSS)", "life", "memory", "pss_bytes", "bytes"),
    Row("idle_rss_10", "resident memory of one of 10", "life", "memory", "rss_bytes", "bytes", 10),
    Row("idle_rss_10000", "resident memory of one of 10,000", "life", "memory", "rss_bytes", "bytes", 10_000),
    Row("idle_pss_10000", "the same, shared pages split (PSS)", "life", "memory", "pss_bytes", "bytes", 10_000),
    Row("eval", 'eval("1+1") in a live sandbox', "calls", "eval"),
    Row("host_call", "one host call, number to number", "calls", "host_call", "number"),
    Row("host_call_record", "one host call, record to record", "calls", "host_call", "record"),
    Row("guest_call_record", "one guest call, record to record", "calls", "guest_call", "record"),
    Row("evals_1", "small evals, 1 thread", "many", "threads", "evals", crowd=1),
    Row("evals_2", "small evals, 2 threads", "many", "threads", "evals", crowd=2),
    Row("host_calls_1", "host calls, 1 thread", "many", "threads", "host_calls", crowd=1),
    Row("host_calls_2", "host calls, 2 threads", "many", "threads", "host_calls", crowd=2),
    Row("guest_work_1", "a program, 1 thread", "many", "threads", "guest_work", crowd=1),
    Row("guest_work_2", "a program, 2 threads", "many", "threads", "guest_work", crowd=2),
    Row("fan_out_calls", "one of 1,000 that await host calls", "many", "fan_out", "calls", crowd=1000),
    Row("fan_out", "the same, with 2 timers", "many", "fan_out", "timers", crowd=1000),
    Row("records_out", "1,000 records out", "values", "out", "records"),
    Row("records_in", "1,000 records in", "values", "in", "records"),
    Row("many_records_out", "10,000 records out", "values", "out", "many_records"),
    Row("many_records_in", "10,000 records in", "values", "in", "many_records"),
    Row("ints_out", "100,000 ints out", "values", "out", "ints"),
    Row("ints_in", "100,000 ints in", "values", "in", "ints"),
    Row("bytes_out", "1 MB of bytes out", "values", "out", "bytes"),
    Row("bytes_in", "1 MB of bytes in", "values", "in", "bytes"),
    Row("large_bytes_out", "10 MB of bytes out", "values", "out", "large_bytes"),
    Row("large_bytes_in", "10 MB of bytes in", "values", "in", "large_bytes"),
    Row("string_out", "100 KB string out", "values", "out", "string"),
    Row("string_in", "100 KB string in", "values", "in", "string"),
    Row("large_string_out", "10 MB string out", "values", "out", "large_string"),
    Row("large_string_in", "10 MB string in", "values", "in", "large_string"),
    Row("nested_out", "nested dict out", "values", "out", "nested"),
    Row("nested_in", "nested dict in", "values", "in", "nested"),
    Row("typescript", "1 MB of TypeScript to JavaScript", "tools", "typescript"),
    Row("command_help", "sandbox --help, a process", "tools", "command", "help"),
    Row("command_eval", "sandbox eval 1, a process", "tools", "command", "eval"),
    *(Row(f"compute_{name}", _TITLES.get(name, name), "compute", "compute", name) for name in PROGRAMS),
)

COMPUTE_MEAN = Row("compute_mean", "geometric mean", "compute", "derived")

BY_ID: dict[str, Row] = {row.id: row for row in (*ROWS, COMPUTE_MEAN)}


def select(patterns: str | None) -> tuple[Row, ...]:
    """Pick rows by a comma-separated list of row ids, group names, or beginnings of ids.

    Args:
        patterns: Such as `"spawn,values,compute_js"`; None picks every row.

    Returns:
        The chosen rows, in the order of the table.

    Raises:
        ValueError: A pattern matches no row.
    """
    if patterns is None:
        return ROWS
    chosen: set[str] = set()
    for pattern in filter(None, (part.strip() for part in patterns.split(","))):
        matches = {row.id for row in ROWS if row.group == pattern or row.id == pattern}
        matches = matches or {row.id for row in ROWS if row.id.startswith(pattern)}
        if not matches:
            known = ", ".join((*GROUPS, *(row.id for row in ROWS)))
            raise ValueError(f"no row is called {pattern!r}; there are: {known}")
        chosen |= matches
    return tuple(row for row in ROWS if row.id in chosen)
