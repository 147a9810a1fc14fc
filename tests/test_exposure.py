"""Objects with methods in the guest: what is listed can be used, and nothing else can."""

from __future__ import annotations

import functools
import gc
import math
import types
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio.lowlevel
import pytest

from sandbox import AsyncSandbox, JSError, Sandbox, expose, undefined
from sandbox.exposure import Exposure, is_exposed


class Base:
    @expose
    def inherited(self) -> str:
        return "base"

    @expose
    def replaced(self) -> str:
        return "base"

    @expose
    def again(self) -> str:
        return "base"


class Service(Base):
    def __init__(self) -> None:
        self.secret = "secret"
        self.calls: list[Any] = []
        self.child: Service | None = None
        self._age = 1

    @expose
    def add(self, a: int, b: int = 1) -> int:
        return a + b

    @expose
    async def query(self, sql: str) -> str:
        await anyio.lowlevel.checkpoint()
        return sql.upper()

    @expose
    def search(self, text: str, *, limit: int = 10) -> list[Any]:
        return [text, limit]

    @expose  # type: ignore[prop-decorator]
    @property
    def name(self) -> str:
        self.calls.append("name")
        return "service"

    @property
    @expose
    def other_order(self) -> int:
        return 5

    @expose  # type: ignore[prop-decorator]
    @property
    def age(self) -> int:
        return self._age

    @expose  # type: ignore[misc]
    @age.setter
    def age(self, value: Any) -> None:
        if not isinstance(value, int):
            raise TypeError("an age is a number")
        if value < 0:
            raise ValueError("an age is not negative")
        self._age = value

    @expose  # type: ignore[prop-decorator]
    @property
    def half(self) -> int:
        return 1

    @half.setter
    def half(self, value: int) -> None:
        self.calls.append(value)

    @expose  # type: ignore[prop-decorator]
    @functools.cached_property
    def cached(self) -> list[int]:
        self.calls.append("cached")
        return [1]

    @expose
    @staticmethod
    def static(n: int) -> int:
        return n

    @expose
    @classmethod
    def of_class(cls) -> str:
        return cls.__name__

    @expose  # type: ignore[prop-decorator]
    @property
    def inner(self) -> Service | None:
        return self.child

    @expose
    def me(self) -> Service:
        return self

    def hidden(self) -> None:
        """Not for the guest."""

    def replaced(self) -> str:
        return "derived"

    @expose
    def again(self) -> str:
        return "derived"


MEMBERS = sorted(
    "inherited again add query search name other_order age half cached static of_class inner me".split()  # noqa: SIM905
)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("svc.add(1, 2)", 3),
        ("const {add} = svc; add(1)", 2),
        ("await svc.query('x')", "X"),
        ("svc.query('x') instanceof Promise", True),
        ("svc.search('x', {limit: 3})", ["x", 3]),
        ("svc.name + svc.other_order", "service5"),
        ("svc.age = 5; svc.age += 2; svc.age", 7),
        ("svc.static(4)", 4),
        ("svc.of_class()", "Service"),
        ("svc.inherited() + svc.again()", "basederived"),
        ("[svc.cached, svc.cached]", [[1], [1]]),
        ("svc.inner", None),
        ("svc.me().me().add(1)", 2),
        ("Object.keys(svc).sort()", MEMBERS),
        ("Reflect.ownKeys(svc).sort()", MEMBERS),
        ("typeof svc", "object"),
        ("svc.add.name + svc.add.length", "add1"),
        ("Object.getOwnPropertyDescriptor(svc, 'name').get.name", "get name"),
        ("Object.isExtensible(svc)", False),
        ("Object.isFrozen(Object.fromEntries([])) || Object.isSealed(svc)", True),
        (
            "JSON.stringify({...svc, inner: 0, cached: 0})",
            '{"name":"service","other_order":5,"age":1,"half":1,"cached":0,"inner":0}',
        ),
    ],
)
def test_what_is_exposed(code: str, value: Any) -> None:
    with Sandbox(globals={"svc": Service()}) as box:
        got = box.eval(code)
        if code.startswith("JSON"):
            import json

            got, value = json.loads(got), json.loads(value)
        assert got == value


