"""What is typed, with prompt_toolkit: history, completion, colors, and Enter that knows what is finished."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.filters import has_selection
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.styles import Style
from pygments.lexers.javascript import JavascriptLexer

from sandbox import Sandbox
from sandbox._session import is_unfinished
from sandbox.cli._repl.dots import DOTS
from sandbox.cli._repl.reading import MORE, PROMPT
from sandbox.cli._terminal import YELLOW

if TYPE_CHECKING:
    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output

    from sandbox._languages import Language
    from sandbox.cli._repl.loop import Repl

_INDENT: Final = "  "
_YES: Final = ("", "y", "yes")
# A chain of names, what is typed of the last one, and what stands before: a value that has no name cannot be asked.
_CHAIN: Final = re.compile(r"(?P<before>^|[^\w$.)\]'\"`?]|\?)\s*(?P<path>(?:[\w$]+\s*\??\.\s*)*)(?P<prefix>[\w$]*)$")
_KEYWORDS: Final = re.findall(
    r"\w+",
    "async await break case catch class const continue debugger default delete do else export extends finally for "
    "function if import in instanceof let new return static super switch this throw try typeof var void while yield",
)
_STYLE: Final = Style.from_dict(
    {
        "prompt": "ansigreen bold",
        "more": "ansibrightblack",
        "pygments.keyword": "ansimagenta",
        "pygments.keyword.declaration": "ansimagenta",
        "pygments.keyword.constant": "ansiyellow",
        "pygments.literal.string": "ansigreen",
        "pygments.literal.number": "ansiyellow",
        "pygments.comment": "ansibrightblack italic",
    }
)


class Names(Completer):
    """Names of the guest; after a dot at the beginning, commands of the session and files for those that take one."""

    def __init__(self, names: Callable[[list[str], str], list[str]]) -> None:
        """Complete by what says which names can follow a path; see `Session.names`."""
        self._names: Final = names
        self._files: Final = PathCompleter(expanduser=False)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """What can stand at the cursor."""
        text = document.text_before_cursor
        if text.lstrip().startswith("."):
            yield from self._commands(text.lstrip(), complete_event)
            return
        match = _CHAIN.search(text)
        if match is None:
            return
        path, prefix = re.findall(r"[\w$]+", match["path"]), match["prefix"]
        if prefix[:1].isdigit() or any(part[0].isdigit() for part in path):
            return
        found = self._names(path, prefix)
        if not path and prefix:
            found += [word for word in _KEYWORDS if word.startswith(prefix) and word not in found]
        for name in found:
            yield Completion(name, start_position=-len(prefix))

    def _commands(self, text: str, event: CompleteEvent) -> Iterable[Completion]:
        name, space, argument = text[1:].partition(" ")
        if not space:
            for each, command in DOTS.items():
                if each.startswith(name):
                    yield Completion(each, start_position=-len(name), display=f".{each}", display_meta=command.about)
        elif name in DOTS and DOTS[name].argument:
            yield from self._files.get_completions(Document(argument.lstrip()), event)


class PromptReader:
    """Inputs of a terminal."""

    def __init__(self, repl: Repl, *, source: Input | None = None, output: Output | None = None) -> None:
        """Read for a session; the streams are the terminal's unless others are given."""
        self._repl: Final = repl
        history, problem = open_history()
        if problem:
            repl.terminal.write(problem, error=True, style=YELLOW)
        self._streams: Final[dict[str, Any]] = {"input": source, "output": output}
        self._prompt: PromptSession[str] = PromptSession(
            history=history,
            completer=Names(lambda path, prefix: repl.session.names(path, prefix)),
            complete_while_typing=False,
            auto_suggest=AutoSuggestFromHistory(),
            lexer=PygmentsLexer(JavascriptLexer),
            style=_STYLE,
            include_default_pygments_style=False,
            multiline=True,
            key_bindings=_bindings(repl.setting.language),
            prompt_continuation=lambda _width, _line, _wrapped: [("class:more", MORE)],
            enable_open_in_editor=False,
            **self._streams,
        )

    def read(self) -> str | None:
        """The next input; Ctrl-D ends the session.

        Raises:
            KeyboardInterrupt: Ctrl-C.
        """
        try:
            return self._prompt.prompt([("class:prompt", PROMPT)])
        except EOFError:
            return None

    def read_all(self) -> str:
        """Lines until Ctrl-D.

        Raises:
            KeyboardInterrupt: Ctrl-C.
        """
        bindings = KeyBindings()

        @bindings.add("c-d")
        def _end(event: KeyPressEvent) -> None:
            event.current_buffer.validate_and_handle()

        session: PromptSession[str] = PromptSession(
            lexer=PygmentsLexer(JavascriptLexer), style=_STYLE, multiline=True, key_bindings=bindings, **self._streams
        )
        return session.prompt("")

    def agree(self, question: str) -> bool:
        """Whether the answer is yes, or none."""
        session: PromptSession[str] = PromptSession(**self._streams)
        try:
            return session.prompt(f"{question} [Y/n] ").strip().lower() in _YES
        except (EOFError, KeyboardInterrupt):
            return False


def _bindings(language: Language | None) -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter", filter=~has_selection)
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        text = buffer.text
        if text.lstrip().startswith(".") or not is_unfinished(text, Sandbox, language):
            buffer.validate_and_handle()
        else:
            line = buffer.document.current_line_before_cursor.rstrip()
            buffer.newline(copy_margin=True)
            buffer.insert_text(_INDENT if line.endswith(("{", "[", "(")) else "")

    @bindings.add("escape", "enter")
    def _newline(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=True)

    return bindings


def history_file() -> Path:
    """Where inputs are kept: as XDG says, or where the system keeps such things."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path("~/AppData/Local").expanduser())
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser())
    return base / "quickjs-sandbox" / "history"


def open_history() -> tuple[History, str]:
    """The history of earlier sessions, and why there is none if so.

    What people type may hold secrets: nobody else may read the file, nor write into it what is offered as theirs.
    """
    path = history_file()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
        if hasattr(os, "getuid"):
            state = path.stat()
            if state.st_uid != os.getuid() or state.st_mode & 0o077:
                return InMemoryHistory(), f"No history: others may read or write {path}. chmod 600 mends it."
    except OSError as error:
        return InMemoryHistory(), f"No history: {path}: {error.strerror or error}"
    return FileHistory(str(path)), ""
