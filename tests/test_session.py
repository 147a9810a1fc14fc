"""Interactive sessions: scripts one after another, their values as text, the names there are, what is unfinished."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox import JSError, Limits, Sandbox
from sandbox._session import Session, is_unfinished
from sandbox.errors import CpuLimitExceeded, JSSyntaxError


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(limits=Limits(cpu_seconds=1)) as box:
        yield box


@pytest.fixture
def session(box: Sandbox) -> Session:
    return Session(box)


@pytest.mark.parametrize(
    ("scripts", "shown"),
    [
        (["let a = 1", "let a = 2; a"], [None, "2"]),
        (["const a = 1", "const a = {b: 'x'}; a"], [None, "{ b: 'x' }"]),
        (["class A {}", "class A { two() {} }", "new A().two.name"], [None, None, "'two'"]),
        (["var a = 1", "let a = 2; a", "globalThis.a"], [None, "2", None]),
        (["let a = 1", "var a = 2", "globalThis.a"], [None, None, "2"]),
        (["let atob = 1; atob", "typeof globalThis.atob"], ["1", "'function'"]),
        (["let a = 1", "function a() {}", "a"], [None, None, "[Function: a]"]),
        (["function f() { return a }", "let a = 1", "f()", "let a = 2", "f()"], [None, None, "1", None, "2"]),
        (["const a = await Promise.resolve(5)", "a"], [None, "5"]),
        (["await 0; let a = 1; a", "let a = 2; a"], ["1", "2"]),
        (["Symbol('s')", "new WeakMap()"], ["Symbol(s)", "WeakMap { <items unknown> }"]),
        (["Promise.resolve(1)", "new Promise(() => {})"], ["Promise { 1 }", "Promise { <pending> }"]),
        (["6 * 7", "_ + 1", "undefined", "_"], ["42", "43", None, "43"]),
        (["let _ = 'mine'", "7", "_"], [None, "7", "'mine'"]),
        (["_ = 'mine'", "7", "_"], ["'mine'", "7", "'mine'"]),
        (["({get a() { throw 1 }})"], ["{ a: [Getter] }"]),
    ],
    ids=lambda value: value[0][:20] if isinstance(value[0], str) else "",
)
def test_scripts_one_after_another(session: Session, scripts: list[str], shown: list[str | None]) -> None:
    assert [session.evaluate(script, "<repl>") for script in scripts] == shown


def test_a_name_whose_declaration_failed_can_be_declared_again(session: Session) -> None:
    with pytest.raises(JSError, match="nope is not defined"):
        session.evaluate("let a = nope()", "<repl>")
    with pytest.raises(JSError, match="a is not initialized"):
        session.evaluate("a", "<repl>")

    assert session.evaluate("let a = 1; a", "<repl>") == "1"


@pytest.mark.parametrize(
    ("script", "kind", "message"),
    [
        ("let a = 1; let a = 2", JSSyntaxError, "already defined|redefinition|redeclaration"),
        ("let undefined = 1", JSSyntaxError, "undefined"),
        ("const c = 1; c = 2", JSError, "read-only"),
        ("1 +", JSSyntaxError, "unexpected token"),
        ("for (;;);", CpuLimitExceeded, "CPU"),
    ],
)
def test_what_stays_an_error(session: Session, script: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        session.evaluate(script, "<repl>")
    assert session.evaluate("'goes on'", "<repl>") == "'goes on'"


def test_errors_show_the_code(session: Session) -> None:
    with pytest.raises(JSError) as caught:
        session.evaluate("const a = 1;\nnope.b", "<repl 1>")
    assert "> 2 | nope.b" in caught.value.render()


def test_thrown_values_are_shown(session: Session) -> None:
    with pytest.raises(JSError) as caught:
        session.evaluate("throw {a: [1n]}", "<repl>")
    assert session.show(caught.value.value) == "{ a: [ 1n ] }"


NAMES = """
let abc = {def: {ghi: 1}, 'not a name': 2, get loud() { calls++; return {inner: 1} }};
var calls = 0, text = 'x', many = new Array(20000).fill(0),
  held = new Proxy({seen: 1}, {ownKeys() { calls++; return [] }});
class Base { inherited() {} } class Derived extends Base { own() {} }
let derived = new Derived();
"""


@pytest.mark.parametrize(
    ("path", "prefix", "some", "none"),
    [
        ([], "ab", {"abc"}, {"text"}),
        ([], "", {"abc", "text", "globalThis", "setTimeout", "Derived"}, set()),
        (["abc"], "", {"def", "loud", "hasOwnProperty"}, {"not a name"}),
        (["abc", "def"], "", {"ghi"}, {"def"}),
        (["abc", "loud"], "", set(), {"inner"}),
        (["text"], "to", {"toUpperCase", "toString"}, {"trim"}),
        (["many"], "", {"map", "length"}, {"0"}),
        (["held"], "", set(), {"seen"}),
        (["derived"], "", {"own", "inherited"}, set()),
        (["nothing", "at", "all"], "", set(), {"toString"}),
        (["console"], "l", {"log"}, {"error"}),
    ],
    ids=lambda value: ".".join(value) or "variables" if isinstance(value, list) else "",
)
def test_names(session: Session, path: list[str], prefix: str, some: set[str], none: set[str]) -> None:
    session.evaluate(NAMES, "<repl>")

    found = session.names(path, prefix)

    assert some <= set(found)
    assert not none & set(found)
    assert len(found) == len(set(found))
    assert session.evaluate("calls", "<repl>") == "0"


def test_names_in_a_broken_world(session: Session, box: Sandbox) -> None:
    box.eval(
        "let kept = {inner: 1}; RegExp.prototype.exec = String.prototype.startsWith = () => { throw 1 };"
        "Array.prototype[Symbol.iterator] = null; Object.defineProperty(Array.prototype, 0, {set() { throw 3 }}); 0"
    )
    assert session.names([], "kep") == ["kept"]
    assert session.names(["kept"], "inn") == ["inner"]
    assert session.evaluate("[1, {a: 2}]", "<repl>") == "[ 1, { a: 2 } ]"


def test_names_have_an_end(session: Session) -> None:
    session.evaluate("let wide = {}; for (let i = 0; i < 5000; i++) wide['k' + i] = i", "<repl>")
    assert len(session.names(["wide"], "k")) == 500


def test_names_of_a_sandbox_that_cannot_answer(session: Session, box: Sandbox) -> None:
    box.close()
    assert session.names([], "a") == []


@pytest.mark.parametrize(
    ("code", "unfinished"),
    [
        ("1 + 1", False),
        ("", False),
        ("function f() {", True),
        ("function f() {\n  return 1\n}", False),
        ("foo(", True),
        ("[1, 2", True),
        ("let a = {", True),
        ("a +", True),
        ("if (x) {\n a\n", True),
        ("`a${1}b\n${`c", True),
        ("'abc", False),
        ("/* x", True),
        ("}", False),
        ("foo bar", False),
        ("1 +\n2 )", False),
        ("/abc", False),
        ("const x", True),
        ("return 1", False),
        ("await x", False),
        ("// a comment", False),
        ("'\U0001f680' + (", True),
        ("'\U0001f680' + )", False),
        ("x = `\n\U0001f680", True),
        ("for (;;);", False),
        ("throw 1", False),
    ],
)
def test_what_is_unfinished(code: str, unfinished: bool) -> None:
    assert is_unfinished(code, Sandbox) is unfinished
