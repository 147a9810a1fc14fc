"""Read and rewrite a WebAssembly binary, as far as freezing a heap needs it.

A module is a list of sections, kept as raw bytes; only those that are asked about are decoded, and only those that
change are encoded again, so everything else survives a round trip byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from wasm.errors import BuildError

MAGIC: Final = b"\0asm\x01\0\0\0"
PAGE_BYTES: Final = 65536
GRAIN_BYTES: Final = 4096  # runs of zeros shorter than this are not worth a segment of their own
CUSTOM, TYPE, IMPORT, FUNCTION, MEMORY, GLOBAL, EXPORT, START, DATA, DATA_COUNT = 0, 1, 2, 3, 5, 6, 7, 8, 11, 12
FUNCTION_NAMES: Final = 1  # within the custom section `name`
KINDS: Final = ("func", "table", "memory", "global", "tag")
VALUE_TYPES: Final = {
    0x7F: "i32",
    0x7E: "i64",
    0x7D: "f32",
    0x7C: "f64",
    0x7B: "v128",
    0x70: "funcref",
    0x6F: "externref",
}

T = TypeVar("T")


class FunctionType(NamedTuple):
    """Parameter and result types by name, `i32` and so on."""

    params: tuple[str, ...]
    results: tuple[str, ...]


class Import(NamedTuple):
    """One import; `type` is None unless it is a function."""

    module: str
    name: str
    kind: str
    type: FunctionType | None


class Export(NamedTuple):
    """One export; `number` is its index among those of its kind, imports first."""

    name: str
    kind: str
    number: int


class Global(NamedTuple):
    """One global the module defines; `value` is None when its initial value is not an i32 constant."""

    type: str
    mutable: bool
    value: int | None


class Reader:
    """A cursor over bytes that refuses to leave them."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        """Start reading `data` at `position`."""
        self.data = data
        self.position = position

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        end = self.position + count
        if end > len(self.data):
            raise BuildError("the WebAssembly module is cut short")
        piece = self.data[self.position : end]
        self.position = end
        return piece

    def unsigned(self) -> int:
        """A LEB128 unsigned integer."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise BuildError("the WebAssembly module holds an overlong integer")

    def signed(self) -> int:
        """A LEB128 signed integer."""
        start = self.position
        value = self.unsigned()
        bits = 7 * (self.position - start)
        return value - (1 << bits) if value >> (bits - 1) else value

    def name(self) -> str:
        """A UTF-8 string with its length in front."""
        return self.take(self.unsigned()).decode("utf-8")

    def many(self, read: Callable[[Reader], T]) -> list[T]:
        """A vector: a count, then that many items."""
        return [read(self) for _ in range(self.unsigned())]


def unsigned(value: int) -> bytes:
    """LEB128 of a non-negative integer."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def signed(value: int) -> bytes:
    """LEB128 of a signed integer."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value & 0x7F])


def vector(items: Iterable[bytes]) -> bytes:
    """A count and the encoded items."""
    encoded = list(items)
    return unsigned(len(encoded)) + b"".join(encoded)


