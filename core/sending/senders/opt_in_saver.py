"""Spares opt-ins: whoever has written within the messaging window gets an ordinary message, everybody else
one that spends their opt-in.

Which of the two is decided at the first claim of a delivery and stays so. An ordinary message gives the
opt-in back before it leaves, so that nothing can use it for this delivery any more: nobody gets both, and no
opt-in is lost. See docs/decisions/0056.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select
from sqlmodel import col

from core.broadcasts.draft_rules import OPT_IN_SAVER
from core.consent.rules import OptInState
from core.db import bulk
from core.db.tables import Delivery, OptIn
from core.sending.senders import inside_window, one_time_token
from core.sending.senders.inside_window import InsideWindow
from core.sending.senders.one_time_token import OneTimeToken
from core.sending.senders.sender import Prepared, Row

MARGIN = timedelta(minutes=1)  # a window that closes sooner counts as closed: the call takes its time
_OF_TOKEN, _OWN = 5, 2  # columns that OneTimeToken needs, and those of this sender


class OptInSaver(OneTimeToken):
    """For each delivery one of the two senders; it sends nothing itself."""

    name = OPT_IN_SAVER

    def __init__(self, by_token: OneTimeToken, in_window: InsideWindow) -> None:
        self._by_token, self._in_window = by_token, in_window

    def with_needs(self, deliveries: Select[Any]) -> Select[Any]:
        own: tuple[Any, ...] = col(Delivery.sender), col(Delivery.attempt).label("claims")
        added = deliveries.add_columns(*one_time_token.needed(), *inside_window.needed(), *own)
        return added.outerjoin(OptIn, col(OptIn.id) == col(Delivery.opt_in_id))

    def prepare(self, rows: Sequence[Row], now: datetime) -> list[Prepared]:
        ordinary = [self._is_ordinary(row, now) for row in rows]
        both = list(zip(rows, ordinary, strict=True))
        in_window = iter(
            self._in_window.prepare([row[_OF_TOKEN:-_OWN] for row, is_one in both if is_one], now)
        )
        by_token = iter(self._by_token.prepare([row[:_OF_TOKEN] for row, is_one in both if not is_one], now))
        return [self._sparing(row, next(in_window)) if is_one else next(by_token) for row, is_one in both]

    def _sparing(self, row: Row, found: Prepared) -> Prepared:
        """The same, and the opt-in is spared; that of an earlier claim's choice was."""
        was_chosen = row[-_OWN] == self._in_window.name
        return found if was_chosen else found._replace(spared_opt_in_id=row[0])

    def _is_ordinary(self, row: Row, now: datetime) -> bool:
        """Whether the delivery goes as an ordinary message: it has done so before, or the window is open at
        its first claim."""
        opt_in_id, _sealed, state, expires_at, _doubt, psid, closes_at, _has_said_no, before, claims = row
        if before == self._in_window.name or opt_in_id is None:
            return True
        may_be_used = state == OptInState.RESERVED and bulk.moment(expires_at) > now
        return not claims and bool(psid) and may_be_used and _is_open(closes_at, now)


def _is_open(closes_at: str | None, now: datetime) -> bool:
    return closes_at is not None and bulk.moment(closes_at) > now + MARGIN
