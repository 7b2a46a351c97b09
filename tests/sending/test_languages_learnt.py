"""A first answer waits until the worker knows the customer's language, and is then given once, in order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from core.accounts.rules import SYSTEM
from core.conversation.actions import save_message
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.replies import answer_event, answer_with
from core.conversation.reply_queue import Queued, queue_behind
from core.customers.profiles import store_profile
from core.db.engine import reading, transaction
from core.db.tables import Customer, Reply, Request
from core.messenger.client import GraphRefused, Profile
from core.messenger.errors import Failure, NextStep
from core.sending.replies import claims as reply_claims
from core.sending.replies import settling
from core.sending.replies.settling import ReplyOutcome
from tests import claiming
from tests.sending.conftest import Studio

LAN = Profile("Lan", "Smith", "en_US")


def text(words: str) -> BlockDraft:
    return BlockDraft("text", {"text": words, "fallback": ""})


@pytest.fixture
def customer(studio: Studio) -> int:
    """Has written "giá" and then "ở đâu", and nobody has asked for their language."""
    save_message(
        SYSTEM,
        studio.fanpage_id,
        name="Giá",
        blocks=[text("Giá 10"), text("Mua nhé")],
        entry_points=[EntryDraft("keyword", "contains", "giá")],
        translations={"en": [text("It costs 10"), text("Buy it")]},
        now=studio.now,
    )
    where = [EntryDraft("keyword", "contains", "ở đâu")]
    save_message(
        SYSTEM, studio.fanpage_id, name="Ở", blocks=[text("Quận 1")], entry_points=where, now=studio.now
    )
    until = studio.now + timedelta(hours=20)
    customer = studio.arrange.customer(studio.fanpage_id, "", window_closes_at=until)
    for words in ("giá", "ở đâu"):
        with transaction() as db:
            event = {"fanpage_id": studio.fanpage_id, "customer_id": customer, "now": studio.now}
            answer_event(db, text=words, **event)
    return customer


def sent(studio: Studio) -> list[str]:
    return [body["message"]["text"] for body in studio.platform.to_psids]


@pytest.mark.parametrize(
    ("profile", "said"),
    [(LAN, ["It costs 10", "Buy it", "Quận 1"]), (None, ["Giá 10", "Mua nhé", "Quận 1"])],
)
def test_the_answers_come_in_order_and_in_the_language_that_was_learnt(
    studio: Studio, customer: int, monkeypatch: pytest.MonkeyPatch, profile: Profile | None, said: list[str]
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(type(studio.platform), "profile", lambda _self, psid: asked.append(psid) or profile)
    studio.send_all(rounds=8)
    assert (sent(studio), len(asked)) == (said, 1)
    with reading() as db:
        assert db.get_one(Customer, customer).locale == (profile.locale if profile else None)
        assert {row.state for row in db.exec(select(Reply))} == {"sent"}


def test_what_was_learnt_in_between_is_not_asked_for_again(
    studio: Studio, customer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction() as db:
        store_profile(db, customer, "psid", LAN, studio.now)
    monkeypatch.delattr(type(studio.platform), "profile")
    studio.send_all(rounds=8)
    assert sent(studio) == ["It costs 10", "Buy it", "Quận 1"]


def test_settling_it_twice_or_after_the_claim_was_lost_answers_once(studio: Studio, customer: int) -> None:
    (mine,) = claiming.claim_replies(studio.fanpage_id, 1, worker="worker a", now=studio.now)
    learnt = ReplyOutcome(mine, None, LAN, asked_profile=True)
    studio.now += timedelta(seconds=61)
    assert reply_claims.end_lost(now=studio.now) == 0  # nothing was sent: it waits once more
    settling.settle([learnt], now=studio.now)
    (again,) = claiming.claim_replies(studio.fanpage_id, 1, worker="worker b", now=studio.now)
    assert again.reply_id == mine.reply_id
    for _ in range(2):
        settling.settle([ReplyOutcome(again, None)], now=studio.now)
    with reading() as db:
        bodies = [row.body for row in db.exec(select(Reply).order_by(Reply.id))]
    assert bodies == [{}, {"text": "It costs 10"}, {"text": "Buy it"}]


def test_an_answer_whose_message_is_gone_meanwhile_is_not_given(studio: Studio, customer: int) -> None:
    (mine,) = claiming.claim_replies(studio.fanpage_id, 1, worker="worker a", now=studio.now)
    with transaction() as db:
        db.get_one(Customer, customer).window_closes_at = studio.now
    settling.settle([ReplyOutcome(mine, None, LAN, asked_profile=True)], now=studio.now)
    with reading() as db:
        assert [row.body for row in db.exec(select(Reply))] == [{}]  # only what waits behind it


@pytest.mark.parametrize(
    "problem", [GraphRefused(Failure(NextStep.IN_DOUBT, "server_error", 500)), RuntimeError("a defect")]
)
def test_a_question_without_an_answer_holds_nothing_back_and_is_asked_again(
    studio: Studio, customer: int, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def fails(_self: object, _psid: str) -> None:
        raise problem

    monkeypatch.setattr(type(studio.platform), "profile", fails)
    studio.send_all(rounds=8)
    assert sent(studio) == ["Giá 10", "Mua nhé", "Quận 1"]
    with reading() as db:
        assert db.get_one(Customer, customer).profile_at is None


def test_an_answer_that_can_never_begin_does_not_hold_the_later_ones_for_ever(
    studio: Studio, customer: int
) -> None:
    with transaction() as db:
        first = db.exec(select(Reply).order_by(Reply.id)).first()
        first.begins_with = {"strange": 1}
    for _ in range(reply_claims.MAX_ATTEMPTS):
        claiming.claim_replies(studio.fanpage_id, 1, worker="worker a", now=studio.now)
        studio.now += timedelta(seconds=61)
        reply_claims.end_lost(now=studio.now)
    with reading() as db:
        ended, later = db.exec(select(Reply).order_by(Reply.id)).all()
    assert (ended.state, ended.reason) == ("failed", "our_error")
    assert ended.settled_at == studio.now
    (mine,) = claiming.claim_replies(studio.fanpage_id, 1, worker="worker a", now=studio.now)
    assert mine.reply_id == later.id


def test_a_sentence_of_our_own_comes_after_the_answers_that_wait(
    studio: Studio, customer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction() as db:
        assert answer_with(db, studio.fanpage_id, customer, "Đã dừng", studio.now) == 1
    monkeypatch.setattr(type(studio.platform), "profile", lambda _self, _psid: LAN)
    studio.send_all(rounds=8)
    assert sent(studio) == ["It costs 10", "Buy it", "Quận 1", "Đã dừng"]


def test_a_request_that_waits_is_not_sent_once_a_colleague_has_written(
    studio: Studio, customer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It never reached the customer, who may be asked another time; a confirmation of ours still comes."""
    request = studio.arrange.save(
        Request(
            fanpage_id=studio.fanpage_id,
            customer_id=customer,
            topic_id=studio.topic_id,
            entry_kind="rule",
            entry_value="",
            title="Báo tôi khi có hoa mới",
            payload="p",
            created_at=studio.now,
        )
    )
    with transaction() as db:
        queue_behind(db, Queued(studio.fanpage_id, customer, [(request, {"text": "?"})]), studio.now)
        answer_with(db, studio.fanpage_id, customer, "Đã dừng", studio.now)
        db.get_one(Customer, customer).colleague_at = studio.now
    monkeypatch.setattr(type(studio.platform), "profile", lambda _self, _psid: LAN)
    studio.send_all(rounds=8)
    assert sent(studio) == ["Đã dừng"]
    with reading() as db:
        (asked,) = db.exec(select(Reply).where(Reply.request_id == request)).all()
    assert (asked.state, asked.reason) == ("skipped", "colleague_answers")
