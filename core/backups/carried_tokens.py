"""Carries over which tokens may not be offered any more: used, perhaps used, refused, or withdrawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, exists, or_, select
from sqlmodel import Session, col

from core.backups.row_mapping import RowMapping
from core.consent import ledger
from core.consent.rules import OptInState
from core.db import bulk
from core.db.tables import Delivery, OptIn
from core.deliveries.rules import DeliveryState

ROWS_AT_ONCE = 2000
_OVER = (OptInState.SPENT, OptInState.WITHDRAWN, OptInState.REFUSED)
_MAY_HAVE_ARRIVED = (DeliveryState.SENDING, DeliveryState.UNKNOWN)


def end_used(source: Session, db: Session, mapping: RowMapping) -> int:
    """End the opt-ins that the former database knows to be over, and add those that the restored one never
    had, so that no import brings them back. Returns how many changed or were added."""
    changed = 0
    for rows in _in_parts(source):
        ended = [_ended(row, mapping) for row in rows]
        changed += ledger.end_as_elsewhere(db, ended)
        known = ledger.find_known(db, {(each.fanpage_id, each.token_hash) for each in ended})
        new = [
            (row, end)
            for row, end in zip(rows, ended, strict=True)
            if (end.fanpage_id, end.token_hash) not in known and row.customer_id
        ]
        for row, end in new:
            customer_id, topic_id = mapping.customer(row.customer_id or 0), mapping.topic(row.topic_id)
            ledger.add_ended(db, row, end, customer_id=customer_id, topic_id=topic_id)
        changed += len(new)
    return changed


def _ended(row: OptIn, mapping: RowMapping) -> ledger.EndedOptIn:
    """What may have been used counts as used."""
    state = OptInState.SPENT if row.state == OptInState.RESERVED else OptInState(row.state)
    return ledger.EndedOptIn(mapping.fanpage(row.fanpage_id), row.token_hash, state, row.settled_at)


def _in_parts(source: Session) -> Iterator[Sequence[OptIn]]:
    last = 0
    while True:
        over = or_(bulk.one_of(col(OptIn.state), _OVER), _is_in_doubt())
        chosen = select(OptIn).where(over, col(OptIn.id) > last).order_by(col(OptIn.id)).limit(ROWS_AT_ONCE)
        rows = source.execute(chosen).scalars().all()
        if not rows:
            return
        yield rows
        last = rows[-1].id or 0
        source.expunge_all()


def _is_in_doubt() -> ColumnElement[bool]:
    may_have = or_(bulk.one_of(col(Delivery.state), _MAY_HAVE_ARRIVED), col(Delivery.in_doubt).is_(True))
    held = exists().where(col(Delivery.opt_in_id) == col(OptIn.id), may_have)
    return (col(OptIn.state) == bulk.constant(OptInState.RESERVED)) & held
