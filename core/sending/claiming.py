"""Claim before send: one transaction claims, for all fanpages, what leaves next and moves their send slots.

A worker holds what it claims under a lease (claims.py). A broadcast that somebody is just changing is not
waited for: it is left for the next turn, and the others go on.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session

from core.consent import ledger as opt_in_ledger
from core.db.engine import DATABASE_TROUBLE, is_locked, transaction, wait_for_locks
from core.deliveries import ledger as delivery_ledger
from core.deliveries.rules import DeliveryState, Verdict
from core.sending import timetable
from core.sending.claims import LEASE, UnsureCommit
from core.sending.limits import rate_limiter
from core.sending.ready_deliveries import DELIVERY_ID, OWN_COLUMNS, Offer, find_offers
from core.sending.replies import claims as reply_claims
from core.sending.replies.claims import ReplyClaim
from core.sending.senders.sender import Claim, Prepared, Sender
from core.sending.timetable import Demand, SlotPosition

PATIENCE = "100ms"  # for a locked row: until it is known whose it is all fanpages wait, some times as long


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """What one fanpage would claim: up to `count` messages, its replies first, then its broadcasts in turn.

    `slot_in_row` is the next free send slot that its rate row is known to have, in seconds since 1970;
    `position` is the same in monotonic seconds, in which the timetable computes. `turn` says whose broadcast
    begins.
    """

    fanpage_id: int
    count: int
    broadcast_ids: Sequence[int]
    has_replies: bool
    position: SlotPosition
    demand: Demand
    slot_in_row: float
    turn: int = 0


@dataclass(slots=True)
class ClaimedBatch:
    """What one fanpage got: its claims in the order in which they leave, and where it stands afterwards."""

    request: ClaimRequest
    reply_ids: list[int]
    offers: list[Offer]  # of deliveries
    replies: list[ReplyClaim] = field(default_factory=list)
    deliveries: list[Claim] = field(default_factory=list)
    times: tuple[float, ...] = ()  # monotonic
    position: SlotPosition | None = None
    slot_in_row: float = 0.0
    without_any: set[int] = field(default_factory=set)  # broadcasts that had nothing to send

    @property
    def claims(self) -> list[ReplyClaim | Claim]:
        """All claims in the order in which they leave: replies first."""
        return [*self.replies, *self.deliveries]


class SlotsMoved(Exception):
    """Another process has moved the send slots of these fanpages: nothing was claimed for any."""

    def __init__(self, fanpage_ids: Collection[int]) -> None:
        super().__init__(f"{len(fanpage_ids)} fanpages")
        self.fanpage_ids = fanpage_ids


def claim(requests: Sequence[ClaimRequest], *, worker: str, now: datetime) -> list[ClaimedBatch]:
    """Claim for all of these fanpages in one transaction, and return what each got.

    Raises SlotsMoved when another process has moved the slots of some (nothing is claimed), UnsureCommit when
    the commit failed, so that nobody knows whether the database has the claims, and otherwise whatever the
    database raises. A locked row is waited for 100 ms.
    """
    claimed_steady, batches = time.monotonic(), list[ClaimedBatch]()
    try:
        with transaction() as db:
            wait_for_locks(db, PATIENCE)
            waiting = reply_claims.waiting(
                db, {each.fanpage_id: each.count for each in requests if each.has_replies}, now=now
            )
            counts = {key: each.count for each in requests for key in each.broadcast_ids}
            offered = find_offers(db, counts, now)
            batches = [_chosen(each, waiting.get(each.fanpage_id, []), offered) for each in requests]
            _take_deliveries(db, batches, worker, claimed_steady, now)
            _take_replies(db, batches, worker, now)
            _move_slots(db, batches, now)
    except DATABASE_TROUBLE as problem:
        claims = [claim for each in batches for claim in each.claims]
        if not claims or is_locked(problem):  # then it was rolled back for sure
            raise
        raise UnsureCommit(claims) from problem
    return batches


def _chosen(request: ClaimRequest, reply_ids: list[int], offered: Mapping[int, list[Offer]]) -> ClaimedBatch:
    """Replies first; what room is left the fanpage's broadcasts share."""
    offers = [offered.get(broadcast_id, []) for broadcast_id in request.broadcast_ids]
    shares = timetable.share(
        request.count - len(reply_ids), [len(each) for each in offers], turn=request.turn
    )
    chosen = [offer for of_one, count in zip(offers, shares, strict=True) for offer in of_one[:count]]
    none = {key for key, of_one in zip(request.broadcast_ids, offers, strict=True) if not of_one}
    return ClaimedBatch(request, reply_ids, chosen, without_any=none)


