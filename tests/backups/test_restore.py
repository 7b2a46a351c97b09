"""A restored backup is held, and unlearns nothing: no used token, no no, nobody who was forgotten."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.backups import actions, locked_file, queries, restoring
from core.backups.carrying_over import carry_over
from core.backups.former_databases import find_former_databases
from core.backups.restoring import RestoreResult, restore
from core.backups.scheduled_jobs import delete_former_databases
from core.broadcasts import actions as broadcasts
from core.broadcasts import scheduled_jobs
from core.broadcasts.draft_rules import OPT_IN_SAVER
from core.consent import import_runs, ledger, withdrawal_actions
from core.consent.import_queries import list_imports
from core.consent.imports import import_opt_ins
from core.consent.rules import OptInState
from core.db import holding
from core.db.engine import forget_engines, transaction
from core.db.file_lock import file_lock
from core.db.holding import HoldCode
from core.db.tables import Delivery, Event
from core.deliveries import ledger as delivery_ledger
from core.errors import OperatorError, WrongState
from core.forgetting import actions as forgetting
from core.installation import hold_actions, key_check, rekeying
from tests.claiming import claim
from tests.customers.forgetting.test_coming_back import sheet

OTHER = "another-key-of-another-machine-0123456789-0123"
CONTENT = {"kind": "text", "text": "Đã về!"}
pytestmark = [pytest.mark.sqlite, pytest.mark.usefixtures("fresh_database")]


@pytest.fixture
def shop(arrange):
    key_check.refuse_another_key()
    fanpage = arrange.fanpage(page_id="1")
    topic = arrange.topic(fanpage)
    people = [arrange.customer(fanpage, psid=f"25000{n}") for n in range(3)]
    for n, person in enumerate(people):
        arrange.opt_in(topic, person, fanpage_id=fanpage, token=f"token-{n}")
    return fanpage, topic, people


@pytest.fixture
def back(tmp_path: Path, now):
    """`take()` makes a backup, `put()` puts it back."""

    class Back:
        file = tmp_path / "backup.db"

        def take(self) -> None:
            actions.make_backup(COMMAND_LINE, self.file, now=now)

        def put(self, **more: object) -> RestoreResult:
            forget_engines()
            key_check.forget_checked()
            return restore(self.file, now=now + timedelta(days=1), say=lambda _said: None, **more)

    return Back()


def states(database) -> dict[str, str]:
    """The state of each opt-in, by its customer's PSID."""
    rows = database.rows("SELECT psid, state FROM opt_in LEFT JOIN customer ON customer.id = customer_id")
    return {psid: state for psid, state in rows if psid}


def launch(topic: int, now) -> int:
    broadcast = broadcasts.create_broadcast(COMMAND_LINE, topic_id=topic, content=CONTENT, now=now)
    broadcasts.schedule(COMMAND_LINE, broadcast, at=None, now=now)
    return broadcast


def send(broadcast: int, count: int, now) -> None:
    """The platform has taken so many of its messages."""
    claimed = claim(broadcast, count, worker="worker mai:1:a", now=now)
    with transaction() as db:
        delivery_ledger.accept(
            db, [(each.delivery_id, f"m{each.delivery_id}", None) for each in claimed], now=now
        )
        mine = select(col(Delivery.opt_in_id)).where(col(Delivery.id).in_([c.delivery_id for c in claimed]))
        ledger.spend(db, db.execute(mine).scalars().all(), now=now)


def test_it_is_held_and_the_former_database_is_kept(shop, back, fresh_database):
    back.take()
    done = back.put()
    assert holding.current_hold().code == HoldCode.RESTORED
    assert done.former.exists()
    assert [each.name for each in done.former.parent.glob(".otn.db.*")] == [".otn.db.lock"]
    assert fresh_database.rows("SELECT count(*) FROM opt_in") == [(3,)]


def about_former(now) -> list[dict[str, object]]:
    return [values for _template, values in queries.problems(now=now) if "file" in values]


