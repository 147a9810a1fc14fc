"""files: what the guest does with files, in the stores that it was given. `sandbox.files` does the work."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sandbox.capabilities.base import Handler, NumberingCapability, Numbers
from sandbox.errors import CapabilityDenied

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from sandbox.files.asking import Asker
    from sandbox.files.mounts import Mounts
    from sandbox.files.service import FileService
    from sandbox.files.writables import Writables

# Operations and how many arguments each has.
_OPERATIONS: Final = {
    "stat": 1, "list": 1, "open": 3, "read": 4, "readNow": 4, "store": 3, "begin": 3, "write": 3, "truncate": 2,
    "commit": 1, "discard": 1, "make": 2, "remove": 2, "rename": 3, "copy": 3,
}  # fmt: skip
_NO_FILES: Final = "EPERM"
_LOST: Final = "EIO"


class FilesCapability(NumberingCapability):
    """Serves the guest's files. A failure is an answer as well: its code."""

    stem: ClassVar[str] = "files"
    titles: ClassVar[Mapping[str, str]] = {
        "readNow": "files.read",
        "store": "files.write",
        "begin": "files.createWritable",
        "write": "files.createWritable.write",
        "truncate": "files.createWritable.truncate",
        "commit": "files.createWritable.close",
        "discard": "files.createWritable.abort",
        "make": "files.mkdir",
    }
    quiet: ClassVar[frozenset[str]] = frozenset({"granted"})

    def __init__(self, mounts: Mounts | None) -> None:
        """Make the capability; None: there are no files."""
        super().__init__()
        self._mounts = mounts
        self._begun: _Begun | None = None

    def handlers(self) -> Mapping[str, Handler]:
        """See `Capability`."""
        return {"granted": self._granted} | {name: partial(self._do, name) for name in _OPERATIONS}

    def show_answer(self, operation: str, answer: Any) -> Any:  # noqa: ANN401 - any value
        """See `Capability`: a code is an error."""
        if not isinstance(answer, str):
            return answer
        from sandbox.files.failures import failure  # most programs do without

        return CapabilityDenied("files", "this sandbox was given no files") if self._mounts is None else failure(answer)

    def checkpoint(self) -> Callable[[], object]:
        """See `Capability`: what is being written and the guest will not know of is given up."""
        noted = {} if self._begun is None else self._begun.writables.note()

        def undo() -> None:
            if self._begun is not None:
                self._begun.writables.undo(noted)

        return undo

    def close(self) -> None:
        """See `Capability`: what is being written is given up."""
        if self._begun is not None:
            self._begun.writables.close()

    def lost(self, operation: str) -> Any:  # noqa: ANN401 - any value
        """See `Capability`: whether it was done nobody can say."""
        return _LOST

    def _granted(self) -> bool | None:
        return None if self._mounts is None else self._mounts.has_storage

    def _do(self, name: str, *arguments: object) -> object:
        if len(arguments) != _OPERATIONS[name]:
            raise TypeError(f"files.{name} has {_OPERATIONS[name]} arguments")
        if self._mounts is None:
            return _NO_FILES
        from sandbox.files.asking import finished, is_prompt  # most programs do without

        # What a parent writes is not this process's to write.
        if self._begun is None or self._begun.process != os.getpid():
            self._begun = _Begun(self._mounts, self._numbers)
        begun = self._begun
        operation = name if name != "readNow" else "read"
        try:
            at_once = is_prompt(operation, arguments, begun.mounts, begun.writables)
        except OSError as error:
            return _code(error)
        work = _told(getattr(begun.at_once if at_once else begun.later, operation), arguments)
        return finished(work) if at_once else work


class _Begun:
    """What there is once a guest has used a file."""

    def __init__(self, mounts: Mounts, numbers: Numbers) -> None:
        from sandbox.files.asking import Asker, ask_at_once
        from sandbox.files.service import FileService
        from sandbox.files.writables import Writables

        self.process = os.getpid()
        self.mounts = mounts
        self.writables: Writables = Writables(numbers)
        self.at_once: FileService = FileService(mounts, self.writables, ask_at_once)
        self._asker: Asker = Asker()
        self.later: FileService = FileService(mounts, self.writables, self._asker.ask)


async def _told(operation: Callable[..., Coroutine[Any, Any, Any]], arguments: tuple[object, ...]) -> object:
    try:
        return await operation(*arguments)  # made here: what is never started is dropped in silence
    except OSError as error:
        return _code(error)


def _code(error: OSError) -> str:
    from sandbox.files.failures import code_of

    return code_of(error)
