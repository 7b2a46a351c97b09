"""A worker's sign of life says when it was there last, not when it began to say so."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import event

from core.database import engine, reading
from core.sending.pulse import Pulse
from core.tables import Heartbeat
from tests.databases import TestDatabase


def test_a_beat_that_waited_for_the_database_is_as_young_as_it_can_be(
    fresh_database: TestDatabase, now: datetime
) -> None:
    pulse = Pulse(lambda: time_of_day[0])
    time_of_day = [now]

    def waits(_connection: object) -> None:
        time_of_day[0] += timedelta(seconds=10)

    event.listen(engine(), "begin", waits)
    pulse.beat()
    with reading() as db:
        row = db.get_one(Heartbeat, pulse.process)
    assert (row.at, row.started_at) == (now + timedelta(seconds=10),) * 2
