"""Content codings undone a bounded piece at a time, so that a small answer cannot become a large one at once."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Final

from sandbox.fetch.failures import FetchFailure

ACCEPTED: Final = "gzip, deflate"
_PIECE_BYTES: Final = 1 << 16
_MOST_CODINGS: Final = 4
_GZIP_MAGIC: Final = 0x1F


class Decoder:
    """Undoes one coding."""

    def __init__(self, coding: str) -> None:
        """Make one for `"gzip"` or `"deflate"`."""
        self._is_deflate = coding == "deflate"
        self._inner = zlib.decompressobj(zlib.MAX_WBITS | (0 if self._is_deflate else 16))
        self._has_begun = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        """What comes of some more bytes, in pieces.

        Raises:
            FetchFailure: They are not what they should be.
        """
        while data:
            if self._inner.eof:
                if self._is_deflate or data[0] != _GZIP_MAGIC:
                    return  # as browsers do: what follows is ignored
                self._inner, self._has_begun = zlib.decompressobj(zlib.MAX_WBITS | 16), False
            piece = self._decompress(data)
            self._has_begun = True
            if piece:
                yield piece
            data = self._inner.unconsumed_tail or self._inner.unused_data
        while not self._inner.eof and (piece := self._decompress(b"")):
            yield piece

    def _decompress(self, data: bytes) -> bytes:
        try:
            return self._inner.decompress(data, _PIECE_BYTES)
        except zlib.error:
            if self._is_deflate and not self._has_begun:  # servers also send it without its header
                self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
                self._has_begun = True
                return self._decompress(data)
            raise FetchFailure("encoding") from None

    def end(self) -> None:
        """There are no more bytes.

        Raises:
            FetchFailure: There should be.
        """
        if self._has_begun and not self._inner.eof:
            raise FetchFailure("encoding")


def decoders(content_encoding: str) -> list[Decoder]:
    """What undoes the codings of a body, the last one first; none: it stays as it is, as some coding is not known."""
    codings = [coding.strip().lower() for coding in content_encoding.split(",")]
    codings = [coding.removeprefix("x-") for coding in codings if coding not in ("", "identity")]
    if len(codings) > _MOST_CODINGS:
        raise FetchFailure("encoding")
    if not set(codings) <= {"gzip", "deflate"}:
        return []
    return [Decoder(coding) for coding in reversed(codings)]


async def decoded(chunks: AsyncGenerator[bytes], content_encoding: str) -> AsyncGenerator[bytes]:
    """Chunks without their codings."""
    stages = decoders(content_encoding)
    async with aclosing(chunks):
        async for chunk in chunks:
            for piece in _through(stages, chunk):
                yield piece
    for stage in stages:
        stage.end()


def _through(stages: list[Decoder], data: bytes) -> Iterator[bytes]:
    if not stages:
        yield data
        return
    first, *others = stages
    for piece in first.decode(data):
        yield from _through(others, piece)
