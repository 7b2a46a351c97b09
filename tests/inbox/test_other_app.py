"""Conversations that another app holds: what happens in them counts, and nobody answers twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from core.conversation.drafts import KeywordMatch
from core.conversation.entry_kinds.names import EntryKind
from core.db.engine import reading
from core.db.tables import Block, Customer, EntryPoint, Message, OptIn, Reply, Withdrawal
from core.fanpages.queries import find_other_app
from tests.inbox.platform import PAGE, event, said, tap

PSID = "25000000000000077"


def the_customer() -> Customer:
    with reading() as db:
        return db.exec(select(Customer).where(Customer.psid == PSID)).one()


def count(table) -> int:
    with reading() as db:
        return len(db.exec(select(table)).all())


@pytest.fixture
def bot(arrange, fanpage, now) -> None:
    """Answers the keyword "hoa"."""
    message_id = arrange.save(
        Message(fanpage_id=fanpage, name="Chào", published=1, created_at=now, updated_at=now)
    )
    arrange.save(Block(message_id=message_id, position=0, kind="text", content={"text": "Xin chào"}))
    words = {"kind": EntryKind.KEYWORD, "match": KeywordMatch.CONTAINS, "value": "hoa", "folded": "hoa"}
    arrange.save(EntryPoint(fanpage_id=fanpage, message_id=message_id, created_at=now, **words))


def test_a_message_told_in_standby_is_seen_and_not_answered(bot, fanpage, receive, now):
    receive(said(PSID, now, "hoa", "m_1"), channel="standby")

    customer = the_customer()
    assert customer.window_closes_at == now + timedelta(hours=24)
    assert customer.other_app_at == now
    assert count(Reply) == 0
    assert find_other_app(fanpage, now=now).customers == 1


@pytest.mark.parametrize("channel", ["messaging", "standby"])
def test_what_we_said_ourselves_is_not_answered(bot, fanpage, receive, now, channel):
    """Else the bot would answer itself for ever."""
    ours = said(PAGE, now, "hoa", "m_1")
    ours |= {"recipient": {"id": PSID}}
    ours["message"]["is_echo"] = True
    receive(ours, channel=channel)
    assert count(Reply) == 0


def test_a_no_told_in_standby_is_remembered_and_not_answered(bot, arrange, fanpage, receive, now):
    receive(tap(PSID, now - timedelta(days=1), "token-1"))
    receive(said(PSID, now, "dừng", "m_1"), channel="standby")

    with reading() as db:
        (opt_in,) = db.exec(select(OptIn)).all()
        (no,) = db.exec(select(Withdrawal)).all()
    assert (opt_in.state, no.topic_id, no.source) == ("withdrawn", None, "keyword")
    assert count(Reply) == 0


def test_who_is_written_to_here_again_is_answered_again(bot, fanpage, receive, now):
    receive(said(PSID, now, "hoa", "m_1"), channel="standby")
    later = now + timedelta(minutes=5)
    receive(said(PSID, later, "hoa", "m_2"), at=later)

    assert the_customer().other_app_at is None
    assert find_other_app(fanpage, now=later) is None
    assert count(Reply) == 1


def test_what_is_told_late_does_not_take_a_conversation_back(fanpage, receive, now):
    receive(said(PSID, now, "hoa", "m_1"))
    receive(said(PSID, now - timedelta(minutes=5), "hoa", "m_0"), channel="standby")
    receive(said(PSID, now, "x", "m_2"), channel="standby", at=now + timedelta(minutes=1))
    receive(said(PSID, now - timedelta(minutes=4), "y", "m_3"), at=now + timedelta(minutes=2))

    assert the_customer().other_app_at == now


@pytest.mark.parametrize(
    ("control", "is_with_another"),
    [
        ({"take_thread_control": {"previous_owner_app_id": "1"}}, True),
        ({"pass_thread_control": {"new_owner_app_id": "1"}}, False),
        ({"request_thread_control": {"requested_owner_app_id": "1"}}, False),
        ({"app_roles": {"1": ["primary_receiver"]}}, False),
    ],
)
def test_a_handover_says_who_has_the_conversation(arrange, fanpage, receive, now, control, is_with_another):
    arrange.customer(fanpage, psid=PSID)
    receive(event(PSID, now, **control))

    assert (the_customer().other_app_at == now) is is_with_another


def test_a_tap_told_in_standby_is_an_opt_in_like_any_other(fanpage, receive, now):
    receive(tap(PSID, now, "token-1"), channel="standby")
    receive(tap(PSID, now, "token-1"))

    with reading() as db:
        (opt_in,) = db.exec(select(OptIn)).all()
    assert opt_in.state == "available"


def test_receipts_told_in_standby_count(arrange, fanpage, receive, now):
    arrange.customer(fanpage, psid=PSID)
    receive(event(PSID, now, read={"watermark": int(now.timestamp() * 1000)}), channel="standby")
    receive(event(PSID, now, delivery={"watermark": int(now.timestamp() * 1000)}), channel="standby")

    customer = the_customer()
    assert (customer.read_watermark, customer.delivered_watermark) == (now, now)


@pytest.mark.parametrize(
    "content",
    [
        {"reaction": {"mid": "m_1", "action": "react", "emoji": "❤", "reaction": "love"}},
        {"message": {"mid": "m_1", "text": "hoa"}},
        {"postback": {"mid": "m_1", "payload": "GET_STARTED"}},
        {"referral": {"ref": "x"}},
        {"read": {"watermark": 1795000000000}},
        {"delivery": {"watermark": 1795000000000}},
    ],
)
@pytest.mark.parametrize("channel", ["messaging", "standby"])
def test_what_the_fanpage_itself_does_opens_no_window_and_reads_nothing(
    bot, arrange, fanpage, receive, now, content, channel
):
    arrange.customer(fanpage, psid=PSID)
    own = {**event(PAGE, now, **content), "recipient": {"id": PSID}}
    others = [{**own, "recipient": {"id": recipient}} for recipient in ("25000000000000099", PAGE)]
    receive(own, *others, channel=channel)

    customer = the_customer()
    assert (customer.window_closes_at, customer.last_event_at, customer.read_watermark) == (None, None, None)
    assert customer.delivered_watermark is None
    assert (count(Customer), count(Reply)) == (1, 0)
