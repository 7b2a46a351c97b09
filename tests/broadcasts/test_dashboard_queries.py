"""Lists, stock, clashes, first steps: what the overview and the stepper tell before a launch."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import (
    actions,
    canary,
    dashboard_queries,
    drafts,
    queries,
    retry_queries,
    scheduled_jobs,
)
from core.broadcasts.delivery_queries import count_deliveries, list_deliveries
from core.broadcasts.dry_run_queries import dry_run
from core.broadcasts.list_queries import count_by_state, count_lines, list_lines
from core.db.engine import transaction
from core.db.tables import Block, Customer, Delivery, Message, OptIn
from core.messenger.errors import Failure, NextStep
from tests.broadcasts.audiences import choose_first_part
from tests.sending.conftest import Studio

HOUR = timedelta(hours=1)
BLOCKED = Failure(NextStep.END_DELIVERY, "blocked", 400, 551, detail='{"code": 551}')


def test_lines_come_newest_first_and_count_every_state(studio: Studio) -> None:
    studio.people(3)
    studio.platform.fault = lambda token, nth: BLOCKED if token == "token-0" else None
    first = studio.broadcast()
    studio.launch(first)
    studio.send_all(rounds=1)
    draft = studio.broadcast()
    lines = list_lines(studio.fanpage_id)
    assert [line.id for line in lines] == [draft, first]
    assert (lines[1].sent, lines[1].ended, lines[1].counts) == (2, 3, {"sent": 2, "failed": 1})
    assert (lines[0].counts, lines[0].ended) == ({}, 0)
    assert count_by_state(studio.fanpage_id) == {"draft": 1, "finished": 1}


def test_lines_are_filtered_searched_and_paged_by_the_database(studio: Studio) -> None:
    for number in range(5):
        made = studio.broadcast()
        began = drafts.get_draft(made)
        renamed = replace(began, name=f"Đợt sale {number}")
        drafts.keep_draft(COMMAND_LINE, renamed, began=began, now=studio.now)
    actions.cancel(COMMAND_LINE, made, now=studio.now)
    fanpage_id = studio.fanpage_id
    assert count_lines(fanpage_id) == 5
    assert count_lines(fanpage_id, states=["cancelled"]) == 1
    assert [line.name for line in list_lines(fanpage_id, search="dot SALE 3")] == ["Đợt sale 3"]
    assert count_lines(fanpage_id, search="khuyen mai") == 5  # by the topic's name
    assert count_lines(fanpage_id, search="dot sale", states=["cancelled"]) == 1
    paged = [line.id for offset in (0, 2, 4) for line in list_lines(fanpage_id, offset=offset, limit=2)]
    assert paged == sorted(paged, reverse=True)
    assert len(paged) == 5
    searched = [
        line.id for o in (0, 2, 4) for line in list_lines(fanpage_id, search="dot", offset=o, limit=2)
    ]
    assert searched == paged
    assert list_lines(studio.arrange.fanpage("Khác")) == []


def test_the_stock_counts_people_opt_ins_and_who_holds_several(studio: Studio) -> None:
    assert dashboard_queries.get_stock(studio.topic_id, now=studio.now) == dashboard_queries.Stock(0, 0, 0)
    studio.people(2)
    customer_id = studio.arrange.customer(studio.fanpage_id)
    for state in ("available", "available", "spent"):
        studio.arrange.opt_in(studio.topic_id, customer_id, fanpage_id=studio.fanpage_id, state=state)
    gone = studio.arrange.customer(
        studio.fanpage_id, unreachable_at=studio.now, unreachable_firm_at=studio.now
    )
    studio.arrange.opt_in(studio.topic_id, gone, fanpage_id=studio.fanpage_id)
    stock = dashboard_queries.get_stock(studio.topic_id, now=studio.now)
    assert stock == dashboard_queries.Stock(people=3, opt_ins=4, stacked=1)
    assert stock.people == dry_run(studio.topic_id, now=studio.now).eligible


def test_broadcasts_waiting_for_the_same_opt_ins_clash(studio: Studio) -> None:
    first, second, draft = studio.broadcast(), studio.broadcast(), studio.broadcast()
    actions.schedule(COMMAND_LINE, second, at=studio.now + HOUR, now=studio.now)
    actions.schedule(COMMAND_LINE, first, at=studio.now + 2 * HOUR, now=studio.now)
    clashes = dashboard_queries.list_clashes(studio.topic_id, except_id=draft)
    assert [clash.id for clash in clashes] == [second, first]
    assert [clash.id for clash in dashboard_queries.list_clashes(studio.topic_id, except_id=first)] == [
        second
    ]
    other = studio.arrange.topic(studio.fanpage_id, "Khác")
    assert dashboard_queries.list_clashes(other) == []


def test_first_steps_are_ticked_one_by_one(arrange, now) -> None:
    fanpage_id = arrange.fanpage()
    steps = [dashboard_queries.first_steps(fanpage_id)]
    topic_id = arrange.topic(fanpage_id)
    steps.append(dashboard_queries.first_steps(fanpage_id))
    message_id = arrange.save(Message(fanpage_id=fanpage_id, name="Chào", created_at=now, updated_at=now))
    arrange.save(Block(message_id=message_id, position=0, kind="text", content={"text": "Chào"}))
    assert dashboard_queries.first_steps(fanpage_id) == steps[-1]  # it asks nothing yet
    ask = {"title": "Báo tôi", "after": ""}
    arrange.save(Block(message_id=message_id, position=1, kind="otnr", content=ask, topic_id=topic_id))
    steps.append(dashboard_queries.first_steps(fanpage_id))
    arrange.opt_in(topic_id, arrange.customer(fanpage_id), fanpage_id=fanpage_id)
    steps.append(dashboard_queries.first_steps(fanpage_id))
    content = {"kind": "text", "text": "x"}
    made = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content=content, now=now)
    actions.launch(COMMAND_LINE, made, now=now)
    assert dashboard_queries.first_steps(fanpage_id) == steps[-1]  # nothing has gone out yet
    scheduled_jobs.start_due(now=now)
    steps.append(dashboard_queries.first_steps(fanpage_id))
    assert [s.permission for s in steps] == [False, False, False, True, True]  # an opt-in proves it
    assert [(s.topic, s.request, s.opt_in, s.broadcast) for s in steps] == [
        (False, False, False, False),
        (True, False, False, False),
        (True, True, False, False),
        (True, True, True, False),
        (True, True, True, True),
    ]
    assert [step.done for step in steps] == [False, False, False, False, True]


def test_the_platforms_words_are_counted(studio: Studio) -> None:
    studio.people(3)
    studio.platform.fault = lambda token, nth: BLOCKED if token != "token-0" else None
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=1)
    assert dashboard_queries.list_answers(broadcast_id) == [
        dashboard_queries.PlatformAnswer("blocked", '{"code": 551}', 2)
    ]


def test_answers_that_differ_in_their_trace_alone_are_one(studio: Studio) -> None:
    studio.people(4)
    said = '{"message": "(#551) Not available", "code": 551, "fbtrace_id": "%s"}'
    studio.platform.fault = lambda token, nth: (
        replace(BLOCKED, detail=said % token) if token != "token-0" else replace(BLOCKED, detail="<html>")
    )
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=1)
    first, second = dashboard_queries.list_answers(broadcast_id)
    assert (first.people, first.detail) == (3, said % "token-3")
    assert (second.people, second.detail) == (1, "<html>")


def test_deliveries_can_be_listed_by_what_became_of_them(studio: Studio) -> None:
    studio.people(4)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    studio.send_all(rounds=1)
    ids = [d.id for d in list_deliveries(broadcast_id)]
    with transaction() as db:
        db.get(Delivery, ids[0]).delivered_at = studio.now
        db.get(Delivery, ids[1]).delivered_at = db.get(Delivery, ids[1]).read_at = studio.now
    for arrival, expected in (("delivered", ids[:2]), ("read", ids[1:2]), (None, ids)):
        listed = list_deliveries(broadcast_id, arrival=arrival)
        assert [d.id for d in listed] == expected
        assert count_deliveries(broadcast_id, arrival=arrival) == len(expected)


def test_a_second_run_counts_only_who_could_still_get_it(studio: Studio) -> None:
    studio.people(5)
    broadcast_id = studio.broadcast()
    studio.launch(broadcast_id)
    actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now)
    deliveries = list_deliveries(broadcast_id)
    with transaction() as db:
        db.get(Delivery, deliveries[0].id).state = "failed"
        blocked = db.get_one(Customer, deliveries[1].customer_id)
        blocked.unreachable_at = blocked.unreachable_firm_at = studio.now
        db.get(OptIn, db.get(Delivery, deliveries[2].id).opt_in_id).state = "spent"
    chances = retry_queries.retry_chances(broadcast_id, now=studio.now)
    assert chances == retry_queries.RetryChances(failed=1, rest=2, undecided=0)
    assert retry_queries.retry_chances(broadcast_id, now=studio.now + timedelta(days=400)).rest == 0


def test_the_first_part_is_shown_while_it_decides(studio: Studio) -> None:
    studio.people(6)
    broadcast_id = studio.broadcast()
    choose_first_part(broadcast_id, 2, now=studio.now)
    assert dashboard_queries.get_first_part(broadcast_id) is None
    studio.launch(broadcast_id)
    assert dashboard_queries.get_first_part(broadcast_id) == dashboard_queries.FirstPart(
        2, 0, 0, 0, waits=True
    )
    studio.send_all(rounds=1)
    canary.judge(now=studio.now)
    part = dashboard_queries.get_first_part(broadcast_id)
    assert (part.done, part.waits) == (2, False)


def test_broadcasts_with_outcomes_in_doubt_are_counted_per_fanpage(studio: Studio) -> None:
    studio.people(3)
    first, waiting = studio.broadcast(), studio.broadcast()
    studio.launch(first)
    assert dashboard_queries.list_unknown_outcomes(studio.fanpage_id) == []
    with transaction() as db:
        for delivery in list_deliveries(first)[:2]:
            db.get(Delivery, delivery.id).state = "unknown"
    name = queries.get_broadcast(first).name
    assert dashboard_queries.list_unknown_outcomes(studio.fanpage_id) == [
        dashboard_queries.UnknownOutcomes(first, name, 2)
    ]
    assert waiting not in [
        doubt.broadcast_id for doubt in dashboard_queries.list_unknown_outcomes(studio.fanpage_id)
    ]
    assert dashboard_queries.list_unknown_outcomes(studio.arrange.fanpage("Khác")) == []
