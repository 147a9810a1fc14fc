"""The error tree: its shape, its texts, its pickles, and how a guest's error is shown."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest
from hypothesis import given

from sandbox import Sandbox, errors
from sandbox._failures import failure_of, guest_class, text_of, thrown
from sandbox.errors import (
    CapabilityDenied,
    CapabilityError,
    ConversionError,
    CpuLimitExceeded,
    Frame,
    FuelLimitExceeded,
    HostCallFailed,
    JSError,
    JSSyntaxError,
    LimitExceeded,
    MemoryLimitExceeded,
    SandboxBusy,
    SandboxClosed,
    SandboxError,
    SandboxPoisoned,
    Stalled,
    UnhandledRejection,
    WallLimitExceeded,
)
from sandbox.values import BigInt, JSFunction, JSMap, JSSet, undefined
from tests import strategies
from tests.fake_owner import Owner
from tests.shapes import shape

SOURCE = "function f() {\n\tnull.x\n}\nf()\n"
STACK = "    at f (main.js:2:2)\n    at <eval> (main.js:4:1)\n"


def drawn_tree() -> dict[str, str]:
    """Class -> base, as the module's docstring draws them."""
    parents: list[str] = []
    tree = {}
    for line in (errors.__doc__ or "").splitlines():
        names = line.replace("│", " ").replace("├──", "   ").replace("└──", "   ").split()
        if not names or names[0] not in errors.__all__:
            continue
        depth = (len(line) - len(line.lstrip(" │├└─")) - 4) // 4
        parents[depth:] = [names[0]]
        tree[names[0]] = parents[depth - 1] if depth else "Exception"
    return tree


def _base(kind: type[Exception]) -> str:
    """What a class is first of all; that it can be pickled is no kind of error."""
    return next(base.__name__ for base in kind.__bases__ if issubclass(base, Exception))


def test_the_docstring_draws_the_tree() -> None:
    classes = {name: getattr(errors, name) for name in errors.__all__ if name != "Frame"}

    assert drawn_tree() == {name: _base(kind) for name, kind in classes.items()}


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (CpuLimitExceeded, TimeoutError),
        (WallLimitExceeded, TimeoutError),
        (CapabilityDenied, PermissionError),
        (ConversionError, TypeError),
    ],
)
def test_builtin_relatives(kind: type, builtin: type) -> None:
    assert issubclass(kind, builtin)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            MemoryLimitExceeded(67_108_864, 67_108_865),
            "the memory limit of 67,108,864 bytes was reached (67,108,865 bytes used). "
            "Raise Limits.memory_bytes, or let the program hold less at one time.",
        ),
        (
            CpuLimitExceeded(0.25),
            "the CPU time limit of 0.25 seconds was reached. Raise Limits.cpu_seconds, or give the program less to do.",
        ),
        (
            CpuLimitExceeded(1.0, 2.0),
            "the CPU time limit of 1 second was reached (2 seconds used). "
            "Raise Limits.cpu_seconds, or give the program less to do.",
        ),
        (
            FuelLimitExceeded(1000, 1001),
            "the fuel limit of 1,000 was reached (1,001 used). Raise Limits.fuel, or give the program less to do.",
        ),
        (
            LimitExceeded(3, 4, "handles", advice="Release some."),
            "the resource limit of 3 handles was reached (4 handles used). Release some.",
        ),
        (ConversionError("$.a[3]", "a symbol"), "a symbol (at $.a[3])"),
        (CapabilityError("fetch.open", "no grant"), "fetch.open: no grant"),
        (CapabilityDenied("fs.read", "outside every mount"), "fs.read: outside every mount"),
        (SandboxClosed(), "the sandbox is closed"),
        (SandboxBusy(), "the sandbox is running; it serves one turn at a time"),
        (SandboxPoisoned(), "the sandbox was poisoned by an earlier failure; make a new one"),
        (JSError("no", name="RangeError"), "RangeError: no"),
        (JSError("", name="RangeError"), "RangeError"),
        (JSError("no", name=""), "no"),
        (JSError("", name=""), "Error"),
    ],
)
def test_texts(error: SandboxError, text: str) -> None:
    assert str(error) == text


def test_limits_carry_their_numbers() -> None:
    error = FuelLimitExceeded(100, 101)

    assert (error.limit, error.used, error.unit) == (100, 101, "fuel")