@pytest.mark.parametrize(
    "name",
    [
        "secret",
        "hidden",
        "replaced",
        "_age",
        "calls",
        "child",
        "__class__",
        "__dict__",
        "__init__",
        "__getattribute__",
        "add.__func__",
        "add.__self__",
        "add.__globals__",
        "add.__call__",
        "query.cr_frame",
    ],
)
def test_nothing_else_can_be_reached(name: str) -> None:
    with Sandbox(globals={"svc": Service()}) as box:
        assert box.eval(f"svc.{name}") is undefined


@pytest.mark.parametrize(
    "statement",
    [
        "svc.add = 1",
        "svc.name = 1",
        "svc.half = 1",
        "svc.more = 1",
        "delete svc.add",
        "delete svc.name",
        "Object.defineProperty(svc, 'add', {value: 1})",
        "Object.defineProperty(svc, 'name', {get() {}})",
        "Object.defineProperty(svc, 'more', {value: 1})",
        "Object.setPrototypeOf(svc, null)",
        "svc.__proto__ = {}",
    ],
)
def test_the_guest_cannot_change_it(statement: str) -> None:
    service = Service()
    with Sandbox(globals={"svc": service}) as box:
        code = f"(() => {{ 'use strict'; try {{ {statement} }} catch (e) {{ return e.name }} }})()"
        assert box.eval(code) == "TypeError"
        assert box.eval("svc.add(1)") == 2
    assert service.calls == []


def test_it_is_made_whatever_the_guest_has_done_to_its_realm() -> None:
    poison = """
        const trap = {__proto__: null, get() { throw Error('read') }, set() { throw Error('set') }};
        for (const key of ['add', 'name', 'age', 'get', 'set', 'value', 'writable', 'configurable', 'enumerable'])
            Object.defineProperty(Object.prototype, key, trap);
        for (const key of ['defineProperty', 'keys', 'preventExtensions', 'hasOwn'])
            Object[key] = () => { throw Error('called') };
        Array.prototype[Symbol.iterator] = () => { throw Error('iterated') };
        var svc = make();
    """
    with Sandbox(functions={"make": Service}) as box:
        box.eval(poison)
        assert box.eval("Reflect.ownKeys(svc).length") == len(MEMBERS)
        assert box.eval("svc.add(1)") == 2


def test_setters_validate() -> None:
    service = Service()
    with Sandbox(globals={"svc": service}) as box:
        code = "for (const v of ['x', -1, 9]) try { svc.age = v; log(svc.age) } catch (e) { log(`${e}`) }"
        log: list[Any] = []
        box.function(log.append, name="log")
        box.eval(code)
    assert log == ["TypeError: an age is a number", "RangeError: an age is not negative", 9]
    assert service.age == 9


def test_values_are_read_when_the_guest_reads_them() -> None:
    service = Service()
    with Sandbox(globals={"svc": service}) as box:
        assert service.calls == []
        box.eval("svc.name; svc.name; svc.cached; svc.cached")
        assert service.calls == ["name", "name", "cached"]
        service.child = Service()
        service.child._age = 41
        assert box.eval("svc.inner.age += 1; svc.inner.age") == 42
        assert service.child._age == 42


def test_what_an_attribute_holds_is_given_as_a_copy() -> None:
    service = Service()
    with Sandbox(globals={"svc": service}) as box:
        code = "svc.cached.push(2); const mine = svc.cached; mine.push(3); [mine, svc.cached]"
        assert box.eval(code) == [[1, 3], [1]]
    assert service.cached == [1]


def test_an_attribute_of_the_instance_does_not_take_the_place_of_a_method() -> None:
    service = Service()
    service.add = print  # type: ignore[method-assign,assignment] # on purpose
    with Sandbox(globals={"svc": service}) as box:
        assert box.eval("svc.add(1)") == 2


def test_accessors_take_the_arguments_of_accessors() -> None:
    service = Service()
    code = """
        const {get, set} = Object.getOwnPropertyDescriptor(svc, 'age'), errors = [];
        for (const call of [() => get('x'), () => set(), () => set(1, 2)])
            try { errors.push(call()) } catch (e) { errors.push(e.name) }
        errors
    """
    with Sandbox(globals={"svc": service}) as box:
        assert box.eval(code) == ["TypeError"] * 3
    assert service.age == 1


