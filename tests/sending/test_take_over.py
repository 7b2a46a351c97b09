"""What dead workers left is taken over, whatever goes wrong with some of it."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from core.deliveries import closing
from core.sending import claims
from core.worker import Worker
from tests import claiming
from tests.databases import TestDatabase
from tests.sending.conftest import Studio


def claimed_by_the_dead(studio: Studio, name: str) -> int:
    studio.topic_id = studio.arrange.topic(studio.fanpage_id, name)
    studio.opt_in(name)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    claiming.claim(broadcast_id, 1, worker="worker dead", now=studio.now)
    return broadcast_id


@pytest.mark.parametrize("trouble", [None, OperationalError("UPDATE", None, Exception("too slow"))])
def test_a_broadcast_that_fails_does_not_keep_the_later_ones_from_being_taken_over(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, trouble: Exception | None
) -> None:
    """Trouble of the database is raised, too, but after the others."""
    first, second = claimed_by_the_dead(studio, "first"), claimed_by_the_dead(studio, "second")
    own = closing.end_if_over

    def fails_for_the_first(db, broadcast_ids, *given) -> None:
        if first in broadcast_ids:
            raise trouble or RuntimeError("a defect")
        own(db, broadcast_ids, *given)

    monkeypatch.setattr(closing, "end_if_over", fails_for_the_first)
    later = studio.now + timedelta(minutes=2)
    with pytest.raises(OperationalError) if trouble else nullcontext():
        assert claims.take_over_lost(now=later) == 1
    assert studio.show(first).counts["sending"] == 1
    assert studio.show(second).counts["queued"] == 1


def test_lost_replies_end_although_deliveries_cannot_be_taken_over(
    studio: Studio, fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.reply()
    claiming.claim_replies(studio.fanpage_id, 1, worker="worker dead", now=studio.now)

    def fails(*, now: object) -> int:
        raise RuntimeError("a defect")

    monkeypatch.setattr(claims, "take_over_lost", fails)
    studio.now += timedelta(minutes=2)
    worker = Worker(clock=Told(studio))
    worker.reclaim()
    assert fresh_database.rows("SELECT state FROM reply") == [("unknown",)]


class Told:
    """The clock of the studio."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def __call__(self) -> object:
        return self._studio.now
