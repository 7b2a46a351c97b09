"""What staff do with a broadcast, and what the clock does: start, end what is too late, finish."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import CursorResult, func, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, insert

from core import activity
from core.accounts.rules import SYSTEM, Actor, Permission
from core.broadcasts import audience, canary, closing, drafting, rules
from core.broadcasts.rules import STEPS, BroadcastState, DeliveryState, Step
from core.consent import ledger
from core.database import reading, transaction
from core.errors import N_, Invalid, NotFound, WrongState, problem
from core.tables import Broadcast, Delivery, Fanpage, Topic

log = structlog.get_logger(__name__)

SWEPT = timedelta(days=2)  # how long after its end a broadcast is still looked at


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
        _record(db, by, "broadcast.create", broadcast, now=now)
        return broadcast.id or 0


def change_broadcast(
    by: Actor,
    broadcast_id: int,
    *,
    topic_id: int,
    content: dict[str, Any],
    name: str = "",
    due_at: datetime | None = None,
    best_before: datetime | None = None,
    now: datetime,
) -> None:
    """Change a draft; anything later is refused, people may be getting it already."""
    by.require(Permission.EDIT)
    with transaction() as db:
        broadcast = _get(db, broadcast_id, lock=True)
        if broadcast.state != BroadcastState.DRAFT:
            raise WrongState(N_("Only a draft can be changed; put the broadcast back to draft first."))
        topic, fanpage = _topic(db, topic_id)
        broadcast.topic_id, broadcast.fanpage_id = topic_id, topic.fanpage_id
        broadcast.name = _checked_name(name, topic, fanpage, now)
        broadcast.content = _checked_content(content)
        broadcast.due_at, broadcast.best_before = due_at, best_before
        broadcast.updated_at = now
        _record(db, by, "broadcast.change", broadcast, now=now)


def copy_broadcast(by: Actor, broadcast_id: int, *, now: datetime) -> int:
    """A new draft with the same topic and content; only who opts in again will be offered it."""
    by.require(Permission.EDIT)
    with transaction() as db:
        source = _get(db, broadcast_id)
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
        _record(db, by, "broadcast.copy", copied, now=now, copied_from=broadcast_id)
        return copied.id or 0


def delete_draft(by: Actor, broadcast_id: int, *, now: datetime) -> None:
    by.require(Permission.EDIT)
    with transaction() as db:
        broadcast = _get(db, broadcast_id, lock=True)
        if broadcast.state != BroadcastState.DRAFT:
            raise WrongState(N_("Only a draft can be deleted; what was sent stays on record."))
        _record(db, by, "broadcast.delete", broadcast, now=now)
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
            _check_not_stopped(db, _get(db, broadcast_id).fanpage_id)
        broadcast = _step(db, broadcast_id, Step.SCHEDULE, now)
        _checked_content(broadcast.content)  # a draft may have been kept half written
        broadcast.due_at = at or now
        broadcast.best_before = best_before
        broadcast.launched_by = by.name
        verb = "broadcast.schedule" if at else "broadcast.launch"
        _record(db, by, verb, broadcast, now=now, due_at=broadcast.due_at.isoformat())
        return broadcast.state


def launch(by: Actor, broadcast_id: int, *, now: datetime) -> str:
    """Start at once, keeping a best-before that was set. Launching what is under way changes nothing."""
    by.require(Permission.SEND)
    with transaction() as db:
        broadcast = _get(db, broadcast_id)
        if broadcast.state == BroadcastState.SENDING:
            return broadcast.state
        best_before = broadcast.best_before
    return schedule(by, broadcast_id, at=None, best_before=best_before, now=now)


def unschedule(by: Actor, broadcast_id: int, *, now: datetime) -> str:
    by.require(Permission.SEND)
    with transaction() as db:
        broadcast = _step(db, broadcast_id, Step.UNSCHEDULE, now)
        _record(db, by, "broadcast.unschedule", broadcast, now=now)
        return broadcast.state


def pause(by: Actor, broadcast_id: int, *, now: datetime) -> str:
    by.require(Permission.SEND)
    with transaction() as db:
        broadcast = _step(db, broadcast_id, Step.PAUSE, now)
        broadcast.pause_code = None
        _record(db, by, "broadcast.pause", broadcast, now=now)
        return broadcast.state


def resume(by: Actor, broadcast_id: int, *, now: datetime) -> str:
    by.require(Permission.SEND)
    with transaction() as db:
        _check_not_stopped(db, _get(db, broadcast_id).fanpage_id)
        broadcast = _step(db, broadcast_id, Step.RESUME, now)
        if broadcast.pause_code == rules.CANARY_FAILED:
            broadcast.canary_passed_at = now  # staff have looked at it and want the rest to go out
        broadcast.pause_code = None
        _record(db, by, "broadcast.resume", broadcast, now=now)
        return broadcast.state


def cancel(by: Actor, broadcast_id: int, *, now: datetime) -> str:
    """End it; whoever was not tried yet keeps the opt-in. What is on its way is settled as it comes in."""
    by.require(Permission.SEND)
    with transaction() as db:
        broadcast = _step(db, broadcast_id, Step.CANCEL, now)
        broadcast.finished_at, broadcast.pause_code = now, None
        returned = closing.end_queued(db, broadcast_id, DeliveryState.CANCELLED, reason="cancelled", now=now)
        _record(db, by, "broadcast.cancel", broadcast, now=now, returned=returned)
        return broadcast.state


def start_due(*, now: datetime) -> list[int]:
    """Start what is due: freeze its audience and hold its opt-ins, one transaction per broadcast."""
    with reading() as db:
        due = db.execute(
            select(col(Broadcast.id))
            .join(Fanpage, col(Fanpage.id) == col(Broadcast.fanpage_id))
            .where(
                col(Broadcast.state) == BroadcastState.SCHEDULED,
                col(Broadcast.due_at) <= now,
                col(Fanpage.stopped_code).is_(None),
            )
            .order_by(col(Broadcast.due_at), col(Broadcast.id))
        )
        ids = [broadcast_id for broadcast_id in due.scalars() if broadcast_id]
    return [broadcast_id for broadcast_id in ids if _start_alone(broadcast_id, now)]


def sweep(*, now: datetime) -> None:
    """The second net: nothing stays queued under a broadcast that has ended."""
    stray = select(col(Broadcast.id), col(Broadcast.state)).where(
        col(Broadcast.state).in_([BroadcastState.CANCELLED, BroadcastState.FINISHED]),
        col(Broadcast.updated_at) > now - SWEPT,
        select(literal(1))
        .where(col(Delivery.broadcast_id) == col(Broadcast.id), col(Delivery.state) == DeliveryState.QUEUED)
        .exists(),
    )
    with reading() as db:
        if db.execute(stray).first() is None:
            return
    with transaction() as db:
        for broadcast_id, state in db.execute(stray.with_for_update(of=Broadcast)).all():
            if state == BroadcastState.CANCELLED:
                closing.end_queued(
                    db, broadcast_id or 0, DeliveryState.CANCELLED, reason="cancelled", now=now
                )
            else:
                again = update(Broadcast).where(col(Broadcast.id) == broadcast_id)
                db.execute(again.values(state=BroadcastState.SENDING, finished_at=None))


def _start_alone(broadcast_id: int, now: datetime) -> bool:
    """One that cannot start must not hold up the others."""
    try:
        return _start(broadcast_id, now)
    except (WrongState, NotFound):
        return False  # another worker was quicker
    except (RuntimeError, IntegrityError) as problem:
        log.error("broadcast_not_started", broadcast_id=broadcast_id, error=type(problem).__name__)
        return False


def end_too_late(*, now: datetime) -> int:
    """Past its best-before a broadcast sends nothing more; unused opt-ins go back. Returns how many ended."""
    late = (col(Broadcast.best_before).is_not(None), col(Broadcast.best_before) <= now)
    with transaction() as db:
        missed = db.execute(
            update(Broadcast)
            .where(col(Broadcast.state) == BroadcastState.SCHEDULED, *late)
            .values(state=BroadcastState.MISSED, updated_at=now)
            .returning(col(Broadcast.id))
        ).scalars()
        for broadcast_id in missed.all():
            activity.record(db, SYSTEM, "broadcast.miss", now=now, subject_id=broadcast_id)
        running = db.execute(
            select(col(Broadcast.id))
            .where(col(Broadcast.state).in_([BroadcastState.SENDING, BroadcastState.PAUSED]), *late)
            .order_by(col(Broadcast.id))
            .with_for_update()
        ).scalars()
        return sum(
            closing.end_queued(db, broadcast_id, DeliveryState.SKIPPED, reason="too_late", now=now)
            for broadcast_id in running.all()
            if broadcast_id
        )


def finish_done(*, now: datetime) -> list[int]:
    """Close broadcasts with nothing left to do."""
    left = (
        select(literal(1))
        .where(
            col(Delivery.broadcast_id) == col(Broadcast.id),
            col(Delivery.state).in_([DeliveryState.QUEUED, DeliveryState.SENDING]),
        )
        .exists()
    )
    late = (col(Broadcast.state) == BroadcastState.PAUSED) & (col(Broadcast.best_before) <= now)
    over = (col(Broadcast.state) == BroadcastState.SENDING) | late
    with transaction() as db:
        # Locked first and looked at again: a second chance may have queued some meanwhile.
        chosen = db.execute(
            select(col(Broadcast.id)).where(over, ~left).order_by(col(Broadcast.id)).with_for_update()
        ).scalars()
        done = db.execute(
            update(Broadcast)
            .where(col(Broadcast.id).in_(chosen.all()), over, ~left)
            .values(state=BroadcastState.FINISHED, finished_at=now, updated_at=now)
            .returning(col(Broadcast.id), col(Broadcast.name), col(Broadcast.fanpage_id))
            .execution_options(synchronize_session=False)
        )
        finished = []
        for broadcast_id, name, fanpage_id in done.all():
            finished.append(broadcast_id or 0)
            activity.record(
                db,
                SYSTEM,
                "broadcast.finish",
                now=now,
                fanpage_id=fanpage_id,
                subject_id=broadcast_id,
                subject=name,
            )
        return finished


def _start(broadcast_id: int, now: datetime) -> bool:
    with transaction() as db:
        broadcast = _get(db, broadcast_id)
        if rules.is_too_late(broadcast.best_before, now):
            return False  # end_too_late turns it into "missed"
        if not rules.may(Step.START, broadcast.state):
            return False  # another worker was quicker
        _step(db, broadcast_id, Step.START, now)
        broadcast.started_at = now
        broadcast.audience = _freeze(db, broadcast, now)
        canary.mark_first(db, broadcast)
        _record(db, SYSTEM, "broadcast.start", broadcast, now=now, audience=broadcast.audience)
        return True


def _freeze(db: Session, broadcast: Broadcast, now: datetime) -> int:
    """Make the deliveries and hold their opt-ins; both or neither."""
    chosen = audience.chosen_opt_ins(broadcast.topic_id, now).subquery()
    db.flush()
    db.execute(
        insert(Delivery).from_select(
            ["broadcast_id", "opt_in_id", "customer_id", "state", "attempt", "tries", "in_doubt"],
            select(
                literal(broadcast.id),
                chosen.c.id,
                chosen.c.customer_id,
                literal(DeliveryState.QUEUED.value),
                literal(0),
                literal(0),
                literal(False),
            ).order_by(chosen.c.id),
        )
    )
    mine = col(Delivery.broadcast_id) == broadcast.id
    made = int(db.execute(select(func.count()).select_from(Delivery).where(mine)).scalar_one())
    held = ledger.reserve(db, select(col(Delivery.opt_in_id)).where(mine))
    if held != made:
        raise RuntimeError(f"broadcast {broadcast.id}: {made} deliveries but {held} opt-ins held")
    return made


def _step(db: Session, broadcast_id: int, step: Step, now: datetime) -> Broadcast:
    """Take a step if the state allows it; the WHERE decides, so two clicks are one."""
    sources, target = STEPS[step]
    moved = db.execute(
        update(Broadcast)
        .where(col(Broadcast.id) == broadcast_id, col(Broadcast.state).in_(sorted(sources)))
        .values(state=target, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    broadcast = _get(db, broadcast_id)
    if isinstance(moved, CursorResult) and moved.rowcount == 0:
        raise WrongState(N_("The broadcast is {state}, so this step is not possible."), state=broadcast.state)
    db.refresh(broadcast)
    return broadcast


def _check_not_stopped(db: Session, fanpage_id: int) -> None:
    if db.get_one(Fanpage, fanpage_id).stopped_code:
        raise WrongState(
            N_("Messenger has stopped this fanpage; repair it under set-up, then sending goes on.")
        )


def _get(db: Session, broadcast_id: int, *, lock: bool = False) -> Broadcast:
    broadcast = db.get(Broadcast, broadcast_id, with_for_update=lock)
    if broadcast is None:
        raise NotFound(N_("There is no broadcast {id}."), id=broadcast_id)
    return broadcast


def _topic(db: Session, topic_id: int) -> tuple[Topic, Fanpage]:
    topic = db.get(Topic, topic_id)
    if topic is None:
        raise NotFound(N_("There is no topic {id}."), id=topic_id)
    return topic, db.get_one(Fanpage, topic.fanpage_id)


def _checked_name(name: str, topic: Topic, fanpage: Fanpage, now: datetime) -> str:
    name = name.strip() or drafting.default_name(topic.name, now.astimezone(ZoneInfo(fanpage.timezone)))
    if len(name) > drafting.NAME_LIMIT:
        raise Invalid(
            [problem("name", N_("A name has at most {limit} characters."), limit=drafting.NAME_LIMIT)]
        )
    return name


def _checked_content(content: dict[str, Any]) -> dict[str, Any]:
    problems = drafting.check_content(content)
    if problems:
        raise Invalid(problems)
    return content


def _record(
    db: Session, by: Actor, verb: str, broadcast: Broadcast, *, now: datetime, **detail: object
) -> None:
    activity.record(
        db,
        by,
        verb,
        now=now,
        fanpage_id=broadcast.fanpage_id,
        subject_id=broadcast.id,
        subject=broadcast.name,
        **detail,
    )
