"""The wording with which a customer is asked, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import exists, select
from sqlmodel import Session, col

from core.conversation.wording_tests import Chosen, choose_wording
from core.db.tables import Request


def choose_for(db: Session, content: Mapping[str, Any], customer_id: int, topic_id: int) -> Chosen:
    """The content with this customer's wording. Each customer counts once in a test, by their first request:
    whoever was asked in it before gets the same wording again, outside of the test."""
    chosen = choose_wording(content, customer_id)
    if not chosen.test:
        return chosen
    before = exists().where(
        col(Request.customer_id) == customer_id,
        col(Request.topic_id) == topic_id,
        col(Request.test) == chosen.test,
    )
    return replace(chosen, test="", variant="") if db.execute(select(before)).scalar() else chosen
