"""Claims for the tests, by the very transaction that the sending loop claims with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from core.db.engine import reading
from core.db.tables import Broadcast, FanpageRate
from core.sending import claiming
from core.sending.claiming import ClaimedBatch, ClaimRequest
from core.sending.replies.claims import ReplyClaim
from core.sending.senders.sender import Claim
from core.sending.timetable import Demand, SlotPosition


def claim(broadcast_id: int, count: int, *, worker: str, now: datetime) -> list[Claim]:
    with reading() as db:
        of_it = select(col(Broadcast.fanpage_id)).where(col(Broadcast.id) == broadcast_id)
        fanpage_id = db.execute(of_it).scalar_one()
    (taken,) = claim_of(wanted(fanpage_id, count, [broadcast_id]), worker=worker, now=now)
    return taken.deliveries


def claim_replies(fanpage_id: int, count: int, *, worker: str, now: datetime) -> list[ReplyClaim]:
    (taken,) = claim_of(wanted(fanpage_id, count, [], has_replies=True), worker=worker, now=now)
    return taken.replies


def claim_of(*fanpages: ClaimRequest, worker: str, now: datetime) -> list[ClaimedBatch]:
    return claiming.claim(fanpages, worker=worker, now=now)


def wanted(
    fanpage_id: int, count: int, broadcast_ids: list[int], *, has_replies: bool = False
) -> ClaimRequest:
    with reading() as db:
        slot_in_row = db.execute(
            select(col(FanpageRate.next_free)).where(col(FanpageRate.fanpage_id) == fanpage_id)
        ).scalar_one()
    return ClaimRequest(
        fanpage_id, count, broadcast_ids, has_replies, SlotPosition(0.0), Demand(300.0), slot_in_row
    )
