"""A new secret key opens everything that the former one sealed; nothing used looks new, nobody comes back."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.consent.imports import import_opt_ins
from core.consent.rules import OptInState
from core.db.engine import reading, transaction
from core.db.tables import Heartbeat, OptIn, Table
from core.encryption import decrypt_with_key, lookup_hash, lookup_key
from core.errors import NotAllowed, OperatorError, WrongState
from core.inbox import processing
from core.installation import key_check, rekeying
from core.installation.key_check import AnotherKey
from core.installation.token_hash import token_hash
from core.settings import secret_key
from tests.customers.forgetting.people import PSID, Shop
from tests.customers.forgetting.test_coming_back import sheet
from tests.inbox.platform import PAGE, read, tap
from tests.processes import process

KEY = "a-key-for-tests-that-is-long-enough-0123456789"
NEW = "the-new-key-that-nobody-has-seen-0123456789-01"

KILLED_AT_THE_TENTH = """
import os, signal, sys
import core.installation.rekeying as rekeying
from core.__main__ import main

def seal(key, secret, done=[], as_it_is=rekeying.encrypt_with_key):
    done.append(1)
    return os.kill(os.getpid(), signal.SIGKILL) if len(done) == 10 else as_it_is(key, secret)

rekeying.encrypt_with_key, sys.argv = seal, ["core", "rekey"]
main()
"""

pytestmark = pytest.mark.usefixtures("restart")


@pytest.fixture
def shop(arrange, now) -> Shop:
    return Shop(arrange, now)


def rekey(restart, now, new: str = NEW) -> rekeying.RekeyResult:
    done = rekeying.rekey(COMMAND_LINE, new_key=new, now=now)
    restart(secret_key=new)
    return done


def sealed_values(database) -> list[str]:
    """Whatever looks sealed, in any column of any table."""
    found = []
    for table in Table.metadata.sorted_tables:
        for row in database.rows(f'SELECT * FROM "{table.name}"'):
            for column, value in zip(table.columns, row, strict=True):
                if isinstance(value, str) and "siv." in value and not column.name.endswith("_by_app"):
                    found += [part for part in value.split('"') if part.startswith("siv.")]
    return found


def test_everything_sealed_opens_with_the_new_key_alone(shop: Shop, fresh_database, restart):
    shop.forget()
    processing.store_events(read(tap("26", shop.now, "token-in-an-event"), received_at=shop.now))
    key_check.refuse_another_key()
    before = sealed_values(fresh_database)
    done = rekey(restart, shop.now)
    after = sealed_values(fresh_database)
    assert done.closed == 0
    assert done.sealed == len(before) == len(after)
    assert len({value for value in after if decrypt_with_key(NEW, value)}) == len(set(after))
    assert not [value for value in after if decrypt_with_key(KEY, value)]
    key_check.refuse_another_key()


def test_an_old_import_file_makes_no_token_available_again(arrange, fresh_database, restart, now):
    fanpage = arrange.fanpage(page_id=PAGE)
    topic = arrange.topic(fanpage)
    key_check.refuse_another_key()
    old_file = sheet((PSID, "token-of-an-old-file", now))
    assert import_opt_ins(COMMAND_LINE, fanpage, topic_id=topic, data=old_file, now=now).imported == 1
    fresh_database.run("UPDATE opt_in SET state = 'spent'")
    rekey(restart, now)
    again = import_opt_ins(COMMAND_LINE, fanpage, topic_id=topic, data=old_file, now=now)
    assert (again.imported, again.duplicates) == (0, 1)
    restart(secret_key=KEY[::-1])
    key_check.accept_key(COMMAND_LINE, now=now)  # the app secret opens the key of the hashes
    again = import_opt_ins(COMMAND_LINE, fanpage, topic_id=topic, data=old_file, now=now)
    assert (again.imported, again.duplicates) == (0, 1)
    assert fresh_database.rows("SELECT state FROM opt_in") == [(OptInState.SPENT,)]


def test_hashes_from_before_are_those_of_the_first_key(arrange, fresh_database, restart, now):
    key_check.refuse_another_key()
    before = token_hash("token-1")
    assert before == lookup_hash("token-1")
    rekey(restart, now)
    assert token_hash("token-1") == before != lookup_hash("token-1")


def test_hashes_that_nothing_opens_are_given_up_only_when_asked(arrange, fresh_database, restart, now):
    fanpage = arrange.fanpage()
    arrange.opt_in(arrange.topic(fanpage), arrange.customer(fanpage), fanpage_id=fanpage)
    key_check.refuse_another_key()
    restart(secret_key=NEW, app_secret="another-app-secret")
    with pytest.raises(WrongState, match="--used-may-return"):
        key_check.accept_key(COMMAND_LINE, now=now)
    key_check.accept_key(COMMAND_LINE, now=now, used_may_return=True)
    key_check.refuse_another_key()
    (detail,) = fresh_database.rows("SELECT detail FROM activity")[-1]
    assert (json.loads(detail) if isinstance(detail, str) else detail)["hashes_given_up"] == 1


def test_nothing_is_sealed_anew_while_a_process_runs(arrange, fresh_database, now):
    key_check.refuse_another_key()
    with transaction() as db:
        db.add(Heartbeat(process="worker mai:17:ab", at=now, started_at=now))
    with pytest.raises(WrongState, match="worker mai"):
        rekeying.rekey(COMMAND_LINE, new_key=NEW, now=now)
    with pytest.raises(NotAllowed):
        rekeying.rekey(Actor(None, "an", Role.SENDER), new_key=NEW, now=now)


def test_a_process_that_was_frozen_meanwhile_stores_nothing(
    arrange, fresh_database, restart, now, monkeypatch
):
    arrange.fanpage(page_id=PAGE)
    key_check.refuse_another_key()
    monkeypatch.setattr(key_check, "forget_checked", lambda: None)  # it was another process
    rekeying.rekey(COMMAND_LINE, new_key=NEW, now=now)
    monkeypatch.setattr(key_check, "CHECK_AGAIN_SECONDS", 0.0)  # it was frozen for longer than this
    with pytest.raises(AnotherKey, match="rekey"):
        processing.store_events(read(tap("25", now, "token-1"), received_at=now))


WEAK = "change-me"


@pytest.fixture
def sealed_by_a_guessable_key(shop: Shop, restart, monkeypatch) -> Shop:
    """An installation from before such a key was refused."""
    with monkeypatch.context() as patch:
        patch.setattr("core.settings.is_guessable_key", lambda _key: False)
        patch.setattr(rekeying, "is_guessable_key", lambda _key: False)
        shop.forget()
        processing.store_events(read(tap("26", shop.now, "token-in-an-event"), received_at=shop.now))
        key_check.refuse_another_key()
        rekey(restart, shop.now, WEAK)
    return shop


def test_what_a_guessable_key_sealed_is_sealed_anew(sealed_by_a_guessable_key, fresh_database, restart):
    shop = sealed_by_a_guessable_key
    restart(secret_key=NEW)
    with pytest.raises(AnotherKey):
        key_check.refuse_another_key()
    with pytest.raises(WrongState, match="Nothing was changed"):
        rekeying.rekey_from(COMMAND_LINE, KEY, now=shop.now)
    done = rekeying.rekey_from(COMMAND_LINE, WEAK, now=shop.now)
    assert (done.closed, done.is_in_file) == (0, False)
    after = sealed_values(fresh_database)
    assert done.sealed == len(after) > 2
    assert all(decrypt_with_key(NEW, value) for value in after)
    key_check.refuse_another_key()
    assert token_hash("token-in-an-event") == lookup_hash("token-in-an-event", lookup_key(KEY))
    assert rekeying.rekey_from(COMMAND_LINE, WEAK, now=shop.now).sealed == 0  # repeated


def test_a_guessable_key_in_a_file_is_moved_away_and_named(
    sealed_by_a_guessable_key, monkeypatch, restart, tmp_path
):
    monkeypatch.delenv("OTN_SECRET_KEY")
    (tmp_path / "former").write_text(f"{WEAK}\n")
    log = tmp_path / "rekey.log"
    with process("-m", "core", "rekey", "--former", str(tmp_path / "former"), log=log) as done:
        assert done.wait(60) == 0, log.read_text()
    restart()
    assert len((tmp_path / "secret.key").read_text()) > 40
    key_check.refuse_another_key()


def test_nothing_is_sealed_anew_from_a_named_key_while_a_process_runs(
    sealed_by_a_guessable_key, restart, fresh_database
):
    now = sealed_by_a_guessable_key.now
    restart(secret_key=NEW)
    with transaction() as db:
        db.add(Heartbeat(process="worker mai:17:ab", at=now, started_at=now))
    before = sealed_values(fresh_database)
    with pytest.raises(WrongState, match="worker mai"):
        rekeying.rekey_from(COMMAND_LINE, WEAK, now=now)
    assert sealed_values(fresh_database) == before


@pytest.mark.parametrize("new", ["", "short", "change-me-change-me-change-me-change-me", None])
def test_a_key_in_the_environment_is_replaced_by_a_long_one_that_is_given(arrange, now, new):
    with pytest.raises(OperatorError, match=r"32 characters|standard input"):
        rekeying.rekey(COMMAND_LINE, new_key=new, now=now)


@pytest.fixture
def key_in_file(fresh_database, monkeypatch, restart, tmp_path: Path) -> Path:
    monkeypatch.delenv("OTN_SECRET_KEY")
    restart()
    return tmp_path / "secret.key"


def test_a_key_in_a_file_is_replaced_there_and_the_former_one_kept(key_in_file: Path, arrange, now):
    arrange.fanpage()
    key_check.refuse_another_key()
    former = key_in_file.read_text()
    assert rekeying.rekey(COMMAND_LINE, new_key=None, now=now).is_in_file
    assert (
        key_in_file.read_text()
        != former
        == key_in_file.with_name("secret.key.until-20261122-090000").read_text()
    )
    assert sorted(each.name for each in key_in_file.parent.glob(".*secret*")) == []
    assert {each.stat().st_mode & 0o777 for each in key_in_file.parent.glob("secret*")} == {0o600}
    key_check.refuse_another_key()


@pytest.mark.parametrize("former", ["", KEY])
def test_a_former_key_that_is_none_or_the_one_in_use_changes_nothing_and_is_said(arrange, now, former):
    arrange.fanpage()
    key_check.refuse_another_key()
    with pytest.raises(OperatorError, match="Nothing was changed"):
        rekeying.rekey_from(COMMAND_LINE, former, now=now)


@pytest.mark.parametrize("at", ["_reseal", "replace_kept_secret"])
def test_an_interruption_leaves_one_key_and_repeating_ends_it(
    key_in_file: Path, arrange, now, at, monkeypatch
):
    """Killed before the commit, or after it and before the key's file is in its place."""
    fanpage = arrange.fanpage()
    arrange.opt_in(arrange.topic(fanpage), arrange.customer(fanpage), fanpage_id=fanpage)
    key_check.refuse_another_key()

    def killed(*_given: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rekeying, at, killed)
        with pytest.raises(KeyboardInterrupt):
            rekeying.rekey(COMMAND_LINE, new_key=None, now=now)
    rekeying.rekey(COMMAND_LINE, new_key=None, now=now)
    key_check.refuse_another_key()
    with reading() as db:
        (sealed,) = db.execute(select(col(OptIn.token_sealed))).scalars()
    assert decrypt_with_key(secret_key(), sealed or "") is not None


def test_a_real_kill_in_the_middle_is_repeated(key_in_file: Path, arrange, fresh_database, now, tmp_path):
    fanpage = arrange.fanpage()
    topic, customer = arrange.topic(fanpage), arrange.customer(fanpage)
    for _ in range(30):
        arrange.opt_in(topic, customer, fanpage_id=fanpage)
    key_check.refuse_another_key()
    log = tmp_path / "rekey.log"
    with process("-c", KILLED_AT_THE_TENTH, log=log) as killed:
        assert killed.wait(60) == -signal.SIGKILL
    key_check.forget_checked()
    key_check.refuse_another_key()  # still the former one
    with process("-m", "core", "rekey", log=log) as again:
        assert again.wait(60) == 0
    assert "32 secrets" in log.read_text()
