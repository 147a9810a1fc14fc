"""What users import: names, signatures and documentation, the same on both faces."""

from __future__ import annotations

import inspect
import pickle
import pydoc
import subprocess
import sys
from dataclasses import fields
from typing import Any, assert_type

import pytest

import sandbox
from sandbox import AsyncGlobals, AsyncSandbox, Globals, JSFunction, Limits, Sandbox, Usage, capabilities, errors
from sandbox._option_types import SandboxOptions
from sandbox._options import Options

_SAME = (
    "eval",
    "eval_into",
    "limit_heap",
    "execute",
    "stream",
    "resume",
    "module",
    "import_module",
    "call",
    "dispatch",
    "function",
    "globals",
    "run_until_idle",
    "interrupt",
    "tick",
    "record",
    "usage",
    "limits",
    "closed",
    "snapshot",
    "fork",
    "finish",
    "restore",
    "pending",
    "unfinished",
)


@pytest.mark.parametrize("module", [sandbox, errors, capabilities])
def test_all_is_sorted_and_true(module: Any) -> None:
    names = list(module.__all__)
    assert names == sorted(names, key=lambda name: (not name.isupper(), name))
    assert len(names) == len(set(names))
    for name in names:
        assert getattr(module, name) is not None
        assert name in dir(module)


def test_what_is_public_is_meant_to_be() -> None:
    public = {name for name in vars(sandbox) if not name.startswith("_")} - {"TYPE_CHECKING", "Any"}
    modules = {name for name in public if inspect.ismodule(getattr(sandbox, name))}
    assert public - modules == set(sandbox.__all__) & public
    with pytest.raises(AttributeError, match="no attribute 'missing'"):
        sandbox.missing  # noqa: B018 - looking it up is the point


