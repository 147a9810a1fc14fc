"""What to do about a program that is no JavaScript, though nearly: models send Markdown, and TypeScript without a word.

Looked at when a program has failed, never before: nothing here decides what is run.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sandbox import _stack
from sandbox._origins import Program

if TYPE_CHECKING:
    from sandbox.errors import JSError

_FENCES: Final = ("```", "~~~")
_FENCE: Final = re.compile(r"^[ \t]*(?:```|~~~)[\w+-]*[ \t]*$", re.MULTILINE)
_IS_FENCED: Final = "the program is in a Markdown fence: run what stands between the lines of ``` without these lines"
_IS_TYPED: Final = 'this looks like TypeScript: run it with language="ts", or write it without types'
_IS_MARKUP: Final = 'this looks like JSX: run it with language="jsx", or "tsx" if it has types'

# What stands before the place at which the parser gave up, and from there on. Whatever stands there, looking takes no
# more steps than characters times themselves: no two parts of a pattern that repeat can take the same text.
_TYPES: Final = tuple(
    (re.compile(before), re.compile(rest))
    for before, rest in (
        (r"\b(?:let|const|var)\s+[\w$]+!?\s*$", r"!?\s*:\s*[\w$({\[\"']"),  # const n: number
        (r"[{;]\s*(?:\w+\s+)*#?[\w$]+\s*$|^\s*(?:\w+\s+)*#?[\w$]+\s*$", r"[?!]?\s*:\s*[\w$({\[\"']"),  # a field
        (r"\([^()]*[\w$}\]]\s*$", r"\??\s*:\s*[\w$({\[\"']"),  # a parameter
        (r"\([^()]*[\w$]\s*$", r"\?\s*[,)]"),  # an optional one
        (r"\)\s*$", r":\s*[\w$({\[\"']"),  # what a function returns
        (r"[\w$)\]}\"'`]\s*$", r"(?:as|satisfies)\s+[\w$({\[\"']"),
        (r"[\w$)\]]$", r"!\s*[.\[(;,)]"),
        (r"\b(?:type|interface|namespace|declare|abstract|private|public|protected|readonly|override)\s+$", r"[\w$]"),
        (r"\([^()]*$", r"(?:public|private|protected|readonly)\s+[\w$]"),
        (r"\b(?:import|export)\s+$", r"type\b"),
        (r"(?:^|[;}]|\bconst|\bexport)\s*$", r"(?:const\s+)?enum\s+[\w$]"),
        (r"\b(?:function|class)\b[^<({]*$", r"<"),
    )
)
_TYPED_CALL: Final = re.compile(r"\bnew\s+[\w$.]+<[\w$.,\s\[\]|<>]+>\s*\(")
_MARKUP: Final = re.compile(r"<(?:[A-Za-z][\w.:-]*[\s/>]|>)")


def explain(error: JSError, *, is_javascript: bool = True) -> None:
    """Say in an error what would help, if that is known; Python's own tracebacks tell it too.

    Args:
        error: The error, which knows its programs.
        is_javascript: Whether nobody has said that the program is in another language.
    """
    if hint := _hint(error, is_javascript=is_javascript):
        error.hint = hint
        error.add_note(hint)


def _hint(error: JSError, *, is_javascript: bool) -> str:
    line, _, _ = error.stack.partition("\n")
    (frame,) = _stack.parse(line) or (None,)
    text = "" if frame is None or frame.file is None else error.sources.get(frame.file, "")
    if frame is None or not text:
        return ""
    if text.lstrip().startswith(_FENCES):
        return _IS_FENCED
    if error.name != "SyntaxError" or line.endswith(")"):  # thrown by a program that runs
        return ""
    if _FENCE.search(text):
        return _IS_FENCED
    is_made = isinstance(text, Program) and text.generated is not None
    return "" if is_made or not is_javascript else _of_code(text, frame)


def _of_code(text: str, frame: _stack.Frame) -> str:
    lines = _stack.lines_of(text)
    if frame.line is None or frame.column is None or frame.line > len(lines):
        return ""
    line = lines[frame.line - 1].encode("utf-8", "surrogatepass")
    before, rest = (
        part.decode("utf-8", "replace")[cut]
        for part, cut in ((line[: frame.column - 1], slice(-500, None)), (line[frame.column - 1 :], slice(500)))
    )
    if _MARKUP.match(rest) and not re.search(r"[\w$)\]]\s*$", re.sub(r"\breturn\s*$", "", before)):
        return _IS_MARKUP
    if any(first.search(before) and second.match(rest) for first, second in _TYPES) or _TYPED_CALL.search(
        before + rest
    ):
        return _IS_TYPED
    return ""
