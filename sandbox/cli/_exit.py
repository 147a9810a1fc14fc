"""The exit statuses of the command."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the command ends with."""

    OK = 0
    # The program threw, was refused by the parser, left a rejection unhandled, or waits for what can never happen. The
    # last is its author's to mend as well: no larger limit would help.
    GUEST_ERROR = 1
    USAGE = 2
    LIMIT = 3
    # The sandbox itself failed: the guest module is missing or does not fit, or the engine crashed.
    FAILURE = 4
    INTERRUPTED = 130
    # What a shell reports for a program that wrote into a pipe nobody reads any more.
    BROKEN_PIPE = 141
