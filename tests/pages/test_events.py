"""The page of webhook events: what came, what became of it, and replaying it after a look at the number."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import utc_now
from core.db.engine import transaction
from core.db.tables import Activity, Event
from core.inbox import processing
from tests.inbox.platform import PAGE, read, rows, said, tap
from tests.pages.conftest import an_operator, opened

PSID = "25000000000000077"
OTHER = "100000000000002"


@pytest.fixture
def told(arrange):
    """A tap, a message that failed, and one that another app answers."""
    arrange.fanpage(page_id=PAGE)
    now = utc_now()
    processing.store_events(read(tap(PSID, now, "token-secret-1"), received_at=now - timedelta(hours=5)))
    processing.store_events(read(said(PSID, now, "xin chào", "m_1"), received_at=now))
    processing.store_events(read(said("26", now, "alo", "m_2"), received_at=now, channel="standby"))
    processing.apply_pending(limit=10, now=now)
    fail("m_1")


def fail(mid: str) -> None:
    with transaction() as db:
        found = db.get(Event, next(row.id for row in rows(Event) if mid in row.body))
        found.state, found.note = "failed", "KeyError"


def shown(at) -> str:
    return "".join(html.proto.body for html in at.get("html"))


def states() -> list[str]:
    return [row.state for row in rows(Event)]


def test_the_list_says_what_came_and_what_became_of_it(panel, told):
    html = shown(panel("events", role="viewer"))
    assert all(words in html for words in ("Tap on “Notify me”", "another app controls", "KeyError", PSID))
    assert "token-secret-1" not in html


def test_filters_come_from_the_url(panel, told):
    assert "Tap on" not in shown(panel("events", state="failed"))
    assert "Tap on" not in shown(panel("events", role="viewer", hours="1"))
    standby = shown(panel("events", role="editor", kind="standby"))
    assert ("another app controls" in standby, "KeyError" in standby) == (True, False)


def test_only_admins_replay(panel, told):
    at = panel("events", role="sender")
    assert not [button.key for button in at.button if button.key and "replay" in button.key]


def test_the_failed_are_replayed_after_their_number_was_shown(panel, told):
    at = panel("events")
    at.button(key="events_replay_failed").click().run()
    assert "**1 event** has not been processed yet." in [text.value for text in at.markdown]
    at.button(key="events_replay_failed_dialog_confirm").click().run()
    assert not at.exception
    assert states() == ["applied", "pending", "applied"]
    assert [(row.verb, row.detail) for row in rows(Activity)][-1] == ("event.replay", {"events": 1})


def test_what_is_listed_is_replayed(panel, told):
    at = panel("events", kind="opt_in")
    at.button(key="events_replay").click().run()
    at.button(key="events_replay_dialog_confirm").click().run()
    assert states() == ["pending", "failed", "applied"]


def test_an_event_is_shown_without_its_token_and_with_its_opt_in(panel, told):
    at = panel("event", id=1, role="viewer")
    assert not at.exception
    [body] = [code.value for code in at.code]
    assert "[removed]" in body
    assert "token-secret-1" not in body + shown(at)
    assert PSID in shown(at)


def test_one_event_is_replayed(panel, told):
    at = panel("event", id=2)
    at.button(key="event_replay").click().run()
    at.button(key="event_replay_dialog_confirm").click().run()
    assert states() == ["applied", "pending", "applied"]


def test_an_event_that_is_gone_says_so(panel, fanpage):
    at = panel("event", id=99)
    assert "Old events are deleted" in at.warning[0].value


@pytest.fixture
def mai(arrange, told) -> int:
    """An admin of another fanpage, which has an event of its own."""
    fanpage_id = arrange.fanpage("Quán Sen", page_id=OTHER)
    processing.store_events(read(said(PSID, utc_now(), "chào", "m_9"), received_at=utc_now(), page_id=OTHER))
    return an_operator(arrange, "admin", "mai", fanpage_ids=[fanpage_id])


def test_an_admin_of_some_fanpages_sees_and_replays_the_events_of_these(mai):
    at = opened(mai, page="events")
    assert not at.exception
    assert (PSID in shown(at), "KeyError" in shown(at), "Tiệm Hoa Mai" in shown(at)) == (True, False, False)
    assert "page_choice" not in [box.key for box in at.selectbox]
    assert [button.key for button in at.button if "replay_failed" in str(button.key)] == []


def test_the_health_page_leads_to_failed_events_only_those_who_may_see_one(panel, mai):
    def leads_there(at) -> bool:
        return any("replay them" in link.proto.label for link in at.get("page_link"))

    assert leads_there(panel("health"))
    assert not leads_there(opened(mai, page="health"))
    fail("m_9")
    assert leads_there(opened(mai, page="health"))


def test_the_address_of_an_event_of_another_fanpage_shows_nothing(mai, fresh_database):
    at = opened(mai, page="event", id=2)
    assert "a fanpage you don't manage" in at.warning[0].value
    fresh_database.run("UPDATE event SET page_id = '999' WHERE id = 1")
    at = opened(mai, page="event", id=1)
    assert "all fanpages" in at.warning[0].value
    assert not at.code
