"""200 calls per person and 24 hours: counted, shown, kept."""

from __future__ import annotations

from datetime import timedelta

from core.database import transaction
from core.sending import allowance
from core.tables import CallsOfHour, Pace
from tests.sending.conftest import Studio


def test_every_message_counts_and_yesterdays_do_not(studio: Studio) -> None:
    studio.people(3)
    studio.launch(studio.broadcast())
    studio.send_all(rounds=1)
    now = studio.now
    assert allowance.allowance_of(studio.fanpage_id, now=now) == allowance.Allowance(limit=600, used=3)
    assert allowance.allowance_of(studio.fanpage_id, now=now + timedelta(hours=26)).used == 0


def test_a_used_up_allowance_holds_the_fanpage_and_loses_nothing(studio: Studio) -> None:
    studio.people(3)
    with transaction() as db:
        db.add(CallsOfHour(fanpage_id=studio.fanpage_id, hour=studio.now, calls=600))
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=1)
    assert studio.show(broadcast_id).counts["queued"] == 3
    with transaction() as db:
        assert db.get_one(Pace, studio.fanpage_id).held_until > studio.now.timestamp()
    studio.pass_time(hours=26)
    studio.send_all(rounds=1)
    assert studio.show(broadcast_id).counts["sent"] == 3


def test_the_share_after_a_broadcast() -> None:
    assert allowance.Allowance(limit=1000, used=100).share(400) == 0.5
    assert allowance.Allowance(limit=0, used=0).share(1) == 1.0
