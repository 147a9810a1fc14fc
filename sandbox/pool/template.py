"""A template: what every sandbox of a kind begins with, made once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Self, Unpack

from sandbox._option_types import SandboxOptions
from sandbox._sandbox import Sandbox
from sandbox.capabilities import Capability
from sandbox.snapshot import Snapshot

if TYPE_CHECKING:
    from sandbox._async_sandbox import AsyncSandbox

Setup = str | Callable[[Sandbox], object] | Snapshot


class TemplateOptions(SandboxOptions, total=False):
    """The options of a template, for what hands them on."""

    filename: str | None
    own: Callable[[], Mapping[str, Any]] | None


# Made at once, so that each sandbox begins with memory that is mapped, and with those pages present that every program
# writes.
_FIRST: Final = 2


class Template:
    """A sandbox after its set-up, and the options that it had, as a value: any number of sandboxes begin with it.

        lodash = Template(Path("lodash.js").read_text(), limits=Limits(cpu_seconds=1))
        with lodash.spawn() as box:
            box.eval("_.chunk([1, 2, 3], 2)")

    The set-up runs once, when the template is made. The sandboxes have nothing in common but what they begin with,
    which is mapped where the system can do that (Linux): they share what they do not change. A template does not
    change, and any thread may use it. It can be pickled if its options can.

    Attributes:
        snapshot: The memory that they begin with.
    """

    __slots__ = ("_options", "_own", "snapshot")

    def __init__(
        self,
        setup: Setup | None = None,
        *,
        filename: str | None = None,
        own: Callable[[], Mapping[str, Any]] | None = None,
        **options: Unpack[SandboxOptions],
    ) -> None:
        """Run the set-up, and keep what it leaves.

        Args:
            setup: A script; or a function that is called with a `Sandbox`, to evaluate modules, call functions, set
                globals; or a `Snapshot`, of which the template is made as it is. None: there is nothing to set up.
            filename: What stacks call the script.
            own: Called for each sandbox, for options that it has for itself: a store of files, a console. They take
                the places of those in `options`.
            **options: Those of `Sandbox`, which all of the sandboxes have: functions, grants and stores of files are
                the same objects in each. A capability is given as what makes one.

        Raises:
            TypeError: An argument has the wrong type, there is no such option, or it is one that only a single sandbox
                can have (`record`, a capability that is made already).
            SnapshotError: The sandboxes would need functions that are not among the options.
            BaseException: As the constructor and `eval` of `Sandbox`.
        """
        if not isinstance(setup, str | Snapshot | None) and not callable(setup):
            raise TypeError(f"setup must be a str, a callable or a Snapshot, not {type(setup).__name__}")
        if filename is not None and not isinstance(setup, str):
            raise TypeError("filename is the name of a script; there is none")
        if own is not None and not callable(own):
            raise TypeError(f"own must be callable, not {type(own).__name__}")
        self._options, self._own = _shared({**options}), own
        self.snapshot: Snapshot = setup if isinstance(setup, Snapshot) else self._set_up(setup, filename)
        for _ in range(_FIRST):
            with self.spawn() as box:
                if not self.snapshot.pending:  # else somebody might be called
                    box.eval("")

    def _set_up(self, setup: str | Callable[[Sandbox], object] | None, filename: str | None) -> Snapshot:
        with Sandbox(**self._options_of_one()) as box:
            if isinstance(setup, str):
                box.eval(setup, filename=filename)
            elif setup is not None:
                setup(box)
            return box.snapshot()

    def spawn(self) -> Sandbox:
        """Make a sandbox that begins here.

        Raises:
            BaseException: As `Sandbox.restore`.
        """
        return Sandbox.restore(self.snapshot, **self._options_of_one())

    def spawn_async(self) -> AsyncSandbox:
        """Make an asynchronous one, to be used in an `async with`. It does not wait.

        Raises:
            BaseException: As `Sandbox.restore`.
        """
        from sandbox._async_sandbox import AsyncSandbox  # brings an event loop library

        return AsyncSandbox.restore(self.snapshot, **self._options_of_one())

    def at(self, snapshot: Snapshot, *, functions: Mapping[str, Callable[..., Any]] | None = None) -> Self:
        """The same options with another memory; nothing is run to see whether they fit.

        Args:
            snapshot: What was taken of one of its sandboxes, or of one that has the same functions.
            functions: More of them, or others in their places.
        """
        other = object.__new__(type(self))
        other._options, other._own, other.snapshot = self._options, self._own, snapshot
        if functions:
            other._options = {**self._options, "functions": {**(self._options.get("functions") or {}), **functions}}
        return other

    def _options_of_one(self) -> dict[str, Any]:
        return self._options if self._own is None else {**self._options, **_shared(dict(self._own()))}

    def __repr__(self) -> str:
        return f"<Template {self.snapshot!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _template, (self.snapshot, self._options, self._own)


def _template(snapshot: Snapshot, options: dict[str, Any], own: Callable[[], Mapping[str, Any]] | None) -> Template:
    return Template(snapshot, own=own, **options)


def _shared(options: dict[str, Any]) -> dict[str, Any]:
    """Options that more than one sandbox can have.

    Raises:
        TypeError: They are not.
    """
    if options.get("record") is not None:
        raise TypeError("a template takes no record=: each file records one sandbox; see Sandbox.record")
    given = tuple(options.get("capabilities", ()))
    if any(isinstance(each, Capability) for each in given):
        raise TypeError(
            "capabilities of a template are given as what makes them, such as classes: each serves one sandbox"
        )
    return {**options, "capabilities": given} if given else options
