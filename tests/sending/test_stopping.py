"""One button stops every send of the installation, and lets it go on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.backups import restored as restored_copy
from core.broadcasts import actions
from core.db import holding
from core.db.engine import reading, transaction
from core.db.holding import HoldCode
from core.db.tables import Activity, Operator
from core.errors import NotAllowed, WrongState
from core.installation import hold_actions
from core.sending import work_snapshot


def taken(studio) -> int:
    """How many messages the platform has got."""
    return sum(studio.platform.accepted.values()) + len(studio.platform.to_psids)


def somebody(arrange, role: Role) -> Actor:
    values = {"sessions_valid_after": arrange.now, "created_at": arrange.now, "password_hash": "x"}
    name = f"{role.value}.one"
    return Actor(arrange.save(Operator(name=name, role=role, **values)), name, role, signed_in_at=arrange.now)


def test_a_stop_holds_back_broadcasts_and_answers_and_the_release_lets_both_go(studio):
    studio.people(3)
    broadcast = studio.broadcast()
    studio.launch(broadcast)
    studio.reply()
    hold_actions.stop_sending(COMMAND_LINE, now=studio.now)
    studio.loop().drain()
    assert taken(studio) == 0
    assert work_snapshot.fanpages_with_work(now=studio.now) == []
    hold_actions.release_hold(COMMAND_LINE, now=studio.now)
    studio.loop().drain()
    assert taken(studio) == 4


def test_whoever_may_send_stops_all_and_lets_it_go_on(arrange, now):
    by = somebody(arrange, Role.SENDER)
    hold_actions.stop_sending(by, now=now)
    hold_actions.stop_sending(COMMAND_LINE, now=now)  # coming second changes nothing
    found = holding.current_hold()
    assert (found.code, found.place) == (HoldCode.STOPPED, "sender.one")
    hold_actions.release_hold(by, now=now)
    assert holding.current_hold() is None
    with reading() as db:
        verbs = [row.verb for row in db.exec(select(Activity)).all()]
    assert verbs == ["installation.stop", "installation.go_on"]


def test_an_editor_neither_stops_nor_releases(arrange, now):
    by = somebody(arrange, Role.EDITOR)
    with pytest.raises(NotAllowed):
        hold_actions.stop_sending(by, now=now)
    hold_actions.stop_sending(COMMAND_LINE, now=now)
    with pytest.raises(NotAllowed):
        hold_actions.release_hold(by, now=now)
    assert holding.current_hold() is not None


def test_the_hold_of_a_restored_copy_is_not_lifted_by_a_sender(arrange, now):
    restored_copy.hold_restored(COMMAND_LINE, now=now)
    with pytest.raises(NotAllowed):
        hold_actions.release_hold(somebody(arrange, Role.SENDER), now=now)
    with pytest.raises(WrongState, match="restored from a backup"):
        hold_actions.stop_sending(COMMAND_LINE, now=now)


def test_a_move_is_not_taken_for_a_stop(arrange, now):
    with transaction() as db:
        holding.place_hold(db, HoldCode.LEAVING, now=now, place="there")
    with pytest.raises(WrongState):
        hold_actions.stop_sending(COMMAND_LINE, now=now)
    assert holding.current_hold().code == HoldCode.LEAVING


def test_while_all_is_stopped_nothing_is_launched_but_later_may_be_scheduled(studio):
    studio.people(1)
    hold_actions.stop_sending(COMMAND_LINE, now=studio.now)
    with pytest.raises(WrongState, match="All sending was stopped by command line"):
        actions.launch(COMMAND_LINE, studio.broadcast(), now=studio.now)
    later = studio.now + timedelta(hours=3)
    assert actions.schedule(COMMAND_LINE, studio.broadcast(), at=later, now=studio.now) == "scheduled"
