"""Which store has which paths."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, Final

from sandbox._records import record
from sandbox.files.failures import failure
from sandbox.files.memory import MemoryFiles
from sandbox.files.paths import Parts, is_below, parse

if TYPE_CHECKING:
    from sandbox.files.contract import FileStore

_MOST_MOUNTS: Final = 256
_METHODS: Final = ("stat", "list", "read", "write", "make_directory", "remove", "rename")


@record(frozen=True, slots=True)
class Place:
    """A path, and who has it.

    Attributes:
        parts: The path in the guest.
        store: None: nobody, it is a directory above some mounts.
        path: As the store knows it.
    """

    parts: Parts
    store: FileStore | None
    path: str

    @property
    def is_top(self) -> bool:
        """Whether it is the top of a store."""
        return self.store is not None and not self.path


class Mounts:
    """Stores by the paths that they have in the guest; the most exact one has a path."""

    def __init__(self, stores: Mapping[Parts, FileStore]) -> None:
        self._stores = dict(sorted(stores.items(), key=lambda item: -len(item[0])))

    @property
    def has_storage(self) -> bool:
        """Whether the top is in memory, and so the program's own: what `navigator.storage` is for."""
        return isinstance(self._stores.get(()), MemoryFiles)

    def find(self, path: object) -> Place:
        """Who has a path.

        Raises:
            OSError: It cannot be a path; or there is nothing at all.
            TypeError: It is none.
        """
        parts = parse(path)
        for top, store in self._stores.items():
            if is_below(parts, top):
                return Place(parts, store, "/".join(parts[len(top) :]))
        if any(is_below(top, parts) for top in self._stores):
            return Place(parts, None, "")
        raise failure("ENOENT")

    def names_below(self, parts: Parts) -> set[str]:
        """The next component of each mount below a path."""
        return {top[len(parts)] for top in self._stores if len(top) > len(parts) and is_below(top, parts)}


def mounts_of(option: object) -> Mounts | None:
    """What the option `files` of a sandbox says; None: there are no files.

    Raises:
        TypeError: A store is none.
        ValueError: A path is none.
    """
    if option is None:
        return None
    given: Mapping[Any, Any] = option if isinstance(option, Mapping) else {"/": option}
    if len(given) > _MOST_MOUNTS:
        raise ValueError(f"files must have at most {_MOST_MOUNTS} mounts")
    stores: dict[Parts, FileStore] = {}
    for path, store in given.items():
        missing = [name for name in _METHODS if not callable(getattr(store, name, None))]
        if missing:
            kind = type(store).__name__
            text = f"files must be a FileStore, or a mapping of paths to some; {kind} has no {missing[0]}()"
            if isinstance(store, str | PathLike):
                text += ". DirectoryFiles(path) is the store of a directory"
            raise TypeError(text)
        try:
            stores[parse(path)] = store
        except (OSError, TypeError):
            raise ValueError(f"files cannot be mounted at {path!r}: it must be an absolute path") from None
    return Mounts(stores)