def test_the_former_database_is_deleted_thirty_days_after_the_restore_and_that_is_said_before(
    shop, back, fresh_database, now
):
    back.take()
    done = back.put()
    restored_at = now + timedelta(days=1)
    os.utime(done.former, (0, 0))  # the former installation may have stood still for long before
    interrupted = done.former.with_name(f".{Path(fresh_database.name).name}.restoring")
    shutil.copyfile(done.former, interrupted)

    assert delete_former_databases(now=restored_at + timedelta(days=31)) == 0  # held: somebody still decides
    hold_actions.release_hold(COMMAND_LINE, now=restored_at)
    assert about_former(restored_at) == []
    assert delete_former_databases(now=restored_at + timedelta(days=22)) == 1
    assert (done.former.exists(), interrupted.exists()) == (True, False)
    assert about_former(restored_at + timedelta(days=22)) == []
    assert delete_former_databases(now=restored_at + timedelta(days=23)) == 0  # staff are told from now on
    [values] = about_former(restored_at + timedelta(days=24))
    assert values == {"file": done.former.name, "date": f"{restored_at + timedelta(days=30):%Y-%m-%d}"}

    assert delete_former_databases(now=restored_at + timedelta(days=30)) == 1
    assert find_former_databases() == []
    assert about_former(restored_at + timedelta(days=30)) == []


def test_a_former_database_is_not_deleted_before_that_was_said_for_a_week(shop, back, now):
    """The worker was away meanwhile, or its version did not delete any yet."""
    back.take()
    done = back.put()
    hold_actions.release_hold(COMMAND_LINE, now=now)
    os.utime(done.former, (0, 0))
    late = now + timedelta(days=50)

    assert delete_former_databases(now=late) == 0
    [values] = about_former(late)
    assert values["date"] == f"{late + timedelta(days=7):%Y-%m-%d}"
    assert delete_former_databases(now=late + timedelta(days=6)) == 0
    assert delete_former_databases(now=late + timedelta(days=7)) == 1
    assert not done.former.exists()


def test_a_former_database_under_another_name_is_kept(shop, back, now):
    back.take()
    done = back.put()
    kept = done.former.rename(done.former.with_name("otn.before-restore-our-christmas.db"))
    hold_actions.release_hold(COMMAND_LINE, now=now)

    assert delete_former_databases(now=now + timedelta(days=900)) == 0
    assert kept.exists()
    assert about_former(now + timedelta(days=900)) == [{"file": kept.name}]


def test_nothing_is_deleted_beside_a_restore_at_work(shop, back, fresh_database, now):
    back.take()
    done = back.put()
    hold_actions.release_hold(COMMAND_LINE, now=now)
    there = Path(fresh_database.name)
    with file_lock(there.with_name(f".{there.name}.lock")):
        assert delete_former_databases(now=now + timedelta(days=40)) == 0
    assert done.former.exists()


def test_it_is_restored_where_nothing_is(shop, back, fresh_database):
    back.take()
    forget_engines()
    for end in ("", "-wal", "-shm"):
        Path(fresh_database.name + end).unlink(missing_ok=True)
    done = back.put()
    assert (done.carried, done.former) == (None, None)
    assert fresh_database.count("opt_in") == 3


def test_tokens_used_since_are_not_offered_again(shop, back, fresh_database, now):
    _, topic, _ = shop
    back.take()
    broadcast = launch(topic, now)
    scheduled_jobs.start_due(now=now)
    send(broadcast, 2, now)
    claim(broadcast, 1, worker="worker mai:1:a", now=now)  # on the wire: it may have arrived
    assert back.put().carried.tokens == 3
    assert set(states(fresh_database).values()) == {OptInState.SPENT}


def test_a_file_imported_later_brings_no_used_token_back(shop, back, fresh_database, now):
    fanpage, topic, _ = shop
    back.take()
    data = sheet(("250099", "token-of-a-file", now))
    import_opt_ins(COMMAND_LINE, fanpage, topic_id=topic, data=data, now=now)
    fresh_database.run("UPDATE opt_in SET state = 'spent' WHERE id = (SELECT max(id) FROM opt_in)")
    back.put()
    again = import_opt_ins(COMMAND_LINE, fanpage, topic_id=topic, data=data, now=now)
    assert (again.imported, again.duplicates) == (0, 1)
    assert states(fresh_database)["250099"] == OptInState.SPENT


