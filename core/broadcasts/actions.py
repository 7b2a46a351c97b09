"""What staff do with a broadcast. What the clock does is in scheduled_jobs.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from sqlmodel import Session

from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.broadcasts import canary, draft_rules, launch_checks, revisions, rules, transitions, versions
from core.broadcasts.draft_rules import USUAL, BestBefore, best_before_columns, settled_best_before
from core.broadcasts.launch_rules import launch_rules_of
from core.broadcasts.readiness import check_content, open_topic, refuse_unready
from core.broadcasts.rows import add_draft, get_row, record, way_out
from core.broadcasts.rules import BroadcastState
from core.broadcasts.transitions import Transition
from core.consent.audience_filters import EVERYBODY, AudienceFilters, check_filters
from core.db import holding
from core.db.database_clock import now_for_workers
from core.db.engine import DATABASE_TROUBLE, transaction
from core.db.tables import Broadcast, Fanpage, Topic
from core.db.work_queue import enqueue
from core.deliveries import closing, recent_outcomes
from core.errors import N_, WrongState, refuse_invalid

log = structlog.get_logger(__name__)

ANY_PAUSE = "any"  # end a pause for whatever reason


def create_broadcast(
    by: Actor,
    *,
    topic_id: int,
    content: dict[str, Any] | None = None,
    name: str = "",
    due_at: datetime | None = None,
    best_before: BestBefore = USUAL,
    filters: AudienceFilters = EVERYBODY,
    saves_opt_ins: bool = False,
    now: datetime,
) -> int:
    """A draft for the customers who hold an opt-in for the topic. Returns its id.

    What is given is checked as a launch would check it. Content that is not given is blank, still to be
    written. The times count once the draft is scheduled: a best-before that nobody has chosen is the usual
    one then; None means without limit.
    """
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Topic, topic_id), now=now)
        topic = open_topic(db, topic_id)
        found = draft_rules.check_times(due_at, settled_best_before(best_before, due_at or now), now)
        found += check_filters(filters)
        if content is not None:
            content = draft_rules.clean_content(content)
            found += check_content(db, topic.fanpage_id, content, lock=False)
        refuse_invalid(found)
        broadcast = add_draft(db, by, topic, name, content or dict(draft_rules.BLANK), now)
        broadcast.due_at = due_at
        broadcast.filters = filters.as_json()
        broadcast.sender = way_out(saves_opt_ins=saves_opt_ins)
        broadcast.best_before, broadcast.best_before_chosen = best_before_columns(best_before)
        record(db, by, "broadcast.create", broadcast, now=now)
        return broadcast.id or 0


def copy_broadcast(by: Actor, broadcast_id: int, *, now: datetime) -> int:
    """A new draft with the same topic, filters and content. It reaches only customers who opt in again.
    Returns its id."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Broadcast, broadcast_id), now=now)
        source = get_row(db, broadcast_id)
        copied = add_draft(db, by, db.get_one(Topic, source.topic_id), "", source.content, now)
        copied.filters, copied.sender = source.filters, source.sender
        record(db, by, "broadcast.copy", copied, now=now, copied_from=broadcast_id)
        return copied.id or 0


def delete_draft(by: Actor, broadcast_id: int, *, version: int | None = None, now: datetime) -> None:
    """Delete a draft. `version` is the one that was looked at: Changed is raised when somebody has written
    since."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Broadcast, broadcast_id), now=now)
        broadcast = get_row(db, broadcast_id, lock=True)
        if broadcast.state != BroadcastState.DRAFT:
            raise WrongState(N_("Only a draft can be deleted; broadcasts that were sent stay on record."))
        versions.refuse_if_changed(broadcast, version)
        record(db, by, "broadcast.delete", broadcast, now=now, text=broadcast.content)
        db.delete(broadcast)


def schedule(
    by: Actor,
    broadcast_id: int,
    *,
    at: datetime | None,
    best_before: BestBefore = USUAL,
    version: int | None = None,
    typed_count: int | None = None,
    now: datetime,
) -> str:
    """Let the worker start a broadcast at `at`, or at once when None: its clock finds it due
    (core/sending/due_actions.py) and calls `scheduled_jobs.start_due`. Returns the state reached.

    `version` is the one that is approved: if it is not the latest any more, Changed says what differs. None
    approves the latest, for a caller that has just made the draft itself. Without `best_before` the draft's
    own counts; if nobody chose one, it is fixed now at the usual time after the start. `typed_count` is the
    number of customers that was typed, where the fanpage's rules ask for it.
    """
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Broadcast, broadcast_id), now=now)
        broadcast = get_row(db, broadcast_id, lock=True)
        versions.refuse_if_changed(broadcast, version)
        launch_checks.refuse_red(db, broadcast.fanpage_id)
        fanpage = db.get_one(Fanpage, broadcast.fanpage_id)
        if at is None:
            launch_checks.refuse_stopped(db, broadcast.fanpage_id)
        chosen = _chosen(broadcast, best_before)
        refuse_invalid(draft_rules.check_times(at, settled_best_before(chosen, at or now), now))
        revisions.refuse_while_scheduled(db, broadcast)
        transitions.move(db, broadcast_id, Transition.SCHEDULE, now)
        refuse_unready(db, broadcast)  # a draft may have been kept half written
        start = at or now_for_workers(db, now)
        ends = settled_best_before(chosen, start)
        # What the caller gave may change the draft, which makes a new version; what only follows from the
        # moment of the launch must not: the version that was looked at is the one that is approved.
        if at is not None:
            versions.alter(broadcast, by, now, due_at=at)
        if best_before != USUAL:
            versions.alter(broadcast, by, now, best_before=ends)
        launch_rules = launch_rules_of(fanpage.launch_rules)
        versions.refuse_own_approval(broadcast, by, launch_rules)
        launch_checks.refuse_other_number(db, broadcast, launch_rules, typed_count, start)
        _fix_times(broadcast, start, ends)
        broadcast.launched_by, broadcast.revises_id = by.name, None
        versions.approve(broadcast, by, now)
        verb = "broadcast.schedule" if at else "broadcast.launch"
        about = {"due_at": start.isoformat(), "version": broadcast.version, "text": broadcast.content}
        record(db, by, verb, broadcast, now=now, **about)
        return broadcast.state


def _fix_times(broadcast: Broadcast, start: datetime, ends: datetime | None) -> None:
    """Write the times of a launch as they count from now on, without a new version."""
    broadcast.due_at = start
    broadcast.best_before, broadcast.best_before_chosen = ends, True


def _chosen(broadcast: Broadcast, best_before: BestBefore) -> BestBefore:
    """The best-before that was given, else the draft's own, else the usual one."""
    return broadcast.best_before if best_before == USUAL and broadcast.best_before_chosen else best_before


