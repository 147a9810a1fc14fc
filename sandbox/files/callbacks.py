"""Files that functions of the embedder answer for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from sandbox._records import record
from sandbox.files.failures import failure

if TYPE_CHECKING:
    from sandbox.files.contract import FileStat, MaybeAwaitable

Function = Callable[..., Any]


@record(frozen=True, slots=True, kw_only=True)
class CallbackFiles:
    """A store made of functions, plain or `async def`, with the arguments that the methods of `FileStore` have.

    What has no function is not permitted: the guest sees a `NotAllowedError`, or `EACCES`.

        Sandbox(files=CallbackFiles(stat=look_up, read=download))

    Attributes:
        stat: `(path) -> FileStat`.
        list: `(path) -> iterable of (name, is_directory)`.
        read: `(path, start, size) -> bytes`.
        write: `(path, content, *, exclusive)`; `content.read()` gives the bytes.
        make_directory: `(path)`.
        remove: `(path)`.
        rename: `(source, target)`.
        max_file_bytes: The largest file that is written.
    """

    stat: Callable[[str], MaybeAwaitable[FileStat]] = lambda _path: _refuse()
    list: Callable[[str], MaybeAwaitable[Iterable[tuple[str, bool]]]] = lambda _path: _refuse()
    read: Callable[[str, int, int], MaybeAwaitable[bytes]] = lambda _path, _start, _size: _refuse()
    write: Function = lambda _path, _content, *, exclusive: _refuse()
    make_directory: Function = lambda _path: _refuse()
    remove: Function = lambda _path: _refuse()
    rename: Function = lambda _source, _target: _refuse()
    max_file_bytes: int = 64 << 20


def _refuse() -> Any:  # noqa: ANN401 - it gives nothing
    raise failure("EACCES")
