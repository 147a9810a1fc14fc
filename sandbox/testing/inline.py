"""Inline snapshots, written into the program that asks for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sandbox._records import record

_CALL: Final = re.compile(r"\b(?:toMatchInlineSnapshot|toThrowErrorMatchingInlineSnapshot)\s*\(")
_INDENT: Final = re.compile(r"[ \t]*")
_BLANK: Final = re.compile(r"(?:\s|//[^\n]*\n|/\*.*?\*/)*", re.DOTALL)
_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}


class InlineError(ValueError):
    """There is no call at the place where one was made."""


@record(frozen=True, slots=True)
class Edit:
    """A snapshot that is to stand in a program.

    Attributes:
        line: Of the call, from 1.
        column: From 1, in bytes of the line's UTF-8.
        text: The snapshot.
    """

    line: int
    column: int
    text: str


def rewrite(source: str, edits: Sequence[Edit]) -> str:
    """Put snapshots where they are asked for.

    Raises:
        InlineError: There is no such call there: the file was changed meanwhile, or the place is a wrong one.
    """
    found = sorted((_place(source, edit) for edit in edits), reverse=True)
    for start, end, text in found:
        source = source[:start] + text + source[end:]
    return source


def _place(source: str, edit: Edit) -> tuple[int, int, str]:
    """What is replaced, and by what."""
    lines = source.splitlines(keepends=True)
    if edit.line > len(lines):
        raise InlineError(f"there is no line {edit.line}")
    before = lines[edit.line - 1].encode("utf-8", "surrogatepass")[: edit.column - 1]
    at = sum(map(len, lines[: edit.line - 1])) + len(before.decode("utf-8", "ignore"))
    # The engine names the place of the dot or of the name behind it, which may be on one of the next lines.
    call = _CALL.search(source, max(0, at - 2))
    if call is None or source.count("\n", at, call.start()) > 50:
        raise InlineError(f"there is no inline snapshot at line {edit.line}")
    indent = _INDENT.match(lines[source.count("\n", 0, call.start())])
    literal = _literal(edit.text, indent[0] if indent else "")
    arguments = _arguments(source, call.end())
    start, end = arguments[-1]
    blank = _BLANK.match(source, start, end)
    first = blank.end() if blank else start
    if source[first : first + 1] in ("`", '"', "'"):
        return first, _end_of_string(source, first), literal
    if source[start:end].strip():
        return end, end, f", {literal}"
    return start, end, literal


def escaped(text: str) -> str:
    """A text as it stands in a template of JavaScript."""
    return text.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")


def _literal(text: str, indent: str) -> str:
    literal = escaped(text)
    if "\n" not in literal:
        return f"`{literal}`"
    inner = "".join(f"{indent}  {line}\n" if line else "\n" for line in literal.split("\n"))
    return f"`\n{inner}{indent}`"


def _arguments(source: str, start: int) -> list[tuple[int, int]]:
    """Where the arguments of a call are, whose bracket was opened just before."""
    found: list[tuple[int, int]] = []
    closing: list[str] = []
    at = first = start
    while at < len(source):
        char = source[at]
        if char in "\"'`":
            at = _end_of_string(source, at)
            continue
        if source.startswith(("//", "/*"), at):
            end = source.find("\n" if source[at + 1] == "/" else "*/", at + 2)
            at = len(source) if end < 0 else end + (1 if source[at + 1] == "/" else 2)
            continue
        if char in _PAIRS:
            closing.append(_PAIRS[char])
        elif closing and char == closing[-1]:
            closing.pop()
        elif not closing and char in ",)":
            # A comma may follow the last argument.
            if char == "," or source[first:at].strip() or not found:
                found.append((first, at))
            first = at + 1
            if char == ")":
                return found
        at += 1
    raise InlineError("a call is not closed")


def _end_of_string(source: str, start: int) -> int:
    quote, at = source[start], start + 1
    while at < len(source):
        if source[at] == "\\":
            at += 2
        elif source[at] == quote:
            return at + 1
        elif quote == "`" and source.startswith("${", at):
            at = _end_of_substitution(source, at + 2)
        else:
            at += 1
    raise InlineError("a string is not closed")


def _end_of_substitution(source: str, at: int) -> int:
    depth = 1
    while at < len(source):
        if source[at] in "\"'`":
            at = _end_of_string(source, at)
            continue
        depth += {"{": 1, "}": -1}.get(source[at], 0)
        at += 1
        if not depth:
            return at
    raise InlineError("a template is not closed")
