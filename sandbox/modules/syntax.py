"""Whether a JavaScript text is an ECMAScript module by its syntax, for files whose package does not say."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = re.compile(r"\b(?:import|export)\b")
# What matters for finding the words outside of comments, strings, templates and regular expressions. Everything is
# matched possessively or without overlap, so the time is linear in the length as long as strings and the like end.
_TOKENS: Final = re.compile(
    r"""
      (?P<space> [\s\ufeff]++ | //[^\n\u2028\u2029]*+ | /\*(?s:.*?)\*/ | \A\#![^\n]*+ )
    | (?P<string> "(?:[^"\\\n]|\\(?s:.))*+" | '(?:[^'\\\n]|\\(?s:.))*+' )
    | (?P<number> \.?[0-9](?:[eE][+-]|[\w.])*+ )
    | (?P<word> [\w$\#\\]++ )
    | (?P<open> ["'] | /\* )
    | (?P<sign> => | \+\+ | -- | (?s:.) )
    """,
    re.VERBOSE,
)
_TEMPLATE: Final = re.compile(r"(?:[^`\\$]|\\(?s:.)|\$(?!\{))*+(`|\$\{|\Z)")
_META: Final = re.compile(r"[\s\ufeff]*+meta\b")
_REGEX: Final = re.compile(r"/(?:[^/\\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*+\])++/\w*+")
# After these words an expression begins, so a slash opens a regular expression.
_BEFORE_EXPRESSION: Final = frozenset(
    {
        *("await", "case", "default", "delete", "do", "else", "extends", "in", "instanceof", "new", "of", "return"),
        *("throw", "typeof", "void", "yield"),
    }
)
_BEFORE_CONDITION: Final = frozenset({"if", "while", "for", "with"})
_BLOCK_AFTER: Final = frozenset({"", ")", ";", "{", "}", "=>", "else", "do", "try", "finally"})
# Strings and regular expressions without an end that are passed over: so often, a slash may be misread.
_MAX_UNENDED: Final = 20
_DECLARED: Final = frozenset({"default", "const", "let", "var", "function", "class", "async"})


def has_module_syntax(text: str) -> bool:
    """Whether an `import` or `export` declaration, or `import.meta`, stands in it.

    The text is cut into tokens, not parsed: of a text that is not JavaScript, the answer means nothing.
    """
    if not _WORDS.search(text):
        return False
    at, end = 0, len(text)
    before, earlier = "", ""  # the last tokens
    # Of each open bracket, what kind of thing ends with it: "block", "condition", "template", or another expression.
    open_brackets: list[str] = []
    closed = ""
    unended = 0
    while at < end and unended < _MAX_UNENDED:
        token = _TOKENS.match(text, at)
        if token is None:
            return False
        at = token.end()
        kind, value = token.lastgroup, token[0]
        if kind == "space":
            continue
        if kind == "word":
            if (
                value in ("import", "export")
                and before != "."
                and _declares(value, text, at, nested=bool(open_brackets))
            ):
                return True
        elif kind == "sign":
            if value == "/" and _begins_expression(before, earlier, closed):
                regex = _REGEX.match(text, at - 1)
                if regex:
                    at, value = regex.end(), '"'
                else:
                    unended += 1
            elif value == "`" or (value == "}" and open_brackets[-1:] == ["template"]):
                if value == "}":
                    open_brackets.pop()
                template = _TEMPLATE.match(text, at)
                if template is None:
                    return False
                at, value = template.end(), '"'
                if template[1] == "${":
                    open_brackets.append("template")
                    value = "{"
            elif value in "([{":
                open_brackets.append(_opens(value, before))
            elif value in ")]}":
                closed = open_brackets.pop() if open_brackets else ""
        elif kind == "string":
            value = '"'
        elif kind == "open":
            unended += 1
        earlier, before = before, value
    return False


def _declares(word: str, text: str, at: int, *, nested: bool) -> bool:
    """Whether the word before a place begins a declaration, by what follows it."""
    token = _TOKENS.match(text, at)
    while token and token.lastgroup == "space":
        at = token.end()
        token = _TOKENS.match(text, at)
    if token is None:
        return False
    value = token[0]
    if word == "import" and value == ".":
        return _META.match(text, token.end()) is not None
    if nested:
        return False
    if word == "export":
        return value in ("{", "*") or value in _DECLARED
    return value in ("{", "*") or token.lastgroup in ("string", "word")


def _opens(bracket: str, before: str) -> str:
    if bracket == "(":
        return "condition" if before in _BEFORE_CONDITION else "expression"
    return "block" if bracket == "{" and before in _BLOCK_AFTER else "expression"


def _begins_expression(before: str, earlier: str, closed: str) -> bool:
    """Whether an expression may begin after a token, so that a slash there is no division."""
    if before == ")":
        return closed == "condition"
    if before == "}":
        return closed == "block"
    if before in ("]", '"', "++", "--"):
        return False
    if before[:1].isalnum() or before[:1] in ("_", "$", "#", "\\", "."):
        # A number may begin with a dot; a dot alone is followed by a name, never by a slash.
        return before in _BEFORE_EXPRESSION and earlier != "."
    return True
