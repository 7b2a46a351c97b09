"""A person's no, as staff or the command line pass it on, and the words by which customers say it themselves
(inbox/stopping.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core import row_locks
from core.accounts.authorising import authorise
from core.accounts.rules import COMMAND_LINE, Actor, Permission
from core.activity import record
from core.consent import ledger
from core.consent.rules import WithdrawalSource
from core.consent.stop_words import DEFAULT, check_stop_words, find_stop_word
from core.conversation import storing
from core.customers.forgotten import forgotten_among
from core.database import transaction
from core.db import bulk
from core.errors import N_, Invalid, NotFound, Problem, problem
from core.tables import Customer, Fanpage, Topic
from core.text.identifiers import required_psid
from core.text.matching import search_key
from core.text.normalise import normalise_name


def withdraw_customer(by: Actor, customer_id: int, *, topic_id: int | None = None, now: datetime) -> int:
    """A customer wants no notifications about a topic, or (none) about any: remembered, and none of their
    opt-ins given until now is used any more. Returns how many ended."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, now=now)
        return _withdraw(db, by, customer_id, topic_id, now)


def withdraw_person(
    by: Actor, fanpage_id: int, psid: str, *, topic_id: int | None = None, now: datetime
) -> int:
    """The same by PSID; who is not known yet is remembered, too."""
    psid = required_psid(psid)
    with transaction() as db:
        authorise(db, by, Permission.EDIT, now=now)
        fanpage = db.get(Fanpage, fanpage_id)
        if fanpage is None:
            raise NotFound(N_("There is no fanpage {id}."), id=fanpage_id)
        customer_id = _customer(db, fanpage, psid, now)
        return _withdraw(db, by, customer_id, topic_id, now) if customer_id else 0


def set_stop_words(by: Actor, fanpage_id: int, listed: Sequence[str], *, now: datetime) -> None:
    """The words by which customers of a fanpage say no, each once."""
    kept = list({word.casefold(): word for word in map(normalise_name, listed) if word}.values())
    _refuse(check_stop_words(kept))
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, now=now)
        fanpage = db.get(Fanpage, fanpage_id, with_for_update={"key_share": True})
        if fanpage is None:
            raise NotFound(N_("There is no fanpage {id}."), id=fanpage_id)
        _refuse(_clashes(storing.keywords_of(db, fanpage_id), kept))
        if kept != (fanpage.stop_words or list(DEFAULT)):
            fanpage.stop_words, fanpage.updated_at = kept, now
            record(
                db,
                by,
                "fanpage.set_stop_words",
                now=now,
                fanpage_id=fanpage_id,
                subject_id=fanpage_id,
                subject=fanpage.name,
                words=kept,
            )


def _clashes(keywords: Mapping[str, str], kept: Sequence[str]) -> list[Problem]:
    words = N_("“{value}” starts the message “{name}”: take that keyword away first.")
    return [
        problem("stop_words", words, value=value, name=name)
        for value, name in keywords.items()
        if find_stop_word(value, kept)
    ]


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise Invalid(problems)


def _customer(db: Session, fanpage: Fanpage, psid: str, now: datetime) -> int | None:
    """None: they were forgotten, which says more than a no."""
    row = {"fanpage_id": fanpage.id, "psid": psid, "search_text": search_key(psid), "created_at": now}
    if not forgotten_among(db, [(fanpage.page_id, psid)]):
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
            subject=topic.name if topic else customer.psid,
            count=done.ended,
        )
    return done.ended
