"""Old events are deleted, and never a token that is stored nowhere else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.db.tables import Event, OptIn
from core.inbox import old_events, processing
from tests.inbox.platform import read, rows, said, tap


@pytest.fixture
def receive(fresh_database, now):
    """Stores events and applies all that waits."""

    def _receive(*events, at=now) -> None:
        processing.store_events(read(*events, received_at=at))
        while processing.apply_pending(limit=500, now=at):
            pass

    return _receive


def test_old_events_are_forgotten_and_those_that_wait_are_not(fanpage, receive, now):
    long_ago = now - timedelta(days=31)
    receive(tap("25", long_ago, "token-1"), at=long_ago)
    receive(tap("26", now, "token-2"))
    processing.store_events(read(said("25", long_ago, "hi", "m_1"), received_at=long_ago))

    assert old_events.delete_old_events(now=now) == 1
    assert old_events.delete_old_events(now=now) == 0

    assert [event.state for event in rows(Event)] == ["applied", "pending"]
    assert len(rows(OptIn)) == 2


def test_many_old_events_go_a_portion_at_a_time(fanpage, receive, now, monkeypatch):
    monkeypatch.setattr(old_events, "ROWS_PER_TRANSACTION", 3)
    long_ago = now - timedelta(days=31)
    receive(*(tap(str(n + 10), long_ago, f"token-{n}") for n in range(10)), at=long_ago)

    assert old_events.delete_old_events(now=now) == 10
    assert rows(Event) == []


@pytest.mark.parametrize("what", ["of a fanpage not yet connected", "failed"])
def test_a_tap_that_is_not_in_the_ledger_and_a_no_are_kept_as_long_as_its_token(
    fresh_database, receive, now, what
):
    kinds = ["message", "opt_in", "postback", "standby_message", "standby_postback"]
    receive(tap("25", now, "token-1"), *(said("25", now, "STOP", f"m_{n}") for n in range(5)))
    if what == "failed":
        fresh_database.run("UPDATE event SET state = 'failed', note = 'KeyError'")

    said_ids = sorted(event.id for event in rows(Event) if event.kind == "message")
    for id_, kind in zip(said_ids, [*(kind for kind in kinds if kind != "opt_in"), "read"], strict=True):
        fresh_database.run(f"UPDATE event SET kind = '{kind}' WHERE id = {id_}")

    assert old_events.delete_old_events(now=now + timedelta(days=91)) == 1  # what was read
    assert old_events.delete_old_events(now=now + timedelta(days=364)) == 0
    assert sorted(event.kind for event in rows(Event)) == kinds
    assert old_events.delete_old_events(now=now + timedelta(days=366)) == 5


def test_what_is_kept_longer_hides_nothing_that_is_due(fresh_database, receive, now, monkeypatch):
    monkeypatch.setattr(old_events, "ROWS_PER_TRANSACTION", 3)
    receive(
        *(tap(str(n + 10), now, f"token-{n}") for n in range(5)),
        *(said("9", now, "x", f"m_{n}") for n in range(2)),
    )
    fresh_database.run("UPDATE event SET kind = 'read' WHERE kind = 'message'")

    assert old_events.delete_old_events(now=now + timedelta(days=31)) == 2
    assert len(rows(Event)) == 5
