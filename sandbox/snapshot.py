"""Snapshots: a whole sandbox between two turns, as a value that can be kept, sent and restored, any number of times."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from sandbox import _snapshot_format, _store
from sandbox._memory_copy import MemoryCopy
from sandbox._pausing import Claim, Suspension
from sandbox._portable import Whole
from sandbox._snapshot_format import CHUNK_BYTES, PAGE_BYTES, Packed
from sandbox._snapshot_state import State
from sandbox.errors import MemoryLimitExceeded, SnapshotCorrupt, SnapshotMismatch

if TYPE_CHECKING:
    from sandbox._image import Image
    from sandbox._pristine import Pristine
    from sandbox.pause import PausedCall

__all__ = ["Snapshot"]

_TOO_LITTLE: Final = "Restore it with a higher Limits.memory_bytes."
_A = TypeVar("_A")
_R = TypeVar("_R")


class Snapshot(Whole):
    """What a sandbox was at one moment: its memory, and what the host knew of it.

    `Sandbox.snapshot` takes one, `Sandbox.restore` makes a sandbox of it, as often as one likes. It does not change,
    and any thread may use it. It holds a copy of the memory that the guest had written.

    Restoring runs what the snapshot holds, under the limits that are given then, as any hostile program. What it says
    the guest waits for is asked again of the functions that are given: take snapshots that others could have changed
    only if they are signed.
    """

    __slots__ = ("_claims", "_image", "_memory", "_packed", "_sealed", "_secrets", "_state")

    def __init__(
        self, image: Image, memory: MemoryCopy, state: State, secrets: dict[str, Any], claims: Mapping[str, Claim]
    ) -> None:
        """Put one together; only a sandbox does this."""
        self._image: Image | None = image
        self._memory: MemoryCopy | None = memory
        self._packed: Packed | None = None
        self._state = state
        self._secrets = secrets
        self._claims = claims
        self._sealed: bytes | None = None

    # --- what it tells ---

    @property
    def image(self) -> str:
        """SHA-256 of the guest it was taken of, in hex. Only the same one can continue."""
        packed, image = self._packed, self._image
        return packed.image.hex() if packed is not None else image.sha256 if image is not None else ""

    @property
    def memory_bytes(self) -> int:
        """Size of the guest's memory; a sandbox with a lower limit cannot continue."""
        packed, memory = self._packed, self._memory
        return packed.memory_bytes if packed is not None else memory.memory_bytes if memory is not None else 0

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of the host functions that its guest holds, to be given when it is restored."""
        return tuple(sorted({operation.label for operation in self._state.operations if operation.label}))

    @property
    def pending(self) -> tuple[str, ...]:
        """Names of what the guest waits for, in the order in which it asked."""
        return tuple(request.name for request in self._state.requests)

    @property
    def runs(self) -> tuple[int, ...]:
        """Numbers of the runs that were in progress."""
        return self._state.runs

    @property
    def paused(self) -> tuple[PausedCall, ...]:
        """The calls that host functions have paused, in the order in which the guest made them.

        Raises:
            SnapshotCorrupt: What it says of them cannot be.
        """
        requests = {request.number: request for request in self._state.requests}
        return tuple(
            Suspension(pause.token, pause.run, pause.message).call(
                requests[pause.number].name, requests[pause.number].message or b""
            )
            for pause in self._state.pauses
        )

    def __repr__(self) -> str:
        return f"<Snapshot of {self.memory_bytes:,} bytes, image {self.image[:12]}>"

    def __reduce__(self) -> tuple[Callable[[bytes], Snapshot], tuple[bytes]]:
        return Snapshot.from_bytes, (self.to_bytes(),)

    # --- as bytes ---

    def to_bytes(self, *, key: bytes | None = None) -> bytes:
        """The snapshot as bytes, which another process or machine with the same build of the guest can restore.

        Args:
            key: Signs it (HMAC-SHA256), at least 16 bytes that only the embedder knows. With a key, and only then, the
                program's CryptoKeys go along, encrypted with it.

        Raises:
            ValueError: The key is too short.
            TypeError: It is no bytes.
        """
        check_key(key)
        packed = self._pack()
        sealed = None if key is None or not self._secrets else _snapshot_format.seal(self._secrets, key)
        state = {"host": self._state.plain(), "sealed": sealed}
        return _snapshot_format.write(Packed(packed.image, packed.memory_bytes, state, packed.runs, packed.chunks), key)

    def write(self, path: str | os.PathLike[str], *, key: bytes | None = None) -> None:
        """Write it to a file, which is there in full or not at all; `key` as for `to_bytes`.

        Raises:
            OSError: The file cannot be written.
        """
        data, target = self.to_bytes(key=key), Path(path)
        draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            draft.write_bytes(data)
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview, *, key: bytes | None = None) -> Self:
        """Read what `to_bytes` gave.

        Args:
            data: The bytes.
            key: The one it must be signed with; None: whoever could change the bytes is trusted.

        Raises:
            SnapshotCorrupt: They are no snapshot, or damaged.
            SnapshotMismatch: They were written by another version.
            SnapshotUntrusted: They are not signed with the key.
            ValueError: The key is too short.
            TypeError: An argument is no bytes.
        """
        check_key(key)
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        packed = _snapshot_format.read(data, key)
        if type(packed.state) is not dict or set(packed.state) != {"host", "sealed"}:
            raise SnapshotCorrupt("its state has other parts")
        snapshot = cls.__new__(cls)
        snapshot._image = snapshot._memory = None
        snapshot._packed = packed
        snapshot._state = State.from_plain(packed.state["host"])
        snapshot._claims = {pause.token: Claim() for pause in snapshot._state.pauses}
        sealed, snapshot._secrets = packed.state["sealed"], {}
        if sealed is not None and key is not None:
            secrets = _snapshot_format.unseal(sealed, key)
            if type(secrets) is not dict:
                raise SnapshotCorrupt("its secrets cannot be read")
            snapshot._secrets = secrets
        return snapshot

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, key: bytes | None = None) -> Self:
        """Read a file that `write` has written; `key` and errors as for `from_bytes`, and `OSError`."""
        return cls.from_bytes(Path(path).read_bytes(), key=key)

    # --- what restoring needs of it ---

    def memory(self, image: Image, limit_bytes: int) -> MemoryCopy:
        """The memory, for an instance of an image that may have so much.

        Raises:
            SnapshotMismatch: It is another image's.
            MemoryLimitExceeded: It is larger.
            SnapshotCorrupt: Its pages cannot be read.
        """
        if self.image != image.sha256:
            raise SnapshotMismatch(
                f"it was taken of another build of the guest ({self.image[:12]}, here is {image.sha256[:12]})"
            )
        if not image.memory_bytes <= self.memory_bytes:
            raise SnapshotCorrupt("it has less memory than a guest")
        if self.memory_bytes > limit_bytes:
            raise MemoryLimitExceeded(limit_bytes, self.memory_bytes, advice=_TOO_LITTLE)
        if self._memory is None:
            assert self._packed is not None
            self._memory = _unpacked(self._packed, _store.pristine(image, image.memory_bytes))
        return self._memory

    def _pack(self) -> Packed:
        if self._packed is None:
            image, memory = self._image, self._memory
            assert image is not None
            assert memory is not None
            pristine = _store.pristine(image, image.memory_bytes)
            runs: list[tuple[int, int]] = []
            pieces = _noted(pristine.differences(memory.parts, PAGE_BYTES), runs)
            chunks = _in_parallel(_snapshot_format.compress, _chunks(pieces))
            self._packed = Packed(bytes.fromhex(image.sha256), memory.memory_bytes, None, runs, chunks)
        return self._packed


def check_key(key: object) -> None:
    """Refuse what is no key for signatures."""
    if key is None:
        return
    if not isinstance(key, bytes):
        raise TypeError(f"key must be bytes or None, not {type(key).__name__}")
    if len(key) < 16:
        raise ValueError(f"key must have at least 16 bytes, not {len(key)}")


def _noted(differences: Iterable[tuple[int, bytes]], runs: list[tuple[int, int]]) -> Iterator[bytes]:
    """Only the pages; `runs` gets where they are, and how many."""
    for start, pages in differences:
        runs.append((start // PAGE_BYTES, len(pages) // PAGE_BYTES))
        yield pages


def _chunks(pieces: Iterable[bytes]) -> list[bytes]:
    """The same bytes, cut into chunks of full size."""
    chunks: list[bytes] = []
    rest: list[bytes] = []
    size = 0
    for piece in pieces:
        view = memoryview(piece)
        while size + len(view) >= CHUNK_BYTES:
            room = CHUNK_BYTES - size
            chunks.append(b"".join((*rest, view[:room])))
            view, rest, size = view[room:], [], 0
        rest.append(bytes(view))
        size += len(view)
    return [*chunks, b"".join(rest)] if size else chunks


def _unpacked(packed: Packed, pristine: Pristine) -> MemoryCopy:
    pages = b"".join(_in_parallel(_snapshot_format.decompress, packed.chunks))
    parts, at = [], 0
    for first, length in packed.runs:
        size = length * PAGE_BYTES
        parts.append((first * PAGE_BYTES, pristine.xored(first * PAGE_BYTES, pages[at : at + size])))
        at += size
    return MemoryCopy(packed.memory_bytes, parts)


def _in_parallel(function: Callable[[_A], _R], items: Sequence[_A]) -> list[_R]:
    """What a function makes of each, on all processors: zlib lets go of the interpreter's lock."""
    workers = min(len(items), os.cpu_count() or 1)
    if workers < 2:
        return list(map(function, items))
    from concurrent.futures import ThreadPoolExecutor  # costs as much to import as the rest of the package

    with ThreadPoolExecutor(workers, thread_name_prefix="sandbox snapshot") as executor:
        return list(executor.map(function, items))
