"""A full disk under the webhook server: 503, so that the platform comes back; nothing is lost."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from sqlalchemy import event

from core.db.engine import engine
from tests.databases import TestDatabase
from tests.inbox.platform import said
from tests.processes import until

LONG = "ở" * 1500


@pytest.mark.sqlite
def test_a_full_disk_is_a_503_and_it_goes_on_by_itself(
    fanpage: int, fresh_database: TestDatabase, client, post, now
) -> None:
    disk = {"full": False}

    def limit(connection: sqlite3.Connection, *_: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={1 if disk['full'] else 2**30}")

    event.listen(engine(), "checkout", limit)
    messages = [said("25", now, LONG, f"m_{n}") for n in range(40)]
    answers: dict[int, list[int]] = {}

    def tell(number: int) -> int:
        answers.setdefault(number, []).append(post(messages[number]).status_code)
        return answers[number][-1]

    assert tell(0) == 200
    disk["full"] = True
    refused = [number for number in range(1, 40) if tell(number) == 503]
    assert len(refused) > 10, "the disk was never full"
    until(lambda: tell(39) == 503, seconds=30, what="it is full")
    assert client.get("/readyz").json() == {"ready": False, "problem": "database"}
    assert {status for told in answers.values() for status in told} == {200, 503}
    disk["full"] = False
    for number in refused:
        until(lambda number=number: tell(number) == 200, seconds=30, what="it takes events again")
    until(lambda: client.get("/readyz").status_code == 200, seconds=30, what="it is ready again")
    kept = fresh_database.rows("SELECT body FROM event")
    assert len(kept) == 40
    assert all(any(f'"m_{number}"' in body for (body,) in kept) for number in range(40))
