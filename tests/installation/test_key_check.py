"""A process with another key seals nothing, sends nothing, and says what to do."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from starlette.testclient import TestClient

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.consent.imports import import_opt_ins
from core.db.engine import transaction
from core.db.tables import KeyCheck
from core.errors import NotAllowed
from core.fanpages import actions as fanpages
from core.fanpages import queries
from core.inbox import processing
from core.installation import key_check
from core.installation.key_check import AnotherKey, refuse_another_key
from core.operations import doctor
from tests.inbox.platform import PAGE, body, read, signed, tap
from tests.processes import process
from webhook_server.application import create_app

KEY = "a-key-for-tests-that-is-long-enough-0123456789"
OTHER = "another-key-of-another-machine-0123456789-0123"


pytestmark = pytest.mark.usefixtures("restart")


@pytest.fixture
def key(restart):
    """This process has that key from now on, as if it had just started."""
    return lambda given: restart(secret_key=given)


def test_the_first_key_is_the_installations(fresh_database, key):
    refuse_another_key()
    key(OTHER)
    with pytest.raises(AnotherKey, match="accept-key"):
        refuse_another_key()
    key(KEY)
    refuse_another_key()
    ((kept,),) = fresh_database.rows("SELECT hash FROM key_check")
    assert KEY not in kept


def test_an_installation_from_before_is_known_by_its_seals(arrange, fresh_database, key):
    fanpage = arrange.fanpage()
    key(OTHER)
    with pytest.raises(AnotherKey):
        refuse_another_key()
    fresh_database.run(f"UPDATE fanpage SET token_sealed = NULL WHERE id = {fanpage}")
    key(KEY)
    arrange.opt_in(arrange.topic(fanpage), arrange.customer(fanpage), fanpage_id=fanpage)
    key(OTHER)
    with pytest.raises(AnotherKey):
        refuse_another_key()
    assert fresh_database.count("key_check") == 0


def test_of_two_first_processes_one_decides(fresh_database):
    start, kept = Barrier(2), []

    def first(mine: str) -> None:
        start.wait()
        kept.append(key_check.claim_hash(mine))

    threads = [Thread(target=first, args=(mine * 64,)) for mine in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) == 2
    assert len(set(kept)) == 1


def test_it_asks_the_database_seldom(fresh_database):
    refuse_another_key()
    fresh_database.run("DELETE FROM key_check")
    refuse_another_key()
    assert fresh_database.count("key_check") == 0


def test_nothing_is_sealed_or_opened_with_another_key(arrange, fresh_database, key, now):
    fanpage = arrange.fanpage(page_id=PAGE)
    topic = arrange.topic(fanpage)
    refuse_another_key()
    key(OTHER)
    with pytest.raises(AnotherKey):
        processing.store_events(read(tap("25", now, "token-1"), received_at=now))
    with pytest.raises(AnotherKey):
        processing.apply_batch(10, now)
    with pytest.raises(AnotherKey):
        fanpages.connect(COMMAND_LINE, page_id=PAGE, name="Mai", token="EAAB", check=False, now=now)
    sheet = f"psid,token,consented_at\n25,token-1,{now.isoformat()}\n".encode()
    with pytest.raises(AnotherKey):
        import_opt_ins(COMMAND_LINE, fanpage, topic_id=topic, data=sheet, now=now)
    assert [fresh_database.count(table) for table in ("event", "opt_in", "activity")] == [0, 0, 0]


def test_a_worker_with_another_key_does_not_start(fresh_database, tmp_path):
    refuse_another_key()
    log = tmp_path / "worker.log"
    with process("-m", "core", "worker", log=log, OTN_SECRET_KEY=OTHER) as worker:
        assert worker.wait(60) == 1
    assert "is not the key of this installation" in log.read_text()
    assert fresh_database.count("heartbeat") == 0


def test_a_webhook_server_with_another_key_does_not_start(fresh_database, key):
    refuse_another_key()
    key(OTHER)
    with pytest.raises(AnotherKey), TestClient(create_app()):
        pass


def test_a_webhook_server_that_could_not_ask_at_its_start_still_seals_nothing(fresh_database, key, now):
    with TestClient(create_app()) as client:
        with transaction() as db:
            db.merge(KeyCheck(id=1, hash="0" * 64))
        key_check.forget_checked()
        content = body(tap("25", now, "token-1"))
        assert client.post("/webhook", content=content, headers=signed(content)).status_code == 503
        assert client.get("/readyz").json() == {"ready": False, "problem": "key"}
    assert fresh_database.count("event") == 0


def test_the_doctor_says_so_and_leaves_nothing(arrange, fresh_database, key):
    doctor.find_problems()
    assert fresh_database.count("key_check") == 0
    fanpage = arrange.fanpage(is_demo=True)
    refuse_another_key()
    key(OTHER)
    said = doctor.find_problems()
    assert sum("is not the key of this installation" in each for each in said) == 1
    assert not any("connect the fanpage again" in each for each in said)
    assert queries.get_fanpage(fanpage).problems == ()


def test_a_lost_key_is_given_up_by_an_admin_alone(arrange, fresh_database, key, now):
    arrange.fanpage()
    refuse_another_key()
    key(OTHER)
    with pytest.raises(NotAllowed):
        key_check.accept_key(Actor(None, "an", Role.SENDER), now=now)
    assert key_check.accept_key(COMMAND_LINE, now=now) == 1
    refuse_another_key()
    assert fresh_database.rows("SELECT verb FROM activity") == [("installation.accept_key",)]
    key(KEY)
    with pytest.raises(AnotherKey):
        refuse_another_key()
