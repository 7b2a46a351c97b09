"""A scheduled broadcast is changed while it stays scheduled: by a draft beside it that takes its place.

Until then, what was approved starts at its time. See docs/decisions/0055.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.broadcasts import draft_rules, launch_checks, versions
from core.broadcasts.draft_rules import settled_best_before
from core.broadcasts.launch_rules import launch_rules_of
from core.broadcasts.readiness import refuse_unready
from core.broadcasts.rows import add_draft, get_row, record
from core.broadcasts.rules import BroadcastState
from core.db.database_clock import now_for_workers
from core.db.engine import transaction
from core.db.tables import Broadcast, Fanpage, Topic
from core.errors import N_, Invalid, WrongState

_COPIED = ("filters", "sender", "due_at", "canary_size", "best_before", "best_before_chosen")
_APPLIED = ("name", "topic_id", "fanpage_id", "content", *_COPIED)


def begin(by: Actor, broadcast_id: int, *, now: datetime) -> int:
    """A draft with all that a scheduled broadcast says, to be changed at leisure; the one that somebody has
    begun already, if there is one. Returns its id."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Broadcast, broadcast_id), now=now)
        row = get_row(db, broadcast_id, lock=True)
        if row.state != BroadcastState.SCHEDULED:
            raise WrongState(N_("Only a scheduled broadcast can be changed this way."))
        if (begun := _begun(db, broadcast_id)) is not None:
            return begun
        draft = add_draft(db, by, db.get_one(Topic, row.topic_id), row.name, row.content, now)
        for name in _COPIED:
            setattr(draft, name, getattr(row, name))
        draft.revises_id, draft.revises_version = broadcast_id, row.version
        record(db, by, "broadcast.revise_begin", row, now=now)
        return draft.id or 0


def apply(by: Actor, draft_id: int, *, version: int, typed_count: int | None = None, now: datetime) -> int:
    """Let this version of the draft take the place of what was approved. It stays scheduled all along, and is
    approved by whoever does this; `typed_count` is the number of customers that was typed, where the
    fanpage's rules ask for it. Returns the id of the scheduled broadcast; the draft is gone.

    Raises WrongState when that one has started meanwhile, or was changed in another way: the draft is kept.
    """
    with transaction() as db:
        authorise(db, by, Permission.SEND, of(Broadcast, draft_id), now=now)
        begun = get_row(db, draft_id)
        authorise(db, by, Permission.SEND, of(Broadcast, begun.revises_id), now=now)
        row = _revised(db, begun)
        draft = get_row(db, draft_id, lock=True)
        if draft.state != BroadcastState.DRAFT:
            raise WrongState(N_("These changes have been discarded in the meantime."))
        versions.refuse_if_changed(draft, version)
        if draft.fanpage_id != row.fanpage_id:
            raise WrongState(
                N_("A scheduled broadcast stays with its fanpage. Duplicate it as a new draft instead.")
            )
        launch_checks.refuse_red(db, row.fanpage_id)
        if draft.due_at is None:
            launch_checks.refuse_stopped(db, row.fanpage_id)
        rules = launch_rules_of(db.get_one(Fanpage, row.fanpage_id).launch_rules)
        versions.refuse_own_approval(draft, by, rules)
        start = draft.due_at or now_for_workers(db, now)
        launch_checks.refuse_other_number(db, draft, rules, typed_count, start)
        chosen = draft.best_before if draft.best_before_chosen else draft_rules.USUAL
        ends = settled_best_before(chosen, start)
        if problems := draft_rules.check_times(draft.due_at, ends, now):
            raise Invalid(problems)
        values, before = {name: getattr(draft, name) for name in _APPLIED}, row.content
        changed = versions.alter(row, by, now, **values)
        refuse_unready(db, row)
        row.due_at, row.best_before, row.best_before_chosen = start, ends, True
        row.launched_by = by.name
        versions.approve(row, by, now)
        about = {"version": row.version, "fields": sorted(changed), "before": before, "after": row.content}
        record(db, by, "broadcast.revise", row, now=now, **about)
        db.delete(draft)
        return row.id or 0


def refuse_while_scheduled(db: Session, draft: Broadcast) -> None:
    """Raise while the broadcast that this draft changes is still scheduled: both would start."""
    if draft.revises_id is None:
        return
    row = db.get(Broadcast, draft.revises_id)
    if row is not None and row.state == BroadcastState.SCHEDULED:
        raise WrongState(N_("This draft changes a scheduled broadcast; apply the changes there."))


def _revised(db: Session, draft: Broadcast) -> Broadcast:
    row = get_row(db, draft.revises_id or 0, lock=True)
    if row.state != BroadcastState.SCHEDULED:
        raise WrongState(
            N_("The broadcast is no longer scheduled. Your changes are kept as a draft of their own.")
        )
    if row.version != draft.revises_version:
        raise WrongState(
            N_("The scheduled broadcast was changed in the meantime; delete this draft and start again.")
        )
    return row


def _begun(db: Session, broadcast_id: int) -> int | None:
    mine = col(Broadcast.revises_id) == broadcast_id, col(Broadcast.state) == BroadcastState.DRAFT
    return db.execute(select(col(Broadcast.id)).where(*mine).limit(1)).scalar_one_or_none()
