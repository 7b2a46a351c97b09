"""Finds in a restored database what a row of the former one is called there, and makes it when it is missing.

Made are only fanpages, topics and customers, so that a no and a used token have something to hang on.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.db.tables import Customer, Fanpage, FanpageRate, Topic

Row = TypeVar("Row", Fanpage, Topic)


class RowMapping:
    """The numbers of the former database (`source`) in the restored one (`db`)."""

    def __init__(self, source: Session, db: Session) -> None:
        self._source, self._db = source, db
        self._fanpages: dict[int, int] = {}
        self._topics: dict[int, int] = {}
        self._customers: dict[int, int] = {}

    def fanpage(self, former_id: int) -> int:
        """The number of a fanpage in the restored database."""
        if former_id not in self._fanpages:
            row = self._source.get_one(Fanpage, former_id)
            same = select(col(Fanpage.id)).where(col(Fanpage.page_id) == row.page_id)
            found = self._db.execute(same).scalar_one_or_none()
            self._fanpages[former_id] = found or self._add_fanpage(row)
        return self._fanpages[former_id]

    def known_fanpages(self, former_ids: Collection[int]) -> list[int]:
        """The numbers of those among these fanpages that the restored database has. None is made."""
        pages = select(col(Fanpage.page_id)).where(col(Fanpage.id).in_(former_ids))
        wanted = self._source.execute(pages).scalars().all()
        same = select(col(Fanpage.id)).where(col(Fanpage.page_id).in_(wanted)).order_by(col(Fanpage.id))
        return [id_ for id_ in self._db.execute(same).scalars() if id_]

    def topic(self, former_id: int | None) -> int | None:
        """The number of a topic in the restored database; None stays None."""
        if former_id is None:
            return None
        if former_id not in self._topics:
            row = self._source.get_one(Topic, former_id)
            fanpage_id = self.fanpage(row.fanpage_id)
            same = col(Topic.fanpage_id) == fanpage_id, col(Topic.name) == row.name
            found = self._db.execute(select(col(Topic.id)).where(*same)).scalar_one_or_none()
            self._topics[former_id] = found or self._add_topic(row, fanpage_id)
        return self._topics[former_id]

    def customer(self, former_id: int) -> int:
        """The number of a customer in the restored database."""
        if former_id not in self._customers:
            row = self._source.get_one(Customer, former_id)
            fanpage_id = self.fanpage(row.fanpage_id)
            same = col(Customer.fanpage_id) == fanpage_id, col(Customer.psid) == row.psid
            found = self._db.execute(select(col(Customer.id)).where(*same)).scalar_one_or_none()
            self._customers[former_id] = found or self._add_customer(row, fanpage_id)
        return self._customers[former_id]

    def _add_fanpage(self, row: Fanpage) -> int:
        fanpage_id = self._add(Fanpage, row)
        self._db.add(FanpageRate(fanpage_id=fanpage_id))
        self._db.flush()
        return fanpage_id

    def _add_topic(self, row: Topic, fanpage_id: int) -> int:
        return self._add(Topic, row, fanpage_id=fanpage_id, ask_message_id=None)  # messages are not mapped

    def _add_customer(self, row: Customer, fanpage_id: int) -> int:
        made = Customer(
            id=self._unused(Customer),
            fanpage_id=fanpage_id,
            psid=row.psid,
            first_name=row.first_name,
            last_name=row.last_name,
            search_text=row.search_text,
            created_at=row.created_at,
        )
        self._db.add(made)
        self._db.flush()
        return made.id or 0

    def _add(self, table: type[Row], row: Row, **changed: Any) -> int:
        copied = {**row.model_dump(exclude={"id"}), **changed, "id": self._unused(table)}
        made = table(**copied)
        self._db.add(made)
        self._db.flush()
        return made.id or 0

    def _unused(self, table: type[Fanpage | Topic | Customer]) -> int:
        """A number that neither database has given to anybody."""
        highest = select(func.max(table.id))
        return max(each.execute(highest).scalar_one() or 0 for each in (self._source, self._db)) + 1
