"""A held installation sends nothing and starts nothing, and takes everything in until it has moved."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from core.accounts import actions as accounts
from core.accounts import sessions, sign_in
from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.accounts.session_queries import find_session
from core.backups import restored as restored_copy
from core.broadcasts import actions, queries, scheduled_jobs
from core.db import holding
from core.db.engine import transaction
from core.db.holding import HoldCode
from core.db.tables import Customer, Fanpage
from core.errors import Held, NotAllowed, WrongState
from core.installation import hold_actions
from core.installation.heartbeat import WEBHOOK, HeartbeatWriter
from tests.sending.conftest import Studio, call_threads, studio  # noqa: F401


def held(code: HoldCode, now) -> None:
    with transaction() as db:
        holding.place_hold(db, code, now=now, place="db.example/otn")


def test_a_restored_copy_sends_nothing_until_an_admin_says_so(studio: Studio, now) -> None:  # noqa: F811
    studio.people(3)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    restored_copy.hold_restored(COMMAND_LINE, now=now)
    with pytest.raises(WrongState):
        restored_copy.hold_restored(COMMAND_LINE, now=now)
    studio.send_all(rounds=2)
    assert studio.platform.tries.total() == 0
    assert studio.show(broadcast_id).counts["queued"] == 3
    with pytest.raises(NotAllowed):
        hold_actions.release_hold(Actor(None, "lan", Role.SENDER), now=now)
    hold_actions.release_hold(COMMAND_LINE, now=now)
    studio.send_all(rounds=2)
    assert studio.platform.accepted.total() == 3
    with pytest.raises(WrongState):
        hold_actions.release_hold(COMMAND_LINE, now=now)


def test_what_becomes_due_while_held_starts_after_the_release(studio: Studio, now) -> None:  # noqa: F811
    studio.people(2)
    broadcast_id = studio.broadcast()
    held(HoldCode.RESTORED, now)
    actions.schedule(COMMAND_LINE, broadcast_id, at=None, now=now)
    assert scheduled_jobs.start_due(now=now) == []
    hold_actions.release_hold(COMMAND_LINE, now=now)
    assert scheduled_jobs.start_due(now=now) == [broadcast_id]
    assert queries.get_broadcast(broadcast_id).state == "sending"


def test_a_loop_that_is_sending_hands_back_what_it_holds(studio: Studio, now) -> None:  # noqa: F811
    studio.people(200)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)

    def fault(token: str, nth: int) -> None:
        if token == "token-40":
            held(HoldCode.LEAVING, now)

    studio.platform.fault = fault
    studio.loop().drain()
    counts = studio.show(broadcast_id).counts
    assert counts["sending"] == 0
    assert 0 < counts["sent"] < 200
    assert counts["sent"] + counts["queued"] == 200


@pytest.mark.sqlite
def test_a_closed_database_takes_in_nothing_but_lets_staff_sign_in_and_look(arrange, now) -> None:
    arrange.fanpage()
    accounts.add_operator(COMMAND_LINE, "lan", "admin", "correct-horse-battery", now=now)
    with transaction() as db:
        holding.place_hold(db, HoldCode.MOVED, now=now, place="db.example/o'tn")
        holding.close_database(db, "db.example/o'tn")
    with pytest.raises(Held, match=r"db\.example/o'tn"):
        arrange.customer(1)
    with pytest.raises(Held), transaction() as db:
        db.get_one(Fanpage, 1).name = "other"
    with pytest.raises(Held):
        accounts.add_operator(COMMAND_LINE, "mai", "admin", "correct-horse-battery", now=now)
    sign_in.begin_sign_in("lan", "10.0.0.1", now=now)
    ticket = sign_in.complete_sign_in("lan", "10.0.0.1", now=now)
    [session] = [find_session(sessions.hash_of(sessions.trade_ticket(ticket, now=now)), now)]
    assert session.operator.name == "lan"
    sessions.sign_out(session.actor, now=now)
    HeartbeatWriter(WEBHOOK, lambda: now).beat()
    hold_actions.release_hold(COMMAND_LINE, now=now, although_moved=True)
    arrange.customer(1)


def test_other_broken_constraints_are_told_as_they_are(arrange, now) -> None:
    fanpage_id = arrange.fanpage()
    with pytest.raises(IntegrityError), transaction() as db:
        db.add_all([Customer(fanpage_id=fanpage_id, psid="1", created_at=now) for _ in range(2)])
