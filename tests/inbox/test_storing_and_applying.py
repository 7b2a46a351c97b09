"""Stored events take effect once each, in their order, and one bad event harms no other."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from core.accounts.rules import SYSTEM, Actor, Role
from core.conversation.replies import answer_event
from core.db.engine import transaction
from core.db.tables import Activity, Customer, Event, OptIn, Reply, Request
from core.encryption import decrypt, lookup_hash
from core.errors import NotAllowed
from core.inbox import actions, effects, processing, queries
from core.inbox.rules import UNKNOWN_FANPAGE
from tests.inbox.platform import PAGE, event, read, rows, said, tap

PSID = "25000000000000077"


def only(table, *conditions):
    [row] = rows(table, *conditions)
    return row


def a_request(arrange, fanpage, topic, customer, now, **more) -> int:
    values = {"payload": "otn.abc", "title": "Báo tôi khi có hàng", "after_text": "", "created_at": now}
    row = Request(fanpage_id=fanpage, customer_id=customer, topic_id=topic, **{**values, **more})
    return arrange.save(row)


def test_a_tap_becomes_an_opt_in_with_its_promise(arrange, fanpage, receive, now):
    customer = arrange.customer(fanpage, psid=PSID)
    topic = arrange.topic(fanpage)
    request = a_request(arrange, fanpage, topic, customer, now)
    tapped_at = now - timedelta(minutes=5)

    receive(tap(PSID, tapped_at, "token-1", "otn.abc"))

    opt_in = only(OptIn)
    assert (opt_in.topic_id, opt_in.request_id, opt_in.customer_id) == (topic, request, customer)
    assert opt_in.promise == "Báo tôi khi có hàng"
    assert (opt_in.state, opt_in.source, opt_in.consented_at) == ("available", "webhook", tapped_at)
    assert opt_in.token_hash == lookup_hash("token-1")
    assert decrypt(opt_in.token_sealed) == "token-1"
    assert only(Request).tapped_at == tapped_at
    assert only(Event).state == "applied"


def test_a_tap_on_an_unknown_payload_is_kept_for_staff_to_assign(arrange, fanpage, receive, now):
    receive(tap(PSID, now, "token-1", "from-another-tool"))

    assert (only(OptIn).topic_id, only(OptIn).promise) == (None, "")


@pytest.mark.parametrize("spelling", ["KH nhận khuyến mãi SP mới", "kh nhan khuyen mai sp moi", "topic:{id}"])
def test_a_payload_may_name_the_topic(arrange, fanpage, receive, now, spelling):
    topic = arrange.topic(fanpage, "KH nhận khuyến mãi SP mới")

    receive(tap(PSID, now, "token-1", spelling.format(id=topic)))

    assert only(OptIn).topic_id == topic


def test_another_fanpages_topic_or_request_is_not_taken(arrange, fanpage, receive, now):
    other = arrange.fanpage("Quán Cà Phê")
    topic = arrange.topic(other)
    a_request(arrange, other, topic, arrange.customer(other), now)

    receive(tap(PSID, now, "token-1", f"topic:{topic}"), tap(PSID, now, "token-2", "otn.abc"))

    assert [(opt_in.topic_id, opt_in.request_id) for opt_in in rows(OptIn)] == [(None, None)] * 2
    assert only(Request).tapped_at is None


def test_a_tap_is_answered_once_while_the_window_is_open(arrange, fanpage, receive, now):
    customer = arrange.customer(fanpage, psid=PSID, window_closes_at=now + timedelta(hours=3))
    a_request(arrange, fanpage, arrange.topic(fanpage), customer, now, after_text="Cảm ơn bạn!")

    receive(tap(PSID, now, "token-1", "otn.abc"))
    receive(tap(PSID, now, "token-2", "otn.abc"))

    assert len(rows(OptIn)) == 2
    assert only(Reply).body == {"text": "Cảm ơn bạn!"}


def test_a_tap_alone_opens_no_window(fanpage, receive, now):
    receive(tap(PSID, now, "token-1"))

    customer = only(Customer)
    assert (customer.psid, customer.search_text) == (PSID, PSID)
    assert customer.window_closes_at is None
    assert customer.last_event_at == now


def test_a_message_opens_the_window_from_when_it_was_written(fanpage, receive, now):
    written_at = now - timedelta(hours=2)

    receive(said(PSID, written_at, "xin chào", "m_1"))

    assert only(Customer).window_closes_at == written_at + timedelta(hours=24)


def test_a_late_event_never_shortens_the_window(fanpage, receive, now):
    receive(said(PSID, now, "mới", "m_2"))
    receive(said(PSID, now - timedelta(hours=5), "cũ", "m_1"))

    customer = only(Customer)
    assert customer.window_closes_at == now + timedelta(hours=24)
    assert customer.last_event_at == now


def test_who_writes_again_is_reachable_again(arrange, fanpage, receive, now):
    arrange.customer(fanpage, psid=PSID, unreachable_code="blocked", unreachable_at=now - timedelta(hours=1))

    receive(said(PSID, now - timedelta(hours=2), "trước khi chặn", "m_1"))
    assert only(Customer).unreachable_code == "blocked"

    receive(said(PSID, now, "mình đây", "m_2"))
    assert (only(Customer).unreachable_code, only(Customer).unreachable_at) == (None, None)


def test_the_same_event_again_changes_nothing(fanpage, receive, now):
    assert receive(tap(PSID, now, "token-1"), said(PSID, now, "hi", "m_1")) == 2
    assert receive(tap(PSID, now, "token-1"), said(PSID, now, "hi", "m_1")) == 0

    assert len(rows(Event)) == 2
    assert len(rows(OptIn)) == 1


def test_the_same_event_twice_in_one_body_counts_once(fanpage, receive, now):
    assert receive(tap(PSID, now, "token-1"), tap(PSID, now, "token-1")) == 1


def test_events_of_an_unknown_fanpage_are_kept_and_ignored(fanpage, receive, now):
    receive(tap(PSID, now, "token-1", page_id="999"), page_id="999")

    kept = only(Event)
    assert (kept.state, kept.note, kept.page_id) == ("ignored", UNKNOWN_FANPAGE, "999")
    assert rows(Customer) == []


def test_a_fanpage_connected_later_gets_its_events_by_a_replay(arrange, receive, now):
    receive(tap(PSID, now, "token-1"), said(PSID, now, "hi", "m_1"))
    arrange.fanpage(page_id=PAGE)

    assert actions.replay(SYSTEM, now=now) == 2
    receive()

    assert len(rows(OptIn)) == 1
    assert {kept.state for kept in rows(Event)} == {"applied"}
    assert only(Activity).verb == "event.replay"


def test_the_last_webhook_of_a_fanpage_is_found_among_many_of_another(receive, now):
    receive(said(PSID, now, "hi", "m_0"), at=now - timedelta(days=2))
    receive(*(said(PSID, now, "hi", f"m_{n}") for n in range(5)), page_id="999")

    assert queries.last_webhook_at(PAGE) == now - timedelta(days=2)
    assert queries.last_webhook_at("999") == now
    assert queries.last_webhook_at("1") is None


def test_only_an_admin_replays(fresh_database, now):
    with pytest.raises(NotAllowed):
        actions.replay(Actor(None, "an", Role.SENDER), now=now)


def test_a_tap_without_a_sender_is_noted(fanpage, receive, now):
    receive(tap(None, now, "token-1"))

    assert (only(Event).state, only(Event).note) == ("ignored", effects.NO_SENDER)


@pytest.mark.parametrize(
    "content",
    [
        {"optin": {"ref": "plugin", "user_ref": "x"}},
        {"message_edit": {"mid": "m_1", "text": "sửa", "num_edit": 1}},
        {"message": {"mid": "m_1", "is_deleted": True}},
        {"something_new": {}},
    ],
)
def test_kinds_without_an_effect_are_ignored(fanpage, receive, now, content):
    receive(event(PSID, now, **content))

    assert (only(Event).state, only(Event).note) == ("ignored", effects.NOTHING_TO_DO)
    assert rows(Customer) == []


def test_a_policy_warning_reaches_the_activity_log(fanpage, receive, now):
    receive(event(None, now, **{"policy-enforcement": {"action": "warning", "reason": "spam"}}))

    entry = only(Activity)
    assert (entry.verb, entry.fanpage_id) == ("fanpage.policy", fanpage)
    assert entry.detail == {"action": "warning", "reason": "spam"}


def test_a_reaction_opens_the_window_and_taking_it_back_does_not(fanpage, receive, now):
    receive(event(PSID, now, reaction={"mid": "m_1", "action": "unreact"}))
    assert only(Customer).window_closes_at is None

    receive(event(PSID, now, reaction={"mid": "m_1", "action": "react", "emoji": "❤"}))
    assert only(Customer).window_closes_at == now + timedelta(hours=24)


def test_reads_and_deliveries_reach_the_evidence(arrange, fanpage, receive, now):
    customer = arrange.customer(fanpage, psid=PSID)
    sent = Reply(fanpage_id=fanpage, customer_id=customer, body={}, state="sent", mid="m_9", created_at=now)
    sent.claimed_at = now - timedelta(minutes=2)
    arrange.save(sent)
    watermark = int(now.timestamp() * 1000) - 1000

    receive(event(PSID, now, delivery={"mids": ["m_9"], "watermark": watermark}))
    receive(event(PSID, now, read={"watermark": watermark}))

    assert only(Reply).delivered_at == now - timedelta(seconds=1)
    assert only(Reply).read_at == now - timedelta(seconds=1)


def test_an_event_that_cannot_be_applied_is_set_aside_and_the_others_go_on(
    fanpage, receive, now, monkeypatch
):
    answer = answer_event

    def stumbling(db, **asked):
        if asked["text"] == "poison":
            raise RuntimeError("the customer wrote: poison")
        return answer(db, **asked)

    monkeypatch.setattr(effects, "answer_event", stumbling)
    receive(
        said(PSID, now - timedelta(seconds=3), "trước", "m_1"),
        said(PSID, now - timedelta(seconds=2), "poison", "m_2"),
        tap(PSID, now - timedelta(seconds=1), "token-1"),
    )

    assert [kept.state for kept in rows(Event)] == ["applied", "failed", "applied"]
    assert rows(Event)[1].note == "RuntimeError"
    assert len(rows(OptIn)) == 1
    assert queries.get_backlog().failed == 1

    monkeypatch.setattr(effects, "answer_event", answer)
    assert actions.replay(SYSTEM, now=now) == 1
    receive()
    assert queries.get_backlog() == queries.Backlog(0, None, 0)


def test_an_opt_in_sealed_with_another_key_waits_for_a_replay(fanpage, now):
    processing.store_events(read(tap(PSID, now, "token-1"), tap(PSID, now, "token-2"), received_at=now))
    with transaction() as db:
        broken = db.get(Event, 1)
        broken.body = broken.body.replace('"sealed":"', '"sealed":"x')

    assert processing.apply_pending(limit=10, now=now) == 2

    assert [(kept.state, kept.note) for kept in rows(Event)] == [
        ("failed", "CannotDecrypt"),
        ("applied", None),
    ]


def test_events_apply_in_the_order_they_happened(fanpage, now, monkeypatch):
    seen = []
    monkeypatch.setattr(effects, "answer_event", lambda db, **asked: seen.append(asked["text"]))
    late, early = said(PSID, now, "sau", "m_2"), said(PSID, now - timedelta(minutes=1), "trước", "m_1")

    processing.store_events(read(late, early, received_at=now))
    processing.apply_pending(limit=1, now=now)
    processing.apply_pending(limit=1, now=now)

    assert seen == ["trước", "sau"]


def test_a_tap_is_never_applied_before_what_its_customer_said_earlier(fanpage, now, monkeypatch):
    done = []
    monkeypatch.setattr(effects, "answer_event", lambda db, **asked: done.append(asked["text"]))
    names = {lookup_hash(token): token for token in ("one", "three", "one again")}
    record = lambda db, taps, now: done.extend(names[each.token_hash] for each in taps)  # noqa: E731
    monkeypatch.setattr(effects, "apply_taps", record)
    seconds = iter(range(100))

    def at():
        return now - timedelta(seconds=99 - next(seconds))

    processing.store_events(
        read(
            tap("1", at(), "one"),
            said("2", at(), "hai", "m_1"),
            tap("3", at(), "three"),
            said("1", at(), "một", "m_2"),
            tap("1", at(), "one again"),
            received_at=now,
        )
    )
    processing.apply_pending(limit=10, now=now)

    assert done.index("one") < done.index("một") < done.index("one again")
    assert sorted(done) == sorted(["one", "hai", "three", "một", "one again"])


def test_two_appliers_at_once_double_nothing(fanpage, now):
    taps = [tap(str(10_000 + n % 50), now - timedelta(seconds=n), f"token-{n}") for n in range(600)]
    processing.store_events(read(*taps, received_at=now))
    applied = []

    def apply_all():
        while count := processing.apply_pending(limit=25, now=now):
            applied.append(count)

    threads = [threading.Thread(target=apply_all) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(applied) == 600
    assert len(rows(OptIn)) == 600
    assert len(rows(Customer)) == 50


def test_a_thousand_events_in_one_body_are_all_applied(fanpage, receive, now):
    batch = [tap(str(10_000 + n), now - timedelta(seconds=n), f"token-{n}") for n in range(1000)]

    assert receive(*batch) == 1000

    assert len(rows(OptIn)) == 1000
    assert {kept.state for kept in rows(Event)} == {"applied"}


def a_day(now) -> list:
    """A few customers' mixed events; every one of them matters to the outcome."""
    events = []
    for number, psid in enumerate(["101", "102", "103"]):
        start = now - timedelta(hours=3 + number)
        events += [
            said(psid, start, "hi", f"m_{psid}_1"),
            tap(psid, start + timedelta(minutes=1), f"token-{psid}-a", "otn.abc"),
            tap(psid, start + timedelta(minutes=2), f"token-{psid}-b"),
            event(psid, start + timedelta(minutes=3), postback={"mid": f"m_{psid}_2", "payload": "X"}),
            event(psid, start + timedelta(minutes=4), read={"watermark": 1795000000000}),
        ]
    return events


def outcome() -> tuple:
    customers = {c.psid: (c.window_closes_at, c.last_event_at) for c in rows(Customer)}
    psids = {c.id: c.psid for c in rows(Customer)}
    opt_ins = {(o.token_hash, psids[o.customer_id], o.topic_id, o.consented_at) for o in rows(OptIn)}
    return customers, opt_ins


def forget_all() -> None:
    with transaction() as db:
        for table in (OptIn, Reply, Request, Customer, Event):
            db.execute(delete(table))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shuffler=st.randoms(use_true_random=False), turn=st.integers(min_value=1, max_value=40))
def test_any_order_with_repeats_in_any_portions_ends_the_same(fanpage, now, shuffler, turn):
    forget_all()
    processing.store_events(read(*a_day(now), received_at=now))
    processing.apply_pending(limit=500, now=now)
    expected = outcome()

    forget_all()
    told = a_day(now) * 2
    shuffler.shuffle(told)
    while told:
        portion, told = told[:turn], told[turn:]
        processing.store_events(read(*portion, received_at=now))
        if shuffler.random() < 0.7:
            processing.apply_pending(limit=turn, now=now)
    while processing.apply_pending(limit=turn, now=now):
        pass

    assert outcome() == expected
    assert len(expected[1]) == 6
