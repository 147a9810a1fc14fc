"""What programs were made from, and the places of a stack as places of that.

A guest runs what was made of a source: this package erases types itself, and compilers and bundlers leave source maps.
Nothing of it is read before somebody looks at a stack.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from sandbox import _stack
from sandbox._portable import Portable
from sandbox._records import NamedTuple, replace

if TYPE_CHECKING:
    from sandbox._stack import Frame

Mappings = tuple[tuple[int, int, int, int], ...]
"""Line, column, line of the source, column of the source; from 0, columns in units of UTF-16, sorted."""
Offered = str | bytes | Callable[[], "str | bytes | None"]
"""The JSON of a source map, or what gives it: called when somebody looks at a stack; None: there is none."""

# A URL longer than this holds no map; see `MAX_MAP_CHARS` of source maps.
_MAX_URL_CHARS: Final = 64 << 20
_MAX_ERRORS: Final = 100
_MARK: Final = "sourceMappingURL="
# Compiled by who needs them first: few programs have a map.
_OPENING: Final = r"/[/*][#@][ \t]+\Z"
_WORD: Final = r"\S*+"
_REST: Final = r"(?:\s|//[^\n\r\u2028\u2029]*+)*+\Z"


class Program(str):
    """The text of a program, as its author knows it, and what the guest has of it. Pickled, it is plain text.

    Attributes:
        generated: What the guest runs in its place; None: the text itself.
        mappings: From that to the text; None: every place is where it was.
        source_map: Where the text itself comes from; None, or where it gives none: the map that its last comment holds.
    """

    __slots__ = ("generated", "mappings", "source_map")

    generated: str | None
    mappings: Mappings | None
    source_map: Offered | None

    def __new__(
        cls,
        text: str,
        *,
        generated: str | None = None,
        mappings: Mappings | None = None,
        source_map: Offered | None = None,
    ) -> Program:
        """Make one; the arguments are its attributes."""
        program = super().__new__(cls, text)
        program.generated, program.mappings, program.source_map = generated, mappings, source_map
        return program

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)


def chars_of(text: str) -> int:
    """How much text a program holds, with what was made of it."""
    return len(text) + len(text.generated or "") if type(text) is Program else len(text)


class Traced(NamedTuple):
    """A stack in terms of sources.

    Attributes:
        frames: The calls.
        sources: The programs, and the sources that the calls point into.
    """

    frames: tuple[Frame, ...]
    sources: Mapping[str, str]


class Located:
    """What has a place in a program: a stack, which is read when somebody asks for it.

    Attributes:
        stack: The guest's stack as text; empty: it is not known.
        sources: Programs by file name; once `frames` was read, also what the calls point into.
    """

    stack: str = ""
    sources: Mapping[str, str] = MappingProxyType({})

    def locate(self, stack: str, sources: Mapping[str, str]) -> None:
        """Tell it where it belongs."""
        self.stack, self.sources = stack, sources
        self.__dict__.pop("frames", None)

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The stack, parsed; innermost call first. Lines and columns count from 1.

        Where a program has a source map, or its types were erased, these are places of what it was made from.
        """
        traced = trace(_stack.parse(self.stack), self.sources)
        self.sources = traced.sources
        return traced.frames

    @property
    def place(self) -> Frame | None:
        """Where in the program it is, its innermost frame; the column counts characters. None: not known."""
        return _stack.place(self.frames, self.sources)

    def render(self, source: str | None = None, *, color: bool = False, columns: int | None = None) -> str:
        """Describe it for a terminal: the code around its place, a caret, the stack; of an error, what caused it.

        Control characters are made visible, so that guest text cannot steer a terminal. Long text is cut.

        Args:
            source: The program, when it is not in `sources`.
            color: Use ANSI colors.
            columns: How wide the terminal is. Lines of code are cut to fit, around the place; None: to 100 characters.
        """
        return self._shown(source, color=color, columns=columns)

    def _shown(self, source: str | None, *, color: bool, columns: int | None) -> str:
        return _stack.render(str(self), self.frames, self.sources, source, color=color, columns=columns)

    def _settle_frames(self) -> None:
        """What leads from a program to its sources stays behind when this is pickled."""
        if any(type(text) is Program for text in self.sources.values()):
            _ = self.frames


class Traceable(Located, Portable):
    """What is thrown: an error with a stack, and with others that it came of.

    Attributes:
        properties: Its own properties.
        hint: What to do about it; empty: that is not known.
    """

    properties: dict[str, Any]
    hint: str = ""

    def know(self, sources: Mapping[str, str]) -> None:
        """Tell it, and the errors that it came of, which programs there are."""
        known: set[int] = set()
        left: list[Traceable] = [self]
        while left and len(known) < _MAX_ERRORS:
            error = left.pop()
            known.add(id(error))
            error.sources = sources
            error.__dict__.pop("frames", None)
            members = error.properties.get("errors")
            held = [error.properties.get("cause"), *(members[:_MAX_ERRORS] if isinstance(members, list) else ())]
            left += [each for each in held if isinstance(each, Traceable) and id(each) not in known]

    def _portable_state(self, done: dict[int, Any], depth: int) -> tuple[Any, Any]:
        self._settle_frames()
        return super()._portable_state(done, depth)


