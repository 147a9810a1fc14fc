"""The live globals: ECMAScript, what the engine adds, what `sandbox.d.ts` declares, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.declarations import guest_declarations

if TYPE_CHECKING:
    from sandbox import Sandbox

_NAMES = """
    AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array BigUint64Array Boolean DataView
    Date DisposableStack Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity
    Int16Array Int32Array Int8Array Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError
    Reflect RegExp Set SharedArrayBuffer String SuppressedError Symbol SyntaxError TypeError URIError Uint16Array
    Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet decodeURI decodeURIComponent encodeURI
    encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt undefined unescape
"""
ECMASCRIPT = frozenset(_NAMES.split())
ENGINE = frozenset({"InternalError"})
LOCALES = frozenset({"Intl"})  # ECMA-402; TypeScript's own library declares it


GUEST = guest_declarations()
DECLARED = (
    dict.fromkeys(GUEST.functions, "function")
    | dict.fromkeys(GUEST.objects, "interface")
    | dict.fromkeys(GUEST.variables, "object")
)
# What the global object has from the class it is an object of.
INHERITED = frozenset({"addEventListener", "dispatchEvent", "removeEventListener"})
KIND = """
(name) => {
  const owner = Object.hasOwn(globalThis, name) ? globalThis : EventTarget.prototype;
  const { value, get } = Object.getOwnPropertyDescriptor(owner, name);
  const given = get === undefined ? value : get.call(globalThis);
  if (typeof given !== "function") return typeof given;
  const prototype = Object.getOwnPropertyDescriptor(given, "prototype");
  return prototype === undefined ? "function" : prototype.writable ? "plain function" : "interface";
}
"""


def test_the_types_are_read() -> None:
    assert DECLARED["setTimeout"] == "function"
    assert DECLARED["URL"] == DECLARED["Crypto"] == "interface"
    assert DECLARED["console"] == DECLARED["crypto"] == "object"


def test_nothing_else_is_global(box: Sandbox) -> None:
    live = frozenset(box.eval("Object.getOwnPropertyNames(globalThis)"))

    assert live == ECMASCRIPT | ENGINE | LOCALES | (DECLARED.keys() - INHERITED)
    assert box.eval("Object.getOwnPropertySymbols(globalThis).map(String)") == ["Symbol(Symbol.toStringTag)"]


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_a_declared_global_is_of_its_kind(box: Sandbox, name: str) -> None:
    assert box.call(box.eval(KIND), name) == DECLARED[name]
