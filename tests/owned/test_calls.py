"""Calls of the host by a guest that makes up ops, arguments and moments: what was not granted is not called."""

from __future__ import annotations

import functools
import gc
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from sandbox import JSFunction, Limits, Sandbox, expose
from sandbox._abi import CAP_REENTRY, Op, Status, Tag
from sandbox._callables import HostOperation
from sandbox.errors import EngineCrashed, LimitExceeded, SandboxBusy, SandboxError
from tests.fake_owner import ext, packed
from tests.owned.attacks import TIGHT, attack, breaks, check_poisoned, outcome, resident_bytes
from tests.owned.evil import FREE, INBOX, RUN, STATUS, Script

REPLIES = FREE + 0x8000


def reply_of(box: Sandbox, op: int, message: bytes = b"\0\x90") -> tuple[int, bytes]:
    """The status and the first bytes that the guest gets from a call."""
    script = Script().fill(INBOX, 0, 400).call(op, message).copy(REPLIES, STATUS, 4).copy(REPLIES + 4, INBOX, 400)
    assert outcome(box, script.finish(b"\0\x01")) == 1
    seen = bytes(box._driver.guest.instance.read(REPLIES, 404))
    return int.from_bytes(seen[:4], "little"), seen[4:].rstrip(b"\0")


