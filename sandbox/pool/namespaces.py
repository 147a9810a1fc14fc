"""Namespaces: programs that keep what they have from one use to the next, by name, as many as there is room for."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Self, cast

from sandbox import _forks, _interrupts
from sandbox._quiescing import putting_aside, without_calls
from sandbox.errors import NamespaceInUse, SandboxClosed
from sandbox.pool.pool import _DEFAULT, Loan, Pool, _check_count, _check_seconds, is_poisoned
from sandbox.snapshot import Snapshot

if TYPE_CHECKING:
    from sandbox._async_sandbox import AsyncSandbox
    from sandbox._face import Face
    from sandbox._sandbox import Sandbox

_MOST: Final = 100
# What a program does when it is put aside is little, or it is not kept.
_PUT_ASIDE_SECONDS: Final = 1.0


class Namespaces:
    """Sandboxes that are kept between their uses, each under a name.

        spaces = Namespaces(Pool(size=8), most=1000)
        with spaces.take("customer-42") as box:
            box.eval("globalThis.visits = (globalThis.visits ?? 0) + 1")

    Between two uses a namespace is a snapshot: so it is the program's memory that is kept (globals, functions, loaded
    modules, the handler of `serve`), and all that is the host's begins anew: limits and what was used of them, console,
    handles, functions under the names they had. What the program still waited for is aborted when the use ends, and its
    timers are gone.

    A use that poisons its sandbox, closes it, or cannot be put aside within a second leaves the namespace as it was
    before. One use at a time has a namespace; together they have as many sandboxes as the pool. Threads, event loops
    and forks as `Pool`.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        most: int = _MOST,
        load: Callable[[str], Snapshot | None] | None = None,
        on_evict: Callable[[str, Snapshot], object] | None = None,
    ) -> None:
        """Begin with none.

        Args:
            pool: Says what a new namespace begins with, and how many are in use at one time.
            most: How many are kept while they are not in use; beyond that the one that was not used for the longest
                time is evicted.
            load: Called with the name of one that is not here, for its snapshot, or None if there is none; on a worker
                thread if a task takes it.
            on_evict: Called with name and snapshot of one that is evicted, also by `evict` and `close`, on such threads
                too. If it raises, the namespace stays. None: what is evicted is forgotten.

        Raises:
            TypeError: An argument has the wrong type.
            ValueError: `most` is negative.
        """
        if not isinstance(pool, Pool):
            raise TypeError(f"pool must be a Pool, not {type(pool).__name__}")
        _check_count("most", most, 0)
        for name, function in (("load", load), ("on_evict", on_evict)):
            if function is not None and not callable(function):
                raise TypeError(f"{name} must be callable, not {type(function).__name__}")
        self.pool = pool
        self.most = most
        self._load, self._on_evict = load, on_evict
        self._kept: dict[str, Snapshot] = {}  # the one used last is the last
        # By which thread, as `Ticket.thread`, and for what; see `Ticket.owner`.
        self._in_use: dict[str, tuple[int | None, weakref.ref[object]]] = {}
        self._lock = threading.RLock()
        self._is_closed = False
        _forks.watch(self)

    def take(
        self,
        name: str,
        *,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        timeout: float | None = _DEFAULT,
    ) -> NamespaceLoan:
        """The namespace of a name for the length of a block; a new one if there is none.

        Args:
            name: Any text.
            functions: Host functions of this use, beside those of the template or in their places. Names that the
                program has seen must be given in later uses too.
            timeout: As for `Pool.take`: how long to wait for one of the pool's sandboxes.

        Returns:
            The context manager, as that of `Pool.take`, which also raises:

            - `NamespaceInUse`: Somebody has it. It does not wait for that.
            - `SnapshotError`: What is kept, or what `load` gave, cannot be restored here. It stays as it is.
            - `BaseException`: What `load` raises, or at the block's end `on_evict`.

            At the end of a block that has not failed itself it raises the error for which the use could not be kept.

        Raises:
            TypeError: An argument has the wrong type.
            ValueError: `timeout` is negative.
        """
        if not isinstance(name, str):
            raise TypeError(f"name must be a str, not {type(name).__name__}")
        if timeout is not _DEFAULT:
            _check_seconds(timeout)
        return NamespaceLoan(self, name, functions, self.pool._timeout if timeout is _DEFAULT else timeout)

    def drop(self, name: str) -> bool:
        """Forget a namespace; whether it was here. What `on_evict` was given before is not this object's business.

        Raises:
            NamespaceInUse: Somebody has it.
        """
        with self._lock:
            self._check_free(name)
            return self._kept.pop(name, None) is not None

    def snapshot(self, name: str) -> Snapshot | None:
        """What is kept under a name; of one in use, as it was before. None: nothing is."""
        return self._kept.get(name)

    def evict(self, name: str) -> bool:
        """Evict a namespace now; whether it was here.

        Raises:
            NamespaceInUse: Somebody has it.
            BaseException: What `on_evict` raises; it stays then.
        """
        with self._lock:
            self._check_free(name)
            if name not in self._kept:
                return False
            self._use(name, self, threading.get_ident())
        self._evict(name)
        return True

    def close(self) -> None:
        """Evict all, and give out no more; idempotent. Those in use are evicted when they are given back.

        Raises:
            BaseException: What `on_evict` raises; what is left is evicted by the next call.
        """
        self._is_closed = True
        self.make_room()

    def names(self) -> list[str]:
        """The names of those that are kept here, the one that was used last as the last."""
        return list(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, name: object) -> bool:
        return name in self._kept

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Namespaces {len(self._kept)} of {self.most} kept, {len(self._in_use)} in use>"

    def after_fork(self) -> None:
        """See `_forks.Runner`."""
        self._lock = threading.RLock()
        self._in_use = {name: use for name, use in self._in_use.items() if use[0] == threading.get_ident()}

    # --- what those who take one use ---

    def begin_use(self, name: str, thread: int | None, owner: object) -> None:
        """Keep others away from a namespace; arguments as for `Admission.enter`.

        Raises:
            NamespaceInUse: Somebody has it.
            SandboxClosed: No more are given out.
        """
        with self._lock:
            if self._is_closed:
                raise SandboxClosed("the namespaces are closed")
            self._check_free(name)
            self._use(name, owner, thread)

    def end_use(self, name: str) -> None:
        """Let others have it again."""
        with self._lock:
            self._in_use.pop(name, None)

    def find(self, name: str) -> Snapshot | None:
        """What one in use begins with; None: it is new."""
        snapshot = self._kept.get(name)
        if snapshot is not None or self._load is None:
            return snapshot
        snapshot = _interrupts.call_open(self._load, (name,))
        if snapshot is not None and not isinstance(snapshot, Snapshot):
            raise TypeError(f"load must return a Snapshot or None, not {type(snapshot).__name__}")
        return snapshot

    def keep(self, name: str, snapshot: Snapshot) -> None:
        """Keep what one in use has become, as the one that was used last."""
        with self._lock:
            self._kept.pop(name, None)
            self._kept[name] = snapshot

    def make_room(self) -> None:
        """Evict those for which there is no room.

        Raises:
            BaseException: What `on_evict` raises; the namespace stays.
        """
        while (name := self._next_to_evict()) is not None:
            self._evict(name)

    def _next_to_evict(self) -> str | None:
        most = 0 if self._is_closed else self.most
        with self._lock:
            if len(self._kept) > most:
                for name in self._kept:
                    if self._is_free(name):
                        self._use(name, self, threading.get_ident())
                        return name
        return None

    def _evict(self, name: str) -> None:
        """Evict one that nobody else can take meanwhile: they would not find it anywhere."""
        try:
            if self._on_evict is not None:
                _interrupts.call_open(self._on_evict, (name, self._kept[name]))
            del self._kept[name]
        finally:
            self.end_use(name)

    def _use(self, name: str, owner: object, thread: int | None) -> None:
        self._in_use[name] = thread, weakref.ref(owner)

    def _is_free(self, name: str) -> bool:
        use = self._in_use.get(name)
        return use is None or use[1]() is None

    def _check_free(self, name: str) -> None:
        if not self._is_free(name):
            raise NamespaceInUse(f"somebody else uses the namespace {name!r}")


