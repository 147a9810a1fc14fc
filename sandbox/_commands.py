"""What a run can begin with: each command of the embedder, as something that the guest is told in its first turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sandbox._abi import Verb
from sandbox._events import State
from sandbox._languages import language_of
from sandbox._origins import Program
from sandbox.errors import CpuLimitExceeded

if TYPE_CHECKING:
    from sandbox._events import Event
    from sandbox._guest import Guest
    from sandbox._languages import Language
    from sandbox._operations import Operations
    from sandbox._origins import Offered
    from sandbox._runs import Run
    from sandbox.limits import Limits
    from sandbox.typescript import TypeScript
    from sandbox.values import JSHandle, Question

Command = Callable[[int], "list[Event]"]
"""What a run begins with: one command of the guest, given the run's number there."""

ENTRY: Final = 0
"""The target of a call that stands for what bindings answer to the host."""
_VERBS: Final[dict[Question, Verb]] = {
    "wait": Verb.WAIT,
    "open": Verb.OPEN,
    "next": Verb.STEP,
    "return": Verb.STEP,
    "throw": Verb.STEP,
}


def nothing(_run: int) -> list[Event]:
    """The command that tells the guest nothing: what is due before any other is done."""
    return []


class Commands:
    """Makes commands for one guest.

    Attributes:
        guest: The guest.
        limits: What runs may use.
        seconds_left: See `Turns.seconds_left`.
        runs: The runs in progress, by number. Any thread may add and remove one, so it is copied to be looked through.
        typescript: How other languages become JavaScript; None: as they do by default.
        add_source: Remembers a program text, for errors, by its name; any thread.
    """

    guest: Guest
    limits: Limits
    seconds_left: Callable[[float], float]
    runs: dict[int, Run]
    typescript: TypeScript | None = None
    add_source: Callable[[str, str], None]
    _operations: Operations

    def compile(self, name: str, code: str, language: Language | None = None, source_map: Offered | None = None) -> str:
        """Make of a source what the guest gets, and remember the source, for errors; any thread.

        Args:
            name: What stacks call it.
            code: The source text.
            language: What it is written in; None: what its name ends with says.
            source_map: Where the source itself comes from.

        Returns:
            JavaScript.

        Raises:
            JSSyntaxError: It cannot be parsed.
            LimitExceeded: It is too much.
        """
        program = code if source_map is None else Program(code, source_map=source_map)
        self.add_source(name, program)
        language = language or language_of(name)
        if language is None or language == "js":
            return code
        from sandbox import typescript  # most programs are JavaScript

        # Between turns, where what loaders of modules await comes in, nobody's time passes.
        seconds, began = self.seconds_left(0.0) or None, time.perf_counter_ns()
        try:
            made = typescript.transform(
                code, language=language, filename=name, options=self.typescript, seconds=seconds
            )
        except CpuLimitExceeded as error:
            raise CpuLimitExceeded(self.limits.cpu_seconds or error.limit) from None
        finally:
            elapsed_ns = time.perf_counter_ns() - began
            self.guest.instance.charge(elapsed_ns, elapsed_ns)
        self.add_source(name, Program(code, generated=made.code, mappings=made.mappings, source_map=source_map))
        return made.code

    def eval(
        self,
        code: str,
        filename: str | None,
        what: int = 0,
        receiver: JSHandle | None = None,
        *,
        language: Language | None = None,
        on_compiled: Callable[[str], object] | None = None,
    ) -> Command:
        """Evaluate a script, as a set of `Evaluation` says.

        Args:
            code: The source text.
            filename: What stacks call it.
            what: The set.
            receiver: A function of the guest, which makes the run's value of the completion value.
            language: See `compile`.
            on_compiled: Gets the JavaScript.
        """

        def command(number: int) -> list[Event]:
            name = filename if filename is not None else f"<eval {number}>"
            script = self.compile(name, code, language or (None if filename else "js"))
            if on_compiled is not None:
                on_compiled(script)
            handle = 0 if receiver is None else self._operations.handle_of(receiver)
            return self.guest.eval(number, script, name, what, handle)

        return command

    def module(self, code: str, filename: str | None, language: Language | None = None) -> Command:
        """Evaluate a source as a module."""

        def command(number: int) -> list[Event]:
            name = filename if filename is not None else f"<module {number}>"
            return self.guest.module(number, None, self.compile(name, code, language), name)

        return self._expecting(_is_namespace, command)

    def import_module(self, specifier: str) -> Command:
        """Import a module."""
        return self._expecting(_is_namespace, lambda number: self.guest.module(number, specifier, None, None))

    # What is held of the guest is looked up when its turn has come: a rollback may have undone it meanwhile.

    def call(self, target: JSHandle | str, this: object, arguments: Sequence[object]) -> Command:
        """Call a function that is held, or the one at a path."""

        def command(number: int) -> list[Event]:
            function = target if isinstance(target, str) else self._operations.handle_of(target)
            return self.guest.call(number, function, this, arguments)

        return command

    def access(self, verb: Verb, key: str, value: object = None) -> Command:
        """Use a property of globalThis, or list their names."""
        is_answer = _are_names if verb is Verb.KEYS else None
        return self._expecting(is_answer, lambda number: self.guest.access(number, verb, 0, key, value))

    def construct(self, held: JSHandle, arguments: Sequence[object]) -> Command:
        """Make an object of a class."""
        return lambda number: self.guest.access(
            number, Verb.CONSTRUCT, self._operations.handle_of(held), "", list(arguments)
        )

    def ask(self, held: JSHandle, question: Question, value: object) -> Command:
        """Wait for a promise, or take a step of an iterator, which is answered with `[done, value]`."""
        verb = _VERBS[question]
        is_answer = _is_step if verb is Verb.STEP else None
        return self._expecting(
            is_answer,
            lambda number: self.guest.access(number, verb, self._operations.handle_of(held), question, value),
        )

    def _expecting(self, is_answer: Callable[[object], bool] | None, command: Command) -> Command:
        """A command whose run can only end with such a value, unless it fails; None: with any."""

        def expecting(number: int) -> list[Event]:
            self.runs[number].is_answer = is_answer
            return command(number)

        return expecting

    def define(
        self,
        values: Mapping[str, object],
        scripts: Mapping[str, str] | None = None,
        entries: Mapping[str, str] | None = None,
    ) -> Command:
        """Ask bindings for what they set themselves, set globals, in order, and run the scripts that finish some."""
        self._operations.names.update(values)
        self._operations.names.update(entries or {})

        def command(number: int) -> list[Event]:
            events: list[Event] = []
            for name in (entries or {}).values():
                events += self.guest.call(number, ENTRY, None, (name,))
            for key, value in values.items():
                events += self.guest.define(number, key, value)
                if scripts and key in scripts and self.guest.state is State.READY:
                    events += self.eval(scripts[key], f"<{key}>")(number)
                if self.guest.state is State.POISONED:
                    break  # the last event says why
            return events

        return command

    def with_globals(self, values: Mapping[str, object], fixed: Collection[str], begin: Command) -> Command:
        """Set globals first, some of them frozen."""

        def command(number: int) -> list[Event]:
            events: list[Event] = []
            self._operations.names.update(values)
            for name, value in values.items():
                events += self.guest.define(0, name, value, is_frozen=name in fixed)
                if self.guest.state is State.POISONED:
                    return events  # the last event says why
            return events + begin(number)

        return command


def _is_namespace(value: object) -> bool:
    return type(value) is dict


def _are_names(value: object) -> bool:
    return type(value) is list and {str}.issuperset(map(type, value))


def _is_step(value: object) -> bool:
    return type(value) is list and len(value) == 2 and type(value[0]) is bool
