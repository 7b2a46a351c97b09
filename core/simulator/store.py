"""Stores the world in a SQLite file: changes are written in groups, and committed before an answer leaves."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS thing (
    kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID
"""


class Store:
    """The stored records. `put` and `drop` never wait; `flush` and `committed` wait until they
    are on disk."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._changes: dict[tuple[str, str], str | None] = {}
        self._waiting: list[Future[None]] = []
        self._wake = threading.Condition()
        self._writing = False
        self._stopping = False
        self._thread: threading.Thread | None = None
        if self.kept:
            Path(path).parent.mkdir(parents=True, exist_ok=True)

    @property
    def kept(self) -> bool:
        return self.path != ":memory:"

    def load(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """All stored records as (kind, key, body), in order of kind and key."""
        if not self.kept:
            return
        connection = self._connect()
        try:
            for kind, key, body in connection.execute("SELECT kind, key, body FROM thing ORDER BY kind, key"):
                yield kind, key, json.loads(body)
        finally:
            connection.close()

    def put(self, kind: str, key: str, body: dict[str, Any]) -> None:
        if self.kept:
            self._change(kind, key, json.dumps(body))

    def drop(self, kind: str, key: str) -> None:
        if self.kept:
            self._change(kind, key, None)

    def _change(self, kind: str, key: str, body: str | None) -> None:
        with self._wake:
            self._changes[kind, key] = body
            self._start()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_on, name="simulator-store", daemon=True)
            self._thread.start()

    async def committed(self) -> None:
        """Wait until everything that was changed so far is committed."""
        if waiting := self._promise():
            await asyncio.wrap_future(waiting)

    def flush(self) -> None:
        if waiting := self._promise():
            waiting.result()

    def _promise(self) -> Future[None] | None:
        with self._wake:
            if not (self._changes or self._waiting or self._writing):
                return None
            promise: Future[None] = Future()
            self._waiting.append(promise)
            self._wake.notify()
            return promise

    def close(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread:
            self._thread.join()
            self._thread, self._stopping = None, False

    def _write_on(self) -> None:
        connection = self._connect()
        try:
            while True:
                changes, waiting = self._take()
                problem = _write(connection, changes)
                self._given_back(changes if problem else {})
                for promise in waiting:
                    promise.set_exception(problem) if problem else promise.set_result(None)
                if self._stopping and not self._changes:
                    return
        finally:
            connection.close()

    def _take(self) -> tuple[dict[tuple[str, str], str | None], list[Future[None]]]:
        with self._wake:
            # A change that nobody waits for is written with the next group, at the latest after 0.2 s.
            self._wake.wait_for(lambda: self._waiting or self._stopping, timeout=0.2)
            changes, self._changes = self._changes, {}
            waiting, self._waiting = self._waiting, []
            self._writing = bool(changes)
            return changes, waiting

    def _given_back(self, unwritten: dict[tuple[str, str], str | None]) -> None:
        with self._wake:
            self._changes = {**unwritten, **self._changes}
            self._writing = False

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=15)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(_SCHEMA)
        return connection


def _write(
    connection: sqlite3.Connection, changes: dict[tuple[str, str], str | None]
) -> sqlite3.Error | None:
    if not changes:
        return None
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO thing (kind, key, body) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
            [(kind, key, body) for (kind, key), body in changes.items() if body is not None],
        )
        connection.executemany(
            "DELETE FROM thing WHERE kind = ? AND key = ?",
            [each for each, body in changes.items() if body is None],
        )
        connection.execute("COMMIT")
    except sqlite3.Error as problem:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return problem
    return None
