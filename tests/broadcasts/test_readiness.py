"""A broadcast's buttons lead somewhere, its topic is in use; neither is archived while it is needed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions
from core.broadcasts.draft_rules import BLANK
from core.broadcasts.drafts import get_draft, keep_draft
from core.broadcasts.readiness import find_problems, refuse_unready
from core.broadcasts.topic_archiving import Uses, archive_topic
from core.conversation import actions as conversation
from core.conversation.references import TAPPED_FOR
from core.db.engine import reading, transaction
from core.db.tables import Activity, Broadcast, Message, Topic
from core.errors import Invalid, WrongState
from tests.arrange import Arrange
from tests.processes import until

DAY = timedelta(days=1)


@pytest.fixture
def fanpage_id(arrange: Arrange) -> int:
    return arrange.fanpage()


@pytest.fixture
def topic_id(arrange: Arrange, fanpage_id: int) -> int:
    return arrange.topic(fanpage_id)


def message(arrange: Arrange, fanpage_id: int, **more: object) -> int:
    values = {"name": "Bảng giá", "created_at": arrange.now, "updated_at": arrange.now}
    return arrange.save(Message(fanpage_id=fanpage_id, published=1, **{**values, **more}))


def leading_to(message_id: int) -> dict[str, object]:
    return {"kind": "buttons", "text": "Xem", "buttons": [{"title": "Giá", "message_id": message_id}]}


def broadcast(arrange: Arrange, topic_id: int, content: dict[str, object], **more: object) -> int:
    with reading() as db:
        fanpage_id = db.get(Topic, topic_id).fanpage_id
    values = {"name": "Tết", "created_at": arrange.now, "updated_at": arrange.now, **more}
    return arrange.save(Broadcast(fanpage_id=fanpage_id, topic_id=topic_id, content=content, **values))


@pytest.mark.parametrize("wrong", ["archived", "missing", "of another fanpage"])
def test_a_button_that_leads_nowhere_is_refused_at_every_door(arrange, fanpage_id, topic_id, wrong):
    now = arrange.now
    made = {
        "archived": lambda: message(arrange, fanpage_id, archived_at=now),
        "missing": lambda: 404,
        "of another fanpage": lambda: message(arrange, arrange.fanpage("B")),
    }
    content = leading_to(made[wrong]())
    with pytest.raises(Invalid, match="no longer exists"):
        actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content=content, now=now)
    draft = broadcast(arrange, topic_id, content)
    for step in (
        lambda: actions.schedule(COMMAND_LINE, draft, at=now + DAY, now=now),
        lambda: actions.schedule(COMMAND_LINE, draft, at=None, now=now),
        lambda: actions.launch(COMMAND_LINE, draft, now=now),
    ):
        with pytest.raises(Invalid, match="no longer exists"):
            step()
    assert [found.field for found in find_problems(topic_id, content)] == ["buttons"]
    assert get_draft(draft).state == "draft"


def test_buttons_are_looked_at_again_when_a_draft_moves_to_another_fanpage(arrange, fanpage_id, topic_id):
    now, content = arrange.now, leading_to(message(arrange, fanpage_id))
    draft = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content=content, now=now)
    elsewhere = arrange.topic(arrange.fanpage("B"), "Khác")
    with transaction() as db:
        row = db.get(Broadcast, draft)
        row.topic_id, row.fanpage_id = elsewhere, db.get(Topic, elsewhere).fanpage_id
    with pytest.raises(Invalid, match="no longer exists"):
        actions.launch(COMMAND_LINE, draft, now=now)


def test_what_was_archived_after_the_draft_was_written_keeps_it_from_being_launched(
    arrange, fanpage_id, topic_id
):
    now, target = arrange.now, message(arrange, fanpage_id)
    draft = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content=leading_to(target), now=now)
    conversation.archive_message(COMMAND_LINE, target, now=now)
    archive_topic(COMMAND_LINE, topic_id, now=now)
    with pytest.raises(Invalid, match=r"archived.*no longer exists"):
        actions.launch(COMMAND_LINE, draft, now=now)
    fields = [found.field for found in find_problems(topic_id, leading_to(target))]
    assert fields == ["topic_id", "buttons"]


def test_nothing_new_is_made_of_an_archived_topic_by_whatever_door(arrange, topic_id):
    archive_topic(COMMAND_LINE, topic_id, now=arrange.now)
    for content in (None, {"kind": "text", "text": "Hàng về"}):
        with pytest.raises(Invalid, match="archived"):
            actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content=content, now=arrange.now)


def test_blank_or_written_a_broadcast_is_made_and_recorded_alike(arrange, topic_id):
    now = arrange.now
    blank = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, now=now)
    actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content={"kind": "text", "text": "A"}, now=now)
    assert get_draft(blank).content == BLANK
    with reading() as db:
        said = db.execute(select(Activity.verb, Activity.subject, Activity.fanpage_id, Activity.detail)).all()
    assert said[0] == said[1]
    with pytest.raises(Invalid):
        actions.launch(COMMAND_LINE, blank, now=now)
    draft = get_draft(blank)
    keep_draft(COMMAND_LINE, draft, began=draft, now=now)  # half written it may stay


@pytest.mark.parametrize(
    ("state", "times", "is_kept"),
    [
        ("draft", {}, False),
        ("scheduled", {}, True),
        ("sending", {}, True),
        ("paused", {}, True),
        ("missed", {}, False),
        ("finished", {"started_at": -31 * DAY, "finished_at": DAY - TAPPED_FOR}, True),
        ("finished", {"started_at": -31 * DAY, "finished_at": -TAPPED_FOR}, False),
        ("cancelled", {"started_at": -DAY, "finished_at": -DAY}, True),
        ("cancelled", {"finished_at": -DAY}, False),  # before it started: nobody has its button
    ],
)
def test_a_message_is_not_archived_while_customers_may_tap_to_it(
    arrange, fanpage_id, topic_id, state, times, is_kept
):
    now, target = arrange.now, message(arrange, fanpage_id)
    moments = {name: now + ago for name, ago in times.items()}
    broadcast(arrange, topic_id, leading_to(target), state=state, **moments)
    broadcast(arrange, topic_id, leading_to(message(arrange, fanpage_id)), state="sending", name="Khác")
    if is_kept:
        with pytest.raises(WrongState, match="“Tết”") as refused:
            conversation.archive_message(COMMAND_LINE, target, now=now)
        assert "Khác" not in refused.value.message
    else:
        conversation.archive_message(COMMAND_LINE, target, now=now)


def waits() -> bool:
    waiting = """SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    with reading() as db:
        return db.execute(text(waiting)).first() is not None


