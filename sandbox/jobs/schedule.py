"""Which jobs are sent next, and which results are due: the books of one `map`, without input, output or waiting.

Jobs are drawn from the input only as results are taken, so an input without end is no matter. A job that lost its
worker is sent again by itself. Every job that was drawn has exactly one result.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from sandbox._records import record, replace
from sandbox.errors import WorkerLost
from sandbox.jobs.job import Job, JobResult


@record(frozen=True, slots=True)
class JobProgress:
    """How far a `map` has come.

    Attributes:
        done: Jobs that have a result.
        failed: Those of them whose result is an error.
        retried: How often a job was begun again because its worker was lost.
        sent: Jobs drawn from the input so far.
        total: How many there are; None when the input does not say.
    """

    done: int = 0
    failed: int = 0
    retried: int = 0
    sent: int = 0
    total: int | None = None


@record(slots=True)
class _Sent:
    """A job on its way.

    Attributes:
        index: Its place in the input.
        attempts: How often it was begun.
    """

    index: int
    job: Job
    attempts: int = 0


class Chunk:
    """Jobs that are sent together; compared by identity."""

    __slots__ = ("_sent",)

    def __init__(self, sent: Sequence[_Sent]) -> None:
        self._sent = sent

    @property
    def jobs(self) -> list[Job]:
        """What is sent."""
        return [sent.job for sent in self._sent]


class Schedule:
    """The books of one `map`.

    Args:
        jobs: The input.
        ordered: Whether results are due in the order of the input; else as they come.
        retries: How often a job is begun again when its worker was lost.
        in_flight: How many jobs may be drawn whose results were not taken.
        chunk_size: How many are sent together.
        total: How many there are, if that is known.

    Attributes:
        failure: Why nothing more is drawn: what the input raised, or the executor; raised when all results are taken.
    """

    def __init__(
        self,
        jobs: Iterator[Job],
        *,
        ordered: bool,
        retries: int,
        in_flight: int,
        chunk_size: int,
        total: int | None,
    ) -> None:
        self._jobs = jobs
        self._ordered, self._retries = ordered, retries
        self._in_flight, self._chunk_size = in_flight, chunk_size
        self._again: deque[Chunk] = deque()
        self._out: set[Chunk] = set()
        self._results: dict[int, JobResult] = {}  # not taken yet, in the order they came
        self._taken = 0
        self._is_drawn = False
        self._total = total
        self._drawn = self._done = self._failed = self._retried = 0
        self.failure: Exception | None = None

    def next(self) -> Chunk | None:
        """What to send now; None: nothing, until something has come back or was taken."""
        if self._again:
            chunk = self._again.popleft()
        else:
            sent = self._draw()
            if not sent:
                return None
            chunk = Chunk(sent)
        for job in chunk._sent:
            job.attempts += 1
        self._out.add(chunk)
        return chunk

    def _draw(self) -> list[_Sent]:
        drawn: list[_Sent] = []
        first = self._drawn
        room = min(self._chunk_size, self._in_flight - (first - self._taken))
        if self._is_drawn or self.failure is not None or room <= 0:
            return drawn
        try:
            for job in islice(self._jobs, room):
                if not isinstance(job, Job):
                    raise TypeError(f"item {first + len(drawn)} of the input is no Job but a {type(job).__name__}")
                drawn.append(_Sent(first + len(drawn), job))
            self._is_drawn = len(drawn) < room
        except Exception as error:  # noqa: BLE001 - raised when what was drawn has its results
            self.failure = error
        self._drawn += len(drawn)
        return drawn

    def finish(self, chunk: Chunk, results: Sequence[JobResult]) -> None:
        """A chunk was run."""
        for sent, result in zip(self._back(chunk), results, strict=True):
            self._settle(sent, result)

    def lose(self, chunk: Chunk, attempts: int = 1) -> None:
        """A chunk's worker was lost; so many attempts of it are over."""
        for sent in self._back(chunk):
            sent.attempts += attempts - 1
            if sent.attempts > self._retries:
                self._settle(sent, JobResult(error=WorkerLost(sent.attempts)))
            else:
                self._retried += 1
                self._again.append(Chunk([sent]))

    def refuse(self, chunk: Chunk, error: Exception) -> None:
        """The executor could not carry a chunk there and back. Of several jobs the others may fare better alone."""
        sent = self._back(chunk)
        if len(sent) == 1:
            self._settle(sent[0], JobResult(error=error))
            return
        for job in sent:
            job.attempts -= 1
            self._again.append(Chunk([job]))

    def break_off(self, chunk: Chunk, error: Exception) -> None:
        """The executor takes nothing any more: what was begun there is lost, what never was fails for that reason."""
        self.failure = self.failure or error
        for sent in chunk._sent:
            sent.attempts -= 1
        for sent in chain(self._back(chunk), *(waiting._sent for waiting in self._again)):
            self._settle(sent, JobResult(error=WorkerLost(sent.attempts) if sent.attempts else error))
        self._again.clear()

    def _back(self, chunk: Chunk) -> Sequence[_Sent]:
        self._out.remove(chunk)  # a KeyError: a second answer
        return chunk._sent

    def _settle(self, sent: _Sent, result: JobResult) -> None:
        self._results[sent.index] = replace(
            result, index=sent.index, job=sent.job, attempts=sent.attempts, _message=None
        )
        self._done += 1
        self._failed += not result.ok

    def take(self) -> JobResult | None:
        """The next result that is due; None: there is none now."""
        index = self._taken if self._ordered else next(iter(self._results), None)
        result = None if index is None else self._results.pop(index, None)
        self._taken += result is not None
        return result

    @property
    def progress(self) -> JobProgress:
        """How far it has come."""
        return JobProgress(self._done, self._failed, self._retried, self._drawn, self._total)

    @property
    def is_over(self) -> bool:
        """Whether all results were taken and there will be no others."""
        is_drawn = self._is_drawn or self.failure is not None
        return is_drawn and not self._out and not self._again and not self._results
