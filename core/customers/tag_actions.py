"""What staff do with tags: put them on a customer, take them off, delete them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from core.accounts.activity_log import record
from core.accounts.authorising import authorise, of
from core.accounts.rules import Actor, Permission
from core.customers import tags
from core.db.engine import transaction
from core.db.tables import Customer, CustomerTag, Tag
from core.errors import N_, NotFound
from core.text.normalise import name_key


def add_tag(by: Actor, customer_id: int, name: str, *, now: datetime) -> None:
    """Give a customer a tag, which is made if it is new. Raises Invalid."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Customer, customer_id), now=now)
        fanpage_id = _lock(db, customer_id)
        tags.put_on(db, tags.tag_id_of(db, fanpage_id, name, now=now), [customer_id], now=now)
        _record(db, by, "customer.tag", fanpage_id, customer_id, tags.checked(name), now)


def remove_tag(by: Actor, customer_id: int, name: str, *, now: datetime) -> None:
    """Take a tag off a customer; nothing happens when they do not have it."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Customer, customer_id), now=now)
        fanpage_id = _lock(db, customer_id)
        named = select(col(Tag.id)).where(col(Tag.fanpage_id) == fanpage_id, col(Tag.key) == name_key(name))
        mine = col(CustomerTag.customer_id) == customer_id, col(CustomerTag.tag_id).in_(named)
        gone = delete(CustomerTag).where(*mine).returning(col(CustomerTag.tag_id))
        if db.execute(gone).scalars().all():
            _record(db, by, "customer.untag", fanpage_id, customer_id, name, now)


def delete_tag(by: Actor, tag_id: int, *, now: datetime) -> int:
    """Delete a tag from all customers. Returns how many had it."""
    with transaction() as db:
        authorise(db, by, Permission.EDIT, of(Tag, tag_id), now=now)
        tag = db.get(Tag, tag_id)
        if tag is None:
            raise NotFound(N_("There is no tag {id}."), id=tag_id)
        having = col(CustomerTag.tag_id) == tag_id
        people = int(db.execute(select(func.count()).where(having)).scalar_one())
        db.execute(delete(CustomerTag).where(having))
        db.execute(delete(Tag).where(col(Tag.id) == tag_id))
        record(
            db,
            by,
            "tag.delete",
            now=now,
            fanpage_id=tag.fanpage_id,
            subject_id=tag_id,
            subject=tag.name,
            people=people,
        )
        return people


def _lock(db: Session, customer_id: int) -> int:
    """Lock a customer's row, so that nobody forgets them meanwhile; the id of their fanpage."""
    mine = select(col(Customer.fanpage_id)).where(col(Customer.id) == customer_id)
    fanpage_id = db.execute(mine.with_for_update()).scalar_one_or_none()
    if fanpage_id is None:
        raise NotFound(N_("There is no customer {id}."), id=customer_id)
    return int(fanpage_id)


def _record(
    db: Session, by: Actor, verb: str, fanpage_id: int, customer_id: int, tag: str, now: datetime
) -> None:
    record(db, by, verb, now=now, fanpage_id=fanpage_id, subject_id=customer_id, subject=tag)
