"""Records taps as opt-ins, many in one statement, which also looks up their customers and requests.

A second tap of the same token changes nothing. The other way in, for imports: `ledger.record_imported`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import Text, case, func, literal
from sqlmodel import Session, col

from core.consent.rules import OptInSource, OptInState, expires_at
from core.consent.withdrawals import is_before_withdrawal
from core.db import bulk
from core.db.tables import Customer, OptIn, Request

_COLUMNS = {
    **bulk.columns_of(Customer, "fanpage_id", "psid"),
    "payload": Text(),
    **bulk.columns_of(
        OptIn, "topic_id", "token_hash", "token_sealed", "consented_at", "expires_at", "created_at"
    ),
}


class Tap(NamedTuple):
    """A tap of a known customer, its token as the ledger keeps it."""

    fanpage_id: int
    psid: str
    payload: str
    topic_id: int | None  # used when no request of ours has this payload
    token_hash: str
    token_sealed: str
    consented_at: datetime


def record_taps(db: Session, taps: Sequence[Tap], now: datetime) -> None:
    """Store taps as opt-ins. One whose token the fanpage already has is left as it is; one that is older than
    a withdrawal is stored as withdrawn. The caller has locked the customers' rows."""
    if taps:
        at = bulk.stamp(now)
        rows = [_values(tap, at) for tap in taps]
        _insert().run(db, bulk.bound(rows))


def _values(tap: Tap, now: str | None) -> list[object]:
    """The tap in the order of `_COLUMNS`."""
    return [
        tap.fanpage_id,
        tap.psid,
        tap.payload,
        tap.topic_id,
        tap.token_hash,
        tap.token_sealed,
        bulk.stamp(tap.consented_at),
        bulk.stamp(expires_at(tap.consented_at)),
        now,
    ]


@cache
def _insert() -> bulk.CompiledStatement:
    given = bulk.rows_given(_COLUMNS).subquery("tap")
    tap = given.c
    topic_id = func.coalesce(Request.topic_id, tap.topic_id)
    was_withdrawn = is_before_withdrawal(col(Customer.id), topic_id, tap.consented_at)
    chosen = {
        "fanpage_id": tap.fanpage_id,
        "customer_id": col(Customer.id),
        "topic_id": topic_id,
        "request_id": col(Request.id),
        "promise": func.coalesce(Request.title, ""),
        "token_hash": tap.token_hash,
        "token_sealed": tap.token_sealed,
        "state": case((was_withdrawn, OptInState.WITHDRAWN.value), else_=OptInState.AVAILABLE.value),
        "source": literal(OptInSource.WEBHOOK.value),
        "consented_at": tap.consented_at,
        "expires_at": tap.expires_at,
        "settled_at": case((was_withdrawn, tap.created_at)),
        "created_at": tap.created_at,
    }
    is_theirs = (col(Customer.fanpage_id) == tap.fanpage_id) & (col(Customer.psid) == tap.psid)
    is_asked = (col(Request.payload) == tap.payload) & (col(Request.fanpage_id) == tap.fanpage_id)
    known = given.join(Customer, is_theirs).outerjoin(Request, is_asked)
    insert = bulk.insert_selected(OptIn, chosen, known)
    return bulk.CompiledStatement(insert.on_conflict_do_nothing())