def test_who_said_no_stays_gone(shop, back, fresh_database, arrange, now):
    fanpage, _, people = shop
    back.take()
    withdrawal_actions.withdraw_customer(COMMAND_LINE, people[0], now=now)
    newcomer = arrange.customer(fanpage, "Vy", psid="250077")
    other = arrange.topic(fanpage, "Made since the backup")
    withdrawal_actions.withdraw_customer(COMMAND_LINE, newcomer, topic_id=other, now=now)
    assert back.put().carried.withdrawals == 2
    assert states(fresh_database)["250000"] == OptInState.WITHDRAWN
    ((other,),) = fresh_database.rows("SELECT id FROM topic WHERE name = 'Made since the backup'")
    data = sheet(("250077", "token-x", now - timedelta(days=2)))
    import_opt_ins(COMMAND_LINE, fanpage, topic_id=other, data=data, now=now)
    assert states(fresh_database)["250077"] == OptInState.WITHDRAWN


@pytest.mark.parametrize(("state", "carried"), [("pending", 1), ("failed", 1), ("applied", 0)])
def test_a_no_that_was_not_applied_yet_is_applied(shop, back, fresh_database, arrange, now, state, carried):
    event = {"page_id": "1", "kind": "message", "occurred_at": now, "received_at": now, "state": state}
    arrange.save(Event(**event, dedupe_key="before", psid="250000", body="{}"))
    back.take()
    arrange.save(Event(**event, dedupe_key="since", psid="250001", body='{"message": {"text": "stop"}}'))
    assert back.put().carried.events == carried
    found = fresh_database.rows("SELECT dedupe_key, state, replayed_at IS NOT NULL FROM event ORDER BY id")
    # What waited in the backup may have been answered since: it is applied as a replay, which answers nobody.
    assert found == [("before", state, state == "pending"), ("since", state, False)][: 1 + carried]


def test_who_was_forgotten_stays_forgotten(shop, back, fresh_database, now):
    fanpage, topic, _ = shop
    back.take()
    forgetting.forget(COMMAND_LINE, fanpage, "250001", now=now)
    assert back.put().carried.forgotten == 1
    assert "250001" not in states(fresh_database)
    assert fresh_database.rows("SELECT count(*) FROM customer WHERE psid = '250001'") == [(0,)]
    data = sheet(("250001", "token-1", now - timedelta(days=2)))
    assert import_opt_ins(COMMAND_LINE, fanpage, topic_id=topic, data=data, now=now).imported == 0


def test_who_came_back_before_the_backup_is_not_forgotten_by_it(shop, back, fresh_database, arrange, now):
    fanpage, _, _ = shop
    forgetting.forget(COMMAND_LINE, fanpage, "250001", now=now - timedelta(days=3))
    arrange.customer(fanpage, "Mai again", psid="250001")
    back.take()
    assert back.put().carried.forgotten == 0
    assert fresh_database.rows("SELECT count(*) FROM customer WHERE psid = '250001'") == [(1,)]


def test_a_broadcast_that_started_since_does_not_start_again(shop, back, fresh_database, arrange, now):
    fanpage, topic, people = shop
    arrange.opt_in(topic, people[0], fanpage_id=fanpage, token="a second token of Lan's")
    broadcast = launch(topic, now)
    back.take()
    scheduled_jobs.start_due(now=now)
    send(broadcast, 3, now)
    assert len(back.put().carried.cancelled) == 1
    assert fresh_database.rows("SELECT state FROM broadcast") == [("cancelled",)]
    assert fresh_database.rows("SELECT count(*) FROM opt_in WHERE state = 'available'") == [(1,)]


def test_a_broadcast_under_way_ends_with_who_got_it(shop, back, fresh_database, now):
    _, topic, _ = shop
    broadcast = launch(topic, now)
    scheduled_jobs.start_due(now=now)
    send(broadcast, 1, now)
    back.take()
    send(broadcast, 1, now)
    back.put()
    found = dict(fresh_database.rows("SELECT state, count(*) FROM delivery GROUP BY state"))
    assert found == {"sent": 2, "cancelled": 1}
    assert sorted(states(fresh_database).values()) == ["available", "spent", "spent"]


