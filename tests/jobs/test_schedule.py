"""The books of `map`: what is drawn, sent again, and given, without an executor."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Job, JobResult
from sandbox.errors import UsageError, WorkerLost
from sandbox.jobs.schedule import Chunk, JobProgress, Schedule

JOB = Job("1")


def schedule(jobs: Any = 10, **options: Any) -> Schedule:
    items = iter([JOB] * jobs) if isinstance(jobs, int) else iter(jobs)
    return Schedule(items, **{"ordered": True, "retries": 2, "in_flight": 4, "chunk_size": 1, "total": None, **options})


def sent(books: Schedule) -> list[Chunk]:
    return list(iter(books.next, None))


def taken(books: Schedule) -> list[JobResult]:
    return list(iter(books.take, None))


def finish(books: Schedule, chunk: Chunk) -> None:
    books.finish(chunk, [JobResult("done")] * len(chunk.jobs))


def test_an_endless_input_is_drawn_as_results_are_taken() -> None:
    drawn: list[int] = []

    def endless() -> Iterator[Job]:
        for number in count():
            drawn.append(number)
            yield JOB

    books = schedule(endless())
    first = sent(books)
    assert len(drawn) == len(first) == 4
    finish(books, first[1])
    assert (taken(books), sent(books)) == ([], [])
    finish(books, first[0])
    assert [result.index for result in taken(books)] == [0, 1]
    assert len(sent(books)) == 2
    assert len(drawn) == 6
    assert not books.is_over


@pytest.mark.parametrize(("ordered", "indexes"), [(True, [0, 1, 2, 3]), (False, [2, 0, 3, 1])])
def test_the_order_of_results(ordered: bool, indexes: list[int]) -> None:
    books = schedule(4, ordered=ordered)
    chunks = sent(books)
    given = []
    for index in [2, 0, 3, 1]:
        finish(books, chunks[index])
        given += [result.index for result in taken(books)]
    assert given == indexes
    assert sent(books) == []
    assert books.is_over


def test_results_know_their_jobs() -> None:
    jobs = [Job(f"{number}") for number in range(3)]
    books = schedule(jobs)
    for chunk in reversed(sent(books)):
        finish(books, chunk)
    assert [result.job for result in taken(books)] == jobs


def test_a_lost_job_is_sent_again_alone_so_many_times() -> None:
    books = schedule(3, chunk_size=3, in_flight=3)
    (chunk,) = sent(books)
    books.lose(chunk)
    again = sent(books)
    assert [len(one.jobs) for one in again] == [1, 1, 1]
    finish(books, again[0])
    finish(books, again[2])
    books.lose(again[1])
    (last,) = sent(books)
    books.lose(last)
    results = taken(books)
    assert [(result.attempts, result.value) for result in results] == [(2, "done"), (3, None), (2, "done")]
    assert isinstance(results[1].error, WorkerLost)
    assert (results[1].error.attempts, books.progress) == (3, JobProgress(done=3, failed=1, retried=4, sent=3))


def test_attempts_that_the_executor_made_by_itself_count() -> None:
    books = schedule(1)
    books.lose(sent(books)[0], 4)
    assert [result.attempts for result in taken(books)] == [4]


def test_of_a_chunk_that_cannot_be_sent_the_others_are() -> None:
    books = schedule(3, chunk_size=3)
    (chunk,) = sent(books)
    books.refuse(chunk, UsageError("no"))
    alone = sent(books)
    books.refuse(alone[1], UsageError("no"))
    finish(books, alone[0])
    finish(books, alone[2])
    assert [(result.attempts, str(result.error)) for result in taken(books)] == [(1, "None"), (1, "no"), (1, "None")]


def test_an_executor_that_takes_nothing_more() -> None:
    """What was begun is lost, what was drawn and not begun fails for that reason, and no more is drawn."""
    books = schedule(10, in_flight=4)
    chunks = sent(books)
    finish(books, chunks[0])
    for chunk in chunks[1:3]:
        books.lose(chunk)
    again = books.next()
    assert again is not None
    broken = RuntimeError("broken")
    books.break_off(again, broken)
    assert len(taken(books)) == 3
    assert (books.next(), books.is_over) == (None, False)
    finish(books, chunks[3])
    assert (len(taken(books)), books.is_over, books.failure) == (1, True, broken)

    books = schedule(10)
    first = books.next()
    assert first is not None
    books.break_off(first, broken)
    assert [(result.error, result.attempts) for result in taken(books)] == [(broken, 0)]


@pytest.mark.parametrize("bad", [7, ZeroDivisionError()])
def test_an_input_that_fails_loses_nothing_that_was_drawn(bad: object) -> None:
    def jobs() -> Iterator[Any]:
        yield JOB
        yield JOB
        if isinstance(bad, Exception):
            raise bad
        yield bad

    books = schedule(jobs(), chunk_size=3)
    for chunk in sent(books):
        finish(books, chunk)
    assert len(taken(books)) == 2
    assert books.is_over
    assert (
        books.failure is bad
        if isinstance(bad, Exception)
        else str(books.failure) == ("item 2 of the input is no Job but a int")
    )


def test_a_second_answer_is_a_mistake() -> None:
    books = schedule(1)
    (chunk,) = sent(books)
    finish(books, chunk)
    with pytest.raises(KeyError):
        finish(books, chunk)


@given(
    st.data(),
    st.integers(0, 12),
    st.booleans(),
    st.integers(0, 3),
    st.integers(1, 5),
    st.integers(1, 4),
)
def test_whatever_happens_each_job_has_one_result(
    data: st.DataObject, total: int, ordered: bool, retries: int, in_flight: int, chunk_size: int
) -> None:
    books = schedule(total, ordered=ordered, retries=retries, in_flight=in_flight, chunk_size=chunk_size)
    out: list[Chunk] = []
    results: list[JobResult] = []
    for _ in range(1000):
        out += sent(books)
        assert books.progress.sent - len(results) <= in_flight
        results += taken(books)
        if not out:
            if books.is_over:
                break
            continue
        chunk = out.pop(data.draw(st.integers(0, len(out) - 1)))
        match data.draw(st.sampled_from(["finish", "lose", "refuse"])):
            case "finish":
                finish(books, chunk)
            case "lose":
                books.lose(chunk)
            case "refuse":
                books.refuse(chunk, UsageError("no"))
    indexes = [result.index for result in results]
    assert sorted(indexes) == list(range(total))
    assert not ordered or indexes == sorted(indexes)
    assert all(1 <= result.attempts <= retries + 1 for result in results)
    assert (books.progress.done, books.progress.failed) == (total, sum(not result.ok for result in results))
