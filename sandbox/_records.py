"""Dataclasses that cost nothing before they are used, and named tuples that cost less.

`record`, `field` and `replace` mean what `dataclass`, `field` and `replace` mean in `dataclasses`, where checkers take
them from. That library takes longer to import than a sandbox to run its first program, and then half a millisecond for
each class. A process defines fifty of ours and makes a handful, many of them once: so here `__init__` is written when
the second one is made, and the library asked for the rest when somebody compares, prints or inspects one.
"""

from __future__ import annotations

import sys
from collections import namedtuple
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as record
    from dataclasses import field, replace
    from typing import NamedTuple

    __all__ = ["NamedTuple", "field", "parts_of", "record", "replace"]
else:

    def record(*, slots: bool, **options: Any) -> Callable[[type], type]:  # noqa: ANN401 - as the library's
        """Make a class a dataclass; see `dataclasses.dataclass`. It has slots, and other records as bases, if any."""
        if not slots:
            raise TypeError("a record has slots")
        return lambda cls: _Plan(cls, options).made

    def field(**options: Any) -> _Given:  # noqa: ANN401 - as the library's
        """What a field is beyond its annotation; see `dataclasses.field`."""
        return _Given(options)

    class _TupleMaker(type):
        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, body)
            names = body["__annotations__"]
            defaults = [body[each] for each in names if each in body]
            made = namedtuple(name, names, defaults=defaults, module=body["__module__"])
            for key, value in body.items():
                if key not in names and key not in ("__module__", "__slots__"):
                    setattr(made, key, value)
            return made

    class NamedTuple(metaclass=_TupleMaker):
        """As `typing.NamedTuple`, which compiles the hint of each field."""

    def replace(instance: Any, /, **changes: Any) -> Any:  # noqa: ANN401 - any record
        """A copy with other values; see `dataclasses.replace`."""
        import dataclasses

        return dataclasses.replace(instance, **changes)


def parts_of(value: object) -> dict[str, Any] | None:
    """The fields of a record, or of any dataclass, and their values; None: it is none."""
    if not hasattr(type(value), "__dataclass_fields__"):
        return None
    from dataclasses import fields

    return {each.name: getattr(value, each.name) for each in fields(cast("Any", value))}


class _Given:
    """What `field` was given."""

    __slots__ = ("options",)

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options


_MISSING: Final = _Given({})
# What the library makes: methods that may be called, and what is looked up.
_METHODS: Final = ("__repr__", *(("__replace__",) if sys.version_info >= (3, 13) else ()))
_FACTS: Final = ("__dataclass_fields__", "__dataclass_params__", "__match_args__", "__signature__")
_PLAN: Final = "__record__"
_OF_THE_MAKING: Final = frozenset({"__dict__", "__weakref__"})


class _Fact:
    """An attribute of a class that is there when somebody looks."""

    __slots__ = ("_name", "_plan")

    def __init__(self, plan: _Plan, name: str) -> None:
        self._plan = plan
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:  # noqa: ANN401 - any fact
        self._plan.complete()
        return getattr(owner, self._name)  # there is no `__signature__` then, and it is read off `__init__`


