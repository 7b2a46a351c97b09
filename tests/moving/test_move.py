"""From a real SQLite to a real PostgreSQL: all of it arrives, or the old one goes on as before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlmodel import col

from core.accounts import activity_log
from core.accounts.rules import COMMAND_LINE
from core.broadcasts import queries
from core.clock import utc_now
from core.consent import queries as consent
from core.consent.imports import import_opt_ins
from core.db import holding, migrations
from core.db.engine import reading, transaction
from core.db.holding import HoldCode
from core.db.tables import Customer, Fanpage, FanpageRate, KeyCheck, OptIn
from core.encryption import decrypt, lookup_hash
from core.errors import Held, OperatorError, WrongState
from core.forgetting.actions import forget
from core.installation import hold_actions, key_check
from core.moving import checking, copying
from core.moving.target import Target
from core.operations import doctor
from core.sending.work_snapshot import fanpages_with_work
from core.settings import settings
from tests import claiming

pytestmark = pytest.mark.sqlite  # where every move starts


def books():
    with reading() as db:
        return checking.read_totals(db)


def rows_of(table) -> int:
    with reading() as db:
        return db.execute(select(func.count()).select_from(table)).scalar_one()


def test_everything_arrives_as_it_was(shop, new, there, move) -> None:
    before, counts = books(), queries.get_broadcast(shop["sending"]).counts
    moved = move(new)
    with there(new):
        assert books() == before
        assert moved.rows["customer"] == rows_of(Customer) == 5
        assert queries.get_broadcast(shop["sending"]).counts == counts
        assert consent.list_topics(shop["fanpage"], now=utc_now())[0].reserved == 5
        with reading() as db:
            names = db.execute(select(col(Customer.first_name)).order_by(col(Customer.id))).scalars().all()
            assert names == ["Lan", "N\ufffdul", "\\N", "", "Đ" * 100]
            assert db.get(Fanpage, shop["fanpage"]).name == "Tiệm\t\"Hoa\" Mai\\n\n'x' 🌸"
            assert decrypt(db.get(OptIn, shop["opt_in"]).token_sealed).startswith("token-")
            assert db.get(FanpageRate, shop["fanpage"]).factor == 1.0


def test_the_new_one_goes_on_where_the_old_one_was(shop, new, there, move, arrange) -> None:
    moved = move(new)
    assert [(each[0], each[2]) for each in moved.going_on] == [(shop["sending"], 5)]
    with there(new):
        assert holding.current_hold() is None
        assert fanpages_with_work(now=utc_now()) == [shop["fanpage"]]
        assert arrange.customer(shop["fanpage"]) == 6  # the next free id, not one that is taken


def test_the_old_one_sends_nothing_and_takes_in_nothing(shop, new, move, arrange) -> None:
    move(new)
    assert holding.current_hold().code == HoldCode.MOVED
    assert fanpages_with_work(now=utc_now()) == []
    with pytest.raises(Held, match="set OTN_DATABASE_URL"):
        arrange.customer(shop["fanpage"])
    with pytest.raises(Held), transaction() as db:
        db.execute(text("UPDATE delivery SET state = 'sent'"))
    with pytest.raises(Held), transaction() as db:
        db.execute(text("DELETE FROM opt_in"))
    with pytest.raises(WrongState, match="has been moved"):
        migrations.upgrade()
    assert "has been moved" in "\n".join(doctor.find_problems())


def test_a_second_move_of_the_same_is_refused(shop, new, move, postgresql_server, tmp_path) -> None:
    move(new)
    with pytest.raises(WrongState, match="has been moved"):
        move(new)
    another = postgresql_server.blank(tmp_path)
    with pytest.raises(WrongState, match="has been moved"):
        move(another.url)
    postgresql_server.done(another)


def test_a_value_that_does_not_fit_leaves_both_as_they_were(shop, new, there, move) -> None:
    with transaction() as db:
        db.execute(text("UPDATE customer SET locale = 'longer than the sixteen it may have' WHERE id = 3"))
    before = books()
    with pytest.raises(OperatorError, match=r"customer, column locale: value too long for type"):
        move(new)
    assert (books(), holding.current_hold()) == (before, None)
    assert fanpages_with_work(now=utc_now()) == [shop["fanpage"]]
    with transaction() as db:  # it takes in again, too
        db.execute(text("UPDATE customer SET locale = 'vi_VN'"))
    with there(new):
        assert rows_of(Fanpage) == 0
    assert move(new).rows["customer"] == 5


def test_a_row_that_changed_on_its_way_is_found(shop, new, there, move, monkeypatch) -> None:
    def arrived(target, table):
        if table.name == "opt_in":
            target.execute(text("UPDATE opt_in SET promise = promise || '.' WHERE id = 2"))
        return found(target, table)

    found = copying.arrived
    monkeypatch.setattr(copying, "arrived", arrived)
    with pytest.raises(OperatorError, match="opt_in differs"):
        move(new)
    assert holding.current_hold() is None
    with there(new):
        assert rows_of(OptIn) == 0


def test_a_move_that_broke_off_before_its_last_word_is_ended_by_repeating_it(
    shop, new, there, move, monkeypatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(activity_log, "record", lambda *_, **__: 1 / 0)  # its last statement over there
        with pytest.raises(ZeroDivisionError):
            move(new)
    assert holding.current_hold().code == HoldCode.MOVED
    with there(new):
        assert holding.current_hold().code == HoldCode.ARRIVING
        assert fanpages_with_work(now=utc_now()) == []  # held at both ends: nothing can be sent twice
        with pytest.raises(WrongState):
            hold_actions.release_hold(by_admin(), now=utc_now())
    assert move(new).rows["customer"] == 5
    with there(new):
        assert holding.current_hold() is None


def by_admin():
    from core.accounts.rules import COMMAND_LINE

    return COMMAND_LINE


def test_a_move_that_was_killed_can_be_repeated(shop, new, move) -> None:
    with transaction() as db:  # what a kill leaves behind
        holding.place_hold(db, HoldCode.LEAVING, now=utc_now(), place="x", key="y")
        holding.close_database(db, "x")
    assert move(new).rows["customer"] == 5


def test_what_is_on_the_wire_is_waited_for_and_then_given_up(shop, new, move) -> None:

    claiming.claim(shop["sending"], 2, worker="somebody", now=utc_now())
    with pytest.raises(OperatorError, match="2 messages were still on the wire"):
        move(new, wait_seconds=0.0)
    assert holding.current_hold() is None
    with transaction() as db:  # long silent
        db.execute(text("UPDATE delivery SET claimed_at = '2026-01-01 00:00:00.000000'"))
    move(new, wait_seconds=0.0)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sqlite:///other.db", "goes to PostgreSQL"),
        ("mysql://u:hush@h/d", "postgresql\\+psycopg://"),
        ("nonsense hush", "postgresql\\+psycopg://"),
        ("postgresql://u:hush@127.0.0.1:9/d", "refused"),
    ],
)
def test_an_address_of_no_use_is_refused_without_its_password(shop, move, address, said) -> None:
    with pytest.raises(OperatorError, match=said) as refused:
        move(address)
    assert "hush" not in str(refused.value)
    assert holding.current_hold() is None


def test_a_database_without_tables_gets_them(shop, empty, there, move) -> None:
    before = books()
    move(empty)
    with there(empty):
        assert books() == before
        assert migrations.current_revision() == migrations.head_revision()


def test_a_strange_or_used_database_is_refused(shop, empty, there, move, arrange) -> None:
    with there(empty), transaction() as db:
        db.execute(text("CREATE TABLE somebody_elses (id int)"))
    with pytest.raises(WrongState, match="core migrate"):
        move(empty)
    with there(empty):
        migrations.upgrade()
        arrange.fanpage()
    with pytest.raises(WrongState, match="not empty"):
        move(empty)
    with there(empty), pytest.raises(WrongState, match="starts from SQLite"):
        move(empty)
    assert holding.current_hold() is None


def test_the_place_shows_no_password() -> None:
    target = Target("postgres://anna:hush@db.example:5433/otn?sslpassword=hush")
    assert target.place == "postgresql://anna@db.example:5433/otn"
    assert "hush" not in str(target.refused(ValueError("wrong password hush")))


def test_the_key_goes_along_and_another_one_is_refused_there(shop, new, there, move, monkeypatch) -> None:
    key_check.forget_checked()
    move(new)
    with there(new):
        key_check.refuse_another_key()
        with reading() as db:
            assert key_check.kept_hash(db) == lookup_hash(key_check.PURPOSE)
        monkeypatch.setenv("OTN_SECRET_KEY", "another-key-of-another-machine-0123456789-0123")
        settings.cache_clear()
        with pytest.raises(key_check.AnotherKey):
            key_check.refuse_another_key()


def test_a_move_with_another_key_is_refused_before_anything_is_held(shop, new, move, monkeypatch) -> None:
    key_check.forget_checked()
    key_check.refuse_another_key()
    monkeypatch.setenv("OTN_SECRET_KEY", "another-key-of-another-machine-0123456789-0123")
    settings.cache_clear()
    with pytest.raises(key_check.AnotherKey):
        move(new)
    assert holding.current_hold() is None


def test_who_was_started_too_early_on_the_new_database_does_no_harm_with_our_key(
    shop, new, there, move
) -> None:
    key_check.forget_checked()
    with there(new):
        key_check.refuse_another_key()
    assert move(new).rows["key_check"] == 1


def test_a_new_database_that_another_key_has_used_is_refused(shop, new, there, move) -> None:
    with there(new), transaction() as db:
        db.add(KeyCheck(id=1, hash="0" * 64))
    with pytest.raises(WrongState, match="another OTN_SECRET_KEY"):
        move(new)
    assert holding.current_hold() is None


def test_who_was_forgotten_stays_so(shop, new, there, move) -> None:
    with reading() as db:
        gone = db.get(Customer, 5).psid
    now = utc_now()
    assert forget(COMMAND_LINE, shop["fanpage"], gone, now=now) == 1
    counts = queries.get_broadcast(shop["sending"]).counts
    assert move(new).rows["forgotten"] == 1
    sheet = f"psid,token,consented_at\n{gone},an-old-token,{(now - timedelta(days=3)).isoformat()}\n".encode()
    with there(new):
        assert queries.get_broadcast(shop["sending"]).counts == counts
        (topic,) = consent.list_topics(shop["fanpage"], now=now)
        done = import_opt_ins(COMMAND_LINE, shop["fanpage"], topic_id=topic.id, data=sheet, now=utc_now())
        assert (done.imported, len(done.rejected)) == (0, 1)
        assert rows_of(Customer) == 4
