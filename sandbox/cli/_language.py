"""The flags about what a program is written in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from sandbox._languages import Language, check_language, language_of
from sandbox.cli._commands import one_of
from sandbox.cli._flags import UsageError

if TYPE_CHECKING:
    from sandbox.typescript import TypeScript

_PANEL = "Language"


def _language(text: str) -> Language:
    try:
        check_language(text)
    except ValueError as error:
        raise typer.BadParameter(str(error).removeprefix("language ")) from None
    return cast("Language", text)


LanguageFlag = Annotated[
    Language | None,
    typer.Option(
        "--language",
        metavar="|".join(get_args(Language)),
        parser=_language,
        rich_help_panel=_PANEL,
        help="What it is written in. [dim]Default: as the name of the file says, else JavaScript[/dim]",
    ),
]
Jsx = Annotated[
    str | None,
    typer.Option(
        "--jsx",
        metavar="classic|automatic",
        autocompletion=one_of("classic", "automatic"),
        rich_help_panel=_PANEL,
        help="What elements become: calls of --jsx-factory, or of what a module imports by itself. "
        "[dim]Default: classic[/dim]",
    ),
]
JsxFactory = Annotated[
    str | None,
    typer.Option(
        "--jsx-factory",
        metavar="NAME",
        rich_help_panel=_PANEL,
        help="What elements call. [dim]Default: React.createElement[/dim]",
    ),
]
JsxFragment = Annotated[
    str | None,
    typer.Option(
        "--jsx-fragment",
        metavar="NAME",
        rich_help_panel=_PANEL,
        help="The type of fragments. [dim]Default: React.Fragment[/dim]",
    ),
]
JsxImportSource = Annotated[
    str | None,
    typer.Option(
        "--jsx-import-source",
        metavar="MODULE",
        rich_help_panel=_PANEL,
        help="Where --jsx automatic imports from. [dim]Default: react[/dim]",
    ),
]


@dataclass(frozen=True, kw_only=True)
class TypeScriptFlags:
    """How JSX becomes JavaScript."""

    jsx: Jsx = None
    jsx_factory: JsxFactory = None
    jsx_fragment: JsxFragment = None
    jsx_import_source: JsxImportSource = None

    def make(self) -> TypeScript | None:
        """What the flags say; None: nothing.

        Raises:
            UsageError: A flag has no such value.
        """
        given = {name: value for name, value in vars(self).items() if value is not None}
        if not given:
            return None
        from sandbox.typescript import TypeScript

        try:
            return TypeScript(**given)
        except ValueError as error:
            name, _, text = str(error).partition(" ")
            raise UsageError(f"--{name.replace('_', '-')} {text}") from None


def is_module(file: str, code: str) -> bool:
    """Whether a file is an ECMAScript module by its name, or is TypeScript or JSX and has the syntax of one."""
    if file.endswith((".mjs", ".mts")):
        return True
    if language_of(file) is None or file.endswith(".cts"):
        return False
    from sandbox.modules.syntax import has_module_syntax

    return has_module_syntax(code)
