"""Acceptances of several fanpages are settled together; the trouble of one is not that of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from core.sending.clerk import Clerk
from core.sending.landing import Landing
from sqlalchemy.exc import OperationalError

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, clockwork
from core.messenger.client import Accepted, Answer
from core.messenger.errors import Failure, NextStep
from core.sending import acceptances, allowance, claims, clerk, settling
from core.sending.outcomes import Outcome
from tests import claiming
from tests.databases import TestDatabase
from tests.sending.conftest import Studio

SENT = "SELECT state, count(*) FROM delivery GROUP BY state"
FANPAGES = 3
PEOPLE = 4


class Fanpages:
    """Some fanpages with a broadcast each, all of it claimed, and one clerk for all."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.clerk = Clerk(lambda: studio.now)
        self.claimed = dict(self._claimed() for _ in range(FANPAGES))
        self.landings = {each: self._landing(each) for each in self.claimed}

    def _claimed(self) -> tuple[int, list[claims.Claim]]:
        arrange, now = self.studio.arrange, self.studio.now
        fanpage_id = arrange.fanpage()
        topic_id = arrange.topic(fanpage_id)
        for n in range(PEOPLE):
            customer_id = arrange.customer(fanpage_id)
            arrange.opt_in(topic_id, customer_id, fanpage_id=fanpage_id, token=f"{fanpage_id} {n}")
        content = {"kind": "text", "text": "Đã về"}
        broadcast_id = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content=content, now=now)
        actions.schedule(COMMAND_LINE, broadcast_id, at=None, now=now)
        clockwork.start_due(now=now)
        return fanpage_id, claiming.claim(broadcast_id, PEOPLE, worker="worker a", now=now)

    def _landing(self, fanpage_id: int) -> Landing:
        return Landing(fanpage_id, "worker a", lambda: self.studio.now, self.clerk)

    def land(self, fanpage_id: int, answer: Callable[[claims.Claim], Answer]) -> None:
        landing = self.landings[fanpage_id]
        landing.take_in([Outcome(each, answer(each)) for each in self.claimed[fanpage_id]])
        landing.settle_due()

    def land_all(self) -> None:
        for fanpage_id in self.claimed:
            self.land(fanpage_id, accepted)


def accepted(claim: claims.Claim) -> Accepted:
    return Accepted(f"m_{claim.delivery_id}")


@pytest.fixture
def fanpages(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Fanpages:
    monkeypatch.setattr(clerk, "SETTLE_SOON_SECONDS", 3600.0)
    return Fanpages(studio)


def is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clerk, "SETTLE_SOON_SECONDS", 0.0)


def test_they_are_settled_in_one_transaction_and_each_fanpages_calls_are_counted(
    fanpages: Fanpages, fresh_database: TestDatabase, opt_in_states, monkeypatch
) -> None:
    times: list[int] = []
    together = acceptances.settle_together

    def settle(given: dict[int, list[Outcome]], **more: object) -> None:
        times.append(len(given))
        together(given, **more)

    monkeypatch.setattr(acceptances, "settle_together", settle)
    fanpages.land_all()
    assert dict(fresh_database.rows(SENT)) == {"sending": FANPAGES * PEOPLE}
    is_time(monkeypatch)
    fanpages.clerk.settle_due()
    fanpages.clerk.settle_due()
    assert times == [FANPAGES]
    assert dict(fresh_database.rows(SENT)) == {"sent": FANPAGES * PEOPLE}
    assert opt_in_states() == {"spent": FANPAGES * PEOPLE}
    now = fanpages.studio.now
    assert [allowance.allowance_of(each, now=now).used for each in fanpages.claimed] == [PEOPLE] * FANPAGES
    assert not any(fanpages.clerk.has_some_of(each) for each in fanpages.claimed)


def test_turned_down_together_each_fanpage_settles_its_own(
    fanpages: Fanpages, fresh_database: TestDatabase, monkeypatch
) -> None:
    fanpages.land_all()
    is_time(monkeypatch)
    monkeypatch.setattr(acceptances, "settle_together", made_up)
    fanpages.clerk.settle_due()
    assert dict(fresh_database.rows(SENT)) == {"sending": FANPAGES * PEOPLE}
    for settled, landing in enumerate(fanpages.landings.values(), 1):
        assert landing.knows_of_acceptances
        assert landing.settle_due()
        assert dict(fresh_database.rows(SENT))["sent"] == settled * PEOPLE
        assert not landing.knows_of_acceptances