def _take_deliveries(
    db: Session, batches: Sequence[ClaimedBatch], worker: str, claimed_steady: float, now: datetime
) -> None:
    """The chosen deliveries become claims. What is not fit to be sent any more ends here."""
    offers = [offer for each in batches for offer in each.offers]
    ids = sorted(offer.row[DELIVERY_ID] for offer in offers)
    if not ids:
        return
    if delivery_ledger.claim(db, ids, worker=worker, lease_until=now + LEASE, now=now) != len(ids):
        raise RuntimeError("a claim took rows that were not free")  # locked above: cannot be
    claims = _claims(batches, claimed_steady, now)
    _spare_opt_ins(db, [(claim, found.spared_opt_in_id) for _, claim, found in claims], now)
    for each, claim, found in claims:
        if found.unfit is None:
            each.deliveries.append(claim)
        else:
            _end_unfit(db, claim, found.unfit, now)


def _spare_opt_ins(db: Session, claims: Sequence[tuple[Claim, int | None]], now: datetime) -> None:
    """Give back the opt-ins of those who get an ordinary message instead, before it leaves."""
    spared = [(claim, opt_in_id) for claim, opt_in_id in claims if opt_in_id is not None]
    by_sender: dict[Sender, list[int]] = defaultdict(list)
    for claim, _ in spared:
        by_sender[claim.sender].append(claim.delivery_id)
    for sender, theirs in by_sender.items():
        delivery_ledger.go_without_opt_in(db, theirs, sender=sender.name)
    if spared:
        opt_in_ledger.release(db, [opt_in_id for _, opt_in_id in spared], now=now)


def _claims(
    batches: Sequence[ClaimedBatch], claimed_steady: float, now: datetime
) -> list[tuple[ClaimedBatch, Claim, Prepared]]:
    """The claims of each batch; a sender prepares all of its own at once."""
    by_sender: dict[Sender, list[tuple[ClaimedBatch, list[Any]]]] = defaultdict(list)
    for each in batches:
        for offer in each.offers:
            by_sender[offer.sender].append((each, offer.row))
    return [
        (each, _claim(each.request.fanpage_id, row, found, claimed_steady, now), found)
        for sender, rows in by_sender.items()
        for (each, row), found in zip(
            rows, sender.prepare([row[len(OWN_COLUMNS) :] for _, row in rows], now), strict=True
        )
    ]


def _claim(fanpage_id: int, row: list[Any], found: Prepared, claimed_steady: float, now: datetime) -> Claim:
    broadcast_id, delivery_id, customer_id, first_name, claim_number, counted_attempts, in_doubt = row[
        : len(OWN_COLUMNS)
    ]
    return Claim(
        delivery_id=delivery_id,
        fanpage_id=fanpage_id,
        broadcast_id=broadcast_id,
        customer_id=customer_id,
        first_name=first_name,
        claim_number=claim_number,
        counted_attempts=counted_attempts,
        in_doubt=bool(in_doubt),
        sender=found.sender,
        needs=found.needs,
        claimed_steady=claimed_steady,
        claimed_at=now,
    )


def _end_unfit(db: Session, claim: Claim, unfit: Verdict, now: datetime) -> None:
    """What may have been sent before stays in doubt, and keeps what it holds."""
    ended = DeliveryState.UNKNOWN if claim.in_doubt else unfit.state
    delivery_ledger.end_claimed(db, claim.delivery_id, ended, reason=unfit.reason or "", now=now)
    if not claim.in_doubt:
        claim.sender.move(db, [claim], unfit.opt_in_move, now)


def _take_replies(db: Session, batches: Sequence[ClaimedBatch], worker: str, now: datetime) -> None:
    """Claim the chosen replies."""
    ids = [reply_id for each in batches for reply_id in each.reply_ids]
    claims = reply_claims.claim(db, ids, worker=worker, now=now) if ids else {}
    for each in batches:
        each.replies = [claims[reply_id] for reply_id in each.reply_ids if reply_id in claims]


def _move_slots(db: Session, batches: Sequence[ClaimedBatch], now: datetime) -> None:
    """Reserve as many send slots of each fanpage as it has claims. For others the row says when the last of
    them has left: a fanpage that is late catches up by itself, never beside another. Raises SlotsMoved."""
    at, steady = now.timestamp(), time.monotonic()
    sending = [each for each in batches if each.claims]
    for each in sending:
        request = each.request
        found = timetable.send_times(request.position, request.demand, len(each.claims), now=steady)
        each.times, each.position = found.times, found.position
        each.slot_in_row = at + max(found.position.slot, found.position.not_before) - steady
    moved = [(each.request.fanpage_id, each.request.slot_in_row, each.slot_in_row) for each in sending]
    if moved and (by_others := rate_limiter.move_slots(db, moved)):
        raise SlotsMoved(by_others)
