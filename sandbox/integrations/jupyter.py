"""JavaScript cells in IPython and Jupyter (the extra `jupyter`).

%load_ext sandbox

%%js -i prices -o total
const total = prices.reduce((sum, each) => sum + each, 0)
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final, get_args

from sandbox import JSError, Limits, Sandbox, undefined
from sandbox._languages import Language
from sandbox.errors import SandboxError
from sandbox.integrations._program import missing

try:
    from IPython.core.error import UsageError
    from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class
    from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring
except ImportError as _error:
    raise missing("IPython", "jupyter") from _error

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from sandbox import ConsoleEntry

__all__ = ["JavaScriptFailed", "load_ipython_extension", "unload_ipython_extension"]

_NAME: Final = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_MAGICS: Final = "_sandbox_magics"


class JavaScriptFailed(Exception):
    """A cell failed; the notebook shows the code around the place, and the stack of the program.

    Attributes:
        error: Why.
    """

    def __init__(self, error: SandboxError) -> None:
        super().__init__(str(error))
        self.error = error

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of it."""
        error = self.error
        text = error.render(color=True) if isinstance(error, JSError) else f"{type(error).__name__}: {error}"
        return text.splitlines()


@magics_class
class _SandboxMagics(Magics):
    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._variables = shell.user_ns
        self._box: Sandbox | None = None
        self._cells = 0

    @magic_arguments()
    @argument("-i", "--input", action="append", default=[], help="A Python variable for the program; may be repeated.")
    @argument("-o", "--output", action="append", default=[], help="A variable of the program for Python; likewise.")
    @argument("-l", "--language", choices=get_args(Language), help="What it is written in; JavaScript by default.")
    @argument("--timeout", type=float, help="Seconds that the cell may take.")
    @argument("code", nargs="*", help="The program, on one line.")
    @line_cell_magic
    def js(self, line: str, cell: str | None = None) -> Any:  # noqa: ANN401 - any value
        """Run JavaScript in the notebook's sandbox; the value of the last expression is the cell's."""
        if cell is None:
            return self._run(line)
        given = parse_argstring(self.js, line)
        if given.code:
            raise UsageError("%%js: the program begins on the next line")
        box = self._sandbox()
        for name in given.input:
            if name not in self._variables:
                raise UsageError(f"%%js: there is no Python variable {name}")
            self._set(box, name, self._variables[name])
        value = self._run(cell, given.timeout, given.language)
        for name in given.output:
            if not _NAME.fullmatch(name):
                raise UsageError(f"%%js: {name} is no variable")
            self._variables[name] = self._run(name)
        return value

    @magic_arguments()
    @argument("--memory-bytes", type=int, help="Memory of the next sandbox.")
    @argument("--cpu-seconds", type=float, help="Time that each cell may compute.")
    @argument("--wall-seconds", type=float, help="Time that each cell may take.")
    @line_magic
    def js_reset(self, line: str) -> None:
        """Begin with a new sandbox, with other limits where they are given."""
        given = {name: value for name, value in vars(parse_argstring(self.js_reset, line)).items() if value is not None}
        try:
            limits = Limits(**given)
        except (TypeError, ValueError) as error:
            raise UsageError(f"%js_reset: {error}") from None
        self.close()
        self._box = Sandbox(limits=limits, console=_print)

    def close(self) -> None:
        if self._box is not None:
            self._box.close()
            self._box = None

    def _sandbox(self) -> Sandbox:
        if self._box is None:
            self._box = Sandbox(console=_print)
        return self._box

    def _set(self, box: Sandbox, name: str, value: object) -> None:
        try:
            box.globals[name] = value
        except SandboxError as error:
            raise JavaScriptFailed(error) from None

    def _run(self, code: str, timeout: float | None = None, language: Language | None = None) -> Any:  # noqa: ANN401 - any value
        self._cells += 1
        try:
            box = self._sandbox()
            value = box.eval(code, filename=f"<js {self._cells}>", language=language, timeout=timeout)
        except SandboxError as error:
            raise JavaScriptFailed(error) from None
        return None if value is undefined else value


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add `%%js`, `%js` and `%js_reset`; what `%load_ext sandbox` calls."""
    unload_ipython_extension(shell)
    magics = _SandboxMagics(shell)
    setattr(shell, _MAGICS, magics)
    shell.register_magics(magics)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Free the sandbox and take the magics away; what `%unload_ext sandbox` calls."""
    magics = shell.__dict__.pop(_MAGICS, None)
    if magics is None:
        return
    magics.close()
    for kind, names in magics.magics.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)


def _print(entry: ConsoleEntry) -> None:
    print(entry, file=sys.stderr if entry.level in ("warn", "error") else sys.stdout)
