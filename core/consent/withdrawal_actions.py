"""Withdrawals that staff or the command line record for a customer. Those that customers write themselves
come through the inbox."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, of
from core.accounts.rules import COMMAND_LINE, Actor, Permission
from core.consent import ledger
from core.consent.rules import WithdrawalSource
from core.customers.forgotten import find_forgotten
from core.db import bulk, row_locks
from core.db.engine import transaction
from core.db.tables import Customer, Fanpage, Topic
from core.errors import N_, NotFound
from core.text.identifiers import required_psid
from core.text.matching import search_key


def withdraw_customer(by: Actor, customer_id: int, *, topic_id: int | None = None, now: datetime) -> int:
    """Record that a customer wants no notifications about a topic, or (None) about any, and end the opt-ins
    that they have given until now. Returns how many ended."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Customer, customer_id), now=now)
        return _withdraw(db, by, customer_id, topic_id, now)


def withdraw_person(
    by: Actor, fanpage_id: int, psid: str, *, topic_id: int | None = None, now: datetime
) -> int:
    """Do what `withdraw_customer` does, by PSID. Somebody who is not known yet becomes a customer, so that
    the withdrawal is kept."""
    psid = required_psid(psid)
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Fanpage, fanpage_id), now=now)
        fanpage = db.get(Fanpage, fanpage_id)
        if fanpage is None:
            raise NotFound(N_("There is no fanpage {id}."), id=fanpage_id)
        customer_id = _customer(db, fanpage, psid, now)
        return _withdraw(db, by, customer_id, topic_id, now) if customer_id else 0


def _customer(db: Session, fanpage: Fanpage, psid: str, now: datetime) -> int | None:
    """The customer's id, made when it is missing; None when the person was forgotten."""
    row = {"fanpage_id": fanpage.id, "psid": psid, "search_text": search_key(psid), "created_at": now}
    if not find_forgotten(db, [(fanpage.page_id, psid)]):
        db.execute(bulk.insert_new(Customer).values(row))
    mine = col(Customer.fanpage_id) == fanpage.id, col(Customer.psid) == psid
    return db.execute(select(col(Customer.id)).where(*mine)).scalar_one_or_none()


def _withdraw(db: Session, by: Actor, customer_id: int, topic_id: int | None, now: datetime) -> int:
    row_locks.lock_customers(db, [customer_id])
    customer = db.get(Customer, customer_id)
    if customer is None:
        raise NotFound(N_("There is no customer {id}."), id=customer_id)
    topic = db.get(Topic, topic_id) if topic_id else None
    if topic_id and (topic is None or topic.fanpage_id != customer.fanpage_id):
        raise NotFound(N_("There is no topic {id}."), id=topic_id)
    is_shell = by == COMMAND_LINE
    done = ledger.withdraw(
        db,
        customer_id,
        topic_id,
        fanpage_id=customer.fanpage_id,
        source=WithdrawalSource.COMMAND_LINE if is_shell else WithdrawalSource.STAFF,
        at=now,
        now=now,
    )
    if done.is_new or done.ended:
        record(
            db,
            by,
            "customer.withdraw_topic" if topic else "customer.withdraw",
            now=now,
            fanpage_id=customer.fanpage_id,
            subject_id=customer_id,
            subject=topic.name if topic else f"#{customer.id}",
            count=done.ended,
        )
    return done.ended
