"""A pool: at most so many sandboxes at one time, each used once, ready when they are wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Self, Unpack, cast

from sandbox import _forks, _interrupts, _threads
from sandbox._holds import LONGEST_WAIT_SECONDS
from sandbox._records import record
from sandbox._sandbox import Sandbox
from sandbox.errors import SandboxBusy, SandboxClosed, UsageError
from sandbox.pool.admission import Admission, Ticket
from sandbox.pool.stock import Stock
from sandbox.pool.template import Template

if TYPE_CHECKING:
    from sandbox._async_sandbox import AsyncSandbox
    from sandbox._face import Face
    from sandbox.pool.template import Setup, TemplateOptions

_WARM: Final = 4
_WAIT_SECONDS: Final = 30.0
# How long another thread's run may take to notice that it was interrupted.
_END_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.002
_DEFAULT: Final = -1.0


@record(frozen=True, slots=True)
class PoolStats:
    """What a pool is doing, and has done: an unchanging record.

    Attributes:
        size: How many sandboxes may be in use at one time.
        in_use: How many are.
        waiting: How many wait for one.
        warm: How many are ready.
        made: How many were made so far.
        taken: How often one was taken.
        ready: Of these, how often it had been made before; the others were made for the taker.
        poisoned: How many were given back unusable.
        waited: How often somebody had to wait and got one.
        wait_seconds: How long these waited together.
        longest_wait_seconds: The longest of these waits.
        refused: How many were sent away because as many waited as may.
        timed_out: How many gave up because their time was over.
        cancelled: How many were cancelled while they waited, or interrupted.
    """

    size: int
    in_use: int
    waiting: int
    warm: int
    made: int
    taken: int
    ready: int
    poisoned: int
    waited: int
    wait_seconds: float
    longest_wait_seconds: float
    refused: int
    timed_out: int
    cancelled: int


class Pool:
    """Sandboxes for many short uses: bounded in number, first come, first served, ready when they are wanted.

        pool = Pool("const double = n => 2 * n", size=8)
        with pool.take() as box:
            box.call("double", 21)

    Each sandbox is used once. What is given back is closed, and another one begins with the template's memory: nothing
    that a program has done, not even one that owns its engine, reaches the next use. So there is nothing to clean up,
    and a sandbox that was poisoned, has reached a limit or was closed is no special case.

    Any thread may use a pool, and any event loop, of asyncio or trio, all at the same time. After a fork the child has
    a pool of its own, in which only the forking thread keeps what it has taken.
    """

    def __init__(
        self,
        template: Template | Setup | None = None,
        *,
        size: int,
        warm: int | None = None,
        max_waiting: int | None = None,
        timeout: float | None = _WAIT_SECONDS,
        **options: Unpack[TemplateOptions],
    ) -> None:
        """Make a pool; the first sandbox is made when it is taken.

        Args:
            template: What the sandboxes begin with, or the `setup` of a `Template`.
            size: How many may be in use at one time; together they may take as often their `memory_bytes`.
            warm: How many more are kept ready, of each face that is used; a thread makes them. None: as many as `size`,
                at most 4. 0: each is made when it is taken.
            max_waiting: How many may wait for one; who comes then is refused. None: any number.
            timeout: How long one waits, in seconds; None: without end.
            **options: Those of the template, where none is given.

        Raises:
            TypeError: An argument has the wrong type, or there are options beside a `Template`.
            ValueError: `size` is not positive, or another number is negative.
            BaseException: As the constructor of `Template`.
        """
        _check_count("size", size, 1)
        _check_count("warm", 0 if warm is None else warm, 0)
        _check_count("max_waiting", 0 if max_waiting is None else max_waiting, 0)
        _check_seconds(timeout)
        if isinstance(template, Template) and options:
            raise TypeError(f"the options are the template's; it was given without {', '.join(sorted(options))}")
        self._template = template if isinstance(template, Template) else Template(template, **options)
        self._timeout = timeout
        self._admission = Admission(size, max_waiting)
        self._stock = Stock(self._template, min(size, _WARM) if warm is None else warm)
        self._ready = self._poisoned = 0
        self._lock = threading.RLock()
        _forks.watch(self)

    @property
    def template(self) -> Template:
        """What the sandboxes begin with."""
        return self._template

    @property
    def closed(self) -> bool:
        """Whether the pool was closed."""
        return self._admission.is_closed

    def take(self, *, timeout: float | None = _DEFAULT) -> Loan:
        """A sandbox for the length of a block: a `Sandbox` in `with`, an `AsyncSandbox` in `async with`.

        It is given back when the block ends, and closed; whatever still runs in it then is interrupted. Entering the
        block waits if need be: first come, first served, whichever face.

        Args:
            timeout: How long to wait, in seconds; None: without end. By default the pool's.

        Returns:
            The context manager, to be entered once, which raises:

            - `PoolTimeout`: No sandbox came free in time.
            - `PoolFull`: As many wait as may.
            - `SandboxClosed`: The pool is closed, or was closed meanwhile.
            - `SandboxBusy`: It would have to wait on the thread that answers asynchronous host functions.
            - `BaseException`: As the constructor of `Sandbox`.

        Raises:
            TypeError: `timeout` is no number.
            ValueError: It is negative.
        """
        if timeout is not _DEFAULT:
            _check_seconds(timeout)
        return Loan(self, self._timeout if timeout is _DEFAULT else timeout)

    def stats(self) -> PoolStats:
        """What the pool is doing, and has done. Any thread."""
        admission, counts = self._admission, self._admission.counts()
        return PoolStats(
            size=admission.size,
            in_use=admission.in_use(),
            waiting=admission.waiting(),
            warm=len(self._stock),
            made=self._stock.made,
            taken=counts.taken,
            ready=self._ready,
            poisoned=self._poisoned,
            waited=counts.waited,
            wait_seconds=counts.wait_seconds,
            longest_wait_seconds=counts.longest_wait_seconds,
            refused=counts.refused,
            timed_out=counts.timed_out,
            cancelled=counts.cancelled,
        )

    def close(self) -> None:
        """Close the sandboxes that are ready, and give out no more; idempotent, any thread, it does not wait.

        Who waits gets `SandboxClosed`. Who has a sandbox keeps it to the end of the block.
        """
        self._admission.close()
        self._stock.close()

    def __enter__(self) -> Self:
        if self.closed:
            raise SandboxClosed("the pool is closed")
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        admission = self._admission
        state = "closed" if self.closed else f"{admission.in_use()} of {admission.size} in use"
        return f"<Pool {state}, {admission.waiting()} waiting>"

    def after_fork(self) -> None:
        """See `_forks.Runner`."""
        self._lock = threading.RLock()
        self._admission.after_fork()
        self._stock.after_fork()

    # --- what those who take one use ---

    def _wait(self, owner: object, timeout: float | None) -> Ticket:
        """Wait for a place, on this thread."""
        queue: SimpleQueue[None] = SimpleQueue()

        def wake() -> None:
            queue.put(None)

        with _interrupts.Deferral(wake):
            ticket = self._admission.enter(wake, threading.get_ident(), owner)
            try:
                while ticket.phase == "waiting":
                    if _threads.is_loop_thread():
                        raise SandboxBusy("on the loop of asynchronous host functions nobody can wait for a sandbox")
                    left = None if timeout is None else ticket.began + timeout - time.monotonic()
                    if left is not None and left <= 0:
                        self._admission.give_up(ticket, timeout)
                    try:
                        queue.get(timeout=None if left is None else min(left, LONGEST_WAIT_SECONDS))
                    except Empty:
                        continue
                    _interrupts.deliver()
                self._admission.check(ticket)
            except BaseException:
                self._admission.leave(ticket)
                raise
        return ticket

    def _provide(self, *, is_async: bool) -> Face:
        box, was_ready = self._stock.take(is_async=is_async)
        with self._lock:
            self._ready += was_ready
        return box

    def _note(self, box: Face) -> None:
        """Count what was given back."""
        if is_poisoned(box):
            with self._lock:
                self._poisoned += 1


class Loan:
    """A sandbox of a pool for the length of a block; see `Pool.take`."""

    def __init__(self, pool: Pool, timeout: float | None) -> None:
        """Ask for nothing yet."""
        self._pool = pool
        self._timeout = timeout
        self._ticket: Ticket | None = None
        self._box: Face | None = None
        self._is_entered = False

    def __enter__(self) -> Sandbox:
        self._use_up()
        try:
            with _interrupts.Deferral():
                self._prepare(threading.get_ident())
                self._ticket = self._pool._wait(self, self._timeout)
                box = self._box = self._begin(is_async=False)
        except BaseException:
            self._give_back()
            raise
        assert isinstance(box, Sandbox)
        return box

    def __exit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
        box = self._box
        assert isinstance(box, Sandbox)
        with _interrupts.Deferral():
            try:
                with _unless(kind):
                    self._finish(box)
            finally:
                self._give_back()

    async def __aenter__(self) -> AsyncSandbox:
        from sandbox.pool import waiting

        self._use_up()
        try:
            self._prepare(None)
            self._ticket = await waiting.wait(self._pool._admission, self, self._timeout)
            box = await self._begin_async()
            self._box = await box.__aenter__()
        except BaseException:
            self._leave()
            raise
        return box

    async def __aexit__(self, kind: type[BaseException] | None, *_exception: object) -> None:
        from sandbox.pool import waiting

        box: Any = self._box
        try:
            with _unless(kind):
                await waiting.finish(box, lambda: self._finish_async(box))
        finally:
            self._leave()

    def _use_up(self) -> None:
        if self._is_entered:
            raise UsageError("what `take` gives is entered once; take another sandbox")
        self._is_entered = True

    def _prepare(self, thread: int | None) -> None:
        """What comes before the wait.

        Args:
            thread: Whose the sandbox will be; None: a task's.
        """

    def _give_back(self) -> None:
        """Close the sandbox, if there is one, and leave; on the thread that has it."""
        box = self._box
        try:
            if box is not None:
                assert isinstance(box, Sandbox)
                end(box)
        finally:
            self._leave()

    def _leave(self) -> None:
        """Let the next one in."""
        ticket, self._ticket, self._box = self._ticket, None, None
        if ticket is not None:
            self._pool._admission.leave(ticket)

    def _begin(self, *, is_async: bool) -> Face:
        """The sandbox that the block gets."""
        return self._pool._provide(is_async=is_async)

    async def _begin_async(self) -> AsyncSandbox:
        """As `_begin`."""
        return cast("AsyncSandbox", self._begin(is_async=True))

    def _finish(self, box: Sandbox) -> None:
        """What is done with it before it is closed."""
        self._pool._note(box)

    async def _finish_async(self, box: AsyncSandbox) -> None:
        """As `_finish`."""
        self._pool._note(box)


@contextmanager
def _unless(kind: type[BaseException] | None) -> Iterator[None]:
    """Leave out why a use could not be kept when the block has failed itself: that is what counts."""
    try:
        yield
    except Exception:
        if kind is None:
            raise


def is_poisoned(box: Face) -> bool:
    """Whether a sandbox refuses to run anything."""
    return box._driver.is_poisoned


def end(box: Sandbox) -> None:
    """Close a sandbox, and interrupt what other threads run in it. One that does not stop is left to its finalizer."""
    until = time.monotonic() + _END_SECONDS
    while True:
        try:
            box.close()
        except SandboxBusy:
            box.interrupt()
            if box._runner.is_nested() or time.monotonic() > until:
                return
            time.sleep(_LOOK_SECONDS)
        else:
            return


def _check_count(name: str, number: object, least: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{name} must be an int, not {type(number).__name__}")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, not {number}")


def _check_seconds(timeout: object) -> None:
    if timeout is None:
        return
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise TypeError(f"timeout must be a number of seconds or None, not {type(timeout).__name__}")
    if not timeout >= 0:
        raise ValueError(f"timeout must not be negative, not {timeout!r}")
