"""What is scheduled is changed while it stays scheduled, and never starts half changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, queries, revisions, scheduled_jobs
from core.broadcasts.drafts import get_draft, keep_draft
from core.errors import Changed, Invalid, NotFound, WrongState
from tests.sending.conftest import Studio

NEW = {"kind": "text", "text": "Lời mới", "fallback": ""}


@pytest.fixture
def scheduled(studio: Studio) -> int:
    studio.people(2)
    broadcast_id = studio.broadcast()
    due_at = studio.now + timedelta(hours=2)
    actions.schedule(COMMAND_LINE, broadcast_id, at=due_at, now=studio.now)
    return broadcast_id


def begin(studio: Studio, broadcast_id: int, **changes: object) -> int:
    draft_id = revisions.begin(COMMAND_LINE, broadcast_id, now=studio.now)
    began = get_draft(draft_id)
    keep_draft(COMMAND_LINE, replace(began, **changes), began=began, now=studio.now)
    return draft_id


def apply(studio: Studio, draft_id: int) -> int:
    version = get_draft(draft_id).version
    return revisions.apply(COMMAND_LINE, draft_id, version=version, now=studio.now)


def test_it_stays_scheduled_and_says_the_old_until_the_changes_are_applied(studio: Studio, scheduled) -> None:
    before = queries.get_broadcast(scheduled)
    later = studio.now + timedelta(hours=5)
    draft_id = begin(studio, scheduled, content=NEW, due_at=later)
    assert queries.get_broadcast(scheduled) == before
    assert apply(studio, draft_id) == scheduled
    after = queries.get_broadcast(scheduled)
    assert (after.state, after.content, after.due_at) == ("scheduled", NEW, later)
    assert after.approved_version == after.version == before.version + 1
    with pytest.raises(NotFound):
        get_draft(draft_id)


def test_changes_do_not_move_it_to_another_fanpage(studio: Studio, scheduled) -> None:
    """Whose rules about launches nobody would have looked at."""
    elsewhere = studio.arrange.topic(studio.arrange.fanpage("Tiệm khác"))
    draft_id = begin(studio, scheduled, topic_id=elsewhere)
    with pytest.raises(WrongState, match="stays with its fanpage"):
        apply(studio, draft_id)
    assert queries.get_broadcast(scheduled).topic_id == studio.topic_id


def test_two_who_begin_write_the_same_draft(studio: Studio, scheduled) -> None:
    assert begin(studio, scheduled) == begin(studio, scheduled)


def test_what_has_started_meanwhile_is_not_changed_and_the_draft_is_kept(studio: Studio, scheduled) -> None:
    draft_id = begin(studio, scheduled, content=NEW)
    studio.pass_time(hours=3)
    scheduled_jobs.start_due(now=studio.now)
    with pytest.raises(WrongState):
        apply(studio, draft_id)
    assert queries.get_broadcast(scheduled).content != NEW
    assert get_draft(draft_id).content == NEW
    later = studio.now + timedelta(hours=1)
    actions.schedule(COMMAND_LINE, draft_id, at=later, now=studio.now)  # a broadcast of its own now
    assert get_draft(draft_id).revises_id is None


def test_the_draft_of_changes_does_not_start_beside_what_it_changes(studio: Studio, scheduled) -> None:
    draft_id = begin(studio, scheduled, content=NEW)
    with pytest.raises(WrongState):
        actions.launch(COMMAND_LINE, draft_id, now=studio.now)


def test_what_was_moved_in_another_way_meanwhile_is_not_moved_back(studio: Studio, scheduled) -> None:
    draft_id = begin(studio, scheduled, content=NEW)
    moved = studio.now + timedelta(hours=9)
    actions.schedule(COMMAND_LINE, scheduled, at=moved, now=studio.now)
    with pytest.raises(WrongState):
        apply(studio, draft_id)
    assert queries.get_broadcast(scheduled).due_at == moved


def test_only_the_version_that_was_looked_at_is_applied(studio: Studio, scheduled) -> None:
    draft_id = begin(studio, scheduled)
    looked_at = get_draft(draft_id)
    keep_draft(COMMAND_LINE, replace(looked_at, content=NEW), began=looked_at, now=studio.now)
    with pytest.raises(Changed):
        revisions.apply(COMMAND_LINE, draft_id, version=looked_at.version, now=studio.now)


def test_half_written_changes_are_refused_and_change_nothing(studio: Studio, scheduled) -> None:
    before = queries.get_broadcast(scheduled)
    draft_id = begin(studio, scheduled, content={"kind": "text", "text": "", "fallback": ""})
    with pytest.raises(Invalid):
        apply(studio, draft_id)
    assert queries.get_broadcast(scheduled) == before


def test_deleting_the_draft_leaves_what_is_scheduled(studio: Studio, scheduled) -> None:
    draft_id = begin(studio, scheduled, content=NEW)
    actions.delete_draft(COMMAND_LINE, draft_id, now=studio.now)
    assert queries.get_broadcast(scheduled).state == "scheduled"
