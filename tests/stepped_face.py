"""A face without threads or loops, for tests that say when each step is taken and each host call answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sandbox import Limits
from sandbox._clock import Clock, RealClock
from sandbox._driver import Driver, Steps, Turn, Wait
from sandbox._operations import Operations
from sandbox.capabilities import Console, Modules, Random, Timers
from sandbox.modules.mapping import finders
from tests.fake_owner import Owner

if TYPE_CHECKING:
    from sandbox._runs import Run
    from sandbox.capabilities.base import Service
    from sandbox.limits import OnLimit
    from sandbox.values import Generation


class _Releasing(Owner):
    """Passes on what is no longer held."""

    driver: Driver

    def release(self, handle: int, generation: Generation) -> None:
        self.driver._operations.release(handle, generation)


class SteppedFace:
    """A face without threads or loops: the test takes the steps, and answers host calls when it likes."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        limits: Limits | None = None,
        on_limit: OnLimit = "keep",
        modules: Mapping[str, str] | None = None,
    ) -> None:
        self.started: list[tuple[Awaitable[Any], Callable[[Any], None]]] = []
        self.cancelled: list[Awaitable[Any]] = []
        limits = limits or Limits()
        console = Console(None, limits.output_bytes)
        owner = _Releasing()
        found = Modules(finders(modules), lambda *source: self.driver.compile(*source))
        self.operations = Operations([console, Timers(), Random(1), found], owner, limits.handles)
        self.driver = Driver(
            limits,
            self.operations,
            console,
            clock or RealClock(),
            self,
            seed=1,
            on_limit=on_limit,
            on_poll=lambda: None,
            call_host=self.call_host,
            start_in_turn=self.start,
        )
        owner.driver = self.driver

    def call(self, function: Callable[[], object]) -> None:
        function()

    def start(self, awaitable: Awaitable[Any], done: Callable[[Any], None]) -> Callable[[], object]:
        self.started.append((awaitable, done))
        return lambda: self.cancelled.append(awaitable)

    def serve(self, service: Service) -> None:
        self.started.append((service.serve(), lambda _: None))

    def call_host(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        return function(*arguments)

    def begin(self, code: str, **options: Any) -> tuple[Run, Steps[Any]]:
        run = self.driver.begin(**options)
        return run, self.driver.drive(run, self.driver.eval(code, None))

    def step(self, steps: Steps[Any]) -> Wait | None:
        """Take turns up to the next wait; None: the run is over."""
        try:
            while isinstance(step := next(steps), Turn):
                step()
                self.driver.attend()
        except StopIteration:
            return None
        return step

    def finish(self, run: Run, steps: Steps[Any]) -> Any:
        assert self.step(steps) is None
        value = run.value
        self.driver.end(run)
        return value

    def close(self) -> None:
        for awaitable, _ in self.started:
            awaitable.close()  # type: ignore[attr-defined] # coroutines, all of them
        self.driver.close()
