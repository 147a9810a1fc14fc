"""The guest's stack text: parsed into frames, and shown beside the source it points into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sandbox._records import record, replace

_MAX_FRAMES: Final = 200
_SHOWN_FRAMES: Final = 10
_CONTEXT_LINES: Final = 2
_SHOWN_COLUMNS: Final = 100
_LEAST_COLUMNS: Final = 20
# Of a line of code, which may be cut at both ends: the mark, the bar, and the blanks beside them.
_BESIDE_COLUMNS: Final = 7
_CUT: Final = "…"
# Files of the bindings; a program that uses setTimeout has them on its stack, its author has no use for them.
_BINDINGS: Final = "sandbox:"
_TEXT_CHARS: Final = 4_000
_TAB: Final = "    "

_RED, _BOLD, _DIM, _RESET = "\x1b[31m", "\x1b[1m", "\x1b[2m", "\x1b[0m"


@record(frozen=True, slots=True)
class Frame:
    """One call on the guest's stack.

    Attributes:
        function: Its name; None for code outside any function or when the engine does not say.
        file: The file name given to the evaluation or module; None for a function of the engine itself.
        line: From 1; None when unknown.
        column: From 1, counted in bytes of the line's UTF-8, as the engine counts; None when unknown.
    """

    function: str | None
    file: str | None
    line: int | None
    column: int | None

    def __str__(self) -> str:
        place = self.file or "native"
        if self.line is not None:
            place += f":{self.line}" if self.column is None else f":{self.line}:{self.column}"
        return f"{self.function} ({place})" if self.function else place


def parse(stack: str) -> tuple[Frame, ...]:
    """Parse stack text of the engine. Lines that are no call are left out: a guest may write any text there."""
    lines = (line.strip() for line in stack.splitlines())
    return tuple(_frame(line[3:]) for line in [line for line in lines if line.startswith("at ")][:_MAX_FRAMES])


def _frame(text: str) -> Frame:
    function: str | None = None
    place = text
    if text.endswith(")"):
        function, separator, inner = text[:-1].rpartition(" (")
        if separator:
            place = inner
    if function in ("<anonymous>", "<eval>", ""):
        function = None
    if place in ("native", "missing"):
        return Frame(function, None, None, None)
    rest, last = _number_after_colon(place)
    file, first = _number_after_colon(rest)
    if first is None:
        return Frame(function, rest, last, None)
    return Frame(function, file, first, last)


def _number_after_colon(text: str) -> tuple[str, int | None]:
    head, _, tail = text.rpartition(":")
    if head and len(tail) < 10 and tail.isascii() and tail.isdigit():
        return head, int(tail)
    return text, None


def render(
    title: str,
    frames: Sequence[Frame],
    sources: Mapping[str, str],
    source: str | None,
    *,
    color: bool,
    columns: int | None = None,
) -> str:
    """Show an error: its title, the code at its innermost known place, and its stack.

    Frames of the bindings are left out, and calls that repeat are counted. Lines of code are cut around the place, so
    that they fit into so many columns.
    """
    bold, red, dim, reset = (_BOLD, _RED, _DIM, _RESET) if color else ("", "", "", "")
    frames = _of_the_program(frames, sources)
    parts = [f"{bold}{red}{_visible(title)}{reset}"]
    for frame in frames:
        text = sources.get(frame.file) if frame.file is not None else None
        if text is None and frame.file is not None:
            text = source
        if text is not None and frame.line is not None:
            parts.extend(_code_frame(text, frame, columns, dim, red, reset))
            break
    parts.extend(f"{dim}    {_visible(line)}{reset}" for line in _calls(frames))
    return "\n".join(parts)


def place(frames: Sequence[Frame], sources: Mapping[str, str]) -> Frame | None:
    """The innermost frame with a place in the program, its column counted in characters where its source is known."""
    for frame in _of_the_program(frames, sources):
        if frame.file is None or frame.line is None:
            continue
        lines = lines_of(sources.get(frame.file, ""))
        if frame.column is None or frame.line > len(lines):
            return frame
        return replace(frame, column=_characters(lines[frame.line - 1], frame.column) + 1)
    return None


def lines_of(source: str) -> list[str]:
    """The lines of a program, as the engine counts them."""
    return source.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n").split("\n")


def _of_the_program(frames: Sequence[Frame], sources: Mapping[str, str]) -> list[Frame]:
    """The frames without those of the bindings, and without the engine's functions that they or the host called."""
    kept: list[Frame] = []
    for frame in frames:
        if frame.file is None or not frame.file.startswith(_BINDINGS) or frame.file in sources:
            kept.append(frame)
        else:
            _drop_engine_functions(kept)
    if any(frame.file is not None for frame in kept):
        _drop_engine_functions(kept)
    return kept