def launch(
    by: Actor,
    broadcast_id: int,
    *,
    best_before: BestBefore = USUAL,
    version: int | None = None,
    typed_count: int | None = None,
    now: datetime,
) -> str:
    """Start this version at once; see `schedule`. A broadcast that is being sent already stays as it is."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Broadcast, broadcast_id), now=now)
        broadcast = get_row(db, broadcast_id)
        if broadcast.state == BroadcastState.SENDING:
            holding.refuse_if_moving(db)
            versions.refuse_if_changed(broadcast, version)
            return broadcast.state
    return schedule(
        by, broadcast_id, at=None, best_before=best_before, version=version, typed_count=typed_count, now=now
    )


def unschedule(by: Actor, broadcast_id: int, *, now: datetime) -> str:
    """Put a broadcast back to draft. Its approval ends, so that it has to be looked at and approved anew."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Broadcast, broadcast_id), now=now)
        broadcast = transitions.move(db, broadcast_id, Transition.UNSCHEDULE, now)
        versions.end_approval(broadcast, by, now)
        record(db, by, "broadcast.unschedule", broadcast, now=now)
        return broadcast.state


def pause(by: Actor, broadcast_id: int, *, now: datetime) -> str:
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Broadcast, broadcast_id), now=now)
        broadcast = transitions.move(db, broadcast_id, Transition.PAUSE, now)
        broadcast.pause_code = None
        record(db, by, "broadcast.pause", broadcast, now=now)
        return broadcast.state


def resume(by: Actor, broadcast_id: int, *, pause_code: str | None = ANY_PAUSE, now: datetime) -> str:
    """Go on sending. `pause_code` is the reason for the pause that was looked at; WrongState is raised when
    it has been paused for another reason since."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Broadcast, broadcast_id), now=now)
        launch_checks.refuse_unable(db, get_row(db, broadcast_id).fanpage_id)
        broadcast = transitions.move(db, broadcast_id, Transition.RESUME, now)
        if pause_code != ANY_PAUSE and broadcast.pause_code != pause_code:
            raise WrongState(N_("It was paused again in the meantime, for another reason; check it first."))
        if _has_judged_first_part(db, broadcast):
            broadcast.canary_passed_at = now  # staff have looked at it and want the rest to go out
        broadcast.pause_code = None
        recent_outcomes.start_anew(db, broadcast.fanpage_id, [broadcast_id])
        record(db, by, "broadcast.resume", broadcast, now=now)
        enqueue(db, [broadcast.fanpage_id])
        return broadcast.state


def _has_judged_first_part(db: Session, broadcast: Broadcast) -> bool:
    """Whether it paused because of its first part, or by the breaker after all of its first part had
    ended."""
    if broadcast.pause_code == rules.CANARY_FAILED:
        return True
    is_waiting = broadcast.canary_last_id is not None and broadcast.canary_passed_at is None
    paused_itself = rules.alike_reason(broadcast.pause_code) is not None
    return is_waiting and paused_itself and not canary.outcome_of(db, broadcast).left


def cancel(by: Actor, broadcast_id: int, *, seen: str | None = None, now: datetime) -> str:
    """End a broadcast. Customers whose delivery was not tried keep their opt-ins; calls that are under way
    are settled as their answers come in.

    `seen` is the state that was looked at: WrongState is raised when it has become a draft since.
    """
    # A transaction of its own: nothing is sent after its commit, however long ending the deliveries takes.
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Broadcast, broadcast_id), now=now)
        was = get_row(db, broadcast_id, lock=True).state
        if seen not in (None, was) and was == BroadcastState.DRAFT:
            raise WrongState(N_("It was put back to draft in the meantime and won't start; check it again."))
        broadcast = transitions.move(db, broadcast_id, Transition.CANCEL, now)
        broadcast.finished_at, broadcast.pause_code = now, None
        broadcast.seen_at = now if by.name == broadcast.launched_by else None  # who did it knows
        broadcast.told_at = None
        returned = closing.count_unused(db, broadcast_id)
        # Its refusals must not count against the next broadcast.
        recent_outcomes.start_anew(db, broadcast.fanpage_id, [broadcast_id])
        record(db, by, "broadcast.cancel", broadcast, now=now, returned=returned)
    _end_cancelled(broadcast_id, now)
    return broadcast.state


def _end_cancelled(broadcast_id: int, now: datetime) -> None:
    """End the deliveries of a cancelled broadcast and release their opt-ins."""
    try:
        with transaction() as db:
            closing.end_cancelled(db, get_row(db, broadcast_id, lock=True), now)
    except DATABASE_TROUBLE as problem:  # `scheduled_jobs.sweep` ends them
        log.warning("cancellation_delayed", broadcast_id=broadcast_id, error=type(problem).__name__)
