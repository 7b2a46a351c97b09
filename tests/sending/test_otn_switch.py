"""One-time notifications are switched off for a fanpage: nobody is asked, nothing of it goes out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, queries, scheduled_jobs
from core.db.engine import transaction
from core.errors import WrongState
from core.fanpages import otn_switch
from core.fanpages.actions import resume_broadcasts
from core.fanpages.queries import get_fanpage
from core.sending.limits.fanpage_limits import stop_fanpage


def taken(studio) -> int:
    """How many messages the platform has got."""
    return sum(studio.platform.accepted.values()) + len(studio.platform.to_psids)


def off(studio) -> None:
    otn_switch.switch_otn_off(COMMAND_LINE, studio.fanpage_id, now=studio.now)


def test_what_is_being_sent_pauses_with_its_opt_ins_and_goes_on_afterwards(studio):
    studio.people(3)
    broadcast = studio.broadcast()
    studio.launch(broadcast)
    off(studio)
    studio.loop().drain()
    assert taken(studio) == 0
    assert queries.get_broadcast(broadcast).state == "paused"
    assert get_fanpage(studio.fanpage_id).otn_off_by == "command line"
    assert otn_switch.switch_otn_on(COMMAND_LINE, studio.fanpage_id, now=studio.now) == 1
    studio.loop().drain()
    assert taken(studio) == 3


def test_nothing_is_launched_scheduled_or_resumed_meanwhile(studio):
    studio.people(1)
    running = studio.broadcast()
    studio.launch(running)
    off(studio)
    later = studio.now + timedelta(hours=1)
    for action in (
        lambda: actions.launch(COMMAND_LINE, studio.broadcast(), now=studio.now),
        lambda: actions.schedule(COMMAND_LINE, studio.broadcast(), at=later, now=studio.now),
        lambda: actions.resume(COMMAND_LINE, running, now=studio.now),
    ):
        with pytest.raises(WrongState, match="turned off for this fanpage"):
            action()


def test_what_was_scheduled_before_does_not_start_while_it_is_off(studio):
    studio.people(1)
    broadcast = studio.broadcast()
    later = studio.now + timedelta(hours=1)
    actions.schedule(COMMAND_LINE, broadcast, at=later, best_before=None, now=studio.now)
    off(studio)
    scheduled_jobs.start_due(now=later)
    assert queries.get_broadcast(broadcast).state == "scheduled"
    otn_switch.switch_otn_on(COMMAND_LINE, studio.fanpage_id, now=later)
    scheduled_jobs.start_due(now=later)
    assert queries.get_broadcast(broadcast).state == "sending"


def test_the_bot_still_answers_and_another_fanpage_sends_on(studio, arrange):
    off(studio)
    studio.reply()
    studio.loop().drain()
    assert taken(studio) == 1


def test_a_fanpage_that_messenger_stopped_meanwhile_waits_for_its_repair(studio):
    studio.people(1)
    broadcast = studio.broadcast()
    studio.launch(broadcast)
    off(studio)
    with transaction() as db:
        stop_fanpage(db, studio.fanpage_id, "token_invalid", now=studio.now)
    assert otn_switch.switch_otn_on(COMMAND_LINE, studio.fanpage_id, now=studio.now) == 0
    assert queries.get_broadcast(broadcast).state == "paused"
    with transaction() as db:
        assert resume_broadcasts(db, studio.fanpage_id, studio.now) == 1
