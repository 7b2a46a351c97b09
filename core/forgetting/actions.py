"""Forgets a person for good: what is stored about them is erased; totals and a keyed hash stay."""

from __future__ import annotations

from datetime import datetime

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, authorise_early, of
from core.accounts.rules import Actor, Permission
from core.customers import forgotten
from core.db.engine import empty_log, reading, transaction
from core.db.tables import Fanpage
from core.errors import N_, Invalid, NotFound, problem
from core.forgetting import erasing
from core.installation import key_check
from core.text.identifiers import read_id, unwrapped


def forget(by: Actor, fanpage_id: int, psid: str, *, now: datetime) -> int:
    """Erase a person, and record that nothing older may bring them back. Totals stay. Returns
    how many customers were erased: 0 when the fanpage did not know the person, who is recorded
    as forgotten all the same."""
    authorise_early(by, Permission.ADMIN, of(Fanpage, fanpage_id), now=now)
    key_check.refuse_another_key()
    psid = read_id(psid) or unwrapped(psid)  # or as an earlier version stored it, whatever it is
    if not psid:
        raise Invalid([problem("psid", N_("The PSID is missing."))])
    page_id = _page_id(fanpage_id)
    with reading() as db:  # to search many events takes a while; others write meanwhile
        newest, seen = erasing.newest_event(db), erasing.events_of(db, page_id, psid)
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, of(Fanpage, fanpage_id), now=now)
        forgotten.record_forgotten(db, (page_id, psid), now=now)
        customer = erasing.lock_customer(db, fanpage_id, psid)
        erasing.erase_events(db, {*seen, *erasing.events_of(db, page_id, psid, after=newest)})
        erasing.blank_imports(db, fanpage_id, psid)
        if customer:
            erasing.erase_customer(db, customer.id or 0, now=now)
        about = customer.id if customer else None  # an id that refers to nothing any more
        record(db, by, "customer.forget", now=now, fanpage_id=fanpage_id, subject_id=about)
    empty_log()
    return 1 if customer else 0


def _page_id(fanpage_id: int) -> str:
    with reading() as db:
        fanpage = db.get(Fanpage, fanpage_id)
        if fanpage is None:
            raise NotFound(N_("There is no fanpage {id}."), id=fanpage_id)
        return fanpage.page_id
