"""A no is remembered: nothing older than it is ever used, and only the customer takes it back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import select

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.broadcasts.dry_run_queries import dry_run
from core.consent import actions, ledger
from core.consent.imports import import_opt_ins
from core.consent.rules import WithdrawalSource
from core.consent.withdrawal_actions import withdraw_customer, withdraw_person
from core.consent.withdrawal_queries import list_withdrawals
from core.db import row_locks
from core.db.engine import reading, transaction
from core.db.tables import Activity, Customer, OptIn, Reply, Request, Withdrawal
from core.errors import Invalid, NotAllowed, NotFound
from core.inbox import processing
from tests import processes
from tests.inbox.platform import PAGE, read, tap

EDITOR = Actor(None, "an", Role.EDITOR)
PSID = "25000000000000077"


@pytest.fixture
def fanpage(arrange) -> int:
    return arrange.fanpage(page_id=PAGE)


@pytest.fixture
def lan(arrange, fanpage) -> int:
    return arrange.customer(fanpage, psid=PSID)


@pytest.fixture
def roses(arrange, fanpage) -> int:
    return arrange.topic(fanpage, "Hoa hồng")


@pytest.fixture
def tulips(arrange, fanpage) -> int:
    return arrange.topic(fanpage, "Hoa tulip")


@pytest.fixture
def taps(now):
    """A tap that reaches us now, by the webhook."""

    def _taps(token: str, topic_id: int | str, at: datetime) -> None:
        processing.store_events(
            read(tap(PSID, at, token, f"topic:{topic_id}"), received_at=now + timedelta(days=30))
        )
        while processing.apply_pending(limit=50, now=now):
            pass

    return _taps


@pytest.fixture
def imports(fanpage, now):
    def _imports(topic_id: int, token: str, at: datetime, *, only_check: bool = False):
        data = f"psid,token,consented_at\n{PSID},{token},{at.isoformat()}\n".encode()
        later = now + timedelta(days=30)
        return import_opt_ins(
            COMMAND_LINE, fanpage, topic_id=topic_id, data=data, now=later, only_check=only_check
        )

    return _imports


def rows(table) -> list:
    with reading() as db:
        return list(db.exec(select(table).order_by(table.id)))


def states() -> list[str]:
    return [row.state for row in rows(OptIn)]


def test_a_no_is_remembered_when_nothing_is_open(fanpage, lan, roses, taps, now):
    assert withdraw_customer(EDITOR, lan, now=now) == 0

    taps("late", roses, now - timedelta(hours=1))

    assert states() == ["withdrawn"]
    assert rows(OptIn)[0].settled_at == now
    assert dry_run(roses, now=now).eligible == 0


def test_the_same_late_tap_again_changes_nothing(fanpage, lan, roses, taps, now):
    withdraw_customer(EDITOR, lan, now=now)
    for _ in range(2):
        taps("late", roses, now - timedelta(hours=1))
    assert states() == ["withdrawn"]


def test_a_newer_tap_lifts_it_for_its_own_topic_only(fanpage, lan, roses, tulips, taps, imports, now):
    withdraw_customer(EDITOR, lan, now=now)

    taps("new", roses, now + timedelta(minutes=1))
    taps("late", tulips, now - timedelta(minutes=1))
    imports(tulips, "filed", now + timedelta(days=1))

    assert states() == ["available", "withdrawn", "withdrawn"]
    assert dry_run(roses, now=now).eligible == 1
    [said] = list_withdrawals(lan)
    assert (said.topic, said.source, said.at, said.lifted_for) == (None, "staff", now, ("Hoa hồng",))


def test_a_no_to_one_topic_leaves_the_others(fanpage, lan, roses, tulips, arrange, now):
    for topic in (roses, tulips):
        arrange.opt_in(topic, lan, fanpage_id=fanpage)
    assert withdraw_customer(EDITOR, lan, topic_id=roses, now=now) == 1
    assert states() == ["withdrawn", "available"]
    assert [said.topic for said in list_withdrawals(lan)] == ["Hoa hồng"]


@pytest.mark.parametrize("days", [-400, -1, 0, 1])
def test_an_import_never_lifts_it_whatever_its_date(fanpage, lan, roses, imports, now, days):
    withdraw_customer(EDITOR, lan, now=now)
    at = now + timedelta(days=days)
    if days > -365:
        assert imports(roses, "filed", at, only_check=True).withdrawn == 1
    outcome = imports(roses, "filed", at)
    if outcome.imported:
        assert (outcome.imported, outcome.withdrawn) == (1, 1)
    assert "available" not in states()
    assert imports(roses, "filed", at).imported == 0


def test_once_lifted_an_import_dated_later_is_good_and_an_older_one_is_not(
    fanpage, lan, roses, taps, imports, now
):
    withdraw_customer(EDITOR, lan, now=now)
    taps("new", roses, now + timedelta(hours=1))
    assert imports(roses, "later", now + timedelta(days=1)).withdrawn == 0
    assert imports(roses, "older", now - timedelta(days=1)).withdrawn == 1
    assert states() == ["available", "available", "withdrawn"]


def test_an_opt_in_without_a_topic_is_no_way_round(fanpage, lan, roses, taps, now):
    withdraw_customer(EDITOR, lan, topic_id=roses, now=now)
    taps("older", "from-another-tool", now - timedelta(hours=1))
    taps("newer", "from-another-tool", now + timedelta(hours=1))
    assert states() == ["available", "available"]  # nothing says that they are about this topic

    assert actions.assign_topic(EDITOR, roses, now=now) == 2

    assert states() == ["withdrawn", "available"]


def test_a_late_tap_is_not_thanked_for(fanpage, lan, roses, arrange, taps, now):
    asked = {"fanpage_id": fanpage, "topic_id": roses, "created_at": now}
    with transaction() as db:
        db.get_one(Customer, lan).window_closes_at = now + timedelta(hours=1)
    arrange.save(Request(**asked, customer_id=lan, payload="otn.abc", title="Báo tôi", after_text="Cảm ơn!"))
    withdraw_customer(EDITOR, lan, now=now)
    processing.store_events(read(tap(PSID, now - timedelta(minutes=5), "late", "otn.abc"), received_at=now))
    processing.apply_pending(limit=50, now=now)
    assert (states(), rows(Reply)) == (["withdrawn"], [])


def test_by_psid_also_who_is_not_known_yet(fanpage, roses, taps, now):
    assert withdraw_person(COMMAND_LINE, fanpage, f" {PSID} ", now=now) == 0
    taps("late", roses, now - timedelta(hours=1))
    assert states() == ["withdrawn"]
    assert [row.source for row in rows(Withdrawal)] == ["command_line"]
    assert len(rows(Customer)) == 1


@pytest.mark.parametrize("psid", ["", "abc", "25 26", "2" * 65, "٢٥"])
def test_a_psid_is_a_number(fanpage, now, psid):
    with pytest.raises(Invalid):
        withdraw_person(COMMAND_LINE, fanpage, psid, now=now)


def test_only_who_may_edit_passes_on_a_no_and_only_for_topics_of_the_fanpage(arrange, lan, now):
    with pytest.raises(NotAllowed):
        withdraw_customer(Actor(None, "xem", Role.VIEWER), lan, now=now)
    other = arrange.topic(arrange.fanpage("Quán Cà Phê"))
    with pytest.raises(NotFound):
        withdraw_customer(EDITOR, lan, topic_id=other, now=now)
    assert rows(Withdrawal) == []


def test_a_repeated_no_ends_nothing_more_and_counts_from_the_latest(fanpage, lan, roses, arrange, taps, now):
    arrange.opt_in(roses, lan, fanpage_id=fanpage)
    hour = timedelta(hours=1)
    assert [withdraw_customer(EDITOR, lan, now=now + n * hour) for n in (0, 0, 2)] == [1, 0, 0]
    taps("between", roses, now + hour)
    assert states() == ["withdrawn", "withdrawn"]
    assert [said.at for said in list_withdrawals(lan)] == [now + 2 * hour, now]
    assert [row.verb for row in rows(Activity)] == ["customer.withdraw"] * 2


@pytest.mark.postgresql
@pytest.mark.parametrize("through", ["file", "tap", "topic"])
def test_nothing_overtakes_a_no_that_is_just_being_written_down(
    fanpage, lan, roses, taps, imports, now, through
):
    if through == "topic":
        taps("homeless", "from-another-tool", now - timedelta(hours=1))
    consents = {
        "file": lambda: imports(roses, "filed", now - timedelta(hours=1)),
        "tap": lambda: taps("late", roses, now - timedelta(hours=1)),
        "topic": lambda: actions.assign_topic(EDITOR, roses, now=now),
    }
    with ThreadPoolExecutor(1) as beside, transaction() as db:
        row_locks.lock_customers(db, [lan])
        said = {"source": WithdrawalSource.STAFF, "at": now, "now": now}
        ledger.withdraw(db, lan, roses, fanpage_id=fanpage, **said)
        done = beside.submit(consents[through])
        processes.until(lambda: done.done() or is_somebody_waiting(), what="the consent waits for the no")
        db.commit()
        done.result(timeout=60)
    assert states() == ["withdrawn"]


def is_somebody_waiting() -> bool:
    waiting = """SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    with reading() as db:
        return db.execute(text(waiting)).first() is not None
