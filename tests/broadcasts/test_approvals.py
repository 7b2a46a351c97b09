"""Whoever may not launch asks for approval, until somebody launches."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.accounts.actions import add_operator
from core.accounts.queries import ActivityFilter, list_activity
from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.broadcasts import actions
from core.broadcasts.approval_actions import ask_for_approval
from core.broadcasts.approval_queries import list_approval_requests
from core.broadcasts.drafts import get_draft
from core.errors import Changed, Invalid, WrongState
from tests.sending.conftest import Studio


def editor(studio: Studio, name: str = "vy") -> Actor:
    made = add_operator(COMMAND_LINE, name, Role.EDITOR, "correct-horse-battery", now=studio.now)
    return Actor(made.id, made.name, made.role, signed_in_at=studio.now)


def asked(studio: Studio) -> list[tuple[int, str]]:
    return [(each.broadcast_id, each.asked_by) for each in list_approval_requests(studio.fanpage_id)]


def test_a_draft_is_asked_for_until_somebody_launches_it(studio: Studio) -> None:
    studio.people(1)
    vy, broadcast_id = editor(studio), studio.broadcast()
    ask_for_approval(vy, broadcast_id, version=1, now=studio.now)
    ask_for_approval(vy, broadcast_id, version=1, now=studio.now)  # the second click of a double click
    assert asked(studio) == [(broadcast_id, "vy")]
    assert get_draft(broadcast_id).asked_at == studio.now
    actions.schedule(COMMAND_LINE, broadcast_id, at=studio.now + timedelta(hours=1), now=studio.now)
    assert asked(studio) == []
    actions.unschedule(COMMAND_LINE, broadcast_id, now=studio.now)
    assert asked(studio) == []  # who put it back decides when it is asked for again


def test_to_ask_leaves_one_line_in_the_log(studio: Studio) -> None:
    vy, broadcast_id = editor(studio), studio.broadcast()
    for _time in range(2):
        ask_for_approval(vy, broadcast_id, now=studio.now)
    verbs = [line.verb for line in list_activity(ActivityFilter(noun="broadcast"))]
    assert verbs.count("broadcast.ask_approval") == 1


def test_only_a_finished_draft_is_asked_for(studio: Studio) -> None:
    studio.people(1)
    vy = editor(studio)
    blank = actions.create_broadcast(vy, topic_id=studio.topic_id, now=studio.now)
    with pytest.raises(Invalid):
        ask_for_approval(vy, blank, now=studio.now)
    launched = studio.broadcast()
    actions.launch(COMMAND_LINE, launched, now=studio.now)
    with pytest.raises(WrongState):
        ask_for_approval(vy, launched, now=studio.now)
    assert asked(studio) == []


def test_what_was_not_looked_at_is_not_asked_for(studio: Studio) -> None:
    vy, broadcast_id = editor(studio), studio.broadcast()
    with pytest.raises((Changed, Invalid)):
        ask_for_approval(vy, broadcast_id, version=2, now=studio.now)
