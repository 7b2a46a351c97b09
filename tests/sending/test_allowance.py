"""200 calls per person and 24 hours: counted, shown, kept."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from core.db.engine import reading, transaction
from core.db.tables import CallsOfHour, Customer, FanpageRate
from core.sending.limits import allowance
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
        assert db.get_one(FanpageRate, studio.fanpage_id).held_until > studio.now.timestamp()
    studio.pass_time(hours=26)
    studio.send_all(rounds=1)
    assert studio.show(broadcast_id).counts["sent"] == 3


def test_the_share_after_a_broadcast() -> None:
    assert allowance.Allowance(limit=1000, used=100).share(400) == 0.5
    assert allowance.Allowance(limit=0, used=0).share(1) == 1.0


def use_up(studio: Studio, fanpage_id: int, calls: int) -> None:
    with transaction() as db:
        db.add(CallsOfHour(fanpage_id=fanpage_id, hour=studio.now, calls=calls))


def held_until(fanpage_id: int) -> float:
    with reading() as db:
        return db.get_one(FanpageRate, fanpage_id).held_until


def test_used_up_are_those_without_a_call_left(studio: Studio) -> None:
    """200 a person; a fanpage that can message nobody counts as one person."""
    some, none, untouched = (studio.arrange.fanpage() for _ in range(3))
    for _ in range(2):
        studio.arrange.customer(some)
    use_up(studio, some, 399)
    use_up(studio, none, 200)
    asked = [some, none, untouched]
    assert allowance.used_up(asked, now=studio.now) == {none}
    assert allowance.used_up([some, untouched], now=studio.now) == set()
    with transaction() as db:
        allowance.note_calls(db, {some: 1}, now=studio.now)
    assert allowance.used_up(asked, now=studio.now) == {some, none}
    for fanpage_id in asked:
        left = allowance.allowance_of(fanpage_id, now=studio.now).left
        assert (left == 0) == (fanpage_id != untouched)
    assert allowance.used_up(asked, now=studio.now + timedelta(hours=26)) == set()


def test_a_customer_out_of_reach_adds_no_calls(studio: Studio) -> None:
    fanpage_id = studio.arrange.fanpage()
    for _ in range(2):
        studio.arrange.customer(fanpage_id)
    use_up(studio, fanpage_id, 200)
    assert allowance.used_up([fanpage_id], now=studio.now) == set()
    firm = {"unreachable_at": studio.now, "unreachable_firm_at": studio.now}
    with transaction() as db:
        db.execute(update(Customer).values(unreachable_code="blocked", **firm))
    assert allowance.used_up([fanpage_id], now=studio.now) == {fanpage_id}


def test_the_loop_holds_only_the_fanpage_whose_allowance_is_gone(studio: Studio) -> None:
    gone, well = studio.arrange.fanpage(), studio.arrange.fanpage()
    use_up(studio, gone, 200)
    allowances = allowance.Allowances(lambda: studio.now)
    assert allowances.used_up([gone, well]) == {gone}
    assert held_until(gone) == studio.now.timestamp() + allowance.WAIT_SECONDS
    assert held_until(well) == 0.0


def test_it_is_looked_at_once_in_a_while_and_what_is_gone_every_time(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, well = studio.arrange.fanpage(), studio.arrange.fanpage()
    use_up(studio, gone, 200)
    looked: list[set[int]] = []
    own, steady = allowance.used_up, [1000.0]
    monkeypatch.setattr(
        allowance, "used_up", lambda ids, **more: (looked.append(set(ids)), own(ids, **more))[1]
    )
    monkeypatch.setattr(allowance, "time", SimpleNamespace(monotonic=lambda: steady[0]))
    allowances = allowance.Allowances(lambda: studio.now)
    for _ in range(2):
        assert allowances.used_up([gone, well]) == {gone}
    assert allowances.used_up([well]) == set()
    assert looked == [{gone, well}, {gone}]
    use_up(studio, well, 200)
    steady[0] += allowance.EVERY_SECONDS
    assert allowances.used_up([well]) == {well}
