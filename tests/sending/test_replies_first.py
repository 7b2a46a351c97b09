"""Replies leave at the next send slots of their fanpage; broadcast messages that were planned give way."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from core.db.engine import transaction
from core.db.tables import Reply
from core.sending.calls.grouping import PUT_OFF_SECONDS, Call, PlannedMessage, grouped, with_replies_first
from core.sending.claims import Claim
from core.sending.replies.claims import ReplyClaim
from core.sending.replies.watch import ReplyWatch
from core.sending.senders.one_time_token import OneTimeToken
from tests.sending.conftest import Studio

TOKEN = OneTimeToken()
NOW = 1000.0
AT = datetime(2027, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 15).map(lambda ticks: NOW + ticks * 0.05)
FANPAGES = st.integers(1, 3)


def delivery(fanpage_id: int, number: int, *, claimed_steady: float = NOW) -> Claim:
    return Claim(number, fanpage_id, fanpage_id, number, None, 1, 0, False, TOKEN, "t", claimed_steady)


def reply(fanpage_id: int, number: int) -> ReplyClaim:
    return ReplyClaim(number, fanpage_id, number, "1", None, True, {}, False, 0, None, None, "w", NOW, AT)


def test_a_reply_leaves_at_the_next_slot_and_the_message_of_the_broadcast_at_the_replys() -> None:
    first, second, others = delivery(1, 1), delivery(1, 2), delivery(2, 3)
    waiting: list[tuple[float, Call]] = [(NOW + 0.1, [second]), (NOW + 0.05, [first, others])]
    answer = reply(1, 9)
    found = with_replies_first([PlannedMessage(NOW + 0.75, answer)], waiting, now=NOW)
    assert found == [PlannedMessage(NOW + 0.05, answer), PlannedMessage(NOW + 0.75, first)]
    assert waiting == [(NOW + 0.1, [second]), (NOW + 0.05, [others])]


def test_a_reply_that_leaves_before_them_changes_nothing() -> None:
    waiting: list[tuple[float, Call]] = [(NOW + 0.5, [delivery(1, 1)])]
    planned = [PlannedMessage(NOW + 0.5, reply(1, 9))]
    assert with_replies_first(planned, waiting, now=NOW) == planned
    assert waiting == [(NOW + 0.5, [delivery(1, 1)])]


def test_a_message_that_gave_way_for_long_gives_way_no_more() -> None:
    waiting: list[tuple[float, Call]] = [(NOW, [delivery(1, 1, claimed_steady=NOW - PUT_OFF_SECONDS)])]
    planned = [PlannedMessage(NOW + 0.5, reply(1, 9))]
    assert with_replies_first(planned, waiting, now=NOW) == planned


@given(
    st.lists(st.tuples(MOMENTS, st.lists(FANPAGES, min_size=1, max_size=5)), max_size=12),
    st.lists(st.tuples(MOMENTS, FANPAGES, st.booleans()), max_size=12),
)
def test_no_message_is_lost_or_doubled_and_each_moment_has_as_many_of_each_fanpage(
    planned_before: list[tuple[float, list[int]]], planned_now: list[tuple[float, int, bool]]
) -> None:
    numbers = iter(range(1000))
    waiting: list[tuple[float, Call]] = [
        (at, [delivery(each, next(numbers)) for each in fanpages]) for at, fanpages in planned_before
    ]
    planned = [
        PlannedMessage(at, (reply if answers else delivery)(fanpage, next(numbers)))
        for at, fanpage, answers in planned_now
    ]
    before = [(at, claim) for at, call in waiting for claim in call] + [(p.at, p.claim) for p in planned]
    found = with_replies_first(planned, waiting, now=NOW)
    calls = [*waiting, *grouped(found)]
    after = [(at, claim) for at, call in calls for claim in call]
    assert Counter(id(claim) for _, claim in after) == Counter(id(claim) for _, claim in before)
    slots = [Counter((at, claim.fanpage_id) for at, claim in each) for each in (before, after)]
    assert slots[0] == slots[1]


def test_a_reply_overtakes_a_broadcast_that_was_claimed_ahead(studio: Studio) -> None:
    """And each is sent once."""
    for number in range(30):
        studio.opt_in(f"token-{number}")
    studio.launch(broadcast := studio.broadcast())
    loop = studio.loop()
    loop.turn()
    waits = len(loop.calls.schedule)
    studio.reply()
    loop.look_again()
    loop.drain()
    assert waits > 0
    assert len(studio.platform.to_psids) == 1
    assert studio.show(broadcast).counts["sent"] == 30


def test_a_call_whose_messages_were_all_moved_is_forgotten(studio: Studio) -> None:
    calls = studio.loop().calls
    calls.add([(NOW * NOW, [delivery(studio.fanpage_id, 1)])], known_delay=0.0)
    dropped = calls.schedule.change(
        lambda waiting: with_replies_first(
            [PlannedMessage(NOW * NOW + 1, reply(studio.fanpage_id, 2))], waiting, now=NOW
        )
    )
    assert dropped == [[]]
    assert len(calls.schedule) == 0


def test_a_queued_reply_is_noticed_once(studio: Studio) -> None:
    studio.reply()
    told: list[set[int]] = []
    watch = ReplyWatch(lambda ids: told.append(set(ids)))
    watch.look()  # learns where they stand
    watch.look()
    studio.reply()
    studio.reply()
    watch.look()
    watch.look()
    assert told == [{studio.fanpage_id}]


def test_a_reply_that_is_deleted_meanwhile_hides_no_later_one(studio: Studio) -> None:
    told: list[set[int]] = []
    watch = ReplyWatch(lambda ids: told.append(set(ids)))
    watch.look()
    first = studio.reply()
    watch.look()
    second = studio.reply()
    with transaction() as db:
        db.delete(db.get_one(Reply, first))
    watch.look()
    assert second > first
    assert len(told) == 2
