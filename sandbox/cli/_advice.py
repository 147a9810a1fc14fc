"""Which flag would have helped a program that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.cli._extras import installed
from sandbox.errors import JSError, JSSyntaxError

if TYPE_CHECKING:
    from sandbox.cli._program import Program

_DECLARATIONS: Final = ("import ", "import{", 'import"', "import'", "import*", "export ", "export{", "export*")
# How the bindings begin what they say of something that was not granted.
_GRANTS: Final = (
    ("cannot find module 'node:fs", "--allow-read DIR lets it read files."),
    ("cannot find module 'fs", "--allow-read DIR lets it read files."),
    ("fetch failed: this sandbox was given no network", "--allow-net HOST lets it fetch from there."),
    ("fetch failed: the grant does not allow http", "--allow-net HOST lets it fetch from there."),
)
# What the engine says where an extra is missing, what the program must mention, and the extra.
_EXTRAS: Final = (
    ("Intl is not defined", "Intl", "intl"),
    ("cannot read property", "crypto.subtle", "crypto"),
)
_NO_MODULES: Final = "this sandbox has no modules"


def advice(program: Program, error: BaseException | None) -> str:
    """A sentence for whoever wrote the command line; empty if there is nothing to say."""
    if not isinstance(error, JSError):
        return ""
    if isinstance(error, JSSyntaxError) and not program.is_module and _is_declaration(program, error):
        return "--esm makes it a module." if program.to_the_end else "sandbox run --esm runs modules."
    for beginning, text in _GRANTS:
        if error.message.startswith(beginning):
            return text
    for beginning, mention, extra in _EXTRAS:
        if error.message.startswith(beginning) and mention in program.code and not installed(extra)[0]:
            return f"{mention} needs the extra {extra}: pip install 'quickjs-sandbox[{extra}]'"
    if program.to_the_end and error.message.startswith("cannot find module") and _NO_MODULES in error.message:
        return "--modules DIR lets it import the files there, --module NAME=PATH a single one."
    return ""


def _is_declaration(program: Program, error: JSSyntaxError) -> bool:
    line = error.frames[0].line if error.frames and error.frames[0].file == program.filename else None
    lines = program.code.splitlines()
    return line is not None and 0 < line <= len(lines) and lines[line - 1].lstrip().startswith(_DECLARATIONS)
