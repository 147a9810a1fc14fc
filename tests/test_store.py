"""Stores that serve one sandbox after the other: nothing of the first may be there for the second."""

from __future__ import annotations

import ctypes
import gc
import os
import struct
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from sandbox import Sandbox, _epochs, _pages, _pristine, _store
from sandbox._events import Crashed
from sandbox._store import Store
from sandbox.errors import MemoryLimitExceeded, SandboxError
from sandbox.limits import Metering
from tests.bare_guest import Bare
from tests.child import in_child

SECRET = "tenant-a-5f1c9e"

_probe = ctypes.create_string_buffer(1)
ABLE = _pages.written(0, 4096) is not None
reuse = pytest.mark.skipif(not ABLE, reason="this kernel does not tell which pages were written")


both = pytest.mark.parametrize("metering", get_args(Metering))


@pytest.fixture
def metering() -> Metering:
    """Of the stores that a test looks at, unless it looks at `both` kinds."""
    return "fuel"


@pytest.fixture(autouse=True, scope="module")
def learnt() -> None:
    """Some sandboxes of either kind have gone before: stores are kept once it is certain that they can be wiped."""
    for metering in get_args(Metering):
        for _ in range(3):
            with Bare(metering=metering) as bare:
                bare.eval("0")


@pytest.fixture(autouse=True)
def shelf(metering: Metering, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Store]]:
    """The shelf of one kind; all are empty before and after. Guests are stopped softly, however busy the machine is."""
    monkeypatch.setattr(_epochs, "GRACE_SECONDS", 20.0)
    _clear_shelves()
    yield _store._shelves[metering].stores
    _clear_shelves()


def _clear_shelves() -> None:
    for shelf in _store._shelves.values():
        while shelf.stores:
            shelf.stores.pop().delete()


def content(store: Store) -> bytes:
    return ctypes.string_at(store.base, store.memory_bytes())


def fresh_content(metering: Metering) -> bytes:
    """The memory of an instance in which nothing ever ran."""
    with Bare(metering=metering) as bare:
        image = bare.guest.instance.image
    _clear_shelves()
    store = Store(image, 64 << 20)
    try:
        return content(store)
    finally:
        store.delete()


PROGRAMS = {
    "nothing": "0",
    "globals": f"globalThis.secret = '{SECRET}'; var copies = Array.from({{length: 500}}, (_, i) => secret + i); 0",
    "prototypes": f"Array.prototype.secret = Object.prototype.secret = '{SECRET}'; Promise.prototype.then = null; 0",
    "intrinsics": "for (const n of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[n] } catch {} 0",
    "heap": f"globalThis.a = []; for (let i = 0; i < 3000; i++) a.push({{secret: '{SECRET}' + i}}); 0",
    "freed heap": f"(() => {{ const a = []; for (let i = 0; i < 3000; i++) a.push('{SECRET}' + i) }})(); 0",
    "buffers": f"globalThis.b = new TextEncoder().encode('{SECRET}'.repeat(5000)); 0",
    "the stack": f"(function f(n) {{ const s = '{SECRET}' + n; return n ? f(n - 1) + s : s }})(1000); 0",
    "names": f"globalThis.o = {{}}; for (let i = 0; i < 2000; i++) o['{SECRET}' + i] = Symbol('{SECRET}'); 0",
    "a result": f"Array.from({{length: 1000}}, () => '{SECRET}')",
    "an exception": f"throw new Error('{SECRET}')",
    "rejections": f"for (let i = 0; i < 50; i++) Promise.reject('{SECRET}'); 0",
    "pending work": f"for (let i = 0; i < 50; i++) setTimeout(() => '{SECRET}', 1e6); new Promise(() => {{}})",
    "a stop": "for (;;);",
    "an overflow": "(function f() { f() })()",
    "console": f"for (let i = 0; i < 20; i++) console.log('{SECRET}'.repeat(50)); 0",
}


@reuse
@both
@pytest.mark.parametrize("code", PROGRAMS.values(), ids=PROGRAMS)
def test_a_used_memory_is_pristine_again(shelf: list[Store], metering: Metering, code: str) -> None:
    pristine = fresh_content(metering)
    with Bare(metering=metering) as bare:
        bare.eval(code, cpu_seconds=0.02)
    assert shelf, "the store was not kept"

    assert content(shelf[0]) == pristine
    assert SECRET.encode() not in content(shelf[0])


