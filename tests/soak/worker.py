"""The process that lives the lives: threads that take one after another, and a moment of rest now and then.

It prints one JSON object a line: `{"sample": ...}`, `{"tally": ...}`, `{"failure": ...}`, and `{"end": true}` at last.
"""

from __future__ import annotations

import argparse
import faulthandler
import itertools
import json
import signal
import sys
import threading
import time
import traceback
import warnings
import weakref
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from sandbox import Sandbox
from sandbox._face import Face
from tests.soak import hosts
from tests.soak.canary import Canary
from tests.soak.holders import holders, threads
from tests.soak.journal import Journal
from tests.soak.lives import Life
from tests.soak.resident import Sample
from tests.soak.session import Tally, live

_REST_SECONDS: Final = 2.0
_LINGERING_SECONDS: Final = 2 * _REST_SECONDS
_MOST_FAILURES: Final = 20  # of one kind


class Soak:
    """Lives many lives on several threads.

    Args:
        seed: The first life; the next ones follow by number.
        threads: How many threads.
        seconds: How long; no life begins after that.
        lives: How many lives at most; None: as many as there is time for.
        slack_seconds: How late a request may end.
        journal: Where threads note what they do.
        say: Gets each message.
    """

    def __init__(
        self,
        seed: int,
        threads: int,
        seconds: float,
        lives: int | None,
        slack_seconds: float,
        journal: Journal,
        say: Any,
    ) -> None:
        self._seeds = iter(range(seed, seed + lives)) if lives is not None else itertools.count(seed)
        self._threads = threads
        self._seconds = seconds
        self._slack_seconds = slack_seconds
        self._journal = journal
        self._say = say
        self._tallies = [Tally() for _ in range(threads)]
        self._failures = Counter[str]()
        self._rest_at = self._began = time.monotonic()
        self._is_over = False
        self._rest = threading.Barrier(threads, action=self._look)
        self._alive: weakref.WeakSet[Face] = weakref.WeakSet()
        self._lingering: weakref.WeakKeyDictionary[Face, float] = weakref.WeakKeyDictionary()

    def run(self) -> None:
        """Block until all is over."""
        make = Face._make

        def noting(face: Face, *given: Any) -> None:
            self._alive.add(face)
            make(face, *given)

        Face._make = noting  # type: ignore[assignment,method-assign] # whoever makes a sandbox is noted
        try:
            workers = [threading.Thread(target=self._work, args=(number,)) for number in range(self._threads)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        finally:
            Face._make = make  # type: ignore[method-assign]
        self._say({"end": True})

    def total(self) -> Tally:
        """What all threads have counted."""
        total = Tally()
        for tally in self._tallies:
            total.add(tally)
        return total

    def _work(self, number: int) -> None:
        canary = Canary()
        self._alive.discard(canary.box)
        while True:
            if time.monotonic() >= self._rest_at:
                self._journal.clear(number)
                canary.rest()
                self._rest.wait()
                if self._is_over:
                    break
            seed = next(self._seeds, None)
            if seed is None:
                self._rest_at = 0.0  # others end their lives, then all rest for the last time
            else:
                self._live(number, seed, canary)
        canary.close()

    def _live(self, number: int, seed: int, canary: Canary) -> None:
        self._journal.write(number, seed, -1)
        try:
            life = Life.from_seed(seed)
            live(
                life,
                canary,
                self._tallies[number],
                self._slack_seconds,
                lambda step: self._journal.write(number, seed, step),
            )
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is a finding
            self.fail(error, seed)

    def fail(self, error: BaseException, seed: int | None) -> None:
        """Tell of a finding."""
        title = f"{type(error).__name__}: {error}"
        self._failures[title] += 1
        if self._failures[title] <= _MOST_FAILURES:
            where = "".join(traceback.format_exception(error))
            self._say({"failure": {"seed": seed, "title": title[:300], "traceback": where[-12000:]}})

    def fail_unraisable(self, event: sys.UnraisableHookArgs) -> None:
        """Tell of what was raised where nobody could be told; the host's own generators do so on purpose."""
        if getattr(event.object, "__qualname__", "") != hosts.torn.__qualname__:
            self.fail(event.exc_value or Exception(str(event.err_msg)), None)

    def _look(self) -> None:
        """All threads rest: only the canaries are alive."""
        seconds = time.monotonic() - self._began
        total = self.total()
        sample = Sample.take(seconds, total.programs)
        # What a host function that still works for it holds at one rest is gone soon after.
        for face in self._alive:
            self._lingering[face] = seconds
        for face, since in list(self._lingering.items()):
            if seconds - since > _LINGERING_SECONDS + self._slack_seconds:
                why = f"{holders(face)}\n{threads()}"
                self.fail(AssertionError(f"{face!r} is alive, though nobody has it\n{why}"), None)
                del self._lingering[face]
        self._alive = weakref.WeakSet()
        self._say({"sample": asdict(sample)})
        self._say({"tally": total.to_json()})
        self._is_over = seconds >= self._seconds or self._rest_at == 0.0
        self._rest_at = time.monotonic() + _REST_SECONDS


def _say(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


def main() -> None:
    """Do what the parent asks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--lives", type=int)
    parser.add_argument("--slack", type=float, required=True)
    parser.add_argument("--journal", type=Path, required=True)
    options = parser.parse_args()
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)
    warnings.simplefilter("error")
    Sandbox().close()  # what every process needs once is there before the first sample
    journal = Journal(options.journal)
    soak = Soak(options.seed, options.threads, options.seconds, options.lives, options.slack, journal, _say)
    sys.unraisablehook = soak.fail_unraisable
    threading.excepthook = lambda event: soak.fail(event.exc_value or Exception("a thread ended"), None)
    soak.run()


if __name__ == "__main__":
    main()
