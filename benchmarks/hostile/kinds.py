"""The kinds of outcome of a case, the same for all engines.

| Kind | What happened |
|---|---|
| value | it ended, with a value |
| js | an error of the guest's own |
| cpu, wall, fuel | this time limit was reached; "time" where an engine knows one only |
| memory, stack, output, limit | this limit was reached, or another |
| conversion | a value could not cross |
| stalled | it waits for what can never happen |
| refused, busy, closed, dead | what was asked is not allowed, or the sandbox is in use, closed, beyond use |
| host | what the host's own function raised came back as it was |
| foreign | an error that is none of the engine's |
| not offered | the engine has no such thing |
"""

from __future__ import annotations

TIME = frozenset({"cpu", "wall", "fuel", "time"})
LIMITS = TIME | {"memory", "stack", "output", "limit"}
REFUSALS = LIMITS | {"js", "conversion", "stalled", "refused", "busy", "closed"}


def is_among(kind: str, expected: frozenset[str]) -> bool:
    """Whether a kind is one of those expected; "time" stands for every kind of time."""
    return kind in expected or (kind in TIME and "time" in expected) or (kind == "time" and bool(expected & TIME))
