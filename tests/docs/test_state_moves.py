"""The moves that docs/architecture.md lists, under "The states", are those that the code has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from core.broadcasts.transitions import TRANSITIONS
from core.consent.rules import NEXT_STATES
from core.db.engine import engine
from core.db.tables import Broadcast, Delivery
from core.deliveries import ledger
from core.deliveries.rules import LEASE_RAN_OUT, DeliveryState, OptInMove, Verdict
from tests.arrange import Arrange
from tests.imports import ROOT

S = DeliveryState
Moves = set[tuple[str, str]]
ENDS = (S.FAILED, S.SKIPPED, S.UNKNOWN)


def said(what: str) -> Moves:
    """The moves in the row of this state: "draft → scheduled, cancelled; scheduled → …"."""
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    row = re.search(rf"^\| of {what} \|[^|]*\|([^|]*)\|$", text, re.MULTILINE)
    assert row, what
    moves = [part.partition(" → ") for part in row[1].strip().split("; ")]
    return {(source, target) for source, _, targets in moves for target in targets.split(", ")}


def test_those_of_an_opt_in() -> None:
    assert said("an opt-in") == {(source, to) for source, targets in NEXT_STATES.items() for to in targets}


def test_those_of_a_broadcast() -> None:
    """To approve once more what is scheduled moves nothing."""
    moves = {(source, to) for sources, to in TRANSITIONS.values() for source in sources}
    assert said("a broadcast") == {(source, to) for source, to in moves if source != to}


@pytest.fixture
def delivery_id(arrange: Arrange, now: datetime) -> int:
    fanpage_id = arrange.fanpage()
    broadcast = Broadcast(
        fanpage_id=fanpage_id,
        topic_id=arrange.topic(fanpage_id),
        name="Tết",
        content={},
        created_at=now,
        updated_at=now,
    )
    return arrange.save(
        Delivery(
            broadcast_id=arrange.save(broadcast), customer_id=arrange.customer(fanpage_id), claimed_by="w"
        )
    )


def changes(delivery: Delivery, now: datetime) -> Iterator[Callable[[Session], object]]:
    """Each change of the ledger, as whoever asks for it makes it of this delivery."""
    id_, at = delivery.id or 0, delivery.claimed_at
    me = select(col(Delivery.id)).where(col(Delivery.id) == id_)
    sources = [s for s in S if s not in (S.QUEUED, S.SENDING, S.SENT)]
    yield lambda db: ledger.claim(db, [id_], worker="w", lease_until=now, now=now)
    yield lambda db: ledger.hand_back(db, [(id_, delivery.attempt, at)], worker="w")
    yield lambda db: ledger.accept(db, [(id_, "m", None)], now=now)
    yield lambda db: ledger.settle_unknown(db, me, evidence="staff", now=now)
    yield lambda db: ledger.requeue(db, me, sources)
    yield lambda db: ledger.mark_sent_after_all(db, db.get_one(Delivery, id_), evidence="echo", at=now)
    for most in (1, 5):
        yield lambda db, n=most: ledger.take_over_lost(db, [id_], max_attempts=n, next_try_at=now, now=now)
    for end in ENDS:
        yield lambda db, to=end: ledger.end_claimed(db, id_, to, reason="unfit", now=now)
    for end in (S.SKIPPED, S.CANCELLED):
        yield lambda db, to=end: ledger.end_queued(db, to, col(Delivery.id) == id_, reason="end", now=now)
    for end in (S.QUEUED, S.SENT, S.FAILED, S.UNKNOWN):
        verdict = Verdict(end, OptInMove.KEEP)
        yield lambda db, v=verdict: ledger.settle_refused(
            db, id_, v, claim_number=delivery.attempt, counted_attempts=0, now=now
        )


def moved(delivery_id: int, state: str, *, in_doubt: bool, now: datetime) -> Iterator[str]:
    """Where each change leaves a delivery of this state; every change finds it untouched by the others."""
    values = {"state": state, "in_doubt": in_doubt, "reason": LEASE_RAN_OUT, "claimed_at": now}
    with Session(engine()) as db:
        seen = db.get_one(Delivery, delivery_id).model_copy(update=values)
    for change in changes(seen, now):
        with Session(engine()) as db:
            row = db.get_one(Delivery, delivery_id)
            for name, value in values.items():
                setattr(row, name, value)
            db.flush()
            change(db)
            db.expire_all()
            yield db.get_one(Delivery, delivery_id).state
            db.rollback()


def test_those_of_a_delivery(delivery_id: int, now: datetime) -> None:
    made = {
        (state.value, target)
        for state in S
        for in_doubt in (False, True)
        for target in moved(delivery_id, state, in_doubt=in_doubt, now=now)
    }
    assert {move for move in made if move[0] != move[1]} == said("a delivery")