@pytest.mark.parametrize(
    "error",
    [
        MemoryLimitExceeded(1, 2),
        WallLimitExceeded(1.5),
        CapabilityDenied("fs.read", "no"),
        ConversionError("$", "no"),
        SandboxClosed(),
        Stalled("one run"),
        JSError("m", name="E", stack=STACK, js_class="TypeError", properties={"code": 1, "big": BigInt(7)}),
        JSSyntaxError("m"),
        UnhandledRejection.from_thrown(undefined),
    ],
)
def test_pickling(error: SandboxError) -> None:
    twin = pickle.loads(pickle.dumps(error))

    assert type(twin) is type(error)
    assert str(twin) == str(error)
    assert twin.__dict__ == error.__dict__


def test_pickling_leaves_the_live_sandbox_behind() -> None:
    owner = Owner()
    cause = JSError("inner")
    error = JSError(
        "m",
        properties={
            "cause": cause,
            "f": JSFunction(owner, 1, "f"),
            "m": JSMap([([1], {2: memoryview(b"x")})]),
            "s": JSSet([1, (2,)]),
        },
    )
    error.properties["self"] = error
    error.__cause__ = cause

    twin = pickle.loads(pickle.dumps(error))

    assert twin.properties["f"] == "<JSFunction f>"
    assert twin.properties["s"] == {1, (2,)}
    assert twin.properties["self"] is twin
    assert twin.__cause__ is twin.cause
    assert [key for key, _ in twin.properties["m"].items()] == [[1]]


def test_pickling_cuts_what_is_nested_too_deeply() -> None:
    deep: list[object] = []
    for _ in range(500):
        deep = [deep]

    twin = pickle.loads(pickle.dumps(JSError("m", properties={"deep": deep})))

    assert repr(twin.properties["deep"]).strip("[]") == "'…'"


def test_pickling_follows_causes_only_so_far() -> None:
    error = JSError("innermost")
    for depth in range(500):
        outer = JSError(f"{depth}", properties={"cause": error})
        outer.__cause__ = error
        error = outer

    twin = pickle.loads(pickle.dumps(error))

    assert (twin.message, twin.cause.message) == ("499", "498")


def test_pickling_keeps_what_lives_in_the_guest_apart() -> None:
    """Two functions of one name are two keys, whatever texts are keys beside them."""
    owner = Owner()
    functions = [JSFunction(owner, number, "f") for number in (1, 2)]
    keys = [*functions, "<JSFunction f>"]
    error = JSError("m", properties={"m": JSMap((key, index) for index, key in enumerate(keys)), "s": JSSet(keys)})

    for text_first in (False, True):
        if text_first:
            error.properties = {"m": JSMap((key, 0) for key in reversed(keys)), "s": JSSet(reversed(keys))}
        twin = pickle.loads(pickle.dumps(error))
        assert list(twin.properties["m"]) == ["<JSFunction f>"] * 3
        assert list(twin.properties["s"]) == ["<JSFunction f>"] * 3


@given(strategies.errors(strategies.values))
def test_pickling_keeps_every_type(error: JSError) -> None:
    assert shape(pickle.loads(pickle.dumps(error))) == shape(error)


@given(strategies.graphs())
def test_pickling_keeps_what_is_shared(value: Any) -> None:
    error = JSError("m", properties={"first": value, "second": value})

    assert shape(pickle.loads(pickle.dumps(error))) == shape(error)


class _Ticket(Exception):
    def __init__(self, number: int, *, reason: str) -> None:
        super().__init__(f"{number}: {reason}")


@pytest.mark.parametrize(
    ("cause", "kept"),
    [
        (ValueError("no", 3), True),
        (OSError(2, "no such file"), True),
        (_Ticket(3, reason="cannot be made again"), False),
        (ValueError(lambda: None), False),
        (ConversionError("$.a", "no"), True),
    ],
    ids=["plain", "errno", "own arguments", "unpicklable", "ours"],
)
def test_pickling_keeps_exceptions_of_the_host_that_can_be_pickled(cause: Exception, kept: bool) -> None:
    error = HostCallFailed("f", "no")
    error.__cause__ = cause

    twin = pickle.loads(pickle.dumps(error))

    assert (type(twin.__cause__), str(twin.__cause__)) == ((type(cause), str(cause)) if kept else (type(None), "None"))