@reuse
def test_a_used_memory_is_pristine_whatever_its_tenants_wrote_before(shelf: list[Store]) -> None:
    """What was copied where is kept, for the next tenant that writes to the same pages."""
    pristine = fresh_content("fuel")
    for name in ("nothing", "nothing", "globals", "nothing", "a result", "buffers", "buffers"):
        with Bare() as bare:
            bare.eval(PROGRAMS[name])
        assert len(shelf) == 1

    assert content(shelf[0]) == pristine


@reuse
@both
@pytest.mark.parametrize("code", PROGRAMS.values(), ids=PROGRAMS)
def test_the_next_tenant_sees_nothing(shelf: list[Store], metering: Metering, code: str) -> None:
    with Bare(metering=metering) as first:
        first.eval(code, cpu_seconds=0.02)
        address = ctypes.addressof(first.guest.instance.control)
    with Bare(metering=metering) as second:
        assert ctypes.addressof(second.guest.instance.control) == address, "another store"
        assert second.value("typeof secret + typeof a + typeof b + typeof o + typeof copies") == "undefined" * 5
        assert second.value("[].secret ?? 'none'") == "none"
        assert second.value("typeof Promise.prototype.then + typeof JSON") == "functionobject"
        control = second.guest.instance.control
        assert (control.live_handles, control.pending_requests, control.reason, control.interrupt) == (0, 0, 0, 0)
        assert SECRET.encode() not in second.guest.instance.read(0, second.guest.instance.memory_bytes())


@reuse
def test_a_whole_life_twice_is_the_same_life(shelf: list[Store]) -> None:
    """Not only memory starts anew: globals of the module, tables and fuel do not remember either."""
    results = []
    for _ in range(5):
        with Bare() as bare:
            bare.arm(fuel=1 << 30)
            depth = bare.value("let d = 0; (function f() { d++; f() })", fuel=1 << 30) and bare.value(
                "try { (function f() { d++; f() })() } catch {} d", fuel=1 << 30
            )
            results.append((depth, bare.guest.instance.fuel(), bare.value("Math.random()")))
    assert len(set(results)) == 1


@reuse
def test_a_start_writes_to_few_pages(shelf: list[Store], metering: Metering) -> None:
    """Each page that it writes is one to copy, and one to wipe: what takes most of the time of a spawn."""
    with Bare(metering=metering) as bare:
        image = bare.guest.instance.image
    store = Store(image, 64 << 20)
    try:
        store.call("start")  # of a sandbox without locales, from which something is removed
        written = _pages.written(store.base, store.memory_bytes())
    finally:
        store.delete()

    assert sum(end - start for start, end in written or []) <= 24 * 4096


def test_fuel_starts_anew(shelf: list[Store]) -> None:
    with Bare() as first:
        first.value("1")
        first.guest.instance.set_fuel(1)
    with Bare() as second:
        assert second.value("2") == 2


@reuse
def test_seeds_are_those_of_the_new_owner(shelf: list[Store]) -> None:
    numbers = []
    for seed in (7, 8, 7):
        with Bare(seed=seed) as bare:
            numbers.append(bare.value("Math.random()"))

    assert numbers[0] == numbers[2] != numbers[1]


@reuse
@pytest.mark.parametrize(("first", "second"), [(64 << 20, 8 << 20), (8 << 20, 64 << 20)])
def test_limits_are_those_of_the_new_owner(shelf: list[Store], first: int, second: int) -> None:
    code = "const k = []; try { for (;;) k.push(new ArrayBuffer(1 << 18)) } catch {} k.length"
    with Bare(memory_bytes=first) as bare:
        bare.value("1")
    with Bare(memory_bytes=second, max_depth=3, stack_bytes=64 << 10) as bare:
        room = bare.value(code) << 18
        assert second - (7 << 20) < room < second
        assert bare.guest.instance.memory_bytes() <= second
        assert isinstance(bare.error("[[[[[]]]]]"), SandboxError)
        shallow = bare.value(
            "(() => { k.length = 0; let d = 0; try { (function f() { d++; f() })() } catch {} return d })()"
        )
    with Bare(memory_bytes=second) as bare:
        deep = bare.value("let d = 0; try { (function f() { d++; f() })() } catch {} d")

    assert shallow < deep / 4


# --- what is not used again ---


def test_a_grown_memory_is_freed(shelf: list[Store]) -> None:
    with Bare() as bare:
        size = bare.guest.instance.memory_bytes()
        bare.value("globalThis.b = new ArrayBuffer(16 << 20); 0")
        assert bare.guest.instance.memory_bytes() > size

    assert shelf == []


