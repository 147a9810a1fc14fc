"""Cases that fail today, each with what it waits for. They are marked xfail, and nothing else about them differs."""

from __future__ import annotations

_LOOPS = "polls inside the engine's own loops"
_STACK = "a deeper stack"
_CALLS = "a smaller cost to the host of each pending call"

PENDING: dict[str, str] = {
    "1-5,000-plain-calls": _STACK,
    **dict.fromkeys(
        (
            "3-stringify",
            "3-stringify-objects",
            "7-reverse",
            "7-copyWithin",
            "7-join",
            "7-fill",
            "7-sort",
            "7-slice",
            "7-concat",
            "7-flat",
            "7-sparse-join",
            "7-splice",
            "7-String.raw",
            "7-typed-fill",
            "7-typed-set",
            "7-typed-sort",
            "7-typed-join",
            "7-keys",
            "8-indexOf",
            "8-split",
            "8-replaceAll",
            "8-replace-with-the-text-before",
            "8-normalize",
            "8-normalize-marks",
            "8-localeCompare",
            "8-toUpperCase",
            "8-split-characters",
            "8-repeat",
            "8-padStart",
            "8-JSON.parse",
            "8-JSON.stringify",
            "8-a-long-sum",
            "8-comparing",
            "10-printed",
            "10-divided",
            "15-buffers",
            "15-strings",
            "35-a-chain-without-end",
            "35-a-chain-of-100,000",
        ),
        _LOOPS,
    ),
    "17-host-calls": _CALLS,
}
