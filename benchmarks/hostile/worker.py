"""A process that puts one engine to cases, and that a case may take down.

Run as `python -m benchmarks.hostile.worker ADAPTER`. Requests come on standard input, `{"do": "hello"}` or
`{"case": id}`, answers go to standard output, one JSON line each.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
from typing import TYPE_CHECKING, Any

from benchmarks.engines import load
from benchmarks.hostile.stage import attempt
from benchmarks.worker import describe, own_output
from tests.corpus import BY_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.engines.base import BoundedAdapter


def answer(adapter: BoundedAdapter, request: Mapping[str, Any]) -> dict[str, Any]:
    """Do what one request asks; a failure of the worker itself becomes `{"error": text}`."""
    if request.get("do") == "hello":
        return {"version": adapter.version(), "python": platform.python_version()}
    try:
        return attempt(adapter, BY_ID[request["case"]])
    except Exception as error:  # noqa: BLE001 - what an engine does outside the case itself is its failure as well
        return {"error": describe(error)}


def main() -> None:
    """Serve until standard input ends, and leave without the engine's own shutdown."""
    answers = own_output()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background process of a shell would ignore it
    adapter = load(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(answer(adapter, json.loads(line))), file=answers, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
