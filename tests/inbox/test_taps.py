"""Several taps at once each mark their own request, and only that."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import col

from core.consent.taps import Tap
from core.database import reading, transaction
from core.inbox.taps import record_taps
from core.tables import OptIn, Request
from tests.arrange import Arrange


def test_taps_on_several_requests_at_once(arrange: Arrange, now: datetime) -> None:
    fanpage_id = arrange.fanpage()
    topic_id = arrange.topic(fanpage_id)
    psids = {arrange.customer(fanpage_id, psid=psid): psid for psid in ("501", "502", "503")}
    people = list(psids)
    asked = [
        arrange.save(
            Request(
                fanpage_id=fanpage_id,
                customer_id=person,
                topic_id=topic_id,
                title=f"Lời hứa {person}",
                payload=f"otn.{person}",
                created_at=now,
            )
        )
        for person in people
    ]
    taps = [
        Tap(
            fanpage_id,
            psids[person],
            f"otn.{person}",
            None,
            f"hash-{person}",
            f"sealed-{person}",
            now + timedelta(seconds=person),
        )
        for person in people[:2]
    ]
    with transaction() as db:
        record_taps(db, taps, now)
    with reading() as db:
        tapped = dict(db.execute(select(col(Request.id), col(Request.tapped_at))).all())
        promises = dict(db.execute(select(col(OptIn.request_id), col(OptIn.promise))).all())
    assert tapped == {
        asked[0]: now + timedelta(seconds=people[0]),
        asked[1]: now + timedelta(seconds=people[1]),
        asked[2]: None,
    }
    assert promises == {asked[0]: f"Lời hứa {people[0]}", asked[1]: f"Lời hứa {people[1]}"}
