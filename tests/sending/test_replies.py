"""A reply has no token that a double would be refused for: only the fence of its claim keeps it single."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from core.db.engine import reading, transaction
from core.db.tables import Customer, Reply
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted
from core.sending.calls.runner import TYPING_SECONDS
from core.sending.replies import claims as reply_claims
from core.sending.replies import settling as reply_settling
from core.sending.replies.claims import ReplyClaim
from core.sending.replies.settling import ReplyOutcome
from tests import claiming
from tests.databases import TestDatabase
from tests.sending.conftest import Studio

PASSING = Failure(NextStep.RETRY_LATER, "temporary", 400, 2)
BLOCKED = Failure(NextStep.END_DELIVERY, "blocked", 400, 551)


def claim(studio: Studio, worker: str = "worker a") -> list[ReplyClaim]:
    return claiming.claim_replies(studio.fanpage_id, 1, worker=worker, now=studio.now)


def settle(studio: Studio, claimed: ReplyClaim, answer: Accepted | Failure) -> None:
    reply_settling.settle([ReplyOutcome(claimed, answer)], now=studio.now)


@pytest.mark.parametrize("answer", [PASSING, BLOCKED])
def test_a_repeated_settle_leaves_anothers_claim_alone(
    studio: Studio, fresh_database: TestDatabase, answer: Failure
) -> None:
    studio.reply()
    (mine,) = claim(studio)
    settle(studio, mine, PASSING)  # committed, but nobody told us so
    studio.now += timedelta(seconds=5)
    (theirs,) = claim(studio, "worker b")  # on the wire now
    settle(studio, mine, answer)
    settle(studio, theirs, Accepted("m.1"))
    studio.now += timedelta(seconds=5)
    assert claim(studio) == []
    assert fresh_database.rows("SELECT state, mid FROM reply") == [("sent", "m.1")]
    assert fresh_database.rows("SELECT unreachable_code FROM customer") == [(None,)]


def test_a_repeated_hand_back_leaves_the_next_claim_alone(studio: Studio) -> None:
    studio.reply()
    mine = claim(studio)
    reply_claims.hand_back(mine)  # committed, but nobody told us so
    studio.now += timedelta(milliseconds=1)
    (next_one,) = claim(studio)
    reply_claims.hand_back(mine)
    assert claim(studio) == []
    settle(studio, next_one, Accepted("m.1"))
    assert claim(studio) == []


def test_what_is_handed_back_can_be_claimed_again(studio: Studio) -> None:
    reply_id = studio.reply()
    reply_claims.hand_back(claim(studio))
    assert [each.reply_id for each in claim(studio)] == [reply_id]


def test_an_acceptance_counts_although_the_reply_was_given_up(
    studio: Studio, fresh_database: TestDatabase
) -> None:
    studio.reply()
    (mine,) = claim(studio)
    studio.now += timedelta(seconds=61)
    assert reply_claims.end_lost(now=studio.now) == 1
    settle(studio, mine, Accepted("m.1"))
    assert fresh_database.rows("SELECT state, mid, reason FROM reply") == [("sent", "m.1", None)]


def test_an_acceptance_keeps_a_reply_that_is_queued_again_from_leaving_twice(studio: Studio) -> None:
    studio.reply()
    (mine,) = claim(studio)
    reply_claims.hand_back([mine])
    settle(studio, mine, Accepted("m.1"))
    assert claim(studio) == []


def test_the_customer_sees_that_we_are_typing_before_an_answer_begins(studio: Studio) -> None:
    """Once for each answer, and our mark is on every message of it."""
    first, second = studio.reply(), studio.reply()
    with transaction() as db:
        db.get_one(Reply, first).begins_answer = True
        psids = [db.get_one(Customer, db.get_one(Reply, each).customer_id).psid for each in (first, second)]
    studio.send_all(rounds=1)
    assert studio.platform.typing == psids[:1]
    sent = {body["recipient"]["id"]: body["message"]["metadata"] for body in studio.platform.to_psids}
    assert sent == {psids[0]: f"otn.reply.{first}", psids[1]: f"otn.reply.{second}"}


def test_an_answer_does_not_wait_until_the_platform_has_said_something_about_typing(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, sent = threading.Event(), threading.Event()
    order: list[str] = []

    def is_slow(_self: object, _psid: str, *, on_left: Callable[[], object]) -> None:
        order.append("typing")
        on_left()
        sent.wait(20)
        answered.set()

    def takes(_body: dict) -> None:
        order.append("a silent platform" if not answered.is_set() else "late")
        sent.set()

    monkeypatch.setattr(type(studio.platform), "show_typing", is_slow)
    studio.platform.by_psid = takes
    reply = studio.reply()
    with transaction() as db:
        db.get_one(Reply, reply).begins_answer = True
    studio.send_all(rounds=1)
    assert order == ["typing", "a silent platform"]


def test_an_answer_leaves_only_after_its_typing(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes to leave, up to a second: shown afterwards, it would announce nothing."""
    order: list[str] = []

    def leaves_slowly(_self: object, _psid: str, *, on_left: Callable[[], object]) -> None:
        threading.Event().wait(3 * TYPING_SECONDS)  # a connection is made
        order.append("typing")
        on_left()

    monkeypatch.setattr(type(studio.platform), "show_typing", leaves_slowly)
    studio.platform.by_psid = lambda _body: order.append("answer")
    reply = studio.reply()
    with transaction() as db:
        db.get_one(Reply, reply).begins_answer = True
    studio.send_all(rounds=1)
    assert order == ["typing", "answer"]


def test_where_no_thread_is_left_for_typing_the_answer_leaves_all_the_same(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def start_unless_typing(thread: threading.Thread) -> None:
        if thread.name == "typing":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_unless_typing)
    reply = studio.reply()
    with transaction() as db:
        db.get_one(Reply, reply).begins_answer = True
    studio.send_all(rounds=1)
    assert (len(studio.platform.typing), len(studio.platform.to_psids)) == (0, 1)


def test_a_defect_before_a_reply_leaves_does_not_keep_it_from_leaving(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_self: object, _psid: str, **_more: object) -> None:
        raise RuntimeError("a defect")

    for name in ("profile", "show_typing"):
        monkeypatch.setattr(type(studio.platform), name, fails)
    reply = studio.reply(body={"text": "Chào {{first_name|bạn}}"})
    with transaction() as db:
        row = db.get_one(Reply, reply)
        row.begins_answer = True
        db.get_one(Customer, row.customer_id).profile_at = None
    studio.send_all(rounds=1)
    assert len(studio.platform.to_psids) == 1
    with reading() as db:
        assert db.get_one(Reply, reply).state == "sent"