def _drop_engine_functions(frames: list[Frame]) -> None:
    while frames and frames[-1].file is None:
        frames.pop()


def _calls(frames: Sequence[Frame]) -> Iterator[str]:
    """The lines of a stack, innermost call first; equal neighbours share one."""
    shown = position = 0
    while position < len(frames) and shown < _SHOWN_FRAMES:
        frame, first = frames[position], position
        while position < len(frames) and frames[position] == frame:
            position += 1
        times = position - first
        yield f"at {frame}" if times == 1 else f"at {frame} [{times} times]"
        shown += 1
    if position < len(frames):
        yield f"... {len(frames) - position} more"


def _code_frame(source: str, frame: Frame, columns: int | None, dim: str, red: str, reset: str) -> list[str]:
    lines = lines_of(source)
    line = frame.line or 1
    if line > len(lines):
        return []
    at = _characters(lines[line - 1], frame.column)
    first, last = max(1, line - _CONTEXT_LINES), min(len(lines), line + _CONTEXT_LINES)
    width = len(str(last))
    room = _SHOWN_COLUMNS if columns is None else max(columns - width - _BESIDE_COLUMNS, _LEAST_COLUMNS)
    skipped = _start(lines[line - 1], at, room * 2 // 3)
    place = f"{frame.file}:{line}" if frame.column is None else f"{frame.file}:{line}:{at + 1}"
    parts = [f"{dim}  --> {_visible(place)}{reset}"]
    for number in range(first, last + 1):
        mark, style = (">", red) if number == line else (" ", dim)
        # A line that ends before the window is no context there: its beginning is.
        start = skipped if number == line or skipped < len(lines[number - 1]) else 0
        shown = _window(lines[number - 1], start, room)
        parts.append(f"{style}{mark} {number:>{width}} |{reset} {shown}".rstrip())
        if number == line and frame.column is not None:
            before = _visible_line(lines[number - 1][skipped:at])
            indent = _columns(_CUT + before if skipped else before)
            parts.append(f"{dim}  {'':>{width}} |{reset} {' ' * indent}{red}^{reset}")
    return parts


def _start(line: str, at: int, room: int) -> int:
    """The index from which so many columns lead to that of a character, or fewer."""
    start = min(at, len(line))
    while start > 0:
        room -= _columns(_visible_line(line[start - 1]))
        if room < 0:
            break
        start -= 1
    return start


def _window(line: str, start: int, room: int) -> str:
    """So many columns of a line from an index on, with a mark where it goes on."""
    end = start
    while end < len(line):
        room -= _columns(_visible_line(line[end]))
        if room < 0:
            break
        end += 1
    shown = _visible_line(line[start:end])
    if start > 0 and line:
        shown = _CUT + shown
    return shown + _CUT if end < len(line) else shown


def _characters(line: str, column: int | None) -> int:
    """The index of the character at a column that counts bytes from 1."""
    if column is None:
        return 0
    before = line.encode("utf-8", "surrogatepass")[: column - 1]
    return sum(byte & 0xC0 != 0x80 for byte in before)


def _columns(text: str) -> int:
    """How many terminal columns a text takes."""
    import unicodedata  # for terminals only

    return sum(2 if unicodedata.east_asian_width(char) in "WF" else not unicodedata.combining(char) for char in text)


def _visible_line(text: str) -> str:
    return "".join(_TAB if char == "\t" else _visible_character(char) for char in text)


def _visible(text: str) -> str:
    cut = text if len(text) <= _TEXT_CHARS else text[:_TEXT_CHARS] + "…"
    return "".join(char if char == "\n" else _visible_character(char) for char in cut)


def _visible_character(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