def test_one_object_is_one_object_within_a_message() -> None:
    service = Service()
    with Sandbox(globals={"pair": [service, {"svc": service}]}, functions={"same": lambda: [service, service]}) as box:
        assert box.eval("pair[0] === pair[1].svc")
        assert box.eval("const [a, b] = same(); a === b")
        one = expose(service, "add")
        box.globals["list"] = [one, service, one, [1], one]
        assert box.eval("[list[0] === list[2], list[0] === list[4], list[0] === list[1], list[3]]") == [
            True,
            True,
            False,
            [1],
        ]


def test_it_crosses_wherever_a_value_does() -> None:
    with Sandbox(functions={"make": lambda: {"deep": [Service()]}}) as box:
        assert box.eval("make().deep[0].add(1)") == 2
        box.eval("const use = svc => svc.add(40)")
        assert box.call("use", Service()) == 41


def test_a_dataclass_with_exposed_members_is_an_object_of_these() -> None:
    @dataclass
    class Point:
        x: int
        secret: str = "secret"

        @expose
        def twice(self) -> int:
            return 2 * self.x

    with Sandbox(globals={"point": Point(4)}) as box:
        assert box.eval("[point.twice(), Object.keys(point)]") == [8, ["twice"]]


def test_the_error_of_a_member_is_the_guests_and_comes_back() -> None:
    class Broken:
        @expose  # type: ignore[prop-decorator]
        @property
        def value(self) -> int:
            raise LookupError("gone")

    with Sandbox(globals={"it": Broken()}) as box:
        assert box.eval("try { it.value } catch (e) { e.message }") == "gone"
        with pytest.raises(JSError, match="gone") as caught:
            box.eval("it.value")
        assert isinstance(caught.value.__cause__, LookupError)


def test_what_the_guest_no_longer_holds_is_let_go() -> None:
    class Child:
        @expose
        def go(self) -> int:
            return 1

    class Parent:
        @expose  # type: ignore[prop-decorator]
        @property
        def child(self) -> Child:
            return Child()

    with Sandbox(globals={"parent": Parent()}) as box:
        bound = box._driver._operations.bound()
        assert box.eval("let n = 0; for (let i = 0; i < 3000; i++) n += parent.child.go(); n") == 3000
        box.eval("1")
        assert box._driver._operations.bound() == bound


def test_classes_can_be_collected() -> None:
    class Short:
        @expose
        def go(self) -> int:
            return 1

    with Sandbox() as box:
        box.globals["it"] = Short()
        box.eval("it = undefined")
        box.eval("1")
        gone = weakref.ref(Short)
        del Short
        gc.collect()
        assert gone() is None


# --- decorating -------------------------------------------------------------------------------------------------------


def test_decorating_changes_nothing() -> None:
    def plain(_: Any = None) -> int:
        return 1

    assert expose(plain) is plain
    value = property(plain)
    assert expose(value) is value
    assert Service().add(1) == 2
    assert Service.static(3) == 3


@pytest.mark.parametrize("name", ["_private", "__call__", "__getitem__"])
def test_underscores_are_never_exposed(name: str) -> None:
    def function(self: Any) -> None: ...

    function.__name__ = name
    for member in (function, property(function), staticmethod(function), classmethod(function)):
        with pytest.raises(ValueError, match="underscore"):
            expose(member)
    alias = types.new_class("Alias", exec_body=lambda names: names.update({name: expose(lambda self: 1)}))
    assert not is_exposed(alias())


@pytest.mark.parametrize("thing", [5, "x", None, Service, Service(), abs, [], property(None)])
def test_what_cannot_be_decorated(thing: Any) -> None:
    with pytest.raises(TypeError):
        expose(thing)


# --- lists ------------------------------------------------------------------------------------------------------------


class Engine:
    """A class of somebody else."""

    limit = 3

    def __init__(self) -> None:
        self.speed: Any = 1
        self.part: Any = Part()
        self.callback: Callable[[], int] = lambda: 7

    def start(self, *, slowly: bool = False) -> str:
        return "slowly" if slowly else "at once"

    async def later(self) -> int:
        return 5

    @staticmethod
    def static() -> int:
        return 6

    @property
    def fixed(self) -> int:
        return 8

    def _inner(self) -> None: ...


