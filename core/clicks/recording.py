"""Records clicks: once for each person and link, however often the link is opened."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, update
from sqlmodel import col

from core.clicks.codes import LinkId, Sent
from core.db.engine import transaction
from core.db.tables import Delivery, Reply, UtcTime


class Click(NamedTuple):
    """Somebody followed a link."""

    link: LinkId
    at: datetime


def record(clicks: Collection[Click]) -> None:
    """Record clicks in one transaction. A click shows that the message was delivered and read, which some
    phones never report. Recording it again changes nothing."""
    with transaction() as db:
        for table, sent in ((Delivery, Sent.DELIVERY), (Reply, Sent.REPLY)):
            rows = [
                {"which": link.id, "bit": 1 << link.place, "at": at}
                for link, at in sorted(clicks, key=lambda click: click.link.id)
                if link.sent == sent
            ]
            if rows:
                db.connection().execute(_recording(table), rows)


def _recording(table: type[Delivery] | type[Reply]) -> Any:
    at = bindparam("at", type_=UtcTime)
    first = {
        name: func.coalesce(getattr(table, name), at) for name in ("clicked_at", "read_at", "delivered_at")
    }
    known = func.coalesce(col(table.clicked_links), 0)
    return (
        update(table)
        .where(col(table.id) == bindparam("which"))
        .values({**first, "clicked_links": known.op("|")(bindparam("bit"))})
    )
