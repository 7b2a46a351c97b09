"""Gives the answers that waited until the worker had asked the platform for the customer's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import col

from core.conversation.replies import begin_answer
from core.customers.profiles import store_profile
from core.db import row_locks
from core.db.engine import transaction, wait_for_locks
from core.db.tables import Reply
from core.messenger.client import Profile
from core.sending.replies.claims import PATIENCE, ReplyClaim, is_claimed_by


@dataclass(frozen=True, slots=True)
class LearntLanguage:
    """What became of a claimed answer that waits for the customer's language; nothing was sent."""

    claim: ReplyClaim
    profile: Profile | None = None
    asked_profile: bool = False


def settle(learnt: Sequence[LearntLanguage], *, now: datetime) -> None:
    """Store what was learnt, and queue the answers in the place of the replies that stood for them. A claim
    that is not ours any more queues nothing, and repeating it changes nothing."""
    if not learnt:
        return
    with transaction() as db:
        wait_for_locks(db, PATIENCE)
        row_locks.lock_customers(db, {each.claim.customer_id for each in learnt})
        for each in sorted(learnt, key=lambda one: one.claim.reply_id):
            claim = each.claim
            if each.asked_profile:
                store_profile(db, claim.customer_id, claim.psid, each.profile, now)
            ours = delete(Reply).where(col(Reply.id) == claim.reply_id, is_claimed_by(claim))
            if db.execute(ours.returning(col(Reply.id))).first() is not None:
                begin_answer(db, claim.fanpage_id, claim.customer_id, claim.begins_with or {}, now)