@pytest.mark.parametrize("name", sandbox.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    thing = getattr(sandbox, name)
    assert inspect.getdoc(thing)
    if inspect.isclass(thing):
        for attribute, value in vars(thing).items():
            if not attribute.startswith("_") and (callable(value) or isinstance(value, property)):
                assert inspect.getdoc(getattr(thing, attribute)), f"{name}.{attribute}"


def test_the_faces_take_the_same_options() -> None:
    assert inspect.signature(Sandbox) == inspect.signature(AsyncSandbox)
    parameters = inspect.signature(Sandbox).parameters
    assert list(parameters) == [
        "limits",
        "functions",
        "globals",
        "modules",
        "fetch",
        "websocket",
        "files",
        "browser",
        "capabilities",
        "console",
        "clock",
        "clock_resolution_seconds",
        "locale",
        "time_zone",
        "seed",
        "error_detail",
        "on_limit",
        "on_call",
        "on_result",
        "call_limits",
        "audit",
        "record",
        "remote",
        "testing",
        "typescript",
    ]
    assert {parameter.kind for parameter in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("name", _SAME)
def test_the_faces_have_the_same_methods(name: str) -> None:
    blocking, asynchronous = getattr(Sandbox, name), getattr(AsyncSandbox, name)
    assert isinstance(blocking, property) == isinstance(asynchronous, property)
    if not isinstance(blocking, property):
        assert inspect.signature(blocking).parameters == inspect.signature(asynchronous).parameters
        is_same = inspect.signature(blocking) == inspect.signature(asynchronous)
        assert is_same == (name != "stream")  # which gives an iterator of each face's kind
        waits = name not in ("function", "interrupt", "limit_heap", "restore", "record", "stream")
        assert inspect.iscoroutinefunction(asynchronous) == waits
        assert not inspect.iscoroutinefunction(blocking)


def test_they_differ_in_how_they_end_only() -> None:
    def public(face: type) -> set[str]:
        return {name for name in dir(face) if not name.startswith("_")}

    assert public(Sandbox) - public(AsyncSandbox) == {"close"}
    assert public(AsyncSandbox) - public(Sandbox) == {"aclose", "asgi"}  # an application blocks nobody
    assert public(Sandbox) - {"close"} == set(_SAME)


@pytest.mark.parametrize("face", [Sandbox, AsyncSandbox])
def test_help_is_readable(face: type) -> None:
    text = pydoc.plain(pydoc.render_doc(face))
    for expected in ("limits: ", "functions: ", "Its budgets", "eval(", "Raises:", "with "):
        assert expected in text
    assert "**options" not in text.partition("Methods defined here")[0]  # the constructor's are all named


@pytest.mark.parametrize("face", [Sandbox, AsyncSandbox])
def test_an_option_that_does_not_exist(face: Any) -> None:
    told = r"^Sandbox\(\) got an unexpected keyword argument 'memory'"
    with pytest.raises(TypeError, match=told):
        face(memory=5)
    with Sandbox() as box:
        snapshot = box.snapshot()
    with pytest.raises(TypeError, match=told):
        face.restore(snapshot, memory=5)
    with pytest.raises(TypeError, match=told):
        sandbox.Pool(size=1, memory=5)  # type: ignore[call-arg]


def test_what_hands_options_on_takes_those_of_the_constructor() -> None:
    """The same names and types, and for those that are not given the same values."""
    declared = {name: type_.__forward_arg__ for name, type_ in SandboxOptions.__annotations__.items()}
    parameters = inspect.signature(Sandbox).parameters
    assert declared == {name: parameter.annotation for name, parameter in parameters.items()}
    assert {field.name: (field.type, field.default) for field in fields(Options)} == {
        name: (parameter.annotation, parameter.default) for name, parameter in parameters.items()
    }
    for taker in (Sandbox.restore, AsyncSandbox.restore, sandbox.set_default_options):
        assert inspect.signature(taker).parameters["options"].annotation == "Unpack[SandboxOptions]"


@pytest.mark.parametrize("name", errors.__all__)
def test_errors_can_be_pickled(name: str) -> None:
    kind = getattr(errors, name)
    arguments: dict[str, tuple[Any, ...]] = {"Frame": ("f", "a.js", 1, 2), "ConversionError": ("$", "no")}
    if name.startswith("Capability") or name == "HostCallFailed":
        arguments[name] = ("op", "why")
    elif issubclass(kind, errors.LimitExceeded):
        arguments[name] = (5, 6)
    elif name == "ReplayDiverged":
        arguments[name] = (5, "this", "did that", "at f (a.js:1:2)")
    error = kind(*arguments.get(name, ()))
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)


def test_the_event_loop_library_is_loaded_when_it_is_needed_only() -> None:
    program = (
        "import sys, sandbox; sandbox.Sandbox().eval('1');"
        "assert not {'anyio', 'asyncio', 'trio', 'typer', 'rich'} & set(sys.modules), sorted(sys.modules);"
        "sandbox.AsyncSandbox; assert 'anyio' in sys.modules and 'trio' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_what_takes_long_to_import_is_not_part_of_a_first_result() -> None:
    """Each of these is a tenth of the time that it takes, or more; only what needs one may bring it."""
    program = (
        "import sys, sandbox; sandbox.eval('1');"
        "late = {'ast', 'dataclasses', 'decimal', 'inspect', 'json', 'random', 'tempfile', 'uuid', 'wasmtime'};"
        "assert not late & set(sys.modules), sorted(late & set(sys.modules))"
    )
    subprocess.run([sys.executable, "-I", "-c", program], check=True, timeout=30)


def test_what_a_first_result_does_without_is_not_imported_for_it() -> None:
    """Many small modules are as slow as a large one."""
    late = {
        "_blobs": "long messages",
        "_brief": "errors",
        "_causes": "errors in a terminal",
        "_checkpoint": "sandboxes that are set back",
        "_decode": "what is no plain data",
        "_default": "programs that make their sandboxes",
        "_detached": "pauses",
        "_encode": "what is no plain data",
        "_epochs": "limits of time in place of fuel",
        "_globals": "programs that ask for it",
        "_hints": "errors",
        "_iterators": "iterators of Python",
        "_layers": "snapshots",
        "_memory_copy": "snapshots",
        "_observer": "hooks",
        "_pages": "second sandboxes",
        "_pristine": "second sandboxes",
        "_weights": "programs that ask for something",
        "calls": "hooks",
        "capabilities.crypto": "programs that ask for it",
        "capabilities.fetch": "likewise",
        "capabilities.files": "likewise",
        "capabilities.intl": "likewise",
        "capabilities.modules": "likewise",
        "capabilities.random": "likewise",
        "capabilities.serve": "likewise",
        "capabilities.timers": "likewise",
        "capabilities.websocket": "likewise",
        "exposure": "functions",
        "fetch": "programs that are granted it",
        "modules": "likewise",
        "websocket": "likewise",
        "stream": "streams",
    }
    program = (
        "import sys; from sandbox import Sandbox; Sandbox().eval('1');"
        f"early = [name for name in {[*late]} if 'sandbox.' + name in sys.modules];"
        "assert not early, early"
    )
    subprocess.run([sys.executable, "-I", "-c", program], check=True, timeout=30)


def test_the_package_is_typed() -> None:
    from importlib.resources import files

    assert files(sandbox).joinpath("py.typed").is_file()


async def _types_of_the_asynchronous_face() -> None:
    """Looked at by the type checker; never run."""
    async with AsyncSandbox(limits=Limits(), functions={"f": len}, clock="virtual", seed=1) as box:
        assert_type(box, AsyncSandbox)
        assert_type(box.globals, AsyncGlobals)
        assert_type(await box.globals.keys(), list[str])
        assert_type(await box.run_until_idle(), None)

        @box.function
        def typed(a: int) -> str:
            return str(a)

        assert_type(typed(1), str)


def test_types() -> None:
    with Sandbox(limits=Limits(), functions={"f": len}, globals={"x": 1}, clock="virtual", seed=1) as box:
        assert_type(box, Sandbox)
        assert_type(box.globals, Globals)
        assert_type(box.usage, Usage)
        assert_type(box.limits, Limits)
        assert_type(box.closed, bool)

        @box.function
        def typed(a: int) -> str:
            return str(a)

        @box.function(name="other")
        async def later(a: int) -> str:
            return str(a)

        assert_type(typed(1), str)
        assert typed(1) == "1"
        assert inspect.iscoroutinefunction(later)
        function = box.eval("() => 1")
        assert isinstance(function, JSFunction)
        assert_type(function, JSFunction)
