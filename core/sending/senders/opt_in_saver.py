"""Spares opt-ins: whoever has written within the messaging window gets an ordinary message, everybody else
one that spends their opt-in.

Which of the two is decided at the first claim of a delivery and stays so. An ordinary message gives the
opt-in back before it leaves, so that nothing can use it for this delivery any more: nobody gets both, and no
opt-in is lost. See docs/decisions/0056.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select
from sqlmodel import col

from core.broadcasts.draft_rules import OPT_IN_SAVER
from core.consent.rules import OptInState
from core.db import bulk
from core.db.tables import Delivery, OptIn
from core.sending.senders.inside_window import InsideWindow, needed
from core.sending.senders.one_time_token import OneTimeToken
from core.sending.senders.sender import Row, Way

MARGIN = timedelta(minutes=1)  # a window that closes sooner counts as closed: the call takes its time
_OF_TOKEN = 5  # columns that OneTimeToken needs


class OptInSaver(OneTimeToken):
    """For each delivery one of the two senders; it sends nothing itself."""

    name = OPT_IN_SAVER

    def __init__(self, by_token: OneTimeToken, in_window: InsideWindow) -> None:
        self._by_token, self._in_window = by_token, in_window

    def with_needs(self, deliveries: Select[Any]) -> Select[Any]:
        by_token: tuple[Any, ...] = (
            col(OptIn.id),
            col(OptIn.token_sealed),
            col(OptIn.state),
            col(OptIn.expires_at),
            col(Delivery.in_doubt).label("doubt"),
        )
        added = deliveries.add_columns(*by_token, *needed(), col(Delivery.sender))
        return added.outerjoin(OptIn, col(OptIn.id) == col(Delivery.opt_in_id))

    def choose(self, row: Row, *, is_first_claim: bool, now: datetime) -> Way:
        opt_in_id, _sealed, state, expires_at, _doubt, psid, closes_at, _has_said_no, before = row
        by_token, in_window = row[:_OF_TOKEN], row[_OF_TOKEN:-1]
        if before == self._in_window.name or opt_in_id is None:
            return Way(self._in_window, in_window)
        may_be_used = state == OptInState.RESERVED and bulk.moment(expires_at) > now
        if is_first_claim and psid and may_be_used and _is_open(closes_at, now):
            return Way(self._in_window, in_window, opt_in_id)
        return Way(self._by_token, by_token)


def _is_open(closes_at: str | None, now: datetime) -> bool:
    return closes_at is not None and bulk.moment(closes_at) > now + MARGIN
