"""A colleague answers from the Page's inbox: the bot keeps silent for that customer for a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from core.accounts.rules import COMMAND_LINE
from core.conversation.silence_actions import end_silence
from core.conversation.silence_rules import is_silent, silent_until
from core.db.engine import reading, transaction
from core.db.tables import Activity, Customer, Fanpage, OptIn, Reply, Request, Withdrawal
from tests.inbox.platform import PAGE, event, said, tap
from tests.inbox.test_other_app import PSID, bot, count, the_customer

__all__ = ["bot"]
INBOX_APP = 263902037430900  # the Page's inbox
HOUR = timedelta(hours=1)


def echo(at: datetime, mid: str, **more: Any) -> dict[str, Any]:
    message = {"is_echo": True, "mid": mid, "text": "Dạ shop đây ạ", **more}
    return event(PAGE, at, PSID, message=message)


@pytest.fixture
def met(bot, receive, now) -> None:
    """The customer has written before, and was answered."""
    receive(said(PSID, now - HOUR, "hoa", "m_0"), at=now - HOUR)


def settle_all(**values: Any) -> None:
    with transaction() as db:
        for reply in db.exec(select(Reply)):
            for name, value in values.items():
                setattr(reply, name, value)


@pytest.mark.parametrize("more", [{}, {"app_id": INBOX_APP}, {"metadata": "mine"}, {"app_id": 7}])
def test_the_bot_is_silent_after_a_colleague_has_answered(met, receive, now, more):
    receive(echo(now, "m_colleague", **more))
    receive(said(PSID, now + HOUR, "hoa", "m_1"), at=now + HOUR)
    assert count(Reply) == 1
    after = now + timedelta(hours=12)
    receive(said(PSID, after, "hoa", "m_2"), at=after)
    assert count(Reply) == 2


@pytest.mark.parametrize("channel", ["messaging", "standby"])
def test_it_does_not_matter_in_which_channel_we_are_told(met, receive, now, channel):
    receive(echo(now, "m_colleague"), channel=channel)
    assert the_customer().colleague_at == now


@pytest.mark.parametrize("metadata", ["otn.reply.1", "otn.delivery.5"])
def test_our_own_messages_silence_nobody(met, receive, now, metadata):
    receive(echo(now, "m_ours", metadata=metadata, app_id=42))
    assert the_customer().colleague_at is None
    receive(echo(now, "m_ours_without_mark", app_id=42))  # the mark has taught us our app's id
    assert the_customer().colleague_at is None


def test_a_message_whose_id_we_know_silences_nobody(met, receive, now):
    settle_all(state="sent", mid="m_known")
    receive(echo(now, "m_known"))
    assert the_customer().colleague_at is None


def test_what_the_bot_had_not_sent_yet_is_not_sent_any_more(met, receive, now):
    receive(echo(now, "m_colleague"))
    with reading() as db:
        (reply,) = db.exec(select(Reply)).all()
    assert (reply.state, reply.reason) == ("skipped", "colleague")


def test_a_tap_counts_and_is_not_thanked_for(met, arrange, fanpage, receive, now):
    topic = arrange.topic(fanpage)
    customer = the_customer()
    values = {"title": "Báo tôi", "after_text": "Cảm ơn", "payload": "otn.x", "created_at": now}
    arrange.save(Request(fanpage_id=fanpage, customer_id=customer.id, topic_id=topic, **values))
    receive(echo(now, "m_colleague"))
    receive(tap(PSID, now + HOUR, "token-1", "otn.x"), at=now + HOUR)
    assert (count(OptIn), count(Reply)) == (1, 1)


def test_a_no_is_confirmed_all_the_same(met, receive, now):
    receive(echo(now, "m_colleague"))
    receive(said(PSID, now + HOUR, "dừng", "m_1"), at=now + HOUR)
    assert (count(Withdrawal), count(Reply)) == (1, 2)


def test_a_fanpage_may_do_without(met, fanpage, receive, now):
    with transaction() as db:
        db.get_one(Fanpage, fanpage).silent_hours = 0
    receive(echo(now, "m_colleague"))
    receive(said(PSID, now + HOUR, "hoa", "m_1"), at=now + HOUR)
    assert count(Reply) == 2


def test_staff_end_the_silence_and_late_news_does_not_bring_it_back(met, receive, now):
    receive(echo(now, "m_colleague"))
    ended = now + timedelta(minutes=10)
    assert end_silence(COMMAND_LINE, the_customer().id, now=ended)
    assert not end_silence(COMMAND_LINE, the_customer().id, now=ended)
    receive(echo(now + timedelta(minutes=5), "m_late"), at=now + HOUR)
    receive(said(PSID, now + HOUR, "hoa", "m_1"), at=now + HOUR)
    assert count(Reply) == 2
    with reading() as db:
        assert [each.verb for each in db.exec(select(Activity))] == ["customer.end_silence"]


def test_somebody_unknown_to_us_is_no_reason_to_fail(bot, receive, now):
    receive(echo(now, "m_colleague"))
    with reading() as db:
        assert db.exec(select(Customer)).all() == []


TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3))


@given(TIMES, st.none() | TIMES, st.integers(0, 48), TIMES)
def test_silence_lasts_for_its_hours_and_no_longer(colleague_at, ended_at, hours, now):
    if is_silent(colleague_at, ended_at, hours, now):
        assert now < colleague_at + timedelta(hours=hours)
        assert ended_at is None or ended_at < colleague_at
    else:
        until = silent_until(colleague_at, ended_at, hours)
        assert until is None or until <= now