@pytest.mark.parametrize(("outcome", "ends"), [("accepted", "sent"), ("unsettled", "unknown")])
def test_who_got_an_ordinary_message_since_keeps_the_opt_in(shop, back, fresh_database, now, outcome, ends):
    _, topic, people = shop
    broadcast = launch(topic, now)
    fresh_database.run(f"UPDATE broadcast SET sender = '{OPT_IN_SAVER}'")
    scheduled_jobs.start_due(now=now)
    back.take()
    until = f"{now + timedelta(hours=20):%Y-%m-%d %H:%M:%S.%f}"
    fresh_database.run(f"UPDATE customer SET window_closes_at = '{until}' WHERE id = {people[0]}")
    claimed = claim(broadcast, 1, worker="worker mai:1:a", now=now)
    assert [each.sender.name for each in claimed] == ["inside_window"]
    if outcome == "accepted":
        with transaction() as db:
            delivery_ledger.accept(db, [(claimed[0].delivery_id, "m1", None)], now=now)
    back.put()
    found = fresh_database.rows(f"SELECT state, opt_in_id FROM delivery WHERE customer_id = {people[0]}")
    assert found == [(ends, None)]
    assert set(states(fresh_database).values()) == {"available"}


def test_one_that_waits_as_before_stays_scheduled(shop, back, fresh_database, now):
    _, topic, _ = shop
    launch(topic, now)
    back.take()
    assert back.put().carried.cancelled == ()
    assert fresh_database.rows("SELECT state FROM broadcast") == [("scheduled",)]


def test_an_import_that_waited_is_not_done_a_second_time(shop, back, fresh_database, now):
    fanpage, topic, _ = shop
    file = {"file_name": "shop.csv", "data": sheet(("250099", "token-of-a-file", now))}
    import_runs.begin_import(COMMAND_LINE, fanpage, topic_id=topic, now=now, **file)
    back.take()
    back.put()
    assert import_runs.run_imports(now=now) == 0
    assert fresh_database.rows("SELECT state, file_sealed FROM opt_in_import") == [("failed", None)]
    (ended,) = list_imports(fanpage)
    assert ended.problems[0].message.startswith("The database was restored from a backup")


def test_users_stay_as_they_are_now_and_sign_in_anew(shop, back, fresh_database, now):
    from core.accounts import actions as accounts

    accounts.ensure_admin(now)
    back.take()
    fresh_database.run("UPDATE operator SET disabled_at = '2026-11-22 09:00:00.000000', role = 'viewer'")
    back.put()
    (row,) = fresh_database.rows("SELECT role, disabled_at IS NOT NULL, sessions_valid_after FROM operator")
    assert row == ("viewer", 1, "2026-11-23 09:00:00.000000")


def test_limited_users_keep_their_fanpages_by_what_the_platform_calls_them(
    shop, back, fresh_database, arrange, now
):
    """Numbers are given anew when a fanpage was connected after an earlier backup was put back."""
    from core.accounts import actions as accounts

    accounts.ensure_admin(now)
    theirs, gone = arrange.fanpage(page_id="2"), arrange.fanpage(page_id="3")
    back.take()
    swapped = f"UPDATE fanpage SET page_id = 'x' || page_id WHERE id IN ({theirs}, {gone})"
    fresh_database.run(swapped)
    fresh_database.run(f"UPDATE fanpage SET page_id = '2' WHERE id = {gone}")
    fresh_database.run(f"UPDATE operator SET fanpage_ids = '[{theirs}, {gone}]'")
    back.put()
    assert fresh_database.rows("SELECT fanpage_ids FROM operator") == [(f"[{theirs}]",)]


def test_a_user_limited_to_a_fanpage_connected_since_sees_no_other(shop, back, fresh_database, arrange, now):
    from core.accounts import actions as accounts

    accounts.ensure_admin(now)
    back.take()
    newer = arrange.fanpage(page_id="9")
    fresh_database.run(f"UPDATE operator SET fanpage_ids = '[{newer}]'")
    back.put()
    assert fresh_database.rows("SELECT fanpage_ids FROM operator") == [("[]",)]


