"""Carries over who was forgotten, who said no, and which users may do what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select, union
from sqlmodel import Session, col

from core.backups.row_mapping import RowMapping
from core.consent import ledger
from core.consent.rules import WithdrawalSource
from core.customers import forgotten
from core.db.tables import Customer, Event, Fanpage, Operator, Withdrawal
from core.forgetting import erasing


def forget_again(source: Session, db: Session, *, now: datetime) -> int:
    """Erase whom the former database has forgotten since the backup, and keep the list of them. Returns how
    many customers were erased."""
    is_new = forgotten.copy_list(source, db)
    if not is_new:
        return 0
    erased = 0
    for page_id, fanpage_id, psid in [who for who in _people(db) if is_new((who[0], who[2]))]:
        erasing.erase_events(db, erasing.events_of(db, page_id, psid))
        customer = erasing.lock_customer(db, fanpage_id, psid)
        erasing.blank_imports(db, fanpage_id, psid)
        if customer:
            erasing.erase_customer(db, customer.id or 0, now=now)
            erased += 1
    db.flush()
    db.expire_all()
    return erased


def _people(db: Session) -> Iterator[tuple[str, int, str]]:
    """Everybody whom the restored database knows, as customers or from events that wait."""
    of_customers = select(col(Fanpage.page_id), col(Fanpage.id), col(Customer.psid)).join(
        Customer, col(Customer.fanpage_id) == col(Fanpage.id)
    )
    of_events = (
        select(col(Fanpage.page_id), col(Fanpage.id), col(Event.psid))
        .join(Event, col(Event.page_id) == col(Fanpage.page_id))
        .where(col(Event.psid).is_not(None))
    )
    for page_id, fanpage_id, psid in db.execute(union(of_customers, of_events)):
        yield str(page_id), int(fanpage_id), str(psid)


def withdraw_again(source: Session, db: Session, mapping: RowMapping, *, now: datetime) -> int:
    """Record the withdrawals that the restored database does not know. Returns how many."""
    known = select(col(Withdrawal.customer_id), col(Withdrawal.topic_id), col(Withdrawal.at))
    seen = {tuple(row) for row in db.execute(known)}
    carried = 0
    for row in source.execute(select(Withdrawal).order_by(col(Withdrawal.id))).scalars():
        customer_id, topic_id = mapping.customer(row.customer_id), mapping.topic(row.topic_id)
        if (customer_id, topic_id, row.at) in seen:
            continue
        ledger.withdraw(
            db,
            customer_id,
            topic_id,
            fanpage_id=mapping.fanpage(row.fanpage_id),
            source=WithdrawalSource(row.source),
            at=row.at,
            now=now,
        )
        carried += 1
    return carried


def keep_operators(source: Session, db: Session, mapping: RowMapping, *, now: datetime) -> None:
    """Users stay as they are now: passwords, roles, who was disabled, whose fanpages they are limited to.
    Everybody signs in anew."""
    there = {row.name: row for row in db.execute(select(Operator)).scalars()}
    for row in there.values():  # an identity at a provider is one operator's, who may have another name now
        row.sso_issuer = row.sso_subject = row.sso_name = None
    db.flush()
    for row in source.execute(select(Operator)).scalars():
        kept = there.pop(row.name, None)
        if kept is None:
            kept = Operator(**row.model_dump(exclude={"id"}))
            db.add(kept)
        for name, value in row.model_dump(exclude={"id"}).items():
            setattr(kept, name, value)
        if row.fanpage_ids is not None:
            kept.fanpage_ids = mapping.known_fanpages(row.fanpage_ids)
        kept.sessions_valid_after = now
    for former in there.values():  # renamed or removed since the backup
        former.sessions_valid_after, former.disabled_at = now, former.disabled_at or now
    db.flush()
