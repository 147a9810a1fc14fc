"""JavaScript of TypeScript and JSX. Types become blanks, so that whatever is left stays in its line and column.

>>> from sandbox.typescript import transform
>>> transform("let x: number = 1", language="ts", filename="x.ts").code
'let x         = 1'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, get_args

from sandbox._hints import explain
from sandbox._languages import Language
from sandbox.errors import JSSyntaxError
from sandbox.typescript import module

__all__ = ["Language", "Transformed", "TypeScript", "transform"]

_TYPESCRIPT, _TSX = 0, 1
_KEEP_TYPES, _AUTOMATIC_JSX, _VERBATIM_IMPORTS, _CLASSIC_SCRIPT = 1, 2, 4, 8
_DOTTED_NAME: Final = re.compile(r"[^\W\d][\w$]*(\.[^\W\d][\w$]*)*|\$[\w$]*(\.[\w$]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeScript:
    """How TypeScript and JSX become JavaScript. Immutable.

    Attributes:
        jsx: `"classic"`: an element is a call of `jsx_factory`, which must be in scope. `"automatic"`: it is a call of
            a function that is imported from `jsx_import_source`; only modules can do that.
        jsx_factory: What elements call, a name or a dotted one: `jsx_factory(type, properties, ...children)`.
        jsx_fragment: What fragments (`<>...</>`) have for a type.
        jsx_import_source: A module specifier; `jsx`, `jsxs` and `Fragment` come from it with `/jsx-runtime` added.
        verbatim_module_syntax: Keep every import and export that is not marked with `type`. Otherwise an import that is
            used as a type only, or not at all, is left out, as TypeScript does.
    """

    jsx: Literal["classic", "automatic"] = "classic"
    jsx_factory: str = "React.createElement"
    jsx_fragment: str = "React.Fragment"
    jsx_import_source: str = "react"
    verbatim_module_syntax: bool = False

    def __post_init__(self) -> None:
        """Check everything.

        Raises:
            ValueError: An option has a value that it cannot have.
        """
        if self.jsx not in ("classic", "automatic"):
            raise ValueError(f"jsx is 'classic' or 'automatic', not {self.jsx!r}")
        for name in ("jsx_factory", "jsx_fragment"):
            value = getattr(self, name)
            if type(value) is not str or not _DOTTED_NAME.fullmatch(value):
                raise ValueError(f"{name} is a name, or names with dots between, not {value!r}")
        source = self.jsx_import_source
        if type(source) is not str or not source or not source.isprintable() or set(source) & set("\"'\\"):
            raise ValueError(f"jsx_import_source is a module specifier, not {source!r}")


class Transformed(NamedTuple):
    """JavaScript, and where it comes from.

    Attributes:
        code: The program. It has as many lines as its source has.
        mappings: Each is (line, column, source line, source column), from 0, columns in units of UTF-16; sorted. From
            there on to the next one, or to the end of the line, what stands `n` columns further right comes from `n`
            columns further right. What none is for is where it was. None: everything is.
    """

    code: str
    mappings: tuple[tuple[int, int, int, int], ...] | None


_STANDARD: Final = TypeScript()


def transform(
    source: str,
    *,
    language: Language,
    filename: str,
    options: TypeScript | None = None,
    is_module: bool = True,
    seconds: float | None = None,
) -> Transformed:
    """Make JavaScript of a program. The parser runs in a WebAssembly instance of its own. Thread-safe.

    Args:
        source: The program.
        language: What it is written in. `"ts"` has no JSX, and `"tsx"` no type assertions of the form `<T>x`. `"js"` is
            returned as it is.
        filename: For messages.
        options: How to do it; None: the defaults.
        is_module: Whether it may import anything, as automatic JSX does.
        seconds: The CPU time that there is for it; None: as much as any program of its length should take.

    Raises:
        JSSyntaxError: The program cannot be parsed, or uses what has no counterpart here; the first frame says where.
        LimitExceeded: It takes more memory or time than any program of its length should.
        ValueError: There is no such language.
        SandboxError: The module is missing, or has failed.
    """
    if language not in get_args(Language):
        raise ValueError(f"language is one of {', '.join(get_args(Language))}, not {language!r}")
    if language == "js":
        return Transformed(source, None)
    options = options or _STANDARD
    flags = _KEEP_TYPES if language == "jsx" else 0
    flags |= _AUTOMATIC_JSX if options.jsx == "automatic" else 0
    flags |= _VERBATIM_IMPORTS if options.verbatim_module_syntax else 0
    flags |= 0 if is_module else _CLASSIC_SCRIPT
    texts = (options.jsx_factory.encode(), options.jsx_fragment.encode(), options.jsx_import_source.encode())
    answer = module.request(
        _TYPESCRIPT if language == "ts" else _TSX, flags, texts, source.encode("utf-8", "surrogatepass"), seconds
    )
    if isinstance(answer, module.Refusal):
        raise _syntax_error(answer, filename, source)
    code = answer.code.decode("utf-8", "surrogatepass")
    numbers = answer.mappings.tolist()
    mappings = tuple(zip(numbers[::4], numbers[1::4], numbers[2::4], numbers[3::4], strict=True))
    return Transformed(code, mappings or None)


def _syntax_error(refusal: module.Refusal, filename: str, source: str) -> JSSyntaxError:
    place = f"    at {filename}:{refusal.line + 1}:{refusal.column_bytes + 1}\n"
    error = JSSyntaxError(refusal.message, name="SyntaxError", js_class="SyntaxError", stack=place)
    error.sources = {filename: source}
    explain(error, is_javascript=False)
    return error
