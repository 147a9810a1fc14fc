"""What a file of tests declares, as the guest says it; and what of it is to be run.

All of it is the guest's word: it is checked where it is read.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from enum import IntFlag
from typing import Final, Literal, get_args

from sandbox._records import field, record
from sandbox._stack import Frame, parse
from sandbox.errors import GuestProtocolError

Mode = Literal["run", "skip", "only", "todo"]
_MODES: Final = frozenset(get_args(Mode))
_MAX_NODES: Final = 100_001
_MAX_NAME_CHARS: Final = 10_000
_MAX_TIMEOUT_MS: Final = 24 * 3600 * 1000.0
_MAX_RETRIES: Final = 100
_FIELDS: Final = 10
ROOT: Final = 0
"""The suite around all others, which has no name."""


class Hooks(IntFlag):
    """Which hooks a suite has, as bits of the guest's answer."""

    BEFORE_ALL = 1
    BEFORE_EACH = 2
    AFTER_EACH = 4
    AFTER_ALL = 8


@record(frozen=True, slots=True)
class Node:
    """A suite or a test.

    Attributes:
        id: What the guest knows it by.
        parent: The suite that it stands in; -1: it stands in none.
        is_suite: Whether it is a suite.
        name: Its title.
        mode: What its author says of it.
        timeout_ms: Of its own; None: that of the run.
        retries: Of its own; None: those of the run.
        fails: Whether it is to fail.
        is_concurrent: Whether it may run beside its neighbours.
        place: Where it is declared; None: unknown.
        hooks: Those of a suite.
    """

    id: int
    parent: int
    is_suite: bool
    name: str
    mode: Mode
    timeout_ms: float | None
    retries: int | None
    fails: bool
    is_concurrent: bool
    place: Frame | None
    hooks: Hooks


@record(slots=True)
class Plan:
    """All that a file declares.

    Attributes:
        nodes: By id.
        children: Of each suite, in the order of the file.
    """

    nodes: list[Node]
    children: dict[int, list[Node]] = field(default_factory=dict)

    @property
    def tests(self) -> list[Node]:
        """The tests, in the order of the file."""
        return [node for node in self.nodes if not node.is_suite]

    def path(self, node: Node) -> tuple[str, ...]:
        """Names of the suites around a node and its own, the outermost first."""
        names: list[str] = []
        while node.id != ROOT:
            names.append(node.name)
            node = self.nodes[node.parent]
        return tuple(reversed(names))

    def around(self, node: Node) -> Iterator[Node]:
        """The suites around it, the innermost first."""
        while node.parent >= 0:
            node = self.nodes[node.parent]
            yield node

    def shuffled(self, seed: int) -> None:
        """Put the children of each suite in another order, the same for the same seed."""
        draw = random.Random(seed)  # noqa: S311 - an order, no secret
        for children in self.children.values():
            draw.shuffle(children)

    def modes(self, pattern: re.Pattern[str] | None) -> dict[int, Mode | Literal["excluded"]]:
        """What becomes of each test.

        Args:
            pattern: Is looked for in the full name of each; those that do not fit are not run.

        Returns:
            By id: `"run"`, `"skip"`, `"todo"`, or `"excluded"`, where another one is meant by `only` or by the pattern.
        """
        only = {node.id for node in self.nodes if node.mode == "only"}
        # Where something inside a suite that is `only` is `only` itself, that alone is meant.
        narrowed = {suite.id for node in self.nodes if node.id in only for suite in self.around(node)}
        meant = only - narrowed
        found: dict[int, Mode | Literal["excluded"]] = {}
        for test in self.tests:
            suites = [test, *self.around(test)]
            if pattern is not None and not _fits(pattern, self.path(test)):
                found[test.id] = "excluded"
            elif any(each.mode == "skip" for each in suites):
                found[test.id] = "skip"
            elif any(each.mode == "todo" for each in suites):
                found[test.id] = "todo"
            elif meant and not any(each.id in meant for each in suites):
                found[test.id] = "excluded"
            else:
                found[test.id] = "run"
        return found


def _fits(pattern: re.Pattern[str], path: tuple[str, ...]) -> bool:
    return pattern.search(" > ".join(path)) is not None or pattern.search(" ".join(path)) is not None


def read_plan(answer: object) -> Plan:
    """Read what a guest says it has declared.

    Raises:
        GuestProtocolError: It is no plan.
    """
    if type(answer) is not list or not 1 <= len(answer) <= _MAX_NODES:
        raise GuestProtocolError("the plan of the tests is none")
    plan = Plan([])
    for number, entry in enumerate(answer):
        node = _node(number, entry)
        if node.id != ROOT:
            if not 0 <= node.parent < number or not plan.nodes[node.parent].is_suite:
                raise GuestProtocolError("a test stands in no suite")
            plan.children[node.parent].append(node)
        elif not node.is_suite or node.parent != -1:
            raise GuestProtocolError("the plan of the tests has no root")
        if node.is_suite:
            plan.children[node.id] = []
        plan.nodes.append(node)
    return plan


def _node(number: int, entry: object) -> Node:
    if type(entry) is not list or len(entry) != _FIELDS:
        raise GuestProtocolError("a test has other parts")
    parent, is_suite, name, mode, timeout_ms, retries, fails, is_concurrent, place, hooks = entry
    whole = (parent, retries, hooks)
    if any(type(each) is not int for each in whole) or any(type(each) is not bool for each in (is_suite, fails)):
        raise GuestProtocolError("a test has other parts")
    if type(name) is not str or mode not in _MODES or type(place) is not str or type(is_concurrent) is not bool:
        raise GuestProtocolError("a test has other parts")
    if type(timeout_ms) not in (int, float) or not -1 <= timeout_ms < float("inf"):
        raise GuestProtocolError("a test has no such timeout")
    if not -1 <= retries <= _MAX_RETRIES or not 0 <= hooks < 16:
        raise GuestProtocolError("a test has other parts")
    frames = parse(place[:_MAX_NAME_CHARS])
    return Node(
        number,
        parent,
        is_suite,
        name if len(name) <= _MAX_NAME_CHARS else name[:_MAX_NAME_CHARS] + "…",
        mode,
        None if timeout_ms < 0 else min(float(timeout_ms), _MAX_TIMEOUT_MS),
        None if retries < 0 else retries,
        fails,
        is_concurrent,
        frames[0] if frames else None,
        Hooks(hooks),
    )