def test_thrown_values_are_kept() -> None:
    value = {"code": 4}
    error = JSError.from_thrown(value)

    assert error.value is value
    assert (error.name, error.message) == ("", "{'code': 4}")
    assert JSError("x").value is not None


def test_an_error_is_its_own_value() -> None:
    error = JSError("x")

    assert error.value is error
    assert error.cause is undefined


def test_long_and_deep_thrown_values_have_short_texts() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]

    assert str(JSError.from_thrown("x" * 1000)) == "x" * 200 + "…"
    assert str(JSError.from_thrown(deep)) == "[" * 200 + "…"
    while deep:
        deep = deep[0]  # type: ignore[assignment] # taken apart level by level: freeing it at once needs stack


def test_retyping_keeps_everything() -> None:
    error = JSError("m", name="N", stack=STACK, js_class="SyntaxError", properties={"a": 1})
    error.__cause__ = KeyError("host")

    twin = UnhandledRejection.from_thrown(error)

    assert twin.__dict__ == error.__dict__
    assert twin.args == error.args
    assert twin.__cause__ is error.__cause__


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        ("    at f (main.js:2:3)", Frame("f", "main.js", 2, 3)),
        ("    at <anonymous> (main.js:2:3)", Frame(None, "main.js", 2, 3)),
        ("    at <eval> (main.js:2)", Frame(None, "main.js", 2, None)),
        ("    at main.js:7:9", Frame(None, "main.js", 7, 9)),
        ("    at indexOf (native)", Frame("indexOf", None, None, None)),
        ("    at f (missing)", Frame("f", None, None, None)),
        ("    at a (b) (file:///x (1).js:1:2)", Frame("a (b) (file:///x", "1).js", 1, 2)),
        ("    at data:text/javascript,1:1:5", Frame(None, "data:text/javascript,1", 1, 5)),
        ("    at f (x.js:99999999999:1)", Frame("f", "x.js:99999999999", 1, None)),
        ("    at ", Frame(None, "", None, None)),
    ],
)
def test_stack_lines(line: str, frame: Frame) -> None:
    parsed = JSError(stack=line).frames

    if line.startswith("    at a (b)"):
        assert len(parsed) == 1  # ambiguous by nature: one frame, whatever its parts
    elif line.strip() == "at":
        assert parsed == ()
    else:
        assert parsed == (frame,)


def test_stacks_of_any_text_are_parsed_in_bounds() -> None:
    assert JSError(stack="nonsense\nat\n" + "at x\n" * 1000).frames == (Frame(None, "x", None, None),) * 200


def test_render_shows_the_code() -> None:
    error = JSError("cannot read property 'x' of null", name="TypeError", stack=STACK)
    error.sources = {"main.js": SOURCE}

    assert error.render() == (
        "TypeError: cannot read property 'x' of null\n"
        "  --> main.js:2:2\n"
        "  1 | function f() {\n"
        "> 2 |     null.x\n"
        "    |     ^\n"
        "  3 | }\n"
        "  4 | f()\n"
        "    at f (main.js:2:2)\n"
        "    at main.js:4:1"
    )


@pytest.mark.parametrize(
    ("line", "column", "shown", "caret"),
    [
        ("'é', foo()", 7, "'é', foo()", 5),
        ("'字', foo()", 8, "'字', foo()", 6),
        ("'\u0301', foo()", 7, "'\u0301', foo()", 4),
        ("'\x1b[31m', foo()", 10, "'\\x1b[31m', foo()", 12),
        ("'\ud800', foo()", 8, "'\\ud800', foo()", 10),
        ("x" * 500 + "!", 501, "…" + "x" * 66 + "!", 67),
        ("short", 400, "short", 5),
    ],
    ids=["two bytes", "wide", "combining", "control", "surrogate", "long", "beyond"],
)
def test_the_caret_stands_under_the_column(line: str, column: int, shown: str, caret: int) -> None:
    error = JSError("m", stack=f"    at main.js:1:{column}")

    rendered = error.render(line).splitlines()

    assert rendered[2] == f"> 1 | {shown}"
    assert rendered[3] == "    | " + " " * caret + "^"


def test_render_without_a_place() -> None:
    error = JSError("m", stack="    at f (other.js:99:1)")
    error.sources = {"other.js": "one line"}

    assert error.render() == "Error: m\n    at f (other.js:99:1)"
    assert JSError.from_thrown(42).render() == "42"


