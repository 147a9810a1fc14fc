"""What programs are written in, as their names or their owners say."""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

Language = Literal["js", "jsx", "ts", "tsx"]
"""JavaScript, JavaScript with JSX, TypeScript, or TypeScript with JSX."""

LANGUAGES: Final[frozenset[str]] = frozenset(get_args(Language))
ENDINGS: Final[dict[str, Language]] = {".ts": "ts", ".mts": "ts", ".cts": "ts", ".tsx": "tsx", ".jsx": "jsx"}
"""By which a file is something else than JavaScript."""
_ENDINGS: Final = tuple(ENDINGS)
# TypeScript's authors import a file by the name that it has once it is compiled.
_MADE_OF: Final[dict[str, tuple[str, ...]]] = {
    ".js": (".ts", ".tsx", ".jsx"),
    ".jsx": (".tsx",),
    ".mjs": (".mts",),
    ".cjs": (".cts",),
}
_ENDING: Final = r"\.[a-z]+\Z"


def language_of(name: str) -> Language | None:
    """What a program is written in by its name, a path or a URL; None: JavaScript, or nothing that is known."""
    if "://" in name and ("?" in name or "#" in name):
        name = name.partition("?")[0].partition("#")[0]
    if not name.endswith(_ENDINGS):
        return None
    return ENDINGS[name[name.rindex(".") :]]


def sources_for(path: str) -> tuple[str, ...]:
    """The files that a path may stand for which has the ending of what is compiled; `./x.js` is that of `./x.ts`."""
    ending = re.search(_ENDING, path)
    if ending is None:
        return ()
    return tuple(path[: ending.start()] + instead for instead in _MADE_OF.get(ending[0], ()))


def check_language(language: object) -> None:
    """Check an argument of that name.

    Raises:
        TypeError: It is no text.
        ValueError: There is no such language.
    """
    if language is None or (isinstance(language, str) and language in LANGUAGES):
        return
    if not isinstance(language, str):
        raise TypeError(f"language must be a str or None, not {type(language).__name__}")
    raise ValueError(f'language must be "js", "jsx", "ts" or "tsx", not {language!r}')
