"""A replay puts back what is missing; it never answers anybody twice or makes a second opt-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from core.accounts.rules import SYSTEM, Actor, Role
from core.conversation.drafts import KeywordMatch
from core.conversation.entry_kinds.names import EntryKind
from core.conversation.replies import answer_event
from core.db.engine import transaction
from core.db.tables import (
    Block,
    Customer,
    EntryPoint,
    Event,
    Fanpage,
    Message,
    OptIn,
    Reply,
    Request,
    Topic,
    Withdrawal,
)
from core.errors import Invalid, NotAllowed, NotFound, WrongState
from core.inbox import actions, effects, event_queries, processing
from core.inbox.event_filters import EventFilter
from core.inbox.rules import EventState
from core.inbox.sightings import upsert_customers
from core.messenger.event_kinds import EventKind
from tests.inbox.platform import PAGE, event, read, rows, said, tap

PSID = "25000000000000077"
HOUR = timedelta(hours=1)


def apply_all(now) -> None:
    while processing.apply_pending(limit=500, now=now):
        pass


def replay(now, asked: EventFilter | None = EventFilter()) -> int:  # noqa: B008 (it is frozen)
    count = actions.replay(SYSTEM, asked, now=now)
    apply_all(now)
    return count


@pytest.fixture
def greeting(arrange, fanpage, now) -> None:
    """The bot answers "giá"."""
    message = arrange.save(
        Message(fanpage_id=fanpage, name="Giá", published=1, created_at=now, updated_at=now)
    )
    arrange.save(
        Block(message_id=message, position=0, kind="text", content={"kind": "text", "text": "120.000 ₫"})
    )
    words = {"kind": EntryKind.KEYWORD, "match": KeywordMatch.CONTAINS, "value": "giá", "folded": "giá"}
    arrange.save(EntryPoint(fanpage_id=fanpage, message_id=message, created_at=now, **words))


def test_a_tap_that_is_replayed_makes_no_second_opt_in_and_no_second_thanks(arrange, fanpage, receive, now):
    customer = arrange.customer(fanpage, psid=PSID, window_closes_at=now + HOUR)
    asked = Request(
        fanpage_id=fanpage,
        customer_id=customer,
        topic_id=arrange.topic(fanpage),
        title="Báo tôi",
        after_text="Cảm ơn bạn",
        payload="otn.abc",
        created_at=now,
    )
    arrange.save(asked)
    receive(tap(PSID, now, "token-1", "otn.abc"))
    assert (len(rows(OptIn)), len(rows(Reply))) == (1, 1)

    assert replay(now) == 1

    assert (len(rows(OptIn)), len(rows(Reply))) == (1, 1)
    assert [kept.state for kept in rows(Event)] == ["applied"]


def test_an_opt_in_that_is_missing_comes_back_by_a_replay(arrange, fanpage, receive, now):
    topic = arrange.topic(fanpage)
    receive(tap(PSID, now, "token-1", f"topic:{topic}"))
    with transaction() as db:
        db.execute(delete(OptIn))

    actions.replay_one(SYSTEM, rows(Event)[0].id, now=now)
    apply_all(now)

    [back] = rows(OptIn)
    assert (back.state, back.topic_id, back.consented_at) == ("available", topic, now)


def test_a_spent_opt_in_stays_spent(fanpage, receive, fresh_database, now):
    receive(tap(PSID, now, "token-1"))
    fresh_database.run("UPDATE opt_in SET state = 'spent', token_sealed = NULL")
    replay(now)
    [spent] = rows(OptIn)
    assert (spent.state, spent.token_sealed) == ("spent", None)


def test_a_no_that_is_replayed_ends_no_newer_consent(fanpage, receive, now):
    receive(tap(PSID, now - 3 * HOUR, "token-1"), said(PSID, now - 2 * HOUR, "dừng", "m_1"))
    receive(tap(PSID, now - HOUR, "token-2"))
    before = [row.state for row in rows(OptIn)]
    assert before == ["withdrawn", "available"]
    replay(now)
    assert [row.state for row in rows(OptIn)] == before
    assert len(rows(Withdrawal)) == 1


def test_a_block_that_is_replayed_stops_nothing_again(fanpage, receive, fresh_database, now):
    block = {"policy_enforcement": {"action": "block", "reason": "…"}}
    receive(event(None, now - HOUR, **block))
    assert rows(Fanpage)[0].stopped_code == "restricted"
    fresh_database.run("UPDATE fanpage SET stopped_code = NULL, stopped_at = NULL")
    replay(now)
    assert rows(Fanpage)[0].stopped_code is None


def test_a_message_that_failed_is_answered_once_however_often_it_is_replayed(
    fanpage, receive, greeting, now, monkeypatch
):
    answer = answer_event

    def stumbling(db, **asked):
        raise KeyError(asked["text"])

    monkeypatch.setattr(effects, "answer_event", stumbling)
    receive(said(PSID, now, "giá", "m_1"))
    assert actions.count_replay(None) == actions.ReplayCount(in_full=1, again=0)
    replay(now, None)
    assert [kept.state for kept in rows(Event)] == ["failed"]
    monkeypatch.setattr(effects, "answer_event", answer)
    for _ in range(3):
        replay(now, None)
        replay(now)
    assert len(rows(Reply)) == 1


@pytest.fixture
def failed_message(fanpage, receive, greeting, now, monkeypatch):
    """ "giá" was written an hour ago, and applying it failed."""
    with monkeypatch.context() as patch:
        patch.setattr(effects, "answer_event", lambda *_given, **_more: {}["a fault of ours"])
        receive(said(PSID, now - HOUR, "giá", "m_1"))
    assert [kept.state for kept in rows(Event)] == ["failed"]


def test_who_has_said_no_since_is_not_answered_by_a_replay(failed_message, receive, now):
    receive(said(PSID, now, "dừng", "m_2"))
    before = len(rows(Reply))  # the confirmation
    assert replay(now, None) == 1
    assert len(rows(Reply)) == before


def test_a_message_older_than_its_window_is_not_answered_by_a_replay(failed_message, receive, now):
    tomorrow = now + 24 * HOUR
    receive(event(PSID, tomorrow, reaction={"mid": "m_9", "action": "react", "emoji": "x"}))
    assert replay(tomorrow, None) == 1
    assert rows(Reply) == []


def test_a_stop_word_added_since_ends_nothing_by_a_replay(fanpage, receive, fresh_database, now):
    receive(tap(PSID, now - 2 * HOUR, "token-1"), said(PSID, now - HOUR, "thôi nhé", "m_1"))
    fresh_database.run("""UPDATE fanpage SET stop_words = '["dừng", "thôi nhé"]'""")
    replay(now)
    assert [row.state for row in rows(OptIn)] == ["available"]


def test_a_request_whose_tap_is_missing_gets_it_back_by_a_replay(
    arrange, fanpage, receive, fresh_database, now
):
    customer = arrange.customer(fanpage, psid=PSID)
    about = {"topic_id": arrange.topic(fanpage), "title": "Báo tôi", "payload": "otn.abc", "created_at": now}
    arrange.save(Request(fanpage_id=fanpage, customer_id=customer, **about))
    receive(tap(PSID, now, "token-1", "otn.abc"))
    fresh_database.run("UPDATE request SET tapped_at = NULL")
    replay(now)
    assert [asked.tapped_at for asked in rows(Request)] == [now]
    assert rows(Reply) == []


def test_a_repeat_that_fails_stays_a_repeat(fanpage, receive, greeting, now, monkeypatch):
    receive(said(PSID, now, "giá", "m_1"))
    upsert = upsert_customers

    def stumbling(*_):
        raise KeyError

    monkeypatch.setattr(effects, "upsert_customers", stumbling)
    replay(now)
    monkeypatch.setattr(effects, "upsert_customers", upsert)
    assert [kept.state for kept in rows(Event)] == ["failed"]
    assert actions.count_replay(None) == actions.ReplayCount(in_full=0, again=1)
    replay(now, None)
    assert ([kept.state for kept in rows(Event)], len(rows(Reply))) == (["applied"], 1)


def test_a_span_is_counted_first_and_only_it_is_replayed(fanpage, receive, now):
    receive(said(PSID, now, "trước", "m_1"), at=now - 2 * HOUR)
    receive(said(PSID, now, "giữa", "m_2"), tap(PSID, now, "token-1"), at=now - HOUR)
    receive(said(PSID, now, "sau", "m_3"), at=now)
    span = EventFilter(since=now - HOUR, until=now, kind=EventKind.MESSAGE)
    assert actions.count_replay(None, span) == actions.ReplayCount(in_full=0, again=1)
    assert replay(now, span) == 1
    assert [kept.replayed_at is not None for kept in rows(Event)] == [False, True, False, False]


def test_what_comes_after_the_number_was_said_is_not_replayed(failed_message, now):
    assert actions.count_replay(None, until=now - HOUR).total == 0
    assert actions.replay(SYSTEM, until=now - HOUR, now=now) == 0
    assert actions.replay(SYSTEM, until=now + HOUR, now=now) == 1


def test_too_many_at_once_are_refused_and_nothing_is_changed(fanpage, receive, now, monkeypatch):
    monkeypatch.setattr(actions, "MOST_AT_ONCE", 1)
    receive(said(PSID, now, "a", "m_1"), said(PSID, now, "b", "m_2"))
    with pytest.raises(Invalid, match="You can replay at most 1 events"):
        actions.replay(SYSTEM, EventFilter(), now=now)
    assert {kept.state for kept in rows(Event)} == {"applied"}


def test_what_waits_or_is_of_no_fanpage_of_ours_is_not_replayed(receive, now):
    receive(said(PSID, now, "hi", "m_1"))
    [early] = rows(Event)
    assert actions.count_replay_of(early.id).total == 0
    with pytest.raises(WrongState):
        actions.replay_one(SYSTEM, early.id, now=now)
    with pytest.raises(NotFound):
        actions.replay_one(SYSTEM, 999, now=now)
    with pytest.raises(NotAllowed):
        actions.replay_one(Actor(None, "an", Role.SENDER), early.id, now=now)


def test_events_are_listed_with_what_became_of_them(arrange, fanpage, receive, now):
    receive(said(PSID, now, "xin chào", "m_1"), at=now - HOUR)
    receive(said("26", now, "x", "m_2"), channel="standby")
    newest, oldest = event_queries.list_events(EventFilter())
    assert (oldest.psid, oldest.state, oldest.customer_id) == (PSID, EventState.APPLIED, rows(Customer)[0].id)
    assert (newest.kind, newest.page_id) == ("standby_message", PAGE)
    assert [each.id for each in event_queries.list_events(EventFilter(only_standby=True))] == [newest.id]
    assert event_queries.count_events(EventFilter(kind=EventKind.MESSAGE)) == 2
    assert event_queries.count_events(EventFilter(psid=PSID, page_id=PAGE, state=EventState.APPLIED)) == 1
    assert event_queries.count_events(EventFilter(), at_most=1) == 1


def test_no_token_and_no_secret_is_shown(fanpage, receive, now):
    secret = "EAAG1234567890abcdef"
    odd = {"optin": {"type": "x", "notification_messages_token": "token-other", "page": {"Token": 87650012}}}
    odd |= {"token": ["token-listed", {"value": "token-inside"}], "raw": '{"page_token": "token-quoted"}'}
    receive(tap(PSID, now, "token-1"), said(PSID, now, f"my key is {secret}", "m_1"), event(PSID, now, **odd))
    shown = [event_queries.masked_body(kept.id) for kept in rows(Event)]
    for kept in rows(Event):
        assert "token-1" not in kept.body
        assert not [
            word for word in ("87650012", "token-listed", "token-inside", "token-quoted") if word in kept.body
        ]
    for text in shown:
        assert not [word for word in ("token-", "87650012", "sealed", secret) if word in text]
    assert '"one_time_notif_token": "[removed]"' in shown[0]
    assert f'"sender": {{\n    "id": "{PSID}"' in shown[0]
    assert event_queries.masked_body(999) == ""


def test_a_tap_leads_to_its_opt_in(fanpage, receive, now):
    receive(tap(PSID, now, "token-1"), said(PSID, now, "hi", "m_1"))
    first, second = rows(Event)
    assert event_queries.find_opt_in(first.id).state == "available"
    assert event_queries.find_opt_in(second.id) is None


def a_day(now):
    """Some people, some of whom say no, are asked and tap, in one day."""
    for number in range(4):
        psid = f"2500000000000010{number}"
        yield said(psid, now - 5 * HOUR, "giá", f"m_{number}")
        yield tap(psid, now - 4 * HOUR, f"token-{number}", "topic:1")
        if number % 2:
            yield said(psid, now - 3 * HOUR, "dừng", f"m_stop_{number}")
            yield tap(psid, now - 2 * HOUR, f"token-again-{number}", "topic:1")


def outcome():
    opt_ins = sorted((row.token_hash, row.state) for row in rows(OptIn))
    replies = sorted((row.customer_id, str(row.body)) for row in rows(Reply))
    return opt_ins, replies, len(rows(Customer)), len(rows(Withdrawal))


def clear() -> None:
    with transaction() as db:
        for table in (Withdrawal, OptIn, Reply, Request, Customer, Event):
            db.execute(delete(table))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("store"), st.integers(1, 5)),
        st.tuples(st.just("apply"), st.integers(1, 4)),
        st.tuples(st.just("replay"), st.just(0)),
        st.tuples(st.just("failed"), st.just(0)),
        st.tuples(st.just("one"), st.integers(0, 11)),
        st.tuples(st.just("break"), st.integers(1, 3)),
    ),
    max_size=14,
)


@pytest.mark.one_database
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_no_history_with_replays_differs_from_the_one_without(arrange, fanpage, greeting, now, steps):
    clear()
    if not rows(Topic):
        arrange.topic(fanpage)
    processing.store_events(read(*a_day(now), received_at=now))
    apply_all(now)
    expected = outcome()
    assert len(expected[1]) >= 4

    clear()
    told = list(a_day(now))
    for step, number in [*steps, ("store", len(told)), ("apply", 500)]:
        take_step(step, number, told, now)
    replay(now, None)
    replay(now)
    got = outcome()
    assert (got[0], *got[2:]) == (expected[0], *expected[2:])
    # What failed at first is not answered later, when they have said no meanwhile.
    unanswered = len(expected[1]) - len(got[1])
    assert unanswered == 0 or (unanswered > 0 and any(step == "break" for step, _ in steps))


def take_step(step, number, told, now) -> None:
    if step == "store":
        part, told[:] = told[:number], told[number:]
        processing.store_events(read(*part, *part, received_at=now))
    elif step == "apply":
        processing.apply_pending(limit=number, now=now)
    elif step == "replay":
        actions.replay(SYSTEM, EventFilter(), now=now)
    elif step == "failed":
        actions.replay(SYSTEM, now=now)
    elif step == "one":
        kept = rows(Event)
        if kept and kept[number % len(kept)].state != "pending":
            actions.replay_one(SYSTEM, kept[number % len(kept)].id, now=now)
    else:
        break_next(number, now)


def break_next(number, now) -> None:
    """The program stops on the next events, before anything of them is kept."""

    def stumbling(*_):
        raise KeyError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(effects, "upsert_customers", stumbling)
        processing.apply_pending(limit=number, now=now)
