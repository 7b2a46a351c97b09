"""Ending a large broadcast keeps its row locked for a while; nothing else of the fanpage waits for that."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from core.broadcasts import scheduled_jobs
from core.db.engine import transaction
from core.deliveries import breaker, recent_outcomes
from core.deliveries.breaker import Refusal
from core.deliveries.recent_outcomes import Scope
from core.errors import WrongState
from core.sending import claims
from core.sending.limits import breaker_trip
from tests import claiming
from tests.databases import TestDatabase
from tests.sending.conftest import Studio
from tests.sending.platform import Platform
from tests.sending.turn_loop import turn_until

pytestmark = pytest.mark.postgresql


@contextmanager
def locked(database: TestDatabase, broadcast_id: int) -> Iterator[None]:
    with psycopg.connect(database.url.replace("+psycopg", "")) as holder:
        holder.execute("UPDATE broadcast SET updated_at = updated_at WHERE id = %s", [broadcast_id])
        yield
        holder.rollback()


def two_broadcasts(studio: Studio) -> tuple[int, int]:
    """Of two people each."""
    made = []
    for name in ("first", "second"):
        studio.topic_id = studio.arrange.topic(studio.fanpage_id, name)
        for n in range(2):
            studio.opt_in(f"{name}-{n}")
        made.append(studio.broadcast())
        studio.launch(made[-1], best_before=studio.now + timedelta(hours=1))
    return made[0], made[1]


def test_the_loop_goes_on_with_what_is_free_and_waits_for_the_rest(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    first, second = two_broadcasts(studio)
    studio.reply()
    loop, platform = studio.loop(), studio.platform
    with locked(fresh_database, first):
        turn_until(loop, lambda: len(platform.accepted) == 2 and bool(platform.to_psids))
        turn_until(loop, lambda: studio.show(second).counts["sent"] == 2)
        for _ in range(10):
            assert loop.turn() > 0.0  # not at once again
        assert studio.show(first).counts["queued"] == 2
    turn_until(loop, lambda: studio.show(first).counts["sent"] == 2)
    assert studio.show(second).counts["sent"] == 2


def test_a_late_broadcast_ends_although_another_is_being_changed(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    first, second = two_broadcasts(studio)
    late = studio.now + timedelta(hours=2)
    with locked(fresh_database, first):
        assert scheduled_jobs.end_too_late(now=late) == 2
    assert studio.show(second).counts["skipped"] == 2
    assert scheduled_jobs.end_too_late(now=late) == 2
    assert studio.show(first).counts["skipped"] == 2


def test_lost_claims_are_taken_over_although_another_broadcast_is_being_changed(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    first, second = two_broadcasts(studio)
    for broadcast_id in (first, second):
        claiming.claim(broadcast_id, 2, worker="worker dead", now=studio.now)
    later = studio.now + timedelta(minutes=2)
    with locked(fresh_database, first):
        assert claims.take_over_lost(now=later) == 2
    assert studio.show(second).counts["queued"] == 2
    assert claims.take_over_lost(now=later) == 2


def test_a_fanpage_without_a_connection_holds_up_no_other_although_it_cannot_be_stopped_yet(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    first, _ = two_broadcasts(studio)
    without = studio.fanpage_id
    studio.fanpage_id = studio.arrange.fanpage(rate=300)
    third, fourth = two_broadcasts(studio)
    no_token = WrongState("This fanpage has no access token.")

    def find_connections(ids: Collection[int]) -> dict[int, Platform | WrongState]:
        return {each: no_token if each == without else studio.platform for each in ids}

    loop = studio.loop(find_connections=find_connections)
    with locked(fresh_database, first):
        turn_until(loop, lambda: studio.show(third).counts["sent"] == 2)
        turn_until(loop, lambda: studio.show(fourth).counts["sent"] == 2)
        assert studio.show(first).state == "sending"
    turn_until(loop, lambda: studio.show(first).pause_code == "token_invalid")


def test_the_breaker_pauses_what_is_locked_a_moment_later(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    first, second = two_broadcasts(studio)
    of_each = {key: [Refusal(0, "content", key, 0, 0)] * breaker.RUN for key in (first, second)}
    ended = {(Scope.BROADCAST, key): of_one for key, of_one in of_each.items()}
    ended[Scope.FANPAGE, studio.fanpage_id] = [*of_each[first], *of_each[second]]
    with transaction() as db:
        noted = recent_outcomes.note(db, ended)
    with locked(fresh_database, first):
        breaker_trip.judge_fanpages({studio.fanpage_id: noted}, stopped=(), now=studio.now)
        assert (studio.show(first).state, studio.show(second).state) == ("sending", "paused")
    breaker_trip.judge_sending_broadcasts(now=studio.now)
    assert studio.show(first).state == "paused"
