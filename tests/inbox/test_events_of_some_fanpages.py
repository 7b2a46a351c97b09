"""Who looks after some fanpages sees and replays the events of these, whatever body brought them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from core.accounts.rules import Actor, Role
from core.db.tables import Activity, Event, Operator
from core.errors import NotAllowed
from core.inbox import actions, event_queries, processing
from core.inbox.event_filters import EventFilter
from core.inbox.event_parser import parse_body
from tests.inbox.platform import envelope, rows, said

OURS, OTHER, STRANGE = "100000000000001", "100000000000002", "100000000000003"


@pytest.fixture
def mai(arrange, now) -> Actor:
    """An admin of one of two fanpages."""
    fanpage_id = arrange.fanpage(page_id=OURS)
    arrange.fanpage("Quán Sen", page_id=OTHER)
    since = now - timedelta(hours=1)
    row = Operator(
        name="mai", role="admin", password_hash="", sessions_valid_after=since, created_at=since,
        fanpage_ids=[fanpage_id],
    )  # fmt: skip
    ids = frozenset([fanpage_id])
    return Actor(arrange.save(row), "mai", Role.ADMIN, signed_in_at=now, fanpage_ids=ids)


@pytest.fixture
def told(mai, now) -> list[str]:
    """One body with an entry of each, and entries that name no page, or are none."""
    entries = [
        envelope(said("25", now, f"for {page_id}", f"m_{page_id}"), page_id=page_id)["entry"][0]
        for page_id in (OURS, OTHER, STRANGE)
    ]
    odd = [{"messaging": [{"odd": 1}]}, "no entry", {"id": OTHER, "unheard": {"recipient": {"id": OURS}}}]
    body = json.dumps({"object": "page", "entry": [*entries, *odd]}).encode()
    processing.store_events(parse_body(body, now))
    processing.apply_pending(limit=100, now=now)
    return [row.page_id for row in rows(Event)]


def test_each_entry_of_a_body_is_of_the_fanpage_that_it_names(mai, told):
    theirs = EventFilter(fanpage_ids=mai.fanpage_ids)

    assert told == [OURS, OTHER, STRANGE, "", "", OTHER]
    assert [event.page_id for event in event_queries.list_events(theirs)] == [OURS]
    assert event_queries.count_events(theirs) == 1
    assert event_queries.count_events(EventFilter(page_id=OTHER, fanpage_ids=mai.fanpage_ids)) == 0
    assert event_queries.count_events(EventFilter()) == len(told)


@pytest.mark.parametrize("asked", [EventFilter(), EventFilter(page_id=OTHER), None])
def test_a_replay_leaves_what_is_not_theirs(mai, told, fresh_database, now, asked):
    fresh_database.run("UPDATE event SET state = 'failed'")
    expected = 0 if asked and asked.page_id else 1

    assert actions.count_replay(mai.fanpage_ids, asked).total == expected
    assert actions.replay(mai, asked, now=now) == expected
    assert [row.page_id for row in rows(Event, Event.state == "pending")] == [OURS] * expected


def test_one_event_is_replayed_by_who_looks_after_its_fanpage(mai, told, now):
    ours, other, strange = (row.id for row in rows(Event)[:3])

    actions.replay_one(mai, ours, now=now)
    for event_id in (other, strange):
        with pytest.raises(NotAllowed):
            actions.replay_one(mai, event_id, now=now)

    assert [row.id for row in rows(Event, Event.state == "pending")] == [ours]
    assert [row.fanpage_id for row in rows(Activity)] == list(mai.fanpage_ids)


def test_a_limit_that_was_set_since_the_page_was_drawn_counts(mai, told, now):
    drawn_before = Actor(mai.id, mai.name, mai.role, signed_in_at=now)

    with pytest.raises(NotAllowed):
        actions.replay(drawn_before, EventFilter(), now=now)

    assert actions.count_replay(None, EventFilter()).total == 3
