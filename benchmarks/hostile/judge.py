"""What an attempt is worth: the promises of a sandbox, one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.hostile.kinds import LIMITS, REFUSALS, is_among
from tests.corpus.case import NOT_OFFERED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.corpus.case import Case

KILLED_SECONDS = 10.0
SLACK_BYTES = 32 << 20
SLACK_SECONDS = 0.1

SURVIVED = "survived"
VERDICTS = {
    SURVIVED: "all promises were kept",
    NOT_OFFERED: "the engine has nothing that could be attacked in this way",
    "wrong value": "a value came out as another one",
    "wrong error": "an error that is none of the engine's, or a forged one that was believed, or none at all",
    "late": f"it took more than twice its limit, or was killed after {KILLED_SECONDS:.0f} seconds",
    "memory": "resident memory grew by more than the limit and 32 MB",
    "broken": "the sandbox did not work afterwards, and did not say so",
    "other hurt": "a second sandbox of the process did not work afterwards",
    "crash": "the process of the embedder ended",
}
"""Every verdict and what it means, from the best to the worst."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One engine in one case: a key of `VERDICTS`, and the particulars."""

    name: str
    text: str = ""

    @property
    def rank(self) -> int:
        """How bad it is."""
        return list(VERDICTS).index(self.name)


def judge(case: Case, found: Mapping[str, Any], *, strictly: bool) -> Verdict:
    """Judge an attempt.

    Args:
        case: The case.
        found: What `benchmarks.hostile.stage.attempt` returned.
        strictly: Whether exactly the expected kind of outcome is right, within the limit and 100 ms (twice the limit
            for what only fuel can end). Otherwise every typed error of an engine's own is right where one is due, so is
            having found a faster way to the end, and late is twice the limit: that is how engines are compared.
    """
    kind, text = found["kind"], found["text"]
    if kind == NOT_OFFERED:
        return Verdict(NOT_OFFERED, text)
    if found["other"] != "usable":
        return Verdict("other hurt", found["other"])
    allowed = {"usable", "closed"} | ({"dead"} if case.fuel or not strictly else set())
    if found["after"] not in allowed:
        return Verdict("broken", found["after"])
    if found["bytes"] > case.memory_bytes + SLACK_BYTES:
        return Verdict("memory", f"{found['bytes'] >> 20} MB more than before, limit {case.memory_bytes >> 20} MB")
    if case.timed and found["seconds"] > _due(case, strictly):
        return Verdict("late", f"{found['seconds']:.2f} s, limit {case.limit_seconds} s")
    if found["closing"] not in {"value", "closed"}:
        return Verdict("broken", f"closing it: {found['closing']}")
    if kind == "value" and found["right"] is False:
        return Verdict("wrong value", text)
    if not (is_among(kind, case.ends) or (not strictly and _is_fair(kind, case))):
        return Verdict("wrong error", f"{kind}: {text}")
    return Verdict(SURVIVED, kind)


def _due(case: Case, strictly: bool) -> float:
    """When an attempt is late, in seconds since it began."""
    return 2 * case.limit_seconds + SLACK_SECONDS if case.fuel or not strictly else case.limit_seconds + SLACK_SECONDS


def _is_fair(kind: str, case: Case) -> bool:
    """Whether an outcome that is not the expected one still keeps every promise."""
    if case.ends & LIMITS:
        # It was to end by a limit, and ended by another one, or found a shorter way.
        return kind in REFUSALS or (kind == "value" and not case.values)
    if case.ends <= {"js"}:
        return kind in {"js", "conversion", "stack"}  # a limit would be a claim of the guest's that was believed
    return kind in REFUSALS - LIMITS - {"js"} and bool(case.ends & REFUSALS)