class Bank:
    """An object of the embedder's, of which one method is exposed."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    @expose
    def look(self) -> int:
        self.calls.append("look")
        return 5

    def rob(self) -> None:
        self.calls.append("rob")


@pytest.mark.parametrize("key", [b"", b"x" * 100, 5, None, {}])
@pytest.mark.parametrize("op", [Op.CRYPTO_ENCRYPT, Op.CRYPTO_EXPORT])
def test_keys_that_are_made_up(op: int, key: object) -> None:
    arguments = ["raw", key] if op is Op.CRYPTO_EXPORT else [{"name": "AES-GCM", "iv": b""}, key, b""]
    reason = breaks(Script().call(op, b"\0" + packed(arguments)).finish())
    assert reason.startswith("malformed arguments of crypto.")


def test_every_op_there_is_and_is_not() -> None:
    calls: list[str] = []

    def plain(*_: object) -> None:
        calls.append("plain")

    async def later(*_: object) -> None:
        calls.append("later")

    bank = Bank()
    options: dict[str, Any] = {"functions": {"f": plain, "g": later}, "globals": {"bank": bank}}
    with Sandbox(limits=Limits(memory_bytes=16 << 20, fuel=1 << 32), **options) as box:
        outcome(box, Script().finish())
        bound = box._driver._operations.bound()
        ops = [*range(600), 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FF00]
        quiet = (Op.POLL, Op.CONSOLE_WRITE, Op.SERVE_RESPOND, Op.SERVE_CLOSE)  # nonsense there poisons
        answered = [op for op in ops if op not in quiet and reply_of(box, op)[0] == Status.OK]
        assert outcome(box, Script().finish(b"\0\x01")) == 1

    assert calls == ["plain"]
    assert bank.calls == ["look"]
    assert len(answered) <= bound + len((Op.INTL_DEFAULTS, Op.CRYPTO_AVAILABLE, Op.FILES_GRANTED))


@pytest.mark.parametrize("op", [Op.CONSOLE_WRITE, Op.WEBSOCKET_SEND, Op.WEBSOCKET_DROP])
def test_what_has_no_answer_cannot_be_called(op: int) -> None:
    """What is left to do after the turn is nothing that the guest could get."""
    with Sandbox(limits=TIGHT, websocket=lambda _url, _protocols: None) as box:
        box.eval("new Promise(done => { new WebSocket('ws://a.test/').onclose = done })")
        assert reply_of(box, op, b"\0\x91\x01")[0] == Status.FAILED
        assert box._driver._operations.bound() == 0


def test_the_guest_is_told_nothing_of_the_host() -> None:
    def fail(one: object) -> None:
        raise OSError(2, "No such file", "/srv/secret")

    with Sandbox(limits=TIGHT, functions={"fail": fail}) as box:
        for op in (9999, 0xFFFF_FFFF, 256, Op.TIMERS_SLEEP, Op.FINISH):
            for message in (b"\0\x90", b"\0\x91\x01", b"\0\x93\x01\x02\x03"):
                status, reply = reply_of(box, op, message)
                assert status == Status.FAILED
                assert not any(word in reply for word in (b"/", b"Traceback", b"0x", b".py", b"sandbox."))


def test_a_function_that_was_let_go_stays_away() -> None:
    calls: list[str] = []
    with Sandbox(limits=TIGHT, functions={"f": lambda: calls.append("f")}) as box:
        release = Script().frames(
            (Op.RELEASE, 256, b""), (Op.RELEASE, 256, b""), (Op.RELEASE, 256, b""), (Op.FINISH, RUN, b"\0\x01")
        )
        assert outcome(box, release) == 1
        assert reply_of(box, 256)[0] == Status.FAILED
        box.globals["g"] = lambda: calls.append("g")
        assert reply_of(box, 256)[0] == Status.FAILED  # its number is not given to another one
        assert calls == []
        assert reply_of(box, 257)[0] == Status.OK
        assert calls == ["g"]


@pytest.mark.parametrize("op", [Op.CONSOLE_WRITE, Op.RANDOM_FILL, Op.TIMERS_SLEEP, Op.MODULES_RESOLVE])
def test_capabilities_cannot_be_let_go(op: int) -> None:
    with Sandbox(limits=TIGHT) as box:
        outcome(box, Script().frames(*[(Op.RELEASE, op, b"")] * 3, (Op.FINISH, RUN, b"\0\x01")))
        box.globals["f"] = lambda: None
        operation = box._driver._operations.get(op)
        assert operation is not None
        assert not isinstance(operation, HostOperation)


def test_functions_that_are_never_let_go_have_an_end() -> None:
    with Sandbox(limits=Limits(memory_bytes=16 << 20, handles=50)) as box:
        with pytest.raises(SandboxError, match="handles limit"):
            for number in range(60):
                box.globals["f"] = lambda number=number: number
        assert box._driver._operations.bound() == 50


# --- arguments of the capabilities ---


ARGUMENTS: dict[str, tuple[int, list[object]]] = {
    "bytes, less than none": (Op.RANDOM_FILL, [-1]),
    "bytes beyond the quota": (Op.RANDOM_FILL, [65_537]),
    "2^53 bytes": (Op.RANDOM_FILL, [2**53]),
    "a fraction of a byte": (Op.RANDOM_FILL, [1.5]),
    "no number of bytes": (Op.RANDOM_FILL, [float("nan")]),
    "true bytes": (Op.RANDOM_FILL, [True]),
    "text bytes": (Op.RANDOM_FILL, ["16"]),
    "bytes of nothing": (Op.RANDOM_FILL, []),
    "bytes and more": (Op.RANDOM_FILL, [1, 2, 3]),
    "a module of no name": (Op.MODULES_RESOLVE, [5, "a", None, "import"]),
    "a module from nowhere": (Op.MODULES_RESOLVE, ["a", None, None, "import"]),
    "a module from no directory": (Op.MODULES_RESOLVE, ["a", "a", 5, "import"]),
    "a module on no condition": (Op.MODULES_RESOLVE, ["a", "a", None, "browser"]),
    "a module on odd conditions": (Op.MODULES_RESOLVE, ["a", "a", None, ["import"]]),
    "a module of no kind": (Op.MODULES_LOAD, ["a", "a", None, "import", "wasm", True]),
    "a module of an odd kind": (Op.MODULES_LOAD, ["a", "a", None, "import", {}, True]),
    "a module of lists": (Op.MODULES_LOAD, [[], [], [], [], [], []]),
    "too little of a module": (Op.MODULES_RESOLVE, ["a"]),
}


@pytest.mark.parametrize(("op", "arguments"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_odd_arguments_are_an_error_of_the_guest(op: int, arguments: list[object]) -> None:
    with Sandbox(limits=TIGHT, modules={"a": "export default 1"}) as box:
        status, reply = reply_of(box, op, b"\0" + packed(arguments))
        assert status == Status.FAILED
        assert b"/" not in reply


DUE = [float("nan"), float("inf"), float("-inf"), "5", True, None, [1], {"a": 1}, 2**63, -(2**63), 1e308, -5]


@pytest.mark.parametrize("clock", ["real", "virtual"])
@pytest.mark.parametrize("due", DUE, ids=repr)
def test_timers_of_any_kind_come_or_fail_or_last_as_long_as_the_run(due: object, clock: Any) -> None:
    settled = Script(FREE + 0x1000).frames((Op.FINISH, 1, b"\0\x05"))
    script = Script().install("settle", settled).frames((Op.TIMERS_SLEEP, 1, b"\0" + packed([due])))

    result = attack(script, Limits(memory_bytes=16 << 20, wall_seconds=0.2), clock=clock)

    assert result == 5 or isinstance(result, LimitExceeded)


@pytest.mark.parametrize("number", [0, 1, -1, 2**53, True, "1", None, [1]])
def test_sources_that_were_never_begun(number: object) -> None:
    settled = Script(FREE + 0x1000).frames((Op.FINISH, 1, b"\0\x05"))
    script = Script().install("settle", settled).frames((Op.MODULES_FETCH, 1, b"\0" + packed([number])))

    assert attack(script, modules={"a": "1"}) == 5


def test_sources_that_are_begun_and_never_asked_for() -> None:
    async def load(specifier: str, importer: object) -> str:
        return specifier

    script = Script()
    with script.times(500):
        script.call(Op.MODULES_LOAD, b"\0" + packed(["a", "a", None, "import", "", True]))

    with Sandbox(limits=TIGHT, modules=load) as box:
        assert outcome(box, script.finish(b"\0\x01")) == 1


def test_sources_that_nobody_asks_for_end_with_their_sandbox() -> None:
    class Host:
        """What holds its sandbox, and is held by what it is asked for."""

        def __init__(self) -> None:
            self.box = Sandbox(limits=TIGHT, modules=self.load)

        def load(self, *_: object) -> Awaitable[str]:
            return self.source()

        async def source(self) -> str:
            return "1"

    script = Script().call(Op.MODULES_LOAD, b"\0" + packed(["a", "a", None, "import", "", True]))
    for closes in (True, False):
        host = Host()
        assert outcome(host.box, script.finish(b"\0\x01")) == 1
        if closes:
            host.box.close()
        del host
        gc.collect()


# --- what is called back ---


def test_calls_inside_calls_have_an_end() -> None:
    """The guest's function calls the host's, which calls the guest's, whatever the guest thinks of it."""
    depths: list[int] = []
    refusals: list[BaseException] = []

    def back(function: JSFunction) -> None:
        depths.append(box._driver.guest.instance.depth)
        try:
            function()
        except SandboxBusy as error:
            refusals.append(error)
            raise

    handle = b"\0\x91" + ext(Tag.FUNCTION, packed([7, "f"]))
    with Sandbox(limits=TIGHT, functions={"back": back}) as box:
        called = Script(FREE + 0x1000)
        called._free = FREE + 0x4000
        script = Script().install("call", called.call(256, handle).finish()).call(256, handle)
        assert outcome(box, script.frames((Op.FINISH, 2, b"\0\x01"))) == 1

    assert max(depths) == CAP_REENTRY + 1
    assert "too deeply" in str(refusals[0])