@pytest.mark.parametrize("what", ["message", "topic"])
def test_what_a_launch_relies_on_is_not_archived_beside_it(
    arrange, fanpage_id, topic_id, what, fresh_database
):
    now, target = arrange.now, message(arrange, fanpage_id)
    draft = broadcast(arrange, topic_id, leading_to(target))
    archive = {
        "message": lambda: conversation.archive_message(COMMAND_LINE, target, now=now),
        "topic": lambda: archive_topic(COMMAND_LINE, topic_id, seen=Uses(), now=now),
    }
    with ThreadPoolExecutor(1) as pool:
        with transaction() as db:
            row = db.get(Broadcast, draft)
            row.state = "scheduled"
            db.flush()
            refuse_unready(db, row)
            archiving = pool.submit(archive[what])
            if not fresh_database.is_sqlite:
                until(waits, what="the archiving waits for the launch")
        with pytest.raises(WrongState, match=r"Tết|changed in the meantime"):
            archiving.result()


@pytest.mark.parametrize("what", ["message", "topic"])
def test_what_is_being_archived_is_not_launched_beside_it(
    arrange, fanpage_id, topic_id, what, fresh_database
):
    now, target = arrange.now, message(arrange, fanpage_id)
    draft = broadcast(arrange, topic_id, leading_to(target))
    with ThreadPoolExecutor(1) as pool:
        with transaction() as db:
            row = db.get(Message, target) if what == "message" else db.get(Topic, topic_id)
            row.archived_at = now
            db.flush()
            launched = pool.submit(actions.launch, COMMAND_LINE, draft, now=now)
            if not fresh_database.is_sqlite:
                until(waits, what="the launch waits for the archiving")
        with pytest.raises(Invalid):
            launched.result()
