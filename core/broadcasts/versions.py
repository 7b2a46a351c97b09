"""The version of a broadcast: what is approved, who changed what since, and the refusal that says so.

The version rises with every change of what is sent or when (topic, message, start, best-before, first part)
and when the broadcast is put back to draft. A change of the name, which only the team sees, leaves it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from core.accounts import concurrent_edits
from core.accounts.rules import Actor
from core.broadcasts.launch_rules import NOT_APPROVED, WROTE_LAST, LaunchRules, wrote_last
from core.db.tables import Broadcast
from core.errors import N_, Change, Changed, Invalid, WrongState, problem

# Each column, and the field of a draft that it belongs to.
_FIELDS = {
    "name": "name",
    "topic_id": "topic_id",
    "fanpage_id": "topic_id",
    "content": "content",
    "due_at": "due_at",
    "best_before": "best_before",
    "best_before_chosen": "best_before",
    "canary_size": "first_part",
    "filters": "filters",
    "sender": "saves_opt_ins",
}
BACK_TO_DRAFT = "back_to_draft"


def alter(broadcast: Broadcast, by: Actor, now: datetime, **columns: object) -> set[str]:
    """Set the columns that differ in a row that the caller has locked, and remember by whom. Returns the
    changed fields of the draft."""
    differing = {name: value for name, value in columns.items() if getattr(broadcast, name) != value}
    for name, value in differing.items():
        setattr(broadcast, name, value)
    fields = {_FIELDS[name] for name in differing}
    if fields:
        note_change(broadcast, by, now, fields)
    return fields


def note_change(broadcast: Broadcast, by: Actor, now: datetime, fields: Collection[str]) -> None:
    """Remember who changed these fields; a change of what is approved makes a new version."""
    if set(fields) - NOT_APPROVED:
        broadcast.version += 1
    broadcast.changes = concurrent_edits.remembered(
        broadcast.changes, fields, version=broadcast.version, by=by.name, at=now
    )
    broadcast.updated_at = now


def approve(broadcast: Broadcast, by: Actor, now: datetime) -> None:
    broadcast.approved_version, broadcast.approved_by = broadcast.version, by.name
    broadcast.approved_at = now
    broadcast.asked_by, broadcast.asked_at = "", None


def refuse_own_approval(broadcast: Broadcast, by: Actor, rules: LaunchRules) -> None:
    """Raise when the fanpage wants a second person and `by` is who wrote this version last. The command line
    is the machine's owner and needs nobody."""
    if not rules.needs_second_person or by.id is None:
        return
    if wrote_last(by.name, last_changes(broadcast), broadcast.created_by):
        raise WrongState(WROTE_LAST)


def end_approval(broadcast: Broadcast, by: Actor, now: datetime) -> None:
    """End the approval of a broadcast that was put back to draft: it has to be looked at and approved
    anew."""
    note_change(broadcast, by, now, {BACK_TO_DRAFT})
    broadcast.approved_version, broadcast.approved_by, broadcast.approved_at = None, "", None


def refuse_if_changed(broadcast: Broadcast, version: int | None) -> None:
    """Raise unless `version`, the one that somebody looked at, is the latest; None names none."""
    if version is None or version == broadcast.version:
        return
    if version > broadcast.version or version < 1:
        words = N_("There is no version {version}; the latest is {latest}.")
        raise Invalid([problem("version", words, version=version, latest=broadcast.version)])
    since = [change for change in last_changes(broadcast) if change.version > version]
    raise Changed([change for change in since if change.field not in NOT_APPROVED])


def last_changes(broadcast: Broadcast) -> list[Change]:
    """The last change of each field, the earliest first."""
    return concurrent_edits.last_changes(broadcast.changes)