def made_up(*_: object, **__: object) -> None:
    raise RuntimeError("made up")


def test_while_the_database_is_gone_nothing_is_forgotten(
    fanpages: Fanpages, fresh_database: TestDatabase, monkeypatch
) -> None:
    fanpages.land_all()
    is_time(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(acceptances, "settle_together", gone)
        for _ in range(3):
            with pytest.raises(OperationalError):
                fanpages.clerk.settle_due()
    assert all(each.knows_of_acceptances for each in fanpages.landings.values())
    fanpages.clerk.settle_due()
    assert dict(fresh_database.rows(SENT)) == {"sent": FANPAGES * PEOPLE}


def gone(*_: object, **__: object) -> None:
    raise OperationalError("UPDATE", None, Exception("made up"))


@pytest.mark.postgresql
def test_a_row_that_another_holds_keeps_the_others_waiting_only_for_a_moment(
    fanpages: Fanpages, fresh_database: TestDatabase, monkeypatch
) -> None:
    from core.database import engine

    first, *others = fanpages.landings
    fanpages.land_all()
    is_time(monkeypatch)
    with engine().begin() as another:
        held = fanpages.claimed[first][0].delivery_id
        another.exec_driver_sql(f"SELECT id FROM delivery WHERE id = {held} FOR UPDATE")
        fanpages.clerk.settle_due()
        for each in others:
            fanpages.landings[each].settle_due()
        assert dict(fresh_database.rows(SENT)) == {"sent": len(others) * PEOPLE, "sending": PEOPLE}
    fanpages.landings[first].settle_due()
    assert dict(fresh_database.rows(SENT)) == {"sent": FANPAGES * PEOPLE}


def test_a_refusal_is_settled_with_the_acceptances_before_it(
    fanpages: Fanpages, fresh_database: TestDatabase, monkeypatch
) -> None:
    """Else the refusals would be all that is known of a broadcast."""
    fanpage_id = next(iter(fanpages.claimed))
    mine = fanpages.claimed[fanpage_id]
    landing = fanpages.landings[fanpage_id]
    fanpages.clerk.take_in(fanpage_id, [Outcome(each, accepted(each)) for each in mine[1:]])
    settled: list[Counter[str]] = []
    own = settling.settle

    def settle(fanpage_id: int, outcomes: list[Outcome], **more: object) -> None:
        settled.append(Counter(type(each.answer).__name__ for each in outcomes))
        own(fanpage_id, outcomes, **more)

    monkeypatch.setattr(settling, "settle", settle)
    landing.take_in([Outcome(mine[0], Failure(NextStep.END_DELIVERY, "blocked", 400, 551))])
    assert landing.settle_due()
    assert settled == [{"Accepted": PEOPLE - 1, "Failure": 1}]
    assert not landing.knows_of_acceptances
    rows = "SELECT state, count(*) FROM delivery WHERE broadcast_id = {} GROUP BY state"
    found = dict(fresh_database.rows(rows.format(mine[0].broadcast_id)))
    assert found == {"sent": PEOPLE - 1, "failed": 1}


def test_what_came_in_while_it_settled_is_settled_the_next_time(
    fanpages: Fanpages, fresh_database: TestDatabase, monkeypatch
) -> None:
    fanpage_id = next(iter(fanpages.claimed))
    first, *late = (Outcome(each, accepted(each)) for each in fanpages.claimed[fanpage_id])
    together = acceptances.settle_together

    def settle(given: object, **more: object) -> None:
        together(given, **more)
        if late:
            fanpages.clerk.take_in(fanpage_id, late)
            late.clear()

    monkeypatch.setattr(acceptances, "settle_together", settle)
    monkeypatch.setattr(clerk, "FEW", 1)
    is_time(monkeypatch)
    fanpages.clerk.take_in(fanpage_id, [first])
    for settled in (1, PEOPLE):
        fanpages.clerk.settle_due()
        assert dict(fresh_database.rows(SENT))["sent"] == settled
    assert not fanpages.clerk.has_some_of(fanpage_id)
