"""The one converter between Python values and messages, for results, arguments, host functions and errors alike.

Plain data takes a quick way in which msgpack's own code does the work: the encoder first makes sure, level by level and
without visiting scalars one by one, that no container occurs twice; the decoder needs no such check, because a message
says whether it holds references. Everything else goes through `Writer` and `Reader`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import msgpack

from sandbox._abi import Flag, Tag
from sandbox._cursor import malformed
from sandbox._payloads import (
    HELD,
    UNSUPPORTED,
    adopt_cause,
    date_ms,
    held_parts,
    leaf,
    new_error,
    target_of,
)
from sandbox._wire import SCALARS, UNDEFINED, bigint_payload, date_from, date_payload, new_packer
from sandbox.errors import ConversionError, GuestProtocolError, LimitExceeded
from sandbox.values import (
    BigInt,
    JSAsyncIterator,
    JSFunction,
    JSHandle,
    JSIterator,
    JSMap,
    JSPromise,
    JSSet,
    Undefined,
    undefined,
)

if TYPE_CHECKING:
    from sandbox._encode import EncodeOwner
    from sandbox._payloads import DecodeOwner
    from sandbox.errors import ErrorDetail
    from sandbox.limits import Limits

    class Owner(EncodeOwner, DecodeOwner, Protocol):
        """What a codec needs of its sandbox."""


T = TypeVar("T", list[Any], dict[str, Any])


class _NotPlain(Exception):
    """The quick way does not lead there."""


_NUMBERS: Final = frozenset({int, float})
_KEYS: Final = frozenset({str})
_TREES: Final = SCALARS | {list, dict}
_CONTAINERS: Final = frozenset({list, dict, tuple})
# The packer's own types, and those that its hook turns into a value of their own.
_HANDLES: Final = frozenset({JSFunction, JSPromise, JSIterator, JSAsyncIterator})
_PLAIN: Final = SCALARS | _CONTAINERS | _HANDLES | {bytes, Undefined, BigInt, datetime}
_NESTING: Final = frozenset({Tag.MAP, Tag.SET, Tag.ERROR})
_LONG_RUN: Final = 64
_SMALL_COUNT: Final = 64
_FEW_CONTAINERS: Final = 8
_SMALL_CHARS: Final = 1 << 12
_MOST_FIXED: Final = 15  # elements of an array whose head is one byte
# Below this, the lengths that a message claims cannot cost enough to be worth checking them first.
_UNCHECKED_BYTES: Final = 1 << 12
# Up to this size a message without extensions is decoded in one step.
_SMALL_BYTES: Final = 512
# An extension inside an extension is decoded by a nested call, each with tens of kilobytes of C stack.
_NESTED_EXTENSIONS: Final = 8
_UNCOUNTED: Final = 1 << 62
# Times `max_nodes`: what bounds one message bounds the holes of all that come at one time.
_SPARE_SHARE: Final = 1
# A packer keeps the largest buffer it ever needed; one that grew beyond this is not used again.
_KEPT_BUFFER_BYTES: Final = 1 << 20
_UNDEFINED: Final = msgpack.ExtType(Tag.UNDEFINED, b"")
_MALFORMED: Final = (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException)


class Codec:
    """Converts for one sandbox.

    May be used from any thread; values must not be changed while they are being encoded.

    Args:
        owner: The sandbox.
        limits: Its limits: `max_nodes`, `max_depth`, `message_bytes`.
        error_detail: What the guest sees of exceptions that host functions raise.

    Attributes:
        spare_items: How many more items without a value sparse arrays may have, all messages together; whoever counts
            them begins with `most_items`. They take time and room here, and next to none in a message.
        most_items: How many there may be.
    """

    spare_items: int

    def __init__(self, owner: Owner, limits: Limits, *, error_detail: ErrorDetail = "message") -> None:
        self.spare_items = _UNCOUNTED
        self.most_items: int = _SPARE_SHARE * limits.max_nodes
        self._owner = owner
        self._limits = limits
        self._error_detail = error_detail
        self._small_count = min(_SMALL_COUNT, limits.max_nodes - 1)
        self._few_containers = min(_FEW_CONTAINERS, limits.max_depth)  # of which each may hold the next
        # A value takes at least a byte, so that no message of this size can exceed a budget.
        self._small_bytes = min(_SMALL_BYTES, limits.max_nodes, limits.message_bytes)
        self._packers: list[msgpack.Packer] = []
        # Without a hook no Python code runs inside a packer, so it can be shared.
        self._pack: Callable[[object], bytes] = new_packer().pack

    def encode(self, value: object) -> bytes:
        """Encode one value as one message.

        Raises:
            ConversionError: The value cannot cross, or exceeds a budget; the path says where.
        """
        return self.encode_many(value)

    def encode_many(self, *values: object) -> bytes:
        """Encode several values as one message, one after the other; objects they share stay shared.

        Raises:
            ConversionError: A value cannot cross, or the message exceeds a budget; the path says where.
        """
        message: bytes
        if len(values) <= _MOST_FIXED and _KEYS.issuperset(map(type, values)):
            if sum(map(len, values)) <= _SMALL_CHARS:  # type: ignore[arg-type] # they are str
                message = b"\0" + self._pack([*values])[1:]  # an array without its head
                if len(message) <= self._limits.message_bytes:
                    return message
        else:
            parts = list(map(self._encode_small, values))
            if None not in parts and (
                SCALARS.issuperset(map(type, values)) or sum([type(value) in _CONTAINERS for value in values]) < 2
            ):
                message = b"\0" + b"".join(parts)  # type: ignore[arg-type] # None is not in it
                if len(message) <= self._limits.message_bytes:
                    return message
        self._owner.pace.begin()
        if self._is_plain(values):
            packers = self._packers
            packer = packers.pop() if packers else self._new_packer()
            try:
                packer.pack(0)  # the flag byte: no references
                for value in values:
                    packer.pack(value)
            except (_NotPlain, ConversionError, ValueError, OverflowError):
                pass  # the general way finds out what is wrong, and where
            else:
                message = packer.bytes()
                if len(message) <= _KEPT_BUFFER_BYTES:
                    packer.reset()
                    packers.append(packer)
                if len(message) <= self._limits.message_bytes:
                    return message
        from sandbox._encode import Writer  # plain data does without

        writer = Writer(self._owner, self._limits, new_packer(), self._error_detail)
        return writer.write(values)

    def encode_answer(self, value: object) -> tuple[bytes, bool]:
        """Encode the answer to a request; or why it cannot cross, and True.

        Reading a value may run code of the embedder, and raise whatever that does.
        """
        try:
            packed = self._encode_small(value)
            if packed is not None and len(packed) < self._limits.message_bytes:
                return b"\0" + packed, False
            return self.encode(value), False
        except LimitExceeded:
            raise
        except Exception as error:  # noqa: BLE001 - the guest's program decides what to do about it
            refusal = error
        try:
            return self.encode(refusal), True
        except Exception:  # noqa: BLE001 - the same is wrong with it
            return self.encode(ConversionError("$", "a value that cannot be read")), True

    def decode(self, message: bytes | bytearray | memoryview) -> Any:  # noqa: ANN401 - any value
        """Decode a message that holds one value. No part of the message is referred to afterwards.

        Raises:
            ConversionError: A value has no Python form, such as an invalid Date; the path says where.
            GuestProtocolError: The message is malformed or exceeds a budget. Nothing larger than a fixed multiple of
                the message was allocated.
        """
        size = len(message)
        if 0 < size <= self._small_bytes and not message[0]:
            try:
                return _unpack_small(message[1:])
            except (_NotPlain, *_MALFORMED):
                pass  # the general way says what is wrong, and where
        if not size or message[0] & ~Flag.REFERENCES:
            raise malformed("an unknown flag")
        if size > self._limits.message_bytes:
            raise malformed("larger than the message_bytes limit")
        held: dict[int, JSHandle] = {}
        self._owner.pace.begin()
        if not message[0]:
            try:
                if size <= _UNCHECKED_BYTES:
                    return self._unpack(message[1:], held, 0)
                from sandbox import _blobs  # short messages do without

                body = memoryview(message)[1:]
                if self._limits.max_nodes >= _blobs.MAX_NODES:
                    with suppress(_blobs.Other):
                        return _blobs.read(body)
                return self._unpack(body, held, 0)
            except (_NotPlain, ConversionError):
                pass  # the general way says why, and where
            except GuestProtocolError:
                raise
            except _MALFORMED as error:
                raise malformed(type(error).__name__) from None
        return self._read(message, held=held)

    def decode_thrown(self, message: bytes | bytearray | memoryview) -> Any:  # noqa: ANN401 - any value
        """Decode what the guest threw. A `ConversionError` stands in for each value in it without a Python form.

        Raises:
            GuestProtocolError: As for `decode`.
        """
        if not len(message) or message[0] & ~Flag.REFERENCES or len(message) > self._limits.message_bytes:
            return self.decode(message)
        self._owner.pace.begin()
        return self._read(message, keep_refusals=True)

    def _read(
        self,
        message: bytes | bytearray | memoryview,
        *,
        held: dict[int, JSHandle] | None = None,
        keep_refusals: bool = False,
    ) -> Any:  # noqa: ANN401 - any value
        from sandbox._decode import Reader  # as above

        data = bytes(memoryview(message)[1:])
        references = message[0] == Flag.REFERENCES
        reader = Reader(
            self._owner,
            self._limits,
            data,
            references=references,
            held=held,
            keep_refusals=keep_refusals,
            spare_items=self.spare_items,
        )
        try:
            return reader.read()
        finally:
            self.spare_items = reader.spare_items

    def _encode_small(self, value: object) -> bytes | None:
        """A scalar, or a small tree of them in lists and dicts, without its flag byte; else None."""
        kind = type(value)
        if kind in SCALARS:
            if kind is str and len(value) > _SMALL_CHARS:  # type: ignore[arg-type] # a str
                return None
        elif kind is list or kind is dict:
            if not self._is_small(value):  # type: ignore[arg-type] # one of them
                return None
        else:
            return UNDEFINED if value is undefined else None
        try:
            return self._pack(value)
        except (ValueError, OverflowError):
            return None

    def _is_small(self, tree: list[Any] | dict[Any, Any]) -> bool:
        """Whether a tree is a few scalars in few containers, none of which occurs twice, and fits into a message."""
        containers: list[list[Any] | dict[Any, Any]] = [tree]
        count = chars = 0
        for container in containers:
            count += len(container)
            if count > self._small_count:
                return False
            items: Iterable[Any] = container
            if type(container) is dict:
                if not _KEYS.issuperset(map(type, container)):
                    return False
                chars += sum(map(len, container))
                items = container.values()
            kinds = set(map(type, items))
            if not kinds <= SCALARS:
                if not kinds <= _TREES:
                    return False
                containers += [item for item in items if type(item) is dict or type(item) is list]
                if len(containers) > self._few_containers or len(set(map(id, containers))) != len(containers):
                    return False
            if str in kinds:
                chars += sum([len(item) for item in items if type(item) is str])
        return chars <= self._limits.message_bytes

    def _new_packer(self) -> msgpack.Packer:
        # Without a way to encode half a pair, which is left to the general way, msgpack takes the text as it is stored.
        return msgpack.Packer(
            default=partial(_extended, self._owner), strict_types=True, use_bin_type=True, autoreset=False
        )

    def _is_plain(self, values: Sequence[object]) -> bool:
        """Whether msgpack can encode the values: plain types, no container twice, within the budgets.

        Works level by level, so that what is done for each element is done in C. Sizes are bounds from above.
        """
        limits = self._limits
        lists: list[Any] = [values]
        dicts: list[dict[Any, Any]] = []
        seen: set[int] = set()
        nodes = size = 0
        for _ in range(limits.max_depth + 1):
            known = len(seen) + len(lists) + len(dicts)
            seen.update(map(id, lists))
            seen.update(map(id, dicts))
            if len(seen) != known:
                return False
            children: Sequence[Any]
            if dicts:
                children = list(chain(chain.from_iterable(lists), chain.from_iterable(map(dict.values, dicts))))
                keys = set().union(*dicts)
                if keys:
                    if set(map(type, keys)) != _KEYS:
                        return False
                    size += max(map(len, keys)) * len(children)
            else:
                children = lists[0] if len(lists) == 1 else list(chain.from_iterable(lists))
            nodes += len(children)
            if nodes > limits.max_nodes:
                return False
            kinds = _NUMBERS if _are_numbers(children) else set(map(type, children))
            if not kinds <= _PLAIN:
                return False
            if str in kinds:
                size += sum([len(child) for child in children if type(child) is str])
            if bytes in kinds:
                size += sum([len(child) for child in children if type(child) is bytes])
            if size > limits.message_bytes:
                return False
            if kinds.isdisjoint(_CONTAINERS):
                return True
            lists = [child for child in children if type(child) is list] if list in kinds else []
            dicts = [child for child in children if type(child) is dict] if dict in kinds else []
            if tuple in kinds:  # all empty tuples are one object, which means nothing
                lists += [child for child in children if type(child) is tuple and child]
        return False

    def _unpack(self, data: bytes | bytearray | memoryview, held: dict[int, JSHandle], depth: int) -> Any:  # noqa: ANN401
        size = len(data)
        if size > _UNCHECKED_BYTES:
            # Lists are made as long as the message says they are: see first that it speaks the truth.
            checker = msgpack.Unpacker(max_buffer_size=size)
            checker.feed(data)
            checker.skip()
        hooks: dict[str, Any] = {}
        if size > self._limits.max_nodes:
            hooks["list_hook"] = hooks["object_hook"] = self._counter()
        return msgpack.unpackb(
            data,
            ext_hook=partial(self._extension, held, depth),
            unicode_errors="surrogatepass",
            timestamp=1,  # msgpack's own extension, which no guest sends, becomes a mere number
            **hooks,
        )

    def _counter(self) -> Callable[[T], T]:
        """A hook that ends the quick way when containers hold more than `max_nodes` values."""
        left = self._limits.max_nodes

        def count(container: T) -> T:
            nonlocal left
            left -= len(container)
            if left < 0:
                raise _NotPlain
            return container

        return count

    def _extension(self, held: dict[int, JSHandle], depth: int, tag: int, payload: bytes) -> object:
        """What the unpacker asks for an extension."""
        self._owner.pace.step()
        if tag == Tag.DATE:
            try:
                return date_from(date_ms(payload))
            except (ValueError, OverflowError):
                raise _NotPlain from None
        if tag in HELD:
            handle, name = held_parts(tag, payload)
            made = held[handle] = self._owner.held(Tag(tag), handle, name)
            return made
        if tag == Tag.HOST_OBJECT:
            return target_of(payload, self._owner)
        if tag in UNSUPPORTED or tag == Tag.SPARSE_ARRAY or depth >= _NESTED_EXTENSIONS:
            raise _NotPlain
        if tag in _NESTING:
            members = self._unpack(payload, held, depth + 1)
            if type(members) is not list:
                raise malformed("an extension with the wrong parts")
            return self._nested(tag, members)
        return leaf(tag, payload)

    def _nested(self, tag: int, members: list[Any]) -> object:
        if tag == Tag.MAP and len(members) % 2:
            raise malformed("a Map with half an entry")
        try:
            if tag == Tag.MAP:
                mapping = JSMap()
                for key, value in zip(members[::2], members[1::2], strict=True):
                    mapping.add_distinct(key, value)
                return mapping
            if tag == Tag.SET:
                collection = JSSet()
                for member in members:
                    collection.add_distinct(member)
                return collection
        except ValueError:
            raise _NotPlain from None
        if len(members) != 6 or type(members[5]) is not dict:
            raise malformed("an Error with missing parts")
        error = new_error(members[:5], self._owner)
        error.properties = members[5]
        adopt_cause(error)
        return error


def _extended(owner: Owner, value: object) -> object:
    """The packer's question for values it has no form for."""
    kind = type(value)
    if kind is tuple:
        return list(value)  # type: ignore[call-overload] # a tuple
    owner.pace.step()
    if kind is Undefined:
        return _UNDEFINED
    if kind is int or isinstance(value, BigInt):
        return msgpack.ExtType(Tag.BIGINT, bigint_payload(value))  # type: ignore[arg-type] # an int
    if isinstance(value, datetime):
        return msgpack.ExtType(Tag.DATE, date_payload(value))
    if isinstance(value, JSHandle):
        return msgpack.ExtType(Tag.HANDLE, msgpack.packb(owner.handle_of(value)))
    raise _NotPlain


def _refuse(_tag: int, _payload: bytes) -> object:
    """What the unpacker of small messages asks for an extension."""
    raise _NotPlain


_unpack_small: Final = partial(msgpack.unpackb, ext_hook=_refuse, unicode_errors="surrogatepass", timestamp=1)


def _are_numbers(items: Sequence[Any]) -> bool:
    """Whether a long run of items is all numbers: adding them is several times quicker than asking for their types.

    What else could be added without an error has a type of its own, and the packer's hook meets it.
    """
    if len(items) < _LONG_RUN or type(items[0]) not in _NUMBERS:
        return False
    try:
        return type(sum(items)) in _NUMBERS
    except Exception:  # noqa: BLE001 - adding runs methods of the items, whatever they are
        return False
