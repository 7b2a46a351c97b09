"""Forgetting a person: nothing leads back to them, and what was counted stays counted."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.broadcasts import queries, results_export, retry, topic_queries
from core.broadcasts.delivery_queries import list_deliveries
from core.broadcasts.dry_run_queries import dry_run
from core.consent import queries as topics
from core.consent.opt_in_export import csv_opt_ins
from core.consent.opt_in_queries import list_opt_ins
from core.errors import Invalid, NotAllowed, NotFound
from core.forgetting.actions import forget
from core.forgetting.queries import RecordCounts, count_records_of
from core.funnel.counting import count_funnel
from core.funnel.queries import Figures, topic_funnel
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted
from core.sending import claims
from tests.customers.forgetting.people import DOUBT, LATER, PSID, Shop, everything_in
from tests.inbox.platform import PAGE


def test_no_table_leads_back_to_who_was_forgotten(shop: Shop, fresh_database):
    shop.well_known()
    secrets, before = shop.secrets(), everything_in(fresh_database)
    assert len(secrets) >= 9
    assert {each for each in secrets if each not in before} == {"AbCdEf"}

    assert shop.forget() == 1

    after = everything_in(fresh_database)
    assert {each for each in secrets if each in after} == set()
    assert fresh_database.rows(f"SELECT count(*) FROM customer WHERE id = {shop.customer_id}") == [(0,)]


@pytest.mark.sqlite
def test_the_file_does_not_keep_them_either(shop: Shop, fresh_database):
    shop.well_known()
    secrets = {each.encode() for each in shop.secrets()}
    shop.forget()
    files = [Path(fresh_database.name + end) for end in ("", "-wal")]
    kept = b"".join(file.read_bytes() for file in files if file.exists())
    assert {each for each in secrets if each in kept} == set()


def funnel(shop: Shop) -> Figures:
    """Counted anew."""
    count_funnel(shop.fanpage_id, ZoneInfo("Asia/Ho_Chi_Minh"), None, now=shop.now)
    return topic_funnel(shop.topic_id).total


def test_totals_stay_as_they_were(shop: Shop):
    finished = shop.well_known()
    before, topic = queries.get_broadcast(finished), topics.get_topic(shop.topic_id, now=shop.now)
    progress = topic_queries.topic_progress(shop.topic_id, now=shop.now)
    figures = funnel(shop)
    assert (before.counts["sent"], before.audience, figures.asked, figures.tapped) == (3, 3, 1, 1)

    shop.forget()

    assert queries.get_broadcast(finished) == before
    after = topics.get_topic(shop.topic_id, now=shop.now)
    assert (after.total, after.spent) == (topic.total, topic.spent)
    now = topic_queries.topic_progress(shop.topic_id, now=shop.now)
    assert funnel(shop) == figures
    assert now.need_asking == progress.need_asking - 1  # nobody can ask them any more
    assert dry_run(shop.topic_id, now=shop.now).audience == 2


def test_lists_and_exports_keep_a_row_without_a_person(shop: Shop):
    finished = shop.well_known()
    held = len(list_opt_ins(shop.fanpage_id, now=shop.now))
    shop.forget()
    whole = list_deliveries(finished)
    assert (whole[0].customer_id, whole[0].psid, whole[0].customer) == (None, "", "")
    lines = b"".join(results_export.csv_report(finished)).decode("utf-8-sig").splitlines()
    assert len(whole) == len(lines) - 1 == 3
    assert list_deliveries(finished, search=PSID) == []
    opt_ins = list_opt_ins(shop.fanpage_id, now=shop.now)
    exported = b"".join(csv_opt_ins(shop.fanpage_id, now=shop.now)).decode("utf-8-sig")
    assert len(opt_ins) == len(exported.splitlines()) - 1 == held
    assert sum(each.customer_id is None for each in opt_ins) == 2


def test_nobody_else_loses_anything(shop: Shop, fresh_database):
    shop.well_known()
    shop.told(_message(f"{PSID}0"), _message(PSID[:-1]), apply=False)
    counted = "SELECT count(*) FROM opt_in WHERE token_sealed IS NOT NULL"
    ((tokens,),) = fresh_database.rows(counted)
    shop.forget()
    assert fresh_database.rows(counted) == [(tokens - 2,)]
    assert fresh_database.count("customer") == 2
    assert fresh_database.rows("SELECT psid FROM event ORDER BY id") == [(f"{PSID}0",), (PSID[:-1],)]


def _message(psid: str) -> dict:
    return {
        "sender": {"id": psid},
        "recipient": {"id": PAGE},
        "timestamp": 1795000000000,
        "message": {"mid": f"m_{psid}", "text": "hi"},
    }


def test_the_log_says_that_and_by_whom_but_not_whom(shop: Shop, fresh_database):
    shop.well_known()
    shop.forget()
    rows = fresh_database.rows("SELECT actor, verb, subject_id, subject FROM activity ORDER BY id")
    assert rows[-1] == ("command line", "customer.forget", shop.customer_id, "")
    assert [row[3] for row in rows if row[1].startswith("customer.")] == ["", ""]


def test_what_is_queued_is_never_sent(shop: Shop):
    shop.everybody_opts_in()
    running = shop.launch()
    shop.forget()
    assert [claim.customer_id for claim in shop.claim(running)] == shop.others
    shown = queries.get_broadcast(running)
    assert (shown.counts["skipped"], shown.reasons, shown.balances) == (1, {"withdrawn": 1}, True)


def test_what_may_have_been_sent_stays_in_doubt(shop: Shop, fresh_database):
    shop.everybody_opts_in()
    running = shop.launch()
    shop.send(running, DOUBT, Accepted("m_2"))
    shop.forget()
    mine = shop.delivery(running)
    assert (mine.state, mine.reason, mine.detail, mine.customer_id) == ("unknown", "withdrawn", None, None)
    assert fresh_database.count("delivery_try") == 0
    assert retry.try_again(COMMAND_LINE, running, now=shop.now) == 1
    assert shop.claim(running) == []  # its token is gone: nobody will ever know
    assert shop.delivery(running).state == "unknown"
    assert retry.count_as_sent(COMMAND_LINE, running, now=shop.now) == 1
    assert queries.get_broadcast(running).counts["sent"] == 3
    assert fresh_database.rows("SELECT count(*) FROM opt_in WHERE state = 'available'") == [(0,)]


@pytest.mark.parametrize(
    ("answer", "state"), [(Accepted("m_zymunt"), "sent"), (LATER, "skipped"), (DOUBT, "unknown")]
)
def test_what_is_on_the_wire_is_settled_as_it_turns_out(shop: Shop, fresh_database, answer, state):
    shop.everybody_opts_in()
    running = shop.launch()
    taken = shop.claim(running)
    shop.forget()
    shop.settle(taken, answer, Accepted("m_2"))
    shop.wait(seconds=90)
    assert shop.claim(running) == []
    mine = shop.delivery(running)
    assert (mine.state, mine.mid, mine.detail, mine.customer_id) == (state, None, None, None)
    assert fresh_database.count("delivery_try") == 0
    assert queries.get_broadcast(running).balances
    assert fresh_database.rows("SELECT state, token_sealed FROM opt_in ORDER BY id LIMIT 1") == [
        ("withdrawn", None)
    ]


@pytest.mark.parametrize(("back", "state"), [(True, "skipped"), (False, "unknown")])
def test_a_worker_that_stops_or_dies_resurrects_nobody(shop: Shop, back: bool, state: str):
    shop.everybody_opts_in()
    running = shop.launch()
    taken = shop.claim(running)
    shop.forget()
    if back:
        claims.hand_back(taken, worker="worker a", now=shop.now)
    shop.wait(seconds=120)
    shop.wait(seconds=60)
    assert len(shop.claim(running)) == 2
    assert shop.delivery(running).state == state


def test_a_refusal_that_comes_late_marks_nobody(shop: Shop, arrange, fresh_database):
    shop.everybody_opts_in()
    running = shop.launch()
    taken = shop.claim(running)
    shop.forget()
    arrange.customer(shop.fanpage_id)
    shop.settle(taken[:1], Failure(NextStep.END_DELIVERY, "blocked", 400, 551))
    assert (shop.delivery(running).state, shop.delivery(running).reason) == ("failed", "blocked")
    assert fresh_database.rows("SELECT count(*) FROM customer WHERE unreachable_at IS NOT NULL") == [(0,)]


def test_a_number_is_never_given_again(shop: Shop, arrange):
    last = arrange.customer(shop.fanpage_id, psid="24070000000000999")
    assert forget(COMMAND_LINE, shop.fanpage_id, "24070000000000999", now=shop.now) == 1
    assert arrange.customer(shop.fanpage_id) == last + 1


def test_forgetting_twice_or_somebody_unknown_erases_nobody(shop: Shop, fresh_database):
    assert (shop.forget(), shop.forget()) == (1, 0)
    assert forget(COMMAND_LINE, shop.fanpage_id, "24070000000000777", now=shop.now) == 0
    assert fresh_database.count("forgotten") == 2


def test_only_an_admin_forgets(shop: Shop):
    for role in set(Role) - {Role.ADMIN}:
        with pytest.raises(NotAllowed):
            forget(Actor(None, "an", role), shop.fanpage_id, PSID, now=shop.now)
    with pytest.raises(NotFound):
        forget(COMMAND_LINE, 999, PSID, now=shop.now)
    with pytest.raises(Invalid):
        forget(COMMAND_LINE, shop.fanpage_id, "  ", now=shop.now)


def test_what_is_known_is_counted_before(shop: Shop):
    shop.well_known()
    assert count_records_of(shop.customer_id) == RecordCounts(
        opt_ins=2, open_opt_ins=1, requests=1, deliveries=1, replies=1
    )
    shop.forget()
    assert count_records_of(shop.customer_id) == RecordCounts(0, 0, 0, 0, 0)
