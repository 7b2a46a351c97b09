"""Makes requests for opt-ins inside the caller's transaction, as far as the re-ask governor allows.

The caller has locked the customer's row, so two requests to one customer are decided one after the other.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, exists, insert, or_, select
from sqlmodel import Session, col

from core.consent.asking_rules import (
    SENTENCES,
    PastRequest,
    Wish,
    Withheld,
    remembered_since,
    why_withheld,
)
from core.consent.contact_limits import limits_of
from core.consent.eligibility import is_unspent
from core.conversation.blocks.kind import AskingKind, Content
from core.conversation.payloads import REQUEST_PAYLOAD
from core.conversation.rules import ReplyState
from core.conversation.wording_choice import choose_for
from core.db import bulk
from core.db.tables import Fanpage, OptIn, Reply, Request, WithheldRequest
from core.messenger import wire
from core.settings import settings
from core.text.catalogues import say_in
from core.text.normalise import normalise_name
from core.text.utf16_units import cut

Body = tuple[int | None, wire.Message]  # with a request goes its id
_NEVER_REACHED = (ReplyState.FAILED, ReplyState.SKIPPED)


@dataclass(frozen=True)
class Asking:
    """Whom the bot is about to ask, because of what, and with which block."""

    fanpage_id: int
    customer_id: int
    topic_id: int
    message_id: int | None
    entry_kind: str
    entry_value: str
    kind: AskingKind
    content: Content
    now: datetime


def ask(db: Session, asking: Asking, *, answers: bool = True) -> list[Body]:
    """Record the request and return its message. When the governor withholds it, that is recorded, and with
    `answers` the customer reads why: they asked for it themselves."""
    chosen = choose_for(db, asking.content, asking.customer_id, asking.topic_id)
    promise = asking.kind.promise(chosen.content)
    reason = _why_withheld(db, asking, promise.title)
    if reason is not None:
        if answers or reason != Withheld.JUST_NOW:  # the answer before a rule has just asked the same
            whom = asking.fanpage_id, asking.customer_id, asking.topic_id
            record_withheld(db, *whom, asking.entry_kind, reason, asking.now)
        return sentence_for(reason, promise.title) if answers else []
    payload = REQUEST_PAYLOAD + secrets.token_urlsafe(16)
    row = {
        "fanpage_id": asking.fanpage_id,
        "customer_id": asking.customer_id,
        "topic_id": asking.topic_id,
        "message_id": asking.message_id,
        "entry_kind": asking.entry_kind,
        "entry_value": cut(normalise_name(asking.entry_value), 200),
        "title": promise.title,
        "test": chosen.test,
        "variant": chosen.variant,
        "after_text": promise.after,
        "payload": payload,
        "created_at": asking.now,
    }
    request_id = db.execute(insert(Request).values(row).returning(col(Request.id))).scalar_one()
    return [(request_id, asking.kind.render_request(chosen.content, payload))]


def sentence_for(reason: Withheld, promise: str) -> list[Body]:
    """What the customer reads instead of a request."""
    sentence = SENTENCES.get(reason)
    if sentence is None:
        return []
    return [(None, wire.text(say_in(settings().language)(sentence).format(promise=promise)))]


def _why_withheld(db: Session, asking: Asking, title: str) -> Withheld | None:
    fanpage = db.get_one(Fanpage, asking.fanpage_id)
    if fanpage.otn_off_at is not None:
        return Withheld.OTN_OFF
    limits = limits_of(fanpage)
    past = _past_requests(db, asking.customer_id, remembered_since(limits, asking.now))
    holds = _holds(db, asking.customer_id, asking.topic_id, asking.now)
    return why_withheld(Wish(asking.topic_id, title), past, limits, asking.now, holds=holds)


def _past_requests(db: Session, customer_id: int, since: datetime) -> Sequence[PastRequest]:
    """The requests to a customer, without those whose message could not be sent."""
    lost = exists().where(col(Reply.request_id) == col(Request.id), col(Reply.state).in_(_NEVER_REACHED))
    chosen = select(
        col(Request.topic_id), col(Request.title), col(Request.created_at), col(Request.tapped_at)
    ).where(
        col(Request.customer_id) == customer_id,
        or_(col(Request.created_at) > since, col(Request.tapped_at) > since),
        or_(col(Request.tapped_at).is_not(None), ~lost),
    )
    return [PastRequest(*row) for row in db.execute(chosen)]


def _holds(db: Session, customer_id: int, topic_id: int, now: datetime) -> bool:
    held = exists().where(*of_customer(customer_id, topic_id), is_unspent(now))
    return bool(db.execute(select(held)).scalar())


def of_customer(customer_id: int, topic_id: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The conditions that an opt-in is this customer's and about this topic."""
    return col(OptIn.customer_id) == customer_id, col(OptIn.topic_id) == topic_id


def record_withheld(
    db: Session,
    fanpage_id: int,
    customer_id: int,
    topic_id: int,
    entry_kind: str,
    reason: Withheld,
    now: datetime,
) -> None:
    """Count a request that was not made; all of one day, reason and way in are one row."""
    same = {
        "customer_id": customer_id,
        "topic_id": topic_id,
        "day": f"{now:%Y-%m-%d}",
        "reason": str(reason),
        "entry_kind": str(entry_kind),
    }
    is_same = and_(*(getattr(WithheldRequest, name) == value for name, value in same.items()))
    again = bulk.change(WithheldRequest, is_same).values(times=WithheldRequest.times + 1, last_at=now)
    counted = db.execute(again)
    if not (isinstance(counted, CursorResult) and counted.rowcount):
        db.execute(insert(WithheldRequest).values(fanpage_id=fanpage_id, times=1, last_at=now, **same))
