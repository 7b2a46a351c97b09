"""The audience of a broadcast, as the worker builds it, and as it stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import audience_builder
from core.broadcasts.drafts import get_draft, keep_draft
from core.db.engine import reading
from core.db.tables import AudienceProgress, Delivery
from tests.sending.conftest import Studio


def build_rest(studio: Studio, chunks: int = 1000) -> list[int]:
    """What a worker's tick does, or so many chunks of it."""
    left = iter(range(chunks - 1))
    return audience_builder.build_audiences(lambda: studio.now, rest=lambda _: next(left, None) is None)


def recipients(broadcast_id: int) -> list[int]:
    with reading() as db:
        mine = select(col(Delivery.customer_id)).where(col(Delivery.broadcast_id) == broadcast_id)
        return sorted(db.execute(mine).scalars())


def unfinished() -> list[int]:
    with reading() as db:
        return list(db.execute(select(col(AudienceProgress.broadcast_id))).scalars())


def choose_first_part(broadcast_id: int, size: int, *, now: datetime) -> None:
    """So many go first, and their outcome decides about the rest."""
    began = get_draft(broadcast_id)
    keep_draft(COMMAND_LINE, replace(began, first_part=size), began=began, now=now)