def trace(frames: Sequence[Frame], sources: Mapping[str, str]) -> Traced:
    """Lead the calls of a stack back to what their programs were made from.

    A map that is damaged or too large, or that its owner fails to give, is as none.

    Args:
        frames: As the guest tells them.
        sources: Programs by file name.
    """
    calls: dict[str, list[int]] = {}
    for index, frame in enumerate(frames):
        if frame.file in sources and frame.line is not None:
            calls.setdefault(frame.file or "", []).append(index)
    traced = list(frames)
    originals: dict[str, str] = {}
    for file, indices in calls.items():
        text = sources[file]
        program = text if isinstance(text, Program) else None
        if program is None and _MARK not in text:
            continue
        found = [traced[index] for index in indices]
        if program is not None and program.generated is not None:
            found = _undone(found, program, program.generated)
        if program is None or program.source_map is not None or _MARK in text:
            found = _mapped(found, file, text, None if program is None else program.source_map, sources, originals)
        for index, frame in zip(indices, found, strict=True):
            traced[index] = frame
    return Traced(tuple(traced), {**sources, **originals} if originals else sources)


def _undone(frames: Sequence[Frame], program: Program, generated: str) -> list[Frame]:
    """Calls in what was made of a program, as calls in the program."""
    mappings = program.mappings
    if mappings is None and program.isascii():
        return list(frames)
    from bisect import bisect_right  # few programs have mappings

    lines, source_lines = _stack.lines_of(generated), _stack.lines_of(program)
    undone: list[Frame] = []
    for frame in frames:
        line, column = _place(frame, lines)
        if mappings is not None:
            at = bisect_right(mappings, (line, column, _LAST, _LAST)) - 1
            if at >= 0 and mappings[at][0] == line:
                begin, line, source_column = mappings[at][1:]
                column = source_column + (column - begin)
        undone.append(_frame(frame, frame.file, line, column, source_lines))
    return undone


_LAST: Final = 1 << 62


def _mapped(
    frames: list[Frame],
    file: str,
    text: str,
    offered: Offered | None,
    sources: Mapping[str, str],
    originals: dict[str, str],
) -> list[Frame]:
    """Calls in a program as its source map says them. The sources that they point into are added to `originals`."""
    from sandbox import _source_maps  # few programs have one

    lines = _stack.lines_of(text)
    try:
        content = _content(text, offered)
        if content is None:
            return frames
        found = _source_maps.read(content, file).originals([_place(frame, lines) for frame in frames])
    except Exception:  # noqa: BLE001 - a map helps to read an error; what is wrong with the map must not hide the error
        return frames
    mapped: list[Frame] = []
    split: dict[str, list[str]] = {}
    for frame, original in zip(frames, found, strict=True):
        if original is None:
            mapped.append(frame)
            continue
        name = original.name
        if original.text is not None and (name not in sources or name == file):
            originals[name] = original.text
        if name not in split:
            split[name] = _stack.lines_of(originals.get(name, sources.get(name, "")))
        mapped.append(_frame(frame, name, original.line, original.column, split[name]))
    return mapped


def _content(text: str, offered: Offered | None) -> str | bytes | None:
    content = offered() if callable(offered) else offered
    if content is not None:
        return content
    url = url_in(text)
    return None if url is None else inline(url)


# --- places -----------------------------------------------------------------------------------------------------------


def _place(frame: Frame, lines: Sequence[str]) -> tuple[int, int]:
    """Line and column from 0, in units of UTF-16."""
    number = (frame.line or 1) - 1
    if frame.column is None:
        return number, 0
    text = lines[number] if number < len(lines) else ""
    before = text.encode("utf-8", "surrogatepass")[: frame.column - 1]
    # A character of four bytes is two units, and any other one.
    return number, sum((byte & 0xC0 != 0x80) + (byte >= 0xF0) for byte in before)


def _frame(frame: Frame, file: str | None, line: int, column: int, lines: Sequence[str]) -> Frame:
    """A call at another place, whose column counts bytes again, where its line is known."""
    if frame.column is None:
        return replace(frame, file=file, line=line + 1)
    if line < len(lines):
        units = lines[line].encode("utf-16-le", "surrogatepass")[: 2 * column]
        known = units.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass")
        column += len(known) - len(units) // 2
    return replace(frame, file=file, line=line + 1, column=column + 1)


# --- where a program says its map is ----------------------------------------------------------------------------------


def url_in(code: str) -> str | None:
    """The URL in the comment at a program's end that says where its map is; None: there is no such comment."""
    at = code.rfind(_MARK)
    opening = re.compile(_OPENING).search(code, max(0, at - 16), at) if at > 0 else None
    if opening is None:
        return None
    begin = at + len(_MARK)
    if opening[0].startswith("/*"):
        end = code.find("*/", begin)
        url, rest = code[begin:end].strip(), end + 2
        if end < 0:
            return None
    else:
        word = re.compile(_WORD).match(code, begin)
        url, rest = (word[0], word.end()) if word else ("", begin)
    return url if url and re.compile(_REST).match(code, rest) else None


def inline(url: str) -> bytes | None:
    """The map in a `data:` URL, base64 or percent-encoded; None: it is another URL.

    Raises:
        ValueError: It is damaged, or too large.
    """
    if url[:5].lower() != "data:":
        return None
    head, comma, data = url[5:].partition(",")
    if not comma or len(data) > _MAX_URL_CHARS:
        raise ValueError("the URL of the source map has no data, or too much")
    import binascii  # seldom wanted
    from urllib.parse import unquote_to_bytes

    content = unquote_to_bytes(data)
    if head.lower().replace(" ", "").endswith(";base64"):
        return binascii.a2b_base64(content)  # whose error is a ValueError
    return content
