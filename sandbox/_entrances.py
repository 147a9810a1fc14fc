"""What the methods of both faces begin with: what the caller gave is checked, and becomes a command."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sandbox._abi import Evaluation
from sandbox._clock import VirtualClock
from sandbox._languages import check_language
from sandbox._restoring import Restoring
from sandbox.errors import SandboxClosed
from sandbox.values import JSFunction

if TYPE_CHECKING:
    from sandbox._commands import Command
    from sandbox._languages import Language
    from sandbox.limits import Limits
    from sandbox.outcome import Report
    from sandbox.trace import TraceOption

DEFAULT_TRACE: Final[tuple[TraceOption, ...]] = ("console", "calls", "variables")


class Entrances(Restoring):
    """The part of a face that takes what callers give."""

    @property
    @abstractmethod
    def limits(self) -> Limits:
        """The budgets of this sandbox."""

    def _eval_command(
        self,
        code: str,
        filename: str | None,
        language: Language | None,
        timeout: float | None,
        fuel: int | None,
        receiver: JSFunction | None = None,
    ) -> Command:
        self._check_code(code, filename, language)
        self._check_call(timeout, fuel)
        if receiver is not None and not isinstance(receiver, JSFunction):
            raise TypeError(f"receiver must be a JSFunction, not {type(receiver).__name__}")
        return self._driver.eval(code, filename, receiver=receiver, language=language)

    def _stream_command(self, code: str, filename: str | None, language: Language | None, *, strict: bool) -> Command:
        self._check_code(code, filename, language)
        self._check_call(None)
        what = Evaluation.RETURN | Evaluation.YIELD | (Evaluation.STRICT if strict else 0)
        return self._driver.eval(code, filename, what, language=language)

    def _report(
        self,
        code: str,
        filename: str | None,
        language: Language | None,
        timeout: float | None,
        fuel: int | None,
        **options: Any,  # noqa: ANN401 - see there
    ) -> Report:
        """What `execute` asks for; see `Execution` for the options."""
        from sandbox._execution import Execution  # not all programs are watched
        from sandbox.outcome import Report

        self._check_code(code, filename, language)
        self._check_call(timeout, fuel)
        execution = Execution.of_script(self._driver, code, filename, language, **options)
        return Report(execution.steps, execution)

    def _module_command(
        self, code: str, filename: str | None, language: Language | None, timeout: float | None, fuel: int | None
    ) -> Command:
        self._check_code(code, filename, language)
        self._check_call(timeout, fuel)
        return self._driver.module(code, filename, language)

    def _import_command(self, specifier: str, timeout: float | None, fuel: int | None) -> Command:
        if not isinstance(specifier, str):
            raise TypeError(f"specifier must be a str, not {type(specifier).__name__}")
        self._check_call(timeout, fuel)
        return self._driver.import_module(specifier)

    def _check_code(self, code: str, filename: str | None, language: Language | None = None) -> None:
        if not isinstance(code, str):
            raise TypeError(f"code must be a str, not {type(code).__name__}")
        if filename is not None and not isinstance(filename, str):
            raise TypeError(f"filename must be a str or None, not {type(filename).__name__}")
        if language is not None:
            check_language(language)

    def _call_command(
        self,
        function: str | JSFunction,
        args: Sequence[Any],
        this: object,
        timeout: float | None,
        fuel: int | None,
    ) -> Command:
        if not isinstance(function, (str, JSFunction)):
            raise TypeError(f"function must be a dotted path or a JSFunction, not {type(function).__name__}")
        self._check_call(timeout, fuel)
        return self._driver.call(function, this, args)

    def _check_call(self, timeout: float | None, fuel: int | None = None) -> None:
        if self._closed:
            raise SandboxClosed
        if timeout is not None:
            if isinstance(timeout, bool) or not isinstance(timeout, int | float):
                raise TypeError(f"timeout must be a number of seconds or None, not {type(timeout).__name__}")
            if not 0 < timeout < math.inf:
                raise ValueError(f"timeout must be a positive number of seconds or None, not {timeout!r}")
        if fuel is not None:
            if isinstance(fuel, bool) or not isinstance(fuel, int):
                raise TypeError(f"fuel must be an int or None, not {type(fuel).__name__}")
            if not 0 < fuel < 1 << 63:
                raise ValueError(f"fuel must be a positive int below 2^63 or None, not {fuel!r}")
            if self.limits.metering != "fuel":
                raise ValueError(f'fuel is not counted with metering="{self.limits.metering}"')

    def _check_tick(self, milliseconds: float) -> None:
        self._check_call(None)
        if not isinstance(self._driver.clock, VirtualClock):
            raise TypeError('tick() needs a sandbox with clock="virtual"')
        if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
            raise TypeError(f"milliseconds must be a number, not {type(milliseconds).__name__}")
        if not 0 <= milliseconds < math.inf:
            raise ValueError(f"milliseconds must not be negative, and finite; not {milliseconds!r}")
