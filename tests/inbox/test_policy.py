"""What Meta says about the fanpage itself: a block stops it, and whoever looks sees it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.broadcasts import actions as broadcasts
from core.db.engine import reading, transaction
from core.db.tables import Activity, Broadcast, Event
from core.errors import NotAllowed
from core.fanpages.actions import see_policy
from core.fanpages.queries import get_fanpage
from tests.inbox.platform import event

BLOCK = {"action": "block", "reason": "spam"}
UNBLOCK = {"action": "unblock"}


@pytest.fixture
def sending(arrange, fanpage, now) -> int:
    """A broadcast under way."""
    topic_id = arrange.topic(fanpage)
    made = broadcasts.create_broadcast(
        COMMAND_LINE, topic_id=topic_id, content={"kind": "text", "text": "Hàng đã về"}, now=now
    )
    with transaction() as db:
        db.get_one(Broadcast, made).state = "sending"
    return made


@pytest.mark.parametrize("key", ["policy_enforcement", "policy-enforcement"])
def test_a_block_stops_the_fanpage_and_tells_staff(fanpage, sending, receive, now, key):
    receive(event(None, now, **{key: BLOCK}))

    shown = get_fanpage(fanpage)
    assert (shown.stopped_code, shown.stopped_at) == ("restricted", now)
    assert (shown.policy.action, shown.policy.reason, shown.policy.is_seen) == ("block", "spam", False)
    with reading() as db:
        assert db.get_one(Broadcast, sending).state == "paused"
        verbs = db.exec(select(Activity.verb).order_by(Activity.id)).all()
    assert verbs[-2:] == ["fanpage.policy", "fanpage.stop"]


def test_both_spellings_of_one_event_are_one(fanpage, receive, now):
    receive(event(None, now, **{"policy_enforcement": BLOCK}))
    receive(event(None, now, **{"policy-enforcement": BLOCK}))

    with reading() as db:
        assert len(db.exec(select(Event)).all()) == 1


@pytest.mark.parametrize("action", ["warning", "unblock", "something new"])
def test_only_a_block_stops(fanpage, sending, receive, now, action):
    receive(event(None, now, policy_enforcement={"action": action, "reason": "spam"}))

    shown = get_fanpage(fanpage)
    assert shown.stopped_code is None
    assert (shown.policy.action, shown.policy.is_seen) == (action, False)
    with reading() as db:
        assert db.get_one(Broadcast, sending).state == "sending"


def test_a_block_that_comes_after_the_word_that_it_is_lifted_stops_nothing(fanpage, receive, now):
    receive(event(None, now, policy_enforcement=UNBLOCK))
    receive(event(None, now - timedelta(hours=1), policy_enforcement=BLOCK))

    shown = get_fanpage(fanpage)
    assert (shown.stopped_code, shown.policy.action) == (None, "unblock")


@pytest.mark.parametrize(
    "word", [{"action": "warning", "reason": "a"}, {"action": "something new"}, {"action": "UNBLOCKED"}]
)
@pytest.mark.parametrize("later", [timedelta(0), timedelta(seconds=4)])
def test_only_a_newer_block_or_unblock_makes_a_block_void(fanpage, receive, now, word, later):
    receive(event(None, now + later - timedelta(hours=1), policy_enforcement=word))
    receive(event(None, now - timedelta(hours=1), policy_enforcement={"action": "Block", "reason": "spam"}))

    shown = get_fanpage(fanpage)
    assert (shown.stopped_code, shown.policy.action, shown.policy.reason) == ("restricted", "block", "spam")


def test_a_report_does_not_hide_a_block_that_comes_late(fanpage, receive, now):
    receive({"timestamp": int(now.timestamp()) - 60, "status": "restricted", "violations": []})
    receive(event(None, now - timedelta(hours=1), policy_enforcement=BLOCK))

    assert get_fanpage(fanpage).stopped_code == "restricted"


def test_an_unblock_leaves_it_to_a_person_to_go_on(fanpage, receive, now):
    receive(event(None, now - timedelta(hours=1), policy_enforcement=BLOCK))
    receive(event(None, now, policy_enforcement=UNBLOCK))

    shown = get_fanpage(fanpage)
    assert (shown.stopped_code, shown.policy.action) == ("restricted", "unblock")


def test_what_staff_have_read_comes_up_again_only_with_the_next_word(fanpage, receive, now):
    receive(event(None, now - timedelta(hours=1), policy_enforcement={"action": "warning", "reason": "a"}))
    see_policy(COMMAND_LINE, fanpage, now=now)
    assert get_fanpage(fanpage).policy.is_seen

    receive(event(None, now, policy_enforcement={"action": "warning", "reason": "b"}))
    assert not get_fanpage(fanpage).policy.is_seen


def test_a_viewer_cannot_put_it_away(fanpage, receive, now):
    receive(event(None, now, policy_enforcement=BLOCK))
    with pytest.raises(NotAllowed):
        see_policy(Actor(None, "xem", Role.VIEWER), fanpage, now=now)


def test_a_report_on_the_fanpages_integrity_is_shown_and_stops_nothing(fanpage, sending, receive, now):
    violations = [{"type": "CYBERSECURITY"}]
    receive({"timestamp": int(now.timestamp()), "status": "restricted", "violations": violations})

    shown = get_fanpage(fanpage)
    assert (shown.policy.action, shown.policy.reason) == ("integrity", "restricted: CYBERSECURITY")
    assert shown.stopped_code is None
