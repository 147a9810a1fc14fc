"""One engine's long-lived process: requests come on standard input, answers go to standard output, one JSON line each.

Requests are `{"do": "hello"}`, `{"do": "prepare", "row": id}`, `{"do": "sample"}` and `{"do": "finish"}`. An answer
is an object of results, or `{"error": text}`. Standard output is kept for answers: anything an engine prints goes to
standard error.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from typing import TYPE_CHECKING, Any, TextIO

from benchmarks import measure
from benchmarks.engines import load
from benchmarks.rows import BY_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.engines.base import Adapter


class Worker:
    """Answers requests for one engine."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._prepared: measure.Prepared | None = None

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do what one request asks; failures of the engine become `{"error": text}`."""
        try:
            return self._answer(request)
        except Exception as error:  # noqa: BLE001  whatever an engine does, the next row is still to be measured
            return {"error": describe(error)}

    def _answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        match request["do"]:
            case "hello":
                return {"version": self._adapter.version(), "python": platform.python_version()}
            case "prepare":
                self._finish()
                self._prepared = measure.prepare(self._adapter, BY_ID[request["row"]])
                seconds = measure.calibrate(self._prepared)
                return {
                    "loops": self._prepared.loops,
                    "operation_seconds": seconds,
                    "unit_seconds": seconds / self._prepared.per_operation,
                }
            case "sample":
                if self._prepared is None:
                    raise RuntimeError("no row is prepared")
                return {"seconds": measure.sample(self._prepared)}
            case "finish":
                self._finish()
                return {}
        raise ValueError(f"unknown request {request['do']!r}")

    def _finish(self) -> None:
        prepared, self._prepared = self._prepared, None
        if prepared is not None:
            measure.finish(prepared)


def describe(error: Exception) -> str:
    """An error in one line."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__


def own_output() -> TextIO:
    """Take standard output for answers and point everybody else's at standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def main() -> None:
    """Serve until standard input ends."""
    answers = own_output()
    worker = Worker(load(sys.argv[1]))
    for line in sys.stdin:
        print(json.dumps(worker.answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