@both
def test_a_trapped_instance_is_freed(shelf: list[Store], metering: Metering) -> None:
    with Bare(metering=metering) as bare:
        bare.arm()
        bare.guest.instance.halt()
        (event,) = bare.guest.eval(1, "1", "main.js")
        assert isinstance(event, Crashed)

    assert shelf == []


def test_a_collected_instance_is_freed(shelf: list[Store]) -> None:
    bare = Bare()
    bare.value("1")
    del bare.guest
    del bare

    assert shelf == []


@reuse
def test_a_finalizer_may_close_a_sandbox_that_is_collected_with_it(shelf: list[Store]) -> None:
    class Owner:
        def __init__(self) -> None:
            self.box = Sandbox()
            self.itself = self

        def __del__(self) -> None:
            self.box.close()

    for _ in range(20):
        owner = Owner()
        owner.box.eval("1")
        del owner
        gc.collect()
        with Sandbox() as box:
            assert box.eval("1 + 1") == 2


def test_only_so_many_are_kept(shelf: list[Store]) -> None:
    guests = [Bare() for _ in range(_store.KEPT_STORES + 4)]
    for bare in guests:
        bare.value("1")
        bare.guest.close()

    assert len(shelf) == _store.KEPT_STORES


@pytest.mark.parametrize("answer", [None, struct.pack("<QQQ", 0, 4096, 0) * 1000])
def test_a_kernel_that_does_not_tell_costs_only_time(
    shelf: list[Store], monkeypatch: pytest.MonkeyPatch, answer: bytes | None
) -> None:
    monkeypatch.setattr(_pages, "scan", lambda base, size: answer)
    with Bare() as bare:
        bare.value(PROGRAMS["heap"])
    assert shelf == []
    with Bare() as bare:
        assert bare.value("typeof a") == "undefined"


def test_a_system_without_the_call_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pages._process, "pagemap", None)

    assert _pages.written(0, 4096) is None


def test_pages_that_cannot_be_populated_cost_only_time(shelf: list[Store], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pages._process, "pidfd", None)
    with Bare() as bare:
        assert bare.value("1 + 1") == 2


