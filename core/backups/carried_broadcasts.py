"""Ends, in a restored database, the broadcasts that have gone on since the backup, so that nobody gets them
a second time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import or_, select
from sqlmodel import Session, col

from core.backups.row_mapping import RowMapping
from core.broadcasts import transitions
from core.broadcasts.rules import BroadcastState
from core.broadcasts.transitions import Transition
from core.consent import ledger as opt_in_ledger
from core.db import bulk
from core.db.tables import Broadcast, Customer, Delivery
from core.deliveries import closing, ledger
from core.deliveries.rules import ELSEWHERE, DeliveryState

_OPEN = (BroadcastState.SCHEDULED, BroadcastState.SENDING, BroadcastState.PAUSED)
_Here = dict[tuple[int, str], tuple[int, int | None]]  # by fanpage and PSID: delivery and opt-in
_MAY_HAVE_ARRIVED = (DeliveryState.SENT, DeliveryState.SENDING, DeliveryState.UNKNOWN)


def cancel_gone_on(source: Session, db: Session, mapping: RowMapping, *, now: datetime) -> list[str]:
    """Cancel the open broadcasts of the restored database that the former one has moved on, after recording
    who got them. Returns their names. One that still waits there as it does here stays scheduled."""
    cancelled = []
    for broadcast in db.execute(select(Broadcast).where(col(Broadcast.state).in_(_OPEN))).scalars().all():
        former = source.get(Broadcast, broadcast.id)
        if former is None or former.created_at != broadcast.created_at or _still_waits(broadcast, former):
            continue
        _record_arrivals(source, db, broadcast.id or 0, mapping, now)
        moved = transitions.move(db, broadcast.id or 0, Transition.CANCEL, now)
        moved.finished_at, moved.pause_code = now, None
        db.flush()
        closing.end_cancelled(db, moved, now)
        cancelled.append(broadcast.name)
    return cancelled


def _still_waits(broadcast: Broadcast, former: Broadcast) -> bool:
    states = {broadcast.state, former.state}
    return states == {BroadcastState.SCHEDULED} and former.version == broadcast.version


def _record_arrivals(
    source: Session, db: Session, broadcast_id: int, mapping: RowMapping, now: datetime
) -> None:
    """What the former database has sent counts as sent, and what it may have sent as in doubt."""
    theirs = (
        select(Delivery, Customer)
        .join(Customer, col(Customer.id) == col(Delivery.customer_id))
        .where(
            col(Delivery.broadcast_id) == broadcast_id,
            or_(bulk.one_of(col(Delivery.state), _MAY_HAVE_ARRIVED), col(Delivery.in_doubt).is_(True)),
        )
    )
    sent: list[tuple[int, str, str | None]] = []
    unsure: list[int] = []
    spared: dict[str, list[int]] = {}  # by sender; theirs went out, or may have, without an opt-in
    here = _deliveries(db, broadcast_id)
    for delivery, customer in source.execute(theirs):
        found = here.get((mapping.fanpage(customer.fanpage_id), customer.psid))
        if found and delivery.sender is not None:
            spared.setdefault(delivery.sender, []).append(found[0])
        if found and delivery.state == DeliveryState.SENT:
            sent.append((found[0], delivery.mid or "", ELSEWHERE))
        elif found:
            unsure.append(found[0])
    _spare(db, spared, here, now)
    here = _deliveries(db, broadcast_id)
    ledger.accept(db, sent, now=now)
    accepted = {id_ for id_, _mid, _evidence in sent}
    opt_in_ledger.spend(db, _opt_ins(here.values(), accepted), now=now)
    ledger.doubt(db, unsure)


def _spare(db: Session, spared: dict[str, list[int]], here: _Here, now: datetime) -> None:
    """Give back the opt-ins of those who got an ordinary message instead, as its claim did there."""
    for name, theirs in spared.items():
        ledger.go_without_opt_in(db, theirs, sender=name)
        opt_in_ledger.release(db, _opt_ins(here.values(), {*theirs}), now=now)


def _deliveries(db: Session, broadcast_id: int) -> _Here:
    found = (
        select(col(Customer.fanpage_id), col(Customer.psid), col(Delivery.id), col(Delivery.opt_in_id))
        .join(Customer, col(Customer.id) == col(Delivery.customer_id))
        .where(col(Delivery.broadcast_id) == broadcast_id)
    )
    return {(fanpage, psid): (id_ or 0, opt_in) for fanpage, psid, id_, opt_in in db.execute(found)}


def _opt_ins(deliveries: Iterable[tuple[int, int | None]], chosen: set[int]) -> list[int]:
    return [opt_in for id_, opt_in in deliveries if id_ in chosen and opt_in]
