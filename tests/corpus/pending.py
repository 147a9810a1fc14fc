"""Cases that fail today, each with what it waits for. They are marked xfail, and nothing else about them differs."""

from __future__ import annotations

PENDING: dict[str, str] = {}
