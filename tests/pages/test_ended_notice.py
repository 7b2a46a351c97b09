"""Whoever launched a broadcast sees on every page that it has ended, until they close that."""

from __future__ import annotations

from core.db.tables import Broadcast
from tests.pages.conftest import an_operator, opened


def ended(arrange, launched_by: str) -> int:
    fanpage_id = arrange.fanpage()
    row = Broadcast(
        fanpage_id=fanpage_id,
        topic_id=arrange.topic(fanpage_id),
        name="Hoa Tết",
        content={"kind": "text", "text": "Hàng về!"},
        state="finished",
        launched_by=launched_by,
        created_at=arrange.now,
        updated_at=arrange.now,
        finished_at=arrange.now,
    )
    return arrange.save(row)


def test_it_is_shown_until_it_is_closed(arrange, fresh_database):
    mai = an_operator(arrange, "sender", "mai")
    made = ended(arrange, "mai")
    at = opened(mai, page="topics")
    assert any("Hoa Tết" in each.value for each in at.info)
    at.button(key=f"ended_close_{made}").click().run()
    assert not any("Hoa Tết" in each.value for each in at.info)


def test_others_are_not_bothered(arrange, fresh_database):
    lan = an_operator(arrange, "sender", "lan")
    ended(arrange, "mai")
    assert not any("Hoa Tết" in each.value for each in opened(lan, page="topics").info)
