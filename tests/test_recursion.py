"""Recursion of every kind ends in an error that the guest can catch, and never in a trap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox import _image, _store
from sandbox._events import State
from sandbox.errors import ConversionError, JSError
from tests.bare_guest import Bare
from tests.recursions import SHAPES, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.limits import Metering

ERRORS = {"RangeError", "InternalError", "SyntaxError"}


@pytest.fixture(scope="module", autouse=True)
def less_native_stack() -> Iterator[None]:
    """Guests have a quarter of a MiB more of it: what comes near its end fails here first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_image, "NATIVE_STACK_BYTES", _image.NATIVE_STACK_BYTES - (256 << 10))
        patch.setattr(_image, "_loaded", {})
        shelves = {kind: _store._Shelf() for kind in _image.KINDS}
        patch.setattr(_store, "_shelves", shelves)
        yield
    for shelf in shelves.values():
        while shelf.stores:
            shelf.stores.pop().delete()


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
def test_it_ends_in_an_error(metering: Metering, body: str) -> None:
    with Bare(metering=metering) as bare:
        error = bare.error(f"{{ {code_of(body)} }}")

        assert isinstance(error, JSError), error
        assert error.name in ERRORS, error
        assert bare.guest.state is State.READY
        assert bare.value("1 + 1") == 2


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
def test_the_guest_can_catch_it(body: str) -> None:
    code = f"(() => {{ try {{ {code_of(body)} }} catch (error) {{ return error.name }} return 'nothing' }})()"
    with Bare() as bare:
        assert bare.value(code) in ERRORS
        assert bare.value(code) in ERRORS


# Recursion inside the conversion of a result or an argument, whose own depth is bounded.
@pytest.mark.parametrize(
    "code",
    [
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; a",
        "let o = {}; for (let i = 0; i < 1e5; i++) o = {o}; o",
        "let m = new Map(); for (let i = 0; i < 1e5; i++) m = new Map([[1, m]]); m",
        "let e = new Error(); for (let i = 0; i < 1e5; i++) e = new Error('x', {cause: e}); e",
        "let e = new Error(); for (let i = 0; i < 1e5; i++) e = new Error('x', {cause: e}); throw e",
        "const o = {get x() { return Object.create({}, Object.getOwnPropertyDescriptors(o)) }}; o",
        "const p = () => new Proxy([], {get: (t, k) => k === 'length' ? 1 : p()}); p()",
    ],
)
def test_values_without_end(code: str) -> None:
    with Bare() as bare:
        error = bare.error(code)
        assert bare.guest.state is State.READY, error
        assert isinstance(error, JSError | ConversionError), error
        assert bare.value("1 + 1") == 2


@pytest.mark.parametrize("nesting", [1, 490])
def test_values_are_converted_at_any_depth_of_the_stack(nesting: int) -> None:
    """Encoding and decoding need room of their own where the guest's stack has just ended."""
    code = f"""
        const value = JSON.parse('['.repeat({nesting}) + ']'.repeat({nesting}));
        let calls = 0;
        function f() {{
            try {{ f() }} catch (error) {{
                try {{ g(value) }} catch {{}}
                if (++calls < 50) throw error;
            }}
        }}
        f();
        calls
    """
    with Bare() as bare:
        bare.define("g", lambda value: value)
        assert bare.value(code) == 50
        assert bare.value("1 + 1") == 2


def test_a_thousand_overflows_leave_the_guest_as_it_was() -> None:
    count = "(() => { let depth = 0; try { (function f() { depth++; f() })() } catch {} return depth })()"
    with Bare() as bare:
        first = bare.value(count)
        held = bare.heap_bytes()
        for _ in range(1000):
            assert isinstance(bare.error("(function f() { return f() + 1 })()"), JSError)

        assert bare.value(count) == first
        assert bare.heap_bytes() < held + 4096
        assert first >= 5000


def test_a_smaller_stack_is_a_smaller_depth() -> None:
    count = "(() => { let depth = 0; try { (function f() { depth++; f() })() } catch {} return depth })()"
    depths = []
    for stack_bytes in (64 << 10, 256 << 10, None, 1 << 30):
        with Bare(stack_bytes=stack_bytes) as bare:
            depths.append(bare.value(count))
            assert bare.value("try { JSON.parse('['.repeat(3e5)) } catch (error) { error.name }") in ERRORS

    assert depths[0] < depths[1] < depths[2] == depths[3]


def test_json_is_written_without_recursion() -> None:
    with Bare() as bare:
        assert bare.value("let a = []; for (let i = 0; i < 5000; i++) a = [a]; JSON.stringify(a).length") == 10_002


def test_a_long_list_is_freed_without_recursion() -> None:
    with Bare(memory_bytes=512 << 20) as bare:
        assert bare.value("let list = null; for (let i = 0; i < 1e6; i++) list = {list}; list = null; 7") == 7
        assert bare.value("1 + 1") == 2