def test_a_trap_below_a_host_function_ends_what_is_above() -> None:
    calls: list[str] = []

    def back(function: JSFunction) -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - an embedder's mistake
            calls.append(type(error).__name__)

    handle = b"\0\x91" + ext(Tag.FUNCTION, packed([7, "f"]))
    functions: dict[str, Callable[..., Any]] = {"back": back, "after": lambda: calls.append("after")}
    with Sandbox(limits=TIGHT, functions=functions) as box:
        script = Script().install("call", Script(FREE + 0x1000).trap()).call(256, handle).call(257).finish()
        assert isinstance(outcome(box, script), EngineCrashed)
        check_poisoned(box)
    assert calls == ["EngineCrashed"]


GOES_ON = {
    "calls": Script().call(256).call(256).jump(0),
    "returns": Script().call(256).finish(),
    "returns nonsense": Script().call(256).outbox(0, 0xFFFF_FFFF),
    "returns an odd status": Script().call(256).give(77),
    "traps": Script().call(256).trap(),
    "spins": Script().call(256).spin(),
}


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("script", GOES_ON.values(), ids=GOES_ON)
def test_what_ends_the_process_is_not_kept_from_it(stop: type[BaseException], script: Script) -> None:
    """Whatever a guest does that was told to stop; it calls nothing more."""
    calls: list[int] = []

    def end() -> None:
        calls.append(1)
        raise stop

    with Sandbox(limits=TIGHT, functions={"end": end}) as box:
        with pytest.raises(stop):
            box.eval(str(script))
        assert box._driver.guest.instance.pending is None
    assert calls == [1]


def test_another_sandbox_that_is_broken_is_not_this_one() -> None:
    """A host function of one sandbox uses another one, whose guest breaks the ABI."""
    bad = str(Script().outbox(0, 0xFFFF_FFFF))
    with Sandbox(limits=TIGHT) as other, Sandbox(limits=TIGHT, functions={"f": lambda: other.eval(bad)}) as box:
        assert reply_of(box, 256)[0] == Status.FAILED
        assert outcome(box, Script().finish(b"\0\x01")) == 1
        check_poisoned(other)


# --- requests ---


