"""A broadcast's way through its states: what staff and the clock may do, and what changes nothing."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.backups import restored as restored_copy
from core.broadcasts import actions, drafts, queries, scheduled_jobs
from core.broadcasts.rules import BroadcastState
from core.broadcasts.transitions import TRANSITIONS, Transition
from core.db.engine import reading, transaction
from core.db.tables import Activity, Broadcast, Fanpage
from core.errors import Invalid, NotAllowed, NotFound, WrongState
from core.sending.limits import fanpage_limits
from tests.databases import TestDatabase
from tests.sending.conftest import Studio

TEXT = {"kind": "text", "text": "Hàng mới đã về!"}
EDITOR = Actor(None, "editor.one", Role.EDITOR)
VIEWER = Actor(None, "viewer.one", Role.VIEWER)
HOUR = timedelta(hours=1)


def put(broadcast_id: int, **values: object) -> None:
    with transaction() as db:
        for name, value in values.items():
            setattr(db.get(Broadcast, broadcast_id), name, value)


def state_of(broadcast_id: int) -> str:
    return queries.get_broadcast(broadcast_id).state


def test_a_draft_holds_nothing_and_is_named_after_its_topic(studio: Studio, opt_in_states) -> None:
    studio.people(3)
    view = studio.show(studio.broadcast())
    assert (view.state, view.audience, view.name) == (
        "draft",
        0,
        "KH nhận khuyến mãi SP mới – 22/11/2026 16:00",  # the fanpage's clock
    )
    assert opt_in_states() == {"available": 3}


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "otnr", "title": "Báo tôi"},
        {"kind": "quick_replies", "text": "Size?", "replies": []},
        {"kind": "text", "text": " "},
        {"kind": "text", "text": "x" * 2000},
        {"kind": "image", "url": "anh.jpg"},
        {"kind": "buttons", "text": "Xem", "buttons": []},
        {},
    ],
)
def test_only_one_sendable_message_is_accepted(studio: Studio, content: dict) -> None:
    with pytest.raises(Invalid):
        actions.create_broadcast(COMMAND_LINE, topic_id=studio.topic_id, content=content, now=studio.now)
    assert len(queries.list_broadcasts(None)) == 0


def test_a_draft_can_be_changed_and_deleted_but_nothing_later(studio: Studio) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    other = {"kind": "image", "url": "https://hoa.vn/a.jpg"}
    began = drafts.get_draft(broadcast_id)
    changed = replace(began, content=other, name="Tết")
    drafts.keep_draft(EDITOR, changed, began=began, now=studio.now)
    assert (studio.show(broadcast_id).name, studio.show(broadcast_id).content) == ("Tết", other)
    studio.launch(broadcast_id)
    with pytest.raises(WrongState):
        drafts.keep_draft(EDITOR, changed, began=began, now=studio.now)
    with pytest.raises(WrongState):
        actions.delete_draft(EDITOR, broadcast_id, now=studio.now)
    draft = studio.broadcast()
    actions.delete_draft(EDITOR, draft, now=studio.now)
    with pytest.raises(NotFound):
        queries.get_broadcast(draft)


def test_a_start_in_the_past_or_after_the_best_before_is_refused(studio: Studio) -> None:
    broadcast_id = studio.broadcast()
    for times in (
        {"at": studio.now - HOUR},
        {"at": studio.now + 2 * HOUR, "best_before": studio.now + HOUR},
        {"at": None, "best_before": studio.now},
    ):
        with pytest.raises(Invalid):
            actions.schedule(COMMAND_LINE, broadcast_id, **times, now=studio.now)
    assert state_of(broadcast_id) == "draft"


def test_a_half_written_draft_is_not_scheduled(studio: Studio) -> None:
    broadcast_id = studio.broadcast()
    put(broadcast_id, content={"kind": "text", "text": ""})
    with pytest.raises(Invalid):
        actions.launch(COMMAND_LINE, broadcast_id, now=studio.now)
    assert state_of(broadcast_id) == "draft"


def test_it_starts_at_its_time_and_not_before(studio: Studio) -> None:
    studio.people(2)
    broadcast_id = studio.broadcast()
    actions.schedule(COMMAND_LINE, broadcast_id, at=studio.now + HOUR, now=studio.now)
    assert scheduled_jobs.start_due(now=studio.now + HOUR - timedelta(seconds=1)) == []
    assert scheduled_jobs.start_due(now=studio.now + HOUR) == [broadcast_id]
    assert studio.show(broadcast_id).audience == 2


@pytest.mark.postgresql
def test_a_launch_from_a_machine_whose_clock_is_ahead_starts_at_once_all_the_same(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    (said,) = fresh_database.rows("SELECT clock_timestamp()")[0]
    actions.schedule(COMMAND_LINE, broadcast_id, at=None, now=said + HOUR)
    scheduled_jobs.start_due(now=said + timedelta(minutes=5))
    assert state_of(broadcast_id) == BroadcastState.SENDING


def test_launching_twice_is_launching_once(studio: Studio, opt_in_states) -> None:
    studio.people(2)
    broadcast_id = studio.broadcast()
    assert actions.launch(COMMAND_LINE, broadcast_id, now=studio.now) == "scheduled"
    assert actions.launch(COMMAND_LINE, broadcast_id, now=studio.now) == "scheduled"
    scheduled_jobs.start_due(now=studio.now)
    assert actions.launch(COMMAND_LINE, broadcast_id, now=studio.now) == "sending"
    assert scheduled_jobs.start_due(now=studio.now) == []
    assert studio.show(broadcast_id).counts["queued"] == 2
    assert opt_in_states() == {"reserved": 2}


@pytest.mark.parametrize("state", list(BroadcastState))
@pytest.mark.parametrize(
    ("step", "action"),
    [
        (Transition.UNSCHEDULE, actions.unschedule),
        (Transition.PAUSE, actions.pause),
        (Transition.RESUME, actions.resume),
        (Transition.CANCEL, actions.cancel),
    ],
)
def test_each_step_leaves_only_the_states_it_may(studio: Studio, state, step, action) -> None:
    broadcast_id = studio.broadcast()
    put(broadcast_id, state=state)
    sources, target = TRANSITIONS[step]
    if state in sources:
        assert action(COMMAND_LINE, broadcast_id, now=studio.now) == target
    else:
        with pytest.raises(WrongState):
            action(COMMAND_LINE, broadcast_id, now=studio.now)
        assert state_of(broadcast_id) == state


@pytest.mark.parametrize("paused", [False, True])
def test_cancelling_returns_what_was_not_tried(studio: Studio, opt_in_states, paused: bool) -> None:
    studio.people(4)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    if paused:
        actions.pause(COMMAND_LINE, broadcast_id, now=studio.now)
    actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now)
    view = studio.show(broadcast_id)
    assert (view.state, view.counts["cancelled"], view.reasons) == ("cancelled", 4, {"cancelled": 4})
    assert view.balances
    assert opt_in_states() == {"available": 4}


def test_nobody_gets_anything_while_it_is_paused(studio: Studio) -> None:
    studio.people(3)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    actions.pause(COMMAND_LINE, broadcast_id, now=studio.now)
    studio.send_all(rounds=2)
    assert studio.show(broadcast_id).counts["queued"] == 3
    actions.resume(COMMAND_LINE, broadcast_id, now=studio.now)
    studio.send_all(rounds=2)
    assert (studio.show(broadcast_id).state, studio.show(broadcast_id).counts["sent"]) == ("finished", 3)


def test_a_fanpage_that_messenger_stopped_neither_starts_nor_resumes(studio: Studio) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    actions.pause(COMMAND_LINE, broadcast_id, now=studio.now)
    with transaction() as db:
        db.get(Fanpage, studio.fanpage_id).stopped_code = "restricted"
    with pytest.raises(WrongState, match="not accepting messages from this fanpage"):
        actions.resume(COMMAND_LINE, broadcast_id, now=studio.now)
    waiting = studio.broadcast()
    with pytest.raises(WrongState, match="not accepting messages from this fanpage"):
        actions.launch(COMMAND_LINE, waiting, now=studio.now)
    later = studio.now + HOUR
    actions.schedule(COMMAND_LINE, waiting, at=later, now=studio.now)  # it may be repaired by then
    assert scheduled_jobs.start_due(now=later) == []
    assert state_of(waiting) == "scheduled"


@pytest.mark.parametrize("change", ["put off", "fanpage stopped", "installation held"])
def test_what_changed_since_the_clock_read_its_list_is_heeded(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    actions.schedule(COMMAND_LINE, broadcast_id, at=None, now=studio.now)
    changing = [broadcast_id]

    def change_first() -> AbstractContextManager[Session]:  # as while one before it is built
        if changing:
            change_it(changing.pop())
        return transaction()

    def change_it(of: int) -> None:
        if change == "put off":
            actions.schedule(COMMAND_LINE, of, at=studio.now + HOUR, now=studio.now)
        elif change == "fanpage stopped":
            with transaction() as db:
                fanpage_limits.stop_fanpage(db, studio.fanpage_id, "restricted", now=studio.now)
        else:
            restored_copy.hold_restored(COMMAND_LINE, now=studio.now)

    with monkeypatch.context() as patch:
        patch.setattr(scheduled_jobs, "transaction", change_first)
        assert scheduled_jobs.start_due(now=studio.now) == []
    assert state_of(broadcast_id) == "scheduled"
    if change == "put off":
        assert scheduled_jobs.start_due(now=studio.now + HOUR) == [broadcast_id]


def test_what_could_not_start_before_its_best_before_is_missed(studio: Studio, opt_in_states) -> None:
    studio.people(2)
    broadcast_id = studio.broadcast()
    start, late = studio.now + HOUR, studio.now + 2 * HOUR
    actions.schedule(COMMAND_LINE, broadcast_id, at=start, best_before=late, now=studio.now)
    assert scheduled_jobs.start_due(now=late) == []  # never a surprise
    scheduled_jobs.end_too_late(now=late)
    assert state_of(broadcast_id) == "missed"
    assert opt_in_states() == {"available": 2}
    with pytest.raises(Invalid):  # the old best-before is over
        actions.launch(COMMAND_LINE, broadcast_id, now=late)
    anew = late + HOUR
    assert actions.schedule(COMMAND_LINE, broadcast_id, at=None, best_before=anew, now=late) == "scheduled"
    assert scheduled_jobs.start_due(now=late) == [broadcast_id]


def test_a_copy_is_a_new_draft_that_only_new_opt_ins_can_get(studio: Studio) -> None:
    studio.people(2)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id, best_before=studio.now + HOUR)
    studio.send_all(rounds=1)
    copied = actions.copy_broadcast(EDITOR, broadcast_id, now=studio.now)
    first, second = studio.show(broadcast_id), studio.show(copied)
    assert (second.state, second.content, second.topic_id) == ("draft", first.content, first.topic_id)
    assert (second.due_at, second.best_before, second.launched_by) == (None, None, "")
    studio.opt_in("token-new")
    studio.launch(copied)
    assert studio.show(copied).audience == 1


def test_editors_draft_senders_send(studio: Studio) -> None:
    broadcast_id = studio.broadcast()
    for action in (actions.launch, actions.pause, actions.resume, actions.cancel, actions.unschedule):
        with pytest.raises(NotAllowed):
            action(EDITOR, broadcast_id, now=studio.now)
    for action in (actions.copy_broadcast, actions.delete_draft):
        with pytest.raises(NotAllowed):
            action(VIEWER, broadcast_id, now=studio.now)
    assert state_of(broadcast_id) == "draft"


def test_every_step_is_written_down(studio: Studio) -> None:
    studio.people(1)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    actions.pause(COMMAND_LINE, broadcast_id, now=studio.now)
    actions.resume(COMMAND_LINE, broadcast_id, now=studio.now)
    actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now)
    with reading() as db:
        mine = select(col(Activity.verb)).where(col(Activity.subject_id) == broadcast_id)
        verbs = [verb.removeprefix("broadcast.") for verb in db.scalars(mine.order_by(col(Activity.id)))]
    assert verbs == ["create", "launch", "start", "pause", "resume", "cancel"]


def test_an_unknown_topic_or_broadcast_is_named(studio: Studio) -> None:
    with pytest.raises(NotFound, match="no topic 99"):
        actions.create_broadcast(COMMAND_LINE, topic_id=99, content=TEXT, now=studio.now)
    with pytest.raises(NotFound, match="no broadcast 99"):
        actions.pause(COMMAND_LINE, 99, now=studio.now)