class Part:
    def __init__(self) -> None:
        self.name = "part"
        self.secret = "secret"
        self.owner: Any = Service()

    def turn(self, n: int) -> int:
        return n


@pytest.mark.parametrize(
    ("names", "writable", "code", "value"),
    [
        (["start"], (), "it.start({slowly: true})", "slowly"),
        (["start"], (), "Object.keys(it)", ["start"]),
        (["later"], (), "await it.later()", 5),
        (["static"], (), "it.static()", 6),
        (["speed", "limit", "fixed"], (), "[it.speed, it.limit, it.fixed]", [1, 3, 8]),
        (["callback"], (), "it.callback()", 7),
        ([], ("speed",), "it.speed = 4; it.speed", 4),
        (["speed"], ("speed",), "it.speed = 4; it.speed", 4),
        (
            ["part.name", "part.turn"],
            (),
            "[it.part.name, it.part.turn(2), Object.keys(it.part)]",
            ["part", 2, ["turn", "name"]],
        ),
        (["part.turn"], ["part.name"], "it.part.name = 'new'; it.part.name + it.part.turn(1)", "new1"),
        (["part.owner.add"], (), "[it.part.owner.add(1), it.part.owner.name]", [2, undefined]),
        (["part.owner"], (), "it.part.owner.name", "service"),
    ],
)
def test_a_list(names: list[str], writable: Any, code: str, value: Any) -> None:
    with Sandbox(globals={"it": expose(Engine(), *names, writable=writable)}) as box:
        got = box.eval(code)
        if isinstance(value, list) and isinstance(value[-1], list):
            got[-1], value[-1] = sorted(got[-1]), sorted(value[-1])
        assert got == value


def test_a_list_is_live() -> None:
    engine = Engine()
    with Sandbox(globals={"it": expose(engine, "speed", "part.name")}) as box:
        engine.speed = 9
        engine.part = Part()
        engine.part.name = "another"
        assert box.eval("[it.speed, it.part.name]") == [9, "another"]
        engine.part = None
        assert box.eval("it.part") is None
        engine.part = 5
        assert box.eval("try { it.part } catch (e) { e.name }") == "TypeError"


def test_a_module() -> None:
    with Sandbox(globals={"m": expose(math, "sqrt", "pi")}) as box:
        assert box.eval("[m.sqrt(9), m.pi > 3, Object.keys(m).sort()]") == [3, True, ["pi", "sqrt"]]


def test_attributes_that_are_made_up_when_they_are_asked_for() -> None:
    class Remote:
        def __getattr__(self, name: str) -> str:
            if name == "missing":
                raise AttributeError(name)
            return name.upper()

    with Sandbox(globals={"it": expose(Remote(), "one")}) as box:
        assert box.eval("it.one") == "ONE"
    with pytest.raises(AttributeError):
        expose(Remote(), "missing")


