"""An audience that is made in parts."""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import col

from core.broadcasts import gathering
from core.database import reading
from core.tables import Delivery, Gathering
from tests.sending.conftest import Studio


def gather(studio: Studio, parts: int = 1000) -> list[int]:
    """What a worker's tick does, or so many parts of it."""
    left = iter(range(parts - 1))
    return gathering.gather(lambda: studio.now, rest=lambda _: next(left, None) is None)


def recipients(broadcast_id: int) -> list[int]:
    with reading() as db:
        mine = select(col(Delivery.customer_id)).where(col(Delivery.broadcast_id) == broadcast_id)
        return sorted(db.execute(mine).scalars())


def unfinished() -> list[int]:
    with reading() as db:
        return list(db.execute(select(col(Gathering.broadcast_id))).scalars())
