"""A migration that makes the table of deliveries anew keeps every row, what refers to it, and its guards."""

from __future__ import annotations

import pytest
from alembic import command
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from core.db import migrations
from core.db.engine import reading, transaction
from core.db.tables import Delivery, DeliveryAttempt
from core.deliveries.rules import DeliveryState
from core.messenger.errors import Failure, NextStep
from tests.sending.conftest import Studio


def rows() -> list[tuple[object, ...]]:
    with reading() as db:
        kept = [tuple(row) for row in db.execute(text("SELECT * FROM delivery ORDER BY id"))]
        return [*kept, db.execute(select(func.count()).select_from(DeliveryAttempt)).scalar_one()]


def down_and_up(revision: str) -> None:
    command.downgrade(migrations.config(), revision)
    migrations.upgrade()


def test_rows_and_their_tries_survive(studio: Studio) -> None:
    studio.people(20)
    studio.platform.fault = lambda _token, nth: Failure(NextStep.IN_DOUBT, "timeout") if nth == 1 else None
    studio.launch(studio.broadcast())
    studio.send_all(rounds=3)
    before = rows()
    assert before[-1] > 0
    down_and_up("0009")
    assert rows() == before


def test_what_refers_to_a_delivery_is_still_checked(studio: Studio) -> None:
    studio.people(1)
    studio.launch(studio.broadcast())
    down_and_up("0009")
    with pytest.raises(IntegrityError), transaction() as db:
        db.add(DeliveryAttempt(delivery_id=999, number=1, reason="timeout", started_at=studio.now))


def test_nobody_is_in_a_broadcast_twice_nor_an_opt_in_in_two_that_live(studio: Studio) -> None:
    studio.people(1)
    studio.launch(studio.broadcast())
    other = studio.broadcast()
    down_and_up("0009")
    with reading() as db:
        one = db.execute(select(Delivery)).scalar_one()
    again = {"customer_id": one.customer_id, "opt_in_id": one.opt_in_id}
    for broadcast_id, state in ((one.broadcast_id, "failed"), (other, "queued")):
        with pytest.raises(IntegrityError), transaction() as db:
            db.add(Delivery(broadcast_id=broadcast_id, state=state, **again))
    with pytest.raises(IntegrityError), transaction() as db:
        db.execute(update(Delivery).values(state="gone"))
    with transaction() as db:  # what has ended is no hindrance
        db.execute(update(Delivery).where(col(Delivery.id) == one.id).values(state=DeliveryState.SKIPPED))
        db.add(Delivery(broadcast_id=other, state="queued", **again))