def test_a_topic_made_since_names_no_message_of_the_restored_database(
    shop, back, fresh_database, arrange, now
):
    fanpage, _, people = shop
    back.take()
    other = arrange.topic(fanpage, "Made since the backup")
    fresh_database.run(f"UPDATE topic SET ask_message_id = 1 WHERE id = {other}")
    withdrawal_actions.withdraw_customer(COMMAND_LINE, people[0], topic_id=other, now=now)
    back.put()
    found = "SELECT ask_message_id FROM topic WHERE name = 'Made since the backup'"
    assert fresh_database.rows(found) == [(None,)]


def test_an_identity_at_a_provider_stays_with_the_user_who_has_it_now(shop, back, fresh_database, now):
    from core.accounts.rules import Role
    from core.accounts.single_sign_on.rules import Identity
    from core.accounts.single_sign_on.sign_in import complete_single_sign_on

    complete_single_sign_on(Identity("https://id.shop.vn", "1", "lan", Role.VIEWER), "", now=now)
    back.take()
    fresh_database.run("UPDATE operator SET name = 'lan.nguyen'")
    back.put()
    found = "SELECT name, sso_subject, disabled_at IS NOT NULL FROM operator ORDER BY name"
    assert fresh_database.rows(found) == [("lan", None, 1), ("lan.nguyen", "1", 0)]


def test_a_backup_from_before_rekey_needs_the_former_key_and_is_sealed_anew(
    shop, back, fresh_database, restart, now
):
    fanpage, topic, _ = shop
    back.take()
    rekeying.rekey(COMMAND_LINE, new_key=OTHER, now=now)
    restart(secret_key=OTHER)
    with pytest.raises(WrongState, match="--key"):
        back.put()
    assert holding.current_hold() is None
    back.put(key="a-key-for-tests-that-is-long-enough-0123456789")
    key_check.refuse_another_key()
    data = sheet(("250000", "token-0", now - timedelta(days=2)))
    assert import_opt_ins(COMMAND_LINE, fanpage, topic_id=topic, data=data, now=now).duplicates == 1


def test_the_database_of_another_installation_is_not_mixed_in(shop, back, fresh_database, now):
    back.take()
    fresh_database.run("DELETE FROM token_key")
    fresh_database.run("INSERT INTO token_key SELECT 1, 'siv.AAAA', NULL")
    with pytest.raises(OperatorError):
        back.put()
    assert holding.current_hold() is None


def test_nothing_is_restored_while_somebody_has_the_database_open(shop, back, fresh_database):
    back.take()
    forget_engines()
    with closing(sqlite3.connect(fresh_database.name)) as panel:
        panel.execute("SELECT count(*) FROM opt_in").fetchone()
        with pytest.raises(WrongState, match="in use"):
            back.put()
    assert holding.current_hold() is None


def test_what_a_process_writes_that_starts_in_the_middle_is_in_the_restored_database(
    shop, back, fresh_database, monkeypatch
):
    back.take()
    write = (
        "import sqlite3; opened = sqlite3.connect({file!r}, timeout=60); "
        "opened.execute('PRAGMA journal_mode=WAL'); "
        "opened.execute('UPDATE fanpage SET name = (SELECT code FROM hold)'); opened.commit()"
    )
    begun: list[subprocess.Popen[bytes]] = []

    def start_one(*given: object, **more: object) -> object:
        done = carry_over(*given, **more)
        begun.append(subprocess.Popen([sys.executable, "-c", write.format(file=fresh_database.name)]))
        with pytest.raises(subprocess.TimeoutExpired):
            begun[0].wait(1.0)  # it is kept out
        return done

    monkeypatch.setattr(restoring, "carry_over", start_one)
    back.put()
    assert begun[0].wait(30) == 0
    assert fresh_database.rows("SELECT name FROM fanpage") == [("restored",)]


