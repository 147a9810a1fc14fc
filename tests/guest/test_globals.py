"""The live globals: ECMAScript, what the engine adds, what `sandbox.d.ts` declares, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox import Sandbox

TYPES = Path(__file__).parents[2] / "bindings" / "types" / "sandbox.d.ts"
DECLARATIONS = TYPES.read_text(encoding="utf-8")

_NAMES = """
    AggregateError Array ArrayBuffer AsyncDisposableStack BigInt BigInt64Array BigUint64Array Boolean DataView Date
    DisposableStack Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity
    Int16Array Int32Array Int8Array Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError
    Reflect RegExp Set SharedArrayBuffer String SuppressedError Symbol SyntaxError TypeError URIError Uint16Array
    Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet decodeURI decodeURIComponent encodeURI
    encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt undefined unescape
"""
ECMASCRIPT = frozenset(_NAMES.split())
ENGINE = frozenset({"InternalError"})
LOCALES = frozenset({"Intl"})  # ECMA-402; TypeScript's own library declares it


def _declared() -> dict[str, str]:
    """Name -> kind of every global the types declare."""
    kinds = dict.fromkeys(re.findall(r"^declare function (\w+)", DECLARATIONS, re.MULTILINE), "function")
    for name, rest in re.findall(r"^declare var (\w+): (.*?)$", DECLARATIONS, re.MULTILINE):
        body = DECLARATIONS.split(f"declare var {name}:", 1)[1].split("\n}", 1)[0]
        kinds[name] = "interface" if rest.startswith("{") and "readonly prototype" in body else "object"
    return kinds


DECLARED = _declared()
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


MEMBERS = {
    # Interface -> what its prototype has; static members are beside it.
    "TextEncoder": "encode encodeInto encoding",
    "TextDecoder": "decode encoding fatal ignoreBOM",
    "ReadableStream": "cancel getReader locked pipeThrough pipeTo tee values",
    "ReadableStreamDefaultReader": "cancel closed read releaseLock",
    "ReadableStreamBYOBReader": "cancel closed read releaseLock",
    "ReadableStreamDefaultController": "close desiredSize enqueue error",
    "ReadableByteStreamController": "byobRequest close desiredSize enqueue error",
    "ReadableStreamBYOBRequest": "respond respondWithNewView view",
    "WritableStream": "abort close getWriter locked",
    "WritableStreamDefaultWriter": "abort close closed desiredSize ready releaseLock write",
    "WritableStreamDefaultController": "error signal",
    "TransformStream": "readable writable",
    "CompressionStream": "readable writable",
    "DecompressionStream": "readable writable",
    "TransformStreamDefaultController": "desiredSize enqueue error terminate",
    "CountQueuingStrategy": "highWaterMark size",
    "ByteLengthQueuingStrategy": "highWaterMark size",
    "TextEncoderStream": "encoding readable writable",
    "TextDecoderStream": "encoding fatal ignoreBOM readable writable",
    "URL": (
        "hash host hostname href origin password pathname port protocol search searchParams toJSON toString username"
    ),
    "URLSearchParams": "append delete entries forEach get getAll has keys set size sort toString values",
    "URLPattern": "exec hasRegExpGroups hash hostname password pathname port protocol search test username",
    "Event": (
        "AT_TARGET BUBBLING_PHASE CAPTURING_PHASE NONE bubbles cancelBubble cancelable composed composedPath "
        "currentTarget defaultPrevented eventPhase initEvent preventDefault returnValue srcElement "
        "stopImmediatePropagation stopPropagation target timeStamp type"
    ),
    "CustomEvent": "detail initCustomEvent",
    "ErrorEvent": "colno error filename lineno message",
    "PromiseRejectionEvent": "promise reason",
    "EventTarget": "addEventListener dispatchEvent removeEventListener",
    "AbortSignal": "aborted onabort reason throwIfAborted",
    "AbortController": "abort signal",
    "MessageEvent": "data initMessageEvent lastEventId origin ports source",
    "MessagePort": "close onclose onmessage onmessageerror postMessage start",
    "MessageChannel": "port1 port2",
    "BroadcastChannel": "close name onmessage onmessageerror postMessage",
    "Performance": (
        "clearMarks clearMeasures getEntries getEntriesByName getEntriesByType mark measure now timeOrigin toJSON"
    ),
    "PerformanceEntry": "duration entryType name startTime toJSON",
    "PerformanceMark": "detail",
    "PerformanceMeasure": "detail",
    "PerformanceObserver": "disconnect observe takeRecords",
    "PerformanceObserverEntryList": "getEntries getEntriesByName getEntriesByType",
    "Blob": "arrayBuffer bytes size slice stream text type",
    "File": "lastModified name",
    "FileList": "item length",
    "ProgressEvent": "lengthComputable loaded total",
    "FileReader": (
        "DONE EMPTY LOADING abort error onabort onerror onload onloadend onloadstart onprogress readAsArrayBuffer "
        "readAsBinaryString readAsDataURL readAsText readyState result"
    ),
    "FormData": "append delete entries forEach get getAll has keys set values",
    "Headers": "append delete entries forEach get getSetCookie has keys set values",
    "Request": (
        "arrayBuffer blob body bodyUsed bytes cache clone credentials destination duplex formData headers integrity "
        "isHistoryNavigation isReloadNavigation json keepalive method mode redirect referrer referrerPolicy signal "
        "text url"
    ),
    "Response": (
        "arrayBuffer blob body bodyUsed bytes clone formData headers json ok redirected status statusText text type url"
    ),
    "Crypto": "getRandomValues randomUUID",
    "Navigator": "userAgent",
}


@pytest.mark.parametrize("name", sorted(MEMBERS))
def test_an_interface_has_its_declared_members(box: Sandbox, name: str) -> None:
    live = box.eval(f"Object.getOwnPropertyNames({name}.prototype).filter(key => key !== 'constructor').sort()")
    body = re.split(rf"\ninterface {name}\b", DECLARATIONS, maxsplit=1)[1].split("\n}", 1)[0]
    declared = set(re.findall(r"^  (?:readonly )?(\w+)[(:?<]", body, re.MULTILINE))

    assert live == MEMBERS[name].split()
    assert declared - {"isTrusted"} == set(live)  # that one is an own property of every event


def test_console_has_its_declared_members(box: Sandbox) -> None:
    body = DECLARATIONS.split("interface Console ", 1)[1].split("\n}", 1)[0]

    assert box.eval("Object.keys(console).sort()") == sorted(re.findall(r"^  (\w+)\(", body, re.MULTILINE))
