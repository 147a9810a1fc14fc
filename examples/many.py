"""Very many paused programs, resumed at random by processes that are killed at random: nothing lost, nothing twice.

    python -m examples.many --count 10000 --workers 4

Each program asks three questions, and notes every answer. In the end each must have its result, and each note once.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from examples.paused_store import PausedStore
from sandbox import Pause, Sandbox

STEPS = 3
BATCH = 8
LEASE_SECONDS = 2.0
PROGRAM = f"""
let sum = 0;
for (let step = 0; step < {STEPS}; step++) {{
  const answer = await ask(step, salt);
  note(`${{step}}: ${{answer}}`);
  sum += answer;
}}
sum
"""


async def ask(step: int, salt: int) -> None:
    raise Pause("a question", step=step, salt=salt)


def answer_of(step: int, salt: int) -> int:
    return salt * 10 + step


def begin(path: str, count: int) -> None:
    store = PausedStore(path)
    for salt in range(count):
        effects: list[str] = []
        with Sandbox(functions={"ask": ask, "note": effects.append}, globals={"salt": salt}) as box:
            store.add(box.execute(PROGRAM), effects)
        show(salt + 1, count, "begun")
    store.close()


def work(path: str, count: int) -> None:
    """One worker: answers some questions, goes on with some programs, until there are none."""
    store, chance = PausedStore(path), random.Random()  # noqa: S311 - where to look
    while True:
        asked = store.questions(BATCH, after=chance.randrange(count)) or store.questions(BATCH)
        for _, question in asked:
            store.answer(question.token, answer_of(question.details["step"], question.details["salt"]))
        taken = store.take(BATCH, chance.randrange(count), LEASE_SECONDS) or store.take(BATCH, 0, LEASE_SECONDS)
        for each in taken:
            effects: list[str] = []
            with Sandbox.restore(each.snapshot, functions={"ask": ask, "note": effects.append}) as box:
                store.commit(each, box.resume(each.answer), effects)
        if not asked and not taken:
            if not store.count().keys() & {"paused", "answered"}:
                return
            time.sleep(LEASE_SECONDS / 20)  # somebody was killed, or others are busy with the last ones


def start(path: str, count: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "examples.many", "--worker", path, "--count", str(count)]
    return subprocess.Popen(command, cwd=Path(__file__).parents[1])  # noqa: S603 - it is this module


def run(path: str, count: int, workers: int, kills: int) -> tuple[int, float]:
    """Let workers work, and kill some; returns how many were killed, and how long it took."""
    store, chance, began = PausedStore(path), random.Random(), time.monotonic()  # noqa: S311 - whom, and when
    moments = sorted(chance.choices(range(count * STEPS), k=kills), reverse=True)  # by how far they have come
    running, killed = [start(path, count) for _ in range(workers)], 0
    try:
        while (done := store.count().get("done", 0)) < count:
            show(done, count, f"done, {killed} workers killed")
            time.sleep(chance.uniform(0, 0.04))
            if moments and store.steps() > moments[-1]:
                moments.pop()
                victim = chance.choice(running)
                victim.kill()  # by SIGKILL, in whatever it is doing
                killed += victim.wait() != 0
            for index, worker in enumerate(running):
                if worker.poll() not in (None, 0):
                    running[index] = start(path, count)
        show(count, count, f"done, {killed} workers killed")
    finally:
        for worker in running:
            worker.kill()
            worker.wait()
        store.close()
    return killed, time.monotonic() - began


def check(path: str, count: int) -> None:
    """See that all is there, and nothing twice."""
    store = PausedStore(path)
    for salt in range(count):
        answers = [answer_of(step, salt) for step in range(STEPS)]
        wanted = ("done", sum(answers)), [f"{step}: {answer}" for step, answer in enumerate(answers)]
        found = store.result(salt + 1), store.effects(salt + 1)
        if found != wanted:
            raise SystemExit(f"program {salt + 1}: {found} in place of {wanted}")
    if store.count() != {"done": count}:
        raise SystemExit(f"there are {store.count()}")
    store.close()


def show(done: int, count: int, what: str) -> None:
    """A progress bar, where somebody looks."""
    if sys.stderr.isatty() and (done % max(count // 200, 1) == 0 or done == count):
        bar = "█" * (40 * done // count)
        print(
            f"\r{bar:40} {done:,} of {count:,} {what}", end="\n" if done == count else "", file=sys.stderr, flush=True
        )


def bytes_each(path: str) -> float:
    with sqlite3.connect(path) as db:
        (size,) = db.execute("SELECT avg(length(snapshot)) FROM programs").fetchone()
    db.close()
    return float(size)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.many", description="Very many paused programs.")
    parser.add_argument("--count", type=int, default=1_000, help="programs")
    parser.add_argument("--workers", type=int, default=4, help="processes that resume them")
    parser.add_argument("--kills", type=int, default=20, help="how many of them are killed on the way")
    parser.add_argument("--worker", metavar="DATABASE", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.worker:
        work(given.worker, given.count)
        return
    with tempfile.TemporaryDirectory() as folder:
        path, began = str(Path(folder) / "programs.db"), time.monotonic()
        begin(path, given.count)
        seconds = time.monotonic() - began
        print(f"begun {given.count:,}: {given.count / seconds:,.0f} a second, {bytes_each(path):,.0f} bytes each")
        killed, seconds = run(path, given.count, given.workers, given.kills)
        resumed = given.count * STEPS
        print(f"resumed {resumed:,} times: {resumed / seconds:,.0f} a second, {killed} workers killed")
        check(path, given.count)
        print("nothing lost, nothing twice")


if __name__ == "__main__":
    main()