def test_render_shows_causes_once() -> None:
    inner = JSError("inner", stack="    at a.js:1:1", properties={"cause": "text"})
    inner.sources = {"a.js": "boom()"}
    outer = JSError("outer", properties={"cause": inner})
    circular = JSError("circular")
    circular.properties["cause"] = circular

    assert outer.render().splitlines()[1:] == [
        "Caused by: Error: inner",
        "  --> a.js:1:1",
        "> 1 | boom()",
        "    | ^",
        "    at a.js:1:1",
        "Caused by: text",
    ]
    assert circular.render() == "Error: circular"


def test_render_cannot_steer_a_terminal() -> None:
    text = JSError("\x1b]0;title\x07\x9b2J\u202e", stack="    at \x1b[2J (a\x07.js:1:1)").render("x")

    assert all(char.isprintable() or char == "\n" for char in text)
    assert JSError("m").render(color=True) == "\x1b[1m\x1b[31mError: m\x1b[0m"


class Custom(ValueError):
    """An embedder's own exception."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "js_class", "name", "text"),
    [
        (TypeError("t"), "TypeError", None, "t"),
        (ValueError("v"), "RangeError", None, "v"),
        (ZeroDivisionError("z"), "RangeError", None, "z"),
        (IndexError("i"), "RangeError", None, "i"),
        (KeyError("k"), "Error", None, "k"),
        (KeyError(4), "Error", None, "4"),
        (AttributeError("a"), "TypeError", None, "a"),
        (NameError("n"), "ReferenceError", None, "n"),
        (SyntaxError("s"), "SyntaxError", None, "s"),
        (RecursionError("r"), "RangeError", None, "r"),
        (RuntimeError("r"), "Error", None, "r"),
        (PermissionError(13, "Permission denied", "/home/x"), "DOMException", "NotAllowedError", "Permission denied"),
        (FileNotFoundError(2, "No such file", "/home/x"), "DOMException", "NotFoundError", "No such file"),
        (OSError(5, "I/O error", "/dev/x"), "Error", None, "I/O error"),
        (TimeoutError("slow"), "DOMException", "TimeoutError", "slow"),
        (MemoryError(), "DOMException", "QuotaExceededError", ""),
        (ConversionError("$.a", "a symbol"), "TypeError", None, "a symbol cannot cross the sandbox boundary (at $.a)"),
        (Custom(), "RangeError", None, "the host function failed"),
        (KeyboardInterrupt(), "Error", None, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_host_exceptions_in_the_guest(error: BaseException, js_class: str, name: str | None, text: str) -> None:
    row = failure_of(error)

    assert (row.js_class, row.name, text_of(error)) == (js_class, name, text)


def test_texts_can_be_hidden() -> None:
    assert text_of(ValueError("secret"), "class") == "the host function failed"
    assert "secret" not in text_of(ConversionError("$.secret", "a secret"), "class")


def test_texts_tell_no_addresses_and_no_files() -> None:
    import_error = ImportError("cannot import name 'x' from 'y' (/srv/y.py)", name="y", path="/srv/y.py")
    odd = object()
    rows: list[tuple[BaseException, str]] = [
        (ValueError(f"no {odd!r} here, nor {odd!r}"), "no <object> here, nor <object>"),
        (KeyError(odd), "<object>"),
        (KeyError((1, "a")), "(1, 'a')"),
        (KeyError("name"), "name"),
        (import_error, "the host function failed"),
        (ImportError("no such thing"), "no such thing"),
        (SyntaxError("invalid", ("/srv/secret.py", 1, 1, "x")), "invalid"),
        (SyntaxError(), ""),
        (ConversionError("$", "a value of type app.models.User; send"), "a value of type User; send cannot cross"),
        (ConversionError("$", "a value of type f.<locals>.User"), "a value of type User cannot cross"),
        (RuntimeError("a < b at 5"), "a < b at 5"),
    ]
    for error, text in rows:
        assert text_of(error).startswith(text), error
        assert "/srv" not in text_of(error)
        assert not re.search("0x[0-9a-f]+", text_of(error))


def test_texts_are_bounded() -> None:
    assert len(text_of(ValueError("x" * 10**6))) < 1 << 16


@pytest.mark.parametrize(
    ("js_class", "expected"),
    [("TypeError", "TypeError"), ("DOMException", "DOMException"), ("ConversionError", "TypeError"), ("Mine", "Error")],
)
def test_errors_go_back_as_what_they_were(js_class: str, expected: str) -> None:
    assert guest_class(JSError(js_class=js_class)) == expected


def test_what_is_raised_for_what_was_thrown() -> None:
    plain = JSError("m")
    syntax = thrown(JSError("m", js_class="SyntaxError"))
    refused = thrown(
        JSError(
            "a symbol cannot cross the sandbox boundary (at $.a)",
            js_class="ConversionError",
            properties={"path": "$.a"},
        )
    )
    forged = thrown(JSError("m", name="ConversionError", js_class="Error", properties={"path": "$.a"}))

    assert thrown(plain) is plain
    assert type(syntax) is JSSyntaxError
    assert isinstance(refused, ConversionError)
    assert (refused.path, refused.reason) == ("$.a", "a symbol")
    assert type(forged) is JSError
    assert thrown(42).value == 42  # type: ignore[union-attr]


THROWN: list[tuple[str, str]] = [
    ("throw null", "null"),
    ("throw undefined", "undefined"),
    ("throw 'text'", "text"),
    ("throw [1, {a: 2}]", "[1, {'a': 2}]"),
]


@pytest.mark.parametrize(("code", "message"), THROWN)
def test_what_is_thrown_that_is_no_error(code: str, message: str) -> None:
    with Sandbox() as box, pytest.raises(JSError) as caught:
        box.eval(code)
    assert (caught.value.name, caught.value.message) == ("", message)


def test_an_error_arrives_though_something_in_it_cannot() -> None:
    with Sandbox() as box:
        with pytest.raises(JSError, match="RangeError: far") as caught:
            box.eval(
                "throw Object.assign(new RangeError('far'), {when: new Date(NaN), code: 7, list: [1, new Date(8e15)]})"
            )
        assert caught.value.properties["code"] == 7
        assert repr(caught.value.properties["when"]) == repr(ConversionError("$.when", "an invalid Date"))
        assert caught.value.properties["list"][0] == 1
        with pytest.raises(ConversionError, match="an invalid Date"):
            box.eval("throw new Date(NaN)")


@pytest.mark.parametrize("refused", ["Symbol()", "new Date(NaN)"])
@pytest.mark.parametrize("call", ["take", "await takeLater"])
def test_an_argument_that_cannot_cross_is_one_error_whoever_refuses(refused: str, call: str) -> None:
    async def take_later(value: object) -> None:
        raise AssertionError(value)

    with Sandbox(functions={"take": lambda value: value, "takeLater": take_later}) as box:
        with pytest.raises(ConversionError) as caught:
            box.eval(f"{call}(1, [{refused}])")
        assert caught.value.path == "$[1][0]"
        message = box.eval(f"try {{ {call}({refused}) }} catch (error) {{ `${{error.name}}: ${{error.message}}` }}")
        assert message.startswith("TypeError: a")
        assert message.endswith("cannot cross the sandbox boundary (at $[0])")


@pytest.mark.parametrize(
    ("detail", "message", "traceback"),
    [("class", "the host function failed", False), ("message", "secret", False), ("traceback", "secret", True)],
)
def test_what_the_guest_sees_of_the_host(detail: Any, message: str, traceback: bool) -> None:
    def fail() -> None:
        raise ValueError("secret")

    with Sandbox(functions={"fail": fail}, error_detail=detail) as box:
        seen = box.eval("try { fail() } catch (error) { [error.name, error.message, error.traceback] }")
        assert seen[:2] == ["RangeError", message]
        assert ("in fail" in str(seen[2])) == traceback
        with pytest.raises(JSError) as caught:
            box.eval("fail()")
        assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(ValueError, match="error_detail"):
        Sandbox(error_detail="all")  # type: ignore[arg-type]


@pytest.mark.parametrize("unit", ["a", "é", "€", "😀", "a😀", "\ud800"], ids=ascii)
def test_what_was_cut_once_is_cut_no_more(unit: str) -> None:
    """The guest and the host bound an error's texts alike, so that one goes there and back as it is."""
    with Sandbox() as box:
        there_and_back = box.eval("value => value")
        first = box.eval(f"new Error({unit!r}.repeat(30_000))")
        second = there_and_back(first)
        assert 10_000 < len(first.message) < 30_000 * len(unit)
        assert (second.message, second.stack) == (first.message, first.stack)
        assert there_and_back(JSError(unit * 30_000)).message == first.message