@pytest.mark.parametrize(
    ("names", "writable", "error"),
    [
        (["missing"], (), AttributeError),
        (["start", "part.missing"], (), AttributeError),
        (["missing.name"], (), AttributeError),
        ([], ["missing"], AttributeError),
        ([], ["fixed"], AttributeError),
        (["_inner"], (), ValueError),
        (["__class__"], (), ValueError),
        (["part.__class__"], (), ValueError),
        (["__class__.limit"], (), ValueError),
        ([], ["_inner"], ValueError),
        ([""], (), ValueError),
        (["part."], (), ValueError),
        (["part..name"], (), ValueError),
        (["a b"], (), ValueError),
        (["<lambda>"], (), ValueError),
        ([], ["start"], ValueError),
        (["part", "part.name"], (), ValueError),
        ([5], (), TypeError),
        ([], "speed", TypeError),
        ([], [5], TypeError),
    ],
)
def test_lists_that_are_refused_at_once(names: list[Any], writable: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        expose(Engine(), *names, writable=writable)


def test_an_exposure_shows_what_it_exposes() -> None:
    exposure = expose(Engine(), "start", "part.name")
    assert isinstance(exposure, Exposure)
    assert repr(exposure) == "<Exposure of start, part>"


@pytest.mark.anyio
async def test_on_the_async_face() -> None:
    options: Any = {"svc": Service(), "it": expose(Engine(), "later", writable=["speed"])}
    async with AsyncSandbox(globals=options) as box:
        code = "it.speed = svc.add(1, 2); [it.speed, await svc.query('x'), await it.later()]"
        assert await box.eval(code) == [3, "X", 5]


@pytest.mark.parametrize("target", [Service(), Engine()], ids=["marked", "named"])
def test_what_the_guest_gives_back_is_the_object_itself(target: Any) -> None:
    """A host function that is given one of its own objects can use it, whatever the guest sees of it."""
    given: list[Any] = []
    value = target if isinstance(target, Service) else expose(target, "start")
    with Sandbox(functions={"take": given.append, "make": lambda: value}, globals={"it": value}) as box:
        assert box.eval("it") is target
        assert box.eval("take(it); take([it, it]); take({deep: {it}}); await null; [make(), it]") == [target, target]
        assert given[0] is target
        assert given[1][0] is given[1][1] is target
        assert given[2]["deep"]["it"] is target
        box.globals["again"] = [box.eval("it")] if value is target else [value]
        assert box.eval("again[0]") is target
        assert box.eval("({...it})") is not target
        assert box.eval("Object.create(it)") == {}
        box.eval("it = again = null; 0")
        given.clear()
        box.eval("for (let i = 0; i < 50; i++) make(); 0")
        # The engine holds the shapes of the last objects, by one of them their prototype, until it collects garbage.
        box.eval("for (let i = 0; i < 50_000; i++) { const one = {}; one.one = one } 0")
        assert box._driver._operations.bound() == 2


def test_an_object_that_leads_to_itself_comes_back() -> None:
    class Node:
        @property
        @expose
        def me(self) -> Node:
            return self

    node = Node()
    with Sandbox(globals={"node": node}) as box:
        assert box.eval("node.me.me.me") is node


class User:
    """What programs may change, within bounds."""

    def __init__(self) -> None:
        self.name, self.age, self.height, self.secret = "Ada", 36, 1.7, "x"


def _short(text: str) -> str:
    if len(text) > 10:
        raise ValueError("a name has at most 10 letters")
    return text.title()


_AS_IT_WAS = ("Ada", 36, 1.7)
WRITES: dict[str, tuple[str, object, tuple[object, ...]]] = {
    "it fits": ("user.age = 37; user.age", 37, ("Ada", 37, 1.7)),
    "a float takes an int": ("user.height = 2; user.height", 2.0, ("Ada", 36, 2.0)),
    "a function changes it": ("user.name = 'grace'; user.name", "Grace", ("Grace", 36, 1.7)),
    "another type": (
        "try { user.age = 'old' } catch (e) { `${e.name}: ${e.message}` }",
        "TypeError: age must be an integer",
        _AS_IT_WAS,
    ),
    "a boolean is no int": ("try { user.age = true } catch (e) { e.message }", "age must be an integer", _AS_IT_WAS),
    "a function refuses": (
        "try { user.name = 'x'.repeat(11) } catch (e) { e.message }",
        "a name has at most 10 letters",
        _AS_IT_WAS,
    ),
    "those before it were set": (
        "try { user.age = 1; user.age = 2; user.age = 'x'; user.age = 4 } catch {} user.age",
        2,
        ("Ada", 2, 1.7),
    ),
    "no new ones": ("'use strict'; try { user.more = 1 } catch (e) { e.name }", "TypeError", ("Ada", 36, 1.7)),
}


@pytest.mark.parametrize(("code", "value", "left"), WRITES.values(), ids=WRITES)
def test_assignments_are_validated(code: str, value: object, left: tuple[object, ...]) -> None:
    user = User()
    with Sandbox(globals={"user": expose(user, writable={"name": _short, "age": int, "height": float})}) as box:
        assert box.eval(code) == value
    assert (user.name, user.age, user.height) == left


def test_a_validator_is_a_class_or_a_function() -> None:
    with pytest.raises(TypeError, match="is said by a class or a function"):
        expose(User(), writable={"age": "int"})
