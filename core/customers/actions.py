"""What staff do about customers: lift the marks that keep them out, and forget a person for good."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from core import key_check
from core.accounts.authorising import authorise, authorise_early
from core.accounts.rules import Actor, Permission
from core.activity import record
from core.customers import erasing, forgotten, marks
from core.database import empty_log, reading, transaction
from core.errors import N_, Invalid, NotFound, problem
from core.tables import Broadcast, Customer, Fanpage
from core.text.identifiers import read_id, unwrapped


def lift_mark(by: Actor, customer_id: int, *, now: datetime) -> bool:
    """Offer this customer to broadcasts again. False when there is no mark (any more)."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, now=now)
        owner = select(col(Customer.fanpage_id)).where(col(Customer.id) == customer_id)
        fanpage_id = db.execute(owner).scalar_one_or_none()
        if fanpage_id is None:
            raise NotFound(N_("There is no customer {id}."), id=customer_id)
        lifted = marks.lift(db, now, col(Customer.id) == customer_id)
        if lifted:
            record(db, by, "customer.lift_mark", now=now, fanpage_id=fanpage_id, subject_id=customer_id)
        return bool(lifted)


def lift_marks_of(by: Actor, broadcast_id: int, *, now: datetime) -> int:
    """Offer everybody again whom this broadcast marked as unreachable. Returns how many."""
    with transaction() as db:
        authorise(db, by, Permission.SEND, now=now)
        broadcast = db.get(Broadcast, broadcast_id)
        if broadcast is None:
            raise NotFound(N_("There is no broadcast {id}."), id=broadcast_id)
        lifted = marks.lift(db, now, *marks.made_by(broadcast.fanpage_id, broadcast_id))
        if lifted:
            record(
                db,
                by,
                "broadcast.lift_marks",
                now=now,
                fanpage_id=broadcast.fanpage_id,
                subject_id=broadcast_id,
                subject=broadcast.name,
                people=lifted,
            )
        return lifted


def forget(by: Actor, fanpage_id: int, psid: str, *, now: datetime) -> int:
    """Erase a person, and let nothing older bring them back. Totals stay. Returns how many customers that
    were: none if the fanpage did not know them, who are remembered as forgotten all the same."""
    authorise_early(by, Permission.ADMIN, now=now)
    key_check.refuse_another_key()
    psid = read_id(psid) or unwrapped(psid)  # or as an earlier version kept it, whatever it was
    if not psid:
        raise Invalid([problem("psid", N_("The PSID is missing."))])
    page_id = _page_id(fanpage_id)
    with reading() as db:  # a large vault takes a while to look through; others write meanwhile
        newest, seen = erasing.newest_event(db), erasing.events_of(db, page_id, psid)
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, now=now)
        forgotten.remember(db, (page_id, psid), now=now)
        customer = erasing.lock_customer(db, fanpage_id, psid)
        erasing.erase_events(db, {*seen, *erasing.events_of(db, page_id, psid, after=newest)})
        erasing.blank_activity(db, fanpage_id, psid, customer)
        if customer:
            erasing.erase_customer(db, customer.id or 0, now=now)
        about = customer.id if customer else None  # a number that leads nowhere any more
        record(db, by, "customer.forget", now=now, fanpage_id=fanpage_id, subject_id=about)
    empty_log()
    return 1 if customer else 0


def _page_id(fanpage_id: int) -> str:
    with reading() as db:
        fanpage = db.get(Fanpage, fanpage_id)
        if fanpage is None:
            raise NotFound(N_("There is no fanpage {id}."), id=fanpage_id)
        return fanpage.page_id
