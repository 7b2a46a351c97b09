"""Tags: words by which staff group the customers of a fanpage, and the condition that a customer has one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from core.customers.tag_rules import LONGEST
from core.db import bulk
from core.db.engine import reading
from core.db.tables import Customer, CustomerTag, Tag
from core.errors import N_, Invalid, problem
from core.text.collation import sort_key
from core.text.normalise import name_key, normalise_name

_PUT_ON = bulk.columns_of(CustomerTag, "customer_id", "tag_id", "created_at")


@dataclass(frozen=True)
class TagView:
    id: int
    name: str
    customers: int


def has_tag(tag_id: int) -> ColumnElement[bool]:
    """The condition, on a query of customers, that they have this tag."""
    theirs = select(col(CustomerTag.customer_id)).where(col(CustomerTag.tag_id) == tag_id)
    return col(Customer.id).in_(theirs)


def list_tags(fanpage_id: int) -> list[TagView]:
    """The tags of a fanpage in the order of the alphabet, each with how many customers have it."""
    people = select(func.count()).where(col(CustomerTag.tag_id) == col(Tag.id)).scalar_subquery()
    wanted = select(col(Tag.id), col(Tag.name), people).where(col(Tag.fanpage_id) == fanpage_id)
    with reading() as db:
        found = [TagView(id_ or 0, name, count) for id_, name, count in db.execute(wanted)]
    return sorted(found, key=lambda tag: sort_key(tag.name))


def tags_of(db: Session, customer_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The tags of each of these customers, in the order of the alphabet."""
    wanted = (
        select(col(CustomerTag.customer_id), col(Tag.name))
        .join(Tag, col(Tag.id) == col(CustomerTag.tag_id))
        .where(col(CustomerTag.customer_id).in_(customer_ids))
    )
    found: dict[int, list[str]] = {}
    for customer_id, name in db.execute(wanted):
        found.setdefault(customer_id, []).append(name)
    return {id_: tuple(sorted(names, key=sort_key)) for id_, names in found.items()}


def tag_id_of(db: Session, fanpage_id: int, name: str, *, now: datetime) -> int:
    """The tag of this name, made if there is none; "VIP" and "vip" are one. Raises Invalid."""
    written = checked(name)
    values = {"fanpage_id": fanpage_id, "name": written, "key": name_key(written), "created_at": now}
    db.execute(bulk.insert_new(Tag).values(**values))
    mine = col(Tag.fanpage_id) == fanpage_id, col(Tag.key) == values["key"]
    return db.execute(select(col(Tag.id)).where(*mine)).scalar_one() or 0


def checked(name: str) -> str:
    """The name of a tag as it is stored. Raises Invalid."""
    written = normalise_name(name)
    if not written:
        raise Invalid([problem("tag", N_("Write the tag first."))])
    if len(written) > LONGEST:
        too_long = N_("A tag can have at most {limit} characters.")
        raise Invalid([problem("tag", too_long, limit=LONGEST)])
    return written


def put_on(db: Session, tag_id: int, customer_ids: Collection[int], *, now: datetime) -> None:
    """Give these customers the tag; who has it already keeps it. The caller has locked their rows."""
    if customer_ids:
        given = bulk.insert_given(CustomerTag, _PUT_ON).on_conflict_do_nothing()
        rows = [(each, tag_id, bulk.stamp(now)) for each in customer_ids]
        db.connection().execute(given, bulk.bound(rows))
