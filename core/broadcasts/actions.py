"""What staff do with a broadcast. What the clock does is in clockwork.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlmodel import Session

from core import holding
from core.accounts.rules import Actor, Permission
from core.broadcasts import closing, drafting, rules
from core.broadcasts.rules import BroadcastState, Step
from core.broadcasts.steps import get_row, record, take_step
from core.database import DATABASE_TROUBLE, transaction
from core.engine.enqueue import enqueue
from core.engine.time_of_day import at_once
from core.errors import N_, Invalid, NotFound, WrongState
from core.tables import Broadcast, Fanpage, Topic

log = structlog.get_logger(__name__)


def create_broadcast(
    by: Actor,
    *,
    topic_id: int,
    content: dict[str, Any],
    name: str = "",
    due_at: datetime | None = None,
    best_before: datetime | None = None,
    now: datetime,
) -> int:
    """A draft for the customers who hold an opt-in for the topic; its times count once it is scheduled."""
    by.require(Permission.EDIT)
    with transaction() as db:
        topic, fanpage = _topic(db, topic_id)
        broadcast = Broadcast(
            fanpage_id=topic.fanpage_id,
            topic_id=topic_id,
            name=_checked_name(name, topic, fanpage, now),
            content=_checked_content(content),
            due_at=due_at,
            best_before=best_before,
            created_by=by.name,
            created_at=now,
            updated_at=now,
        )
        db.add(broadcast)
        db.flush()
        record(db, by, "broadcast.create", broadcast, now=now)
        return broadcast.id or 0


def copy_broadcast(by: Actor, broadcast_id: int, *, now: datetime) -> int:
    """A new draft with the same topic and content; only who opts in again will be offered it."""
    by.require(Permission.EDIT)
    with transaction() as db:
        source = get_row(db, broadcast_id)
        topic, fanpage = _topic(db, source.topic_id)
        copied = Broadcast(
            fanpage_id=source.fanpage_id,
            topic_id=source.topic_id,
            name=_checked_name("", topic, fanpage, now),
            content=source.content,
            created_by=by.name,
            created_at=now,
            updated_at=now,
        )
        db.add(copied)
        db.flush()
        record(db, by, "broadcast.copy", copied, now=now, copied_from=broadcast_id)
        return copied.id or 0


def delete_draft(by: Actor, broadcast_id: int, *, now: datetime) -> None:
    by.require(Permission.EDIT)
    with transaction() as db:
        broadcast = get_row(db, broadcast_id, lock=True)
        if broadcast.state != BroadcastState.DRAFT:
            raise WrongState(N_("Only a draft can be deleted; what was sent stays on record."))
        record(db, by, "broadcast.delete", broadcast, now=now)
        db.delete(broadcast)


def check_schedule(at: datetime | None, best_before: datetime | None, *, now: datetime) -> None:
    """Raise Invalid when these times make no sense; `at` None means now."""
    problems = drafting.check_times(at, best_before, now)
    if problems:
        raise Invalid(problems)


def schedule(
    by: Actor,
    broadcast_id: int,
    *,
    at: datetime | None,
    best_before: datetime | None = None,
    now: datetime,
) -> str:
    """Let it start at `at`, or at once when None; the worker starts it. Returns the state reached."""
    by.require(Permission.SEND)
    check_schedule(at, best_before, now=now)
    with transaction() as db:
        if at is None:
            _check_not_stopped(db, get_row(db, broadcast_id).fanpage_id)
        broadcast = take_step(db, broadcast_id, Step.SCHEDULE, now)
        _checked_content(broadcast.content)  # a draft may have been kept half written
        broadcast.due_at = at or at_once(db, now)
        broadcast.best_before = best_before
        broadcast.launched_by = by.name
        verb = "broadcast.schedule" if at else "broadcast.launch"
        record(db, by, verb, broadcast, now=now, due_at=broadcast.due_at.isoformat())
        return broadcast.state


def launch(by: Actor, broadcast_id: int, *, now: datetime) -> str:
    """Start at once, keeping a best-before that was set. Launching what is under way changes nothing."""
    by.require(Permission.SEND)
    with transaction() as db:
        broadcast = get_row(db, broadcast_id)
        if broadcast.state == BroadcastState.SENDING:
            holding.refuse_if_moving(db)
            return broadcast.state
        best_before = broadcast.best_before
    return schedule(by, broadcast_id, at=None, best_before=best_before, now=now)


def unschedule(by: Actor, broadcast_id: int, *, now: datetime) -> str:
    by.require(Permission.SEND)
    with transaction() as db:
        broadcast = take_step(db, broadcast_id, Step.UNSCHEDULE, now)
        record(db, by, "broadcast.unschedule", broadcast, now=now)
        return broadcast.state


def pause(by: Actor, broadcast_id: int, *, now: datetime) -> str:
    by.require(Permission.SEND)
    with transaction() as db:
        broadcast = take_step(db, broadcast_id, Step.PAUSE, now)
        broadcast.pause_code = None
        record(db, by, "broadcast.pause", broadcast, now=now)
        return broadcast.state


def resume(by: Actor, broadcast_id: int, *, now: datetime) -> str:
    by.require(Permission.SEND)
    with transaction() as db:
        _check_not_stopped(db, get_row(db, broadcast_id).fanpage_id)
        broadcast = take_step(db, broadcast_id, Step.RESUME, now)
        if broadcast.pause_code == rules.CANARY_FAILED:
            broadcast.canary_passed_at = now  # staff have looked at it and want the rest to go out
        broadcast.pause_code = None
        record(db, by, "broadcast.resume", broadcast, now=now)
        enqueue(db, [broadcast.fanpage_id])
        return broadcast.state


def cancel(by: Actor, broadcast_id: int, *, now: datetime) -> str:
    """End it; whoever was not tried yet keeps the opt-in. What is on its way is settled as it comes in."""
    by.require(Permission.SEND)
    with transaction() as db:  # for itself: from its commit on nothing leaves, however many are to be ended
        broadcast = take_step(db, broadcast_id, Step.CANCEL, now)
        broadcast.finished_at, broadcast.pause_code = now, None
        returned = closing.count_unused(db, broadcast_id)
        record(db, by, "broadcast.cancel", broadcast, now=now, returned=returned)
    try:
        with transaction() as db:
            closing.end_cancelled(db, get_row(db, broadcast_id, lock=True), now)
    except DATABASE_TROUBLE as problem:  # `clockwork.sweep` ends them
        log.warning("cancelled_ended_later", broadcast_id=broadcast_id, error=type(problem).__name__)
    return broadcast.state


def _check_not_stopped(db: Session, fanpage_id: int) -> None:
    if db.get_one(Fanpage, fanpage_id).stopped_code:
        raise WrongState(
            N_("Messenger has stopped this fanpage; repair it under set-up, then sending goes on.")
        )


def _topic(db: Session, topic_id: int) -> tuple[Topic, Fanpage]:
    topic = db.get(Topic, topic_id)
    if topic is None:
        raise NotFound(N_("There is no topic {id}."), id=topic_id)
    return topic, db.get_one(Fanpage, topic.fanpage_id)


def _checked_name(name: str, topic: Topic, fanpage: Fanpage, now: datetime) -> str:
    return drafting.clean_name(name, topic.name, now.astimezone(ZoneInfo(fanpage.timezone)))


def _checked_content(content: dict[str, Any]) -> dict[str, Any]:
    clean = drafting.clean_content(content)
    problems = drafting.check_content(clean)
    if problems:
        raise Invalid(problems)
    return clean
