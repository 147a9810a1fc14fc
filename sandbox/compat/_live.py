"""Objects of the guest that stay there, and are read, changed and called from Python.

The guest has a few functions for that, which keep an object in a closure. A closure is a `JSFunction`, so that the
object lives as long as somebody in Python refers to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sandbox import BigInt, JSFunction, Sandbox, undefined
from sandbox.errors import GuestProtocolError

if TYPE_CHECKING:
    from sandbox import Snapshot
    from sandbox._option_types import SandboxOptions

FILENAME: Final = "<sandbox.compat>"
_INT32: Final = 1 << 31
_OWN_CALLS: Final = ("    at apply (native)", "    at <anonymous> (native)")

# It runs before any other program, and uses nothing that one can replace later. Plain values cross as themselves; of
# anything else the host gets its kind, what holds it, and a number that is the same for the same object.
_SOURCE: Final = """(() => {
  'use strict';
  const {apply, construct, defineProperty, deleteProperty, get, has, set} = Reflect;
  const {isArray} = Array;
  const {isView} = ArrayBuffer;
  const {parse, stringify} = JSON;
  const string = String;
  const uncurry = (f) => (self, ...args) => apply(f, self, args);
  const {then} = Promise.prototype;
  const tagOf = uncurry(Object.prototype.toString);
  const Promises = Promise, {resolve} = Promise, Streams = ReadableStream, {from} = ReadableStream;
  const time = uncurry(Date.prototype.getTime);
  const splice = uncurry(Array.prototype.splice);
  const size = uncurry(Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength').get);
  const entries = Object.entries;
  const isListed = uncurry(Set.prototype.has);
  const standard = new Set();
  for (const key in globalThis) standard.add(key);
  // Elsewhere nobody is told of what a program leaves unhandled.
  for (const type of ['error', 'unhandledrejection']) addEventListener(type, (event) => event.preventDefault());
  const known = new WeakMap();
  const find = uncurry(WeakMap.prototype.get);
  const note = uncurry(WeakMap.prototype.set);
  let last = 0;
  const succeeds = (test, value) => { try { test(value); return true } catch { return false } };
  const kindOf = (value) => {
    if (typeof value === 'function') return 'function';
    if (isArray(value)) return 'array';
    if (succeeds(time, value)) return 'date';
    if (isView(value) || succeeds(size, value)) return 'buffer';
    try { return tagOf(value) === '[object Promise]' ? 'promise' : 'object' } catch { return 'object' }
  };
  const identify = (object) => {
    let number = find(known, object);
    if (number === undefined) note(known, object, number = ++last);
    return number;
  };
  const out = (value) => {
    if (typeof value === 'symbol') return ['symbol', () => value, 0];
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return ['plain', value];
    return [kindOf(value), () => value, identify(value)];
  };
  const outAll = (values) => {
    const all = [];
    for (let i = 0; i < values.length; i++) defineProperty(all, i, {value: out(values[i]), enumerable: true});
    return all;
  };
  const back = (values, held) => {
    for (let i = 0; i < held.length; i++) values[held[i]] = values[held[i]]();
    return values;
  };
  const answer = (given) => given[1] ? given[0]() : given[0];
  // The global object without what every sandbox has there.
  const own = () => {
    const object = {__proto__: null}, all = entries(globalThis);
    for (let i = 0; i < all.length; i++) if (!isListed(standard, all[i][0])) object[all[i][0]] = all[i][1];
    return object;
  };
  const nameOf = (key) => typeof key === 'function' ? key() : key;
  return {
    out,
    call: (hold, self, values, held) => out(apply(hold(), self && self(), back(values, held))),
    get: (hold, key) => {
      const object = hold();
      key = nameOf(key);
      return has(object, key) ? out(get(object, key)) : null;
    },
    set: (hold, key, values, held) => {
      const object = hold();
      if (!set(object, nameOf(key), back(values, held)[0], object)) throw new TypeError('the property cannot be set');
    },
    remove: (hold, key) => {
      const object = hold();
      key = nameOf(key);
      return has(object, key) && deleteProperty(object, key);
    },
    has: (hold, key) => has(hold(), nameOf(key)),
    keys: (hold) => {
      const object = hold() === globalThis ? own() : hold(), keys = [];
      if (typeof object === 'symbol') return keys;
      for (const key in object) defineProperty(keys, keys.length, {value: key, enumerable: true});
      return keys;
    },
    insert: (hold, at, removed, values, held) => {
      const args = back(values, held);
      apply(splice, undefined, args.length ? [hold(), at, removed, args[0]] : [hold(), at, removed]);
    },
    raw: (hold) => [hold()],
    json: (hold) => stringify(hold() === globalThis ? own() : hold()),
    text: (hold) => {
      const value = hold(), stack = typeof value === 'object' ? value.stack : undefined;
      return typeof stack === 'string' ? `${value}\\n${stack}` : string(value);
    },
    rethrow: (hold) => { throw hold() },
    watch: (hold) => {
      const state = [];
      const settle = (fulfilled) => (value) => { state[0] = fulfilled; state[1] = out(value) };
      apply(then, hold(), [settle(true), settle(false)]);
      return () => state;
    },
    stream: (steps) => out(apply(from, Streams, [steps])),
    parse: (text) => out(parse(text)),
    world: () => out(globalThis),
    settled: (hold) => {
      const promise = apply(resolve, Promises, [hold()]);
      return apply(then, promise, [(value) => [true, out(value)], (reason) => [false, out(reason)]]);
    },
    wrap: (name, host) => {
      const f = {[name]: (...args) => answer(host(outAll(args)))}[name];
      defineProperty(f, 'length', {value: 0, configurable: true});
      return out(f);
    },
    wrapLater: (name, host) => out({[name]: (...args) => apply(then, host(outAll(args)), [answer])}[name]),
  };
})()"""


_TAKE: Final = "(() => { const functions = globalThis.functions; delete globalThis.functions; return functions })()"


@cache
def _prepared() -> Snapshot:
    """A guest that has the functions: to continue from it takes a third of the time that they take to compile."""
    with Sandbox() as box:
        box.eval(f"globalThis.functions = {_SOURCE}; undefined", filename=FILENAME)
        return box.snapshot()


class Held:
    """An object or symbol of the guest, as the guest's functions name it.

    Attributes:
        kind: `"object"`, `"array"`, `"function"`, `"promise"`, `"date"`, `"buffer"` or `"symbol"`.
        number: The same for the same object, and 0 for symbols.
    """

    hold: JSFunction
    kind: str
    number: int

    __slots__ = ("hold", "kind", "number")

    def __init__(self, kind: str, hold: JSFunction, number: int) -> None:
        """Take over what the guest said."""
        self.kind, self.hold, self.number = kind, hold, number


class Live:
    """What Python does with the objects of one sandbox.

    Each method is a call into the guest, under its limits, and raises what such a call does.

    Attributes:
        box: The sandbox.
    """

    def __init__(
        self,
        options: SandboxOptions,
        shown: Callable[[Held], Any],
        taken: Callable[[Any], Any],
        nothing: object = undefined,
        snapshot: Snapshot | None = None,
    ) -> None:
        """Make the sandbox.

        Args:
            options: Its options.
            shown: Makes what users get of an object of the guest.
            taken: Makes a `Held`, or a value that is converted, of what users give.
            nothing: What users get in place of `undefined`.
            snapshot: One of `snapshot`, to go on from; None: a guest where nothing has run.
        """
        self.box = Sandbox.restore(_prepared() if snapshot is None else snapshot, **options)
        self.shown, self._taken, self._nothing = shown, taken, nothing
        self._functions: dict[str, JSFunction] = self.box.eval(_TAKE, filename=FILENAME)

    def snapshot(self) -> Snapshot:
        """The sandbox at this moment, for another one to go on from."""
        self.box.globals["functions"] = self._functions
        try:
            return self.box.snapshot()
        finally:
            del self.box.globals["functions"]

    # --- programs and functions ---

    def eval(self, code: str, *, filename: str, timeout: float | None = None) -> Any:  # noqa: ANN401 - any value
        """Evaluate a script; its completion value."""
        return self._out(self.box.eval_into(self._functions["out"], code, filename=filename, timeout=timeout))

    def call(self, held: Held, args: Sequence[Any], *, this: Held | None = None, timeout: float | None = None) -> Any:  # noqa: ANN401 - any value
        """Call a function; what it returned, be it a promise."""
        values, marks = self._in(args)
        return self._out(
            self.box.call(
                self._functions["call"], held.hold, None if this is None else this.hold, values, marks, timeout=timeout
            )
        )

    def settled(self, held: Held, timeout: float | None = None) -> tuple[bool, Any]:
        """Wait for a promise, or for what has a `then`: whether it was fulfilled, and its value or reason."""
        match self.box.call(self._functions["settled"], held.hold, timeout=timeout):
            case [bool() as fulfilled, value]:
                return fulfilled, self._out(value)
        raise _broken()

    def state(self, held: Held) -> tuple[bool, Any] | None:
        """The same where a promise is settled as soon as no microtask is left; None: it is pending then."""
        watched = self.box.call(self._functions["watch"], held.hold)
        if not isinstance(watched, JSFunction):
            raise _broken()
        match watched():
            case [bool() as fulfilled, value]:
                return fulfilled, self._out(value)
            case []:
                return None
        raise _broken()

    def rethrow(self, held: Held) -> None:
        """Throw an object, so that it becomes an exception as every other."""
        self.box.call(self._functions["rethrow"], held.hold)

    def stream(self, steps: object) -> Any:  # noqa: ANN401 - what `shown` makes
        """A `ReadableStream` of what an iterator of the host gives."""
        return self._out(self.box.call(self._functions["stream"], steps))

    def wrap(self, name: str, host: Callable[..., Any]) -> Any:  # noqa: ANN401 - what `shown` makes
        """A function of the guest that calls one of the host with what `shown` makes of its arguments."""
        return self._out(
            self.box.call(self._functions["wrap"], name, lambda args: self._answer(host(*self._all(args))))
        )

    def wrap_later(self, name: str, host: Callable[..., Any]) -> Any:  # noqa: ANN401 - likewise
        """The same for an `async def`: the guest gets a promise."""

        async def answered(args: list[Any]) -> list[Any]:
            return self._answer(await host(*self._all(args)))

        return self._out(self.box.call(self._functions["wrapLater"], name, answered))

    # --- properties ---

    def get(self, held: Held, key: Any) -> Any:  # noqa: ANN401 - a key is a value
        """The value of a property, inherited ones too.

        Raises:
            KeyError: There is no such property.
        """
        found = self.box.call(self._functions["get"], held.hold, self._key(key))
        if found is None:
            raise KeyError(key)
        return self._out(found)

    def set(self, held: Held, key: Any, value: Any) -> None:  # noqa: ANN401 - likewise
        """Set a property."""
        values, marks = self._in([value])
        self.box.call(self._functions["set"], held.hold, self._key(key), values, marks)

    def remove(self, held: Held, key: Any) -> bool:  # noqa: ANN401 - likewise
        """Delete a property; whether there was one."""
        return self.box.call(self._functions["remove"], held.hold, self._key(key)) is True

    def has(self, held: Held, key: Any) -> bool:  # noqa: ANN401 - likewise
        """Whether there is a property."""
        return self.box.call(self._functions["has"], held.hold, self._key(key)) is True

    def keys(self, held: Held) -> list[str]:
        """The names that `for (... in object)` gives."""
        keys = self.box.call(self._functions["keys"], held.hold)
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise _broken()
        return keys

    def splice(self, held: Held, at: int, removed: int, values: Sequence[Any] = ()) -> None:
        """Remove elements of an array and put others there."""
        given, marks = self._in(values)
        self.box.call(self._functions["insert"], held.hold, at, removed, given, marks)

    def hold(self, function: JSFunction) -> Held:
        """The object that a function is."""
        match self.box.call(self._functions["out"], function):
            case [str() as kind, JSFunction() as hold, int() as number]:
                return Held(kind, hold, number)
        raise _broken()

    # --- as something else ---

    def converted(self, held: Held) -> Any:  # noqa: ANN401 - any value
        """A copy, as every other value crosses."""
        match self.box.call(self._functions["raw"], held.hold):
            case [value]:
                return value
        raise _broken()

    def json(self, held: Held) -> str | None:
        """Its JSON; None where it has none, as a function."""
        text = self.box.call(self._functions["json"], held.hold)
        return text if isinstance(text, str) else None

    def text(self, held: Held) -> str:
        """What `String` makes of it; of an error its stack."""
        return str(self.box.call(self._functions["text"], held.hold))

    def parse(self, text: str) -> Any:  # noqa: ANN401 - any value
        """What `JSON.parse` makes of a text."""
        return self._out(self.box.call(self._functions["parse"], text))

    def world(self) -> Any:  # noqa: ANN401 - what `shown` makes
        """The global object."""
        return self._out(self.box.call(self._functions["world"]))

    # --- across ---

    def _out(self, told: object) -> Any:  # noqa: ANN401 - any value
        match told:
            case ["plain", value]:
                return self._plain(value)
            case [str() as kind, JSFunction() as hold, int() as number]:
                return self.shown(Held(kind, hold, number))
        raise _broken()

    def _plain(self, value: Any) -> Any:  # noqa: ANN401 - any value
        if value is undefined:
            return self._nothing
        if type(value) is BigInt:
            return int(value)
        # Numbers that are no 32-bit integers are floats in those engines.
        return float(value) if type(value) is int and not -_INT32 <= value < _INT32 else value

    def _all(self, told: object) -> list[Any]:
        if not isinstance(told, list):
            raise _broken()
        return [self._out(each) for each in told]

    def _in(self, values: Iterable[Any]) -> tuple[list[Any], list[int]]:
        """Values as the guest takes them, and which of them stand for objects of its own."""
        given: list[Any] = []
        marks: list[int] = []
        for value in map(self._taken, values):
            if isinstance(value, Held):
                marks.append(len(given))
                given.append(value.hold)
            else:
                given.append(value)
        return given, marks

    def _answer(self, value: Any) -> list[Any]:  # noqa: ANN401 - any value
        value = self._taken(value)
        return [value.hold, True] if isinstance(value, Held) else [value, False]

    def _key(self, key: Any) -> Any:  # noqa: ANN401 - any value
        key = self._taken(key)
        return key.hold if isinstance(key, Held) else key


def stack_of(stack: str) -> str:
    """A stack without the calls of this module."""
    lines: list[str] = []
    for line in stack.splitlines():
        if FILENAME not in line:
            lines.append(line)
        elif lines and lines[-1] in _OWN_CALLS:
            lines.pop()
    return "".join(f"{line}\n" for line in lines)


def _broken() -> GuestProtocolError:
    return GuestProtocolError("the guest's functions for objects were not what they are")
