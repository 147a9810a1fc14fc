"""Messages of the guest into Python values, the general way: references, cycles, any nesting, and paths in errors.

`Reader` parses a message with a stack of its own. Containers exist before their members are read, so a reference to
one that is still being filled works. Every length is checked against the bytes that are there before anything is made
of it. `_codec` has a quicker way for messages without references.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox._abi import CAP_DEPTH, Tag
from sandbox._cursor import Cursor, malformed
from sandbox._payloads import (
    HELD,
    UNSUPPORTED,
    DecodeOwner,
    adopt_cause,
    date_ms,
    held_parts,
    leaf,
    new_error,
    reference_number,
    target_of,
)
from sandbox._wire import date_from, path_of, path_step
from sandbox.errors import ConversionError
from sandbox.values import Blob, JSHandle, JSMap, JSSet, undefined

if TYPE_CHECKING:
    from sandbox.limits import Limits

# How many values without a Python form are told apart; in what is thrown, later ones share the last stand-in.
_MOST_REFUSALS: Final = 100


class _Frame:
    """A container whose members are being read."""

    __slots__ = ("add", "close", "end", "index", "key", "keys", "pair", "remaining")

    def __init__(
        self,
        remaining: int,
        add: Callable[[Any, Any], object],
        *,
        keys: Callable[[], object] | None = None,
        pairs: bool = False,
        end: int | None = None,
        close: Callable[[], None] | None = None,
    ) -> None:
        self.remaining = remaining
        self.add = add  # called with the key, or the index, and the value
        self.keys = keys  # reads the key before each value
        self.pair: list[object] | None = [] if pairs else None  # the key of a Map's entry, once it was read
        self.end = end  # of the surrounding message, when this container is the payload of an extension
        self.close = close
        self.index = -1
        self.key: object = None

    def put(self, value: object) -> None:
        if self.pair is None:
            self.add(self.index if self.keys is None else self.key, value)
        elif self.pair:
            self.add(self.pair.pop(), value)
        else:
            self.pair.append(value)

    def step(self) -> str:
        if self.keys is not None:
            return path_step(self.key)
        return path_step(self.index if self.pair is None else self.index // 2)


class Reader(Cursor):
    """Reads one value. Use it once.

    Args:
        owner: The sandbox.
        limits: `max_nodes` bounds what a message can make.
        data: The message without its flag byte.
        references: Whether references are allowed.
        held: Functions, promises and iterators of this message that were made already, by handle.
        keep_refusals: Let a `ConversionError` stand in for each value without a Python form, instead of raising it.
        spare_items: How many items sparse arrays may have beside those that are in the message.

    Attributes:
        spare_items: How many are left of these.
    """

    def __init__(
        self,
        owner: DecodeOwner,
        limits: Limits,
        data: bytes,
        *,
        references: bool,
        held: dict[int, JSHandle] | None = None,
        keep_refusals: bool = False,
        spare_items: int = 1 << 62,
    ) -> None:
        self._owner = owner
        self._step = owner.pace.step
        self._limits = limits
        super().__init__(data)
        self._references = references
        self._held = held or {}
        self._keep_refusals = keep_refusals
        self.spare_items = spare_items
        self._objects: list[object] = []
        self._frames: list[_Frame] = []
        self._nodes = 0
        self._refusals: list[ConversionError] = []

    def read(self) -> Any:  # noqa: ANN401 - any value
        """Decode the message.

        Raises:
            ConversionError: A value has no Python form; the rest of the message was read, so that the functions in it
                are known and released.
            GuestProtocolError: The message is malformed.
        """
        result: list[object] = []
        frames = self._frames
        frames.append(_Frame(1, lambda _, value: result.append(value)))
        while frames:
            frame = frames[-1]
            if frame.remaining:
                self._members(frame)
                continue
            if frame.end is not None:
                self._finish(frame.end)
            if frame.close is not None:
                frame.close()
            frames.pop()
        if self._at != len(self._data):
            raise malformed("bytes after the value")
        if self._refusals and not self._keep_refusals:
            raise self._refusals[0]
        return result[0]

    def _members(self, frame: _Frame) -> None:
        """Read members of the innermost frame, up to one that has members of its own."""
        put, keys, step = self._put, frame.keys, self._step
        while frame.remaining:
            frame.remaining -= 1
            frame.index += 1
            step()
            if keys is not None:
                frame.key = keys()
            self._nodes += 1
            if self._nodes > self._limits.max_nodes:
                raise malformed("more values than the max_nodes limit")
            head = self._byte()
            if head < 0x80:
                put(head)
                continue
            if 0xA0 <= head < 0xC0:
                put(self._text(head))
                continue
            child = self._value(head)
            if child is not None:
                if len(self._frames) > CAP_DEPTH + 1:
                    raise malformed("nested too deeply")
                self._frames.append(child)
                return

    def _put(self, value: object) -> None:
        try:
            self._frames[-1].put(value)
        except ValueError as error:  # two String objects of one text, for one
            refusal, frame = self._refusal(str(error)), self._frames[-1]
            frame.add(refusal, refusal if frame.pair is None else value)

    def _refuse(self, reason: str) -> None:
        """Note a value without a Python form; reading goes on with a stand-in."""
        self._object(self._refusal(reason))

    def _refusal(self, reason: str) -> ConversionError:
        if len(self._refusals) < (_MOST_REFUSALS if self._keep_refusals else 1):
            path = path_of([frame.step() for frame in self._frames[1:]])
            self._refusals.append(ConversionError(path, reason))
            return self._refusals[-1]
        # One of its own: the same one twice would be a key that is there twice.
        return ConversionError(self._refusals[-1].path, self._refusals[-1].reason)

    def _finish(self, end: int) -> None:
        """Leave an extension; its payload must have been read to its end."""
        if self._at != self._end:
            raise malformed("bytes after the payload of an extension")
        self._end = end

    def _value(self, head: int) -> _Frame | None:
        """Read the rest of a value and put it into the innermost frame; return a frame when its members follow."""
        if 0x80 <= head <= 0x8F or head in (0xDE, 0xDF):
            mapping: dict[str, object] = {}
            self._objects.append(mapping)
            self._put(mapping)
            return _Frame(self._count(head, 0x80, 0xDE), mapping.__setitem__, keys=self._key)
        if 0x90 <= head <= 0x9F or head in (0xDC, 0xDD):
            items: list[object] = []
            self._objects.append(items)
            self._put(items)
            return _Frame(self._count(head, 0x90, 0xDC), lambda _, value: items.append(value))
        if 0xC4 <= head <= 0xC6:
            self._object(self._take(self._length(1 << (head - 0xC4))))
            return None
        if 0xC7 <= head <= 0xC9:
            return self._extension(self._length(1 << (head - 0xC7)))
        if 0xD4 <= head <= 0xD8:
            return self._extension(1 << (head - 0xD4))
        self._put(self._scalar(head))
        return None

    def _object(self, value: object) -> None:
        self._objects.append(value)
        self._put(value)

    def _extension(self, size: int) -> _Frame | None:
        tag = self._byte()
        if size > self._end - self._at:
            raise malformed("the message ends too early")
        if tag in _CONTAINERS:
            end, self._end = self._end, self._at + size
            frame = _CONTAINERS[tag](self)
            frame.end = end
            return frame
        payload = self._take(size)
        if tag == Tag.REFERENCE:
            self._reference(payload)
        elif tag in UNSUPPORTED:
            self._refuse(UNSUPPORTED[tag])
        elif tag == Tag.DATE:
            self._date(payload)
        elif tag == Tag.HOST_OBJECT:
            self._object(target_of(payload, self._owner))
        elif tag in HELD:
            self._hold(*held_parts(tag, payload), Tag(tag))
        else:
            value = leaf(tag, payload)
            if tag in (Tag.UNDEFINED, Tag.BIGINT):
                self._put(value)
            else:
                self._object(value)
            if isinstance(value, Blob):
                self._objects += (value.data, value.data)  # the numbers of its parts, to which nothing refers
        return None

    def _hold(self, handle: int, name: str, tag: Tag) -> None:
        try:
            self._object(self._held.get(handle) or self._owner.held(tag, handle, name))
        except ConversionError as error:
            self._refuse(error.reason)

    def _reference(self, payload: bytes) -> None:
        number = reference_number(payload)
        if not self._references or type(number) is not int or not 0 <= number < len(self._objects):
            raise malformed("a reference to nothing")
        self._put(self._objects[number])

    def _date(self, payload: bytes) -> None:
        try:
            self._object(date_from(date_ms(payload)))
        except ValueError:
            self._refuse("an invalid Date")
        except OverflowError:
            self._refuse("a Date outside the years 1 to 9999")

    def _map(self) -> _Frame:
        count = self._count(self._byte(), 0x90, 0xDC)
        if count % 2:
            raise malformed("a Map with half an entry")
        value = JSMap()
        self._object(value)
        return _Frame(count, value.add_distinct, pairs=True)

    def _set(self) -> _Frame:
        count = self._count(self._byte(), 0x90, 0xDC)
        value = JSSet()
        self._object(value)
        return _Frame(count, lambda _, member: value.add_distinct(member))

    def _error(self) -> _Frame:
        if self._byte() != 0x96:
            raise malformed("an Error with missing parts")
        error = new_error([self._scalar(self._byte()) for _ in range(5)], self._owner)
        self._object(error)
        count = self._count(self._byte(), 0x80, 0xDE)
        return _Frame(count, error.properties.__setitem__, keys=self._key, close=lambda: adopt_cause(error))

    def _sparse_array(self) -> _Frame:
        length = self._scalar(self._byte())
        if type(length) is not int or not 0 <= length < 1 << 32:
            raise malformed("an array without a length")
        count = self._count(self._byte(), 0x80, 0xDE)
        if count > length:
            raise malformed("more indexes than the array is long")
        self._nodes += length - count  # its entries are counted when they are read
        if self._nodes > self._limits.max_nodes:
            raise malformed("more values than the max_nodes limit")
        self.spare_items -= length - count
        if self.spare_items < 0:
            self._refuse("one of too many sparse arrays at one time")
            return _Frame(count, lambda _, value: None, keys=self._index_key)
        items: list[Any] = [undefined] * length
        self._object(items)

        def add(index: int, value: object) -> None:
            if not 0 <= index < length:
                raise malformed("an index outside the array")
            items[index] = value

        return _Frame(count, add, keys=self._index_key)


_CONTAINERS: Final[Mapping[int, Callable[[Reader], _Frame]]] = {
    Tag.MAP: Reader._map,
    Tag.SET: Reader._set,
    Tag.ERROR: Reader._error,
    Tag.SPARSE_ARRAY: Reader._sparse_array,
}
