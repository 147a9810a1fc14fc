"""Records are what `dataclasses` would have made of them, and are made when they are used."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
import weakref
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, dataclass, fields, is_dataclass
from typing import Any, ClassVar, get_type_hints

import pytest

from sandbox import _records
from sandbox._records import NamedTuple, field, record, replace

PARTS = '''
@{made}(slots=True)
class Plain:
    """Said."""
    a: int
    b: "list[int]" = field(default_factory=list)
    c: str = field(default="x", repr=False)

    def total(self):
        return self.a + len(self.b)

@{made}(slots=True, frozen=True)
class Frozen:
    a: int
    b: object = field(default=None, compare=False)

@{made}(slots=True, frozen=True, kw_only=True)
class Named:
    a: int = 1
    b: int | None = None

    def __post_init__(self):
        object.__setattr__(self, "a", self.a + 1)

@{made}(slots=True, frozen=True)
class Longer(Frozen):
    c: int = 3
    b: object = 5

@{made}(slots=True, eq=False, weakref_slot=True)
class Single:
    a: int = 1
    n: int = field(init=False, default=7)
    m: dict = field(init=False, default_factory=dict)
    rest: int = field(init=False)

@{made}(slots=True, frozen=True)
class Own:
    a: int
    z: int = field(default=4, kw_only=True)

    def __eq__(self, other):
        return True

    def __repr__(self):
        return "own"

@{made}(slots=True, frozen=True)
class Hashed:
    a: int

    def __hash__(self):
        return 3

@{made}(slots=True, frozen=True)
class Odd:
    set: int = 1
    default: list = field(default_factory=list)
    field: int = 2

@{made}(slots=True)
class Nothing:
    pass

class Derived(Plain):
    def __init__(self, a):
        super().__init__(a, [a])
'''


def _classes(made: str) -> dict[str, Any]:
    scope: dict[str, Any] = {"field": _records.field, "record": record}
    if made == "dataclass":
        import dataclasses

        scope = {"field": dataclasses.field, "dataclass": dataclass}
    scope["__name__"] = __name__
    exec(compile(PARTS.format(made=made), "<parts>", "exec", dont_inherit=True), scope)
    return scope


# What is done with each class; both kinds must answer alike, in words too.
USES: dict[str, Callable[[dict[str, Any]], object]] = {
    "repr": lambda of: repr(of["Plain"](1, [2])),
    "repr of what has its own": lambda of: repr(of["Own"](1)),
    "equal": lambda of: (of["Plain"](1) == of["Plain"](1), of["Plain"](1) == of["Plain"](2), of["Plain"](1) == 1),
    "equal but for a field": lambda of: of["Frozen"](1, 2) == of["Frozen"](1, 3),
    "equal to another kind": lambda of: of["Frozen"](1) == of["Longer"](1),
    "equal by identity": lambda of: of["Single"](1) == of["Single"](1),
    "equal by its own": lambda of: of["Own"](1) == 5,
    "hash": lambda of: hash(of["Frozen"](1)) == hash(of["Frozen"](1, 2)),
    "hash beside an own equality": lambda of: hash(of["Own"](1)) == hash(of["Own"](1)),
    "own hash": lambda of: hash(of["Hashed"](1)),
    "no hash": lambda of: hash(of["Plain"](1)),
    "defaults": lambda of: asdict(of["Plain"](1)),
    "a default of its own": lambda of: of["Plain"](1).b is of["Plain"](1).b,
    "post init": lambda of: (of["Named"]().a, of["Named"](a=5).a),
    "inherited": lambda of: repr(of["Longer"](1)),
    "order of inherited": lambda of: of["Longer"](1, 2, 3).c,
    "not of init": lambda of: (of["Single"]().n, of["Single"]().m),
    "not set": lambda of: of["Single"]().rest,
    "given and not of init": lambda of: of["Single"](n=1),
    "missing": lambda of: of["Plain"](),
    "one too many": lambda of: of["Frozen"](1, 2, 3),
    "unknown": lambda of: of["Named"](d=1),
    "by position": lambda of: of["Named"](1),
    "assign": lambda of: setattr(of["Frozen"](1), "a", 2),
    "delete": lambda of: delattr(of["Frozen"](1), "a"),
    "another attribute": lambda of: setattr(of["Plain"](1), "d", 2),
    "slots": lambda of: [of[name].__slots__ for name in ("Plain", "Longer", "Single", "Nothing")],
    "weak references": lambda of: weakref.ref(of["Single"]()) is None,
    "no weak references": lambda of: weakref.ref(of["Plain"](1)),
    "match_args": lambda of: [of[name].__match_args__ for name in ("Plain", "Named", "Longer", "Own", "Single")],
    "fields": lambda of: [(each.name, each.type, each.repr, each.compare, each.kw_only) for each in fields(of["Own"])],
    "fields of a derived": lambda of: [each.name for each in fields(of["Longer"])],
    "fields of an instance": lambda of: [each.name for each in fields(of["Frozen"](1))],
    "is one": lambda of: (is_dataclass(of["Plain"]), is_dataclass(of["Plain"](1)), is_dataclass(of["Derived"])),
    "replace": lambda of: repr(replace(of["Longer"](1), c=9)),
    "replace what is not there": lambda of: replace(of["Longer"](1), d=9),
    "signature": lambda of: str(inspect.signature(of["Own"])),
    "signature after use": lambda of: (of["Named"](), str(inspect.signature(of["Named"])))[1],
    "a derived class": lambda of: repr(of["Derived"](4)),
    "a method": lambda of: of["Plain"](1, [2]).total(),
    "copy": lambda of: repr(copy.copy(of["Longer"](1, 2))),
    "deep copy": lambda of: repr(copy.deepcopy(of["Plain"](1, [2]))),
    "doc": lambda of: of["Plain"].__doc__,
    "names": lambda of: (of["Plain"].__qualname__, of["Plain"].__init__.__qualname__),
    "odd names": lambda of: repr(of["Odd"](4)),
    "of nothing": lambda of: (repr(of["Nothing"]()), of["Nothing"]() == of["Nothing"]()),
}


# What each takes at least.
LEAST = dict.fromkeys(("Plain", "Frozen", "Longer", "Own", "Hashed"), (1,)) | dict.fromkeys(
    ("Named", "Single", "Odd", "Nothing"), ()
)


def _outcome(use: Callable[[dict[str, Any]], object], made: str, before: int) -> object:
    classes = _classes(made)
    for name, arguments in LEAST.items():
        for _ in range(before):
            classes[name](*arguments)
    try:
        return use(classes)
    except (TypeError, AttributeError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("name", USES)
def test_a_record_is_what_dataclasses_would_have_made(name: str, before: int) -> None:
    """The first of its kind is made in another way than the next ones."""
    assert _outcome(USES[name], "record", before) == _outcome(USES[name], "dataclass", before)


class Pair(NamedTuple):
    """Two things."""

    first: int
    second: str | None = None

    @property
    def both(self) -> str:
        """Together."""
        return f"{self.first}{self.second}"


@record(slots=True, frozen=True)
class Kept:
    """At the top of a module, as pickle wants it."""

    kinds: ClassVar[int] = 2

    a: int
    b: list[int] = field(default_factory=list)


def test_records_are_pickled_by_their_fields() -> None:
    again = pickle.loads(pickle.dumps(Kept(1, [2])))
    assert again == Kept(1, [2])
    assert [each.name for each in fields(Kept)] == ["a", "b"]
    assert Kept.kinds == 2


def test_named_tuples_are_those_of_typing() -> None:
    assert repr(Pair(1)) == "Pair(first=1, second=None)"
    assert (Pair(1, "a").both, Pair(1, "a")._replace(first=2), Pair._fields) == ("1a", (2, "a"), ("first", "second"))
    assert get_type_hints(Pair) == {"first": int, "second": str | None}
    assert (Pair.__doc__, Pair.__module__, Pair.__qualname__) == ("Two things.", __name__, "Pair")
    assert pickle.loads(pickle.dumps(Pair(3))) == Pair(3)
    assert type(pickle.loads(pickle.dumps(Pair(3)))) is Pair


def test_a_record_matches_a_pattern_before_anything_else_was_asked() -> None:
    kind = _classes("record")["Frozen"]
    match kind(1, 2):
        case kind(first, second):
            assert (first, second) == (1, 2)
        case _:
            raise AssertionError


def test_nothing_can_be_assigned_to_what_is_frozen_before_it_was_completed() -> None:
    with pytest.raises(FrozenInstanceError):
        Kept(1).a = 2  # type: ignore[misc] # what is tested
    with pytest.raises(TypeError, match="a record has slots"):
        record(slots=False)


def test_records_do_without_the_library_until_somebody_looks() -> None:
    program = (
        "import sys; from sandbox.limits import Limits; Limits(fuel=5).fuel; print('dataclasses' in sys.modules);"
        "repr(Limits()); print('dataclasses' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-I", "-c", program], check=True, timeout=30, capture_output=True, text=True)
    assert run.stdout.split() == ["False", "True"]