class _Plan:
    """What a class was to be, and the class."""

    __slots__ = ("_body", "_fields", "_is_used", "_options", "_qualname", "made")

    def __init__(self, cls: type, options: dict[str, Any]) -> None:
        self._options = options
        self._is_used = False
        self._qualname = cls.__qualname__
        self._body = body = {name: value for name, value in vars(cls).items() if name not in _OF_THE_MAKING}
        if "__eq__" in body and body.get("__hash__") is None:
            body.pop("__hash__", None)  # Python's own entry, which says nothing of what was wanted
        own = [name for name, hint in body.get("__annotations__", {}).items() if not str(hint).startswith("ClassVar")]
        self._fields: dict[str, tuple[Any, bool]] = {}
        for base in reversed(cls.__mro__[1:]):
            if (plan := vars(base).get(_PLAN)) is not None:
                self._fields |= plan._fields
        inherited = set(self._fields)
        kw_only = options.get("kw_only", False)
        for name in own:
            if body["__annotations__"][name] == "KW_ONLY":
                kw_only = True
            else:
                self._fields[name] = body.get(name, _MISSING), kw_only
        namespace = {name: value for name, value in body.items() if name not in own}
        namespace["__slots__"] = tuple(name for name in self._fields if name not in inherited)
        if options.get("weakref_slot"):
            namespace["__slots__"] += ("__weakref__",)
        self.made = type(cls)(cls.__name__, cls.__bases__, self._methods() | namespace)
        self.made.__qualname__ = self._qualname

    def _methods(self) -> dict[str, Any]:
        """Those that make, or ask for, what they stand for; for a frozen record, those that refuse."""
        is_frozen, has_eq = self._options.get("frozen", False), self._options.get("eq", True)
        methods: dict[str, Any] = {_PLAN: self, "__init__": self._first_init()}
        methods |= {name: self._late(name, self.complete) for name in _METHODS}
        methods |= {name: _Fact(self, name) for name in _FACTS}
        if has_eq:
            methods["__eq__"] = self._late("__eq__", self.complete)
            methods["__hash__"] = self._late("__hash__", self.complete) if is_frozen else None
        if is_frozen:
            methods |= {
                "__setattr__": _refuse_to_assign,
                "__delattr__": _refuse_to_delete,
                "__getstate__": _state,
                "__setstate__": _set_state,
            }
        return methods

    def _late(self, name: str, make: Callable[[], None]) -> Callable[..., Any]:
        def method(self: object, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the method takes
            make()
            return getattr(plan.made, name)(self, *args, **options)

        plan = self
        method.__name__ = name
        method.__qualname__ = f"{self._qualname}.{name}"
        return method

    def _first_init(self) -> Callable[..., None]:
        """Makes the first record without code of its own: many a process has one, and code takes longer to write."""

        def init(self: object, *args: Any, **options: Any) -> None:  # noqa: ANN401 - whatever the record takes
            values = None if plan._is_used else plan._values(args, options)
            plan._is_used = True
            if values is None:  # what is wrong with the arguments Python says as of any function
                plan._write_init()
                plan.made.__init__(self, *args, **options)  # type: ignore[misc] # another one by now
                return
            for name, value in values.items():
                object.__setattr__(self, name, value)
            if hasattr(plan.made, "__post_init__"):
                self.__post_init__()  # type: ignore[attr-defined]

        plan = self
        init.__name__ = "__init__"
        init.__qualname__ = f"{self._qualname}.__init__"
        return init

    def _values(self, args: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any] | None:
        """The fields of a record that is made with these arguments; None: it takes others."""
        taken = {
            name: given.options if isinstance(given, _Given) else {"default": given}
            for name, (given, _) in self._fields.items()
        }
        ordered = [
            name
            for name, (_, kw_only) in self._fields.items()
            if taken[name].get("init", True) and not taken[name].get("kw_only", kw_only)
        ]
        given = dict(zip(ordered, args, strict=False))
        if len(args) > len(ordered) or given.keys() & options.keys():
            return None
        given |= options
        values: dict[str, Any] = {}
        for name, of_field in taken.items():
            if name in given and of_field.get("init", True):
                values[name] = given.pop(name)
            elif "default" in of_field:
                values[name] = of_field["default"]
            elif "default_factory" in of_field:
                values[name] = of_field["default_factory"]()
            elif of_field.get("init", True):
                return None
        return None if given else values

    def _write_init(self) -> None:
        scope: dict[str, Any] = {"assign_field": object.__setattr__, "not_given": _MISSING}
        ordered: list[str] = []
        named: list[str] = []
        lines: list[str] = []
        is_frozen = self._options.get("frozen", False)
        for name, (given, kw_only) in self._fields.items():
            options = given.options if isinstance(given, _Given) else {"default": given}
            parameter, value = name, name
            if "default_factory" in options:
                scope[f"default_{name}"] = options["default_factory"]
                parameter, value = f"{name}=not_given", f"default_{name}() if {name} is not_given else {name}"
            elif "default" in options:
                scope[f"default_{name}"] = options["default"]
                parameter = f"{name}=default_{name}"
            if options.get("init", True):
                (named if options.get("kw_only", kw_only) else ordered).append(parameter)
            elif "default_factory" in options:
                value = f"default_{name}()"
            elif "default" in options:
                value = f"default_{name}"
            else:
                continue
            lines.append(f" assign_field(self, {name!r}, {value})" if is_frozen else f" self.{name} = {value}")
        if hasattr(self.made, "__post_init__"):
            lines.append(" self.__post_init__()")
        star = ["*"] if named else []
        source = f"def __init__({', '.join(['self', *ordered, *star, *named])}):\n" + "\n".join(lines or [" pass"])
        exec(source, scope)  # noqa: S102 - made of the names of fields, as `dataclasses` does it
        init = scope["__init__"]
        init.__qualname__ = vars(self.made)["__init__"].__qualname__
        self.made.__init__ = init  # type: ignore[misc] # what is found when it is called again

    def complete(self) -> None:
        """Give the class what `dataclasses` gives to one like it. Any thread, any number of times."""
        import dataclasses

        body = {name: _as_field(value) for name, value in self._body.items()}
        options = {name: value for name, value in self._options.items() if name != "weakref_slot"}
        made = self.made
        twin: Any = dataclasses.dataclass(**options)(type(made)(made.__name__, made.__bases__, body))
        twin.__init__.__qualname__ = vars(made)["__init__"].__qualname__
        for name in ("__init__", *_METHODS, *_FACTS, "__eq__", "__hash__"):
            if name in self._body:
                continue
            if name in vars(twin):
                setattr(made, name, vars(twin)[name])
            elif name in _FACTS:
                with suppress(AttributeError):  # another thread was quicker
                    delattr(made, name)


def _as_field(value: object) -> object:
    import dataclasses

    return dataclasses.field(**value.options) if isinstance(value, _Given) else value


def _refuse_to_assign(self: object, name: str, value: object) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:  # noqa: ANN401 - a record
    return [getattr(self, name) for name in self.__record__._fields]


def _set_state(self: Any, state: list[Any]) -> None:  # noqa: ANN401 - a record
    for name, value in zip(self.__record__._fields, state, strict=True):
        object.__setattr__(self, name, value)
