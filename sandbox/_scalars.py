"""JavaScript's values without a Python twin that are not containers: `undefined`, bigint, RegExp, URL, Blob, File."""

from __future__ import annotations

import re
from typing import Final, final

from sandbox._records import record


@final
class Undefined:
    """The type of `undefined`, which has one instance. It is false, and survives copying and pickling."""

    __slots__ = ()
    _only: Undefined | None = None

    def __new__(cls) -> Undefined:
        """Return the one instance."""
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "undefined"

    def __reduce__(self) -> str:
        return "undefined"


undefined: Final = Undefined()
"""JavaScript's `undefined`; `None` is its `null`."""


@final
class BigInt(int):
    """An int that is a bigint in the guest, whatever its size.

    It equals and behaves like the int of the same value; arithmetic gives plain ints. A plain int goes into the guest
    as a number when it is within 2^53 - 1 of zero, and as a bigint beyond, so that no digit is ever lost.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"BigInt({self})"

    def __str__(self) -> str:
        """Decimal digits; hexadecimal ones where the interpreter's limit on decimal conversion is exceeded."""
        try:
            return int.__repr__(self)
        except ValueError:
            return hex(self)


@final
class URL(str):
    """A URL object of the guest, as its `href`; it goes back as a URL.

    Like any text it can be given to whatever takes a URL. The guest parses it when it comes in, and refuses one that is
    invalid.
    """

    __slots__ = ()

    @property
    def href(self) -> str:
        """The same as plain text."""
        return str.__str__(self)

    def __repr__(self) -> str:
        return f"URL({str.__repr__(self)})"


@record(frozen=True, slots=True)
class Blob:
    """Bytes with a type, as a Blob of the guest; it goes back as a Blob. `bytes(blob)` are the bytes.

    Attributes:
        data: The bytes.
        type: A MIME type, empty when it is not known. The guest brings it into its normal form.

    Raises:
        TypeError: The data are not bytes, or the type is no string.
    """

    data: bytes = b""
    type: str = ""

    def __post_init__(self) -> None:
        if not all(isinstance(part, kind) for part, kind in ((self.data, bytes), (self.type, str))):
            raise TypeError("a Blob has bytes and a type, which is a string")

    def __bytes__(self) -> bytes:
        return self.data

    def __len__(self) -> int:
        return len(self.data)

    def __bool__(self) -> bool:
        return True


@final
@record(frozen=True, slots=True)
class File(Blob):
    """A Blob with a name, as a File of the guest; it goes back as a File.

    Attributes:
        name: Not a path; whatever the guest or its user called it.
        last_modified_ms: When it was changed, in milliseconds since the Unix epoch; a whole number.

    Raises:
        TypeError: As for `Blob`; or the name is no string, or the time no int.
    """

    name: str = ""
    last_modified_ms: int = 0

    def __post_init__(self) -> None:
        Blob.__post_init__(self)
        if not all(isinstance(part, kind) for part, kind in ((self.name, str), (self.last_modified_ms, int))):
            raise TypeError("a File has a name and a time in whole milliseconds")


_FLAGS: Final = "dgimsuvy"
_PYTHON_FLAGS: Final = ((re.IGNORECASE, "i"), (re.MULTILINE, "m"), (re.DOTALL, "s"))
_PYTHON_ONLY_FLAGS: Final = re.VERBOSE | re.LOCALE | re.DEBUG
_PYTHON_ONLY_SYNTAX: Final = ("(?P", "(?#", "\\A", "\\Z")


@final
@record(frozen=True, slots=True)
class RegExp:
    """A JavaScript regular expression: its source and flags. Python never runs it.

    Attributes:
        source: The pattern between the slashes, in JavaScript's syntax.
        flags: Letters of `dgimsuvy`, kept in alphabetical order.

    Raises:
        TypeError: Source or flags are not strings.
        ValueError: An unknown or repeated flag, or `u` together with `v`.
    """

    source: str
    flags: str = ""

    def __post_init__(self) -> None:
        if not all(isinstance(text, str) for text in (self.source, self.flags)):
            raise TypeError("source and flags of a RegExp are strings")
        flags = set(self.flags)
        if len(flags) != len(self.flags) or not flags.issubset(_FLAGS) or flags >= {"u", "v"}:
            raise ValueError(f"not a set of regular expression flags: {self.flags!r}")
        object.__setattr__(self, "flags", "".join(sorted(flags)))

    def __str__(self) -> str:
        return f"/{self.source}/{self.flags}"

    @classmethod
    def from_pattern(cls, pattern: re.Pattern[str]) -> RegExp:
        """Take over a compiled Python pattern whose syntax and flags mean the same in JavaScript.

        `re.I`, `re.M` and `re.S` become `i`, `m` and `s`. Patterns over bytes, `re.X`, `re.L` and syntax that only
        Python has (`(?P<name>...)`, comments, its own anchors) are refused.

        Raises:
            ValueError: The pattern has no direct twin.
        """
        if not isinstance(pattern.pattern, str):
            raise ValueError("a pattern over bytes")  # noqa: TRY004 - the pattern's content is wrong, not its type
        if pattern.flags & _PYTHON_ONLY_FLAGS:
            raise ValueError("a pattern with flags that JavaScript lacks; use RegExp(source, flags)")
        if any(syntax in pattern.pattern for syntax in _PYTHON_ONLY_SYNTAX):
            raise ValueError("a pattern in syntax that JavaScript lacks; use RegExp(source, flags)")
        return cls(pattern.pattern, "".join(letter for flag, letter in _PYTHON_FLAGS if pattern.flags & flag))
