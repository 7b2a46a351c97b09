"""Applies comments on posts: the bot answers those that an entry point of the fanpage waits for."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from core.consent.withdrawals import was_said_since
from core.conversation.entry_kinds.kind import FoundEntry
from core.conversation.replies import answer_comment, find_comment_entry
from core.inbox.fanpage_event import EffectContext, FanpageEvent
from core.messenger import event_contents
from core.messenger.event_kinds import EventKind
from core.text.normalise import normalise_text, storable


def find_comments(db: Session, events: Sequence[FanpageEvent]) -> dict[int, FoundEntry]:
    """The entry points that the new comments among these events lead to, by event. Only who is answered
    becomes a customer: a post may have thousands of other comments."""
    found = {}
    for event in events:
        if event.kind != EventKind.COMMENT or event.psid is None:
            continue
        said = event_contents.read_comment(event.raw)
        entry = find_comment_entry(db, event.fanpage_id, normalise_text(said.text)) if said.is_new else None
        if entry is not None and said.comment_id:
            found[event.id] = entry
    return found


def apply_comment(context: EffectContext, event: FanpageEvent) -> None:
    """Queue the private reply to a comment, once for each comment."""
    entry = context.comments.get(event.id)
    if entry is None or was_said_since(context.db, customer_id := context.customer_id(event), event.at):
        return
    answer_comment(
        context.db,
        entry,
        fanpage_id=event.fanpage_id,
        customer_id=customer_id,
        comment_id=storable(event_contents.read_comment(event.raw).comment_id or ""),
        at=event.at,
        now=context.now,
    )