@dataclass(frozen=True)
class Module:
    """A WebAssembly module as (section id, payload) pairs in file order."""

    sections: tuple[tuple[int, bytes], ...]

    @classmethod
    def parse(cls, data: bytes) -> Module:
        """Split a binary into its sections.

        Raises:
            BuildError: It is not a WebAssembly module of version 1, or it is cut short.
        """
        if not data.startswith(MAGIC):
            raise BuildError("the file is not a WebAssembly module of version 1")
        reader = Reader(data, len(MAGIC))
        sections = []
        while reader.position < len(data):
            number = reader.take(1)[0]
            sections.append((number, reader.take(reader.unsigned())))
        return cls(tuple(sections))

    def encode(self) -> bytes:
        """The binary again."""
        pieces = [MAGIC]
        for number, payload in self.sections:
            pieces += [bytes([number]), unsigned(len(payload)), payload]
        return b"".join(pieces)

    def section(self, number: int) -> Reader | None:
        """A reader over the section with this id, or None when the module has none."""
        return next((Reader(payload) for found, payload in self.sections if found == number), None)

    def replacing(self, number: int, payload: bytes) -> Module:
        """The same module with another payload in one of its sections, which it must have."""
        if self.section(number) is None:
            raise BuildError(f"the WebAssembly module has no section {number}")
        return Module(tuple((found, payload if found == number else old) for found, old in self.sections))

    def without(self, numbers: Iterable[int]) -> Module:
        """The same module without the sections of these ids."""
        dropped = set(numbers)
        return Module(tuple(pair for pair in self.sections if pair[0] not in dropped))

    def types(self) -> list[FunctionType]:
        """The function types."""

        def read(reader: Reader) -> FunctionType:
            if reader.take(1) != b"\x60":
                raise BuildError("the WebAssembly module declares a type that is not a function")
            params, results = reader.many(_value_type), reader.many(_value_type)
            return FunctionType(tuple(params), tuple(results))

        return self._vector(TYPE, read)

    def imports(self) -> list[Import]:
        """The imports."""
        types = self.types()

        def read(reader: Reader) -> Import:
            module, name, kind = reader.name(), reader.name(), reader.take(1)[0]
            if kind == 0:
                return Import(module, name, "func", types[reader.unsigned()])
            if kind == 3:
                reader.take(2)
            elif kind in (1, 2):
                if kind == 1:
                    reader.take(1)
                _limits(reader)
            else:
                raise BuildError("the WebAssembly module imports something unknown")
            return Import(module, name, KINDS[kind], None)

        return self._vector(IMPORT, read)

    def exports(self) -> list[Export]:
        """The exports."""
        return self._vector(EXPORT, lambda reader: Export(reader.name(), KINDS[reader.take(1)[0]], reader.unsigned()))

    def function_type(self, index: int) -> FunctionType:
        """The type of a function; imported functions count first."""
        imported = [entry.type for entry in self.imports() if entry.type is not None]
        if index < len(imported):
            return imported[index]
        return self.types()[self._vector(FUNCTION, Reader.unsigned)[index - len(imported)]]

    def function_names(self) -> dict[int, str]:
        """What the linker called the functions, by index; empty where the module carries no names."""
        for number, payload in self.sections:
            reader = Reader(payload)
            if number != CUSTOM or reader.name() != "name":
                continue
            while reader.position < len(payload):
                kind, content = reader.take(1)[0], Reader(reader.take(reader.unsigned()))
                if kind == FUNCTION_NAMES:
                    return dict(content.many(lambda entry: (entry.unsigned(), entry.name())))
        return {}

    def globals(self) -> list[Global]:
        """The globals the module defines."""

        def read(reader: Reader) -> Global:
            kind, mutable, opcode = _value_type(reader), reader.take(1) == b"\1", reader.take(1)
            if opcode not in (b"\x41", b"\x42"):
                raise BuildError("the WebAssembly module has a global that does not start as an integer constant")
            value = reader.signed()
            reader.take(1)
            return Global(kind, mutable, value if opcode == b"\x41" else None)

        return self._vector(GLOBAL, read)

    def memory(self) -> tuple[int, int | None]:
        """Minimum and maximum pages of the one memory the module defines.

        Raises:
            BuildError: It defines none, several, or a shared or 64-bit one.
        """
        reader = self.section(MEMORY)
        if reader is None or reader.unsigned() != 1:
            raise BuildError("the WebAssembly module does not define exactly one memory")
        return _limits(reader)

    def with_exports(self, exports: Iterable[Export]) -> Module:
        """The same module with another list of exports."""
        return self.replacing(
            EXPORT,
            vector(
                unsigned(len(name := entry.name.encode()))
                + name
                + bytes([KINDS.index(entry.kind)])
                + unsigned(entry.number)
                for entry in exports
            ),
        )

    def with_heap(self, heap: bytes) -> Module:
        """The same module with this memory image as its initial memory.

        Args:
            heap: The whole linear memory, a multiple of 64 KiB.

        Returns:
            A module whose memory starts at that size with exactly these contents; the start function is gone, for what
            it did is part of the image.
        """
        pages, rest = divmod(len(heap), PAGE_BYTES)
        if rest:
            raise BuildError("a memory image must be whole pages")
        _, maximum = self.memory()
        limits = b"\0" + unsigned(pages) if maximum is None else b"\1" + unsigned(pages) + unsigned(maximum)
        segments = [
            b"\0\x41" + signed(start - (start >> 31 << 32)) + b"\x0b" + unsigned(end - start) + heap[start:end]
            for start, end in occupied(heap)
        ]
        module = self.without({START}).replacing(MEMORY, unsigned(1) + limits).replacing(DATA, vector(segments))
        return module if self.section(DATA_COUNT) is None else module.replacing(DATA_COUNT, unsigned(len(segments)))

    def data_addresses(self) -> list[int]:
        """Where the data segments start.

        Raises:
            BuildError: A segment is passive, so that code may still copy from it: a frozen module has no place for it.
        """

        def read(reader: Reader) -> int:
            if reader.unsigned() != 0 or reader.take(1) != b"\x41":
                raise BuildError("the WebAssembly module has a data segment that is not placed at a constant address")
            address = reader.signed() & 0xFFFFFFFF
            reader.take(1)
            reader.take(reader.unsigned())
            return address

        return self._vector(DATA, read)

    def _vector(self, number: int, read: Callable[[Reader], T]) -> list[T]:
        reader = self.section(number)
        return [] if reader is None else reader.many(read)


def occupied(heap: bytes) -> list[tuple[int, int]]:
    """Start and end of the runs of grains that are not all zero."""
    runs: list[tuple[int, int]] = []
    zeros = bytes(GRAIN_BYTES)
    for start in range(0, len(heap), GRAIN_BYTES):
        end = start + GRAIN_BYTES
        if heap[start:end] != zeros:
            if runs and runs[-1][1] == start:
                runs[-1] = (runs[-1][0], end)
            else:
                runs.append((start, end))
    return runs


def _value_type(reader: Reader) -> str:
    code = reader.take(1)[0]
    if code not in VALUE_TYPES:
        raise BuildError(f"the WebAssembly module uses the unknown value type {code:#x}")
    return VALUE_TYPES[code]


def _limits(reader: Reader) -> tuple[int, int | None]:
    flag = reader.take(1)[0]
    if flag > 1:
        raise BuildError("the WebAssembly module uses a shared or 64-bit memory")
    minimum = reader.unsigned()
    return minimum, reader.unsigned() if flag else None