def test_a_log_whose_database_is_missing_is_not_thrown_away(shop, back, fresh_database):
    back.take()
    forget_engines()
    Path(fresh_database.name).unlink()
    log = Path(fresh_database.name + "-wal")
    log.write_bytes(b"what customers said")
    with pytest.raises(OperatorError, match="holds data that belongs to it"):
        back.put()
    assert log.read_bytes() == b"what customers said"


def test_a_restore_that_fails_at_the_end_leaves_all_as_it_was(shop, back, fresh_database, monkeypatch):
    back.take()

    def fail(*_given: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(locked_file, "put_into", fail)
    with pytest.raises(sqlite3.OperationalError):
        back.put()
    assert holding.current_hold() is None
    assert find_former_databases() == []
    assert fresh_database.count("opt_in") == 3


def test_a_database_that_cannot_be_read_is_passed_over_only_when_asked(shop, back, fresh_database):
    back.take()
    forget_engines()
    Path(fresh_database.name + "-wal").unlink(missing_ok=True)
    Path(fresh_database.name).write_bytes(b"SQLite format 3\x00" + b"\xff" * 9000)
    with pytest.raises(OperatorError, match="without-carrying-over"):
        back.put()
    assert back.put(without_carrying_over=True).carried is None
    assert fresh_database.count("opt_in") == 3


# Whatever happens before and after the backup, to whomever

HAPPENS = st.tuples(
    st.sampled_from(["send", "withdraw", "forget", "tap", "import"]), st.integers(min_value=0, max_value=4)
)


@hypothesis(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(before=st.lists(HAPPENS, max_size=6), since=st.lists(HAPPENS, max_size=8))
def test_nothing_is_unlearned(databases, fresh_database, arrange, tmp_path, now, before, since):
    """No token spent before or since is offered again, and nobody who said no or was forgotten comes back."""
    databases.empty(fresh_database)
    key_check.forget_checked()
    key_check.refuse_another_key()
    fanpage = arrange.fanpage(page_id="1")
    topic = arrange.topic(fanpage)
    tokens: list[tuple[str, str]] = []  # (PSID, token) of everything that was ever taken in
    told: dict[str, set[str]] = {"no": set(), "spent": set()}

    def happen(what: str, who: int, number: int) -> None:
        psid = f"25000{who}"
        if what == "import" or (what == "tap" and (psid, "") not in told["no"]):
            tokens.append((psid, f"token-{number}"))
            take_in(psid, f"token-{number}")
        elif what == "withdraw":
            withdrawal_actions.withdraw_person(COMMAND_LINE, fanpage, psid, now=now)
            told["no"].add(psid)
        elif what == "forget":
            forgetting.forget(COMMAND_LINE, fanpage, psid, now=now)
            told["no"].add(psid)
        elif what == "send":
            broadcast = launch(topic, now)
            scheduled_jobs.start_due(now=now)
            send(broadcast, who, now)
            rows = fresh_database.rows("SELECT token_hash FROM opt_in WHERE state = 'spent'")
            told["spent"] |= {hash_ for (hash_,) in rows}

    def take_in(psid: str, token: str) -> None:
        data = sheet((psid, token, now - timedelta(days=2)))
        import_opt_ins(COMMAND_LINE, fanpage, topic_id=topic, data=data, now=now)

    for number, (what, who) in enumerate(before):
        happen(what, who, number)
    file = tmp_path / "backup.db"
    file.unlink(missing_ok=True)
    actions.make_backup(COMMAND_LINE, file, now=now)
    for number, (what, who) in enumerate(since, start=100):
        happen(what, who, number)
    forget_engines()
    key_check.forget_checked()
    done = restore(file, now=now + timedelta(days=1), say=lambda _said: None)
    done.former.unlink()
    for psid, token in tokens:  # every old file is imported once more
        take_in(psid, token)
    offered = fresh_database.rows(
        "SELECT psid, token_hash FROM opt_in JOIN customer ON customer.id = customer_id "
        "WHERE opt_in.state IN ('available', 'reserved')"
    )
    assert told["no"].isdisjoint({psid for psid, _hash in offered})
    assert told["spent"].isdisjoint({hash_ for _psid, hash_ in offered})
