"""Paused programs in SQLite: each is answered once and goes on once, whatever becomes of the processes that do it.

A row is one program: its snapshot, the question that it waits for, and the token of that pause. Every step forward is
one transaction that replaces snapshot and token and notes what the program has done, if the old token still stands.
So a worker that is killed leaves everything as it was, and of two that go on with the same program one commits.
"""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

from sandbox import Outcome, Snapshot

SCHEMA = """
CREATE TABLE IF NOT EXISTS programs (
    number INTEGER PRIMARY KEY,
    state TEXT NOT NULL,  -- paused, answered, done, failed
    token TEXT UNIQUE,  -- of the pause; NULL: it is over
    question TEXT,
    answer TEXT,
    snapshot BLOB,
    result TEXT,
    leased_until REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS states ON programs (state, number);
CREATE TABLE IF NOT EXISTS effects (program INTEGER NOT NULL, effect TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Question:
    """What a program waits for."""

    token: str
    function: str
    arguments: list[Any]
    reason: str
    details: dict[str, Any]


@dataclass(frozen=True)
class Work:
    """A program that can go on: resume the call `token` of the snapshot with `answer`."""

    number: int
    token: str
    snapshot: Snapshot
    answer: Any


class PausedStore:
    """The table. One object for each thread."""

    def __init__(self, path: str, key: bytes | None = None) -> None:
        self._key = key  # signs the snapshots: who can write to the database cannot make up programs
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        # Enough for processes that are killed. If the machine may fail and others hear of what is done, make it FULL.
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        self._db.close()

    def add(self, outcome: Outcome, effects: list[str]) -> int:
        """Keep a new program and what it has done so far; returns its number."""
        with self._transaction():
            cursor = self._db.execute("INSERT INTO programs (state) VALUES ('new')")
            assert cursor.lastrowid is not None
            self._write(cursor.lastrowid, outcome, effects)
        return cursor.lastrowid

    def questions(self, most: int = 100, after: int = 0) -> list[tuple[int, Question]]:
        """What programs wait for, by number."""
        rows = self._db.execute(
            "SELECT number, question FROM programs WHERE state = 'paused' AND number > ? ORDER BY number LIMIT ?",
            (after, most),
        )
        return [(number, Question(**json.loads(question))) for number, question in rows]

    def answer(self, token: str, value: object) -> bool:
        """Answer a question; whether this was the first answer."""
        cursor = self._db.execute(
            "UPDATE programs SET state = 'answered', answer = ?, leased_until = 0 WHERE token = ? AND state = 'paused'",
            (json.dumps(value), token),
        )
        return cursor.rowcount == 1

    def take(self, most: int = 1, after: int = 0, lease_seconds: float = 30) -> list[Work]:
        """Programs to go on with. The lease saves others the work; that it is done once does not depend on it."""
        now = time.time()
        rows = self._db.execute(
            "UPDATE programs SET leased_until = ? WHERE number IN (SELECT number FROM programs "
            "WHERE state = 'answered' AND leased_until < ? AND number > ? ORDER BY number LIMIT ?) "
            "RETURNING number, token, snapshot, answer",
            (now + lease_seconds, now, after, most),
        ).fetchall()
        return [
            Work(number, token, Snapshot.from_bytes(snapshot, key=self._key), json.loads(answer))
            for number, token, snapshot, answer in rows
        ]

    def commit(self, work: Work, outcome: Outcome, effects: list[str]) -> bool:
        """Keep what came of it, all or nothing; whether nobody else was quicker. If somebody was, nothing is kept."""
        with self._transaction():
            row = self._db.execute("SELECT 1 FROM programs WHERE number = ? AND token = ?", (work.number, work.token))
            is_first = row.fetchone() is not None
            if is_first:
                self._write(work.number, outcome, effects)
        return is_first

    def result(self, number: int) -> tuple[str, Any]:
        """The state of a program, and its value if it is done, or its error."""
        state, result = self._db.execute("SELECT state, result FROM programs WHERE number = ?", (number,)).fetchone()
        return state, None if result is None else json.loads(result)

    def effects(self, number: int) -> list[str]:
        """What a program has done."""
        rows = self._db.execute("SELECT effect FROM effects WHERE program = ? ORDER BY rowid", (number,))
        return [effect for (effect,) in rows]

    def steps(self) -> int:
        """How many effects there are."""
        (last,) = self._db.execute("SELECT max(rowid) FROM effects").fetchone()
        return last or 0

    def count(self) -> dict[str, int]:
        """How many programs there are in each state."""
        return dict(self._db.execute("SELECT state, count(*) FROM programs GROUP BY state").fetchall())

    def _write(self, number: int, outcome: Outcome, effects: list[str]) -> None:
        token = question = snapshot = result = None
        state = "done" if outcome.ok else "failed"
        if outcome.snapshot is not None:  # of several calls that are paused, the first one is asked about first
            call, state, snapshot = outcome.paused[0], "paused", outcome.snapshot.to_bytes(key=self._key)
            token = call.token
            question = json.dumps(
                {
                    "token": token,
                    "function": call.name,
                    "arguments": call.arguments,
                    "reason": call.reason,
                    "details": call.details,
                },
                default=str,
            )
        else:
            result = json.dumps(outcome.value if outcome.ok else str(outcome.error), default=str)
        self._db.execute(
            "UPDATE programs SET state = ?, token = ?, question = ?, answer = NULL, snapshot = ?, result = ?, "
            "leased_until = 0 WHERE number = ?",
            (state, token, question, snapshot, result, number),
        )
        self._db.executemany("INSERT INTO effects VALUES (?, ?)", [(number, effect) for effect in effects])

    def _transaction(self) -> _Transaction:
        return _Transaction(self._db)


class _Transaction:
    """Begins with the right to write, so that what is read in it is what will be replaced."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
