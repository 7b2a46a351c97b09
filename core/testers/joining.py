"""Makes testers of those who write a code word, inside the caller's transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlmodel import Session, col

from core.conversation.replies import answer_with
from core.db import bulk
from core.db.tables import Fanpage, Tester
from core.errors import N_
from core.settings import settings
from core.testers.rules import code_in
from core.text.catalogues import say_in

# What the colleague reads, in the language of the installation.
_JOINED = N_(
    "You are now a tester of {fanpage}: test messages from your team arrive here. Messenger allows "
    "this for 24 hours after you last wrote, so write something if a test doesn't arrive."
)
_EXPIRED = N_("This code for testers of {fanpage} has expired. Make a new one in the panel.")


def join_as_tester(
    db: Session,
    fanpage_id: int,
    customer_id: int,
    *,
    text: str | None,
    ref: str | None,
    answer: bool,
    now: datetime,
) -> bool:
    """Make a tester of a customer, whose row the caller has locked, if they bring a code that was made for
    this fanpage, and with `answer` tell them. Returns whether they did, also when it has expired."""
    code = code_in(text, ref)
    if code is None:
        return False
    chosen = select(Tester).where(col(Tester.fanpage_id) == fanpage_id, col(Tester.code) == code)
    invited = db.execute(chosen.with_for_update()).scalar_one_or_none()
    if invited is None:
        return False
    is_in_time = invited.code_expires_at is not None and invited.code_expires_at > now
    if is_in_time:
        _replace_former(db, invited, customer_id)
        invited.customer_id, invited.joined_at = customer_id, now
        invited.code, invited.code_expires_at = None, None
        db.flush()
    if answer:
        say = say_in(settings().language)(_JOINED if is_in_time else _EXPIRED)
        words = say.format(fanpage=db.get_one(Fanpage, fanpage_id).name)
        answer_with(db, fanpage_id, customer_id, words, now)
    return True


def _replace_former(db: Session, invited: Tester, customer_id: int) -> None:
    """One person is one tester, and an operator has one phone: the latest."""
    same = [col(Tester.customer_id) == customer_id]
    if invited.operator_id is not None:
        same.append(col(Tester.operator_id) == invited.operator_id)
    others = col(Tester.fanpage_id) == invited.fanpage_id, col(Tester.id) != invited.id
    db.execute(bulk.remove(Tester, *others, or_(*same)))