def test_a_coroutine_is_run_once_for_each_request() -> None:
    running: list[int] = []

    async def later(number: int) -> int:
        running.append(number)
        return number

    settled = Script(FREE + 0x1000)
    frames = [(256, number, b"\0" + packed([number])) for number in range(1, 6)]
    script = Script().install("settle", settled.frames((Op.FINISH, 2, b"\0\x05"))).frames(*frames)
    with Sandbox(limits=TIGHT, functions={"g": later}) as box:
        assert outcome(box, script) == 5
        box.run_until_idle()
    assert sorted(running) == [1, 2, 3, 4, 5]


def test_a_number_may_be_used_again_when_it_was_answered() -> None:
    """As an honest guest may after four billion requests."""
    with Sandbox(limits=TIGHT, clock="virtual") as box:
        request = Script().frames((Op.TIMERS_SLEEP, 7, b"\0\x91\x01"), (Op.FINISH, RUN, b"\0\x01"))
        request.install("settle", Script(FREE + 0x1000).control(outbox_bytes=0))
        for _ in range(3):
            assert outcome(box, request) == 1
            box.run_until_idle()


def test_iterators_and_streams_of_the_host_take_odd_questions() -> None:
    def numbers() -> Iterator[int]:
        yield 1

    with Sandbox(limits=TIGHT, globals={"numbers": numbers()}) as box:
        for arguments in ([], [1], ["next"], ["__next__", None], [["next"], None], ["next", None, None], [None, None]):
            assert reply_of(box, 256, b"\0" + packed(arguments))[0] == Status.FAILED
        assert reply_of(box, 256, b"\0" + packed(["next", None]))[0] == Status.OK


# --- the native stack ---


def test_deep_inside_the_guest_there_is_stack_left_for_the_host() -> None:
    """As deep as wasmtime lets it, the guest calls the host, whose function uses what stack Python ever does."""

    def deep() -> int:
        nested: list[Any] = []
        for _ in range(600):
            nested = [nested]
        return len(repr(nested))

    with Sandbox(limits=Limits(memory_bytes=16 << 20, fuel=1 << 34), functions={"deep": deep}) as box:
        assert outcome(box, Script().dive(1000).call(256).finish(b"\0\x01")) == 1
    frames = 1000
    deepest = 0
    while frames < 1 << 21:
        with Sandbox(limits=Limits(memory_bytes=16 << 20, fuel=1 << 34), functions={"deep": deep}) as box:
            result = outcome(box, Script().dive(frames).call(256).finish(b"\0\x01"))
            assert result == 1 or isinstance(result, SandboxError)
            deepest = max(deepest, frames if result == 1 else 0)
        frames += frames // 8
    assert deepest > 10_000


# --- neighbours ---


def test_neighbours_on_other_threads_notice_nothing() -> None:
    attacks = [
        Script().outbox(0, 0xFFFF_FFFF),
        Script().call(256, address=0xFFFF_FFF0, length=64),
        Script().trap(),
        Script().dive(),
        Script().control(reason=99).finish(),
        Script().frames((Op.FINISH, RUN, b"\0\xc1")),
        Script().control(inbox=0xFFFF_FFF0).call(Op.RANDOM_FILL, b"\0\x91\x10"),
    ]
    wrong: list[object] = []
    before = resident_bytes()

    def neighbour(number: int) -> None:
        with Sandbox(limits=TIGHT, functions={"f": lambda: number}) as box:
            for _ in range(150):
                result = outcome(
                    box, Script().poke(FREE, bytes([number])).call(256).copy(FREE + 1, FREE, 1).finish(b"\0\x07")
                )
                if result != 7:
                    wrong.append(result)

    def attacker() -> None:
        for turn in range(60):
            result = attack(attacks[turn % len(attacks)], functions={"f": lambda: wrong.append("called")})
            if not isinstance(result, SandboxError):
                wrong.append(result)

    threads = [threading.Thread(target=neighbour, args=(n,)) for n in (1, 2)] + [
        threading.Thread(target=attacker) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert resident_bytes() - before < 64 << 20


def test_numbers_of_another_sandbox_mean_nothing() -> None:
    calls: list[str] = []
    functions = {name: functools.partial(calls.append, name) for name in ("a", "b", "c")}
    with Sandbox(limits=TIGHT, functions=functions) as first, Sandbox(limits=TIGHT) as second:
        outcome(first, Script().finish())
        for op in range(256, 262):
            assert reply_of(second, op)[0] == Status.FAILED
        assert "ABI" not in str(outcome(second, Script().frames((Op.CANCEL, 1, b""), (Op.FINISH, RUN, b"\0\x01"))))
        assert reply_of(first, 257)[0] == Status.OK
    assert calls == ["b"]
