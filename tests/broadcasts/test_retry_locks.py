"""A retry of the failed locks as everybody does, so that a late echo and it never wait for each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import retry as second_chance
from core.db import row_locks
from core.db.engine import reading, transaction
from core.db.tables import Customer, Delivery
from core.deliveries import evidence
from tests.broadcasts.test_audience_builder_troubles import waits_for_a_lock
from tests.processes import until
from tests.sending.conftest import Studio
from tests.sending.test_refusals_charged import launched, refusal


@pytest.mark.postgresql
def test_a_retry_beside_a_late_echo(studio: Studio) -> None:
    studio.platform.fault = lambda token, _nth: refusal(100) if token in ("token-3", "token-7") else None
    broadcast_id = launched(studio, 40)
    studio.send_all(rounds=2)
    with reading() as db:
        failed = select(Delivery).where(col(Delivery.state) == "failed").order_by(col(Delivery.id))
        first = db.execute(failed).scalars().first()
        psid = db.get_one(Customer, first.customer_id).psid
    with ThreadPoolExecutor(1) as pool:
        with transaction() as db:
            row_locks.lock_people(db, {(studio.fanpage_id, psid)})
            row_locks.lock_deliveries(db, [first.id])
            retry = pool.submit(second_chance.retry_failed, COMMAND_LINE, broadcast_id, now=studio.now)
            until(waits_for_a_lock, what="the retry waits for the echo's delivery")
            evidence.note_echo(
                db,
                fanpage_id=studio.fanpage_id,
                psid=psid,
                mid="m_x",
                metadata=evidence.metadata_of(first.id),
                at=studio.now,
            )
        assert retry.result(timeout=60) == 1
