"""CompressionStream and DecompressionStream, held against Python's zlib."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

from sandbox import Limits, Sandbox
from sandbox.errors import MemoryLimitExceeded

if TYPE_CHECKING:
    from sandbox import JSFunction

FORMATS: Final = {"deflate": 15, "deflate-raw": -15, "gzip": 31}  # and what zlib calls window bits

# Writes chunks of the given sizes, and one of the rest; gives what is read until the end, or what it fails with.
RUN: Final = """
(async (stream, bytes, sizes) => {
  const writer = stream.writable.getWriter(), chunks = [];
  let at = 0;
  for (const size of sizes) writer.write(bytes.subarray(at, at += size)).catch(() => {});
  writer.write(bytes.subarray(at)).catch(() => {});
  writer.close().catch(() => {});
  try {
    for await (const chunk of stream.readable) chunks.push(chunk);
    return chunks;
  } catch (error) {
    return String(error);
  }
})
"""


@pytest.fixture(scope="module")
def guest() -> Iterator[Sandbox]:
    with Sandbox(limits=Limits(cpu_seconds=60, wall_seconds=120)) as box:
        box.eval(f"globalThis.run = {RUN}; 0")
        yield box


@pytest.fixture(scope="module")
def compress(guest: Sandbox) -> JSFunction:
    function: JSFunction = guest.eval("(format, ...rest) => run(new CompressionStream(format), ...rest)")
    return function


@pytest.fixture(scope="module")
def decompress(guest: Sandbox) -> JSFunction:
    function: JSFunction = guest.eval("(format, ...rest) => run(new DecompressionStream(format), ...rest)")
    return function


def _decompressed(data: bytes, format_: str) -> bytes:
    """By Python, which is to find nothing missing and nothing left over."""
    codec = zlib.decompressobj(FORMATS[format_])
    plain = codec.decompress(data) + codec.flush()
    assert codec.eof
    assert not codec.unused_data
    return plain


def _compressed(data: bytes, format_: str, level: int = 6, strategy: int = 0) -> bytes:
    codec = zlib.compressobj(level, zlib.DEFLATED, FORMATS[format_], 8, strategy)
    return codec.compress(data) + codec.flush()


def _data(source: random.Random) -> bytes:
    """Bytes of very different kinds, some of which repeat far back."""
    kinds: list[Any] = [
        lambda: source.randbytes(source.randrange(3000)),
        lambda: bytes([source.randrange(256)]) * source.randrange(70_000),
        lambda: b"".join(source.choices([b"the ", b"quick ", b"brown ", b"fox "], k=source.randrange(4000))),
        lambda: bytes(source.choices(range(4), k=source.randrange(20_000))),
    ]
    parts = [source.choice(kinds)() for _ in range(source.randrange(5))]
    return b"".join(parts + source.choices(parts, k=source.randrange(3)) if parts else [])


def _sizes(source: random.Random, length: int) -> list[int]:
    return [source.randrange(1 + source.choice([1, 10, length, length // 3])) for _ in range(source.randrange(6))]


@pytest.mark.parametrize("format_", FORMATS)
def test_zlib_reads_what_is_compressed(compress: JSFunction, format_: str) -> None:
    source = random.Random(format_)
    for _ in range(25):
        data = _data(source)
        chunks = compress(format_, data, _sizes(source, len(data)))

        assert _decompressed(b"".join(chunks), format_) == data
        assert all(0 < len(chunk) <= 65536 for chunk in chunks)


@pytest.mark.parametrize("format_", FORMATS)
def test_what_zlib_compresses_is_read(decompress: JSFunction, format_: str) -> None:
    source = random.Random(format_)
    for level in range(10):
        for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED):
            data = _data(source)
            packed = _compressed(data, format_, level, strategy)
            chunks = decompress(format_, packed, _sizes(source, len(packed)))

            assert b"".join(chunks) == data
            assert all(0 < len(chunk) <= 65536 for chunk in chunks)


@pytest.mark.parametrize("format_", FORMATS)
def test_one_byte_at_a_time(compress: JSFunction, decompress: JSFunction, format_: str) -> None:
    data = _compressed(b"one byte " * 50, format_)

    assert b"".join(decompress(format_, data, [1] * len(data))) == b"one byte " * 50
    assert _decompressed(b"".join(compress(format_, data, [1] * len(data))), format_) == data


def test_it_compresses_as_well_as_zlib(compress: JSFunction) -> None:
    data = b"".join(f"{i}: {i * i}, {i**3 % 97}\n".encode() for i in range(20_000))

    assert len(b"".join(compress("gzip", data, []))) < len(gzip.compress(data, 6)) * 1.1


@pytest.mark.parametrize("format_", FORMATS)
def test_data_that_is_cut_off(decompress: JSFunction, format_: str) -> None:
    data = _compressed(b"expected output " * 9, format_)
    for length in range(len(data)):
        assert decompress(format_, data[:length], []).startswith("TypeError: The compressed data was not valid: ")


@pytest.mark.parametrize("sizes", [[], [-1], [5, -1]])
@pytest.mark.parametrize("format_", FORMATS)
def test_data_after_the_end(decompress: JSFunction, format_: str, sizes: list[int]) -> None:
    data = _compressed(b"expected output", format_)
    sizes = [size if size > 0 else len(data) - sum(sizes[:-1]) for size in sizes]

    assert b"".join(decompress(format_, data, [*sizes, 0, 0])) == b"expected output"
    failure = "TypeError: The compressed data was not valid: there is more after its end."
    assert decompress(format_, data + b"\0", sizes) == failure
    assert decompress(format_, data + data, sizes) == failure


@pytest.mark.parametrize("format_", FORMATS)
def test_data_with_a_wrong_bit(decompress: JSFunction, format_: str) -> None:
    """What cannot be noticed must be so for zlib too."""
    data = _compressed(b"some text, more text, still more text", format_)
    for bit in range(8 * len(data)):
        wrong = bytearray(data)
        wrong[bit // 8] ^= 1 << bit % 8
        try:
            expected = _decompressed(bytes(wrong), format_)
        except (zlib.error, AssertionError):
            assert decompress(format_, bytes(wrong), []).startswith("TypeError: The compressed data was not valid: ")
        else:
            assert b"".join(decompress(format_, bytes(wrong), [])) == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is cut off"),
        (b"\x78", "it is cut off"),
        (b"\x00\x9c", "incorrect header check"),
        (b"\x78\x9c\x07", "invalid block type"),
        (zlib.compressobj(zdict=b"words").flush(), "it needs a dictionary"),
    ],
)
def test_reasons(decompress: JSFunction, data: bytes, reason: str) -> None:
    assert decompress("deflate", data, []) == f"TypeError: The compressed data was not valid: {reason}."


@pytest.mark.parametrize("flags", range(0, 32, 2))
def test_headers_of_gzip(decompress: JSFunction, flags: int) -> None:
    header = b"\x1f\x8b\x08" + bytes([flags]) + b"\1\2\3\4\0\xff"
    header += b"\x04\0extr" if flags & 4 else b""
    header += b"name\0" if flags & 8 else b""
    header += b"comment\0" if flags & 16 else b""
    header += (zlib.crc32(header) & 0xFFFF).to_bytes(2, "little") if flags & 2 else b""
    data = header + _compressed(b"text", "gzip")[10:]

    assert b"".join(decompress("gzip", data, [])) == b"text"


@pytest.mark.parametrize("name", ["CompressionStream", "DecompressionStream"])
class TestBothClasses:
    @pytest.mark.parametrize(
        "chunk",
        [
            "undefined",
            "null",
            "3",
            "'text'",
            "{}",
            "[65]",
            "new SharedArrayBuffer(1)",
            "new Uint8Array(new SharedArrayBuffer(1))",
            "new Proxy(new Uint8Array(1), {})",
        ],
    )
    def test_chunks_that_are_no_bytes(self, guest: Sandbox, name: str, chunk: str) -> None:
        code = f"""
        const stream = new {name}("gzip"), writer = stream.writable.getWriter();
        const failures = [];
        const note = (error) => failures.push(error.name + ": " + error.message);
        await Promise.all([
          writer.write({chunk}).catch(note), writer.closed.catch(note), stream.readable.getReader().read().catch(note),
        ]);
        failures
        """
        message = "TypeError: The provided value is not of type '(ArrayBuffer or ArrayBufferView)'."
        assert guest.eval(f"{{{code}}}") == [message] * 3

    @pytest.mark.parametrize("format_", ["'x'", "'GZIP'", "''", "null", "'__proto__'", "'toString'", "{}"])
    def test_unknown_formats(self, guest: Sandbox, name: str, format_: str) -> None:
        code = f"try {{ new {name}({format_}) }} catch (error) {{ String(error) }}"
        text = f"TypeError: Failed to construct '{name}': Unsupported compression format: '"

        assert guest.eval(code).startswith(text)

    def test_without_a_format(self, guest: Sandbox, name: str) -> None:
        code = f"try {{ new {name}() }} catch (error) {{ String(error) }}"

        assert guest.eval(code) == f"TypeError: Failed to construct '{name}': 1 argument required, but only 0 present."

    def test_shape(self, guest: Sandbox, name: str) -> None:
        code = f"""
        const stream = new {name}({{ toString: () => "deflate" }});
        let refused;
        try {{ {name}.prototype.readable }} catch (error) {{ refused = error.name }}
        [{name}.length, String(stream), stream.readable === stream.readable, stream.writable instanceof WritableStream,
         stream.readable instanceof ReadableStream, refused]
        """
        assert guest.eval(f"{{{code}}}") == [1, f"[object {name}]", True, True, True, "TypeError"]


@pytest.mark.parametrize(
    "source", ["bytes.buffer", "bytes", "new DataView(bytes.buffer)", "new Uint16Array(bytes.buffer)"]
)
def test_sources_of_bytes(guest: Sandbox, source: str) -> None:
    code = f"""
    async (name, bytes) => {{
      const stream = new globalThis[name]("gzip"), writer = stream.writable.getWriter(), chunks = [];
      writer.write({source});
      writer.close();
      for await (const chunk of stream.readable) chunks.push(chunk);
      return chunks;
    }}
    """
    run, data = guest.eval(code), b"some bytes"
    packed = _compressed(data, "gzip")
    assert len(packed) % 2 == 0

    assert gzip.decompress(b"".join(run("CompressionStream", data))) == data
    assert b"".join(run("DecompressionStream", packed)) == data


def test_bytes_are_read_before_anything_else_runs(guest: Sandbox) -> None:
    """Later changes of the chunk, as when a chunk that is read is looked at for `then`, are too late."""
    code = """
    async (bytes) => {
      const stream = new CompressionStream("deflate"), writer = stream.writable.getWriter(), chunks = [];
      writer.write(bytes);
      writer.close();
      Object.defineProperty(Object.prototype, "then", {
        get() { if (bytes.length) bytes.buffer.transfer() }, configurable: true,
      });
      try {
        for await (const chunk of stream.readable) chunks.push(chunk);
      } finally {
        delete Object.prototype.then;
      }
      return chunks;
    }
    """
    data = random.Random(5).randbytes(300_000)

    assert zlib.decompress(b"".join(guest.call(guest.eval(code), data))) == data


@pytest.fixture(scope="module")
def bomb() -> bytes:
    return gzip.compress(bytes(500_000_000), 9)


def test_what_would_unpack_to_too_much_ends_in_the_limit(bomb: bytes) -> None:
    with Sandbox(limits=Limits(memory_bytes=32 << 20), globals={"bomb": bomb}) as box:
        box.eval(f"globalThis.run = {RUN}; 0")
        # Guest code may deal with it.
        assert "memory" in box.eval("run(new DecompressionStream('gzip'), bomb, [])")
        with pytest.raises(MemoryLimitExceeded):
            box.eval(
                "for await (const chunk of ReadableStream.from([bomb]).pipeThrough(new DecompressionStream('gzip')));"
            )
        assert box.eval("run(new DecompressionStream('gzip'), new Uint8Array(1), [])").startswith("TypeError")


def test_in_small_chunks_it_streams(bomb: bytes) -> None:
    """In chunks of 100 bytes it is 100 KB at a time, and takes no more memory than that."""
    code = """
    let at = 0, total = 0;
    const source = new ReadableStream({
      pull(c) { at < bomb.length ? c.enqueue(bomb.slice(at, at += 100)) : c.close() },
    });
    for await (const chunk of source.pipeThrough(new DecompressionStream("gzip"))) total += chunk.length;
    total
    """
    with Sandbox(limits=Limits(memory_bytes=16 << 20, cpu_seconds=60), globals={"bomb": bomb}) as box:
        assert box.eval(code) == 500_000_000


def test_many_that_are_left_behind_are_collected() -> None:
    with Sandbox(limits=Limits(memory_bytes=32 << 20)) as box:
        box.eval("for (let i = 0; i < 1000; i++) new CompressionStream('gzip'), new DecompressionStream('gzip')")
        box.eval(
            "for (let i = 0; i < 1000; i++) {"
            "  const stream = new CompressionStream('gzip'), writer = stream.writable.getWriter();"
            "  stream.readable.getReader().read();"
            "  await writer.write(new Uint8Array(1));"
            "}"
        )
        assert box.usage.memory_bytes < 32 << 20


def test_one_that_is_not_finished_is_a_part_of_a_checkpoint() -> None:
    with Sandbox(on_limit="rollback", limits=Limits(cpu_seconds=1)) as box:
        box.eval(
            "var stream = new CompressionStream('gzip'), writer = stream.writable.getWriter();"
            "var read = (async (all) => { for await (const c of stream.readable) all.push(c); return all })([]);"
            "await writer.write(new Uint8Array(50_000).fill(1)); 0"
        )
        with pytest.raises(TimeoutError):
            box.eval("await writer.write(new Uint8Array(50_000).fill(2)); for (;;);", timeout=0.2)
        chunks = box.eval("await writer.write(new Uint8Array(10).fill(3)); writer.close(); read")

        assert gzip.decompress(b"".join(chunks)) == b"\1" * 50_000 + b"\3" * 10
