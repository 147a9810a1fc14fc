"""A worker that notes what it does and crashes in the middle of it: the supervisor must be able to tell."""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
from pathlib import Path

from tests.soak.journal import Journal


def main() -> None:
    """Begin life 7 on the first thread and life 8 on the second, then end without a word."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--journal", type=Path)
    options, _ = parser.parse_known_args()
    faulthandler.enable()
    journal = Journal(options.journal)
    journal.write(0, 7, -1)
    journal.write(0, 7, 2)
    journal.write(1, 8, 0)
    sys.stdout.write('{"failure": {"seed": 6, "title": "before", "traceback": ""}}\n')
    sys.stdout.flush()
    os.abort()


if __name__ == "__main__":
    main()
