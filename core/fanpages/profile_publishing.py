"""Looks at the Messenger Profile that is live at Facebook, and publishes the one that is here.

What Facebook has is believed only when it was read: after writing, it is read again, and only what is there
counts as published, whatever the answers were. HTTP calls are made outside transactions.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, authorise_early, of
from core.accounts.rules import Actor, Permission
from core.conversation import entry_point_rows
from core.conversation.messenger_profile import rows
from core.conversation.messenger_profile.rows import ProfileView
from core.conversation.messenger_profile.rules import Profile, check_profile, in_short
from core.conversation.messenger_profile.wire import (
    PROPERTIES,
    Difference,
    Wire,
    differences,
    from_wire,
    to_wire,
)
from core.db.engine import reading, transaction
from core.db.tables import Fanpage
from core.encryption import CannotDecrypt
from core.errors import N_, Invalid, WrongState
from core.fanpages import health_check
from core.fanpages.connection import messenger_for
from core.fanpages.queries import get_fanpage
from core.messenger import connection_check
from core.messenger.client import GraphRefused, Messenger


@dataclass(frozen=True)
class LiveState:
    """What Facebook has, and how what is here differs from it. `seen` names the live profile exactly."""

    differences: tuple[Difference, ...]
    missing_fields: tuple[str, ...]  # webhook fields that entry points need and nobody has subscribed to
    seen: str
    version: int  # of the profile that is here

    @property
    def is_published(self) -> bool:
        """Whether Facebook has what is here."""
        return not self.differences and not self.missing_fields


class _Here(NamedTuple):
    view: ProfileView
    message_ids: set[int]
    fields: tuple[str, ...]  # webhook fields that entry points need


def look(fanpage_id: int) -> LiveState:
    """Read what is live. Raises WrongState, with what to do, when Facebook does not say it."""
    messenger = _messenger(fanpage_id)
    return _state(fanpage_id, _read(messenger), _missing_fields(messenger, fanpage_id))


def take_over_live(fanpage_id: int) -> Profile | None:
    """The live profile in the form in which it is edited here; None when Facebook has none."""
    return from_wire(_read(_messenger(fanpage_id)))


def publish(by: Actor, fanpage_id: int, *, seen: str, version: int, now: datetime) -> LiveState:
    """Write what is here to Facebook, and read what has come of it.

    `seen` and `version` are those of the `LiveState` that staff have looked at: what has changed since, there
    or here, is not overwritten. Raises WrongState when Facebook does not have all of it afterwards.
    """
    authorise_early(by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
    here = _here(fanpage_id)
    view = here.view
    problems = check_profile(view.profile, here.message_ids)
    if problems:
        raise Invalid(problems)
    messenger = _messenger(fanpage_id)
    live = _read(messenger)
    if _name_of(live) != seen or view.version != version:
        raise WrongState(
            N_(
                "This was changed in the meantime, here or on Facebook. Nothing was published; check "
                "it again."
            )
        )
    refusal = _write(messenger, live, to_wire(view.profile), here.fields)
    try:
        state = _confirmed(messenger, fanpage_id, refusal)
    except WrongState as problem:  # some of it may be live by now
        with transaction() as db:
            authorise(db, by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
            _record(db, by, "fanpage.publish_profile_in_part", fanpage_id, now, text=str(problem)[:300])
        raise
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
        rows.note_published(db, fanpage_id, version, by=by.name, now=now)
        said = {"before": in_short(from_wire(live) or Profile()), "after": in_short(view.profile)}
        _record(db, by, "fanpage.publish_profile", fanpage_id, now, **said)
    return state


def _record(db: Session, by: Actor, verb: str, fanpage_id: int, now: datetime, **detail: object) -> None:
    subject = get_fanpage(fanpage_id).name
    record(db, by, verb, now=now, fanpage_id=fanpage_id, subject_id=None, subject=subject, **detail)


def _confirmed(messenger: Messenger, fanpage_id: int, refusal: GraphRefused | None) -> LiveState:
    """What Facebook has after writing. Raises WrongState unless it has everything."""
    try:
        state = _state(fanpage_id, _read(messenger), _missing_fields(messenger, fanpage_id))
    except WrongState:
        raise WrongState(
            N_(
                "Facebook did not say what it has now, so we don't know whether this was "
                "published. Check again in a minute."
            )
        ) from None
    if not state.is_published:
        raise WrongState(
            N_(
                "Facebook did not accept everything ({why}). What is still different is listed "
                "below; the rest is live."
            ),
            why=_said(refusal),
        )
    return state


def _write(messenger: Messenger, live: Wire, wanted: Wire, fields: tuple[str, ...]) -> GraphRefused | None:
    """Set what differs and remove what is not wanted any more. Returns the refusal that ended it, if any."""
    changed = {each.name for each in differences(live, wanted)}
    put = {name: wanted[name] for name in PROPERTIES if name in changed and name in wanted}
    gone = [name for name in PROPERTIES if name in changed and name not in wanted]
    try:
        if put:
            messenger.post(connection_check.EDGE, put)
        if gone:
            messenger.delete(connection_check.EDGE, {"fields": gone})
        health_check.add_fields(messenger, fields)
    except GraphRefused as refusal:
        return refusal
    return None


def _here(fanpage_id: int) -> _Here:
    with reading() as db:
        return _Here(
            rows.view_of(db, fanpage_id),
            entry_point_rows.message_ids(db, fanpage_id),
            entry_point_rows.webhook_fields(db, fanpage_id),
        )


def _state(fanpage_id: int, live: Wire, missing: tuple[str, ...]) -> LiveState:
    view = _here(fanpage_id).view
    found = tuple(differences(live, to_wire(view.profile)))
    return LiveState(found, missing, _name_of(live), view.version)


def _read(messenger: Messenger) -> Wire:
    try:
        answer = messenger.get(connection_check.EDGE, fields=",".join(PROPERTIES))
    except GraphRefused as refusal:
        raise _unreadable(refusal) from None
    data = answer.get("data")
    if not isinstance(data, list) or not all(isinstance(part, dict) for part in data):
        raise WrongState(N_("Facebook's answer could not be read, so nothing was changed. Try again."))
    return {name: value for part in data for name, value in part.items() if name in PROPERTIES}


def _missing_fields(messenger: Messenger, fanpage_id: int) -> tuple[str, ...]:
    wanted = _here(fanpage_id).fields
    if not wanted:
        return ()
    try:
        return health_check.missing(messenger, wanted)
    except GraphRefused as refusal:
        raise _unreadable(refusal) from None


def _messenger(fanpage_id: int) -> Messenger:
    try:
        return messenger_for(fanpage_id)
    except CannotDecrypt:
        raise WrongState(
            N_(
                "The access token was encrypted with a different key; an admin has to connect the "
                "fanpage again."
            )
        ) from None


def _unreadable(refusal: GraphRefused) -> WrongState:
    if health_check.is_inconclusive(refusal):
        return WrongState(N_("Facebook could not be reached. Nothing was changed; try again in a minute."))
    return WrongState(
        N_(
            "Facebook refuses to show what is live ({why}). Nothing was changed; see “Health” for what to do."
        ),
        why=_said(refusal),
    )


def _said(refusal: GraphRefused | None) -> str:
    if refusal is None:
        return "–"
    code = refusal.failure.code or refusal.failure.status or refusal.failure.reason
    return f"{code}: {refusal.failure.detail}"[:200] if refusal.failure.detail else str(code)


def _name_of(live: Wire) -> str:
    return json.dumps(live, sort_keys=True)
