"""Drafts while they are being written: every change is saved at once, so that a closed tab loses nothing.

A draft may be incomplete. What is missing is asked for when it is scheduled or launched.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session

from core.accounts import concurrent_edits
from core.accounts.activity_log import is_same_sitting
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.broadcasts import draft_rules, readiness, versions
from core.broadcasts.canary import LARGEST
from core.broadcasts.draft_rules import USUAL, BestBefore, best_before_columns, settled_best_before
from core.broadcasts.readiness import open_topic
from core.broadcasts.rows import clean_name, get_row, record, way_out
from core.broadcasts.rules import BroadcastState
from core.consent.audience_filters import EVERYBODY, AudienceFilters, check_filters, filters_of
from core.db.engine import reading, transaction
from core.db.tables import Broadcast, Topic
from core.errors import N_, Change, Changed, Invalid, Problem, WrongState, problem

_WRITES = ("broadcast.create", "broadcast.change", "broadcast.copy")
FIELDS = (
    "topic_id",
    "filters",
    "saves_opt_ins",
    "name",
    "content",
    "due_at",
    "best_before",
    "first_part",
)


@dataclass(frozen=True)
class Draft:
    id: int
    fanpage_id: int
    topic_id: int
    name: str
    content: dict[str, Any]
    due_at: datetime | None  # None: as soon as it is launched
    best_before: BestBefore
    state: str
    filters: AudienceFilters = EVERYBODY
    saves_opt_ins: bool = False  # whoever wrote within 24 hours gets an ordinary message instead
    revises_id: int | None = None  # the scheduled broadcast that it changes
    first_part: int = 0  # how many are sent first, to be judged before the rest is sent; 0: no first part
    created_by: str = ""
    asked_by: str = ""  # who asked for its approval, if anybody did
    asked_at: datetime | None = None
    version: int = 1
    changes: tuple[Change, ...] = ()  # the last change of each field, the earliest first

    def best_before_at(self, now: datetime) -> datetime | None:
        """The best-before that it would have if it were launched now."""
        return settled_best_before(self.best_before, self.due_at or now)


def get_draft(broadcast_id: int) -> Draft:
    """A broadcast as a draft, whatever its state."""
    with reading() as db:
        return _as_draft(get_row(db, broadcast_id))


def _as_draft(row: Broadcast) -> Draft:
    return Draft(
        id=row.id or 0,
        fanpage_id=row.fanpage_id,
        topic_id=row.topic_id,
        name=row.name,
        content=row.content,
        due_at=row.due_at,
        best_before=row.best_before if row.best_before_chosen else USUAL,
        state=row.state,
        filters=filters_of(row.filters),
        saves_opt_ins=draft_rules.saves_opt_ins(row.sender),
        revises_id=row.revises_id,
        first_part=row.canary_size,
        created_by=row.created_by,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        version=row.version,
        changes=tuple(versions.last_changes(row)),
    )


def differing(one: Draft, other: Draft) -> dict[str, Any]:
    """The fields in which `other` differs from `one`, with the values of `other`."""
    return concurrent_edits.differing(one, other, FIELDS)


def find_problems(draft: Draft, *, at: datetime | None, now: datetime) -> list[Problem]:
    """What keeps this draft from starting at that time (None: at once); a launch refuses the same."""
    best_before = settled_best_before(draft.best_before, at or now)
    times = draft_rules.check_times(at, best_before, now)
    return readiness.find_problems(draft.topic_id, draft.content) + times


def keep_draft(by: Actor, draft: Draft, *, began: Draft, now: datetime) -> Draft:
    """Save the fields in which `draft` differs from `began`, the version it was written from. Returns the
    draft as it is kept now.

    What others have changed since in other fields stays theirs. A field that both changed is not saved:
    Changed says who changed it and when. Only what is still a draft can be changed.
    """
    draft = replace(draft, content=draft_rules.clean_content(draft.content))
    mine = differing(began, draft)
    _check(mine)
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Broadcast, draft.id), of(Topic, draft.topic_id), now=now)
        row = get_row(db, draft.id, lock=True)
        if row.state != BroadcastState.DRAFT:
            raise WrongState(N_("Only a draft can be changed; put the broadcast back to draft first."))
        _refuse_clashes(mine, began, _as_draft(row))
        before = row.content
        changed = versions.alter(row, by, now, **_columns(db, row, mine, now))
        if changed and not is_same_sitting(db, by, _WRITES, draft.id, now):
            record(db, by, "broadcast.change", row, now=now, before=before, after=row.content)
        return _as_draft(row)


def _check(mine: dict[str, Any]) -> None:
    content, first_part = mine.get("content"), mine.get("first_part", 0)
    if content is not None and draft_rules.find_broadcast_kind(content) is None:
        raise Invalid(draft_rules.check_content(content))
    if "filters" in mine and (found := check_filters(mine["filters"])):
        raise Invalid(found)
    if not 0 <= first_part <= LARGEST:
        raise Invalid([problem("size", N_("The first part can have 0 to {limit} people."), limit=LARGEST)])


def _refuse_clashes(mine: dict[str, Any], began: Draft, theirs: Draft) -> None:
    if clashes := concurrent_edits.clashing(mine, began, theirs, theirs.changes):
        raise Changed(clashes)


def _columns(db: Session, row: Broadcast, mine: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The changed fields as columns of the table."""
    columns: dict[str, Any] = {name: mine[name] for name in ("content", "due_at") if name in mine}
    topic = db.get_one(Topic, row.topic_id)
    if mine.get("topic_id", row.topic_id) != row.topic_id:
        topic = open_topic(db, mine["topic_id"])
        columns |= {"topic_id": topic.id, "fanpage_id": topic.fanpage_id}
    if "name" in mine:
        columns["name"] = clean_name(db, mine["name"], topic, now)
    if "filters" in mine:
        columns["filters"] = mine["filters"].as_json()
    if "saves_opt_ins" in mine:
        columns["sender"] = way_out(saves_opt_ins=mine["saves_opt_ins"])
    if "first_part" in mine:
        columns["canary_size"] = mine["first_part"]
    if "best_before" in mine:
        moment, is_chosen = best_before_columns(mine["best_before"])
        columns |= {"best_before": moment, "best_before_chosen": is_chosen}
    return columns
