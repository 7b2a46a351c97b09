"""What staff do with templates: save a broadcast or a message as one, begin from one, rename, delete.

A template is a copy. What becomes of the broadcast or message later does not change it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session

from core.accounts import activity_log
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.broadcasts import rows as broadcast_rows
from core.broadcasts.draft_rules import default_name
from core.conversation import message_rows
from core.conversation.stored_content import blocks_in, to_stored
from core.conversation.versions import draft_of
from core.conversation.versions import get_row as get_message
from core.db.engine import transaction
from core.db.tables import Broadcast, Message, Template, Topic
from core.errors import N_, NotFound
from core.templates.rules import TemplateKind, clean_name

_COPIED = ("filters", "sender", "canary_size")  # of a broadcast, beside its topic and content


def save_broadcast(by: Actor, broadcast_id: int, *, name: str, now: datetime) -> int:
    """Save topic, message, filters and first part of a broadcast as a template. Returns its id."""
    named = clean_name(name)
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Broadcast, broadcast_id), now=now)
        row = broadcast_rows.get_row(db, broadcast_id)
        kept = {field: getattr(row, field) for field in _COPIED}
        content = {"topic_id": row.topic_id, "content": row.content, **kept}
        return _save(db, by, TemplateKind.BROADCAST, row.fanpage_id, named, content, now)


def save_message(by: Actor, message_id: int, *, name: str, now: datetime) -> int:
    """Save the blocks of a message, as they are being written, as a template. Its entry points are left out:
    each leads to one message only. Returns its id."""
    named = clean_name(name)
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Message, message_id), now=now)
        draft = draft_of(db, get_message(db, message_id))
        content = to_stored(draft.blocks, [])
        return _save(db, by, TemplateKind.MESSAGE, draft.fanpage_id, named, content, now)


def begin_broadcast(by: Actor, template_id: int, *, at: str = "", now: datetime) -> int:
    """A new draft of a broadcast from a template. It is named by its topic and `at`, the present moment as
    whoever begins it reads it; without, as the installation writes it. Returns the id of the draft."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Template, template_id), now=now)
        kept = _get(db, template_id, TemplateKind.BROADCAST).content
        topic = db.get_one(Topic, kept["topic_id"])
        name = default_name(topic.name, at) if at else ""
        draft = broadcast_rows.add_draft(db, by, topic, name, kept["content"], now)
        for field in _COPIED:
            setattr(draft, field, kept[field])
        broadcast_rows.record(db, by, "broadcast.create", draft, now=now)
        return draft.id or 0


def begin_message(by: Actor, template_id: int, *, now: datetime) -> int:
    """A new draft of a message from a template. Returns the id of the message."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Template, template_id), now=now)
        template = _get(db, template_id, TemplateKind.MESSAGE)
        name = message_rows.free_name(db, template.fanpage_id, template.name)
        row = get_message(db, message_rows.insert_message(db, template.fanpage_id, name, now))
        row.draft = to_stored(blocks_in(template.content), [])
        message_rows.record(db, by, "message.create", row, now=now)
        return row.id or 0


def rename_template(by: Actor, template_id: int, *, name: str, now: datetime) -> None:
    """Give a template another name. Raises Invalid when it is blank or too long."""
    named = clean_name(name)
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Template, template_id), now=now)
        template = _get(db, template_id)
        if template.name != named:
            template.name = named
            _record(db, by, "template.rename", template, now)


def delete_template(by: Actor, template_id: int, *, now: datetime) -> None:
    """Delete a template; what was begun from it stays."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Template, template_id), now=now)
        template = _get(db, template_id)
        _record(db, by, "template.delete", template, now)
        db.delete(template)


def _save(
    db: Session,
    by: Actor,
    kind: TemplateKind,
    fanpage_id: int,
    name: str,
    content: dict[str, Any],
    now: datetime,
) -> int:
    template = Template(
        fanpage_id=fanpage_id, kind=kind, name=name, content=content, created_by=by.name, created_at=now
    )
    db.add(template)
    db.flush()
    _record(db, by, "template.create", template, now)
    return template.id or 0


def _get(db: Session, template_id: int, kind: TemplateKind | None = None) -> Template:
    template = db.get(Template, template_id, with_for_update=True)
    if template is None or kind not in (None, template.kind):
        raise NotFound(N_("This template does not exist (any more)."))
    return template


def _record(db: Session, by: Actor, verb: str, template: Template, now: datetime) -> None:
    activity_log.record(
        db,
        by,
        verb,
        now=now,
        fanpage_id=template.fanpage_id,
        subject_id=template.id,
        subject=template.name,
    )
