"""The doctor names what keeps messages from going out, and says what to do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import utc_now
from core.db.engine import transaction
from core.db.tables import Fanpage, Heartbeat
from core.installation.heartbeat import WORKER, HeartbeatWriter
from core.operations import doctor, server_check
from core.settings import settings
from core.worker import Worker
from tests.arrange import Arrange
from tests.databases import TestDatabase


def found() -> str:
    return "\n".join(doctor.find_problems())


def test_nothing_connected_no_worker_no_webhook_server(fresh_database, monkeypatch) -> None:
    monkeypatch.setenv("OTN_GRAPH_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OTN_WEBHOOK_PORT", "9")
    settings.cache_clear()
    said = found()
    for words in ("No worker is running", "No fanpage is connected", "cannot be reached", "webhook server"):
        assert words in said


def test_a_demo_needs_no_app_secret(arrange: Arrange, monkeypatch) -> None:
    monkeypatch.setenv("OTN_APP_SECRET", "")
    settings.cache_clear()
    arrange.fanpage(is_demo=True)
    assert "OTN_APP_SECRET" not in found()


def test_a_stopped_fanpage_is_named_with_the_way_back(arrange: Arrange) -> None:
    fanpage_id = arrange.fanpage(is_demo=True)
    with transaction() as db:
        db.get_one(Fanpage, fanpage_id).stopped_code = "restricted"
    assert "fanpage resume" in found()


def test_another_key_is_noticed(arrange: Arrange, monkeypatch) -> None:
    arrange.fanpage(is_demo=True)
    monkeypatch.setenv("OTN_SECRET_KEY", "another-key-that-is-long-enough-0123456789")
    settings.cache_clear()
    assert "is not the key it was encrypted with" in found()


@pytest.mark.postgresql
def test_a_clock_that_differs_from_the_databases_is_noticed(arrange: Arrange, monkeypatch) -> None:
    assert "clocks of this machine" not in found()
    monkeypatch.setattr(server_check, "utc_now", lambda: utc_now() - timedelta(seconds=90))
    assert "90 seconds apart" in found()


@pytest.mark.postgresql
def test_a_server_that_is_too_old_is_named(arrange: Arrange, monkeypatch) -> None:
    monkeypatch.setattr(server_check, "OLDEST", 99)
    assert "needs 99 or newer" in found()


def test_a_database_that_cannot_be_reached_is_one_calm_sentence(fresh_database, monkeypatch) -> None:
    monkeypatch.setenv("OTN_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/otn")
    settings.cache_clear()
    assert "The database does not answer" in found()


def test_a_worker_that_beats_is_no_problem(arrange: Arrange) -> None:
    now = utc_now()
    with transaction() as db:
        db.add(Heartbeat(process="worker a", at=now, started_at=now - timedelta(hours=1)))
    assert "No worker" not in found()


def test_the_heartbeat_of_a_webhook_server_is_none_of_a_worker(arrange: Arrange) -> None:
    now = utc_now()
    with transaction() as db:
        db.add(Heartbeat(process="webhook a", at=now, started_at=now - timedelta(hours=1)))
    assert "No worker" in found()


def test_a_worker_whose_mixed_calls_are_refused_is_named_until_they_work_or_it_ends(arrange: Arrange) -> None:
    said = "Messenger rejects calls that contain messages of several fanpages"
    mine, other = HeartbeatWriter(WORKER, utc_now), HeartbeatWriter(WORKER, utc_now)
    other.beat()
    mine.beat()
    assert said not in found()
    mine.beat(mixed_calls_are_refused=True)
    assert said in found()
    mine.beat()
    assert said not in found()
    mine.beat(mixed_calls_are_refused=True)
    with transaction() as db:
        db.get_one(Heartbeat, mine.process).at = utc_now() - timedelta(minutes=1)
    assert said not in found()


@pytest.mark.parametrize(("written", "wanted"), [("yes", True), ("no", False), (None, True)])
def test_the_setting_decides_whether_fanpages_share_calls(
    fresh_database: TestDatabase, monkeypatch: pytest.MonkeyPatch, written: str | None, wanted: bool
) -> None:
    if written is None:
        monkeypatch.delenv("OTN_BATCH_ACROSS_FANPAGES", raising=False)
    else:
        monkeypatch.setenv("OTN_BATCH_ACROSS_FANPAGES", written)
    settings.cache_clear()
    worker = Worker()
    worker.loop.close()
    assert worker.mixed_calls.allowed() is wanted


SINGLE_SIGN_ON = {
    "panel_url": "https://panel.shop.vn",
    "sso_issuer": "http://127.0.0.1:9",
    "sso_client_id": "notify-once",
    "sso_client_secret": "hunter2",
    "sso_admins": "bosses",
}


@pytest.mark.parametrize(
    ("given", "warns"),
    [
        ({**SINGLE_SIGN_ON, "require_second_factor": "admins"}, True),
        ({**SINGLE_SIGN_ON, "require_second_factor": "everybody"}, True),
        (SINGLE_SIGN_ON, False),
        ({"require_second_factor": "admins"}, False),
    ],
)
def test_a_second_factor_that_the_provider_has_to_require_is_a_warning(restart, given, warns) -> None:
    restart(**given)
    assert any("Require it at the provider" in each for each in doctor.find_warnings()) is warns


def test_an_openid_provider_that_does_not_answer_is_named(arrange: Arrange, restart) -> None:
    arrange.fanpage(is_demo=True)
    restart(**SINGLE_SIGN_ON)
    said = found()
    assert "The OpenID provider http://127.0.0.1:9 does not answer (ConnectionError)" in said
    assert "hunter2" not in said