@reuse
def test_a_wipe_that_turns_out_wrong_is_never_tried_again(shelf: list[Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the kernel forget a page, the first comparison with the image finds out."""
    monkeypatch.setattr(_store._shelves["fuel"], "pristine", None)
    with Bare() as bare:
        monkeypatch.setattr(_pages, "scan", lambda base, size: b"")
        bare.value(PROGRAMS["globals"])
    monkeypatch.undo()
    assert shelf == []


def test_each_kind_has_a_shelf_of_its_own(shelf: list[Store]) -> None:
    with Bare(metering="clock") as clocked:
        clocked.value("1")
    assert shelf == []
    with Bare() as fuelled:
        fuelled.value("1")
    kinds = {store.image.metering for store in shelf}
    others = {store.image.metering for store in _store._shelves["clock"].stores}

    assert (kinds, others) == (({"fuel"}, {"clock"}) if ABLE else (set(), set()))


def test_no_room_for_an_instance_is_a_clear_error(shelf: list[Store]) -> None:
    with Bare() as bare:
        image = bare.guest.instance.image
    shelf.clear()
    with pytest.raises(SandboxError, match="no room for another sandbox"):
        Store(image, 1 << 16)


def test_no_room_to_compare_with_is_no_failure(shelf: list[Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first memory that is wiped is compared; where that needs more than there is, it is freed instead."""

    def refuse(*_: object) -> bool:
        raise MemoryError

    monkeypatch.setattr(_store._shelves["fuel"], "pristine", None)
    monkeypatch.setattr(_pristine.Pristine, "_is_pristine", refuse)
    with Bare() as bare:
        assert bare.value("1 + 1") == 2
    assert shelf == []
    monkeypatch.undo()
    with Bare() as bare:
        assert bare.value("1 + 1") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
def test_a_process_without_address_space_says_so_and_lives() -> None:
    """Each instance reserves 4 GiB, so a process has room for so many; when one is closed there is room again."""
    finished = run_script(
        """
        import resource
        from pathlib import Path
        from sandbox import Sandbox
        from sandbox.errors import SandboxError

        Sandbox().close()
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (14 << 30),) * 2)
        boxes = []
        try:
            while len(boxes) < 100:
                boxes.append(Sandbox())
        except SandboxError as error:
            print(type(error).__name__, str(error).partition(":")[0])
        for _ in range(3):
            try:
                Sandbox()
            except SandboxError:
                print("refused")
        print(2 <= len(boxes) < 10, {box.eval("1 + 1") for box in boxes})
        boxes.pop().close()
        with Sandbox() as box:
            print(box.eval("'again'"))
        """
    )
    expected = "SandboxError no room for another sandbox in this process\nrefused\nrefused\nrefused\nTrue {2}\nagain\n"
    assert (finished.returncode, finished.stderr, finished.stdout) == (0, "", expected)


def test_a_small_memory_works(shelf: list[Store]) -> None:
    with Bare(memory_bytes=8 << 20) as bare:
        assert bare.value("[1, 2].map(x => x * 2)") == [2, 4]
        assert isinstance(bare.error("new ArrayBuffer(12 << 20)"), MemoryLimitExceeded)


# --- threads, processes ---


def test_threads_that_open_and_close(shelf: list[Store]) -> None:
    seen: list[object] = []
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for turn in range(12):
            with Bare(seed=number + 1) as bare:
                seen.append(bare.value("typeof mine"))
                bare.value(f"globalThis.mine = '{SECRET}-{number}-{turn}'; 0")
                seen.append(bare.value("mine") == f"{SECRET}-{number}-{turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(seen) == {"undefined", True}
    assert len(seen) == 8 * 12 * 2
    for store in shelf:
        assert SECRET.encode() not in content(store)


def test_the_first_sandbox_of_a_process_learns_nothing() -> None:
    """Many processes run one program; what is learnt pays from the second sandbox on."""
    program = """
        from sandbox import Sandbox, _store
        shelf = _store._shelves["fuel"]
        for _ in range(4):
            with Sandbox() as box:
                assert box.eval("(globalThis.seen ?? 0) + 1") == 1
                box.eval("globalThis.seen = 1")
                used = box._driver.guest.instance._store.was_used
            print(shelf.pristine is not None, len(shelf.stores), used)
    """
    assert in_child(program).splitlines() == ["False 0 False", "True 0 False", "True 1 False", "True 1 True"]


def test_the_first_sandbox_of_a_process_has_as_much_fuel() -> None:
    program = """
        from sandbox import Sandbox
        boxes = [Sandbox() for _ in range(3)]
        print(*[box._driver.guest.instance.fuel_left() for box in boxes])
    """
    first, second, third = in_child(program).split()
    assert first == second == third


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_wipes_its_own_memory() -> None:
    finished = run_script(
        f"""
        import os
        from sandbox import _store
        from tests.bare_guest import Bare

        with Bare() as kept:
            kept.value("globalThis.secret = '{SECRET}'; 0")
        alive = Bare()
        alive.value("globalThis.secret = '{SECRET}'; 0")
        child = os.fork()
        # Both go on with the store that waits, and with the guest that lives.
        for _ in range(3):
            with Bare() as bare:
                assert bare.value("typeof secret") == "undefined"
                bare.value("globalThis.secret = '{SECRET}'; 0")
        assert alive.value("secret") == "{SECRET}"
        alive.guest.close()
        if child:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        """
    )
    assert (finished.returncode, finished.stderr) == (0, "")


def test_the_end_of_the_interpreter_is_quiet() -> None:
    finished = run_script(
        """
        import builtins
        from tests.bare_guest import Bare

        closed = Bare()
        closed.value("1")
        closed.guest.close()
        builtins.kept = Bare()
        kept.value("globalThis.f = () => 1; f")
        cycle = [Bare()]
        cycle.append(cycle)
        """
    )
    assert (finished.returncode, finished.stderr) == (0, "")


def run_script(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@reuse
def test_a_snapshot_is_free_of_what_others_have_written(shelf: list[Store]) -> None:
    with Sandbox() as box:
        box.eval("globalThis.theirs = new Uint8Array(300_000).fill(7); 0")
    assert shelf, "the store was not kept"

    with Sandbox() as box:
        box.eval("globalThis.mine = Array.from({length: 100}, (_, i) => 'x'.repeat(i))")
        store = box._driver.guest.instance._store
        assert store is not None
        assert store.was_used
        present = sum(end - start for start, end in _store.changed(store))
        snapshot = box.snapshot()

    assert sum(len(data) for _, data in snapshot.memory(store.image, 1 << 30).parts) < present - 250_000
    for _ in range(3):  # written, and then mapped
        with Sandbox.restore(snapshot) as box:
            assert box.eval("mine.join('').length + (globalThis.theirs ?? '')") == "4950"