class NamespaceLoan(Loan):
    """A namespace for the length of a block; see `Namespaces.take`."""

    def __init__(
        self,
        spaces: Namespaces,
        name: str,
        functions: Mapping[str, Callable[..., Any]] | None,
        timeout: float | None,
    ) -> None:
        """Ask for nothing yet."""
        super().__init__(spaces.pool, timeout)
        self._spaces = spaces
        self._name = name
        self._functions = functions
        self._has_name = False

    def _prepare(self, thread: int | None) -> None:
        self._spaces.begin_use(self._name, thread, self)
        self._has_name = True

    def _leave(self) -> None:
        self._let_go()
        super()._leave()

    def _let_go(self) -> None:
        if self._has_name:
            self._has_name = False
            self._spaces.end_use(self._name)

    def _begin(self, *, is_async: bool) -> Face:
        return self._spawn(self._spaces.find(self._name), is_async=is_async)

    async def _begin_async(self) -> AsyncSandbox:
        from sandbox.pool import waiting

        snapshot = await waiting.in_worker(lambda: self._spaces.find(self._name))
        return cast("AsyncSandbox", self._spawn(snapshot, is_async=True))

    def _spawn(self, snapshot: Snapshot | None, *, is_async: bool) -> Face:
        if snapshot is None and not self._functions:
            return self._pool._provide(is_async=is_async)
        template = self._pool.template
        template = template.at(template.snapshot if snapshot is None else snapshot, functions=self._functions)
        return template.spawn_async() if is_async else template.spawn()

    def __enter__(self) -> Sandbox:
        try:
            return super().__enter__()
        except BaseException:
            if self._spaces._is_closed:  # all others were evicted meanwhile
                self._spaces.make_room()
            raise

    async def __aenter__(self) -> AsyncSandbox:
        from sandbox.pool import waiting

        try:
            return await super().__aenter__()
        except BaseException:
            if self._spaces._is_closed:
                await waiting.in_worker(self._spaces.make_room)
            raise

    def _finish(self, box: Sandbox) -> None:
        super()._finish(box)
        try:
            if not (box.closed or is_poisoned(box)):
                for steps in putting_aside(box._driver):
                    box._runner.run(steps, _PUT_ASIDE_SECONDS)
                self._keep(box.snapshot())
        finally:
            self._let_go()
            self._spaces.make_room()

    async def _finish_async(self, box: AsyncSandbox) -> None:
        from sandbox.pool import waiting

        await super()._finish_async(box)
        try:
            if not (box.closed or is_poisoned(box)):
                for steps in putting_aside(box._driver):
                    await box._runner.run(steps, _PUT_ASIDE_SECONDS)
                self._keep(await box.snapshot())
        finally:
            self._let_go()
            await waiting.in_worker(self._spaces.make_room)

    def _keep(self, snapshot: Snapshot) -> None:
        snapshot._state = without_calls(snapshot._state)
        self._spaces.keep(self._name, snapshot)
