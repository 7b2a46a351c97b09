"""The list of forgotten people says nothing to who has the database, and outlives the secret key."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.accounts.rules import COMMAND_LINE
from core.consent.imports import import_opt_ins
from core.customers import forgotten
from core.db.engine import transaction
from core.db.tables import ForgottenKey
from core.errors import WrongState
from core.installation import key_check
from tests.customers.forgetting.people import PSID, Shop, everything_in
from tests.customers.forgetting.test_coming_back import sheet
from tests.inbox.platform import PAGE

OTHER = "another-key-of-another-machine-0123456789-0123"


pytestmark = pytest.mark.usefixtures("restart")


def comes_back(shop: Shop) -> bool:
    data = sheet((PSID, "token-of-an-old-file", shop.now - timedelta(days=9)))
    done = import_opt_ins(COMMAND_LINE, shop.fanpage_id, topic_id=shop.topic_id, data=data, now=shop.now)
    return done.imported == 1


def index_key() -> str:
    with transaction() as db:
        return forgotten.read_key(db)


def test_the_list_holds_nothing_but_hashes(shop: Shop, fresh_database):
    shop.forget()
    ((hash_, _at),) = fresh_database.rows("SELECT * FROM forgotten")
    key, kept = index_key(), everything_in(fresh_database)
    assert hash_ == forgotten.person_hash(key, (PAGE, PSID))
    assert key not in kept
    assert hash_ != forgotten.person_hash("00" * 32, (PAGE, PSID))


def test_a_new_secret_key_forgets_nobody(shop: Shop, restart):
    shop.forget()
    key = index_key()
    restart(secret_key=OTHER)
    key_check.accept_key(COMMAND_LINE, now=shop.now)
    assert index_key() == key
    assert not comes_back(shop)
    shop.told({"sender": {"id": PSID}, "recipient": {"id": PAGE}, "timestamp": 1, "message": {"mid": "m"}})
    restart(secret_key=OTHER[::-1])
    key_check.accept_key(COMMAND_LINE, now=shop.now)
    assert not comes_back(shop)


def test_a_new_app_secret_is_followed_at_the_next_start(shop: Shop, restart):
    shop.forget()
    restart(app_secret="another-app-secret")
    key_check.refuse_another_key()
    restart(secret_key=OTHER)
    key_check.accept_key(COMMAND_LINE, now=shop.now)
    assert not comes_back(shop)


def test_an_app_secret_that_comes_later_is_followed(shop: Shop, restart, fresh_database):
    restart(app_secret="")
    shop.forget()
    assert fresh_database.rows("SELECT sealed_by_app FROM forgotten_key") == [(None,)]
    restart(app_secret="app-secret-for-tests")
    key_check.refuse_another_key()
    restart(secret_key=OTHER)
    key_check.accept_key(COMMAND_LINE, now=shop.now)
    assert not comes_back(shop)


def test_the_list_is_given_up_only_when_somebody_says_so(shop: Shop, restart, fresh_database):
    shop.forget()
    restart(secret_key=OTHER, app_secret="another-app-secret")
    with pytest.raises(WrongState, match=r"1 forgotten people.*--forgotten-may-return"):
        key_check.accept_key(COMMAND_LINE, now=shop.now)
    with pytest.raises(key_check.AnotherKey):
        comes_back(shop)  # nothing has changed
    key_check.accept_key(COMMAND_LINE, now=shop.now, forgotten_may_return=True, used_may_return=True)
    assert (fresh_database.count("forgotten"), fresh_database.count("forgotten_key")) == (0, 0)
    assert comes_back(shop)
    ((detail,),) = fresh_database.rows("SELECT detail FROM activity WHERE verb = 'installation.accept_key'")
    assert "forgotten_given_up" in str(detail)


def test_the_same_key_accepted_again_changes_nothing(shop: Shop, restart):
    shop.forget()
    key = index_key()
    key_check.accept_key(COMMAND_LINE, now=shop.now)
    assert index_key() == key


def test_the_key_is_made_with_the_first_and_never_changes(shop: Shop, arrange, fresh_database):
    assert fresh_database.count("forgotten_key") == 0
    shop.forget()
    key = index_key()
    with transaction() as db:
        forgotten.record_forgotten(db, (PAGE, "25"), now=shop.now)
    assert index_key() == key
    with transaction() as db:
        assert db.get(ForgottenKey, 1).sealed_by_app is not None
